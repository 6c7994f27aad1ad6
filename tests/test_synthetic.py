"""The synthetic set: a body that stays a body, feet that stand, and the same motion every time."""

import os
import time
import warnings
import zipfile

import numpy as np
import pytest

from poseformer_lite.datasets.sources import synthetic
from poseformer_lite.datasets.sources.human36m import ACTIONS, CAMERAS
from poseformer_lite.datasets.sources.synthetic import dataset
from poseformer_lite.datasets.sources.synthetic.body import (
    FLEXION_LIMITS,
    SIDES,
    TRUNK_LIMITS,
    bend_limb,
    limit_trunk,
    rotation,
)
from poseformer_lite.datasets.sources.synthetic.gait import CURVES, curve
from poseformer_lite.datasets.sources.synthetic.signals import events, keyed, smooth_noise
from poseformer_lite.skeleton import H36M17

JOINT = {name: index for index, name in enumerate(H36M17.joints)}
SOME_SUBJECTS = ("S1", "S11")


@pytest.fixture(scope="module")
def takes():
    """All takes of two subjects, made without the cache."""
    return [synthetic.make_take(subject, name) for subject in SOME_SUBJECTS for name in synthetic.take_names(subject)]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(dataset.CACHE_VARIABLE, str(tmp_path))
    return tmp_path


def flexion(world, a, b, c):
    """Degrees by which the joint b bends; zero is straight."""
    first, second = world[:, JOINT[b]] - world[:, JOINT[a]], world[:, JOINT[c]] - world[:, JOINT[b]]
    cosine = (first * second).sum(-1) / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def hinge(world, a, b, c, left, right):
    """Cosine between the axis about which b bends and the line from right to left: 1 for a knee, -1 for an elbow."""
    first, second = world[:, JOINT[b]] - world[:, JOINT[a]], world[:, JOINT[c]] - world[:, JOINT[b]]
    axis, line = np.cross(first, second), world[:, JOINT[left]] - world[:, JOINT[right]]
    return (axis * line).sum(-1) / np.linalg.norm(axis, axis=-1) / np.linalg.norm(line, axis=-1)


# --- which takes there are ---------------------------------------------------------------------------------------


def test_subjects_actions_and_takes_are_those_of_human36m():
    assert dataset.SUBJECTS == ("S1", "S5", "S6", "S7", "S8", "S9", "S11")
    names = {subject: synthetic.take_names(subject) for subject in dataset.SUBJECTS}
    assert sum(map(len, names.values())) == 209
    assert {name.split(" ")[0] for name in names["S5"]} == set(ACTIONS) and len(names["S5"]) == 30
    assert "Directions" not in names["S11"] and "Directions 1" in names["S11"]


def test_unknown_names_are_refused_with_what_there_is():
    with pytest.raises(ValueError, match="no synthetic subject 'S2'.*S1, S5"):
        synthetic.make_takes(subjects=["S2"])
    with pytest.raises(ValueError, match="no take 'Directions'.*Directions 1"):
        synthetic.make_take("S11", "Directions")
    with pytest.raises(ValueError, match="keypoints='cpn'"):
        synthetic.load(keypoints="cpn")


def test_made_twice_it_is_the_same_to_the_last_bit_and_otherwise_not():
    one = synthetic.make_take("S5", "Greeting 1")
    assert np.array_equal(one.world, synthetic.make_take("S5", "Greeting 1").world)
    others = [("S5", "Greeting", 0), ("S6", "Greeting 1", 0), ("S5", "Greeting 1", 1), ("S5", "Posing 1", 0)]
    for subject, name, seed in others:
        other = synthetic.make_take(subject, name, seed).world
        frames = min(len(one.world), len(other))
        assert np.abs(one.world[:frames] - other[:frames]).max() > 0.1


def test_takes_are_long_enough_and_near_the_middle_of_the_room(takes):
    for take in takes:
        assert take.world.dtype == np.float32 and take.world.shape[1:] == (17, 3) and np.isfinite(take.world).all()
        assert 500 <= len(take.world) <= 700 and take.fps == 50
        assert np.linalg.norm(take.world[:, 0, :2], axis=-1).max() < 1.5


