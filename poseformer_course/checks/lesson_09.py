"""Checkers of lesson 09, Skeletons in 3D."""

import numpy as np

from poseformer_course.checks.judge import Wrong, compare
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.skeleton import H36M17

PARENTS, CHILDREN = np.array(H36M17.bones).T


def exercise_1(in_the_room):
    """Camera space to a room with z up, each pose on the floor."""
    poses = _poses(T=5, seed=1)
    expected = Motion(poses, poses[..., :2], 50.0, 100, 100).upright()
    x, y, z = np.moveaxis(poses, -1, 0)
    room = np.stack([x, z, -y], axis=-1)
    height = room[..., 2]

    def standing(pose):
        return pose - np.array([0, 0, 1]) * pose[..., 2].min(axis=1)[:, None, None]

    compare(
        in_the_room(poses.copy()),
        expected,
        {
            "The axes are right, but nobody stands on the floor: take the smallest height of each frame off.": room,
            "All frames were moved by the same height, that of the lowest joint of the whole take: each frame is put "
            "on the floor by itself.": room - np.array([0, 0, height.min()]),
            "The height still grows downwards: y points down in camera space, so its sign changes.": standing(
                np.stack([x, z, y], axis=-1)
            ),
            "This is a mirror image, with the depth reversed: only the downward axis changes its sign.": standing(
                np.stack([x, -z, -y], axis=-1)
            ),
            "The second and the third axis have kept their places: the room has the depth second and the height "
            "third.": np.stack([x, -y - (-y).min(1, keepdims=True), z], axis=-1),
            "The depth became the height: y, with its sign changed, is the height.": standing(
                np.stack([x, -y, z], axis=-1)
            ),
            "The right foot was put on the floor, whether or not it is the lowest joint of the frame.": room
            - np.array([0, 0, 1]) * height[:, 3:4, None],
            "The lower foot was put on the floor: the lowest joint of a frame may be a hand or a knee.": room
            - np.array([0, 0, 1]) * height[:, [3, 6]].min(axis=1)[:, None, None],
            "All three axes were moved: only the height is counted from the floor.": room - room.min(1, keepdims=True),
            "Every joint was put on the floor by itself, so the people are flat: take one height off per frame, the "
            "smallest over its joints.": room * [1, 1, 0],
            "The highest joint is at 0, so the people hang below the floor: take the smallest height off.": room
            - np.array([0, 0, 1]) * height.max(axis=1)[:, None, None],
        },
        name="the poses in the room",
    )
    return "This is what `motion.upright()` gives."


