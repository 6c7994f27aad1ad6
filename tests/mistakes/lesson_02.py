"""Plausible wrong answers to the exercises of lesson 02, and what the checker must say about each."""

import torch
from torch import isclose

from poseformer_course.checks.lesson_02 import JointEmbedding


def unordered_pairs(frames, joints):
    f, n, j = (sum(range(tokens)) for tokens in (frames, frames * joints, joints))
    return f, n, frames * j + f


def cost(tokens, width):
    return 2 * tokens * width * (2 * width + tokens)


def window_search(poseformer, step=2):
    """A search for the smallest window with another idea of what PoseFormer costs."""

    def smallest_window(ratio):
        for frames in range(1, 5_000, step):
            if cost(17 * frames, 32) >= ratio * poseformer(frames):
                return frames
        return 0

    return smallest_window


def poseformer_cost(frames):
    return frames * cost(17, 32) + cost(frames, 544)


def permutes_in_place(layer, x, order):
    wanted = layer(x)[:, order]
    x.copy_(x[:, order])
    return torch.allclose(layer(x), wanted, atol=1e-6)


def changed(forward=None, start=torch.zeros, rows=None, kind=torch.nn.Parameter):
    """JointEmbedding, with one thing otherwise."""

    class Changed(JointEmbedding):
        def __init__(self, num_joints, dim):
            super().__init__(num_joints, dim)
            del self.position_embedding
            self.position_embedding = kind(start(1, rows or num_joints, dim))

        def forward(self, poses_2d):
            return forward(self, poses_2d) if forward else super().forward(poses_2d)

    return Changed


MISTAKES = {
    "02.1": {
        "all x before all y": (lambda x, embed: embed(torch.cat([x[..., 0], x[..., 1]], dim=-1)), "all x come first"),
        "not embedded": (lambda x, embed: x.reshape(*x.shape[:2], -1), "nothing has been embedded"),
        "each joint is embedded": (lambda x, embed: embed(x), "vectors of 2, one joint"),
        "the window is one token": (lambda x, embed: embed(x.flatten(1)), "the whole window"),
        "flattened along the frames": (lambda x, embed: embed(x.transpose(1, 2).flatten(2)), "one joint's path"),
    },
    "02.2": {
        "joint by joint": (
            lambda x, embed: torch.cat([embed(x[:, :, j]) for j in range(x.shape[2])], dim=1),
            "joint by joint",
        ),
        "frames go to the batch": (lambda x, embed: torch.cat([embed(window) for window in x]), "spatial stage"),
        "the frame is embedded": (lambda x, embed: embed(x.flatten(2)), "one frame"),
        "one coordinate is embedded": (
            lambda x, embed: embed(x.flatten(1, 2).transpose(1, 2)),
            "one coordinate of all joints",
        ),
    },
    "02.3": {
        "unordered pairs": (unordered_pairs, "two entries"),
        "tokens instead of pairs": (lambda f, j: (f, f * j, f * (j + 1)), "you counted tokens"),
    },
    "02.4": {
        "no positions": (changed(lambda e, poses: e.patch_embedding(poses)), "positions are missing"),
        "a row for each window": (
            changed(lambda e, poses: e.patch_embedding(poses) + e.position_embedding[0][:, None]),
            "Each window has got a row",
        ),
        "random at the start": (changed(start=torch.ones), "begin at zero"),
        "one row for all": (changed(rows=1), "has the shape"),
        "squeezed": (changed(lambda e, poses: JointEmbedding.forward(e, poses).squeeze(0)), "shape"),
        "a plain tensor": (changed(kind=torch.Tensor), "plain tensor.*make it an nn.Parameter"),
        "an embedding layer": (changed(kind=lambda rows: torch.nn.Embedding(*rows.shape[1:])), r"module \(Embedding\)"),
    },
    "02.5": {
        "only the output": (lambda f, x, o: isclose(f(x), f(x)[:, o]).all().item(), "only the output"),
        "with itself": (lambda f, x, o: torch.allclose(f(x), f(x)), "yes to every layer"),
        "a larger tolerance": (lambda f, x, o: torch.allclose(f(x[:, o]), f(x)[:, o], atol=0.1), "forgive too much"),
        "the first token": (
            lambda f, x, o: torch.allclose(f(x[:, o])[:, 0], f(x)[:, o[0]]),
            "first token",
        ),
        "tokens of its own": (
            lambda f, x, o: torch.allclose(f(0 * x + 1)[:, o], f(0 * x + 1)),
            "does not use the tokens",
        ),
        "in place": (permutes_in_place, "work on a copy"),
        "the first window": (
            lambda f, x, o: isclose(f(x[:1, o]), f(x)[:1, o]).all(),
            "a number of its own, expected True",
        ),
        "text": (lambda f, x, o: "True", "not with a text"),
        "number by number": (lambda f, x, o: isclose(f(x[:, o]), f(x)[:, o]), "one True or False"),
    },
    "02.6": {
        "scores alone": ((lambda n, c: n * c * (4 * c + n), window_search(poseformer_cost)), "costs twice"),
        "N and C exchanged": ((lambda n, c: cost(c, n), window_search(poseformer_cost)), "exchanged"),
        "a narrow temporal stage": ((cost, window_search(lambda f: f * cost(17, 32) + cost(f, 32))), r"J\*c wide"),
        "None out of reach": (
            (cost, lambda ratio: window_search(poseformer_cost)(ratio) or None),
            r"None, as for \(16,\)",
        ),
        "even windows": ((cost, window_search(poseformer_cost, step=1)), "must be odd"),
    },
}
