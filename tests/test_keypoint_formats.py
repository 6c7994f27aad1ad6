"""What detectors write, in the exact structure of each tool: read by recognition and by name, people told apart."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

from poseformer_lite.formats.keypoint_files import FORMATS, is_recording, read_keypoints, write_keypoints
from poseformer_lite.keypoints import to_h36m17
from poseformer_lite.skeleton import COCO17, SKELETONS
from poseformer_lite.tracking import PersonTrack, join_broken

FRAMES, WIDTH, HEIGHT = 6, 1280, 720
# A standing person of 200 pixels, in COCO's order.
PERSON = np.array(
    [[0, 10], [4, 6], [-4, 6], [8, 10], [-8, 10], [25, 40], [-25, 40], [35, 75], [-35, 75], [38, 105], [-38, 105],
     [15, 105], [-15, 105], [16, 150], [-16, 150], [17, 200], [-17, 200]], float)  # fmt: skip


def walk(frames: int = FRAMES, x: float = 300.0, joints: int = 17) -> np.ndarray:
    """(T, J, 3): the person walks to the right; the confidence is 0.5 and a little more with each joint."""
    more = np.tile(PERSON[:1], (max(0, joints - 17), 1)) + np.arange(max(0, joints - 17))[:, None] / 10
    xy = np.concatenate([PERSON, more])[:joints] + (x, 200) + np.arange(frames)[:, None, None] * (6, 0)
    confidence = np.broadcast_to(0.5 + np.arange(joints)[:, None] / 300, (*xy.shape[:2], 1))
    return np.concatenate([xy, confidence], axis=-1).round(3).astype(np.float32)


def flat(person) -> list[float]:
    return [round(float(value), 3) for value in np.ravel(person)]


ONE, OTHER = walk(), walk(x=700.0)
AS_BODY25 = [0, 5, 6, 8, 10, 5, 7, 9, 11, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3, 15, 15, 15, 16, 16, 16]
AS_COCO18 = [0, 5, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3]


def body(person: np.ndarray, order: list[int]) -> np.ndarray:
    """The person in OpenPose's joints: the neck and the hip lie between shoulders and hips."""
    out = person[:, order].copy()
    out[:, 1, :2] = person[:, [5, 6], :2].mean(axis=1)
    if len(order) == 25:
        out[:, 8, :2] = person[:, [11, 12], :2].mean(axis=1)
    return out


def openpose(people) -> dict:
    return {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": flat(p), "face_keypoints_2d": []}
                                       for p in people]}  # fmt: skip


def mmpose_person(person, **more) -> dict:
    xy, scores = person[:, :2].tolist(), person[:, 2].tolist()
    return {"keypoints": xy, "keypoint_scores": scores, "bbox": [[0, 0, 1, 1]], "bbox_score": 0.9, **more}


def yolo_person(person, **more) -> dict:
    x, y, visible = person.T.tolist()
    keypoints = {"x": x, "y": y, "visible": visible}
    return {"name": "person", "class": 0, "confidence": 0.9, "box": {"x1": 0}, "keypoints": keypoints, **more}


def alphapose(people, **more) -> list[dict]:
    return [{"image_id": f"{t}.jpg", "category_id": 1, "keypoints": flat(p), "score": 2.9, **more}
            for t, p in enumerate(people)]  # fmt: skip


NAMES = {str(i): name for i, name in enumerate(("nose", "left_eye", "right_eye", "left_ear", "right_ear", "neck"))}
LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
NAMES |= {
    str(6 + 2 * i + j): f"{side}_{limb}" for i, limb in enumerate(LIMBS) for j, side in enumerate(("left", "right"))
}
VITPOSE = np.insert(ONE, 5, ONE[:, 0], axis=1)[:, :, [1, 0, 2]]  # with a neck, and y before x

