"""What lifting a long video costs: the spatial stage once per frame against window by window, and the memory it takes.

python benchmarks/long_sequences.py speed --json benchmarks/results/long_sequences_speed.json
python benchmarks/long_sequences.py memory --json benchmarks/results/long_sequences_memory.json
"""

import argparse
import resource
import time
from pathlib import Path
from statistics import median

import torch

from poseformer_lite.bench.record import record
from poseformer_lite.model.lifting_network import window_indices
from poseformer_lite.model.poseformer import PoseFormer


@torch.inference_mode()
def window_by_window(model: PoseFormer, poses_2d: torch.Tensor) -> torch.Tensor:
    """What the released evaluation does: every window whole, its frames' spatial stage anew. (T, J, 2) -> (T, J, 3)."""
    batch = max(1, 2048 // model.num_frames)
    windows = window_indices(len(poses_2d), model.num_frames)
    return torch.cat([model(poses_2d[frames]) for frames in windows.split(batch)])


def compare(num_frames: int, length: int = 400, pairs: int = 5, **sizes) -> dict:
    """Times of both, in turn, and the largest difference of their poses in metres."""
    torch.manual_seed(0)
    model = PoseFormer(num_frames, **sizes).eval()
    poses_2d = 0.3 * torch.randn(length, 17, 2)
    difference = (model.predict_sequence(poses_2d) - window_by_window(model, poses_2d)).abs().max().item()
    ratios = []
    for _ in range(pairs):
        started = time.perf_counter()
        window_by_window(model, poses_2d)
        middle = time.perf_counter()
        model.predict_sequence(poses_2d)
        ratios.append((middle - started) / (time.perf_counter() - middle))
    return {
        "num_frames": num_frames,
        **sizes,
        "times as fast, median": round(median(ratios), 2),
        "times as fast, range": [round(min(ratios), 2), round(max(ratios), 2)],
        "largest difference in m": difference,
    }


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
    parser.add_argument("question", choices=("speed", "memory"))
    parser.add_argument("--frames", type=int, default=20_000, help="length of the sequence whose memory is measured")
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()

    if arguments.question == "memory":
        record(arguments.json, memory=peak_memory(length=arguments.frames))
    else:
        small = {"spatial_dim": 16, "spatial_depth": 2, "temporal_depth": 2, "num_heads": 4}
        record(arguments.json, speed=[compare(9), compare(27), compare(9, **small)])


if __name__ == "__main__":
    main()
