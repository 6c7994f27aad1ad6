"""What poseformer_lite makes of a clip's keypoints, for prepare.test.js: JSON on standard output.

For a stream every frame is the last one so far, so the canonical view of each beginning of the clip is taken.
"""

import json
from pathlib import Path

import numpy as np

from poseformer_lite.camera import normalize_screen
from poseformer_lite.canonical import canonical_view
from poseformer_lite.keypoints import resample, to_h36m17

CLIP = Path(__file__).parents[2] / "tests" / "mediapipe_on_the_clip.npz"


def golden() -> dict:
    with np.load(CLIP) as file:
        landmarks = file["keypoints"].astype(np.float64)
    width, height, fps = 968, 320, 30 / 5  # of data/clip/walk.mp4, of which every fifth frame is there
    joints = to_h36m17(landmarks[..., :2], "mediapipe33")
    steady = resample(joints, fps, 50.0)
    beginnings = [canonical_view(steady[: t + 1], width, height) for t in range(len(steady))]
    arrays = {
        "landmarks": landmarks,
        "joints": joints,
        "steady": steady,
        "screen": normalize_screen(steady.copy(), width, height),
        "canonical": np.stack([poses[-1] for poses, _ in beginnings]),
        "turns": np.stack([turns[-1] for _, turns in beginnings]),
    }
    plain = {name: array.reshape(len(array), -1).tolist() for name, array in arrays.items()}
    return plain | {"fps": fps, "width": width, "height": height}


if __name__ == "__main__":
    print(json.dumps(golden()))
