"""Checkers of lesson 06: windows, mirror images, the loss, the learning rate, and one step of training."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from poseformer_course.checks.judge import NotAnswered, Wrong, compare
from poseformer_lite.metrics import mpjpe
from poseformer_lite.skeleton import H36M17, HUMANEVA15, flip_poses


def exercise_1(stacked_windows):
    """Windows over sequences that are stored one after the other."""
    for lengths, window in (((3, 2), 3), ((6, 2, 9), 5), ((4,), 7), ((5, 1, 3), 1)):
        counts = torch.tensor(lengths)
        ends = counts.cumsum(0).repeat_interleave(counts)[:, None]
        first = ends - counts.repeat_interleave(counts)[:, None]
        starting = torch.arange(sum(lengths))[:, None] + torch.arange(window)
        centred, ending = starting - window // 2, starting - window + 1
        right = centred.clamp(first, ends - 1)
        answer = stacked_windows(list(lengths), window)
        mistakes = {
            "Some indices leave their sequence: -1 would take the last frame of all. Repeat its end frame.": centred,
            "The windows reach over the seam into the next sequence: only the ends of the whole stack are repeated. "
            "Every sequence has its own first and last frame.": centred.clamp(0, sum(lengths) - 1),
            "The window starts at its frame: put as many frames before it as after.": starting.clamp(first, ends - 1),
            "The window ends at its frame: put as many frames after it as before.": ending.clamp(first, ends - 1),
            "The end is off by one: a sequence that begins at b and has n frames ends at b + n - 1, and the frame "
            "after that belongs to the next.": centred.clamp(first, ends),
            "Each sequence counts its frames from zero again: add where it begins in the stack.": right - first,
            "The axes are exchanged: one row per frame, one column per place in the window.": right.T,
        }
        compare(answer, right, mistakes, name=f"stacked_windows({list(lengths)}, {window})")
        if not isinstance(answer, Tensor) or answer.is_floating_point():
            raise Wrong("The numbers are right, but only a tensor of integers can pick frames out of the stack.")
    return "This is what `Windows` keeps in `first` and `last`: two numbers per frame in place of copies of the data."


def exercise_2(mirror_pixels):
    """The mirror image of keypoints in pixels."""
    generator = np.random.default_rng(2)
    left, right, order, width = [1, 4], [3, 2], [0, 3, 4, 1, 2, 5], 640
    for frames in (1, 3):
        keypoints = generator.uniform(20, 300, (frames, 6, 2))
        given = keypoints.copy()
        across, negated = keypoints * [-1, 1] + [width, 0], keypoints * [-1, 1]
        one_way = across.copy()
        one_way[:, left] = across[:, right]
        upside_down = keypoints * [1, -1] + [0, width]
        answer = mirror_pixels(keypoints, width, left, right)
        if answer is not None and not np.array_equal(keypoints, given):
            raise Wrong("Your function changes the keypoints it was given: work on a copy.")
        mistakes = {
            "The picture is mirrored, but the left hand is still called left: exchange the sides too.": across,
            "x is negated, so the person has left the picture: x = 0 must go to the right edge.": negated[:, order],
            "All is one pixel too far left: x runs to `width`, not to the last pixel.": (across - [1, 0])[:, order],
            "The sides are exchanged, but no joint has moved: mirror x as well.": keypoints[:, order],
            "The picture stands on its head: mirror x, the first coordinate, not y.": upside_down[:, order],
            "Both sides now hold the joints of one: write both, each with what the other had before.": one_way,
        }
        compare(answer, across[:, order], mistakes, name="the mirror image")
    return "The x of the middle column does not change, and two mirror images give the original back."


def exercise_3(training_loss):
    """Eq. 9, the mean distance, over a batch, and its gradient."""
    generator = torch.Generator().manual_seed(3)
    for predicted, target in torch.randn(2, 2, 5, 7, 3, generator=generator):
        off = predicted - target
        distances, of_poses = off.norm(dim=-1), off.flatten(1).norm(dim=1)
        loss = training_loss(predicted.clone(), target.clone())
        mistakes = {
            "This is the mean of squares, called MSE. Eq. 9 takes the root for every joint first.": off.square().mean(),
            "The root is taken at the end: take it for every joint, then the mean.": distances.square().mean().sqrt(),
            "The root is taken at the end, of single coordinates: every joint needs one.": off.square().mean().sqrt(),
            "The norm runs over the joints. It must run over x, y and z, the last axis.": off.norm(dim=-2).mean(),
            "The distances are added up, not averaged: the loss would grow with the batch.": distances.sum(),
            "The distances of a pose are added up, its mean is missing: divide by J too.": distances.sum(1).mean(),
            "The losses of the poses are added up: average over the batch too.": distances.mean(1).sum(),
            "This is one norm over a whole pose: every joint needs a distance of its own.": of_poses.mean(),
            "This is one norm over the whole batch: every joint needs a distance of its own.": off.norm(),
            "The mean absolute coordinate is no distance: off by 30 and 40 mm is 50 mm away.": off.abs().mean(),
            "This is in millimetres; the loss is in metres, as the poses are.": 1000 * distances.mean(),
        }
        compare(loss, mpjpe(predicted, target), mistakes, name="the loss")
        leaf = predicted.clone().requires_grad_()
        loss = training_loss(leaf, target.clone()) if isinstance(loss, Tensor) else loss
        if not isinstance(loss, Tensor) or not loss.requires_grad:
            raise Wrong("The number is right, but no gradient can flow through it: stay with tensors to the end.")
        (right,) = torch.autograd.grad(mpjpe(leaf, target), leaf)
        compare(torch.autograd.grad(loss, leaf)[0], right, name="the gradient of the loss")
    return "The loss is the very error that the tables print, which is rare in deep learning."


def exercise_4(rate_at):
    """A cosine with warm-up that ends at a floor."""
    top, floor, total, warmup = 1e-1, 1e-2, 40, 8  # large, so that a mistake is far outside the tolerance

    def rates(first=1, strides=warmup + 1, low=0.0, floor=floor, high=top, turn=math.pi, begin=warmup, end=total):
        rise = [low + (top - low) * (step + first) / strides for step in range(warmup)]
        done = [(step - begin) / (end - begin) for step in range(warmup, total)]
        return rise + [floor + (high - floor) * (1 + math.cos(turn * part)) / 2 for part in done]

    cosine, line = rates(begin=0), [top + (floor - top) * step / (total - warmup) for step in range(total - warmup)]
    no_warmup = [floor + (top - floor) * (1 + math.cos(math.pi * step / total)) / 2 for step in range(total)]
    whole = [*rates()[:warmup], *(2 * rate - top for rate in rates()[warmup:])]
    mistakes = {
        "There is no warm-up: the cosine runs from the first step on.": no_warmup,
        "The warm-up starts at zero, so the first step is wasted: let it have a rate.": rates(first=0, strides=warmup),
        "The warm-up is one step too quick: it reaches `top` before step `warmup`.": rates(strides=warmup),
        "The warm-up rises from the floor: as in `learning_rate`, it rises from zero.": rates(low=floor),
        "The cosine does not begin at `top`: count its progress from the end of the warm-up.": cosine,
        "The progress is divided by all steps: only those after the warm-up belong to it.": rates(end=total + warmup),
        "The floor is reached one step early: it belongs to step `total`, after the last.": rates(end=total - 1),
        "The rate jumps up and down: math.cos takes radians; half a turn is math.pi, not 180.": rates(turn=180),
        "The cosine stops half-way: half a turn is math.pi.": rates(turn=1),
        "The rate falls in a straight line: it must follow half a cosine.": [*rates()[:warmup], *line],
        "The rate falls below the floor: shift and halve the cosine, so that it runs from 1 to 0.": whole,
        "The rate falls to zero: it must end at `floor`.": rates(floor=0.0),
        "The fall to zero is cut off: run from `top` to `floor`.": [max(rate, floor) for rate in rates(floor=0.0)],
        "The floor is laid on top: only the distance from `top` to it is left to fall.": rates(high=top + floor),
    }
    compare(_each(rate_at, range(total), total, warmup, top, floor), rates(), mistakes, name="the list of 40 rates")
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


def exercise_6(flip_averaged):
    """The mean of a prediction and the mirrored prediction for the mirrored window."""

    def negated(x):
        return torch.cat([-x[..., :1], x[..., 1:]], dim=-1)

    for skeleton in (H36M17, HUMANEVA15):
        J = skeleton.num_joints
        generator = torch.Generator().manual_seed(J)
        weight = torch.randn(J * 3, 5 * J * 2, generator=generator) / 10

        def model(windows, weight=weight, J=J):
            return (windows.flatten(1) @ weight.T).unflatten(1, (J, 3))

        windows = torch.randn(4, 5, J, 2, generator=generator)
        given, flip = windows.clone(), partial(flip_poses, skeleton=skeleton)
        plain, mirrored = model(windows), model(flip(windows))
        mean = partial(torch.lerp, plain, weight=0.5)
        answer = flip_averaged(model, given, skeleton)
        if answer is not None and not torch.equal(given, windows):
            raise Wrong("Your function changes the windows it was given: mirror a copy, as flip_poses does.")
        mistakes = {
            "The second prediction is still a mirror image: flip it back before you average.": mean(mirrored),
            "The model saw the same window twice: flip its input as well as its output.": mean(flip(plain)),
            "This is the mirrored prediction alone: average it with the plain one.": flip(mirrored),
            "This is the plain prediction: the mirrored window is missing.": plain,
            "The two predictions are added, not averaged.": plain + flip(mirrored),
            "Only x is negated, both times: left and right joints must be exchanged, on the way in and on the way "
            "back.": mean(negated(model(negated(windows)))),
            "Only x is negated on the way in: exchange left and right joints too.": mean(flip(model(negated(windows)))),
            "Only x is negated on the way back: left and right joints must be exchanged too.": mean(negated(mirrored)),
        }
        compare(answer, mean(flip(mirrored)), mistakes, name=f"the averaged pose of {skeleton.name}")
    return "The average is a symmetric lifter, whatever the network learned: a mirrored window gets the mirrored pose."


def exercise_7(accumulated_step):
    """A large batch in parts, the last one smaller: the same weights, and never more windows at a time than a part."""

    def trained(factor=None, clear=(0,), step=(2,), parts=(0, 1, 2)):
        def run(model, optimiser, poses_2d, target):
            means = []
            for part in parts:
                if part in clear:
                    optimiser.zero_grad()
                rows = slice(4 * part, 4 * part + 4)
                means.append(mpjpe(model(poses_2d[rows]), target[rows]))
                (means[-1] * (factor or len(poses_2d[rows]) / len(poses_2d))).backward()
                if part in step:
                    optimiser.step()
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


def _step(model, optimiser, poses_2d, target, order="clear backward step", training=True, loss=mpjpe) -> float:
    """A training step whose parts come in the given order."""
    model.train(training)
    value = loss(model(poses_2d), target)
    parts = {"clear": optimiser.zero_grad, "backward": value.backward, "step": optimiser.step}
    for part in order.split():
        parts[part]()
    return value.item()


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
        optimiser = torch.optim.SGD(model.parameters(), lr=0.5)
        returned = []
        for number in range(3):
            torch.manual_seed(number)  # for the dropout
            poses_2d = torch.randn(batch, 3, 4, 2, generator=generator)
            returned.append(step(model, optimiser, poses_2d, torch.randn(batch, 4, 3, generator=generator)))
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
