"""PoseFormer and the networks it is compared with."""

from pathlib import Path

from poseformer_lite.model.comparators import MeanPose, TemporalTransformerBaseline
from poseformer_lite.model.lifting_network import LiftingNetwork, saved_network
from poseformer_lite.model.poseformer import PoseFormer

__all__ = ["LiftingNetwork", "MeanPose", "PoseFormer", "TemporalTransformerBaseline", "load_network"]

_NETWORKS = {network.__name__: network for network in (PoseFormer, TemporalTransformerBaseline, MeanPose)}


def load_network(name_or_folder: str | Path) -> LiftingNetwork:
    """Weights of whichever network of this package they are: shipped ("lite"), of a folder, or of the hub."""
    network = saved_network(name_or_folder)
    if network not in _NETWORKS:
        raise ValueError(f"{name_or_folder} holds the network {network}, which is none of {', '.join(_NETWORKS)}")
    return _NETWORKS[network].from_pretrained(name_or_folder)
