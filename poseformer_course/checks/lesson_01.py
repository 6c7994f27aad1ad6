"""Checkers of lesson 01: skeletons, cameras, screen coordinates, and the error of a pose."""

import numpy as np
import torch
from torch import Tensor

from poseformer_course.checks.judge import CHANGED, Exercise, Wrong
from poseformer_lite.camera import Camera, denormalize_screen, normalize_screen
from poseformer_lite.metrics import mpjpe
from poseformer_lite.skeleton import H36M17, flip_poses

LENS = Camera("exercise", 1280, 720, (1000.0, 900.0), (650.0, 340.0))
FOCAL, CENTER = np.array(LENS.focal_length), np.array(LENS.center)


def _exchanged(poses: np.ndarray, left: list[int], right: list[int]) -> np.ndarray:
    """A copy in which left and right joints have changed places, but are where they were."""
    poses = poses.copy()
    poses[:, left + right] = poses[:, right + left]
    return poses


def _one_side_twice(poses: np.ndarray, kept: list[int], lost: list[int]) -> np.ndarray:
    poses = poses * [-1, 1, 1]
    poses[:, lost] = poses[:, kept]
    return poses


POSES, LEFT, RIGHT = np.random.default_rng(1).normal(size=(4, 17, 3)), list(H36M17.left), list(H36M17.right)

# The poses as a mirror shows them.
exercise_1 = Exercise(
    right=lambda poses, left, right: flip_poses(poses, H36M17),
    mistakes={
        "x is negated, but the joints are not exchanged: the mirror image of a left hand is a right hand, "
        "so each joint of `left` must change places with its partner in `right`.": (
            lambda poses, left, right: poses * [-1, 1, 1]
        ),
        "The joints are exchanged, but nobody is mirrored: the first coordinate must change its sign.": _exchanged,
        "y is negated: the person stands on the head. A mirror on the wall turns x round.": (
            lambda poses, left, right: _exchanged(poses, left, right) * [1, -1, 1]
        ),
        "z is negated: that exchanges near and far. A mirror on the wall turns x round.": (
            lambda poses, left, right: _exchanged(poses, left, right) * [1, 1, -1]
        ),
        "All three coordinates are negated: only x may be.": (
            lambda poses, left, right: -_exchanged(poses, left, right)
        ),
        "Left and right are the same: the first copy overwrote the left side that the second one needed.": (
            lambda poses, left, right: _one_side_twice(poses, kept=right, lost=left)
        ),
        "Left and right are the same: the first copy overwrote the right side that the second one needed.": (
            lambda poses, left, right: _one_side_twice(poses, kept=left, lost=right)
        ),
    },
    cases=[(POSES, LEFT, RIGHT), (POSES[:, :, :2], LEFT, RIGHT)],
    fields=lambda poses, left, right: {"what": "(poses, left, right)" if poses.shape[-1] == 3 else " of 2D poses"},
    name="mirrored{what}",
    remark="The same function mirrors keypoints and 3D poses, and doing it twice gives back the pose.",
)


def _rays(pixels: np.ndarray, focal: np.ndarray, center: np.ndarray) -> np.ndarray:
    """The lines of sight at depth one, (N, 2) -> (N, 3)."""
    return np.c_[(pixels - center) / focal, np.ones(len(pixels))]


def _point(pixels, depth, focal, center) -> np.ndarray:
    return _rays(pixels, focal, center) * depth[:, None]


POINTS = np.random.default_rng(2).uniform([-1.5, -1.0, 3.0], [1.5, 1.0, 6.0], size=(5, 3))

