"""The lines of sight of a picture, and all bodies with given bone lengths whose joints lie on them."""

from collections.abc import Iterable

import numpy as np

from poseformer_lite.camera import Camera
from poseformer_lite.skeleton import Skeleton

PINHOLE = Camera("pinhole", 1000, 1000, focal_length=(1150.0, 1150.0), center=(500.0, 500.0))  # as long as Human3.6M's
TOUCHES = 1e-11  # square metres: a line of sight that passes a sphere no farther outside touches it


class LinesOfSight:
    """What stays free when a picture, the root's depth and the bone lengths are given: near or far, bone by bone.

    pose_3d: (J, 3) metres, camera space, not root-relative: the body that was seen. A lens changes nothing about it:
    all points of a line through the camera have one pixel. num_poses counts the choices with which every bone reaches
    its line; at most 2 to the power of the number of bones. Raises ValueError for another shape, and where a joint is
    not in front of the camera.
    """

    def __init__(self, pose_3d: np.ndarray, skeleton: Skeleton):
        pose = np.array(pose_3d, dtype=float)
        if pose.shape != (skeleton.num_joints, 3):
            raise ValueError(
                f"pose_3d is {pose.shape}, expected ({skeleton.num_joints}, 3) for {skeleton.name}: one pose in metres"
            )
        if not (pose[:, 2] > 0).all():  # NaN, too
            joint = int(np.flatnonzero(~(pose[:, 2] > 0))[0])
            raise ValueError(
                f"{skeleton.joints[joint]} has depth {pose[joint, 2]:g} m, but every joint must be in front of the "
                "camera: give poses in camera space that are not root-relative"
            )
        self.pose = pose
        self.skeleton = skeleton
        self.rays = pose / pose[:, 2:]  # (J, 3), depth 1
        self.lengths = dict(zip((child for _, child in skeleton.bones), skeleton.bone_lengths(pose), strict=True))
        self.children = [[child for parent, child in skeleton.bones if parent == joint] for joint in range(len(pose))]
        self.order = self._downwards(skeleton.root)
        self.near = {joint: self._is_near(joint) for joint in self.lengths}
        depths: list[float] = []
        self.num_poses = self._count(skeleton.root, pose[skeleton.root], depths)
        self.depths = (min(depths), max(depths))  # of all joints of all poses

    def depths_of(self, joint: int, parent: np.ndarray, size: float = 1.0) -> list[float]:
        """Where a line of sight meets the sphere round the parent's place: no, 1 or 2 depths, the nearer one first.

        One that is not positive is behind the camera, and no place for a joint that is seen.
        """
        ray = self.rays[joint]
        a, b, c = ray @ ray, ray @ parent, parent @ parent - (size * self.lengths[joint]) ** 2
        under_root = b * b - a * c
        if under_root < -TOUCHES:
            return []
        half = np.sqrt(under_root) if under_root > TOUCHES else 0.0
        return sorted({(b - half) / a, (b + half) / a})

    def ends(self, joint: int, pose: np.ndarray, size: float = 1.0) -> np.ndarray:
        """Both places that the length of its bone allows a joint beside the others of a pose: (0, 1 or 2, 3)."""
        if joint == self.skeleton.root:
            return np.empty((0, 3))
        depths = [z for z in self.depths_of(joint, pose[self.skeleton.parents[joint]], size) if z > 0]
        return np.array(depths).reshape(-1, 1) * self.rays[joint]

    def place(self, flipped: Iterable[int] = ()) -> np.ndarray:
        """The body whose bones to these joints lean the other way, placed from the root downwards: (J, 3)."""
        flipped, placed = set(flipped), self.pose.copy()
        if lost := flipped - set(self.lengths):
            raise ValueError(f"no bone ends at joint {min(lost)}: choose from {sorted(self.lengths)}")
        for joint in self.order:
            depths = self.depths_of(joint, placed[self.skeleton.parents[joint]])
            if not depths:
                raise ValueError(f"{self.bone(joint)} would be too short to reach its line of sight")
            near = self.near[joint] != (joint in flipped)
            depth = depths[0] if near else depths[-1]
            if depth <= 0:
                raise ValueError(f"{self.bone(joint)} would end behind the camera")
            placed[joint] = self.rays[joint] * depth
        return placed

    def bone(self, joint: int) -> str:
        """The bone that ends at a joint, in words."""
        names = self.skeleton.joints
        return f"the bone from {names[self.skeleton.parents[joint]]} to {names[joint]}"

    def forbids(self, flipped: Iterable[int]) -> str:
        """Why there is no such body, or an empty string."""
        try:
            self.place(flipped)
        except ValueError as error:
            return str(error)
        return ""

    def draw(self, random: np.random.Generator) -> tuple[int, ...]:
        """One of all bodies, each as likely as any other: the joints whose bones are flipped."""
        placed, flipped = self.pose.copy(), []
        for joint in self.order:
            depths = self.depths_of(joint, placed[self.skeleton.parents[joint]])
            ways = np.array([self._count(joint, self.rays[joint] * z) if z > 0 else 0 for z in depths], dtype=float)
            chosen = random.choice(len(depths), p=ways / ways.sum())
            placed[joint] = self.rays[joint] * depths[chosen]
            if len(depths) == 2 and (chosen == 0) != self.near[joint]:
                flipped.append(joint)
        return tuple(sorted(flipped))

    def within_reach(self, smallest: float = 1.0, largest: float = 1.0) -> np.ndarray:
        """Both ends of the part of each line of sight that any body can be on, of sizes between two: (J, 2, 3)."""
        near, far = 0.95 * smallest * self.depths[0], 1.05 * largest * self.depths[1]
        return self.rays[:, None] * np.array([near, far])[:, None]

    def _downwards(self, joint: int) -> list[int]:
        """All joints below one, each after its parent."""
        return [below for child in self.children[joint] for below in (child, *self._downwards(child))]

    def _is_near(self, joint: int) -> bool:
        ray, parent = self.rays[joint], self.pose[self.skeleton.parents[joint]]
        return bool(self.pose[joint, 2] < (ray @ parent) / (ray @ ray))

    def _count(self, joint: int, place: np.ndarray, depths: list[float] | None = None) -> int:
        """In how many ways everything below a joint can be placed, if that is here; depths collects where."""
        if depths is not None:
            depths.append(place[2])
        ways = 1
        for child in self.children[joint]:
            ends = [z for z in self.depths_of(child, place) if z > 0]
            ways *= sum(self._count(child, self.rays[child] * z, depths) for z in ends)
        return ways
