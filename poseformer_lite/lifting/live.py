"""Frame after frame: a pose as soon as the frames that it looks ahead to have been seen."""

from collections import deque

import torch
from torch import Tensor

from poseformer_lite.model.base import LiftingNetwork, check_normalized


class LiveStream:
    """Lifts a stream of frames, each embedded once when it comes: the poses of `predict_sequence(look_ahead=...)`.

    :param model: put into evaluation mode, where it stays
    :param look_ahead: how many frames later a pose is given than its frame came; at half a window it is the pose that
        lifting a whole recording gives.
    :raises ValueError: for a look_ahead under 0 or over half a window.
    """

    def __init__(self, model: LiftingNetwork, look_ahead: int = 0):
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
        return (
            torch.stack(poses_3d)
            if poses_3d
            else torch.zeros(0, self.model.num_joints, 3, device=self.model.device, dtype=self.model.dtype)
        )

    def _lift(self) -> Tensor:
        self.waiting -= 1
        tokens = [*self.tokens] + [self.tokens[-1]] * (self.model.num_frames - len(self.tokens))
        return self.model.forward_temporal(torch.stack(tokens)[None])[0]
