"""What the lessons teach is what the package runs, each thing is defined once, and the pages read well."""

import ast
import inspect
import json
import math
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
MEASURED = ROOT / "benchmarks" / "results"
REMOVALS = {  # what lesson 11 calls the rows of its table
    "the released recipe": "the released recipe, six times as long",
    "speedrun": "preset `speedrun`",
    "batches of 128": "… but batches of 128",
    "learning rate constant": "… but a constant learning rate",
    "chunks of 4": "… but chunks of 4",
    "no warm-up": "… but no warm-up",
    "start as given": "… but the start as given",
    "every frame supervised": "… but every frame supervised",
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


def test_sections_that_lessons_point_to_exist(path):
    """A link to a lesson names its section in quotes: `[lesson 07](07_evaluation.ipynb), "Three seeds"`."""
    cells = [cell.source for cell in frozen_notebooks.read(path).cells if cell.cell_type == "markdown"]
    named = re.findall(r'\]\((\d\d_\w+\.ipynb)\),? \(?(?:showed under )?"([^"]+)"', "\n\n".join(cells))
    found = {name: (path.parent / name).read_text(encoding="utf-8") for name, _ in named}
    assert [pair for pair in named if not re.search(rf'"#+ {re.escape(pair[1])}', found[pair[0]])] == []


def test_pictures_of_the_lessons_have_their_command(path):
    number = path.name[:2]
    assert (ROOT / "figures" / f"lesson_{number}.py").is_file()
    assert (ROOT / "figures" / f"lesson_{number}.png").stat().st_size < 300_000


def test_checkers_that_are_functions_are_documented(path):
    module = import_module(f"poseformer_course.checks.lesson_{path.name[:2]}")
    judges = {name: member for name, member in vars(module).items() if re.fullmatch(r"exercise_\d", name)}
    assert [name for name, member in judges.items() if inspect.isfunction(member) and not inspect.getdoc(member)] == []


def stored(name: str) -> dict:
    return json.loads((MEASURED / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lesson_11() -> str:
    return prose("11")


def prose(number: str) -> str:
    path = next(path for path in LESSONS if path.name.startswith(number))
    return "\n\n".join(cell.source for cell in frozen_notebooks.read(path).cells if cell.cell_type == "markdown")


def error(run: dict) -> str:
    return f"{run['held out mean mm']} ± {run['held out spread mm']}"


def test_the_table_of_lesson_11_is_what_was_measured(lesson_11):
    runs = stored("time_to_accuracy_synthetic")["runs"]
    measured = {REMOVALS[run["way"]]: error(run) for run in runs if run["share of the recipe's time"] in (0.167, 1)}
    printed = re.findall(r"^\| (.+?) \| \*?([\d.]+ ± [\d.]+)\*? \|$", lesson_11, re.MULTILINE)
    found = {name: value for name in measured for label, value in printed if label.strip("*").startswith(name)}
    assert found == measured
    assert len(printed) == len(REMOVALS)


def test_what_lesson_11_says_of_schedules_was_measured(lesson_11):
    synthetic, cmu = (stored(f"time_to_accuracy_{name}") for name in ("synthetic", "cmu"))
    of = {(name, run["way"], run["share of the recipe's time"]): error(run)
          for name, found in (("synthetic", synthetic), ("cmu", cmu)) for run in found["runs"]}  # fmt: skip
    assert f"it is at {of['synthetic', 'speedrun', 0.083]} mm" in lesson_11
    assert f"({of['cmu', 'speedrun', 0.083]} against {of['cmu', 'the released recipe', 1]})" in lesson_11
    seconds = synthetic["seconds_a_window"]
    assert f"took {seconds['chunks of 4'] / seconds['speedrun']:.2f} times as long" in lesson_11


def test_what_lesson_11_says_of_lifting_was_measured(lesson_11):
    many = stored("poses_per_window")
    middle, low, high = many["times_as_fast"]["27 poses a window"]
    assert f"{middle:.0f} times as fast ({low:.0f} to {high:.0f})" in lesson_11
    errors = [many["errors"][data] for data in ("synthetic", "cmu")]
    more, ahead = (
        [found[name]["MPJPE"] - found["1 poses a window"]["MPJPE"] for found in errors]
        for name in ("27 poses a window", "0 frames ahead")
    )
    assert f"cost {more[0]:.1f} mm on synthetic takes and {more[1]:.1f} mm on CMU's" in lesson_11
    assert f"look-ahead was {ahead[0]:.1f} and {ahead[1]:.1f} mm worse" in lesson_11
    speeds = [found[f"{S} poses a window"]["MPJVE"] for found in errors for S in (3, 9, 27)]
    assert (round(min(speeds)), round(max(speeds))) == (8, 9)
    assert "grows from 6 to 8 or 9 mm a frame" in lesson_11

    ours = [row for row in stored("bench/inference")["inference"] if row["size"] == "paper"]
    batch = [row["times as fast as: plain, a take in one batch"]["ours"][0] for row in ours]
    products = [100 * row["share of the temporal stage's products"]["ours"][0] for row in ours]
    assert f"{min(batch):.1f} to {max(batch):.1f} times as fast as the plain network in one batch" in lesson_11
    assert f"would have taken {min(products):.0f} to {max(products):.0f} % of its time" in lesson_11


def test_what_lessons_say_of_bfloat16_was_measured(lesson_11):
    lesson_06, found = prose("06"), stored("half_precision")["difference"]
    apart = max(map(abs, found["bf16 minus float32, mm"]))
    assert f"within {math.ceil(10 * apart) / 10:.1f} mm of those trained in 32 bits" in lesson_06
    assert f"by {found['standard deviation over seeds in float32, mm']:.1f} mm (standard deviation" in lesson_06
    ways = [row["times as fast as: ours"]["ours, bf16"][0] for row in stored("bench/inference")["inference"]]
    assert f"lifted {min(ways):.1f} to {max(ways):.1f} times as fast with it" in lesson_11


def test_what_lesson_11_says_of_what_did_not_help_was_measured(lesson_11):
    found = stored("what_did_not_help")
    pairs = [(found["eight_bits"][net][f"{by}, 8 bits"], found["eight_bits"][net][by])
             for net in ("lite", "small") for by in ("torch", "onnxruntime")]  # fmt: skip
    moved = [low["moved mm"] for low, _ in pairs]
    grown = [low["MPJPE mm"] - full["MPJPE mm"] for low, full in pairs]
    faster = [low["times as fast"][0] for low, _ in pairs]
    assert f"moved by {min(moved):.0f} to {max(moved):.0f} mm" in lesson_11
    assert f"grew by {min(grown):.1f} to {max(grown):.1f} mm" in lesson_11
    assert f"lifted {min(faster):.1f} to {max(faster):.1f} times as fast" in lesson_11
    assert f"runs {found['first_layer_shared']['paper f=27']['times as fast'][0]:.1f} times as fast" in lesson_11
