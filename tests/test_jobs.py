"""`poseformer-lite lift`: all is checked before anything is decoded; everybody, folders, kept keypoints."""

import json

import numpy as np
import pytest
from helpers_data import small_model, tiny_dataset
from typer.testing import CliRunner

from poseformer_lite import cli
from poseformer_lite.formats.keypoint_files import KeypointTrack
from poseformer_lite.lifting import jobs, motion_files
from poseformer_lite.lifting.motion import Motion


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> str:
    return str(small_model(num_frames=9).save_pretrained(tmp_path_factory.mktemp("weights")))


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    """(40, 17, 2) pixels, Human3.6M's joints, in a picture of 1000 x 800."""
    return tiny_dataset(num_frames=40).sequences[0].keypoints.astype(np.float32)


def write(path, keypoints, **said):
    np.savez(path, keypoints=keypoints, **{"width": 1000, "height": 800, "fps": 25.0, "layout": "h36m17", **said})
    return path


def lift(*arguments):
    return CliRunner().invoke(cli.app, ["lift", *map(str, arguments)], catch_exceptions=True)


@pytest.fixture
def video(tmp_path, monkeypatch):
    """A video that nobody may decode."""

    def find_people(path):
        raise AssertionError("the video was watched before everything was checked")

    monkeypatch.setattr(jobs, "find_people", find_people)
    monkeypatch.setattr(jobs, "check_video", lambda path: None)
    (tmp_path / "clip.mp4").write_bytes(b"")
    return tmp_path / "clip.mp4"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--fps", "100"], "--fps: for files of keypoints, a video says this itself"),
        (["--layout", "coco17", "--width", "5"], "--layout and --width: for files of keypoints"),
        (["-o", "motion.fbx"], "a motion is saved as .npz, .json"),
        (["-o", "motion.mp4"], "needs the program ffmpeg"),
        (["-o", "clip.mp4"], "ffmpeg"),
        (["-o", "{folder}/weights-are-a-file/motion.npz"], "cannot be written"),
        (["--smooth", "-1"], "--smooth is -1.0, expected a finite number of at least 0"),
        (["--smooth", "inf"], "--smooth is inf"),
        (["--min-confidence", "30"], "--min-confidence is 30"),
        (["--stride", "2"], "stride is 2: expected an odd number"),
        (["--picture", "frames.txt"], "frames.txt ends in .txt, expected .png"),
        (["--keep-keypoints", "found.csv"], "found.csv ends in .csv, expected .npz, .json"),
        (["--weights", "runs/typo"], "there is no folder runs/typo, and the weights that are shipped are"),
    ],
)
def test_all_that_can_be_known_is_refused_before_the_video_is_watched(
    video, weights, monkeypatch, tmp_path, options, words
):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights-are-a-file").write_text("")
    options = [option.format(folder=tmp_path) for option in options]
    result = lift(video, "--weights", weights, *options)
    assert isinstance(result.exception, (ValueError, OSError)), result.exception
    assert words in str(result.exception)


@pytest.mark.parametrize(("option", "value"), [("--fps", 0), ("--fps", "inf"), ("--fps", -5), ("--width", 0)])
def test_numbers_that_are_none_are_refused(tmp_path, walk, weights, option, value):
    result = lift(write(tmp_path / "a.npz", walk), "--weights", weights, option, value)
    assert f"{option} is" in str(result.exception) and "expected a finite number over 0" in str(result.exception)


def test_what_is_too_long_for_its_kind_of_file_is_said_before_it_is_lifted(tmp_path, walk, weights, monkeypatch):
    monkeypatch.setattr(motion_files, "LONGEST", {".gif": 39, ".html": 38})
    path, out = write(tmp_path / "walk.npz", walk), tmp_path / "out"
    done = lift(path, "--weights", weights, "-o", out)
    assert done.exit_code == 0, done.exception
    assert {file.suffix for file in out.iterdir()} == {".npz", ".csv", ".bvh", ".glb"}
    assert "motion.gif is left out: motion.gif would have 40 frames, a .gif can have 39" in done.stderr
    assert "motion.html is left out" in done.stderr

    monkeypatch.setattr(jobs.PoseLifter, "__call__", lambda *_, **__: pytest.fail("it was lifted first"))
    for ending in (".gif", ".html"):
        done = lift(path, "--weights", weights, "-o", tmp_path / f"m{ending}")
        assert f"m{ending} would have 40 frames" in str(done.exception)


def test_its_own_input_is_not_overwritten(tmp_path, walk, weights):
    path = write(tmp_path / "a.npz", walk)
    before = path.read_bytes()
    assert "is read and would be overwritten" in str(lift(path, "--weights", weights, "-o", path).exception)
    assert "is for a video" in str(lift(path, "--weights", weights, "--keep-keypoints", tmp_path / "b.npz").exception)
    assert path.read_bytes() == before


