"""Checkers of lesson 13, In the wild."""

from copy import deepcopy

import numpy as np

from poseformer_course.checks.judge import Exercise, NotAnswered, Wrong, compare

GAP = -1e6  # stands for NaN, which does not even equal itself


def _marked(answer):
    """The same answer with GAP for NaN."""

    def marked(*given):
        values = answer(*given)
        return None if values is None else np.nan_to_num(np.asarray(values, dtype=float), nan=GAP)

    return marked


def _judge_gaps(part: Exercise, answer) -> str:
    """The remark of a part whose functions are all marked; says where a NaN stands at a place of its own."""

    def marked(*given):
        values, right = _marked(answer)(*deepcopy(given)), part.right(*given)
        if values is None or values.shape != right.shape:
            return values
        misplaced = (values == GAP) != (right == GAP)
        if misplaced.any() and not any(np.allclose(values, wrong(*given)) for wrong in part.mistakes.values()):
            at = [int(i) for i in np.argwhere(misplaced)[0]]
            what = "NaN" if values[tuple(at)] == GAP else "a number"
            raise Wrong(f"{part.name} is {what} at {at}, where it should not.")
        return values

    return part(marked)


def _lost(points):
    return (points == 0).all(-1) | np.isnan(points).any(-1)


def _middle(a, b, lost=_lost, unknown=np.nan):
    return np.where((lost(a) | lost(b))[:, None], unknown, (a + b) / 2)


def _the_other(a, b):
    a, b = np.where(_lost(a)[:, None], b, a), np.where(_lost(b)[:, None], a, b)
    return _middle(a, b)


def _tracks_of_two_joints() -> np.ndarray:
    a, b = tracks = np.random.default_rng(13).uniform(100, 900, (2, 7, 2))
    a[1], b[2], a[4], b[4], b[6] = 0, 0, np.nan, 0, np.nan
    a[5, 0] = 0  # at the picture's edge, and found
    return tracks


# The middle of two joints over time, NaN where one of them was not found.
exercise_1_middle = Exercise(
    right=_marked(_middle),
    mistakes={
        "(0, 0) was taken for a place: it is how detectors write that a joint was not found.": (
            _marked(lambda a, b: (a + b) / 2)
        ),
        "where one joint was not found you return the other: a pelvis that lies on a hip is wrong by half a body.": (
            _marked(_the_other)
        ),
        "frame 5 is lost, although the joint is only at the left edge, x = 0: it is lost where both numbers are 0.": (
            _marked(lambda a, b: _middle(a, b, lost=lambda p: (p == 0).any(-1) | np.isnan(p).any(-1)))
        ),
        "where the middle is not known you return (0, 0): return NaN, which cannot be taken for a place.": (
            _marked(lambda a, b: _middle(a, b, unknown=0))
        ),
        "these are sums: half of it is the middle.": _marked(lambda a, b: 2 * _middle(a, b)),
    },
    cases=[tuple(_tracks_of_two_joints())],
    name="the middle",
    remark="A NaN is honest: it spreads to all that is computed from it, and cannot be drawn by mistake.",
)


def exercise_1(midpoint):
    """The middle, and where it is not known."""
    return _judge_gaps(exercise_1_middle, midpoint)


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


TRACK = np.array([np.nan, 1.0, np.nan, 3.0, np.nan, np.nan, 9.0, np.nan, np.nan, np.nan, 5.0, 6.0, np.nan])

# Interpolate gaps of up to `longest` frames; longer ones and the ends stay open.
exercise_2_track = Exercise(
    right=_marked(_filled),
    mistakes={
        "this fills every gap, however long: one longer than `longest` stays open.": (
            _marked(lambda x, longest: _filled(x, len(x)))
        ),
        "before the first and after the last sight there is nothing to interpolate between: leave NaN.": (
            _marked(lambda x, longest: _filled(x, longest, ends=True))
        ),
        "gaps of exactly `longest` frames are to be filled, too.": (
            _marked(lambda x, longest: _filled(x, longest - 1))
        ),
        "of a long gap the first frames are filled: a gap is filled as a whole, or not at all.": (
            _marked(lambda x, longest: _filled(x, longest, partly=True))
        ),
        "the last place is held: interpolate in a straight line to the next.": (
            _marked(lambda x, longest: _filled(x, longest, hold=True))
        ),
    },
    cases=[(TRACK, 1), (TRACK, 2), (TRACK, 3)],
    name="the track",
    remark="A long gap that is filled looks as good as a short one, and is not: say how long yours are.",
)


