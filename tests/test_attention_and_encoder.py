"""Attention by hand and by its properties; blocks, stochastic depth, and the stages' blindness to order."""

import math

import pytest
import torch
import torch.nn.functional as F

from poseformer_lite.model.attention import MultiHeadSelfAttention, attention_weights
from poseformer_lite.model.encoder import EncoderBlock, StochasticDepth, TransformerEncoder
from poseformer_lite.model.poseformer import SpatialTransformer, TemporalTransformer


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_rows_by_hand():
    """Two tokens of two channels: scores 0 and ln 3 after the scale become 1/4 and 3/4."""
    q = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    k = torch.tensor([[[[0.0, 5.0], [math.log(3) * math.sqrt(2), 7.0]]]])
    torch.testing.assert_close(attention_weights(q, k), torch.tensor([[[[0.25, 0.75], [0.5, 0.5]]]]))


@pytest.mark.parametrize(("dim", "heads", "tokens"), [(8, 8, 17), (12, 3, 1), (32, 1, 27), (34, 17, 5)])
def test_rows_sum_to_one_and_asking_for_them_changes_no_bit(dim, heads, tokens):
    attention = MultiHeadSelfAttention(dim, heads).eval()
    x = torch.randn(4, tokens, dim) * 5
    out, rows = attention(x, return_weights=True)
    assert rows.shape == (4, heads, tokens, tokens) and (rows >= 0).all()
    torch.testing.assert_close(rows.sum(-1), torch.ones(4, heads, tokens))
    assert torch.equal(out, attention(x))


def test_output_is_rows_times_values():
    """The rows returned are the ones that made the output, although the output comes from the fused kernel."""
    attention = MultiHeadSelfAttention(12, 3).double()
    x = torch.randn(2, 7, 12, dtype=torch.float64)
    out, rows = attention(x, return_weights=True)
    values = attention.qkv(x)[..., 24:].unflatten(-1, (3, 4)).transpose(1, 2)
    expected = attention.proj((rows @ values).transpose(1, 2).flatten(-2))
    torch.testing.assert_close(out, expected, atol=1e-12, rtol=0)