def test_endings_in_capitals(tmp_path, walk, weights):
    path = write(tmp_path / "A.NPZ", walk)
    path = path if path.exists() else (tmp_path / "A.NPZ.npz").rename(tmp_path / "A.NPZ")
    result = lift(path, "--weights", weights, "-o", tmp_path / "walk.BVH")
    assert result.exit_code == 0 and (tmp_path / "walk.BVH").read_text().startswith("HIERARCHY")


def test_everybody_is_lifted_in_one_run_and_who_cannot_be_is_named(tmp_path, walk, weights):
    people = np.stack([walk, walk + (30, 0), walk, np.full_like(walk, np.nan)])
    people[1, :15] = np.nan  # comes late
    people[2, :, 3] = np.nan  # has no foot
    people[3, :5] = walk[:5]  # is there for a moment
    path = write(tmp_path / "four.npz", people)
    result = lift(path, "--weights", weights, "-o", tmp_path / "m.npz", "--all")
    assert result.exit_code == 0, result.exception
    assert sorted(p.name for p in tmp_path.glob("m*")) == ["m-person-0.npz", "m-person-1.npz"]
    assert Motion.load(tmp_path / "m-person-1.npz").start == pytest.approx(0.6)
    assert (
        "1 tracks of less than 0.5 s are left out" in result.stderr and "person 2 is left out: RFoot" in result.stderr
    )
    assert "person 1: seen from 0.6 to 1.6 s of 1.6 s" in result.stderr
    one = lift(path, "--weights", weights, "-o", tmp_path / "one.npz")
    assert "has 4 tracks: --track chooses another, --all lifts everybody" in one.stderr


def test_a_folder_of_files_is_lifted_in_one_run(tmp_path, walk, weights):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "a.npz", walk)
    write(tmp_path / "in" / "b.npz", walk[:20])
    (tmp_path / "in" / "c.json").write_text("{}")
    result = lift(tmp_path / "in", "--weights", weights, "-o", tmp_path / "out" / "motion.json")
    assert result.exit_code == 0, result.exception
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["motion-a.json", "motion-b.json"]
    assert "c.json is left out" in result.stderr


def test_what_is_found_in_a_video_is_kept_and_lifted_again(tmp_path, walk, weights, video, monkeypatch):
    keypoints = np.concatenate([walk, np.full((40, 17, 1), 0.9)], axis=-1).astype(np.float32)
    track = KeypointTrack("person 0", keypoints, "h36m17", 25.0, 1000, 800, start=10.0, total=50.0)
    monkeypatch.setattr(jobs, "find_people", lambda path: [track])
    kept = tmp_path / "found.json"
    first = lift(video, "--weights", weights, "-o", tmp_path / "a.npz", "--keep-keypoints", kept)
    assert first.exit_code == 0 and json.loads(kept.read_text())["layout"] == "h36m17"
    assert lift(kept, "--weights", weights, "-o", tmp_path / "b.npz").exit_code == 0
    a, b = (Motion.load(tmp_path / name) for name in ("a.npz", "b.npz"))
    np.testing.assert_allclose(a.poses_3d, b.poses_3d, atol=1e-4)
    assert a.start == b.start == pytest.approx(0.4) and not a.filled.any()


def test_the_world_is_found_once_for_all_files_of_a_person(tmp_path, walk, weights, monkeypatch):
    asked, found = [], jobs.in_the_world
    monkeypatch.setattr(jobs, "in_the_world", lambda motion: asked.append(motion) or found(motion))
    monkeypatch.setattr(Motion, "world", lambda self: pytest.fail("the world was found anew"))
    monkeypatch.setattr(jobs, "IN_A_FOLDER", (".bvh", ".glb", ".html"))
    result = lift(write(tmp_path / "a.npz", walk), "--weights", weights, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.exception
    assert len(asked) == 1 and len(list((tmp_path / "out").iterdir())) == 3


def test_what_is_refused_is_lifted_as_given_where_that_is_asked_for(tmp_path, walk, weights):
    path = write(tmp_path / "lying.npz", walk[..., ::-1])
    options = ("--weights", weights, "-o", tmp_path / "m.npz")
    assert "--as-given" in str(lift(path, *options).exception)
    result = lift(path, *options, "--as-given")
    assert result.exit_code == 0 and "note: the person lies throughout" in result.stderr


def test_shares_of_the_picture_are_multiplied_and_said(tmp_path, walk, weights):
    write(tmp_path / "pixels.npz", walk)
    write(tmp_path / "shares.npz", walk / (1000, 800))
    for name in ("pixels", "shares"):
        result = lift(tmp_path / f"{name}.npz", "--weights", weights, "-o", tmp_path / f"{name}.json")
        assert ("are shares of the picture" in result.stderr) == (name == "shares")
    pixels, shares = (Motion.load(tmp_path / f"{name}.json") for name in ("pixels", "shares"))
    np.testing.assert_allclose(pixels.poses_3d, shares.poses_3d, atol=1e-4)
