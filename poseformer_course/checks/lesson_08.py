"""Checkers of lesson 08, attention maps."""

import numpy as np
import torch
from torch import Tensor

from poseformer_course.checks.judge import NotAnswered, Wrong, compare
from poseformer_lite.model.heads import AttentionMaps, attention_rollout, figure_maps


def exercise_1(answer):
    """Over how many tokens each row is spread: e to the entropy, (..., N) -> (...)."""
    hand = torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1], [0.4, 0.3, 0.2, 0.1]])
    for rows in (hand, _rows(3, 2, 5, 5, seed=1)):
        entropy = torch.special.entr(rows).sum(dim=-1)
        mistakes = {
            "This is the entropy: the number of tokens is e to the power of it.": entropy,
            "The sign is missing: the logarithm of a weight is negative, the entropy is not.": (-entropy).exp(),
            "These are the negative entropies: change the sign, then take the exponential.": -entropy,
            "Logarithm and power do not fit together: with log2 take 2 to the power, with log take e.": (
                (entropy / np.log(2)).exp()
            ),
            "You took 2 to the power of an entropy in natural logarithms: take e.": 2**entropy,
            "The terms of a row are averaged: the entropy is their sum.": (entropy / rows.shape[-1]).exp(),
            "The sum runs over the queries: it must run over the keys, the last axis.": (
                torch.special.entr(rows).sum(dim=-2).exp()
            ),
            "All rows are thrown together: every row has an answer of its own.": entropy.sum().exp(),
            "The rows are averaged before the answer: give one number for each row.": entropy.exp().mean(),
            "This is one over the sum of squares, another measure of the same thing: the entropy is asked for.": (
                1 / rows.square().sum(dim=-1)
            ),
            "The last axis is kept, with length 1: make (...) of (..., N).": entropy.exp().unsqueeze(-1),
            "This is one over the largest weight: here all weights of a row count.": 1 / rows.amax(dim=-1),
            "You divided by the logarithm of the number of tokens: that makes a share, from 0 to 1.": (
                entropy / np.log(rows.shape[-1])
            ),
        }
        compare(answer(rows.clone()), entropy.exp(), mistakes, name="the number of tokens")
    sharp = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    got = answer(sharp.clone())
    if torch.as_tensor(got).isnan().any():
        raise Wrong(
            "A row with a weight of exactly zero gives NaN, since log 0 is minus infinity: such a weight adds nothing "
            "to the entropy. torch.special.entr, torch.xlogy or a mask know that."
        )
    hint = "A weight of exactly zero must add nothing: the rows (1, 0, 0) and (0, 0.5, 0.5) give 1 and 2."
    compare(got, torch.tensor([1.0, 2.0]), {hint: got}, name="the number of tokens")
    return "One number for what the eye calls focused, between 1 and the number of tokens."


def exercise_2(answer):
    """A head's rows as the paper draws them: queries across, from 0 to 1. (N, N) -> (N, N)."""
    for rows in (torch.tensor([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.2, 0.4, 0.4]]), _rows(6, 6, seed=2)):
        maps = AttentionMaps(None, rows[None, None, None])
        right = figure_maps(maps, "temporal")[0].T
        span = rows.max() - rows.min()
        per_query = (rows - rows.amin(1, keepdim=True)) / (rows.amax(1, keepdim=True) - rows.amin(1, keepdim=True))
        per_key = (rows - rows.amin(0)) / (rows.amax(0) - rows.amin(0))
        mistakes = {
            "The scale is right, but the queries still stand in the rows: in the paper's picture they lie along the "
            "horizontal axis.": right.T,
            "The axes are right, but these are still the weights: scale them from 0 to 1.": rows.T,
            "You divided by the largest weight only: then the smallest one is not 0.": (rows / rows.max()).T,
            "You divided by the span and did not subtract the smallest weight first.": (rows / span).T,
            "The smallest weight is 0, the largest is not 1 yet: divide by the span.": (rows - rows.min()).T,
            "Every query is scaled by itself: one smallest and one largest weight hold for the whole map.": per_query.T,
            "Every key is scaled by itself: one smallest and one largest weight hold for the whole map.": per_key.T,
            "Every query is scaled by itself, and the queries still stand in the rows.": per_query,
            "You divided by the largest weight only, and the queries still stand in the rows.": rows / rows.max(),
            "The smallest weight was subtracted above and not below: divide by the largest minus the smallest.": (
                (rows - rows.min()) / rows.max()
            ).T,
            "The picture is flipped, not transposed: row i must become column i.": right.T.flip(0),
            "The map is turned upside down: 0 belongs to the smallest weight, 1 to the largest.": 1 - right,
        }
        compare(answer(rows.clone()), right, mistakes, name="the map")
    return "After this nobody can tell from the picture whether the largest weight was 0.06 or 0.9."


