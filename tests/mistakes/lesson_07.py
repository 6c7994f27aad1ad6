"""Plausible mistakes in the exercises of lesson 07, and what their hints must say."""

import numpy as np
import torch


def joint_dot(a, b):
    return (a * b).sum((-2, -1))


def procrustes(predicted, target, *, covariance=None, flip=True, flip_scale=True, scale=True, transposed=False):
    """The right answer of 07.2 with one part left out or changed."""
    middle = target.mean(1, keepdim=True)
    x, y = predicted - predicted.mean(1, keepdim=True), target - middle
    u, singular, vh = torch.linalg.svd(x.transpose(1, 2) @ y if covariance is None else covariance(x, y))
    sign = torch.ones(len(x), 3)
    if flip:
        sign[:, 2] = torch.linalg.det(u @ vh).sign()
    rotation = u @ torch.diag_embed(sign) @ vh
    size = (singular * sign if flip_scale else singular).sum(1) / x.square().sum((1, 2))
    if covariance is not None:
        size = ((x @ rotation) * y).sum((1, 2)) / x.square().sum((1, 2))
    turned = x @ (rotation.transpose(1, 2) if transposed else rotation)
    return (size[:, None, None] if scale else 1) * turned + middle


def not_centred(predicted, target):
    u, singular, vh = torch.linalg.svd(predicted.mT @ target)
    sign = torch.ones(len(predicted), 3)
    sign[:, 2] = torch.linalg.det(u @ vh).sign()
    scale = (singular * sign).sum(1) / predicted.square().sum((1, 2))
    return scale[:, None, None] * (predicted @ (u @ torch.diag_embed(sign) @ vh))


def common_covariance(x, y):
    return torch.einsum("tjk,tjl->kl", x, y).expand(len(x), 3, 3)


def errors_of_videos(function):
    """A mean over all entries that `function` gives for each video, in mm."""
    return lambda p, t: 1000 * torch.cat([function(a, b).flatten() for a, b in zip(p, t, strict=True)]).mean()


def velocity(p, t):
    return (p.diff(dim=0) - t.diff(dim=0)).norm(dim=-1)


def grouped(names_of, errors, takes):
    """The mean over groups of frames; names_of gives the groups that a take is booked under."""
    groups = {}
    for error, take in zip(errors, takes, strict=True):
        for name in names_of(take, takes):
            groups.setdefault(name, []).append(error)
    return np.mean([np.mean(group) for group in groups.values()])


def base(take):
    return take.split(" ")[0]


def take_means_first(errors, takes):
    per_take = {take: np.mean(errors[np.array(takes) == take]) for take in set(takes)}
    names = list(per_take)
    return grouped(lambda take, _: [base(take)], [per_take[n] for n in names], names), errors.mean()


def statistics(first, second, spread):
    return (first - second).mean(), spread(first, second)


def bootstrap(errors, takes, rng, draws, statistic=None, low=2.5, high=97.5):
    names = np.unique(takes)
    drawn = rng.choice(names, size=(draws, len(names)))
    statistic = statistic or (lambda chosen: np.concatenate([errors[takes == name] for name in chosen]).mean())
    return np.percentile([statistic(chosen) for chosen in drawn], (low, high))


