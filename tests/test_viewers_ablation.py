"""The ablation board: its errors are those of the network with heads zeroed, and its switches do what they say."""

from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("plotly", reason="needs the viewers' libraries: pip install -e '.[notebooks]'")

import ipywidgets
from helpers_data import tiny_dataset
from helpers_viewers import controls_of, drawn, mouse, picture

import poseformer_lite as pfl
from poseformer_course.heads import HeadAblation, ablated, head_ablation
from poseformer_course.toys import AblationBoard
from poseformer_lite import metrics
from poseformer_lite.model.heads import Head
from poseformer_lite.skeleton import HUMANEVA15
from poseformer_lite.viewers import ViewState, drawing

SIZES = {"num_frames": 5, "spatial_dim": 8, "spatial_depth": 2, "temporal_depth": 1, "num_heads": 2, "drop_path": 0.0}
HEADS = [Head("spatial", 0, 0), Head("spatial", 0, 1), Head("spatial", 1, 0), Head("spatial", 1, 1)]
HEADS += [Head("temporal", 0, 0), Head("temporal", 0, 1)]


def trained_like(model):
    torch.manual_seed(0)
    for parameter in model.parameters():  # position embeddings begin at zero
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


@pytest.fixture(scope="module")
def model():
    return trained_like(pfl.PoseFormer(**SIZES))


@pytest.fixture(scope="module")
def sequences():
    whole = tiny_dataset().test()[:2]
    return [whole[0], replace(whole[1], keypoints=whole[1].keypoints[:20], poses_3d=whole[1].poses_3d[:20])]


@pytest.fixture
def board(model, sequences):
    return AblationBoard(model, sequences)


def test_switching_twice_leaves_a_head_on(board):
    board.switch(HEADS[4])
    board.switch(HEADS[3])
    assert board.ablated == (HEADS[3], HEADS[4]), "in the order of the network, not of the clicks"
    board.switch(HEADS[4])
    assert board.ablated == (HEADS[3],)
    with pytest.raises(ValueError, match="no spatial layer 0 head 4"):
        board.switch(Head("spatial", 0, 4))
    with pytest.raises(ValueError, match="no spatial layer 9 head 0"):
        board.ablated = (Head("spatial", 9, 0),)
    assert board.ablated == (HEADS[3],)


def error_mm(model, sequences, *off) -> float:
    """MPJPE over all frames of all sequences, by another way: all joints in one array."""
    with ablated(model, *off):
        lifted = [model.predict_sequence(torch.from_numpy(s.poses_2d())) for s in sequences]
    apart = [(p - torch.from_numpy(s.root_relative(0))).norm(dim=-1) for p, s in zip(lifted, sequences, strict=True)]
    return 1000 * torch.cat(apart).double().mean().item()


def named(spec: dict, name: str, mode: str = "markers") -> np.ndarray:
    trace = next(t for t in spec["data"] if t["name"] == name and t["mode"] == mode)
    return np.array([trace[axis] for axis in "xyz"], dtype=float).T


def test_with_all_heads_on_the_error_is_the_networks_to_the_last_bit(board, model, sequences):
    assert board.error == board.baseline == board.measured.error
    assert board.baseline == pytest.approx(error_mm(model, sequences), abs=1e-3)
    board.switch(HEADS[2])
    assert board.error != board.baseline
    board.switch(HEADS[2])
    assert board.error == board.baseline
    assert "(+0.0)" in board.totals()


@pytest.mark.parametrize("off", [HEADS[:1], HEADS[4:5], [HEADS[1], HEADS[5]], HEADS])
def test_errors_without_heads(board, model, sequences, off):
    for head in off:
        board.switch(head)
    assert board.error == pytest.approx(error_mm(model, sequences, *off), abs=1e-3)


def test_a_bar_is_what_switching_its_head_off_does(board):
    bars = board.spec()["data"][0]
    for head, change in zip(board.heads, bars["x"], strict=True):
        board.ablated = (head,)
        assert board.error - board.baseline == pytest.approx(change, abs=1e-3)
    assert [text for text in bars["text"]] == [f"{change:+.1f}" for change in board.measured.change.tolist()]


def test_the_skeletons_are_truth_network_and_network_without_heads(board, model, sequences):
    board.state.frame = 17
    board.ablated = (HEADS[1], HEADS[4])
    poses_2d = torch.from_numpy(sequences[0].poses_2d())
    spec = board.spec()
    np.testing.assert_allclose(named(spec, "truth"), drawing.z_up(sequences[0].root_relative(0)[17]), atol=1e-6)
    np.testing.assert_allclose(named(spec, "all heads"), drawing.z_up(model.predict_sequence(poses_2d)[17]), atol=1e-5)
    with ablated(model, HEADS[1], HEADS[4]):
        lifted = model.predict_sequence(poses_2d)[17]
    np.testing.assert_allclose(named(spec, "lifted"), drawing.z_up(lifted), atol=1e-5)
    here = 1000 * metrics.mpjpe(lifted, torch.from_numpy(sequences[0].root_relative(0)[17])).item()
    assert f"in this frame {here:.1f} mm" in board.describe()


def test_the_network_runs_once_for_each_choice_and_never_on_a_scrub(board, model, monkeypatch):
    runs = []
    lift = model.predict_sequence
    monkeypatch.setattr(model, "predict_sequence", lambda poses_2d: runs.append(1) or lift(poses_2d))
    assert board.widget is board.widget
    for frame in (3, 40, 59):
        board.state.frame = frame
    board.state.joint = 4
    assert not runs
    board.ablated = (HEADS[0], HEADS[3])
    board.ablated = (HEADS[3], HEADS[0])
    board.state.frame = 0
    assert len(runs) == 2  # two sequences
    board.all_on()
    assert len(runs) == 2


