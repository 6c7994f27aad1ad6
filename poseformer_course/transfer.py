"""From a large data set to a small one whose bodies have other joints (section 4.4, Table 7).

A PoseFormer's weights depend on the number of joints J wherever the frame's token is handled: it is J * c wide, so the
whole temporal stage and the head are of other sizes for another J. The spatial stage treats each joint alike, and only
its position embedding counts them. Hence two ways to use what was learned: move the spatial stage (`move_spatial`), or
give the new body the joints that the old network expects (`H36M17Adapter`) and move everything.
"""

import torch
from torch import Tensor

from poseformer_course.bodies import H36M_OF_HUMANEVA, humaneva15_to_h36m17
from poseformer_lite.model.base import LiftingNetwork
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.skeleton import H36M17, HUMANEVA15


@torch.no_grad()
def move_spatial(source: PoseFormer, target: PoseFormer, joints: tuple[int, ...] = H36M_OF_HUMANEVA) -> list[str]:
    """Copy the spatial stage of `source` into `target`, in place; gives the names of the weights that moved.

    joints: for each joint of the target the joint of the source whose position embedding it takes. Raises ValueError
    where the spatial stages differ in more than their joints. Heads are counted, too: the weights of 2 and of 4 heads
    have the same shapes and mean something else.
    """
    if len(joints) != target.num_joints or not all(0 <= joint < source.num_joints for joint in joints):
        raise ValueError(
            f"joints is {joints}: expected {target.num_joints} numbers, for each joint of the target one of the "
            f"source's, 0 to {source.num_joints - 1}"
        )
    wanted, moved = target.spatial.state_dict(), dict(source.spatial.state_dict())
    moved["position_embedding"] = moved["position_embedding"][:, list(joints)]
    shapes = [{name: tensor.shape for name, tensor in weights.items()} for weights in (wanted, moved)]
    if shapes[0] != shapes[1] or target.config["num_heads"] != source.config["num_heads"]:
        raise ValueError(
            "the spatial stages differ in width, depth or heads: make the target with the source's spatial_dim, "
            "spatial_depth, mlp_ratio and num_heads"
        )
    target.spatial.load_state_dict(moved)
    return [f"spatial.{name}" for name in moved]


@torch.no_grad()
def with_longer_windows(model: PoseFormer, num_frames: int, temporal_depth: int | None = None) -> PoseFormer:
    """A PoseFormer of more frames, and perhaps more temporal layers, that begins where `model` has arrived.

    The frames that were there keep their position embedding and their weight in the mean; those added take the
    embedding of the nearest one and a weight of zero. Added layers begin as no change: their branches end in zeros.
    Short windows cost little, so much can be learned on them first. Raises ValueError for fewer frames or layers.
    """
    old, depth = model.config, temporal_depth or model.config["temporal_depth"]
    if num_frames < old["num_frames"] or depth < old["temporal_depth"]:
        raise ValueError(
            f"the model has {old['num_frames']} frames and {old['temporal_depth']} temporal layers: expected as many "
            f"or more, not {num_frames} and {depth}"
        )
    longer = PoseFormer(**{**old, "num_frames": num_frames, "temporal_depth": depth})
    longer.spatial.load_state_dict(model.spatial.state_dict())
    longer.temporal.encoder.load_state_dict(model.temporal.encoder.state_dict(), strict=False)
    for block in longer.temporal.encoder.blocks[old["temporal_depth"] :]:
        for last in (block.attn.proj, block.mlp.fc2):
            last.weight.zero_()
            last.bias.zero_()
    for name in ("norm", "linear"):
        getattr(longer.head, name).load_state_dict(getattr(model.head, name).state_dict())

    added = (num_frames - old["num_frames"]) // 2  # on either side
    nearest = (torch.arange(num_frames) - added).clamp(0, old["num_frames"] - 1)
    longer.temporal.position_embedding.copy_(model.temporal.position_embedding[:, nearest])
    mean = longer.head.weighted_mean
    mean.weight.zero_()
    mean.weight[:, added : num_frames - added] = model.head.weighted_mean.weight
    mean.bias.copy_(model.head.weighted_mean.bias)
    if mean.weight.sum() < 0:  # LayerNorm(-x) = -LayerNorm(x): turn both signs, and one token reads like the mean
        for tensor in (mean.weight, mean.bias, longer.head.norm.weight):
            tensor.neg_()
    return longer


class H36M17Adapter(LiftingNetwork):
    """A network of Human3.6M's 17 joints for bodies of HumanEva's 15: (B, F, 15, 2) -> (B, 15, 3).

    The two missing joints are put in before a PoseFormer and taken away after it, so all its weights are used, and
    trained on. sizes: the PoseFormer's arguments but num_joints, which is 17 inside and 15 outside.
    """

    def __init__(self, num_frames: int = 27, num_joints: int = 15, **sizes):
        super().__init__(num_frames, num_joints)
        if num_joints != HUMANEVA15.num_joints:
            raise ValueError(f"num_joints is {num_joints}: the joints put in and taken away are those beside 15")
        self.network = PoseFormer(num_frames, H36M17.num_joints, **sizes)

    @classmethod
    def around(cls, network: PoseFormer) -> "H36M17Adapter":
        """One that begins with the weights of `network`, which stays as it is. Raises ValueError for other bodies."""
        if network.num_joints != H36M17.num_joints:
            raise ValueError(f"the network has {network.num_joints} joints, expected {H36M17.num_joints}")
        model = cls(**{**network.config, "num_joints": HUMANEVA15.num_joints})
        model.network.load_state_dict(network.state_dict())
        return model

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        """(N, 15, 2) -> (N, D)."""
        return self.network.embed_frames(humaneva15_to_h36m17(poses_2d))

    def forward_temporal(self, tokens: Tensor) -> Tensor:
        """(B, F, D) -> (B, 15, 3)."""
        return self.network.forward_temporal(tokens)[:, list(H36M_OF_HUMANEVA)]
