"""A motion made steady, and on disk: round trips, joint angles against positions, pictures that move, broken files."""

import json
from dataclasses import replace

import numpy as np
import pytest
from helpers_data import smooth_motion, tiny_dataset
from PIL import Image
from scipy.spatial.transform import Rotation

from poseformer_lite.datasets import load_dataset
from poseformer_lite.formats.articulated import forward_kinematics, from_positions
from poseformer_lite.formats.bvh import read_bvh, write_bvh
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.skeleton import H36M17


@pytest.fixture
def motion() -> Motion:
    sequence = tiny_dataset().sequences[0]
    poses = sequence.root_relative(0).astype(np.float32)
    return Motion(poses, sequence.keypoints.astype(np.float32), 50.0, sequence.width, sequence.height)


def y_up(motion: Motion) -> np.ndarray:
    x, y, z = np.moveaxis(motion.world().astype(float), -1, 0)
    return np.stack([x, z, -y], axis=-1)


def joints_of(path) -> np.ndarray:
    """(T, 17, 3) metres: where a BVH file puts the joints."""
    read = read_bvh(path)
    positions, _ = forward_kinematics(read)
    return positions[:, [read.names.index(joint.replace("/", "_")) for joint in H36M17.joints]]


# Made steady


def test_constant_bones_are_constant_and_keep_their_directions(motion):
    steady = motion.with_constant_bones()
    lengths = H36M17.bone_lengths(steady.poses_3d)
    median = np.median(H36M17.bone_lengths(motion.poses_3d), axis=0)
    np.testing.assert_allclose(lengths, np.broadcast_to(median, lengths.shape), rtol=1e-4)
    parents, children = np.array(H36M17.bones).T
    bones = [m.poses_3d[:, children] - m.poses_3d[:, parents] for m in (motion, steady)]
    unit = [bone / np.linalg.norm(bone, axis=-1, keepdims=True) for bone in bones]
    np.testing.assert_allclose(unit[0], unit[1], atol=1e-4)
    np.testing.assert_array_equal(steady.keypoints, motion.keypoints)


def test_smoothing_takes_jitter_out_and_does_not_lag(motion):
    noise = np.random.default_rng(0).normal(0, 0.01, motion.poses_3d.shape).astype(np.float32)
    shaky = Motion(motion.poses_3d + noise, motion.keypoints, 50.0, 1000, 800)
    smooth = shaky.smoothed(0.2)

    def off(shift: int) -> float:
        rolled = np.roll(motion.poses_3d, shift, axis=0)
        return float(np.abs(smooth.poses_3d - rolled)[5:-5].mean())

    assert off(0) < 0.6 * np.abs(noise).mean()
    assert off(0) < min(off(-1), off(1)), "as near to the truth of a frame earlier or later"
    assert np.abs(np.diff(smooth.poses_3d, 2, axis=0)).mean() < 0.3 * np.abs(np.diff(shaky.poses_3d, 2, axis=0)).mean()


@pytest.mark.parametrize(("frames", "seconds"), [(60, 0.0), (60, 0.05), (4, 0.2), (1, 1.0)])
def test_nothing_to_smooth_is_nothing_changed(motion, frames, seconds):
    short = Motion(motion.poses_3d[:frames], motion.keypoints[:frames], 50.0, 1000, 800)
    np.testing.assert_array_equal(short.smoothed(seconds).poses_3d, short.poses_3d)
    with pytest.raises(ValueError, match="seconds is -1.* at least 0"):
        short.smoothed(-1.0)


@pytest.mark.parametrize("frames", [5, 6, 60])
def test_a_window_longer_than_the_motion_is_cut(motion, frames):
    short = Motion(motion.poses_3d[:frames], motion.keypoints[:frames], 50.0, 1000, 800)
    assert short.smoothed(100.0).poses_3d.shape == short.poses_3d.shape


# Numbers that come back


@pytest.mark.parametrize("suffix", [".npz", ".json", ".csv"])
def test_what_was_saved_is_loaded(motion, tmp_path, suffix):
    back = Motion.load(motion.save(tmp_path / f"walk{suffix}"))
    np.testing.assert_allclose(back.poses_3d, motion.poses_3d, atol=1e-5)
    np.testing.assert_allclose(back.keypoints, motion.keypoints, atol=1e-4)
    assert (back.fps, back.width, back.height, back.skeleton) == (50.0, 1000, 800, H36M17)
    assert back.poses_3d.dtype == np.float32
    assert back.focal_length is None
    assert Motion.load(replace(motion, focal_length=1234.5).save(tmp_path / f"walk{suffix}")).focal_length == 1234.5
    assert [p.name for p in tmp_path.iterdir()] == [f"walk{suffix}"]


