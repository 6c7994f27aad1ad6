"""Write the lessons as they are handed out: without solutions and without outputs, each a file that stands alone.

python scripts/student_notebooks.py [FOLDER]     build/student, where no folder is named
"""

import base64
import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

import frozen_notebooks

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SOLUTION = re.compile(r"<details>\s*<summary>Solution</summary>.*?</details>\s*", re.DOTALL)
FOLDED = re.compile(r"<details>.*?</details>\s*", re.DOTALL)  # solutions, and hints, which are handed out
BADGE = re.compile(r"^\[!\[Open in Colab\]\(.*?\)\]\(.*?\)\n\n", re.MULTILINE)  # it opens the page with solutions
PICTURE = re.compile(r"(!\[[^\]]*\]\()(\.\./figures/[^)]+)\)")
ELSEWHERE = re.compile(r"(?<!!)\[([^\]]*)\]\(\.\./[^)]+\)")  # a link into the repository, which is not handed out
HEADER = (
    "**Exercises**: answers are checked on this page. Write in the cell of an exercise and run it: the line that "
    "begins with ✓ or ✗ says whether the answer is right, or what is wrong with it. Save the page, outputs included, "
    "before you hand it in.\n\n"
)


def for_students(path: Path) -> NotebookNode:
    """A notebook of the course without its solutions and outputs, with its pictures in it."""
    notebook = frozen_notebooks.read(path)
    for cell in notebook.cells:
        cell.source = SOLUTION.sub("", cell.source).rstrip()
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.cells = [cell for cell in notebook.cells if cell.source]
    first = notebook.cells[0]
    first.source = BADGE.sub("", first.source)
    if any(re.search(r'^check\("', cell.source, re.MULTILINE) for cell in frozen_notebooks.code_cells(notebook)):
        first.source = first.source.replace("**Time**:", f"{HEADER}**Time**:", 1)
    for cell in notebook.cells:
        _take_in_pictures(cell, path.parent)
    return notebook


def _take_in_pictures(cell: NotebookNode, folder: Path) -> None:
    """Attach the pictures that a text shows and undo its links, so that the file needs no other."""
    if cell.cell_type != "markdown":
        return

    def attached(match: re.Match) -> str:
        picture = folder / match[2]
        data = base64.b64encode(picture.read_bytes()).decode("ascii")
        cell.setdefault("attachments", {})[picture.name] = {"image/png": data}
        return f"{match[1]}attachment:{picture.name})"

    cell.source = ELSEWHERE.sub(r"\1", PICTURE.sub(attached, cell.source))


def write_all(folder: Path) -> list[Path]:
    """All notebooks for students, in a folder that is made."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = for_students(path)
        nbformat.validate(notebook)
        written.append(folder / path.name)
        nbformat.write(notebook, written[-1])
    return written


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else ROOT / "build" / "student"
    print(f"{len(write_all(folder))} notebooks without solutions and outputs are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
