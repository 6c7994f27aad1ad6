"""The command line, poseformer-lite: each command reads its input, calls the package and prints."""

import re
import sys
from enum import StrEnum
from importlib.metadata import entry_points, metadata
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="PoseFormer: from 2D keypoints to 3D human motion.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

LONGEST = 2187  # frames of a window: nine times the paper's longest
Network = StrEnum("Network", ["poseformer", "baseline"])
DATASET = Annotated[str, typer.Argument(help="synthetic, real, human36m, humaneva, mpi_inf_3dhp or cmu_mocap")]
ROOT = Annotated[Path | None, typer.Option(help="folder with the dataset's files (not for synthetic and real)")]
KEYPOINTS = Annotated[str | None, typer.Option(help="gt (the default), noisy, or as the 2D file is called")]
HEADS = Annotated[int, typer.Option(min=1, help="heads of an official checkpoint, which does not hold them")]
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
    test_subjects: Annotated[str | None, typer.Option(help="whom to test on, other than usual: S9,S11")] = None,
    preset: Annotated[str, typer.Option(help="lite, speedrun, paper or official: sizes and settings")] = "lite",
    weights: Annotated[str | None, typer.Option(help="what to start from: 'small', a folder, a checkpoint")] = None,
    network: Annotated[Network, typer.Option(help="the network to train")] = Network.poseformer,
    output: Annotated[Path, typer.Option(help="folder of checkpoints; a stopped run goes on")] = Path("runs/latest"),
    num_frames: Annotated[int | None, typer.Option(min=1, max=LONGEST, help="frames of a window, odd")] = None,
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
    from poseformer_lite.files import check_output
    from poseformer_lite.model import PoseFormer, TemporalTransformerBaseline
    from poseformer_lite.training.loop import train as run_training
    from poseformer_lite.training.machine import is_main_process
    from poseformer_lite.training.settings import get_preset, resolve

    changes = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate, "validation": validation}
    changes = {name: value for name, value in changes.items() if value is not None} | {"seed": seed}
    changes |= {"start": "given"} if weights else {}
    settings = resolve(preset, changes)  # what is wrong with the options is said before the data are read
    joints = 15 if dataset == "humaneva" else 17
    sizes = get_preset(preset).model | {"num_joints": joints} | ({"num_frames": num_frames} if num_frames else {})
    torch.manual_seed(seed)
    if weights and (num_frames or network is not Network.poseformer):
        raise ValueError("--weights brings a network of its own sizes: leave out --num-frames and --network")
    new = PoseFormer if network is Network.poseformer else TemporalTransformerBaseline
    model = _read_model(weights, num_heads=8) if weights else new.sized_like(sizes)
    check_output(output / "config.json")
    data = _load(dataset, root, keypoints, cameras)
    data = data.tested_on(tuple(filter(None, test_subjects.split(",")))) if test_subjects else data
    if not data.train() or not data.test():
        raise ValueError(f"{data} lacks takes with 3D for {'testing' if data.train() else 'training'}: --test-subjects")
    if is_main_process():
        print(data)
        words = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
        print(f"{type(model).__name__} with {model.num_parameters():,} parameters, on {words}")
    run = run_training(model, data, settings, output=output)
    if not run.finished:
        raise typer.Exit(130)
    if not is_main_process():
        return
    held_out = f"{run.settings.validation:.0%} of the training takes held out" if run.settings.validation else "none"
    print(f"{run}. Validation: {held_out}; weights of the {run.settings.select} epoch, in {output}\n")
    print(evaluate(model, data))


@app.command()
def evaluate(
    weights: Annotated[str, typer.Argument(help="a folder of weights, 'lite', or an official .bin checkpoint")],
    dataset: DATASET = "synthetic",
    root: ROOT = None,
    keypoints: KEYPOINTS = None,
    flip: Annotated[bool, typer.Option(help="average with the mirror image, as the paper does")] = True,
    zero_root: Annotated[bool, typer.Option(help="put the predicted root at zero")] = False,
    markdown: Annotated[bool, typer.Option(help="print the table as Markdown")] = False,
    num_heads: HEADS = 8,
):
    """Measure a network on a dataset's test subjects: protocols 1 and 2, per action, averaged both ways."""
    import torch

    from poseformer_lite.evaluation import evaluate as run_evaluation

    model = _read_model(weights, num_heads)
    model = model.to("cuda" if torch.cuda.is_available() else "cpu")
    result = run_evaluation(model, _load(dataset, root, keypoints, None), flip=flip, zero_root=zero_root)
    print(result.to_markdown() if markdown else result)


MOTION = "the motion: .npz, .json, .csv, .bvh, .glb, .trc, .gif, .mp4, .html, or a folder for most of them"
SOURCE = "a video, a picture, or keypoints in pixels: .json, .csv, .npz, .npy, or a folder"