@pytest.mark.parametrize("suffix", [".npz", ".json", ".csv", ".CSV"])
def test_start_confidence_and_what_was_filled_come_back(motion, tmp_path, suffix):
    rng = np.random.default_rng(0)
    known = replace(motion, start=1.6, confidence=rng.random((60, 17)).astype("f4"), filled=rng.random((60, 17)) < 0.1)
    back = Motion.load(known.save(tmp_path / f"walk{suffix}"))
    assert back.start == pytest.approx(1.6) and back.filled.dtype == bool
    np.testing.assert_allclose(back.confidence, known.confidence, atol=1e-5)
    np.testing.assert_array_equal(back.filled, known.filled)
    plain = Motion.load(motion.save(tmp_path / f"plain{suffix}"))
    assert (plain.start, plain.confidence, plain.filled) == (0, None, None)


def test_a_motion_says_when_it_begins_and_refuses_marks_of_another_shape(motion):
    assert repr(replace(motion, start=1.6)).endswith("s, beginning at 1.6 s of the video)")
    assert replace(motion, start=1.6).angles().index[0] == pytest.approx(1.6)
    for name in ("confidence", "filled"):
        with pytest.raises(ValueError, match=f"{name} are .*expected"):
            replace(motion, **{name: np.ones((len(motion), 16))})


def test_an_npz_of_before_these_were_known_is_read(motion, tmp_path):
    names = list(H36M17.joints)
    np.savez(tmp_path / "old.npz", poses_3d=motion.poses_3d, keypoints=motion.keypoints, fps=50, width=9, height=9,
             joints=names)  # fmt: skip
    assert Motion.load(tmp_path / "old.npz").start == 0
    np.savez(tmp_path / "odd.npz", poses_3d=motion.poses_3d, keypoints=motion.keypoints, fps=50, width=9, height=9,
             joints=names, filled=np.zeros((2, 17)))  # fmt: skip
    with pytest.raises(ValueError, match=r"odd.npz.*filled are \(2, 17\), expected \(60, 17\)"):
        Motion.load(tmp_path / "odd.npz")


def test_a_csv_opens_in_a_spreadsheet(motion, tmp_path):
    lines = motion.save(tmp_path / "walk.csv").read_text().splitlines()
    assert lines[0] == "# poseformer-lite motion: fps=50 width=1000 height=800"
    table = [line for line in lines if not line.startswith("#")]
    assert table[0].startswith("seconds,Hip x_m,Hip y_m,Hip z_m,Hip u_px,Hip v_px,RHip x_m")
    assert len(table) == 1 + len(motion) and {line.count(",") for line in table} == {17 * 5}


class Malice:
    def __reduce__(self):
        return (print, ("code was run",))


def test_a_hostile_pickle_is_refused(tmp_path, capsys):
    np.savez(tmp_path / "evil.npz", poses_3d=np.array([Malice()], dtype=object))
    with pytest.raises(ValueError, match="evil.npz: the file asks for"):
        Motion.load(tmp_path / "evil.npz")
    assert "code was run" not in capsys.readouterr().out


@pytest.mark.parametrize(("cell", "found"), [("far", "far"), ("", "nan"), ("1e40", r"1e\+40")])
def test_a_cell_of_a_csv_that_is_no_number_is_named(motion, tmp_path, cell, found):
    path = motion.save(tmp_path / "walk.csv")
    lines = path.read_text().splitlines()
    cells = lines[6].split(",")
    lines[6] = ",".join([*cells[:7], cell, *cells[8:]])
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=rf"row 3 after its names, column 8 \(RHip y_m\) holds {found}, expected"):
        Motion.load(path)


