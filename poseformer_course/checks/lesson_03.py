"""Checkers of lesson 03, attention."""

import torch
import torch.nn.functional as F
from torch import Tensor

from poseformer_course.checks.judge import Wrong, compare
from poseformer_lite.model.attention import MultiHeadSelfAttention, attention_weights


def exercise_1(answer):
    """Softmax over the keys, (..., N, M) -> (..., N, M)."""
    batch = _normal(2, 3, 4, seed=1)
    for scores in (torch.tensor([[0.0, 2.0, 2.0], [1.0, 0.0, 1.0], [1.0, 2.0, 3.0]]), batch, 0.1 + batch.abs()):
        right = scores.softmax(dim=-1)
        mistakes = {
            "The columns sum to one, not the rows: sum over the keys, the last axis.": scores.softmax(dim=-2),
            "The exponentials are there, but a row does not sum to one yet: divide it by its sum.": scores.exp(),
            "You divided the scores themselves by their sum: a negative score would give a negative weight. Take the "
            "exponential first.": scores / scores.sum(dim=-1, keepdim=True),
            "All entries together sum to one: every row must do so by itself.": scores.exp() / scores.exp().sum(),
            "These are logarithms of the weights: one exponential is missing.": scores.log_softmax(dim=-1),
            "The scores are scaled here: take them as they are, whoever calls the function has done that.": (
                (scores / 2**0.5).softmax(dim=-1)
            ),
            "You divided the scores by the root of the number of keys: take them as they are.": (
                (scores / scores.shape[-1] ** 0.5).softmax(dim=-1)
            ),
        }
        if scores.dim() == 2:  # a square matrix, where the wrong sums can be divided by at all
            mistakes[
                "The sums of the rows lie along the columns: keep the axis that you sum over, with length one."
            ] = scores.exp() / scores.exp().sum(dim=-1)
        compare(answer(scores.clone()), right, mistakes, name="the row weights")
    return "Whatever the scores were, what comes out are weights: positive, and one in sum."


def exercise_2(answer):
    """Scaled scores of M keys for N queries, (..., N, d) and (..., M, d) -> (..., N, M)."""
    for shape, width, seed in (((5, 7), 3, 1), ((4, 6), 16, 2)):
        q, k = _normal(6, shape[0], width, seed=seed), _normal(6, shape[1], width, seed=seed + 10)
        dots = q @ k.transpose(-2, -1)
        mistakes = {
            "The scale is missing: these are the plain products of queries and keys.": dots,
            f"You divided by d = {width} itself: Eq. 2 divides by its square root.": dots / width,
            "You multiplied by the square root of d: Eq. 2 divides by it.": dots * width**0.5,
            "Queries and keys have changed places: row i must belong to query i, column j to key j.": (
                dots.transpose(-2, -1) / width**0.5
            ),
            f"You divided by the root of the number of tokens: d is the length of one query, here {width}.": (
                dots / shape[0] ** 0.5
            ),
            "You divided by the root of the number of keys: d is the length of one query.": dots / shape[1] ** 0.5,
            "You divided by the root of the length of the first axis, the batch: d is the last axis of q.": dots
            / 6**0.5,
            "You divided by 2. That is right for the example, where d = 4: read d from the queries.": dots / 2,
            "These are weights already: the softmax comes later, here the scores are asked for.": (
                (dots / width**0.5).softmax(dim=-1)
            ),
        }
        compare(answer(q.clone(), k.clone()), dots / width**0.5, mistakes, name="the scaled scores")
    return "With queries and keys of variance 1 these scores have a spread of about one, at any width."


def exercise_3(answer):
    """From tokens (N, C) and three maps (C, d) to the outputs (N, d), Eq. 3 and 2."""
    for tokens_, channels, width, seed in ((4, 5, 3, 1), (6, 3, 2, 2)):
        tokens = _normal(tokens_, channels, seed=seed)
        maps = [_normal(channels, width, seed=seed + i) for i in (10, 20, 30)]
        q, k, v = (tokens @ w for w in maps)
        rows = attention_weights(q, k)
        dots = q @ k.T
        mistakes = {
            "The weights are applied to the keys: what a token hands over is its value.": rows @ k,
            "These are the weights alone: the weighted sum of the values is still to come.": rows,
            "The weights are transposed: output i must use row i, the weights of query i.": rows.T @ v,
            "The softmax runs over the queries: a row of weights must sum to one over the keys, the last axis.": (
                (dots * width**-0.5).softmax(dim=0) @ v
            ),
            f"The scale is that of the tokens, C = {channels}: Eq. 2 takes the length d = {width} of a query.": (
                (dots * channels**-0.5).softmax(dim=-1) @ v
            ),
            "The scale is missing: divide the scores by the square root of d.": dots.softmax(dim=-1) @ v,
            f"The scale is that of the {tokens_} tokens: Eq. 2 takes the length d = {width} of a query.": (
                (dots * tokens_**-0.5).softmax(dim=-1) @ v
            ),
            "You divided by d: Eq. 2 divides by its square root.": (dots / width).softmax(dim=-1) @ v,
            "The softmax is missing: scores are not weights, their rows do not sum to one.": dots * width**-0.5 @ v,
            "Scale and softmax are missing: these are the plain products.": dots @ v,
            "Queries and keys have changed places: row i must belong to query i.": attention_weights(k, q) @ v,
            "The tokens themselves are summed: they must pass through the third map first.": rows @ tokens,
        }
        compare(answer(tokens.clone(), *(w.clone() for w in maps)), rows @ v, mistakes, name="the output")
    return "Five letters of Eq. 2 and 3, five products: nothing else happens in one head."


