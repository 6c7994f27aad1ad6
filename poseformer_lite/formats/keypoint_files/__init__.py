"""Keypoints of one's own: the files that detectors and the field's codes write, one person per track.

Each format is one function that takes a file's contents, and one line in `FORMATS`, by whose names the user may ask.
"""

import json
import re
import warnings
from pathlib import Path

import numpy as np

from poseformer_lite.files import atomic_path
from poseformer_lite.formats.keypoint_files.arrays import people_of_array, read_npy, read_npz
from poseformer_lite.formats.keypoint_files.json_files import READERS, load_json
from poseformer_lite.formats.keypoint_files.tables import read_csv, read_labels
from poseformer_lite.formats.keypoint_files.tracks import (
    KeypointTrack,
    Recording,
    frame_numbers,
    guess_layout,
    numbers,
    text_of,
    tracks_of,
    what_is_said,
)

__all__ = ["FORMATS", "KeypointTrack", "guess_layout", "is_recording", "read_keypoints", "write_keypoints"]
ENDINGS = (".npz", ".npy", ".json", ".csv")
FORMATS = {  # by name: what the file or the folder's files end in
    **dict.fromkeys(READERS, (".json",)),
    "json": (".json",), "csv": (".csv",), "deeplabcut": (".csv",), "yolo_labels": (".txt",),
    "npy": (".npy",), "npz": (".npz",), "videopose3d": (".npz",), "detectron2": (".npz",),
}  # fmt: skip


def read_keypoints(
    path: str | Path, format: str | None = None, fps: float | None = None, size: tuple[int, int] | None = None
) -> list[KeypointTrack]:
    """Read the keypoints that detectors and the field's codes write; no code in a file is run.

    People who have ids in the file go by these, and others are followed by where they are. What had to be guessed or
    joined is said by a warning.

    :param path: a file, .json, .csv, .npz or .npy, or a folder with one .json or YOLO label .txt a frame, as docs/
        lifting.md lists them
    :param format: one of `FORMATS`; by default the contents tell
    :param fps: frames per second where the file does not say it: decides how long somebody may be out of sight
    :param size: width and height of the video in pixels, where the file does not say it: needed for YOLO's labels.
    :returns: One track per person and video, the longest first.
    :raises FileNotFoundError: where there is no file
    :raises ValueError: for other contents; it names the file, what it holds and what was expected.
    """
    path = Path(path)
    if format is not None and format not in FORMATS:
        raise ValueError(f"there is no format {format!r}: choose one of {', '.join(FORMATS)}")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    if path.is_file() and path.suffix.lower() not in ENDINGS:
        raise ValueError(f"{path.name}: keypoints are read from {', '.join(ENDINGS)} files")
    try:
        read = _read_folder(path, format, size) if path.is_dir() else _read_file(path, format)
        tracks = tracks_of(read, fps) if isinstance(read, Recording) else read
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{path}: {error}") from error
    except (TypeError, KeyError, AttributeError, IndexError) as error:
        raise ValueError(f"{path}: its parts are not arranged as in any format that is read ({error!r})") from error
    if not tracks:
        raise ValueError(f"{path} holds no keypoints")
    return tracks


def _read_file(path: Path, format: str | None) -> list[KeypointTrack] | Recording:
    suffix = path.suffix.lower()
    if format and suffix not in FORMATS[format]:
        raise ValueError(f"{path.name} is no file of format {format}, which ends in {', '.join(FORMATS[format])}")
    if suffix == ".json":
        return _read_json(path, format)
    if suffix == ".csv":
        read, said = read_csv(path, format)
        joints = read.shape[1] if isinstance(read, np.ndarray) else ""
        if said:
            warnings.warn(f"{path.name} is read as {joints} joints: {', '.join(said)}", stacklevel=3)
        named = {"layout": "coco17"} if any("by their names" in text for text in said) else {}
        return people_of_array(read, path.stem, named) if isinstance(read, np.ndarray) else read
    return read_npz(path, format) if suffix == ".npz" else read_npy(path)


