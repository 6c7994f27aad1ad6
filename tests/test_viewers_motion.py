"""The motion viewer draws the given coordinates of any body, with the truth, the errors and the input beside them."""

import json
import time

import matplotlib
import numpy as np
import pytest
import torch

pytest.importorskip("plotly", reason="needs the viewers' libraries: pip install -e '.[notebooks]'")
matplotlib.use("agg")

import matplotlib.pyplot as plt
import plotly.graph_objects as go
from helpers_data import tiny_dataset
from helpers_viewers import controls_of, picture

import poseformer_lite as pfl
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.skeleton import COCO17, H36M17, HUMANEVA15, MPI_INF_3DHP17, SKELETONS
from poseformer_lite.viewers import MotionViewer, ViewState, drawing
from poseformer_lite.viewers import motion as motion_module

SEQUENCE = tiny_dataset().test()[0]
T = 12
TRUTH = SEQUENCE.root_relative(0)[:T].astype(float)  # (T, 17, 3)
POSES = TRUTH + np.random.default_rng(0).normal(0, 0.03, TRUTH.shape)
KEYPOINTS = SEQUENCE.keypoints[:T, :, :2]
ERROR = 1000 * np.linalg.norm(POSES - TRUTH, axis=-1)


@pytest.fixture
def viewer():
    yield pfl.view_motion(POSES, TRUTH, keypoints=KEYPOINTS)
    plt.close("all")


def made_up(skeleton, frames: int = 4, axes: int = 3) -> np.ndarray:
    return np.random.default_rng(1).uniform(-0.8, 0.8, (frames, skeleton.num_joints, axes))


def trace(viewer, name: str) -> dict:
    (found,) = [trace for trace in viewer.spec()["data"] if trace["name"] == name]
    return found


def bones(viewer, name: str) -> list[dict]:
    return [trace for trace in viewer.spec()["data"] if trace["name"] == name and trace["mode"] == "lines"]


def points(trace: dict) -> np.ndarray:
    return np.array([trace[axis] for axis in "xyz" if axis in trace], dtype=float).T


def point_at(viewer, name: str, number, click: bool = False) -> None:
    """What the page tells the kernel when the mouse is over, or clicks, a point of a trace."""
    figure = viewer.widget.children[0]
    (index,) = [index for index, trace in enumerate(figure.data) if trace.name == name]
    figure._js2py_pointsCallback = {
        "event_type": "plotly_click" if click else "plotly_hover",
        "points": {"trace_indexes": [index], "point_indexes": [number], "xs": [0.0], "ys": [0.0]},
    }


# What is drawn


def test_the_joints_in_space_and_in_the_image_are_those_of_the_frame(viewer):
    for frame in (0, 3, T - 1):
        viewer.state.frame = frame
        np.testing.assert_allclose(points(trace(viewer, "joints")), drawing.z_up(POSES[frame]), atol=1e-6)
        np.testing.assert_allclose(points(trace(viewer, "true joints")), drawing.z_up(TRUTH[frame]), atol=1e-6)
        np.testing.assert_allclose(points(trace(viewer, "joints in the image")), KEYPOINTS[frame], atol=1e-5)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_any_body_has_all_its_bones_and_its_sides_differ_without_colour(skeleton):
    poses = made_up(skeleton)
    viewer = pfl.view_motion(poses, poses + 0.01, keypoints=made_up(skeleton, axes=2), skeleton=skeleton)
    for name, expected in (("prediction", poses[0]), ("truth", poses[0] + 0.01), ("keypoints", None)):
        drawn = bones(viewer, name)
        assert sum(line["x"].count(None) for line in drawn) == len(skeleton.bones)
        if expected is not None:
            for line, side in zip(drawn, drawing.SIDES, strict=True):
                ends = [bone for bone in skeleton.bones if skeleton.side(bone[1]) == side]
                expected_ends = drawing.z_up(expected)[np.array(ends).ravel()] if ends else np.empty((0, 3))
                drawn_ends = points(line).reshape(-1, 3)
                np.testing.assert_allclose(drawn_ends[~np.isnan(drawn_ends[:, 0])], expected_ends, atol=1e-6)
    left, right, _ = bones(viewer, "prediction")
    assert left["line"]["dash"] != right["line"]["dash"]
    viewer.arrangement = "side by side"
    left, right, _ = bones(viewer, "truth")
    assert left["line"]["color"] == right["line"]["color"]
    assert left["line"]["dash"] != right["line"]["dash"]


