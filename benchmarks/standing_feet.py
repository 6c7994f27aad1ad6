"""Do feet that stand slide in the lifted motion, and more than the keypoints do?

    python benchmarks/standing_feet.py --cmu FOLDER [--weights small] [--json FILE]

CMU's held-out takes and some of the synthetic subjects S9 and S11, through cameras drawn at random, with a simulated
detector. A foot stands in the frames in which it truly moves by less than 5 cm/s. Lifted poses have their root at the
origin, so they are carried by the true root. The keypoints' own sliding is their step, at the true depth of the foot.
"""

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

from poseformer_course.bench.record import record
from poseformer_lite import PoseLifter
from poseformer_lite.datasets.sources import cmu_mocap, synthetic
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.skeleton import H36M17

FEET = [H36M17.joints.index(name) for name in ("LFoot", "RFoot")]
STANDS = 0.05  # metres a second
WAYS = {
    "lifted": lambda motion: motion,
    "smoothed over 0.2 s": lambda motion: motion.smoothed(0.2),
    "smoothed, with constant bones": lambda motion: motion.smoothed(0.2).with_constant_bones(),
}


def steps(places: np.ndarray, fps: float) -> np.ndarray:
    """Speeds from frame to frame: (T, 2, D) -> (T - 1, 2), units a second."""
    return fps * np.linalg.norm(np.diff(places, axis=0), axis=-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, required=True)
    parser.add_argument("--weights", default="small")
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    takes = cmu_mocap.read_takes(arguments.cmu)
    _, held_out = cmu_mocap.split_takes(takes)
    made = synthetic.make_takes(subjects=("S9", "S11"))[::6]
    lifter = PoseLifter.from_pretrained(arguments.weights)
    results = {}
    for name, source in (("CMU", held_out), ("synthetic", made)):
        speeds: dict[str, list[np.ndarray]] = {way: [] for way in ("truth", "keypoints", *WAYS)}
        for view in tqdm(view_takes(source, "random", "noisy", cmu_mocap.TEST_SEED, 1), desc=name):
            stands = steps(view.poses_3d[:, FEET], 50) < STANDS
            meters = view.poses_3d[:, FEET, 2:] / np.array(view.camera.focal_length)  # a pixel's, at the foot's depth
            speeds["truth"].append(steps(view.poses_3d[:, FEET], 50)[stands])
            pixels = np.linalg.norm(np.diff(view.keypoints[:, FEET], axis=0) * meters[1:], axis=-1)
            speeds["keypoints"].append(50 * pixels[stands])
            motion = lifter(view.keypoints, view.width, view.height, as_given=True)
            for way, change in WAYS.items():
                placed = change(motion).poses_3d + view.poses_3d[:, :1]
                speeds[way].append(steps(placed[:, FEET], 50)[stands])
        frames = sum(map(len, speeds["truth"]))
        median = {way: round(float(np.median(np.concatenate(found))), 3) for way, found in speeds.items()}
        results[name] = {"standing feet, frames": frames, "median speed, m/s": median}
    record(arguments.json, **results)


if __name__ == "__main__":
    main()
