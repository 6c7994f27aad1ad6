"""Training learns, is repeatable, keeps its hands off the test data and the caller's randomness, and leaves a usable
model behind."""

import copy
import math
import pickle
import random
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers_data import small_model, tiny_dataset

from poseformer_lite.datasets.base import split_validation
from poseformer_lite.datasets.windows import Windows
from poseformer_lite.metrics import mpjpe
from poseformer_lite.model.baselines import MeanPose
from poseformer_lite.training import loop
from poseformer_lite.training.loop import train
from poseformer_lite.training.optim import learning_rate
from poseformer_lite.training.settings import Settings, get_preset

QUICK = {"epochs": 2, "batch_size": 64, "windows_per_epoch": 256, "progress": False, "validation": 0.0}


def same_weights(a, b) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_training_lowers_the_error_well_under_the_mean_pose(tiny):
    windows = Windows(tiny.train(), 1, tiny.skeleton, flip=True)
    poses = windows.gather(torch.arange(len(windows)))[1]
    mean_pose_mm = 1000 * mpjpe(MeanPose().fit(poses).pose.expand_as(poses), poses).item()

    changes = {"epochs": 30, "batch_size": 64, "learning_rate": 3e-3, "warmup_steps": 0, "validation": 0.0}
    run = train(small_model(), tiny, **changes, progress=False)

    assert run.finished and len(run.history) == 30
    assert run.history[0]["train_mm"] > 1.2 * run.history[-1]["train_mm"]
    assert run.history[-1]["train_mm"] < 0.5 * mean_pose_mm
    assert not run.model.training


def test_a_row_of_history_says_what_happened(tiny):
    run = train(small_model(), tiny, **QUICK | {"validation": 0.5})
    assert [row["epoch"] for row in run.history] == [1, 2]
    assert [row["windows"] for row in run.history] == [256, 512]
    assert all(20 < row["train_mm"] < 2000 and 20 < row["validation_mm"] < 2000 for row in run.history)
    assert 0 < run.history[0]["seconds"] <= run.history[1]["seconds"]
    assert list(run.to_dataframe().columns) == [
        "epoch", "windows", "seconds", "learning_rate", "train_mm", "validation_mm",
    ]  # fmt: skip
    assert repr(run).startswith("TrainingRun(2 epochs, training ")


def test_the_training_error_of_a_frozen_network_is_its_error_on_the_windows(tiny):
    model = small_model(drop_path=0.0)
    data = tiny.subset(subjects=["S1"])
    windows = Windows(data.train(), model.num_frames, data.skeleton, flip=True)
    poses_2d, target = windows.gather(torch.arange(len(windows)))
    with torch.no_grad():
        expected = 1000 * mpjpe(model(poses_2d), target).item()
    changes = {"epochs": 1, "batch_size": len(windows), "learning_rate": 1e-30, "weight_decay": 0.0, "validation": 0.0}
    run = train(model, data, progress=False, **changes)
    assert run.history[0]["train_mm"] == pytest.approx(expected, rel=1e-4)


def test_two_runs_are_equal_bit_for_bit_and_another_seed_is_not(tiny):
    first, second, other = small_model(), small_model(), small_model()
    one, two = train(first, tiny, **QUICK), train(second, tiny, **QUICK)
    train(other, tiny, **QUICK, seed=1)
    assert same_weights(first, second)
    assert not same_weights(first, other)
    assert [r["train_mm"] for r in one.history] == [r["train_mm"] for r in two.history]


def test_the_callers_randomness_does_not_matter_and_is_left_as_it_was(tiny):
    first, second = small_model(), small_model()
    torch.manual_seed(7)
    train(first, tiny, **QUICK)
    torch.manual_seed(8), np.random.seed(8), random.seed(8)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    train(second, tiny, **QUICK)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()
    assert random.getstate() == before[2]
    assert same_weights(first, second)


def test_validation_keeps_whole_takes_together_and_takes_only_training_subjects(tiny):
    kept, held_out = split_validation(tiny.train(), 0.5, seed=3)
    takes = {(s.subject, s.action) for s in kept}, {(s.subject, s.action) for s in held_out}
    assert not takes[0] & takes[1]
    assert len(takes[0]) == len(takes[1]) == 2
    assert {s.subject for s in kept + held_out} <= {"S1", "S5"}
    assert len(kept) == len(held_out) == 4  # both cameras of each take


def test_training_gathers_only_the_kept_and_validation_only_the_held_out_takes(tiny, monkeypatch):
    seen = []

    class Watched(Windows):
        def __init__(self, sequences, *args, **kwargs):
            seen.append({(s.subject, s.action) for s in sequences})
            super().__init__(sequences, *args, **kwargs)

    monkeypatch.setattr(loop, "Windows", Watched)
    train(small_model(), tiny, **QUICK | {"validation": 0.25})
    kept, *held_out = seen
    assert len(kept) == 3 and all(len(takes) == 1 for takes in held_out) and len(held_out) == 2
    assert not kept & held_out[0]
    assert {subject for subject, _ in kept | held_out[0]} == {"S1", "S5"}


