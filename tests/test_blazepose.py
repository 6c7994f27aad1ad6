"""The detector: its parts by hand, the walk of the clip beside MediaPipe's answer, and that it asks nobody anything."""

import hashlib
import re
import socket
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("ai_edge_litert", reason="needs LiteRT: pip install -e '.[video]'")
pytest.importorskip("av", reason="needs PyAV: pip install -e '.[video]'")

from poseformer_course.clip import stored_keypoints
from poseformer_lite import PoseLifter, lift_video
from poseformer_lite.keypoints import to_h36m17
from poseformer_lite.lifting import blazepose
from poseformer_lite.lifting.blazepose import BlazePose, cut_out, overlap
from poseformer_lite.lifting.blazepose.smoothing import OneEuro
from poseformer_lite.lifting.video import read_video

CLIP = Path(__file__).resolve().parent.parent / "data" / "clip" / "walk.mp4"
REFERENCE = Path(__file__).parent / "mediapipe_on_the_clip.npz"


@pytest.fixture(scope="module")
def pictures():
    return list(read_video(CLIP))


@pytest.fixture(scope="module")
def walk(pictures):
    """(T, 33, 3), NaN where nobody is found."""
    detector, found = BlazePose(), []
    for seconds, image in pictures:
        people = detector(image, seconds)
        assert people.shape[1:] == (33, 3) and len(people) <= 1, "there is one person in the clip"
        found.append(people[0] if len(people) else np.full((33, 3), np.nan, np.float32))
    return np.stack(found)


def test_the_networks_are_those_that_the_notice_names():
    sums = dict(re.findall(r"sha256 (\w{64})  (\S+)", (blazepose.FOLDER / "NOTICE").read_text()))
    assert sorted(sums.values()) == [blazepose.FINDER.name, blazepose.MARKER.name]
    for checksum, name in sums.items():
        assert hashlib.sha256((blazepose.FOLDER / name).read_bytes()).hexdigest() == checksum
    assert "Apache License" in (blazepose.FOLDER / "LICENSE").read_text()


def test_every_answer_of_the_finder_has_a_cell():
    cells = blazepose._cells()
    assert cells.shape == (2254, 2) and cells.min() > 0 and cells.max() < 1
    np.testing.assert_allclose(cells[:3], [[4 / 224] * 2] * 2 + [[12 / 224, 4 / 224]])


def test_a_square_is_cut_out_upright():
    picture = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
    plain = cut_out(picture, np.array([30.0, 20.0, 20.0, 0.0]), 20)[0]
    np.testing.assert_allclose(plain, picture[10:30, 20:40].numpy() / 255, atol=1e-5)
    turned = cut_out(picture, np.array([30.0, 20.0, 20.0, np.pi / 2]), 20)[0]  # a head that points to the right
    np.testing.assert_allclose(turned, np.rot90(plain), atol=1e-4)
    outside = cut_out(picture, np.array([0.0, 20.0, 20.0, 0.0]), 20, beyond="zeros")[0]
    assert not outside[:, :9].any() and outside[:, 11:].any()


def test_a_person_points_from_hip_to_head_and_fits_in():
    x, y, side, angle = blazepose._place(np.array([100.0, 200.0]), np.array([140.0, 200.0]))
    assert (x, y, side) == (100, 200, 2 * 40 * 1.25) and angle == pytest.approx(np.pi / 2)
    assert overlap(np.array([0, 0, 2, 2]), np.array([1, 0, 3, 2])) == pytest.approx(1 / 3)


def test_the_filter_by_hand():
    euro = OneEuro(least_cutoff=1.0, speed_factor=0.0)
    share = 1 / (1 + 1 / (2 * np.pi * 1.0 * 0.1))
    assert euro(np.array([0.0]), 0.0, 1.0) == 0
    assert euro(np.array([1.0]), 0.1, 1.0) == pytest.approx(share)
    assert euro(np.array([1.0]), 0.2, 1.0) == pytest.approx(share + share * (1 - share))
    quick, slow = OneEuro(0.05, 80.0), OneEuro(0.05, 80.0)
    for step in range(30):
        ahead = quick(np.array([100.0 * step]), step / 30, 300.0), slow(np.array([0.01 * step]), step / 30, 300.0)
    assert 100 * 29 - ahead[0] < 5, "what moves fast is not held back"
    assert ahead[1] < 0.01 * 29 - 0.05, "what hardly moves is"


