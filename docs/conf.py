"""How `make site` turns the lessons into pages: Sphinx reads the stored notebooks, runs nothing, and needs no network.

The pages in docs/api are made of the package's docstrings, for which it is imported.

The source is the whole repository, so that pages keep the addresses and the pictures that they have on GitHub.
"""

import re
import sys
import tomllib
from pathlib import Path

from latex2mathml.converter import convert

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
_about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = _about["name"]
version = release = _about["version"]
project_copyright = "poseformer-lite authors. Texts and figures CC BY 4.0, code MIT"

extensions = ["myst_nb", "sphinx_copybutton", "sphinx.ext.autodoc"]
root_doc = "docs/index"
include_patterns = ["docs/*.md", "docs/api/*.md", "notebooks/*.ipynb", "data/README.md"]
nb_execution_mode = "off"
nb_number_source_lines = False
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

default_role = "py:obj"  # what docstrings have in single backticks
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88  # a longer one has a line for each argument
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_title = "poseformer-lite"
EXPLORE = ROOT / "build" / "live" / "explore.html"  # which `make site` makes first, where there is Node
html_extra_path = ["root", *([str(EXPLORE)] if EXPLORE.is_file() else [])]
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


def link_to_live_page(app, page: str, source: list[str]) -> None:
    """Where the page of live/ was built, a link to it."""
    link = '<p><a class="reference" href="../explore.html"><b>Open the page</b></a> (4 MB)</p>'
    source[0] = source[0].replace("<!-- explore -->", link if EXPLORE.is_file() else "")


def find_by_its_end(app, env, node, shown):
    """Where `Skeleton.bones` leads, whose address begins with a module's; nowhere if it is the end of several."""
    from sphinx.util.nodes import make_refnode

    target = f".{node['reftarget']}"
    found = [entry for name, entry in env.get_domain("py").objects.items() if name.endswith(target)]
    if node["refdomain"] != "py" or len(found) != 1:
        return None
    return make_refnode(app.builder, node["refdoc"], found[0].docname, found[0].node_id, shown)


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
    app.connect("source-read", link_to_live_page)
    app.connect("missing-reference", find_by_its_end)
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
