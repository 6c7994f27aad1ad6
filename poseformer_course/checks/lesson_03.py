"""Checkers of lesson 03, attention."""

import torch
import torch.nn.functional as F
from torch import Tensor

from poseformer_course.checks.classes import call, like, takes
from poseformer_course.checks.judge import Exercise, Wrong, compare
from poseformer_lite.model.attention import MultiHeadSelfAttention, attention_weights


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


# Softmax over the keys, (..., N, M) -> (..., N, M).
exercise_1 = Exercise(
    right=lambda scores: scores.softmax(dim=-1),
    mistakes={
        "The columns sum to one, not the rows: sum over the keys, the last axis.": lambda s: s.softmax(dim=-2),
        "The exponentials are there, but a row does not sum to one yet: divide it by its sum.": torch.exp,
        "You divided the scores themselves by their sum: a negative score would give a negative weight. Take the "
        "exponential first.": lambda s: s / s.sum(dim=-1, keepdim=True),
        "All entries together sum to one: every row must do so on its own.": lambda s: s.exp() / s.exp().sum(),
        "These are logarithms of the weights: one exponential is missing.": lambda s: s.log_softmax(dim=-1),
        "The scores are scaled here: take them as they are, the caller has done that.": (
            lambda s: (s / 2**0.5).softmax(dim=-1)
        ),
        "You divided the scores by the root of the number of keys: take them as they are.": (
            lambda s: (s / s.shape[-1] ** 0.5).softmax(dim=-1)
        ),
        "The sums of the rows lie along the columns: keep the axis that you sum over, with length one.": (
            lambda s: s.exp() / s.exp().sum(dim=-1)
        ),
    },
    cases=[
        (torch.tensor([[0.0, 2.0, 2.0], [1.0, 0.0, 1.0], [1.0, 2.0, 3.0]]),),
        (_normal(2, 3, 4, seed=1),),
        (0.1 + _normal(2, 3, 4, seed=1).abs(),),
    ],
    name="your tensor of weights",
    remark="Whatever the scores were, what comes out are weights: positive, and one in sum.",
)


# Scaled scores of M keys for N queries, (..., N, d) and (..., M, d) -> (..., N, M).
exercise_2_scores = Exercise(
    right=lambda q, k: q @ k.mT / q.shape[-1] ** 0.5,
    mistakes={
        "The scale is missing: these are the plain products of queries and keys.": lambda q, k: q @ k.mT,
        "You divided by d = {d} itself: Eq. 2 divides by its square root.": lambda q, k: q @ k.mT / q.shape[-1],
        "You multiplied by the square root of d: Eq. 2 divides by it.": lambda q, k: q @ k.mT * q.shape[-1] ** 0.5,
        "Queries and keys have changed places: row i must belong to query i, column j to key j.": (
            lambda q, k: k @ q.mT / q.shape[-1] ** 0.5
        ),
        "You divided by the root of the number of tokens: d is the length of one query, here {d}.": (
            lambda q, k: q @ k.mT / q.shape[-2] ** 0.5
        ),
        "You divided by the root of the number of keys: d is the length of one query.": (
            lambda q, k: q @ k.mT / k.shape[-2] ** 0.5
        ),
        "You divided by the root of the length of the first axis, the batch: d is the last axis of q.": (
            lambda q, k: q @ k.mT / q.shape[0] ** 0.5
        ),
        "You divided by 2. That is right for the example, where d = 4: read d from the queries.": (
            lambda q, k: q @ k.mT / 2
        ),
        "These are weights already: the softmax comes later, here the scores are asked for.": attention_weights,
    },
    cases=[
        (_normal(6, 5, 3, seed=1), _normal(6, 7, 3, seed=11)),
        (_normal(6, 4, 16, seed=2), _normal(6, 6, 16, seed=12)),
        (torch.tensor([[1.0, 0.0, 0.0, 0.0]]), torch.tensor([[2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0]])),
        (_normal(2, 3, 4, 5, seed=3), _normal(2, 3, 6, 5, seed=13)),
    ],
    fields=lambda q, k: {"d": q.shape[-1]},
    name="your tensor of scores",
    remark="With queries and keys of variance 1 these scores have a spread of about one, at any width.",
)


