"""Tables of keypoints: CSV with any divider, with or without a header, DeepLabCut's three rows of it, YOLO's labels."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from poseformer_lite.formats.keypoint_files.names import are_coco, in_coco_order
from poseformer_lite.formats.keypoint_files.tracks import KNOWN_COUNTS, Recording, frame_numbers, text_of

FARTHEST = 1e30  # single precision ends soon after; times may be nanoseconds
MISSING = ("", "none", "nan", "null", "na")  # cells of a table without a number
FRAME_NAMES = ("frame", "frame_id", "frame_idx", "image", "image_id", "index", "time", "timestamp", "seconds")
PERSON_NAMES = ("person", "person_id", "id", "track_id", "track")
AXIS = re.compile(r"[\s_.-]*(x|y|z|c|conf|confidence|score|likelihood|visibility|v)$", re.IGNORECASE)


def read_csv(path: Path, format: str | None = None) -> tuple[Recording | np.ndarray, list[str]]:
    """A table's people, or the keypoints (T, J, 2 or 3) of one; and what the user should know of how it was read."""
    rows = _cells(path)
    first = next(iter(rows.values()), [""])
    if first[0].strip().lower() == "scorer":
        return read_deeplabcut(rows), []
    if format == "deeplabcut":
        raise ValueError("it is not what deeplabcut writes, whose first row begins with scorer")
    names = [text.strip() for text in rows.pop(next(iter(rows)))] if _is_header(first) else None
    table = _numbers(rows, names or [])
    if table.size == 0:
        raise ValueError("it has no rows of numbers, expected one a frame: x0, y0, x1, y1, …")
    said, keys = [], {}
    while _counts(table[:, 0]) or (names and names[0].lower() in (*FRAME_NAMES, *PERSON_NAMES)):
        named = names[0] if names else ""
        if _counts(table[:, 0]):
            said.append("its first column counts the frames and is left out")
        else:
            keys["person" if named.lower() in PERSON_NAMES else "frame"] = table[:, 0]
            said.append(f"its column {named!r} says who or when")
        table, names = table[:, 1:], names and names[1:]
    keypoints, more = as_keypoints(table.astype(np.float32), names)
    said += more
    counted = keys.get("frame")
    if counted is None or not np.array_equal(counted, np.floor(counted)):  # seconds are no numbers of frames
        return keypoints, said
    people = [str(int(who)) for who in keys["person"]] if "person" in keys else ["0"] * len(table)
    frames: dict[int, list] = {}
    for frame, who, row in zip(counted, people, keypoints, strict=True):
        frames.setdefault(int(frame), []).append((who, row))
    return Recording(frames), said


