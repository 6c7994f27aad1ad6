"""Checkers of lesson 07, Evaluation."""

import numpy as np
import torch
from torch import Tensor

from poseformer_course.checks.judge import compare
from poseformer_lite.metrics import procrustes_align


def exercise_1(best_scale):
    """The factor per frame that brings a predicted pose nearest to the true one."""
    for T, J, seed in ((4, 7, 0), (2, 3, 1)):
        predicted, target = _poses(T, J, seed=seed), _poses(T, J, seed=seed + 10)
        target = target + 1.7 * predicted
        x, y = (pose - pose.mean(1, keepdim=True) for pose in (predicted, target))
        dot, own, other = (
            (a * b).sum((-2, -1)) for a, b in ((predicted, target), (predicted, predicted), (target, target))
        )
        overall = dot.sum() / own.sum()
        compare(
            best_scale(predicted.clone(), target.clone()),
            dot / own,
            {
                "This factor brings the truth onto the prediction: the squares below the fraction bar must be those "
                "of the pose that is scaled.": dot / other,
                "This is the factor upside down: a pose of half the size needs a factor of 2.": own / dot,
                "The ratio of the two sizes does not look at directions: a prediction at right angles to the truth "
                "should be shrunk to nothing. Minimise the sum of squares instead.": (other / own).sqrt(),
                "This is a ratio of mean distances from the hip: it makes the two sizes alike, but it does not make "
                "the sum of squares smallest.": target.norm(dim=-1).mean(-1) / predicted.norm(dim=-1).mean(-1),
                "Do not centre the poses here: they are measured from the hip, and the hip stays where it is.": (
                    (x * y).sum((-2, -1)) / x.square().sum((-2, -1))
                ),
                "This is one factor for the whole video: every frame has its own, so sum over joints and coordinates "
                "only.": overall,
                "These are the factors of one factor for the whole video, repeated: sum over joints and coordinates, "
                "not over frames.": overall.expand(T),
                "This is the mean of one factor per joint: find the one factor that serves all joints of a frame "
                "together.": ((predicted * target).sum(-1) / predicted.square().sum(-1)).mean(-1),
            },
            name="the scale",
        )
    return "The factor makes the sum of squares smallest. The MPJPE may be smallest at a slightly different one."


def exercise_2(aligned):
    """Predicted poses turned, scaled and shifted onto the true ones, each frame by itself."""
    target = _poses(4, 6, seed=2)
    predicted = 0.6 * _poses(4, 6, seed=3) + target @ torch.linalg.qr(_poses(1, 3, seed=4)[0])[0] * 0.7
    predicted[2, :, 2] *= -1  # the best fit of this frame, and of no other, is a reflection
    target = target + torch.tensor([0.5, -1.0, 4.0])
    expected = procrustes_align(predicted, target)
    mistakes = {
        "mirror": "One frame is mirrored: where the determinant of the rotation is -1, turn the weakest direction "
        "round.",
        "unsigned scale": "The rotation is proper, but its scale still counts the direction that was turned round as "
        "a gain: the sign belongs in the sum of singular values too.",
        "one sign": "In every frame a direction was turned round, as if every frame were mirrored: each frame has a "
        "determinant and a sign of its own.",
        "strongest": "The strongest direction was turned round: the singular values come in falling order, and it is "
        "the last direction that costs least.",
        "rows": "The sign was multiplied onto the rows of U: it belongs to its columns, one for each singular value.",
        "V": "The last factor of the rotation was transposed once too often: what torch.linalg.svd returns is already "
        "transposed.",
        "transposed": "The rotation is transposed: it turns the other way. Check it on a pose that you turned "
        "yourself.",
        "not centred": "The poses are not centred: subtract each pose's own mean before you look for the rotation, "
        "and add the target's mean at the end.",
        "hip": "The poses are centred on joint 0, the hip: the best shift lays mean onto mean, so subtract the mean "
        "of all joints.",
        "no scale": "The scale is missing: the poses are turned and shifted, but they keep their size.",
        "target below": "The scale has the target's squares below the bar: they must be those of the pose that is "
        "scaled.",
        "common": "All frames were turned by one common rotation: keep the frames apart when you multiply and "
        "decompose.",
        "one cloud": "All frames were aligned as one cloud of points, with one rotation, scale and shift: keep the "
        "frames apart.",
    }
    shifted = {
        "The poses are still centred: shift them to where the target is, by its mean.": target,
        "The poses are shifted back to the prediction's mean: they should lie at the target's.": target - predicted,
    }
    compare(
        aligned(predicted.clone(), target.clone()),
        expected,
        {hint: _align(predicted, target, but) for but, hint in mistakes.items()}
        | {hint: expected - shift.mean(1, keepdim=True) for hint, shift in shifted.items()},
        name="the aligned sequence",
    )
    return "Protocol 2 of a whole test set is this function and one mean."


