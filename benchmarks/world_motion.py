"""How well motions are put into the world: the way people walk, which way is up, and feet that stand.

    python benchmarks/world_motion.py --cmu FOLDER [--weights wild] [--json FILE]

Ten takes of the people whom `split_people` holds out, up to 200 frames of each, before cameras that look down
or are rolled by known angles; from true poses and keypoints, and lifted from those of a simulated detector; with the
focal length known, and assumed. Beside each figure stands what a level camera and a root that stays where it is give,
which is `Motion.upright`. For the real walk (data/real), the vertical against the calibration. Nothing is tuned on
either.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d
from tqdm import tqdm

from poseformer_course.bench.record import record
from poseformer_course.people import split_people
from poseformer_lite import Motion, PoseLifter, load_dataset
from poseformer_lite.camera import Camera, look_at, z_up
from poseformer_lite.datasets.base import PoseSequence, Take
from poseformer_lite.datasets.sources import cmu_mocap
from poseformer_lite.datasets.virtual.views import view_take
from poseformer_lite.lifting.world import FEET, in_the_world

FRAMES, TAKES = 200, 10
CAMERAS = [(pitch, 0) for pitch in (0, 10, 20, 30, 45)] + [(0, roll) for roll in (10, 20, 30)]  # degrees
STANDS = 0.05  # metres a second, as in benchmarks/standing_feet.py
WIDTH, HEIGHT = 1920, 1080


def camera_before(take: Take, pitch: float, roll: float, yaw: float, view: float) -> Camera:
    """A camera of a field of view that sees the whole take, all angles in degrees."""
    joints = take.world.reshape(-1, 3).astype(float)
    middle, focal_length = (joints.min(0) + joints.max(0)) / 2, WIDTH / 2 / np.tan(np.radians(view) / 2)
    pitched, turned = np.radians([pitch, yaw])
    away = np.array([np.cos(pitched) * np.cos(turned), np.cos(pitched) * np.sin(turned), np.sin(pitched)])
    orientation = look_at(middle + away, middle, roll_degrees=roll)
    center = (WIDTH / 2, HEIGHT / 2)
    camera = Camera("", WIDTH, HEIGHT, (focal_length, focal_length), center, orientation=orientation)
    x, y, z = ((joints - middle) @ camera.rotation).T
    distance = max(*(np.abs(a) * focal_length / (0.46 * s) - z for a, s in ((x, WIDTH), (y, HEIGHT))), 2.5 - z, key=max)
    return replace(camera, translation=tuple((middle + distance.max() * away).tolist()))


def vertical(camera: Camera) -> np.ndarray:
    """(3,): the way up, in the camera's axes."""
    return camera.rotation.T @ [0.0, 0.0, 1.0]


def found_vertical(pitch: float, roll: float) -> np.ndarray:
    """The same of a camera that looks down by `pitch` degrees and is rolled."""
    pitch, roll = np.radians([pitch, roll])
    return np.array([-np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)])


def between(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(one @ other, -1, 1))))


def true_world(view: PoseSequence) -> np.ndarray:
    """The truth (T, 17, 3) with z up, x to the right of the image and y away from the camera."""
    up = vertical(view.camera)
    away = np.array([0.0, 0.0, 1.0]) - up[2] * up
    away /= np.linalg.norm(away)
    return view.poses_3d.astype(float) @ np.stack([np.cross(away, up), away, up], axis=-1)


def errors(positions: np.ndarray, up: np.ndarray, view: PoseSequence) -> dict[str, float]:
    """Of joints in the world: degrees, per cent of the way walked, and mm a frame where the true foot stands."""
    truth = true_world(view)
    path, way = (joints[:, 0] - joints[:, 0].mean(axis=0) for joints in (positions.astype(float), truth))
    walked = np.linalg.norm(np.diff(gaussian_filter1d(way, 5, axis=0), axis=0), axis=-1).sum()
    stands = 50 * np.linalg.norm(np.diff(truth[:, FEET], axis=0), axis=-1) < STANDS
    steps = 1000 * np.linalg.norm(np.diff(positions[:, FEET], axis=0), axis=-1)[stands]
    return {
        "vertical, degrees": between(up, vertical(view.camera)),
        "path, % of the way": 100 * float(np.linalg.norm(path - way, axis=-1).mean() / walked),
        "standing feet, mm a frame": float(steps.mean()) if len(steps) else np.nan,
    }


