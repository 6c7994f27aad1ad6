"""A motion as a GIF or a film: the keypoints it came from, beside the skeleton, which turns once."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FFMpegWriter, PillowWriter
from tqdm.auto import tqdm

from poseformer_lite.lifting.motion import Motion, every_frame
from poseformer_lite.plots import COLORS, STYLES


def write_animation(motion: Motion, path: str | Path, dpi: int = 80, progress: bool = True) -> None:
    """Write .gif, or .mp4 where ffmpeg is installed."""
    path, every = Path(path), every_frame(motion.fps)
    writer = (PillowWriter if path.suffix.lower() == ".gif" else FFMpegWriter)(fps=motion.fps / every)
    frames = range(0, len(motion), every)
    figure, draw = _scene(motion)
    try:
        with writer.saving(figure, str(path), dpi=dpi):
            for frame in tqdm(frames, desc=f"drawing {ending}", disable=not progress, leave=False):
                draw(frame)
                writer.grab_frame()
    finally:
        plt.close(figure)


def _scene(motion: Motion):
    """The figure, and a function that moves everything in it to a frame."""
    space = motion.upright()
    low, high = motion.keypoints.min((0, 1)), motion.keypoints.max((0, 1))
    room = 0.08 * (high - low).max()
    figure = plt.figure(figsize=(7, 3.8), layout="constrained")
    flat = figure.add_subplot(1, 2, 1, title="keypoints", aspect="equal")
    flat.set(xlim=(low[0] - room, high[0] + room), ylim=(high[1] + room, low[1] - room), xticks=[], yticks=[])
    solid = figure.add_subplot(1, 2, 2, projection="3d", title="lifted, a grid of 0.5 m")
    half = max(0.55 * np.ptp(space, axis=(0, 1)).max(), 1e-3)
    middle = (space.min((0, 1)) + space.max((0, 1))) / 2
    for axis, center in zip("xyz", middle, strict=True):
        getattr(solid, f"set_{axis}lim")(center - half, center + half)
        ticks = np.arange(np.ceil((center - half) * 2) / 2, center + half, 0.5)
        getattr(solid, f"set_{axis}ticks")(ticks, [""] * len(ticks))
    solid.set_box_aspect((1, 1, 1))

    lines = []
    for _, child in motion.skeleton.bones:
        side = motion.skeleton.side(child)
        look = {"color": COLORS[side], "linestyle": STYLES[side], "linewidth": 2}
        lines.append((flat.plot([], [], **look)[0], solid.plot([], [], [], **look)[0]))

    def draw(frame: int) -> None:
        for (in_flat, in_solid), (parent, child) in zip(lines, motion.skeleton.bones, strict=True):
            in_flat.set_data(*motion.keypoints[frame, [parent, child]].T)
            in_solid.set_data_3d(*space[frame, [parent, child]].T)
        solid.view_init(elev=12, azim=-70 + 360 * frame / len(motion))

    return figure, draw
