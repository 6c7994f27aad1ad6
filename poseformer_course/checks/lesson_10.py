"""Checkers of lesson 10, Ablations."""

from math import ceil

import numpy as np
from scipy import stats

from poseformer_course.checks.judge import Exercise, NotAnswered, Wrong
from poseformer_lite.training.settings import Settings

MADE_UP = {  # frames: settings
    900: {"epochs": 2, "batch_size": 128, "windows_per_epoch": None},
    1000: {"epochs": 3, "batch_size": 32, "windows_per_epoch": 100},
    500: {"epochs": 4, "batch_size": 64, "windows_per_epoch": None, "flip": False},
    150: {"epochs": 5, "batch_size": 48, "windows_per_epoch": 1000},
}


def _in_set(frames: int, settings: Settings) -> int:
    return frames * (2 if settings.flip else 1)


def _in_epoch(there: int, settings: Settings, factor: int = 1) -> int:
    return min(factor * (settings.windows_per_epoch or there), there)


def _budget(
    in_set=_in_set,
    in_epoch=_in_epoch,
    steps=lambda taken, settings: settings.epochs * ceil(taken / settings.batch_size),
    passes=lambda taken, there, frames, settings: settings.epochs * taken / there,
):
    """Windows, steps and passes where an epoch takes in_epoch(there, settings) of in_set(frames, settings) windows."""

    def answer(frames, settings):
        there = in_set(frames, settings)
        taken = in_epoch(there, settings)
        return settings.epochs * taken, steps(taken, settings), passes(taken, there, frames, settings)

    return answer


# Windows seen, optimiser's steps and passes over the set that settings allow.
exercise_1 = Exercise(
    right=_budget(),
    mistakes={
        "The last, smaller batch of an epoch is a step as well: round the steps of an epoch up.": (
            _budget(steps=lambda taken, settings: settings.epochs * (taken // settings.batch_size))
        ),
        "The batches were counted over the whole run: each epoch ends with a smaller batch of its own, so round up "
        "within an epoch and then multiply.": (
            _budget(steps=lambda taken, settings: ceil(settings.epochs * taken / settings.batch_size))
        ),
        "The steps are those of one epoch: multiply them by the epochs.": (
            _budget(steps=lambda taken, settings: ceil(taken / settings.batch_size))
        ),
        "These are the numbers of one epoch: multiply by the epochs.": (
            lambda frames, settings: np.array(_budget()(frames, settings)) / settings.epochs
        ),
        "An epoch cannot take more windows than there are: `windows_per_epoch` is a limit.": (
            _budget(in_epoch=lambda there, settings: settings.windows_per_epoch or there)
        ),
        "The mirror images are missing: with `flip` there are twice as many windows as frames.": (
            _budget(in_set=lambda frames, settings: frames)
        ),
        "The passes are counted over the frames: with `flip` the set has twice as many windows.": (
            _budget(passes=lambda taken, there, frames, settings: settings.epochs * taken / frames)
        ),
        "The passes are the epochs: an epoch here stops after `windows_per_epoch`, before the set is through.": (
            _budget(passes=lambda taken, there, frames, settings: settings.epochs)
        ),
        "With `flip` the limit was doubled as well: `windows_per_epoch` counts mirror images too.": (
            _budget(in_epoch=lambda there, settings: _in_epoch(there, settings, factor=2))
        ),
    },
    cases=[(frames, Settings(**changes)) for frames, changes in MADE_UP.items()],
    fields=lambda frames, settings: {"frames": frames, "changes": MADE_UP[frames]},
    name="the budget of {frames} frames and {changes}",
    remark="Two trainings with the same windows may differ in steps, and two with the same epochs in both.",
)


def _mean_and_error(values) -> tuple[float, float]:
    values = np.array(values)
    return values.mean(), values.std(ddof=1) / np.sqrt(len(values))


def _mean_and_deviation(values):
    return values.mean(), values.std(ddof=1)


def _mean_and_low_error(values):
    return values.mean(), values.std() / np.sqrt(len(values))


def _of_both(of_errors):
    """What of_errors gives for the errors of both networks, in the order of the seeds that both have."""

    def answer(first, second):
        common = sorted(first.keys() & second.keys())
        return of_errors(*(np.array([errors[seed] for seed in common]) for errors in (first, second)))

    return answer


def _unpaired(a, b):
    a, b = np.array(a), np.array(b)
    return a.mean() - b.mean(), np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))


