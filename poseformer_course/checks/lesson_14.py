"""Checkers of lesson 14, What came next."""

import numpy as np
import torch
from scipy.fft import dct, idct

from poseformer_course.checks.judge import NotAnswered, Wrong, compare


def exercise_1(merged):
    """The mean of all that windows say about each frame."""
    rng = np.random.default_rng(14)
    for T, F, first in ((8, 3, [-1, 0, 2, 5, 6, 3]), (5, 5, [-2, 0, 1]), (4, 1, [0, 1, 2, 3])):
        said = rng.normal(size=(len(first), F, 2, 3))
        heard: list[list] = [[] for _ in range(T)]
        at_ends: list[list] = [[] for _ in range(T)]
        for window, begin in zip(said, first, strict=True):
            for place, pose in enumerate(window):
                at_ends[min(max(begin + place, 0), T - 1)].append(pose)
                if 0 <= begin + place < T:
                    heard[begin + place].append(pose)
        right = np.array([np.mean(poses, axis=0) for poses in heard])
        hints = {
            "These are sums: divide by how many windows hold the frame.": np.array([np.sum(p, axis=0) for p in heard]),
            "The sums were divided by F for every frame: not every frame is in F windows.": np.array(
                [np.sum(p, axis=0) / F for p in heard]
            ),
            "The sums were divided by the number of windows: not every window holds the frame.": np.array(
                [np.sum(p, axis=0) / len(first) for p in heard]
            ),
            "Only the last answer for each frame is left: add them up.": np.array([p[-1] for p in heard]),
            "Only the first answer for each frame is left: add them up.": np.array([p[0] for p in heard]),
            "What windows say about frames beyond the ends was given to the end frames: leave it out.": np.array(
                [np.mean(p, axis=0) for p in at_ends]
            ),
            "Frames before 0 were counted from the end, as negative indices are: leave them out.": _wrapped(
                said, first, T
            ),
        }
        compare(merged(said.copy(), list(first), T), right, hints, name=f"the poses of {T} frames")
    return "At the ends fewer windows have a say, so the mean is over fewer."


def _wrapped(said: np.ndarray, first: list[int], T: int) -> np.ndarray:
    total, count = np.zeros((T, *said.shape[2:])), np.zeros((T, 1, 1))
    for window, begin in zip(said, first, strict=True):
        for place, pose in enumerate(window):
            if begin + place < T:
                total[begin + place] += pose
                count[begin + place] += 1
    return total / count


def exercise_2(slow_part):
    """Only the lowest frequencies of a signal along its first axis."""
    rng = np.random.default_rng(14)
    for F, keep in ((27, 5), (9, 1), (12, 11)):
        x = rng.normal(size=(F, 3, 2)) + np.linspace(0, 4, F)[:, None, None]
        waves = dct(x, axis=0, norm="ortho")
        right = _band(waves, slice(0, keep))
        hints = {
            "These are the frequencies: transform back.": np.where(np.arange(F)[:, None, None] < keep, waves, 0),
            "The low frequencies were set to zero, not the high ones.": _band(waves, slice(keep, None)),
            "One frequency too many is left: the first is number 0, so keep :keep.": _band(waves, slice(0, keep + 1)),
            "One frequency too few is left, or the mean is gone: number 0 is one of those to keep.": _band(
                waves, slice(1, keep)
            ),
            "The mean is gone: the lowest frequency, number 0, is one of those to keep.": _band(
                waves, slice(1, keep + 1)
            ),
            "The transform went along the last axis: time is the first one.": _along_the_last(x, keep),
            "The signal was cut off, not its frequencies.": np.where(np.arange(F)[:, None, None] < keep, x, 0),
        }
        compare(slow_part(x.copy(), keep), right, hints, name=f"{keep} of {F} frequencies")
    return "With all of them kept nothing would change, with one a window stands still."


def _band(waves: np.ndarray, kept: slice) -> np.ndarray:
    left = np.zeros_like(waves)
    left[kept] = waves[kept]
    return idct(left, axis=0, norm="ortho")


def _along_the_last(x: np.ndarray, keep: int) -> np.ndarray:
    waves = dct(x, norm="ortho")
    waves[..., keep:] = 0
    return idct(waves, norm="ortho")


