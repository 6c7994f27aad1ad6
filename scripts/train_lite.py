"""Train the weights that ship with the package, on real CMU motion and on synthetic motion together.

    python scripts/train_lite.py --cmu FOLDER [--epochs 45] [--output poseformer_lite/weights/lite]

Every epoch sees all training takes on other bodies, through other cameras, with another detector's errors. The CMU
takes and the synthetic subjects that are held out for testing are not touched until the end. Goes on where it was
stopped.
"""

import argparse
import json
import platform
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import torch

from poseformer_lite.datasets import PoseDataset, Take, cmu_mocap, synthetic
from poseformer_lite.datasets.views import view_takes
from poseformer_lite.evaluation import evaluate
from poseformer_lite.files import atomic_path
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.skeleton import H36M17
from poseformer_lite.training import train

MODEL = {"num_frames": 9, "spatial_dim": 16, "spatial_depth": 2, "temporal_depth": 2, "num_heads": 4, "drop_path": 0.0}
SETTINGS = {
    "batch_size": 128,
    "optimizer": "adamw",
    "learning_rate": 2e-3,
    "weight_decay": 0.01,
    "schedule": "cosine",
    "warmup_steps": 500,
    "windows_per_epoch": 128 * 400,
    "validation": 0.05,
}


def on_another_body(take: Take, rng: np.random.Generator) -> Take:
    """The same motion of a person with other proportions: each pair of bones up to 15 % longer or shorter."""
    lengths = H36M17.bone_lengths(take.world[0])
    factors = rng.normal(1.0, 0.05, 17)
    symmetric = np.minimum(np.arange(17), H36M17.flip_order)  # left and right limbs share a factor
    size = rng.normal(1.0, 0.05)
    children = [child for _, child in H36M17.bones]
    lengths = lengths * size * np.clip(factors[symmetric[children]], 0.85, 1.15)
    return Take(take.subject, take.action, H36M17.with_bone_lengths(take.world, lengths), take.fps)


def mixed_dataset(cmu: Path) -> tuple[PoseDataset, dict[str, PoseDataset]]:
    """(training data, {name: data with its test takes}); all with a simulated detector's keypoints."""
    tests = {
        "cmu_mocap": cmu_mocap.load(cmu, keypoints="noisy", cameras="random"),
        "synthetic": synthetic.load(keypoints="noisy"),
    }
    real = [t for t in cmu_mocap.read_takes(cmu) if (t.subject, t.action) not in tests["cmu_mocap"].test_takes]
    made = synthetic.make_takes(subjects=tests["synthetic"].train_subjects)

    def redraw(seed: int):
        rng = np.random.default_rng(seed)
        seen = [on_another_body(take, rng) for take in real], [on_another_body(take, rng) for take in made]
        return view_takes(seen[0], "random", "noisy", seed, 4) + view_takes(seen[1], "random", "noisy", seed + 1, 1)

    subjects = sorted({take.subject for take in real + made})
    data = PoseDataset("cmu_mocap and synthetic", redraw(0), tuple(subjects), (), keypoints="noisy", redraw=redraw)
    return data, tests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, required=True, help="folder of CMU motion capture, ASF/AMC or BVH")
    parser.add_argument("--epochs", type=int, default=45, help="of 51,200 windows each")
    parser.add_argument("--run", type=Path, default=Path("runs/lite"), help="folder for checkpoints")
    parser.add_argument("--output", type=Path, default=Path("poseformer_lite/weights/lite"))
    arguments = parser.parse_args()

    data, tests = mixed_dataset(arguments.cmu)
    torch.manual_seed(0)
    model = PoseFormer(**MODEL)
    run = train(model, data, "lite", output=arguments.run, epochs=arguments.epochs, **SETTINGS)
    if not run.finished:
        return
    measured = {name: evaluate(model, test).frame_average for name, test in tests.items()}
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(arguments.run / name, arguments.output / name)
    with atomic_path(arguments.output / "training.json") as path:
        path.write_text(json.dumps(_card(run, model, measured), indent=1) + "\n")
    print(json.dumps(measured, indent=1))


def _card(run, model, measured: dict) -> dict:
    return {
        "model": MODEL,
        "parameters": model.num_parameters(),
        "data": "CMU motion capture (mocap.cs.cmu.edu) and the package's synthetic motion, training takes only",
        "settings": SETTINGS | {"epochs": run.settings.epochs, "seed": run.settings.seed},
        "minutes": round(run.history[-1]["seconds"] / 60, 1),
        "machine": f"{platform.machine()}, {torch.get_num_threads()} CPU threads, torch {torch.__version__}",
        "date": date.today().isoformat(),
        "mm_on_held_out_takes": {name: {m: round(v, 1) for m, v in row.items()} for name, row in measured.items()},
        "validation_mm": round(run.history[-1]["validation_mm"], 1),
    }


if __name__ == "__main__":
    main()
