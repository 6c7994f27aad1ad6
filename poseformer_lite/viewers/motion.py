"""A motion in space: a skeleton that plays and turns, the truth with it, and the picture that it was lifted from."""

import ipywidgets
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
import torch
from traitlets import Bool, Enum, Int, validate

from poseformer_lite import metrics, plots
from poseformer_lite.checked import number
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.skeleton import H36M17, Skeleton
from poseformer_lite.viewers import controls, drawing
from poseformer_lite.viewers.given import Given, checked, num_frames, upright
from poseformer_lite.viewers.state import ViewState
from poseformer_lite.viewers.viewer import Viewer

ARRANGEMENTS = ("overlaid", "side by side", "prediction only")
ERROR_COLORS = "YlOrRd"
GAP = 0.2  # metres between prediction and truth side by side


def view_motion(
    motion_or_poses_3d: Given,
    truth: Given | None = None,
    *,
    keypoints: Given | None = None,
    skeleton: Skeleton = H36M17,
    fps: float = 50.0,
    world: bool | None = None,
    state: ViewState | None = None,
    truth_name: str = "truth",
) -> "MotionViewer":
    """Look at a motion, played and turned; in a notebook the last expression of a cell shows it.

    :param motion_or_poses_3d: a Motion, which brings its own keypoints, skeleton and fps, or (T, J, 3) metres, camera
        space and root-relative or, with `world`, z up.
    :param truth: the same, in the same space.
    :param keypoints: (T, J, 2), pixels or normalised screen coordinates.
    :param skeleton: the body, and frames per second.
    :param fps: the body, and frames per second.
    :param world: of an array, whether z is up; of a Motion, whether to show it in the world (`Motion.world`) and not
        as its camera sees it, which is so by default where there is no truth to compare it with.
    :param state: of other viewers of the same motion, to move together with them.
    :param truth_name: what the truth is where it is not the truth, such as another network's prediction.
    :returns: The viewer.
    :raises ValueError: as `MotionViewer` does.
    """
    if isinstance(motion_or_poses_3d, Motion):
        motion, world = motion_or_poses_3d, truth is None if world is None else world
        motion_or_poses_3d = motion.world() if world else motion.poses_3d
        keypoints = motion.keypoints if keypoints is None else keypoints
        skeleton, fps = motion.skeleton, motion.fps
    if isinstance(truth, Motion):
        truth = truth.world() if world else truth.poses_3d
    return MotionViewer(motion_or_poses_3d, truth, keypoints, skeleton, fps, bool(world), state, truth_name)


