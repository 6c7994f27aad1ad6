"""What the networks of Table 6 cost at the paper's sizes, and how fast they are on this machine."""

import time
from statistics import median

import torch
from tqdm.auto import tqdm

from poseformer_lite.model import NETWORKS, LiftingNetwork
from poseformer_lite.model.costs import count_macs, flops_by_torch
from poseformer_lite.model.lifting_network import evaluating
from poseformer_lite.presets import get_preset
from poseformer_lite.runtime import describe_machine

MEASURED = [
    ("ResidualMLP", 1),
    ("GraphConvolutionNetwork", 1),
    ("RecurrentNetwork", 9),
    *(("TemporalConvolution", frames) for frames in (27, 81, 243)),
    *(("TemporalTransformerBaseline", frames) for frames in (9, 81)),
    *(("JointTokenTransformer", frames) for frames in (9, 81)),
    *(("PoseFormer", frames) for frames in (9, 27, 81)),
]
SEQUENCE, REPEATS = 64, 5


def speed(progress: bool = True) -> dict:
    """{"how", "networks": {"PoseFormer f=81": {column: value}}}; weights are random: cost does not depend on them."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    networks = {}
    for name, frames in tqdm(MEASURED, desc="measuring speed", disable=not progress, leave=False):
        model = NETWORKS[name].matching({**get_preset("paper").model, "num_frames": frames}).to(device)
        cost = count_macs(model)
        networks[f"{name} f={frames}"] = {
            "Parameters (M)": model.num_parameters() / 1e6,
            "linear MACs (M)": cost.linear / 1e6,
            "MACs (M)": cost.macs / 1e6,
            "FLOPs (M)": cost.flops / 1e6,
            "FLOPs by torch (M)": flops_by_torch(model) / 1e6,
            **_frames_per_second(model, device),
        }
    how = (
        "MACs and FLOPs of one window: products with weights (linear), with those of attention added, two FLOPs a MAC, "
        "and torch's own counter. FPS in 32-bit floats: windows lifted one by one (batch of 1), and a sequence of "
        f"{SEQUENCE} frames at once, each frame embedded once; medians of {REPEATS} on {describe_machine()}."
    )
    return {"how": how, "networks": networks}


def _frames_per_second(model: LiftingNetwork, device: str) -> dict[str, float]:
    window = torch.randn(1, model.num_frames, model.num_joints, 2, device=device)
    sequence = torch.randn(SEQUENCE, model.num_joints, 2, device=device)
    with torch.no_grad(), evaluating(model):
        return {
            "FPS, windows": 1 / _seconds(lambda: model(window), device),
            "FPS, sequence": SEQUENCE / _seconds(lambda: model.predict_sequence(sequence), device),
        }


def _seconds(work, device: str) -> float:
    times = []
    for _ in range(REPEATS + 1):  # the first warms up
        started = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return median(times[1:])
