"""Broken, odd and hostile input for every door of the package, made from good input, and a judge of each answer.

Run as a program it tries all of it in one process that may take no more than a gigabyte beside what it began with,
five seconds of processor time a trial, and prints a line of JSON for each: its name, the verdict, and what was said.
"""

import contextlib
import io
import json
import pickle
import random
import resource
import signal
import struct
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

GIGABYTE = 2**30
SECONDS = 5
CONFIG = {
    "network": "PoseFormer", "input": "screen", "num_frames": 3, "num_joints": 17, "spatial_dim": 8, "spatial_depth": 1,
    "temporal_depth": 1, "num_heads": 2, "mlp_ratio": 2.0, "drop_path": 0.1, "spatial_positions": True,
    "temporal_positions": True,
}  # fmt: skip
NONSENSE = ("-1", "1e999", "NaN", '"8"', "null", "[1]", "{}", "100000000", '"' + "x" * 99 + '"')
BVH = """HIERARCHY
ROOT hips
{
  OFFSET 0 10 0
  CHANNELS 6 Zposition Xposition Yposition Xrotation Zrotation Yrotation
  JOINT knee
  {
    OFFSET 100 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 50 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.02
3 1 2 0 0 0 90 0 0
0 0 0 0 90 0 90 0 0
"""
ASF = """:units
  mass 1.0
  length 0.5
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    name upper
    direction 1 0 0
    length 4
    axis 0 0 0 XYZ
    dof rx ry rz
  end
  begin
    name lower
    direction 0 1 0
    length 2
    axis 0 0 90 XYZ
    dof rx
  end
:hierarchy
  begin
    root upper
    upper lower
  end
"""
AMC = ":DEGREES\n1\nroot 1 2 3 0 0 0\nupper 0 0 90\nlower 0\n2\nroot 0 0 0 0 0 90\nupper 0 0 0\nlower 9\n"
BVH_CHANGES = [
    ("Frames: 2", "Frames: 100000000"), ("Frames: 2", "Frames: -2"), ("Frames: 2", "Frames: 2.5"),
    ("Frames: 2", "Frames: nan"),
    ("Time: 0.02", "Time: inf"), ("Time: 0.02", "Time: 1e9"), ("Time: 0.02", "Time: 1e-300"),
    ("Time: 0.02", "Time: -1"),
    ("Time: 0.02", "Time: x"), ("OFFSET 100 0 0", "OFFSET 1e300 0 0"), ("OFFSET 100 0 0", "OFFSET nan 0 0"),
    ("OFFSET 100 0 0", "OFFSET 1_0 0 0"), ("OFFSET 100 0 0", "OFFSET 1"), ("CHANNELS 3", "CHANNELS x"),
    ("CHANNELS 3", "CHANNELS"),
    ("CHANNELS 6", "CHANNELS 0"), ("Xrotation", "Xspin"), ("ROOT", "LEAF"), ("JOINT knee", "JOINT hips"), ("{", ""),
    ("}", ""),
    ("90 0 0", "90 0 inf"), ("90 0 0", "90 0 1e300"), ("90 0 0", "90 0 1_0"), ("90 0 0", "90 0"), ("MOTION", ""),
    (BVH, ""),
    (BVH, "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 0\n}\nMOTION\nFrames: 100000000\nFrame Time: 1\n"),
    (BVH, "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 1 Xposition\n" + "JOINT b\n{\n}\n" * 9999
     + "}\nMOTION\nFrames: 9999\nFrame Time: 1\n" + "0 " * 9999),
]  # fmt: skip
ASF_CHANGES = [
    ("  length 0.5\n", ""), ("length 0.5", "length 0"), ("length 0.5", "length nan"), ("length 0.5", "length"),
    ("angle deg", "angle grad"),
    ("order TX TY TZ RX RY RZ", "order TX"), ("  order TX TY TZ RX RY RZ\n", ""), ("TX TY TZ", "TX TX TZ"),
    ("  axis XYZ\n", ""),
    ("axis XYZ", "axis"), ("  orientation 0 0 0\n", ""), ("orientation 0 0 0", "orientation 0 0 inf"),
    ("position 0 0 0", "position 0 0"),
    ("direction 1 0 0", "direction 0 0 0"), ("direction 1 0 0", "direction 9 0 0"),
    ("direction 1 0 0", "direction x 0 0"),
    ("axis 0 0 90 XYZ", "axis 0 0 90"), ("axis 0 0 90 XYZ", "axis 0 0 90 XXZ"), ("dof rx ry rz", "dof rx rx"),
    ("dof rx\n", "dof l\n"),
    ("length 2", "length -2"), ("length 2", "length 1e300"), ("name lower", "name upper"), ("name lower", "name"),
    ("upper lower", "upper upper"),
    ("upper lower", "upper lower\n    root lower"), ("upper lower", "lower upper"), ("root upper", "upper root"),
    (":hierarchy", ":"),
    (ASF, ""), ("begin\n    name lower", "begin\n    naem lower"),
]  # fmt: skip
AMC_CHANGES = [
    ("lower 9", "lower nan"), ("lower 9", "lower 1e300"), ("lower 9", "lower 1_0"), ("lower 9", "lower"),
    ("lower 9", "lower 9 9"), ("\n1\n", "\n\xb2\n"),
    ("\n2\n", "\n3\n"), ("upper 0 0 0\n", ""), ("root 1 2 3 0 0 0", "root 1"), (AMC, ""),
    ("upper 0 0 90", "tail 0 0 90"),
]  # fmt: skip
OPTIONS = [  # of the command line; {weights}, {data} and {folder} are good ones
    *(["train", "synthetic", "--output", "{folder}/run", *more] for more in (
        ["--epochs", "0"], ["--epochs", "-1"], ["--epochs", "x"], ["--batch-size", "0"], ["--learning-rate", "nan"],
        ["--learning-rate", "inf"], ["--learning-rate", "-1"], ["--validation", "1"], ["--validation", "nan"],
        ["--seed", "-1"],
        ["--seed", "9" * 30], ["--num-frames", "0"], ["--num-frames", "4"], ["--num-frames", "999999999"],
        ["--preset", "none"],
        ["--network", "none"], ["--keypoints", "none"], ["--cameras", "fixed"], ["--root", "{folder}"])),
    ["train", "none"], ["train", "human36m", "--output", "{folder}/run"], ["train", "--output", "{folder}/file"],
    ["train", "--output", "/proc/none"], ["evaluate", "{folder}/none"], ["evaluate", "{folder}/none.bin"],
    ["evaluate", "{folder}/file.bin"],
    ["evaluate", "{weights}", "none"], ["evaluate", "{weights}", "humaneva", "--root", "{folder}"],
    ["evaluate", "{weights}", "--num-heads", "0"],
    ["convert", "human36m", "--root", "{data}", "-o", "{data}"],
    ["convert", "human36m", "--root", "{data}", "-o", "{folder}/link"],
    ["convert", "human36m", "--root", "{data}", "-o", "{folder}/file"],
    ["convert", "human36m", "--root", "{data}", "-o", "{folder}/o", "--name", "../x"],
    ["export", "{weights}", "-o", "{folder}/m.txt"], ["export", "{weights}", "-o", "{folder}"],
    ["export", "{weights}", "-o", "{folder}/file/m.onnx"],
    ["export", "{weights}", "-o", "/proc/m.onnx"], ["export", "none"], ["reproduce", "none", "-o", "{folder}/r"],
    ["reproduce", "table1", "--scale", "none"],
    ["reproduce", "table1", "-o", "{folder}/file"], ["bench", "startup", "none"],
    ["bench", "startup", "--json", "{folder}/file"],
    ["bench", "cost", "--picture", "{folder}/p.txt"], ["fetch-cmu", "{folder}/file"], ["none"], ["doctor", "--root"],
]  # fmt: skip


