"""PoseLifter: a detector's keypoints in, one 3D pose per frame out."""

import warnings
from pathlib import Path

import numpy as np
import torch

from poseformer_lite.camera import normalize_screen
from poseformer_lite.canonical import canonical_view
from poseformer_lite.formats.misread import is_depth, put_right
from poseformer_lite.keypoints import (
    check_keypoints,
    confidence_h36m17,
    fill_gaps,
    missing_marks,
    resample,
    to_h36m17,
    undo_swaps,
)
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.model.base import LiftingNetwork, predict
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.model.precision import PRECISIONS, choose_precision
from poseformer_lite.skeleton import H36M17

LONG_GAP = 0.5  # seconds without the person, of which the user is told


class PoseLifter:
    """A trained network with what keypoints need around it: layouts, gaps, frame rates, image sizes, long videos.

    :param model: a trained network of 17 joints
    :param fps: the frame rate it was trained at, to which keypoints are resampled
    :param flip: averages with the prediction for the mirror image: better, at twice the time
    :param device: by default a GPU where there is one
    :param stride: poses that one window gives, as in `predict_sequence`: sooner, and a little less exact.
    :param precision: as in `predict_sequence`. "auto" is twice as fast on processors with matrix units for bfloat16,
        and moves joints by some 0.3 mm there; "float32" gives the same numbers on every machine.
    :raises ValueError: for a model of other than 17 joints, a stride that it has no frames for, and an unknown
        precision.
    """

    def __init__(
        self,
        model: LiftingNetwork,
        fps: float = 50.0,
        flip: bool = True,
        device: str | None = None,
        stride: int = 1,
        precision: str = "auto",
    ):
        if model.num_joints != H36M17.num_joints:
            raise ValueError(f"the model has {model.num_joints} joints, but keypoints are converted to 17")
        if stride not in range(1, model.num_frames + 1, 2):
            raise ValueError(f"stride is {stride}: expected an odd number of at most {model.num_frames} frames")
        if precision not in PRECISIONS:
            raise ValueError(f"precision is {precision!r}: choose one of {', '.join(PRECISIONS)}")
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.model = model.to(self.device).eval()
        self.fps, self.flip, self.stride, self.precision = fps, flip, stride, precision

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
        as_given: bool = False,
    ) -> Motion:
        """Lift one person's keypoints; it warns of what looks misread (`misread.put_right`), was filled or left out.

        :param keypoints: (T, J, 2) pixels or, with a confidence, (T, J, 3). Joints that are NaN, (0, 0) or (-1, -1) are
            interpolated over time; shares of the picture become pixels, and y measured upwards is turned.
        :param width: of the image, pixels.
        :param height: of the image, pixels.
        :param layout: one of `keypoints.LAYOUTS`.
        :param fps: of the keypoints; where it is not the model's, the motion is resampled there and back.
        :param min_confidence: joints with less are interpolated, too.
        :param repair_swaps: whether left and right are exchanged back first where the detector confused them
            (`undo_swaps`).
        :param focal_length: of the camera, pixels, where it is known; for networks of input "canonical", which else
            assume one as long as the image's longer side, and for `Motion.world`
        :param start: seconds of the video before the first frame
        :param as_given: whether keypoints are lifted as they are, and what looks misread is only said.
        :returns: A motion of T frames.
        :raises ValueError: for keypoints that do not fit the layout, and as `formats.misread.put_right` does.
        """
        keypoints = np.asarray(keypoints, dtype=np.float32)
        check_keypoints(keypoints, layout)
        missing = missing_marks(keypoints[..., :2])  # how detectors write "not found": not for a midpoint
        keypoints = np.where(missing[..., None] & [True, True, False][: keypoints.shape[-1]], np.nan, keypoints)
        keypoints, said = put_right(keypoints, layout, width, height, as_given)
        confidence = None
        if keypoints.shape[-1] == 3 and is_depth(keypoints[..., 2]):
            said.append("the third number of the joints is z, no confidence, as it is not from 0 to 1: it is left out")
        elif keypoints.shape[-1] == 3:
            confidence = confidence_h36m17(np.nan_to_num(keypoints[..., 2]), layout)
        person = to_h36m17(keypoints[..., :2], layout)
        found = ~missing_marks(person) & (True if confidence is None else confidence >= min_confidence)
        for warning in [*said, *_gap_warnings(found, fps, start)]:
            warnings.warn(warning, stacklevel=2)
        pixels = filled = fill_gaps(person, found)
        if repair_swaps:
            pixels = undo_swaps(filled)
            exchanged, mirror = (pixels != filled).any(axis=-1), H36M17.flip_order
            found = np.where(exchanged, found[:, mirror], found)
            confidence = None if confidence is None else np.where(exchanged, confidence[:, mirror], confidence)

        steady, turns = resample(pixels, fps, self.fps), None
        if self.model.input == "canonical":
            poses_2d, turns = canonical_view(steady, width, height, self.fps, focal_length)
        else:
            poses_2d = normalize_screen(steady, width, height)
        on_device = torch.from_numpy(poses_2d).to(self.device)
        precision = choose_precision(self.model, on_device) if self.precision == "auto" else self.precision
        options = {"stride": self.stride, "precision": precision}
        predicted = predict(self.model, on_device, H36M17, self.flip, **options).cpu().numpy()
        if turns is not None:
            predicted = (predicted @ turns).astype(np.float32)  # back to the camera's own axes

        poses_3d = resample(predicted, self.fps, fps, num_frames=len(pixels))
        known = {"start": start, "confidence": confidence, "filled": ~found, "focal_length": focal_length}
        return Motion(poses_3d - poses_3d[:, :1], pixels, fps, width, height, **known)


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
