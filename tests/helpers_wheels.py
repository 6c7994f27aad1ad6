"""Wheels that hold nothing but metadata; beside the pyproject.toml of `course` this file is its build backend."""

import zipfile
from pathlib import Path

EXTRAS = 'Requires-Dist: torch; extra == "notebooks"\nRequires-Dist: pytest; extra == "test"\n'
BACKEND = """[build-system]
requires = []
build-backend = "helpers_wheels"
backend-path = ["."]
[project]
name = "course"
version = "1.0"
optional-dependencies = { notebooks = ["torch"], test = ["pytest"] }
"""


def write_wheel(folder: Path, name: str, version: str, more_metadata: str = "") -> str:
    about = f"{name}-{version}.dist-info"
    filename = f"{name}-{version}-py3-none-any.whl"
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{more_metadata}",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files["RECORD"] = "".join(f"{about}/{file},,\n" for file in (*files, "RECORD"))
    with zipfile.ZipFile(Path(folder) / filename, "w") as wheel:
        for file, text in files.items():
            wheel.writestr(f"{about}/{file}", text)
    return filename


def build_editable(wheel_directory, config_settings=None, metadata_directory=None) -> str:
    return write_wheel(wheel_directory, "course", "1.0", "Provides-Extra: notebooks\nProvides-Extra: test\n" + EXTRAS)