def test_people_face_all_ways(takes):
    across = np.concatenate([t.world[::25, JOINT["LHip"], :2] - t.world[::25, JOINT["RHip"], :2] for t in takes])
    share, _ = np.histogram(np.arctan2(*across.T), bins=8, range=(-np.pi, np.pi))
    assert share.min() > 0.04 * share.sum()  # 0.125 would be even


# --- the body ----------------------------------------------------------------------------------------------------


def test_bones_keep_their_length_within_a_subject_and_differ_between_subjects(takes):
    means = []
    for subject in SOME_SUBJECTS:
        lengths = np.concatenate([H36M17.bone_lengths(t.world.astype(float)) for t in takes if t.subject == subject])
        assert np.ptp(lengths, axis=0).max() < 1e-5
        means.append(lengths.mean(0))
    assert np.abs(means[0] - means[1]).max() > 0.005
    left, right = ([H36M17.bones.index((H36M17.parents[j], j)) for j in side] for side in (H36M17.left, H36M17.right))
    assert np.allclose(means[0][left], means[0][right], atol=1e-6)


def test_bodies_have_human_proportions():
    for subject in dataset.SUBJECTS:
        body = dataset.make_body_of(subject)
        assert 1.58 <= body.stature <= 1.88
        assert 0.46 < body.leg / body.stature < 0.52 and 0.31 < body.arm / body.stature < 0.35


def test_knees_and_elbows_stay_within_their_limits(takes):
    for take in takes:
        for side in "LR":
            knee = flexion(take.world, side + "Hip", side + "Knee", side + "Foot")
            elbow = flexion(take.world, side + "Shoulder", side + "Elbow", side + "Wrist")
            for angle, (least, most) in ((knee, FLEXION_LIMITS["knee"]), (elbow, FLEXION_LIMITS["elbow"])):
                assert least - 0.1 < angle.min() and angle.max() < most + 0.1


def test_knees_and_elbows_never_bend_backwards(takes):
    """A knee's axis points left and an elbow's right, less what hips and shoulders turn: never the other way round."""
    knees, elbows = [], []
    for take in takes:
        for side in "LR":
            knees.append(hinge(take.world, side + "Hip", side + "Knee", side + "Foot", "LHip", "RHip"))
            axis = hinge(take.world, side + "Shoulder", side + "Elbow", side + "Wrist", "LShoulder", "RShoulder")
            arm, trunk = (take.world[:, JOINT[b]] - take.world[:, JOINT[a]]
                          for a, b in ((side + "Shoulder", side + "Elbow"), ("Thorax", "Spine")))  # fmt: skip
            along = (arm * trunk).sum(-1) / np.linalg.norm(arm, axis=-1) / np.linalg.norm(trunk, axis=-1)
            elbows.append(axis[along > np.cos(0.5)])  # an arm that hangs: a raised one may turn any way
    assert np.mean(np.concatenate(knees) < 0) < 1e-3
    assert np.mean(np.concatenate(elbows) > 0) < 5e-3


def test_trunk_limits_cut_off_what_a_spine_cannot_do():
    wild = np.random.default_rng(0).normal(scale=3, size=(100, 3))
    for part, (roll, forward, backward, yaw) in TRUNK_LIMITS.items():
        bent = np.degrees(limit_trunk(part, wild))
        assert np.allclose(bent.min(0), [-roll, -backward, -yaw]) and np.allclose(bent.max(0), [roll, forward, yaw])


def test_nothing_is_below_the_floor_and_nobody_flies(takes):
    for take in takes:
        assert take.world[..., 2].min() > 0.02, (take.subject, take.action)
        assert take.world[:, [JOINT["LFoot"], JOINT["RFoot"]], 2].min(axis=1).max() < 0.2


def test_feet_that_stand_do_not_slide(takes):
    """Ankles at their standing height: median under 1 cm/s, 95th percentile under 3 cm/s, over all takes."""
    speeds = []
    for take in takes:
        height = dataset.make_body_of(take.subject).lengths["ankle_height"]
        for foot in ("LFoot", "RFoot"):
            ankle = take.world[:, JOINT[foot]].astype(float)
            stands = np.abs(ankle[:, 2] - height) < 0.004
            speed = np.linalg.norm(np.diff(ankle[:, :2], axis=0), axis=-1) * take.fps
            speeds.append(speed[stands[1:] & stands[:-1]])
    speeds = np.concatenate(speeds)
    assert len(speeds) > 0.5 * 2 * sum(len(take.world) for take in takes)
    assert np.median(speeds) < 0.01 and np.percentile(speeds, 95) < 0.03


