"""What do the readers of files make of damaged ones?

    python benchmarks/fuzz_readers.py [--minutes 20] [--seed 0] [--keep FOLDER] [--json FILE]

Files as the package and the field's programs write them are changed at random: bytes exchanged, taken out, doubled and
put in from other files, numbers made odd, parts of JSON made something else. Whatever is read from that must come out,
or be refused by a ValueError or OSError that names the file. All else is a fault: another exception, a message without
the file, numbers that are none in a motion, 10 seconds of processor time, and a gigabyte of memory. Faults are counted
by the line that they come from; --keep stores the first file of each.
"""

import argparse
import contextlib
import copy
import json
import random
import re
import resource
import signal
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from poseformer_course.bench.record import record
from poseformer_lite import PoseFormer
from poseformer_lite.camera import Camera
from poseformer_lite.datasets import videopose3d
from poseformer_lite.datasets.base import PoseDataset, PoseSequence
from poseformer_lite.datasets.sources import human36m
from poseformer_lite.formats.asfamc import read_amc, read_asf
from poseformer_lite.formats.bvh import read_bvh
from poseformer_lite.formats.keypoint_files import KeypointTrack, read_keypoints, write_keypoints
from poseformer_lite.formats.safe_npz import load_npz
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.training.checkpoints import load_checkpoint, save_checkpoint

GIGABYTE, SECONDS = 2**30, 10
SIGNS = [b"\n", b" ", b"-", b"{", b"}", b"[", b'"', b",", b";", b"\x00", b"\xff", b"e9"]
ODD = ["-1", "0", "1e999", "-1e300", "NaN", "Infinity", "1e-320", "99999999999999999999", "1_0", "0x10", "", "٣", "1,5"]
NONSENSE = [
    None,
    True,
    -1,
    0,
    1e300,
    10**30,
    float("nan"),
    "",
    "x",
    "\ud800",
    [],
    {},
    [[]],
    [None],
    {"a": []},
    [1, [2]],
]
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
:hierarchy
  begin
    root upper
  end
