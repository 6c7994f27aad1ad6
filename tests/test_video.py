"""A video to a motion, with a detector that reads people off a script: decoding, following, even rates, clear words."""

import sys
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers_data import small_model, tiny_dataset
from typer.testing import CliRunner

from poseformer_lite import cli
from poseformer_lite.lifting import video
from poseformer_lite.lifting.blazepose import BlazePose
from poseformer_lite.lifting.lifter import PoseLifter
from poseformer_lite.lifting.video import evenly, follow_people, lift_video, read_video

av = pytest.importorskip("av")
WIDTH, HEIGHT, FPS = 320, 240, 25


@pytest.fixture(scope="module")
def lifter() -> PoseLifter:
    return PoseLifter(small_model(num_frames=9), device="cpu")


@pytest.fixture(scope="module")
def walk() -> np.ndarray:
    """(50, 17, 3): a person of some 100 pixels, each joint with confidence 1."""
    pixels = tiny_dataset().sequences[0].keypoints[:50]
    pixels = (pixels - pixels.min((0, 1))) / np.ptp(pixels, axis=(0, 1)).max() * 100 + (60, 40)
    return np.concatenate([pixels, np.ones((50, 17, 1))], axis=-1).astype(np.float32)


def write_video(path, frames=50, size=(WIDTH, HEIGHT), times=None, codec="mpeg4"):
    """Grey frames, the i-th of brightness 4 i; times in thousandths of a second."""
    times = [i * 1000 // FPS for i in range(frames)] if times is None else times
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=1000)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for i, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((size[1], size[0], 3), 4 * i, np.uint8), format="rgb24")
            frame.pts = time
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


class Script:
    """A detector that knows who is in each picture: people[i] (P, 17, 3)."""

    layout = "h36m17"

    def __init__(self, people):
        self.people, self.seen = list(people), []

    def __call__(self, image, seconds):
        self.seen.append((image.shape, seconds, float(image.mean())))
        return self.people[len(self.seen) - 1]


def test_frames_come_in_order_with_their_times(tmp_path):
    frames = list(read_video(write_video(tmp_path / "a.mp4")))
    assert len(frames) == 50
    np.testing.assert_allclose([seconds for seconds, _ in frames], np.arange(50) / FPS, atol=2e-3)
    brightness = [image.mean() for _, image in frames]
    np.testing.assert_allclose(brightness, 4 * np.arange(50), atol=8)
    assert frames[0][1].shape == (HEIGHT, WIDTH, 3) and frames[0][1].dtype == np.uint8


def test_a_video_is_lifted_as_its_keypoints_are(tmp_path, lifter, walk):
    detector = Script(walk[:, None])
    motion = lift_video(write_video(tmp_path / "a.mp4"), lifter, detector, progress=False)
    expected = lifter(walk, WIDTH, HEIGHT, fps=FPS)
    assert (len(motion), motion.width, motion.height) == (50, WIDTH, HEIGHT)
    assert motion.fps == pytest.approx(FPS, rel=1e-3)
    np.testing.assert_allclose(motion.poses_3d, expected.poses_3d, atol=2e-3)
    np.testing.assert_allclose(motion.keypoints, expected.keypoints, atol=1e-3)


def test_a_portrait_video_keeps_its_size(tmp_path, lifter, walk):
    detector = Script(walk[:, None])
    motion = lift_video(write_video(tmp_path / "a.mp4", size=(240, 320)), lifter, detector, progress=False)
    assert (motion.width, motion.height) == (240, 320) and detector.seen[0][0] == (320, 240, 3)


def test_the_frames_are_turned_as_the_file_says(monkeypatch):
    """Rotation is in the file's side data, which PyAV reads but cannot write: the decoder's frames are stood in for."""
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)

    class Frame:
        time, rotation, is_corrupt = 0.0, -90, False

        def to_ndarray(self, format):
            return image

    class Container:
        duration = None  # the file does not say it

        def __init__(self):
            self.streams = type("S", (), {"video": [type("V", (), {"frames": 1})()]})()

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def demux(self, stream):
            yield type("Packet", (), {"is_corrupt": False, "decode": lambda self: [Frame()]})()

    monkeypatch.setattr(av, "open", lambda path: Container())
    monkeypatch.setattr(video, "_ends_early", lambda path: False)
    ((_, turned),) = video._decode(Path("a.mov"), False)
    np.testing.assert_array_equal(turned, np.rot90(image, -1))  # clockwise by 90 degrees
    assert turned.shape == (3, 2, 3)


