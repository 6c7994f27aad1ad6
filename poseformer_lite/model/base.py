"""What PoseFormer and its baseline share: each frame is embedded alone, then a window of frames gives one pose."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from poseformer_lite.files import atomic_path

SHIPPED_WEIGHTS = Path(__file__).parents[1] / "weights"
FRAMES_AT_ONCE = 4096  # of a long sequence, whose tokens are kept at one time


class LiftingNetwork(nn.Module):
    """(B, F, J, 2) normalised screen coordinates -> (B, J, 3) metres: the root-relative pose of the centre frame.

    A subclass defines `embed_frames`, which sees one frame at a time, and `join_frames`, which sees a window of them.
    That split is what makes long sequences cheap: `predict_sequence` embeds every frame once, not once per window.
    config: the arguments that the subclass was made with, so that it can be saved and made again.
    """

    def __init__(self, config: dict):
        super().__init__()
        self.config = {name: value for name, value in config.items() if name not in ("self", "__class__")}
        num_frames, num_joints = config["num_frames"], config["num_joints"]
        if num_frames < 1 or num_frames % 2 == 0:
            raise ValueError(f"num_frames is {num_frames}: a window needs an odd number, to have a centre frame")
        self.num_frames = num_frames
        self.num_joints = num_joints

    @classmethod
    def matching(cls, sizes: dict) -> "LiftingNetwork":
        """The network that is compared with a PoseFormer of these arguments; PoseFormer's own is itself."""
        return cls(**sizes)

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        """(N, J, 2) -> (N, D), each frame by itself."""
        raise NotImplementedError

    def join_frames(self, tokens: Tensor) -> Tensor:
        """(B, F, D) -> (B, J, 3), the centre frame."""
        raise NotImplementedError

    def join_frames_everywhere(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(B, F, D) -> (B, J, 3), the centre frame, and (B, F, J, 3), every frame of the window."""
        raise NotImplementedError(f"{type(self).__name__} gives the centre frame only, so every frame cannot teach it")

    def forward(self, poses_2d: Tensor, every_frame: bool = False, chunk: int = 1) -> Tensor | tuple[Tensor, Tensor]:
        """(B, F, J, 2) -> (B, J, 3); with every_frame also (B, F, J, 3), which is there to learn more from a window.

        chunk: K neighbouring windows that share their frames' tokens, (B, F + K - 1, J, 2) -> (B * K, J, 3).
        """
        self._check_windows(poses_2d, chunk)
        tokens = self.embed_frames(poses_2d.flatten(0, 1)).unflatten(0, poses_2d.shape[:2])  # (B, F + K - 1, D)
        if chunk > 1:
            tokens = windows_of_chunks(tokens, self.num_frames)  # (B * K, F, D)
        return self.join_frames_everywhere(tokens) if every_frame else self.join_frames(tokens)  # (B * K, J, 3)

    @torch.no_grad()
    def predict_sequence(
        self, poses_2d: Tensor, batch_size: int | None = None, look_ahead: int | None = None, stride: int = 1
    ) -> Tensor:
        """Lift a whole sequence: (T, J, 2) -> (T, J, 3), one pose per frame, any T of 1 or more.

        Equal to a window around every frame with the edge frames repeated, but the spatial stage runs once per frame,
        and twice for the few where two parts of FRAMES_AT_ONCE meet. batch_size bounds the windows in flight: by
        default some 2,000 frames' worth. Memory does not grow with the sequence but for its result. The model is put
        into evaluation mode for the call.

        look_ahead: frames after its own that a pose may depend on, as in live use; the last of them is repeated in the
        place of those that follow. stride: an odd number of frames that one window gives, its middle ones, each from
        its own token: that many times fewer windows, for networks trained with supervise="every".
        """
        if poses_2d.ndim != 3 or poses_2d.shape[1:] != (self.num_joints, 2) or len(poses_2d) == 0:
            raise ValueError(
                f"poses_2d is {tuple(poses_2d.shape)}, expected (T, {self.num_joints}, 2) with T of 1 or more: "
                "one sequence in normalised screen coordinates"
            )
        if stride not in range(1, self.num_frames + 1, 2):
            raise ValueError(f"stride is {stride}: expected an odd number of at most {self.num_frames} frames")
        if look_ahead is not None and (look_ahead < 0 or stride > 1):
            raise ValueError(f"look_ahead is {look_ahead} and stride {stride}: expected 0 or more frames, and stride 1")
        batch_size = batch_size or windows_at_once(self.num_frames)
        half = self.num_frames // 2
        part_size = FRAMES_AT_ONCE // stride * stride
        predicted = poses_2d.new_empty(len(poses_2d), self.num_joints, 3)  # at once: many pieces would split the heap
        with evaluating(self):
            for start in range(0, len(poses_2d), part_size):
                first = max(start - half, 0)
                reached = poses_2d[first : start + part_size + half]  # by the windows of these frames
                tokens = torch.cat([self.embed_frames(chunk) for chunk in reached.split(512)])  # (N, D)
                windows = window_indices(len(tokens) + stride // 2, self.num_frames, tokens.device)  # (M, F)
                if look_ahead is not None:
                    windows = windows.minimum(windows[:, half : half + 1] + look_ahead)
                windows = windows.clamp(max=len(tokens) - 1)[start - first :][stride // 2 : part_size : stride]
                part = predicted[start : start + part_size]
                for poses_3d, batch in zip(part.split(batch_size * stride), windows.split(batch_size), strict=True):
                    if stride == 1:
                        poses_3d.copy_(self.join_frames(tokens[batch]))
                    else:
                        poses_3d.copy_(self._middle_frames(tokens[batch], stride)[: len(poses_3d)])
        return predicted

    def _middle_frames(self, tokens: Tensor, number: int) -> Tensor:
        """(B, F, D) -> (B * number, J, 3), each of a window's middle frames from its own token."""
        every = self.join_frames_everywhere(tokens)[1]  # (B, F, J, 3)
        return every[:, (self.num_frames - number) // 2 :][:, :number].flatten(0, 1)

    def _check_windows(self, poses_2d: Tensor, chunk: int) -> None:
        frames = self.num_frames + chunk - 1
        if poses_2d.ndim != 4 or poses_2d.shape[1:] != (frames, self.num_joints, 2):
            raise ValueError(
                f"poses_2d is {tuple(poses_2d.shape)}, expected (B, {frames}, {self.num_joints}, 2): windows "
                f"of {frames} frames; for a whole sequence (T, {self.num_joints}, 2) use predict_sequence"
            )

    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write config.json and model.safetensors into `folder`, each whole or not at all."""
        folder = Path(folder)
        with atomic_path(folder / "model.safetensors") as path:
            save_file({name: tensor.contiguous() for name, tensor in self.state_dict().items()}, path)
        with atomic_path(folder / "config.json") as path:
            path.write_text(json.dumps({"network": type(self).__name__, **self.config}, indent=1) + "\n")
        return folder

    @classmethod
    def from_pretrained(cls, name_or_folder: str | Path) -> "LiftingNetwork":
        """Weights shipped with the package ("lite"), of a folder that save_pretrained wrote, or of Hugging Face's hub.

        Strict: every tensor must fit. In evaluation mode. Raises FileNotFoundError where there are no weights, and
        ValueError, naming what does not fit, where they are of another network or cannot be read.
        """
        config_file, weights_file = (_find(str(name_or_folder), file) for file in ("config.json", "model.safetensors"))
        try:
            config = json.loads(config_file.read_text())
            network = config.pop("network", None)
            if network != cls.__name__:
                raise ValueError(f"it holds the network {network}")
            model = cls(**config)
            model.load_state_dict(load_file(weights_file), strict=True)
        except (SafetensorError, RuntimeError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{name_or_folder} does not hold a {cls.__name__} that can be read: {error}") from error
        return model.eval()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, and afterwards in the one it was in."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


@contextmanager
def compiled(model: LiftingNetwork) -> Iterator[None]:
    """Both stages as kernels that torch writes for them at their first call, and afterwards as they were.

    The first call takes seconds to minutes. Raises ValueError on a CPU where there is no C++ compiler.
    """
    on_cpu = next(model.parameters()).device.type == "cpu"
    if on_cpu and not any(map(shutil.which, (os.environ.get("CXX", "c++"), "g++", "clang++", "cl"))):
        raise ValueError("torch.compile wants a C++ compiler on a CPU and found none: install g++, or do without")
    stages = ("embed_frames", "join_frames", "join_frames_everywhere")
    try:
        for stage in stages:
            setattr(model, stage, torch.compile(getattr(model, stage)))
        yield
    finally:
        for stage in stages:
            vars(model).pop(stage, None)


def saved_network(name_or_folder: str | Path) -> str | None:
    """The name of the network that save_pretrained wrote there, or None where it is not said."""
    try:
        return json.loads(_find(str(name_or_folder), "config.json").read_text()).get("network")
    except (ValueError, AttributeError) as error:
        raise ValueError(f"config.json of {name_or_folder} is not what save_pretrained writes: {error}") from error


def _find(name_or_folder: str, file: str) -> Path:
    shipped = SHIPPED_WEIGHTS / name_or_folder
    folder = shipped if shipped.is_dir() else Path(name_or_folder)
    if (folder / file).is_file():
        return folder / file
    if folder.is_dir():
        raise FileNotFoundError(f"{folder} has no {file}: save_pretrained writes config.json and model.safetensors")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name_or_folder):
        names = ", ".join(sorted(path.name for path in SHIPPED_WEIGHTS.glob("*") if path.is_dir()))
        raise FileNotFoundError(f"there is no folder {name_or_folder}, and the weights that are shipped are: {names}")

    from huggingface_hub import hf_hub_download  # only where the network is asked for

    return Path(hf_hub_download(name_or_folder, file))


def windows_at_once(num_frames: int) -> int:
    """How many windows keep a CPU's caches and threads busy: some 2,000 frames' worth."""
    return max(1, 2048 // num_frames)


def windows_of_chunks(frames: Tensor, num_frames: int) -> Tensor:
    """All windows inside stretches of frames: (B, F + K - 1, ...) -> (B * K, F, ...), copied."""
    return frames.unfold(1, num_frames, 1).movedim(-1, 2).flatten(0, 1)


def window_indices(num_frames: int, window: int, device: torch.device | str = "cpu") -> Tensor:
    """The frames of the window around every frame; edges repeat the first and last. -> (num_frames, window)."""
    centers = torch.arange(num_frames, device=device)
    offsets = torch.arange(window, device=device) - window // 2
    return (centers[:, None] + offsets).clamp(0, num_frames - 1)