class MotionViewer(Viewer):
    """Play a motion, turn it, and see where it is wrong.

    The truth, in grey, lies under the prediction or stands beside it (`arrangement`). With `errors`, the joints take
    colour and size by their distance to the truth, on a scale from 0 to `top`: the 95th percentile of all joints and
    frames of this motion. `trail` shows where the ends of the limbs have been during that number of frames. A click on
    the curve of the error jumps to that frame; hovering a joint picks it out in space and in the image, a click pins
    it.

    The arguments are those of `view_motion`, but no Motion. By any other truth_name than "truth", the distance of the
    truth to the poses is not called an error nor, in the mean, MPJPE. Raises ValueError for other shapes, no frames,
    numbers that are not finite, poses that are not in metres or not root-relative, a state of another motion, and where
    errors or an arrangement with a truth are asked for without one.
    """

    arrangement = Enum(ARRANGEMENTS, "overlaid")
    errors = Bool(False)
    trail = Int(0, min=0, max=50)

    def __init__(
        self,
        poses_3d: Given,
        truth: Given | None = None,
        keypoints: Given | None = None,
        skeleton: Skeleton = H36M17,
        fps: float = 50.0,
        world: bool = False,
        state: ViewState | None = None,
        truth_name: str = "truth",
    ):
        T, J = num_frames(poses_3d), skeleton.num_joints
        self.poses, self.world = upright("poses_3d", poses_3d, T, skeleton, world), world
        self.skeleton, self.fps, self.top = skeleton, number(fps, "fps", over=0), 1.0
        self.truth_name, known = truth_name, truth_name == "truth"
        self.of_joint, self.of_pose = ("error", "MPJPE") if known else ("distance", "mean distance")
        self.truth = self.error = self.keypoints = None
        if truth is not None:
            self.truth = upright("truth", truth, T, skeleton, world)
            self.error = 1000 * metrics.mpjpe(*map(torch.from_numpy, (self.poses, self.truth)), reduce=False).numpy()
            self.top = max(float(np.percentile(self.error, 95)), 1.0)
            self._curve = self.error.mean(axis=1).round(2).tolist()
        if keypoints is not None:
            self.keypoints = checked("keypoints", keypoints, (T, J, 2), skeleton)
        self.leaves = [joint for joint in range(J) if joint not in skeleton.parents]
        arrangement = "prediction only" if truth is None else "overlaid"
        sizes = {"num_frames": T, "num_joints": J}
        super().__init__(state, sizes, errors=truth is not None, arrangement=arrangement)

    @validate("errors", "arrangement")
    def _needs_truth(self, proposal):
        if self.truth is None and proposal.value not in (False, "prediction only"):
            raise ValueError(f"{proposal.trait.name} = {proposal.value!r} needs a truth, and this motion has none")
        return proposal.value

    @property
    def unit(self) -> str:
        """In which unit the keypoints are: no image is so small that its pixels end at 2."""
        return "in pixels" if np.abs(self.keypoints).max() > 2 else "normalised"

    def spec(self) -> dict:
        frame = self.state.frame
        data = [drawing.trails(self._paths(), "scene")]
        if self.truth is not None:
            data += self._true_body()
        data += drawing.body(self.poses[frame], self.skeleton, "scene", name="prediction")
        data[-1] |= {"name": "joints", "marker": self._marker(6)}
        if self.error is not None:
            data[-1]["customdata"] = self.error[frame].round(1).tolist()
            data[-1]["hovertemplate"] = "%{text}: %{customdata:.0f} mm<extra></extra>"
        if self.keypoints is not None:
            data += drawing.body(self.keypoints[frame], self.skeleton, name="keypoints")
            data[-1] |= {"name": "joints in the image", "marker": self._marker(6, bar=False)}
        if self.error is not None:
            data += drawing.curve(self._curve, frame, "error", "mm", xaxis="x2", yaxis="y2")
        return {"data": data, "layout": self._layout()}

    def _layout(self) -> dict:
        """The scene, with the image to its left and the curve below the image or, without one, below the scene."""
        left = 0.0 if self.keypoints is None else 0.42
        right, bottom = (1.0, 0.0) if self.truth is None else (0.93, 0.28)
        floor = 0.0 if left else bottom
        layout = drawing.layout(
            self.title(),
            self.looked_at(),
            height=640 if floor else 560,
            margin={"l": 65, "r": 10, "t": 65, "b": 60},
            scene=self._scene((left, right), (floor, 1.0)),
            annotations=[drawing.note(self.legend(), (left + right) / 2, floor)],
        )
        if self.keypoints is not None:
            layout |= drawing.image_axes(self.keypoints, self.unit, (0.0, left - 0.06), (bottom and bottom + 0.1, 1.0))
        if self.truth is not None:
            across, up = (0.0, left - 0.06 if left else right), (0.0, bottom - 0.1)
            layout |= drawing.curve_axes(self._curve, f"{self.of_pose} in mm", across, up, number=2)
        return layout

    def _true_body(self) -> list[dict]:
        beside = self.arrangement == "side by side"
        traces = drawing.body(self.truth[self.state.frame] + self.aside, self.skeleton, "scene", True, "truth")
        if beside:  # no longer under the prediction: as thin, and left unlike right
            for trace, side in zip(traces, drawing.SIDES, strict=False):
                trace["line"] |= {"width": 6, "dash": drawing.DASHES[side]}
        for trace in traces:
            trace |= {"visible": self.arrangement != "prediction only", "opacity": 1.0 if beside else 0.5}
        told = {"text": [f"{joint}, {self.truth_name}" for joint in self.skeleton.joints], "hoverinfo": "all"}
        traces[-1] |= {"name": "true joints", "hovertemplate": "%{text}<extra></extra>", **told}
        return traces

    def _paths(self) -> np.ndarray:
        """Where the ends of the limbs have been. (N, leaves, 3), the last at the frame."""
        frame = self.state.frame
        return self.poses[max(0, frame - self.trail) : frame + 1, self.leaves]

    @property
    def aside(self) -> np.ndarray:
        """How far the truth is moved to stand beside the prediction, to the right as seen from the chosen view. (3,)"""
        if self.arrangement != "side by side":
            return np.zeros(3)
        x, y, _ = drawing.CAMERAS[self.view]
        right = np.array([-y, x, 0.0]) / np.hypot(x, y)
        return right * (GAP + ((self.poses @ right).max(axis=1) - (self.truth @ right).min(axis=1)).max())

    def _scene(self, across=(0.0, 1.0), up=(0.0, 1.0)) -> dict:
        """A cube round a body that stays where it is; in the world, a scene as long and as wide as the way it goes."""
        make = drawing.fitted_scene if self.world else drawing.scene_layout
        return make(self._everywhere(), self.view, across, up)

    def _everywhere(self) -> np.ndarray:
        return self.poses if self.truth is None else np.concatenate([self.poses, self.truth + self.aside])

    def _marker(self, size: float, bar: bool = True) -> dict:
        """The look of the joints: the one that is looked at is a large diamond."""
        chosen = np.arange(self.skeleton.num_joints) == self.state.joint
        colors, sizes = np.where(chosen, drawing.CHOSEN, "#333333"), np.full(len(chosen), size)
        if self.errors:
            colors = self.error[self.state.frame].round(2)
            sizes = size * (1 + np.minimum(colors / self.top, 1))
        title = {"text": f"{self.of_joint}<br>in mm", "side": "top", "font": {"size": 11}}
        return {
            "symbol": np.where(chosen, "diamond", "circle").tolist(),
            "size": np.where(chosen, 2.5 * size, sizes).round(2).tolist(),
            "color": colors.tolist(),
            "cmin": 0,
            "cmax": self.top,
            "colorscale": ERROR_COLORS,
            "showscale": self.errors and bar,
            "colorbar": {"title": title, "x": 0.94, "y": 0.65, "len": 0.6, "thickness": 10, "tickfont": {"size": 10}},
            "line": {"width": 1, "color": "#333333"},
            "opacity": 1,
        }

    def title(self) -> str:
        frame = self.state.frame
        error = "" if self.error is None else f", {self.of_pose} {self.error[frame].mean():.0f} mm"
        return f"Motion of {self.skeleton.name}, frame {frame} at {frame / self.fps:.2f} s{error}"

    def looked_at(self) -> str:
        """The joint that is looked at, and how wrong or where it is."""
        frame, joint = self.state.frame, self.state.joint
        name = self.skeleton.joints[joint] + (" (pinned)" if self.state.pinned else "")
        if self.error is not None:
            true = "the truth" if self.truth_name == "truth" else self.truth_name
            return f"{name} is {self.error[frame, joint]:.0f} mm from {true}"
        x, y, z = self.poses[frame, joint].round(2) + 0.0  # no -0.00
        return f"{name} is at x {x:.2f}, y {y:.2f} and height {z:.2f} m"

    def legend(self) -> str:
        """Which line is what."""
        look = {"overlaid": "wide and grey", "side by side": "to the right in grey"}.get(self.arrangement)
        truth = f", {self.truth_name} {look}" if look else ""
        return f"left limbs solid, right limbs dashed{truth}; grid: {drawing.GRID:g} m"

    def describe(self) -> str:
        motion = f" of {len(self.poses)} frames at {self.fps:g} Hz"
        if self.error is not None:
            motion += f" with {self.of_pose} {self.error.mean():.0f} mm"
        return f"{self.title()}: {self.looked_at()}, in a motion{motion}"

    def listen(self, figure: go.FigureWidget) -> None:
        self.look_by(figure, "joints", "joints in the image", "true joints")
        for trace in figure.data:
            if trace.name == "error":
                self.react(trace, click=lambda cell: setattr(self.state, "frame", cell[1]))

    def controls(self) -> list[ipywidgets.Widget]:
        trail = ipywidgets.IntSlider(min=0, max=50, description="trail", layout={"width": "240px"})
        widgets = [*controls.frame_controls(self, self.fps), self.tie(trail, "trail")]
        if self.truth is not None:
            name, words = f"{self.of_joint} colours", f"colour the joints by their {self.of_joint}"
            ways = ipywidgets.Dropdown(
                options=ARRANGEMENTS, description=self.truth_name, style={"description_width": "initial"}
            )
            colors = ipywidgets.ToggleButton(description=name, tooltip=words, layout={"width": "130px"})
            widgets += [self.tie(ways, "arrangement"), self.tie(colors, "errors")]
        return [*widgets, *controls.joint_controls(self, self.skeleton), *controls.view_controls(self)]

    def still(self) -> plt.Figure:
        left = [name for name, there in (("image", self.keypoints), ("curve", self.error)) if there is not None]
        rows = [[name, "scene"] for name in left]
        if self.keypoints is None:
            rows = [["scene"], *([name] for name in left)]
        figure = plt.figure(figsize=(9.8, 6.4 if rows[0] == ["scene"] else 5.4), layout="constrained")
        sizes = {"height_ratios": [2.6, 1][: len(rows)], "width_ratios": [2, 3][: len(rows[0])]}
        axes = figure.subplot_mosaic(rows, per_subplot_kw={"scene": {"projection": "3d"}}, **sizes)
        self._still_scene(axes["scene"])
        if self.keypoints is not None:
            self._still_image(axes["image"])
        if self.error is not None:
            plots.plot_errors(self._curve, self.state.frame, axes["curve"], self.of_pose)
        figure.suptitle(f"{self.title()}\n{self.looked_at()}", fontsize=11)
        return figure

    def _still_scene(self, ax: plt.Axes) -> None:
        frame = self.state.frame
        if self.arrangement != "prediction only":
            plots.plot_ghost_3d(self.truth[frame] + self.aside, self.skeleton, ax)
        if self.arrangement == "side by side":
            for (_, child), line in zip(self.skeleton.bones, ax.lines, strict=True):
                line.set(linewidth=2, linestyle=plots.STYLES[self.skeleton.side(child)])
        plots.plot_pose_3d(self.poses[frame], self.skeleton, ax=ax, world=True, label=False)
        for path in self._paths().swapaxes(0, 1):
            ax.plot(*path.T, color=drawing.CHOSEN, linewidth=1.5)
        self._still_joints(ax, self.poses[frame])
        scene = self._scene()
        ranges = [scene[f"{axis}axis"]["range"] for axis in "xyz"]
        ax.set(xlim=ranges[0], ylim=ranges[1], zlim=ranges[2])
        x, y, z = drawing.CAMERAS[self.view]
        ax.view_init(elev=np.degrees(np.arctan2(z, np.hypot(x, y))), azim=np.degrees(np.arctan2(y, x)))
        ax.set_box_aspect(np.ptp(ranges, axis=1), zoom=1.1)
        ax.set_title(self.legend(), fontsize=8, y=-0.08)
        if self.errors:
            colors = mpl.cm.ScalarMappable(mpl.colors.Normalize(0, self.top), ERROR_COLORS)
            ax.figure.colorbar(colors, ax=ax, panchor=False, shrink=0.6, label=f"{self.of_joint} in mm")

    def _still_image(self, ax: plt.Axes) -> None:
        points, axes = self.keypoints[self.state.frame], drawing.image_axes(self.keypoints, self.unit, (0, 1), (0, 1))
        plots.plot_pose_2d(points, 1, 1, self.skeleton, ax)
        self._still_joints(ax, points)
        for axis in "xy":
            ax.set(**{f"{axis}lim": axes[f"{axis}axis"]["range"], f"{axis}label": f"{axis} {self.unit}"})

    def _still_joints(self, ax: plt.Axes, points: np.ndarray) -> None:
        look, chosen = self._marker(5), np.arange(len(points)) == self.state.joint
        colors, areas = np.array(look["color"]), 0.6 * np.square(look["size"])
        if self.errors:
            colors = mpl.colormaps[ERROR_COLORS](colors / self.top)
        above = {"depthshade": False} if points.shape[-1] == 3 else {"zorder": 3}
        for some, marker in ((~chosen, "o"), (chosen, "D")):
            ax.scatter(*points[some].T, c=colors[some], s=areas[some], marker=marker, edgecolor="0.2", **above)
