"""Motion in the world: known paths, tilts and floors are found again, feet that stand hold, and nonsense is refused."""

import warnings
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from helpers_data import STANDING
from scipy.spatial.transform import Rotation

from poseformer_lite.camera import Camera, look_at
from poseformer_lite.datasets.sources import synthetic
from poseformer_lite.lifting.angles import joint_angles
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.lifting.world import find_contacts, in_the_world, root_path, up_direction
from poseformer_lite.skeleton import H36M17

FEET = [H36M17.joints.index(name) for name in ("LFoot", "RFoot")]
KNEES = [H36M17.joints.index(name) for name in ("LKnee", "RKnee")]
HIPS = [H36M17.joints.index(name) for name in ("LHip", "RHip")]


@cache
def walk() -> np.ndarray:
    """(250, 17, 3): somebody of the synthetic set walks; metres, z up."""
    (take,) = (take for take in synthetic.make_takes(subjects=["S9"]) if take.action == "Walking 1")
    return take.world[300:550].astype(float)


def camera_at(pitch: float = 0.0, roll: float = 0.0, distance: float = 7.0) -> Camera:
    middle = (walk().min((0, 1)) + walk().max((0, 1))) / 2
    away = distance * np.array([0, -np.cos(np.radians(pitch)), np.sin(np.radians(pitch))])
    turned = look_at(middle + away, middle, roll_degrees=roll)
    position = tuple((middle + away).tolist())
    return Camera("c", 1920, 1080, (1500.0, 1500.0), (960.0, 540.0), orientation=turned, translation=position)


def filmed(camera: Camera, world: np.ndarray, **changes) -> Motion:
    """The motion that a perfect lifter gives."""
    seen = camera.world_to_camera(world)
    pixels = seen[..., :2] / seen[..., 2:] * 1500 + (960, 540)
    motion = Motion((seen - seen[:, :1]).astype(np.float32), pixels.astype(np.float32), 50.0, 1920, 1080)
    return replace(motion, focal_length=1500.0, **changes)


def degrees_between(one, other) -> float:
    return float(np.degrees(np.arccos(np.clip(np.dot(one, other), -1, 1))))


def standing(frames: int = 50) -> np.ndarray:
    return np.tile(STANDING - [0, 0, 0.07], (frames, 1, 1))


def knee_angles(poses: np.ndarray) -> np.ndarray:
    thighs, shanks = poses[:, KNEES] - poses[:, HIPS], poses[:, FEET] - poses[:, KNEES]
    lengths = np.linalg.norm(thighs, axis=-1) * np.linalg.norm(shanks, axis=-1)
    return 180 - np.degrees(np.arccos(np.clip((thighs * shanks).sum(-1) / lengths, -1, 1)))


# Where the root is


@pytest.mark.parametrize(("pitch", "roll"), [(0, 0), (30, 0), (10, 20)])
def test_a_known_path_is_found_again(pitch, roll):
    """To a few mm: depths are smoothed over a second, and a walk is not a parabola."""
    camera = camera_at(pitch, roll)
    motion = filmed(camera, walk())
    path = root_path(motion.poses_3d, motion.keypoints, 1920, 1080, 50.0, focal_length=1500.0)
    off = np.linalg.norm(path - camera.world_to_camera(walk()[:, 0]), axis=-1)
    assert off.mean() < 0.006 and off.max() < 0.025


def test_a_straight_path_is_found_exactly():
    world = standing() + np.linspace([0, 0, 0], [1.0, 2.0, 0], 50)[:, None]
    camera = camera_at(20)
    motion = filmed(camera, world)
    path = root_path(motion.poses_3d, motion.keypoints, 1920, 1080, 50.0, 1500.0)
    np.testing.assert_allclose(path, camera.world_to_camera(world[:, 0]), atol=5e-4)


def test_a_joint_that_is_far_off_counts_little():
    camera = camera_at()
    motion = filmed(camera, walk())
    wrong = motion.keypoints.copy()
    wrong[:, [13, 16]] += 80.0  # both wrists
    true = camera.world_to_camera(walk()[:, 0])
    path = root_path(motion.poses_3d, wrong, 1920, 1080, 50.0, 1500.0)
    assert np.linalg.norm(path - true, axis=-1).mean() < 0.03
    sure = np.ones(wrong.shape[:2])
    sure[:, [13, 16]] = 0
    path = root_path(motion.poses_3d, wrong, 1920, 1080, 50.0, 1500.0, confidence=sure)
    assert np.linalg.norm(path - true, axis=-1).mean() < 0.006


