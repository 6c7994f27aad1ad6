"""Products in 16 bits where the processor has them in hardware, for the stage that takes the time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from poseformer_lite.model.encoder import encoders

PRECISIONS = ("float32", "bfloat16", "auto")
PAYS = 2.0  # times as fast a product must be in bfloat16: in hardware it is several times
MOVED, SHAKEN = 0.0005, 1.02  # "auto" allows joints to move by so many metres in the mean, and so much more jitter
TRIED = 32  # frames of a sequence on which "auto" looks at that


def in_precision(model: nn.Module, precision: str):
    """A context in which the model computes in "float32" or "bfloat16". Raises ValueError for another name."""
    if precision not in PRECISIONS[:2]:
        raise ValueError(f"precision is {precision!r}: choose one of {', '.join(PRECISIONS)}")
    return bfloat16_products(model) if precision == "bfloat16" else nullcontext()


@contextmanager
def bfloat16_products(model: nn.Module) -> Iterator[None]:
    """Until the block ends, the temporal encoder multiplies with its weights in bfloat16.

    Residuals, LayerNorm, softmax, GELU and the head stay as they are. So does the spatial stage: its products are
    small, and in bfloat16 they would move joints by twice as much and be no sooner done. Gradients pass. In evaluation
    the weights are cast once, so they must not change within the block.

    :param model: on any device; one without a temporal encoder is left as it is.
    """
    encoder = encoders(model).get("temporal", nn.Module())
    linears = [module for module in encoder.modules() if isinstance(module, nn.Linear)]
    for linear in linears:
        linear.forward = _in_bfloat16(linear)
    try:
        yield
    finally:
        for linear in linears:
            del linear.forward  # the instance's own, so that the class's counts again


def _in_bfloat16(linear: nn.Linear) -> Callable[[Tensor], Tensor]:
    def cast() -> tuple[Tensor, Tensor]:
        return linear.weight.bfloat16(), linear.bias.bfloat16()

    once = None if linear.training else [tensor.detach() for tensor in cast()]
    return lambda x: F.linear(x.bfloat16(), *(once or cast())).to(x.dtype)


def choose_precision(model: nn.Module, poses_2d: Tensor) -> str:
    """Choose "bfloat16" where it pays and does no harm, else "float32".

    It pays where the processor multiplies in it in hardware, which is measured once in a process (`bfloat16_speed`). It
    does no harm where, in the middle frames of this sequence, joints move by under half a millimetre in the mean and
    their accelerations grow by under 2 %.

    :param model: a `LiftingNetwork`
    :param poses_2d: (T, J, 2), what it is to lift, on its device.
    :returns: "float32" or "bfloat16".
    """
    if len(poses_2d) < 4 * TRIED or bfloat16_speed(poses_2d.device.type) < PAYS:
        return "float32"  # of a short sequence nothing is gained
    middle = poses_2d[(len(poses_2d) - TRIED) // 2 :][:TRIED]
    exact, rounded = (model.predict_sequence(middle, precision=precision) for precision in PRECISIONS[:2])
    moved = (rounded - exact).norm(dim=-1).mean()
    before, after = (poses_3d.diff(n=2, dim=0).norm(dim=-1).mean() for poses_3d in (exact, rounded))
    return "bfloat16" if moved < MOVED and after < SHAKEN * before else "float32"


@cache
def bfloat16_speed(device: str = "cpu") -> float:
    """How many times as fast as in float32 a product of the temporal stage is in bfloat16 on this machine.

    Measured once in a process, within some 50 ms.

    :param device: "cpu" or "cuda".
    :returns: The ratio of the shortest of five times each.
    """

    def shortest(dtype: torch.dtype) -> float:
        tokens, weight = (torch.ones(shape, device=device, dtype=dtype) for shape in ((1024, 544), (544, 544)))
        times = []
        for _ in range(6):  # the first warms up
            started = time.perf_counter()
            (tokens @ weight)[0, 0].item()  # waits for a GPU
            times.append(time.perf_counter() - started)
        return min(times[1:])

    return shortest(torch.float32) / shortest(torch.bfloat16)
