"""Checkers of lesson 09, Skeletons in 3D."""

import numpy as np

from poseformer_course.checks.judge import Exercise, Wrong
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.skeleton import H36M17

PARENTS, CHILDREN = np.array(H36M17.bones).T


def _poses(T: int, seed: int) -> np.ndarray:
    """(T, 17, 3): bodies of random bones, the hip at the origin."""
    return np.random.default_rng(seed).normal(0, 0.3, (T, 17, 3)) * (np.arange(17) > 0)[:, None]


def _turned(poses: np.ndarray) -> np.ndarray:
    return poses[..., [0, 2, 1]] * [1, 1, -1]


def _standing(axes=(0, 2, 1), signs=(1, 1, -1), floor=lambda height: height.min(axis=1, keepdims=True)):
    """Poses in a room of these axes with these signs, above the floor(height)."""

    def answer(poses):
        room = poses[..., axes] * signs
        room[..., 2] -= floor(room[..., 2])
        return room

    return answer


# Camera space to a room with z up, each pose on the floor.
exercise_1 = Exercise(
    right=lambda poses: Motion(poses, poses[..., :2], 50.0, 100, 100).upright(),
    mistakes={
        "The axes are right, but nobody stands on the floor: take the smallest height of each frame off.": _turned,
        "All frames were moved by the same height, that of the lowest joint of the whole take: each frame is put on "
        "the floor by itself.": _standing(floor=np.min),
        "The height still grows downwards: y points down in camera space, so its sign changes.": (
            _standing(signs=(1, 1, 1))
        ),
        "This is a mirror image, with the depth reversed: only the downward axis changes its sign.": (
            _standing(signs=(1, -1, -1))
        ),
        "The second and the third axis have kept their places: the room has the depth second and the height third.": (
            lambda poses: _standing()(poses)[..., [0, 2, 1]]
        ),
        "The depth became the height: y, with its sign changed, is the height.": _standing((0, 1, 2), (1, -1, 1)),
        "The right foot was put on the floor, whether or not it is the lowest joint of the frame.": (
            _standing(floor=lambda height: height[:, 3:4])
        ),
        "The lower foot was put on the floor: the lowest joint of a frame may be a hand or a knee.": (
            _standing(floor=lambda height: height[:, [3, 6]].min(axis=1, keepdims=True))
        ),
        "All three axes were moved: only the height is counted from the floor.": (
            lambda poses: _turned(poses) - _turned(poses).min(axis=1, keepdims=True)
        ),
        "Every joint was put on the floor by itself, so the people are flat: take one height off per frame, the "
        "smallest over its joints.": _standing(floor=lambda height: height),
        "The highest joint is at 0, so the people hang below the floor: take the smallest height off.": (
            _standing(floor=lambda height: height.max(axis=1, keepdims=True))
        ),
    },
    cases=[(_poses(T=5, seed=1),)],
    name="the poses in the room",
    remark="This is what `motion.upright()` gives.",
)


def _means(errors: np.ndarray, length: int) -> np.ndarray:
    return np.array([errors[i : i + length].mean() for i in range(len(errors) - length + 1)])


def _worst(of=_means, pair=lambda begin, mean, length: (begin, mean)):
    """The pair(place, value, length) of the largest of the values of(errors, length)."""

    def answer(errors, length):
        values = np.array(of(errors, length))
        return pair(int(values.argmax()), values.max(), length)

    return answer


def _without_the_first(errors, length):
    """What cumulative sums give without a zero in front."""
    return _means(errors, length)[1:]


def _last_of_equals(errors, length):
    means = _means(errors, length)
    return int(np.flatnonzero(means == means.max())[-1]), means.max()


def _noise() -> np.ndarray:
    noise = np.random.default_rng(2).uniform(30, 50, 90)
    noise[20] = 400  # one wild frame
    noise[40:52] += 60
    return noise


