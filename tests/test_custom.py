"""Keypoints of one's own: each format is read, and each broken file is refused by name."""

import json
import os
import warnings

import numpy as np
import pytest

from poseformer_lite.formats.keypoint_files import KeypointTrack, guess_layout, read_keypoints


@pytest.fixture(scope="module")
def formats(shared):
    return shared / "reference" / "formats"


def detections(frames: int = 6, joints: int = 17, dims: int = 2) -> np.ndarray:
    return np.random.default_rng(0).uniform(1, 999, (frames, joints, dims)).astype(np.float32)


def pack(contents) -> np.ndarray:
    return np.array(contents, dtype=object)


def only(tracks: list[KeypointTrack]) -> KeypointTrack:
    assert len(tracks) == 1
    return tracks[0]


def test_custom_video_of_the_field(formats):
    track = only(read_keypoints(formats / "data_2d_custom_myvideos.npz"))
    contents = np.load(formats / "data_2d_custom_myvideos.npz", allow_pickle=True)
    np.testing.assert_array_equal(track.keypoints, contents["positions_2d"].item()["dance.mp4"]["custom"][0])
    size = contents["metadata"].item()["video_metadata"]["dance.mp4"]
    assert (track.name, track.layout, track.fps) == ("dance.mp4", "h36m17", None)
    assert (track.width, track.height) == (size["w"], size["h"])


def test_alphapose_of_the_field(formats):
    track = only(read_keypoints(formats / "alphapose-results.json"))
    records = json.loads((formats / "alphapose-results.json").read_text())
    assert track.keypoints.shape == (30, 17, 3) and track.layout == "coco17"
    for record in records:
        frame = int(record["image_id"].removesuffix(".jpg"))
        np.testing.assert_allclose(track.keypoints[frame].ravel(), record["keypoints"], rtol=1e-6)


def test_training_files_can_be_lifted_too(formats):
    tracks = read_keypoints(formats / "data_2d_h36m_gt.npz")
    assert len(tracks) == 836 and tracks[0].keypoints.shape[1:] == (17, 2)
    lengths = [len(track.keypoints) for track in tracks]
    assert lengths == sorted(lengths, reverse=True)
    assert len({track.name for track in tracks}) == 836


def test_custom_npz_with_several_videos_and_people(tmp_path):
    short, long = detections(3), detections(8)
    positions = {"a.mp4": {"custom": [short, long]}, "b.mp4": {"custom": [detections(5)]}}
    metadata = {"layout_name": "coco", "video_metadata": {"a.mp4": {"w": 640, "h": 480}}}
    np.savez(tmp_path / "custom.npz", positions_2d=pack(positions), metadata=pack(metadata))
    tracks = read_keypoints(tmp_path / "custom.npz")
    assert [(t.name, len(t.keypoints), t.width) for t in tracks] == [
        ("a.mp4, custom, 1", 8, 640),
        ("b.mp4", 5, None),
        ("a.mp4", 3, 640),
    ]
    assert {t.layout for t in tracks} == {"coco17"}
    np.testing.assert_array_equal(tracks[0].keypoints, long)


def test_demo_npz(tmp_path):
    people = np.stack([detections(4), detections(4) + 1])
    np.savez(tmp_path / "keypoints.npz", reconstruction=people)
    tracks = read_keypoints(tmp_path / "keypoints.npz")
    assert [t.name for t in tracks] == ["person 0", "person 1"] and {t.layout for t in tracks} == {"h36m17"}
    np.testing.assert_array_equal(tracks[1].keypoints, people[1])


@pytest.mark.parametrize("dims", [2, 3])
def test_plain_npz(dims, tmp_path):
    keypoints = detections(4, 33, dims)
    np.savez(
        tmp_path / "jump.npz",
        keypoints=keypoints.astype(np.float64),
        fps=29.97,
        width=1280,
        height=720,
        layout="mediapipe33",
    )
    track = only(read_keypoints(tmp_path / "jump.npz"))
    np.testing.assert_allclose(track.keypoints, keypoints)
    assert (track.name, track.layout, track.fps, track.width, track.height) == ("jump", "mediapipe33", 29.97, 1280, 720)
    np.savez(tmp_path / "bare.npz", keypoints=keypoints)
    track = only(read_keypoints(tmp_path / "bare.npz"))
    assert (track.layout, track.fps, track.width, track.height) == (None,) * 4


