"""Heads as switches: what becomes of the error, and of a skeleton, when a trained network has to do without them."""

import time
from collections.abc import Sequence

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
import torch
from torch import Tensor
from traitlets import Tuple, validate

from poseformer_course.heads import HeadAblation, ablated, all_heads, head_ablation, lifting_pairs
from poseformer_lite import metrics, plots
from poseformer_lite.checked import number
from poseformer_lite.datasets.base import PoseSequence
from poseformer_lite.model.base import LiftingNetwork
from poseformer_lite.model.heads import Head
from poseformer_lite.skeleton import H36M17, Skeleton
from poseformer_lite.viewers import controls, drawing
from poseformer_lite.viewers.state import ViewState
from poseformer_lite.viewers.viewer import Viewer

NAMED = 24  # bars that can each have a name and a number beside them
OFF = drawing.CHOSEN
SWITCH = {"width": "122px"}


class AblationBoard(Viewer):
    """Switch heads off (their outputs are zero before the projection) and see the error and the skeleton answer.

    model: a PoseFormer, or a TemporalTransformerBaseline, which has temporal heads only; sequences: a few hundred
    frames of PoseSequence objects with 3D, over all of which MPJPE is taken; the skeleton is of the first one. The
    bars are the changes of MPJPE without each single head, measured when the board is made, unless `measured`, what
    `head_ablation(model, pairs or sequences)` gave for all heads and these sequences, is handed over. Whatever is
    switched off, one function lifts the sequences, so that with all heads on the error is that of the network to the
    last bit; each choice is lifted once and kept. `ablated` holds the heads that are off, a tuple of Head. Raises
    ValueError for a network without heads, sequences without 3D, and a state or a measurement of something else.
    """

    ablated = Tuple()

    def __init__(
        self,
        model: LiftingNetwork,
        sequences: Sequence[PoseSequence],
        skeleton: Skeleton = H36M17,
        fps: float = 50.0,
        state: ViewState | None = None,
        measured: HeadAblation | None = None,
    ):
        self.heads = all_heads(model)
        if not self.heads:
            raise ValueError(
                f"{type(model).__name__} has no heads to switch off: give a PoseFormer or a temporal baseline"
            )
        if not sequences or any(sequence.keypoints.shape[1] != skeleton.num_joints for sequence in sequences):
            joints = [sequence.keypoints.shape[1] for sequence in sequences]
            raise ValueError(
                f"sequences have {joints or 'no'} joints: expected one or more, of {skeleton.num_joints} joints each "
                f"as {skeleton.name} has"
            )
        self.model = model
        self.skeleton = skeleton
        self.fps = number(fps, "fps", over=0)
        self.pairs = lifting_pairs(model, sequences, skeleton.root)
        self.name = sequences[0].name
        self.truth = drawing.z_up(self.pairs[0][1].cpu())  # (T, J, 3)
        self._lifted: dict[frozenset[Head], tuple[Tensor, np.ndarray]] = {}
        self.measured = measured or self._measure()
        frames = [len(sequence) for sequence in sequences]
        if self.measured.heads != self.heads or self.measured.frames.tolist() != frames:
            raise ValueError(
                f"measured is of {len(self.measured.heads)} heads and sequences of {self.measured.frames.tolist()} "
                f"frames: expected all {len(self.heads)} heads of the model, one at a time, and {frames}"
            )
        stages = {head.stage: (head.layer + 1, head.head + 1) for head in self.heads}  # the last one of each
        super().__init__(state, {"num_frames": len(self.truth), "num_joints": skeleton.num_joints, "heads": stages})

    def _measure(self) -> HeadAblation:
        """The change of each single head, with a progress bar where it takes longer than a second."""
        begin = time.perf_counter()
        self.lift(())
        long = (time.perf_counter() - begin) * len(self.heads) > 1
        return head_ablation(self.model, self.pairs, root=self.skeleton.root, progress=long)

    def lift(self, off: Sequence[Head]) -> tuple[Tensor, np.ndarray]:
        """Without these heads: MPJPE of each sequence, (S,) millimetres, and the first one lifted, (T, J, 3) z up."""
        if (choice := frozenset(off)) not in self._lifted:
            with ablated(self.model, *choice):
                lifted = [self.model.predict_sequence(poses_2d) for poses_2d, _ in self.pairs]
            errors = [1000 * metrics.mpjpe(x, y).item() for x, (_, y) in zip(lifted, self.pairs, strict=True)]
            self._lifted[choice] = torch.tensor(errors), drawing.z_up(lifted[0].cpu())
        return self._lifted[choice]

    @property
    def baseline(self) -> float:
        """MPJPE of the whole network over all frames, in millimetres."""
        return self._over_frames(())

    @property
    def error(self) -> float:
        """MPJPE over all frames without the heads that are switched off, in millimetres."""
        return self._over_frames(self.ablated)

    def _over_frames(self, off: Sequence[Head]) -> float:
        errors, frames = self.lift(off)[0], self.measured.frames
        return HeadAblation([], frames, errors, errors[None]).error

    def layer_off(self, stage: str, layer: int) -> None:
        """Switch all heads of a layer off that are not off yet."""
        with self.hold_trait_notifications():
            for head in self.heads:
                if (head.stage, head.layer) == (stage, layer) and head not in self.ablated:
                    self.switch(head)

    def switch(self, head: Head) -> None:
        """Switch a head off, or on again."""
        self.ablated = tuple(set(self.ablated) ^ {head})

    @validate("ablated")
    def _check_ablated(self, proposal) -> tuple[Head, ...]:
        """In the order of the network."""
        if lost := [str(head) for head in proposal.value if head not in self.heads]:
            raise ValueError(f"there is no {', '.join(lost)}: the model's last head is {self.heads[-1]}")
        return tuple(head for head in self.heads if head in proposal.value)

    def all_on(self) -> None:
        self.ablated = ()

    def spec(self) -> dict:
        frame, off = self.state.frame, [head in self.ablated for head in self.heads]
        whole, lifted = self.lift(())[1], self.lift(self.ablated)[1]
        changes = self.measured.change.tolist()
        bars = {
            "type": "bar",
            "orientation": "h",
            "x": [round(change, 4) for change in changes],
            "y": list(range(len(self.heads))),
            "marker": {
                "color": [OFF if gone else plots.COLORS["left"] for gone in off],
                "pattern": {"shape": ["/" if gone else "" for gone in off]},
                "line": {"width": 1.5, "color": [OFF if gone else "rgba(0,0,0,0)" for gone in off]},
            },
            "text": [f"{change:+.1f}" for change in changes] if len(changes) <= NAMED else [""] * len(changes),
            "textposition": "outside",
            "cliponaxis": False,
            "customdata": [_name(head) for head in self.heads],
            "hovertemplate": "%{customdata}: %{x:+.2f} mm<extra></extra>",
            "showlegend": False,
            "name": "heads",
        }
        pale = drawing.body(whole[frame], self.skeleton, "scene", ghost=True, name="all heads")
        for trace in pale[:3]:
            trace["line"] = {"color": drawing.LINK, "width": 4, "dash": "dot"}
        pale[3]["marker"] = {"size": 2, "color": drawing.LINK, "opacity": 1}
        layout = drawing.layout(
            self.title(),
            self.totals(),
            height=560,
            margin={"l": 100, "r": 10, "t": 80, "b": 70},
            xaxis={
                "domain": [0.0, 0.4],
                "range": _room(changes),
                "title": {"text": "change of MPJPE without this head alone, mm", "font": {"size": 12}},
                "gridcolor": "#eeeeee",
            },
            yaxis={"range": [len(self.heads) - 0.4, -0.6], "showgrid": False, **self._ticks()},
            bargap=0.25,
            scene=drawing.fitted_scene(np.concatenate([self.truth, whole, lifted]), self.view, (0.46, 1.0)),
            annotations=[
                drawing.grid_note(0.73),
                drawing.note("grey: truth; green dots: all heads on; colours: these heads off", 0.73, -0.05),
            ],
        )
        ghost = drawing.body(self.truth[frame], self.skeleton, "scene", ghost=True, name="truth")
        body = drawing.body(lifted[frame], self.skeleton, "scene", name="lifted")
        return {"data": [bars, *ghost, *pale, *body], "layout": layout}

    def _ticks(self) -> dict:
        """The name of every head beside its bar, or of every layer where there are too many."""
        if len(self.heads) <= NAMED:
            return {"tickvals": list(range(len(self.heads))), "ticktext": [_name(head) for head in self.heads]}
        first = [index for index, head in enumerate(self.heads) if head.head == 0]
        return {"tickvals": first, "ticktext": [_name(self.heads[index]) for index in first]}

    def title(self) -> str:
        off = [_name(head) for head in self.ablated]
        many = ", ".join(off) if len(off) <= 4 else f"{len(off)} of {len(self.heads)} heads"
        return f"{self.name}, frame {self.state.frame}: {many} off" if off else f"{self.name}, frame {self.state.frame}"

    def totals(self) -> str:
        """The error of this choice beside that of the whole network, over all frames and in this one."""
        frame, (whole, lifted) = self.state.frame, (self.lift(off)[1] for off in ((), self.ablated))
        here = [1000 * np.linalg.norm(p[frame] - self.truth[frame], axis=-1).mean() for p in (lifted, whole)]
        return (
            f"MPJPE {self.error:.1f} mm over {int(self.measured.frames.sum())} frames, {self.baseline:.1f} mm with all "
            f"heads ({self.error - self.baseline:+.1f}); in this frame {here[0]:.1f} mm, with all {here[1]:.1f} mm"
        )

    def describe(self) -> str:
        return f"{self.title()}: {self.totals()}"

    def listen(self, figure: go.FigureWidget) -> None:
        self.react(figure.data[0], click=lambda bar: self.switch(self.heads[bar]))

    def controls(self) -> list[ipywidgets.Widget]:
        layers = sorted({(head.stage, head.layer) for head in self.heads})
        rows = [
            ipywidgets.HBox(
                [self._switch(head) for head in self.heads if (head.stage, head.layer) == layer],
                layout={"flex_flow": "row wrap", "width": "100%"},
            )
            for layer in layers
        ]
        for row, (stage, layer) in zip(rows, layers, strict=True):
            words = f"switch all heads of {stage} layer {layer} off"
            button = ipywidgets.Button(description=f"{stage} {layer} off", tooltip=words, layout=SWITCH)
            button.on_click(lambda _, stage=stage, layer=layer: self.layer_off(stage, layer))
            row.children = (*row.children, button)
        all_on = ipywidgets.Button(description="all on", tooltip="switch all heads on")
        all_on.on_click(lambda _: self.all_on())
        grid = ipywidgets.VBox(rows, layout={"width": "100%"})
        return [grid, all_on, *controls.frame_controls(self, self.fps), *controls.view_controls(self)]

    def _switch(self, head: Head) -> ipywidgets.Widget:
        """A button that is pressed while its head is on."""
        button = ipywidgets.ToggleButton(description=_name(head), tooltip=f"{head} on or off", layout=SWITCH)

        def show(change=None) -> None:
            button.value = head not in self.ablated
            button.icon = "check" if button.value else "times"

        def pressed(change) -> None:
            if change["new"] == (head in self.ablated):
                self.switch(head)

        show()
        button.observe(pressed, "value")
        self.observe(show, "ablated")
        return button

    def still(self) -> plt.Figure:
        frame, changes = self.state.frame, self.measured.change.tolist()
        figure = plt.figure(figsize=(10, 5.2), layout="constrained")
        left = figure.add_subplot(1, 2, 1)
        bars = left.barh(range(len(changes)), changes, color=plots.COLORS["left"])
        for bar, head in zip(bars, self.heads, strict=True):
            if head in self.ablated:
                bar.set(facecolor="white", edgecolor=OFF, hatch="////", linewidth=1.5)
        if len(changes) <= NAMED:
            left.bar_label(bars, fmt="%+.1f", padding=2, fontsize=8)
        ticks = self._ticks()
        left.set_yticks(ticks["tickvals"], ticks["ticktext"])
        left.set(xlim=_room(changes), ylim=(len(changes) - 0.4, -0.6))
        left.set(xlabel="change of MPJPE without this head alone, mm", title="heads, those switched off hatched")
        right = figure.add_subplot(1, 2, 2, projection="3d")
        plots.plot_ghost_3d(self.truth[frame], self.skeleton, right)
        plots.plot_ghost_3d(self.lift(())[1][frame], self.skeleton, right, drawing.LINK, 1.5, linestyle=":")
        lifted = self.lift(self.ablated)[1][frame]
        plots.plot_pose_3d(lifted, self.skeleton, right, turn=-60, world=True, label=False)
        right.set_title("grey: truth; green dots: all heads on")
        figure.suptitle(f"{self.title()}\n{self.totals()}", fontsize=10)
        return figure


def _name(head: Head) -> str:
    return f"{head.stage} {head.layer}.{head.head}"


def _room(changes: list[float]) -> list[float]:
    """A range of an axis that leaves room for the numbers at the ends of the bars."""
    low, high = min(0.0, *changes), max(0.0, *changes)
    room = 0.18 * max(high - low, 1e-3)
    return [low - room if low < 0 else 0.0, high + room]
