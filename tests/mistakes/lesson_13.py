"""Plausible mistakes in the exercises of lesson 13, and what their hints must say."""

import numpy as np


def missing(points):
    return (points == 0).all(-1) | np.isnan(points).any(-1)


def middle(a, b, lost=missing, unknown=np.nan):
    whole = (a + b) / 2
    whole[lost(a) | lost(b)] = unknown
    return whole


def either(a, b):
    a, b = (np.where(missing(p)[:, None], np.nan, p) for p in (a, b))
    whole = np.where(np.isnan(a), b, np.where(np.isnan(b), a, (a + b) / 2))
    return whole


def fill(x, longest, limit=lambda length, longest: length <= longest, ends=False, line=True, partly=False):
    known = np.flatnonzero(~np.isnan(x))
    filled = x.copy()
    for before, after in zip(known[:-1], known[1:], strict=True):
        count = after - before - 1
        inner = np.arange(before + 1, after)
        if not limit(count, longest):
            inner = inner[:longest] if partly else inner[:0]
        filled[inner] = np.interp(inner, [before, after], x[[before, after]]) if line else x[before]
    if ends:
        filled[: known[0]], filled[known[-1] + 1 :] = x[known[0]], x[known[-1]]
    return filled


def times(seconds, fps):
    return seconds[0] + np.arange(int((seconds[-1] - seconds[0]) * fps + 1e-6) + 1) / fps


def by_number(values, seconds, fps):
    return np.interp(np.linspace(0, len(values) - 1, len(times(seconds, fps))), np.arange(len(values)), values)


def picture_before(values, seconds, fps):
    return values[np.searchsorted(seconds, times(seconds, fps) + 1e-9, side="right") - 1]


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


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def shared(a, b, bound=0):
    width, height = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) for i in (0, 1))
    return max(width, bound) * max(height, bound)


def over_union(a, b, bound=0):
    return shared(a, b, bound) / max(area(a) + area(b) - shared(a, b, bound), 1)


def best(score, none=-1):
    def next_box(last, boxes):
        scores = [score(last, box) for box in boxes]
        return int(np.argmax(scores)) if scores and max(scores) > 0 else none

    return next_box


def nearness(a, b):
    return 1e4 - np.hypot(a[0] + a[2] - b[0] - b[2], a[1] + a[3] - b[1] - b[3])


def flag(score, down=0):
    """13.6 by another score, or with fewer frames."""

    def alarms(first, second, share):
        count = int(np.ceil(share * len(first))) - down
        flagged = np.zeros(len(first), bool)
        flagged[np.argsort(-score(first - second), kind="stable")[:count]] = True
        return flagged

    return alarms


def lengths(difference):
    return np.linalg.norm(difference, axis=-1)


def of_the_largest(first, second, share):
    score = lengths(first - second).mean(-1)
    return score > share * score.max()


MISTAKES = {
    "13.1": {
        "zero is a place": (lambda a, b: (a + b) / 2, "not found"),
        "the other one": (either, "return the other"),
        "one zero": (lambda a, b: middle(a, b, lambda p: (p == 0).any(-1) | np.isnan(p).any(-1)), "left edge"),
        "zero out": (lambda a, b: middle(a, b, unknown=0), "return NaN"),
        "sum": (lambda a, b: 2 * middle(a, b), "are sums"),
    },
    "13.2": {
        "every gap": (lambda x, n: fill(x, n, lambda length, longest: True), "however long"),
        "ends": (lambda x, n: fill(x, n, ends=True), "first and after the last"),
        "too strict": (lambda x, n: fill(x, n, lambda length, longest: length < longest), "exactly"),
        "in part": (lambda x, n: fill(x, n, partly=True), "as a whole"),
        "held": (lambda x, n: fill(x, n, line=False), "straight line"),
    },
    "13.3": {
        "by number": (by_number, "picture numbers"),
        "untouched": (lambda values, seconds, fps: values, "as they were"),
        "as many": (lambda v, s, fps: np.interp(np.linspace(s[0], s[-1], len(s)), s, v), "1 / fps"),
        "last missing": (lambda v, s, fps: np.interp(times(s, fps)[:-1], s, v), "the last one"),
        "from zero": (lambda v, s, fps: np.interp(times(s, fps) - s[0], s, v), "begins at 0"),
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
        "largest": (best(lambda a, b: area(b)), "largest box"),
        "nearest": (best(nearness), "nearest centre"),
        "intersection": (best(shared), "huge box"),
        "own area": (best(lambda a, b: shared(a, b) / area(b)), "small box inside"),
        "zero": (best(over_union, none=0), "return -1"),
        "none": (best(over_union, none=None), "None"),
        "negative sides": (best(lambda a, b: over_union(a, b, -1e9)), "negative"),
    },
    "13.6": {
        "best frames": (flag(lambda d: -lengths(d).mean(-1)), "agree most"),
        "largest joint": (flag(lambda d: lengths(d).max(-1)), "mean over the joints"),
        "no lengths": (flag(lambda d: np.abs(d.mean((1, 2)))), "cancel"),
        "rounded down": (flag(lambda d: lengths(d).mean(-1), down=1), "round"),
        "of the largest": (of_the_largest, "counts frames"),
        "exchanged": (lambda a, b, share: ~flag(lambda d: lengths(d).mean(-1))(a, b, share), "exchanged"),
        "numbers": (lambda a, b, share: np.arange(4), "True and False"),
    },
}
