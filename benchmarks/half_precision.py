"""What bfloat16 costs in accuracy: poses of the shipped weights, and the errors of networks trained in it.

    python benchmarks/half_precision.py [--seeds 3] [--epochs 3] [--json FILE]

Only the temporal stage's products with weights are in bfloat16 (`poseformer_lite.model.precision`). For each shipped
PoseFormer, on the synthetic test takes as the simulated detector sees them, without flip averaging: by how much joints
move in the mean, how much the mean acceleration grows (a walk that begins to shake), and MPJPE before and after; the
same where all products are in bfloat16, and where torch's autocast does it. Then networks of the course's size and 27
frames are trained from the same seeds in both precisions, on the same windows: training error after each epoch, and
MPJPE on the test takes, which are computed in float32.
"""

import argparse
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from poseformer_course.bench.forward import COURSE
from poseformer_course.bench.record import record
from poseformer_lite.datasets import PoseDataset, load_dataset
from poseformer_lite.metrics import mpjpe
from poseformer_lite.model import precision
from poseformer_lite.model.encoder import encoders
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.training.loop import train

WEIGHTS = ("lite", "small", "wild")
TAKES = slice(None, None, 16)  # of the test takes, all of 50 frames a second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=3, help="of 32 x 150 windows, for each of the networks trained")
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    data = load_dataset("synthetic", keypoints="noisy")
    shipped = {name: lifted(PoseFormer.from_pretrained(name).float(), data) for name in WEIGHTS}
    trained = {
        name: [trained_in(name, data, seed, arguments.epochs) for seed in range(arguments.seeds)]
        for name in ("no", "bf16")
    }
    apart = [b["MPJPE"] - a["MPJPE"] for a, b in zip(trained["no"], trained["bf16"], strict=True)]
    spread = np.std([run["MPJPE"] for run in trained["no"]], ddof=1) if arguments.seeds > 1 else None
    summary = {
        "bf16 minus float32, mm": [round(a, 2) for a in apart],
        "standard deviation over seeds in float32, mm": spread and round(float(spread), 2),
    }
    record(arguments.json, shipped=shipped, trained=trained, difference=summary)


@contextmanager
def everywhere(model: PoseFormer):
    """Both stages' products in bfloat16."""
    whole = {"temporal": torch.nn.ModuleList(encoders(model).values())}
    with patch.object(precision, "encoders", lambda _: whole), precision.bfloat16_products(model):
        yield


@torch.no_grad()
def lifted(model: PoseFormer, data: PoseDataset) -> dict[str, dict[str, float]]:
    """For each way to compute: mean and largest movement and MPJPE in mm, growth of the accelerations in %."""
    sequences = [sequence.seen_by(model.input, data.fps) for sequence in data.test()[TAKES]]
    inputs = [torch.from_numpy(sequence.poses_2d()) for sequence in sequences]
    targets = torch.cat([torch.from_numpy(s.root_relative(data.skeleton.root)) for s in sequences])
    ways = {
        "float32": nullcontext(),
        "temporal products in bfloat16": precision.bfloat16_products(model.eval()),
        "all products in bfloat16": everywhere(model),
        "torch's autocast": torch.autocast("cpu", torch.bfloat16),
    }
    poses = {}
    for name, way in ways.items():
        with way:
            poses[name] = [model.predict_sequence(poses_2d).float() for poses_2d in inputs]
    exact = torch.cat(poses["float32"])
    found = {}
    for name, takes in poses.items():
        moved = 1000 * (torch.cat(takes) - exact).norm(dim=-1)
        found[name] = {
            "moved, mean": round(moved.mean().item(), 3),
            "moved, largest": round(moved.max().item(), 1),
            "acceleration, %": round(100 * (shaken(takes) / shaken(poses["float32"]) - 1), 2),
            "MPJPE": round(1000 * mpjpe(torch.cat(takes), targets).item(), 2),
        }
    return found


def shaken(takes: list[torch.Tensor]) -> float:
    """The mean acceleration of the joints, metres per frame and frame."""
    return torch.cat([take.diff(n=2, dim=0).norm(dim=-1).flatten() for take in takes]).mean().item()


def trained_in(mixed_precision: str, data: PoseDataset, seed: int, epochs: int) -> dict:
    """Training errors of the epochs, and MPJPE on test takes, in mm."""
    torch.manual_seed(seed)
    model = PoseFormer(27, **COURSE)
    settings = {"epochs": epochs, "windows_per_epoch": 32 * 150, "batch_size": 32, "learning_rate": 1e-3, "seed": seed}
    settings |= {"optimizer": "adamw", "supervise": "every", "start": "prepared", "mixed_precision": mixed_precision}
    run = train(model, data, "lite", progress=False, **settings)
    errors, frames = 0.0, 0
    for sequence in data.test()[TAKES]:
        predicted = model.predict_sequence(torch.from_numpy(sequence.poses_2d()))
        target = torch.from_numpy(sequence.root_relative(data.skeleton.root))
        errors, frames = errors + len(target) * mpjpe(predicted, target).item(), frames + len(target)
    curve = [round(row["train_mm"], 2) for row in run.history]
    print(mixed_precision, seed, curve, f"{1000 * errors / frames:.2f} mm", flush=True)
    return {"seed": seed, "training": curve, "MPJPE": round(1000 * errors / frames, 2)}


if __name__ == "__main__":
    main()
