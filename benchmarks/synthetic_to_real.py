"""What is lost by learning from made people: trained on synthetic motion or on CMU's, tested on CMU's held-out takes.

    python benchmarks/synthetic_to_real.py --cmu FOLDER [--seeds 0 1 2] [--epochs 12] [--json FILE]

The same network, windows, cameras drawn at random in every epoch and simulated detector; only the motion differs. CMU's
held-out takes are of people who are in its training takes, which flatters the training on CMU.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from poseformer_course.bench.record import record
from poseformer_lite.datasets import PoseDataset
from poseformer_lite.datasets.sources import cmu_mocap, synthetic
from poseformer_lite.datasets.sources.human36m import TRAIN_SUBJECTS
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.datasets.windows import Windows
from poseformer_lite.metrics import mpjpe
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.skeleton import H36M17
from poseformer_lite.training.loop import train
from poseformer_lite.training.settings import get_preset


def dataset(name: str, takes: list, num_views: int) -> PoseDataset:
    def redraw(seed: int):
        return view_takes(takes, "random", "noisy", seed, num_views)

    subjects = tuple(sorted({take.subject for take in takes}))
    return PoseDataset(name, redraw(0), subjects, (), keypoint_source="noisy", redraw=redraw)


@torch.no_grad()
def error_mm(model, sequences) -> float:
    windows = Windows(sequences, model.num_frames, H36M17)
    batches = windows.batches(torch.arange(0, len(windows), 7), 512)
    return 1000 * torch.cat([mpjpe(model(x), target, reduce=False).mean(-1) for x, target in batches]).mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, default=get_preset("lite").settings.epochs)
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    takes = cmu_mocap.read_takes(arguments.cmu)
    training, held_out = cmu_mocap.split_takes(takes)
    test = view_takes(held_out, "random", "noisy", cmu_mocap.TEST_SEED, 4)
    sources = {
        "synthetic": dataset("synthetic", synthetic.make_takes(subjects=TRAIN_SUBJECTS), 1),
        "CMU": dataset("CMU", training, 4),
    }
    mm: dict[str, list[float]] = {name: [] for name in sources}
    for seed in arguments.seeds:
        for name, data in sources.items():
            torch.manual_seed(seed)
            model = PoseFormer(**get_preset("lite").model)
            train(model, data, "lite", epochs=arguments.epochs, seed=seed)
            mm[name].append(round(error_mm(model, test), 1))
    ratios = [round(made / real, 2) for made, real in zip(mm["synthetic"], mm["CMU"], strict=True)]
    record(
        arguments.json, seeds=arguments.seeds, mm_on_held_out_cmu=mm, ratio=ratios, mean_ratio=round(np.mean(ratios), 2)
    )


if __name__ == "__main__":
    main()