"""
AMC = ":DEGREES\n1\nroot 1 2 3 0 0 0\nupper 0 0 90\n2\nroot 0 0 0 0 0 90\nupper 0 0 0\n"


class TooSlow(BaseException):
    """Not an Exception, so that no reader catches it."""


def seeds(folder: Path) -> dict[str, tuple[list[bytes], str, Callable]]:
    """{what is read: (good files, what they are called, how they are read)}."""
    rng = np.random.default_rng(0)
    poses = rng.normal(0, 0.3, (4, 17, 3)).astype(np.float32)
    person = np.concatenate([rng.uniform(100, 400, (4, 17, 2)), rng.uniform(0, 1, (4, 17, 1))], axis=-1).round(2)
    motion = Motion(poses, person[..., :2].astype(np.float32), 25.0, 500, 500)
    flat = [frame.ravel().tolist() for frame in person]
    whole = folder / "good"
    whole.mkdir()
    (whole / "a.asf").write_text(ASF)
    skeleton = read_asf(whole / "a.asf")
    for ending in ("npz", "json", "csv", "bvh"):
        motion.save(whole / f"m.{ending}")
    for ending in ("npz", "json"):
        write_keypoints([KeypointTrack("a", person, 25.0, 500, 500, "coco17")], whole / f"k.{ending}")
    texts = [
        {"people": [{"person_id": [-1], "pose_keypoints_2d": flat[0]}]},
        [{"image_id": f"{i}.jpg", "keypoints": one, "score": 1.0, "idx": 1} for i, one in enumerate(flat)],
        {f"{i}.jpg": [{"keypoints": one, "idx": 1}] for i, one in enumerate(flat)},
        [{"frame_id": i, "instances": [{"keypoints": f[:, :2].tolist(), "keypoint_scores": f[:, 2].tolist()}]}
         for i, f in enumerate(person)],
        [[{"keypoints": dict(zip(("x", "y", "visible"), f.T.tolist(), strict=True))}] for f in person],
        {"keypoints": [{"0": f[:, [1, 0, 2]].tolist()} for f in person], "skeleton": {"0": "nose"}},
        {"annotations": [{"image_id": i, "category_id": 1, "keypoints": one} for i, one in enumerate(flat)]},
    ]  # fmt: skip
    rows = "\n".join(",".join(map(str, [i, *one])) for i, one in enumerate(flat))
    np.save(whole / "k.npy", person)
    PoseFormer(num_frames=3, spatial_dim=8, spatial_depth=1, temporal_depth=1, num_heads=2).save_pretrained(whole)
    save_checkpoint(whole, {"settings": {"epochs": 3}}, {"weights": {"a": torch.zeros(3)}, "step": 3})
    videopose3d.write(tiny(), whole, "h36m")
    data = [path.read_bytes() for path in sorted(whole.glob("data_*.npz"))]
    read = {name: (whole / name).read_bytes() for name in ("m.npz", "m.json", "m.csv", "m.bvh", "k.npz", "k.npy")}
    config, weights = (whole / "config.json").read_bytes(), (whole / "model.safetensors").read_bytes()

    def network(path: Path):
        other = "model.safetensors" if path.name == "config.json" else "config.json"
        (path.parent / other).write_bytes(weights if path.name == "config.json" else config)
        return PoseFormer.from_pretrained(path.parent)

    def dataset(path: Path):
        for name in ("data_2d_h36m_gt.npz", "cameras_h36m.json"):
            (path.parent / name).write_bytes((whole / name).read_bytes())
        return human36m.load(path.parent)

    return {
        "motion .npz": ([read["m.npz"]], "m.npz", Motion.load),
        "motion .json": ([read["m.json"]], "m.json", Motion.load),
        "motion .csv": ([read["m.csv"]], "m.csv", Motion.load),
        "bvh": ([read["m.bvh"]], "a.bvh", read_bvh),
        "asf": ([ASF.encode()], "a.asf", read_asf),
        "amc": ([AMC.encode()], "a.amc", lambda path: read_amc(path, skeleton)),
        "keypoints .json": ([json.dumps(text).encode() for text in texts], "k.json", read_keypoints),
        "keypoints .csv": ([rows.encode(), (rows.replace(",", ";")).encode()], "k.csv", read_keypoints),
        "keypoints .npz": ([read["k.npz"], *data[:1]], "k.npz", read_keypoints),
        "keypoints .npy": ([read["k.npy"]], "k.npy", read_keypoints),
        "npz with pickles": (data, "a.npz", load_npz),
        "human36m": (data[-1:], "data_3d_h36m.npz", dataset),
        "config.json": ([config], "config.json", network),
        "safetensors": ([weights], "model.safetensors", network),
        "checkpoint": ([(whole / "checkpoint.pt").read_bytes()], "checkpoint.pt",
                       lambda path: load_checkpoint(path.parent, {"settings": {"epochs": 3}}, "cpu")),
    }  # fmt: skip


def tiny():
    """A dataset of one moving body before one camera, as Human3.6M's files hold it."""
    camera = Camera("0", 1000, 1000, (1000.0, 1000.0), (500.0, 500.0))
    poses = (np.random.default_rng(0).normal(0, 0.3, (6, 17, 3)) + (0, 0, 4)).astype(np.float32)
    sequences = [
        PoseSequence(who, "Walking 1", "0", camera.project(poses), poses, 1000, 1000, camera) for who in ("S1", "S9")
    ]
    return PoseDataset("tiny", sequences, train_subjects=("S1",), test_subjects=("S9",))


