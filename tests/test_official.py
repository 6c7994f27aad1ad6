"""Checkpoints of the authors' code: the same poses, strict about names and shapes, and no code of a stranger is run."""

import os
import pickle

import numpy as np
import pytest
import torch
from helpers_data import small_model

from poseformer_lite.model.official import load_official, official_state_dict
from poseformer_lite.model.poseformer import PoseFormer

KEYS_AT_DEPTH_4 = 110


@pytest.fixture(scope="module")
def golden(shared):
    """(state dict, input, output) that the authors' code gave."""
    contents = np.load(shared / "reference" / "official_forward_f9_c8_d2_h4.npz")
    weights = {name.removeprefix("sd/"): torch.from_numpy(contents[name]) for name in contents.files if "sd/" in name}
    return weights, torch.from_numpy(contents["x"]), torch.from_numpy(contents["y"])


@pytest.fixture(scope="module")
def checkpoint(shared):
    return shared / "reference" / "official_checkpoint_f27_c16_d2_h8.bin"


@pytest.fixture
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    model = PoseFormer(3, spatial_dim=8, spatial_depth=2, temporal_depth=2, num_heads=4)
    return {name: tensor.clone() for name, tensor in official_state_dict(model).items()}


class RunsCode:
    """Unpickling it makes a folder: that it exists betrays that the file's code ran."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_golden_forward(golden, prefix):
    weights, poses_2d, expected = golden
    model = PoseFormer.from_official({prefix + name: tensor for name, tensor in weights.items()}, num_heads=4)
    assert not model.training
    with torch.no_grad():
        torch.testing.assert_close(model(poses_2d)[:, None], expected, atol=1e-5, rtol=1e-5)


def test_golden_checkpoint_with_its_random_state(checkpoint, shared):
    io = np.load(shared / "reference" / "official_checkpoint_f27_c16_d2_h8_io.npz")
    model = PoseFormer.from_official(checkpoint)
    assert (model.num_frames, model.num_joints) == (27, 17)
    with torch.no_grad():
        torch.testing.assert_close(
            model(torch.from_numpy(io["x"]))[:, None], torch.from_numpy(io["y"]), atol=1e-5, rtol=0
        )


def test_reading_a_checkpoint_leaves_torch_as_careful_as_before(checkpoint):
    load_official(checkpoint)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(checkpoint, weights_only=True)


def test_golden_checkpoint_round_trip(checkpoint, tmp_path):
    model = PoseFormer.from_official(checkpoint)
    torch.save({"epoch": 3, "model_pos": official_state_dict(model)}, tmp_path / "again.bin")
    again = PoseFormer.from_official(tmp_path / "again.bin")
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True))


def test_names_are_those_of_the_golden_file(golden):
    weights, _, _ = golden
    model = PoseFormer.from_official(weights, num_heads=4)
    written = official_state_dict(model)
    assert set(written) == set(weights)
    assert all(torch.equal(written[name], weights[name]) for name in weights)


def test_number_of_keys_at_the_papers_depth():
    assert len(official_state_dict(PoseFormer(9, spatial_dim=8))) == KEYS_AT_DEPTH_4


@pytest.mark.parametrize(
    "sizes",
    [
        dict(num_frames=1, num_joints=15, spatial_dim=4, spatial_depth=3, temporal_depth=3, mlp_ratio=4.0),
        dict(num_frames=5, num_joints=17, spatial_dim=12, spatial_depth=2, temporal_depth=2),
    ],
)
def test_round_trip_of_any_size(sizes):
    model = PoseFormer(**sizes, num_heads=4).eval()
    again = PoseFormer.from_official(official_state_dict(model), num_heads=4)
    poses_2d = torch.randn(2, sizes["num_frames"], sizes["num_joints"], 2)
    assert torch.equal(again(poses_2d), model(poses_2d))


@pytest.mark.parametrize("bare", [True, False], ids=["state dict alone", "inside model_pos"])
def test_file_with_or_without_model_pos(weights, bare, tmp_path):
    torch.save(weights if bare else {"model_pos": weights}, tmp_path / "weights.bin")
    loaded = official_state_dict(load_official(tmp_path / "weights.bin", num_heads=4))
    assert all(torch.equal(loaded[name], weights[name]) for name in weights)


@pytest.mark.parametrize(
    "name", ["blocks.0.attn.qkv.bias", "Spatial_norm.weight", "head.1.weight", "weighted_mean.bias"]
)
def test_missing_key_is_named(weights, name):
    del weights[name]
    with pytest.raises(ValueError, match=f"missing {name}"):
        load_official(weights, num_heads=4)


@pytest.mark.parametrize("name", ["Spatial_pos_embed", "Temporal_pos_embed"])
def test_no_position_embedding_no_poseformer(weights, name):
    del weights[name]
    with pytest.raises(ValueError, match=f"not a PoseFormer of the authors' code.*{name}"):
        load_official(weights, num_heads=4)


@pytest.mark.parametrize("name", ["extra.weight", "blocks.1.attn.gate"])
def test_surplus_key_is_named(weights, name):
    with pytest.raises(ValueError, match=f"surplus {name}"):
        load_official({**weights, name: torch.zeros(3)}, num_heads=4)


@pytest.mark.parametrize(("name", "shape"), [("head.1.weight", (45, 136)), ("weighted_mean.weight", (1, 9, 1))])
def test_wrong_shape_is_named_with_both_shapes(weights, name, shape):
    expected = tuple(weights[name].shape)
    with pytest.raises(ValueError) as caught:
        load_official({**weights, name: torch.zeros(shape)}, num_heads=4)
    assert f"{name} is {shape}, expected {expected}" in str(caught.value)


def test_many_faults_are_counted(weights):
    kept = {name: tensor for name, tensor in weights.items() if "norm2" not in name and "mlp.fc2" not in name}
    with pytest.raises(ValueError, match=r"and \d+ more"):
        load_official(kept, num_heads=4)


def test_demo_network_is_refused_with_the_reason(weights):
    demo = {name: tensor for name, tensor in weights.items() if not name.startswith("weighted_mean")}
    with pytest.raises(ValueError, match="no weighted_mean: it is the frame-to-frame network of the demo"):
        load_official(demo, num_heads=4)


def test_heads_that_do_not_divide(weights):
    with pytest.raises(ValueError, match="8 channels do not divide into 3 heads"):
        load_official(weights, num_heads=3)


@pytest.mark.parametrize("zipped", [True, False], ids=["new format", "legacy format"])
@pytest.mark.parametrize("place", ["random_state", "model_pos", "whole file"])
def test_hostile_checkpoint_does_not_run(weights, zipped, place, tmp_path):
    hostile = RunsCode(tmp_path / "it-ran")
    contents = {
        "random_state": {"random_state": hostile, "model_pos": weights},
        "model_pos": {"model_pos": {**weights, "Spatial_norm.bias": hostile}},
        "whole file": hostile,
    }[place]
    torch.save(contents, tmp_path / "hostile.bin", _use_new_zipfile_serialization=zipped)
    with pytest.raises(ValueError, match="hostile.bin.*not a readable checkpoint") as caught:
        load_official(tmp_path / "hostile.bin")
    assert not (tmp_path / "it-ran").exists()
    assert "mkdir" in str(caught.value)


def test_hostile_plain_pickle_does_not_run(tmp_path):
    (tmp_path / "hostile.bin").write_bytes(pickle.dumps(RunsCode(tmp_path / "it-ran")))
    with pytest.raises(ValueError, match="not a readable checkpoint"):
        load_official(tmp_path / "hostile.bin")
    assert not (tmp_path / "it-ran").exists()


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.99])
def test_truncated_checkpoint(weights, keep, tmp_path):
    torch.save({"model_pos": weights}, tmp_path / "cut.bin")
    whole = (tmp_path / "cut.bin").read_bytes()
    (tmp_path / "cut.bin").write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    with pytest.raises(ValueError, match=r"cut.bin \([\d,]+ bytes\) is not a readable checkpoint"):
        load_official(tmp_path / "cut.bin")


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.bin"):
        load_official(tmp_path / "none.bin")


@pytest.mark.parametrize("contents", [[1, 2], {"epoch": 3}, {"model_pos": {}}, {"model_pos": {"a": 1}}, 7])
def test_checkpoint_without_a_network(contents, tmp_path):
    torch.save(contents, tmp_path / "other.bin")
    with pytest.raises(ValueError, match="other.bin has no model_pos"):
        load_official(tmp_path / "other.bin")


def test_another_network_is_refused(tmp_path):
    torch.save({"model_pos": torch.nn.Linear(3, 4).state_dict()}, tmp_path / "linear.bin")
    with pytest.raises(ValueError, match="not a PoseFormer of the authors' code.*weight, bias"):
        load_official(tmp_path / "linear.bin")


def test_a_stack_that_lacks_its_last_layer_is_refused():
    weights = official_state_dict(PoseFormer(3, spatial_dim=8, spatial_depth=2, temporal_depth=2, num_heads=2))
    shorter = {name: tensor for name, tensor in weights.items() if not name.startswith("blocks.1.")}
    with pytest.raises(ValueError, match="2 layers in Spatial_blocks and 1 in blocks"):
        PoseFormer.from_official(shorter, num_heads=2)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
@pytest.mark.parametrize("name", ["model_pos", "state_dict", "model", None])
@pytest.mark.parametrize("own", [False, True])
def test_what_other_savers_write_is_read(tmp_path, prefix, name, own):
    model = small_model(num_frames=9, spatial_dim=16, num_heads=8)
    weights = model.state_dict() if own else official_state_dict(model)
    weights = {prefix + key: tensor for key, tensor in weights.items()}
    torch.save({name: weights, "epoch": 3} if name else weights, tmp_path / "weights.ckpt")
    read = load_official(tmp_path / "weights.ckpt").state_dict()
    assert all(torch.equal(read[key], tensor) for key, tensor in model.state_dict().items())


def test_the_checkpoint_of_a_run_of_ours_is_told_from_weights(tmp_path):
    torch.save({"fingerprint": {}, "state": {}}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="is a training that was stopped: run it to its end, and give"):
        load_official(tmp_path / "checkpoint.pt")


def test_torchs_advice_to_run_the_files_code_is_not_passed_on(tmp_path):
    torch.save({"model_pos": RunsCode(tmp_path / "it-ran")}, tmp_path / "code.bin")
    (tmp_path / "page.bin").write_text("<html>")
    for name in ("code.bin", "page.bin"):
        with pytest.raises(ValueError, match=name) as caught:
            load_official(tmp_path / name)
        assert "weights_only" not in str(caught.value)
