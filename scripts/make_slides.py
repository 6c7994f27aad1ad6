"""Write a deck of slides for each lesson of the core path, out of the cells and pictures of its notebook.

python scripts/make_slides.py [FOLDER]     build/slides, where no folder is named

Headings begin slides. Of a paragraph the slide shows its first sentence, the notes all of it (key S opens them); code,
what it printed and its pictures are shown. Code that only draws, and functions that draw, are in the notes. Solutions
and hints are left out. Each deck is one file that asks for nothing: reveal.js comes from live/node_modules
(`scripts/ensure_node.sh`).
"""

import ast
import re
import sys
from html import escape
from pathlib import Path

from nbformat import NotebookNode

import frozen_notebooks
from slide_blocks import HEIGHT, Block, code_blocks, markdown_blocks, output_blocks, rendered
from student_notebooks import BADGE, FOLDED

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
REVEAL = ROOT / "live" / "node_modules" / "reveal.js" / "dist"
CORE = range(9)  # lessons 00 to 08
ONLY_SETS_UP = re.compile(
    r"^\s*(from|import|if find_spec|%|plt\.|np\.|device = |\w+ = yours(_or_reference)?\(|[)\]} ]|$)"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div class="reveal"><div class="slides">
{slides}
</div></div>
<script>{script}</script>
<script>
Reveal.initialize({{
  width: 1280, height: 720, margin: 0, minScale: 0.1, maxScale: 4, center: false, hash: true, slideNumber: "c/t",
  controls: false, transition: "none", backgroundTransition: "none", plugins: [RevealNotes],
}});
</script>
</body>
</html>
"""


class Deck:
    """Slides in the making: a column for each section, in it one slide under the other."""

    def __init__(self):
        self.columns: list[list[str]] = []
        self.heading, self.section, self.blocks, self.notes, self.room = "", "", [], [], HEIGHT

    def begin(self, heading: str, level: int) -> None:
        """A slide with a new heading; "##" begins a column."""
        self.flush()
        self.heading = re.sub(r"^(Exercise .*) \((.*)\)$", r"\1 <small>\2</small>", heading)
        if level <= 2 or not self.columns:
            self.columns.append([])
            self.section = heading

    def back_to_section(self) -> None:
        """After an exercise the text goes on."""
        self.begin(self.section, 3)

    def add(self, block: Block) -> None:
        """Put a block onto the slide, or onto a further one with the same heading where there is no room."""
        enough = 0.6 if block.height < HEIGHT else 0.85  # what is as high as a slide already is not made much smaller
        if block.height > self.room and block.smaller and self.room > enough * HEIGHT:
            block = block.smaller(self.room)
        if block.height > self.room:
            self.flush()
        self.blocks.append(block.html)
        self.room -= block.height

    def note(self, html: str) -> None:
        self.notes.append(html)

    def flush(self) -> None:
        if self.blocks:
            notes = f'<aside class="notes">{"".join(self.notes)}</aside>' if self.notes else ""
            slide = f"<section><h2>{self.heading}</h2>\n{''.join(self.blocks)}\n{notes}</section>"
            self.columns[-1].append(slide)
            self.notes = []
        self.blocks, self.room = [], HEIGHT

    def html(self) -> str:
        self.flush()
        columns = ["\n".join(column) for column in self.columns if column]
        return "\n".join(f"<section>\n{column}\n</section>" for column in columns)


def slides(path: Path) -> str:
    """The sections of a deck, from a notebook."""
    deck = Deck()
    notebook = frozen_notebooks.read(path)
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            text = BADGE.sub("", FOLDED.sub("", cell.source)) if number else _title(cell.source)
            if "The next cell is for Colab" not in text:
                _add_markdown(deck, text, path.parent)
        elif len(deck.columns) > 1 and not all(ONLY_SETS_UP.match(line) for line in cell.source.splitlines()):
            _add_code(deck, cell)
    return deck.html()


def _title(source: str) -> str:
    """What the first slide shows: the title, the picture and the goals."""
    kept = [part for part in BADGE.sub("", source).split("\n\n") if not part.startswith(("**Time**", "**Needs**"))]
    return "\n\n".join(kept)


def _add_markdown(deck: Deck, text: str, folder: Path) -> None:
    for part in re.split(r"^(?=#{1,3} )", text, flags=re.MULTILINE):
        if heading := re.match(r"(#{1,3}) (.+)\n*", part):
            deck.begin(rendered(heading[2], inline=True), len(heading[1]))
            part = part[heading.end() :]
        if part.strip():
            for block in markdown_blocks(part, folder):
                deck.add(block)
            deck.note(rendered(re.sub(r"!\[.*?\]\(.*?\)", "", part)))


def _add_code(deck: Deck, cell: NotebookNode) -> None:
    source = re.sub(r"\A(# (NBVAL|Picture:).*\n(#.*\n)*)+", "", cell.source)
    exercise = re.search(r'^check\("', source, re.MULTILINE)
    outputs = [] if exercise else output_blocks(cell)
    if any("<img" in block.html for block in outputs) or _draws(source):
        deck.note(f"<pre>{escape(source)}</pre>")
    else:
        for block in code_blocks(source):
            deck.add(block)
    for block in outputs:
        deck.add(block)
    if exercise:
        deck.back_to_section()


def _draws(source: str) -> bool:
    """Whether a cell does nothing but define functions that draw."""
    body = ast.parse(frozen_notebooks.python_only(source)).body
    return bool(body) and all(
        isinstance(node, ast.FunctionDef)
        and (node.name.startswith(("draw_", "show_")) or [argument.arg for argument in node.args.args[:1]] == ["ax"])
        for node in body
    )


def page(path: Path) -> str:
    """A deck as one page."""
    if not REVEAL.is_dir():
        raise FileNotFoundError(f"{REVEAL.relative_to(ROOT)} is missing: run scripts/ensure_node.sh, which needs npm")
    title = re.search(r"^# (.+)$", frozen_notebooks.read(path).cells[0].source, re.MULTILINE)[1]
    style = [(REVEAL / "reveal.css").read_text(encoding="utf-8"), Path(__file__).with_name("slides.css").read_text()]
    script = [(REVEAL / name).read_text(encoding="utf-8") for name in ("reveal.js", "plugin/notes.js")]
    safe = "\n".join(script).replace("</script", "<\\/script")
    return PAGE.format(title=escape(title), style="\n".join(style), slides=slides(path), script=safe)


def write_all(folder: Path) -> list[Path]:
    """The decks of the core path, in a folder that is made."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if int(path.name[:2]) in CORE:
            written.append(folder / f"{path.stem}.html")
            written[-1].write_text(page(path), encoding="utf-8")
    return written


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else ROOT / "build" / "slides"
    try:
        print(f"{len(write_all(folder))} decks are in {folder}: open them in a browser")
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
