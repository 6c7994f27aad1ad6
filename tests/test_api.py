"""The public face: what somebody who knows PyTorch and Hugging Face tries first."""

import dataclasses
import importlib
import pkgutil
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers_data import small_model, tiny_dataset

import poseformer_lite as pfl
from poseformer_course.prior_work import NETWORKS
from poseformer_lite.model.heads import AttentionMaps
from poseformer_lite.training import get_preset

ROOT = Path(pfl.__file__).parent.parent
QUICK = {"epochs": 1, "batch_size": 64, "windows_per_epoch": 64, "validation": 0.0}


def poses(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


# Settings


def test_train_takes_a_preset_s_name_or_settings():
    settings = replace(get_preset("lite").settings, **QUICK)
    runs = [
        pfl.train(small_model(), tiny_dataset(), settings, progress=False),
        pfl.train(small_model(), tiny_dataset(), "lite", progress=False, **QUICK),
        pfl.train(small_model(), tiny_dataset(), preset="lite", progress=False, **QUICK),
        pfl.train(small_model(), tiny_dataset(), replace(settings, epochs=7), progress=False, epochs=1),
    ]
    assert {run.settings for run in runs} == {settings}
    assert len({run.history[0]["train_mm"] for run in runs}) == 1


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("lr", "no setting 'lr': did you mean learning_rate?"),
        ("learning_rat", "no setting 'learning_rat': did you mean learning_rate?"),
        ("num_epochs", "did you mean epochs?"),
        ("zzz", "no setting 'zzz': there are epochs, batch_size, optimizer,"),
    ],
)
def test_an_unknown_setting_is_answered_with_the_one_that_exists(wrong, says):
    with pytest.raises(ValueError, match=says.replace("?", r"\?")):
        pfl.train(small_model(), tiny_dataset(), "lite", **{wrong: 1e-3})


# Networks


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_knows_its_device_and_type_and_its_arguments(name):
    model = NETWORKS[name].sized_like({**get_preset("lite").model, "num_joints": 17})
    assert (model.device, model.dtype) == (torch.device("cpu"), torch.float32)
    assert model.double().dtype == torch.float64
    assert type(model)(**model.config).config == model.config


def test_a_local_of_a_constructor_is_no_argument():
    class Odd(pfl.PoseFormer):
        def __init__(self, num_frames: int = 3):
            aside = 8
            super().__init__(num_frames, spatial_dim=aside, num_heads=2)

    assert Odd(5).config == {"num_frames": 5}


def test_the_forward_of_poseformer_is_its_two_halves():
    model = small_model(num_frames=9).eval()
    windows = torch.randn(4, 9, 17, 2)
    with torch.no_grad():
        halves = model.forward_temporal(model.embed_frames(windows.flatten(0, 1)).unflatten(0, (4, 9)))
        assert torch.equal(model(windows), halves)
        assert torch.equal(model.forward_every_frame(windows)[0], halves)


def test_a_number_is_no_sequence():
    with pytest.raises(ValueError, match=r"poses_2d is \(\), expected \(T, 17, 2\)"):
        small_model().predict_sequence(torch.tensor(1.0))


def test_load_network_finds_the_class_and_puts_it_on_a_device():
    model = pfl.load_network("course-temporal", device="meta")
    assert isinstance(model, pfl.TemporalTransformerBaseline) and model.device.type == "meta"


def test_a_revision_is_asked_of_the_hub_and_of_nothing_else(monkeypatch):
    import huggingface_hub

    folder = pfl.model.base.SHIPPED_WEIGHTS / "lite"
    asked = []
    monkeypatch.setattr(
        huggingface_hub, "hf_hub_download", lambda name, file, revision: asked.append((name, revision)) or folder / file
    )
    pfl.PoseFormer.from_pretrained("hub:somebody/network", revision="v2")
    with pytest.raises(FileNotFoundError, match="there is no folder runs/typo.*hub:NAME/REPOSITORY"):
        pfl.PoseFormer.from_pretrained("runs/typo")
    pfl.PoseFormer.from_pretrained("lite", revision="v2")
    assert asked == [("somebody/network", "v2")] * 2


def test_push_to_hub_uploads_what_save_pretrained_writes(monkeypatch):
    import huggingface_hub

    done = []

    class Hub:
        def create_repo(self, repo_id, private, exist_ok):
            done.append((repo_id, private, exist_ok))

        def upload_folder(self, repo_id, folder_path, revision):
            done.append((repo_id, sorted(path.name for path in folder_path.iterdir()), revision))
            return "where it is"

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    assert small_model().push_to_hub("me/mine", revision="main", private=True) == "where it is"
    assert done == [("me/mine", True, True), ("me/mine", ["config.json", "model.safetensors"], "main")]


# Values


@pytest.mark.parametrize("metric", ["mpjpe", "p_mpjpe", "n_mpjpe", "mpjve", "pck", "auc"])
def test_metrics_take_arrays_as_well_as_tensors(metric):
    predicted, target = poses(5, 17, 3), poses(2, 5, 17, 3)[1]
    measure = getattr(pfl.metrics, metric)
    assert torch.equal(measure(predicted, target), measure(torch.from_numpy(predicted), torch.from_numpy(target)))


def holders() -> list[type]:
    """Every dataclass of the package with a field that holds arrays or tensors."""
    found = set()
    for module in pkgutil.walk_packages(pfl.__path__, "poseformer_lite."):
        if module.name.endswith("__main__"):
            continue
        try:
            members = vars(importlib.import_module(module.name)).values()
        except ImportError:  # of an extra that is not installed
            continue
        found |= {kind for kind in members if isinstance(kind, type) and dataclasses.is_dataclass(kind)}
    arrays = ("ndarray", "Tensor")
    return sorted(
        (k for k in found if any(a in str(field.type) for field in dataclasses.fields(k) for a in arrays)),
        key=lambda kind: kind.__name__,
    )


def test_what_holds_arrays_compares_without_an_exception():
    assert {"Motion", "Take", "PoseSequence", "AttentionMaps"} <= {kind.__name__ for kind in holders()}
    assert [kind.__name__ for kind in holders() if kind.__eq__ is not object.__eq__] == []
    maps = [AttentionMaps(None, torch.zeros(2)) for _ in range(2)]
    motions = [pfl.Motion(poses(4, 17, 3), poses(4, 17, 2), 50.0, 10, 10) for _ in range(2)]
    assert maps[0] == maps[0] != maps[1] and motions[0] == motions[0] != motions[1]
    assert len({*maps, *motions}) == 4


# What the pages call it


def exists(name: str) -> bool:
    """Whether model.heads.attention_maps is there, in the engine or in the course."""
    for package in ("poseformer_lite", "poseformer_course"):
        parts = name.split(".")
        for depth in range(len(parts), 0, -1):
            try:
                found = importlib.import_module(".".join([package, *parts[:depth]]))
            except ImportError:
                continue
            for part in parts[depth:]:
                found = getattr(found, part, None)
            if found is not None:
                return True
    return False


def test_the_code_that_the_page_on_the_paper_names_is_there():
    page = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
    rooms = "|".join(path.stem for package in ("lite", "course") for path in (ROOT / f"poseformer_{package}").iterdir())
    named = set(re.findall(rf"`((?:{rooms})\.[\w.]*\w)", page))
    assert len(named) >= 6
    assert [name for name in sorted(named) if not exists(name)] == []
