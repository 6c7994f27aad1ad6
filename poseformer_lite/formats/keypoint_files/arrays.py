"""Arrays of keypoints: npy and npz, with what VideoPose3D's and PoseFormer's scripts make of them; no pickle is run."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from poseformer_lite.checked import reading
from poseformer_lite.formats.keypoint_files.tables import as_keypoints, without_depth
from poseformer_lite.formats.keypoint_files.tracks import (
    KNOWN_COUNTS,
    KeypointTrack,
    Recording,
    layout_of,
    numbers,
    say,
    what_is_said,
)
from poseformer_lite.formats.safe_npz import load_npz, read_array
from poseformer_lite.keypoints import missing_marks

SCORES = ("scores", "keypoint_scores", "confidence")  # of each joint, beside keypoints of x and y
MARKS = {"videopose3d": "positions_2d", "detectron2": "boxes"}  # what a file of these formats must hold


def read_npz(path: Path, format: str | None = None) -> list[KeypointTrack] | Recording:
    """The people of an npz file: VideoPose3D's, the PoseFormer demo's, Detectron2's, or an array `keypoints`."""
    contents = load_npz(path)
    if format in MARKS and MARKS[format] not in contents:
        raise ValueError(f"it is not what {format} writes, and has no {MARKS[format]}")
    if "positions_2d" in contents:
        return read_videopose3d(contents)
    if "reconstruction" in contents:
        people = numbers(contents["reconstruction"])
        if people.ndim != 4:
            raise ValueError(f"reconstruction is {people.shape}, expected (M, T, 17, 2) of M people")
        return people_of_array(people, path.stem, {"layout": "h36m17"}, people_first=True)
    if "boxes" in contents and "keypoints" in contents:
        return read_detectron2(contents)
    arrays = [name for name, array in contents.items() if np.ndim(array) > 1]
    name = "keypoints" if "keypoints" in contents else arrays[0] if len(arrays) == 1 else None
    if name is None or name.startswith("positions_3d"):
        raise ValueError(
            f"it holds {', '.join(contents) or 'nothing'}: expected positions_2d, reconstruction or keypoints"
        )
    keypoints = numbers(contents[name])
    scores = next((numbers(contents[key]) for key in SCORES if key in contents), None)
    if scores is not None and keypoints.shape == (*scores.shape, 2):
        keypoints = np.concatenate([keypoints, scores[..., None]], axis=-1)
    return people_of_array(keypoints, path.stem, what_is_said(contents))


def read_npy(path: Path) -> list[KeypointTrack] | Recording:
    """The people of a plain array."""
    with reading(path, "plain array", advice="save it with np.save from numbers"):
        array = numbers(read_array(path.read_bytes()))
    return people_of_array(array, path.stem, {})


def people_of_array(
    array: np.ndarray, name: str, said: dict, people_first: bool = False
) -> list[KeypointTrack] | Recording:
    """Keypoints (T, J, 2 or 3), or of several people (P, T, J, 2 or 3), as tracks; what else may be meant is said.

    That is one frame (J, 2 or 3), a table (T, N), a z before the confidence (T, J, 4), a second one after it (T, J, 5),
    joints last (T, 2 or 3, J), and the people of each frame (T, P, J, 2 or 3).
    """
    if array.ndim == 4 and not people_first and _frames_come_first(array):
        say(f"{name}: {array.shape} is taken for the people of {len(array)} frames")
        return Recording(
            {i: [(None, person) for person in people] for i, people in enumerate(array)}, {"layout": None, **said}
        )
    if array.ndim == 4:
        people = [person for one in array for person in people_of_array(one, name, said)]
        return people if len(people) == 1 else [replace(p, name=f"person {i}") for i, p in enumerate(people)]
    if array.ndim == 2 and array.shape[0] in KNOWN_COUNTS and array.shape[1] in (2, 3):
        array = array[None]
        say(f"{name}: one array {array.shape[1:]} is taken for one frame")
    elif array.ndim == 2 and array.size:
        array, notes = as_keypoints(array)
        say(f"{name} is a table of {len(array)} frames: {', '.join([*notes, f'{array.shape[1]} joints'])}")
    elif array.ndim == 3 and array.shape[1] in (2, 3) and array.shape[2] in KNOWN_COUNTS:
        array = array.swapaxes(1, 2)
        say(f"{name}: joints come last in the array, and are taken before x and y")
    elif array.ndim == 3 and array.shape[2] in (4, 5):
        array, notes = without_depth(array)
        say(f"{name}: {notes[0]}")
    if array.ndim != 3 or array.shape[-1] not in (2, 3) or array.shape[0] == 0:
        raise ValueError(f"{name} is {array.shape}, expected (T, J, 2) or (T, J, 3) with T of 1 or more")
    return [trimmed(KeypointTrack(name, array, **said))]


