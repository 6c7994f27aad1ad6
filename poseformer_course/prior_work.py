"""The networks that the paper's tables compare with, each in the plain form of its own paper.

They take what PoseFormer takes, windows of 2D poses, and give what it gives, the 3D pose of the centre frame, so that
all of them train on the same windows with the same loss. `sized_like` makes one beside a PoseFormer of given arguments.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from poseformer_lite import model
from poseformer_lite.model.base import LiftingNetwork
from poseformer_lite.model.encoder import TransformerEncoder
from poseformer_lite.model.poseformer import RegressionHead
from poseformer_lite.skeleton import get_skeleton


class ResidualMLP(LiftingNetwork):
    """A single frame through linear layers in residual blocks (Martinez et al., ICCV 2017): (B, 1, J, 2) -> (B, J, 3).

    It knows nothing of time, of joints or of bones: the 2J numbers of a pose are one vector. dim: 1024 in its paper;
    each of the num_blocks blocks is two layers of linear, batch norm, ReLU and dropout."""

    def __init__(
        self, num_frames: int = 1, num_joints: int = 17, dim: int = 1024, num_blocks: int = 2, dropout: float = 0.5
    ):
        super().__init__(num_frames, num_joints)
        _check_frames(num_frames, {1}, "it lifts a single frame")
        self.first = _linear_block(num_joints * 2, dim, dropout)
        self.blocks = nn.ModuleList(
            nn.Sequential(_linear_block(dim, dim, dropout), _linear_block(dim, dim, dropout)) for _ in range(num_blocks)
        )
        self.head = nn.Linear(dim, num_joints * 3)

    @classmethod
    def sized_like(cls, sizes: dict) -> "ResidualMLP":
        return cls(num_joints=sizes.get("num_joints", 17), dim=_width(sizes), dropout=_dropout(sizes, 0.5))

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        """(N, J, 2) -> (N, D)."""
        x = self.first(poses_2d.flatten(-2))  # (N, D)
        for block in self.blocks:
            x = x + block(x)  # (N, D)
        return x

    def forward_temporal(self, tokens: Tensor) -> Tensor:
        """(B, 1, D) -> (B, J, 3)."""
        return self.head(tokens.squeeze(1)).unflatten(-1, (-1, 3))


class TemporalConvolution(LiftingNetwork):
    """Dilated convolutions over time (Pavllo et al., CVPR 2019): (B, F, J, 2) -> (B, J, 3), F = 9, 27, 81 or 243.

    Each layer joins three frames, the next one three such results, and so on: a tree, in which two frames meet in one
    layer only and most never meet directly. A window's one output needs only every third result of a dilated layer, so
    the layers are strided instead, as Pavllo trains them: the same numbers. dim: 1024 channels in its paper."""

    def __init__(self, num_frames: int = 27, num_joints: int = 17, dim: int = 1024, dropout: float = 0.25):
        super().__init__(num_frames, num_joints)
        _check_frames(num_frames, {9, 27, 81, 243}, "three frames meet in each layer")
        depth = {9: 1, 27: 2, 81: 3, 243: 4}[num_frames]
        self.first = _convolution_block(num_joints * 2, dim, 3, dropout)
        self.joining = nn.ModuleList(_convolution_block(dim, dim, 3, dropout) for _ in range(depth))
        self.mixing = nn.ModuleList(_convolution_block(dim, dim, 1, dropout) for _ in range(depth))
        self.head = nn.Linear(dim, num_joints * 3)

    @classmethod
    def sized_like(cls, sizes: dict) -> "TemporalConvolution":
        return cls(sizes["num_frames"], sizes.get("num_joints", 17), _width(sizes), _dropout(sizes, 0.25))

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        """(N, J, 2) -> (N, 2J): what a frame gives by itself is its coordinates; all else is done across frames."""
        return poses_2d.flatten(-2)

    def forward_temporal(self, tokens: Tensor) -> Tensor:
        """(B, F, 2J) -> (B, J, 3)."""
        x = self.first(tokens.transpose(1, 2))  # (B, D, F / 3)
        for joining, mixing in zip(self.joining, self.mixing, strict=True):
            x = x[..., 1::3] + mixing(joining(x))  # a third as many frames; the residual is each triple's middle
        return self.head(x.squeeze(-1)).unflatten(-1, (-1, 3))  # (B, J, 3)


class RecurrentNetwork(LiftingNetwork):
    """One LSTM encodes the window, one decodes it (after Hossain and Little, ECCV 2018): (B, F, J, 2) -> (B, J, 3).

    Two frames meet only through all that lie between them, and the whole window must fit into one state. The decoder
    starts from that state and gives a pose for each frame, as a change of the one before; it stops at the centre frame,
    the one that all networks here are asked for. Their layer normalisation and their loss on derivatives are left out.
    """

    def __init__(self, num_frames: int = 27, num_joints: int = 17, dim: int = 1024):
        super().__init__(num_frames, num_joints)
        self.encoder = nn.LSTM(num_joints * 2, dim, batch_first=True)
        self.decoder = nn.LSTMCell(num_joints * 3, dim)
        self.head = nn.Linear(dim, num_joints * 3)

    @classmethod
    def sized_like(cls, sizes: dict) -> "RecurrentNetwork":
        return cls(sizes["num_frames"], sizes.get("num_joints", 17), _width(sizes))

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        """(N, J, 2) -> (N, 2J)."""
        return poses_2d.flatten(-2)

    def forward_temporal(self, tokens: Tensor) -> Tensor:
        """(B, F, 2J) -> (B, J, 3)."""
        _, (h, c) = self.encoder(tokens)
        state, pose = (h[0], c[0]), tokens.new_zeros(len(tokens), self.num_joints * 3)
        for _ in range(self.num_frames // 2 + 1):
            state = self.decoder(pose, state)
            pose = pose + self.head(state[0])  # (B, 3 * J)
        return pose.unflatten(-1, (-1, 3))


class SemanticGraphConvolution(nn.Module):
    """Each joint hears its neighbours on the skeleton, every channel with weights of its own (Zhao, Eq. 2 and 3).

    A joint's own features and those of its neighbours pass through different matrices. adjacency: (J, J) bool, with the
    diagonal true."""

    def __init__(self, dim: int, out_dim: int, adjacency: Tensor):
        super().__init__()
        self.itself = nn.Linear(dim, out_dim, bias=False)
        self.others = nn.Linear(dim, out_dim)
        self.strength = nn.Parameter(torch.ones(out_dim, *adjacency.shape))  # M of Zhao's Eq. 3
        self.register_buffer("adjacency", adjacency, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(N, J, C) -> (N, J, C')."""
        weights = self.strength.masked_fill(~self.adjacency, -torch.inf).softmax(dim=-1)  # (C', J, J), rows sum to one
        own = weights.diagonal(dim1=1, dim2=2).T  # (J, C')
        others = self.others(x)  # (N, J, C')
        heard = torch.einsum("cij,njc->nic", weights, others) - own * others  # (N, J, C'), neighbours alone
        return own * self.itself(x) + heard  # (N, J, C')


