"""HumanEva-I in the VideoPose3D layout: 15 joints, three cameras, 60 Hz, read as its users hold it.

data_3d_humaneva15.npz holds positions_3d: {"Train/S1": {"Walking 1 chunk0": (T, 15, 3)}}, metres, world space; takes
are cut into chunks where the motion capture is missing. data_2d_humaneva15_KEYPOINTS.npz holds positions_2d with one
(T, 15, 2) in pixels a camera, also of "Unlabeled/..." subjects, whose 3D nobody has.
"""

from pathlib import Path

from poseformer_lite.camera import Camera
from poseformer_lite.checked import about, array
from poseformer_lite.datasets.base import PoseDataset, PoseSequence
from poseformer_lite.datasets.sources.human36m import entry, require_files, trim_to_3d, views
from poseformer_lite.formats.safe_npz import load_npz
from poseformer_lite.skeleton import HUMANEVA15

WIDTH, HEIGHT, FPS = 640, 480, 60.0
_S1 = (
    ((0.424207, -0.4983646, -0.5802981, 0.4847012), (4.062227, 0.6632477, 1.528397)),
    ((0.6503354, -0.7481602, -0.0919284, 0.0941766), (0.8448131, -3.8052092, 1.5049929)),
    ((0.0664734, -0.0690535, 0.7416416, -0.6639132), (-0.79767377, 3.9163174, 1.4336602)),
)
_S2 = (
    ((0.4214752, -0.4961493, -0.5838273, 0.4851187), (4.1129121, 0.6264929, 1.5452988)),
    ((0.6501393, -0.7476588, -0.0954617, 0.0959808), (0.923574, -3.8779243, 1.5045518)),
    ((0.0699353, -0.0712403, 0.7421637, -0.662742), (-0.7814915, 3.8388853, 1.4449929)),
)
PLACES = {"S1": _S1, "S2": _S2, "S3": _S1}  # (orientation w, x, y, z; metres) of cameras C1, C2, C3; lenses are unknown


def load(root: str | Path, keypoints: str = "gt") -> PoseDataset:
    """The real files, unchanged: data_3d_humaneva15.npz and data_2d_humaneva15_{keypoints}.npz in the folder `root`.

    Training is on the "Train/..." subjects, testing on the "Validate/..." ones: the same people in other takes. What is
    known in 2D only is kept without 3D. 2D longer than the motion capture is trimmed to it; shorter is an error.
    """
    root = Path(root)
    paths = root / "data_3d_humaneva15.npz", root / f"data_2d_humaneva15_{keypoints}.npz"
    require_files(paths, "data_*humaneva*.npz")
    positions_3d = entry(load_npz(paths[0]), "positions_3d", paths[0])
    positions_2d = entry(load_npz(paths[1]), "positions_2d", paths[1])
    with about(f"{paths[1]} and {paths[0].name}"):
        sequences = [_sequence(*place) for place in views(positions_2d, positions_3d)]
        with_3d = dict.fromkeys(s.subject for s in sequences if s.poses_3d is not None)  # in order, each once
        return PoseDataset(
            name="humaneva",
            sequences=sequences,
            train_subjects=tuple(s for s in with_3d if s.startswith("Train/")),
            test_subjects=tuple(s for s in with_3d if s.startswith("Validate/")),
            skeleton=HUMANEVA15,
            fps=FPS,
            keypoint_source=keypoints,
        )


def _sequence(subject: str, action: str, index: int, keypoints, world) -> PoseSequence:
    where = f"{subject}, {action}, camera C{index + 1}"
    keypoints = array(keypoints, f"{where}: 2D keypoints", "T", 15, "2", unit="pixels")[..., :2]
    poses_3d = None
    places = PLACES.get(subject.rsplit("/", 1)[-1])
    if world is not None and places is not None:
        world = array(world, f"{where}: 3D positions", "T", 15, 3, unit="metres")
        if index >= len(places):
            raise ValueError(f"{where}: HumanEva's layout has three cameras, so this view has no calibration")
        at = dict(zip(("orientation", "translation"), places[index], strict=True))
        camera = Camera("", WIDTH, HEIGHT, (1.0, 1.0), (WIDTH / 2, HEIGHT / 2), **at)  # the lens is made up
        keypoints, poses_3d = trim_to_3d(keypoints, world, where), camera.world_to_camera(world)
    return PoseSequence(subject, action, f"C{index + 1}", keypoints, poses_3d, WIDTH, HEIGHT)
