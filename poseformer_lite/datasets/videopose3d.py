"""Any dataset written in the VideoPose3D layout, so that the field's other codes can train on it."""

import json
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np

from poseformer_lite.datasets.base import PoseDataset, PoseSequence
from poseformer_lite.datasets.sources.human36m import JOINTS_17_OF_32
from poseformer_lite.files import atomic_path, check_output
from poseformer_lite.skeleton import H36M17, HUMANEVA15


def write(data: PoseDataset, folder: str | Path, name: str | None = None) -> list[Path]:
    """Write a dataset as data_3d_NAME.npz, data_2d_NAME_KEYPOINTS.npz and cameras_NAME.json.

    3D is world space in metres with Human3.6M's 32 joints: 17 are real, the other 15 stand where their parent stands.
    Each subject of the field's codes has one set of cameras, so a take seen through other cameras than its subject's
    first take is written under a subject of its own, "02/walk".

    Subjects without 3D are left out, with a warning. The field's codes know Human3.6M's cameras alone, and read no
    cameras_NAME.json.

    :param data: of Human3.6M's joints
    :param folder: made where there is none
    :param name: by default the set's.
    :returns: The three paths.
    :raises ValueError: for a different skeleton, and for sequences without camera or 3D
    :raises OSError: where the disk is full.
    """
    if data.skeleton != H36M17:
        already = ": its own files are in VideoPose3D's layout already" if data.skeleton == HUMANEVA15 else ""
        raise ValueError(f"{data.name} has {data.skeleton.name}'s joints, and those of Human3.6M are written{already}")
    folder, name = Path(folder), name or {"human36m": "h36m"}.get(data.name, data.name)
    if Path(name).name != name:
        raise ValueError(f"the name is {name!r}, expected a part of a file's name, such as 'h36m'")
    check_output(folder / f"data_3d_{name}.npz", size=sum(sequence.keypoints.nbytes for sequence in data.sequences))
    positions_3d, positions_2d, cameras = {}, {}, {}
    takes, known = {}, {sequence.subject for sequence in data.sequences if sequence.poses_3d is not None}
    for sequence in data.sequences:
        if sequence.subject in known:
            takes.setdefault((sequence.subject, sequence.action), []).append(sequence)
    if unknown := sorted({sequence.subject for sequence in data.sequences} - known):
        warnings.warn(f"{', '.join(unknown)} have 2D alone, and are left out", stacklevel=2)
    for (subject, action), views in takes.items():
        _check(views)
        calibration = [asdict(view.camera) for view in views]
        if cameras.setdefault(subject, calibration) != calibration:
            subject = f"{subject}/{action}"
            cameras[subject] = calibration
        world = views[0].camera.camera_to_world(views[0].poses_3d)
        positions_3d.setdefault(subject, {})[action] = _thirty_two_joints(world)
        positions_2d.setdefault(subject, {})[action] = [view.keypoints.astype(np.float32) for view in views]
    metadata = {
        "layout_name": "h36m",
        "num_joints": H36M17.num_joints,
        "keypoints_symmetry": [list(H36M17.left), list(H36M17.right)],
    }
    return [
        _write_npz(folder / f"data_3d_{name}.npz", positions_3d=positions_3d),
        _write_npz(folder / f"data_2d_{name}_{data.keypoint_source}.npz", positions_2d=positions_2d, metadata=metadata),
        _write_json(folder / f"cameras_{name}.json", cameras),
    ]


def _check(views: list[PoseSequence]) -> None:
    for view in views:
        if view.camera is None or view.poses_3d is None:
            missing = "camera, and the layout wants 3D in the world" if view.camera is None else "3D"
            raise ValueError(f"{view.name} has no {missing}: it cannot be written")


def _thirty_two_joints(world: np.ndarray) -> np.ndarray:
    """(T, 17, 3) -> (T, 32, 3): every joint that is not of the 17 repeats the nearest one before it."""
    before = np.searchsorted(JOINTS_17_OF_32, np.arange(32), side="right") - 1
    return world[:, before].astype(np.float32)


def _write_npz(path: Path, **contents) -> Path:
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **{key: np.array(value, dtype=object) for key, value in contents.items()})
    return path


def _write_json(path: Path, contents: dict) -> Path:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(contents, indent=1))
    return path
