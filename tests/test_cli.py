"""The command line: every command on a tiny dataset, and every mistake answered in a sentence."""

import json
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from helpers_data import SMALL, small_model, tiny_dataset
from typer.testing import CliRunner

from poseformer_lite.cli import app, main
from poseformer_lite.datasets import videopose3d
from poseformer_lite.datasets.sources import human36m
from poseformer_lite.formats.articulated import forward_kinematics
from poseformer_lite.formats.bvh import read_bvh
from poseformer_lite.model.official import official_state_dict
from poseformer_lite.skeleton import H36M17
from poseformer_lite.training import settings as presets
from poseformer_lite.training.settings import PRESETS, Preset, Settings


@pytest.fixture(scope="module")
def h36m(tmp_path_factory) -> Path:
    """A folder in the layout of Human3.6M, with S1 and S5 to train on and S9 to test on."""
    folder = tmp_path_factory.mktemp("h36m")
    videopose3d.write(tiny_dataset(), folder, "h36m")
    return folder


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    small_model(num_frames=9).save_pretrained(folder)
    return folder


@pytest.fixture
def video(tmp_path) -> Path:
    keypoints = tiny_dataset(num_frames=20).sequences[0].keypoints
    path = tmp_path / "video.npz"
    np.savez(path, keypoints=keypoints, width=1000, height=800, fps=25.0, layout="h36m17")
    return path


@pytest.fixture
def tiny_preset(monkeypatch):
    settings = Settings(batch_size=64, windows_per_epoch=128, validation=0.25)
    monkeypatch.setitem(PRESETS, "lite", Preset("the tests' own", SMALL, settings))


def run(*arguments) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_train_prints_data_network_and_table_and_leaves_weights(h36m, tmp_path, tiny_preset):
    shown = run("train", "human36m", "--root", h36m, "--epochs", 2, "--output", tmp_path / "run")
    assert "'human36m', 12 sequences" in shown and "train on S1, S5; test on S9" in shown
    assert f"PoseFormer with {small_model().num_parameters():,} parameters" in shown
    assert "TrainingRun(2 epochs" in shown and "25% of the training takes held out; weights of the last epoch" in shown
    assert "P-MPJPE" in shown and "Walking" in shown and "WalkDog" in shown and "Frame average" in shown
    assert {"checkpoint.pt", "model.safetensors", "history.csv"} <= {p.name for p in (tmp_path / "run").iterdir()}

    again = run("train", "human36m", "--root", h36m, "--epochs", 2, "--output", tmp_path / "run")
    assert "Going on from" in again  # and is finished at once
    assert shown.split("MPJPE")[1:] == again.split("MPJPE")[1:]

    evaluated = run("evaluate", tmp_path / "run", "human36m", "--root", h36m)
    assert shown.split("MPJPE")[1:] == evaluated.split("MPJPE")[1:]


def test_train_without_validation_says_so(h36m, tmp_path, tiny_preset):
    arguments = "--epochs", 1, "--validation", 0, "--output", tmp_path / "run"
    assert "Validation: none" in run("train", "human36m", "--root", h36m, *arguments)


def test_train_takes_its_settings_from_the_options(h36m, tmp_path, tiny_preset):
    options = ["--epochs", 1, "--batch-size", 32, "--learning-rate", 0.002, "--seed", 3, "--num-frames", 5]
    run("train", "human36m", "--root", h36m, "--output", tmp_path, *options)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["num_frames"] == 5
    import torch

    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["fingerprint"]["settings"]
    assert (saved["epochs"], saved["batch_size"], saved["learning_rate"], saved["seed"]) == (1, 32, 0.002, 3)


