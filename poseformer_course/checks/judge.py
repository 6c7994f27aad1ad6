"""How an answer is judged: it is compared with the right value, and with the values that known mistakes give."""

import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from poseformer_course.checks.kept import keep

# How a verdict begins: those who read stored verdicts look for it.
PASSED, WRONG, STOPPED, OPEN = "passed.", "not right yet.", "your code stopped with an error.", "not answered yet."


CHANGED = "What was handed in has changed: work on a copy or make a new one, the caller still needs the old."


class Wrong(Exception):
    """An answer is not right; the message says what is wrong with it, in the learner's terms, and what to try."""


class NotAnswered(Exception):
    """The stub is as it was."""


@dataclass(frozen=True)
class Verdict:
    """What a checker says about one answer."""

    exercise: str
    passed: bool
    message: str

    def __str__(self) -> str:
        return f"{'✓' if self.passed else '✗'} Exercise {self.exercise}: {self.message}"


def check(exercise: str, *answers) -> None:
    """Print whether the answers to an exercise ("03.2": the second of lesson 03) are right, or what is wrong with them.

    It never raises for a wrong answer, so that a notebook with open exercises still runs from top to bottom. In a
    notebook, verdicts and answers that pass are kept for later lessons. Raises ValueError for an exercise that does
    not exist.
    """
    given = verdict(exercise, *answers)
    print(given)
    if not given.message.startswith(OPEN):
        keep(exercise, given.passed, answers)


def verdict(exercise: str, *answers) -> Verdict:
    """What `check` prints. Raises ValueError for an exercise that does not exist."""
    judge = _find(exercise)
    if not answers or any(answer is None or answer is ... for answer in answers):
        return _not_answered(exercise)
    try:
        remark = judge(*answers)
    except NotAnswered:
        return _not_answered(exercise)
    except Wrong as wrong:
        return Verdict(exercise, False, f"{WRONG} {_sentence(str(wrong))}")
    except Exception as error:  # whatever the learner's code raises is part of the answer
        return Verdict(exercise, False, f"{STOPPED} {_where(error)}")
    return Verdict(exercise, True, f"{PASSED} {remark}" if remark else PASSED)


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """Judges an answer by the right one and by known wrong ones: functions of one signature, or plain values.

    All are called with each case in turn, with copies of its own each time. In the first case where the answer is not
    right, it gets the hint of the first mistake that gives the same. A mistake that a case stops with an error is
    passed over there, so a case may be of a shape that only some mistakes can take.
    """

    right: object
    mistakes: Mapping[str, object]  # {hint: a wrong answer}
    cases: Sequence[tuple] | Callable[[], Sequence[tuple]] = ((),)  # arguments, or a function that makes them
    remark: str = ""  # what an answer that is right gets to read
    name: str = "your answer"
    fields: Callable[..., dict] | None = None  # of a case: what stands for the {fields} of its hints and its name
    changed: str = CHANGED  # the hint for an answer that changes the arrays it is given
    tolerance: float = 1e-4

    def __call__(self, answer) -> str:
        """The remark. Raises Wrong for an answer that is not right."""
        for case in self.each_case():
            given = self._given(answer, case) if callable(self.right) else answer
            known = {self.text(hint, case): _outcome(wrong, case) for hint, wrong in self.mistakes.items()}
            right, name = _result(self.right, deepcopy(case)), self.text(self.name, case)
            secret = not callable(self.right)  # a number found with pencil and paper is not given away
            compare(given, right, known, name=name, tolerance=self.tolerance, secret=secret)
        return self.remark

    def each_case(self) -> Sequence[tuple]:
        return self.cases() if callable(self.cases) else self.cases

    def text(self, template: str, case: tuple) -> str:
        """A hint or the name, with the numbers of this case in its fields."""
        return template.format(**self.fields(*deepcopy(case))) if self.fields else template

    def _given(self, answer, case: tuple):
        own = deepcopy(case)
        given = answer(*own)
        if given is None or given is ...:
            raise NotAnswered
        if not _unchanged(own, case):
            raise Wrong(self.changed)
        return given


