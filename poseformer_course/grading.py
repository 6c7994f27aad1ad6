"""A table of students by exercises out of handed-in notebooks, and which hints they got.

The verdicts are those that the checkers printed into the stored outputs: nothing is executed, and nothing proves that
an output is what the code beside it printed. With `run` the notebooks are executed, which executes students' code.
"""

import re
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

import pandas as pd

from poseformer_course.checks.judge import OPEN, PASSED, STOPPED, WRONG
from poseformer_lite.checked import read_json

LESSONS = (
    "01_from_pixels_to_joints",
    "02_tokenization",
    "03_attention",
    "04_transformer_encoder",
    "05_poseformer",
    "06_training_on_gpu",
    "07_evaluation",
    "08_attention_maps",
    "09_skeletons_in_3d",
    "10_ablations",
    "11_efficiency",
    "12_transfer_to_small_data",
    "13_in_the_wild",
    "14_what_came_next",
)
MARKS = {"passed": "✓", "wrong": "✗", "error": "!", "open": "·", "not run": "-", "missing": ""}  # the best first
BEGINNINGS = {PASSED: "passed", WRONG: "wrong", STOPPED: "error", OPEN: "open"}
LARGEST = 100_000_000  # bytes of a notebook
CALL = re.compile(r"""^\s*check\(\s*["'](\d\d\.\d)["']""", re.MULTILINE)
SAID = re.compile(r"^[✓✗] Exercise (\d\d\.\d): (.*)$", re.MULTILINE)
ANOTHER_VALUE = re.compile(r" is -?[\d.,e+-]+(?: at \[[\d, ]*\])?, expected .*")


@dataclass(frozen=True)
class Answer:
    """What became of one exercise: a key of MARKS, what the checker said, and in which file."""

    verdict: str = "missing"
    message: str = ""
    file: str = ""

    def rank(self) -> int:
        return list(MARKS).index(self.verdict)

    @property
    def hint(self) -> str:
        """The hint without what differs from student to student: values that no known mistake gives, lines of code."""
        text = self.message.removeprefix(WRONG).strip()
        if self.verdict == "error":
            return STOPPED + text.removeprefix(STOPPED).partition(":")[0].partition(" in the line")[0]
        return ANOTHER_VALUE.sub(" has a value that no known mistake gives.", text)


@dataclass(frozen=True)
class Grades:
    """students: {name: {exercise: Answer}}; executed: whether the notebooks were run."""

    students: dict[str, dict[str, Answer]]
    exercises: tuple[str, ...]
    executed: bool = False

    def answer(self, student: str, exercise: str) -> Answer:
        return self.students[student].get(exercise, Answer())

    def to_dataframe(self) -> pd.DataFrame:
        """A row for each student, a column for each exercise with its verdict in words, and how many passed."""
        rows = {name: [self.answer(name, e).verdict for e in self.exercises] for name in self.students}
        table = pd.DataFrame.from_dict(rows, orient="index", columns=list(self.exercises)).rename_axis("student")
        table["passed"] = (table == "passed").sum(axis=1)
        return table

    def hints(self) -> list[dict]:
        """Every hint that was given, the most frequent first: {exercise, hint, students}."""
        given = defaultdict(list)
        for name in self.students:
            for exercise in self.exercises:
                answer = self.answer(name, exercise)
                if answer.verdict in ("wrong", "error"):
                    given[exercise, answer.hint].append(name)
        found = [{"exercise": exercise, "hint": hint, "students": who} for (exercise, hint), who in given.items()]
        return sorted(found, key=lambda row: (-len(row["students"]), row["exercise"], row["hint"]))

    def to_csv(self, path: Path) -> None:
        """The table. A name that a spreadsheet would take for a formula gets an apostrophe before it."""
        self.to_dataframe().rename(index=lambda name: f"'{name}" if name[:1] in "=+-@" else name).to_csv(path)

    def to_dict(self) -> dict:
        """All that is known, for JSON."""
        students = {n: {e: asdict(self.answer(n, e)) for e in self.exercises} for n in self.students}
        return {"executed": self.executed, "exercises": self.exercises, "students": students, "hints": self.hints()}

    def __str__(self) -> str:
        width = max(len("student"), *map(len, self.students))
        lines = ["  ".join(["student".ljust(width), *self.exercises, "passed"])]
        for name, passed in self.to_dataframe()["passed"].items():
            marks = [MARKS[self.answer(name, exercise).verdict].center(4) for exercise in self.exercises]
            lines.append("  ".join([name.ljust(width), *marks, f"{passed} of {len(self.exercises)}"]))
        lines.append("\n" + ", ".join(f"{mark or 'blank'} {word}" for word, mark in MARKS.items()))
        if hints := self.hints():
            lines.append("\nHints, by how many students got them:")
            lines += [f"{len(hint['students']):4}  {hint['exercise']}  {hint['hint']}" for hint in hints]
        return "\n".join(lines)