# The point of a pixel u whose depth z is known: (N, 2) and (N,) -> (N, 3).
exercise_2 = Exercise(
    right=_point,
    mistakes={
        "y points upwards: in camera space y counts downwards, as it does in the image.": (
            lambda u, z, focal, center: _point(u, z, focal, center) * [1, -1, 1]
        ),
        "x and y are right, but the third coordinate is 1: it is the given depth.": (
            lambda u, z, focal, center: np.c_[_point(u, z, focal, center)[:, :2], np.ones(len(z))]
        ),
        "The principal point is forgotten: pixels are counted from the image's corner, and the axis of the camera "
        "meets the image at `center`.": lambda u, z, focal, center: _point(u, z, focal, 0),
        "These are the directions of the lines of sight, at depth one: go on to the given depth.": (
            lambda u, z, focal, center: np.c_[_rays(u, focal, center)[:, :2], z]
        ),
        "These are the lines of sight at depth one, third coordinate included: scale them to the depth.": (
            lambda u, z, focal, center: _rays(u, focal, center)
        ),
        "The focal length is on the wrong side: projecting multiplies by it, so going back divides.": (
            lambda u, z, focal, center: _point(u, z, 1 / focal, center)
        ),
        "Focal length and center have changed places.": lambda u, z, focal, center: _point(u, z, center, focal),
        "Depth is taken for the distance from the camera: it is z, measured along the camera's axis, and not the "
        "length of the line of sight.": (
            lambda u, z, focal, center: (
                _point(u, z, focal, center) / np.linalg.norm(_rays(u, focal, center), axis=-1, keepdims=True)
            )
        ),
        "x and y are right, but where is the depth? A point has three coordinates, the third one is z.": (
            lambda u, z, focal, center: _point(u, z, focal, center)[:, :2]
        ),
        "Both signs are wrong: subtract the center from the pixel, not the pixel from the center.": (
            lambda u, z, focal, center: _point(u, z, focal, center) * [-1, -1, 1]
        ),
        "Both coordinates use the first focal length: the second one belongs to y.": (
            lambda u, z, focal, center: _point(u, z, focal[0], center)
        ),
    },
    cases=[(LENS.project(POINTS), POINTS[:, 2], FOCAL, CENTER)],
    name="from_pixels(pixels, depth, focal, center)",
    remark="A pixel and its depth are as good as the point: depth is the one number that the image has lost.",
)


def _screen_case(width: int, height: int) -> tuple:
    pixels = np.random.default_rng(3).uniform(0, [width, height], size=(3, 4, 2))
    return normalize_screen(pixels, width, height), width, height


# Screen coordinates back to pixels.
exercise_3 = Exercise(
    right=denormalize_screen,
    mistakes={
        "This is the way to the screen once more: solve the formulas for u and v.": normalize_screen,
        "y is scaled by the height: both coordinates are in the same unit, half the width of the image.": (
            lambda screen, width, height: (screen + [1, height / width]) * [width / 2, height / 2]
        ),
        "y is scaled and shifted as if it ran from -1 to 1: it runs from -height / width to height / width.": (
            lambda screen, width, height: (screen + 1) * [width / 2, height / 2]
        ),
        "The origin is still the middle of the image: pixels are counted from the upper left corner.": (
            lambda screen, width, height: screen * (width / 2)
        ),
        "x is right, but y is shifted by 1 as well: the upper edge is at -height / width.": (
            lambda screen, width, height: (screen + 1) * (width / 2)
        ),
        "Everything is twice too large: screen coordinates are two units wide.": (
            lambda screen, width, height: (screen + [1, height / width]) * width
        ),
        "The longer side was taken for the unit: it is the width, also in an image that is taller than wide.": (
            lambda screen, width, height: screen * max(width, height) / 2 + [width / 2, height / 2]
        ),
        "The ratio is upside down: the upper edge is at -height / width, not at -width / height.": (
            lambda screen, width, height: (screen + [1, width / height]) * (width / 2)
        ),
        "The shift is made in screen units after scaling to pixels: the order matters.": (
            lambda screen, width, height: screen * (width / 2) + [1, height / width]
        ),
    },
    cases=[_screen_case(1280, 720), _screen_case(720, 1280)],
    fields=lambda screen, width, height: {"width": width, "height": height},
    name="to_pixels(screen, {width}, {height})",
    remark="Nothing is lost between the two: screen coordinates are pixels in another unit.",
)


GROWN = 1.80 / 1.70
ROOT, FOOT = 5000 * (GROWN - 1), 900 * (GROWN - 1)

