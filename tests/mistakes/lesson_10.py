"""Mistakes that the checkers of lesson 10 must name: {exercise: {mistake: (answer, what the hint says)}}."""

import math
import statistics

import numpy as np
from scipy import stats


def batches_of_the_run(frames, settings):
    there = 2 * frames if settings.flip else frames
    limit = settings.windows_per_epoch
    windows = settings.epochs * (there if limit is None or limit > there else limit)
    return windows, -(-windows // settings.batch_size), windows / there


def no_limit(frames, settings):
    there = 2 * frames if settings.flip else frames
    in_epoch = there if settings.windows_per_epoch is None else settings.windows_per_epoch
    steps = len(range(0, in_epoch, settings.batch_size))
    return settings.epochs * in_epoch, settings.epochs * steps, settings.epochs * in_epoch / there


def by_place(first, second):
    apart = [a - b for a, b in zip(list(first.values()), list(second.values())[: len(first)], strict=True)]
    return statistics.mean(apart), statistics.stdev(apart) / len(apart) ** 0.5


def unpaired(first, second):
    a, b = zip(*[(first[seed], second[seed]) for seed in first if seed in second], strict=True)
    variance = statistics.variance(a) + statistics.variance(b)
    return statistics.mean(a) - statistics.mean(b), math.sqrt(variance / len(a))


def first_n(leaves, difference, spread, free=lambda n: n - 1):
    n = 2
    while stats.t.isf(leaves, free(n)) >= difference / spread * n**0.5:
        n += 1
    return n


def at_most(target, count, heads):
    width = heads
    while count(width + heads) <= target:
        width += heads
    return width


def any_width(target, count, heads):
    return int(np.abs(count(np.arange(3000)) - target).argmin())


def unrelated_cells(errors):
    (neither, second), (first, both) = errors.mean(axis=0)
    variances = [statistics.variance(cell) for cell in errors.reshape(-1, 4).T]
    return (both - second) - (first - neither), math.sqrt(sum(variances) / len(errors))


def main_effect(errors):
    effect = errors[:, 1].mean(axis=1) - errors[:, 0].mean(axis=1)
    return effect.mean(), stats.sem(effect)


def winner_of_a_round(errors):
    return [min(range(len(draw)), key=lambda variant: draw[variant].mean()) for draw in errors]


def chosen_anew(rng, variants, seeds, spread, draws):
    rounds = rng.normal(0, spread, (2, draws, variants, seeds))
    return [
        np.mean(
            [draw[0].mean() - draw[won].mean() for draw, won in zip(errors, winner_of_a_round(errors), strict=True)]
        )
        for errors in rounds
    ]


def best_run(rng, variants, seeds, spread, draws):
    rounds = rng.normal(0, spread, (2, draws, variants, seeds))
    won = rounds[0].reshape(draws, -1).argmin(axis=1) // seeds
    return [
        np.mean([draw[0].mean() - draw[i].mean() for draw, i in zip(errors, won, strict=True)]) for errors in rounds
    ]


MISTAKES = {
    "10.1": {
        "rounded over the run": (batches_of_the_run, "over the whole run"),
        "no limit": (no_limit, "is a limit"),
    },
    "10.2": {
        "by place": (by_place, "place in the dictionaries"),
        "unpaired": (unpaired, "unpaired"),
    },
    "10.3": {
        "one end": (lambda difference, spread: first_n(0.05, difference, spread), "at one end"),
        "degrees of freedom": (lambda d, spread: first_n(0.025, d, spread, free=lambda n: n), "degrees of freedom"),
        "from three on": (lambda d, spread: max(3, first_n(0.025, d, spread)), "begin the count with 2"),
    },
    "10.4": {
        "any width": (any_width, "no multiple"),
        "at most": (at_most, "next wider"),
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
        "first effect": (main_effect, "first change does on average"),
        "unrelated": (unrelated_cells, "unrelated"),
    },
    "10.7": {
        "chosen anew": (chosen_anew, "chosen anew"),
        "best run": (best_run, "best single run"),
    },
}
