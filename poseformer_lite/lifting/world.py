"""A motion in the world: where the person walks, which way is up, where the floor is, and feet that stand still.

A lifted pose is root-relative and in the axes of the camera. What it takes to put it into the world is known all the
same:

- The root is where the pose, seen through the lens, covers its keypoints (`root_path`).
- Up is where balance says: over some seconds, the center of mass of people on their feet is above them
  (`up_direction`).
- A foot that hardly moves stands (`find_contacts`), and a foot that stands does not move at all (`hold_feet`).

The camera is taken to stand still, and the floor to be flat and level.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.ndimage import label, percentile_filter
from scipy.signal import savgol_filter
from scipy.sparse.linalg import spsolve

from poseformer_lite.canonical import ASSUMED_FOCAL_LENGTH
from poseformer_lite.checked import number
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.skeleton import H36M17

LEGS = np.array([[H36M17.joints.index(side + joint) for joint in ("Hip", "Knee", "Foot")] for side in "LR"])
FEET = LEGS[:, 2]

# Each joint's share of the body's mass: the segments' masses, split between the joints at their ends so that the
# centers stay (Winter, Biomechanics and Motor Control of Human Movement, 2009, table 4.1).
_LIMBS = {"Hip": 0.057, "Knee": 0.07, "Foot": 0.034, "Shoulder": 0.078, "Elbow": 0.019, "Wrist": 0.015}
_MASS = {"Hip": 0.249, "Thorax": 0.124, "Neck/Nose": 0.041, "Head": 0.04}
_MASS |= {side + joint: share for side in "LR" for joint, share in _LIMBS.items()}
MASS = np.array([_MASS.get(joint, 0.0) for joint in H36M17.joints])

LEVEL = np.array([0.0, -1.0, 0.0])  # which way is up before a level camera
# Chosen on people of CMU's motion capture other than those of benchmarks/world_motion.py.
FORWARD = 0.088  # how far the center of mass is in front of the ankles' middle: a share of its height above it
STRETCHED = (0.75, 0.9)  # hip to ankle, as a share of the leg: below, nobody is on their feet; above, all are
FARTHEST_TILT = 65.0  # degrees: whoever leans more, as a level camera sees it, is lying
MISJUDGED, OF_A_MOMENT, TILTS = 3.0, 10.0, 30.0  # degrees: errors of balance, always and of half a second; of cameras
SPEEDS, HEIGHTS = (0.35, 0.7), (0.12, 0.2)  # metres a second, metres over the floor: of a contact at its best; of all
STEADY, SHORTEST = 0.25, 0.1  # seconds: smoothing of feet before their speed is taken; the least that a foot stands
TOUCHED = 1.2  # seconds in which somebody's foot is on the floor
ROOT, FOOT, ACCELERATION = 0.05, 0.02, 5.0  # metres, metres, m/s2: errors of the path, standing feet's moves, jerks
MISFIT = 0.2  # metres by which poses are beside their keypoints where something is wrong
STRETCH = 0.04  # the most by which a leg is made longer or shorter to hold a foot


@dataclass(frozen=True, eq=False)
class World:
    """A motion in the world, and what was found or assumed on the way.

    :param positions: (T, 17, 3) float32, metres, z up, x to the right of the image, y away from the camera, the origin
        on the floor below the first frame's root; ankles that stand are at z = 0
    :param contacts: (T, 2) bool, the frames in which the left and the right foot stand
    :param focal_length: pixels, given or assumed
    :param pitch: degrees by which the camera looks down
    :param roll: degrees by which it is turned about its line of sight, clockwise as it sees
    :param up: (3,), which way is up in camera space.
    """

    positions: np.ndarray
    contacts: np.ndarray
    focal_length: float
    pitch: float
    roll: float
    up: np.ndarray

    def __str__(self) -> str:
        """What was found, in a sentence."""
        way = float(np.linalg.norm(np.diff(self.positions[:, 0, :2], axis=0), axis=-1).sum())
        sides = ("down", self.pitch) if self.pitch >= 0 else ("up", -self.pitch)
        return (
            f"in the world: a way of {way:.1f} m, before a camera that looks {sides[0]} by {sides[1]:.0f} degrees, is "
            f"rolled by {self.roll:.0f} and has a focal length of {self.focal_length:.0f} pixels"
        )


def in_the_world(
    motion: Motion,
    focal_length: float | None = None,
    level: bool = True,
    hold_feet: bool = True,
    body_height: float | None = None,
) -> World:
    """Put a motion into the world. `Motion.world` gives the positions alone, and says what the parameters are.

    :param motion: the motion
    :param focal_length: as there
    :param level: as there
    :param hold_feet: as there
    :param body_height: as there.
    :returns: The motion in the world.
    :raises ValueError: as `Motion.world` does.
    """
    motion = motion if body_height is None else motion.with_body_height(body_height)
    focal_length = motion.focal_length if focal_length is None else focal_length
    focal_length = _checked_focal_length(focal_length, motion.width, motion.height)
    rigid = motion.with_constant_bones().poses_3d  # a person who does not grow is as far away as they look
    path = root_path(rigid, motion.keypoints, motion.width, motion.height, motion.fps, focal_length)
    _warn_where_keypoints_do_not_fit(motion, path, focal_length)
    up = _vertical(motion) if level else LEVEL
    positions = (motion.poses_3d + path[:, None]) @ _axes(up).T
    positions -= [*positions[0, 0, :2], np.median(_floor(positions[:, FEET], motion.fps))]
    contacts = find_contacts(positions[:, FEET], motion.fps)
    if hold_feet:
        positions, contacts = _hold(positions, contacts, motion.fps)
    pitch, roll = np.degrees([np.arcsin(-up[2]), np.arctan2(-up[0], -up[1])])
    return World(positions.astype(np.float32), contacts, focal_length, float(pitch), float(roll), up)


def _vertical(motion: Motion) -> np.ndarray:
    """Which way is up in a motion's camera space, (3,); it warns where that of a level camera must be taken."""
    up = up_direction(motion.poses_3d, motion.fps)
    if up is None:
        said = "nobody stands or walks long enough in this motion to tell which way is up"
        warnings.warn(f"{said}: the camera is taken as level", stacklevel=4)
    return LEVEL if up is None else up


