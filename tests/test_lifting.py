"""PoseLifter: any layout, length, frame rate and image size in, one pose per frame out, in bounded memory."""

import json
import subprocess
import sys
import tracemalloc
import warnings

import numpy as np
import pytest
import torch
from helpers_data import small_model, tiny_dataset

from poseformer_lite.camera import normalize_screen
from poseformer_lite.evaluation import predict
from poseformer_lite.keypoints import LAYOUTS, resample, to_h36m17
from poseformer_lite.lifting.lifter import PoseLifter
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.model.base import SHIPPED_WEIGHTS
from poseformer_lite.skeleton import H36M17, get_skeleton


@pytest.fixture(scope="module")
def lifter() -> PoseLifter:
    return PoseLifter(small_model(num_frames=9), device="cpu")


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    """(60, 17, 2) pixels in an image of 1000 x 800."""
    return tiny_dataset().sequences[0].keypoints


def random_keypoints(layout: str, num_frames: int, columns: int = 2) -> np.ndarray:
    """The walk as a detector of that layout might see it: joints that become, but for noise, those of Human3.6M."""
    rng, walk = np.random.default_rng(0), tiny_dataset().sequences[0].keypoints
    joints = np.eye(get_skeleton(layout).num_joints)
    weights = to_h36m17(np.stack([joints, joints], axis=-1), layout)[..., 0]  # (J, 17): of each joint in those 17
    middle, used = walk.mean(axis=(0, 1)), weights.any(axis=1)
    found = np.einsum("tkc,kj->tjc", np.resize(walk, (num_frames, *walk.shape[1:])) - middle, np.linalg.pinv(weights))
    found = found[:, np.maximum.accumulate(used * np.arange(len(used)))]  # what Human3.6M does not have, by the last
    names = get_skeleton(layout).joints
    face = [joint for joint, name in enumerate(names) if name.endswith(("Eye", "Ear")) and not used[joint]]
    found[:, face] = found[:, [names.index("Nose")] * len(face)] if face else 0
    keypoints = np.empty((num_frames, len(joints), columns), np.float32)
    keypoints[..., :2] = middle + found + rng.normal(0, 3, found.shape)
    keypoints[..., 2:] = rng.uniform(0.3, 1, (num_frames, len(joints), columns - 2))
    return keypoints


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("num_frames", [1, 2, 8, 9, 30])
def test_every_layout_and_length_gives_one_pose_per_frame(lifter, layout, num_frames):
    motion = lifter(random_keypoints(layout, num_frames), 1280, 720, layout=layout, as_given=True)
    assert len(motion) == num_frames
    assert motion.poses_3d.shape == (num_frames, 17, 3) and motion.poses_3d.dtype == np.float32
    assert motion.keypoints.shape == (num_frames, 17, 2)
    assert np.isfinite(motion.poses_3d).all()
    assert (motion.poses_3d[:, 0] == 0).all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_motion_is_what_the_network_says_of_the_converted_and_normalised_keypoints(lifter, layout):
    keypoints = random_keypoints(layout, 12)
    motion = lifter(keypoints, 1280, 720, layout=layout, repair_swaps=False)
    converted = to_h36m17(keypoints, layout)
    np.testing.assert_array_equal(motion.keypoints, converted)
    expected = predict(lifter.model, torch.from_numpy(normalize_screen(converted, 1280, 720)), H36M17).numpy()
    np.testing.assert_allclose(motion.poses_3d, expected - expected[:, :1], atol=1e-6)


def test_limbs_that_were_exchanged_are_put_right_before_lifting(lifter, walk):
    left, right = ([H36M17.joints.index(side + joint) for joint in ("Knee", "Foot")] for side in "LR")
    swapped = walk.copy()
    swapped[20:24, left], swapped[20:24, right] = walk[20:24, right], walk[20:24, left]
    as_it_was = lifter(walk, 1000, 800)
    assert np.abs(lifter(swapped, 1000, 800).poses_3d - as_it_was.poses_3d).max() == 0
    assert np.abs(lifter(swapped, 1000, 800, repair_swaps=False).poses_3d - as_it_was.poses_3d).max() > 0