def test_plain_npz_with_boxed_values(tmp_path):
    np.savez(tmp_path / "boxed.npz", keypoints=detections(), fps=pack(25), layout=pack("coco17"), width=pack(None))
    track = only(read_keypoints(tmp_path / "boxed.npz"))
    assert (track.fps, track.layout, track.width) == (25, "coco17", None)


@pytest.mark.parametrize("dims", [2, 3])
def test_npy(dims, tmp_path):
    np.save(tmp_path / "jump.npy", detections(dims=dims))
    track = only(read_keypoints(str(tmp_path / "jump.npy")))
    np.testing.assert_array_equal(track.keypoints, detections(dims=dims))
    assert track.layout is None


def test_csv(tmp_path):
    header = ",".join(f"{axis}{j}" for j in range(17) for axis in "xy")
    np.savetxt(tmp_path / "jump.csv", detections().reshape(6, -1), delimiter=",", header=header, comments="")
    np.testing.assert_allclose(only(read_keypoints(tmp_path / "jump.csv")).keypoints, detections(), rtol=1e-6)


def test_csv_of_one_frame_and_with_empty_cells(tmp_path):
    (tmp_path / "one.csv").write_text("x0,y0,x1,y1\n1,2,,4\n")
    keypoints = only(read_keypoints(tmp_path / "one.csv")).keypoints
    np.testing.assert_array_equal(keypoints, [[[1, 2], [np.nan, 4]]])


def test_json_with_keypoints(tmp_path):
    contents = {"keypoints": detections().tolist(), "fps": 25, "width": 640, "height": 480, "layout": "coco17"}
    (tmp_path / "JUMP.JSON").write_text(json.dumps(contents))
    track = only(read_keypoints(tmp_path / "JUMP.JSON"))
    np.testing.assert_allclose(track.keypoints, detections())
    assert (track.fps, track.width, track.height, track.layout) == (25, 640, 480, "coco17")


def record(frame, value: float, joints: int = 17, **changes) -> dict:
    return {"image_id": f"{frame}.jpg", "keypoints": [value] * 3 * joints, "score": 1.0, **changes}


def write_alphapose(folder, records):
    (folder / "alphapose.json").write_text(json.dumps(records))
    return folder / "alphapose.json"


def test_alphapose_frames_are_those_of_image_id_and_gaps_are_nan(tmp_path):
    path = write_alphapose(tmp_path, [record("frame_0012", 12), record("frame_0010", 10), record("frame_0009", 9)])
    with pytest.warns(UserWarning, match="the person jumps in 2 frames"):
        keypoints = only(read_keypoints(path)).keypoints
    assert keypoints[[0, 1, 3], 0, 0].tolist() == [9, 10, 12]
    assert np.isnan(keypoints[2, :, :2]).all() and not keypoints[2, :, 2].any()


def test_alphapose_frames_are_not_ordered_as_text(tmp_path):
    path = write_alphapose(tmp_path, [record(frame, frame + 1) for frame in (0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9)])
    with pytest.warns(UserWarning, match="the person jumps in"):
        keypoints = only(read_keypoints(path)).keypoints
    assert keypoints[:, 0, 0].tolist() == list(range(1, 13))


def test_alphapose_people_by_idx_the_most_seen_first(tmp_path):
    records = [record(0, 1, idx=7), *(record(frame, 2, idx=3) for frame in range(3)), record(2, 1, idx=7)]
    first, second = read_keypoints(write_alphapose(tmp_path, records))
    assert (first.name, second.name) == ("person 3", "person 7")
    assert first.keypoints.shape == second.keypoints.shape == (3, 17, 3)
    assert np.isnan(second.keypoints[1, :, :2]).all()


@pytest.mark.parametrize(("joints", "layout"), [(17, "coco17"), (26, "halpe26")])
def test_alphapose_layout_follows_the_number_of_joints(joints, layout, tmp_path):
    track = only(read_keypoints(write_alphapose(tmp_path, [record(0, 1, joints)])))
    assert track.layout == layout and track.keypoints.shape == (1, joints, 3)


