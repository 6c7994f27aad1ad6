"""Weights that come from a file: a network is made no larger than the file, and its weights are numbers."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from poseformer_lite.checked import number

SMALLEST = 1000  # a size in a config may always be that large, however few weights there are


def check_weights(weights: dict[str, Tensor]) -> None:
    """Raises ValueError, naming the tensor, where weights are no plain numbers, all of them finite."""
    for name, tensor in weights.items():
        if not isinstance(tensor, Tensor) or tensor.layout != torch.strided or tensor.is_meta:
            raise ValueError(f"{name} is no plain tensor")
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise ValueError(f"{name} is {tuple(tensor.shape)}, but holds {tensor.untyped_storage().nbytes():,} bytes")
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise ValueError(f"{name} holds NaN or infinite weights")


def check_sizes(network: type, config: dict, weights: dict[str, Tensor]) -> None:
    """Raises ValueError where an argument of a network is of another type than it says, or past all its weights."""
    most = max(SMALLEST, _count(weights))
    for name, parameter in signature(network).parameters.items():
        if name in config and parameter.annotation in (int, float):
            number(config[name], f"config.json, {name}", 0, most, whole=parameter.annotation is int)
        elif name in config and parameter.annotation is bool and not isinstance(config[name], bool):
            raise ValueError(f"config.json, {name}: found {config[name]!r}, expected true or false")


@contextmanager
def no_larger_than(weights: dict[str, Tensor]) -> Iterator[None]:
    """A block that makes a network, which ends in a ValueError once it has more than twice as many parameters.

    Twice, so that a network of other shapes is made, and whoever compares them can say which.
    """
    most, made = SMALLEST + 2 * _count(weights), Counter()

    def count(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        made["all"] += 0 if parameter is None else parameter.numel()
        if made["all"] > most:
            raise ValueError(f"a network of more than {most:,} parameters is asked for, with weights for half of them")

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()


def _count(weights: dict[str, Tensor]) -> int:
    return sum(tensor.numel() for tensor in weights.values())
