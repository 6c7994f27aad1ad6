"""Checkers of lesson 01: skeletons, cameras, screen coordinates, and the error of a pose."""

import numpy as np
import torch

from poseformer_lite.camera import Camera, denormalise_screen, normalise_screen
from poseformer_lite.exercises.judge import NotAnswered, Wrong, compare
from poseformer_lite.metrics import mpjpe
from poseformer_lite.skeleton import H36M17, flip_poses

LENS = Camera("exercise", 1280, 720, (1000.0, 900.0), (650.0, 340.0))
FOCAL, CENTRE = np.array(LENS.focal_length), np.array(LENS.center)


def exercise_1(mirrored):
    """mirrored(poses, left, right): the poses as a mirror shows them."""
    poses = np.random.default_rng(1).normal(size=(4, 17, 3))
    left, right = list(H36M17.left), list(H36M17.right)
    given = poses.copy()
    answer = mirrored(given, left, right)
    if answer is None:
        raise NotAnswered
    if not np.array_equal(given, poses):
        raise Wrong("The array that was handed in has changed: work on a copy of it, the caller still needs the poses.")
    expected = flip_poses(poses, H36M17)
    order = list(H36M17.flip_order)
    both = poses * [-1, 1, 1]
    both[:, left] = both[:, right]
    one_way = poses * [-1, 1, 1]
    one_way[:, right] = one_way[:, left]
    half = "Left and right joints of the result are the same: the first copy overwrote what the second one needed."
    compare(
        answer,
        expected,
        {
            "x is negated, but the joints are not exchanged: the mirror image of a left hand is a right hand, "
            "so each joint of `left` must change places with its partner in `right`.": poses * [-1, 1, 1],
            "The joints are exchanged, but nobody is mirrored: the first coordinate must change its sign.": poses[
                :, order
            ],
            "y is negated: the person stands on the head. A mirror on the wall turns x round.": (
                poses[:, order] * [1, -1, 1]
            ),
            "z is negated: that exchanges near and far. A mirror on the wall turns x round.": (
                poses[:, order] * [1, 1, -1]
            ),
            "All three coordinates are negated: only x may be.": -poses[:, order],
            half: both,
            half + " It is the right side that was overwritten.": one_way,
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
    long_rays = np.concatenate([rays, np.ones((5, 1))], axis=-1)
    compare(
        from_pixels(pixels, depth, FOCAL, CENTRE),
        points,
        {
            "The principal point is forgotten: pixels are counted from the image's corner, and the axis of the camera "
            "meets the image at `centre`.": np.concatenate([pixels / FOCAL * z, z], axis=-1),
            "These are the directions of the lines of sight, at depth one: go along them to the given depth.": (
                np.concatenate([rays, z], axis=-1)
            ),
            "These are the lines of sight at depth one, third coordinate included: scale them to the given depth.": (
                long_rays
            ),
            "The focal length is on the wrong side: projecting multiplies by it, so going back divides.": (
                np.concatenate([(pixels - CENTRE) * FOCAL * z, z], axis=-1)
            ),
            "Focal length and centre have changed places.": (
                np.concatenate([(pixels - FOCAL) / CENTRE * z, z], axis=-1)
            ),
            "Depth is taken for the distance from the camera: it is z, measured along the camera's axis, and not the "
            "length of the line of sight.": long_rays / np.linalg.norm(long_rays, axis=-1, keepdims=True) * z,
            "x and y are right, but where is the depth? A point has three coordinates, the third one is z.": rays * z,
            "Both coordinates use the first focal length: the second one belongs to y.": (
                np.concatenate([(pixels - CENTRE) / FOCAL[0] * z, z], axis=-1)
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
        given = screen.copy()
        answer = to_pixels(given, width, height)
        if answer is None:
            raise NotAnswered
        if not np.array_equal(given, screen):
            raise Wrong("The array that was handed in has changed: make a new one, the caller still needs the old.")
        compare(
            answer,
            denormalise_screen(screen, width, height),
            {
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
                "The longer side was taken for the unit: it is the width, also in a picture that is higher than "
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
    predicted = torch.randn(4, 6, 3, generator=generator)
    poses = torch.randn(4, 6, 3, generator=generator) + torch.tensor([0.0, 0.5, 5.0])
    root = 2
    target = poses - poses[:, root : root + 1]
    away = predicted - target
    depth_only = poses.clone()
    depth_only[..., 2] -= poses[:, root : root + 1, 2]
    compare(
        pose_error(predicted, poses, root),
        1000 * mpjpe(predicted, target),
        {
            "The poses are still where the person stood: move each so that its root is at the origin.": (
                1000 * mpjpe(predicted, poses)
            ),
            "The root of the first pose was taken off all of them: each pose has its own.": (
                1000 * mpjpe(predicted, poses - poses[0, root])
            ),
            "Only the depth is measured from the root: x and y must be too.": 1000 * mpjpe(predicted, depth_only),
            "Joint 0 was taken for the root: it is joint `root`.": 1000 * mpjpe(predicted, poses - poses[:, :1]),
            "The predicted pose was moved as well: it is root-relative already, and an error it makes at the root "
            "counts.": 1000 * mpjpe(predicted - predicted[:, root : root + 1], target),
            "This is the mean of the squared distances: take the root of each before the mean.": (
                1000 * away.square().sum(-1).mean()
            ),
            "This is the root of the mean squared distance: the mean must be of the distances themselves.": (
                1000 * away.square().sum(-1).mean().sqrt()
            ),
            "The distance runs over the wrong axis: it is taken over x, y and z of one joint, the last axis.": (
                1000 * away.norm(dim=1).mean()
            ),
            "This is the mean of |x|, |y| and |z|: MPJPE is the mean of straight distances.": 1000 * away.abs().mean(),
            "This is the sum over poses and joints: take the mean.": 1000 * away.norm(dim=-1).sum(),
            "The sum runs over the joints, the mean over the poses only: take the mean over both.": (
                1000 * away.norm(dim=-1).sum(1).mean()
            ),
            "This is in metres: errors are given in millimetres.": mpjpe(predicted, target),
            "This is one number per joint of each pose: take the mean of them all.": 1000 * away.norm(dim=-1),
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
    expected = _two_depths(parent, pixels, length)
    rays = np.concatenate([(pixels - CENTRE) / FOCAL, np.ones((5, 1))], axis=-1)
    along, square = (rays * parent).sum(-1), (rays**2).sum(-1)
    half = np.sqrt(along**2 - square * ((parent**2).sum(-1) - length**2))
    flat = np.sqrt(np.maximum(length**2 - ((rays[:, :2] * parent[:, 2:] - parent[:, :2]) ** 2).sum(-1), 0))
    compare(
        two_depths(parent, pixels, length, FOCAL, CENTRE),
        expected,
        {
            "The farther depth comes first: the nearer one belongs in the first column.": expected[:, ::-1],
            "The table lies on its side: one row for each bone, near and far in its columns.": expected.T,
            "These are depths measured from the parent: add the parent's own.": expected - parent[:, 2:],
            "These are distances from the camera: depth is z alone, so let your line of sight have z = 1.": (
                expected * np.sqrt(square)[:, None]
            ),
            "This slides the bone's end straight backwards: it must stay on its line of sight, and so x and y change "
            "with the depth.": np.stack([parent[:, 2] - flat, parent[:, 2] + flat], axis=-1),
            "The quadratic's first coefficient is missing: the sum and the difference must be divided by it.": (
                np.stack([along - half, along + half], axis=-1)
            ),
            "The principal point is forgotten: subtract `centre` before dividing by the focal length.": (
                _two_depths(parent, pixels + CENTRE, length)
            ),
        },
        name="two_depths(parent, pixels, length, focal, centre)",
    )
    short = two_depths(parent, pixels, 0.3 * length, FOCAL, CENTRE)
    if not np.isfinite(np.asarray(short, dtype=float)).all():
        raise Wrong(
            "A bone too short to reach its line of sight gives NaN, the root of a negative number: let that root be "
            "zero, which is the depth where the line comes nearest."
        )
    nearest = _two_depths(parent, pixels, 0.3 * length)
    compare(
        short,
        nearest,
        {
            "A bone that does not reach its line of sight is put at the parent's depth: the line comes nearest "
            "elsewhere, so set only the root of the quadratic to zero.": np.where(
                nearest[:, :1] == nearest[:, 1:], parent[:, 2:], nearest
            ),
        },
        name="two_depths of bones that are too short",
    )
    return f"Sixteen bones, two ends each: {2**16:,} poses for one picture, all with the right bone lengths."


def _two_depths(parent: np.ndarray, pixels: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Both z for which z * ray is `length` away from the parent; the nearest z twice where there is none."""
    rays = np.concatenate([(pixels - CENTRE) / FOCAL, np.ones((len(pixels), 1))], axis=-1)
    along, square = (rays * parent).sum(-1), (rays**2).sum(-1)
    half = np.sqrt(np.maximum(along**2 - square * ((parent**2).sum(-1) - length**2), 0))
    return np.stack([along - half, along + half], axis=-1) / square[:, None]
