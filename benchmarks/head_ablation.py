"""Does the head that looks important matter? What each head looks like, and what MPJPE costs without it.

python benchmarks/head_ablation.py                  the shipped networks on the synthetic test subjects, five minutes
python benchmarks/head_ablation.py --cmu FOLDER     and on the held-out takes of CMU motion

A head is taken away in three ways (its output zero, its rows uniform, its rows the mean row over the queries); so are
all heads of a layer, of a stage, and all there are. Spreads and intervals are over takes, one camera of each.
"""

import argparse
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from poseformer_course.bench.record import record
from poseformer_course.heads import all_heads, attention_rollout, head_ablation
from poseformer_lite.datasets import PoseDataset, load_dataset
from poseformer_lite.model.base import window_indices
from poseformer_lite.model.heads import attention_maps, encoders
from poseformer_lite.model.poseformer import PoseFormer

NETWORKS = ("lite", "course-poseformer")
WAYS = ("zero", "uniform", "mean")
STORED = Path(__file__).resolve().parent.parent / "poseformer_course" / "results" / "head_ablation.json"
DRAWS = 2000  # of the bootstrap
NUDGE = 0.01  # standard deviation of what is added to the keypoints of a frame, normalised: 5 pixels at a width of 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=NETWORKS, help="shipped weights, or folders of others")
    parser.add_argument("--cmu", type=Path, help="folder of CMU motion capture, to measure on it as well")
    parser.add_argument("--frames", type=int, default=120, help="frames from the middle of each take")
    parser.add_argument("--json", type=Path, default=STORED, help="write the results here")
    arguments = parser.parse_args()

    sets = {"synthetic": load_dataset("synthetic", keypoints="noisy")}
    if arguments.cmu:
        sets["cmu_mocap"] = load_dataset("cmu_mocap", arguments.cmu, keypoints="noisy")
    studies = {
        name: {source: study(PoseFormer.from_pretrained(name), data, arguments.frames) for source, data in sets.items()}
        for name in arguments.networks
    }
    record(arguments.json, data={source: repr(data) for source, data in sets.items()}, networks=studies)


def study(model: PoseFormer, data: PoseDataset, frames: int) -> dict:
    """Everything about one network on one test set."""
    takes = [sequence.seen_by(model.input, data.fps) for sequence in one_camera_of_each_take(data)]
    pairs = [middle(sequence, data.skeleton.root, frames) for sequence in takes]
    actions = [sequence.base_action for sequence in takes]
    heads, groups = all_heads(model), groups_of_heads(model)
    measured = {way: head_ablation(model, pairs, [*heads, *groups.values()], instead=way) for way in WAYS}
    whole = measured["zero"]
    lengths = whole.frames.double().numpy()
    rise = {way: (m.without - m.baseline).double().numpy() for way, m in measured.items()}  # each (N, S), mm
    per_take = [looks(model, poses_2d) for poses_2d, _ in pairs]
    look = {name: np.stack([take[name] for take in per_take], axis=1) for name in per_take[0]}  # each (N, S)
    drawn = np.random.default_rng(0).integers(0, len(takes), (DRAWS, len(takes)))
    return {
        "takes": len(takes),
        "frames": int(lengths.sum()),
        "MPJPE": round(whole.error, 2),
        "heads": [
            {"stage": head.stage, "layer": head.layer, "head": head.head}
            | {f"{way}: rise in mm": rounded(over_takes(rise[way][n], lengths)) for way in WAYS}
            | {f"{way}: 95 %": interval(rise[way][n], lengths, drawn) for way in WAYS}
            | {"zero: spread over takes": rounded(rise["zero"][n].std(ddof=1))}
            | {"zero: per action": per_action(rise["zero"][n], lengths, actions)}
            | {name: rounded(over_takes(values[n], lengths), 4) for name, values in look.items()}
            for n, head in enumerate(heads)
        ],
        "groups": {
            name: {way: rounded(over_takes(rise[way][len(heads) + n], lengths)) for way in WAYS}
            for n, name in enumerate(groups)
        },
        "rank correlation with the rise (zero)": {
            stage: {name: correlation(values[own], rise["zero"][own], lengths, drawn) for name, values in look.items()}
            for stage in encoders(model)
            for own in [[n for n, head in enumerate(heads) if head.stage == stage]]
        },
        "frames of the window": frames_drawn_from(model, [poses_2d for poses_2d, _ in pairs]),
    }


