"""Make what the lessons read instead of training it: run them with RUN_ALL = True, and keep what their trainings gave.

    python scripts/store_lesson_results.py            all lessons that have the switch
    python scripts/store_lesson_results.py 10 12      some of them; the results of the others stay

The notebooks are not changed. The results go to poseformer_course/results/lessons.json.
"""

import argparse
import json
from pathlib import Path

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

import frozen_notebooks
from poseformer_course.bench.record import describe_machine
from poseformer_lite.files import atomic_path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "poseformer_course" / "results" / "lessons.json"
SWITCH = "RUN_ALL = False"
TELL = 'import json\n\nprint(json.dumps({"made": results.made}))'


def switched(path: Path):
    """The notebook with its switch on and a last cell that prints what it made; None where it has no switch."""
    notebook = frozen_notebooks.read(path)
    cells = [cell for cell in frozen_notebooks.code_cells(notebook) if SWITCH in cell.source]
    if not cells:
        return None
    for cell in cells:
        cell.source = cell.source.replace(SWITCH, "RUN_ALL = True")
    notebook.cells.append(new_code_cell(TELL))
    return notebook


def results_of(notebook, folder: Path) -> dict:
    """Run a switched notebook in its own folder; {name: result} of all that it made."""
    NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        coalesce_streams=True,
    ).execute()
    (output,) = notebook.cells[-1].outputs
    return json.loads(output.text)["made"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*", help='numbers, such as "10"')
    wanted = parser.parse_args().lessons

    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        lesson = path.name[:2]
        notebook = switched(path) if not wanted or lesson in wanted else None
        if notebook is None:
            continue
        made = results_of(notebook, path.parent)
        kept = json.loads(RESULTS.read_text(encoding="utf-8"))["lessons"] if RESULTS.is_file() else {}
        lessons = dict(sorted({**kept, lesson: made}.items()))
        about = {"script": "scripts/store_lesson_results.py", "machine": describe_machine()}
        with atomic_path(RESULTS) as temporary:
            temporary.write_text(json.dumps({**about, "lessons": lessons}, indent=1) + "\n", encoding="utf-8")
        print(f"{len(made)} results of lesson {lesson}", flush=True)


if __name__ == "__main__":
    main()