class GraphConvolutionNetwork(LiftingNetwork):
    """Graph convolutions on the skeleton of one frame (after Zhao et al., CVPR 2019): (B, 1, J, 2) -> (B, J, 3).

    Kinematics are given, not learned: a layer lets a joint hear the joints that a bone joins it to, and nothing else.
    dim and num_blocks are its paper's; its non-local layers, which are attention, are left out."""

    def __init__(
        self, num_frames: int = 1, num_joints: int = 17, dim: int = 128, num_blocks: int = 4, skeleton: str = "h36m17"
    ):
        super().__init__(num_frames, num_joints)
        _check_frames(num_frames, {1}, "it lifts a single frame")
        body = get_skeleton(skeleton)
        if body.num_joints != num_joints:
            raise ValueError(f"skeleton {skeleton!r} has {body.num_joints} joints, but num_joints is {num_joints}")
        adjacency = torch.eye(num_joints, dtype=torch.bool)
        for parent, child in body.bones:
            adjacency[parent, child] = adjacency[child, parent] = True

        def layer(channels: int) -> nn.ModuleList:
            return nn.ModuleList([SemanticGraphConvolution(channels, dim, adjacency), nn.BatchNorm1d(dim)])

        self.first = layer(2)
        self.blocks = nn.ModuleList(nn.ModuleList([layer(dim), layer(dim)]) for _ in range(num_blocks))
        self.head = SemanticGraphConvolution(dim, 3, adjacency)

    @classmethod
    def sized_like(cls, sizes: dict) -> "GraphConvolutionNetwork":
        joints = sizes.get("num_joints", 17)
        body = {17: "h36m17", 15: "humaneva15"}[joints]
        return cls(num_joints=joints, dim=4 * sizes["spatial_dim"], skeleton=body)

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        """(N, J, 2) -> (N, 3J): everything is done here, a frame by itself."""
        x = _graph_layer(self.first, poses_2d)  # (N, J, C)
        for one, two in self.blocks:
            x = x + _graph_layer(two, _graph_layer(one, x))  # (N, J, C)
        return self.head(x).flatten(-2)  # (N, 3 * J)

    def forward_temporal(self, tokens: Tensor) -> Tensor:
        """(B, 1, 3J) -> (B, J, 3)."""
        return tokens.squeeze(1).unflatten(-1, (-1, 3))


