"""Frame after frame: a pose as soon as the frames that it looks ahead to have been seen."""

from collections import deque

import numpy as np
import torch
from torch import Tensor

from poseformer_lite.camera import normalize_screen
from poseformer_lite.canonical import canonical_view
from poseformer_lite.formats.misread import looks_normalized
from poseformer_lite.keypoints import check_keypoints, confidence_h36m17, missing_marks, to_h36m17
from poseformer_lite.model.base import LiftingNetwork, check_normalized

FORGOTTEN = 1.0  # seconds without the person after which a stream begins anew
PAST = 2.0  # seconds from which the canonical camera knows where the hip is and how large the person


class LiveStream:
    """Lifts a stream of frames, each embedded once when it comes: the poses of `predict_sequence(look_ahead=...)`.

    :param model: put into evaluation mode, where it stays
    :param look_ahead: how many frames later a pose is given than its frame came; at half a window it is the pose that
        lifting a whole recording gives
    :param input: what the frames are, `model.input`: "screen", as `camera.normalize_screen` makes them, or "canonical",
        as `canonical.canonical_view` does.
    :raises ValueError: for a look_ahead under 0 or over half a window, and for a model of a different input.
    """

    def __init__(self, model: LiftingNetwork, look_ahead: int = 0, input: str = "screen"):
        if model.input != input:
            raise ValueError(
                f"the model has learned from input {model.input!r}, and the frames are said to be {input!r}: use "
                f"LiveLifter, which makes them from pixels, or make them yourself and say input={model.input!r}"
            )
        half = model.num_frames // 2
        if not 0 <= look_ahead <= half:
            raise ValueError(f"look_ahead is {look_ahead}: a window of {model.num_frames} frames has 0 to {half}")
        self.model = model.eval()
        self.look_ahead = look_ahead
        self.tokens: deque[Tensor] = deque(maxlen=half + 1 + look_ahead)  # of the newest frames
        self.waiting = 0  # frames that have come and have no pose yet

    @torch.no_grad()
    def push(self, pose_2d: Tensor) -> Tensor | None:
        """A frame (J, 2), normalised -> (J, 3), metres, of the frame look_ahead before it; None at first.

        Raises ValueError for a different shape, for pixels, and for numbers that are not finite.
        """
        if pose_2d.shape != (self.model.num_joints, 2) or not pose_2d.isfinite().all():
            raise ValueError(
                f"a frame is {tuple(pose_2d.shape)}, expected ({self.model.num_joints}, 2), finite: fill in a joint "
                "that was not found with where it was last"
            )
        check_normalized(pose_2d)
        token = self.model.embed_frames(pose_2d[None])[0]  # (D,)
        while len(self.tokens) < self.tokens.maxlen:  # the first frame repeats before the start
            self.tokens.append(token)
        self.tokens.append(token)
        self.waiting += 1
        return self._lift() if self.waiting > self.look_ahead else None

    @torch.no_grad()
    def finish(self) -> Tensor:
        """The poses still to come, (N, J, 3), metres, N up to look_ahead: the last frame repeats after the end."""
        poses_3d = []
        if self.waiting:
            self.tokens.extend([self.tokens[-1]] * (self.look_ahead - self.waiting))
        while self.waiting:
            self.tokens.append(self.tokens[-1])
            poses_3d.append(self._lift())
        self.tokens.clear()
        none = torch.zeros(0, self.model.num_joints, 3, device=self.model.device, dtype=self.model.dtype)
        return torch.stack(poses_3d) if poses_3d else none

    def _lift(self) -> Tensor:
        self.waiting -= 1
        tokens = [*self.tokens] + [self.tokens[-1]] * (self.model.num_frames - len(self.tokens))
        return self.model.forward_temporal(torch.stack(tokens)[None])[0]


