"""Motion: what a lifter gives, one 3D pose per frame, made steady where that is wanted, and written to files."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.signal import savgol_filter

from poseformer_lite.camera import z_up
from poseformer_lite.checked import array, number
from poseformer_lite.skeleton import H36M17, Skeleton

LARGEST_RATE = 25.0  # frames a second that every program shows in time; of faster motions some frames are left out


@dataclass(frozen=True, eq=False)
class Motion:
    """A lifted motion: one 3D pose per frame of the video.

    :param poses_3d: (T, 17, 3) float32, metres, camera space (x right, y down, z away from the camera), root at the
        origin
    :param keypoints: (T, 17, 2), the pixels it was lifted from, in Human3.6M's joints with the gaps filled
    :param fps: frames per second
    :param width: of the image, pixels
    :param height: of the image, pixels
    :param skeleton: the body
    :param start: seconds of the video before the first frame of the motion
    :param confidence: (T, 17), the detector's, where it gave any
    :param filled: (T, 17) bool, the joints that were not found and are interpolated, where it is known
    :param focal_length: of the camera, pixels; None where nobody knows it
    :raises ValueError: for other shapes, numbers that are not finite, and a rate or size that is not positive.
    """

    poses_3d: np.ndarray
    keypoints: np.ndarray
    fps: float
    width: int
    height: int
    skeleton: Skeleton = H36M17
    start: float = 0.0
    confidence: np.ndarray | None = None
    filled: np.ndarray | None = None
    focal_length: float | None = None

    def __post_init__(self):
        shapes = {"poses_3d": (3,), "keypoints": (2,), "confidence": (), "filled": ()}
        for name, shape in shapes.items():
            if (values := getattr(self, name)) is not None:
                array(values, name, len(self.poses_3d), self.skeleton.num_joints, *shape)
            if shape and not np.isfinite(values).all():
                raise ValueError(f"{name} hold NaN or infinite coordinates")
        number(self.fps, "fps", over=0)
        for name in ("width", "height"):
            number(getattr(self, name), name, 1, whole=True)
        if self.focal_length is not None:
            number(self.focal_length, "focal_length, in pixels,", over=0)

    def __len__(self) -> int:
        return len(self.poses_3d)

    def __repr__(self) -> str:
        late = f", beginning at {self.start:.1f} s of the video" if self.start else ""
        return f"Motion({len(self)} frames at {self.fps:g} Hz, {len(self) / self.fps:.1f} s{late})"

    def upright(self) -> np.ndarray:
        """(T, 17, 3) metres in a world with z up, x to the right of the image, and y away from the camera.

        The camera is taken to be level and the root to stay where it is; `world` finds out about both. Each pose stands
        with its lowest joint on the floor, z = 0.
        """
        poses = z_up(self.poses_3d).astype(self.poses_3d.dtype)
        poses[..., 2] -= poses[..., 2].min(axis=1, keepdims=True)
        return poses

    def world(
        self,
        focal_length: float | None = None,
        level: bool = True,
        hold_feet: bool = True,
        body_height: float | None = None,
    ) -> np.ndarray:
        """The motion in the world: people walk through it, upright whatever the camera's tilt, on feet that hold.

        The camera is taken to stand still before a flat floor. `lifting.world.in_the_world` also gives what was found
        on the way, such as how far the camera looks down.

        :param focal_length: of the camera, pixels; by default the motion's own or, where there is none, the length of
            the image's longer side, a view of 53 degrees. It scales the way that people go toward the camera and away
        :param level: whether the camera's tilt is found and undone. It warns where that cannot be done
        :param hold_feet: whether feet that stand keep their place
        :param body_height: as for `with_body_height`.
        :returns: (T, 17, 3) float32, metres, z up, x to the right of the image, y away from the camera, the origin on
            the floor below the first frame's root. Ankles that stand are at z = 0.
        :raises ValueError: for a focal length or height that makes no sense.
        """
        from poseformer_lite.lifting.world import in_the_world

        return in_the_world(self, focal_length, level, hold_feet, body_height).positions

    def with_body_height(self, meters: float) -> "Motion":
        """The motion of a person of that height when standing: a video does not tell a child nearby from a giant.

        Thigh, shank, trunk, neck and head are taken as 91 % of it (Drillis and Contini 1966, as the synthetic bodies
        have them). Raises ValueError for a height outside of 0.3 to 3 m.
        """
        if not 0.3 <= meters <= 3:
            raise ValueError(f"a body height of {meters}: expected metres, from 0.3 to 3")
        lengths = dict(zip(self.skeleton.joints[1:], self._bones(), strict=True))
        legs = sum(lengths[side + joint] for side in "LR" for joint in ("Knee", "Foot")) / 2
        upper = sum(lengths[joint] for joint in ("Spine", "Thorax", "Neck/Nose", "Head"))
        return replace(self, poses_3d=self.poses_3d * np.float32(0.911 * meters / (legs + upper)))

    def with_constant_bones(self) -> "Motion":
        """The same directions in every frame, with bones that keep their length: each its median over the frames.

        A network lifts frame by frame and does not know that a thigh does not grow; this takes the breathing out.
        """
        return replace(self, poses_3d=self.skeleton.with_bone_lengths(self.poses_3d, self._bones()))

    def _bones(self) -> np.ndarray:
        """(16,): the median length of each bone, metres, in the order of `Skeleton.bones`."""
        return np.median(self.skeleton.bone_lengths(self.poses_3d), axis=0)

    def smoothed(self, seconds: float = 0.2) -> "Motion":
        """Less jitter: a parabola is fitted to each coordinate around every frame (Savitzky and Golay 1964).

        The window of that many seconds looks ahead as far as back, so the motion does not lag, and live use would wait
        for half of it. Peaks narrower than the window are flattened. Where it holds fewer than 5 frames, nothing is
        changed. Raises ValueError for a negative time.
        """
        number(seconds, "seconds", 0)
        frames = 2 * int(seconds * self.fps / 2) + 1
        frames = min(frames, len(self) - 1 + len(self) % 2)  # odd, and no longer than the motion
        if frames < 5:
            return self
        return replace(self, poses_3d=savgol_filter(self.poses_3d, frames, 2, axis=0).astype(self.poses_3d.dtype))

    def save(self, path: str | Path, world: bool | np.ndarray = True) -> Path:
        """Write the motion whole or not at all; the ending says how. Returns the path.

        .npz (no pickle), .json and .csv hold poses, keypoints, fps, width, height and the joints' names, and `load`
        reads them. .bvh and .glb hold the motion in the world as joint angles of a skeleton with constant bones, .bvh
        in centimetres for Blender and the like, .glb in metres and with a body that any viewer shows; .trc the joints
        as markers, for OpenSim; .gif and .mp4 the keypoints beside a turning skeleton; .html a page that plays it. With
        world=False these keep the root where it is and the camera's axes, as `upright` does; `world` may also be what
        `Motion.world` gave. Raises ValueError for any other ending, and for .mp4 without ffmpeg.
        """
        from poseformer_lite.lifting.motion_files import write_motion

        return write_motion(self, path, world)

    @classmethod
    def load(cls, path: str | Path) -> "Motion":
        """Read what `save` wrote as .npz, .json or .csv. Raises ValueError that says what is wrong with the file."""
        from poseformer_lite.lifting.motion_files import read_motion

        return read_motion(path)

    def angles(self):
        """Hips, knees, shoulders, elbows and the trunk's lean, degrees: the table of `angles.joint_angles`."""
        from poseformer_lite.lifting.angles import joint_angles

        return joint_angles(self)

    def plot(self, frames=None):
        """Keypoints and lifted skeleton of some frames, side by side; five frames unless told otherwise."""
        from poseformer_lite.plots import plot_motion

        return plot_motion(self, frames)


def every_frame(fps: float) -> int:
    """Which frames an animation shows: every one, or every second, third, … of a faster motion."""
    return max(1, math.ceil(fps / LARGEST_RATE))
