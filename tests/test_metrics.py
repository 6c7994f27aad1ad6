"""The metrics: golden values, worked examples, and what each must not see."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from poseformer_lite.metrics import auc, mpjpe, mpjve, n_mpjpe, p_mpjpe, pck, procrustes_align

seeds = st.integers(0, 2**32 - 1)
sizes = st.floats(0.01, 100)


def poses(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(*shape, 17, 3)))


def rotations(seed: int, *shape: int) -> torch.Tensor:
    quaternions = np.random.default_rng(seed).normal(size=(math.prod(shape), 4))  # of any length, in any direction
    return torch.from_numpy(Rotation.from_quat(quaternions).as_matrix().reshape(*shape, 3, 3))


@pytest.mark.parametrize("metric", [mpjpe, p_mpjpe, n_mpjpe, mpjve], ids=lambda f: f.__name__)
def test_golden(metric, shared):
    golden = np.load(shared / "reference" / "metrics_golden.npz")
    value = metric(torch.from_numpy(golden["predicted"]), torch.from_numpy(golden["target"]))
    assert value.dtype == torch.float64 and value.item() == pytest.approx(float(golden[metric.__name__]), rel=1e-9)


@pytest.mark.parametrize("metric", [mpjpe, p_mpjpe, n_mpjpe, mpjve], ids=lambda f: f.__name__)
def test_golden_in_single_precision(metric, shared):
    golden = np.load(shared / "reference" / "metrics_golden.npz")
    value = metric(torch.from_numpy(golden["predicted"]).float(), torch.from_numpy(golden["target"]).float())
    assert value.item() == pytest.approx(float(golden[metric.__name__]), rel=1e-5)


def test_mpjpe_by_hand():
    target = torch.zeros(2, 2, 3)
    predicted = torch.tensor([[[3.0, 4, 0], [0, 0, 0]], [[0, 0, 1], [2, 3, 6]]])
    assert mpjpe(predicted, target).item() == (5 + 0 + 1 + 7) / 4
    assert mpjpe(predicted, target, reduce=False).tolist() == [[5, 0], [1, 7]]


def test_mpjpe_has_a_finite_gradient_where_there_is_no_error():
    predicted = torch.zeros(2, 17, 3, requires_grad=True)
    mpjpe(predicted, torch.zeros(2, 17, 3)).backward()
    assert (predicted.grad == 0).all()


def test_mpjpe_gradient_points_away_from_the_target():
    predicted = torch.tensor([[[3.0, 4.0, 0.0]]], requires_grad=True)
    mpjpe(predicted, torch.zeros(1, 1, 3)).backward()
    torch.testing.assert_close(predicted.grad, torch.tensor([[[0.6, 0.8, 0.0]]]))


@settings(deadline=None, max_examples=30)
@given(seeds, st.tuples(*[st.floats(-10, 10)] * 3))
def test_after_centring_on_the_root_mpjpe_is_blind_to_translation(seed, shift):
    predicted, target = poses(seed, 4), poses(seed + 1, 4)
    moved = predicted + torch.tensor(shift, dtype=torch.float64)
    centered = mpjpe(predicted - predicted[:, :1], target - target[:, :1])
    torch.testing.assert_close(mpjpe(moved - moved[:, :1], target - target[:, :1]), centered)


@settings(deadline=None, max_examples=30)
@given(seeds, sizes)
def test_p_mpjpe_is_blind_to_rotation_scale_and_translation_of_each_frame(seed, scale):
    predicted, target = poses(seed, 5), poses(seed + 1, 5)
    moved = scale * predicted @ rotations(seed, 5) + poses(seed + 2, 5)[:, :1]
    torch.testing.assert_close(
        p_mpjpe(moved, target, reduce=False), p_mpjpe(predicted, target, reduce=False), atol=1e-9, rtol=1e-7
    )
    assert p_mpjpe(moved, predicted).item() < 1e-9


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_no_alignment_beats_procrustes_in_squares(seed):
    """The alignment is a minimum: turning, growing or moving the aligned pose a little makes the squares larger."""
    predicted, target = poses(seed), poses(seed + 1)
    aligned = procrustes_align(predicted, target)
    least = (aligned - target).square().sum()
    mean = aligned.mean(0)
    turn = torch.from_numpy(Rotation.from_rotvec(np.random.default_rng(seed).normal(size=3) * 0.01).as_matrix())
    for other in (
        aligned + 0.01,
        (aligned - mean) * 1.01 + mean,
        (aligned - mean) * 0.99 + mean,
        (aligned - mean) @ turn + mean,
    ):
        assert (other - target).square().sum() > least


@settings(deadline=None, max_examples=30)
@given(seeds)
def test_p_mpjpe_never_mirrors(seed):
    target = poses(seed)
    mirrored = target * torch.tensor([-1.0, 1, 1], dtype=torch.float64)
    assert p_mpjpe(mirrored, target) > 0.01
    aligned = procrustes_align(mirrored, target)
    turned = torch.linalg.lstsq(mirrored - mirrored.mean(0), aligned - aligned.mean(0)).solution  # (3, 3): what it did
    assert torch.linalg.det(turned) > 0


def test_procrustes_recovers_a_known_motion():
    target = poses(0, 3)
    turn, scale, shift = rotations(1, 3), torch.tensor([0.5, 1.0, 3.0], dtype=torch.float64), poses(2, 3)[:, :1]
    predicted = (target - shift) @ turn.mT / scale[:, None, None]
    torch.testing.assert_close(procrustes_align(predicted, target), target)


@pytest.mark.parametrize("predicted", [torch.zeros(1, 17, 3), torch.ones(1, 17, 3)], ids=["zeros", "one point"])
def test_a_collapsed_prediction_gets_the_distance_to_the_centre(predicted):
    target = poses(0, 1).float()
    expected = torch.linalg.vector_norm(target - target.mean(1, keepdim=True), dim=-1).mean()
    torch.testing.assert_close(p_mpjpe(predicted, target), expected)


def test_n_mpjpe_of_zeros_is_finite():
    assert n_mpjpe(torch.zeros(1, 17, 3), torch.ones(1, 17, 3)).item() == pytest.approx(math.sqrt(3))


@settings(deadline=None, max_examples=30)
@given(seeds, sizes)
def test_n_mpjpe_is_blind_to_the_scale_of_each_frame_and_to_nothing_else(seed, scale):
    predicted, target = poses(seed, 3), poses(seed + 1, 3)
    scales = torch.tensor([scale, 1, 1 / scale], dtype=torch.float64)[:, None, None]
    torch.testing.assert_close(n_mpjpe(predicted * scales, target), n_mpjpe(predicted, target))
    assert n_mpjpe(target @ rotations(seed, 1), target) > 1e-3


@settings(deadline=None, max_examples=30)
@given(seeds, st.tuples(*[st.floats(-10, 10)] * 3))
def test_mpjve_does_not_see_a_constant_offset(seed, shift):
    target = poses(seed, 6)
    assert mpjve(target + torch.tensor(shift, dtype=torch.float64), target).item() < 1e-12


def test_mpjve_by_hand():
    target = torch.zeros(3, 1, 3)
    predicted = torch.tensor([[[0.0, 0, 0]], [[3, 4, 0]], [[3, 4, 2]]])
    assert mpjve(predicted, target).item() == (5 + 2) / 2
    assert mpjve(predicted, target, reduce=False).tolist() == [[5], [2]]


@pytest.mark.parametrize("shape", [(1, 17, 3), (17, 3), (2, 5, 17, 3)])
def test_velocity_needs_one_video_of_two_frames(shape):
    with pytest.raises(ValueError, match="velocity needs one video"):
        mpjve(torch.zeros(shape), torch.zeros(shape))


def joints_off_by(*meters: float) -> tuple[torch.Tensor, torch.Tensor]:
    predicted = torch.zeros(len(meters), 3, dtype=torch.float64)
    predicted[:, 1] = torch.tensor(meters, dtype=torch.float64)
    return predicted, torch.zeros_like(predicted)


def test_pck_is_strictly_under_the_threshold():
    assert pck(*joints_off_by(0.0, 0.1499, 0.15, 0.1501)).item() == 0.5
    assert pck(*joints_off_by(0.0, 0.1, 0.2, 0.3), threshold=0.2).item() == 0.5
    assert pck(*joints_off_by(0.0), threshold=0.0).item() == 0


def test_auc_by_hand():
    """Thresholds 0, 5, … 150 mm: without an error 30 of the 31 are passed, at 12 mm the 28 from 15 mm on."""
    assert auc(*joints_off_by(0.0)).item() == pytest.approx(30 / 31)
    assert auc(*joints_off_by(0.012)).item() == pytest.approx(28 / 31)
    assert auc(*joints_off_by(0.151)).item() == 0
    assert auc(*joints_off_by(0.0, 0.012, 0.151)).item() == pytest.approx((30 + 28 + 0) / 3 / 31)
    thresholds = torch.tensor([0.01, 0.02, 0.03, 0.04], dtype=torch.float64)
    assert auc(*joints_off_by(0.025), thresholds=thresholds).item() == 0.5


def test_auc_is_the_mean_of_pck():
    predicted, target = poses(0, 20) * 0.1, poses(1, 20) * 0.1
    expected = sum(pck(predicted, target, threshold=mm * 0.001).item() for mm in range(0, 151, 5)) / 31
    assert auc(predicted, target).item() == pytest.approx(expected)


@pytest.mark.parametrize("metric", [mpjpe, p_mpjpe, n_mpjpe], ids=lambda f: f.__name__)
def test_any_batch_dimensions(metric):
    predicted, target = poses(0, 2, 3, 4), poses(1, 2, 3, 4)
    unreduced = metric(predicted, target, reduce=False)
    assert unreduced.shape == (2, 3, 4, 17)
    torch.testing.assert_close(metric(predicted, target), unreduced.mean())
    torch.testing.assert_close(metric(predicted[1, 2, 3], target[1, 2, 3], reduce=False), unreduced[1, 2, 3])
    flat = metric(predicted.flatten(0, 2), target.flatten(0, 2), reduce=False)
    torch.testing.assert_close(flat.view_as(unreduced), unreduced)


@pytest.mark.parametrize("metric", [mpjpe, p_mpjpe, n_mpjpe, mpjve, pck, auc], ids=lambda f: f.__name__)
def test_shapes_that_do_not_fit_are_refused_with_both(metric):
    with pytest.raises(ValueError, match=r"\(4, 17, 3\) and targets \(4, 16, 3\)"):
        metric(torch.zeros(4, 17, 3), torch.zeros(4, 16, 3))
    with pytest.raises(ValueError, match=r"\(4, 1, 17, 3\) and targets \(4, 17, 3\)"):
        metric(torch.zeros(4, 1, 17, 3), torch.zeros(4, 17, 3))  # would broadcast to 16 comparisons
    with pytest.raises(ValueError, match="in metres"):
        metric(torch.zeros(4, 17, 2), torch.zeros(4, 17, 2))
    with pytest.raises(ValueError, match="no poses to compare"):
        metric(torch.zeros(0, 17, 3), torch.zeros(0, 17, 3))


@pytest.mark.parametrize("metric", [mpjpe, p_mpjpe, n_mpjpe, mpjve, pck, auc], ids=lambda f: f.__name__)
def test_inputs_are_not_changed(metric):
    predicted, target = poses(0, 4), poses(1, 4)
    kept = predicted.clone(), target.clone()
    metric(predicted, target)
    assert torch.equal(predicted, kept[0]) and torch.equal(target, kept[1])
