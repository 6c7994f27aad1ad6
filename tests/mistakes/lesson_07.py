"""Plausible mistakes in the exercises of lesson 07, and what their hints must say."""

import numpy as np
import torch


def rotation_and_gain(x, y):
    """The best proper rotation of one centered pose onto another, and its gain."""
    u, singular, v = torch.svd(x.T @ y)
    sign = torch.tensor([1.0, 1.0, torch.linalg.det(u) * torch.linalg.det(v)])
    return u @ torch.diag(sign) @ v.T, singular @ sign


def aligned(predicted, target, middle=lambda pose: pose.mean(0), shift=True):
    """07.2 frame by frame, with the mistake as an argument."""
    frames = []
    for p, t in zip(predicted, target, strict=True):
        rotation, gain = rotation_and_gain(p - middle(p), t - middle(t))
        size = gain / (p - middle(p)).square().sum()
        frames.append(size * (p - middle(p)) @ rotation + (middle(t) if shift else 0))
    return torch.stack(frames)


def steps_and_frames(p, t):
    """The mean over the steps of each video, weighted by its number of frames."""
    lengths = np.array([len(video) for video in p])
    means = [np.linalg.norm(np.diff((a - b).numpy(), axis=0), axis=-1).mean() for a, b in zip(p, t, strict=True)]
    return 1000 * np.average(means, weights=lengths)


def grouped(names_of, errors, takes):
    """The mean over groups of frames; names_of gives the groups that a take is booked under."""
    groups = {}
    for error, take in zip(errors, takes, strict=True):
        for name in names_of(take, takes):
            groups.setdefault(name, []).append(error)
    return np.mean([np.mean(group) for group in groups.values()])


def booked_by_first_letters(take, takes):
    return {name.split()[0] for name in takes if take.startswith(name.split()[0])}


def each_take_once(errors, takes, rng, draws):
    means = [errors[np.isin(takes, rng.choice(np.unique(takes), 5))].mean() for _ in range(draws)]
    return np.quantile(means, [0.025, 0.975])


def in_fractions(errors, takes, rng, draws):
    drawn = [np.concatenate([errors[takes == t] for t in rng.choice(np.unique(takes), 5)]) for _ in range(draws)]
    return np.quantile([draw.mean() for draw in drawn], [0.00025, 0.00975])


def without_replacement(errors, takes, rng, draws):
    names = np.unique(takes)
    drawn = [np.concatenate([errors[takes == name] for name in rng.permutation(names)]) for _ in range(draws)]
    return np.percentile([draw.mean() for draw in drawn], (2.5, 97.5))


MISTAKES = {
    "07.1": {
        "scales the truth": (
            lambda p, t: torch.einsum("tjc,tjc->t", p, t) / torch.einsum("tjc,tjc->t", t, t),
            "truth onto the prediction",
        ),
        "one for all frames, repeated": (
            lambda p, t: (torch.linalg.lstsq(p.reshape(-1, 1), t.reshape(-1, 1)).solution[0]).repeat(len(p)),
            "repeated",
        ),
    },
    "07.2": {
        "left at the origin": (lambda p, t: aligned(p, t, shift=False), "still centered"),
        "hip for mean": (lambda p, t: aligned(p, t, middle=lambda pose: pose[0]), "hip"),
    },
    "07.3": {
        "weighted by frames": (steps_and_frames, "by its frames"),
        "joined": (
            lambda p, t: 1000 * np.linalg.norm(np.diff(np.vstack(p) - np.vstack(t), axis=0), axis=-1).mean(),
            "joined",
        ),
    },
    "07.4": {
        "prefixes": (lambda e, t: (grouped(booked_by_first_letters, e, t), e.mean()), "first letters"),
        "a row per take": (lambda e, t: (grouped(lambda name, _: [name], e, t), e.mean()), "same action"),
    },
    "07.5": {
        "population": (lambda a, b: ((a - b).mean(), np.cov((a - b).mean(1), ddof=0) ** 0.5), "ddof=1"),
        "unpaired": (
            lambda a, b: ((a - b).mean(), np.hypot(a.mean(1).std(ddof=1), b.mean(1).std(ddof=1))),
            "unpaired",
        ),
    },
    "07.6": {
        "a take once": (each_take_once, "counts once"),
        "fractions for percent": (in_fractions, "in percent"),
        "frames": (
            lambda e, t, rng, n: np.percentile(rng.choice(e, size=(n, len(e))).mean(axis=1), (2.5, 97.5)),
            "too narrow",
        ),
        "without replacement": (without_replacement, "with replacement"),
    },
}
