"""From 17 joints to 15: which weights move, what the bodies have in common, and that nothing is lost on the way."""

import numpy as np
import pytest
import torch
from helpers_data import small_model, tiny_dataset

from poseformer_course.bodies import H36M_OF_HUMANEVA, humaneva15_to_h36m17, to_humaneva15
from poseformer_course.transfer import H36M17Adapter, move_spatial, with_longer_windows
from poseformer_lite.datasets.windows import Windows
from poseformer_lite.evaluation import evaluate
from poseformer_lite.skeleton import H36M17, HUMANEVA15, flip_poses
from poseformer_lite.training.loop import train

NAMES_15 = dict(zip(HUMANEVA15.joints, (H36M17.joints[j] for j in H36M_OF_HUMANEVA), strict=True))
OTHER_WORDS = {"Pelvis": "Hip", "LAnkle": "LFoot", "RAnkle": "RFoot"}
MISSING = [H36M17.joints.index(name) for name in ("Spine", "Neck/Nose")]


def learned(seed: int = 0, **changes):
    """A network whose position embeddings and biases are not zero, as those of a trained one."""
    model = small_model(seed, **changes)
    generator = torch.Generator().manual_seed(seed + 100)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.05 * torch.randn(weight.shape, generator=generator))
    return model


def weights(model) -> dict:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


# The two bodies


def test_joints_go_together_by_name():
    assert {name: OTHER_WORDS.get(name, name) for name in HUMANEVA15.joints} == NAMES_15
    assert sorted(H36M_OF_HUMANEVA) == [j for j in range(17) if j not in MISSING]


def test_the_sides_go_together():
    sides = [(HUMANEVA15.side(j), H36M17.side(k)) for j, k in enumerate(H36M_OF_HUMANEVA)]
    assert all(a == b for a, b in sides)


def test_each_joint_is_a_mean_of_joints():
    mix = humaneva15_to_h36m17(np.eye(15, dtype=np.float32))
    assert mix.shape == (17, 15)
    assert (mix >= 0).all()
    np.testing.assert_array_equal(mix.sum(axis=1), 1)
    assert sorted((mix > 0).sum(axis=1)) == [1] * 15 + [2] * 2


def test_a_body_that_is_moved_stays_whole():
    """The rows of the matrix sum to one, so that a shift of all joints shifts all joints."""
    poses = np.random.default_rng(0).normal(size=(4, 15, 3))
    np.testing.assert_allclose(humaneva15_to_h36m17(poses + 2.5), humaneva15_to_h36m17(poses) + 2.5, atol=1e-12)


def test_the_missing_joints_lie_halfway():
    poses = np.random.default_rng(0).normal(size=(2, 15, 2))
    whole = dict(zip(H36M17.joints, np.moveaxis(humaneva15_to_h36m17(poses), 1, 0), strict=True))
    np.testing.assert_allclose(whole["Spine"], (whole["Hip"] + whole["Thorax"]) / 2)
    np.testing.assert_allclose(whole["Neck/Nose"], (whole["Thorax"] + whole["Head"]) / 2)


@pytest.mark.parametrize("shape", [(15, 2), (7, 15, 2), (2, 3, 15, 3)])
def test_there_and_back_is_what_was_given(shape):
    poses = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.testing.assert_array_equal(humaneva15_to_h36m17(poses)[..., list(H36M_OF_HUMANEVA), :], poses)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numpy_and_torch_agree(dtype):
    poses = np.random.default_rng(0).normal(size=(5, 15, 2)).astype(dtype)
    array, tensor = humaneva15_to_h36m17(poses), humaneva15_to_h36m17(torch.from_numpy(poses))
    assert array.dtype == dtype
    np.testing.assert_allclose(tensor.numpy(), array, rtol=0, atol=1e-6)


def test_a_mirror_image_is_a_mirror_image_of_either_body():
    poses = np.random.default_rng(0).normal(size=(5, 15, 3))
    np.testing.assert_allclose(
        humaneva15_to_h36m17(flip_poses(poses, HUMANEVA15)), flip_poses(humaneva15_to_h36m17(poses), H36M17), atol=1e-12
    )


@pytest.mark.parametrize("joints", [14, 17])
def test_another_body_is_refused(joints):
    with pytest.raises(ValueError, match=rf"\(2, {joints}, 3\), expected \(\.\.\., 15, K\)"):
        humaneva15_to_h36m17(np.zeros((2, joints, 3)))


