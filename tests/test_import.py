"""Importing the package is cheap, and brings no more than is needed."""

import subprocess
import sys

import pytest

import poseformer_lite

HEAVY = ("plotly", "ipywidgets", "accelerate", "matplotlib", "seaborn", "pandas", "scipy", "typer", "IPython")


def in_a_process_of_its_own(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_nothing_heavy_is_imported_before_it_is_used():
    code = "import poseformer_lite\nfrom poseformer_lite import PoseFormer"
    loaded = in_a_process_of_its_own(f"{code}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})")
    assert not set(HEAVY) & set(loaded.split())


@pytest.mark.slow
def test_every_public_name_can_be_imported():
    in_a_process_of_its_own(f"from poseformer_lite import {', '.join(poseformer_lite.__all__)}")
    assert set(poseformer_lite.__all__) <= set(dir(poseformer_lite))


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(AttributeError, match="'poseformer_lite' has no attribute 'PoseFormr': it has PoseFormer, "):
        poseformer_lite.PoseFormr  # noqa: B018


def seconds(code: str) -> float:
    """Of processor time: what else runs on the machine does not count."""
    return float(in_a_process_of_its_own(f"{code}\nimport time\nprint(time.process_time())"))


@pytest.mark.slow
def test_importing_costs_little_more_than_importing_torch():
    codes = "import torch", "import torch, poseformer_lite"
    times = [[seconds(code) for code in codes] for _ in range(6)][1:]  # by turns, and the first warms the disk's cache
    torch_alone, with_package = map(min, zip(*times, strict=True))  # what else runs can only add
    assert with_package < 1.15 * torch_alone
