"""Plausible mistakes in the exercises of lesson 09, and what their hints must say."""

import numpy as np

from poseformer_lite.skeleton import H36M17

PARENTS, CHILDREN = np.array(H36M17.bones).T


def room(poses_3d, order=(0, 2, 1), signs=(1, 1, -1), floor=lambda height: height.min(axis=1, keepdims=True)):
    """The right answer of 09.1 with other axes, signs or another floor."""
    poses = poses_3d[..., list(order)] * np.array(signs)
    poses[..., 2] -= floor(poses[..., 2])
    return poses


def in_room(**other):
    return lambda poses_3d: room(poses_3d, **other)


def stretch(errors, length, *, shift=0, divide=True, padded=True, statistic=None):
    sums = np.concatenate([[0.0], np.cumsum(errors)]) if padded else np.cumsum(errors)
    means = (sums[length:] - sums[:-length]) / (length if divide else 1)
    if statistic is not None:
        means = np.array([statistic(errors[i : i + length]) for i in range(len(errors) - length + 1)])
    return int(means.argmax()) + shift, means.max()


def stretches(**other):
    return lambda errors, length: stretch(errors, length, **other)


def in_blocks(errors, length):
    blocks = [errors[i : i + length].mean() for i in range(0, len(errors) - length + 1, length)]
    return int(np.argmax(blocks)) * length, max(blocks)


def last_of_equals(errors, length):
    means = [errors[i : i + length].mean() for i in range(len(errors) - length + 1)]
    return len(means) - 1 - int(np.argmax(means[::-1])), max(means)


def beyond_the_end(errors, length):
    means = [errors[i : i + length].mean() for i in range(len(errors))]
    return int(np.argmax(means)), max(means)


def flips(*, axis=2, of=None, clear=None, opposite=True):
    """09.3 with another axis, of joints in place of bones, or with another idea of what is clear."""

    def answer(predicted, target, least=0.05):
        ours, true = ((of or bones)(poses[..., axis]) for poses in (predicted, target))
        enough = (np.abs(ours) >= least) & (np.abs(true) >= least) if clear is None else clear(ours, true, least)
        return enough & ((np.sign(ours) != np.sign(true)) == opposite)

    return answer


def bones(depth):
    return depth[:, CHILDREN] - depth[:, PARENTS]


def sides(poses_3d, offset=1):
    lengths = 1000 * H36M17.bone_lengths(poses_3d)
    left, right = (lengths[:, (np.array(side) - offset) % 16] for side in (H36M17.left, H36M17.right))
    return left - right


def lag(fits, best=np.argmin, unit=1):
    """09.5 with another list of fits for the delays 0 to most."""
    return lambda predicted, target, most=10: (
        int(best([fits(predicted, target, d, most) for d in range(most + 1)])) * unit
    )


def fit(predicted, target, d, most):
    T = len(target) - most
    return np.linalg.norm(predicted[d : d + T] - target[:T], axis=-1).mean()


def slid_the_wrong_way(predicted, target, d, most):
    return fit(target, predicted, d, most)


def all_that_overlap(predicted, target, d, most):
    return np.linalg.norm(predicted[d:] - target[: len(target) - d], axis=-1).mean()


def last_not_tried(predicted, target, most):
    return int(np.argmin([fit(predicted, target, d, most) for d in range(most)]))


def intervals(*, spread_of=None, factor=None, center=None, order=lambda ends: ends):
    """09.6 with another spread, factor, centre or order of the ends."""

    def answer(differences, rng, draws=2000):
        drawn = rng.integers(len(differences), size=(draws, len(differences)))
        means, middle = differences[drawn].mean(axis=1), differences.mean(axis=0)
        spread = means.std(axis=0)
        deviation = (means - middle) / spread
        c = np.percentile(np.abs(deviation).max(axis=1), 95) if factor is None else factor(deviation)
        spread = spread if spread_of is None else spread_of(differences)
        middle = middle if center is None else center(means)
        return order(np.stack([middle - c * spread, middle + c * spread], axis=1))

    return answer


def one_by_one(differences, rng, draws=2000):
    means = differences[rng.integers(len(differences), size=(draws, len(differences)))].mean(axis=1)
    return np.percentile(means, (2.5, 97.5), axis=0).T


