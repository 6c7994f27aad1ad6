"""The blocks of a slide, each with the height that it takes at most on a page of 1280 by 720 pixels."""

import base64
import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

HEIGHT, WIDTH = 560, 1160  # pixels below the heading, and between the margins
TEXT, ADVANCE = 26, 0.53  # size of the letters of prose, and their width at most on the mean
CODE = (16, 22)  # sizes of code: smallest, for the longest lines, and largest
CHARACTER, LINE = 0.605, 1.35  # width of a letter of code and height of a line, by the size
ABBREVIATION = re.compile(r"(?:\b(?:Fig|Eq|No|vs|al|e\.g|i\.e|cf)|\b[A-Z])\.$")
SENTENCE = re.compile(r"(?<=[.!?:])[\"”)*]*\s+(?=[\"“*(`$\[]*[A-Z0-9])")
HIGHLIGHT = HtmlFormatter(nowrap=True, noclasses=True, style="friendly")


@dataclass(frozen=True)
class Block:
    html: str
    height: float
    smaller: Callable[[float], "Block"] | None = None  # a picture, made for another height


def _math(content: str, options: dict) -> str:
    return convert(content, display="block" if options["display_mode"] else "inline")


MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").use(dollarmath_plugin, renderer=_math)


def rendered(text: str, inline: bool = False) -> str:
    """Markdown as HTML; links to files beside the notebooks are plain text, as a deck stands alone."""
    html = MARKDOWN.renderInline(text) if inline else MARKDOWN.render(text)
    return re.sub(r'<a href="(?!https?:)[^"]*">(.*?)</a>', r"\1", html, flags=re.DOTALL)


def first_sentences(paragraph: str, enough: int = 60) -> str:
    """The first sentence of a paragraph, and the next where it is short."""
    paragraph = " ".join(paragraph.split())
    for end in SENTENCE.finditer(paragraph):
        said = paragraph[: end.end()].strip()
        if len(said) >= enough and not ABBREVIATION.search(said.rstrip('"”)*')) and _is_whole(said):
            return said.removesuffix(":") + "." if said.endswith(":") else said
    return paragraph


def _is_whole(text: str) -> bool:
    """Whether no formula, code or emphasis is cut in two."""
    return all(text.count(mark) % 2 == 0 for mark in ("$", "`", "*")) and text.count("(") == text.count(")")


def markdown_blocks(text: str, folder: Path) -> list[Block]:
    """A text as blocks: paragraphs cut to their beginning; lists, tables, formulas, code and pictures whole."""
    found = []
    for part in re.split(r"\n\n(?![ \t])", text.strip()):
        part = part.strip("\n")
        if fence := re.match(r"```(\w*)\n(.*?)\n?```", part, re.DOTALL):
            found += code_blocks(fence[2], colored=fence[1] == "python")
        elif picture := re.match(r"!\[([^\]]*)\]\((\.\./[^)]+)\)", part):
            data = base64.b64encode((folder / picture[2]).read_bytes()).decode("ascii")
            found.append(_picture(data, picture[1], 0.6 * HEIGHT))
        elif part.startswith("|"):
            found.append(_table(part))
        elif part.startswith("$$"):
            rows = 1 + part.count(r"\\")
            found.append(Block(rendered(part), 90 + 40 * (rows - 1)))
        elif re.match(r"[-*] |\d+\. ", part):
            lines = sum(_lines(item) for item in part.splitlines())
            found.append(Block(rendered(part), lines * TEXT * 1.4 + 16))
        elif part:
            said = first_sentences(part)
            found.append(Block(rendered(said), _lines(said) * TEXT * 1.4 + 16))
    return found


