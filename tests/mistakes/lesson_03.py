"""Plausible wrong answers to the exercises of lesson 03, and what the hint must say."""

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention, softmax

from poseformer_lite.model.attention import MultiHeadSelfAttention as package_class


def split(x, heads):
    B, N, C = x.shape
    return x.view(B, N, heads, C // heads).transpose(1, 2)


def join_interleaved(x):
    B, H, N, d = x.shape
    return torch.stack([x[:, h, :, c] for c in range(d) for h in range(H)], dim=-1)


def ablate_with_a_hook_that_stays(layer, x, head):
    def hook(module, inputs):
        inputs[0][..., head * layer.head_dim : (head + 1) * layer.head_dim] = 0

    layer.proj.register_forward_pre_hook(hook)
    return layer(x)


def ablate_in_place(layer, x, head):
    layer.proj.weight[:, head * layer.head_dim : (head + 1) * layer.head_dim] = 0
    return layer(x)


def windowed(least=0, most=0, hidden=-torch.inf, added=False):
    """Attention to the frames from `least` behind to past + most behind."""

    def answer(q, k, v, past):
        mask = torch.zeros(q.shape[-2], q.shape[-2])
        for i, j in torch.cartesian_prod(*2 * [torch.arange(len(mask))]):
            mask[i, j] = 0 if least <= i - j <= past + most else hidden
        if added:
            return scaled_dot_product_attention(q, k, v, attn_mask=mask)
        scores = torch.where(mask == 0, q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5, mask)
        return softmax(scores, dim=-1) @ v

    return answer


def changed(names=False, scale=None, join=None, rows=True, **parts):
    """A class that does one thing otherwise."""

    class Changed(nn.Module):
        def __init__(self, dim, num_heads=8):
            super().__init__()
            self.num_heads = num_heads
            self.add_module("in_proj" if names else "qkv", nn.Linear(dim, 3 * dim))
            self.proj = parts.get("proj", lambda: nn.Linear(dim, dim))()

        def forward(self, x, return_weights=False):
            q, k, v = (split(part, self.num_heads) for part in self.qkv(x).chunk(3, dim=-1))
            out = scaled_dot_product_attention(q, k, v, scale=scale)
            out = join(out) if join else torch.cat(list(out.unbind(dim=1)), dim=-1)
            return (self.proj(out), None) if return_weights and rows else self.proj(out)

    return Changed


def paired(answer, added=0):
    """The package's layer, with another answer(output, weights, whether they are asked for)."""

    class Paired(package_class):
        def forward(self, x, return_weights=False):
            out, weights = super().forward(x, return_weights=True)
            return answer(out + added * x, weights, return_weights)

    return Paired


def reordered(*order):
    """A class that takes queries, keys and values in another order out of the one product."""

    class Reordered(package_class):
        def forward(self, x, return_weights=False):
            parts = self.qkv(x).chunk(3, dim=-1)
            q, k, v = (split(parts[number], self.num_heads) for number in order)
            return self.proj(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))

    return Reordered


def scaled_in_place(q, k):
    q /= q.shape[-1] ** 0.5
    return q @ k.transpose(-2, -1)


def hidden_after_the_softmax(q, k, v, past):
    weights = softmax(q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5, dim=-1)
    weights = torch.tril(torch.triu(weights, -past))
    return weights / weights.sum(dim=-1, keepdim=True) @ v


MISTAKES = {
    "03.1": {
        "softmax over the queries": (lambda s: torch.exp(s) / torch.exp(s).sum(-2, True), "columns sum to one"),
        "no exponential": (lambda s: s / torch.einsum("...nm->...n", s)[..., None], "exponential first"),
    },
    "03.2": {
        "divided by d": (lambda q, k: torch.einsum("bnd,bmd->bnm", q, k) / q.size(2), "d = 3 itself.*square root"),
        "axes counted from the front": (lambda q, k: q @ k.transpose(1, 2) / q.shape[-1] ** 0.5, "not for 2"),
        "in place": (scaled_in_place, "work on a copy"),
        "root of the number of keys": (lambda q, k: q @ k.transpose(1, 2) * k.size(1) ** -0.5, "number of keys"),
    },
    "03.3": {
        "keys summed": (lambda x, q, k, v: scaled_dot_product_attention(x @ q, x @ k, x @ k), "over is its value"),
        "queries with queries": (lambda x, q, k, v: scaled_dot_product_attention(x @ q, x @ q, x @ v), "with queries"),
        "scale of the tokens": (
            lambda x, q, k, v: scaled_dot_product_attention(x @ q, x @ k, x @ v, scale=x.shape[1] ** -0.5),
            "C = 5.* d = 3",
        ),
        "scale of the number of tokens": (
            lambda x, q, k, v: scaled_dot_product_attention(x @ q, x @ k, x @ v, scale=len(x) ** -0.5),
            "4 tokens",
        ),
    },
    "03.4": {
        "channels dealt out in turn": (
            (lambda x, h: torch.stack([x[..., i::h] for i in range(h)], dim=1), join_interleaved),
            "each H-th channel",
        ),
        "joined in another order": ((split, join_interleaved), "all of head 0 first"),
    },
    "03.5": {
        "an object": (package_class(6, 3), "class itself"),
        "other names": (changed(names=True), "no parameter `qkv.weight`"),
        "no projection": (changed(proj=nn.Identity), "no parameter `proj.weight`"),
        "no scale": (changed(scale=1.0), "scale is missing"),
        "heads joined as they lie": (changed(join=lambda z: z.reshape(z.shape[0], z.shape[2], -1)), "wrong order"),
        "no weights": (changed(rows=False), "is a pair"),
        "always a pair": (paired(lambda out, weights, asked: (out, weights)), "output alone, not a pair"),
        "the pair turned round": (paired(lambda out, rows, asked: (rows, out) if asked else out), "wrong way round"),
        "one map for all heads": (
            paired(lambda out, weights, asked: (out, weights.sum(dim=1) / 3) if asked else out),
            "averaged over the heads",
        ),
        "a residual": (paired(lambda out, weights, asked: out, added=1), "residual belongs to the encoder"),
        "keys for queries": (reordered(1, 0, 2), "Keys are taken for queries"),
        "values for queries": (reordered(2, 1, 0), "Values are taken for queries"),
    },
    "03.6": {
        "the whole layer": (lambda layer, x, head: layer(x), "nothing is switched off"),
        "counted from one": (lambda layer, x, head: ablate_in_place(layer, x, (head + 2) % 3), "counted from 0"),
        "the layer's own weights": (ablate_in_place, "work on a copy"),
        "a hook that stays": (ablate_with_a_hook_that_stays, "taken off by the handle"),
    },
    "03.7": {
        "one too many": (windowed(most=1), "too many"),
        "no end to the future": (windowed(least=-99), "both ends"),
        "not itself": (windowed(least=1), "sees itself"),
        "a large number for infinity": (windowed(hidden=-100), "not low enough"),
        "divided again": (hidden_after_the_softmax, "no division brings it back"),
        "a large number added": (windowed(hidden=-100, added=True), "not low enough"),
    },
}
