"""The canonical camera: keypoints as a camera would see them that looks at the hip, with the person always as large.

A pose looks different at the edge of a wide picture, in a tilted camera's middle, and far away, though it is the same
pose. In place of pixels, a network can be shown the rays: turned so that the hip lies straight ahead, and scaled to a
constant size. What it predicts stands before that virtual camera, and is turned back.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

ASSUMED_FOCAL_LENGTH = 1.0  # of the image's longer side, where nobody knows it: a view of 53 degrees
SIZE = 0.35  # root mean square distance of the joints from the hip, in the virtual picture
HIP_SECONDS, SIZE_SECONDS = 0.06, (2.0, 0.3)  # smoothing: of the hip; the median's window, then the Gaussian's width


def canonical_view(
    pixels: np.ndarray, width: int, height: int, fps: float = 50.0, focal_length: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints through the virtual camera, and how it is turned.

    :param pixels: (T, J, 2), joint 0 the hip
    :param width: of the image, pixels
    :param height: of the image, pixels
    :param fps: frames per second
    :param focal_length: of the real camera, pixels; by default that of ASSUMED_FOCAL_LENGTH.
    :returns: (T, J, 2) float32, the hip near zero; and (T, 3, 3), the rotations from the real camera's axes to the
        virtual one's.
    """
    focal_length = focal_length or ASSUMED_FOCAL_LENGTH * max(width, height)
    flat = (np.asarray(pixels, float) - (width / 2, height / 2)) / focal_length  # (T, J, 2)
    rays = np.concatenate([flat, np.ones_like(flat[..., :1])], axis=-1)  # (T, J, 3)
    turns = turn_to_front(gaussian_filter1d(rays[:, 0], HIP_SECONDS * fps, axis=0, mode="nearest"))  # (T, 3, 3)
    turned = rays @ turns.swapaxes(-1, -2)
    seen = turned[..., :2] / np.maximum(turned[..., 2:], 0.05)  # nothing is seen from behind
    size = np.sqrt(((seen - seen[:, :1]) ** 2).sum(-1).mean(-1))  # (T,)
    window, width_of_gaussian = SIZE_SECONDS
    size = median_filter(size, int(window * fps) | 1, mode="nearest")
    size = np.maximum(gaussian_filter1d(size, width_of_gaussian * fps, mode="nearest"), 1e-6)
    return (SIZE * seen / size[:, None, None]).astype(np.float32), turns


def turn_to_front(directions: np.ndarray) -> np.ndarray:
    """The shortest rotations that take directions to the z axis.

    :param directions: (T, 3), of any length, z above 0.
    :returns: (T, 3, 3).
    """
    x, y, z = np.moveaxis(directions / np.linalg.norm(directions, axis=-1, keepdims=True), -1, 0)
    crossed = -x * y / (1 + z)
    rows = [[1 - x * x / (1 + z), crossed, -x], [crossed, 1 - y * y / (1 + z), -y], [x, y, z]]
    return np.moveaxis(np.array(rows), -1, 0)
