"""Operations counted by formula, by hand, and by torch's own counter."""

import pytest
import torch

from poseformer_course.costs import Cost, count_macs, flops_by_torch
from poseformer_course.prior_work import NETWORKS
from poseformer_lite.model import PoseFormer, TemporalTransformerBaseline
from poseformer_lite.training.settings import get_preset

PAPER = get_preset("paper").model
NAMES = [name for name in NETWORKS if name != "MeanPose"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sizes", [{"num_frames": 9}, {"num_frames": 27, "spatial_dim": 8, "num_heads": 2}])
def test_our_formulas_agree_with_torch_to_the_last_operation(name, sizes):
    model = NETWORKS[name].sized_like({**PAPER, **sizes})
    assert count_macs(model).flops == flops_by_torch(model) > 0


def test_poseformer_by_hand():
    """One layer costs 8 C^2 MACs a token with an MLP ratio of 2, and 2 N^2 C for its attention products."""
    J, F, c, L = 17, 81, 32, 4
    D = J * c
    linear = F * J * 2 * c + L * F * J * 8 * c**2 + L * F * 8 * D**2 + F * D + D * J * 3
    products = L * F * 2 * J**2 * c + L * 2 * F**2 * D
    model = PoseFormer(**PAPER)
    assert count_macs(model) == Cost(linear, products)
    assert round(linear / 1e6) == 812 and round((linear + products) / 1e6) == 847
    assert round(count_macs(model).flops / 1e6) == 1694  # and not the 1358 of Table 6


@pytest.mark.parametrize(("frames", "printed"), [(27, 17.09), (81, 25.48), (243, 33.87)])
def test_what_table_6_prints_of_the_temporal_convolution_is_a_frame_of_a_long_sequence(frames, printed):
    """Two FLOPs a weight: each is used once a frame. PoseFormer's rows of the same table are of a whole window."""
    model = NETWORKS["TemporalConvolution"](frames)
    weights = sum(p.numel() for p in model.parameters() if p.ndim > 1)
    assert round(2 * weights / 1e6, 2) == pytest.approx(printed, abs=0.011)
    assert count_macs(model).flops > 1.9 * 2 * weights  # a window by itself costs more


def test_the_spatial_stage_is_a_small_part():
    both, temporal = count_macs(PoseFormer(**PAPER)), count_macs(TemporalTransformerBaseline.sized_like(PAPER))
    assert 0.05 < 1 - temporal.linear / both.linear < 0.06


def test_counting_leaves_the_model_as_it_was():
    model = PoseFormer(num_frames=3, spatial_dim=8, num_heads=2).train()
    count_macs(model)
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())
    assert model(torch.zeros(1, 3, 17, 2)).requires_grad
