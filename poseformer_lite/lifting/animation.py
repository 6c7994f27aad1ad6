"""A motion as a GIF or a film: the keypoints it came from, beside the skeleton, which turns once."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FFMpegWriter, PillowWriter
from matplotlib.ticker import MultipleLocator, NullFormatter
from scipy.ndimage import gaussian_filter1d
from tqdm.auto import tqdm

from poseformer_lite.lifting.motion import Motion, every_frame
from poseformer_lite.plots import COLORS, STYLES


def write_animation(motion: Motion, path: str | Path, positions: np.ndarray, dpi: int = 80) -> None:
    """Write .gif, or .mp4 where ffmpeg is installed, of a motion and its positions (T, 17, 3), metres, z up.

    The view goes along with somebody who walks, and the grid passes by.
    """
    path, every = Path(path), every_frame(motion.fps)
    writer = (PillowWriter if path.suffix.lower() == ".gif" else FFMpegWriter)(fps=motion.fps / every)
    frames = range(0, len(motion), every)
    figure, draw = _scene(motion, positions)
    try:
        with writer.saving(figure, str(path), dpi=dpi):
            for frame in tqdm(frames, desc=f"drawing {path.suffix}", leave=False):
                draw(frame)
                writer.grab_frame()
    finally:
        plt.close(figure)


def _scene(motion: Motion, space: np.ndarray):
    """The figure of keypoints and of joints in space (T, 17, 3), and a function that moves all of it to a frame."""
    low, high = motion.keypoints.min((0, 1)), motion.keypoints.max((0, 1))
    room = 0.08 * (high - low).max()
    figure = plt.figure(figsize=(7, 3.8), layout="constrained")
    flat = figure.add_subplot(1, 2, 1, title="keypoints", aspect="equal")
    flat.set(xlim=(low[0] - room, high[0] + room), ylim=(high[1] + room, low[1] - room), xticks=[], yticks=[])
    solid = figure.add_subplot(1, 2, 2, projection="3d", title="lifted, a grid of 0.5 m")
    aim = gaussian_filter1d(space[:, 0, :2], 0.5 * motion.fps, axis=0, mode="nearest")  # (T, 2): the view goes along
    floor, top = space[..., 2].min(), space[..., 2].max()
    half = max(0.55 * (top - floor), 1.05 * np.abs(space[..., :2] - aim[:, None]).max(), 1e-3)
    for axis in (solid.xaxis, solid.yaxis, solid.zaxis):
        axis.set(major_locator=MultipleLocator(0.5), major_formatter=NullFormatter())
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
        x, y = aim[frame]
        solid.set(xlim=(x - half, x + half), ylim=(y - half, y + half), zlim=(floor, floor + 2 * half))
        solid.view_init(elev=12, azim=-70 + 360 * frame / len(motion))

    return figure, draw
