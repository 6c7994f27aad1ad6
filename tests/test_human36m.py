"""The real files' layout: every view agrees with the calibration, odd files say what is odd, ours can be read back."""

from dataclasses import replace

import numpy as np
import pytest
from helpers_data import STANDING

from poseformer_lite.camera import Camera, look_at
from poseformer_lite.datasets import load_dataset, videopose3d
from poseformer_lite.datasets.base import PoseDataset, PoseSequence, split_validation
from poseformer_lite.datasets.sources import human36m
from poseformer_lite.datasets.sources.human36m import ACTIONS, CAMERAS, JOINTS_17_OF_32
from poseformer_lite.keypoints import to_h36m17
from poseformer_lite.skeleton import HUMANEVA15

# most of these numbers are drawn at random, 2D beside 3D
pytestmark = pytest.mark.filterwarnings("ignore:.*2D is not where the camera sees the 3D")


@pytest.fixture(scope="module")
def formats(shared):
    return shared / "reference" / "formats"


@pytest.fixture(scope="module")
def ground_truth(formats) -> PoseDataset:
    return human36m.load(formats)


def pack(contents: dict) -> np.ndarray:
    return np.array(contents, dtype=object)


def write_files(folder, positions_3d, positions_2d, keypoints="gt", **metadata) -> None:
    np.savez(folder / "data_3d_h36m.npz", positions_3d=pack(positions_3d))
    np.savez(folder / f"data_2d_h36m_{keypoints}.npz", positions_2d=pack(positions_2d), metadata=pack(metadata))


