"""Plausible wrong answers to the exercises of lesson 01, and what the hint must say about each."""

import numpy as np


def overwrites_a_side(poses, left, right):
    out = poses * ([-1, 1, 1] if poses.shape[-1] == 3 else [-1, 1])
    out[:, left] = out[:, right]
    out[:, right] = out[:, left]
    return out


def changes_what_it_was_given(poses, left, right):
    poses[..., 0] *= -1
    poses[:, left + right] = poses[:, right + left]
    return poses


def exchanged(poses, left, right):
    out = poses.copy()
    out[:, left + right] = poses[:, right + left]
    return out


def sign(*factors):
    return lambda poses, left, right: exchanged(poses, left, right) * factors


def point(pixels, depth, focal, centre):
    return np.concatenate([(pixels - centre) / focal * depth[:, None], depth[:, None]], axis=-1)


def shift_in_place(screen, width, height):
    screen += [1, height / width]
    screen *= width / 2
    return screen


def ends(parent, pixels, length, focal, centre, *, divide=True, guard=True):
    rays = np.concatenate([(pixels - centre) / focal, np.ones((len(pixels), 1))], axis=-1)
    a, b, c = (rays**2).sum(-1), (rays * parent).sum(-1), (parent**2).sum(-1) - length**2
    inside = b**2 - a * c
    with np.errstate(invalid="ignore"):
        root = np.sqrt(np.maximum(inside, 0) if guard else inside)
    return np.stack([b - root, b + root], axis=-1) / (a[:, None] if divide else 1)


def straight_back(parent, pixels, length, focal, centre):
    x, y = ((pixels - centre) / focal * parent[:, 2:]).T
    root = np.sqrt(np.maximum(length**2 - (x - parent[:, 0]) ** 2 - (y - parent[:, 1]) ** 2, 0))
    return np.stack([parent[:, 2] - root, parent[:, 2] + root], axis=-1)


