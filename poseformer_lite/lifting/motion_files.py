"""A motion on disk: numbers that come back (.npz, .json, .csv), joint angles (.bvh), pictures that move, a page."""

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pandas as pd

from poseformer_lite.files import atomic_path
from poseformer_lite.formats.articulated import from_positions
from poseformer_lite.formats.bvh import write_bvh
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.skeleton import H36M17

CSV_HEAD = "# poseformer-lite motion: fps={:g} width={:d} height={:d}"
COLUMNS = ("x_m", "y_m", "z_m", "u_px", "v_px")
MARKS = ("confidence", "filled")  # columns of a motion that knows them


def write_motion(motion: Motion, path: str | Path) -> Path:
    """`Motion.save`."""
    path = Path(path)
    check_ending(path)
    with atomic_path(path) as temporary:
        WRITERS[path.suffix.lower()](motion, temporary)
    return path


def check_ending(path: Path) -> None:
    """Raises ValueError unless a motion can be written to a file of that ending here; nothing is written."""
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise ValueError(f"a motion is saved as {', '.join(WRITERS)}, not {path.name!r}")
    if suffix == ".mp4" and shutil.which("ffmpeg") is None:
        raise ValueError(f"{path.name} needs the program ffmpeg, which is not installed: install it, or save a .gif")


def read_motion(path: str | Path) -> Motion:
    """`Motion.load`."""
    path = Path(path)
    if path.suffix.lower() not in READERS:
        raise ValueError(f"a motion is read from {', '.join(READERS)}, not {path.name!r}")
    try:
        contents = READERS[path.suffix.lower()](path)
        poses, keypoints = (np.asarray(contents[name], np.float32) for name in ("poses_3d", "keypoints"))
        fps, width, height = float(contents["fps"]), int(contents["width"]), int(contents["height"])
        joints = tuple(map(str, contents["joints"]))
        start = float(contents.get("start", 0.0))
        given = [(name, kind, contents.get(name)) for name, kind in (("confidence", np.float32), ("filled", bool))]
        marks = {name: np.asarray(values, kind) for name, kind, values in given if values is not None}
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{path} is not a motion that `Motion.save` wrote: {error}") from error
    if joints != H36M17.joints or poses.shape != (len(poses), 17, 3) or keypoints.shape != (len(poses), 17, 2):
        raise ValueError(
            f"{path} holds poses {poses.shape} and keypoints {keypoints.shape} of {len(joints)} joints, expected "
            f"(T, 17, 3) and (T, 17, 2) of {H36M17.name}"
        )
    if any(values.shape != poses.shape[:2] for values in marks.values()):
        raise ValueError(f"{path} holds {', '.join(marks)} of other frames or joints than its poses {poses.shape}")
    if not (np.isfinite(poses).all() and np.isfinite(keypoints).all()):
        raise ValueError(f"{path} holds NaN or infinite coordinates")
    return Motion(poses, keypoints, fps, width, height, start=start, **marks)


def _contents(motion: Motion) -> dict:
    marks = {"confidence": motion.confidence, "filled": motion.filled}
    return {
        "poses_3d": motion.poses_3d,
        "keypoints": motion.keypoints,
        "fps": motion.fps,
        "width": motion.width,
        "height": motion.height,
        "joints": list(motion.skeleton.joints),
        "start": motion.start,
        **{name: values for name, values in marks.items() if values is not None},
    }


def _write_npz(motion: Motion, path: Path) -> None:
    np.savez_compressed(path, **_contents(motion))


def _write_json(motion: Motion, path: Path) -> None:
    arrays = {k: v.astype(float) for k, v in _contents(motion).items() if isinstance(v, np.ndarray)}
    plain = _contents(motion) | {name: values.round(5).tolist() for name, values in arrays.items()}
    path.write_text(json.dumps(plain))


def _write_csv(motion: Motion, path: Path) -> None:
    marks = [(name, getattr(motion, name)) for name in MARKS if getattr(motion, name) is not None]
    columns = (*COLUMNS, *(name for name, _ in marks))
    names = [f"{joint} {column}" for joint in motion.skeleton.joints for column in columns]
    values = [motion.poses_3d, motion.keypoints, *(values[..., None] for _, values in marks)]
    table = pd.DataFrame(np.concatenate(values, axis=-1).reshape(len(motion), -1).round(5), columns=names)
    table.insert(0, "seconds", (motion.start + np.arange(len(motion)) / motion.fps).round(5))
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(CSV_HEAD.format(motion.fps, motion.width, motion.height) + "\n")
        table.to_csv(stream, index=False)


def _read_csv(path: Path) -> dict:
    with path.open(encoding="utf-8") as stream:
        head = stream.readline()
        pattern = re.escape(CSV_HEAD).replace(r"\{:g\}", r"(\S+)").replace(r"\{:d\}", r"(\d+)")
        match = re.fullmatch(pattern, head.strip())
        if not match:
            raise ValueError(f"it begins with {head[:60]!r}, expected {CSV_HEAD.format(50, 1000, 1000)!r} or the like")
        table = pd.read_csv(stream)
    joints = list(H36M17.joints)
    columns = (*COLUMNS, *(name for name in MARKS if f"{joints[0]} {name}" in table.columns))
    wanted = ["seconds", *(f"{joint} {column}" for joint in joints for column in columns)]
    if list(table.columns) != wanted:
        raise ValueError(f"its columns begin with {', '.join(table.columns[:4])}, expected {', '.join(wanted[:4])}")
    values = table.to_numpy(np.float32)[:, 1:].reshape(len(table), len(joints), len(columns))
    fps, width, height = match.groups()
    return {
        "poses_3d": values[..., :3], "keypoints": values[..., 3:5], "joints": joints,
        "fps": fps, "width": width, "height": height, "start": table["seconds"].iloc[0] if len(table) else 0.0,
        **{name: values[..., columns.index(name)] for name in columns[len(COLUMNS):]},
    }  # fmt: skip


def _write_bvh(motion: Motion, path: Path) -> None:
    x, y, z = np.moveaxis(motion.upright().astype(float), -1, 0)
    write_bvh(path, from_positions(np.stack([x, z, -y], axis=-1), motion.skeleton, motion.fps))  # y up, as BVH has it


def _write_animation(motion: Motion, path: Path) -> None:
    from poseformer_lite.lifting.animation import write_animation

    write_animation(motion, path)


def _write_page(motion: Motion, path: Path) -> None:
    """By what the viewers registered: they stand on motions, so this module must not import them."""
    (page,) = entry_points(group="poseformer_lite.motion_writers", name="html")
    page.load()(path, motion)


WRITERS: dict[str, Callable[[Motion, Path], None]] = {
    ".npz": _write_npz,
    ".json": _write_json,
    ".csv": _write_csv,
    ".bvh": _write_bvh,
    ".gif": _write_animation,
    ".mp4": _write_animation,
    ".html": _write_page,
}
READERS: dict[str, Callable[[Path], dict]] = {
    ".npz": lambda path: dict(np.load(path)),  # np.load refuses pickles
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".csv": _read_csv,
}