def world(frames: int, joints: int = 32, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform([-1, -1, 0], [1, 1, 2], size=(frames, joints, 3)).astype(np.float32)


def pixels(frames: int, joints: int = 17, seed: int = 0, dims: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).uniform(1, 999, size=(frames, joints, dims)).astype(np.float32)


def test_every_view_of_the_ground_truth_follows_from_its_3d(ground_truth):
    assert len(ground_truth) == 836  # 7 subjects, 30 takes, less one, 4 cameras
    for sequence in ground_truth.sequences:
        error = np.abs(sequence.camera.project(sequence.poses_3d.astype(np.float64)) - sequence.keypoints).max()
        assert error < 0.01, (sequence.name, error)


def test_subjects_actions_and_sizes(ground_truth):
    assert ground_truth.train_subjects == ("S1", "S5", "S6", "S7", "S8")
    assert ground_truth.test_subjects == ("S9", "S11")
    assert len(ground_truth.train()) == 600 and len(ground_truth.test()) == 236
    assert {s.base_action for s in ground_truth.sequences} == set(ACTIONS)
    views = {(s.view, s.width, s.height) for s in ground_truth.sequences}
    assert views == {
        ("54138969", 1000, 1002),
        ("55011271", 1000, 1000),
        ("58860488", 1000, 1000),
        ("60457274", 1000, 1002),
    }
    assert all(s.keypoints.dtype == s.poses_3d.dtype == np.float32 for s in ground_truth.sequences)
    assert "836 sequences" in repr(ground_truth) and "S9, S11" in repr(ground_truth)


def test_loading_twice_gives_the_same_and_using_it_changes_nothing(ground_truth, formats):
    kept = [(s.keypoints.copy(), s.poses_3d.copy()) for s in ground_truth.sequences]
    for sequence in ground_truth.sequences:
        sequence.poses_2d()[:] = 7
        sequence.root_relative(0)[:] = 7
    again = human36m.load(formats)
    for first, second, (keypoints, poses_3d) in zip(ground_truth.sequences, again.sequences, kept, strict=True):
        assert first.name == second.name and first.camera == second.camera
        for sequence in (first, second):
            np.testing.assert_array_equal(sequence.keypoints, keypoints)
            np.testing.assert_array_equal(sequence.poses_3d, poses_3d)


def test_what_a_network_is_fed_and_asked_for(ground_truth):
    for sequence in ground_truth.sequences[::50]:
        normalized, relative = sequence.poses_2d(), sequence.root_relative(0)
        assert normalized.dtype == relative.dtype == np.float32
        assert np.abs(normalized).max() < 1.01 and not relative[:, 0].any() and 0.3 < np.abs(relative).max() < 2.5


def test_detections_hold_subjects_with_2d_only(formats, ground_truth):
    detected = human36m.load(formats, keypoints="cpn_ft_h36m_dbb")
    known = {s.subject for s in detected.sequences if s.poses_3d is not None}
    unknown = {s.subject for s in detected.sequences if s.poses_3d is None}
    assert known == {"S1", "S5", "S6", "S7", "S8", "S9", "S11"} and unknown == {"S2", "S3", "S4"}
    assert len(detected.train()) == 600 and len(detected.test()) == 236
    one = next(s for s in detected.sequences if s.subject == "S3")
    assert one.camera is None and one.width == 1000 and one.poses_2d().shape[1:] == (17, 2)
    with pytest.raises(ValueError, match="S3, .*2D keypoints only"):
        one.root_relative(0)

    truth = {s.name: s for s in ground_truth.sequences}
    for sequence in detected.train() + detected.test():  # and 2D longer than the mocap was trimmed to it
        assert len(sequence) == len(truth[sequence.name])
        np.testing.assert_array_equal(sequence.poses_3d, truth[sequence.name].poses_3d)


def test_17_of_32_joints_by_hand(tmp_path):
    poses = world(3)
    write_files(tmp_path, {"S1": {"Eating": poses}}, {"S1": {"Eating": [pixels(3)] * 4}})
    for sequence, camera in zip(human36m.load(tmp_path).sequences, CAMERAS["S1"], strict=True):
        chosen = poses[:, [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]]
        np.testing.assert_allclose(sequence.poses_3d, camera.world_to_camera(chosen), atol=1e-6)
        assert sequence.camera == camera


def test_files_with_17_joints_already(tmp_path):
    poses = world(3, joints=17)
    write_files(tmp_path, {"S1": {"Eating": poses}}, {"S1": {"Eating": [pixels(3)]}})
    expected = CAMERAS["S1"][0].world_to_camera(poses)
    np.testing.assert_allclose(human36m.load(tmp_path).sequences[0].poses_3d, expected, atol=1e-6)


def test_longer_2d_is_trimmed_and_shorter_2d_is_refused_by_name(tmp_path):
    long, exact, short = pixels(7), pixels(5, seed=1), pixels(4, seed=2)
    write_files(tmp_path, {"S9": {"Photo 1": world(5)}}, {"S9": {"Photo 1": [long, exact]}})
    first, second = human36m.load(tmp_path).sequences
    np.testing.assert_array_equal(first.keypoints, long[:5])
    np.testing.assert_array_equal(second.keypoints, exact)

    write_files(tmp_path, {"S9": {"Photo 1": world(5)}}, {"S9": {"Photo 1": [long, short]}})
    with pytest.raises(ValueError, match="S9, Photo 1, camera 1: 4 frames of 2D for 5 frames of 3D"):
        human36m.load(tmp_path)


@pytest.mark.parametrize("dims", [2, 3, 4])
def test_coco_keypoints_are_converted(dims, tmp_path):
    keypoints = pixels(5, dims=dims)
    files = {"S1": {"Eating": world(5)}}, {"S1": {"Eating": [keypoints]}, "S2": {"Eating": [keypoints]}}
    write_files(tmp_path, *files, keypoints="detectron_pt_coco", layout_name="coco", num_joints=17)
    data = human36m.load(tmp_path, keypoints="detectron_pt_coco")
    for sequence in data.sequences:
        np.testing.assert_allclose(sequence.keypoints, to_h36m17(keypoints[..., :2], "coco17"))
    assert data.keypoint_source == "detectron_pt_coco"


@pytest.mark.parametrize("layout", [{}, {"layout_name": "h36m"}])
def test_human36m_keypoints_are_left_as_they_are(layout, tmp_path):
    keypoints = pixels(5)
    write_files(tmp_path, {"S1": {"Eating": world(5)}}, {"S1": {"Eating": [keypoints]}}, **layout)
    np.testing.assert_array_equal(human36m.load(tmp_path).sequences[0].keypoints, keypoints)


@pytest.mark.parametrize(
    ("poses", "keypoints", "words"),
    [
        (world(5, joints=16), pixels(5), r"S1, Eating, camera 0: 3D positions are \(5, 16, 3\)"),
        (world(5)[0], pixels(5), r"S1, Eating, camera 0: 3D positions are \(32, 3\)"),
        (world(5), pixels(5, joints=16), r"S1, Eating, camera 0: 2D keypoints are \(5, 16, 2\)"),
        (world(5), pixels(5)[0], r"S1, Eating, camera 0: 2D keypoints are \(17, 2\)"),
    ],
)
def test_wrong_shapes_are_refused_by_name(poses, keypoints, words, tmp_path):
    write_files(tmp_path, {"S1": {"Eating": poses}}, {"S1": {"Eating": [keypoints]}})
    with pytest.raises(ValueError, match=words):
        human36m.load(tmp_path)


def test_more_views_than_cameras_are_refused_by_name(tmp_path):
    write_files(tmp_path, {"S1": {"Eating": world(5)}}, {"S1": {"Eating": [pixels(5)] * 5}})
    with pytest.raises(ValueError, match="S1, Eating, camera 4"):
        human36m.load(tmp_path)


def test_missing_files_are_named_beside_those_there_are(tmp_path):
    with pytest.raises(FileNotFoundError, match="data_3d_h36m.npz and no data_2d_h36m_gt.npz .it has no data"):
        human36m.load(tmp_path)
    write_files(tmp_path, {}, {}, keypoints="cpn")
    with pytest.raises(
        FileNotFoundError, match="no data_2d_h36m_gt.npz .it has data_2d_h36m_cpn.npz, data_3d_h36m.npz"
    ):
        human36m.load(tmp_path)


def test_file_without_positions(tmp_path):
    np.savez(tmp_path / "data_3d_h36m.npz", other=np.zeros(3))
    np.savez(tmp_path / "data_2d_h36m_gt.npz", positions_2d=pack({}))
    with pytest.raises(ValueError, match="data_3d_h36m.npz holds other, expected positions_3d"):
        human36m.load(tmp_path)
    np.savez(tmp_path / "data_3d_h36m.npz", positions_3d=np.zeros(3))
    with pytest.raises(ValueError, match="expected positions_3d"):
        human36m.load(tmp_path)


@pytest.mark.parametrize("name", ["data_3d_h36m.npz", "data_2d_h36m_gt.npz"])
def test_truncated_file_is_named(name, tmp_path):
    write_files(tmp_path, {"S1": {"Eating": world(5)}}, {"S1": {"Eating": [pixels(5)]}})
    raw = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(raw[: len(raw) // 2])
    with pytest.raises(ValueError, match=f"{name} .*not a readable npz file"):
        human36m.load(tmp_path)


def test_another_body_is_refused(formats):
    with pytest.raises(
        ValueError, match=r"data_2d_humaneva15_gt.npz, metadata: layout_name is 'humaneva15', expected h36m or coco"
    ):
        human36m.load(formats, name="humaneva15")


def sequence(subject="S1", action="Walking", view="0", frames=3, **changes) -> PoseSequence:
    parts = dict(keypoints=pixels(frames), poses_3d=world(frames, 17), width=1000, height=1000)
    return PoseSequence(subject, action, view, **{**parts, **changes})


@pytest.mark.parametrize(
    ("action", "base"),
    [
        ("Walking 1", "Walking"),
        ("WalkDog", "WalkDog"),
        ("WalkTogether 2", "WalkTogether"),
        ("Sitting", "Sitting"),
        ("SittingDown 1", "SittingDown"),
    ],
)
def test_base_action_is_the_name_up_to_the_first_space(action, base):
    assert sequence(action=action).base_action == base


def test_subset_matches_actions_exactly(ground_truth):
    for action in ("Walking", "WalkDog", "Sitting", "SittingDown"):
        assert {s.base_action for s in ground_truth.subset(actions=[action]).sequences} == {action}
    with pytest.raises(ValueError, match="no sequence of human36m .*actions are .*WalkDog"):
        ground_truth.subset(actions=["Walk"])
    part = ground_truth.subset(subjects=["S1", "S9"], actions=["WalkDog"])
    assert len(part.train()) == len(part.test()) == 8 and len(ground_truth) == 836
    with pytest.raises(ValueError, match="subjects are S1, S11, S5"):
        ground_truth.subset(subjects=["S2"])


def test_subset_keeps_to_its_takes_when_views_are_drawn_anew():
    takes = [sequence(action="Walking"), sequence(action="Eating")]
    data = PoseDataset("drawn", takes, ("S1",), (), redraw=lambda seed: [replace(s, view=str(seed)) for s in takes])
    drawn = data.subset(actions=["Eating"]).redraw(3)
    assert [(s.action, s.view) for s in drawn] == [("Eating", "3")]


def test_takes_can_be_held_out():
    data = PoseDataset(
        "one", [sequence(), sequence(action="Eating")], ("S1",), (), test_takes=frozenset({("S1", "Eating")})
    )
    assert [s.action for s in data.train()] == ["Walking"] and [s.action for s in data.test()] == ["Eating"]


def test_shapes_of_a_sequence_are_checked_by_name():
    with pytest.raises(ValueError, match=r"S1, Walking, camera 0: keypoints are \(3, 17, 3\)"):
        sequence(keypoints=world(3, 17))
    with pytest.raises(ValueError, match=r"S1, Walking, camera 0: 3D poses are \(4, 17, 3\)"):
        sequence(poses_3d=world(4, 17))
    with pytest.raises(ValueError, match="has 17 joints, but humaneva15 has 15"):
        PoseDataset("odd", [sequence()], ("S1",), (), skeleton=HUMANEVA15)


def test_validation_takes_whole_takes_and_covers_everything(ground_truth):
    training, validation = split_validation(ground_truth.train(), share=0.1, seed=3)
    assert len(training) + len(validation) == 600 and len(validation) == 60
    names = [{(s.subject, s.action) for s in part} for part in (training, validation)]
    assert not names[0] & names[1]
    again = split_validation(ground_truth.train(), share=0.1, seed=3)[1]
    assert [s.name for s in again] == [s.name for s in validation]
    assert [s.name for s in split_validation(ground_truth.train(), 0.1, seed=4)[1]] != [s.name for s in validation]
    assert split_validation(training, 0)[1] == [] and split_validation(training[:4], 0.5)[1] == []


def small_dataset(subjects=("S1", "S9"), actions=("Walking", "Walking 1"), name="human36m") -> PoseDataset:
    """Random poses seen through Human3.6M's cameras."""
    sequences = []
    for i, (subject, action) in enumerate((s, a) for s in subjects for a in actions):
        take = world(4 + i, 17, seed=i)
        for camera in CAMERAS[subject]:
            seen = camera.world_to_camera(take)
            sequences.append(
                PoseSequence(
                    subject, action, camera.name, camera.project(seen), seen, camera.width, camera.height, camera
                )
            )
    return PoseDataset(name, sequences, subjects[:1], subjects[1:])


def assert_same(read: PoseDataset, written: PoseDataset) -> None:
    by_name = {s.name: s for s in read.sequences}
    assert len(by_name) == len(read) == len(written)
    for original in written.sequences:
        again = by_name[original.name]
        np.testing.assert_allclose(again.poses_3d, original.poses_3d, atol=1e-5)
        np.testing.assert_array_equal(again.keypoints, original.keypoints)
        assert again.camera == original.camera and (again.width, again.height) == (original.width, original.height)


def test_written_files_are_read_back(tmp_path):
    data = small_dataset()
    paths = videopose3d.write(data, tmp_path)
    assert [p.name for p in paths] == ["data_3d_h36m.npz", "data_2d_h36m_gt.npz", "cameras_h36m.json"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    read = human36m.load(tmp_path)
    assert_same(read, data)
    assert [s.name for s in read.sequences] == [s.name for s in data.sequences]
    assert (read.train_subjects, read.test_subjects) == (("S1",), ("S9",))


def test_written_files_are_those_the_fields_codes_expect(tmp_path):
    data = small_dataset()
    path_3d, path_2d, _ = videopose3d.write(data, tmp_path)
    poses = np.load(path_3d, allow_pickle=True)["positions_3d"].item()["S1"]["Walking"]
    assert poses.shape == (4, 32, 3) and poses.dtype == np.float32
    first = data.sequences[0]
    np.testing.assert_allclose(poses[:, JOINTS_17_OF_32], first.camera.camera_to_world(first.poses_3d), atol=1e-6)
    contents = np.load(path_2d, allow_pickle=True)
    assert [view.shape for view in contents["positions_2d"].item()["S9"]["Walking 1"]] == [(7, 17, 2)] * 4
    metadata = contents["metadata"].item()
    assert metadata["num_joints"] == 17
    assert metadata["keypoints_symmetry"] == [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]


def test_own_name_keypoints_and_cameras(tmp_path):
    """A take seen through cameras of its own keeps them, under a subject of its own."""
    data = small_dataset(subjects=("S1",), name="mine")
    data.keypoint_source = "noisy"
    moved = Camera(
        "m", 640, 480, (500.0, 500.0), (320.0, 240.0), orientation=look_at((3, 4, 1), (0, 0, 1)), translation=(3, 4, 1)
    )
    other = [
        replace(
            s,
            camera=moved,
            view="m",
            width=640,
            height=480,
            poses_3d=moved.world_to_camera(s.camera.camera_to_world(s.poses_3d)),
        )
        for s in data.sequences[4:5]
    ]
    data = replace(data, sequences=[*data.sequences[:4], *other])
    videopose3d.write(data, tmp_path)
    read = human36m.load(tmp_path, keypoints="noisy", name="mine")
    assert [s.subject for s in read.sequences] == ["S1"] * 4 + ["S1/Walking 1"]
    for again, original in zip(read.sequences, data.sequences, strict=True):
        np.testing.assert_allclose(again.poses_3d, original.poses_3d, atol=1e-5)
        assert again.camera == original.camera


def test_views_that_do_not_stand_together_are_not_lost(tmp_path):
    """First camera of every take, then the second: the same files' worth of sequences in another order."""
    data = small_dataset()
    data.sequences.sort(key=lambda s: s.view)
    videopose3d.write(data, tmp_path)
    assert_same(human36m.load(tmp_path), data)


@pytest.mark.parametrize("missing", ["camera", "poses_3d"])
def test_what_cannot_be_written_is_named_and_nothing_is_written(missing, tmp_path):
    data = small_dataset()
    data.sequences[5] = replace(data.sequences[5], **{missing: None})
    with pytest.raises(
        ValueError, match=f"S1, Walking 1, camera 55011271 has no {'camera' if missing == 'camera' else '3D'}"
    ):
        videopose3d.write(data, tmp_path)
    assert not list(tmp_path.iterdir())


def test_another_skeleton_is_not_written(tmp_path):
    keypoints, poses_3d = pixels(3, 15), world(3, 15)
    data = PoseDataset("eva", [sequence(keypoints=keypoints, poses_3d=poses_3d)], ("S1",), (), skeleton=HUMANEVA15)
    with pytest.raises(
        ValueError, match="eva has humaneva15's joints.*its own files are in VideoPose3D's layout already"
    ):
        videopose3d.write(data, tmp_path)


def test_other_data_in_this_layout_is_split_by_the_subjects_that_are_named(tmp_path, tiny):
    videopose3d.write(tiny, tmp_path, name="other")
    data = human36m.load(tmp_path, tiny.keypoint_source, name="other", test_subjects=("S1",))
    assert data.test_subjects == ("S1",)
    assert set(data.train_subjects) == {s.subject for s in tiny.sequences} - {"S1"}


# Files that were prepared wrong


def prepared(change_2d=None, change_3d=None, subject="S1", **metadata):
    """Somebody who sways, seen by Human3.6M's cameras, as (3D, 2D) of files."""
    poses = STANDING + 0.1 * np.sin(np.arange(20)[:, None, None] / 9)
    views = [camera.project(camera.world_to_camera(poses)) for camera in CAMERAS["S1"]]
    poses = poses if change_3d is None else change_3d(poses)
    views = views if change_2d is None else [change_2d(view) for view in views]
    return {subject: {"Walking": poses.astype(np.float32)}}, {subject: {"Walking": views}}


TO_COCO = [9, 10, 10, 10, 10, 11, 14, 12, 15, 13, 16, 4, 1, 5, 2, 6, 3]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"change_3d": lambda poses: 1000 * poses},
            "S1, Walking, camera 54138969: 3D poses are .* and not millimetres",
        ),
        (
            {"change_2d": lambda view: view / 500 - 1},
            "S1, Walking, camera 54138969: 2D keypoints look normalised",
        ),
        ({"change_2d": lambda view: view[:, TO_COCO]}, "human36m, keypoints: the thorax .* give 'coco17'"),
        ({"change_3d": lambda poses: poses[:, TO_COCO]}, "human36m, poses_3d: the thorax .* give 'coco17'"),
    ],
)
def test_other_units_and_another_order_of_joints_are_refused_by_name(tmp_path, changes, words):
    write_files(tmp_path, *prepared())
    assert len(human36m.load(tmp_path)) == 4
    write_files(tmp_path, *prepared(**changes))
    with pytest.raises(ValueError, match=words):
        human36m.load(tmp_path)


