"""A moving tree of rigid segments: what ASF/AMC and BVH files both describe, its resampling and forward kinematics."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from scipy.signal import resample_poly
from scipy.spatial.transform import Rotation

from poseformer_lite.checked import number, parsed
from poseformer_lite.skeleton import Skeleton

FARTHEST = 1e6  # of a file's units of length, and of degrees: larger numbers are damage


@dataclass(frozen=True, eq=False)
class ArticulatedMotion:
    """N nodes that hang together as a tree, moving for T frames.

    :param names: N long; -1 for node 0, the root; a parent stands before its children
    :param parents: N long; -1 for node 0, the root; a parent stands before its children
    :param carriers: for each node the node whose rotation turns its offset. In BVH a joint is carried by its parent; in
        ASF a node is the end of a bone and is carried by the bone's own rotation
    :param offsets: (N, 3), metres: from the parent to the node, in the rest pose
    :param rotations: (T, N, 4) unit quaternions (x, y, z, w), relative to the parent
    :param root_position: (T, 3), metres
    :param fps: frames per second.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    carriers: tuple[int, ...]
    offsets: np.ndarray
    rotations: np.ndarray
    root_position: np.ndarray
    fps: float

    def __len__(self) -> int:
        return len(self.rotations)


def numbers(words: list[str], where: Callable[[int], str]) -> np.ndarray:
    """(N,) the words of a file as numbers; ValueError says which is none, `where(i)` telling the place of word i."""
    try:
        values = np.array(words, float)
        good = (np.abs(values) <= FARTHEST).all() and not any("_" in word for word in words)
    except ValueError:
        good = False
    return values if good else np.array([parsed(word, where(i), -FARTHEST, FARTHEST) for i, word in enumerate(words)])


def check_held(frames: int, nodes: int, text: str) -> None:
    """Raises ValueError for a motion of more poses than the file can hold: joints that nothing moves, in all frames."""
    if frames * nodes > len(text):
        raise ValueError(f"it announces {frames:,} frames of {nodes:,} joints, and is {len(text):,} characters long")


def forward_kinematics(motion: ArticulatedMotion) -> tuple[np.ndarray, np.ndarray]:
    """The position and orientation of every node.

    :param motion: T frames of N nodes.
    :returns: (T, N, 3), metres, and rotation matrices (T, N, 3, 3), both in the file's own world.
    """
    T, N = motion.rotations.shape[:2]
    positions, orientations = np.empty((T, N, 3)), np.empty((T, N, 3, 3))
    turned = []  # by node: its rotation in the world

    for node, parent in enumerate(motion.parents):
        own = Rotation.from_quat(motion.rotations[:, node])
        turned.append(own if parent < 0 else turned[parent] * own)
        orientations[:, node] = turned[node].as_matrix()
        if parent < 0:
            positions[:, node] = motion.root_position
        else:
            carried = orientations[:, motion.carriers[node]] @ motion.offsets[node]
            positions[:, node] = positions[:, parent] + carried
    return positions, orientations


def resample(motion: ArticulatedMotion, fps: float) -> ArticulatedMotion:
    """The motion at a different frame rate, low-pass filtered so that fast movement does not alias.

    It is the rotations that are filtered (their quaternions, brought to one hemisphere over time and normalised
    again) and the root's position, never the joints' positions: bone lengths stay what they were.

    :param motion: as read
    :param fps: frames per second of the result.
    :returns: A new motion.
    :raises ValueError: for a rate that is not positive.
    """
    number(fps, "fps", over=0)
    ratio = Fraction(fps / motion.fps).limit_denominator(1000)
    if ratio == 1 or len(motion) == 1:
        return replace(motion, fps=fps)

    steps = (motion.rotations[1:] * motion.rotations[:-1]).sum(-1)  # negative where q became -q, the same rotation
    signs = np.cumprod(np.where(steps < 0, -1.0, 1.0), axis=0)
    smooth = motion.rotations.copy()
    smooth[1:] *= signs[..., None]

    up, down = ratio.numerator, ratio.denominator
    rotations = resample_poly(smooth, up, down, axis=0, padtype="edge")
    rotations /= np.linalg.norm(rotations, axis=-1, keepdims=True)
    root_position = resample_poly(motion.root_position, up, down, axis=0, padtype="line")
    return replace(motion, rotations=rotations, root_position=root_position, fps=fps)


