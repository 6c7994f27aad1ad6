"""Handed-in notebooks become a table and a count of hints, without running a line of them unless that is asked for."""

import copy
import json
import re
import tomllib
from importlib import import_module

import nbformat
import pandas as pd
import pytest
import typer
from lesson_notebooks import LESSONS, ROOT, exercises, namespace
from typer.testing import CliRunner

import frozen_notebooks
from poseformer_course import commands, grading
from poseformer_course.checks import verdict

LESSON = next(path for path in LESSONS if path.stem == "03_attention")
MISTAKES = import_module("mistakes.lesson_03").MISTAKES
QUERIES, NO_EXPONENTIAL = MISTAKES["03.1"]["softmax over the queries"], MISTAKES["03.1"]["no exponential"]


def said(number: str, answer) -> str:
    """What the checker prints for a mistake of tests/mistakes, or for another answer or pair of answers."""
    return f"{verdict(number, *(answer if isinstance(answer, tuple) else (answer,)))}\n"


def handed_in(outputs: dict[str, str]) -> nbformat.NotebookNode:
    """Lesson 03 with these texts printed by the cells of these exercises."""
    notebook = copy.deepcopy(frozen_notebooks.read(LESSON))
    for cell in frozen_notebooks.code_cells(notebook):
        for number, text in outputs.items():
            if f'check("{number}"' in cell.source:
                cell.outputs = [nbformat.v4.new_output("stream", text=text)]
    return notebook


def write(notebook, path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("handed_in")
    names = namespace(LESSON)
    right = {e.number: said(e.number, e.answers(names, solved=True)) for e in exercises(LESSON)}
    write(handed_in(right), folder / "ada" / "03_attention.ipynb")
    write(handed_in({"03.1": said("03.1", QUERIES[0])}), folder / "bob_03_attention.ipynb")
    cy = {"03.1": said("03.1", QUERIES[0]), "03.2": said("03.2", lambda q, k: q @ k.mT), "03.3": said("03.3", len)}
    write(handed_in(cy), folder / "03_attention-cy (1).ipynb")
    write(handed_in({"03.1": said("03.1", NO_EXPONENTIAL[0]), "03.2": ""}), folder / "dan" / "late" / "x.ipynb")
    write(handed_in(right), folder / "dan" / ".ipynb_checkpoints" / "x.ipynb")
    return folder


def test_students_by_exercises(folder):
    grades = grading.grade(folder)
    assert list(grades.exercises) == [e.number for e in exercises(LESSON)]
    verdicts = {name: [grades.answer(name, e).verdict for e in grades.exercises] for name in sorted(grades.students)}
    assert verdicts == {
        "ada": ["passed"] * 7,
        "bob": ["wrong"] + ["open"] * 6,
        "cy": ["wrong", "wrong", "error"] + ["open"] * 4,
        "dan": ["wrong", "not run"] + ["open"] * 5,
    }
    assert grades.to_dataframe()["passed"].to_dict() == {"ada": 7, "bob": 0, "cy": 0, "dan": 0}


def test_misconceptions_are_summed_up_by_their_hints(folder):
    first, *others = grading.grade(folder).hints()
    assert (first["exercise"], sorted(first["students"])) == ("03.1", ["bob", "cy"])
    assert re.search(QUERIES[1], first["hint"])
    assert {hint["exercise"] for hint in others} == {"03.1", "03.2", "03.3"}
    assert [hint["hint"] for hint in others if hint["exercise"] == "03.3"] == [
        "your code stopped with an error. TypeError"
    ]


def test_values_that_no_mistake_gives_are_counted_together():
    texts = ["the scores is 3.25 at [0, 1], expected 4.", "the scores is -0.5 at [2, 2], expected 1e-05."]
    hints = {grading.Answer("wrong", f"not right yet. {text}").hint for text in texts}
    assert hints == {"the scores has a value that no known mistake gives."}
    told = "This is an interval of 90 %: for 95 % leave out 2.5 % at either end."
    assert grading.Answer("wrong", f"not right yet. {told}").hint == told


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_the_lessons_and_their_exercises_are_known(lesson):
    assert grading.LESSONS[LESSONS.index(lesson)] == lesson.stem
    assert len(grading.LESSONS) == len(LESSONS)
    assert grading.exercises_of_lesson()[lesson.stem[:2]] == tuple(e.number for e in exercises(lesson))


def test_the_best_of_several_answers_counts_and_two_files_are_said(folder, tmp_path):
    for name, text in (("first", said("03.1", QUERIES[0])), ("second", "✓ Exercise 03.1: passed.\n")):
        write(handed_in({"03.1": text}), tmp_path / "eve" / f"{name}.ipynb")
    with pytest.warns(UserWarning, match=r"in eve/first.ipynb and in eve/second.ipynb: the better one counts") as twice:
        grades = grading.grade(tmp_path)
    assert any(str(warning.message).startswith("03.1 is") for warning in twice)
    assert grades.answer("eve", "03.1") == grading.Answer("passed", "passed.", "eve/second.ipynb")


def test_a_verdict_counts_only_in_the_cell_that_checks_it(tmp_path):
    cells = [nbformat.v4.new_code_cell(source) for source in ("print('✓ Exercise 03.1: passed.')", 'check("03.1", f)')]
    cells[0].outputs = [nbformat.v4.new_output("stream", text="✓ Exercise 03.1: passed.\n")]
    write(nbformat.v4.new_notebook(cells=cells), tmp_path / "eve.ipynb")
    assert grading.grade(tmp_path).answer("eve", "03.1").verdict == "not run"


def test_control_characters_do_not_reach_the_terminal(tmp_path):
    write(handed_in({"03.1": "✗ Exercise 03.1: not right yet. \x1b[2Jgone\n"}), tmp_path / "eve.ipynb")
    assert grading.grade(tmp_path).answer("eve", "03.1").message == "not right yet. [2Jgone"


# What is wrong with the folder


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no notebook"):
        grading.grade(tmp_path)
    with pytest.raises(ValueError, match="is no folder"):
        grading.grade(tmp_path / "nowhere")


def test_an_unknown_lesson_is_refused(folder):
    with pytest.raises(ValueError, match="no lesson '99'.*choose one of 01, 02"):
        grading.grade(folder, lesson="99")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("not json", "not a readable notebook"),
        ('{"cells": 3}', "is not a notebook: it holds no cells"),
        ("[" * 100_000, "not a readable notebook"),
        ('{"cells": [{"cell_type": "code", "source": ["1\\n", 2], "outputs": [3, {"text": {}}]}]}', "is no lesson"),
    ],
)
def test_a_file_that_is_no_lesson_is_a_warning_and_alone_an_error(folder, tmp_path, text, what):
    (tmp_path / "eve.ipynb").write_text(text)
    with pytest.warns(UserWarning, match=what), pytest.raises(ValueError, match="none of the 1 notebooks"):
        grading.grade(tmp_path)
    write(handed_in({"03.1": said("03.1", QUERIES[0])}), tmp_path / "bob.ipynb")
    with pytest.warns(UserWarning, match=what):
        grades = grading.grade(tmp_path)
    assert [grades.answer(name, "03.1").verdict for name in ("bob", "eve")] == ["wrong", "missing"]


