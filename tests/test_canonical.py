"""The canonical camera: what it shows of a pose, and that a network trained on it is used as it was trained."""

import json

import numpy as np
import pytest
import torch

from poseformer_course.heads import head_ablation
from poseformer_lite import PoseFormer, PoseLifter, evaluate, train
from poseformer_lite.camera import Camera, look_at
from poseformer_lite.canonical import SIZE, canonical_view, turn_to_front
from poseformer_lite.datasets.sources.synthetic import make_take
from poseformer_lite.datasets.virtual.views import view_take
from poseformer_lite.evaluation import sequence_errors
from poseformer_lite.model.base import predict

SMALL = {"num_frames": 3, "spatial_dim": 4, "spatial_depth": 1, "temporal_depth": 1, "num_heads": 2, "drop_path": 0.0}


@pytest.fixture(scope="module")
def walk():
    take = make_take("S9", "Walking")
    return type(take)(take.subject, take.action, take.world[:120], take.fps)


def aimed(take, aside: float = 0.0, focal_length: float = 1000.0) -> Camera:
    """From 6 m, aimed so many metres beside the take's middle."""
    middle = take.world.reshape(-1, 3).mean(axis=0).astype(float)
    position = middle + [0.0, -6.0, 0.4]
    size = {"width": 1600, "height": 1200, "focal_length": (focal_length,) * 2, "center": (800, 600)}
    orientation = look_at(position, middle + [aside, 0, 0])
    return Camera("aimed", **size, orientation=orientation, translation=tuple(position))


def test_the_shortest_turn_brings_a_direction_to_the_front():
    directions = np.array([[0.3, -0.2, 1.0], [0.0, 0.0, 2.0], [1.0, 1.0, 0.5]])
    turns = turn_to_front(directions)
    front = (turns @ directions[..., None])[..., 0]
    np.testing.assert_allclose(front, np.linalg.norm(directions, axis=-1)[:, None] * [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(turns @ turns.swapaxes(-1, -2), np.broadcast_to(np.eye(3), (3, 3, 3)), atol=1e-12)
    assert (np.linalg.det(turns) > 0).all()
    cosines = directions[:, 2] / np.linalg.norm(directions, axis=-1)
    np.testing.assert_allclose((np.trace(turns, axis1=-2, axis2=-1) - 1) / 2, cosines)  # by no larger angle


def test_the_hip_is_in_the_middle_and_the_person_as_large_near_and_far(walk):
    for focal_length in (700.0, 2000.0):
        (sequence,) = view_take(walk, [aimed(walk, 0.5, focal_length)])
        seen, turns = canonical_view(sequence.keypoints, 1600, 1200, focal_length=focal_length)
        assert seen.dtype == np.float32 and seen.shape == (120, 17, 2) and turns.shape == (120, 3, 3)
        assert np.abs(seen[:, 0]).max() < 0.02
        size = np.sqrt(((seen - seen[:, :1]) ** 2).sum(-1).mean(-1))
        assert abs(np.median(size) - SIZE) < 0.02


def test_where_a_camera_of_known_lens_is_aimed_makes_no_difference(walk):
    straight, aside = (view_take(walk, [aimed(walk, by)])[0].seen_by("canonical", known=True) for by in (0.0, 1.5))
    assert np.abs(straight.poses_2d() - aside.poses_2d()).max() < 0.02
    apart = np.linalg.norm(straight.poses_3d - aside.poses_3d, axis=-1)
    plain = [view_take(walk, [aimed(walk, by)])[0] for by in (0.0, 1.5)]
    assert apart.mean() < 0.01 < 0.1 * np.abs(plain[0].poses_2d() - plain[1].poses_2d()).max()


def test_3d_is_turned_with_the_picture(walk):
    (sequence,) = view_take(walk, [aimed(walk, 1.0)])
    seen = sequence.seen_by("canonical", known=True)
    turns = canonical_view(sequence.keypoints, 1600, 1200, focal_length=1000.0)[1]
    back = seen.poses_3d @ turns  # rows times the inverse's transpose
    np.testing.assert_allclose(back, sequence.root_relative(0), atol=1e-5)
    assert sequence.seen_by("screen") is sequence


def test_a_network_says_what_it_is_shown_and_keeps_it(tmp_path, tiny):
    torch.manual_seed(0)
    model = PoseFormer(**SMALL)
    model.input = "canonical"
    train(model, tiny, epochs=1, batch_size=64, output=tmp_path, progress=False)
    assert json.loads((tmp_path / "config.json").read_text())["input"] == "canonical"
    again = PoseFormer.from_pretrained(tmp_path)
    assert again.input == "canonical" and PoseFormer(**SMALL).input == "screen"
    screen = PoseFormer.from_pretrained(tmp_path)
    screen.input = "screen"
    canonical = evaluate(again, tiny, progress=False).average["MPJPE"]
    assert canonical != evaluate(screen, tiny, progress=False).average["MPJPE"]
    view = tiny.test()[0]
    of_one = sequence_errors(again, view, tiny.skeleton, flip=True, zero_root=False, fps=tiny.fps)
    seen = view.seen_by("canonical", tiny.fps)
    by_hand = predict(again, torch.from_numpy(seen.poses_2d()), tiny.skeleton) - torch.from_numpy(seen.poses_3d)
    assert of_one["MPJPE"] == pytest.approx(by_hand.norm(dim=-1).mean().item(), rel=1e-4)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"input": "fisheye"}))
    with pytest.raises(ValueError, match="its input is 'fisheye', expected one of screen, canonical"):
        PoseFormer.from_pretrained(tmp_path)


def test_the_lifter_shows_it_the_same_and_turns_the_answer_back(walk):
    torch.manual_seed(0)
    model = PoseFormer(**SMALL).eval()
    model.input = "canonical"
    (sequence,) = view_take(walk, [aimed(walk, 1.0)])
    seen = sequence.seen_by("canonical", known=True)
    turns = canonical_view(sequence.keypoints, 1600, 1200, focal_length=1000.0)[1]
    expected = model.predict_sequence(torch.from_numpy(seen.poses_2d())).numpy() @ turns
    motion = PoseLifter(model, flip=False)(
        sequence.keypoints, width=1600, height=1200, repair_swaps=False, focal_length=1000.0
    )
    np.testing.assert_allclose(motion.poses_3d, expected - expected[:, :1], atol=1e-5)


def test_heads_are_measured_on_what_the_network_was_trained_on(walk):
    model = PoseFormer(**SMALL)
    model.input = "canonical"
    (sequence,) = view_take(walk, [aimed(walk, 1.0)])
    seen = sequence.seen_by("canonical")
    pair = torch.from_numpy(seen.poses_2d()), torch.from_numpy(seen.root_relative(0))
    of_sequence, of_pair = (head_ablation(model, [given], [()], progress=False).error for given in (sequence, pair))
    assert of_sequence == pytest.approx(of_pair, rel=1e-6)
    model.input = "screen"
    assert abs(head_ablation(model, [sequence], [()], progress=False).error - of_pair) > 1
