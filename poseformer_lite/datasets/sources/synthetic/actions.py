"""The 15 actions of Human3.6M as recipes: postures, places for the hands, how people move about, where they look."""

from dataclasses import dataclass

STANDING = 0.53  # hip height as a share of stature (Drillis & Contini 1966)


@dataclass(frozen=True)
class Posture:
    """How a body is held. Lengths are shares of stature, angles radians.

    back: pelvis behind the feet; height: of the pelvis over the floor, if the legs reach that far;
    pelvis, lumbar, chest, neck: forward bends; knees_out: knees turned outward.
    """

    back: float = 0.0
    height: float = STANDING
    pelvis: float = 0.0
    lumbar: float = 0.02
    chest: float = 0.03
    neck: float = 0.0
    knees_out: float = 0.1


POSTURES = {
    "upright": Posture(),
    "lean": Posture(back=0.02, pelvis=0.15, lumbar=0.2, chest=0.1, neck=-0.1),
    "bow": Posture(back=0.05, pelvis=0.35, lumbar=0.3, chest=0.25, neck=0.15),
    "bend": Posture(back=0.06, height=0.47, pelvis=0.75, lumbar=0.55, chest=0.35, neck=-0.1, knees_out=0.2),
    "half_squat": Posture(back=0.06, height=0.41, pelvis=0.3, lumbar=0.2, chest=0.1, neck=-0.2, knees_out=0.25),
    "crouch": Posture(back=0.09, height=0.24, pelvis=0.3, lumbar=0.35, chest=0.2, neck=-0.3, knees_out=0.45),
    "deep_squat": Posture(back=0.08, height=0.16, pelvis=0.25, lumbar=0.45, chest=0.2, neck=-0.3, knees_out=0.5),
    "chair": Posture(back=0.25, height=0.285, pelvis=-0.1, lumbar=0.12, chest=0.1, neck=-0.05, knees_out=0.15),
    "chair_forward": Posture(back=0.24, height=0.285, pelvis=0.3, lumbar=0.4, chest=0.2, neck=-0.3, knees_out=0.3),
    "chair_back": Posture(back=0.29, height=0.275, pelvis=-0.4, lumbar=0.1, chest=0.15, neck=0.1, knees_out=0.25),
    "stool": Posture(back=0.2, height=0.36, pelvis=0.05, lumbar=0.1, chest=0.1, knees_out=0.2),
    "floor": Posture(back=0.3, height=0.065, pelvis=-0.3, lumbar=0.45, chest=0.25, neck=-0.1, knees_out=0.25),
    "floor_long": Posture(back=0.41, height=0.065, pelvis=-0.3, lumbar=0.35, chest=0.2, knees_out=0.3),
    "floor_cross": Posture(back=0.19, height=0.065, pelvis=-0.1, lumbar=0.35, chest=0.2, knees_out=0.95),
}


@dataclass(frozen=True)
class Place:
    """Where a wrist goes: forward, outward and up from its shoulder, as shares of the arm's length.

    elbow: which way it points, in the same axes. chest: 1 if the place leans with the chest, 0 if it stays upright
    below or above the shoulder. spread: how far from the place a hand may come to rest; shake: metres it is waved.
    """

    at: tuple[float, float, float]
    elbow: tuple[float, float, float] = (-0.6, 0.7, -0.4)
    chest: float = 1.0
    spread: float = 0.07
    shake: tuple[float, float, float] = (0.0, 0.0, 0.0)


