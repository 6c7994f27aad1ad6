"""Sequences become windows of F frames: gathered by index where the data lies, never copied one sample at a time."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from poseformer_lite.datasets.base import PoseSequence
from poseformer_lite.model.lifting_network import windows_of_chunks
from poseformer_lite.skeleton import Skeleton, flip_poses


class Windows:
    """Every window of every sequence, one around each frame; where a window reaches over an end, the end frame repeats.

    The frames are stored once on `device`; a window is F indices into them. With `flip` the set doubles: index i + N is
    the mirror image of window i (section 4.2). With `every_frame` the targets are the poses of the whole window. With
    `chunk` K an index names K neighbouring windows, of its frame and of those that follow: one stretch of F + K - 1
    frames, whose spatial stage they share.
    """

    def __init__(
        self,
        sequences: list[PoseSequence],
        num_frames: int,
        skeleton: Skeleton,
        device: torch.device | str = "cpu",
        flip: bool = False,
        every_frame: bool = False,
        chunk: int = 1,
    ):
        if not sequences:
            raise ValueError("there are no sequences to make windows of: check the subjects, takes and 3D of the data")
        lengths = torch.tensor([len(s) for s in sequences])
        ends = lengths.cumsum(0)
        self.poses_2d = _stack([s.poses_2d() for s in sequences], device)  # (N, J, 2)
        self.targets = _stack([s.root_relative(skeleton.root) for s in sequences], device)  # (N, J, 3)
        self.first = (ends - lengths).repeat_interleave(lengths).to(device)  # (N,): where each frame's sequence begins
        self.last = (ends - 1).repeat_interleave(lengths).to(device)  # (N,): and ends
        self.offsets = torch.arange(num_frames + chunk - 1, device=device) - num_frames // 2  # (F + K - 1,)
        self.skeleton = skeleton
        self.flip = flip
        self.num_frames = num_frames
        self.every_frame = every_frame
        self.chunk = chunk

    def __len__(self) -> int:
        return len(self.poses_2d) * (2 if self.flip else 1)

    def gather(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Windows and the 3D of their centre frames: (B,) -> (B, F, J, 2), (B, J, 3); (B, F, J, 3) of every frame.

        With `chunk` K: (B,) -> (B, F + K - 1, J, 2), and as many targets as windows, B * K.
        """
        center = index % len(self.poses_2d)  # (B,)
        frames = center[:, None] + self.offsets  # (B, F + K - 1)
        frames = frames.clamp(self.first[center, None], self.last[center, None])
        centers = frames[:, self.num_frames // 2 :][:, : self.chunk]  # (B, K)
        poses_2d, targets = self.poses_2d[frames], self.targets[frames if self.every_frame else centers]
        if self.flip:
            mirrored = index >= len(self.poses_2d)
            poses_2d[mirrored] = flip_poses(poses_2d[mirrored], self.skeleton)
            targets[mirrored] = flip_poses(targets[mirrored], self.skeleton)
        return poses_2d, windows_of_chunks(targets, self.num_frames) if self.every_frame else targets.flatten(0, 1)

    def batches(self, index: Tensor, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The windows of `index` (N,), `batch_size` at a time."""
        for batch in index.to(self.poses_2d.device).split(batch_size):
            yield self.gather(batch)


def _stack(arrays: list[np.ndarray], device) -> Tensor:
    return torch.from_numpy(np.concatenate(arrays)).float().to(device)
