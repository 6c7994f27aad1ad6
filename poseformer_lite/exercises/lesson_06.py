"""Checkers of lesson 06: windows, mirror images, the loss, the learning rate, and one step of training."""

import functools
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from poseformer_lite.exercises.judge import NotAnswered, Wrong, compare
from poseformer_lite.metrics import mpjpe
from poseformer_lite.presets import Settings
from poseformer_lite.skeleton import H36M17, HUMANEVA15, flip_poses
from poseformer_lite.training import learning_rate


def exercise_1(stacked_windows):
    """Windows over sequences that are stored one after the other."""
    for lengths, window in (((3, 2), 3), ((6, 2, 9), 5), ((4,), 7), ((5, 1, 3), 1)):
        ends = torch.tensor(lengths).cumsum(0).repeat_interleave(torch.tensor(lengths))[:, None]
        first = ends - torch.tensor(lengths).repeat_interleave(torch.tensor(lengths))[:, None]
        begun = torch.arange(sum(lengths))[:, None] + torch.arange(window)
        centred = begun - window // 2
        right = centred.clamp(first, ends - 1)
        compare(
            stacked_windows(list(lengths), window),
            right,
            {
                "Some indices lie before the first frame or after the last one of their sequence: -1 would take the "
                "last frame of all. Repeat the sequence's end frame instead.": centred,
                "The windows reach over the seam into the next sequence: only the ends of the whole stack are "
                "repeated. Every sequence has its own first and last frame.": centred.clamp(0, sum(lengths) - 1),
                "The window starts at its frame; it must be centred on it, with as many frames before as after.": (
                    begun.clamp(first, ends - 1)
                ),
                "The end is off by one: a sequence that begins at b and has n frames ends at b + n - 1, and the frame "
                "after that belongs to the next.": centred.clamp(first, ends),
                "Each sequence counts its frames from zero again: add where it begins in the stack.": right - first,
                "The axes are exchanged: one row per frame, one column per place in the window.": right.T,
            },
            name=f"stacked_windows({list(lengths)}, {window})",
        )
    return "This is what `Windows` keeps in `first` and `last`: two numbers per frame in place of copies of the data."


def exercise_2(mirror_pixels):
    """The mirror image of keypoints in pixels."""
    generator = np.random.default_rng(2)
    left, right, order, width = [1, 4], [3, 2], [0, 3, 4, 1, 2, 5], 640
    for frames in (1, 3):
        keypoints = generator.uniform(20, 300, (frames, 6, 2))
        given = keypoints.copy()
        across = keypoints * [-1, 1] + [width, 0]
        one_way = across.copy()
        one_way[:, left] = across[:, right]
        answer = mirror_pixels(keypoints, width, left, right)
        if answer is not None and not np.array_equal(keypoints, given):
            raise Wrong("Your function changes the keypoints it was given: work on a copy.")
        compare(
            answer,
            across[:, order],
            {
                "The picture is mirrored, but the left hand is still called left: exchange the sides too.": across,
                "x is negated, so the person has left the picture: in pixels, x = 0 must go to the right edge.": (
                    (keypoints * [-1, 1])[:, order]
                ),
                "The sides are exchanged, but no joint has moved: mirror x as well.": keypoints[:, order],
                "The picture stands on its head: mirror x, the first coordinate, not y.": (
                    (keypoints * [1, -1] + [0, width])[:, order]
                ),
                "Both sides now hold the joints of one: write both, each with what the other had before.": one_way,
            },
            name="the mirror image",
        )
    return "The x of the middle column does not change, and two mirror images give the original back."


def exercise_3(training_loss):
    """Eq. 9, the mean distance, over a batch."""
    generator = torch.Generator().manual_seed(3)
    for predicted, target in torch.randn(2, 2, 5, 7, 3, generator=generator):
        off = predicted - target
        compare(
            training_loss(predicted, target),
            mpjpe(predicted, target),
            {
                "This is the mean of squares, the loss called MSE. Eq. 9 takes a distance for every joint, root and "
                "all, before anything is averaged.": off.square().mean(),
                "Squares are averaged and the root is taken at the end: take the root for every joint, then the "
                "mean.": off.square().sum(-1).mean().sqrt(),
                "The norm runs over the joints. It must run over x, y and z, the last axis.": off.norm(dim=-2).mean(),
                "The distances are added up, not averaged: the loss would grow with the batch.": off.norm(dim=-1).sum(),
                "The distances of a pose are added up, its mean is missing: divide by J too.": (
                    off.norm(dim=-1).sum(-1).mean()
                ),
                "This is one norm over a whole pose: every joint needs a distance of its own.": (
                    off.flatten(-2).norm(dim=-1).mean()
                ),
                "These are the mean absolute coordinates: a joint that is off by 30 and 40 mm is 50 mm away.": (
                    off.abs().mean()
                ),
                "This is in millimetres; the loss of training is in metres, as the poses are.": (
                    1000 * mpjpe(predicted, target)
                ),
            },
            name="the loss",
        )
    return "The loss is the very error that the tables print, which is rare in deep learning."