def exercise_2(answer):
    """The scores, whatever the number of leading axes."""

    def scores(q, k):
        try:
            return answer(q, k)
        except (IndexError, RuntimeError):
            if q.ndim == 3:
                raise
        raise Wrong(
            f"Right for three axes, but not for {q.ndim}: count the axes from the end. The last two are -2 and -1."
        )

    return exercise_2_scores(scores)


def _from_maps(head):
    """A function of tokens and three maps, from a head that is a function of tokens, queries, keys and values."""
    return lambda tokens, w_q, w_k, w_v: head(tokens, tokens @ w_q, tokens @ w_k, tokens @ w_v)


def _tokens_and_maps(tokens: int, channels: int, width: int, seed: int) -> list[Tensor]:
    return [_normal(tokens, channels, seed=seed), *(_normal(channels, width, seed=seed + i) for i in (10, 20, 30))]


# From tokens (N, C) and three maps (C, d) to the outputs (N, d), Eq. 3 and 2.
exercise_3 = Exercise(
    right=_from_maps(lambda x, q, k, v: attention_weights(q, k) @ v),
    mistakes={
        "The weights are applied to the keys: what a token hands over is its value.": (
            _from_maps(lambda x, q, k, v: attention_weights(q, k) @ k)
        ),
        "The queries are compared with queries: they have to be compared with keys.": (
            _from_maps(lambda x, q, k, v: attention_weights(q, q) @ v)
        ),
        "The keys are compared with keys: the scores are products of queries and keys.": (
            _from_maps(lambda x, q, k, v: attention_weights(k, k) @ v)
        ),
        "These are the weights alone: the weighted sum of the values is still to come.": (
            _from_maps(lambda x, q, k, v: attention_weights(q, k))
        ),
        "The weights are transposed: output i must use row i, the weights of query i.": (
            _from_maps(lambda x, q, k, v: attention_weights(q, k).T @ v)
        ),
        "The softmax runs over the queries: a row of weights must sum to one over the keys, the last axis.": (
            _from_maps(lambda x, q, k, v: (q @ k.T / q.shape[-1] ** 0.5).softmax(dim=0) @ v)
        ),
        "The scale is that of the tokens, C = {C}: Eq. 2 takes the length d = {d} of a query.": (
            _from_maps(lambda x, q, k, v: (q @ k.T / x.shape[-1] ** 0.5).softmax(dim=-1) @ v)
        ),
        "The scale is missing: divide the scores by the square root of d.": (
            _from_maps(lambda x, q, k, v: (q @ k.T).softmax(dim=-1) @ v)
        ),
        "The scale is that of the {N} tokens: Eq. 2 takes the length d = {d} of a query.": (
            _from_maps(lambda x, q, k, v: (q @ k.T / len(x) ** 0.5).softmax(dim=-1) @ v)
        ),
        "You divided by d: Eq. 2 divides by its square root.": (
            _from_maps(lambda x, q, k, v: (q @ k.T / q.shape[-1]).softmax(dim=-1) @ v)
        ),
        "The softmax is missing: scores are not weights, their rows do not sum to one.": (
            _from_maps(lambda x, q, k, v: q @ k.T / q.shape[-1] ** 0.5 @ v)
        ),
        "Scale and softmax are missing: these are the plain products.": _from_maps(lambda x, q, k, v: q @ k.T @ v),
        "Queries and keys have changed places: row i must belong to query i.": (
            _from_maps(lambda x, q, k, v: attention_weights(k, q) @ v)
        ),
        "The tokens themselves are summed: they must pass through the third map first.": (
            _from_maps(lambda x, q, k, v: attention_weights(q, k) @ x)
        ),
    },
    cases=[_tokens_and_maps(4, 5, 3, seed=1), _tokens_and_maps(6, 3, 2, seed=2)],
    fields=lambda x, w_q, w_k, w_v: {"N": len(x), "C": x.shape[-1], "d": w_q.shape[-1]},
    name="the output",
    remark="Five letters of Eq. 2 and 3, five products: nothing else happens in one head.",
)


