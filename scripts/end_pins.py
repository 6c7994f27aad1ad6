"""Print what pip is told to install the oldest versions that pyproject.toml allows, or the newest there are.

    python scripts/end_pins.py oldest|newest

The oldest are the lower bounds of what the project itself asks for; what these bring along is chosen by pip. The newest
need no word.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def oldest(pyproject: dict) -> list[str]:
    """name==version for every requirement of the project and its extras."""
    project = pyproject["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    bounds = dict(re.match(r"([\w.-]+)>=([\w.]+)", requirement).groups() for requirement in wanted)
    return [f"{name}=={version}" for name, version in sorted(bounds.items())]


if __name__ == "__main__":
    if sys.argv[1] == "oldest":
        print("\n".join(oldest(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))))
