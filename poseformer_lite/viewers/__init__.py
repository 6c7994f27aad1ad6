"""Interactive pictures, each with a still twin: motions and attention."""

from importlib import import_module

_HOME = {
    "ViewState": "state",
    "Viewer": "viewer",
    "MotionViewer": "motion",
    "SpatialAttentionViewer": "spatial",
    "TemporalAttentionViewer": "temporal",
    "HeadGrid": "heads",
    "view_motion": "motion",
    "view_attention": "attention",
    "export_html": "export",
}
__all__ = list(_HOME)


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}: it has {', '.join(__all__)}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
