"""How much memory does a long video take at the paper's size?

    python benchmarks/long_sequences.py [--frames 20000] [--json FILE]

How fast it is lifted, and by how much sooner than window by window, is asked by `poseformer-lite bench inference`.
"""

import argparse
import resource
import time
from pathlib import Path

import torch

from poseformer_course.bench.record import record
from poseformer_lite.model.poseformer import PoseFormer


def peak_memory(num_frames: int = 81, length: int = 20_000) -> dict:
    """Megabytes that lifting a long sequence at the paper's size adds to what the loaded model takes."""
    model = PoseFormer(num_frames).eval()
    model.predict_sequence(torch.zeros(1, 17, 2))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    model.predict_sequence(0.3 * torch.randn(length, 17, 2))
    added = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return {
        "num_frames": num_frames,
        "frames": length,
        "added MB": round(added),
        "seconds": round(time.perf_counter() - started),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=20_000, help="length of the sequence")
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()
    record(arguments.json, memory=peak_memory(length=arguments.frames))


if __name__ == "__main__":
    main()
