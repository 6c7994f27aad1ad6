"""Keypoints that were read wrong are put right, refused, or named; and nothing is said of those that are right."""

from functools import cache

import numpy as np
import pytest

from poseformer_lite.datasets.sources import synthetic
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.formats.misread import is_depth, layout_doubts, looks_normalized, put_right
from poseformer_lite.skeleton import COCO17, get_skeleton

# Human3.6M's joint for each of COCO's; the eyes lie between nose and top of the head, the ears beside it.
AS_COCO = [9, 9, 9, 10, 10, 11, 14, 12, 15, 13, 16, 4, 1, 5, 2, 6, 3]


@cache
def seen(keypoints: str = "gt") -> list:
    takes = [take for take in synthetic.make_takes(subjects=("S1",)) if take.action.endswith(" 1")]
    return view_takes(takes, "random", keypoints, 0, 1)


def walking(confidence: float | None = None) -> np.ndarray:
    """(40, 17, 2 or 3), in the middle of a picture of 1000 x 1000, upright."""
    (sequence,) = (s for s in seen() if s.action == "Walking 1")
    middle = np.array([sequence.width, sequence.height]) / 2
    pixels = (sequence.keypoints[:40] - middle) * (600 / max(sequence.width, sequence.height)) + 500
    return pixels if confidence is None else np.concatenate([pixels, np.full((40, 17, 1), confidence)], axis=-1)


def at(x: tuple[float, float], y: tuple[float, float]) -> np.ndarray:
    """The walk, stretched to fill that part of a picture."""
    low, high = walking().min((0, 1)), walking().max((0, 1))
    start, end = np.array([x, y]).T
    return start + (walking() - low) / (high - low) * (end - start)


def refusal(*arguments, **options) -> str:
    with pytest.raises(ValueError) as refused:
        put_right(*arguments, **options)
    assert "as_given=True" in str(refused.value) and "--as-given" in str(refused.value)
    kept, said = put_right(*arguments, **options, as_given=True)
    np.testing.assert_array_equal(kept, arguments[0])
    assert said and str(refused.value).startswith(said[-1])  # the same is said, and nothing done
    return str(refused.value)


def test_a_person_who_is_read_as_given_raises_no_doubt():
    for keypoints in (walking(), walking(0.9), walking(0.0)):
        kept, said = put_right(keypoints, "h36m17", 1000, 1000)
        assert said == [] and kept is keypoints
    assert put_right(walking()[:, AS_COCO], "coco17", 1000, 1000)[1] == []
    assert put_right(np.full((5, 33, 2), np.nan), "mediapipe33", 1000, 1000)[1] == []


def test_no_motion_of_the_course_is_doubted():
    for sequence in seen("wild"):
        assert put_right(sequence.keypoints, "h36m17", sequence.width, sequence.height)[1] == []


def test_the_two_layouts_of_17_joints_are_told_apart():
    assert "thorax" in (said := refusal(walking()[:, AS_COCO], "h36m17", 1000, 1000)) and "give 'coco17'" in said
    assert "nose" in (said := refusal(walking(), "coco17", 1000, 1000)) and "give 'h36m17'" in said
    world = np.random.default_rng(0).normal(size=(3, 17, 3))
    assert layout_doubts(world, "h36m17")[0][1] is False  # neither fits
    assert layout_doubts(world[:, :15], "humaneva15") == []


def test_frames_with_missing_joints_do_not_hide_the_wrong_layout():
    person = walking()[:, AS_COCO]
    person[::2, 3] = np.nan
    assert "coco17" in refusal(person, "h36m17", 1000, 1000)


@pytest.mark.parametrize("top", [1000, 0])
def test_y_upwards_is_put_right_where_the_hands_carry_nobody(top):
    upwards = walking(0.9)
    upwards[..., 1] = top - upwards[..., 1]
    turned, (said,) = put_right(upwards, "h36m17", 1000, 1000)
    np.testing.assert_allclose(turned, walking(0.9), rtol=1e-6)
    assert f"from the top it is {top} - y, which was put right" in said
    if top:
        kept, said = put_right(upwards, "h36m17", 1000, 1000, as_given=True)
        assert kept is upwards and "stands on the head" in said[0]


def test_a_handstand_is_refused_as_nobody_can_know():
    standing = walking()
    for shoulder, elbow, wrist in ((11, 12, 13), (14, 15, 16)):
        standing[:, elbow], standing[:, wrist] = (standing[:, shoulder] - (0, d) for d in (90, 180))
    standing[..., 1] = 1000 - standing[..., 1]
    assert "stands on the head throughout" in refusal(standing, "h36m17", 1000, 1000)


