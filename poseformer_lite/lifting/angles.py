"""Joint angles of 3D poses, in degrees: how far limbs are bent, and the trunk leans, in every frame."""

from pathlib import Path

import numpy as np
import pandas as pd

from poseformer_lite.files import atomic_path
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.lifting.world import LEVEL, _vertical
from poseformer_lite.skeleton import H36M17, Skeleton

CSV_HEAD = "# poseformer-lite joint angles in degrees: 0 is standing straight with hanging arms, bending is positive"
SIDES = {"left": "L", "right": "R"}
RANGE = (0.02, 0.98)  # quantiles: a single wrong frame makes no range of motion


def joint_angles(
    poses: Motion | np.ndarray, skeleton: Skeleton = H36M17, fps: float = 50.0, up: np.ndarray | None = None
) -> pd.DataFrame:
    """The angles of each frame, degrees. All are 0 in somebody who stands upright with straight legs and hanging arms.

    The trunk's line runs from the middle of the hips to the middle of the shoulders.

    - hip: of the thigh (hip to knee) against the trunk's line downward, seen from the side, that is, without what
      points along the line from hip to hip; positive when the knee is in front, negative behind. Bending the back
      counts, too, as 17 joints do not tell the pelvis from the spine. From -180 to 180.
    - knee: between thigh (hip to knee) and shin (knee to ankle), 0 to 180; elbow: between upper arm and forearm.
    - ankle: of the foot (ankle to toes) against a right angle to the shin, positive when the toes are pulled up. Only
      for bodies with toes, such as mediapipe33; Human3.6M's joints have none, so there it is left out.
    - shoulder: between upper arm and the trunk's line downward, 0 to 180, forward, sideways or backward.
    - trunk: between the trunk's line and the vertical, 0 to 180, in any direction.

    :param poses: a Motion, whose skeleton, rate and vertical are used, or (T, J, 3) in any unit and any
        right-handed axes
    :param skeleton: the body
    :param fps: frames per second
    :param up: the vertical in the poses' axes; by default what `world.up_direction` finds for a Motion, and that of a
        level camera, (0, -1, 0), for an array.
    :returns: A table with a row a frame, by seconds, and columns such as "left knee", and "trunk".
    :raises ValueError: for poses of other joints.
    """
    start = 0.0
    if isinstance(poses, Motion):
        skeleton, fps, start = poses.skeleton, poses.fps, poses.start
        up, poses = _vertical(poses) if up is None else up, poses.poses_3d
    if poses.ndim != 3 or poses.shape[1:] != (skeleton.num_joints, 3):
        raise ValueError(f"poses are {poses.shape}, expected (T, {skeleton.num_joints}, 3), joints of {skeleton.name}")
    at = {name: poses[:, joint].astype(float) for joint, name in enumerate(skeleton.joints)}
    ankle = "Ankle" if "LAnkle" in at else "Foot"  # Human3.6M calls it so
    toes = next((name for name in ("FootIndex", "BigToe") if f"L{name}" in at), None)
    trunk = at["LShoulder"] + at["RShoulder"] - at["LHip"] - at["RHip"]
    to_left = _unit(at["LHip"] - at["RHip"])
    forward = _unit(np.cross(to_left, trunk))
    down = np.cross(to_left, forward)  # the trunk's line downward, as seen from the side

    table: dict[str, np.ndarray] = {}
    for side, letter in SIDES.items():
        names = ("Hip", "Knee", ankle, "Shoulder", "Elbow", "Wrist")
        hip, knee, foot, shoulder, elbow, wrist = (at[letter + name] for name in names)
        thigh, shin, arm = knee - hip, foot - knee, elbow - shoulder
        table[f"{side} hip"] = np.arctan2(_dot(thigh, forward), _dot(thigh, down))
        table[f"{side} knee"] = _between(thigh, shin)
        if toes:
            table[f"{side} ankle"] = np.pi / 2 - _between(-shin, at[letter + toes] - foot)
        table[f"{side} shoulder"] = _between(arm, -trunk)
        table[f"{side} elbow"] = _between(arm, wrist - elbow)
    table["trunk"] = _between(trunk, np.broadcast_to(LEVEL if up is None else up, trunk.shape))
    seconds = pd.Index(start + np.arange(len(poses)) / fps, name="seconds")
    return pd.DataFrame({name: np.degrees(values) for name, values in table.items()}, index=seconds)


def summarize_angles(angles: pd.DataFrame) -> pd.DataFrame:
    """Each joint's range of motion on both sides, and how alike they are.

    Ranges run from the 2nd to the 98th percentile of the frames. Symmetry is 200 (left - right) / (left + right) of
    the two ranges (Robinson, Herzog and Nigg 1987), %: 0 is alike, positive a wider range on the left.

    :param angles: what `joint_angles` gives.
    :returns: A row a joint: lowest, highest and range of each side, degrees, and the symmetry, %.
    """
    low, high = (angles.quantile(share) for share in RANGE)
    joints = [name.removeprefix("left ") for name in angles.columns if name.startswith("left ")]
    summary = pd.DataFrame(index=pd.Index(joints, name="degrees"))
    for side in SIDES:
        names = [f"{side} {joint}" for joint in joints]
        summary[f"{side} lowest"], summary[f"{side} highest"] = low[names].to_numpy(), high[names].to_numpy()
        summary[f"{side} range"] = summary[f"{side} highest"] - summary[f"{side} lowest"]
    left, right = summary["left range"], summary["right range"]
    summary["symmetry %"] = 200 * (left - right) / (left + right).clip(lower=1e-9)
    return summary


def write_angles(path: str | Path, angles: pd.DataFrame) -> None:
    """A CSV file with a line that says what the numbers are.

    :param path: where to write
    :param angles: what `joint_angles` gives.
    :raises OSError: where the disk is full.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(f"{CSV_HEAD}\n{angles.round(3).to_csv(lineterminator=chr(10))}", encoding="utf-8")


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def _dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one * other).sum(axis=-1)


def _between(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The angle between two vectors (T, 3), radians; exact near 0, unlike the arc cosine."""
    return np.arctan2(np.linalg.norm(np.cross(one, other), axis=-1), _dot(one, other))
