"""The schedules of the page for teachers add up, and what it shows of other tools has their form."""

import ast
import re

import pytest
from lesson_notebooks import LESSONS, ROOT, exercises

PAGE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
MINUTES = {exercise.number: exercise.minutes for path in LESSONS for exercise in exercises(path)}


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> list[list[str]]:
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_six_sessions_of_ninety_minutes_hold_the_core_path():
    minutes: dict[str, int] = {}
    for session, length, what, asked in rows("Six sessions of ninety minutes"):
        minutes[session] = minutes.get(session, 0) + int(length)
        assert sum(MINUTES[number] for number in re.findall(r"\d\d\.\d", asked)) <= 0.75 * int(length), what
    assert minutes == {str(session): 90 for session in range(1, 7)}
    taught = re.findall(r"\b(0\d)[:,. ]", " ".join(row[2] for row in rows("Six sessions of ninety minutes")))
    assert set(taught) >= {f"0{number}" for number in range(9)}


def test_two_hours_are_two_hours():
    assert sum(int(row[0]) for row in rows("Two hours")) == 120


def test_homework_is_not_done_in_class_and_takes_three_quarters_of_an_hour():
    text = section("Six sessions of ninety minutes")
    homework = text.split("Homework between the sessions")[1]
    parts = [re.findall(r"\d\d\.\d", part) for part in homework.split(";")]
    in_class = {n for row in rows("Six sessions of ninety minutes") for n in re.findall(r"\d\d\.\d", row[3])}
    assert len(parts) == 6 and all(20 <= sum(MINUTES[number] for number in part) <= 45 for part in parts)
    assert in_class.isdisjoint(number for part in parts for number in part)


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", section("Hand out, show, grade"), re.DOTALL))
def test_code_of_the_page_is_code(code):
    ast.parse(code)


def test_the_metadata_of_nbgrader_has_the_keys_of_its_third_schema():
    cells = [dict(re.findall(r'"(\w+)": ("[^"]*"|\w+)', text)) for text in re.findall(r'"nbgrader": \{(.*?)\}', PAGE)]
    required = {"grade", "grade_id", "locked", "schema_version", "solution"}
    assert [set(cell) >= required and cell["schema_version"] == "3" for cell in cells] == [True, True]
    assert ["points" in cell for cell in cells] == [cell["grade"] == "true" for cell in cells] == [False, True]
    assert all(re.fullmatch(r'"[\w-]+"', cell["grade_id"]) for cell in cells)
