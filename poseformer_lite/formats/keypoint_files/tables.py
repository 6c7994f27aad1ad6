"""Tables of keypoints: CSV with any divider, with or without a header, DeepLabCut's three rows of it, YOLO's labels."""

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from poseformer_lite.formats.keypoint_files.names import are_coco, in_coco_order
from poseformer_lite.formats.keypoint_files.tracks import KNOWN_COUNTS, Recording, frame_numbers, text_of

MISSING = ("", "none", "nan", "null", "na")  # cells of a table without a number
FARTHEST = 1e30  # single precision ends soon after; times may be nanoseconds
FRAME_NAMES = ("frame", "frame_id", "frame_idx", "image", "image_id", "index", "time", "timestamp", "seconds")
PERSON_NAMES = ("person", "person_id", "id", "track_id", "track")
JOINT_NAMES = ("joint", "joint_id", "landmark", "landmark_id", "landmark_index", "keypoint", "keypoint_id", "bodypart")
_AXES = "x|y|z|c|conf|confidence|score|likelihood|visibility|vis|v"
AXES = [  # of left_shoulder_x, x_left_shoulder or x3, and left_shoulderx
    re.compile(rf"(?P<joint>.*)[\s_.-](?P<axis>{_AXES})", re.IGNORECASE),
    re.compile(rf"(?P<axis>{_AXES})(?:[\s_.-]+(?P<joint>.+)|(?P<number>\d*))", re.IGNORECASE),
    re.compile(rf"(?P<joint>.*?)(?P<axis>{_AXES})", re.IGNORECASE),
]


def read_csv(path: Path, format: str | None = None) -> tuple[Recording | np.ndarray, list[str]]:
    """A table's people, or the keypoints (T, J, 2 or 3) of one; and what the user should know of how it was read."""
    rows = _cells(path)
    head = next(iter(rows.values()), [""])
    if head[0].strip().lower() == "scorer":
        return read_deeplabcut(rows), []
    if format == "deeplabcut":
        raise ValueError("it is not what deeplabcut writes, whose first row begins with scorer")
    names = [text.strip() for text in rows.pop(next(iter(rows)))] if _is_header(head) else None
    said, keys, size = [], {}, None
    if names and (found := _by_names(names, rows)):
        known = (*FRAME_NAMES, *PERSON_NAMES, *JOINT_NAMES)
        left = [name for name in names if name and name.lower() not in known and not _joint_and_axis(name)]
        names, rows, size = found
        said += [f"its columns {', '.join(map(repr, left[:4]))} are left out"] if left else []
    table = _numbers(rows, names or [])
    if table.size == 0:
        raise ValueError("it has no rows of numbers, expected one a frame: x0, y0, x1, y1, …")
    while _counts(table[:, 0]) or (names and names[0].lower() in (*FRAME_NAMES, *PERSON_NAMES)):
        named = names[0] if names else ""
        if _counts(table[:, 0]):
            said.append("its first column counts the frames and is left out")
        else:
            keys["person" if named.lower() in PERSON_NAMES else "frame"] = table[:, 0]
            said.append(f"its column {named!r} says who or when")
        table, names = table[:, 1:], names and names[1:]
    keypoints, more = as_keypoints(table.astype(np.float32), names, size)
    said += more
    counted = keys.get("frame")
    if counted is None or not np.array_equal(counted, np.floor(counted)):  # seconds are no numbers of frames
        return keypoints, said
    people = [str(int(who)) for who in keys["person"]] if "person" in keys else ["0"] * len(table)
    frames: dict[int, list] = {}
    for frame, who, row in zip(counted, people, keypoints, strict=True):
        frames.setdefault(int(frame), []).append((who, row))
    return Recording(frames), said


def _by_names(names: list[str], rows: dict[int, list[str]]) -> tuple[list[str], dict[int, list[str]], int] | None:
    """A table in the order that its names say: who or when, then x, y and perhaps a confidence of each joint.

    Rows of one joint each become a row a frame. None where the names do not say which column is what.
    """
    keys = [i for i, name in enumerate(names) if name.lower() in (*FRAME_NAMES, *PERSON_NAMES) or (i == 0 and not name)]
    at: dict[str, dict[str, int]] = {}
    for i, name in enumerate(names):
        if i not in keys and (parts := _joint_and_axis(name)):
            at.setdefault(parts[0], {}).setdefault(parts[1], i)
    boxes = are_coco(list(at))  # beside joints that are named, numbered ones are a box's corners
    at = {joint: c for joint, c in at.items() if {"x", "y"} <= set(c) and not (boxes and joint.isdecimal())}
    axes = [axis for axis in "xyc" if at and all(axis in columns for columns in at.values())]
    of_joint = next((i for i, name in enumerate(names) if name.lower() in JOINT_NAMES), None)
    frames: dict[tuple, dict[str, list[str]]] = {}
    if at:
        _numbers(rows, names, [*keys, *(column for columns in at.values() for column in columns.values())])  # a check
    if list(at) == [""] and of_joint is not None:
        for row in rows.values():
            cells = frames.setdefault(tuple(row[i] for i in keys), {})
            cells[row[of_joint].strip()] = [row[at[""][axis]] for axis in axes]
        joints = list(dict.fromkeys(joint for cells in frames.values() for joint in cells))
        joints = sorted(joints, key=float) if all(map(_is_number, joints)) else joints
    elif are_coco(list(at)) or len(at) in KNOWN_COUNTS:
        joints = sorted(at, key=int) if all(joint.isdecimal() for joint in at) else list(at)
        for line, row in rows.items():
            cells = {joint: [row[at[joint][axis]] for axis in axes] for joint in joints}
            frames[(*(row[i] for i in keys), line)] = cells
    else:
        return None
    size = len(axes)
    ordered = [
        [*key[: len(keys)], *sum((cells.get(j, [""] * size) for j in joints), [])] for key, cells in frames.items()
    ]
    names = [*(names[i] for i in keys), *(f"{joint}_{axis}" for joint in joints for axis in axes)]
    return names, dict(enumerate(ordered)), size