def exercise_4(rate_at):
    """A cosine with warm-up that ends at a floor."""
    top, floor, total, warmup = 1e-1, 1e-2, 40, 8  # large, so that a mistake is far outside the tolerance
    settings = Settings(epochs=1, learning_rate=top, schedule="cosine", warmup_steps=warmup)

    def cosine(step, done, low=floor, turn=math.pi):
        if step < warmup:
            return learning_rate(settings, step, total)
        return low + (top - low) * (1 + math.cos(turn * done)) / 2

    steps = range(total)
    later = [(step - warmup) / (total - warmup) for step in steps]
    right = [*map(cosine, steps, later)]
    grown = right[warmup:]
    compare(
        _each(rate_at, steps, total, warmup, top, floor),
        right,
        {
            "There is no warm-up: the cosine runs from the first step on.": [
                floor + (top - floor) * (1 + math.cos(math.pi * s / total)) / 2 for s in steps
            ],
            "The warm-up starts at zero, so that the first step is wasted: after n steps of warm-up the rate must "
            "be reached in n + 1 equal strides.": [*(top * s / warmup for s in range(warmup)), *grown],
            "The warm-up is one stride too quick: it reaches `top` in its last step already, and step `warmup` has "
            "it again.": [*(top * (s + 1) / warmup for s in range(warmup)), *grown],
            "The cosine does not begin at `top`: count its progress from the end of the warm-up, not from step 0.": [
                cosine(s, s / total) for s in steps
            ],
            "The rate jumps up and down: math.cos takes radians, and half a turn is math.pi, not 180.": [
                cosine(s, d, turn=180) for s, d in enumerate(later)
            ],
            "The rate falls below the floor: a cosine runs from 1 to -1; shift and halve it, so that it runs from 1 "
            "to 0.": [*right[:warmup], *(floor + (top - floor) * math.cos(math.pi * d) for d in later[warmup:])],
            "The rate falls to zero: it must end at `floor`.": [cosine(s, d, low=0.0) for s, d in enumerate(later)],
        },
        name="the rates of 40 steps",
    )
    compare(_each(rate_at, [0, 9], 10, 0, top, floor)[0], top, name="the rate of step 0 without warm-up")
    return "Halfway down, the rate is the mean of `top` and `floor`: a cosine spends half of the steps above it."


def exercise_5(one_step):
    """Forward, clear, backward, step; in training mode."""

    def weights_of(order, **options):
        return _trained(lambda *a: _step(*a, order, **options))[1]

    losses, weights = _trained(one_step)
    expected_losses, expected = _trained(lambda *a: _step(*a, "clear backward step"))
    compare(
        weights,
        expected,
        {
            "The gradients of earlier steps are still there and add up: clear them in every step.": weights_of(
                "backward step"
            ),
            "The weights do not move. When step() was called, the gradients were gone or not yet there: mind the "
            "order.": weights_of("backward clear step"),
            "Every step is taken with the gradient of the batch before: backward() must come before step().": (
                weights_of("step clear backward")
            ),
            "The network is in evaluation mode, so dropout is off: put it into training mode first.": (
                weights_of("clear backward step", training=False)
            ),
            "These are the weights of another loss: use mpjpe(predicted, target).": (
                weights_of("clear backward step", loss=nn.functional.mse_loss)
            ),
        },
        name="the weights after three steps",
    )
    if any(isinstance(loss, Tensor) for loss in losses):
        raise Wrong("The weights are right. Return the loss as a float: a tensor would keep its whole graph alive.")
    compare(losses, expected_losses, name="the returned losses")
    return "Clearing may stand before the forward pass or right before backward(): only the order of the rest counts."


