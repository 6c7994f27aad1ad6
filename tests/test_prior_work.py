"""The networks of the paper's tables: each against its equations in NumPy, and what each can and cannot see."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from helpers_data import tiny_dataset

from poseformer_course.prior_work import (
    NETWORKS,
    GraphConvolutionNetwork,
    JointTokenTransformer,
    RecurrentNetwork,
    ResidualMLP,
    SemanticGraphConvolution,
    TemporalConvolution,
)
from poseformer_lite.model import PoseFormer, load_network
from poseformer_lite.skeleton import H36M17
from poseformer_lite.training.loop import train

SIZES = {"num_frames": 9, "spatial_dim": 8, "spatial_depth": 1, "temporal_depth": 1, "num_heads": 2, "drop_path": 0.0}
TRAINED = [network for name, network in NETWORKS.items() if name != "MeanPose"]


def disturbed(network, sizes=SIZES):
    """With random weights and statistics everywhere: none at its start value, so each one has to be used rightly."""
    torch.manual_seed(3)
    model = network.sized_like(sizes)
    with torch.no_grad():
        for tensor in [*model.parameters(), *model.buffers()]:
            if tensor.is_floating_point():
                tensor.add_(0.2 * torch.rand_like(tensor))
    return model.eval()


def weights_of(model) -> dict[str, np.ndarray]:
    return {name: tensor.detach().double().numpy() for name, tensor in model.state_dict().items()}


def batch_norm(x, w, name):
    """x: (..., C)."""
    scale = w[f"{name}.weight"] / np.sqrt(w[f"{name}.running_var"] + 1e-5)
    return (x - w[f"{name}.running_mean"]) * scale + w[f"{name}.bias"]


def lifted(model, poses_2d) -> np.ndarray:
    with torch.no_grad():
        return model.double()(torch.from_numpy(poses_2d)).numpy()


@pytest.mark.parametrize("network", TRAINED)
def test_a_window_gives_one_pose_and_a_sequence_equals_its_windows(network):
    model = disturbed(network)
    poses_2d = torch.randn(13, 17, 2)
    half = model.num_frames // 2
    padded = torch.cat([poses_2d[:1].expand(half, -1, -1), poses_2d, poses_2d[-1:].expand(half, -1, -1)])
    windows = torch.stack([padded[i : i + model.num_frames] for i in range(13)])
    with torch.no_grad():
        expected = model(windows)
    assert expected.shape == (13, 17, 3)
    torch.testing.assert_close(model.predict_sequence(poses_2d), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("network", TRAINED)
def test_it_survives_a_save(network, tmp_path):
    model = disturbed(network)
    model.save_pretrained(tmp_path)
    again = network.from_pretrained(tmp_path)
    poses_2d = torch.randn(2, model.num_frames, 17, 2)
    assert torch.equal(again(poses_2d), model(poses_2d))


def test_a_network_of_the_study_is_loaded_by_its_own_class(tmp_path):
    ResidualMLP(dim=8).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="holds the network ResidualMLP.*from_pretrained of its own class"):
        load_network(tmp_path)


@pytest.mark.parametrize("network", TRAINED)
def test_it_learns(network):
    torch.manual_seed(0)
    model = network.sized_like(SIZES)
    settings = {
        "epochs": 4,
        "windows_per_epoch": 320,
        "batch_size": 16,
        "learning_rate": 5e-3,
        "warmup_steps": 0,
        "validation": 0.0,
    }
    run = train(model, tiny_dataset(), **settings, progress=False)
    assert run.history[-1]["train_mm"] < 0.9 * run.history[0]["train_mm"]


@pytest.mark.parametrize("network", TRAINED)
def test_fifteen_joints(network):
    model = network.sized_like({**SIZES, "num_joints": 15}).eval()
    assert model(torch.randn(2, model.num_frames, 15, 2)).shape == (2, 15, 3)


@pytest.mark.parametrize("network", [ResidualMLP, GraphConvolutionNetwork])
def test_a_single_frame_is_all_they_take(network):
    with pytest.raises(ValueError, match="num_frames is 9: it lifts a single frame, so choose 1"):
        network(num_frames=9)


def test_the_residual_mlp_in_numpy():
    model, poses_2d = disturbed(ResidualMLP), np.random.default_rng(0).normal(size=(4, 1, 17, 2))
    w = weights_of(model)

    def layer(x, name):
        return np.maximum(batch_norm(x @ w[f"{name}.0.weight"].T + w[f"{name}.0.bias"], w, f"{name}.1"), 0)

    x = layer(poses_2d.reshape(4, 34), "first")
    for i in range(2):
        x = x + layer(layer(x, f"blocks.{i}.0"), f"blocks.{i}.1")
    expected = x @ w["head.weight"].T + w["head.bias"]
    np.testing.assert_allclose(lifted(model, poses_2d), expected.reshape(4, 17, 3), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("num_frames", [9, 27, 81])
def test_strided_convolutions_are_dilated_ones(num_frames):
    """As the paper draws them: over a whole sequence, dilation growing by three, no stride at all."""
    model = disturbed(TemporalConvolution, {**SIZES, "num_frames": num_frames, "spatial_dim": 1}).double()
    sequence = torch.randn(num_frames + 5, 17, 2, dtype=torch.float64)
    w = model.state_dict()

    def block(x, name, dilation):
        x = F.conv1d(x, w[f"{name}.0.weight"], dilation=dilation)
        x = F.batch_norm(x, *(w[f"{name}.1.{part}"] for part in ("running_mean", "running_var", "weight", "bias")))
        return x.relu()

    x = block(sequence.flatten(1).T[None], "first", 1)
    dilation = 3
    for i in range(len(model.joining)):
        x = x[..., dilation:-dilation] + block(block(x, f"joining.{i}", dilation), f"mixing.{i}", 1)
        dilation *= 3
    dense = (x[0].T @ w["head.weight"].T + w["head.bias"]).unflatten(-1, (17, 3))
    windows = sequence.unfold(0, num_frames, 1).movedim(-1, 1)
    with torch.no_grad():
        torch.testing.assert_close(model(windows), dense, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("num_frames", "millions"), [(27, 8.56), (81, 12.75), (243, 16.95)])
def test_parameters_of_the_temporal_convolution(num_frames, millions):
    """Table 6 prints 8.56, 12.79 and 16.95: the middle one does not fit the other two."""
    assert round(TemporalConvolution(num_frames).num_parameters() / 1e6, 2) == millions


def test_the_recurrent_network_in_numpy():
    model, poses_2d = (
        disturbed(RecurrentNetwork, {**SIZES, "spatial_dim": 1}),
        np.random.default_rng(1).normal(size=(2, 9, 17, 2)),
    )
    w = weights_of(model)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def step(x, h, c, name, ending):
        gates = x @ w[f"{name}.weight_ih{ending}"].T + w[f"{name}.bias_ih{ending}"]
        gates = gates + h @ w[f"{name}.weight_hh{ending}"].T + w[f"{name}.bias_hh{ending}"]
        i, f, g, o = np.split(gates, 4, axis=-1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c

    h = c = np.zeros((2, 32))
    for frame in poses_2d.reshape(2, 9, 34).swapaxes(0, 1):
        h, c = step(frame, h, c, "encoder", "_l0")
    pose = np.zeros((2, 51))
    for _ in range(5):  # the centre of 9 is the fifth frame
        h, c = step(pose, h, c, "decoder", "")
        pose = pose + h @ w["head.weight"].T + w["head.bias"]
    np.testing.assert_allclose(lifted(model, poses_2d), pose.reshape(2, 17, 3), rtol=1e-8, atol=1e-8)


def test_a_graph_convolution_in_numpy():
    torch.manual_seed(0)
    adjacency = torch.eye(3, dtype=torch.bool)
    adjacency[0, 1] = adjacency[1, 0] = True  # joint 2 is alone
    layer = SemanticGraphConvolution(2, 5, adjacency).double()
    torch.nn.init.normal_(layer.strength)
    w, x = weights_of(layer), np.random.default_rng(2).normal(size=(3, 2))
    expected = np.zeros((3, 5))
    for i in range(3):
        for channel in range(5):
            neighbors = np.flatnonzero(adjacency[i])
            shares = np.exp(w["strength"][channel, i, neighbors])
            shares = shares / shares.sum()
            for share, j in zip(shares, neighbors, strict=True):
                name = "itself.weight" if i == j else "others.weight"
                bias = 0 if i == j else w["others.bias"][channel]
                expected[i, channel] += share * (w[name][channel] @ x[j] + bias)
    with torch.no_grad():
        answer = layer(torch.from_numpy(x)[None])[0].numpy()
    np.testing.assert_allclose(answer, expected, rtol=1e-10, atol=1e-10)


def test_a_joint_hears_as_far_along_the_bones_as_there_are_layers():
    model = GraphConvolutionNetwork(dim=4, num_blocks=1).eval()  # layers: first, two in the block, head
    poses_2d = torch.randn(1, 1, 17, 2, requires_grad=True)
    wrist = H36M17.joints.index("RWrist")
    model(poses_2d)[0, wrist].sum().backward()
    heard = {H36M17.joints[j] for j in poses_2d.grad[0, 0].abs().sum(-1).nonzero().flatten().tolist()}
    assert heard <= {"RWrist", "RElbow", "RShoulder", "Thorax", "Neck/Nose", "LShoulder", "Spine"}
    assert {"RWrist", "RElbow"} <= heard


def test_a_skeleton_of_other_joints_is_refused():
    with pytest.raises(ValueError, match="'humaneva15' has 15 joints, but num_joints is 17"):
        GraphConvolutionNetwork(skeleton="humaneva15")


def test_two_far_frames_meet_at_once_in_attention_and_never_alone_in_a_convolution_tree():
    """The limited connectivity of the introduction: in the first layer a convolution joins three frames only."""
    model = TemporalConvolution(9, dim=8, dropout=0).eval()
    first = model.first(torch.eye(9)[:, None].expand(9, 34, 9).contiguous())  # one frame at a time is not zero
    silence = model.first(torch.zeros(1, 34, 9))
    reached = (first - silence).abs().sum(1) > 1e-6  # (9 frames, 3 results)
    assert all(not reached[frame, result] for frame in range(9) for result in range(3) if frame // 3 != result)


def test_every_joint_of_every_frame_reaches_the_joint_token_transformer():
    model = disturbed(JointTokenTransformer)
    poses_2d = torch.randn(1, 9, 17, 2, requires_grad=True)
    model(poses_2d).sum().backward()
    assert (poses_2d.grad.abs().sum(-1) > 0).all()


def test_the_joint_token_transformer_beside_poseformer():
    model = JointTokenTransformer.sized_like(SIZES)
    assert len(model.encoder.blocks) == SIZES["spatial_depth"] + SIZES["temporal_depth"]
    assert model.patch_embedding.out_features == SIZES["spatial_dim"]
    assert model.num_parameters() < PoseFormer(**SIZES).num_parameters()