def test_without_flipping_it_is_the_networks_own_answer(walk):
    model = small_model(num_frames=9)
    motion = PoseLifter(model, flip=False, device="cpu")(walk, 1000, 800)
    expected = model.predict_sequence(torch.from_numpy(normalize_screen(walk, 1000, 800))).numpy()
    np.testing.assert_allclose(motion.poses_3d, expected - expected[:, :1], atol=1e-6)


def test_a_stride_is_handed_on(walk):
    model = small_model(num_frames=9)
    motion = PoseLifter(model, flip=False, device="cpu", stride=9)(walk, 1000, 800)
    poses_2d = torch.from_numpy(normalize_screen(walk, 1000, 800))
    expected = model.predict_sequence(poses_2d, stride=9).numpy()
    np.testing.assert_allclose(motion.poses_3d, expected - expected[:, :1], atol=1e-6)
    with pytest.raises(ValueError, match="stride is 4: expected an odd number of at most 9"):
        PoseLifter(model, stride=4)(walk, 1000, 800)


def test_flipping_makes_a_mirrored_video_a_mirrored_motion(lifter, walk):
    mirrored = walk[:, list(H36M17.flip_order)].copy()
    mirrored[..., 0] = 1000 - mirrored[..., 0]
    motion, other = lifter(walk, 1000, 800), lifter(mirrored, 1000, 800)
    expected = other.poses_3d[:, list(H36M17.flip_order)] * [-1, 1, 1]
    np.testing.assert_allclose(motion.poses_3d, expected, atol=1e-5)


@pytest.mark.parametrize("missing", ["nan", "zero", "confidence"])
def test_gaps_are_interpolated_before_the_network_sees_them(lifter, walk, missing):
    broken = np.concatenate([walk, np.ones_like(walk[..., :1])], axis=-1)
    gap = np.zeros((60, 17), dtype=bool)
    gap[20:25, 3] = gap[:4, 16] = gap[50:, 10] = True
    if missing == "nan":
        broken[gap, :2] = np.nan
    elif missing == "zero":
        broken[gap, :2] = 0
    else:
        broken[gap] = [5000, -5000, 0.2]
    motion = lifter(broken, 1000, 800, min_confidence=0.5)

    by_hand = walk.copy()
    share = (np.arange(20, 25) - 19)[:, None] / 6
    by_hand[20:25, 3] = (1 - share) * walk[19, 3] + share * walk[25, 3]
    by_hand[:4, 16], by_hand[50:, 10] = walk[4, 16], walk[49, 10]
    np.testing.assert_allclose(motion.keypoints, by_hand, atol=1e-3)
    np.testing.assert_allclose(motion.poses_3d, lifter(by_hand, 1000, 800).poses_3d, atol=1e-5)


def test_a_joint_that_was_not_found_does_not_enter_a_midpoint(lifter):
    keypoints = np.tile(random_keypoints("coco17", 1), (10, 1, 1))  # nobody moves
    expected = lifter(keypoints, 1280, 720, layout="coco17").keypoints
    keypoints[4, 11] = 0  # the left hip: half of the pelvis
    np.testing.assert_allclose(lifter(keypoints, 1280, 720, layout="coco17").keypoints, expected, atol=1e-3)


def test_an_unsure_joint_makes_what_is_built_from_it_unsure(lifter):
    keypoints = np.tile(random_keypoints("coco17", 1, columns=3), (10, 1, 1))
    keypoints[..., 2] = 0.9
    expected = lifter(keypoints, 1280, 720, layout="coco17", as_given=True).keypoints
    keypoints[4, 5] = [1, 700, 0.1]  # a shoulder: half of the thorax, and part of spine and head
    motion = lifter(keypoints, 1280, 720, layout="coco17", min_confidence=0.5, as_given=True)
    np.testing.assert_allclose(motion.keypoints, expected, atol=1e-3)


def test_low_confidence_is_believed_unless_asked_otherwise(lifter, walk):
    with_confidence = np.concatenate([walk, np.full_like(walk[..., :1], 0.01)], axis=-1)
    np.testing.assert_array_equal(lifter(with_confidence, 1000, 800).poses_3d, lifter(walk, 1000, 800).poses_3d)


