"""The picture on top of lesson 02: one window of three frames, made into tokens in the three ways of the paper.

python figures/lesson_02.py
"""

from itertools import combinations
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection

from poseformer_lite import load_dataset
from poseformer_lite.plots import COLORS

LINKS, TOKENS, GROUND = COLORS["left"], COLORS["right"], "0.75"
FRAMES, SPACING = (60, 72, 84), 1.25

walk = next(s for s in load_dataset("synthetic").test() if s.base_action == "Walking")
poses = []
for column, frame in enumerate(FRAMES):
    pose = walk.keypoints[frame] - walk.keypoints[frame][0]
    poses.append(pose * [1, -1] / np.ptp(pose[:, 1]) * 2 + [column * SPACING, 0])
poses = np.array(poses)  # (F, J, 2)
above = np.array([[column * SPACING, 2.0] for column in range(len(FRAMES))])  # (F, 2): where a frame's token stands
BONES = load_dataset("synthetic").skeleton.bones


def draw_window(ax, strong: bool) -> None:
    """The three poses, in black or faint."""
    for pose in poses:
        ax.add_collection(LineCollection([pose[list(bone)] for bone in BONES], colors="0.35" if strong else GROUND))


def link(ax, tokens: np.ndarray, width: float, alpha: float) -> None:
    """A line between every two tokens: it stands for both orders of the pair."""
    pairs = [(a, b) for a, b in combinations(tokens, 2)]
    ax.add_collection(LineCollection(pairs, colors=LINKS, linewidths=width, alpha=alpha))


def draw_tokens(ax, tokens: np.ndarray, size: float) -> None:
    ax.scatter(*tokens.T, s=size, color=TOKENS, edgecolor="white", linewidth=0.5, zorder=3)


def link_frames(ax) -> None:
    """One token above each frame, the outer two joined by an arc so that all three lines can be seen."""
    link(ax, above, 2.2, 0.9)
    arc = np.linspace(0, np.pi, 40)
    ax.plot(SPACING - SPACING * np.cos(arc), 2.0 + 0.45 * np.sin(arc), color=LINKS, linewidth=2.2, alpha=0.9)
    for pose, token in zip(poses, above, strict=True):
        ax.plot([token[0]] * 2, [pose[:, 1].max() + 0.1, 1.8], color="0.5", linewidth=1, linestyle=":")
    draw_tokens(ax, above, 190)


figure, axes = plt.subplots(1, 3, figsize=(11, 4.1))
draw_window(axes[0], strong=True)
link_frames(axes[0])
axes[0].set_title("A frame is a token, Fig. 1(a)\n3 tokens, 9 pairs")

draw_window(axes[1], strong=False)
link(axes[1], poses.reshape(-1, 2), 0.35, 0.35)
draw_tokens(axes[1], poses.reshape(-1, 2), 22)
axes[1].set_title("A joint is a token, Fig. 1(b)\n51 tokens, 2,601 pairs")

draw_window(axes[2], strong=False)
for pose in poses:
    link(axes[2], pose, 0.35, 0.6)
    draw_tokens(axes[2], pose, 22)
link_frames(axes[2])
axes[2].set_title("PoseFormer: joints, then frames\n3 times 17 tokens, then 3; 876 pairs")

for ax in axes:
    ax.set(xlim=(-0.75, 2 * SPACING + 0.75), ylim=(-1.12, 2.6), aspect="equal")
    ax.set_axis_off()
figure.subplots_adjust(left=0.005, right=0.995, bottom=0.005, top=0.88, wspace=0.02)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=80, pil_kwargs={"optimize": True})
