"""What viewers are given, checked before anything is drawn: arrays, tensors on any device or a Motion, and maps."""

import numpy as np
from torch import Tensor

from poseformer_lite.lifting.motion import Motion
from poseformer_lite.model.heads import AttentionMaps
from poseformer_lite.skeleton import Skeleton
from poseformer_lite.viewers import drawing

Given = Motion | np.ndarray | Tensor


def num_frames(poses_3d: Given) -> int:
    """T of (T, J, 3), at least 1: so many frames the other arrays must have."""
    return max((1, *as_array(poses_3d).shape[:1]))


def checked(name: str, values: Given, shape: tuple[int, ...], skeleton: Skeleton) -> np.ndarray:
    """An array of exactly this shape (T, J, 2 or 3) and of finite numbers, a copy; ValueError otherwise."""
    values = as_array(values)
    if values.shape != shape:
        raise ValueError(
            f"{name} is {values.shape}, expected {shape}: the frames of all else that is shown, at least one, and the "
            f"{skeleton.num_joints} joints of {skeleton.name}. Give the same frames, and the skeleton that they are on"
        )
    if not np.isfinite(values).all():
        frame, joint, _ = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(
            f"{name} has no number for {skeleton.joints[joint]} in frame {frame}: leave such frames out, or fill the "
            "gaps, as poseformer_lite.keypoints.fill_gaps does"
        )
    return values


def upright(name: str, poses_3d: Given, T: int, skeleton: Skeleton, world: bool) -> np.ndarray:
    """Poses (T, J, 3) with z up, checked: metres and, unless they are in the world, camera space and root-relative."""
    poses = checked(name, poses_3d, (T, skeleton.num_joints, 3), skeleton)
    width = np.ptp(poses, axis=1).max()
    if width > 100:
        raise ValueError(f"a body of {name} is {width:.0f} m wide: expected metres. Divide millimetres by 1000")
    away = np.linalg.norm(poses, axis=-1).min(axis=1).max()
    if not world and away > 1:
        raise ValueError(
            f"a body of {name} is {away:.1f} m away from the origin: expected root-relative poses. Subtract the root, "
            "or say world=True where z points up"
        )
    return poses if world else drawing.z_up(poses)


def sizes_of(maps: AttentionMaps, skeleton: Skeleton) -> dict:
    """What the state of viewers of these maps is made with, checked: num_frames, num_joints and heads.

    Raises ValueError for the maps of windows, and for a different number of joints.
    """
    T, J = len(maps.temporal), skeleton.num_joints
    if maps.spatial is not None and (len(maps.spatial), maps.spatial.shape[-1]) != (T, J):
        raise ValueError(
            f"the maps are of {len(maps.spatial)} frames of {maps.spatial.shape[-1]} joints and {T} windows, but "
            f"{skeleton.name} has {J} joints, and every frame needs its window: give attention_maps a sequence "
            "(T, J, 2), and the skeleton of its joints"
        )
    heads = {stage: tuple(rows.shape[1:3]) for stage, rows in maps.stages.items()}
    return {"num_frames": T, "num_joints": J, "heads": heads}


def as_array(values: Given) -> np.ndarray:
    """A copy in float64, without a gradient, on the CPU."""
    values = values.poses_3d if isinstance(values, Motion) else values
    return values.detach().cpu().double().numpy() if isinstance(values, Tensor) else np.array(values, dtype=float)
