"""Checkers of lesson 13, In the wild."""

import numpy as np

from poseformer_course.checks.judge import NotAnswered, Wrong, compare


def exercise_1(midpoint):
    """The middle of two joints over time, NaN where one of them was not found."""
    rng = np.random.default_rng(13)
    a, b = rng.uniform(100, 900, (2, 7, 2))
    a[1], b[2], a[4], b[4], b[6] = 0, 0, np.nan, 0, np.nan
    a[5, 0] = 0  # at the picture's edge, and found
    lost = [((p == 0).all(-1) | np.isnan(p).any(-1)) for p in (a, b)]
    right = (a + b) / 2
    right[lost[0] | lost[1]] = np.nan
    halves = (a + b) / 2
    one_sided = right.copy()
    one_sided[lost[0] & ~lost[1]], one_sided[~lost[0] & lost[1]] = b[lost[0] & ~lost[1]], a[~lost[0] & lost[1]]
    edge = right.copy()
    edge[5] = np.nan
    zero = right.copy()
    zero[np.isnan(right)] = 0
    hints = {
        "(0, 0) was taken for a place: it is how detectors write that a joint was not found.": halves,
        "where one joint was not found you return the other: a pelvis that lies on a hip is wrong by half a body.": (
            one_sided
        ),
        "frame 5 is lost, although the joint is only at the left edge, x = 0: it is lost where both numbers are 0.": (
            edge
        ),
        "where the middle is not known you return (0, 0): return NaN, which cannot be taken for a place.": zero,
        "these are sums: half of it is the middle.": 2 * right,
    }
    _compare_with_gaps(midpoint(a.copy(), b.copy()), right, hints, "the middle")
    return "A NaN is honest: it spreads to all that is computed from it, and cannot be drawn by mistake."


def exercise_2(gaps_filled):
    """Interpolate gaps of up to `longest` frames; longer ones and the ends stay open."""
    x = np.array([np.nan, 1.0, np.nan, 3.0, np.nan, np.nan, 9.0, np.nan, np.nan, np.nan, 5.0, 6.0, np.nan])
    for longest in (1, 2, 3):
        right = _filled(x, longest)
        hints = {
            "this fills every gap, however long: one longer than `longest` stays open.": _filled(x, 99),
            "before the first and after the last sight there is nothing to interpolate between: leave NaN.": _filled(
                x, longest, ends=True
            ),
            "gaps of exactly `longest` frames are to be filled, too.": _filled(x, longest - 1),
            "of a long gap the first frames are filled: a gap is filled as a whole, or not at all.": _filled(
                x, longest, partly=True
            ),
            "the last place is held: interpolate in a straight line to the next.": _filled(x, longest, hold=True),
        }
        _compare_with_gaps(gaps_filled(x.copy(), longest), right, hints, "the track")
    return "A long gap that is filled looks as good as a short one, and is not: say how long yours are."


def exercise_3(at_even_times):
    """Values at uneven times, interpolated at an even rate from the first picture to the last."""
    for seconds, fps in (
        (np.array([0.0, 0.04, 0.1, 0.12, 0.2, 0.3]), 25.0),
        (np.array([3.0, 3.1, 3.15, 3.5]), 10.0),
    ):
        values = np.cumsum(np.random.default_rng(len(seconds)).normal(size=len(seconds)))
        even = seconds[0] + np.arange(int((seconds[-1] - seconds[0]) * fps + 1e-6) + 1) / fps
        right = np.interp(even, seconds, values)
        count = np.linspace(seconds[0], seconds[-1], len(seconds))
        hints = {
            "these are values at evenly spaced *picture numbers*: interpolate at evenly spaced times.": np.interp(
                np.linspace(0, len(values) - 1, len(even)), np.arange(len(values)), values
            ),
            "the values came back as they were: they belong to uneven times.": values,
            "as many values as pictures came back, spread over the time: the step between two is 1 / fps.": np.interp(
                count, seconds, values
            ),
            "the last one is missing: a time that falls on the last picture counts.": right[:-1],
            "your clock begins at 0, and the first picture does not.": np.interp(even - seconds[0], seconds, values),
            "each time took the picture before it: interpolate between the two on either side.": values[
                np.searchsorted(seconds, even + 1e-9, side="right") - 1
            ],
        }
        compare(at_even_times(values.copy(), seconds.copy(), fps), right, hints, name="the row of values")
    return "Phones slow down in the dark and skip pictures when they are busy: the times in the file know."


