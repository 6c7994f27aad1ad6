"""The study of a trained network's heads: what the paper draws of them, and what it costs to do without one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from poseformer_lite import metrics
from poseformer_lite.model.base import LiftingNetwork
from poseformer_lite.model.heads import AttentionMaps, Head, encoders


def figure_maps(
    maps: AttentionMaps, stage: str, layer: int = -1, frames: int | slice | list[int] | None = None, scale: str = "head"
) -> Tensor:
    """What Figures 5 to 8 of the paper draw, one map for each head of a layer.

    The paper says "normalized from 0 to 1" and neither which layer nor which frames: the defaults are our choice. It
    has the queries along the horizontal axis: `plots.plot_heads(..., queries_across=True)` draws them so.

    :param maps: what `attention_maps` gives.
    :param stage: "spatial" or "temporal", and the layer's number; -1 is the last.
    :param layer: "spatial" or "temporal", and the layer's number; -1 is the last.
    :param frames: one or several, whose mean is taken; by default all.
    :param scale: "head" takes each head from its smallest weight at 0 to its largest at 1; "layer" takes the smallest
        and largest of all heads together, so that heads can be compared; "none" leaves the weights.
    :returns: (H, N, N), row i is query i.
    :raises ValueError: for a stage, layer, frame or scale that is not there.
    """
    if stage not in maps.stages:
        raise ValueError(f"there are no maps of a stage {stage!r}: the network has {' and '.join(maps.stages)}")
    rows = maps.stages[stage]  # (T, L, H, N, N)
    if not -rows.shape[1] <= layer < rows.shape[1]:
        raise ValueError(f"there is no {stage} layer {layer}: they are 0 to {rows.shape[1] - 1}, and -1 is the last")
    if scale not in ("head", "layer", "none"):
        raise ValueError(f"scale is {scale!r}: choose head, layer or none")
    every = range(len(rows))
    chosen = every if frames is None else every[frames] if isinstance(frames, slice) else frames
    chosen = [chosen] if isinstance(chosen, int) else list(chosen)
    if not chosen or not all(-len(rows) <= frame < len(rows) for frame in chosen):
        raise ValueError(
            f"frames={frames}: give one or more of the {len(rows)} frames, counted from 0, or None for all"
        )
    mean = rows[chosen, layer].mean(dim=0)  # (H, N, N)
    if scale == "none":
        return mean
    axes = (-2, -1) if scale == "head" else (-3, -2, -1)
    low, high = mean.amin(axes, keepdim=True), mean.amax(axes, keepdim=True)
    return (mean - low) / (high - low).clamp_min(torch.finfo(mean.dtype).tiny)


def attention_rollout(rows: Tensor) -> Tensor:
    """How much of each output token comes from each input token, if attention and the residual were all there is.

    Averaged over the heads and with the identity, for the residual, and multiplied layer by layer. There is no rollout
    from joints through the temporal stage: there the joints of a frame are one token, and no weight tells them apart.

    :param rows: the attention weights of one stage, (..., L, H, N, N).
    :returns: (..., N, N), rows sum to one.
    """
    layers = (rows.mean(dim=-3) + torch.eye(rows.shape[-1], dtype=rows.dtype, device=rows.device)) / 2  # (..., L, N, N)
    flow = layers[..., 0, :, :]  # (..., N, N)
    for layer in range(1, layers.shape[-3]):
        flow = layers[..., layer, :, :] @ flow  # (..., N, N)
    return flow


def all_heads(model: nn.Module) -> list[Head]:
    """Every head of a network, the spatial stage first, layer by layer.

    :param model: any network; one without attention has none.
    :returns: Heads, as `ablated` takes them.
    """
    return [
        Head(stage, layer, head)
        for stage, encoder in encoders(model).items()
        for layer, block in enumerate(encoder.blocks)
        for head in range(block.attn.num_heads)
    ]


@contextmanager
def ablated(model: nn.Module, *heads: Head, instead: str = "zero") -> Iterator[nn.Module]:
    """The model without some heads, until the block ends.

    :param model: changed in place while the block runs
    :param heads: any number of them
    :param instead: what stands in their place: "zero", nothing, their outputs are zero before the projection (Eq. 4);
        "uniform", every weight is 1 / N, so that a head still hands on the mean of its values; "mean", every query has
        the mean weights of all queries, which is the head without what depends on who looks.
    :returns: A context manager that gives the model.
    :raises ValueError: for a head that the model does not have, and for an unknown replacement.
    """
    known = all_heads(model)
    if lost := [str(head) for head in heads if head not in known]:
        last = known[-1] if known else "none"
        raise ValueError(f"there is no {', '.join(lost)}: all are counted from 0, and the model's last one is {last}")
    if instead not in ("zero", "uniform", "mean"):
        raise ValueError(f"a head is replaced by {instead!r}: choose zero, uniform or mean")
    hooks = []
    try:
        for head in heads:
            attention = encoders(model)[head.stage].blocks[head.layer].attn
            channels = slice(head.head * attention.head_dim, (head.head + 1) * attention.head_dim)
            hooks.append(_replace(attention, channels, instead))
        yield model
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def joints_hidden(
    model: nn.Module, *joints: int, drawn: Callable[[Tensor], Tensor] | None = None
) -> Iterator[nn.Module]:
    """The model with some joints hidden from it, until the block ends: their tokens say which joint, and not where.

    The patch embedding of a hidden joint (Eq. 1) is zero, so that only its position embedding is left.

    :param model: a network with a spatial stage, changed in place while the block runs
    :param joints: hidden in every frame
    :param drawn: takes the embedded joints (N, J, C) of N frames, and gives those that are hidden, (N, J) of bool;
        asked while the model trains, and only then
    :returns: A context manager that gives the model.
    :raises ValueError: for a joint that the model does not have, and for a model without a spatial stage.
    """
    if not hasattr(model, "spatial"):
        raise ValueError(f"a {type(model).__name__} has no tokens of joints to hide: take a PoseFormer")
    if lost := [joint for joint in joints if joint not in range(model.num_joints)]:
        raise ValueError(f"there is no joint {lost[0]}: they are 0 to {model.num_joints - 1}")

    def hide(embedding, inputs, tokens: Tensor) -> Tensor:
        hidden = torch.zeros(tokens.shape[:2], dtype=torch.bool, device=tokens.device)  # (N, J)
        hidden[:, list(joints)] = True
        if drawn is not None and model.training:
            hidden |= drawn(tokens)
        return tokens.masked_fill(hidden[..., None], 0.0)

    hook = model.spatial.patch_embedding.register_forward_hook(hide)
    try:
        yield model
    finally:
        hook.remove()


@dataclass(frozen=True, eq=False)
class HeadAblation:
    """MPJPE in millimetres, sequence by sequence, of the whole network and of the network without each of some heads.

    heads: N heads, or groups of heads that were taken away together; frames: (S,) the lengths of the S sequences;
    baseline: (S,) the error of the whole network; without: (N, S).
    """

    heads: list[Head | tuple[Head, ...]]
    frames: Tensor
    baseline: Tensor
    without: Tensor

    @property
    def error(self) -> float:
        """MPJPE of the whole network over all frames, in millimetres."""
        return self._over_frames(self.baseline).item()

    @property
    def change(self) -> Tensor:
        """(N,): by how many millimetres MPJPE over all frames rises when a head is taken away."""
        return self._over_frames(self.without - self.baseline)

    def _over_frames(self, errors: Tensor) -> Tensor:
        return (errors * self.frames).sum(dim=-1) / self.frames.sum()


def head_ablation(
    model: LiftingNetwork,
    sequences: Sequence,
    heads: Sequence[Head | tuple[Head, ...]] | None = None,
    *,
    instead: str = "zero",
    root: int = 0,
    progress: bool = True,
) -> HeadAblation:
    """How much worse the network gets without each head: the test that attention weights are held against.

    There is no flip averaging, so that one pass is measured.

    :param model: the network
    :param sequences: PoseSequence objects with 3D, or pairs of tensors poses_2d (T, J, 2), normalised, and target (T,
        J, 3), metres, root-relative
    :param heads: by default all, one at a time; a tuple of heads is taken away together, such as those of a layer
    :param instead: as for `ablated`
    :param root: the root joint of the sequences
    :param progress: whether to show a bar.
    :returns: The errors of each sequence, with and without the heads, in millimetres.
    :raises ValueError: where there is nothing to measure, or `ablated` raises it.
    """
    from tqdm.auto import tqdm

    heads = all_heads(model) if heads is None else list(heads)
    if not sequences or not heads:
        raise ValueError(f"there is nothing to measure: {len(sequences)} sequences, {len(heads)} heads")
    pairs = lifting_pairs(model, sequences, root)

    def errors(group: tuple[Head, ...]) -> Tensor:
        """(S,) millimetres."""
        with ablated(model, *group, instead=instead):
            return torch.tensor([1000 * metrics.mpjpe(model.predict_sequence(x), y).item() for x, y in pairs])

    groups = [(), *(head if isinstance(head, tuple) else (head,) for head in heads)]
    measured = [errors(group) for group in tqdm(groups, desc="ablating heads", disable=not progress, leave=False)]
    return HeadAblation(heads, torch.tensor([len(x) for x, _ in pairs]), measured[0], torch.stack(measured[1:]))


def lifting_pairs(model: nn.Module, sequences: Sequence, root: int) -> list[tuple[Tensor, Tensor]]:
    """poses_2d (T, J, 2), as the model takes it, and target (T, J, 3) of each sequence, where its weights are."""
    seen = [s if isinstance(s, tuple | list) else s.seen_by(model.input) for s in sequences]
    pairs = [
        s if isinstance(s, tuple | list) else (torch.from_numpy(s.poses_2d()), torch.from_numpy(s.root_relative(root)))
        for s in seen
    ]
    return [(poses_2d.to(model.device, model.dtype), target.to(model.device)) for poses_2d, target in pairs]


def _replace(attention: nn.Module, channels: slice, instead: str):
    """Register the hook that puts something in the place of one head, which owns these channels."""

    def no_query(qkv, inputs, output: Tensor) -> Tensor:
        output = output.clone()  # (B, N, 3 * C): the queries stand first
        output[..., channels] = 0  # all scores equal, so the rows are uniform
        return output

    def other_output(projection, inputs) -> tuple[Tensor]:
        (heads_side_by_side,) = inputs  # (B, N, C)
        replaced = heads_side_by_side.clone()
        # the mean of the outputs over the queries is the output of the mean row
        replaced[..., channels] = 0 if instead == "zero" else replaced[..., channels].mean(dim=-2, keepdim=True)
        return (replaced,)

    if instead == "uniform":
        return attention.qkv.register_forward_hook(no_query)
    return attention.proj.register_forward_pre_hook(other_output)
