"""Fig. 2(b) of the paper with the numbers of one window in it: a network followed from keypoints to a pose in space."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor, nn

from poseformer_lite.camera import z_up
from poseformer_lite.plots import COLORS, STYLES, plot_pose_3d
from poseformer_lite.skeleton import H36M17, Skeleton

LINE, MARK = "0.35", "#D55E00"
CARD = (0.72, 1.2)  # of one frame's drawing, inches
TABLE = 1.2  # the height of a table of joints, inches
BANDS = {
    "spatial transformer, each frame alone": 5.85,
    "temporal transformer, the window": 3.1,
    "regression head": 0.35,
}


@torch.no_grad()
def follow_window(model: nn.Module, window: Tensor) -> dict[str, Tensor]:
    """What one window becomes on its way through a PoseFormer, step by step, in the order of Fig. 2(b).

    :param model: a `PoseFormer`, the package's or a learner's with parts of the same names
    :param window: (F, J, 2), in the coordinates that the network takes.
    :returns: {name of the step: its tensor}; the names that end in "weights" are the attention weights of a stage's
        first layer, (F, H, J, J) and (H, F, F).
    """
    spatial, temporal, head = model.spatial, model.temporal, model.head
    heads = model.config.get("num_heads", 8)
    steps = {"keypoints": window, "embedded": spatial.patch_embedding(window)}  # (F, J, 2), (F, J, C)
    placed = steps["embedded"] + spatial.position_embedding  # (F, J, C)
    steps["spatial weights"] = _first_weights(spatial.encoder, placed, heads)  # (F, H, J, J)
    steps["joint tokens"] = spatial.encoder(placed)  # (F, J, C)
    steps["frame tokens"] = steps["joint tokens"].flatten(-2)  # (F, D)
    placed = steps["frame tokens"][None] + temporal.position_embedding  # (1, F, D)
    steps["temporal weights"] = _first_weights(temporal.encoder, placed, heads)[0]  # (H, F, F)
    steps["related tokens"] = temporal.encoder(placed)[0]  # (F, D)
    steps["one vector"] = head.weighted_mean(steps["related tokens"][None])[0, 0]  # (D,)
    steps["pose"] = head.linear(head.norm(steps["one vector"])).unflatten(-1, (-1, 3))  # (J, 3)
    return steps


def _first_weights(encoder: nn.Module, tokens: Tensor, heads: int) -> Tensor:
    """The attention weights of the first layer, (B, N, C) -> (B, H, N, N), from its queries and keys (Eq. 2)."""
    block = encoder.blocks[0]
    q, k, _ = block.attn.qkv(block.norm1(tokens)).unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)
    return (q @ k.mT / q.shape[-1] ** 0.5).softmax(dim=-1)


def plot_network(model: nn.Module, window: Tensor, joint: int = 16, skeleton: Skeleton = H36M17):
    """Fig. 2(b) with one window in it: each table holds the numbers of this network for this window.

    One joint of the center frame is marked in every table that it has a row or columns in, and its numbers stand below.

    :param model: a `PoseFormer`, the package's or a learner's, in evaluation mode
    :param window: (F, J, 2), in the coordinates that the network takes
    :param joint: the one that is marked
    :param skeleton: of the joints.
    :returns: The figure.
    """
    steps = follow_window(model, window)
    F, J, C = steps["embedded"].shape
    depths = [len(stage.encoder.blocks) for stage in (model.spatial, model.temporal)]
    at, columns, D = F // 2, slice(joint * C, (joint + 1) * C), J * C
    figure, ax = plt.subplots(figsize=(10.4, 8.4))
    figure.subplots_adjust(0, 0, 1, 1)
    ax.set(xlim=(0, 10.4), ylim=(0, 8.4), aspect="equal")
    ax.axis("off")
    for name, bottom in BANDS.items():
        ax.add_patch(plt.Rectangle((0.08, bottom), 10.24, 2.45, color="0.965", zorder=0))
        ax.text(0.4, bottom + 2.33, name, va="top", weight="bold", fontsize=11)

    y = 6.97  # the spatial stage, for the frame in the middle
    embedded, related = steps["embedded"][at], steps["joint tokens"][at]  # each (J, C)
    positions = model.spatial.position_embedding[0].detach()  # (J, C)
    _cards(ax, 0.3, y, steps["keypoints"], joint, skeleton)
    _caption(ax, 0.9, y, 0.72, "keypoints", f"(F, J, 2) = ({F}, {J}, 2)", steps["keypoints"][at, joint])
    _arrow(ax, (1.8, y), (2.5, y), "patch\nembedding")
    _table(ax, 3.05, y, (0.9, TABLE), embedded, rows=joint)
    _caption(ax, 3.05, y, 0.6, "joint tokens", f"(J, c) = ({J}, {C})", embedded[joint])
    ax.text(3.8, y, "+", ha="center", va="center", fontsize=15)
    _table(ax, 4.55, y, (0.9, TABLE), positions, rows=joint)
    _caption(ax, 4.55, y, 0.6, r"positions $E_{\mathrm{SPos}}$", f"(J, c) = ({J}, {C})", positions[joint])
    _arrow(ax, (5.1, y), (5.5, y))
    _encoder(ax, 6.85, y, steps["spatial weights"][at], depths[0], f"{J} × {J} joints")
    _arrow(ax, (8.2, y), (8.6, y))
    _table(ax, 9.15, y, (0.9, TABLE), related, rows=joint)
    _caption(ax, 9.15, y, 0.6, "related joints", f"(J, c) = ({J}, {C})", related[joint])
    _onward(ax, 9.7, y, 5.7, f"the {J} joints of each frame side by side: {J} · {C} = {D} channels")

    y, size = 4.15, (1.5, 0.9)  # the temporal stage
    tokens, related = steps["frame tokens"], steps["related tokens"]  # each (F, D)
    positions = model.temporal.position_embedding[0].detach()  # (F, D)
    _arrow(ax, (0.25, y), (0.5, y))
    _table(ax, 1.3, y, size, tokens, rows=at, columns=columns)
    _caption(ax, 1.3, y, 0.45, "frame tokens", f"(F, J·c) = ({F}, {D})", tokens[at, columns])
    ax.text(2.3, y, "+", ha="center", va="center", fontsize=15)
    _table(ax, 3.3, y, size, positions, rows=at, columns=columns)
    _caption(ax, 3.3, y, 0.45, r"positions $E_{\mathrm{TPos}}$", f"(F, J·c) = ({F}, {D})", positions[at, columns])
    _arrow(ax, (4.15, y), (5.5, y))
    _encoder(ax, 6.85, y, steps["temporal weights"], depths[1], f"{F} × {F} frames")
    _arrow(ax, (8.2, y), (8.4, y))
    _table(ax, 9.2, y, size, related, rows=at, columns=columns)
    _caption(ax, 9.2, y, 0.45, "related frames", f"(F, J·c) = ({F}, {D})", related[at, columns])
    _onward(ax, 10.0, y, 2.95, f"all {F} frames go into one pose, that of the center frame")

    y = 1.4  # the head
    _arrow(ax, (0.25, y), (0.5, y))
    _weights(ax, 0.6, 1.6, y, model.head.weighted_mean.weight.detach().flatten())
    _caption(ax, 1.1, y, 0.45, "a weight for each frame", f"(F,) = ({F},)", None)
    _arrow(ax, (1.75, y), (2.75, y), "weighted\nmean")
    _table(ax, 3.6, y, (1.5, 0.14), steps["one vector"][None], rows=0, columns=columns)
    _caption(ax, 3.6, y, 0.1, "one vector", f"(J·c,) = ({D},)", steps["one vector"][columns])
    _arrow(ax, (4.5, y), (5.5, y), "norm,\nlinear")
    _table(ax, 6.0, y, (0.4, TABLE), steps["pose"], rows=joint)
    _caption(ax, 6.0, y, 0.6, "x, y, z of each joint", f"(J, 3) = ({J}, 3)", steps["pose"][joint], "m")
    _arrow(ax, (6.6, y), (7.4, y), "drawn")
    inset = figure.add_axes((0.7, 0.05, 0.27, 0.27), projection="3d")
    plot_pose_3d(steps["pose"].numpy(), skeleton, inset, label=False)
    inset.plot(*z_up(steps["pose"][[joint]].numpy()).T, "o", color=MARK, markersize=7)
    inset.patch.set_alpha(0)
    said = (
        f"Framed and printed in orange: {skeleton.joints[joint]} of the center frame, number {at + 1} of {F}, with its "
        "first channels. In the tables purple is positive and brown negative."
    )
    ax.text(5.2, 0.17, said, ha="center", va="center", fontsize=9.5, color="0.3")
    return figure


def _table(ax, x: float, y: float, size: tuple, values: Tensor, rows=None, columns=None) -> None:
    """A table of numbers as colors around (x, y), with a frame round the rows and columns that are marked."""
    (width, height), (N, C) = size, values.shape
    limit = max(values.abs().flatten().quantile(0.97).item(), 1e-6)
    left, top = x - width / 2, y + height / 2
    extent = (left, left + width, top - height, top)
    look = {"cmap": "PuOr", "vmin": -limit, "vmax": limit, "interpolation": "nearest"}
    ax.imshow(values.numpy(), extent=extent, aspect="auto", zorder=2, **look)
    ax.add_patch(plt.Rectangle((left, top - height), width, height, fill=False, edgecolor=LINE, zorder=3))
    first, last = (columns.start, columns.stop) if columns is not None else (0, C)
    corner, wide = (left + width * first / C, top - height * (rows + 1) / N), width * (last - first) / C
    ax.add_patch(plt.Rectangle(corner, wide, height / N, fill=False, edgecolor=MARK, linewidth=1.6, zorder=4))


def _caption(ax, x: float, y: float, half: float, name: str, shape: str, numbers: Tensor | None, unit="") -> None:
    """What an element of twice the height `half` is, its shape, and the first numbers of the joint that is marked."""
    ax.text(x, y + half + 0.07, name, ha="center", va="bottom", fontsize=9.5)
    ax.text(x, y - half - 0.07, shape, ha="center", va="top", fontsize=8, family="monospace", color="0.3")
    if numbers is not None:
        words = ", ".join(f"{number:.2f}".replace("-", "−") for number in numbers[: 3 if unit else 2].tolist())
        words += f" {unit}" if unit else ", …" if len(numbers) > 2 else ""
        ax.text(x, y - half - 0.26, words, ha="center", va="top", fontsize=8.5, color=MARK)


def _onward(ax, x: float, y: float, below: float, words: str) -> None:
    """The line from the end of one band to the beginning of the next, with words on it."""
    ax.plot([x, 10.18, 10.18, 0.25, 0.25], [y, y, below, below, below - 1.55], color=LINE, linewidth=1.4)
    box = {"color": "white", "pad": 2}
    ax.text(5.2, below, words, ha="center", va="center", fontsize=9.5, bbox=box)


def _arrow(ax, start, end, words: str = "") -> None:
    style = {"arrowstyle": "-|>", "color": LINE, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=end, xytext=start, arrowprops=style, zorder=5)
    ax.text((start[0] + end[0]) / 2, start[1] + 0.08, words, ha="center", va="bottom", fontsize=9)


def _cards(ax, x: float, y: float, frames: Tensor, joint: int, skeleton: Skeleton) -> None:
    """The first, the center and the last frame of the window, the center one in front."""
    middle = (frames.amax((0, 1)) + frames.amin((0, 1))) / 2
    scale = 0.88 * CARD[1] / (frames[..., 1].max() - frames[..., 1].min()).item()
    for depth, number in ((2, -1), (1, 0), (0, len(frames) // 2)):
        left, bottom = x + 0.3 * depth, y - CARD[1] / 2 + 0.06 * depth
        order = 10 - 3 * depth
        ax.add_patch(plt.Rectangle((left, bottom), *CARD, facecolor="white", edgecolor=LINE, zorder=order))
        points = (frames[number] - middle) * scale * torch.tensor([1.0, -1.0])
        points = points.numpy() + np.array([left + CARD[0] / 2, bottom + CARD[1] / 2])
        for parent, child in skeleton.bones:
            side = skeleton.side(child)
            look = {"color": COLORS[side], "linestyle": STYLES[side], "linewidth": 1.5}
            ax.plot(*points[[parent, child]].T, zorder=order + 1, **look)
        if depth == 0:
            ax.plot(*points[joint], "o", color=MARK, markersize=6, zorder=order + 2)


def _encoder(ax, x: float, y: float, weights: Tensor, depth: int, of: str) -> None:
    """An encoder: what a layer does, and the attention weights of the heads of its first one."""
    ax.add_patch(plt.Rectangle((x - 1.35, y - 0.9), 2.7, 1.8, facecolor="white", edgecolor=LINE, zorder=1))
    ax.text(x, y + 0.97, f"encoder, {depth} layers", ha="center", va="bottom", fontsize=9.5)
    for number, part in enumerate(("norm", "attention", "+", "norm", "MLP", "+")):
        box = {"boxstyle": "round,pad=0.22", "facecolor": "#DCE9F5", "edgecolor": "0.6"} if part != "+" else None
        ax.text(x - 0.75, y + 0.42 - 0.22 * number, part, ha="center", va="center", fontsize=7.5, zorder=4, bbox=box)
    for start in (0.56, -0.1):  # the residuals, round attention and round the MLP
        sides = [x - 0.75, x - 1.2, x - 1.2, x - 0.83]
        ax.plot(sides, [y + start] * 2 + [y + start - 0.58] * 2, color="0.6", linewidth=1)
    for head, rows in enumerate(weights[:4].numpy()):
        left, bottom = x - 0.08 + 0.66 * (head % 2), y + 0.02 - 0.66 * (head // 2)
        extent = (left, left + 0.6, bottom, bottom + 0.6)
        ax.imshow(
            rows, cmap="viridis", vmin=0, vmax=weights.max().item(), extent=extent, interpolation="nearest", zorder=4
        )
    small = {"ha": "center", "va": "center", "fontsize": 8, "zorder": 4}
    ax.text(x - 0.75, y + 0.75, "first layer", **small)
    ax.text(x + 0.55, y + 0.75, f"weights of {min(len(weights), 4)} heads", **small)
    ax.text(x + 0.55, y - 0.76, of, color="0.3", **small)


def _weights(ax, left: float, right: float, y: float, weights: Tensor) -> None:
    """The weights of the frames as bars from zero, the first frame on top."""
    F, low, high = len(weights), min(weights.min().item(), 0), max(weights.max().item(), 0)
    scale = (right - left) / (high - low)
    zero = left - low * scale
    for number, weight in enumerate(weights.tolist()):
        bottom = y + 0.45 - 0.9 * (number + 1) / F
        color = MARK if number == F // 2 else "0.6"
        ax.add_patch(plt.Rectangle((zero, bottom), weight * scale, 0.63 / F, color=color, zorder=3))
    ax.plot([zero, zero], [y - 0.45, y + 0.45], color=LINE, linewidth=1)