@pytest.mark.parametrize("suffix", [".npz", ".json", ".csv"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_named(motion, tmp_path, suffix, share):
    path = motion.save(tmp_path / f"walk{suffix}")
    contents = path.read_bytes()
    path.write_bytes(contents[: int(share * len(contents))])
    if suffix == ".csv" and share:  # whole lines of it are a motion still; the last one is not
        path.write_bytes(path.read_bytes().rstrip(b"0123456789.-").rstrip(b","))
    with pytest.raises(ValueError, match=f"walk{suffix} .*is not a readable (motion|npz)"):
        Motion.load(path)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"poses_3d": np.zeros((60, 16, 3)).tolist()}, r"poses_3d are \(60, 16, 3\)"),
        ({"keypoints": np.zeros((59, 17, 2)).tolist()}, r"keypoints are \(59, 17, 2\)"),
        ({"joints": ["a"]}, "it has 1 joints"),
        ({"poses_3d": np.full((60, 17, 3), np.nan).tolist()}, "(hold|holds) NaN"),
        ({"fps": "fast"}, "fps is"),
        ({"fps": None}, "fps is"),
    ],
)
def test_a_motion_that_makes_no_sense_is_refused(motion, tmp_path, change, says):
    path = motion.save(tmp_path / "walk.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=says):
        Motion.load(path)


def test_other_endings_and_missing_files(motion, tmp_path):
    with pytest.raises(
        ValueError, match=r"saved as .npz, .json, .csv, .bvh, .glb, .trc, .gif, .mp4, .html, not 'walk.fbx'"
    ):
        motion.save(tmp_path / "walk.fbx")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"read from .npz, .json, .csv, not 'walk.bvh'"):
        Motion.load(tmp_path / "walk.bvh")
    with pytest.raises(FileNotFoundError):
        Motion.load(tmp_path / "walk.json")


# Joint angles


def test_a_bvh_puts_the_joints_where_they_are(motion, tmp_path):
    """Exactly, for a body whose bones are constant and whose hips and shoulders are rigid."""
    path = motion.save(tmp_path / "walk.bvh")
    angles = from_positions(y_up(motion), H36M17, motion.fps)
    rigid, _ = forward_kinematics(angles)
    np.testing.assert_allclose(joints_of(path), rigid, atol=2e-5)
    again, _ = forward_kinematics(from_positions(rigid, H36M17, motion.fps))
    np.testing.assert_allclose(again, rigid, atol=1e-6)


def test_a_bvh_can_be_left_as_the_camera_saw_it(motion, tmp_path):
    """The root stays where it is, but for its height above the floor; in the world it sways as the body does."""
    seen, placed = (joints_of(motion.save(tmp_path / "walk.bvh", world=world))[:, 0] for world in (False, True))
    assert np.ptp(seen[:, [0, 2]]) < 1e-6 < 0.02 < np.ptp(placed[:, [0, 2]], axis=0).max()
    np.testing.assert_allclose(seen[:, 1], motion.upright()[:, 0, 2], atol=2e-5)


def test_positions_in_the_world_may_be_handed_over(motion, tmp_path):
    moved = motion.world() + np.float32([3.0, 0.0, 0.0])
    here, there = (joints_of(motion.save(tmp_path / "walk.bvh", world=world)) for world in (True, moved))
    np.testing.assert_allclose(there, here + (3, 0, 0), atol=1e-4)
    with pytest.raises(ValueError, match="world are .*expected"):
        motion.save(tmp_path / "walk.bvh", world=moved[1:])


def test_limbs_keep_their_directions_and_bones_their_lengths(motion, tmp_path):
    there = joints_of(motion.save(tmp_path / "walk.bvh"))
    lengths = H36M17.bone_lengths(there)
    median = np.median(H36M17.bone_lengths(y_up(motion)), axis=0)
    np.testing.assert_allclose(lengths, np.broadcast_to(median, lengths.shape), atol=2e-5)
    for parent, child in [(1, 2), (2, 3), (4, 5), (5, 6), (11, 12), (12, 13), (14, 15), (15, 16), (9, 10)]:
        ours, given = (poses[:, child] - poses[:, parent] for poses in (there, y_up(motion)))
        cosine = (ours * given).sum(-1) / np.linalg.norm(ours, axis=-1) / np.linalg.norm(given, axis=-1)
        assert cosine.min() > 1 - 1e-6, (H36M17.joints[parent], H36M17.joints[child])


def test_a_bvh_of_a_human_stands_where_it_stood(tmp_path):
    """Bones are constant there and shoulders nearly rigid: a mirror image, or another axis up, would be far off."""
    data = load_dataset("synthetic", subjects=["S9"], keypoints="gt")
    sequence = next(s for s in data.sequences if s.base_action == "Walking")
    poses = sequence.root_relative(0)[:100].astype(np.float32)
    motion = Motion(poses, sequence.keypoints[:100], 50.0, sequence.width, sequence.height)
    off = 1000 * np.linalg.norm(joints_of(motion.save(tmp_path / "walk.bvh")) - y_up(motion), axis=-1)
    legs = [2, 3, 5, 6]
    others = np.delete(off, legs, axis=1)
    assert others.mean() < 10 and others.max() < 40  # mm
    assert off[:, legs].mean() < 15 and off.max() < 60  # legs that held a foot were up to 4 % longer or shorter


