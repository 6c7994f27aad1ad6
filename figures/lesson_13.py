"""The picture on top of lesson 13: what a hidden wrist costs over time, and what single faults cost.

python figures/lesson_13.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from poseformer_lite import PoseLifter
from poseformer_lite.datasets.sources import synthetic
from poseformer_lite.datasets.virtual.detections import simulate_detector
from poseformer_lite.datasets.virtual.views import random_cameras
from poseformer_lite.plots import COLORS
from poseformer_lite.skeleton import H36M17

ACTIONS = ("Walking", "Greeting", "Sitting 1", "Directions", "Discussion")
FRAMES = 180
TO_COCO = [9, 10, 10, 10, 10, 11, 14, 12, 15, 13, 16, 4, 1, 5, 2, 6, 3]
ARM = [H36M17.joints.index(name) for name in ("RElbow", "RWrist")]

recorded = {take.action: take for take in synthetic.make_takes(subjects=("S9",))}
lifter = PoseLifter.from_pretrained("small")


def errors(fault=None, faster=1, spread=1.0, **said) -> np.ndarray:
    """The errors of the five clips with one fault: (5, FRAMES, 17), millimeters."""
    found = []
    for i, action in enumerate(ACTIONS):
        take = recorded[action]
        camera = random_cameras(take, np.random.default_rng(i), 1)[0]
        poses_3d = camera.world_to_camera(take.world[: FRAMES * faster : faster].astype(np.float32))
        seen = simulate_detector(camera.project(poses_3d), np.random.default_rng(i), spread=spread, swaps=0)
        seen = seen if fault is None else fault(seen)
        motion = lifter(seen, **{"width": camera.width, "height": camera.height, **said})
        found.append(1000 * np.linalg.norm(motion.poses_3d - (poses_3d - poses_3d[:, :1]), axis=-1))
    return np.stack(found)


def gaps(count: int) -> np.ndarray:
    return np.r_[20 : 20 + count, 100 : 100 + count]


def hidden(count: int):
    def fault(seen):
        seen[np.ix_(gaps(count), ARM)] = np.nan
        return seen

    return fault


usual = errors()
counts = np.array([2, 5, 10, 15, 25, 35, 50, 75])
wrist = [errors(hidden(count))[:, gaps(count), ARM[1]].mean() for count in counts]
in_sight = [usual[:, gaps(count), ARM[1]].mean() for count in counts]
faults = {
    "usual detector": (usual, "0.5"),
    "three times as fast": (errors(faster=3), COLORS["left"]),
    "right arm hidden for half of the time": (errors(hidden(50)), COLORS["left"]),
    "three times the noise": (errors(spread=3), COLORS["left"]),
    "picture said twice as large": (errors(width=2000, height=2000), COLORS["right"]),
    "sides exchanged throughout": (errors(lambda seen: seen[:, list(H36M17.flip_order)]), COLORS["right"]),
    "joints read in another order": (errors(lambda seen: seen[:, TO_COCO], as_given=True), COLORS["right"]),
}

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.3), layout="constrained", width_ratios=(1, 1.1))
left.plot(counts / 50, wrist, "o-", color=COLORS["right"], label="hidden, a straight line put in")
left.plot(counts / 50, in_sight, "s--", color="0.5", label="the same frames, seen")
left.set(xlabel="hidden for so many seconds", ylabel="error of the wrist in mm", ylim=(0, None), xlim=(0, None))
left.set_title("A wrist behind a table")
left.legend(frameon=False, fontsize=9, loc="lower right")
means = [values.mean() for values, _ in faults.values()]
bars = right.barh(list(faults), means, color=[color for _, color in faults.values()])
for bar, (_, color) in zip(bars, faults.values(), strict=True):
    bar.set_hatch("//" if color == COLORS["right"] else None)
right.bar_label(bars, fmt="%.0f", padding=3, fontsize=9)
right.invert_yaxis()
right.set(xscale="log", xlim=(20, 1500), xlabel="MPJPE in mm, logarithmic axis")
right.set_title("Faults of the world, and of the user")
for ax in (left, right):
    ax.grid(axis="y" if ax is left else "x", color="0.92")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
