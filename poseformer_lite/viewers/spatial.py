"""Whom a joint attends to: a head's 17 x 17 rows beside the skeleton, each lighting up the other."""

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go

from poseformer_lite import plots
from poseformer_lite.viewers import controls, drawing
from poseformer_lite.viewers.viewer import StageViewer


class SpatialAttentionViewer(StageViewer):
    """Hover a row or a joint: the joints take the colours of its row, and links lead to those it attends to most.

    maps: of a sequence of T frames, by a network with a spatial stage; poses_3d: the skeleton to draw on, (T, J, 3)
    metres, camera space and root-relative or, with world=True, z up. A click pins the joint. Colours are scaled to the
    largest weight of the head over all frames, so that frames can be compared and heads cannot. Raises ValueError
    where there are no spatial maps, for the maps of windows, poses that are not of the same frames and joints or have
    gaps, and a state of something else.
    """

    @property
    def map(self) -> np.ndarray:
        """The rows that are shown, (J, J)."""
        at = self.state.head_in("spatial")
        return self.rows[self.state.frame, at.layer, at.head]

    def spec(self) -> dict:
        at, joint, pose = self.state.head_in("spatial"), self.state.joint, self.poses[self.state.frame]
        row, top, names = self.map[joint], float(self.top[at.layer, at.head]), list(self.skeleton.joints)
        J = len(names)
        bar = {"title": {"text": "weight", "side": "top"}, "len": 0.85, "x": 0.45, "thickness": 10}
        heatmap = drawing.rows_heatmap(
            np.round(self.map.astype(float), 8).tolist(),
            round(top, 6),
            customdata=[[[query, key] for key in names] for query in names],
            hovertemplate="%{customdata[0]} looks at %{customdata[1]}: %{z:.3f}<extra></extra>",
            colorbar=bar,
        )
        chosen = drawing.box(slice(joint, joint + 1), slice(0, J))
        body = drawing.body(pose, self.skeleton, "scene")
        body[-1] |= {"marker": self._lit(row, top), "name": "joints"}
        layout = drawing.layout(
            self.title(),
            self.strongest(),
            height=480,
            margin={"l": 80, "r": 10, "t": 60, "b": 70},
            scene=drawing.scene_layout(self.poses, self.view, across=(0.53, 1.0)),
            annotations=[drawing.grid_note(0.77)],
            xaxis=self._axis((-0.5, J - 0.5), "looked at (key)", domain=[0.0, 0.44], tickangle=-60),
            yaxis=self._axis((J - 0.5, -0.5), "looking (query)", domain=[0.0, 1.0], scaleanchor="x"),
        )
        return {"data": [heatmap, chosen, *body, drawing.links(pose, joint, row, "scene")], "layout": layout}

    def _axis(self, span: tuple[float, float], title: str, **rest) -> dict:
        names = list(self.skeleton.joints)
        look = {"title": {"text": title}, "tickfont": {"size": 9}, "constrain": "domain"}
        return drawing.token_axis(list(range(len(names))), names, span, **look, **rest)

    def _lit(self, row: np.ndarray, top: float) -> dict:
        sizes = 5 + 13 * row / top
        return {
            "size": sizes.round(2).tolist(),
            "color": row.astype(float).tolist(),
            "cmin": 0,
            "cmax": top,
            "colorscale": "Viridis",
            "opacity": 1,
            "line": {"width": 1, "color": "#333333"},
        }

    def title(self) -> str:
        return f"Attention of {self.state.head_in('spatial')}, frame {self.state.frame}"

    def strongest(self, count: int = 3) -> str:
        """The joint that is looked at, and those it attends to most."""
        names, row = self.skeleton.joints, self.map[self.state.joint]
        most = np.argsort(-row, kind="stable")[:count]
        held = " (pinned)" if self.state.pinned else ""
        weights = ", ".join(f"{names[other]} {row[other]:.2f}" for other in most)
        return f"{names[self.state.joint]}{held} attends most to {weights}"

    def listen(self, figure: go.FigureWidget) -> None:
        self.react(figure.data[0], lambda at: self.state.point_at(at[0]), lambda at: self.state.pin(at[0]))
        self.look_by(figure, "joints")

    def controls(self) -> list[ipywidgets.Widget]:
        return [
            *controls.frame_controls(self, self.fps),
            *controls.head_controls(self, "spatial"),
            *controls.joint_controls(self, self.skeleton),
            *controls.view_controls(self),
        ]

    def still(self) -> plt.Figure:
        at, joint = self.state.head_in("spatial"), self.state.joint
        top = self.top[at.layer, at.head]
        figure = plt.figure(figsize=(10, 4.6), layout="constrained")
        left = figure.add_subplot(1, 2, 1)
        plots.plot_attention(self.map, self.skeleton.joints, left, title="", top=top)
        left.add_patch(plt.Rectangle((0, joint), len(self.map), 1, fill=False, edgecolor="white", linewidth=1.5))
        right = figure.add_subplot(1, 2, 2, projection="3d")
        pose, title = self.poses[self.state.frame], f"on a grid of {drawing.GRID:g} m"
        plots.plot_row_3d(pose, self.map[joint], joint, self.skeleton, right, title, top=top)
        figure.suptitle(f"{self.title()}\n{self.strongest()}", fontsize=11)
        return figure
