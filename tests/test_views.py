"""Virtual cameras: everybody in the picture, never tiny, and the same seed gives the same views."""

import time

import numpy as np
import pytest

from poseformer_lite.datasets.base import Take
from poseformer_lite.datasets.virtual.views import fixed_cameras, random_cameras, view_take, view_takes, wide_cameras


def walk(meters: float, frames: int = 60, seed: int = 0, start=(0.0, 0.0)) -> Take:
    """17 points that fill a standing body's box, going `metres` along a diagonal."""
    rng = np.random.default_rng(seed)
    body = rng.uniform([-0.3, -0.3, 0.05], [0.3, 0.3, 1.75], size=(17, 3))
    path = np.linspace(0, meters, frames)[:, None] * np.array([0.8, 0.6, 0]) + [*start, 0]
    return Take("S", f"walk {meters:g}", (body + path[:, None]).astype(np.float32))


def in_picture(sequence) -> bool:
    x, y = np.moveaxis(sequence.keypoints, -1, 0)
    return bool(((x > 0) & (x < sequence.width) & (y > 0) & (y < sequence.height)).all())


@pytest.mark.parametrize("meters", [0, 4, 25])
@pytest.mark.parametrize("start", [(0, 0), (-40, 7)])
def test_everybody_is_in_the_picture_in_front_and_not_tiny(meters, start):
    take = walk(meters, start=start)
    rng = np.random.default_rng(1)
    for sequence in view_take(take, [*fixed_cameras(take), *random_cameras(take, rng, num_views=60)]):
        assert in_picture(sequence), sequence.name
        assert sequence.poses_3d[..., 2].min() >= 0.99
        heights = np.ptp(sequence.keypoints[..., 1], axis=1) / sequence.height
        assert np.median(heights) > (0.1 if meters < 10 else 0.02)


def test_wide_cameras_fill_their_ranges_and_see_everybody():
    take = walk(2.0)
    cameras = wide_cameras(take, np.random.default_rng(0), num_views=400)
    views = view_take(take, cameras)
    assert all(map(in_picture, views))
    pitch = np.degrees([np.arcsin(-camera.rotation[2, 2]) for camera in cameras])
    level = np.array([[camera.rotation[2, 0], -camera.rotation[2, 1]] for camera in cameras])
    roll = np.degrees(np.arctan2(*level.T))
    field = np.degrees([2 * np.arctan(max(c.width, c.height) / 2 / c.focal_length[0]) for c in cameras])
    share = np.array([np.median(np.ptp(s.keypoints, axis=1).max(axis=-1)) / max(s.width, s.height) for s in views])
    assert -33 < pitch.min() < -20 and 38 < pitch.max() < 60
    assert 25 < np.abs(roll).max() <= 30.5 and 0.2 < (np.abs(roll) > 5.1).mean() < 0.4
    assert 35 <= field.min() < 40 and 85 < field.max() <= 90
    assert 0.07 < share.min() < 0.12 and share.max() > 0.5
    assert any(camera.height > camera.width for camera in cameras)


def test_fixed_cameras_are_like_those_of_human36m():
    take = walk(1.0)
    cameras = fixed_cameras(take, num_views=4)
    middle = (take.world.min((0, 1)) + take.world.max((0, 1))) / 2
    places = np.array([camera.translation for camera in cameras]) - middle
    yaws = np.degrees(np.arctan2(places[:, 1], places[:, 0])) % 360
    np.testing.assert_allclose(np.linalg.norm(places, axis=-1), 5, atol=1e-6)
    np.testing.assert_allclose([camera.translation[2] for camera in cameras], 1.5, atol=0.01)
    np.testing.assert_allclose(np.sort(yaws), [45, 135, 225, 315], atol=1e-3)
    assert all(camera.focal_length == (1145.0, 1145.0) for camera in cameras)
    assert fixed_cameras(take) == cameras


