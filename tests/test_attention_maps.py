"""Attention maps are the rows the network uses, and an ablated head is really gone and really back."""

import numpy as np
import pytest
import torch
from scipy.special import softmax

import poseformer_lite as pfl
from poseformer_lite.attention_maps import Head, ablated, all_heads, attention_maps, attention_rollout
from poseformer_lite.model import MeanPose

SIZES = {"num_frames": 5, "spatial_dim": 8, "spatial_depth": 2, "temporal_depth": 3, "num_heads": 4, "drop_path": 0.0}


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = pfl.PoseFormer(**SIZES)
    for parameter in model.parameters():  # position embeddings begin at zero
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


@pytest.fixture
def sequence():
    return torch.randn(7, 17, 2, generator=torch.Generator().manual_seed(1))


def test_shapes_and_rows_that_sum_to_one(model, sequence):
    maps = attention_maps(model, sequence)
    assert maps.spatial.shape == (7, 2, 4, 17, 17)
    assert maps.temporal.shape == (7, 3, 4, 5, 5)
    for rows in (maps.spatial, maps.temporal):
        torch.testing.assert_close(rows.sum(-1), torch.ones(rows.shape[:-1]))


def test_first_spatial_layer_is_the_softmax_of_its_own_queries_and_keys(model, sequence):
    block = model.spatial.encoder.blocks[0]
    with torch.no_grad():
        tokens = model.spatial.patch_embedding(sequence) + model.spatial.position_embedding
        q, k, _ = block.attn.qkv(block.norm1(tokens)).view(7, 17, 3, 4, 2).permute(2, 0, 3, 1, 4).numpy()
    expected = softmax(q @ k.swapaxes(-1, -2) / np.sqrt(2), axis=-1)
    np.testing.assert_allclose(attention_maps(model, sequence).spatial[:, 0], expected, atol=1e-6)


def test_windows_of_a_sequence_give_the_maps_of_the_sequence(model, sequence):
    index = torch.arange(7)[:, None] + torch.arange(5) - 2
    windows = sequence[index.clamp(0, 6)]
    maps, of_windows = attention_maps(model, sequence), attention_maps(model, windows, batch_size=2)
    torch.testing.assert_close(of_windows.temporal, maps.temporal)
    torch.testing.assert_close(of_windows.spatial.unflatten(0, (7, 5))[:, 2], maps.spatial)


def test_the_baseline_has_temporal_maps_only(sequence):
    model = pfl.TemporalTransformerBaseline.matching(SIZES)
    maps = attention_maps(model, sequence)
    assert maps.spatial is None
    assert maps.temporal.shape == (7, 3, 4, 5, 5)
    assert model.training  # as it was


@pytest.mark.parametrize("shape", [(7, 16, 2), (2, 4, 17, 2), (17, 2), (7, 17, 3)])
def test_other_shapes_are_refused(model, shape):
    with pytest.raises(ValueError, match=r"expected a sequence \(T, 17, 2\) or windows \(B, 5, 17, 2\)"):
        attention_maps(model, torch.zeros(shape))


def test_a_network_without_attention_is_refused(sequence):
    with pytest.raises(ValueError, match="MeanPose has no attention"):
        attention_maps(MeanPose(5), sequence)


def test_rollout_keeps_rows_that_sum_to_one_and_begins_at_the_identity(model, sequence):
    maps = attention_maps(model, sequence)
    flow = attention_rollout(maps.temporal)
    assert flow.shape == (7, 5, 5)
    torch.testing.assert_close(flow.sum(-1), torch.ones(7, 5))
    looking_at_itself = torch.eye(5).expand(3, 4, 5, 5)
    torch.testing.assert_close(attention_rollout(looking_at_itself), torch.eye(5))


def test_rollout_of_two_layers_by_hand():
    first, second = torch.tensor([[0.0, 1.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    flow = attention_rollout(torch.stack([first, second])[:, None])  # one head
    # with the residual the layers are [[.5, .5], [0, 1]] and [[1, 0], [.5, .5]]; the second one comes from the left
    torch.testing.assert_close(flow, torch.tensor([[0.5, 0.5], [0.25, 0.75]]))


def test_an_ablated_head_is_a_layer_without_its_columns(model, sequence):
    head = Head("temporal", 1, 2)
    with ablated(model, head):
        without = model.predict_sequence(sequence)
    assert not torch.allclose(without, model.predict_sequence(sequence))
    projection = model.temporal.encoder.blocks[1].attn.proj
    with torch.no_grad():
        projection.weight[:, 2 * 34 : 3 * 34] = 0  # 136 channels, 4 heads
    torch.testing.assert_close(model.predict_sequence(sequence), without)


def test_the_model_is_whole_again_even_after_an_error(model, sequence):
    before = model.predict_sequence(sequence)
    with pytest.raises(KeyError), ablated(model, *all_heads(model)):
        raise KeyError
    assert torch.equal(model.predict_sequence(sequence), before)


def test_all_heads_are_listed_once(model):
    heads = all_heads(model)
    assert len(heads) == len(set(heads)) == 2 * 4 + 3 * 4
    assert (str(heads[0]), str(heads[-1])) == ("spatial layer 0 head 0", "temporal layer 2 head 3")


@pytest.mark.parametrize("head", [Head("spatial", 2, 0), Head("temporal", 0, 4), Head("frames", 0, 0)])
def test_a_head_that_is_not_there_is_refused(model, head):
    with (
        pytest.raises(ValueError, match=f"there is no {head}.*last one is temporal layer 2 head 3"),
        ablated(model, head),
    ):
        pass
