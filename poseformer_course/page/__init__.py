"""PoseFormer in a page: the network runs in the browser, and every token and weight can be touched (docs/live.md)."""

import base64
import html
import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

import ipywidgets
import torch
from IPython.display import display

from poseformer_course.clip import clip_file
from poseformer_course.heads import all_heads
from poseformer_lite.files import atomic_path
from poseformer_lite.model.heads import Head
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.skeleton import H36M17
from poseformer_lite.viewers.viewer import WIDGET_VIEW

RUNTIME = "tflite_web_api_cc_simd.wasm"  # of the detector; see NOTICE
STAGES = ("keypoints", "joints", "spatial", "frames", "temporal", "weights", "pose")  # Fig. 2(b), from left to right
SHOWN = {  # on the still of each stage, below the seven small pictures of the stages
    "keypoints": "a table of the x and y of the 17 keypoints, and how they come from pixels",
    "joints": "a table of 17 joint tokens with 16 channels each",
    "spatial": "a table of 17 by 17 attention weights, small ones of all eight heads, and the sums behind one weight",
    "frames": "a table of 9 frame tokens with 272 channels each",
    "temporal": "a table of 9 by 9 attention weights, small ones of all eight heads, and the sums behind one weight",
    "weights": "9 bars, the weights of the frames, of both signs",
    "pose": "a bar for the error of each joint, and the 3D pose over the true one",
}
FRAME = '<iframe title="PoseFormer in a page" style="width: 100%; height: 820px; border: 0" srcdoc="{}"></iframe>'


def explore(
    model: str | Path | PoseFormer = "attentive",
    stage: str = "spatial",
    take: str = "walk",
    joint: str = "RWrist",
    head: Head | None = None,
    hidden: Sequence[str] = (),
) -> "ExplorePage":
    """The page with a network in it, as the last line of a cell or for `save`.

    :param model: a network for 17 joints on the plain screen, or what `from_pretrained` takes
    :param stage: the one that is open, of `STAGES`
    :param take: "walk", "greet" and "sit" are synthetic and have a true pose, "clip" is a real video
    :param joint: the one that is touched, by its name in `H36M17`
    :param head: the one whose map is large, of either stage
    :param hidden: names of joints that are hidden from the network, as `poseformer_course.heads.joints_hidden` does.
    :returns: A page that shows itself in a notebook, and that `save` writes.
    :raises ValueError: for a stage, take, joint or head that is not there, and for a network that the page cannot run.
    """
    takes = _file("takes.json")
    choices = [("stage", stage, STAGES), ("take", take, tuple(json.loads(takes)))]
    for name, given, known in choices + [("joint", name, H36M17.joints) for name in (joint, *hidden)]:
        if given not in known:
            raise ValueError(f"the page has no {name} {given!r}: choose one of {', '.join(known)}")
    network = _runnable(model, ("screen",), "attentive")
    start = {"stage": stage, "take": take, "joint": H36M17.joints.index(joint)}
    if hidden:
        start["hidden"] = ",".join(str(H36M17.joints.index(name)) for name in hidden)
    if head is not None:
        if head not in all_heads(network):
            raise ValueError(f"the network has no {head}: its last one is {all_heads(network)[-1]}")
        start[head.stage] = f"{head.layer},{head.head}"
    scripts = [_asset("takes.json", takes), *_weights(network, "attentive")]
    scripts.append(f"window.poseformerStart={json.dumps(urlencode(start))};")
    return ExplorePage(_filled("explore.html", scripts), stage)


def live(model: str | Path | PoseFormer = "wild") -> "Page":
    """The page that lifts a camera or a video, with detector and network in it.

    :param model: a network for 17 joints, or what `from_pretrained` takes.
    :raises ValueError: for a network that the page cannot run.
    """
    network = _runnable(model, ("screen", "canonical"), "wild")
    detector = files("poseformer_lite.lifting.blazepose")
    names = ("pose_detection.tflite", "pose_landmark_full.tflite")
    scripts = [_asset(name, detector.joinpath(name).read_bytes()) for name in names]
    scripts.append(_asset("walk.mp4", clip_file().read_bytes()))
    scripts.append(_asset(RUNTIME, _file(f"{RUNTIME}.gz"), "gzip:"))
    return Page(_filled("live.html", scripts + _weights(network, "wild")))


@dataclass
class Page:
    """One HTML file without requests."""

    html: str = field(repr=False)

    def save(self, path: str | Path) -> Path:
        """Write the page, which any browser opens from a disk. Returns the path. Raises OSError for a full disk."""
        with atomic_path(path) as temporary:
            temporary.write_text(self.html, encoding="utf-8")
        return Path(path)


@dataclass
class ExplorePage(Page):
    """It shows itself in a notebook; where that has no kernel, a picture of the stage stands in its place."""

    stage: str

    def _ipython_display_(self) -> None:
        widget = ipywidgets.HTML(FRAME.format(html.escape(self.html)))
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        number = STAGES.index(self.stage) + 1
        words = (
            f"PoseFormer in a page, open at stage {number}, {self.stage!r}; "
            "the still picture shows the network 'attentive'"
        )
        picture = base64.b64encode(_file(f"{self.stage}.png")).decode()
        bundle = {"text/plain": words, "image/png": picture, WIDGET_VIEW: view}
        display(bundle, raw=True, metadata={"image/png": {"alt": f"{words}; {SHOWN[self.stage]}"}})


def _file(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()


def _filled(shell: str, scripts: list[str]) -> str:
    inside = "\n".join(f"<script>{script}</script>" for script in scripts)
    return _file(shell).decode().replace("<!-- assets -->", inside)


def _runnable(model: str | Path | PoseFormer, inputs: tuple[str, ...], example: str) -> PoseFormer:
    network = PoseFormer.from_pretrained(model) if isinstance(model, (str, Path)) else model
    if "spatial_dim" not in network.config or network.num_joints != H36M17.num_joints or network.input not in inputs:
        raise ValueError(
            f"the page runs PoseFormers of {H36M17.num_joints} joints with input {' or '.join(map(repr, inputs))}, but "
            f"this is a {type(network).__name__} of {network.num_joints} joints with input {network.input!r}: "
            f"give it another one, such as {example!r}"
        )
    return network


def _weights(network: PoseFormer, name: str) -> list[str]:
    """The files of `save_pretrained`, named as the page knows them; in 16 bits where that loses nothing."""
    halved = deepcopy(network).half()
    if all(
        torch.equal(half.float(), whole) for half, whole in zip(halved.parameters(), network.parameters(), strict=True)
    ):
        network = halved
    with TemporaryDirectory() as folder:
        network.save_pretrained(folder)
        saved = [Path(folder, file) for file in ("config.json", "model.safetensors")]
        return [_asset(f"{name}/{file.name}", file.read_bytes()) for file in saved]


def _asset(name: str, data: bytes, how: str = "") -> str:
    return f'(window.poseformerAssets??={{}})[{json.dumps(name)}]="{how}{base64.b64encode(data).decode()}";'
