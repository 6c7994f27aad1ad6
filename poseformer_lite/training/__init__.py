"""Training: the loop, its settings, the optimizer, checkpoints, and what the machine offers."""

from poseformer_lite.training.loop import TrainingRun, train
from poseformer_lite.training.settings import PRESETS, Settings, get_preset

__all__ = ["PRESETS", "Settings", "TrainingRun", "get_preset", "train"]
