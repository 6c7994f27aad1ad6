"""Cameras: there and back, projection worked by hand, and screen coordinates."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from poseformer_lite.camera import Camera, denormalize_screen, look_at, normalize_screen
from poseformer_lite.datasets.sources.human36m import CAMERAS

LENS = dict(name="lens", width=1000, height=800, focal_length=(1100.0, 1000.0), center=(510.0, 390.0))
places = st.tuples(st.floats(-10, 10), st.floats(-10, 10), st.floats(0, 5))


@pytest.mark.parametrize("subject", CAMERAS)
def test_human36m_calibration_is_the_published_one(subject, shared):
    published = json.loads((shared / "reference" / "h36m_cameras.json").read_text())
    for camera, lens, place in zip(
        CAMERAS[subject], published["intrinsics"], published["extrinsics"][subject], strict=True
    ):
        assert camera.name == lens["id"] and (camera.width, camera.height) == (lens["res_w"], lens["res_h"])
        for ours, theirs in [
            (camera.focal_length, lens["focal_length"]),
            (camera.center, lens["center"]),
            (camera.radial, lens["radial_distortion"]),
            (camera.tangential, lens["tangential_distortion"]),
            (camera.orientation, place["orientation"]),
            (camera.translation, np.array(place["translation"]) / 1000),
        ]:
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_quaternion_by_hand():
    """A quarter turn about z, camera to world: the camera's x axis is the world's y axis."""
    half = np.sqrt(0.5)
    camera = Camera(**LENS, orientation=(half, 0, 0, half), translation=(1.0, 2.0, 3.0))
    np.testing.assert_allclose(camera.rotation, [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-15)
    np.testing.assert_allclose(camera.camera_to_world(np.array([5.0, 0, 0])), [1, 7, 3])
    np.testing.assert_allclose(camera.world_to_camera(np.array([1.0, 7, 3])), [5, 0, 0], atol=1e-12)


@pytest.mark.parametrize("camera", [c for cs in CAMERAS.values() for c in cs][::5])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 3e-6), (np.float64, 1e-12)])
def test_world_to_camera_and_back(camera, dtype, tolerance):
    world = np.random.default_rng(0).uniform([-2, -2, 0], [2, 2, 2], size=(4, 17, 3)).astype(dtype)
    kept = world.copy()
    seen = camera.world_to_camera(world)
    assert seen.dtype == dtype and camera.camera_to_world(seen).dtype == dtype
    np.testing.assert_allclose(camera.camera_to_world(seen), world, atol=tolerance)
    np.testing.assert_array_equal(world, kept)
    distance = np.linalg.norm(world - np.array(camera.translation), axis=-1)
    np.testing.assert_allclose(np.linalg.norm(seen, axis=-1), distance, rtol=1e-5)


def test_projection_without_distortion_by_hand():
    pixels = Camera(**LENS).project(np.array([[0.0, 0, 5], [1, -0.5, 2]]))
    np.testing.assert_allclose(pixels, [[510, 390], [510 + 1100 * 0.5, 390 - 1000 * 0.25]])


def test_projection_with_distortion_by_hand():
    """x = 0.2, y = 0.1: r² = 0.05, radial 1 + 0.4·0.05 - 0.2·0.05² + 8·0.05³ = 1.0205, tangential 0.01·0.2 + 0.03·0.1
    = 0.005; so x·1.0255 + 0.01·0.05 = 0.2056 and y·1.0255 + 0.03·0.05 = 0.10405."""
    camera = Camera(**LENS, radial=(0.4, -0.2, 8.0), tangential=(0.01, 0.03))
    np.testing.assert_allclose(camera.project(np.array([0.8, 0.4, 4.0])), [510 + 1100 * 0.2056, 390 + 1000 * 0.10405])


def test_points_beside_and_behind_the_camera_are_clipped_and_finite():
    camera = Camera(**LENS)
    np.testing.assert_allclose(camera.project(np.array([50.0, -80, 1])), [510 + 1100, 390 - 1000])
    np.testing.assert_allclose(camera.project(np.array([1.0, 1, -4])), [510 - 275, 390 - 250])
    assert np.isfinite(CAMERAS["S1"][0].project(np.array([3.0, 2, 1e-30]))).all()


def test_projection_keeps_the_type_and_its_input():
    poses = np.random.default_rng(0).uniform(1, 3, (2, 17, 3)).astype(np.float32)
    kept = poses.copy()
    assert CAMERAS["S1"][0].project(poses).dtype == np.float32
    np.testing.assert_array_equal(poses, kept)


def test_normalise_by_hand():
    corners = np.array([[0.0, 0], [1000, 800], [500, 400], [1000, 0]])
    np.testing.assert_allclose(normalize_screen(corners, 1000, 800), [[-1, -0.8], [1, 0.8], [0, 0], [1, -0.8]])


@settings(deadline=None)
@given(st.integers(1, 8000), st.integers(1, 8000), st.lists(st.tuples(*[st.floats(-1e4, 1e4)] * 2), min_size=1))
def test_normalise_and_back(width, height, points):
    pixels = np.array(points)
    for given_pixels in (pixels, torch.tensor(points, dtype=torch.float64)):
        normalized = normalize_screen(given_pixels, width, height)
        back = denormalize_screen(normalized, width, height)
        assert type(back) is type(given_pixels)
        np.testing.assert_allclose(np.asarray(back), pixels, atol=1e-8)
        np.testing.assert_array_equal(np.asarray(given_pixels), pixels)  # neither changes what it was given


def test_denormalise_does_not_change_its_input():
    normalized = np.array([[0.1, 0.2]])
    denormalize_screen(normalized, 1000, 800)
    np.testing.assert_array_equal(normalized, [[0.1, 0.2]])


def test_a_circle_stays_a_circle():
    """Both axes have the same unit, whatever the picture's shape."""
    angle = np.linspace(0, 6, 20)
    circle = np.stack([960 + 100 * np.cos(angle), 540 + 100 * np.sin(angle)], axis=-1)
    np.testing.assert_allclose(np.linalg.norm(normalize_screen(circle, 1920, 1080), axis=-1), 100 / 960)


