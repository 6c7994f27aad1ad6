"""Plausible wrong answers to the exercises of lesson 01, and what the hint must say about each."""

import numpy as np
import torch

from poseformer_lite.camera import normalise_screen


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


def point_in_place(pixels, depth, focal, centre):
    pixels -= centre
    pixels /= focal
    return point(pixels, depth, 1, 0)


def shift_in_place(screen, width, height):
    screen += [1, height / width]
    screen *= width / 2
    return screen


def positive(inside):
    return np.sqrt(np.maximum(inside, 0))


@np.errstate(invalid="ignore")
def ends(
    parent, pixels, length, focal, centre, *, divide=True, root=positive, square=np.square, middle=1, four=1, two=1
):
    """The right answer, and what comes of: another square root, length squared otherwise, other factors."""
    rays = np.concatenate([(pixels - centre) / focal, np.ones((len(pixels), 1))], axis=-1)
    a, b, c = (rays**2).sum(-1), middle * (rays * parent).sum(-1), (parent**2).sum(-1) - square(length)
    half = root(b**2 - four * a * c)
    return np.stack([b - half, b + half], axis=-1) / (two * a[:, None] if divide else 1)


def bent(**factors):
    return lambda *given: ends(*given, **factors)


def normalises_in_place(parent, pixels, length, focal, centre):
    pixels -= centre
    return ends(parent, pixels, length, focal, 0)


def zero_where_it_misses(*given):
    return np.nan_to_num(ends(*given, root=np.sqrt))


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
    found = ends(parent, pixels, length, focal, centre, root=np.sqrt)
    return np.where(np.isnan(found), parent[:, 2:], found)


def targets(poses, root):
    return poses - poses[:, root : root + 1]


def root_in_place(predicted, poses, root):
    poses -= poses[:, root : root + 1]
    return 1000 * (predicted - poses).norm(dim=-1).mean()


def prediction_in_place(predicted, poses, root):
    predicted -= targets(poses, root)
    return 1000 * predicted.norm(dim=-1).mean()


def per_pose(predicted, poses, root):
    return 1000 * torch.linalg.vector_norm(predicted - targets(poses, root), dim=(1, 2)).mean()


def divided_by(joints):
    def error(predicted, poses, root):
        J = poses.shape[1] if joints < 0 else 0
        return 1000 * (predicted - targets(poses, root)).norm(dim=-1).sum() / (len(poses) * (J + joints))

    return error


def without_the_root(predicted, poses, root):
    others = [j for j in range(poses.shape[1]) if j != root]
    return 1000 * (predicted - targets(poses, root)).norm(dim=-1)[:, others].mean()


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
        "y upwards": (lambda *given: point(*given) * [1, -1, 1], "counts downwards"),
        "z is one": (lambda u, z, f, c: np.c_[point(u, z, f, c)[:, :2], np.ones(len(z))], "third coordinate is 1"),
        "input changed": (point_in_place, "work on a copy"),
        "one focal length": (lambda u, z, f, c: point(u, z, f[0], c), "first focal length"),
    },
    "01.3": {
        "y by the height": (lambda s, w, h: (s + [1, h / w]) * [w / 2, h / 2], "scaled by the height"),
        "both from -1 to 1": (lambda s, w, h: (s + 1) * [w / 2, h / 2], "as if it ran from -1 to 1"),
        "offset forgotten": (lambda s, w, h: s * (w / 2), "middle of the image"),
        "one in y": (lambda s, w, h: (s + 1) * (w / 2), "upper edge is at"),
        "twice too large": (lambda s, w, h: (s + [1, h / w]) * w, "twice too large"),
        "longer side": (lambda s, w, h: s * max(w, h) / 2 + [w / 2, h / 2], "longer side"),
        "forwards again": (normalise_screen, "once more"),
        "wrong order": (lambda s, w, h: s * (w / 2) + [1, h / w], "order matters"),
        "input changed": (shift_in_place, "make a new one"),
    },
    "01.4": {
        "metres": ((0.294, 0.0529), "millimetres"),
        "centimetres": ((29.4, 5.29), "centimetres"),
        "exchanged": ((52.9, 294.1), "the root's error first"),
        "negative root": ((-294.1, 52.9), "positive number"),
        "foot in centimetres": ((294.1, 5.29), "centimetres"),
        "negative foot": ((294.1, -52.9), "farther from the hip"),
        "upside down": ((5000 * (1 - 1.7 / 1.8), 900 * (1 - 1.7 / 1.8)), "upside down"),
        "where, not how far off": ((5294.0, 953.0), "how far is it from the true one"),
        "difference of heights": ((100.0, 100.0), "by what factor"),
        "foot in camera space": ((294.1, 294.1), "measure it from the hip"),
        "foot is right": ((294.1, 0.0), "longer ones"),
    },
    "01.5": {
        "root forgotten": (lambda p, q, r: 1000 * (p - q).norm(dim=-1).mean(), "still where the person stood"),
        "first pose's root": (lambda p, q, r: 1000 * (p - q + q[0, r]).norm(dim=-1).mean(), "first pose's root"),
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
        "one distance per pose": (per_pose, "whole pose"),
        "without the root": (without_the_root, "left out of the mean"),
        "one joint too few": (divided_by(-1), "one joint too few"),
        "always 17": (divided_by(17), "at 17"),
        "always 16": (divided_by(16), "at 16"),
        "root taken off in place": (root_in_place, "while it is still being subtracted"),
        "prediction changed": (prediction_in_place, "has changed"),
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
        "length not squared": (bent(square=lambda length: length), "not squared"),
        "length left out": (bent(square=np.zeros_like), "nearest to the parent"),
        "length left out, NaN": (bent(square=np.zeros_like, root=np.sqrt), "do reach"),
        "length added": (bent(square=lambda length: -(length**2)), "nearest to the parent"),
        "whole length": (lambda p, u, n, f, c: p[:, 2:] + n[:, None] * [-1, 1], "bones also go sideways"),
        "-b for +b": (lambda *given: -ends(*given)[:, ::-1], "behind the camera"),
        "not halved": (bent(middle=2, four=4), "twice too large"),
        "halved": (bent(two=2), "half of the right ones"),
        "ac for 4ac": (bent(middle=2, two=2), "too far apart"),
        "4ac for ac": (bent(four=4), "factors 2 and 4"),
        "4ac for ac, NaN": (bent(four=4, root=np.sqrt), "factors 2 and 4"),
        "no square root": (bent(root=lambda inside: inside), "square root is missing"),
        "abs": (bent(root=lambda inside: np.sqrt(np.abs(inside))), "abs turns"),
        "input changed": (normalises_in_place, "work on a copy"),
        "zero where it misses": (zero_where_it_misses, "depth zero"),
        "NaN where it misses": (bent(root=np.sqrt), "too short.*NaN"),
        "parent's depth where it misses": (at_the_parent_where_it_misses, "comes nearest elsewhere"),
    },
}
