"""The command line, poseformer-lite: each command reads its input, calls the package and prints."""

from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="PoseFormer: from 2D keypoints to 3D human motion.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Network(StrEnum):
    poseformer = "poseformer"
    baseline = "baseline"


DATASET = Annotated[str, typer.Argument(help="synthetic, real, human36m, humaneva, mpi_inf_3dhp or cmu_mocap")]
ROOT = Annotated[Path | None, typer.Option(help="folder with the dataset's files (not for synthetic and real)")]
KEYPOINTS = Annotated[
    str | None, typer.Option(help="gt (the default), noisy, or what the 2D file is called (cpn_ft_h36m_dbb)")
]
CAMERAS = Annotated[str | None, typer.Option(help="cmu_mocap: fixed, or random (drawn anew each epoch)")]


def _load(dataset: str, root: Path | None, keypoints: str | None, cameras: str | None):
    from poseformer_lite.datasets import load_dataset

    if cameras and dataset != "cmu_mocap":
        raise ValueError(f"--cameras is an option of cmu_mocap, not of {dataset}: leave it out")
    return load_dataset(dataset, root, keypoints, **({"cameras": cameras} if cameras else {}))


@app.command()
def train(
    dataset: DATASET = "synthetic",
    root: ROOT = None,
    keypoints: KEYPOINTS = None,
    cameras: CAMERAS = None,
    preset: Annotated[str, typer.Option(help="lite, speedrun, paper or official: sizes and settings")] = "lite",
    network: Annotated[Network, typer.Option(help="the network to train")] = Network.poseformer,
    output: Annotated[Path, typer.Option(help="folder for checkpoints and weights; a stopped run goes on")] = Path(
        "runs/latest"
    ),
    num_frames: Annotated[int | None, typer.Option(help="frames of a window, other than the preset's")] = None,
    epochs: Annotated[int | None, typer.Option(help="epochs, other than the preset's")] = None,
    batch_size: Annotated[int | None, typer.Option(help="windows in a batch, other than the preset's")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="learning rate, other than the preset's")] = None,
    validation: Annotated[float | None, typer.Option(help="share of training takes held out")] = None,
    seed: Annotated[int, typer.Option(help="decides the first weights and the order of the windows")] = 0,
):
    """Train a network and test it on the test subjects. Run again with the same output to go on after a stop.

    On several GPUs, or CPUs: torchrun --nproc-per-node 8 -m poseformer_lite train ...
    """
    import torch

    from poseformer_lite.evaluation import evaluate
    from poseformer_lite.training.loop import train as run_training
    from poseformer_lite.training.machine import is_main_process
    from poseformer_lite.training.settings import get_preset

    data = _load(dataset, root, keypoints, cameras)
    if is_main_process():
        print(data)
    sizes = get_preset(preset).model | ({"num_frames": num_frames} if num_frames else {})
    torch.manual_seed(seed)
    model = _build(network, sizes)
    if is_main_process():
        print(f"{type(model).__name__} with {model.num_parameters():,} parameters, on {_device_words()}")
    changes = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "validation": validation}
    changes = {name: value for name, value in changes.items() if value is not None}
    run = run_training(model, data, preset, output=output, seed=seed, **changes)
    if not run.finished:
        raise typer.Exit(130)
    if not is_main_process():
        return
    held_out = f"{run.settings.validation:.0%} of the training takes held out" if run.settings.validation else "none"
    print(f"{run}. Validation: {held_out}; weights of the {run.settings.select} epoch, in {output}\n")
    print(evaluate(model, data))


def _build(network: Network, sizes: dict):
    from poseformer_lite.model import PoseFormer, TemporalTransformerBaseline

    return PoseFormer(**sizes) if network is Network.poseformer else TemporalTransformerBaseline.sized_like(sizes)


