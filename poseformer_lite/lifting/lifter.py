"""PoseLifter: a detector's keypoints in, one 3D pose per frame out."""

import warnings
from pathlib import Path

import numpy as np
import torch

from poseformer_lite.camera import normalize_screen
from poseformer_lite.canonical import canonical_view
from poseformer_lite.keypoints import (
    check_keypoints,
    confidence_h36m17,
    fill_gaps,
    found_joints,
    missing_marks,
    resample,
    sanity_warnings,
    to_h36m17,
    undo_swaps,
)
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.model.base import LiftingNetwork, predict
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.skeleton import H36M17

NORMALIZED = 0.95  # of the coordinates; the rest may be guesses outside of the picture
LONG_GAP = 0.5  # seconds without the person, of which the user is told
GUESSED = 0.3  # confidence: a detector that is surer than this of the arms, and not of the legs, has not seen the legs
LEGS, ARMS = [2, 3, 5, 6], [11, 12, 13, 14, 15, 16]  # of Human3.6M's joints


class PoseLifter:
    """A trained network with what keypoints need around it: layouts, gaps, frame rates, image sizes, long videos.

    :param model: a trained network of 17 joints
    :param fps: the frame rate it was trained at, to which keypoints are resampled
    :param flip: averages with the prediction for the mirror image: better, at twice the time
    :param device: by default a GPU where there is one
    :param stride: poses that one window gives, as in `predict_sequence`: sooner, and a little less exact.
    :raises ValueError: for a model of other than 17 joints, and a stride that it has no frames for.
    """

    def __init__(
        self, model: LiftingNetwork, fps: float = 50.0, flip: bool = True, device: str | None = None, stride: int = 1
    ):
        if model.num_joints != H36M17.num_joints:
            raise ValueError(f"the model has {model.num_joints} joints, but keypoints are converted to 17")
        if stride not in range(1, model.num_frames + 1, 2):
            raise ValueError(f"stride is {stride}: expected an odd number of at most {model.num_frames} frames")
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.model = model.to(self.device).eval()
        self.fps = fps
        self.flip = flip
        self.stride = stride

    @classmethod
    def from_pretrained(cls, name_or_folder: str | Path = "wild", **options) -> "PoseLifter":
        """A lifter with a trained PoseFormer.

        :param name_or_folder: as for `LiftingNetwork.from_pretrained`
        :param options: those of `PoseLifter`.
        :returns: The lifter.
        :raises FileNotFoundError: as `LiftingNetwork.from_pretrained` does.
        :raises ValueError: as `LiftingNetwork.from_pretrained` does.
        """
        return cls(PoseFormer.from_pretrained(name_or_folder), **options)

    def __call__(
        self,
        keypoints: np.ndarray,
        width: int,
        height: int,
        layout: str = "h36m17",
        fps: float = 50.0,
        min_confidence: float = 0.0,
        repair_swaps: bool = True,
        focal_length: float | None = None,
        start: float = 0.0,
    ) -> Motion:
        """Lift one person's keypoints; it warns as `sanity_warnings` says, and of what it had to fill or leave out.

        :param keypoints: (T, J, 2) pixels or, with a confidence, (T, J, 3). Joints that are NaN, (0, 0) or (-1, -1) are
            interpolated over time.
        :param width: of the image, pixels.
        :param height: of the image, pixels.
        :param layout: one of `keypoints.LAYOUTS`.
        :param fps: of the keypoints; where it is not the model's, the motion is resampled there and back.
        :param min_confidence: joints with less are interpolated, too.
        :param repair_swaps: whether left and right are exchanged back first where the detector confused them
            (`undo_swaps`).
        :param focal_length: of the camera, pixels, where it is known; for networks of input "canonical", which else
            assume one as long as the image's longer side, and for `Motion.world`
        :param start: seconds of the video before the first frame.
        :returns: A motion of T frames.
        :raises ValueError: for keypoints that do not fit the layout, or look normalised although pixels are asked for.
        """
        keypoints = np.asarray(keypoints, dtype=np.float32)
        check_keypoints(keypoints, layout)
        pixels, confidence = keypoints[..., :2].copy(), None
        pixels[missing_marks(pixels)] = np.nan  # how detectors write "not found": not for a midpoint
        _check_pixels(pixels, width, height)
        warned = sanity_warnings(pixels, layout, width, height)
        if keypoints.shape[-1] == 3 and _is_depth(keypoints[..., 2]):
            warned.append("the third number of the joints falls below 0: it is z, no confidence, and is left out")
        elif keypoints.shape[-1] == 3:
            confidence = confidence_h36m17(np.nan_to_num(keypoints[..., 2]), layout)
        person = to_h36m17(pixels, layout)
        found = found_joints(person, None if confidence is None else confidence >= min_confidence)
        for warning in [*warned, *_gap_warnings(found, fps, start), *_leg_warnings(confidence)]:
            warnings.warn(warning, stacklevel=2)
        pixels = fill_gaps(person, found)
        pixels = undo_swaps(pixels) if repair_swaps else pixels

        steady, turns = resample(pixels, fps, self.fps), None
        if self.model.input == "canonical":
            poses_2d, turns = canonical_view(steady, width, height, self.fps, focal_length)
        else:
            poses_2d = normalize_screen(steady, width, height)
        on_device = torch.from_numpy(poses_2d).to(self.device)
        predicted = predict(self.model, on_device, H36M17, self.flip, stride=self.stride).cpu().numpy()
        if turns is not None:
            predicted = (predicted @ turns).astype(np.float32)  # back to the camera's own axes

        poses_3d = resample(predicted, self.fps, fps, num_frames=len(pixels))
        known = {"start": start, "confidence": confidence, "filled": ~found, "focal_length": focal_length}
        return Motion(poses_3d - poses_3d[:, :1], pixels, fps, width, height, **known)


