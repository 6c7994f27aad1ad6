"""Checkers for the exercises of the lessons: each says that an answer is right, or what is wrong with it.

    from poseformer_course.checks import check
    check("03.2", scaled_scores)

Exercise 2 of lesson 03 is judged by the function `exercise_2` of the module `lesson_03`.
"""

from poseformer_course.checks.judge import Verdict, Wrong, check, compare, verdict

__all__ = ["Verdict", "Wrong", "check", "compare", "verdict"]
