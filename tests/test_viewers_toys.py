"""The two toys: a picture that fits many bodies, and a camera whose pixels are those of `Camera.project`."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

pytest.importorskip("plotly", reason="needs the viewers' libraries: pip install -e '.[notebooks]'")

from helpers_data import STANDING, cameras, smooth_motion
from helpers_viewers import controls_of, drawn, mouse, picture
from traitlets import TraitError

from poseformer_course.toys import CameraToy, DepthAmbiguityToy
from poseformer_course.toys.camera_toy import RANGES
from poseformer_course.toys.sight import LinesOfSight
from poseformer_lite.camera import Camera, look_at, normalize_screen
from poseformer_lite.skeleton import H36M17, MPI_INF_3DHP17, SKELETONS, Skeleton
from poseformer_lite.viewers import ViewState, drawing

LENS = replace(
    cameras()[0], radial=(-0.2, 0.24, -0.002), tangential=(-0.0009, -0.0016), focal_length=(1145.0, 1143.8)
)  # about as a camera of Human3.6M
WORLD = smooth_motion(10, seed=3)[4].astype(float)
POSE = LENS.world_to_camera(WORLD)  # (17, 3), some 4.5 m away
CHAIN = Skeleton("chain", ("hip", "knee", "foot"), (-1, 0, 1), (), ())


@pytest.fixture
def toy():
    return DepthAmbiguityToy(POSE, LENS)


@pytest.fixture
def orbit():
    return CameraToy(WORLD, LENS)


def column(trace: dict) -> np.ndarray:
    """The points of a trace, (N, 2 or 3), NaN for gaps."""
    return np.array([trace[axis] for axis in "xyz" if axis in trace], dtype=float).T


def named(spec: dict, name: str, mode: str = "markers") -> dict:
    return next(trace for trace in spec["data"] if trace["name"] == name and trace["mode"] == mode)


# Lines of sight


def test_two_depths_by_hand():
    """p = (0, 0, 4), L = 0.5 along the axis: 3.5 and 4.5, as in exercise 01.6."""
    sight = LinesOfSight(np.array([[0, 0, 4.0], [0, 0, 4.5], [0.3, 0, 4.5]]), CHAIN)
    assert sight.depths_of(1, np.array([0, 0, 4.0])) == pytest.approx([3.5, 4.5])
    assert sight.near == {1: False, 2: sight.near[2]}
    # at depth 3.5 the foot's line is 0.3 * 3.5 / 4.5 = 0.233 m away and in reach; both feet at both knees: 4 bodies
    assert sight.num_poses == 4


def test_a_bone_that_cannot_reach_forbids_the_flip_and_is_not_counted():
    # the shin lies across: moved 1 m farther, its line of sight is 0.4 * 5 / 4 m away, too far for 0.4 m
    pose = np.array([[0, 0, 4.5], [0, 0, 4.0], [0.4, 0, 4.0 + 1e-3]])
    toy = DepthAmbiguityToy(pose, skeleton=CHAIN, state=ViewState(num_joints=3))
    assert toy.sight.num_poses == 2  # the two ends of the shin; with the thigh flipped there are none
    with pytest.raises(ValueError, match="knee to foot would be too short to reach its line of sight"):
        toy.flip(1)
    assert toy.flipped == ()
    toy.state.joint = 1
    assert "cannot be flipped: the bone from knee to foot would be too short" in toy.describe()
    assert controls_of(toy)["flip its bone"].disabled
    toy.state.joint = 2
    assert not controls_of(toy)["flip its bone"].disabled


def test_the_count_is_that_of_all_choices_tried_one_by_one():
    sight = LinesOfSight(POSE[[0, 1, 2, 3, 4, 5, 6]], _legs())
    possible = [
        set(flips)
        for flips in ({j for j, on in zip(range(1, 7), bits, strict=True) if on} for bits in product((0, 1), repeat=6))
        if not sight.forbids(flips)
    ]
    assert sight.num_poses == len(possible) > 1


def _legs() -> Skeleton:
    return Skeleton("legs", H36M17.joints[:7], H36M17.parents[:7], (4, 5, 6), (1, 2, 3))


def test_every_body_that_is_drawn_has_the_picture_and_the_bones_of_the_truth(toy):
    lengths, pixels, seen = H36M17.bone_lengths(POSE), LENS.project(POSE), set()
    for _ in range(50):
        toy.shuffle()
        seen.add(toy.flipped)
        np.testing.assert_allclose(LENS.project(toy.pose), pixels, atol=1e-6)
        np.testing.assert_allclose(H36M17.bone_lengths(toy.pose), lengths, atol=1e-9)
    assert len(seen) > 25


def test_drawing_is_uniform_over_bodies():
    """One end of the first or second bone leaves fewer choices than the other: 6 bodies with equal shares, not 8."""
    chain = Skeleton("chain", ("hip", "knee", "foot", "toe"), (-1, 0, 1, 2), (), ())
    sight = LinesOfSight(np.random.default_rng(3).uniform(-0.4, 0.4, (4, 3)) + [0, 0, 4], chain)
    assert sight.num_poses == 6
    random = np.random.default_rng(0)
    drawn = [sight.draw(random) for _ in range(1200)]
    counts = [drawn.count(flips) for flips in set(drawn)]
    assert len(counts) == 6
    assert all(150 < count < 250 for count in counts)  # 200 each; a fair coin at each bone would give some 150 and 300


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_any_body_of_the_package_with_its_parents_in_any_order(skeleton):
    random = np.random.default_rng(1)
    pose = np.concatenate(
        [random.uniform(-0.8, 0.8, (skeleton.num_joints, 2)), np.full((skeleton.num_joints, 1), 4)], 1
    )
    pose[:, 2] += random.uniform(-0.5, 0.5, skeleton.num_joints)
    sight = LinesOfSight(pose, skeleton)
    np.testing.assert_allclose(sight.place(), pose, atol=1e-9)
    np.testing.assert_allclose(skeleton.bone_lengths(sight.place(sight.draw(random))), skeleton.bone_lengths(pose))


def test_a_joint_keeps_its_choice_of_near_or_far_when_one_above_it_is_flipped(toy):
    toy.flipped = next(flips for flips in ((11,), (14,), (12,), (15,)) if not toy.sight.forbids(flips))
    (flipped,) = toy.flipped
    child = toy.sight.children[flipped][0]
    ends = toy.sight.ends(child, toy.pose)
    assert toy.pose[child, 2] == pytest.approx(ends[0 if toy.sight.near[child] else -1, 2])
    assert toy.pose[flipped, 2] != pytest.approx(POSE[flipped, 2])


# The toy


def test_nothing_changed_is_the_truth(toy):
    np.testing.assert_allclose(toy.pose, POSE, atol=1e-9)
    assert max(toy.differences().values()) < 1e-5
    assert "no bones flipped" in toy.title()


def test_what_is_drawn_is_the_body_and_its_picture(toy):
    toy.shuffle()
    toy.state.joint = 12
    spec = toy.spec()
    np.testing.assert_allclose(column(named(spec, "body")), drawing.z_up(toy.pose), atol=1e-6)
    np.testing.assert_allclose(column(named(spec, "truth")), drawing.z_up(POSE), atol=1e-6)
    np.testing.assert_allclose(column(named(spec, "picture")), LENS.project(POSE), atol=2e-6)
    assert any(np.allclose(end, drawing.z_up(toy.pose)[12], atol=1e-6) for end in column(named(spec, "ends")))
    line = column(named(spec, "line of sight", "lines"))[:2]
    towards = drawing.z_up(POSE)[12]
    np.testing.assert_allclose(np.cross(line, towards), 0, atol=1e-5)  # through the camera, which is the origin


def test_sliding_moves_one_joint_along_its_line_and_changes_its_bones(toy):
    toy.slide(13, 5.0)
    expected = POSE.copy()
    expected[13] *= 1.05
    np.testing.assert_allclose(toy.pose, expected, atol=1e-9)
    apart = toy.differences()
    assert apart["pixels"] < 1e-6
    assert apart["mpjpe_mm"] == pytest.approx(1000 * 0.05 * np.linalg.norm(POSE[13]) / 17)
    assert apart["bones_mm"] > 1


def test_size_scales_the_body_with_its_distance(toy):
    toy.size = 1.2
    np.testing.assert_allclose(toy.pose, 1.2 * POSE, atol=1e-9)
    relative = POSE - POSE[0]
    assert toy.differences()["mpjpe_mm"] == pytest.approx(200 * np.linalg.norm(relative, axis=-1).mean())
    assert toy.differences()["pixels"] < 1e-6
    toy.reset()
    np.testing.assert_allclose(toy.pose, POSE, atol=1e-9)


def test_controls_of_the_depth_toy_to_their_ends(toy):
    controls = controls_of(toy)
    for value in (controls["size"].min, controls["size"].max):
        controls["size"].value = value
        assert toy.size == value
    for joint in range(17):
        controls["joint"].value = joint
        (controls.get("flip its bone") or controls["flip it back"]).click()
        for value in (controls["slide it, %"].min, controls["slide it, %"].max, 1.5):
            controls["slide it, %"].value = value
            assert toy.slid[joint] == value
        assert np.abs(LENS.project(toy.pose) - LENS.project(POSE)).max() < 1e-6
    assert toy.flipped
    controls["joint"].value = 3
    assert controls["slide it, %"].value == 1.5
    controls["another body"].click()
    for view in controls["seen from"].options:
        controls["seen from"].value = view
    controls["the truth"].click()
    np.testing.assert_allclose(toy.pose, POSE, atol=1e-9)
    assert controls["slide it, %"].value == 0


def test_the_figure_follows_and_hovering_chooses_a_joint(toy):
    body = drawn(toy, "body", "markers")
    toy.shuffle()
    np.testing.assert_allclose(np.array(body.z, dtype=float), drawing.z_up(toy.pose)[:, 2], atol=1e-6)
    mouse(body, "hover", 6)
    assert toy.state.joint == 6
    mouse(body, "click", 6)
    mouse(body, "hover", 2)
    assert (toy.state.joint, toy.state.pinned) == (6, True)


def test_the_still_picture_of_the_depth_toy_changes(toy):
    pictures = [picture(toy)]
    for change in (
        lambda: toy.state.pin(10),
        toy.shuffle,
        lambda: toy.slide(16, -4.0),
        lambda: setattr(toy, "size", 0.8),
    ):
        change()
        pictures.append(picture(toy))
    assert len(set(pictures)) == len(pictures)


@pytest.mark.parametrize(
    ("pose", "message"),
    [
        (POSE[:16], r"pose_3d is \(16, 3\), expected \(17, 3\)"),
        (POSE[None], r"pose_3d is \(1, 17, 3\), expected \(17, 3\)"),
        (POSE - POSE[:1], "Hip has depth 0 m.*not root-relative"),
        (np.where(np.arange(17)[:, None] == 4, np.nan, POSE), "LHip has depth nan"),
    ],
)
def test_poses_that_no_camera_sees_are_refused(pose, message):
    with pytest.raises(ValueError, match=message):
        DepthAmbiguityToy(pose, LENS)


def test_other_bad_input_to_the_depth_toy(toy):
    with pytest.raises(ValueError, match="state is of 5 joints, but .* 17 joints"):
        DepthAmbiguityToy(POSE, LENS, state=ViewState(num_joints=5))
    with pytest.raises(ValueError, match="no bone ends at joint 0"):
        toy.flip(0)
    with pytest.raises(ValueError, match="from -5 to 5 per cent"):
        toy.slide(3, 6.0)
    with pytest.raises(TraitError):
        toy.size = 3.0
    assert (toy.flipped, toy.size) == ((), 1.0)


# The camera


def test_it_begins_where_the_camera_stands(orbit):
    np.testing.assert_allclose(orbit.camera.translation, LENS.translation, atol=1e-9)
    assert orbit.camera.focal_length == pytest.approx(LENS.focal_length)
    assert (orbit.camera.radial, orbit.camera.tangential) == (LENS.radial, LENS.tangential)


@pytest.mark.parametrize("azimuth", [-180.0, -100.0, 0.0, 90.0, 180.0])
def test_pixels_are_those_of_the_package_for_a_camera_that_looks_at_the_body(orbit, azimuth):
    orbit.azimuth, orbit.height, orbit.distance, orbit.focal = azimuth, 2.5, 3.0, 0.9
    turn, middle = np.radians(azimuth), (WORLD.max(0) + WORLD.min(0)) / 2
    place = np.array([middle[0] + 3 * np.cos(turn), middle[1] + 3 * np.sin(turn), 2.5])
    by_hand = replace(
        LENS,
        focal_length=(0.9 * LENS.width, 0.9 * LENS.width * 1143.8 / 1145),
        orientation=look_at(place, middle),
        translation=tuple(place),
    )
    pixels = by_hand.project(by_hand.world_to_camera(WORLD))
    np.testing.assert_allclose(orbit.pixels(), pixels, atol=1e-9)
    spec = orbit.spec()
    np.testing.assert_allclose(column(named(spec, "picture")), pixels, atol=1e-6)
    np.testing.assert_allclose(column(named(spec, "body")), WORLD, atol=1e-6)
    np.testing.assert_allclose(column(named(spec, "camera", "lines"))[0], place, atol=1e-6)
    orbit.state.joint = 13
    np.testing.assert_allclose(column(named(orbit.spec(), "line of sight", "lines"))[:2], [place, WORLD[13]], atol=1e-6)


def test_the_middle_of_the_body_is_at_the_middle_of_the_picture(orbit):
    camera = orbit.camera
    seen = camera.project(camera.world_to_camera(orbit.target))
    np.testing.assert_allclose(seen, camera.center, atol=1e-9)


def test_coordinates_are_printed_as_they_are(orbit):
    orbit.state.joint = 10
    in_camera = orbit.camera.world_to_camera(WORLD)[10]
    screen = normalize_screen(orbit.pixels()[10], LENS.width, LENS.height)
    lines = [
        [float(word) for word in line.split() if word.lstrip("-").replace(".", "").isdigit()]
        for line in orbit.coordinates()
    ]
    for printed, true, digits in zip(
        lines, (WORLD[10], in_camera, orbit.pixels()[10], screen), (2, 2, 0, 2), strict=True
    ):
        np.testing.assert_allclose(printed, true, atol=0.501 * 10.0**-digits)
    assert all(line in orbit.describe() for line in orbit.coordinates())


def test_joints_behind_the_camera_and_out_of_the_picture_are_said_and_not_drawn():
    front = Camera("front", 1000, 800, (1100.0, 1100.0), (500.0, 400.0), translation=(0.0, 4.5, 1.0))
    toy = CameraToy(STANDING, front)
    assert set(toy.places()) == {"in the picture"}
    toy.distance = RANGES["distance"][0]
    toy.height = 0.9
    places = dict(zip(H36M17.joints, toy.places(), strict=True))
    assert places["Hip"] == "in the picture"
    assert places["Head"] == "too far to the side for a pixel"  # 0.8 m above, 0.3 m in front
    toy.focal = RANGES["focal"][1]
    assert dict(zip(H36M17.joints, toy.places(), strict=True))["LHip"] == "out of the picture"
    assert "Head" in toy.lost() and "out of the picture: " in toy.lost()
    toy.state.joint = 10
    assert toy.coordinates()[2:] == ["pixels  none", "screen  none"]
    seen = named(toy.spec(), "picture")
    assert (seen["x"][10], seen["y"][10]) == (None, None)

    reaching = STANDING.copy()
    reaching[13, 1] += 1.4  # a hand that is held out, past the camera
    reaching[8, 1] -= 1.4
    toy = CameraToy(reaching, front)
    toy.distance = RANGES["distance"][0]
    assert toy.places()[13] == "behind the camera"
    toy.state.joint = 13
    assert "13 LWrist, behind the camera" in toy.describe()
    assert picture(toy)


def test_controls_of_the_camera_to_their_ends(orbit):
    controls = controls_of(orbit)
    assert list(controls) == [
        *("azimuth, °", "height, m", "distance, m", "focal length"),
        *("joint", "pinned", "seen from", "reset view"),
    ]
    for name, (low, high) in RANGES.items():
        (slider,) = (control for words, control in controls.items() if words.startswith(name))
        for value in (low, high):
            slider.value = value
            assert getattr(orbit, name) == value
            assert len(orbit.spec()["data"]) == 13
    for joint, view in product((0, 16), controls["seen from"].options):
        controls["joint"].value, controls["seen from"].value = joint, view
    assert orbit.state.joint == 16


def test_the_camera_figure_follows_and_answers_to_hovering(orbit):
    joints = drawn(orbit, "picture", "markers")
    orbit.azimuth += 30
    np.testing.assert_allclose(np.array(joints.x, dtype=float), orbit.pixels()[:, 0], atol=1e-6)
    mouse(joints, "hover", 11)
    assert orbit.state.joint == 11


def test_the_still_picture_of_the_camera_changes(orbit):
    pictures = [picture(orbit)]
    for trait in RANGES:
        setattr(orbit, trait, getattr(orbit, trait) * 0.8 + 0.1)
        pictures.append(picture(orbit))
    orbit.state.joint = 5
    pictures.append(picture(orbit))
    assert len(set(pictures)) == len(pictures)


def test_bad_input_to_the_camera_toy():
    with pytest.raises(ValueError, match=r"pose_world is \(10, 17, 3\), expected \(17, 3\)"):
        CameraToy(smooth_motion(10, 0), LENS)
    with pytest.raises(ValueError, match=r"expected \(17, 3\) finite numbers"):
        CameraToy(np.full((17, 3), np.nan), LENS)
    with pytest.raises(ValueError, match="expected .* for mpi_inf_3dhp17|state is of 5"):
        CameraToy(WORLD, LENS, MPI_INF_3DHP17, ViewState(num_joints=5))
    with pytest.raises(ValueError, match="the camera's distance is .*: this toy goes from 0.3 to 12"):
        CameraToy(WORLD, replace(LENS, translation=(0.0, 40.0, 1.5)))
    with pytest.raises(TraitError):
        CameraToy(WORLD).distance = 0.0


def test_without_a_camera_there_is_one_that_sees_the_body():
    assert set(CameraToy(WORLD).places()) == {"in the picture"}
    toy = DepthAmbiguityToy(POSE)
    toy.shuffle()
    assert toy.differences()["pixels"] < 1e-6
