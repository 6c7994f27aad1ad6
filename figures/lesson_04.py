"""The picture on top of lesson 04: an encoder layer with the norms first and last, and the temporal baseline.

python figures/lesson_04.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.patches import FancyBboxPatch

STREAM, BRANCH, NORM = "#0072B2", "0.35", "#F0D9B5"


def box(ax, x, y, text, width, color="white"):
    """A rounded box centred at (x, y)."""
    corner, style = (x - width / 2, y - 0.2), "round,pad=0,rounding_size=0.08"
    ax.add_patch(FancyBboxPatch(corner, width, 0.4, style, facecolor=color, edgecolor="0.35", zorder=3))
    ax.text(x, y, text, ha="center", va="center", fontsize=9, zorder=4)


def arrow(ax, start, end, color=BRANCH, width=1.2):
    style = {"arrowstyle": "-|>", "color": color, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", xy=end, xytext=start, arrowprops=style, zorder=2)


def plus(ax, x, y):
    ax.plot(x, y, "o", markersize=15, color="white", markeredgecolor=STREAM, markeredgewidth=1.5, zorder=3)
    ax.text(x, y - 0.01, "+", ha="center", va="center", fontsize=13, color=STREAM, zorder=4)


def branch(ax, start, end, y, parts):
    """A path that leaves the stream at `start`, passes the parts above it and comes back at `end`."""
    ax.plot([start, start, end], [y, y + 0.7, y + 0.7], color=BRANCH, linewidth=1.2, zorder=1)
    arrow(ax, (end, y + 0.7), (end, y + 0.17))
    for i, (text, color) in enumerate(parts):
        box(ax, start + (i + 1) * (end - start) / (len(parts) + 1), y + 0.7, text, 0.62, color)


def layer(ax, y, title, norm_first):
    ax.text(0, y + 1.2, title, fontsize=10.5, weight="bold")
    arrow(ax, (0.3, y), (10.0, y), STREAM, 2.5)
    ax.text(0.2, y, r"$Z_{\ell-1}$", ha="right", va="center", fontsize=11)
    ax.text(10.25, y, r"$Z_{\ell}$", ha="center", va="center", fontsize=11)
    for start, name in ((0.8, "MSA"), (5.4, "MLP")):
        end = start + 3.2
        parts = [(name, "white"), ("drop", "white")]
        branch(ax, start, end, y, [("LN", NORM), *parts] if norm_first else parts)
        plus(ax, end, y)
        if not norm_first:
            box(ax, end + 0.75, y, "LN", 0.6, NORM)


def baseline(ax, y):
    ax.text(0, y + 0.55, "Temporal baseline: one token for each frame", fontsize=10.5, weight="bold")
    steps = [
        ("keypoints", "(f, 2J)"),
        ("embedding", "(f, C)"),
        ("+ positions", "(f, C)"),
        ("L layers", "(f, C)"),
        ("LN", "(f, C)"),
        ("mean", "(C)"),
        ("head", "(J, 3)"),
    ]
    places = [0.55 + 1.52 * i for i in range(len(steps))]
    for x, after in zip(places, places[1:], strict=False):
        arrow(ax, (x + 0.55, y), (after - 0.55, y), STREAM, 2)
    for x, (text, shape) in zip(places, steps, strict=True):
        box(ax, x, y, text, 1.1, NORM if text == "LN" else "white")
        ax.text(x, y - 0.38, shape, ha="center", va="center", fontsize=8.5, color="0.3")


figure, ax = plt.subplots(figsize=(9, 5), layout="constrained")
layer(ax, 3.55, "Norm first: PoseFormer's layer (Eq. 6 and 7), a free path from left to right", norm_first=True)
layer(ax, 1.6, "Norm last: the layer of 2017, the norms stand on the path", norm_first=False)
baseline(ax, 0.05)
ax.set(xlim=(-0.3, 10.6), ylim=(-0.45, 5.0))
ax.axis("off")
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
