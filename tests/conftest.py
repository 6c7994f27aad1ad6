"""Fixtures that several test files use."""

import sys
from pathlib import Path

import pytest

pytest.register_assert_rewrite("lab")  # what it finds wrong is to be read in full
SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items) -> None:
    """What takes long first, so that no core waits for another in the end (with --no-loadscope-reorder)."""
    items.sort(key=lambda item: ("lab" not in item.fixturenames, item.get_closest_marker("slow") is None))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference material beside the checkout: golden values, real motion capture, a real video's keypoints."""
    if not (SHARED / "reference").is_dir():
        pytest.skip("needs the reference material in ../shared (golden values, motion capture), which is not here")
    return SHARED


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Where Chromium is."""
    from chromium import BROWSER_NAMES, find_browser

    return find_browser() or pytest.skip(f"needs one of {', '.join(BROWSER_NAMES)}: run scripts/ensure_browser.sh")


@pytest.fixture
def tiny():
    """3 subjects, 2 actions, 2 cameras, 60 frames of smooth motion; S9 is the test subject."""
    from helpers_data import tiny_dataset

    return tiny_dataset()


@pytest.fixture(autouse=True)
def no_picture_left_open():
    """Close the figures of a test, so that the next one in this process finds none."""
    yield
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")


@pytest.fixture(autouse=True)
def the_same_numbers_on_every_machine(monkeypatch):
    """Where "auto" decides, it stays in float32, whatever this processor has: test_precision.py looks at the rest."""
    if module := sys.modules.get("poseformer_lite.model.precision"):
        monkeypatch.setattr(module, "bfloat16_speed", lambda device="cpu": 1.0)
