"""Poses of one body as those of another: Human3.6M's 17 joints and HumanEva's 15."""

from dataclasses import replace

import numpy as np

from poseformer_lite.datasets.base import PoseDataset
from poseformer_lite.skeleton import HUMANEVA15

# For each joint of HumanEva the joint of Human3.6M that stands nearest to it. Spine and Neck/Nose have no counterpart.
H36M_OF_HUMANEVA = (0, 8, 11, 12, 13, 14, 15, 16, 4, 5, 6, 1, 2, 3, 10)


def to_humaneva15(data: PoseDataset) -> PoseDataset:
    """A dataset of Human3.6M's 17 joints with HumanEva's 15, in its order: Spine and Neck/Nose are left out."""
    chosen = list(H36M_OF_HUMANEVA)

    def pick(sequence):
        poses_3d = None if sequence.poses_3d is None else sequence.poses_3d[:, chosen]
        return replace(sequence, keypoints=sequence.keypoints[:, chosen], poses_3d=poses_3d)

    sequences = [pick(sequence) for sequence in data.sequences]
    redraw = data.redraw and (lambda seed: [pick(sequence) for sequence in data.redraw(seed)])
    return replace(data, sequences=sequences, skeleton=HUMANEVA15, redraw=redraw)


def humaneva15_to_h36m17(poses):
    """HumanEva's joints at their places among Human3.6M's 17; the two that are missing are put between others.

    Spine halves the way from pelvis to thorax and Neck/Nose that from thorax to head: guesses, which a network that
    is trained further learns to read. poses: (..., 15, K), a numpy array or a tensor -> (..., 17, K).
    """
    if poses.shape[-2] != HUMANEVA15.num_joints:
        raise ValueError(f"poses are {tuple(poses.shape)}, expected (..., 15, K): the joints of {HUMANEVA15.name}")
    mix = _MIX if isinstance(poses, np.ndarray) else poses.new_tensor(_MIX)
    return mix @ poses


def _mixing_matrix() -> np.ndarray:
    """(17, 15) float32: each of the 17 joints as a mean of some of the 15."""
    mix = np.zeros((17, 15), dtype=np.float32)
    mix[list(H36M_OF_HUMANEVA), range(15)] = 1
    pelvis, thorax, head = (HUMANEVA15.joints.index(name) for name in ("Pelvis", "Thorax", "Head"))
    mix[7, [pelvis, thorax]] = 0.5
    mix[9, [thorax, head]] = 0.5
    return mix


_MIX = _mixing_matrix()
