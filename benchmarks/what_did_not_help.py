"""Tricks that were tried and are not in the package: what each gains, and what it does to the poses.

    python benchmarks/what_did_not_help.py [--json FILE]

8-bit integers by torch's and by onnxruntime's dynamic quantisation (of the shipped networks, on synthetic test takes);
onnxruntime in place of torch; and the first temporal layer's queries, keys and values shared between windows: LayerNorm
and a linear map of token + position are linear but for one division, so the product of tokens and that of positions can
be taken once and put together. Ratios are medians of paired runs, with their range. Needs the extra onnx.
"""

import argparse
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from poseformer_course.bench.record import record
from poseformer_course.bench.timing import rounds_of, times_as_fast
from poseformer_lite.datasets import load_dataset
from poseformer_lite.metrics import mpjpe
from poseformer_lite.model.base import window_indices
from poseformer_lite.model.onnx import export_onnx
from poseformer_lite.model.poseformer import PoseFormer

EVERY = 10  # of the test frames, one in so many


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the results here")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")

    takes = load_dataset("synthetic", keypoints="noisy").test()[::6]
    results = {name: eight_bits(PoseFormer.from_pretrained(name), takes) for name in ("lite", "small")}
    course = {"spatial_dim": 16, "spatial_depth": 2, "temporal_depth": 2, "num_heads": 4}
    shared = {
        "paper f=27": first_layer(PoseFormer(27).eval()),
        "course f=9": first_layer(PoseFormer(9, **course).eval()),
    }
    record(arguments.json, eight_bits=results, first_layer_shared=shared)


@torch.inference_mode()
def eight_bits(model: PoseFormer, takes: list) -> dict:
    """Times as fast as torch in 32 bits on a batch of windows, how far joints move, and what it does to the error."""
    ways = {"torch": model, **_others(model)}
    windows = _windows(takes[0], model)[0][:75]
    times = rounds_of({name: partial(way, windows) for name, way in ways.items()}, 9, "8 bits")
    rows = {}
    for name, way in ways.items():
        moved, errors = [], []
        for take in takes:
            some, target = _windows(take, model)
            predicted = way(some)
            moved.append(mpjpe(predicted, model(some)))
            errors.append(mpjpe(predicted, target))
        rows[name] = {
            "times as fast": times_as_fast(times["torch"], times[name]),
            "moved mm": round(1000 * torch.stack(moved).mean().item(), 3),
            "MPJPE mm": round(1000 * torch.stack(errors).mean().item(), 2),
        }
    return rows


def _others(model: PoseFormer) -> dict[str, Callable]:
    import onnxruntime
    from onnxruntime.quantization import QuantType, quantize_dynamic

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        plain, small = Path(folder) / "network.onnx", Path(folder) / "network8.onnx"
        export_onnx(model, plain)
        quantize_dynamic(plain, small, per_channel=True, weight_type=QuantType.QInt8)
        sessions = [onnxruntime.InferenceSession(path.read_bytes(), options) for path in (plain, small)]
    in_32, in_8 = (
        lambda windows, session=session: torch.from_numpy(session.run(None, {"poses_2d": windows.numpy()})[0])
        for session in sessions
    )
    torch_8 = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    return {"onnxruntime": in_32, "torch, 8 bits": torch_8, "onnxruntime, 8 bits": in_8}


def _windows(take, model: PoseFormer) -> tuple[torch.Tensor, torch.Tensor]:
    frames = window_indices(len(take), model.num_frames)[::EVERY]
    return torch.from_numpy(take.poses_2d())[frames], torch.from_numpy(take.root_relative(0))[::EVERY]


@torch.inference_mode()
def first_layer(model: PoseFormer) -> dict:
    """Queries, keys and values of the first temporal layer for a batch of windows of one sequence, both ways."""
    block, positions = model.temporal.encoder.blocks[0], model.temporal.position_embedding.normal_(0, 0.1)[0]
    tokens = model.embed_frames(0.3 * torch.randn(2048, 17, 2))  # (N, D)
    frames = window_indices(2048, model.num_frames)[: 2048 // model.num_frames]  # (B, F)
    weight = block.attn.qkv.weight * block.norm1.weight
    bias = block.attn.qkv.weight @ block.norm1.bias + block.attn.qkv.bias

    def shared() -> torch.Tensor:
        centered, places = (x - x.mean(-1, keepdim=True) for x in (tokens, positions))
        variance = centered.square().sum(-1)[:, None] + places.square().sum(-1) + 2 * centered @ places.T  # (N, F)
        scale = torch.rsqrt(variance / tokens.shape[-1] + 1e-6)[frames, torch.arange(model.num_frames)]  # (B, F)
        together = (centered @ weight.T)[frames].add_(places @ weight.T)  # (B, F, 3 * D)
        return torch.addcmul(bias, together, scale[..., None])

    def plain() -> torch.Tensor:
        return block.attn.qkv(block.norm1(tokens[frames] + positions))

    times = rounds_of({"plain": plain, "shared": shared}, 15, "first layer")
    apart = (plain() - shared()).abs().max().item()
    return {"times as fast": times_as_fast(times["plain"], times["shared"]), "largest difference": apart}


if __name__ == "__main__":
    main()