def _two_networks() -> tuple[dict, dict]:
    """The error of each seed; a seed does much the same to both networks."""
    rng = np.random.default_rng(10)
    level = rng.normal(60, 5, 9)
    first = {seed: float(level[seed] + 2 + rng.normal(0, 0.7)) for seed in (4, 0, 2, 7, 5)}
    second = {seed: float(level[seed] + rng.normal(0, 0.7)) for seed in (0, 2, 3, 4, 5, 8)}
    return first, second


# Mean and standard error of the difference over the seeds that both have.
exercise_2 = Exercise(
    right=_of_both(lambda a, b: _mean_and_error(a - b)),
    mistakes={
        "The sign is turned round: the difference is the first network minus the second.": (
            _of_both(lambda a, b: _mean_and_error(b - a))
        ),
        "The errors were paired by their place in the dictionaries: look the seed up in both.": (
            lambda first, second: _mean_and_error(
                [a - b for a, b in zip(first.values(), second.values(), strict=False)]
            )
        ),
        "The standard error is that of unpaired runs: subtract seed by seed first, then look at the spread.": (
            _of_both(_unpaired)
        ),
        "These are the means of all seeds of each network: a seed that only one of them has must be left out.": (
            lambda first, second: _unpaired([*first.values()], [*second.values()])
        ),
        "This is the standard deviation of the differences: divide it by the root of their number.": (
            _of_both(lambda a, b: _mean_and_deviation(a - b))
        ),
        "The standard deviation was divided by the number of seeds: divide by its root.": (
            _of_both(lambda a, b: ((a - b).mean(), (a - b).std(ddof=1) / len(a)))
        ),
        "The variance divides by the number of seeds: for a sample it divides by one less, ddof=1.": (
            _of_both(lambda a, b: _mean_and_low_error(a - b))
        ),
    },
    cases=[_two_networks()],
    name="the pair",
    remark="Seeds that only one network has tell nothing about the difference, and are left out.",
)


def _half_width(n, spread, share=0.975):
    return stats.t.ppf(share, n - 1) * spread / np.sqrt(n)


def _seeds(half_width=_half_width, more=0):
    """The first number of seeds with half_width(number, spread) below the difference, and so many more; or -1."""

    def answer(difference, spread):
        n = np.arange(2, 9999)
        enough = n[half_width(n, spread) < difference]
        return enough[0] + more if len(enough) else -1

    return answer


# The smallest number of seeds whose 95 % interval is narrower than the difference on either side.
exercise_3 = Exercise(
    right=_seeds(),
    mistakes={
        "Two seeds can be enough: begin the count with 2.": lambda difference, spread: max(
            _seeds()(difference, spread), 3
        ),
        "The factor is 1.96 whatever the number of seeds: with few seeds t is larger, stats.t.ppf(0.975, n - 1).": (
            _seeds(lambda n, spread: 1.96 * spread / np.sqrt(n))
        ),
        "This leaves out 5 % at one end: leave out 2.5 % at either end, 0.975.": (
            _seeds(lambda n, spread: _half_width(n, spread, share=0.95))
        ),
        "The degrees of freedom are one less than the number of seeds.": (
            _seeds(lambda n, spread: stats.t.ppf(0.975, n) * spread / np.sqrt(n))
        ),
        "The interval reaches as far as the spread itself: the mean of n seeds scatters less, by the root of n.": (
            _seeds(lambda n, spread: stats.t.ppf(0.975, n - 1) * spread)
        ),
        "The spread was divided by n: divide it by the root of n.": (
            _seeds(lambda n, spread: stats.t.ppf(0.975, n - 1) * spread / n)
        ),
        "The spread is doubled under the root, as for unpaired runs: it is that of the differences already.": (
            _seeds(lambda n, spread: _half_width(n, spread * np.sqrt(2)))
        ),
        "The whole width of the interval was compared with the difference: half of it must be smaller.": (
            _seeds(lambda n, spread: 2 * _half_width(n, spread))
        ),
        "This is one seed too few: the interval still reaches zero.": _seeds(more=-1),
        "This is one seed too many: fewer suffice.": _seeds(more=1),
    },
    cases=[(0.6, 1.5), (1.0, 1.0), (2.0, 1.0), (5.0, 0.5)],
    fields=lambda difference, spread: {"difference": difference, "spread": spread},
    name="the seeds for a difference of {difference} mm at a spread of {spread} mm",
    remark="Halve the difference, and it takes about four times as many seeds.",
)


