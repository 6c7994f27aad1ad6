"""PoseFormer, the temporal baseline and the mean pose: same data, same number of windows, several seeds.

python benchmarks/compare_networks.py                                   synthetic motion, preset lite
python benchmarks/compare_networks.py --cmu FOLDER [--minutes 5]        CMU motion, whole takes held out
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from statistics import mean, stdev

import torch

from poseformer_course.bench.record import record
from poseformer_lite.datasets import load_dataset
from poseformer_lite.evaluation import evaluate
from poseformer_lite.model.baselines import MeanPose, TemporalTransformerBaseline
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.training.loop import train
from poseformer_lite.training.settings import get_preset

NETWORKS = {
    "PoseFormer": lambda sizes: PoseFormer(**sizes),
    "temporal baseline": TemporalTransformerBaseline.sized_like,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, help="folder of CMU motion capture; else the synthetic set")
    parser.add_argument("--keypoints", default="gt", help="gt or noisy")
    parser.add_argument("--preset", default="lite")
    parser.add_argument("--epochs", type=int, help="other than the preset's")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    if arguments.cmu:
        data = load_dataset("cmu_mocap", arguments.cmu, keypoints=arguments.keypoints, cameras="random")
    else:
        data = load_dataset("synthetic", keypoints=arguments.keypoints)
    preset = get_preset(arguments.preset)
    settings = replace(preset.settings, **({"epochs": arguments.epochs} if arguments.epochs else {}))
    poses = torch.cat([torch.from_numpy(s.root_relative(0)) for s in data.train()])
    rows = {"mean pose": [measure(MeanPose().fit(poses), data, seconds=0.0)]}
    for name in arguments.networks:
        rows[name] = []
        for seed in range(arguments.seeds):
            torch.manual_seed(seed)
            model = NETWORKS[name](preset.model)
            started = time.perf_counter()
            train(model, data, arguments.preset, epochs=settings.epochs, seed=seed)
            rows[name].append(measure(model, data, time.perf_counter() - started))
            print(name, seed, rows[name][-1], flush=True)

    summary = {name: summarise(runs) for name, runs in rows.items()}
    for name, row in summary.items():
        print(f"{name:20} {row['MPJPE']:6.1f} ± {row['MPJPE spread']:.1f} mm in {row['seconds']:.0f} s")
    windows = settings.epochs * (settings.windows_per_epoch or 0)
    record(arguments.json, data=repr(data), model=preset.model, windows=windows, summary=summary, runs=rows)


def measure(model, data, seconds: float) -> dict:
    errors = evaluate(model, data, flip=False, progress=False).frame_average
    return {"seconds": round(seconds, 1), "parameters": model.num_parameters()} | {
        k: round(v, 2) for k, v in errors.items()
    }


def summarise(runs: list[dict]) -> dict:
    errors = [run["MPJPE"] for run in runs]
    return {
        "MPJPE": round(mean(errors), 2),
        "MPJPE spread": round(stdev(errors), 2) if len(errors) > 1 else 0.0,
        "P-MPJPE": round(mean(run["P-MPJPE"] for run in runs), 2),
        "seconds": round(mean(run["seconds"] for run in runs), 1),
        "parameters": runs[0]["parameters"],
    }


if __name__ == "__main__":
    main()
