"""JupyterLab with viewers in it, for the tests that drive them."""

import json
from contextlib import contextmanager

import numpy as np

from lab import Lab, lab_page, run_all_cells
from viewer_page import NOTEBOOK, SETUP, ViewerOnPage, write_notebook

# What the kernel knows, and what goes wrong in its callbacks, written where the test can read it.
TOLD = """
import json, logging
from pathlib import Path
from IPython import get_ipython

for log in (logging.getLogger(), logging.getLogger("Comm"), get_ipython().kernel.log):
    handler = logging.FileHandler("complaints.log")
    handler.setLevel(logging.ERROR)
    log.addHandler(handler)
from poseformer_lite.viewers.drawing import z_up

told = {"drawn": z_up(poses_3d).tolist(), "rows": seen.maps.spatial.tolist()}
Path("told.json").write_text(json.dumps(told))
"""


@contextmanager
def page_with_viewers(lab: Lab, browser_path: str, name: str, shown, after=None, before: str = ""):
    """A page with these viewers in a folder of that name, all cells run; and what the kernel told.

    before: code that runs first. Afterwards, that no callback raised.
    """
    folder = lab.root / name
    folder.mkdir()
    write_notebook(folder, shown, before + SETUP + TOLD, after)
    notebook = f"{name}/{NOTEBOOK}"
    with lab_page(lab, browser_path, notebook) as page:
        run_all_cells(page, notebook)
        told = json.loads((folder / "told.json").read_text())
        yield page, {name: np.array(value) for name, value in told.items()}
    assert (folder / "complaints.log").read_text() == "", "no callback of the kernel raised an exception"


def frame_of(viewer: ViewerOnPage) -> int:
    """What its frame slider says."""
    return int(float(viewer.slider().get_attribute("aria-valuenow")))