def test_the_callers_keypoints_are_left_as_they_were(lifter, walk):
    keypoints = walk.astype(np.float32)
    keypoints[3, 3] = np.nan
    before = keypoints.copy()
    lifter(keypoints, 1000, 800)
    np.testing.assert_array_equal(keypoints, before)


def test_lists_and_whole_numbers_are_keypoints_too(lifter, walk):
    whole = walk.astype(int)
    expected = lifter(whole.astype(np.float32), 1000, 800).poses_3d
    np.testing.assert_array_equal(lifter(whole, 1000, 800).poses_3d, expected)
    np.testing.assert_array_equal(lifter(whole.tolist(), 1000, 800).poses_3d, expected)


@pytest.mark.parametrize("fps", [23.976, 25.0, 30.0, 60.0, 120.0])
@pytest.mark.parametrize("num_frames", [1, 2, 31])
def test_another_frame_rate_gives_as_many_poses_as_frames(lifter, walk, fps, num_frames):
    motion = lifter(walk[:num_frames], 1000, 800, fps=fps)
    assert len(motion) == num_frames and motion.fps == fps
    assert np.isfinite(motion.poses_3d).all()


def test_25_frames_a_second_are_lifted_at_50(lifter, walk):
    """By hand: a frame between every two, lifted, and every second pose taken."""
    slow = walk[:30]
    doubled = np.empty((59, 17, 2), dtype=np.float32)
    doubled[::2], doubled[1::2] = slow, (slow[:-1] + slow[1:]) / 2
    expected = lifter(doubled, 1000, 800).poses_3d[::2]
    np.testing.assert_allclose(lifter(slow, 1000, 800, fps=25).poses_3d, expected, atol=1e-5)


def test_any_frame_rate_equals_resampling_there_and_back(lifter, walk):
    there = resample(walk, 30, 50)
    lifted = lifter(there, 1000, 800).poses_3d
    expected = resample(lifted, 50, 30, num_frames=60)
    np.testing.assert_allclose(lifter(walk, 1000, 800, fps=30).poses_3d, expected, atol=1e-5)


def test_a_lifter_of_another_frame_rate_resamples_to_it(walk):
    model = small_model(num_frames=9)
    at_25, at_50 = PoseLifter(model, fps=25, device="cpu"), PoseLifter(model, device="cpu")
    np.testing.assert_array_equal(at_25(walk, 1000, 800, fps=25).poses_3d, at_50(walk, 1000, 800).poses_3d)


@pytest.mark.parametrize(("width", "height"), [(720, 1280), (1280, 720), (1000, 1000), (64, 48)])
def test_width_is_the_unit_in_portrait_and_landscape(lifter, width, height):
    centered = (random_keypoints("h36m17", 12) - (500, 400)).astype(np.float32) / 1000  # in widths
    keypoints = centered * width + np.array([width / 2, height / 2], dtype=np.float32)
    square = (centered + 0.5) * 1000
    np.testing.assert_allclose(
        lifter(keypoints, width, height).poses_3d, lifter(square, 1000, 1000).poses_3d, atol=1e-4
    )


# What is refused.


TOLD_APART = [
    (given, right)
    for given in LAYOUTS
    for right in LAYOUTS
    if get_skeleton(given).num_joints != get_skeleton(right).num_joints
]


@pytest.mark.parametrize(("given", "right"), TOLD_APART)
def test_the_wrong_layout_is_told_the_right_one(lifter, given, right):
    with pytest.raises(ValueError, match=f"layout '{given}' has .* did you mean layout=.*'{right}'"):
        lifter(random_keypoints(right, 5), 1280, 720, layout=given)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((5, 19, 2), r"layout 'h36m17' has 17 joints, but the array is \(5, 19, 2\)$"),
        ((17, 2), r"keypoints are \(17, 2\), expected \(T, J, 2\)"),
        ((5, 17, 4), r"keypoints are \(5, 17, 4\), expected"),
        ((0, 17, 2), "keypoints have no frame"),
        ((2, 5, 17, 2), r"keypoints are \(2, 5, 17, 2\), expected"),
    ],
)
def test_shapes_that_are_no_keypoints_are_refused(lifter, shape, words):
    with pytest.raises(ValueError, match=words):
        lifter(np.full(shape, 100.0), 1280, 720)


