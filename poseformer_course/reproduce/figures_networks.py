"""Figures 1 and 2: tokens and architectures, drawn from live networks: every number in them is measured."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from poseformer_course.costs import count_macs
from poseformer_course.prior_work import JointTokenTransformer
from poseformer_course.reproduce.laboratory import Laboratory
from poseformer_lite.model import LiftingNetwork, PoseFormer, TemporalTransformerBaseline
from poseformer_lite.model.attention import MultiHeadSelfAttention
from poseformer_lite.model.base import evaluating
from poseformer_lite.plots import COLORS
from poseformer_lite.skeleton import H36M17

WAYS = {
    "a frame is a token: the paper's baseline, Fig. 1(a)": TemporalTransformerBaseline,
    "a joint of a frame is a token, Fig. 1(b)": JointTokenTransformer,
    "joints in a frame, then frames: PoseFormer": PoseFormer,
}


def fig1(laboratory: Laboratory) -> tuple[Figure, str]:
    """What is a token, and who looks at whom."""
    sizes = laboratory.scale.base
    figure, axes = plt.subplots(1, 3, figsize=(12, 4.4), layout="constrained")
    words = []
    for ax, (name, network) in zip(axes, WAYS.items(), strict=True):
        model = network.sized_like(sizes)
        seen, cost = attention_shapes(model), count_macs(model)
        _draw_tokens(ax, model)
        kinds = dict.fromkeys(shape[1:] for shape in seen)  # (tokens, width) of each stage, in order
        stages = [f"{tokens} tokens of {width}" for tokens, width in kinds]
        pairs = sum(batch * tokens**2 for batch, tokens, _ in seen)
        ax.set_title(f"{name}\n{', then '.join(stages)}", fontsize=10)
        ax.set_xlabel(
            f"{pairs:,} pairs of tokens over all layers\n{cost.products:,} MACs in them, {cost.macs:,} in all"
        )
        words.append(f"{network.__name__} {cost.products:,}")
    caption = (
        f"Fig. 1, drawn from live networks at this scale's sizes (F = {sizes['num_frames']} frames, 17 joints). A box "
        "is a token, and a line leads from one token to all that it looks at. Multiply-accumulate operations in the "
        f"products of attention, counted as one window passes: {'; '.join(words)}. The paper draws the first "
        "two ways and gives no numbers."
    )
    return figure, caption


def attention_shapes(model: LiftingNetwork) -> list[tuple[int, int, int]]:
    """(sequences, tokens, width) of every attention layer, as one window passes through."""
    shapes = []

    def note(module, inputs, output):
        shapes.append(tuple(inputs[0].shape))

    hooks = [m.register_forward_hook(note) for m in model.modules() if isinstance(m, MultiHeadSelfAttention)]
    with torch.no_grad(), evaluating(model):
        model(torch.zeros(1, model.num_frames, model.num_joints, 2))
    for hook in hooks:
        hook.remove()
    return shapes


def _draw_tokens(ax, model: LiftingNetwork) -> None:
    """Frames across, joints down; a token's box, and what one token in the middle looks at."""
    frames, joints = model.num_frames, model.num_joints
    center, joint = frames // 2, H36M17.joints.index("RWrist") if joints == 17 else joints - 1
    per_joint = not isinstance(model, TemporalTransformerBaseline)
    for frame in range(frames):
        if per_joint:
            ax.plot([frame] * joints, range(joints), "s", color="0.75", markersize=5)
        ax.add_patch(plt.Rectangle((frame - 0.35, -0.6), 0.7, joints + 0.2, fill=not per_joint, color="0.88", zorder=0))
    if isinstance(model, TemporalTransformerBaseline | PoseFormer):
        for frame in range(frames):
            away = frame - center
            bow = f"arc3,rad={-np.sign(away) * 0.12 * (1 + 0.35 * abs(away))}"
            look = {"arrowstyle": "-", "color": COLORS["left"], "connectionstyle": bow}
            if away:
                ax.annotate("", (frame, -0.7), (center, -0.7), arrowprops=look)
    if isinstance(model, PoseFormer):
        for other in range(joints):
            ax.plot([center, center], [joint, other], color=COLORS["right"], linewidth=1.5, zorder=1)
        ax.plot([center] * joints, range(joints), "s", color=COLORS["right"], markersize=5)
    if isinstance(model, JointTokenTransformer):
        for frame in range(frames):
            for other in range(joints):
                ax.plot([center, frame], [joint, other], color=COLORS["right"], linewidth=0.35, zorder=1)
        ax.plot(center, joint, "s", color=COLORS["right"], markersize=6)
    ax.set(xlim=(-0.8, frames - 0.2), ylim=(joints + 0.2, -6), xticks=range(frames), yticks=[0, joints - 1])
    ax.set_yticklabels(["joint 0", f"joint {joints - 1}"])
    ax.set_xticklabels([str(f) if f in (0, center, frames - 1) else "" for f in range(frames)])
    ax.spines[["top", "right", "left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)


def fig2(laboratory: Laboratory) -> tuple[Figure, str]:
    """Both architectures as towers of boxes, with the shape of what leaves each and the weights in it."""
    sizes = laboratory.scale.base
    baseline, poseformer = TemporalTransformerBaseline.sized_like(sizes), PoseFormer(**sizes)
    spatial, temporal, head = poseformer.spatial, poseformer.temporal, poseformer.head
    towers = {
        "(a) temporal transformer baseline": _tower(
            baseline,
            {
                "patch embedding, Eq. 1": [baseline.patch_embedding],
                f"positions, encoder, L = {len(baseline.encoder.blocks)}": [
                    baseline.encoder,
                    baseline.position_embedding,
                ],
                "mean over frames, LayerNorm, linear": [baseline.head],
            },
        ),
        "(b) PoseFormer": _tower(
            poseformer,
            {
                "patch embedding of each joint": [spatial.patch_embedding],
                f"positions, spatial encoder, L = {len(spatial.encoder.blocks)}": [
                    spatial.encoder,
                    spatial.position_embedding,
                ],
                f"joints side by side, positions, temporal encoder, L = {len(temporal.encoder.blocks)}": [temporal],
                "weighted mean over frames": [head.weighted_mean],
                "LayerNorm, linear": [head.linear, head.norm],
            },
        ),
    }
    figure, axes = plt.subplots(1, 2, figsize=(10, 5.6), layout="constrained")
    for ax, (title, boxes), model in zip(axes, towers.items(), (baseline, poseformer), strict=True):
        _draw_tower(ax, [("2D window", tuple(_window(model).shape), None), *boxes], title)
    caption = (
        f"Fig. 2, from live networks at this scale's sizes: one window of {sizes['num_frames']} frames passes through, "
        f"and each box says what it gave. Weights: baseline {baseline.num_parameters():,}, PoseFormer "
        f"{poseformer.num_parameters():,}, position embeddings included."
    )
    return figure, caption


def _window(model: LiftingNetwork) -> torch.Tensor:
    return torch.zeros(1, model.num_frames, model.num_joints, 2)


def _tower(model: LiftingNetwork, parts: dict[str, list]) -> list[tuple[str, tuple, int]]:
    """(name, shape of the output, number of weights) of each part, in the order in which the window meets them.

    A part is a module, whose output is noted, and further modules or parameters that are counted with it.
    """
    shapes = {}
    hooks = [
        part[0].register_forward_hook(lambda module, inputs, output, n=name: shapes.update({n: tuple(output.shape)}))
        for name, part in parts.items()
    ]
    with torch.no_grad(), evaluating(model):
        model(_window(model))
    for hook in hooks:
        hook.remove()
    return [(name, shapes[name], sum(map(_weights, part))) for name, part in parts.items()]


def _weights(part: torch.nn.Module | torch.nn.Parameter) -> int:
    return part.numel() if isinstance(part, torch.nn.Parameter) else sum(p.numel() for p in part.parameters())


def _draw_tower(ax, boxes: list[tuple], title: str) -> None:
    for level, (name, shape, weights) in enumerate(boxes):
        look = {"boxstyle": "round,pad=0.02,rounding_size=0.08", "facecolor": "0.95" if weights is None else "#E3EEF6"}
        ax.add_patch(FancyBboxPatch((-0.6, level), 5.2, 0.6, edgecolor=COLORS["left"], **look))
        ax.text(2, level + (0.3 if weights is None else 0.4), name, ha="center", va="center", fontsize=9)
        if weights is not None:
            ax.text(2, level + 0.14, f"{weights:,} weights", ha="center", va="center", fontsize=8, color="0.35")
        ax.annotate("", (2, level + 1), (2, level + 0.63), arrowprops={"arrowstyle": "->", "color": "0.3"})
        ax.text(2.12, level + 0.8, " × ".join(map(str, shape)), va="center", fontsize=8.5, color=COLORS["right"])
    top = len(boxes)
    ax.text(2, top + 0.12, "3D pose of the centre frame: J × 3", ha="center", fontsize=10)
    ax.set(xlim=(-0.8, 4.8), ylim=(-0.2, 6.6), title=title)
    ax.set_axis_off()