def test_motion_is_smooth(takes):
    """No joint jumps: accelerations stay below 400 m/s^2, far below the peaks of real jumps, punches and kicks."""
    for take in takes:
        acceleration = np.linalg.norm(np.diff(take.world.astype(float), n=2, axis=0), axis=-1) * take.fps**2
        assert acceleration.max() < 400, (take.subject, take.action, acceleration.max())


# --- the actions look like what they are called ------------------------------------------------------------------


def test_walkers_swing_arms_against_legs(takes):
    for take in (t for t in takes if t.action.startswith("Walking")):
        right, left = take.world[:, JOINT["RHip"], :2], take.world[:, JOINT["LHip"], :2]
        across = (left - right) / np.linalg.norm(left - right, axis=-1, keepdims=True)
        forward = np.stack([across[:, 1], -across[:, 0]], axis=-1)

        def ahead(joint, root, forward=forward, world=take.world):
            return ((world[:, JOINT[joint], :2] - world[:, JOINT[root], :2]) * forward).sum(-1)

        legs = ahead("LFoot", "LHip") - ahead("RFoot", "RHip")
        arms = ahead("LWrist", "LShoulder") - ahead("RWrist", "RShoulder")
        assert np.corrcoef(legs, arms)[0, 1] < -0.3, (take.subject, take.action)
        assert np.percentile(np.abs(legs), 95) > 0.35  # they take real steps


def test_who_sits_has_level_thighs_and_upright_shanks(takes):
    rises = []
    for take in (t for t in takes if t.action.split(" ")[0] == "Sitting"):
        thigh = take.world[:, JOINT["LKnee"]] - take.world[:, JOINT["LHip"]]
        shank = take.world[:, JOINT["LFoot"]] - take.world[:, JOINT["LKnee"]]
        rise, drop = (np.degrees(np.arcsin(v[:, 2] / np.linalg.norm(v, axis=-1))) for v in (thigh, shank))
        assert np.abs(rise).max() < 40 and np.median(drop) < -65  # a stool is higher than a chair
        rises.append(rise)
    assert abs(np.median(np.concatenate(rises))) < 10


def test_sitting_down_reaches_the_floor_and_walking_stays_up(takes):
    lowest = {a: min(t.world[:, 0, 2].min() for t in takes if t.action.split(" ")[0] == a) for a in ACTIONS}
    assert lowest["SittingDown"] < 0.2 < 0.7 < lowest["Walking"]


def test_who_phones_keeps_a_hand_at_an_ear(takes):
    for take in (t for t in takes if t.action.startswith("Phoning")):
        head = take.world[:, JOINT["Neck/Nose"]]
        away = [np.median(np.linalg.norm(take.world[:, JOINT[w]] - head, axis=-1)) for w in ("LWrist", "RWrist")]
        assert min(away) < 0.25


# --- parts -------------------------------------------------------------------------------------------------------


def test_fourier_series_follow_the_published_curves():
    for name, degrees in CURVES.items():
        series = np.degrees(curve(name, np.arange(20) / 20 + 3))  # whole cycles do not matter
        assert np.sqrt(np.mean((series - degrees) ** 2)) < 1.5, name


def test_rotations_turn_the_way_the_axes_say():
    forward, left, up = np.eye(3)
    assert np.allclose(rotation(np.array([0, 0, np.pi / 2])) @ forward, left)  # yaw to the left
    assert np.allclose(rotation(np.array([0, np.pi / 2, 0])) @ up, forward)  # pitch bends forward
    assert np.allclose(rotation(np.array([np.pi / 2, 0, 0])) @ up, -left)  # roll tips to the right
    assert SIDES[0] == 1  # left first, at positive y


def test_two_bones_reach_a_target_or_stretch_toward_it():
    start, pole = np.zeros((3, 3)), np.tile([1.0, 0, 0], (3, 1))
    target = np.array([[0, 0, -0.5], [0, 0, -2.0], [0, 0, -0.01]])
    middle, end = bend_limb(start, target, pole, 0.4, 0.3, (5, 155))
    assert np.allclose(np.linalg.norm(middle, axis=-1), 0.4) and np.allclose(np.linalg.norm(end - middle, axis=-1), 0.3)
    assert np.allclose(end[0], target[0])  # within reach
    assert np.allclose(middle[0], [0.24, 0, -0.32])  # 3-4-5: a right angle in the middle, toward the pole
    assert end[1, 2] == pytest.approx(-0.7, abs=1e-3) and -0.2 < end[2, 2] < -0.15
    assert (middle[:, 0] > 0).all()


