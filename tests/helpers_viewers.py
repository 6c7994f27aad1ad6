"""What the tests of the viewers have in common: a still picture as bytes, the controls, and the mouse."""

import io

import matplotlib.pyplot as plt
from plotly.callbacks import Points


def picture(viewer) -> bytes:
    """The still picture, small and with nothing moved to make room, which takes half the time."""
    figure = viewer.still()
    figure.set_layout_engine("none")
    file = io.BytesIO()
    figure.savefig(file, format="raw", dpi=25)
    plt.close(figure)
    return file.getvalue()


def controls_in(widget) -> list:
    """All widgets within one that can be set or pressed."""
    if not hasattr(widget, "children"):
        return [] if hasattr(widget, "data") else [widget]
    return [control for child in widget.children for control in controls_in(child)]


def controls_of(viewer) -> dict:
    """The controls of a viewer by their names, of which no two are the same."""
    controls = controls_in(viewer.widget)
    named = {control.description: control for control in controls}
    assert len(named) == len(controls) and "" not in named
    return named


def drawn(viewer, name: str | None = None, mode: str | None = None):
    """The live figure, made if there is none yet, or its first trace of a name and a mode."""
    figure = viewer.widget.children[0]
    return next(t for t in figure.data if t.name == name and (not mode or t.mode == mode)) if name else figure


def mouse(trace, event: str, point) -> None:
    """What plotly does when the browser tells of a point of a trace: (row, column) of a heatmap, else a number."""
    points = Points(point_inds=[point], xs=[None], ys=[None], trace_name=trace.name, trace_index=0)
    getattr(trace, f"_dispatch_on_{event}")(points, None)