def root_path(
    poses_3d: np.ndarray,
    keypoints: np.ndarray,
    width: int,
    height: int,
    fps: float,
    focal_length: float | None = None,
    confidence: np.ndarray | None = None,
) -> np.ndarray:
    """Where the root is in camera space: where the poses cover their keypoints.

    A joint at (X, Y, Z) from a root at (x, y, z) is seen at u = f (X + x) / (Z + z) from the image's center. Multiplied
    by the depth this is linear in x, y and z: least squares over a frame's joints, where those that fit badly count
    less. Then depths are smoothed over a second, and x and y follow.

    :param poses_3d: (T, J, 3), metres, camera space, root-relative
    :param keypoints: (T, J, 2), pixels
    :param width: of the image, pixels
    :param height: of the image, pixels
    :param fps: frames per second
    :param focal_length: of the camera, pixels; by default as long as the image's longer side
    :param confidence: (T, J), weights of the keypoints.
    :returns: (T, 3), metres.
    :raises ValueError: for a focal length that is not positive.
    """
    focal_length = _checked_focal_length(focal_length, width, height)
    X, Y, Z = np.moveaxis(np.asarray(poses_3d, float), -1, 0)  # (T, J)
    u, v = np.moveaxis((np.asarray(keypoints, float) - (width / 2, height / 2)) / focal_length, -1, 0)
    a, b = u * Z - X, v * Z - Y  # x - u z = a and y - v z = b
    sure = np.ones_like(u) if confidence is None else np.asarray(confidence, float)
    weights = sure
    for _ in range(8):  # iteratively reweighted, with Cauchy's weights
        w, wu, wv, none = weights.sum(1), (weights * u).sum(1), (weights * v).sum(1), np.zeros(len(u))
        matrix = np.array([[w, none, -wu], [none, w, -wv], [-wu, -wv, (weights * (u * u + v * v)).sum(1)]])
        right = np.array([(weights * a).sum(1), (weights * b).sum(1), -(weights * (u * a + v * b)).sum(1)])
        solved = np.linalg.solve(np.moveaxis(matrix, -1, 0) + 1e-9 * np.eye(3), right.T[..., None])
        x, y, z = np.moveaxis(solved, 1, 0)  # (T, 1) each
        off = np.hypot(x - u * z - a, y - v * z - b)  # (T, J), metres
        weights = sure / (1 + (off / np.maximum(2 * np.median(off, axis=1, keepdims=True), 1e-6)) ** 2)
    z = _smooth(np.maximum(z, 0.3), fps)
    total = np.maximum(weights.sum(1, keepdims=True), 1e-9)
    x, y = ((weights * (seen * z + rest)).sum(1, keepdims=True) / total for seen, rest in ((u, a), (v, b)))
    return np.concatenate([x, y, z], axis=1)