def _counted(*shape: int) -> Tensor:
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).view(shape)


# Channels cut into heads: (B, N, C) -> (B, H, N, C/H).
exercise_4_split = Exercise(
    right=lambda x, heads: x.unflatten(-1, (heads, -1)).transpose(1, 2),
    mistakes={
        "The numbers of different tokens are mixed: cut the last axis in two where it stands, and only then change "
        "the order of the axes.": lambda x, heads: x.reshape(len(x), heads, x.shape[1], -1),
        "Every head got each H-th channel: a head takes C/H neighboring channels.": (
            lambda x, heads: x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)
        ),
        "The channels are cut, but the heads still stand behind the tokens: the axes must be (B, H, N, C/H).": (
            lambda x, heads: x.unflatten(-1, (heads, -1))
        ),
        "The last two axes are the wrong way round: a head needs its tokens in rows, (N, C/H).": (
            lambda x, heads: x.unflatten(-1, (heads, -1)).permute(0, 2, 3, 1)
        ),
    },
    cases=[(_counted(1, 3, 4), 2), (_counted(2, 3, 12), 2), (_counted(2, 5, 6), 6)],
    name="split_heads",
)

# The heads put side by side again: (B, H, N, d) -> (B, N, H*d).
exercise_4_join = Exercise(
    right=lambda x: x.transpose(1, 2).flatten(-2),
    mistakes={
        "The numbers of different tokens are mixed: bring the heads back beside their token first, then join the "
        "last two axes.": lambda x: x.reshape(len(x), x.shape[2], -1),
        "The channels come back in another order: all of head 0 first, then all of head 1.": (
            lambda x: x.permute(0, 2, 3, 1).flatten(-2)
        ),
        "The heads stand beside the tokens, but are not joined: the last two axes must become one of C.": (
            lambda x: x.transpose(1, 2)
        ),
        "The heads are averaged: they must stand side by side, C numbers a token.": lambda x: x.mean(dim=1),
    },
    cases=[(_counted(1, 2, 3, 2),), (_counted(2, 2, 3, 6),), (_counted(2, 6, 5, 1),)],
    name="join_heads",
)


def exercise_4(split, join):
    """Channels cut into heads, and put side by side again."""
    exercise_4_split(split)
    exercise_4_join(join)
    return "Splitting moves no number to another token: a head is a window on the same channels."


def _layer() -> MultiHeadSelfAttention:
    """Three heads of two channels, with the same weights each time."""
    layer = MultiHeadSelfAttention(6, num_heads=3)
    for seed, parameter in enumerate(layer.parameters()):
        parameter.data.copy_(_normal(*parameter.shape, seed=seed))
    return layer.requires_grad_(False)


reference_5 = MultiHeadSelfAttention


def _cut(numbers: Tensor, heads: int) -> Tensor:
    """Queries, keys and values in heads: (B, N, 3*C) -> (3, B, H, N, C/H)."""
    return numbers.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4)


def _by_hand(layer, x, cut=None, scale=None, over=-1, join=None, projected=True):
    """The layer step by step, with one of the steps done in another way."""
    H, d, C = layer.num_heads, layer.head_dim, x.shape[-1]
    numbers = layer.qkv(x)
    q, k, v = (cut or _cut)(numbers, H)  # each (B, H, N, d)
    rows = (q @ k.mT * (d**-0.5 if scale is None else scale(C))).softmax(dim=over)
    heads = rows @ v
    side_by_side = join(heads) if join else heads.transpose(1, 2).flatten(-2)
    return layer.proj(side_by_side) if projected else side_by_side


