"""Live: keypoints of any layout and rate against whole recordings, gaps, canonical weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers_data import small_model, tiny_dataset

from poseformer_lite import PoseFormer, PoseLifter
from poseformer_lite.camera import normalize_screen
from poseformer_lite.keypoints import resample, to_h36m17
from poseformer_lite.lifting.live import LiveLifter, LiveStream

ROOT = Path(__file__).resolve().parent.parent
WIDTH, HEIGHT = 1000, 800


@pytest.fixture(scope="module")
def model() -> PoseFormer:
    return small_model(num_frames=9).eval()


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    return tiny_dataset().sequences[0].keypoints.astype(np.float32)  # (60, 17, 2), 50 Hz


def lifted(lifter: LiveLifter, keypoints, fps: float, start: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Times and poses, those of `finish` included."""
    found = [pose for i, frame in enumerate(keypoints) for pose in lifter.push(frame, start + i / fps)]
    found += lifter.finish()
    return np.array([seconds for seconds, _ in found]), np.array([pose for _, pose in found])


def whole(model, pixels: np.ndarray, look_ahead: int) -> np.ndarray:
    poses_2d = torch.from_numpy(normalize_screen(pixels, WIDTH, HEIGHT))
    poses_3d = model.predict_sequence(poses_2d, look_ahead=look_ahead).numpy()
    return poses_3d - poses_3d[:, :1]


# From pixels


@pytest.mark.parametrize("look_ahead", [0, 2, 4])
@pytest.mark.parametrize("fps", [50, 25, 30, 60, 24])
def test_any_rate_gives_the_poses_of_the_recording_at_the_model_s_rate(model, walk, fps, look_ahead):
    seen = resample(walk, 50, fps)
    seconds, poses = lifted(LiveLifter(model, WIDTH, HEIGHT, look_ahead=look_ahead), seen, fps, start=7.0)
    steady = resample(seen, fps, 50)
    assert len(poses) == len(steady)
    np.testing.assert_allclose(seconds, 7.0 + np.arange(len(steady)) / 50, atol=1e-9)
    np.testing.assert_allclose(poses, whole(model, steady, look_ahead), atol=2e-4)
    assert poses.dtype == np.float32


def test_a_pose_is_given_as_soon_as_its_frames_are_there(model, walk):
    lifter = LiveLifter(model, WIDTH, HEIGHT, look_ahead=3)
    given = [len(lifter.push(frame, i / 50)) for i, frame in enumerate(walk[:10])]
    assert given == [0, 0, 0] + [1] * 7
    assert len(lifter.finish()) == 3 and lifter.finish() == []


def test_uneven_times_are_interpolated(model, walk):
    times = np.sort(np.random.default_rng(0).uniform(0, 59 / 50, 40))
    times[0], times[-1] = 0, 59 / 50
    lifter = LiveLifter(model, WIDTH, HEIGHT)
    moving = lambda t: walk[0] + np.float32(100 * t)  # noqa: E731, a straight line in time
    poses = np.array([pose for t in times for _, pose in lifter.push(moving(t), t)])
    even = np.stack([moving(i / 50) for i in range(60)])
    np.testing.assert_allclose(poses, whole(model, even, 0), atol=2e-4)


@pytest.mark.parametrize("layout", ["coco17", "halpe26", "mediapipe33"])
def test_layouts_are_converted(model, layout):
    joints = {"coco17": 17, "halpe26": 26, "mediapipe33": 33}[layout]
    keypoints = np.random.default_rng(0).uniform(100, 700, (20, joints, 2)).astype(np.float32)
    _, poses = lifted(LiveLifter(model, WIDTH, HEIGHT, layout), keypoints, 50)
    np.testing.assert_allclose(poses, whole(model, to_h36m17(keypoints, layout), 0), atol=1e-5)


@pytest.mark.parametrize("missing", ["nan", "zero", "minus one", "unsure"])
def test_a_missing_joint_moves_along_with_the_others(model, walk, missing):
    still = np.concatenate([np.repeat(walk[:1], 30, axis=0), np.ones((30, 17, 1))], axis=-1).astype(np.float32)
    still[:, :, 0] += 3 * np.arange(30, dtype=np.float32)[:, None]  # carried to the right
    gappy = still.copy()
    gappy[10:20, 13] = {"nan": np.nan, "zero": 0, "minus one": -1, "unsure": (500, 500, 0.1)}[missing]
    _, poses = lifted(LiveLifter(model, WIDTH, HEIGHT, min_confidence=0.5), gappy, 50)
    np.testing.assert_allclose(poses, whole(model, still[..., :2].copy(), 0), atol=1e-5)


def test_it_waits_until_every_joint_was_seen_once(model, walk):
    lifter = LiveLifter(model, WIDTH, HEIGHT)
    half = walk[0].copy()
    half[[3, 6]] = np.nan
    assert [lifter.push(half, i / 25) for i in range(50)] == [[]] * 50
    feet = np.full_like(half, np.nan)
    feet[[3, 6]] = walk[0][[3, 6]]
    ((seconds, pose),) = lifter.push(feet, 2.0)  # each joint was seen, though never all together
    assert seconds == 2.0 and np.isfinite(pose).all()
    np.testing.assert_array_equal(lifter.joints, walk[0])