class JointTokenTransformer(LiftingNetwork):
    """Every joint of every frame is a token, and each looks at all of them (Fig. 1b): (B, F, J, 2) -> (B, J, 3).

    The paper draws it to turn it down: F * J tokens cost (F * J)^2 products where PoseFormer's two stages cost
    F * J^2 + F^2. The head is PoseFormer's, so that only the attention differs.
    """

    def __init__(
        self,
        num_frames: int = 27,
        num_joints: int = 17,
        dim: int = 32,
        depth: int = 8,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        drop_path: float = 0.1,
    ):
        super().__init__(num_frames, num_joints)
        self.patch_embedding = nn.Linear(2, dim)
        self.joint_positions = nn.Parameter(torch.zeros(1, num_joints, dim))
        self.frame_positions = nn.Parameter(torch.zeros(1, num_frames, 1, dim))
        self.encoder = TransformerEncoder(dim, depth, num_heads, mlp_ratio, drop_path)
        self.head = RegressionHead(num_frames, num_joints * dim, num_joints)

    @classmethod
    def sized_like(cls, sizes: dict) -> "JointTokenTransformer":
        """Beside a PoseFormer of these arguments: tokens as wide, and as many layers as its two stages together."""
        same = {
            name: sizes[name]
            for name in ("num_frames", "num_joints", "num_heads", "mlp_ratio", "drop_path")
            if name in sizes
        }
        return cls(dim=sizes["spatial_dim"], depth=sizes["spatial_depth"] + sizes["temporal_depth"], **same)

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        """(N, J, 2) -> (N, J * c)."""
        return (self.patch_embedding(poses_2d) + self.joint_positions).flatten(-2)

    def forward_temporal(self, tokens: Tensor) -> Tensor:
        """(B, F, J * c) -> (B, J, 3)."""
        joints = tokens.unflatten(-1, (self.num_joints, -1)) + self.frame_positions  # (B, F, J, c)
        encoded = self.encoder(joints.flatten(1, 2))  # (B, F * J, c)
        return self.head(encoded.unflatten(1, (self.num_frames, -1)).flatten(-2))  # (B, J, 3)


def _graph_layer(layer: nn.ModuleList, x: Tensor) -> Tensor:
    convolution, norm = layer
    return F.relu(norm(convolution(x).transpose(1, 2))).transpose(1, 2)


def _linear_block(dim: int, out_dim: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Linear(dim, out_dim), nn.BatchNorm1d(out_dim), nn.ReLU(), nn.Dropout(dropout))


def _convolution_block(dim: int, out_dim: int, frames: int, dropout: float) -> nn.Sequential:
    """`frames` frames become one: (B, C, T) -> (B, C', T / frames)."""
    convolution = nn.Conv1d(dim, out_dim, frames, stride=frames, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm1d(out_dim), nn.ReLU(), nn.Dropout(dropout))


def _width(sizes: dict) -> int:
    """The layers' width beside a PoseFormer of these arguments: 1024, as in their papers, beside its c = 32."""
    return 32 * sizes["spatial_dim"]


def _dropout(sizes: dict, rate: float) -> float:
    """Regularised where PoseFormer is (stochastic depth), and not where it is not."""
    return rate if sizes.get("drop_path", 0.1) > 0 else 0.0


def _check_frames(num_frames: int, possible: set[int], why: str) -> None:
    if num_frames not in possible:
        raise ValueError(f"num_frames is {num_frames}: {why}, so choose {' or '.join(map(str, sorted(possible)))}")


NETWORKS: dict[str, type[LiftingNetwork]] = {  # all that the tables compare, in the order of their years
    network.__name__: network
    for network in (
        model.MeanPose,
        ResidualMLP,
        GraphConvolutionNetwork,
        RecurrentNetwork,
        TemporalConvolution,
        model.TemporalTransformerBaseline,
        JointTokenTransformer,
        model.PoseFormer,
    )
}
