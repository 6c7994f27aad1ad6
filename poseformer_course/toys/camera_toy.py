"""A camera to move round a person: where it stands, what it sees, and a joint's numbers on the way into the picture."""

from dataclasses import replace

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
from traitlets import Float

from poseformer_course.plots import fit_box
from poseformer_course.toys.sight import PINHOLE
from poseformer_lite import plots
from poseformer_lite.camera import Camera, look_at, normalize_screen
from poseformer_lite.skeleton import H36M17, Skeleton
from poseformer_lite.viewers import controls, drawing
from poseformer_lite.viewers.state import ViewState
from poseformer_lite.viewers.viewer import Viewer

WIDE = {"description_width": "100px"}
FRUSTUM = 0.5  # metres from a camera to the picture that is drawn in front of it
RANGES = {"azimuth": (-180.0, 180.0), "height": (0.05, 5.0), "distance": (0.3, 12.0), "focal": (0.4, 4.0)}


class CameraToy(Viewer):
    """Move a camera round a person and see the picture, the lines of sight, and what becomes of a joint's coordinates.

    pose_world: (J, 3) metres, z up; camera: where to begin, and the lens and the size of the picture, by default a
    pinhole 5 m away. The camera always looks at the middle of the body, upright, so it begins where the given one
    stands but need not look the same way. azimuth: degrees round the vertical, from the world's x axis towards its y
    axis; height: metres above the floor; distance: metres from the body's middle, along the floor; focal: the focal
    length in widths of the picture.

    A joint behind the camera has no pixel, and nor has one so far to the side (more than 45 degrees) that
    `Camera.project` clips it: they are not drawn, and said so. Raises ValueError for another shape, a camera that the
    sliders do not reach, and a state of another body.
    """

    azimuth = Float(0.0, min=RANGES["azimuth"][0], max=RANGES["azimuth"][1])
    height = Float(1.5, min=RANGES["height"][0], max=RANGES["height"][1])
    distance = Float(5.0, min=RANGES["distance"][0], max=RANGES["distance"][1])
    focal = Float(1.15, min=RANGES["focal"][0], max=RANGES["focal"][1])

    def __init__(
        self,
        pose_world: np.ndarray,
        camera: Camera | None = None,
        skeleton: Skeleton = H36M17,
        state: ViewState | None = None,
    ):
        J = skeleton.num_joints
        self.pose = np.array(pose_world, dtype=float)
        if self.pose.shape != (J, 3) or not np.isfinite(self.pose).all():
            raise ValueError(
                f"pose_world is {self.pose.shape}, expected ({J}, 3) finite numbers for {skeleton.name}: one pose in "
                "metres, z up"
            )
        self.target = (self.pose.max(0) + self.pose.min(0)) / 2
        self.given = camera = camera or replace(PINHOLE, translation=tuple(self.target + [0.0, -5.0, 0.5]))
        self.skeleton = skeleton
        away = np.array(camera.translation) - self.target
        start = {
            "azimuth": np.degrees(np.arctan2(away[1], away[0])),
            "height": camera.translation[2],
            "distance": np.hypot(away[0], away[1]),
            "focal": camera.focal_length[0] / camera.width,
        }
        for name, (low, high) in RANGES.items():
            if not low <= start[name] <= high:
                raise ValueError(f"the camera's {name} is {start[name]:.2f}: this toy goes from {low:g} to {high:g}")
        super().__init__(state, {"num_joints": J}, **{name: float(value) for name, value in start.items()})

    @property
    def camera(self) -> Camera:
        """The camera as it stands now."""
        turn = np.radians(self.azimuth)
        place = self.target + self.distance * np.array([np.cos(turn), np.sin(turn), 0.0])
        place[2] = self.height
        fx, fy = self.given.focal_length
        return replace(
            self.given,
            focal_length=(self.focal * self.given.width, self.focal * self.given.width * fy / fx),
            orientation=look_at(place, self.target),
            translation=tuple(place.tolist()),
        )

    def pixels(self) -> np.ndarray:
        """(J, 2), NaN for joints that have none."""
        camera = self.camera
        pose = camera.world_to_camera(self.pose)
        pixels = camera.project(pose)
        pixels[~_within_lens(pose)] = np.nan
        return pixels

    def places(self) -> list[str]:
        """Where each joint is: in the picture, or why not."""
        camera, pixels = self.camera, self.pixels()
        depths = camera.world_to_camera(self.pose)[:, 2]
        inside = ((pixels >= 0) & (pixels <= [camera.width, camera.height])).all(axis=-1)
        with_pixel = np.where(inside, "in the picture", "out of the picture")
        in_front = np.where(np.isnan(pixels).any(axis=-1), "too far to the side for a pixel", with_pixel)
        return np.where(depths > 0, in_front, "behind the camera").tolist()

    def coordinates(self) -> list[str]:
        """The chosen joint in the world, in camera space, in pixels, and as a network is given it: four lines."""
        camera, joint = self.camera, self.state.joint
        pixel = self.pixels()[joint]
        screen = normalize_screen(pixel, camera.width, camera.height)
        return [
            "world   " + _numbers("xyz", self.pose[joint], 2, "m"),
            "camera  " + _numbers("xyz", camera.world_to_camera(self.pose)[joint], 2, "m"),
            "pixels  " + _numbers("uv", pixel, 0, ""),
            "screen  " + _numbers("xy", screen, 2, ""),
        ]

    def spec(self) -> dict:
        camera, joint, pixels = self.camera, self.state.joint, self.pixels()
        place = np.array(camera.translation)
        lines = np.stack([np.broadcast_to(place, self.pose.shape), self.pose], axis=1)  # (J, 2, 3)
        pyramid = _pyramid(camera)
        frame = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]) * [camera.width, camera.height]
        ring = {"size": 15, "color": drawing.LINK, "symbol": "circle-open", "line": {"width": 3}}
        data = [
            drawing.segments(lines, "scene", line={"width": 1, "color": "#c8c8c8"}, name="lines of sight"),
            drawing.segments(lines[[joint]], "scene", line={"width": 5, "color": drawing.LINK}, name="line of sight"),
            drawing.segments(pyramid, "scene", line={"width": 4, "color": "#333333"}, name="camera"),
            *drawing.body(self.pose, self.skeleton, "scene", name="body"),
            drawing.segments(np.stack([frame[:-1], frame[1:]], axis=1), line={"color": "#333333"}, name="frame"),
            *drawing.body(pixels, self.skeleton, name="picture"),
            drawing.markers(pixels[joint][None], marker=ring, name="chosen"),
        ]
        table = {"align": "left", "font": {"family": "monospace", "size": 12, "color": "#333333"}, "xanchor": "left"}
        text = "<br>".join([self.about_joint(), *self.coordinates()]).replace(" ", " ")
        floor = self.pose * [1, 1, 0]
        held = np.concatenate([self.pose, floor, pyramid.reshape(-1, 3)])
        scene = drawing.fitted_scene(held, self.view, (0.0, 0.56), stretch=2.4)
        scene["camera"]["projection"] = {"type": "orthographic"}  # or what is far away, the body, would be tiny
        layout = drawing.layout(
            self.title(),
            self.lost(),
            height=560,
            margin={"l": 10, "r": 20, "t": 80, "b": 20},
            scene=scene,
            annotations=[drawing.grid_note(0.28, 0.03), drawing.note(text, 0.64, 0.2, **table)],
            **drawing.image_axes(frame, "in pixels", (0.64, 1.0), (0.32, 1.0)),
        )
        return {"data": data, "layout": layout}

    def title(self) -> str:
        return (
            f"A camera at azimuth {self.azimuth:.0f}°, {self.height:.2f} m high, {self.distance:.2f} m away, focal "
            f"length {self.camera.focal_length[0]:.0f} pixels"
        )

    def about_joint(self) -> str:
        joint = self.state.joint
        return f"{joint} {self.skeleton.joints[joint]}, {self.places()[joint]}"

    def lost(self) -> str:
        """Which joints are not in the picture."""
        lost: dict[str, list[str]] = {}
        for name, place in zip(self.skeleton.joints, self.places(), strict=True):
            lost.setdefault(place, []).append(name)
        parts = [f"{place}: {', '.join(names)}" for place, names in lost.items() if place != "in the picture"]
        return "; ".join(parts) or "all joints are in the picture"

    def describe(self) -> str:
        return f"{self.title()}; {self.lost()}. {self.about_joint()}: {'; '.join(self.coordinates())}"

    def listen(self, figure: go.FigureWidget) -> None:
        self.look_by(figure, "body", "picture")

    def controls(self) -> list[ipywidgets.Widget]:
        steps = {"azimuth": 1.0, "height": 0.05, "distance": 0.05, "focal": 0.05}
        words = {"azimuth": "azimuth, °", "height": "height, m", "distance": "distance, m", "focal": "focal length"}
        sliders = [
            self.tie(
                ipywidgets.FloatSlider(min=low, max=high, step=steps[name], description=words[name], style=WIDE), name
            )
            for name, (low, high) in RANGES.items()
        ]
        return [*sliders, *controls.joint_controls(self, self.skeleton), *controls.view_controls(self)]

    def still(self) -> plt.Figure:
        camera, joint, pixels, pyramid = self.camera, self.state.joint, self.pixels(), _pyramid(self.camera)
        place = np.array(camera.translation)
        figure = plt.figure(figsize=(10, 5.2), layout="constrained")
        places = figure.add_gridspec(2, 2, width_ratios=(3, 2), height_ratios=(4, 1))
        left, right = figure.add_subplot(places[:, 0], projection="3d"), figure.add_subplot(places[0, 1])
        for other, spot in enumerate(self.pose):
            look = {"color": drawing.LINK, "linewidth": 2} if other == joint else {"color": "0.8", "linewidth": 0.6}
            left.plot(*np.stack([place, spot]).T, **look)
        for edge in pyramid:
            left.plot(*edge.T, color="0.2", linewidth=1.5)
        plots.plot_pose_3d(self.pose, self.skeleton, left, turn=-60, world=True, label=False)
        fit_box(left, np.concatenate([self.pose, self.pose * [1, 1, 0], pyramid.reshape(-1, 3)]), zoom=1.2)
        plots.plot_pose_2d(pixels, camera.width, camera.height, self.skeleton, right)
        right.plot(*pixels[joint], "o", color=drawing.LINK, markersize=11, fillstyle="none", markeredgewidth=2)
        text = figure.add_subplot(places[1, 1])
        text.set_axis_off()
        text.text(0, 1, "\n".join([self.about_joint(), *self.coordinates()]), family="monospace", va="top", fontsize=9)
        figure.suptitle(f"{self.title()}\n{self.lost()}", fontsize=11)
        return figure


