"""MPI-INF-3DHP's two layouts, the frames that count, and PCK and AUC under both public definitions."""

import pickle

import numpy as np
import pytest
import torch

from poseformer_lite.datasets import load_dataset
from poseformer_lite.datasets.base import PoseDataset, PoseSequence
from poseformer_lite.evaluation import evaluate
from poseformer_lite.formats.safe_npz import UnsafeFileError
from poseformer_lite.metrics import ALL_JOINTS_3DHP, BENCHMARK_3DHP
from poseformer_lite.model import MeanPose, PoseFormer
from poseformer_lite.skeleton import H36M17, MPI_INF_3DHP17
from poseformer_lite.training.loop import train

TINY = {"num_frames": 3, "spatial_dim": 4, "spatial_depth": 1, "temporal_depth": 1, "num_heads": 2}


def pack(contents: dict) -> np.ndarray:
    return np.array(contents, dtype=object)


def draw(frames: int, dims: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(300, 900, size=(frames, 17, dims)).astype(np.float32)


def p_stmo(folder, valid=None) -> None:
    view = {"data_2d": draw(8, 2), "data_3d": draw(8, 3, seed=1)}
    training = {"S1 Seq1": [{"0": view, "4": view}, 50], "S2 Seq2": [{"0": view}, 25]}
    valid = np.ones(8, dtype=np.float32) if valid is None else valid
    np.savez(folder / "data_train_3dhp.npz", data=pack(training))
    np.savez(folder / "data_test_3dhp.npz", data=pack({f"TS{i}": view | {"valid": valid} for i in range(1, 7)}))


def graphmlp(folder, as_dict: bool = False) -> None:
    def views(dims, scale=1.0):
        arrays = [draw(8, dims) / scale, draw(8, dims, seed=2) / scale]
        return {"0": arrays[0], "4": arrays[1]} if as_dict else arrays

    people = {"S1": ("Seq1",), "TS1": ("test",)}
    np.savez(
        folder / "data_3d_3dhp.npz", positions_3d=pack({s: {a: views(3, 1000) for a in t} for s, t in people.items()})
    )
    np.savez(folder / "data_2d_3dhp.npz", positions_2d=pack({s: {a: views(2) for a in t} for s, t in people.items()}))


def test_the_stand_in_files(shared):
    """Their 2D is a pinhole's of 1500 pixels, half a width from both edges: units, sizes and joints must be right."""
    data = load_dataset("mpi_inf_3dhp", shared / "reference" / "formats")
    assert data.name == "mpi_inf_3dhp, P-STMO's files" and data.skeleton == H36M17
    assert data.train_subjects == ("S1", "S2") and data.test_subjects == tuple(f"TS{i}" for i in range(1, 7))
    for s in data.sequences:
        assert (s.width, s.height) == ((1920, 1080) if s.subject in ("TS5", "TS6") else (2048, 2048))
        projected = 1500 * s.poses_3d[..., :2] / s.poses_3d[..., 2:] + s.width / 2
        np.testing.assert_allclose(projected, s.keypoints, atol=0.02)
        assert (s.valid is not None) == s.subject.startswith("TS")
    first = data.test()[0]
    assert 0 < first.valid.sum() < len(first)


def test_joints_come_in_the_order_of_human36m(tmp_path):
    p_stmo(tmp_path)
    sequence = load_dataset("mpi_inf_3dhp", tmp_path).train()[0]
    same = {"Hip": "Pelvis", "Spine": "Spine", "Thorax": "Neck", "Neck/Nose": "Head", "Head": "HeadTop"}
    for joint, name in enumerate(H36M17.joints):
        theirs = same.get(name, name.replace("Foot", "Ankle"))
        if name in ("RHip", "LHip"):
            theirs = name
        there = MPI_INF_3DHP17.joints.index(theirs)
        np.testing.assert_array_equal(sequence.keypoints[:, joint], draw(8, 2)[:, there])
        np.testing.assert_allclose(sequence.poses_3d[:, joint], draw(8, 3, seed=1)[:, there] / 1000, rtol=1e-6)


@pytest.mark.parametrize("as_dict", [False, True])
def test_the_other_layout_is_in_metres_and_in_order_already(tmp_path, as_dict):
    graphmlp(tmp_path, as_dict)
    data = load_dataset("mpi_inf_3dhp", tmp_path)
    assert data.name == "mpi_inf_3dhp, GraphMLP's files"
    assert [s.view for s in data.train()] == (["0", "4"] if as_dict else ["0", "1"])
    np.testing.assert_allclose(data.train()[0].poses_3d, draw(8, 3) / 1000)


def test_both_layouts_in_one_folder_need_a_word(tmp_path):
    p_stmo(tmp_path)
    graphmlp(tmp_path)
    with pytest.raises(ValueError, match="say which with layout="):
        load_dataset("mpi_inf_3dhp", tmp_path)
    assert "GraphMLP" in load_dataset("mpi_inf_3dhp", tmp_path, layout="GraphMLP").name


def test_what_is_wrong_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="data_train_3dhp.npz and data_test_3dhp.npz, or data_3d_3dhp.npz"):
        load_dataset("mpi_inf_3dhp", tmp_path)
    p_stmo(tmp_path)
    with pytest.raises(ValueError, match="keypoints='noisy'"):
        load_dataset("mpi_inf_3dhp", tmp_path, keypoints="noisy")
    with pytest.raises(ValueError, match="layout='HDVR'"):
        load_dataset("mpi_inf_3dhp", tmp_path, layout="HDVR")
    np.savez(tmp_path / "data_test_3dhp.npz", data=pack({"TS1": {"data_2d": draw(8, 2), "data_3d": draw(8, 3)}}))
    with pytest.raises(ValueError, match="expected data_2d, data_3d and valid"):
        load_dataset("mpi_inf_3dhp", tmp_path)
    np.savez(tmp_path / "data_test_3dhp.npz", data=pack({"TS1": {"data_2d": draw(8, 2), "data_3d": draw(7, 3)}}))
    with pytest.raises(ValueError, match=r"TS1: 3D poses are \(7, 17, 3\), expected \(8, 17, 3\)"):
        load_dataset("mpi_inf_3dhp", tmp_path)


