"""What the lessons teach is what the package runs, each thing is defined once, and the pages read well."""

import ast
import inspect
import re
import statistics
from collections import Counter
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from lesson_notebooks import LESSONS, ROOT, built, code, definitions, is_exercise

import frozen_notebooks
import poseformer_course
import poseformer_lite

PACKAGES = [Path(package.__file__).parent for package in (poseformer_lite, poseformer_course)]
TAUGHT = {
    "03": {"attention_weights", "MultiHeadSelfAttention"},
    "04": {"StochasticDepth", "Mlp", "EncoderBlock", "TransformerEncoder", "TemporalTransformerBaseline"},
    "05": {"SpatialTransformer", "TemporalTransformer", "RegressionHead", "PoseFormer"},
    "06": {"window_indices", "flip_poses", "learning_rate"},
}
BUILT = {
    "03": {"MultiHeadSelfAttention"},
    "04": {"EncoderBlock"},
    "05": {"SpatialTransformer", "TemporalTransformer", "RegressionHead", "PoseFormer"},
}
SECTIONS = ["Exercises", "What we saw", "Where the paper and its code differ", "Further reading"]


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


@cache
def package_definitions() -> dict[str, list]:
    """Every public function and class at the top of the package's modules, by its name."""
    found: dict[str, list] = {}
    for file in sorted(file for package in PACKAGES for file in package.rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.setdefault(node.name, []).append(node)
    return found


def bare(node: ast.stmt) -> str:
    """The syntax tree of a definition without docstrings."""
    node = ast.parse(ast.unparse(node)).body[0]
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.ClassDef):
            inner.body = [
                statement
                for position, statement in enumerate(inner.body)
                if not (position == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
            ]
    return ast.dump(node)


def test_lessons_are_numbered_in_order():
    numbers = [int(path.name[:2]) for path in LESSONS]
    assert numbers == [*range(1, 15)]


def test_what_a_lesson_defines_is_what_the_package_runs(path):
    known = package_definitions()
    drifted = []
    for name, node in (definitions(path) | built(path)).items():
        for ours in known.get(name, []):
            if bare(node) != bare(ours):
                drifted.append(name)
    assert drifted == []


@pytest.mark.parametrize("number", TAUGHT)
def test_the_lessons_teach_the_parts_of_the_package(number):
    path = next(path for path in LESSONS if path.name.startswith(number))
    assert TAUGHT[number] <= set(definitions(path)) | set(built(path))


@pytest.mark.parametrize("number", BUILT)
def test_learners_build_the_network_and_go_on_with_what_they_built(number):
    """A stub of that name, whose solution is the package's class, and below it the choice between the two."""
    path = next(path for path in LESSONS if path.name.startswith(number))
    assert BUILT[number] <= set(built(path))
    cells = code(path)
    stubs = [node.name for cell in filter(is_exercise, cells) for node in ast.parse(cell).body if hasattr(node, "name")]
    chosen = set(re.findall(r"^(\w+) = yours_or_reference\(", "\n".join(cells), re.MULTILINE))
    assert BUILT[number] <= set(stubs) & chosen


def test_the_comparison_sees_a_changed_line_and_no_docstring():
    source = '{doc}def scale(x):\n    """{words}"""\n    return x * {factor}'
    tree = {
        (words, factor): ast.parse(source.format(doc="", words=words, factor=factor)).body[0]
        for words, factor in [("One.", 2), ("Two.", 2), ("One.", 3)]
    }
    assert bare(tree["One.", 2]) == bare(tree["Two.", 2])
    assert bare(tree["One.", 2]) != bare(tree["One.", 3])


def test_each_name_is_defined_in_one_lesson():
    names = Counter(name for path in LESSONS for name in definitions(path))
    for path in LESSONS:
        for cell in filter(is_exercise, code(path)):
            names.update({n.name for n in ast.parse(cell).body if isinstance(n, ast.FunctionDef | ast.ClassDef)})
    assert [name for name, count in names.items() if count > 1] == []


def test_no_lesson_imports_another_notebook(path):
    assert [cell for cell in code(path) if re.search(r"%run|nbimporter|import_ipynb", cell)] == []


def test_prose_and_code_are_in_balance(path):
    cells = frozen_notebooks.read(path).cells
    words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    lines = sorted(sum(1 for line in cell.splitlines() if line.strip()) for cell in code(path))
    assert 60 <= words / len(lines) <= 200, "words of prose per code cell, solutions and headings included"
    assert statistics.quantiles(lines, n=20)[-1] <= 30


def test_lessons_end_alike(path):
    cells = [cell.source for cell in frozen_notebooks.read(path).cells if cell.cell_type == "markdown"]
    headings = re.findall(r"^## (.+)$", "\n\n".join(cells), re.MULTILINE)
    assert headings[-len(SECTIONS) :] == SECTIONS


def test_every_lesson_names_the_next(path):
    after = LESSONS[LESSONS.index(path) + 1 :]
    last = frozen_notebooks.read(path).cells[-1].source
    assert not after or after[0].stem in last


def test_pictures_of_the_lessons_have_their_command(path):
    number = path.name[:2]
    assert (ROOT / "figures" / f"lesson_{number}.py").is_file()
    assert (ROOT / "figures" / f"lesson_{number}.png").stat().st_size < 300_000


def test_checkers_that_are_functions_are_documented(path):
    module = import_module(f"poseformer_course.checks.lesson_{path.name[:2]}")
    judges = {name: member for name, member in vars(module).items() if re.fullmatch(r"exercise_\d", name)}
    assert [name for name, member in judges.items() if inspect.isfunction(member) and not inspect.getdoc(member)] == []
