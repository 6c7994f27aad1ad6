"""What detectors write as JSON. A reader gives what it understood, or None where the file is not of its format."""

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from poseformer_lite.formats.keypoint_files.names import in_coco_order
from poseformer_lite.formats.keypoint_files.tracks import (
    Recording,
    frame_numbers,
    layout_of,
    numbers,
    text_of,
    triples,
    what_is_said,
)

SPACE = re.compile(r"\s*")


def load_json(path: Path):
    """The contents of a JSON file, a list where it holds several texts one after another; ValueError for others."""
    text, found, end = text_of(path).strip(), [], 0
    try:
        while not found or end < len(text):
            contents, end = json.JSONDecoder().raw_decode(text, end)
            found.append(contents)
            end = SPACE.match(text, end).end()
        return found if len(found) > 1 else found[0]
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not valid JSON ({error}): it may be cut off") from error
    except RecursionError:
        raise ValueError("it is not valid JSON that can be read: its brackets are nested too deep") from None


def read_openpose(contents) -> Recording | None:
    """OpenPose, Pose2Sim, Sports2D, AlphaPose's sep-json: {"people": [{"pose_keypoints_2d": [x, y, c, ...]}]}.

    That is one frame; ComfyUI lists the frames of a video, with the size of its canvas.
    """
    frames = contents if isinstance(contents, list) else [contents]
    if not frames or not all(isinstance(frame, dict) and _is_openpose(frame) for frame in frames):
        return None
    said = {side: frames[0].get(f"canvas_{side}") for side in ("width", "height")}
    return Recording({i: _openpose_people(frame) for i, frame in enumerate(frames)}, what_is_said(said))


def _is_openpose(frame: dict) -> bool:
    return isinstance(frame.get("people", frame.get("bodies")), list)


def _openpose_people(frame: dict) -> list:
    found = []
    for person in filter(None, frame.get("people", frame.get("bodies"))):
        flat = next((person[key] for key in ("pose_keypoints_2d", "pose_keypoints", "joints") if person.get(key)), None)
        if flat:
            found.append((_who(person.get("person_id")), triples(flat)))
    return found


def read_alphapose(contents) -> Recording | None:
    """AlphaPose: records of image_id and flat triples; PoseFlow's and --format cmu or open's: {image: people}."""
    if _all_dicts(contents, "image_id", "keypoints"):
        order = frame_numbers([record["image_id"] for record in contents])
        frames: dict[int, list] = {}
        for record in contents:
            person = _who(record.get("idx")), triples(record["keypoints"])
            frames.setdefault(order[record["image_id"]], []).append(person)
        return Recording(frames)
    if not (isinstance(contents, dict) and contents and all(map(_is_image, contents.values()))):
        return None
    order = frame_numbers(list(contents))
    return Recording({order[image]: _people_of_an_image(people) for image, people in contents.items()})


def _is_image(people) -> bool:
    return _is_openpose(people) if isinstance(people, dict) else people == [] or _all_dicts(people, "keypoints")


def _people_of_an_image(people) -> list:
    if isinstance(people, dict):
        return _openpose_people(people)
    return [
        _yolo_person(person)
        if isinstance(said := person["keypoints"], dict)
        else (_who(person.get("idx")), triples(said))
        for person in people
    ]


def read_mmpose(contents) -> Recording | None:
    """MMPose: the demo's {"instance_info": [...]}, MMPoseInferencer's list of frames, or the people of one picture."""
    meta = contents.get("meta_info") if isinstance(contents, dict) else None
    listed = contents.get("instance_info") if isinstance(contents, dict) else contents
    if _all_dicts(listed, "instances"):
        numbered = {_number(frame.get("frame_id", i)): frame["instances"] for i, frame in enumerate(listed)}
    elif _all_dicts(listed, "keypoints", "keypoint_scores"):
        numbered = {0: listed}
    else:
        return None
    frames = {number: [_mmpose_person(person) for person in people] for number, people in numbered.items()}
    named = meta.get("dataset_name") if isinstance(meta, dict) else None
    joints = [len(person) for people in frames.values() for _, person in people]
    return Recording(frames, {"layout": layout_of(joints[0], named)} if joints else {})


def _mmpose_person(person: dict) -> tuple[str | None, np.ndarray]:
    xy, scores = numbers(person["keypoints"]), numbers(person["keypoint_scores"])
    if xy.ndim != 2 or xy.shape[1] != 2 or scores.shape != xy.shape[:1]:
        raise ValueError(f"keypoints {xy.shape} and keypoint_scores {scores.shape}: expected (J, 2) and (J,), of 2D")
    return _who(person.get("track_id")), np.column_stack([xy, scores])