def exercise_3(velocity_error):
    """The mean velocity error of several videos, in mm per frame."""
    lengths, J = (5, 2, 9), 4
    predicted = [0.02 * _poses(T, J, seed=T) + 0.1 * i for i, T in enumerate(lengths)]  # each stands somewhere else
    target = [0.02 * _poses(T, J, seed=T + 20) - 0.1 * i for i, T in enumerate(lengths)]
    pairs = list(zip(predicted, target, strict=True))
    velocity = [(p.diff(dim=0) - t.diff(dim=0)).norm(dim=-1) for p, t in pairs]
    speed = [(p.diff(dim=0).norm(dim=-1) - t.diff(dim=0).norm(dim=-1)).abs() for p, t in pairs]
    change = [(p - t).norm(dim=-1).diff(dim=0) for p, t in pairs]
    joined = torch.cat(predicted).diff(dim=0) - torch.cat(target).diff(dim=0)
    across = [(p.diff(dim=1) - t.diff(dim=1)).norm(dim=-1) for p, t in pairs]
    apart = torch.cat([p.diff(dim=0) - t.diff(dim=0) for p, t in pairs])
    of_videos = torch.stack([v.mean() for v in velocity])
    expected = 1000 * torch.cat(velocity).mean()
    compare(
        velocity_error([p.clone() for p in predicted], [t.clone() for t in target]),
        expected,
        {
            "This is in metres: the answer is asked for in millimetres per frame.": expected / 1000,
            "The videos were joined before the differences were taken: the jump from the last frame of one video to "
            "the first of the next is no motion.": 1000 * joined.norm(dim=-1).mean(),
            "This is how much the error changes: take the error of the differences, not the difference of the "
            "errors.": 1000 * torch.cat(change).abs().mean(),
            "This is how much the error changes, with its sign: take the error of the differences, not the difference "
            "of the errors.": 1000 * torch.cat(change).mean(),
            "The differences run from joint to joint: velocity is a difference over frames, the first axis.": 1000
            * torch.cat([a.flatten() for a in across]).mean(),
            "You compare speeds, which have no direction: subtract the velocities as vectors, then take the "
            "length.": 1000 * torch.cat(speed).mean(),
            "Every video counts alike here, however short: every difference should.": 1000 * of_videos.mean(),
            "Every video is weighted by its frames: a video of T frames has only T - 1 steps.": 1000
            * (torch.tensor(lengths) * of_videos).sum()
            / sum(lengths),
            "This is the mean over coordinates: take the length of each joint's velocity error first.": 1000
            * apart.abs().mean(),
            "This is the root of a mean of squares: take a plain mean of the lengths.": 1000
            * apart.square().sum(-1).mean().sqrt(),
            "This is the root of a mean of squares over coordinates: take the length of each joint's velocity error, "
            "then a plain mean.": 1000 * apart.square().mean().sqrt(),
            "This is in millimetres per second at 50 frames a second: the answer is asked for per frame.": 50
            * expected,
        },
        name="the velocity error",
    )
    return "A prediction that is wrong by a constant has no velocity error at all: the two see different faults."


