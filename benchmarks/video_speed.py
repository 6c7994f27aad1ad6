"""How fast is each stage from a video to a motion, and how much memory does an hour take?

    python benchmarks/video_speed.py [--video FILE.mp4] [--json FILE]

The hour is one of keypoints at 30 frames a second, made from the synthetic motion. Memory is the peak of a process of
its own above the peak of one that lifts a second. The detector is not timed: it is the user's choice.
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from poseformer_course.bench.record import record

FPS, HOUR = 30, 3600


def keypoints(seconds: int) -> np.ndarray:
    from poseformer_lite.datasets.sources import synthetic
    from poseformer_lite.datasets.virtual.views import view_takes
    from poseformer_lite.keypoints import resample

    take = synthetic.make_takes(subjects=("S9",))[0]
    seen = resample(view_takes([take], "fixed", "noisy", 0, 1)[0].keypoints, take.fps, FPS)
    return np.resize(seen, (seconds * FPS, 17, 2))


def lifted(weights: str, seconds: int) -> tuple[float, int]:
    """(seconds that lifting took, peak memory in bytes) of this process."""
    from poseformer_lite import PoseLifter

    lifter, seen = PoseLifter.from_pretrained(weights), keypoints(seconds)
    lifter(seen[:60], 1000, 1000, fps=FPS)
    started = time.perf_counter()
    lifter(seen, 1000, 1000, fps=FPS)
    return time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def in_its_own_process(weights: str, seconds: int) -> tuple[float, int]:
    command = [sys.executable, __file__, "--lift", weights, str(seconds)]
    took, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(took), int(peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--video", type=Path, help="also time the decoding of this file")
    parser.add_argument("--weights", nargs="+", default=["lite", "small"])
    parser.add_argument("--json", type=Path, help="write the results here")
    parser.add_argument("--lift", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.lift:
        print(*lifted(arguments.lift[0], int(arguments.lift[1])))
        return

    results = {}
    if arguments.video:
        from poseformer_lite.lifting.video import read_video

        started = time.perf_counter()
        pictures = sum(1 for _ in read_video(arguments.video))
        results["decoding, frames per second"] = round(pictures / (time.perf_counter() - started))
    for weights in arguments.weights:
        _, base = in_its_own_process(weights, 1)
        took, peak = in_its_own_process(weights, HOUR)
        results[f"{weights}: lifting, frames per second"] = round(HOUR * FPS / took)
        results[f"{weights}: an hour of video, MB above a second of it"] = round((peak - base) / 1e6)
    record(arguments.json, **results)


if __name__ == "__main__":
    main()
