"""What holds for every viewer: named controls that can be driven to their ends, stills that follow, a light figure."""

import json
from dataclasses import replace

import matplotlib.pyplot as plt
import pytest
import torch

pytest.importorskip("plotly", reason="needs the viewers' libraries: pip install -e '.[notebooks]'")

import ipywidgets as w
from helpers_data import tiny_dataset
from helpers_viewers import controls_in

import poseformer_lite as pfl
from poseformer_course import toys
from poseformer_lite.viewers import viewer as viewer_module

SIZES = {"num_frames": 5, "spatial_dim": 8, "spatial_depth": 2, "temporal_depth": 2, "num_heads": 2, "drop_path": 0.0}


@pytest.fixture(scope="module")
def everything():
    """All viewers, on a small motion and an untrained network."""
    torch.manual_seed(0)
    model = pfl.PoseFormer(**SIZES).eval()
    for parameter in model.parameters():  # position embeddings begin at zero
        torch.nn.init.normal_(parameter, std=0.3)
    sequence = tiny_dataset().test()[0]
    sequence = replace(sequence, keypoints=sequence.keypoints[:9], poses_3d=sequence.poses_3d[:9])
    in_world = sequence.camera.camera_to_world(sequence.poses_3d)
    truth = sequence.root_relative(0)
    poses_2d = torch.from_numpy(sequence.poses_2d())
    seen = pfl.view_attention(model, poses_2d)
    return {
        "motion": pfl.view_motion(model.predict_sequence(poses_2d), truth=truth, keypoints=sequence.keypoints),
        "heads": seen.heads,
        "spatial": seen.spatial,
        "temporal": seen.temporal,
        "ablation": toys.AblationBoard(model, [sequence]),
        "depth ambiguity": toys.DepthAmbiguityToy(sequence.poses_3d[0]),
        "camera": toys.CameraToy(in_world[0]),
    }


def test_dollars_in_a_name_are_no_tex(monkeypatch):
    shown = []
    monkeypatch.setattr(viewer_module, "display", lambda bundle, **_: shown.append(bundle))
    skeleton = replace(pfl.skeleton.H36M17, joints=("$x_{$", "a$b$", *pfl.skeleton.H36M17.joints[2:]))
    seen = pfl.view_attention(pfl.PoseFormer(**SIZES).eval(), torch.zeros(5, 17, 2), skeleton=skeleton)
    for viewer in (seen.heads, seen.spatial):
        viewer._ipython_display_()
        assert viewer.widget.children[0]._config["typesetMath"] is False
    assert all(bundle["image/png"] for bundle in shown) and len(shown) == 2


NAMES = ("motion", "heads", "spatial", "temporal", "ablation", "depth ambiguity", "camera")


@pytest.fixture(params=NAMES)
def viewer(request, everything):
    return everything[request.param]


def settings_of(control) -> list:
    """The values to drive a control to: both ends, every option, on and off."""
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if hasattr(control, "min"):
        return [control.max, control.min]
    return [not control.value, control.value]


def test_every_control_has_a_name(viewer):
    controls = [c for c in controls_in(viewer.widget) if not isinstance(c, (w.HTML, w.Label))]
    assert controls
    assert [type(c).__name__ for c in controls if not (c.description or getattr(c, "tooltip", ""))] == []


def test_every_control_can_be_driven_to_its_ends(viewer):
    for control in controls_in(viewer.widget):
        if isinstance(control, w.Button):
            control.click()
            control.click()
        elif not isinstance(control, (w.HTML, w.Label)):
            before = control.value
            for value in settings_of(control):
                control.value = value
                assert control.value == value, f"{control.description} cannot be set to {value}"
            control.value = before
    spec = viewer.spec()
    assert spec["data"], "and there is still something to see"


def test_what_is_sent_is_plain_and_light(viewer):
    text = json.dumps(viewer.spec(), allow_nan=False)
    assert len(text) < 400_000


def test_the_still_picture_follows_the_state_and_is_not_left_open(viewer, monkeypatch):
    bundles = []
    monkeypatch.setattr(viewer_module, "display", lambda bundle, **options: bundles.append(bundle))
    viewer._ipython_display_()
    name = "frame" if viewer.state.num_frames > 1 else "joint"
    setattr(viewer.state, name, 7)
    viewer._ipython_display_()
    setattr(viewer.state, name, 0)
    assert bundles[0]["image/png"] != bundles[1]["image/png"] and len(bundles[0]["text/plain"]) > 20
    assert plt.get_fignums() == []


def test_a_figure_is_whole_in_the_message_that_opens_it(monkeypatch):
    """What is sent afterwards is lost where a page takes long to load a figure's code."""
    opened = []
    monkeypatch.setattr(w.Widget, "open", lambda widget: opened.append((widget, widget.get_state())))
    figure = viewer_module.LiveFigure({"data": [{"type": "scatter", "y": [3, 4]}], "layout": {"title": {"text": "T"}}})
    (state,) = [state for widget, state in opened if widget is figure]
    data, layout = (state.get(f"_widget_{part}", state.get(f"_{part}")) for part in ("data", "layout"))
    assert (list(data[0]["y"]), layout["title"]["text"]) == ([3, 4], "T")
