"""The picture on top of the README, which moves, and its five frames for where nothing can.

python figures/lifted_motion.py

Writes lifted_motion.gif and lifted_motion.png: a walk of a test subject as the simulated detector sees it, lifted by
the weights that ship. It is one lap of the walk, in which the skeleton turns once.
"""

from dataclasses import replace
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from poseformer_lite import Motion, PoseLifter, load_dataset
from poseformer_lite.plots import COLORS, STYLES

LAP = slice(67, 271)  # frames, at 50 Hz: the last keypoints of these lie close to the first
EVERY = 3  # of the motion's frames, one in so many is drawn
PALETTE_SIZE = 48  # of the GIF's one palette
FLOOR = np.arange(-0.6, 0.61, 0.3)  # meters from the pelvis


def main() -> None:
    data = load_dataset("synthetic", keypoints="noisy")
    walk = next(s for s in data.test() if s.base_action == "Walking")
    still = PoseLifter.from_pretrained("lite")(walk.keypoints, walk.width, walk.height, fps=data.fps)
    still.plot(frames=[60, 72, 84, 96, 108]).savefig(Path(__file__).with_suffix(".png"), dpi=90)

    walk = [s for s in data.test() if s.subject == "S11" and s.action == "Walking 1"][1]
    motion = PoseLifter.from_pretrained("small")(walk.keypoints, walk.width, walk.height, fps=data.fps)
    motion = motion.smoothed(0.2).with_constant_bones()
    parts = {name: getattr(motion, name)[LAP] for name in ("poses_3d", "keypoints", "filled")}
    lap = replace(motion, **parts)
    space = on_the_floor(walk.camera.camera_to_world(lap.poses_3d))
    write_gif(frames_of(lap, space), Path(__file__).with_suffix(".gif"), 1000 * EVERY / lap.fps)


def on_the_floor(poses: np.ndarray) -> np.ndarray:
    """(T, 17, 3) z up -> the same, the pelvis above the origin and the lowest joint of each pose at z = 0."""
    x, y, z = np.moveaxis(poses, -1, 0)
    return np.stack([x - x[:, :1], y - y[:, :1], z - z.min(axis=1, keepdims=True)], axis=-1)


def frames_of(motion: Motion, space: np.ndarray) -> list[Image.Image]:
    """Every third frame as a picture: keypoints on the left, the skeleton, turned a little further, on the right.

    space: (T, 17, 3), the lifted poses with z up.
    """
    figure = plt.figure(figsize=(8.2, 4.1), dpi=100)
    flat = figure.add_axes((0.01, 0.02, 0.48, 0.86))
    low, high = motion.keypoints.min((0, 1)), motion.keypoints.max((0, 1))
    middle, half = (low + high) / 2, 0.56 * (high - low).max() * np.array([1, 0.896])  # the axes' own proportions
    flat.set(xlim=middle[0] + half[0] * np.array([-1, 1]), ylim=middle[1] + half[1] * np.array([1, -1]))
    flat.set(xticks=[], yticks=[], facecolor="#f3f3f3")
    flat.spines[:].set_visible(False)
    solid = figure.add_axes((0.5, 0.01, 0.49, 0.92), projection="3d")
    solid.set(xlim=(-0.75, 0.75), ylim=(-0.75, 0.75), zlim=(0, 1.7))
    solid.set_axis_off()
    solid.set_box_aspect((1.5, 1.5, 1.7), zoom=1.2)
    for at in FLOOR:
        solid.plot([at, at], FLOOR[[0, -1]], 0, color="0.85", linewidth=0.8)
        solid.plot(FLOOR[[0, -1]], [at, at], 0, color="0.85", linewidth=0.8)
    for x, title in ((0.25, "2D keypoints in"), (0.75, "3D skeleton out")):
        figure.text(x, 0.93, title, ha="center", va="center", fontsize=15)

    bones = motion.skeleton.bones
    looks = [motion.skeleton.side(child) for _, child in bones]
    lines = []
    for side in looks:
        look = {"color": COLORS[side], "linestyle": STYLES[side], "linewidth": 3.5, "solid_capstyle": "round"}
        lines.append((flat.plot([], [], **look)[0], solid.plot([], [], [], **look)[0]))
    dots = flat.plot([], [], "o", color="0.15", markersize=4.5, zorder=5)[0]

    pictures = []
    for frame in range(0, len(motion), EVERY):
        for (in_flat, in_solid), (parent, child) in zip(lines, bones, strict=True):
            in_flat.set_data(*motion.keypoints[frame, [parent, child]].T)
            in_solid.set_data_3d(*space[frame, [parent, child]].T)
        dots.set_data(*motion.keypoints[frame].T)
        solid.view_init(elev=12, azim=-70 + 360 * frame / len(motion))
        figure.canvas.draw()
        pictures.append(Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB"))
    plt.close(figure)
    return pictures


def write_gif(pictures: list[Image.Image], path: Path, milliseconds: float) -> None:
    """One palette for all frames and no dithering, so that what stands still costs nothing."""
    pictures = [picture.point(lambda value: round(value / 17) * 17) for picture in pictures]  # 16 steps, white is one
    together = Image.new("RGB", (pictures[0].width, 2 * pictures[0].height))
    together.paste(pictures[0])
    together.paste(pictures[len(pictures) // 2], (0, pictures[0].height))
    found = sorted(together.getcolors(together.width * together.height), reverse=True)[:PALETTE_SIZE]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, color in found for part in color])
    flat = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    flat[0].save(path, save_all=True, append_images=flat[1:], duration=round(milliseconds), loop=0, optimize=False)
    print(f"{path.name}: {len(flat)} frames, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
