"""The whole synthetic set: which takes there are, making and keeping them, and seeing them through cameras."""

import hashlib
import os
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pooch
from tqdm.auto import tqdm

from poseformer_lite.datasets.base import PoseDataset, Take
from poseformer_lite.datasets.sources.human36m import ACTIONS, CAMERAS, TEST_SUBJECTS, TRAIN_SUBJECTS
from poseformer_lite.datasets.sources.synthetic import actions, body, gait
from poseformer_lite.datasets.sources.synthetic.body import Body, make_body
from poseformer_lite.datasets.sources.synthetic.motion import make_motion
from poseformer_lite.datasets.virtual import detections
from poseformer_lite.datasets.virtual.views import view_take
from poseformer_lite.files import atomic_path

GENERATOR_VERSION = 1  # raise it whenever the same seed gives other motion
SUBJECTS = TRAIN_SUBJECTS + TEST_SUBJECTS
CACHE_VARIABLE = "POSEFORMER_LITE_CACHE"


def take_names(subject: str) -> tuple[str, ...]:
    """The 30 takes of a subject, "Walking" and "Walking 1" and so on; S11 has no "Directions", as in Human3.6M."""
    _check_subject(subject)
    names = (f"{action}{ending}" for action in ACTIONS for ending in ("", " 1"))
    return tuple(name for name in names if (subject, name) != ("S11", "Directions"))


def make_body_of(subject: str, seed: int = 0) -> Body:
    """The bones of this subject; they depend on nothing else."""
    _check_subject(subject)
    return make_body(np.random.default_rng([seed, int(subject[1:])]))


def make_take(subject: str, name: str, seed: int = 0) -> Take:
    """One take, made alone: the same, to the last bit, as among all the others."""
    names = take_names(subject)
    if name not in names:
        raise ValueError(f"{subject} has no take {name!r}: choose one of {', '.join(names)}")
    action, _, number = name.partition(" ")
    rng = np.random.default_rng([seed, int(subject[1:]), ACTIONS.index(action), int(number or 0)])
    return Take(subject, name, make_motion(make_body_of(subject, seed), action, rng))


def make_takes(seed: int = 0, subjects: Sequence[str] | None = None) -> list[Take]:
    """All takes of these subjects (all seven if None): 209 of 10 to 14 seconds, 17 joints, world space, 50 Hz.

    They are made on first use and kept in the platform's cache folder, or in the one that the environment variable
    POSEFORMER_LITE_CACHE names.
    """
    subjects = SUBJECTS if subjects is None else subjects
    for subject in subjects:
        _check_subject(subject)
    bar = tqdm(subjects, desc="making synthetic motion", unit="subject", delay=2, leave=False)
    return [take for subject in bar for take in _cached_takes(subject, seed)]


def load(keypoints: str = "gt", seed: int = 0, subjects: Sequence[str] | None = None) -> PoseDataset:
    """The synthetic set as a PoseDataset: each take through the four Human3.6M cameras of its subject.

    keypoints: "gt", the true projections, or "noisy", those of a simulated detector (`simulate_detector`).
    """
    if keypoints not in ("gt", "noisy"):
        raise ValueError(f'keypoints={keypoints!r}: the synthetic set has "gt" and "noisy"')
    takes = make_takes(seed, subjects)
    sequences = [view for take in takes for view in view_take(take, CAMERAS[take.subject])]
    if keypoints == "noisy":
        found = {subject: _cached_detections(subject, seed) for subject in {take.subject for take in takes}}
        pixels = (view for take in takes for view in found[take.subject][take.action])
        sequences = [replace(s, keypoints=seen) for s, seen in zip(sequences, pixels, strict=True)]
    present = {sequence.subject for sequence in sequences}
    return PoseDataset(
        name="synthetic",
        sequences=sequences,
        train_subjects=tuple(s for s in TRAIN_SUBJECTS if s in present),
        test_subjects=tuple(s for s in TEST_SUBJECTS if s in present),
        keypoint_source=keypoints,
    )


def _check_subject(subject: str) -> None:
    if subject not in SUBJECTS:
        raise ValueError(f"there is no synthetic subject {subject!r}: choose one of {', '.join(SUBJECTS)}")


def _cached_takes(subject: str, seed: int) -> list[Take]:
    """A subject's takes, kept in the cache."""

    def make() -> dict[str, np.ndarray]:
        return {name: make_take(subject, name, seed).world for name in take_names(subject)}

    worlds = _cached(f"seed{seed}-{subject}", take_names(subject), 3, make)
    return [Take(subject, name, world) for name, world in worlds.items()]


def _cached_detections(subject: str, seed: int) -> dict[str, np.ndarray]:
    """What a simulated detector finds in a subject's takes, kept in the cache: {take: (cameras, T, 17, 2) pixels}."""

    def make() -> dict[str, np.ndarray]:
        found = {}
        for take in _cached_takes(subject, seed):
            action, _, number = take.action.partition(" ")
            rng = np.random.default_rng([seed, int(subject[1:]), ACTIONS.index(action), int(number or 0), 1])
            found[take.action] = np.stack([s.keypoints for s in view_take(take, CAMERAS[subject], "noisy", rng)])
        return found

    return _cached(f"seed{seed}-{subject}-noisy", take_names(subject), 2, make)


def _cached(name: str, takes: Sequence[str], axes: int, make: Callable[[], dict]) -> dict[str, np.ndarray]:
    """{take: (…, 17, axes)} from the cache; made, and put there, if they are not in it whole."""
    path = cache_folder() / f"synthetic-v{GENERATOR_VERSION}-{_recipe_hash()}-{name}.npz"
    arrays = _read(path, takes, axes)
    if arrays is None:
        arrays = make()
        _write(path, arrays)
    return arrays


def cache_folder() -> Path:
    return Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("poseformer-lite")).expanduser()


def _recipe_hash() -> str:
    """Eight characters that change when a number in one of the tables behind the motion does."""
    motion = actions.POSTURES, actions.PLACES, actions.RECIPES, gait.CURVES, body.SHARES, body.TRUNK_LIMITS
    detector = detections.SPREAD, detections.PARTS, detections.OUTLIERS, detections.OUTLIER_SPREAD, detections.SPELL
    return hashlib.sha256(repr((motion, detector)).encode()).hexdigest()[:8]


def _read(path: Path, takes: Sequence[str], axes: int) -> dict[str, np.ndarray] | None:
    """The arrays in a cache file, or None if there is no such file or it is not what was written."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:  # a broken file is closed, too
            arrays = {name: file[name] for name in takes}
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        return None
    whole = all(a.ndim > 2 and a.shape[-2:] == (17, axes) and a.dtype == np.float32 for a in arrays.values())
    return arrays if whole and all(np.isfinite(a).all() for a in arrays.values()) else None


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)
    except OSError as error:
        warnings.warn(  # shown once, as Python shows a warning from one place once
            f"cannot keep synthetic motion in {path.parent} ({error.strerror}): it is made anew each time. "
            f"Set {CACHE_VARIABLE} to a folder that can be written to",
            stacklevel=2,
        )