def test_angles_do_not_jump(tmp_path):
    """A body that turns three times about itself: the angles run on, and no frame is far from the one before."""
    turns = Rotation.from_euler("y", np.linspace(0, 3 * 360, 200)[:, None], degrees=True).as_matrix()
    frame = Motion(smooth_motion(1, 0) - smooth_motion(1, 0)[:, :1], np.zeros((1, 17, 2)), 50.0, 9, 9)
    with pytest.warns(UserWarning, match="nobody stands or walks long enough"):
        standing = y_up(frame)[0]
    path = tmp_path / "turning.bvh"
    write_bvh(path, from_positions(standing @ turns.transpose(0, 2, 1), H36M17, 50.0))
    values = np.loadtxt(path.read_text().split("Frame Time")[1].splitlines()[1:])
    assert np.abs(np.diff(values[:, 3:], axis=0)).max() < 20
    assert np.ptp(values[:, 5]) > 900 or np.ptp(values[:, 3]) > 900


def test_a_straight_limb_and_its_opposite_are_no_trouble():
    """The least rotation between opposite directions has no axis of its own."""
    with pytest.warns(UserWarning, match="nobody stands or walks long enough"):
        positions = y_up(Motion(*_handstand()))
    motion = from_positions(positions, H36M17, 50.0)
    assert np.isfinite(motion.rotations).all()
    np.testing.assert_allclose(np.linalg.norm(motion.rotations, axis=-1), 1, atol=1e-9)


def _handstand():
    poses = smooth_motion(2, 0).astype(float)
    poses -= poses[:, :1]
    poses[:, [2, 3]] = poses[:, [1]] + [[0, -0.4, 0], [0, -0.8, 0]]  # camera space: a leg straight up
    return poses, np.zeros((2, 17, 2)), 50.0, 9, 9


def test_positions_of_another_body_are_refused():
    with pytest.raises(ValueError, match=r"poses are \(2, 15, 3\), expected \(T, 17, 3\)"):
        from_positions(np.zeros((2, 15, 3)), H36M17, 50.0)


def test_what_another_program_wrote_is_written_again_without_loss(tmp_path):
    first = from_positions(smooth_motion(20, 3)[..., [0, 2, 1]] * [1, 1, -1], H36M17, 120.0)
    write_bvh(tmp_path / "a.bvh", first)
    read = read_bvh(tmp_path / "a.bvh")
    write_bvh(tmp_path / "b.bvh", read, unit=1.0)
    again = read_bvh(tmp_path / "b.bvh", unit=1.0)
    assert again.fps == pytest.approx(120, abs=1e-3)
    ours, theirs = (dict(zip(m.names, np.moveaxis(forward_kinematics(m)[0], 1, 0), strict=True)) for m in (read, again))
    for name, positions in ours.items():
        np.testing.assert_allclose(theirs[name], positions, atol=5e-5)


def test_asf_is_carried_otherwise_and_refused(tmp_path):
    first = from_positions(smooth_motion(2, 3), H36M17, 50.0)
    with pytest.raises(ValueError, match="carried by its parent"):
        write_bvh(tmp_path / "a.bvh", replace(first, carriers=tuple(range(17))))
    assert not (tmp_path / "a.bvh").exists()


# Pictures that move


def test_a_gif_has_its_frames_at_its_speed(motion, tmp_path):
    short = replace(motion, poses_3d=motion.poses_3d[:20], keypoints=motion.keypoints[:20])
    with Image.open(short.save(tmp_path / "walk.gif")) as film:
        assert film.n_frames == 10 and film.info["duration"] == 40  # 20 frames at 50 Hz: every second one, at 25 Hz
        first = np.asarray(film.convert("L"))
        film.seek(5)
        assert (np.asarray(film.convert("L")) != first).mean() > 0.005
        assert first.std() > 5


def test_a_film_needs_ffmpeg_and_says_so(motion, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ValueError, match="needs the program ffmpeg"):
        motion.save(tmp_path / "walk.mp4")
    assert not list(tmp_path.iterdir())


def test_a_page_plays_it(motion, tmp_path):
    page = motion.save(tmp_path / "walk.html").read_text(encoding="utf-8")
    assert "plotly" in page and "RWrist" in page