# The class's output with given weights, (B, N, C) -> (B, N, C).
exercise_5_output = Exercise(
    right=lambda layer, x: layer(x),
    mistakes={
        "The scale is missing: divide the scores by the square root of C/H.": (
            lambda layer, x: _by_hand(layer, x, scale=lambda C: 1.0)
        ),
        "The scale is that of the whole token: a head has C/H channels, so divide by the root of that.": (
            lambda layer, x: _by_hand(layer, x, scale=lambda C: C**-0.5)
        ),
        "The softmax runs over the queries: each query's weights sum to one over its keys, the last axis.": (
            lambda layer, x: _by_hand(layer, x, over=-2)
        ),
        "The heads take their numbers from different tokens: `view` cuts the last axis where it stands, and only then "
        "`permute` or `transpose` brings the heads before the tokens.": (
            lambda layer, x: _by_hand(
                layer, x, cut=lambda n, H: [t.reshape(len(t), H, t.shape[1], -1) for t in n.chunk(3, -1)]
            )
        ),
        "The numbers are cut into heads first and into queries, keys and values after that: qkv gives all queries "
        "first, then all keys, then all values.": (
            lambda layer, x: _by_hand(layer, x, cut=lambda n, H: n.unflatten(-1, (H, 3, -1)).permute(3, 0, 2, 1, 4))
        ),
        "The heads are put together in the wrong order: bring them back beside their token before you reshape.": (
            lambda layer, x: _by_hand(layer, x, join=lambda heads: heads.reshape(len(heads), heads.shape[2], -1))
        ),
        "The projection is missing: W_out of Eq. 4, `self.proj`, comes last.": (
            lambda layer, x: _by_hand(layer, x, projected=False)
        ),
        "The input is added to the output: the residual belongs to the encoder, which lesson 04 builds.": (
            lambda layer, x: layer(x) + x
        ),
        "Keys are taken for queries and queries for keys: qkv gives the queries first.": (
            lambda layer, x: _by_hand(layer, x, cut=lambda n, H: [_cut(n, H)[part] for part in (1, 0, 2)])
        ),
        "Values are taken for queries and queries for values: qkv gives queries, keys and values in this order.": (
            lambda layer, x: _by_hand(layer, x, cut=lambda n, H: [_cut(n, H)[part] for part in (2, 1, 0)])
        ),
        "The 3 of queries, keys and values stands last in your view: it comes first, view(B, N, 3, H, C/H).": (
            lambda layer, x: _by_hand(layer, x, cut=lambda n, H: n.unflatten(-1, (H, -1, 3)).permute(4, 0, 2, 1, 3))
        ),
        "There is one head only: the channels have to be cut into H heads.": (
            lambda layer, x: _by_hand(
                layer, x, cut=lambda n, H: [t[:, None] for t in n.chunk(3, -1)], scale=lambda C: (C / 3) ** -0.5
            )
        ),
    },
    cases=lambda: [(_layer(), _normal(2, 5, 6, seed=3))],
    name="the output",
)


def exercise_5(answer):
    """The class MultiHeadSelfAttention: its parts, its output, and the weights where they are asked for."""

    def output(layer, x):
        given = call(like(answer, layer, 6, 3), x)
        if isinstance(given, tuple):
            raise Wrong("Without return_weights=True the answer is the output alone, not a pair.")
        return given

    exercise_5_output(output)
    layer, x = exercise_5_output.each_case()[0]
    mine = like(answer, layer, 6, 3)
    if not takes(mine.forward, "return_weights"):
        raise Wrong("forward has lost its argument return_weights, with which the lesson looks at the weights.")
    both = mine(x, return_weights=True)
    if not isinstance(both, tuple):
        raise Wrong(
            "With return_weights=True the answer is a pair: the output and the weights, attention_weights(q, k)."
        )
    q, k, _ = _cut(layer.qkv(x), 3)
    scores, weights = q @ k.mT * 2**-0.5, attention_weights(q, k)
    mistakes = {
        "The pair is the wrong way round: the output comes first, then the weights.": layer(x),
        "These are the scores: their softmax is what is asked for.": scores,
        "The weights are averaged over the heads: each head's own are asked for, (B, H, N, N).": weights.mean(dim=1),
        "The weights are transposed: row i belongs to query i.": weights.mT,
    }
    compare(both[1], weights, mistakes, name="the second of the pair, the weights")
    compare(both[0], layer(x), {"The first of the pair is not the output.": weights}, name="the first of the pair")
    return "Your layer takes the weights of a trained network and gives what the package's gives."


