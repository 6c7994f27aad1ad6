"""Figures 3 to 11 of the paper, from networks that a laboratory has trained."""

from collections.abc import Callable
from statistics import mean, stdev

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure

from poseformer_course.heads import figure_maps
from poseformer_course.plots import plot_heads
from poseformer_course.reproduce.laboratory import Laboratory, Trial
from poseformer_course.reproduce.tables import LABELS
from poseformer_lite import plots
from poseformer_lite.camera import normalize_screen, z_up
from poseformer_lite.datasets.base import PoseSequence
from poseformer_lite.model import LiftingNetwork, predict
from poseformer_lite.model.heads import attention_maps
from poseformer_lite.skeleton import H36M17

COMPARED = {  # network: its colour
    "ResidualMLP": "0.75",
    "TemporalConvolution": plots.CHOSEN,
    "TemporalTransformerBaseline": plots.COLORS["right"],
    "PoseFormer": plots.COLORS["left"],
}
OF_SEQUENCES = list(COMPARED)[1:]
HATCHES = ("", "..", "//", "")  # told apart in grey, too
SHOWN_JOINTS = 8  # the paper's figure has those with the largest errors
MAP_FRAMES = 200
Drawn = tuple[Figure, str]


def fig3(laboratory: Laboratory) -> Drawn:
    """Bars of the error of the worst joints, with lines of the spread over seeds."""
    results = {
        name: [laboratory.result(_trial(laboratory, name, seed))["per joint"] for seed in laboratory.scale.seeds]
        for name in COMPARED
    }
    means = {name: {joint: mean(row[joint] for row in rows) for joint in rows[0]} for name, rows in results.items()}
    ours = means["PoseFormer"]
    worst = sorted(ours, key=ours.get, reverse=True)[:SHOWN_JOINTS]
    figure, ax = plt.subplots(figsize=(9, 4), layout="constrained")
    for index, (name, color) in enumerate(COMPARED.items()):
        places = np.arange(len(worst)) + (index - 1.5) * 0.2
        seeds = [[row[joint] for row in results[name]] for joint in worst]
        spread = [stdev(values) for values in seeds] if len(seeds[0]) > 1 else None
        heights = [means[name][joint] for joint in worst]
        look = {"color": color, "hatch": HATCHES[index], "edgecolor": "white"}
        ax.bar(places, heights, 0.19, yerr=spread, label=LABELS[name], capsize=2, **look)
    title = "The joints with the largest errors"
    ax.set(xticks=range(len(worst)), xticklabels=worst, ylabel="MPJPE in mm", title=title)
    ax.legend(frameon=False, fontsize=8, ncols=2, loc="upper right")
    ax.set_ylim(0, 1.25 * ax.get_ylim()[1])
    best = [joint for joint in worst if ours[joint] == min(row[joint] for row in means.values())]
    caption = (
        f"Fig. 3 on all test frames of {_where(laboratory)}; lines are one standard deviation over "
        f"{len(laboratory.scale.seeds)} seeds. PoseFormer is the best of the four in {len(best)} of these {len(worst)} "
        f"joints{': ' + ', '.join(best) if best else ''}. Its worst joint is {worst[0]}, {ours[worst[0]]:.0f} mm. The "
        "paper shows S11, Photo, of Human3.6M, beside Pavllo et al. and Chen et al."
    )
    return figure, caption


