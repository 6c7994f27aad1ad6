"""MPI-INF-3DHP as two public codes prepare it, given with Human3.6M's 17 joints, in metres, camera space.

P-STMO: data_train_3dhp.npz holds data: {"S1 Seq1": [{camera: {data_2d, data_3d}}, fps]}, and data_test_3dhp.npz holds
data: {"TS1": {data_2d, data_3d, valid}}; pixels and millimetres, 3DHP's own joint order with the pelvis at 14.
GraphMLP: data_3d_3dhp.npz and data_2d_3dhp.npz, nested as VideoPose3D's files, metres and Human3.6M's order.

The two were prepared from different annotations, and others of the same file name from others again: numbers compare
within one preparation only, so a dataset's name says which it is.
"""

from pathlib import Path

import numpy as np

from poseformer_lite.checked import about, array, table
from poseformer_lite.datasets.base import PoseDataset, PoseSequence
from poseformer_lite.datasets.sources.human36m import entry
from poseformer_lite.formats.safe_npz import load_npz

H36M_ORDER = (14, 8, 9, 10, 11, 12, 13, 15, 1, 16, 0, 5, 6, 7, 2, 3, 4)  # of 3DHP's joints
SQUARE, WIDE = (2048, 2048), (1920, 1080)  # width, height in pixels
LAYOUTS = {
    "P-STMO": ("data_train_3dhp.npz", "data_test_3dhp.npz"),
    "GraphMLP": ("data_3d_3dhp.npz", "data_2d_3dhp.npz"),
}


def load(root: str | Path, keypoints: str = "gt", layout: str | None = None) -> PoseDataset:
    """The files of either layout in the folder `root`, unchanged; `layout` decides where there are both.

    Train on S1 to S8, test on TS1 to TS6; TS5 and TS6 were filmed outdoors with 1920 x 1080 pixels, all else has
    2048 x 2048. Frames that the benchmark does not count are marked in each sequence's `valid`. keypoints: only "gt".
    Training takes are of 25 or 50 Hz and are not resampled.
    """
    root = Path(root)
    if keypoints != "gt":
        raise ValueError(f'keypoints={keypoints!r}: the files of MPI-INF-3DHP hold the ground truth alone, "gt"')
    if layout is not None and layout not in LAYOUTS:
        raise ValueError(f"layout={layout!r}: choose one of {', '.join(LAYOUTS)}")
    there = [name for name, files in LAYOUTS.items() if all((root / file).is_file() for file in files)]
    if layout is None and len(there) > 1:
        raise ValueError(f"{root} has the files of {' and of '.join(there)}: say which with layout=")
    layout = layout or (there[0] if there else None)
    if layout not in there:
        wanted = [LAYOUTS[layout]] if layout else list(LAYOUTS.values())
        raise FileNotFoundError(
            f"{root} has not the files {', or '.join(' and '.join(files) for files in wanted)}: data/README.md says "
            "how to get them"
        )
    keys = ("data", "data") if layout == "P-STMO" else ("positions_3d", "positions_2d")
    paths = [root / file for file in LAYOUTS[layout]]
    first, second = (entry(load_npz(path), key, path) for path, key in zip(paths, keys, strict=True))
    with about(f"{paths[0]} and {paths[1].name}"):
        sequences = _training(first) + _test(second) if layout == "P-STMO" else _nested(first, second)
        subjects = dict.fromkeys(s.subject for s in sequences)
        return PoseDataset(
            name=f"mpi_inf_3dhp, {layout}'s files",
            sequences=sequences,
            train_subjects=tuple(s for s in subjects if not s.startswith("TS")),
            test_subjects=tuple(s for s in subjects if s.startswith("TS")),
            keypoint_source=keypoints,
        )


