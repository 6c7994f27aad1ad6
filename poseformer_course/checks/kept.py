"""A learner's answers, kept from one lesson to the next in one file beside the notebooks: `my_answers.json`.

    {"05.5": {"passed": true, "name": "PoseFormer", "source": "class PoseFormer(LiftingNetwork): ..."}}

What the file holds is the learner's own code, and a later lesson runs it: take no one else's file. Without the file
all lessons run as well. The variable POSEFORMER_ANSWERS names another file, or none where it is empty.
"""

import ast
import inspect
import json
import linecache
import os
import sys
import warnings
from pathlib import Path

from poseformer_lite.checked import read_json
from poseformer_lite.files import atomic_path
from poseformer_lite.model import attention, encoder, poseformer

FILE = "my_answers.json"
VARIABLE = "POSEFORMER_ANSWERS"
PARTS = {*vars(attention), *vars(encoder), *vars(poseformer)}  # what a source of the network may take for granted
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def answers_file() -> Path | None:
    """Where answers are kept: in the folder that the kernel runs in, which is the notebook's."""
    named = os.environ.get(VARIABLE)
    return Path.cwd() / FILE if named is None else Path(named) if named else None


def read() -> dict[str, dict]:
    """{exercise: {passed, name, source}}; nothing where there is no file, and a warning where it is damaged."""
    try:
        return _read(answers_file())
    except (ValueError, OSError) as error:
        warnings.warn(f"{error}. The course goes on without your earlier answers", stacklevel=2)
        return {}


def keep(exercise: str, passed: bool, answers: tuple) -> None:
    """Remember a verdict, and the source of an answer that passes; one that has passed once stays so.

    Does nothing outside of a notebook. Where the file cannot be written, that is a warning.
    """
    file = answers_file()
    if file is None or not _in_notebook():
        return
    try:
        known = _read(file)
        entry = known.get(exercise, {})
        kept = entry | {"passed": passed or entry.get("passed", False)}
        if passed and (source := source_of(answers[0])):
            kept |= {"name": answers[0].__name__, "source": source}
        if kept == entry:
            return
        with atomic_path(file) as temporary:
            temporary.write_text(json.dumps(known | {exercise: kept}, ensure_ascii=False, indent=1), encoding="utf-8")
    except (ValueError, OSError) as error:
        warnings.warn(f"this answer is not kept for later lessons: {error}", stacklevel=3)
        return
    if not known:
        print(f"(Your answers are kept in {FILE}, beside this notebook; later lessons use them.)")


def source_of(answer) -> str | None:
    """The definitions of the cell that an answer was written in, after what they need of the rest of the notebook.

    None for what no cell defines.
    """
    cell = _definitions(answer)
    if answer.__name__ not in cell:
        return None
    return "\n".join([*_needed(cell, {}).values(), *cell.values()]) + "\n"


def _definitions(value) -> dict[str, str]:
    """{name: source} of the imports, functions and classes of the notebook's cell that defines a value."""
    if getattr(value, "__module__", None) != "__main__":
        return {}
    members = vars(value).values() if isinstance(value, type) else [value]
    code = next((member.__code__ for member in members if inspect.isfunction(member)), None)
    lines = linecache.getlines(code.co_filename) if code else []
    nodes = [node for node in ast.parse("".join(lines)).body if isinstance(node, DEFINITIONS)]
    sources = ["".join(lines[_first_line(node) - 1 : node.end_lineno]).rstrip() for node in nodes]
    return {getattr(node, "name", source): source for node, source in zip(nodes, sources, strict=True)}


def _needed(sources: dict[str, str], found: dict[str, str]) -> dict[str, str]:
    """Adds to `found` what the sources use of other cells: imports, and helpers with what these need in turn.

    Parts of the network are left out: whoever runs the source says which ones it is made of.
    """
    used = {node.id for node in ast.walk(ast.parse("\n".join(sources.values()))) if isinstance(node, ast.Name)}
    for name in sorted(used - {*sources, *found}):
        value = vars(sys.modules["__main__"]).get(name)
        home = sys.modules.get(getattr(value, "__module__", None) or "")
        if inspect.ismodule(value):
            found[name] = f"import {value.__name__} as {name}"
        elif name in PARTS or not (inspect.isfunction(value) or isinstance(value, type)):
            continue
        elif helper := _definitions(value).get(value.__name__):
            found[name] = ""  # so that two helpers that use each other come once
            _needed({name: helper}, found)
            found[name] = helper
        elif getattr(home, value.__name__, None) is value:
            found[name] = f"from {home.__name__} import {value.__name__} as {name}"
    return found


def run_source(source: str, name: str, namespace: dict, file: str = FILE):
    """What a source defines under a name. Its other names are those of a namespace, which is not changed."""
    own = {key: value for key, value in namespace.items() if key != name} | {"__name__": Path(file).stem}
    exec(compile(source, f"<{file}: {name}>", "exec"), own)
    return own[name]


def _read(file: Path | None) -> dict[str, dict]:
    if file is None or not file.exists():
        return {}
    known = read_json(file, "file of answers")
    if not isinstance(known, dict) or not all(isinstance(entry, dict) for entry in known.values()):
        raise ValueError(f"{file} is not a file of answers: move it away, and answers are kept anew")
    return known


def _first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
