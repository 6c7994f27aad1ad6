"""Any detector's joints become the 17 of Human3.6M, gaps are filled over time, and frame rates are matched."""

from functools import cache

import numpy as np

from poseformer_lite.skeleton import H36M17, Skeleton, get_skeleton

# How far the head's top lies beyond the ears, in units of the way from the thorax to the ears. Seated anthropometry
# gives 0.68 for the crown; Human3.6M's joint sits below the crown, in the skull's upper part, hence less.
HEAD_TOP_BEYOND_EARS = 0.5

LAYOUTS = ("h36m17", "coco17", "coco18", "body25", "wholebody133", "halpe26", "halpe136", "mediapipe33")
# Detectors' joints whose mean a joint of Human3.6M is: the first group that the detector has, else that of its name.
_MEANS = {
    "Hip": [("Hip",), ("LHip", "RHip")], "Thorax": [("Neck",), ("LShoulder", "RShoulder")], "Neck/Nose": [("Nose",)],
    "LFoot": [("LAnkle",)], "RFoot": [("RAnkle",)],
}  # fmt: skip


@cache
def _sources(layout: str) -> tuple[dict[int, list[int]], list[int]]:
    """For each of the 17 joints the detector's whose mean it is, and the two ears where the head's top is not found."""
    joints, sources = get_skeleton(layout).joints, {}
    for number, joint in enumerate(H36M17.joints):
        for names in _MEANS.get(joint, [(joint,)]):
            if set(names) <= set(joints) and number not in sources:
                sources[number] = [joints.index(name) for name in names]
    return sources, [] if "Head" in joints else [joints.index("LEar"), joints.index("REar")]


def to_h36m17(keypoints: np.ndarray, layout: str) -> np.ndarray:
    """Convert a detector's joints to Human3.6M's 17. For confidences use `confidence_h36m17`.

    Pelvis and thorax are the midpoints of hips and of shoulders unless the layout has its own (Halpe-26); the spine is
    the midpoint of pelvis and thorax; joint 9 is the nose. Where no head top is detected it is extrapolated from the
    thorax through the middle of the ears, or the one that was found: ears + 0.5 (ears - thorax).

    :param keypoints: (T, J, 2 or 3)
    :param layout: one of `LAYOUTS`, such as "coco17".
    :returns: (T, 17, 2 or 3), in the unit given; a copy.
    :raises ValueError: as `check_keypoints` does.
    """
    check_keypoints(keypoints, layout)
    if layout == "h36m17":
        return keypoints.copy()
    sources, ears = _sources(layout)
    converted = np.empty((len(keypoints), 17, keypoints.shape[-1]), dtype=keypoints.dtype)
    for joint, detected in sources.items():
        converted[:, joint] = keypoints[:, detected].mean(axis=1)
    converted[:, 7] = (converted[:, 0] + converted[:, 8]) / 2
    if ears:
        left, right = keypoints[:, ears[0]], keypoints[:, ears[1]]  # from the side only one of them is found
        middle = (np.where(np.isnan(left), right, left) + np.where(np.isnan(right), left, right)) / 2
        converted[:, 10] = middle + HEAD_TOP_BEYOND_EARS * (middle - converted[:, 8])
    return converted


def confidence_h36m17(confidence: np.ndarray, layout: str) -> np.ndarray:
    """The confidence of each of the 17 joints: the least of the joints it is made from.

    :param confidence: (T, J)
    :param layout: as for `to_h36m17`.
    :returns: (T, 17), in the unit given; a copy.
    """
    if layout == "h36m17":
        return confidence.copy()
    sources, ears = _sources(layout)
    sources = {**sources, 7: sources[0] + sources[8], **({10: ears + sources[8]} if ears else {})}
    return np.stack([confidence[:, sources[joint]].min(axis=1) for joint in range(17)], axis=1)


