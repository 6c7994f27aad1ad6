"""Nothing is wrong in silence, nothing is lost, nothing hangs: broken, odd and hostile input at every door."""

import io
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers_data import small_model, tiny_dataset
from helpers_faults import hostile_npz
from typer.testing import CliRunner

from poseformer_lite import cli, files
from poseformer_lite.formats import safe_npz
from poseformer_lite.formats.safe_npz import load_npz
from poseformer_lite.lifting.motion_files import check_motion_output
from poseformer_lite.model import load_network
from poseformer_lite.training.loop import train

DOORS = {  # and how many trials there are at least
    "config.json": 100, "official": 8, "npz": 25, "npy": 9, "csv": 12, "motion .npz": 18, "motion .json": 20, "bvh": 28,
    "asf": 28, "amc": 10, "human36m": 20, "3dhp": 8, "checkpoint": 25, "cli": 45, "mutated": 90,
}  # fmt: skip


@pytest.fixture(scope="module")
def verdicts() -> dict[str, list]:
    """{trial: [verdict, what was said]}, from a process of its own that may not take more than a gigabyte."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    script = Path(__file__).with_name("helpers_faults.py")
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, timeout=550)
    assert done.returncode == 0, done.stderr
    return {name: rest for name, *rest in map(json.loads, done.stdout.splitlines())}


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="measures its memory in /proc")
@pytest.mark.parametrize("door", DOORS)
def test_every_trial_is_refused_in_a_sentence_that_names_the_file(door, verdicts):
    answers = {name: answer for name, answer in verdicts.items() if name.startswith(f"{door}: ")}
    assert len(answers) >= DOORS[door]
    good = {"refused"} if door != "mutated" else {"refused", "accepted"}  # a digit more is another motion
    assert {name: answer for name, answer in answers.items() if answer[0] not in good} == {}


# What a pickle can reach.


def reachable() -> dict:
    """Everything of the reader, and of NumPy and the types that it uses, that a pickle might alter."""
    things = {**vars(safe_npz), **vars(safe_npz._Pickle), **safe_npz._Pickle.CALLS}
    things.pop("__warningregistry__", None)  # Python notes there which warnings were shown
    functions = [thing for thing in things.values() if hasattr(thing, "__code__")]
    state = {str(name): id(thing) for name, thing in things.items()}
    state |= {("function", id(f)): (f.__defaults__, f.__kwdefaults__, f.__code__, dict(f.__dict__)) for f in functions}
    tables = {name: thing for name, thing in things.items() if isinstance(thing, dict) and not name.startswith("__")}
    state |= {("table", name): dict(thing) for name, thing in tables.items()}
    kinds = (safe_npz._Name, safe_npz._Made, safe_npz._Pickle, OrderedDict, dict, list)
    return state | {("type", kind): dict(vars(kind)) for kind in kinds}


def seeds() -> list[bytes]:
    contents = {
        "S1": {"a": [np.zeros((2, 3), np.float32), np.float32(1), np.asfortranarray(np.eye(2))]},
        "n": (3, {1}, b"x"),
    }
    array = np.array(contents | {"o": OrderedDict(a=1)}, dtype=object)
    good = [pickle.dumps(array, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    return good + [pickle_in(raw) for raw in hostile_npz().values() if b"'|O'" in raw and len(raw) < 2000]


def pickle_in(npz: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(npz)) as archive:
        stream = io.BytesIO(archive.read("data.npy"))
    np.lib.format.read_magic(stream)
    np.lib.format.read_array_header_1_0(stream)
    return stream.read()


def mutated(rng: random.Random, raws: list[bytes]) -> bytes:
    """One or more bytes exchanged, taken out, doubled, or put in from elsewhere; most often operations that build."""
    raw = bytearray(rng.choice(raws))
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(raw) or 1)
        kind = rng.randrange(4)
        if kind == 0:
            raw[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            raw[at : at + 1] = bytes([rng.choice(b"bRsuae(}])\x81\x85\x86\x87\x93cio0h\x94")])
        elif kind == 2:
            other = rng.choice(raws)
            start = rng.randrange(len(other))
            raw[at:at] = other[start : start + rng.randint(1, 30)]
        else:
            del raw[at : at + rng.randint(1, 8)]
    return bytes(raw)


@pytest.mark.parametrize("number", [3000, pytest.param(60_000, marks=pytest.mark.slow)])
def test_no_pickle_changes_the_reader(number, tmp_path):
    good = {"a": [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.eye(3, 2))]}
    np.savez(tmp_path / "good.npz", data=np.array(good, dtype=object))
    rng, raws, before, outcomes = random.Random(number), seeds(), reachable(), Counter()
    for _ in range(number):
        raw = mutated(rng, raws)
        try:
            safe_npz._Pickle(io.BytesIO(raw), len(raw)).read()
            outcomes["read"] += 1
        except Exception as error:
            outcomes[type(error).__name__] += 1
    assert reachable() == before
    np.testing.assert_equal(load_npz(tmp_path / "good.npz")["data"], good)
    assert outcomes["read"] > number / 100 and outcomes["UnsafeFileError"] > number / 100, outcomes


# Folders and files.


HOLDER = """
import sys, time
from poseformer_lite.files import held
with held(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HOLDER, tmp_path / "run"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_two_runs_do_not_share_a_folder_and_a_killed_one_gives_it_back(holder, tmp_path):
    with pytest.raises(ValueError, match=rf"run is in use by process {holder.pid} on .*choose another output folder"):
        train(small_model(), tiny_dataset(), output=tmp_path / "run", epochs=1, progress=False)
    holder.kill()
    holder.wait()
    with files.held(tmp_path / "run"):
        pass
    assert list((tmp_path / "run").iterdir()) == []


def test_leftovers_of_the_dead_are_removed_and_of_nobody_else(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine = files._writer()
    place, _, _ = mine.rpartition("-")
    names = {who: f".m.gif.{who}-abc.gif" for who in (f"{place}-{dead.pid}", mine, f"elsewhere-0-{dead.pid}")}
    for name in [*names.values(), f".other.gif.{place}-{dead.pid}-abc.gif"]:
        (tmp_path / name).write_text("")
    with files.atomic_path(tmp_path / "m.gif") as path:
        assert path.name.startswith(f".m.gif.{mine}-")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"m.gif", names[mine], names[f"elsewhere-0-{dead.pid}"], f".other.gif.{place}-{dead.pid}-abc.gif"}


def test_a_link_is_followed_and_what_is_no_file_is_left_alone(tmp_path):
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    with files.atomic_path(tmp_path / "link") as path:
        path.write_text("new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "there").read_text() == "new"
    for place in (tmp_path, Path("/dev/null")):
        with pytest.raises(OSError, match=f"{place} is a folder or device"), files.atomic_path(place):
            pytest.fail("there is nothing to write to")


def test_an_output_is_tried_before_the_work(tmp_path):
    (tmp_path / "a.npz").write_text("")
    (tmp_path / "link.npz").symlink_to(tmp_path / "a.npz")
    with pytest.raises(ValueError, match="m.txt ends in .txt, expected .onnx"):
        files.check_output(tmp_path / "m.txt", ".onnx")
    with pytest.raises(ValueError, match="link.npz is read and would be overwritten"):
        files.check_output(tmp_path / "link.npz", inputs=[tmp_path / "a.npz"])
    with pytest.raises(OSError, match="b.npz needs 1,000,000,000,000,000 bytes and .* are free"):
        files.check_output(tmp_path / "new" / "b.npz", size=10**15)
    with pytest.raises(OSError, match="b.npz cannot be written"):
        files.check_output(tmp_path / "a.npz" / "b.npz")
    assert {path.name for path in tmp_path.iterdir()} == {"a.npz", "link.npz"}


@pytest.mark.parametrize(
    ("name", "frames", "fps", "words"),
    [
        ("a.gif", 3001, 25.0, "a.gif would have 3,001 frames, a .gif can have 3,000"),
        ("a.gif", 6002, 50.0, "a.gif would have 3,001 frames"),  # of which every second one is shown
        ("a.html", 40_000, 25.0, "a.html would have 40,000 frames"),
        ("a.mp4", 1, 25.0, "a.mp4 needs the program ffmpeg"),
        ("a.txt", 1, 25.0, "a motion is saved as .npz"),
    ],
)
def test_what_a_motion_cannot_be_written_to_is_said_before(name, frames, fps, words, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda program: None)
    with pytest.raises(ValueError, match=words):
        check_motion_output(tmp_path / name, frames, fps)
    check_motion_output(tmp_path / "a.gif", 6000, 50.0)
    check_motion_output(tmp_path / "a.npz", 10**6)


# Numbers that are none.


def test_weights_that_are_no_numbers_are_neither_written_nor_read(tmp_path):
    model = small_model()
    model.save_pretrained(tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    with torch.no_grad():
        model.head.linear.bias[3] = float("inf")
    with pytest.raises(ValueError, match="head.linear.bias holds NaN or infinite weights"):
        model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").read_bytes() == whole
    (tmp_path / "model.safetensors").write_bytes(whole[:-4] + np.float32(np.nan).tobytes())
    with pytest.raises(ValueError, match=f"{tmp_path} does not hold a PoseFormer .* holds NaN or infinite weights"):
        type(model).from_pretrained(tmp_path)


def test_a_network_that_is_no_name_is_refused(tmp_path):
    small_model().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    for network in ([1], {}, None, "Transformer"):
        (tmp_path / "config.json").write_text(json.dumps(config | {"network": network}))
        with pytest.raises(ValueError, match=f"{tmp_path} "):
            load_network(tmp_path)


def test_poses_that_are_no_numbers_do_not_leave_the_network():
    with pytest.raises(ValueError, match="gives NaN or infinite poses: its input goes up to 3e\\+38"):
        poses_2d = torch.zeros(5, 17, 2)
        poses_2d[:, 0] = 3e38  # a joint alone: many would be said to be pixels
        small_model().predict_sequence(poses_2d)


def test_weights_that_become_infinite_are_said_before_they_are_saved(tmp_path):
    with pytest.raises(ValueError, match="became .* in epoch 1: lower the learning rate") as caught:
        train(
            small_model(), tiny_dataset(), output=tmp_path, epochs=1, batch_size=99, learning_rate=1e38, progress=False
        )
    assert "still stands" not in str(caught.value) and not (tmp_path / "checkpoint.pt").exists()


# The end of a run.


def test_sigterm_saves_as_ctrl_c_does(tmp_path):
    model = small_model()
    model.register_forward_pre_hook(lambda module, _: module.training and os.kill(os.getpid(), signal.SIGTERM))
    before = signal.getsignal(signal.SIGTERM)
    run = train(model, tiny_dataset(), output=tmp_path, epochs=1, progress=False)
    assert not run.finished and torch.load(tmp_path / "checkpoint.pt", weights_only=True)["state"]["step"] == 1
    assert signal.getsignal(signal.SIGTERM) is before
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint.pt"}


def test_a_fault_of_the_program_is_said_to_be_one_and_is_written_down(tmp_path, monkeypatch, capsys):
    def app():
        raise KeyError("deep inside")

    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    (report,) = tmp_path.iterdir()
    assert ended.value.code == 70 and "KeyError: 'deep inside'. This is a fault of the program" in said
    assert str(report) in said and "/issues" in said and "Traceback" in report.read_text()


def test_humaneva_is_trained_with_its_15_joints(monkeypatch, tmp_path):
    seen = {}

    def sized_like(network, sizes):
        seen.update(sizes)
        raise ValueError("that is all")

    monkeypatch.setattr("poseformer_lite.model.PoseFormer.sized_like", classmethod(sized_like))
    CliRunner().invoke(cli.app, ["train", "humaneva", "--root", str(tmp_path), "--output", str(tmp_path / "run")])
    assert seen["num_joints"] == 15


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("alloc_cpu.cpp: can't allocate memory: you tried to allocate 99 bytes")]
)
def test_what_is_known_ends_with_2(monkeypatch, capsys, error):
    def app():
        raise error

    monkeypatch.setattr(cli, "app", app)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2 and "there is not enough memory" in capsys.readouterr().err