def exercise_3(answer):
    """Attention rollout of the rows of a stage, (L, H, N, N) -> (N, N)."""
    hand = torch.tensor([[[1.0, 0, 0], [1, 0, 0], [0, 0.5, 0.5]], [[0, 0, 1], [0, 1, 0], [0.5, 0.5, 0]]])[:, None]
    for rows in (hand, _rows(2, 3, 4, 4, seed=3), _rows(4, 2, 5, 5, seed=4)):
        identity = torch.eye(rows.shape[-1])
        mean = rows.mean(dim=1)  # (L, N, N)
        both = (mean + identity) / 2
        mistakes = {
            "The layers are multiplied in the wrong order: a later layer looks at what an earlier one gave, so it "
            "stands on the left.": _product(both.flip(0)),
            "The residual is missing: each layer also keeps its own token, so average the rows with the identity.": (
                _product(mean)
            ),
            "The residual is missing: halving the rows alone loses half of the weight.": _product(mean / 2),
            "The residual is missing, and the layers are in the wrong order.": _product(mean.flip(0)),
            "Identity and rows are added but not halved: the rows of the result do not sum to one.": (
                _product(mean + identity)
            ),
            "Halve the sum of the rows and the identity, not the rows alone.": _product(mean / 2 + identity),
            "The layers are averaged: follow the flow through one after the other, with matrix products.": both.mean(0),
            "The layers are multiplied entry by entry: a flow through two layers is a matrix product.": both.prod(0),
            "This is the last layer alone: what it looks at are tokens that the layers before have mixed.": both[-1],
            "This is the first layer alone: the later ones mix on.": both[0],
            "The result is transposed: row i says where output token i comes from.": _product(both).T,
        }
        if len(rows) > 2:
            mistakes["Only the first two layers are followed: a stage may have more."] = both[1] @ both[0]
        if rows.shape[1] > 1:
            mistakes |= {
                "Only the first head is followed: average all heads of a layer.": _product((rows[:, 0] + identity) / 2),
                "The heads are added: average them, so that the rows still sum to one.": (
                    _product((rows.sum(dim=1) + identity) / 2)
                ),
                "You took the largest weight of the heads: average them.": _product((rows.amax(dim=1) + identity) / 2),
                "You made a rollout of each head and averaged these: average the heads of each layer first.": (
                    torch.stack([_product((head + identity) / 2) for head in rows.unbind(1)]).mean(dim=0)
                ),
            }
        compare(answer(rows.clone()), attention_rollout(rows), mistakes, name="the rollout")
    return "It keeps the books of the weights. That values and MLPs do other things to the tokens, it cannot know."


