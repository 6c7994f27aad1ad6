"""A body: bone lengths from anthropometry, joint limits, and from joint angles and limb targets to 17 joints.

Axes of every frame of reference: x forward, y to the left, z up. Angles are radians, (roll, pitch, yaw): roll tips to
the right, pitch bends forward, yaw turns to the left. Limbs come in the order left, right.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from poseformer_lite.skeleton import H36M17

SIDES = np.array([1.0, -1.0])  # left lies at positive y

# Lengths as shares of stature. Thigh, shank, upper arm, forearm, ankle height and foot: Drillis & Contini (1966), as
# printed in Winter, Biomechanics and Motor Control of Human Movement (2009), figure 4.1. Hips and shoulders there are
# outer breadths; the joint centres lie further in. The trunk and the head divide shoulder height to crown into the
# bones that Human3.6M has.
SHARES = {
    "thigh": 0.245, "shank": 0.246, "ankle_height": 0.039, "foot": 0.152, "hip": 0.074, "lumbar": 0.134,
    "chest": 0.150, "neck": 0.070, "head": 0.066, "shoulder": 0.088, "upper_arm": 0.186, "forearm": 0.146,
}  # fmt: skip

# Largest roll, pitch forward, pitch backward and yaw of each part of the trunk on the part below, degrees: ranges of
# motion of the American Academy of Orthopaedic Surgeons, shared out over the four joints that Human3.6M's trunk has.
TRUNK_LIMITS = {
    "lumbar": (20, 45, 15, 12),
    "chest": (18, 35, 15, 35),
    "neck": (25, 35, 35, 40),
    "head": (20, 30, 30, 45),
}
FLEXION_LIMITS = {"knee": (5, 155), "elbow": (8, 145)}  # degrees; zero is a straight limb


@dataclass(frozen=True)
class Body:
    """Bone lengths of one person, metres, and how this person carries the trunk and moves."""

    stature: float
    lengths: dict[str, float]
    stoop: float  # radians, a habitual bend of the chest
    toe_out: float  # radians
    step_width: float  # metres between the ankles
    tempo: float  # 1 is average; larger is quicker
    reach: float  # 1 is average; larger makes wider gestures

    @property
    def arm(self) -> float:
        """Shoulder to wrist, metres."""
        return self.lengths["upper_arm"] + self.lengths["forearm"]

    @property
    def leg(self) -> float:
        """Hip to ankle, metres."""
        return self.lengths["thigh"] + self.lengths["shank"]


def make_body(rng: np.random.Generator) -> Body:
    """A person: stature 1.58 to 1.88 m, every bone within some 4 % of its share of it."""
    stature = rng.uniform(1.58, 1.88)
    build = 1 + 0.04 * rng.uniform(-1, 1, len(SHARES))
    return Body(
        stature=stature,
        lengths={name: stature * share * k for (name, share), k in zip(SHARES.items(), build, strict=True)},
        stoop=rng.uniform(-0.04, 0.12),
        toe_out=rng.uniform(0.02, 0.22),
        step_width=stature * rng.uniform(0.055, 0.11),
        tempo=rng.uniform(0.88, 1.15),
        reach=rng.uniform(0.9, 1.08),
    )


@dataclass(eq=False)
class Controls:
    """What a body is told to do, over T frames; positions and directions are in the world.

    trunk holds the angles of each part on the part below. wrists are offsets from the shoulders; elbow_poles and
    knee_poles say which way elbows and knees point.
    """

    pelvis: np.ndarray  # (T, 3) metres
    pelvis_angles: np.ndarray  # (T, 3)
    trunk: dict[str, np.ndarray]  # "lumbar", "chest", "neck", "head": (T, 3)
    shrug: np.ndarray  # (T, 2) radians, shoulders raised
    wrists: np.ndarray  # (T, 2, 3) metres
    elbow_poles: np.ndarray  # (T, 2, 3)
    ankles: np.ndarray  # (T, 2, 3) metres
    knee_poles: np.ndarray  # (T, 2, 3)


def rotation(angles: np.ndarray) -> np.ndarray:
    """(..., 3) roll, pitch, yaw -> (..., 3, 3): yaw after pitch after roll."""
    (cr, cp, cy), (sr, sp, sy) = (np.moveaxis(f(angles), -1, 0) for f in (np.cos, np.sin))
    rows = [
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def turn(matrix: np.ndarray, vectors) -> np.ndarray:
    """Rotate: (..., 3, 3) and (..., 3) -> (..., 3)."""
    return (matrix @ np.asarray(vectors, float)[..., None])[..., 0]


def limit_trunk(part: str, angles: np.ndarray) -> np.ndarray:
    """Keep (T, 3) angles of a part of the trunk within its range of motion."""
    roll, forward, backward, yaw = np.radians(TRUNK_LIMITS[part])
    return np.clip(angles, [-roll, -backward, -yaw], [roll, forward, yaw])


def bend_limb(start, target, pole, upper: float, lower: float, limits: tuple[float, float]):
    """Two bones from `start` toward `target`, bent toward `pole`: (middle, end), by the law of cosines.

    start, target, pole: (T, ..., 3). A target out of reach, or so near that the joint would bend past its limits
    (degrees of flexion), is moved along the line from start. The plane of the limb is smoothed over time, as it is
    ill-defined for a moment when the pole passes close to the line.
    """
    flexion = np.pi - np.radians(limits)
    furthest, nearest = np.sqrt(upper**2 + lower**2 - 2 * upper * lower * np.cos(flexion))
    line = target - start
    distance = np.linalg.norm(line, axis=-1, keepdims=True)
    direction = line / distance
    distance = np.clip(distance, nearest, furthest)

    along = (upper**2 - lower**2 + distance**2) / (2 * distance)
    aside = _across(gaussian_filter1d(_across(pole, direction), 5, axis=0), direction)
    aside /= np.linalg.norm(aside, axis=-1, keepdims=True)
    middle = start + along * direction + np.sqrt(upper**2 - along**2) * aside
    return middle, start + distance * direction


def _across(vectors: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The share of vectors that is perpendicular to unit directions, both (..., 3)."""
    return vectors - (vectors * direction).sum(-1, keepdims=True) * direction


