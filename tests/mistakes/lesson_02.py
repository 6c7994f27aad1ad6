"""Plausible wrong answers to the exercises of lesson 02, and what the checker must say about each."""

import torch


def cost(tokens, width):
    return 4 * tokens * width**2 + 2 * tokens**2 * width


def window_search(poseformer, joint_width=32, step=2, unit=1):
    """A search for the smallest window with another idea of what PoseFormer costs."""

    def smallest_window(ratio):
        for frames in range(1, 5_000, step):
            if cost(17 * frames, joint_width) >= ratio * poseformer(frames):
                return frames * unit
        return 0

    return smallest_window


def poseformer_cost(frames):
    return frames * cost(17, 32) + cost(frames, 17 * 32)


def per_joint(rows, frames, joints):
    """The right mixture of embeddings for sequences of joint after joint, which this is not."""
    spatial, temporal = rows
    return spatial.repeat_interleave(frames, dim=0) + temporal.repeat(joints, 1)


MISTAKES = {
    "02.1": {
        "frames and joints are exchanged": (
            lambda x, embed: embed(x.transpose(1, 2).reshape(x.shape[0], x.shape[1], -1)),
            "frames and joints were exchanged",
        ),
        "all x before all y": (lambda x, embed: embed(x.transpose(2, 3).flatten(2)), "all x come first"),
        "each joint is embedded": (lambda x, embed: embed(x), "vectors of 2, one joint"),
        "the window is one token": (lambda x, embed: embed(x.flatten(1)), "the whole window"),
        "flattened along the frames": (
            lambda x, embed: embed(x.transpose(1, 2).flatten(2)),
            "one joint's path",
        ),
        "the batch is merged": (lambda x, embed: embed(x.flatten(2)).flatten(0, 1), "keep B and F apart"),
        "not embedded": (lambda x, embed: x.flatten(2), "nothing has been embedded"),
    },
    "02.2": {
        "joint by joint": (lambda x, embed: embed(x).transpose(1, 2).flatten(1, 2), "joint by joint"),
        "still two axes": (lambda x, embed: embed(x), "still two axes"),
        "frames go to the batch": (lambda x, embed: embed(x).flatten(0, 1), "spatial stage"),
        "all in one": (lambda x, embed: embed(x).flatten(0, 2), "different windows"),
        "the frame is embedded": (lambda x, embed: embed(x.flatten(2)), "one frame"),
        "view instead of transpose": (
            lambda x, embed: embed(x.reshape(x.shape[0], 2, -1).transpose(1, 2)),
            "not the x and y of one joint",
        ),
        "not embedded": (lambda x, embed: x.flatten(1, 2), "call embed"),
    },
    "02.3": {
        "tokens instead of pairs": (lambda f, j: (f, f * j, f * j + f), "you counted tokens"),
        "the spatial stage runs once": (lambda f, j: (f**2, (f * j) ** 2, j**2 + f**2), "for every frame"),
        "no temporal stage": (lambda f, j: (f**2, (f * j) ** 2, f * j**2), "second stage is missing"),
        "none with itself": (
            lambda f, j: (f * (f - 1), f * j * (f * j - 1), f * j * (j - 1) + f * (f - 1)),
            "with itself",
        ),
        "unordered pairs": (
            lambda f, j: (
                f * (f - 1) / 2,
                f * j * (f * j - 1) / 2,
                f * j * (j - 1) / 2 + f * (f - 1) / 2,
            ),
            "two entries",
        ),
        "the stages multiplied": (lambda f, j: (f**2, (f * j) ** 2, f * j**2 * f**2), "add their pairs"),
        "frames and joints exchanged": (
            lambda f, j: (j**2, (f * j) ** 2, j * f**2 + j**2),
            "frames and joints are exchanged",
        ),
        "1(b) inside of frames": (lambda f, j: (f**2, f * j**2, f * j**2 + f**2), "of all frames"),
    },
    "02.4": {
        "joints and frames are exchanged": (
            lambda x, s, t: x + per_joint((s, t), len(t), len(s)),
            "joints and frames are exchanged",
        ),
        "only joints": (lambda x, s, t: x + s.repeat(len(t), 1), "frame's embedding is missing"),
        "only frames": (
            lambda x, s, t: x + t.repeat_interleave(len(s), dim=0),
            "joint's embedding is missing",
        ),
        "repeat for both": (lambda x, s, t: x + s.repeat(len(t), 1) + t.repeat(len(s), 1), "alternate inside a frame"),
        "repeat_interleave for both": (
            lambda x, s, t: x + s.repeat_interleave(len(t), dim=0) + t.repeat_interleave(len(s), dim=0),
            "one a token",
        ),
        "joint times frame": (lambda x, s, t: x + (t[:, None] * s).flatten(0, 1), "row are multiplied"),
        "four axes": (lambda x, s, t: x.unflatten(1, (len(t), len(s))) + t[:, None] + s, "still two axes"),
        "multiplied": (lambda x, s, t: x * (t[:, None] + s).flatten(0, 1), "not multiplied"),
        "beside the token": (
            lambda x, s, t: torch.cat([x, (t[:, None] + s).flatten(0, 1).expand_as(x)], dim=-1),
            "wider",
        ),
        "without the token": (lambda x, s, t: (t[:, None] + s).flatten(0, 1).expand_as(x), "what the tokens held"),
    },
    "02.5": {
        "always yes": (lambda f, x, o: True, "yes to every layer"),
        "with itself": (lambda f, x, o: torch.allclose(f(x), f(x)), "yes to every layer"),
        "everything passes": (lambda f, x, o: torch.allclose(f(x[:, o]), f(x)[:, o], atol=10), "yes to every layer"),
        "always no": (lambda f, x, o: False, "no to every layer"),
        "negated": (lambda f, x, o: not torch.allclose(f(x[:, o]), f(x)[:, o]), "are exchanged"),
        "a large tolerance": (lambda f, x, o: torch.allclose(f(x[:, o]), f(x)[:, o], atol=1e-2), "forgive too much"),
        "a larger tolerance": (lambda f, x, o: torch.allclose(f(x[:, o]), f(x)[:, o], atol=0.1), "forgive too much"),
        "only the input": (lambda f, x, o: torch.allclose(f(x[:, o]), f(x)), "only the input"),
        "only the output": (lambda f, x, o: torch.allclose(f(x), f(x)[:, o]), "only the output"),
        "the inverse order": (lambda f, x, o: torch.allclose(f(x[:, o]), f(x)[:, o.argsort()]), "inverse"),
        "sums": (lambda f, x, o: torch.allclose(f(x[:, o]).sum(1), f(x)[:, o].sum(1)), "token by token"),
        "the batch axis": (lambda f, x, o: torch.allclose(f(x[o]), f(x)[o]), "first axis"),
        "the channel axis": (lambda f, x, o: torch.allclose(f(x[..., o]), f(x)[..., o]), "last axis"),
        "to the last bit": (lambda f, x, o: torch.equal(f(x[:, o]), f(x)[:, o]), "rounding"),
        "number by number": (lambda f, x, o: torch.isclose(f(x[:, o]), f(x)[:, o]), "one True or False"),
    },
    "02.6": {
        "three products with weights": (
            (lambda n, c: 3 * n * c**2 + 2 * n**2 * c, window_search(poseformer_cost)),
            "output projection",
        ),
        "scores alone": ((lambda n, c: 4 * n * c**2 + n**2 * c, window_search(poseformer_cost)), "costs twice"),
        "N and C exchanged": ((lambda n, c: cost(c, n), window_search(poseformer_cost)), "exchanged"),
        "two operations each": ((lambda n, c: 2 * cost(n, c), window_search(poseformer_cost)), "not as two"),
        "one frame's spatial stage": (
            (cost, window_search(lambda f: cost(17, 32) + cost(f, 544))),
            "for every frame",
        ),
        "a narrow temporal stage": (
            (cost, window_search(lambda f: f * cost(17, 32) + cost(f, 32))),
            r"J\*c wide",
        ),
        "no spatial stage": ((cost, window_search(lambda f: cost(f, 544))), "spatial stage is missing"),
        "even windows": ((cost, window_search(poseformer_cost, step=1)), "must be odd"),
        "one long spatial sequence": (
            (cost, window_search(lambda f: cost(17 * f, 32) + cost(f, 544))),
            "sequence of its own",
        ),
        "the largest": (
            (cost, lambda r: next((f for f in range(4999, 0, -2) if cost(17 * f, 32) >= r * poseformer_cost(f)), 0)),
            "largest windows",
        ),
        "more than the ratio": (
            (cost, lambda r: next((f for f in range(1, 5000, 2) if cost(17 * f, 32) > r * poseformer_cost(f)), 0)),
            "exactly the ratio",
        ),
        "no end of windows": (
            (cost, lambda r: next((f for f in range(1, 30001, 2) if cost(17 * f, 32) >= r * poseformer_cost(f)), 0)),
            "no further",
        ),
        "tokens": ((cost, window_search(poseformer_cost, unit=17)), "numbers of tokens"),
    },
}