class LiveLifter:
    """Lifts a detector's keypoints as they come, at any rate: pixels of any layout to poses and their times.

    Keypoints are interpolated in time to the model's rate, as `PoseLifter` does. A joint that is missing moves along
    with the others from where it was last. Until every joint was seen once, there are no poses.

    :param model: put into evaluation mode, where it stays
    :param width: of the image, pixels
    :param height: of the image, pixels
    :param layout: as for `keypoints.to_h36m17`
    :param look_ahead: as for `LiveStream`, in frames at the model's rate
    :param fps: the frame rate the model was trained at
    :param min_confidence: joints with less are missing
    :param focal_length: of the camera, pixels, where it is known; for models of input "canonical".
    :raises ValueError: as `LiveStream` does.
    """

    def __init__(
        self,
        model: LiftingNetwork,
        width: int,
        height: int,
        layout: str = "h36m17",
        look_ahead: int = 0,
        fps: float = 50.0,
        min_confidence: float = 0.0,
        focal_length: float | None = None,
    ):
        self.stream = LiveStream(model, look_ahead, model.input)
        self.size, self.layout, self.fps = (width, height), layout, fps
        self.min_confidence, self.focal_length = min_confidence, focal_length
        self._begin()

    def _begin(self) -> None:
        self.seconds = -np.inf  # when the person was seen last
        self.joints = np.full((self.stream.model.num_joints, 2), np.nan, np.float32)  # and where, pixels
        self.start: float | None = None  # when the first frame was that is lifted
        self.frames = 0  # at the model's rate, that have been lifted
        self.turns: deque[np.ndarray] = deque()  # of the virtual camera, for frames whose pose is still to come
        self.past: deque[np.ndarray] = deque(maxlen=int(PAST * self.fps))  # joints, for the virtual camera

    def push(self, keypoints: np.ndarray | None, seconds: float) -> list[tuple[float, np.ndarray]]:
        """A frame's keypoints (J, 2) or, with a confidence, (J, 3), pixels, and when it was taken -> new poses.

        None stands for a frame in which nobody was found; after a second of these the last poses are given, and a new
        stream begins. Poses are pairs of seconds and (17, 3), metres, camera space, the hip at the origin. Raises
        ValueError for times that do not grow, keypoints that do not fit the layout, and normalised ones.
        """
        if not seconds > self.seconds:
            raise ValueError(f"a frame at {seconds} s after one at {self.seconds} s: expected times that grow")
        poses = self.finish() if seconds - self.seconds > FORGOTTEN else []
        if keypoints is None:
            return poses
        joints, before = self._complete(np.array(keypoints, dtype=np.float32)[None]), self.joints
        step, self.joints, self.seconds = seconds - self.seconds, joints, seconds
        if self.start is None and np.isfinite(joints).all():
            before, self.start = joints, seconds
        while self.start is not None and (time := self.start + self.frames / self.fps) <= seconds + 1e-6:
            share = np.float32((seconds - time) / step)  # of the frame before
            poses += self._lift(share * before + (1 - share) * joints)
        return poses

    def finish(self) -> list[tuple[float, np.ndarray]]:
        """The poses still to come; afterwards a new stream begins."""
        poses = [self._placed(pose) for pose in self.stream.finish()]
        self._begin()
        return poses

    def _complete(self, keypoints: np.ndarray) -> np.ndarray:
        """(1, J, 2 or 3) -> (17, 2): Human3.6M's joints, the missing ones put where they must be by now."""
        check_keypoints(keypoints, self.layout)
        pixels = keypoints[..., :2]
        pixels[missing_marks(pixels)] = np.nan
        if looks_normalized(pixels, *self.size):
            raise ValueError("half of the coordinates lie near zero: they look normalised, and pixels are expected")
        joints = to_h36m17(pixels, self.layout)[0]
        if keypoints.shape[-1] == 3:
            joints[confidence_h36m17(keypoints[..., 2], self.layout)[0] < self.min_confidence] = np.nan
        missing, moved = ~np.isfinite(joints).all(-1), joints - self.joints
        seen = np.isfinite(moved).all(-1)
        joints[missing] = self.joints[missing] + (moved[seen].mean(0) if seen.any() else 0)
        return joints

    def _lift(self, joints: np.ndarray) -> list[tuple[float, np.ndarray]]:
        frame, turn, model = normalize_screen(joints, *self.size), np.eye(3), self.stream.model
        if model.input == "canonical":
            self.past.append(joints)
            mirrored = np.stack([*self.past, *reversed(self.past)])  # the past stands in for what is to come
            frames, turns = canonical_view(mirrored, *self.size, self.fps, self.focal_length)
            frame, turn = frames[len(self.past) - 1], turns[len(self.past) - 1]
        self.frames += 1
        self.turns.append(turn)
        pose = self.stream.push(torch.from_numpy(frame).to(model.device, model.dtype))
        return [] if pose is None else [self._placed(pose)]

    def _placed(self, pose: Tensor) -> tuple[float, np.ndarray]:
        """When the pose was, and the pose in the real camera's axes."""
        seconds = self.start + (self.frames - len(self.turns)) / self.fps
        turned = (pose - pose[0]).cpu().numpy() @ self.turns.popleft()
        return seconds, turned.astype(np.float32)
