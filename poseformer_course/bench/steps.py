"""Training: the step, the data that feed it, and what they would make of Human3.6M."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import torch

from poseformer_course.bench.forward import COURSE
from poseformer_course.bench.reference import official_network, plain_forward
from poseformer_course.bench.timing import rounds_of, times_as_fast
from poseformer_lite.datasets import load_dataset
from poseformer_lite.datasets.windows import Windows
from poseformer_lite.metrics import mpjpe
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.model.precision import PAYS, bfloat16_products, bfloat16_speed
from poseformer_lite.skeleton import Skeleton, flip_poses
from poseformer_lite.training.optim import make_optimizer
from poseformer_lite.training.settings import Settings

SIZES = [
    ("paper", 9, 64, {}),
    ("paper", 27, 32, {}),
    ("paper", 81, 16, {}),
    ("course", 9, 128, COURSE),
    ("course", 27, 32, COURSE),
]
HUMAN36M_WINDOWS, EPOCHS = 3_119_616, 130  # of the five training subjects, mirrored ones included; section 4.2


def training(device: str, quick: bool, official: Path | None, progress: bool) -> list[dict]:
    """A step on random windows: forward, loss, backward, optimizer."""
    rows = []
    for name, num_frames, batch_size, sizes in SIZES:
        if device == "cuda":
            batch_size = 1024
        batch_size = 16 if quick else batch_size
        step = partial(_step, num_frames, batch_size, sizes, device)
        works = {"plain": step(plain=True), "ours": step()}
        if official:
            works["released code"] = step(plain=True, official=official)
        if device == "cuda" or bfloat16_speed() >= PAYS:
            works["ours, bf16"] = step(dtype=torch.bfloat16)
        if device == "cuda" and not quick:
            works["ours, compiled"] = step(compile=True)
            works["ours, bf16, compiled"] = step(dtype=torch.bfloat16, compile=True)
        times = rounds_of(works, 2 if quick else 9, f"training, {name} f={num_frames}", progress)
        a_second = {way: batch_size / median(taken) for way, taken in times.items()}
        rows.append(
            {
                "size": name,
                "num_frames": num_frames,
                "batch_size": batch_size,
                "windows per second": {way: round(rate) for way, rate in a_second.items()},
                **{
                    f"times as fast as: {slow}": {way: times_as_fast(times[slow], times[way]) for way in times}
                    for slow in ("plain", "ours", "released code")
                    if slow in times
                },
                f"hours for {EPOCHS} epochs of Human3.6M": {
                    way: round(EPOCHS * HUMAN36M_WINDOWS / rate / 3600, 1) for way, rate in a_second.items()
                },
            }
        )
    return rows


def _step(
    num_frames, batch_size, sizes, device, plain=False, compile=False, dtype=None, official: Path | None = None
) -> Callable:
    """One training step as a function; the plain one with the equations' network and torch's default AdamW.

    official: a clone, whose network takes the place of the equations'.
    """
    torch.manual_seed(0)
    model = PoseFormer(num_frames, **sizes).to(device).train()
    settings = Settings(optimizer="adamw")
    released = official_network(official, model).train() if official else None
    plain_optimizer = torch.optim.AdamW((released or model).parameters(), lr=settings.learning_rate) if plain else None
    optimizer = plain_optimizer or make_optimizer(model, settings)
    poses_2d = 0.3 * torch.randn(batch_size, num_frames, 17, 2, device=device)
    target = torch.randn(batch_size, 17, 3, device=device)
    forward = released or (partial(plain_forward, model) if plain else model)
    if compile:
        model.compile()

    def work() -> None:
        half = (torch.autocast(device, dtype) if device == "cuda" else bfloat16_products(model)) if dtype else None
        with half or nullcontext():
            loss = mpjpe(forward(poses_2d).view_as(target), target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return work


def pipeline(device: str, quick: bool, official: Path | None, progress: bool) -> list[dict]:
    """Windows per second by index, against a loop over samples in Python, and the share of a training step."""
    data = load_dataset("synthetic", keypoints="gt")
    sequences = data.train()[:8] if quick else data.train()[:120]
    arrays = [(sequence.poses_2d(), sequence.root_relative(data.skeleton.root)) for sequence in sequences]
    rows = []
    for name, num_frames, batch_size, sizes in SIZES:
        windows = Windows(sequences, num_frames, data.skeleton, device, flip=True)
        index = torch.randperm(len(windows), generator=torch.Generator().manual_seed(0))[:batch_size]
        works = {
            "loop": partial(_sample_by_sample, arrays, index, num_frames, data.skeleton, device),
            "by index": lambda windows=windows, index=index: windows.gather(index.to(device)),
            "step": _step(num_frames, batch_size, sizes, device),
        }
        assert torch.allclose(works["loop"]()[0], works["by index"]()[0], atol=1e-5)
        times = rounds_of(works, 3 if quick else 15, f"pipeline, {name} f={num_frames}", progress)
        rows.append(
            {
                "size": name,
                "num_frames": num_frames,
                "batch_size": batch_size,
                "windows per second": {way: round(batch_size / median(times[way])) for way in ("loop", "by index")},
                "times as fast as: loop": times_as_fast(times["loop"], times["by index"]),
                "share of a training step": round(median(times["by index"]) / median(times["step"]), 4),
            }
        )
    return rows


def _sample_by_sample(
    arrays: list[tuple[np.ndarray, np.ndarray]], index: torch.Tensor, num_frames: int, skeleton: Skeleton, device: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """A generator's way: each window cut out of its sequence, padded, mirrored and copied into the batch by itself.

    arrays: (poses_2d, poses_3d) of each sequence.
    """
    lengths = np.array([len(poses_2d) for poses_2d, _ in arrays])
    ends, half = lengths.cumsum(), num_frames // 2
    batch = np.empty((len(index), num_frames, skeleton.num_joints, 2), np.float32)
    targets = np.empty((len(index), skeleton.num_joints, 3), np.float32)
    for i, chosen in enumerate(index.tolist()):
        mirrored, frame = divmod(chosen, int(ends[-1]))
        sequence = int(np.searchsorted(ends, frame, side="right"))
        center = frame - int(ends[sequence] - lengths[sequence])
        low, high = max(center - half, 0), min(center + half + 1, int(lengths[sequence]))
        padding = ((low - center + half, center + half + 1 - high), (0, 0), (0, 0))
        batch[i] = np.pad(arrays[sequence][0][low:high], padding, "edge")
        targets[i] = arrays[sequence][1][center]
        if mirrored:
            batch[i], targets[i] = (flip_poses(poses, skeleton) for poses in (batch[i], targets[i]))
    return torch.from_numpy(batch).to(device), torch.from_numpy(targets).to(device)