@app.command()
def evaluate(
    weights: Annotated[str, typer.Argument(help="a folder of weights, 'lite', or an official .bin checkpoint")],
    dataset: DATASET = "synthetic",
    root: ROOT = None,
    keypoints: KEYPOINTS = None,
    flip: Annotated[bool, typer.Option(help="average with the mirror image, as the paper does")] = True,
    zero_root: Annotated[bool, typer.Option(help="put the predicted root at zero")] = False,
    markdown: Annotated[bool, typer.Option(help="print the table as Markdown")] = False,
    num_heads: Annotated[int, typer.Option(help="heads of an official checkpoint, which does not hold them")] = 8,
):
    """Measure a network on a dataset's test subjects: protocols 1 and 2, per action, averaged both ways."""
    from poseformer_lite.evaluation import evaluate as run_evaluation

    model = _read_model(weights, num_heads)
    result = run_evaluation(model.to(_device()), _load(dataset, root, keypoints, None), flip=flip, zero_root=zero_root)
    print(result.to_markdown() if markdown else result)


MOTION = "the motion: .npz, .json, .csv, .bvh (Blender), .gif, .mp4, .html, or a folder for one of each kind"
IN_A_FOLDER = (".npz", ".csv", ".bvh", ".gif", ".html")


@app.command()
def lift(
    keypoints: Annotated[Path, typer.Argument(help="a video, or its keypoints in pixels: .npz, .npy, .json or .csv")],
    output: Annotated[Path, typer.Option("--output", "-o", help=MOTION)] = Path("motion.npz"),
    weights: Annotated[
        str, typer.Option(help="'wild', 'small', 'lite', a folder, or an official .bin checkpoint")
    ] = "wild",
    layout: Annotated[str | None, typer.Option(help="h36m17, coco17, halpe26 or mediapipe33")] = None,
    width: Annotated[int | None, typer.Option(help="the video's width in pixels")] = None,
    height: Annotated[int | None, typer.Option(help="the video's height in pixels")] = None,
    fps: Annotated[float | None, typer.Option(help="the video's frames per second")] = None,
    min_confidence: Annotated[float, typer.Option(help="joints less confident are interpolated")] = 0.0,
    picture: Annotated[Path | None, typer.Option(help="also draw some frames to this .png")] = None,
    constant_bones: Annotated[bool, typer.Option(help="give each bone its median length in every frame")] = False,
    smooth: Annotated[float, typer.Option(help="seconds of a window that looks ahead as far as back; 0: not")] = 0.0,
    stride: Annotated[int, typer.Option(help="poses from each window, an odd number: sooner, less exact")] = 1,
    track: Annotated[int, typer.Option(help="which person or video of the file, 0 the longest or largest")] = 0,
    focal_length: Annotated[float | None, typer.Option(help="the camera's, in pixels; else assumed")] = None,
    body_height: Annotated[
        float | None, typer.Option(help="the standing person's, in metres: it sets the scale")
    ] = None,
    camera_frame: Annotated[bool, typer.Option(help="leave the root where it is, and the camera's tilt")] = False,
    num_heads: Annotated[int, typer.Option(help="heads of an official checkpoint, which does not hold them")] = 8,
):
    """Lift one person of a video, or of a detector's keypoints, to a 3D motion."""
    import warnings

    from poseformer_lite.lifting.lifter import PoseLifter
    from poseformer_lite.lifting.motion_files import IN_SPACE
    from poseformer_lite.lifting.video import VIDEO_ENDINGS, lift_video
    from poseformer_lite.lifting.world import place

    lifter = PoseLifter(_read_model(weights, num_heads), stride=stride)
    with warnings.catch_warnings(record=True) as noticed:
        warnings.simplefilter("always", UserWarning)
        if keypoints.suffix.lower() in VIDEO_ENDINGS:
            name, motion = (
                keypoints.name,
                lift_video(keypoints, lifter, None, track, min_confidence, focal_length=focal_length),
            )
        else:
            name, motion = _lift_keypoints(
                keypoints, lifter, layout, width, height, fps, min_confidence, track, focal_length
            )
        motion = motion.smoothed(smooth)
        motion = motion.with_constant_bones() if constant_bones else motion
        motion = motion if body_height is None else motion.with_body_height(body_height)
        files = [output] if output.suffix else [output / f"motion{suffix}" for suffix in IN_A_FOLDER]
        shown = not camera_frame and any(path.suffix in IN_SPACE for path in files)
        found = place(motion) if shown else None
    for text in dict.fromkeys(str(warning.message) for warning in noticed):
        typer.echo(f"note: {text}", err=True)
    if found:
        print(found)
    for path in files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about the world: said above
            motion.save(path, world=not camera_frame)
        print(f"{motion} of {name} written to {path}")
    if picture:
        motion.plot().savefig(picture, dpi=110)
        print(f"some of its frames are drawn in {picture}")


