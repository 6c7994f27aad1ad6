"""A moving tree of rigid segments: what ASF/AMC and BVH files both describe, its resampling and forward kinematics."""

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from scipy.signal import resample_poly
from scipy.spatial.transform import Rotation


@dataclass(frozen=True)
class ArticulatedMotion:
    """N nodes that hang together as a tree, moving for T frames.

    names and parents (-1 for node 0, the root; a parent stands before its children) are N long.
    offsets: (N, 3), metres: from the parent to the node, in the rest pose.
    carriers: for each node the node whose rotation turns its offset. In BVH a joint is carried by its parent; in ASF
    a node is the end of a bone and is carried by the bone's own rotation.
    rotations: (T, N, 4) unit quaternions (x, y, z, w), relative to the parent. root_position: (T, 3), metres.
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


def forward_kinematics(motion: ArticulatedMotion) -> tuple[np.ndarray, np.ndarray]:
    """Every node's place (T, N, 3), metres, and orientation (T, N, 3, 3), both in the file's own world."""
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
    """The motion at another frame rate, low-pass filtered so that fast movement does not alias.

    It is the rotations that are filtered (their quaternions, brought to one hemisphere over time and normalised
    again) and the root's place, never the joints' places: bone lengths stay what they were.
    """
    if not fps > 0:
        raise ValueError(f"fps={fps}: expected a positive number of frames per second")
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
