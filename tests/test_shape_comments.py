"""The shape comments of the package are true, and the tracer that says so can see a wrong one."""

import linecache
from pathlib import Path

import pytest
import torch
from helpers_data import tiny_dataset
from shape_comments import ShapeTracer, fits, shape_comments

import poseformer_lite as pfl
from poseformer_course.heads import ablated, all_heads, attention_rollout, figure_maps
from poseformer_course.prior_work import NETWORKS
from poseformer_lite.datasets.windows import Windows
from poseformer_lite.evaluation import evaluate
from poseformer_lite.model import MeanPose
from poseformer_lite.model.heads import attention_maps

ROOT = Path(pfl.__file__).parent.parent
TRACED = ["poseformer_lite/datasets/windows.py", "poseformer_course/prior_work.py"]
TRACED += [
    f"poseformer_lite/model/{name}.py" for name in ("attention", "encoder", "poseformer", "base", "baselines", "heads")
]


def run_everything():
    """Every forward pass of the package, with B, F, J, C and H all different."""
    sizes = {"num_frames": 5, "spatial_dim": 8, "spatial_depth": 2, "temporal_depth": 2, "num_heads": 4}
    poses_2d = torch.randn(3, 5, 17, 2)
    model = pfl.PoseFormer(**sizes)
    for network in (model.train(), pfl.TemporalTransformerBaseline.sized_like(sizes).train(), MeanPose(5)):
        network(poses_2d)
        network.predict_sequence(poses_2d[0])
    for name in NETWORKS.keys() - {"PoseFormer", "MeanPose"}:
        network = NETWORKS[name].sized_like({**sizes, "num_frames": 9}).train()
        network(torch.randn(3, network.num_frames, 17, 2))
        network.predict_sequence(poses_2d[0])
    model.predict_sequence(torch.randn(6, 17, 2), stride=3)
    maps = attention_maps(model, poses_2d[0])
    attention_rollout(maps.temporal)
    figure_maps(maps, "spatial")
    for instead in ("zero", "uniform"):
        with ablated(model, *all_heads(model), instead=instead):
            attention_maps(model, poses_2d)
    data = tiny_dataset()
    Windows(data.train(), 5, data.skeleton, flip=True).gather(torch.arange(0, 700, 100))
    evaluate(model, data, progress=False)


@pytest.fixture(scope="module")
def traced():
    tracer = ShapeTracer(lambda name: name in {str(ROOT / file) for file in TRACED})
    with tracer.watching():
        run_everything()
    return tracer


def test_the_package_says_the_shapes_it_has(traced):
    assert traced.wrong == []


@pytest.mark.parametrize("file", TRACED)
def test_every_shape_comment_of_the_package_was_checked(traced, file):
    path = ROOT / file
    checked = {line for name, line in traced.checked if name == str(path)}
    assert [c for c in shape_comments(path.read_text()) if c.line not in checked] == []


def test_the_package_has_shape_comments():
    assert sum(len(shape_comments((ROOT / file).read_text())) for file in TRACED) >= 20


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(B, N, C)", "(B, C, N)"),
        ("(B, N, C), Eq. 6", "(B, N, 3*C), Eq. 6"),
        ("each (B, N, C)", "each (N, C)"),
        ("(..., N, C)", "(..., C, N)"),
        ("(2, 3, 4), as above", "(2, 3), (2, 3, 4)"),
    ],
)
def test_a_wrong_comment_is_seen(tmp_path, right, wrong):
    path = tmp_path / "layers.py"

    def faults(comment: str) -> list[str]:
        path.write_text(f"def forward(x):\n    B, N, C = x.shape\n    y = x * 2  # {comment}\n    return y\n")
        names = {}
        exec(compile(path.read_text(), str(path), "exec"), names)
        linecache.checkcache(str(path))
        tracer = ShapeTracer(lambda name: name == str(path))
        with tracer.watching():
            names["forward"](torch.zeros(2, 3, 4))
        assert len(tracer.checked) == 1
        return tracer.wrong

    assert faults(right) == []
    assert len(faults(wrong)) == 1


def test_a_return_and_a_loop_are_seen(tmp_path):
    path = tmp_path / "loop.py"
    path.write_text(
        "def forward(x):\n    for _ in range(2):\n        x = x[..., None]  # (2, 3, 4)\n"
        "    return x.sum(\n        dim=0\n    )  # (3, 1, 1)\n"
    )
    names = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    tracer = ShapeTracer(lambda name: name == str(path))
    with tracer.watching():
        names["forward"](torch.zeros(2, 3))
    assert len(tracer.wrong) == 2  # both rounds of the loop; the return is right
    assert {line for _, line in tracer.checked} == {3, 6}


def test_letters_keep_their_size_and_products_are_computed():
    sizes = {}
    assert fits(("B", "H", "N", "C/H"), (2, 4, 9, 3), sizes, {"C": 12})
    assert sizes == {"B": 2, "H": 4, "N": 9, "C": 12}
    assert not fits(("B", "N", "C"), (2, 8, 12), sizes, {})
    assert fits(("J*C",), (204,), {"J": 17, "C": 12}, {})


def test_words_in_parentheses_are_no_shapes():
    assert shape_comments("x = 1  # (as in the paper, roughly)\ny = 2  # see (B, N)\n") == []
