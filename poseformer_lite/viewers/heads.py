"""All heads of a stage at a glance, as one mosaic: where to begin, before one of them is looked at closely."""

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
from traitlets import Enum

from poseformer_lite.checked import number
from poseformer_lite.model.base import window_indices
from poseformer_lite.model.heads import AttentionMaps, Head
from poseformer_lite.skeleton import H36M17, Skeleton
from poseformer_lite.viewers import controls, drawing
from poseformer_lite.viewers.given import sizes_of
from poseformer_lite.viewers.state import ViewState
from poseformer_lite.viewers.viewer import Viewer

MOST_TOKENS = 40  # along a side of a tile
BY_ITSELF, ALIKE = "each head by itself", "all alike"


class HeadGrid(Viewer):
    """A tile for each head, layers downwards, heads to the right: click on one to look at it, here and in all viewers
    of the same state.

    maps: of a sequence of T frames. The tiles are attention weights of the state's frame or, in the temporal stage, of
    the window round it; queries downwards, keys to the right. Maps of more than 40 tokens are drawn in the means of
    blocks, 3 by 3 tokens for F = 81 and 7 by 7 for F = 243, so that the page stays light. `scaling` "each head by
    itself" ends the colours at a head's largest weight over all frames, "all alike" at the largest of the stage.
    Raises ValueError for the maps of windows, a different number of joints, and a state of something else.
    """

    scaling = Enum((BY_ITSELF, ALIKE), BY_ITSELF)

    def __init__(
        self, maps: AttentionMaps, skeleton: Skeleton = H36M17, fps: float = 50.0, state: ViewState | None = None
    ):
        sizes = sizes_of(maps, skeleton)
        self.rows = {stage: rows.cpu().numpy() for stage, rows in maps.stages.items()}  # (T, L, H, N, N)
        self.tops = {stage: _largest(rows) for stage, rows in self.rows.items()}  # (L, H)
        self.windows = window_indices(len(maps.temporal), maps.temporal.shape[-1]).numpy()  # (T, F)
        self.skeleton = skeleton
        self.fps = number(fps, "fps", over=0)
        self._drawn: tuple | None = None  # what the mosaic was last made of
        self._cells: tuple[list, list] = ([], [])
        super().__init__(state, sizes)

    @property
    def tiles(self) -> np.ndarray:
        """The weights that are shown, (L, H, N, N), or the means of their blocks."""
        return _block_means(self.rows[self.state.stage][self.state.frame])

    @property
    def tokens(self) -> list[str]:
        """The names of the rows and columns of a tile."""
        joints, window = self.skeleton.joints, self.windows[self.state.frame]
        names = list(joints) if self.state.stage == "spatial" else drawing.frame_names(window)
        size = _block_size(len(names))
        blocks = [names[start : start + size] for start in range(0, len(names), size)]
        return [block[0] if len(block) == 1 else f"{block[0]} to {block[-1]}" for block in blocks]

    @property
    def tops_shown(self) -> np.ndarray:
        """The weight of the brightest colour of each tile, (L, H)."""
        tops = self.tops[self.state.stage]
        return tops if self.scaling == BY_ITSELF else np.full_like(tops, tops.max())

    @property
    def unit(self) -> str:
        """What the colours say."""
        return "weight" if self.scaling == ALIKE else "share of the head's largest weight"

    def spec(self) -> dict:
        tiles, tokens, tops = self.tiles, self.tokens, self.tops_shown
        L, H, N = tiles.shape[:3]
        step = N + _gap(N)
        side = min(200, 800 / H) * N / step  # pixels of a tile
        width, height = (side / N * (count * step - _gap(N)) for count in (H, L))
        shared = self.scaling == ALIKE
        colors, weights = self._colors_and_weights()
        heatmap = drawing.rows_heatmap(
            colors,
            round(float(tops.max()), 6) if shared else 1,
            customdata=weights,
            x=_names("head", H, "key", tokens),
            y=_names("layer", L, "query", tokens),
            colorbar={"title": {"text": self.unit, "side": "right"}, "x": width / 800 + 0.01, "thickness": 10},
            hoverongaps=False,
            hovertemplate="%{y}<br>%{x}<br>weight %{customdata:.3g}<extra></extra>",
        )
        across, down = self._axes(L, H, N)
        layout = drawing.layout(
            self.title(),
            self.legend(),
            height=round(height) + 130,
            margin={"l": 70, "r": 110, "t": 100, "b": 30},
            xaxis=across | {"domain": [0, min(1, width / 800)], "side": "top"},
            yaxis=down,
            shapes=[self._frame(N)],
        )
        layout["title"]["y"] = 0.94
        return {"data": [heatmap], "layout": layout}

    def _colors_and_weights(self) -> tuple[list, list]:
        """Of the mosaic's cells, as plotly takes them; which joint or head is looked at changes none of them."""
        drawn = (self.state.stage, self.state.frame, self.scaling)
        if drawn != self._drawn:
            self._drawn, self._cells = drawn, (_as_lists(self._mosaic()), _as_lists(_mosaic(self.tiles)))
        return self._cells

    def _mosaic(self) -> np.ndarray:
        """The colours of the mosaic, NaN between the tiles."""
        return _mosaic(self.tiles if self.scaling == ALIKE else self.tiles / self.tops_shown[..., None, None])

    @staticmethod
    def _axes(L: int, H: int, N: int) -> tuple[dict, dict]:
        """Along the heads and down the layers: a name for each, at the middle of its tiles of N by N."""
        step = N + _gap(N)
        middles = (np.arange(max(L, H)) * step + (N - 1) / 2).tolist()
        ends = (-1, H * step - _gap(N)), (L * step - _gap(N), -1)
        names = ([f"{kind} {number}" for number in range(count)] for kind, count in (("head", H), ("layer", L)))
        return tuple(
            drawing.token_axis(middles[: len(some)], some, span, type="category")
            for some, span in zip(names, ends, strict=True)
        )

    def _frame(self, N: int) -> dict:
        """Round the tile that is looked at."""
        at, step = self.state.head_in(self.state.stage), N + _gap(N)
        return drawing.outline((at.head * step - 0.5, at.layer * step - 0.5), N, N, line=4)

    def title(self) -> str:
        at = "window round frame" if self.state.stage == "temporal" else "frame"
        return f"All heads of the {self.state.stage} stage, {at} {self.state.frame}"

    def legend(self) -> str:
        """How to read the tiles, and which of them is framed."""
        size = _block_size(self.rows[self.state.stage].shape[-1])
        means = f", means of {size} by {size} tokens" if size > 1 else ""
        at = self.state.head_in(self.state.stage)
        return f"queries downwards, keys to the right{means}; framed: layer {at.layer} head {at.head}"

    def describe(self) -> str:
        largest = self.rows[self.state.stage][self.state.frame].max(axis=(-2, -1))  # (L, H)
        low, high = (np.unravel_index(where, largest.shape) for where in (largest.argmin(), largest.argmax()))
        weights = " to ".join(f"{largest[at]:.2g} in layer {at[0]} head {at[1]}" for at in (low, high))
        return f"{self.title()}, {self.state.head_in(self.state.stage)} framed; their largest weights go from {weights}"

    def listen(self, figure: go.FigureWidget) -> None:
        self.react(figure.data[0], click=lambda at: self.open(*at))

    def open(self, row: int, column: int) -> None:
        """Look at the head whose tile lies at this row and column of the mosaic."""
        N = len(self.tokens)
        self.state.select(Head(self.state.stage, int(row) // (N + _gap(N)), int(column) // (N + _gap(N))))

    def controls(self) -> list[ipywidgets.Widget]:
        small = {"button_width": "80px"}
        stage = ipywidgets.ToggleButtons(options=list(self.rows), description="stage", style=small)
        scaling = ipywidgets.Dropdown(options=(BY_ITSELF, ALIKE), description="colours", layout={"width": "260px"})
        layer, head = controls.head_controls(self, self.state.stage)

        def bound(change) -> None:
            """As many as the stage has; the value first, or the bound would cut it and the state with it."""
            at, counts = self.state.head_in(self.state.stage), self.state.heads[self.state.stage]
            for control, value, count in zip((layer, head), (at.layer, at.head), counts, strict=True):
                control.max = max(control.max, count - 1)
                control.value = value
                control.max = count - 1

        self.state.observe(bound, "stage")
        return [
            self.tie(stage, "stage"),
            layer,
            head,
            *controls.frame_controls(self, self.fps),
            self.tie(scaling, "scaling"),
        ]

    def still(self) -> plt.Figure:
        tiles, tops = self.tiles, self.tops_shown
        L, H, N = tiles.shape[:3]
        shared = self.scaling == ALIKE
        figure, ax = plt.subplots(figsize=(10, 1.3 + min(8.6 * L / H, 2 * L)), layout="constrained")
        image = ax.imshow(
            self._mosaic(), cmap="viridis", vmin=0, vmax=tops.max() if shared else 1, interpolation="nearest"
        )
        drawing.outline_still(ax, self._frame(N), linewidth=3)
        across, down = self._axes(L, H, N)
        ax.set_xticks(across["tickvals"], across["ticktext"])
        ax.set_yticks(down["tickvals"], down["ticktext"])
        ax.tick_params(length=0, labeltop=True, labelbottom=False)
        ax.set(xlim=across["range"], ylim=down["range"])
        ax.spines[:].set_visible(False)
        figure.colorbar(image, ax=ax, label=self.unit, shrink=0.9)
        figure.suptitle(f"{self.title()}\n{self.legend()}", fontsize=11)
        return figure


def _gap(N: int) -> int:
    """How many cells lie between two tiles of N by N."""
    return max(1, round(N / 12))


def _block_size(N: int) -> int:
    """How many tokens are drawn as one, so that at most MOST_TOKENS are left."""
    return -(-N // MOST_TOKENS)


def _block_means(rows: np.ndarray) -> np.ndarray:
    """(..., N, N) -> the same, or the means of its blocks; those at the end may be smaller."""
    N = rows.shape[-1]
    starts = np.arange(0, N, _block_size(N))
    counts = np.diff(starts, append=N)
    sums = np.add.reduceat(np.add.reduceat(rows, starts, axis=-1), starts, axis=-2)
    return sums / np.outer(counts, counts)


def _largest(rows: np.ndarray) -> np.ndarray:
    """The largest weight that is drawn of each head over all frames. (T, L, H, N, N) -> (L, H)."""
    return np.max([_block_means(frame).max(axis=(-2, -1)) for frame in rows], axis=0)


def _mosaic(tiles: np.ndarray) -> np.ndarray:
    """(L, H, N, N) -> one picture, with NaN between the tiles."""
    L, H, N = tiles.shape[:3]
    gap = _gap(N)
    padded = np.pad(tiles.astype(float), ((0, 0), (0, 0), (0, gap), (0, gap)), constant_values=np.nan)
    return padded.swapaxes(1, 2).reshape(L * (N + gap), H * (N + gap))[:-gap, :-gap]


def _names(tile: str, count: int, side: str, tokens: list[str]) -> list[str]:
    """What the mouse is told of each row or column of the mosaic; all differ, as the names of a plotly axis must."""
    gap = [f"gap {number}" for number in range(_gap(len(tokens)))]
    names = [f"{tile} {number}, {name}" for number in range(count) for name in [f"{side} {t}" for t in tokens] + gap]
    return names[: -len(gap)]


def _as_lists(mosaic: np.ndarray) -> list[list[float | None]]:
    """As plotly takes it, rounded, None where there is nothing."""
    return [[None if np.isnan(value) else value for value in row] for row in mosaic.round(6).tolist()]
