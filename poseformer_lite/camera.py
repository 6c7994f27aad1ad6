"""Cameras: world to camera and back, the Human3.6M lens, and the screen coordinates a network sees.

World space is metres with z up; camera space is metres with x right, y down and z away from the camera, so a
pose stands upright on the screen when its y falls from foot to head.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial.transform import Rotation

from poseformer_lite.checked import number

_LENGTHS = {"focal_length": 2, "center": 2, "radial": 3, "tangential": 2, "orientation": 4, "translation": 3}


@dataclass(frozen=True)
class Camera:
    """A calibrated camera with the distortion model of Human3.6M.

    :param name: of the camera
    :param width: of the image, pixels
    :param height: of the image, pixels
    :param focal_length: (x, y), pixels
    :param center: (x, y), pixels
    :param radial: the lens's distortion, (k1, k2, k3) and (p1, p2)
    :param tangential: the lens's distortion, (k1, k2, k3) and (p1, p2)
    :param orientation: a quaternion (w, x, y, z), from camera to world
    :param translation: the camera's position in the world, metres
    :raises ValueError: for other numbers, or as many.
    """

    name: str
    width: int
    height: int
    focal_length: tuple[float, float]
    center: tuple[float, float]
    radial: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tangential: tuple[float, float] = (0.0, 0.0)
    orientation: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    translation: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self):
        for name in ("width", "height"):
            number(getattr(self, name), f"camera {self.name!r}: {name}", 1, whole=True)
        for name, length in _LENGTHS.items():
            values = getattr(self, name)
            if not isinstance(values, tuple | list | np.ndarray) or len(values) != length:
                raise ValueError(f"camera {self.name!r}: {name} is {values!r:.60}, expected {length} numbers")
            for value in values:
                number(value, f"camera {self.name!r}: {name}")

    @cached_property
    def rotation(self) -> np.ndarray:
        """(3, 3), camera to world: its columns are the camera's axes, seen in the world."""
        w, x, y, z = self.orientation
        return Rotation.from_quat([x, y, z, w]).as_matrix()

    def world_to_camera(self, poses_world: np.ndarray) -> np.ndarray:
        """(..., 3) -> (..., 3), metres; float32 stays float32."""
        return ((poses_world - np.array(self.translation)) @ self.rotation).astype(poses_world.dtype)

    def camera_to_world(self, poses_camera: np.ndarray) -> np.ndarray:
        """(..., 3) -> (..., 3), metres: the inverse of `world_to_camera`."""
        return (poses_camera @ self.rotation.T + np.array(self.translation)).astype(poses_camera.dtype)

    def project(self, poses_camera: np.ndarray) -> np.ndarray:
        """Camera space to pixels, lens distortion included: (..., 3) -> (..., 2).

        x/z and y/z are clipped to [-1, 1] first, as the field's code does, so that a point beside or behind the camera
        stays finite.
        """
        xy = np.clip(poses_camera[..., :2] / poses_camera[..., 2:], -1, 1)
        k, p = np.array(self.radial), np.array(self.tangential)
        r2 = (xy**2).sum(-1, keepdims=True)
        stretch = 1 + r2 * (k[0] + r2 * (k[1] + r2 * k[2])) + (xy * p).sum(-1, keepdims=True)
        pixels = (xy * stretch + r2 * p) * np.array(self.focal_length) + np.array(self.center)
        return pixels.astype(poses_camera.dtype)


def z_up(poses_3d) -> np.ndarray:
    """Camera space (x right, y down, z away) to x right, y away, z up, as if the camera were level.

    :param poses_3d: (..., 3).
    :returns: (..., 3) float64, in the unit given.
    """
    x, y, z = np.moveaxis(np.asarray(poses_3d, dtype=float), -1, 0)
    return np.stack([x, z, -y], axis=-1)


def normalize_screen(pixels, width: int, height: int):
    """Pixels to the coordinates a network sees: x / width * 2 - 1, and y in the same unit, so that the aspect is kept.

    :param pixels: (..., 2), array or tensor
    :param width: of the image, pixels.
    :param height: of the image, pixels.
    :returns: (..., 2), x in [-1, 1], y in [-height / width, height / width].
    :raises ValueError: for a size that is not positive.
    """
    _check_image_size(width, height)
    normalized = pixels / width * 2
    normalized[..., 0] -= 1
    normalized[..., 1] -= height / width
    return normalized


def denormalize_screen(normalized, width: int, height: int):
    """The inverse of `normalize_screen`.

    :param normalized: (..., 2), array or tensor
    :param width: of the image, pixels.
    :param height: of the image, pixels.
    :returns: (..., 2), pixels.
    :raises ValueError: for a size that is not positive.
    """
    _check_image_size(width, height)
    pixels = normalized * (width / 2)
    pixels[..., 0] += width / 2
    pixels[..., 1] += height / 2
    return pixels


def _check_image_size(width, height):
    if not (width > 0 and height > 0):
        raise ValueError(f"image size {width} x {height}: width and height are in pixels and must be positive")


def look_at(position, target, *, roll_degrees: float = 0.0) -> tuple[float, float, float, float]:
    """The orientation of a camera that looks at a point, upright in a z-up world.

    :param position: (3,), metres
    :param target: (3,), metres
    :param roll_degrees: by how much it is turned about its line of sight.
    :returns: A quaternion (w, x, y, z), as `Camera.orientation`.
    :raises ValueError: where the two are not apart, or straight above each other.
    """
    forward = np.asarray(target, float) - np.asarray(position, float)
    if np.linalg.norm(forward) < 1e-9 or np.linalg.norm(forward[:2]) < 1e-9:
        raise ValueError(f"a camera at {tuple(position)} cannot look at {tuple(target)}: not apart, or straight up")
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(forward, right), forward], axis=1)  # columns: right, down, forward
    x, y, z, w = (Rotation.from_matrix(axes) * Rotation.from_euler("z", roll_degrees, degrees=True)).as_quat()
    return (float(w), float(x), float(y), float(z))
