"""Still pictures: skeletons in space and in the image, learning curves, errors, attention. They compute nothing new.

Every function takes `ax` and gives it back, or makes a figure. Left limbs are blue and solid, right limbs orange and
dashed, so that they differ in grey too.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MultipleLocator, NullFormatter

from poseformer_lite.camera import z_up
from poseformer_lite.skeleton import H36M17, Skeleton

COLORS = {"left": "#0072B2", "right": "#D55E00", "middle": "#444444"}  # Okabe and Ito: safe for colour blindness
STYLES = {"left": "-", "right": (0, (3, 1)), "middle": "-"}
LINK = "#009E73"
CHOSEN = "#CC79A7"


def plot_pose_2d(keypoints, width: int, height: int, skeleton: Skeleton = H36M17, ax=None, title: str = ""):
    """A pose in the image plane, y downwards.

    :param keypoints: (J, 2), pixels
    :param width: of the image, pixels
    :param height: of the image, pixels
    :param skeleton: the body, the axes to draw in, and their title.
    :param ax: the body, the axes to draw in, and their title.
    :param title: the body, the axes to draw in, and their title.
    :returns: The axes.
    """
    if ax is None:
        ax = plt.subplots(figsize=(4.5, 4.5), layout="constrained")[1]
        _name_sides(ax)
    _draw_bones(ax, np.asarray(keypoints)[:, :2], skeleton)
    ax.set(xlim=(0, width), ylim=(height, 0), aspect="equal", xlabel="x in pixels", ylabel="y in pixels", title=title)
    return ax


def plot_pose_3d(
    pose, skeleton: Skeleton = H36M17, ax=None, title: str = "", turn: float = -70.0, world: bool = False, label=True
):
    """A pose in space, on a grid of 0.5 m.

    :param pose: (J, 3) metres, in camera space (y down, as networks give it) or, with `world`, with z up
    :param skeleton: the body, 3D axes to draw in, and their title
    :param ax: the body, 3D axes to draw in, and their title
    :param title: the body, 3D axes to draw in, and their title
    :param turn: degrees round the vertical, from where it is seen
    :param world: whether z is up
    :param label: False leaves out the numbers and names of the axes.
    :returns: The axes.
    """
    if ax is None:
        ax = plt.figure(figsize=(4.5, 4.5), layout="constrained").add_subplot(projection="3d")
        _name_sides(ax)
    pose = np.asarray(pose) if world else z_up(pose)
    _draw_bones(ax, pose, skeleton)
    _equal_box(ax, pose, label)
    ax.view_init(elev=12, azim=turn)
    ax.set_title(title)
    across, away = ("x in m", "y in m") if world else ("x in m", "depth in m")
    ax.tick_params(labelsize=8, pad=0)
    if label:
        ax.set(xlabel=across, ylabel=away, zlabel="height in m")
    return ax


def plot_comparison(predicted, target, skeleton: Skeleton = H36M17, title: str = "", turns=(-70.0, 10.0)):
    """Prediction (colour) over truth (grey), seen from several sides.

    :param predicted: (J, 3), metres, camera space, root-relative
    :param target: (J, 3), metres, camera space, root-relative
    :param skeleton: the body
    :param title: of the figure
    :param turns: as `turn` of `plot_pose_3d`, one for each side.
    :returns: The figure.
    """
    figure = plt.figure(figsize=(4.2 * len(turns), 4.2), layout="constrained")
    error = 1000 * np.linalg.norm(np.asarray(predicted) - np.asarray(target), axis=-1).mean()
    for index, turn in enumerate(turns):
        ax = figure.add_subplot(1, len(turns), index + 1, projection="3d")
        plot_ghost_3d(z_up(target), skeleton, ax)
        plot_pose_3d(predicted, skeleton, ax=ax, turn=turn, title="front" if index == 0 else "side")
    _name_sides(figure)
    figure.suptitle(f"{title + ': ' if title else ''}prediction in color, truth in gray, MPJPE {error:.0f} mm")
    return figure


def plot_motion(motion, frames=None):
    """Some frames of a lifted motion: keypoints above, skeleton below.

    :param motion: a Motion
    :param frames: their numbers; by default five, evenly.
    :returns: The figure.
    """
    frames = np.linspace(0, len(motion) - 1, min(5, len(motion))).astype(int) if frames is None else frames
    figure = plt.figure(figsize=(max(2.9 * len(frames), 4), 6.2), layout="constrained")
    low, high = motion.keypoints.min((0, 1)), motion.keypoints.max((0, 1))
    room = 0.08 * (high - low).max()
    for column, frame in enumerate(frames):
        ax = figure.add_subplot(2, len(frames), column + 1)
        plot_pose_2d(motion.keypoints[frame], motion.width, motion.height, motion.skeleton, ax, f"frame {frame}")
        ax.set(xlim=(low[0] - room, high[0] + room), ylim=(high[1] + room, low[1] - room))
        ax.set_ylabel("y in pixels" if column == 0 else "")
        ax = figure.add_subplot(2, len(frames), len(frames) + column + 1, projection="3d")
        title = "lifted, on a grid of 0.5 m" if column == 0 else ""
        plot_pose_3d(motion.poses_3d[frame], motion.skeleton, ax=ax, turn=-60, title=title, label=False)
    _name_sides(figure)
    return figure


def plot_angles(angles):
    """Joint angles over time, a panel a joint: left solid, right dashed.

    :param angles: what `lifting.angles.joint_angles` gives.
    :returns: The figure.
    """
    panels: dict[str, list[str]] = {}  # joint: its columns
    for name in angles.columns:
        panels.setdefault(name.split(" ")[-1], []).append(name)
    columns = -(-len(panels) // 2)
    figure, axes = plt.subplots(2, columns, figsize=(3.2 * columns, 4.6), layout="constrained")
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax, (joint, names) in zip(axes.flat, panels.items(), strict=False):
        for name in names:
            side = name.split(" ")[0] if len(names) > 1 else "middle"
            ax.plot(angles.index, angles[name], color=COLORS[side], linestyle=STYLES[side], linewidth=1.5)
        ax.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        ax.set_title("trunk from the vertical" if joint == "trunk" else joint, fontsize=10)
        ax.set_xlabel("time in s")
    figure.supylabel("angle in degrees, 0 is straight", fontsize=10)
    _name_sides(figure)
    return figure


def plot_history(history: list[dict], ax=None):
    """Learning curves: training and held-out error over the windows seen.

    :param history: of a TrainingRun
    :param ax: the axes to draw in.
    :returns: The axes.
    """
    ax = ax or plt.subplots(figsize=(6, 3.5), layout="constrained")[1]
    windows = [row["windows"] for row in history]
    ax.plot(windows, [row["train_mm"] for row in history], "o-", color=COLORS["left"], label="training")
    held_out = [row["validation_mm"] for row in history]
    if None not in held_out:
        ax.plot(windows, held_out, "s--", color=COLORS["right"], label="held-out training takes")
    ax.margins(0.08)
    ax.set(xlabel="windows seen", ylabel="MPJPE in mm", xlim=(0, None), ylim=(0, None), title="Training")
    ax.xaxis.set_major_formatter(EngFormatter())
    ax.legend(frameon=False)
    return ax


def plot_errors(errors, frame: int, ax=None, measure: str = "MPJPE"):
    """The error of each frame, with a line at one of them.

    :param errors: (T,), mm
    :param frame: its number
    :param ax: the axes to draw in
    :param measure: what the errors are called.
    :returns: The axes.
    """
    ax = ax or plt.subplots(figsize=(6, 2), layout="constrained")[1]
    ax.plot(errors, color="0.3", linewidth=1.2)
    ax.axvline(frame, color=CHOSEN, linewidth=1.5)
    ax.plot(frame, errors[frame], "o", color=CHOSEN)
    ax.set(xlabel="frame", ylabel=f"{measure} in mm")
    ax.set(xlim=(-0.5, len(errors) - 0.5), ylim=(0, 1.1 * max(*errors, 1e-6)))
    return ax


def plot_per_action(errors: dict[str, float], metric: str = "MPJPE", ax=None):
    """Bars of an error per action, the worst on top.

    :param errors: {action: mm}
    :param metric: what the errors are called
    :param ax: the axes to draw in.
    :returns: The axes.
    """
    import seaborn as sns

    ax = ax or plt.subplots(figsize=(6, 0.28 * len(errors) + 1.2), layout="constrained")[1]
    names = sorted(errors, key=errors.get, reverse=True)
    sns.barplot(x=[errors[name] for name in names], y=names, color=COLORS["left"], saturation=1, ax=ax)
    ax.bar_label(ax.containers[0], fmt="%.0f", padding=2, fontsize=8)
    ax.set(xlabel=f"{metric} in mm", ylabel="", title=f"{metric} per action")
    return ax


def plot_attention(rows, names=None, ax=None, title: str = "Attention", top: float | None = None):
    """One head's attention weights as a heatmap: row i says whom token i looks at.

    :param rows: (N, N), each row sums to one
    :param names: of the N tokens
    :param ax: the axes to draw in, and their title
    :param title: the axes to draw in, and their title
    :param top: the weight that has the brightest colour; by default the largest.
    :returns: The axes.
    """
    import seaborn as sns

    rows = np.asarray(rows)
    ax = ax or plt.subplots(figsize=(5, 4.4), layout="constrained")[1]
    labels = "auto" if names is None else list(names)
    sns.heatmap(rows, cmap="viridis", vmin=0, vmax=top, square=True, xticklabels=labels, yticklabels=labels, ax=ax)
    ax.set(xlabel="looked at (key)", ylabel="looking (query)", title=title)
    ax.tick_params(labelsize=7)
    return ax


def plot_row_3d(pose, row, joint: int, skeleton: Skeleton = H36M17, ax=None, title="", strongest: int = 5, top=None):
    """One joint's attention weights on a skeleton: they colour the joints, and links lead to the largest of them.

    :param pose: (J, 3), metres, z up
    :param row: (J,) weights, which sum to one
    :param joint: the joint that looks
    :param skeleton: the body, 3D axes to draw in, and their title
    :param ax: the body, 3D axes to draw in, and their title
    :param title: the body, 3D axes to draw in, and their title
    :param strongest: the number of links
    :param top: the weight that has the brightest colour and the largest joint; by default the largest.
    :returns: The axes.
    """
    ax = ax or plt.figure(figsize=(4.5, 4.5), layout="constrained").add_subplot(projection="3d")
    pose, row = np.asarray(pose), np.asarray(row)
    plot_pose_3d(pose, skeleton, ax=ax, title=title, turn=-60, world=True, label=False)
    others = strongest_others(row, joint, strongest)
    for other in others:
        width = 5 * row[other] / row[others[0]]
        ax.plot(*pose[[joint, other]].T, color=LINK, linewidth=width, alpha=0.6, zorder=0)
    top = row.max() if top is None else top
    look = {"cmap": "viridis", "vmin": 0, "vmax": top, "edgecolor": "0.2", "depthshade": False}
    ax.scatter(*pose.T, c=row, s=20 + 180 * row / top, **look)
    return ax


def strongest_others(row, joint: int, count: int) -> list[int]:
    """The joints that a joint's attention weights (J,) are largest for, but for itself, the largest first."""
    return [other for other in np.argsort(-row, kind="stable") if other != joint][:count]


