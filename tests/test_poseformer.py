"""The network as a whole: shapes, size, long sequences, and folders of weights."""

import json

import pytest
import torch

from poseformer_lite.model.base import window_indices
from poseformer_lite.model.baselines import MeanPose, TemporalTransformerBaseline
from poseformer_lite.model.poseformer import PoseFormer, RegressionHead


def small(num_frames: int = 5, **changes) -> PoseFormer:
    """A small network whose position embeddings are not zero."""
    torch.manual_seed(0)
    model = PoseFormer(num_frames, spatial_dim=8, spatial_depth=1, temporal_depth=2, num_heads=4, **changes)
    torch.nn.init.normal_(model.spatial.position_embedding)
    torch.nn.init.normal_(model.temporal.position_embedding)
    return model


@pytest.mark.parametrize(("num_frames", "expected"), [(9, 9_563_645), (27, 9_573_455), (81, 9_602_885)])
def test_parameters_of_the_paper(num_frames, expected):
    assert PoseFormer(num_frames=num_frames).num_parameters() == expected


@pytest.mark.parametrize("num_frames", [1, 3, 9])
@pytest.mark.parametrize("num_joints", [1, 15, 17])
@pytest.mark.parametrize(("dim", "heads", "depths"), [(4, 1, (1, 1)), (8, 8, (2, 1)), (6, 3, (1, 3)), (4, 2, (0, 1))])
def test_any_size(num_frames, num_joints, dim, heads, depths):
    model = PoseFormer(num_frames, num_joints, dim, *depths, num_heads=heads)
    poses_3d = model(torch.randn(2, num_frames, num_joints, 2))
    assert poses_3d.shape == (2, num_joints, 3) and poses_3d.isfinite().all()
    poses_3d.sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("num_frames", [0, 2, 8, -3])
def test_a_window_needs_an_odd_number_of_frames(num_frames):
    with pytest.raises(ValueError, match=f"num_frames is {num_frames}"):
        PoseFormer(num_frames)


@pytest.mark.parametrize("shape", [(2, 4, 17, 2), (2, 5, 16, 2), (2, 5, 17, 3), (5, 17, 2), (2, 5, 34)])
def test_wrong_windows_are_refused_with_the_shape_expected(shape):
    with pytest.raises(ValueError, match=r"expected \(B, 5, 17, 2\)") as caught:
        small(5)(torch.zeros(shape))
    assert str(tuple(shape)) in str(caught.value)


def test_positions_can_be_left_out():
    model = PoseFormer(3, spatial_dim=8, spatial_positions=False, temporal_positions=False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.1)
    model(torch.randn(2, 3, 17, 2)).square().sum().backward()
    optimizer.step()
    assert not model.spatial.position_embedding.any() and not model.temporal.position_embedding.any()

    model = PoseFormer(3, spatial_dim=8)
    model(torch.randn(2, 3, 17, 2)).square().sum().backward()
    assert model.spatial.position_embedding.grad.any() and model.temporal.position_embedding.grad.any()