def ways(motion: Motion, view: PoseSequence) -> dict[str, dict[str, float]]:
    found = in_the_world(motion)
    still = z_up(motion.poses_3d)
    up = np.array([0.0, -1.0, 0.0])
    return {
        "as the camera sees it": errors(still, up, view),
        "in the world": errors(found.positions, found_vertical(found.pitch, found.roll), view),
    }


def mean(rows: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    return {
        way: {error: round(float(np.nanmean([row[way][error] for row in rows])), 1) for error in rows[0][way]}
        for way in rows[0]
    }


def on_cmu(takes: list[Take], lifter: PoseLifter) -> dict:
    rng, rows = np.random.default_rng(0), {}
    for index, take in enumerate(tqdm(takes)):
        start = max(0, (len(take.world) - FRAMES) // 2)
        take = replace(take, world=take.world[start : start + FRAMES])
        for pitch, roll in CAMERAS:
            camera = camera_before(take, pitch, roll, yaw=rng.uniform(0, 360), view=rng.uniform(45, 75))
            (true,), (seen,) = (
                view_take(take, [camera], kind, np.random.default_rng(index)) for kind in ("gt", "wild")
            )
            focal_length = camera.focal_length[0]
            perfect = Motion(true.root_relative(0), true.keypoints, 50.0, WIDTH, HEIGHT, focal_length=focal_length)
            motions = {"true poses": perfect} | {
                name: lifter(seen.keypoints, WIDTH, HEIGHT, focal_length=known, as_given=True)
                for name, known in (("lifted", focal_length), ("lifted, focal length assumed", None))
            }
            for name, motion in motions.items():
                rows.setdefault(name, {}).setdefault(f"pitch {pitch}, roll {roll}", []).append(ways(motion, true))
    return {
        name: {**{camera: mean(found) for camera, found in cameras.items()}, "all": mean(sum(cameras.values(), []))}
        for name, cameras in rows.items()
    }


def on_real(lifter: PoseLifter) -> dict:
    """Degrees between the vertical found and the calibrated one, for each camera."""
    rows = {}
    for view in load_dataset("real").test():
        focal_length = float(np.mean(view.camera.focal_length))
        true = Motion(view.root_relative(0), view.keypoints, 50.0, view.width, view.height, focal_length=focal_length)
        for name, motion in (
            ("true poses", true),
            ("lifted", lifter(view.keypoints, view.width, view.height, as_given=True)),
        ):
            off = ways(motion, view)
            for way, error in off.items():
                rows.setdefault(name, {}).setdefault(way, {})[view.view] = round(error["vertical, degrees"], 1)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, required=True)
    parser.add_argument("--weights", default="wild")
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()
    lifter = PoseLifter.from_pretrained(arguments.weights, stride=9)
    people = split_people(cmu_mocap.read_takes(arguments.cmu)).unseen_people
    takes = people[:: max(1, len(people) // TAKES)][:TAKES]
    cmu = on_cmu(takes, lifter)
    for name, cameras in cmu.items():
        print(
            f"\n{name}: before and after\n{'':22}" + "".join(f"{error:>34}" for error in cameras["all"]["in the world"])
        )
        for camera, found in cameras.items():
            pairs = zip(*(list(errors.values()) for errors in found.values()), strict=True)
            print(f"{camera:22}" + "".join(f"{before:>23} -> {after:>7}" for before, after in pairs))
    record(arguments.json, takes=[f"{take.subject}, {take.action}" for take in takes], cmu=cmu, real=on_real(lifter))


if __name__ == "__main__":
    main()
