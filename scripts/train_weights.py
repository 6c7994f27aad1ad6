"""Train the weights that ship with the package, on real CMU motion and on synthetic motion together.

    python scripts/train_weights.py lite|small|wild|wild-further|attentive --cmu FOLDER [FOLDER ...]

Every epoch sees all training takes on other bodies, through other cameras, with another detector's errors; takes with
more motion are seen through more cameras. The people, the kind of motion and the takes of CMU that `split_people` holds
out, and the synthetic test subjects, are not touched. `lite` (9 frames) learns from nothing, `small` (27) goes on from
it, and `wild` from `small`, behind the canonical camera; `wild-further` from that with a loss on bones, which is what
ships as `wild`: give it `--output poseformer_lite/weights/wild`. `attentive` (9) goes on from `lite` with joints
hidden, which it has to ask the others for. Goes on where it was stopped. `--mixed-precision bf16` pays on GPUs and on
processors with matrix units (AMX).
"""

import argparse
import json
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import torch

from poseformer_course.bench.record import describe_machine
from poseformer_course.heads import joints_hidden
from poseformer_course.people import split_people
from poseformer_course.transfer import with_longer_windows
from poseformer_lite.datasets import PoseDataset, Take
from poseformer_lite.datasets.sources import cmu_mocap, synthetic
from poseformer_lite.datasets.sources.human36m import TRAIN_SUBJECTS
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.files import atomic_path
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.skeleton import H36M17
from poseformer_lite.training.loop import train

LITE = {"num_frames": 9, "spatial_dim": 16, "spatial_depth": 2, "temporal_depth": 2, "num_heads": 4, "drop_path": 0.0}
SETTINGS = {"optimizer": "adamw", "weight_decay": 0.01, "schedule": "cosine", "warmup_steps": 500, "validation": 0.05}


@dataclass(frozen=True)
class Recipe:
    """keypoints and cameras: as `view_takes` has them; input: of `LiftingNetwork`; start: whose weights, or None.

    num_frames: of longer windows than those of the start; hide: up to which share of a window's joints the network is
    shown nothing of but which joints they are, throughout the window, and again as many in single frames.
    """

    keypoints: tuple[str, ...]
    cameras: str
    input: str
    start: str | None
    num_frames: int
    settings: dict
    hide: float = 0.0


RECIPES = {
    "lite": Recipe(
        ("noisy",),
        "random",
        "screen",
        None,
        9,
        {"epochs": 45, "windows_per_epoch": 128 * 400, "batch_size": 128, "learning_rate": 2e-3},
    ),
    "small": Recipe(
        ("noisy", "wild"),
        "random",
        "screen",
        "lite",
        27,
        {"epochs": 60, "windows_per_epoch": 32 * 1200, "batch_size": 32, "learning_rate": 1e-3, "supervise": "every"},
    ),
    "wild": Recipe(
        ("wild",),
        "wide",
        "canonical",
        "small",
        27,
        {"epochs": 20, "windows_per_epoch": 32 * 600, "batch_size": 32, "learning_rate": 7e-4, "supervise": "every"},
    ),
    "attentive": Recipe(
        ("noisy",),
        "random",
        "screen",
        "lite",
        9,
        {"epochs": 30, "windows_per_epoch": 128 * 300, "batch_size": 128, "learning_rate": 2e-3, "supervise": "every"},
        hide=0.3,
    ),
}
FURTHER = {"epochs": 25, "bone_weight": 1.0}
RECIPES["wild-further"] = replace(RECIPES["wild"], start="wild", settings=RECIPES["wild"].settings | FURTHER)