def test_a_short_gap_is_bridged_and_after_a_long_one_it_begins_anew(model, walk):
    lifter = LiveLifter(model, WIDTH, HEIGHT, look_ahead=2)
    short = [walk[i] if i not in range(20, 30) else None for i in range(60)]
    seconds, poses = lifted(lifter, short, 50)
    np.testing.assert_allclose(seconds, np.arange(60) / 50, atol=1e-9)
    bridged = walk.copy()
    share = np.linspace(0, 1, 12, dtype=np.float32)[:, None, None]
    bridged[19:31] = (1 - share) * walk[19] + share * walk[30]
    np.testing.assert_allclose(poses, whole(model, bridged, 2), atol=2e-4)

    before = [time for i in range(30) for time, _ in lifter.push(walk[i], i / 50)]
    during = [time for i in range(30, 100) for time, _ in lifter.push(None, i / 50)]
    after = [time for i in range(100, 130) for time, _ in lifter.push(walk[i - 100], i / 50)]
    np.testing.assert_allclose(before, np.arange(28) / 50, atol=1e-9)
    np.testing.assert_allclose(during, [28 / 50, 29 / 50], atol=1e-9)  # what was still to come
    np.testing.assert_allclose(after, np.arange(100, 128) / 50, atol=1e-9)


@pytest.mark.parametrize(
    ("keypoints", "seconds", "says"),
    [
        (np.full((17, 2), 500.0), 1.0, "a frame at 1.0 s after one at 1.0 s: expected times that grow"),
        (np.full((33, 2), 500.0), 2.0, r"did you mean layout='mediapipe33'"),
        (np.full((17, 2), 0.5), 2.0, "look normalised, and pixels are expected"),
        (np.full((17, 4), 500.0), 2.0, r"expected \(T, J, 2\) or \(T, J, 3\)"),
    ],
)
def test_what_cannot_be_lifted_is_refused(model, walk, keypoints, seconds, says):
    lifter = LiveLifter(model, WIDTH, HEIGHT)
    lifter.push(walk[0], 1.0)
    with pytest.raises(ValueError, match=says):
        lifter.push(keypoints, seconds)


# What a stream is given


def test_one_joint_far_off_does_not_make_pixels_of_shares(model, walk):
    shares = walk[0] / (WIDTH, HEIGHT)
    shares[6] = (0.4, 7.0)  # a foot that is guessed
    with pytest.raises(ValueError, match="look normalised"):
        LiveLifter(model, WIDTH, HEIGHT).push(shares, 0.0)


@pytest.mark.parametrize("size", [(1000, 800), (720, 1280)])
def test_a_stream_refuses_pixels_and_nothing_that_is_normalised(model, walk, size):
    stream = LiveStream(model)
    assert stream.push(torch.from_numpy(normalize_screen(walk[0].copy(), *size))) is not None
    with pytest.raises(ValueError, match="look like pixels.*LiveLifter take pixels"):
        stream.push(torch.from_numpy(walk[0]))


def test_a_stream_of_canonical_weights_is_asked_for_what_they_want():
    wild = PoseFormer.from_pretrained("wild")
    with pytest.raises(ValueError, match="input 'canonical', and the frames are said to be 'screen': use LiveLifter"):
        LiveStream(wild)
    assert LiveStream(wild, input="canonical").push(torch.zeros(17, 2)) is not None


# The canonical camera


@pytest.fixture
def canonical() -> PoseFormer:
    model = small_model(num_frames=9).eval()
    model.input = "canonical"
    return model


def test_a_still_person_is_seen_as_in_the_recording(canonical, walk):
    still = np.repeat(walk[:1], 30, axis=0)
    _, poses = lifted(LiveLifter(canonical, WIDTH, HEIGHT, look_ahead=4), still, 50)
    expected = PoseLifter(canonical, flip=False, device="cpu")(still, WIDTH, HEIGHT, repair_swaps=False)
    np.testing.assert_allclose(poses, expected.poses_3d, atol=1e-5)


def test_no_pose_depends_on_frames_to_come(canonical, walk):
    one, two = (LiveLifter(canonical, WIDTH, HEIGHT, focal_length=900.0) for _ in range(2))
    for i, frame in enumerate(walk[:30]):
        ((_, pose),), ((_, other),) = one.push(frame, i / 50), two.push(frame if i < 20 else 1.2 * frame, i / 50)
        assert (np.abs(pose - other).max() < 1e-9) == (i < 20)


def test_wild_is_as_good_live_as_from_the_recording():
    """On the clip's keypoints, against the lifted recording: looking ahead half a window, nearly the same poses."""
    keypoints = np.load(Path(__file__).parent / "mediapipe_on_the_clip.npz")["keypoints"]
    wild = PoseFormer.from_pretrained("wild")
    expected = PoseLifter(wild, flip=False, device="cpu")(keypoints, 968, 320, "mediapipe33", 25.0, repair_swaps=False)
    seconds, poses = lifted(LiveLifter(wild, 968, 320, "mediapipe33", look_ahead=13), keypoints, 25.0)
    off = 1000 * np.linalg.norm(poses[::2] - expected.poses_3d, axis=-1)
    np.testing.assert_allclose(seconds[::2], np.arange(len(keypoints)) / 25, atol=1e-9)
    assert off.mean() < 15, off.mean()  # mm
