"""A run may be killed anywhere, and goes on bit for bit as if it had not been."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from helpers_data import small_model, tiny_dataset

from poseformer_lite.training import loop
from poseformer_lite.training.loop import train

CHANGES = {"epochs": 3, "batch_size": 64, "windows_per_epoch": 320, "learning_rate": 0.001, "warmup_steps": 2}
CHANGES |= {"progress": False, "validation": 0.25}  # 5 steps an epoch
# The same run in a process of its own, saved after every step; BEFORE is what goes wrong in it.
DRIVER = """
    import os, signal, sys
    import torch
    torch.set_num_threads(1)
    from helpers_data import small_model, tiny_dataset
    from poseformer_lite.training import loop
    loop.CHECKPOINT_SECONDS = 0
    model = small_model()
    {before}
    run = loop.train(model, tiny_dataset(), output=sys.argv[1], **{changes})
    torch.save({{"weights": model.state_dict(), "history": run.history, "finished": run.finished}}, sys.argv[2])
"""
KILLED_IN_A_STEP = """
    steps = 0
    def kill(module, inputs):
        global steps
        steps += module.training
        if steps == 8:  # in the second epoch
            os.kill(os.getpid(), signal.SIGKILL)
    model.register_forward_pre_hook(kill)
"""
KILLED_IN_A_CHECKPOINT = """
    from pathlib import Path
    whole_write, writes = Path.write_bytes, 0
    def half_write(path, contents):
        global writes
        writes += 1
        if writes < 8:
            return whole_write(path, contents)
        whole_write(path, contents[: len(contents) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    Path.write_bytes = half_write
"""


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def uninterrupted():
    model = small_model()
    run = train(model, tiny_dataset(), **CHANGES)
    return model.state_dict(), run.history


def drive(folder: Path, before: str = "") -> subprocess.CompletedProcess:
    script = folder.parent / "driver.py"
    code = textwrap.dedent(DRIVER).format(before=textwrap.dedent(before), changes=CHANGES)
    script.write_text(code)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    command = [sys.executable, str(script), str(folder), str(folder.parent / "result.pt")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def same(weights: dict, others: dict) -> bool:
    return weights.keys() == others.keys() and all(torch.equal(weights[name], others[name]) for name in weights)


def without_seconds(history: list[dict]) -> list[dict]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


@pytest.mark.slow
@pytest.mark.parametrize("before", [KILLED_IN_A_STEP, KILLED_IN_A_CHECKPOINT], ids=["in a step", "in a checkpoint"])
def test_a_killed_run_goes_on_bit_for_bit(tmp_path, uninterrupted, before):
    folder = tmp_path / "run"
    killed = drive(folder, before)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    saved = torch.load(folder / "checkpoint.pt", weights_only=True)["state"]
    assert (saved["epoch"], saved["step"]) == ((1, 2) if before is KILLED_IN_A_STEP else (1, 1))

    if before is KILLED_IN_A_STEP:  # in a fresh process; the other one goes on here, which saves the import of torch
        continued = drive(folder)
        assert continued.returncode == 0, continued.stderr
        result = torch.load(tmp_path / "result.pt", weights_only=True)
    else:
        model = small_model()
        run = train(model, tiny_dataset(), output=folder, **CHANGES)
        result = {"weights": model.state_dict(), "history": run.history, "finished": run.finished}
    weights, history = uninterrupted
    assert result["finished"]
    assert same(result["weights"], weights)
    assert without_seconds(result["history"]) == without_seconds(history)


def interrupt_after(model, steps: int) -> None:
    """Send Ctrl-C while the given training step is under way."""
    done = 0

    def hook(module, inputs):
        nonlocal done
        done += module.training
        if done == steps and module.training:
            os.kill(os.getpid(), signal.SIGINT)

    model.register_forward_pre_hook(hook)


@pytest.mark.parametrize("step", [1, 7, 10, 15])  # the first, in the middle, the last of an epoch, the very last
def test_ctrl_c_ends_after_the_step_and_the_run_goes_on_bit_for_bit(tmp_path, uninterrupted, step):
    model = small_model()
    interrupt_after(model, step)
    stopped = train(model, tiny_dataset(), output=tmp_path, **CHANGES)
    assert not stopped.finished
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["state"]
    assert 5 * saved["epoch"] + saved["step"] == step
    assert same(saved["weights"], model.state_dict())

    fresh = small_model(seed=99)
    run = train(fresh, tiny_dataset(), output=tmp_path, **CHANGES)
    weights, history = uninterrupted
    assert run.finished
    assert same(fresh.state_dict(), weights)
    assert without_seconds(run.history) == without_seconds(history)


def test_ctrl_c_without_an_output_returns_what_there_is_and_says_so(capsys):
    model = small_model()
    interrupt_after(model, 7)
    run = train(model, tiny_dataset(), **CHANGES | {"progress": True})
    assert not run.finished and len(run.history) == 1
    assert "Stopped in epoch 2 of 3, and was not saved: no output= was given" in capsys.readouterr().out


def test_ctrl_c_works_again_after_training():
    before = signal.getsignal(signal.SIGINT)
    train(small_model(), tiny_dataset(), **CHANGES | {"epochs": 1})
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(ValueError):
        train(small_model(), tiny_dataset(), **CHANGES | {"learning_rate": 1e30})
    assert signal.getsignal(signal.SIGINT) is before


def test_redrawn_data_go_on_with_the_views_of_the_stopped_epoch(tmp_path):
    plain = tiny_dataset()

    def redraw(seed):
        shift = (seed % 100) / 10
        return [replace(s, keypoints=s.keypoints + shift) for s in plain.train()]

    data = replace(plain, redraw=redraw)
    whole, stopped, fresh = small_model(), small_model(), small_model(seed=99)
    train(whole, data, **CHANGES)
    interrupt_after(stopped, 8)
    train(stopped, data, output=tmp_path, **CHANGES)
    train(fresh, data, output=tmp_path, **CHANGES)
    assert same(fresh.state_dict(), whole.state_dict())


def test_the_best_epoch_survives_a_stop(tmp_path, monkeypatch):
    errors = {0: 70.0, 1: 40.0, 2: 90.0}
    monkeypatch.setattr(loop._Trainer, "_validate", lambda trainer: errors[trainer.epoch])
    whole, stopped, fresh = small_model(), small_model(), small_model(seed=99)
    train(whole, tiny_dataset(), select="best", **CHANGES)
    interrupt_after(stopped, 12)
    train(stopped, tiny_dataset(), output=tmp_path, select="best", **CHANGES)
    train(fresh, tiny_dataset(), output=tmp_path, select="best", **CHANGES)
    assert same(fresh.state_dict(), whole.state_dict())


def test_a_finished_run_returns_at_once_with_its_weights_and_history(tmp_path, uninterrupted, monkeypatch):
    train(small_model(), tiny_dataset(), output=tmp_path, **CHANGES)
    assert {"checkpoint.pt", "config.json", "model.safetensors", "history.csv"} <= {p.name for p in tmp_path.iterdir()}

    monkeypatch.setattr(loop._Trainer, "_train_epoch", lambda *_: pytest.fail("a finished run was trained again"))
    again = small_model(seed=99)
    run = train(again, tiny_dataset(), output=tmp_path, **CHANGES)
    weights, history = uninterrupted
    assert run.finished
    assert same(again.state_dict(), weights)
    assert without_seconds(run.history) == without_seconds(history)
    assert same(type(again).from_pretrained(tmp_path).state_dict(), weights)


# What is refused, and stays as it was.


@pytest.fixture
def stopped(tmp_path) -> Path:
    model = small_model()
    interrupt_after(model, 3)
    train(model, tiny_dataset(), output=tmp_path, **CHANGES)
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"learning_rate": 0.5}, "settings learning_rate: 0.001 there, 0.5 here"),
        ({"batch_size": 32, "seed": 4}, "settings batch_size: 64 there, 32 here; settings seed: 0 there, 4 here"),
    ],
)
def test_a_run_of_other_settings_is_refused_by_name(stopped, changes, words):
    with pytest.raises(ValueError, match=f"holds another run .*{words}.*choose another output folder"):
        train(small_model(), tiny_dataset(), output=stopped, **CHANGES | changes)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"num_frames": 9}, "model num_frames: 3 there, 9 here"),
        ({"spatial_dim": 16}, "model spatial_dim: 8 there, 16 here"),
        ({"num_heads": 4}, "model num_heads: 2 there, 4 here"),  # no tensor has another shape
        ({"drop_path": 0.0}, "model drop_path: 0.1 there, 0.0 here"),
        ({"spatial_positions": False}, "model spatial_positions: True there, False here"),
    ],
)
def test_a_run_of_another_model_is_refused_by_name(stopped, sizes, words):
    with pytest.raises(ValueError, match=words):
        train(small_model(**sizes), tiny_dataset(), output=stopped, **CHANGES)


def test_a_run_of_another_network_is_refused_by_name(stopped):
    from poseformer_lite.model.baselines import TemporalTransformerBaseline

    model = TemporalTransformerBaseline(num_frames=3, dim=8, depth=1, num_heads=2)
    with pytest.raises(ValueError, match="model class: PoseFormer there, TemporalTransformerBaseline here"):
        train(model, tiny_dataset(), output=stopped, **CHANGES)


def moved_cameras(data):
    return replace(data, sequences=[replace(s, keypoints=s.keypoints + 1) for s in data.sequences])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda data: replace(data, name="other"), "data name: tiny there, other here"),
        (lambda data: replace(data, keypoint_source="noisy"), "data keypoints: gt there, noisy here"),
        (lambda data: data.subset(actions=["WalkDog"]), "data frames: 360 there, 120 here"),
        (moved_cameras, "data mean pixel: [0-9.]+ there, [0-9.]+ here"),
    ],
    ids=["name", "keypoints", "frames", "contents"],
)
def test_a_run_on_other_data_is_refused_by_name(stopped, other, words):
    with pytest.raises(ValueError, match=words):
        train(small_model(), other(tiny_dataset()), output=stopped, **CHANGES)


def test_the_difference_is_a_sentence_and_not_a_page(stopped):
    with pytest.raises(ValueError) as caught:
        train(small_model(spatial_dim=64, spatial_depth=3), tiny_dataset(), output=stopped, **CHANGES)
    assert len(str(caught.value)) < 1000


class Hostile:
    """Unpickling this would make a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_checkpoint_is_refused(stopped, share):
    path = stopped / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match="checkpoint.pt .* is not a readable checkpoint of a run .*Move it away"):
        train(small_model(), tiny_dataset(), output=stopped, **CHANGES)


@pytest.mark.parametrize("write", [torch.save, lambda contents, path: path.write_bytes(pickle.dumps(contents, 2))])
def test_a_hostile_checkpoint_is_refused_and_not_run(tmp_path, write):
    trap = tmp_path / "trap"
    write({"fingerprint": {}, "state": Hostile(trap)}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="not a readable checkpoint of a run .*nothing in it was run"):
        train(small_model(), tiny_dataset(), output=tmp_path, **CHANGES)
    assert not trap.exists()


@pytest.mark.parametrize(
    "contents",
    [
        [1, 2],
        {"model_pos": {}},
        {"fingerprint": [1], "state": {}},
        {"fingerprint": {"settings": 3}, "state": 1},
    ],
    ids=["a list", "weights of the official code", "listed settings", "a number"],
)
def test_a_file_of_torch_that_is_no_checkpoint_is_refused(tmp_path, contents):
    torch.save(contents, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="not a readable checkpoint of a run .*nothing in it was run"):
        train(small_model(), tiny_dataset(), output=tmp_path, **CHANGES)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_full_disk_leaves_the_checkpoint_before(stopped, monkeypatch):
    before = (stopped / "checkpoint.pt").read_bytes()
    monkeypatch.setattr(Path, "touch", lambda path, **options: path.symlink_to("/dev/full"))
    with pytest.raises(OSError, match="the disk is full: .*checkpoint.pt was not written.*unchanged. Make room"):
        train(small_model(), tiny_dataset(), output=stopped, **CHANGES)
    assert (stopped / "checkpoint.pt").read_bytes() == before
    assert [p.name for p in stopped.iterdir()] == ["checkpoint.pt"]
