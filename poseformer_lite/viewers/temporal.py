"""Which frames the prediction draws from: a head's F x F rows, the regression head's weights, and the skeleton."""

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
from torch import Tensor
from traitlets import Int, validate

from poseformer_lite import plots
from poseformer_lite.model.base import window_indices
from poseformer_lite.model.heads import AttentionMaps
from poseformer_lite.skeleton import H36M17, Skeleton
from poseformer_lite.viewers import controls, drawing
from poseformer_lite.viewers.given import Given, as_array
from poseformer_lite.viewers.state import ViewState
from poseformer_lite.viewers.viewer import StageViewer

KEYS, QUERIES = "input frame, looked at (key)", "output frame, looking (query)"
DRAWN = "drawn from\n(this head\nalone)"
MOST_NAMES = 27  # more frames than this and only some are named on the axes


class TemporalAttentionViewer(StageViewer):
    """The rows of one window: scrub through it to follow a frame's row, click a column and the skeleton jumps there.

    maps: of a sequence of T frames; poses_3d: (T, J, 3) metres, camera space and root-relative or, with world=True,
    z up; frame_weights: (F,), with which the regression head takes the mean of the output tokens
    (`model.head.weighted_mean.weight.ravel()` of a PoseFormer), else 1 / F, as the temporal baseline does. They stand
    beside the rows, and above the columns stands frame_weights @ rows: what the prediction draws from each input frame
    by this head. That is this head's share only, and no rollout: residuals, values and all other heads and layers are
    left out. A LayerNorm follows the weighted mean, so the scale and the common sign of the weights mean nothing:
    compare the bars with each other.

    `centre` is the frame that the window predicts. The window stays while the state's frame moves inside it; when the
    frame leaves it, the window moves to be round that frame, and a window that is moved away takes the frame along to
    its centre. Near the ends of the sequence it repeats the first or last frame, so that names occur more than once.
    Raises ValueError for the maps of windows, where lengths do not fit, poses have gaps, and for a state of something
    else.
    """

    stage = "temporal"
    center = Int(0)

    def __init__(
        self,
        maps: AttentionMaps,
        poses_3d: Given,
        frame_weights: np.ndarray | Tensor | None = None,
        skeleton: Skeleton = H36M17,
        fps: float = 50.0,
        world: bool = False,
        state: ViewState | None = None,
    ):
        T, *_, F = maps.temporal.shape
        self.frame_weights = np.full(F, 1 / F) if frame_weights is None else as_array(frame_weights)
        if self.frame_weights.shape != (F,):
            raise ValueError(f"frame_weights is {self.frame_weights.shape}, expected ({F},): one for each frame")
        self.windows = window_indices(T, F).numpy()  # (T, F)
        super().__init__(maps, poses_3d, skeleton, fps, world, state)
        self.center = self.state.frame
        self.state.observe(self._move_window, "frame")
        self.observe(self._move_frame, "center")

    @validate("center")
    def _check_center(self, proposal) -> int:
        if not 0 <= proposal.value < len(self.windows):
            raise ValueError(f"centre is {proposal.value}: the frames are counted from 0 to {len(self.windows) - 1}")
        return proposal.value

    def _move_window(self, change) -> None:
        if self.state.frame not in self.window:
            self.center = self.state.frame

    def _move_frame(self, change) -> None:
        if self.state.frame not in self.window:
            self.state.frame = self.center

    @property
    def window(self) -> np.ndarray:
        """The frames of the window, (F,)."""
        return self.windows[self.center]

    @property
    def map(self) -> np.ndarray:
        """The rows that are shown, (F, F)."""
        at = self.state.head_in("temporal")
        return self.rows[self.center, at.layer, at.head]

    @property
    def drawn_from(self) -> np.ndarray:
        """What the prediction draws from each input frame by this head alone, (F,)."""
        return self.frame_weights @ self.map

    def spec(self) -> dict:
        at, window = self.state.head_in("temporal"), self.window
        names = drawing.frame_names(window)
        chosen = window == self.state.frame
        colors = np.where(chosen, drawing.CHOSEN, drawing.BAR).tolist()
        colorbar = {"title": {"text": "weight", "side": "top"}, "len": 0.8, "y": 0.38, "x": 0.5, "thickness": 10}
        heatmap = drawing.rows_heatmap(
            np.round(self.map.astype(float), 6).tolist(),
            round(float(self.top[at.layer, at.head]), 6),
            x=names,
            y=names,
            colorbar=colorbar,
            hovertemplate="%{y} looks at %{x}: %{z:.3g}<extra></extra>",
        )
        marker = {"color": colors, "line": {"width": 0}}
        bar = {"type": "bar", "customdata": names, "marker": marker, "showlegend": False}
        weights = {"x": self.frame_weights.round(6).tolist(), "y": names, "orientation": "h", "xaxis": "x2"}
        weights["hovertemplate"] = "output of %{customdata}<br>frame weight %{x:.3g}<extra></extra>"
        drawn = {"x": names, "y": self.drawn_from.round(6).tolist(), "yaxis": "y2"}
        drawn["hovertemplate"] = "%{customdata}<br>drawn by this head alone: %{y:.3g}<extra></extra>"
        body = drawing.body(self.poses[self.state.frame], self.skeleton, "scene", name="body")
        body[-1]["name"] = "joints"
        note = drawing.grid_note(0.79)
        layout = drawing.layout(
            self.title(),
            self.strongest(),
            height=560,
            margin={"l": 80, "r": 10, "t": 80, "b": 70},
            scene=drawing.scene_layout(self.poses, self.view, across=(0.58, 1.0), up=(0.0, 0.95)),
            annotations=[note | {"text": f"frame {self.state.frame}, {note['text']}"}],
            shapes=[self._chosen_rows()],
            bargap=1 - self._bar_width,
            **self._axes(),
        )
        return {"data": [heatmap, bar | weights, bar | drawn, *body], "layout": layout}

    def _axes(self) -> dict:
        """A square of rows, to its right the frame weights, above it what is drawn from each frame."""
        places, F = self._named(), len(self.window)
        names = [str(self.window[place]) for place in places]
        look = {"type": "category", "tickfont": {"size": 9}}
        small = {"tickfont": {"size": 9}, "nticks": 4, "exponentformat": "none", "zerolinecolor": "#777777"}
        beside, above = ({"text": text, "font": {"size": 11}} for text in ("frame weight", DRAWN.replace("\n", "<br>")))
        keys = {"domain": [0, 0.347], "tickangle": -60, "title": {"text": KEYS}}
        queries = {"domain": [0, 0.755], "title": {"text": QUERIES}}
        return {
            "xaxis": drawing.token_axis(places, names, (-0.5, F - 0.5), **keys, **look),
            "yaxis": drawing.token_axis(places, names, (F - 0.5, -0.5), **queries, **look),
            "xaxis2": {"domain": [0.365, 0.475], "title": beside, **small},
            "yaxis2": {"domain": [0.79, 1], "title": above, **small},
        }

    def _chosen_rows(self) -> dict:
        """A shape round the rows of the frame that is looked at, which lie side by side."""
        rows = np.flatnonzero(self.window == self.state.frame)
        return drawing.outline((-0.5, float(rows[0] - 0.5)), len(self.window), len(rows), line=3)

    @property
    def _bar_width(self) -> float:
        """In rows or columns; where there are many, white between them would be all that is seen."""
        return 0.8 if len(self.window) <= MOST_NAMES else 1.0

    def _named(self) -> list[int]:
        """The places in the window that are named on the axes, the centre among them."""
        F = len(self.window)
        step = 1 if F <= MOST_NAMES else -(-F // 14)
        return list(range(F // 2 % step, F, step))

    def title(self) -> str:
        return f"Attention of {self.state.head_in('temporal')}, window round frame {self.center}"

    def strongest(self, count: int = 2) -> str:
        """What the scrubbed frame attends to most, and what the prediction draws from most by this head."""
        names, frame = drawing.frame_names(self.window), self.state.frame
        row = self.map[frame - self.center + len(self.window) // 2]  # not one of its repetitions at an end
        weights = ", ".join(f"{names[key]} {row[key]:.2g}" for key in np.argsort(-row, kind="stable")[:count])
        most = np.argmax(np.abs(self.drawn_from))
        share = f"by this head alone the prediction draws most from {names[most]}, {self.drawn_from[most]:.2g}"
        return f"frame {frame} attends most to {weights}; {share}"

    def listen(self, figure: go.FigureWidget) -> None:
        heatmap, weights, drawn = figure.data[:3]
        self.react(heatmap, click=lambda at: self.jump(at[1]))
        self.react(weights, click=self.jump)
        self.react(drawn, click=self.jump)

    def jump(self, place: int) -> None:
        """Look at the frame that stands at this place of the window."""
        self.state.frame = int(self.window[place])

    def controls(self) -> list[ipywidgets.Widget]:
        last = len(self.windows) - 1
        look = {"layout": {"width": "330px"}, "style": {"description_width": "initial"}}
        center = ipywidgets.IntSlider(min=0, max=last, description="window round", **look)
        return [
            *controls.frame_controls(self, self.fps),
            self.tie(center, "center"),
            *controls.head_controls(self, "temporal"),
            *controls.view_controls(self),
        ]

    def still(self) -> plt.Figure:
        at, window = self.state.head_in("temporal"), self.window
        chosen, places = window == self.state.frame, np.arange(len(window))
        colors = np.where(chosen, drawing.CHOSEN, drawing.BAR)
        figure = plt.figure(figsize=(10, 5.4))
        place = {"left": 0.09, "right": 0.98, "bottom": 0.12, "top": 0.83, "wspace": 0.14, "hspace": 0.09}
        widths = (4, 1.2, 0.15, 0.5, 4.5)  # rows, weights, colours, room for their numbers, skeleton
        grid = figure.add_gridspec(2, 5, width_ratios=widths, height_ratios=(1, 4), **place)
        ax = figure.add_subplot(grid[1, 0])
        top = self.top[at.layer, at.head]
        image = ax.imshow(self.map, cmap="viridis", vmin=0, vmax=top, aspect="auto", interpolation="nearest")
        drawing.outline_still(ax, self._chosen_rows(), linewidth=2)
        named = self._named()
        ax.set_xticks(named, window[named], rotation=90)
        ax.set_yticks(named, window[named])
        ax.set(xlabel=KEYS, ylabel=QUERIES)
        beside = figure.add_subplot(grid[1, 1], sharey=ax)
        beside.barh(places, self.frame_weights, self._bar_width, color=colors)
        beside.set_xlabel("frame weight", fontsize=9)
        beside.tick_params(labelleft=False)
        above = figure.add_subplot(grid[0, 0], sharex=ax)
        above.bar(places, self.drawn_from, self._bar_width, color=colors)
        above.set_ylabel(DRAWN, fontsize=8)
        above.tick_params(labelbottom=False)
        for axes in (ax, beside, above):
            axes.tick_params(labelsize=7, length=2)
        figure.colorbar(image, cax=figure.add_subplot(grid[1, 2]), label="weight")
        right = figure.add_subplot(grid[:, 4], projection="3d")
        pose, title = self.poses[self.state.frame], f"frame {self.state.frame}, on a grid of {drawing.GRID:g} m"
        plots.plot_pose_3d(pose, self.skeleton, right, title, turn=-60, world=True, label=False)
        figure.suptitle("\n".join([self.title(), *self.strongest().split("; ")]), fontsize=11)
        return figure
