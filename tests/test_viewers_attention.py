"""The attention viewers show the rows as the network computed them, answer to the mouse, and move together."""

import json
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

pytest.importorskip("plotly", reason="needs the viewers' libraries: pip install -e '.[notebooks]'")

from helpers_viewers import controls_of, drawn, mouse, picture

import poseformer_lite as pfl
from poseformer_lite.model import MeanPose
from poseformer_lite.model.heads import AttentionMaps, Head, attention_maps
from poseformer_lite.skeleton import H36M17, get_skeleton
from poseformer_lite.viewers import HeadGrid, SpatialAttentionViewer, TemporalAttentionViewer, ViewState
from poseformer_lite.viewers import viewer as viewer_module
from poseformer_lite.viewers.drawing import z_up

T, F, J = 12, 5, 17
SIZES = {"num_frames": F, "num_heads": 2, "drop_path": 0.0}


def made_up_rows(T: int, N: int, L: int = 2, H: int = 2) -> torch.Tensor:
    """(T, L, H, N, N), rows that sum to one."""
    rows = np.random.default_rng(N).dirichlet(np.full(N, 0.3), (T, L, H, N))
    return torch.tensor(rows, dtype=torch.float32)


@pytest.fixture
def maps():
    """Two spatial and three temporal layers."""
    return AttentionMaps(made_up_rows(T, J), made_up_rows(T, F, L=3))


@pytest.fixture
def poses():
    return np.random.default_rng(0).normal(0, 0.4, (T, J, 3))


@pytest.fixture
def spatial(maps, poses):
    return SpatialAttentionViewer(maps, poses)


@pytest.fixture
def grid(maps):
    return HeadGrid(maps)


@pytest.fixture
def temporal(maps, poses):
    return TemporalAttentionViewer(maps, poses, WEIGHTS)


WEIGHTS = np.array([0.1, -0.2, 0.5, 0.3, 0.05])


def named(figure, name: str):
    return next(trace for trace in figure.data if trace.name == name)


def as_array(cells) -> np.ndarray:
    return np.array(cells, dtype=float)  # None becomes NaN


# Spatial attention


@pytest.mark.parametrize("joint", [0, 9, 16])
def test_hovering_a_row_and_hovering_a_joint_colour_the_joints_as_its_row(spatial, maps, joint):
    spatial.state.frame, spatial.state.layer, spatial.state.head = 7, 1, 0
    figure, expected = drawn(spatial), maps.spatial[7, 1, 0, joint].numpy()
    spatial.state.joint = (joint + 1) % J
    mouse(figure.data[0], "hover", (joint, 3))
    by_row = named(figure, "joints").marker.color
    np.testing.assert_allclose(by_row, expected, atol=1e-6)
    spatial.state.joint = (joint + 1) % J
    assert named(figure, "joints").marker.color != by_row
    mouse(named(figure, "joints"), "hover", joint)
    assert named(figure, "joints").marker.color == by_row


def test_links_lead_from_the_joint_to_those_it_attends_to_most_strongest_first(spatial, maps, poses):
    spatial.state.frame, spatial.state.joint = 3, 5
    links, upright = named(drawn(spatial), "links"), z_up(poses)[3]
    order = [other for other in maps.spatial[3, 0, 0, 5].argsort(descending=True).tolist() if other != 5][:5]
    ends = np.array([links.x, links.y, links.z], dtype=float).T.reshape(5, 3, 3)  # from, to, gap
    np.testing.assert_allclose(ends[:, 0], np.repeat(upright[None, 5], 5, axis=0), atol=1e-6)
    np.testing.assert_allclose(ends[:, 1], upright[order], atol=1e-6)


def test_a_click_pins_a_joint_until_it_is_clicked_again(spatial):
    figure = drawn(spatial)
    mouse(figure.data[0], "click", (4, 8))
    mouse(figure.data[0], "hover", (11, 8))
    assert (spatial.state.joint, spatial.state.pinned) == (4, True)
    assert "LHip (pinned)" in spatial.describe() and controls_of(spatial)["pinned"].value
    mouse(named(figure, "joints"), "click", 4)
    mouse(named(figure, "joints"), "hover", 11)
    assert (spatial.state.joint, spatial.state.pinned) == (11, False)


