"""What does it cost to ask a window for more than one pose, or to look less far ahead?

    python benchmarks/poses_per_window.py [--cmu FOLDER] [--json FILE]

The shipped network "small" (27 frames, every frame supervised in training) on test takes as the simulated detector sees
them, without flip averaging: errors by the number of poses that one window gives, and by the frames that it may look
ahead; and how much sooner a take is lifted, in turns, against one pose from each window.
"""

import argparse
from functools import partial
from pathlib import Path

import torch

from poseformer_course.bench.record import record
from poseformer_course.bench.timing import rounds_of, times_as_fast
from poseformer_lite.datasets import PoseDataset, load_dataset
from poseformer_lite.metrics import mpjpe, mpjve
from poseformer_lite.model.poseformer import PoseFormer

STRIDES, AHEAD = (1, 3, 9, 27), (0, 1, 3, 6, 13)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, help="folder of CMU motion capture, to be measured as well")
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    sets = {"synthetic": load_dataset("synthetic", keypoints="noisy")}
    if arguments.cmu:
        sets["cmu"] = load_dataset("cmu_mocap", arguments.cmu, keypoints="noisy")
    model = PoseFormer.from_pretrained("small")
    ways = {f"{s} poses a window": {"stride": s} for s in STRIDES}
    ways |= {f"{frames} frames ahead": {"look_ahead": frames} for frames in AHEAD}
    errors = {name: {way: _errors(model, data, **how) for way, how in ways.items()} for name, data in sets.items()}
    video = 0.3 * torch.randn(1000, 17, 2)
    times = rounds_of({way: partial(model.predict_sequence, video, **how) for way, how in ways.items()}, 7, "lifting")
    sooner = {way: times_as_fast(times["1 poses a window"], times[way]) for way in ways if "window" in way}
    record(arguments.json, errors=errors, times_as_fast=sooner)


def _errors(model: PoseFormer, data: PoseDataset, **how) -> dict[str, float]:
    """Mean errors over all frames of the test takes, in mm and in mm per frame."""
    sums, frames = torch.zeros(2, dtype=torch.float64), 0
    for sequence in data.test()[:: 8 if data.name == "synthetic" else 1]:
        predicted = model.predict_sequence(torch.from_numpy(sequence.poses_2d()), **how)
        target = torch.from_numpy(sequence.root_relative(data.skeleton.root))
        sums += len(target) * torch.tensor([mpjpe(predicted, target), mpjve(predicted, target)])
        frames += len(target)
    mean = 1000 * sums / frames
    return {"MPJPE": round(mean[0].item(), 2), "MPJVE": round(mean[1].item(), 2)}


if __name__ == "__main__":
    main()