def poison(sequence):
    nan = np.full_like(sequence.poses_3d, np.nan)
    return replace(sequence, keypoints=np.full_like(sequence.keypoints, np.nan), poses_3d=nan)


@pytest.mark.parametrize("how", ["test subjects", "test takes"])
def test_training_does_not_notice_poisoned_test_sequences(tiny, how):
    if how == "test takes":
        tiny = replace(tiny, test_takes=frozenset({("S1", "WalkDog")}))
    sequences = [poison(s) if tiny.is_test(s) else s for s in tiny.sequences]
    poisoned = replace(tiny, sequences=sequences)
    assert poisoned.test()
    clean, other = small_model(), small_model()
    train(clean, tiny, **QUICK | {"validation": 0.3})
    train(other, poisoned, **QUICK | {"validation": 0.3})
    assert same_weights(clean, other)


def test_a_gap_in_the_training_data_is_named_before_training(tiny):
    tiny.sequences[0].keypoints[7, 3, 0] = np.nan
    with pytest.raises(ValueError, match="S1, Walking 1, camera 0 has NaN or infinite values, first in frame 7"):
        train(small_model(), tiny, **QUICK)


def test_redraw_is_used_once_an_epoch_with_a_seed_of_its_own_and_held_out_takes_stay_out(tiny, monkeypatch):
    seeds, gathered = [], []

    def redraw(seed):
        seeds.append(seed)
        return [replace(s, view=f"{s.view} drawn {seed}") for s in tiny.train()]

    class Watched(Windows):
        def __init__(self, sequences, *args, flip=False, **kwargs):
            if flip:  # the training windows
                gathered.append({(s.subject, s.action, s.view) for s in sequences})
            super().__init__(sequences, *args, flip=flip, **kwargs)

    monkeypatch.setattr(loop, "Windows", Watched)
    train(small_model(), replace(tiny, redraw=redraw), **QUICK | {"epochs": 3, "validation": 0.25})
    assert len(seeds) == len(set(seeds)) == 3
    assert [{view[-len(str(seed)) :] for *_, view in takes} for seed, takes in zip(seeds, gathered, strict=True)] == [
        {str(seed)} for seed in seeds
    ]
    held_out = {(s.subject, s.action) for s in split_validation(tiny.train(), 0.25, seed=0)[1]}
    assert held_out and not any(held_out & {take[:2] for take in takes} for takes in gathered)


def test_select_best_gives_the_weights_of_the_epoch_with_the_least_held_out_error(tiny, monkeypatch):
    errors = iter([70.0, 40.0, 90.0])
    snapshots = []

    def validate(trainer):
        snapshots.append(copy.deepcopy(trainer.run_.model.state_dict()))
        return next(errors)

    monkeypatch.setattr(loop._Trainer, "_validate", validate)
    changes = QUICK | {"epochs": 3, "validation": 0.25}
    run = train(small_model(), tiny, **changes, select="best")
    assert all(torch.equal(run.model.state_dict()[name], tensor) for name, tensor in snapshots[1].items())
    errors = iter([70.0, 40.0, 90.0])
    run = train(small_model(), tiny, **changes, select="last")
    assert all(torch.equal(run.model.state_dict()[name], tensor) for name, tensor in snapshots[-1].items())


# Learning rates, by hand: 10 steps in an epoch.


def test_exponential_decay_is_once_an_epoch():
    settings = Settings(epochs=130, learning_rate=2e-4, schedule="exponential", decay=0.98)
    assert learning_rate(settings, 0, 10) == learning_rate(settings, 9, 10) == 2e-4
    assert learning_rate(settings, 10, 10) == pytest.approx(1.96e-4)
    assert learning_rate(settings, 1299, 10) == pytest.approx(2e-4 * 0.98**129)


def test_cosine_falls_from_the_full_rate_through_half_of_it_to_nearly_zero():
    settings = Settings(epochs=2, learning_rate=1.0, schedule="cosine")
    assert [learning_rate(settings, step, 10) for step in (0, 5, 10, 15)] == pytest.approx(
        [1.0, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2]
    )
    assert 0 < learning_rate(settings, 19, 10) < 0.01


