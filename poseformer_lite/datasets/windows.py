"""Sequences become windows of F frames: gathered by index where the data lies, never copied one sample at a time."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from poseformer_lite.datasets.base import PoseSequence
from poseformer_lite.skeleton import Skeleton, flip_poses


class Windows:
    """Every window of every sequence, one around each frame; where a window reaches over an end, the end frame repeats.

    The frames are stored once; a window is F indices into them.

    :param sequences: PoseSequence objects with 3D
    :param num_frames: F, odd
    :param skeleton: of the sequences
    :param device: where the frames are stored
    :param flip: doubles the set: the mirror images of all frames are stored behind them, and index i + N is that of
        window i (section 4.2)
    :param every_frame: whether the targets are the poses of the whole window.
    :raises ValueError: where there are no sequences, or one has gaps or no 3D.
    """

    def __init__(
        self,
        sequences: list[PoseSequence],
        num_frames: int,
        skeleton: Skeleton,
        device: torch.device | str = "cpu",
        flip: bool = False,
        every_frame: bool = False,
    ):
        if not sequences:
            raise ValueError("there are no sequences to make windows of: check the subjects, takes and 3D of the data")
        lengths = torch.tensor([len(s) for s in sequences])
        ends = lengths.cumsum(0)
        self.poses_2d = _stack([s.poses_2d() for s in sequences], device)  # (N, J, 2)
        self.targets = _stack([s.root_relative(skeleton.root) for s in sequences], device)  # (N, J, 3)
        self.first = (ends - lengths).repeat_interleave(lengths).to(device)  # (N,): where each frame's sequence begins
        self.last = (ends - 1).repeat_interleave(lengths).to(device)  # (N,): and ends
        if flip:
            N = len(self.poses_2d)
            self.poses_2d, self.targets = (
                torch.cat([poses, flip_poses(poses, skeleton)]) for poses in (self.poses_2d, self.targets)
            )  # (2 * N, J, 2), (2 * N, J, 3)
            self.first, self.last = (torch.cat([frames, frames + N]) for frames in (self.first, self.last))
        self.offsets = torch.arange(num_frames, device=device) - num_frames // 2  # (F,)
        self.every_frame = every_frame

    def __len__(self) -> int:
        return len(self.poses_2d)

    def gather(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Windows and the 3D of their center frames: (B,) -> (B, F, J, 2), (B, J, 3); (B, F, J, 3) of every frame."""
        frames = index[:, None] + self.offsets  # (B, F)
        frames = frames.clamp(self.first[index, None], self.last[index, None])
        targets = _rows(self.targets, frames if self.every_frame else index)
        return _rows(self.poses_2d, frames), targets

    def batches(self, index: Tensor, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The windows of `index` (N,), `batch_size` at a time."""
        for batch in index.to(self.poses_2d.device).split(batch_size):
            yield self.gather(batch)


def _stack(arrays: list[np.ndarray], device) -> Tensor:
    return torch.from_numpy(np.concatenate(arrays)).float().to(device)


def _rows(table: Tensor, index: Tensor) -> Tensor:
    """table[index], which index_select copies row by row, in half the time."""
    return table.index_select(0, index.flatten()).unflatten(0, index.shape)