def code_blocks(source: str, colored: bool = True) -> list[Block]:
    """Code in pieces that fit on a slide, cut at empty lines where there are any."""
    lines = source.strip("\n").splitlines()
    size = _code_size(lines)
    found = []
    while lines:
        cut = len(lines)
        while _code_height(lines[:cut], size) > HEIGHT:
            cut -= 1
        if cut < len(lines):
            cut = next((i for i in range(cut, cut // 2, -1) if not lines[i].strip()), cut)
        piece, lines = "\n".join(lines[:cut]), lines[cut:]
        html = highlight(piece, PythonLexer(), HIGHLIGHT) if colored else escape(piece)
        found.append(Block(_pre(html.rstrip("\n"), "code", size), _code_height(piece.splitlines(), size)))
        while lines and not lines[0].strip():
            lines = lines[1:]
    return found


def output_blocks(cell: NotebookNode) -> list[Block]:
    """What a cell printed, its tables, and its pictures, as they are stored."""
    text, found = "", []
    for output in cell.outputs:
        data = output.get("data", {})
        if output.output_type == "stream":
            text += output.text
        elif "image/png" in data:
            found.append(data["image/png"].replace("\n", ""))
        elif "<table" in data.get("text/html", ""):
            text += data["text/plain"] + "\n"
        elif "<video" in data.get("text/html", ""):
            video = re.search(r"<video.*</video>", data["text/html"], re.DOTALL)[0]
            found.append(video)
        elif "text/plain" in data:
            text += data["text/plain"] + "\n"
    blocks = _printed(text) if text.strip() else []
    for shown in found:
        if shown.startswith("<video"):
            blocks.append(Block(f'<div class="video">{shown}</div>', HEIGHT))
        else:
            blocks.append(_picture(shown, cell.metadata.get("alt", ""), HEIGHT))
    return blocks


def _printed(text: str) -> list[Block]:
    lines = text.strip("\n").splitlines()
    size = _code_size(lines)
    while _code_height(lines, size) > HEIGHT:
        lines = [*lines[:-2], "…"]  # the notebook has it all
    return [Block(_pre(escape("\n".join(lines)), "output", size), _code_height(lines, size))]


def _code_size(lines: list[str]) -> float:
    """The size at which the longest line just fits, between the smallest and the largest."""
    longest = max(map(len, lines), default=1) or 1
    return max(CODE[0], min(CODE[1], math.floor(10 * (WIDTH - 40) / (CHARACTER * longest)) / 10))


def _code_height(lines: list[str], size: float) -> float:
    """How high lines of code are, of which long ones are broken."""
    fits = (WIDTH - 40) / (CHARACTER * size)
    return sum(max(1, math.ceil(len(line) / fits)) for line in lines) * size * LINE + 30


def _pre(html: str, kind: str, size: float) -> str:
    return f'<pre class="{kind}" style="font-size: {size}px">{html}</pre>'


def _picture(data: str, alt: str, height: float) -> Block:
    """A picture as large as there is room, but not so large that it looks coarse."""
    width, own = struct.unpack(">2I", base64.b64decode(data[:44])[16:24])  # where a PNG says how large it is
    scale = min(WIDTH / width, (height - 16) / own, 2)
    size = f'width="{scale * width:.0f}" height="{scale * own:.0f}"'
    html = f'<img src="data:image/png;base64,{data}" alt="{escape(alt)}" {size}>'
    return Block(html, scale * own + 16, smaller=lambda room: _picture(data, alt, room))


def _table(text: str) -> Block:
    """A table of Markdown, in letters so small that it fits."""
    rows = [line for line in text.splitlines() if not re.match(r"^\|[-:| ]+\|$", line)]
    columns = max(rows[0].count("|") - 1, 1)
    for size in (24, 22, 20, 18, 16):
        fits = WIDTH / columns / (ADVANCE * size)
        lines = [max(math.ceil(len(cell) / fits) for cell in row.strip("|").split("|")) for row in rows]
        height = sum(1.35 * size * number + 12 for number in lines) + 20
        if height <= HEIGHT:
            break
    return Block(f'<div style="font-size: {size}px">{rendered(text)}</div>', height)


def _lines(text: str) -> int:
    """How many lines a text takes at most."""
    shown = re.sub(r"\]\([^)]*\)|[*`$\\{}\[]", "", text)
    return max(1, math.ceil(len(shown) * ADVANCE * TEXT / WIDTH))
