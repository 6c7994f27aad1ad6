"""Cells of a lesson that are run out of order: what they need, or have got from the wrong cell, is said by name."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from poseformer_course.order import Order, names_of, read_cells

LESSONS = sorted((Path(__file__).resolve().parent.parent / "notebooks").glob("*.ipynb"))
CELLS = [
    ("# A lesson\n\n## Two bodies", None),
    ("body", "import math\nbody = [1, 2]"),
    ("turned", "turned = body[::-1]\nprint(turned)"),
    ("## A third\n\nIt is added.", None),
    ("added", "body.append(3)\nbody = body + [4]\nlong = [math.sqrt(x) for x in body]"),
    ("length", "def length():\n    return len(long)\n\nlong[0] = 1\nprint(length(), turned)"),
]


@pytest.fixture
def lesson(tmp_path):
    """A notebook, and its sources by name."""
    cells = [
        {"cell_type": "code", "id": name, "source": source} if source else {"cell_type": "markdown", "source": name}
        for name, source in CELLS
    ]
    (tmp_path / "lesson.ipynb").write_text(json.dumps({"cells": cells}))
    (tmp_path / "other.ipynb").write_text('{"cells": []}')
    (tmp_path / "broken.ipynb").write_text("{")
    return tmp_path, {name: source for name, source in CELLS if source}


@pytest.mark.parametrize(
    ("code", "needed", "made", "touched"),
    [
        ("a = b", "b", "a", ""),
        ("a = a + 1", "a", "a", ""),
        ("a = 0\na += 1", "", "a", ""),
        ("a += 1", "a", "a", ""),
        ("for i in n:\n    s += i", "n s", "i s", ""),
        ("for i in n:\n    s = i\n    s += i", "n", "i s", ""),
        ("import a.b, c as d\nd.e = a", "", "a d", "d"),
        ("x[i].y = z", "x i z", "", "x"),
        ("def f(a):\n    b = a\n    return b + c", "c", "f", ""),
        ("[a for a in b]\nlambda d: d + e", "b e", "", ""),
        ("x = {k: {i for i in v} for k, v in w.items() if k != z}", "w z", "x", ""),
        ("with f(a) as b:\n    print(b)", "f a print", "b", ""),
        ("class A(B):\n    c = D", "B D", "A", ""),
        ("%matplotlib inline", "", "", ""),
    ],
)
def test_names_that_code_needs_and_makes(code, needed, made, touched):
    names = names_of(code)
    found = names.needed, names.made, names.touched
    assert found == (set(needed.split()), set(made.split()), set(touched.split()))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem[:2])
def test_nothing_is_said_of_a_lesson_from_top_to_bottom(path, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", str(path))
    order = Order(path.parent)
    assert [said for cell in read_cells(path) if (said := order.run(cell.source, cell.id))] == []
    assert order.cells


def test_a_name_that_is_not_there_is_said_with_its_cell(lesson):
    folder, sources = lesson
    order = Order(folder)
    assert order.run(sources["turned"]) == []
    assert order.missing("body") == (
        'It is made by the cell that begins with `import math`, under "Two bodies". Run that one first, or choose '
        "Run > Run All Above Selected Cell."
    )
    assert order.missing("nobody") == ""
    assert Order(folder / "none").missing("body").startswith("If a cell above makes it: run that one first")


def test_what_a_later_cell_left_is_said_and_what_a_cell_did_before(lesson):
    folder, sources = lesson
    order = Order(folder)
    assert [order.run(source) for source in sources.values()] == [[], [], [], []]
    (said,) = order.run(sources["turned"])
    assert said.startswith('`body` is as left by the cell that begins with `body.append(3)`, under "A third", but is')
    assert "needed here as left by the cell that begins with `import math`" in said
    (said,) = order.run(sources["added"])
    assert said.startswith("`body` is as this cell left it when it was run before")
    assert order.run(sources["body"]) == order.run(sources["turned"]) == order.run(sources["added"]) == []
    assert order.run(sources["length"]) == order.run(sources["length"]) == []  # sets the same item again


def test_a_cell_that_a_learner_has_changed_is_known_by_its_id(lesson):
    folder, sources = lesson
    order = Order(folder)
    order.run(sources["body"])
    order.run("body = body + [5]", "added")
    assert 'under "A third"' in order.run("turned = list(body)", "turned")[0]
    order.run("body = 'mine'", "a cell of my own")
    assert order.run(sources["turned"]) == []


IPYTHON = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("import poseformer_course")
for cell in eval(sys.argv[1]):
    shell.run_cell(cell)
"""


def test_a_learner_sees_both_in_ipython(lesson):
    folder, sources = lesson
    order = [sources[name] for name in ("turned", "body", "turned", "added", "turned")]
    done = subprocess.run(
        [sys.executable, "-c", IPYTHON, repr([*order, "undefined"])],
        cwd=folder, env={"PYTHONPATH": ":".join(sys.path), "HOME": str(folder)}, capture_output=True, text=True,
    )  # fmt: skip
    assert "name 'body' is not defined. It is made by the cell that begins with `import math`" in done.stdout
    assert "name 'undefined' is not defined\n" in done.stdout
    (note,) = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert note.startswith("note: `body` is as left by the cell that begins with `body.append(3)`")
