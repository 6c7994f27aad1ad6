"""Train the two networks that the lessons compare, with three seeds each, and ship what the lessons load.

    python scripts/train_course_networks.py [--seeds 3] [--epochs 12] [--output FOLDER]

PoseFormer and the temporal baseline of equal width, on the synthetic set as a simulated detector sees it: the preset
lite, the same windows, the same seeds. The weights of seed 0 are stored in half precision (course-poseformer,
course-temporal) with the package's weights, and the errors of all seeds, per action and per joint, in
poseformer_course/results/course_networks.json; --output puts both elsewhere.
"""

import argparse
import json
from copy import deepcopy
from pathlib import Path

import torch

from poseformer_lite.datasets import PoseDataset, load_dataset
from poseformer_lite.evaluation import evaluate, predict
from poseformer_lite.files import atomic_path
from poseformer_lite.metrics import mpjpe
from poseformer_lite.model import LiftingNetwork, MeanPose, PoseFormer, TemporalTransformerBaseline
from poseformer_lite.training.loop import train
from poseformer_lite.training.settings import get_preset

ROOT = Path(__file__).resolve().parent.parent
NETWORKS = {
    "course-poseformer": lambda sizes: PoseFormer(**sizes),
    "course-temporal": TemporalTransformerBaseline.sized_like,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=get_preset("lite").settings.epochs)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    weights = arguments.output or ROOT / "poseformer_lite" / "weights"
    results = arguments.output or ROOT / "poseformer_course" / "results"

    data = load_dataset("synthetic", keypoints="noisy")
    poses = torch.cat([torch.from_numpy(s.root_relative(0)) for s in data.train()])
    runs = {"mean-pose": [measure(MeanPose().fit(poses), data)]}
    for name, make in NETWORKS.items():
        runs[name] = []
        for seed in range(arguments.seeds):
            torch.manual_seed(seed)
            model = make(get_preset("lite").model)
            train(model, data, "lite", epochs=arguments.epochs, seed=seed)
            if seed == 0:
                deepcopy(model).half().save_pretrained(weights / name)
            runs[name].append(measure(model, data) | {"seed": seed})
            print(name, seed, runs[name][-1]["frame average"], flush=True)
    with atomic_path(results / "course_networks.json") as path:
        path.write_text(json.dumps({"data": repr(data), "epochs": arguments.epochs, "runs": runs}, indent=1) + "\n")


def measure(model: LiftingNetwork, data: PoseDataset) -> dict:
    """Errors on the test subjects in mm, flip averaged: the averages, per action, and per joint (protocol 1)."""
    result = evaluate(model, data, progress=False)
    skeleton = data.skeleton
    errors = [
        mpjpe(
            predict(model, torch.from_numpy(s.poses_2d()), skeleton),
            torch.from_numpy(s.root_relative(skeleton.root)),
            reduce=False,
        )
        for s in data.test()
    ]
    per_joint = 1000 * torch.cat(errors).mean(dim=0)  # (J,)
    return {
        "parameters": model.num_parameters(),
        "average": _rounded(result.average),
        "frame average": _rounded(result.frame_average),
        "per action": {metric: _rounded(row) for metric, row in result.per_action.items()},
        "per joint": _rounded(dict(zip(skeleton.joints, per_joint.tolist(), strict=True))),
    }


def _rounded(row: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in row.items()}


if __name__ == "__main__":
    main()
