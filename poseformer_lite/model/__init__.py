"""PoseFormer and the networks it is compared with."""

from pathlib import Path

import torch

from poseformer_lite.model.base import LiftingNetwork, predict, saved_network
from poseformer_lite.model.baselines import MeanPose, TemporalTransformerBaseline
from poseformer_lite.model.poseformer import PoseFormer

NETWORKS = {network.__name__: network for network in (MeanPose, TemporalTransformerBaseline, PoseFormer)}
__all__ = [*NETWORKS, "LiftingNetwork", "NETWORKS", "load_network", "predict"]


def load_network(
    name_or_folder: str | Path, *, device: torch.device | str | None = None, revision: str | None = None
) -> LiftingNetwork:
    """The weights of any network of this package, whichever class they belong to.

    :param name_or_folder: as for `LiftingNetwork.from_pretrained`.
    :param device: as for `LiftingNetwork.from_pretrained`.
    :param revision: as for `LiftingNetwork.from_pretrained`.
    :returns: The network, in evaluation mode.
    :raises FileNotFoundError: where there are no weights
    :raises ValueError: where they are of no network of this package, or cannot be read.
    """
    network = saved_network(name_or_folder, revision)
    if not isinstance(network, str) or network not in NETWORKS:
        raise ValueError(
            f"{name_or_folder} holds the network {network}, which is none of {', '.join(NETWORKS)}: load it with the "
            "from_pretrained of its own class"
        )
    return NETWORKS[network].from_pretrained(name_or_folder, device=device, revision=revision)
