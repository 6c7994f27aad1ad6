"""PoseFormer and the networks it is compared with."""

from pathlib import Path

import torch

from poseformer_lite.model.base import LiftingNetwork, predict, saved_network
from poseformer_lite.model.baselines import JointTokenTransformer, MeanPose, TemporalTransformerBaseline
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.model.prior_work import GraphConvolutionNetwork, RecurrentNetwork, ResidualMLP, TemporalConvolution

NETWORKS = {
    network.__name__: network
    for network in (
        MeanPose,
        ResidualMLP,
        GraphConvolutionNetwork,
        RecurrentNetwork,
        TemporalConvolution,
        TemporalTransformerBaseline,
        JointTokenTransformer,
        PoseFormer,
    )
}
__all__ = [*NETWORKS, "LiftingNetwork", "NETWORKS", "load_network", "predict"]


def load_network(
    name_or_folder: str | Path, *, device: torch.device | str | None = None, revision: str | None = None
) -> LiftingNetwork:
    """Weights of whichever network of this package they are: arguments and errors as for `from_pretrained`.

    Example:
        >>> type(pfl.load_network("course-temporal")).__name__
        'TemporalTransformerBaseline'"""
    network = saved_network(name_or_folder, revision)
    if network not in NETWORKS:
        raise ValueError(f"{name_or_folder} holds the network {network}, which is none of {', '.join(NETWORKS)}")
    return NETWORKS[network].from_pretrained(name_or_folder, device=device, revision=revision)
