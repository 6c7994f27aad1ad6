"""Networks that PoseFormer is compared with."""

import torch
from torch import Tensor, nn

from poseformer_lite.model.base import LiftingNetwork
from poseformer_lite.model.encoder import TransformerEncoder


class TemporalTransformerBaseline(LiftingNetwork):
    """The paper's baseline (section 3.1, Fig. 2a): a frame's whole pose is one token, embedded by one linear layer.

    (B, F, J, 2) -> (B, J, 3). The paper averages the encoder's output over the frames and regresses with "an MLP
    block"; how deep is not said, and the code was not released: here it is PoseFormer's head, LayerNorm and one linear
    layer.

    The arguments are those of `PoseFormer`, but for `dim`, the token's width, which the ablation of Table 4 gives
    PoseFormer's own 17 * 32 = 544, and `depth`, the number of encoder layers.
    """

    def __init__(
        self,
        num_frames: int = 27,
        num_joints: int = 17,
        dim: int = 544,
        depth: int = 4,
        num_heads: int = 8,
        mlp_ratio: float = 2.0,
        drop_path: float = 0.1,
    ):
        super().__init__(num_frames, num_joints)
        self.patch_embedding = nn.Linear(num_joints * 2, dim)  # E of Eq. 1
        self.position_embedding = nn.Parameter(torch.zeros(1, num_frames, dim))  # E_pos of Eq. 1
        self.encoder = TransformerEncoder(dim, depth, num_heads, mlp_ratio, drop_path)
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, num_joints * 3))

    @classmethod
    def sized_like(cls, sizes: dict) -> "TemporalTransformerBaseline":
        """The baseline beside a PoseFormer of these arguments: its temporal stage alone, J * c wide (Table 4)."""
        joints = sizes.get("num_joints", 17)
        same = {name: sizes[name] for name in ("num_frames", "num_heads", "mlp_ratio", "drop_path") if name in sizes}
        return cls(num_joints=joints, dim=joints * sizes["spatial_dim"], depth=sizes["temporal_depth"], **same)

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        """(N, J, 2) -> (N, D)."""
        return self.patch_embedding(poses_2d.flatten(-2))

    def forward_temporal(self, tokens: Tensor) -> Tensor:
        """(B, F, D) -> (B, J, 3)."""
        encoded = self.encoder(tokens + self.position_embedding)  # (B, F, D), Eq. 1, then Eq. 6 to 8
        return self.head(encoded.mean(dim=1)).unflatten(-1, (-1, 3))  # (B, J, 3)

    def temporal_every_frame(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The center frame, and every frame regressed from its own token: (B, F, D) -> (B, J, 3), (B, F, J, 3)."""
        encoded = self.encoder(tokens + self.position_embedding)
        center, every = self.head(encoded.mean(dim=1)), self.head(encoded)
        return center.unflatten(-1, (-1, 3)), every.unflatten(-1, (-1, 3))


class MeanPose(LiftingNetwork):
    """Answers the mean of the training poses whatever it sees: the error to beat before any network has learned.

    num_frames (odd) and num_joints are F and J of the windows (B, F, J, 2) that it takes and does not look at.
    """

    def __init__(self, num_frames: int = 1, num_joints: int = 17):
        super().__init__(num_frames, num_joints)
        self.register_buffer("pose", torch.zeros(num_joints, 3))

    @classmethod
    def sized_like(cls, sizes: dict) -> "MeanPose":
        """Beside a PoseFormer of these arguments: as many frames and joints."""
        return cls(sizes.get("num_frames", 1), sizes.get("num_joints", 17))

    def fit(self, poses_3d: Tensor) -> "MeanPose":
        """Remember the mean of poses (N, J, 3), metres, root-relative."""
        self.pose.copy_(poses_3d.mean(dim=0))
        return self

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        return poses_2d.flatten(-2)

    def forward_temporal(self, tokens: Tensor) -> Tensor:
        return self.pose.expand(len(tokens), -1, -1)