def test_random_cameras_fill_their_ranges():
    take = walk(1.0)
    cameras = random_cameras(take, np.random.default_rng(0), num_views=400)
    places = np.array([camera.translation for camera in cameras])
    forward = np.array([camera.rotation[:, 2] for camera in cameras])
    right = np.array([camera.rotation[:, 0] for camera in cameras])
    focal = np.array([camera.focal_length[0] / max(camera.width, camera.height) for camera in cameras])

    assert 0.3 < places[:, 2].min() < 0.6 and 2.2 < places[:, 2].max() < 2.6
    assert np.histogram(np.arctan2(forward[:, 1], forward[:, 0]), bins=8, range=(-np.pi, np.pi))[0].min() > 20
    pitch = np.degrees(np.arcsin(-forward[:, 2]))
    assert pitch.min() < -3 and 15 < pitch.max() < 45
    roll = np.degrees(np.arcsin(right[:, 2]))
    assert -5.1 < roll.min() < -4 and 4 < roll.max() < 5.1
    assert focal.min() > 0.7 and focal.max() < 1.3 and np.ptp(focal) > 0.55
    shapes = {np.sign(camera.width - camera.height) for camera in cameras}
    assert shapes == {-1, 0, 1}  # upright, square, lengthwise


def test_up_is_up_and_3d_matches_2d():
    take = walk(2.0)
    for sequence in view_take(take, random_cameras(take, np.random.default_rng(3), 8)):
        highest, lowest = take.world[0, :, 2].argmax(), take.world[0, :, 2].argmin()
        assert sequence.keypoints[0, highest, 1] < sequence.keypoints[0, lowest, 1]
        np.testing.assert_allclose(sequence.camera.camera_to_world(sequence.poses_3d), take.world, atol=1e-5)
        np.testing.assert_allclose(sequence.camera.project(sequence.poses_3d), sequence.keypoints)
        assert sequence.keypoints.dtype == sequence.poses_3d.dtype == np.float32


def test_seeds():
    takes = [walk(1.0), walk(2.0, seed=1)]
    first, again, other = view_takes(takes, seed=5), view_takes(takes, seed=5), view_takes(takes, seed=6)
    assert len(first) == 8
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a.keypoints, b.keypoints)
        assert a.camera == b.camera and a.camera != c.camera
    np.testing.assert_array_equal(view_takes(takes[:1], seed=5)[3].keypoints, first[3].keypoints)


def test_noise_is_drawn_and_repeatable():
    pytest.importorskip("poseformer_lite.datasets.virtual.detections")
    takes = [walk(1.0)]
    true, noisy = view_takes(takes, seed=2), view_takes(takes, keypoints="noisy", seed=2)
    errors = np.linalg.norm(noisy[0].keypoints - true[0].keypoints, axis=-1)
    assert 0 < np.median(errors) < 0.05 * true[0].height
    np.testing.assert_array_equal(noisy[0].poses_3d, true[0].poses_3d)
    np.testing.assert_array_equal(view_takes(takes, keypoints="noisy", seed=2)[0].keypoints, noisy[0].keypoints)


def test_wrong_words():
    take = walk(1.0)
    with pytest.raises(ValueError, match='cpn.*"gt", "noisy" or "wild"'):
        view_take(take, fixed_cameras(take), keypoints="cpn")
    with pytest.raises(ValueError, match="give rng="):
        view_take(take, fixed_cameras(take), keypoints="noisy")
    with pytest.raises(ValueError, match='still.: expected "fixed", "random" or "wide"'):
        view_takes([take], cameras="still")


def test_redrawing_is_fast():
    takes = [walk(3.0, frames=1250, seed=i) for i in range(8)]  # 10,000 frames, 4 views
    start = time.process_time()  # which does not count what else runs on the machine
    view_takes(takes)
    assert time.process_time() - start < 1.0  # some 0.05 to 0.1 s; a loop over frames would take 10
