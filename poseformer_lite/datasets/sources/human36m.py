"""Human3.6M in the VideoPose3D layout, read as its users hold it.

data_3d_NAME.npz holds positions_3d: {subject: {action: (T, 32, 3)}}, metres, world space. data_2d_NAME_KEYPOINTS.npz
holds positions_2d: {subject: {action: [one (T, 17, 2) in pixels per camera]}} and metadata.
"""

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from poseformer_lite.camera import Camera
from poseformer_lite.datasets.base import PoseDataset, PoseSequence
from poseformer_lite.formats.safe_npz import load_npz
from poseformer_lite.keypoints import to_h36m17
from poseformer_lite.skeleton import H36M17

TRAIN_SUBJECTS = ("S1", "S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")
ACTIONS = (
    "Directions", "Discussion", "Eating", "Greeting", "Phoning", "Photo", "Posing", "Purchases", "Sitting",
    "SittingDown", "Smoking", "Waiting", "WalkDog", "Walking", "WalkTogether",
)  # fmt: skip
JOINTS_17_OF_32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)


def _camera(fields: dict) -> Camera:
    """A camera as JSON holds it: JSON has lists where a camera, which can be compared and hashed, has tuples."""
    return Camera(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})


def _read_cameras() -> dict[str, tuple[Camera, ...]]:
    calibration = json.loads(resources.files(__package__).joinpath("human36m_cameras.json").read_text())
    return {
        subject: tuple(
            _camera(lens | {"orientation": place[:4], "translation": place[4:]})
            for lens, place in zip(calibration["lenses"], places, strict=True)
        )
        for subject, places in calibration["places"].items()
    }


CAMERAS = _read_cameras()  # subject -> the four cameras, in the order of the 2D files


def load(
    root: str | Path, keypoints: str = "gt", name: str = "h36m", test_subjects: tuple[str, ...] = TEST_SUBJECTS
) -> PoseDataset:
    """The real files, unchanged: data_3d_{name}.npz and data_2d_{name}_{keypoints}.npz in the folder `root`.

    keypoints: "gt", "cpn_ft_h36m_dbb", "detectron_pt_coco", or whatever the file's name ends in. COCO keypoints are
    converted. Subjects and takes with 2D only are kept, without 3D. 2D longer than the mocap is trimmed to it; 2D that
    is shorter is an error. Cameras come from cameras_{name}.json where the folder has one, else from Human3.6M.
    Every subject with 3D that is not a test subject is trained on.
    """
    root = Path(root)
    paths = root / f"data_3d_{name}.npz", root / f"data_2d_{name}_{keypoints}.npz"
    require_files(paths, "data_*.npz")
    positions_3d = entry(load_npz(paths[0]), "positions_3d", paths[0])
    contents_2d = load_npz(paths[1])
    positions_2d = entry(contents_2d, "positions_2d", paths[1])
    layout = "coco17" if contents_2d.get("metadata", {}).get("layout_name") == "coco" else "h36m17"
    cameras = _cameras_beside(root / f"cameras_{name}.json")

    sequences = [
        _sequence(subject, action, index, view, layout, positions_3d.get(subject, {}).get(action), cameras)
        for subject, actions in positions_2d.items()
        for action, views in actions.items()
        for index, view in enumerate(views)
    ]
    with_3d = dict.fromkeys(s.subject for s in sequences if s.poses_3d is not None)  # in order, each once
    return PoseDataset(
        name={"h36m": "human36m"}.get(name, name),
        sequences=sequences,
        train_subjects=tuple(s for s in with_3d if s not in test_subjects),
        test_subjects=tuple(s for s in with_3d if s in test_subjects),
        keypoint_source=keypoints,
    )


def require_files(paths: Sequence[Path], others: str) -> None:
    """Raises FileNotFoundError that says which of the files is missing, and which of the pattern `others` are there."""
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        found = ", ".join(sorted(path.name for path in paths[0].parent.glob(others))) or f"no {others} files"
        raise FileNotFoundError(
            f"{paths[0].parent} has no {' and no '.join(missing)} (it has {found}). Prepare them as VideoPose3D's "
            "DATASETS.md says, or choose keypoints= after one of the files; data/README.md names the files"
        )


def trim_to_3d(keypoints: np.ndarray, world: np.ndarray, where: str) -> np.ndarray:
    """2D as long as the motion capture beside it. Raises ValueError where it is shorter."""
    if len(keypoints) < len(world):
        raise ValueError(
            f"{where}: {len(keypoints)} frames of 2D for {len(world)} frames of 3D; 2D may be longer and is then "
            "trimmed, but never shorter: prepare this file again"
        )
    return keypoints[: len(world)]


def entry(contents: dict, key: str, path: Path) -> dict:
    """The nested dictionary that a file of the VideoPose3D layout holds under `key`; else ValueError names it."""
    if not isinstance(contents.get(key), dict):
        raise ValueError(f"{path} holds {', '.join(contents) or 'nothing'}, expected {key}: {{subject: {{action: …}}}}")
    return contents[key]


def _sequence(subject, action, index, keypoints, layout, world, cameras) -> PoseSequence:
    where = f"{subject}, {action}, camera {index}"
    calibrated = cameras.get(subject, CAMERAS["S1"])  # a subject without calibration: the same lenses, places unknown
    if index >= len(calibrated):
        raise ValueError(f"{where}: there are only {len(calibrated)} cameras, so this view has no calibration")
    camera = calibrated[index]
    keypoints = np.asarray(keypoints, dtype=np.float32)[..., :2]
    if keypoints.ndim != 3 or keypoints.shape[1] != H36M17.num_joints:
        raise ValueError(f"{where}: 2D keypoints are {keypoints.shape}, expected (T, 17, 2) in pixels")

    keypoints = to_h36m17(keypoints, layout)

    poses_3d = None
    if world is not None and subject in cameras:
        world = _seventeen_joints(np.asarray(world, dtype=np.float32), where)
        keypoints, poses_3d = trim_to_3d(keypoints, world, where), camera.world_to_camera(world)
    return PoseSequence(
        subject=subject,
        action=action,
        view=camera.name,
        keypoints=keypoints,
        poses_3d=poses_3d,
        width=camera.width,
        height=camera.height,
        camera=camera if subject in cameras else None,
    )


def _seventeen_joints(world: np.ndarray, where: str) -> np.ndarray:
    if world.ndim == 3 and world.shape[1:] == (32, 3):
        return world[:, JOINTS_17_OF_32]
    if world.ndim == 3 and world.shape[1:] == (17, 3):
        return world
    raise ValueError(f"{where}: 3D positions are {world.shape}, expected (T, 32, 3) or (T, 17, 3) in metres")


def _cameras_beside(path: Path) -> dict[str, tuple[Camera, ...]]:
    if not path.is_file():
        return CAMERAS
    return {subject: tuple(map(_camera, cameras)) for subject, cameras in json.loads(path.read_text()).items()}
