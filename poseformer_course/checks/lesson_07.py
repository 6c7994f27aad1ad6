"""Checkers of lesson 07, Evaluation."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from poseformer_course.checks.judge import Exercise, Wrong
from poseformer_lite.metrics import procrustes_align


def _poses(T: int, J: int, *, seed: int) -> Tensor:
    return torch.randn(T, J, 3, generator=torch.Generator().manual_seed(seed))


def _alike(T: int, J: int, *, seed: int) -> tuple[Tensor, Tensor]:
    """Predicted and true poses that point roughly the same way."""
    predicted = _poses(T, J, seed=seed)
    return predicted, _poses(T, J, seed=seed + 10) + 1.7 * predicted


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Of each frame, (T, J, 3) twice -> (T)."""
    return (a * b).sum((-2, -1))


def _scale(predicted: Tensor, target: Tensor) -> Tensor:
    return _dot(predicted, target) / _dot(predicted, predicted)


def _overall_scale(predicted: Tensor, target: Tensor) -> Tensor:
    return (predicted * target).sum() / predicted.square().sum()


def _centered(poses: Tensor) -> Tensor:
    return poses - poses.mean(1, keepdim=True)


# The factor per frame that brings a predicted pose nearest to the true one.
exercise_1 = Exercise(
    right=_scale,
    mistakes={
        "This factor brings the truth onto the prediction: the squares below the fraction bar must be those "
        "of the pose that is scaled.": lambda predicted, target: _scale(target, predicted),
        "This is the factor upside down: a pose of half the size needs a factor of 2.": (
            lambda predicted, target: 1 / _scale(predicted, target)
        ),
        "The ratio of the two sizes does not look at directions: a prediction at right angles to the truth "
        "should be shrunk to nothing. Minimize the sum of squares instead.": (
            lambda predicted, target: (_dot(target, target) / _dot(predicted, predicted)).sqrt()
        ),
        "This is a ratio of mean distances from the hip: it makes the two sizes alike, but it does not make "
        "the sum of squares smallest.": (
            lambda predicted, target: target.norm(dim=-1).mean(-1) / predicted.norm(dim=-1).mean(-1)
        ),
        "Do not center the poses here: they are measured from the hip, and the hip stays where it is.": (
            lambda predicted, target: _scale(_centered(predicted), _centered(target))
        ),
        "This is one factor for the whole video: every frame has its own, so sum over joints and coordinates "
        "only.": _overall_scale,
        "These are the factors of one factor for the whole video, repeated: sum over joints and coordinates, "
        "not over frames.": lambda predicted, target: _overall_scale(predicted, target).expand(len(predicted)),
        "This is the mean of one factor per joint: find the one factor that serves all joints of a frame together.": (
            lambda predicted, target: ((predicted * target).sum(-1) / predicted.square().sum(-1)).mean(-1)
        ),
    },
    cases=[_alike(4, 7, seed=0), _alike(2, 3, seed=1)],
    name="the scale",
    remark="The factor makes the sum of squares smallest. The MPJPE may be smallest at a slightly different one.",
)


def _turned_and_shifted() -> tuple[Tensor, Tensor]:
    target = _poses(4, 6, seed=2)
    predicted = 0.6 * _poses(4, 6, seed=3) + target @ torch.linalg.qr(_poses(1, 3, seed=4)[0])[0] * 0.7
    predicted[2, :, 2] *= -1  # the best fit of this frame, and of no other, is a reflection
    return predicted, target + torch.tensor([0.5, -1.0, 4.0])


def _align(predicted: Tensor, target: Tensor, but: str) -> Tensor:
    """Procrustes alignment of (T, J, 3); `but` names the one part that is left out or done wrongly."""

    def middle(pose):
        return {"not centered": 0 * pose[:, :1], "hip": pose[:, :1]}.get(but, pose.mean(1, keepdim=True))

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


def _aligned_but(mistake: str):
    return partial(_align, but=mistake)


reference_2 = procrustes_align

