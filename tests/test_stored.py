"""What lessons read instead of training it: made by the lessons themselves, and made again where that is wanted."""

import json
from importlib import resources

import pytest
from lesson_notebooks import LESSONS, ROOT, code

import store_lesson_results
from poseformer_course.stored import Results
from poseformer_lite.training.settings import get_preset

STORED = json.loads(resources.files("poseformer_course").joinpath("results/lessons.json").read_text())


def test_what_is_made_here_is_made_once_and_the_rest_is_read():
    results, calls = Results("14"), []
    read = results("scratch, seed 1", False, calls.append)
    assert read == STORED["lessons"]["14"]["scratch, seed 1"] and calls == []

    def make(a, b):
        calls.append((a, b))
        return a + b

    assert [results("new", True, make, 1, b=2) for _ in range(2)] == [3, 3]
    assert calls == [(1, 2)] and results.made == {"new": 3}


def test_with_run_all_everything_is_made_here():
    results = Results("14", run_all=True)
    assert results("scratch, seed 1", False, lambda: 7) == 7 and results.made == {"scratch, seed 1": 7}


def test_what_is_not_stored_is_named():
    with pytest.raises(KeyError, match="no result 'seed 9' is stored: train it here, with RUN_ALL = True"):
        Results("14")("seed 9", False, dict)


def test_the_lessons_with_a_switch_are_those_with_stored_results():
    asking = {path.name[:2] for path in LESSONS if any("Results(" in cell for cell in code(path))}
    assert (
        {path.name[:2] for path in LESSONS if store_lesson_results.switched(path)} == asking == set(STORED["lessons"])
    )


@pytest.mark.parametrize(
    "path", [path for path in LESSONS if store_lesson_results.switched(path)], ids=lambda p: p.stem
)
def test_the_switch_is_turned_on_a_copy_that_tells_what_it_made(path):
    before = path.read_bytes()
    cells = [cell.source for cell in store_lesson_results.switched(path).cells]
    assert sum("RUN_ALL = True  #" in cell for cell in cells) == 1
    assert not any(store_lesson_results.SWITCH in cell for cell in cells)
    assert cells[-1] == store_lesson_results.TELL and path.read_bytes() == before


def test_lesson_06_gives_the_training_time_that_was_measured():
    measured = json.loads((ROOT / "benchmarks" / "results" / "lite_synthetic.json").read_text())
    settings = get_preset("lite").settings
    steps = settings.epochs * settings.windows_per_epoch // settings.batch_size
    assert measured["windows"] == settings.epochs * settings.windows_per_epoch
    text = (ROOT / "notebooks" / "06_training_on_gpu.ipynb").read_text(encoding="utf-8")
    assert f"took {measured['summary']['PoseFormer']['seconds']:.0f} s for its {steps:,} steps" in text