def one_camera_of_each_take(data: PoseDataset) -> list:
    """Cameras of a take see the same motion, so one is taken, in turn."""
    takes = [list(views) for _, views in groupby(data.test(), key=lambda s: (s.subject, s.action))]
    return [views[number % len(views)] for number, views in enumerate(takes)]


def middle(sequence, root: int, frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The 2D and the 3D of the middle of a take."""
    first = max(0, (len(sequence) - frames) // 2)
    part = slice(first, first + frames)
    return torch.from_numpy(sequence.poses_2d())[part], torch.from_numpy(sequence.root_relative(root))[part]


def groups_of_heads(model: PoseFormer) -> dict[str, tuple]:
    """The heads of each layer, of each stage, and all of them."""
    heads = all_heads(model)
    layers = {f"{h.stage} layer {h.layer}": (h.stage, h.layer) for h in heads}
    return (
        {name: tuple(h for h in heads if (h.stage, h.layer) == place) for name, place in layers.items()}
        | {stage: tuple(h for h in heads if h.stage == stage) for stage in encoders(model)}
        | {"all": tuple(heads)}
    )


def looks(model: PoseFormer, poses_2d: torch.Tensor) -> dict[str, np.ndarray]:
    """What one would judge a head by, as means over a take; (N,) each, in the order of `all_heads`.

    tokens looked at: e to the entropy of a row, 1 to N; the rest from 0 to 1, but for the length of what the head adds
    to a token after the projection, as a share of the token's own length.
    """
    maps = attention_maps(model, poses_2d)
    found = [of_rows(rows) for rows in (maps.spatial, maps.temporal)]
    return {name: np.concatenate([stage[name] for stage in found]) for name in found[0]} | {
        "length added": lengths_added(model, poses_2d)
    }


def of_rows(rows: torch.Tensor) -> dict[str, np.ndarray]:
    """Measures of the rows (T, L, H, N, N) of a stage, (L*H,) each; distances between rows are half of the L1 norm."""

    def differs(other) -> torch.Tensor:
        return (rows - other).abs().sum(dim=-1).mean(dim=(0, 3)) / 2

    entropy = torch.special.entr(rows).sum(dim=-1)  # (T, L, H, N)
    measures = {
        "tokens looked at": entropy.exp().mean(dim=(0, 3)),
        "largest weight": rows.amax(dim=-1).mean(dim=(0, 3)),
        "distance from uniform": differs(1 / rows.shape[-1]),
        "differs between queries": differs(rows.mean(dim=-2, keepdim=True)),
        "differs between frames": differs(rows.mean(dim=0, keepdim=True)),
    }
    return {name: values.flatten().double().numpy() for name, values in measures.items()}


def lengths_added(model: PoseFormer, poses_2d: torch.Tensor) -> np.ndarray:
    """How long each head's addition to a token is, as a share of the token's length: (N,)."""
    found, hooks = [], []

    def hook(block, inputs, output) -> None:
        attention = block.attn
        joined = {}
        handle = attention.proj.register_forward_pre_hook(lambda proj, given: joined.update(x=given[0]))
        attention(block.norm1(inputs[0]))
        handle.remove()
        weight = attention.proj.weight.unflatten(1, (attention.num_heads, -1))  # (C, H, C/H)
        added = torch.einsum("bnhd,chd->bnhc", joined["x"].unflatten(-1, (attention.num_heads, -1)), weight)
        found.append((added.norm(dim=-1).mean(dim=(0, 1)) / inputs[0].norm(dim=-1).mean()).double().numpy())

    for encoder in encoders(model).values():
        hooks += [block.register_forward_hook(hook) for block in encoder.blocks]
    model.predict_sequence(poses_2d, batch_size=len(poses_2d))
    for handle in hooks:
        handle.remove()
    return np.concatenate(found)


@torch.no_grad()
def frames_drawn_from(model: PoseFormer, takes: list[torch.Tensor]) -> dict:
    """Three answers for each of the F frames, as means over takes, and how the first two agree with the third.

    share of the mean: the head's weights over their sum. rollout: these shares, traced through the rollout. influence:
    how far the pose moves, in mm, when the frame's keypoints do.
    """
    weights = model.head.weighted_mean.weight.flatten()
    share = weights / weights.sum()
    drawn, influence = [], []
    for number, poses_2d in enumerate(takes):
        drawn.append(share @ attention_rollout(attention_maps(model, poses_2d).temporal).mean(dim=0))
        windows = poses_2d[window_indices(len(poses_2d), model.num_frames)][::5]  # (B, F, J, 2)
        nudge = NUDGE * torch.randn(windows[:, 0].shape, generator=torch.Generator().manual_seed(number))
        before, moved = model(windows), []
        for frame in range(model.num_frames):
            changed = windows.clone()
            changed[:, frame] += nudge
            moved.append(1000 * (model(changed) - before).norm(dim=-1).mean())
        influence.append(torch.stack(moved))
    ranks = {"share": [spearmanr(share, i)[0] for i in influence]}
    ranks["rollout"] = [spearmanr(d, i)[0] for d, i in zip(drawn, influence, strict=True)]
    return {
        "share of the mean": [rounded(x, 3) for x in share],
        "rollout": [rounded(x, 3) for x in torch.stack(drawn).mean(dim=0)],
        "influence in mm": [rounded(x) for x in torch.stack(influence).mean(dim=0)],
        "rank correlation with the influence": {
            name: {
                "mean": rounded(np.mean(values)),
                "80 % of takes": [rounded(q) for q in np.quantile(values, (0.1, 0.9))],
            }
            for name, values in ranks.items()
        },
    }


def over_takes(values: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The mean over frames of values (..., S) of takes."""
    return (values * lengths).sum(axis=-1) / lengths.sum(axis=-1)


def interval(values: np.ndarray, lengths: np.ndarray, drawn: np.ndarray) -> list[float]:
    """95 % of the means of takes drawn again."""
    return [rounded(edge) for edge in np.quantile(over_takes(values[drawn], lengths[drawn]), (0.025, 0.975))]


def per_action(values: np.ndarray, lengths: np.ndarray, actions: list[str]) -> dict[str, float]:
    chosen = {action: [n for n, other in enumerate(actions) if other == action] for action in dict.fromkeys(actions)}
    return {action: rounded(over_takes(values[own], lengths[own])) for action, own in chosen.items()}


def correlation(look: np.ndarray, rise: np.ndarray, lengths: np.ndarray, drawn: np.ndarray) -> dict:
    """Spearman's over the heads (N, S) of a stage; the interval is over takes, the p over an order by chance."""
    result = spearmanr(over_takes(look, lengths), over_takes(rise, lengths))
    again = [spearmanr(over_takes(look[:, d], lengths[d]), over_takes(rise[:, d], lengths[d]))[0] for d in drawn[:500]]
    edges = [rounded(edge) for edge in np.quantile(again, (0.025, 0.975))]
    return {"heads": len(look), "rho": rounded(result[0]), "95 %": edges, "p": rounded(result[1], 3)}


def rounded(value: float, digits: int = 2) -> float:
    return round(float(value), digits)


if __name__ == "__main__":
    main()