def _parameters(slope: int):
    return lambda width: slope * width * width + 60 * width + 51


def _nearest(target, count, step):
    return min(range(step, 2000, step), key=lambda width: abs(count(width) - target))


def _first_to_reach(target, count, heads):
    return next(width for width in range(heads, 2000, heads) if count(width) >= target)


# The width, a multiple of the heads, whose parameters come nearest to a target.
exercise_4 = Exercise(
    right=_nearest,
    mistakes={
        "This width is no multiple of the number of heads: attention could not split it.": (
            lambda target, count, heads: _nearest(target, count, 1)
        ),
        "This is the widest that does not exceed the target: the next wider one comes nearer.": (
            lambda target, count, heads: _first_to_reach(target, count, heads) - heads
        ),
        "This is the first that reaches the target: the one before comes nearer.": _first_to_reach,
        "This is the number of parameters: return the width.": (
            lambda target, count, heads: count(_nearest(target, count, heads))
        ),
        "This is a number of channels per head: multiply by the heads.": (
            lambda target, count, heads: _nearest(target, count, heads) // heads
        ),
    },
    cases=[
        (1_211_997, _parameters(3), 4),
        (250_000, _parameters(5), 8),
        (40_000, _parameters(7), 2),
        (61_000, _parameters(4), 3),
    ],
    fields=lambda target, count, heads: {"heads": heads},
    name="the width for {heads} heads",
    remark="The two networks now have as many parameters, and nothing else in common is promised.",
)


FLAWS = "dbafce"
ASK = (
    "Experiment 1: how often was each network trained, and what would change if it were trained again?",
    "Experiment 2: when one network is left on the learning rate that was found for the other, whose fault is a gap?",
    "Experiment 3: name everything that differs between the two networks. Is it one thing?",
    "Experiment 4: go through the list once more. Is there a fault at all?",
    "Experiment 5: by which people was the epoch chosen, and who else's error is then reported?",
    "Experiment 6: how many windows had each network seen when it was measured?",
)
FITS = {
    "a": "more than one thing changed",
    "b": "unequal tuning",
    "c": "chosen on the test set",
    "d": "no spread",
    "e": "another budget",
    "f": "nothing wrong",
}


def exercise_5(flaws):
    """One letter for each of six described experiments."""
    if flaws is None or flaws is ...:
        raise NotAnswered
    try:
        letters = [str(letter).strip().lower() for letter in flaws]
    except TypeError:
        raise Wrong(f"flaws is of the type {type(flaws).__name__}: give six letters, as a string or a list.") from None
    if len(letters) != len(FLAWS) or not set(letters) <= FITS.keys():
        raise Wrong(f"flaws is {flaws!r}: give six letters from a to f, one for each experiment in turn.")
    wrong = [place for place, (letter, right) in enumerate(zip(letters, FLAWS, strict=True)) if letter != right]
    if wrong:
        found = len(FLAWS) - len(wrong)
        said = FITS[letters[wrong[0]]]
        raise Wrong(f'{found} of six are right. "{said}" is not the fault. {ASK[wrong[0]]}')
    return "Most reports that you will read have more than one of these."


def _of_cells(combine, summary=_mean_and_error):
    """The summary over seeds of combine(neither, second, first, both)."""
    return lambda errors: summary(combine(errors[:, 0, 0], errors[:, 0, 1], errors[:, 1, 0], errors[:, 1, 1]))


def _interaction(neither, second, first, both):
    return both - first - second + neither


def _unrelated_cells(errors):
    mean, _ = _of_cells(_interaction)(errors)
    return mean, np.sqrt(errors.var(axis=0, ddof=1).sum() / len(errors))


def _table() -> np.ndarray:
    """(5, 2, 2): the errors of five seeds, which do much the same to all four cells."""
    rng = np.random.default_rng(12)
    seed = rng.normal(0, 6, (5, 1, 1))
    return np.array([[60.0, 57.0], [55.0, 47.5]]) + seed + rng.normal(0, 0.8, (5, 2, 2))


