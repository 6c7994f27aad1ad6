"""Checkers of lesson 10, Ablations."""

from itertools import product
from math import ceil

import numpy as np
from scipy import stats

from poseformer_course.checks.judge import NotAnswered, Wrong, compare
from poseformer_lite.training.settings import Settings

MADE_UP = (  # frames, settings
    (900, {"epochs": 2, "batch_size": 128, "windows_per_epoch": None}),
    (1000, {"epochs": 3, "batch_size": 32, "windows_per_epoch": 100}),
    (500, {"epochs": 4, "batch_size": 64, "windows_per_epoch": None, "flip": False}),
    (150, {"epochs": 5, "batch_size": 48, "windows_per_epoch": 1000}),
)


def exercise_1(budget):
    """Windows seen, optimiser's steps and passes over the set that settings allow."""
    for frames, changes in MADE_UP:
        settings = Settings(**changes)
        there = frames * (2 if settings.flip else 1)
        asked = settings.windows_per_epoch or there
        in_epoch, batch, epochs = min(asked, there), settings.batch_size, settings.epochs

        def of(in_epoch: int, there: int, batch=batch, epochs=epochs) -> tuple[float, float, float]:
            return epochs * in_epoch, epochs * ceil(in_epoch / batch), epochs * in_epoch / there

        right = windows, steps, passes = of(in_epoch, there)
        hints = {
            "The last, smaller batch of an epoch is a step as well: round the steps of an epoch up.": (
                (windows, epochs * (in_epoch // batch), passes)
            ),
            "The batches were counted over the whole run: each epoch ends with a smaller batch of its own, so round "
            "up within an epoch and then multiply.": (windows, ceil(windows / batch), passes),
            "The steps are those of one epoch: multiply them by the epochs.": (windows, steps / epochs, passes),
            "These are the numbers of one epoch: multiply by the epochs.": np.array(right) / epochs,
            "An epoch cannot take more windows than there are: `windows_per_epoch` is a limit.": of(asked, there),
            "The mirror images are missing: with `flip` there are twice as many windows as frames.": (
                of(min(frames, asked), frames)
            ),
            "The passes are counted over the frames: with `flip` the set has twice as many windows.": (
                (windows, steps, windows / frames)
            ),
            "The passes are the epochs: an epoch here stops after `windows_per_epoch`, before the set is through.": (
                (windows, steps, epochs)
            ),
            "With `flip` the limit was doubled as well: `windows_per_epoch` counts mirror images too.": (
                of(2 * in_epoch, there)
            ),
        }
        compare(budget(frames, settings), right, hints, name=f"the budget of {frames} frames and {changes}")
    return "Two trainings with the same windows may differ in steps, and two with the same epochs in both."


def exercise_2(paired_by_seed):
    """Mean and standard error of the difference over the seeds that both have."""
    rng = np.random.default_rng(10)
    level = dict(zip(range(9), rng.normal(60, 5, 9), strict=True))  # what a seed does to both
    first = {seed: float(level[seed] + 2 + rng.normal(0, 0.7)) for seed in (4, 0, 2, 7, 5)}
    second = {seed: float(level[seed] + rng.normal(0, 0.7)) for seed in (0, 2, 3, 4, 5, 8)}
    common = sorted(first.keys() & second.keys())
    a, b = (np.array([errors[seed] for seed in common]) for errors in (first, second))
    apart, n = a - b, len(common)
    mean, error = apart.mean(), apart.std(ddof=1) / np.sqrt(n)
    by_place = np.array([x - y for x, y in zip(first.values(), second.values(), strict=False)])
    all_a, all_b = (np.array(list(errors.values())) for errors in (first, second))

    def separate(a: np.ndarray, b: np.ndarray) -> float:
        return np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))

    hints = {
        "The sign is turned round: the difference is the first network minus the second.": (-mean, error),
        "The errors were paired by their place in the dictionaries: look the seed up in both.": (
            (by_place.mean(), by_place.std(ddof=1) / np.sqrt(len(by_place)))
        ),
        "The standard error is that of unpaired runs: subtract seed by seed first, then look at the spread.": (
            (mean, separate(a, b))
        ),
        "These are the means of all seeds of each network: a seed that only one of them has must be left out.": (
            (all_a.mean() - all_b.mean(), separate(all_a, all_b))
        ),
        "This is the standard deviation of the differences: divide it by the root of their number.": (
            (mean, apart.std(ddof=1))
        ),
        "The standard deviation was divided by the number of seeds: divide by its root.": (mean, apart.std(ddof=1) / n),
        "The variance divides by the number of seeds: for a sample it divides by one less, ddof=1.": (
            (mean, apart.std() / np.sqrt(n))
        ),
    }
    compare(paired_by_seed(dict(first), dict(second)), (mean, error), hints, name="the pair")
    return "Seeds that only one network has tell nothing about the difference, and are left out."


