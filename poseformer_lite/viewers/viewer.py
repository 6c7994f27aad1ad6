"""What all viewers share: a picture that is a function of the state, live where there is a kernel, still elsewhere."""

import base64
import io
import sys
from collections.abc import Callable
from copy import deepcopy
from importlib.resources import files

import ipywidgets
import matplotlib.pyplot as plt
import plotly.graph_objects as go
from IPython.display import display
from plotly.basedatatypes import BaseTraceType
from traitlets import Enum, HasTraits, Unicode

from poseformer_lite.checked import number
from poseformer_lite.model.heads import AttentionMaps
from poseformer_lite.skeleton import H36M17, Skeleton
from poseformer_lite.viewers import drawing
from poseformer_lite.viewers.given import Given, sizes_of, upright
from poseformer_lite.viewers.state import ViewState

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


class LiveFigure(go.FigureWidget):
    """plotly's figure, whole in the message that opens it, and ready to hear the next ones at once: see figure.js.

    plotly's own opens empty and sends its traces afterwards; on a slow machine that message was lost.
    """

    _esm = files(__package__).joinpath("figure.js").read_text(encoding="utf-8")
    _plotly = Unicode(str(getattr(go.FigureWidget, "_esm", ""))).tag(sync=True)  # plotly 5 has it in an extension
    _whole = False

    def __init__(self, spec: dict):
        super().__init__(go.Figure(spec))
        self._config = {**self._config, "typesetMath": False}  # where a page has MathJax
        self._whole = True
        self.open()

    def open(self) -> None:
        """Open the channel to the page, which plotly does before it has its traces."""
        if self._whole:
            super().open()


