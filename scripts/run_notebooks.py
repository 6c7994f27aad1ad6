"""Run all notebooks, measure how long each takes, and store them in their committed form.

python scripts/run_notebooks.py                      all of notebooks/, in order
python scripts/run_notebooks.py notebooks/03_*.ipynb some of them
python scripts/run_notebooks.py --time-only          keep the stored outputs, write only the time (on a GPU, say)
python scripts/run_notebooks.py --freeze-only        run nothing: after a change of prose
python scripts/run_notebooks.py --check              change nothing: say what is not as it should be

The times also go into the README's table of lessons.
"""

import argparse
import os
import re
import sys
import time
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

import frozen_notebooks

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
README = ROOT / "README.md"
CELL_TIMEOUT = 1800  # seconds
NO_ANSWERS = {"POSEFORMER_ANSWERS": ""}  # lessons run with the package's classes, whatever was answered here


def this_machine() -> str:
    """The machine in the words of the time line: "two CPU cores", "a GPU (NVIDIA H200)"."""
    import torch  # takes seconds, and --check does not need it

    if torch.cuda.is_available():
        return f"a GPU ({torch.cuda.get_device_name()})"
    cores = os.cpu_count() or 1
    words = {1: "one", 2: "two", 4: "four", 8: "eight"}
    return f"{words.get(cores, cores)} CPU core{'s' if cores > 1 else ''}"


def execute(notebook: NotebookNode, folder: Path) -> float:
    """Run the cells in place, from the notebook's own folder; the seconds it took, kernel start included."""
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
    )
    start = time.perf_counter()
    client.execute(env=os.environ | NO_ANSWERS)
    return time.perf_counter() - start


def run_and_freeze(path: Path, machine: str, time_only: bool = False) -> float:
    """Run one notebook and write it back; the seconds it took. The file is left alone if a cell fails."""
    executed, stored = frozen_notebooks.read(path), frozen_notebooks.read(path)
    seconds = execute(executed, path.parent)
    kept = stored if time_only else executed
    frozen_notebooks.set_time(kept, seconds, machine)
    frozen_notebooks.freeze(kept)
    frozen_notebooks.keep_equal_outputs(kept, stored)
    frozen_notebooks.write(kept, path)
    return seconds


def freeze_only(path: Path) -> None:
    notebook = frozen_notebooks.read(path)
    frozen_notebooks.freeze(notebook)
    frozen_notebooks.write(notebook, path)


def with_times(readme: str, folder: Path) -> str:
    """The README with the measured times in its table: the last column of every row that links to a notebook.

    The column's title says that they are of two CPU cores, so the rows do not.
    """
    rows = re.compile(r"^(?P<row>\| \[[^\]]*\]\(notebooks/(?P<file>[^)]+)\) \|.*\|)[^|]*\|$", re.MULTILINE)

    def timed(match: re.Match) -> str:
        measured = frozen_notebooks.measured_time(frozen_notebooks.read(folder / match["file"]))
        return f"{match['row']} {measured.removeprefix('about ').replace(' on two CPU cores', '')} |"

    return rows.sub(timed, readme)


def report_problems(paths: list[Path]) -> bool:
    """Print every problem; whether there was one."""
    found = False
    for path in paths:
        for problem in frozen_notebooks.find_problems(frozen_notebooks.read(path)):
            print(f"{path.name}: {problem}")
            found = True
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks; without any, all of notebooks/")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--time-only", action="store_true")
    mode.add_argument("--freeze-only", action="store_true")
    mode.add_argument("--check", action="store_true")
    options = parser.parse_args(arguments)
    paths = [path.resolve() for path in options.paths] or sorted(NOTEBOOKS.glob("*.ipynb"))
    if not paths:
        parser.error("notebooks/ holds no notebook")

    if options.freeze_only:
        for path in paths:
            freeze_only(path)
    elif not options.check:
        machine = this_machine()
        for path in paths:
            try:
                seconds = run_and_freeze(path, machine, options.time_only)
            except (CellExecutionError, ValueError) as error:
                print(f"{path.name}: {error}", file=sys.stderr)
                return 1
            print(f"{path.name}: {seconds:.1f} s on {machine}")
        README.write_text(with_times(README.read_text(encoding="utf-8"), NOTEBOOKS), encoding="utf-8")
    return 1 if report_problems(paths) else 0


if __name__ == "__main__":
    sys.exit(main())