def exercise_3(seeds_needed):
    """The smallest number of seeds whose 95 % interval is narrower than the difference on either side."""
    for difference, spread in ((0.6, 1.5), (1.0, 1.0), (2.0, 1.0), (5.0, 0.5)):
        right = _seeds(difference, spread)
        normal = max(2, next(n for n in range(1, 9999) if 1.96 * spread / np.sqrt(n) < difference))
        hints = {
            "The factor is 1.96 whatever the number of seeds: with few seeds t is larger, stats.t.ppf(0.975, n - 1).": (
                normal
            ),
            "This leaves out 5 % at one end: leave out 2.5 % at either end, 0.975.": _seeds(
                difference, spread, share=0.95
            ),
            "The degrees of freedom are one less than the number of seeds.": _seeds(difference, spread, lost=0),
            "The interval reaches as far as the spread itself: the mean of n seeds scatters less, by the root of n.": (
                next((n for n in range(2, 9999) if stats.t.ppf(0.975, n - 1) * spread < difference), -1)
            ),
            "The spread was divided by n: divide it by the root of n.": _seeds(difference, spread, root=1.0),
            "The spread is doubled under the root, as for unpaired runs: it is that of the differences already.": (
                _seeds(difference, spread * np.sqrt(2))
            ),
            "The whole width of the interval was compared with the difference: half of it must be smaller.": _seeds(
                difference / 2, spread
            ),
            "This is one seed too few: the interval still reaches zero.": right - 1,
            "This is one seed too many: fewer suffice.": right + 1,
        }
        got = seeds_needed(difference, spread)
        compare(got, right, hints, name=f"the seeds for a difference of {difference} mm at a spread of {spread} mm")
    return "Halve the difference, and it takes about four times as many seeds."


def _seeds(difference: float, spread: float, share: float = 0.975, lost: int = 1, root: float = 0.5) -> int:
    return next(n for n in range(2, 9999) if stats.t.ppf(share, n - lost) * spread / n**root < difference)


def exercise_4(closest_width):
    """The width, a multiple of the heads, whose parameters come nearest to a target."""
    for heads, target, slope in ((4, 1_211_997, 3), (8, 250_000, 5), (2, 40_000, 7), (3, 61_000, 4)):

        def count(width: int, slope=slope) -> int:
            return slope * width * width + 60 * width + 51

        def nearest(step: int, count=count, target=target) -> int:
            return min(range(step, 2000, step), key=lambda width: abs(count(width) - target))

        over = next(w for w in range(heads, 2000, heads) if count(w) >= target)
        hints = {
            "This width is no multiple of the number of heads: attention could not split it.": nearest(1),
            "This is the widest that does not exceed the target: the next wider one comes nearer.": over - heads,
            "This is the first that reaches the target: the one before comes nearer.": over,
            "This is the number of parameters: return the width.": count(nearest(heads)),
            "This is a number of channels per head: multiply by the heads.": nearest(heads) // heads,
        }
        compare(closest_width(target, count, heads), nearest(heads), hints, name=f"the width for {heads} heads")
    return "The two networks now have as many parameters, and nothing else in common is promised."


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