def fig4(laboratory: Laboratory) -> Drawn:
    """Three frames of one take: keypoints, then the baseline and PoseFormer over the truth."""
    take = _take(laboratory, "Photo")
    return _qualitative(laboratory, [(take, len(take) * part // 6) for part in (1, 3, 5)], "Fig. 4")


def fig10(laboratory: Laboratory) -> Drawn:
    """Two frames of each of two actions, as in the appendix."""
    takes = [_take(laboratory, action) for action in ("Greeting", "WalkDog")]
    return _qualitative(laboratory, [(take, len(take) * part // 4) for take in takes for part in (1, 3)], "Fig. 10")


def _qualitative(laboratory: Laboratory, moments: list[tuple[PoseSequence, int]], number: str) -> Drawn:
    networks = {"baseline": "TemporalTransformerBaseline", "PoseFormer": "PoseFormer"}
    figure = plt.figure(figsize=(2.9 * len(moments), 8.2), layout="constrained")
    errors: dict[str, list[float]] = {name: [] for name in networks}
    for column, (take, frame) in enumerate(moments, start=1):
        title = f"{take.subject}, {take.action}, frame {frame}"
        _draw_2d(figure.add_subplot(3, len(moments), column), take, take.keypoints[frame], title, named=column == 1)
        for row, (name, network) in enumerate(networks.items(), start=1):
            truth = take.root_relative(H36M17.root)[frame]
            pose = _lift(_model(laboratory, network), take)[frame]
            errors[name].append(_mm(pose, truth))
            ax = figure.add_subplot(3, len(moments), row * len(moments) + column, projection="3d")
            _draw_3d(ax, pose, truth, f"{name}: {errors[name][-1]:.0f} mm")
    figure.suptitle("Detected 2D, then predictions in colour over the truth in grey")
    words = ", ".join(f"{name} {mean(values):.0f} mm" for name, values in errors.items())
    caption = (
        f"{number} on {_where(laboratory)}, seed {laboratory.scale.seeds[0]}. Mean over these "
        f"{len(moments)} frames, which lie at even distances and were not picked: {words}. Left limbs are blue and "
        "solid, right ones orange and dashed. The paper compares with Chen et al., whose weights are not here."
    )
    return figure, caption


def _attention(number: int, stage: str, action: str) -> Callable[[Laboratory], Drawn]:
    def draw(laboratory: Laboratory) -> Drawn:
        take = _take(laboratory, action)
        maps = attention_maps(_model(laboratory, "PoseFormer"), _poses_2d(take)[:MAP_FRAMES])
        rows = figure_maps(maps, stage)
        names = H36M17.joints if stage == "spatial" else None
        title = f"{stage} self-attention, last layer: {take.subject}, {take.action}"
        figure = plot_heads(rows, names=names, title=title, queries_across=True)
        weights = figure_maps(maps, stage, scale="none")
        most = int(weights.mean(dim=(0, 1)).argmax())
        if stage == "spatial":
            found = (
                f"Over all heads and queries {H36M17.joints[most]} (joint {most}) gets the most weight. Joints have "
                "Human3.6M's numbers: the right arm is 14 to 16, where the paper's text says 12, 13, 14."
            )
        else:
            frames = rows.shape[-1]
            found = (
                f"Over all heads and queries frame {most} of {frames} gets the most weight; the paper's window has 81."
            )
        caption = (
            f"Fig. {number}: queries across, keys down, each head from its smallest weight at 0 to its largest at 1, "
            f"the mean of {min(MAP_FRAMES, len(take))} frames, on {_where(laboratory)}. Before that the weights go "
            f"from {weights.min():.3f} to {weights.max():.3f}, and even ones would be {1 / rows.shape[-1]:.3f}. "
            f"{found} The paper shows SittingDown, and does not say which "
            "layer nor how frames were joined, and the heads of another training do not correspond to its heads."
        )
        return figure, caption

    return draw


def fig9(laboratory: Laboratory) -> Drawn:
    """The error of every frame of two takes, or of the stretches of them that this scale tests on."""
    takes = [_take(laboratory, action) for action in ("Eating", "Photo")]
    figure, axes = plt.subplots(len(takes), 1, figsize=(9, 5), layout="constrained")
    words = []
    for ax, take in zip(axes, takes, strict=True):
        truth = take.root_relative(H36M17.root)
        errors = {name: _mm(_lift(_model(laboratory, name), take), truth) for name in OF_SEQUENCES}
        for name, values in errors.items():
            style = "-" if name == "PoseFormer" else "--" if name == OF_SEQUENCES[-2] else ":"
            ax.plot(values, style, color=COMPARED[name], linewidth=1.4, label=LABELS[name])
        ax.set(title=f"{take.subject}, {take.action}", ylabel="MPJPE in mm", xlim=(0, len(take) - 1), ylim=(0, None))
        others = np.minimum.reduce([errors[name] for name in OF_SEQUENCES[:-1]])
        words.append(f"{take.action} {100 * np.mean(errors['PoseFormer'] < others):.0f} %")
    axes[-1].set_xlabel("frame")
    axes[0].legend(frameon=False, fontsize=8, ncols=3, loc="upper right")
    axes[0].set_ylim(0, 1.3 * axes[0].get_ylim()[1])
    caption = (
        f"Fig. 9 on {_where(laboratory)}, seed {laboratory.scale.seeds[0]}. Share of the frames in "
        f"which PoseFormer has the smallest error of the three: {', '.join(words)}. The paper shows S11, Eating and "
        "Photo, of Human3.6M, beside Chen et al."
    )
    return figure, caption


def fig11(laboratory: Laboratory) -> Drawn:
    """What goes wrong in the wild, one fault at a time, on a take whose truth is known."""
    take, model = _take(laboratory, "Walking"), _model(laboratory, "PoseFormer")
    truth, frame = take.root_relative(H36M17.root), len(take) // 2
    faults = _with_faults(take.keypoints)
    figure = plt.figure(figsize=(2.9 * len(faults), 5.6), layout="constrained")
    words = []
    for column, (name, keypoints) in enumerate(faults.items(), start=1):
        poses_2d = torch.from_numpy(normalize_screen(keypoints, take.width, take.height))
        poses = predict(model, poses_2d.to(model.device), H36M17).cpu().numpy()
        error = _mm(poses, truth).mean()
        _draw_2d(figure.add_subplot(2, len(faults), column), take, keypoints[frame], name, named=column == 1)
        ax = figure.add_subplot(2, len(faults), len(faults) + column, projection="3d")
        _draw_3d(ax, poses[frame], truth[frame], f"all frames: {error:.0f} mm")
        words.append(f"{name} {error:.0f} mm")
    figure.suptitle("Faults of a detector and what they do: prediction in colour, truth in grey")
    caption = (
        f"Fig. 11 in place of videos: {len(take)} frames of {take.subject}, {take.action}, with one fault at a time in "
        f"their 2D, on {_where(laboratory)}. Mean error over them: {'; '.join(words)}. The paper's videos may not "
        "be passed on and have no truth; `poseformer-lite lift` draws your own."
    )
    return figure, caption


def _with_faults(keypoints: np.ndarray) -> dict[str, np.ndarray]:
    """(T, 17, 2) pixels as detected, and with each of three faults that detectors make."""
    rng = np.random.default_rng(0)
    thrown, lost = keypoints.copy(), keypoints.copy()
    thrown[:, [14, 15, 16]] += rng.normal(0, 60, (len(keypoints), 3, 2)).astype(np.float32)
    lost[:, [1, 2, 3]] = lost[:, :1]
    return {
        "as detected": keypoints,
        "right arm thrown off": thrown,
        "right leg found at the hip": lost,
        "left and right exchanged": keypoints[:, list(H36M17.flip_order)],
    }


def _draw_2d(ax, take: PoseSequence, keypoints: np.ndarray, title: str, named: bool) -> None:
    """A pose in the picture, cut out around the detected body."""
    plots.plot_pose_2d(keypoints, take.width, take.height, ax=ax, title=title)
    middle, half = (keypoints.max(0) + keypoints.min(0)) / 2, 0.65 * np.ptp(keypoints, axis=0).max()
    ax.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] + half, middle[1] - half))
    ax.set_ylabel("y in pixels" if named else "")
    ax.title.set_fontsize(10)


def _draw_3d(ax, pose: np.ndarray, truth: np.ndarray, title: str) -> None:
    plots.plot_ghost_3d(z_up(truth), H36M17, ax)
    plots.plot_pose_3d(pose, ax=ax, turn=-60, title=title, label=False)
    ax.title.set_fontsize(10)


def _mm(poses: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The mean error of each pose. (..., J, 3) twice, metres -> (...), mm."""
    return 1000 * np.linalg.norm(poses - truth, axis=-1).mean(axis=-1)


def _where(laboratory: Laboratory) -> str:
    scale = laboratory.scale
    proves = ", at which numbers prove nothing" if scale.name == "quick" else ""
    return f"{laboratory.source.name}, detected 2D, scale {scale.name}{proves}, f = {scale.longest}"


def _trial(laboratory: Laboratory, network: str, seed: int) -> Trial:
    sizes = {**laboratory.scale.base, "num_frames": laboratory.scale.longest}  # as in Table 1
    return Trial(network, sizes, laboratory.source.detected, seed)


def _model(laboratory: Laboratory, network: str) -> LiftingNetwork:
    trial = _trial(laboratory, network, laboratory.scale.seeds[0])
    laboratory.result(trial)  # kept, so that it is not trained for the next figure
    return laboratory.model(trial)


def _take(laboratory: Laboratory, action: str, subject: str = "S11") -> PoseSequence:
    """The longest test view of this action and subject; where there is none, of as much of that as there is."""
    test = laboratory.dataset(laboratory.source.detected).test()
    return max(test, key=lambda s: (s.base_action == action, s.subject == subject, len(s)))


def _poses_2d(take: PoseSequence) -> torch.Tensor:
    return torch.from_numpy(take.poses_2d())


def _lift(model: LiftingNetwork, take: PoseSequence) -> np.ndarray:
    """(T, J, 3) metres, flip averaged."""
    return predict(model, _poses_2d(take).to(model.device), H36M17).cpu().numpy()


FIGURES: dict[str, Callable[[Laboratory], Drawn]] = {
    "fig3": fig3,
    "fig4": fig4,
    "fig5": _attention(5, "spatial", "SittingDown"),
    "fig6": _attention(6, "temporal", "SittingDown"),
    "fig7": _attention(7, "spatial", "Walking"),
    "fig8": _attention(8, "temporal", "Walking"),
    "fig9": fig9,
    "fig10": fig10,
    "fig11": fig11,
}