def test_keyed_values_hold_their_keys():
    t = np.linspace(0, 4, 401)
    value = keyed(t, np.array([1.0, 3.0]), np.array([1.0, 0.5]), np.array([[0.0], [2.0], [-1.0]]))[:, 0]
    assert np.allclose(value[t <= 1], 0) and np.allclose(value[(t >= 2) & (t <= 3)], 2) and np.allclose(value[-1], -1)
    assert value[150] == pytest.approx(1.0)  # half way in the middle of the move


def test_noise_is_correlated_with_a_broad_band_and_has_unit_variance():
    noise = smooth_noise(np.random.default_rng(0), 5000, 20)
    assert noise.std() == pytest.approx(1, abs=0.05)
    assert 0.95 < (noise[1:] * noise[:-1]).mean() < 0.999
    power = (np.abs(np.fft.rfft(noise, axis=0)) ** 2).mean(1)
    frequency = np.fft.rfftfreq(5000, 1 / 50)
    assert 0.03 < power[(frequency > 3) & (frequency < 8)].sum() / power.sum() < 0.2
    assert power[frequency > 15].sum() / power.sum() < 1e-3


def test_events_come_about_as_often_as_asked():
    times = events(np.random.default_rng(0), 3000, every=2.0)
    assert np.diff(times).min() >= 2 / 3 and len(times) == pytest.approx(1500, rel=0.1)
    assert times[-1] < 3000


# --- the whole set, its cache and its cameras --------------------------------------------------------------------


def test_cache_gives_back_what_was_made_and_is_not_made_again(cache, monkeypatch):
    made = synthetic.make_takes(subjects=["S1"])
    (file,) = cache.glob("*.npz")
    monkeypatch.setattr(dataset, "make_motion", lambda *_: pytest.fail("made again although it was in the cache"))
    read = synthetic.make_takes(subjects=["S1"])
    assert [t.action for t in read] == [t.action for t in made]
    assert all(np.array_equal(a.world, b.world) and a.fps == b.fps for a, b in zip(made, read, strict=True))
    with np.load(file, allow_pickle=False) as arrays:  # no pickle inside
        assert len(arrays.files) == 30
    assert not list(cache.glob(".*")) and not list(cache.glob("*.tmp"))


def test_other_numbers_use_another_cache_file(cache, monkeypatch):
    before = dataset._recipe_hash()
    monkeypatch.setitem(dataset.gait.CURVES, "knee", (0,) * 20)
    between = dataset._recipe_hash()
    monkeypatch.setitem(dataset.detections.SPREAD, "Hip", 0.02)
    assert len({before, between, dataset._recipe_hash()}) == 3


def broken(path, how):
    content = path.read_bytes()
    if how == "cut short":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "flipped bytes":
        path.write_bytes(content[:5000] + bytes(b ^ 255 for b in content[5000:6000]) + content[6000:])
    elif how == "another array":
        np.savez(path, **{name: np.zeros((3, 5)) for name in synthetic.take_names("S1")})
    elif how == "pickled objects":
        np.savez(path, **{name: np.array([{}], dtype=object) for name in synthetic.take_names("S1")})
    elif how == "not all takes":
        np.savez(path, Walking=np.zeros((9, 17, 3), np.float32))
    elif how == "no numbers":
        np.savez(path, **{n: np.full((9, 17, 3), np.nan, np.float32) for n in synthetic.take_names("S1")})
    elif how == "zip of other things":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("Walking.npy", b"not an array")


@pytest.mark.parametrize(
    "how",
    ["cut short", "empty", "flipped bytes", "another array", "pickled objects", "not all takes", "no numbers",
     "zip of other things"],
)  # fmt: skip
def test_a_broken_cache_file_is_made_again(cache, monkeypatch, how):
    monkeypatch.setattr(dataset, "make_motion", lambda body, action, rng: rng.random((50, 17, 3), dtype=np.float32))
    made = synthetic.make_takes(subjects=["S1"])
    (file,) = cache.glob("*.npz")
    whole = file.read_bytes()
    broken(file, how)
    assert file.read_bytes() != whole
    again = synthetic.make_takes(subjects=["S1"])
    assert all(np.array_equal(a.world, b.world) for a, b in zip(made, again, strict=True))
    assert dataset._read(file, synthetic.take_names("S1"), 3) is not None


