"""A take: draws what happens when, lays it over time, and poses the body at every frame at once."""

import numpy as np
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from poseformer_lite.datasets.sources.synthetic import gait, paths
from poseformer_lite.datasets.sources.synthetic.actions import PLACES, POSTURES, RECIPES, STANDING, Action, Posture
from poseformer_lite.datasets.sources.synthetic.body import (
    SIDES,
    Body,
    Controls,
    hip_offsets,
    pose,
    rotation,
    turn,
)  # fmt: skip
from poseformer_lite.datasets.sources.synthetic.gait import curve, own_phases, step_feet
from poseformer_lite.datasets.sources.synthetic.signals import FPS, events, keyed, min_jerk, smooth_noise

MARGIN = 50  # frames made and cut off again at either end, so that takes begin and end in the middle of things


def make_motion(body: Body, action: str, rng: np.random.Generator) -> np.ndarray:
    """One take of an action: (T, 17, 3) metres, world, 500 to 700 frames at 50 Hz."""
    recipe = RECIPES[action]
    time = np.arange(rng.integers(500, 701) + 2 * MARGIN) / FPS
    posture = _postures(recipe, time, rng)
    base, phase = (
        paths.walk(recipe, body, time, rng) if recipe.walk else paths.stand(recipe, body, posture["height"], time, rng)
    )
    vigour = gait.vigour(phase)
    if recipe.walk:  # other postures wait for a stop
        walking = vars(POSTURES["upright"])
        posture = {name: walking[name] * vigour + held * (1 - vigour) for name, held in posture.items()}

    ankles, feet, stands = step_feet(base, phase, body, (0.01, 0.01, 0.04) if recipe.walk else (0.06, 0.03, 0.15), rng)
    pelvis_angles, trunk = _trunk(recipe, body, posture, base, phase, vigour, time, rng)
    wrists, elbow_poles = _arms(recipe, body, pelvis_angles, trunk, phase, vigour, time, rng)
    controls = Controls(
        pelvis=_pelvis(body, posture, base, phase, vigour, ankles, stands, pelvis_angles, rng),
        pelvis_angles=pelvis_angles,
        trunk=trunk,
        shrug=0.06 * smooth_noise(rng, len(time), 2),
        wrists=wrists,
        elbow_poles=elbow_poles,
        ankles=ankles,
        knee_poles=_knee_poles(posture, pelvis_angles[:, 2], feet, rng),
    )
    return pose(body, controls)[MARGIN:-MARGIN].astype(np.float32)


def _postures(recipe: Action, time: np.ndarray, rng) -> dict[str, np.ndarray]:
    """The fields of Posture over time, each (T,): one posture after the other, none exactly like another."""
    starts = events(rng, time[-1], recipe.posture_every)
    names = rng.choice(recipe.postures, len(starts) + 1)
    values = np.array([list(vars(POSTURES[name]).values()) for name in names])
    low = values[:, 1] < STANDING
    values += rng.normal(size=values.shape) * [0.01, 0.0, 0.05, 0.05, 0.05, 0.08, 0.08]
    values[:, 1] += low * np.abs(rng.normal(size=len(names))) * 0.015
    durations = 0.7 + 2.2 * np.abs(np.diff(values[:, 1])) + rng.uniform(0, 0.5, len(starts))
    return dict(zip(vars(Posture()), keyed(time, starts, durations, values).T, strict=True))


