"""A motion on disk: numbers that come back (.npz, .json, .csv), skeletons, markers, pictures that move, a page."""

import json
import math
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
from poseformer_lite.formats.gltf import write_glb
from poseformer_lite.formats.safe_npz import load_npz
from poseformer_lite.formats.trc import write_trc
from poseformer_lite.lifting.motion import Motion, every_frame
from poseformer_lite.skeleton import H36M17

LONGEST = {".gif": 3_000, ".html": 38_000}  # a GIF's pictures are in memory until it is written, 0.8 MB each
CSV_HEAD = "# poseformer-lite motion: fps={:g} width={:d} height={:d}"
COLUMNS = ("x_m", "y_m", "z_m", "u_px", "v_px")
MARKS = {"confidence": np.float32, "filled": bool}  # of a motion that knows them, a number a joint
SPACE = {  # said in every file of numbers, for readers of it; `read_motion` does not need it
    "poses_3d_space": "camera: x right, y down, z away from the camera; metres; the hip at the origin",
    "keypoints_space": "image: x right, y down, from its upper left corner; pixels",
}


def write_motion(motion: Motion, path: str | Path, world: bool | np.ndarray = True) -> Path:
    """`Motion.save`."""
    path = Path(path)
    check_motion_output(path, len(motion), motion.fps)
    ending, space = path.suffix.lower(), []
    if ending in IN_SPACE:
        positions = world if isinstance(world, np.ndarray) else motion.world() if world else motion.upright()
        space = [array(positions, "world", len(motion), motion.skeleton.num_joints, 3, unit="metres")]
    with atomic_path(path) as temporary:
        WRITERS[ending](motion, temporary, *space)
    return path


def check_motion_output(path: str | Path, frames: int = 1, fps: float = 25.0) -> None:
    """Raises ValueError or OSError where a motion of that length cannot be written there, so before it is made."""
    path, pictures = Path(path), math.ceil(frames / every_frame(fps))
    ending = path.suffix.lower()
    if ending not in WRITERS:
        raise ValueError(f"a motion is saved as {', '.join(WRITERS)}, not {path.name!r}")
    if ending == ".mp4" and not shutil.which("ffmpeg"):
        raise ValueError(f"{path.name} needs the program ffmpeg, which is not installed: install it, or write a .gif")
    if (length := pictures if ending == ".gif" else frames) > (most := LONGEST.get(ending, length)):
        raise ValueError(f"{path.name} would have {length:,} frames, a {ending} can have {most:,}: save a part")
    check_output(path, size=400 * frames)  # at least


def read_motion(path: str | Path) -> Motion:
    """`Motion.load`."""
    path = Path(path)
    if path.suffix.lower() not in READERS:
        raise ValueError(f"a motion is read from {', '.join(READERS)}, not {path.name!r}")
    with reading(path, "motion"):
        contents = table(READERS[path.suffix.lower()](path), "what it holds")
        if tuple(map(str, contents["joints"])) != H36M17.joints:
            raise ValueError(f"it has {len(contents['joints'])} joints, expected those of {H36M17.name}")
        poses, keypoints = (array(contents[name], name, "T", 17, "2 or 3") for name in ("poses_3d", "keypoints"))
        width, height = (number(contents[name], name, whole=True) for name in ("width", "height"))
        marks = {
            name: array(contents[name], name, len(poses), 17).astype(kind)
            for name, kind in MARKS.items()
            if contents.get(name) is not None
        }
        known = {"start": number(contents.get("start", 0.0), "start", 0), "focal_length": contents.get("focal_length")}
        known["focal_length"] = known["focal_length"] and number(known["focal_length"], "focal_length", over=0)
        return Motion(poses, keypoints, number(contents["fps"], "fps"), width, height, **known, **marks)


def _contents(motion: Motion) -> dict:
    names = ("poses_3d", "keypoints", "fps", "width", "height", "start", "focal_length", *MARKS)
    known = {name: getattr(motion, name) for name in names}
    known = {name: value for name, value in known.items() if value is not None}
    return {**known, "joints": list(motion.skeleton.joints), **SPACE}


def _write_npz(motion: Motion, path: Path) -> None:
    with path.open("wb") as stream:  # a path that ends in .NPZ would be given a second ending
        np.savez_compressed(stream, **_contents(motion))


def _write_json(motion: Motion, path: Path) -> None:
    with path.open("w", encoding="utf-8") as stream:
        for number, (name, values) in enumerate(_contents(motion).items()):
            stream.write(f'{", " if number else "{"}"{name}": ')
            if isinstance(values, np.ndarray):
                frames = (frame.astype(float).round(5).tolist() for frame in values)
                stream.writelines(f"{', ' if t else '['}{json.dumps(f, allow_nan=False)}" for t, f in enumerate(frames))
            stream.write("]" if isinstance(values, np.ndarray) else json.dumps(values, allow_nan=False))
        stream.write("}")


