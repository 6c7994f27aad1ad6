"""Fig. 2(b) with one window in it: every step is the network's own, and the picture says what it shows."""

import matplotlib.pyplot as plt
import pytest
import torch

import poseformer_lite as pfl
from poseformer_course.flow import follow_window, plot_network
from poseformer_lite.skeleton import HUMANEVA15


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = pfl.PoseFormer(num_frames=5, spatial_dim=8, spatial_depth=2, temporal_depth=3, num_heads=2).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model.requires_grad_(False)


@pytest.fixture
def window():
    return torch.randn(5, 17, 2, generator=torch.Generator().manual_seed(1))


def test_the_steps_end_at_the_network_s_own_pose(model, window):
    steps = follow_window(model, window)
    torch.testing.assert_close(steps["pose"], model(window[None])[0])
    torch.testing.assert_close(steps["joint tokens"], model.spatial(window))
    torch.testing.assert_close(steps["related tokens"], model.temporal(steps["frame tokens"][None])[0])


def test_the_weights_are_those_of_the_first_layers(model, window):
    steps, maps = follow_window(model, window), pfl.attention_maps(model, window[None])
    torch.testing.assert_close(steps["spatial weights"], maps.spatial[:, 0])
    torch.testing.assert_close(steps["temporal weights"], maps.temporal[0, 0])


def test_the_picture_holds_the_shapes_and_the_numbers_of_the_joint(model, window):
    figure = plot_network(model, window, joint=13)
    said = "\n".join(text.get_text() for text in figure.axes[0].texts)
    x, y = window[2, 13].tolist()
    pose = model(window[None])[0, 13].tolist()
    for words in ("(F, J, 2) = (5, 17, 2)", "(F, J·c) = (5, 136)", "encoder, 3 layers", "weights of 2 heads", "LWrist"):
        assert words in said
    assert f"{x:.2f}, {y:.2f}".replace("-", "−") in said
    assert ", ".join(f"{number:.2f}" for number in pose).replace("-", "−") + " m" in said
    plt.close(figure)


def test_a_body_of_another_skeleton(window):
    model = pfl.PoseFormer(num_frames=5, num_joints=15, spatial_dim=8, spatial_depth=1, temporal_depth=1).eval()
    figure = plot_network(model.requires_grad_(False), window[:, :15], joint=0, skeleton=HUMANEVA15)
    assert len(figure.axes) == 2
    plt.close(figure)