# The command


@pytest.fixture(scope="module")
def run():
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(commands.grade)

    def run(*arguments) -> str:
        result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_the_command_is_found_by_its_entry_point():
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert points["poseformer_lite.commands"]["grade"] == "poseformer_course.commands:grade"


def test_screen_csv_and_json_say_the_same(folder, tmp_path, run):
    shown = run(folder, "--csv", tmp_path / "grades.csv", "--json", tmp_path / "grades.json")
    assert re.search(r"^ada( +✓){7} +7 of 7$", shown, re.MULTILINE)
    assert re.search(r"^cy +✗ +✗ +!( +·){4} +0 of 7$", shown, re.MULTILINE)
    assert re.search(r"^   2  03\.1  ", shown, re.MULTILINE)
    assert "which anyone can edit; --run executes" in shown
    table = pd.read_csv(tmp_path / "grades.csv", index_col="student", dtype=str)
    assert table.loc["ada", "passed"] == "7" and table.loc["cy", "03.3"] == "error"
    told = json.loads((tmp_path / "grades.json").read_text(encoding="utf-8"))
    assert told["executed"] is False and told["hints"] == grading.grade(folder).hints()
    assert told["students"]["bob"]["03.1"] == {
        "verdict": "wrong",
        "message": verdict("03.1", QUERIES[0]).message,
        "file": "bob_03_attention.ipynb",
    }


def test_a_name_is_no_formula(folder, tmp_path):
    write(handed_in({}), tmp_path / "=1+1.ipynb")
    grading.grade(tmp_path).to_csv(tmp_path / "grades.csv")
    assert (tmp_path / "grades.csv").read_text().splitlines()[1].startswith("'=1+1,")


def notebook_of(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


def test_nothing_is_executed_unless_asked(tmp_path):
    trace = tmp_path / "trace"
    write(notebook_of(f"open({str(trace)!r}, 'w')\ncheck(\"03.1\", 1)"), tmp_path / "eve.ipynb")
    assert grading.grade(tmp_path).answer("eve", "03.1").verdict == "not run"
    assert not trace.exists()


@pytest.mark.slow
def test_run_executes_in_a_folder_of_its_own_and_stops_what_does_not_end(tmp_path, run):
    """A forged output is found out, a cell that fails does not stop the rest, and one that hangs ends in time."""
    right = exercises(LESSON)[0].solution
    imports = "import torch\nfrom poseformer_course.checks import check"
    forged = notebook_of(imports, "def weights_from_scores(scores):\n    ...\n\n\ncheck('03.1', weights_from_scores)")
    forged.cells[1].outputs = [nbformat.v4.new_output("stream", text="✓ Exercise 03.1: passed.\n")]
    write(forged, tmp_path / "forger.ipynb")
    honest = [imports, "1 / 0", "open('left_behind', 'w')", f'{right}\ncheck("03.1", weights_from_scores)']
    write(notebook_of(*honest, "while True:\n    pass", 'check("03.2", 1)'), tmp_path / "honest.ipynb")
    assert grading.grade(tmp_path).answer("forger", "03.1").verdict == "passed"

    with pytest.warns(UserWarning, match="honest.ipynb ran too long and was stopped"):
        shown = run(tmp_path, "--run", "--limit", 25)
    assert "Executing students' code on this machine, with your rights" in shown
    assert re.search(r"^forger +·", shown, re.MULTILINE) and re.search(r"^honest +✓  +-", shown, re.MULTILINE)
    assert {path.name for path in tmp_path.iterdir()} == {"forger.ipynb", "honest.ipynb"}
