"""One ONNX file: the same poses as torch for any batch, and a whole sequence lifted without torch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers_data import small_model, tiny_dataset

from poseformer_course.prior_work import TemporalConvolution
from poseformer_lite.lifting.lifter import PoseLifter
from poseformer_lite.model import MeanPose, TemporalTransformerBaseline
from poseformer_lite.model.onnx import export_onnx

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install onnxruntime")
pytest.importorskip("onnxscript", reason="torch's exporter needs onnxscript")
SCRIPT = Path(__file__).parents[1] / "scripts/lift_with_onnx.py"


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda: small_model(num_frames=5),
        lambda: TemporalTransformerBaseline(5, dim=16, depth=1, num_heads=2),
        lambda: TemporalConvolution(9),
    ],
    ids=["PoseFormer", "baseline", "convolution"],
)
def test_the_same_poses_as_torch_for_any_batch(make, tmp_path):
    torch.manual_seed(0)
    model = make().train()
    session = onnxruntime.InferenceSession(export_onnx(model, tmp_path / "network.onnx"))
    assert model.training and [path.name for path in tmp_path.iterdir()] == ["network.onnx"]
    about = session.get_modelmeta().custom_metadata_map
    assert about["network"] == type(model).__name__ and json.loads(about["config"])["num_frames"] == model.num_frames
    assert about["input"] == "screen"
    model.eval()
    for batch in (1, 2, 5):
        windows = torch.randn(batch, model.num_frames, 17, 2)
        (lifted,) = session.run(None, {"poses_2d": windows.numpy()})
        np.testing.assert_allclose(lifted, model(windows).detach().numpy(), atol=1e-5)


@pytest.mark.slow
def test_a_sequence_is_lifted_where_there_is_no_torch(tmp_path):
    keypoints = tiny_dataset(num_frames=70).sequences[0].keypoints
    model = small_model(num_frames=9)
    network = export_onnx(model, tmp_path / "network.onnx")
    np.save(tmp_path / "keypoints.npy", keypoints)
    for module in ("torch", "poseformer_lite"):
        (tmp_path / f"{module}.py").write_text("raise ImportError('not here')")
    command = [sys.executable, SCRIPT, network, tmp_path / "keypoints.npy", "1000", "800", tmp_path / "poses.npy"]
    subprocess.run(list(map(str, command)), check=True, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    lifter = PoseLifter(model, flip=False, device="cpu")
    expected = lifter(keypoints, 1000, 800, repair_swaps=False).poses_3d
    np.testing.assert_allclose(np.load(tmp_path / "poses.npy"), expected, atol=1e-4, rtol=0)


def test_the_script_refuses_a_network_of_the_canonical_camera():
    import lift_with_onnx

    about = type("About", (), {"custom_metadata_map": {"input": "canonical"}})
    session = type("Session", (), {"get_modelmeta": lambda self: about})()
    with pytest.raises(SystemExit, match="wants keypoints of input 'canonical'"):
        lift_with_onnx.lift(session, np.zeros((5, 17, 2)), 1000, 800)


def test_without_the_extra_it_is_said(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ValueError, match=r"poseformer-lite\[onnx\]"):
        export_onnx(small_model(), tmp_path / "network.onnx")
    assert list(tmp_path.iterdir()) == []


def test_what_has_no_weights_is_refused(tmp_path):
    with pytest.raises(ValueError, match="MeanPose has no weights"):
        export_onnx(MeanPose(), tmp_path / "network.onnx")
    assert list(tmp_path.iterdir()) == []
