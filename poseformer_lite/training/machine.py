"""What a training run wants of the machine: a device and precision, random states of its own, and an orderly end."""

import os
import signal
import threading
from contextlib import contextmanager

import torch


def is_main_process() -> bool:
    """Whether this process is the one, of those that were launched together, that prints and writes."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank() == 0
    return int(os.environ.get("RANK", 0)) == 0


def make_accelerator(mixed_precision: str):
    """Accelerate's view of the machine: one process, or one of those that torchrun or accelerate launched.

    Where several are launched without a GPU they work together by gloo; accelerate alone would have each train by
    itself.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    if not torch.cuda.is_available():
        if mixed_precision == "fp16":
            raise ValueError('mixed_precision is "fp16", which only a GPU computes in: choose "bf16" or "no"')
        mixed_precision = "no"  # what is to be in bf16 there is `_Loss`'s to say
    elif mixed_precision == "auto":
        mixed_precision = "bf16" if torch.cuda.is_bf16_supported() else "fp16"
    AcceleratorState._reset_state(reset_partial_state=False)  # it remembers the precision of an earlier run
    together_on_cpus = int(os.environ.get("WORLD_SIZE", 1)) > 1 and not torch.cuda.is_available()
    return Accelerator(mixed_precision=mixed_precision, cpu=together_on_cpus)


@contextmanager
def own_randomness(seed: int):
    """Draw from a generator seeded for the run, and leave the caller's as it was."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def randomness() -> dict:
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}


def restore_randomness(state: dict) -> None:
    torch.set_rng_state(state["cpu"].cpu())
    if torch.cuda.is_available() and len(state["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([s.cpu() for s in state["cuda"]])


@contextmanager
def interrupts():
    """An event that Ctrl-C and SIGTERM set in place of ending the process, so that a step is never cut in two."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return
    before = {kind: signal.signal(kind, lambda *_: event.set()) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield event
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
