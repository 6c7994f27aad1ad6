"""Who is who from frame to frame: people found one frame at a time become tracks, and broken tracks are joined."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

CONFIDENT = 0.3  # joints less sure than this say nothing about where a person is
SAME_PERSON = 0.6  # of the person's size: the farthest that somebody moves between two frames and is still the same
FORGOTTEN = 1.0  # seconds after which somebody who left is not waited for


@dataclass(eq=False)
class PersonTrack:
    """One person followed through a video: keypoints[i] (J, 3) was found in frame number frames[i]."""

    frames: list[int] = field(default_factory=list)
    keypoints: list[np.ndarray] = field(default_factory=list)
    beside: list[int] = field(default_factory=list)  # frames in which somebody else was near enough to be confused
    name: str = ""

    def add(self, frame: int, person: np.ndarray) -> None:
        """Go on with a person (J, 3) of a later frame."""
        self.frames.append(frame)
        self.keypoints.append(person)

    def weight(self) -> float:
        """How much of the video the person fills: sizes in pixels, summed over the frames."""
        return float(sum(_size(person) for person in self.keypoints))

    def jumps(self) -> list[int]:
        """The frames in which the person is farther from the frame before than anybody moves."""
        pairs = zip(self.frames[1:], self.keypoints, self.keypoints[1:], strict=False)
        return [frame for frame, before, after in pairs if SAME_PERSON < _distance(before, after) < FAR]


def follow_people(people: Iterable[np.ndarray], times: list[float]) -> list[PersonTrack]:
    """Who is who from frame to frame: people (P, J, 3) of each frame -> tracks, the one who fills most first.

    Everybody goes on as the nearest found in the next frame, all pairs together (the assignment problem), if no
    farther than SAME_PERSON of their size; after FORGOTTEN seconds out of sight somebody is new.
    """
    tracks: list[PersonTrack] = []
    for frame, found in enumerate(people):
        known = [track for track in tracks if times[frame] - times[track.frames[-1]] <= FORGOTTEN]
        cost = np.array([[_distance(track.keypoints[-1], person) for person in found] for track in known])
        pairs = zip(*linear_sum_assignment(cost), strict=True) if cost.size else ()
        taken = {column: known[row] for row, column in pairs if cost[row, column] <= SAME_PERSON}
        for column, person in enumerate(found):
            track = taken.get(column)
            if track is None:
                tracks.append(track := PersonTrack())
            track.add(frame, person)
            others = [_distance(person, other) for i, other in enumerate(found) if i != column]
            if others and min(others) < SAME_PERSON / 2:
                track.beside.append(frame)
    return sorted(tracks, key=PersonTrack.weight, reverse=True)


def join_broken(tracks: list[PersonTrack], times: list[float]) -> list[tuple[str, str, float]]:
    """Join, in place, tracks of which one begins where and soon after another ends: a tracker lost its person.

    Returns (name, name of the track that was joined to it, seconds at which that began) of each joint.
    """
    joined = []
    tracks.sort(key=lambda track: track.frames[0])
    for later in list(tracks):
        ended = [
            (_distance(track.keypoints[-1], later.keypoints[0]), number)
            for number, track in enumerate(tracks)
            if track is not later and 0 < times[later.frames[0]] - times[track.frames[-1]] <= FORGOTTEN
        ]
        if ended and min(ended)[0] <= SAME_PERSON:
            earlier = tracks[min(ended)[1]]
            joined.append((earlier.name, later.name, times[later.frames[0]]))
            earlier.frames += later.frames
            earlier.keypoints += later.keypoints
            earlier.beside += later.beside
            tracks.remove(later)
    return joined


FAR = 1e6  # the distance of two people who share no joint: too far, and finite, as the assignment wants it


def _size(person: np.ndarray) -> float:
    """The longer side of the box round the confident joints of a person (J, 3), pixels."""
    seen = _seen(person)
    return float(np.ptp(person[seen, :2], axis=0).max()) if seen.any() else 0.0


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """How far apart two people (J, 3) are: the mean over the joints seen in both, as a share of their size."""
    both = _seen(one) & _seen(other)
    if not both.any():
        return FAR
    apart = np.linalg.norm(one[both, :2] - other[both, :2], axis=-1).mean()
    return float(apart / max(_size(one), _size(other), 1.0))


def _seen(person: np.ndarray) -> np.ndarray:
    return np.isfinite(person[:, :2]).all(axis=-1) & (person[:, 2] >= CONFIDENT)
