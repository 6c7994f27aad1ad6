"""What a lesson's longer trainings gave: a lesson trains one seed, reads the others, and can be told to train all."""

import json
from collections.abc import Callable
from importlib import resources


class Results:
    """The results of one lesson by name, made here or read from `results/lessons.json`.

    `scripts/store_lesson_results.py` made that file: it runs the lessons with `run_all=True`, so the settings are the
    lesson's own. made: what was made here, by name.
    """

    def __init__(self, lesson: str, run_all: bool = False):
        """lesson: its number, such as "10". run_all: whether to make everything here."""
        file = resources.files(__package__).joinpath("results", "lessons.json")
        self.stored = json.loads(file.read_text(encoding="utf-8"))["lessons"].get(lesson, {})
        self.run_all = run_all
        self.made: dict = {}

    def __call__(self, name: str, here: bool, make: Callable, *arguments, **keywords):
        """`make(*arguments, **keywords)`, which is run once `here` or with run_all, and else read by its name.

        Raises KeyError for a name that is not stored.
        """
        if name in self.made:
            return self.made[name]
        if here or self.run_all:
            self.made[name] = make(*arguments, **keywords)
            return self.made[name]
        if name not in self.stored:
            raise KeyError(f"no result {name!r} is stored: train it here, with RUN_ALL = True")
        return self.stored[name]
