"""Checkers of lesson 11, Efficiency."""

import numpy as np
import torch
from torch import Tensor

from poseformer_course.checks.judge import Exercise, Wrong

# MACs of one encoder layer of N tokens and C channels: linear maps, and products of attention.
exercise_1 = Exercise(
    right=lambda N, C: (8 * N * C**2, 2 * N**2 * C),
    mistakes={
        "These are FLOPs: a multiply-accumulate is two of them, so halve both.": (
            lambda N, C: (16 * N * C**2, 4 * N**2 * C)
        ),
        "The linear maps are those of one token: there are N of them.": lambda N, C: (8 * C**2, 2 * N**2 * C),
        "Only one of attention's two products is there: queries with keys, and weights with values.": (
            lambda N, C: (8 * N * C**2, N**2 * C)
        ),
        "The map behind attention is missing: 3 C² for queries, keys and values, then C², then 4 C².": (
            lambda N, C: (7 * N * C**2, 2 * N**2 * C)
        ),
        "The MLP has two maps, C to 2 C and back: 4 C² a token, not 2 C².": (lambda N, C: (6 * N * C**2, 2 * N**2 * C)),
        "The MLP is taken four times as wide as the tokens, as in other transformers: here it is twice.": (
            lambda N, C: (12 * N * C**2, 2 * N**2 * C)
        ),
        "The two numbers are exchanged: linear maps first.": lambda N, C: (2 * N**2 * C, 8 * N * C**2),
    },
    cases=[(17, 32), (81, 544), (5, 7)],
    fields=lambda N, C: {"N": N, "C": C},
    name="the MACs of {N} tokens of {C} channels",
    remark="With weights the cost grows with the tokens, between tokens with their square.",
)


# Bytes of a temporal MLP's hidden layer, all windows at once.
exercise_2 = Exercise(
    right=lambda T, F, J, c: T * F * 2 * J * c * 4,
    mistakes={
        "These are numbers, not bytes: a 32-bit float has four bytes.": lambda T, F, J, c: T * F * 2 * J * c,
        "These are bits: a byte has eight.": lambda T, F, J, c: T * F * 2 * J * c * 32,
        "This is a token's own width: the hidden layer of the MLP is twice as wide.": (
            lambda T, F, J, c: T * F * J * c * 4
        ),
        "This is one frame's: there are F frames in each of T windows.": lambda T, F, J, c: 2 * J * c * 4,
        "The frames of a window are missing: each of the T windows has F tokens.": lambda T, F, J, c: T * 2 * J * c * 4,
        "The windows are missing: the batch holds all T of them.": lambda T, F, J, c: F * 2 * J * c * 4,
        "The joints are missing: a frame's token is J · c wide.": lambda T, F, J, c: T * F * 2 * c * 4,
    },
    cases=[(3000, 81, 17, 32), (500, 27, 15, 8), (7, 9, 5, 16)],
    fields=lambda T, F, J, c: {"T": T, "F": F, "J": J, "c": c},
    name="the bytes for T = {T}, F = {F}, J = {J}, c = {c}",
    remark="It is the product F · T that hurts: the same frames, F times.",
)


# The share of the machine's rate.
exercise_3 = Exercise(
    right=lambda macs, seconds, rate: 2 * macs / seconds / rate,
    mistakes={
        "A MAC is two FLOPs, and the rate counts FLOPs.": lambda macs, seconds, rate: macs / seconds / rate,
        "This is the time the machine would need, in seconds: divide it by the time that it took.": (
            lambda macs, seconds, rate: 2 * macs / rate
        ),
        "This is upside down: the limit is the larger number, and the share lies below 1.": (
            lambda macs, seconds, rate: rate * seconds / (2 * macs)
        ),
        "This is per cent: give a number between 0 and 1.": (
            lambda macs, seconds, rate: 100 * 2 * macs / seconds / rate
        ),
        "This is the network's own rate in FLOPs per second: divide by the machine's.": (
            lambda macs, seconds, rate: 2 * macs / seconds
        ),
        "A MAC has two FLOPs, not half of one.": lambda macs, seconds, rate: macs / 2 / seconds / rate,
    },
    cases=[(847e6, 0.02, 2e11), (3e9, 0.5, 4e10)],
    name="the share",
    remark="What is left to 1 went into everything that is no product, and into waiting for memory.",
)


