"""Checkpoints of a training run: written whole or not at all, read without running code, with a checksum inside."""

import io
from pathlib import Path

import torch

from poseformer_lite.checked import reading
from poseformer_lite.files import atomic_path, check_archive, remove_leftovers

NAME = "checkpoint.pt"
SHOWN = 6  # differences that an error lists


def save_checkpoint(folder: Path, fingerprint: dict, state: dict) -> None:
    """Write folder/checkpoint.pt in one move: a kill or a full disk leaves the one before."""
    contents = io.BytesIO()  # given a path, torch.save reports a full disk as an error of its own, without the cause
    torch.save({"fingerprint": fingerprint, "state": state}, contents)
    with atomic_path(folder / NAME) as path:
        path.write_bytes(contents.getbuffer())


def load_checkpoint(folder: Path, fingerprint: dict, device) -> dict | None:
    """The state saved in `folder`, or None where there is none yet.

    Raises ValueError, naming every difference, where the checkpoint is of other settings, model or data, or cannot be
    read, as when a single byte is not what was written.
    """
    path = folder / NAME
    remove_leftovers(path)
    if not path.is_file():
        return None
    place = "cpu" if torch.device(device).type == "cpu" else device  # torch cannot load to "cpu:0"
    with reading(path, "checkpoint of a run", advice="nothing in it was run. Move it away to start anew"):
        check_archive(path)
        checkpoint = torch.load(path, map_location=place, weights_only=True)
        saved = {part: dict(values) for part, values in checkpoint["fingerprint"].items()}
        state = dict(checkpoint["state"])
    differences = _differences(saved, fingerprint)
    if differences:
        more = f"; and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        raise ValueError(
            f"{folder} holds another run ({'; '.join(differences[:SHOWN])}{more}): choose another output folder, or "
            "the same settings, model and data"
        )
    return state


def _differences(there: dict[str, dict], here: dict[str, dict]) -> list[str]:
    return [
        f"{part} {key}: {there.get(part, {}).get(key)} there, {values.get(key)} here"
        for part, values in here.items()
        for key in {**values, **there.get(part, {})}
        if there.get(part, {}).get(key) != values.get(key)
    ]
