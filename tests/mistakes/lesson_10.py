"""Mistakes that the checkers of lesson 10 must name: {exercise: {mistake: (answer, what the hint says)}}."""

from math import ceil

import numpy as np
from scipy import stats


def budget(frames, settings, mirror=True, limit=True, steps=None, passes=None):
    """10.1 with mirror images or the limit left out, other steps(windows, in_epoch, settings) or another set."""
    there = frames * (2 if settings.flip and mirror else 1)
    in_epoch = settings.windows_per_epoch or there
    in_epoch = min(in_epoch, there) if limit else in_epoch
    windows = settings.epochs * in_epoch
    count = steps or (lambda windows, n, s: s.epochs * ceil(n / s.batch_size))
    return windows, count(windows, in_epoch, settings), windows / there if passes is None else passes(windows)


def with_other(**changes):
    return lambda frames, settings: budget(frames, settings, **changes)


def over_frames(frames, settings):
    return budget(frames, settings, passes=lambda windows: windows / frames)


def epochs_for_passes(frames, settings):
    return budget(frames, settings, passes=lambda windows: settings.epochs)


def of_one_epoch(frames, settings):
    return tuple(value / settings.epochs for value in budget(frames, settings))


def paired(first, second, sign=1, spread=None):
    common = first.keys() & second.keys()
    apart = sign * np.array([first[seed] - second[seed] for seed in common])
    return apart.mean(), (spread or (lambda d: d.std(ddof=1) / np.sqrt(len(d))))(apart)


def by_place(first, second):
    apart = np.array([a - b for a, b in zip(first.values(), second.values(), strict=False)])
    return apart.mean(), apart.std(ddof=1) / np.sqrt(len(apart))


def unpaired(first, second):
    common = first.keys() & second.keys()
    a, b = ([errors[seed] for seed in common] for errors in (first, second))
    return np.mean(a) - np.mean(b), np.sqrt((np.var(a, ddof=1) + np.var(b, ddof=1)) / len(common))


def all_seeds(first, second):
    a, b = list(first.values()), list(second.values())
    return np.mean(a) - np.mean(b), np.sqrt(np.var(a, ddof=1) / len(a) + np.var(b, ddof=1) / len(b))


def first_n(half_width, start=2):
    """10.3 with another half_width(n, spread)."""

    def seeds_needed(difference, spread):
        n = start
        while not half_width(n, spread) < difference:
            n += 1
        return n

    return seeds_needed


def t_width(n, spread):
    return stats.t.ppf(0.975, n - 1) * spread / np.sqrt(n)


def never_narrower(difference, spread):
    n = 2
    while n < 9999 and not stats.t.ppf(0.975, n - 1) * spread < difference:
        n += 1
    return n if n < 9999 else -1


def widths(target, count, heads):
    found = [heads]
    while count(found[-1]) < target:
        found.append(found[-1] + heads)
    return found


def any_width(target, count, heads):
    return min(range(1, 3000), key=lambda width: abs(count(width) - target))


def nearest(target, count, heads):
    return min(range(heads, 3000, heads), key=lambda width: abs(count(width) - target))


def of_cells(combine, spread=None):
    """10.6 with another combine(neither, second, first, both), and another spread over seeds."""

    def interaction(errors):
        values = combine(errors[:, 0, 0], errors[:, 0, 1], errors[:, 1, 0], errors[:, 1, 1])
        return values.mean(), (spread or (lambda v: v.std(ddof=1) / np.sqrt(len(v))))(values)

    return interaction


def right_cells(neither, second, first, both):
    return both - first - second + neither


def unrelated_cells(errors):
    value = errors.mean(axis=0)
    return right_cells(*value.ravel()), np.sqrt(errors.var(axis=0, ddof=1).sum() / len(errors))


def twice(rng, variants, seeds, spread, draws, choose=None, reference=None, gains=None):
    """10.7 with another choose(first, again), reference(errors of variants), or gains(a, b, won)."""
    first, again = (rng.normal(0, spread, (draws, variants, seeds)) for _ in range(2))
    a, b = first.mean(axis=2), again.mean(axis=2)
    won = a.argmin(axis=1) if choose is None else choose(first)
    at = np.arange(draws)
    if gains is not None:
        return gains(a, b, won, at)
    old = reference or (lambda errors: errors[:, 0])
    return (old(a) - a[at, won]).mean(), (old(b) - b[at, won]).mean()


def winning(**changes):
    return lambda rng, variants, seeds, spread, draws: twice(rng, variants, seeds, spread, draws, **changes)


