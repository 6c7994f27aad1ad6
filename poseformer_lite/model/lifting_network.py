"""What PoseFormer and its baseline share: each frame is embedded alone, then a window of frames gives one pose."""

from pathlib import Path

import torch
from huggingface_hub import PyTorchModelHubMixin
from safetensors import SafetensorError
from torch import Tensor, nn

SHIPPED_WEIGHTS = Path(__file__).parents[1] / "weights"


class LiftingNetwork(nn.Module, PyTorchModelHubMixin):
    """(B, F, J, 2) normalised screen coordinates -> (B, J, 3) metres: the root-relative pose of the centre frame.

    A subclass defines `embed_frames`, which sees one frame at a time, and `join_frames`, which sees a window of them.
    That split is what makes long sequences cheap: `predict_sequence` embeds every frame once, not once per window.
    """

    def __init__(self, num_frames: int, num_joints: int):
        super().__init__()
        if num_frames < 1 or num_frames % 2 == 0:
            raise ValueError(f"num_frames is {num_frames}: a window needs an odd number, to have a centre frame")
        self.num_frames = num_frames
        self.num_joints = num_joints

    def embed_frames(self, poses_2d: Tensor) -> Tensor:
        """(N, J, 2) -> (N, D), each frame by itself."""
        raise NotImplementedError

    def join_frames(self, tokens: Tensor) -> Tensor:
        """(B, F, D) -> (B, J, 3), the centre frame."""
        raise NotImplementedError

    def forward(self, poses_2d: Tensor) -> Tensor:
        """(B, F, J, 2) -> (B, J, 3)."""
        self._check_window(poses_2d)
        B, F = poses_2d.shape[:2]
        tokens = self.embed_frames(poses_2d.flatten(0, 1)).unflatten(0, (B, F))  # (B, F, D)
        return self.join_frames(tokens)  # (B, J, 3)

    @torch.inference_mode()
    def predict_sequence(self, poses_2d: Tensor, batch_size: int | None = None) -> Tensor:
        """Lift a whole sequence: (T, J, 2) -> (T, J, 3), one pose per frame, any T of 1 or more.

        Equal to a window around every frame with the edge frames repeated, but the spatial stage runs once per frame.
        batch_size bounds the windows in flight, and so the memory: by default some 2,000 frames' worth. The model is
        put into evaluation mode for the call.
        """
        if poses_2d.ndim != 3 or poses_2d.shape[1:] != (self.num_joints, 2) or len(poses_2d) == 0:
            raise ValueError(
                f"poses_2d is {tuple(poses_2d.shape)}, expected (T, {self.num_joints}, 2) with T of 1 or more: "
                "one sequence in normalised screen coordinates"
            )
        training = self.training
        self.eval()
        try:
            tokens = torch.cat([self.embed_frames(chunk) for chunk in poses_2d.split(512)])  # (T, D)
            windows = window_indices(len(tokens), self.num_frames, tokens.device)  # (T, F)
            batch_size = batch_size or max(1, 2048 // self.num_frames)
            return torch.cat([self.join_frames(tokens[batch]) for batch in windows.split(batch_size)])
        finally:
            self.train(training)

    def _check_window(self, poses_2d: Tensor) -> None:
        if poses_2d.ndim != 4 or poses_2d.shape[1:] != (self.num_frames, self.num_joints, 2):
            raise ValueError(
                f"poses_2d is {tuple(poses_2d.shape)}, expected (B, {self.num_frames}, {self.num_joints}, 2): windows "
                f"of {self.num_frames} frames; for a whole sequence (T, {self.num_joints}, 2) use predict_sequence"
            )

    def num_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())

    @classmethod
    def from_pretrained(cls, name_or_folder: str | Path, **kwargs):
        """Weights shipped with the package ("lite"), a folder that save_pretrained wrote, or a Hugging Face name.

        Strict: every tensor must fit. Raises ValueError where the folder holds another network.
        """
        shipped = SHIPPED_WEIGHTS / str(name_or_folder)
        folder = shipped if shipped.is_dir() else Path(name_or_folder)
        if folder.is_dir():
            missing = [name for name in ("config.json", "model.safetensors") if not (folder / name).is_file()]
            if missing:
                raise FileNotFoundError(f"{folder} has no {' and no '.join(missing)}: save_pretrained writes both")
        try:
            return super().from_pretrained(
                str(folder) if folder.is_dir() else str(name_or_folder), strict=True, **kwargs
            )
        except (RuntimeError, SafetensorError, TypeError, AttributeError, ValueError) as error:  # tensors, then config
            raise ValueError(f"{name_or_folder} does not hold a {cls.__name__} that can be read: {error}") from error


def window_indices(num_frames: int, window: int, device: torch.device | str = "cpu") -> Tensor:
    """The frames of the window around every frame; edges repeat the first and last. -> (num_frames, window)."""
    centers = torch.arange(num_frames, device=device)
    offsets = torch.arange(window, device=device) - window // 2
    return (centers[:, None] + offsets).clamp(0, num_frames - 1)
