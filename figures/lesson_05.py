"""The picture on top of lesson 05: one window on its way through the shipped network, with real numbers inside.

python figures/lesson_05.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import torch

import poseformer_lite as pfl
from poseformer_lite import plots

data = pfl.load_dataset("synthetic", keypoints="noisy")
walk = next(s for s in data.test() if s.base_action == "Walking")
frames = range(40, 85, 5)  # farther apart than a real window's, so that the poses differ to the eye
model = pfl.PoseFormer.from_pretrained("lite")
with torch.no_grad():
    poses_2d = torch.from_numpy(walk.poses_2d())[list(frames)]
    joint_tokens = model.spatial(poses_2d)  # (9, 17, 16)
    frame_tokens = joint_tokens.flatten(-2)  # (9, 272)
    joined = model.temporal(frame_tokens[None])  # (1, 9, 272)
    mean = model.head.weighted_mean(joined)[0]  # (1, 272)
    pose = model.head(joined)[0]  # (17, 3)

HEIGHT, NOTE_HEIGHT = 3.1, 0.5  # inches: places below are parts of the upper one
figure = plt.figure(figsize=(11, HEIGHT + NOTE_HEIGHT))


def up(y):
    """A height above the note, as part of the whole figure."""
    return (NOTE_HEIGHT + HEIGHT * y) / (NOTE_HEIGHT + HEIGHT)


def axes(left, bottom, width, height, **options):
    ax = figure.add_axes((left, up(bottom), width, up(bottom + height) - up(bottom)), **options)
    ax.set_axis_off()
    return ax


def stack(left, draw, number, width, height, step):
    """Some of the nine frames, one behind the other, `step` apart."""
    for depth in reversed(range(number)):
        draw(axes(left + step[0] * depth, 0.28 + step[1] * depth, width, height), depth)


def draw_pose(ax, index):
    points = walk.keypoints[frames[4 * index]]
    middle = (points.max(0) + points.min(0)) / 2
    plots.plot_pose_2d(points, walk.width, walk.height, ax=ax)
    ax.set(xlim=(middle[0] - 105, middle[0] + 105), ylim=(middle[1] + 205, middle[1] - 205), title="")
    ax.set_axis_on()
    ax.set(xticks=[], yticks=[], xlabel="", ylabel="")


def draw_numbers(ax, values):
    limit = values.abs().quantile(0.95)
    ax.pcolormesh(values.flip(0), cmap="PuOr", vmin=-limit, vmax=limit)
    ax.set_axis_on()
    ax.set(xticks=[], yticks=[])


stack(0.006, draw_pose, 3, 0.072, 0.5, (0.038, 0.03))
stack(0.205, lambda ax, depth: draw_numbers(ax, joint_tokens[2 * depth]), 5, 0.06, 0.42, (0.011, 0.033))
draw_numbers(axes(0.365, 0.38, 0.115, 0.36), frame_tokens)
draw_numbers(axes(0.555, 0.38, 0.115, 0.36), joined[0])
draw_numbers(axes(0.74, 0.535, 0.085, 0.05), mean)
plots.plot_pose_3d(pose, ax=axes(0.82, 0.1, 0.23, 0.93, projection="3d", zorder=-1), label=False)

NOTE = (
    "Drawn are 3 of F = 9 poses and 5 of 9 cards. A card is a frame: a row for each of its J = 17 joints, c = 16 "
    "channels wide. In the wide tables a row is a frame.\nColors are numbers of the shipped network: orange negative, "
    "purple positive, white about zero. After the temporal stage the nine rows are nearly alike."
)
captions = (
    (0.077, "keypoints, F frames", "(F, J, 2)"),
    (0.257, "joint tokens", "(F, J, c)"),
    (0.4225, "frame tokens", "(F, J·c)"),
    (0.6125, "related tokens", "(F, J·c)"),
    (0.7825, "one vector", "(J·c)"),
    (0.935, "center pose", "(J, 3)"),
)
for center, name, shape in captions:
    figure.text(center, up(0.185), name, ha="center", fontsize=10)
    figure.text(center, up(0.095), shape, ha="center", fontsize=10, family="monospace", color="0.3")

arrows = (
    (0.169, 0.199, "spatial\ntransformer"),
    (0.322, 0.358, "side\nby side"),
    (0.488, 0.548, "temporal\ntransformer"),
    (0.678, 0.733, "weighted\nmean"),
    (0.832, 0.866, "norm,\nlinear"),
)
for start, end, name in arrows:
    arrow = dict(arrowstyle="-|>", color="0.25", linewidth=1.6, shrinkA=0, shrinkB=0)
    figure.add_artist(
        matplotlib.patches.FancyArrowPatch(
            (start, up(0.56)), (end, up(0.56)), transform=figure.transFigure, mutation_scale=13, **arrow
        )
    )
    figure.text((start + end) / 2, up(0.9), name, ha="center", va="center", fontsize=9.5, weight="bold")

figure.text(0.5, 0.03, NOTE, ha="center", va="bottom", fontsize=9.5, color="0.3", linespacing=1.4)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