def _frames_come_first(array: np.ndarray) -> bool:
    """Whether (A, B, J, C) holds A frames of B people: somebody moves little to the next frame, people are apart."""
    if len(array) <= array.shape[1]:
        return False
    places = np.where(missing_marks(array[..., :2])[..., None], np.nan, array[..., :2])
    steps = [np.linalg.norm(np.diff(places, axis=axis), axis=-1) for axis in (0, 1)]
    along, across = (np.nanmedian(step) if np.isfinite(step).any() else np.inf for step in steps)
    size = np.nanmax(places) - np.nanmin(places) if np.isfinite(places).any() else 0
    return bool(along < min(across, 0.05 * size))


def read_videopose3d(contents: dict) -> list[KeypointTrack]:
    """positions_2d {video: {action: [(T, J, 2) of each person]}} and metadata, as VideoPose3D has them."""
    positions, metadata = contents["positions_2d"], contents.get("metadata", {})
    nested = [positions, metadata, *(positions.values() if isinstance(positions, dict) else [])]
    if not all(isinstance(part, dict) for part in nested):
        raise ValueError("expected positions_2d: {video: {'custom': [(T, J, 2)]}} and metadata: {…}")
    tracks = []
    for video, actions in positions.items():
        size = metadata.get("video_metadata", {}).get(video, {})
        for action, people in actions.items():
            for index, person in enumerate(people):
                name = video if (action, index) == ("custom", 0) else f"{video}, {action}, {index}"
                keypoints = numbers(person)
                said = what_is_said({"width": size.get("w"), "height": size.get("h")})
                if layout := metadata.get("layout_name"):
                    said["layout"] = layout_of(keypoints.shape[1] if keypoints.ndim > 1 else 0, layout)
                tracks += people_of_array(keypoints, name, said)
    return sorted(tracks, key=lambda track: -len(track.keypoints))


def read_detectron2(contents: dict) -> Recording:
    """Of infer_video_d2.py: each frame [[], people (P, 4, 17)], rows of x, y, logit and probability."""
    frames = {}
    for number, frame in enumerate(contents["keypoints"]):
        try:
            people = numbers(list(frame[1]))
        except (TypeError, IndexError):
            people = None
        if people is None or (people.size and (people.ndim != 3 or people.shape[1] != 4)):
            raise ValueError("keypoints beside boxes are not Detectron2's: expected [[], (P, 4, J)] of each frame")
        frames[number] = [(None, person[[0, 1, 3]].T) for person in people if person.size]
    metadata = contents.get("metadata") if isinstance(contents.get("metadata"), dict) else {}
    return Recording(frames, what_is_said({"width": metadata.get("w"), "height": metadata.get("h")}))


def trimmed(track: KeypointTrack) -> KeypointTrack:
    """The track without the frames at its ends in which nobody was found."""
    seen = np.flatnonzero(~missing_marks(track.keypoints[..., :2]).all(axis=1))
    if not len(seen) or len(seen) == len(track.keypoints):
        return track
    first, last = int(seen[0]), int(seen[-1])
    return replace(track, keypoints=track.keypoints[first : last + 1], start=first, total=len(track.keypoints))
