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


class PoseLifter:
    """A trained network with what keypoints need around it: layouts, gaps, frame rates, image sizes, long videos.

    :param model: a trained network of 17 joints
    :param fps: the frame rate it was trained at, to which keypoints are resampled
    :param flip: averages with the prediction for the mirror image: better, at twice the time
    :param device: by default a GPU where there is one
    :param stride: poses that one window gives, as in `predict_sequence`: sooner, and a little less exact.
    :raises ValueError: for a model of other than 17 joints.
    """

    def __init__(
        self, model: LiftingNetwork, fps: float = 50.0, flip: bool = True, device: str | None = None, stride: int = 1
    ):
        if model.num_joints != H36M17.num_joints:
            raise ValueError(f"the model has {model.num_joints} joints, but keypoints are converted to 17")
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
    ) -> Motion:
        """Lift one person's keypoints; it warns as `sanity_warnings` says.

        :param keypoints: (T, J, 2) pixels or, with a confidence, (T, J, 3). Joints that are NaN, (0, 0) or (-1, -1) are
            interpolated over time.
        :param width: of the image, pixels.
        :param height: of the image, pixels.
        :param layout: "h36m17", "coco17", "halpe26" or "mediapipe33".
        :param fps: of the keypoints; where it is not the model's, the motion is resampled there and back.
        :param min_confidence: joints with less are interpolated, too.
        :param repair_swaps: whether left and right are exchanged back first where the detector confused them
            (`undo_swaps`).
        :param focal_length: of the camera, pixels, where it is known; for networks of input "canonical", which else
            assume one as long as the image's longer side, and for `Motion.world`.
        :returns: A motion of T frames.
        :raises ValueError: for keypoints that do not fit the layout, or look normalised although pixels are asked for.
        """
        keypoints = np.asarray(keypoints, dtype=np.float32)
        check_keypoints(keypoints, layout)
        pixels = keypoints[..., :2].copy()
        pixels[np.isin(pixels, (0, -1)).all(-1)] = np.nan  # how detectors write "not found": not for a midpoint
        _check_pixels(pixels, width, height)
        for warning in sanity_warnings(pixels, layout, width, height):
            warnings.warn(warning, stacklevel=2)
        seen = None
        if keypoints.shape[-1] == 3:
            seen = confidence_h36m17(keypoints[..., 2], layout) >= min_confidence
        pixels = fill_gaps(to_h36m17(pixels, layout), seen)
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
        return Motion(poses_3d - poses_3d[:, :1], pixels, fps, width, height, focal_length=focal_length)


def _check_pixels(pixels: np.ndarray, width: int, height: int) -> None:
    """Raises ValueError where nearly all keypoints lie within 2 of zero, whatever one or the other does."""
    found = pixels[np.isfinite(pixels).all(-1)]
    if not len(found) or np.quantile(np.abs(found), NORMALIZED) > 2 or min(width, height) <= 2:
        return
    low, high = (np.quantile(found, share) for share in (1 - NORMALIZED, NORMALIZED))
    x_and_y = (
        "from -1 to 1, as `camera.normalize_screen` makes them. Turn them back with `camera.denormalize_screen`"
        if low < -0.1
        else "from 0 to 1. Multiply x by the width and y by the height"
    )
    raise ValueError(
        f"keypoints lie within {low:.2f} and {high:.2f} in an image of {width} x {height}: they look normalised, "
        f"{x_and_y}; pixels are expected"
    )