def test_a_cache_that_cannot_be_written_warns_once_and_goes_on(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("a file where the folder should be")
    monkeypatch.setenv(dataset.CACHE_VARIABLE, str(tmp_path / "file"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        takes = synthetic.make_takes(subjects=["S1", "S5"])
    assert len(takes) == 60
    assert [dataset.CACHE_VARIABLE in str(w.message) for w in caught] == [True]


def test_load_sees_each_take_through_the_cameras_of_its_subject(cache):
    data = synthetic.load(subjects=SOME_SUBJECTS)
    assert data.name == "synthetic" and data.train_subjects == ("S1",) and data.test_subjects == ("S11",)
    assert len(data) == 4 * 59 and len(data.train()) == 120 and len(data.test()) == 116
    views = data.sequences[-4:]
    assert [s.view for s in views] == [c.name for c in CAMERAS["S11"]]
    world = synthetic.make_take("S11", views[0].action).world
    for sequence, camera in zip(views, CAMERAS["S11"], strict=True):
        assert np.allclose(camera.camera_to_world(sequence.poses_3d), world, atol=1e-5)
        assert np.allclose(camera.project(sequence.poses_3d), sequence.keypoints)
    inside = np.concatenate([((s.keypoints > 0) & (s.keypoints < 1000)).all(-1).ravel() for s in data.sequences])
    assert inside.mean() > 0.999


def test_detections_are_those_of_a_take_made_alone_and_are_kept(cache, monkeypatch):
    found = synthetic.load("noisy", subjects=["S11"]).sequences
    rng = np.random.default_rng([0, 11, dataset.ACTIONS.index("Greeting"), 1, 1])
    alone = dataset.view_take(synthetic.make_take("S11", "Greeting 1"), CAMERAS["S11"], "noisy", rng)
    among = [s for s in found if s.action == "Greeting 1"]
    assert [s.view for s in among] == [s.view for s in alone]
    assert all(np.array_equal(a.keypoints, b.keypoints) for a, b in zip(among, alone, strict=True))
    (file,) = cache.glob("*-noisy.npz")
    monkeypatch.setattr(dataset.detections, "simulate_detector", lambda *_: pytest.fail("simulated again"))
    kept = synthetic.load("noisy", subjects=["S11"]).sequences
    assert all(np.array_equal(a.keypoints, b.keypoints) for a, b in zip(found, kept, strict=True))
    monkeypatch.undo()
    monkeypatch.setenv(dataset.CACHE_VARIABLE, str(cache))
    file.write_bytes(file.read_bytes()[:5000])
    again = synthetic.load("noisy", subjects=["S11"]).sequences
    assert all(np.array_equal(a.keypoints, b.keypoints) for a, b in zip(found, again, strict=True))


def test_noisy_keypoints_leave_the_truth_alone_and_differ_from_the_projections(cache):
    exact = synthetic.load("gt", subjects=["S1"])
    noisy, again = (synthetic.load("noisy", subjects=["S1"]) for _ in range(2))
    assert noisy.keypoint_source == "noisy"
    for a, b, c in zip(exact.sequences, noisy.sequences, again.sequences, strict=True):
        assert np.array_equal(b.keypoints, c.keypoints) and np.array_equal(a.poses_3d, b.poses_3d)
        assert 1 < np.linalg.norm(a.keypoints - b.keypoints, axis=-1).mean() < 10


@pytest.mark.slow
def test_the_whole_set_is_made_within_a_minute_and_without_a_home(monkeypatch):
    """And is what the cache holds, from which the notebooks read it when they are tested."""
    cached = synthetic.make_takes()
    for name in (dataset.CACHE_VARIABLE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, f"{os.devnull}/home")
    start = time.process_time()
    with pytest.warns(UserWarning, match="cannot keep synthetic motion"):
        takes = synthetic.make_takes()
    assert time.process_time() - start < 60
    assert len(takes) == 209 and sum(len(take.world) for take in takes) > 100_000
    assert all(np.array_equal(made.world, kept.world) for made, kept in zip(takes, cached, strict=True))