def _read_json(path: Path, format: str | None) -> list[KeypointTrack] | Recording:
    if (contents := load_json(path)) == []:
        return Recording({0: []})  # a frame in which nobody was found
    for name in [format] if format in READERS else READERS if format is None else ():
        if (recording := READERS[name](contents)) is not None:
            return recording
    if format in (None, "json") and isinstance(contents, dict) and "keypoints" in contents:
        return people_of_array(numbers(contents["keypoints"]), path.stem, what_is_said(contents))
    raise ValueError(
        f"it is not what {format} writes" if format else
        f"it is none of the formats {', '.join(READERS)}, nor {{'keypoints': …}}"
    )  # fmt: skip


def is_recording(folder: str | Path) -> bool:
    """Whether a folder holds one video's keypoints, a file a frame.

    :param folder: it.
    :returns: True for YOLO's labels, and where its first .json is of one frame; False for files of whole videos
    :raises ValueError: never; what cannot be read is no recording.
    """
    files = _frames_in(Path(folder))
    if not files or files[0].suffix == ".txt":
        return bool(files)
    try:
        recording = _read_json(files[0], None)
    except ValueError:
        return False
    return isinstance(recording, Recording) and len(recording.frames) == 1


def _frames_in(folder: Path, endings: tuple[str, ...] = (".json", ".txt")) -> list[Path]:
    files = [path for path in folder.iterdir() if not path.name.startswith(".") and path.name != "classes.txt"]
    for suffix in endings:
        if found := [path for path in files if path.suffix.lower() == suffix]:
            return sorted(found, key=lambda path: ([int(n) for n in re.findall(r"\d+", path.stem)], path.name))
    return []


def _read_folder(folder: Path, format: str | None, size: tuple[int, int] | None) -> Recording:
    """One file a frame; where they lack a number, their order counts."""
    files = _frames_in(folder, FORMATS[format] if format else (".json", ".txt"))
    if not files:
        raise ValueError("it is a folder without .json files or YOLO's .txt labels, one a frame")
    names = frame_numbers([path.stem for path in files])
    if files[0].suffix == ".txt":
        if size is None:
            raise ValueError("YOLO's labels are shares of the picture: say its width and height")
        scale = np.array([*size, 1], np.float32)
        frames = {
            names[path.stem]: [(who, person * scale[: person.shape[1]]) for who, person in read_labels(text_of(path))]
            for path in files
        }
        return Recording(frames, {"width": size[0], "height": size[1]})
    frames, said = {}, {}
    for path in files:
        recording = _read_json(path, format)
        if not isinstance(recording, Recording) or len(recording.frames) > 1:
            raise ValueError(f"{path} is not of one frame, as expected in a folder of frames: lift such files singly")
        frames[names[path.stem]] = next(iter(recording.frames.values()), [])
        said |= recording.said
    return Recording(frames, said)


def write_keypoints(tracks: list[KeypointTrack], path: str | Path) -> Path:
    """Write people's keypoints so that `read_keypoints` reads them again, whole or not at all.

    :param tracks: of one video: of one layout, rate and size
    :param path: .npz, or .json.
    :returns: The path.
    :raises ValueError: for another ending
    :raises OSError: where the disk is full.
    """
    path, first = Path(path), tracks[0]
    if path.suffix.lower() not in (".npz", ".json"):
        raise ValueError(f"keypoints are written as .npz or .json, not {path.name!r}")
    ends = [round(track.start) + len(track.keypoints) for track in tracks]
    total = max([*ends, round(first.total or 0)])
    keypoints = np.full((len(tracks), total, *first.keypoints.shape[1:]), np.nan, np.float32)  # (P, T, J, 2 or 3)
    for person, track in zip(keypoints, tracks, strict=True):
        person[round(track.start) : round(track.start) + len(track.keypoints)] = track.keypoints
    said = {key: getattr(first, key) for key in ("fps", "width", "height", "layout")}
    said = {key: value for key, value in said.items() if value is not None}
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".npz":
            np.savez_compressed(temporary, keypoints=keypoints, **said)
        else:
            plain = np.where(np.isfinite(keypoints), keypoints.astype(float).round(3).astype(object), None).tolist()
            temporary.write_text(json.dumps({**said, "keypoints": plain}), encoding="utf-8")
    return path