def _training(data: dict) -> list[PoseSequence]:
    sequences = []
    for take, contents in data.items():
        subject, _, action = str(take).partition(" ")
        if not action or not isinstance(contents, list | tuple | np.ndarray) or not len(contents):
            raise ValueError(f"{take!r} has a {type(contents).__name__}, expected 'S1 Seq1' with [{{camera: …}}, fps]")
        for camera, view in table(contents[0], f"the cameras of {take}").items():
            where = f"{take}, camera {camera}"
            keypoints, poses_3d = _arrays(*(table(view, where).get(name) for name in ("data_2d", "data_3d")), where)
            sequences.append(_sequence(subject, action, str(camera), keypoints, poses_3d))
    return sequences


def _test(data: dict) -> list[PoseSequence]:
    sequences = []
    for subject, take in data.items():
        keypoints, poses_3d = _arrays(*(table(take, subject).get(name) for name in ("data_2d", "data_3d")), subject)
        if "valid" not in take:
            raise ValueError(f"{subject} has {', '.join(take)}, expected data_2d, data_3d and valid")
        valid = np.asarray(take["valid"]).reshape(-1)
        if not np.isin(valid, (0, 1)).all() or not valid.any():
            raise ValueError(
                f"{subject}: valid is a {valid.dtype} {valid.shape}, expected 0 and 1, and a frame that counts"
            )
        valid = valid.astype(bool)
        sequences.append(_sequence(subject, "test", "0", keypoints, poses_3d, valid))
    return sequences


def _nested(positions_3d: dict, positions_2d: dict) -> list[PoseSequence]:
    """GraphMLP's: one array a view in both files, or a dictionary of them by camera."""
    sequences = []
    for subject, actions in positions_2d.items():
        for action, views in table(actions, f"2D of {subject}").items():
            poses = table(positions_3d.get(subject, {}), f"3D of {subject}").get(action)
            if poses is None:
                raise ValueError(f"{subject}, {action} has 2D but no 3D: the two files do not belong together")
            for camera, keypoints, poses_3d in _views(views, poses, f"{subject}, {action}"):
                keypoints, poses_3d = _arrays(
                    keypoints, poses_3d, f"{subject}, {action}, {camera}", scale=1, order=None
                )
                sequences.append(_sequence(subject, action, camera, keypoints, poses_3d))
    return sequences


def _views(views, poses, where: str) -> list[tuple]:
    if isinstance(views, np.ndarray) and views.dtype != object and views.ndim == 3:
        views, poses = [views], [poses]
    if not all(isinstance(some, dict | list | tuple | np.ndarray) for some in (views, poses)):
        raise ValueError(
            f"{where}: a {type(views).__name__} beside a {type(poses).__name__}, expected one array a view"
        )
    keys = list(views) if isinstance(views, dict) else range(len(views))
    if len(views) != len(poses) or isinstance(views, dict) and set(views) != set(poses):
        raise ValueError(f"{where}: {len(views)} views of 2D beside {len(poses)} of 3D, expected one for one")
    return [(str(key), views[key], poses[key]) for key in keys]


def _arrays(keypoints, poses_3d, where: str, scale: float = 1000, order: tuple | None = H36M_ORDER) -> tuple:
    """(T, 17, 2) pixels and (T, 17, 3) metres, in Human3.6M's order, as copies."""
    if keypoints is None or poses_3d is None:
        raise ValueError(f"{where} lacks data_2d or data_3d: the file has another layout than P-STMO's")
    keypoints = array(keypoints, f"{where}: 2D keypoints", "T", 17, "2", unit="pixels")[..., :2]
    poses_3d = array(poses_3d, f"{where}: 3D poses", len(keypoints), 17, 3)
    order = list(range(17) if order is None else order)
    return keypoints[:, order], poses_3d[:, order] / np.float32(scale)


def _sequence(subject, action, view, keypoints, poses_3d, valid=None) -> PoseSequence:
    width, height = WIDE if subject in ("TS5", "TS6") else SQUARE
    return PoseSequence(subject, action, view, keypoints, poses_3d, width, height, valid=valid)