def trials(folder: Path) -> dict[str, tuple[Callable[[], object], str]]:
    """{name: (what is tried, what the answer must name)}."""
    import numpy as np
    import torch
    from helpers_data import small_model, tiny_dataset

    from poseformer_lite.datasets import videopose3d
    from poseformer_lite.datasets.sources import human36m, mpi_inf_3dhp
    from poseformer_lite.formats.asfamc import read_amc, read_asf
    from poseformer_lite.formats.bvh import read_bvh
    from poseformer_lite.formats.keypoint_files import read_keypoints
    from poseformer_lite.formats.safe_npz import load_npz
    from poseformer_lite.lifting.motion import Motion
    from poseformer_lite.model import PoseFormer
    from poseformer_lite.model.official import official_state_dict
    from poseformer_lite.skeleton import H36M17

    found: dict[str, tuple[Callable[[], object], str]] = {}

    def file(door: str, change: str, name: str, contents: str | bytes | Callable, read: Callable) -> None:
        def trial():
            path.parent.mkdir(parents=True, exist_ok=True)
            contents(path) if callable(contents) else path.write_bytes(
                contents.encode("latin-1") if isinstance(contents, str) else contents
            )
            return read(path)

        path = folder / f"{len(found)}" / name
        found[f"{door}: {change}"] = trial, name

    good = folder / "good"
    small_model().save_pretrained(good)
    weights = (good / "model.safetensors").read_bytes()
    fields = {name: json.dumps(value) for name, value in CONFIG.items()}
    wrong = [(f, w) for f in CONFIG for w in NONSENSE if (f, w) not in {("drop_path", "null")}]
    wrong += [("temporal_positions", "1"), ("num_frames", "3.5"), ("num_frames", "true"), ("mlp_ratio", "true")]
    for field, value in wrong:
        text = "{" + ", ".join(f'"{name}": {value if name == field else fields[name]}' for name in fields) + "}"

        def config(path, text=text):
            path.write_text(text)
            path.with_name("model.safetensors").write_bytes(weights)

        file(
            "config.json",
            f"{field} = {value[:12]}",
            "config.json",
            config,
            lambda p: PoseFormer.from_pretrained(p.parent),
        )
        found[f"config.json: {field} = {value[:12]}"] = (
            found.popitem()[1][0],
            "config.json" if field == "" else str(folder),
        )
    deep = "[" * 100_000

    bad = small_model().state_dict()
    bad["head.linear.bias"][3] = float("nan")
    official = official_state_dict(small_model())

    def broken(**changes):
        return lambda path: torch.save({"model_pos": official | changes}, path)

    first = "Spatial_pos_embed"
    for change, write in {
        "NaN": broken(**{first: official[first] * float("nan")}),
        "a sparse tensor": broken(**{first: official[first].to_sparse()}),
        "one number seen as many": broken(**{first: torch.zeros(1).expand(1, 17, 8)}),
        "one number seen as 2 ** 60": broken(**{first: torch.zeros(1).expand(1, 17, 2**40)}),
        "layer 999999999": broken(**{"blocks.999999999.norm1.weight": torch.zeros(8)}),
        "a list": lambda path: torch.save({"model_pos": [1]}, path),
        "whole numbers for names": lambda path: torch.save({"model_pos": {1: torch.zeros(2)}}, path),
        "text for a tensor": broken(**{first: "x"}),
        "no tensor at all": lambda path: path.write_bytes(b""),
    }.items():
        file("official", change, "w.bin", write, lambda p: PoseFormer.from_official(p, num_heads=2))

    for change, raw in hostile_npz().items():
        file("npz", change, "a.npz", raw, load_npz)

    poses = np.zeros((4, 17, 3), np.float32)
    header = npy("<f8", (4, 17, 3), b"")
    for change, raw in {
        "nothing": b"", "cut": header[:40], "no numbers": header, "announced": npy("<f8", (10**9, 17, 2), b""),
        "a header that does not end": header.replace(b"(4, 17, 3)", b"((4, 17, 3"),
        "records": npy("V4", (2,), b"x" * 8),
        "a header with code": header.replace(b"'<f8'", b"f(1) "), "a pickle": npy("|O", (), b"cos\nsystem\n(S'x'\ntR."),
        "text": npy("<U1", (4, 17, 3), b"a\x00\x00\x00" * 204),
    }.items():  # fmt: skip
        file("npy", change, "k.npy", raw, read_keypoints)

    contents = {"poses_3d": poses, "keypoints": poses[..., :2], "fps": 25.0, "width": 100, "height": 50}
    contents["joints"] = list(H36M17.joints)
    plain = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in contents.items()}
    nan, inf = float("nan"), float("inf")
    changes = [("fps", v) for v in (-1, 0, nan, inf, "25", [1, 2])] + [
        ("width", v) for v in (0, -1, 1.5, nan, "w", [1, 2])
    ]
    changes += [("poses_3d", v) for v in ([], poses[:3].tolist(), (poses + nan).tolist(), [["x"]], "x")] + [
        ("joints", [1]),
        ("joints", 1),
    ]
    for i, (field, value) in enumerate(changes):
        file(
            "motion .npz", f"{i} {field}", "m.npz", lambda p, c=contents | {field: value}: np.savez(p, **c), Motion.load
        )
        file("motion .json", f"{i} {field}", "m.json", json.dumps(plain | {field: value}), Motion.load)
    for change, text in {"deep": deep, "cut": '{"fps": 2', "list": "[]", "number": "1", "latin-1": "\xff"}.items():
        file("motion .json", change, "m.json", text, Motion.load)

    row = ",".join(str(100 + 7 * i % 90) for i in range(34))
    for change, text in {
        "nothing": "", "a header alone": "a,b,c\n", "a word": row.replace("107", "x", 1),
        "1_0": row.replace("107", "1_0"), "infinite": row.replace("107", "inf"), "huge": row.replace("107", "1e300"),
        "a cell less": row[:-4], "a cell more": row + ",1", "a quote": '"' + f"{row}\n" * 2000,
        "latin-1": row + "\xff", "null": row + "\x00", "another divider": row.replace(",", "|"),
    }.items():  # fmt: skip
        file("csv", change, "k.csv", f"{row}\n{row}\n{text}\n{row}\n" if len(text) > 20 else text, read_keypoints)

    for old, new in BVH_CHANGES:
        file("bvh", f"{old[:20]!r} -> {new[:30]!r}", "a.bvh", BVH.replace(old, new, 1), read_bvh)
    for old, new in ASF_CHANGES:
        file("asf", f"{old[:20]!r} -> {new[:30]!r}", "a.asf", ASF.replace(old, new, 1), read_asf)
    (good / "a.asf").write_text(ASF)
    for old, new in AMC_CHANGES:
        file(
            "amc",
            f"{old!r} -> {new!r}"[:40],
            "a.amc",
            AMC.replace(old, new, 1),
            lambda p: read_amc(p, read_asf(good / "a.asf")),
        )

    rng = random.Random(0)
    for number in range(90):
        name, text, read = [
            ("a.bvh", BVH, read_bvh),
            ("a.asf", ASF, read_asf),
            ("a.amc", AMC, lambda p: read_amc(p, read_asf(good / "a.asf"))),
        ][number % 3]
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(text))
            text = (
                text[:at] + rng.choice(["", "-", "9", "e9", "\n", " ", "x", ":", "{"]) + text[at + rng.randint(0, 2) :]
            )
        file("mutated", f"{number} {name}", name, text, read)

    data = folder / "data"
    videopose3d.write(tiny_dataset(4), data, "h36m")
    pixels, world = load_npz(data / "data_2d_h36m_gt.npz"), load_npz(data / "data_3d_h36m.npz")["positions_3d"]
    cameras = json.loads((data / "cameras_h36m.json").read_text())
    wrong_2d = {
        "none": None,
        "a list": [1],
        "text": {"S1": "x"},
        "a number": {"S1": {"a": 1}},
        "nothing": {"S1": {"a": []}},
    }
    wrong_2d |= {"words": {"S1": {"a": [["x"]]}}, "15 joints": {"S1": {"a": [poses[:, :15, :2]]}}}
    wrong_2d |= {"one axis": {"S1": {"a": [poses[..., :1]]}}, "no frames": {"S1": {"a": [poses[:0, :, :2]]}}}

    def h36m(positions_2d=None, positions_3d=None, metadata=None, cameras=cameras):
        def write(path):
            np.savez(path, positions_3d=np.array(world if positions_3d is None else positions_3d, object))
            two = {"positions_2d": pixels["positions_2d"] if positions_2d is None else positions_2d[0]}
            two["metadata"] = {"layout_name": "h36m"} if metadata is None else metadata[0]
            held = {name: np.array(value, object) for name, value in two.items()}
            np.savez(path.with_name("data_2d_h36m_gt.npz"), **held)
            path.with_name("cameras_h36m.json").write_text(cameras if isinstance(cameras, str) else json.dumps(cameras))

        return write

    made = {f"2D {name}": h36m(positions_2d=[value]) for name, value in wrong_2d.items()}
    made |= {f"3D {name}": h36m(positions_3d=value) for name, value in {
        "text": {"S1": "x"}, "ragged": {"S1": {"WalkDog": [[1],
        [1, 2]]}}, "16 joints": {"S1": {"WalkDog": poses[:, :16]}},
        "longer": {"S1": {"WalkDog": np.zeros((99, 17, 3))}}, "complex": {"S1": {"WalkDog": poses + 1j}},
        "millimetres": {"S1": {"WalkDog": 1000 * world["S1"]["WalkDog"]}},
    }.items()}  # fmt: skip
    made |= {f"metadata {value!r}": h36m(metadata=[value]) for value in (1, {"layout_name": "x"})}
    one = cameras["S1"][0]
    made |= {f"cameras {text[:30]}": h36m(cameras=text) for text in (
        "[]", "{", deep, json.dumps({"S1": [1]}), json.dumps({"S1": [{"x": 1}]}), json.dumps({"S1": 1}),
        json.dumps({"S1": [one | {"width": -1}]}), json.dumps({"S1": [one | {"focal_length": [1]}]}),
        json.dumps({"S1": [one | {"center": ["x", "y"]}]}), json.dumps({"S1": [one | {"translation": [nan, 0, 0]}]}),
    )}  # fmt: skip
    for change, write in made.items():
        file("human36m", change, "data_3d_h36m.npz", write, lambda p: human36m.load(p.parent))
        found[f"human36m: {change}"] = found.popitem()[1][0], "_h36m"

    take = {"data_2d": poses[..., :2], "data_3d": poses, "valid": np.ones(4)}
    views = {"0": {"data_2d": poses[..., :2], "data_3d": poses}}
    whole, sixteen = [views, 25], {"0": {"data_2d": poses[:, :16, :2], "data_3d": poses}}
    for change, (training, test) in {
        "training none": ({"S1 Seq1": None}, {"TS1": take}),
        "no sequence": ({"S1": whole}, {"TS1": take}),
        "a camera that is text": ({"S1 Seq1": [{"0": "x"}, 25]}, {"TS1": take}),
        "no cameras": ({"S1 Seq1": [[], 25]}, {"TS1": take}),
        "no valid frame": ({"S1 Seq1": whole}, {"TS1": take | {"valid": np.zeros(4)}}),
        "valid text": ({"S1 Seq1": whole}, {"TS1": take | {"valid": "x"}}),
        "test none": ({"S1 Seq1": whole}, {"TS1": None}),
        "number key": ({1: whole}, {"TS1": take}),
        "16 joints": ({"S1 Seq1": [sixteen, 25]}, {"TS1": take}),
        "normalised": ({"S1 Seq1": whole}, {"TS1": take}),  # all 2D at 0
    }.items():  # fmt: skip

        def write(path, training=training, test=test):
            np.savez(path, data=np.array(training, object))
            np.savez(path.with_name("data_test_3dhp.npz"), data=np.array(test, object))

        file("3dhp", change, "data_train_3dhp.npz", write, lambda p: mpi_inf_3dhp.load(p.parent))

    checkpoint_trials(folder, found)
    (folder / "file").write_text("")
    (folder / "file.bin").write_text("no checkpoint")
    (folder / "link").symlink_to(data)
    for words in OPTIONS:
        words = [word.format(folder=folder, data=data, weights=good) for word in words]
        found["cli: " + " ".join(words).replace(str(folder), "")] = (lambda words=words: command(words)), ""
    return found


