"""Lift keypoints with a network in an ONNX file: numpy and onnxruntime, no torch, nothing of this package.

    python scripts/lift_with_onnx.py small.onnx KEYPOINTS.npy WIDTH HEIGHT POSES.npy

KEYPOINTS.npy: (T, 17, 2) pixels, Human3.6M's joints, at 50 frames a second. POSES.npy: (T, 17, 3) metres, camera space,
the root at the origin.
"""

import sys

import numpy as np
import onnxruntime


def lift(session: onnxruntime.InferenceSession, pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """(T, 17, 2) pixels -> (T, 17, 3) metres, one pose a frame."""
    wanted = session.get_modelmeta().custom_metadata_map.get("input", "screen")
    if wanted != "screen":
        raise SystemExit(f"this network wants keypoints of input {wanted!r}: export 'small' or 'lite' for this script")
    num_frames = session.get_inputs()[0].shape[1]
    poses_2d = (pixels / width * 2 - (1, height / width)).astype(np.float32)
    centers = np.arange(len(poses_2d))
    offsets = np.arange(num_frames) - num_frames // 2
    poses_3d = []
    for batch in np.array_split(centers, -(-len(centers) // 64)):  # 64 windows at a time
        frames = (batch[:, None] + offsets).clip(0, len(poses_2d) - 1)  # the first and last frames repeat
        poses_3d.append(session.run(None, {"poses_2d": poses_2d[frames]})[0])
    poses_3d = np.concatenate(poses_3d)
    return poses_3d - poses_3d[:, :1]


if __name__ == "__main__":
    network, keypoints, width, height, output = sys.argv[1:]
    np.save(output, lift(onnxruntime.InferenceSession(network), np.load(keypoints), int(width), int(height)))