# The price of a wrong height at the root, 5 m away, in millimeters.
exercise_4_root = Exercise(
    right=ROOT,
    mistakes={
        "This is in meters: the answer is asked for in millimeters.": ROOT / 1000,
        "This is in centimeters: the answer is asked for in millimeters.": ROOT / 10,
        "This is what the foot costs: give the root's error first, the foot's second.": FOOT,
        "The ratio is upside down: someone taller must stand farther away to look as large.": 5000 * (1 - 1 / GROWN),
        "This is the distance at which you would place the person: how far is it from the true one?": 5000 * GROWN,
        "This is the difference of the heights: by what factor does it move the person away?": 100.0,
        "Right in size, but the taller person stands farther away, not nearer: give it as a positive number.": -ROOT,
    },
    name="root_error",
    tolerance=1e-2,
)

# And at the foot, 0.90 m below the hip.
exercise_4_foot = Exercise(
    right=FOOT,
    mistakes={
        "This is in meters: the answer is asked for in millimeters.": FOOT / 1000,
        "This is in centimeters: the answer is asked for in millimeters.": FOOT / 10,
        "Right in size, but the foot ends up farther from the hip: give it as a positive number.": -FOOT,
        "This is where the foot would be in camera space, hip error included: measure it from the hip.": ROOT,
        "The foot would be right only if all legs were equally long: the person you assume has longer ones.": 0.0,
        "This is how far below the hip you would place the foot: how far is it from the true 900 mm?": 900 * GROWN,
        "This is the whole difference of the heights: the leg is a part of it only.": 100.0,
        "The ratio is upside down: the assumed person is taller than the true one.": 900 * (1 - 1 / GROWN),
    },
    name="foot_error",
    tolerance=1e-2,
)


def exercise_4(root_error, foot_error):
    """What a wrong height costs at the root and at the foot."""
    exercise_4_root(root_error)
    exercise_4_foot(foot_error)
    return "The same wrong guess costs nearly 300 mm at the root and about 50 at the foot: so the root is left out."


def _rooted(poses: Tensor, root: int) -> Tensor:
    return poses - poses[:, root : root + 1]


def _millimeters(mean):
    """1000 * mean(predicted - poses that are root-relative), of (B, J, 3)."""
    return lambda predicted, poses, root: 1000 * mean(predicted - _rooted(poses, root))


def _only_depth_rooted(predicted: Tensor, poses: Tensor, root: int) -> Tensor:
    return 1000 * mpjpe(predicted, torch.cat([poses[..., :2], _rooted(poses, root)[..., 2:]], dim=-1))


def _root_left_out(predicted: Tensor, poses: Tensor, root: int) -> Tensor:
    others = torch.arange(poses.shape[1]) != root
    return 1000 * mpjpe(predicted[:, others], _rooted(poses, root)[:, others])


DRAW = torch.Generator().manual_seed(5)
PREDICTED = torch.randn(4, 6, 3, generator=DRAW)
POSES_3D = torch.randn(4, 6, 3, generator=DRAW) + torch.tensor([0.0, 0.5, 5.0])