def exercise_4(answer):
    """The share of each frame in the prediction, from the head's weights (F,) and the rollout (F, F): (F,)."""
    for weights, blend in (
        ([0.2, 0.6, 0.2], 1),
        ([-0.1, -0.5, -0.9, -0.4, -0.3], 1),
        ([-0.2, 0.5, 0.9, 0.4, 0.3], 1),
        ([-0.8, 0.5, 0.9, 0.4], 0.2),  # hardly mixed: a share is negative
    ):
        weights, size = torch.tensor(weights), len(weights)
        flow = blend * _rows(size, size, seed=size) + (1 - blend) * torch.eye(size)
        share = weights / weights.sum()
        mistakes = {
            "The rollout is used the wrong way round: row i says where token i comes from, and the weight of token i "
            "belongs to it.": flow @ share,
            "The head's weights are not divided by their sum: shares sum to one, whatever the common sign.": (
                weights @ flow
            ),
            "You divided by the sum of the absolute weights, so that a common minus sign is left over.": (
                weights / weights.abs().sum() @ flow
            ),
            "You took absolute weights: a weight against the common sign counts against its token.": (
                weights.abs() / weights.abs().sum() @ flow
            ),
            "You took absolute shares at the end: a token with the other sign is subtracted, its share is negative.": (
                (weights @ flow).abs() / (weights @ flow).abs().sum()
            ),
            "You divided by the length of the weights: divide by their sum.": weights / weights.norm() @ flow,
            "You divided by the largest weight: divide by the sum of all.": weights / weights.max() @ flow,
            "Every weight belongs to an output token, a row of the rollout; here it multiplies a column.": (
                share * flow.sum(dim=0)
            ),
            "You took a softmax of the weights: they enter as they are, divided by their sum.": (
                weights.softmax(dim=0) @ flow
            ),
            "This is the row of the centre frame: the head reads all tokens, each with its weight.": flow[size // 2],
            "All tokens count alike here: weigh the rows of the rollout with the head's weights.": flow.mean(dim=0),
            "These are the head's shares alone: the tokens they weigh are mixtures of frames, as the rollout says.": (
                share
            ),
            "Only what each token keeps of its own frame is counted: sum over all tokens.": share * flow.diagonal(),
            "These are the parts of all tokens in a table: add up over the tokens, the first axis.": (
                share[:, None] * flow
            ),
        }
        compare(answer(weights.clone(), flow.clone()), share @ flow, mistakes, name="the vector of shares")
    return "Two steps of bookkeeping, the rollout and the mean. The experiment that follows checks the books."


def exercise_5(answer):
    """The weight of the projection without the columns of one head."""
    for rows, columns, heads, head in ((6, 6, 3, 1), (5, 12, 4, 2), (8, 12, 2, 0)):
        weight = _normal(rows, columns, seed=rows)
        width = columns // heads
        mistakes = {
            "Nothing has changed: set the columns of the head to zero.": weight,
            "You set rows to zero, which are output channels: what a head hands in stands in the columns.": (
                _zeroed(weight, slice(head * width, (head + 1) * width), axis=0)
            ),
            "You counted the heads from 1: the first one is head 0.": (
                _zeroed(weight, slice((head - 1) * width, head * width) if head else slice(0, 0))
            ),
            "This is the head after it: head 0 has the columns 0 to C/H.": (
                _zeroed(weight, slice((head + 1) * width, (head + 2) * width))
            ),
            "You took every H-th column: a head has C/H columns side by side.": (
                _zeroed(weight, slice(head, None, heads))
            ),
            f"You took one column: a head has C/H of them, here {width}.": _zeroed(weight, slice(head, head + 1)),
            f"The slice is H = {heads} columns wide: a head has C/H, here {width}.": (
                _zeroed(weight, slice(head * heads, (head + 1) * heads))
            ),
            "The last column of the head is left: a slice ends before its second number.": (
                _zeroed(weight, slice(head * width, (head + 1) * width - 1))
            ),
            "The slice begins at column `head`: the heads before take C/H columns each.": (
                _zeroed(weight, slice(head, head + width))
            ),
            "The columns are cut out: the weight must keep its shape, with zeros in them.": (
                torch.cat([weight[:, : head * width], weight[:, (head + 1) * width :]], dim=1)
            ),
            "All other heads are gone and this one is left: it is the other way round.": (
                weight - _zeroed(weight, slice(head * width, (head + 1) * width))
            ),
        }
        given = weight.clone()
        right = _zeroed(weight, slice(head * width, (head + 1) * width))
        compare(answer(given, head, heads), right, mistakes, name="the weight")
        if not torch.equal(given, weight):
            raise Wrong("The weight that was given has changed: work on a copy, or the network has lost its head.")
    return "The bias of the projection stays: it belongs to no head."


def exercise_6(answer):
    """The rise of the error without a head, and its interval over takes: (S,), (S,), (R, S) -> three numbers."""
    random = np.random.default_rng(6)
    for takes, again in ((12, 400), (30, 1000)):
        baseline = random.uniform(30, 90, takes)
        without = baseline + random.gamma(1.0, 4.0, takes)
        draws = random.integers(0, takes, (again, takes))
        rise = without - baseline

        def spread(values, low=2.5, high=97.5, middle=None, rise=rise):
            return [rise.mean() if middle is None else middle, *np.percentile(values, [low, high])]

        means = rise[draws].mean(axis=1)
        mistakes = {
            "The sign is wrong: a head that is missed has a positive rise.": spread(-means, middle=-rise.mean()),
            "These are percentiles of single takes: take the mean over each draw first, then the percentiles.": (
                spread(rise)
            ),
            "The percentiles are those of all drawn takes: take the mean over each draw first.": spread(rise[draws]),
            "The means run over the draws: each row of draws is one drawing of takes.": (
                spread(rise[draws].mean(axis=0))
            ),
            "The takes are drawn for one of the two errors only: a take that is drawn brings both of its errors, or "
            "the differences between takes swamp those between networks.": (
                spread(without[draws].mean(axis=1) - baseline.mean())
            ),
            "These percentiles enclose 90 %: 2.5 and 97.5 enclose 95 %.": spread(means, 5, 95),
            "The bounds are the smallest and largest mean: take the percentiles 2.5 and 97.5.": spread(means, 0, 100),
            "You took medians over the takes: MPJPE is a mean.": (
                spread(np.median(rise[draws], axis=1), middle=np.median(rise))
            ),
            "The rise is a median here: MPJPE is a mean.": spread(means, middle=np.sort(rise)[(takes - 1) // 2]),
            "The rise is the mean over the draws, which only comes near: take the takes as they are.": (
                spread(means, middle=means.mean())
            ),
            "np.percentile counts from 0 to 100: 0.025 there is a fortieth of one per cent.": (
                spread(means, 0.025, 0.975)
            ),
            "The bounds are in the wrong order: the lower one first.": spread(means, 97.5, 2.5),
            "These are two standard deviations to either side: the percentiles of the means are asked for.": (
                [rise.mean(), means.mean() - 2 * means.std(ddof=1), means.mean() + 2 * means.std(ddof=1)]
            ),
            "Each error has percentiles of its own here, and they are subtracted: take the difference first.": (
                np.array(spread(without[draws].mean(axis=1), middle=without.mean()))
                - spread(baseline[draws].mean(axis=1), middle=baseline.mean())
            ),
            "This is the error without the head: subtract the baseline.": (
                spread(without[draws].mean(axis=1), middle=without.mean())
            ),
            "This is the rise in per cent of the error: it is asked for in mm.": (
                100 * np.array(spread(means)) / baseline.mean()
            ),
        }
        given = answer(torch.tensor(baseline), torch.tensor(without), torch.tensor(draws))
        if given is None:
            raise NotAnswered
        given = given if isinstance(given, tuple | list) else torch.as_tensor(given).flatten().tolist()
        if len(given) != 3:
            raise Wrong("Return three numbers: the rise, the lower and the upper bound.")
        given, right = [float(number) for number in given], spread(means)
        if given[2] - given[1] > 2 * (right[2] - right[1]):
            mistakes["The interval is far too wide: draw the same takes for both errors."] = given
        compare(given, right, mistakes, name="the triple (rise, low, high)", tolerance=1e-3)
    return "The interval is about takes: other takes of this kind, the same network. Of other networks it says nothing."


def _product(layers: Tensor) -> Tensor:
    """The last layer times … times the first."""
    flow = layers[0]
    for layer in layers[1:]:
        flow = layer @ flow
    return flow


def _zeroed(weight: Tensor, which: slice, axis: int = 1) -> Tensor:
    changed = weight.clone()
    changed[which if axis == 0 else (slice(None), which)] = 0
    return changed


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _rows(*shape: int, seed: int) -> Tensor:
    return (1.5 * _normal(*shape, seed=seed)).softmax(dim=-1)
