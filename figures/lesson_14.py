"""The picture on top of lesson 14: errors that papers print, by year, and how few frequencies a window needs.

python figures/lesson_14.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.fft import dct, idct

import poseformer_lite as pfl
from poseformer_lite.model.base import window_indices

PUBLISHED = [  # name, year, MPJPE in mm on Human3.6M, 2D keypoints
    ("PoseFormer", 2021, 44.3, "CPN"),
    ("MHFormer", 2021.92, 43.0, "CPN"),
    ("P-STMO", 2022.1, 42.8, "CPN"),
    ("MixSTE", 2022, 40.9, "CPN"),
    ("PoseFormerV2", 2023, 45.2, "CPN"),
    ("MotionBERT", 2023, 37.5, "Stacked Hourglass"),
    ("MotionAGFormer", 2024, 38.4, "Stacked Hourglass"),
]
MARKERS = {"CPN": ("o", "#0072B2"), "Stacked Hourglass": ("s", "#D55E00")}
KEPT = (1, 2, 3, 5, 9, 14, 27)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained", width_ratios=(1.2, 1))
for keypoints, (marker, color) in MARKERS.items():
    rows = [(year, error) for _, year, error, seen in PUBLISHED if seen == keypoints]
    left.plot(*zip(*rows, strict=True), marker, color=color, label=f"2D from {keypoints}")
for name, year, error, _ in PUBLISHED:
    side = -1 if name in ("MHFormer", "MotionAGFormer", "PoseFormerV2", "MotionBERT") else 1
    left.annotate(
        name, (year, error), (6 * side, -3), textcoords="offset points", fontsize=8, ha="left" if side > 0 else "right"
    )
left.set(xticks=(2021, 2022, 2023, 2024), xlim=(2020.8, 2024.2), ylim=(36, 47), ylabel="MPJPE in mm, Human3.6M")
left.set_title("What papers print")
left.legend(frameon=False, fontsize=8, loc="lower left")

seen, exact = (pfl.load_dataset("synthetic", keypoints=kind).test()[::40] for kind in ("noisy", "gt"))
off = []
for keep in KEPT:
    distances = []
    for noisy, true in zip(seen, exact, strict=True):
        windows = window_indices(len(noisy), 27)[13:-13:9]
        waves = dct(torch.from_numpy(noisy.poses_2d())[windows].numpy(), axis=1, norm="ortho")
        waves[:, keep:] = 0
        center = idct(waves, axis=1, norm="ortho")[:, 13]
        distances.append(np.linalg.norm(center - true.poses_2d()[windows[:, 13]], axis=-1).mean())
    off.append(500 * np.mean(distances))
right.plot(KEPT, off, "o-", color="#009E73")
right.set(
    xscale="log", xlabel="frequencies kept of 27", ylabel="off the true 2D, pixels of 1,000", ylim=(0, 1.1 * max(off))
)
right.set_xticks(KEPT, [str(k) for k in KEPT])
right.minorticks_off()
right.set_title("A handful of frequencies is enough")
for ax in (left, right):
    ax.grid(axis="y", color="0.92")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