def exercise_3(hidden):
    """Exactly a share of each window's joint tokens is hidden, both coordinates, other ones in each window."""
    for share, (B, F, J) in ((0.4, (16, 9, 17)), (0.75, (8, 5, 3)), (0.1, (4, 3, 17))):
        windows = torch.randn(B, F, J, 2, generator=torch.Generator().manual_seed(14)) + 5
        given = windows.clone()
        answer = hidden(given, share, torch.Generator().manual_seed(0))
        if answer is None or answer is ...:
            raise NotAnswered
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise Wrong("Return two things: the windows, and where something is hidden.")
        shown, lost = answer
        if lost is None or shown is None:
            raise NotAnswered
        if tuple(lost.shape) != (B, F, J):
            raise Wrong(f"where something is hidden has the shape {tuple(lost.shape)}, expected {(B, F, J)}.")
        if lost.dtype != torch.bool:
            raise Wrong(f"where something is hidden is of {lost.dtype}: return booleans, True where it is.")
        if not torch.equal(given, windows):
            raise Wrong("The windows that were given have changed: return a copy.")
        counts, count = lost.flatten(1).sum(1), round(share * F * J)
        if (counts == F * J - count).all() and 2 * count != F * J:
            raise Wrong("True and False are exchanged: True is where something is hidden.")
        if not (counts == count).all():
            raise Wrong(
                f"{int(counts.min())} to {int(counts.max())} tokens of a window are hidden, expected exactly {count} "
                "of each: a random number below the share hides about that many. Rank the numbers instead."
            )
        if (lost == lost[:1]).all():
            raise Wrong("The same tokens are hidden in every window: draw numbers for each window.")
        if _whole_rows(lost):
            raise Wrong("Whole frames or whole joints are hidden: draw among all F · J tokens of a window.")
        if not torch.equal(shown[~lost], windows[~lost]):
            raise Wrong("What is not hidden has changed.")
        if shown[lost].any():
            raise Wrong("Both coordinates of a hidden token must be 0.")
    return "The network sees what is left, and is asked for the rest."


def _whole_rows(lost: torch.Tensor) -> bool:
    frames, joints = lost.float().mean(2), lost.float().mean(1)
    return any(bool(((part == 0) | (part == 1)).all()) for part in (frames, joints))


def exercise_4(best_and_mean):
    """The first, the best in each frame, and the mean of several hypotheses, in mm."""
    rng = np.random.default_rng(14)
    for K, T in ((3, 12), (5, 4)):
        truth = rng.normal(size=(T, 4, 3))
        hypotheses = truth + 0.1 * rng.normal(size=(K, T, 4, 3)) * rng.uniform(0.5, 2, (K, T, 1, 1))
        joints = np.linalg.norm(hypotheses - truth, axis=-1)  # (K, T, J)
        errors = joints.mean(-1)
        middle = np.linalg.norm(hypotheses.mean(0) - truth, axis=-1).mean()
        first, best = errors[0].mean(), errors.min(0).mean()
        hints = {
            "These are metres: multiply by 1,000.": (first, best, middle),
            "The best was taken once for the whole motion: it may be another one in each frame.": (
                (1e3 * first, 1e3 * errors.mean(1).min(), 1e3 * middle)
            ),
            "The best was taken for each joint: it is the best pose of a frame that counts.": (
                (1e3 * first, 1e3 * joints.min(0).mean(), 1e3 * middle)
            ),
            "The last number is the mean of the errors: it should be the error of the mean pose.": (
                (1e3 * first, 1e3 * best, 1e3 * errors.mean())
            ),
            "The first number is the mean over all hypotheses: it should be the first one's.": (
                (1e3 * errors.mean(), 1e3 * best, 1e3 * middle)
            ),
            "This is the smallest error of any frame: take the mean over the frames.": (
                (1e3 * first, 1e3 * errors.min(), 1e3 * middle)
            ),
        }
        right = (1e3 * first, 1e3 * best, 1e3 * middle)
        compare(best_and_mean(hypotheses.copy(), truth.copy()), right, hints, name="the three errors")
    return "The second number needs the truth, the third does not."
