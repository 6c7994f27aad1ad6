"""What torch answers, for the tests of the page's own network: one JSON file of a shape that Node reads, too."""

import json
from pathlib import Path

import numpy as np
import torch

from poseformer_lite.model import PoseFormer
from poseformer_lite.model.heads import Head, ablated, attention_maps

ABLATED = (Head("spatial", 0, 1), Head("temporal", 1, 2))


def golden(folder: str, windows: torch.Tensor) -> dict:
    """A network's answers for windows (B, F, J, 2): flat lists of numbers, row after row."""
    model = PoseFormer.from_pretrained(folder)
    with torch.no_grad():
        poses = model(windows)
        with ablated(model, *ABLATED):
            without = model(windows)
    maps = attention_maps(model, windows)
    F = model.num_frames
    flat = lambda tensor: np.round(tensor.double().flatten().numpy(), 9).tolist()  # noqa: E731
    return {
        "without": [str(head) for head in ABLATED],
        "windows": [
            {
                "window": flat(windows[b]),
                "pose": flat(poses[b]),
                "poseWithout": flat(without[b]),
                "spatial": flat(maps.spatial[b * F : (b + 1) * F]),
                "temporal": flat(maps.temporal[b]),
            }
            for b in range(len(windows))
        ],
    }


def write_golden(path: Path, networks: dict[str, dict]) -> Path:
    """{folder with config.json and model.safetensors: what `golden` gives} as JSON."""
    path.write_text(json.dumps(networks))
    return path
