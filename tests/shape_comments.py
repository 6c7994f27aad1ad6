"""Check shape comments such as `x = self.norm(x)  # (B, N, C), Eq. 8` against the tensors that are really there.

A comment counts if it stands at the end of an assignment or a return and begins with shapes in parentheses, "each"
before them or not; where there is one for each of several targets, they go together in order. Letters are names of
dimensions: one that is an integer in the running code stands for its value, another for the first size it meets in the
same call. J*C and C/H are computed, ... stands for any leading dimensions.
"""

import ast
import io
import linecache
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType

from frozen_notebooks import python_only

SHAPES = re.compile(r"#\s*(?:each )?(?P<all>\([^()]*\)(?:, \([^()]*\))*)")
DIMENSION = re.compile(r"\.\.\.|[A-Za-z0-9_]+(?:\s*[*/+-]\s*[A-Za-z0-9_]+)*")


@dataclass(frozen=True)
class ShapeComment:
    """A comment and the statement it belongs to. targets: expressions to evaluate, empty for a return.

    shapes: one for all targets, or one for each of them.
    """

    line: int
    shapes: tuple[tuple[str, ...], ...]
    first: int
    last: int
    targets: tuple[str, ...]


def shape_comments(source: str) -> list[ShapeComment]:
    """All shape comments of a source text, on whatever statement they stand."""
    statements = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.stmt)]
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        match = SHAPES.match(token.string) if token.type == tokenize.COMMENT else None
        shapes = tuple(map(_dims, re.findall(r"\(([^()]*)\)", match["all"]))) if match else ()
        if not shapes or not all(dims and all(map(DIMENSION.fullmatch, dims)) for dims in shapes):
            continue
        line = token.start[0]
        around = [n for n in statements if n.lineno <= line <= n.end_lineno]
        if around:
            statement = min(around, key=lambda n: n.end_lineno - n.lineno)
            found.append(ShapeComment(line, shapes, statement.lineno, statement.end_lineno, _targets(statement)))
    return found


def _dims(inside: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in inside.split(",") if part.strip())


def _targets(statement: ast.stmt) -> tuple[str, ...]:
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AugAssign | ast.AnnAssign):
        targets = [statement.target]
    else:
        return ()
    flat = [t for target in targets for t in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return tuple(ast.unparse(target) for target in flat)


@dataclass
class ShapeTracer:
    """Watches code run and collects what its shape comments get wrong.

    watched: whether a file's code is of interest, by its name. checked holds (file, line) of every comment that met a
    tensor; wrong has a sentence for each that did not fit.
    """

    watched: Callable[[str], bool]
    checked: set = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    _comments: dict = field(default_factory=dict)

    @contextmanager
    def watching(self) -> Iterator["ShapeTracer"]:
        before = sys.gettrace()
        sys.settrace(self.trace)
        try:
            yield self
        finally:
            sys.settrace(before)

    def trace(self, frame: FrameType, event: str, argument):
        """For sys.settrace: a local tracer for code with shape comments, none for the rest."""
        if not self.watched(frame.f_code.co_filename):  # first, as it is asked at every call of whatever function
            return None
        comments = self._of(frame.f_code)
        return _Call(self, frame.f_code.co_filename, comments) if comments else None

    def _of(self, code: CodeType) -> list[ShapeComment]:
        key = code.co_filename, code  # equal code may stand in two files, and a cell's statements are many codes
        if key not in self._comments:
            lines = {line for *_, line in code.co_lines() if line}
            source = "".join(linecache.getlines(code.co_filename))
            self._comments[key] = [
                c for c in shape_comments(python_only(source)) if any(c.first <= line <= c.last for line in lines)
            ]
        return self._comments[key]


class _Call:
    """One call of a watched function, or one run of a cell's statement."""

    def __init__(self, tracer: ShapeTracer, file: str, comments: list[ShapeComment]):
        self.tracer, self.file, self.comments = tracer, file, comments
        self.sizes: dict[str, int] = {}
        self.running: int | None = None

    def __call__(self, frame: FrameType, event: str, argument):
        if event in ("line", "return"):
            for comment in self.comments:
                inside = self.running is not None and comment.first <= self.running <= comment.last
                left = event == "return" or not comment.first <= frame.f_lineno <= comment.last
                if inside and left:
                    self._check(comment, frame, argument if event == "return" else None)
            self.running = frame.f_lineno
        elif event == "exception":
            self.running = None
        return self

    def _check(self, comment: ShapeComment, frame: FrameType, returned) -> None:
        values = [_value(target, frame) for target in comment.targets] or [returned]
        shapes = comment.shapes if len(comment.shapes) == len(values) else comment.shapes[:1] * len(values)
        for value, dims in zip(values, shapes, strict=True):
            if hasattr(value, "shape") and not callable(value.shape):
                self.tracer.checked.add((self.file, comment.line))
                shape = tuple(value.shape)
                if not fits(dims, shape, self.sizes, frame.f_locals):
                    self.tracer.wrong.append(
                        f"{self.file}:{comment.line}: the comment says ({', '.join(dims)}), it is {shape}"
                    )


def _value(target: str, frame: FrameType):
    try:
        return eval(target, frame.f_globals, frame.f_locals)
    except Exception:  # a name that was deleted, an index that has moved on: nothing to look at
        return None


def fits(dims: tuple[str, ...], shape: tuple[int, ...], sizes: dict[str, int], names: dict) -> bool:
    """Whether a shape is what the comment says; new letters are entered in `sizes`."""
    if "..." in dims:
        dims = dims[dims.index("...") + 1 :]
        shape = shape[len(shape) - len(dims) :]
    if len(dims) != len(shape):
        return False
    return all(_size(dim, size, sizes, names) == size for dim, size in zip(dims, shape, strict=True))


def _size(dim: str, size: int, sizes: dict[str, int], names: dict) -> float:
    """What a dimension says it is; an unknown letter takes the size it meets."""
    for letter in re.findall(r"[A-Za-z_]\w*", dim):
        if type(names.get(letter)) is int:
            sizes[letter] = names[letter]
        elif letter not in sizes:
            if letter != dim:
                return size  # unknown as yet, and part of a product: nothing to compare with
            sizes[letter] = size
    return eval(dim, {"__builtins__": {}}, sizes)