def plot_ghost_3d(pose, skeleton: Skeleton, ax, color="0.7", linewidth: float = 5, **look):
    """A pose in one colour, to compare a second one with.

    :param pose: (J, 3), metres, z up
    :param skeleton: the body
    :param ax: 3D axes
    :param color: as matplotlib's.
    :param linewidth: as matplotlib's.
    :param look: as matplotlib's.
    :returns: The axes.
    """
    for parent, child in skeleton.bones:
        ax.plot(*np.asarray(pose)[[parent, child]].T, color=color, linewidth=linewidth, solid_capstyle="round", **look)
    return ax


def _draw_bones(ax, pose: np.ndarray, skeleton: Skeleton) -> None:
    for parent, child in skeleton.bones:
        side = skeleton.side(child)
        ax.plot(*pose[[parent, child]].T, color=COLORS[side], linestyle=STYLES[side], linewidth=2)
    ax.plot(*pose.T, "o", color="0.2", markersize=2.5, linestyle="none")


def _name_sides(where) -> None:
    """A legend for left and right, in axes or, where several share it, below the figure."""
    lines = [Line2D([], [], color=COLORS[side], linestyle=STYLES[side], linewidth=2) for side in ("left", "right")]
    place = "upper right" if hasattr(where, "transAxes") else "outside lower center"
    where.legend(lines, ["left", "right"], loc=place, ncols=2, frameon=False, fontsize=9)


def _equal_box(ax, pose: np.ndarray, label: bool) -> None:
    """The same length on all three axes, the figure filling the box, with room for the axes' names and numbers."""
    middle = (pose.max(0) + pose.min(0)) / 2
    half = max(0.55 * np.ptp(pose, axis=0).max(), 1e-3)
    ax.set(**{f"{axis}lim": (center - half, center + half) for axis, center in zip("xyz", middle, strict=True)})
    ax.set_box_aspect((1, 1, 1), zoom=0.95 if label else 1.25)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        numbers = axis.get_major_formatter() if label else NullFormatter()  # empty labels have a place, up to 3.10
        axis.set(major_locator=MultipleLocator(0.5), major_formatter=numbers)