def exercise_4(split, join):
    """Channels cut into heads, (B, N, C) -> (B, H, N, C/H), and put side by side again."""
    for shape, heads in (((1, 3, 4), 2), ((2, 3, 12), 2), ((2, 5, 6), 6)):
        x = torch.arange(torch.Size(shape).numel(), dtype=torch.float32).view(shape)
        B, N, C = shape
        right = x.view(B, N, heads, C // heads).transpose(1, 2)
        mistakes = {
            "The numbers of different tokens are mixed: cut the last axis in two where it stands, and only then change "
            "the order of the axes.": x.reshape(B, heads, N, C // heads),
            "Every head got each H-th channel: a head takes C/H neighbouring channels.": (
                x.view(B, N, C // heads, heads).permute(0, 3, 1, 2)
            ),
            "The channels are cut, but the heads still stand behind the tokens: the axes must be (B, H, N, C/H).": (
                x.view(B, N, heads, C // heads)
            ),
            "The last two axes are the wrong way round: a head needs its tokens in rows, (N, C/H).": (
                x.view(B, N, heads, C // heads).permute(0, 2, 3, 1)
            ),
        }
        compare(split(x.clone(), heads), right, mistakes, name="split_heads")
        mistakes = {
            "The numbers of different tokens are mixed: bring the heads back beside their token first, then join the "
            "last two axes.": right.reshape(B, N, C),
            "The channels come back in another order: all of head 0 first, then all of head 1.": (
                right.permute(0, 2, 3, 1).reshape(B, N, C)
            ),
            "The heads stand beside the tokens, but are not joined: the last two axes must become one of C.": (
                right.transpose(1, 2)
            ),
            "The heads are averaged: they must stand side by side, C numbers a token.": right.mean(dim=1),
        }
        compare(join(right.clone()), x, mistakes, name="join_heads")
    return "Splitting moves no number to another token: a head is a window on the same channels."


def exercise_5(answer):
    """A layer's output when one head contributes nothing, (B, N, C) -> (B, N, C)."""
    x = _normal(2, 5, 6, seed=3)
    for head in (1, 0, 2):
        layer, untouched = _layer(), _layer()
        got = answer(layer, x.clone(), head)
        compare(got, _without(untouched, x, head), _ablation_mistakes(untouched, x, head), name="the output")
        if not torch.equal(layer(x), untouched(x)):
            raise Wrong(
                "The output is right, but the layer is changed for good and now gives another output: work on a copy, "
                "or undo what you did (a hook is taken off by the handle it came with)."
            )
    return "Such a test asks what a head is worth. A picture of its rows cannot."


def exercise_6(answer):
    """Attention to the frame itself and to the `past` frames before it, (B, H, N, d) -> (B, H, N, d)."""
    q, k, v = (_normal(2, 3, 7, 4, seed=seed) for seed in (1, 2, 3))
    for past in (2, 0, 6):
        seen = _seen(7, past)
        right = _masked(q, k, v, seen)
        scores = q @ k.transpose(-2, -1) * 0.5
        mistakes = {
            "The mask comes after the softmax, so the rows no longer sum to one: hide the scores before it.": (
                attention_weights(q, k) * seen
            )
            @ v,
            "A hidden score was set to zero, and the exponential of zero is one: take minus infinity.": (
                scores.masked_fill(~seen, 0).softmax(dim=-1) @ v
            ),
            "Your frames look into the future: keep the keys at or before the query.": _masked(q, k, v, seen.T),
            "Your frames see `past` frames before them, but all of the future too: both ends need a limit.": (
                _masked(q, k, v, seen | _seen(7, 7).T)
            ),
            "Your window has two sides, and the later one is the future: the distance needs its sign.": (
                _masked(q, k, v, seen | seen.T)
            ),
            "Every earlier frame is seen: only the last `past` of them may be.": _masked(q, k, v, _seen(7, 7)),
            "One frame too many: with past = 0 a frame sees itself alone.": _masked(q, k, v, _seen(7, past + 1)),
            "One frame too few: with past = 2 a frame sees three, itself and two before it.": (
                _masked(q, k, v, _seen(7, past - 1))
            ),
            "The mask is the wrong way round: you hide what should be seen.": _masked(q, k, v, ~seen),
            "Nothing is hidden: this is the attention of all frames to all.": _masked(q, k, v, seen | True),
            "The softmax runs over the queries: each query's weights must sum to one over its keys, the last axis.": (
                scores.masked_fill(~seen, -torch.inf).softmax(dim=-2) @ v
            ),
            "The scale is missing: divide the scores by the square root of d before you hide some.": (
                _masked(2 * q, k, v, seen)
            ),
        }
        got = answer(q.clone(), k.clone(), v.clone(), past)
        if torch.is_tensor(got) and got.isnan().any():
            raise Wrong("There are NaN: a row whose keys are all hidden has no softmax. A frame always sees itself.")
        compare(got, right, mistakes, name="the output")
    later_is_higher = (1e4 * (torch.arange(7.0) - 10))[:, None].expand(2, 3, 7, 4)  # scores from -200,000 to -80,000
    if not torch.allclose(answer(torch.ones_like(q), later_is_higher, v.clone(), 2), v, atol=1e-4):
        raise Wrong(
            "Where scores differ much, hidden frames come through: your number is not low enough. Minus infinity is."
        )
    return "A network built so could lift a live video: no frame waits for the frames after it."


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _layer() -> MultiHeadSelfAttention:
    """Three heads of two channels, with the same weights each time."""
    layer = MultiHeadSelfAttention(6, num_heads=3)
    for seed, parameter in enumerate(layer.parameters()):
        parameter.data.copy_(_normal(*parameter.shape, seed=seed))
    return layer.requires_grad_(False)


def _heads(layer: MultiHeadSelfAttention, x: Tensor, flat_queries: bool = False) -> Tensor:
    """What the heads hand to the projection: (B, N, C) -> (B, N, H, C/H)."""
    q, k, v = layer.qkv(x).unflatten(-1, (3, layer.num_heads, -1)).permute(2, 0, 3, 1, 4)  # each (B, H, N, C/H)
    return F.scaled_dot_product_attention(q * (not flat_queries), k, v).transpose(1, 2)


def _without(layer: MultiHeadSelfAttention, x: Tensor, head: int) -> Tensor:
    attended = _heads(layer, x).clone()
    attended[:, :, head] = 0
    return layer.proj(attended.flatten(-2))


def _ablation_mistakes(layer: MultiHeadSelfAttention, x: Tensor, head: int) -> dict[str, Tensor]:
    part = slice(2 * head, 2 * head + 2)
    late, early, every_third = layer(x).clone(), x.clone(), _heads(layer, x).flatten(-2).clone()
    late[..., part] = 0
    early[..., part] = 0
    every_third[..., head::3] = 0
    whole = _heads(layer, x)  # (B, N, H, C/H)
    dropped, uniform, mean, token = (whole.clone() for _ in range(4))
    alone = torch.zeros_like(whole)
    dropped[:, :, head] = 0
    uniform[:, :, head] = _heads(layer, x, flat_queries=True)[:, :, head]
    mean[:, :, head] = whole[:, :, head].mean(dim=(0, 1))
    token[:, head] = 0
    alone[:, :, head] = whole[:, :, head]
    channel = whole.flatten(-2).clone()
    channel[..., head] = 0
    rows = layer.proj.weight.clone()
    rows[part] = 0
    return {
        "Nothing is switched off: this is the whole layer's output.": layer(x),
        "You set channels to zero after the projection, which has mixed the heads already: do it before.": late,
        "You set channels of the input to zero: every head reads all of them. Let the head work, then drop its "
        "output.": layer(early),
        "It is another head that you switched off: they are counted from 0.": _without(layer, x, (head - 1) % 3),
        "You dropped every third channel: a head's channels are neighbours.": layer.proj(every_third),
        "The head's scores are zero, so it still hands over the plain mean of the values: its output must be zero.": (
            layer.proj(uniform.flatten(-2))
        ),
        "Only this head is left: it is the one to drop.": layer.proj(alone.flatten(-2)),
        "The bias of the projection is missing.": _without(layer, x, head) - layer.proj.bias,
        "The head hands over its mean: here its output must be zero.": layer.proj(mean.flatten(-2)),
        "You dropped one token and kept all heads: mind which axis holds the heads.": layer.proj(token.flatten(-2)),
        "You dropped one channel: a head has C/H of them.": layer.proj(channel),
        "You zeroed rows of the projection's weight, which are outputs: what a head hands over meets the columns.": (
            F.linear(whole.flatten(-2), rows, layer.proj.bias)
        ),
        "The projection is missing: the heads are side by side, but not yet mixed.": dropped.flatten(-2),
    }


def _seen(frames: int, past: int) -> Tensor:
    """(F, F): whether query i may see key j."""
    back = torch.arange(frames)[:, None] - torch.arange(frames)
    return (back >= 0) & (back <= past)


def _masked(q: Tensor, k: Tensor, v: Tensor, seen: Tensor) -> Tensor:
    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    return scores.masked_fill(~seen, -torch.inf).softmax(dim=-1) @ v
