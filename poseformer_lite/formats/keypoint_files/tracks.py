"""What every reader of keypoints gives: who was found in which frame; and how that becomes one track a person."""

import math
import re
import warnings
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from poseformer_lite.keypoints import LAYOUTS, missing_marks
from poseformer_lite.skeleton import SKELETONS
from poseformer_lite.tracking import CONFIDENT, PersonTrack, follow_people, join_broken

LONG_GAP = 0.5  # seconds without the person, of which the user is told
USUAL_FPS = 25.0  # where nobody says it: only to decide how long somebody may be out of sight
SPARSE = 30  # more numbers than this for each frame: they are times, and no count of frames
# Names of the layouts in other codes' files; 17 joints without a name are COCO's where a detector wrote them.
_LAYOUT_NAMES = {
    "coco": "coco17", "h36m": "h36m17", "body_25": "body25", "coco_18": "coco18", "halpe_26": "halpe26",
    "coco_wholebody": "wholebody133", "halpe": "halpe136", "blazepose": "mediapipe33", "mediapipe": "mediapipe33",
    **{name: name for name in LAYOUTS},
}  # fmt: skip
KNOWN_COUNTS = {SKELETONS[name].num_joints for name in LAYOUTS}


@dataclass(frozen=True, eq=False)
class KeypointTrack:
    """One person's keypoints over a video. keypoints: (T, J, 2 or 3), pixels and perhaps a confidence.

    layout, fps, width and height are None where the file does not say. start: how many frames of the file come before
    the person's first; total: how many it has, where that is known. beside: frames in which somebody else was near.
    """

    name: str
    keypoints: np.ndarray
    layout: str | None = None
    fps: float | None = None
    width: int | None = None
    height: int | None = None
    start: float = 0.0
    total: float | None = None
    beside: tuple[int, ...] = ()

    def notes(self, fps: float | None = None) -> list[str]:
        """What the user should look at: where the person comes late or goes early, and where somebody else was near."""
        fps = self.fps or fps or 1.0
        first, last, whole = (f / fps for f in (self.start, self.start + len(self.keypoints), self.total or 0))
        said = []
        if first > 0 or whole - last > LONG_GAP:
            said.append(f"{self.name}: seen from {first:.1f} to {last:.1f} s of {whole:.1f} s, and so is the motion")
        if self.beside:
            said.append(
                f"{self.name}: somebody else is near at {self.beside[0] / fps:.1f} s ({len(self.beside)} frames): look "
                "whether the two were exchanged"
            )
        return said


@dataclass(eq=False)
class Recording:
    """A file's people: frames[number] lists those of a frame, each as (who, or None, and keypoints (J, 2 or 3))."""

    frames: dict[int, list[tuple[str | None, np.ndarray]]]
    said: dict = field(default_factory=dict)  # layout, fps, width, height: what the file says of them


def layout_of(joints: int, name: str | None = None) -> str:
    """The layout that a detector's file means: by its name, else by the number of joints, 17 being COCO's."""
    named = _LAYOUT_NAMES.get(str(name).lower()) if name else None
    return named or ("coco17" if joints == 17 else guess_layout(joints))


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