def test_whoever_fills_most_is_lifted_and_the_next_on_request(tmp_path, lifter, walk):
    small = walk * (0.4, 0.4, 1) + (200, 20, 0)
    people = np.stack([small, walk], axis=1).astype(np.float32)
    people[::2] = people[::2, ::-1]  # a detector's order says nothing
    path = write_video(tmp_path / "a.mp4")
    largest = lift_video(path, lifter, Script(people), progress=False)
    second = lift_video(path, lifter, Script(people), person=1, progress=False)
    np.testing.assert_allclose(largest.keypoints, walk[..., :2], atol=1e-3)
    np.testing.assert_allclose(second.keypoints, small[..., :2], atol=1e-3)
    with pytest.raises(ValueError, match="shows 2 people, so there is no person 2"):
        lift_video(path, lifter, Script(people), person=2, progress=False)


def test_two_who_cross_are_followed_by_their_way_and_the_user_is_told(tmp_path, lifter, walk):
    still = np.repeat(walk[:1], 50, axis=0)
    left = still + np.linspace(0, 160, 50)[:, None, None] * (1, 0, 0)
    right = still + np.linspace(160, 0, 50)[:, None, None] * (1, 0, 0) + (0, 12, 0)
    people = np.stack([left, right], axis=1).astype(np.float32)
    tracks = follow_people(people, list(np.arange(50) / FPS))
    assert [len(track.frames) for track in tracks] == [50, 50]
    with pytest.warns(UserWarning, match="somebody else is near at .* s"):
        lift_video(write_video(tmp_path / "a.mp4"), lifter, Script(people), progress=False)


def test_a_person_who_comes_and_goes(tmp_path, lifter, walk):
    nobody = np.zeros((0, 17, 3), np.float32)
    people = [nobody] * 15 + [walk[i : i + 1] for i in range(15, 20)] + [nobody] * 20
    people += [walk[i : i + 1] for i in range(40, 50)]
    with pytest.warns(UserWarning) as noticed:
        motion = lift_video(write_video(tmp_path / "a.mp4"), lifter, Script(people), progress=False)
    said = " ".join(str(warning.message) for warning in noticed)
    assert len(motion) == 35 and np.isfinite(motion.poses_3d).all()
    assert "seen from 0.6 to 2.0 s" in said and "out of sight from 0.8 to 1.6 s" in said


def test_after_a_second_out_of_sight_somebody_is_new(walk):
    people = [walk[i : i + 1] if i < 10 or i > 40 else walk[:0] for i in range(50)]
    assert [len(track.frames) for track in follow_people(people, list(np.arange(50) / FPS))] == [10, 9]


def test_nobody_is_said_so(tmp_path, lifter, walk):
    with pytest.raises(ValueError, match="nobody was found in the 50 frames of a.mp4"):
        lift_video(write_video(tmp_path / "a.mp4"), lifter, Script([walk[:0]] * 50), progress=False)


def test_a_variable_rate_is_made_even(walk):
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.choice([1 / 30, 2 / 30], 50, p=[0.8, 0.2]))
    path = np.stack([np.full((17, 3), seconds) for seconds in times]).astype(np.float32)  # a straight line in time
    (track,) = follow_people(walk[:, None], list(times))
    track.keypoints = list(path)
    keypoints, fps = evenly(track, list(times))
    assert fps == pytest.approx(30, rel=1e-3)
    np.testing.assert_allclose(keypoints[:, 0, 0], times[0] + np.arange(len(keypoints)) / fps, atol=1e-4)
    assert times[-1] - keypoints[-1, 0, 0] < 1 / fps