def _unchanged(mine, before) -> bool:
    """Whether arrays and tensors, also those in lists, hold what they held; what else a case consists of may change."""
    if isinstance(before, list | tuple):
        return len(mine) == len(before) and all(map(_unchanged, mine, before))
    if hasattr(before, "detach") or isinstance(before, np.ndarray):
        return np.array_equal(_as_array(mine, "it"), _as_array(before, "it"), equal_nan=True)
    return True


def _result(answer, case: tuple):
    return answer(*case) if callable(answer) else answer


def _outcome(mistake, case: tuple):
    """What a mistake gives; nothing that an answer could equal if the case stops it with an error."""
    try:
        return _as_array(_result(mistake, deepcopy(case)), "a known mistake")
    except Exception:
        return np.nan


def compare(
    answer,
    expected,
    mistakes: Mapping[str, object] | None = None,
    *,
    name: str = "your answer",
    tolerance: float = 1e-4,
    secret: bool = False,
) -> None:
    """Raise Wrong unless `answer` equals `expected`: numbers, lists, arrays or tensors of the same shape.

    mistakes: {hint: the value that this mistake gives}; an answer that equals one of them gets its hint. Any other
    answer is told about its type, its shape, or the entry that is farthest off, and what is expected there unless that
    is secret. tolerance is relative and absolute.
    """
    if answer is None or answer is ...:
        raise NotAnswered
    got, right = _as_array(answer, name), _as_array(expected, "the expected value")
    if _equal(got, right, tolerance):
        return
    for hint, wrong in (mistakes or {}).items():
        if _equal(got, _as_array(wrong, "a known mistake"), tolerance):
            raise Wrong(hint)
    if got.shape != right.shape:
        raise Wrong(f"{name} has the shape {got.shape}, expected {right.shape}.")
    if not np.isfinite(got).all():
        raise Wrong(f"{name} holds NaN or infinite values.")
    at = np.unravel_index(np.abs(got - right).argmax(), got.shape)
    place = f" at {list(map(int, at))}" if at else ""
    wanted = "which is not right: go through it step by step" if secret else f"expected {_number(right[at])}"
    raise Wrong(f"{name} is {_number(got[at])}{place}, {wanted}.")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:.5g}"


def _as_array(value, name: str) -> np.ndarray:
    """Numbers in any wrapping as float64; raises Wrong for what holds no numbers."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().double().numpy()
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        kind = type(value).__name__
        raise Wrong(f"{name} is of the type {kind}, expected a number, a list, an array or a tensor.") from None


def _equal(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    return a.shape == b.shape and np.allclose(a, b, rtol=tolerance, atol=tolerance)


def _find(exercise: str) -> Callable:
    match = re.fullmatch(r"(\d\d)\.(\d)", exercise)
    module = f"{__package__}.lesson_{match[1]}" if match else ""
    if not match or find_spec(module) is None or not hasattr(import_module(module), f"exercise_{match[2]}"):
        raise ValueError(f'there is no exercise "{exercise}": give its number as the heading does, such as "03.2"')
    return getattr(import_module(module), f"exercise_{match[2]}")


def _not_answered(exercise: str) -> Verdict:
    how = "Put your code where the dots are and run the cell again; a function also needs its return."
    return Verdict(exercise, False, f"{OPEN} {how}")


def _sentence(text: str) -> str:
    """The text with a capital where it begins with an ordinary word; the name of a function stays as it is."""
    return re.sub(r"^[a-z]+(?=[ ,:])", lambda word: word[0].capitalize(), text)


def _where(error: Exception) -> str:
    """The error, and the learner's own line that led to it: the last one outside of installed code."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if re.search(r"ipykernel|ipython-input|<string>|^<", f.filename) and f.line]
    line = f" in the line `{own[-1].line}`" if own else ""
    return f"{type(error).__name__}{line}: {error}"