MISTAKES = {
    "07.1": {
        "scales the truth": (lambda p, t: joint_dot(p, t) / joint_dot(t, t), "truth onto the prediction"),
        "upside down": (lambda p, t: joint_dot(p, p) / joint_dot(p, t), "upside down"),
        "ratio of norms": (lambda p, t: t.norm(dim=(1, 2)) / p.norm(dim=(1, 2)), "directions"),
        "one for all frames": (lambda p, t: (p * t).sum() / (p * p).sum(), "one factor for the whole video"),
        "one for all frames, repeated": (lambda p, t: ((p * t).sum() / (p * p).sum()).repeat(len(p)), "repeated"),
        "one per joint": (lambda p, t: ((p * t).sum(-1) / (p * p).sum(-1)).mean(-1), "per joint"),
    },
    "07.2": {
        "no centring": (not_centred, "not centred"),
        "no scale": (lambda p, t: procrustes(p, t, scale=False), "scale is missing"),
        "reflection allowed": (lambda p, t: procrustes(p, t, flip=False, flip_scale=False), "mirrored"),
        "reflection in the scale": (lambda p, t: procrustes(p, t, flip_scale=False), "counts the direction"),
        "rotation transposed": (lambda p, t: procrustes(p, t, transposed=True), "transposed"),
        "left at the origin": (lambda p, t: procrustes(p, t) - t.mean(1, keepdim=True), "still centred"),
        "at the prediction's mean": (lambda p, t: procrustes(p, t) + (p - t).mean(1, keepdim=True), "shifted back"),
        "one rotation for all": (lambda p, t: procrustes(p, t, covariance=common_covariance), "one common rotation"),
    },
    "07.3": {
        "metres": (lambda p, t: errors_of_videos(velocity)(p, t) / 1000, "in metres"),
        "videos joined": (lambda p, t: 1000 * velocity(torch.cat(p), torch.cat(t)).mean(), "joined"),
        "difference of errors": (
            errors_of_videos(lambda a, b: (a - b).norm(dim=-1).diff(dim=0).abs()),
            "difference of the errors",
        ),
        "signed difference of errors": (errors_of_videos(lambda a, b: (a - b).norm(dim=-1).diff(dim=0)), "sign"),
        "along the joints": (errors_of_videos(lambda a, b: (a - b).diff(dim=1).norm(dim=-1)), "joint to joint"),
        "speeds": (
            errors_of_videos(lambda a, b: (a.diff(dim=0).norm(dim=-1) - b.diff(dim=0).norm(dim=-1)).abs()),
            "speeds",
        ),
        "videos count alike": (
            lambda p, t: 1000 * torch.stack([velocity(a, b).mean() for a, b in zip(p, t, strict=True)]).mean(),
            "every video counts alike",
        ),
    },
    "07.4": {
        "swapped": (lambda e, t: (e.mean(), grouped(lambda n, _: [base(n)], e, t)), "changed places"),
        "the batch's mean for every action": (lambda e, t: (e.mean(), e.mean()), "mixed"),
        "actions twice": (lambda e, t: (grouped(lambda n, _: [base(n)], e, t),) * 2, "count every frame alike"),
        "prefixes": (
            lambda e, t: (
                grouped(lambda n, all_names: {base(m) for m in all_names if n.startswith(base(m))}, e, t),
                e.mean(),
            ),
            "first letters",
        ),
        "a row per take": (lambda e, t: (grouped(lambda n, _: [n], e, t), e.mean()), "same action"),
        "takes count alike": (take_means_first, "every take counts alike"),
    },
    "07.5": {
        "sign": (lambda a, b: (-(a - b).mean(), (a - b).mean(1).std(ddof=1)), "reversed"),
        "population": (lambda a, b: statistics(a, b, lambda a, b: (a - b).mean(1).std()), "ddof=1"),
        "unpaired": (
            lambda a, b: statistics(a, b, lambda a, b: np.hypot(a.mean(1).std(ddof=1), b.mean(1).std(ddof=1))),
            "unpaired",
        ),
        "over actions": (lambda a, b: statistics(a, b, lambda a, b: (a - b).mean(0).std(ddof=1)), "of the actions"),
        "over both": (lambda a, b: statistics(a, b, lambda a, b: (a - b).std(ddof=1)), "together"),
        "standard error": (
            lambda a, b: statistics(a, b, lambda a, b: (a - b).mean(1).std(ddof=1) / np.sqrt(len(a))),
            "standard error",
        ),
    },
    "07.6": {
        "frames": (
            lambda e, t, rng, n: np.percentile(rng.choice(e, size=(n, len(e))).mean(axis=1), (2.5, 97.5)),
            "too narrow",
        ),
        "a take once": (
            lambda e, t, rng, n: bootstrap(e, t, rng, n, lambda chosen: e[np.isin(t, chosen)].mean()),
            "counts once",
        ),
        "takes count alike": (
            lambda e, t, rng, n: bootstrap(e, t, rng, n, lambda c: np.mean([e[t == name].mean() for name in c])),
            "counts alike",
        ),
        "ninety per cent": (lambda e, t, rng, n: bootstrap(e, t, rng, n, low=5, high=95), "90 %"),
        "one end": (lambda e, t, rng, n: bootstrap(e, t, rng, n, low=0, high=95), "one end"),
        "extremes": (lambda e, t, rng, n: bootstrap(e, t, rng, n, low=0, high=100), "smallest and the largest"),
    },
}