def _joint_and_axis(name: str) -> tuple[str, str] | None:
    """The joint, or its number, and x, y, z or c of a column's name, in any of the ways that `AXES` lists."""
    for match in filter(None, (pattern.fullmatch(name) for pattern in AXES)):
        parts, axis = match.groupdict(), match["axis"].lower()
        return (parts["joint"] or parts.get("number") or ""), axis if axis in "xyz" else "c"
    return None


def as_keypoints(
    table: np.ndarray, names: list[str] | None = None, size: int | None = None
) -> tuple[np.ndarray, list[str]]:
    """Rows of numbers (T, N) -> (T, J, 2 or 3), and what was found out: x, y, or with confidences, or x, y, z, c.

    size: how many numbers there are for each joint, where that is known. Raises ValueError for what is none of these.
    """
    N, said = table.shape[1], []
    sure = {n: N % n == 0 and are_confidences(table.reshape(len(table), -1, n)[..., min(n - 1, 3) :])
            for n in (3, 4, 5)}  # fmt: skip
    fitting = [n for n in sure if sure[n] and (n == 3 or N // n in KNOWN_COUNTS)]
    fitting += [n for n in (2, 3) if N % n == 0]
    size = size or next((n for n in fitting if N // n in KNOWN_COUNTS), next(iter(fitting), 0))
    if not size or (size == 3 and not sure[3] and N // 3 not in KNOWN_COUNTS):
        raise ValueError(
            f"it has rows of {N} numbers, expected x0, y0, x1, y1, … or x0, y0, c0, x1, y1, c1, … with confidences "
            "from 0 to 1, after a column that counts the frames or without one"
        )
    keypoints = table.reshape(len(table), -1, size)
    if size > 3:
        keypoints, more = without_depth(keypoints)
        said += more
    elif size == 3 and sure[3]:
        said.append("every third number is a confidence")
    joints = [(_joint_and_axis(name) or (name, ""))[0] for name in names[::size]] if names else []
    if joints and are_coco(joints):
        keypoints = in_coco_order(keypoints, joints)
        said.append("its joints are put in COCO's order by their names")
    return keypoints, said


def without_depth(keypoints: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """(..., 4 or 5), x, y, z and a confidence, perhaps two -> (..., 3), and that it was done."""
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
    width = len(next(iter(rows.values())))
    first = width - sum(coord in ("x", "y", "likelihood") for coord in heads["coords"])  # columns of an index
    values = _numbers(rows, heads["bodyparts"], range(first, width)).astype(np.float32)
    order = frame_numbers([row[first - 1] for row in rows.values()]) if first else {}
    frames: dict[int, list] = {order[row[first - 1]] if first else i: [] for i, row in enumerate(rows.values())}
    for person in dict.fromkeys(who[first:]):
        at = [i for i in range(first, len(who)) if who[i] == person]
        size = len({heads["coords"][i] for i in at})
        joints = [heads["bodyparts"][i] for i in at[::size]]
        found = in_coco_order(values[:, [i - first for i in at]].reshape(len(rows), -1, size), joints)
        for people, keypoints in zip(frames.values(), found, strict=True):
            people.append((person, keypoints))
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
    """The rows of a table that commas, semicolons, tabs or spaces divide, by their lines in the file.

    A decimal comma becomes a point. Empty rows are left out, as are those that begin with #, and an empty column behind
    the divider that ends each row.
    """
    lines = {i: line for i, line in enumerate(text_of(path).splitlines(), 1) if line.strip() and line[0] != "#"}
    first = next(iter(lines.values()), "").strip()
    divider = ";" if ";" in first else max(",\t", key=first.count)
    rows, at = {}, list(lines)
    reader = csv.reader(lines.values(), delimiter=divider) if divider in first else map(str.split, lines.values())
    try:
        rows = {at[getattr(reader, "line_num", i) - 1]: row for i, row in enumerate(reader, 1)}
    except csv.Error as error:
        raise ValueError(f"line {at[reader.line_num - 1]}: {error}, as where a quote is not closed") from error
    rows = {line: row for line, row in rows.items() if any(map(str.strip, row))}
    if all(len(row) > 1 and not row[-1].strip() for row in rows.values()) and any(
        row[-2].strip() for row in rows.values()
    ):
        rows = {line: row[:-1] for line, row in rows.items()}
    comma = "," if divider == ";" else "."
    return {line: [cell.replace(comma, ".") for cell in row] for line, row in rows.items()}


def _numbers(rows: dict[int, list[str]], names: Sequence[str] = (), columns: Iterable[int] | None = None) -> np.ndarray:
    """(T, N), some or all columns of rows by their lines; ValueError names line and column of what is no number."""
    values, width = [], len(next(iter(rows.values()), []))
    columns = range(width) if columns is None else columns
    for line, row in rows.items():
        if len(row) != width:
            raise ValueError(f"line {line} has {len(row)} cells, expected {width} as in the first row of numbers")
        try:
            values.append([_cell(row[column]) for column in columns])
        except ValueError:
            column = next(column for column in columns if not _is_number(row[column]))
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
