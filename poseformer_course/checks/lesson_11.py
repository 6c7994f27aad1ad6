"""Checkers of lesson 11, Efficiency."""

import numpy as np
import torch
from torch import Tensor

from poseformer_course.checks.judge import NotAnswered, Wrong, compare


def exercise_1(layer_macs):
    """MACs of one encoder layer: linear maps, and products of attention."""
    for N, C in ((17, 32), (81, 544), (5, 7)):
        linear, between = 8 * N * C**2, 2 * N**2 * C
        hints = {
            "These are FLOPs: a multiply-accumulate is two of them, so halve both.": (2 * linear, 2 * between),
            "The linear maps are those of one token: there are N of them.": (linear / N, between),
            "Only one of attention's two products is there: queries with keys, and weights with values.": (
                (linear, between / 2)
            ),
            "The map behind attention is missing: 3 C² for queries, keys and values, then C², then 4 C².": (
                (7 * N * C**2, between)
            ),
            "The MLP has two maps, C to 2 C and back: 4 C² a token, not 2 C².": (6 * N * C**2, between),
            "The MLP is taken four times as wide as the tokens, as in other transformers: here it is twice.": (
                (12 * N * C**2, between)
            ),
            "The two numbers are exchanged: linear maps first.": (between, linear),
        }
        compare(layer_macs(N, C), (linear, between), hints, name=f"the MACs of {N} tokens of {C} channels")
    return "With weights the cost grows with the tokens, between tokens with their square."


def exercise_2(hidden_bytes):
    """Bytes of a temporal MLP's hidden layer, all windows at once."""
    for T, F, J, c in ((3000, 81, 17, 32), (500, 27, 15, 8), (7, 9, 5, 16)):
        right = T * F * 2 * J * c * 4
        hints = {
            "These are numbers, not bytes: a 32-bit float has four bytes.": right / 4,
            "These are bits: a byte has eight.": right * 8,
            "This is a token's own width: the hidden layer of the MLP is twice as wide.": right / 2,
            "This is one frame's: there are F frames in each of T windows.": 2 * J * c * 4,
            "The frames of a window are missing: each of the T windows has F tokens.": right / F,
            "The windows are missing: the batch holds all T of them.": right / T,
            "The joints are missing: a frame's token is J · c wide.": right / J,
        }
        compare(hidden_bytes(T, F, J, c), right, hints, name=f"the bytes for T = {T}, F = {F}, J = {J}, c = {c}")
    return "It is the product F · T that hurts: the same frames, F times."


def exercise_3(share_of_limit):
    """The share of the machine's rate."""
    for macs, seconds, rate in ((847e6, 0.02, 2e11), (3e9, 0.5, 4e10)):
        right = 2 * macs / seconds / rate
        hints = {
            "A MAC is two FLOPs, and the rate counts FLOPs.": right / 2,
            "This is the time the machine would need, in seconds: divide it by the time that it took.": 2 * macs / rate,
            "This is upside down: the limit is the larger number, and the share lies below 1.": 1 / right,
            "This is per cent: give a number between 0 and 1.": 100 * right,
            "This is the network's own rate in FLOPs per second: divide by the machine's.": 2 * macs / seconds,
            "A MAC has two FLOPs, not half of one.": right / 4,
        }
        compare(share_of_limit(macs, seconds, rate), right, hints, name="the share")
    return "What is left to 1 went into everything that is no product, and into waiting for memory."