def test_x_and_y_are_exchanged_back_where_only_that_fits_the_picture():
    person = at((900, 1100), (100, 700))
    turned, (said,) = put_right(person[..., ::-1], "h36m17", 1280, 720)
    np.testing.assert_array_equal(turned, person)
    assert "x and y are exchanged, and put right" in said
    assert "x and y are exchanged" in refusal(walking()[..., ::-1], "h36m17", 1000, 1000)


def test_a_picture_that_is_too_small_is_named_with_its_size():
    said = refusal(walking(), "h36m17", 300, 1000)
    assert "300 x 1000" in said and f"to ({walking()[..., 0].max():.0f}, " in said
    assert "give width=1280 and height=720" in refusal(at((300, 1200), (100, 650)), "h36m17", 720, 1280)


def test_a_foot_outside_of_the_picture_is_no_reason_to_doubt_its_size():
    person = walking()
    person[:3, 3] = (500, 1300)
    assert put_right(person, "h36m17", 1000, 1000)[1] == []


def test_a_smaller_picture_and_a_square_around_it_are_named():
    person = at((700, 900), (100, 700))
    assert put_right(person, "h36m17", 1280, 720)[1] == []
    assert "one of 640 x 360 would be" in refusal(person / 2, "h36m17", 1280, 720)
    assert "with bars would be" in (said := refusal(person / 2 + (0, 140), "h36m17", 1280, 720))
    assert "give 640 x 640" in said


def test_coordinates_far_from_the_picture_are_refused():
    assert "give pixels from its upper left corner" in refusal(3 * (walking() - walking()[:, :1]), "h36m17", 1000, 1000)


def test_legs_that_nobody_saw_are_refused():
    unsure = walking(0.9)
    unsure[:, [2, 3, 5, 6], 2] = 0.05
    assert "the upper body alone is seen" in refusal(unsure, "h36m17", 1000, 1000)
    unsure[:24, :, 2] = 0.9
    assert "40% of the knees and feet are guessed" in put_right(unsure, "h36m17", 1000, 1000)[1][0]
    unsure[:, [11, 12, 13, 14, 15, 16], 2] = 0.1  # sure of nothing: that says nothing of the legs
    assert put_right(unsure[24:], "h36m17", 1000, 1000)[1] == []


def test_legs_below_the_picture_are_refused_whatever_else_is_wrong():
    person = walking()
    person[:, [2, 3, 5, 6], 1] += 900
    assert "below a picture 1000 high" in refusal(person, "h36m17", 1000, 1000)
    shares = walking() / 1000  # as MediaPipe writes them
    shares[:, [2, 3, 5, 6], 1] += 1.2
    with pytest.raises(ValueError, match="below a picture 720 high"):
        put_right(shares, "h36m17", 1280, 720)


def test_shares_are_multiplied_and_what_lies_around_zero_is_refused():
    pixels, (said,) = put_right(walking(0.9) / (1000, 1000, 1), "h36m17", 1000, 1000)
    np.testing.assert_allclose(pixels, walking(0.9), rtol=1e-6)
    assert "x is multiplied by its width" in said
    for around in (walking() / 500 - 1, (walking() - walking()[:, :1]) / 300):  # normalised; metres around the hip
        with pytest.raises(ValueError, match="from -1 to 1, or are metres"):
            put_right(around, "h36m17", 1000, 1000, as_given=True)
    assert looks_normalized(walking(), 1000, 1000) is None and looks_normalized(walking() / 1000, 2, 2) is None


@pytest.mark.parametrize(
    ("column", "expected"), [(0.9, False), (0.0, False), (100.0, False), (-0.3, True), (2500, True)]
)
def test_a_z_is_told_from_a_confidence(column, expected):
    assert is_depth(np.full((5, 17), column)) is expected


@pytest.mark.parametrize("layout", ["coco18", "body25", "halpe26", "mediapipe33"])
def test_every_layout_with_a_face_is_doubted_where_its_face_is_far_apart(layout):
    names = get_skeleton(layout).joints
    sources = {"Neck": "LShoulder", "LHeel": "LAnkle", "RHeel": "RAnkle", "Hip": "LHip", "Head": "Nose"}
    places = [sources.get(name, name) for name in names]
    at = [AS_COCO[COCO17.joints.index(place)] if place in COCO17.joints else AS_COCO[0] for place in places]
    person = walking()[:, at]
    assert layout_doubts(person, layout) == []
    turned = np.roll(person, 3, axis=1)
    assert "far apart" in layout_doubts(turned, layout)[0][0]