def test_a_set_of_15_joints_keeps_all_but_the_joints():
    data = tiny_dataset()
    small = to_humaneva15(data)
    assert small.skeleton == HUMANEVA15
    assert [s.name for s in small.sequences] == [s.name for s in data.sequences]
    assert [s.name for s in small.test()] == [s.name for s in data.test()]
    for before, after in zip(data.sequences, small.sequences, strict=True):
        np.testing.assert_array_equal(after.keypoints, before.keypoints[:, list(H36M_OF_HUMANEVA)])
        np.testing.assert_array_equal(after.root_relative(0), before.root_relative(0)[:, list(H36M_OF_HUMANEVA)])
    assert len(Windows(small.train(), 3, small.skeleton, flip=True)) == 2 * sum(map(len, data.train()))


def test_a_set_that_is_seen_anew_is_seen_with_15_joints():
    data = tiny_dataset()
    data.redraw = lambda seed: data.sequences[seed : seed + 2]
    assert [s.keypoints.shape[1] for s in to_humaneva15(data).redraw(1)] == [15, 15]
    assert to_humaneva15(tiny_dataset()).redraw is None


def test_a_sequence_without_3d_stays_without():
    data = tiny_dataset()
    object.__setattr__(data.sequences[0], "poses_3d", None)
    assert to_humaneva15(data).sequences[0].poses_3d is None


# The spatial stage moved


def test_the_spatial_stage_moves_bit_for_bit_and_nothing_else():
    source, target = learned(0), learned(1, num_joints=15)
    before, given = weights(target), weights(source)
    moved = move_spatial(source, target)
    assert set(moved) == {name for name in before if name.startswith("spatial.")}
    for name, tensor in target.state_dict().items():
        if name == "spatial.position_embedding":
            assert torch.equal(tensor, given[name][:, list(H36M_OF_HUMANEVA)])
        elif name in moved:
            assert torch.equal(tensor, given[name])
            assert not torch.equal(tensor, before[name])
        else:
            assert torch.equal(tensor, before[name])
    assert all(torch.equal(tensor, given[name]) for name, tensor in source.state_dict().items())


def test_positions_go_by_the_name_of_the_joint():
    source, target = learned(0), small_model(1, num_joints=15)
    move_spatial(source, target)
    theirs = dict(zip(H36M17.joints, source.spatial.position_embedding[0], strict=True))
    for name, ours in zip(HUMANEVA15.joints, target.spatial.position_embedding[0], strict=True):
        assert torch.equal(ours, theirs[OTHER_WORDS.get(name, name)])


def test_a_spatial_stage_that_moved_says_the_same_of_what_it_sees():
    """With all 17 joints in another order, the tokens come in that order: joints are told by their positions."""
    order = torch.randperm(17, generator=torch.Generator().manual_seed(3)).tolist()
    source, target = learned(0).eval(), learned(1).eval()
    move_spatial(source, target, tuple(order))
    poses_2d = torch.randn(4, 17, 2)
    torch.testing.assert_close(target.spatial(poses_2d[:, order]), source.spatial(poses_2d)[:, order])


def test_what_moved_is_a_copy():
    source, target = learned(0), small_model(1, num_joints=15)
    move_spatial(source, target)
    with torch.no_grad():
        target.spatial.patch_embedding.weight.zero_()
    assert source.spatial.patch_embedding.weight.abs().sum() > 0


def test_the_target_can_learn_afterwards():
    target = small_model(1, num_joints=15)
    move_spatial(learned(0), target)
    target(torch.randn(2, 3, 15, 2)).square().mean().backward()
    assert all(weight.grad is not None for weight in target.parameters())


@pytest.mark.parametrize("changes", [{"spatial_dim": 16}, {"spatial_depth": 2}, {"mlp_ratio": 3.0}, {"num_heads": 4}])
@pytest.mark.parametrize("whose", ["source", "target"])
def test_other_sizes_are_refused_and_nothing_is_changed(changes, whose):
    source = learned(0, **(changes if whose == "source" else {}))
    target = small_model(1, num_joints=15, **(changes if whose == "target" else {}))
    before = weights(target)
    with pytest.raises(ValueError, match="differ in width, depth or heads: make the target with the source's"):
        move_spatial(source, target)
    assert all(torch.equal(tensor, before[name]) for name, tensor in target.state_dict().items())


def test_the_temporal_stage_may_be_of_any_size():
    target = small_model(1, num_joints=15, num_frames=5, temporal_depth=2)
    assert len(move_spatial(learned(0), target)) == len(target.spatial.state_dict())


@pytest.mark.parametrize("joints", [(), (0, 1, 2), tuple(range(16)), (*range(14), 17), (*range(14), -1)])
def test_joints_that_are_not_the_sources_are_refused(joints):
    with pytest.raises(
        ValueError, match="expected 15 numbers, for each joint of the target one of the source's, 0 to 16"
    ):
        move_spatial(learned(0), small_model(1, num_joints=15), joints)


# Everything moved, through the old body


