"""The picture on top of the README: a walk of a test subject, lifted by the shipped weights.

python figures/lifted_motion.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from poseformer_lite import PoseLifter, load_dataset

data = load_dataset("synthetic", keypoints="noisy")
walk = next(s for s in data.test() if s.base_action == "Walking")
motion = PoseLifter.from_pretrained("lite")(walk.keypoints, walk.width, walk.height, fps=data.fps)
figure = motion.plot(frames=[60, 72, 84, 96, 108])
figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)
