"""What a picture does not tell: bones that lean the other way, joints slid along their lines of sight, another size."""

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
from traitlets import Enum, Float, Tuple, validate

from poseformer_course.plots import fit_box
from poseformer_course.toys.sight import PINHOLE, LinesOfSight
from poseformer_lite import plots
from poseformer_lite.camera import Camera
from poseformer_lite.skeleton import H36M17, Skeleton
from poseformer_lite.viewers import controls, drawing
from poseformer_lite.viewers.state import ViewState
from poseformer_lite.viewers.viewer import Viewer

MOST = 5.0  # per cent that a joint slides at most, as in lesson 01
SIZES = (0.75, 1.33)  # times the true size; so are the distances


class DepthAmbiguityToy(Viewer):
    """Change a body without changing its picture: flip a bone, slide a joint, or make it larger and farther away.

    pose_3d: (J, 3) metres, camera space and not root-relative, the truth; camera: who sees it, for the pixels, by
    default a pinhole with about the focal length of Human3.6M's cameras.

    The root's depth and all bone lengths given, a joint is where its line of sight meets the sphere round its parent:
    at two depths, a near and a far one. Flipping a bone takes the other one. Everything that hangs on it is placed
    anew, each joint on its own line of sight at its bone's length and with its own choice of near or far, so the part
    below does not move rigidly: with perspective it could not, and keep its picture. A bone that would not reach its
    line any more forbids the flip. Then single joints slide by their own factors, which changes bones, and last the
    whole body by one factor, which changes all bones alike.

    flipped: the joints whose bone leans the other way; slid: (J,) per cent; size: a factor. Raises ValueError for
    another shape, a joint that is not in front of the camera, a flip that no body can make, and a state of another
    body.
    """

    view = Enum(tuple(drawing.CAMERAS), "right of the picture")
    flipped = Tuple()
    slid = Tuple()
    size = Float(1.0, min=SIZES[0], max=SIZES[1])

    def __init__(
        self,
        pose_3d: np.ndarray,
        camera: Camera = PINHOLE,
        skeleton: Skeleton = H36M17,
        state: ViewState | None = None,
    ):
        self.sight = LinesOfSight(pose_3d, skeleton)
        self.truth = self.sight.pose  # (J, 3)
        self.camera = camera
        self.skeleton = skeleton
        self.random = np.random.default_rng(0)
        J = skeleton.num_joints
        super().__init__(state, {"num_joints": J}, slid=(0.0,) * J)

    @property
    def pose(self) -> np.ndarray:
        """The body that is shown, (J, 3) metres, camera space: its picture is that of the truth."""
        factors = self.size * (1 + np.array(self.slid) / 100)  # (J,)
        return self.sight.place(self.flipped) * factors[:, None]

    def flip(self, joint: int) -> None:
        """Let the bone that ends at this joint lean the other way, or back."""
        self.flipped = tuple(sorted(set(self.flipped) ^ {joint}))

    def slide(self, joint: int, percent: float) -> None:
        """Slide one joint along its line of sight, by so many per cent of its distance."""
        self.slid = (*self.slid[:joint], float(percent), *self.slid[joint + 1 :])

    def shuffle(self) -> None:
        """Another body with these bone lengths and this picture, each as likely as any other."""
        self.flipped = self.sight.draw(self.random)

    def reset(self) -> None:
        """The truth again."""
        with self.hold_trait_notifications():
            self.flipped, self.slid, self.size = (), (0.0,) * self.skeleton.num_joints, 1.0

    @validate("flipped")
    def _check_flipped(self, proposal) -> tuple[int, ...]:
        self.sight.place(proposal.value)  # raises where no body is like this
        return proposal.value

    @validate("slid")
    def _check_slid(self, proposal) -> tuple[float, ...]:
        if len(proposal.value) != self.skeleton.num_joints or max(map(abs, proposal.value)) > MOST:
            raise ValueError(
                f"slid is {proposal.value}: one number for each joint, from {-MOST:g} to {MOST:g} per cent"
            )
        return proposal.value

    def differences(self) -> dict[str, float]:
        """How far the body is from the truth: in pixels, its joints (MPJPE, root-relative) and bones in millimetres."""
        pose, root = self.pose, self.skeleton.root
        pixels = np.linalg.norm(self.camera.project(pose) - self.camera.project(self.truth), axis=-1)
        joints = np.linalg.norm((pose - pose[root]) - (self.truth - self.truth[root]), axis=-1)
        bones = np.abs(self.skeleton.bone_lengths(pose) - self.skeleton.bone_lengths(self.truth))
        return {"pixels": pixels.max(), "mpjpe_mm": 1000 * joints.mean(), "bones_mm": 1000 * bones.max()}

    def spec(self) -> dict:
        pose, pixels, true_pixels = self.pose, self.camera.project(self.pose), self.camera.project(self.truth)
        joint, points = self.state.joint, drawing.z_up(pose)
        ring = {"size": 15, "color": drawing.LINK, "symbol": "circle-open", "line": {"width": 3}}
        ends = {"size": 7, "color": drawing.LINK, "symbol": "diamond-open"}
        lines = drawing.z_up(self.sight.within_reach(min(self.size, 1), max(self.size, 1)))  # (J, 2, 3)
        chosen = drawing.z_up(self.sight.ends(joint, pose, self.size))  # (0, 1 or 2, 3)
        data = [
            *drawing.body(true_pixels, self.skeleton, ghost=True, name="true picture"),
            *drawing.body(pixels, self.skeleton, name="picture"),
            drawing.markers(pixels[joint][None], None, marker=ring, name="chosen"),
            drawing.segments(lines, "scene", line={"width": 1.5, "color": "#c8c8c8"}, name="lines of sight"),
            drawing.segments(lines[[joint]], "scene", line={"width": 4, "color": drawing.LINK}, name="line of sight"),
            *drawing.body(drawing.z_up(self.truth), self.skeleton, "scene", ghost=True, name="truth"),
            *drawing.body(points, self.skeleton, "scene", name="body"),
            drawing.markers(chosen, "scene", marker=ends, name="ends"),
        ]
        layout = drawing.layout(
            self.title(),
            f"{self.apart()}<br>{self.about_joint()}; {self.how_many()}",
            height=520,
            margin={"l": 60, "r": 10, "t": 100, "b": 60},
            scene=drawing.fitted_scene(np.concatenate([lines.reshape(-1, 3), points]), self.view, (0.38, 1.0)),
            annotations=[
                drawing.grid_note(0.7),
                drawing.note("grey: the truth, and lines of sight to the camera", 0.7, -0.05),
            ],
            **drawing.image_axes(true_pixels, "in pixels", (0.0, 0.36), (0.0, 1.0)),
        )
        layout["title"] |= {"y": 0.96, "yanchor": "top"}
        return {"data": data, "layout": layout}

    def title(self) -> str:
        flipped, moved = len(self.flipped), sum(map(bool, self.slid))
        parts = ["1 bone flipped" if flipped == 1 else f"{flipped or 'no'} bones flipped"]
        if moved:
            parts.append("1 joint slid" if moved == 1 else f"{moved} joints slid")
        if self.size != 1:
            parts.append(f"{self.size:.2f} times the size and distance")
        return f"One picture, many bodies: {', '.join(parts)}"

    def apart(self) -> str:
        """How far this body is from the truth."""
        apart = self.differences()
        return (
            f"keypoints differ by {apart['pixels']:.2f} pixels at most, joints by {apart['mpjpe_mm']:.0f} mm on "
            f"average (MPJPE), bones by {apart['bones_mm']:.0f} mm at most"
        )

    def how_many(self) -> str:
        """How many bodies there are with these bones and this picture."""
        bones = len(self.skeleton.bones)
        return f"{self.sight.num_poses:,} of 2^{bones} = {2**bones:,} choices of near and far are bodies"

    def about_joint(self) -> str:
        """The bone that is chosen, and whether it can be flipped."""
        joint, name = self.state.joint, self.skeleton.joints[self.state.joint]
        if joint == self.skeleton.root:
            return f"{name} is the root: no bone ends at it"
        bone = self.sight.bone(joint) + " (flipped)" * (joint in self.flipped)
        if lost := self.sight.forbids(set(self.flipped) ^ {joint}):
            return f"{bone} cannot be flipped: {lost}"
        if len(self.sight.ends(joint, self.sight.place(self.flipped))) == 1:
            return f"{bone} is at right angles to its line of sight: it has one end only"
        return f"{bone} can end {'farther away' if self.is_near(joint) else 'nearer'} as well"

    def is_near(self, joint: int) -> bool:
        """Whether a joint is at the nearer end that its bone allows."""
        return self.sight.near[joint] != (joint in self.flipped)

    def describe(self) -> str:
        return f"{self.title()}: {self.apart()}; {self.about_joint()}; {self.how_many()}"

    def listen(self, figure: go.FigureWidget) -> None:
        self.look_by(figure, "body", "picture")

    def controls(self) -> list[ipywidgets.Widget]:
        flip = ipywidgets.Button(description="flip its bone", tooltip="the other end that its length allows")
        slide = ipywidgets.FloatSlider(min=-MOST, max=MOST, step=0.1, description="slide it, %")
        size = ipywidgets.FloatSlider(min=SIZES[0], max=SIZES[1], step=0.01, description="size")
        shuffle = ipywidgets.Button(description="another body", tooltip="of those with these bones and this picture")
        reset = ipywidgets.Button(description="the truth", tooltip="undo everything")

        def show(change=None) -> None:
            joint = self.state.joint
            flip.disabled = joint == self.skeleton.root or bool(self.sight.forbids(set(self.flipped) ^ {joint}))
            flip.description = "flip it back" if joint in self.flipped else "flip its bone"
            slide.value = self.slid[joint]

        def flip_joint(_) -> None:
            if not flip.disabled:
                self.flip(self.state.joint)

        flip.on_click(flip_joint)
        slide.observe(lambda change: self.slide(self.state.joint, change["new"]), "value")
        shuffle.on_click(lambda _: self.shuffle())
        reset.on_click(lambda _: self.reset())
        self.state.observe(show, "joint")
        self.observe(show, ["flipped", "slid"])
        show()
        return [
            *controls.joint_controls(self, self.skeleton),
            flip,
            slide,
            self.tie(size, "size"),
            shuffle,
            reset,
            *controls.view_controls(self),
        ]

    def still(self) -> plt.Figure:
        pose, truth, joint = drawing.z_up(self.pose), drawing.z_up(self.truth), self.state.joint
        pixels, true_pixels = self.camera.project(self.pose), self.camera.project(self.truth)
        lines = drawing.z_up(self.sight.within_reach(min(self.size, 1), max(self.size, 1)))  # (J, 2, 3)
        chosen = drawing.z_up(self.sight.ends(joint, self.pose, self.size))  # (0, 1 or 2, 3)
        figure = plt.figure(figsize=(10, 5), layout="constrained")
        places = figure.add_gridspec(1, 2, width_ratios=(1, 2))
        left, right = figure.add_subplot(places[0]), figure.add_subplot(places[1], projection="3d")
        plots.plot_pose_2d(pixels, self.camera.width, self.camera.height, self.skeleton, left)
        axes = drawing.image_axes(true_pixels, "", (0, 1), (0, 1))
        left.set(xlim=axes["xaxis"]["range"], ylim=axes["yaxis"]["range"], title="what the camera sees")
        left.plot(*pixels[joint], "o", color=drawing.LINK, markersize=11, fillstyle="none", markeredgewidth=2)
        for other, line in enumerate(lines):
            right.plot(*line.T, color=drawing.LINK if other == joint else "0.8", linewidth=0.6 + (other == joint))
        plots.plot_ghost_3d(truth, self.skeleton, right)
        plots.plot_pose_3d(pose, self.skeleton, right, turn=-20, world=True, label=False)
        right.plot(*chosen.T, "D", color=drawing.LINK, fillstyle="none")
        fit_box(right, np.concatenate([lines.reshape(-1, 3), pose]), zoom=1.35)
        right.set_title("in space, the camera to the left")
        figure.suptitle(
            f"{self.title()}, the truth in grey\n{self.apart()}\n{self.about_joint()}; {self.how_many()}", fontsize=10
        )
        return figure
