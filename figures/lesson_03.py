"""The picture of lesson 03: whom the right wrist looks at during a walk, in one head of the shipped weights.

python figures/lesson_03.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch

from poseformer_lite import PoseFormer, attention_maps, load_dataset, plots

LAYER, HEAD, FRAMES = 1, 2, (65, 84, 103, 130, 150)

data = load_dataset("synthetic")
walk = next(s for s in data.test() if s.base_action == "Walking")
joints = data.skeleton.joints
maps = attention_maps(PoseFormer.from_pretrained("lite"), torch.from_numpy(walk.poses_2d()))
rows = maps.spatial[:, LAYER, HEAD]  # (T, J, J)
wrist = joints.index("RWrist")

figure = plt.figure(figsize=(9.5, 5.6), layout="constrained")
grid = figure.add_gridspec(2, len(FRAMES), height_ratios=[2.4, 1])
for column, frame in enumerate(FRAMES):
    ax = figure.add_subplot(grid[0, column])
    pose = walk.keypoints[frame]
    for other, weight in enumerate(rows[frame, wrist].tolist()):
        line = {"color": "#009E73", "alpha": 0.55, "zorder": 0, "solid_capstyle": "butt"}
        ax.plot(*pose[[wrist, other]].T, linewidth=30 * weight, **line)
    plots.plot_pose_2d(pose, walk.width, walk.height, ax=ax, title=f"frame {frame}")
    x, y = pose[0]
    ax.set(xlim=(x - 130, x + 130), ylim=(y + 230, y - 210))
    ax.set_axis_off()

ax = figure.add_subplot(grid[1, :])
for name, side in (("LFoot", "left"), ("RFoot", "right")):
    weights = rows[:, wrist, joints.index(name)]
    ax.plot(weights, color=plots.COLORS[side], linestyle=plots.STYLES[side], label=f"on the {side} foot")
for frame in FRAMES:
    ax.axvline(frame, color="0.8", zorder=0, label="frames shown above" if frame == FRAMES[0] else None)
ax.set(xlabel="frame (50 a second)", ylabel="weight", xlim=(40, 190), ylim=(0, None))
ax.legend(frameon=False, loc="upper right", fontsize=9)
figure.suptitle(
    f"The row of the right wrist in a trained spatial transformer, layer {LAYER}, head {HEAD} (counted from 0): "
    "the thicker\nthe green line, the larger the weight of the joint at its other end",
    fontsize=11,
)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
