"""Checkers of lesson 14, What came next."""

import numpy as np
import torch
from scipy.fft import dct, idct

from poseformer_course.checks.judge import Exercise, NotAnswered, Wrong


def _merged(merge, frame_of=lambda frame, T: frame):
    """What windows say about frame_of(frame, T), merged by merge(poses of one frame, what all windows say)."""

    def answer(said, first, T):
        heard: list[list] = [[] for _ in range(T)]
        for window, begin in zip(said, first, strict=True):
            for frame, pose in enumerate(window, start=begin):
                if 0 <= frame_of(frame, T) < T:
                    heard[frame_of(frame, T)].append(pose)
        return np.array([merge(poses, said) for poses in heard])

    return answer


def _mean(poses, said):
    return np.mean(poses, axis=0)


def _windows(F: int, first: list[int]) -> np.ndarray:
    return np.random.default_rng(F).normal(size=(len(first), F, 2, 3))


# The mean of all that windows say about each frame.
exercise_1 = Exercise(
    right=_merged(_mean),
    mistakes={
        "These are sums: divide by how many windows hold the frame.": _merged(
            lambda poses, said: np.sum(poses, axis=0)
        ),
        "The sums were divided by F for every frame: not every frame is in F windows.": (
            _merged(lambda poses, said: np.sum(poses, axis=0) / said.shape[1])
        ),
        "The sums were divided by the number of windows: not every window holds the frame.": (
            _merged(lambda poses, said: np.sum(poses, axis=0) / len(said))
        ),
        "Only the last answer for each frame is left: add them up.": _merged(lambda poses, said: poses[-1]),
        "Only the first answer for each frame is left: add them up.": _merged(lambda poses, said: poses[0]),
        "What windows say about frames beyond the ends was given to the end frames: leave it out.": (
            _merged(_mean, frame_of=lambda frame, T: min(max(frame, 0), T - 1))
        ),
        "Frames before 0 were counted from the end, as negative indices are: leave them out.": (
            _merged(_mean, frame_of=lambda frame, T: frame + T if frame < 0 else frame)
        ),
    },
    cases=[
        (_windows(F, first), np.array(first), T)
        for T, F, first in ((8, 3, [-1, 0, 2, 5, 6, 3]), (5, 5, [-2, 0, 1]), (4, 1, [0, 1, 2, 3]))
    ],
    fields=lambda said, first, T: {"T": T},
    name="the poses of {T} frames",
    remark="At the ends fewer windows have a say, so the mean is over fewer.",
)


def _band(kept, axis=0):
    """The signal with the frequencies kept(keep) alone, a slice."""

    def answer(x, keep):
        waves = np.moveaxis(dct(x, axis=axis, norm="ortho"), axis, 0)
        left = np.zeros_like(waves)
        left[kept(keep)] = waves[kept(keep)]
        return idct(np.moveaxis(left, 0, axis), axis=axis, norm="ortho")

    return answer


_slow = _band(lambda keep: slice(0, keep))


def _signal(F: int) -> np.ndarray:
    return np.random.default_rng(F).normal(size=(F, 3, 2)) + np.linspace(0, 4, F)[:, None, None]


# Only the lowest frequencies of a signal along its first axis.
exercise_2 = Exercise(
    right=_slow,
    mistakes={
        "These are the frequencies: transform back.": lambda x, keep: dct(_slow(x, keep), axis=0, norm="ortho"),
        "The low frequencies were set to zero, not the high ones.": _band(lambda keep: slice(keep, None)),
        "One frequency too many is left: the first is number 0, so keep :keep.": _band(lambda keep: slice(0, keep + 1)),
        "One frequency too few is left, or the mean is gone: number 0 is one of those to keep.": (
            _band(lambda keep: slice(1, keep))
        ),
        "The mean is gone: the lowest frequency, number 0, is one of those to keep.": (
            _band(lambda keep: slice(1, keep + 1))
        ),
        "The transform went along the last axis: time is the first one.": _band(lambda keep: slice(0, keep), axis=-1),
        "The signal was cut off, not its frequencies.": (
            lambda x, keep: np.where(np.arange(len(x))[:, None, None] < keep, x, 0)
        ),
    },
    cases=[(_signal(27), 5), (_signal(9), 1), (_signal(12), 11)],
    fields=lambda x, keep: {"keep": keep, "F": len(x)},
    name="{keep} of {F} frequencies",
    remark="With all of them kept nothing would change, with one a window stands still.",
)


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


def _in_mm(
    first=lambda joints: joints[0].mean(),
    best=lambda joints: joints.mean(axis=-1).min(axis=0).mean(),
    middle=lambda joints, of_mean_pose: of_mean_pose,
):
    """Three numbers, each from the errors of all joints, (K, T, J)."""

    def answer(hypotheses, truth):
        joints = 1000 * np.linalg.norm(hypotheses - truth, axis=-1)
        of_mean_pose = 1000 * np.linalg.norm(hypotheses.mean(axis=0) - truth, axis=-1).mean()
        return first(joints), best(joints), middle(joints, of_mean_pose)

    return answer


def _hypotheses(K: int, T: int) -> tuple[np.ndarray, np.ndarray]:
    """K motions, and the true one."""
    rng = np.random.default_rng(14)
    truth = rng.normal(size=(T, 4, 3))
    return truth + 0.1 * rng.normal(size=(K, T, 4, 3)) * rng.uniform(0.5, 2, (K, T, 1, 1)), truth


# The first, the best in each frame, and the mean of several hypotheses, in mm.
exercise_4 = Exercise(
    right=_in_mm(),
    mistakes={
        "These are metres: multiply by 1,000.": lambda *given: np.divide(_in_mm()(*given), 1000),
        "The best was taken once for the whole motion: it may be another one in each frame.": (
            _in_mm(best=lambda joints: joints.mean(axis=(1, 2)).min())
        ),
        "The best was taken for each joint: it is the best pose of a frame that counts.": (
            _in_mm(best=lambda joints: joints.min(axis=0).mean())
        ),
        "The last number is the mean of the errors: it should be the error of the mean pose.": (
            _in_mm(middle=lambda joints, of_mean_pose: joints.mean())
        ),
        "The first number is the mean over all hypotheses: it should be the first one's.": _in_mm(first=np.mean),
        "This is the smallest error of any frame: take the mean over the frames.": (
            _in_mm(best=lambda joints: joints.mean(axis=-1).min())
        ),
    },
    cases=[_hypotheses(3, 12), _hypotheses(5, 4)],
    name="the three errors",
    remark="The second number needs the truth, the third does not.",
)
