"""What our speed is measured against: PoseFormer written straight from the equations, and the user's released code."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor

from poseformer_lite.model.base import window_indices
from poseformer_lite.model.encoder import EncoderBlock, StochasticDepth, TransformerEncoder
from poseformer_lite.model.official import official_state_dict
from poseformer_lite.model.poseformer import PoseFormer


def plain_forward(model: PoseFormer, windows: Tensor) -> Tensor:
    """Section 3.2 with nothing fused and nothing shared, with the model's own weights: (B, F, J, 2) -> (B, J, 3)."""
    B, F_, J, _ = windows.shape
    x = model.spatial.patch_embedding(windows.reshape(B * F_, J, 2)) + model.spatial.position_embedding
    x = _encoder(model.spatial.encoder, x).reshape(B, F_, -1)
    return model.head(_encoder(model.temporal.encoder, x + model.temporal.position_embedding))


def plain_lift(model: PoseFormer, poses_2d: Tensor, batch_size: int | None = None, forward=None) -> Tensor:
    """(T, J, 2) -> (T, J, 3), a whole window around every frame; in one batch, as the released evaluation does it."""
    windows = window_indices(len(poses_2d), model.num_frames, poses_2d.device)
    forward = forward or (lambda batch: plain_forward(model, batch))
    return torch.cat([forward(poses_2d[batch]) for batch in windows.split(batch_size or len(windows))])


def _encoder(encoder: TransformerEncoder, x: Tensor) -> Tensor:
    for block in encoder.blocks:
        x = x + block.drop_path(_attention(block, block.norm1(x)))
        x = x + block.drop_path(block.mlp.fc2(F.gelu(block.mlp.fc1(block.norm2(x)))))
    return encoder.norm(x)


def _attention(block: EncoderBlock, x: Tensor) -> Tensor:
    B, N, C = x.shape
    H = block.attn.num_heads
    q, k, v = block.attn.qkv(x).reshape(B, N, 3, H, C // H).permute(2, 0, 3, 1, 4)
    rows = (q @ k.transpose(-2, -1) * (C // H) ** -0.5).softmax(dim=-1)  # (B, H, N, N), kept whole
    return block.attn.proj((rows @ v).transpose(1, 2).reshape(B, N, C))


@contextmanager
def _timm_as_it_was() -> Iterator[None]:
    """Until the block ends, the modules of timm that the released code imports, which timm has since moved or dropped.

    Of what it takes from them it uses the stochastic depth alone.
    """
    names = {
        "timm": (),
        "timm.data": ("IMAGENET_DEFAULT_MEAN", "IMAGENET_DEFAULT_STD"),
        "timm.models": (),
        "timm.models.helpers": ("load_pretrained",),
        "timm.models.layers": ("DropPath", "to_2tuple", "trunc_normal_"),
        "timm.models.registry": ("register_model",),
    }
    installed = {name: sys.modules.get(name) for name in names}
    for name, contents in names.items():
        sys.modules[name] = ModuleType(name)
        vars(sys.modules[name]).update(dict.fromkeys(contents))
    sys.modules["timm.models.layers"].DropPath = StochasticDepth
    try:
        yield
    finally:
        for name, module in installed.items():
            sys.modules.pop(name)
            if module:
                sys.modules[name] = module


def official_network(clone: Path, model: PoseFormer) -> torch.nn.Module:
    """The released network out of the user's own clone, with the weights of `model`: (B, F, J, 2) -> (B, 1, J, 3).

    Runs common/model_poseformer.py of the clone, which wants einops. Raises ValueError where it cannot.
    """
    file = clone / "common" / "model_poseformer.py"
    if not file.is_file():
        raise ValueError(f"{clone} has no common/model_poseformer.py: give the folder of a clone of PoseFormer")
    specification = importlib.util.spec_from_file_location("released_poseformer", file)
    module = importlib.util.module_from_spec(specification)
    try:
        with _timm_as_it_was():
            specification.loader.exec_module(module)
    except ImportError as error:
        raise ValueError(f"the released code cannot be imported: {error}; pip install einops") from error
    config = model.config
    network = module.PoseTransformer(
        num_frame=config["num_frames"],
        num_joints=config["num_joints"],
        in_chans=2,
        embed_dim_ratio=config["spatial_dim"],
        depth=config["spatial_depth"],
        num_heads=config["num_heads"],
        mlp_ratio=config["mlp_ratio"],
        qkv_bias=True,
        qk_scale=None,
        drop_path_rate=config["drop_path"],
    )
    network.load_state_dict(official_state_dict(model), strict=True)
    return network.to(model.device).eval()