# Predicted poses turned, scaled and shifted onto the true ones, each frame by itself.
exercise_2 = Exercise(
    right=procrustes_align,
    mistakes={
        "One frame is mirrored: where the determinant of the rotation is -1, turn the weakest direction "
        "round.": _aligned_but("mirror"),
        "The rotation is proper, but its scale still counts the direction that was turned round as "
        "a gain: the sign belongs in the sum of singular values too.": _aligned_but("unsigned scale"),
        "In every frame a direction was turned round, as if every frame were mirrored: each frame has a "
        "determinant and a sign of its own.": _aligned_but("one sign"),
        "The strongest direction was turned round: the singular values come in falling order, and it is "
        "the last direction that costs least.": _aligned_but("strongest"),
        "The sign was multiplied onto the rows of U: it belongs to its columns, one for each singular value.": (
            _aligned_but("rows")
        ),
        "The last factor of the rotation was transposed once too often: what torch.linalg.svd returns is already "
        "transposed.": _aligned_but("V"),
        "The rotation is transposed: it turns the other way. Check it on a pose that you turned "
        "yourself.": _aligned_but("transposed"),
        "The poses are not centered: subtract each pose's own mean before you look for the rotation, "
        "and add the target's mean at the end.": _aligned_but("not centered"),
        "The poses are centered on joint 0, the hip: the best shift lays mean onto mean, so subtract the mean "
        "of all joints.": _aligned_but("hip"),
        "The scale is missing: the poses are turned and shifted, but they keep their size.": _aligned_but("no scale"),
        "The scale has the target's squares below the bar: they must be those of the pose that is "
        "scaled.": _aligned_but("target below"),
        "All frames were turned by one common rotation: keep the frames apart when you multiply and "
        "decompose.": _aligned_but("common"),
        "All frames were aligned as one cloud of points, with one rotation, scale and shift: keep the "
        "frames apart.": lambda predicted, target: procrustes_align(
            predicted.reshape(1, -1, 3), target.reshape(1, -1, 3)
        ).view_as(target),
        "The poses are still centered: shift them to where the target is, by its mean.": (
            lambda predicted, target: procrustes_align(predicted, _centered(target))
        ),
        "The poses are shifted back to the prediction's mean: they should lie at the target's.": (
            lambda predicted, target: procrustes_align(predicted, _centered(target)) + predicted.mean(1, keepdim=True)
        ),
    },
    cases=[_turned_and_shifted()],
    name="the aligned sequence",
    remark="Protocol 2 of a whole test set is this function and one mean.",
)


def _videos(*lengths: int) -> tuple[list[Tensor], list[Tensor]]:
    """Predicted and true videos of four joints, each of which stands somewhere else."""
    predicted = [0.02 * _poses(T, 4, seed=T) + 0.1 * i for i, T in enumerate(lengths)]
    return predicted, [0.02 * _poses(T, 4, seed=T + 20) - 0.1 * i for i, T in enumerate(lengths)]


def _velocity_errors(p: Tensor, t: Tensor) -> Tensor:
    return (p.diff(dim=0) - t.diff(dim=0)).norm(dim=-1)


def _over_videos(errors, mean=torch.mean):
    """The mean over all that errors(predicted, target) gives for each video, in mm."""
    return lambda predicted, target: (
        1000 * mean(torch.cat([errors(p, t).flatten() for p, t in zip(predicted, target, strict=True)]))
    )


_velocity_error = _over_videos(_velocity_errors)


def _weighted_by_frames(predicted: list[Tensor], target: list[Tensor]) -> Tensor:
    frames = torch.tensor([float(len(t)) for t in target])
    means = torch.stack([_velocity_errors(p, t).mean() for p, t in zip(predicted, target, strict=True)])
    return 1000 * (frames * means).sum() / frames.sum()


# The mean velocity error of several videos, in mm per frame.
exercise_3 = Exercise(
    right=_velocity_error,
    mistakes={
        "This is in meters: the answer is asked for in millimeters per frame.": (
            lambda predicted, target: _velocity_error(predicted, target) / 1000
        ),
        "The videos were joined before the differences were taken: the jump from the last frame of one video to "
        "the first of the next is no motion.": (
            lambda predicted, target: _velocity_error([torch.cat(predicted)], [torch.cat(target)])
        ),
        "This is how much the error changes: take the error of the differences, not the difference of the "
        "errors.": _over_videos(lambda p, t: (p - t).norm(dim=-1).diff(dim=0).abs()),
        "This is how much the error changes, with its sign: take the error of the differences, not the difference "
        "of the errors.": _over_videos(lambda p, t: (p - t).norm(dim=-1).diff(dim=0)),
        "The differences run from joint to joint: velocity is a difference over frames, the first axis.": (
            _over_videos(lambda p, t: (p - t).diff(dim=1).norm(dim=-1))
        ),
        "You compare speeds, which have no direction: subtract the velocities as vectors, then take the "
        "length.": _over_videos(lambda p, t: (p.diff(dim=0).norm(dim=-1) - t.diff(dim=0).norm(dim=-1)).abs()),
        "Every video counts alike here, however short: every difference should.": (
            _over_videos(lambda p, t: _velocity_errors(p, t).mean())
        ),
        "Every video is weighted by its frames: a video of T frames has only T - 1 steps.": _weighted_by_frames,
        "This is the mean over coordinates: take the length of each joint's velocity error first.": (
            _over_videos(lambda p, t: (p - t).diff(dim=0).abs())
        ),
        "This is the root of a mean of squares: take a plain mean of the lengths.": (
            _over_videos(_velocity_errors, mean=lambda lengths: lengths.square().mean().sqrt())
        ),
        "This is the root of a mean of squares over coordinates: take the length of each joint's velocity error, "
        "then a plain mean.": (
            _over_videos(lambda p, t: (p - t).diff(dim=0), mean=lambda numbers: numbers.square().mean().sqrt())
        ),
        "This is in millimeters per second at 50 frames a second: the answer is asked for per frame.": (
            lambda predicted, target: 50 * _velocity_error(predicted, target)
        ),
    },
    cases=[_videos(5, 2, 9)],
    name="the velocity error",
    remark="A prediction that is wrong by a constant has no velocity error at all: the two see different faults.",
)


