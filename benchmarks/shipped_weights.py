"""The errors of the weights that ship, on takes, people and a kind of motion that they were not trained on.

    python benchmarks/shipped_weights.py --cmu FOLDER [FOLDER ...] [--weights lite small] [--json FILE]

What `split_people` holds out: takes of people in training, people never seen, and dances. Through cameras
drawn at random, with a simulated detector's keypoints and with those of `datasets.wild`, and through wide ones, which
are tilted, near and far, with the latter; and one view of every take of the synthetic subjects S9 and S11. Every fifth
frame, mm, flip averaged. By action and by how steeply the camera looks down, for unseen takes; and the knees of unseen
people where they are straight.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from poseformer_course.bench.record import record
from poseformer_course.people import PeopleSplit, split_people
from poseformer_lite import metrics
from poseformer_lite.datasets.sources import cmu_mocap, synthetic
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.datasets.windows import Windows
from poseformer_lite.model import MeanPose, load_network
from poseformer_lite.model.base import predict
from poseformer_lite.skeleton import H36M17, flip_poses

EVERY = 5  # of the test frames, one in so many is lifted: neighbours err alike
SEEN = (("noisy", "random", "noisy"), ("wild", "random", "wild"), ("wide", "wide", "wild"))  # name, cameras, keypoints
STRAIGHT = 165  # degrees of a knee
PITCHES = ((-90, 0), (0, 10), (10, 20), (20, 90))  # degrees downward


def held_out_views(split: PeopleSplit) -> dict[str, list]:
    """{"unseen takes, noisy": sequences, …} of what is held out, and of the synthetic test subjects."""
    made = synthetic.make_takes(subjects=("S9", "S11"))
    held_out = {"takes": split.unseen_takes, "people": split.unseen_people[::2], "motion": split.unseen_motion}
    views = {}
    for who, takes in held_out.items():
        for name, cameras, kind in SEEN:
            views[f"unseen {who}, {name}"] = view_takes(takes, cameras, kind, cmu_mocap.TEST_SEED, 3)
    return views | {"synthetic, noisy": view_takes(made, "random", "noisy", cmu_mocap.TEST_SEED, 1)}


@torch.no_grad()
def errors(model, sequence) -> tuple[np.ndarray, np.ndarray]:
    """MPJPE and P-MPJPE of every fifth frame, millimetres: (T / 5,) each."""
    windows = Windows([sequence.seen_by(model.input)], model.num_frames, H36M17)
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
        if kind == "unseen takes, noisy":
            keys = {"by action": [s.base_action for s in sequences], "by pitch": [_bin(pitch(s)) for s in sequences]}
            for title, key in keys.items():
                groups = {
                    k: np.concatenate([f[0] for f, other in zip(found, key, strict=True) if other == k]) for k in key
                }
                result[title] = {k: round(float(values.mean()), 1) for k, values in sorted(groups.items())}
    return result


def knee_angles(poses_3d: np.ndarray) -> np.ndarray:
    """(T, 17, 3) -> (T, 2), degrees, 180 where a leg is straight."""
    hips, knees, feet = (poses_3d[:, joints] for joints in ([1, 4], [2, 5], [3, 6]))
    thighs, shins = hips - knees, feet - knees
    cosines = (thighs * shins).sum(-1) / (np.linalg.norm(thighs, axis=-1) * np.linalg.norm(shins, axis=-1))
    return np.degrees(np.arccos(np.clip(cosines, -1, 1)))


def straight_knees(model, sequences: list) -> dict:
    """The median angle of knees that are straight in truth, in truth and as lifted."""
    true, lifted = [], []
    for sequence in sequences:
        poses_2d = torch.from_numpy(sequence.seen_by(model.input).poses_2d())
        true.append(knee_angles(sequence.poses_3d))
        lifted.append(knee_angles(predict(model, poses_2d, H36M17).numpy()))
    true, lifted = np.concatenate(true), np.concatenate(lifted)
    straight = true > STRAIGHT
    medians = (round(float(np.median(angles[straight])), 1) for angles in (true, lifted))
    return dict(zip(("true", "lifted"), medians, strict=True))


def _bin(degrees: float) -> str:
    low, high = next(pair for pair in PITCHES if pair[0] <= degrees < pair[1])
    return {-90: "upward", 20: "20° and more"}.get(low, f"{low}° to {high}°")


def mean_pose(training: list) -> MeanPose:
    """The mean of the training takes, as seen from cameras drawn at random."""
    seen = view_takes(training, "random", "gt", 0, 4)
    return MeanPose().fit(torch.from_numpy(np.concatenate([sequence.root_relative(0) for sequence in seen])))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, nargs="+", required=True)
    parser.add_argument("--weights", nargs="+", default=["lite", "small"])
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()
    split = split_people([take for folder in arguments.cmu for take in cmu_mocap.read_takes(folder)])
    views = held_out_views(split)
    networks = {"mean pose": mean_pose(split.training)} | {name: load_network(name) for name in arguments.weights}
    mm = {name: measure(model, views, name) for name, model in networks.items()}
    knees = {name: straight_knees(networks[name], views["unseen people, noisy"]) for name in arguments.weights}
    record(arguments.json, mm=mm, straight_knees_degrees=knees)


if __name__ == "__main__":
    main()
