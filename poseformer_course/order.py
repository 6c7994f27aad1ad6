"""Cells that are run out of order: what one needs and has not got, or has got from the wrong cell, is said by name.

A learner who begins a lesson in the middle, goes back in it, or runs a cell twice would see a bare NameError or, worse,
a result that differs from the text without a word. Loaded as an IPython extension, this knows the lesson's cells from
its file: which makes a name, or changes what it stands for, and which cells have been run. Where a lesson is run from
top to bottom, it says nothing.
"""

import ast
import json
import os
import symtable
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ADVICE = "Run that one first, or choose Run > Run All Above Selected Cell"


@dataclass(frozen=True)
class Cell:
    """A cell of code and the heading it stands under."""

    id: str
    source: str
    section: str

    @cached_property
    def names(self) -> "Names":
        """What it needs and makes."""
        return names_of(self.source)

    def __str__(self) -> str:
        lines = (line.strip() for line in self.source.splitlines())
        first = next((line for line in lines if line and not line.startswith(("#", "%", "!"))), "")
        return f"the cell that begins with `{first[:60]}`" + (f', under "{self.section}"' if self.section else "")


@dataclass(frozen=True)
class Names:
    """The global names that code needs to be there, those it makes or makes anew, and those of which it sets parts."""

    needed: set[str]
    made: set[str]
    touched: set[str]

    @property
    def left(self) -> set[str]:
        """What stands for something else after the code was run."""
        return self.made | self.touched


def names_of(source: str) -> Names:
    """The names in Python; none in what is none."""
    try:
        body = ast.parse(source).body
        parts = [(part, symtable.symtable(ast.unparse(_Apart().visit(part)), "cell", "exec")) for part in body]
    except SyntaxError:
        return Names(set(), set(), set())
    needed, made, touched = set(), set(), set()
    for part, table in parts:
        stored = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
        anew, augmented, set_in = _stores(part)
        # the right side of an assignment comes first; what a loop or a `with` stores is there in its body
        own = set() if isinstance(part, ast.Assign | ast.AugAssign | ast.AnnAssign) else stored - (augmented - anew)
        needed |= (set(_read(table)) | augmented) - own - made
        made |= stored
        touched |= set_in
    return Names(needed, made, touched)


class _Apart(ast.NodeTransformer):
    """Comprehensions as generators, whose names stay their own: from Python 3.12 on others' count as those around."""

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp) -> ast.GeneratorExp:
        return ast.GeneratorExp(self.visit(node.elt), [self.visit(loop) for loop in node.generators])

    visit_SetComp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> ast.GeneratorExp:
        return self.visit_ListComp(ast.ListComp(ast.Tuple([node.key, node.value], ast.Load()), node.generators))


def _read(table: symtable.SymbolTable) -> Iterator[str]:
    """The global names that a block of code and the functions in it read."""
    at_top = table.get_type() == "module"
    yield from (s.get_name() for s in table.get_symbols() if s.is_referenced() and (at_top or s.is_global()))
    for inner in table.get_children():
        yield from _read(inner)


def _stores(part: ast.stmt) -> tuple[set[str], set[str], set[str]]:
    """The names that a statement sets anew, those that it augments, and those of which it sets items or attributes."""
    anew, augmented, set_in = set(), set(), set()
    if isinstance(part, ast.FunctionDef | ast.ClassDef):
        return anew, augmented, set_in  # nothing happens before it is called
    targets = {id(node.target) for node in ast.walk(part) if isinstance(node, ast.AugAssign)}
    for node in ast.walk(part):
        if not isinstance(getattr(node, "ctx", None), ast.Store):
            continue
        root = node
        while isinstance(root, ast.Subscript | ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name):
            (augmented if id(node) in targets else anew if root is node else set_in).add(root.id)
    return anew, augmented, set_in


def read_cells(path: Path) -> list[Cell]:
    """The cells of code of a notebook."""
    cells, section = [], ""
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            cells.append(Cell(cell.get("id", str(number)), source, section))
        elif headings := [line for line in source.splitlines() if line.startswith("#")]:
            section = headings[-1].strip("# ")
    return cells


class Order:
    """What has been run of a lesson, and what is said where its order matters."""

    def __init__(self, folder: Path = Path()):
        self.folder = folder
        self.cells: list[Cell] = []
        self.maker: dict[str, int] = {}  # the cell that made or changed a name last

    def run(self, source: str, cell_id: str | None = None) -> list[str]:
        """Take note of a cell that is about to be run. Returns sentences for the learner, mostly none."""
        if not self.cells:
            self.cells = self._find_lesson(source)
        here = self._position(source, cell_id)
        names, said = names_of(source), []
        if here is not None:
            for name in sorted(names.needed):
                expected, found = self._maker_above(name, here), self.maker.get(name)
                again = found == here and name in names.touched - names.made  # sets the same parts a second time
                if expected is not None and found is not None and found != expected and not again:
                    by = "this cell left it when it was run before" if found == here else f"left by {self.cells[found]}"
                    said.append(f"`{name}` is as {by}, but is needed here as left by {self.cells[expected]}. {ADVICE}.")
        self.maker |= dict.fromkeys(names.left, here)
        return said

    def missing(self, name: str) -> str:
        """Where a name that is not defined comes from."""
        makers = [cell for cell in self.cells if name in cell.names.made]
        if makers:
            return f"It is made by {makers[0]}. {ADVICE}."
        return "" if self.cells else f"If a cell above makes it: {ADVICE[0].lower()}{ADVICE[1:]}."

    def _find_lesson(self, source: str) -> list[Cell]:
        """The cells of the notebook that holds this one: that of this session where Jupyter says it, or one beside."""
        said = [Path(path) for path in (os.environ.get("JPY_SESSION_NAME"),) if path]
        for path in [*said, *sorted(self.folder.glob("*.ipynb"))]:
            try:
                cells = read_cells(path)
            except (OSError, ValueError, KeyError):  # no notebook, or one that is being written
                continue
            if any(cell.source.strip() == source.strip() for cell in cells):
                return cells
        return []

    def _position(self, source: str, cell_id: str | None) -> int | None:
        """Where a cell stands: by its source, or by its id, since a learner changes cells."""
        same = [i for i, cell in enumerate(self.cells) if cell.source.strip() == source.strip()]
        return next(iter(same or [i for i, cell in enumerate(self.cells) if cell.id == cell_id]), None)

    def _maker_above(self, name: str, here: int) -> int | None:
        return next((i for i in range(here - 1, -1, -1) if name in self.cells[i].names.left), None)


def load_ipython_extension(shell) -> None:
    """Watch the cells that an IPython runs, once."""
    if hasattr(shell, "lesson_order"):
        return
    order = shell.lesson_order = Order()

    def before(info) -> None:
        for text in order.run(info.raw_cell, getattr(info, "cell_id", None)):
            print(f"note: {text}", file=sys.stderr)

    def name_error(shell, kind, error, traceback, tb_offset=None):
        if hint := order.missing(getattr(error, "name", "") or ""):
            error.args = (f"{error}. {hint}",)
        shown = shell.InteractiveTB.structured_traceback(kind, error, traceback, tb_offset=tb_offset)
        shell._showtraceback(kind, error, shown)
        return shown

    shell.events.register("pre_run_cell", before)
    shell.set_custom_exc((NameError,), name_error)
