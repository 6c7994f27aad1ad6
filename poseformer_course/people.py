"""The people of CMU's motion capture whom the shipped weights were trained on, and those kept for testing."""

from typing import NamedTuple

from poseformer_lite.datasets.base import Take
from poseformer_lite.datasets.sources.cmu_mocap import split_takes, without_glitches

UNSEEN_PEOPLE, UNSEEN_MOTION = ("08", "39"), ("indian",)  # folders


class PeopleSplit(NamedTuple):
    """Takes to train on; takes of the same people; of people never seen; and of a kind of motion never seen."""

    training: list[Take]
    unseen_takes: list[Take]
    unseen_people: list[Take]
    unseen_motion: list[Take]


def split_people(takes: list[Take]) -> PeopleSplit:
    """Whole people and a kind of motion held out, UNSEEN_PEOPLE and UNSEEN_MOTION, and of the rest some takes.

    All of them without glitches.
    """
    people, motion = ([t for t in takes if t.subject in names] for names in (UNSEEN_PEOPLE, UNSEEN_MOTION))
    rest = [take for take in takes if take.subject not in UNSEEN_PEOPLE + UNSEEN_MOTION]
    return PeopleSplit(*(list(map(without_glitches, part)) for part in (*split_takes(rest), people, motion)))
