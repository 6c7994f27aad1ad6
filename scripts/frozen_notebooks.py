"""What a committed notebook looks like: run in order, free of a machine's traces, complete without a kernel.

`freeze` brings a notebook into that form, `find_problems` says what is missing from it.
"""

import ast
import configparser
import copy
import json
import math
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
STILL_TWINS = {"image/png", "image/svg+xml", "text/html"}
KEPT_CELL_METADATA = {"tags", "jupyter"}
TITLES = {"title", "set_title", "suptitle", "supxlabel"}  # keyword or function that names a picture
KEPT_NOTEBOOK_METADATA = {"accelerator", "colab"}  # how Colab learns that a notebook wants a GPU
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python", "pygments_lexer": "ipython3"}
SANITIZE = Path(__file__).with_name("nbval_sanitize.cfg")
TIME_LINE = re.compile(r"^\*\*Time\*\*:(?P<text>.*)$", re.MULTILINE)
ABSOLUTE_PATH = re.compile(r"file://|(?<![\w./:~-])/(?:home|root|tmp|work|Users|opt|usr|var|mnt|private)/|\b[A-Z]:\\\w")


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def write(notebook: NotebookNode, path: Path) -> None:
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def python_only(source: str) -> str:
    """A cell's code with `pass` in the place of lines that only IPython understands; line numbers stay."""
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)


def freeze(notebook: NotebookNode) -> None:
    """Take out, in place, what changes from machine to machine or needs a live kernel; number the cells.

    Raises ValueError for a widget that has no still picture beside it: the page would be empty without a kernel.
    """
    kept = {key: value for key, value in notebook.metadata.items() if key in KEPT_NOTEBOOK_METADATA}
    notebook.metadata = nbformat.from_dict({**kept, "kernelspec": KERNEL, "language_info": LANGUAGE})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    section = ""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_progress_bar(output)]
        cell.id = f"cell-{number:03d}"
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in KEPT_CELL_METADATA})
        section = _section(cell, section)
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
            alt = _own_words(cell) or alt_text(cell.source, section)  # nbconvert reads the one, MyST-NB the other
            cell.metadata |= {"alt": alt, "mystnb": {"image": {"alt": alt}}}
        for output in cell.get("outputs", []):
            bundle = output.get("data", {})
            if WIDGET_VIEW in bundle and not STILL_TWINS & set(bundle):
                raise ValueError(
                    f"{cell.id} displays a widget with nothing but {sorted(bundle)}: display one bundle that also "
                    f"holds a still twin (one of {sorted(STILL_TWINS)}), as the viewers of the package do"
                )
            bundle.pop(WIDGET_VIEW, None)


def alt_text(source: str, section: str) -> str:
    """What a picture shows, for those who cannot see it: what a comment `# Picture: …` says.

    Else the titles that the code gives it, and where it stands.
    """
    if said := re.search(r"^# Picture: (.+(?:\n# .+)*)$", source, re.MULTILINE):
        return said[1].replace("\n# ", " ")
    tree = ast.parse(python_only(source))
    named = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        named += [keyword.value for keyword in call.keywords if keyword.arg in TITLES]
        named += call.args[:1] if getattr(call.func, "attr", "") in TITLES else []
    constants = [node.value for value in named for node in ast.walk(value) if isinstance(node, ast.Constant)]
    titles = dict.fromkeys(text.strip(" :,.(") for text in constants if isinstance(text, str))
    shown = "; ".join(title for title in titles if len(title) > 2)
    return f"Picture in the section “{section}”" + (f": {shown}" if shown else "")


def _own_words(cell: NotebookNode) -> str:
    """What the pictures of a cell say of themselves, as those of the viewers do."""
    return "; ".join(filter(None, (o.get("metadata", {}).get("image/png", {}).get("alt") for o in cell.outputs)))


def _section(cell: NotebookNode, before: str) -> str:
    """The heading that the cell stands under."""
    headings = re.findall(r"^## (.+)$", cell.source, re.MULTILINE) if cell.cell_type == "markdown" else []
    return headings[-1] if headings else before


def keep_equal_outputs(notebook: NotebookNode, stored: NotebookNode) -> None:
    """Where a cell says again what it said before, but for how long it took, keep what is stored: diffs stay short."""
    before = {cell.source: cell.outputs for cell in code_cells(stored)}
    for cell in code_cells(notebook):
        outputs = before.get(cell.source, [])
        if _comparable(outputs) == _comparable(cell.outputs):
            cell.outputs = outputs


