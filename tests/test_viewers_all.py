"""What holds for every viewer: named controls that can be driven to their ends, stills that follow, a light figure."""

import io
import json

import matplotlib.pyplot as plt
import pytest
import torch

pytest.importorskip("plotly", reason="needs the viewers' libraries: pip install -e '.[notebooks]'")

import ipywidgets as w
from helpers_data import tiny_dataset

import poseformer_lite as pfl
from poseformer_lite import viewers

SIZES = {"num_frames": 5, "spatial_dim": 8, "spatial_depth": 2, "temporal_depth": 2, "num_heads": 2, "drop_path": 0.0}


@pytest.fixture(scope="module")
def everything():
    """All viewers, on a small motion and an untrained network."""
    torch.manual_seed(0)
    model = pfl.PoseFormer(**SIZES).eval()
    for parameter in model.parameters():  # position embeddings begin at zero
        torch.nn.init.normal_(parameter, std=0.3)
    sequence = tiny_dataset().test()[0]
    in_world = sequence.camera.camera_to_world(sequence.poses_3d)
    truth = sequence.root_relative(0)
    poses_2d = torch.from_numpy(sequence.poses_2d())
    seen = pfl.view_attention(model, poses_2d)
    return {
        "motion": pfl.view_motion(model.predict_sequence(poses_2d), truth=truth, keypoints=sequence.keypoints),
        "heads": seen.heads,
        "spatial": seen.spatial,
        "temporal": seen.temporal,
        "ablation": viewers.AblationBoard(model, [sequence]),
        "depth ambiguity": viewers.DepthAmbiguityToy(sequence.poses_3d[0]),
        "camera": viewers.CameraToy(in_world[0]),
    }


NAMES = ("motion", "heads", "spatial", "temporal", "ablation", "depth ambiguity", "camera")


@pytest.fixture(params=NAMES)
def viewer(request, everything):
    return everything[request.param]


def controls_in(widget) -> list[w.Widget]:
    inner = [control for child in getattr(widget, "children", ()) for control in controls_in(child)]
    return inner if hasattr(widget, "children") else [] if hasattr(widget, "data") else [widget]


def settings_of(control) -> list:
    """The values to drive a control to: both ends, every option, on and off."""
    if hasattr(control, "options"):
        return [option[1] if isinstance(option, tuple) else option for option in control.options]
    if hasattr(control, "min"):
        return [control.max, control.min]
    return [not control.value, control.value]


def picture(viewer) -> bytes:
    file = io.BytesIO()
    figure = viewer.still()
    figure.savefig(file, format="raw", dpi=40)
    plt.close(figure)
    return file.getvalue()


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


def test_the_still_picture_follows_the_state(viewer):
    before = picture(viewer)
    if viewer.state.num_frames > 1:
        old, viewer.state.frame = viewer.state.frame, viewer.state.num_frames - 1 - viewer.state.frame // 2
        assert picture(viewer) != before
        viewer.state.frame = old
    else:
        viewer.state.joint = (viewer.state.joint + 1) % 17
        assert picture(viewer) != before


def test_no_picture_is_left_open(viewer, monkeypatch):
    from poseformer_lite.viewers import viewer as module

    bundles = []
    monkeypatch.setattr(module, "display", lambda bundle, **options: bundles.append(bundle))
    viewer._ipython_display_()
    assert plt.get_fignums() == []
    assert len(bundles[0]["text/plain"]) > 20