def _trunk(recipe: Action, body: Body, posture, base, phase, vigour, time, rng):
    """Angles of the pelvis in the world (T, 3), and of the parts of the trunk each on the one below {part: (T, 3)}."""
    looks = events(rng, time[-1], recipe.look_every)
    look = rng.normal(size=(len(looks) + 1, 4)) * [0.15, 0.25, recipe.look_width, 0.2]
    roll, pitch, yaw, twist = keyed(time, looks, rng.uniform(0.35, 0.9, len(looks)), look).T
    # rising and sitting down, the body leans forward
    lean = gaussian_filter1d(np.abs(np.gradient(posture["height"])) * FPS * body.stature * 0.5, 8)
    gait_roll, gait_yaw = (curve(name, phase) * vigour for name in ("pelvis_roll", "pelvis_yaw"))

    zero = np.zeros_like(time)
    parts = {
        "pelvis": [-gait_roll, posture["pelvis"] + 0.6 * lean, base[:, 2] + gait_yaw],
        "lumbar": [0.7 * gait_roll, posture["lumbar"] + 0.4 * lean + 0.04 * vigour, -0.5 * gait_yaw + 0.3 * twist],
        "chest": [zero, posture["chest"] + body.stoop, -1.4 * gait_yaw + 0.7 * twist + 0.15 * yaw],
        "neck": [0.4 * roll, posture["neck"] + 0.4 * pitch, 0.4 * yaw],
        "head": [0.6 * roll, 0.6 * pitch, 0.45 * yaw],
    }
    noise = dict(zip(parts, (0.035, 0.035, 0.045, 0.06, 0.06), strict=True))
    angles = {
        part: np.stack(columns, axis=-1) + noise[part] * smooth_noise(rng, len(time), 3)
        for part, columns in parts.items()
    }
    return angles.pop("pelvis"), angles


def _pelvis(body: Body, posture, base, phase, vigour, ankles, stands, pelvis_angles, rng) -> np.ndarray:
    """Where the pelvis is (T, 3): over or behind the feet, as high as the posture asks and legs that stand reach."""
    sway = smooth_noise(rng, len(phase), 2, corner=0.3) * [0.012, 0.03] * (1 - 0.8 * vigour)[:, None]
    aside = sway[:, 1] - 0.02 * vigour * np.cos(2 * np.pi * (phase - 0.31))  # over the foot that stands
    offset = np.stack([sway[:, 0] - posture["back"] * body.stature, aside, 0 * aside], axis=-1)
    heading = base * [0, 0, 1]
    pelvis = base * [1, 1, 0] + turn(rotation(heading), offset)

    hips = hip_offsets(body, rotation(pelvis_angles))
    away = (pelvis[:, None] + hips - ankles)[..., :2]
    reach = np.sqrt(np.maximum((0.995 * body.leg) ** 2 - (away**2).sum(-1), 0.01))
    highest = np.where(stands, ankles[..., 2] + reach - hips[..., 2], np.inf).min(1)
    height = np.minimum(highest, posture["height"] * body.stature)
    pelvis[:, 2] = gaussian_filter1d(minimum_filter1d(height, 9), 2, radius=4)  # smooth, and never out of reach

    line = ankles - pelvis[:, None] - hips  # who sits with legs stretched must not sit too far from the feet
    length = np.linalg.norm(line, axis=-1, keepdims=True)
    beyond = np.maximum(length - 0.99 * body.leg, 0) * stands[..., None]
    pelvis[:, :2] += gaussian_filter1d((beyond * line / length).sum(1), 3, axis=0)[:, :2]
    return pelvis


def _arms(recipe: Action, body: Body, pelvis_angles, trunk, phase, vigour, time, rng):
    """Wrists from the shoulders (T, 2, 3), metres, and where the elbows point (T, 2, 3), both in the world."""
    keys = _gestures(recipe, body, time, rng)  # (T, 2, 11)
    at, elbow, shake, chest, hangs = np.split(keys, [3, 6, 9, 10], axis=-1)

    swings = _arm_swing(body, phase)
    at = at + (swings - at) * hangs * vigour[:, None, None]
    beat = 2 * np.pi * np.cumsum(1.7 + 0.5 * smooth_noise(rng, len(time), 2), axis=0) / FPS
    at = at + shake / body.arm * np.sin(beat[..., None] + rng.uniform(0, 2 * np.pi, (2, 3)))
    noise = smooth_noise(rng, len(time), 12).reshape(len(time), 2, 6)
    at, elbow = at + 0.04 * noise[..., :3], elbow + 0.15 * noise[..., 3:]

    yaw = pelvis_angles + trunk["lumbar"] + trunk["chest"]
    upright = rotation(yaw * [0, 0, 1])[:, None]
    leaning = rotation(pelvis_angles) @ rotation(trunk["lumbar"]) @ rotation(trunk["chest"])
    frame = chest[..., None] * leaning[:, None] + (1 - chest[..., None]) * upright
    mirror = np.stack([np.ones(2), SIDES, np.ones(2)], axis=-1)  # outward is left for the left arm
    return turn(frame, at * mirror) * body.arm, turn(frame, elbow * mirror)


