"""Bodies: which joints a pose has, how bones join them, and which joint mirrors which."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Skeleton:
    """A body of J named joints, joined by bones from each joint to its parent.

    :param name: of the body
    :param joints: J names, and the number of each joint's parent; -1 for the root
    :param parents: J names, and the number of each joint's parent; -1 for the root
    :param left: joints that mirror each other, in the same order.
    :param right: joints that mirror each other, in the same order.
    :raises ValueError: where joints and parents, or left and right, differ in number.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]

    def __post_init__(self):
        if len(self.joints) != len(self.parents) or len(self.left) != len(self.right):
            raise ValueError(
                f"skeleton {self.name!r} has {len(self.joints)} joints, {len(self.parents)} parents, "
                f"{len(self.left)} left and {len(self.right)} right joints: joints and parents must be as many, "
                "and so must left and right"
            )

    @property
    def num_joints(self) -> int:
        return len(self.joints)

    @cached_property
    def root(self) -> int:
        """The joint every root-relative pose is measured from: the one without a parent."""
        return self.parents.index(-1)

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(parent, child) for every joint but the root."""
        return tuple((parent, child) for child, parent in enumerate(self.parents) if parent >= 0)

    @cached_property
    def flip_order(self) -> tuple[int, ...]:
        """For each joint the joint of the other side: the permutation that a mirror image needs."""
        order = list(range(self.num_joints))
        for a, b in zip(self.left, self.right, strict=True):
            order[a], order[b] = b, a
        return tuple(order)

    def side(self, joint: int) -> str:
        """'left', 'right' or 'middle'."""
        return "left" if joint in self.left else "right" if joint in self.right else "middle"

    def bone_vectors(self, poses_3d):
        """All bones from parent to child, in the order of `bones`: (..., J, 3), array or tensor -> (..., J - 1, 3)."""
        parents, children = map(list, zip(*self.bones, strict=True))
        return poses_3d[..., children, :] - poses_3d[..., parents, :]

    def bone_lengths(self, poses_3d: np.ndarray) -> np.ndarray:
        """Lengths of all bones, in the order of `bones`. poses_3d: (..., J, 3) -> (..., J - 1), same unit."""
        return np.linalg.norm(self.bone_vectors(poses_3d), axis=-1)

    def with_bone_lengths(self, poses_3d: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """The poses with every bone in its direction but of the given length; the root stays where it is.

        poses_3d: (..., J, 3); lengths: (J - 1,) in the order of `bones`, same unit -> (..., J, 3). Parents must come
        before their children among the joints, as they do in the bodies that 3D poses are given in.
        """
        moved = poses_3d.copy()
        bones = self.bone_vectors(poses_3d) * (lengths / self.bone_lengths(poses_3d))[..., None]
        for index, (parent, child) in enumerate(self.bones):
            moved[..., child, :] = moved[..., parent, :] + bones[..., index, :]
        return moved


def flip_poses(poses, skeleton: Skeleton):
    """Mirror poses left to right: negate the first coordinate and exchange left and right joints.

    :param poses: (..., J, 2) normalised screen coordinates or (..., J, 3) camera space, array or tensor
    :param skeleton: of them.
    :returns: The mirror image, a copy; flipping twice gives back what was given.
    :raises ValueError: for a different number of joints.
    """
    if poses.shape[-2] != skeleton.num_joints:
        raise ValueError(
            f"poses of shape {tuple(poses.shape)} have {poses.shape[-2]} joints, "
            f"but skeleton {skeleton.name!r} has {skeleton.num_joints}"
        )
    flipped = poses[..., list(skeleton.flip_order), :]  # a copy: indexing with a list never gives a view
    flipped[..., 0] *= -1
    return flipped


def _body(name: str, joints: str, parents: tuple[int, ...]) -> Skeleton:
    """A body whose joints are words; those of its sides begin with L and R, and no others do."""
    names = tuple(joints.split())
    left = tuple(i for i, joint in enumerate(names) if joint[0] == "L")
    return Skeleton(name, names, parents, left, tuple(names.index("R" + names[i][1:]) for i in left))


H36M17 = _body(
    "h36m17",
    "Hip RHip RKnee RFoot LHip LKnee LFoot Spine Thorax Neck/Nose Head LShoulder LElbow LWrist RShoulder RElbow RWrist",
    (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15),
)

HUMANEVA15 = _body(
    "humaneva15",
    "Pelvis Thorax LShoulder LElbow LWrist RShoulder RElbow RWrist LHip LKnee LAnkle RHip RKnee RAnkle Head",
    (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1),
)

MPI_INF_3DHP17 = _body(
    "mpi_inf_3dhp17",
    "HeadTop Neck RShoulder RElbow RWrist LShoulder LElbow LWrist RHip RKnee RAnkle LHip LKnee LAnkle Pelvis Spine "
    "Head",
    (16, 15, 1, 2, 3, 1, 5, 6, 14, 8, 9, 14, 11, 12, -1, 14, 1),
)

COCO17 = _body(
    "coco17",
    "Nose LEye REye LEar REar LShoulder RShoulder LElbow RElbow LWrist RWrist LHip RHip LKnee RKnee LAnkle RAnkle",
    (-1, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
)

HALPE26 = _body(
    "halpe26",
    "Nose LEye REye LEar REar LShoulder RShoulder LElbow RElbow LWrist RWrist LHip RHip LKnee RKnee LAnkle RAnkle "
    "Head Neck Hip LBigToe RBigToe LSmallToe RSmallToe LHeel RHeel",
    (17, 0, 0, 1, 2, 18, 18, 5, 6, 7, 8, 19, 19, 11, 12, 13, 14, 18, 19, -1, 15, 16, 15, 16, 15, 16),
)

MEDIAPIPE33 = _body(
    "mediapipe33",
    "Nose LEyeInner LEye LEyeOuter REyeInner REye REyeOuter LEar REar LMouth RMouth LShoulder RShoulder LElbow RElbow "
    "LWrist RWrist LPinky RPinky LIndex RIndex LThumb RThumb LHip RHip LKnee RKnee LAnkle RAnkle LHeel RHeel "
    "LFootIndex RFootIndex",
    (-1, 0, 1, 2, 0, 4, 5, 3, 6, 0, 0, 0, 0, 11, 12, 13, 14,
     15, 16, 15, 16, 15, 16, 11, 12, 23, 24, 25, 26, 27, 28, 29, 30),
)  # fmt: skip

BODY25 = _body(
    "body25",
    "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist Hip RHip RKnee RAnkle LHip LKnee LAnkle REye LEye REar "
    "LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel",
    (1, 8, 1, 2, 3, 1, 5, 6, -1, 8, 9, 10, 8, 12, 13, 0, 0, 15, 16, 14, 14, 14, 11, 11, 11),
)

COCO18 = _body(
    "coco18",
    "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist RHip RKnee RAnkle LHip LKnee LAnkle REye LEye REar LEar",
    (1, -1, 1, 2, 3, 1, 5, 6, 1, 8, 9, 1, 11, 12, 0, 0, 14, 15),
)

# Of the 68 points of a face, for each in its right half (the person's) the one opposite; the others lie in the middle.
_OPPOSITE = dict(zip(
    (0, 1, 2, 3, 4, 5, 6, 7, 17, 18, 19, 20, 21, 31, 32, 36, 37, 38, 39, 40, 41, 48, 49, 50, 58, 59, 60, 61, 67),
    (16, 15, 14, 13, 12, 11, 10, 9, 26, 25, 24, 23, 22, 35, 34, 45, 44, 43, 42, 47, 46, 54, 53, 52, 56, 55, 64, 63, 65),
    strict=True,
))  # fmt: skip


def _with_face_and_hands(name: str, body: Skeleton, feet: tuple[str, ...] = ()) -> Skeleton:
    """A body, the joints of its feet, then 68 points of the face and 21 of each hand, the left one first."""
    face = {i: f"Face{i}" for i in range(68)}
    face |= {i: f"RFace{i}" for i in _OPPOSITE} | {other: f"LFace{i}" for i, other in _OPPOSITE.items()}
    joints = (*body.joints, *feet, *face.values(), *(f"{side}Hand{i}" for side in "LR" for i in range(21)))
    ends = [*(joint[0] + "Ankle" for joint in feet), *["Nose"] * 68, *["LWrist"] * 21, *["RWrist"] * 21]
    return _body(name, " ".join(joints), (*body.parents, *(joints.index(joint) for joint in ends)))


_FEET = ("LBigToe", "LSmallToe", "LHeel", "RBigToe", "RSmallToe", "RHeel")
WHOLEBODY133 = _with_face_and_hands("wholebody133", COCO17, _FEET)
HALPE136 = _with_face_and_hands("halpe136", HALPE26)

_ALL = H36M17, HUMANEVA15, MPI_INF_3DHP17, COCO17, COCO18, BODY25, HALPE26, MEDIAPIPE33, WHOLEBODY133, HALPE136
SKELETONS = {skeleton.name: skeleton for skeleton in _ALL}


def get_skeleton(name: str) -> Skeleton:
    """The skeleton of that name.

    :param name: "h36m17", "humaneva15", "mpi_inf_3dhp17", "coco17", "coco18", "body25", "halpe26", "mediapipe33",
        "wholebody133" or "halpe136".
    :returns: The body.
    :raises ValueError: for an unknown name; it lists the names there are.
    """
    if name not in SKELETONS:
        raise ValueError(f"there is no skeleton {name!r}: choose one of {', '.join(SKELETONS)}")
    return SKELETONS[name]
