"""Plausible wrong answers to the exercises of lesson 06: windows, mirror images, loss, schedule, steps."""

import math

import numpy as np
import torch

from poseformer_lite.metrics import mpjpe
from poseformer_lite.model.lifting_network import window_indices
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


def rate(step, total, warmup, top, floor, begin=None, strides=1, first=1, turn=math.pi, half=True, low=None):
    """A cosine with warm-up, with the mistake as an argument."""
    if step < warmup:
        return top * (step + first) / (warmup + strides)
    done = (step - (warmup if begin is None else begin)) / (total - (warmup if begin is None else begin))
    wave = math.cos(turn * done)
    low = floor if low is None else low
    return low + (top - low) * ((1 + wave) / 2 if half else wave)


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


def squares(predicted, target):
    return (predicted - target).square().mean()


def accumulated(model, optimiser, poses_2d, target, part, scale, clear=False, every=False, drop=False):
    """A batch in parts, with the mistake as an argument."""
    model.train()
    optimiser.zero_grad()
    total, parts = 0.0, math.ceil(len(poses_2d) / part)
    for x, y in zip(poses_2d.split(part), target.split(part), strict=True):
        if drop and len(x) < part:
            continue
        if clear:
            optimiser.zero_grad()
        loss = mpjpe(model(x), y) * scale(len(x), parts, len(poses_2d))
        loss.backward()
        total += loss.item()
        if every:
            optimiser.step()
    if not every:
        optimiser.step()
    return total


def share(rows, parts, batch):
    return rows / batch


MISTAKES = {
    "06.1": {
        "nothing is clamped, so -1 wraps round": (no_clamp, "-1 would take the last frame"),
        "clamped to the whole stack": (lambda n, w: windows(n, w, low=0, high=lambda b, k, t: t - 1), "over the seam"),
        "starts at the frame": (lambda n, w: windows(n, w, shift=0), "starts at its frame"),
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
        "absolute values": (lambda p, t: (p - t).abs().mean(), "absolute coordinates"),
        "millimetres": (lambda p, t: 1000 * mpjpe(p, t), "millimetres"),
    },
    "06.4": {
        "no warm-up": (no_warmup, "no warm-up"),
        "warm-up from zero": (lambda *a: rate(*a, first=0, strides=0), "starts at zero"),
        "warm-up too quick": (lambda *a: rate(*a, strides=0), "one stride too quick"),
        "progress from step 0": (lambda *a: rate(*a, begin=0), "count its progress"),
        "180 as radians": (lambda *a: rate(*a, turn=180), "radians"),
        "the plain cosine": (lambda *a: rate(*a, half=False), "below the floor"),
        "falls to zero": (lambda *a: rate(*a, low=0.0), "falls to zero"),
    },
    "06.5": {
        "gradients add up": (lambda *a: step(*a, order=("backward", "step")), "add up"),
        "cleared after backward": (lambda *a: step(*a, order=("backward", "clear", "step")), "do not move"),
        "step before backward": (lambda *a: step(*a, order=("clear", "step", "backward")), "do not move"),
        "one batch late": (late, "the batch before"),
        "evaluation mode": (lambda *a: step(*a, mode="eval"), "evaluation mode"),
        "mode left as it was": (lambda *a: step(*a, mode=None), "evaluation mode"),
        "mean of squares": (lambda *a: step(*a, loss=squares), "another loss"),
        "a tensor comes back": (returns_a_tensor, "as a float"),
        "nothing comes back": (lambda *a: step(*a) and None, "return the loss"),
    },
    "06.6": {
        "not flipped back": (lambda m, x, s: (m(x) + m(flip_poses(x, s))) / 2, "still a mirror image"),
        "only the output": (lambda m, x, s: (m(x) + flip_poses(m(x), s)) / 2, "same window twice"),
        "no average": (lambda m, x, s: flip_poses(m(flip_poses(x, s)), s), "mirrored prediction alone"),
        "no flip": (lambda m, x, s: m(x), "mirrored window is missing"),
        "the sum": (lambda m, x, s: m(x) + flip_poses(m(flip_poses(x, s)), s), "added, not averaged"),
        "sides stay on the way back": (
            lambda m, x, s: (m(x) + m(flip_poses(x, s)) * torch.tensor([-1.0, 1, 1])) / 2,
            "exchanged too",
        ),
    },
    "06.7": {
        "not scaled": (lambda *a: accumulated(*a, lambda rows, parts, batch: 1.0), "scale the loss"),
        "by the number of parts": (lambda *a: accumulated(*a, lambda rows, parts, batch: 1 / parts), "share of the"),
        "cleared for every part": (lambda *a: accumulated(*a, share, clear=True), "Only the last part counts"),
        "a step for every part": (lambda *a: accumulated(*a, share, every=True), "move after every part"),
        "the rest is dropped": (lambda *a: accumulated(*a, share, drop=True), "left out"),
    },
}