def test_the_heatmap_and_the_skeleton_follow_frame_and_head(spatial, maps, poses):
    figure = drawn(spatial)
    for frame, layer, head in ((0, 0, 0), (T - 1, 1, 1), (5, 0, 1)):
        spatial.state.frame, spatial.state.layer, spatial.state.head = frame, layer, head
        np.testing.assert_allclose(figure.data[0].z, maps.spatial[frame, layer, head], atol=1e-7)
        assert figure.data[0].zmax == pytest.approx(maps.spatial[:, layer, head].max().item(), abs=1e-6)
        joints = named(figure, "joints")
        np.testing.assert_allclose(np.array([joints.x, joints.y, joints.z]).T, z_up(poses)[frame], atol=1e-6)
        assert f"layer {layer} head {head}, frame {frame}" in spatial.describe()


def test_permuting_the_joints_permutes_what_the_viewer_shows(maps, poses):
    order = np.random.default_rng(3).permutation(J)
    there = AttentionMaps(maps.spatial[..., order, :][..., order], maps.temporal)
    before, after = SpatialAttentionViewer(maps, poses), SpatialAttentionViewer(there, poses[:, order])
    after.state.joint, before.state.joint = 6, int(order[6])
    colors = [np.array(viewer.spec()["data"][-2]["marker"]["color"]) for viewer in (before, after)]
    np.testing.assert_array_equal(colors[0][order], colors[1])


def test_spatial_stills_change_with_the_state(spatial):
    pictures = [picture(spatial)]
    for name, value in (("frame", 5), ("joint", 9)):
        setattr(spatial.state, name, value)
        pictures.append(picture(spatial))
    assert len(set(pictures)) == len(pictures)


def test_spatial_maps_and_poses_must_fit(maps, poses):
    with pytest.raises(ValueError, match="no spatial stage"):
        SpatialAttentionViewer(AttentionMaps(None, maps.temporal), poses)
    with pytest.raises(ValueError, match=r"\(11, 17, 3\).*expected \(12, 17, 3\)"):
        SpatialAttentionViewer(maps, poses[1:])
    with pytest.raises(ValueError, match="humaneva15 has 15 joints"):
        SpatialAttentionViewer(maps, poses, get_skeleton("humaneva15"))


def test_poses_of_the_world_and_tensors_with_gradients_are_drawn_as_they_are(maps, poses):
    world = torch.tensor(poses + [3.0, 4.0, 1.0], requires_grad=True)
    for viewer in (
        SpatialAttentionViewer(maps, world, world=True),
        TemporalAttentionViewer(maps, world, torch.tensor(WEIGHTS, requires_grad=True), world=True),
    ):
        np.testing.assert_array_equal(viewer.poses, world.detach())
    with pytest.raises(ValueError, match="expected root-relative poses. Subtract the root, or say world=True"):
        SpatialAttentionViewer(maps, world)


@pytest.mark.parametrize("viewer", [SpatialAttentionViewer, TemporalAttentionViewer, HeadGrid])
def test_maps_of_windows_gaps_rates_and_states_of_something_else_are_turned_down(maps, poses, viewer):
    def make(maps=maps, poses=poses, **rest):
        return viewer(maps, **rest) if viewer is HeadGrid else viewer(maps, poses, **rest)

    windows = AttentionMaps(made_up_rows(T * F, J), maps.temporal)
    with pytest.raises(ValueError, match="60 frames of 17 joints and 12 windows.*give attention_maps a sequence"):
        make(windows, np.zeros((T * F, J, 3)))
    with pytest.raises(ValueError, match="the state is of 11 frames, .* is of 12 frames"):
        make(state=ViewState(11, J, {"spatial": (2, 2), "temporal": (3, 2)}))
    with pytest.raises(ValueError, match="fps is 0, expected a finite number over 0"):
        make(fps=0)
    if viewer is not HeadGrid:
        poses[3, 2] = np.nan
        with pytest.raises(ValueError, match="RKnee in frame 3"):
            make(poses=poses)