def test_switches_and_state_are_tied_both_ways(board):
    controls = controls_of(board)
    names = ["spatial 0.0", "spatial 0.1", "spatial 1.0", "spatial 1.1", "temporal 0.0", "temporal 0.1"]
    assert [name for name in controls if name in names] == names
    assert all(controls[name].value for name in names)
    controls["spatial 1.0"].value = False
    assert board.ablated == (HEADS[2],)
    board.switch(HEADS[5])
    assert not controls["temporal 0.1"].value and controls["temporal 0.1"].icon == "times"
    controls["spatial 1 off"].click()
    assert board.ablated == (HEADS[2], HEADS[3], HEADS[5])
    controls["spatial 1 off"].click()
    assert board.ablated == (HEADS[2], HEADS[3], HEADS[5])
    controls["all on"].click()
    assert board.ablated == () and all(controls[name].value for name in names)


def test_a_layer_goes_off_in_one_run(board, model, monkeypatch):
    assert board.widget is board.widget
    runs = []
    lift = model.predict_sequence
    monkeypatch.setattr(model, "predict_sequence", lambda poses_2d: runs.append(1) or lift(poses_2d))
    board.layer_off("spatial", 0)
    assert board.ablated == (HEADS[0], HEADS[1])
    assert len(runs) == 2


def test_clicking_a_bar_switches_its_head(board):
    bars = drawn(board, "heads")
    mouse(bars, "click", 4)
    assert board.ablated == (HEADS[4],)
    assert [bool(shape) for shape in bars.marker.pattern.shape] == [head == HEADS[4] for head in HEADS]
    mouse(bars, "click", 4)
    assert board.ablated == ()


def test_every_control_to_its_ends(board):
    for control in controls_of(board).values():
        if isinstance(control, ipywidgets.Button):
            control.click()
        for value in [getattr(control, "min", None), getattr(control, "max", None)]:
            if value is not None:
                control.value = value
        for option in getattr(control, "options", ()):
            control.value = option[1] if isinstance(option, tuple) else option
        if isinstance(control, ipywidgets.ToggleButton):
            control.value = not control.value
    assert len(board.spec()["data"]) == 13
    assert board.state.frame in (0, 59)


def test_the_still_picture_changes_with_frame_and_heads(board):
    first = picture(board)
    board.state.frame = 30
    second = picture(board)
    board.switch(HEADS[0])
    third = picture(board)
    assert len({first, second, third}) == 3


def test_the_baseline_has_temporal_heads_only(sequences):
    board = AblationBoard(trained_like(pfl.TemporalTransformerBaseline.sized_like(SIZES)), sequences)
    assert {head.stage for head in board.heads} == {"temporal"}
    assert "temporal 0 off" in controls_of(board)
    board.switch(board.heads[0])
    assert board.error != board.baseline


def test_many_heads_have_a_name_for_each_layer(sequences):
    model = trained_like(pfl.PoseFormer(**SIZES | {"spatial_depth": 4, "temporal_depth": 3, "num_heads": 4}))
    board = AblationBoard(model, sequences[1:])
    spec = board.spec()
    layers = [f"spatial {layer}.0" for layer in range(4)] + [f"temporal {layer}.0" for layer in range(3)]
    assert spec["layout"]["yaxis"]["ticktext"] == layers
    assert len(spec["data"][0]["x"]) == 28
    assert picture(board)


def test_a_measurement_can_be_handed_over(model, sequences, monkeypatch):
    measured = head_ablation(model, sequences, progress=False)
    monkeypatch.setattr("poseformer_course.toys.ablation_board.head_ablation", None)  # not measured again
    board = AblationBoard(model, sequences, measured=measured)
    assert board.measured is measured
    board.switch(HEADS[3])
    assert board.error - board.baseline == pytest.approx(measured.change[3].item(), abs=1e-3)


def test_progress_is_shown_only_where_it_takes_long(board, model, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "poseformer_course.toys.ablation_board.head_ablation", lambda *args, progress, **rest: asked.append(progress)
    )
    clock = iter([0.0, 0.1, 0.0, 0.2])
    monkeypatch.setattr("poseformer_course.toys.ablation_board.time.perf_counter", lambda: next(clock))
    board._measure(), board._measure()
    assert asked == [False, True]  # six heads of 0.1 s each, and of 0.2 s each


def test_bad_input(model, sequences):
    with pytest.raises(ValueError, match="MeanPose has no heads to switch off"):
        AblationBoard(pfl.MeanPose(5), sequences)
    with pytest.raises(ValueError, match="sequences have no joints"):
        AblationBoard(model, [])
    with pytest.raises(ValueError, match=r"sequences have \[17, 17\] joints: expected one or more, of 15 joints"):
        AblationBoard(model, sequences, HUMANEVA15)
    with pytest.raises(ValueError, match="2D keypoints only"):
        AblationBoard(model, [replace(sequences[0], poses_3d=None)])
    with pytest.raises(ValueError, match="the state is of 7 frames"):
        AblationBoard(model, sequences, state=ViewState(7, 17, {"spatial": (2, 2), "temporal": (1, 2)}))
    with pytest.raises(ValueError, match="joints, 1 x 2 temporal heads, but .* 2 x 2 spatial heads, 1 x 2"):
        AblationBoard(model, sequences, state=ViewState(60, 17, {"temporal": (1, 2)}))
    other = HeadAblation(HEADS[:2], torch.tensor([60, 20]), torch.zeros(2), torch.zeros(2, 2))
    with pytest.raises(ValueError, match="measured is of 2 heads .* expected all 6 heads"):
        AblationBoard(model, sequences, measured=other)
