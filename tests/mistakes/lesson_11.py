"""Plausible wrong answers to the exercises of lesson 11, and what the hint must say."""

import numpy as np
import torch
from torch.nn.functional import pad


def windows(T, F):
    return torch.stack([torch.arange(t - F // 2, t - F // 2 + F) for t in range(T)])


def wraps(embed, join, poses_2d, F):
    return join(embed(poses_2d)[windows(len(poses_2d), F).remainder(len(poses_2d))])


def with_zeros(embed, join, poses_2d, F):
    return join(pad(embed(poses_2d), (0, 0, F // 2, F // 2))[windows(len(poses_2d), F) + F // 2])


def window_by_window(embed, join, poses_2d, F):
    T = len(poses_2d)
    return join(torch.stack([embed(poses_2d[window.clamp(0, T - 1)]) for window in windows(T, F)]))


def cut_off(x, bits):
    """The bits behind the first ones set to zero where they stand in a double."""
    return (x.view(np.int64) >> (53 - bits) << (53 - bits)).view(np.float64)


def one_bit_more(x, bits):
    step = 2.0 ** (np.floor(np.log2(np.abs(x), where=x != 0, out=np.zeros_like(x))) - bits)
    return np.round(x / step) * step


MISTAKES = {
    "11.1": {
        "flops": (lambda N, C: (2 * N * (3 + 1 + 4) * C * C, 2 * (N * C * N + N * N * C)), "halve both"),
        "no map behind attention": (
            lambda N, C: (N * C * 3 * C + 2 * N * C * 2 * C, 2 * N * N * C),
            "behind attention",
        ),
    },
    "11.2": {
        "numbers": (lambda T, F, J, c: np.prod([T, F, 2 * J * c]), "four bytes"),
        "one window": (lambda T, F, J, c: 8 * J * c * F, "all T"),
    },
    "11.3": {
        "time": (lambda macs, seconds, rate: macs / (rate / 2), "time the machine"),
        "own rate": (lambda macs, seconds, rate: (macs + macs) / seconds, "own rate"),
    },
    "11.4": {
        "wraps": (wraps, "wrap round"),
        "zeros": (with_zeros, "zeros"),
        "again and again": (window_by_window, "saw 60 frames"),
    },
    "11.5": {
        "cut off": (cut_off, "towards zero"),
        "one more": (one_bit_more, "too many"),
    },
    "11.6": {
        "on multiples": (
            lambda T, S: (np.round(np.arange(T) / S), np.arange(T) - S * np.round(np.arange(T) / S)),
            "centred on the frames 0",
        ),
        "exchanged": (lambda T, S: divmod(np.arange(T), S)[::-1] - np.array([[S // 2], [0]]), "exchanged"),
    },
}
