"""A motion on disk: numbers that come back (.npz, .json, .csv), joint angles (.bvh), pictures that move, a page."""

import json
import math
import re
import shutil
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pandas as pd

from poseformer_lite.checked import array, number, parsed, read_json, reading, table
from poseformer_lite.files import atomic_path, check_output
from poseformer_lite.formats.articulated import from_positions
from poseformer_lite.formats.bvh import write_bvh
from poseformer_lite.formats.safe_npz import load_npz
from poseformer_lite.lifting.motion import Motion, every_frame
from poseformer_lite.skeleton import H36M17

LONGEST = {".gif": 3_000, ".html": 38_000}  # a GIF's pictures are in memory until it is written, 0.8 MB each
CSV_HEAD = "# poseformer-lite motion: fps={:g} width={:d} height={:d}"
COLUMNS = ("x_m", "y_m", "z_m", "u_px", "v_px")


def write_motion(motion: Motion, path: str | Path) -> Path:
    """`Motion.save`."""
    path = Path(path)
    check_motion_output(path, len(motion), motion.fps)
    with atomic_path(path) as temporary:
        WRITERS[path.suffix](motion, temporary)
    return path


def check_motion_output(path: str | Path, frames: int = 1, fps: float = 25.0) -> None:
    """Raises ValueError or OSError where a motion of that length cannot be written there, so before it is made."""
    path, pictures = Path(path), math.ceil(frames / every_frame(fps))
    if path.suffix not in WRITERS:
        raise ValueError(f"a motion is saved as {', '.join(WRITERS)}, not {path.name!r}")
    if path.suffix == ".mp4" and not shutil.which("ffmpeg"):
        raise ValueError(f"{path.name} needs the program ffmpeg, which is not installed: install it, or write a .gif")
    if (length := pictures if path.suffix == ".gif" else frames) > (most := LONGEST.get(path.suffix, length)):
        raise ValueError(f"{path.name} would have {length:,} frames, a {path.suffix} can have {most:,}: save a part")
    check_output(path)


def read_motion(path: str | Path) -> Motion:
    """`Motion.load`."""
    path = Path(path)
    if path.suffix not in READERS:
        raise ValueError(f"a motion is read from {', '.join(READERS)}, not {path.name!r}")
    with reading(path, "motion"):
        contents = table(READERS[path.suffix](path), "what it holds")
        if tuple(map(str, contents["joints"])) != H36M17.joints:
            raise ValueError(f"it has {len(contents['joints'])} joints, expected those of {H36M17.name}")
        poses, keypoints = (array(contents[name], name, "T", 17, "2 or 3") for name in ("poses_3d", "keypoints"))
        width, height = (number(contents[name], name, whole=True) for name in ("width", "height"))
        return Motion(poses, keypoints, number(contents["fps"], "fps"), width, height)


def _contents(motion: Motion) -> dict:
    return {
        "poses_3d": motion.poses_3d,
        "keypoints": motion.keypoints,
        "fps": motion.fps,
        "width": motion.width,
        "height": motion.height,
        "joints": list(motion.skeleton.joints),
    }


def _write_npz(motion: Motion, path: Path) -> None:
    np.savez_compressed(path, **_contents(motion))


def _write_json(motion: Motion, path: Path) -> None:
    plain = {k: np.round(v, 5).tolist() if isinstance(v, np.ndarray) else v for k, v in _contents(motion).items()}
    path.write_text(json.dumps(plain, allow_nan=False))


def _write_csv(motion: Motion, path: Path) -> None:
    names = [f"{joint} {column}" for joint in motion.skeleton.joints for column in COLUMNS]
    values = np.concatenate([motion.poses_3d, motion.keypoints], axis=-1).reshape(len(motion), -1)
    table = pd.DataFrame(values.round(5), columns=names)
    table.insert(0, "seconds", (np.arange(len(motion)) / motion.fps).round(5))
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
    wanted = ["seconds", *(f"{joint} {column}" for joint in joints for column in COLUMNS)]
    if list(table.columns) != wanted:
        raise ValueError(f"its columns begin with {', '.join(table.columns[:4])}, expected {', '.join(wanted[:4])}")
    values = table.to_numpy(np.float32)[:, 1:].reshape(len(table), len(joints), len(COLUMNS))
    fps, width, height = (parsed(word, "its first line") for word in match.groups())
    return {
        "poses_3d": values[..., :3], "keypoints": values[..., 3:], "joints": joints,
        "fps": fps, "width": width, "height": height,
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
    ".npz": load_npz,
    ".json": lambda path: read_json(path, "motion"),
    ".csv": _read_csv,
}