def from_positions(poses: np.ndarray, skeleton: Skeleton, fps: float) -> ArticulatedMotion:
    """Joint angles that bring a T-pose of constant bones into each pose.

    Bones have their median lengths. A joint with one child turns by the least rotation from where its parent carries
    it, since positions say nothing of twist; one with several (hip, thorax) turns as fits its children best. So the
    directions of arms, legs and head are reproduced exactly, and hips and shoulders as rigid wholes. Rest pose: facing
    +z, left limbs towards +x, legs down, spine and head up, hips and shoulders at the angles that this body has.

    :param poses: (T, J, 3), metres, y up
    :param skeleton: of the J joints
    :param fps: frames per second.
    :returns: The motion, whose nodes are the joints.
    :raises ValueError: for a different shape, and for numbers that are not finite.
    """
    if poses.ndim != 3 or poses.shape[1:] != (skeleton.num_joints, 3) or not np.isfinite(poses).all():
        raise ValueError(f"poses are {poses.shape}, expected (T, {skeleton.num_joints}, 3) and finite")
    parents, rest = skeleton.parents, _t_pose(skeleton)
    children = [[c for c, parent in enumerate(parents) if parent == joint] for joint in range(len(parents))]
    bones = np.zeros_like(poses, dtype=float)
    for child, parent in enumerate(parents):
        if parent >= 0:
            bones[:, child] = poses[:, child] - poses[:, parent]

    identity = Rotation.identity(len(poses))
    turned: list[Rotation] = []  # by joint: its rotation in the world
    rotations = np.zeros((*poses.shape[:2], 4))
    for joint, parent in enumerate(parents):
        carried = turned[parent] if parent >= 0 else identity
        if len(children[joint]) > 1:
            for _ in range(3):  # from the T-pose's directions to those that this body has on average, in its own frame
                own = _best_turn(rest[children[joint]], bones[:, children[joint]])
                average = np.stack([own.inv().apply(bones[:, child]).mean(axis=0) for child in children[joint]])
                rest[children[joint]] = average / np.linalg.norm(average, axis=-1, keepdims=True)
            own = _best_turn(rest[children[joint]], bones[:, children[joint]])
        elif children[joint]:
            (child,) = children[joint]
            own = _least_turn(carried.apply(rest[child]), bones[:, child]) * carried
        else:
            own = carried
        turned.append(own)
        rotations[:, joint] = (carried.inv() * own).as_quat()

    lengths = np.zeros(len(parents))
    lengths[[child for _, child in skeleton.bones]] = np.median(skeleton.bone_lengths(poses), axis=0)
    return ArticulatedMotion(
        names=skeleton.joints,
        parents=parents,
        carriers=tuple(max(parent, 0) for parent in parents),
        offsets=rest * lengths[:, None],
        rotations=rotations,
        root_position=poses[:, skeleton.root].astype(float),
        fps=fps,
    )


def _t_pose(skeleton: Skeleton) -> np.ndarray:
    """(J, 3): the direction of the bone that ends in each joint, zero for the root."""
    sideways = {"left": (1, 0, 0), "right": (-1, 0, 0)}
    directions = np.zeros((skeleton.num_joints, 3))
    for parent, child in skeleton.bones:
        side, legs = skeleton.side(child), skeleton.side(parent) != "middle"
        below = legs and any(word in skeleton.joints[child] for word in ("Knee", "Foot", "Ankle"))
        directions[child] = (0, 1, 0) if side == "middle" else (0, -1, 0) if below else sideways[side]
    return directions


def _best_turn(rest: np.ndarray, bones: np.ndarray) -> Rotation:
    """The rotations that bring directions (N, 3) nearest to those of bones (T, N, 3) (Kabsch 1976)."""
    unit = bones / np.linalg.norm(bones, axis=-1, keepdims=True)
    u, _, vh = np.linalg.svd(np.einsum("tni,nj->tij", unit, rest))
    u[:, :, 2] *= np.linalg.det(u @ vh)[:, None]  # no mirror images
    return Rotation.from_matrix(u @ vh)


def _least_turn(start: np.ndarray, end: np.ndarray) -> Rotation:
    """The least rotations from directions (T, 3) to those of (T, 3); from one to its opposite, any half turn."""
    end = end / np.linalg.norm(end, axis=-1, keepdims=True)
    axis, cosine = np.cross(start, end), (start * end).sum(-1)
    sine = np.linalg.norm(axis, axis=-1)
    across = np.cross(start, np.eye(3)[np.abs(start).argmin(-1)])  # an axis where the cross product gives none
    axis = np.where(sine[:, None] > 1e-9, axis, across)
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
    return Rotation.from_rotvec(axis * np.arctan2(sine, cosine)[:, None])