JSON = {  # name of the format, contents, and the layout that is found
    "openpose": ("openpose", openpose(body(ONE, AS_BODY25)[:1]), "body25"),
    "alphapose": ("alphapose", alphapose(ONE), "coco17"),
    "alphapose halpe26": ("alphapose", alphapose(walk(joints=26)), "halpe26"),
    "alphapose halpe136": ("alphapose", alphapose(walk(joints=136)), "halpe136"),
    "alphapose wholebody": ("alphapose", alphapose(walk(joints=133)), "wholebody133"),
    "alphapose tracked": ("alphapose", alphapose(ONE, idx=1, box=[0, 0, 1, 1]), "coco17"),
    "alphapose ids in lists": ("alphapose", alphapose(ONE, idx=[[0.0], [0.0]]), "coco17"),
    "alphapose poseflow": (
        "alphapose",
        {f"{t}.jpg": [{"keypoints": flat(p), "scores": 2.9, "idx": 1}] for t, p in enumerate(ONE)},
        "coco17",
    ),
    "alphapose cmu": (
        "alphapose",
        {f"{t}.jpg": {"version": "AlphaPose v0.3", "bodies": [{"joints": flat(p)}]}
         for t, p in enumerate(body(ONE, AS_COCO18))},
        "coco18",
    ),
    "alphapose open": (
        "alphapose",
        {f"{t}.jpg": {"version": "AlphaPose v0.3", "people": [{"pose_keypoints_2d": flat(p)}]}
         for t, p in enumerate(body(ONE, AS_COCO18))},
        "coco18",
    ),
    "mmpose demo": (
        "mmpose",
        {"meta_info": {"dataset_name": "coco", "num_keypoints": 17},
         "instance_info": [{"frame_id": t + 1, "instances": [mmpose_person(p)]} for t, p in enumerate(ONE)]},
        "coco17",
    ),
    "mmpose of H36M": (
        "mmpose",
        {"meta_info": {"dataset_name": "h36m"},
         "instance_info": [{"frame_id": t, "instances": [mmpose_person(p)]} for t, p in enumerate(ONE)]},
        "h36m17",
    ),
    "mmpose inferencer": (
        "mmpose", [{"frame_id": t, "instances": [mmpose_person(p, track_id=3)]} for t, p in enumerate(ONE)], "coco17"
    ),
    "mmpose picture": ("mmpose", [mmpose_person(ONE[0])], "coco17"),
    "yolo frames": ("yolo", [[yolo_person(p, track_id=1)] for p in ONE], "coco17"),
    "yolo texts": ("yolo", [json.dumps([yolo_person(p)]) for p in ONE], "coco17"),
    "yolo flat": ("yolo", [yolo_person(p) for p in ONE], "coco17"),
    "easy_vitpose": ("easy_vitpose", {"keypoints": [{"0": p.tolist()} for p in VITPOSE], "skeleton": NAMES}, "coco17"),
    "easy_vitpose without names": (
        "easy_vitpose", {"keypoints": [{"0": p[:, [1, 0, 2]].tolist()} for p in ONE]}, "coco17"
    ),
    "motionbert": (
        "motionbert", {"annotations": [{"frame_id": t, "keypoints": flat(p)} for t, p in enumerate(ONE)]}, "coco17"
    ),
}  # fmt: skip


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize(("format", "contents", "layout"), JSON.values(), ids=JSON)
def test_json_of_each_detector(tmp_path, format, contents, layout, named):
    (tmp_path / "found.json").write_text("\ufeff" + json.dumps(contents), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (track,) = read_keypoints(tmp_path / "found.json", format if named else None)
    assert track.layout == layout and track.keypoints.shape[1:] == (SKELETONS[layout].num_joints, 3)
    right = to_h36m17(ONE[: len(track.keypoints), :, :2], "coco17")
    if layout in ("coco17", "coco18", "body25", "wholebody133"):
        np.testing.assert_allclose(to_h36m17(track.keypoints[..., :2], layout), right, atol=0.01)
    assert 0.5 <= track.keypoints[..., 2].min() < track.keypoints[..., 2].max() <= 1


def test_the_wrong_format_and_an_unknown_one_are_refused_by_name(tmp_path):
    (tmp_path / "found.json").write_text(json.dumps(alphapose(ONE)))
    with pytest.raises(ValueError, match="found.json: it is not what mmpose writes"):
        read_keypoints(tmp_path / "found.json", "mmpose")
    with pytest.raises(ValueError, match="no format 'pose': choose one of openpose, mmpose"):
        read_keypoints(tmp_path / "found.json", "pose")
    with pytest.raises(ValueError, match="found.json is no file of format npz"):
        read_keypoints(tmp_path / "found.json", "npz")
    assert {name for name, _, _ in JSON.values()} <= set(FORMATS)
    np.savez(tmp_path / "plain.npz", keypoints=ONE)
    (tmp_path / "plain.csv").write_text("1,2,3,4\n5,6,7,8\n")
    for name in ("detectron2", "videopose3d", "deeplabcut"):
        with pytest.raises(ValueError, match=f"plain.*it is not what {name} writes"):
            read_keypoints(tmp_path / ("plain.csv" if name == "deeplabcut" else "plain.npz"), name)


# Folders of one file a frame


def test_a_folder_of_openpose_with_empty_frames_and_two_people(tmp_path):
    for t in range(FRAMES):
        people = [] if t == 3 else [body(ONE, AS_BODY25)[t], body(OTHER, AS_BODY25)[t]][:: 1 if t % 2 else -1]
        (tmp_path / f"clip_1080p_{t:012d}_keypoints.json").write_text(json.dumps(openpose(people)))
    with pytest.warns(UserWarning, match="2 are told apart by where they are"):
        tracks = read_keypoints(tmp_path)
    assert is_recording(tmp_path) and [len(track.keypoints) for track in tracks] == [FRAMES, FRAMES]
    for track, person in zip(sorted(tracks, key=lambda t: t.keypoints[0, 0, 0]), (ONE, OTHER), strict=True):
        seen = [t for t in range(FRAMES) if t != 3]
        np.testing.assert_allclose(track.keypoints[seen, 0], person[seen, 0], atol=0.01)
        assert np.isnan(track.keypoints[3, :, :2]).all()


@pytest.mark.parametrize("end", [[], [0.87], [0.87, 4]])
@pytest.mark.parametrize("size", [2, 3])
def test_a_folder_of_yolo_labels(tmp_path, end, size):
    for t, person in enumerate(ONE):
        shares = person / (WIDTH, HEIGHT, 1)
        line = [0, 0.5, 0.5, 0.1, 0.4, *shares[:, :size].ravel(), *end]
        (tmp_path / f"video_{t + 1}.txt").write_text(" ".join(f"{value:.8g}" for value in line) + "\n")
    (track,) = read_keypoints(tmp_path, size=(WIDTH, HEIGHT))
    np.testing.assert_allclose(track.keypoints, ONE[..., :size], atol=0.01)
    assert (track.width, track.height) == (WIDTH, HEIGHT)
    assert track.name == ("person 4" if len(end) == 2 else "person 0")
    with pytest.raises(ValueError, match="say its width and height"):
        read_keypoints(tmp_path)


def test_a_folder_of_several_videos_is_no_recording(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(alphapose(ONE)))
    assert not is_recording(tmp_path)
    with pytest.raises(ValueError, match="a.json|no frame number"):
        read_keypoints(tmp_path)


# Tables and arrays


def deeplabcut(individuals: bool) -> str:
    joints = [f"{side}_{limb}" for limb in LIMBS for side in ("left", "right")] + ["nose", "left_ear", "right_ear"]
    order = [next(i for i, name in enumerate(COCO17.joints) if name.lower() == "".join(
        part[0] if part in ("left", "right") else part for part in joint.split("_"))) for joint in joints]  # fmt: skip
    rows = [["scorer", *["DLC_net"] * 3 * len(joints)]]
    rows += [["individuals", *["mouse"] * 3 * len(joints)]] * individuals
    rows.append(["bodyparts", *(joint for joint in joints for _ in range(3))])
    rows.append(["coords", *["x", "y", "likelihood"] * len(joints)])
    rows += [[str(t), *map(str, flat(person[order]))] for t, person in enumerate(ONE)]
    return "\n".join(",".join(row) for row in rows) + "\n"


@pytest.mark.parametrize("individuals", [False, True])
def test_deeplabcut(tmp_path, individuals):
    (tmp_path / "dlc.csv").write_text(deeplabcut(individuals))
    (track,) = read_keypoints(tmp_path / "dlc.csv")
    assert track.layout == "coco17" and np.isnan(track.keypoints[:, 1:3, :2]).all()  # it has no eyes
    np.testing.assert_allclose(np.delete(track.keypoints, [1, 2], 1), np.delete(ONE, [1, 2], 1), atol=0.01)
    (tmp_path / "mouse.csv").write_text(deeplabcut(False).replace("left_knee", "tail"))
    with pytest.raises(ValueError, match="mouse.csv.*none is called LKnee"):
        read_keypoints(tmp_path / "mouse.csv")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((4, 5, "x"), r"line 4, column 6 \(Nose_Y\) holds 'x', expected a number"),
        ((4, 5, "1_0"), "line 4, column 6 .* holds '1_0'"),  # Python would read 10
        ((4, 5, "1e999"), "line 4, column 6 .* holds '1e999'"),
        ((4, 5, "1,2"), "line 4 has 35 cells, expected 34"),
        ((4, 5, "1\n\n\n"), "line 4 has 6 cells, expected 34"),
        ((4, 0, '"'), r"line \d+.* not closed|line \d+ has"),
    ],
)
def test_a_cell_that_is_no_number_is_named_by_line_and_column(tmp_path, change, words):
    line, column, cell = change
    rows = [[f"{'Nose' if i == 2 else i}_{axis}" for i in range(17) for axis in "XY"]]
    rows += [[str(round(value, 1)) for value in person[:, :2].ravel()] for person in np.tile(ONE, (200, 1, 1))]
    rows[line - 1][column] = cell
    (tmp_path / "bad.csv").write_text("\n".join(",".join(row) for row in rows))
    with pytest.raises(ValueError, match=f"bad.csv: {words}"):
        read_keypoints(tmp_path / "bad.csv")