def test_an_unknown_layout_lists_those_there_are(lifter):
    with pytest.raises(ValueError, match="'coco19'.*h36m17, coco17, coco18, body25"):
        lifter(random_keypoints("coco17", 5), 1280, 720, layout="coco19")


@pytest.mark.parametrize("farthest", [1.0, 2.1, 7.0])
def test_coordinates_from_minus_one_to_one_are_refused_even_with_guesses_outside_of_the_picture(lifter, farthest):
    keypoints = np.random.default_rng(0).uniform(-1, 1, (5, 17, 2))
    keypoints[3, 6, 1] = farthest
    with pytest.raises(ValueError, match="look normalised, from -1 to 1.*pixels are expected.*denormalize_screen"):
        lifter(keypoints, width=1280, height=720)


@pytest.mark.parametrize("farthest", [None, 2.1, 7.0])
def test_shares_of_the_picture_become_pixels_and_it_is_said(lifter, coco, farthest):
    shares = coco / (1000, 800, 1)
    if farthest:
        shares[3, 15, 1] = farthest  # a foot is guessed outside of the picture
    expected = lifter(shares * (1000, 800, 1), 1000, 800, layout="coco17").poses_3d
    with pytest.warns(UserWarning, match="shares of the picture: x is multiplied by its width and y by its height"):
        motion = lifter(shares, 1000, 800, layout="coco17")
    np.testing.assert_allclose(motion.poses_3d, expected, atol=1e-5)
    np.testing.assert_allclose(motion.confidence, 0.9)


def test_joints_at_minus_one_count_as_missing(lifter, walk):
    keypoints = walk[:60].copy()
    keypoints[20:25, 13] = np.nan
    expected = lifter(keypoints, 1280, 720).poses_3d
    for mark in (0, -1):
        keypoints[20:25, 13] = mark
        np.testing.assert_array_equal(lifter(keypoints, 1280, 720).poses_3d, expected)


@pytest.mark.parametrize("nothing", [0.0, np.nan])
def test_a_video_without_a_person_is_refused_for_what_it_is(lifter, nothing):
    with pytest.raises(ValueError, match="missing in all 5 frames.*whole body"):
        lifter(np.full((5, 17, 2), nothing), 1280, 720)


def test_a_joint_that_is_never_seen_is_named(lifter, walk):
    keypoints = np.concatenate([walk, np.ones_like(walk[..., :1])], axis=-1)
    keypoints[:, 3, 2] = 0.1
    refused = pytest.raises(ValueError, match="RFoot is missing in all 60 frames.*lower the confidence")
    with pytest.warns(UserWarning, match="missing in most frames, and are interpolated: RFoot 100%"), refused:
        lifter(keypoints, 1000, 800, min_confidence=0.5)


@pytest.mark.parametrize(("width", "height", "fps"), [(0, 800, 50), (1000, -1, 50), (1000, 800, 0), (1000, 800, -25)])
@pytest.mark.filterwarnings("ignore:100% of the joints lie outside of a picture")
def test_sizes_and_rates_that_make_no_sense_are_refused(lifter, walk, width, height, fps):
    with pytest.raises(ValueError, match="must be positive"):
        lifter(walk, width, height, fps=fps)


def test_a_network_of_other_joints_is_refused():
    with pytest.raises(ValueError, match="15 joints.*17"):
        PoseLifter(small_model(num_joints=15))


# Where the weights come from.


def test_from_pretrained_reads_a_saved_folder(tmp_path, walk):
    model = small_model(num_frames=9)
    model.save_pretrained(tmp_path)
    lifter = PoseLifter.from_pretrained(tmp_path, flip=False, device="cpu")
    assert not lifter.flip and not lifter.model.training
    expected = PoseLifter(model, flip=False, device="cpu")(walk, 1000, 800)
    np.testing.assert_array_equal(lifter(walk, 1000, 800).poses_3d, expected.poses_3d)