def _mixed_batch() -> tuple[np.ndarray, list[str]]:
    """The errors of frames, and the takes that they are from."""
    names = ["Sitting", "Sitting 1", "SittingDown", "SittingDown 1", "Walking 2", "Photo"]
    generator = np.random.default_rng(7)
    takes = generator.permutation(np.repeat(names, (40, 8, 12, 30, 20, 5)))
    errors = np.array([40.0, 95.0, 130.0, 60.0, 30.0, 80.0])[[names.index(take) for take in takes]]
    return errors + generator.normal(0, 3, len(errors)), list(map(str, takes))


def _action(take: str) -> str:
    return take.split(" ")[0]


def _is_of(take: str, action: str) -> bool:
    return _action(take) == action


def _over_actions(errors: np.ndarray, takes: list[str], belongs=_is_of) -> float:
    groups = [errors[[belongs(take, action) for take in takes]] for action in set(map(_action, takes))]
    return np.mean([group.mean() for group in groups])


def _take_means(errors: np.ndarray, takes: list[str]) -> tuple[np.ndarray, list[str]]:
    """The mean error of each take, and its name."""
    names = sorted(set(takes))
    return np.array([errors[[take == name for take in takes]].mean() for name in names]), names


# The mean over actions and the mean over frames of a mixed batch.
exercise_4 = Exercise(
    right=lambda errors, takes: (_over_actions(errors, takes), errors.mean()),
    mistakes={
        "The two numbers have changed places: the mean over actions comes first.": (
            lambda errors, takes: (errors.mean(), _over_actions(errors, takes))
        ),
        "Both numbers are the mean over frames: the batch is mixed, so its mean must not be booked to every "
        "action that occurs in it.": lambda errors, takes: (errors.mean(), errors.mean()),
        "Both numbers are the mean over actions: the second should count every frame alike.": (
            lambda errors, takes: (_over_actions(errors, takes), _over_actions(errors, takes))
        ),
        "The frames of SittingDown were booked under Sitting too: compare the action as a whole, not its first "
        "letters.": lambda errors, takes: (_over_actions(errors, takes, belongs=str.startswith), errors.mean()),
        "Every take has its own row here: 'Sitting' and 'Sitting 1' are the same action, the name up to the first "
        "space.": lambda errors, takes: (_take_means(errors, takes)[0].mean(), errors.mean()),
        "Within an action every take counts alike here: all its frames should.": (
            lambda errors, takes: (_over_actions(*_take_means(errors, takes)), errors.mean())
        ),
    },
    cases=[_mixed_batch()],
    name="the pair of averages",
    remark="Whoever prints one of the two should say which: over this batch they differ by several millimeters.",
)


def _two_networks() -> list[np.ndarray]:
    """The errors of two networks, (seeds, actions)."""
    generator = np.random.default_rng(5)
    common = generator.normal(50, 6, (4, 1)) + generator.normal(0, 15, (1, 6))  # what a seed and an action add to both
    return [common + shift + generator.normal(0, 1, (4, 6)) for shift in (3, 0)]


def _over_seeds(first: np.ndarray, second: np.ndarray) -> float:
    return (first - second).mean(axis=1).std(ddof=1)


def _mean_and(spread):
    return lambda first, second: ((first - second).mean(), spread(first, second))


