"""The picture of lesson 08: two heads of the shipped network, changed in three ways, and what each change costs.

python figures/lesson_08.py
"""

import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch

import poseformer_course
import poseformer_lite as pfl
from poseformer_lite.model.heads import Head, attention_maps

HEADS = {Head("temporal", 0, 1): "9 frames look at 9 frames", Head("spatial", 0, 0): "17 joints look at 17 joints"}

data = pfl.load_dataset("synthetic", keypoints="noisy")
sitting = next(s for s in data.test() if (s.subject, s.base_action) == ("S11", "SittingDown"))
maps = attention_maps(pfl.PoseFormer.from_pretrained("lite"), torch.from_numpy(sitting.poses_2d()))
record = json.loads((Path(poseformer_course.__file__).parent / "results" / "head_ablation.json").read_text())
study = record["networks"]["lite"]["synthetic"]

figure, axes = plt.subplots(2, 4, figsize=(9.5, 5.6), layout="constrained")
for line, (head, words) in zip(axes, HEADS.items(), strict=True):
    rows = (maps.temporal if head.stage == "temporal" else maps.spatial)[:, head.layer, head.head].mean(dim=0)
    measured = next(h for h in study["heads"] if (h["stage"], h["layer"], h["head"]) == tuple(vars(head).values()))
    pictures = {
        "as trained": rows,
        "one mean row for all": rows.mean(dim=0).expand_as(rows),
        "uniform rows": torch.full_like(rows, 1 / len(rows)),
        "silent": torch.full_like(rows, torch.nan),
    }
    rises = [measured[f"{way}: rise in mm"] for way in ("mean", "uniform", "zero")]
    costs = [f"{study['MPJPE']:.1f} mm"] + ["±0.0 mm" if abs(rise) < 0.05 else f"{rise:+.1f} mm" for rise in rises]
    for ax, (name, shown), cost in zip(line, pictures.items(), costs, strict=True):
        image = ax.imshow(shown, cmap="viridis", vmin=0, vmax=rows.max())
        ax.set(xticks=[], yticks=[])
        ax.set_title(name, fontsize=11)
        ax.set_xlabel(cost, fontsize=13, weight="bold" if name == "silent" else "normal")
        ax.set_facecolor("0.9")
    line[0].set_ylabel(f"{head}\n{words}", fontsize=9.5)
    figure.colorbar(image, ax=line, label="weight", aspect=16)
figure.suptitle(
    "What a head looks at, and what it is worth: MPJPE as trained, and its change with the head changed", fontsize=11.5
)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
