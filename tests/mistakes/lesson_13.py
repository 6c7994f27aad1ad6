"""Plausible wrong answers to the exercises of lesson 13, and what the hint must say."""

import numpy as np
import pandas as pd


def either(a, b):
    """13.1 with one joint where the other was not found."""
    found = np.stack([np.where(p.any(axis=1, keepdims=True), p, np.nan) for p in (a, b)])
    count = np.isfinite(found).sum(axis=0)
    return np.divide(np.nansum(found, axis=0), count, where=count > 0, out=np.full(a.shape, np.nan))


def both_or_nothing(a, b):
    return np.array([np.add(p, q) / 2 if p.all() and q.all() else [np.nan, np.nan] for p, q in zip(a, b, strict=True)])


def with_limit(x, longest):
    """13.2 as pandas does it, which fills the first frames of a long gap."""
    return pd.Series(x).interpolate(limit=longest, limit_area="inside").to_numpy()


def every_gap(x, longest):
    return pd.Series(x).interpolate(limit_area="inside").to_numpy()


def nan_for_a_number(x, longest):
    return np.full(len(x), np.nan)


def clock_from_zero(values, seconds, fps):
    return np.interp(np.arange(0, seconds[-1] - seconds[0] + 1e-6, 1 / fps), seconds, values)


def picture_before(values, seconds, fps):
    times = np.arange(seconds[0], seconds[-1] + 1e-6, 1 / fps)
    return [values[seconds <= t + 1e-9][-1] for t in times]


def exchange(left, right, repaired=True, both=True):
    a, b = left.copy(), right.copy()
    for t in range(1, len(a)):
        last = (a[t - 1], b[t - 1]) if repaired else (left[t - 1], right[t - 1])
        costs = [
            np.linalg.norm(p - last[0]) + both * np.linalg.norm(q - last[1])
            for p, q in ((left[t], right[t]), (right[t], left[t]))
        ]
        if costs[1] < costs[0]:
            a[t], b[t] = right[t], left[t]
    return a, b


def leftmost(left, right):
    first = left[:, :1] < right[:, :1]
    return np.where(first, left, right), np.where(first, right, left)


def sides(box):
    return box[2] - box[0], box[3] - box[1]


def shared(a, b):
    return [max(0, min(a[i + 2], b[i + 2]) - max(a[i], b[i])) for i in (0, 1)]


def largest_intersection(last, boxes):
    best, most = -1, 0
    for number, box in enumerate(boxes):
        if np.prod(shared(last, box)) > most:
            best, most = number, np.prod(shared(last, box))
    return best


def of_its_own_area(last, boxes):
    shares = {np.prod(shared(last, box)) / np.prod(sides(box)): i for i, box in reversed([*enumerate(boxes)])}
    return shares[max(shares)] if any(shares) else -1


def none_for_nobody(last, boxes):
    return 0 if any(all(shared(last, box)) for box in boxes) else None


def largest_joint(first, second, share):
    far = ((first - second) ** 2).sum(-1).max(1)
    return far >= np.sort(far)[-int(np.ceil(share * len(far)))]


def rounded_down(first, second, share):
    far = np.sqrt(((first - second) ** 2).sum(-1)).sum(1)
    return far > np.sort(far)[-int(share * len(far)) - 1]


def numbers_of_frames(first, second, share):
    return np.argsort(-np.linalg.norm(first - second, axis=-1).mean(-1))[:4]


def quantile(first, second, share):
    apart = np.linalg.norm(first - second, axis=-1).mean(axis=-1)
    return apart >= np.quantile(apart, 1 - share)


MISTAKES = {
    "13.1": {
        "the other one": (either, "return the other"),
        "one zero": (both_or_nothing, "left edge"),
        "never found": (lambda a, b: a * np.nan, "middle is NaN at .0, 0., where"),
    },
    "13.2": {
        "every gap": (every_gap, "however long"),
        "in part": (with_limit, "as a whole"),
        "all open": (nan_for_a_number, "track is NaN at .1., where"),
    },
    "13.3": {
        "from zero": (clock_from_zero, "begins at 0"),
        "the one before": (picture_before, "on either side"),
    },
    "13.4": {
        "as found": (lambda a, b: exchange(a, b, repaired=False), "as repaired"),
        "one track": (lambda a, b: exchange(a, b, both=False), "sum over both"),
        "untouched": (lambda a, b: (a, b), "as they were"),
        "all exchanged": (lambda a, b: exchange(a, b)[::-1], "from the first frame"),
        "leftmost": (leftmost, "either side"),
        "one array": (lambda a, b: exchange(a, b)[0], "two arrays"),
    },
    "13.5": {
        "intersection": (largest_intersection, "huge box"),
        "own area": (of_its_own_area, "small box inside"),
        "none": (none_for_nobody, "None"),
    },
    "13.6": {
        "largest joint": (largest_joint, "mean over the joints"),
        "rounded down": (rounded_down, "round"),
        "a quantile": (quantile, "one frame is missing"),
        "numbers": (numbers_of_frames, "True and False"),
    },
}