def changed(rng: random.Random, raws: list[bytes]) -> bytes:
    raw = rng.choice(raws)
    if raw[:1] in b"[{" and rng.random() < 0.6:
        return changed_json(rng, json.loads(raw))
    if raw[:2] == b"PK" and rng.random() < 0.6:
        return changed_archive(rng, raw)
    text = raw[:2] != b"PK" and not raw.startswith(b"\x93")
    raw = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        at, kind = rng.randrange(len(raw) or 1), rng.randrange(6)
        if kind == 0:
            raw[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            del raw[at : at + rng.choice([1, 2, 8, 100, 10_000])]
        elif kind == 2:
            raw[at:at] = raw[at : at + rng.choice([1, 8, 100])]
        elif kind == 3:
            other = rng.choice(raws)
            start = rng.randrange(len(other))
            raw[at:at] = other[start : start + rng.choice([1, 8, 100])]
        elif kind == 4 and text:
            raw[at : at + 1] = rng.choice(SIGNS)
        elif text and (found := list(re.finditer(rb"-?\d[\d.]*", bytes(raw[at : at + 2000])))):
            one = rng.choice(found)
            raw[at + one.start() : at + one.end()] = rng.choice(ODD).encode()
    return bytes(raw)


def changed_json(rng: random.Random, contents) -> bytes:
    """One or two parts, at any depth, made something else, taken out, doubled or nested."""
    contents = copy.deepcopy(contents)
    for _ in range(rng.randint(1, 2)):
        part = contents
        while isinstance(part, dict | list) and part:
            key = rng.choice(list(part)) if isinstance(part, dict) else rng.randrange(len(part))
            if rng.random() < 0.3 or not isinstance(part[key], dict | list) or not part[key]:
                kind = rng.randrange(5)
                if kind == 0:
                    del part[key]
                elif kind == 1 and isinstance(part, dict):
                    part[rng.choice(["", "0", "x", "keypoints", "fps"])] = part.pop(key)
                elif kind == 2:
                    part[key] = [part[key], copy.deepcopy(part[key])]
                else:
                    part[key] = copy.deepcopy(rng.choice(NONSENSE))
                break
            part = part[key]
    return json.dumps(contents).encode()


def changed_archive(rng: random.Random, raw: bytes) -> bytes:
    """The same archive with one member changed inside, so that its checksum holds."""
    with tempfile.SpooledTemporaryFile() as old, tempfile.SpooledTemporaryFile() as new:
        old.write(raw)
        with zipfile.ZipFile(old) as source, zipfile.ZipFile(new, "w", rng.choice([0, 8])) as target:
            names = source.namelist()
            chosen = rng.choice(names)
            for name in names:
                member = source.read(name)
                if name == chosen:
                    at = rng.randrange(min(len(member), rng.choice([128, 512, 10**9])))
                    member = member[:at] + bytes([rng.randrange(256)]) * rng.randint(0, 3) + member[at + 1 :]
                target.writestr(name, member)
        new.seek(0)
        return new.read()


def judge(path: Path, read: Callable) -> tuple[str, str]:
    """(refused or accepted, "") or (fault, what it is and where it comes from)."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        found = read(path)
    except (ValueError, OSError) as error:
        named = path.name in str(error) or str(path.parent) in str(error)
        return ("refused", "") if named else ("fault", f"unnamed: {where(error)}")
    except TooSlow as slow:
        return "fault", f"slow: {where(slow)}"
    except Exception as error:
        return "fault", f"{type(error).__name__}: {where(error)}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if isinstance(found, Motion) and not (np.isfinite(found.poses_3d).all() and np.isfinite(found.keypoints).all()):
        return "fault", "a motion with numbers that are none"
    return "accepted", ""


def where(error: BaseException) -> str:
    """The last place of ours that it went through, and its words."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "poseformer_lite" in frame.filename]
    place = f"{Path(ours[-1].filename).name}, {ours[-1].name}" if ours else "?"
    return f"{place}: {re.sub(r'[0-9]+', '0', str(error))[:120]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder for the first file of each fault")
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    def too_slow(*_):
        raise TooSlow

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGPROF, too_slow)
    rng, answers, faults = random.Random(arguments.seed), {}, Counter()
    with tempfile.TemporaryDirectory() as made:
        doors = seeds(folder := Path(made).resolve())
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + GIGABYTE, used + GIGABYTE))
        end = time.monotonic() + 60 * arguments.minutes
        while time.monotonic() < end:
            door = rng.choice(list(doors))
            raws, name, read = doors[door]
            raw, path = changed(rng, raws), folder / "tried" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(raw)
            verdict, what = judge(path, read)
            answers.setdefault(door, Counter())[verdict] += 1
            if verdict == "fault":
                faults[f"{door}: {what}"] += 1
                if arguments.keep and faults[f"{door}: {what}"] == 1:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    (arguments.keep / f"{len(faults)}-{name}").write_bytes(raw)
                    print(f"{len(faults)}-{name}: {what}", flush=True)
            with contextlib.suppress(OSError):
                path.unlink()
    tried = {door: dict(found) | {"tried": sum(found.values())} for door, found in sorted(answers.items())}
    total = sum(found["tried"] for found in tried.values())
    spent = round(time.process_time() / 60, 2)
    found = {"processor_minutes": spent, "tried": total, "faults": dict(faults.most_common()), "readers": tried}
    record(arguments.json, **found)


if __name__ == "__main__":
    main()
