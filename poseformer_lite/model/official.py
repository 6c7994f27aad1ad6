"""The authors' checkpoints: read strictly and without running code, and written.

A file of the released code is {epoch, lr, random_state, optimizer, model_pos}; only model_pos is wanted. random_state
is a pickled numpy generator, which a safe reader refuses, so the pickle is read with that one class replaced by an
inert stand-in: nothing of it is ever built.
"""

import re
import zipfile
from pathlib import Path

import torch
from torch import Tensor

from poseformer_lite.checked import ADVICE, reading
from poseformer_lite.files import check_archive
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.model.weights import check_weights, no_larger_than

# Ours on the left, the authors' on the right; {i} counts layers.
_NAMES = (
    (r"spatial\.patch_embedding\.", "Spatial_patch_to_embedding."),
    (r"spatial\.position_embedding", "Spatial_pos_embed"),
    (r"spatial\.encoder\.blocks\.", "Spatial_blocks."),
    (r"spatial\.encoder\.norm\.", "Spatial_norm."),
    (r"temporal\.position_embedding", "Temporal_pos_embed"),
    (r"temporal\.encoder\.blocks\.", "blocks."),
    (r"temporal\.encoder\.norm\.", "Temporal_norm."),
    (r"head\.weighted_mean\.", "weighted_mean."),
    (r"head\.norm\.", "head.0."),
    (r"head\.linear\.", "head.1."),
)

WEIGHTS_NAMES = ("model_pos", "state_dict", "model_state_dict", "model")


class _Inert:
    """Takes the place of every class that a checkpoint holds besides tensors; keeps nothing, does nothing."""

    def __init__(self, *arguments):
        pass

    def __setstate__(self, state):
        pass


_INERT_CLASSES = [
    (_Inert, name)
    for name in (
        "numpy.ndarray",
        "numpy.dtype",
        "numpy.core.multiarray._reconstruct",
        "numpy._core.multiarray._reconstruct",
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        "numpy.random._pickle.__randomstate_ctor",
        "numpy.random._pickle.__bit_generator_ctor",
        "numpy.random._mt19937.MT19937",
        "_codecs.encode",
    )
]


def official_state_dict(model: PoseFormer) -> dict[str, Tensor]:
    """The model's weights under the names of the authors' code, as its model_pos holds them.

    :param model: of any sizes; the authors' code has as many layers in both stages.
    :returns: {name: tensor}; the tensors are the model's own, not copies.
    :raises KeyError: for a subclass with weights that the authors' network lacks.
    """
    return {_official_name(name): tensor for name, tensor in model.state_dict().items()}


def _official_name(name: str) -> str:
    for ours, theirs in _NAMES:
        name, changed = re.subn(f"^{ours}", theirs, name)
        if changed:
            return name
    raise KeyError(name)


def load_official(source: str | Path | dict[str, Tensor], num_heads: int = 8) -> PoseFormer:
    """A PoseFormer with the weights of a checkpoint of the authors' code, read without running code in it.

    :param source: a file, or a state dict, of their names or ours, with or without "module." or "_orig_mod." before its
        keys; it tells all sizes but one
    :param num_heads: it is not in the file, and a wrong one gives wrong poses without an error.
    :returns: The network, in evaluation mode.
    :raises FileNotFoundError: where there is no file
    :raises ValueError: where it holds something else; it names the missing, surplus or misshapen keys
    :raises KeyError: where it holds our own names and a weight that the authors' network lacks.
    """
    where = "the state dict" if isinstance(source, dict) else str(source)
    weights = source if isinstance(source, dict) else _read_model_pos(Path(source))
    weights = {re.sub(r"^((module|_orig_mod)\.)+", "", str(name)): tensor for name, tensor in weights.items()}
    if "spatial.position_embedding" in weights:  # our own state_dict()
        weights = {_official_name(name): tensor for name, tensor in weights.items()}
    needed = ("Spatial_pos_embed", "Temporal_pos_embed")
    if any(name not in weights or weights[name].ndim != 3 for name in needed):
        raise ValueError(
            f"{where} is not a PoseFormer of the authors' code: it has no {' and '.join(needed)} of three dimensions, "
            f"but {', '.join(list(weights)[:4])}, …"
        )
    if "weighted_mean.weight" not in weights:
        raise ValueError(
            f"{where} has no weighted_mean: it is the frame-to-frame network of the demo, which gives a pose for every "
            "frame of its window, and not the network of the paper. Use a checkpoint trained by run_poseformer.py"
        )
    depths = _depth(weights, "Spatial_blocks"), _depth(weights, "blocks")
    if depths[0] != depths[1]:
        raise ValueError(
            f"{where} has {depths[0]} layers in Spatial_blocks and {depths[1]} in blocks, but the authors' networks "
            "have as many in both: layers are missing"
        )
    try:
        check_weights(weights)
    except ValueError as error:
        raise ValueError(f"{where} cannot be used: {error}") from None
    _, num_joints, spatial_dim = weights["Spatial_pos_embed"].shape
    hidden = weights.get("Spatial_blocks.0.mlp.fc1.weight")
    with no_larger_than(weights):
        model = PoseFormer(
            num_frames=weights["Temporal_pos_embed"].shape[1],
            num_joints=num_joints,
            spatial_dim=spatial_dim,
            spatial_depth=depths[0],
            temporal_depth=depths[1],
            num_heads=num_heads,
            mlp_ratio=2.0 if hidden is None else len(hidden) / spatial_dim,
        )
    _load_strictly(model, weights, where)
    return model.eval()


def _depth(weights: dict[str, Tensor], stack: str) -> int:
    return len({match[1] for name in weights if (match := re.match(rf"{stack}\.(\d+)\.", name))})


def _load_strictly(model: PoseFormer, weights: dict[str, Tensor], where: str) -> None:
    expected = {_official_name(name): name for name in model.state_dict()}
    shapes = {theirs: model.state_dict()[ours].shape for theirs, ours in expected.items()}
    faults = [f"missing {name}" for name in expected if name not in weights]
    faults += [f"surplus {name}" for name in weights if name not in expected]
    faults += [
        f"{name} is {tuple(weights[name].shape)}, expected {tuple(shape)}"
        for name, shape in shapes.items()
        if name in weights and weights[name].shape != shape
    ]
    if faults:
        more = f" and {len(faults) - 8} more" if len(faults) > 8 else ""
        raise ValueError(f"{where} does not fit PoseFormer: {'; '.join(faults[:8])}{more}")
    model.load_state_dict({expected[name]: tensor for name, tensor in weights.items()}, strict=True)


def _read_model_pos(path: Path) -> dict[str, Tensor]:
    with reading(path, "checkpoint", advice=f"what asks for more than weights is refused and was not run; {ADVICE}"):
        if zipfile.is_zipfile(path):
            check_archive(path)
        with torch.serialization.safe_globals(_INERT_CLASSES):
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    weights = checkpoint
    for name in WEIGHTS_NAMES:  # of those that savers give to the weights
        weights = weights[name] if isinstance(weights, dict) and name in weights else weights
    named = isinstance(weights, dict) and all(isinstance(name, str) for name in weights)
    if not weights or not named or not all(isinstance(tensor, Tensor) for tensor in weights.values()):
        held = ", ".join(map(str, checkpoint)) if isinstance(checkpoint, dict) else type(checkpoint).__name__
        if held == "fingerprint, state":
            raise ValueError(f"{path} is a training that was stopped: run it to its end, and give {path.parent}")
        raise ValueError(f"{path} has no model_pos with the weights of a network: it holds {held}")
    return dict(weights)
