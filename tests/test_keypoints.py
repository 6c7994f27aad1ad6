"""Detectors' joints to Human3.6M's 17, gaps over time, and frame rates."""

import numpy as np
import pytest
from helpers_data import tiny_dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from poseformer_lite.datasets.virtual.detections import simulate_detector
from poseformer_lite.keypoints import (
    LAYOUTS,
    check_keypoints,
    confidence_h36m17,
    fill_gaps,
    resample,
    to_h36m17,
    undo_swaps,
)
from poseformer_lite.skeleton import COCO17, H36M17, flip_poses, get_skeleton

layouts = pytest.mark.parametrize("layout", LAYOUTS)


def detection(layout: str, frames: int = 4, dims: int = 2) -> np.ndarray:
    return np.random.default_rng(0).uniform(100, 900, (frames, get_skeleton(layout).num_joints, dims))


# For each of the 17 the weights of the detected joints, by their names.
BOTH_SIDES = {
    f"{side}{ours}": {f"{side}{theirs}": 1.0}
    for side in "LR"
    for ours, theirs in [
        ("Hip", "Hip"),
        ("Knee", "Knee"),
        ("Foot", "Ankle"),
        ("Shoulder",) * 2,
        ("Elbow",) * 2,
        ("Wrist",) * 2,
    ]
}
FROM_SHOULDERS_AND_HIPS = {
    **BOTH_SIDES,
    "Hip": {"LHip": 0.5, "RHip": 0.5},
    "Thorax": {"LShoulder": 0.5, "RShoulder": 0.5},
    "Spine": {"LHip": 0.25, "RHip": 0.25, "LShoulder": 0.25, "RShoulder": 0.25},
    "Neck/Nose": {"Nose": 1.0},
    "Head": {"LEar": 0.75, "REar": 0.75, "LShoulder": -0.25, "RShoulder": -0.25},  # ears + (ears - thorax) / 2
}
BY_HAND = {
    "coco17": FROM_SHOULDERS_AND_HIPS,
    "mediapipe33": FROM_SHOULDERS_AND_HIPS,
    "halpe26": {
        **BOTH_SIDES,
        "Hip": {"Hip": 1.0},
        "Thorax": {"Neck": 1.0},
        "Spine": {"Hip": 0.5, "Neck": 0.5},
        "Neck/Nose": {"Nose": 1.0},
        "Head": {"Head": 1.0},
    },
}


@pytest.mark.parametrize("layout", BY_HAND)
@pytest.mark.parametrize("joint", H36M17.joints)
def test_joint_by_joint(layout, joint):
    keypoints, names = detection(layout), get_skeleton(layout).joints
    expected = sum(weight * keypoints[:, names.index(name)] for name, weight in BY_HAND[layout][joint].items())
    np.testing.assert_allclose(to_h36m17(keypoints, layout)[:, H36M17.joints.index(joint)], expected)


def test_coco_by_hand_in_numbers():
    """The indices once more as numbers, so that a wrong name in the skeleton cannot hide a wrong joint."""
    keypoints = np.stack([np.arange(17.0) * 10, np.arange(17.0) ** 2], axis=-1)[None]
    converted = to_h36m17(keypoints, "coco17")[0]
    assert converted[1:7, 0].tolist() == [120, 140, 160, 110, 130, 150]
    assert converted[11:, 0].tolist() == [50, 70, 90, 60, 80, 100]
    assert converted[0].tolist() == [115, (121 + 144) / 2] and converted[8].tolist() == [55, (25 + 36) / 2]
    assert converted[7].tolist() == [85, (132.5 + 30.5) / 2] and converted[9].tolist() == [0, 0]
    assert converted[10].tolist() == [35 + (35 - 55) / 2, 12.5 + (12.5 - 30.5) / 2]


def test_mediapipe_by_hand_in_numbers():
    keypoints = np.stack([np.arange(33.0), -np.arange(33.0)], axis=-1)[None]
    converted = to_h36m17(keypoints, "mediapipe33")[0]
    expected = [23.5, 24, 26, 28, 23, 25, 27, 17.5, 11.5, 0, 7.5 - 2, 11, 13, 15, 12, 14, 16]
    np.testing.assert_allclose(converted, np.stack([expected, np.negative(expected)], axis=-1))


def test_halpe_by_hand_in_numbers():
    converted = to_h36m17(np.arange(26.0)[None, :, None].repeat(2, -1), "halpe26")[0, :, 0]
    assert converted.tolist() == [19, 12, 14, 16, 11, 13, 15, 18.5, 18, 0, 17, 5, 7, 9, 6, 8, 10]


