"""Judging a class that a learner writes: it must take the weights of the one that stands in the package."""

import inspect
from importlib import import_module

from torch import nn

from poseformer_course.checks.judge import NotAnswered, Wrong, verdict


def yours_or_reference(exercise: str, answer: type) -> type:
    """The learner's class where it passes, else the one that the package runs; prints which of the two it is.

    So a lesson goes on with what its reader has written, and runs to its end before anything is written.
    """
    lesson, number = exercise.split(".")
    reference = getattr(import_module(f"{__package__}.lesson_{lesson}"), f"reference_{number}")
    name = reference.__name__
    if answer is reference:
        print(f"{name}: the package's is in use; run the cell of exercise {exercise} for yours.")
    elif verdict(exercise, answer).passed:
        print(f"{name}: yours is in use from here on.")
        return answer
    else:
        print(f"{name}: the package's stands in until exercise {exercise} passes.")
    return reference


def like(answer: type, reference: nn.Module, *arguments) -> nn.Module:
    """An object of the learner's class, made with the arguments, with the weights of the reference, for evaluation.

    Raises NotAnswered for a class with dots where its parts should be, and Wrong where its parameters have other names
    or shapes.
    """
    if not isinstance(answer, type):
        raise Wrong("Hand over the class itself, not one of its objects.")
    made = answer(*arguments)
    if any(value is ... for value in vars(made).values()):
        raise NotAnswered
    wanted = {name: tuple(tensor.shape) for name, tensor in reference.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in made.state_dict().items()}
    if missing := [name for name in wanted if name not in found]:
        raise Wrong(f"{answer.__name__} has no parameter `{missing[0]}`: its parts are {', '.join(_parts(wanted))}.")
    if surplus := [name for name in found if name not in wanted]:
        raise Wrong(
            f"{answer.__name__} has a parameter `{surplus[0]}` too many: its parts are {', '.join(_parts(wanted))}."
        )
    for name, shape in wanted.items():
        if found[name] != shape:
            raise Wrong(f"The parameter `{name}` has the shape {found[name]}, expected {shape}.")
    made.load_state_dict(reference.state_dict())
    return made.eval()


def call(module: nn.Module, *inputs):
    """What the module gives. Raises NotAnswered where its forward gives nothing yet."""
    given = module(*inputs)
    if given is None or given is ...:
        raise NotAnswered
    return given


def takes(function, name: str) -> bool:
    return name in inspect.signature(function).parameters


def _parts(names) -> list[str]:
    return list(dict.fromkeys(name.split(".")[0] for name in names))
