"""Keypoints as they come in the wild: of a different detector and frame rate, with joints that are hidden.

`detections` gives the errors of a detector that was taught the very joints it is asked for. What people bring is less
tidy. Its joints were defined by other annotators, its video runs at 25, 30 or 60 frames a second, and anyone who
turns away hides half of themselves.
"""

import numpy as np

from poseformer_lite.datasets.virtual.detections import draw_spells, simulate_detector
from poseformer_lite.keypoints import fill_gaps, resample
from poseformer_lite.skeleton import H36M17

RATES = (25.0, 30.0, 50.0, 60.0)  # frames per second of phones, webcams and television

# Where detectors put joints that CMU's skeletons and Human3.6M put elsewhere, metres from those (outward, up, forward,
# as the pelvis or the chest is turned): the mean and the spread over detectors, half of it shared by both sides.
SHIFTS = {
    "Hip": ((0.0, 0.01, 0.0), (0.015, 0.02, 0.015)),  # hips are marked on the skin, higher or lower than the bones turn
    "Shoulder": ((0.0, 0.0, 0.0), (0.015, 0.02, 0.01)),
    "Neck/Nose": ((0.0, 0.06, 0.08), (0.0, 0.04, 0.05)),  # the nose, where Human3.6M's joint is between it and the neck
    "Head": ((0.0, 0.0, 0.0), (0.0, 0.03, 0.025)),
}
ALONG = 0.03  # knees, feet, elbows, wrists: shifted along their bone, a share of its length
AS_CONVERTED = 0.6  # of the takes, through the conversion of `keypoints.to_h36m17`: no spine, no thorax of their own
HIDDEN = (("RFoot", "RKnee"), ("LFoot", "LKnee"), ("RWrist", "RElbow"), ("LWrist", "LElbow"), ("RFoot", "LFoot"))
HIDDEN_SHARE, HIDDEN_SECONDS = 0.02, (0.1, 0.8)  # of the frames, for each of these; how long


def detector_points(world: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The points that a differently trained detector would mark on a body.

    Every joint is shifted by its SHIFTS and ALONG, the same way in all frames; often the trunk's are then those that
    `keypoints.to_h36m17` makes of hips and shoulders.

    :param world: (T, 17, 3), metres, z up
    :param rng: of the draw.
    :returns: (T, 17, 3), metres.
    """
    points = world.astype(np.float64)
    index = H36M17.joints.index
    pelvis = _axes(points, "RHip", "LHip", "Hip", "Spine")
    chest = _axes(points, "RShoulder", "LShoulder", "Spine", "Thorax")
    for part, axes in (("Hip", pelvis), ("Shoulder", chest), ("Neck/Nose", chest), ("Head", chest)):
        mean, spread = map(np.array, SHIFTS[part])
        both = rng.normal(mean, spread * np.sqrt(0.5))
        for side, outward in (("L", 1), ("R", -1)) if part in ("Hip", "Shoulder") else (("", 0),):
            shift = (both + rng.normal(0, spread * np.sqrt(0.5))) * (outward, 1, 1)
            points[:, index(side + part)] += axes @ shift
    for upper, middle, end in (("Hip", "Knee", "Foot"), ("Shoulder", "Elbow", "Wrist")):
        shares = rng.normal(0, ALONG, 2)
        for side in "LR":
            bones = [
                points[:, index(side + b)] - points[:, index(side + a)] for a, b in ((upper, middle), (middle, end))
            ]
            points[:, index(side + middle)] += shares[0] * bones[0]
            points[:, index(side + end)] += shares[1] * bones[1]
    points[:, 0] = (points[:, index("LHip")] + points[:, index("RHip")]) / 2
    if rng.random() < AS_CONVERTED:
        points[:, index("Thorax")] = (points[:, index("LShoulder")] + points[:, index("RShoulder")]) / 2
        points[:, index("Spine")] = (points[:, 0] + points[:, index("Thorax")]) / 2
    return points.astype(world.dtype)


def wild_keypoints(pixels: np.ndarray, rng: np.random.Generator, fps: float = 50.0) -> np.ndarray:
    """Projections as a video of some frame rate and its detector give them, resampled back and with the gaps filled.

    The detector is a `simulate_detector` of half to one and a half times its usual errors. Limbs go missing for some
    tenths of a second, 2 % of the time each, and are interpolated, as `fill_gaps` does for a user.

    :param pixels: (T, 17, 2)
    :param rng: of the draw
    :param fps: frames per second.
    :returns: (T, 17, 2), pixels.
    :raises ValueError: for a different shape.
    """
    rate = rng.choice(RATES)
    seen = resample(pixels, fps, rate)
    seen = simulate_detector(seen, rng, fps=rate, spread=rng.uniform(0.5, 1.5), outliers=rng.uniform(0.5, 1.5))
    hidden = _hidden(len(seen), rng, rate)
    seen[hidden & ~hidden.all(axis=0)] = np.nan
    return resample(fill_gaps(seen), rate, fps, num_frames=len(pixels))


def _axes(points: np.ndarray, right: str, left: str, below: str, above: str) -> np.ndarray:
    """(T, 3, 3): columns to the left, up and forward of the part of the body between four joints."""
    right, left, below, above = (points[:, H36M17.joints.index(name)] for name in (right, left, below, above))
    x = _unit(left - right)
    y = above - below
    y = _unit(y - (y * x).sum(-1, keepdims=True) * x)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _hidden(frames: int, rng: np.random.Generator, fps: float) -> np.ndarray:
    """(T, 17) bool: which joints are hidden."""
    hidden = np.zeros((frames, H36M17.num_joints), bool)
    inside, _ = draw_spells(frames, np.full(len(HIDDEN), HIDDEN_SHARE), rng, fps, HIDDEN_SECONDS)
    for group, joints in enumerate(HIDDEN):
        hidden[:, [H36M17.joints.index(name) for name in joints]] |= inside[:, group, None]
    return hidden