BROKEN_JSON = {
    "empty": "",
    "cut off": '[{"image_id": "0.jpg", "keypoints": [1, 2',
    "not text": b"\xff\xfe\x00\x81",
    "empty list": "[]",
    "other": '{"people": []}',
    "number": "3",
    "null keypoints": '{"keypoints": null}',
    "ragged": '{"keypoints": [[[1, 2], [3]]]}',
    "words": '{"keypoints": [[["a", "b"]]]}',
    "flat": '{"keypoints": [1, 2, 3]}',
    "no frames": '{"keypoints": []}',
    "no frame number": json.dumps([record("first", 1)]),
    "no image_id": json.dumps([{"keypoints": [1.0] * 51}]),
    "not triples": json.dumps([record(0, 1, keypoints=[1.0] * 50)]),
    "two lengths": json.dumps([record(0, 1), record(1, 1, joints=26)]),
    "unknown layout": json.dumps([record(0, 1, joints=19)]),
    "nested records": json.dumps([record(0, 1, keypoints=[[1.0, 2, 3]] * 17)]),
    "null record": json.dumps([record(0, 1, keypoints=None)]),
    "words in a record": json.dumps([record(0, 1, keypoints=["a"] * 51)]),
}


@pytest.mark.parametrize("text", BROKEN_JSON.values(), ids=BROKEN_JSON)
def test_broken_json_is_refused_by_name(text, tmp_path):
    (tmp_path / "broken.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match="broken.json"):
        read_keypoints(tmp_path / "broken.json")


BROKEN_CSV = {
    "empty": "",
    "header only": "x0,y0,x1,y1\n",
    "ragged": "x0,y0,x1,y1\n1,2,3,4\n1,2\n",
    "odd": "x0,y0,x1\n1,2,3\n",
    "words": "x0,y0\nleft,right\nup,down\n",
    "a word": "x0,y0\n1,2\n1,oops\n",
    "not text": b"\xff\xfe\x00\x81\x00\n\x00\x93",
}


@pytest.mark.parametrize("text", BROKEN_CSV.values(), ids=BROKEN_CSV)
def test_broken_csv_is_refused_by_name(text, tmp_path):
    (tmp_path / "broken.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a file is empty is also warned of
        with pytest.raises(ValueError, match="broken.csv"):
            read_keypoints(tmp_path / "broken.csv")


BROKEN_NPZ = {
    "other": dict(positions_3d=np.zeros((3, 17, 3))),
    "nothing": {},
    "flat": dict(keypoints=np.zeros(5)),
    "no frames": dict(keypoints=np.zeros((0, 17, 2))),
    "ragged": dict(keypoints=pack([np.zeros(2), np.zeros(3)])),
    "words": dict(keypoints=np.array([[["a", "b"]]])),
    "demo of one person": dict(reconstruction=np.zeros((4, 17, 2))),
    "demo of nobody": dict(reconstruction=np.zeros((0, 4, 17, 2))),
    "custom without a dictionary": dict(positions_2d=np.zeros((4, 17, 2))),
    "custom without actions": dict(positions_2d=pack({"a.mp4": [np.zeros((4, 17, 2))]})),
    "custom without videos": dict(positions_2d=pack({})),
    "custom with odd metadata": dict(
        positions_2d=pack({"a.mp4": {"custom": [np.zeros((4, 17, 2))]}}), metadata=np.zeros(3)
    ),
    "custom with words": dict(positions_2d=pack({"a.mp4": {"custom": ["words"]}})),
}


@pytest.mark.parametrize("contents", BROKEN_NPZ.values(), ids=BROKEN_NPZ)
def test_broken_npz_is_refused_by_name(contents, tmp_path):
    np.savez(tmp_path / "broken.npz", **contents)
    with pytest.raises(ValueError, match="broken.npz"):
        read_keypoints(tmp_path / "broken.npz")


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".json"])
@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_truncated(suffix, share, tmp_path):
    path = tmp_path / f"cut{suffix}"
    {".npz": lambda: np.savez(path, keypoints=detections()), ".npy": lambda: np.save(path, detections()),
     ".json": lambda: path.write_text(json.dumps({"keypoints": detections().tolist()}))}[suffix]()  # fmt: skip
    raw = path.read_bytes()
    path.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(ValueError, match=f"cut{suffix}"):
        read_keypoints(path)


