"""PoseFormer and the networks it is compared with."""

from pathlib import Path

from poseformer_lite.model.base import LiftingNetwork, saved_network
from poseformer_lite.model.baselines import JointTokenTransformer, MeanPose, TemporalTransformerBaseline
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.model.prior_work import (
    GraphConvolutionNetwork,
    RecurrentNetwork,
    ResidualMLP,
    TemporalConvolution,
)

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
__all__ = [*NETWORKS, "LiftingNetwork", "NETWORKS", "load_network"]


def load_network(name_or_folder: str | Path) -> LiftingNetwork:
    """Weights of whichever network of this package they are: shipped ("small"), of a folder, or of the hub."""
    network = saved_network(name_or_folder)
    if network not in NETWORKS:
        raise ValueError(f"{name_or_folder} holds the network {network}, which is none of {', '.join(NETWORKS)}")
    return NETWORKS[network].from_pretrained(name_or_folder)