def test_2d_of_other_cameras_is_said(tmp_path, recwarn):
    poses, views = prepared()
    write_files(tmp_path, poses, views)
    human36m.load(tmp_path)
    assert not [str(w.message) for w in recwarn if "camera sees" in str(w.message)]
    write_files(tmp_path, poses, {"S1": {"Walking": [view / 2 for view in views["S1"]["Walking"]]}})
    with pytest.warns(
        UserWarning, match="in 4 of 4 views 2D is not where the camera sees the 3D, first in S1, Walking"
    ):
        human36m.load(tmp_path)


def test_3d_without_cameras_is_refused_and_the_file_named(tmp_path):
    write_files(tmp_path, *prepared(subject="A1"))
    with pytest.raises(
        ValueError, match="A1, Walking, camera 0: there is 3D, but no camera is known of A1.*cameras_NAME"
    ):
        human36m.load(tmp_path)


def test_a_file_without_metadata_is_one_of_human36m(tmp_path):
    write_files(tmp_path, *prepared())
    with np.load(tmp_path / "data_2d_h36m_gt.npz", allow_pickle=True) as file:
        positions = file["positions_2d"]
    np.savez(tmp_path / "data_2d_h36m_gt.npz", positions_2d=positions, metadata=np.array(None, dtype=object))
    assert len(human36m.load(tmp_path)) == 4


