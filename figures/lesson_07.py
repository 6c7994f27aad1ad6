"""The picture on top of lesson 07: three wrong answers over one true pose, and how three measures rank them.

python figures/lesson_07.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.spatial.transform import Rotation

from poseformer_lite import load_dataset
from poseformer_lite.metrics import mpjpe, n_mpjpe, p_mpjpe
from poseformer_lite.plots import plot_pose_3d

MEASURES = {"P-MPJPE": (p_mpjpe, "#009E73"), "N-MPJPE": (n_mpjpe, "#E69F00"), "MPJPE": (mpjpe, "#444444")}

data = load_dataset("synthetic", keypoints="noisy")
greeting = next(s for s in data.test() if s.subject == "S11" and s.base_action == "Greeting")
truth = torch.from_numpy(greeting.root_relative(0)[200]).double()
turn = torch.from_numpy(Rotation.from_euler("y", 40, degrees=True).as_matrix())
arm = truth.clone()
arm[15:] += torch.tensor([[0.1, 0.0, 0.15], [0.25, -0.1, 0.3]])
answers = {"turned by 40°": truth @ turn.T, "half the size": truth / 2, "one wrong arm": arm}

figure = plt.figure(figsize=(9, 5.2), layout="constrained")
grid = figure.add_gridspec(2, 3, height_ratios=(3, 1))
space = truth.numpy()[:, [0, 2, 1]] * [1, 1, -1]
middle, half = (space.max(0) + space.min(0)) / 2, 0.55 * np.ptp(space, axis=0).max()
for column, (name, pose) in enumerate(answers.items()):
    ax = figure.add_subplot(grid[0, column], projection="3d")
    for parent, child in data.skeleton.bones:
        ax.plot(*space[[parent, child]].T, color="0.75", linewidth=6, solid_capstyle="round")
    plot_pose_3d(pose, ax=ax, turn=-60, label=False)
    ax.set(**{f"{axis}lim": (m - half, m + half) for axis, m in zip("xyz", middle, strict=True)})
    ax.set_title(name, fontsize=13)

    bars = figure.add_subplot(grid[1, column])
    values = [1000 * measure(pose, truth).item() for measure, _ in MEASURES.values()]
    drawn = bars.barh(list(MEASURES), values, color=[color for _, color in MEASURES.values()])
    bars.bar_label(drawn, fmt="%.0f mm", padding=3)
    bars.set(xlim=(0, 370), xticks=[])
    bars.spines[["top", "right", "bottom"]].set_visible(False)
    if column:
        bars.set_yticklabels([])
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
