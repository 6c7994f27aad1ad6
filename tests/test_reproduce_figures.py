"""The paper's figures: what is drawn is what the networks and the results say."""

import re
from dataclasses import replace
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from helpers_data import tiny_dataset

from poseformer_course.costs import count_macs
from poseformer_course.prior_work import JointTokenTransformer
from poseformer_course.reproduce import Laboratory, Source, figures_trained, reproduce_in
from poseformer_course.reproduce.figures import FIGURES
from poseformer_course.reproduce.figures_networks import attention_shapes
from poseformer_course.reproduce.figures_trained import _with_faults
from poseformer_course.reproduce.scales import SCALES
from poseformer_lite.model import PoseFormer, TemporalTransformerBaseline
from poseformer_lite.skeleton import H36M17

SCALE = replace(
    SCALES["quick"],
    name="tiny",
    base={"num_frames": 9, "spatial_dim": 4, "spatial_depth": 2, "temporal_depth": 1, "num_heads": 2, "drop_path": 0.0},
    settings=replace(SCALES["quick"].settings, windows_per_epoch=16, batch_size=8, validation=0.0),
    seeds=(0, 1),
    test_frames=60,
)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    data = tiny_dataset(actions=("Walking 1", "WalkDog"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("poseformer_course.reproduce.sources._load", lambda name, root, keypoints: data)
        yield Laboratory(SCALE, Source(), tmp_path_factory.mktemp("runs"), progress=False)
    plt.close("all")


@pytest.fixture(scope="module")
def drawn(laboratory, tmp_path_factory):
    """Each figure by its name, drawn once and written."""
    return cache(lambda name: reproduce_in(laboratory, name, tmp_path_factory.mktemp(name)))


def test_there_are_eleven():
    assert list(FIGURES) == [f"fig{number}" for number in range(1, 12)]


@pytest.mark.parametrize("name", FIGURES)
def test_each_is_drawn_and_says_what_it_shows(drawn, name):
    made = drawn(name)
    assert made.caption.startswith(f"Fig. {name[3:]}") and 150 < len(made.caption) < 1000
    assert "nan" not in made.caption
    words, picture = made.files
    assert made.caption in words.read_text() and picture.stat().st_size > 10_000


def test_attention_shapes_by_hand():
    joints, frames, dim = 17, 9, 4
    assert attention_shapes(TemporalTransformerBaseline.sized_like(SCALE.base)) == [(1, frames, joints * dim)]
    assert attention_shapes(JointTokenTransformer.sized_like(SCALE.base)) == [(1, frames * joints, dim)] * 3
    assert attention_shapes(PoseFormer(**SCALE.base)) == [(frames, joints, dim)] * 2 + [(1, frames, joints * dim)]


def test_figure_1_counts_what_is_counted(drawn):
    figure, caption = drawn("fig1").figure, drawn("fig1").caption
    for ax, network in zip(figure.axes, (TemporalTransformerBaseline, JointTokenTransformer, PoseFormer), strict=True):
        cost = count_macs(network.sized_like(SCALE.base))
        assert f"{cost.products:,} MACs in them" in ax.get_xlabel() and f"{cost.products:,}" in caption
    assert "153 tokens of 4" in figure.axes[1].get_title()


def test_figure_2_has_the_shapes_of_a_live_network(drawn):
    figure = drawn("fig2").figure
    texts = [text.get_text() for text in figure.axes[1].texts]
    for shape in ("1 × 9 × 17 × 2", "9 × 17 × 4", "1 × 9 × 68", "1 × 51"):
        assert shape in texts
    model = PoseFormer(**SCALE.base)
    boxes = [int(text.removesuffix(" weights").replace(",", "")) for text in texts if text.endswith(" weights")]
    assert sum(boxes) == model.num_parameters()


def test_figure_3_has_the_means_over_seeds(laboratory, drawn):
    figure, caption = drawn("fig3").figure, drawn("fig3").caption
    results = [laboratory.result(figures_trained._trial(laboratory, "PoseFormer", s))["per joint"] for s in (0, 1)]
    means = {joint: np.mean([row[joint] for row in results]) for joint in results[0]}
    worst = max(means, key=means.get)
    assert f"Its worst joint is {worst}, {means[worst]:.0f} mm" in caption
    heights = [bar.get_height() for bar in figure.axes[0].containers[-1]]
    assert heights[0] == pytest.approx(means[worst])


def test_attention_figures_sum_to_one_along_the_keys(drawn):
    figure = drawn("fig5").figure
    shown = figure.axes[0].images[0].get_array()
    assert shown.shape == (17, 17) and shown.min() == 0 and shown.max() == pytest.approx(1)
    assert figure.get_supxlabel() == "looking (query)"


def test_figure_11_spoils_only_what_it_says():
    keypoints = np.random.default_rng(1).uniform(0, 1000, (5, 17, 2)).astype(np.float32)
    kept = keypoints.copy()
    faults = _with_faults(keypoints)
    assert np.array_equal(keypoints, kept)
    changed = {
        name: {H36M17.joints[j] for j in np.flatnonzero((moved != keypoints).any(axis=(0, 2)))}
        for name, moved in faults.items()
    }
    assert changed["as detected"] == set()
    assert changed["right arm thrown off"] == {"RShoulder", "RElbow", "RWrist"}
    assert changed["right leg found at the hip"] == {"RHip", "RKnee", "RFoot"}
    assert len(changed["left and right exchanged"]) == 12


def test_errors_in_titles_are_those_of_the_poses(drawn):
    figure, caption = drawn("fig4").figure, drawn("fig4").caption
    titles = [ax.get_title() for ax in figure.axes]
    shown = [float(re.search(r"PoseFormer: (\d+) mm", title)[1]) for title in titles if title.startswith("PoseFormer")]
    assert len(shown) == 3
    assert float(re.search(r"PoseFormer (\d+) mm", caption)[1]) == pytest.approx(np.mean(shown), abs=1.01)


def test_trained_networks_are_needed(tmp_path):
    stored = Laboratory(SCALES["lite"], Source(), stored=True)
    with pytest.raises(ValueError, match="stored results have no weights"):
        stored.model(figures_trained._trial(stored, "PoseFormer", 0))
    assert torch.is_grad_enabled()