def _comparable(outputs: list[NotebookNode]) -> str:
    return sanitized(json.dumps(outputs, sort_keys=True))


def sanitized(text: str) -> str:
    """The text without what may differ from run to run, by the rules that nbval is given."""
    rules = configparser.RawConfigParser()
    rules.read(SANITIZE, encoding="utf-8")
    for rule in map(rules.__getitem__, rules.sections()):
        text = re.sub(rule["regex"], rule["replace"], text)
    return text


def _is_progress_bar(output: NotebookNode) -> bool:
    """A bar of tqdm is of use while the cell runs; a page shows it at 0 %, so it is better left out."""
    bundle = output.get("data", {})
    return WIDGET_VIEW in bundle and re.search(r"\d+%\|", bundle.get("text/plain", "")) is not None


def set_time(notebook: NotebookNode, seconds: float, machine: str) -> None:
    """Write a measured time into the `**Time**:` line of the first cell. One time per kind of machine is kept.

    machine: "two CPU cores", "a GPU (NVIDIA H200)". Raises ValueError where the line is missing.
    """
    first = notebook.cells[0]
    line = TIME_LINE.search(first.source)
    if line is None:
        raise ValueError("the first cell has no line '**Time**: ...' to write the measured time into: add '**Time**:'")
    earlier = [part.strip() for part in line["text"].removesuffix("(measured)").split(";")]
    times = [part for part in earlier if part.startswith("about ") and ("GPU" in part) != ("GPU" in machine)]
    times.append(f"about {_rounded(seconds)} on {machine}")
    text = "; ".join(sorted(times, key=lambda part: "GPU" in part))
    first.source = TIME_LINE.sub(lambda _: f"**Time**: {text} (measured)", first.source, count=1)


def measured_time(notebook: NotebookNode) -> str:
    """What set_time wrote: "about 40 s on two CPU cores". Raises ValueError where nothing was measured yet."""
    line = TIME_LINE.search(notebook.cells[0].source)
    if line is None or not line["text"].strip():
        raise ValueError("the first cell has no measured '**Time**:' line")
    return line["text"].strip().removesuffix("(measured)").strip()


def _rounded(seconds: float) -> str:
    """Coarse, so that running again seldom changes the text: tens of seconds, then whole minutes."""
    return f"{10 * math.ceil(seconds / 10)} s" if seconds <= 50 else f"{max(1, round(seconds / 60))} min"


def find_problems(notebook: NotebookNode) -> list[str]:
    """What keeps a notebook from being committed, one sentence each; empty when it is fine."""
    problems = []
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        problems.append(f"code cells were not run once each, top to bottom: their execution counts are {counts}")
    if "widgets" in notebook.metadata:
        problems.append("metadata.widgets holds the state of widgets: megabytes that nothing on the page needs")
    for number, cell in enumerate(notebook.cells):
        problems += [f"cell {number}: {problem}" for problem in _cell_problems(cell)]
    if not (notebook.cells and re.search(r"^\*\*Time\*\*: about .*\(measured\)$", notebook.cells[0].source, re.M)):
        problems.append("the first cell has no measured '**Time**:' line")
    if not problems and not _is_frozen(notebook):
        problems.append("metadata or cell ids are not in their committed form")
    return problems


def _cell_problems(cell: NotebookNode) -> list[str]:
    problems = []
    if cell.cell_type == "code" and not cell.source.strip():
        problems.append("is empty")
    for text in [cell.source, *_texts(cell)]:
        if path := ABSOLUTE_PATH.search(text):
            problems.append(f"holds a path of one machine: {text[path.start() : path.start() + 40]!r}")
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            problems.append(f"its stored output is an error, {output.ename}: {output.evalue}")
        if WIDGET_VIEW in output.get("data", {}):
            problems.append("its stored output holds a widget view, which shows nothing without a kernel")
    return problems


def _texts(cell: NotebookNode) -> list[str]:
    """All text in a cell's outputs: streams, tracebacks, and what a bundle holds apart from pictures."""
    texts = []
    for output in cell.get("outputs", []):
        texts += [output.get("text", ""), *output.get("traceback", [])]
        texts += [str(value) for kind, value in output.get("data", {}).items() if not kind.startswith("image/")]
    return texts


def _is_frozen(notebook: NotebookNode) -> bool:
    frozen = copy.deepcopy(notebook)
    freeze(frozen)
    return frozen == notebook
