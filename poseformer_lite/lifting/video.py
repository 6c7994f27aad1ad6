"""A video to a motion: its frames are decoded, people found and followed, and one of them lifted."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from scipy.optimize import linear_sum_assignment
from tqdm.auto import tqdm

from poseformer_lite.lifting.blazepose import BlazePose
from poseformer_lite.lifting.lifter import PoseLifter
from poseformer_lite.lifting.motion import Motion

VIDEO_ENDINGS = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm")
CONFIDENT = 0.3  # joints less sure than this say nothing about where a person is
SAME_PERSON = 0.6  # of the person's size: the farthest that somebody moves between two frames and is still the same
FORGOTTEN = 1.0  # seconds after which somebody who left is not waited for
LONG_GAP = 0.5  # seconds without the person, of which the user is told


class Detector(Protocol):
    """What `lift_video` asks of a detector. layout: the name of its joints, one of `keypoints.LAYOUTS`."""

    layout: str

    def __call__(self, image: np.ndarray, seconds: float) -> np.ndarray:
        """(H, W, 3) uint8, red first, and when it was taken -> (P, J, 3): x and y in pixels and a confidence, for each
        of P people, who may be none.
        """


@dataclass(eq=False)
class PersonTrack:
    """One person followed through a video: keypoints[i] (J, 3) was found in frame number frames[i]."""

    frames: list[int] = field(default_factory=list)
    keypoints: list[np.ndarray] = field(default_factory=list)
    beside: list[int] = field(default_factory=list)  # frames in which somebody else was near enough to be confused

    def weight(self) -> float:
        """How much of the video the person fills: sizes in pixels, summed over the frames."""
        return float(sum(_size(person) for person in self.keypoints))


def lift_video(
    path: str | Path,
    lifter: PoseLifter | None = None,
    detector: Detector | None = None,
    person: int = 0,
    min_confidence: float = 0.0,
    progress: bool = True,
    focal_length: float | None = None,
) -> Motion:
    """Lift one person of a video file to a 3D motion.

    Frames are turned as the file says, so a portrait video stands upright. The motion begins and ends where the person
    does; where the rate varies it is made even. A warning says where the person was out of sight or could have been
    mistaken for somebody else.

    :param path: the file
    :param lifter: by default one with the shipped weights "wild"
    :param detector: by default `BlazePose`, which comes with the package
    :param person: 0 is the one who fills the most of the video, 1 the next
    :param min_confidence: joints with less are interpolated
    :param progress: whether to show a bar
    :param focal_length: of the camera, pixels, where it is known; as for `PoseLifter`.
    :returns: The motion, at the video's frame rate.
    :raises FileNotFoundError: where there is no file
    :raises ValueError: for a file that is not a video, for nobody in it, or where PyAV or the detector is missing.
    """
    path = Path(path)
    frames = read_video(path, progress)
    detector = detector or BlazePose()
    times, people, size = [], [], (0, 0)
    for seconds, image in frames:
        times.append(seconds)
        people.append(np.asarray(detector(image, seconds), dtype=np.float32))
        size = image.shape[1], image.shape[0]
    tracks = follow_people(people, times)
    if not tracks:
        raise ValueError(
            f"nobody was found in the {len(times)} frames of {path.name}: use a video that shows one person from "
            "head to foot and not too small, or lift the keypoint file of another detector"
        )
    if not 0 <= person < len(tracks):
        raise ValueError(f"{path.name} shows {len(tracks)} people, so there is no person {person}: count from 0")
    keypoints, fps = evenly(tracks[person], times)
    _warn(tracks[person], times, path.name)
    lifter = lifter or PoseLifter.from_pretrained("wild")
    options = {"fps": fps, "min_confidence": min_confidence, "focal_length": focal_length}
    return lifter(keypoints, *size, layout=detector.layout, **options)


def read_video(path: str | Path, progress: bool = False) -> Iterator[tuple[float, np.ndarray]]:
    """The frames of a video one after another, upright; only one is in memory at a time.

    A file that breaks off gives what came before, and a warning.

    :param path: the file
    :param progress: whether to show a bar.
    :returns: An iterator over (seconds since the first frame, image (H, W, 3) uint8, red first).
    :raises FileNotFoundError: where there is no file
    :raises ValueError: where it is not a video, or PyAV is missing.
    """
    check_video(path)
    return _decode(Path(path), progress)


def check_video(path: str | Path) -> None:
    """Raises FileNotFoundError where there is no file, and ValueError where PyAV is missing, which reads videos."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise ValueError("PyAV is not installed, which reads videos: pip install 'poseformer-lite[video]'") from error


