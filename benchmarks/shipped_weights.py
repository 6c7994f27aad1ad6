"""The errors of the weights that ship, on people and takes that they were not trained on.

    python benchmarks/shipped_weights.py --cmu FOLDER [--weights lite small] [--json FILE]

CMU's held-out takes, whose people were also in training, through four cameras drawn at random, with true keypoints, a
simulated detector's, and those of `datasets.wild`; and one view of every take of the synthetic subjects S9 and S11.
Every fifth frame, mm, flip averaged. By action, and by how steeply the camera looks down, with the detector's 2D.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from poseformer_course.bench.record import record
from poseformer_lite import metrics
from poseformer_lite.datasets.sources import cmu_mocap, synthetic
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.datasets.windows import Windows
from poseformer_lite.model import MeanPose, load_network
from poseformer_lite.skeleton import H36M17, flip_poses

EVERY = 5  # of the test frames, one in so many is lifted: neighbours err alike
PITCHES = ((-90, 0), (0, 10), (10, 20), (20, 90))  # degrees downward


def held_out_views(real: list) -> dict[str, list]:
    """{"CMU, noisy": sequences, …} of CMU's held-out takes `real`, and of the synthetic test subjects."""
    made = synthetic.make_takes(subjects=("S9", "S11"))
    seed = cmu_mocap.TEST_SEED
    views = {f"CMU, {kind}": view_takes(real, "random", kind, seed, 4) for kind in ("noisy", "gt", "wild")}
    return views | {"synthetic, noisy": view_takes(made, "random", "noisy", seed, 1)}


@torch.no_grad()
def errors(model, sequence) -> tuple[np.ndarray, np.ndarray]:
    """MPJPE and P-MPJPE of every fifth frame, millimetres: (T / 5,) each."""
    windows = Windows([sequence], model.num_frames, H36M17)
    found = []
    for poses_2d, target in windows.batches(torch.arange(0, len(windows), EVERY), 128):
        mirrored = flip_poses(model(flip_poses(poses_2d, H36M17)), H36M17)
        poses_3d = (model(poses_2d) + mirrored) / 2
        poses_3d = poses_3d - poses_3d[:, :1]
        both = metrics.mpjpe(poses_3d, target, reduce=False), metrics.p_mpjpe(poses_3d, target, reduce=False)
        found.append(torch.stack([1000 * error.mean(-1) for error in both]))
    return tuple(torch.cat(found, dim=1).numpy())


def pitch(sequence) -> float:
    """Degrees by which the camera looks downward."""
    return float(np.degrees(np.arcsin(-sequence.camera.rotation[2, 2])))


def measure(model, views: dict[str, list], name: str) -> dict:
    result = {}
    for kind, sequences in views.items():
        found = [errors(model, sequence) for sequence in tqdm(sequences, desc=f"{name}, {kind}")]
        means = [np.concatenate([pair[i] for pair in found]).mean() for i in (0, 1)]
        result[kind] = {"MPJPE": round(float(means[0]), 1), "P-MPJPE": round(float(means[1]), 1)}
        if kind == "CMU, noisy":
            keys = {"by action": [s.base_action for s in sequences], "by pitch": [_bin(pitch(s)) for s in sequences]}
            for title, key in keys.items():
                groups = {
                    k: np.concatenate([f[0] for f, other in zip(found, key, strict=True) if other == k]) for k in key
                }
                result[title] = {k: round(float(values.mean()), 1) for k, values in sorted(groups.items())}
    return result


def _bin(degrees: float) -> str:
    low, high = next(pair for pair in PITCHES if pair[0] <= degrees < pair[1])
    return {-90: "upward", 20: "20° and more"}.get(low, f"{low}° to {high}°")


def mean_pose(training: list) -> MeanPose:
    """The mean of the training takes, as seen from cameras drawn at random."""
    seen = view_takes(training, "random", "gt", 0, 4)
    return MeanPose().fit(torch.from_numpy(np.concatenate([sequence.root_relative(0) for sequence in seen])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, required=True)
    parser.add_argument("--weights", nargs="+", default=["lite", "small"])
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()
    takes = cmu_mocap.read_takes(arguments.cmu)
    training, held_out = cmu_mocap.split_takes(takes)
    views = held_out_views(held_out)
    networks = {"mean pose": mean_pose(training)} | {name: load_network(name) for name in arguments.weights}
    record(arguments.json, mm={name: measure(model, views, name) for name, model in networks.items()})


if __name__ == "__main__":
    main()
