"""The certificate says what the file of answers says, and "nothing yet" where there is none."""

import json

import matplotlib.pyplot as plt
import pytest
from lesson_notebooks import LESSONS, exercises

from poseformer_course.certificate import CORE, PARTS, certificate
from poseformer_course.checks import kept


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(kept.VARIABLE, raising=False)
    yield tmp_path
    plt.close("all")


def words(figure) -> str:
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    return " | ".join([figure.get_suptitle(), *texts])


def test_nothing_yet(capsys):
    drawn = words(certificate("Ada"))
    total = sum(len(exercises(path)) for path in LESSONS if path.stem[:2] in CORE)
    assert capsys.readouterr().out == (
        f"Exercises passed in lessons 01 to 07: nothing yet of {total}\n"
        "Parts of PoseFormer that are yours: nothing yet\n"
    )
    assert "Ada" not in drawn and drawn.count("the package's") == len(PARTS)


def test_what_passed_is_named_and_counted(folder, capsys):
    entries = {"03.5": {"passed": True}, "03.1": {"passed": True}, "05.5": {"passed": False}, "08.1": {"passed": True}}
    (folder / kept.FILE).write_text(json.dumps(entries))
    drawn = words(certificate("Ada"))
    said = capsys.readouterr().out
    assert "lessons 01 to 07: 2 of" in said and "are yours: multi-head attention\n" in said
    assert "PoseFormer, built by Ada" in drawn and drawn.count("built by Ada") == 2 and "2 of 7" in drawn


def test_every_part_is_an_exercise_of_the_core_path():
    numbers = {exercise.number for path in LESSONS if path.stem[:2] in CORE for exercise in exercises(path)}
    assert set(PARTS.values()) <= numbers