def check_keypoints(keypoints: np.ndarray, layout: str) -> None:
    """Check that keypoints fit a layout.

    :param keypoints: (T, J, 2 or 3), T of 1 or more
    :param layout: as for `to_h36m17`.
    :raises ValueError: for an unknown layout, a different shape, and no frames; it names the layouts that would fit.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"there is no keypoint layout {layout!r}: choose one of {', '.join(LAYOUTS)}")
    if keypoints.ndim != 3 or keypoints.shape[-1] not in (2, 3):
        raise ValueError(
            f"keypoints are {keypoints.shape}, expected (T, J, 2) or (T, J, 3): frames, joints, then x, y in pixels "
            "and perhaps a confidence"
        )
    if len(keypoints) == 0:
        raise ValueError("keypoints have no frame: the file or the video is empty")
    joints = get_skeleton(layout).num_joints
    if keypoints.shape[1] != joints:
        fitting = [name for name in LAYOUTS if get_skeleton(name).num_joints == keypoints.shape[1]]
        hint = f": did you mean layout={' or '.join(map(repr, fitting))}?" if fitting else ""
        raise ValueError(f"layout {layout!r} has {joints} joints, but the array is {keypoints.shape}{hint}")


def missing_marks(pixels: np.ndarray) -> np.ndarray:
    """Where detectors wrote that a joint was not found: (0, 0) or (-1, -1), or no number.

    :param pixels: (..., 2)
    :returns: (...) bool.
    """
    return np.isin(pixels, (0, -1)).all(axis=-1) | ~np.isfinite(pixels).all(axis=-1)


def fill_gaps(keypoints: np.ndarray, seen: np.ndarray | None = None, skeleton: Skeleton = H36M17) -> np.ndarray:
    """Interpolate missing joints over time, each joint by itself; before the first and after the last sight, hold.

    :param keypoints: (T, J, 2); which joints are missing is for `missing_marks` to say
    :param seen: (T, J) bool; a joint is also missing where this is False
    :param skeleton: whose joints an error names.
    :returns: (T, J, 2), a copy.
    :raises ValueError: for a joint that is missing in every frame.
    """
    present = ~missing_marks(keypoints) & (True if seen is None else seen)
    never = [skeleton.joints[j] for j in np.flatnonzero(~present.any(axis=0))]
    if never:
        unsure = (~missing_marks(keypoints)).any(axis=0)[~present.any(axis=0)].any()
        raise ValueError(
            f"{', '.join(never)} is missing in all {len(keypoints)} frames, so there is nothing to interpolate from: "
            f"use a clip that shows the whole body{', or lower the confidence threshold' if unsure else ''}"
        )
    filled = keypoints.copy()
    frames = np.arange(len(keypoints))
    for joint in np.flatnonzero(~present.all(axis=0)):
        known = present[:, joint]
        for axis in range(keypoints.shape[-1]):
            filled[~known, joint, axis] = np.interp(frames[~known], frames[known], keypoints[known, joint, axis])
    return filled


def undo_swaps(keypoints: np.ndarray, skeleton: Skeleton = H36M17, swap_penalty: float = 0.01) -> np.ndarray:
    """Exchange left and right back where a detector exchanged them for some frames, arms and legs each on their own.

    Of all ways to label every frame as it is or exchanged, the one is taken in which the limbs travel least (Viterbi's
    algorithm). A limb that is exchanged throughout cannot be known.

    :param keypoints: (T, 17, 2), without gaps
    :param skeleton: one with knees, feet, elbows and wrists, such as Human3.6M's
    :param swap_penalty: what a frame that is exchanged costs, in the person's size: the detector is mostly right.
    :returns: (T, 17, 2), a copy.
    """
    sides = np.ptp(keypoints, axis=1).max(axis=-1)
    size = max(float(np.median(sides)), 1e-9)
    repaired = keypoints.copy()
    for limb in (("Knee", "Foot"), ("Elbow", "Wrist")):
        left, right = ([skeleton.joints.index(side + joint) for joint in limb] for side in "LR")
        found = keypoints[:, left + right]  # (T, 4, 2)
        labels = np.stack([found, keypoints[:, right + left]], axis=1) / size  # (T, 2, 4, 2): as they are, exchanged
        steps = np.linalg.norm(labels[1:, :, None] - labels[:-1, None], axis=-1).mean(axis=-1)  # (T - 1, new, old)
        exchanged = _cheapest_path(steps, swap_penalty)
        repaired[np.ix_(exchanged, left + right)] = keypoints[np.ix_(exchanged, right + left)]
    return repaired


def _cheapest_path(steps: np.ndarray, swap_penalty: float) -> np.ndarray:
    """Each frame's label of two, (T,) bool, when a step costs steps[t, new, old] and label 1 `swap_penalty`."""
    cost, came_from = np.array([0.0, swap_penalty]), np.zeros((len(steps), 2), dtype=int)
    for t, step in enumerate(steps):
        total = step + cost  # (new, old)
        came_from[t] = total.argmin(axis=1)
        cost = total.min(axis=1) + (0.0, swap_penalty)
    path = np.zeros(len(steps) + 1, dtype=bool)
    path[-1] = label = int(cost.argmin())
    for t in range(len(steps) - 1, -1, -1):
        path[t] = label = came_from[t, label]
    return path


def resample(poses: np.ndarray, fps: float, new_fps: float, num_frames: int | None = None) -> np.ndarray:
    """Poses at a different frame rate, by linear interpolation over time; the first frame stays where it was.

    :param poses: (T, J, D)
    :param fps: frames per second, before and after
    :param new_fps: frames per second, before and after
    :param num_frames: T' of the result; by default as many as fit into the same span.
    :returns: (T', J, D), a copy.
    :raises ValueError: for rates that are not positive.
    """
    if not (fps > 0 and new_fps > 0):
        raise ValueError(f"frame rates are {fps} and {new_fps}: both are in frames per second and must be positive")
    if num_frames is None:
        num_frames = int(np.floor((len(poses) - 1) / fps * new_fps + 1e-6)) + 1
    if fps == new_fps and num_frames == len(poses):
        return poses.copy()
    position = np.minimum(np.arange(num_frames) * (fps / new_fps), len(poses) - 1)
    before = np.floor(position).astype(int)
    after = np.minimum(before + 1, len(poses) - 1)
    share = (position - before).astype(poses.dtype)[:, None, None]
    return (1 - share) * poses[before] + share * poses[after]