def read_yolo(contents) -> Recording | None:
    """ultralytics' to_json(): a list of people with keypoints {x, y, visible}, of one picture or one list a frame."""
    if isinstance(contents, list) and contents and all(isinstance(frame, str) for frame in contents):
        contents = [json.loads(frame) for frame in contents]  # texts of to_json(), put into one file
    frames = contents if isinstance(contents, list) and all(isinstance(f, list) for f in contents) else [contents]
    people = [person for frame in frames if isinstance(frame, list) for person in frame]
    if not _all_dicts(people, "keypoints") or not all(isinstance(p["keypoints"], dict) for p in people):
        return None
    found = [[_yolo_person(person) for person in frame] for frame in frames]
    if len(found) == 1 and len(people) > 1 and _moves_on(found[0]):
        warnings.warn("one list of people who hardly differ: they are taken for one person's frames", stacklevel=4)
        found = [[person] for person in found[0]]
    return Recording(dict(enumerate(found)))


def _yolo_person(person: dict) -> tuple[str | None, np.ndarray]:
    said = person["keypoints"]
    columns = [numbers(said[name]) for name in ("x", "y", "visible") if said.get(name) is not None]
    if len(columns) < 2 or len({column.shape for column in columns}) > 1 or columns[0].ndim != 1:
        raise ValueError("keypoints of a person are not x, y and perhaps visible, each a list of all joints")
    return _who(person.get("track_id")), np.column_stack(columns)


def _moves_on(people: list) -> bool:
    """Whether each of the people stands where the one before did, as one person does from frame to frame."""
    xy = [person[:, :2] for _, person in people]
    if len({one.shape for one in xy}) > 1:
        return False
    steps = [
        np.linalg.norm(b - a, axis=-1).mean() / max(np.ptp(a, axis=0).max(), 1e-6)
        for a, b in zip(xy, xy[1:], strict=False)
    ]
    return bool(np.median(steps) < 0.2)


def read_easy_vitpose(contents) -> Recording | None:
    """easy_ViTPose: {"keypoints": [{id: [[y, x, score], ...]}, ...], "skeleton": {number: name}}, y before x."""
    frames = contents.get("keypoints") if isinstance(contents, dict) else None
    if not (isinstance(frames, list) and frames and all(isinstance(frame, dict) for frame in frames)):
        return None
    skeleton = contents.get("skeleton")
    names = [str(name) for name in skeleton.values()] if isinstance(skeleton, dict) else None
    found = {i: [(who, _vitpose_person(person, names)) for who, person in frame.items()]
             for i, frame in enumerate(frames)}  # fmt: skip
    return Recording(found)


def _vitpose_person(person, names: list[str] | None) -> np.ndarray:
    rows = numbers(person)
    if rows.ndim != 2 or rows.shape[1] != 3:
        raise ValueError(f"keypoints {rows.shape} of a person are not [y, x, score] of each joint")
    rows = rows[:, [1, 0, 2]]
    return in_coco_order(rows, names) if names and len(names) == len(rows) else rows


def read_motionbert(contents) -> Recording | None:
    """{"annotations": [{"frame_id": ..., "keypoints": flat triples}]}, as MotionBERT's users and COCO's tools write."""
    records = contents.get("annotations") if isinstance(contents, dict) else None
    if not _all_dicts(records, "keypoints"):
        return None
    frames: dict[int, list] = {}
    for i, record in enumerate(records):
        number = _number(record.get("frame_id", record.get("image_id", i)))
        frames.setdefault(number, []).append((_who(record.get("track_id")), triples(record["keypoints"])))
    return Recording(frames)


def _all_dicts(records, *keys: str) -> bool:
    return isinstance(records, list) and bool(records) and all(
        isinstance(record, dict) and all(key in record for key in keys) for record in records
    )  # fmt: skip


def _number(value) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"a frame has the number {value!r}: expected a whole number") from None


def _who(value) -> str | None:
    """An id as text: 3, 3.0, [3]; None where there is none, or it is -1, as OpenPose writes it."""
    while isinstance(value, list) and value:
        value = value[0]
    if value is None or isinstance(value, list) or value in (-1, "-1"):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


READERS: dict[str, Callable[[object], Recording | None]] = {
    "openpose": read_openpose,
    "mmpose": read_mmpose,
    "yolo": read_yolo,
    "easy_vitpose": read_easy_vitpose,
    "motionbert": read_motionbert,
    "alphapose": read_alphapose,
}
