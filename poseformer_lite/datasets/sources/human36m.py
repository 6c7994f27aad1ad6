"""Human3.6M in the VideoPose3D layout, read as its users hold it.

data_3d_NAME.npz holds positions_3d: {subject: {action: (T, 32, 3)}}, metres, world space. data_2d_NAME_KEYPOINTS.npz
holds positions_2d: {subject: {action: [one (T, 17, 2) in pixels per camera]}} and metadata.
"""

import json
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

import numpy as np

from poseformer_lite.camera import Camera
from poseformer_lite.checked import about, array, read_json, reading, table
from poseformer_lite.datasets.base import PoseDataset, PoseSequence
from poseformer_lite.formats.safe_npz import load_npz
from poseformer_lite.keypoints import to_h36m17

TRAIN_SUBJECTS = ("S1", "S5", "S6", "S7", "S8")
TEST_SUBJECTS = ("S9", "S11")
ACTIONS = (
    "Directions", "Discussion", "Eating", "Greeting", "Phoning", "Photo", "Posing", "Purchases", "Sitting",
    "SittingDown", "Smoking", "Waiting", "WalkDog", "Walking", "WalkTogether",
)  # fmt: skip
LAYOUTS = {"h36m": "h36m17", "coco": "coco17"}  # what a file's metadata calls the joints of its 2D
JOINTS_17_OF_32 = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)


def _camera(fields: dict) -> Camera:
    """A camera as JSON holds it: JSON has lists where a camera, which can be compared and hashed, has tuples."""
    fields = table(fields, "a camera")
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
    said = table(contents_2d.get("metadata") or {}, f"{paths[1]}, metadata").get("layout_name", "h36m")
    if said not in LAYOUTS:
        raise ValueError(f"{paths[1]}, metadata: layout_name is {said!r}, expected {' or '.join(LAYOUTS)}")
    cameras = _cameras_beside(root / f"cameras_{name}.json")

    with about(f"{paths[1]} and {paths[0].name}"):
        sequences = [_sequence(*place, LAYOUTS[said], cameras) for place in views(positions_2d, positions_3d)]
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


def views(positions_2d: dict, positions_3d: dict) -> Iterator[tuple]:
    """(subject, action, number of the camera, its 2D, the take's 3D or None)."""
    for subject, actions in positions_2d.items():
        worlds = table(positions_3d.get(subject, {}), f"3D of {subject}")
        for action, cameras in table(actions, f"2D of {subject}").items():
            if not isinstance(cameras, list | tuple | np.ndarray) or not len(cameras):
                raise ValueError(f"2D of {subject}, {action} is a {type(cameras).__name__}, expected an array a camera")
            for index, view in enumerate(cameras):
                yield str(subject), str(action), index, view, worlds.get(action)


def _sequence(subject, action, index, keypoints, world, layout, cameras) -> PoseSequence:
    where = f"{subject}, {action}, camera {index}"
    calibrated = cameras.get(subject, CAMERAS["S1"])  # a subject without calibration: the same lenses, places unknown
    if index >= len(calibrated):
        raise ValueError(f"{where}: there are only {len(calibrated)} cameras, so this view has no calibration")
    camera = calibrated[index]
    keypoints = to_h36m17(array(keypoints, f"{where}: 2D keypoints", "T", 17, "2", unit="pixels")[..., :2], layout)

    poses_3d = None
    if world is not None and subject not in cameras:
        raise ValueError(
            f"{where}: there is 3D, but no camera is known of {subject}, only of {', '.join(cameras)}: give cameras in "
            "cameras_NAME.json, {subject: [a camera of each view]}, as `poseformer-lite convert` writes it"
        )
    if world is not None:
        world = array(world, f"{where}: 3D positions", "T", "32", 3, unit="metres")
        if world.shape[1] not in (17, 32):
            raise ValueError(f"{where}: 3D positions are {world.shape}, expected (T, 32, 3) or (T, 17, 3) in metres")
        world = world[:, JOINTS_17_OF_32] if world.shape[1] == 32 else world
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


def _cameras_beside(path: Path) -> dict[str, tuple[Camera, ...]]:
    if not path.is_file():
        return CAMERAS
    contents = table(read_json(path, "calibration"), str(path))
    with reading(path, "calibration", advice="write it again with `poseformer-lite convert`, or delete it"):
        return {subject: tuple(map(_camera, cameras)) for subject, cameras in contents.items()}
