"""The errors on the one real video with a measured truth, beside MediaPipe's own 3D.

    python benchmarks/real_video.py [--weights lite small] [--json FILE]

Four cameras, one person, 1.6 seconds (data/real): MPJPE and P-MPJPE in mm, for each camera and on average, of weights
on BlazePose's keypoints, flip averaged, and of the 3D that MediaPipe gives with them. Then what makes up the error: how
much is left with true 2D, and with each motion turned as a whole as fits best, and by how many degrees; and with the
cameras' true focal lengths. Nothing is tuned on it.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from poseformer_course.bench.record import record
from poseformer_lite import load_dataset, metrics
from poseformer_lite.datasets.sources.real import mediapipe_poses
from poseformer_lite.evaluation import sequence_errors
from poseformer_lite.model import load_network
from poseformer_lite.model.base import predict
from poseformer_lite.skeleton import H36M17

METRICS = ("MPJPE", "P-MPJPE")


def errors_of_mediapipe(poses_3d: np.ndarray, sequence) -> dict[str, float]:
    predicted, truth = (torch.from_numpy(poses).double() for poses in (poses_3d, sequence.root_relative(0)))
    return {"MPJPE": metrics.mpjpe(predicted, truth).item(), "P-MPJPE": metrics.p_mpjpe(predicted, truth).item()}


def table(views: list, errors: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Millimetres, by camera and on average."""
    rows = dict(zip([view.view for view in views], errors, strict=True))
    rows["mean"] = {metric: float(np.mean([error[metric] for error in errors])) for metric in METRICS}
    return {name: {metric: round(1000 * error[metric], 1) for metric in METRICS} for name, error in rows.items()}


def why(model, sequences: list, known: bool = False) -> dict[str, float]:
    """Means over the cameras: MPJPE, the same after one turn of each motion, in mm, and the turn in degrees."""
    found = []
    for sequence in sequences:
        seen = sequence.seen_by(model.input, known=known)
        lifted = predict(model, torch.from_numpy(seen.poses_2d()), H36M17).numpy().astype(float)
        lifted, truth = ((poses - poses[:, :1]).reshape(-1, 3) for poses in (lifted, seen.root_relative(0)))
        turn, _ = Rotation.align_vectors(truth, lifted)
        errors = [1000 * np.linalg.norm(poses - truth, axis=-1).mean() for poses in (lifted, turn.apply(lifted))]
        found.append([*errors, np.degrees(turn.magnitude())])
    return dict(zip(("MPJPE", "MPJPE turned", "degrees"), np.mean(found, axis=0).round(1).tolist(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", nargs="+", default=["lite", "small"])
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()
    views = load_dataset("real").test()
    found = {"MediaPipe": [errors_of_mediapipe(*pair) for pair in zip(mediapipe_poses(), views, strict=True)]}
    for name in arguments.weights:
        model = load_network(name)
        found[name] = [sequence_errors(model, view, H36M17, flip=True, zero_root=True) for view in views]
    mm = {name: table(views, errors) for name, errors in found.items()}
    true_2d, reasons = load_dataset("real", keypoints="gt").test(), {}
    for name in arguments.weights:
        model = load_network(name)
        reasons[name] = {"BlazePose": why(model, views), "true 2D": why(model, true_2d)}
        if model.input == "canonical":
            reasons[name]["true focal length"] = why(model, views, known=True)
    record(arguments.json, mm=mm, why=reasons)


if __name__ == "__main__":
    main()