@app.command()
def lift(
    source: Annotated[Path, typer.Argument(help=SOURCE)],
    output: Annotated[Path, typer.Option("--output", "-o", help=MOTION)] = Path("motion.npz"),
    weights: Annotated[str, typer.Option(help="'wild', 'small', a folder, a checkpoint or hub:NAME/PLACE")] = "wild",
    format: Annotated[str | None, typer.Option(help="of keypoints whose file does not tell: openpose, ...")] = None,
    layout: Annotated[str | None, typer.Option(help="of the joints: coco17, h36m17, body25, halpe26, ...")] = None,
    width: Annotated[int | None, typer.Option(help="the video's width in pixels")] = None,
    height: Annotated[int | None, typer.Option(help="the video's height in pixels")] = None,
    fps: Annotated[float | None, typer.Option(help="the video's frames per second")] = None,
    min_confidence: Annotated[float, typer.Option(help="joints less confident are interpolated")] = 0.0,
    picture: Annotated[Path | None, typer.Option(help="also draw some frames to this .png")] = None,
    angles: Annotated[Path | None, typer.Option(help="also write joint angles to this .csv, and draw them")] = None,
    constant_bones: Annotated[bool, typer.Option(help="give each bone its median length in every frame")] = False,
    smooth: Annotated[float, typer.Option(help="seconds of a window that looks ahead as far as back; 0: not")] = 0.0,
    stride: Annotated[int, typer.Option(help="poses from each window, an odd number: sooner, less exact")] = 1,
    precision: Annotated[str, typer.Option(help="auto, float32 (the same on every machine) or bfloat16")] = "auto",
    track: Annotated[int, typer.Option(help="which person or video of the file, 0 the longest or largest")] = 0,
    everybody: Annotated[bool, typer.Option("--all", help="lift every person, each to files of their name")] = False,
    keep_keypoints: Annotated[Path | None, typer.Option(help="keep what is found in a video: .npz or .json")] = None,
    focal_length: Annotated[float | None, typer.Option(help="the camera's, in pixels; else assumed")] = None,
    body_height: Annotated[float | None, typer.Option(help="the standing person's, in metres: sets the scale")] = None,
    camera_frame: Annotated[bool, typer.Option(help="leave the root where it is, and the camera's tilt")] = False,
    as_given: Annotated[bool, typer.Option(help="lift keypoints as they are, whatever they look like")] = False,
    num_heads: Annotated[int, typer.Option(help="heads of an official checkpoint, which does not hold them")] = 8,
):
    """Lift people of a video, or of a detector's keypoints, to 3D motions."""
    from poseformer_lite.lifting.jobs import Job, run
    from poseformer_lite.lifting.lifter import PoseLifter

    job = Job(source, output, format, layout, width, height, fps, min_confidence, track, everybody, keep_keypoints,
              picture, angles, constant_bones, smooth, focal_length, body_height, camera_frame, as_given)  # fmt: skip
    job.check()
    lifter = PoseLifter(_read_model(weights, num_heads), stride=stride, precision=precision)
    run(job, lifter, say=print, note=lambda text: typer.echo(f"note: {text}", err=True))


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
    from poseformer_lite.files import check_output

    check_output(output / "data_3d.npz")
    if root and output.resolve() == root.resolve():
        raise ValueError(f"{output} is the folder that is read: choose another output, or files in it may be lost")
    for path in write(_load(dataset, root, keypoints, cameras), output, name):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    if dataset in ("cmu_mocap", "real"):
        typer.echo("note: the field's codes know Human3.6M's cameras alone: enter those of the .json there", err=True)


@app.command()
def export(
    weights: Annotated[str, typer.Argument(help="'small', 'lite', a folder, or an official .bin checkpoint")],
    output: Annotated[Path, typer.Option("--output", "-o", help="the .onnx file")] = Path("network.onnx"),
    num_heads: HEADS = 8,
):
    """Write a network as one ONNX file, which runs without torch."""
    from poseformer_lite.files import check_output
    from poseformer_lite.model.onnx import export_onnx

    check_output(output, ".onnx")
    model = _read_model(weights, num_heads)
    path = export_onnx(model, output)
    wanted = "normalize_screen" if model.input == "screen" else "canonical_view"
    print(f"{path}  {path.stat().st_size / 1e6:.1f} MB, for keypoints as poseformer_lite's {wanted} makes them")


for _command in entry_points(group="poseformer_lite.commands"):  # of other packages, as the course's `reproduce`
    app.command(_command.name)(_command.load())


CHECKPOINTS = (".bin", ".pth", ".pt", ".ckpt", ".pth.tar", ".pth.tr")


def _read_model(weights: str, num_heads: int):
    from poseformer_lite.model import PoseFormer, load_network

    if weights.endswith(CHECKPOINTS):
        return PoseFormer.from_official(weights, num_heads=num_heads)
    return load_network(weights)


def main() -> None:
    """Run the command; what is wrong with the input is said in a sentence, a traceback is left of our own faults."""
    try:
        app()
    except Exception as error:
        full = isinstance(error, MemoryError) or re.search("(out of|enough|allocate) memory", str(error))  # torch
        if full or isinstance(error, (ValueError, OSError, NotImplementedError)):
            said = "there is not enough memory for what was asked" if full else str(error) or type(error).__name__
            typer.echo(f"poseformer-lite: {said}", err=True)
            raise SystemExit(2) from None
        said = f"{type(error).__name__}: {error}".partition("\n")[0][:200]
        typer.echo(f"poseformer-lite: {said}. This is a fault of the program. {_report()}", err=True)
        raise SystemExit(70) from None  # EX_SOFTWARE


def _report() -> str:
    """Where the traceback of the exception in hand is, and where to send it."""
    import platform
    import tempfile
    import traceback

    place = dict(line.split(", ", 1) for line in metadata("poseformer-lite").get_all("Project-URL", []))
    contents = "\n".join([" ".join(sys.argv), sys.version, platform.platform(), traceback.format_exc()])
    try:
        with tempfile.NamedTemporaryFile("w", prefix="poseformer-lite-", suffix=".txt", delete=False) as file:
            file.write(contents)
    except OSError:
        return f"What happened:\n{contents}"
    return f"What happened is written in {file.name}: please send it to {place.get('Repository', 'its authors')}/issues"