def test_the_walk_of_the_clip(walk):
    found = np.isfinite(walk[:, 0, 0])
    assert found.mean() > 0.95
    joints = to_h36m17(walk[found, :, :2], "mediapipe33")
    height = np.median(np.ptp(joints[..., 1], axis=1))
    assert 180 < height < 260
    hip, knees, feet, head = joints[:, 0], joints[:, [2, 5]].mean(1), joints[:, [3, 6]].mean(1), joints[:, 10]
    assert (np.diff([head[:, 1], hip[:, 1], knees[:, 1], feet[:, 1]], axis=0) > 0).all()
    assert hip[0, 0] - hip[-1, 0] > 2 * height, "she walks to the left"
    jumps = np.linalg.norm(np.diff(hip, axis=0), axis=-1)
    assert jumps.max() < 0.1 * height


def test_what_is_stored_beside_the_clip_is_what_it_finds(walk):
    """Lessons 00 and 05 take it where the detector cannot run."""
    track = stored_keypoints()
    assert (track.keypoints.shape, track.layout, track.fps) == (walk.shape, "mediapipe33", 30)
    assert (track.width, track.height) == (968, 320)
    np.testing.assert_allclose(track.keypoints[..., :2], walk[..., :2], atol=0.5)


def test_it_finds_what_mediapipe_finds(walk):
    """MediaPipe 0.10.21 on the same frames: `mp.solutions.pose.Pose(model_complexity=1)`, every fifth."""
    with np.load(REFERENCE) as file:
        theirs = file["keypoints"].astype(float)
    ours = walk[::5, :, :2][: len(theirs)]
    both = np.isfinite(ours[:, 0, 0]) & np.isfinite(theirs[:, 0, 0])
    assert both.mean() > 0.9
    apart = np.linalg.norm(ours[both] - theirs[both], axis=-1)
    size = np.median(np.ptp(theirs[both][..., 1], axis=1))
    assert np.median(apart) < 2 / 300 * size


def test_a_mirrored_picture_gives_the_mirrored_person(pictures):
    _, image = pictures[60]
    (person,), (mirrored,) = (BlazePose(1, smooth=False)(np.ascontiguousarray(i), 0.0) for i in (image, image[:, ::-1]))
    person, mirrored = (to_h36m17(p[None, :, :2], "mediapipe33")[0] for p in (person, mirrored))
    across = image.shape[1] - mirrored[:, 0]
    exchanged = np.abs(np.sort(across) - np.sort(person[:, 0]))
    assert np.median(exchanged) < 6 and np.median(np.abs(np.sort(mirrored[:, 1]) - np.sort(person[:, 1]))) < 6


def test_two_people_are_followed_each_on_their_own(pictures):
    both = [(s, np.concatenate([image[:, 480:], image[:, 480:]], axis=1)) for s, image in pictures[20:35]]
    detector = BlazePose(num_people=2)
    found = [detector(image, seconds) for seconds, image in both]
    counts = [len(people) for people in found]
    assert counts[-5:] == [2] * 5
    left, right = sorted(found[-1][:, :, 0].mean(axis=1))
    assert right - left == pytest.approx(both[0][1].shape[1] / 2, abs=15)


def test_nobody_is_found_in_an_empty_picture():
    assert BlazePose()(np.full((240, 320, 3), 128, np.uint8), 0.0).shape == (0, 33, 3)


def test_a_video_is_lifted_without_a_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a socket was asked for")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    motion = lift_video(CLIP, PoseLifter.from_pretrained("small"), progress=False)
    assert motion.fps == pytest.approx(30) and len(motion.poses_3d) > 100
    hip_to_head = motion.poses_3d[:, 10] - motion.poses_3d[:, 0]
    assert (hip_to_head[:, 1] < -0.4).all(), "she walks upright: y points down"