@pytest.mark.parametrize("skeleton", [HUMANEVA15, COCO17], ids=lambda skeleton: skeleton.name)
def test_another_body_has_a_still_picture(skeleton):
    poses = made_up(skeleton)
    viewer = pfl.view_motion(poses, poses + 0.01, keypoints=made_up(skeleton, axes=2), skeleton=skeleton)
    viewer.arrangement = "side by side"
    scene, image = viewer.still().axes[1], viewer.still().axes[0]
    assert len([line for line in scene.lines if len(line.get_data_3d()[0]) == 2]) == 2 * len(skeleton.bones)
    assert len([line for line in image.lines if len(line.get_xdata()) == 2]) == len(skeleton.bones)
    assert image.get_xlabel() == "x normalised"
    plt.close("all")


@pytest.mark.parametrize(
    ("skeleton", "ends"),
    [
        (H36M17, {"RFoot", "LFoot", "Head", "LWrist", "RWrist"}),
        (HUMANEVA15, {"LWrist", "RWrist", "LAnkle", "RAnkle", "Head"}),
        (MPI_INF_3DHP17, {"HeadTop", "RWrist", "LWrist", "RAnkle", "LAnkle"}),
        (COCO17, {"LEar", "REar", "LWrist", "RWrist", "LAnkle", "RAnkle"}),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_trails_follow_hands_feet_and_head(skeleton, ends):
    poses = made_up(skeleton, frames=9)
    viewer = pfl.view_motion(poses, skeleton=skeleton)
    viewer.state.frame, viewer.trail = 7, 3
    leaves = [joint for joint, name in enumerate(skeleton.joints) if name in ends]
    paths = points(trace(viewer, "trails")).reshape(len(ends), 5, 3)  # frames 4 to 7 and a gap
    assert np.isnan(paths[:, -1]).all()
    np.testing.assert_allclose(paths[:, :-1], drawing.z_up(poses[4:8, leaves]).swapaxes(0, 1), atol=1e-6)
    viewer.trail = 50
    assert points(trace(viewer, "trails")).shape == (len(ends) * 9, 3), "no more than there are, and a gap"


def test_errors_are_colours_on_a_scale_that_stays(viewer):
    assert viewer.top == pytest.approx(np.percentile(ERROR, 95))
    for frame in (0, T - 1):
        viewer.state.frame = frame
        for name in ("joints", "joints in the image"):
            marker = trace(viewer, name)["marker"]
            np.testing.assert_allclose(marker["color"], ERROR[frame], atol=0.01)
            assert (marker["cmin"], marker["cmax"]) == (0, viewer.top)
    assert trace(viewer, "joints")["marker"]["showscale"], "one colour bar"
    assert not trace(viewer, "joints in the image")["marker"]["showscale"]
    viewer.errors = False
    marker = trace(viewer, "joints")["marker"]
    assert not marker["showscale"]
    assert set(marker["color"]) == {"#333333", drawing.CHOSEN}


def test_the_figures_of_the_title_the_curve_and_the_words_are_right(viewer):
    viewer.state.frame, viewer.state.joint = 4, 16
    assert f"frame 4 at 0.08 s, MPJPE {ERROR[4].mean():.0f} mm" in viewer.spec()["layout"]["title"]["text"]
    assert viewer.describe() == (
        f"Motion of h36m17, frame 4 at 0.08 s, MPJPE {ERROR[4].mean():.0f} mm: RWrist is {ERROR[4, 16]:.0f} mm from "
        f"the truth, in a motion of {T} frames at 50 Hz with MPJPE {ERROR.mean():.0f} mm"
    )
    np.testing.assert_allclose(trace(viewer, "error")["z"], [ERROR.mean(axis=1)], atol=0.01)
    line, here = [drawn for drawn in viewer.spec()["data"] if drawn["name"] == "error over time"]
    np.testing.assert_allclose(line["y"], ERROR.mean(axis=1), atol=0.01)
    assert here["x"] == [4, 4, 4]
    assert here["y"][1] == pytest.approx(ERROR[4].mean(), abs=0.01)


@pytest.mark.parametrize("view", drawing.CAMERAS)
def test_side_by_side_the_truth_stands_to_the_right_and_clear_of_the_prediction(viewer, view):
    viewer.arrangement, viewer.view = "side by side", view
    away = viewer.aside
    x, y, z = drawing.CAMERAS[view]
    right = np.cross([-x, -y, -z], [0, 0, 1])  # of who looks from there
    assert away @ right > 0 and away[2] == 0 and abs(away @ [x, y, 0]) < 1e-9
    for frame in (0, T // 2, T - 1):
        viewer.state.frame = frame
        predicted, true = points(trace(viewer, "joints")), points(trace(viewer, "true joints"))
        np.testing.assert_allclose(true, drawing.z_up(TRUTH[frame]) + away, atol=1e-6)
        assert (true @ away).min() > (predicted @ away).max()
        scene = viewer.spec()["layout"]["scene"]
        for axis, values in zip("xyz", np.concatenate([predicted, true]).T, strict=True):
            low, high = scene[f"{axis}axis"]["range"]
            assert low < values.min() and values.max() < high


def test_in_the_place_of_the_truth_nothing_is_called_truth_error_or_mpjpe():
    viewer = pfl.view_motion(POSES, TRUTH, truth_name="VideoPose3D")
    seen = json.dumps(viewer.spec()["layout"]) + json.dumps([trace(viewer, name) for name in ("joints", "true joints")])
    words = [
        viewer.describe(),
        *controls_of(viewer),
        *(getattr(c, "tooltip", None) or "" for c in controls_of(viewer).values()),
    ]
    assert "VideoPose3D" in controls_of(viewer) and "VideoPose3D wide and grey" in viewer.legend()
    assert (
        f"mean distance {ERROR[0].mean():.0f} mm: Hip is {ERROR[0, 0]:.0f} mm from VideoPose3D, in a motion"
        in viewer.describe()
    )
    assert trace(viewer, "true joints")["text"][3] == "RFoot, VideoPose3D"
    still = viewer.still()
    words += [text.get_text() for text in still.findobj(plt.Text)]
    assert "mean distance in mm" in words and "distance in mm" in words
    plt.close(still)
    for text in [*words, seen.replace('"true joints"', "")]:
        assert not any(word in text for word in ("truth", "true joint", "error", "MPJPE")), text


def test_the_truth_can_be_hidden_and_the_curve_stays(viewer):
    viewer.arrangement = "prediction only"
    assert {drawn["visible"] for drawn in viewer.spec()["data"] if drawn["name"] in ("truth", "true joints")} == {False}
    assert "truth" not in viewer.legend()
    assert trace(viewer, "error")["z"]


def test_while_it_plays_ranges_and_keys_stay_and_all_is_plain(viewer):
    def shape(spec):
        return [sorted(trace) for trace in spec["data"]], sorted(spec["layout"])

    first = viewer.spec()
    axes = [key for key in first["layout"] if "axis" in key or key == "scene"]
    assert len(axes) == 5, "a scene, an image and a curve"
    for frame in range(T):
        viewer.state.frame = frame
        spec = viewer.spec()
        assert all(spec["layout"][key] == first["layout"][key] for key in axes)
        assert shape(spec) == shape(first)
        json.dumps(spec, allow_nan=False)
    for name, value in (("errors", False), ("trail", 5), ("arrangement", "side by side"), ("view", "above")):
        setattr(viewer, name, value)
        assert shape(viewer.spec()) == shape(first)


def test_without_keypoints_and_truth_the_scene_fills_the_figure():
    viewer = pfl.view_motion(POSES)
    layout = viewer.spec()["layout"]
    assert layout["scene"]["domain"] == {"x": [0.0, 1.0], "y": [0.0, 1.0]}
    assert not [key for key in layout if key.startswith(("xaxis", "yaxis"))]
    assert "MPJPE" not in viewer.describe()
    x, y, z = drawing.z_up(POSES[0, 0])
    assert f"Hip is at x {x:.2f}, y {y:.2f} and height {z:.2f} m".replace("-0.00", "0.00") in viewer.describe()


@pytest.mark.parametrize("given", [{}, {"truth": TRUTH}, {"keypoints": KEYPOINTS}, {"truth": 1, "keypoints": 1}])
def test_what_shares_the_figure_does_not_overlap(given):
    everything = {"truth": TRUTH, "keypoints": KEYPOINTS}
    layout = pfl.view_motion(POSES, **{name: everything[name] for name in given}).spec()["layout"]
    areas = [(layout["scene"]["domain"]["x"], layout["scene"]["domain"]["y"])]
    for number in ("", "2"):
        if f"xaxis{number}" in layout:
            areas.append((layout[f"xaxis{number}"]["domain"], layout[f"yaxis{number}"]["domain"]))
    assert len(areas) == 1 + len(given)
    for index, (x, y) in enumerate(areas):
        for other_x, other_y in areas[:index]:
            assert x[1] < other_x[0] or other_x[1] < x[0] or y[1] < other_y[0] or other_y[1] < y[0]


# What it is given


def test_a_motion_brings_its_own(viewer):
    motion = Motion(POSES.astype(np.float32), KEYPOINTS, fps=25.0, width=1000, height=1000)
    viewer = pfl.view_motion(motion, truth=Motion(TRUTH, KEYPOINTS, 25.0, 1000, 1000))
    assert "at 25 Hz" in viewer.describe() and viewer.unit == "in pixels"
    np.testing.assert_allclose(points(trace(viewer, "joints")), drawing.z_up(POSES[0]), atol=1e-6)
    np.testing.assert_allclose(viewer.error, ERROR, atol=1e-3)
    in_world = pfl.view_motion(motion)
    assert in_world.world and np.abs(in_world.poses - motion.world()).max() < 1e-6
    seen = pfl.view_motion(motion, world=False)
    np.testing.assert_allclose(seen.poses, drawing.z_up(motion.poses_3d))
    both = pfl.view_motion(motion, truth=motion, world=True)
    assert both.error.max() == 0 and both.truth is not both.poses


def test_tensors_with_gradients_and_poses_of_the_world():
    predicted = torch.tensor(POSES, dtype=torch.float32, requires_grad=True)
    viewer = pfl.view_motion(predicted, torch.tensor(TRUTH), keypoints=torch.rand(T, 17, 2) * 2 - 1)
    np.testing.assert_allclose(viewer.error, ERROR, atol=1e-3)
    assert viewer.unit == "normalised"
    assert viewer.spec()["layout"]["xaxis"]["title"]["text"] == "x normalised"
    world = POSES + [3.0, 4.0, 1.0]
    np.testing.assert_allclose(points(trace(pfl.view_motion(world, world=True), "joints")), world[0], atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_truth_on_another_device():
    np.testing.assert_allclose(pfl.view_motion(POSES, torch.tensor(TRUTH, device="cuda")).error, ERROR, atol=1e-3)


def test_one_frame_and_no_error_at_all():
    viewer = pfl.view_motion(POSES[:1], POSES[:1], keypoints=KEYPOINTS[:1])
    assert viewer.widget is not None and viewer.top == 1.0
    assert "MPJPE 0 mm" in viewer.describe()
    assert picture(viewer)
    go.Figure(viewer.spec())


def test_what_is_given_is_not_changed_and_not_held():
    poses = POSES.copy()
    viewer = pfl.view_motion(poses, world=True)
    poses[:] = 0
    np.testing.assert_allclose(viewer.poses, POSES)


def holed(values: np.ndarray) -> np.ndarray:
    values = np.array(values, dtype=float)
    values[2, 13] = np.nan
    return values


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"motion_or_poses_3d": POSES[0]}, r"poses_3d is \(17, 3\), expected \(17, 17, 3\)"),
        ({"motion_or_poses_3d": POSES[..., :2]}, r"poses_3d is \(\d+, 17, 2\)"),
        ({"motion_or_poses_3d": POSES[:0]}, r"poses_3d is \(0, 17, 3\), expected \(1, 17, 3\).*at least one"),
        ({"motion_or_poses_3d": np.float64(3)}, r"poses_3d is \(\)"),
        ({"motion_or_poses_3d": POSES[:, :16]}, "17 joints of h36m17"),
        ({"skeleton": HUMANEVA15}, "15 joints of humaneva15"),
        ({"motion_or_poses_3d": holed(POSES)}, "poses_3d has no number for LWrist in frame 2"),
        ({"motion_or_poses_3d": 1000 * POSES}, "expected metres. Divide millimetres by 1000"),
        ({"motion_or_poses_3d": POSES + [0, 0, 4]}, "expected root-relative"),
        ({"truth": TRUTH + [0, 0, 4]}, "a body of truth is .* m away"),
        ({"truth": TRUTH[:-1]}, r"truth is \(\d+, 17, 3\), expected"),
        ({"truth": TRUTH[:, :16]}, "truth is"),
        ({"truth": holed(TRUTH)}, "truth has no number for LWrist in frame 2"),
        ({"keypoints": KEYPOINTS[1:]}, "keypoints is"),
        ({"keypoints": TRUTH}, r"keypoints is .*, expected \(\d+, 17, 2\)"),
        ({"keypoints": holed(KEYPOINTS)}, "keypoints has no number .*fill_gaps"),
        ({"fps": 0}, "fps is 0"),
        ({"fps": float("nan")}, "fps is nan"),
        ({"state": ViewState(T + 1, 17)}, "the state is of"),
        ({"state": ViewState(T, 15)}, "12 frames, 15 joints, but .* 12 frames, 17 joints"),
    ],
    ids=lambda value: "".join(value) if isinstance(value, dict) else "",
)
def test_what_does_not_fit_is_named(arguments, message):
    arguments = {"motion_or_poses_3d": POSES} | arguments
    with pytest.raises(ValueError, match=message):
        pfl.view_motion(**arguments)


