"""A video to a motion: its frames are decoded, people found and followed, and one of them lifted."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
from tqdm.auto import tqdm

from poseformer_lite.formats.keypoint_files import KeypointTrack
from poseformer_lite.formats.misread import KEEP, leg_doubts
from poseformer_lite.lifting.blazepose import BlazePose
from poseformer_lite.lifting.lifter import PoseLifter
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.skeleton import get_skeleton
from poseformer_lite.tracking import PersonTrack, follow_people

PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")  # videos of one frame
VIDEO_ENDINGS = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".gif", *PICTURE_ENDINGS)
BOXES = (b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"free", b"skip", b"wide", b"sidx", b"mfra", b"uuid")  # of MP4
USUAL_FPS = 25.0  # of a single frame


class Detector(Protocol):
    """What `lift_video` asks of a detector. layout: the name of its joints, one of `keypoints.LAYOUTS`."""

    layout: str

    def __call__(self, image: np.ndarray, seconds: float) -> np.ndarray:
        """(H, W, 3) uint8, red first, and when it was taken -> (P, J, 3): x and y in pixels and a confidence, for each
        of P people, who may be none.
        """


def lift_video(
    path: str | Path,
    lifter: PoseLifter | None = None,
    detector: Detector | None = None,
    person: int = 0,
    min_confidence: float = 0.0,
    progress: bool = True,
    focal_length: float | None = None,
    as_given: bool = False,
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
    :param focal_length: of the camera, pixels, where it is known; as for `PoseLifter`
    :param as_given: whether somebody is lifted of whom the upper body alone is seen, with legs that are guesses; and
        keypoints of your own detector, whatever they look like.
    :returns: The motion, at the video's frame rate.
    :raises FileNotFoundError: where there is no file
    :raises ValueError: for a file that is not a video, for nobody in it, for guessed legs, or where PyAV or the
        detector is missing.
    """
    tracks = find_people(path, detector, progress)
    if not 0 <= person < len(tracks):
        raise ValueError(f"{Path(path).name} shows {len(tracks)} people, so there is no person {person}: count from 0")
    track = tracks[person]
    for note in track.notes():
        warnings.warn(f"{Path(path).name}: {note}", stacklevel=2)
    if not as_given:
        refuse_guessed_legs(track)
    lifter = lifter or PoseLifter.from_pretrained("wild")
    return lifter(
        track.keypoints, track.width, track.height, track.layout, track.fps, min_confidence,
        start=track.start / track.fps, focal_length=focal_length, as_given=as_given or detector is None,
    )  # fmt: skip


def refuse_guessed_legs(track: KeypointTrack) -> None:
    """Raises ValueError where most of a track's knees and feet are guesses."""
    for sentence, wrong in leg_doubts(track.keypoints, track.layout, track.height):
        if wrong:
            raise ValueError(f"{sentence}. {KEEP}")


def find_people(path: str | Path, detector: Detector | None = None, progress: bool = True) -> list[KeypointTrack]:
    """Find and follow everybody in a video or a picture: `lift_video` without the lifting.

    :param path: the file
    :param detector: by default `BlazePose`, which comes with the package
    :param progress: whether to show a bar.
    :returns: One track a person at the video's frame rate, that of the one who fills the most of the video first.
    :raises FileNotFoundError: where there is no file
    :raises ValueError: as `lift_video` does, and for a detector that gives something else than (P, J, 3).
    """
    frames, path = read_video(path, progress), Path(str(path))
    detector = detector or BlazePose()
    times, people, size = [], [], (0, 0)
    for seconds, image in frames:
        times.append(seconds)
        people.append(_checked(detector(image, seconds), detector.layout))
        size = image.shape[1], image.shape[0]
    tracks = follow_people(people, times)
    if not tracks:
        raise ValueError(
            f"nobody was found in the {len(times)} frames of {path.name}: use a video that shows one person from "
            "head to foot and not too small, or lift the keypoint file of another detector"
        )
    found = []
    for number, track in enumerate(tracks):
        keypoints, fps = evenly(track, times)
        start, total = (times[frame] * fps for frame in (track.frames[0], -1))
        said = (detector.layout, fps, *size, start, total + 1, tuple(track.beside))
        found.append(KeypointTrack(f"person {number}", keypoints, *said))
    return found