@pytest.mark.parametrize("schedule", ["exponential", "cosine", "constant"])
def test_warm_up_grows_linearly_and_hands_over_at_the_full_rate(schedule):
    settings = Settings(epochs=2, learning_rate=1.0, schedule=schedule, warmup_steps=4)
    assert [learning_rate(settings, step, 10) for step in range(5)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_constant_stays():
    settings = Settings(epochs=2, learning_rate=0.3, schedule="constant")
    assert {learning_rate(settings, step, 10) for step in range(20)} == {0.3}


def test_the_optimizer_is_given_the_rate_of_its_step(tiny):
    changes = QUICK | {"schedule": "cosine", "warmup_steps": 2, "learning_rate": 1e-3}
    run = train(small_model(), tiny, **changes)  # 4 steps an epoch, 8 in all
    last_steps = 3, 7
    assert [row["learning_rate"] for row in run.history] == [learning_rate(run.settings, s, 4) for s in last_steps]


# What is refused.


def test_a_loss_that_becomes_nan_ends_the_run_and_says_what_to_do(tiny, tmp_path):
    with pytest.raises(ValueError, match="training error became nan in epoch 1: lower the learning rate"):
        train(small_model(), tiny, **QUICK | {"learning_rate": 1e30, "output": tmp_path})


def test_nan_weights_never_replace_a_good_checkpoint(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)  # save after every step
    changes = QUICK | {"learning_rate": 1e30, "output": tmp_path}
    with pytest.raises(ValueError, match="training error became nan"):
        train(small_model(), tiny, **changes)
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["state"]
    assert math.isfinite(saved["loss_sum"])


def test_a_model_of_other_joints_is_refused(tiny):
    with pytest.raises(ValueError, match="the model has 15 joints, but tiny has 17"):
        train(small_model(num_joints=15), tiny, **QUICK)


def test_data_without_training_sequences_is_refused(tiny, tmp_path):
    with pytest.raises(ValueError, match="no sequences"):
        train(small_model(), tiny.subset(subjects=["S9"]), output=tmp_path, **QUICK)


def test_changes_are_settings(tiny):
    assert train(small_model(), tiny, "paper", **QUICK).settings == replace(
        get_preset("paper").settings, epochs=2, batch_size=64, windows_per_epoch=256, validation=0.0
    )
    with pytest.raises(ValueError, match="epochs is 0"):
        train(small_model(), tiny, epochs=0)


# The model afterwards.


@pytest.mark.parametrize("mixed_precision", ["no", "bf16"])
def test_the_model_is_as_plain_after_training_as_before(tiny, tmp_path, mixed_precision):
    model = small_model()
    names = list(model.state_dict())
    run = train(model, tiny, **QUICK, mixed_precision=mixed_precision)

    assert run.model is model and type(model) is type(small_model())
    assert list(model.state_dict()) == names
    assert model.forward.__func__ is type(model).forward
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert model(torch.zeros(2, 3, 17, 2)).dtype == torch.float32

    model.save_pretrained(tmp_path)
    assert same_weights(type(model).from_pretrained(tmp_path), model)
    assert same_weights(pickle.loads(pickle.dumps(model)), model)


@pytest.mark.parametrize("mixed_precision", ["no", "bf16"])
def test_a_copy_of_a_trained_model_computes_with_its_own_weights(tiny, mixed_precision):
    model = small_model()
    train(model, tiny, **QUICK, mixed_precision=mixed_precision)
    copied = copy.deepcopy(model)
    with torch.no_grad():
        copied.head.linear.weight.zero_()
        copied.head.linear.bias.zero_()
        assert copied(torch.ones(1, 3, 17, 2)).abs().max() == 0
        assert model(torch.ones(1, 3, 17, 2)).abs().max() > 0


def test_a_failed_run_leaves_a_usable_model(tiny):
    model = small_model()
    with pytest.raises(ValueError, match="training error became nan"):
        train(model, tiny, **QUICK, learning_rate=1e30, mixed_precision="bf16")
    pickle.dumps(model)
    assert model.forward.__func__ is type(model).forward


def test_frozen_positions_stay_zero(tiny):
    model = small_model(spatial_positions=False)
    train(model, tiny, **QUICK)
    assert model.spatial.position_embedding.abs().max() == 0
    assert model.temporal.position_embedding.abs().max() > 0


def test_training_is_quiet_without_progress_and_gives_no_warnings(tiny, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(small_model(), tiny, **QUICK)
    assert capsys.readouterr() == ("", "")


def test_progress_says_epoch_error_and_held_out_error(tiny, capsys):
    train(small_model(), tiny, **QUICK | {"progress": True, "validation": 0.25})
    shown = capsys.readouterr().err
    assert "epoch 2/2" in shown and "mm, held out" in shown


def test_a_dataset_of_one_take_trains_without_validation():
    data = tiny_dataset(num_frames=20, actions=("Walking",)).subset(subjects=["S1"])
    run = train(small_model(), data, **QUICK | {"validation": 0.1})
    assert [row["validation_mm"] for row in run.history] == [None, None]