def _is_depth(column: np.ndarray) -> bool:
    """Whether a third column (T, J) holds a z and no confidence, which is never below 0."""
    return bool((column < -0.01).mean() > 0.01)


def _gap_warnings(found: np.ndarray, fps: float, start: float) -> list[str]:
    """Where nothing of the person was found for long, and which joints are mostly filled. found: (T, 17) bool."""
    if not fps > 0 or not found.any():
        return []
    seen = np.flatnonzero(found.any(axis=1))
    ends = [-1, *seen, len(found)]  # before the first sight and after the last one the pose is held
    gaps = [(a, b) for a, b in zip(ends, ends[1:], strict=False) if (b - a - 1) / fps > LONG_GAP - 1e-6]
    said = [
        f"out of sight from {start + max(a, 0) / fps:.1f} to {start + min(b, len(found) - 1) / fps:.1f} s, where it is "
        f"{'interpolated' if a >= 0 and b < len(found) else 'held still'}"
        for a, b in gaps
    ]
    missing = 1 - found[seen].mean(axis=0)
    if (missing > 0.5).any():
        names = ", ".join(f"{H36M17.joints[j]} {missing[j]:.0%}" for j in np.flatnonzero(missing > 0.5))
        said.append(f"these joints are missing in most frames, and are interpolated: {names}")
    return said


def _leg_warnings(confidence: np.ndarray | None) -> list[str]:
    """Whether the legs are guessed, as detectors guess what the picture does not show. confidence: (T, 17)."""
    if confidence is None or not (sure := np.median(confidence[:, ARMS], axis=1) >= GUESSED).any():
        return []
    guessed = (confidence[sure][:, LEGS] < GUESSED).mean()
    if guessed < 0.5:
        return []
    return [
        f"the detector is unsure of {guessed:.0%} of the knees and feet and sure of the arms, as where the picture "
        "shows the upper body only: the legs, and with them the whole pose, are guesses"
    ]


def looks_normalized(pixels: np.ndarray, width: int, height: int) -> tuple[float, float] | None:
    """The range of keypoints (T, J, 2) that cannot be pixels: half of them lie within 1.5 of zero; None for pixels."""
    found = np.abs(pixels[np.isfinite(pixels).all(-1)])
    if not found.size or min(width, height) <= 20 or np.median(found) > 1.5 or np.quantile(found, NORMALIZED) > 10:
        return None
    return tuple(float(np.nanquantile(pixels, share)) for share in (1 - NORMALIZED, NORMALIZED))


def _check_pixels(pixels: np.ndarray, width: int, height: int) -> None:
    """Raises ValueError for keypoints too near to zero for pixels, or mostly left of the picture or above it."""
    found = pixels[np.isfinite(pixels).all(-1)]
    if len(found) and (found < -0.1 * max(width, height)).any(axis=-1).mean() > 0.25:
        raise ValueError(
            f"a quarter of the joints and more lie far left of or above the picture, to {found.min(axis=0).round(1)}: "
            "pixels are expected, with x and y from the upper left corner, and no 3D positions around the hip"
        )
    if (share := looks_normalized(pixels, width, height)) is None:
        return
    x_and_y = (
        "from -1 to 1, as `camera.normalize_screen` makes them. Turn them back with `camera.denormalize_screen`"
        if share[0] < -0.1
        else "from 0 to 1. Multiply x by the width and y by the height"
    )
    raise ValueError(
        f"keypoints lie within {share[0]:.2f} and {share[1]:.2f} in an image of {width} x {height}: they look "
        f"normalised, {x_and_y}; pixels are expected"
    )
