"""One learning rate for each network of the tables, with equal effort: six rates, one seed, 24,576 windows.

python benchmarks/tune_learning_rates.py [--networks NAME ...] [--json FILE]

They are judged by the error on held-out training takes of the synthetic set as a simulated detector sees it; the test
subjects are not looked at. What is done is kept in runs/learning_rates and not done again.
"""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import torch

from poseformer_course.bench.record import record
from poseformer_course.prior_work import NETWORKS
from poseformer_course.reproduce.scales import get_scale
from poseformer_course.reproduce.sources import Source
from poseformer_lite.datasets import PoseDataset
from poseformer_lite.files import atomic_path
from poseformer_lite.training.loop import train
from poseformer_lite.training.settings import Settings

RATES = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)
FOLDER = Path("runs/learning_rates")


def main() -> None:
    names = [name for name in NETWORKS if name != "MeanPose"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=names, default=names)
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    scale = get_scale("lite")
    data = Source().large("noisy", scale)
    settings = replace(scale.settings, epochs=3, windows_per_epoch=8192, seed=0)
    held_out = {
        name: {rate: held_out_error(name, scale.base, replace(settings, learning_rate=rate), data) for rate in RATES}
        for name in arguments.networks
    }
    best = {name: min(errors, key=errors.get) for name, errors in held_out.items()}
    record(arguments.json, data=repr(data), settings=asdict(settings), held_out_mm=held_out, best=best)


def held_out_error(name: str, sizes: dict, settings: Settings, data: PoseDataset) -> float:
    path = FOLDER / f"{name}-{settings.learning_rate:g}.json"
    if not path.is_file():
        torch.manual_seed(0)
        run = train(NETWORKS[name].sized_like(sizes), data, **asdict(settings), progress=False)
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(run.history))
        print(name, settings.learning_rate, run, flush=True)
    return round(json.loads(path.read_text())[-1]["validation_mm"], 2)


if __name__ == "__main__":
    main()
