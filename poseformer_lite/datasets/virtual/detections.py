"""A simulated 2D detector: true keypoints in, keypoints with a detector's errors out."""

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import fftconvolve

from poseformer_lite.skeleton import H36M17

# Standard deviation of each joint's error along x and along y, as a share of the person's size in the picture.
SPREAD = {
    "Hip": 0.007, "RHip": 0.009, "RKnee": 0.010, "RFoot": 0.013, "LHip": 0.009, "LKnee": 0.010, "LFoot": 0.013,
    "Spine": 0.009, "Thorax": 0.007, "Neck/Nose": 0.007, "Head": 0.008, "LShoulder": 0.009, "LElbow": 0.012,
    "LWrist": 0.016, "RShoulder": 0.009, "RElbow": 0.012, "RWrist": 0.016,
}  # fmt: skip

# The error's variance in parts, each correlated over its own time (seconds, the width of a Gaussian): a habit that
# depends on how the person looks from here, the drift of a tracked joint, and the jitter from frame to frame.
PARTS = ((0.3, 1.0), (0.5, 0.12), (0.2, 0.0))

OUTLIERS = {"Wrist": 0.015, "Foot": 0.01, "Elbow": 0.008, "Knee": 0.005}  # share of frames in which the joint is lost
OUTLIER_SPREAD = 0.12  # share of the person's size by which a lost joint is off, along x and along y
LEGS = (("RHip", "RKnee", "RFoot"), ("LHip", "LKnee", "LFoot"))
ARMS = (("RShoulder", "RElbow", "RWrist"), ("LShoulder", "LElbow", "LWrist"))
LIMBS = (LEGS, ARMS)
SPELL = (0.06, 0.3)  # seconds that outliers and swaps last, shortest and longest


def simulate_detector(
    keypoints: np.ndarray,
    rng: np.random.Generator,
    *,
    fps: float = 50.0,
    spread: float = 1.0,
    outliers: float = 1.0,
    swaps: float = 0.004,
) -> np.ndarray:
    """True keypoints as a detector would find them.

    The numbers are set by hand, after what is known of CPN fine-tuned on Human3.6M, the detector of the paper: errors
    of 5 to 8 pixels on average for a person some 400 pixels tall, smallest on the trunk and largest at wrists and
    ankles, which are small and hidden most often. They scale with the person's size, the longer side of the box
    around the joints, smoothed over half a second. The same generator state gives the same errors.

    :param keypoints: (T, 17, 2), pixels, order H36M-17
    :param rng: of the draw
    :param fps: frames per second
    :param spread: times the Gaussian errors, whose standard deviations are SPREAD (0.7 % of the size at the pelvis, 1.6
        % at the wrists); half of the variance is correlated over some 0.12 s, 30 % over 1 s, 20 % is new in each frame
    :param outliers: times the share of frames in which a joint is lost: 1.5 % for wrists, 1 % for ankles, 0.8 % for
        elbows, 0.5 % for knees; for 0.06 to 0.3 s it is then off by 12 % of the size along x and y (standard deviation)
    :param swaps: the share of frames in which left and right legs, and left and right arms, are exchanged, as briefly.
    :returns: (T, 17, 2), pixels, same dtype.
    :raises ValueError: for a different shape.
    """
    if keypoints.ndim != 3 or keypoints.shape[1:] != (H36M17.num_joints, 2):
        raise ValueError(
            f"keypoints are {keypoints.shape}, expected (T, 17, 2): pixels, in the order of H36M-17. "
            "Convert other layouts with poseformer_lite.keypoints first"
        )
    size = person_size(keypoints, fps)[:, None, None]
    found = _swapped(keypoints, rng, swaps, fps)
    found = found + size * np.array(list(SPREAD.values()))[:, None] * spread * _noise(keypoints.shape, rng, fps)
    return (found + size * _outliers(len(keypoints), rng, outliers, fps)).astype(keypoints.dtype)


def person_size(keypoints: np.ndarray, fps: float = 50.0) -> np.ndarray:
    """The longer side of the box around all joints, pixels, smoothed over half a second: (T, J, 2) -> (T,)."""
    sides = keypoints.max(axis=1) - keypoints.min(axis=1)
    return gaussian_filter1d(sides.max(axis=-1).astype(float), 0.25 * fps, mode="nearest")


def _noise(shape: tuple[int, ...], rng: np.random.Generator, fps: float) -> np.ndarray:
    """Gaussian noise of unit variance in the PARTS above."""
    noise = np.zeros(shape)
    for share, seconds in PARTS:
        margin = int(4 * seconds * fps) + 1  # filtered with frames to spare, so that the ends are like the middle
        white = rng.normal(size=(shape[0] + 2 * margin, *shape[1:]))
        noise += np.sqrt(share) * _unit_smooth(white, seconds * fps)[margin:-margin]
    return noise


def _unit_smooth(white: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing over time that leaves the variance of white noise at one."""
    if sigma == 0:
        return white
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return fftconvolve(white, (weights / np.linalg.norm(weights))[:, None, None], mode="same", axes=0)


def draw_spells(
    frames: int, shares: np.ndarray, rng: np.random.Generator, fps: float, seconds: tuple[float, float] = SPELL
) -> tuple[np.ndarray, np.ndarray]:
    """Spells that cover the given shares (K,) of frames: (inside one, (T, K) bool; frame in which it began, (T, K)).

    seconds: how long they last, shortest and longest, all lengths between equally often.
    """
    shortest, longest = (max(1, round(duration * fps)) for duration in seconds)
    lengths = rng.integers(shortest, longest + 1, (frames, len(shares)))
    # each start covers its spell's length: of frames without any, (1 - chance)^length are left
    chance = 1 - (1 - shares) ** (2 / (shortest + longest))
    starts = rng.random((frames, len(shares))) < chance
    now = np.arange(frames)[:, None]
    began = np.maximum.accumulate(np.where(starts, now, -1))
    ends = np.maximum.accumulate(np.where(starts, now + lengths, 0))
    return now < ends, np.maximum(began, 0)


def _outliers(frames: int, rng: np.random.Generator, scale: float, fps: float) -> np.ndarray:
    """How far lost joints are off, (T, 17, 2) as a share of the size: one offset throughout a spell, else zero."""
    shares = np.array([OUTLIERS.get(name.lstrip("LR"), 0.0) for name in H36M17.joints]) * scale
    inside, began = draw_spells(frames, np.minimum(shares, 1), rng, fps)
    offsets = rng.normal(scale=OUTLIER_SPREAD, size=(frames, len(shares), 2))
    return np.where(inside[..., None], np.take_along_axis(offsets, began[..., None], axis=0), 0.0)


def _swapped(keypoints: np.ndarray, rng: np.random.Generator, share: float, fps: float) -> np.ndarray:
    """Left and right limbs exchanged for short spells, legs and arms each on their own."""
    inside, _ = draw_spells(len(keypoints), np.full(len(LIMBS), share), rng, fps)
    found = keypoints.astype(float)
    for limb, (right, left) in enumerate(LIMBS):
        here = inside[:, limb, None, None]
        right, left = ([H36M17.joints.index(name) for name in side] for side in (right, left))
        found[:, right] = np.where(here, keypoints[:, left], keypoints[:, right])
        found[:, left] = np.where(here, keypoints[:, right], keypoints[:, left])
    return found
