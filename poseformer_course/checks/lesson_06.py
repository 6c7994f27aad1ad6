"""Checkers of lesson 06: windows, mirror images, the loss, the learning rate, and one step of training."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from poseformer_course.checks.judge import Exercise, NotAnswered, Wrong, compare
from poseformer_lite.metrics import mpjpe
from poseformer_lite.skeleton import H36M17, HUMANEVA15, flip_poses


def _centered(window: int) -> int:
    return window // 2


def _windows(stay, before=_centered):
    """The indices of all windows: `before` of them begin ahead of a frame, and `stay` brings back what lies outside.

    `stay` takes the indices (N, window), and the first and last frame of each row's sequence, (N, 1).
    """

    def answer(lengths, window):
        counts = torch.tensor(lengths)
        ends = counts.cumsum(0).repeat_interleave(counts)[:, None]
        first = ends - counts.repeat_interleave(counts)[:, None]
        return stay(torch.arange(len(ends))[:, None] + torch.arange(window) - before(window), first, ends - 1)

    return answer


# Windows over sequences that are stored one after the other.
exercise_1_windows = Exercise(
    right=_windows(torch.clamp),
    mistakes={
        "Some indices leave their sequence: -1 would take the last frame of all. Repeat its end frame.": (
            _windows(lambda frames, first, last: frames)
        ),
        "The windows reach over the seam into the next sequence: only the ends of the whole stack are repeated. "
        "Every sequence has its own first and last frame.": (
            _windows(lambda frames, first, last: frames.clamp(0, len(frames) - 1))
        ),
        "The window starts at its frame: put as many frames before it as after.": (
            _windows(torch.clamp, before=lambda window: 0)
        ),
        "The window ends at its frame: put as many frames after it as before.": (
            _windows(torch.clamp, before=lambda window: window - 1)
        ),
        "The end is off by one: a sequence that begins at b and has n frames ends at b + n - 1, and the frame "
        "after that belongs to the next.": _windows(lambda frames, first, last: frames.clamp(first, last + 1)),
        "Each sequence counts its frames from zero again: add where it begins in the stack.": (
            _windows(lambda frames, first, last: frames.clamp(first, last) - first)
        ),
        "The axes are exchanged: one row per frame, one column per place in the window.": (
            _windows(lambda frames, first, last: frames.clamp(first, last).T)
        ),
    },
    cases=[([3, 2], 3), ([6, 2, 9], 5), ([4], 7), ([5, 1, 3], 1)],
    fields=lambda lengths, window: {"lengths": lengths, "window": window},
    name="stacked_windows({lengths}, {window})",
)


def exercise_1(stacked_windows):
    """The windows, as a tensor of integers."""
    exercise_1_windows(stacked_windows)
    for lengths, window in exercise_1_windows.each_case():
        answer = stacked_windows([*lengths], window)
        if not isinstance(answer, Tensor) or answer.is_floating_point():
            raise Wrong("The numbers are right, but only a tensor of integers can pick frames out of the stack.")
    return "This is what `Windows` keeps in `first` and `last`: two numbers per frame in place of copies of the data."


def _moved(keypoints, to: list[int], origin: list[int]):
    """A copy in which the joints `to` stand where the joints `origin` stood."""
    moved = keypoints.copy()
    moved[:, to] = keypoints[:, origin]
    return moved


def _across(keypoints, width):
    return keypoints * [-1, 1] + [width, 0]


def _exchanged(turned):
    """The mirror image of which turned(keypoints, width) is the one half: the sides are exchanged too."""
    return lambda keypoints, width, left, right: _moved(turned(keypoints, width), left + right, right + left)


def _keypoints(frames: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(20, 300, (frames, 6, 2))


# The mirror image of keypoints in pixels.
exercise_2 = Exercise(
    right=_exchanged(_across),
    mistakes={
        "The picture is mirrored, but the left hand is still called left: exchange the sides too.": (
            lambda keypoints, width, left, right: _across(keypoints, width)
        ),
        "x is negated, so the person has left the picture: x = 0 must go to the right edge.": (
            _exchanged(lambda keypoints, width: keypoints * [-1, 1])
        ),
        "All is one pixel too far left: x runs to `width`, not to the last pixel.": (
            _exchanged(lambda keypoints, width: _across(keypoints, width - 1))
        ),
        "The sides are exchanged, but no joint has moved: mirror x as well.": (
            _exchanged(lambda keypoints, width: keypoints)
        ),
        "The picture stands on its head: mirror x, the first coordinate, not y.": (
            _exchanged(lambda keypoints, width: keypoints * [1, -1] + [0, width])
        ),
        "Both sides now hold the joints of one: write both, each with what the other had before.": (
            lambda keypoints, width, left, right: _moved(_across(keypoints, width), left, right)
        ),
    },
    cases=[(_keypoints(1, seed=2), 640, [1, 4], [3, 2]), (_keypoints(3, seed=3), 640, [1, 4], [3, 2])],
    changed="Your function changes the keypoints it was given: work on a copy.",
    name="the mirror image",
    remark="The x of the middle column does not change, and two mirror images give the original back.",
)


def _of_offsets(error):
    """A loss of predicted and true poses, (B, J, 3) each, from a function of their difference."""
    return lambda predicted, target: error(predicted - target)


def _of_distances(reduced):
    return _of_offsets(lambda off: reduced(off.norm(dim=-1)))


# Eq. 9, the mean distance, over a batch.
exercise_3_loss = Exercise(
    right=mpjpe,
    mistakes={
        "This is the mean of squares, called MSE. Eq. 9 takes the root for every joint first.": (
            _of_offsets(lambda off: off.square().mean())
        ),
        "The root is taken at the end: take it for every joint, then the mean.": (
            _of_distances(lambda distances: distances.square().mean().sqrt())
        ),
        "The root is taken at the end, of single coordinates: every joint needs one.": (
            _of_offsets(lambda off: off.square().mean().sqrt())
        ),
        "The norm runs over the joints. It must run over x, y and z, the last axis.": (
            _of_offsets(lambda off: off.norm(dim=-2).mean())
        ),
        "The distances are added up, not averaged: the loss would grow with the batch.": _of_distances(torch.sum),
        "The distances of a pose are added up, its mean is missing: divide by J too.": (
            _of_distances(lambda distances: distances.sum(1).mean())
        ),
        "The losses of the poses are added up: average over the batch too.": (
            _of_distances(lambda distances: distances.mean(1).sum())
        ),
        "This is one norm over a whole pose: every joint needs a distance of its own.": (
            _of_offsets(lambda off: off.flatten(1).norm(dim=1).mean())
        ),
        "This is one norm over the whole batch: every joint needs a distance of its own.": _of_offsets(torch.norm),
        "The mean absolute coordinate is no distance: off by 30 and 40 mm is 50 mm away.": (
            _of_offsets(lambda off: off.abs().mean())
        ),
        "This is in millimeters; the loss is in meters, as the poses are.": (
            lambda predicted, target: 1000 * mpjpe(predicted, target)
        ),
    },
    cases=[*torch.randn(2, 2, 5, 7, 3, generator=torch.Generator().manual_seed(3))],
    name="the loss",
)


def exercise_3(training_loss):
    """The loss and its gradient."""
    exercise_3_loss(training_loss)
    for predicted, target in exercise_3_loss.each_case():
        loss = training_loss(predicted.clone(), target.clone())
        leaf = predicted.clone().requires_grad_()
        loss = training_loss(leaf, target.clone()) if isinstance(loss, Tensor) else loss
        if not isinstance(loss, Tensor) or not loss.requires_grad:
            raise Wrong("The number is right, but no gradient can flow through it: stay with tensors to the end.")
        (right,) = torch.autograd.grad(mpjpe(leaf, target), leaf)
        compare(torch.autograd.grad(loss, leaf)[0], right, name="the gradient of the loss")
    return "The loss is the very error that the tables print, which is rare in deep learning."


def _risen(step, warmup, top, floor):
    return top * (step + 1) / (warmup + 1)


def _done(step, total, warmup):
    """The progress of the cosine, from 0 to 1."""
    return (step - warmup) / (total - warmup)


def _cosine(done, top, floor, turn=math.pi):
    return floor + (top - floor) * (1 + math.cos(turn * done)) / 2


def _rates(rise=_risen, done=_done, fall=_cosine):
    """The rates of all steps: `rise` gives those of the warm-up, and `fall` those after it, from what is `done`."""

    def answer(total, warmup, top, floor):
        rising = [rise(step, warmup, top, floor) for step in range(warmup)]
        return rising + [fall(done(step, total, warmup), top, floor) for step in range(warmup, total)]

    return answer


# A cosine with warm-up that ends at a floor: the rates of all steps.
exercise_4_rates = Exercise(
    right=_rates(),
    mistakes={
        "There is no warm-up: the cosine runs from the first step on.": (
            lambda total, warmup, top, floor: _rates()(total, 0, top, floor)
        ),
        "The warm-up starts at zero, so the first step is wasted: let it have a rate.": (
            _rates(rise=lambda step, warmup, top, floor: top * step / warmup)
        ),
        "The warm-up is one step too quick: it reaches `top` before step `warmup`.": (
            _rates(rise=lambda step, warmup, top, floor: top * (step + 1) / warmup)
        ),
        "The warm-up rises from the floor: as in `learning_rate`, it rises from zero.": (
            _rates(rise=lambda step, warmup, top, floor: floor + _risen(step, warmup, top - floor, floor))
        ),
        "The cosine does not begin at `top`: count its progress from the end of the warm-up.": (
            _rates(done=lambda step, total, warmup: step / total)
        ),
        "The progress is divided by all steps: only those after the warm-up belong to it.": (
            _rates(done=lambda step, total, warmup: (step - warmup) / total)
        ),
        "The floor is reached one step early: it belongs to step `total`, after the last.": (
            _rates(done=lambda step, total, warmup: _done(step, total - 1, warmup))
        ),
        "The rate jumps up and down: math.cos takes radians; half a turn is math.pi, not 180.": (
            _rates(fall=partial(_cosine, turn=180))
        ),
        "The cosine stops half-way: half a turn is math.pi.": _rates(fall=partial(_cosine, turn=1)),
        "The rate falls in a straight line: it must follow half a cosine.": (
            _rates(fall=lambda done, top, floor: top + (floor - top) * done)
        ),
        "The rate falls below the floor: shift and halve the cosine, so that it runs from 1 to 0.": (
            _rates(fall=lambda done, top, floor: floor + (top - floor) * math.cos(math.pi * done))
        ),
        "The rate falls to zero: it must end at `floor`.": (
            _rates(fall=lambda done, top, floor: _cosine(done, top, floor=0))
        ),
        "The fall to zero is cut off: run from `top` to `floor`.": (
            _rates(fall=lambda done, top, floor: max(_cosine(done, top, floor=0), floor))
        ),
        "The floor is laid on top: only the distance from `top` to it is left to fall.": (
            _rates(fall=lambda done, top, floor: floor + _cosine(done, top, floor=0))
        ),
    },
    cases=[(40, 8, 1e-1, 1e-2)],  # large rates, so that a mistake is far outside the tolerance
    name="the list of 40 rates",
)


def exercise_4(rate_at):
    """The rates of all steps, with warm-up and without."""
    exercise_4_rates(lambda total, *settings: _each(rate_at, range(total), total, *settings))
    compare(_each(rate_at, [0, 5], 10, 0, 1, 0.2), [1, 0.6], name="the rate of steps 0 and 5 without warm-up")
    return "Halfway down, the rate is the mean of `top` and `floor`: a cosine spends half of the steps above it."


def exercise_5(one_step):
    """Forward, clear, backward, step; in training mode."""

    def weights(order="clear backward step", **options):
        return _trained(partial(_step, order=order, **options))[1]

    losses, answer = _trained(one_step)
    mistakes = {
        "The gradients of earlier steps are still there and add up: clear them.": weights("backward step"),
        "The weights do not move. When step() was called, the gradients were gone or not yet there: mind the "
        "order.": weights("backward clear step"),
        "A step with the gradient of the batch before: backward() must come before step().": (
            weights("step clear backward")
        ),
        "The network is in evaluation mode, so dropout is off: put it into training mode.": weights(training=False),
        "These are the weights of another loss: use mpjpe.": weights(loss=nn.functional.mse_loss),
    }
    compare(answer, weights(), mistakes, name="the weight matrix after three steps")
    hint = (
        "The weights are right, but this is another loss: return the one you went backwards from, taken before step()."
    )
    compare(_floats(losses), _trained(_step)[0], {hint: losses}, name="the list of returned losses")
    return "Clearing may stand anywhere after step() and before the next backward(), even at the very end."


def _lifter_and_windows(skeleton) -> tuple:
    """A lifter that is neither symmetric nor linear, and windows for it."""
    J = skeleton.num_joints
    generator = torch.Generator().manual_seed(J)
    weight = torch.randn(J * 3, 5 * J * 2, generator=generator) / 10

    def model(windows):
        return (windows.flatten(1) @ weight.T).tanh().unflatten(1, (J, 3))

    return model, torch.randn(4, 5, J, 2, generator=generator), skeleton


def _negated(x: Tensor) -> Tensor:
    return torch.cat([-x[..., :1], x[..., 1:]], dim=-1)


def _flipped(model, windows, skeleton):
    return flip_poses(model(flip_poses(windows, skeleton)), skeleton)


def _averaged_with(second):
    return lambda model, windows, skeleton: (model(windows) + second(model, windows, skeleton)) / 2


# The mean of a prediction and the mirrored prediction for the mirrored window.
exercise_6 = Exercise(
    right=_averaged_with(_flipped),
    mistakes={
        "The second prediction is still a mirror image: flip it back before you average.": (
            _averaged_with(lambda model, windows, skeleton: model(flip_poses(windows, skeleton)))
        ),
        "The two windows were averaged and lifted once: lift each, flip the second pose back, and average the poses.": (
            lambda model, windows, skeleton: model((windows + flip_poses(windows, skeleton)) / 2)
        ),
        "The model saw the same window twice: flip its input as well as its output.": (
            _averaged_with(lambda model, windows, skeleton: flip_poses(model(windows), skeleton))
        ),
        "This is the mirrored prediction alone: average it with the plain one.": _flipped,
        "This is the plain prediction: the mirrored window is missing.": (
            lambda model, windows, skeleton: model(windows)
        ),
        "You flipped the first prediction back, not the second: the result is a mirror image.": (
            lambda model, windows, skeleton: flip_poses(_averaged_with(_flipped)(model, windows, skeleton), skeleton)
        ),
        "torch.flip reverses the list of joints: the mirror exchanges left and right and negates x.": (
            _averaged_with(lambda model, windows, skeleton: model(windows.flip(-2)).flip(-2))
        ),
        "The two predictions are added, not averaged.": (
            lambda model, windows, skeleton: model(windows) + _flipped(model, windows, skeleton)
        ),
        "Only x is negated, both times: left and right joints must be exchanged, on the way in and on the way "
        "back.": _averaged_with(lambda model, windows, skeleton: _negated(model(_negated(windows)))),
        "Only x is negated on the way in: exchange left and right joints too.": (
            _averaged_with(lambda model, windows, skeleton: flip_poses(model(_negated(windows)), skeleton))
        ),
        "Only x is negated on the way back: left and right joints must be exchanged too.": (
            _averaged_with(lambda model, windows, skeleton: _negated(model(flip_poses(windows, skeleton))))
        ),
    },
    cases=[_lifter_and_windows(H36M17), _lifter_and_windows(HUMANEVA15)],
    changed="Your function changes the windows it was given: mirror a copy, as flip_poses does.",
    fields=lambda model, windows, skeleton: {"skeleton": skeleton.name},
    name="the averaged pose of {skeleton}",
    remark="The average is a symmetric lifter, whatever the network learned: a mirrored window gets the mirrored pose.",
)


def exercise_7(accumulated_step):
    """A large batch in parts, the last one smaller: the same weights, and never more windows at a time than a part."""

    def trained(factor=None, clear=(0,), step=(2,), parts=(0, 1, 2)):
        def run(model, optimizer, poses_2d, target):
            means = []
            for part in parts:
                if part in clear:
                    optimizer.zero_grad()
                rows = slice(4 * part, 4 * part + 4)
                means.append(mpjpe(model(poses_2d[rows]), target[rows]))
                (means[-1] * (factor or len(poses_2d[rows]) / len(poses_2d))).backward()
                if part in step:
                    optimizer.step()
            return [value.item() for value in means]

        return _trained(run, batch=10, dropout=0.0)

    losses, answer = _trained(lambda *a: accumulated_step(*a, 4), batch=10, dropout=0.0, most=4)
    right_losses, right = _trained(_step, batch=10, dropout=0.0)
    mistakes = {
        "The gradients of the parts add up to more than that of the mean: scale the loss of a part.": trained(1.0)[1],
        "Every part counts alike, but the last is smaller: weight it by its share of the batch.": trained(1 / 3)[1],
        "The factors of the parts add up to more than 1: the last one's share is smaller.": trained(4 / 10)[1],
        "The gradients of the step before are still there: clear them before the first part.": trained(clear=())[1],
        "Only the last part counts: clear the gradients once a step, not for every part.": trained(clear=(0, 1, 2))[1],
        "The weights move after every part, so the later parts meet another network: step once, at the end.": (
            trained(step=(0, 1, 2))[1]
        ),
        "The weights move after every part, as if each were a batch: clear and step once for all of them.": (
            trained(clear=(0, 1, 2), step=(0, 1, 2))[1]
        ),
        "The last, smaller part is left out: every window counts.": trained(step=(1,), parts=(0, 1))[1],
    }
    compare(answer, right, mistakes, name="the weight matrix after three steps of 10 windows in parts of 4")
    means = np.array(trained()[0])
    mistakes = {
        "The weights are right, but this is the loss of the last part: return the batch's.": means[:, -1],
        "The weights are right, but the losses of the parts are added unscaled.": means.sum(1),
        "The weights are right, but the returned loss counts all parts alike; the last is smaller.": means.mean(1),
    }
    compare(_floats(losses), right_losses, mistakes, name="the list of returned losses")
    return "So a GPU with little memory can train with the paper's batch of 1024; only the time is not the same."


def _each(rate_at: Callable, steps, *settings) -> list:
    rates = [rate_at(step, *settings) for step in steps]
    if all(rate is None for rate in rates):
        raise NotAnswered
    return _floats(rates)


def _floats(numbers: list) -> list:
    if any(isinstance(number, Tensor) for number in numbers):
        raise Wrong("The numbers are not judged yet: a tensor comes back where a Python float should.")
    return numbers


def _step(model, optimizer, poses_2d, target, order="clear backward step", training=True, loss=mpjpe) -> float:
    """A training step whose parts come in the given order."""
    model.train(training)
    value = loss(model(poses_2d), target)
    parts = {"clear": optimizer.zero_grad, "backward": value.backward, "step": optimizer.step}
    for part in order.split():
        parts[part]()
    return value.item()


reference_5 = _step


def _trained(step: Callable, batch: int = 6, dropout: float = 0.5, most: int | None = None) -> tuple[list, Tensor]:
    """What three steps return, and the weights they leave: always the same start and the same three batches."""
    generator = torch.Generator().manual_seed(5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        linear = nn.Linear(3 * 4 * 2, 4 * 3)
        model = nn.Sequential(nn.Flatten(), nn.Dropout(dropout), linear, nn.Unflatten(1, (4, 3))).eval()
        if most:
            _refuse_more_than(most, model)
        before = linear.weight.detach().clone()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        returned = []
        for number in range(3):
            torch.manual_seed(number)  # for the dropout
            poses_2d = torch.randn(batch, 3, 4, 2, generator=generator)
            returned.append(step(model, optimizer, poses_2d, torch.randn(batch, 4, 3, generator=generator)))
    if any(value is None for value in returned):
        if torch.equal(linear.weight, before):
            raise NotAnswered
        raise Wrong("The weights move, but nothing comes back: return the loss.")
    return returned, linear.weight.detach()


def _refuse_more_than(most: int, model: nn.Module) -> None:
    """Let the model refuse larger batches, and a batch before the backward pass of the last one."""
    waiting = []

    def before(module, inputs):
        if len(inputs[0]) > most:
            raise Wrong(f"The model got {len(inputs[0])} windows at once, but no more than {most} may be taken.")
        if waiting:
            raise Wrong("A part begins before the last one's backward(): both are in memory, so nothing is saved.")

    def after(module, inputs, output):
        if output.requires_grad:
            waiting.append(output)
            output.register_hook(lambda gradient: waiting.clear())

    model.register_forward_pre_hook(before)
    model.register_forward_hook(after)
