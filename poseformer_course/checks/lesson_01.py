"""Checkers of lesson 01: skeletons, cameras, screen coordinates, and the error of a pose."""

from copy import deepcopy

import numpy as np
import torch

from poseformer_course.checks.judge import NotAnswered, Wrong, compare
from poseformer_lite.camera import Camera, denormalise_screen, normalise_screen
from poseformer_lite.metrics import mpjpe
from poseformer_lite.skeleton import H36M17, flip_poses

LENS = Camera("exercise", 1280, 720, (1000.0, 900.0), (650.0, 340.0))
FOCAL, CENTRE = np.array(LENS.focal_length), np.array(LENS.center)
CHANGED = "What was handed in has changed: work on a copy or make a new one, the caller still needs the old."


def exercise_1(mirrored):
    """mirrored(poses, left, right): the poses as a mirror shows them."""
    poses = np.random.default_rng(1).normal(size=(4, 17, 3))
    left, right = list(H36M17.left), list(H36M17.right)
    exchanged = poses[:, list(H36M17.flip_order)]
    both = poses * [-1, 1, 1]
    both[:, left] = both[:, right]
    one_way = poses * [-1, 1, 1]
    one_way[:, right] = one_way[:, left]
    compare(
        _answer(mirrored, poses, left, right),
        flip_poses(poses, H36M17),
        {
            "x is negated, but the joints are not exchanged: the mirror image of a left hand is a right hand, "
            "so each joint of `left` must change places with its partner in `right`.": poses * [-1, 1, 1],
            "The joints are exchanged, but nobody is mirrored: the first coordinate must change its sign.": exchanged,
            "y is negated: the person stands on the head. A mirror on the wall turns x round.": exchanged * [1, -1, 1],
            "z is negated: that exchanges near and far. A mirror on the wall turns x round.": exchanged * [1, 1, -1],
            "All three coordinates are negated: only x may be.": -exchanged,
            "Left and right are the same: the first copy overwrote the left side that the second one needed.": both,
            "Left and right are the same: the first copy overwrote the right side that the second one needed.": one_way,
        },
        name="mirrored(poses, left, right)",
    )
    compare(mirrored(poses[:, :, :2], left, right), flip_poses(poses[:, :, :2], H36M17), name="mirrored of 2D poses")
    return "The same function mirrors keypoints and 3D poses, and doing it twice gives back the pose."


def exercise_2(from_pixels):
    """from_pixels(pixels, depth, focal, centre): the point of a pixel whose depth is known."""
    points = np.random.default_rng(2).uniform([-1.5, -1.0, 3.0], [1.5, 1.0, 6.0], size=(5, 3))
    pixels, depth = LENS.project(points), points[:, 2]
    rays = (pixels - CENTRE) / FOCAL
    z = depth[:, None]
    long_rays = np.c_[rays, np.ones(5)]
    compare(
        _answer(from_pixels, pixels, depth, FOCAL, CENTRE),
        points,
        {
            "y points upwards: in camera space y counts downwards, as it does in the picture.": points * [1, -1, 1],
            "x and y are right, but the third coordinate is 1: it is the given depth.": points * [1, 1, 0] + [0, 0, 1],
            "The principal point is forgotten: pixels are counted from the image's corner, and the axis of the camera "
            "meets the image at `centre`.": np.c_[pixels / FOCAL * z, z],
            "These are the directions of the lines of sight, at depth one: go on to the given depth.": np.c_[rays, z],
            "These are the lines of sight at depth one, third coordinate included: scale them to the depth.": long_rays,
            "The focal length is on the wrong side: projecting multiplies by it, so going back divides.": (
                np.c_[(pixels - CENTRE) * FOCAL * z, z]
            ),
            "Focal length and centre have changed places.": np.c_[(pixels - FOCAL) / CENTRE * z, z],
            "Depth is taken for the distance from the camera: it is z, measured along the camera's axis, and not the "
            "length of the line of sight.": long_rays / np.linalg.norm(long_rays, axis=-1, keepdims=True) * z,
            "x and y are right, but where is the depth? A point has three coordinates, the third one is z.": rays * z,
            "Both coordinates use the first focal length: the second one belongs to y.": (
                np.c_[(pixels - CENTRE) / FOCAL[0] * z, z]
            ),
        },
        name="from_pixels(pixels, depth, focal, centre)",
    )
    return "A pixel and its depth are as good as the point: depth is the one number that the picture has lost."


