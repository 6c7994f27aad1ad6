"""Attention maps are the rows the network uses, and an ablated head is really gone and really back."""

import inspect
import json
from importlib import resources

import numpy as np
import pytest
import torch
from scipy.special import ndtr, softmax

import poseformer_lite as pfl
from poseformer_course.heads import ablated, all_heads, attention_rollout, figure_maps, head_ablation, joints_hidden
from poseformer_course.plots import plot_heads
from poseformer_course.prior_work import NETWORKS
from poseformer_lite.datasets import PoseSequence
from poseformer_lite.model import MeanPose
from poseformer_lite.model.heads import AttentionMaps, Head, attention_maps, encoders

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


def rows_by_numpy(encoder, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every layer's softmax rows, recomputed in float64 from its q and k, and what the encoder gives at the end.

    (B, N, C) -> (B, L, H, N, N), (B, N, C).
    """

    def linear(layer, x):
        return x @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()

    def norm(layer, x):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + layer.eps)
        return x * layer.weight.detach().double().numpy() + layer.bias.detach().double().numpy()

    layers = []
    for block in encoder.blocks:
        wide = linear(block.attn.qkv, norm(block.norm1, tokens))
        q, k, v = np.split(wide, 3, axis=-1)
        width = block.attn.head_dim
        outputs, heads = [], []
        for start in range(0, q.shape[-1], width):  # head by head, as Eq. 5 has it
            own = slice(start, start + width)
            rows = softmax(np.einsum("bid,bjd->bij", q[..., own], k[..., own]) / np.sqrt(width), axis=-1)
            heads.append(rows)
            outputs.append(rows @ v[..., own])
        layers.append(np.stack(heads, axis=1))
        tokens = tokens + linear(block.attn.proj, np.concatenate(outputs, axis=-1))
        hidden = linear(block.mlp.fc1, norm(block.norm2, tokens))
        tokens = tokens + linear(block.mlp.fc2, hidden * ndtr(hidden))
    return np.stack(layers, axis=1), norm(encoder.norm, tokens)


def test_every_layer_of_both_stages_is_the_softmax_of_its_own_queries_and_keys(model, sequence):
    maps = attention_maps(model, sequence)
    embed = model.spatial.patch_embedding
    tokens = sequence.double().numpy() @ embed.weight.detach().double().numpy().T + embed.bias.detach().double().numpy()
    tokens = tokens + model.spatial.position_embedding.detach().double().numpy()
    spatial, encoded = rows_by_numpy(model.spatial.encoder, tokens)
    np.testing.assert_allclose(maps.spatial, spatial, atol=1e-5)

    index = np.clip(np.arange(7)[:, None] + np.arange(5) - 2, 0, 6)
    windows = encoded.reshape(7, -1)[index] + model.temporal.position_embedding.detach().double().numpy()
    np.testing.assert_allclose(maps.temporal, rows_by_numpy(model.temporal.encoder, windows)[0], atol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_looking_changes_no_bit_and_leaves_the_mode(model, sequence, training):
    windows = sequence[None, :5]
    model.eval()
    before = model(windows)
    model.train(training)
    attention_maps(model, sequence)
    assert model.training is training
    model.eval()
    assert torch.equal(model(windows), before)


def test_permuted_joints_with_permuted_positions_permute_the_spatial_maps(model, sequence):
    order = torch.randperm(17, generator=torch.Generator().manual_seed(2))
    expected = attention_maps(model, sequence).spatial[..., order, :][..., order]
    with torch.no_grad():
        model.spatial.position_embedding.copy_(model.spatial.position_embedding[:, order])
    torch.testing.assert_close(attention_maps(model, sequence[:, order]).spatial, expected)


def test_windows_of_a_sequence_give_the_maps_of_the_sequence(model, sequence):
    index = torch.arange(7)[:, None] + torch.arange(5) - 2
    windows = sequence[index.clamp(0, 6)]
    maps, of_windows = attention_maps(model, sequence), attention_maps(model, windows, batch_size=2)
    torch.testing.assert_close(of_windows.temporal, maps.temporal)
    torch.testing.assert_close(of_windows.spatial.unflatten(0, (7, 5))[:, 2], maps.spatial)


def test_the_baseline_has_temporal_maps_only(sequence):
    model = pfl.TemporalTransformerBaseline.sized_like(SIZES)
    maps = attention_maps(model, sequence)
    assert maps.spatial is None
    assert maps.temporal.shape == (7, 3, 4, 5, 5)
    assert model.training  # as it was


def test_attention_maps_is_a_plain_function_with_a_signature_that_editors_show():
    assert pfl.attention_maps is attention_maps
    assert list(inspect.signature(pfl.attention_maps).parameters) == ["model", "poses_2d", "batch_size"]


def weights_by_hand(encoder, x):
    """The attention weights of each layer, the layers run one by one: (B, N, C) -> (B, L, H, N, N)."""
    layers = []
    for block in encoder.blocks:
        layers.append(block.attn(block.norm1(x), return_weights=True)[1])
        x = block(x)
    return torch.stack(layers, dim=1)


@pytest.mark.parametrize("network", ["PoseFormer", "TemporalTransformerBaseline", "JointTokenTransformer"])
@torch.no_grad()
def test_every_network_with_attention_gives_the_weights_of_its_layers_to_the_bit(network):
    model = NETWORKS[network].sized_like(SIZES).eval()
    windows = torch.randn(3, 5, 17, 2)
    tokens = model.embed_frames(windows.flatten(0, 1))
    maps = pfl.attention_maps(model, windows)
    frames = tokens.unflatten(0, (3, 5))
    if network == "PoseFormer":
        embedded = model.spatial.patch_embedding(windows.flatten(0, 1)) + model.spatial.position_embedding
        assert torch.equal(maps.spatial, weights_by_hand(model.spatial.encoder, embedded))
        into, encoder = frames + model.temporal.position_embedding, model.temporal.encoder
    elif network == "TemporalTransformerBaseline":
        into, encoder = frames + model.position_embedding, model.encoder
    else:
        into = (frames.unflatten(-1, (17, -1)) + model.frame_positions).flatten(1, 2)
        encoder = model.encoder
    assert network == "PoseFormer" or maps.spatial is None
    assert torch.equal(maps.temporal, weights_by_hand(encoder, into))


@pytest.mark.parametrize("shape", [(7, 16, 2), (2, 4, 17, 2), (17, 2), (7, 17, 3), (0, 17, 2), (1, 1, 5, 17, 2)])
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


def test_rollout_of_two_layers_of_three_tokens_by_hand():
    """One head. With the residual, (A + I) / 2, the first layer is [[1, 0, 0], [.5, .5, 0], [0, .25, .75]] and the
    second one [[.5, 0, .5], [0, 1, 0], [.25, .25, .5]]. Second times first, row by row:
    token 0: .5 (1, 0, 0) + .5 (0, .25, .75) = (.5, .125, .375)
    token 1: (.5, .5, 0)
    token 2: .25 (1, 0, 0) + .25 (.5, .5, 0) + .5 (0, .25, .75) = (.375, .25, .375)
    """
    first = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]])
    second = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])
    expected = torch.tensor([[0.5, 0.125, 0.375], [0.5, 0.5, 0.0], [0.375, 0.25, 0.375]])
    torch.testing.assert_close(attention_rollout(torch.stack([first, second])[:, None]), expected)


def test_rollout_averages_the_heads_first():
    a, b = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    two_heads = torch.stack([a, b])[None]  # (1, 2, 2, 2): their mean is [[.5, .5], [.5, .5]]
    torch.testing.assert_close(attention_rollout(two_heads), torch.tensor([[0.75, 0.25], [0.25, 0.75]]))


# Figures 5 to 8


@pytest.fixture
def maps():
    rows = torch.rand(6, 2, 3, 5, 5, generator=torch.Generator().manual_seed(3)).softmax(dim=-1)
    return AttentionMaps(None, rows)


def test_a_figure_is_the_mean_over_frames_of_the_last_layer_each_head_from_0_to_1(maps):
    mean = maps.temporal.numpy()[:, 1].mean(0)
    expected = [(head - head.min()) / (head.max() - head.min()) for head in mean]
    np.testing.assert_allclose(figure_maps(maps, "temporal"), expected, atol=1e-6)
    together = (mean - mean.min()) / (mean.max() - mean.min())
    np.testing.assert_allclose(figure_maps(maps, "temporal", scale="layer"), together, atol=1e-6)


def test_a_figure_of_other_layers_and_frames_and_of_the_weights(maps):
    weights = figure_maps(maps, "temporal", layer=0, frames=[1, 4], scale="none")
    torch.testing.assert_close(weights, (maps.temporal[1, 0] + maps.temporal[4, 0]) / 2)
    for last in (5, -1, [5], range(5, 6)):
        torch.testing.assert_close(figure_maps(maps, "temporal", frames=last, scale="none"), maps.temporal[5, 1])
    some = figure_maps(maps, "temporal", frames=slice(0, 3), scale="none")
    torch.testing.assert_close(some, maps.temporal[:3, 1].mean(0))
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 5))


def test_a_head_that_looks_everywhere_alike_has_no_contrast_to_draw():
    assert figure_maps(AttentionMaps(None, torch.full((2, 1, 1, 3, 3), 1 / 3)), "temporal").abs().max() == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stage": "spatial"}, "no maps of a stage 'spatial'"),
        ({"stage": "joints"}, "no maps of a stage 'joints'"),
        ({"layer": 2}, "no temporal layer 2: they are 0 to 1"),
        ({"scale": "row"}, "choose head, layer or none"),
        ({"frames": slice(6, 9)}, "one or more of the 6 frames"),
        ({"frames": []}, "one or more of the 6 frames"),
        ({"frames": 6}, "frames=6: give one or more of the 6 frames"),
        ({"frames": [0, -7]}, "counted from 0, or None for all"),
    ],
)
def test_figures_that_cannot_be_drawn(maps, arguments, message):
    with pytest.raises(ValueError, match=message):
        figure_maps(maps, **{"stage": "temporal"} | arguments)


@pytest.mark.parametrize("queries_across", [True, False])
def test_heads_are_drawn_side_by_side_with_one_scale(maps, queries_across):
    import matplotlib.pyplot as plt

    rows = figure_maps(maps, "temporal", scale="none")
    figure = plot_heads(rows, list("abcde"), title="Figure 6", queries_across=queries_across, columns=2)
    figure.canvas.draw()
    images = [ax.images[0] for ax in figure.axes[:3]]
    for image, head in zip(images, rows.numpy(), strict=True):
        np.testing.assert_array_equal(image.get_array(), head.T if queries_across else head)
        assert image.get_clim() == (0, rows.max())
    assert len(figure.axes) == 5  # two by two, one of them empty, and the colour bar
    across, down = figure.get_supxlabel(), figure.get_supylabel()
    assert ("query" in across, "query" in down) == (queries_across, not queries_across)
    assert [label.get_text() for label in figure.axes[2].get_xticklabels()] == list("abcde")
    plt.close(figure)


# Without a head


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


@pytest.mark.parametrize("head", [Head("spatial", 0, 1), Head("temporal", 2, 3)])
def test_uniform_rows_hand_on_the_mean_of_the_values(model, sequence, head):
    attention = encoders(model)[head.stage].blocks[head.layer].attn
    own = slice(head.head * attention.head_dim, (head.head + 1) * attention.head_dim)
    x = torch.randn(2, 9, attention.proj.in_features, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        whole = attention(x)
        _, _, v = attention.qkv(x).chunk(3, dim=-1)
        q, k, _ = attention.qkv(x).view(2, 9, 3, 4, -1).permute(2, 0, 3, 1, 4)
        rows = (q @ k.mT * attention.head_dim**-0.5).softmax(dim=-1)[:, head.head]  # (B, N, N)
        for instead, row in (("uniform", torch.full((2, 1, 9), 1 / 9)), ("mean", rows.mean(dim=1, keepdim=True))):
            change = (row - rows) @ v[..., own] @ attention.proj.weight[:, own].T
            with ablated(model, head, instead=instead):
                torch.testing.assert_close(attention(x), whole + change)
        assert torch.equal(attention(x), whole)


def test_uniform_rows_are_seen_in_the_maps(model, sequence):
    with ablated(model, Head("temporal", 1, 2), instead="uniform"):
        rows = attention_maps(model, sequence).temporal
    torch.testing.assert_close(rows[:, 1, 2], torch.full((7, 5, 5), 0.2))
    assert not torch.allclose(rows[:, 1, 1], torch.tensor(0.2))


def test_another_replacement_is_refused(model):
    with (
        pytest.raises(ValueError, match="'noise': choose zero, uniform or mean"),
        ablated(model, Head("spatial", 0, 0), instead="noise"),
    ):
        pass


# With a joint hidden


def test_nothing_of_a_hidden_joint_reaches_the_network_but_which_it_is(model, sequence):
    moved = sequence.clone()
    moved[:, 16] += 0.3
    whole = model.predict_sequence(sequence)
    with joints_hidden(model, 16, 3):
        less = model.predict_sequence(sequence)
        assert torch.equal(less, model.predict_sequence(moved))
        rows = attention_maps(model, sequence).spatial[:, 0]  # (T, H, J, J)
        assert (rows[:, :, 16] - rows[:, :, 15]).abs().max() > 1e-3, "its token is told from others by its position"
    assert not torch.allclose(less, whole)
    assert torch.equal(model.predict_sequence(sequence), whole)


def test_joints_are_drawn_in_training_alone(model, sequence):
    asked = []

    def drawn(tokens):
        asked.append(tuple(tokens.shape))
        return torch.arange(17).expand(len(tokens), -1) == 5

    windows = sequence[None, :5]  # (B, F, J, 2)
    moved = windows.clone()
    moved[:, :, 5] += 0.3
    with joints_hidden(model, drawn=drawn), torch.no_grad():
        assert not torch.equal(model(windows), model(moved)) and not asked
        model.train()
        assert torch.equal(model(windows), model(moved))
    assert set(asked) == {(5, 17, 8)}


def test_what_cannot_be_hidden_is_refused(model):
    with pytest.raises(ValueError, match="no joint 17: they are 0 to 16"), joints_hidden(model, 17):
        pass
    with pytest.raises(ValueError, match="MeanPose has no tokens of joints"), joints_hidden(MeanPose(), 0):
        pass


@pytest.fixture
def pairs(sequence):
    generator = torch.Generator().manual_seed(5)
    return [(sequence[:frames], torch.randn(frames, 17, 3, generator=generator)) for frames in (7, 4)]


def test_nothing_taken_away_is_exactly_the_whole_network(model, pairs):
    nothing = head_ablation(model, pairs, [()], progress=False)
    assert torch.equal(nothing.without[0], nothing.baseline)
    assert nothing.change.tolist() == [0.0]
    by_hand = [1000 * pfl.metrics.mpjpe(model.predict_sequence(x), y).item() for x, y in pairs]
    assert nothing.baseline.tolist() == pytest.approx(by_hand)
    assert nothing.error == pytest.approx((7 * by_hand[0] + 4 * by_hand[1]) / 11)


def test_the_change_of_a_head_is_that_of_its_slice_of_the_projection_zeroed(model, pairs):
    result = head_ablation(model, pairs, progress=False)
    assert result.heads == all_heads(model) and result.without.shape == (20, 2) and result.change.shape == (20,)
    with torch.no_grad():
        model.spatial.encoder.blocks[1].attn.proj.weight[:, 2:4] = 0  # 8 channels, 4 heads: head 1
    changed = head_ablation(model, pairs, [()], progress=False)
    assert result.change[5].item() == pytest.approx(changed.error - result.error, abs=1e-3)
    assert result.change[5].abs() > 0.1


def test_heads_are_taken_away_together(model, pairs):
    layer = tuple(head for head in all_heads(model) if (head.stage, head.layer) == ("temporal", 0))
    result = head_ablation(model, pairs, [layer[0], layer], progress=False)
    with torch.no_grad():
        model.temporal.encoder.blocks[0].attn.proj.weight.zero_()
    torch.testing.assert_close(result.without[1], head_ablation(model, pairs, [()], progress=False).baseline)


def test_sequences_of_a_dataset_are_taken_as_they_are(model):
    random = np.random.default_rng(6)
    keypoints, poses = random.uniform(0, 900, (6, 17, 2)), random.normal(size=(6, 17, 3))
    one = PoseSequence("S9", "Walking", "0", keypoints.astype("float32"), poses.astype("float32"), 1000, 1000)
    pair = torch.from_numpy(one.poses_2d()), torch.from_numpy(one.root_relative(0))
    head = [Head("spatial", 0, 0)]
    of_sequence, of_pair = (head_ablation(model, [given], head, progress=False) for given in (one, pair))
    assert torch.equal(of_sequence.without, of_pair.without)


def test_a_network_in_double_precision_takes_the_same_sequences(model, pairs):
    head = [Head("temporal", 0, 1)]
    single, double = (head_ablation(network, pairs, head, progress=False) for network in (model, model.double()))
    torch.testing.assert_close(double.without, single.without, rtol=0, atol=0.01)


@pytest.mark.parametrize(("count", "heads"), [(0, None), (1, [])])
def test_nothing_to_measure(model, pairs, count, heads):
    with pytest.raises(ValueError, match=f"nothing to measure: {count} sequences"):
        head_ablation(model, pairs[:count], heads, progress=False)


@pytest.mark.parametrize("name", ["lite", "course-poseformer"])
def test_the_record_is_of_every_head_of_the_shipped_networks(name):
    """What benchmarks/head_ablation.py wrote, and lesson 08 shows."""
    record = json.loads(resources.files("poseformer_course").joinpath("results/head_ablation.json").read_text())
    heads = all_heads(pfl.PoseFormer.from_pretrained(name))
    for study in record["networks"][name].values():
        assert [Head(row["stage"], row["layer"], row["head"]) for row in study["heads"]] == heads
        for row in study["heads"]:
            low, high = row["zero: 95 %"]
            assert low <= row["zero: rise in mm"] <= high
            assert 1 <= row["tokens looked at"] <= (17 if row["stage"] == "spatial" else 9)
        assert sum(study["frames of the window"]["rollout"]) == pytest.approx(1, abs=0.01)
