"""Plausible wrong answers to the exercises of lesson 14, and what the hint must say."""

import numpy as np
import torch
from scipy.fft import dct


def merged_with_negative_indices(said, first, T):
    total, count = np.zeros((T, *said.shape[2:])), np.zeros((T, 1, 1))
    for i, j in np.ndindex(said.shape[:2]):
        if (frame := first[i] + j) < T:
            total[frame] += said[i, j]
            count[frame] += 1
    return total / count


def merged_by_all(said, first, T):
    holds = np.array([[begin <= t < begin + said.shape[1] for begin in first] for t in range(T)])
    return [sum(said[i, t - first[i]] for i in np.flatnonzero(holds[t])) / holds.shape[1] for t in range(T)]


def waves(count):
    """The cosines of a DCT, in rows."""
    return dct(np.eye(count), axis=0, norm="ortho")


def without_mean(x, keep):
    slow = waves(len(x))[1 : keep + 1]
    return np.einsum("kt,ks,s...->t...", slow, slow, x)


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


def in_meters(hypotheses, truth):
    errors = [np.linalg.norm(each - truth, axis=2).mean(axis=1) for each in (*hypotheses, hypotheses.mean(axis=0))]
    return errors[0].mean(), np.minimum.reduce(errors[:-1]).mean(), errors[-1].mean()


def best_once(hypotheses, truth):
    errors = [np.linalg.norm(each - truth, axis=2).mean() for each in (*hypotheses, hypotheses.mean(axis=0))]
    return 1000 * np.array([errors[0], min(errors[:-1]), errors[-1]])


MISTAKES = {
    "14.1": {
        "wrapped": (merged_with_negative_indices, "negative indices"),
        "by windows": (merged_by_all, "number of windows"),
    },
    "14.2": {
        "not back": (lambda x, keep: np.tensordot(waves(len(x)) * (np.arange(len(x)) < keep)[:, None], x, 1), "back"),
        "no mean": (without_mean, "the mean is gone: the lowest"),
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
        "metres": (in_meters, "metres"),
        "once": (best_once, "whole motion"),
    },
}
