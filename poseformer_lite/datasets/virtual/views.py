"""Motions seen through virtual cameras: like those of Human3.6M, or like a crowd of phones."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from poseformer_lite.camera import Camera, look_at
from poseformer_lite.datasets.base import PoseSequence, Take
from poseformer_lite.datasets.virtual.detections import simulate_detector
from poseformer_lite.datasets.virtual.wild import detector_points, wild_keypoints

MARGIN = 0.92  # of the half image: nobody comes closer to its edge
NEAREST = 1.0  # metres that every joint is in front of the camera, at least
PERSON, SMALLEST = 1.7, 0.1  # metres, and the share of the image's longer side that they take up at least
IMAGE_SIZES = (  # width, height: phones held both ways, webcams, Human3.6M
    (1920, 1080), (1080, 1920), (1280, 720), (720, 1280), (640, 480), (480, 640), (1000, 1000), (1000, 1002),
)  # fmt: skip


def fixed_cameras(take: Take, num_views: int = 4) -> list[Camera]:
    """Cameras like Human3.6M's: 1000 x 1000 pixels, focal length 1145, evenly around the take's middle.

    :param take: which the cameras stand 5 m from, or further where it would leave the image
    :param num_views: how many.
    :returns: Cameras 1.5 m high.
    """
    yaws = np.pi / 4 + np.arange(num_views) * 2 * np.pi / num_views
    return [
        _camera_around(take, f"fixed{i}", (1000, 1000), 1145.0, _middle(take), yaw, camera_height=1.5, nearest=5.0)
        for i, yaw in enumerate(yaws)
    ]


def random_cameras(take: Take, rng: Generator, num_views: int = 4) -> list[Camera]:
    """Cameras anywhere around the take, drawn evenly from ranges that hold phones, webcams and Human3.6M.

    Yaw all around; 0.4 to 2.4 m high, and so pitched from some 10 degrees upward to 40 downward; roll within 5 degrees
    either way; focal length 0.7 to 1.3 of the image's longer side (a view of 71 to 42 degrees along it); eight sizes of
    images, upright and lengthwise; 1 to 1.5 times as far away as needs be for the whole take to fit, and at least 2.5
    m; aimed within 15 cm of the take's middle.

    :param take: what they look at
    :param rng: of the draw
    :param num_views: how many.
    :returns: Cameras from which the whole take is seen.
    """

    def draw(side: int) -> dict:
        lens = {"focal_length": side * rng.uniform(0.7, 1.3), **_aim(take, rng), "nearest": 2.5}
        return lens | {"farther": rng.uniform(1.0, 1.5), "roll_degrees": rng.uniform(-5, 5)}

    return _drawn_cameras(take, rng, num_views, "random", draw)


def wide_cameras(take: Take, rng: Generator, num_views: int = 4) -> list[Camera]:
    """Cameras as people hold them: tilted, near and far, of any lens.

    Yaw all around; a third is rolled by up to 30 degrees either way, the others within 5; the pitch is that of a camera
    0.4 to 2.4 m high for half of them, and for the others drawn evenly from 30 degrees upward to 45 downward; a field
    of view of 35 to 90 degrees along the image's longer side; the same sizes of images as `random_cameras`; from where
    the whole take just fits to where a person takes up a tenth of the longer side, evenly in the logarithm; aimed
    within 15 cm of the take's middle.

    :param take: what they look at
    :param rng: of the draw
    :param num_views: how many.
    :returns: Cameras from which the whole take is seen.
    """

    def draw(side: int) -> dict:
        focal_length = side / 2 / np.tan(np.radians(rng.uniform(35, 90)) / 2)
        roll = rng.uniform(-30, 30) if rng.random() < 1 / 3 else rng.uniform(-5, 5)
        pitch = rng.uniform(-30, 45) if rng.random() < 1 / 2 else None
        place = {**_aim(take, rng), "nearest": NEAREST, "farthest": focal_length * PERSON / (SMALLEST * side)}
        turned = {"roll_degrees": roll, "pitch_degrees": pitch}
        return {"focal_length": focal_length, **place, **turned, "farther": rng.uniform(0, 1)}

    return _drawn_cameras(take, rng, num_views, "wide", draw)


def view_take(
    take: Take, cameras: Sequence[Camera], keypoints: str = "gt", rng: Generator | None = None
) -> list[PoseSequence]:
    """One take seen by each of some cameras.

    :param take: a motion of Human3.6M's 17 joints
    :param cameras: what sees it
    :param keypoints: "gt", the true projections; "noisy", those of a simulated detector; "wild", those of one that has
        other joints, gaps, and a frame rate of its own
    :param rng: of the draw, for all but "gt".
    :returns: One sequence per camera, with 3D.
    :raises ValueError: for an unknown kind of keypoints, or none to draw with.
    """
    if keypoints not in ("gt", "noisy", "wild"):
        raise ValueError(f'keypoints={keypoints!r}: virtual cameras give "gt", "noisy" or "wild"')
    if keypoints != "gt" and rng is None:
        raise ValueError(f"keypoints={keypoints!r} draws at random: give rng=np.random.default_rng(seed)")
    world = take.world.astype(np.float32)
    sequences = []
    for camera in cameras:
        poses_3d = camera.world_to_camera(world)
        pixels = camera.project(poses_3d)
        if keypoints == "noisy":
            pixels = simulate_detector(pixels, rng).astype(np.float32)
        elif keypoints == "wild":
            marked = camera.project(camera.world_to_camera(detector_points(world, rng)))
            pixels = wild_keypoints(marked, rng, take.fps).astype(np.float32)
        sequences.append(
            PoseSequence(take.subject, take.action, camera.name, pixels, poses_3d, camera.width, camera.height, camera)
        )
    return sequences


def view_takes(
    takes: Sequence[Take], cameras: str = "random", keypoints: str = "gt", seed: int = 0, num_views: int = 4
) -> list[PoseSequence]:
    """Every take through cameras of its own.

    A take's views depend on the seed and on its position in the list, not on the other takes.

    :param takes: of Human3.6M's 17 joints
    :param cameras: "fixed", "random" or "wide"
    :param keypoints: as for `view_take`
    :param seed: the same seed gives the same views
    :param num_views: of each take.
    :returns: The sequences, take by take.
    :raises ValueError: for unknown cameras or keypoints.
    """
    if cameras not in ("fixed", "random", "wide"):
        raise ValueError(f'cameras={cameras!r}: expected "fixed", "random" or "wide"')
    placing = {"random": random_cameras, "wide": wide_cameras}
    sequences = []
    for index, take in enumerate(takes):
        rng = np.random.default_rng([seed, index])
        placed = fixed_cameras(take, num_views) if cameras == "fixed" else placing[cameras](take, rng, num_views)
        sequences += view_take(take, placed, keypoints, rng)
    return sequences


def _middle(take: Take) -> np.ndarray:
    """(3,): the middle of the box that holds every joint of every frame, metres."""
    joints = take.world.reshape(-1, 3)
    return (joints.min(axis=0) + joints.max(axis=0)).astype(float) / 2


def _aim(take: Take, rng: Generator) -> dict:
    """What drawn cameras share, for `_camera_around`: where they look, from which side, and how high they stand."""
    return {
        "target": _middle(take) + rng.uniform(-0.15, 0.15, 3),
        "yaw": rng.uniform(-np.pi, np.pi),
        "camera_height": rng.uniform(0.4, 2.4),
    }


def _drawn_cameras(take: Take, rng: Generator, num_views: int, name: str, draw: Callable[[int], dict]) -> list[Camera]:
    """draw: of an image's longer side in pixels makes what `_camera_around` wants to know."""
    sizes = ((i, IMAGE_SIZES[rng.integers(len(IMAGE_SIZES))]) for i in range(num_views))
    return [_camera_around(take, f"{name}{i}", size, **draw(max(size))) for i, size in sizes]