def up_direction(poses_3d: np.ndarray, fps: float) -> np.ndarray | None:
    """Which way is up in camera space, from balance.

    People fall unless their center of mass stays above their feet: on average, a little in front of the ankles
    (FORWARD). Frames in which no leg is stretched or the body lies say nothing. The less there is to go by, the nearer
    the answer is to a level camera's.

    :param poses_3d: (T, 17, 3), metres, camera space
    :param fps: frames per second.
    :returns: (3,), of length 1; None where no frame says anything.
    """
    poses = np.asarray(poses_3d, float)
    hips, knees, ankles = (poses[:, LEGS[:, part]] for part in range(3))  # (T, 2, 3)
    length = np.linalg.norm(hips - knees, axis=-1) + np.linalg.norm(knees - ankles, axis=-1)
    stretched = (np.linalg.norm(hips - ankles, axis=-1) / np.maximum(length, 1e-6)).max(axis=1)
    stands = np.clip((stretched - STRETCHED[0]) / (STRETCHED[1] - STRETCHED[0]), 0, 1)  # (T,)
    left, balance = hips[:, 0] - hips[:, 1], MASS @ poses - ankles.mean(axis=1)
    level = up = LEVEL
    for _ in range(20):
        found = _unit(balance - FORWARD * (balance @ up)[:, None] * _unit(np.cross(left, up)))  # (T, 3)
        weights = stands * (found @ level > np.cos(np.radians(FARTHEST_TILT)))
        if not weights.sum() > 1e-6:
            return None
        off = np.degrees(np.arccos(np.clip(found @ up, -1, 1)))
        up = _unit(weights / (1 + (off / max(8.0, np.median(off))) ** 2) @ found)
    error = MISJUDGED**2 + OF_A_MOMENT**2 / max(1.0, stands.sum() / (0.5 * fps))
    tilt = np.arccos(np.clip(up @ level, -1, 1)) * TILTS**2 / (TILTS**2 + error)
    return np.cos(tilt) * level + np.sin(tilt) * _unit(up - (up @ level) * level)


def find_contacts(feet: np.ndarray, fps: float) -> np.ndarray:
    """The frames in which a foot stands: slow, and hardly above where feet are lowest around that time.

    A contact goes on as long as the foot is within the second of SPEEDS and HEIGHTS, and somewhere in it is within the
    first.

    :param feet: (T, 2, 3), metres, z up
    :param fps: frames per second.
    :returns: (T, 2) bool.
    """
    contacts = np.zeros(feet.shape[:2], dtype=bool)
    if len(feet) < 2:
        return contacts
    steady = _smooth(feet, STEADY * fps)
    speed = fps * np.linalg.norm(np.gradient(steady, axis=0), axis=-1)
    height = steady[..., 2] - _floor(feet, fps)[:, None]
    surely, perhaps = ((speed < fast) & (height < high) for fast, high in zip(SPEEDS, HEIGHTS, strict=True))
    for foot, runs in enumerate(_runs(perhaps)):
        long = np.bincount(runs) >= SHORTEST * fps
        sure = np.bincount(runs, weights=surely[:, foot]) > 0
        contacts[:, foot] = (runs > 0) & (long & sure)[runs]
    return contacts


