"""A simulated detector's errors have the size, the memory and the accidents that its docstring states."""

import numpy as np
import pytest

from poseformer_lite.datasets.virtual import detections
from poseformer_lite.datasets.virtual.detections import person_size, simulate_detector
from poseformer_lite.skeleton import H36M17

JOINT = {name: index for index, name in enumerate(H36M17.joints)}
FRAMES = 40_000


@pytest.fixture(scope="module")
def person():
    """Someone who stands still, 400 pixels tall: (T, 17, 2), a corner of the box at (300, 200)."""
    rng = np.random.default_rng(0)
    pose = rng.uniform([300, 200], [500, 600], size=(17, 2))
    pose[0], pose[10] = [300, 600], [500, 200]
    return np.tile(pose, (FRAMES, 1, 1))


def only_spread(person, seed=1, **options):
    return simulate_detector(person, np.random.default_rng(seed), outliers=0, swaps=0, **options) - person


def test_spread_is_as_stated_for_each_joint(person):
    errors = only_spread(person)
    expected = 400 * np.array(list(detections.SPREAD.values()))
    assert np.allclose(errors.std(axis=0), expected[:, None], rtol=0.1)
    assert np.abs(errors.mean(axis=0)).max() < 1
    assert tuple(detections.SPREAD) == H36M17.joints


def test_mean_error_of_a_person_of_400_pixels_is_5_to_8(person):
    found = simulate_detector(person, np.random.default_rng(1))
    error = np.linalg.norm(found - person, axis=-1)
    assert 5 < error.mean() < 8
    by_joint = error.mean(axis=0)
    assert by_joint[[JOINT["LWrist"], JOINT["RFoot"]]].min() > 1.3 * by_joint[[JOINT["Hip"], JOINT["RHip"]]].max()


def test_errors_scale_with_the_person(person):
    small = only_spread(person / 4)
    assert np.allclose(small, only_spread(person) / 4)
    assert np.allclose(person_size(person / 4)[:100], 100)


def test_errors_are_correlated_over_time_with_a_share_of_jitter(person):
    errors = only_spread(person)
    errors = errors / errors.std(axis=0)
    correlation = [np.mean(errors[lag:] * errors[: len(errors) - lag]) for lag in (1, 6, 50, 400)]
    # 20 % jitter is gone after one frame; of the 50 % at 0.12 s (6 frames) a share exp(-1/4) is left after 6 frames;
    # of the 30 % at 1 s the same share is left after 50
    assert np.allclose(correlation, [0.8, 0.5 * np.exp(-0.25) + 0.3, 0.3 * np.exp(-0.25), 0], atol=0.05)


def test_outliers_are_rare_persist_and_hit_limbs_only(person):
    found = simulate_detector(person, np.random.default_rng(2), spread=0, swaps=0)
    lost = np.linalg.norm(found - person, axis=-1) > 0
    share = lost.mean(axis=0)
    for name, index in JOINT.items():
        assert share[index] == pytest.approx(detections.OUTLIERS.get(name.lstrip("LR"), 0), rel=0.25, abs=1e-9)
    wrist = lost[:, JOINT["LWrist"]]
    spells = np.diff(np.flatnonzero(np.diff(np.concatenate([[False], wrist, [False]]).astype(int))))[::2]
    assert spells.min() >= 3 and np.median(spells) <= 15 and spells.mean() == pytest.approx(9, abs=1.5)
    offset = (found - person)[wrist, JOINT["LWrist"]]
    assert offset.std() == pytest.approx(0.12 * 400, rel=0.2)


def test_outliers_stay_where_they_are_for_a_spell(person):
    found = simulate_detector(person, np.random.default_rng(2), spread=0, swaps=0)[:, JOINT["LWrist"]]
    jumps = np.any(np.diff(found, axis=0) != 0, axis=-1).sum()
    lost = np.any(found != person[0, JOINT["LWrist"]], axis=-1).sum()
    assert jumps < 0.35 * lost  # two jumps for a spell of nine frames


def test_swaps_exchange_a_whole_limb_for_a_short_spell(person):
    found = simulate_detector(person, np.random.default_rng(3), spread=0, outliers=0, swaps=0.02)
    legs, others = [JOINT[n] for n in ("RHip", "RKnee", "RFoot")], [JOINT[n] for n in ("LHip", "LKnee", "LFoot")]
    swapped = np.any(found[:, legs] != person[:, legs], axis=(1, 2))
    assert swapped.mean() == pytest.approx(0.02, rel=0.25)
    assert np.array_equal(found[swapped][:, legs], person[swapped][:, others])
    assert np.array_equal(found[swapped][:, others], person[swapped][:, legs])
    middle = [i for i in range(17) if H36M17.side(i) == "middle"]
    assert np.array_equal(found[:, middle], person[:, middle])


def test_deterministic_given_the_generator_and_input_is_left_alone():
    keypoints = np.random.default_rng(0).uniform(100, 900, (60, 17, 2)).astype(np.float32)
    before = keypoints.copy()
    one, two, other = (simulate_detector(keypoints, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    assert np.array_equal(keypoints, before) and one.dtype == np.float32 and np.isfinite(one).all()


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_short_clips_work(frames):
    keypoints = np.random.default_rng(0).uniform(100, 900, (frames, 17, 2))
    assert simulate_detector(keypoints, np.random.default_rng(0)).shape == (frames, 17, 2)


def test_other_layouts_are_refused():
    with pytest.raises(ValueError, match=r"\(5, 33, 2\), expected \(T, 17, 2\)"):
        simulate_detector(np.zeros((5, 33, 2)), np.random.default_rng(0))