def test_without_a_focal_length_one_of_the_longer_side_is_assumed():
    motion = filmed(camera_at(), walk())
    assumed = root_path(motion.poses_3d, motion.keypoints, 1920, 1080, 50.0)
    np.testing.assert_array_equal(assumed, root_path(motion.poses_3d, motion.keypoints, 1920, 1080, 50.0, 1920))
    assert in_the_world(replace(motion, focal_length=None)).focal_length == 1920
    assert in_the_world(motion).focal_length == 1500 and in_the_world(motion, focal_length=1000).focal_length == 1000


# Which way is up


@pytest.mark.parametrize(("pitch", "roll"), [(0, 0), (30, 0), (45, 0), (0, 20), (30, 20), (-20, 0)])
def test_a_tilt_is_undone(pitch, roll):
    camera = camera_at(pitch, roll)
    found = in_the_world(filmed(camera, walk()))
    assert abs(found.pitch - pitch) < 2.5 and abs(found.roll - roll) < 2
    trunk = found.positions[:, 8] - found.positions[:, 0]
    true = walk()[:, 8] - walk()[:, 0]
    lean, was = (np.degrees(np.arccos(t[:, 2] / np.linalg.norm(t, axis=-1))).mean() for t in (trunk, true))
    assert abs(lean - was) < 2
    up = up_direction(filmed(camera, walk()).poses_3d, 50.0)
    assert degrees_between(up, camera.rotation.T @ [0, 0, 1]) < (2 if pitch < 45 else 2.5)


def test_a_level_camera_is_taken_as_level_where_that_is_asked_for():
    motion = filmed(camera_at(30), walk())
    found = in_the_world(motion, level=False)
    assert (found.pitch, found.roll) == (0, 0)
    bones = found.positions[:, 8] - found.positions[:, 0]
    np.testing.assert_allclose(bones[:, 2], -motion.poses_3d[:, 8, 1], atol=1e-5)


@pytest.mark.parametrize("how", ["lying", "sitting", "upside down"])
def test_who_is_not_on_their_feet_says_nothing_about_the_camera(how):
    world = standing()
    if how == "sitting":
        world[:, KNEES] = world[:, HIPS] + [0, 0.45, 0]
        world[:, FEET] = world[:, KNEES] - [0, 0, 0.42]
    else:
        world = Rotation.from_euler("x", 90 if how == "lying" else 180, degrees=True).apply(world.reshape(-1, 3))
        world = world.reshape(50, 17, 3)
    with pytest.warns(UserWarning, match="the camera is taken as level"):
        found = in_the_world(filmed(camera_at(), world))
    assert (found.pitch, found.roll) == (0, 0)


def test_the_less_there_is_to_see_the_nearer_to_level():
    motion = filmed(camera_at(30), walk())
    one = up_direction(motion.poses_3d[:1], 50.0)
    more = up_direction(np.repeat(motion.poses_3d[:1], 500, axis=0), 50.0)
    level = np.array([0, -1, 0])
    assert 10 < degrees_between(one, level) < degrees_between(more, level) - 2


# On the floor, through the room


def test_a_walk_goes_where_it_went():
    found = in_the_world(filmed(camera_at(30), walk())).positions
    assert found.shape == (250, 17, 3) and found.dtype == np.float32
    way, true = found[:, 0] - found[0, 0], walk()[:, 0] - walk()[0, 0]
    assert np.linalg.norm(true[:, :2], axis=-1).max() > 1.5, "the walk of the test goes somewhere"
    assert np.linalg.norm(way - true, axis=-1).max() < 0.15
    lowest = found[:, FEET, 2].min(axis=1)
    assert abs(np.median(lowest)) < 0.01 and lowest.min() > -0.06


def test_feet_that_stand_do_not_move():
    noise = np.random.default_rng(0).normal(0, 0.004, (250, 17, 3)).astype(np.float32)
    noise[:, 0] = 0
    motion = filmed(camera_at(20), walk())
    shaky = replace(motion, poses_3d=motion.poses_3d + noise)
    held, loose = in_the_world(shaky), in_the_world(shaky, hold_feet=False)
    stands = held.contacts[1:] & held.contacts[:-1]
    assert stands.mean() > 0.4
    steps = [np.linalg.norm(np.diff(w.positions[:, FEET], axis=0), axis=-1)[stands] for w in (held, loose)]
    assert steps[0].max() < 0.001 and np.median(steps[1]) > 0.005
    assert np.abs(held.positions[:, FEET, 2][held.contacts]).max() < 0.005