def test_a_bad_cell_of_deeplabcut_and_of_a_label_is_named(tmp_path):
    lines = deeplabcut(False).splitlines()
    lines[5] = lines[5].replace(lines[5].split(",")[7], "high")
    (tmp_path / "dlc.csv").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=r"dlc.csv: line 6, column 8 \(\w+\) holds 'high', expected a number"):
        read_keypoints(tmp_path / "dlc.csv")
    (tmp_path / "v_1.txt").write_text("\n0 0.5 0.5 0.1 0.4 " + "0.5 " * 33 + "half\n")
    with pytest.raises(ValueError, match="line 2, column 39 holds 'half', expected a number"):
        read_keypoints(tmp_path, "yolo_labels", size=(WIDTH, HEIGHT))


def test_a_table_goes_by_its_names_and_its_frames(tmp_path):
    order = [16, *range(16)]
    head = ["frame", *(f"{COCO17.joints[i]}_{axis}" for i in order for axis in ("x", "y", "conf"))]
    rows = [[str(t), *map(str, flat(ONE[t, order]))] for t in range(FRAMES) if t != 2]
    (tmp_path / "named.csv").write_text("\n".join(",".join(row) for row in [head, *rows]))
    with pytest.warns(UserWarning, match="by their names"):
        (track,) = read_keypoints(tmp_path / "named.csv")
    assert track.layout == "coco17" and np.isnan(track.keypoints[2, :, :2]).all()
    np.testing.assert_allclose(np.delete(track.keypoints, 2, 0), np.delete(ONE, 2, 0), atol=0.01)


