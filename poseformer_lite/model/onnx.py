"""A network as one ONNX file, to be run where torch is not installed."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from poseformer_lite.files import atomic_path, check_output
from poseformer_lite.model.base import LiftingNetwork, evaluating
from poseformer_lite.model.weights import check_weights


def export_onnx(model: LiftingNetwork, path: str | Path) -> Path:
    """Write a network as one ONNX file, weights included, in the weights' type and in evaluation mode.

    The file takes poses_2d (B, F, J, 2), any B, and gives pose_3d (B, J, 3), as `LiftingNetwork.forward` does; its
    metadata holds the network's name, its arguments as JSON, and the input that it wants: "screen", keypoints as
    `camera.normalize_screen` makes them, or "canonical", those of `canonical.canonical_view`. With the former
    `scripts/lift_with_onnx.py` lifts without torch.

    :param model: a trained network
    :param path: where to write, .onnx.
    :returns: The path.
    :raises ValueError: for a network without weights, and where the packages of the extra `onnx` are missing
    :raises OSError: where the disk is full.
    """
    try:
        import onnxscript  # noqa: F401, of torch's exporter
    except ImportError as error:
        raise ValueError("onnx and onnxscript are not installed: pip install 'poseformer-lite[onnx]'") from error
    path = Path(path)
    check_output(path, size=sum(tensor.nbytes for tensor in model.state_dict().values()))
    check_weights(model.state_dict())
    if not model.num_parameters():
        raise ValueError(f"{type(model).__name__} has no weights and looks at nothing: export a trained network")
    windows = torch.zeros(2, model.num_frames, model.num_joints, 2, dtype=model.dtype, device=model.device)
    with evaluating(model), warnings.catch_warnings(action="ignore"), _errors_only("torch.onnx"):
        program = torch.onnx.export(
            model,
            (windows,),
            dynamo=True,
            input_names=["poses_2d"],
            output_names=["pose_3d"],
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            verbose=False,
        )
    program.model.metadata_props.update(
        network=type(model).__name__, input=model.input, config=json.dumps(model.config)
    )
    with atomic_path(path) as part:
        program.save(part, external_data=False)
    return path


@contextmanager
def _errors_only(name: str) -> Iterator[None]:
    """A logger that is quiet for a while: torch's exporter lists packages that have nothing to do with ours."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