def exercise_2(gaps_filled):
    """The track, and its gaps that stay open."""
    return _judge_gaps(exercise_2_track, gaps_filled)


def _even(seconds, fps):
    """The times at an even rate."""
    return seconds[0] + np.arange(int((seconds[-1] - seconds[0]) * fps + 1e-6) + 1) / fps


def _interpolated(values, seconds, fps):
    return np.interp(_even(seconds, fps), seconds, values)


def _by_picture_number(values, seconds, fps):
    count = len(values)
    return np.interp(np.linspace(0, count - 1, len(_even(seconds, fps))), np.arange(count), values)


def _values_at(*seconds: float) -> tuple[np.ndarray, np.ndarray]:
    return np.cumsum(np.random.default_rng(len(seconds)).normal(size=len(seconds))), np.array(seconds)


# Values at uneven times, interpolated at an even rate from the first picture to the last.
exercise_3 = Exercise(
    right=_interpolated,
    mistakes={
        "these are values at evenly spaced *picture numbers*: interpolate at evenly spaced times.": _by_picture_number,
        "the values came back as they were: they belong to uneven times.": lambda values, seconds, fps: values,
        "as many values as pictures came back, spread over the time: the step between two is 1 / fps.": (
            lambda values, seconds, fps: np.interp(np.linspace(seconds[0], seconds[-1], len(seconds)), seconds, values)
        ),
        "the last one is missing: a time that falls on the last picture counts.": (
            lambda *given: _interpolated(*given)[:-1]
        ),
        "your clock begins at 0, and the first picture does not.": (
            lambda values, seconds, fps: np.interp(_even(seconds, fps) - seconds[0], seconds, values)
        ),
        "each time took the picture before it: interpolate between the two on either side.": (
            lambda values, seconds, fps: values[np.searchsorted(seconds, _even(seconds, fps) + 1e-9, side="right") - 1]
        ),
    },
    cases=[(*_values_at(0.0, 0.04, 0.1, 0.12, 0.2, 0.3), 25.0), (*_values_at(3.0, 3.1, 3.15, 3.5), 10.0)],
    name="the row of values",
    remark="Phones slow down in the dark and skip pictures when they are busy: the times in the file know.",
)


def _unswapped(left, right, repaired=True, both=True):
    a, b = left.copy(), right.copy()
    for t in range(1, len(a)):
        before = (a[t - 1], b[t - 1]) if repaired else (left[t - 1], right[t - 1])
        stay = np.linalg.norm(left[t] - before[0]) + both * np.linalg.norm(right[t] - before[1])
        change = np.linalg.norm(right[t] - before[0]) + both * np.linalg.norm(left[t] - before[1])
        if change < stay:
            a[t], b[t] = right[t], left[t]
    return a, b


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
    hints = {hint: np.stack(wrong) for hint, wrong in hints.items()}
    given = np.stack([np.asarray(track, float) for track in answer])
    compare(given, np.stack(expected), hints, name="the pair of tracks")
    return "Greedy as this is, one wrong frame can turn all that follow; the package compares whole paths instead."


def _area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def _overlap(a, b, bounded=True):
    sides = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    return float(np.prod(np.maximum(sides, 0) if bounded else sides))


def _over_union(a, b, bounded=True):
    overlap = _overlap(a, b, bounded)
    return overlap / max(_area(a) + _area(b) - overlap, 1)


def _nearness(a, b):
    return 1e4 - np.hypot(*(np.add(a[:2], a[2:]) - np.add(b[:2], b[2:])))


def _best(score, none=-1):
    """In each picture the number of the box with the highest score, `none` where no score is above 0."""

    def answers(last, pictures):
        scores = [[score(last, box) for box in boxes] for boxes in pictures]
        return [int(np.argmax(some)) if some and max(some) > 0 else none for some in scores]

    return answers


