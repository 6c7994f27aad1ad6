"""Every picture draws without a warning, says what its axes are, and tells left from right without colour."""

import warnings

import matplotlib
import numpy as np
import pytest
from helpers_data import tiny_dataset

matplotlib.use("agg")
import matplotlib.pyplot as plt

from poseformer_lite import plots
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.skeleton import H36M17, SKELETONS

SEQUENCE = tiny_dataset().sequences[0]
POSE = SEQUENCE.root_relative(0)[0]
HISTORY = [{"windows": 100 * i, "train_mm": 200 / i, "validation_mm": 250 / i} for i in range(1, 5)]


@pytest.fixture(autouse=True)
def no_warning_and_no_open_figure():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    plt.close("all")


def drawn(thing):
    """Really draw it, which is where matplotlib warns."""
    figure = thing if isinstance(thing, plt.Figure) else thing.figure
    figure.canvas.draw()
    return thing


def bones(ax) -> list:
    return [line for line in ax.lines if line.get_marker() == "None" and len(line.get_xdata()) == 2]


def names(ax) -> tuple[str, ...]:
    return tuple(axis.get_label_text() for axis in (ax.xaxis, ax.yaxis, getattr(ax, "zaxis", None)) if axis)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_a_pose_in_the_image_has_every_bone_of_any_body_and_y_points_down(skeleton):
    keypoints = np.random.default_rng(0).uniform(0, 500, (skeleton.num_joints, 3))
    ax = drawn(plots.plot_pose_2d(keypoints, 640, 480, skeleton, title="a pose"))
    assert len(bones(ax)) == len(skeleton.bones)
    assert names(ax) == ("x in pixels", "y in pixels") and ax.get_title() == "a pose"
    assert ax.get_xlim() == (0, 640) and ax.get_ylim() == (480, 0)


def test_left_and_right_differ_in_colour_in_style_and_in_grey():
    ax = drawn(plots.plot_pose_2d(SEQUENCE.keypoints[0], 1000, 800))
    looks = {"left": set(), "right": set(), "middle": set()}
    for (_, child), line in zip(H36M17.bones, bones(ax), strict=True):
        looks[H36M17.side(child)].add((line.get_color(), str(line.get_linestyle())))
    (left,), (right,), _ = looks.values()
    assert left[0] != right[0] and left[1] != right[1]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["left", "right"]


def test_a_pose_in_space_stands_upright_on_equal_axes():
    ax = drawn(plots.plot_pose_3d(POSE, title="a pose"))
    assert names(ax) == ("x in m", "depth in m", "height in m") and ax.get_title() == "a pose"
    heights = {child: line.get_data_3d()[2][1] for (_, child), line in zip(H36M17.bones, bones(ax), strict=True)}
    assert heights[10] > heights[8] > heights[2] > heights[3]  # head, thorax, knee, foot
    ranges = [np.ptp(limits) for limits in (ax.get_xlim(), ax.get_ylim(), ax.get_zlim())]
    assert ranges == pytest.approx([ranges[0]] * 3)


def test_a_pose_in_the_world_is_drawn_as_it_is():
    world = SEQUENCE.camera.camera_to_world(SEQUENCE.poses_3d)[0]
    ax = drawn(plots.plot_pose_3d(world, world=True))
    ends = np.array([np.array(line.get_data_3d())[:, 1] for line in bones(ax)])
    np.testing.assert_allclose(ends, world[[child for _, child in H36M17.bones]], atol=1e-6)
    assert names(ax) == ("x in m", "y in m", "height in m")


def test_a_pose_of_one_point_can_be_drawn():
    drawn(plots.plot_pose_3d(np.zeros((17, 3))))


def test_a_comparison_says_how_far_apart_they_are_and_shows_two_sides():
    figure = drawn(plots.plot_comparison(POSE + [0.03, 0, 0.04], POSE, title="Walking"))
    assert figure.get_suptitle() == "Walking: prediction in color, truth in gray, MPJPE 50 mm"
    assert [ax.get_title() for ax in figure.axes] == ["front", "side"]
    assert all(len(bones(ax)) == 2 * len(H36M17.bones) for ax in figure.axes)


@pytest.mark.parametrize(("num_frames", "frames", "columns"), [(60, None, 5), (2, None, 2), (1, None, 1), (60, [3], 1)])
def test_a_motion_is_shown_in_the_image_and_in_space(num_frames, frames, columns):
    poses = SEQUENCE.root_relative(0)[:num_frames]
    motion = Motion(poses, SEQUENCE.keypoints[:num_frames], 50.0, 1000, 800)
    figure = drawn(motion.plot(frames))
    assert len(figure.axes) == 2 * columns
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[0] == f"frame {0 if frames is None else 3}" and titles[1].startswith("lifted, on a grid of 0.5 m")
    assert figure.legends


@pytest.mark.parametrize("held_out", [True, False])
def test_learning_curves(held_out):
    history = [row | ({} if held_out else {"validation_mm": None}) for row in HISTORY]
    ax = drawn(plots.plot_history(history))
    assert names(ax) == ("windows seen", "MPJPE in mm") and ax.get_title()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["training", "held-out training takes"][: 1 + held_out]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [row["train_mm"] for row in HISTORY])
    styles = {(line.get_marker(), line.get_linestyle()) for line in ax.lines}
    assert len(styles) == len(ax.lines)


def test_errors_per_action_are_sorted_the_worst_on_top_and_written_out():
    ax = drawn(plots.plot_per_action({"Walking": 31.6, "Sitting": 70.2, "Eating": 44.0}, metric="P-MPJPE"))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Sitting", "Eating", "Walking"]
    assert [text.get_text() for text in ax.texts] == ["70", "44", "32"]
    assert names(ax)[0] == "P-MPJPE in mm" and ax.get_title() == "P-MPJPE per action"
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first name is at the top


def test_attention_says_who_looks_and_who_is_looked_at():
    rows = np.random.default_rng(0).dirichlet(np.ones(17), 17)
    ax = drawn(plots.plot_attention(rows, H36M17.joints, title="layer 1, head 2"))
    assert names(ax) == ("looked at (key)", "looking (query)") and ax.get_title() == "layer 1, head 2"
    assert [label.get_text() for label in ax.get_xticklabels()] == list(H36M17.joints)
    np.testing.assert_allclose(ax.collections[0].get_array().reshape(17, 17), rows)
    assert drawn(plots.plot_attention(np.eye(81))).get_title() == "Attention"


def test_given_axes_are_drawn_into_and_given_back():
    _, (a, b, c, d) = plt.subplots(1, 4)
    assert plots.plot_pose_2d(SEQUENCE.keypoints[0], 1000, 800, ax=a) is a
    assert plots.plot_history(HISTORY, ax=b) is b
    assert plots.plot_per_action({"Walking": 1.0}, ax=c) is c
    assert plots.plot_attention(np.eye(3), ax=d) is d
    space = plt.figure().add_subplot(projection="3d")
    assert plots.plot_pose_3d(POSE, ax=space) is space
    assert len(plt.get_fignums()) == 2


def test_results_draw_themselves():
    from poseformer_lite.evaluation import Evaluation
    from poseformer_lite.training.loop import TrainingRun

    evaluation = Evaluation({"MPJPE": {"Walking": 40.0}, "P-MPJPE": {"Walking": 30.0}}, {}, {})
    assert drawn(evaluation.plot("P-MPJPE")).texts[0].get_text() == "30"
    assert drawn(TrainingRun(None, None, HISTORY).plot()).get_title() == "Training"