def test_files_of_another_name_are_asked_for_by_it(tmp_path, tiny):
    videopose3d.write(tiny, tmp_path, name="mine")
    data = load_dataset("human36m", tmp_path, tiny.keypoint_source, name="mine", test_subjects=("S5",))
    assert (data.name, data.test_subjects) == ("mine", ("S5",))


def test_other_subjects_can_be_tested_on(tiny):
    data = tiny.tested_on(["S1", "S9"])
    assert (data.train_subjects, data.test_subjects) == (("S5",), ("S1", "S9"))
    assert {s.subject for s in data.train()} == {"S5"} and {s.subject for s in data.test()} == {"S1", "S9"}
    held_out = replace(tiny, test_subjects=(), test_takes=frozenset({("S5", "WalkDog")})).tested_on(["S1"])
    assert {(s.subject, s.action) for s in held_out.train()} == {
        ("S5", "Walking 1"),
        ("S9", "Walking 1"),
        ("S9", "WalkDog"),
    }
    with pytest.raises(ValueError, match="tiny has no S7: its subjects with 3D are S1, S5, S9"):
        tiny.tested_on(["S9", "S7"])
    with pytest.raises(ValueError, match="nobody else to train on"):
        tiny.tested_on(["S1", "S5", "S9"])


def test_subjects_of_2d_alone_are_left_out_of_what_is_written(tmp_path):
    data = small_dataset()
    data.sequences += [replace(s, subject="S2", poses_3d=None, camera=None) for s in data.sequences[:4]]
    with pytest.warns(UserWarning, match="S2 have 2D alone, and are left out"):
        videopose3d.write(data, tmp_path)
    assert {s.subject for s in human36m.load(tmp_path).sequences} == {"S1", "S9"}
