"""Why do straight knees come out bent? Knees of unseen people that are straight in truth, as they are lifted.

    python benchmarks/straight_knees.py --cmu FOLDER [FOLDER ...] [--weights lite small wild] [--json FILE]

Medians in degrees, 180 for a straight leg, of knees over 165 in truth: from a simulated detector's keypoints and from
true ones. Those from true keypoints are told apart by whether the bend would show: across the picture, as from the
side, or towards the camera, as from the front, where a bent and a straight knee look alike.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from poseformer_course.bench.record import record
from poseformer_course.people import split_people
from poseformer_lite.datasets.sources import cmu_mocap
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.model import load_network
from poseformer_lite.model.base import predict
from poseformer_lite.skeleton import H36M17

STRAIGHT = 165  # degrees
HIPS, KNEES, FEET = ([1, 4], [2, 5], [3, 6])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, nargs="+", required=True)
    parser.add_argument("--weights", nargs="+", default=["lite", "small", "wild"])
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()
    people = split_people([t for folder in arguments.cmu for t in cmu_mocap.read_takes(folder)]).unseen_people
    seen = {kind: view_takes(people[::2], "random", kind, cmu_mocap.TEST_SEED, 2) for kind in ("noisy", "gt")}
    record(arguments.json, degrees={name: knees(load_network(name), seen) for name in arguments.weights})


def knees(model, seen: dict[str, list]) -> dict[str, float]:
    views = [angles(model, *views) for views in zip(*seen.values(), strict=True)]
    true, noisy, exact, towards = (np.concatenate(parts) for parts in zip(*views, strict=True))
    straight = true > STRAIGHT
    rows = {
        "true": true[straight],
        "simulated detector": noisy[straight],
        "true 2D": exact[straight],
        "true 2D, from the side": exact[straight & (towards < 0.5)],
        "true 2D, from the front": exact[straight & (towards > 0.87)],
    }
    return {"knees": int(straight.sum())} | {name: round(float(np.median(row)), 1) for name, row in rows.items()}


def angles(model, noisy, exact) -> tuple[np.ndarray, ...]:
    """Of both legs in every frame, (T, 2) each: true, lifted from noisy and from exact 2D, and `towards`."""
    shown = [torch.from_numpy(sequence.seen_by(model.input).poses_2d()) for sequence in (noisy, exact)]
    lifted = [knee_angles(predict(model, poses_2d, H36M17).numpy()) for poses_2d in shown]
    return knee_angles(exact.poses_3d), *lifted, bends_towards_camera(exact.poses_3d)


def knee_angles(poses_3d: np.ndarray) -> np.ndarray:
    """(T, 17, 3) -> (T, 2), degrees, 180 where a leg is straight."""
    hips, joints, feet = (poses_3d[:, part] for part in (HIPS, KNEES, FEET))
    thighs, shins = hips - joints, feet - joints
    cosines = (thighs * shins).sum(-1) / (np.linalg.norm(thighs, axis=-1) * np.linalg.norm(shins, axis=-1))
    return np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def bends_towards_camera(poses_3d: np.ndarray) -> np.ndarray:
    """(T, 17, 3) in camera space -> (T, 2), from 0, where the knee bends across the picture, to 1, straight at us."""
    leg, bend = (poses_3d[:, part] - poses_3d[:, HIPS] for part in (FEET, KNEES))
    leg = leg / np.linalg.norm(leg, axis=-1, keepdims=True)
    bend = bend - (bend * leg).sum(-1, keepdims=True) * leg
    return np.abs(bend[..., 2]) / np.maximum(np.linalg.norm(bend, axis=-1), 1e-9)


if __name__ == "__main__":
    main()
