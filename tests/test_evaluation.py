"""The tables: by hand on predictions that are known, with the mistakes that are known from the field."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers_data import small_model

from poseformer_lite import metrics
from poseformer_lite.datasets.base import PoseDataset, PoseSequence
from poseformer_lite.evaluation import PROTOCOLS, Evaluation, evaluate, predict, sequence_errors
from poseformer_lite.model.base import LiftingNetwork
from poseformer_lite.model.baselines import MeanPose
from poseformer_lite.skeleton import H36M17, flip_poses


class Answers(LiftingNetwork):
    """Gives the poses it was told to, one list entry per call of predict_sequence."""

    def __init__(self, *poses: torch.Tensor):
        super().__init__(num_frames=1, num_joints=17)
        self.poses = list(poses)

    def predict_sequence(self, poses_2d, batch_size=None):
        answer = self.poses.pop(0)
        assert len(answer) == len(poses_2d)
        return answer.clone()


def sequence(action: str, num_frames: int, seed: int = 0, subject: str = "S9") -> PoseSequence:
    rng = np.random.default_rng(seed)
    poses_3d = rng.normal(size=(num_frames, 17, 3)).astype(np.float32) + [0, 0, 5]
    keypoints = rng.uniform(0, 1000, (num_frames, 17, 2)).astype(np.float32)
    return PoseSequence(subject, action, "0", keypoints, poses_3d.astype(np.float32), 1000, 1000)


def dataset(*sequences: PoseSequence) -> PoseDataset:
    return PoseDataset("hand-made", list(sequences), train_subjects=("S1",), test_subjects=("S9", "S11"))


def truth(sequence: PoseSequence) -> torch.Tensor:
    return torch.from_numpy(sequence.root_relative(0))


def off_by(sequence: PoseSequence, meters: float) -> torch.Tensor:
    """Every joint wrong by as much, in one direction."""
    return truth(sequence) + torch.tensor([meters, 0, 0])


def test_both_averages_are_right_and_differ():
    long, short = sequence("Walking", 30, 1), sequence("Sitting 1", 10, 2)
    result = evaluate(Answers(off_by(long, 0.010), off_by(short, 0.050)), dataset(long, short), flip=False)
    assert result.per_action["MPJPE"] == pytest.approx({"Walking": 10.0, "Sitting": 50.0}, rel=1e-4)
    assert result.average["MPJPE"] == pytest.approx((10 + 50) / 2, rel=1e-4)
    assert result.frame_average["MPJPE"] == pytest.approx((30 * 10 + 10 * 50) / 40, rel=1e-4)


def test_an_action_counts_every_frame_of_every_take_camera_and_subject_alike():
    takes = [sequence("Walking", 30, 1), sequence("Walking 1", 10, 2), sequence("Walking 2", 20, 3, "S11")]
    answers = Answers(*(off_by(take, error) for take, error in zip(takes, (0.01, 0.02, 0.03), strict=True)))
    result = evaluate(answers, dataset(*takes), flip=False)
    assert result.per_action["MPJPE"] == pytest.approx({"Walking": (30 * 10 + 10 * 20 + 20 * 30) / 60}, rel=1e-4)


def test_actions_are_matched_exactly_and_not_by_their_beginning():
    names = ["Walk", "WalkDog", "WalkTogether 1", "Sitting", "SittingDown 1"]
    takes = [sequence(name, 5, i) for i, name in enumerate(names)]
    result = evaluate(Answers(*map(truth, takes)), dataset(*takes), flip=False)
    assert list(result.per_action["MPJPE"]) == ["Walk", "WalkDog", "WalkTogether", "Sitting", "SittingDown"]


def test_each_metric_forgives_what_it_should():
    take = sequence("Posing", 12)
    angle = torch.tensor(0.7)
    turn = torch.tensor([[angle.cos(), -angle.sin(), 0], [angle.sin(), angle.cos(), 0], [0, 0, 1]])
    shifted, scaled, turned = off_by(take, 0.1), 2 * truth(take), truth(take) @ turn.T
    data = dataset(take)

    result = evaluate(Answers(shifted), data, flip=False).average
    assert result["MPJPE"] == pytest.approx(100, rel=1e-4)
    assert result["P-MPJPE"] == pytest.approx(0, abs=1e-2)
    assert result["MPJVE"] == pytest.approx(0, abs=1e-2)

    result = evaluate(Answers(scaled), data, flip=False).average
    assert result["MPJPE"] > 500
    assert result["N-MPJPE"] == pytest.approx(0, abs=1e-2)
    assert result["P-MPJPE"] == pytest.approx(0, abs=1e-2)

    result = evaluate(Answers(turned), data, flip=False).average
    assert result["N-MPJPE"] > 100
    assert result["P-MPJPE"] == pytest.approx(0, abs=1e-2)


def test_velocity_is_counted_within_a_sequence_and_never_across_two():
    first, second = sequence("Walking", 10, 1), sequence("Walking 1", 10, 2)
    answers = Answers(off_by(first, 0.5), off_by(second, -0.5))  # constant in each, a leap of a metre between them
    assert evaluate(answers, dataset(first, second), flip=False).average["MPJVE"] == pytest.approx(0, abs=1e-2)


def test_velocity_by_hand():
    take = sequence("Walking", 11)
    drift = torch.arange(11)[:, None, None] * torch.tensor([0.0, 0.003, 0.004])  # 5 mm further off each frame
    result = evaluate(Answers(truth(take) + drift), dataset(take), flip=False)
    assert result.average["MPJVE"] == pytest.approx(5, rel=1e-3)


def test_aligned_errors_of_one_action_do_not_depend_on_the_others():
    """A bug of the field: P-MPJPE of a batch of mixed actions, booked to each of them."""
    rng = torch.Generator().manual_seed(0)
    takes = [sequence("Walking", 30, 1), sequence("Sitting", 20, 2), sequence("Eating", 10, 3)]
    noise = [size * torch.randn(len(t), 17, 3, generator=rng) for t, size in zip(takes, (0.01, 0.1, 1), strict=True)]
    answers = [truth(take) + n for take, n in zip(takes, noise, strict=True)]
    together = evaluate(Answers(*answers), dataset(*takes), flip=False)
    for take, answer in zip(takes, answers, strict=True):
        alone = evaluate(Answers(answer), dataset(take), flip=False)
        by_hand = 1000 * metrics.p_mpjpe(answer, truth(take)).item()
        for metric in PROTOCOLS:
            assert together.per_action[metric][take.action] == pytest.approx(alone.average[metric])
        assert together.per_action["P-MPJPE"][take.action] == pytest.approx(by_hand)
    p_mpjpe = together.per_action["P-MPJPE"]
    assert p_mpjpe["Walking"] < 0.5 * p_mpjpe["Sitting"] < 0.25 * p_mpjpe["Eating"]


def test_the_order_of_the_sequences_does_not_matter(tiny):
    model = small_model()
    forwards, backwards = evaluate(model, tiny), evaluate(model, replace(tiny, sequences=tiny.sequences[::-1]))
    for metric in PROTOCOLS:
        assert forwards.per_action[metric] == pytest.approx(backwards.per_action[metric])
        assert forwards.frame_average[metric] == pytest.approx(backwards.frame_average[metric])


def test_flip_averaging_is_the_mean_with_the_flipped_back_prediction_of_the_flipped_input(tiny):
    model, take = small_model().eval(), tiny.test()[0]
    poses_2d = torch.from_numpy(take.poses_2d())
    left, right = list(H36M17.left), list(H36M17.right)
    with torch.no_grad():
        plain = model.predict_sequence(poses_2d)
        mirrored_input = poses_2d.clone()
        mirrored_input[..., 0] *= -1
        mirrored_input[:, left + right] = mirrored_input[:, right + left]
        mirrored = model.predict_sequence(mirrored_input).clone()
        mirrored[..., 0] *= -1
        mirrored[:, left + right] = mirrored[:, right + left]
    expected = (plain + mirrored) / 2
    torch.testing.assert_close(predict(model, poses_2d, H36M17), expected, atol=1e-6, rtol=0)
    assert not torch.allclose(expected, plain, atol=1e-3)
    by_hand = 1000 * metrics.mpjpe(expected, truth(take)).item()
    result = evaluate(model, tiny, sequences=[take])
    assert result.average["MPJPE"] == pytest.approx(by_hand, rel=1e-5)
    assert evaluate(model, tiny, sequences=[take], flip=False).average["MPJPE"] != pytest.approx(by_hand, rel=1e-3)


def test_a_network_that_knows_the_mirror_image_gains_nothing_from_flipping():
    pose = torch.randn(17, 3)
    pose = (pose + flip_poses(pose, H36M17)) / 2
    take = sequence("Posing", 4)
    plain = evaluate(MeanPose().fit(pose[None]), dataset(take), flip=False)
    assert evaluate(MeanPose().fit(pose[None]), dataset(take)).average == pytest.approx(plain.average)


def test_the_predicted_root_is_left_alone_unless_asked():
    take = sequence("Posing", 6)
    data, shifted = dataset(take), off_by(take, 0.2)
    as_predicted = evaluate(Answers(shifted), data, flip=False)
    zeroed = evaluate(Answers(shifted), data, flip=False, zero_root=True)
    assert as_predicted.average["MPJPE"] == pytest.approx(200, rel=1e-4)
    assert zeroed.average["MPJPE"] == pytest.approx(0, abs=1e-2)
    assert as_predicted.settings["predicted root"] == "as predicted"
    assert zeroed.settings["predicted root"] == "set to zero"


def test_only_test_sequences_are_evaluated_and_others_on_request(tiny):
    model = small_model()
    assert evaluate(model, tiny).average == evaluate(model, tiny, sequences=tiny.test()).average
    assert evaluate(model, tiny).average != evaluate(model, tiny, sequences=tiny.train()).average


def test_one_frame_can_be_evaluated():
    take = sequence("Photo", 1)
    result = evaluate(Answers(off_by(take, 0.01)), dataset(take), flip=False)
    assert result.average["MPJPE"] == pytest.approx(10, rel=1e-3)


def test_the_errors_of_a_sequence_are_in_metres():
    take = sequence("Photo", 9)
    errors = sequence_errors(Answers(off_by(take, 0.25)), take, H36M17, flip=False, zero_root=False)
    assert list(errors) == list(PROTOCOLS)
    assert errors["MPJPE"] == pytest.approx(0.25)


def test_evaluation_leaves_the_model_in_its_mode(tiny):
    model = small_model().train()
    evaluate(model, tiny)
    assert model.training


def test_nothing_to_test_on_is_an_error(tiny):
    with pytest.raises(ValueError, match=r"tiny has no test sequence with 3D: its test subjects are \('S9',\)"):
        evaluate(small_model(), tiny.subset(subjects=["S1"]))
    with pytest.raises(ValueError, match="no test sequence with 3D"):
        evaluate(small_model(), replace(tiny, sequences=[replace(s, poses_3d=None) for s in tiny.sequences]))


def test_a_model_of_other_joints_is_refused(tiny):
    with pytest.raises(ValueError, match="the model has 15 joints, but tiny has 17"):
        evaluate(small_model(num_joints=15), tiny)


# The tables.


@pytest.fixture
def result() -> Evaluation:
    rows = {"Walking": 10.0, "Sitting": 50.04}
    per_action = {metric: {a: e * (i + 1) for a, e in rows.items()} for i, metric in enumerate(PROTOCOLS)}
    return Evaluation(per_action, {metric: 20.0 for metric in PROTOCOLS}, {"data": "hand-made", "flip averaged": "no"})


def test_markdown(result):
    assert result.to_markdown().splitlines()[:4] == [
        "| mm | Walking | Sitting | Average | Frame average |",
        "|---|---|---|---|---|",
        "| MPJPE | 10.0 | 50.0 | 30.0 | 20.0 |",
        "| P-MPJPE | 20.0 | 100.1 | 60.0 | 20.0 |",
    ]
    assert "| MPJPE | 10.00 | 50.04 | 30.02 | 20.00 |" in result.to_markdown(digits=2)


def test_dataframe(result):
    table = result.to_dataframe()
    assert list(table.index) == list(PROTOCOLS)
    assert list(table.columns) == ["Walking", "Sitting", "Average", "Frame average"]
    assert table.loc["MPJPE", "Average"] == pytest.approx(30.02)
    assert table.loc["MPJPE", "Frame average"] == 20.0


@pytest.mark.parametrize("num_actions", [2, 3, 6, 15])
def test_the_printed_table_has_every_number_fits_a_terminal_and_says_how_it_was_measured(num_actions):
    actions = {f"Action{i:02}": 10.0 + i for i in range(num_actions)}
    how = {"data": "hand-made", "flip averaged": "no"}
    text = str(Evaluation({m: actions for m in PROTOCOLS}, {m: 99.5 for m in PROTOCOLS}, how))
    *table, last = text.splitlines()
    assert all(len(line) <= 80 for line in table)
    for word in [*actions, *PROTOCOLS, "Average", "Frame average", "99.5"]:
        assert word in text
    assert all(f"{error:.1f}" in text for error in actions.values())
    assert "flip averaged: no" in last and "Average is over actions, frame average over frames" in last


def test_html_has_the_table_and_says_how_it_was_measured(result):
    html = result._repr_html_()
    assert "<table" in html and "<td>50.0</td>" in html
    assert "flip averaged: no" in html and "mm" in html


def test_nan_in_the_test_data_is_named(tiny):
    broken = tiny.test()[0]
    broken.keypoints[4, 2] = np.nan
    model = small_model()
    with pytest.raises(ValueError, match="NaN or infinite values, first in frame 4"):
        evaluate(model, tiny, progress=False)