def takes_throughout(differences, rng, draws=2000):
    means = differences[rng.integers(len(differences), size=(draws, len(differences)))].mean(axis=1)
    spread, middle = differences.std(axis=0), differences.mean(axis=0)
    c = np.percentile((np.abs(means - middle) / spread).max(axis=1), 95)
    return np.stack([middle - c * spread, middle + c * spread], axis=1)


def not_standardised(differences, rng, draws=2000):
    means, middle = (
        differences[rng.integers(len(differences), size=(draws, len(differences)))].mean(1),
        differences.mean(0),
    )
    c = np.percentile(np.abs(means - middle).max(axis=1), 95)
    return np.stack([middle - c, middle + c], axis=1)


MISTAKES = {
    "09.1": {
        "no floor": (in_room(floor=lambda height: 0), "nobody stands on the floor"),
        "one floor for the take": (in_room(floor=lambda height: height.min()), "same height"),
        "y without its minus": (in_room(signs=(1, 1, 1)), "grows downwards"),
        "depth reversed as well": (in_room(signs=(1, -1, -1)), "mirror"),
        "axes left in their order": (
            lambda p: np.stack([p[..., 0], -p[..., 1] + p[..., 1].max(1, keepdims=True), p[..., 2]], axis=-1),
            "kept their places",
        ),
        "depth as height": (in_room(order=(0, 1, 2), signs=(1, -1, 1)), "depth became the height"),
        "hip on the floor": (in_room(floor=lambda height: height[:, :1]), "nobody stands on the floor"),
        "right foot on the floor": (in_room(floor=lambda height: height[:, 3:4]), "right foot"),
        "lower foot on the floor": (
            in_room(floor=lambda height: height[:, [3, 6]].min(1, keepdims=True)),
            "lower foot",
        ),
        "everything moved": (
            lambda p: (lambda poses: poses - poses.min(1, keepdims=True))(in_room(floor=lambda height: 0)(p)),
            "All three axes",
        ),
        "every joint on the floor": (in_room(floor=lambda height: height), "flat"),
        "head on the floor": (in_room(floor=lambda height: height.max(1, keepdims=True)), "hang below"),
    },
    "09.2": {
        "pair turned round": (lambda e, n: stretch(e, n)[::-1], "changed places"),
        "last frame": (lambda e, n: stretch(e, n, shift=n - 1), "last one of the stretch"),
        "middle frame": (lambda e, n: stretch(e, n, shift=n // 2), "middle of the stretch"),
        "one late": (stretches(shift=1), "one frame late"),
        "no zero in front": (stretches(padded=False), "one frame early"),
        "sum": (stretches(divide=False), "divide by its length"),
        "single frame": (lambda e, n: (int(e.argmax()), e.max()), "worst single frame"),
        "median": (stretches(statistic=np.median), "median"),
        "least of all": (
            lambda e, n: (lambda pair: (pair[0], -pair[1]))(stretch(-e, n)),
            "best stretch",
        ),
        "blocks": (in_blocks, "do not overlap"),
        "last of equals": (last_of_equals, "equally bad"),
        "last left out": (lambda e, n: stretch(e[:-1], n) if len(e) > n else (0, e.mean()), "last stretch is left out"),
        "first left out": (
            lambda e, n: (lambda pair: (pair[0] + 1, pair[1]))(stretch(e[1:], n)) if len(e) > n else (0, e.mean()),
            "begins at frame 0 is left out",
        ),
        "beyond the end": (beyond_the_end, "beyond the end"),
    },
    "09.3": {
        "any difference in sign": (flips(clear=lambda a, b, least: np.abs(a) >= 0), "however small"),
        "prediction only": (flips(clear=lambda a, b, least: np.abs(a) >= least), "only the prediction"),
        "truth only": (flips(clear=lambda a, b, least: np.abs(b) >= least), "only the truth"),
        "either": (flips(clear=lambda a, b, least: (np.abs(a) >= least) | (np.abs(b) >= least)), "one of the two"),
        "both together": (flips(clear=lambda a, b, least: np.abs(a - b) >= least), "together must exceed"),
        "right ones": (flips(opposite=False), "point the right way"),
        "fixed least": (lambda p, t, least=0.05: flips()(p, t, 0.05), "use the argument"),
        "product": (flips(clear=lambda a, b, least: np.abs(a * b) >= least**2), "product of the depths"),
        "joints": (flips(of=lambda depth: depth), "joints and not at bones"),
        "child from the hip": (flips(of=lambda depth: depth[:, CHILDREN]), "measured from the hip"),
        "height": (flips(axis=1), "height"),
        "across": (flips(axis=0), "first coordinate"),
    },
    "09.4": {
        "metres": (lambda p: np.abs(sides(p)).mean(0) / 1000, "in metres"),
        "sign dropped late": (lambda p: np.abs(sides(p).mean(0)), "after the mean"),
        "sign kept": (lambda p: sides(p).mean(0), "still have their signs"),
        "one number": (lambda p: np.abs(sides(p)).mean(), "one number: give"),
        "per frame": (lambda p: np.abs(sides(p)).mean(1), "per frame"),
        "bones shifted": (lambda p: np.abs(sides(p, offset=0)).mean(0), "shifted by one"),
        "positions": (
            lambda p: 1000 * np.linalg.norm(p[:, H36M17.left] - p[:, H36M17.right], axis=-1).mean(0),
            "how far the left joints",
        ),
        "root of squares": (lambda p: np.sqrt((sides(p) ** 2).mean(0)), "squares"),
        "scatter": (lambda p: sides(p).std(0), "scatters"),
    },
    "09.5": {
        "sign": (lambda p, t, most=10: -lag(fit)(p, t, most), "turned round"),
        "worst": (lag(fit, best=np.argmax), "fits worst"),
        "the wrong way": (lag(slid_the_wrong_way), "wrong way"),
        "one too many": (lambda p, t, most=10: lag(fit)(p, t, most) + 1, "too many"),
        "last delay left out": (last_not_tried, "never tried"),
        "first delay left out": (lambda p, t, most=10: max(lag(fit)(p, t, most) - 1, 0), "too few"),
        "most fixed": (lambda p, t, most=10: lag(fit)(p, t, 10), "beyond `most`"),
        "milliseconds": (lag(fit, unit=20), "milliseconds"),
        "its error": (lambda p, t, most=10: min(fit(p, t, d, most) for d in range(most + 1)), "not its error"),
        "other frames for every delay": (lag(all_that_overlap), "same true frames"),
    },
    "09.6": {
        "one by one": (one_by_one, "each joint by itself: they hold"),
        "a factor for each joint": (
            intervals(factor=lambda d: np.percentile(np.abs(d), 95, axis=0)),
            "factor is that of each joint",
        ),
        "all deviations": (intervals(factor=lambda d: np.percentile(np.abs(d), 95)), "all deviations together"),
        "1.96": (intervals(factor=lambda d: 1.96), "1.96"),
        "spread of the takes": (intervals(spread_of=lambda x: x.std(axis=0, ddof=1)), "that of the takes"),
        "spread of the takes throughout": (takes_throughout, "everywhere that of the takes"),
        "97.5": (intervals(factor=lambda d: np.percentile(np.abs(d).max(axis=1), 97.5)), "97.5"),
        "0.95": (intervals(factor=lambda d: np.percentile(np.abs(d).max(axis=1), 0.95)), "counts to 100"),
        "not standardised": (not_standardised, "not divided"),
        "upwards only": (intervals(factor=lambda d: np.percentile(d.max(axis=1), 95)), "upwards"),
        "largest of all": (intervals(factor=lambda d: np.abs(d).max()), "largest deviation of all draws"),
        "round the draws": (intervals(center=lambda means: means.mean(axis=0)), "mean of the draws"),
        "transposed": (intervals(order=lambda ends: ends.T), "changed places: one row"),
        "ends turned round": (intervals(order=lambda ends: ends[:, ::-1]), "lower one comes first"),
        "over draws": (
            intervals(factor=lambda d: np.percentile(np.abs(d).max(axis=0), 95)),
            "largest was taken over the draws",
        ),
    },
}