def checkpoint_trials(folder: Path, found: dict) -> None:
    """Single bytes of a checkpoint changed: it is refused, or what it holds is bit for bit the same."""
    import torch
    from helpers_data import small_model

    from poseformer_lite.training.checkpoints import NAME, load_checkpoint, save_checkpoint

    state = {"weights": small_model().state_dict(), "history": [{"mm": 1.5}], "step": 3}
    save_checkpoint(folder, {"settings": {"epochs": 3}}, state)
    whole = (folder / NAME).read_bytes()
    random_ = random.Random(0)
    for place in sorted(random_.sample(range(len(whole)), 25)):
        change = random_.randrange(1, 256)

        def trial(place=place, change=change):
            (folder / NAME).write_bytes(whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :])
            read = load_checkpoint(folder, {"settings": {"epochs": 3}}, "cpu")
            same = all(torch.equal(read["weights"][name], tensor) for name, tensor in state["weights"].items())
            if same and (read["history"], read["step"]) == (state["history"], state["step"]):
                raise ValueError(f"{NAME} holds the same all the same")
            return read

        found[f"checkpoint: byte {place}"] = trial, NAME


def command(words: list[str]) -> None:
    """The command line in this process; a sentence and exit code 2 become a ValueError."""
    from poseformer_lite import cli

    said = io.StringIO()
    sys.argv = ["poseformer-lite", *words]
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            cli.main()
        except SystemExit as ended:
            if ended.code == 2 and "Traceback" not in said.getvalue():
                raise ValueError(said.getvalue()) from None
            raise RuntimeError(f"exit {ended.code}: {said.getvalue()}") from None


