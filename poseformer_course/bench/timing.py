"""Times that mean something: everything in turn, several rounds, and ratios within a round."""

import time
from collections.abc import Callable, Iterable
from statistics import median

import torch
from tqdm.auto import trange

Work = Callable[[], object]


def rounds_of(works: dict[str, Work], rounds: int, title: str, progress: bool = True) -> dict[str, list[float]]:
    """Seconds of each piece of work, all of them once in every round, so that what disturbs one disturbs all."""
    for work in works.values():
        seconds(work)  # kernels are chosen and caches filled at the first call
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in trange(rounds, desc=title, disable=not progress, leave=False):
        for name, work in works.items():
            times[name].append(seconds(work))
    return times


def seconds(work: Work) -> float:
    _wait()
    started = time.perf_counter()
    work()
    _wait()
    return time.perf_counter() - started


def times_as_fast(slow: list[float], fast: list[float]) -> list[float]:
    """[median, smallest, largest] of the ratios within the rounds."""
    ratios = [a / b for a, b in zip(slow, fast, strict=True)]
    return [round(value, 2) for value in (median(ratios), min(ratios), max(ratios))]


def products(shapes: Iterable[tuple[int, int, int]], device: str, dtype: torch.dtype) -> Work:
    """The matrix products (rows, inner, columns) and nothing else: how fast a network of them could be here."""
    shapes = list(shapes)
    pairs = {
        (n, k, m): (torch.randn(n, k, device=device, dtype=dtype), torch.randn(k, m, device=device, dtype=dtype))
        for n, k, m in set(shapes)
    }

    def work() -> None:
        for shape in shapes:
            torch.matmul(*pairs[shape])

    return work


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
