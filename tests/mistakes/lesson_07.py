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


def as_one_cloud(predicted, target):
    """All joints of all frames as the points of one alignment."""
    return procrustes(predicted.reshape(1, -1, 3), target.reshape(1, -1, 3)).view_as(target)


def turned_with(*, sign_of=None, rotation=None, denominator=None, centre=None):
    """07.2 with another sign_of(determinants), rotation(u, vh, sign), denominator(x, y) or centre(pose)."""

    def align(predicted, target):
        middle = centre or (lambda pose: pose.mean(1, keepdim=True))
        x, y = predicted - middle(predicted), target - middle(target)
        u, singular, vh = torch.linalg.svd(x.mT @ y)
        sign = (sign_of or last_sign)(torch.linalg.det(u @ vh))
        turn = (u * sign[:, None, :]) @ vh if rotation is None else rotation(u, vh, sign)
        below = x.square().sum((1, 2)) if denominator is None else denominator(x, y)
        return ((singular * sign).sum(1) / below)[:, None, None] * (x @ turn) + middle(target)

    return align


def last_sign(determinants):
    return torch.stack([torch.ones_like(determinants), torch.ones_like(determinants), determinants.sign()], dim=1)


def one_sign(determinants):
    return last_sign(determinants.min().expand_as(determinants))  # one frame is mirrored, and all are turned round


def in_place_and_left_at_the_origin(predicted, target):
    predicted -= predicted.mean(1, keepdim=True)
    target -= target.mean(1, keepdim=True)
    return procrustes(predicted, target)


def length_weighted(predicted, target):
    frames = torch.tensor([float(len(p)) for p in predicted])
    means = torch.stack([velocity(p, t).mean() for p, t in zip(predicted, target, strict=True)])
    return 1000 * (frames * means).sum() / frames.sum()


def of_coordinates(reduce):
    """A mean of the coordinates of all velocity errors, in mm."""
    return lambda p, t: 1000 * reduce(torch.cat([a.diff(dim=0) - b.diff(dim=0) for a, b in zip(p, t, strict=True)]))


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


def bootstrap(errors, takes, rng, draws, statistic=None, low=2.5, high=97.5, summary=None):
    names = np.unique(takes)
    drawn = rng.choice(names, size=(draws, len(names)))
    statistic = statistic or (lambda chosen: np.concatenate([errors[takes == name] for name in chosen]).mean())
    means = np.array([statistic(chosen) for chosen in drawn])
    return np.percentile(means, (low, high)) if summary is None else summary(means)


def without_replacement(errors, takes, rng, draws):
    names = np.unique(takes)
    drawn = [np.concatenate([errors[takes == name] for name in rng.permutation(names)]) for _ in range(draws)]
    return np.percentile([draw.mean() for draw in drawn], (2.5, 97.5))


def plus_minus(factor):
    return lambda e, t, rng, n: bootstrap(
        e, t, rng, n, summary=lambda m: (m.mean() - factor * m.std(), m.mean() + factor * m.std())
    )


MISTAKES = {
    "07.1": {
        "scales the truth": (lambda p, t: joint_dot(p, t) / joint_dot(t, t), "truth onto the prediction"),
        "upside down": (lambda p, t: joint_dot(p, p) / joint_dot(p, t), "upside down"),
        "ratio of norms": (lambda p, t: t.norm(dim=(1, 2)) / p.norm(dim=(1, 2)), "directions"),
        "one for all frames": (lambda p, t: (p * t).sum() / (p * p).sum(), "one factor for the whole video"),
        "one for all frames, repeated": (lambda p, t: ((p * t).sum() / (p * p).sum()).repeat(len(p)), "repeated"),
        "one per joint": (lambda p, t: ((p * t).sum(-1) / (p * p).sum(-1)).mean(-1), "per joint"),
        "ratio of mean norms": (lambda p, t: t.norm(dim=-1).mean(-1) / p.norm(dim=-1).mean(-1), "mean distances"),
        "centred first": (
            lambda p, t: (
                joint_dot(p - p.mean(1, keepdim=True), t - t.mean(1, keepdim=True))
                / (p - p.mean(1, keepdim=True)).square().sum((1, 2))
            ),
            "[Dd]o not centre",
        ),
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
        "one cloud": (as_one_cloud, "one cloud"),
        "in place, not shifted": (in_place_and_left_at_the_origin, "still centred"),
        "hip for mean": (turned_with(centre=lambda pose: pose[:, :1]), "hip"),
        "one sign": (turned_with(sign_of=one_sign), "In every frame"),
        "V for its transpose": (
            turned_with(rotation=lambda u, vh, sign: (u * sign[:, None]) @ vh.mT),
            "already transposed",
        ),
        "rows of U": (turned_with(rotation=lambda u, vh, sign: (u * sign[:, :, None]) @ vh), "rows of U"),
        "strongest direction": (turned_with(sign_of=lambda d: last_sign(d).flip(1)), "strongest direction"),
        "target below the bar": (turned_with(denominator=lambda x, y: y.square().sum((1, 2))), "below the bar"),
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
        "weighted by frames": (length_weighted, "by its frames"),
        "root mean square": (of_coordinates(lambda d: d.square().sum(-1).mean().sqrt()), "squares"),
        "root mean square of coordinates": (of_coordinates(lambda d: d.square().mean().sqrt()), "squares"),
        "mean of coordinates": (of_coordinates(lambda d: d.abs().mean()), "coordinates"),
        "per second": (lambda p, t: 50 * errors_of_videos(velocity)(p, t), "per second"),
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
        "difference of spreads": (
            lambda a, b: statistics(a, b, lambda a, b: a.mean(1).std(ddof=1) - b.mean(1).std(ddof=1)),
            "not the difference",
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
        "fractions for percent": (lambda e, t, rng, n: bootstrap(e, t, rng, n, low=0.025, high=0.975), "in percent"),
        "without replacement": (without_replacement, "with replacement"),
        "two standard deviations": (plus_minus(2), "standard deviations"),
        "1.96 standard deviations": (plus_minus(1.96), "standard deviations"),
        "swapped": (lambda e, t, rng, n: bootstrap(e, t, rng, n)[::-1], "changed places"),
    },
}