@pytest.mark.parametrize("size", [(0, 100), (100, 0), (-5, 100), (float("nan"), 100)])
@pytest.mark.parametrize("function", [normalize_screen, denormalize_screen])
def test_image_size_must_be_positive(function, size):
    with pytest.raises(ValueError, match="must be positive"):
        function(np.zeros((17, 2)), *size)


@settings(deadline=None)
@given(places, places)
def test_look_at_puts_the_target_ahead_and_the_sky_up(position, target):
    if np.linalg.norm(np.subtract(target, position)[:2]) < 1e-3:
        return
    camera = Camera(**LENS, orientation=look_at(position, target), translation=position)
    distance = np.linalg.norm(np.subtract(target, position))
    np.testing.assert_allclose(camera.world_to_camera(np.array(target)), [0, 0, distance], atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(camera.rotation), 1)
    right, down, _ = camera.rotation.T
    assert abs(right[2]) < 1e-6 and down[2] < 0  # level, and down is down


def test_roll_turns_the_picture_about_its_middle():
    """A camera rolled clockwise by 90 degrees has its right side down."""
    level = Camera(**LENS, orientation=look_at((5, 0, 1), (0, 0, 1)))
    rolled = Camera(**LENS, orientation=look_at((5, 0, 1), (0, 0, 1), roll_degrees=90))
    np.testing.assert_allclose(rolled.rotation[:, 2], level.rotation[:, 2], atol=1e-12)
    np.testing.assert_allclose(rolled.rotation[:, 0], level.rotation[:, 1], atol=1e-12)


@pytest.mark.parametrize("target", [(1, 2, 3), (1, 2, 9), (1, 2, 0)])
def test_look_at_needs_a_direction_that_is_not_straight_up(target):
    with pytest.raises(ValueError, match="cannot look at"):
        look_at((1, 2, 3), target)