def _lift_keypoints(path: Path, lifter, layout, width, height, fps, min_confidence: float, track: int, focal_length):
    """The track's name and its motion."""
    from poseformer_lite.formats.keypoint_files import guess_layout, read_keypoints

    tracks = read_keypoints(path)
    if not 0 <= track < len(tracks):
        raise ValueError(f"{path} has {len(tracks)} tracks, so there is no track {track}: count from 0")
    person = tracks[track]
    said = {
        "width": width or person.width,
        "height": height or person.height,
        "fps": fps or person.fps,
        "layout": layout or person.layout or guess_layout(person.keypoints.shape[1]),
    }
    missing = [f"--{name}" for name, value in said.items() if value is None]
    if missing:
        raise ValueError(f"{path} does not say everything about its video: give {' and '.join(missing)}")
    return person.name, lifter(person.keypoints, min_confidence=min_confidence, focal_length=focal_length, **said)


@app.command()
def fetch_cmu(folder: Annotated[Path, typer.Argument(help="where the takes go, one folder a subject")]):
    """Download some 150 takes of CMU's motion capture, chosen for variety; run again to go on after a stop."""
    from poseformer_lite.datasets.sources.cmu_download import fetch_cmu as fetch

    files = fetch(folder)
    print(f"{len(files)} files, {sum(path.stat().st_size for path in files) / 1e6:.0f} MB, are in {folder}")


@app.command()
def convert(
    dataset: DATASET,
    output: Annotated[Path, typer.Option("--output", "-o", help="folder for the files")],
    root: ROOT = None,
    keypoints: KEYPOINTS = None,
    cameras: CAMERAS = None,
    name: Annotated[str | None, typer.Option(help="NAME in data_3d_NAME.npz; h36m is what other codes expect")] = None,
):
    """Write a dataset in the VideoPose3D layout, on which the field's other codes can train."""
    from poseformer_lite.datasets.videopose3d import write

    for path in write(_load(dataset, root, keypoints, cameras), output, name):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


@app.command()
def export(
    weights: Annotated[str, typer.Argument(help="'small', 'lite', a folder, or an official .bin checkpoint")],
    output: Annotated[Path, typer.Option("--output", "-o", help="the .onnx file")] = Path("network.onnx"),
    num_heads: Annotated[int, typer.Option(help="heads of an official checkpoint, which does not hold them")] = 8,
):
    """Write a network as one ONNX file, which runs without torch."""
    from poseformer_lite.model.onnx import export_onnx

    path = export_onnx(_read_model(weights, num_heads), output)
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


@app.command()
def presets():
    """Print every setting in which the presets differ."""
    from poseformer_lite.training.settings import PRESETS, compare_presets

    width = 24
    print(" " * width + "".join(f"{name:>14}" for name in PRESETS))
    for setting, *values in compare_presets():
        print(f"{setting:<{width}}" + "".join(f"{value!s:>14}" for value in values))
    for name, preset in PRESETS.items():
        print(f"{name}: {preset.source}")


@app.command()
def doctor(root: ROOT = None):
    """Say what works on this machine, line by line, and what to do about what does not."""
    from poseformer_lite.doctor import examine

    lines = examine(root)
    for line in lines:
        print(line)
    raise typer.Exit(0 if all(line.ok for line in lines) else 1)


def _add_commands_of_others() -> None:
    """Commands that other packages register, as the course does with `reproduce` and `bench`."""
    for command in entry_points(group="poseformer_lite.commands"):
        app.command(command.name)(command.load())


_add_commands_of_others()


def _read_model(weights: str, num_heads: int):
    from poseformer_lite.model import PoseFormer, load_network

    if weights.endswith((".bin", ".pth", ".pt")):
        return PoseFormer.from_official(weights, num_heads=num_heads)
    return load_network(weights)


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _device_words() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"


def main() -> None:
    """Run the command; what is wrong with the input is said in a sentence, not in a traceback."""
    try:
        app()
    except (ValueError, OSError) as error:
        typer.echo(f"poseformer-lite: {error}", err=True)
        raise SystemExit(2) from None
