"""What the tests read out of the lessons: their cells, their definitions, and their exercises."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import frozen_notebooks
import poseformer_lite as pfl

ROOT = Path(__file__).resolve().parent.parent
LESSONS = sorted(path for path in (ROOT / "notebooks").glob("*.ipynb") if not path.name.startswith("00_"))
HEADING = re.compile(
    r"^### Exercise (?P<number>\d\d\.\d): (?P<title>.+) "
    r"\((?P<difficulty>easy|medium|hard), (?P<minutes>\d+) minutes\)$",
    re.MULTILINE,
)
SOLUTION = re.compile(r"<details>\s*<summary>Solution</summary>\n\n(?P<text>.*?)\n\n</details>", re.DOTALL)
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Exercise:
    """An exercise as it stands in a notebook: the text, the stub cell, and the folded solution's code."""

    notebook: Path
    number: str
    title: str
    difficulty: str
    minutes: int
    stub: str
    solution: str

    def answers(self, namespace: dict, solved: bool) -> tuple:
        """What the stub cell hands to `check`: as it stands, or after the folded solution has run instead."""
        tree = ast.parse(self.stub)
        call = tree.body[-1]
        given = []
        namespace = namespace | {"check": lambda number, *answers: given.append((number, answers))}
        exec(self.solution if solved else ast.unparse(ast.Module(tree.body[:-1], [])), namespace)
        exec(ast.unparse(call), namespace)
        assert [number for number, _ in given] == [self.number], "the stub cell ends with one check of its own number"
        return given[0][1]


def code(path: Path) -> list[str]:
    """The code cells of a notebook, without lines that only IPython understands."""
    cells = frozen_notebooks.code_cells(frozen_notebooks.read(path))
    return [frozen_notebooks.python_only(cell.source) for cell in cells]


def definitions(path: Path) -> dict[str, ast.stmt]:
    """The functions and classes that a notebook defines at its top level, exercises aside."""
    cells = [cell for cell in code(path) if not is_exercise(cell)]
    nodes = [node for cell in cells for node in ast.parse(cell).body]
    return {node.name: node for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def built(path: Path) -> dict[str, ast.ClassDef]:
    """The classes that a learner writes, as the folded solutions have them."""
    nodes = [node for exercise in exercises(path) for node in ast.parse(exercise.solution).body]
    return {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}


def is_exercise(cell: str) -> bool:
    return re.search(r'^check\("', cell, re.MULTILINE) is not None


def namespace(path: Path) -> dict:
    """What a lesson's exercises can count on: usual names, and all that the notebook imports, defines or has built."""
    names = {"np": np, "torch": torch, "nn": nn, "F": F, "Tensor": Tensor, "plt": plt, "pfl": pfl}
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    solved = {exercise.stub: exercise.solution for exercise in exercises(path)}
    for cell in code(path):
        body = [node for node in ast.parse(cell).body if isinstance(node, kept)]
        if is_exercise(cell):
            body = [node for node in ast.parse(solved[cell]).body if isinstance(node, ast.ClassDef)]
        exec(compile(ast.Module(body, []), path.name, "exec"), names)
    return names


def exercises(path: Path) -> list[Exercise]:
    """All exercises of a notebook, in order: a heading, the stub in the next code cell, the solution right after it."""
    cells = frozen_notebooks.read(path).cells
    found = []
    for i, cell in enumerate(cells):
        heading = HEADING.search(cell.source) if cell.cell_type == "markdown" else None
        if heading:
            stub, after = cells[i + 1], cells[i + 2]
            solution = SOLUTION.search(after.source)
            assert stub.cell_type == "code" and solution, f"{heading[0]}: a stub cell and a folded solution must follow"
            text = "\n".join(CODE.findall(solution["text"]))
            name = heading["number"], heading["title"], heading["difficulty"], int(heading["minutes"])
            found.append(Exercise(path, *name, stub.source, text))
    return found