def npz(pickled: bytes, shape: tuple = ()) -> bytes:
    """An npz of one object array with these bytes as its pickle."""
    return zipped(npy("|O", shape, pickled))


def npy(dtype: str, shape: tuple, contents: bytes) -> bytes:
    import numpy as np

    entry = io.BytesIO()
    np.lib.format.write_array_header_1_0(entry, {"descr": dtype, "fortran_order": False, "shape": shape})
    return entry.getvalue() + contents


def zipped(*members: bytes, names=("data.npy", "data.npy"), pack=zipfile.ZIP_STORED) -> bytes:
    archive = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(archive, "w", pack) as file:
        warnings.filterwarnings("ignore", "Duplicate name")  # which is what is tried
        for name, member in zip(names, members, strict=False):
            file.writestr(name, member)
    return archive.getvalue()


def hostile_npz() -> dict[str, bytes]:
    """Files that cost a reader memory, time, or what it was."""
    name = lambda module, name: b"c" + module + b"\n" + name + b"\n"  # noqa: E731
    tuples = b")" + b"q\x000h\x00h\x00\x86" * 60
    bomb = npy("<f8", (2**22,), bytes(2**25))
    lie = bytearray(zipped(bomb, pack=zipfile.ZIP_DEFLATED))
    lie[22:26] = struct.pack("<I", 128 + 64)  # in the local header, and in the directory
    at = lie.index(b"PK\x01\x02")
    lie[at + 24 : at + 28] = struct.pack("<I", 128 + 64)
    return {
        "lists within lists": npz(b"]q\x00" + b"(h\x00h\x00h\x00h\x00h\x00lq\x00" * 40 + b"."),
        "tuples as a key": npz(b"}" + tuples + b"K\x01s."),
        "tuples in a set": npz(name(b"builtins", b"set") + b"(" + tuples + b"l\x85R."),
        "a list in itself": npz(b"]q\x00h\x00a."),
        "ten gigabytes of zeros": npz(name(b"builtins", b"bytes") + b"\x8a\x05\x00\xe4\x0b\x54\x02\x85R."),
        "zeros in a bytearray": npz(name(b"builtins", b"bytearray") + b"\x8a\x05\x00\xe4\x0b\x54\x02\x85R."),
        "a bytearray that is announced": npz(b"\x96" + struct.pack("<Q", 10**10) + b"."),
        "text that is announced": npz(b"\x8d" + struct.pack("<Q", 10**10) + b"."),
        "memo far away": npz(b"]r\xff\xff\xff\xff" * 3 + b"h\x00."),
        "a state for a function": npz(
            name(b"numpy.core.numeric", b"_frombuffer") + b"N}X\x0c\x00\x00\x00__defaults__)s\x86b."
        ),
        "a state for a list": npz(b"]}b."),
        "a call of a list": npz(b"])R."),
        "a class": npz(name(b"collections", b"OrderedDict") + b")\x81."),
        "a name alone": npz(name(b"numpy", b"ndarray") + b"."),
        "an instance": npz(b"(ios\nsystem\n."),
        "a persistent name": npz(b"Pabc\n."),
        "an extension": npz(b"\x82\x01."),
        "a megabyte copied 10,000 times": npz(
            name(b"_codecs", b"encode") + b"q\x000X" + struct.pack("<I", 2**20) + b"a" * 2**20 + b"q\x010("
            + b"h\x00h\x01X\x06\x00\x00\x00latin1\x86R" * 10_000 + b"l."
        ),
        "an array that is announced": zipped(npy("<f8", (10**9,), b"")),
        "an array of nothing": zipped(npy("<f8", (10**12, 0), b"")),
        "a bomb": zipped(bomb, pack=zipfile.ZIP_DEFLATED),
        "a bomb in xz": zipped(npy("<f8", (2**17,), bytes(2**20)), pack=zipfile.ZIP_LZMA),
        "a bomb with a wrong size": bytes(lie),
        "two of one name": zipped(npy("<f8", (1,), bytes(8)), npy("<f8", (1,), bytes(8))),
        "an array of records": zipped(npy([("a", "<f8")], (1,), bytes(8)) + b"x"),
        "plain pickle": pickle.dumps({"a": 1}),
    }  # fmt: skip


class TooSlow(BaseException):
    pass


def too_slow(*_):
    raise TooSlow


def judge(trial: Callable[[], object], named: str) -> tuple[str, str]:
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        trial()
    except (ValueError, OSError) as error:
        said = str(error)
        return ("refused" if named in said and "weights_only" not in said else "unnamed"), said[:300]
    except TooSlow:
        return "slow", ""
    except MemoryError as error:
        return "memory", str(error)
    except Exception as error:
        return "traceback", f"{type(error).__name__}: {error}"[:300]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "accepted", ""


def main() -> None:
    import torch

    torch.set_num_threads(1)
    signal.signal(signal.SIGPROF, too_slow)
    with tempfile.TemporaryDirectory() as folder:
        tried = trials(Path(folder).resolve())
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + GIGABYTE, size + GIGABYTE))
        for name, trial in tried.items():
            print(json.dumps([name, *judge(*trial)]), flush=True)


if __name__ == "__main__":
    main()
