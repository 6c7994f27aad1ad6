"""The door for what comes from outside: files, configurations and options become values that can be relied on.

An error says where (the file and the place in it), what was found, what was expected, and where it helps what to do.
"""

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

ADVICE = "it may be cut off; copy or download it again"


@contextmanager
def reading(path: str | Path, kind: str, *as_it_is: type[Exception], advice: str = ADVICE) -> Iterator[Path]:
    """A block that reads a file: whatever goes wrong in it is a ValueError that names the file.

    Damage shows in many ways: in an archive, in a header, at any step of a parser.

    FileNotFoundError is raised where there is none. kind: what it is read as; as_it_is: kinds of ValueError that stay
    what they are; advice: what to do.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}" + (", but a folder" if path.is_dir() else ""))
    try:
        yield path
    except as_it_is as error:
        error.args = (f"{path}: {error}",)
        raise
    except PermissionError:
        raise
    except Exception as error:
        if str(error).startswith(str(path)):  # it is said already
            raise
        code = re.search(r"GLOBAL ([\w.]+)", str(error))  # what torch says of a pickle that is not data alone
        said = f"it asks for {code[1]}, which is code" if code else str(error).partition("\n")[0][:300]
        if not code and not isinstance(error, ValueError | OSError):
            said = type(error).__name__ + (f": {said}" if "weights_only" not in said else "")  # no such advice from us
        raise ValueError(
            f"{path} ({path.stat().st_size:,} bytes) is not a readable {kind} ({said}): {advice}"
        ) from error


@contextmanager
def about(where) -> Iterator[None]:
    """A block whose ValueErrors are said of a file, or of a place in one."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def read_json(path: str | Path, kind: str):
    """What a JSON file holds, without NaN and infinities, which are no JSON; ValueError names the file."""
    with reading(path, kind) as path:
        return json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_refuse)


def _refuse(constant: str):
    raise ValueError(f"it holds {constant}, which is no number")


def number(
    value, what: str, low=-math.inf, high=math.inf, *, over=-math.inf, under=math.inf, whole: bool = False
) -> float:
    """A finite number from `low` to `high`, both included, or over and under others; text and truth values are none.

    >>> number(0, "a.bvh, Frame Time", over=0)
    Traceback (most recent call last):
    ValueError: a.bvh, Frame Time is 0, expected a finite number over 0
    """
    value = value.item() if isinstance(value, (np.generic, np.ndarray)) and value.size == 1 else value
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300  # NaN is not
    if not good or not (low <= value <= high and over < value < under) or (whole and value != int(value)):
        bounds = {"of at least": low, "over": over, "of at most": high, "under": under}
        words = " and ".join(f"{word} {bound:,}" for word, bound in bounds.items() if math.isfinite(bound))
        short = isinstance(value, float | str) or isinstance(value, int) and value.bit_length() < 100
        found = repr(value)[:60] if short else f"a {type(value).__name__}"
        raise ValueError(f"{what} is {found}, expected a {'whole' if whole else 'finite'} number {words}".rstrip())
    return int(value) if whole else float(value)


def parsed(word: str, what: str, *bounds: float, **more) -> float:
    """As `number`, of a word in a text file."""
    try:
        value = float("?" if "_" in word else word)  # Python would read 1_0 as 10
    except ValueError:
        value = word
    return number(value, what, *bounds, **more)


def table(value, what: str) -> dict:
    """A dictionary, else ValueError."""
    if not isinstance(value, dict):
        raise ValueError(f"{what} is a {type(value).__name__}, expected a dictionary")
    return value


def array(value, what: str, *shape: int | str, unit: str = "") -> np.ndarray:
    """Numbers as float32 of that shape; letters stand for any length, but the first, usually T, is 1 or more."""
    try:
        found = np.asarray(value)
        with np.errstate(over="ignore"):  # what is infinite is said where it is used
            found = found.astype(np.float32) if found.dtype.kind in "fiubO" else None
    except (TypeError, ValueError):
        found = None
    if found is None:
        raise ValueError(f"{what}: a {type(value).__name__} that is no regular array of numbers")
    fits = [isinstance(wanted, str) or wanted == length for wanted, length in zip(shape, found.shape, strict=False)]
    if found.ndim != len(shape) or not all(fits) or not len(found):
        wanted = f"({', '.join(map(str, shape))}){unit and ' in '}{unit}"
        raise ValueError(f"{what} are {found.shape}, expected {wanted}")
    return found
