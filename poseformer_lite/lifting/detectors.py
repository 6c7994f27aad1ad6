"""People's keypoints in one frame after another: the detector that a video is lifted with."""

import os
from pathlib import Path
from typing import Protocol

import numpy as np
import pooch

MODEL_URL = (
    "https://storage.googleapis.com/mediapipe-models/pose_landmarker/pose_landmarker_full/float16/1/"
    "pose_landmarker_full.task"
)
MODEL_VARIABLE = "POSEFORMER_LITE_MEDIAPIPE_MODEL"


class Detector(Protocol):
    """What `lift_video` asks of a detector. layout: the name of its joints, one of `keypoints.LAYOUTS`."""

    layout: str

    def __call__(self, image: np.ndarray, seconds: float) -> np.ndarray:
        """(H, W, 3) uint8, red first, and when it was taken -> (P, J, 3): x and y in pixels and a confidence, for each
        of P people, who may be none.
        """


class MediaPipeDetector:
    """MediaPipe's Pose Landmarker (33 joints), which runs on a laptop's processor.

    It needs the extra `video` and the model file that Google gives away: `model`, or the file that the environment
    variable POSEFORMER_LITE_MEDIAPIPE_MODEL names, or what `fetch_model` has put into the cache. A detector follows one
    video, in order; take a new one for the next. Raises ValueError where MediaPipe or its model is missing.
    """

    layout = "mediapipe33"

    def __init__(self, model: str | Path | None = None, num_people: int = 3):
        try:
            import mediapipe
            from mediapipe.tasks import python as tasks
        except ImportError as error:
            raise ValueError(
                "MediaPipe is not installed, which finds the person in a video: pip install 'poseformer-lite[video]', "
                "or lift the keypoint file of another detector"
            ) from error
        path = Path(model or os.environ.get(MODEL_VARIABLE) or cached_model())
        if not path.is_file():
            raise ValueError(
                f"MediaPipe's model is not at {path}. Fetch it once with `poseformer-lite fetch-detector`, or get "
                f"{MODEL_URL} and give its place with --detector-model or in {MODEL_VARIABLE}"
            )
        self._image = lambda image: mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image)
        options = tasks.vision.PoseLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(path)),
            running_mode=tasks.vision.RunningMode.VIDEO,
            num_poses=num_people,
        )
        try:
            self._landmarker = tasks.vision.PoseLandmarker.create_from_options(options)
        except RuntimeError as error:
            raise ValueError(f"{path} is not a pose model of MediaPipe ({error}): fetch it again") from error

    def __call__(self, image: np.ndarray, seconds: float) -> np.ndarray:
        """(H, W, 3) uint8 -> (P, 33, 3)."""
        found = self._landmarker.detect_for_video(self._image(np.ascontiguousarray(image)), round(1000 * seconds))
        height, width = image.shape[:2]
        people = [[(p.x * width, p.y * height, p.visibility) for p in person] for person in found.pose_landmarks]
        return np.array(people, dtype=np.float32).reshape(len(people), 33, 3)


def cached_model() -> Path:
    """Where `fetch_model` puts MediaPipe's model."""
    return pooch.os_cache("poseformer-lite") / "pose_landmarker_full.task"


def fetch_model(sha256: str | None = None, progress: bool = True) -> Path:
    """Download MediaPipe's model (9 MB) into the cache, whole or not at all; sha256, where given, must fit."""
    path = cached_model()
    return Path(pooch.retrieve(MODEL_URL, sha256, fname=path.name, path=path.parent, progressbar=progress))
