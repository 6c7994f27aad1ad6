"""How good is a lifted motion of a real video, judged without 3D truth?

    python benchmarks/lift_a_video.py KEYPOINTS.npz [--picture FILE.png] [--json FILE]

KEYPOINTS.npz holds MediaPipe's 33 landmarks: keypoints (T, 33, 3) in pixels with visibility, world (T, 33, 3), fps,
width and height. MediaPipe's own metric 3D is no truth, but another opinion, of a network that saw the picture.
smoothed: over 0.2 s; steady: and with constant bones.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from poseformer_course.bench.record import record
from poseformer_lite import PoseLifter, metrics
from poseformer_lite.keypoints import to_h36m17
from poseformer_lite.skeleton import H36M17


def judge(poses_3d: np.ndarray, world: np.ndarray, fps: float) -> dict:
    """Bone lengths, jitter, and the distance from another 3D of the same video. (T, 17, 3) each, metres."""
    lengths = H36M17.bone_lengths(poses_3d)
    ours, theirs = torch.from_numpy(poses_3d).double(), torch.from_numpy(world).double()
    return {
        "P-MPJPE against MediaPipe, mm": round(1000 * metrics.p_mpjpe(ours, theirs).item(), 1),
        "N-MPJPE against MediaPipe, mm": round(1000 * metrics.n_mpjpe(ours, theirs - theirs[:, :1]).item(), 1),
        "bone lengths' variation over time, %": round(100 * float((lengths.std(0) / lengths.mean(0)).mean()), 1),
        "joint acceleration, m/s^2": round(float(_acceleration(poses_3d, fps)), 1),
    }


def _acceleration(poses_3d: np.ndarray, fps: float) -> float:
    return np.linalg.norm(np.diff(poses_3d, n=2, axis=0) * fps**2, axis=-1).mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("keypoints", type=Path)
    parser.add_argument("--weights", default="small")
    parser.add_argument("--picture", type=Path, help="draw some frames to this .png")
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    with np.load(arguments.keypoints) as file:
        keypoints, world, fps = file["keypoints"], to_h36m17(file["world"], "mediapipe33"), float(file["fps"])
        width, height = int(file["width"]), int(file["height"])
    motion = PoseLifter.from_pretrained(arguments.weights)(keypoints, width, height, layout="mediapipe33", fps=fps)
    if arguments.picture:
        motion.plot(np.linspace(10, len(motion) - 10, 7).astype(int)).savefig(arguments.picture, dpi=100)
    record(
        arguments.json,
        frames=len(motion),
        lifted=judge(motion.poses_3d, world, fps),
        smoothed=judge(motion.smoothed(0.2).poses_3d, world, fps),
        steady=judge(motion.smoothed(0.2).with_constant_bones().poses_3d, world, fps),
        mediapipe=judge((world - world[:, :1]).astype(np.float32), world, fps),
    )


if __name__ == "__main__":
    main()