def exercise_4(unswapped):
    """Two tracks of one pair of joints, exchanged back so that each frame lies nearest to the repaired one before."""
    rng = np.random.default_rng(4)
    t = np.linspace(0, 1, 30)[:, None]
    left = np.concatenate([300 + 200 * t, 500 + 30 * np.sin(5 * t)], axis=1) + rng.normal(0, 2, (30, 2))
    right = np.concatenate([520 - 200 * t, 500 - 30 * np.sin(9 * t)], axis=1) + rng.normal(0, 2, (30, 2))
    left[25] += (150, 0)  # one of the two is lost for a moment
    spoiled = np.zeros(30, bool)
    spoiled[[4, 10, 11, 12, 22]] = True
    seen_left, seen_right = (np.where(spoiled[:, None], b, a) for a, b in ((left, right), (right, left)))
    answer = unswapped(seen_left.copy(), seen_right.copy())
    if answer is None:
        raise NotAnswered
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise Wrong("return two arrays: the left track and the right one.")
    expected = _unswapped(seen_left, seen_right)
    hints = {
        "each frame is compared with the one before as it was *found*: compare with the one before as repaired, or a "
        "second exchanged frame looks right beside the first.": _unswapped(seen_left, seen_right, repaired=False),
        "only the left track is compared: take the sum over both, since one of them may stand still.": _unswapped(
            seen_left, seen_right, both=False
        ),
        "the tracks came back as they were.": (seen_left, seen_right),
        "left and right are exchanged from the first frame on: keep the first as it is.": expected[::-1],
        "the frames are exchanged by where they lie in the picture: a person who turns has the left arm on either "
        "side.": tuple(
            np.where((seen_left[:, :1] < seen_right[:, :1]) == first, seen_left, seen_right) for first in (True, False)
        ),
    }
    compare(np.stack([np.asarray(track, float) for track in answer]), np.stack(expected),
            {hint: np.stack(wrong) for hint, wrong in hints.items()}, name="the pair of tracks")  # fmt: skip
    return "Greedy as this is, one wrong frame can turn all that follow; the package compares whole paths instead."


def exercise_5(next_box):
    """The number of the box with the largest intersection over union with the last one, or -1."""
    last = [100, 100, 200, 300]
    cases = {
        "several": [[90, 110, 195, 310], [400, 100, 800, 500], [100, 100, 200, 180]],
        "huge": [[0, 0, 1000, 1000], [110, 120, 215, 320]],
        "small inside": [[140, 180, 160, 220], [60, 100, 170, 300]],
        "nobody": [[201, 100, 300, 300], [500, 0, 600, 90]],
        "corner": [[260, 320, 360, 520], [180, 250, 280, 450]],
        "empty": [],
    }

    def answers(score, none=-1):
        found = []
        for boxes in cases.values():
            scores = [score(last, box) for box in boxes]
            found.append(int(np.argmax(scores)) if scores and max(scores) > 0 else none)
        return found

    given = [next_box(list(last), [list(box) for box in boxes]) for boxes in cases.values()]
    if all(answer is None for answer in given):
        raise NotAnswered
    if any(answer is None for answer in given):
        raise Wrong("some of your answers are None: return -1 where no box overlaps the last one.")
    hints = {
        "the largest box was taken: a passer-by near the camera is larger.": answers(lambda a, b: _area(b)),
        "the nearest centre was taken: a box that does not overlap at all may have it.": answers(
            lambda a, b: 1e4 - np.hypot(*(np.add(a[:2], a[2:]) - np.add(b[:2], b[2:])))
        ),
        "the intersection alone was compared: a huge box contains everything. Divide by the union.": answers(_overlap),
        "the intersection was divided by the box's own area: a small box inside the last one is then perfect.": answers(
            lambda a, b: _overlap(a, b) / _area(b)
        ),
        "where no box overlaps, return -1 and not 0, which is a box.": answers(_iou, none=0),
        "widths and heights of the intersection may be negative, and their product positive: bound both by 0.": answers(
            lambda a, b: _overlap(a, b, bounded=False) / max(_area(a) + _area(b) - _overlap(a, b, bounded=False), 1)
        ),
    }
    compare(given, answers(_iou), hints, name="the list of answers")
    return "Trackers add how a person moves and looks; but this line alone follows most people through most videos."


