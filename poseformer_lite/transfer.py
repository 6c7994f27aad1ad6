"""From a large data set to a small one whose bodies have other joints (section 4.4, Table 7).

A PoseFormer's weights depend on the number of joints J wherever the frame's token is handled: it is J * c wide, so the
whole temporal stage and the head are of other sizes for another J. The spatial stage treats each joint alike, and only
its position embedding counts them. Hence two ways to use what was learned: move the spatial stage (`move_spatial`), or
give the new body the joints that the old network expects (`ThroughH36M17`) and move everything.
"""

import torch
from torch import Tensor

from poseformer_lite.datasets.bodies import H36M_OF_HUMANEVA, humaneva15_to_h36m17
from poseformer_lite.model.lifting_network import LiftingNetwork
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.skeleton import H36M17, HUMANEVA15


@torch.no_grad()
def move_spatial(source: PoseFormer, target: PoseFormer, joints: tuple[int, ...] = H36M_OF_HUMANEVA) -> list[str]:
    """Copy the spatial stage of `source` into `target`, in place; gives the names of the weights that moved.

    joints: for each joint of the target the joint of the source whose position embedding it takes. Raises ValueError
    where the two differ in more than joints and frames, and so have no weights in common.
    """
    if len(joints) != target.num_joints or not all(0 <= joint < source.num_joints for joint in joints):
        raise ValueError(
            f"joints has {len(joints)} entries up to {max(joints)}: expected one for each of the target's "
            f"{target.num_joints} joints, each under the source's {source.num_joints}"
        )
    wanted = target.spatial.state_dict()
    moved = dict(source.spatial.state_dict())
    moved["position_embedding"] = moved["position_embedding"][:, list(joints)]
    different = [name for name in wanted if name not in moved or moved[name].shape != wanted[name].shape]
    if different or len(moved) != len(wanted):
        raise ValueError(
            f"the spatial stages differ in width or depth ({', '.join(different[:3]) or 'the source is deeper'}): "
            "make the target with the source's spatial_dim and spatial_depth"
        )
    target.spatial.load_state_dict(moved)
    return [f"spatial.{name}" for name in moved]


class ThroughH36M17(LiftingNetwork):
    """A network of Human3.6M's 17 joints for bodies of HumanEva's 15: (B, F, 15, 2) -> (B, 15, 3).

    The two missing joints are put in before a PoseFormer and taken away after it, so all its weights are used, and
    trained on. sizes: the PoseFormer's arguments but num_joints, which is 17 inside and 15 outside.
    """

    def __init__(self, num_frames: int = 27, num_joints: int = 15, **sizes):
        super().__init__({"num_frames": num_frames, "num_joints": num_joints, **sizes})
        if num_joints != HUMANEVA15.num_joints:
            raise ValueError(f"num_joints is {num_joints}: the joints put in and taken away are those beside 15")
        self.network = PoseFormer(num_frames, H36M17.num_joints, **sizes)

    @classmethod
    def around(cls, network: PoseFormer) -> "ThroughH36M17":
        """One that begins with the weights of `network`, which stays as it is."""
        model = cls(**{**network.config, "num_joints": HUMANEVA15.num_joints})
        model.network.load_state_dict(network.state_dict())
        return model

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        """(N, 15, 2) -> (N, D)."""
        return self.network.embed_frames(humaneva15_to_h36m17(poses_2d))

    def join_frames(self, tokens: Tensor) -> Tensor:
        """(B, F, D) -> (B, 15, 3)."""
        return self.network.join_frames(tokens)[:, list(H36M_OF_HUMANEVA)]