def exercise_4(two_averages):
    """The mean over actions and the mean over frames of a mixed batch."""
    names = ["Sitting", "Sitting 1", "SittingDown", "SittingDown 1", "Walking 2", "Photo"]
    generator = np.random.default_rng(7)
    takes = generator.permutation(np.repeat(names, (40, 8, 12, 30, 20, 5)))
    errors = np.array([40.0, 95.0, 130.0, 60.0, 30.0, 80.0])[[names.index(take) for take in takes]]
    errors = errors + generator.normal(0, 3, len(errors))
    by_take = {name: errors[takes == name] for name in names}
    actions = sorted({name.split(" ")[0] for name in names})
    exact = {a: np.concatenate([e for n, e in by_take.items() if n.split(" ")[0] == a]) for a in actions}
    prefix = {a: np.concatenate([e for n, e in by_take.items() if n.startswith(a)]) for a in actions}
    of_takes = {a: np.array([e.mean() for n, e in by_take.items() if n.split(" ")[0] == a]) for a in actions}
    frames = errors.mean()

    def average(groups):
        return np.mean([group.mean() for group in groups.values()])

    compare(
        two_averages(errors, list(map(str, takes))),
        (average(exact), frames),
        {
            "The two numbers have changed places: the mean over actions comes first.": (frames, average(exact)),
            "Both numbers are the mean over frames: the batch is mixed, so its mean must not be booked to every "
            "action that occurs in it.": (frames, frames),
            "Both numbers are the mean over actions: the second should count every frame alike.": (
                average(exact),
                average(exact),
            ),
            "The frames of SittingDown were booked under Sitting too: compare the action as a whole, not its first "
            "letters.": (average(prefix), frames),
            "Every take has its own row here: 'Sitting' and 'Sitting 1' are the same action, the name up to the first "
            "space.": (average(by_take), frames),
            "Within an action every take counts alike here: all its frames should.": (average(of_takes), frames),
        },
        name="the pair of averages",
    )
    return "Whoever prints one of the two should say which: over this batch they differ by several millimetres."


def exercise_5(paired_difference):
    """Mean and spread over seeds of the difference between two networks."""
    generator = np.random.default_rng(5)
    common = generator.normal(50, 6, (4, 1)) + generator.normal(0, 15, (1, 6))  # what a seed and an action add to both
    first, second = (common + shift + generator.normal(0, 1, (4, 6)) for shift in (3, 0))
    difference = (first - second).mean(axis=1)
    mean, std = difference.mean(), difference.std(ddof=1)
    unpaired = np.sqrt(first.mean(1).var(ddof=1) + second.mean(1).var(ddof=1))
    compare(
        paired_difference(first, second),
        (mean, std),
        {
            "The sign is reversed: the difference is the first network minus the second.": (-mean, std),
            "The spread divides by the number of seeds: for a sample it divides by one less, ddof=1.": (
                mean,
                difference.std(),
            ),
            "The spread is that of unpaired runs: subtract seed by seed first, so that what both runs of a seed share "
            "drops out.": (mean, unpaired),
            "The spread is that of the actions: average over the actions first, then look at how the seeds differ.": (
                mean,
                (first - second).mean(axis=0).std(ddof=1),
            ),
            "The spread is one spread minus the other: what is asked for is the standard deviation of the differences, "
            "not the difference of the standard deviations.": (
                mean,
                first.mean(1).std(ddof=1) - second.mean(1).std(ddof=1),
            ),
            "The spread runs over seeds and actions together: average over the actions first.": (
                mean,
                (first - second).std(ddof=1),
            ),
            "This is the standard error of the mean: the exercise asks for the standard deviation of the seeds.": (
                mean,
                std / 2,
            ),
        },
        name="the pair of mean and standard deviation",
    )
    return "Pairing took out what a seed does to both networks, and the spread shrank with it."


