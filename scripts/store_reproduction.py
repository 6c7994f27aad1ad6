"""Gather finished trials into the file that comes with the package and that `reproduce --stored` reads.

    python scripts/store_reproduction.py [--runs runs/reproduce] [--scale lite] [--source synthetic]

They were made by `poseformer-lite reproduce tables --scale lite`, for CMU's with --dataset cmu_mocap --root FOLDER.
"""

import argparse
import json
from datetime import date
from pathlib import Path

from poseformer_course.bench.record import describe_machine
from poseformer_lite.files import atomic_path

RESULTS = Path(__file__).resolve().parent.parent / "poseformer_course" / "reproduce" / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=Path("runs/reproduce"))
    parser.add_argument("--scale", default="lite")
    parser.add_argument("--source", default="synthetic")
    arguments = parser.parse_args()

    folder = arguments.runs / arguments.scale / arguments.source
    trials = {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("*/result.json"))}
    if not trials:
        raise SystemExit(f"{folder} has no finished trial: run poseformer-lite reproduce first")
    for name, result in trials.items():
        if "_small_" not in name:  # Table 7 alone has a column a person
            result.pop("per person", None)
    root = "" if arguments.source == "synthetic" else f" --dataset {arguments.source} --root FOLDER"
    about = {
        "command": f"poseformer-lite reproduce tables --scale {arguments.scale}{root}",
        "date": date.today().isoformat(),
        "machine": describe_machine() + "; one thread a run, two runs at a time, so seconds are too high",
    }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(result)}" for name, result in trials.items())
    target = RESULTS / f"{arguments.scale}_{arguments.source}.json"
    with atomic_path(target) as path:
        path.write_text(json.dumps(about, indent=1)[:-2] + f',\n "trials": {{\n{lines}\n}}}}\n')
    json.loads(target.read_text())
    print(f"{len(trials)} results in {target.name}, {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
