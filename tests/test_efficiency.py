"""What saves time changes no pose: chunks, strides, looking ahead, streams and compiled kernels."""

import shutil

import pytest
import torch
from helpers_data import small_model, tiny_dataset

from poseformer_lite.datasets.windows import Windows
from poseformer_lite.lifting.live import LiveStream
from poseformer_lite.model import TemporalTransformerBaseline
from poseformer_lite.model.base import compiled, windows_of_chunks
from poseformer_lite.model.prior_work import TemporalConvolution
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


def test_windows_of_chunks_by_hand():
    frames = torch.arange(10).view(2, 5, 1)
    expected = [[0, 1, 2], [1, 2, 3], [2, 3, 4], [5, 6, 7], [6, 7, 8], [7, 8, 9]]
    assert windows_of_chunks(frames, 3).squeeze(-1).tolist() == expected


def test_a_chunk_gives_what_its_windows_give_one_by_one(model):
    stretches = torch.randn(3, 9 + 4, 17, 2)
    with torch.no_grad():
        alone = model(windows_of_chunks(stretches, 9))
        torch.testing.assert_close(model(stretches, chunk=5), alone, **CLOSE)
        centre, every = model(stretches, every_frame=True, chunk=5)
    torch.testing.assert_close(centre, alone, **CLOSE)
    assert every.shape == (15, 9, 17, 3)


def test_a_chunk_of_another_length_is_refused(model):
    with pytest.raises(ValueError, match=r"expected \(B, 13, 17, 2\)"):
        model(torch.zeros(2, 9, 17, 2), chunk=5)


@pytest.mark.parametrize("every_frame", [False, True])
def test_gathered_chunks_are_the_neighbouring_windows(tiny, every_frame):
    kind = {"flip": True, "every_frame": every_frame}
    one = Windows(tiny.train(), 9, tiny.skeleton, **kind)
    four = Windows(tiny.train(), 9, tiny.skeleton, chunk=4, **kind)
    mirrored = len(one) // 2 + 30
    stretches, targets = four.gather(torch.tensor([20, mirrored]))
    windows, expected = one.gather(torch.tensor([20, 21, 22, 23, *range(mirrored, mirrored + 4)]))
    assert torch.equal(windows_of_chunks(stretches, 9), windows)
    assert torch.equal(targets, expected)


def test_a_chunk_at_the_end_of_a_take_stays_in_it(tiny):
    last = len(tiny.train()[0]) - 1
    windows = Windows(tiny.train(), 3, tiny.skeleton, chunk=4)
    stretches, targets = windows.gather(torch.tensor([last - 1]))
    assert torch.equal(stretches[0], windows.poses_2d[[last - 2, last - 1, last, last, last, last]])
    assert torch.equal(targets, windows.targets[[last - 1, last, last, last]])


def test_training_in_chunks_sees_as_many_windows_and_learns(tiny):
    changes = {"epochs": 6, "batch_size": 64, "learning_rate": 3e-3, "warmup_steps": 0, "validation": 0.0}
    run = train(small_model(), tiny, **changes, chunk=8, windows_per_epoch=512, progress=False)
    assert run.history[0]["windows"] == 512
    assert run.history[-1]["train_mm"] < 0.8 * run.history[0]["train_mm"]


def test_chunks_must_divide_the_batch(tiny):
    with pytest.raises(ValueError, match="chunks of 5 do not divide"):
        train(small_model(), tiny, batch_size=64, chunk=5, progress=False)


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
        every = model(poses_2d[frames], every_frame=True)[1][:, 4 - stride // 2 : 5 + stride // 2]
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
    with pytest.raises(NotImplementedError, match="centre frame only"):
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


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile wants a C++ compiler on a CPU")
def test_compiled_kernels_give_the_same_poses_and_are_gone_afterwards(tiny):
    model = small_model(num_frames=9).eval()
    poses_2d = torch.randn(40, 17, 2)
    expected = model.predict_sequence(poses_2d)
    with compiled(model):
        torch.testing.assert_close(model.predict_sequence(poses_2d), expected, **CLOSE)
    assert not {"embed_frames", "join_frames", "join_frames_everywhere"} & set(vars(model))

    changes = {"epochs": 1, "batch_size": 64, "windows_per_epoch": 256, "validation": 0.0, "progress": False}
    plain, fast = small_model(drop_path=0.0), small_model(drop_path=0.0)
    one, two = train(plain, tiny, **changes), train(fast, tiny, compile=True, **changes)
    assert two.history[0]["train_mm"] == pytest.approx(one.history[0]["train_mm"], rel=1e-3)


def test_compiling_without_a_compiler_says_what_to_do(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ValueError, match=r"install g\+\+"), compiled(small_model()):
        pass
