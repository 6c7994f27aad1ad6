"""Plausible wrong answers to the exercises of lesson 03, and what the hint must say."""

import copy

import torch
import torch.nn.functional as F

from poseformer_lite.model.attention import attention_weights


def attend(scale=lambda n, c, d: d**-0.5, axis=-1, summed="values", transposed=False, swapped=False):
    """One head from tokens and three maps, with one thing wrong."""

    def answer(tokens, w_q, w_k, w_v):
        q, k, v = tokens @ w_q, tokens @ w_k, tokens @ w_v
        if swapped:
            q, k = k, q
        rows = (q @ k.T * scale(*tokens.shape, q.shape[-1])).softmax(dim=axis)
        rows = rows.T if transposed else rows
        return rows @ {"values": v, "keys": k, "tokens": tokens}[summed] if summed else rows

    return answer


def split(x, heads):
    B, N, C = x.shape
    return x.view(B, N, heads, C // heads).transpose(1, 2)


def join(x):
    B, H, N, d = x.shape
    return x.transpose(1, 2).reshape(B, N, H * d)


def heads_of(layer, x):
    B, N, _ = x.shape
    q, k, v = layer.qkv(x).view(B, N, 3, layer.num_heads, layer.head_dim).permute(2, 0, 3, 1, 4)
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2)  # (B, N, H, C/H)


def ablate(layer, x, head):
    attended = heads_of(layer, x).clone()
    attended[:, :, head] = 0
    return layer.proj(attended.flatten(-2))


def ablate_after_projection(layer, x, head):
    out = layer(x).clone()
    out[..., head * layer.head_dim : (head + 1) * layer.head_dim] = 0
    return out


def ablate_input(layer, x, head):
    x = x.clone()
    x[..., head * layer.head_dim : (head + 1) * layer.head_dim] = 0
    return layer(x)


def ablate_interleaved(layer, x, head):
    attended = heads_of(layer, x).flatten(-2).clone()
    attended[..., head :: layer.num_heads] = 0
    return layer.proj(attended)


def ablate_queries(layer, x, head):
    layer = copy.deepcopy(layer)
    part = slice(head * layer.head_dim, (head + 1) * layer.head_dim)
    layer.qkv.weight[part] = 0
    layer.qkv.bias[part] = 0
    return layer(x)


def ablate_hook(layer, x, head):
    """With a hook that stays."""

    def hook(module, inputs):
        joined = inputs[0].clone()
        joined[..., head * layer.head_dim : (head + 1) * layer.head_dim] = 0
        return joined

    layer.proj.register_forward_pre_hook(hook)
    return layer(x)


def ablate_otherwise(change, projected=True):
    """The heads' outputs (B, N, H, C/H) changed by change(attended, head)."""

    def answer(layer, x, head):
        attended = heads_of(layer, x).clone()
        change(attended, head)
        return layer.proj(attended.flatten(-2)) if projected else attended.flatten(-2)

    return answer


def to_zero(attended, head):
    attended[:, :, head] = 0


def to_mean(attended, head):
    attended[:, :, head] = attended[:, :, head].mean(dim=(0, 1))


def token_to_zero(attended, head):
    attended.transpose(1, 2)[:, :, head] = 0


