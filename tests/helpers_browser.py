"""JupyterLab with viewers in it, for the tests that drive them."""

import json
from contextlib import contextmanager

import numpy as np

from lab import offline_lab, run_all_cells
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
def lab_with(folder, browser_path, shown, after=None):
    """A page with these viewers, all cells run; and what the kernel told. Afterwards, that no callback raised."""
    root = folder / "root"
    root.mkdir()
    write_notebook(root, shown, SETUP + TOLD, after)
    with offline_lab(root, folder, browser_path) as (page, address):
        page.goto(f"{address}/lab/tree/{NOTEBOOK}")
        run_all_cells(page, NOTEBOOK)
        told = json.loads((root / "told.json").read_text())
        yield page, {name: np.array(value) for name, value in told.items()}
    assert (root / "complaints.log").read_text() == "", "no callback of the kernel raised an exception"


def frame_of(viewer: ViewerOnPage) -> int:
    """What its frame slider says."""
    return int(float(viewer.slider().get_attribute("aria-valuenow")))