# MPJPE in millimeters against poses that are not root-relative yet.
exercise_5 = Exercise(
    right=_millimeters(lambda away: away.norm(dim=-1).mean()),
    mistakes={
        "The poses are still where the person stood: move each root to the origin.": (
            lambda predicted, poses, root: 1000 * mpjpe(predicted, poses)
        ),
        "The first pose's root was taken off all poses: each has its own.": (
            lambda predicted, poses, root: 1000 * mpjpe(predicted, poses - poses[0, root])
        ),
        "Only the depth is measured from the root: x and y must be too.": _only_depth_rooted,
        "Joint 0 was taken for the root: it is joint `root`.": (
            lambda predicted, poses, root: 1000 * mpjpe(predicted, _rooted(poses, 0))
        ),
        "The predicted pose was moved as well: it is root-relative already, and its error at the root counts.": (
            lambda predicted, poses, root: 1000 * mpjpe(_rooted(predicted, root), _rooted(poses, root))
        ),
        "This is the mean of the squared distances: take each square root first.": (
            _millimeters(lambda away: away.norm(dim=-1).square().mean())
        ),
        "This is the root of the mean squared distance: do not square before the mean.": (
            _millimeters(lambda away: away.norm(dim=-1).square().mean().sqrt())
        ),
        "The distance runs over the wrong axis: take it over x, y and z of one joint.": (
            _millimeters(lambda away: away.norm(dim=1).mean())
        ),
        "One distance was taken for a whole pose: each joint has its own.": (
            _millimeters(lambda away: away.flatten(1).norm(dim=1).mean())
        ),
        "This is the mean of |x|, |y| and |z|: MPJPE is the mean of straight distances.": (
            _millimeters(lambda away: away.abs().mean())
        ),
        "This is the sum over poses and joints: take the mean.": _millimeters(lambda away: away.norm(dim=-1).sum()),
        "The sum runs over the joints, the mean over the poses only: both are averaged.": (
            _millimeters(lambda away: away.norm(dim=-1).sum(1).mean())
        ),
        "The root is left out of the mean: it is one of the joints.": _root_left_out,
        "The sum is divided by one joint too few: the root counts too.": (
            _millimeters(lambda away: away.norm(dim=-1).mean(0).sum() / (away.shape[1] - 1))
        ),
        "Your code fixes the number of joints at 17: take it from the shape.": (
            _millimeters(lambda away: away.norm(dim=-1).mean(0).sum() / 17)
        ),
        "Your code fixes the number of joints, at 16: take it from the shape.": (
            _millimeters(lambda away: away.norm(dim=-1).mean(0).sum() / 16)
        ),
        "This is in meters: errors are given in millimeters.": (
            lambda predicted, poses, root: mpjpe(predicted, _rooted(poses, root))
        ),
        "This is one number per joint of each pose: take the mean of them all.": (
            _millimeters(lambda away: away.norm(dim=-1))
        ),
    },
    cases=[(PREDICTED, POSES_3D, 2)],
    name="pose_error(predicted, poses_3d, root)",
    changed=f"{CHANGED} In torch, a subtraction in place also sets the root to zero while it is still being "
    "subtracted.",
    remark="It is protocol 1 of the paper, and in meters the loss of Eq. 9.",
)


def _solved(solve):
    """solve(a, b, c) of a z² - 2 b z + c = 0: the point at depth z of the line of sight is `length` from the parent."""

    def answer(parent, pixels, length, focal, center):
        rays = _rays(pixels, focal, center)
        return solve((rays**2).sum(-1), (rays * parent).sum(-1), (parent**2).sum(-1) - length**2)

    return answer


def _around(a, b, half) -> np.ndarray:
    return np.stack([(b - half) / a, (b + half) / a], axis=-1)


def _half(a, b, c) -> np.ndarray:
    return np.sqrt(np.maximum(b**2 - a * c, 0))


# Where a bone of known length can end, near and far; where it cannot, twice the depth nearest to that.
_two_depths = _solved(lambda a, b, c: _around(a, b, _half(a, b, c)))


def _straight_back(parent, pixels, length, focal, center):
    in_plane = (pixels - center) / focal * parent[:, 2:] - parent[:, :2]
    return _around(1, parent[:, 2], np.sqrt(np.maximum(length**2 - (in_plane**2).sum(-1), 0)))


def _where_missed(depth):
    """The two depths, and depth(parent) for bones that do not reach their line of sight."""

    def answer(parent, *rest):
        missed = _solved(lambda a, b, c: b**2 < a * c)(parent, *rest)
        return np.where(missed[:, None], depth(parent), _two_depths(parent, *rest))

    return answer


PARENT = np.random.default_rng(6).uniform([-1.0, -0.8, 4.0], [1.0, 0.8, 5.5], size=(5, 3))
BONE = np.array([[0.3, 0.1, 0.2], [0.0, 0.2, -0.2], [-0.1, 0.2, 0.3], [0.05, 0.0, -0.25], [0.1, 0.3, 0.1]])
PIXELS, LENGTH = LENS.project(PARENT + BONE), np.linalg.norm(BONE, axis=-1)

