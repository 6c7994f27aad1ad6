"""Plausible mistakes in the exercises of lesson 11, and what their hints must say."""

import numpy as np
import torch


def frames(T, F, shift=0):
    return torch.arange(T)[:, None] + torch.arange(F) - F // 2 + shift


def cached(index):
    """11.4 by another index into the tokens."""

    def lift(embed, join, poses_2d, F):
        return join(embed(poses_2d)[index(len(poses_2d), F)])

    return lift


def with_zeros(embed, join, poses_2d, F):
    tokens = embed(poses_2d)
    zeros = torch.zeros(F // 2, tokens.shape[1])
    return join(torch.cat([zeros, tokens, zeros]).unfold(0, F, 1).movedim(-1, 1))


def window_by_window(embed, join, poses_2d, F):
    T = len(poses_2d)
    windows = poses_2d[frames(T, F).clamp(0, T - 1)]
    return join(embed(windows.flatten(0, 1)).unflatten(0, (T, F)))


def whole_windows_only(embed, join, poses_2d, F):
    return join(embed(poses_2d).unfold(0, min(F, len(poses_2d)), 1).movedim(-1, 1))


def rounded(x, bits, to=np.round, more=0, back=True, scaled=True):
    mantissa, exponent = np.frexp(x)
    scale = 2.0 ** (bits + more)
    kept = to(mantissa * scale) / (scale if scaled else 1)
    return np.ldexp(kept, exponent) if back else kept


MISTAKES = {
    "11.1": {
        "flops": (lambda N, C: (16 * N * C**2, 4 * N**2 * C), "halve both"),
        "one token": (lambda N, C: (8 * C**2, 2 * N**2 * C), "there are N"),
        "one product": (lambda N, C: (8 * N * C**2, N**2 * C), "two products"),
        "no projection": (lambda N, C: (7 * N * C**2, 2 * N**2 * C), "behind attention"),
        "narrow mlp": (lambda N, C: (6 * N * C**2, 2 * N**2 * C), "two maps"),
        "wide mlp": (lambda N, C: (12 * N * C**2, 2 * N**2 * C), "twice"),
        "exchanged": (lambda N, C: (2 * N**2 * C, 8 * N * C**2), "exchanged"),
    },
    "11.2": {
        "numbers": (lambda T, F, J, c: T * F * 2 * J * c, "four bytes"),
        "bits": (lambda T, F, J, c: T * F * 2 * J * c * 32, "eight"),
        "token": (lambda T, F, J, c: T * F * J * c * 4, "twice as wide"),
        "no frames": (lambda T, F, J, c: T * 2 * J * c * 4, "F tokens"),
        "one window": (lambda T, F, J, c: F * 2 * J * c * 4, "all T"),
        "one joint": (lambda T, F, J, c: T * F * 2 * c * 4, "joints are missing"),
        "one frame": (lambda T, F, J, c: 2 * J * c * 4, "F frames"),
    },
    "11.3": {
        "macs": (lambda macs, seconds, rate: macs / seconds / rate, "two FLOPs"),
        "time": (lambda macs, seconds, rate: 2 * macs / rate, "time the machine"),
        "upside down": (lambda macs, seconds, rate: seconds * rate / (2 * macs), "upside down"),
        "per cent": (lambda macs, seconds, rate: 200 * macs / seconds / rate, "per cent"),
        "own rate": (lambda macs, seconds, rate: 2 * macs / seconds, "own rate"),
        "half": (lambda macs, seconds, rate: macs / 2 / seconds / rate, "half"),
    },
    "11.4": {
        "wraps": (cached(lambda T, F: frames(T, F) % T), "wrap round"),
        "zeros": (with_zeros, "zeros"),
        "past": (cached(lambda T, F: frames(T, F, -(F // 2)).clamp(0, T - 1)), "ends at its frame"),
        "future": (cached(lambda T, F: frames(T, F, F // 2).clamp(0, T - 1)), "begins at its frame"),
        "again and again": (window_by_window, "saw 60 frames"),
        "too few": (whole_windows_only, "shape"),
    },
    "11.5": {
        "floor": (lambda x, bits: rounded(x, bits, np.floor), "cut off, not"),
        "trunc": (lambda x, bits: rounded(x, bits, np.trunc), "towards zero"),
        "fixed point": (lambda x, bits: np.round(x * 2.0**bits) / 2.0**bits, "behind the binary point"),
        "decimal": (lambda x, bits: np.ldexp(np.round(np.frexp(x)[0], bits), np.frexp(x)[1]), "decimal"),
        "one more": (lambda x, bits: rounded(x, bits, more=1), "too many"),
        "one less": (lambda x, bits: rounded(x, bits, more=-1), "too few"),
        "no exponent": (lambda x, bits: rounded(x, bits, back=False), "ldexp"),
        "scaled": (lambda x, bits: rounded(x, bits, scaled=False), "still multiplied"),
    },
    "11.6": {
        "from the first": (lambda T, S: (np.arange(T) // S, np.arange(T) % S), "from the centre"),
        "sign": (lambda T, S: (np.arange(T) // S, S // 2 - np.arange(T) % S), "negative place"),
        "on multiples": (
            lambda T, S: ((np.arange(T) + S // 2) // S, (np.arange(T) + S // 2) % S - S // 2),
            "centred on the frames 0",
        ),
        "centres": (lambda T, S: (np.arange(T) // S * S + S // 2, np.arange(T) % S - S // 2), "numbers of the windows"),
        "exchanged": (lambda T, S: (np.arange(T) % S - S // 2, np.arange(T) // S), "exchanged"),
    },
}
