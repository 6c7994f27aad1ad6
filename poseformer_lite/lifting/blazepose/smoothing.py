"""The one-euro filter (Casiez, Roussel and Vogel, CHI 2012): smooth where slow, quick where fast."""

import numpy as np

SPEED_CUTOFF = 1.0  # Hz, of the low-pass on the speed


class OneEuro:
    """Filters one array after another.

    :param least_cutoff: Hz, of the low-pass where nothing moves
    :param speed_factor: by how much a speed, in sizes a second, raises the cut-off.
    """

    def __init__(self, least_cutoff: float, speed_factor: float):
        self.least_cutoff, self.speed_factor = least_cutoff, speed_factor
        self.seconds: float | None = None

    def __call__(self, values: np.ndarray, seconds: float, size: float) -> np.ndarray:
        """Values, when they were seen, and the size by which their speed is measured -> values of the same shape."""
        if self.seconds is None:
            self.raw = self.smooth = values
            self.speed = np.zeros_like(values)
        else:
            step = max(seconds - self.seconds, 1e-6)
            speed = (values - self.raw) / (step * size)
            self.speed = self.speed + _share(SPEED_CUTOFF, step) * (speed - self.speed)
            cutoff = self.least_cutoff + self.speed_factor * np.abs(self.speed)
            self.smooth = self.smooth + _share(cutoff, step) * (values - self.smooth)
            self.raw = values
        self.seconds = seconds
        return self.smooth


def _share(cutoff, step: float):
    """Of the new value in a low-pass of that cut-off, Hz, and time step, seconds."""
    return 1 / (1 + 1 / (2 * np.pi * cutoff * step))