def text_of(path: Path) -> str:
    """The contents of a text file in UTF-8, with or without a byte order mark; ValueError for anything else."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8 ({error}): save it as UTF-8") from error


def what_is_said(contents: dict) -> dict:
    """layout, fps, width and height where a file gives them, as text or numbers; ValueError for what is none."""
    given = {key: contents.get(key) for key in ("fps", "width", "height", "layout")}
    said = {key: np.asarray(value).tolist() for key, value in given.items() if np.asarray(value).tolist() is not None}
    for key, value in said.items():
        try:
            said[key] = _LAYOUT_NAMES[str(value).lower()] if key == "layout" else float(Fraction(str(value)))
            if key != "layout" and not said[key] > 0:
                raise ValueError
        except (KeyError, ValueError, ZeroDivisionError, OverflowError):
            names = f"one of {', '.join(LAYOUTS)}" if key == "layout" else "a positive number"
            raise ValueError(f"{key} is {value!r}: expected {names}") from None
    return said | {key: int(said[key]) for key in ("width", "height") if key in said}


def numbers(values) -> np.ndarray:
    """A float32 array; ValueError for what is no regular array of numbers. None is a number that is missing."""
    try:
        return np.array(values, dtype=np.float32)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"keypoints are not a regular array of numbers ({error})") from error


def triples(values) -> np.ndarray:
    """Flat (x, y, confidence) triples of a person -> (J, 3)."""
    array = numbers(values)
    if array.ndim != 1 or array.size % 3 or not array.size:
        raise ValueError(f"keypoints {array.shape} of a person are not flat (x, y, score) triples")
    return array.reshape(-1, 3)


def frame_numbers(names: list) -> dict:
    """The frame of each image by its name: what counts up in the names, whatever other numbers they hold.

    Raises ValueError for a name without a number, and for two of one frame.
    """
    unique = list(dict.fromkeys(names))
    digits = {name: tuple(map(int, re.findall(r"\d+", str(name)))) for name in unique}
    for name, found in digits.items():
        if not found:
            raise ValueError(f"image {name!r} has no frame number, expected such as '12.jpg'")
    if len({len(found) for found in digits.values()}) == 1:
        changing = [i for i, column in enumerate(zip(*digits.values(), strict=True)) if len(set(column)) > 1]
        if len(changing) < 2:
            column = changing[0] if changing else -1
            numbered = {found[column]: name for name, found in digits.items()}
            if len(numbered) == len(digits):
                return {name: number for number, name in numbered.items()}
            name = next(name for name in unique if numbered[digits[name][column]] != name)
            raise ValueError(
                f"{name!r} and {numbered[digits[name][column]]!r} have one number: if they are of several videos, lift "
                "each video by itself"
            )
    warnings.warn("the images' names hold more than one number that changes: they are taken in order", stacklevel=2)
    order = sorted(unique, key=lambda name: digits[name])
    return {name: i for i, name in enumerate(order)}


def tracks_of(recording: Recording, fps: float | None = None) -> list[KeypointTrack]:
    """One track a person, those of the most frames first. Frames in which a person was not found are NaN.

    People go by the ids they were given, where these tell them apart, and else by where they are (`follow_people`).
    fps: where the recording does not say it; how long somebody may be out of sight depends on it.
    """
    found = {
        number: [(who, person) for who, person in people if not missing_marks(person[:, :2]).all()]
        for number, people in recording.frames.items()
    }
    shapes = {person.shape for people in found.values() for _, person in people}
    if not shapes:
        raise ValueError("nobody was found in any frame")
    if len(shapes) > 1 or len(shape := shapes.pop()) != 2 or shape[1] not in (2, 3):
        raise ValueError(f"people have keypoints {shapes or shape}, expected (J, 2) or (J, 3), alike for all")
    order = _count(sorted(found))
    frames = {order[number]: people for number, people in found.items()}
    total = max(frames) + 1
    rate = recording.said.get("fps") or fps or USUAL_FPS
    tracks = _people(frames, [i / rate for i in range(total)])
    said = {"layout": layout_of(shape[0]), **recording.said}
    found = [
        KeypointTrack(
            track.name, _dense(track, shape[1]), **said, start=track.frames[0], total=total, beside=tuple(track.beside)
        )
        for track in tracks
    ]
    return sorted(found, key=lambda track: -len(track.keypoints))


def _count(given: list[int]) -> dict[int, int]:
    """Frame numbers, sorted, to 0, 1, 2 ...; steps of ten are steps of one, and times are counted in their order."""
    step = math.gcd(*(number - given[0] for number in given)) or 1
    if (given[-1] - given[0]) / step > SPARSE * len(given):
        warnings.warn("the frames' numbers are far apart, as times are: they are counted in their order", stacklevel=3)
        return {number: i for i, number in enumerate(given)}
    if step > 1:
        warnings.warn(f"only every {step}th frame number is there: fps is that of the frames in the file", stacklevel=3)
    return {number: (number - given[0]) // step for number in given}


def _people(frames: dict[int, list], times: list[float]) -> list[PersonTrack]:
    """Who is who; the people of the tracks are (J, 4) as `_for_tracking` makes them."""
    columns = [person[:, 2] for people in frames.values() for _, person in people if person.shape[1] > 2]
    sure = bool(columns) and max(float(np.nanmax(column, initial=0)) for column in columns) >= CONFIDENT
    people = [[(who, _for_tracking(person, sure)) for who, person in frames.get(i, [])] for i in range(len(times))]
    if all(None not in (ids := [who for who, _ in found]) and len(set(ids)) == len(ids) for found in people):
        tracks: dict[str, PersonTrack] = {}
        for frame, found in enumerate(people):
            for who, person in found:
                tracks.setdefault(who, PersonTrack(name=f"person {who}")).add(frame, person)
        named = sorted(tracks.values(), key=lambda track: -len(track.frames))
        for one, other, second in join_broken(named, times):
            say(f"{one} and {other} are taken for one: the second begins at {second:.1f} s, where the first was lost")
        return named
    if max(map(len, people)) == 1:
        alone = PersonTrack(name="person 0")
        for frame, found in enumerate(people):
            for _, person in found:
                alone.add(frame, person)
        if jumps := alone.jumps():
            say(f"the person jumps in {len(jumps)} frames, first in frame {jumps[0]}: look whether it is somebody else")
        return [alone]
    followed = follow_people([[person for _, person in found] for found in people], times)
    for number, track in enumerate(followed):
        track.name = f"person {number}"
    say(f"people have no ids of their own in the file: {len(followed)} are told apart by where they are")
    return followed


def _for_tracking(person: np.ndarray, sure: bool) -> np.ndarray:
    """(J, 4): x, y, how much the place is worth, and the confidence as given; where nobody is ever `sure`, all is."""
    given = person[:, 2:] if person.shape[1] > 2 else np.ones_like(person[:, :1])
    worth = given[:, 0] if sure else np.ones(len(person), np.float32)
    worth = np.where(missing_marks(person[:, :2]), 0, worth)
    return np.concatenate([person[:, :2], worth[:, None], given], axis=1)


def _dense(track: PersonTrack, columns: int) -> np.ndarray:
    """The track's keypoints (T, J, 2 or 3) from its first frame to its last, NaN and confidence 0 between sights."""
    found = np.stack(track.keypoints)[..., [0, 1, 3][:columns]]
    keypoints = np.full((track.frames[-1] - track.frames[0] + 1, *found.shape[1:]), np.nan, dtype=np.float32)
    keypoints[..., 2:] = 0
    keypoints[np.array(track.frames) - track.frames[0]] = found
    return keypoints


def say(text: str) -> None:
    """Tell the user of something that was guessed or joined."""
    warnings.warn(text, stacklevel=5)