def along_the_ray(parent, pixels, length, focal, centre):
    rays = np.concatenate([(pixels - centre) / focal, np.ones((len(pixels), 1))], axis=-1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    b, c = (rays * parent).sum(-1), (parent**2).sum(-1) - length**2
    root = np.sqrt(np.maximum(b**2 - c, 0))
    return np.stack([b - root, b + root], axis=-1)


def at_the_parent_where_it_misses(parent, pixels, length, focal, centre):
    found = ends(parent, pixels, length, focal, centre, guard=False)
    return np.where(np.isnan(found), parent[:, 2:], found)


def targets(poses, root):
    return poses - poses[:, root : root + 1]


def depth_only(predicted, poses, root):
    poses = poses.clone()
    poses[..., 2] -= poses[:, root : root + 1, 2].clone()
    return 1000 * (predicted - poses).norm(dim=-1).mean()


MISTAKES = {
    "01.1": {
        "sides not exchanged": (lambda p, left, right: p * ([-1, 1, 1][: p.shape[-1]]), "not exchanged"),
        "x not negated": (exchanged, "first coordinate must change its sign"),
        "upside down": (sign(1, -1, 1), "stands on the head"),
        "near and far": (sign(1, 1, -1), "near and far"),
        "everything negated": (sign(-1, -1, -1), "only x may be"),
        "one side overwritten": (overwrites_a_side, "the same"),
        "input changed": (changes_what_it_was_given, "work on a copy"),
    },
    "01.2": {
        "principal point forgotten": (
            lambda u, z, f, c: np.c_[u / f * z[:, None], z],
            "principal point is forgotten",
        ),
        "not scaled by depth": (lambda u, z, f, c: np.c_[(u - c) / f, z], "at depth one"),
        "a ray": (lambda u, z, f, c: np.c_[(u - c) / f, np.ones(len(z))], "third coordinate included"),
        "f on the wrong side": (lambda u, z, f, c: np.c_[(u - c) * f * z[:, None], z], "wrong side"),
        "f and c swapped": (lambda u, z, f, c: point(u, z, c, f), "changed places"),
        "distance for depth": (
            lambda u, z, f, c: (
                (r := np.c_[(u - c) / f, np.ones(len(z))]) / np.linalg.norm(r, axis=1)[:, None] * z[:, None]
            ),
            "taken for the distance",
        ),
        "no third coordinate": (lambda u, z, f, c: (u - c) / f * z[:, None], "where is the depth"),
        "one focal length": (lambda u, z, f, c: point(u, z, f[0], c), "first focal length"),
    },
    "01.3": {
        "y by the height": (lambda s, w, h: (s + [1, h / w]) * [w / 2, h / 2], "scaled by the height"),
        "both from -1 to 1": (lambda s, w, h: (s + 1) * [w / 2, h / 2], "as if it ran from -1 to 1"),
        "offset forgotten": (lambda s, w, h: s * (w / 2), "middle of the image"),
        "one in y": (lambda s, w, h: (s + 1) * (w / 2), "upper edge is at"),
        "twice too large": (lambda s, w, h: (s + [1, h / w]) * w, "twice too large"),
        "longer side": (lambda s, w, h: s * max(w, h) / 2 + [w / 2, h / 2], "longer side"),
        "wrong order": (lambda s, w, h: s * (w / 2) + [1, h / w], "order matters"),
        "input changed": (shift_in_place, "make a new one"),
    },
    "01.4": {
        "metres": ((0.294, 0.0529), "millimetres"),
        "upside down": ((5000 * (1 - 1.7 / 1.8), 900 * (1 - 1.7 / 1.8)), "upside down"),
        "where, not how far off": ((5294.0, 953.0), "how far is it from the true one"),
        "difference of heights": ((100.0, 100.0), "by what factor"),
        "foot in camera space": ((294.1, 294.1), "measure it from the hip"),
        "foot is right": ((294.1, 0.0), "longer ones"),
    },
    "01.5": {
        "root forgotten": (lambda p, q, r: 1000 * (p - q).norm(dim=-1).mean(), "still where the person stood"),
        "first pose's root": (lambda p, q, r: 1000 * (p - q + q[0, r]).norm(dim=-1).mean(), "first pose"),
        "only depth": (depth_only, "Only the depth"),
        "joint 0": (lambda p, q, r: 1000 * (p - targets(q, 0)).norm(dim=-1).mean(), "Joint 0"),
        "prediction moved too": (
            lambda p, q, r: 1000 * (targets(p, r) - targets(q, r)).norm(dim=-1).mean(),
            "predicted pose was moved",
        ),
        "mean of squares": (lambda p, q, r: 1000 * ((p - targets(q, r)) ** 2).sum(-1).mean(), "squared distances"),
        "root mean square": (
            lambda p, q, r: 1000 * ((p - targets(q, r)) ** 2).sum(-1).mean() ** 0.5,
            "root of the mean squared",
        ),
        "norm over joints": (lambda p, q, r: 1000 * (p - targets(q, r)).norm(dim=1).mean(), "wrong axis"),
        "mean of absolute values": (lambda p, q, r: 1000 * (p - targets(q, r)).abs().mean(), "straight distances"),
        "sum": (lambda p, q, r: 1000 * (p - targets(q, r)).norm(dim=-1).sum(), "sum over poses and joints"),
        "metres": (lambda p, q, r: (p - targets(q, r)).norm(dim=-1).mean(), "in metres"),
        "not averaged": (lambda p, q, r: 1000 * (p - targets(q, r)).norm(dim=-1), "one number per joint"),
    },
    "01.6": {
        "far first": (lambda *given: ends(*given)[:, ::-1], "farther depth comes first"),
        "transposed": (lambda *given: ends(*given).T, "lies on its side"),
        "from the parent": (lambda parent, *rest: ends(parent, *rest) - parent[:, 2:], "measured from the parent"),
        "distance for depth": (along_the_ray, "z = 1"),
        "weak perspective": (straight_back, "straight backwards"),
        "a is missing": (lambda *given: ends(*given, divide=False), "first coefficient"),
        "principal point forgotten": (lambda p, u, n, f, c: ends(p, u, n, f, 0 * c), "principal point"),
        "NaN where it misses": (lambda *given: ends(*given, guard=False), "NaN"),
        "parent's depth where it misses": (at_the_parent_where_it_misses, "comes nearest elsewhere"),
    },
}