@pytest.mark.skipif(not (SHIPPED_WEIGHTS / "lite").is_dir(), reason="the shipped weights are not in this checkout")
def test_the_shipped_network_lifts_a_body_that_is_upright_and_of_human_size(walk):
    motion = PoseLifter.from_pretrained("lite")(walk, 1000, 800)
    head, feet = motion.poses_3d[:, 10], motion.poses_3d[:, [3, 6]].mean(1)
    assert 1.2 < (feet - head)[:, 1].mean() < 2.2  # metres, y down
    thighs = H36M17.bone_lengths(motion.poses_3d)[:, [1, 4]]
    assert 0.25 < thighs.mean() < 0.65


# Motion.


@pytest.fixture(scope="module")
def motion(lifter, walk) -> Motion:
    return lifter(walk, 1000, 800, fps=25)


def test_an_npz_comes_back_without_pickle(motion, tmp_path):
    path = motion.save(tmp_path / "walk.npz")
    with np.load(path, allow_pickle=False) as saved:
        np.testing.assert_array_equal(saved["poses_3d"], motion.poses_3d)
        np.testing.assert_array_equal(saved["keypoints"], motion.keypoints)
        assert (saved["fps"], saved["width"], saved["height"]) == (25, 1000, 800)
        assert tuple(saved["joints"]) == H36M17.joints
    assert [p.name for p in tmp_path.iterdir()] == ["walk.npz"]


def test_a_json_comes_back_to_a_hundredth_of_a_millimetre(motion, tmp_path):
    saved = json.loads(motion.save(tmp_path / "walk.json").read_text())
    np.testing.assert_allclose(saved["poses_3d"], motion.poses_3d, atol=1e-5)
    np.testing.assert_allclose(saved["keypoints"], motion.keypoints, atol=1e-4)
    assert (saved["fps"], saved["width"], saved["height"]) == (25, 1000, 800)
    assert tuple(saved["joints"]) == H36M17.joints


def test_a_long_motion_is_written_as_json_piece_by_piece(tmp_path):
    poses = np.random.default_rng(0).normal(size=(3000, 17, 3)).astype(np.float32)
    confidence = np.ones((3000, 17), np.float32)
    motion = Motion(poses, poses[..., :2], 25.0, 1000, 800, confidence=confidence, filled=confidence > 2)
    tracemalloc.start()
    path = motion.save(tmp_path / "long.json")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2e6 < 3e6 < path.stat().st_size
    again = Motion.load(path)
    np.testing.assert_allclose(again.poses_3d, poses, atol=1e-5)
    assert (again.confidence == 1).all() and not again.filled.any()


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_a_saved_motions_keypoints_can_be_read_and_lifted_again(lifter, motion, tmp_path, suffix):
    from poseformer_lite.formats.keypoint_files import read_keypoints

    (track,) = read_keypoints(motion.save(tmp_path / f"walk{suffix}"))
    again = lifter(track.keypoints, track.width, track.height, fps=track.fps)
    np.testing.assert_allclose(again.poses_3d, motion.poses_3d, atol=1e-4)


def test_upright_is_turned_and_not_mirrored_and_stands_on_the_floor(motion):
    world = motion.upright()
    np.testing.assert_allclose(world[..., 2].min(axis=1), 0, atol=1e-6)
    x, y, z = np.moveaxis(motion.poses_3d, -1, 0)
    np.testing.assert_allclose(world[..., 0], x)  # to the right of the picture
    np.testing.assert_allclose(world[..., 1], z)  # away from the camera
    np.testing.assert_allclose(np.diff(world[..., 2], axis=1), -np.diff(y, axis=1), atol=1e-6)
    lengths = H36M17.bone_lengths(world)
    np.testing.assert_allclose(lengths, H36M17.bone_lengths(motion.poses_3d), rtol=1e-3, atol=1e-6)
    volume = np.linalg.det((world - world[:, :1])[:, [1, 8, 16]])
    np.testing.assert_allclose(volume, np.linalg.det(motion.poses_3d[:, [1, 8, 16]]), rtol=1e-3, atol=1e-9)


def test_a_motion_introduces_itself(motion):
    assert repr(motion) == "Motion(60 frames at 25 Hz, 2.4 s)"


# Long videos.