def test_mediapipes_four_numbers_and_odd_arrays_are_read_and_said(tmp_path):
    person = walk(joints=33)
    four = np.insert(person, 2, -0.3, axis=-1)  # x, y, z, visibility
    np.savetxt(tmp_path / "four.csv", four.reshape(FRAMES, -1), delimiter=",", fmt="%.4f")
    np.save(tmp_path / "four.npy", four)
    np.save(tmp_path / "last.npy", ONE.transpose(0, 2, 1))
    np.save(tmp_path / "flat.npy", ONE[..., :2].reshape(FRAMES, -1))
    np.save(tmp_path / "still.npy", ONE[0])
    for name, right, said in [
        ("four.csv", person, "z is left out"), ("four.npy", person, "z is left out"),
        ("last.npy", ONE, "joints come last"), ("flat.npy", ONE[..., :2], "a table of 6 frames"),
        ("still.npy", ONE[:1], "taken for one frame"),
    ]:  # fmt: skip
        with pytest.warns(UserWarning, match=said):
            (track,) = read_keypoints(tmp_path / name)
        np.testing.assert_allclose(track.keypoints, right, atol=0.01)


def test_detectron2_as_videopose3ds_script_writes_it(tmp_path):
    def box(items) -> np.ndarray:
        packed = np.empty((len(items), 2), dtype=object)
        for i, item in enumerate(items):
            packed[i] = [[], item]
        return packed

    rows = [
        np.stack([[p[:, 0], p[:, 1], 0 * p[:, 0], p[:, 2]] for p in (a, b)]) for a, b in zip(ONE, OTHER, strict=True)
    ]
    rows[2] = []
    path = tmp_path / "video.mp4.npz"
    np.savez_compressed(
        path, boxes=box([np.zeros((2, 5))] * FRAMES), segments=np.array([None] * FRAMES, dtype=object),
        keypoints=box(rows), metadata=np.array({"w": WIDTH, "h": HEIGHT}, dtype=object),
    )  # fmt: skip
    with pytest.warns(UserWarning, match="told apart"):
        tracks = read_keypoints(path)
    assert [(t.layout, t.width, t.height) for t in tracks] == [("coco17", WIDTH, HEIGHT)] * 2
    first = min(tracks, key=lambda track: track.keypoints[0, 0, 0])
    np.testing.assert_allclose(np.delete(first.keypoints, 2, 0), np.delete(ONE, 2, 0), atol=0.01)


