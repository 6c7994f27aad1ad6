"""Every exercise answers: its stub is open, its folded solution passes, and plausible mistakes get a hint by name."""

import copy
import inspect
import re
from collections import Counter
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from lesson_notebooks import LESSONS, ROOT, exercises, namespace

from poseformer_course.checks import Wrong, check, compare, verdict, yours_or_reference
from poseformer_course.checks.judge import Exercise, NotAnswered, _sentence
from poseformer_lite.model.attention import MultiHeadSelfAttention

EXERCISES = [exercise for path in LESSONS for exercise in exercises(path)]


def mistakes(number: str) -> dict:
    """{what the mistake is: (the answer or answers, what the hint must say)} of one exercise."""
    module = f"mistakes.lesson_{number[:2]}"
    return import_module(module).MISTAKES.get(number, {}) if find_spec(module) else {}


def judged(number: str) -> dict[str, Exercise]:
    """The parts of an exercise that compare an answer with mistakes: `exercise_2`, `exercise_2_split` and so on."""
    module = import_module(f"poseformer_course.checks.lesson_{number[:2]}")
    named = {name: part for name, part in vars(module).items() if isinstance(part, Exercise)}
    return {name: part for name, part in named.items() if re.fullmatch(rf"exercise_{number[3]}(_\w+)?", name)}


@pytest.fixture(params=EXERCISES, ids=lambda exercise: exercise.number)
def exercise(request):
    return request.param


@pytest.fixture(scope="module")
def namespaces():
    return {path: namespace(path) for path in LESSONS}


def test_every_lesson_has_at_least_four_and_the_course_thirty():
    per_lesson = Counter(exercise.notebook for exercise in EXERCISES)
    assert {path.name: per_lesson[path] for path in LESSONS if per_lesson[path] < 4} == {}
    assert len(EXERCISES) >= 30


def test_numbers_follow_the_lessons():
    expected = []
    for path in LESSONS:
        expected += [f"{path.name[:2]}.{i + 1}" for i in range(len(exercises(path)))]
    assert [exercise.number for exercise in EXERCISES] == expected


def test_the_page_for_teachers_knows_them():
    page = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b[01]\d\.\d\b", page))
    assert named - {exercise.number for exercise in EXERCISES} == set()
    assert int(re.search(r"(\d+) in all", page)[1]) == len(EXERCISES)


def test_no_checker_is_without_an_exercise():
    numbers = {exercise.number for exercise in EXERCISES}
    for path in LESSONS:
        checkers = import_module(f"poseformer_course.checks.lesson_{path.name[:2]}")
        judged = {f"{path.name[:2]}.{name[-1]}" for name in vars(checkers) if re.fullmatch(r"exercise_\d", name)}
        assert judged == {number for number in numbers if number[:2] == path.name[:2]}


def test_the_stub_is_open(exercise, namespaces):
    result = verdict(exercise.number, *exercise.answers(namespaces[exercise.notebook], solved=False))
    assert not result.passed
    assert "not answered yet" in result.message


def test_the_solution_passes(exercise, namespaces):
    result = verdict(exercise.number, *exercise.answers(namespaces[exercise.notebook], solved=True))
    assert result.passed, result.message


def test_mistakes_get_their_own_hint(exercise):
    for name, part in judged(exercise.number).items():
        for hint, mistake in part.mistakes.items():
            with pytest.raises(Wrong) as wrong:
                part(mistake)
            assert str(wrong.value) in {part.text(hint, case) for case in part.each_case()}, f"{name}: {hint}"


def test_mistakes_are_named(exercise):
    """Written again, so that a hint cannot stand at another mistake; all of them where code judges."""
    messages = set()
    for mistake, (answers, says) in mistakes(exercise.number).items():
        result = verdict(exercise.number, *(answers if isinstance(answers, tuple) else (answers,)))
        assert not result.passed, f"{mistake} passes"
        assert re.search(says, result.message, re.IGNORECASE), f"{mistake}: {result.message}"
        messages.add(result.message)
    assert len(messages) >= (2 if judged(exercise.number) else 3)


def test_every_exercise_knows_three_mistakes(exercise):
    parts = judged(exercise.number).values()
    assert not parts or sum(len(part.mistakes) for part in parts) >= 3


