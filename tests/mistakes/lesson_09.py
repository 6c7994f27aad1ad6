"""Plausible mistakes in the exercises of lesson 09, and what their hints must say."""

import numpy as np

from poseformer_lite.skeleton import H36M17


def on_the_right_foot(poses_3d):
    x, y, z = poses_3d[..., 0], poses_3d[..., 1], poses_3d[..., 2]
    return np.stack([x, z, y[:, 3:4] - y], axis=-1)


def mirrored(poses_3d):
    x, y, z = poses_3d.T  # each (17, T)
    return np.stack([x, -z, y.max(axis=0) - y]).T


def stretch(errors, length, last=False):
    sums = np.concatenate([[0.0], np.cumsum(errors)])
    means = list((sums[length:] - sums[:-length]) / length)
    best = max(means)
    return (len(means) - 1 - means[::-1].index(best) if last else means.index(best)), best


def in_blocks(errors, length):
    blocks = [errors[i : i + length].mean() for i in range(0, len(errors) - length + 1, length)]
    return int(np.argmax(blocks)) * length, max(blocks)


def first_left_out(errors, length):
    begin, mean = stretch(errors[1:], length) if len(errors) > length else (-1, errors.mean())
    return begin + 1, mean


def beyond_the_end(errors, length):
    means = [sum(errors[i : i + length]) / len(errors[i : i + length]) for i in range(len(errors))]
    return means.index(max(means)), max(means)


def flips_of_joints(predicted, target, least):
    ours, true = predicted[:, :, 2], target[:, :, 2]
    return ((ours >= least) & (true <= -least)) | ((ours <= -least) & (true >= least))


def flips_of_one_clear_bone(predicted, target, least):
    found = np.zeros((len(target), len(H36M17.bones)), dtype=bool)
    for bone, (parent, child) in enumerate(H36M17.bones):
        ours, true = (poses[:, child, 2] - poses[:, parent, 2] for poses in (predicted, target))
        found[:, bone] = (ours * true < 0) & ((abs(ours) >= least) | (abs(true) >= least))
    return found


def side_differences(poses_3d):
    parent = {child: parent for parent, child in H36M17.bones}
    left, right = (
        np.stack([np.linalg.norm(poses_3d[:, j] - poses_3d[:, parent[j]], axis=1) for j in side])
        for side in (H36M17.left, H36M17.right)
    )
    return 1000 * (left - right)  # (6, T)


def distance(predicted, target, d, frames):
    return np.sqrt(((predicted[d : d + frames] - target[:frames]) ** 2).sum(axis=2)).mean()


def lag(predicted, target, most, tried=None, frames=lambda T, d, most: T - most):
    fits = {d: distance(predicted, target, d, frames(len(target), d, most)) for d in range(tried or most + 1)}
    return min(fits, key=fits.get)


def takes_throughout(differences, rng, draws):
    means = differences[rng.integers(len(differences), size=(draws, len(differences)))].mean(axis=1)
    spread, middle = differences.std(axis=0), differences.mean(axis=0)
    half = np.quantile((np.abs(means - middle) / spread).max(axis=1), 0.95) * spread
    return np.stack([middle - half, middle + half]).T


def not_standardized(differences, rng, draws):
    means = np.stack([differences[rng.integers(14, size=14)].mean(axis=0) for _ in range(draws)])
    middle = differences.mean(axis=0)
    half = np.quantile(np.abs(means - middle).max(axis=1), 0.95)
    return np.stack([middle - half, middle + half], axis=1)


MISTAKES = {
    "09.1": {
        "depth reversed as well": (mirrored, "mirror"),
        "right foot on the floor": (on_the_right_foot, "right foot"),
    },
    "09.2": {
        "blocks": (in_blocks, "do not overlap"),
        "last left out": (lambda e, n: stretch(e[:-1], n) if len(e) > n else (0, e.mean()), "last stretch is left out"),
        "first left out": (first_left_out, "begins at frame 0 is left out"),
        "beyond the end": (beyond_the_end, "beyond the end"),
        "last of equals": (lambda e, n: stretch(e, n, last=True), "equally bad"),
    },
    "09.3": {
        "either": (flips_of_one_clear_bone, "one of the two"),
        "joints": (flips_of_joints, "joints and not at bones"),
    },
    "09.4": {
        "sign dropped late": (lambda p: abs(side_differences(p).mean(axis=1)), "after the mean"),
        "root of squares": (lambda p: np.sqrt(np.square(side_differences(p)).mean(axis=1)), "squares"),
    },
    "09.5": {
        "the wrong way": (lambda p, t, most: lag(t, p, most), "wrong way"),
        "last delay left out": (lambda p, t, most: lag(p, t, most, tried=most), "never tried.* 5 included"),
        "other frames for every delay": (
            lambda p, t, most: lag(p, t, most, frames=lambda T, d, most: T - d),
            "same true frames",
        ),
        "most fixed": (lambda p, t, most: lag(p, t, 10), "beyond `most`"),
        "its error": (lambda p, t, most: min(distance(p, t, d, 50) for d in range(most + 1)), "not its error"),
    },
    "09.6": {
        "spread of the takes throughout": (takes_throughout, "everywhere that of the takes"),
        "not standardised": (not_standardized, "not divided"),
    },
}
