"""Everything that the paper's tables say of one trained network, in one pass over the test sequences."""

from collections import defaultdict

import torch
from torch import Tensor
from tqdm.auto import tqdm

from poseformer_lite import metrics
from poseformer_lite.datasets.base import PoseDataset
from poseformer_lite.model import LiftingNetwork, predict
from poseformer_lite.skeleton import H36M17

ERRORS = {"MPJPE": metrics.mpjpe, "P-MPJPE": metrics.p_mpjpe}


@torch.no_grad()
def measure(model: LiftingNetwork, data: PoseDataset, progress: bool = False) -> dict:
    """Errors in mm on the test sequences, flip averaged: the root as predicted, as the released code measures.

    "average" over actions and "frame average" over frames, each of MPJPE and P-MPJPE; "per action" and "per person",
    whose keys are "S9 Walking"; "per joint" (MPJPE); and, for 17 joints, PCK and AUC in per cent under both public
    definitions.
    """
    predicted, target, person = [], [], []
    for sequence in tqdm(data.test(), desc="testing", disable=not progress, leave=False):
        counted = slice(None) if sequence.valid is None else torch.from_numpy(sequence.valid)
        poses_2d = torch.from_numpy(sequence.poses_2d()).to(model.device)
        predicted.append(predict(model, poses_2d, data.skeleton).cpu()[counted])
        target.append(torch.from_numpy(sequence.root_relative(data.skeleton.root))[counted])
        person.append(f"{sequence.subject} {sequence.base_action}")
    lengths = [len(poses) for poses in target]
    everything, truth = torch.cat(predicted), torch.cat(target)  # (N, J, 3)

    rows: dict[str, dict] = {"per action": {}, "per person": {}, "average": {}, "frame average": {}}
    for name, error in ERRORS.items():
        of_frame = 1000 * error(everything, truth, reduce=False).mean(-1)  # (N,)
        parts = dict(zip(range(len(person)), of_frame.split(lengths), strict=True))
        rows["per person"][name] = _means(parts, person)
        rows["per action"][name] = _means(parts, [who.split(" ", 1)[1] for who in person])
        rows["average"][name] = _round(sum(rows["per action"][name].values()) / len(rows["per action"][name]))
        rows["frame average"][name] = _round(of_frame.mean().item())
    joints = 1000 * metrics.mpjpe(everything, truth, reduce=False).mean(0)  # (J,)
    rows["per joint"] = dict(zip(data.skeleton.joints, map(_round, joints.tolist()), strict=True))
    if data.skeleton == H36M17:
        rows["3DHP"] = _correct_keypoints(everything, truth)
    return rows


def _correct_keypoints(predicted: Tensor, target: Tensor) -> dict[str, float]:
    """PCK and AUC in per cent, root-relative to the pelvis, by the benchmark's own definition and by the other one."""
    shares = {}
    for definition in (metrics.BENCHMARK_3DHP, metrics.ALL_JOINTS_3DHP):
        shares[f"PCK, {definition.name}"] = definition.pck(predicted, target)
        shares[f"AUC, {definition.name}"] = definition.auc(predicted, target)
    return {name: _round(100 * share.item()) for name, share in shares.items()}


def _means(parts: dict[int, Tensor], groups: list[str]) -> dict[str, float]:
    gathered = defaultdict(list)
    for index, group in enumerate(groups):
        gathered[group].append(parts[index])
    return {group: _round(torch.cat(errors).mean().item()) for group, errors in gathered.items()}


def _round(value: float) -> float:
    return round(value, 2)