def exercise_6(alarms):
    """The frames in which two motions disagree most, as many as the share says."""
    rng = np.random.default_rng(6)
    first = rng.normal(size=(40, 17, 3))
    apart = rng.gamma(2.0, 0.05, (40, 1, 1)) * rng.uniform(0.3, 1.7, (40, 17, 1))
    step = rng.normal(size=(40, 17, 3))
    second = first + apart * step / np.linalg.norm(step, axis=-1, keepdims=True)
    second[7, 3] += (1.5, 0, 0)  # one joint far off
    for share in (0.1, 0.24):
        count = int(np.ceil(share * 40))

        def most(score, count=count):
            flagged = np.zeros(40, bool)
            flagged[np.argsort(-score, kind="stable")[:count]] = True
            return flagged

        distance = np.linalg.norm(first - second, axis=-1)
        hints = {
            "these are the frames in which the two agree most.": most(-distance.mean(-1)),
            "the largest joint decides: take the mean over the joints.": most(distance.max(-1)),
            "coordinates were subtracted without taking lengths: differences of both signs cancel.": most(
                np.abs((first - second).mean((1, 2)))
            ),
            "one frame is missing: round the number of frames up.": most(distance.mean(-1), count - 1),
            "these are the frames above `share` of the largest disagreement: `share` counts frames.": (
                distance.mean(-1) > share * distance.mean(-1).max()
            ),
            "the frames that you call good and bad are exchanged.": ~most(distance.mean(-1)),
        }
        given = alarms(first.copy(), second.copy(), share)
        if given is None:
            raise NotAnswered
        if np.asarray(given).dtype != bool:
            raise Wrong("return an array of True and False, one for each frame.")
        compare(given, most(distance.mean(-1)), hints, name="the array of alarms")
    return "Two networks that learned from the same data can be wrong in the same way: silence is no proof."


def _compare_with_gaps(given, right, hints: dict, name: str) -> None:
    """`compare` where NaN is an answer: all NaN become a number that nothing else is."""
    if given is None:
        raise NotAnswered
    given = np.asarray(given, dtype=float)
    if given.shape == np.shape(right):
        kept = {hint: np.nan_to_num(wrong, nan=-1e6) for hint, wrong in hints.items()}
        misplaced = np.isnan(given) != np.isnan(right)
        given, right = np.nan_to_num(given, nan=-1e6), np.nan_to_num(right, nan=-1e6)
        if misplaced.any() and not any(np.allclose(given, wrong) for wrong in kept.values()):
            at = [int(i) for i in np.argwhere(misplaced)[0]]
            raise Wrong(f"{name} is {'NaN' if given[tuple(at)] == -1e6 else 'a number'} at {at}, where it should not.")
        compare(given, right, kept, name=name)
    compare(given, right, name=name)


def _filled(x, longest, ends=False, hold=False, partly=False):
    known = np.flatnonzero(~np.isnan(x))
    filled = x.copy()
    for before, after in zip(known[:-1], known[1:], strict=True):
        length = after - before - 1
        line = np.linspace(x[before], x[after], length + 2)[1:-1]
        until = length if length <= longest else longest if partly else 0
        filled[before + 1 : before + 1 + until] = x[before] if hold else line[:until]
    if ends:
        filled[: known[0]], filled[known[-1] + 1 :] = x[known[0]], x[known[-1]]
    return filled


def _unswapped(left, right, repaired=True, both=True):
    a, b = left.copy(), right.copy()
    for t in range(1, len(a)):
        before = (a[t - 1], b[t - 1]) if repaired else (left[t - 1], right[t - 1])
        stay = np.linalg.norm(left[t] - before[0]) + both * np.linalg.norm(right[t] - before[1])
        change = np.linalg.norm(right[t] - before[0]) + both * np.linalg.norm(left[t] - before[1])
        if change < stay:
            a[t], b[t] = right[t], left[t]
    return a, b


def _area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def _overlap(a, b, bounded=True):
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    return float(np.prod(np.maximum(sides, 0) if bounded else sides))


def _iou(a, b):
    return _overlap(a, b) / (_area(a) + _area(b) - _overlap(a, b))