def exercise_2(worst_stretch):
    """Where the worst stretch of frames begins, and its mean error."""
    generator = np.random.default_rng(2)
    noise = generator.uniform(30, 50, 90)
    noise[20] = 400  # one wild frame
    noise[40:52] += 60
    for errors, length in ((noise, 12), (np.array([10.0, 50, 10, 40, 40]), 2), (noise[::-1][:30], 1)):
        means = np.array([errors[i : i + length].mean() for i in range(len(errors) - length + 1)])
        begin, mean = _worst(means)
        medians = np.array([np.median(errors[i : i + length]) for i in range(len(means))])
        compare(
            worst_stretch(errors.copy(), length),
            (begin, mean),
            {
                "The two answers have changed places: the first frame comes first, then the mean.": (mean, begin),
                "The frame is the last one of the stretch: give its first.": (begin + length - 1, mean),
                "The frame is the middle of the stretch: give its first.": (begin + length // 2, mean),
                "This is one frame late: with a zero in front of the cumulative sums, entry i is the sum before "
                "frame i.": (begin + 1, mean),
                "This is the sum of the stretch: divide by its length.": (begin, mean * length),
                "This is the worst single frame: take the mean over `length` consecutive frames.": _worst(errors),
                "This is the best stretch: look for the largest mean.": (int(means.argmin()), means.min()),
                "This is the stretch with the largest median: take means.": _worst(medians),
                "The last stretch is left out: there are T - length + 1 of them.": _worst(means[:-1]),
            }
            | _stretches_of_blocks(errors, length)
            | _stretches_without_the_first(errors, length),
            name="the pair of first frame and mean",
        )
    early, only = np.array([9.0, 9, 1, 1, 1]), np.array([3.0, 4.0, 8.0])
    hint = {"The stretch that begins at frame 0 is left out: put a zero in front of the cumulative sums.": (1, 5.0)}
    compare(worst_stretch(early.copy(), 2), (0, 9.0), hint, name="the pair where the first stretch is the worst")
    hint = {"Stretches that reach beyond the end of the take were counted: there are T - length + 1.": (2, 8.0)}
    compare(worst_stretch(only.copy(), 3), (0, 5.0), hint, name="the pair for a stretch as long as the take")
    ties = np.array([1.0, 7.0, 7.0, 1.0, 7.0, 7.0])
    hint = {"Two stretches are equally bad, and the first of them is asked for.": (4, 7.0)}
    compare(worst_stretch(ties.copy(), 2), (1, 7.0), hint, name="the pair where two stretches are equally bad")
    return "A stretch is what a viewer of the video sees. A spike of one frame mostly is not."


def exercise_3(depth_flips):
    """Which bones run in opposite directions in depth."""
    predicted, target = _poses(T=12, seed=3), _poses(T=12, seed=4)
    for least in (0.1, 0.3):
        ours, true = (p[:, CHILDREN, 2] - p[:, PARENTS, 2] for p in (predicted, target))
        opposite = np.sign(ours) != np.sign(true)
        clear = (np.abs(ours) >= least) & (np.abs(true) >= least)
        joints = (np.sign(predicted[..., 2]) != np.sign(target[..., 2])) & (
            np.minimum(np.abs(predicted[..., 2]), np.abs(target[..., 2])) >= least
        )
        others = [
            (np.sign(a) != np.sign(b)) & (np.minimum(np.abs(a), np.abs(b)) >= least)
            for a, b in ((p[:, CHILDREN, i] - p[:, PARENTS, i] for p in (predicted, target)) for i in (0, 1))
        ]
        got = depth_flips(predicted.copy(), target.copy(), least)
        compare(
            got,
            opposite & clear,
            {
                "Every difference in sign counts here, however small: both depths must be at least `least`.": opposite,
                "Only the prediction's depth is compared with `least`: the truth's must be as large, too.": opposite
                & (np.abs(ours) >= least),
                "Only the truth's depth is compared with `least`: the prediction's must be as large, too.": opposite
                & (np.abs(true) >= least),
                "One of the two depths is enough here: both must be at least `least`.": opposite
                & (np.maximum(np.abs(ours), np.abs(true)) >= least),
                "Here the two depths together must exceed `least`: each of them must, by itself.": opposite
                & (np.abs(ours - true) >= least),
                "These are the bones that point the right way: the signs must differ.": ~opposite & clear,
                "These are all the bones with a clear depth: of them, only those whose signs differ count.": clear,
                "This looks at the depth of the child's joint, measured from the hip: a bone's depth is the child's "
                "less the parent's.": joints[:, CHILDREN],
                "This looks at joints and not at bones: subtract the parent's depth from the child's.": joints,
                "This is the height, the second coordinate: depth is the third.": others[1],
                "This is the first coordinate, left and right: depth is the third.": others[0],
                "Here `least` is 0.05 whatever is asked for: use the argument.": opposite
                & (np.minimum(np.abs(ours), np.abs(true)) >= 0.05),
                "Here the product of the depths must be large: each of them must be at least `least`.": opposite
                & (np.abs(ours * true) >= least**2),
            },
            name="the reversed bones",
        )
    return "A bone near the picture plane is neither: that is what `least` is for."


def exercise_4(unequal_sides):
    """The mean difference in length of left and right bones, pair by pair."""
    poses = _poses(T=7, seed=5)
    lengths = 1000 * H36M17.bone_lengths(poses)
    left, right = (lengths[:, np.array(side) - 1] for side in (H36M17.left, H36M17.right))
    apart = left - right
    size = np.abs(apart)
    expected, squares = size.mean(axis=0), (size**2).mean(axis=0)
    shifted = lengths[:, [(j % 16) for j in H36M17.left]] - lengths[:, [(j % 16) for j in H36M17.right]]
    positions = 1000 * np.linalg.norm(poses[:, H36M17.left] - poses[:, H36M17.right], axis=-1).mean(axis=0)
    compare(
        unequal_sides(poses.copy()),
        expected,
        {
            "This is in metres: the answer is asked for in millimetres.": expected / 1000,
            "The sign was dropped after the mean: an arm that is now longer and now shorter is not symmetric. Drop "
            "it in every frame.": np.abs(apart.mean(axis=0)),
            "The differences still have their signs: long and short cancel.": apart.mean(axis=0),
            "This is one number: give one for each of the six pairs.": expected.mean(),
            "This is one number per frame: take the mean over frames, the first axis.": size.mean(axis=1),
            "The bones are shifted by one: the bone that ends in joint j has the number j - 1, since the hip has "
            "none.": np.abs(shifted).mean(axis=0),
            "This is how far the left joints are from the right ones: compare the lengths of bones.": positions,
            "This is the root of a mean of squares: take the mean of the differences without signs.": squares**0.5,
            "This is how much the difference scatters: take its mean without the sign.": apart.std(axis=0),
        },
        name="the differences of the six pairs",
    )
    return "It needs no truth, so you can look at it in your own videos."


def exercise_5(lag_in_frames):
    """The delay in frames at which a prediction fits the truth best."""
    generator = np.random.default_rng(6)
    motion = generator.normal(size=(80, 5, 3)).cumsum(axis=0) * 0.05
    for late, most in ((3, 10), (0, 6), (5, 5)):
        predicted = motion[10 - late : 70 - late] + 0.01 * generator.normal(size=(60, 5, 3))
        target = motion[10:70]
        got = lag_in_frames(predicted.copy(), target.copy(), most)
        if got is not None and np.ndim(got) == 0 and float(got) != round(float(got)):
            raise Wrong("The lag is a number of frames, an integer: return which delay is best, not its error.")
        compare(
            got,
            late,
            {
                "The sign is turned round: a prediction that comes late has a positive lag.": -late or 99,
                "This delay fits worst: take the smallest distance.": int(np.argmax(_fits(predicted, target, most))),
                "The prediction is slid the wrong way: frame t + d of the prediction belongs to frame t of the "
                "truth.": int(np.argmin(_fits(target, predicted, most))) if late else 99,
                "This is one too many: the first delay to try is 0.": late + 1,
                f"The delay `most` was never tried: it runs from 0 to `most`, {most} included.": most - 1,
                "This is one too few: a delay of 0 stands first in the list.": late - 1,
                "This is in milliseconds: give frames.": late * 20 or 99,
            },
            name=f"the lag of a prediction that is {late} frames late",
        )
    still = np.zeros((30, 4, 3))
    late_at_the_end = still.copy()
    still[-4:], late_at_the_end[-2:] = 1.0, 1.0  # moves by 1 m, in the last frames only
    hint = {"Every delay must be judged on the same true frames, the first T - most: here later ones came in.": 2}
    compare(lag_in_frames(late_at_the_end, still, 6), 0, hint, name="the lag where only the last frames move")
    near, far = motion[10:70], motion[2:62]  # 8 frames late, where 4 are allowed
    hint = {"Delays beyond `most` were tried: the largest is the argument, whatever it is.": 8}
    compare(lag_in_frames(far.copy(), near.copy(), 4), 4, hint, name="the lag where more than `most` would fit")
    return "Half the width of a live average, less half a frame: that is the price of its calm."


def exercise_6(intervals_for_all):
    """Intervals for all joints together, by drawing takes."""
    generator = np.random.default_rng(7)
    K, J, draws = 14, 5, 500
    common = generator.normal(0, 2, (K, 1))
    differences = common + generator.normal(0, [1, 2, 4, 1, 3], (K, J)) + np.array([0.0, 3, -2, 6, 1])
    middle = differences.mean(axis=0)

    def drawn():
        return np.random.default_rng(1).integers(K, size=(draws, K))

    means = differences[drawn()].mean(axis=1)  # (draws, J)
    spread = means.std(axis=0)
    deviation = np.abs(means - middle) / spread

    def around(half, center=middle):
        return np.stack([center - half, center + half], axis=1)

    c = np.percentile(deviation.max(axis=1), 95)
    expected = around(c * spread)
    takes_spread = differences.std(axis=0, ddof=1)
    farthest, signed = deviation.max(axis=1), np.percentile(((means - middle) / spread).max(axis=1), 95)
    compare(
        intervals_for_all(differences.copy(), np.random.default_rng(1), draws),
        expected,
        {
            "These are the percentiles of each joint by itself: they hold for one joint at a time, not for all "
            "together.": np.percentile(means, (2.5, 97.5), axis=0).T,
            "The factor is that of each joint by itself: take the largest deviation of each draw over the joints "
            "first.": around(np.percentile(deviation, 95, axis=0) * spread),
            "The factor is the percentile of all deviations together: take the largest of each draw over the joints "
            "first.": around(np.percentile(deviation, 95) * spread),
            "The factor is 1.96, which serves a single joint that is normally distributed.": around(1.96 * spread),
            "The standard deviation is that of the takes: use the one of the means over the draws.": around(
                c * takes_spread
            ),
            "The standard deviation is everywhere that of the takes: use the one of the means over the draws.": around(
                np.percentile((np.abs(means - middle) / takes_spread).max(axis=1), 95) * takes_spread
            ),
            "The percentile is 97.5, as for one end of two: the deviation has no sign, so it is 95.": around(
                np.percentile(farthest, 97.5) * spread
            ),
            "This percentile is 0.95: `np.percentile` counts to 100.": around(np.percentile(farthest, 0.95) * spread),
            "The deviations were not divided by their joint's own standard deviation, so the joint that scatters most "
            "decides alone.": around(np.percentile(np.abs(means - middle).max(axis=1), 95)),
            "Only deviations upwards count here: take them without their sign.": around(signed * spread),
            "This is the largest deviation of all draws: take its 95th percentile.": around(deviation.max() * spread),
            "The intervals lie round the mean of the draws: they belong round the mean of the takes as they are.": (
                around(c * spread, means.mean(axis=0))
            ),
            "The axes have changed places: one row for each joint, with its two ends.": expected.T,
            "The two ends have changed places: the lower one comes first.": expected[:, ::-1],
            "The largest was taken over the draws: for every draw, look for the joint that lies farthest off.": around(
                np.percentile(deviation.max(axis=0), 95) * spread
            ),
        },
        name="the intervals",
        tolerance=1e-6,
    )
    return "Whatever joint you point at afterwards, its interval was wide enough for the pointing."


def _poses(T: int, seed: int) -> np.ndarray:
    """(T, 17, 3): bodies of random bones, the hip at the origin."""
    return np.random.default_rng(seed).normal(0, 0.3, (T, 17, 3)) * (np.arange(17) > 0)[:, None]


def _worst(means: np.ndarray) -> tuple:
    return int(means.argmax()), means.max()


def _stretches_of_blocks(errors: np.ndarray, length: int) -> dict:
    """What dividing the take into blocks gives, where that is not the right answer."""
    blocks = errors[: len(errors) // length * length].reshape(-1, length).mean(axis=1)
    hint = "The stretches do not overlap here: a stretch may begin at any frame, not only at multiples of its length."
    return {hint: (int(blocks.argmax()) * length, blocks.max())}


def _stretches_without_the_first(errors: np.ndarray, length: int) -> dict:
    """What cumulative sums without a zero in front give."""
    sums = np.cumsum(errors)
    hint = (
        "This is one frame early: without a zero in front of the cumulative sums, the stretch that begins at frame 0 "
        "is left out, and all others are counted from it."
    )
    return {hint: _worst((sums[length:] - sums[:-length]) / length)}


def _fits(predicted: np.ndarray, target: np.ndarray, most: int) -> list:
    """The mean distance at each delay from 0 to most."""
    T = len(target) - most
    return [np.linalg.norm(predicted[d : d + T] - target[:T], axis=-1).mean() for d in range(most + 1)]
