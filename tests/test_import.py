"""Importing the package is cheap, and brings no more than is needed."""

import json
import subprocess
import sys

import pytest

import poseformer_lite

HEAVY = ("plotly", "ipywidgets", "accelerate", "matplotlib", "seaborn", "pandas", "scipy", "typer", "IPython")


# Of one process: what is loaded after a first import, and how long that and torch's took it, in processor time, which
# what else runs on the machine does not count into.
IMPORTS = """
import json, sys, time
import torch
torch_alone = time.process_time()
import poseformer_lite
with_package = time.process_time()
from poseformer_lite import PoseFormer
loaded = sorted({name.split(".")[0] for name in sys.modules})
print(json.dumps({"torch": torch_alone, "package": with_package, "loaded": loaded}))
"""


def in_a_process_of_its_own(code: str) -> dict:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_nothing_heavy_is_imported_before_it_is_used():
    assert not set(HEAVY) & set(in_a_process_of_its_own(IMPORTS)["loaded"])


@pytest.mark.slow
def test_importing_is_cheap_and_every_public_name_can_be_imported():
    everything = f"from poseformer_lite import {', '.join(poseformer_lite.__all__)}"
    runs = [in_a_process_of_its_own(IMPORTS + everything), *(in_a_process_of_its_own(IMPORTS) for _ in range(2))]
    assert min(run["package"] / run["torch"] for run in runs) < 1.15  # what else runs can only add
    assert set(poseformer_lite.__all__) <= set(dir(poseformer_lite))


def test_a_name_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(AttributeError, match="'poseformer_lite' has no attribute 'PoseFormr': it has PoseFormer, "):
        poseformer_lite.PoseFormr  # noqa: B018
