"""Does the simulated detector jitter as a real one does?

    python benchmarks/detector_jitter.py --cmu FOLDER --keypoints KEYPOINTS.npz [--json FILE]

KEYPOINTS.npz holds MediaPipe's landmarks of a video: keypoints (T, 33, 3) in pixels, fps. The median size of joints'
second difference over time, in percent of the person's size, at the video's rate: of the real detector, of the
simulated one on CMU's takes, and of CMU's true keypoints, which tells how much of it is motion. What is constant or
slow in a detector's error does not show here.
"""

import argparse
from pathlib import Path

import numpy as np

from poseformer_course.bench.record import record
from poseformer_lite.datasets.sources import cmu_mocap
from poseformer_lite.datasets.virtual.detections import person_size
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.keypoints import resample, to_h36m17
from poseformer_lite.skeleton import H36M17

GROUPS = {"hips": "Hip", "knees": "Knee", "feet": "Foot", "shoulders": "Shoulder", "elbows": "Elbow", "wrists": "Wrist"}


def second_differences(keypoints: np.ndarray, fps: float) -> np.ndarray:
    """(T, 17, 2) pixels -> (T - 2, 17), percent of the person's size."""
    size = person_size(keypoints, fps)[1:-1, None]
    return 100 * np.linalg.norm(np.diff(keypoints, n=2, axis=0), axis=-1) / size


def medians(found: list[np.ndarray]) -> dict[str, float]:
    whole = np.concatenate(found)
    columns = {group: [H36M17.joints.index(side + name) for side in "LR"] for group, name in GROUPS.items()}
    return {group: round(float(np.median(whole[:, joints])), 2) for group, joints in columns.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, required=True)
    parser.add_argument("--keypoints", type=Path, required=True)
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    with np.load(arguments.keypoints) as file:
        real, fps = to_h36m17(file["keypoints"][..., :2], "mediapipe33"), float(file["fps"])
    found = {"MediaPipe, a skater": medians([second_differences(real, fps)])}
    takes = cmu_mocap.read_takes(arguments.cmu)
    for name, kind in (("CMU, simulated detector", "noisy"), ("CMU, true keypoints", "gt")):
        views = view_takes(takes, "random", kind, 0, 1)
        found[name] = medians([second_differences(resample(v.keypoints, 50.0, fps), fps) for v in views])
    record(arguments.json, percent_of_the_size=found, frames_per_second=fps)


if __name__ == "__main__":
    main()
