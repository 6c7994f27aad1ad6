"""Checkers of lesson 08, attention maps."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from poseformer_course.checks.judge import Exercise, NotAnswered, Wrong, compare
from poseformer_course.heads import attention_rollout, figure_maps
from poseformer_lite.model.heads import AttentionMaps


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _rows(*shape: int, seed: int) -> Tensor:
    return (1.5 * _normal(*shape, seed=seed)).softmax(dim=-1)


def _entropy(rows: Tensor) -> Tensor:
    return torch.special.entr(rows).sum(dim=-1)


# Over how many tokens each row is spread: e to the entropy, (..., N) -> (...).
exercise_1_number = Exercise(
    right=lambda rows: _entropy(rows).exp(),
    mistakes={
        "This is the entropy: the number of tokens is e to the power of it.": _entropy,
        "The sign is missing: the logarithm of a weight is negative, the entropy is not.": (
            lambda rows: (-_entropy(rows)).exp()
        ),
        "These are the negative entropies: change the sign, then take the exponential.": lambda rows: -_entropy(rows),
        "Logarithm and power do not fit together: with log2 take 2 to the power, with log take e.": (
            lambda rows: (_entropy(rows) / np.log(2)).exp()
        ),
        "You took 2 to the power of an entropy in natural logarithms: take e.": lambda rows: 2 ** _entropy(rows),
        "The terms of a row are averaged: the entropy is their sum.": (
            lambda rows: torch.special.entr(rows).mean(dim=-1).exp()
        ),
        "The sum runs over the queries: it must run over the keys, the last axis.": (
            lambda rows: torch.special.entr(rows).sum(dim=-2).exp()
        ),
        "All rows are thrown together: every row has an answer of its own.": lambda rows: _entropy(rows).sum().exp(),
        "The rows are averaged before the answer: give one number for each row.": (
            lambda rows: _entropy(rows).exp().mean()
        ),
        "This is one over the sum of squares, another measure of the same thing: the entropy is asked for.": (
            lambda rows: 1 / rows.square().sum(dim=-1)
        ),
        "The last axis is kept, with length 1: make (...) of (..., N).": lambda rows: _entropy(rows).exp()[..., None],
        "This is one over the largest weight: here all weights of a row count.": lambda rows: 1 / rows.amax(dim=-1),
        "You divided by the logarithm of the number of tokens: that makes a share, from 0 to 1.": (
            lambda rows: _entropy(rows) / np.log(rows.shape[-1])
        ),
    },
    cases=[
        (torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1], [0.4, 0.3, 0.2, 0.1]]),),
        (_rows(3, 2, 5, 5, seed=1),),
    ],
    name="the number of tokens",
)


def exercise_1(answer):
    """The number of tokens, also where weights are exactly zero."""
    exercise_1_number(answer)
    got = answer(torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]))
    if torch.as_tensor(got).isnan().any():
        raise Wrong(
            "A row with a weight of exactly zero gives NaN, since log 0 is minus infinity: such a weight adds nothing "
            "to the entropy. torch.special.entr, torch.xlogy or a mask know that."
        )
    hint = "A weight of exactly zero must add nothing: the rows (1, 0, 0) and (0, 0.5, 0.5) give 1 and 2."
    compare(got, torch.tensor([1.0, 2.0]), {hint: got}, name="the number of tokens")
    return "One number for what the eye calls focused, between 1 and the number of tokens."


def _picture(rows: Tensor) -> Tensor:
    return figure_maps(AttentionMaps(None, rows[None, None, None]), "temporal")[0].T


def _scaled(rows: Tensor, axis: int) -> Tensor:
    """From 0 to 1 along an axis."""
    low, high = rows.amin(axis, keepdim=True), rows.amax(axis, keepdim=True)
    return (rows - low) / (high - low)


# A head's rows as the paper draws them: queries across, from 0 to 1. (N, N) -> (N, N).
exercise_2 = Exercise(
    right=_picture,
    mistakes={
        "The scale is right, but the queries still stand in the rows: in the paper's picture they lie along the "
        "horizontal axis.": lambda rows: _picture(rows).T,
        "The axes are right, but these are still the weights: scale them from 0 to 1.": lambda rows: rows.T,
        "You divided by the largest weight only: then the smallest one is not 0.": lambda rows: (rows / rows.max()).T,
        "You divided by the span and did not subtract the smallest weight first.": (
            lambda rows: (rows / (rows.max() - rows.min())).T
        ),
        "The smallest weight is 0, the largest is not 1 yet: divide by the span.": lambda rows: (rows - rows.min()).T,
        "Every query is scaled by itself: one smallest and one largest weight hold for the whole map.": (
            lambda rows: _scaled(rows, 1).T
        ),
        "Every key is scaled by itself: one smallest and one largest weight hold for the whole map.": (
            lambda rows: _scaled(rows, 0).T
        ),
        "Every query is scaled by itself, and the queries still stand in the rows.": lambda rows: _scaled(rows, 1),
        "You divided by the largest weight only, and the queries still stand in the rows.": (
            lambda rows: rows / rows.max()
        ),
        "The smallest weight was subtracted above and not below: divide by the largest minus the smallest.": (
            lambda rows: ((rows - rows.min()) / rows.max()).T
        ),
        "The picture is flipped, not transposed: row i must become column i.": lambda rows: _picture(rows).T.flip(0),
        "The map is turned upside down: 0 belongs to the smallest weight, 1 to the largest.": (
            lambda rows: 1 - _picture(rows)
        ),
    },
    cases=[(torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.2, 0.4, 0.4]]),), (_rows(6, 6, seed=2),)],
    name="the map",
    remark="After this nobody can tell from the picture whether the largest weight was 0.06 or 0.9.",
)


def _product(layers: Tensor) -> Tensor:
    """The last layer times … times the first."""
    flow = layers[0]
    for layer in layers[1:]:
        flow = layer @ flow
    return flow


def _mean(rows: Tensor) -> Tensor:
    """The mean over the heads, (L, H, N, N) -> (L, N, N)."""
    return rows.mean(dim=1)


def _halved(layers: Tensor) -> Tensor:
    """The mean of rows and identity."""
    return (layers + torch.eye(layers.shape[-1])) / 2


ONE_HEAD = torch.tensor([[[[1.0, 0, 0], [1, 0, 0], [0, 0.5, 0.5]]], [[[0, 0, 1], [0, 1, 0], [0.5, 0.5, 0]]]])

# Attention rollout of the rows of a stage, (L, H, N, N) -> (N, N).
exercise_3 = Exercise(
    right=attention_rollout,
    mistakes={
        "The layers are multiplied in the wrong order: a later layer looks at what an earlier one gave, so it stands "
        "on the left.": lambda rows: _product(_halved(_mean(rows)).flip(0)),
        "The residual is missing: each layer also keeps its own token, so average the rows with the identity.": (
            lambda rows: _product(_mean(rows))
        ),
        "The residual is missing: halving the rows alone loses half of the weight.": (
            lambda rows: _product(_mean(rows) / 2)
        ),
        "The residual is missing, and the layers are in the wrong order.": lambda rows: _product(_mean(rows).flip(0)),
        "Identity and rows are added but not halved: the rows of the result do not sum to one.": (
            lambda rows: _product(2 * _halved(_mean(rows)))
        ),
        "Halve the sum of the rows and the identity, not the rows alone.": (
            lambda rows: _product(_mean(rows) / 2 + torch.eye(rows.shape[-1]))
        ),
        "The layers are averaged: follow the flow through one after the other, with matrix products.": (
            lambda rows: _halved(_mean(rows)).mean(dim=0)
        ),
        "The layers are multiplied entry by entry: a flow through two layers is a matrix product.": (
            lambda rows: _halved(_mean(rows)).prod(dim=0)
        ),
        "This is the last layer alone: what it looks at are tokens that the layers before have mixed.": (
            lambda rows: _halved(_mean(rows))[-1]
        ),
        "This is the first layer alone: the later ones mix on.": lambda rows: _halved(_mean(rows))[0],
        "The result is transposed: row i says where output token i comes from.": lambda rows: attention_rollout(rows).T,
        "Only the first two layers are followed: a stage may have more.": lambda rows: attention_rollout(rows[:2]),
        "Only the first head is followed: average all heads of a layer.": lambda rows: attention_rollout(rows[:, :1]),
        "The heads are added: average them, so that the rows still sum to one.": (
            lambda rows: _product(_halved(rows.sum(dim=1)))
        ),
        "You took the largest weight of the heads: average them.": lambda rows: _product(_halved(rows.amax(dim=1))),
        "You made a rollout of each head and averaged these: average the heads of each layer first.": (
            lambda rows: _product(_halved(rows)).mean(dim=0)
        ),
    },
    cases=[(ONE_HEAD,), (_rows(2, 3, 4, 4, seed=3),), (_rows(4, 2, 5, 5, seed=4),)],
    name="the rollout",
    remark="It keeps the books of the weights. That values and MLPs do other things to the tokens, it cannot know.",
)


def _weights_and_flow(*weights: float, blend: float = 1.0) -> tuple[Tensor, Tensor]:
    """Weights of the head, and a rollout that mixes the tokens less where `blend` is smaller."""
    size = len(weights)
    return torch.tensor(weights), blend * _rows(size, size, seed=size) + (1 - blend) * torch.eye(size)


# The share of each frame in the prediction, from the head's weights (F,) and the rollout (F, F): (F,).
exercise_4 = Exercise(
    right=lambda weights, flow: weights / weights.sum() @ flow,
    mistakes={
        "The rollout is used the wrong way round: row i says where token i comes from, and the weight of token i "
        "belongs to it.": lambda weights, flow: flow @ weights / weights.sum(),
        "The head's weights are not divided by their sum: shares sum to one, whatever the common sign.": (
            lambda weights, flow: weights @ flow
        ),
        "You divided by the sum of the absolute weights, so that a common minus sign is left over.": (
            lambda weights, flow: weights / weights.abs().sum() @ flow
        ),
        "You took absolute weights: a weight against the common sign counts against its token.": (
            lambda weights, flow: weights.abs() / weights.abs().sum() @ flow
        ),
        "You took absolute shares at the end: a token with the other sign is subtracted, its share is negative.": (
            lambda weights, flow: (weights @ flow).abs() / (weights @ flow).abs().sum()
        ),
        "You divided by the length of the weights: divide by their sum.": (
            lambda weights, flow: weights / weights.norm() @ flow
        ),
        "You divided by the largest weight: divide by the sum of all.": (
            lambda weights, flow: weights / weights.max() @ flow
        ),
        "Every weight belongs to an output token, a row of the rollout; here it multiplies a column.": (
            lambda weights, flow: weights / weights.sum() * flow.sum(dim=0)
        ),
        "You took a softmax of the weights: they enter as they are, divided by their sum.": (
            lambda weights, flow: weights.softmax(dim=0) @ flow
        ),
        "This is the row of the center frame: the head reads all tokens, each with its weight.": (
            lambda weights, flow: flow[len(flow) // 2]
        ),
        "All tokens count alike here: weigh the rows of the rollout with the head's weights.": (
            lambda weights, flow: flow.mean(dim=0)
        ),
        "These are the head's shares alone: the tokens they weigh are mixtures of frames, as the rollout says.": (
            lambda weights, flow: weights / weights.sum()
        ),
        "Only what each token keeps of its own frame is counted: sum over all tokens.": (
            lambda weights, flow: weights / weights.sum() * flow.diagonal()
        ),
        "These are the parts of all tokens in a table: add up over the tokens, the first axis.": (
            lambda weights, flow: (weights / weights.sum())[:, None] * flow
        ),
    },
    cases=[
        _weights_and_flow(0.2, 0.6, 0.2),
        _weights_and_flow(-0.1, -0.5, -0.9, -0.4, -0.3),
        _weights_and_flow(-0.2, 0.5, 0.9, 0.4, 0.3),
        _weights_and_flow(-0.8, 0.5, 0.9, 0.4, blend=0.2),  # hardly mixed: a share is negative
    ],
    name="the vector of shares",
    remark="Two steps of bookkeeping, the rollout and the mean. The experiment that follows checks the books.",
)


def _zeroed(channels, axis: int = 1):
    """The weight with zeros in its columns (rows: axis=0) channels(head, heads, width of a head)."""

    def answer(weight, head, heads):
        zeroed = weight.clone()
        zeroed.movedim(axis, 0)[channels(head, heads, weight.shape[1] // heads)] = 0
        return zeroed

    return answer


def _part(head: int, heads: int, width: int) -> slice:
    return slice(head * width, (head + 1) * width)


_without_head = _zeroed(_part)


def _cut_out(weight, head, heads):
    width = weight.shape[1] // heads
    return torch.cat([weight[:, : head * width], weight[:, (head + 1) * width :]], dim=1)


# The weight of the projection without the columns of one head.
exercise_5 = Exercise(
    right=_without_head,
    mistakes={
        "Nothing has changed: set the columns of the head to zero.": lambda weight, head, heads: weight,
        "You set rows to zero, which are output channels: what a head hands in stands in the columns.": (
            _zeroed(_part, axis=0)
        ),
        "You counted the heads from 1: the first one is head 0.": (
            _zeroed(lambda head, heads, width: _part(head - 1, heads, width))
        ),
        "This is the head after it: head 0 has the columns 0 to C/H.": (
            _zeroed(lambda head, heads, width: _part(head + 1, heads, width))
        ),
        "You took every H-th column: a head has C/H columns side by side.": (
            _zeroed(lambda head, heads, width: slice(head, None, heads))
        ),
        "You took one column: a head has C/H of them, here {width}.": _zeroed(lambda head, heads, width: head),
        "The slice is H = {heads} columns wide: a head has C/H, here {width}.": (
            _zeroed(lambda head, heads, width: slice(head * heads, (head + 1) * heads))
        ),
        "The last column of the head is left: a slice ends before its second number.": (
            _zeroed(lambda head, heads, width: slice(head * width, (head + 1) * width - 1))
        ),
        "The slice begins at column `head`: the heads before take C/H columns each.": (
            _zeroed(lambda head, heads, width: slice(head, head + width))
        ),
        "The columns are cut out: the weight must keep its shape, with zeros in them.": _cut_out,
        "All other heads are gone and this one is left: it is the other way round.": (
            lambda weight, head, heads: weight - _without_head(weight, head, heads)
        ),
    },
    cases=[(_normal(6, 6, seed=6), 1, 3), (_normal(5, 12, seed=5), 2, 4), (_normal(8, 12, seed=8), 0, 2)],
    fields=lambda weight, head, heads: {"heads": heads, "width": weight.shape[1] // heads},
    name="the weight",
    changed="The weight that was given has changed: work on a copy, or the network has lost its head.",
    remark="The bias of the projection stays: it belongs to no head.",
)


def _means(errors: Tensor, draws: Tensor) -> Tensor:
    """The mean error of each draw."""
    return errors[draws].mean(dim=1)


def _interval(values=_means, middle=torch.mean, percentiles=(2.5, 97.5)):
    """The rise and, for its bounds, percentiles of values(rises of the takes, draws)."""

    def answer(baseline, without, draws):
        rise = without - baseline
        return [middle(rise), *np.percentile(values(rise, draws), percentiles)]

    return answer


_rise = _interval()


def _drawn_for_one(baseline, without, draws):
    return [(without - baseline).mean(), *np.percentile(_means(without, draws) - baseline.mean(), (2.5, 97.5))]


def _two_deviations(baseline, without, draws):
    means = _means(without - baseline, draws)
    return [(without - baseline).mean(), means.mean() - 2 * means.std(), means.mean() + 2 * means.std()]


def _distances(baseline, without, draws):
    rise, *bounds = _rise(baseline, without, draws)
    return [rise, *(bound - rise for bound in bounds)]


def _mean_of_draws(baseline, without, draws):
    return [_means(without - baseline, draws).mean(), *_rise(baseline, without, draws)[1:]]


def _takes() -> list[tuple]:
    """Errors with and without a head, and draws of takes."""
    random, cases = np.random.default_rng(6), []
    for takes, again in ((12, 400), (30, 1000)):
        baseline = random.uniform(30, 90, takes)
        without = baseline + random.gamma(1.0, 4.0, takes)
        draws = random.integers(0, takes, (again, takes))
        cases.append((torch.tensor(baseline), torch.tensor(without), torch.tensor(draws)))
    return cases


# The rise of the error without a head, and its interval over takes: (S,), (S,), (R, S) -> three numbers.
exercise_6_rise = Exercise(
    right=_rise,
    mistakes={
        "The sign is wrong: a head that is missed has a positive rise.": (
            lambda baseline, without, draws: _rise(without, baseline, draws)
        ),
        "These are percentiles of single takes: take the mean over each draw first, then the percentiles.": (
            _interval(lambda rise, draws: rise)
        ),
        "The percentiles are those of all drawn takes: take the mean over each draw first.": (
            _interval(lambda rise, draws: rise[draws])
        ),
        "The means run over the draws: each row of draws is one drawing of takes.": (
            _interval(lambda rise, draws: rise[draws].mean(dim=0))
        ),
        "The takes are drawn for one of the two errors only: a take that is drawn brings both of its errors, or the "
        "differences between takes swamp those between networks.": _drawn_for_one,
        "These percentiles enclose 90 %: 2.5 and 97.5 enclose 95 %.": _interval(percentiles=(5, 95)),
        "The bounds are the smallest and largest mean: take the percentiles 2.5 and 97.5.": (
            _interval(percentiles=(0, 100))
        ),
        "You took medians over the takes: MPJPE is a mean.": (
            _interval(lambda rise, draws: rise[draws].quantile(0.5, dim=1), lambda rise: rise.quantile(0.5))
        ),
        "The rise is a median here: MPJPE is a mean.": _interval(middle=torch.median),
        "The rise is the mean over the draws, which only comes near: take the takes as they are.": _mean_of_draws,
        "np.percentile counts from 0 to 100: 0.025 there is a fortieth of one percent.": (
            _interval(percentiles=(0.025, 0.975))
        ),
        "The bounds are in the wrong order: the lower one first.": _interval(percentiles=(97.5, 2.5)),
        "These are two standard deviations to either side: the percentiles of the means are asked for.": (
            _two_deviations
        ),
        "Each error has percentiles of its own here, and they are subtracted: take the difference first.": (
            lambda baseline, without, draws: np.subtract(_rise(0, without, draws), _rise(0, baseline, draws))
        ),
        "This is the error without the head: subtract the baseline.": (
            lambda baseline, without, draws: _rise(0, without, draws)
        ),
        "The bounds are distances from the rise: give the percentiles themselves.": _distances,
        "This is a share of the error: the rise is asked for in mm.": (
            lambda baseline, without, draws: _rise(0 * baseline, without / baseline - 1, draws)
        ),
        "This is the rise in percent of the error: it is asked for in mm.": (
            lambda baseline, without, draws: 100 * np.array(_rise(baseline, without, draws)) / baseline.numpy().mean()
        ),
    },
    cases=_takes,
    name="the triple (rise, low, high)",
    tolerance=1e-3,
)


def exercise_6(answer):
    """Three numbers in any wrapping; whatever makes the interval far too wide most likely draws twice."""
    given = []

    def three_numbers(*case):
        got = answer(*case)
        if got is None:
            raise NotAnswered
        got = got if isinstance(got, tuple | list) else torch.as_tensor(got).flatten().tolist()
        if len(got) != 3:
            raise Wrong("Return three numbers: the rise, the lower and the upper bound.")
        given[:] = [float(number) for number in got]
        return list(given)

    def too_wide(*case):
        _, low, high = _rise(*case)
        return given if given[2] - given[1] > 2 * (high - low) else np.nan

    hint = "The interval is far too wide: draw the same takes for both errors."
    replace(exercise_6_rise, mistakes={**exercise_6_rise.mistakes, hint: too_wide})(three_numbers)
    return "The interval is about takes: other takes of this kind, the same network. Of other networks it says nothing."
