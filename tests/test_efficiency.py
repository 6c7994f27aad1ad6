"""What saves time changes no pose: strides, looking ahead, streams and compiled kernels."""

import shutil

import pytest
import torch
from helpers_data import small_model, tiny_dataset

from poseformer_course.prior_work import TemporalConvolution
from poseformer_lite.lifting.live import LiveStream
from poseformer_lite.model import TemporalTransformerBaseline
from poseformer_lite.training.loop import train

CLOSE = {"atol": 1e-5, "rtol": 1e-5}


@pytest.fixture(scope="module")
def tiny():
    return tiny_dataset()


@pytest.fixture(params=["PoseFormer", "TemporalTransformerBaseline"])
def model(request):
    torch.manual_seed(0)
    made = small_model(num_frames=9) if request.param == "PoseFormer" else TemporalTransformerBaseline(9, dim=32)
    return made.eval()


def test_the_start_is_prepared_once_and_not_again_by_a_run_that_goes_on(tiny, tmp_path):
    quick = {"batch_size": 64, "windows_per_epoch": 64, "validation": 0.0, "progress": False, "learning_rate": 1e-12}
    model = small_model()
    before = model.spatial.patch_embedding.weight.detach().clone()
    for _ in range(2):
        train(model, tiny, epochs=1, output=tmp_path, start="prepared", **quick)
        torch.testing.assert_close(model.spatial.patch_embedding.weight, 4 * before, **CLOSE)
        assert model.head.weighted_mean.weight.flatten().tolist() == pytest.approx([1 / 3] * 3)


def test_only_a_poseformer_has_a_start_to_prepare(tiny):
    baseline = TemporalTransformerBaseline(3, dim=32)
    with pytest.raises(ValueError, match="about a PoseFormer, and this is a TemporalTransformerBaseline"):
        train(baseline, tiny, start="prepared", progress=False)


def test_weights_that_begin_negative_stand_in_the_way_of_every_frame_and_a_prepared_start_does_not(tiny):
    """What made this setting: LayerNorm of the weighted sum is then the opposite of a frame's own."""
    changes = {"epochs": 12, "batch_size": 64, "learning_rate": 3e-3, "warmup_steps": 0, "validation": 0.0}
    reached = {}
    for start in ("given", "prepared"):
        model = small_model(drop_path=0.0)
        model.head.weighted_mean.weight.data.fill_(-1 / 3)
        run = train(model, tiny, **changes, supervise="every", start=start, progress=False)
        reached[start] = run.history[-1]["train_mm"]
    assert reached["prepared"] < 0.8 * reached["given"]