def test_train_on_other_subjects_and_from_weights_that_there_are(h36m, weights, tmp_path, tiny_preset):
    options = ["--test-subjects", "S1,S9", "--weights", weights, "--epochs", 1, "--learning-rate", 1e-9]
    shown = run("train", "human36m", "--root", h36m, "--output", tmp_path / "run", *options)
    assert "train on S5; test on S1, S9" in shown
    from poseformer_lite.model import load_network

    before, after = (load_network(folder).state_dict() for folder in (weights, tmp_path / "run"))
    assert all((after[name] - before[name]).abs().max() < 1e-5 for name in before)


def test_train_the_baseline(h36m, tmp_path, tiny_preset):
    arguments = "--network", "baseline", "--epochs", 1, "--output", tmp_path
    assert "TemporalTransformerBaseline with " in run("train", "human36m", "--root", h36m, *arguments)


def test_evaluate_prints_a_table_and_says_how_it_was_measured(h36m, weights):
    shown = run("evaluate", weights, "human36m", "--root", h36m, "--no-flip", "--zero-root")
    assert "flip averaged: no, predicted root: set to zero" in shown
    markdown = run("evaluate", weights, "human36m", "--root", h36m, "--markdown")
    assert markdown.splitlines()[0] == "| mm | Walking | WalkDog | Average | Frame average |"
    assert len(markdown.splitlines()) == 6


def test_evaluate_an_official_checkpoint(h36m, tmp_path):
    import torch

    model = small_model(num_frames=9, spatial_dim=16, num_heads=8)
    torch.save({"model_pos": official_state_dict(model)}, tmp_path / "official.bin")
    model.save_pretrained(tmp_path)
    official = run("evaluate", tmp_path / "official.bin", "human36m", "--root", h36m)
    assert official == run("evaluate", tmp_path, "human36m", "--root", h36m)


def test_lift_writes_a_motion_and_a_picture(video, weights, tmp_path):
    picture = tmp_path / "frames.png"
    shown = run("lift", video, "--weights", weights, "-o", tmp_path / "motion.npz", "--picture", picture)
    assert "Motion(20 frames at 25 Hz, 0.8 s) of video.npz written to" in shown
    with np.load(tmp_path / "motion.npz") as motion:
        assert motion["poses_3d"].shape == (20, 17, 3)
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 20_000


def test_lift_writes_one_of_each_kind_into_a_folder(video, weights, tmp_path):
    shown = run("lift", video, "--weights", weights, "-o", tmp_path / "out", "--constant-bones", "--smooth", 0.2)
    names = {f"motion.{kind}" for kind in ("npz", "csv", "bvh", "glb", "gif", "html")}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names and shown.count("written to") == 6
    lengths = H36M17.bone_lengths(np.load(tmp_path / "out" / "motion.npz")["poses_3d"])
    assert lengths.std(axis=0).max() < 1e-5 < lengths.mean()


def test_lift_puts_the_motion_into_the_world_or_leaves_it(video, weights, tmp_path):
    def written(*options) -> tuple[str, np.ndarray]:
        shown = run("lift", video, "--weights", weights, "-o", tmp_path / "motion.bvh", *options)
        return shown, forward_kinematics(read_bvh(tmp_path / "motion.bvh"))[0]

    shown, world = written("--focal-length", 1234, "--body-height", 1.8)
    assert "has a focal length of 1234 pixels" in shown
    _, small = written("--focal-length", 1234, "--body-height", 0.9)
    lengths = [np.linalg.norm(np.diff(joints[0, 1:4], axis=0), axis=-1) for joints in (world, small)]
    np.testing.assert_allclose(lengths[0], 2 * lengths[1], rtol=1e-3)
    shown, seen = written("--camera-frame")
    assert "focal length" not in shown
    assert np.ptp(seen[:, 0, [0, 2]], axis=0).max() < 1e-6 < np.ptp(world[:, 0, [0, 2]], axis=0).max()