class Viewer(HasTraits):
    """A plain object that shows itself as one bundle: a sentence, a still picture, and the live widget.

    A subclass says what there is to see, as functions of the state and of traits of its own: `spec` gives plotly's
    data and layout as plain dictionaries, `still` the same in matplotlib, `describe` in words, `controls` the widgets
    to move it with, and `listen` ties the figure's own events to the state. Whenever a trait changes, what is different
    in the new spec is sent to the figure, and nothing else. `view` says from where the scene is seen, if there is one.
    """

    view = Enum(tuple(drawing.CAMERAS), "three quarters")

    def __init__(self, state: ViewState | None, sizes: dict, **traits):
        """state: of other viewers, or None for one of its own. sizes: what the state of this viewer is made with; a
        state of other sizes raises ValueError.
        """
        super().__init__(**traits)
        self.state = state or ViewState(**sizes)
        self.state.check_fits(**sizes)
        self._widget = self._figure = None
        self.state.observe(self._redraw)
        self.observe(self._redraw)

    def spec(self) -> dict:
        """{"data": [traces], "layout": {…}}, always as many traces with the same keys."""
        raise NotImplementedError

    def still(self) -> plt.Figure:
        """The same picture in matplotlib."""
        raise NotImplementedError

    def describe(self) -> str:
        """What is shown, in one sentence."""
        raise NotImplementedError

    def controls(self) -> list[ipywidgets.Widget]:
        """The widgets below the figure."""
        raise NotImplementedError

    def listen(self, figure: go.FigureWidget) -> None:
        """Tie hovering and clicking to the state."""

    @property
    def widget(self) -> ipywidgets.Widget:
        """The live figure above its controls, made on first use."""
        if self._widget is None:
            self._spec = self.spec()
            self._figure = LiveFigure(self._spec)
            self.listen(self._figure)
            bar = ipywidgets.HBox(self.controls(), layout={"flex_flow": "row wrap", "width": "100%"})
            self._widget = ipywidgets.VBox([self._figure, bar])
        return self._widget

    def tie(self, control: ipywidgets.Widget, name: str) -> ipywidgets.Widget:
        """Bind a control's value to a trait, of the state or of the viewer itself, both ways."""
        owner = self.state if self.state.has_trait(name) else self
        ipywidgets.link((owner, name), (control, "value"))
        return control

    def react(self, trace: BaseTraceType, hover: Callable | None = None, click: Callable | None = None) -> None:
        """Call hover and click with the number of the point of this trace that the mouse is over.

        plotly tells every trace of every event, with no point unless it is the one that was hit.
        """
        for register, answer in ((trace.on_hover, hover), (trace.on_click, click)):
            if answer is not None:
                register(lambda _, points, __, answer=answer: [answer(number) for number in points.point_inds[:1]])

    def look_by(self, figure: go.FigureWidget, *names: str) -> None:
        """Hovering a joint in the traces of these names looks at it, and a click holds on to it."""
        for trace in figure.data:
            if trace.name in names and trace.mode == "markers":
                self.react(trace, self.state.point_at, self.state.pin)

    def reset_view(self) -> None:
        """See the scene from where `view` says again, after it was turned with the mouse."""
        if self._figure is not None:
            self._figure.layout.scene.camera = self._spec["layout"]["scene"]["camera"]

    def _redraw(self, change) -> None:
        if self._figure is None:
            return
        before, self._spec = self._spec, self.spec()
        if self._spec == before:
            return
        layout = _changed(before["layout"], self._spec["layout"])
        if "scene" in layout:  # in parts: its camera, sent again, would undo how the learner has turned it
            layout["scene"] = _changed(before["layout"]["scene"], layout["scene"])
        with self._figure.batch_update():
            for trace, old, new in zip(self._figure.data, before["data"], self._spec["data"], strict=True):
                trace.update(_changed(old, new))
            self._figure.layout.update(layout)
        if hasattr(self._figure, "_widget_data"):  # what a page that is loaded again is given
            self._figure._widget_data = deepcopy(self._figure._data)
            self._figure._widget_layout = deepcopy(self._figure._layout)

    def _ipython_display_(self) -> None:
        if "google.colab" in sys.modules:  # else Colab shows no widget but its own
            sys.modules["google.colab"].output.enable_custom_widget_manager()
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        words = self.describe()
        with plt.rc_context({"text.parse_math": False}):  # a name with dollars in it is no TeX
            bundle = {"text/plain": words, "image/png": _png(self.still()), WIDGET_VIEW: view}
        display(bundle, raw=True, metadata={"image/png": {"alt": words}})

    def __repr__(self) -> str:
        return self.describe()


class StageViewer(Viewer):
    """One head of a stage beside a body.

    rows: (T, L, H, N, N) weights; top: (L, H), each head's largest over all frames; poses: (T, J, 3) metres, z up.
    """

    stage = "spatial"

    def __init__(
        self,
        maps: AttentionMaps,
        poses_3d: Given,
        skeleton: Skeleton = H36M17,
        fps: float = 50.0,
        world: bool = False,
        state: ViewState | None = None,
    ):
        if self.stage not in maps.stages:
            raise ValueError(f"these maps have no {self.stage} stage: give those of a network that has, as PoseFormer")
        sizes = sizes_of(maps, skeleton)
        self.rows = maps.stages[self.stage].cpu().numpy()
        self.top = self.rows.max(axis=(0, 3, 4))
        self.poses = upright("poses_3d", poses_3d, len(self.rows), skeleton, world)
        self.skeleton, self.fps = skeleton, number(fps, "fps", over=0)
        super().__init__(state, sizes)

    def title(self) -> str:
        """Which head and frame are shown."""
        raise NotImplementedError

    def strongest(self) -> str:
        """What is looked at, and the largest of its weights."""
        raise NotImplementedError

    def describe(self) -> str:
        return f"{self.title()}: {self.strongest()}"


def _changed(before: dict, after: dict) -> dict:
    """The entries that are new or different."""
    return {key: value for key, value in after.items() if before.get(key) != value}


def _png(figure: plt.Figure) -> str:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=80)
    plt.close(figure)  # or a notebook shows it a second time
    return base64.b64encode(file.getvalue()).decode()
