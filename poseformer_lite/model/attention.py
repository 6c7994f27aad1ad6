"""Multi-head self-attention (section 3.1, Eq. 2 to 5)."""

import torch.nn.functional as F
from torch import Tensor, nn


class MultiHeadSelfAttention(nn.Module):
    """Every token looks at every token of its own sequence, H times side by side.

    dim: channels C of a token; num_heads: H, which must divide C. Queries, keys and values have a bias, and the scale
    is 1 / sqrt(C / H) per head, as in the released code (the paper writes d = C).
    """

    def __init__(self, dim: int, num_heads: int = 8):
        super().__init__()
        if num_heads < 1 or dim % num_heads:
            raise ValueError(f"{dim} channels do not divide into {num_heads} heads: choose heads that divide {dim}")
        self.num_heads = num_heads
        self.head_dim = dim // num_heads
        self.qkv = nn.Linear(dim, 3 * dim)  # Eq. 3: W_Q, W_K and W_V in one product
        self.proj = nn.Linear(dim, dim)  # Eq. 4: W_out

    def forward(self, x: Tensor, return_weights: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """(B, N, C) -> (B, N, C); with return_weights also the attention weights (B, H, N, N), whose rows sum to one.

        The output comes from torch's fused kernel either way, so asking for the weights does not change a bit of it.
        """
        B, N, C = x.shape
        q, k, v = self.qkv(x).view(B, N, 3, self.num_heads, self.head_dim).permute(2, 0, 3, 1, 4)  # each (B, H, N, C/H)

        attended = F.scaled_dot_product_attention(q, k, v)  # (B, H, N, C/H), Eq. 2
        out = self.proj(attended.transpose(1, 2).reshape(B, N, C))  # (B, N, C): heads side by side, Eq. 4
        return (out, attention_weights(q, k)) if return_weights else out


def attention_weights(q: Tensor, k: Tensor) -> Tensor:
    """Softmax(Q K^T / sqrt(d)), the left factor of Eq. 2. (B, H, N, d) twice -> (B, H, N, N); row i is query i."""
    return (q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5).softmax(dim=-1)