def exercise_6(flip_averaged):
    """The mean of a prediction and the mirrored prediction for the mirrored window."""
    for skeleton in (H36M17, HUMANEVA15):
        J = skeleton.num_joints
        generator = torch.Generator().manual_seed(J)
        weight = torch.randn(J * 3, 5 * J * 2, generator=generator) / 10

        def model(windows, weight=weight, J=J):
            return (windows.flatten(1) @ weight.T).unflatten(1, (J, 3))

        windows = torch.randn(4, 5, J, 2, generator=generator)
        plain, mirrored = model(windows), model(flip_poses(windows, skeleton))
        back = flip_poses(mirrored, skeleton)
        mean = functools.partial(torch.lerp, plain, weight=0.5)
        compare(
            flip_averaged(model, windows, skeleton),
            mean(back),
            {
                "The second prediction is still a mirror image: flip it back before you average.": mean(mirrored),
                "The model saw the same window twice: flip its input as well as its output.": (
                    mean(flip_poses(plain, skeleton))
                ),
                "This is the mirrored prediction alone: average it with the plain one.": back,
                "This is the plain prediction: the mirrored window is missing.": plain,
                "The two predictions are added, not averaged.": plain + back,
                "Only the sign of x is changed on the way back: left and right joints must be exchanged too.": (
                    mean(mirrored * torch.tensor([-1.0, 1.0, 1.0]))
                ),
            },
            name=f"the averaged pose of {skeleton.name}",
        )
    return "The average is a symmetric lifter, whatever the network learned: a mirrored window gets the mirrored pose."


def exercise_7(accumulated_step):
    """A large batch in parts, the last one smaller: the same weights."""

    def variant(factor=None, clear=False, every=False, drop=False):
        def run(model, optimiser, poses_2d, target):
            optimiser.zero_grad()
            for x, y in zip(poses_2d.split(4)[: 2 if drop else 3], target.split(4), strict=False):
                if clear:
                    optimiser.zero_grad()
                (mpjpe(model(x), y) * (factor or len(x) / len(poses_2d))).backward()
                if every:
                    optimiser.step()
            if not every:
                optimiser.step()
            return 0.0

        return _trained(run, batch=10, dropout=0.0)[1]

    losses, weights = _trained(lambda *a: accumulated_step(*a, 4), batch=10, dropout=0.0)
    expected_losses, expected = _trained(lambda *a: _step(*a, "clear backward step"), batch=10, dropout=0.0)
    compare(
        weights,
        expected,
        {
            "The gradients of the parts add up to more than the gradient of the mean: scale the loss of each part.": (
                variant(1.0)
            ),
            "Every part counts alike, but the last one has fewer windows: weight it by its share of the batch.": (
                variant(1 / 3)
            ),
            "Only the last part counts: the gradients are cleared before every part. Clear them once a step.": (
                variant(clear=True)
            ),
            "The weights move after every part, so the later parts meet another network: step once, at the end.": (
                variant(every=True)
            ),
            "The last, smaller part is left out: every window of the batch must count.": variant(drop=True),
        },
        name="the weights after three steps of 10 windows in parts of 4",
    )
    compare([float(loss) for loss in losses], expected_losses, name="the returned losses of the whole batches")
    return "So a GPU with little memory can train with the paper's batch of 1024; only the time is not the same."


def _each(rate_at: Callable, steps, *settings) -> list:
    rates = [rate_at(step, *settings) for step in steps]
    if all(rate is None for rate in rates):
        raise NotAnswered
    return rates


def _step(model, optimiser, poses_2d, target, order: str, training: bool = True, loss: Callable = mpjpe) -> float:
    """A training step whose parts come in the given order."""
    model.train(training)
    value = loss(model(poses_2d), target)
    parts = {"clear": optimiser.zero_grad, "backward": value.backward, "step": optimiser.step}
    for part in order.split():
        parts[part]()
    return value.item()


def _trained(step: Callable, batch: int = 6, dropout: float = 0.5) -> tuple[list, Tensor]:
    """What three steps return, and the weights they leave: always the same start and the same three batches."""
    generator = torch.Generator().manual_seed(5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        linear = nn.Linear(3 * 4 * 2, 4 * 3)
        model = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), linear, nn.Unflatten(1, (4, 3))).eval()
        before = linear.weight.detach().clone()
        optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
        returned = []
        for _ in range(3):
            poses_2d = torch.randn(batch, 3, 4, 2, generator=generator)
            returned.append(step(model, optimiser, poses_2d, torch.randn(batch, 4, 3, generator=generator)))
    if any(value is None for value in returned):
        if torch.equal(linear.weight, before):
            raise NotAnswered
        raise Wrong("The weights move, but nothing comes back: return the loss.")
    return returned, linear.weight.detach()
