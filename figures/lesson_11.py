"""The picture on top of lesson 11: operations for a pose in three ways of lifting, and what the third one costs.

python figures/lesson_11.py

The errors are those of benchmarks/results/poses_per_window.json.
"""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from poseformer_course.costs import count_macs
from poseformer_lite.model import PoseFormer, TemporalTransformerBaseline
from poseformer_lite.training.settings import get_preset

ROOT = Path(__file__).resolve().parent.parent
F = 27
sizes = {**get_preset("paper").model, "num_frames": F}
whole = count_macs(PoseFormer(**sizes)).macs / 1e6
temporal = count_macs(TemporalTransformerBaseline.sized_like(sizes)).macs / 1e6
spatial = (whole - temporal) / F  # of one frame
ways = {
    "a window for each pose,\neach frame 27 times": (F * spatial, temporal),
    "each frame once": (spatial, temporal),
    "each frame once, and\n27 poses from a window": (spatial, temporal / F),
}

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.1), layout="constrained", width_ratios=(1.15, 1))
for place, (space, time) in enumerate(ways.values()):
    left.barh(place, time, color="#0072B2", label="temporal stage" if place == 0 else None)
    left.barh(place, space, left=time, color="#E69F00", hatch="//", label="spatial stage" if place == 0 else None)
    left.text(space + time + 4, place, f"{space + time:.0f} M", va="center", fontsize=9)
left.set(yticks=range(len(ways)), yticklabels=list(ways), xlabel="million MACs for one pose, F = 27", xlim=(0, 330))
left.set_title("Operations")
left.invert_yaxis()
left.legend(frameon=False, fontsize=9, loc="lower right")

errors = json.loads((ROOT / "benchmarks" / "results" / "poses_per_window.json").read_text())["errors"]
strides = (1, 3, 9, 27)
for (name, rows), marker, color in zip(errors.items(), "os", ("#0072B2", "#D55E00"), strict=True):
    label = {"synthetic": "synthetic, new people", "cmu": "CMU, new takes"}[name]
    mm = [rows[f"{stride} poses a window"]["MPJPE"] for stride in strides]
    right.plot(strides, mm, marker=marker, color=color, label=label)
right.set(xscale="log", xlabel="poses from one window of 27 frames", ylabel="MPJPE in mm", ylim=(40, 60))
right.set_xticks(strides, [str(stride) for stride in strides])
right.minorticks_off()
right.set_title("Errors of the shipped network")
right.legend(frameon=False, fontsize=9)
for ax in (left, right):
    ax.grid(axis="x" if ax is left else "y", color="0.92")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
