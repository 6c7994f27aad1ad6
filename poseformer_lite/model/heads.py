"""What the heads of a trained network look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from poseformer_lite.model.base import LiftingNetwork, evaluating, window_indices
from poseformer_lite.model.encoder import TransformerEncoder, encoders


@dataclass(frozen=True)
class Head:
    """One attention head: stage "spatial" or "temporal", layer and head counted from 0."""

    stage: str
    layer: int
    head: int

    def __str__(self) -> str:
        return f"{self.stage} layer {self.layer} head {self.head}"


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """The attention weights of both stages, as the network computed them; row i is query i, and each row sums to one.

    :param spatial: (T, L, H, J, J), every frame by itself; None for a network without a spatial stage
    :param temporal: (T, L, H, F, F), the window around every frame, or of every window where windows were given.
    """

    spatial: Tensor | None
    temporal: Tensor

    @property
    def stages(self) -> dict[str, Tensor]:
        """The attention weights of each stage that the network has, by its name."""
        both = {"spatial": self.spatial, "temporal": self.temporal}
        return {stage: rows for stage, rows in both.items() if rows is not None}


@torch.no_grad()
def attention_maps(model: LiftingNetwork, poses_2d: Tensor, batch_size: int = 64) -> AttentionMaps:
    """The attention weights of every layer and head of both stages.

    :param model: put into evaluation mode for the call
    :param poses_2d: a sequence (T, J, 2) in normalised screen coordinates, for which there is a map per frame, or
        windows (B, F, J, 2), for which the spatial maps are (B * F, L, H, J, J)
    :param batch_size: windows in flight.
    :returns: The maps, on the model's device.
    :raises ValueError: for a different shape, and for a network without attention.
    """
    stages = encoders(model)
    if not stages:
        raise ValueError(f"{type(model).__name__} has no attention layers: give a network that has, such as PoseFormer")
    J, F = model.num_joints, model.num_frames
    if poses_2d.shape[1:] not in ((J, 2), (F, J, 2)) or len(poses_2d) == 0:
        raise ValueError(
            f"poses_2d is {tuple(poses_2d.shape)}, expected a sequence (T, {J}, 2) or windows (B, {F}, {J}, 2) with T "
            "or B of 1 or more, in normalised screen coordinates"
        )
    frames = poses_2d.flatten(0, 1) if poses_2d.ndim == 4 else poses_2d  # (T, J, 2)
    windows = torch.arange(len(frames)).unflatten(0, (-1, F)) if poses_2d.ndim == 4 else window_indices(len(frames), F)
    with evaluating(model), _attention_weights(stages) as weights:
        tokens = torch.cat([model.embed_frames(some) for some in frames.split(512)])  # (T, D)
        for batch in windows.to(tokens.device).split(batch_size):
            model.forward_temporal(tokens[batch])
    maps = {stage: torch.stack([torch.cat(calls) for calls in layers], dim=1) for stage, layers in weights.items()}
    return AttentionMaps(maps.get("spatial"), maps["temporal"])


@contextmanager
def _attention_weights(stages: dict[str, TransformerEncoder]) -> Iterator[dict[str, list[list[Tensor]]]]:
    """What every attention layer computes until the block ends: for each stage and layer one (B, H, N, N) per call."""
    weights = {stage: [[] for _ in encoder.blocks] for stage, encoder in stages.items()}

    def capture(calls: list[Tensor], attention: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        calls.append(attention.forward(*inputs, return_weights=True)[1])

    hooks = [
        block.attn.register_forward_hook(partial(capture, weights[stage][layer]))
        for stage, encoder in stages.items()
        for layer, block in enumerate(encoder.blocks)
    ]
    try:
        yield weights
    finally:
        for hook in hooks:
            hook.remove()