def _layer_cases() -> list[tuple]:
    return [(_layer(), _normal(2, 5, 6, seed=3), head) for head in (1, 0, 2)]


def _set(x: Tensor, at, value=0.0) -> Tensor:
    """A copy of x with another value there."""
    x = x.clone()
    x[at] = value
    return x


def _part(head: int) -> tuple:
    """The channels of a head, where all heads stand side by side."""
    return ..., slice(2 * head, 2 * head + 2)


def _heads(layer: MultiHeadSelfAttention, x: Tensor) -> Tensor:
    """What the heads hand to the projection, side by side: (B, N, C) -> (B, N, C)."""
    q, k, v = layer.qkv(x).unflatten(-1, (3, layer.num_heads, -1)).permute(2, 0, 3, 1, 4)  # each (B, H, N, C/H)
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2)


def _with_heads(change):
    """The layer, with change(heads side by side, head) between heads and projection."""
    return lambda layer, x, head: layer.proj(change(_heads(layer, x), head))


_without = _with_heads(lambda z, head: _set(z, _part(head)))


def _without_queries(layer, x, head):
    layer.qkv.weight[_part(head)[1]] = 0
    layer.qkv.bias[_part(head)] = 0
    return layer(x)


def _without_rows(layer, x, head):
    layer.proj.weight[_part(head)[1]] = 0
    return layer(x)


# A layer's output when one head contributes nothing, (B, N, C) -> (B, N, C).
exercise_6_output = Exercise(
    right=_without,
    mistakes={
        "Nothing is switched off: this is the whole layer's output.": lambda layer, x, head: layer(x),
        "You set channels to zero after the projection, which has mixed the heads already: do it before.": (
            lambda layer, x, head: _set(layer(x), _part(head))
        ),
        "You set channels of the input to zero: every head reads all of them. Let the head work, then drop its "
        "output.": lambda layer, x, head: layer(_set(x, _part(head))),
        "It is another head that you switched off: they are counted from 0.": (
            lambda layer, x, head: _without(layer, x, (head - 1) % 3)
        ),
        "You dropped every third channel: a head's channels are neighbors.": (
            _with_heads(lambda z, head: _set(z, (..., slice(head, None, 3))))
        ),
        "The head's scores are zero, so it still hands over the plain mean of the values: its output must be zero.": (
            _without_queries
        ),
        "Only this head is left: it is the one to drop.": _with_heads(lambda z, head: z - _set(z, _part(head))),
        "The bias of the projection is missing.": lambda layer, x, head: _without(layer, x, head) - layer.proj.bias,
        "The head hands over its mean: here its output must be zero.": (
            _with_heads(lambda z, head: _set(z, _part(head), z[_part(head)].mean(dim=(0, 1))))
        ),
        "You dropped one token and kept all heads: mind which axis holds the heads.": (
            _with_heads(lambda z, head: _set(z, (slice(None), head)))
        ),
        "You dropped one channel: a head has C/H of them.": _with_heads(lambda z, head: _set(z, (..., head))),
        "You zeroed rows of the projection's weight, which are outputs: what a head hands over meets the columns.": (
            _without_rows
        ),
        "The projection is missing: the heads are side by side, but not yet mixed.": (
            lambda layer, x, head: _set(_heads(layer, x), _part(head))
        ),
    },
    cases=_layer_cases,
    name="the output",
)


