"""The one real video: what its file holds, and how well its parts fit together."""

import json

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from poseformer_lite import load_dataset, metrics
from poseformer_lite.cli import app
from poseformer_lite.datasets.sources import real
from poseformer_lite.skeleton import H36M17

FOLDER = real.PLACES[0]


@pytest.fixture(scope="module")
def views():
    return load_dataset("real").test()


def test_four_views_of_one_walk_for_testing_alone(views):
    data = load_dataset("real")
    assert [view.view for view in views] == ["cam1", "cam2", "cam3", "cam4"]
    assert data.train() == [] and data.fps == 50 and data.keypoint_source == "blazepose"
    assert {len(view) for view in views} == {81}  # 97 frames of 60 Hz
    assert {(view.width, view.height) for view in views} <= {(1088, 1920), (1080, 1920)}
    with pytest.raises(ValueError, match="comes with the package and takes no root"):
        load_dataset("real", "somewhere")
    with pytest.raises(ValueError, match='"blazepose" and "gt"'):
        load_dataset("real", keypoints="noisy")


def test_all_cameras_see_the_same_person(views):
    worlds = [view.camera.camera_to_world(view.poses_3d) for view in views]
    assert all(np.allclose(world, worlds[0], atol=1e-4) for world in worlds)
    assert 0.35 < np.linalg.norm(worlds[0][:, 1] - worlds[0][:, 2], axis=-1).mean() < 0.45  # a thigh
    head, feet = worlds[0][:, 10, 2], worlds[0][:, [3, 6], 2].mean(axis=1)
    assert (head - feet > 1.1).all() and (head - feet < 1.8).all()  # z is up


def test_the_detector_found_what_is_projected(views):
    projected = load_dataset("real", keypoints="gt").test()
    size = np.ptp(views[0].keypoints[..., 1], axis=1).mean()
    for found, exact in zip(views, projected, strict=True):
        off = np.linalg.norm(found.keypoints - exact.keypoints, axis=-1)
        exchanged = np.linalg.norm(found.keypoints[:, list(H36M17.flip_order)] - exact.keypoints, axis=-1)
        assert np.median(off) < 0.03 * size
        assert (off.mean(axis=1) < exchanged.mean(axis=1)).all(), f"{found.view}: left and right"


def test_mediapipes_own_3d_is_a_person_in_each_view(views):
    for poses, view in zip(real.mediapipe_poses(), views, strict=True):
        assert poses.shape == view.poses_3d.shape and not poses[:, 0].any()
        aligned = metrics.p_mpjpe(torch.from_numpy(poses).double(), torch.from_numpy(view.root_relative(0)).double())
        assert 0.03 < aligned < 0.15


def test_what_the_readme_says_of_the_truth_is_what_the_script_found():
    quality, text = json.loads((FOLDER / "quality.json").read_text()), (FOLDER.parent / "README.md").read_text()
    median, most = (
        quality[f"reprojection error, {what}, px"] for what in ("median over joints and views", "95th percentile")
    )
    assert f"| {median} and {most} px |" in text
    moved = [
        quality[f"a joint moves when one camera is left out, {what}, mm"] for what in ("median", "95th percentile")
    ]
    assert "| {:.0f} and {:.0f} mm |".format(*moved) in text
    assert "BSD 3-Clause" in (FOLDER / "LICENSE").read_text()
    assert (FOLDER / "real.npz").stat().st_size < 300_000


def test_it_is_evaluated_on_the_command_line_with_what_was_found():
    result = CliRunner().invoke(app, ["evaluate", "lite", "real"])
    assert result.exit_code == 0, result.output
    assert "keypoints: blazepose" in result.output and "cam2" in result.output


def test_without_its_file_the_error_says_where_it_was_looked_for(monkeypatch, tmp_path):
    monkeypatch.setattr(real, "PLACES", (tmp_path / "one", tmp_path / "two"))
    with pytest.raises(FileNotFoundError, match="neither in .*one nor in .*two"):
        load_dataset("real")
