"""Every notebook gives the same where there is no network, no home to write to, and another working directory.

This is the second run of each in `make test` beside nbval's, with the versions that Colab ships, and the one in which
the lessons' shape comments are checked.
"""

import json
import os
from pathlib import Path

import hostile_kernel
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from shape_comments import shape_comments

import frozen_notebooks

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NO_HOME = f"{os.devnull}/home"  # nobody can make it, not even root
STARTUP = "import sys\nsys.path[:0] = {!r}\nimport hostile_kernel\nhostile_kernel.install()\n"

pytestmark = pytest.mark.slow


@pytest.fixture
def run_hostile(tmp_path, monkeypatch):
    """Runs a notebook in such a kernel; gives what the kernel reports."""

    def run(notebook) -> dict:
        startup, elsewhere = tmp_path / "ipython/profile_default/startup", tmp_path / "elsewhere"
        startup.mkdir(parents=True)
        elsewhere.mkdir()
        (startup / "00_hostile.py").write_text(STARTUP.format([str(ROOT / "tests"), str(ROOT / "scripts")]))
        for name, value in {
            "HOME": NO_HOME,
            "USERPROFILE": NO_HOME,
            "IPYTHONDIR": str(tmp_path / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
            hostile_kernel.REPORT: str(tmp_path / "report.json"),
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR", "POSEFORMER_LITE_CACHE"):
            monkeypatch.delenv(name, raising=False)
        NotebookClient(
            notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(elsewhere)}}
        ).execute()
        assert list(elsewhere.iterdir()) == [], "a lesson leaves files in the reader's folder"
        return json.loads((tmp_path / "report.json").read_text())

    return run


def texts(notebook) -> list[tuple[str, str]]:
    """(source, text on the standard output and of results) of all cells that are compared."""
    found = []
    for cell in frozen_notebooks.code_cells(notebook):
        if "NBVAL_IGNORE_OUTPUT" in cell.source:
            continue
        text = "".join(
            output.text if output.output_type == "stream" else output.get("data", {}).get("text/plain", "")
            for output in cell.outputs
            if output.get("name") != "stderr"
        )
        found.append((cell.source, frozen_notebooks.sanitized(text)))
    return found


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_same_without_network_home_and_folder(path, run_hostile):
    stored, executed = frozen_notebooks.read(path), frozen_notebooks.read(path)
    report = run_hostile(executed)
    frozen_notebooks.freeze(executed)
    assert report["refused"] == []
    assert report["wrong"] == []
    comments = sum(
        len(shape_comments(frozen_notebooks.python_only(c.source))) for c in frozen_notebooks.code_cells(executed)
    )
    assert report["checked"] == comments, "shape comments that no tensor was compared with"
    assert texts(executed) == texts(stored)


def test_the_kernel_is_hostile(run_hostile):
    cells = [
        "import socket, torch\nfrom pathlib import Path",
        "try:\n    socket.create_connection(('192.0.2.1', 80), timeout=1)\nexcept OSError as error:\n    print(error)",
        "try:\n    Path('~/x').expanduser().mkdir(parents=True)\nexcept OSError:\n    print('no home')",
        "x = torch.zeros(2, 3)  # (3, 2)",
        "def f(x):\n    B, C = x.shape\n    return x.T  # (C, B)",
        "y = f(x)\nz = y + 1  # (3, 2), the second statement of a cell is seen, too",
    ]
    notebook = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    report = run_hostile(notebook)
    assert [output.text for cell in notebook.cells for output in cell.outputs] == ["the network is off\n", "no home\n"]
    assert report["refused"] != []
    assert (len(report["wrong"]), report["checked"]) == (1, 3)
