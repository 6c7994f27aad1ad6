"""PoseFormer (arXiv 2103.10455), small enough to read and complete enough to rely on.

Names are loaded when they are first used, so that importing the package costs little more than importing torch.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "PoseFormer": "model.poseformer",
    "TemporalTransformerBaseline": "model.baselines",
    "MeanPose": "model.baselines",
    "load_network": "model",
    "attention_maps": "model.heads",
    "load_official": "model.official",
    "official_state_dict": "model.official",
    "load_dataset": "datasets",
    "PoseDataset": "datasets.base",
    "train": "training.loop",
    "Settings": "training.settings",
    "evaluate": "evaluation",
    "PoseLifter": "lifting.lifter",
    "Motion": "lifting.motion",
    "LiveStream": "lifting.live",
    "LiveLifter": "lifting.live",
    "joint_angles": "lifting.angles",
    "lift_video": "lifting.video",
    "get_skeleton": "skeleton",
    "view_motion": "viewers.motion",
    "view_attention": "viewers.attention",
    "export_html": "viewers.export",
}
_MODULES = (
    "metrics",
    "skeleton",
    "camera",
    "keypoints",
    "plots",
    "training",
    "datasets",
    "lifting",
    "model",
    "viewers",
)
__all__ = [*_HOME, *_MODULES]


def __getattr__(name: str):
    if name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: it has {', '.join(__all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