def test_lift_is_told_what_a_file_does_not_say(weights, tmp_path):
    keypoints = np.random.default_rng(0).uniform(0, 700, (5, 33, 3))
    keypoints[:, :11, :2] = 350  # a face's joints are near each other
    np.save(tmp_path / "video.npy", keypoints)
    options = ["--width", 1280, "--height", 720, "--fps", 30, "-o", tmp_path / "motion.json"]
    run("lift", tmp_path / "video.npy", "--weights", weights, *options)  # 33 joints can only be MediaPipe's
    assert np.shape(json.loads((tmp_path / "motion.json").read_text())["poses_3d"]) == (5, 17, 3)


def test_lift_says_what_looks_misread(video, weights, tmp_path):
    arguments = ["lift", video, "--weights", weights, "-o", tmp_path / "motion.npz", "--width", 450, "--as-given"]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0 and "note: " in result.stderr and "a picture of 450 x 800" in result.stderr


def test_convert_writes_what_human36m_reads(h36m, tmp_path):
    shown = run("convert", "human36m", "--root", h36m, "-o", tmp_path)
    assert shown.count(" MB") == 3
    before, after = human36m.load(h36m), human36m.load(tmp_path)
    assert len(before) == len(after) == 12
    for a, b in zip(before.sequences, after.sequences, strict=True):
        assert a.name == b.name
        np.testing.assert_allclose(a.keypoints, b.keypoints, atol=1e-3)
        np.testing.assert_allclose(a.poses_3d, b.poses_3d, atol=1e-5)


def test_convert_says_where_the_fields_codes_do_not_know_the_cameras(tmp_path):
    result = CliRunner().invoke(app, ["convert", "real", "-o", str(tmp_path)], catch_exceptions=False)
    assert "the field's codes know Human3.6M's cameras alone" in result.stderr and result.stdout.count(" MB") == 3


def test_presets_prints_every_difference():
    shown = run("presets")
    for row in presets.compare_presets():
        (line,) = [line for line in shown.splitlines() if line.split()[0] == row[0]]
        assert line.split()[1:] == [str(value) for value in row[1:]]
    assert all(f"{name}: {preset.source}" in shown for name, preset in PRESETS.items())


def test_doctor_prints_a_line_for_each_finding_and_fails_if_there_is_something_to_do(h36m, monkeypatch):
    from poseformer_course import doctor

    monkeypatch.setattr(doctor, "_weights", lambda: doctor.Finding(True, "weights", "fine"))
    shown = run("doctor", "--root", h36m)
    assert "OK   Human3.6M" in shown and "OK   Python" in shown
    monkeypatch.setattr(doctor, "_weights", lambda: doctor.Finding(False, "weights", "gone"))
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1 and "DO   weights            gone" in result.output


def test_help_names_every_command():
    shown = run("--help")
    assert all(name in shown for name in ("train", "evaluate", "lift", "convert", "bench", "presets", "doctor"))


# Mistakes, as a user makes them.


def fail(*arguments, folder: Path) -> str:
    command = [sys.executable, "-c", "from poseformer_lite.cli import main; main()", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=120)
    assert result.returncode == 2, result
    assert "Traceback" not in result.stderr
    return result.stderr


def test_a_mistake_is_answered_in_a_sentence(tmp_path):
    """One of many mistakes, as it starts a process."""
    (said,) = fail("train", "human36m", "--root", tmp_path, folder=tmp_path).strip().splitlines()
    assert said.startswith("poseformer-lite: ") and "data_3d_h36m.npz" in said


