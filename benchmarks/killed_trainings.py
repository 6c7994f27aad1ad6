"""Does a training that is killed anywhere end bit for bit as one that is not?

    python benchmarks/killed_trainings.py [--kills 60] [--seed 0] [--json FILE]

A tiny network is trained on made-up poses and saved after every step, so that many kills hit the writing of a
checkpoint. When a random amount of processor time is used up, the kernel ends the process at once, by a signal that
nothing catches; the run goes on in a new process, which may be ended, too. Weights and history of each run are then
compared with those of one that nobody disturbed. All processes are forked from one that has imported torch already,
which takes longer than the rest.
"""

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
from pathlib import Path

import accelerate  # noqa: F401 (here once for all, before the processes are forked)
import filelock  # noqa: F401
import numpy as np
import psutil  # noqa: F401
import safetensors.torch  # noqa: F401
import torch
import torch._dynamo  # which an optimizer imports

from poseformer_course.bench.record import record
from poseformer_lite import PoseFormer
from poseformer_lite.camera import Camera
from poseformer_lite.datasets.base import PoseDataset, PoseSequence
from poseformer_lite.training import loop

SETTINGS = {"epochs": 3, "batch_size": 64, "windows_per_epoch": 384, "learning_rate": 0.001, "warmup_steps": 2}
SIZES = {"num_frames": 9, "spatial_dim": 8, "spatial_depth": 2, "temporal_depth": 2, "num_heads": 2}


def data() -> PoseDataset:
    rng, camera = np.random.default_rng(0), Camera("0", 1000, 1000, (1000.0, 1000.0), (500.0, 500.0))
    sequences = []
    for subject in ("S1", "S5", "S9"):
        poses_3d = (rng.normal(0, 0.3, (80, 17, 3)) + (0, 0, 4)).astype(np.float32)
        keypoints = camera.project(poses_3d)
        sequences.append(PoseSequence(subject, "Walking 1", "0", keypoints, poses_3d, 1000, 1000, camera))
    return PoseDataset("made up", sequences, train_subjects=("S1", "S5"), test_subjects=("S9",))


def train(folder: Path, result: Path) -> None:
    """The run; what it ends with is written to `result`."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    loop.CHECKPOINT_SECONDS = 0
    model = PoseFormer(**SIZES)
    run = loop.train(model, data(), output=folder, progress=False, validation=0.25, **SETTINGS)
    history = [{name: value for name, value in row.items() if name != "seconds"} for row in run.history]
    torch.save({"weights": model.state_dict(), "history": history}, result)


def run_until(moment: float, folder: Path, result: Path) -> bool:
    """Train in a process of its own, to the end or until it has taken that much time. Whether it was ended early."""

    def limited() -> None:
        signal.setitimer(signal.ITIMER_PROF, moment)  # 0 for no limit
        train(folder, result)

    process = multiprocessing.get_context("fork").Process(target=limited)
    process.start()
    process.join()
    if process.exitcode not in (0, -signal.SIGPROF):
        raise SystemExit(f"a process ended with {process.exitcode}")
    return process.exitcode != 0


def same(one: dict, other: dict) -> bool:
    tensors = all(torch.equal(tensor, other["weights"][name]) for name, tensor in one["weights"].items())
    return tensors and one["history"] == other["history"]


def place(folder: Path) -> str:
    """Where a killed run stood, as its checkpoint says."""
    if not (folder / "checkpoint.pt").is_file():
        return "before the first checkpoint"
    state = torch.load(folder / "checkpoint.pt", weights_only=True)["state"]
    return f"epoch {state['epoch'] + 1}, step {state['step']}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    rng, runs, kills, writing = random.Random(arguments.seed), 0, [], 0
    identical = 0
    with tempfile.TemporaryDirectory() as made:
        whole = Path(made) / "whole.pt"
        begun = os.times()
        run_until(0, Path(made) / "whole", whole)
        ended = os.times()
        takes = ended.children_user + ended.children_system - begun.children_user - begun.children_system
        expected = torch.load(whole, weights_only=True)
        while len(kills) < arguments.kills:
            runs += 1
            folder, result = Path(made) / f"run {runs}", Path(made) / f"result {runs}.pt"
            while len(kills) < arguments.kills and run_until(rng.uniform(0.004, takes), folder, result):
                kills.append(place(folder))
                writing += any(path.name.startswith(".checkpoint.pt.") for path in folder.glob(".*"))
            if not result.exists():
                run_until(0, folder, result)
            identical += same(torch.load(result, weights_only=True), expected)
            left = {path.name for path in folder.glob(".*")}
            if left:
                raise SystemExit(f"run {runs} left {left}")
    record(
        arguments.json,
        kills=len(kills), kills_while_a_checkpoint_was_written=writing, runs=runs, runs_that_end_identical=identical,
        processor_seconds_of_a_run=round(takes, 2), places=kills,
    )  # fmt: skip


if __name__ == "__main__":
    main()
