"""How far the joint angles of lifted poses are from true ones.

    python benchmarks/joint_angles.py --cmu FOLDER [FOLDER ...] [--weights wild] [--json FILE]

The first four seconds, or less where it is shorter, of ten takes of people who were never seen in training, who walk,
and of ten takes held out of people who were seen, who do other things, too. Through cameras drawn at random with a
simulated detector, and through wide ones, which are tilted, near and far, with keypoints of other joints and frame
rates and hidden limbs; three poses from each window, flip averaged. Degrees: the mean absolute error of a frame's
angle, the bias (positive: lifted poses are bent more), and the mean absolute error of a take's range of motion. The
trunk leans against the vertical that is found, as by `Motion.world`, and, beside it, against the true one. Knees and
elbows are also compared with the angles that CMU recorded, in truth and as lifted.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation
from tqdm import tqdm

from poseformer_course.bench.record import record
from poseformer_course.people import split_people
from poseformer_lite import PoseLifter
from poseformer_lite.datasets.base import Take
from poseformer_lite.datasets.sources import cmu_mocap
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.formats.articulated import resample
from poseformer_lite.formats.asfamc import read_amc, read_asf
from poseformer_lite.lifting.angles import joint_angles, summarize_angles

TAKES, VIEWS, FRAMES, STRIDE = 10, 1, 200, 3
SEEN = {"random cameras, simulated detector": ("random", "noisy"), "wide cameras, other detectors": ("wide", "wild")}
RECORDED = {"knee": "tibia", "elbow": "radius"}  # CMU's bones with one angle, about an axis across the bone


def recorded_angles(folders: list[Path], take: Take) -> dict[str, np.ndarray]:
    """{"left knee": degrees, …} as the AMC file has them."""
    name = f"{take.subject}/{take.subject}_{take.action.split(' ')[-1]}.amc"
    (path,) = (path for folder in folders if (path := folder / name).is_file())
    motion = resample(read_amc(path, read_asf(path.parent / f"{take.subject}.asf")), take.fps)
    angles = {}
    for joint, bone in RECORDED.items():
        for side in ("left", "right"):
            turns = motion.rotations[: len(take.world), motion.names.index(side[0] + bone)]
            angles[f"{side} {joint}"] = np.degrees(Rotation.from_quat(turns).magnitude())
    return angles


def measure(lifter: PoseLifter, takes: list[Take], folders: list[Path], cameras: str, keypoints: str) -> dict:
    """{angle: {"mean absolute error": …, "bias": …, "range": …}} over all frames of all views."""
    off, ranges = defaultdict(list), defaultdict(list)
    sequences = view_takes(takes, cameras, keypoints, cmu_mocap.TEST_SEED, VIEWS)
    for number, sequence in enumerate(tqdm(sequences, desc=f"{cameras}, {keypoints}")):
        take = takes[number // VIEWS]
        true = joint_angles(take.world, up=(0, 0, 1))
        motion = lifter(sequence.keypoints, sequence.width, sequence.height, as_given=True)
        found = motion.angles()
        for name in true:
            off[name].append(found[name] - true[name])
        vertical = sequence.camera.rotation[2]  # the world's z axis, seen by the camera
        off["trunk, vertical known"].append(joint_angles(motion.poses_3d, up=vertical)["trunk"] - true["trunk"])
        for name, theirs in recorded_angles(folders, take).items():
            off[f"{name}, lifted against recorded"].append(found[name] - theirs)
            off[f"{name}, true positions against recorded"].append(true[name] - theirs)
        lifted, real = (summarize_angles(table) for table in (found, true))
        for side in ("left", "right"):
            for joint in real.index:
                ranges[f"{side} {joint}"].append(abs(lifted.loc[joint] - real.loc[joint])[f"{side} range"])
    result = {}
    for name, parts in off.items():
        errors = np.concatenate(parts)
        result[name] = {"mean absolute error": np.abs(errors).mean(), "bias": errors.mean()}
        if name in ranges:
            result[name]["range"] = np.mean(ranges[name])
    return {name: {key: round(float(value), 1) for key, value in row.items()} for name, row in result.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, nargs="+", required=True)
    parser.add_argument("--weights", default="wild")
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()
    read = [take for folder in arguments.cmu for take in cmu_mocap.read_takes(folder)]
    whole = {(take.subject, take.action, len(take.world)) for take in read}
    split = split_people(read)
    lifter = PoseLifter.from_pretrained(arguments.weights, stride=STRIDE)
    degrees, names = {}, {}
    for who, takes in {"unseen people": split.unseen_people, "unseen takes": split.unseen_takes}.items():
        takes = [take for take in takes if (take.subject, take.action, len(take.world)) in whole]  # without a glitch
        chosen = [takes[i] for i in np.unique(np.linspace(0, len(takes) - 1, TAKES).round().astype(int))]
        chosen = [Take(take.subject, take.action, take.world[:FRAMES], take.fps) for take in chosen]
        names[who] = [f"{take.subject}, {take.action}" for take in chosen]
        for how, (cameras, keypoints) in SEEN.items():
            degrees[f"{who}, {how}"] = measure(lifter, chosen, arguments.cmu, cameras, keypoints)
    record(arguments.json, takes=names, degrees=degrees)


if __name__ == "__main__":
    main()