def exercise_3(to_pixels):
    """to_pixels(screen, width, height): screen coordinates back to pixels."""
    for width, height in ((1280, 720), (720, 1280)):
        pixels = np.random.default_rng(3).uniform(0, [width, height], size=(3, 4, 2))
        screen = normalise_screen(pixels, width, height)
        compare(
            _answer(to_pixels, screen, width, height),
            denormalise_screen(screen, width, height),
            {
                "This is the way to the screen once more: solve the formulas for u and v.": (
                    normalise_screen(screen, width, height)
                ),
                "y is scaled by the height: both coordinates are in the same unit, half the width of the image.": (
                    (screen + [1, height / width]) * [width / 2, height / 2]
                ),
                "y is scaled and shifted as if it ran from -1 to 1: it runs from -height / width to height / width.": (
                    (screen + 1) * [width / 2, height / 2]
                ),
                "The origin is still the middle of the image: pixels are counted from the upper left corner.": (
                    screen * (width / 2)
                ),
                "x is right, but y is shifted by 1 as well: the upper edge is at -height / width.": (
                    (screen + 1) * (width / 2)
                ),
                "Everything is twice too large: screen coordinates are two units wide.": (
                    (screen + [1, height / width]) * width
                ),
                "The longer side was taken for the unit: it is the width, also in a picture that is taller than "
                "wide.": (screen * max(width, height) / 2 + [width / 2, height / 2]),
                "The shift is made in screen units after scaling to pixels: the order matters.": (
                    screen * (width / 2) + [1, height / width]
                ),
            },
            name=f"to_pixels(screen, {width}, {height})",
        )
    return "Nothing is lost between the two: screen coordinates are pixels in another unit."


def exercise_4(root_error, foot_error):
    """The price of a wrong height: 5 m * (1.80 / 1.70 - 1) and 0.90 m * (1.80 / 1.70 - 1), in millimetres."""
    grown = 1.80 / 1.70
    root, foot = 5000 * (grown - 1), 900 * (grown - 1)
    compare(
        root_error,
        root,
        {
            "This is in metres: the answer is asked for in millimetres.": root / 1000,
            "This is in centimetres: the answer is asked for in millimetres.": root / 10,
            "This is what the foot costs: give the root's error first, the foot's second.": foot,
            "The ratio is upside down: whoever is taller must stand farther away to look as large.": (
                5000 * (1 - 1 / grown)
            ),
            "This is the distance at which you would place the person: how far is it from the true one?": 5000 * grown,
            "This is the difference of the heights: by what factor does it move the person away?": 100.0,
            "Right in size, but the taller person stands farther away, not nearer: give it as a positive number.": (
                -root
            ),
        },
        name="root_error",
        tolerance=1e-2,
    )
    compare(
        foot_error,
        foot,
        {
            "This is in metres: the answer is asked for in millimetres.": foot / 1000,
            "This is in centimetres: the answer is asked for in millimetres.": foot / 10,
            "Right in size, but the foot ends up farther from the hip: give it as a positive number.": -foot,
            "This is where the foot would be in camera space, hip error included: measure it from the hip.": root,
            "The foot would be right only if all legs were equally long: the person you assume has longer ones.": 0.0,
            "This is how far below the hip you would place the foot: how far is it from the true 900 mm?": 900 * grown,
            "This is the whole difference of the heights: the leg is a part of it only.": 100.0,
            "The ratio is upside down: the assumed person is taller than the true one.": 900 * (1 - 1 / grown),
        },
        name="foot_error",
        tolerance=1e-2,
    )
    return "The same wrong guess costs nearly 300 mm at the root and about 50 at the foot: so the root is left out."


