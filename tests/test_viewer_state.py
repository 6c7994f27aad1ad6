"""The state that viewers share holds without any of them, and a viewer sends what changed and nothing else."""

import base64
import sys
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest
from traitlets import Int, TraitError

pytest.importorskip("plotly", reason="needs the viewers' libraries: pip install -e '.[notebooks]'")

import ipywidgets

from poseformer_lite.model.heads import Head
from poseformer_lite.viewers import Viewer, ViewState
from poseformer_lite.viewers import viewer as viewer_module

HEADS = {"spatial": (2, 4), "temporal": (3, 2)}


@pytest.fixture
def state():
    return ViewState(num_frames=5, num_joints=17, heads=HEADS)


@pytest.mark.parametrize(
    ("name", "last", "message"),
    [
        ("frame", 4, "frame is 5: there are 5, counted from 0 to 4"),
        ("joint", 16, "joint is 17: there are 17, counted from 0 to 16"),
        ("layer", 2, "layer is 3: there are 3, counted from 0 to 2"),
        ("head", 3, "head is 4: there are 4, counted from 0 to 3"),
    ],
)
def test_numbers_reach_their_ends_and_no_further(state, name, last, message):
    for value in (0, last):
        setattr(state, name, value)
    with pytest.raises(ValueError, match=message):
        setattr(state, name, last + 1)
    with pytest.raises(ValueError):
        setattr(state, name, -1)
    assert getattr(state, name) == last, "what was refused changed nothing"


def test_a_stage_that_is_not_there_is_refused():
    state = ViewState(heads={"temporal": (2, 2)})
    assert state.stage == "temporal", "the only stage is the one looked at"
    with pytest.raises(ValueError, match="there is no spatial stage here, only temporal"):
        state.stage = "spatial"
    with pytest.raises(ValueError, match="there is no spatial stage here"):
        state.select(Head("spatial", 0, 0))
    with pytest.raises(TraitError):
        state.stage = "both"


def test_each_stage_shows_a_head_that_it_has(state):
    state.layer, state.head = 2, 3
    assert state.head_in("spatial") == Head("spatial", 1, 3)
    assert state.head_in("temporal") == Head("temporal", 2, 1)


def test_hovering_follows_the_joint_until_one_is_pinned(state):
    state.point_at(3)
    assert (state.joint, state.pinned) == (3, False)
    state.pin(5)
    state.point_at(7)
    assert (state.joint, state.pinned) == (5, True)
    state.pin(8)
    assert (state.joint, state.pinned) == (8, True), "a click on another joint holds on to that one"
    state.pin(8)
    assert (state.joint, state.pinned) == (8, False)
    state.point_at(2)
    assert state.joint == 2


# The base of all viewers


class Dot(Viewer):
    """One point at (frame, size)."""

    size = Int(1)

    def spec(self):
        data = [{"type": "scatter", "x": [self.state.frame], "y": [self.size]}, {"type": "scatter", "x": [0], "y": [0]}]
        return {"data": data, "layout": {"title": {"text": self.describe()}}}

    def still(self):
        figure, ax = plt.subplots(figsize=(2, 2))
        ax.plot(self.state.frame, self.size, "o")
        return figure

    def describe(self):
        return f"frame {self.state.frame}"

    def controls(self):
        slider = ipywidgets.IntSlider(min=0, max=self.state.num_frames - 1, description="frame")
        size = ipywidgets.IntSlider(min=0, max=9, description="size")
        return [self.tie(slider, "frame"), self.tie(size, "size")]


@pytest.fixture
def dot(state):
    return Dot(state, {})


def parts(viewer):
    figure, bar = viewer.widget.children
    return figure, bar.children


def test_controls_and_state_are_tied_both_ways(dot, state):
    figure, (frame, size) = parts(dot)
    frame.value, size.value = 3, 7
    assert (state.frame, dot.size) == (3, 7)
    assert (figure.data[0].x, figure.data[0].y) == ((3,), (7,))
    state.frame = 4
    assert frame.value == 4
    assert figure.layout.title.text == "frame 4"


def test_only_what_changed_is_sent(dot, state, monkeypatch):
    figure, _ = parts(dot)
    sent = []
    monkeypatch.setattr(figure, "_send_update_msg", lambda *args, **kwargs: sent.append((args, kwargs)))
    state.frame = 2
    (message,) = sent
    assert "'x'" in str(message)
    assert "'y'" not in str(message)
    sent.clear()
    state.head = 1  # which this viewer does not show
    assert all("'x'" not in str(message) and "'title" not in str(message) for message in sent)


