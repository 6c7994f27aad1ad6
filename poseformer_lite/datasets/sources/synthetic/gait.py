"""How people step: published joint-angle curves of walking, and feet that stand where they were put.

A gait cycle runs from one heel strike of the right foot (phase 0) to the next (phase 1); the left foot follows by
half a cycle. A foot stands for the first 62 % of its own cycle and swings for the rest.
"""

from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter1d

from poseformer_lite.datasets.sources.synthetic.body import SIDES, Body, rotation, turn
from poseformer_lite.datasets.sources.synthetic.signals import FPS, min_jerk

STANCE = 0.62  # share of the cycle, Perry & Burnfield, Gait Analysis (2010), chapter 1
BEHIND = 0.13  # share of the way that the hip goes over a standing foot: it lands 0.31 m ahead and leaves 0.42 behind
STANDING_PHASE = 0.06  # both feet are down here, and half a cycle later

# Degrees at every twentieth of the cycle, from heel strike: key values of the mean curves of healthy adults at their
# own pace, rounded to a degree. Thigh (on the vertical), knee and ankle: Winter (1991) and Perry & Burnfield (2010).
# Pelvis: Perry & Burnfield, 4 degrees of drop and 5 of rotation either way. Trunk: chest against pelvis, Crosbie et
# al. (1997). Shoulder and elbow: Murray, Sepic & Barnard (1967), 24 degrees back to 8 forward, elbow 15 to 40.
CURVES = {
    "thigh": (22, 22, 19, 14, 9, 4, -1, -6, -11, -16, -19, -18, -12, -2, 9, 18, 24, 26, 25, 23),
    "knee": (4, 11, 17, 18, 15, 12, 8, 6, 5, 7, 13, 23, 38, 52, 60, 58, 46, 28, 11, 3),
    "ankle": (0, -4, -4, 0, 3, 5, 7, 8, 10, 10, 7, -4, -15, -17, -9, -3, 0, 2, 2, 1),
    "pelvis_roll": (0, 2, 4, 4, 3, 2, 1, 0, 0, 0, 0, -2, -4, -4, -3, -2, -1, 0, 0, 0),
    "pelvis_yaw": (5, 5, 4, 3, 2, 0, -1, -2, -3, -4, -5, -5, -4, -3, -2, 0, 1, 2, 3, 4),
    "shoulder": (-24, -24, -22, -19, -15, -10, -5, 0, 4, 7, 8, 7, 5, 2, -3, -8, -13, -17, -21, -23),
    "elbow": (16, 15, 15, 16, 18, 21, 25, 29, 33, 37, 40, 40, 38, 35, 31, 27, 24, 21, 19, 17),
}
HARMONICS = 6


@cache
def _fourier(name: str) -> np.ndarray:
    """Coefficients of a curve's Fourier series, radians, harmonics 0 to 6."""
    coefficients = np.fft.rfft(np.radians(CURVES[name]))[: HARMONICS + 1] / len(CURVES[name])
    coefficients[1:] *= 2
    return coefficients


def curve(name: str, phase: np.ndarray) -> np.ndarray:
    """A joint angle, radians, at these phases of the cycle, whose whole part does not matter: (...) -> (...)."""
    turns = np.exp(2j * np.pi * np.asarray(phase)[..., None] * np.arange(HARMONICS + 1))
    return (turns @ _fourier(name)).real


def own_phases(phase: np.ndarray) -> np.ndarray:
    """Phase of the body (T,) -> phase of each foot's own cycle (T, 2), left and right."""
    return np.stack([phase - 0.5, phase], axis=-1)


def vigour(phase: np.ndarray) -> np.ndarray:
    """0 for one who stands and 1 for one who walks: (T,) phases -> (T,)."""
    return np.clip(gaussian_filter1d(np.gradient(phase) * FPS, 4) / 0.8, 0, 1)


