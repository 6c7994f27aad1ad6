"""How far a predicted pose is from the true one, as Human3.6M and MPI-INF-3DHP measure it.

All functions take tensors (..., J, 3) in metres on any device, or arrays, and give a tensor in metres (PCK and AUC: a
share of 1).
Errors are averaged over everything unless `reduce=False`, which keeps one value per frame (and per joint where it
says so). Poses are expected root-relative; only the P- and N- variants align anything.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


def mpjpe(predicted: Tensor, target: Tensor, *, reduce: bool = True) -> Tensor:
    """Mean per joint position error: protocol 1, and the training loss (Eq. 9).

    :param predicted: (..., J, 3), metres
    :param target: (..., J, 3), metres
    :param reduce: False keeps one value per joint.
    :returns: (), or (..., J) unreduced; metres.
    :raises ValueError: for different shapes, and for no poses.
    """
    predicted, target = _checked(predicted, target)
    error = torch.linalg.vector_norm(predicted - target, dim=-1)
    return error.mean() if reduce else error


def p_mpjpe(predicted: Tensor, target: Tensor, *, reduce: bool = True) -> Tensor:
    """MPJPE after the best rotation, scale and translation of each frame: protocol 2.

    :param predicted: (..., J, 3), metres
    :param target: (..., J, 3), metres
    :param reduce: False keeps one value per joint.
    :returns: (), or (..., J) unreduced; metres.
    :raises ValueError: for different shapes, and for no poses.
    """
    predicted, target = _checked(predicted, target)
    return mpjpe(procrustes_align(predicted, target), target, reduce=reduce)


def n_mpjpe(predicted: Tensor, target: Tensor, *, reduce: bool = True) -> Tensor:
    """MPJPE after the best scale of each frame, in the sense of least squares.

    :param predicted: (..., J, 3), metres
    :param target: (..., J, 3), metres
    :param reduce: False keeps one value per joint.
    :returns: (), or (..., J) unreduced; metres.
    :raises ValueError: for different shapes, and for no poses.
    """
    predicted, target = _checked(predicted, target)
    dot = (predicted * target).sum((-2, -1), keepdim=True)
    scale = dot / predicted.square().sum((-2, -1), keepdim=True).clamp_min(torch.finfo(predicted.dtype).tiny)
    return mpjpe(scale * predicted, target, reduce=reduce)


def mpjve(predicted: Tensor, target: Tensor, *, reduce: bool = True) -> Tensor:
    """Mean per joint velocity error: MPJPE of the first differences over time.

    :param predicted: (T, J, 3) of one video, metres, T of 2 or more
    :param target: (T, J, 3) of one video, metres, T of 2 or more
    :param reduce: False keeps one value per joint.
    :returns: (), or (T - 1, J) unreduced; metres per frame.
    :raises ValueError: for different shapes, more than one video, or a single frame.
    """
    predicted, target = _checked(predicted, target)
    if predicted.ndim != 3 or len(predicted) < 2:
        raise ValueError(f"velocity needs one video of (T, J, 3) with T of 2 or more, not {tuple(predicted.shape)}")
    return mpjpe(predicted.diff(dim=0), target.diff(dim=0), reduce=reduce)


def pck(predicted: Tensor, target: Tensor, *, threshold: float = 0.150) -> Tensor:
    """Share of joints with an error strictly under a threshold: 3D PCK of MPI-INF-3DHP.

    :param predicted: (..., J, 3), metres
    :param target: (..., J, 3), metres
    :param threshold: metres.
    :returns: (), a share from 0 to 1.
    :raises ValueError: for different shapes, and for no poses.
    """
    error = mpjpe(predicted, target, reduce=False)
    return (error < threshold).to(error.dtype).mean()


def auc(predicted: Tensor, target: Tensor, *, thresholds: Tensor | None = None) -> Tensor:
    """Mean of the PCK over several thresholds.

    :param predicted: (..., J, 3), metres
    :param target: (..., J, 3), metres
    :param thresholds: (N,), metres; by default the benchmark's 31: 0, 5, … 150 mm.
    :returns: (), a share from 0 to 1.
    :raises ValueError: for different shapes, and for no poses.
    """
    error = mpjpe(predicted, target, reduce=False).flatten()
    if thresholds is None:
        thresholds = torch.arange(31, device=error.device, dtype=error.dtype) * 0.005
    return (error < thresholds[:, None]).to(error.dtype).mean()


@dataclass(frozen=True)
class KeypointDefinition:
    """What is counted as PCK and AUC: which joints, in Human3.6M's order, and under which thresholds in mm.

    Papers on MPI-INF-3DHP use two definitions under one name; see BENCHMARK_3DHP and ALL_JOINTS_3DHP. Both centre the
    poses at the pelvis, count errors strictly under 150 mm, and give the mean joint error over all 17 joints.
    """

    name: str
    joints: tuple[int, ...]
    thresholds_mm: tuple[int, ...]

    def pck(self, predicted: Tensor, target: Tensor) -> Tensor:
        """Share of the counted joints under 150 mm. (..., 17, 3) twice, metres."""
        return pck(*self._counted(predicted, target))

    def auc(self, predicted: Tensor, target: Tensor) -> Tensor:
        """Mean of that share over the thresholds. (..., 17, 3) twice, metres."""
        predicted, target = self._counted(predicted, target)
        thresholds = torch.tensor(self.thresholds_mm, device=predicted.device, dtype=predicted.dtype) / 1000
        return auc(predicted, target, thresholds=thresholds)

    def _counted(self, *poses: Tensor) -> list[Tensor]:
        poses = _checked(*poses)
        if poses[0].shape[-2] != 17:
            raise ValueError(f"poses are {tuple(poses[0].shape)}, expected Human3.6M's 17 joints: (..., 17, 3)")
        return [(p - p[..., :1, :])[..., list(self.joints), :] for p in poses]


BENCHMARK_3DHP = KeypointDefinition(  # the MATLAB tools of MPI-INF-3DHP: without pelvis, spine and head
    "benchmark", tuple(joint for joint in range(17) if joint not in (0, 7, 9)), tuple(range(0, 151, 5))
)
ALL_JOINTS_3DHP = KeypointDefinition("17 joints", tuple(range(17)), tuple(range(150)))  # other public code


def procrustes_align(predicted: Tensor, target: Tensor) -> Tensor:
    """Turn, scale and shift each predicted pose onto its target, without mirroring it.

    The rotation is the polar factor of the covariance (orthogonal Procrustes); where that would be a reflection, the
    weakest direction is turned round.

    :param predicted: (..., J, 3), metres.
    :param target: (..., J, 3), metres.
    :returns: The predicted poses, aligned; (..., J, 3), metres.
    :raises ValueError: for different shapes, and for no poses.
    """
    predicted, target = _checked(predicted, target)
    mean_predicted, mean_target = predicted.mean(-2, keepdim=True), target.mean(-2, keepdim=True)
    x, y = predicted - mean_predicted, target - mean_target
    u, singular, vh = torch.linalg.svd(x.mT @ y)  # (..., 3, 3): covariance of predicted and target
    sign = torch.ones_like(singular)
    sign[..., -1] = torch.linalg.det(u @ vh).sign()
    rotation = (u * sign[..., None, :]) @ vh
    scale = (singular * sign).sum(-1) / x.square().sum((-2, -1)).clamp_min(torch.finfo(x.dtype).tiny)
    return scale[..., None, None] * (x @ rotation) + mean_target


def _checked(predicted, target) -> tuple[Tensor, Tensor]:
    """Both as tensors. Raises ValueError unless they have one shape (..., J, 3) with something in it."""
    predicted, target = torch.as_tensor(predicted), torch.as_tensor(target)
    if predicted.shape != target.shape or predicted.ndim < 2 or predicted.shape[-1] != 3:
        raise ValueError(
            f"predicted poses are {tuple(predicted.shape)} and targets {tuple(target.shape)}: "
            "expected the same shape (..., J, 3), in metres"
        )
    if predicted.numel() == 0:
        raise ValueError(f"there are no poses to compare: both are {tuple(predicted.shape)}")
    return predicted, target