# Bones that reach their lines of sight.
exercise_6_reached = Exercise(
    right=_two_depths,
    mistakes={
        "The farther depth comes first: the nearer one belongs in the first column.": (
            lambda *given: _two_depths(*given)[:, ::-1]
        ),
        "The table lies on its side: one row for each bone, near and far in its columns.": (
            lambda *given: _two_depths(*given).T
        ),
        "These are depths measured from the parent: add the parent's own.": (
            lambda parent, *rest: _two_depths(parent, *rest) - parent[:, 2:]
        ),
        "These are distances from the camera: let your line of sight have z = 1.": (
            _solved(lambda a, b, c: _around(a, b, _half(a, b, c)) * np.sqrt(a)[:, None])
        ),
        "This slides the bone's end straight backwards: x and y change with it.": _straight_back,
        "The whole length is added to the parent's depth: bones also go sideways.": (
            lambda parent, pixels, length, focal, center: _around(1, parent[:, 2], length)
        ),
        "The quadratic's first coefficient is missing: divide by it.": (
            _solved(lambda a, b, c: _around(1, b, _half(a, b, c)))
        ),
        "The principal point is forgotten: subtract `center` first.": (
            lambda parent, pixels, length, focal, center: _two_depths(parent, pixels, length, focal, 0)
        ),
        "The length is not squared: the constant term holds its square.": (
            lambda parent, pixels, length, focal, center: _two_depths(parent, pixels, np.sqrt(length), focal, center)
        ),
        "Both are the depth nearest to the parent, as if no bone reached its line of sight: look for the square of "
        "the length, with its minus, and for the factors 2 and 4.": _solved(lambda a, b, c: _around(a, b, 0)),
        "Both depths lie behind the camera: look at the sign of the quadratic's middle term.": (
            lambda *given: -_two_depths(*given)[:, ::-1]
        ),
        "Both depths are twice too large: the quadratic formula divides by 2a.": (
            lambda *given: 2 * _two_depths(*given)
        ),
        "Both depths are half of the right ones: the factor 2 of the middle term is missing.": (
            lambda *given: _two_depths(*given) / 2
        ),
        "The depths lie too far apart: the formula has 4ac, not ac.": (
            _solved(lambda a, b, c: _around(a, b, _half(a, b, c / 4)))
        ),
        "The square root is missing: you add and subtract what should stand under it.": (
            _solved(lambda a, b, c: _around(a, b, b**2 - a * c))
        ),
    },
    cases=[(PARENT, PIXELS, LENGTH, FOCAL, CENTER)],
    name="two_depths(parent, pixels, length, focal, centre)",
)

# Bones of which some are too short for that.
exercise_6_short = Exercise(
    right=_two_depths,
    mistakes={
        "A bone that does not reach its line of sight is put at the parent's depth: the line comes nearest "
        "elsewhere, so set only the square root to zero.": _where_missed(lambda parent: parent[:, 2:]),
        "A bone that does not reach its line of sight is put at depth zero, into the camera: set only the square "
        "root to zero.": _where_missed(lambda parent: 0),
        "abs turns a bone that is too short into a long one: what is negative under the square root must become "
        "zero.": _solved(lambda a, b, c: _around(a, b, np.sqrt(np.abs(b**2 - a * c)))),
    },
    cases=[(PARENT, PIXELS, 0.3 * LENGTH, FOCAL, CENTER)],
    name="two_depths of bones that are too short",
)


def exercise_6(two_depths):
    """Where bones can end, and no NaN."""

    def without_nan(hint):
        def answer(*given):
            depths = two_depths(*given)
            if depths is not None and np.isnan(np.asarray(depths, dtype=float)).any():
                raise Wrong(hint)
            return depths

        return answer

    exercise_6_reached(
        without_nan(
            "NaN, although these bones do reach their lines of sight: what stands under your square root is negative. "
            "Look for the square of the length, with its minus, and for the factors 2 and 4."
        )
    )
    exercise_6_short(
        without_nan(
            "A bone too short to reach its line of sight gives NaN, the square root of a negative number: let it be "
            "zero, which is the depth where the line comes nearest."
        )
    )
    return f"Sixteen bones, two ends each: {2**16:,} poses for one image, all with the right bone lengths."