def heel_rise(own: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Angle between sole and floor, radians: thigh - knee + ankle of the published curves, flat in mid-stance.

    own: (T, 2) phases; strength: (T,), which scales the angle, (T, 2).
    """
    u = own % 1
    published = curve("knee", own) - curve("thigh", own) - curve("ankle", own)
    window = min_jerk((u - 0.38) / 0.2) * (1 - min_jerk((u - 0.8) / 0.18))  # flat from before heel strike on
    return np.maximum(published, 0) * window * strength[:, None]


def footprints(base: np.ndarray, own: np.ndarray, body: Body, side: float, spread, rng) -> np.ndarray:
    """Where one foot is put down, step by step: (S, 3), x, y and heading of steps floor(own[0]) ... floor(own[-1]) + 1.

    base: (T, 3), x, y and heading of the body. A foot is put where the body is, on median, while the foot stands, and
    a little behind: so ahead of a walker, and beside one who stops. spread: standard deviations of x and y (metres) and
    of the heading (radians).
    """
    step = np.floor(own).astype(int)
    step -= step[0]
    standing = own % 1 < STANCE
    centers = np.full((step[-1] + 2, 3), np.nan)
    for k in range(len(centers)):
        down = (step == k) & standing
        here = base[down] if down.any() else base[[-1 if k else 0]]
        centers[k] = np.median(here, axis=0) - BEHIND * (here[-1] - here[0]) * [1, 1, 0]
    prints = centers + rng.normal(size=centers.shape) * [0, 0, spread[2]]
    prints[:, 2] += side * body.toe_out
    aside = np.stack([np.zeros(len(prints)), np.full(len(prints), side * body.step_width / 2)], axis=-1)
    aside += rng.normal(size=aside.shape) * spread[:2]
    aside[:, 1] = side * np.maximum(side * aside[:, 1], 0.04)  # feet do not cross
    cos, sin = np.cos(centers[:, 2]), np.sin(centers[:, 2])
    prints[:, 0] += cos * aside[:, 0] - sin * aside[:, 1]
    prints[:, 1] += sin * aside[:, 0] + cos * aside[:, 1]
    return prints


def step_feet(
    base: np.ndarray, phase: np.ndarray, body: Body, spread, rng
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ankles (T, 2, 3) in the world, headings of the feet (T, 2), and whether each foot stands (T, 2).

    base: (T, 3); phase: (T,) cycles, never falling; where it rests, the person stands. The ball of a standing foot
    stays exactly where it is, and the ankle with it until the heel rises about the ball.
    """
    own = own_phases(phase)
    rise = heel_rise(own, vigour(phase))
    ball = 0.5 * body.lengths["foot"]  # from ankle to ball, along the sole

    ankles, headings = [], []
    for i, side in enumerate(SIDES):
        prints = footprints(base, own[:, i], body, side, spread, rng)
        step = np.floor(own[:, i]).astype(int)
        step -= step[0]
        swing = (own[:, i] % 1 - STANCE) / (1 - STANCE)
        here = prints[step] + (prints[step + 1] - prints[step]) * min_jerk(swing)[:, None]
        length = np.linalg.norm((prints[step + 1] - prints[step])[:, :2], axis=-1)
        lift = np.where(swing > 0, np.sin(np.pi * np.clip(swing, 0, 1)) ** 2, 0) * (0.03 + 0.03 * np.minimum(length, 1))

        height, a = body.lengths["ankle_height"], rise[:, i]
        forward = ball - ball * np.cos(a) + height * np.sin(a)
        up = ball * np.sin(a) + height * np.cos(a) + lift
        offset = np.stack([forward, np.zeros_like(forward), up], axis=-1)
        flat = np.stack([here[:, 0], here[:, 1], np.zeros(len(here))], axis=-1)
        ankles.append(flat + turn(rotation(here[:, 2:] * [0, 0, 1]), offset))
        headings.append(here[:, 2])
    return np.stack(ankles, axis=1), np.stack(headings, axis=1), own % 1 < STANCE


def cycles_per_second(speed: np.ndarray, body: Body) -> np.ndarray:
    """Cadence of walking at `speed` (m/s), from the walk ratio.

    Step length over steps per minute is 0.0064 m for adults (Sekiya et al. 1996); it is scaled with stature here.
    """
    return np.sqrt(60 * speed * (1.70 / body.stature) / 0.0064) / 120
