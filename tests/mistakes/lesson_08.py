"""Plausible wrong answers to the exercises of lesson 08, and what the hint must say."""

import numpy as np
import torch


def rollout_in_the_wrong_order(rows):
    flow = torch.eye(rows.shape[-1])
    for heads in rows:
        flow = (flow @ heads.mean(dim=0) + flow) / 2
    return flow


def rollout_of_the_heads(rows):
    flow = torch.eye(rows.shape[-1])
    for heads in rows:
        flow = (heads @ flow + flow) / 2  # (H, N, N)
    return flow.mean(dim=0)


def without_columns(weight, *columns):
    kept = [column not in columns for column in range(weight.shape[1])]
    return torch.where(torch.tensor(kept), weight, torch.zeros(()))


def in_place(weight, head, num_heads):
    width = weight.shape[1] // num_heads
    weight[:, head * width : (head + 1) * width] = 0
    return weight


def bounds(baseline, without, draws, other_draws, *quantiles):
    means = without[draws].mean(dim=1) - baseline[other_draws].mean(dim=1)
    return (without - baseline).mean(), *torch.quantile(means, torch.tensor(quantiles, dtype=means.dtype))


MISTAKES = {
    "08.1": {
        "zero times minus infinity": (lambda rows: (-(rows * rows.log()).sum(dim=-1)).exp(), "NaN"),
        "zeros counted": (
            lambda rows: (-(rows * rows.clamp_min(1e-9).log()).sum(dim=-1)).exp() + (rows == 0).sum(dim=-1),
            "exactly zero must add nothing",
        ),
        "two to the power of nats": (lambda rows: 1 / (rows**rows).prod(dim=-1) ** np.log(2), "You took 2 to the"),
        "e to the power of bits": (
            lambda rows: torch.exp(-(rows * rows.clamp_min(1e-30).log2()).sum(dim=-1)),
            "do not fit together",
        ),
    },
    "08.2": {
        "subtracted above only": (lambda rows: rows.T / rows.max() - rows.min() / rows.max(), "above and not below"),
        "every key by itself": (
            lambda rows: torch.stack([(key - key.min()) / (key.max() - key.min()) for key in rows.T]),
            "Every key is scaled by itself",
        ),
    },
    "08.3": {
        "order": (rollout_in_the_wrong_order, "wrong order"),
        "heads averaged last": (rollout_of_the_heads, "average the heads of each layer first"),
    },
    "08.4": {
        "rollout the wrong way": (lambda w, flow: torch.einsum("ij,j->i", flow, w) / w.sum(), "wrong way round"),
        "absolute sum": (lambda w, flow: torch.nn.functional.normalize(w, p=1, dim=0) @ flow, "weights, so that"),
    },
    "08.5": {
        "one column": (lambda weight, head, n: without_columns(weight, head), "one column.*here 2"),
        "H wide": (
            lambda weight, head, n: without_columns(weight, *(n * head + i for i in range(n))),
            "H = 3 columns.*C/H, here 2",
        ),
        "in place": (in_place, "work on a copy"),
    },
    "08.6": {
        "drawn for one error": (
            lambda a, b, draws: bounds(a, b, draws, torch.arange(len(a))[None], 0.025, 0.975),
            "brings both of its errors",
        ),
        "ninety percent": (lambda a, b, draws: bounds(a, b, draws, draws, 0.05, 0.95), "enclose 90 %"),
        "two drawings": (lambda a, b, draws: bounds(a, b, draws, draws.flip(0), 0.025, 0.975), "far too wide"),
        "a drawing of its own": (
            lambda a, b, draws: bounds(a, b, draws, torch.randint(len(a), draws.shape), 0.025, 0.975),
            "far too wide",
        ),
        "bounds from the rise": (
            lambda a, b, draws: (
                torch.tensor(bounds(a, b, draws, draws, 0.025, 0.975)) - (b - a).mean() * torch.tensor([0, 1, 1])
            ),
            "distances from the rise",
        ),
        "relative to each error": (
            lambda a, b, draws: bounds(torch.zeros_like(a), b / a - 1, draws, draws, 0.025, 0.975),
            "share of the error",
        ),
        "no bounds": (lambda a, b, draws: (b - a).mean(), "three numbers"),
    },
}