def _checked(people, layout: str) -> np.ndarray:
    """What a detector gave of a frame, (P, J, 3) float32; ValueError where it is something else."""
    joints = get_skeleton(layout).num_joints
    array = np.zeros((0, joints, 3)) if isinstance(people, list) and not people else np.asarray(people)
    if people is None or array.ndim != 3 or array.shape[1:] != (joints, 3):
        given = None if people is None else array.shape
        raise ValueError(
            f"the detector gave {given} for a frame, expected (P, {joints}, 3) of {layout}: x, y and a confidence of "
            f"each joint of P people. One person is (1, {joints}, 3), and nobody (0, {joints}, 3)"
        )
    return array.astype(np.float32)


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
    if isinstance(path, int) or str(path).isdigit() and not Path(path).is_file():
        raise ValueError(f"{path} is a camera's number, not a video: `poseformer-lite live {path}` lifts a camera")
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
        advice = "it may be cut off; else convert it to .mp4 first"
        raise ValueError(f"{path.name} is not a video that can be read ({error.strerror}): {advice}") from error
    with container:
        if not container.streams.video:
            raise ValueError(f"{path.name} has sound but no frames: expected a video")
        stream = container.streams.video[0]  # not decoded by frames in threads, which lose the error of the last one
        count, first, damaged = 0, 0.0, []
        bar = tqdm(total=stream.frames or None, desc=f"watching {path.name}", unit="frame", disable=not progress)
        try:
            for packet, frame in ((held, one) for held in container.demux(stream) for one in held.decode()):
                first = frame.time if count == 0 else first
                image = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
                yield (seconds := (frame.time or 0.0) - (first or 0.0)), image
                count += 1
                damaged += [seconds] * (packet.is_corrupt or frame.is_corrupt)
                bar.update(1)
        except av.error.FFmpegError as error:
            if count:
                warnings.warn(f"{path.name} breaks off after {count} frames ({error}): they are used", stacklevel=2)
        else:
            said, words = (container.duration or 0) / av.time_base, ""
            if count and seconds < 0.9 * said - 0.5:
                words = f" is cut off: of its {said:.1f} s, {seconds:.1f} are there"
            elif count and _ends_early(path):
                words = f" is cut off: the file ends before its contents do, after {seconds:.1f} s"
            elif damaged:
                words = f": {len(damaged)} of {count} frames are damaged, the first at {damaged[0]:.1f} s"
            if words:
                warnings.warn(f"{path.name}{words}", stacklevel=2)
        finally:
            bar.close()
        if not count:
            raise ValueError(f"{path.name} holds no frame that can be read: it may be cut off")


def _ends_early(path: Path) -> bool:
    """Whether a file is shorter than its contents, where they say it: AVI, Matroska, MP4, GIF, MPEG-TS in packets."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(4096)
        if head[:4] == b"RIFF":
            return int.from_bytes(head[4:8], "little") > size
        if head[:3] == b"GIF":
            file.seek(-min(size, 64), 2)
            return not file.read().rstrip(b"\0").endswith(b";")
        if head[:2] == b"\xff\xd8":  # a JPEG, perhaps with smaller ones in it, and a film after it
            rest = head + file.read()
            return rest.count(b"\xff\xd8\xff") > rest.count(b"\xff\xd9")
        if head[:1] == head[188:189] == b"G":
            return size % 188 > 0
        if head[:4] == b"\x1a\x45\xdf\xa3" and (at := head.find(b"\x18\x53\x80\x67", 0, 4000) + 4) > 4:
            width = 9 - head[at].bit_length()
            length = int.from_bytes(head[at : at + width]) % 128**width
            return at + width + length > size and length != 128**width - 1  # which is of a stream without an end
        at, last = 0, b""
        while at < size and head[4:8] in BOXES:
            length, last = int.from_bytes(head[:4]), head[4:8]
            at += int.from_bytes(head[8:16]) if length == 1 else length or size - at
            file.seek(at)
            head = file.read(16)
    return at > size or last == b"moof"  # whose pictures follow


def evenly(track: PersonTrack, times: list[float]) -> tuple[np.ndarray, float]:
    """The track at an even rate: (T, J, 3), NaN where the person was not found, and frames per second.

    The rate is that of the usual step between the video's frames. Where no step differs by more than a tenth nothing is
    moved; otherwise positions are interpolated in time.
    """
    first, last = track.frames[0], track.frames[-1]
    keypoints = np.full((last - first + 1, *track.keypoints[0].shape), np.nan, dtype=np.float32)
    keypoints[np.array(track.frames) - first] = track.keypoints
    seconds = np.array(times[first : last + 1])
    if len(times) == 1:
        return keypoints, USUAL_FPS
    step = float(np.median(np.diff(times)))
    if not step > 0:
        raise ValueError("the frames of the video have no times: convert it to .mp4 with a constant frame rate first")
    steps = np.diff(seconds)
    if np.abs(steps - step).max(initial=0) <= 0.1 * step:
        return keypoints, 1 / step
    even = seconds[0] + step * np.arange(int((seconds[-1] - seconds[0]) / step + 1e-6) + 1)
    after = np.clip(np.searchsorted(seconds, even, side="right"), 1, len(seconds) - 1)
    share = ((even - seconds[after - 1]) / np.maximum(steps[after - 1], 1e-9)).clip(0, 1)[:, None, None]
    return ((1 - share) * keypoints[after - 1] + share * keypoints[after]).astype(np.float32), 1 / step