def hidden_joints(tokens: torch.Tensor, num_frames: int, most: float) -> torch.Tensor:
    """Those that a batch's windows are not shown, a share drawn for each: (B * F, J, C) -> (B * F, J) of bool."""
    shape = (len(tokens) // num_frames, num_frames, tokens.shape[1])
    share = most * torch.rand(shape[0], 1, 1)
    throughout = torch.rand(shape[0], 1, shape[2]) < share
    return (throughout | (torch.rand(shape) < share)).flatten(0, 1).to(tokens.device)


def on_another_body(take: Take, rng: np.random.Generator) -> Take:
    """The same motion of a person with other proportions: each pair of bones up to 20 % longer or shorter."""
    lengths = H36M17.bone_lengths(take.world[0])
    factors = rng.normal(1.0, 0.07, 17)
    symmetric = np.minimum(np.arange(17), H36M17.flip_order)  # left and right limbs share a factor
    size = rng.normal(1.0, 0.07)
    children = [child for _, child in H36M17.bones]
    lengths = lengths * size * np.clip(factors[symmetric[children]], 0.8, 1.2)
    return Take(take.subject, take.action, H36M17.with_bone_lengths(take.world, lengths), take.fps)


def liveliness(take: Take) -> float:
    """The mean speed of the joints about the hip, m/s."""
    joints = take.world - take.world[:, :1]
    return float(np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean() * take.fps)


def mixed_dataset(folders: list[Path], recipe: Recipe) -> PoseDataset:
    """Training takes of both sources: of CMU's three or two views each, by their motion, and one of the synthetic."""
    real = split_people([take for folder in folders for take in cmu_mocap.read_takes(folder)]).training
    made = synthetic.make_takes(subjects=TRAIN_SUBJECTS)
    middle = np.median([liveliness(take) for take in real])
    lively = [take for take in real if liveliness(take) > middle]

    def redraw(seed: int):
        rng = np.random.default_rng(seed)
        seen = []
        for kind in recipe.keypoints:
            for takes, views in ((real, 2), (lively, 1), (made[:: len(recipe.keypoints) + 1], 1)):
                bodies = [on_another_body(take, rng) for take in takes]
                seen += view_takes(bodies, recipe.cameras, kind, int(rng.integers(2**31)), views)
        return seen

    subjects = sorted({take.subject for take in real + made})
    kinds = " and ".join(recipe.keypoints)
    return PoseDataset("cmu_mocap and synthetic", redraw(0), tuple(subjects), (), keypoint_source=kinds, redraw=redraw)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=RECIPES)
    parser.add_argument("--cmu", type=Path, nargs="+", required=True, help="folders of CMU motion capture")
    parser.add_argument("--mixed-precision", default="auto", help="auto, no, bf16 or fp16")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="folder for the weights, beside those that ship by default")
    arguments = parser.parse_args()

    recipe = RECIPES[arguments.name]
    data = mixed_dataset(arguments.cmu, recipe)
    torch.manual_seed(arguments.seed)
    model = PoseFormer.from_pretrained(recipe.start).float() if recipe.start else PoseFormer(**LITE)
    if model.num_frames < recipe.num_frames:
        model = with_longer_windows(model, num_frames=recipe.num_frames)
    model.input = recipe.input
    settings = SETTINGS | recipe.settings | {"mixed_precision": arguments.mixed_precision, "seed": arguments.seed}
    drawn = partial(hidden_joints, num_frames=model.num_frames, most=recipe.hide) if recipe.hide else None
    with joints_hidden(model, drawn=drawn):
        run = train(model, data, "lite", output=Path("runs") / f"{arguments.name}-{arguments.seed}", **settings)
    if not run.finished:
        return
    output = arguments.output or Path("poseformer_lite/weights") / arguments.name
    model.half().save_pretrained(output)
    with atomic_path(output / "training.json") as path:
        path.write_text(json.dumps(_card(run, model, recipe), indent=1) + "\n")
    print(f"{run}, written to {output}; python benchmarks/shipped_weights.py measures it")


def _card(run, model, recipe: Recipe) -> dict:
    chosen = ["epochs", "windows_per_epoch", "batch_size", "learning_rate", "supervise", "bone_weight"]
    chosen += ["mixed_precision", "seed"]
    return {
        "model": {"input": model.input, **model.config},
        "parameters": model.num_parameters(),
        "joints hidden, at most": recipe.hide,
        "data": "CMU motion capture (mocap.cs.cmu.edu) and the package's synthetic motion, training takes only",
        "settings": SETTINGS | {name: getattr(run.settings, name) for name in chosen},
        "minutes": round(run.history[-1]["seconds"] / 60, 1),
        "machine": describe_machine(),
        "date": date.today().isoformat(),
        "validation_mm": round(run.history[-1]["validation_mm"], 1),
    }


if __name__ == "__main__":
    main()