def exercise_6(answer):
    """The output without a head, and the layer as it was."""
    exercise_6_output(answer)
    for layer, x, head in _layer_cases():
        answer(layer, x.clone(), head)
        if not torch.equal(layer(x), _layer()(x)):
            raise Wrong(
                "The output is right, but the layer is changed for good and now gives another output: work on a copy, "
                "or undo what you did (a hook is taken off by the handle it came with)."
            )
    return "Such a test asks what a head is worth. A picture of its weights cannot."


def _seen(back: Tensor, past: int) -> Tensor:
    return (back >= 0) & (back <= past)


def _masked(seen=_seen, hidden=-torch.inf, scale=1.0, dim=-1):
    """Attention to the keys that seen(back, past) lets through; `back` says how far behind the query a key is."""

    def answer(q, k, v, past):
        frames = torch.arange(q.shape[-2])
        scores = scale * q @ k.mT / q.shape[-1] ** 0.5
        scores = scores.masked_fill(~seen(frames[:, None] - frames, past), hidden)
        return scores.softmax(dim=dim) @ v

    return answer


def _masked_late(q, k, v, past):
    frames = torch.arange(q.shape[-2])
    return attention_weights(q, k) * _seen(frames[:, None] - frames, past) @ v


Q, K, V = (_normal(2, 3, 7, 4, seed=seed) for seed in (1, 2, 3))

# Attention to the frame itself and to the `past` frames before it, (B, H, N, d) -> (B, H, N, d).
exercise_7_output = Exercise(
    right=_masked(),
    mistakes={
        "The mask comes after the softmax, so the rows no longer sum to one: hide the scores before it.": _masked_late,
        "A hidden score was set to zero, and the exponential of zero is one: take minus infinity.": _masked(hidden=0),
        "Your frames look into the future: keep the keys at or before the query.": (
            _masked(lambda back, past: _seen(-back, past))
        ),
        "Your frames see `past` frames before them, but all of the future too: both ends need a limit.": (
            _masked(lambda back, past: back <= past)
        ),
        "Your window has two sides, and the later one is the future: the distance needs its sign.": (
            _masked(lambda back, past: back.abs() <= past)
        ),
        "Every earlier frame is seen: only the last `past` of them may be.": _masked(lambda back, past: back >= 0),
        "One frame too many: with past = 0 a frame sees itself alone.": (
            _masked(lambda back, past: _seen(back, past + 1))
        ),
        "One frame too few: with past = 2 a frame sees three, itself and two before it.": (
            _masked(lambda back, past: _seen(back, past - 1))
        ),
        "The mask is the wrong way round: you hide what should be seen.": (
            _masked(lambda back, past: ~_seen(back, past))
        ),
        "Nothing is hidden: this is the attention of all frames to all.": _masked(lambda back, past: back == back),
        "The softmax runs over the queries: each query's weights must sum to one over its keys, the last axis.": (
            _masked(dim=-2)
        ),
        "The scale is missing: divide the scores by the square root of d before you hide some.": _masked(scale=2),
    },
    cases=[(Q, K, V, 2), (Q, K, V, 0), (Q, K, V, 6)],
    name="the output",
)


def exercise_7(answer):
    """The output, also where all scores are far below zero."""

    def without_nan(*given):
        got = answer(*given)
        if torch.is_tensor(got) and got.isnan().any():
            raise Wrong("There are NaN: a row whose keys are all hidden has no softmax. A frame always sees itself.")
        return got

    exercise_7_output(without_nan)
    later_is_higher = (1e4 * (torch.arange(7.0) - 10))[:, None].expand(2, 3, 7, 4)  # scores from -200,000 to -80,000
    given = answer(torch.ones_like(Q), later_is_higher, V.clone(), 2)
    if given.isnan().any():
        raise Wrong(
            "Where scores differ much, there are NaN: a softmax over all frames leaves nothing of those that are seen, "
            "and no division brings it back. Hide the scores before the softmax."
        )
    if not torch.allclose(given, V, atol=1e-4):
        raise Wrong(
            "Where scores differ much, hidden frames come through: your number is not low enough. Minus infinity is."
        )
    return "A network built so could lift a live video: no frame waits for the frames after it."
