"""Plausible wrong answers to the exercises of lesson 06: windows, mirror images, loss, schedule, steps."""

import math

import numpy as np
import torch

from poseformer_lite.metrics import mpjpe
from poseformer_lite.model.base import window_indices
from poseformer_lite.skeleton import flip_poses


def windows(lengths, window, shift=None, low=None, high=None):
    """Windows of a stack, with the mistake as an argument."""
    rows, begin, total = [], 0, sum(lengths)
    for length in lengths:
        frames = torch.arange(begin, begin + length)[:, None] + torch.arange(window)
        frames = frames - (window // 2 if shift is None else shift)
        first, last = begin if low is None else low, begin + length - 1 if high is None else high(begin, length, total)
        rows.append(frames.clamp(first, last))
        begin += length
    return torch.cat(rows)


def no_clamp(lengths, window):
    return torch.arange(sum(lengths))[:, None] + torch.arange(window) - window // 2


def mirrored(keypoints, width, left, right, x=True, y=False, sides="both", shift=True):
    """A mirror image, with the mistake as an argument."""
    new = np.array(keypoints)
    if x:
        new[..., 0] = (width if shift else 0) - new[..., 0]
    if y:
        new[..., 1] = width - new[..., 1]
    old = new if sides == "overwritten" else new.copy()
    if sides != "none":
        new[:, left] = old[:, right]
    if sides in ("both", "overwritten"):
        new[:, right] = old[:, left]
    return new


def in_place(keypoints, width, left, right):
    keypoints[..., 0] = width - keypoints[..., 0]
    return keypoints


def rate(step, total, warmup, top, floor, begin=None, end=0, strides=1, first=1, turn=math.pi, half=True, low=None):
    """A cosine with warm-up, with the mistake as an argument."""
    if step < warmup:
        return top * (step + first) / (warmup + strides)
    begin = warmup if begin is None else begin
    wave = math.cos(turn * (step - begin) / (total + end - begin))
    low = floor if low is None else low
    return low + (top - low) * ((1 + wave) / 2 if half else wave)


def warm_from_floor(step, total, warmup, top, floor):
    return floor + (top - floor) * (step + 1) / (warmup + 1) if step < warmup else rate(step, total, warmup, top, floor)


def divided_by_total(step, total, warmup, top, floor):
    return rate(step, total, warmup, top, floor, end=warmup)


def straight(step, total, warmup, top, floor):
    if step < warmup:
        return rate(step, total, warmup, top, floor)
    return top + (floor - top) * (step - warmup) / (total - warmup)


def floor_on_top(step, total, warmup, top, floor):
    return rate(step, total, warmup, top, floor, low=0.0) + (0 if step < warmup else floor)


def no_warmup(step, total, warmup, top, floor):
    return rate(step, total, 0, top, floor)


def step(model, optimiser, poses_2d, target, order=("clear", "backward", "step"), mode="train", loss=mpjpe):
    """A training step, with the mistake as an argument."""
    if mode:
        getattr(model, mode)()
    value = loss(model(poses_2d), target)
    for part in order:
        {"clear": optimiser.zero_grad, "backward": value.backward, "step": optimiser.step}[part]()
    return value.item()


def late(model, optimiser, poses_2d, target):
    model.train()
    value = mpjpe(model(poses_2d), target)
    optimiser.step()
    optimiser.zero_grad()
    value.backward()
    return value.item()


def returns_a_tensor(model, optimiser, poses_2d, target):
    model.train()
    value = mpjpe(model(poses_2d), target)
    optimiser.zero_grad()
    value.backward()
    optimiser.step()
    return value


def loss_after(model, optimiser, poses_2d, target, mode=True):
    """The loss is taken once more, after the step."""
    step(model, optimiser, poses_2d, target)
    return mpjpe(model.train(mode)(poses_2d), target).item()


def squares(predicted, target):
    return (predicted - target).square().mean()


def negated(poses):
    return poses * torch.tensor([-1.0] + [1.0] * (poses.shape[-1] - 1))


def flip_in_place(model, windows, skeleton):
    plain = model(windows)
    windows[:] = flip_poses(windows, skeleton)
    return (plain + flip_poses(model(windows), skeleton)) / 2


def accumulated(model, optimiser, poses_2d, target, part, scale, clear="once", every=False, drop=False, back=None):
    """A batch in parts, with the mistake as an argument; `back` makes of the parts' losses what is returned."""
    model.train()
    if clear == "once":
        optimiser.zero_grad()
    losses, means, parts = [], [], math.ceil(len(poses_2d) / part)
    for x, y in zip(poses_2d.split(part), target.split(part), strict=True):
        if drop and len(x) < part:
            continue
        if clear == "each":
            optimiser.zero_grad()
        means.append(mpjpe(model(x), y))
        losses.append(means[-1] * scale(len(x), parts, len(poses_2d)))
        losses[-1].backward()
        if every:
            optimiser.step()
    if not every:
        optimiser.step()
    return back(torch.stack(means).detach()) if back else sum(losses).item()


def at_once(model, optimiser, poses_2d, target, part):
    return step(model, optimiser, poses_2d, target)


def one_backward(model, optimiser, poses_2d, target, part, together=True):
    """All parts go forward, and only then backward: as one batch, or as a sum of losses."""
    model.train()
    optimiser.zero_grad()
    if together:
        loss = mpjpe(torch.cat([model(x) for x in poses_2d.split(part)]), target)
    else:
        pairs = zip(poses_2d.split(part), target.split(part), strict=True)
        loss = sum(mpjpe(model(x), y) * len(x) / len(poses_2d) for x, y in pairs)
    loss.backward()
    optimiser.step()
    return loss.item()


def share(rows, parts, batch):
    return rows / batch


MISTAKES = {
    "06.1": {
        "nothing is clamped, so -1 wraps round": (no_clamp, "-1 would take the last frame"),
        "clamped to the whole stack": (lambda n, w: windows(n, w, low=0, high=lambda b, k, t: t - 1), "over the seam"),
        "starts at the frame": (lambda n, w: windows(n, w, shift=0), "starts at its frame"),
        "ends at the frame": (lambda n, w: windows(n, w, shift=w - 1), "ends at its frame"),
        "floats": (lambda n, w: windows(n, w).float(), "tensor of integers"),
        "a list": (lambda n, w: windows(n, w).tolist(), "tensor of integers"),
        "one past the end": (lambda n, w: windows(n, w, high=lambda b, k, t: b + k), "off by one"),
        "each sequence from zero": (
            lambda n, w: torch.cat([window_indices(k, w) for k in n]),
            "from zero again",
        ),
        "transposed": (lambda n, w: windows(n, w).T, "axes are exchanged"),
    },
    "06.2": {
        "sides stay": (lambda k, w, a, b: mirrored(k, w, a, b, sides="none"), "still called left"),
        "x negated": (lambda k, w, a, b: mirrored(k, w, a, b, shift=False), "has left the picture"),
        "width minus one": (lambda k, w, a, b: mirrored(k, w - 1, a, b), "one pixel too far left"),
        "only the sides": (lambda k, w, a, b: mirrored(k, w, a, b, x=False), "no joint has moved"),
        "y mirrored": (lambda k, w, a, b: mirrored(k, w, a, b, x=False, y=True), "on its head"),
        "left list only": (lambda k, w, a, b: mirrored(k, w, a, b, sides="left"), "joints of one"),
        "overwritten": (lambda k, w, a, b: mirrored(k, w, a, b, sides="overwritten"), "joints of one"),
        "in place": (in_place, "changes the keypoints"),
    },
    "06.3": {
        "mean of squares": (squares, "mean of squares"),
        "root at the end": (lambda p, t: (p - t).square().sum(-1).mean().sqrt(), "root is taken at the end"),
        "norm over the joints": (lambda p, t: (p - t).norm(dim=-2).mean(), "runs over the joints"),
        "sum": (lambda p, t: (p - t).norm(dim=-1).sum(), "added up, not averaged"),
        "sum over joints": (lambda p, t: (p - t).norm(dim=-1).sum(-1).mean(), "divide by J"),
        "one norm a pose": (lambda p, t: (p - t).flatten(1).norm(dim=1).mean(), "one norm over a whole pose"),
        "absolute values": (lambda p, t: (p - t).abs().mean(), "mean absolute coordinate"),
        "millimetres": (lambda p, t: 1000 * mpjpe(p, t), "millimetres"),
        "root of the mean square": (lambda p, t: (p - t).square().mean().sqrt(), "single coordinates"),
        "sum over the batch": (lambda p, t: (p - t).norm(dim=-1).mean(-1).sum(), "losses of the poses are added"),
        "one norm": (lambda p, t: (p - t).norm(), "one norm over the whole batch"),
        "a float": (lambda p, t: mpjpe(p, t).item(), "no gradient can flow"),
        "detached": (lambda p, t: mpjpe(p, t).detach(), "no gradient can flow"),
        "numpy": (
            lambda p, t: np.linalg.norm(p.detach().numpy() - t.detach().numpy(), axis=-1).mean(),
            "no gradient can flow",
        ),
        "half detached": (lambda p, t: (mpjpe(p, t) + mpjpe(p.detach(), t)) / 2, "the gradient of the loss"),
    },
    "06.4": {
        "no warm-up": (no_warmup, "no warm-up"),
        "warm-up from zero": (lambda *a: rate(*a, first=0, strides=0), "starts at zero"),
        "warm-up too quick": (lambda *a: rate(*a, strides=0), "one step too quick"),
        "progress from step 0": (lambda *a: rate(*a, begin=0), "count its progress"),
        "180 as radians": (lambda *a: rate(*a, turn=180), "radians"),
        "the plain cosine": (lambda *a: rate(*a, half=False), "below the floor"),
        "falls to zero": (lambda *a: rate(*a, low=0.0), "falls to zero"),
        "cut off at the floor": (lambda *a: max(a[-1], rate(*a, low=0.0)), "cut off"),
        "floor on top": (floor_on_top, "laid on top"),
        "warm-up from the floor": (warm_from_floor, "rises from the floor"),
        "floor in the last step": (lambda *a: rate(*a, end=-1), "one step early"),
        "divided by total": (divided_by_total, "divided by all steps"),
        "no pi": (lambda *a: rate(*a, turn=1), "stops half-way"),
        "straight": (straight, "straight line"),
        "a tensor": (lambda *a: torch.tensor(rate(*a)), "Python float"),
    },
    "06.5": {
        "gradients add up": (lambda *a: step(*a, order=("backward", "step")), "add up"),
        "cleared after backward": (lambda *a: step(*a, order=("backward", "clear", "step")), "do not move"),
        "step before backward": (lambda *a: step(*a, order=("clear", "step", "backward")), "do not move"),
        "one batch late": (late, "the batch before"),
        "evaluation mode": (lambda *a: step(*a, mode="eval"), "evaluation mode"),
        "mode left as it was": (lambda *a: step(*a, mode=None), "evaluation mode"),
        "mean of squares": (lambda *a: step(*a, loss=squares), "another loss"),
        "a tensor comes back": (returns_a_tensor, "Python float"),
        "nothing comes back": (lambda *a: step(*a) and None, "return the loss"),
        "loss after the step": (loss_after, "before step"),
        "loss after the step, no dropout": (lambda *a: loss_after(*a, mode=False), "before step"),
    },
    "06.6": {
        "not flipped back": (lambda m, x, s: (m(x) + m(flip_poses(x, s))) / 2, "still a mirror image"),
        "only the output": (lambda m, x, s: (m(x) + flip_poses(m(x), s)) / 2, "same window twice"),
        "no average": (lambda m, x, s: flip_poses(m(flip_poses(x, s)), s), "mirrored prediction alone"),
        "no flip": (lambda m, x, s: m(x), "mirrored window is missing"),
        "the sum": (lambda m, x, s: m(x) + flip_poses(m(flip_poses(x, s)), s), "added, not averaged"),
        "sides stay on the way back": (
            lambda m, x, s: (m(x) + negated(m(flip_poses(x, s)))) / 2,
            "on the way back: left",
        ),
        "sides stay on the way in": (
            lambda m, x, s: (m(x) + flip_poses(m(negated(x)), s)) / 2,
            "on the way in: exchange",
        ),
        "sides stay on both ways": (lambda m, x, s: (m(x) + negated(m(negated(x)))) / 2, "both times"),
        "in place": (flip_in_place, "changes the windows"),
    },
    "06.7": {
        "not scaled": (lambda *a: accumulated(*a, lambda rows, parts, batch: 1.0), "scale the loss"),
        "by the number of parts": (lambda *a: accumulated(*a, lambda rows, parts, batch: 1 / parts), "share of the"),
        "cleared for every part": (lambda *a: accumulated(*a, share, clear="each"), "Only the last part counts"),
        "a step for every part": (lambda *a: accumulated(*a, share, every=True), "move after every part"),
        "the rest is dropped": (lambda *a: accumulated(*a, share, drop=True), "left out"),
        "by a full part's share": (lambda *a: accumulated(*a, lambda rows, parts, batch: 4 / batch), "more than 1"),
        "never cleared": (lambda *a: accumulated(*a, share, clear="never"), "step before are still there"),
        "the whole batch at once": (at_once, "10 windows at once"),
        "predictions put together": (one_backward, "nothing is saved"),
        "losses put together": (lambda *a: one_backward(*a, together=False), "nothing is saved"),
        "a tensor comes back": (lambda *a: accumulated(*a, share, back=torch.mean), "Python float"),
        "loss of the last part": (lambda *a: accumulated(*a, share, back=lambda m: m[-1].item()), "of the last part"),
        "losses unscaled": (lambda *a: accumulated(*a, share, back=lambda m: m.sum().item()), "added unscaled"),
        "mean of the parts": (lambda *a: accumulated(*a, share, back=lambda m: m.mean().item()), "counts all parts"),
    },
}