def test_it_says_what_the_network_inside_says():
    network = learned(0).eval()
    model = H36M17Adapter.around(network).eval()
    poses_2d = torch.randn(6, 3, 15, 2)
    inside = network(humaneva15_to_h36m17(poses_2d))
    assert torch.equal(model(poses_2d), inside[:, list(H36M_OF_HUMANEVA)])


def test_on_a_body_whose_two_joints_lie_halfway_it_is_the_source():
    """All 17 joints known, and the two that are missing where they are put in: nothing is lost by leaving them out."""
    network = learned(0).eval()
    model = H36M17Adapter.around(network).eval()
    poses_17 = torch.randn(7, 17, 2)
    poses_17[:, 7], poses_17[:, 9] = (poses_17[:, 0] + poses_17[:, 8]) / 2, (poses_17[:, 8] + poses_17[:, 10]) / 2
    lifted = model.predict_sequence(poses_17[:, list(H36M_OF_HUMANEVA)])
    torch.testing.assert_close(lifted, network.predict_sequence(poses_17)[:, list(H36M_OF_HUMANEVA)])


def test_it_begins_with_the_weights_and_leaves_the_source_alone():
    network = learned(0)
    given = weights(network)
    model = H36M17Adapter.around(network)
    assert model.num_parameters() == network.num_parameters()
    assert all(torch.equal(tensor, given[name]) for name, tensor in model.network.state_dict().items())
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    assert all(torch.equal(tensor, given[name]) for name, tensor in network.state_dict().items())


def test_save_and_read_again(tmp_path):
    model = H36M17Adapter.around(learned(0, drop_path=0.1)).eval()
    again = H36M17Adapter.from_pretrained(model.save_pretrained(tmp_path))
    assert again.config == model.config
    poses_2d = torch.randn(2, 3, 15, 2)
    assert torch.equal(again(poses_2d), model(poses_2d))


def test_all_its_weights_learn():
    model = H36M17Adapter.around(learned(0))
    model(torch.randn(2, 3, 15, 2)).square().mean().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_another_number_of_joints_is_refused():
    with pytest.raises(ValueError, match="num_joints is 14"):
        H36M17Adapter(num_frames=3, num_joints=14)
    with pytest.raises(ValueError, match=r"expected \(B, 3, 15, 2\)"):
        H36M17Adapter.around(learned(0))(torch.randn(2, 3, 17, 2))


def test_only_a_network_of_17_joints_goes_inside():
    with pytest.raises(ValueError, match="has 15 joints, expected 17"):
        H36M17Adapter.around(learned(0, num_joints=15))


@pytest.mark.parametrize("start", ["spatial", "everything"])
def test_it_is_trained_and_measured_like_any_network(start):
    data = to_humaneva15(tiny_dataset())
    if start == "everything":
        model = H36M17Adapter.around(learned(0))
    else:
        model = small_model(1, num_joints=15)
        move_spatial(learned(0), model)
    before = evaluate(model, data, progress=False).average["MPJPE"]
    run = train(model, data, epochs=6, batch_size=32, windows_per_epoch=None, progress=False)
    assert run.finished
    assert evaluate(model, data, progress=False).average["MPJPE"] < before


# Longer windows


@pytest.mark.parametrize("sign", [1, -1])
def test_layers_that_are_added_change_nothing(sign):
    model = learned(num_frames=9).eval()
    with torch.no_grad():
        model.head.weighted_mean.weight.copy_(sign * model.head.weighted_mean.weight.abs())
        poses_2d = torch.randn(3, 9, 17, 2, generator=torch.Generator().manual_seed(0))
        deeper = with_longer_windows(model, 9, temporal_depth=model.config["temporal_depth"] + 2).eval()
        torch.testing.assert_close(deeper(poses_2d), model(poses_2d), atol=1e-5, rtol=1e-4)
        assert deeper.head.weighted_mean.weight.sum() > 0


def test_frames_that_are_added_continue_the_old_ones():
    model = learned(num_frames=3)
    before = weights(model)
    longer = with_longer_windows(model, 7)
    nearest = [0, 0, 0, 1, 2, 2, 2]
    assert longer.config == {**model.config, "num_frames": 7}
    torch.testing.assert_close(longer.temporal.position_embedding, model.temporal.position_embedding[:, nearest])
    mean = longer.head.weighted_mean.weight.flatten()
    assert mean[[0, 1, 5, 6]].abs().max() == 0
    torch.testing.assert_close(mean[2:5].abs(), model.head.weighted_mean.weight.flatten().abs())
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_network_is_not_made_shorter_or_shallower():
    with pytest.raises(ValueError, match="9 frames and 2 temporal layers.* not 3 and 2"):
        with_longer_windows(small_model(num_frames=9, temporal_depth=2), 3)
    with pytest.raises(ValueError, match="not 9 and 1"):
        with_longer_windows(small_model(num_frames=9, temporal_depth=2), 9, temporal_depth=1)