def test_the_still_picture_has_the_colours_of_the_live_one(spatial):
    spatial.state.joint = int(spatial.map.max(axis=1).argmin())  # whose largest weight is far from the head's
    figure, top = spatial.still(), spatial.spec()["data"][0]["zmax"]
    (joints,) = [points for ax in figure.axes for points in ax.collections if np.size(points.get_array()) == J]
    heatmap = figure.axes[0].collections[0]
    assert joints.get_clim() == heatmap.get_clim() == pytest.approx((0, top), abs=1e-6)
    plt.close(figure)


# Head grid


@pytest.mark.parametrize("stage", ["spatial", "temporal"])
def test_every_tile_holds_the_rows_of_its_head_and_nothing_lies_between(grid, maps, stage):
    grid.state.stage, grid.state.frame = stage, 4
    rows = getattr(maps, stage).numpy()  # (T, L, H, N, N)
    (heatmap,) = grid.spec()["data"]
    weights, colors = as_array(heatmap["customdata"]), as_array(heatmap["z"])
    L, H, N = rows.shape[1:4]
    step = (weights.shape[1] + 1) // H  # the gap is one cell wide here
    assert weights.shape == colors.shape == (L * step - 1, H * step - 1) == (len(heatmap["y"]), len(heatmap["x"]))
    for layer, head in np.ndindex(L, H):
        tile = np.s_[layer * step : layer * step + N, head * step : head * step + N]
        np.testing.assert_allclose(weights[tile], rows[4, layer, head], atol=1e-6)
        np.testing.assert_allclose(colors[tile], rows[4, layer, head] / rows[:, layer, head].max(), atol=1e-6)
        weights[tile] = colors[tile] = np.nan
    assert np.isnan(weights).all() and np.isnan(colors).all()


def test_all_alike_makes_heads_comparable(grid, maps):
    grid.scaling = "all alike"
    (heatmap,) = grid.spec()["data"]
    assert heatmap["z"] == heatmap["customdata"]
    assert heatmap["zmax"] == pytest.approx(maps.spatial.max().item(), abs=1e-6)
    with pytest.raises(Exception, match="scaling"):
        grid.scaling = "somehow"


def test_the_mouse_is_told_layer_head_query_and_key(grid):
    (heatmap,) = grid.spec()["data"]
    assert (heatmap["y"][18 + 2], heatmap["x"][16]) == ("layer 1, query RKnee", "head 0, key RWrist")
    grid.state.stage = "temporal"
    (heatmap,) = grid.spec()["data"]
    assert heatmap["y"][:5] == [
        f"layer 0, query frame {f} ({o:+d})" for f, o in zip((0, 0, 0, 1, 2), range(-2, 3), strict=True)
    ]
    for names in (heatmap["x"], heatmap["y"]):
        assert len(set(names)) == len(names), "a category axis draws equal names as one"


