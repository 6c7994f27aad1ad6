"""What a process of its own shows: peak memory, and the time to start."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from poseformer_course.bench.timing import times_as_fast

LIFT = """
import resource, sys, torch
from pathlib import Path
from poseformer_lite.model import PoseFormer
frames, batch = int(sys.argv[1]), int(sys.argv[2])
model = PoseFormer(81).eval()
model.predict_sequence(torch.zeros(frames, 17, 2), batch_size=batch)
status = Path("/proc/self/status")  # what getrusage says on Linux begins with the peak of the process before
lines = status.read_text().splitlines() if status.exists() else []
peaks = [line.split()[1] for line in lines if line.startswith("VmHWM")]
print(int(peaks[0]) / 1024 if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
STARTS = {
    "import torch": "import torch",
    "import poseformer_lite": "import poseformer_lite; poseformer_lite.PoseFormer",
}


def memory(device: str, quick: bool, official: Path | None, progress: bool) -> list[dict]:
    """Peak megabytes of a process that lifts T frames at the paper's size, f = 81: it grows with the batch alone."""
    length = 50 if quick else 400
    base = _peak(1, 1)
    asked = [(length, length // 4), (length, length // 2), (length, length), (4 * length, length // 4)]
    return [
        {"frames": frames, "batch": batch, "MB above one frame": round(_peak(frames, batch) - base)}
        for frames, batch in asked
    ]


def startup(device: str, quick: bool, official: Path | None, progress: bool) -> list[dict]:
    """Seconds of a fresh Python to the first network, beside torch's own."""
    times: dict[str, list[float]] = {name: [] for name in STARTS}
    for _ in range(2 if quick else 7):
        for name, code in STARTS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
            times[name].append(time.perf_counter() - started)
    more = times_as_fast(times["import poseformer_lite"], times["import torch"])
    return [{"seconds": {name: round(median(taken), 2) for name, taken in times.items()}, "as long as torch": more}]


def _peak(frames: int, batch: int) -> float:
    command = [sys.executable, "-c", LIFT, str(frames), str(batch)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])
