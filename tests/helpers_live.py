"""The page of live/ for its tests: built once, opened in a browser, and what torch answers in its place."""

import base64
import functools
import http.server
import json
import shutil
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from poseformer_course.heads import ablated, joints_hidden
from poseformer_lite.model import PoseFormer
from poseformer_lite.model.base import SHIPPED_WEIGHTS, window_frames
from poseformer_lite.model.heads import Head, attention_maps

ROOT = Path(__file__).resolve().parent.parent
LIVE = ROOT / "live"
PAGE = ROOT / "poseformer_course" / "page"
ABLATED = (Head("spatial", 0, 1), Head("temporal", 1, 2))
HIDDEN = (0, 16)
PER_UNIT = 10_000  # of takes.json


def node() -> str:
    """Where Node is; without it, or without the packages of live/, the test is skipped."""
    found = shutil.which("node") or pytest.skip("needs Node 20 or newer: run scripts/ensure_node.sh")
    if not (LIVE / "node_modules").is_dir():
        pytest.skip("needs the packages of live/package-lock.json: run scripts/ensure_node.sh")
    return found


def build(folder: Path) -> Path:
    """The page, as `make live` builds it, in that folder."""
    run = subprocess.run([node(), "build.mjs", str(folder)], cwd=LIVE, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return folder


@contextmanager
def served(folder: Path):
    """The address of a server of that folder on this machine."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


def take(name: str) -> np.ndarray:
    """The keypoints of a take as the page has them, (T, 17, 2)."""
    stored = json.loads((PAGE / "takes.json").read_text())[name]["keypoints"]
    return np.frombuffer(base64.b64decode(stored), "<i2").reshape(-1, 17, 2).astype(np.float32) / PER_UNIT


def window(keypoints: np.ndarray, frame: int, num_frames: int) -> torch.Tensor:
    """(T, J, 2) -> (1, F, J, 2) round that frame."""
    return torch.from_numpy(keypoints)[window_frames(torch.tensor([frame]), len(keypoints), num_frames)]


def golden(folder: Path, windows: torch.Tensor) -> dict:
    """A network's answers for windows (B, F, J, 2): flat lists of numbers, row after row.

    torch computes them in float64: in float32 its own attention weights are off by 9e-6 at worst, the page's by 3e-6.
    """
    model, windows = PoseFormer.from_pretrained(folder).double(), windows.double()
    with torch.no_grad():
        poses = model(windows)
        with ablated(model, *ABLATED):
            without = model(windows)
        with joints_hidden(model, *HIDDEN):
            hidden = model(windows)
    maps, F = attention_maps(model, windows), model.num_frames
    answers = [
        {
            "window": windows[b],
            "pose": poses[b],
            "poseWithout": without[b],
            "poseHidden": hidden[b],
            "spatial": maps.spatial[b * F : (b + 1) * F],
            "temporal": maps.temporal[b],
        }
        for b in range(len(windows))
    ]
    flat = [{name: value.flatten().tolist() for name, value in answer.items()} for answer in answers]
    return {"without": [str(head) for head in ABLATED], "hidden": HIDDEN, "windows": flat}


def write_golden(path: Path) -> Path:
    """Answers of three shipped networks for random windows and for a real walk's, as JSON that Node reads."""
    networks = {}
    for name in ("lite", "small", "wild", "attentive"):
        F = PoseFormer.from_pretrained(name).num_frames
        made_up = 0.3 * torch.randn(1, F, 17, 2, generator=torch.Generator().manual_seed(0))
        networks[str(SHIPPED_WEIGHTS / name)] = golden(
            SHIPPED_WEIGHTS / name, torch.cat([made_up, window(take("clip"), 50, F)])
        )
    path.write_text(json.dumps(networks))
    return path
