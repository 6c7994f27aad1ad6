"""The protocols of Human3.6M: errors per action, averaged both ways, as the paper's tables print them."""

from dataclasses import dataclass

import torch

from poseformer_lite import metrics
from poseformer_lite.datasets.base import PoseDataset, PoseSequence
from poseformer_lite.model.base import LiftingNetwork, predict
from poseformer_lite.skeleton import Skeleton

PROTOCOLS = {
    "MPJPE": "protocol 1",
    "P-MPJPE": "protocol 2",
    "N-MPJPE": "scale aligned",
    "MPJVE": "velocity, mm per frame",
}


@dataclass(frozen=True)
class Evaluation:
    """Errors in millimetres, per action and on average.

    :param per_action: {metric: {action: mm}}
    :param frame_average: {metric: mm}, the mean over all frames, which differs from `average`
    :param settings: how they were measured.
    """

    per_action: dict[str, dict[str, float]]
    frame_average: dict[str, float]
    settings: dict[str, str]

    @property
    def average(self) -> dict[str, float]:
        """The unweighted mean over actions, which the paper's tables print: {metric: mm}."""
        return {metric: sum(row.values()) / len(row) for metric, row in self.per_action.items()}

    def to_dataframe(self):
        """One row per metric, one column per action, then both averages: the layout of Table 1. Millimetres."""
        import pandas as pd

        table = pd.DataFrame(self.per_action).T
        table["Average"] = pd.Series(self.average)
        table["Frame average"] = pd.Series(self.frame_average)
        return table.rename_axis("mm")

    def to_markdown(self, digits: int = 1) -> str:
        """The table for a README or a report, with that number of digits after the point."""
        table = self.to_dataframe()
        lines = ["| mm | " + " | ".join(table.columns) + " |", "|---" * (len(table.columns) + 1) + "|"]
        lines += [f"| {name} | " + " | ".join(f"{v:.{digits}f}" for v in row) + " |" for name, row in table.iterrows()]
        return "\n".join(lines)

    def plot(self, metric: str = "MPJPE", ax=None):
        """Bars of one metric per action, in `ax` or new axes, which are returned."""
        from poseformer_lite.plots import plot_per_action

        return plot_per_action(self.per_action[metric], metric=metric, ax=ax)

    def __str__(self) -> str:
        table = self.to_dataframe()
        names = list(table.columns)
        if len(names) > 4:  # wider than a terminal: one action a line instead
            width = max(map(len, names))
            lines = [" " * width + "".join(f"{m:>10}" for m in table.index)]
            lines += [
                f"{name:<{width}}" + "".join(f"{table.loc[m, name]:10.1f}" for m in table.index) for name in names
            ]
        else:
            lines = [" " * 8 + "".join(f"{name:>15}" for name in names)]
            lines += [f"{m:<8}" + "".join(f"{table.loc[m, name]:15.1f}" for name in names) for m in table.index]
        how = ", ".join(f"{key}: {value}" for key, value in self.settings.items())
        return "\n".join([*lines, f"All in mm. Average is over actions, frame average over frames. {how}."])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        how = ", ".join(f"{key}: {value}" for key, value in self.settings.items())
        return self.to_dataframe().to_html(float_format="{:.1f}".format) + f"<p>Errors in mm. {how}.</p>"


def evaluate(
    model: LiftingNetwork,
    data: PoseDataset,
    *,
    flip: bool = True,
    zero_root: bool = False,
    sequences: list[PoseSequence] | None = None,
    progress: bool = True,
) -> Evaluation:
    """Lift every test sequence of a dataset and compare it with the truth.

    An action is a take's name up to the first space; all its frames, of all cameras and subjects, count alike.

    :param model: a network with as many joints as the data has.
    :param data: what `load_dataset` gives.
    :param flip: averages with the prediction for the mirror image, as the paper does (section 4.2).
    :param zero_root: puts the predicted root where the true one is, at zero; the released code does not.
    :param sequences: in place of the test sequences, such as training takes held out.
    :param progress: whether to show a bar.
    :returns: Errors per action and on average, millimetres.
    :raises ValueError: where there is nothing to test on, or joints do not fit.
    """
    from tqdm.auto import tqdm

    sequences = data.test() if sequences is None else sequences
    if not sequences:
        raise ValueError(f"{data.name} has no test sequence with 3D: its test subjects are {data.test_subjects}")
    if (joints := data.skeleton.num_joints) != model.num_joints:
        raise ValueError(f"the model has {model.num_joints} joints, but {data.name} has {joints}: train one on it")

    totals: dict[str, dict[str, float]] = {metric: {} for metric in PROTOCOLS}
    frames: dict[str, int] = {}
    for sequence in tqdm(sequences, desc="evaluating", disable=not progress, leave=False):
        action = sequence.base_action
        counted = len(sequence) if sequence.valid is None else int(sequence.valid.sum())
        frames[action] = frames.get(action, 0) + counted
        for metric, error in sequence_errors(model, sequence, data.skeleton, flip, zero_root, data.fps).items():
            totals[metric][action] = totals[metric].get(action, 0.0) + error * counted

    per_action = {m: {action: 1000 * row[action] / frames[action] for action in frames} for m, row in totals.items()}
    frame_average = {m: 1000 * sum(row.values()) / sum(frames.values()) for m, row in totals.items()}
    settings = {
        "data": data.name,
        "keypoints": data.keypoint_source,
        "flip averaged": "yes" if flip else "no",
        "predicted root": "set to zero" if zero_root else "as predicted",
    }
    return Evaluation(per_action, frame_average, settings)


def sequence_errors(
    model: LiftingNetwork, sequence: PoseSequence, skeleton: Skeleton, flip: bool, zero_root: bool, fps: float = 50.0
) -> dict[str, float]:
    """The mean errors of one sequence's valid frames, in metres, under the names of PROTOCOLS.

    The network sees every frame, as its `input` says. A velocity counts where it is a step between two valid frames.
    """
    sequence = sequence.seen_by(model.input, fps)
    poses_2d = torch.from_numpy(sequence.poses_2d()).to(model.device)
    target = torch.from_numpy(sequence.root_relative(skeleton.root)).to(model.device)
    predicted = predict(model, poses_2d, skeleton, flip)
    if zero_root:
        predicted = predicted - predicted[:, skeleton.root : skeleton.root + 1]
    valid = torch.ones(len(target), dtype=torch.bool) if sequence.valid is None else torch.from_numpy(sequence.valid)
    valid = valid.to(model.device)
    if not valid.any():
        return dict.fromkeys(PROTOCOLS, 0.0)  # none of its frames counts
    steps = valid[1:] & valid[:-1]
    velocity = metrics.mpjve(predicted, target, reduce=False)[steps] if steps.any() else torch.zeros(())
    errors = {
        "MPJPE": metrics.mpjpe(predicted[valid], target[valid]),
        "P-MPJPE": metrics.p_mpjpe(predicted[valid], target[valid]),
        "N-MPJPE": metrics.n_mpjpe(predicted[valid], target[valid]),
        "MPJVE": velocity.mean(),
    }
    return {metric: error.item() for metric, error in errors.items()}