@pytest.mark.parametrize(
    ("arguments", "words"), [(["lift", "nowhere.npz"], "poseformer-lite: there is no file"), (["trian"], "Usage: ")]
)
def test_main_ends_with_2(arguments, words, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["poseformer-lite", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2 and capsys.readouterr().err.startswith(words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "human37m"], "there is no dataset 'human37m': choose one of synthetic, real, human36m"),
        (["train", "human36m"], "give root="),
        (["train", "human36m", "--cameras", "random"], "--cameras is an option of cmu_mocap, not of human36m"),
        (["train", "synthetic", "--cameras", "random"], "--cameras is an option of cmu_mocap, not of synthetic"),
        (["train", "human36m", "--root", "{h36m}", "--preset", "papr"], "there is no preset 'papr'"),
        (["train", "human36m", "--root", "{h36m}", "--epochs", "0"], "epochs is 0"),
        (["train", "human36m", "--root", "{h36m}", "--num-frames", "4"], "num_frames is 4"),
        (["train", "human36m", "--root", "{h36m}", "--keypoints", "cpn"], "data_2d_h36m_cpn.npz"),
        (["evaluate", "{empty}", "human36m", "--root", "{h36m}"], "has no config.json"),
        (["evaluate", "nowhere.bin", "human36m", "--root", "{h36m}"], "nowhere.bin"),
        (["evaluate", "{junk}", "human36m", "--root", "{h36m}"], "junk.bin"),
        (["lift", "{video}", "--weights", "{weights}", "--track", "1"], "has 1 tracks, so there is no track 1"),
        (["lift", "{bare}", "--weights", "{weights}", "--layout", "coco17"], "give --width and --height and --fps"),
        (["lift", "{bare}", "--weights", "{weights}"], "17 joints can be h36m17 or coco17"),
        (["lift", "{video}", "--weights", "{weights}", "-o", "motion.fbx"], "saved as .npz, .json"),
        (["lift", "{junk}"], "keypoints are read from .npz"),
        (["train", "human36m", "--root", "{h36m}", "--test-subjects", "S7"], "human36m has no S7: its subjects"),
        (
            ["train", "human36m", "--root", "{h36m}", "--weights", "small", "--num-frames", "9"],
            "leave out --num-frames",
        ),
        (["train", "human36m", "--root", "{h36m}", "--weights", "nowhere"], "there is no folder nowhere"),
        (["train", "real"], "lacks takes with 3D for training"),
        (["convert", "human36m", "-o", "out", "--root", "{empty}"], "has no data_3d_h36m.npz"),
    ],
)
def test_a_mistake_is_one_of_the_errors_that_main_turns_into_a_sentence(
    arguments, words, h36m, weights, video, tmp_path
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk.bin").write_bytes(b"junk")
    np.save(tmp_path / "bare.npy", np.full((5, 17, 2), 100.0))
    names = {"empty": tmp_path / "empty", "junk": tmp_path / "junk.bin", "bare": tmp_path / "bare.npy"}
    names |= {"h36m": h36m, "weights": weights, "video": video}
    result = CliRunner().invoke(app, [argument.format(**names) for argument in arguments])
    assert isinstance(result.exception, (ValueError, OSError)), result.exception
    assert words in str(result.exception)


def test_ctrl_c_ends_training_with_130(h36m, tmp_path, tiny_preset, monkeypatch):
    from poseformer_lite.training import loop

    pressed = threading.Event()
    pressed.set()  # before the first step
    monkeypatch.setattr(loop, "interrupts", lambda: nullcontext(pressed))
    arguments = ["train", "human36m", "--root", str(h36m), "--output", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 130 and "Stopped in epoch 1 of" in result.output


def test_a_network_is_trained_with_the_datasets_joints(tmp_path, tiny_preset, monkeypatch):
    """HumanEva has 15, and the command had made networks of 17."""
    from dataclasses import replace

    from poseformer_lite.datasets.base import PoseDataset
    from poseformer_lite.skeleton import HUMANEVA15

    whole = tiny_dataset()
    fewer = [replace(s, keypoints=s.keypoints[:, :15], poses_3d=s.poses_3d[:, :15]) for s in whole.sequences]
    data = replace(whole, sequences=fewer, skeleton=HUMANEVA15)
    assert isinstance(data, PoseDataset)
    monkeypatch.setattr("poseformer_lite.cli._load", lambda *_: data)
    run("train", "humaneva", "--epochs", 1, "--output", tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["num_joints"] == 15