def _camera_around(
    take,
    name,
    size,
    focal_length,
    target,
    yaw,
    camera_height,
    nearest,
    farther=1.0,
    roll_degrees=0.0,
    pitch_degrees=None,
    farthest=None,
) -> Camera:
    """A camera in the direction `yaw` of the target (3,), looking at it from far enough to see the whole take.

    camera_height and nearest (distance) are in metres; pitch_degrees, downward, takes the height's place where it is
    given; farther is a factor of the distance or, with a farthest one, the share of the way there in the logarithm.
    The distance depends on the pitch and the pitch on the distance: a first guess with a level camera gives the pitch,
    a second one the distance, so that the height is met almost, and the fit exactly.
    """
    width, height = size
    sight = Camera(name, width, height, (focal_length, focal_length), (width / 2, height / 2))
    sine = np.sin(np.radians(pitch_degrees or 0.0))  # of the angle at which the camera stands above the target
    for _ in range(2):
        level = np.sqrt(1 - sine**2)
        away = np.array([level * np.cos(yaw), level * np.sin(yaw), sine])
        sight = replace(sight, orientation=look_at(target + away, target, roll_degrees=roll_degrees))
        distance = max(nearest, _fitting_distance(take, sight, target))
        distance *= farther if farthest is None else max(1, farthest / distance) ** farther
        if pitch_degrees is None:
            sine = np.clip((camera_height - target[2]) / distance, -0.9, 0.9)
    return replace(sight, translation=tuple((target + distance * away).tolist()))


def _fitting_distance(take: Take, camera: Camera, target: np.ndarray) -> float:
    """The least distance from the target at which every joint is inside the picture and NEAREST in front of it.

    A joint at (x, y, z) from the target, along the camera's axes, falls at focal_length * x / (distance + z) from the
    picture's middle: the condition that this stays within the margin is solved for the distance.
    """
    joints = (take.world.reshape(-1, 3) - target.astype(np.float32)) @ camera.rotation.astype(np.float32)
    x, y, z = joints.T
    across = np.abs(x) * (camera.focal_length[0] / (MARGIN * camera.width / 2))
    along = np.abs(y) * (camera.focal_length[1] / (MARGIN * camera.height / 2))
    return float(np.max(np.maximum(np.maximum(across, along), NEAREST) - z))
