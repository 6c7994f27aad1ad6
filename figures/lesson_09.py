"""The picture on top of lesson 09: one frame from the front and from the side, and where it lies in the error's curve.

python figures/lesson_09.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch

from poseformer_lite import PoseFormer, load_dataset
from poseformer_lite.plots import plot_pose_2d

data = load_dataset("synthetic", keypoints="noisy")
network = PoseFormer.from_pretrained("lite")
posing = next(s for s in data.test() if s.name == "S11, Posing 1, camera 58860488")
truth = posing.root_relative(0)
lifted = network.predict_sequence(torch.from_numpy(posing.poses_2d())).numpy()
errors = 1000 * np.linalg.norm(lifted - truth, axis=-1).mean(axis=-1)
stretch = int(np.convolve(errors, np.ones(25) / 25, mode="valid").argmax())
frame = stretch + int(errors[stretch : stretch + 25].argmax())

figure = plt.figure(figsize=(9, 5), layout="constrained")
grid = figure.add_gridspec(2, 2, height_ratios=(2.6, 1))
for column, (across, title) in enumerate(((0, "from the front"), (2, "from the side"))):
    ax = figure.add_subplot(grid[0, column])
    for parent, child in data.skeleton.bones:
        ax.plot(*truth[frame][[parent, child]][:, [across, 1]].T, color="0.75", linewidth=7, solid_capstyle="round")
    plot_pose_2d(lifted[frame][:, [across, 1]], 1, 1, ax=ax)
    both = np.concatenate([lifted[frame], truth[frame]])[:, [across, 1]]
    (left, top), (right, bottom) = both.min(0) - 0.1, both.max(0) + 0.1
    ax.set(xlim=(left, right), ylim=(bottom, top))
    ax.set_axis_off()
    ax.set_title(title, fontsize=14)

curve = figure.add_subplot(grid[1, :])
time = np.arange(len(errors)) / data.fps
curve.axvspan(time[stretch], time[stretch + 24], color="#F0E442", alpha=0.6)
curve.plot(time, errors, color="0.2", linewidth=1.5)
curve.plot(time[frame], errors[frame], "o", color="#D55E00", markersize=7)
curve.set(xlabel="time in seconds", ylabel="error in mm", xlim=(0, time[-1]), ylim=(0, None))
curve.spines[["top", "right"]].set_visible(False)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
