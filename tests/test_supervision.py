"""Learning from every frame of a window: the poses that are asked for, the loss, and what the centre frame keeps."""

import pytest
import torch
from helpers_data import small_model, tiny_dataset

from poseformer_course.prior_work import TemporalConvolution
from poseformer_lite.datasets.windows import Windows
from poseformer_lite.model import TemporalTransformerBaseline
from poseformer_lite.training.loop import train

SETTINGS = {"batch_size": 64, "windows_per_epoch": 256, "progress": False, "validation": 0.0}


@pytest.fixture(scope="module")
def tiny():
    return tiny_dataset()


def networks():
    sizes = {"num_frames": 9, "spatial_dim": 8, "spatial_depth": 1, "temporal_depth": 1, "num_heads": 2}
    return [small_model(num_frames=9), TemporalTransformerBaseline.sized_like(sizes)]


@pytest.mark.parametrize("model", networks(), ids=lambda model: type(model).__name__)
def test_the_centre_frame_is_the_same_with_the_others_beside_it(model):
    poses_2d = torch.randn(4, 9, 17, 2)
    model.eval()
    with torch.no_grad():
        center, every = model.forward_every_frame(poses_2d)
        torch.testing.assert_close(center, model(poses_2d))
    assert every.shape == (4, 9, 17, 3)


def test_a_network_of_the_centre_frame_alone_says_so():
    model = TemporalConvolution(num_frames=9)
    with pytest.raises(NotImplementedError, match="TemporalConvolution gives the center frame only"):
        model.forward_every_frame(torch.randn(2, 9, 17, 2))


def test_windows_give_the_pose_of_every_frame_mirrored_and_held_at_the_ends(tiny):
    index = torch.tensor([0, 5, 700])
    windows = Windows(tiny.train(), 5, tiny.skeleton, flip=True, every_frame=True)
    center_only = Windows(tiny.train(), 5, tiny.skeleton, flip=True)
    poses_2d, targets = windows.gather(index)
    expected_2d, center = center_only.gather(index)
    assert torch.equal(poses_2d, expected_2d) and targets.shape == (3, 5, 17, 3)
    assert torch.equal(targets[:, 2], center)
    assert torch.equal(targets[0, 0], targets[0, 2]) and torch.equal(targets[1, 3], windows.targets[6])


@pytest.mark.parametrize("bone_weight", [0.0, 0.5])
@pytest.mark.parametrize("supervise", ["center", "every"])
def test_the_loss_is_of_the_centre_or_the_mean_with_every_frame_and_bones_weigh_beside_it(tiny, supervise, bone_weight):
    model = small_model(drop_path=0.0)
    data = tiny.subset(subjects=["S1"])
    windows = Windows(data.train(), model.num_frames, data.skeleton, flip=True, every_frame=True)
    poses_2d, target = windows.gather(torch.arange(len(windows)))
    with torch.no_grad():
        center, every = model.forward_every_frame(poses_2d)
    off = [center - target[:, model.num_frames // 2], every - target][: 1 if supervise == "center" else 2]
    parents, children = map(list, zip(*data.skeleton.bones, strict=True))
    joints, bones = (
        sum(errors.norm(dim=-1).mean().item() for errors in each) / len(off)
        for each in (off, [errors[..., children, :] - errors[..., parents, :] for errors in off])
    )
    changes = {"epochs": 1, "batch_size": len(windows), "learning_rate": 1e-30, "weight_decay": 0.0}
    changes |= {"windows_per_epoch": None, "supervise": supervise, "bone_weight": bone_weight}
    run = train(model, data, **SETTINGS | changes)
    assert run.history[0]["train_mm"] == pytest.approx(1000 * (joints + bone_weight * bones), rel=1e-4)


def test_it_learns_and_the_centre_frame_with_it(tiny):
    model = small_model()
    changes = SETTINGS | {"validation": 0.4}
    before = train(small_model(), tiny, **changes, epochs=1, learning_rate=1e-30)
    run = train(model, tiny, **changes, epochs=12, learning_rate=3e-3, supervise="every")
    assert run.history[-1]["validation_mm"] < 0.8 * before.history[-1]["validation_mm"]


def test_an_unknown_supervision_is_refused(tiny):
    with pytest.raises(ValueError, match="supervise is 'all': choose one of center, every"):
        train(small_model(), tiny, **SETTINGS, supervise="all")
