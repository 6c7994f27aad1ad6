"""How soon is the released recipe's accuracy reached, and by which of the tricks?

    python benchmarks/time_to_accuracy.py [--cmu FOLDER] [--removals] [--json FILE]

The network of the preset lite on the simulated detector's 2D. The recipe of the released code (batches of 512, AdamW
with 0.1 of decay, 0.99 an epoch, no warm-up) trains first, with the best of four learning rates on held-out takes, as
its own suits a larger network and 200 epochs (synthetic, seed 0: 4e-5, its own, 149 mm; 5e-4 101; 1e-3 79; 2e-3 83).
Then come the preset speedrun in shares of its time, and with --removals the preset with one thing changed at a time,
each for as much time. What a window costs in each way is measured first, all ways in turn, so that a disturbance of the
machine does not decide. Errors are of held-out takes.
"""

import argparse
import time
from pathlib import Path
from statistics import mean, median, stdev

import torch

from poseformer_course.bench.record import record
from poseformer_lite.datasets import PoseDataset, load_dataset
from poseformer_lite.datasets.windows import Windows
from poseformer_lite.metrics import mpjpe
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.training.loop import train
from poseformer_lite.training.settings import get_preset

EPOCH = 16_384  # windows; the recipe's rate falls once in so many
OFFICIAL = {"batch_size": 512, "schedule": "exponential", "decay": 0.99, "weight_decay": 0.1, "warmup_steps": 0}
OFFICIAL |= {"start": "given", "learning_rate": 1e-3}
CHANGED = {
    "batches of 128": {"batch_size": 128},
    "start as given": {"start": "given"},
    "learning rate constant": {"schedule": "constant"},
    "no warm-up": {"warmup_steps": 0},
    "every frame supervised": {"supervise": "every"},
}
SHARES = (1 / 3, 1 / 6, 1 / 12)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, help="folder of CMU motion capture; else the synthetic set")
    parser.add_argument("--epochs", type=int, default=12, help=f"of {EPOCH:,} windows, for the recipe")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--removals", action="store_true", help="also one thing changed at a time, a sixth of the time")
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    if arguments.cmu:
        data = load_dataset("cmu_mocap", arguments.cmu, keypoints="noisy")
    else:
        data = load_dataset("synthetic", keypoints="noisy")
    ways = {"the released recipe": OFFICIAL, "speedrun": {}} | (CHANGED if arguments.removals else {})
    cost = costs(data, ways)
    print({way: f"{1e6 * seconds:.0f} us a window" for way, seconds in cost.items()}, flush=True)
    recipe = "the released recipe"
    whole = arguments.epochs * EPOCH * cost[recipe]

    plan = [(recipe, 1.0), *(("speedrun", share) for share in SHARES)]
    plan += [(way, 1 / 6) for way in ways if way not in (recipe, "speedrun")]
    rows = []
    for way, share in plan:
        windows = arguments.epochs * EPOCH if way == recipe else round(share * whole / cost[way])
        runs = [trained(data, ways[way], windows, seed, way == recipe) for seed in range(arguments.seeds)]
        rows.append(
            {
                "way": way,
                "share of the recipe's time": round(share, 3),
                "windows": windows,
                "held out mm": [run["held out"] for run in runs],
                "test mm": [run["test"] for run in runs],
                **{
                    f"{name} {word} mm": round(value, 1)
                    for name in ("held out", "test")
                    for word, value in _of(runs, name)
                },
            }
        )
        print(rows[-1], flush=True)
    record(arguments.json, data=repr(data), seconds_a_window=cost, runs=rows)


def _of(runs: list[dict], name: str) -> list[tuple[str, float]]:
    errors = [run[name] for run in runs]
    return [("mean", mean(errors)), ("spread", stdev(errors) if len(errors) > 1 else 0.0)]


def costs(data: PoseDataset, ways: dict[str, dict], rounds: int = 5, windows: int = 2048) -> dict[str, float]:
    """Seconds a window, by the median of several short runs of each way, all in turn."""
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, changes in ways.items():
            history = _train(data, changes, windows, 0, epochs=1).history
            times[way].append(history[0]["seconds"] / windows)
    return {way: median(taken) for way, taken in times.items()}


def trained(data: PoseDataset, changes: dict, windows: int, seed: int, in_epochs: bool) -> dict[str, float]:
    """Errors in mm on held-out takes, and on every 20th frame of the test subjects or takes."""
    started = time.perf_counter()
    epochs = max(1, windows // EPOCH) if in_epochs else 4
    run = _train(data, changes, windows // epochs, seed, epochs)
    model, test = run.model, Windows(data.test(), run.model.num_frames, data.skeleton)
    with torch.no_grad():
        errors = [
            mpjpe(model(x), y, reduce=False).mean(-1) for x, y in test.batches(torch.arange(0, len(test), 20), 512)
        ]
    held_out = run.history[-1]["validation_mm"]
    print(f"  seed {seed}: {held_out:.1f} mm held out, {time.perf_counter() - started:.0f} s", flush=True)
    return {"held out": round(held_out, 2), "test": round(1000 * torch.cat(errors).mean().item(), 2)}


def _train(data: PoseDataset, changes: dict, windows: int, seed: int, epochs: int):
    preset = get_preset("speedrun")
    torch.manual_seed(seed)
    model = PoseFormer(**preset.model)
    return train(
        model, data, "speedrun", epochs=epochs, windows_per_epoch=windows, seed=seed, progress=False, **changes
    )


if __name__ == "__main__":
    main()