# Where the worst stretch of frames begins, and its mean error.
exercise_2_worst = Exercise(
    right=_worst(),
    mistakes={
        "The two answers have changed places: the first frame comes first, then the mean.": (
            _worst(pair=lambda begin, mean, length: (mean, begin))
        ),
        "The frame is the last one of the stretch: give its first.": (
            _worst(pair=lambda begin, mean, length: (begin + length - 1, mean))
        ),
        "The frame is the middle of the stretch: give its first.": (
            _worst(pair=lambda begin, mean, length: (begin + length // 2, mean))
        ),
        "This is one frame late: with a zero in front of the cumulative sums, entry i is the sum before frame i.": (
            _worst(pair=lambda begin, mean, length: (begin + 1, mean))
        ),
        "This is the sum of the stretch: divide by its length.": (
            _worst(pair=lambda begin, mean, length: (begin, mean * length))
        ),
        "This is the worst single frame: take the mean over `length` consecutive frames.": (
            _worst(lambda errors, length: errors)
        ),
        "This is the best stretch: look for the largest mean.": (
            _worst(lambda errors, length: -_means(errors, length), lambda begin, mean, length: (begin, -mean))
        ),
        "This is the stretch with the largest median: take means.": (
            _worst(lambda errors, length: np.median(np.lib.stride_tricks.sliding_window_view(errors, length), axis=1))
        ),
        "The last stretch is left out: there are T - length + 1 of them.": (
            _worst(lambda errors, length: _means(errors, length)[:-1])
        ),
        "The stretches do not overlap here: a stretch may begin at any frame, not only at multiples of its length.": (
            _worst(
                lambda errors, length: _means(errors, length)[::length],
                lambda begin, mean, length: (begin * length, mean),
            )
        ),
        "This is one frame early: without a zero in front of the cumulative sums, the stretch that begins at frame 0 "
        "is left out, and all others are counted from it.": _worst(_without_the_first),
    },
    cases=[(_noise(), 12), (np.array([10.0, 50, 10, 40, 40]), 2), (_noise()[::-1][:30], 1)],
    name="the pair of first frame and mean",
)

exercise_2_first = Exercise(
    right=_worst(),
    mistakes={
        "The stretch that begins at frame 0 is left out: put a zero in front of the cumulative sums.": (
            _worst(_without_the_first, lambda begin, mean, length: (begin + 1, mean))
        )
    },
    cases=[(np.array([9.0, 9, 1, 1, 1]), 2)],
    name="the pair where the first stretch is the worst",
)

exercise_2_only = Exercise(
    right=_worst(),
    mistakes={
        "Stretches that reach beyond the end of the take were counted: there are T - length + 1.": (
            _worst(lambda errors, length: [errors[i : i + length].mean() for i in range(len(errors))])
        )
    },
    cases=[(np.array([3.0, 4.0, 8.0]), 3)],
    name="the pair for a stretch as long as the take",
)

exercise_2_equals = Exercise(
    right=_worst(),
    mistakes={"Two stretches are equally bad, and the first of them is asked for.": _last_of_equals},
    cases=[(np.array([1.0, 7.0, 7.0, 1.0, 7.0, 7.0]), 2)],
    name="the pair where two stretches are equally bad",
)


def exercise_2(answer):
    """The worst stretch, also at the ends of a take and among equals."""
    for part in (exercise_2_worst, exercise_2_first, exercise_2_only, exercise_2_equals):
        part(answer)
    return "A stretch is what a viewer of the video sees. A spike of one frame mostly is not."


def _bones(depth: np.ndarray) -> np.ndarray:
    return depth[:, CHILDREN] - depth[:, PARENTS]


def _flips(clear=lambda ours, true, least: np.minimum(ours, true) >= least, signs=np.not_equal, of=_bones, axis=2):
    """Where signs(ours, true) holds and the sizes of both depths are clear(ours, true, least)."""

    def answer(predicted, target, least):
        ours, true = (of(poses[..., axis]) for poses in (predicted, target))
        return signs(np.sign(ours), np.sign(true)) & clear(np.abs(ours), np.abs(true), least)

    return answer


# Which bones run in opposite directions in depth.
exercise_3 = Exercise(
    right=_flips(),
    mistakes={
        "Every difference in sign counts here, however small: both depths must be at least `least`.": (
            _flips(lambda ours, true, least: True)
        ),
        "Only the prediction's depth is compared with `least`: the truth's must be as large, too.": (
            _flips(lambda ours, true, least: ours >= least)
        ),
        "Only the truth's depth is compared with `least`: the prediction's must be as large, too.": (
            _flips(lambda ours, true, least: true >= least)
        ),
        "One of the two depths is enough here: both must be at least `least`.": (
            _flips(lambda ours, true, least: np.maximum(ours, true) >= least)
        ),
        "Here the two depths together must exceed `least`: each of them must, by itself.": (
            _flips(lambda ours, true, least: ours + true >= least)
        ),
        "These are the bones that point the right way: the signs must differ.": _flips(signs=np.equal),
        "These are all the bones with a clear depth: of them, only those whose signs differ count.": (
            _flips(signs=lambda ours, true: True)
        ),
        "This looks at the depth of the child's joint, measured from the hip: a bone's depth is the child's less the "
        "parent's.": _flips(of=lambda depth: depth[:, CHILDREN]),
        "This looks at joints and not at bones: subtract the parent's depth from the child's.": (
            _flips(of=lambda depth: depth)
        ),
        "This is the height, the second coordinate: depth is the third.": _flips(axis=1),
        "This is the first coordinate, left and right: depth is the third.": _flips(axis=0),
        "Here `least` is 0.05 whatever is asked for: use the argument.": (
            _flips(lambda ours, true, least: np.minimum(ours, true) >= 0.05)
        ),
        "Here the product of the depths must be large: each of them must be at least `least`.": (
            _flips(lambda ours, true, least: ours * true >= least**2)
        ),
    },
    cases=[(_poses(T=12, seed=3), _poses(T=12, seed=4), least) for least in (0.1, 0.3)],
    name="the reversed bones",
    remark="A bone near the picture plane is neither: that is what `least` is for.",
)


def _apart(poses: np.ndarray, shift: int = 0) -> np.ndarray:
    """How much longer the left bone is in mm, (T, 6). The bone that ends in joint j has the number j - 1."""
    lengths = 1000 * H36M17.bone_lengths(poses)
    left, right = (lengths[:, (np.array(side) - 1 + shift) % 16] for side in (H36M17.left, H36M17.right))
    return left - right


def _unequal(poses, shift=0):
    return np.abs(_apart(poses, shift)).mean(axis=0)


# The mean difference in length of left and right bones, pair by pair.
exercise_4 = Exercise(
    right=_unequal,
    mistakes={
        "This is in metres: the answer is asked for in millimetres.": lambda poses: _unequal(poses) / 1000,
        "The sign was dropped after the mean: an arm that is now longer and now shorter is not symmetric. Drop it in "
        "every frame.": lambda poses: np.abs(_apart(poses).mean(axis=0)),
        "The differences still have their signs: long and short cancel.": lambda poses: _apart(poses).mean(axis=0),
        "This is one number: give one for each of the six pairs.": lambda poses: _unequal(poses).mean(),
        "This is one number per frame: take the mean over frames, the first axis.": (
            lambda poses: np.abs(_apart(poses)).mean(axis=1)
        ),
        "The bones are shifted by one: the bone that ends in joint j has the number j - 1, since the hip has none.": (
            lambda poses: _unequal(poses, shift=1)
        ),
        "This is how far the left joints are from the right ones: compare the lengths of bones.": (
            lambda poses: 1000 * np.linalg.norm(poses[:, H36M17.left] - poses[:, H36M17.right], axis=-1).mean(axis=0)
        ),
        "This is the root of a mean of squares: take the mean of the differences without signs.": (
            lambda poses: (_apart(poses) ** 2).mean(axis=0) ** 0.5
        ),
        "This is how much the difference scatters: take its mean without the sign.": (
            lambda poses: _apart(poses).std(axis=0)
        ),
    },
    cases=[(_poses(T=7, seed=5),)],
    name="the differences of the six pairs",
    remark="It needs no truth, so you can look at it in your own videos.",
)


def _fits(predicted: np.ndarray, target: np.ndarray, most: int) -> list:
    """The mean distance at each delay from 0 to most."""
    T = len(target) - most
    return [np.linalg.norm(predicted[d : d + T] - target[:T], axis=-1).mean() for d in range(most + 1)]


def _lag(predicted, target, most):
    return int(np.argmin(_fits(predicted, target, most)))


def _lag_in_all_frames(predicted, target, most):
    T = len(target)
    return np.argmin([np.linalg.norm(predicted[d:] - target[: T - d], axis=-1).mean() for d in range(most + 1)])


WALK = np.random.default_rng(6).normal(size=(80, 5, 3)).cumsum(axis=0) * 0.05


def _late(frames: int) -> np.ndarray:
    """A noisy prediction of WALK[10:70] that comes late."""
    return WALK[10 - frames : 70 - frames] + 0.01 * np.random.default_rng(frames).normal(size=(60, 5, 3))


def _moves_at(frame: int) -> np.ndarray:
    """(30, 4, 3): moves by 1 m at this frame, and stands still before and after."""
    return np.ones((30, 4, 3)) * (np.arange(30) >= frame)[:, None, None]


# The delay in frames at which a prediction fits the truth best.
exercise_5_lag = Exercise(
    right=_lag,
    mistakes={
        "The sign is turned round: a prediction that comes late has a positive lag.": lambda *case: -_lag(*case),
        "This delay fits worst: take the smallest distance.": lambda *case: np.argmax(_fits(*case)),
        "The prediction is slid the wrong way: frame t + d of the prediction belongs to frame t of the truth.": (
            lambda predicted, target, most: _lag(target, predicted, most)
        ),
        "This is one too many: the first delay to try is 0.": lambda *case: _lag(*case) + 1,
        "The delay `most` was never tried: it runs from 0 to `most`, {most} included.": (
            lambda *case: np.argmin(_fits(*case)[:-1])
        ),
        "This is one too few: a delay of 0 stands first in the list.": lambda *case: _lag(*case) - 1,
        "This is in milliseconds: give frames.": lambda *case: _lag(*case) * 20,
    },
    cases=[(_late(frames), WALK[10:70], most) for frames, most in ((3, 10), (0, 6), (5, 5))],
    fields=lambda predicted, target, most: {"most": most, "late": _lag(predicted, target, most)},
    name="the lag of a prediction that is {late} frames late",
)

exercise_5_same_frames = Exercise(
    right=_lag,
    mistakes={
        "Every delay must be judged on the same true frames, the first T - most: here later ones came in.": (
            _lag_in_all_frames
        )
    },
    cases=[(_moves_at(28), _moves_at(26), 6)],
    name="the lag where only the last frames move",
)

exercise_5_beyond = Exercise(
    right=_lag,
    mistakes={
        "Delays beyond `most` were tried: the largest is the argument, whatever it is.": (
            lambda predicted, target, most: _lag(predicted, target, 10)
        )
    },
    cases=[(WALK[2:62], WALK[10:70], 4)],  # 8 frames late
    name="the lag where more than `most` would fit",
)


def exercise_5(answer):
    """The delay as a whole number, also where frames at the end or delays beyond `most` would mislead."""

    def whole(*case):
        got = answer(*case)
        if got is not None and np.ndim(got) == 0 and float(got) != round(float(got)):
            raise Wrong("The lag is a number of frames, an integer: return which delay is best, not its error.")
        return got

    for part in (exercise_5_lag, exercise_5_same_frames, exercise_5_beyond):
        part(whole)
    return "Half the width of a live average, less half a frame: that is the price of its calm."


def _drawn_means(differences, rng, draws):
    """The mean of each draw of takes, (draws, J)."""
    return differences[rng.integers(len(differences), size=(draws, len(differences)))].mean(axis=1)


def _spread_of_means(means: np.ndarray, differences: np.ndarray) -> np.ndarray:
    return means.std(axis=0)


def _spread_of_takes(means: np.ndarray, differences: np.ndarray) -> np.ndarray:
    return differences.std(axis=0, ddof=1)


def _no_spread(means: np.ndarray, differences: np.ndarray) -> float:
    return 1.0


def _of_farthest(deviation, percentile=95):
    """The percentile of the largest deviation of each draw, over the joints."""
    return np.percentile(np.abs(deviation).max(axis=1), percentile)


def _intervals(
    factor=_of_farthest,
    divided_by=_spread_of_means,
    times=_spread_of_means,
    center=lambda means, differences: differences.mean(axis=0),
):
    """Around the center, factor(deviations divided by a spread) times a spread."""

    def answer(differences, rng, draws):
        means = _drawn_means(differences, rng, draws)
        deviation = (means - differences.mean(axis=0)) / divided_by(means, differences)
        half, middle = factor(deviation) * times(means, differences), center(means, differences)
        return np.stack([middle - half, middle + half], axis=1)

    return answer


def _differences() -> np.ndarray:
    """(14, 5): differences of 14 takes at 5 joints, which rise and fall together."""
    generator = np.random.default_rng(7)
    common = generator.normal(0, 2, (14, 1))
    return common + generator.normal(0, [1, 2, 4, 1, 3], (14, 5)) + np.array([0.0, 3, -2, 6, 1])


# Intervals for all joints together, by drawing takes.
exercise_6 = Exercise(
    right=_intervals(),
    mistakes={
        "These are the percentiles of each joint by itself: they hold for one joint at a time, not for all together.": (
            lambda *case: np.percentile(_drawn_means(*case), (2.5, 97.5), axis=0).T
        ),
        "The factor is that of each joint by itself: take the largest deviation of each draw over the joints first.": (
            _intervals(lambda deviation: np.percentile(np.abs(deviation), 95, axis=0))
        ),
        "The factor is the percentile of all deviations together: take the largest of each draw over the joints "
        "first.": _intervals(lambda deviation: np.percentile(np.abs(deviation), 95)),
        "The factor is 1.96, which serves a single joint that is normally distributed.": (
            _intervals(lambda deviation: 1.96)
        ),
        "The standard deviation is that of the takes: use the one of the means over the draws.": (
            _intervals(times=_spread_of_takes)
        ),
        "The standard deviation is everywhere that of the takes: use the one of the means over the draws.": (
            _intervals(divided_by=_spread_of_takes, times=_spread_of_takes)
        ),
        "The percentile is 97.5, as for one end of two: the deviation has no sign, so it is 95.": (
            _intervals(lambda deviation: _of_farthest(deviation, 97.5))
        ),
        "This percentile is 0.95: `np.percentile` counts to 100.": (
            _intervals(lambda deviation: _of_farthest(deviation, 0.95))
        ),
        "The deviations were not divided by their joint's own standard deviation, so the joint that scatters most "
        "decides alone.": _intervals(divided_by=_no_spread, times=_no_spread),
        "Only deviations upwards count here: take them without their sign.": (
            _intervals(lambda deviation: np.percentile(deviation.max(axis=1), 95))
        ),
        "This is the largest deviation of all draws: take its 95th percentile.": (
            _intervals(lambda deviation: np.abs(deviation).max())
        ),
        "The intervals lie round the mean of the draws: they belong round the mean of the takes as they are.": (
            _intervals(center=lambda means, differences: means.mean(axis=0))
        ),
        "The axes have changed places: one row for each joint, with its two ends.": lambda *case: _intervals()(*case).T,
        "The two ends have changed places: the lower one comes first.": lambda *case: _intervals()(*case)[:, ::-1],
        "The largest was taken over the draws: for every draw, look for the joint that lies farthest off.": (
            _intervals(lambda deviation: np.percentile(np.abs(deviation).max(axis=0), 95))
        ),
    },
    cases=[(_differences(), np.random.default_rng(1), 500)],
    name="the intervals",
    remark="Whatever joint you point at afterwards, its interval was wide enough for the pointing.",
    tolerance=1e-6,
)
