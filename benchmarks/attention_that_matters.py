"""Does PoseFormer need its attention weights? Networks trained without them, and networks that have to ask.

    python benchmarks/attention_that_matters.py [--seeds 3] [--ways plain ...] [--json FILE]

A head's weights matter where they differ from query to query. So networks are trained in which every query gets the
mean row of its head, in one stage or both, throughout training and test; then ordinary ones in whose training joints
are hidden (their tokens hold nothing but a position), are wider, or are more. For each: MPJPE on the synthetic test
subjects, with all joints and with one wrist and one foot hidden; by how many mm it rises where every query gets the
mean row after training; and how much rows differ from their mean (half of the L1 distance, 0 to 1). Mean and standard
deviation over seeds, the same data and the same number of windows for all.
"""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from head_ablation import middle, one_camera_of_each_take

from poseformer_course.bench.record import record
from poseformer_course.heads import ablated, all_heads, head_ablation, joints_hidden
from poseformer_lite.datasets import load_dataset
from poseformer_lite.model.heads import attention_maps
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.skeleton import H36M17
from poseformer_lite.training.loop import train
from poseformer_lite.training.settings import get_preset

FRAMES = 120  # from the middle of each test take
STAGES = ("spatial", "temporal")
HIDDEN = [H36M17.joints.index(name) for name in ("RWrist", "LFoot")]


@dataclass(frozen=True)
class Way:
    """without: stages whose queries all get the mean row; hide: share of joints hidden in training; model: sizes."""

    without: tuple[str, ...] = ()
    hide: float = 0.0
    model: dict = field(default_factory=dict)


WAYS = {
    "plain": Way(),
    "no spatial attention": Way(without=("spatial",)),
    "no temporal attention": Way(without=("temporal",)),
    "no attention": Way(without=STAGES),
    "joints hidden": Way(hide=0.2),
    "joints hidden, no spatial attention": Way(hide=0.2, without=("spatial",)),
    "c = 32": Way(model={"spatial_dim": 32}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS)
    parser.add_argument("--epochs", type=int, default=get_preset("speedrun").settings.epochs)
    parser.add_argument("--json", type=Path, help="write the results here, after every network")
    arguments = parser.parse_args()

    data = load_dataset("synthetic", keypoints="noisy")
    pairs = [middle(sequence, 0, FRAMES) for sequence in one_camera_of_each_take(data)]
    found: dict[str, list[dict]] = {name: [] for name in arguments.ways}
    for seed in range(arguments.seeds):
        for name in arguments.ways:
            found[name].append(trained_and_measured(WAYS[name], data, pairs, seed, arguments.epochs))
            print(name, seed, found[name][-1], flush=True)
            record(arguments.json, data=repr(data), preset="speedrun", epochs=arguments.epochs, ways=summary(found))


def trained_and_measured(way: Way, data, pairs: list, seed: int, epochs: int) -> dict[str, float]:
    """All in millimetres, but for how much rows differ."""
    torch.manual_seed(seed)
    model = PoseFormer(**get_preset("speedrun").model | way.model)
    gone = [head for head in all_heads(model) if head.stage in way.without]
    with ablated(model, *gone, instead="mean"):
        drawn = (lambda tokens: torch.rand(tokens.shape[:2]) < way.hide) if way.hide else None
        with joints_hidden(model, drawn=drawn):
            train(model, data, "speedrun", progress=False, seed=seed, epochs=epochs)
        groups = [
            tuple(h for h in all_heads(model) if h.stage in some) for some in (("spatial",), ("temporal",), STAGES)
        ]
        whole = head_ablation(model, pairs, groups, instead="mean", progress=False)
        with joints_hidden(model, *HIDDEN):
            seen_less = head_ablation(model, pairs, groups[:1], instead="mean", progress=False)
        rows = attention_maps(model, torch.cat([poses_2d[::10] for poses_2d, _ in pairs])).stages
    differ = {
        f"{stage} rows differ": (weights - weights.mean(-2, keepdim=True)).abs().sum(-1).mean().item() / 2
        for stage, weights in rows.items()
        if stage not in way.without
    }
    return (
        {"MPJPE": whole.error, "wrist and foot hidden": seen_less.error}
        | dict(zip(("spatial mean rows", "temporal mean rows", "all mean rows"), whole.change.tolist(), strict=True))
        | {"hidden, spatial mean rows": seen_less.change[0].item()}
        | differ
    )


def summary(found: dict[str, list[dict]], digits: int = 3) -> dict:
    """{way: {what: [mean, standard deviation], "seeds": how many}} of what is there so far."""
    return {
        name: {"seeds": len(runs)}
        | {
            what: [
                round(float(np.mean(values)), digits),
                round(float(np.std(values, ddof=1)), digits) if len(runs) > 1 else None,
            ]
            for what in runs[0]
            for values in [[run[what] for run in runs]]
        }
        for name, runs in found.items()
        if runs
    }


if __name__ == "__main__":
    main()
