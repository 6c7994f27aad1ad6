"""What the networks of Table 6 cost at the paper's sizes, and how fast they are on this machine."""

import torch
from tqdm.auto import trange

from poseformer_course.bench.record import describe_machine
from poseformer_course.bench.timing import Work, seconds
from poseformer_course.costs import count_macs, flops_by_torch
from poseformer_course.prior_work import NETWORKS
from poseformer_lite.model import LiftingNetwork
from poseformer_lite.training.settings import get_preset

MEASURED = [
    ("ResidualMLP", 1),
    ("GraphConvolutionNetwork", 1),
    ("RecurrentNetwork", 9),
    *(("TemporalConvolution", frames) for frames in (27, 81, 243)),
    *(("TemporalTransformerBaseline", frames) for frames in (9, 81)),
    *(("JointTokenTransformer", frames) for frames in (9, 81)),
    *(("PoseFormer", frames) for frames in (9, 27, 81)),
]
SEQUENCE, ROUNDS = 64, 11


def speed(progress: bool = True) -> dict:
    """{"how", "networks": {"PoseFormer f=81": {column: value}}}; weights are random: cost does not depend on them.

    All networks are timed in turn, in several rounds, so that what disturbs the machine for a while disturbs all.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    networks, models = {}, {}
    for name, frames in MEASURED:
        model = NETWORKS[name].sized_like({**get_preset("paper").model, "num_frames": frames}).to(device).eval()
        cost = count_macs(model)
        models[f"{name} f={frames}"] = model
        networks[f"{name} f={frames}"] = {
            "Parameters (M)": model.num_parameters() / 1e6,
            "linear MACs (M)": cost.linear / 1e6,
            "MACs (M)": cost.macs / 1e6,
            "FLOPs (M)": cost.flops / 1e6,
            "FLOPs by torch (M)": flops_by_torch(model) / 1e6,
        }
    rounds = trange(ROUNDS, desc="measuring speed", disable=not progress, leave=False)
    times = [{name: _seconds_per_frame(model, device) for name, model in models.items()} for _ in rounds]
    for name, row in networks.items():
        for column in times[0][name]:
            row[column] = 1 / min(once[name][column] for once in times)
    how = (
        "MACs and FLOPs of one window: products with weights (linear), with those of attention added, two FLOPs a MAC, "
        "and torch's own counter. FPS in 32-bit floats: windows lifted one by one (batch of 1), and a sequence of "
        f"{SEQUENCE} frames at once, each frame embedded once; the fastest of {ROUNDS} rounds in which each network "
        f"had its turn, on {describe_machine()}."
    )
    return {"how": how, "networks": networks}


@torch.no_grad()
def _seconds_per_frame(model: LiftingNetwork, device: str) -> dict[str, float]:
    window = torch.randn(1, model.num_frames, model.num_joints, 2, device=device)
    sequence = torch.randn(SEQUENCE, model.num_joints, 2, device=device)
    return {
        "FPS, windows": _warm_seconds(lambda: model(window)),
        "FPS, sequence": _warm_seconds(lambda: model.predict_sequence(sequence)) / SEQUENCE,
    }


def _warm_seconds(work: Work) -> float:
    seconds(work)  # fills the caches
    return seconds(work)
