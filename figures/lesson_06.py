"""The picture on top of lesson 06: one person's pose at five moments of training, and the falling error.

python figures/lesson_06.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import torch

import poseformer_lite as pfl
from poseformer_lite import plots
from poseformer_lite.datasets.windows import Windows
from poseformer_lite.metrics import mpjpe
from poseformer_lite.training.optim import learning_rate
from poseformer_lite.training.settings import Settings

STEPS, SHOWN = 480, (0, 30, 120, 240, 480)

greetings = pfl.load_dataset("synthetic").subset(actions=["Greeting"])
skeleton = greetings.skeleton
seen = [s for s in greetings.train() if s.subject != "S8"]
windows = Windows(seen, num_frames=9, skeleton=skeleton, flip=True)
unseen = Windows([s for s in greetings.train() if s.subject == "S8"], num_frames=9, skeleton=skeleton)
watched, truth = unseen.gather(torch.linspace(0, len(unseen) - 1, 512).long())
shown, shown_truth = unseen.gather(torch.tensor([300]))

torch.manual_seed(1)
model = pfl.PoseFormer(num_frames=9, spatial_dim=16, spatial_depth=1, temporal_depth=1, num_heads=4, drop_path=0.0)
optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
settings = Settings(epochs=1, learning_rate=2e-3, schedule="cosine", warmup_steps=20)
errors, poses = {}, {}
for step in range(STEPS + 1):
    if step % 15 == 0:
        with torch.no_grad():
            errors[step], poses[step] = 1000 * mpjpe(model(watched), truth).item(), model(shown)[0]
    optimizer.param_groups[0]["lr"] = learning_rate(settings, step, STEPS)
    poses_2d, target = windows.gather(torch.randint(len(windows), (128,)))
    loss = mpjpe(model(poses_2d), target)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

figure = plt.figure(figsize=(11, 4.9), layout="constrained")
above, below = figure.subfigures(2, 1, height_ratios=(1.5, 1))
above.suptitle("A greeting of a person the network never saw: prediction in color, truth in gray")
target = shown_truth[0].numpy()[:, [0, 2, 1]] * [1, 1, -1]
for column, step in enumerate(SHOWN):
    ax = above.add_subplot(1, len(SHOWN), column + 1, projection="3d")
    for bone in skeleton.bones:
        ax.plot(*target[list(bone)].T, color="0.78", linewidth=4, solid_capstyle="round")
    plots.plot_pose_3d(poses[step].numpy(), ax=ax, turn=-60, label=False)
    ax.set_title(f"step {step}" if step else "step 0 (drawn smaller)", y=-0.22)
    if step:
        ax.set(xlim=(-0.6, 0.6), ylim=(-0.6, 0.6), zlim=(-0.95, 0.75))
    else:  # the tangle is larger than a person
        ax.set(xlim=(-0.75, 1.25), ylim=(-1.1, 0.9), zlim=(-1.3, 1.53))
    ax.set_box_aspect((1.2, 1.2, 1.7), zoom=1.3)
ax = below.subplots()
ax.plot(list(errors), list(errors.values()), color=plots.COLORS["left"])
ax.plot(SHOWN, [errors[step] for step in SHOWN], "o", color=plots.COLORS["left"])
ax.set(xlabel="steps of training", ylabel="MPJPE in mm", xlim=(-8, STEPS + 8), yscale="log")
ax.set_yticks([100, 200, 500, 1000], ["100", "200", "500", "1000"])
ax.minorticks_off()
ax.set_title("Mean error over 512 windows of that person")
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
