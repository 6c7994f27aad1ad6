"""The transformer encoder: L blocks of attention and MLP with residuals (section 3.1, Eq. 6 to 8)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from poseformer_lite.model.attention import MultiHeadSelfAttention


class StochasticDepth(nn.Module):
    """In training, drops a sample's residual branch with probability `rate`; the kept ones grow by 1/(1 - rate)."""

    def __init__(self, rate: float):
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"stochastic depth has rate {rate}: expected a probability of at least 0 and under 1")
        self.rate = rate

    def extra_repr(self) -> str:
        return f"rate={self.rate:g}"

    def forward(self, branch: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        if not self.training or self.rate == 0:
            return branch
        keep = 1 - self.rate
        kept = torch.empty(len(branch), 1, 1, dtype=branch.dtype, device=branch.device).bernoulli_(keep)
        return branch * (kept / keep)


class Mlp(nn.Module):
    """Two linear layers with a GELU between them, applied to each token alone."""

    def __init__(self, dim: int, hidden_dim: int):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        return self.fc2(F.gelu(self.fc1(x)))


class EncoderBlock(nn.Module):
    """One layer: attention, then MLP, each after a LayerNorm and inside a residual (Eq. 6 and 7)."""

    def __init__(self, dim: int, num_heads: int, mlp_ratio: float = 2.0, drop_path: float = 0.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = MultiHeadSelfAttention(dim, num_heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, int(dim * mlp_ratio))
        self.drop_path = StochasticDepth(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        x = x + self.drop_path(self.attn(self.norm1(x)))  # (B, N, C), Eq. 6
        x = x + self.drop_path(self.mlp(self.norm2(x)))  # (B, N, C), Eq. 7
        return x


class TransformerEncoder(nn.Module):
    """L identical layers and a last LayerNorm (Eq. 6 to 8).

    drop_path is the stochastic depth of the last layer; it grows linearly from 0 at the first, as in the released code.
    """

    def __init__(self, dim: int, depth: int = 4, num_heads: int = 8, mlp_ratio: float = 2.0, drop_path: float = 0.1):
        super().__init__()
        rates = torch.linspace(0, drop_path, depth).tolist()
        self.blocks = nn.ModuleList(EncoderBlock(dim, num_heads, mlp_ratio, rate) for rate in rates)
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C)."""
        for block in self.blocks:
            x = block(x)  # (B, N, C)
        return self.norm(x)  # (B, N, C), Eq. 8


def encoders(model: nn.Module) -> dict[str, TransformerEncoder]:
    """The encoder of each stage that the network has: "spatial", if it is part of one of that name, or "temporal"."""
    found = {name: module for name, module in model.named_modules() if isinstance(module, TransformerEncoder)}
    return {"spatial" if "spatial" in name.split(".") else "temporal": encoder for name, encoder in found.items()}
