"""Signals over time: correlated noise, values that move from key to key, and when events happen."""

import numpy as np

FPS = 50


def smooth_noise(rng: np.random.Generator, frames: int, channels: int, corner: float = 0.5) -> np.ndarray:
    """Correlated noise of unit variance: (frames, channels).

    White noise shaped so that power is even up to `corner` (Hz), falls with the square of frequency above it, as human
    movement does, and ends softly near 7 Hz.
    """
    frequency = np.fft.rfftfreq(frames, 1 / FPS)
    amplitude = 1 / np.sqrt(1 + (frequency / corner) ** 2) / (1 + (frequency / 7) ** 6)
    amplitude[0] = 0
    spectrum = np.fft.rfft(rng.normal(size=(frames, channels)), axis=0) * amplitude[:, None]
    return np.fft.irfft(spectrum, frames, axis=0) / np.sqrt(2 * (amplitude**2).sum() / frames)


def events(rng: np.random.Generator, duration: float, every: float) -> np.ndarray:
    """Times in [0, duration), seconds, `every` seconds apart on average and never less than a third of that."""
    count = int(duration / every * 3) + 1
    times = np.cumsum(every * (1 / 3 + rng.gamma(2, 1 / 3, count)))
    return times[times < duration]


def min_jerk(u: np.ndarray) -> np.ndarray:
    """From 0 to 1 as hands and feet go, with the least jerk (Flash & Hogan 1985); flat before 0 and after 1."""
    u = np.clip(u, 0, 1)
    return u**3 * (10 - 15 * u + 6 * u**2)


def keyed(time: np.ndarray, starts: np.ndarray, durations: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values that move from key to key: (T,), (K,), (K,), (K + 1, ...) -> (T, ...).

    Move k leads from values[k] to values[k + 1] and takes durations[k]; moves that overlap add up, as submovements of
    the hand do (Flash & Henis 1991).
    """
    progress = min_jerk((time[:, None] - starts) / durations)  # (T, K)
    return values[0] + np.tensordot(progress, np.diff(values, axis=0), axes=1)