def test_head_takes_the_weighted_mean_of_the_frames():
    head = RegressionHead(num_frames=3, dim=8, num_joints=2)
    with torch.no_grad():
        head.weighted_mean.weight.copy_(torch.tensor([[[0.5], [-1.0], [2.0]]]))
        head.weighted_mean.bias.fill_(0.25)
    frames = torch.randn(4, 3, 8)
    mean = 0.5 * frames[:, 0] - frames[:, 1] + 2 * frames[:, 2] + 0.25
    normed = (mean - mean.mean(-1, keepdim=True)) / (mean.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    expected = (normed @ head.linear.weight.T + head.linear.bias).reshape(4, 2, 3)
    torch.testing.assert_close(head(frames), expected)


def test_window_indices_by_hand():
    expected = [[0, 0, 0, 1, 2], [0, 0, 1, 2, 3], [0, 1, 2, 3, 3], [1, 2, 3, 3, 3]]
    assert window_indices(4, 5).tolist() == expected
    assert window_indices(1, 3).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("make", [small, lambda f: TemporalTransformerBaseline(f, dim=16, depth=1, num_heads=2)])
@pytest.mark.parametrize("num_frames", [1, 5, 9])
@pytest.mark.parametrize("length", [1, 3, 8, 20])
def test_predict_sequence_is_window_by_window(make, num_frames, length):
    model = make(num_frames).train()
    poses_2d = torch.randn(length, 17, 2)
    predicted = model.predict_sequence(poses_2d, batch_size=7)
    assert model.training and predicted.shape == (length, 17, 3)

    model.eval()
    half = num_frames // 2
    padded = torch.cat([poses_2d[:1].expand(half, -1, -1), poses_2d, poses_2d[-1:].expand(half, -1, -1)])
    with torch.no_grad():
        one_by_one = torch.cat([model(padded[None, t : t + num_frames]) for t in range(length)])
    torch.testing.assert_close(predicted, one_by_one, atol=1e-5, rtol=1e-5)


def test_predict_sequence_does_not_depend_on_the_batch_size_and_crosses_its_chunks():
    model, poses_2d = small(3), torch.randn(600, 17, 2)
    whole = model.predict_sequence(poses_2d)
    torch.testing.assert_close(model.predict_sequence(poses_2d, batch_size=97), whole, atol=1e-5, rtol=1e-5)
    part = model.predict_sequence(poses_2d[505:520])  # around the border of the first 512 frames
    torch.testing.assert_close(part[1:-1], whole[506:519], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("at_once", [1, 3, 7, 19, 20])
def test_a_long_sequence_is_lifted_in_parts_that_do_not_show(at_once, monkeypatch):
    model, poses_2d = small(9), torch.randn(20, 17, 2)
    whole = model.predict_sequence(poses_2d)
    embedded = []
    embed = model.embed_frames
    monkeypatch.setattr(model, "embed_frames", lambda frames: embedded.append(len(frames)) or embed(frames))
    monkeypatch.setattr("poseformer_lite.model.base.FRAMES_AT_ONCE", at_once)
    torch.testing.assert_close(model.predict_sequence(poses_2d), whole, atol=1e-5, rtol=1e-5)
    assert max(embedded) <= at_once + 8  # tokens of one part and of what its windows reach


@pytest.mark.parametrize("training", [True, False])
def test_predict_sequence_leaves_the_mode_as_it_was_even_when_it_fails(training):
    model = small().train(training)
    model.predict_sequence(torch.randn(3, 17, 2))
    assert model.training is training and model.spatial.training is training
    with pytest.raises(RuntimeError):
        model.predict_sequence(torch.randn(3, 17, 2).double())
    assert model.training is training


@pytest.mark.parametrize("shape", [(0, 17, 2), (4, 16, 2), (4, 17, 3), (1, 4, 17, 2), (17, 2)])
def test_predict_sequence_refuses_what_is_no_sequence(shape):
    with pytest.raises(ValueError, match=r"expected \(T, 17, 2\)"):
        small().predict_sequence(torch.zeros(shape))


def test_mean_pose():
    poses_3d = torch.randn(10, 17, 3)
    model = MeanPose(num_frames=3).fit(poses_3d)
    torch.testing.assert_close(model(torch.randn(4, 3, 17, 2)), poses_3d.mean(0).expand(4, 17, 3))
    torch.testing.assert_close(model.predict_sequence(torch.randn(6, 17, 2)), poses_3d.mean(0).expand(6, 17, 3))


def test_baseline_averages_the_frames():
    """Without position embeddings the baseline cannot tell the order of the frames."""
    model = TemporalTransformerBaseline(5, dim=16, depth=2, num_heads=4).eval()
    poses_2d = torch.randn(2, 5, 17, 2)
    torch.testing.assert_close(model(poses_2d), model(poses_2d.flip(1)), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        small(3, drop_path=0.3, mlp_ratio=3.0, spatial_positions=False),
        small(1, num_joints=15),
        TemporalTransformerBaseline(3, 15, dim=16, depth=1, num_heads=2),
        MeanPose(3).fit(torch.randn(4, 17, 3)),
    ],
    ids=["poseformer", "15 joints", "baseline", "mean pose"],
)
def test_save_and_load(model, tmp_path):
    model.save_pretrained(tmp_path / "weights")
    assert {path.name for path in (tmp_path / "weights").iterdir()} >= {"config.json", "model.safetensors"}
    loaded = type(model).from_pretrained(tmp_path / "weights")
    assert loaded.config == model.config
    poses_2d = torch.randn(6, model.num_joints, 2)
    assert torch.equal(loaded.predict_sequence(poses_2d), model.predict_sequence(poses_2d))
    frozen = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    assert [name for name, parameter in loaded.named_parameters() if not parameter.requires_grad] == frozen
    assert not loaded.training
    if isinstance(model, PoseFormer):
        rates = [block.drop_path.rate for block in model.temporal.encoder.blocks]
        assert [block.drop_path.rate for block in loaded.temporal.encoder.blocks] == rates


def test_another_network_is_refused(tmp_path):
    TemporalTransformerBaseline(3, dim=16, depth=1, num_heads=2).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="does not hold a PoseFormer"):
        PoseFormer.from_pretrained(tmp_path)


def test_weights_that_do_not_fit_their_config_are_refused(tmp_path):
    small(3).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "spatial_dim": 16}))
    with pytest.raises(ValueError, match="does not hold a PoseFormer that can be read"):
        PoseFormer.from_pretrained(tmp_path)


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_missing_file_is_named(missing, tmp_path):
    small(3).save_pretrained(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"has no {missing}"):
        PoseFormer.from_pretrained(tmp_path)


@pytest.mark.parametrize("keep", [0, 5, 100, 0.5, -1])
def test_truncated_weights_are_refused(keep, tmp_path):
    small(3).save_pretrained(tmp_path)
    whole = (tmp_path / "model.safetensors").read_bytes()
    keep = int(keep * len(whole)) if isinstance(keep, float) else keep
    (tmp_path / "model.safetensors").write_bytes(whole[:keep])
    with pytest.raises(ValueError, match="does not hold a PoseFormer that can be read") as caught:
        PoseFormer.from_pretrained(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '"words"'])
def test_broken_config_is_refused_by_name(text, tmp_path):
    small(3).save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match="does not hold a PoseFormer that can be read") as caught:
        PoseFormer.from_pretrained(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder .*nowhere, and the weights that are shipped"):
        PoseFormer.from_pretrained(tmp_path / "nowhere")