PLACES = {
    "hang": Place((0.06, 0.12, -0.95), (-1.0, 0.3, 0.0), chest=0.3, spread=0.05),
    "hip": Place((0.02, 0.16, -0.72), (-0.5, 1.0, 0.0), spread=0.03),
    "pocket": Place((0.1, 0.05, -0.86), (-1.0, 0.5, 0.0), spread=0.03),
    "behind_back": Place((-0.3, -0.1, -0.72), (-0.6, 1.0, 0.0), spread=0.05),
    "belly": Place((0.4, -0.22, -0.5), (-0.6, 0.9, -0.3)),
    "chest": Place((0.42, -0.24, -0.2), (-0.3, 0.9, -0.5)),
    "folded": Place((0.36, -0.4, -0.38), (-0.3, 0.8, -0.5), spread=0.03),
    "mouth": Place((0.34, -0.18, 0.06), (-0.1, 0.6, -0.9), spread=0.04),
    "ear": Place((0.16, -0.02, 0.22), (0.3, 0.7, -0.7), spread=0.03),
    "eyes": Place((0.44, -0.16, 0.24), (0.0, 0.9, -0.7), spread=0.04),
    "nape": Place((-0.05, -0.1, 0.3), (0.2, 1.0, 0.3), spread=0.03),
    "give": Place((0.72, -0.1, -0.42), (-0.6, 0.7, -0.5), chest=0.6, shake=(0.0, 0.0, 0.05)),
    "table": Place((0.66, -0.06, -0.45), (-0.5, 0.8, -0.3), chest=0.6, spread=0.1, shake=(0.03, 0.03, 0.01)),
    "point": Place((0.86, 0.15, 0.05), (-0.3, 0.5, -0.8), chest=0.5, spread=0.28),
    "point_side": Place((0.3, 0.85, 0.05), (-0.7, 0.1, -0.7), chest=0.5, spread=0.25),
    "talk": Place((0.55, 0.1, -0.35), (-0.5, 0.8, -0.5), spread=0.2, shake=(0.04, 0.05, 0.05)),
    "wide": Place((0.4, 0.62, -0.25), (-0.6, 0.5, -0.7), spread=0.2),
    "wave": Place((0.32, 0.32, 0.5), (-0.1, 0.8, -0.7), spread=0.1, shake=(0.0, 0.13, 0.03)),
    "raise": Place((0.2, 0.16, 0.9), (0.4, 1.0, 0.0), spread=0.14),
    "side": Place((0.1, 0.95, -0.02), (-0.9, 0.0, -0.5), spread=0.15),
    "leash": Place((0.62, 0.15, -0.55), (-0.8, 0.5, -0.4), chest=0.5, spread=0.1, shake=(0.05, 0.04, 0.02)),
    "bag": Place((0.3, 0.1, -0.72), (-1.0, 0.4, -0.1), chest=0.3),
    "neighbour": Place((0.15, 0.8, 0.1), (-0.5, 0.3, -0.8), spread=0.06),
    "low": Place((0.35, 0.0, -0.88), (-0.7, 0.7, 0.0), chest=0.0, spread=0.15),
    "lap": Place((0.58, -0.1, -0.62), (-0.5, 0.9, 0.0), chest=0.0),
    "knee": Place((0.76, 0.05, -0.5), (-0.4, 0.9, 0.0), chest=0.0),
    "shin": Place((0.82, -0.15, -0.45), (0.0, 1.0, 0.0), chest=0.0),
    "prop": Place((-0.35, 0.3, -0.8), (-0.8, 0.5, 0.2), chest=0.0),
}


@dataclass(frozen=True)
class Action:
    """Chances, in words repeated for weight, and rates, in seconds between events (mean)."""

    postures: tuple[str, ...]  # drawn in turn
    hands: tuple[str, ...]  # drawn for each hand at each gesture
    both: float = 0.3  # chance that the other hand does the same
    gesture_every: float = 1.6
    posture_every: float = 6.0
    step_every: float = 4.0
    look_every: float = 2.0
    look_width: float = 0.5  # radians, spread of where the head turns
    walk: tuple[float, float] | None = None  # m/s, slowest and fastest; None for one who stays about
    held: str | None = None  # a place that one hand keeps to


SEATED_HANDS = ("lap", "lap", "knee", "belly", "talk", "mouth", "folded", "nape", "table", "hip")

