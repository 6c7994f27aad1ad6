"""The picture on top of lesson 12: which weights fit another body, and Table 7 in small with a control.

python figures/lesson_12.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from poseformer_course.reproduce import Laboratory, Source
from poseformer_course.reproduce.scales import get_scale
from poseformer_course.reproduce.tables import table7
from poseformer_lite.model import PoseFormer

PARTS = {"spatial": "spatial stage", "temporal": "temporal stage", "head": "head"}
ROWS = ("scratch", "spatial stage moved", "everything moved", "scratch, twice as long")

scale = get_scale("lite")
seventeen, fifteen = (PoseFormer(**{**scale.base, "num_joints": joints}).state_dict() for joints in (17, 15))
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.3), layout="constrained", width_ratios=(1, 1.1))
for place, part in enumerate(PARTS):
    names = [name for name in seventeen if name.startswith(part)]
    fits = sum(seventeen[n].numel() for n in names if seventeen[n].shape == fifteen[n].shape)
    rest = sum(seventeen[n].numel() for n in names) - fits
    left.barh(place, fits, color="#009E73", label="same shape for 15 joints" if place == 0 else None)
    left.barh(place, rest, left=fits, color="0.8", label="another shape" if place == 0 else None)
left.set(yticks=range(3), yticklabels=PARTS.values(), xscale="log", xlim=(3, 3e6), xlabel="weights, logarithmic axis")
left.set_title("What fits a body of 15 joints")
left.invert_yaxis()
left.legend(frameon=False, fontsize=9, loc="lower center", bbox_to_anchor=(0.45, -0.42), ncols=2)

table = table7(Laboratory(scale, Source(), stored=True))[0]
for place, row in enumerate(table.rows[: len(ROWS)]):
    errors = row.ours["Average"]
    color = "#D55E00" if place == 3 else "#0072B2"
    right.plot(errors, [place] * len(errors), "s" if place == 3 else "o", color=color, alpha=0.5)
    right.plot([np.mean(errors)] * 2, [place - 0.3, place + 0.3], color=color, linewidth=2.5)
right.set(yticks=range(len(ROWS)), yticklabels=ROWS, xlabel="MPJPE in mm", title="Moved, or only trained longer?")
right.set_ylim(len(ROWS) - 0.5, -0.5)
for ax in (left, right):
    ax.grid(axis="x", color="0.92")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