def test_what_needs_a_truth_says_so():
    viewer = pfl.view_motion(POSES)
    assert (viewer.errors, viewer.arrangement) == (False, "prediction only")
    with pytest.raises(ValueError, match="errors = True needs a truth"):
        viewer.errors = True
    with pytest.raises(ValueError, match="arrangement = 'side by side' needs a truth"):
        viewer.arrangement = "side by side"
    names = set(controls_of(viewer))
    assert not names & {"truth", "error colours"}
    assert {"play", "frame", "speed", "trail", "joint", "pinned", "seen from"} <= names


# How it is moved


def test_hovering_in_space_and_in_the_image_picks_the_joint_out_in_both(viewer):
    for name, joint in (("joints", 13), ("joints in the image", 16), ("true joints", 3)):
        point_at(viewer, name, joint)
        assert viewer.state.joint == joint
        for body in ("joints", "joints in the image"):
            marker = trace(viewer, body)["marker"]
            assert np.argmax(marker["size"]) == joint
            assert [number for number, symbol in enumerate(marker["symbol"]) if symbol == "diamond"] == [joint]
    point_at(viewer, "joints", 10, click=True)
    point_at(viewer, "joints in the image", 2)
    assert (viewer.state.joint, viewer.state.pinned) == (10, True)
    assert "Head (pinned)" in viewer.spec()["layout"]["title"]["text"]
    point_at(viewer, "joints in the image", 10, click=True)
    point_at(viewer, "joints", 2)
    assert (viewer.state.joint, viewer.state.pinned) == (2, False)


