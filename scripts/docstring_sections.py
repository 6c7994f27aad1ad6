"""The sections of the package's docstrings: Args, Returns and Raises, as `docs/conf.py` shows and a test checks them.

They are Google's sections, which may also be running text, so that the package stays short to read:

    Args: poses: (T, J, D); fps, new_fps: frames per second, before and after.
    Returns: (T', J, D), a copy. Raises: ValueError: for rates that are not positive.

An entry ends at a semicolon that a name and a colon follow. `expand` gives the long form, one entry a line.
"""

import re

NAMES = ("Args", "Returns", "Raises")
HEAD = re.compile(rf"^({'|'.join(NAMES)}):(?:\s+(.*))?$")
SECOND = re.compile(r"(?<=[.)\]]) (?=Raises: )")  # on the line of Returns
ENTRY = re.compile(r"; (?=\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*: )")


def sections(docstring: str) -> dict[str, list[str]]:
    """{section: its entries, each in one line} of a docstring without indentation; Returns has one entry."""
    found: dict[str, list[str]] = {}
    name = None
    for line in _lines(docstring):
        if head := HEAD.match(line):
            name, text = head.groups()
            found[name] = [text] if text else []
            running = bool(text)
        elif name and line.startswith("    "):
            if running or line.startswith("     "):
                found[name][-1] += " " + line.strip()
            else:
                found[name].append(line.strip())
        elif line.strip():
            name = None
    return {
        name: entries if name == "Returns" else [part for entry in entries for part in ENTRY.split(entry)]
        for name, entries in found.items()
    }


def names(entries: list[str]) -> list[str]:
    """The parameters, without stars, or exceptions that entries are about, in order."""
    return [name.strip().lstrip("*") for entry in entries for name in entry.partition(": ")[0].split(",")]


def expand(lines: list[str]) -> list[str]:
    """The lines of a docstring with each section in the long form that Sphinx's reader of Google's style takes."""
    result, inside = [], False
    for line in _lines("\n".join(lines)):
        if HEAD.match(line):
            inside = True
        elif line.strip() and not line.startswith("    "):
            inside = False
        if not inside:
            result.append(line)
    for name, entries in sections("\n".join(lines)).items():
        result += ["", f"{name}:", *(f"    {_whole(entry)}" for entry in entries)]
    return [*result, ""]


def _whole(entry: str) -> str:
    """An entry with its full stop and, in a group of names, stars that do not mean bold type to Sphinx."""
    entry = entry if entry.endswith((".", "!", "?")) else f"{entry}."
    who, colon, what = entry.partition(": ")
    return who.replace("*", r"\*") + colon + what if "," in who and "*" in who else entry


def _lines(docstring: str) -> list[str]:
    return [part for line in docstring.splitlines() for part in (SECOND.split(line) if HEAD.match(line) else [line])]
