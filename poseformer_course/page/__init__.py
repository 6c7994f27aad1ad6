"""PoseFormer in a page: the network runs in the browser, and every token and weight can be touched (docs/live.md)."""

import base64
import html
import json
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import ipywidgets
import torch
from IPython.display import display

from poseformer_lite.files import atomic_path
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.skeleton import H36M17
from poseformer_lite.viewers.viewer import WIDGET_VIEW

STAGES = ("keypoints", "joints", "spatial", "frames", "temporal", "weights", "pose")  # Fig. 2(b), from left to right
FRAME = '<iframe title="PoseFormer in a page" style="width: 100%; height: 820px; border: 0" srcdoc="{}"></iframe>'


def explore(
    model: str | Path | PoseFormer = "small", stage: str = "spatial", take: str = "walk", joint: str = "RWrist"
) -> "ExplorePage":
    """The page with a network in it, as the last line of a cell or for `save`.

    :param model: a network for 17 joints on the plain screen, or what `from_pretrained` takes
    :param stage: the one that is open, of `STAGES`
    :param take: "walk", "greet" and "sit" are synthetic and have a true pose, "clip" is a real video
    :param joint: the one that is touched, by its name in `H36M17`.
    :returns: A page that shows itself in a notebook, and that `save` writes.
    :raises ValueError: for a stage, take or joint that the page has not, and for a network that it cannot run.
    """
    return ExplorePage(model, stage, take, joint)


class ExplorePage:
    """One HTML file without requests. Where a notebook has no kernel, a picture of the stage stands in its place."""

    def __init__(self, model: str | Path | PoseFormer, stage: str, take: str, joint: str):
        takes = files(__package__).joinpath("takes.json").read_bytes()
        choices = {"stage": (stage, STAGES), "take": (take, tuple(json.loads(takes))), "joint": (joint, H36M17.joints)}
        for name, (given, known) in choices.items():
            if given not in known:
                raise ValueError(f"the page has no {name} {given!r}: choose one of {', '.join(known)}")
        network = PoseFormer.from_pretrained(model) if isinstance(model, (str, Path)) else model
        if "spatial_dim" not in network.config or (network.num_joints, network.input) != (H36M17.num_joints, "screen"):
            raise ValueError(
                f"the page runs PoseFormers of {H36M17.num_joints} joints with input 'screen', but this is a "
                f"{type(network).__name__} of {network.num_joints} joints with input {network.input!r}: "
                "give it another one, such as 'small'"
            )
        self.stage, self.model = stage, network.config
        start = f"stage={stage}&take={take}&joint={H36M17.joints.index(joint)}"
        scripts = [_asset(name, data) for name, data in [("takes.json", takes), *_weights(network)]]
        scripts.append(f"window.poseformerStart={json.dumps(start)};")
        shell = files(__package__).joinpath("explore.html").read_text(encoding="utf-8")
        self.html = shell.replace("<!-- assets -->", "\n".join(f"<script>{script}</script>" for script in scripts))

    def save(self, path: str | Path) -> Path:
        """Write the page, which any browser opens from a disk. Returns the path. Raises OSError for a full disk."""
        with atomic_path(path) as temporary:
            temporary.write_text(self.html, encoding="utf-8")
        return Path(path)

    def _ipython_display_(self) -> None:
        widget = ipywidgets.HTML(FRAME.format(html.escape(self.html)))
        view = {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
        number = STAGES.index(self.stage) + 1
        words = (
            f"PoseFormer in a page, open at stage {number}, {self.stage!r}; the still picture shows the network 'small'"
        )
        picture = base64.b64encode(files(__package__).joinpath(f"{self.stage}.png").read_bytes()).decode()
        bundle = {"text/plain": words, "image/png": picture, WIDGET_VIEW: view}
        display(bundle, raw=True, metadata={"image/png": {"alt": words}})


def _weights(network: PoseFormer) -> list[tuple[str, bytes]]:
    """The files of `save_pretrained`, named as the page knows them; in 16 bits where that loses nothing."""
    halved = deepcopy(network).half()
    if all(
        torch.equal(half.float(), whole) for half, whole in zip(halved.parameters(), network.parameters(), strict=True)
    ):
        network = halved
    with TemporaryDirectory() as folder:
        network.save_pretrained(folder)
        return [(f"small/{name}", Path(folder, name).read_bytes()) for name in ("config.json", "model.safetensors")]


def _asset(name: str, data: bytes) -> str:
    return f'(window.poseformerAssets??={{}})[{json.dumps(name)}]="{base64.b64encode(data).decode()}";'