def test_a_click_on_the_curve_jumps_and_hovering_it_does_not(viewer):
    point_at(viewer, "error", [0, 5])
    assert viewer.state.frame == 0
    point_at(viewer, "error", [0, 5], click=True)
    assert viewer.state.frame == 5
    figure = viewer.widget.children[0]
    (joints,) = [trace for trace in figure.data if trace.name == "joints"]
    np.testing.assert_allclose(np.array([joints.x, joints.y, joints.z]).T, drawing.z_up(POSES[5]), atol=1e-6)


def test_every_control_reaches_the_figure(viewer):
    figure, controls = viewer.widget.children[0], controls_of(viewer)
    for arrangement in motion_module.ARRANGEMENTS:
        controls["truth"].value = arrangement
        np.testing.assert_allclose(
            [trace.x for trace in figure.data if trace.name == "true joints"][0],
            drawing.z_up(TRUTH[0])[:, 0] + viewer.aside[0],
            atol=1e-6,
        )
    controls["frame"].value, controls["trail"].value = T - 1, 50
    assert len(figure.data[0].x) == 5 * (min(T, 51) + 1)
    controls["trail"].value = 0
    controls["error colours"].value = False
    assert {trace.marker.showscale for trace in figure.data if trace.name == "joints"} == {False}
    for view in drawing.CAMERAS:
        controls["seen from"].value = view
        eye = figure.layout.scene.camera.eye
        assert (eye.x, eye.y, eye.z) == drawing.CAMERAS[view]
    for speed in (0.1, 0.25, 0.5, 1.0):
        controls["speed"].value = speed
    controls["joint"].value, controls["pinned"].value = 16, True
    assert (viewer.state.joint, viewer.state.pinned, viewer.state.frame) == (16, True, T - 1)
    for name, value in (("trail", 51), ("trail", -1), ("arrangement", "behind"), ("view", "below")):
        with pytest.raises(Exception, match=name):
            setattr(viewer, name, value)