PICTURES = [
    [[90, 110, 195, 310], [400, 100, 800, 500], [100, 100, 200, 180]],  # several
    [[0, 0, 1000, 1000], [110, 120, 215, 320]],  # a huge one
    [[140, 180, 160, 220], [60, 100, 170, 300]],  # a small one inside
    [[201, 100, 300, 300], [500, 0, 600, 90]],  # nobody
    [[260, 320, 360, 520], [180, 250, 280, 450]],  # beyond a corner
    [],
]

# The number of the box with the largest intersection over union with the last one, or -1.
exercise_5_boxes = Exercise(
    right=_best(_over_union),
    mistakes={
        "the largest box was taken: a passer-by near the camera is larger.": _best(lambda last, box: _area(box)),
        "the nearest centre was taken: a box that does not overlap at all may have it.": _best(_nearness),
        "the intersection alone was compared: a huge box contains everything. Divide by the union.": _best(_overlap),
        "the intersection was divided by the box's own area: a small box inside the last one is then perfect.": (
            _best(lambda last, box: _overlap(last, box) / _area(box))
        ),
        "where no box overlaps, return -1 and not 0, which is a box.": _best(_over_union, none=0),
        "widths and heights of the intersection may be negative, and their product positive: bound both by 0.": (
            _best(lambda last, box: _over_union(last, box, bounded=False))
        ),
    },
    cases=[([100, 100, 200, 300], PICTURES)],
    name="the list of answers",
    remark="Trackers add how a person moves and looks; but this line alone follows most people through most videos.",
)


def exercise_5(next_box):
    """The box in each picture, a number also where there is none."""

    def answers(last, pictures):
        given = [next_box(list(last), boxes) for boxes in pictures]
        if all(answer is None for answer in given):
            raise NotAnswered
        if any(answer is None for answer in given):
            raise Wrong("some of your answers are None: return -1 where no box overlaps the last one.")
        return given

    return exercise_5_boxes(answers)


def _apart(first, second):
    """The mean distance of the joints in each frame."""
    return np.linalg.norm(first - second, axis=-1).mean(-1)


def _most(score, fewer=0):
    """True in the share of frames with the highest score of two motions, or in some frames fewer."""

    def answer(first, second, share):
        flagged = np.zeros(len(first), bool)
        count = int(np.ceil(share * len(first))) - fewer
        flagged[np.argsort(-score(first, second), kind="stable")[:count]] = True
        return flagged

    return answer


def _above_a_share_of_the_largest(first, second, share):
    return _apart(first, second) > share * _apart(first, second).max()


def _two_motions() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(6)
    first = rng.normal(size=(40, 17, 3))
    apart = rng.gamma(2.0, 0.05, (40, 1, 1)) * rng.uniform(0.3, 1.7, (40, 17, 1))
    step = rng.normal(size=(40, 17, 3))
    second = first + apart * step / np.linalg.norm(step, axis=-1, keepdims=True)
    second[7, 3] += (1.5, 0, 0)  # one joint far off
    return first, second


# The frames in which two motions disagree most, as many as the share says.
exercise_6_flags = Exercise(
    right=_most(_apart),
    mistakes={
        "these are the frames in which the two agree most.": _most(lambda first, second: -_apart(first, second)),
        "the largest joint decides: take the mean over the joints.": (
            _most(lambda first, second: np.linalg.norm(first - second, axis=-1).max(-1))
        ),
        "coordinates were subtracted without taking lengths: differences of both signs cancel.": (
            _most(lambda first, second: np.abs((first - second).mean((1, 2))))
        ),
        "one frame is missing: round the number of frames up.": _most(_apart, fewer=1),
        "these are the frames above `share` of the largest disagreement: `share` counts frames.": (
            _above_a_share_of_the_largest
        ),
        "the frames that you call good and bad are exchanged.": lambda *given: ~_most(_apart)(*given),
    },
    cases=[(*_two_motions(), 0.1), (*_two_motions(), 0.24), (*(motion[:7] for motion in _two_motions()), 0.15)],
    name="the array of alarms",
    remark="Two networks that learned from the same data can be wrong in the same way: silence is no proof.",
)


def exercise_6(alarms):
    """The frames, as an array of True and False."""

    def booleans(*given):
        flagged = alarms(*given)
        if flagged is not None and np.asarray(flagged).dtype != bool:
            raise Wrong("return an array of True and False, one for each frame.")
        return flagged

    return exercise_6_flags(booleans)