def exercise_6(bootstrap_interval):
    """The 95 % interval of a mean error, by drawing whole takes with replacement."""
    generator = np.random.default_rng(11)
    takes = np.repeat([3, 5, 8, 9, 12], (60, 20, 90, 45, 25))  # names of takes, not positions
    level = dict(zip((3, 5, 8, 9, 12), (30.0, 75.0, 42.0, 55.0, 90.0), strict=True))
    errors = np.array([level[take] for take in takes]) + generator.normal(0, 4, len(takes))
    names = np.unique(takes)
    drawn = np.random.default_rng(0).choice(names, size=(400, len(names)))
    sums, counts = (np.array([values[takes == n].sum() for n in names]) for values in (errors, np.ones(len(takes))))
    times = (drawn[:, :, None] == names).sum(axis=1)  # (draws, takes): how often each take was drawn
    means = times @ sums / (times @ counts)
    once, alike = (times > 0) @ sums / ((times > 0) @ counts), times @ (sums / counts) / len(names)
    expected = np.percentile(means, (2.5, 97.5))
    got = bootstrap_interval(errors, takes, np.random.default_rng(0), 400)
    mistakes = {
        "A take that was drawn twice counts once here: its frames must come in twice.": np.percentile(
            once, (2.5, 97.5)
        ),
        "Every take counts alike here: the statistic is the mean over frames, in which a long take weighs more.": (
            np.percentile(alike, (2.5, 97.5))
        ),
        "This is an interval of 90 %: for 95 % leave out 2.5 % at either end.": np.percentile(means, (5, 95)),
        "This is an interval of 95 % at one end only: leave out 2.5 % at either end.": np.percentile(means, (0, 95)),
        "These are the smallest and the largest draw: leave out 2.5 % at either end.": (means.min(), means.max()),
        "np.percentile counts in percent: 2.5, not 0.025.": np.percentile(means, (0.025, 0.975)),
        "The two ends have changed places: the lower one comes first.": expected[::-1],
    } | {
        f"This is the mean ± {factor} standard deviations, which supposes a normal distribution: read the interval off "
        "the draws, by their percentiles.": means.mean() + factor * means.std() * np.array([-1, 1])
        for factor in (2, 1.96)
    }
    if np.shape(got) == (2,):
        width = float(got[1]) - float(got[0])
        if abs(width) < 1e-6:
            mistakes["All draws have the same mean: draw the takes with replacement, anew for every row."] = got
        elif 0 < width < 0.5 * np.ptp(expected):
            mistakes[
                "The interval is far too narrow, as it is when frames are drawn instead of takes: neighbouring frames "
                "err together, so draw whole takes, and bring all their frames along."
            ] = got
    compare(
        got,
        expected,
        mistakes,
        name="the interval",
    )
    return "Five takes give a wide interval, and that is the truth about five takes."


def _poses(T: int, J: int, *, seed: int) -> Tensor:
    return torch.randn(T, J, 3, generator=torch.Generator().manual_seed(seed))


def _align(predicted: Tensor, target: Tensor, but: str = "") -> Tensor:
    """Procrustes alignment of (T, J, 3); `but` names the one part that is left out or done wrongly."""
    if but == "one cloud":
        return _align(predicted.reshape(1, -1, 3), target.reshape(1, -1, 3)).view_as(target)

    def middle(pose):
        return {"not centred": 0 * pose[:, :1], "hip": pose[:, :1]}.get(but, pose.mean(1, keepdim=True))

    x, y = predicted - middle(predicted), target - middle(target)
    covariance = x.mT @ y
    u, singular, vh = torch.linalg.svd(covariance.sum(0).expand_as(covariance) if but == "common" else covariance)
    sign = torch.ones_like(singular)
    if but != "mirror":
        sign[:, 0 if but == "strongest" else 2] = torch.linalg.det(u @ vh).sign()
    if but == "one sign":
        sign = sign.amin(0).expand_as(sign)
    rotation = (u * (sign[:, :, None] if but == "rows" else sign[:, None, :])) @ (vh.mT if but == "V" else vh)
    gain = (singular * (1 if but == "unsigned scale" else sign)).sum(1)
    if but == "common":
        gain = (x @ rotation * y).sum((1, 2))  # the best scale of each frame
    scale = torch.ones(len(x)) if but == "no scale" else gain / (y if but == "target below" else x).square().sum((1, 2))
    return scale[:, None, None] * (x @ (rotation.mT if but == "transposed" else rotation)) + middle(target)