def test_matches_torch_multi_head_attention():
    ours = MultiHeadSelfAttention(24, 4)
    theirs = torch.nn.MultiheadAttention(24, 4, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.qkv.weight)
        theirs.in_proj_bias.copy_(ours.qkv.bias)
        theirs.out_proj.weight.copy_(ours.proj.weight)
        theirs.out_proj.bias.copy_(ours.proj.bias)
    x = torch.randn(3, 9, 24)
    out, rows = ours(x, return_weights=True)
    expected, expected_rows = theirs(x, x, x, average_attn_weights=False)
    torch.testing.assert_close(out, expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(rows, expected_rows, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("dim", "heads"), [(10, 3), (8, 0), (8, 16)])
def test_heads_must_divide_the_channels(dim, heads):
    with pytest.raises(ValueError, match=f"{dim} channels do not divide into {heads} heads"):
        MultiHeadSelfAttention(dim, heads)


def test_batch_entries_do_not_see_each_other():
    encoder = TransformerEncoder(8, depth=2, num_heads=2).eval()
    x = torch.randn(3, 5, 8)
    changed = x.clone()
    changed[1] += torch.randn(5, 8)
    before, after = encoder(x), encoder(changed)
    assert torch.equal(before[[0, 2]], after[[0, 2]]) and not torch.allclose(before[1], after[1])


def test_block_is_the_two_residuals_of_the_paper():
    block = EncoderBlock(8, 2, mlp_ratio=3.0, drop_path=0.5).eval()
    x = torch.randn(2, 5, 8)
    norm1 = F.layer_norm(x, (8,), block.norm1.weight, block.norm1.bias, eps=1e-6)
    y = x + block.attn(norm1)
    norm2 = F.layer_norm(y, (8,), block.norm2.weight, block.norm2.bias, eps=1e-6)
    expected = y + block.mlp.fc2(F.gelu(block.mlp.fc1(norm2)))
    torch.testing.assert_close(block(x), expected)
    assert block.mlp.fc1.out_features == 24


def test_last_step_of_the_encoder_is_a_layer_norm():
    out = TransformerEncoder(16, depth=1, num_heads=2)(torch.randn(2, 5, 16) * 9 + 4)
    torch.testing.assert_close(out.mean(-1), torch.zeros(2, 5), atol=1e-6, rtol=0)
    torch.testing.assert_close(out.var(-1, correction=0), torch.ones(2, 5), atol=1e-3, rtol=0)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_stochastic_depth_drops_whole_samples_and_keeps_the_mean(rate):
    samples = 20_000
    out = StochasticDepth(rate).train()(torch.ones(samples, 2, 3))
    kept = out[:, 0, 0] != 0
    assert torch.equal(out, out[:, :1, :1].expand_as(out))  # all tokens of a sample share its fate
    torch.testing.assert_close(out[kept], torch.full_like(out[kept], 1 / (1 - rate)))
    five_sigma = 5 * math.sqrt(rate * (1 - rate) / samples)
    assert abs((~kept).float().mean().item() - rate) < five_sigma
    assert abs(out.mean().item() - 1) < five_sigma / (1 - rate)


def test_stochastic_depth_is_off_in_evaluation_and_at_rate_zero():
    x = torch.randn(50, 2, 3)
    assert StochasticDepth(0.9).eval()(x) is x
    assert StochasticDepth(0.0).train()(x) is x


def test_stochastic_depth_in_half_precision_and_double():
    for dtype in (torch.bfloat16, torch.float64):
        assert StochasticDepth(0.5).train()(torch.ones(4, 2, 3, dtype=dtype)).dtype == dtype


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_stochastic_depth_refuses_what_is_no_probability(rate):
    with pytest.raises(ValueError, match="stochastic depth has rate"):
        StochasticDepth(rate)


def test_stochastic_depth_grows_over_the_layers():
    rates = [block.drop_path.rate for block in TransformerEncoder(8, 4, 2, drop_path=0.1).blocks]
    assert rates == pytest.approx([0, 0.1 / 3, 0.2 / 3, 0.1])
    assert [block.drop_path.rate for block in TransformerEncoder(8, 1, 2, drop_path=0.1).blocks] == [0]


def test_training_is_random_and_evaluation_is_not():
    encoder = TransformerEncoder(8, 4, 2, drop_path=0.5)
    x = torch.randn(64, 5, 8)
    assert not torch.equal(encoder.train()(x), encoder(x))
    assert torch.equal(encoder.eval()(x), encoder(x))


@pytest.mark.parametrize("stage", ["spatial", "temporal"])
def test_without_positions_a_stage_cannot_tell_the_order_and_with_them_it_can(stage):
    if stage == "spatial":
        transformer, x = SpatialTransformer(17, 16, 2, 4, 2.0, 0.0).double(), torch.randn(3, 17, 2).double()
    else:
        transformer, x = TemporalTransformer(9, 24, 2, 4, 2.0, 0.0).double(), torch.randn(3, 9, 24).double()
    order = torch.randperm(x.shape[1])
    assert not torch.equal(order, torch.arange(x.shape[1]))
    torch.testing.assert_close(transformer(x[:, order]), transformer(x)[:, order], atol=1e-12, rtol=0)

    torch.nn.init.normal_(transformer.position_embedding)
    assert (transformer(x[:, order]) - transformer(x)[:, order]).abs().max() > 0.1


def test_spatial_stage_sees_one_frame_only():
    transformer = SpatialTransformer(17, 16, 2, 4, 2.0, 0.1).eval()
    frames = torch.randn(9, 17, 2)
    changed = frames.clone()
    changed[3] += 0.5
    before, after = transformer(frames), transformer(changed)
    differs = [not torch.equal(a, b) for a, b in zip(before, after, strict=True)]
    assert differs == [i == 3 for i in range(9)]


def test_spatial_gradient_stays_in_its_frame_and_reaches_every_joint():
    transformer = SpatialTransformer(17, 16, 2, 4, 2.0, 0.1).eval()
    frames = torch.randn(9, 17, 2, requires_grad=True)
    (transformer(frames)[3] ** 3).sum().backward()
    reached = frames.grad.abs().amax(-1)  # (9, 17)
    assert (reached[3] > 0).all()
    assert (reached[[0, 1, 2, 4, 5, 6, 7, 8]] == 0).all()