def exercise_4(lift_cached):
    """Lifting with each frame embedded once, at several lengths; the stages are made up, and count what they see."""
    generator = torch.Generator().manual_seed(11)
    for T, F in ((12, 5), (3, 9), (1, 3), (6, 1)):
        poses_2d = torch.randn(T, 4, 2, generator=generator)
        tokens = _embed(poses_2d)
        right = _join(tokens[_frames(T, F).clamp(0, T - 1)])
        seen: list[int] = []

        def embed(frames: Tensor, seen=seen) -> Tensor:
            seen.append(len(frames))
            return _embed(frames)

        got = lift_cached(embed, _join, poses_2d.clone(), F)
        if got is None or got is ...:
            raise NotAnswered
        past = _frames(T, F) - F // 2
        hints = {
            "The windows wrap round at the ends, as negative indices do: clamp them to the end frames.": _join(
                tokens[_frames(T, F) % T]
            ),
            "The ends are filled with zeros: the end frame repeats there.": _join(_padded(tokens, F)),
            "Each window ends at its frame: it must reach as far ahead as back.": _join(tokens[past.clamp(0, T - 1)]),
            "Each window begins at its frame: it must reach as far back as ahead.": _join(
                tokens[(_frames(T, F) + F // 2).clamp(0, T - 1)]
            ),
        }
        compare(got, right, hints if T > 1 else {}, name=f"the poses for {T} frames and windows of {F}")
        if sum(seen) > T:
            raise Wrong(
                f"the poses are right, but `embed` saw {sum(seen)} frames where the video has {T}: embed the video "
                "first, and cut the windows out of the tokens."
            )
    return "The same poses, and the spatial stage ran once for each frame."


def _frames(T: int, F: int) -> Tensor:
    return torch.arange(T)[:, None] + torch.arange(F) - F // 2


def _embed(frames: Tensor) -> Tensor:
    """(N, J, 2) -> (N, 2 J), each frame by itself."""
    return torch.sin(3 * frames).flatten(-2) + frames.flatten(-2)


def _join(tokens: Tensor) -> Tensor:
    """(B, F, D) -> (B, D / 2, 3), in which each frame of a window counts otherwise."""
    weights = torch.linspace(1, 2, tokens.shape[1])[:, None]
    y = (weights * tokens).sum(dim=1)
    return torch.stack([y[:, ::2], y[:, 1::2], y[:, ::2] - y[:, 1::2]], dim=-1)


def _padded(tokens: Tensor, F: int) -> Tensor:
    """All windows (T, F, D) with zeros beyond the ends."""
    zeros = tokens.new_zeros(F // 2, tokens.shape[1])
    return torch.cat([zeros, tokens, zeros]).unfold(0, F, 1).movedim(-1, 1)


def exercise_5(keep_bits):
    """Rounding to so many significant bits; with 8 it is what torch's bfloat16 does."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=60) * 10.0 ** rng.integers(-4, 5, 60)
    x[:4] = 0.0, 1.0, -3.5, 0.1
    mantissa, exponent = np.frexp(x)
    for bits in (8, 3, 11):
        right = _kept(x, bits)
        hints = {
            "The numbers were cut off, not rounded to the nearest.": np.ldexp(
                np.floor(mantissa * 2.0**bits) / 2.0**bits, exponent
            ),
            "The numbers were cut off towards zero, not rounded to the nearest.": np.ldexp(
                np.trunc(mantissa * 2.0**bits) / 2.0**bits, exponent
            ),
            "So many bits are kept behind the binary point: they should be significant, whatever the size of the "
            "number. Round the mantissa.": np.round(x * 2.0**bits) / 2.0**bits,
            "These are decimal digits: round in powers of two.": np.ldexp(np.round(mantissa, bits), exponent),
            "One bit too many: frexp's mantissa begins with its first bit behind the point.": (_kept(x, bits + 1)),
            "One bit too few: frexp's mantissa is below 1, so multiply it by 2**bits.": (_kept(x, bits - 1)),
            "The exponent is missing: put it back with ldexp.": np.round(mantissa * 2.0**bits) / 2.0**bits,
            "The result is still multiplied by 2**bits.": np.ldexp(np.round(mantissa * 2.0**bits), exponent),
        }
        compare(keep_bits(x.copy(), bits), right, hints, name=f"the numbers with {bits} bits", tolerance=1e-9)
    assert np.array_equal(_kept(x, 8), torch.from_numpy(x).bfloat16().double().numpy())
    return "With 8 bits these are the numbers of torch's bfloat16, one by one."


def _kept(x: np.ndarray, bits: int) -> np.ndarray:
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 2.0**bits) / 2.0**bits, exponent)


def exercise_6(who_gives):
    """Which window gives a frame, and where in it the frame lies."""
    for T, S in ((10, 3), (20, 9), (7, 1), (5, 27)):
        t = np.arange(T)
        window, place = t // S, t % S - S // 2
        hints = {
            "The place is counted from the window's first frame: count it from the centre.": (
                window,
                t % S,
            ),
            "The sign is turned round: a frame before the centre has a negative place.": (window, -place),
            "The windows are centred on the frames 0, S, 2 S, …: window w gives w · S to w · S + S − 1, and is "
            "centred on the middle one.": ((t + S // 2) // S, (t + S // 2) % S - S // 2),
            "The first array holds the centres' frames: it should hold the numbers of the windows, 0, 1, 2, ….": (
                (window * S + S // 2, place)
            ),
            "The last window was moved back into the video: it stays, and what lies beyond is left.": (
                _moved_back(T, S)
            ),
            "The two arrays are exchanged.": (place, window),
        }
        compare(who_gives(T, S), (window, place), hints, name=f"the windows and places of {T} frames by {S}")
    return "Every frame is given once, and no frame lies farther than half a stride from a centre."


def _moved_back(T: int, S: int) -> tuple[np.ndarray, np.ndarray]:
    window = np.arange(T) // S
    centre = np.minimum(window * S + S // 2, max(T - 1 - S // 2, S // 2))
    return window, np.arange(T) - centre
