"""Plausible wrong answers to the exercises of lesson 06: windows, mirror images, loss, schedule, steps."""

import math

import numpy as np
import torch

from poseformer_lite.metrics import mpjpe
from poseformer_lite.skeleton import flip_poses


def windows(lengths, window, one_stack=False):
    """Windows of a stack, frame by frame."""
    rows = []
    for begin, length in zip(np.cumsum([0, *lengths[:-1]]), lengths, strict=True):
        first, last = (0, sum(lengths) - 1) if one_stack else (begin, begin + length - 1)
        for frame in range(begin, begin + length):
            half = (window - 1) // 2
            rows.append([min(max(frame + shift, first), last) for shift in range(-half, half + 1)])
    return torch.tensor(rows)


def overwritten(keypoints, width, left, right):
    new = np.stack([width - keypoints[..., 0], keypoints[..., 1]], axis=-1)
    new[:, left] = new[:, right]
    new[:, right] = new[:, left]
    return new


def in_place(keypoints, width, left, right):
    keypoints[..., 0] = width - keypoints[..., 0]
    return keypoints


def rate(step, total, warmup, top, floor, first=1, low=None):
    """A cosine with warm-up, with the mistake as an argument."""
    if step < warmup:
        return top * (step + first) / (warmup + first)
    low = floor if low is None else low
    return low + (top - low) * math.cos(math.pi / 2 * (step - warmup) / (total - warmup)) ** 2


def step(model, optimizer, poses_2d, target, order=("clear", "backward", "step"), mode="train", loss=mpjpe):
    """A training step, with the mistake as an argument."""
    if mode:
        getattr(model, mode)()
    value = loss(model(poses_2d), target)
    for part in order:
        {"clear": optimizer.zero_grad, "backward": value.backward, "step": optimizer.step}[part]()
    return value.item()


def late(model, optimizer, poses_2d, target):
    model.train()
    value = mpjpe(model(poses_2d), target)
    optimizer.step()
    optimizer.zero_grad()
    value.backward()
    return value.item()


def returns_a_tensor(model, optimizer, poses_2d, target):
    model.train()
    value = mpjpe(model(poses_2d), target)
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value


def loss_after(model, optimizer, poses_2d, target, mode=True):
    """The loss is taken once more, after the step."""
    step(model, optimizer, poses_2d, target)
    return mpjpe(model.train(mode)(poses_2d), target).item()


def squares(predicted, target):
    return (predicted - target).square().mean()


def flip_in_place(model, windows, skeleton):
    plain = model(windows)
    windows[:] = flip_poses(windows, skeleton)
    return (plain + flip_poses(model(windows), skeleton)) / 2


def accumulated(model, optimizer, poses_2d, target, part, scale, clear="once", every=False, drop=False, back=None):
    """A batch in parts, with the mistake as an argument; `back` makes of the parts' losses what is returned."""
    model.train()
    if clear == "once":
        optimizer.zero_grad()
    losses, means, parts = [], [], math.ceil(len(poses_2d) / part)
    for x, y in zip(poses_2d.split(part), target.split(part), strict=True):
        if drop and len(x) < part:
            continue
        if clear == "each":
            optimizer.zero_grad()
        means.append(mpjpe(model(x), y))
        losses.append(means[-1] * scale(len(x), parts, len(poses_2d)))
        losses[-1].backward()
        if every:
            optimizer.step()
    if not every:
        optimizer.step()
    return back(torch.stack(means).detach()) if back else sum(losses).item()


def at_once(model, optimizer, poses_2d, target, part):
    return step(model, optimizer, poses_2d, target)


def one_backward(model, optimizer, poses_2d, target, part, together=True):
    """All parts go forward, and only then backward: as one batch, or as a sum of losses."""
    model.train()
    optimizer.zero_grad()
    if together:
        loss = mpjpe(torch.cat([model(x) for x in poses_2d.split(part)]), target)
    else:
        pairs = zip(poses_2d.split(part), target.split(part), strict=True)
        loss = sum(mpjpe(model(x), y) * len(x) / len(poses_2d) for x, y in pairs)
    loss.backward()
    optimizer.step()
    return loss.item()


def share(rows, parts, batch):
    return rows / batch


MISTAKES = {
    "06.1": {
        "clamped to the whole stack": (lambda n, w: windows(n, w, one_stack=True), "over the seam"),
        "each sequence from zero": (lambda n, w: torch.cat([windows([k], w) for k in n]), "from zero again"),
        "floats": (lambda n, w: windows(n, w).float(), "tensor of integers"),
        "a list": (lambda n, w: windows(n, w).tolist(), "tensor of integers"),
    },
    "06.2": {
        "width minus one": (
            lambda k, w, a, b: np.stack([w - 1 - k[..., 0], k[..., 1]], axis=-1)[:, [0, 3, 4, 1, 2, 5]],
            "one pixel too far left",
        ),
        "overwritten": (overwritten, "joints of one"),
        "in place": (in_place, "changes the keypoints"),
    },
    "06.3": {
        "root at the end": (lambda p, t: (p - t).square().sum(-1).mean().sqrt(), "root is taken at the end: take"),
        "sum over joints": (lambda p, t: torch.cdist(p, t).diagonal(dim1=1, dim2=2).sum() / len(p), "divide by J"),
        "a float": (lambda p, t: mpjpe(p, t).item(), "no gradient can flow"),
        "detached": (lambda p, t: mpjpe(p, t).detach(), "no gradient can flow"),
        "numpy": (
            lambda p, t: np.linalg.norm(p.detach().numpy() - t.detach().numpy(), axis=-1).mean(),
            "no gradient can flow",
        ),
        "half detached": (lambda p, t: (mpjpe(p, t) + mpjpe(p.detach(), t)) / 2, "the gradient of the loss"),
    },
    "06.4": {
        "warm-up from zero": (lambda *a: rate(*a, first=0), "starts at zero"),
        "cut off at the floor": (lambda *a: max(a[-1], rate(*a, low=0.0)), "cut off"),
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
        "only the output": (lambda m, x, s: flip_poses(m(x), s).add(m(x)).div(2), "same window twice"),
        "sides stay on the way in": (
            lambda m, x, s: flip_poses(m(x * torch.tensor([-1.0, 1.0])), s).lerp(m(x), 0.5),
            "on the way in: exchange",
        ),
        "the first is flipped back": (
            lambda m, x, s: flip_poses(m(x), s).add(m(flip_poses(x, s))).div(2),
            "flipped the first prediction",
        ),
        "joints in reverse": (lambda m, x, s: m(x.flip(-2)).flip(-2).add(m(x)).div(2), "reverses the list of joints"),
        "one lift of the mean": (lambda m, x, s: m(x.lerp(flip_poses(x, s), 0.5)), "lifted once"),
        "in place": (flip_in_place, "changes the windows"),
    },
    "06.7": {
        "not scaled": (lambda *a: accumulated(*a, lambda rows, parts, batch: 1.0), "scale the loss"),
        "by the number of parts": (lambda *a: accumulated(*a, lambda rows, parts, batch: 1 / parts), "share of the"),
        "cleared for every part": (lambda *a: accumulated(*a, share, clear="each"), "Only the last part counts"),
        "a step for every part": (lambda *a: accumulated(*a, share, every=True), "move after every part"),
        "a clean step for every part": (
            lambda *a: accumulated(*a, share, every=True, clear="each"),
            "move after every part",
        ),
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
