"""Keypoints of one's own: the files that detectors and the field's codes write, one person per track."""

import csv
import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poseformer_lite.formats.safe_npz import load_npz
from poseformer_lite.keypoints import LAYOUTS
from poseformer_lite.skeleton import SKELETONS

MISSING = ("", "none", "nan", "null", "na")  # cells of a table without a number
# Names of the layouts in other codes' metadata.
_LAYOUT_NAMES = {"coco": "coco17", "h36m": "h36m17", **{name: name for name in LAYOUTS}}


@dataclass(frozen=True, eq=False)
class KeypointTrack:
    """One person's keypoints over a video. keypoints: (T, J, 2 or 3), pixels and perhaps a confidence.

    layout, fps, width and height are None where the file does not say.
    """

    name: str
    keypoints: np.ndarray
    layout: str | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None


def read_keypoints(path: str | Path) -> list[KeypointTrack]:
    """Read the keypoints that detectors and the field's codes write; no code in a file is run.

    :param path: npz: VideoPose3D's custom layout, the PoseFormer demo's `reconstruction` (M, T, 17, 2), or an array
        `keypoints` of (T, J, 2 or 3), perhaps beside fps, width, height and layout. npy: (T, J, 2 or 3). json:
        AlphaPose's list of records, or {"keypoints": …}. csv: perhaps a header, then one row a frame with x0, y0, x1,
        y1, … in pixels, or with a confidence after each pair; a first column that counts the frames is left out, and
        a warning says so.
    :returns: One track per person and video, the longest first.
    :raises FileNotFoundError: where there is no file
    :raises ValueError: for other contents; it names the file, what it holds and what was expected.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    readers = {".npz": _read_npz, ".npy": _read_npy, ".json": _read_json, ".csv": _read_csv}
    if path.suffix.lower() not in readers:
        raise ValueError(f"{path.name}: keypoints are read from {', '.join(readers)} files")
    tracks = readers[path.suffix.lower()](path)
    for track in tracks:
        shape = track.keypoints.shape
        if len(shape) != 3 or shape[-1] not in (2, 3) or shape[0] == 0:
            raise ValueError(f"{path}: {track.name} is {shape}, expected (T, J, 2) or (T, J, 3) with T of 1 or more")
    if not tracks:
        raise ValueError(f"{path} holds no keypoints")
    return sorted(tracks, key=lambda track: -len(track.keypoints))


def guess_layout(num_joints: int) -> str:
    """The layout with that many joints.

    :param num_joints: J.
    :returns: Its name.
    :raises ValueError: for none, and for 17, which may be COCO or Human3.6M: it must be said.
    """
    fitting = [name for name in LAYOUTS if SKELETONS[name].num_joints == num_joints]
    if len(fitting) != 1:
        known = ", ".join(f"{name} ({SKELETONS[name].num_joints})" for name in LAYOUTS)
        names = " or ".join(fitting) or "none of our layouts"
        raise ValueError(f"{num_joints} joints can be {names}: say which of {known}")
    return fitting[0]


def _read_npz(path: Path) -> list[KeypointTrack]:
    contents = load_npz(path)
    if "positions_2d" in contents:
        return _videopose3d_custom(contents, path)
    if "reconstruction" in contents:
        people = _numbers(contents["reconstruction"], path)
        return [KeypointTrack(f"person {i}", person, layout="h36m17") for i, person in enumerate(people)]
    if "keypoints" in contents:
        said = {
            key: np.asarray(contents[key]).item() for key in ("fps", "width", "height", "layout") if key in contents
        }
        return [KeypointTrack(path.stem, _numbers(contents["keypoints"], path), **said)]
    raise ValueError(
        f"{path} holds {', '.join(contents) or 'nothing'}: expected positions_2d, reconstruction or keypoints"
    )


def _videopose3d_custom(contents: dict, path: Path) -> list[KeypointTrack]:
    positions, metadata = contents["positions_2d"], contents.get("metadata", {})
    nested = [positions, metadata, *(positions.values() if isinstance(positions, dict) else [])]
    if not all(isinstance(part, dict) for part in nested):
        raise ValueError(f"{path}: expected positions_2d: {{video: {{'custom': [(T, J, 2)]}}}} and metadata: {{…}}")
    layout = _LAYOUT_NAMES.get(metadata.get("layout_name"))
    tracks = []
    for video, actions in positions.items():
        size = metadata.get("video_metadata", {}).get(video, {})
        for action, people in actions.items():
            for index, person in enumerate(people):
                name = video if (action, index) == ("custom", 0) else f"{video}, {action}, {index}"
                keypoints = _numbers(person, path)
                tracks.append(KeypointTrack(name, keypoints, layout, width=size.get("w"), height=size.get("h")))
    return tracks


def _read_npy(path: Path) -> list[KeypointTrack]:
    try:
        with open(path, "rb") as stream:
            array = np.lib.format.read_array(stream, allow_pickle=False)
        return [KeypointTrack(path.stem, array.astype(np.float32))]
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path} is not a plain array ({error}): save it with np.save from numbers") from error


def _read_json(path: Path) -> list[KeypointTrack]:
    try:
        contents = json.loads(path.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}): it may be cut off") from error
    if isinstance(contents, dict) and "keypoints" in contents:
        said = {key: contents[key] for key in ("fps", "width", "height", "layout") if key in contents}
        return [KeypointTrack(path.stem, _numbers(contents["keypoints"], path), **said)]
    if isinstance(contents, list) and contents and all(isinstance(r, dict) and "keypoints" in r for r in contents):
        return _alphapose(contents, path)
    raise ValueError(f"{path}: expected AlphaPose's list of records with image_id and keypoints, or {{'keypoints': …}}")


def _alphapose(records: list[dict], path: Path) -> list[KeypointTrack]:
    """Records of flat (x, y, score) triples; frames by the number in image_id, people by idx where there is one.

    Without tracking (no idx) the most certain person of each frame is taken. A frame in which a person was not found
    has NaN.
    """
    frames = [_frame_number(record, path) for record in records]
    tracked = all("idx" in record for record in records)
    people: dict[str, dict[int, dict]] = {}
    for frame, record in zip(frames, records, strict=True):
        person = people.setdefault(str(record["idx"]) if tracked else "0", {})
        if frame not in person or record.get("score", 0) > person[frame].get("score", 0):
            person[frame] = record
    tracks = []
    for name, found in people.items():
        shapes = {_numbers(record["keypoints"], path).shape for record in found.values()}
        if len(shapes) != 1 or len(shape := shapes.pop()) != 1 or shape[0] % 3:
            raise ValueError(f"{path}: keypoints of person {name} are not all flat (x, y, score) triples of one length")
        joints = shape[0] // 3
        keypoints = np.full((max(frames) - min(frames) + 1, joints, 3), np.nan, dtype=np.float32)
        keypoints[..., 2] = 0
        for frame, record in found.items():
            keypoints[frame - min(frames)] = _numbers(record["keypoints"], path).reshape(-1, 3)
        try:
            layout = guess_layout(joints) if joints != 17 else "coco17"  # what AlphaPose writes with 17 joints
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        tracks.append((len(found), KeypointTrack(f"person {name}", keypoints, layout)))
    return [track for _, track in sorted(tracks, key=lambda pair: -pair[0])]


def _frame_number(record: dict, path: Path) -> int:
    digits = re.findall(r"\d+", str(record.get("image_id", "")))
    if not digits:
        raise ValueError(f"{path}: image_id {record.get('image_id')!r} has no frame number, expected such as '12.jpg'")
    return int(digits[-1])


def _numbers(values, path: Path) -> np.ndarray:
    try:
        return np.array(values, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: keypoints are not a regular array of numbers ({error})") from error


def _read_csv(path: Path) -> list[KeypointTrack]:
    rows = _cells(path)
    header = rows[0] if rows and _is_header(rows[0]) else None
    try:
        table = np.array([[_cell(text) for text in row] for row in (rows[1:] if header else rows)], dtype=np.float32)
    except ValueError as error:
        raise ValueError(f"{path} is not a table of numbers after its header ({error})") from error
    if table.size == 0:
        raise ValueError(f"{path} has no rows of numbers, expected one a frame: x0, y0, x1, y1, …")
    said = []
    if _counts(table[:, 0]):
        table = table[:, 1:]
        said.append("its first column counts the frames and is left out")
    if table.shape[1] % 3 == 0 and _are_confidences(table[:, 2::3]):
        keypoints = table.reshape(len(table), -1, 3)
        said.append("every third number is a confidence")
    elif table.shape[1] % 2 == 0:
        keypoints = table.reshape(len(table), -1, 2)
    else:
        raise ValueError(
            f"{path} has rows of {table.shape[1]} numbers, expected x0, y0, x1, y1, … or x0, y0, c0, x1, y1, c1, … "
            "with confidences from 0 to 1, after a column that counts the frames or without one"
        )
    if said:
        warnings.warn(f"{path.name} is read as {keypoints.shape[1]} joints: {', '.join(said)}", stacklevel=3)
    return [KeypointTrack(path.stem, keypoints)]


def _cells(path: Path) -> list[list[str]]:
    """The rows of a table that commas, semicolons or tabs divide, empty ones left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a table in UTF-8 ({error}): save it as CSV UTF-8") from error
    first = text.partition("\n")[0]
    divider = max(";,\t", key=first.count)
    return [row for row in csv.reader(text.splitlines(), delimiter=divider) if any(cell.strip() for cell in row)]


def _is_header(row: list[str]) -> bool:
    """Whether most of a row's cells are words."""
    return sum(not _is_number(text) for text in row) > len(row) / 2


def _is_number(text: str) -> bool:
    try:
        _cell(text)
    except ValueError:
        return False
    return True


def _cell(text: str) -> float:
    return np.nan if text.strip().lower() in MISSING else float(text)  # a joint that was not found


def _counts(column: np.ndarray) -> bool:
    """Whether a column rises by one from row to row, as frame numbers do and no joint."""
    return len(column) > 2 and bool((np.diff(column) == 1).all())


def _are_confidences(columns: np.ndarray) -> bool:
    found = columns[np.isfinite(columns)]
    return bool(((found >= 0) & (found <= 1)).all())
