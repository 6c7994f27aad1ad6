"""Plausible wrong answers to the exercises of lesson 01, and what the hint must say about each."""

import numpy as np
import torch


def overwrites_a_side(poses, left, right):
    out = poses * ([-1, 1, 1] if poses.shape[-1] == 3 else [-1, 1])
    out[:, left] = out[:, right]
    out[:, right] = out[:, left]
    return out


def upside_down(poses, left, right):
    out = poses.copy()
    out[:, left], out[:, right] = poses[:, right], poses[:, left]
    out[..., 1] *= -1
    return out


def changes_what_it_was_given(poses, left, right):
    poses[..., 0] *= -1
    poses[:, left + right] = poses[:, right + left]
    return poses


def along_a_unit_ray(pixels, depth, focal, center):
    x, y = ((pixels - center) / focal).T
    return np.stack([x, y, np.ones_like(x)], axis=1) * (depth / np.sqrt(x**2 + y**2 + 1))[:, None]


def point_in_place(pixels, depth, focal, center):
    pixels -= center
    pixels /= focal
    return np.concatenate([pixels * depth[:, None], depth[:, None]], axis=-1)


def longer_side(screen, width, height):
    unit = max(width, height) / 2
    return np.stack([screen[..., 0] * unit + width / 2, screen[..., 1] * unit + height / 2], axis=-1)


def shift_in_place(screen, width, height):
    screen += [1, height / width]
    screen *= width / 2
    return screen


def root_in_place(predicted, poses, root):
    poses -= poses[:, root : root + 1]
    return 1000 * (predicted - poses).norm(dim=-1).mean()


def prediction_in_place(predicted, poses, root):
    predicted -= poses - poses[:, root : root + 1]
    return 1000 * predicted.norm(dim=-1).mean()


def without_the_root(predicted, poses, root):
    others = [j for j in range(poses.shape[1]) if j != root]
    target = poses - poses[:, root, None]
    return 1000 * torch.linalg.vector_norm(predicted - target, dim=-1)[:, others].mean()


def per_pose(predicted, poses, root):
    return 1000 * torch.linalg.vector_norm(predicted - poses + poses[:, root, None], dim=(1, 2)).mean()


@np.errstate(invalid="ignore")
def ends(parent, pixels, length, focal, center, *, square=np.square, four=1):
    """NaN for bones that are too short, and what comes of: length squared otherwise, another factor."""
    rays = np.concatenate([(pixels - center) / focal, np.ones((len(pixels), 1))], axis=-1)
    a, b, c = (rays**2).sum(-1), (rays * parent).sum(-1), (parent**2).sum(-1) - square(length)
    root = np.sqrt(b**2 - four * a * c)
    return np.stack([b - root, b + root], axis=-1) / a[:, None]


def straight_back(parent, pixels, length, focal, center):
    x, y = ((pixels - center) / focal * parent[:, 2:]).T
    root = np.sqrt(np.maximum(length**2 - (x - parent[:, 0]) ** 2 - (y - parent[:, 1]) ** 2, 0))
    return np.stack([parent[:, 2] - root, parent[:, 2] + root], axis=-1)


def along_the_ray(parent, pixels, length, focal, center):
    rays = np.concatenate([(pixels - center) / focal, np.ones((len(pixels), 1))], axis=-1)
    rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
    b, c = (rays * parent).sum(-1), (parent**2).sum(-1) - length**2
    root = np.sqrt(np.maximum(b**2 - c, 0))
    return np.stack([b - root, b + root], axis=-1)


def normalizes_in_place(parent, pixels, length, focal, center):
    pixels -= center
    return ends(parent, pixels, length, focal, 0)


def at_the_parent_where_it_misses(parent, *rest):
    found = ends(parent, *rest)
    return np.where(np.isnan(found), parent[:, 2:], found)


MISTAKES = {
    "01.1": {
        "upside down": (upside_down, "stands on the head"),
        "one side overwritten": (overwrites_a_side, "overwrote the left side"),
        "input changed": (changes_what_it_was_given, "work on a copy"),
    },
    "01.2": {
        "f on the wrong side": (lambda u, z, f, c: np.c_[(u - c) * f * z[:, None], z], "wrong side"),
        "the pixel off the center": (
            lambda u, z, f, c: np.c_[(c - u) / f * z[:, None], z],
            "not the pixel from the center",
        ),
        "distance for depth": (along_a_unit_ray, "taken for the distance"),
        "input changed": (point_in_place, "work on a copy"),
    },
    "01.3": {
        "y by the height": (lambda s, w, h: s * [w / 2, h / 2] + [w / 2, h * h / w / 2], "scaled by the height"),
        "longer side": (longer_side, "longer side"),
        "w / h for h / w": (lambda s, w, h: (s + [1, w / h]) * w / 2, "ratio is upside down"),
        "input changed": (shift_in_place, "make a new one"),
    },
    "01.4": {
        "meters": ((0.294, 0.0529), "millimeters"),
        "nothing that is known": ((294.1, 299.0), "not right: go through"),
        "upside down": ((5000 - 5000 * 1.7 / 1.8, 52.9), "must stand farther away"),
        "foot in camera space": ((294.1, 294.1), "measure it from the hip"),
        "where the foot is, not how far off": ((294.1, 953.0), "true 900 mm"),
    },
    "01.5": {
        "one distance per pose": (per_pose, "whole pose"),
        "without the root": (without_the_root, "left out of the mean"),
        "root taken off in place": (root_in_place, "while it is still being subtracted"),
        "prediction changed": (prediction_in_place, "has changed"),
    },
    "01.6": {
        "distance for depth": (along_the_ray, "z = 1"),
        "weak perspective": (straight_back, "straight backwards"),
        "length left out, NaN": (lambda *given: ends(*given, square=np.zeros_like), "do reach"),
        "4ac for ac, NaN": (lambda *given: ends(*given, four=4), "factors 2 and 4"),
        "input changed": (normalizes_in_place, "work on a copy"),
        "zero where it misses": (lambda *given: np.nan_to_num(ends(*given)), "depth zero"),
        "NaN where it misses": (ends, "too short.*NaN"),
        "parent's depth where it misses": (at_the_parent_where_it_misses, "comes nearest elsewhere"),
    },
}