def _gestures(recipe: Action, body: Body, time: np.ndarray, rng) -> np.ndarray:
    """Both hands' places over time, (T, 2, 11): at, elbow, shake, chest of a Place, and 1 where the arm just hangs."""
    starts = events(rng, time[-1], recipe.gesture_every)
    names = rng.choice(recipe.hands, (len(starts) + 1, 2))
    together = rng.random(len(names)) < recipe.both
    names[together, 1] = names[together, 0]
    stays = rng.random(names.shape) < 0.3  # hands do not all move at once
    for k in range(1, len(names)):
        names[k] = np.where(stays[k] & ~together[k], names[k - 1], names[k])
    if recipe.held:
        names[:, int(rng.random() < 0.7)] = recipe.held

    places = [[PLACES[name] for name in pair] for pair in names]
    values = np.array([[[*p.at, *p.elbow, *p.shake, p.chest, p is PLACES["hang"]] for p in pair] for pair in places])
    spread = np.array([[p.spread for p in pair] for pair in places])[..., None]
    values[..., :3] += rng.normal(size=(*names.shape, 3)) * spread * body.reach
    values[..., 3:6] += rng.normal(size=(*names.shape, 3)) * 0.15
    durations = rng.uniform(0.4, 0.8, (len(starts), 2)) / body.tempo
    late = rng.uniform(0, 0.25, (len(starts), 2))
    hands = []
    for i in range(2):
        moves = starts + late[:, i], durations[:, i]
        hands.append(keyed(time, *moves, values[:, i]))
        hands[i][:, :3] += _detours(time, *moves, values[:, i, :3])
    return np.stack(hands, axis=1)


def _detours(time: np.ndarray, starts: np.ndarray, durations: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Bows, forward and outward, of moves between places (K + 1, 3) that would cross shoulder or chest: (T, 3)."""
    way = np.diff(places, axis=0)
    nearest = np.clip(-(places[:-1] * way).sum(-1) / np.maximum((way**2).sum(-1), 1e-6), 0, 1)
    closeness = np.linalg.norm(places[:-1] + nearest[:, None] * way, axis=-1)
    length = np.linalg.norm(way, axis=-1)
    bow = (np.maximum(0.6 - closeness, 0) * np.minimum(2 * length, 1))[:, None] * [1.0, 0.6, 0.0]
    progress = min_jerk((time[:, None] - starts) / durations)
    return (4 * progress * (1 - progress)) @ bow


def _arm_swing(body: Body, phase: np.ndarray) -> np.ndarray:
    """Wrists from the shoulders in walking, (T, 2, 3) as shares of the arm: each arm against the leg of its side."""
    own = own_phases(phase)
    shoulder, elbow = curve("shoulder", own), curve("elbow", own)
    upper, lower = body.lengths["upper_arm"] / body.arm, body.lengths["forearm"] / body.arm
    forward = upper * np.sin(shoulder) + lower * np.sin(shoulder + elbow)
    down = upper * np.cos(shoulder) + lower * np.cos(shoulder + elbow)
    return np.stack([forward, np.full_like(forward, 0.12), -down], axis=-1)


def _knee_poles(posture, heading: np.ndarray, feet: np.ndarray, rng) -> np.ndarray:
    """Which way the knees point, (T, 2, 3): between hips and toes, turned out as the posture asks, and a little up.

    Up decides nothing for a leg below its hip, and keeps the knee above the leg of one who sits with legs stretched.
    """
    yaw = (heading[:, None] + feet) / 2 + SIDES * posture["knees_out"][:, None]
    yaw += 0.08 * smooth_noise(rng, len(yaw), 2)
    return np.stack([np.cos(yaw), np.sin(yaw), np.full_like(yaw, 0.7)], axis=-1)
