"""A real person, seen by four cameras: BlazePose's keypoints, and where the joints were. For testing alone.

One person for 1.6 seconds, from the demonstration of Pose2Sim (BSD-3); `scripts/make_real_benchmark.py` made the file,
and data/README.md says how sure its truth is. Both sides went through `keypoints.to_h36m17`, so that the detector's own
idea of where joints are is in the truth, too. It is a probe, not a benchmark, and nothing may be tuned on it.
"""

import sysconfig
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from poseformer_lite.camera import Camera
from poseformer_lite.datasets.base import PoseDataset, PoseSequence
from poseformer_lite.keypoints import resample, to_h36m17, undo_swaps

FPS = 50.0
PLACES = (
    Path(__file__).parents[3] / "data" / "real",  # of a checkout
    Path(sysconfig.get_path("data")) / "share" / "poseformer-lite" / "real",  # of an installed wheel
)


def load(keypoints: str = "blazepose") -> PoseDataset:
    """The four views at 50 Hz, all of them test sequences.

    keypoints: "blazepose", what the detector found, with left and right exchanged back as `PoseLifter` does, or "gt",
    the projections of the truth (radial distortion alone). Raises ValueError for another, and FileNotFoundError where
    the package was installed without its data.
    """
    if keypoints not in ("blazepose", "gt"):
        raise ValueError(f'keypoints={keypoints!r}: the real benchmark has "blazepose" and "gt"')
    with np.load(_file(), allow_pickle=False) as file:
        fps, sizes, world = float(file["fps"]), file["size"].tolist(), _at_50_hz(file["world"], file["fps"])
        found = [undo_swaps(to_h36m17(view[..., :2], "mediapipe33")) for view in file["keypoints"]]
        found = [_at_50_hz(pixels, fps) for pixels in found]
        cameras = [
            _camera(f"cam{i + 1}", *size, *(file[name][i] for name in ("K", "radial", "rotation", "translation")))
            for i, size in enumerate(sizes)
        ]
    sequences = []
    for camera, pixels in zip(cameras, found, strict=True):
        poses_3d = camera.world_to_camera(world)
        pixels = camera.project(poses_3d) if keypoints == "gt" else pixels
        place = camera.name, pixels, poses_3d, camera.width, camera.height, camera
        sequences.append(PoseSequence("walker", f"{camera.name} walk", *place))
    return PoseDataset("real", sequences, (), ("walker",), fps=FPS, keypoint_source=keypoints)


def mediapipe_poses() -> list[np.ndarray]:
    """MediaPipe's own 3D of the four views, at 50 Hz: (T, 17, 3) metres each, camera space, relative to the hip."""
    with np.load(_file(), allow_pickle=False) as file:
        joints = [to_h36m17(view.astype(np.float32), "mediapipe33") for view in file["mediapipe_world"]]
        return [_at_50_hz(poses - poses[:, :1], float(file["fps"])) for poses in joints]


def _file() -> Path:
    for folder in PLACES:
        if (folder / "real.npz").is_file():
            return folder / "real.npz"
    raise FileNotFoundError(
        f"real.npz is neither in {' nor in '.join(map(str, PLACES))}: install the package again from its repository"
    )


def _at_50_hz(values: np.ndarray, fps: float) -> np.ndarray:
    return resample(values, float(fps), FPS).astype(np.float32)


def _camera(name, width, height, K, radial, rotation, translation) -> Camera:
    """From the file's world-to-camera rotation and translation."""
    x, y, z, w = Rotation.from_matrix(rotation.T).as_quat().tolist()
    position = tuple((-rotation.T @ translation).tolist())
    focal_length, center = (K[0, 0], K[1, 1]), (K[0, 2], K[1, 2])
    return Camera(name, width, height, focal_length, center, tuple(radial.tolist()), (0.0, 0.0), (w, x, y, z), position)
