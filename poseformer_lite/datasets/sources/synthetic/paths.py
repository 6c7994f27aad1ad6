"""Where people go: standing about with a few steps now and then, or walking on curved paths with stops."""

import numpy as np

from poseformer_lite.datasets.sources.synthetic.actions import Action
from poseformer_lite.datasets.sources.synthetic.body import Body
from poseformer_lite.datasets.sources.synthetic.gait import STANDING_PHASE, cycles_per_second
from poseformer_lite.datasets.sources.synthetic.signals import FPS, events, keyed, min_jerk, smooth_noise

ROOM = 0.8  # metres from the middle of the room that those who stand about stay within


def stand(recipe: Action, body: Body, heights: np.ndarray, time: np.ndarray, rng: np.random.Generator):
    """Someone who stays about, and takes a few steps to another place and heading now and then.

    heights: (T,), of the pelvis as a share of stature: who stands walks off, who sits moves the feet only, who crouches
    stays. Returns the base (T, 3), x, y and heading, and the phase of the gait (T,), which rests between the steps.
    """
    place = np.array([*rng.uniform(-0.5, 0.5, 2), rng.uniform(-np.pi, np.pi)])
    starts, durations, places, steps, free = [], [], [place], [], 0.0
    for start in events(rng, time[-1], recipe.step_every):
        change = rng.normal(size=3) * [0.4, 0.4, 0.9]
        count = int(np.clip(np.ceil(max(np.hypot(*change[:2]) / 0.45, abs(change[2]) / 0.7)), 2, 5))
        duration = count * rng.uniform(0.48, 0.65) / body.tempo
        during = heights[(time >= start - 0.2) & (time <= start + duration + 0.2)]
        sits = np.ptp(during) < 0.01 and during[0] < 0.4
        if start < free or not (sits or during.min() > 0.5):
            continue
        place = place + change * (0.08 if sits else 1)
        place[:2] *= min(1, ROOM / np.hypot(*place[:2]))
        starts, durations, steps = [*starts, start], [*durations, duration], [*steps, 1 if sits else count]
        places, free = [*places, place], start + duration
    starts, durations = np.array(starts), np.array(durations)
    base = keyed(time, starts, durations, np.array(places))
    stepping = np.clip((time[:, None] - starts) / durations, 0, 1)
    first = rng.choice([0.0, 0.5])  # the foot that goes first
    phase = first + STANDING_PHASE + (0.5 * np.array(steps) * (0.6 * stepping + 0.4 * min_jerk(stepping))).sum(1)
    return base, phase


def walk(recipe: Action, body: Body, time: np.ndarray, rng: np.random.Generator):
    """Someone who walks round the room on a curved path, and stops now and then where the postures ask for it.

    Returns the base (T, 3), x, y and heading along the path, and the phase of the gait (T,).
    """
    slow, fast = recipe.walk
    pace = rng.uniform(slow, fast) * (1 + 0.1 * smooth_noise(rng, len(time), 1, corner=0.1)[:, 0])
    phase = np.cumsum(cycles_per_second(pace, body)) / FPS + rng.uniform()
    clock = _stops(recipe, phase, time, rng)
    gone = np.interp(clock, time, np.cumsum(pace) / FPS)
    path, length = _path(rng, gone[-1] + 1)
    x, y = (np.interp(gone, length, p) for p in path)
    heading = np.interp(gone, length, np.unwrap(np.arctan2(np.gradient(path[1]), np.gradient(path[0]))))
    return np.stack([x, y, heading], axis=-1), np.interp(clock, time, phase)


def _stops(recipe: Action, phase: np.ndarray, time: np.ndarray, rng) -> np.ndarray:
    """The walker's own clock (T,), which rests during stops: always with both feet on the floor."""
    if len(set(recipe.postures)) == 1:
        return time
    ease, rate, lost = 0.8, np.ones_like(time), 0.0
    for start in events(rng, time[-1], 2 * recipe.posture_every):
        both_down = np.ceil((phase[np.searchsorted(time, min(start, time[-1]))] - STANDING_PHASE) * 2) / 2
        when = np.interp(both_down + STANDING_PHASE, phase, time)
        rest = rng.uniform(0.8, 2.5)
        down = when - ease / 2 + lost
        rate -= min_jerk((time - down) / ease) - min_jerk((time - down - ease - rest) / ease)
        lost += rest + ease
    return np.cumsum(np.maximum(rate, 0)) / FPS


def _path(rng: np.random.Generator, length: float):
    """A curve through the room, at least `length` long: (2, N) metres, and how far along each point lies (N,)."""
    radius = rng.uniform(0.85, 1.2)
    angle = np.arange(0, length / (0.5 * radius) + 1, 0.02)
    circle = 0.88 * np.exp(1j * angle)
    circle += 0.12 * np.exp(1j * (rng.uniform(1.4, 1.9) * rng.choice([-1, 1]) * angle + rng.uniform(0, 2 * np.pi)))
    curve = radius * circle * np.exp(1j * rng.uniform(0, 2 * np.pi))
    path = np.stack([curve.real, curve.imag * rng.choice([-1, 1])])
    return path, np.concatenate([[0], np.cumsum(np.hypot(*np.diff(path, axis=1)))])
