"""A learner's first minutes: JupyterLab in Chromium opens the first notebook and runs all of it, without a network."""

import re
from pathlib import Path

import nbformat
import pytest

import frozen_notebooks

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[test]'")

from lab import ROOT, copy_course, offline_lab, run_all_cells, save
from viewer_page import viewers_on

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
def test_start_here_runs_in_jupyterlab(tmp_path, browser_path):
    root = copy_course(tmp_path / "course")
    committed = nbformat.read(root / START_HERE, as_version=4)
    assert frozen_notebooks.find_problems(committed) == [], "bring it into its committed form first: make notebooks"
    expected = [count_pictures(cell) for cell in committed.cells]
    make_short_and_blank(root / START_HERE)

    with offline_lab(root, tmp_path, browser_path) as (page, _):
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


def viewers_shown(cell) -> bool:
    """Whether a cell shows a viewer: its stored output describes itself."""
    return any("image/png" in output.get("metadata", {}) for output in cell.get("outputs", []))


NOTEBOOKS = {path.stem: nbformat.read(path, as_version=4) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
WITH_VIEWERS = {name: sum(map(viewers_shown, notebook.cells)) for name, notebook in NOTEBOOKS.items()}


def test_lessons_have_viewers():
    assert {name[:2] for name, count in WITH_VIEWERS.items() if count} == {"01", "08", "09", "13"}


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", [name for name, count in WITH_VIEWERS.items() if count and name[:2] != "13"])  # as 09
def test_a_lesson_with_viewers_runs_and_draws_them(tmp_path, browser_path, name):
    root = copy_course(tmp_path / "course")
    notebook = f"notebooks/{name}.ipynb"
    with offline_lab(root, tmp_path, browser_path) as (page, address):
        page.goto(f"{address}/lab/tree/{notebook}")
        run_all_cells(page, notebook)
        viewers = viewers_on(page, WITH_VIEWERS[name])
        for number, viewer in enumerate(viewers):
            viewer.show()
            viewer.output.screenshot(path=tmp_path / f"{name}_{number}.png")
        save(page)
    cells = nbformat.read(root / notebook, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert [(output.ename, output.evalue) for output in outputs if output.output_type == "error"] == []