def exercise_5(pose_error):
    """pose_error(predicted, poses_3d, root): MPJPE in millimetres against poses that are not root-relative yet."""
    generator = torch.Generator().manual_seed(5)
    predicted = 1000 * torch.randn(4, 6, 3, generator=generator)
    poses = 1000 * torch.randn(4, 6, 3, generator=generator) + torch.tensor([0.0, 500.0, 5000.0])
    root = 2
    target = poses - poses[:, root : root + 1]
    away = predicted - target
    distance = away.norm(dim=-1)
    square_mean = distance.square().mean()
    depth_only = poses.clone()
    depth_only[..., 2] -= poses[:, root : root + 1, 2]
    in_place = "In torch, a subtraction in place also sets the root to zero while it is still being subtracted."
    compare(
        _answer(pose_error, predicted / 1000, poses / 1000, root, changed=f"{CHANGED} {in_place}"),
        mpjpe(predicted, target),
        {
            "The poses are still where the person stood: move each root to the origin.": mpjpe(predicted, poses),
            "The first pose's root was taken off all poses: each has its own.": mpjpe(
                predicted, poses - poses[0, root]
            ),
            "Only the depth is measured from the root: x and y must be too.": mpjpe(predicted, depth_only),
            "Joint 0 was taken for the root: it is joint `root`.": mpjpe(predicted, poses - poses[:, :1]),
            "The predicted pose was moved as well: it is root-relative already, and its error at the root counts.": (
                mpjpe(predicted - predicted[:, root : root + 1], target)
            ),
            "This is the mean of the squared distances: take each square root first.": square_mean / 1000,
            "This is the root of the mean squared distance: do not square before the mean.": square_mean.sqrt(),
            "The distance runs over the wrong axis: take it over x, y and z of one joint.": away.norm(dim=1).mean(),
            "One distance was taken for a whole pose: each joint has its own.": away.flatten(1).norm(dim=1).mean(),
            "This is the mean of |x|, |y| and |z|: MPJPE is the mean of straight distances.": away.abs().mean(),
            "This is the sum over poses and joints: take the mean.": distance.sum(),
            "The sum runs over the joints, the mean over the poses only: both are averaged.": distance.sum(1).mean(),
            "The root is left out of the mean: it is one of the joints.": distance[:, torch.arange(6) != root].mean(),
            "The sum is divided by one joint too few: the root counts too.": distance.sum() / (4 * 5),
            "Your code fixes the number of joints at 17: take it from the shape.": distance.sum() / (4 * 17),
            "Your code fixes the number of joints, at 16: take it from the shape.": distance.sum() / (4 * 16),
            "This is in metres: errors are given in millimetres.": distance.mean() / 1000,
            "This is one number per joint of each pose: take the mean of them all.": distance,
        },
        name="pose_error(predicted, poses_3d, root)",
    )
    return "It is protocol 1 of the paper, and in metres the loss of Eq. 9."


