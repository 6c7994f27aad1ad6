"""What the heads of a trained network look at, and what it costs to do without one of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from poseformer_lite.model.comparators import TemporalTransformerBaseline
from poseformer_lite.model.encoder import TransformerEncoder
from poseformer_lite.model.lifting_network import LiftingNetwork, evaluating, window_indices
from poseformer_lite.model.poseformer import PoseFormer


@dataclass(frozen=True)
class Head:
    """One attention head: stage "spatial" or "temporal", layer and head counted from 0."""

    stage: str
    layer: int
    head: int

    def __str__(self) -> str:
        return f"{self.stage} layer {self.layer} head {self.head}"


@dataclass(frozen=True)
class AttentionMaps:
    """The softmax rows of both stages, as the network computed them; row i is query i, and each row sums to one.

    spatial: (T, L, H, J, J), every frame by itself, None for a network without a spatial stage. temporal:
    (T, L, H, F, F), the window around every frame, or of every window where windows were given.
    """

    spatial: Tensor | None
    temporal: Tensor


@torch.no_grad()
def attention_maps(model: LiftingNetwork, poses_2d: Tensor, batch_size: int = 64) -> AttentionMaps:
    """Every layer and head of both stages.

    poses_2d: a sequence (T, J, 2), for which there is a map per frame, or windows (B, F, J, 2), for which the spatial
    maps are (B*F, L, H, J, J). batch_size bounds the windows in flight. The model is put into evaluation mode for the
    call. Raises ValueError for another shape, and for a network without attention.
    """
    if not encoders(model):
        raise ValueError(
            f"{type(model).__name__} has no attention to look at: give a PoseFormer or a temporal baseline"
        )
    J, F = model.num_joints, model.num_frames
    if poses_2d.ndim not in (3, 4) or poses_2d.shape[-2:] != (J, 2) or (poses_2d.ndim == 4 and poses_2d.shape[1] != F):
        raise ValueError(
            f"poses_2d is {tuple(poses_2d.shape)}, expected a sequence (T, {J}, 2) or windows (B, {F}, {J}, 2) in "
            "normalised screen coordinates"
        )
    frames = poses_2d.flatten(0, 1) if poses_2d.ndim == 4 else poses_2d  # (T, J, 2)
    windows = torch.arange(len(frames)).unflatten(0, (-1, F)) if poses_2d.ndim == 4 else window_indices(len(frames), F)
    with evaluating(model):
        embedded = [_embed_with_rows(model, chunk) for chunk in frames.split(512)]
        tokens = torch.cat([tokens for tokens, _ in embedded])  # (T, D)
        temporal = [_temporal_rows(model, tokens[batch]) for batch in windows.to(tokens.device).split(batch_size)]
    spatial = torch.cat([rows for _, rows in embedded]) if "spatial" in encoders(model) else None
    return AttentionMaps(spatial, torch.cat(temporal))


def _embed_with_rows(model: LiftingNetwork, frames: Tensor) -> tuple[Tensor, Tensor | None]:
    """(N, J, 2) -> (N, D) and, where there is a spatial stage, (N, L, H, J, J)."""
    if not isinstance(model, PoseFormer):
        return model.embed_frames(frames), None
    tokens, layers = model.spatial(frames, return_rows=True)
    return tokens.flatten(-2), torch.stack(layers, dim=1)


def _temporal_rows(model: PoseFormer | TemporalTransformerBaseline, tokens: Tensor) -> Tensor:
    """(B, F, D) -> (B, L, H, F, F)."""
    if isinstance(model, PoseFormer):
        return torch.stack(model.temporal(tokens, return_rows=True)[1], dim=1)
    return torch.stack(model.encoder(tokens + model.position_embedding, return_rows=True)[1], dim=1)


def attention_rollout(rows: Tensor) -> Tensor:
    """How much of each output token comes from each input token, if attention and the residual were all there is.

    The rows of a stage, (..., L, H, N, N), are averaged over the heads and with the identity, for the residual, and
    multiplied layer by layer: (..., N, N), rows sum to one. There is no rollout from joints through the temporal stage:
    the joints of a frame are one token there, and what becomes of one of them is not in any row.
    """
    layers = (rows.mean(dim=-3) + torch.eye(rows.shape[-1], dtype=rows.dtype, device=rows.device)) / 2  # (..., L, N, N)
    flow = layers[..., 0, :, :]  # (..., N, N)
    for layer in range(1, layers.shape[-3]):
        flow = layers[..., layer, :, :] @ flow  # (..., N, N)
    return flow


def all_heads(model: nn.Module) -> list[Head]:
    """Every head of the network: the spatial stage first, layer by layer."""
    return [
        Head(stage, layer, head)
        for stage, encoder in encoders(model).items()
        for layer, block in enumerate(encoder.blocks)
        for head in range(block.attn.num_heads)
    ]


@contextmanager
def ablated(model: nn.Module, *heads: Head) -> Iterator[nn.Module]:
    """The model without these heads: their outputs are zero before the projection (Eq. 4), until the block ends.

    Raises ValueError for a head that the model does not have.
    """
    known = all_heads(model)
    if lost := [str(head) for head in heads if head not in known]:
        last = known[-1] if known else "none"
        raise ValueError(f"there is no {', '.join(lost)}: all are counted from 0, and the model's last one is {last}")
    hooks = []
    try:
        for head in heads:
            attention = encoders(model)[head.stage].blocks[head.layer].attn
            hooks.append(attention.proj.register_forward_pre_hook(_zero(head.head, attention.head_dim)))
        yield model
    finally:
        for hook in hooks:
            hook.remove()


def encoders(model: nn.Module) -> dict[str, TransformerEncoder]:
    """The encoder of each stage that the network has."""
    if isinstance(model, PoseFormer):
        return {"spatial": model.spatial.encoder, "temporal": model.temporal.encoder}
    return {"temporal": model.encoder} if isinstance(model, TemporalTransformerBaseline) else {}


def _zero(head: int, head_dim: int):
    """A hook that sets one head's channels of what goes into the projection to zero."""

    def hook(projection, inputs) -> tuple[Tensor]:
        (heads_side_by_side,) = inputs  # (B, N, C)
        kept = heads_side_by_side.clone()
        kept[..., head * head_dim : (head + 1) * head_dim] = 0
        return (kept,)

    return hook
