"""Checkpoints of a training run: written whole or not at all, read without running code."""

from pathlib import Path

import torch

from poseformer_lite.files import atomic_path

NAME = "checkpoint.pt"


def save_checkpoint(folder: Path, fingerprint: dict, state: dict) -> None:
    """Write folder/checkpoint.pt in one move: a kill or a full disk leaves the one before."""
    with atomic_path(folder / NAME) as path:
        torch.save({"fingerprint": fingerprint, "state": state}, path)


def load_checkpoint(folder: Path, fingerprint: dict, device) -> dict | None:
    """The state saved in `folder`, or None where there is none yet.

    Raises ValueError, naming every difference, where the checkpoint is of other settings, another model or other data,
    or cannot be read.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        checkpoint = torch.load(path, map_location=device, weights_only=True)
        saved, state = checkpoint["fingerprint"], checkpoint["state"]
    except Exception as error:  # torch reports a bad file in many ways; each means that it cannot be read
        raise ValueError(
            f"{path} is not a readable checkpoint of a run ({error}): move it away to start anew"
        ) from error
    differences = [
        f"{part} {key}: {saved.get(part, {}).get(key)} there, {value} here"
        for part, values in fingerprint.items()
        for key, value in values.items()
        if saved.get(part, {}).get(key) != value
    ]
    if differences:
        shown = "; ".join(d if len(d) < 200 else d[:197] + "…" for d in differences)
        raise ValueError(f"{folder} holds another run ({shown}): choose another output folder, or the same settings")
    return state
