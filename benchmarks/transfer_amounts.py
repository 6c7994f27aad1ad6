"""How much a small set has to hold: from scratch, twice as long, and fine-tuned, on more and fewer frames of it.

python benchmarks/transfer_amounts.py [--runs runs/reproduce] [--json FILE]

Every training sees 18,432 windows of Table 7's set (twice as long: 36,864), however often they come again: what changes
is how many different ones there are. The networks that are fine-tuned are those of Table 7 at scale lite. What is done
is kept in runs/transfer_amounts and not done again.
"""

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

from poseformer_course.bench.record import record
from poseformer_course.reproduce import Laboratory, Source, Trial
from poseformer_course.reproduce.laboratory import ALL_MOVED, SCRATCH, TWICE
from poseformer_course.reproduce.scales import get_scale
from poseformer_lite.datasets import PoseDataset
from poseformer_lite.evaluation import evaluate
from poseformer_lite.files import atomic_path
from poseformer_lite.training.loop import train

FRAMES = (15, 60, 240, None)  # of each view
FOLDER = Path("runs/transfer_amounts")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs/reproduce"))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(get_scale("lite").seeds))
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    laboratory = Laboratory(get_scale("lite"), Source(), arguments.runs, progress=False)
    errors: dict[str, dict[int, list[float]]] = {start: {} for start in (SCRATCH, TWICE, ALL_MOVED)}
    for length in FRAMES:
        data = shortened(laboratory.dataset("small"), length)
        frames = sum(map(len, data.train()))
        for start, column in errors.items():
            column[frames] = [error(laboratory, data, start, seed) for seed in arguments.seeds]
    scale = laboratory.scale
    record(arguments.json, data=repr(laboratory.dataset("small")), sizes=scale.base, seeds=arguments.seeds,
           settings=asdict(settings_for(scale.settings, None)), mpjpe_mm=errors)  # fmt: skip


def shortened(data: PoseDataset, length: int | None) -> PoseDataset:
    """The first `length` frames of every training view; test views stay whole."""
    tested = {sequence.name for sequence in data.test()}

    def cut(sequence):
        if sequence.name in tested:
            return sequence
        return replace(sequence, keypoints=sequence.keypoints[:length], poses_3d=sequence.poses_3d[:length])

    return replace(data, sequences=[cut(sequence) for sequence in data.sequences])


def settings_for(settings, frames: int | None):
    """As many windows as in the table, in as many passes as it takes, and none held out."""
    there = settings.windows_per_epoch if frames is None else min(2 * frames, settings.windows_per_epoch)
    epochs = round(settings.epochs * settings.windows_per_epoch / there)
    return replace(settings, epochs=epochs, windows_per_epoch=there, validation=0.0)


def error(laboratory: Laboratory, data: PoseDataset, start: str, seed: int) -> float:
    frames = sum(map(len, data.train()))
    path = FOLDER / f"{frames}-{start.replace(' ', '-')}-{seed}.json"
    if not path.is_file():
        trial = Trial("PoseFormer", laboratory.scale.base, "small", seed, start)
        model = laboratory.begin(trial)
        train(model, data, **asdict(settings_for(laboratory.settings(trial), frames)), progress=False)
        mpjpe = evaluate(model, data, progress=False).average["MPJPE"]
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(mpjpe))
        print(frames, start, seed, round(mpjpe, 1), flush=True)
    return round(json.loads(path.read_text()), 2)


if __name__ == "__main__":
    main()