def exercise_6(two_depths):
    """two_depths(parent, pixels, length, focal, centre): where a bone of known length can end, near and far."""
    rng = np.random.default_rng(6)
    parent = rng.uniform([-1.0, -0.8, 4.0], [1.0, 0.8, 5.5], size=(5, 3))
    bone = np.array([[0.3, 0.1, 0.2], [0.0, 0.2, -0.2], [-0.1, 0.2, 0.3], [0.05, 0.0, -0.25], [0.1, 0.3, 0.1]])
    length = np.linalg.norm(bone, axis=-1)
    pixels = LENS.project(parent + bone)
    a, b, c = _quadratic(parent, pixels, length)
    half = np.sqrt(b**2 - a * c)
    expected = _around(a, b, half)
    in_plane = (pixels - CENTRE) / FOCAL * parent[:, 2:] - parent[:, :2]
    back = np.sqrt(np.maximum(length**2 - (in_plane**2).sum(-1), 0))
    answer = _answer(two_depths, parent, pixels, length, FOCAL, CENTRE)
    if np.isnan(np.asarray(answer, dtype=float)).any():
        raise Wrong(
            "NaN, although these bones do reach their lines of sight: what stands under your square root is negative. "
            "Look for the square of the length, with its minus, and for the factors 2 and 4."
        )
    compare(
        answer,
        expected,
        {
            "The farther depth comes first: the nearer one belongs in the first column.": expected[:, ::-1],
            "The table lies on its side: one row for each bone, near and far in its columns.": expected.T,
            "These are depths measured from the parent: add the parent's own.": expected - parent[:, 2:],
            "These are distances from the camera: let your line of sight have z = 1.": expected * np.sqrt(a)[:, None],
            "This slides the bone's end straight backwards: x and y change with it.": _around(1, parent[:, 2], back),
            "The whole length is added to the parent's depth: bones also go sideways.": _around(
                1, parent[:, 2], length
            ),
            "The quadratic's first coefficient is missing: divide by it.": _around(1, b, half),
            "The principal point is forgotten: subtract `centre` first.": _solutions(
                *_quadratic(parent, pixels + CENTRE, length)
            ),
            "The length is not squared: the constant term holds its square.": _solutions(a, b, c + length**2 - length),
            "Both are the depth nearest to the parent, as if no bone reached its line of sight: look for the square of "
            "the length, with its minus, and for the factors 2 and 4.": _around(a, b, 0 * b),
            "Both depths lie behind the camera: look at the sign of the quadratic's middle term.": -expected[:, ::-1],
            "Both depths are twice too large: the quadratic formula divides by 2a.": 2 * expected,
            "Both depths are half of the right ones: the factor 2 of the middle term is missing.": expected / 2,
            "The depths lie too far apart: the formula has 4ac, not ac.": _around(a, b, np.sqrt(b**2 - a * c / 4)),
            "The square root is missing: you add and subtract what should stand under it.": _around(a, b, half**2),
        },
        name="two_depths(parent, pixels, length, focal, centre)",
    )
    short = two_depths(parent, pixels, 0.3 * length, FOCAL, CENTRE)
    if not np.isfinite(np.asarray(short, dtype=float)).all():
        raise Wrong(
            "A bone too short to reach its line of sight gives NaN, the square root of a negative number: let it be "
            "zero, which is the depth where the line comes nearest."
        )
    a, b, c = _quadratic(parent, pixels, 0.3 * length)
    missed = (b**2 < a * c)[:, None]
    compare(
        short,
        _solutions(a, b, c),
        {
            "A bone that does not reach its line of sight is put at the parent's depth: the line comes nearest "
            "elsewhere, so set only the square root to zero.": np.where(missed, parent[:, 2:], _solutions(a, b, c)),
            "A bone that does not reach its line of sight is put at depth zero, into the camera: set only the square "
            "root to zero.": np.where(missed, 0, _solutions(a, b, c)),
            "abs turns a bone that is too short into a long one: what is negative under the square root must become "
            "zero.": _around(a, b, np.sqrt(np.abs(b**2 - a * c))),
        },
        name="two_depths of bones that are too short",
    )
    return f"Sixteen bones, two ends each: {2**16:,} poses for one picture, all with the right bone lengths."


def _quadratic(parent: np.ndarray, pixels: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, ...]:
    """a, b and c of a z² - 2 b z + c = 0, which says that the point at depth z is `length` away from the parent."""
    rays = np.concatenate([(pixels - CENTRE) / FOCAL, np.ones((len(pixels), 1))], axis=-1)
    return (rays**2).sum(-1), (rays * parent).sum(-1), (parent**2).sum(-1) - length**2


def _solutions(a, b, c) -> np.ndarray:
    """Both z of a z² - 2 b z + c = 0, the smaller one first; where there is none, twice the z nearest to one."""
    return _around(a, b, np.sqrt(np.maximum(b**2 - a * c, 0)))


def _around(a, b, half) -> np.ndarray:
    return np.stack([(b - half) / a, (b + half) / a], axis=-1)


def _answer(function, *given, changed: str = CHANGED):
    """What the function answers. Raises Wrong if it changes an array that it was given."""
    own = deepcopy(given)
    answer = function(*own)
    if answer is None:
        raise NotAnswered
    if not all(np.array_equal(mine, before) for mine, before in zip(own, given, strict=True)):
        raise Wrong(changed)
    return answer