def spoil(value, rng: np.random.Generator) -> None:
    """Add another number to every entry of arrays and tensors, in place."""
    if isinstance(value, list | tuple):
        for part in value:
            spoil(part, rng)
    elif isinstance(value, np.ndarray) and value.dtype.kind == "f":
        value += rng.uniform(0.1, 0.9, value.shape)
    elif torch.is_tensor(value) and value.is_floating_point():
        value.data.add_(torch.from_numpy(rng.uniform(0.1, 0.9, value.shape)).to(value.dtype))


class Spoiling:
    """A right answer that first changes what it is given, in place, and so gives what is right for that."""

    def __init__(self, function):
        self.function, self.gave_wrong = function, False
        self.rng = np.random.default_rng(0)

    def __call__(self, *arguments):
        right = self.function(*copy.deepcopy(arguments))
        spoil(arguments, self.rng)
        given = self.function(*arguments)
        self.gave_wrong = self.gave_wrong or not same(given, right)
        return given


def same(a, b) -> bool:
    """Whether two answers are equal, as numbers where they hold numbers, else as they are printed."""
    return any(agree(a, b) for agree in (as_numbers, lambda a, b: str(a) == str(b)))


def as_numbers(a, b) -> bool:
    try:
        compare(a, b)
    except Wrong:
        return False
    return True


def test_answers_are_not_judged_by_inputs_that_they_changed(exercise, namespaces):
    answers = exercise.answers(namespaces[exercise.notebook], solved=True)
    spoiled = [Spoiling(answer) if inspect.isfunction(answer) else answer for answer in answers]
    result = verdict(exercise.number, *spoiled)
    assert not (result.passed and any(answer.gave_wrong for answer in spoiled if isinstance(answer, Spoiling)))


# The judge itself


@pytest.mark.parametrize("right", [3.0, [1.0, 2.0], np.ones((2, 3)), torch.ones(2, 3)])
def test_compare_accepts_what_is_equal(right):
    compare(right, right)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (torch.zeros(2, 3), r"is 0 at \[0, 0\], expected 1"),
        (torch.ones(3, 2), r"shape \(3, 2\), expected \(2, 3\)"),
        (np.full((2, 3), np.nan), "NaN"),
        ("six", "type str"),
        (2 * np.ones((2, 3)), "twice"),
        (np.ones((2, 3)) * [1, 1.5, 9565200], r"is 9,565,200 at \[0, 2\], expected 1\."),
    ],
)
def test_compare_says_what_is_wrong(answer, says):
    with pytest.raises(Wrong, match=says):
        compare(answer, np.ones((2, 3)), {"it is twice as large": 2 * np.ones((2, 3))})


@pytest.mark.parametrize("stub", [None, ...])
def test_compare_knows_a_stub(stub):
    with pytest.raises(NotAnswered):
        compare(stub, 1.0)
    with pytest.raises(ValueError, match=r'no exercise "99.1"'):
        verdict("99.1", stub)


def test_a_lesson_goes_on_with_the_learners_class_once_it_passes(capsys):
    class Written(MultiHeadSelfAttention):
        pass

    class Open(MultiHeadSelfAttention):
        def forward(self, x, return_weights=False): ...

    chosen = [yours_or_reference("03.5", answer) for answer in (Open, Written, MultiHeadSelfAttention)]
    assert chosen == [MultiHeadSelfAttention, Written, MultiHeadSelfAttention]
    said = capsys.readouterr().out.splitlines()
    assert ["stands in until exercise 03.5 passes" in said[0], "yours is in use" in said[1]] == [True, True]


def test_a_hint_begins_with_a_capital_and_a_name_stays_as_it_is():
    assert _sentence("these are sums: halve them.") == "These are sums: halve them."
    assert _sentence("split_heads has the shape (2,)") == "split_heads has the shape (2,)"


@pytest.mark.parametrize("number", ["99.1", "3", "03.99", "lesson_03", ""])
def test_unknown_exercises_are_refused(number):
    with pytest.raises(ValueError, match="there is no exercise"):
        check(number, 1)


def test_an_error_in_the_answer_is_part_of_the_verdict(capsys):
    number = EXERCISES[0].number

    class Broken:
        def __array__(self, *_, **__):
            raise ZeroDivisionError("oh")

        __call__ = __array__

    check(number, Broken())
    said = capsys.readouterr().out
    assert said.startswith(f"✗ Exercise {number}: your code stopped with an error. ZeroDivisionError")
