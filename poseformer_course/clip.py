"""The clip of lessons 00 and 05: somebody walks past; and what the detector found in it, for where it cannot run."""

import sysconfig
from pathlib import Path

import numpy as np

from poseformer_lite.formats.keypoint_files import KeypointTrack, read_keypoints

PLACES = (
    Path(__file__).parents[1] / "data" / "clip",  # of a checkout
    Path(sysconfig.get_path("data")) / "share" / "poseformer-lite" / "clip",  # of an installed wheel
)


def clip_file(name: str = "walk.mp4") -> Path:
    """The video, or the file "walk_keypoints.npz" beside it. Raises FileNotFoundError where neither place has it."""
    for folder in PLACES:
        if (folder / name).is_file():
            return folder / name
    raise FileNotFoundError(f"there is no {name} in {' or '.join(map(str, PLACES))}: clone the repository")


def stored_keypoints() -> KeypointTrack:
    """What `BlazePose` found in the clip: (111, 33, 3), pixels and visibility, at 30 Hz."""
    return read_keypoints(clip_file("walk_keypoints.npz"))[0]


def pictures(frames: list[int]) -> list[np.ndarray]:
    """Frames of the clip by their numbers, (H, W, 3) uint8 each; white ones where PyAV is not installed."""
    from poseformer_lite.lifting.video import read_video

    track = stored_keypoints()
    try:
        seen = {number: image for number, (_, image) in enumerate(read_video(clip_file())) if number in frames}
    except ValueError:
        seen = {}
    blank = np.full((track.height, track.width, 3), 255, np.uint8)
    return [seen.get(frame, blank) for frame in frames]
