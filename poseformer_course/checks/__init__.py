"""Checkers for the exercises of the lessons: each says that an answer is right, or what is wrong with it.

    from poseformer_course.checks import check
    check("03.2", scaled_scores)

Exercise 2 of lesson 03 is judged by `exercise_2` of the module `lesson_03`, an `Exercise` or a function of the answers.
"""

from poseformer_course.checks.classes import yours, yours_or_reference
from poseformer_course.checks.judge import Exercise, Verdict, Wrong, check, compare, verdict

__all__ = ["Exercise", "Verdict", "Wrong", "check", "compare", "verdict", "yours", "yours_or_reference"]
