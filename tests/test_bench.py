"""The benchmarks measure what they say: the reference gives our poses, ratios are of one round, and JSON is written."""

import json
import sys
import textwrap

import pytest
import torch
from helpers_data import small_model, tiny_dataset
from typer.testing import CliRunner

from poseformer_course import bench
from poseformer_course.bench import forward, steps
from poseformer_course.bench.reference import official_network, plain_forward, plain_lift
from poseformer_course.bench.timing import products, rounds_of, times_as_fast
from poseformer_lite.cli import app
from poseformer_lite.datasets.windows import Windows

RELEASED = """
    import torch
    from timm.models.layers import DropPath
    from timm.models.registry import register_model
    class PoseTransformer(torch.nn.Module):
        '''Holds the weights under the released names, as far as a test needs them.'''
        def __init__(self, **arguments):
            super().__init__()
            self.arguments = arguments
            self.bias = torch.nn.Parameter(torch.zeros(()))
        def load_state_dict(self, weights, strict):
            assert strict and "Spatial_patch_to_embedding.weight" in weights
            self.weights = weights
        def forward(self, windows):
            return self.bias.expand(len(windows), 1, 17, 3)
"""


@pytest.fixture
def small_sizes(monkeypatch):
    sizes = {"spatial_dim": 8, "spatial_depth": 1, "temporal_depth": 1, "num_heads": 2}
    monkeypatch.setattr(forward, "SIZES", [("small", 3, sizes)])
    monkeypatch.setattr(steps, "SIZES", [("small", 3, 16, sizes)])


def test_the_plain_reference_gives_our_poses():
    model = small_model(num_frames=9).eval()
    poses_2d = torch.randn(20, 17, 2)
    with torch.no_grad():
        torch.testing.assert_close(plain_forward(model, poses_2d[None, :9]), model(poses_2d[None, :9]))
        for batch_size in (None, 7):
            lifted = plain_lift(model, poses_2d, batch_size)
            torch.testing.assert_close(lifted, model.predict_sequence(poses_2d), atol=1e-5, rtol=1e-5)


def test_a_loop_over_samples_gives_the_windows_of_the_index():
    data = tiny_dataset()
    windows = Windows(data.train(), 9, data.skeleton, flip=True)
    index = torch.randperm(len(windows))[:50]
    arrays = [(sequence.poses_2d(), sequence.root_relative(data.skeleton.root)) for sequence in data.train()]
    for looped, gathered in zip(
        steps._sample_by_sample(arrays, index, 9, data.skeleton, "cpu"), windows.gather(index), strict=True
    ):
        torch.testing.assert_close(looped, gathered, atol=1e-5, rtol=1e-5)


def test_everything_has_its_turn_in_each_round():
    order = []
    times = rounds_of({name: lambda name=name: order.append(name) for name in "ab"}, 3, "", progress=False)
    assert order == ["a", "b"] * 4 and all(len(taken) == 3 for taken in times.values())
    assert times_as_fast([2.0, 4.0, 9.0], [1.0, 1.0, 3.0]) == [3.0, 2.0, 4.0]


def test_the_products_are_those_of_the_temporal_stage(monkeypatch):
    """Their operations are what count_macs counts for the weights of the temporal stage, up to its head."""
    model = small_model(num_frames=9)
    macs = []
    monkeypatch.setattr(forward, "products", lambda shapes, *rest: macs.append(sum(n * k * m for n, k, m in shapes)))
    forward._temporal_products(model, 1000, "cpu", torch.float32)
    D = 17 * 8
    assert macs == [1000 * 9 * 8 * D**2]
    assert products([(3, 4, 5)], "cpu", torch.float32)() is None


@pytest.mark.parametrize("question", ["inference", "latency", "training", "pipeline"])
def test_a_question_is_answered_for_each_size(question, small_sizes):
    (row,) = bench.measure(question, quick=True, progress=False)
    assert row["size"] == "small" and row["num_frames"] == 3
    assert any("times as fast" in name for name in row)
    assert len(bench.as_lines([row])) == sum(isinstance(value, dict | list) for value in row.values()) + 1


def test_the_cost_is_drawn():
    rows = [
        {"over": name, "F": 27, "J": 17, "T": 64, "batch": 16, name: value, "ms a frame": 0.1 * value}
        for name in ("F", "J", "T", "batch")
        for value in (4, 16)
    ]
    assert [len(ax.lines[0].get_xdata()) for ax in bench.plot_cost(rows).axes] == [2, 2, 2, 2]


def test_an_unknown_question_is_refused_by_name():
    with pytest.raises(ValueError, match="no question 'speed': choose of inference, latency"):
        bench.measure("speed")


def test_the_command_writes_json_with_the_machine(tmp_path, small_sizes):
    done = CliRunner().invoke(app, ["bench", "latency", "--quick", "--json", str(tmp_path)], catch_exceptions=False)
    assert done.exit_code == 0 and "times as fast as: plain window" in done.output
    written = json.loads((tmp_path / "latency.json").read_text())
    assert {"command", "date", "machine", "latency"} == set(written)


def test_released_code_is_run_from_a_clone_with_our_weights(tmp_path, small_sizes):
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "model_poseformer.py").write_text(textwrap.dedent(RELEASED))
    network = official_network(tmp_path, small_model())
    assert network.arguments["num_frame"] == 3 and network.arguments["embed_dim_ratio"] == 8
    (row,) = bench.measure("inference", quick=True, official=tmp_path, progress=False)
    assert row["largest difference in m"]["released code"] > 0.001  # it gives zeros
    assert "released code" in row["frames per second"]
    (row,) = bench.measure("training", quick=True, official=tmp_path, progress=False)
    assert "released code" in row["windows per second"]
    assert not any(name.startswith("timm") for name in sys.modules)


def test_half_precision_is_measured_where_the_processor_has_it(small_sizes, monkeypatch):
    for ratio, there in ((1.0, False), (8.0, True)):
        monkeypatch.setattr(forward, "bfloat16_speed", lambda ratio=ratio: ratio)
        monkeypatch.setattr(steps, "bfloat16_speed", lambda ratio=ratio: ratio)
        (lifting,), (training,) = (bench.measure(q, quick=True, progress=False) for q in ("inference", "training"))
        assert ("ours, bf16" in lifting["frames per second"]) is there
        assert ("ours, bf16" in training["windows per second"]) is there


def test_a_folder_that_is_no_clone_and_a_clone_that_cannot_run_are_named(tmp_path):
    with pytest.raises(ValueError, match="has no common/model_poseformer.py"):
        official_network(tmp_path, small_model())
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "model_poseformer.py").write_text("import not_installed_here")
    with pytest.raises(ValueError, match="pip install einops"):
        official_network(tmp_path, small_model())