MISTAKES = {
    "10.1": {
        "rounded down": (
            with_other(steps=lambda windows, n, s: s.epochs * (n // s.batch_size)),
            "smaller batch of an epoch is a step",
        ),
        "rounded over the run": (
            with_other(steps=lambda windows, n, s: ceil(windows / s.batch_size)),
            "over the whole run",
        ),
        "steps of one epoch": (with_other(steps=lambda windows, n, s: ceil(n / s.batch_size)), "those of one epoch"),
        "one epoch": (of_one_epoch, "numbers of one epoch"),
        "no limit": (with_other(limit=False), "is a limit"),
        "no mirror": (with_other(mirror=False), "mirror images are missing"),
        "passes over frames": (over_frames, "over the frames"),
        "epochs for passes": (epochs_for_passes, "passes are the epochs"),
    },
    "10.2": {
        "sign": (lambda a, b: paired(a, b, sign=-1), "turned round"),
        "by place": (by_place, "place in the dictionaries"),
        "unpaired": (unpaired, "unpaired"),
        "all seeds": (all_seeds, "left out"),
        "standard deviation": (lambda a, b: paired(a, b, spread=lambda d: d.std(ddof=1)), "root of their number"),
        "divided by n": (lambda a, b: paired(a, b, spread=lambda d: d.std(ddof=1) / len(d)), "divide by its root"),
        "population": (lambda a, b: paired(a, b, spread=lambda d: d.std() / np.sqrt(len(d))), "ddof=1"),
    },
    "10.3": {
        "1.96": (first_n(lambda n, s: 1.96 * s / np.sqrt(n)), "1.96"),
        "one end": (first_n(lambda n, s: stats.t.ppf(0.95, n - 1) * s / np.sqrt(n)), "at one end"),
        "degrees of freedom": (first_n(lambda n, s: stats.t.ppf(0.975, n) * s / np.sqrt(n)), "degrees of freedom"),
        "no root of n": (never_narrower, "as far as the spread itself"),
        "divided by n": (first_n(lambda n, s: stats.t.ppf(0.975, n - 1) * s / n), "divided by n"),
        "doubled": (first_n(lambda n, s: t_width(n, s * np.sqrt(2))), "unpaired"),
        "whole width": (first_n(lambda n, s: 2 * t_width(n, s)), "whole width"),
        "one too many": (lambda d, s: 1 + first_n(t_width)(d, s), "too many"),
    },
    "10.4": {
        "any width": (any_width, "no multiple"),
        "at most": (lambda t, count, h: ([h, *widths(t, count, h)])[-2], "next wider"),
        "at least": (lambda t, count, h: widths(t, count, h)[-1], "one before"),
        "count": (lambda t, count, h: count(nearest(t, count, h)), "return the width"),
        "per head": (lambda t, count, h: nearest(t, count, h) // h, "multiply by the heads"),
    },
    "10.5": {
        "all fine": ("ffffff", "Experiment 1"),
        "second": (["d", "e", "a", "f", "c", "e"], "Experiment 2"),
        "fault in the fair one": ("dbaace", "Experiment 4"),
        "too short": ("dba", "six letters"),
        "another alphabet": ("123456", "six letters"),
        "a number": (3, "type int"),
    },
    "10.6": {
        "sign": (of_cells(lambda n, s, f, b: -right_cells(n, s, f, b)), "turned round"),
        "half": (of_cells(lambda n, s, f, b: right_cells(n, s, f, b) / 2), "half"),
        "both": (of_cells(lambda n, s, f, b: b - n), "do together"),
        "first effect": (of_cells(lambda n, s, f, b: (b + f - s - n) / 2), "first change does on average"),
        "second effect": (of_cells(lambda n, s, f, b: (b + s - f - n) / 2), "second change does on average"),
        "one condition": (of_cells(lambda n, s, f, b: b - s), "where the second is made"),
        "no neither": (of_cells(lambda n, s, f, b: b - f - s), "missing one neither"),
        "unrelated": (unrelated_cells, "unrelated"),
        "standard deviation": (of_cells(right_cells, lambda v: v.std(ddof=1)), "root of their number"),
        "population": (of_cells(right_cells, lambda v: v.std() / np.sqrt(len(v))), "ddof=1"),
    },
    "10.7": {
        "chosen anew": (
            winning(
                gains=lambda a, b, won, at: ((a[:, 0] - a[at, won]).mean(), (b[:, 0] - b.min(axis=1)).mean()),
            ),
            "chosen anew",
        ),
        "sign": (
            winning(gains=lambda a, b, won, at: ((a[at, won] - a[:, 0]).mean(), (b[at, won] - b[:, 0]).mean())),
            "turned round",
        ),
        "best run": (winning(choose=lambda first: first.min(axis=2).argmin(axis=1)), "best single run"),
        "largest": (winning(choose=lambda first: first.mean(axis=2).argmax(axis=1)), "largest error"),
        "mean of all": (winning(reference=lambda errors: errors.mean(axis=1)), "mean of all variants"),
        "old one left out": (
            winning(choose=lambda first: 1 + first.mean(axis=2)[:, 1:].argmin(axis=1)),
            "not allowed to win",
        ),
        "swapped": (
            winning(gains=lambda a, b, won, at: ((b[:, 0] - b[at, won]).mean(), (a[:, 0] - a[at, won]).mean())),
            "changed places",
        ),
        "old first round": (
            winning(gains=lambda a, b, won, at: ((a[:, 0] - a[at, won]).mean(), (a[:, 0] - b[at, won]).mean())),
            "first round",
        ),
    },
}
