"""Plausible mistakes in the exercises of lesson 14, and what their hints must say."""

import numpy as np
import torch
from scipy.fft import dct, idct


def merge(said, first, T, inside=lambda frame, T: 0 <= frame < T, clamp=False, average=True, over=None, replace=False):
    total, count = np.zeros((T, *said.shape[2:])), np.zeros((T, 1, 1))
    for window, begin in zip(said, first, strict=True):
        for place, pose in enumerate(window):
            frame = min(max(begin + place, 0), T - 1) if clamp else begin + place
            if inside(frame, T):
                total[frame] = pose if replace else total[frame] + pose
                count[frame] += 1
    if replace or not average:
        return total
    return total / (count if over is None else over)


def band(x, kept, back=True, axis=0):
    waves = dct(x, axis=axis, norm="ortho")
    left = np.zeros_like(waves)
    at = (kept,) if axis == 0 else (..., kept)
    left[at] = waves[at]
    return idct(left, axis=axis, norm="ortho") if back else left


def hide(windows, share, generator, exchanged=False, alike=False, one=False, in_place=False, kind=torch.bool):
    B, F, J, _ = windows.shape
    numbers = torch.rand(1 if alike else B, F * J, generator=generator).expand(B, -1)
    lost = (numbers.argsort(1).argsort(1) < round(share * F * J)).view(B, F, J)
    shown = windows if in_place else windows.clone()
    if one:
        shown[..., 0][lost] = 0
    else:
        shown[lost] = 0
    return shown, (~lost if exchanged else lost).to(kind)


def about(windows, share, generator):
    lost = torch.rand(windows.shape[:3], generator=generator) < share
    return windows.masked_fill(lost[..., None], 0), lost


def three(hypotheses, truth, first=None, best=None, last=None, scale=1000):
    joints = np.linalg.norm(hypotheses - truth, axis=-1)
    errors = joints.mean(-1)
    middle = np.linalg.norm(hypotheses.mean(0) - truth, axis=-1).mean()
    right = errors[0].mean(), errors.min(0).mean(), middle
    changed = [
        change(joints, errors) if change else value for change, value in zip((first, best, last), right, strict=True)
    ]
    return tuple(scale * value for value in changed)


MISTAKES = {
    "14.1": {
        "sums": (lambda s, f, T: merge(s, f, T, average=False), "are sums"),
        "by F": (lambda s, f, T: merge(s, f, T, over=s.shape[1]), "divided by F"),
        "by windows": (lambda s, f, T: merge(s, f, T, over=len(s)), "number of windows"),
        "last": (lambda s, f, T: merge(s, f, T, replace=True), "last answer"),
        "clamped": (lambda s, f, T: merge(s, f, T, clamp=True), "given to the end frames"),
        "wrapped": (lambda s, f, T: merge(s, f, T, inside=lambda frame, T: frame < T), "negative indices"),
    },
    "14.2": {
        "not back": (lambda x, k: band(x, slice(0, k), back=False), "transform back"),
        "high": (lambda x, k: band(x, slice(k, None)), "not the high"),
        "one more": (lambda x, k: band(x, slice(0, k + 1)), "too many"),
        "one less": (lambda x, k: band(x, slice(1, k)), "too few"),
        "no mean": (lambda x, k: band(x, slice(1, k + 1)), "mean is gone"),
        "last axis": (lambda x, k: band(x, slice(0, k), axis=-1), "last axis"),
        "cut": (lambda x, k: np.where(np.arange(len(x))[:, None, None] < k, x, 0), "cut off"),
    },
    "14.3": {
        "about": (about, "exactly"),
        "exchanged": (lambda w, s, g: hide(w, s, g, exchanged=True), "exchanged"),
        "alike": (lambda w, s, g: hide(w, s, g, alike=True), "same tokens"),
        "one coordinate": (lambda w, s, g: hide(w, s, g, one=True), "both coordinates"),
        "in place": (lambda w, s, g: hide(w, s, g, in_place=True), "have changed"),
        "numbers": (lambda w, s, g: hide(w, s, g, kind=torch.float32), "booleans"),
        "windows alone": (lambda w, s, g: hide(w, s, g)[0], "two things"),
    },
    "14.4": {
        "metres": (lambda h, t: three(h, t, scale=1), "metres"),
        "once": (lambda h, t: three(h, t, best=lambda j, e: e.mean(1).min()), "whole motion"),
        "joints": (lambda h, t: three(h, t, best=lambda j, e: j.min(0).mean()), "each joint"),
        "mean of errors": (lambda h, t: three(h, t, last=lambda j, e: e.mean()), "error of the mean"),
        "all": (lambda h, t: three(h, t, first=lambda j, e: e.mean()), "all hypotheses"),
        "smallest": (lambda h, t: three(h, t, best=lambda j, e: e.min()), "any frame"),
    },
}
