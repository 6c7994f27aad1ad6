"""Results as JSON, each with the command, the date, the versions and the machine it was measured on."""

import json
import os
import platform
import sys
from datetime import date
from pathlib import Path

import numpy as np
import torch


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


def describe_machine() -> str:
    """Processor, cores, threads, GPU and the versions that a measured figure depends on."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return (
        f"{_processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, {device}; "
        f"Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}"
    )


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()} ({platform.machine()})"