@pytest.mark.filterwarnings("ignore")
def test_a_file_that_breaks_off_gives_what_came_before_or_a_clear_word(tmp_path, lifter, walk):
    whole = write_video(tmp_path / "a.avi")
    (tmp_path / "cut.avi").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert 1 < len(list(read_video(tmp_path / "cut.avi"))) < 50
    (tmp_path / "head.mp4").write_bytes(write_video(tmp_path / "b.mp4").read_bytes()[:500])
    with pytest.raises(ValueError, match="head.mp4 .*(not a video|no picture)"):
        list(read_video(tmp_path / "head.mp4"))


def test_a_file_that_ends_long_before_it_should_is_said_to(tmp_path):
    whole = write_video(tmp_path / "a.mkv")
    assert len(list(read_video(whole))) == 50
    (tmp_path / "cut.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.warns(UserWarning, match=r"cut.mkv is cut off: of its 2.0 s, .* are there"):
        assert 1 < len(list(read_video(tmp_path / "cut.mkv"))) < 40


@pytest.mark.parametrize("share", [0.51, 0.97])
@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [
        ("a.ts", "mpeg2video", {}),
        ("a.ts", "libx264", {}),
        ("a.mp4", "libx264", {"movflags": "frag_every_frame+empty_moov"}),
        ("a.mp4", "mpeg4", {"movflags": "frag_every_frame+empty_moov"}),
        ("a.mp4", "mpeg4", {"movflags": "faststart"}),
        ("a.mov", "mpeg4", {"movflags": "faststart"}),
        ("a.mkv", "libx264", {}),
        ("a.webm", "libvpx", {}),
        ("a.avi", "mjpeg", {}),
        ("a.avi", "mpeg4", {}),
        ("a.gif", "gif", {}),
    ],
)
def test_no_cut_file_is_read_in_silence(tmp_path, name, codec, options, share):
    whole = tmp_path / name
    rng = np.random.default_rng(0)
    with av.open(str(whole), "w", options=options) as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.width, stream.height = 96, 64
        stream.pix_fmt = {"gif": "rgb8", "mjpeg": "yuvj420p"}.get(codec, "yuv420p")
        for _ in range(50):
            frame = av.VideoFrame.from_ndarray(rng.integers(0, 255, (64, 96, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(read_video(whole))) == 50
    cut = tmp_path / f"cut{whole.suffix}"
    size = int(share * whole.stat().st_size)
    cut.write_bytes(whole.read_bytes()[: size + (size % 188 == 0)])  # else a transport stream does not tell
    with pytest.warns(UserWarning, match=f"cut{whole.suffix} (is cut off|breaks off after)"):
        try:
            assert 1 < len(list(read_video(cut))) <= 50
        except ValueError as error:  # where not even its head can be read
            warnings.warn(str(error).replace("is not a video that can be read", "is cut off"), stacklevel=2)


def test_a_photograph_that_breaks_off_is_said_to(tmp_path):
    image = av.VideoFrame.from_ndarray(np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8), format="rgb24")
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 96, 64, "yuvj420p", Fraction(1, 25)
    raw = b"".join(map(bytes, [*encoder.encode(image.reformat(format="yuvj420p")), *encoder.encode()]))
    (tmp_path / "a.jpg").write_bytes(raw + b"a film that a phone puts after it")
    (tmp_path / "cut.jpg").write_bytes(raw[: len(raw) // 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(list(read_video(tmp_path / "a.jpg"))) == 1
    with pytest.warns(UserWarning, match="cut.jpg is cut off"):
        assert len(list(read_video(tmp_path / "cut.jpg"))) == 1


def test_frames_that_are_damaged_are_counted(tmp_path, monkeypatch):
    raw = write_video(tmp_path / "a.avi").read_bytes()
    monkeypatch.setattr(video, "_ends_early", lambda path: False)
    (tmp_path / "cut.avi").write_bytes(raw[: raw.index(b"idx1") - 5])  # in the last picture
    with pytest.warns(UserWarning, match="cut.avi: 1 of 50 frames are damaged, the first at 2.0 s"):
        list(read_video(tmp_path / "cut.avi"))


@pytest.mark.parametrize("content", [b"", b"this is not a video at all" * 50])
def test_what_is_not_a_video_is_refused_by_name(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(ValueError, match="a.mp4 is not a video that can be read"):
        list(read_video(tmp_path / "a.mp4"))
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_video(tmp_path / "none.mp4")


def test_without_the_detectors_runtime_the_way_out_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(ValueError, match=r"pip install 'poseformer-lite\[video\]'"):
        BlazePose()


def test_on_the_command_line(tmp_path, monkeypatch, walk):
    model = small_model(num_frames=9).save_pretrained(tmp_path / "weights")
    path = write_video(tmp_path / "a.mp4")
    people = [walk[i : i + 1] if i < 40 else walk[:0] for i in range(50)]
    monkeypatch.setattr(video, "BlazePose", lambda: Script(people))
    arguments = ["lift", str(path), "--weights", str(model), "-o", str(tmp_path / "motion.json")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert run.exit_code == 0 and "40 frames at 25 Hz" in run.stdout.replace("25.0", "25")
    assert (tmp_path / "motion.json").is_file()


@pytest.mark.parametrize(
    ("given", "words"),
    [(None, "gave None for a frame"), (np.zeros((17, 3)), r"gave \(17, 3\)"), (np.zeros((1, 17, 2)), r"\(1, 17, 2\)")],
)
def test_a_detector_that_gives_something_else_is_told_what_is_expected(tmp_path, lifter, given, words):
    with pytest.raises(ValueError, match=words + r".*expected \(P, 17, 3\) of h36m17"):
        lift_video(write_video(tmp_path / "a.mp4", frames=2), lifter, Script([given] * 2), progress=False)


def test_a_detector_may_say_nobody_with_an_empty_list(tmp_path, lifter, walk):
    people = [[], *walk[1:10, None]]
    with pytest.warns(UserWarning) as said:
        motion = lift_video(write_video(tmp_path / "a.mp4", frames=10), lifter, Script(people), progress=False)
    assert any("person 0: seen from 0.0 to 0.4 s" in str(warning.message) for warning in said)
    assert len(motion) == 9 and motion.start == pytest.approx(1 / FPS, rel=1e-2)


def test_a_picture_is_lifted(tmp_path, monkeypatch, walk):
    from PIL import Image

    model = small_model(num_frames=9).save_pretrained(tmp_path / "weights")
    Image.new("RGB", (WIDTH, HEIGHT), "gray").save(tmp_path / "photo.JPG")
    monkeypatch.setattr(video, "BlazePose", lambda: Script([walk[:1]]))
    arguments = ["lift", str(tmp_path / "photo.JPG"), "--weights", str(model), "-o", str(tmp_path / "motion.json")]
    run = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
    assert run.exit_code == 0 and "1 frames" in run.stdout


def test_somebody_whose_legs_nobody_saw_is_refused_unless_asked_for(tmp_path, lifter, walk):
    upper = walk.copy()
    upper[:, [2, 3, 5, 6], 2] = 0.05
    path = write_video(tmp_path / "a.mp4")
    with pytest.raises(ValueError, match="the upper body alone is seen.*as_given=True"):
        lift_video(path, lifter, Script(upper[:, None]), progress=False)
    with pytest.warns(UserWarning, match="the upper body alone is seen"):
        assert len(lift_video(path, lifter, Script(upper[:, None]), progress=False, as_given=True)) == 50


def test_somebody_who_lies_is_lifted_from_a_video_and_it_is_said(tmp_path, monkeypatch, lifter, walk):
    lying = walk[..., [1, 0, 2]]
    monkeypatch.setattr(video, "BlazePose", lambda: Script(lying[:, None]))
    with pytest.warns(UserWarning, match="lies throughout"):
        motion = lift_video(write_video(tmp_path / "a.mp4"), lifter, progress=False)
    np.testing.assert_allclose(motion.keypoints, lying[..., :2], atol=1e-3)
    with pytest.raises(ValueError, match="x and y are exchanged"):  # your own detector may have exchanged them
        lift_video(tmp_path / "a.mp4", lifter, Script(lying[:, None]), progress=False)


@pytest.mark.parametrize("camera", [0, "1"])
def test_the_number_of_a_camera_is_no_video(lifter, camera):
    with pytest.raises(ValueError, match=f"{camera} is a camera's number.*poseformer-lite live {camera}"):
        lift_video(camera, lifter)
    result = CliRunner().invoke(cli.app, ["lift", str(camera)])
    assert f"{camera} is a camera's number" in str(result.exception)