def test_a_page_that_is_loaded_again_gets_the_figure_of_now(dot, state):
    figure, _ = parts(dot)
    state.frame = 3
    held = figure.get_state()
    data = held.get("_widget_data") or held["_data"]
    assert list(data[0]["x"]) == [3]


def test_viewers_of_one_state_move_together(state):
    one, other = Dot(state, {}), Dot(state, {})
    (_, (slider, _)), (figure, _) = parts(one), parts(other)
    slider.value = 2
    assert figure.data[0].x == (2,)


def test_a_state_of_something_else_is_refused_and_without_one_a_viewer_has_its_own(state):
    sizes = {"num_frames": 5, "num_joints": 17, "heads": HEADS}
    assert Dot(state, sizes).state is state
    own = Dot(None, sizes).state
    assert (own.num_frames, own.num_joints, own.heads) == (5, 17, HEADS)
    for name, other, words in (
        ("num_frames", 6, "5 frames.* but .* of 6 frames"),
        ("num_joints", 15, "17 joints.* but .* 15 joints"),
        (
            "heads",
            {"temporal": (3, 2)},
            "2 x 4 spatial heads, 3 x 2 temporal heads, but .* joints, 3 x 2 temporal",
        ),
    ):
        with pytest.raises(ValueError, match=f"the state is of .*{words}.*: give the state of viewers of the same"):
            Dot(state, sizes | {name: other})


class Space(Dot):
    """A scene with a range of its own, seen from somewhere."""

    view = Int(1)

    def spec(self):
        camera = {"eye": {"x": self.view, "y": -1, "z": 0}, "center": {"x": 0, "y": 0, "z": 0}}
        scene = {"xaxis": {"range": [0, self.size]}, "camera": camera}
        data = [{"type": "scatter3d", "x": [self.state.frame], "y": [0], "z": [0]}]
        return {"data": data, "layout": {"scene": scene}}


def test_drawing_does_not_undo_how_the_mouse_has_turned_the_scene_and_a_button_does(state):
    viewer = Space(state, {})
    viewer.reset_view()  # there is nothing to turn yet
    figure, _ = parts(viewer)
    turned = {"eye": {"x": 0.5, "y": 0.5, "z": 2}, "center": {"x": 0.1, "y": 0, "z": 0}}
    figure.layout.scene.camera = turned  # what the browser tells when the mouse lets go
    state.frame, viewer.size = 3, 8
    assert figure.layout.scene.xaxis.range == (0, 8)
    assert figure.layout.scene.camera.to_plotly_json() == turned
    viewer.reset_view()
    assert figure.layout.scene.camera.to_plotly_json() == viewer.spec()["layout"]["scene"]["camera"]
    figure.layout.scene.camera = turned
    viewer.view = 2
    assert figure.layout.scene.camera.to_plotly_json() == viewer.spec()["layout"]["scene"]["camera"]


def test_an_error_in_a_viewer_is_not_swallowed(dot, state, monkeypatch):
    assert dot.widget
    monkeypatch.setattr(dot, "spec", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        state.frame = 1


def shown(viewer, monkeypatch) -> tuple[dict, dict]:
    displayed = []
    monkeypatch.setattr(viewer_module, "display", lambda *args, **options: displayed.append((args, options)))
    viewer._ipython_display_()
    (((bundle,), options),) = displayed
    assert options["raw"]
    return bundle, options["metadata"]


def test_one_bundle_of_words_picture_and_widget(dot, monkeypatch):
    bundle, metadata = shown(dot, monkeypatch)
    assert list(bundle) == ["text/plain", "image/png", "application/vnd.jupyter.widget-view+json"]
    assert bundle["text/plain"] == metadata["image/png"]["alt"] == "frame 0"
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == dot.widget.model_id
    assert plt.get_fignums() == [], "or the notebook would show it a second time"


def test_in_colab_widgets_of_other_makers_are_let_in_first(dot, monkeypatch):
    calls = []
    output = SimpleNamespace(enable_custom_widget_manager=lambda: calls.append("enabled"))
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace(output=output))
    shown(dot, monkeypatch)
    assert calls == ["enabled"]


def test_without_a_display_it_says_what_it_shows(dot):
    assert repr(dot) == "frame 0"