RECIPES = {
    "Directions": Action(
        ("upright",) * 5 + ("lean", "lean"),
        ("point", "point", "point_side", "raise", "hang", "hip", "wide", "talk"),
        gesture_every=1.0, step_every=2.2, look_width=0.7,
    ),
    "Discussion": Action(
        ("upright",) * 5 + ("lean", "stool"),
        ("talk", "talk", "wide", "hang", "folded", "hip", "chest", "belly", "point", "mouth", "raise"),
        both=0.55, gesture_every=0.8, step_every=2.2,
    ),
    "Eating": Action(
        ("chair", "chair", "chair_forward", "stool"), ("table", "mouth", "mouth", "table", "lap", "talk"),
        both=0.15, gesture_every=0.9, posture_every=5.0, step_every=4.0,
    ),
    "Greeting": Action(
        ("upright", "upright", "bow", "lean"), ("wave", "wave", "give", "raise", "hang", "wide", "neighbour", "chest"),
        both=0.4, gesture_every=0.8, posture_every=2.5, step_every=1.9,
    ),
    "Phoning": Action(
        ("upright", "upright", "chair", "lean", "chair_forward"), ("hang", "hip", "folded", "talk", "pocket", "wide"),
        gesture_every=1.3, posture_every=5.0, step_every=1.8, look_width=0.6, held="ear",
    ),
    "Photo": Action(
        ("upright", "half_squat", "crouch", "lean", "upright"), ("eyes", "eyes", "eyes", "chest", "raise", "hang"),
        both=0.85, gesture_every=1.4, posture_every=2.8, step_every=1.6,
    ),
    "Posing": Action(
        ("upright", "upright", "half_squat", "crouch", "bow", "lean"),
        ("hip", "nape", "raise", "side", "folded", "wide", "chest", "eyes", "hang"),
        both=0.5, gesture_every=1.0, posture_every=2.8, step_every=1.8, look_width=0.7,
    ),
    "Purchases": Action(
        ("upright", "upright", "bend", "crouch", "lean", "half_squat"),
        ("bag", "low", "give", "table", "point", "raise", "low", "bag"),
        both=0.4, gesture_every=0.9, posture_every=2.4, step_every=1.5, look_width=0.6,
    ),
    "Sitting": Action(
        ("chair", "chair", "chair_back", "chair_forward", "stool"), SEATED_HANDS,
        both=0.5, gesture_every=1.2, posture_every=3.5, step_every=2.8, look_width=0.6,
    ),
    "SittingDown": Action(
        ("floor", "floor_cross", "upright", "floor_long", "crouch", "floor"),
        ("knee", "shin", "prop", "lap", "prop", "talk", "chest", "low"),
        both=0.6, gesture_every=1.2, posture_every=2.8, step_every=3.2,
    ),
    "Smoking": Action(
        ("upright", "chair", "upright", "chair_forward", "stool"), ("mouth", "hang", "mouth", "belly", "lap", "talk"),
        both=0.1, gesture_every=1.1, posture_every=4.5, step_every=2.1, look_width=0.6,
    ),
    "Waiting": Action(
        ("upright", "upright", "lean", "upright", "upright", "chair"),
        ("hang", "folded", "behind_back", "hip", "pocket", "hang", "belly", "mouth"),
        both=0.6, gesture_every=1.2, posture_every=3.5, step_every=1.4, look_width=0.8, look_every=1.4,
    ),
    "WalkDog": Action(
        ("upright", "upright", "lean", "upright", "half_squat", "bend"), ("leash", "leash", "hang", "low", "point"),
        both=0.1, gesture_every=1.3, posture_every=2.6, look_every=1.4, walk=(0.7, 1.2), held="leash",
    ),
    "Walking": Action(
        ("upright",), ("hang",) * 7 + ("pocket", "chest"),
        posture_every=4.0, gesture_every=2.8, walk=(0.85, 1.35),
    ),
    "WalkTogether": Action(
        ("upright", "lean", "upright"), ("hang", "talk", "hang", "wave", "point", "neighbour"),
        gesture_every=1.8, posture_every=4.0, look_every=1.5, look_width=0.6, walk=(0.75, 1.2),
    ),
}  # fmt: skip
