"""Plausible wrong answers to the exercises of lesson 08, and what the hint must say."""

import numpy as np
import torch


def spread_over(power=torch.exp, log=torch.log, sign=-1, axis=-1, reduce=torch.sum):
    """The number of tokens of a row, with one thing wrong. Zero weights are left out rightly."""

    def answer(rows):
        terms = torch.where(rows > 0, rows * log(rows.clamp_min(1e-30)), 0.0)
        return power(sign * reduce(terms, dim=axis))

    return answer


def picture(scale, transposed=True):
    return lambda rows: scale(rows).T if transposed else scale(rows)


def whole(rows):
    return (rows - rows.min()) / (rows.max() - rows.min())


def each(axis):
    """Scaled along an axis by itself."""
    return lambda rows: (
        (rows - rows.amin(axis, keepdim=True)) / (rows.amax(axis, keepdim=True) - rows.amin(axis, keepdim=True))
    )


def rolled(heads=lambda rows: rows.mean(dim=1), residual=lambda a, eye: (a + eye) / 2, left=True):
    """Rollout layer by layer, with one thing wrong."""

    def answer(rows):
        layers = [residual(layer, torch.eye(rows.shape[-1])) for layer in heads(rows)]
        flow = layers[0]
        for layer in layers[1:]:
            flow = layer @ flow if left else flow @ layer
        return flow

    return answer


def rolled_by_heads(rows):
    flows = [rolled(heads=lambda rows, head=head: rows[:, head])(rows) for head in range(rows.shape[1])]
    return torch.stack(flows).mean(dim=0)