@pytest.mark.parametrize("num_frames", [1, 4, 600])
def test_cached_equals_window_by_window(num_frames):
    model = small_model(num_frames=27).eval()
    poses_2d = torch.rand(num_frames, 17, 2, generator=torch.Generator().manual_seed(0)) - 0.5
    padded = torch.cat([poses_2d[:1].expand(13, -1, -1), poses_2d, poses_2d[-1:].expand(13, -1, -1)])
    with torch.no_grad():
        expected = torch.cat([model(padded[None, i : i + 27]) for i in range(num_frames)])
    torch.testing.assert_close(model.predict_sequence(poses_2d), expected, atol=1e-5, rtol=0)


MEMORY = """
    import resource, sys
    import numpy as np
    import torch
    torch.set_num_threads(2)
    from poseformer_lite import PoseFormer, PoseLifter
    lifter = PoseLifter(PoseFormer(num_frames=81, **{sizes}), flip=False, device="cpu")
    keypoints = np.random.default_rng(0).uniform(0, 1000, ({num_frames}, 17, 2)).astype(np.float32)
    lifter(keypoints[:200], 1000, 1000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(lifter(keypoints, 1000, 1000)) == {num_frames}
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20)
"""


def peak_gigabytes(num_frames: int, sizes: dict) -> float:
    """How much memory lifting a long video needs beyond that of a short one, in a process of its own."""
    pytest.importorskip("resource", reason="peak memory is measured with Unix's getrusage")
    import textwrap

    script = textwrap.dedent(MEMORY).format(num_frames=num_frames, sizes=sizes)
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return float(result.stdout) * (1 if sys.platform != "darwin" else 1 / 1024)  # kilobytes, on macOS bytes


@pytest.mark.slow
def test_many_frames_at_the_papers_width_need_under_a_quarter_of_a_gigabyte():
    """One layer of each stage: layers follow one another, so four need no more memory, only more time.

    All windows of 1,200 frames at once would be 1,200 x 81 tokens of 544 numbers, 0.2 gigabytes for each of the dozen
    intermediate results of a layer. That more frames need no more, the next test says.
    """
    assert peak_gigabytes(1_200, {"spatial_depth": 1, "temporal_depth": 1}) < 0.25


def test_no_more_frames_are_in_flight_for_a_long_video_than_for_a_short_one(monkeypatch):
    """What bounds the memory: 20,000 frames of 81-frame windows would be 1.6 million tokens at once."""
    model = small_model(num_frames=81, spatial_dim=2)
    embedded, joined = [], []

    def embed_frames(poses_2d):
        embedded.append(len(poses_2d))
        return poses_2d[:, 0]

    def forward_temporal(tokens):
        joined.append(tokens.shape[:2].numel())
        return torch.zeros(len(tokens), 17, 3)

    monkeypatch.setattr(model, "embed_frames", embed_frames)
    monkeypatch.setattr(model, "forward_temporal", forward_temporal)
    assert len(PoseLifter(model, flip=False, device="cpu")(random_keypoints("h36m17", 20_000), 1000, 1000)) == 20_000
    assert 20_000 <= sum(embedded) < 1.02 * 20_000 and max(embedded) <= 512  # twice where two parts meet
    assert sum(joined) == 20_000 * 81 and max(joined) <= 2048


# What is said of keypoints, and what a motion knows of its own


@pytest.fixture(scope="module")
def coco(walk) -> np.ndarray:
    """(60, 17, 3): the walk as COCO's joints in a picture of 1000 x 800, confident."""
    as_coco = [9, 9, 9, 10, 10, 11, 14, 12, 15, 13, 16, 4, 1, 5, 2, 6, 3]
    return np.concatenate([walk[:, as_coco], np.full((60, 17, 1), 0.9)], axis=-1).astype(np.float32)


def said_of(lifter, keypoints, **options) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lifter(keypoints, 1000, 800, **{"layout": "coco17", "fps": 25, **options})
    return " // ".join(str(warning.message) for warning in caught)


def test_nothing_is_said_of_good_keypoints_however_unsure(lifter, coco):
    assert said_of(lifter, coco) == said_of(lifter, coco * (1, 1, 0)) == said_of(lifter, coco[..., :2]) == ""