class RunsCode:
    """Unpickling it makes a folder: that it exists betrays that the file's code ran."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_hostile_file_does_not_run(suffix, tmp_path):
    path, hostile = tmp_path / f"hostile{suffix}", pack([RunsCode(tmp_path / "it-ran")])
    if suffix == ".npz":
        np.savez(path, keypoints=hostile)
    else:
        np.save(path, hostile)
    with pytest.raises(ValueError, match=f"hostile{suffix}"):
        read_keypoints(path)
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.parametrize("array", [np.zeros((5, 35)), np.zeros((5, 17, 6)), np.zeros((0, 17, 2)), np.array(["a"])])
def test_wrong_npy_is_refused_by_name(array, tmp_path):
    np.save(tmp_path / "wrong.npy", array)
    with pytest.raises(ValueError, match="wrong.npy"):
        read_keypoints(tmp_path / "wrong.npy")


def test_npz_called_npy(tmp_path):
    np.savez(tmp_path / "other.npz", keypoints=detections())
    (tmp_path / "other.npz").rename(tmp_path / "other.npy")
    with pytest.raises(ValueError, match="other.npy"):
        read_keypoints(tmp_path / "other.npy")


def test_unknown_ending_and_missing_file(tmp_path):
    (tmp_path / "video.mp4").write_text("")
    with pytest.raises(ValueError, match="video.mp4: keypoints are read from .npz, .npy, .json, .csv"):
        read_keypoints(tmp_path / "video.mp4")
    with pytest.raises(FileNotFoundError, match="none.npz"):
        read_keypoints(tmp_path / "none.npz")


def test_guess_layout():
    assert (guess_layout(26), guess_layout(33)) == ("halpe26", "mediapipe33")
    with pytest.raises(ValueError, match="17 joints can be h36m17 or coco17: say which"):
        guess_layout(17)
    assert [guess_layout(joints) for joints in (18, 25, 133, 136)] == ["coco18", "body25", "wholebody133", "halpe136"]
    with pytest.raises(ValueError, match="19 joints can be none of our layouts"):
        guess_layout(19)


@pytest.mark.parametrize("divider", [",", ";", "\t"])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(("frames", "sure"), [(True, True), (True, False), (False, True), (False, False)])
def test_a_csv_with_frames_and_confidences_is_read_as_what_it_is(tmp_path, divider, header, frames, sure):
    """17 joints with both are 52 numbers, which are 26 pairs as well: another skeleton."""
    rng = np.random.default_rng(0)
    pixels = rng.uniform(100, 900, (8, 17, 2))
    keypoints = np.concatenate([pixels, rng.random((8, 17, 1))], axis=-1) if sure else pixels
    table = keypoints.reshape(8, -1)
    names = [f"{axis}{joint}" for joint in range(17) for axis in ("xyc" if sure else "xy")]
    if frames:
        table, names = np.column_stack([np.arange(5, 13), table]), ["frame", *names]
    lines = [divider.join(names)] * header + [divider.join(f"{value:.3f}" for value in row) for row in table]
    (tmp_path / "table.csv").write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        track = only(read_keypoints(tmp_path / "table.csv"))
    np.testing.assert_allclose(track.keypoints, keypoints, atol=1e-3)
    said = " ".join(str(warning.message) for warning in caught)
    assert ("counts the frames" in said) == frames and ("is a confidence" in said) == sure
    assert not said or "read as 17 joints" in said


def test_a_word_in_a_cell_of_the_first_row_does_not_make_it_a_header(tmp_path):
    (tmp_path / "plain.csv").write_text("1,2,None,NaN\n5,6,7,8\n")
    keypoints = only(read_keypoints(tmp_path / "plain.csv")).keypoints
    assert keypoints.shape == (2, 2, 2) and np.isnan(keypoints[0, 1]).all()


def test_a_json_with_a_byte_order_mark(tmp_path):
    (tmp_path / "marked.json").write_text("\ufeff" + json.dumps({"keypoints": [[[1, 2], [3, 4]]]}), encoding="utf-8")
    assert only(read_keypoints(tmp_path / "marked.json")).keypoints.tolist() == [[[1, 2], [3, 4]]]


def test_a_csv_without_a_header_keeps_its_first_frame(tmp_path):
    (tmp_path / "plain.csv").write_text("1,2,3,4\n5,6,7,8\n")
    (track,) = read_keypoints(tmp_path / "plain.csv")
    assert track.keypoints.tolist() == [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