@pytest.mark.parametrize("ending", [".npz", ".json", ".JSON"])
def test_what_was_found_is_kept_and_read_again(tmp_path, ending):
    (tmp_path / "two.json").write_text(json.dumps(alphapose(ONE, idx=1) + alphapose(OTHER[:4], idx=2)))
    tracks = read_keypoints(tmp_path / "two.json")
    again = read_keypoints(write_keypoints(tracks, tmp_path / f"kept{ending}"))
    assert [(t.layout, t.start, len(t.keypoints)) for t in again] == [("coco17", 0, 6), ("coco17", 0, 4)]
    for one, other in zip(tracks, again, strict=True):
        np.testing.assert_allclose(one.keypoints, other.keypoints, atol=1e-3)


# People and frames


def test_two_people_whom_alphapose_gives_one_id_are_told_apart(tmp_path):
    records = alphapose(ONE, idx=[[0.0], [0.0]]) + alphapose(OTHER, idx=[[0.0], [0.0]])
    records.sort(key=lambda record: (int(record["image_id"][0]), hash(str(record["keypoints"])) % 7))
    (tmp_path / "found.json").write_text(json.dumps(records))
    with pytest.warns(UserWarning, match="2 are told apart"):
        tracks = read_keypoints(tmp_path / "found.json")
    assert sorted(round(float(t.keypoints[:, 0, 0].mean())) for t in tracks) == [315, 715]
    assert all(np.abs(np.diff(t.keypoints[:, 0, 0])).max() < 7 for t in tracks)


