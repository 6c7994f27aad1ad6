"""PoseFormer: a spatial transformer over joints, a temporal one over frames, and a regression head (section 3.2)."""

import torch
from torch import Tensor, nn

from poseformer_lite.model.base import LiftingNetwork
from poseformer_lite.model.encoder import TransformerEncoder


class SpatialTransformer(nn.Module):
    """Relates the joints of one frame: every joint is a token (section 3.2, spatial transformer module)."""

    def __init__(self, num_joints: int, dim: int, depth: int, num_heads: int, mlp_ratio: float, drop_path: float):
        super().__init__()
        self.patch_embedding = nn.Linear(2, dim)
        self.position_embedding = nn.Parameter(torch.zeros(1, num_joints, dim))  # E_SPos
        self.encoder = TransformerEncoder(dim, depth, num_heads, mlp_ratio, drop_path)

    def forward(self, poses_2d: Tensor) -> Tensor:
        """(N, J, 2) -> (N, J, C), N frames that do not see each other."""
        return self.encoder(self.patch_embedding(poses_2d) + self.position_embedding)  # (N, J, C)


class TemporalTransformer(nn.Module):
    """Relates the frames of a window: every frame is a token (section 3.2, temporal transformer module)."""

    def __init__(self, num_frames: int, dim: int, depth: int, num_heads: int, mlp_ratio: float, drop_path: float):
        super().__init__()
        self.position_embedding = nn.Parameter(torch.zeros(1, num_frames, dim))  # E_TPos
        self.encoder = TransformerEncoder(dim, depth, num_heads, mlp_ratio, drop_path)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, F, D) -> (B, F, D)."""
        return self.encoder(tokens + self.position_embedding)  # (B, F, D)


class RegressionHead(nn.Module):
    """A learned weighted mean over the frames, then LayerNorm and one linear layer (section 3.2, regression head)."""

    def __init__(self, num_frames: int, dim: int, num_joints: int):
        super().__init__()
        self.weighted_mean = nn.Conv1d(num_frames, 1, kernel_size=1)  # frames as channels: F weights and a bias
        self.norm = nn.LayerNorm(dim)
        self.linear = nn.Linear(dim, num_joints * 3)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, F, D) -> (B, J, 3)."""
        y = self.weighted_mean(tokens).squeeze(1)  # (B, D)
        return self.regress(y)  # (B, J, 3)

    def regress(self, tokens: Tensor) -> Tensor:
        """A pose from each token: (..., D) -> (..., J, 3)."""
        return self.linear(self.norm(tokens)).unflatten(-1, (-1, 3))


class PoseFormer(LiftingNetwork):
    """The spatial-temporal transformer of the paper (Fig. 2b): (B, F, J, 2) -> (B, J, 3), the centre frame.

    Defaults are the paper's; parameters at F = 9, 27, 81: 9,563,645, 9,573,455, 9,602,885.

    :param num_frames: F, odd, and J.
    :param num_joints: F, odd, and J.
    :param spatial_dim: the width c of a joint's token; a frame's token is J * c wide.
    :param spatial_depth: encoder layers of each stage.
    :param temporal_depth: encoder layers of each stage.
    :param num_heads: of each layer; it must divide c.
    :param mlp_ratio: the width of an MLP's hidden layer, over that of its tokens.
    :param drop_path: the rate of stochastic depth in the last layer, from 0 in the first.
    :param spatial_positions: without position embeddings an encoder is blind to the order of joints or frames (Table
        4).
    :param temporal_positions: without position embeddings an encoder is blind to the order of joints or frames (Table
        4).
    """

    def __init__(
        self,
        num_frames: int = 27,
        num_joints: int = 17,
        spatial_dim: int = 32,
        spatial_depth: int = 4,
        temporal_depth: int = 4,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        drop_path: float = 0.1,
        spatial_positions: bool = True,
        temporal_positions: bool = True,
    ):
        super().__init__(num_frames, num_joints)
        temporal_dim = num_joints * spatial_dim
        self.spatial = SpatialTransformer(num_joints, spatial_dim, spatial_depth, num_heads, mlp_ratio, drop_path)
        self.temporal = TemporalTransformer(num_frames, temporal_dim, temporal_depth, num_heads, mlp_ratio, drop_path)
        self.head = RegressionHead(num_frames, temporal_dim, num_joints)
        self.spatial.position_embedding.requires_grad_(spatial_positions)  # zero at the start, so frozen means absent
        self.temporal.position_embedding.requires_grad_(temporal_positions)

    def forward(self, poses_2d: Tensor) -> Tensor:
        """Fig. 2(b), from bottom to top: (B, F, J, 2) -> (B, J, 3)."""
        self.check_windows(poses_2d)
        B, F, J, _ = poses_2d.shape

        joints = self.spatial(poses_2d.flatten(0, 1))  # (B * F, J, C): the joints of a frame attend to each other
        frames = joints.flatten(-2).unflatten(0, (B, F))  # (B, F, J * C): side by side they are the frame's one token
        frames = self.temporal(frames)  # (B, F, J * C): the frames of a window attend to each other

        return self.head(frames)  # (B, J, 3): their weighted mean gives the pose of the center frame

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        """The spatial half of `forward`, for frames that many windows share: (N, J, 2) -> (N, D), D = J * C."""
        return self.spatial(poses_2d).flatten(-2)

    def forward_temporal(self, tokens: Tensor) -> Tensor:
        """The temporal half of `forward`: (B, F, D) -> (B, J, 3)."""
        return self.head(self.temporal(tokens))

    def temporal_every_frame(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The center frame, and every frame regressed from its own token: (B, F, D) -> (B, J, 3), (B, F, J, 3)."""
        related = self.temporal(tokens)
        return self.head(related), self.head.regress(related)

    @classmethod
    def from_official(cls, path, num_heads: int = 8) -> "PoseFormer":
        """A checkpoint of the authors' code: see `poseformer_lite.model.official.load_official`."""
        from poseformer_lite.model.official import load_official

        return load_official(path, num_heads)