def _within_lens(pose: np.ndarray) -> np.ndarray:
    """(J,): in front of the camera, and not so far to the side that its projection is clipped. pose: camera space."""
    return (pose[:, 2] > 0) & (np.abs(pose[:, :2]) <= pose[:, 2:]).all(axis=-1)


def _pyramid(camera: Camera) -> np.ndarray:
    """The camera and the picture in front of it: eight edges, (8, 2, 3) in the world."""
    size, focal = np.array([camera.width, camera.height]), np.array(camera.focal_length)
    pixels = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * size
    corners = np.concatenate([(pixels - np.array(camera.center)) / focal, np.ones((4, 1))], axis=-1)
    corners = camera.camera_to_world(FRUSTUM * corners / np.linalg.norm(corners[0]))
    apex = np.broadcast_to(camera.translation, corners.shape)
    return np.concatenate([np.stack([apex, corners], axis=1), np.stack([corners, np.roll(corners, 1, axis=0)], axis=1)])


def _numbers(names: str, values: np.ndarray, digits: int, unit: str) -> str:
    if not np.isfinite(values).all():  # behind the camera
        return "none"
    rounded = [round(float(value), digits) + 0.0 for value in values]  # never -0
    pairs = zip(names, rounded, strict=True)
    return "  ".join(f"{name} {value:7.{digits}f}" for name, value in pairs) + f" {unit}"
