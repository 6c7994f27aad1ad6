"""Write the project's public address, from pyproject.toml, wherever readers meet it.

    python scripts/set_repository_address.py            rewrite
    python scripts/set_repository_address.py --check    say what is out of date, change nothing

Only links of these forms are touched, so links to other people's repositories stay as they are:

    https://colab.research.google.com/github/OWNER/REPO/blob/main/notebooks/NAME.ipynb       (badge; nbviewer.org too)
    https://kaggle.com/kernels/welcome?src=https://github.com/OWNER/REPO/blob/main/notebooks/NAME.ipynb      (badge)
    https://mybinder.org/v2/gh/OWNER/REPO/HEAD                                               (badge)
    https://codespaces.new/OWNER/REPO                                                        (badge)
    poseformer-lite @ git+https://github.com/OWNER/REPO                                      (install cell)
    git clone https://github.com/OWNER/REPO poseformer-lite
    https://github.com/OWNER/REPO/actions/workflows/test.yml                                 (badge)
    https://raw.githubusercontent.com/OWNER/REPO/main/figures/NAME.png                       (pictures in Colab)
    repository-code: "https://github.com/OWNER/REPO"                                         (CITATION.cff)
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"https://github\.com/(?P<owner>[\w.-]+)/(?P<name>[\w.-]+?)(\.git)?/?")
SLUG = r"[\w.-]+/[\w.-]+"
# What stands before OWNER/REPO, and what must follow it.
LINKS = [
    (r"https://(?:colab\.research\.google\.com|nbviewer\.org)/github/", r"/blob/main/notebooks/"),
    (r"https://kaggle\.com/kernels/welcome\?src=https://github\.com/", r"/blob/main/notebooks/"),
    (r"https://mybinder\.org/v2/gh/", r"/HEAD"),
    (r"https://codespaces\.new/", r"(?![\w./-])"),
    (r"poseformer-lite(?:\[[\w,]+\])? @ git\+https://github\.com/", r"(?![\w./-])"),
    (r"git clone https://github\.com/", r" poseformer-lite\b"),
    (r"https://github\.com/", r"/actions/workflows/test\.yml"),
    (r"https://raw\.githubusercontent\.com/", r"/main/figures/"),
    (r'repository-code: "https://github\.com/', r'"'),
]


def repository_slug(root: Path) -> str:
    """OWNER/REPO from [project.urls] of pyproject.toml. Raises ValueError if that is no address on GitHub."""
    address = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]
    match = ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError(
            f"[project.urls] Repository in pyproject.toml is {address!r}, but the badges need an address of the form "
            "https://github.com/OWNER/REPO"
        )
    return f"{match['owner']}/{match['name']}"


def with_address(text: str, slug: str) -> str:
    for before, after in LINKS:
        text = re.sub(f"({before}){SLUG}(?={after})", lambda match: match[1] + slug, text)
    return text


def pages(root: Path) -> list[Path]:
    named = [root / name for name in ("README.md", "CONTRIBUTING.md", "CITATION.cff")]
    return [path for path in named if path.exists()] + sorted((root / "notebooks").glob("*.ipynb"))


def outdated(root: Path) -> list[Path]:
    """The files that name another address than pyproject.toml does."""
    slug = repository_slug(root)
    texts = {path: path.read_text(encoding="utf-8") for path in pages(root)}
    return [path for path, text in texts.items() if with_address(text, slug) != text]


def main(arguments: list[str], root: Path = ROOT) -> int:
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 2
    slug = repository_slug(root)
    stale = outdated(root)
    for path in stale:
        if not arguments:
            path.write_text(with_address(path.read_text(encoding="utf-8"), slug), encoding="utf-8")
        print(f"{path.relative_to(root)}: {'names another address than' if arguments else 'now names'} {slug}")
    return 1 if stale and arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