@pytest.mark.parametrize("length", [1, 4, 9, 10, 50])
@pytest.mark.parametrize("stride", [3, 9])
def test_a_stride_gives_each_window_s_middle_frames(model, length, stride):
    poses_2d = torch.randn(length, 17, 2)
    predicted = model.predict_sequence(poses_2d, stride=stride, batch_size=2)
    centers = torch.arange(stride // 2, length + stride // 2, stride)
    frames = (centers[:, None] + torch.arange(9) - 4).clamp(0, length - 1)
    with torch.no_grad():
        every = model.forward_every_frame(poses_2d[frames])[1][:, 4 - stride // 2 : 5 + stride // 2]
    torch.testing.assert_close(predicted, every.flatten(0, 1)[:length], **CLOSE)


def test_strides_in_parts_of_a_long_sequence_do_not_show(model, monkeypatch):
    poses_2d = torch.randn(100, 17, 2)
    whole = model.predict_sequence(poses_2d, stride=3), model.predict_sequence(poses_2d, look_ahead=2)
    monkeypatch.setattr("poseformer_lite.model.base.FRAMES_AT_ONCE", 31)
    torch.testing.assert_close(model.predict_sequence(poses_2d, stride=3), whole[0], **CLOSE)
    torch.testing.assert_close(model.predict_sequence(poses_2d, look_ahead=2), whole[1], **CLOSE)


@pytest.mark.parametrize("wrong", [{"stride": 2}, {"stride": 11}, {"stride": 0}, {"look_ahead": -1}])
def test_impossible_ways_are_refused(model, wrong):
    with pytest.raises(ValueError, match="expected"):
        model.predict_sequence(torch.zeros(20, 17, 2), **wrong)


def test_a_stride_wants_a_network_that_gives_every_frame():
    with pytest.raises(NotImplementedError, match="center frame only"):
        TemporalConvolution(9, dim=8).predict_sequence(torch.zeros(20, 17, 2), stride=3)


@pytest.mark.parametrize("look_ahead", [0, 1, 3, 4])
def test_no_pose_depends_on_frames_beyond_those_it_looks_ahead_to(model, look_ahead):
    poses_2d = torch.randn(30, 17, 2)
    changed = poses_2d.clone()
    changed[15 + look_ahead + 1 :] += 1
    one = model.predict_sequence(poses_2d, look_ahead=look_ahead)
    two = model.predict_sequence(changed, look_ahead=look_ahead)
    torch.testing.assert_close(one[:16], two[:16], **CLOSE)
    assert not torch.allclose(one[16], two[16], atol=1e-4)


def test_half_a_window_ahead_is_the_whole_recording(model):
    poses_2d = torch.randn(30, 17, 2)
    torch.testing.assert_close(model.predict_sequence(poses_2d, look_ahead=4), model.predict_sequence(poses_2d))


@pytest.mark.parametrize("length", [1, 3, 30])
@pytest.mark.parametrize("look_ahead", [0, 2, 4])
def test_a_stream_gives_the_poses_of_the_recording(model, length, look_ahead):
    poses_2d = torch.randn(length, 17, 2)
    stream = LiveStream(model, look_ahead)
    for _ in range(2):  # a finished stream can be used again
        given = [pose for frame in poses_2d if (pose := stream.push(frame)) is not None]
        assert len(given) == max(length - look_ahead, 0)
        poses_3d = torch.stack([*given, *stream.finish()])
        torch.testing.assert_close(poses_3d, model.predict_sequence(poses_2d, look_ahead=look_ahead), **CLOSE)


@pytest.mark.parametrize("look_ahead", [-1, 5])
def test_a_stream_looks_ahead_half_a_window_at_most(model, look_ahead):
    with pytest.raises(ValueError, match="a window of 9 frames has 0 to 4"):
        LiveStream(model, look_ahead)


@pytest.mark.parametrize("frame", [torch.zeros(16, 2), torch.full((17, 2), torch.nan)])
def test_a_stream_refuses_what_is_no_frame(model, frame):
    with pytest.raises(ValueError, match=r"expected \(17, 2\), finite"):
        LiveStream(model).push(frame)


def test_compile_reaches_every_way_to_lift(model):
    """Each stage runs as the graph that a backend was given; this one counts what it is given and runs it as it is."""
    graphs = []
    poses_2d = torch.randn(12, 17, 2)
    expected = model.predict_sequence(poses_2d)
    model.compile(backend=lambda graph, _: graphs.append(graph) or graph.forward)
    torch.testing.assert_close(model.predict_sequence(poses_2d), expected, **CLOSE)
    assert graphs
    with torch.no_grad():
        torch.testing.assert_close(model(poses_2d[None, :9]), expected[4:5], **CLOSE)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile wants a C++ compiler on a CPU")
@pytest.mark.skipif(" " in torch.__file__, reason="torch.compile does not find its headers below a folder with a space")
def test_compiled_kernels_give_the_same_poses():
    """One network, as kernels take long to make; that `compile` reaches both, the test above says."""
    model = small_model(num_frames=9).eval()
    poses_2d = torch.randn(40, 17, 2)
    expected = model.predict_sequence(poses_2d)
    model.compile()
    torch.testing.assert_close(model.predict_sequence(poses_2d), expected, **CLOSE)
