"""Stop with a clear message when this Python is not one that pyproject.toml allows. Needs nothing newer than 3.6."""

import re
import shutil
import sys
from pathlib import Path

pyproject = Path(__file__).resolve().parent.parent / "pyproject.toml"
lowest, above = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', pyproject.read_text(encoding="utf-8")).groups()
if not (3, int(lowest)) <= sys.version_info[:2] < (3, int(above)):
    newest = f"3.{int(above) - 1}"
    with_uv = f"uv run --no-project --python {newest} python"
    another = f"'{with_uv}'" if shutil.which("uv") else f"python{newest}"
    sys.exit(
        f"poseformer-lite needs Python 3.{lowest} to {newest}, but {sys.executable} is "
        f"{sys.version_info[0]}.{sys.version_info[1]}. Name another one, for example: make PYTHON={another} lab"
    )
