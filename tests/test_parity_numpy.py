"""The torch model against the same equations in NumPy: poses and every softmax row."""

import numpy as np
import pytest
import torch
from numpy_poseformer import forward

from poseformer_lite.model.heads import attention_maps
from poseformer_lite.model.official import official_state_dict
from poseformer_lite.model.poseformer import PoseFormer

SIZES = [
    dict(num_frames=9, num_joints=17, spatial_dim=16, num_heads=4, spatial_depth=2, temporal_depth=2),
    dict(num_frames=3, num_joints=15, spatial_dim=8, num_heads=8, spatial_depth=1, temporal_depth=3, mlp_ratio=4.0),
    dict(num_frames=1, num_joints=5, spatial_dim=6, num_heads=1, spatial_depth=3, temporal_depth=1),
]


def scrambled(**sizes) -> PoseFormer:
    """A network in which every weight is random: nothing is zero or one, so that nothing can hide."""
    torch.manual_seed(0)
    model = PoseFormer(**sizes).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def both(model: PoseFormer, poses_2d: torch.Tensor):
    """(pose, spatial rows, temporal rows), from torch and from NumPy."""
    with torch.no_grad():
        maps = attention_maps(model, poses_2d)
        ours = model(poses_2d), list(maps.spatial.unbind(1)), list(maps.temporal.unbind(1))
    weights = {name: tensor.numpy() for name, tensor in official_state_dict(model).items()}
    return ours, forward(weights, poses_2d.numpy(), model.spatial.encoder.blocks[0].attn.num_heads)


@pytest.mark.parametrize("sizes", SIZES, ids=lambda s: f"f{s['num_frames']}j{s['num_joints']}h{s['num_heads']}")
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 3e-5), (torch.float64, 1e-10)])
def test_poses_and_all_softmax_rows_are_those_of_numpy(sizes, dtype, tolerance):
    model = scrambled(**sizes).to(dtype)
    poses_2d = torch.randn(3, model.num_frames, model.num_joints, 2, dtype=dtype)
    (pose, *rows), (expected, *expected_rows) = both(model, poses_2d)

    np.testing.assert_allclose(pose.numpy(), expected, atol=tolerance, rtol=tolerance)
    assert [len(layers) for layers in rows] == [sizes["spatial_depth"], sizes["temporal_depth"]]
    for layers, expected_layers in zip(rows, expected_rows, strict=True):
        for layer, expected_layer in zip(layers, expected_layers, strict=True):
            np.testing.assert_allclose(layer.numpy(), expected_layer, atol=tolerance)


def test_each_weight_matters():
    """A weight that the comparison could not see would be a hole in it: moving any of them moves the pose.

    All but one: the bias of the weighted mean adds the same to every channel, which the LayerNorm after it takes away.
    """
    model = scrambled(**SIZES[0]).double()
    weights = {name: tensor.numpy() for name, tensor in official_state_dict(model).items()}
    rng = np.random.default_rng(0)
    poses_2d = rng.normal(size=(1, 9, 17, 2))
    before = forward(weights, poses_2d, 4)[0]
    unseen = []
    for name, tensor in weights.items():
        moved = {**weights, name: tensor + 0.1 * rng.normal(size=tensor.shape)}
        if np.abs(forward(moved, poses_2d, 4)[0] - before).max() < 1e-6:
            unseen.append(name)
    assert unseen == ["weighted_mean.bias"]


def test_numpy_itself_agrees_with_the_authors_code(shared):
    golden = np.load(shared / "reference" / "official_forward_f9_c8_d2_h4.npz")
    weights = {name.removeprefix("sd/"): golden[name] for name in golden.files if name.startswith("sd/")}
    pose, _, _ = forward(weights, golden["x"], num_heads=4)
    np.testing.assert_allclose(pose, golden["y"][:, 0], atol=1e-5)