def _decode(path: Path, progress: bool) -> Iterator[tuple[float, np.ndarray]]:
    import av

    try:
        container = av.open(str(path))
    except av.error.FFmpegError as error:
        raise ValueError(f"{path.name} is not a video that can be read ({error}): convert it to .mp4 first") from error
    with container:
        if not container.streams.video:
            raise ValueError(f"{path.name} has sound but no frames: expected a video")
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        count, first = 0, 0.0
        bar = tqdm(total=stream.frames or None, desc=f"watching {path.name}", unit="frame", disable=not progress)
        try:
            for frame in container.decode(stream):
                first = frame.time if count == 0 else first
                image = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
                yield (frame.time or 0.0) - (first or 0.0), image
                count += 1
                bar.update(1)
        except av.error.FFmpegError as error:
            if count:
                warnings.warn(f"{path.name} breaks off after {count} frames ({error}): they are used", stacklevel=2)
        finally:
            bar.close()
        if not count:
            raise ValueError(f"{path.name} holds no frame that can be read: it may be cut off")


def follow_people(people: Iterable[np.ndarray], times: list[float]) -> list[PersonTrack]:
    """Who is who from frame to frame: people (P, J, 3) of each frame -> tracks, the one who fills most first.

    Everybody goes on as the nearest found in the next frame, all pairs together (the assignment problem), if no
    farther than SAME_PERSON of their size; after FORGOTTEN seconds out of sight somebody is new.
    """
    tracks: list[PersonTrack] = []
    for frame, found in enumerate(people):
        known = [track for track in tracks if times[frame] - times[track.frames[-1]] <= FORGOTTEN]
        cost = np.array([[_distance(track.keypoints[-1], person) for person in found] for track in known])
        taken = {}
        if cost.size:
            for row, column in zip(*linear_sum_assignment(cost), strict=True):
                if cost[row, column] <= SAME_PERSON:
                    taken[column] = known[row]
        for column, person in enumerate(found):
            track = taken.get(column)
            if track is None:
                tracks.append(track := PersonTrack())
            track.frames.append(frame)
            track.keypoints.append(person)
            others = [_distance(person, other) for i, other in enumerate(found) if i != column]
            if others and min(others) < SAME_PERSON / 2:
                track.beside.append(frame)
    return sorted(tracks, key=PersonTrack.weight, reverse=True)


def evenly(track: PersonTrack, times: list[float]) -> tuple[np.ndarray, float]:
    """The track at an even rate: (T, J, 3), NaN where the person was not found, and frames per second.

    The rate is that of the usual step between frames. Where no step differs by more than a tenth nothing is moved;
    otherwise positions are interpolated in time.
    """
    first, last = track.frames[0], track.frames[-1]
    keypoints = np.full((last - first + 1, *track.keypoints[0].shape), np.nan, dtype=np.float32)
    keypoints[np.array(track.frames) - first] = track.keypoints
    seconds = np.array(times[first : last + 1])
    if len(seconds) == 1:
        return keypoints, 25.0
    steps = np.diff(seconds)
    step = float(np.median(steps))
    if not step > 0:
        raise ValueError("the frames of the video have no times: convert it to .mp4 with a constant frame rate first")
    if np.abs(steps - step).max() <= 0.1 * step:
        return keypoints, 1 / step
    even = seconds[0] + step * np.arange(int((seconds[-1] - seconds[0]) / step + 1e-6) + 1)
    after = np.clip(np.searchsorted(seconds, even, side="right"), 1, len(seconds) - 1)
    share = ((even - seconds[after - 1]) / np.maximum(steps[after - 1], 1e-9)).clip(0, 1)[:, None, None]
    return ((1 - share) * keypoints[after - 1] + share * keypoints[after]).astype(np.float32), 1 / step


def _warn(track: PersonTrack, times: list[float], name: str) -> None:
    """Say what the user should look at: where the person is missing, or somebody else was near."""
    first, last = times[track.frames[0]], times[track.frames[-1]]
    if first > LONG_GAP or times[-1] - last > LONG_GAP:
        _say(f"{name}: the person is seen from {first:.1f} to {last:.1f} s of {times[-1]:.1f} s, and so is the motion")
    for before, after in zip(track.frames, track.frames[1:], strict=False):
        if times[after] - times[before] > LONG_GAP:
            _say(f"{name}: out of sight from {times[before]:.1f} to {times[after]:.1f} s, where it is interpolated")
    if track.beside:
        _say(
            f"{name}: somebody else is near at {times[track.beside[0]]:.1f} s ({len(track.beside)} frames): look "
            "whether the two were exchanged"
        )


def _say(text: str) -> None:
    warnings.warn(text, stacklevel=4)


def _size(person: np.ndarray) -> float:
    """The longer side of the box round the confident joints of a person (J, 3), pixels."""
    seen = _seen(person)
    return float(np.ptp(person[seen, :2], axis=0).max()) if seen.any() else 0.0


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    """How far apart two people (J, 3) are: the mean over the joints seen in both, as a share of their size."""
    both = _seen(one) & _seen(other)
    if not both.any():
        return 1e6  # too far, and finite, as the assignment wants it
    apart = np.linalg.norm(one[both, :2] - other[both, :2], axis=-1).mean()
    return float(apart / max(_size(one), _size(other), 1.0))


def _seen(person: np.ndarray) -> np.ndarray:
    return np.isfinite(person[:, :2]).all(axis=-1) & (person[:, 2] >= CONFIDENT)
