"""The picture on top of lesson 10: two networks at six learning rates, and the rows of Table 4 seed by seed.

python figures/lesson_10.py
"""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from poseformer_course.reproduce import Laboratory, Source
from poseformer_course.reproduce.scales import get_scale
from poseformer_course.reproduce.tables import table4

RESULTS = Path(__file__).resolve().parent.parent / "poseformer_course" / "reproduce" / "results"
NETWORKS = {
    "TemporalTransformerBaseline": ("temporal baseline", "#CC79A7", "s--"),
    "PoseFormer": ("PoseFormer", "#009E73", "o-"),
}
ROWS = ("temporal only", "no positions", "spatial positions", "temporal positions", "both positions")

tuned = json.loads((RESULTS / "learning_rates.json").read_text())
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.9), layout="constrained")
for network, (label, color, style) in NETWORKS.items():
    errors = tuned["held_out_mm"][network]
    left.plot([float(rate) for rate in errors], list(errors.values()), style, color=color, linewidth=2, label=label)
    best = min(errors, key=errors.get)
    left.plot(float(best), errors[best], "o", color=color, markersize=16, fillstyle="none", markeredgewidth=2)
left.set(xscale="log", xlabel="learning rate", ylabel="held-out error in mm", title="Who is ahead depends on the rate")
left.set_xticks([float(rate) for rate in errors], [f"{float(rate):g}" for rate in errors], fontsize=8)
left.minorticks_off()
left.legend(frameon=False, loc="upper left", bbox_to_anchor=(0.2, 1))

table = table4(Laboratory(get_scale("lite"), Source(), stored=True))[0]
errors = np.array([row.ours["MPJPE"] for row in table.rows[: len(ROWS)]])  # (row, seed)
for seed, marker in enumerate("osD"):
    right.plot(errors[:, seed], range(len(ROWS)), marker + "-", color="0.45", linewidth=1, label=f"seed {seed}")
means = errors.mean(axis=1)
right.plot(means, range(len(ROWS)), "|", color="#D55E00", markersize=26, markeredgewidth=3, label="mean")
right.set(yticks=range(len(ROWS)), yticklabels=ROWS, xlabel="MPJPE in mm", title="Seeds differ more than rows, in step")
right.invert_yaxis()
right.legend(frameon=False, fontsize=9, loc="upper center", bbox_to_anchor=(0.36, -0.16), ncols=4, columnspacing=1)
for ax in (left, right):
    ax.grid(color="0.93")
    ax.spines[["top", "right"]].set_visible(False)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