def test_two_motions_of_one_state_move_together(viewer):
    other = MotionViewer(TRUTH, state=viewer.state)
    assert other.widget is not None
    point_at(viewer, "error", [0, 2], click=True)
    assert "frame 2" in other.widget.children[0].layout.title.text


def test_the_still_picture_changes_with_all_that_can_be_set(viewer):
    viewer.state.frame = 3
    seen = [picture(viewer)]
    changes = [("frame", 5), ("joint", 16), ("trail", 5), ("errors", False), ("view", "front")]
    for name, value in [*changes, ("arrangement", "side by side"), ("arrangement", "prediction only")]:
        setattr(viewer.state if viewer.state.has_trait(name) else viewer, name, value)
        seen.append(picture(viewer))
        assert seen[-1] not in seen[:-1], name


def test_the_still_picture_is_complete(viewer):
    scene, image, curve = (viewer.still().axes[index] for index in (1, 0, 2))
    assert image.get_xlabel() == "x in pixels" and image.get_ylim()[0] > image.get_ylim()[1]
    assert curve.get_ylabel() == "MPJPE in mm" and curve.get_xlabel() == "frame"
    ranges = viewer.spec()["layout"]["scene"]
    assert list(scene.get_xlim()) == pytest.approx(ranges["xaxis"]["range"])
    assert list(scene.get_zlim()) == pytest.approx(ranges["zaxis"]["range"])
    np.testing.assert_allclose(curve.lines[0].get_ydata(), ERROR.mean(axis=1), atol=0.01)


def test_243_frames_are_drawn_in_milliseconds():
    frames = np.arange(243) % T
    viewer = pfl.view_motion(POSES[frames], TRUTH[frames], keypoints=KEYPOINTS[frames])
    viewer.trail = 50
    durations = []
    for frame in range(200, 220):
        viewer.state.frame = frame
        start = time.process_time()
        viewer.spec()
        durations.append(time.process_time() - start)
    assert min(durations) < 0.015, "seconds of this process, 0.002 to 0.006 on the machines that were tried"
