"""Training on two processes: the loss of one process with the whole batch, and a clear end when one is killed."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from helpers_data import small_model, tiny_dataset

from poseformer_lite.datasets.videopose3d import write
from poseformer_lite.metrics import mpjpe
from poseformer_lite.training.loop import train

# 250 windows in batches of 64 leave a last batch of 58, and one of 2 with 258: the shares of two processes differ
CHANGES = {"epochs": 2, "batch_size": 64, "windows_per_epoch": 257, "learning_rate": 0.001, "warmup_steps": 2}
CHANGES |= {"progress": False, "validation": 0.25}
DRIVER = """
    import os, signal, sys
    import torch
    torch.set_num_threads(1)
    from accelerate import PartialState
    from helpers_data import small_model, tiny_dataset
    from poseformer_lite.training import loop
    loop.CHECKPOINT_SECONDS = 0
    model = small_model(drop_path=0.0)
    {before}
    run = loop.train(model, tiny_dataset(), output=sys.argv[1], **{changes})
    if PartialState().is_main_process:
        result = {{"weights": model.state_dict(), "history": run.history, "n": PartialState().num_processes}}
        torch.save(result, sys.argv[2])
"""
ONE_IS_KILLED = """
    steps = 0
    def kill(module, inputs):
        global steps
        steps += module.training
        if steps == 8 and PartialState().process_index == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    model.register_forward_pre_hook(kill)
"""


FROM_A_NOTEBOOK = """
    import torch
    from accelerate import debug_launcher
    from helpers_data import small_model, tiny_dataset
    from poseformer_lite.training.loop import train

    def learn():
        torch.set_num_threads(1)
        train(small_model(drop_path=0.0), tiny_dataset(), output="run", **{changes})

    if __name__ == "__main__":
        debug_launcher(learn, num_processes=2)
"""


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}


def launch(folder: Path, before: str = "", processes: int = 2) -> subprocess.CompletedProcess:
    script = folder.parent / "driver.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(textwrap.dedent(DRIVER).format(before=textwrap.dedent(before), changes=CHANGES))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command += [str(script), str(folder), str(folder.parent / "result.pt")]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)


def check(history: list[dict], weights: dict, alone: list[dict], model, columns: tuple[str, ...]) -> None:
    """What two processes saved is what one process with the whole batch had."""
    for column in columns:
        assert [row[column] for row in history] == pytest.approx([row[column] for row in alone], rel=1e-5)
    together = small_model(drop_path=0.0).eval()  # weights that change nothing drift: Adam makes much of float noise
    together.load_state_dict(weights)
    poses_2d = torch.from_numpy(tiny_dataset().test()[0].poses_2d())
    assert mpjpe(together.predict_sequence(poses_2d), model.predict_sequence(poses_2d)) < 1e-4  # metres


@pytest.mark.slow
def test_two_processes_go_on_after_one_is_killed_and_have_learned_as_one(tmp_path):
    model = small_model(drop_path=0.0)
    alone = train(model, tiny_dataset(), **CHANGES).history

    killed = launch(tmp_path / "cut" / "run", ONE_IS_KILLED)
    assert killed.returncode != 0
    assert re.search(r"SIGKILL|Signal 9|exitcode\s*: -9", killed.stderr), killed.stderr[-3000:]
    assert (tmp_path / "cut" / "run" / "checkpoint.pt").is_file()

    continued = launch(tmp_path / "cut" / "run")
    assert continued.returncode == 0, continued.stderr[-3000:]
    result = torch.load(tmp_path / "cut" / "result.pt", weights_only=True)
    assert result["n"] == 2
    check(result["history"], result["weights"], alone, model, ("windows", "validation_mm"))
    # that of the epoch that was cut is, up to the checkpoint, of the main process's share of the windows
    assert result["history"][0]["train_mm"] == pytest.approx(alone[0]["train_mm"], rel=1e-5)


@pytest.mark.slow
def test_processes_that_a_notebook_forks_learn_as_one(tmp_path):
    """accelerate's debug_launcher is its notebook_launcher for CPUs."""
    model = small_model(drop_path=0.0)
    alone = train(model, tiny_dataset(), **CHANGES).history
    script = tmp_path / "cells.py"
    script.write_text(textwrap.dedent(FROM_A_NOTEBOOK).format(changes=CHANGES))
    done = subprocess.run([sys.executable, script], env=environment(), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    saved = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["state"]
    check(saved["history"], saved["weights"], alone, model, ("windows", "train_mm", "validation_mm"))


@pytest.mark.slow
def test_the_command_on_two_processes_speaks_once(tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [
        "-m",
        "poseformer_lite",
        "train",
        "human36m",
        "--root",
        str(tmp_path),
        "--output",
        str(tmp_path / "run"),
    ]
    write(tiny_dataset(), tmp_path, "h36m")
    command += ["--epochs", "1", "--num-frames", "3", "--validation", "0"]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (
        done.stdout.count("PoseDataset(") == done.stdout.count("All in mm") == 1
        and (tmp_path / "run" / "model.safetensors").is_file()
    )
