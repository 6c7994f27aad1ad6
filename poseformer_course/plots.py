"""Pictures of the lessons and of the paper: many heads side by side, and a table's numbers beside the printed ones."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np

from poseformer_lite.plots import COLORS


def plot_heads(rows, names=None, titles=None, title: str = "", queries_across: bool = False, columns: int = 4):
    """All heads as small heatmaps with one colour bar; the colours go from 0 to the largest number of all heads.

    :param rows: (H, N, N), row i is query i
    :param names: of the N tokens and of the H heads; by default "head 0" and so on
    :param titles: of the N tokens and of the H heads; by default "head 0" and so on
    :param title: of the figure
    :param queries_across: draws the queries along the horizontal axis and the keys down the vertical one, as the
        paper's Figures 5 to 8 do, so that it is the columns that sum to one
    :param columns: of heatmaps.
    :returns: The figure.
    """
    rows = np.asarray(rows)
    columns = min(columns, len(rows))
    height = -(-len(rows) // columns)
    wide = names is not None and any(len(str(name)) > 2 for name in names)
    size = (2.5 * columns + 0.7 + 0.35 * wide, 2.45 * height + 0.5 + 0.45 * wide)
    figure, axes = plt.subplots(
        height, columns, figsize=size, sharex=True, sharey=True, squeeze=False, layout="constrained"
    )
    for head, ax in enumerate(axes.flat):
        if head >= len(rows):
            ax.set_axis_off()
            continue
        shown = rows[head].T if queries_across else rows[head]
        image = ax.imshow(shown, cmap="viridis", vmin=0, vmax=rows.max(), interpolation="nearest")
        ax.set_title(f"head {head}" if titles is None else titles[head], fontsize=9)
        if names is not None:
            ax.set_xticks(range(len(names)), names, rotation=90 if wide else 0)
            ax.set_yticks(range(len(names)), names)
        ax.tick_params(labelsize=6.5, length=2)
    figure.colorbar(image, ax=axes, shrink=0.8, aspect=25)
    key, query = "looked at (key)", "looking (query)"
    figure.supxlabel(query if queries_across else key, fontsize=9)
    figure.supylabel(key if queries_across else query, fontsize=9)
    figure.suptitle(title)
    return figure


def fit_box(ax, points, zoom: float = 1.0) -> None:
    """A 3D box no longer in any direction than what it holds, in equal scales. points: (..., 3)."""
    points = np.asarray(points).reshape(-1, 3)
    low, high = points.min(0) - 0.05, points.max(0) + 0.05
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), zlim=(low[2], high[2]))
    ax.set_box_aspect(high - low, zoom=zoom)


def plot_rows(ours: dict[str, list[float]], printed: dict[str, float], measure: str, title: str = ""):
    """A table's column: for each row a dot a seed and a bar at their mean; beside it what is printed, if anything is.

    The two have axes of their own, as their data differ; a row far off the others is named at the edge.

    :param ours: {row: one value a seed}
    :param printed: {row: value}
    :param measure: what the values are
    :param title: of the figure.
    :returns: The figure.
    """
    labels = list(dict.fromkeys([*ours, *printed]))
    size = (9 if printed else 7, 0.42 * len(labels) + 1.5)
    shares = {"width_ratios": (5, 2)} if printed else None
    figure, axes = plt.subplots(
        1, 2 if printed else 1, sharey=True, squeeze=False, figsize=size, gridspec_kw=shares, layout="constrained"
    )
    left = axes[0, 0]
    means = {label: float(np.mean(values)) for label, values in ours.items() if values}
    far = 1.6 * float(np.median(list(means.values()) or [0]))
    for place, label in enumerate(labels):
        if means.get(label, far + 1) > far:
            if label in means:
                left.annotate(f"{means[label]:.0f} →", (1, place), (-6, 0), xycoords=("axes fraction", "data"),
                              textcoords="offset points", ha="right", va="center", color=COLORS["left"])  # fmt: skip
            continue
        left.plot(ours[label], [place] * len(ours[label]), "o", color=COLORS["left"], alpha=0.5, markersize=5)
        left.plot([means[label]] * 2, [place - 0.3, place + 0.3], color=COLORS["left"], linewidth=2)
    wrapped = [textwrap.fill(label, 36) for label in labels]
    left.set(yticks=range(len(labels)), yticklabels=wrapped, xlabel=f"{measure}, here: a dot a seed, a bar the mean")
    left.set_ylim(len(labels) - 0.5, -0.5)
    if printed:
        places = [labels.index(label) for label in printed]
        axes[0, 1].plot(list(printed.values()), places, "D", color=COLORS["right"], fillstyle="none")
        axes[0, 1].set_xlabel("printed in the paper")
    for ax in axes.flat:
        ax.grid(axis="x", color="0.9")
        ax.margins(x=0.12)
    figure.suptitle(title)
    return figure