def channel_to_zero(attended, head):
    attended[:, :, head // attended.shape[-1], head % attended.shape[-1]] = 0


def ablate_rows(layer, x, head):
    layer = copy.deepcopy(layer)
    layer.proj.weight[head * layer.head_dim : (head + 1) * layer.head_dim] = 0
    return layer(x)


def ablate_in_place(layer, x, head):
    layer.proj.weight[:, head * layer.head_dim : (head + 1) * layer.head_dim] = 0
    return layer(x)


def masked(seen_of=None, hidden=-torch.inf, late=False, axis=-1, added=False):
    """Windowed attention with one thing wrong; seen_of(back, past) says which keys are seen."""
    seen_of = seen_of or (lambda back, past: (back >= 0) & (back <= past))

    def answer(q, k, v, past):
        n = q.shape[-2]
        seen = seen_of(torch.arange(n)[:, None] - torch.arange(n), past)
        if late:
            return (attention_weights(q, k) * seen) @ v
        scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
        scores = scores + hidden * ~seen if added else scores.masked_fill(~seen, hidden)
        return scores.softmax(dim=axis) @ v

    return answer


MISTAKES = {
    "03.1": {
        "softmax over the queries": (lambda s: s.softmax(dim=-2), "columns sum to one.*last axis"),
        "not normalised": (lambda s: s.exp(), "divide it by its sum"),
        "no exponential": (lambda s: s / s.sum(dim=-1, keepdim=True), "exponential first"),
        "one softmax over everything": (lambda s: s.exp() / s.exp().sum(), "every row"),
        "the logarithm of the softmax": (lambda s: s.log_softmax(dim=-1), "logarithms"),
        "keepdim forgotten": (lambda s: s.exp() / s.exp().sum(dim=-1), "length one"),
        "scaled as in the example": (lambda s: (s / 2**0.5).softmax(dim=-1), "as they are, whoever"),
        "scaled by the number of keys": (lambda s: (s / s.shape[-1] ** 0.5).softmax(dim=-1), "number of keys"),
    },
    "03.2": {
        "no scale": (lambda q, k: q @ k.transpose(-2, -1), "scale is missing"),
        "divided by d": (lambda q, k: q @ k.transpose(-2, -1) / q.shape[-1], "square root"),
        "queries and keys swapped": (lambda q, k: k @ q.transpose(-2, -1) / q.shape[-1] ** 0.5, "changed places"),
        "root of the number of tokens": (
            lambda q, k: q @ k.transpose(-2, -1) / q.shape[-2] ** 0.5,
            "number of tokens",
        ),
        "the first axis": (lambda q, k: q @ k.transpose(-2, -1) / len(q) ** 0.5, "first axis"),
        "the example's scale": (lambda q, k: q @ k.transpose(-2, -1) / 2, "divided by 2"),
        "softmax too": (lambda q, k: (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).softmax(-1), "weights already"),
        "multiplied": (lambda q, k: q @ k.transpose(-2, -1) * q.shape[-1] ** 0.5, "multiplied"),
    },
    "03.3": {
        "keys summed": (attend(summed="keys"), "hands over is its value"),
        "tokens summed": (attend(summed="tokens"), "third map"),
        "weights alone": (attend(summed=None), "weighted sum .* still to come"),
        "weights transposed": (attend(transposed=True), "transposed"),
        "softmax over the queries": (attend(axis=0), "over the queries"),
        "scale of the tokens": (attend(scale=lambda n, c, d: c**-0.5), "C = 5"),
        "no scale": (attend(scale=lambda n, c, d: 1), "scale is missing"),
        "scale of the number of tokens": (attend(scale=lambda n, c, d: n**-0.5), "4 tokens"),
        "divided by d": (attend(scale=lambda n, c, d: 1 / d), "by its square root"),
        "no softmax": (
            lambda x, q, k, v: (x @ q) @ (x @ k).T / q.shape[1] ** 0.5 @ (x @ v),
            "softmax is missing: scores",
        ),
        "products alone": (lambda x, q, k, v: (x @ q) @ (x @ k).T @ (x @ v), "scale and softmax"),
        "queries and keys swapped": (attend(swapped=True), "changed places"),
    },
    "03.4": {
        "view without transpose mixes tokens": (
            (lambda x, h: x.reshape(len(x), h, x.shape[1], -1), join),
            "different tokens are mixed: cut",
        ),
        "channels dealt out in turn": (
            (lambda x, h: x.view(*x.shape[:2], -1, h).permute(0, 3, 1, 2), join),
            "each H-th channel",
        ),
        "heads behind tokens": ((lambda x, h: x.view(*x.shape[:2], h, -1), join), "behind the tokens"),
        "joined without transpose": (
            (split, lambda x: x.reshape(len(x), x.shape[2], -1)),
            "different tokens are mixed: bring",
        ),
        "joined in another order": (
            (split, lambda x: x.permute(0, 2, 3, 1).reshape(len(x), x.shape[2], -1)),
            "all of head 0 first",
        ),
        "heads averaged": ((split, lambda x: x.mean(dim=1)), "averaged"),
    },
    "03.5": {
        "the whole layer": (lambda layer, x, head: layer(x), "nothing is switched off"),
        "after the projection": (ablate_after_projection, "after the projection"),
        "channels of the input": (ablate_input, "channels of the input"),
        "counted from one": (lambda layer, x, head: ablate(layer, x, head - 1), "counted from 0"),
        "every third channel": (ablate_interleaved, "neighbours"),
        "only the scores are zero": (ablate_queries, "mean of the values"),
        "the layer's own weights": (ablate_in_place, "work on a copy"),
        "a hook that stays": (ablate_hook, "taken off by the handle"),
        "the head's mean": (ablate_otherwise(to_mean), "its mean"),
        "one token": (ablate_otherwise(token_to_zero), "one token"),
        "one channel": (ablate_otherwise(channel_to_zero), "one channel"),
        "no projection": (ablate_otherwise(to_zero, projected=False), "projection is missing"),
        "rows of the projection": (ablate_rows, "meets the columns"),
    },
    "03.6": {
        "mask after the softmax": (masked(late=True), "after the softmax"),
        "zero for minus infinity": (masked(hidden=0), "minus infinity"),
        "looks ahead": (masked(lambda back, past: (back <= 0) & (back >= -past)), "future"),
        "all of the past": (masked(lambda back, past: back >= 0), "every earlier frame"),
        "one too many": (masked(lambda back, past: (back >= 0) & (back <= past + 1)), "too many"),
        "one too few": (masked(lambda back, past: (back >= 0) & (back < past)), "too few"),
        "not itself": (masked(lambda back, past: (back > 0) & (back <= past)), "sees itself"),
        "mask reversed": (masked(lambda back, past: (back < 0) | (back > past)), "wrong way round"),
        "no end to the future": (masked(lambda back, past: back <= past), "both ends"),
        "the distance without its sign": (masked(lambda back, past: back.abs() <= past), "two sides"),
        "softmax over the queries": (masked(axis=-2), "over the queries"),
        "a large number for infinity": (masked(hidden=-100), "not low enough"),
        "a large number added": (masked(hidden=-100, added=True), "not low enough"),
        "no mask": (masked(lambda back, past: back == back), "nothing is hidden"),
    },
}
