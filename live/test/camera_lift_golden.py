"""What PoseLifter makes of a clip's keypoints, for camera-lift.test.js: JSON on standard output."""

import json
from pathlib import Path

import numpy as np

from poseformer_lite import PoseLifter

CLIP = Path(__file__).parents[2] / "tests" / "mediapipe_on_the_clip.npz"
RATE, SIZE = 50 / 8, (968, 320)  # eight moments from one frame to the next


def golden() -> dict:
    with np.load(CLIP) as file:
        landmarks = file["keypoints"].astype(np.float32)
    moments = 8 * (len(landmarks) - 1) + 1
    steady = np.stack(
        [
            np.interp(np.arange(moments) / 8, np.arange(len(landmarks)), values)
            for values in landmarks.reshape(len(landmarks), -1).T
        ],
        axis=-1,
    ).reshape(moments, 33, 2)
    poses = {}
    for name in ("small", "wild"):
        lifter = PoseLifter.from_pretrained(name, flip=False, device="cpu")
        motion = lifter(steady, *SIZE, layout="mediapipe33", fps=50.0, repair_swaps=False)
        poses[name] = motion.poses_3d.reshape(moments, -1).tolist()
    landmarks = np.concatenate([landmarks, np.ones_like(landmarks[..., :1])], axis=-1)
    return {"rate": RATE, "size": SIZE, "landmarks": landmarks.reshape(len(landmarks), -1).tolist(), "poses": poses}


if __name__ == "__main__":
    print(json.dumps(golden()))
