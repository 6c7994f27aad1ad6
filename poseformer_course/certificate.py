"""The certificate at the end of lesson 07: which parts of PoseFormer were built by whom, by the checkers' verdicts."""

from datetime import date

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from poseformer_course.checks import kept
from poseformer_course.grading import exercises_of_lesson
from poseformer_lite.plots import COLORS

PARTS = {  # as they follow one another on a tensor's way, with the exercise in which each is written
    "embedding of the joints": "02.4",
    "multi-head attention": "03.5",
    "encoder layer": "04.4",
    "spatial transformer": "05.1",
    "temporal transformer": "05.3",
    "regression head": "05.4",
    "whole PoseFormer": "05.5",
    "training step": "06.5",
    "measure: P-MPJPE": "07.2",
}
CORE = ("01", "02", "03", "04", "05", "06", "07")


def certificate(name: str = "") -> Figure:
    """Print what the learner has built, by `my_answers.json`, and draw it as a page to keep.

    It says what the checkers said on this machine and proves no more than that.

    :param name: of the learner
    :returns: the figure, to be shown or saved.
    """
    passed = {exercise for exercise, entry in kept.read().items() if entry.get("passed")}
    core = {lesson: exercises_of_lesson()[lesson] for lesson in CORE}
    count = {lesson: len(passed & set(exercises)) for lesson, exercises in core.items()}
    built = [part for part, exercise in PARTS.items() if exercise in passed]
    total = sum(map(len, core.values()))
    print(f"Exercises passed in lessons 01 to 07: {sum(count.values()) or 'nothing yet'} of {total}")
    print(f"Parts of PoseFormer that are yours: {', '.join(built) or 'nothing yet'}")
    return _drawn(name, set(built), count, {lesson: len(exercises) for lesson, exercises in core.items()})


def _drawn(name: str, built: set[str], count: dict[str, int], total: dict[str, int]) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained", width_ratios=[1.25, 1])
    builder = name.strip() or "you"
    for row, part in enumerate(PARTS):
        own = part in built
        look = {"facecolor": COLORS["left"] if own else "0.93", "edgecolor": "0.4", "boxstyle": "round,pad=0.4"}
        who = f"built by {builder}" if own else "the package's"
        left.text(0.02, -row, part, bbox=look, color="white" if own else "0.2", va="center", fontsize=10)
        left.text(0.58, -row, who, va="center", fontsize=10, color="0.2", weight="bold" if own else "normal")
    left.set(xlim=(0, 1), ylim=(-len(PARTS) + 0.4, 0.6), title="The parts of the network")
    left.axis("off")
    lessons = [f"lesson {lesson}" for lesson in count]
    right.barh(lessons, list(total.values()), color="0.93", edgecolor="0.4")
    bars = right.barh(lessons, list(count.values()), color=COLORS["left"])
    right.bar_label(bars, [f"{count[lesson]} of {total[lesson]}" for lesson in count], padding=4)
    right.invert_yaxis()
    right.spines[["top", "right"]].set_visible(False)
    right.set(xlabel="exercises passed", title="The exercises")
    when = f", {date.today().day} {date.today():%B %Y}" if sum(count.values()) else ""
    figure.suptitle(f"PoseFormer, {f'built by {name.strip()}' if name.strip() and built else 'part by part'}{when}")
    return figure
