"""A motion on disk: numbers that come back (.npz, .json, .csv), joint angles (.bvh), pictures that move, a page."""

import json
import re
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


def write_motion(motion: Motion, path: str | Path, world: bool = True) -> Path:
    """`Motion.save`."""
    path = Path(path)
    if path.suffix not in WRITERS:
        raise ValueError(f"a motion is saved as {', '.join(WRITERS)}, not {path.name!r}")
    with atomic_path(path) as temporary:
        options = {"world": world} if path.suffix in IN_SPACE else {}
        WRITERS[path.suffix](motion, temporary, **options)
    return path


def read_motion(path: str | Path) -> Motion:
    """`Motion.load`."""
    path = Path(path)
    if path.suffix not in READERS:
        raise ValueError(f"a motion is read from {', '.join(READERS)}, not {path.name!r}")
    try:
        contents = READERS[path.suffix](path)
        poses, keypoints = (np.asarray(contents[name], np.float32) for name in ("poses_3d", "keypoints"))
        fps, width, height = float(contents["fps"]), int(contents["width"]), int(contents["height"])
        joints = tuple(map(str, contents["joints"]))
        focal_length = None if contents.get("focal_length") is None else float(contents["focal_length"])
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ValueError(f"{path} is not a motion that `Motion.save` wrote: {error}") from error
    if joints != H36M17.joints or poses.shape != (len(poses), 17, 3) or keypoints.shape != (len(poses), 17, 2):
        raise ValueError(
            f"{path} holds poses {poses.shape} and keypoints {keypoints.shape} of {len(joints)} joints, expected "
            f"(T, 17, 3) and (T, 17, 2) of {H36M17.name}"
        )
    if not (np.isfinite(poses).all() and np.isfinite(keypoints).all()):
        raise ValueError(f"{path} holds NaN or infinite coordinates")
    return Motion(poses, keypoints, fps, width, height, focal_length=focal_length)


def _contents(motion: Motion) -> dict:
    return {
        "poses_3d": motion.poses_3d,
        "keypoints": motion.keypoints,
        "fps": motion.fps,
        "width": motion.width,
        "height": motion.height,
        "joints": list(motion.skeleton.joints),
    } | ({} if motion.focal_length is None else {"focal_length": motion.focal_length})


def _write_npz(motion: Motion, path: Path) -> None:
    np.savez_compressed(path, **_contents(motion))


def _write_json(motion: Motion, path: Path) -> None:
    plain = {k: np.round(v, 5).tolist() if isinstance(v, np.ndarray) else v for k, v in _contents(motion).items()}
    path.write_text(json.dumps(plain))


def _write_csv(motion: Motion, path: Path) -> None:
    names = [f"{joint} {column}" for joint in motion.skeleton.joints for column in COLUMNS]
    values = np.concatenate([motion.poses_3d, motion.keypoints], axis=-1).reshape(len(motion), -1)
    table = pd.DataFrame(values.round(5), columns=names)
    table.insert(0, "seconds", (np.arange(len(motion)) / motion.fps).round(5))
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(CSV_HEAD.format(motion.fps, motion.width, motion.height))
        stream.write("\n" if motion.focal_length is None else f" focal_length={motion.focal_length:g}\n")
        table.to_csv(stream, index=False)


def _read_csv(path: Path) -> dict:
    with path.open(encoding="utf-8") as stream:
        head = stream.readline()
        pattern = (
            re.escape(CSV_HEAD).replace(r"\{:g\}", r"(\S+)").replace(r"\{:d\}", r"(\d+)") + r"(?: focal_length=(\S+))?"
        )
        match = re.fullmatch(pattern, head.strip())
        if not match:
            raise ValueError(f"it begins with {head[:60]!r}, expected {CSV_HEAD.format(50, 1000, 1000)!r} or the like")
        table = pd.read_csv(stream)
    joints = list(H36M17.joints)
    wanted = ["seconds", *(f"{joint} {column}" for joint in joints for column in COLUMNS)]
    if list(table.columns) != wanted:
        raise ValueError(f"its columns begin with {', '.join(table.columns[:4])}, expected {', '.join(wanted[:4])}")
    values = table.to_numpy(np.float32)[:, 1:].reshape(len(table), len(joints), len(COLUMNS))
    fps, width, height, focal_length = match.groups()
    return {
        "poses_3d": values[..., :3], "keypoints": values[..., 3:], "joints": joints,
        "fps": fps, "width": width, "height": height, "focal_length": focal_length,
    }  # fmt: skip


def _write_bvh(motion: Motion, path: Path, world: bool) -> None:
    x, y, z = np.moveaxis((motion.world() if world else motion.upright()).astype(float), -1, 0)
    write_bvh(path, from_positions(np.stack([x, z, -y], axis=-1), motion.skeleton, motion.fps))  # y up, as BVH has it


def _write_animation(motion: Motion, path: Path, world: bool) -> None:
    from poseformer_lite.lifting.animation import write_animation

    write_animation(motion, path, world=world)


def _write_page(motion: Motion, path: Path, world: bool) -> None:
    """By what the viewers registered: they stand on motions, so this module must not import them."""
    (page,) = entry_points(group="poseformer_lite.motion_writers", name="html")
    page.load()(path, motion, world=world)


WRITERS: dict[str, Callable[..., None]] = {
    ".npz": _write_npz,
    ".json": _write_json,
    ".csv": _write_csv,
    ".bvh": _write_bvh,
    ".gif": _write_animation,
    ".mp4": _write_animation,
    ".html": _write_page,
}
IN_SPACE = (".bvh", ".gif", ".mp4", ".html")  # their writers are told whether to show the motion in the world
READERS: dict[str, Callable[[Path], dict]] = {
    ".npz": lambda path: dict(np.load(path)),  # np.load refuses pickles
    ".json": lambda path: json.loads(path.read_text(encoding="utf-8")),
    ".csv": _read_csv,
}