def test_an_id_that_breaks_is_joined_and_said(tmp_path):
    records = alphapose(ONE)
    for t, record in enumerate(records):
        record["idx"] = 1 if t < 4 else 2
    (tmp_path / "found.json").write_text(json.dumps(records))
    with pytest.warns(UserWarning, match="person 1 and person 2 are taken for one: the second begins at 0.2 s"):
        (track,) = read_keypoints(tmp_path / "found.json")
    np.testing.assert_allclose(track.keypoints, ONE, atol=0.01)


def test_tracks_far_apart_in_place_or_time_are_not_joined():
    times = list(np.arange(100) / 25)
    near = [PersonTrack([0, 1], [ONE[0], ONE[1]], name="a"), PersonTrack([40, 41], [ONE[2], ONE[3]], name="b")]
    far = [PersonTrack([0, 1], [ONE[0], ONE[1]], name="a"), PersonTrack([2, 3], [OTHER[2], OTHER[3]], name="b")]
    assert join_broken(near, times) == [] == join_broken(far, times) and len(near) == len(far) == 2


def test_who_comes_late_has_a_start(tmp_path):
    (tmp_path / "late.json").write_text(json.dumps(alphapose(ONE, idx=1) + alphapose(OTHER, idx=2)[3:]))
    first, second = read_keypoints(tmp_path / "late.json")
    assert (first.start, second.start, second.total, len(second.keypoints)) == (0, 3, 6, 3)
    assert first.notes(25) == [] and "person 2: seen from 0.1 to 0.2 s" in second.notes(25)[0]


IMAGES = {
    "the size after the number": [f"frame_{t:04d}_1080p.png" for t in range(FRAMES)],
    "a camera before it": [f"cam2_{t}.jp2" for t in range(FRAMES)],
    "dates and times": [f"20240131_1200{4 * t:02d}.jpg" for t in range(FRAMES)],
    "milliseconds": [f"{t * 40 + 1_706_700_000_123}.jpg" for t in range(FRAMES)],
    "numbers": list(range(139, 139 + FRAMES)),
}