def test_clicking_a_tile_opens_its_head_and_frames_it(grid):
    figure = drawn(grid)
    for stage, N in (("spatial", J), ("temporal", F)):
        grid.state.stage = stage
        layers, heads = grid.state.heads[stage]
        for layer, head in np.ndindex(layers, heads):
            for row, column in ((0, 0), (N - 1, N - 1), (N // 2, 0)):
                mouse(figure.data[0], "click", (layer * (N + 1) + row, head * (N + 1) + column))
                assert grid.state.head_in(stage) == Head(stage, layer, head) and grid.state.stage == stage
            (frame,) = figure.layout.shapes
            corners = (frame.x0, frame.y0, frame.x1, frame.y1)
            left, top = head * (N + 1) - 0.5, layer * (N + 1) - 0.5
            assert corners == (left, top, left + N, top + N)


def test_the_keyboard_reaches_every_head_of_either_stage(grid):
    named = controls_of(grid)
    assert set(named) == {"stage", "layer", "head", "play", "frame", "speed", "colours"}
    for stage, last in (("temporal", 2), ("spatial", 1), ("temporal", 2)):
        named["stage"].value = stage
        assert (named["layer"].max, named["head"].max) == (last, 1)
        named["layer"].value, named["head"].value = last, 1
        assert grid.state.head_in(stage) == Head(stage, last, 1)
    grid.state.select(Head("spatial", 0, 1))
    assert (named["stage"].value, named["layer"].value, named["head"].value) == ("spatial", 0, 1)
    for value in (T - 1, 0):
        named["frame"].value = value
        assert f"frame {value}" in grid.describe()
    for value in named["colours"].options:
        named["colours"].value = value
        assert grid.scaling == value
    assert grid.spec() == grid._spec


@pytest.mark.parametrize(("N", "size"), [(40, 1), (41, 2), (81, 3), (243, 7)])
def test_long_windows_are_drawn_in_means_of_blocks_and_stay_light(N, size):
    rows = made_up_rows(2, N, L=2, H=4)
    grid = HeadGrid(AttentionMaps(None, rows))
    grid.state.frame, n = 1, -(-N // size)
    blocks = [slice(start, start + size) for start in range(0, N, size)]  # the last one may be smaller
    expected = [[rows[1, 1, 2, a, b].mean().item() for b in blocks] for a in blocks]
    np.testing.assert_allclose(grid.tiles[1, 2], expected, atol=1e-6)
    (heatmap,) = grid.spec()["data"]
    assert np.nanmax(as_array(heatmap["z"])) <= 1 and len(grid.tokens) == n <= 40
    assert len(json.dumps(grid.spec(), allow_nan=False)) < 400_000
    assert (f"means of {size} by {size} tokens" in grid.legend()) == (size > 1)
    assert grid.tokens[0] == (
        f"frame 0 ({-(N // 2):+d})" + (f" to frame 0 ({size - 1 - N // 2:+d})" if size > 1 else "")
    )
    if size > 1:
        picture(grid)


def test_stills_of_the_grid_change_with_the_state(grid):
    pictures = [picture(grid)]
    for name, value in (("frame", 5), ("layer", 1), ("head", 1), ("stage", "temporal")):
        setattr(grid.state, name, value)
        pictures.append(picture(grid))
    grid.scaling = "all alike"
    pictures.append(picture(grid))
    assert len(set(pictures)) == len(pictures)


def test_other_bodies_are_turned_down(maps):
    with pytest.raises(ValueError, match="humaneva15 has 15 joints"):
        HeadGrid(maps, get_skeleton("humaneva15"))


# Temporal attention


def test_rows_weights_and_what_is_drawn_from_each_frame(temporal, maps):
    temporal.state.frame, temporal.center = 6, 7
    temporal.state.layer, temporal.state.head = 2, 1
    heatmap, weights, drawn_from = temporal.spec()["data"][:3]
    rows = maps.temporal[7, 2, 1].numpy()
    np.testing.assert_allclose(heatmap["z"], rows, atol=1e-6)
    np.testing.assert_allclose(weights["x"], WEIGHTS)
    expected = [sum(WEIGHTS[query] * rows[query, key] for query in range(F)) for key in range(F)]
    np.testing.assert_allclose(drawn_from["y"], expected, atol=1e-6)
    assert heatmap["x"] == heatmap["y"] == weights["y"] == drawn_from["x"]
    assert heatmap["x"] == ["frame 5 (-2)", "frame 6 (-1)", "frame 7 (+0)", "frame 8 (+1)", "frame 9 (+2)"]
    strongest = rows[1].argmax()
    assert f"frame 6 attends most to frame {5 + strongest} ({strongest - 2:+d})" in temporal.describe()
    assert f"draws most from frame {5 + np.abs(expected).argmax()}" in temporal.describe()


def test_without_weights_every_frame_counts_alike(maps, poses):
    viewer = TemporalAttentionViewer(maps, poses)
    np.testing.assert_allclose(viewer.frame_weights, [0.2] * 5)
    np.testing.assert_allclose(viewer.drawn_from, maps.temporal[0, 0, 0].mean(0), atol=1e-6)


def test_the_window_stays_while_the_frame_is_in_it_and_follows_when_it_leaves(temporal):
    drawn(temporal)
    centers = []
    for frame in (5, 3, 6, 7, 8, 9, 10, 0, 2, 11):
        temporal.state.frame = frame
        centers.append(temporal.center)
    assert centers == [5, 5, 5, 5, 8, 8, 8, 0, 0, 11]
    temporal.center = 9
    assert temporal.state.frame == 11
    temporal.center = 4
    assert temporal.state.frame == 4
    temporal.center = 6
    assert temporal.state.frame == 4
    with pytest.raises(ValueError, match="centre is 12: the frames are counted from 0 to 11"):
        temporal.center = T
    assert (temporal.center, temporal.state.frame) == (6, 4)


def test_what_is_drawn_agrees_with_the_state_at_every_step(temporal, maps, poses):
    figure = drawn(temporal)
    for frame in [*range(T), *range(T - 1, -1, -3), 6]:
        temporal.state.frame = frame
        joints = named(figure, "joints")
        np.testing.assert_allclose(np.array([joints.x, joints.y, joints.z]).T, z_up(poses)[frame], atol=1e-6)
        np.testing.assert_allclose(figure.data[0].z, maps.temporal[temporal.center, 0, 0], atol=1e-6)
        rows = np.flatnonzero(temporal.window == frame)
        (box,) = figure.layout.shapes
        assert (box.y0, box.y1, box.x0, box.x1) == (rows[0] - 0.5, rows[-1] + 0.5, -0.5, F - 0.5)
        lit = [place for place, color in enumerate(figure.data[2].marker.color) if color == "#CC79A7"]
        assert lit == rows.tolist() and f"window round frame {temporal.center}" in figure.layout.title.text


@pytest.mark.parametrize(("event", "point"), [("rows", (0, 4)), ("weights", 4), ("drawn from", 4)])
def test_a_click_makes_the_skeleton_jump_to_that_frame(temporal, poses, event, point):
    temporal.state.frame = 6
    figure = drawn(temporal)
    mouse(figure.data[("rows", "weights", "drawn from").index(event)], "click", point)
    assert (temporal.state.frame, temporal.center) == (8, 6)
    np.testing.assert_allclose(named(figure, "joints").x, z_up(poses)[8, :, 0], atol=1e-6)


def test_at_the_ends_the_window_repeats_the_first_or_last_frame(temporal):
    axis = temporal.spec()["layout"]["xaxis"]
    assert axis["ticktext"] == ["0", "0", "0", "1", "2"]
    box = temporal.spec()["layout"]["shapes"][0]
    assert (box["y0"], box["y1"]) == (-0.5, 2.5), "all tokens of the frame are its rows"
    row = temporal.map[2]  # and the one that is told of is not a repetition
    assert f"({row.argmax() - 2:+d}) {row.max():.2g}" in temporal.describe()
    temporal.jump(0)
    assert temporal.state.frame == 0
    temporal.state.frame = T - 1
    assert temporal.spec()["layout"]["xaxis"]["ticktext"] == ["9", "10", "11", "11", "11"]


@pytest.mark.parametrize("frames", [1, 9, 27, 81, 243])
def test_windows_of_any_length(frames):
    T = 4 if frames == 1 else 40
    rows = made_up_rows(1, frames, L=1, H=1).expand(T, 1, 1, frames, frames)
    viewer = TemporalAttentionViewer(AttentionMaps(None, rows), np.zeros((T, J, 3)))
    figure = drawn(viewer)
    for frame in (T // 2, T - 1, 0):
        viewer.state.frame = frame
        axis = viewer.spec()["layout"]["xaxis"]
        window = np.clip(np.arange(frames) - frames // 2 + viewer.center, 0, T - 1)
        assert [int(text) for text in axis["ticktext"]] == window[axis["tickvals"]].tolist()
        assert len(axis["tickvals"]) == frames if frames <= 27 else 10 <= len(axis["tickvals"]) <= 15
        assert frames // 2 in axis["tickvals"], "the centre is named"
        assert np.array(figure.data[0].z).shape == (frames, frames)
    assert len(json.dumps(viewer.spec(), allow_nan=False)) < 900_000
    if frames in (1, 243):
        picture(viewer)


def test_temporal_controls_have_names_and_reach_their_ends(temporal):
    named = controls_of(temporal)
    assert set(named) == {"play", "frame", "speed", "window round", "layer", "head", "seen from", "reset view"}
    for value in (T - 1, 0):
        named["window round"].value = value
        assert temporal.center == named["frame"].value == value
        named["frame"].value = T - 1 - value
        assert named["window round"].value == T - 1 - value
    named["layer"].value, named["head"].value = 2, 1
    assert "temporal layer 2 head 1" in temporal.describe()
    for view in named["seen from"].options:
        named["seen from"].value = view
        assert temporal.view == view
    assert temporal.spec() == temporal._spec


def test_temporal_stills_change_with_the_state(temporal):
    pictures = [picture(temporal)]
    for owner, name, value in (
        (temporal.state, "frame", 5),
        (temporal.state, "frame", 6),
        (temporal, "center", 7),
        (temporal.state, "layer", 1),
        (temporal.state, "head", 1),
    ):
        setattr(owner, name, value)
        pictures.append(picture(temporal))
    assert len(set(pictures)) == len(pictures)


def test_temporal_input_must_fit(maps, poses):
    with pytest.raises(ValueError, match=r"poses_3d is \(11, 17, 3\), expected \(12, 17, 3\)"):
        TemporalAttentionViewer(maps, poses[1:])
    with pytest.raises(ValueError, match=r"frame_weights is \(4,\), expected \(5,\)"):
        TemporalAttentionViewer(maps, poses, WEIGHTS[:4])


# All of them at once


def untrained(network, **sizes):
    torch.manual_seed(0)
    model = network(**SIZES, **sizes)
    for parameter in model.parameters():  # position embeddings begin at zero
        torch.nn.init.normal_(parameter, std=0.3)
    return model


@pytest.fixture
def model():
    return untrained(pfl.PoseFormer, spatial_dim=8, spatial_depth=2, temporal_depth=3)


@pytest.fixture
def baseline():
    return untrained(pfl.TemporalTransformerBaseline, dim=16, depth=2)


@pytest.fixture
def poses_2d():
    return np.random.default_rng(1).uniform(-0.5, 0.5, (T, J, 2))


def test_view_attention_holds_what_the_network_computed(model, poses_2d):
    seen = pfl.view_attention(model, poses_2d)
    assert model.training, "it is left in the mode that it was in"
    x = torch.from_numpy(poses_2d).float()
    own = attention_maps(model, x)
    torch.testing.assert_close(seen.maps.spatial, own.spatial, rtol=0, atol=0)
    torch.testing.assert_close(seen.maps.temporal, own.temporal, rtol=0, atol=0)
    np.testing.assert_allclose(seen.poses_3d, model.predict_sequence(x), atol=1e-6)
    np.testing.assert_allclose(seen.temporal.frame_weights, model.head.weighted_mean.weight.detach()[0, :, 0])
    again = pfl.view_attention(model, x.double())
    assert repr(again) == repr(seen) == "\n".join(v.describe() for v in (seen.heads, seen.spatial, seen.temporal))


def test_its_viewers_move_together_and_the_network_does_not_run_again(model, poses_2d):
    seen = pfl.view_attention(model, poses_2d)
    model.predict_sequence = model.embed_frames = model.forward_temporal = None  # would raise
    for viewer in seen.viewers:
        drawn(viewer)
    mouse(seen.heads._figure.data[0], "click", (18, 18))
    mouse(seen.spatial._figure.data[0], "hover", (4, 0))
    mouse(seen.temporal._figure.data[0], "click", (0, 4))
    assert seen.state.head_in("spatial") == Head("spatial", 1, 1)
    assert (seen.state.frame, seen.state.joint) == (2, 4)
    for viewer in seen.viewers:
        assert viewer._figure.to_plotly_json()["data"][0]["z"] == viewer.spec()["data"][0]["z"]
        assert "frame 2" in viewer.describe() and viewer.state is seen.state


def test_a_baseline_has_no_spatial_viewer_and_equal_weights(baseline, poses_2d):
    seen = pfl.view_attention(baseline, poses_2d)
    assert seen.spatial is None and seen.viewers == [seen.heads, seen.temporal]
    assert controls_of(seen.heads)["stage"].options == ("temporal",)
    np.testing.assert_allclose(seen.temporal.frame_weights, [0.2] * 5)


def test_displaying_it_displays_each_in_turn(model, poses_2d, monkeypatch):
    shown = []
    monkeypatch.setattr(viewer_module, "display", lambda bundle, **options: shown.append(bundle["text/plain"]))
    monkeypatch.setattr(viewer_module, "_png", lambda figure: plt.close(figure))
    seen = pfl.view_attention(model, poses_2d)
    seen._ipython_display_()
    assert shown == [viewer.describe() for viewer in seen.viewers]


def test_one_frame_is_enough(model, poses_2d):
    seen = pfl.view_attention(model, poses_2d[:1])
    for viewer in seen.viewers:
        drawn(viewer)
        picture(viewer)
    assert (seen.temporal.window == 0).all()


def test_a_state_can_be_shared_with_other_viewers_of_the_sequence(model, poses_2d):
    seen = pfl.view_attention(model, poses_2d)
    seen.state.frame = 7
    again = pfl.view_attention(model, poses_2d, state=seen.state)
    assert again.state is seen.state and again.temporal.center == 7
    with pytest.raises(ValueError, match="the state is of 12 frames, 17 joints, 2 x 2 spatial.* is of 10 frames"):
        pfl.view_attention(model, poses_2d[:10], state=seen.state)


def test_what_cannot_be_viewed_is_turned_down(model, poses_2d):
    for poses in (poses_2d[0], poses_2d[None], poses_2d[:, :15], poses_2d[:0], np.zeros((T, J, 3))):
        with pytest.raises(ValueError, match=r"expected \(T, 17, 2\) with T of 1 or more: one sequence"):
            pfl.view_attention(model, poses)
    with pytest.raises(ValueError, match="the network has 17 joints, but humaneva15 has 15"):
        pfl.view_attention(model, poses_2d, skeleton=get_skeleton("humaneva15"))
    with pytest.raises(ValueError, match="MeanPose has no attention"):
        pfl.view_attention(MeanPose(), poses_2d)
    poses_2d[4, 2] = np.nan
    with pytest.raises(ValueError, match="2 coordinates that are not finite: fill the gaps"):
        pfl.view_attention(model, poses_2d)


def test_other_bodies_are_drawn_by_their_own_joints():
    body = replace(H36M17, name="renamed", joints=tuple(f"joint {number}" for number in range(J)))
    model = untrained(pfl.PoseFormer, spatial_dim=4, spatial_depth=1, temporal_depth=1)
    seen = pfl.view_attention(model, np.zeros((2, J, 2)), skeleton=body)
    assert "joint 0" in seen.spatial.describe() and seen.heads.tokens[3] == "joint 3"


def test_a_viewer_that_a_change_does_not_concern_sends_nothing(grid, temporal, monkeypatch):
    for viewer in (grid, temporal):
        figure = drawn(viewer)
        monkeypatch.setattr(figure, "batch_update", lambda: pytest.fail("there is nothing to send"))
        viewer.state.joint = 9


def test_a_mistake_in_a_viewer_is_not_swallowed(grid, monkeypatch):
    figure = drawn(grid)
    with pytest.raises(ValueError, match="layer is 3"):
        mouse(figure.data[0], "click", (3 * 18, 0))
    monkeypatch.setattr(grid, "spec", lambda: {}["gone"])
    with pytest.raises(KeyError, match="gone"):
        grid.state.frame = 3


@pytest.mark.gpu
def test_the_network_may_be_on_a_gpu(model, poses_2d):
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    here, there = pfl.view_attention(model, poses_2d), pfl.view_attention(model.cuda(), poses_2d)
    np.testing.assert_allclose(there.poses_3d, here.poses_3d, atol=1e-4)
    torch.testing.assert_close(there.maps.spatial, here.maps.spatial, rtol=0, atol=1e-4)
    assert not there.maps.temporal.is_cuda and len(there.viewers) == 3


def test_a_state_has_room_for_both_stages(maps):
    state = HeadGrid(maps).state
    state.select(Head("temporal", 2, 0))
    assert state.head_in("spatial") == Head("spatial", 1, 0)
