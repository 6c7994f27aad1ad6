"""How a step changes the weights: the optimiser, and the learning rate over a run."""

import math

import torch

from poseformer_lite.model.base import LiftingNetwork
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.training.settings import Settings


def make_optimizer(model: LiftingNetwork, settings: Settings) -> torch.optim.Optimizer:
    """Adam or AdamW over the weights that learn, all of them updated in one kernel."""
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[settings.optimizer]
    weights = [p for p in model.parameters() if p.requires_grad]
    return kind(weights, lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True)


@torch.no_grad()
def prepare_start(model: PoseFormer) -> None:
    """A start from which a new PoseFormer learns sooner: `Settings.start` says what and why. In place."""
    if not isinstance(model, PoseFormer):
        raise ValueError(f'start="prepared" is about a PoseFormer, and this is a {type(model).__name__}')
    model.spatial.patch_embedding.weight.mul_(4)
    model.head.weighted_mean.weight.fill_(1 / model.num_frames)
    model.head.weighted_mean.bias.zero_()


def learning_rate(settings: Settings, step: int, steps_per_epoch: int) -> float:
    """The learning rate of a step, counted over the whole run."""
    rate = settings.learning_rate
    if step < settings.warmup_steps:
        return rate * (step + 1) / (settings.warmup_steps + 1)
    if settings.schedule == "exponential":
        return rate * settings.decay ** (step // steps_per_epoch)
    if settings.schedule == "cosine":
        total = settings.epochs * steps_per_epoch
        done = (step - settings.warmup_steps) / max(total - settings.warmup_steps, 1)
        return rate * (1 + math.cos(math.pi * done)) / 2
    return rate