def _write_csv(motion: Motion, path: Path) -> None:
    marks = [(name, getattr(motion, name)) for name in MARKS if getattr(motion, name) is not None]
    columns = (*COLUMNS, *(name for name, _ in marks))
    names = [f"{joint} {column}" for joint in motion.skeleton.joints for column in columns]
    values = [motion.poses_3d, motion.keypoints, *(values[..., None] for _, values in marks)]
    table = pd.DataFrame(np.concatenate(values, axis=-1).reshape(len(motion), -1).round(5), columns=names)
    table.insert(0, "seconds", (motion.start + np.arange(len(motion)) / motion.fps).round(5))
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write(CSV_HEAD.format(motion.fps, motion.width, motion.height))
        stream.write("\n" if motion.focal_length is None else f" focal_length={motion.focal_length:g}\n")
        stream.writelines(f"# {name}: {words}\n" for name, words in SPACE.items())
        table.to_csv(stream, index=False)


def _read_csv(path: Path) -> dict:
    with path.open(encoding="utf-8") as stream:
        head = stream.readline()
        known = dict(part.partition("=")[::2] for part in head.split()[3:])
        if head.split()[:3] != CSV_HEAD.split()[:3] or not {"fps", "width", "height"} <= set(known):
            raise ValueError(f"it begins with {head[:60]!r}, expected {CSV_HEAD.format(50, 1000, 1000)!r} or the like")
        table = pd.read_csv(stream, comment="#")
    joints = list(H36M17.joints)
    columns = (*COLUMNS, *(name for name in MARKS if f"{joints[0]} {name}" in table.columns))
    wanted = ["seconds", *(f"{joint} {column}" for joint in joints for column in columns)]
    if list(table.columns) != wanted:
        raise ValueError(f"its columns begin with {', '.join(table.columns[:4])}, expected {', '.join(wanted[:4])}")
    values = table.apply(pd.to_numeric, errors="coerce").to_numpy(float)
    for row, column in np.argwhere(~(np.abs(values) < 1e30))[:1]:
        found = f"row {row + 1} after its names, column {column + 1} ({wanted[column]})"
        raise ValueError(f"{found} holds {table.iat[row, column]}, expected a finite number")
    values = values[:, 1:].reshape(len(table), len(joints), len(columns)).astype(np.float32)
    return {
        "poses_3d": values[..., :3], "keypoints": values[..., 3:5], "joints": joints,
        **{name: parsed(word, f"its first line, {name}") for name, word in known.items()},
        "start": table["seconds"].iloc[0] if len(table) else 0.0,
        **{name: values[..., columns.index(name)] for name in columns[len(COLUMNS):]},
    }  # fmt: skip


def _y_up(positions: np.ndarray) -> np.ndarray:
    """(T, 17, 3) metres with z up to x right, y up, z towards the camera, as BVH, glTF and TRC have it."""
    x, y, z = np.moveaxis(positions.astype(float), -1, 0)
    return np.stack([x, z, -y], axis=-1)


def _write_animation(motion: Motion, path: Path, positions: np.ndarray) -> None:
    from poseformer_lite.lifting.animation import write_animation

    write_animation(motion, path, positions)


def _write_page(motion: Motion, path: Path, positions: np.ndarray) -> None:
    """By what the viewers registered: they stand on motions, so this module must not import them."""
    (page,) = entry_points(group="poseformer_lite.motion_writers", name="html")
    rest = {"keypoints": motion.keypoints, "skeleton": motion.skeleton, "fps": motion.fps}
    page.load()(path, positions, world=True, **rest)


WRITERS: dict[str, Callable[..., None]] = {
    ".npz": _write_npz,
    ".json": _write_json,
    ".csv": _write_csv,
    ".bvh": lambda motion, path, at: write_bvh(path, from_positions(_y_up(at), motion.skeleton, motion.fps)),
    ".glb": lambda motion, path, at: write_glb(path, _y_up(at), motion.skeleton, motion.fps),
    ".trc": lambda motion, path, at: write_trc(path, motion.skeleton.joints, _y_up(at), motion.fps),
    ".gif": _write_animation,
    ".mp4": _write_animation,
    ".html": _write_page,
}
IN_SPACE = (".bvh", ".glb", ".trc", ".gif", ".mp4", ".html")  # whose writers are also given positions with z up
READERS: dict[str, Callable[[Path], dict]] = {
    ".npz": load_npz,
    ".json": lambda path: read_json(path, "motion"),
    ".csv": _read_csv,
}
