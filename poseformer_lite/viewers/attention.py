"""A network's attention to one sequence, in three linked viewers."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from poseformer_lite.model.base import LiftingNetwork
from poseformer_lite.model.heads import AttentionMaps, attention_maps
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.skeleton import H36M17, Skeleton
from poseformer_lite.viewers.heads import HeadGrid
from poseformer_lite.viewers.spatial import SpatialAttentionViewer
from poseformer_lite.viewers.state import ViewState
from poseformer_lite.viewers.temporal import TemporalAttentionViewer


@dataclass(frozen=True, eq=False, repr=False)
class Attention:
    """What `view_attention` found, and its viewers, all of one state; displaying it displays them one below the other.

    spatial is None for a network without a spatial stage. maps are on the CPU; poses_3d: (T, J, 3) metres, camera
    space, root-relative, the prediction.
    """

    heads: HeadGrid
    spatial: SpatialAttentionViewer | None
    temporal: TemporalAttentionViewer
    state: ViewState
    maps: AttentionMaps
    poses_3d: np.ndarray

    @property
    def viewers(self) -> list:
        """In the order in which they are displayed."""
        return [viewer for viewer in (self.heads, self.spatial, self.temporal) if viewer is not None]

    def _ipython_display_(self) -> None:
        for viewer in self.viewers:
            viewer._ipython_display_()

    def __repr__(self) -> str:
        return "\n".join(viewer.describe() for viewer in self.viewers)


def view_attention(
    model: LiftingNetwork,
    poses_2d: np.ndarray | Tensor,
    *,
    skeleton: Skeleton = H36M17,
    fps: float = 50.0,
    state: ViewState | None = None,
) -> Attention:
    """See what the heads attend to: all of them, then one spatial and one temporal head on the predicted skeleton.

    All maps are kept: T * L * H * (J * J + F * F) numbers of 4 bytes, where both stages have L layers of H heads. For
    T = 500 that is 6 MB with the shipped weights (2 x 4 heads, F = 9), 65 MB with the paper's 4 x 8 heads and F = 27,
    and 440 MB with F = 81: cut longer sequences to the part that you want to see.

    :param model: it runs now, where its weights are
    :param poses_2d: (T, J, 2), one sequence in normalised screen coordinates
    :param skeleton: the body that the model was trained on
    :param fps: the pace of playing, frames per second
    :param state: of other viewers of the same sequence, to move together with them.
    :returns: The viewers, the maps and the prediction.
    :raises ValueError: for poses of a different shape or with gaps, a network without attention, and the skeleton or
        state of something else.
    """
    poses_2d = torch.as_tensor(poses_2d).to(model.device, model.dtype)
    if skeleton.num_joints != model.num_joints:
        raise ValueError(
            f"the network has {model.num_joints} joints, but {skeleton.name} has {skeleton.num_joints}: give the "
            "skeleton that it was trained on"
        )
    if not poses_2d.isfinite().all():
        raise ValueError(
            f"poses_2d has {int((~poses_2d.isfinite()).sum())} coordinates that are not finite: fill the gaps first, "
            "with keypoints.fill_gaps"
        )
    poses_3d = model.predict_sequence(poses_2d).cpu().numpy()
    maps = attention_maps(model, poses_2d)
    maps = AttentionMaps(None if maps.spatial is None else maps.spatial.cpu(), maps.temporal.cpu())
    heads = HeadGrid(maps, skeleton, fps, state)
    alike = {"skeleton": skeleton, "fps": fps, "state": heads.state}
    return Attention(
        heads,
        None if maps.spatial is None else SpatialAttentionViewer(maps, poses_3d, **alike),
        TemporalAttentionViewer(maps, poses_3d, _frame_weights(model), **alike),
        heads.state,
        maps,
        poses_3d,
    )


def _frame_weights(model: LiftingNetwork) -> np.ndarray | None:
    """The weights with which the regression head takes the mean over a window, (F,); None where all are equal."""
    return model.head.weighted_mean.weight.detach().cpu().numpy().ravel() if isinstance(model, PoseFormer) else None