def exercise_6(interaction):
    """Mean and standard error over seeds of the interaction in a 2 x 2 table."""
    rng = np.random.default_rng(12)
    seed = rng.normal(0, 6, (5, 1, 1))
    errors = np.array([[60.0, 57.0], [55.0, 47.5]]) + seed + rng.normal(0, 0.8, (5, 2, 2))
    neither, second, first, both = (errors[:, i, j] for i, j in product((0, 1), (0, 1)))
    values = both - first - second + neither
    n = len(values)
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(n)
    single = np.sqrt(sum(cell.var(ddof=1) for cell in (neither, second, first, both)) / n)

    def statistics(of_seed):
        return of_seed.mean(), of_seed.std(ddof=1) / np.sqrt(n)

    hints = {
        "The sign is turned round: negative means that the two together lower the error by more than the sum.": (
            -mean,
            error,
        ),
        "This is half of it, a convention of some textbooks: here no factor stands before the bracket.": (
            mean / 2,
            error / 2,
        ),
        "This is what both changes do together: take off what each does alone.": statistics(both - neither),
        "This is what the first change does on average: an interaction is a difference of two effects.": statistics(
            (both + first - second - neither) / 2
        ),
        "This is what the second change does on average: an interaction is a difference of two effects.": statistics(
            (both + second - first - neither) / 2
        ),
        "This is what the first change does where the second is made: compare it with what it does where the second "
        "is not.": statistics(both - second),
        "The sum of both single changes is missing one neither: each effect is measured from there.": statistics(
            both - first - second
        ),
        "The standard error is that of four unrelated cells: form the interaction within each seed first.": (
            mean,
            single,
        ),
        "This is the standard deviation over seeds: divide it by the root of their number.": (mean, values.std(ddof=1)),
        "The variance divides by the number of seeds: for a sample it divides by one less, ddof=1.": (
            mean,
            values.std() / np.sqrt(n),
        ),
    }
    compare(interaction(errors.copy()), (mean, error), hints, name="the pair")
    return "Four cells enter, so without pairs its variance is twice that of a difference."


def exercise_7(winner_twice):
    """What a winner among equals seems to gain, and what remains when all are trained again."""
    for seed, variants, seeds, spread, draws in ((1, 9, 3, 1.5, 400), (2, 4, 1, 0.7, 300)):
        shape = (draws, variants, seeds)
        rng = np.random.default_rng(seed)
        first, again = (rng.normal(0, spread, shape) for _ in range(2))
        a, b = first.mean(axis=2), again.mean(axis=2)
        at = np.arange(draws)
        won, won_again, best_run = a.argmin(axis=1), b.argmin(axis=1), first.min(axis=2).argmin(axis=1)
        right = ((a[:, 0] - a[at, won]).mean(), (b[:, 0] - b[at, won]).mean())
        hints = {
            "The winner was chosen anew in the second round: train again what won the first.": (
                right[0],
                (b[:, 0] - b[at, won_again]).mean(),
            ),
            "The sign is turned round: a gain is the old error minus the winner's.": (-right[0], -right[1]),
            "The winner is the variant with the best single run: choose by the mean over its seeds.": (
                (a[:, 0] - a[at, best_run]).mean(),
                (b[:, 0] - b[at, best_run]).mean(),
            ),
            "The winner has the largest error here: the smallest wins.": (
                (a[:, 0] - a[at, a.argmax(axis=1)]).mean(),
                (b[:, 0] - b[at, a.argmax(axis=1)]).mean(),
            ),
            "This is measured against the mean of all variants: measure against variant 0.": (
                (a.mean(axis=1) - a[at, won]).mean(),
                (b.mean(axis=1) - b[at, won]).mean(),
            ),
            "The old variant was not allowed to win: variant 0 takes part as well.": _without_old(a, b),
            "The two have changed places: what it seems to gain comes first.": right[::-1],
            "The gain of the second round is measured against the old variant's first round: train that again, too.": (
                right[0],
                (a[:, 0] - b[at, won]).mean(),
            ),
        }
        got = winner_twice(np.random.default_rng(seed), variants, seeds, spread, draws)
        compare(got, right, hints, name=f"the two gains among {variants} variants")
    return "Nothing was better than anything else, and the first number is all that a paper would print."


def _without_old(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    at, won = np.arange(len(a)), 1 + a[:, 1:].argmin(axis=1)
    return (a[:, 0] - a[at, won]).mean(), (b[:, 0] - b[at, won]).mean()
