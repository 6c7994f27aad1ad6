"""How `make site` turns the lessons into pages: Sphinx reads the stored notebooks, runs nothing, and needs no network.

The source is the whole repository, so that pages keep the addresses and the pictures that they have on GitHub.
"""

import re
import tomllib
from pathlib import Path

from latex2mathml.converter import convert

ROOT = Path(__file__).resolve().parent.parent
_about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = _about["name"]
version = release = _about["version"]
project_copyright = "poseformer-lite authors. Texts and figures CC BY 4.0, code MIT"

extensions = ["myst_nb", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "notebooks/*.ipynb", "data/README.md"]
nb_execution_mode = "off"
nb_number_source_lines = False
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "poseformer-lite"
html_extra_path = ["root"]
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False  # a summary is fetched from the page, which a browser refuses for files
html_math_renderer = "mathml"

BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\((?P<address>[^)]*)\)")


def open_in_colab(app, page: str, source: list[str]) -> None:
    """A plain link in place of the badge, which would be fetched from the network."""
    source[0] = BADGE.sub(r"[Open in Colab](\g<address>)", source[0])


def visit_math(self, node) -> None:
    from docutils.nodes import SkipNode

    self.body.append(convert(node.astext(), display="inline"))
    raise SkipNode


def visit_displaymath(self, node) -> None:
    from docutils.nodes import SkipNode

    self.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise SkipNode


def setup(app) -> None:
    app.connect("source-read", open_in_colab)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