def hip_offsets(body: Body, pelvis: np.ndarray) -> np.ndarray:
    """Hips from the pelvis: rotations (T, 3, 3) -> (T, 2, 3)."""
    return pelvis[:, None, :, 1] * (SIDES * body.lengths["hip"])[:, None]


def pose(body: Body, controls: Controls) -> np.ndarray:
    """Forward kinematics of trunk and head, two-bone limbs: (T, 17, 3), metres, world, in the order of H36M17."""
    size = body.lengths
    frames = {"pelvis": rotation(controls.pelvis_angles)}
    below = "pelvis"
    for part in TRUNK_LIMITS:
        frames[part] = frames[below] @ rotation(limit_trunk(part, controls.trunk[part]))
        below = part

    joints = {"Hip": controls.pelvis}
    joints["Spine"] = joints["Hip"] + size["lumbar"] * frames["lumbar"][..., 2]
    joints["Thorax"] = joints["Spine"] + size["chest"] * frames["chest"][..., 2]
    joints["Neck/Nose"] = joints["Thorax"] + size["neck"] * turn(frames["neck"], (np.sin(0.35), 0, np.cos(0.35)))
    joints["Head"] = joints["Neck/Nose"] + size["head"] * turn(frames["head"], (-np.sin(0.25), 0, np.cos(0.25)))

    shoulders = joints["Thorax"][:, None] + _shoulder_offsets(body, frames["chest"], controls.shrug)
    hips = joints["Hip"][:, None] + hip_offsets(body, frames["pelvis"])
    arm, leg = (size["upper_arm"], size["forearm"]), (size["thigh"], size["shank"])
    hands = shoulders + controls.wrists
    hands[..., 2] = np.maximum(hands[..., 2], 0.04)  # a hand that reaches for the floor rests on it
    elbows, wrists = bend_limb(shoulders, hands, controls.elbow_poles, *arm, FLEXION_LIMITS["elbow"])
    knees, ankles = bend_limb(hips, controls.ankles, controls.knee_poles, *leg, FLEXION_LIMITS["knee"])
    limbs = {"Shoulder": shoulders, "Elbow": elbows, "Wrist": wrists, "Hip": hips, "Knee": knees, "Foot": ankles}
    joints |= {side + name: limb[:, i] for name, limb in limbs.items() for i, side in enumerate("LR")}
    return np.stack([joints[name] for name in H36M17.joints], axis=1)


def _shoulder_offsets(body: Body, chest: np.ndarray, shrug: np.ndarray) -> np.ndarray:
    """Shoulders from the thorax: (T, 3, 3) and (T, 2) -> (T, 2, 3); relaxed ones slope down by some 8 degrees."""
    slope = shrug - 0.14
    local = np.stack([np.zeros_like(slope), SIDES * np.cos(slope), np.sin(slope)], axis=-1)
    return body.lengths["shoulder"] * turn(chest[:, None], local)