def without_slice(first=lambda head, width: head * width, width=lambda columns, heads: columns // heads, axis=1):
    def answer(weight, head, num_heads):
        weight = weight.clone()
        size = width(weight.shape[1], num_heads)
        start = first(head, weight.shape[1] // num_heads)
        weight[(slice(None), slice(start, start + size)) if axis else slice(start, start + size)] = 0
        return weight

    return answer


def in_place(weight, head, num_heads):
    width = weight.shape[1] // num_heads
    weight[:, head * width : (head + 1) * width] = 0
    return weight


def interleaved(weight, head, num_heads):
    weight = weight.clone()
    weight[:, head::num_heads] = 0
    return weight


def cut_out(weight, head, num_heads):
    width = weight.shape[1] // num_heads
    return torch.cat([weight[:, : head * width], weight[:, (head + 1) * width :]], dim=1)


def others(weight, head, num_heads):
    width = weight.shape[1] // num_heads
    kept = torch.zeros_like(weight)
    kept[:, head * width : (head + 1) * width] = weight[:, head * width : (head + 1) * width]
    return kept


def interval(means, quantiles=(0.025, 0.975), middle=torch.mean, sign=1):
    """The rise with its bounds; `means` makes the numbers whose quantiles are taken."""

    def answer(baseline, without, draws):
        rise = sign * (without - baseline)
        values = means(rise, baseline, without, draws).flatten()
        low, high = torch.quantile(values, torch.tensor(quantiles, dtype=values.dtype))
        return middle(rise), low, high

    return answer


def of_draws(rise, baseline, without, draws):
    return rise[draws].mean(dim=1)


def two_deviations(baseline, without, draws):
    means = (without - baseline)[draws].mean(dim=1)
    return (without - baseline).mean(), means.mean() - 2 * means.std(), means.mean() + 2 * means.std()


def two_intervals(baseline, without, draws):
    first, second = (interval(of_draws)(0 * errors, errors, draws) for errors in (baseline, without))
    return [b - a for a, b in zip(first, second, strict=True)]


MISTAKES = {
    "08.1": {
        "no exponential": (spread_over(power=lambda x: x), "e to the power of it"),
        "no sign": (spread_over(sign=1), "sign is missing"),
        "two to the power of nats": (spread_over(power=lambda x: 2**x), "You took 2 to the power"),
        "e to the power of bits": (spread_over(log=torch.log2), "do not fit together"),
        "the mean of the terms": (spread_over(reduce=torch.mean), "entropy is their sum"),
        "over the queries": (spread_over(axis=-2), "over the queries"),
        "one number for all": (lambda rows: spread_over()(rows).mean(), "one number for each row"),
        "zero times minus infinity": (lambda rows: (-(rows * rows.log()).sum(dim=-1)).exp(), "NaN"),
        "axis kept": (lambda rows: spread_over()(rows).unsqueeze(-1), "last axis is kept"),
        "the sum of squares": (lambda rows: 1 / rows.square().sum(dim=-1), "sum of squares"),
    },
    "08.2": {
        "queries still in the rows": (picture(whole, transposed=False), "still stand in the rows"),
        "not scaled": (picture(lambda rows: rows), "still the weights"),
        "by the largest only": (picture(lambda rows: rows / rows.max()), "largest weight only"),
        "nothing subtracted": (picture(lambda rows: rows / (rows.max() - rows.min())), "did not subtract"),
        "subtracted above only": (picture(lambda rows: (rows - rows.min()) / rows.max()), "above and not below"),
        "flipped": (lambda rows: whole(rows).flip(0), "flipped, not transposed"),
        "every query by itself": (picture(each(1)), "Every query is scaled by itself"),
        "every key by itself": (picture(each(0)), "Every key is scaled by itself"),
    },
    "08.3": {
        "order": (rolled(left=False), "wrong order"),
        "no residual": (rolled(residual=lambda a, eye: a), "residual is missing"),
        "no residual, halved": (rolled(residual=lambda a, eye: a / 2), "halving the rows alone"),
        "two layers": (lambda rows: rolled()(rows[:2]), "first two layers"),
        "not halved": (rolled(residual=lambda a, eye: a + eye), "not halved"),
        "half the rows": (rolled(residual=lambda a, eye: a / 2 + eye), "not the rows alone"),
        "first head": (rolled(heads=lambda rows: rows[:, 0]), "Only the first head"),
        "heads added": (rolled(heads=lambda rows: rows.sum(dim=1)), "heads are added"),
        "largest of the heads": (rolled(heads=lambda rows: rows.amax(dim=1)), "largest weight of the heads"),
        "heads averaged last": (rolled_by_heads, "average the heads of each layer first"),
        "layers averaged": (
            lambda rows: ((rows.mean(dim=1) + torch.eye(rows.shape[-1])) / 2).mean(dim=0),
            "layers are averaged",
        ),
        "entry by entry": (
            lambda rows: ((rows.mean(dim=1) + torch.eye(rows.shape[-1])) / 2).prod(dim=0),
            "entry by entry",
        ),
        "last layer": (lambda rows: (rows[-1].mean(dim=0) + torch.eye(rows.shape[-1])) / 2, "last layer alone"),
        "transposed": (lambda rows: rolled()(rows).T, "transposed"),
    },
    "08.4": {
        "rollout the wrong way": (lambda w, flow: flow @ (w / w.sum()), "wrong way round"),
        "not divided": (lambda w, flow: w @ flow, "not divided by their sum"),
        "absolute sum": (lambda w, flow: w / w.abs().sum() @ flow, "absolute weights, so that"),
        "absolute weights": (lambda w, flow: w.abs() / w.abs().sum() @ flow, "You took absolute weights"),
        "absolute shares": (lambda w, flow: (w @ flow).abs() / (w @ flow).abs().sum(), "share is negative"),
        "by the norm": (lambda w, flow: w / w.norm() @ flow, "length of the weights"),
        "by the largest": (lambda w, flow: w / w.max() @ flow, "largest weight"),
        "along the columns": (lambda w, flow: (w / w.sum() * flow).sum(dim=0), "multiplies a column"),
        "softmax": (lambda w, flow: w.softmax(dim=0) @ flow, "softmax"),
        "centre row": (lambda w, flow: flow[len(w) // 2], "centre frame"),
        "shares alone": (lambda w, flow: w / w.sum(), "shares alone"),
        "mean of the rows": (lambda w, flow: flow.mean(dim=0), "count alike"),
        "not added up": (lambda w, flow: (w / w.sum())[:, None] * flow, "add up over the tokens"),
    },
    "08.5": {
        "rows": (without_slice(axis=0), "You set rows to zero"),
        "counted from one": (
            without_slice(first=lambda head, width: max(head - 1, 0) * width),
            "counted the heads from 1",
        ),
        "one too far": (without_slice(first=lambda head, width: (head + 1) * width), "head after it"),
        "interleaved": (interleaved, "every H-th column"),
        "one column": (without_slice(first=lambda head, width: head, width=lambda c, h: 1), "one column"),
        "H wide": (
            lambda weight, head, n: without_slice(lambda h, w: h * n, lambda columns, heads: heads)(weight, head, n),
            "C/H, here 2",
        ),
        "one short": (
            lambda weight, head, n: without_slice(width=lambda c, h: c // h - 1)(weight, head, n),
            "last column of the head",
        ),
        "begins at head": (without_slice(first=lambda head, width: head), "begins at column"),
        "cut out": (cut_out, "keep its shape"),
        "the others": (others, "other way round"),
        "in place": (in_place, "work on a copy"),
    },
    "08.6": {
        "sign": (interval(of_draws, sign=-1), "sign is wrong"),
        "takes in place of means": (interval(lambda rise, *_: rise), "single takes"),
        "all drawn takes": (interval(lambda rise, baseline, without, draws: rise[draws]), "mean over each draw first"),
        "other axis": (
            interval(lambda rise, baseline, without, draws: rise[draws].mean(dim=0)),
            "each row of draws",
        ),
        "drawn for one error": (
            interval(lambda rise, baseline, without, draws: without[draws].mean(dim=1) - baseline.mean()),
            "brings both of its errors",
        ),
        "two drawings": (
            interval(
                lambda rise, baseline, without, draws: without[draws].mean(dim=1) - baseline[draws.flip(0)].mean(dim=1)
            ),
            "far too wide",
        ),
        "ninety per cent": (interval(of_draws, quantiles=(0.05, 0.95)), "enclose 90 %"),
        "smallest and largest": (interval(of_draws, quantiles=(0.0, 1.0)), "smallest and largest mean"),
        "medians": (
            interval(
                lambda rise, baseline, without, draws: torch.from_numpy(np.median(rise.numpy()[draws], axis=1)),
                middle=lambda rise: float(np.median(rise)),
            ),
            "medians",
        ),
        "the rise a median": (interval(of_draws, middle=torch.median), "The rise is a median"),
        "the rise of the draws": (
            lambda baseline, without, draws: (
                (without - baseline)[draws].mean(),
                *interval(of_draws)(baseline, without, draws)[1:],
            ),
            "mean over the draws",
        ),
        "shares taken for per cent": (
            lambda baseline, without, draws: (
                (without - baseline).mean(),
                *np.percentile((without - baseline)[draws].mean(dim=1), [0.025, 0.975]),
            ),
            "counts from 0 to 100",
        ),
        "upper first": (interval(of_draws, quantiles=(0.975, 0.025)), "wrong order"),
        "two deviations": (two_deviations, "standard deviations"),
        "two intervals subtracted": (two_intervals, "percentiles of its own"),
        "not a rise": (
            lambda baseline, without, draws: interval(of_draws)(0 * baseline, without, draws),
            "subtract the baseline",
        ),
        "no bounds": (lambda baseline, without, draws: (without - baseline).mean(), "three numbers"),
    },
}
