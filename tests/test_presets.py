"""The presets hold the literature's numbers, and settings that make no sense are refused."""

import pytest

from poseformer_lite.training.settings import PRESETS, Settings, compare_presets, get_preset


def test_paper_holds_the_numbers_of_section_4_2():
    preset = get_preset("paper")
    settings = preset.settings
    assert (settings.optimizer, settings.weight_decay) == ("adam", 0.1)
    assert (settings.learning_rate, settings.schedule, settings.decay) == (2e-4, "exponential", 0.98)
    assert (settings.epochs, settings.batch_size) == (130, 1024)
    assert settings.flip and settings.windows_per_epoch is None and settings.warmup_steps == 0


def test_official_holds_the_released_codes_numbers():
    settings = get_preset("official").settings
    assert (settings.optimizer, settings.weight_decay) == ("adamw", 0.1)
    assert (settings.learning_rate, settings.schedule, settings.decay) == (4e-5, "exponential", 0.99)
    assert (settings.epochs, settings.batch_size) == (200, 512)
    assert settings.flip and settings.windows_per_epoch is None and settings.warmup_steps == 0


@pytest.mark.parametrize("name", ["paper", "official"])
def test_both_build_the_papers_network(name):
    from poseformer_lite.model.poseformer import PoseFormer

    assert PoseFormer(**get_preset(name).model).num_parameters() == 9_602_885


def test_the_literature_trains_on_every_take_and_keeps_the_last_epoch():
    for name in ("paper", "official"):
        assert get_preset(name).settings.validation == 0
        assert get_preset(name).settings.select == "last"


def test_every_preset_says_where_its_numbers_come_from():
    assert all(len(preset.source) > 20 for preset in PRESETS.values())


def test_the_comparison_prints_every_difference_and_nothing_else():
    rows = {row[0]: row[1:] for row in compare_presets("paper", "official")}
    assert rows == {
        "epochs": (130, 200),
        "batch_size": (1024, 512),
        "optimizer": ("adam", "adamw"),
        "learning_rate": (2e-4, 4e-5),
        "decay": (0.98, 0.99),
    }
    assert compare_presets("paper", "paper") == []


def test_an_unknown_preset_lists_those_there_are():
    with pytest.raises(ValueError, match="'papr'.*paper, official, lite"):
        get_preset("papr")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"decay": 0}, "decay is 0"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1"),
        ({"bone_weight": -1}, "bone_weight is -1"),
        ({"warmup_steps": -1}, "warmup_steps is -1"),
        ({"windows_per_epoch": 0}, "windows_per_epoch is 0"),
        ({"windows_per_epoch": -5}, "windows_per_epoch is -5"),
        ({"validation": 1.0}, "validation is 1.0"),
        ({"validation": -0.1}, "validation is -0.1"),
        ({"optimizer": "sgd"}, "optimizer is 'sgd': choose one of adam, adamw"),
        ({"schedule": "step"}, "exponential, cosine, constant"),
        ({"select": "test"}, "last, best"),
        ({"mixed_precision": "int8"}, "auto, no, bf16, fp16"),
    ],
)
def test_settings_that_make_no_sense_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Settings(**change)