def as_keypoints(table: np.ndarray, names: list[str] | None = None) -> tuple[np.ndarray, list[str]]:
    """Rows of numbers (T, N) -> (T, J, 2 or 3), and what was found out: x, y, or with a confidence, or x, y, z, c.

    Raises ValueError for numbers that are none of these.
    """
    N, said = table.shape[1], []
    sure = {size: N % size == 0 and are_confidences(table[:, size - 1 :: size]) for size in (3, 4)}
    fitting = [size for size in (3, 4) if sure[size]] + [2] * (N % 2 == 0) + [3] * (N % 3 == 0)
    size = next((size for size in fitting if N // size in KNOWN_COUNTS), next(iter(fitting), 0))
    if not size or (size == 3 and not sure[3] and N // 3 not in KNOWN_COUNTS):
        raise ValueError(
            f"it has rows of {N} numbers, expected x0, y0, x1, y1, … or x0, y0, c0, x1, y1, c1, … with confidences "
            "from 0 to 1, after a column that counts the frames or without one"
        )
    keypoints = table.reshape(len(table), -1, size)
    if size == 4:
        keypoints, more = without_depth(keypoints)
        said += more
    elif size == 3 and sure[3]:
        said.append("every third number is a confidence")
    joints = [AXIS.sub("", name) for name in names[::size]] if names else []
    if joints and are_coco(joints):
        keypoints = in_coco_order(keypoints, joints)
        said.append("its joints are put in COCO's order by their names")
    return keypoints, said


def without_depth(keypoints: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """(..., 4), x, y, z and a confidence -> (..., 3), and that it was done."""
    return keypoints[..., [0, 1, 3]], ["of x, y, z and a confidence, z is left out"]


def are_confidences(columns: np.ndarray) -> bool:
    """Whether all numbers that are there lie from 0 to 1."""
    found = columns[np.isfinite(columns)]
    return bool(((found >= 0) & (found <= 1)).all())


def read_deeplabcut(rows: dict[int, list[str]]) -> Recording:
    """DeepLabCut's table: rows of scorer, perhaps individuals, bodyparts and coords, then one row a frame."""
    heads = {}
    for line, row in list(rows.items())[:4]:
        if (name := row[0].strip().lower()) in ("scorer", "individuals", "bodyparts", "coords"):
            heads[name] = [text.strip() for text in rows.pop(line)]
    if not rows or "bodyparts" not in heads or "coords" not in heads:
        raise ValueError("it begins with a row of scorer, as DeepLabCut's do, but has no rows of bodyparts and coords")
    who = heads.get("individuals", ["0"] * len(heads["bodyparts"]))
    held = sum(coord in ("x", "y", "likelihood") for coord in heads["coords"])
    first = len(next(iter(rows.values()))) - held  # columns of an index
    parts: dict[str, dict[str, dict[str, int]]] = {}
    for column in range(first, len(heads["coords"])):
        joints = parts.setdefault(who[column], {})
        joints.setdefault(heads["bodyparts"][column], {})[heads["coords"][column]] = column
    table = _numbers(rows, heads["bodyparts"], first)
    order = frame_numbers([row[first - 1] for row in rows.values()]) if first else {}
    frames: dict[int, list] = {}
    for i, (row, values) in enumerate(zip(rows.values(), table, strict=True)):
        people = frames.setdefault(order[row[first - 1]] if first else i, [])
        for person, joints in parts.items():
            columns = [[at[axis] - first for axis in ("x", "y", "likelihood") if axis in at] for at in joints.values()]
            found = np.array([[values[column] for column in joint] for joint in columns], np.float32)
            if np.isfinite(found[:, :2]).any():
                people.append((person, in_coco_order(found, list(joints))))
    return Recording(frames, {"layout": "coco17"})


def read_labels(text: str) -> list[tuple[str | None, np.ndarray]]:
    """The people of one YOLO label: class, box, and x, y and perhaps a visibility of each joint, in shares of it.

    After them may stand the box's confidence and a track's id.
    """
    found = []
    for line, row in enumerate(map(str.split, text.splitlines()), 1):
        if not row:
            continue
        values = _numbers({line: row})[0, 5:].tolist()
        fitting = [
            (joints, size, rest)
            for size in (3, 2)
            for joints in sorted(KNOWN_COUNTS)
            if 0 <= (rest := len(values) - joints * size) <= 2
        ]
        if not fitting:
            raise ValueError(f"a line has {len(values)} numbers after its box, which fit no layout's joints")
        joints, size, rest = fitting[0]
        last = values[-1] if rest else 0.5
        who = str(int(last)) if rest == 2 or (rest and last.is_integer() and last > 1) else None
        found.append((who, np.array(values[: joints * size], np.float32).reshape(joints, size)))
    return found


def _cells(path: Path) -> dict[int, list[str]]:
    """The rows of a table that commas, semicolons or tabs divide, by their lines in the file; a decimal comma is a
    point, and empty rows are left out.
    """
    text = text_of(path)
    first = text.partition("\n")[0]
    divider = max(";,\t", key=first.count) if ";" not in first else ";"
    reader, comma = csv.reader(text.splitlines(), delimiter=divider), "," if divider == ";" else "."
    try:
        rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}, as where a quote is not closed") from error
    return {line: [cell.replace(comma, ".") for cell in row] for line, row in rows}


def _numbers(rows: dict[int, list[str]], names: Sequence[str] = (), first: int = 0) -> np.ndarray:
    """(T, N), rows by their lines without the first columns; ValueError names line and column of what is no number."""
    values, width = [], len(next(iter(rows.values()), []))
    for line, row in rows.items():
        if len(row) != width:
            raise ValueError(f"line {line} has {len(row)} cells, expected {width} as in the first row of numbers")
        try:
            values.append([_cell(text) for text in row[first:]])
        except ValueError:
            column = next(i for i, text in enumerate(row) if i >= first and not _is_number(text))
            named = f" ({names[column]})" if names[column:] else ""
            found = f"line {line}, column {column + 1}{named} holds {row[column][:60]!r}"
            raise ValueError(f"{found}, expected a number, or nothing for a joint that was not found") from None
    return np.array(values, dtype=np.float64)


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
    value = np.nan if text.strip().lower() in MISSING else float("?" if "_" in text else text)  # 1_0 would be 10
    if abs(value) > FARTHEST:
        raise ValueError
    return value


def _counts(column: np.ndarray) -> bool:
    """Whether a column rises by one from row to row, as frame numbers do and no joint."""
    return len(column) > 2 and bool((np.diff(column) == 1).all())
