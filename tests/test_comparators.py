"""The networks PoseFormer is compared with: the paper's baseline and the mean pose."""

import pytest
import torch
from helpers_data import tiny_dataset

from poseformer_lite.model import MeanPose, PoseFormer, TemporalTransformerBaseline, load_network
from poseformer_lite.training.loop import train

SMALL = {"num_frames": 5, "dim": 24, "depth": 2, "num_heads": 2}


@pytest.fixture
def baseline() -> TemporalTransformerBaseline:
    torch.manual_seed(0)
    return TemporalTransformerBaseline(**SMALL)


def test_a_window_gives_one_pose(baseline):
    assert baseline(torch.randn(3, 5, 17, 2)).shape == (3, 17, 3)


def test_parameters_by_hand(baseline):
    dim, hidden = 24, 48
    block = 2 * 2 * dim + (3 * dim * dim + 3 * dim) + (dim * dim + dim) + (dim * hidden + hidden) + (hidden * dim + dim)
    embedding, positions, norm, head = 34 * dim + dim, 5 * dim, 2 * dim, 2 * dim + 51 * dim + 51
    assert baseline.num_parameters() == embedding + positions + 2 * block + norm + head


def test_the_papers_width_is_poseformers_temporal_width():
    assert TemporalTransformerBaseline().patch_embedding.out_features == 17 * 32


def test_the_head_reads_the_mean_over_the_frames(baseline):
    """So without positions, which are zero at the start, the order of the frames does not matter."""
    poses_2d = torch.randn(2, 5, 17, 2)
    baseline.eval()
    shuffled = poses_2d[:, torch.randperm(5)]
    torch.testing.assert_close(baseline(shuffled), baseline(poses_2d), atol=1e-5, rtol=0)
    with torch.no_grad():
        baseline.position_embedding.normal_()
    assert not torch.allclose(baseline(poses_2d.flip(1)), baseline(poses_2d), atol=1e-3)


@pytest.mark.parametrize("num_frames", [1, 2, 13])
def test_a_sequence_equals_a_window_round_every_frame(baseline, num_frames):
    poses_2d = torch.randn(num_frames, 17, 2)
    padded = torch.cat([poses_2d[:1].expand(2, -1, -1), poses_2d, poses_2d[-1:].expand(2, -1, -1)])
    windows = torch.stack([padded[i : i + 5] for i in range(num_frames)])
    with torch.no_grad():
        expected = baseline.eval()(windows)
    torch.testing.assert_close(baseline.predict_sequence(poses_2d), expected, atol=1e-5, rtol=0)


def test_the_baseline_survives_a_save(baseline, tmp_path):
    baseline.save_pretrained(tmp_path)
    again = TemporalTransformerBaseline.from_pretrained(tmp_path).eval()
    poses_2d = torch.randn(1, 5, 17, 2)
    assert torch.equal(again(poses_2d), baseline.eval()(poses_2d))


def test_the_baseline_learns(baseline):
    changes = {"epochs": 6, "batch_size": 32, "learning_rate": 3e-3, "warmup_steps": 0, "validation": 0.0}
    run = train(baseline, tiny_dataset(), **changes, progress=False)
    assert run.history[-1]["train_mm"] < 0.7 * run.history[0]["train_mm"]


def test_the_mean_pose_by_hand():
    poses = torch.randn(50, 17, 3)
    model = MeanPose().fit(poses)
    answer = model.predict_sequence(torch.randn(4, 17, 2))
    assert answer.shape == (4, 17, 3)
    torch.testing.assert_close(answer, poses.mean(0).expand(4, -1, -1))
    assert model(torch.randn(2, 1, 17, 2)).shape == (2, 17, 3)


def test_the_mean_pose_survives_a_save(tmp_path):
    model = MeanPose().fit(torch.randn(9, 17, 3))
    model.save_pretrained(tmp_path)
    assert torch.equal(MeanPose.from_pretrained(tmp_path).pose, model.pose)


def test_the_mean_pose_minimises_the_squared_error():
    poses = torch.randn(200, 17, 3)
    pose = MeanPose().fit(poses).pose
    error = (poses - pose).square().mean()
    for _ in range(5):
        assert (poses - pose - 0.1 * torch.randn(17, 3)).square().mean() > error


def test_a_saved_network_is_read_as_what_it_is(tmp_path):
    TemporalTransformerBaseline(3, dim=16, depth=1, num_heads=2).save_pretrained(tmp_path)
    assert isinstance(load_network(tmp_path), TemporalTransformerBaseline)
    (tmp_path / "config.json").write_text('{"network": "AnotherNet"}')
    with pytest.raises(ValueError, match="AnotherNet, which is none of .*PoseFormer"):
        load_network(tmp_path)


def test_the_matching_baseline_has_the_temporal_stage_of_the_poseformer():
    sizes = dict(num_frames=5, num_joints=15, spatial_dim=8, spatial_depth=3, temporal_depth=2, num_heads=4)
    baseline, poseformer = TemporalTransformerBaseline.sized_like(sizes), PoseFormer(**sizes)
    ours = {n: t.shape for n, t in baseline.encoder.state_dict().items()}
    assert ours == {n: t.shape for n, t in poseformer.temporal.encoder.state_dict().items()}
    assert baseline.encoder.blocks[0].attn.num_heads == 4
