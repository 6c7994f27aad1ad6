"""A learner's first minutes: JupyterLab in Chromium opens the first notebook and runs all of it, without a network.

The other lessons are not run in a browser: nbval proves that their cells run and print what they should, and
test_viewers_browser.py that a browser draws each of their viewers, which do there as they are told.
"""

import re
from pathlib import Path

import nbformat
import pytest

import frozen_notebooks

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[test]'")

from lab import ROOT, lab_page, run_all_cells, save
from poseformer_course import toys
from poseformer_lite import viewers
from viewer_page import SETUP, VIEWERS

START_HERE = "notebooks/00_start_here.ipynb"
PICTURES_PER_CELL = """() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].map(cell =>
    [...cell.querySelectorAll('.jp-OutputArea-output img, .jp-MarkdownOutput img')].filter(
        image => image.naturalWidth > 0 && image.naturalHeight > 0 && image.offsetWidth > 0).length)"""


def make_short_and_blank(path: Path) -> None:
    """One epoch in place of four; no stored outputs, so that all that is seen later was made by this run."""
    notebook = nbformat.read(path, as_version=4)
    assert sum(cell.source.count("epochs=4") for cell in notebook.cells) == 1, f"{path.name} trains for epochs=4 once"
    for cell in notebook.cells:
        cell.source = cell.source.replace("epochs=4", "epochs=1")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, path)


def count_pictures(cell) -> int:
    """Pictures that a cell shows, as its committed form says."""
    if cell.cell_type == "markdown":
        return len(re.findall(r"!\[", cell.source))
    return sum("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


@pytest.mark.slow
@pytest.mark.browser
def test_start_here_runs_in_jupyterlab(lab, tmp_path, browser_path):
    root = lab.root
    committed = nbformat.read(root / START_HERE, as_version=4)
    assert frozen_notebooks.find_problems(committed) == [], "bring it into its committed form first: make notebooks"
    expected = [count_pictures(cell) for cell in committed.cells]
    make_short_and_blank(root / START_HERE)

    with lab_page(lab, browser_path) as page:
        run_all_cells(page, START_HERE)  # where the lab leads by itself, as `make lab` opens it
        save(page)
        page.screenshot(path=tmp_path / "after_the_run.png")
        pictures = page.evaluate(PICTURES_PER_CELL)

    notebook = nbformat.read(root / START_HERE, as_version=4)
    outputs = [(number, output) for number, cell in enumerate(notebook.cells) for output in cell.get("outputs", [])]
    assert [(number, o.ename, o.evalue) for number, o in outputs if o.output_type == "error"] == []
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "every code cell is run once, in order"

    (curve,) = [number for number, cell in enumerate(notebook.cells) if cell.source.startswith("run.plot()")]
    assert pictures[curve] == 1, "the training curve is shown"
    assert pictures == expected, "pictures per cell, in the browser and in the committed notebook"


def test_all_viewers_of_the_lessons_are_among_those_that_a_browser_is_seen_to_draw():
    makers = {*viewers.__all__, *toys.__all__} - {"export_html"}

    def shown(code: str) -> set[str]:
        return {name for name in makers if re.search(rf"\b{name}\(", code)}

    lessons = map(frozen_notebooks.read, (ROOT / "notebooks").glob("*.ipynb"))
    in_lessons = shown("\n".join(cell.source for lesson in lessons for cell in frozen_notebooks.code_cells(lesson)))
    assert {"view_motion", "view_attention", "AblationBoard", "CameraToy"} <= in_lessons
    assert in_lessons <= shown("\n".join([SETUP, *VIEWERS.values()]))