def _hold(positions: np.ndarray, contacts: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """The motion (T, 17, 3) with feet that do not move while they stand: the root gives way, then the legs.

    Frames in which a leg would have to grow by more than STRETCH are no contacts in what is given back.
    """
    positions = positions + _steadier_root(positions[:, FEET], contacts, fps)[:, None]
    frames, held = np.arange(len(positions)), np.zeros_like(contacts)
    for side, ((hip, knee, foot), runs) in enumerate(zip(LEGS, _runs(contacts), strict=True)):
        goal = positions[:, foot].copy()
        for run in range(1, runs.max() + 1):
            goal[runs == run] = [*positions[runs == run, foot, :2].mean(axis=0), 0.0]
        now, wanted = (np.linalg.norm(end - positions[:, hip], axis=-1) for end in (positions[:, foot], goal))
        held[:, side] = stands = (runs > 0) & (np.abs(wanted - now) <= STRETCH * now)
        if not stands.any():
            continue
        for axis, moved in enumerate(
            (goal - positions[:, foot])[stands].T
        ):  # between two contacts, from one to the next
            goal[:, axis] = positions[:, foot, axis] + np.interp(frames, frames[stands], moved)
        positions[:, knee], positions[:, foot] = _turned_leg(*positions[:, (hip, knee, foot)].swapaxes(0, 1), goal)
    return positions, held


def _steadier_root(feet: np.ndarray, contacts: np.ndarray, fps: float) -> np.ndarray:
    """How the root (T, 3) must move so that standing feet (T, 2, 3) keep their place, on the floor.

    Least squares: of the root's move, of its acceleration, and of each standing foot's distance to where it stands,
    which is unknown but for its height.
    """
    T = len(feet)
    runs = np.where(contacts, np.stack(_runs(contacts), axis=1), 0)
    runs[:, 1] += (runs[:, 1] > 0) * runs[:, 0].max()  # each contact has a number of its own
    frames, foot = np.nonzero(runs)
    if not len(frames):
        return np.zeros((T, 3))
    ones, rows = np.ones(len(frames)), np.arange(len(frames))
    of_frame = sparse.csr_matrix((ones, (rows, frames)), shape=(len(rows), T)) / FOOT
    of_place = sparse.csr_matrix((ones, (rows, runs[frames, foot] - 1))) / FOOT
    bends = sparse.diags([1.0, -2.0, 1.0], [0, 1, 2], shape=(max(T - 2, 1), T)) * (fps**2 / ACCELERATION)
    still = sparse.eye(T) / ROOT**2 + bends.T @ bends
    there = -feet[frames, foot] / FOOT  # (N, 3)
    joint = sparse.hstack([of_frame, -of_place])
    unknown = sparse.block_diag([still, sparse.csr_matrix((of_place.shape[1],) * 2)]) + joint.T @ joint
    across = spsolve(unknown.tocsc(), joint.T @ there[:, :2])[:T]
    upward = spsolve((still + of_frame.T @ of_frame).tocsc(), of_frame.T @ there[:, 2])
    return np.column_stack([across, upward])


def _turned_leg(hip: np.ndarray, knee: np.ndarray, foot: np.ndarray, goal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Knee and foot of a leg that is turned about the hip, and stretched a little, until the foot is at its goal.

    All (T, 3). The knee keeps its angle, so a straight one stays straight, and the plane in which it bends.
    """
    leg, new = foot - hip, goal - hip
    length, wanted = (np.linalg.norm(way, axis=-1, keepdims=True) for way in (leg, new))
    stretch = np.clip(wanted / np.maximum(length, 1e-9), 1 - STRETCH, 1 + STRETCH)
    before, after, thigh = _unit(leg), _unit(new), knee - hip
    along = (thigh * before).sum(-1, keepdims=True)
    bend = thigh - along * before
    turned = _unit(bend - (bend * after).sum(-1, keepdims=True) * after) * np.linalg.norm(bend, axis=-1, keepdims=True)
    return hip + stretch * (along * after + turned), hip + stretch * length * after


def _warn_where_keypoints_do_not_fit(motion: Motion, path: np.ndarray, focal_length: float) -> None:
    placed = motion.poses_3d + path[:, None]
    seen = placed[..., :2] / np.maximum(placed[..., 2:], 0.1) * focal_length + (motion.width / 2, motion.height / 2)
    off = np.linalg.norm(seen - motion.keypoints, axis=-1) * path[:, 2:] / focal_length  # (T, 17), metres
    if np.median(off) > MISFIT:
        warnings.warn(
            f"the poses are {np.median(off):.2f} m off their keypoints wherever the root is put: its path is not to be "
            "trusted. Are the keypoints pixels of an image of this width and height?",
            stacklevel=4,
        )


def _axes(up: np.ndarray) -> np.ndarray:
    """(3, 3): to the right, away from the camera and up, in the camera's axes."""
    away = _unit(np.array([0.0, 0.0, 1.0]) - up[2] * up)
    return np.stack([np.cross(away, up), away, up])


def _floor(feet: np.ndarray, fps: float) -> np.ndarray:
    """(T,): where feet (T, 2, 3) are lowest around each frame, but for a few outliers."""
    return percentile_filter(feet[..., 2].min(axis=1), 15, size=int(TOUCHED * fps) | 1, mode="nearest")


def _runs(contacts: np.ndarray) -> list[np.ndarray]:
    """For each foot of contacts (T, 2), which one each frame belongs to, (T,): 1, 2, ..., or 0."""
    return [label(foot)[0] for foot in contacts.T]


def _smooth(values: np.ndarray, frames: float) -> np.ndarray:
    """A parabola fitted around each frame of (T, ...)."""
    frames = min(int(frames) | 1, len(values) - 1 + len(values) % 2)
    return savgol_filter(values, frames, 2, axis=0) if frames > 3 else values


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _checked_focal_length(focal_length: float | None, width: int, height: int) -> float:
    assumed = ASSUMED_FOCAL_LENGTH * max(width, height)
    return number(assumed if focal_length is None else focal_length, "focal_length, in pixels,", over=0)