# Mean and standard error over seeds of the interaction in a 2 x 2 table.
exercise_6 = Exercise(
    right=_of_cells(_interaction),
    mistakes={
        "The sign is turned round: negative means that the two together lower the error by more than the sum.": (
            _of_cells(lambda *cells: -_interaction(*cells))
        ),
        "This is half of it, a convention of some textbooks: here no factor stands before the bracket.": (
            _of_cells(lambda *cells: _interaction(*cells) / 2)
        ),
        "This is what both changes do together: take off what each does alone.": (
            _of_cells(lambda neither, second, first, both: both - neither)
        ),
        "This is what the first change does on average: an interaction is a difference of two effects.": (
            _of_cells(lambda neither, second, first, both: (both + first - second - neither) / 2)
        ),
        "This is what the second change does on average: an interaction is a difference of two effects.": (
            _of_cells(lambda neither, second, first, both: (both + second - first - neither) / 2)
        ),
        "This is what the first change does where the second is made: compare it with what it does where the second "
        "is not.": _of_cells(lambda neither, second, first, both: both - second),
        "The sum of both single changes is missing one neither: each effect is measured from there.": (
            _of_cells(lambda neither, second, first, both: both - first - second)
        ),
        "The standard error is that of four unrelated cells: form the interaction within each seed first.": (
            _unrelated_cells
        ),
        "This is the standard deviation over seeds: divide it by the root of their number.": (
            _of_cells(_interaction, _mean_and_deviation)
        ),
        "The variance divides by the number of seeds: for a sample it divides by one less, ddof=1.": (
            _of_cells(_interaction, _mean_and_low_error)
        ),
    },
    cases=[(_table(),)],
    name="the pair",
    remark="Four cells enter, so without pairs its variance is twice that of a difference.",
)


def _twice(
    gains=lambda a, b, a_won, b_won: (a[:, 0] - a_won, b[:, 0] - b_won),
    choose=lambda first: first.mean(axis=2).argmin(axis=1),
):
    """Mean gains(a, b, a_won, b_won) of what choose(first round) finds: a and b are the errors in the two rounds."""

    def answer(rng, variants, seeds, spread, draws):
        first, again = (rng.normal(0, spread, (draws, variants, seeds)) for _ in range(2))
        a, b = first.mean(axis=2), again.mean(axis=2)
        won = np.arange(draws), choose(first)
        return [gain.mean() for gain in gains(a, b, a[won], b[won])]

    return answer


# What a winner among equals seems to gain, and what remains when all are trained again.
exercise_7 = Exercise(
    right=_twice(),
    mistakes={
        "The winner was chosen anew in the second round: train again what won the first.": (
            _twice(lambda a, b, a_won, b_won: (a[:, 0] - a_won, b[:, 0] - b.min(axis=1)))
        ),
        "The sign is turned round: a gain is the old error minus the winner's.": (
            _twice(lambda a, b, a_won, b_won: (a_won - a[:, 0], b_won - b[:, 0]))
        ),
        "The winner is the variant with the best single run: choose by the mean over its seeds.": (
            _twice(choose=lambda first: first.min(axis=2).argmin(axis=1))
        ),
        "The winner has the largest error here: the smallest wins.": (
            _twice(choose=lambda first: first.mean(axis=2).argmax(axis=1))
        ),
        "This is measured against the mean of all variants: measure against variant 0.": (
            _twice(lambda a, b, a_won, b_won: (a.mean(axis=1) - a_won, b.mean(axis=1) - b_won))
        ),
        "The old variant was not allowed to win: variant 0 takes part as well.": (
            _twice(choose=lambda first: 1 + first[:, 1:].mean(axis=2).argmin(axis=1))
        ),
        "The two have changed places: what it seems to gain comes first.": (
            _twice(lambda a, b, a_won, b_won: (b[:, 0] - b_won, a[:, 0] - a_won))
        ),
        "The gain of the second round is measured against the old variant's first round: train that again, too.": (
            _twice(lambda a, b, a_won, b_won: (a[:, 0] - a_won, a[:, 0] - b_won))
        ),
    },
    cases=[(np.random.default_rng(1), 9, 3, 1.5, 400), (np.random.default_rng(2), 4, 1, 0.7, 300)],
    fields=lambda rng, variants, *_: {"variants": variants},
    name="the two gains among {variants} variants",
    remark="Nothing was better than anything else, and the first number is all that a paper would print.",
)
