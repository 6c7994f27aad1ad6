"""How far apart are the joints that different sources call by one name?

    python benchmarks/joint_definitions.py --cmu FOLDER --mediapipe KEYPOINTS.npz [--json FILE]

Bones as shares of the leg (thigh and shin together), so that a person's size does not matter: the medians of every
source, where the trunk's bones of a detector are those of `keypoints.to_h36m17`. KEYPOINTS.npz holds MediaPipe's metric
3D `world` (T, 33, 3) of a video; its depth is a network's guess, so lengths of it are to be read with care.
"""

import argparse
from pathlib import Path

import numpy as np

from poseformer_course.bench.record import record
from poseformer_lite.datasets.sources import cmu_mocap, synthetic
from poseformer_lite.keypoints import to_h36m17
from poseformer_lite.skeleton import H36M17

BONES = {
    "hip to hip": ("RHip", "LHip"),
    "shoulder to shoulder": ("RShoulder", "LShoulder"),
    "pelvis to thorax": ("Hip", "Thorax"),
    "thorax to nose": ("Thorax", "Neck/Nose"),
    "nose to top of head": ("Neck/Nose", "Head"),
    "upper arm": ("LShoulder", "LElbow"),
    "forearm": ("LElbow", "LWrist"),
    "thigh": ("LHip", "LKnee"),
}


def shares(poses_3d: np.ndarray) -> dict[str, float]:
    """Lengths of BONES in percent of the left leg: (T, 17, 3) -> medians over the frames."""

    def length(start: str, end: str) -> np.ndarray:
        a, b = (poses_3d[:, H36M17.joints.index(name)] for name in (start, end))
        return np.linalg.norm(b - a, axis=-1)

    leg = length("LHip", "LKnee") + length("LKnee", "LFoot")
    return {name: round(100 * float(np.median(length(*ends) / leg)), 1) for name, ends in BONES.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, required=True)
    parser.add_argument("--mediapipe", type=Path, required=True)
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    sources = {f"CMU, {take.subject}": take.world for take in reversed(cmu_mocap.read_takes(arguments.cmu))}
    sources["the package's own, S1"] = synthetic.make_takes(subjects=("S1",))[0].world
    with np.load(arguments.mediapipe) as file:
        sources["MediaPipe's 3D of a video"] = to_h36m17(file["world"], "mediapipe33")
    record(arguments.json, percent_of_the_leg={name: shares(poses) for name, poses in sources.items()})


if __name__ == "__main__":
    main()