def test_a_standing_person_has_the_head_on_top():
    """Pixel rows from foot to head: the order of the joints on the screen is that of a body."""
    y = dict(Nose=120, LEye=110, LEar=115, LShoulder=200, LElbow=280, LWrist=350, LHip=400, LKnee=550, LAnkle=700)
    x = dict(Nose=0, LEye=8, LEar=15, LShoulder=40, LElbow=45, LWrist=50, LHip=25, LKnee=25, LAnkle=25)
    keypoints = np.array(
        [[500 + x[n], y[n]] if n in x else [500 - x["L" + n[1:]], y["L" + n[1:]]] for n in COCO17.joints], dtype=float
    )[None]
    head, nose, thorax, spine, hip, knee, foot = to_h36m17(keypoints, "coco17")[0, [10, 9, 8, 7, 0, 2, 3], 1]
    assert head < nose < thorax < spine < hip < knee < foot
    assert head == 115 - 0.5 * 85


@layouts
@settings(deadline=None, max_examples=25)
@given(degrees=st.floats(-180, 180), scale=st.floats(0.1, 10), shift=st.tuples(*[st.floats(-500, 500)] * 2))
def test_turning_the_pixels_commutes_with_conversion(layout, degrees, scale, shift):
    """A rolled camera must not matter: an x that strays into a y breaks this."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    roll = scale * np.array([[cos, -sin], [sin, cos]])
    keypoints = detection(layout)
    expected = to_h36m17(keypoints, layout) @ roll.T + shift
    np.testing.assert_allclose(to_h36m17(keypoints @ roll.T + shift, layout), expected, atol=1e-6)


@layouts
def test_a_mirrored_person_has_its_sides_exchanged(layout):
    keypoints = detection(layout)
    mirrored = flip_poses(keypoints, get_skeleton(layout))
    np.testing.assert_allclose(to_h36m17(mirrored, layout), flip_poses(to_h36m17(keypoints, layout), H36M17))


@layouts
def test_mirrored_pixels_alone_keep_the_sides(layout):
    keypoints = detection(layout)
    mirror = np.array([-1.0, 1.0])
    np.testing.assert_allclose(to_h36m17(keypoints * mirror, layout), to_h36m17(keypoints, layout) * mirror)


@layouts
@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_conversion_keeps_type_and_input(layout, dims, dtype):
    keypoints = detection(layout, dims=dims).astype(dtype)
    kept = keypoints.copy()
    converted = to_h36m17(keypoints, layout)
    assert converted.shape == (4, 17, dims) and converted.dtype == dtype
    converted[:] = -1
    np.testing.assert_array_equal(keypoints, kept)


@layouts
def test_missing_joints_stay_missing(layout):
    """What is made from a missing joint is missing too, and nothing else is."""
    keypoints = detection(layout)
    wrist = get_skeleton(layout).joints.index("LWrist")
    keypoints[1, wrist] = np.nan
    missing = np.isnan(to_h36m17(keypoints, layout)).any(-1)
    assert np.argwhere(missing).tolist() == [[1, 13]]


def test_confidence_is_the_least_of_the_sources():
    confidence = np.full((1, 17), 0.9)
    confidence[0, [5, 3, 14]] = [0.5, 0.2, 0.1]  # left shoulder, left ear, right knee
    converted = confidence_h36m17(confidence, "coco17")[0]
    expected = dict.fromkeys(H36M17.joints, 0.9)
    expected |= {"Thorax": 0.5, "Spine": 0.5, "LShoulder": 0.5, "Head": 0.2, "RKnee": 0.1}
    assert dict(zip(H36M17.joints, converted.tolist(), strict=True)) == expected


@layouts
def test_confidence_has_17_columns_and_is_a_copy(layout):
    confidence = np.ones((3, get_skeleton(layout).num_joints))
    converted = confidence_h36m17(confidence, layout)
    converted[:] = 0
    assert converted.shape == (3, 17) and confidence.all()


@pytest.mark.parametrize(
    ("shape", "layout", "words"),
    [
        ((120, 33, 3), "coco17", "'coco17' has 17 joints, .*(120, 33, 3).*did you mean layout='mediapipe33'"),
        ((120, 17, 2), "halpe26", "did you mean layout='h36m17' or 'coco17'"),
        ((120, 19, 2), "coco17", "'coco17' has 17 joints, but the array is (120, 19, 2)$"),
        ((120, 18, 2), "coco17", "did you mean layout='coco18'"),
        ((120, 17), "coco17", "expected (T, J, 2) or (T, J, 3)"),
        ((120, 17, 4), "coco17", "expected (T, J, 2) or (T, J, 3)"),
        ((0, 17, 2), "coco17", "no frame"),
        ((120, 17, 2), "coco", "no keypoint layout 'coco': choose one of h36m17, coco17, coco18, body25"),
    ],
)
def test_wrong_arrays_are_refused_with_a_hint(shape, layout, words):
    pattern = words.replace("(", r"\(").replace(")", r"\)")
    for refuse in (check_keypoints, to_h36m17):
        with pytest.raises(ValueError, match=pattern):
            refuse(np.zeros(shape), layout)


MISSING = {"NaN": (np.nan, np.nan), "half NaN": (5.0, np.nan), "infinite": (np.inf, 3.0), "(0, 0)": (0.0, 0.0)}


def straight_motion(frames: int = 11) -> np.ndarray:
    """Every joint moves at its own constant velocity, so that a filled gap has a known answer."""
    start, velocity = np.random.default_rng(0).uniform(1, 9, (2, 17, 2))
    return start + np.arange(frames)[:, None, None] * velocity


@pytest.mark.parametrize("mark", MISSING.values(), ids=MISSING)
def test_gaps_are_filled_by_straight_lines_and_held_at_the_ends(mark):
    truth = straight_motion()
    keypoints = truth.copy()
    keypoints[3:6, 4] = mark  # in the middle
    keypoints[:2, 7] = mark  # before the first sight
    keypoints[9:, 8] = mark  # after the last
    given_keypoints = keypoints.copy()
    filled = fill_gaps(keypoints)

    expected = truth.copy()
    expected[:2, 7], expected[9:, 8] = truth[2, 7], truth[8, 8]
    np.testing.assert_allclose(filled, expected)
    np.testing.assert_array_equal(keypoints, given_keypoints)


def test_unseen_joints_are_filled_whatever_stands_there():
    truth = straight_motion()
    keypoints, seen = truth.copy(), np.ones((11, 17), dtype=bool)
    keypoints[5, 2], seen[5, 2] = 999, False
    kept = seen.copy()
    np.testing.assert_allclose(fill_gaps(keypoints, seen), truth)
    np.testing.assert_array_equal(seen, kept)


def test_a_joint_on_an_edge_of_the_picture_is_not_missing():
    keypoints = straight_motion()
    keypoints[4, 3] = (0, 77)
    np.testing.assert_array_equal(fill_gaps(keypoints), keypoints)


def test_one_sight_is_enough_and_without_gaps_a_copy_comes_back():
    keypoints = np.full((5, 17, 2), np.nan)
    keypoints[3] = straight_motion(1)[0]
    np.testing.assert_array_equal(fill_gaps(keypoints), np.broadcast_to(keypoints[3], (5, 17, 2)))
    whole = straight_motion()
    filled = fill_gaps(whole)
    filled[:] = 0
    assert whole.all()


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(st.booleans(), min_size=17, max_size=17), min_size=1, max_size=12))
def test_what_is_seen_is_never_changed(rows):
    seen = np.array(rows)
    seen[-1] = True
    keypoints = np.random.default_rng(0).uniform(1, 9, (*seen.shape, 2))
    filled = fill_gaps(keypoints, seen)
    np.testing.assert_array_equal(filled[seen], keypoints[seen])
    for joint in range(17):  # and what is filled lies between what was seen
        known = keypoints[seen[:, joint], joint]
        assert (filled[:, joint] >= known.min(0) - 1e-9).all() and (filled[:, joint] <= known.max(0) + 1e-9).all()


def test_joints_that_are_never_seen_are_named():
    keypoints = straight_motion()
    keypoints[:, [3, 16]] = np.nan
    with pytest.raises(ValueError, match="RFoot, RWrist is missing in all 11 frames"):
        fill_gaps(keypoints)
    keypoints = straight_motion()
    keypoints[:, 15] = 0
    with pytest.raises(ValueError, match="LAnkle is missing"):
        fill_gaps(keypoints, skeleton=COCO17)


@pytest.mark.parametrize(("fps", "new_fps"), [(25, 50), (30, 50), (50, 25), (120, 50), (29.97, 50), (50, 50)])
def test_resampling_keeps_straight_motion_straight(fps, new_fps):
    start, velocity = np.random.default_rng(0).normal(size=(2, 17, 3))
    frames = 41
    poses = start + velocity * np.arange(frames)[:, None, None] / fps
    resampled = resample(poses, fps, new_fps)
    np.testing.assert_allclose(
        resampled, start + velocity * np.arange(len(resampled))[:, None, None] / new_fps, atol=1e-9
    )
    span = (frames - 1) / fps
    assert (len(resampled) - 1) / new_fps <= span + 1e-9 < len(resampled) / new_fps
    np.testing.assert_array_equal(resampled[0], poses[0])


@settings(deadline=None)
@given(st.integers(1, 60), st.sampled_from([24, 25, 30, 50, 59.94, 60, 120]), st.sampled_from([25, 50, 60]))
def test_there_and_back_with_the_same_number_of_frames(frames, fps, new_fps):
    poses = np.cumsum(np.ones((frames, 17, 2), dtype=np.float32), axis=0)
    up = resample(poses, fps, new_fps)
    back = resample(up, new_fps, fps, num_frames=frames)
    assert back.shape == poses.shape and back.dtype == np.float32
    covered = np.arange(frames) / fps <= (len(up) - 1) / new_fps
    np.testing.assert_allclose(back[covered], poses[covered], atol=1e-3)
    assert (np.abs(back - poses) <= fps / new_fps + 1e-3).all()  # past the end the last pose is held


def test_resampling_gives_the_same_rate_a_copy_and_holds_the_last_frame():
    poses = straight_motion(3)
    same = resample(poses, 50, 50)
    np.testing.assert_array_equal(same, poses)
    same[:] = 0
    assert poses.all()
    longer = resample(poses, 50, 50, num_frames=5)
    np.testing.assert_array_equal(longer, poses[[0, 1, 2, 2, 2]])
    assert resample(poses[:1], 25, 50).shape == (1, 17, 2)


@pytest.mark.parametrize("rates", [(0, 50), (50, 0), (-25, 50), (float("nan"), 50)])
def test_frame_rates_must_be_positive(rates):
    with pytest.raises(ValueError, match="must be positive"):
        resample(np.zeros((3, 17, 2)), *rates)


# Left and right


def swing(frames: int = 60) -> np.ndarray:
    """(T, 17, 2): arms and legs swing past each other, as those of somebody who walks across the picture."""
    keypoints = np.tile(np.linspace(100, 400, 17)[:, None], (frames, 1, 2)).astype(np.float32)
    for side, sign in (("L", 1), ("R", -1)):
        for joint, reach in (("Knee", 30), ("Foot", 60), ("Elbow", 20), ("Wrist", 50)):
            j = H36M17.joints.index(side + joint)
            keypoints[:, j, 0] = 250 + sign * reach * np.sin(np.arange(frames) / 8)
            keypoints[:, j, 1] = 200 + reach + 5 * sign
    return keypoints


@pytest.mark.parametrize("frames", [(10, 11), (20, 26), (0, 3), (55, 60)])
def test_a_spell_of_exchanged_legs_is_undone_and_the_arms_are_left(frames):
    truth = swing()
    swapped = truth.copy()
    left, right = ([H36M17.joints.index(side + j) for j in ("Knee", "Foot")] for side in "LR")
    swapped[slice(*frames), left], swapped[slice(*frames), right] = (
        truth[slice(*frames), right], truth[slice(*frames), left],
    )  # fmt: skip
    np.testing.assert_array_equal(undo_swaps(swapped), truth)


def test_limbs_that_cross_and_short_clips_are_left_alone():
    truth = swing()
    np.testing.assert_array_equal(undo_swaps(truth), truth)
    np.testing.assert_array_equal(undo_swaps(truth[:1]), truth[:1])
    np.testing.assert_array_equal(undo_swaps(np.zeros((3, 17, 2))), np.zeros((3, 17, 2)))


def test_most_of_what_a_detectors_swaps_cost_is_won_back_and_nothing_is_lost_without_them():
    errors = {"swapped": [], "repaired": [], "never": [], "left alone": []}
    for i, sequence in enumerate(tiny_dataset(num_frames=300).sequences[:4]):
        truth = sequence.keypoints
        never, swapped = (simulate_detector(truth, np.random.default_rng(i), swaps=share) for share in (0.0, 0.03))
        seen = {"swapped": swapped, "repaired": undo_swaps(swapped), "never": never, "left alone": undo_swaps(never)}
        for name, keypoints in seen.items():
            errors[name].append(np.linalg.norm(keypoints - truth, axis=-1).mean())
    mean = {name: np.mean(values) for name, values in errors.items()}
    assert mean["repaired"] - mean["never"] < 0.6 * (mean["swapped"] - mean["never"])
    assert mean["left alone"] < 1.01 * mean["never"]
