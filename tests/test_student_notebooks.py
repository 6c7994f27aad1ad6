"""What is handed out: no word of a solution, no output, the stubs as they are, and each file complete and running."""

import copy
import re
from pathlib import Path

import nbformat
import pytest
from lesson_notebooks import LESSONS, ROOT, exercises
from nbclient import NotebookClient

import frozen_notebooks
import student_notebooks

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory) -> dict[str, nbformat.NotebookNode]:
    folder = tmp_path_factory.mktemp("student")
    assert student_notebooks.main([str(folder)]) == 0
    return {path.stem: nbformat.read(path, as_version=4) for path in sorted(folder.iterdir())}


def lines(text: str) -> set[str]:
    return {line.strip() for line in text.splitlines() if len(line.strip()) > 25}


def test_all_lessons_are_there_and_valid(handed_out):
    assert list(handed_out) == [path.stem for path in NOTEBOOKS]
    for notebook in handed_out.values():
        nbformat.validate(notebook)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_word_of_a_solution_is_left(path, handed_out):
    """Neither its text nor its code, but for what the lesson says elsewhere, too."""
    cells = frozen_notebooks.read(path).cells
    folded = [match[0] for cell in cells for match in student_notebooks.SOLUTION.finditer(cell.source)]
    assert len(folded) == (len(exercises(path)) if path in LESSONS else 0)
    elsewhere = "\n".join(student_notebooks.SOLUTION.sub("", cell.source) for cell in cells)
    left = "\n".join(cell.source for cell in handed_out[path.stem].cells)
    secret = lines("\n".join(folded)) - lines(elsewhere)
    assert bool(secret) == (path in LESSONS) and secret & lines(left) == set()
    assert re.findall(r"<summary>(?!Hint<)|Solution", left) == []
    assert left.count("<summary>Hint<") == sum(cell.source.count("<summary>Hint<") for cell in cells)
    assert "colab.research.google.com" not in left  # it would open the page with solutions


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_code_is_as_it_was_and_has_no_outputs(path, handed_out):
    """So the page runs from top to bottom as the lesson with open exercises does, which `make test` runs."""
    cells = frozen_notebooks.code_cells(handed_out[path.stem])
    assert [c.source for c in cells] == [c.source for c in frozen_notebooks.code_cells(frozen_notebooks.read(path))]
    assert [(cell.outputs, cell.execution_count) for cell in cells] == [([], None)] * len(cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_says_where_answers_are_checked_and_needs_no_other_file(path, handed_out):
    first = handed_out[path.stem].cells[0]
    assert first.source.startswith(frozen_notebooks.read(path).cells[0].source.splitlines()[0])
    assert ("answers are checked on this page" in first.source) == (path in LESSONS)
    text = "\n".join(cell.source for cell in handed_out[path.stem].cells)
    assert "](../" not in text
    for cell in handed_out[path.stem].cells:
        assert set(re.findall(r"\(attachment:([^)]+)\)", cell.source)) == set(cell.get("attachments", {}))
    assert first.attachments


def test_a_solution_beside_other_text_is_cut_out_of_it(tmp_path):
    source = "Before.\n\n<details>\n<summary>Solution</summary>\n\nSecret.\n\n</details>\n\nAfter."
    cells = [nbformat.v4.new_markdown_cell(text) for text in ("# T\n\n**Time**: about 10 s", source)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "01_x.ipynb")
    assert student_notebooks.for_students(tmp_path / "01_x.ipynb").cells[1].source == "Before.\n\nAfter."


@pytest.mark.slow
def test_a_lesson_runs_with_its_stubs(handed_out, tmp_path):
    notebook = copy.deepcopy(handed_out["02_tokenization"])
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    said = [output.get("text", "") for cell in frozen_notebooks.code_cells(notebook) for output in cell.outputs]
    assert len(re.findall(r"^✗ Exercise 02\.\d: not answered yet", "".join(said), re.MULTILINE)) == 6
    assert list(Path(tmp_path).iterdir()) == []
