"""The training loop: one loop for a CPU, a GPU or several, that can be stopped anywhere and goes on where it was."""

import threading
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from poseformer_lite.datasets.base import PoseDataset, split_validation
from poseformer_lite.datasets.windows import Windows
from poseformer_lite.files import atomic_path, check_output, held
from poseformer_lite.metrics import mpjpe
from poseformer_lite.model.base import LiftingNetwork
from poseformer_lite.model.precision import in_precision
from poseformer_lite.skeleton import Skeleton
from poseformer_lite.training.checkpoints import NAME, load_checkpoint, save_checkpoint
from poseformer_lite.training.machine import (
    interrupts,
    is_main_process,
    make_accelerator,
    own_randomness,
    randomness,
    restore_randomness,
)
from poseformer_lite.training.optim import learning_rate, make_optimizer, prepare_start
from poseformer_lite.training.settings import Settings, resolve

CHECKPOINT_SECONDS = 300  # a long epoch is saved this often; the end of every epoch always is
COPIES = 6  # of the weights that a run writes: Adam's two, the best, the latest, and those beside the checkpoint
VALIDATION_WINDOWS = 4096  # at most; spread evenly over the held-out takes


@dataclass
class TrainingRun:
    """What `train` gives back.

    :param model: the trained network
    :param settings: what it was trained with
    :param history: for each epoch {epoch, windows (seen so far), seconds, learning_rate, train_mm, validation_mm (None
        without held-out takes)}
    :param output: the folder of its files, if any
    :param finished: False if the run was interrupted.
    """

    model: LiftingNetwork
    settings: Settings
    history: list[dict] = field(default_factory=list)
    output: Path | None = None
    finished: bool = False

    def to_dataframe(self):
        """The history as a pandas table, one row per epoch."""
        import pandas as pd

        return pd.DataFrame(self.history)

    def plot(self, ax=None):
        """Training and validation error over the windows seen, in `ax` or new axes, which are returned."""
        from poseformer_lite.plots import plot_history

        return plot_history(self.history, ax=ax)

    def __repr__(self) -> str:
        if not self.history:
            return "TrainingRun(no epoch finished)"
        last = self.history[-1]
        held_out = "no held-out takes" if last["validation_mm"] is None else f"held out {last['validation_mm']:.1f} mm"
        return f"TrainingRun({len(self.history)} epochs, training {last['train_mm']:.1f} mm, {held_out})"


def train(
    model: LiftingNetwork,
    data: PoseDataset,
    settings: Settings | str | None = None,
    output: str | Path | None = None,
    progress: bool = True,
    *,
    preset: str = "lite",
    **changes,
) -> TrainingRun:
    """Train a network in place on the training takes of a dataset; the test subjects or takes are never touched.

    The loss is MPJPE of the centre frame (Eq. 9), and of every frame with supervise="every". Ctrl-C (or a notebook's
    stop button, or SIGTERM) ends the run after the step in hand, saves it, and returns what there is.

    :param model: a network with as many joints as the data has.
    :param data: what `load_dataset` gives.
    :param settings: a `Settings`, or a preset's name: "lite", "speedrun", "paper" or "official".
    :param output: a folder for checkpoints, the history and the trained weights. If it holds a stopped run of the same
        settings, model and data, that run goes on, on a CPU bit for bit as if it had never stopped.
    :param progress: whether to show a bar for each epoch.
    :param preset: what is meant where no settings are given.
    :param changes: settings that differ, such as epochs=5.
    :returns: The trained model, its settings and one row of history per epoch.
    :raises ValueError: for a setting that does not exist, where data and model do not fit, where the loss becomes NaN,
        or where `output` holds another run, or is in use by one
    :raises OSError: where `output` cannot be written, or has too little room.
    """
    settings = resolve(preset if settings is None else settings, changes)
    if data.skeleton.num_joints != model.num_joints:
        raise ValueError(f"the model has {model.num_joints} joints, but {data.name} has {data.skeleton.num_joints}")
    output = Path(output) if output else None
    with _held(output, model), own_randomness(settings.seed), interrupts() as interrupted:
        return _Trainer(model, data, settings, output, progress).run(interrupted)