def test_straight_knees_stay_straight_and_bones_nearly_as_long():
    motion = filmed(camera_at(), walk())
    found = motion.world()
    assert np.abs(knee_angles(found) - knee_angles(motion.poses_3d)).max() < 0.5
    change = H36M17.bone_lengths(found) / H36M17.bone_lengths(motion.poses_3d)
    assert np.abs(change - 1).max() < 0.045
    others = [joint for joint in range(17) if joint not in (*KNEES, *FEET)]
    turned = Rotation.align_vectors(found[100, others] - found[100, 0], motion.poses_3d[100, others])[1]
    assert turned < 1e-3, "all but the legs are turned as a whole"


def test_contacts_are_those_of_the_true_feet():
    feet = walk()[:, FEET]
    speed = 50 * np.linalg.norm(np.gradient(feet, axis=0), axis=-1)
    found = find_contacts(feet, 50.0)
    assert found[speed < 0.1].mean() > 0.95 and found[speed > 1.0].mean() < 0.02


# Scale


def test_the_height_of_the_body_sets_the_scale():
    motion = filmed(camera_at(), walk())
    small, large = (in_the_world(motion, body_height=height).positions for height in (0.9, 1.8))
    np.testing.assert_allclose(np.ptp(large[..., 2]), 2 * np.ptp(small[..., 2]), rtol=0.03)
    np.testing.assert_allclose(np.ptp(large[:, 0, 0]), 2 * np.ptp(small[:, 0, 0]), rtol=0.05)


def test_a_height_is_that_of_the_synthetic_body():
    from poseformer_lite.datasets.sources.synthetic.dataset import make_body_of

    stature = make_body_of("S9").stature
    scaled = filmed(camera_at(), walk()).with_body_height(stature)
    was = filmed(camera_at(), walk())
    ratio = H36M17.bone_lengths(scaled.poses_3d).mean() / H36M17.bone_lengths(was.poses_3d).mean()
    assert abs(ratio - 1) < 0.05


# What comes in


@pytest.mark.parametrize("frames", [1, 2, 3, 5, 12])
def test_short_motions_are_placed_too(frames):
    found = filmed(camera_at(10), walk()[:frames]).world()
    assert found.shape == (frames, 17, 3) and np.isfinite(found).all()
    assert abs(found[0, 0, :2]).max() < 0.06


@pytest.mark.parametrize("fps", [1.0, 10.0, 240.0])
def test_other_frame_rates_are_placed_too(fps):
    found = replace(filmed(camera_at(10), walk()), fps=fps).world()
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"focal_length": 0}, "focal_length, in pixels, is 0, expected a finite number over 0"),
        ({"focal_length": -5}, "focal_length, in pixels, is .* expected a finite number over 0"),
        ({"focal_length": float("nan")}, "focal_length, in pixels, is .* expected a finite number over 0"),
        ({"body_height": 180}, "a body height of 180: expected metres, from 0.3 to 3"),
        ({"body_height": 0}, "expected metres"),
    ],
)
def test_nonsense_is_refused(options, says):
    with pytest.raises(ValueError, match=says):
        filmed(camera_at(), walk()[:10]).world(**options)


def test_keypoints_of_something_else_are_noticed():
    motion = filmed(camera_at(), walk())
    with pytest.warns(UserWarning, match="m off their keypoints wherever the root is put"):
        found = replace(motion, keypoints=motion.keypoints[:, ::-1]).world()
    assert np.isfinite(found).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        motion.world()


def test_what_was_found_is_said():
    said = str(in_the_world(filmed(camera_at(30), walk())))
    assert "looks down by 29 degrees" in said and "a way of 4." in said
    assert "a focal length of 1500 pixels" in said


@pytest.mark.parametrize(("pitch", "roll"), [(0, 0), (30, 0), (10, 20)])
def test_joint_angles_do_not_depend_on_how_the_camera_is_turned(pitch, roll):
    table = filmed(camera_at(pitch, roll), walk()).angles()
    expected = joint_angles(walk(), fps=50.0, up=(0, 0, 1))
    assert table.index.name == "seconds" and table.index[-1] == pytest.approx(249 / 50)
    pd.testing.assert_frame_equal(table.drop(columns="trunk"), expected.drop(columns="trunk"), rtol=1e-3, atol=0.05)
    off = (table["trunk"] - expected["trunk"]).abs()
    assert off.mean() < 2, off.mean()