def _embed(frames: Tensor) -> Tensor:
    """(N, J, 2) -> (N, 2 J), each frame by itself."""
    return torch.sin(3 * frames).flatten(-2) + frames.flatten(-2)


def _join(tokens: Tensor) -> Tensor:
    """(B, F, D) -> (B, D / 2, 3), in which each frame of a window counts otherwise."""
    weights = torch.linspace(1, 2, tokens.shape[1])[:, None]
    y = (weights * tokens).sum(dim=1)
    return torch.stack([y[:, ::2], y[:, 1::2], y[:, ::2] - y[:, 1::2]], dim=-1)


def _lifted(clamped, shift=lambda F: 0):
    """Lifting with each frame embedded once; `clamped` brings the frames of a window into a video of T."""

    def answer(embed, join, poses_2d, F):
        T = len(poses_2d)
        frames = torch.arange(T)[:, None] + torch.arange(F) - F // 2 + shift(F)
        return join(embed(poses_2d)[clamped(frames, T)])

    return answer


def _to_the_ends(frames: Tensor, T: int) -> Tensor:
    return frames.clamp(0, T - 1)


def _with_zeros(embed, join, poses_2d, F):
    tokens = embed(poses_2d)
    zeros = tokens.new_zeros(F // 2, tokens.shape[1])
    return join(torch.cat([zeros, tokens, zeros]).unfold(0, F, 1).movedim(-1, 1))


def _videos() -> list[tuple]:
    """Videos and windows of several lengths, and stages that are made up."""
    generator = torch.Generator().manual_seed(11)
    lengths = ((12, 5), (3, 9), (1, 3), (6, 1))
    return [(_embed, _join, torch.randn(T, 4, 2, generator=generator), F) for T, F in lengths]


# Lifting with each frame embedded once.
exercise_4_poses = Exercise(
    right=_lifted(_to_the_ends),
    mistakes={
        "The windows wrap round at the ends, as negative indices do: clamp them to the end frames.": (
            _lifted(lambda frames, T: frames % T)
        ),
        "The ends are filled with zeros: the end frame repeats there.": _with_zeros,
        "Each window ends at its frame: it must reach as far ahead as back.": (
            _lifted(_to_the_ends, shift=lambda F: -(F // 2))
        ),
        "Each window begins at its frame: it must reach as far back as ahead.": (
            _lifted(_to_the_ends, shift=lambda F: F // 2)
        ),
    },
    cases=_videos(),
    fields=lambda embed, join, poses_2d, F: {"T": len(poses_2d), "F": F},
    name="the poses for {T} frames and windows of {F}",
)


def exercise_4(lift_cached):
    """The poses, and how many frames were embedded for them."""
    exercise_4_poses(lift_cached)
    for embed, join, poses_2d, F in _videos():
        seen: list[int] = []

        def counted(frames: Tensor, embed=embed, seen=seen) -> Tensor:
            seen.append(len(frames))
            return embed(frames)

        lift_cached(counted, join, poses_2d, F)
        if sum(seen) > (T := len(poses_2d)):
            raise Wrong(
                f"the poses are right, but `embed` saw {sum(seen)} frames where the video has {T}: embed the video "
                "first, and cut the windows out of the tokens."
            )
    return "The same poses, and the spatial stage ran once for each frame."


def _kept(x: np.ndarray, bits: int, to=np.round) -> np.ndarray:
    mantissa, exponent = np.frexp(x)
    return np.ldexp(to(mantissa * 2.0**bits) / 2.0**bits, exponent)


def _numbers() -> np.ndarray:
    """Numbers of many sizes."""
    rng = np.random.default_rng(11)
    x = rng.normal(size=60) * 10.0 ** rng.integers(-4, 5, 60)
    x[:4] = 0.0, 1.0, -3.5, 0.1
    return x


# Rounding to so many significant bits; with 8 it is what torch's bfloat16 does.
exercise_5_numbers = Exercise(
    right=_kept,
    mistakes={
        "The numbers were cut off, not rounded to the nearest.": lambda x, bits: _kept(x, bits, np.floor),
        "The numbers were cut off towards zero, not rounded to the nearest.": lambda x, bits: _kept(x, bits, np.trunc),
        "So many bits are kept behind the binary point: they should be significant, whatever the size of the "
        "number. Round the mantissa.": lambda x, bits: np.round(x * 2.0**bits) / 2.0**bits,
        "These are decimal digits: round in powers of two.": (
            lambda x, bits: np.ldexp(np.round(np.frexp(x)[0], bits), np.frexp(x)[1])
        ),
        "One bit too many: frexp's mantissa begins with its first bit behind the point.": (
            lambda x, bits: _kept(x, bits + 1)
        ),
        "One bit too few: frexp's mantissa is below 1, so multiply it by 2**bits.": lambda x, bits: _kept(x, bits - 1),
        "The exponent is missing: put it back with ldexp.": lambda x, bits: _kept(np.frexp(x)[0], bits),
        "The result is still multiplied by 2**bits.": lambda x, bits: _kept(x, bits) * 2.0**bits,
    },
    cases=[(_numbers(), bits) for bits in (8, 3, 11)],
    fields=lambda x, bits: {"bits": bits},
    name="the numbers with {bits} bits",
    tolerance=1e-9,
)


def exercise_5(keep_bits):
    """The numbers, and that the remark on them is true."""
    exercise_5_numbers(keep_bits)
    assert np.array_equal(_kept(_numbers(), 8), torch.from_numpy(_numbers()).bfloat16().double().numpy())
    return "With 8 bits these are the numbers of torch's bfloat16, one by one."


def _by_stride(rule):
    """A function of T and S, from one of all frame numbers t and S."""
    return lambda T, S: rule(np.arange(T), S)


def _moved_back(t: np.ndarray, S: int) -> tuple[np.ndarray, np.ndarray]:
    window = t // S
    return window, t - np.minimum(window * S + S // 2, max(len(t) - 1 - S // 2, S // 2))


# Which window gives a frame, and where in it the frame lies.
exercise_6 = Exercise(
    right=_by_stride(lambda t, S: (t // S, t % S - S // 2)),
    mistakes={
        "The place is counted from the window's first frame: count it from the centre.": (
            _by_stride(lambda t, S: (t // S, t % S))
        ),
        "The sign is turned round: a frame before the centre has a negative place.": (
            _by_stride(lambda t, S: (t // S, S // 2 - t % S))
        ),
        "The windows are centred on the frames 0, S, 2 S, …: window w gives w · S to w · S + S − 1, and is "
        "centred on the middle one.": _by_stride(lambda t, S: ((t + S // 2) // S, (t + S // 2) % S - S // 2)),
        "The first array holds the centres' frames: it should hold the numbers of the windows, 0, 1, 2, ….": (
            _by_stride(lambda t, S: (t // S * S + S // 2, t % S - S // 2))
        ),
        "The last window was moved back into the video: it stays, and what lies beyond is left.": (
            _by_stride(_moved_back)
        ),
        "The two arrays are exchanged.": _by_stride(lambda t, S: (t % S - S // 2, t // S)),
    },
    cases=[(10, 3), (20, 9), (7, 1), (5, 27)],
    fields=lambda T, S: {"T": T, "S": S},
    name="the windows and places of {T} frames by {S}",
    remark="Every frame is given once, and no frame lies farther than half a stride from a centre.",
)
