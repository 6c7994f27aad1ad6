"""Lifting: whole sequences, single windows, and what the cost depends on."""

from copy import deepcopy
from functools import partial
from pathlib import Path
from statistics import median

import torch

from poseformer_course.bench.reference import official_network, plain_forward, plain_lift
from poseformer_course.bench.timing import products, rounds_of, seconds, times_as_fast
from poseformer_lite.lifting.live import LiveStream
from poseformer_lite.model.base import windows_at_once
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.model.precision import PAYS, bfloat16_speed
from poseformer_lite.training.settings import get_preset

COURSE = {name: value for name, value in get_preset("lite").model.items() if name != "num_frames"}
SIZES = [("paper", 9, {}), ("paper", 27, {}), ("paper", 81, {}), ("course", 9, COURSE), ("course", 27, COURSE)]
REFERENCE = "plain, a take in one batch"


@torch.inference_mode()
def inference(device: str, quick: bool, official: Path | None, progress: bool) -> list[dict]:
    """Dense lifting of one take: frames per second, ratios to the plain reference, share of the matrix products' rate.

    The share is the time of the temporal stage's matrix products with weights, alone, over the time of the whole.
    """
    rows = []
    for name, num_frames, sizes in SIZES:
        model, length = _model(num_frames, sizes, device), (64 if quick else 6000 // num_frames + 100)
        poses_2d = 0.3 * torch.randn(length, model.num_joints, 2, device=device)
        works = {
            REFERENCE: partial(plain_lift, model, poses_2d),
            "plain, bounded batches": partial(plain_lift, model, poses_2d, windows_at_once(num_frames)),
            "ours": partial(model.predict_sequence, poses_2d),
            "products alone": _temporal_products(model, length, device, torch.float32),
        }
        expected = works[REFERENCE]()
        apart = {"ours": (works["ours"]() - expected).abs().max().item()}
        if official:
            network = official_network(official, model)
            works["released code"] = partial(plain_lift, model, poses_2d, None, network)
            apart["released code"] = (works["released code"]().reshape(expected.shape) - expected).abs().max().item()
        half = _on_a_gpu(model, poses_2d) if device == "cuda" else _on_a_cpu(model, poses_2d)
        if half:
            works |= half
            apart["ours, bf16"] = (half["ours, bf16"]() - expected).abs().max().item()
            works["products alone, bf16"] = _temporal_products(model, length, device, torch.bfloat16)
        times = rounds_of(works, 2 if quick else 7, f"inference, {name} f={num_frames}", progress)
        rows.append(
            {
                "size": name,
                "num_frames": num_frames,
                "frames per second": {way: round(length / median(times[way])) for way in works},
                f"times as fast as: {REFERENCE}": _against(times, REFERENCE),
                "times as fast as: plain, bounded batches": _against(times, "plain, bounded batches"),
                **{
                    f"times as fast as: {slow}": _against(times, slow)
                    for slow in ("ours", "released code")
                    if slow in times
                },
                "share of the temporal stage's products": _shares(times),
                "largest difference in m": apart,
            }
        )
    return rows


def _shares(times: dict[str, list[float]]) -> dict[str, list[float]]:
    """Against the products in 32 bits, and for what computes in 16 against those in 16."""
    shares = {"ours": times_as_fast(times["products alone"], times["ours"])}
    if "products alone, bf16" in times:
        for way in {"ours, bf16", "ours, fp16, compiled"} & times.keys():
            shares[way] = times_as_fast(times["products alone, bf16"], times[way])
    return shares


def _on_a_cpu(model: PoseFormer, poses_2d: torch.Tensor) -> dict:
    """What "auto" takes where the processor has matrix units for it; nothing elsewhere."""
    if bfloat16_speed() < PAYS:
        return {}
    return {"ours, bf16": partial(model.predict_sequence, poses_2d, precision="bfloat16")}


def _on_a_gpu(model: PoseFormer, poses_2d: torch.Tensor) -> dict:
    """Half precision, and kernels that torch writes, which on a CPU take long to make."""

    def lift(model: PoseFormer, dtype: torch.dtype) -> torch.Tensor:
        with torch.autocast("cuda", dtype):
            return model.predict_sequence(poses_2d, batch_size=max(1, 65536 // model.num_frames))

    compiled = deepcopy(model)
    compiled.compile()
    return {
        "ours, fp16": partial(lift, model, torch.float16),
        "ours, bf16": partial(lift, model, torch.bfloat16),
        "ours, fp16, compiled": partial(lift, compiled, torch.float16),
    }


@torch.inference_mode()
def latency(device: str, quick: bool, official: Path | None, progress: bool) -> list[dict]:
    """A single window, as in live use: seconds for one pose, and a stream that embeds each frame once when it comes."""
    rows = []
    for name, num_frames, sizes in SIZES:
        model = _model(num_frames, sizes, device)
        window = 0.3 * torch.randn(1, num_frames, model.num_joints, 2, device=device)
        stream = LiveStream(model)
        works = {
            "plain window": partial(plain_forward, model, window),
            "our window": partial(model, window),
            "our stream": partial(stream.push, window[0, 0]),
        }
        times = rounds_of(works, 5 if quick else 50, f"latency, {name} f={num_frames}", progress)
        rows.append(
            {
                "size": name,
                "num_frames": num_frames,
                "ms": {way: round(1000 * median(times[way]), 2) for way in works},
                "times as fast as: plain window": _against(times, "plain window"),
            }
        )
    return rows


@torch.inference_mode()
def cost(device: str, quick: bool, official: Path | None, progress: bool) -> list[dict]:
    """Milliseconds a frame over F, J, T and the batch, one changed at a time from F = 27, J = 17, T = 500, c = 32."""
    usual = {"F": 27, "J": 17, "T": 64 if quick else 500, "batch": 64}
    ranges = {
        "F": (3, 9, 27, 81),
        "J": (5, 9, 17, 33),
        "T": (16, 64) if quick else (16, 64, 250, 1000),
        "batch": (1, 4, 16, 64, 256),
    }
    rows = []
    for name, values in ranges.items():
        for value in values:
            at = usual | {name: value}
            torch.manual_seed(0)
            model = PoseFormer(at["F"], num_joints=at["J"]).to(device).eval()
            poses_2d = torch.randn(at["T"], at["J"], 2, device=device)
            work = partial(model.predict_sequence, poses_2d, batch_size=at["batch"])
            work()
            rows.append({"over": name, **at, "ms a frame": round(1000 * seconds(work) / at["T"], 3)})
    return rows


def _model(num_frames: int, sizes: dict, device: str) -> PoseFormer:
    torch.manual_seed(0)
    return PoseFormer(num_frames, **sizes).to(device).eval()


def _against(times: dict[str, list[float]], reference: str) -> dict[str, list[float]]:
    ours = [way for way in times if way.startswith(("our", "released"))]
    return {way: times_as_fast(times[reference], times[way]) for way in ours}


def _temporal_products(model: PoseFormer, windows: int, device: str, dtype: torch.dtype):
    """What the temporal stage multiplies with its weights for so many windows, some 2,000 rows at a time."""
    D, hidden = model.head.norm.normalized_shape[0], model.temporal.encoder.blocks[0].mlp.fc1.out_features
    layers = [(D, 3 * D), (D, D), (D, hidden), (hidden, D)] * len(model.temporal.encoder.blocks)
    at_once = windows_at_once(model.num_frames)
    whole, rest = divmod(windows, at_once)
    batches = [at_once] * whole + [rest] * (rest > 0)
    shapes = [(batch * model.num_frames, k, m) for batch in batches for k, m in layers]
    return products(shapes, device, dtype)
