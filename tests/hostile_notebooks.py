"""Plugin of pytest: nbval with a hostile kernel, and after a notebook's cells a test of what that kernel saw.

The kernel has no network, no home to write to and another working directory, and checks shape comments while it runs.
"""

import json
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
import pytest
from nbval.plugin import IPyNbFile
from shape_comments import shape_comments

import frozen_notebooks
from poseformer_course.reproduce.sources import SMALL_PEOPLE
from poseformer_lite.datasets.sources import synthetic
from poseformer_lite.datasets.sources.synthetic.dataset import CACHE_VARIABLE

PATHS = [str(Path(__file__).resolve().parent), str(Path(frozen_notebooks.__file__).resolve().parent)]
NO_HOME = f"{os.devnull}/home"  # nobody can make it, not even root
STARTUP = "import sys\nsys.path[:0] = {!r}\nimport hostile_kernel\nhostile_kernel.install({!r}, {!r})\n"


def pytest_sessionstart(session) -> None:
    """Make the synthetic set before a lesson has to, which would show how far it is."""
    if not (hasattr(session.config, "workerinput") or session.config.option.collectonly):
        synthetic.load("noisy")
        synthetic.make_takes(seed=1, subjects=SMALL_PEOPLE)  # the other people of lesson 12


def pytest_collection_modifyitems(items) -> None:
    """The longest notebooks first, so that no core waits for another in the end (with --no-loadscope-reorder)."""
    items.sort(key=lambda item: -item.parent.minutes)


def pytest_collect_file(file_path: Path, parent):
    return HostileNotebook.from_parent(parent, path=file_path) if file_path.suffix == ".ipynb" else None


class HostileNotebook(IPyNbFile):
    """A notebook's cells as nbval compares them, and one test more.

    minutes: how long it takes by its own words, 0 where it does not say.
    """

    minutes = 0.0

    def collect(self):
        yield from super().collect()
        if measured := re.search(r"^\*\*Time\*\*: about (\d+) (s|min)", self.nb.cells[0].source, re.MULTILINE):
            self.minutes = int(measured[1]) / (60 if measured[2] == "s" else 1)
        yield Report.from_parent(self, name="no network, home and folder needed, and shape comments are right")

    def setup(self) -> None:
        self._folder = TemporaryDirectory()
        folder = Path(self._folder.name)
        self.elsewhere, self.report = folder / "elsewhere", folder / "report.json"
        startup = folder / "ipython/profile_default/startup"
        startup.mkdir(parents=True)
        self.elsewhere.mkdir()
        (startup / "00_hostile.py").write_text(STARTUP.format(PATHS, str(self.elsewhere), str(self.report)))
        # Kept once, and not made for each notebook; what is made without a cache, test_synthetic.py compares.
        kept = {CACHE_VARIABLE: str(synthetic.cache_folder()), "MPLCONFIGDIR": matplotlib.get_cachedir()}
        own = {"IPYTHONDIR": str(folder / "ipython"), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}
        with pytest.MonkeyPatch.context() as environment:
            for name, value in {**kept, **own, "HOME": NO_HOME, "USERPROFILE": NO_HOME}.items():
                environment.setenv(name, value)
            for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
                environment.delenv(name, raising=False)
            super().setup()

    def teardown(self) -> None:
        super().teardown()
        self._folder.cleanup()


class Report(pytest.Item):
    """What a notebook's kernel has seen when all cells have run."""

    def runtest(self) -> None:
        seen = json.loads(self.parent.report.read_text())
        assert seen["refused"] == [], "the network was asked for"
        assert seen["wrong"] == [], "shape comments that are wrong"
        cells = [frozen_notebooks.python_only(cell.source) for cell in frozen_notebooks.code_cells(self.parent.nb)]
        assert seen["checked"] == sum(len(shape_comments(cell)) for cell in cells), "comments that met no tensor"
        assert list(self.parent.elsewhere.iterdir()) == [], "a lesson leaves files in the reader's folder"
