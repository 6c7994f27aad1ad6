"""Plugin of pytest: a test file is one test of every kind, not imported, to see fast which files would be run."""

import pytest


class WholeFile(pytest.File):
    def collect(self):
        yield Whole.from_parent(self, name="whole")


class Whole(pytest.Item):
    """Marked with all markers, so that a command that leaves out any of them leaves this out and says so."""

    fixturenames = ()

    def __init__(self, **keywords):
        super().__init__(**keywords)
        for line in self.config.getini("markers"):
            if (name := line.split(":")[0]) in ("slow", "browser", "gpu"):
                self.add_marker(name)

    def runtest(self) -> None:
        raise NotImplementedError("this is for --collect-only")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path, parent):
    return WholeFile.from_parent(parent, path=module_path)
