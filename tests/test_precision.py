"""Half precision where it pays: what stays in float32, how little moves, and that "auto" takes it only then."""

import numpy as np
import pytest
import torch
from helpers_data import tiny_dataset
from torch import nn

from poseformer_lite import PoseLifter
from poseformer_lite.datasets import load_dataset
from poseformer_lite.model import MeanPose, TemporalTransformerBaseline, load_network, precision
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.model.precision import bfloat16_products, bfloat16_speed, choose_precision
from poseformer_lite.training.loop import train


@pytest.fixture(scope="module")
def walk() -> torch.Tensor:
    """A walk of somebody who was not trained on: (T, 17, 2)."""
    sequence = next(s for s in load_dataset("synthetic", keypoints="noisy").test() if s.action.startswith("Walking"))
    return torch.from_numpy(sequence.poses_2d()[:400])


@pytest.mark.parametrize("weights", ["lite", "small"])
def test_joints_move_by_less_than_auto_allows(walk, weights):
    model = load_network(weights)
    exact, rounded = (model.predict_sequence(walk, precision=name) for name in ("float32", "bfloat16"))
    assert 0 < (rounded - exact).norm(dim=-1).mean() < 0.0005  # metres
    before, after = (poses.diff(n=2, dim=0).norm(dim=-1).mean() for poses in (exact, rounded))
    assert after < 1.02 * before


def test_only_the_temporal_products_with_weights_are_rounded():
    torch.manual_seed(0)
    model = PoseFormer(9, spatial_dim=8, spatial_depth=1, temporal_depth=1, num_heads=2).eval()
    poses_2d, seen = torch.randn(2, 9, 17, 2), {}
    for name, module in model.named_modules():
        module.register_forward_hook(lambda _, inputs, output, name=name: seen.update({name: (inputs[0], output)}))
    with torch.no_grad():
        exact = dict(seen) if model(poses_2d) is None else dict(seen)
        with bfloat16_products(model):
            model(poses_2d)
    assert all(output.dtype == torch.float32 for _, output in seen.values())
    assert all(torch.equal(seen[name][1], exact[name][1]) for name in seen if name.startswith("spatial"))
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear) and name.startswith("temporal"):
            given, output = seen[name]
            in_numpy = given.bfloat16().double() @ module.weight.bfloat16().double().T + module.bias.bfloat16()
            assert torch.allclose(output.double(), in_numpy, rtol=2**-7, atol=1e-3), name  # the output is rounded, too
    head, weights = seen["head.linear"], model.head.linear
    assert torch.equal(head[1], nn.functional.linear(head[0], weights.weight, weights.bias))


def test_afterwards_the_network_is_as_it_was(walk):
    model = load_network("lite")
    before = model.predict_sequence(walk[:40])
    with pytest.raises(RuntimeError), bfloat16_products(model):
        raise RuntimeError
    assert torch.equal(model.predict_sequence(walk[:40]), before)
    assert all("forward" not in vars(module) for module in model.modules())


@pytest.mark.parametrize("network", [TemporalTransformerBaseline(9, dim=32, depth=1), MeanPose(9)])
def test_other_networks_have_both(network, walk):
    exact, rounded = (network.predict_sequence(walk[:20], precision=name) for name in ("float32", "bfloat16"))
    assert torch.allclose(exact, rounded, atol=0.05)


def test_auto_takes_it_where_it_pays_and_does_no_harm(walk, monkeypatch):
    model = load_network("lite")
    monkeypatch.setattr(precision, "bfloat16_speed", lambda device: 8.0)
    assert choose_precision(model, walk) == "bfloat16"
    assert choose_precision(model, walk[:100]) == "float32"  # short
    rough = PoseFormer(9, spatial_dim=8, spatial_depth=1, temporal_depth=1, num_heads=2).eval()
    rough.head.linear.weight.data.mul_(1000)
    assert choose_precision(rough, walk) == "float32"  # joints would move by centimetres
    monkeypatch.setattr(precision, "bfloat16_speed", lambda device: 1.1)
    assert choose_precision(model, walk) == "float32"


def test_the_lifter_computes_as_it_is_told(walk, monkeypatch):
    monkeypatch.setattr(precision, "bfloat16_speed", lambda device: 8.0)
    keypoints = (walk.numpy() + [1, 1]) * 500
    lifted = {
        name: PoseLifter.from_pretrained("lite", precision=name)(keypoints, 1000, 1000).poses_3d
        for name in ("float32", "bfloat16", "auto")
    }
    assert np.array_equal(lifted["auto"], lifted["bfloat16"])
    assert 0 < np.linalg.norm(lifted["auto"] - lifted["float32"], axis=-1).mean() < 0.0005


def test_another_name_is_refused(walk):
    model = load_network("lite")
    with pytest.raises(ValueError, match="precision is 'fp8': choose one of float32, bfloat16, auto"):
        model.predict_sequence(walk, precision="fp8")
    with pytest.raises(ValueError, match="precision is 'half': choose one of"):
        PoseLifter(model, precision="half")


def test_the_speed_is_measured_once():
    assert bfloat16_speed() > 0
    assert bfloat16_speed() == bfloat16_speed()


def test_training_in_bf16_learns_as_in_float32(tmp_path):
    errors = {}
    for name in ("no", "bf16"):
        torch.manual_seed(0)
        model = PoseFormer(9, spatial_dim=8, spatial_depth=1, temporal_depth=1, num_heads=2)
        run = train(model, tiny_dataset(), epochs=3, batch_size=16, progress=False, mixed_precision=name)
        errors[name] = run.history[-1]["train_mm"]
        assert all(weights.dtype == torch.float32 for weights in model.parameters())
    assert errors["no"] != errors["bf16"]
    assert abs(errors["bf16"] / errors["no"] - 1) < 0.02


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU computes in fp16")
def test_fp16_is_for_gpus():
    model = PoseFormer(9, spatial_dim=8, spatial_depth=1, temporal_depth=1, num_heads=2)
    with pytest.raises(ValueError, match='choose "bf16" or "no"'):
        train(model, tiny_dataset(), mixed_precision="fp16", progress=False)