@pytest.mark.parametrize("names", IMAGES.values(), ids=IMAGES)
def test_images_are_counted_by_what_counts_up_in_their_names(tmp_path, names):
    records = [{**record, "image_id": name} for record, name in zip(alphapose(ONE), names, strict=True)]
    (tmp_path / "found.json").write_text(json.dumps(records[::-1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (track,) = read_keypoints(tmp_path / "found.json")
    np.testing.assert_allclose(track.keypoints, ONE, atol=0.01)


def test_numbers_that_are_far_apart_take_no_memory(tmp_path):
    records = [{**record, "image_id": str(name)} for record, name in zip(alphapose(ONE), (1, 10**12), strict=False)]
    (tmp_path / "found.json").write_text(json.dumps(records))
    with pytest.warns(UserWarning, match="far apart, as times are|only every"):
        (track,) = read_keypoints(tmp_path / "found.json")
    assert len(track.keypoints) == 2


HOSTILE = {
    "deep": "[" * 100_000,
    "deep people": '{"people": ' + "[" * 5_000 + "]" * 5_000 + "}",
    "huge number": '{"keypoints": [[[1' + "0" * 400 + ", 2]]]}",
    "huge frame": json.dumps([{"frame_id": 1e308, "instances": None}]),
    "frame of words": json.dumps([{"frame_id": "one", "instances": []}]),
    "people of numbers": json.dumps({"people": [1, 2]}),
    "instances of None": json.dumps({"instance_info": [{"frame_id": 1, "instances": None}]}),
    "three dimensions": json.dumps([{"keypoints": [[1, 2, 3]], "keypoint_scores": [1]}]),
    "keypoints of words": json.dumps([[{"keypoints": {"x": "a", "y": "b"}}]]),
    "one axis": json.dumps([[{"keypoints": {"x": [1, 2]}}]]),
    "annotations of dictionaries": json.dumps({"annotations": [{"keypoints": {}}]}),
    "ids that are lists": json.dumps([{"image_id": [1], "keypoints": [1.0] * 51, "idx": {}}]),
    "vitpose of numbers": json.dumps({"keypoints": [{"0": 3}]}),
    "texts that are no JSON": json.dumps(["[", "]"]),
    "fps of zero": json.dumps({"keypoints": ONE.tolist(), "fps": 0}),
    "a layout of fantasy": json.dumps({"keypoints": ONE.tolist(), "layout": "octopus"}),
    "cut off": json.dumps(alphapose(ONE))[:-20],
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_refused_by_name(tmp_path: Path, text):
    (tmp_path / "hostile.json").write_text(text)
    with pytest.raises(ValueError, match="hostile.json"):
        read_keypoints(tmp_path / "hostile.json")


AXES = ("x", "y", "conf")
COCO_NAMES = [NAMES[str(i)] for i in range(18) if i != 5]


def cells(values) -> list[str]:
    return [f"{value:.3f}" for value in np.ravel(values)]


def long_rows(of: list) -> list[list[str]]:
    return [[str(t), str(of[j]), *cells(ONE[t, j])] for t in range(FRAMES) for j in range(17)]


TABLES = {  # a header, and rows
    "axis first": ([f"{axis}_{name}" for name in COCO_NAMES for axis in AXES], [cells(f) for f in ONE]),
    "all x, then all y": ([f"{name}_{axis}" for axis in AXES for name in COCO_NAMES], [cells(f.T) for f in ONE]),
    "numbered, all x first": ([f"{axis}{j + 1}" for axis in "xyc" for j in range(17)], [cells(f.T) for f in ONE]),
    "a word and a box": (
        ["class", "x1", "y1", "x2", "y2", *(f"{name}_{axis}" for name in COCO_NAMES for axis in AXES)],
        [["walk", "1", "2", "3", "4", *cells(f)] for f in ONE],
    ),
    "a row for each named joint": (["frame", "joint", *AXES], long_rows(COCO_NAMES)),
    "a row for each numbered joint": (["frame", "landmark_id", *AXES], long_rows(list(range(17)))),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_read_by_its_names_whatever_their_order(tmp_path, name):
    header, rows = TABLES[name]
    (tmp_path / "table.csv").write_text("\n".join(",".join(row) for row in [header, *rows]))
    (track,) = read_keypoints(tmp_path / "table.csv")
    np.testing.assert_allclose(track.keypoints, ONE, atol=1e-3)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "text",
    [
        "\n".join(" ".join(cells(frame)) for frame in ONE),
        "# x, y, confidence\n" + "\n".join(",".join(cells(frame)) for frame in ONE),
        "\n".join(",".join(cells(frame)) + "," for frame in ONE),
    ],
    ids=["spaces", "a comment", "a divider that ends each row"],
)
def test_tables_as_savetxt_and_spreadsheets_write_them(tmp_path, text):
    (tmp_path / "table.csv").write_text(text)
    (track,) = read_keypoints(tmp_path / "table.csv")
    np.testing.assert_allclose(track.keypoints, ONE, atol=1e-3)


def write_frames(folder: Path, frames: list) -> Path:
    folder.mkdir()
    for t, contents in enumerate(frames):
        (folder / f"walk_{t:06d}.json").write_text(json.dumps(contents))
    return folder


def sep_json(frame) -> dict:
    return {"version": "AlphaPose v0.3", "bodies": [{"joints": flat(frame)}]}


FOLDERS = {
    "alphapose's sep-json": [sep_json(frame) for frame in body(ONE, AS_COCO18)],
    "alphapose's records": [[record] for record in alphapose(ONE)],
    "older openpose": [{"people": [{"pose_keypoints": flat(frame)}]} for frame in body(ONE, AS_BODY25)],
}


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_of_a_file_a_frame(tmp_path, name):
    folder = write_frames(tmp_path / "frames", FOLDERS[name])
    (track,) = read_keypoints(folder)
    assert is_recording(folder)
    np.testing.assert_allclose(
        to_h36m17(track.keypoints, track.layout)[:, :7, :2], to_h36m17(ONE, "coco17")[:, :7, :2], atol=1e-3
    )


@pytest.mark.parametrize("person", [mmpose_person, yolo_person])
def test_a_frame_without_anybody_is_an_empty_list(tmp_path, person):
    frames = [[] if t in (0, 3) else [person(frame)] for t, frame in enumerate(ONE)]
    folder = write_frames(tmp_path / "frames", frames)
    (track,) = read_keypoints(folder)
    assert is_recording(folder) and track.start == 1 and track.total == FRAMES
    assert np.isnan(track.keypoints[2, :, 0]).all() and np.isfinite(track.keypoints[[0, 1, 3, 4]]).all()


def test_a_person_of_whom_nothing_is_found_is_not_there(tmp_path):
    """As Pose2Sim sorts people: a place of NaN for whom it has not found yet."""
    absent = [float("nan")] * 78
    frames = [
        {"people": [{"person_id": [0], "pose_keypoints_2d": absent if t < 2 else flat(walk(joints=26)[t])}]}
        for t in range(FRAMES)
    ]
    (track,) = read_keypoints(write_frames(tmp_path / "frames", frames))
    assert track.start == 2 and len(track.keypoints) == FRAMES - 2


def test_texts_one_after_another_and_lists_of_frames(tmp_path):
    frames = [[yolo_person(frame)] for frame in ONE]
    path = tmp_path / "found.json"
    for text in ("\n".join(map(json.dumps, frames)), json.dumps({str(t): frame for t, frame in enumerate(frames)})):
        path.write_text(text)
        np.testing.assert_allclose(read_keypoints(path)[0].keypoints, ONE, atol=1e-3)
    comfy = [{**openpose([frame]), "canvas_width": WIDTH, "canvas_height": HEIGHT} for frame in body(ONE, AS_COCO18)]
    path.write_text(json.dumps(comfy))
    (track,) = read_keypoints(path)
    assert (track.layout, track.width, track.height, len(track.keypoints)) == ("coco18", WIDTH, HEIGHT, FRAMES)


def test_labels_of_two_videos_in_one_folder_are_refused(tmp_path):
    for name in ("walk_1", "walk_2", "other_1", "other_2"):
        (tmp_path / f"{name}.txt").write_text("0 .5 .5 .2 .6 " + " ".join(["0.5"] * 51))
    with pytest.raises(ValueError, match="several videos"):
        read_keypoints(tmp_path, size=(WIDTH, HEIGHT))


@pytest.mark.filterwarnings("ignore:people have no ids")
@pytest.mark.parametrize("people", [[ONE], [ONE, OTHER]])
def test_an_array_of_each_frames_people_is_no_array_of_people(tmp_path, people):
    np.save(tmp_path / "array.npy", np.stack(people, axis=1))
    with pytest.warns(UserWarning, match=f"taken for the people of {FRAMES} frames"):
        tracks = read_keypoints(tmp_path / "array.npy")
    assert len(tracks) == len(people) and tracks[0].layout is None
    np.testing.assert_array_equal(sorted(tracks, key=lambda track: track.keypoints[0, 0, 0])[0].keypoints, ONE)
    np.save(tmp_path / "array.npy", np.stack(people))
    assert len(read_keypoints(tmp_path / "array.npy")) == len(people)


def test_scores_beside_keypoints_are_their_confidence(tmp_path):
    np.savez(tmp_path / "found.npz", keypoints=ONE[..., :2], scores=ONE[..., 2])
    np.testing.assert_array_equal(read_keypoints(tmp_path / "found.npz")[0].keypoints, ONE)
    np.savez(tmp_path / "other.npz", kps=ONE, fps=25, width=WIDTH, height=HEIGHT)
    assert read_keypoints(tmp_path / "other.npz")[0].fps == 25