# Mean and spread over seeds of the difference between two networks.
exercise_5 = Exercise(
    right=_mean_and(_over_seeds),
    mistakes={
        "The sign is reversed: the difference is the first network minus the second.": (
            lambda first, second: _mean_and(_over_seeds)(second, first)
        ),
        "The spread divides by the number of seeds: for a sample it divides by one less, ddof=1.": (
            _mean_and(lambda first, second: (first - second).mean(axis=1).std())
        ),
        "The spread is that of unpaired runs: subtract seed by seed first, so that what both runs of a seed share "
        "drops out.": _mean_and(
            lambda first, second: (first.mean(axis=1).var(ddof=1) + second.mean(axis=1).var(ddof=1)) ** 0.5
        ),
        "The spread is that of the actions: average over the actions first, then look at how the seeds differ.": (
            _mean_and(lambda first, second: (first - second).mean(axis=0).std(ddof=1))
        ),
        "The spread is one spread minus the other: what is asked for is the standard deviation of the differences, "
        "not the difference of the standard deviations.": _mean_and(
            lambda first, second: first.mean(axis=1).std(ddof=1) - second.mean(axis=1).std(ddof=1)
        ),
        "The spread runs over seeds and actions together: average over the actions first.": (
            _mean_and(lambda first, second: (first - second).std(ddof=1))
        ),
        "This is the standard error of the mean: the exercise asks for the standard deviation of the seeds.": (
            _mean_and(lambda first, second: _over_seeds(first, second) / len(first) ** 0.5)
        ),
    },
    cases=[_two_networks()],
    name="the pair of mean and standard deviation",
    remark="Pairing took out what a seed does to both networks, and the spread shrank with it.",
)


def _five_takes() -> tuple:
    """The errors of frames, their takes, a generator and the number of draws."""
    generator = np.random.default_rng(11)
    names, frames, levels = (3, 5, 8, 9, 12), (60, 20, 90, 45, 25), (30.0, 75.0, 42.0, 55.0, 90.0)
    takes = np.repeat(names, frames)  # names of takes, not positions
    errors = np.repeat(levels, frames) + generator.normal(0, 4, len(takes))
    return errors, takes, np.random.default_rng(0), 400


def _over_frames(of_takes: dict, drawn: np.ndarray) -> float:
    return np.concatenate([of_takes[take] for take in drawn]).mean()


def _between(low: float, high: float):
    return lambda means: np.percentile(means, (low, high))


_middle = _between(2.5, 97.5)


def _interval(ends=_middle, statistic=_over_frames):
    """The `ends` of the statistic of all draws, from the errors of each take and the takes that were drawn."""

    def answer(errors, takes, rng, draws):
        names = np.unique(takes)
        of_takes = {name: errors[takes == name] for name in names}
        drawn = rng.choice(names, size=(draws, len(names)))
        return ends(np.array([statistic(of_takes, row) for row in drawn]))

    return answer


def _around_the_mean(factor: float):
    return lambda means: means.mean() + factor * means.std() * np.array([-1, 1])


# The 95 % interval of a mean error, by drawing whole takes with replacement.
exercise_6_interval = Exercise(
    right=_interval(),
    mistakes={
        "A take that was drawn twice counts once here: its frames must come in twice.": (
            _interval(statistic=lambda of_takes, drawn: _over_frames(of_takes, np.unique(drawn)))
        ),
        "Every take counts alike here: the statistic is the mean over frames, in which a long take weighs more.": (
            _interval(statistic=lambda of_takes, drawn: np.mean([of_takes[take].mean() for take in drawn]))
        ),
        "This is an interval of 90 %: for 95 % leave out 2.5 % at either end.": _interval(_between(5, 95)),
        "This is an interval of 95 % at one end only: leave out 2.5 % at either end.": _interval(_between(0, 95)),
        "These are the smallest and the largest draw: leave out 2.5 % at either end.": _interval(_between(0, 100)),
        "np.percentile counts in percent: 2.5, not 0.025.": _interval(_between(0.025, 0.975)),
        "The two ends have changed places: the lower one comes first.": _interval(_between(97.5, 2.5)),
    }
    | {
        f"This is the mean ± {factor} standard deviations, which supposes a normal distribution: read the interval off "
        "the draws, by their percentiles.": _interval(_around_the_mean(factor))
        for factor in (2, 1.96)
    },
    cases=lambda: [_five_takes()],
    name="the interval",
)


def exercise_6(bootstrap_interval):
    """The interval, or what the width of one that no known mistake explains tells about the draws."""
    try:
        exercise_6_interval(bootstrap_interval)
    except Wrong as wrong:
        if str(wrong) not in exercise_6_interval.mistakes:
            _judge_width(bootstrap_interval(*_five_takes()))
        raise
    return "Five takes give a wide interval, and that is the truth about five takes."


def _judge_width(interval) -> None:
    if np.shape(interval) != (2,):
        return
    width = float(interval[1]) - float(interval[0])
    if abs(width) < 1e-6:
        raise Wrong("All draws have the same mean: draw the takes with replacement, anew for every row.")
    if 0 < width < 0.5 * np.ptp(exercise_6_interval.right(*_five_takes())):
        raise Wrong(
            "The interval is far too narrow, as it is when frames are drawn instead of takes: neighboring frames "
            "err together, so draw whole takes, and bring all their frames along."
        )