def test_a_hostile_and_a_truncated_file_are_refused(tmp_path):
    class Hostile:
        def __reduce__(self):
            return (print, ("ran",))

    p_stmo(tmp_path)
    whole = (tmp_path / "data_train_3dhp.npz").read_bytes()
    (tmp_path / "data_train_3dhp.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="may be cut off"):
        load_dataset("mpi_inf_3dhp", tmp_path)
    np.savez(tmp_path / "data_train_3dhp.npz", data=np.array(Hostile(), dtype=object))
    with pytest.raises((UnsafeFileError, pickle.UnpicklingError)):
        load_dataset("mpi_inf_3dhp", tmp_path)


def test_frames_that_are_not_valid_do_not_count(tmp_path):
    """The wild frames are seen and not judged: the same errors as without them."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(20, 17, 3)).astype(np.float32)
    truth[:, 0] = 0
    keypoints = rng.uniform(0, 100, size=(20, 17, 2)).astype(np.float32)
    valid = np.ones(20, dtype=bool)
    valid[[3, 4, 11]] = False
    wild = truth.copy()
    wild[~valid] += 100
    model = MeanPose().fit(torch.from_numpy(truth))
    rows = {}
    for name, poses, counted in (("marked", wild, valid), ("cut", truth[valid], None)):
        kept = keypoints if counted is not None else keypoints[valid]
        sequence = PoseSequence("TS1", "test", "0", kept, poses, 100, 100, valid=counted)
        data = PoseDataset("3dhp", [sequence], train_subjects=(), test_subjects=("TS1",))
        rows[name] = evaluate(model, data, progress=False).frame_average
    for metric in ("MPJPE", "P-MPJPE", "N-MPJPE"):
        assert rows["marked"][metric] == pytest.approx(rows["cut"][metric], rel=1e-5)
    steps = np.linalg.norm(np.diff(truth, axis=0), axis=-1).mean(-1)[valid[1:] & valid[:-1]]
    assert rows["marked"]["MPJVE"] == pytest.approx(1000 * steps.mean(), rel=1e-4)


def test_valid_must_fit(tmp_path):
    with pytest.raises(ValueError, match="expected one bool for 8 frames"):
        PoseSequence("TS1", "test", "0", draw(8, 2), draw(8, 3), 10, 10, valid=np.ones(7, dtype=bool))


def test_both_definitions_in_numpy():
    rng = np.random.default_rng(5)
    target = rng.normal(size=(50, 17, 3)).astype(np.float32)
    predicted = target + rng.normal(scale=0.08, size=target.shape).astype(np.float32)
    error = 1000 * np.linalg.norm((predicted - predicted[:, :1]) - (target - target[:, :1]), axis=-1)
    fourteen = error[:, [1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15, 16]]
    tensors = torch.from_numpy(predicted), torch.from_numpy(target)
    assert BENCHMARK_3DHP.pck(*tensors).item() == pytest.approx((fourteen < 150).mean())
    expected = np.mean([(fourteen < t).mean() for t in range(0, 151, 5)])
    assert BENCHMARK_3DHP.auc(*tensors).item() == pytest.approx(expected, abs=1e-6)
    assert ALL_JOINTS_3DHP.pck(*tensors).item() == pytest.approx((error < 150).mean())
    expected = np.mean([(error < t).mean() for t in range(150)])
    assert ALL_JOINTS_3DHP.auc(*tensors).item() == pytest.approx(expected, abs=1e-6)
    assert ALL_JOINTS_3DHP.pck(*tensors) > BENCHMARK_3DHP.pck(*tensors)  # the pelvis is never wrong


def test_a_joint_at_150_mm_is_wrong():
    target = torch.zeros(1, 17, 3, dtype=torch.float64)
    predicted = target.clone()
    predicted[0, 16, 0] = 0.150
    assert BENCHMARK_3DHP.pck(predicted, target).item() == pytest.approx(13 / 14)
    with pytest.raises(ValueError, match="17 joints"):
        BENCHMARK_3DHP.pck(predicted[:, :15], target[:, :15])


def test_train_and_test_end_to_end(tmp_path):
    p_stmo(tmp_path, valid=np.array([1, 1, 0, 1, 1, 1, 0, 1], dtype=np.float32))
    data = load_dataset("mpi_inf_3dhp", tmp_path)
    model = PoseFormer(**TINY)
    train(model, data, epochs=1, windows_per_epoch=16, batch_size=8, validation=0.0, progress=False)
    assert np.isfinite(evaluate(model, data, progress=False).frame_average["MPJPE"])
