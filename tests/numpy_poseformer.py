"""PoseFormer once more, in NumPy and float64, from the paper's equations: the other half of the parity tests.

It takes weights under the names of the authors' code and shares nothing with the package.
"""

import numpy as np
from scipy.special import erf


def forward(weights: dict[str, np.ndarray], poses_2d: np.ndarray, num_heads: int):
    """(B, F, J, 2) -> (B, J, 3), the spatial softmax rows L x (B * F, H, J, J), the temporal L x (B, H, F, F)."""
    w = {name: np.asarray(tensor, dtype=np.float64) for name, tensor in weights.items()}
    B, F, J, _ = poses_2d.shape

    joints = linear(w, "Spatial_patch_to_embedding", poses_2d.reshape(B * F, J, 2).astype(np.float64))
    joints, spatial_rows = encode(w, "Spatial_blocks", "Spatial_norm", joints + w["Spatial_pos_embed"], num_heads)

    frames = joints.reshape(B, F, -1)  # each frame's joint tokens side by side
    frames, temporal_rows = encode(w, "blocks", "Temporal_norm", frames + w["Temporal_pos_embed"], num_heads)

    mean = np.einsum("f,bfd->bd", w["weighted_mean.weight"][0, :, 0], frames) + w["weighted_mean.bias"]
    pose = linear(w, "head.1", layer_norm(w, "head.0", mean, eps=1e-5))
    return pose.reshape(B, J, 3), spatial_rows, temporal_rows


def encode(w, stack: str, norm: str, z: np.ndarray, num_heads: int):
    """Eq. 6 to 8. (B, N, C) -> (B, N, C) and the rows of each layer."""
    rows = []
    depth = len({name.split(".")[1] for name in w if name.startswith(f"{stack}.")})
    for layer in (f"{stack}.{i}" for i in range(depth)):
        attended, weights = attend(w, f"{layer}.attn", layer_norm(w, f"{layer}.norm1", z), num_heads)
        z = z + attended
        hidden = linear(w, f"{layer}.mlp.fc1", layer_norm(w, f"{layer}.norm2", z))
        z = z + linear(w, f"{layer}.mlp.fc2", hidden * 0.5 * (1 + erf(hidden / np.sqrt(2))))
        rows.append(weights)
    return layer_norm(w, norm, z), rows


def attend(w, layer: str, z: np.ndarray, num_heads: int):
    """Eq. 2 to 5, one head after the other. (B, N, C) -> (B, N, C) and (B, H, N, N)."""
    C = z.shape[-1]
    d = C // num_heads
    queries, keys, values = np.split(linear(w, f"{layer}.qkv", z), 3, axis=-1)
    outputs, rows = [], []
    for head in range(num_heads):
        own = slice(head * d, (head + 1) * d)
        scores = queries[..., own] @ keys[..., own].swapaxes(-1, -2) / np.sqrt(d)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        rows.append(scores / scores.sum(-1, keepdims=True))
        outputs.append(rows[-1] @ values[..., own])
    return linear(w, f"{layer}.proj", np.concatenate(outputs, axis=-1)), np.stack(rows, axis=1)


def linear(w, name: str, z: np.ndarray) -> np.ndarray:
    return z @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def layer_norm(w, name: str, z: np.ndarray, eps: float = 1e-6) -> np.ndarray:
    centered = z - z.mean(-1, keepdims=True)
    scaled = centered / np.sqrt((centered**2).mean(-1, keepdims=True) + eps)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]