def test_a_z_in_the_place_of_the_confidence_is_left_out_and_said(lifter, coco):
    z = coco.copy()
    z[..., 2] = np.random.default_rng(0).normal(0, 0.2, z.shape[:2])
    assert "is z, no confidence" in said_of(lifter, z)
    with pytest.warns(UserWarning):
        motion = lifter(z, 1000, 800, layout="coco17")
    np.testing.assert_array_equal(motion.poses_3d, lifter(coco, 1000, 800, layout="coco17").poses_3d)
    assert motion.confidence is None


def test_legs_that_are_guessed_are_refused_unless_the_user_knows_better(lifter, coco):
    unsure = coco.copy()
    unsure[:, 13:, 2] = 0.05
    with pytest.raises(ValueError, match="the upper body alone is seen.*from head to foot.*as_given=True"):
        lifter(unsure, 1000, 800, layout="coco17")
    assert "the upper body alone is seen" in said_of(lifter, unsure, as_given=True)


def test_long_gaps_are_said_by_their_times_in_the_video(lifter, coco):
    gap = coco.copy()
    gap[20:45, :, :2] = np.nan
    assert said_of(lifter, gap) == "out of sight from 0.8 to 1.8 s, where it is interpolated"
    assert "from 10.8 to 11.8 s" in said_of(lifter, gap, start=10.0)
    gap[20:45], gap[:30] = coco[20:45], 0
    assert said_of(lifter, gap) == "out of sight from 0.0 to 1.2 s, where it is held still"
    gap = coco.copy()
    gap[10:12], gap[5:, 9, :2] = np.nan, -1
    assert said_of(lifter, gap) == "these joints are missing in most frames, and are interpolated: LWrist 91%"


def test_world_coordinates_are_refused(lifter, coco):
    with pytest.raises(ValueError, match="outside of a picture of 300 x 300.*give pixels from its upper left corner"):
        lifter(coco[..., :2] - coco[:, 11:12, :2], 300, 300, layout="coco17")


def test_a_motion_knows_its_start_and_what_was_found(lifter, coco):
    keypoints = coco.copy()
    keypoints[3, 11, :2] = 0  # the left hip, of which the pelvis and the spine are made
    motion = lifter(keypoints, 1000, 800, layout="coco17", fps=25, start=1.6)
    assert motion.start == 1.6
    assert np.argwhere(motion.filled).tolist() == [[3, 0], [3, 4], [3, 7]]
    np.testing.assert_allclose(motion.confidence, 0.9)
    assert lifter(coco[..., :2], 1000, 800, layout="coco17").confidence is None


def test_what_is_known_of_a_joint_goes_along_when_sides_are_exchanged_back(lifter, coco):
    keypoints = np.concatenate([coco[..., :2], np.full((60, 17, 1), 0.8)], axis=-1)
    keypoints[30:33, 15, 2] = 0.6  # the left foot is a little unsure
    expected = lifter(keypoints, 1000, 800, layout="coco17").confidence
    assert np.argwhere(expected == np.float32(0.6)).tolist() == [[30, 6], [31, 6], [32, 6]]
    keypoints[30:33, 13:17] = keypoints[30:33, [14, 13, 16, 15]]  # and the detector takes it for the right one
    motion = lifter(keypoints, 1000, 800, layout="coco17")
    np.testing.assert_array_equal(motion.confidence, expected)
    keypoints[31, 16, :2] = 0  # nor was it found
    motion = lifter(keypoints, 1000, 800, layout="coco17")
    assert len(np.argwhere(motion.filled)) == 1


def test_a_network_refuses_pixels(lifter, walk):
    from poseformer_lite.lifting.live import LiveStream

    pixels = torch.from_numpy(walk)
    with pytest.raises(ValueError, match="look like pixels"):
        lifter.model.predict_sequence(pixels)
    with pytest.raises(ValueError, match="look like pixels"):
        LiveStream(lifter.model).push(pixels[0])


def test_the_head_is_made_of_the_one_ear_that_is_seen():
    keypoints = random_keypoints("coco17", 3)
    keypoints[:, 4] = np.nan
    thorax, ear = keypoints[:, [5, 6]].mean(axis=1), keypoints[:, 3]
    np.testing.assert_allclose(to_h36m17(keypoints, "coco17")[:, 10], ear + (ear - thorax) / 2, rtol=1e-6)
