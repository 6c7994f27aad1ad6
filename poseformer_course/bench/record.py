"""Results as JSON, each with the command, the date, the versions and the machine it was measured on."""

import json
import sys
from datetime import date
from pathlib import Path

from poseformer_lite.training.machine import describe_machine


def record(path: Path | None, **results) -> None:
    """Write `results` to `path`, or print them where there is none."""
    script = Path(sys.argv[0]).resolve()
    called = ["python", f"{script.parent.name}/{script.name}"] if script.suffix == ".py" else [script.name]
    command = " ".join([*called, *map(_without_folders, sys.argv[1:])])
    about = {"command": command, "date": date.today().isoformat(), "machine": describe_machine()}
    text = json.dumps(about | results, indent=1, default=float) + "\n"
    if path is None:
        print(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(f"written to {path}")


def _without_folders(argument: str) -> str:
    """A folder of one machine tells a reader nothing: its last part does."""
    return Path(argument).name if "/" in argument and not argument.startswith("benchmarks/") else argument
