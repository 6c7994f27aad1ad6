"""Is a network better behind the canonical camera than before the plain screen, and what does a focal length bring?

    python benchmarks/canonical_camera.py --cmu FOLDER [FOLDER ...] [--seeds 3] [--windows 65536] [--json FILE]

Networks of 9 frames (preset speedrun) learn CMU's motion through wide cameras from keypoints in the wild, all with the
same number of windows: on the screen as the paper does, and behind the canonical camera with the assumed focal length
and with the true one. MPJPE and P-MPJPE in mm, every fifth frame, flip averaged, on what `split_people` holds
out; the mean over seeds and the standard deviation.
"""

import argparse
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from shipped_weights import errors

from poseformer_course.bench.record import record
from poseformer_course.people import split_people
from poseformer_lite.datasets import PoseDataset
from poseformer_lite.datasets.sources import cmu_mocap
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.training.loop import train
from poseformer_lite.training.settings import get_preset

WAYS = {"screen": "screen", "canonical": "assumed", "canonical, true focal length": "known"}
EPOCHS, VIEWS, DRAWS = 8, 2, 4  # views of each take, drawn so many times and used in turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, nargs="+", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--windows", type=int, default=65_536)
    parser.add_argument("--json", type=Path, help="write the results here, after every network")
    arguments = parser.parse_args()

    split = split_people([take for folder in arguments.cmu for take in cmu_mocap.read_takes(folder)])
    held_out = {"people": split.unseen_people[::2], "takes": split.unseen_takes, "motion": split.unseen_motion}
    views = {who: view_takes(takes, "wide", "wild", cmu_mocap.TEST_SEED, 2) for who, takes in held_out.items()}
    drawn = drawn_views(split.training, "wide", "wild")
    data = {way: training(drawn, "wild", shown) for way, shown in WAYS.items()}
    found: dict[str, list[dict]] = {way: [] for way in WAYS}
    for seed in range(arguments.seeds):
        for way, shown in WAYS.items():
            torch.manual_seed(seed)
            model = PoseFormer(**get_preset("speedrun").model)
            changes = {"epochs": EPOCHS, "windows_per_epoch": arguments.windows // EPOCHS, "seed": seed}
            train(model, data[way], "speedrun", progress=False, **changes)
            found[way].append({who: measured(model, sequences, shown) for who, sequences in views.items()})
            print(way, seed, found[way][-1], flush=True)
            record(
                arguments.json, windows=arguments.windows, mm={w: summary(runs) for w, runs in found.items() if runs}
            )


def drawn_views(takes: list, cameras: str, keypoints: str) -> Callable[[int], list]:
    """The takes as they are seen in an epoch, by its seed: one of DRAWS drawings, each of which is made once."""

    @cache
    def drawn(number: int) -> list:
        return view_takes(takes, cameras, keypoints, number, VIEWS)

    return lambda seed: drawn(seed % DRAWS)


def training(drawn: Callable[[int], list], keypoints: str, shown: str = "screen") -> PoseDataset:
    """What is drawn anew for each epoch, as the network is shown it."""

    def redraw(seed: int) -> list:
        return [as_shown(sequence, shown) for sequence in drawn(seed)]

    sequences = redraw(0)
    subjects = tuple(sorted({sequence.subject for sequence in sequences}))
    return PoseDataset("cmu_mocap", sequences, subjects, (), keypoint_source=keypoints, redraw=redraw)


def as_shown(sequence, shown: str):
    """Turned before the canonical camera here, so that the network takes its input as it is."""
    return sequence if shown == "screen" else sequence.seen_by("canonical", known=shown == "known")


def measured(model: PoseFormer, sequences: list, shown: str) -> list[float]:
    """[MPJPE, P-MPJPE] in mm."""
    found = [errors(model, as_shown(sequence, shown)) for sequence in sequences]
    return [float(np.concatenate([pair[i] for pair in found]).mean()) for i in (0, 1)]


def summary(runs: list[dict]) -> dict:
    """{who: {"MPJPE": [mean, standard deviation], "P-MPJPE": ..., "seeds": how many}}."""
    result = {}
    for who in runs[0]:
        values = np.array([run[who] for run in runs])  # (seeds, 2)
        spread = values.std(axis=0, ddof=1).round(1) if len(runs) > 1 else (None, None)
        pairs = zip(values.mean(axis=0).round(1), spread, strict=True)
        result[who] = {"seeds": len(runs)} | dict(zip(("MPJPE", "P-MPJPE"), map(list, pairs), strict=True))
    return result


if __name__ == "__main__":
    main()
