"""Joint angles: poses bent by hand, turns and sizes that must not matter, CMU's own angles, and the pictures."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from helpers_data import STANDING
from scipy.spatial.transform import Rotation

matplotlib.use("agg")

from poseformer_lite import plots
from poseformer_lite.formats.articulated import resample
from poseformer_lite.formats.asfamc import read_amc, read_asf
from poseformer_lite.lifting import world
from poseformer_lite.lifting.angles import joint_angles, summarize_angles, write_angles
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.skeleton import H36M17, MEDIAPIPE33

UP = (0.0, 0.0, 1.0)
AT = {name: joint for joint, name in enumerate(H36M17.joints)}


def standing(**moved) -> np.ndarray:
    """(1, 17, 3), z up, facing y (its left is -x): upright, straight, arms hanging, but for the joints given."""
    pose = np.zeros((17, 3))
    for side, x in (("L", -0.15), ("R", 0.15)):
        for name, height in {
            "Hip": 0.9,
            "Knee": 0.5,
            "Foot": 0.1,
            "Shoulder": 1.4,
            "Elbow": 1.1,
            "Wrist": 0.85,
        }.items():
            pose[AT[side + name]] = (x, 0, height)
    pose[AT["Hip"]], pose[AT["Spine"]], pose[AT["Thorax"]] = (0, 0, 0.9), (0, 0, 1.15), (0, 0, 1.4)
    pose[AT["Neck/Nose"]], pose[AT["Head"]] = (0, 0.1, 1.55), (0, 0, 1.7)
    for name, place in moved.items():
        pose[AT[name]] = place
    return pose[None]


def angles_of(pose: np.ndarray) -> dict[str, float]:
    return joint_angles(pose, up=UP).iloc[0].to_dict()


def test_standing_straight_is_zero_everywhere():
    found = angles_of(standing())
    names = [f"{side} {joint}" for side in ("left", "right") for joint in ("hip", "knee", "shoulder", "elbow")]
    assert list(found) == [*names, "trunk"]
    assert max(map(abs, found.values())) < 1e-6


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        ({"LFoot": (-0.15, -0.4, 0.5)}, {"left knee": 90}),
        ({"RFoot": (0.15, -0.4, 0.9)}, {"right knee": 135}),
        ({"RWrist": (0.15, 0.25, 1.1)}, {"right elbow": 90}),
        ({"LKnee": (-0.15, 0.4, 0.9), "LFoot": (-0.15, 0.8, 0.9)}, {"left hip": 90}),
        ({"LKnee": (-0.15, -0.4, 0.5), "LFoot": (-0.15, -0.8, 0.1)}, {"left hip": -45}),
        ({"LKnee": (-0.55, 0, 0.5), "LFoot": (-0.95, 0, 0.1)}, {"left hip": 0}),  # to the side is not to the front
        ({"RElbow": (0.45, 0, 1.4), "RWrist": (0.7, 0, 1.4)}, {"right shoulder": 90}),
        ({"RElbow": (0.15, 0, 1.7), "RWrist": (0.15, 0, 1.95)}, {"right shoulder": 180}),
    ],
)
def test_angles_by_hand(moved, expected):
    found = angles_of(standing(**moved))
    for name, degrees in found.items():
        assert degrees == pytest.approx(expected.get(name, 0), abs=1e-6), name


@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_bow_leans_the_trunk_and_bends_the_hips_if_it_is_forward(axis):
    pose = standing()
    upper = [j for j, name in enumerate(H36M17.joints) if pose[0, j, 2] > 0.9 or name in ("LWrist", "RWrist")]
    turn = Rotation.from_euler(axis, -30, degrees=True)  # about x: forward, towards y; about y: to a side
    pose[0, upper] = turn.apply(pose[0, upper] - (0, 0, 0.9)) + (0, 0, 0.9)
    found = angles_of(pose)
    assert found["trunk"] == pytest.approx(30)
    assert found["left shoulder"] == pytest.approx(0, abs=1e-5)
    if axis == "x":
        assert found["left hip"] == pytest.approx(30) and found["right hip"] == pytest.approx(30)


def test_only_the_lean_depends_on_how_the_body_is_turned_and_nothing_on_its_size():
    rng = np.random.default_rng(0)
    poses = STANDING + rng.normal(0, 0.1, (40, 17, 3))
    turn = Rotation.random(random_state=1)
    there = joint_angles(3 * turn.apply(poses.reshape(-1, 3)).reshape(poses.shape) + 5, up=UP)
    pd.testing.assert_frame_equal(there.drop(columns="trunk"), joint_angles(poses, up=UP).drop(columns="trunk"))
    assert (there["trunk"] - joint_angles(poses, up=UP)["trunk"]).abs().max() > 1


def test_a_mirror_image_exchanges_left_and_right():
    poses = STANDING + np.random.default_rng(0).normal(0, 0.1, (40, 17, 3))
    mirrored = joint_angles(poses[:, list(H36M17.flip_order)] * (-1, 1, 1), up=UP)
    exchanged = {f"{a} {name}": f"{b} {name}" for a, b in (("left", "right"), ("right", "left"))
                 for name in ("hip", "knee", "shoulder", "elbow")}  # fmt: skip
    expected = joint_angles(poses, up=UP).rename(columns=exchanged)[list(mirrored.columns)]
    pd.testing.assert_frame_equal(mirrored, expected)


def test_ankles_where_there_are_toes():
    at = MEDIAPIPE33.joints.index
    pose = np.zeros((1, 33, 3))
    for side, x in (("L", -0.15), ("R", 0.15)):
        places = {"Hip": (0, 0.9), "Knee": (0, 0.5), "Ankle": (0, 0.1), "FootIndex": (0.2, 0.1), "Shoulder": (0, 1.4),
                  "Elbow": (0, 1.1), "Wrist": (0, 0.85)}  # fmt: skip
        for name, (y, z) in places.items():
            pose[0, at(side + name)] = (x, y, z)
    found = joint_angles(pose, MEDIAPIPE33, up=UP).iloc[0]
    assert found.abs().max() < 1e-6 and "left ankle" in found
    pose[0, at("LFootIndex"), 1:] = (0.2, 0.3)
    found = joint_angles(pose, MEDIAPIPE33, up=UP).iloc[0]
    assert found["left ankle"] == pytest.approx(45) and found["right ankle"] == pytest.approx(0, abs=1e-6)


def test_other_joints_are_refused():
    with pytest.raises(ValueError, match=r"poses are \(5, 16, 3\), expected \(T, 17, 3\), joints of h36m17"):
        joint_angles(np.zeros((5, 16, 3)))


def test_ranges_and_symmetry_by_hand():
    time = np.linspace(0, 1, 101)
    table = pd.DataFrame({"left knee": 60 * time, "right knee": 10 + 40 * time, "trunk": time}, index=time)
    summary = summarize_angles(table)
    assert list(summary.index) == ["knee"]
    row = summary.loc["knee"]
    assert row["left range"] == pytest.approx(0.96 * 60) and row["right lowest"] == pytest.approx(10 + 0.02 * 40)
    assert row["symmetry %"] == pytest.approx(200 * (60 - 40) / (60 + 40))
    table.loc[0.5, "left knee"] = 170  # one frame
    assert summarize_angles(table).loc["knee", "left range"] < 61


def test_a_table_is_written_with_what_it_is(tmp_path):
    table = joint_angles(np.repeat(standing(), 3, axis=0), fps=25.0, up=UP)
    write_angles(tmp_path / "angles.csv", table)
    first, header, *rows = (tmp_path / "angles.csv").read_text().splitlines()
    assert first.startswith("# ") and "degrees" in first and "0 is standing straight" in first
    assert header.startswith("seconds,left hip,left knee") and len(rows) == 3
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "angles.csv", comment="#", index_col=0), table, atol=1e-3)


def test_the_angles_of_the_bones_are_those_that_cmu_recorded(shared):
    """Knee and elbow have one angle in its skeletons, about an axis across the bone."""
    from poseformer_lite.datasets.sources.cmu_mocap import ASF_POINTS, h36m17_world

    folder = shared / "mocap" / "cmu_asfamc" / "02"
    recorded = resample(read_amc(folder / "02_01.amc", read_asf(folder / "02.asf")), 50.0)
    found = joint_angles(h36m17_world(recorded, ASF_POINTS), up=UP)
    for ours, bone in (("knee", "tibia"), ("elbow", "radius")):
        for side in ("left", "right"):
            node = recorded.names.index(side[0] + bone)
            theirs = np.degrees(Rotation.from_quat(recorded.rotations[:, node]).magnitude())
            assert np.ptp(theirs) > 10
            assert np.abs(found[f"{side} {ours}"].to_numpy() - theirs).mean() < 1.0, (side, ours)


def test_the_picture_tells_left_from_right_without_colour():
    table = joint_angles(STANDING + np.random.default_rng(0).normal(0, 0.1, (40, 17, 3)), up=UP)
    figure = plots.plot_angles(table)
    figure.canvas.draw()
    shown = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title() for ax in shown] == ["hip", "knee", "shoulder", "elbow", "trunk from the vertical"]
    for ax in shown[:4]:
        left, right = ax.lines[:2]
        assert left.get_linestyle() != right.get_linestyle() and left.get_color() != right.get_color()
    np.testing.assert_allclose(shown[1].lines[0].get_ydata(), table["left knee"])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["left", "right"]


def test_the_vertical_is_found_once_and_nothing_else_of_the_world(monkeypatch):
    camera = np.repeat(standing() @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]]), 60, axis=0)  # y down
    motion = Motion(camera - camera[:, :1], np.full((60, 17, 2), 500.0), 30.0, 1000, 1000)
    monkeypatch.setattr(world, "root_path", lambda *_: pytest.fail("the path through the world is of no use here"))
    own = motion.angles()
    monkeypatch.setattr(world, "up_direction", lambda *_: pytest.fail("the vertical was given"))
    pd.testing.assert_frame_equal(joint_angles(motion, up=(0, -1, 0)).drop(columns="trunk"), own.drop(columns="trunk"))
