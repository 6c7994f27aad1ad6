"""Keypoints in the wild: the body stays a body, gaps are filled, and the truth is left alone."""

import numpy as np
import pytest

from poseformer_lite.datasets.sources import synthetic
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.datasets.virtual.wild import SHIFTS, detector_points, wild_keypoints
from poseformer_lite.skeleton import H36M17

INDEX = H36M17.joints.index


@pytest.fixture(scope="module")
def take():
    return next(take for take in synthetic.make_takes(subjects=("S1",)) if take.action.startswith("Walking"))


def moved(world, seed):
    return np.linalg.norm(detector_points(world, np.random.default_rng(seed)) - world, axis=-1)


def test_joints_are_moved_by_centimetres_and_the_nose_by_more(take):
    shifts = np.stack([moved(take.world, seed) for seed in range(40)]).mean(axis=(0, 1))
    assert shifts.min() > 0.005 and shifts.max() < 0.1
    assert shifts[INDEX("Neck/Nose")] > shifts[INDEX("RHip")]


def test_a_detector_has_one_idea_of_a_joint_however_the_person_turns(take):
    """Turning person and detector together is the same as turning the points."""
    angle = 1.1
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    turned = detector_points((take.world @ turn.T).astype(np.float32), np.random.default_rng(3))
    np.testing.assert_allclose(turned, detector_points(take.world, np.random.default_rng(3)) @ turn.T, atol=1e-4)


def test_the_shift_of_a_shoulder_is_the_same_in_all_frames_of_the_body(take):
    points = detector_points(take.world, np.random.default_rng(0))
    distance = np.linalg.norm(points[:, INDEX("LShoulder")] - take.world[:, INDEX("LShoulder")], axis=-1)
    assert distance.max() < np.abs(SHIFTS["Shoulder"][1]).max() * 5 and np.ptp(distance) < 1e-4


def test_often_the_trunk_is_what_the_conversion_of_layouts_makes(take):
    converted = 0
    for seed in range(40):
        points = detector_points(take.world, np.random.default_rng(seed))
        middle = (points[:, INDEX("LShoulder")] + points[:, INDEX("RShoulder")]) / 2
        converted += np.abs(points[:, INDEX("Thorax")] - middle).max() < 1e-6
    assert 14 <= converted <= 34  # 0.6 of 40


def test_keypoints_have_no_gaps_at_any_rate_and_follow_the_truth(take):
    truth = view_takes([take], "fixed", "gt", 0, 1)[0].keypoints
    size = np.ptp(truth, axis=1).max()
    for seed in range(8):  # of these several run at each rate
        seen = wild_keypoints(truth, np.random.default_rng(seed))
        assert seen.shape == truth.shape and np.isfinite(seen).all()
        assert 0.002 < np.median(np.linalg.norm(seen - truth, axis=-1)) / size < 0.03


def test_views_in_the_wild_keep_the_truth_and_are_drawn_by_their_seed(take):
    true, wild = (view_takes([take], "random", kind, 5, 2) for kind in ("gt", "wild"))
    assert len(wild) == 2
    np.testing.assert_array_equal(wild[0].poses_3d, true[0].poses_3d)
    np.testing.assert_array_equal(wild[0].keypoints, view_takes([take], "random", "wild", 5, 2)[0].keypoints)
    assert np.abs(wild[0].keypoints - true[0].keypoints).max() > 1


def test_a_clip_of_one_frame(take):
    seen = wild_keypoints(view_takes([take], "fixed", "gt", 0, 1)[0].keypoints[:1], np.random.default_rng(0))
    assert seen.shape == (1, 17, 2) and np.isfinite(seen).all()
