"""Does a loss on bones, beside Eq. 9, straighten the knees that come out bent, and what does it cost?

    python benchmarks/bone_losses.py --cmu FOLDER [FOLDER ...] [--seeds 3] [--windows 65536] [--json FILE]

`lite` goes on with the same windows of CMU's training takes, seen by a simulated detector, under four losses: Eq. 9
alone; with the mean error of the bones as vectors, once and twice as heavy as the joints'; and with that of their
lengths. MPJPE and P-MPJPE in mm on unseen people, every fifth frame, flip averaged; the mean error of a bone's length,
mm; and the median angle of knees that are straight in truth (over 165 degrees). Mean and standard deviation over seeds.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from attention_that_matters import summary
from canonical_camera import EPOCHS, drawn_views, training
from shipped_weights import errors
from straight_knees import knees

from poseformer_course.bench.record import record
from poseformer_course.people import split_people
from poseformer_lite.datasets.sources import cmu_mocap
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.metrics import mpjpe
from poseformer_lite.model.base import predict
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.skeleton import H36M17
from poseformer_lite.training.loop import train

WAYS = {"Eq. 9": (0, 0), "bones": (1, 0), "bones, twice": (2, 0), "lengths": (0, 1)}  # weights: vectors, lengths


def lengths(poses_3d: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The mean error of the bones' lengths, metres."""
    found, true = (H36M17.bone_vectors(poses).norm(dim=-1) for poses in (poses_3d, target))
    return (found - true).abs().mean()


def beside_eq_9(weight: float) -> Callable:
    """MPJPE with the error of lengths added where a network is trained, which is where the mean is asked for."""

    def loss(poses_3d, target, reduce: bool = True):
        whole = mpjpe(poses_3d, target, reduce=reduce)
        return whole + weight * lengths(poses_3d, target) if reduce and weight else whole

    return loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--windows", type=int, default=65_536)
    parser.add_argument("--json", type=Path, help="write the results here, after every network")
    arguments = parser.parse_args()

    split = split_people([take for folder in arguments.cmu for take in cmu_mocap.read_takes(folder)])
    people = split.unseen_people[::2]
    seen = {kind: view_takes(people, "random", kind, cmu_mocap.TEST_SEED, 2) for kind in ("noisy", "gt")}
    data = training(drawn_views(split.training, "random", "noisy"), "noisy")
    found: dict[str, list[dict]] = {way: [] for way in WAYS}
    for seed in range(arguments.seeds):
        for way, (bone_weight, length_weight) in WAYS.items():
            model = PoseFormer.from_pretrained("lite").float()
            changes = {"epochs": EPOCHS, "windows_per_epoch": arguments.windows // EPOCHS, "learning_rate": 5e-4}
            changes["bone_weight"] = bone_weight
            with patch("poseformer_lite.training.loop.mpjpe", beside_eq_9(length_weight)):
                train(model, data, "lite", progress=False, seed=seed, **changes)
            found[way].append(measured(model, seen))
            print(way, seed, found[way][-1], flush=True)
            record(arguments.json, windows=arguments.windows, ways=summary(found, digits=1))


def measured(model: PoseFormer, seen: dict[str, list]) -> dict[str, float]:
    found = [errors(model, sequence) for sequence in seen["noisy"]]
    lifted = [predict(model, torch.from_numpy(s.poses_2d()), H36M17) for s in seen["noisy"]]
    off = [lengths(poses, torch.from_numpy(s.poses_3d)) for poses, s in zip(lifted, seen["noisy"], strict=True)]
    angles = knees(model, seen)
    return {
        "MPJPE": float(np.concatenate([pair[0] for pair in found]).mean()),
        "P-MPJPE": float(np.concatenate([pair[1] for pair in found]).mean()),
        "a bone's length": 1000 * float(torch.stack(off).mean()),
        "knees in truth": angles["true"],
        "knees": angles["simulated detector"],
        "knees from true 2D": angles["true 2D"],
    }


if __name__ == "__main__":
    main()
