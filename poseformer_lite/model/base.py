"""What PoseFormer and its baseline share: each frame is embedded alone, then a window of frames gives one pose."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from poseformer_lite.checked import read_json
from poseformer_lite.files import atomic_path
from poseformer_lite.model.precision import choose_precision, in_precision
from poseformer_lite.model.weights import check_sizes, check_weights, no_larger_than
from poseformer_lite.skeleton import Skeleton, flip_poses

SHIPPED_WEIGHTS = Path(__file__).parents[1] / "weights"
INPUTS = ("screen", "canonical")  # what a network is shown: `camera.normalize_screen`, or `canonical.canonical_view`
HUB = "hub:"  # before a name of Hugging Face's hub
FRAMES_AT_ONCE = 4096  # of a long sequence, whose tokens are kept at one time


class LiftingNetwork(nn.Module):
    """(B, F, J, 2) normalised screen coordinates -> (B, J, 3) metres: the root-relative pose of the center frame.

    A subclass defines `embed_frames`, which sees one frame at a time, and `forward_temporal`, which sees a window of
    them. That split makes long sequences cheap: `predict_sequence` embeds every frame once, not once per window.
    config: the arguments that the network was made with, so that it can be saved and made again.
    input: what it was trained on, one of INPUTS; it is saved with the weights.
    """

    input = "screen"

    def __new__(cls, *args, **sizes):
        """Notes the arguments in `config`, whatever the subclass's `__init__` does with them."""
        network = super().__new__(cls)
        made_with = signature(cls.__init__).bind(network, *args, **sizes)
        made_with.apply_defaults()
        _, *names = made_with.signature.parameters  # without self
        network.config = dict(zip(names, made_with.args[1:], strict=False)) | made_with.kwargs
        return network

    def __init__(self, num_frames: int, num_joints: int):
        super().__init__()
        if num_frames < 1 or num_frames % 2 == 0:
            raise ValueError(f"num_frames is {num_frames}: a window needs an odd number, to have a center frame")
        self.num_frames = num_frames
        self.num_joints = num_joints

    @classmethod
    def sized_like(cls, sizes: dict) -> "LiftingNetwork":
        """The network that is compared with a PoseFormer of these arguments; PoseFormer's own is itself."""
        return cls(**sizes)

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        """(N, J, 2) -> (N, D), each frame on its own."""
        raise NotImplementedError

    def forward_temporal(self, tokens: Tensor) -> Tensor:
        """(B, F, D) -> (B, J, 3), the center frame."""
        raise NotImplementedError

    def temporal_every_frame(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """(B, F, D) -> (B, J, 3), the center frame, and (B, F, J, 3), every frame of the window."""
        raise NotImplementedError(f"{type(self).__name__} gives the center frame only, so every frame cannot teach it")

    def forward(self, poses_2d: Tensor) -> Tensor:
        """Lift windows, each to the root-relative pose of its centre frame.

        :param poses_2d: (B, F, J, 2), normalised screen coordinates.
        :returns: (B, J, 3), metres.
        :raises ValueError: for a different shape.
        """
        return self.forward_temporal(self._embed_windows(poses_2d))

    def forward_every_frame(self, poses_2d: Tensor) -> tuple[Tensor, Tensor]:
        """Lift windows to the poses of all their frames: more to learn from a window.

        :param poses_2d: (B, F, J, 2), normalised screen coordinates.
        :returns: (B, J, 3) of the centre frame, as from `forward`, and (B, F, J, 3); metres, root-relative.
        :raises ValueError: for a different shape
        :raises NotImplementedError: where the network gives the centre frame only.
        """
        return self.temporal_every_frame(self._embed_windows(poses_2d))

    def _embed_windows(self, poses_2d: Tensor) -> Tensor:
        self.check_windows(poses_2d)
        return self.embed_frames(poses_2d.flatten(0, 1)).unflatten(0, poses_2d.shape[:2])  # (B, F, D)

    def check_windows(self, poses_2d: Tensor) -> None:
        """Raises ValueError unless poses_2d is (B, F, J, 2)."""
        F, J = self.num_frames, self.num_joints
        if poses_2d.ndim != 4 or poses_2d.shape[1:] != (F, J, 2):
            raise ValueError(
                f"poses_2d is {tuple(poses_2d.shape)}, expected (B, {F}, {J}, 2): windows of {F} frames; for a whole "
                f"sequence (T, {J}, 2) use predict_sequence"
            )

    @torch.no_grad()
    def predict_sequence(
        self,
        poses_2d: Tensor,
        batch_size: int | None = None,
        look_ahead: int | None = None,
        stride: int = 1,
        precision: str = "float32",
    ) -> Tensor:
        """Lift a whole sequence: one pose per frame, any T of 1 or more.

        Equal to a window around every frame with the edge frames repeated, but the spatial stage runs once per frame,
        and twice for the few where two parts of FRAMES_AT_ONCE meet. Memory does not grow with the sequence but for its
        result. The model is put into evaluation mode for the call.

        :param poses_2d: (T, J, 2), normalised screen coordinates.
        :param batch_size: windows in flight; by default some 2,000 frames' worth.
        :param look_ahead: frames after its own that a pose may depend on, as in live use; the last of them is repeated
            in place of those that follow.
        :param stride: an odd number of frames that one window gives, its middle ones, each from its own token: that
            many times fewer windows, for networks trained with supervise="every".
        :param precision: "float32"; "bfloat16" for the temporal stage's products with weights; or "auto", which takes
            that where `choose_precision` finds that it pays and does no harm.
        :returns: (T, J, 3), metres, relative to the root.
        :raises ValueError: for a different shape, pixels, poses that are not finite, an even stride or one over F, a
            look_ahead under 0 or beside a stride, or an unknown precision
        :raises NotImplementedError: for a stride over 1 where the network gives the centre frame only.
        """
        if poses_2d.ndim != 3 or poses_2d.shape[1:] != (self.num_joints, 2) or len(poses_2d) == 0:
            raise ValueError(
                f"poses_2d is {tuple(poses_2d.shape)}, expected (T, {self.num_joints}, 2) with T of 1 or more: "
                "one sequence in normalised screen coordinates"
            )
        check_normalized(poses_2d)
        if stride not in range(1, self.num_frames + 1, 2):
            raise ValueError(f"stride is {stride}: expected an odd number of at most {self.num_frames} frames")
        if look_ahead is not None and (look_ahead < 0 or stride > 1):
            raise ValueError(f"look_ahead is {look_ahead} and stride {stride}: expected 0 or more frames, and stride 1")
        if precision == "auto":
            precision = choose_precision(self, poses_2d)
        T = len(poses_2d)
        batch_size = batch_size or windows_at_once(self.num_frames)
        part_size = FRAMES_AT_ONCE // stride * stride
        predicted = poses_2d.new_empty(T, self.num_joints, 3)  # at once: many pieces would split the heap
        with evaluating(self), in_precision(self, precision):
            for start in range(0, T, part_size):
                part = predicted[start : start + part_size]
                centers = torch.arange(start + stride // 2, start + len(part) + stride // 2, stride)
                windows = window_frames(centers, T, self.num_frames, look_ahead)  # (M, F)
                first, last = int(windows.min()), int(windows.max())
                frames = poses_2d[first : last + 1]
                tokens = torch.cat([self.embed_frames(some) for some in frames.split(512)])  # (N, D)
                windows = (windows - first).to(tokens.device)
                for poses_3d, batch in zip(part.split(batch_size * stride), windows.split(batch_size), strict=True):
                    poses_3d.copy_(self._middle_poses(tokens[batch], stride)[: len(poses_3d)])
        if not predicted.isfinite().all():
            largest = poses_2d.abs().max().item()
            raise ValueError(
                f"the network gives NaN or infinite poses: its input goes up to {largest:g}, expected some 1"
            )
        return predicted

    def _middle_poses(self, tokens: Tensor, number: int) -> Tensor:
        """(B, F, D) -> (B * number, J, 3): the center frame, or the middle frames, each from its own token."""
        if number == 1:
            return self.forward_temporal(tokens)
        every = self.temporal_every_frame(tokens)[1]  # (B, F, J, 3)
        return every[:, (self.num_frames - number) // 2 :][:, :number].flatten(0, 1)

    def compile(self, *args, **kwargs) -> None:
        """As `torch.nn.Module.compile`, in place; `predict_sequence` and streams run the compiled stages, too.

        :param args: those of `torch.compile`.
        :param kwargs: those of `torch.compile`.
        """
        for stage in self.children():
            stage.compile(*args, **kwargs)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self._any_tensor().device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the weights."""
        return self._any_tensor().dtype

    def _any_tensor(self) -> Tensor:
        return next(chain(self.parameters(), self.buffers()), torch.empty(0))

    def num_parameters(self) -> int:
        """Count the weights, frozen ones included.

        :returns: Their number; buffers are not counted.
        """
        return sum(p.numel() for p in self.parameters())

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write config.json and model.safetensors, each whole or not at all.

        :param folder: made where there is none.
        :returns: The folder.
        :raises OSError: where the disk is full; it says how much room there is
        :raises ValueError: for weights that are not finite.
        """
        folder, weights = Path(folder), {name: tensor.contiguous() for name, tensor in self.state_dict().items()}
        check_weights(weights)
        with atomic_path(folder / "model.safetensors") as path:
            save_file(weights, path)
        with atomic_path(folder / "config.json") as path:
            config = {"network": type(self).__name__, "input": self.input, **self.config}
            path.write_text(json.dumps(config, indent=1) + "\n")
        return folder

    def push_to_hub(self, repo_id: str, *, revision: str | None = None, private: bool | None = None) -> str:
        """Upload what `save_pretrained` writes to Hugging Face's hub, after `huggingface-cli login`.

        :param repo_id: "name/repository", made where there is none
        :param revision: a branch
        :param private: whether it is made so.
        :returns: Its address on the hub.
        :raises huggingface_hub.errors.HfHubHTTPError: where the hub refuses, as it does without a login.
        """
        from huggingface_hub import HfApi  # only where the network is asked for

        hub = HfApi()
        hub.create_repo(repo_id, private=private, exist_ok=True)
        with TemporaryDirectory() as folder:
            return str(hub.upload_folder(repo_id=repo_id, folder_path=self.save_pretrained(folder), revision=revision))

    @classmethod
    def from_pretrained(
        cls, name_or_folder: str | Path, *, device: torch.device | str | None = None, revision: str | None = None
    ) -> "LiftingNetwork":
        """A network with its weights, in evaluation mode. Strict: every tensor must fit.

        :param name_or_folder: weights shipped with the package ("wild", "small", "lite"), a folder that save_pretrained
            wrote, or "hub:name/repository" of Hugging Face's hub, the only one for which the network is asked.
        :param device: where the weights go; by default the CPU.
        :param revision: a branch, tag or commit on the hub.
        :returns: A network of this class.
        :raises FileNotFoundError: where there are no weights
        :raises ValueError: where they are another network's, or cannot be read; it names what does not fit.
        """
        files = ("config.json", "model.safetensors")
        config_file, weights_file = (_find(str(name_or_folder), file, revision) for file in files)
        try:
            config, weights = read_json(config_file, "config"), load_file(weights_file)
            network = config.pop("network", None)
            if network != cls.__name__:
                raise ValueError(f"it holds the network {network}")
            if (shown := config.pop("input", "screen")) not in INPUTS:
                raise ValueError(f"its input is {shown!r}, expected one of {', '.join(INPUTS)}")
            check_weights(weights)
            check_sizes(cls, config, weights)
            with no_larger_than(weights):
                model = cls(**config)
            model.input = shown
            model.load_state_dict(weights, strict=True)
        except (SafetensorError, RuntimeError, TypeError, AttributeError, ArithmeticError, ValueError) as error:
            raise ValueError(f"{name_or_folder} does not hold a {cls.__name__} that can be read: {error}") from error
        return model.eval().to(device)


def check_normalized(poses_2d: Tensor) -> None:
    """Raises ValueError where half of the coordinates (..., J, 2) lie beyond 10: they are pixels."""
    if (middle := float(poses_2d.abs().median())) > 10:
        raise ValueError(
            f"half of the coordinates lie beyond {middle:.0f}: they look like pixels, and normalised screen "
            "coordinates are expected, as camera.normalize_screen makes them. PoseLifter and LiveLifter take pixels"
        )


def predict(model: LiftingNetwork, poses_2d: Tensor, skeleton: Skeleton, flip: bool = True, **options) -> Tensor:
    """Lift a sequence, with `flip` averaged with the prediction for its mirror image (section 4.2).

    :param model: the network and a sequence (T, J, 2) in normalised screen coordinates
    :param poses_2d: the network and a sequence (T, J, 2) in normalised screen coordinates
    :param skeleton: the body of the J joints, whose sides the mirror image exchanges
    :param flip: whether to average; it doubles the time
    :param options: those of `predict_sequence`.
    :returns: (T, J, 3), metres, relative to the root.
    :raises ValueError: as `predict_sequence` does, and for a skeleton of a different number of joints.
    """
    predicted = model.predict_sequence(poses_2d, **options)
    if not flip:
        return predicted
    mirrored = flip_poses(model.predict_sequence(flip_poses(poses_2d, skeleton), **options), skeleton)
    return (predicted + mirrored) / 2


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, and afterwards in the one it was in."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def saved_network(name_or_folder: str | Path, revision: str | None = None) -> str | None:
    """The name of the network that save_pretrained wrote there, or None where it is not said."""
    try:
        return read_json(_find(str(name_or_folder), "config.json", revision), "config").get("network")
    except AttributeError as error:
        raise ValueError(f"config.json of {name_or_folder} is not what save_pretrained writes: {error}") from error


def _find(name_or_folder: str, file: str, revision: str | None) -> Path:
    shipped = SHIPPED_WEIGHTS / name_or_folder
    folder = shipped if shipped.is_dir() else Path(name_or_folder)
    if (folder / file).is_file():
        return folder / file
    if (folder / "checkpoint.pt").is_file():
        raise FileNotFoundError(f"{folder} holds a training that was stopped: run it again to its end for its weights")
    if folder.is_dir():
        raise FileNotFoundError(f"{folder} has no {file}: save_pretrained writes config.json and model.safetensors")
    if not name_or_folder.startswith(HUB):
        names = ", ".join(sorted(path.name for path in SHIPPED_WEIGHTS.glob("*") if path.is_dir()))
        raise FileNotFoundError(
            f"there is no folder {name_or_folder}, and the weights that are shipped are: {names}. Those of Hugging "
            f"Face's hub are {HUB}NAME/REPOSITORY"
        )

    from huggingface_hub import hf_hub_download  # only where the network is asked for

    return Path(hf_hub_download(name_or_folder.removeprefix(HUB), file, revision=revision))


def windows_at_once(num_frames: int) -> int:
    """How many windows keep a CPU's caches and threads busy: some 2,000 frames' worth."""
    return max(1, 2048 // num_frames)


def window_indices(num_frames: int, window: int, device: torch.device | str = "cpu") -> Tensor:
    """The frames of the window around every frame; edges repeat the first and last. -> (num_frames, window)."""
    centers = torch.arange(num_frames, device=device)
    offsets = torch.arange(window, device=device) - window // 2
    return (centers[:, None] + offsets).clamp(0, num_frames - 1)


def window_frames(centers: Tensor, num_frames: int, window: int, look_ahead: int | None = None) -> Tensor:
    """The frames of the windows around some centres of a sequence.

    Where a window reaches over an end, or more than `look_ahead` frames past its centre, the last frame that it may see
    stands in for those beyond.

        >>> window_frames(torch.tensor([0, 3, 6]), num_frames=7, window=5).tolist()
        [[0, 0, 0, 1, 2], [1, 2, 3, 4, 5], [4, 5, 6, 6, 6]]
        >>> window_frames(torch.tensor([3]), num_frames=7, window=5, look_ahead=1).tolist()
        [[1, 2, 3, 4, 4]]

    :param centers: (M,) frame numbers
    :param num_frames: T of the sequence
    :param window: F, odd
    :param look_ahead: None for no limit.
    :returns: (M, window) frame numbers.
    """
    half = window // 2
    offsets = torch.arange(-half, half + 1).clamp(max=half if look_ahead is None else look_ahead)
    return (centers[:, None] + offsets).clamp(0, num_frames - 1)