def grade(folder: str | Path, lesson: str | None = None, run: bool = False, limit: float = 600) -> Grades:
    """The grades of all notebooks in a folder: one file a student, or a folder a student with any number of files.

    A student is named by the folder, else by the file without the lesson's name: `ada_03_attention.ipynb` is ada's.
    Of several answers to one exercise the best counts. What cannot be read is a warning.

    :param lesson: the one that is graded, such as "03"; all that occur where none is named
    :param run: execute each notebook, in a kernel and a temporary folder of its own, and read what is printed then
    :param limit: seconds after which a notebook that runs is stopped
    :raises ValueError: for a lesson that does not exist, and a folder without a notebook that can be read
    """
    folder = Path(folder)
    known = exercises_of_lesson()
    if lesson is not None and lesson not in known:
        raise ValueError(f"there is no lesson {lesson!r} with exercises: choose one of {', '.join(known)}")
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder: name the one that holds the notebooks that were handed in")
    paths = [path for path in sorted(folder.rglob("*.ipynb")) if not _is_hidden(path.relative_to(folder))]
    if not paths:
        raise ValueError(f"{folder} holds no notebook: put one .ipynb a student in it, or a folder a student")
    students: dict[str, dict[str, Answer]] = {}
    readable = 0
    for path in paths:
        answers = students.setdefault(student_of(path.relative_to(folder)), {})
        name = path.relative_to(folder).as_posix()
        try:
            cells = code_cells(path)
            if not any(CALL.search(source) for source, _ in cells):
                raise ValueError(f'{path} is no lesson with exercises: it holds no line such as check("03.2", ...)')
            for exercise, answer in answers_in(execute(path, limit) if run else cells, name):
                if exercise in answers and answers[exercise].file != name:
                    twice = f"{exercise} is in {answers[exercise].file} and in {name}: the better one counts"
                    warnings.warn(twice, stacklevel=2)
                answers[exercise] = min(answers.get(exercise, Answer()), answer, key=Answer.rank)
            readable += 1
        except (ValueError, OSError) as error:
            warnings.warn(str(error), stacklevel=2)
    if not readable:
        raise ValueError(f"none of the {len(paths)} notebooks in {folder} is a lesson that can be read")
    found = {exercise for answers in students.values() for exercise in answers}
    if unknown := sorted(found - {exercise for numbers in known.values() for exercise in numbers}):
        warnings.warn(f"there is no exercise {', '.join(unknown)}: left out", stacklevel=2)
    lessons = [lesson] if lesson else [number for number in known if any(e.startswith(number) for e in found)]
    return Grades(
        dict(sorted(students.items())), tuple(exercise for number in lessons for exercise in known[number]), run
    )


@cache
def exercises_of_lesson() -> dict[str, tuple[str, ...]]:
    """{"03": ("03.1", "03.2", ...)}, from the checkers."""
    found = {}
    for name in LESSONS:
        checkers = vars(import_module(f"poseformer_course.checks.lesson_{name[:2]}"))
        found[name[:2]] = tuple(f"{name[:2]}.{e[-1]}" for e in sorted(checkers) if re.fullmatch(r"exercise_\d", e))
    return found


def student_of(path: Path) -> str:
    """Whose a file is, from its path in the folder of all."""
    if len(path.parts) > 1:
        return path.parts[0]
    name = re.sub(r" ?\(\d+\)$", "", path.stem)  # what browsers add to a second download
    for lesson in LESSONS:
        name = name.replace(lesson, "")
    return name.strip(" _-.") or path.stem


def code_cells(path: Path) -> list[tuple[str, str]]:
    """The code of a stored notebook's cells, each with what it printed. Raises ValueError for another file."""
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} has {path.stat().st_size:,} bytes, expected at most {LARGEST:,}")
    stored = read_json(path, "notebook")
    cells = stored.get("cells") if isinstance(stored, dict) else None
    if not isinstance(cells, list):
        raise ValueError(f"{path} is not a notebook: it holds no cells. Hand in the .ipynb file that Jupyter saved")
    code = [cell for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    return [(_text(cell.get("source")), _printed(cell.get("outputs"))) for cell in code]


def answers_in(cells: list[tuple[str, str]], file: str) -> Iterator[tuple[str, Answer]]:
    """Every exercise that a cell has checked, with the last verdict that this cell printed about it."""
    for source, printed in cells:
        verdicts = dict(SAID.findall(printed))
        for exercise in CALL.findall(source):
            message = "".join(filter(str.isprintable, verdicts.get(exercise, "")))
            kinds = [kind for beginning, kind in BEGINNINGS.items() if message.startswith(beginning)]
            yield exercise, Answer(kinds[0] if kinds else "not run", message, file)


def execute(path: Path, limit: float) -> list[tuple[str, str]]:
    """The cells of a notebook after a run in a fresh kernel, which starts in an empty folder that is then removed.

    This executes the student's code with all rights of whoever calls it. A notebook that takes longer than `limit`
    seconds is stopped, with a warning; what its cells had printed by then is kept.
    """
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellTimeoutError, DeadKernelError
    except ImportError:
        raise ValueError("running notebooks needs Jupyter: pip install 'poseformer-lite[notebooks]'") from None
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    end = time.monotonic() + limit
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            allow_errors=True,
            timeout_func=lambda cell: max(1, round(end - time.monotonic())),
            resources={"metadata": {"path": folder}},
        )
        try:
            client.execute()
        except (CellTimeoutError, DeadKernelError) as error:
            why = "ran too long" if isinstance(error, CellTimeoutError) else "lost its kernel"
            warnings.warn(f"{path} {why} and was stopped: what it printed before counts", stacklevel=3)
    return [(cell.source, _printed(cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]


def _printed(outputs) -> str:
    found = [output for output in outputs if isinstance(output, dict)] if isinstance(outputs, list) else []
    return "".join(_text(output.get("text")) for output in found if output.get("name") == "stdout")


def _text(value) -> str:
    """A text of a notebook: one string, or a list of lines."""
    return "".join(map(str, value)) if isinstance(value, list) else value if isinstance(value, str) else ""


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)
