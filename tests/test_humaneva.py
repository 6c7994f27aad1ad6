"""HumanEva's layout: 15 joints, three cameras, chunks, parts known in 2D only."""

import numpy as np
import pytest

from poseformer_lite.datasets import load_dataset
from poseformer_lite.evaluation import evaluate
from poseformer_lite.model import PoseFormer
from poseformer_lite.skeleton import HUMANEVA15
from poseformer_lite.training.loop import train

TINY = {"num_frames": 3, "num_joints": 15, "spatial_dim": 4, "spatial_depth": 1, "temporal_depth": 1, "num_heads": 2}


def pack(contents: dict) -> np.ndarray:
    return np.array(contents, dtype=object)


def write_files(folder, positions_3d, positions_2d) -> None:
    np.savez(folder / "data_3d_humaneva15.npz", positions_3d=pack(positions_3d))
    np.savez(folder / "data_2d_humaneva15_gt.npz", positions_2d=pack(positions_2d), metadata=pack({}))


def poses(frames: int, dims: int, joints: int = 15) -> np.ndarray:
    """Pixels, or metres of a body that large."""
    size = 400 if dims == 2 else 1
    return size * np.random.default_rng(frames).uniform(0.1, 1, size=(frames, joints, dims)).astype(np.float32)


def small_files(folder, frames_2d: int = 9, joints: int = 15, views: int = 3) -> None:
    takes = {"Walking 1 chunk0": poses(9, 3, joints), "Jog 1 chunk0": poses(9, 3, joints)}
    seen = {name: [poses(frames_2d, 2) for _ in range(views)] for name in takes}
    write_files(
        folder,
        {"Train/S1": takes, "Validate/S1": takes},
        {"Train/S1": seen, "Validate/S1": seen, "Unlabeled/S4": {"Box 1 chunk0": [poses(4, 2)] * 3}},
    )


def test_the_stand_in_files(shared):
    data = load_dataset("humaneva", shared / "reference" / "formats")
    assert data.skeleton == HUMANEVA15 and data.fps == 60
    assert data.train_subjects == ("Train/S1", "Train/S2", "Train/S3")
    assert data.test_subjects == ("Validate/S1", "Validate/S2", "Validate/S3")
    assert {(s.view, s.width, s.height) for s in data.sequences} == {(f"C{i}", 640, 480) for i in (1, 2, 3)}
    assert {s.base_action for s in data.test()} == {"Walking", "Jog", "Box"}
    unlabeled = [s for s in data.sequences if s.subject.startswith("Unlabeled/")]
    assert unlabeled and all(s.poses_3d is None for s in unlabeled)
    again = load_dataset("humaneva", shared / "reference" / "formats")
    assert all(np.array_equal(a.keypoints, b.keypoints) for a, b in zip(data.sequences, again.sequences, strict=True))


def test_3d_is_the_world_turned_into_each_camera(tmp_path):
    small_files(tmp_path)
    data = load_dataset("humaneva", tmp_path)
    world = poses(9, 3)
    for sequence in data.train():
        lengths = np.linalg.norm(sequence.poses_3d[:, 1:] - sequence.poses_3d[:, :1], axis=-1)
        np.testing.assert_allclose(lengths, np.linalg.norm(world[:, 1:] - world[:, :1], axis=-1), rtol=1e-4)
    views = {s.view: s.poses_3d for s in data.train() if s.action.startswith("Walking")}
    assert len(views) == 3 and not np.allclose(views["C1"], views["C2"])


def test_a_person_who_stands_upright_is_upright_in_every_camera(tmp_path):
    """The cameras hang upright: their y points down, within some degrees."""
    standing = np.zeros((5, 15, 3), dtype=np.float32)
    standing[:, HUMANEVA15.joints.index("Head"), 2] = 1.7
    takes = {"Walking 1 chunk0": standing}
    seen = {"Walking 1 chunk0": [poses(5, 2)] * 3}
    people = ("Train/S1", "Train/S2", "Train/S3")
    write_files(tmp_path, dict.fromkeys(people, takes), dict.fromkeys(people, seen))
    for sequence in load_dataset("humaneva", tmp_path).train():
        up = sequence.root_relative(0)[0, HUMANEVA15.joints.index("Head")]
        assert up[1] < -1.6, sequence.name
        assert sequence.poses_3d[0, 0, 2] > 2  # the middle of the room is in front of each camera


def test_longer_2d_is_trimmed_and_shorter_refused(tmp_path):
    small_files(tmp_path, frames_2d=11)
    assert {len(s) for s in load_dataset("humaneva", tmp_path).train()} == {9}
    small_files(tmp_path, frames_2d=8)
    with pytest.raises(ValueError, match="Train/S1, Walking 1 chunk0, camera C1: 8 frames of 2D for 9 frames of 3D"):
        load_dataset("humaneva", tmp_path)


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="data_3d_humaneva15.npz and no data_2d_humaneva15_gt.npz"):
        load_dataset("humaneva", tmp_path)
    small_files(tmp_path, joints=17)
    with pytest.raises(ValueError, match=r"expected \(T, 15, 3\) in metres"):
        load_dataset("humaneva", tmp_path)
    small_files(tmp_path, views=4)
    with pytest.raises(ValueError, match="three cameras"):
        load_dataset("humaneva", tmp_path)
    np.savez(tmp_path / "data_3d_humaneva15.npz", poses=np.zeros(3))
    with pytest.raises(ValueError, match="holds poses, expected positions_3d"):
        load_dataset("humaneva", tmp_path)


def test_train_and_test_end_to_end(tmp_path):
    small_files(tmp_path)
    data = load_dataset("humaneva", tmp_path)
    model = PoseFormer(**TINY)
    train(model, data, epochs=1, windows_per_epoch=16, batch_size=8, validation=0.0, progress=False)
    assert set(evaluate(model, data, progress=False).per_action["MPJPE"]) == {"Walking", "Jog"}