def _held(output: Path | None, model: LiftingNetwork):
    """The folder, tried for rights and room, and held by this run alone."""
    if output is None or not is_main_process():
        return nullcontext()
    check_output(output / NAME, size=COPIES * sum(tensor.nbytes for tensor in model.state_dict().values()))
    return held(output)


class _Loss(nn.Module):
    """The loss of a batch in metres: Eq. 9; or the mean of Eq. 9 and of the error of every frame, from its own token.

    A module, so that several processes and half precision have one call to see to.
    """

    def __init__(self, model: LiftingNetwork, skeleton: Skeleton, settings: Settings, precision: str):
        super().__init__()
        self.model, self.skeleton, self.precision = model, skeleton, precision
        self.every_frame, self.bone_weight = settings.supervise == "every", settings.bone_weight

    def forward(self, poses_2d: Tensor, target: Tensor) -> Tensor:
        """Windows (B, F, J, 2) and their center poses (B, J, 3), or the poses of every frame (B, F, J, 3) -> ()."""
        with in_precision(self.model, self.precision):
            if not self.every_frame:
                return self.error(self.model(poses_2d), target)
            center, every = self.model.forward_every_frame(poses_2d)
        return (self.error(center, target[:, target.shape[1] // 2]) + self.error(every, target)) / 2

    def error(self, predicted: Tensor, target: Tensor) -> Tensor:
        """MPJPE, and `bone_weight` times the mean error of the bones as vectors."""
        error = mpjpe(predicted, target)
        if self.bone_weight:
            bones = (self.skeleton.bone_vectors(poses) for poses in (predicted, target))
            error = error + self.bone_weight * mpjpe(*bones)
        return error


class _Trainer:
    """The state of one run, and the loop over it."""

    def __init__(self, model, data: PoseDataset, settings: Settings, output: Path | None, progress: bool):
        self.accelerator = make_accelerator(settings.mixed_precision)
        self.data, self.settings, self.output = data, settings, output
        self.training, self.held_out = split_validation(data.train(), settings.validation, settings.seed)
        self.progress = progress and self.accelerator.is_main_process
        self.run_ = TrainingRun(model, settings, output=output)
        half = settings.mixed_precision == "bf16" and self.accelerator.device.type != "cuda"  # autocast's there
        loss = _Loss(model, data.skeleton, settings, "bfloat16" if half else "float32")
        self.loss, self.optimizer = self.accelerator.prepare(loss, make_optimizer(model, settings))
        self.epoch, self.step, self.seconds = 0, 0, 0.0  # step counts within the epoch
        self.loss_sum = torch.zeros((), device=self.accelerator.device)
        self.best: dict | None = None

    def run(self, interrupted: threading.Event) -> TrainingRun:
        self._start_or_resume()
        windows = None
        while self.epoch < self.settings.epochs and not interrupted.is_set():
            if windows is None or self.data.redraw:
                every_frame = self.settings.supervise == "every"
                windows = self._windows(self._sequences(self.epoch), flip=self.settings.flip, every_frame=every_frame)
            self._train_epoch(windows, interrupted)
        self.run_.finished = self.epoch >= self.settings.epochs
        if self.run_.finished:
            self._finish()
        elif self.progress:
            where = f"and will go on from {self.output}" if self.output else "and was not saved: no output= was given"
            print(f"Stopped in epoch {self.epoch + 1} of {self.settings.epochs}, {where}.")
        return self.run_

    def _train_epoch(self, windows: Windows, interrupted: threading.Event) -> None:
        order = self._order(len(windows))
        batches = order.split(self.settings.batch_size)
        bar = self._bar(len(batches))
        started, saved = time.perf_counter(), time.perf_counter()
        self.run_.model.train()
        for index in batches[self.step :]:
            rate = learning_rate(self.settings, self.epoch * len(batches) + self.step, len(batches))
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            mine, share = self._my_part(index)
            poses_2d, target = windows.gather(mine.to(windows.poses_2d.device))

            loss = share * self.loss(poses_2d, target)
            self.optimizer.zero_grad(set_to_none=True)
            self.accelerator.backward(loss)
            self.optimizer.step()

            self.loss_sum += loss.detach()
            self.step += 1
            if bar.update(1):
                bar.set_postfix_str(f"{self._mean_loss_mm():.1f} mm", refresh=False)
            if interrupted.is_set() or (self.output and time.perf_counter() - saved > CHECKPOINT_SECONDS):
                self._check_loss()
                self._save(self.seconds + time.perf_counter() - started)
                saved = time.perf_counter()
            if interrupted.is_set():
                bar.close()
                return
        self.seconds += time.perf_counter() - started
        self._end_epoch(len(order), bar)

    def _my_part(self, index: Tensor) -> tuple[Tensor, float]:
        """This process's part of a batch's windows, and what its mean loss counts beside that of the others.

        The gradients of P processes are averaged: each counts 1, but in a last batch that does not divide, where a
        process that would have nothing takes a window that counts 0.
        """
        rank, processes = self.accelerator.process_index, self.accelerator.num_processes
        mine = index[rank::processes]
        return (mine if len(mine) else index[:1]), len(mine) * processes / len(index)

    def _check_loss(self) -> None:
        """Raises ValueError once loss or weights are not finite, so that a checkpoint never holds what comes after."""
        finite = all(weights.isfinite().all() for weights in self.run_.model.parameters())
        if not self.loss_sum.isfinite() or not finite:
            what = "the weights" if self.loss_sum.isfinite() else "the training error"
            value = "NaN or infinite" if self.loss_sum.isfinite() else self.loss_sum.item()
            saved = "; the last checkpoint still stands" if self.output and (self.output / NAME).is_file() else ""
            raise ValueError(
                f"{what} became {value} in epoch {self.epoch + 1}: lower the learning rate "
                f"(now {self.settings.learning_rate:g}){saved}"
            )

    def _end_epoch(self, windows_in_epoch: int, bar) -> None:
        self.loss_sum = self.accelerator.reduce(self.loss_sum, "mean")  # every process ends with the mean of all
        self._check_loss()
        row = {
            "epoch": self.epoch + 1,
            "windows": (self.epoch + 1) * windows_in_epoch,
            "seconds": round(self.seconds, 2),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "train_mm": self._mean_loss_mm(),
            "validation_mm": self._validate(),
        }
        self.run_.history.append(row)
        judged = self.settings.select == "best" and row["validation_mm"] is not None
        if judged and row["validation_mm"] == min(r["validation_mm"] for r in self.run_.history):
            self.best = {name: tensor.detach().clone() for name, tensor in self.run_.model.state_dict().items()}
        shown = "" if row["validation_mm"] is None else f", held out {row['validation_mm']:.1f} mm"
        bar.set_postfix_str(f"{row['train_mm']:.1f} mm{shown}")
        bar.close()
        self.epoch, self.step = self.epoch + 1, 0
        self.loss_sum.zero_()
        self._save(self.seconds)

    def _finish(self) -> None:
        if self.best is not None:
            self.run_.model.load_state_dict(self.best)
        self.run_.model.eval()
        if self.output and self.accelerator.is_main_process:
            self.run_.model.save_pretrained(self.output)
            with atomic_path(self.output / "history.csv") as path:
                self.run_.to_dataframe().to_csv(path, index=False)

    @torch.no_grad()
    def _validate(self) -> float | None:
        if not self.held_out:
            return None
        windows = self._windows(self.held_out)
        index = torch.linspace(0, len(windows) - 1, min(VALIDATION_WINDOWS, len(windows))).long()
        model = self.run_.model.eval()
        with self.accelerator.autocast():
            error = [
                mpjpe(model(poses_2d), target, reduce=False).mean(-1)
                for poses_2d, target in windows.batches(index, self.settings.batch_size)
            ]
        return 1000 * torch.cat(error).mean().item()

    def _windows(self, sequences, **kind) -> Windows:
        sequences = [sequence.seen_by(self.run_.model.input, self.data.fps) for sequence in sequences]
        return Windows(sequences, self.run_.model.num_frames, self.data.skeleton, self.accelerator.device, **kind)

    def _sequences(self, epoch: int):
        """The training takes, seen anew in each epoch where the data can do that."""
        if not self.data.redraw:
            return self.training
        kept = {(s.subject, s.action) for s in self.training}
        return [s for s in self.data.redraw(_mix(self.settings.seed, epoch)) if (s.subject, s.action) in kept]

    def _order(self, num_windows: int) -> Tensor:
        generator = torch.Generator().manual_seed(_mix(self.settings.seed, self.epoch))
        return torch.randperm(num_windows, generator=generator)[: self.settings.windows_per_epoch]

    def _mean_loss_mm(self) -> float:
        """Of this process's share of the windows."""
        return 1000 * self.loss_sum.item() / max(self.step, 1)

    def _bar(self, steps: int):
        from tqdm.auto import tqdm

        number, last = self.epoch + 1, self.settings.epochs
        look = {"desc": f"epoch {number}/{last}", "disable": not self.progress, "leave": number == last}
        return tqdm(total=steps, initial=self.step, **look)

    def _fingerprint(self) -> dict:
        """What a stopped run must share with the one that continues it."""
        model = self.run_.model
        pixels = sum(float(sequence.keypoints.sum(dtype=np.float64)) for sequence in self.training)
        return {
            "settings": asdict(self.settings),
            "model": {"class": type(model).__name__, **model.config},
            "weights": {name: list(tensor.shape) for name, tensor in model.state_dict().items()},
            "data": {
                "name": self.data.name,
                "keypoints": self.data.keypoint_source,
                "frames": sum(map(len, self.training)),
                "mean pixel": round(pixels / max(1, sum(s.keypoints.size for s in self.training)), 2),
            },
        }

    def _save(self, seconds: float) -> None:
        if not self.output or not self.accelerator.is_main_process:
            return
        scaler = self.accelerator.scaler
        save_checkpoint(
            self.output,
            fingerprint=self._fingerprint(),
            state={
                "weights": self.run_.model.state_dict(),
                "best": self.best,
                "optimizer": self.optimizer.state_dict(),
                "scaler": scaler.state_dict() if scaler else None,
                "epoch": self.epoch,
                "step": self.step,
                "seconds": seconds,
                "loss_sum": self.loss_sum,
                "history": self.run_.history,
                "randomness": randomness(),
            },
        )

    def _start_or_resume(self) -> None:
        state = load_checkpoint(self.output, self._fingerprint(), self.accelerator.device) if self.output else None
        if state is None:
            if self.settings.start == "prepared":
                prepare_start(self.run_.model)
            return
        self.run_.model.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        if state["scaler"]:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.best, self.run_.history = state["best"], state["history"]
        self.epoch, self.step, self.seconds = state["epoch"], state["step"], state["seconds"]
        self.loss_sum.copy_(state["loss_sum"])
        restore_randomness(state["randomness"])
        if self.progress:
            print(f"Going on from {self.output}, epoch {self.epoch + 1}, step {self.step}.")


def _mix(seed: int, epoch: int) -> int:
    """One seed out of two numbers, the same on every machine."""
    return (seed * 1_000_003 + epoch * 7919 + 12345) % 2**31
