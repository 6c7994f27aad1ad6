"""Classes that a learner writes: judged by the weights of the package's, and taken on from lesson to lesson."""

import inspect
import sys
from collections.abc import Callable
from importlib import import_module

import torch
from torch import nn

from poseformer_course.checks import kept
from poseformer_course.checks.judge import NotAnswered, Wrong, verdict
from poseformer_lite.model.attention import MultiHeadSelfAttention
from poseformer_lite.model.encoder import EncoderBlock, TransformerEncoder
from poseformer_lite.model.poseformer import PoseFormer, RegressionHead, SpatialTransformer, TemporalTransformer

NETWORK = {  # each class after those that it is made of, with the exercise in which it is written
    MultiHeadSelfAttention: "03.5",
    EncoderBlock: "04.4",
    TransformerEncoder: None,  # lesson 04 shows it
    SpatialTransformer: "05.1",
    TemporalTransformer: "05.3",
    RegressionHead: "05.4",
    PoseFormer: "05.5",
}


def yours(name: str) -> type:
    """The learner's class of that name, as it was kept when it passed; prints what is whose.

    A class that the learner has not written is the package's, made of the learner's parts where there are any. Raises
    ValueError for a name that is no part of the network.
    """
    names = [part.__name__ for part in NETWORK]
    if name not in names:
        raise ValueError(f"there is no part {name!r} of the network: choose one of {', '.join(names)}")
    classes, own = your_network()
    inside = [part for part in names[: names.index(name)] if part in own]
    whose = "yours" if name in own else "the package's"
    rest = f", with your {', '.join(inside)} in it" if inside else "" if name in own else f"; none is in {kept.FILE}"
    print(f"{name}: {whose}{rest}.")
    return classes[name]


def your_network() -> tuple[dict[str, type], list[str]]:
    """All classes of the network by their names, and the names of those that are the learner's."""
    answers, classes, own = kept.read(), {}, []
    for reference, exercise in NETWORK.items():
        name = reference.__name__
        namespace = vars(sys.modules[reference.__module__]) | classes
        answer = _kept_answer(answers.get(exercise, {}), exercise, name, namespace)
        if answer is not None:
            own.append(name)
        elif own:  # the same class, made of the learner's parts
            answer = kept.run_source(inspect.getsource(reference), name, namespace, file=name)
        classes[name] = answer or reference
    return classes, own


def _kept_answer(entry: dict, exercise: str, name: str, namespace: dict) -> type | None:
    """The class that an entry of the file holds, if it passes here too; else None, and where it does not, why."""
    if not entry.get("passed") or entry.get("name") != name:
        return None
    try:
        answer = kept.run_source(entry["source"], name, namespace)
    except Exception as error:  # whatever the learner's code raises
        print(f"{name}: yours does not run outside of its lesson ({type(error).__name__}: {error}).")
        return None
    judged = verdict(exercise, answer)
    if not judged.passed:
        print(f"{name}: yours does not pass outside of its lesson. {judged.message}")
    return answer if judged.passed else None


def yours_or_reference(exercise: str, answer: Callable) -> Callable:
    """The learner's class or function where it passes, else the right one; prints which of the two it is.

    So a lesson goes on with what its reader has written, and runs to its end before anything is written.
    """
    lesson, number = exercise.split(".")
    reference = getattr(import_module(f"{__package__}.lesson_{lesson}"), f"reference_{number}")
    name = getattr(answer, "__name__", reference.__name__)
    if answer is reference:
        print(f"{name}: the package's is in use; run the cell of exercise {exercise} for yours.")
    elif verdict(exercise, answer).passed:
        print(f"{name}: yours is in use from here on.")
        return answer
    else:
        whose = "the package's" if isinstance(reference, type) else "the checker's"
        print(f"{name}: {whose} stands in until exercise {exercise} passes.")
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
    parts = f"the parts asked for are {', '.join(_parts(wanted))}"
    for name in wanted:
        value = getattr(made, name, None)
        if isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter):
            raise Wrong(f"`{name}` is a plain tensor, which no optimizer would find: make it an nn.Parameter.")
        if isinstance(value, nn.Module):
            raise Wrong(f"`{name}` is a module ({type(value).__name__}): make it an nn.Parameter.")
        if name not in found:
            raise Wrong(f"{answer.__name__} has no parameter `{name}`: {parts}.")
    if surplus := [name for name in found if name not in wanted]:
        raise Wrong(f"{answer.__name__} has a parameter `{surplus[0]}` too many: {parts}.")
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
