"""The diagram in lesson 03: one attention layer from tokens to tokens, with real numbers and the shape of each table.

python figures/attention_layer.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import torch

from poseformer_lite.model.attention import MultiHeadSelfAttention

N, C, H = 5, 8, 2
CELL, APART = 0.15, 0.28  # sizes of a cell, and how far the second head stands behind the first
LINE = "0.35"


def table(ax, x, y, values, name, shape, colors="PuOr", limit=2.0):
    """Tables of heads (H, rows, columns), the first in front, centered at (x, y), named above, with a shape below."""
    low = -limit if colors == "PuOr" else 0.0
    heads, rows, columns = values.shape
    width, height = columns * CELL, rows * CELL
    for head in reversed(range(heads)):
        left, bottom = x - width / 2 + head * APART, y - height / 2 + head * APART
        extent = (left, left + width, bottom, bottom + height)
        ax.imshow(values[head], cmap=colors, vmin=low, vmax=limit, extent=extent, zorder=4 - head, aspect="auto")
        ax.add_patch(plt.Rectangle((left, bottom), width, height, fill=False, edgecolor=LINE, zorder=4.5 - head))
    back = (heads - 1) * APART
    ax.text(x + back / 2, y + height / 2 + back + 0.1, name, ha="center", va="bottom", fontsize=11)
    ax.text(
        x + back / 2, y - height / 2 - 0.1, shape, ha="center", va="top", fontsize=8.5, color="0.3", family="monospace"
    )


def arrow(ax, start, end, words="", above=0.1):
    style = {"arrowstyle": "-|>", "color": LINE, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=end, xytext=start, arrowprops=style, zorder=2)
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    ax.text(x, y + above, words, ha="center", va="bottom", fontsize=9.5)


torch.manual_seed(4)
layer = MultiHeadSelfAttention(C, H)
tokens = torch.randn(1, N, C)
with torch.no_grad():
    layer.qkv.weight.mul_(3)  # so that the weights differ to the eye
    q, k, v = layer.qkv(tokens).view(N, 3, H, C // H).permute(1, 2, 0, 3)  # each (H, N, C/H)
    output, weights = layer(tokens, return_weights=True)
    attended = weights[0] @ v  # (H, N, C/H)
    joined = attended.transpose(0, 1).reshape(1, N, C)

figure, ax = plt.subplots(figsize=(10.4, 4.8), layout="constrained")
table(ax, 0.6, 1.6, tokens, "tokens $Z$", "(N, C)")
arrow(ax, (1.3, 1.75), (2.1, 3.1))
arrow(ax, (1.3, 1.6), (2.1, 1.6), "qkv\nEq. 3")
arrow(ax, (1.3, 1.45), (2.1, 0.1))
for name, values, y in (("$Q$", q, 3.3), ("$K$", k, 1.6), ("$V$", v, -0.1)):
    table(ax, 2.5, y, values, name, "" if y > 0 else "(H, N, C/H)")
arrow(ax, (3.2, 3.2), (4.25, 2.6))
arrow(ax, (3.2, 1.8), (4.25, 2.15), r"$QK^\top/\sqrt{d}$", above=0.38)
table(ax, 4.75, 2.25, weights[0], "softmax: weights", "(H, N, N)", "viridis", weights.max().item())
arrow(ax, (5.65, 2.2), (7.0, 1.5), "weighted\nmean, Eq. 2", above=0.3)
arrow(ax, (3.3, 0.05), (7.0, 1.05))
table(ax, 7.45, 1.2, attended, "heads' outputs", "(H, N, C/H)")
arrow(ax, (8.2, 1.4), (8.8, 1.55), "join")
table(ax, 9.55, 1.6, joined, "side by side", "(N, C)")
arrow(ax, (10.25, 1.6), (11.0, 1.6), "proj\nEq. 4")
table(ax, 11.7, 1.6, output, "new tokens", "(N, C)", limit=1.0)
said = (
    f"Drawn: N = {N} tokens of C = {C} channels, H = {H} heads, the first in front. A row is a token, in the weights\n"
    "the one that asks. Orange is negative, purple positive; of the weights, yellow is the largest."
)
ax.text(6.1, -1.1, said, ha="center", va="top", fontsize=9.5, color="0.3")
ax.set(xlim=(-0.1, 12.4), ylim=(-1.7, 4.3), aspect="equal")
ax.axis("off")
figure.savefig(Path(__file__).with_suffix(".png"), dpi=100)
