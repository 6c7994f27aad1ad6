"""What works on this machine: each line is OK, or says what to do."""

import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

PACKAGES = {  # what the lessons need
    "numpy": "", "scipy": "", "pandas": "", "matplotlib": "", "seaborn": "", "accelerate": "", "safetensors": "",
    "huggingface_hub": "", "jupyterlab": "notebooks", "ipywidgets": "notebooks", "plotly": "notebooks",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One line of the report. what was looked at, whether it is fine, and what was found or is to be done."""

    ok: bool
    what: str
    words: str

    def __str__(self) -> str:
        return f"{'OK  ' if self.ok else 'DO  '} {self.what:<18} {self.words}"


def examine(root: Path | None = None) -> list[Finding]:
    """Python, packages, device, shipped weights, detector, cache folder, and the data found in `root`."""
    return [
        _python(),
        *(_package(name, extra) for name, extra in PACKAGES.items()),
        *_torch(),
        _weights(),
        _video(),
        _cache(),
        *([] if root is None else _data(root)),
    ]


def _python() -> Finding:
    ok = (3, 11) <= sys.version_info[:2] < (3, 14)
    advice = "" if ok else ": install a Python from 3.11 to 3.13"
    return Finding(ok, "Python", f"{platform.python_version()}, {platform.system()} {platform.machine()}{advice}")


def _package(name: str, extra: str) -> Finding:
    try:
        return Finding(True, name, metadata.version(name))
    except metadata.PackageNotFoundError:
        wanted = f"poseformer-lite[{extra}]" if extra else name
        return Finding(False, name, f'not installed: pip install "{wanted}"')


def _torch() -> list[Finding]:
    import torch

    from poseformer_lite.model.precision import PAYS, bfloat16_speed

    lines = [Finding(True, "torch", f"{torch.__version__}, {torch.get_num_threads()} threads, {os.cpu_count()} cores")]
    ratio = bfloat16_speed()
    taken = "lifting takes it by itself" if ratio >= PAYS else "lifting stays in float32"
    lines.append(Finding(True, "bfloat16", f"products {ratio:.1f} times as fast as in float32: {taken}"))
    if torch.cuda.is_available():
        gigabytes = torch.cuda.get_device_properties(0).total_memory / 2**30
        lines.append(Finding(True, "GPU", f"{torch.cuda.get_device_name()}, {gigabytes:.0f} GiB, used by itself"))
    else:
        lines.append(Finding(True, "GPU", "none that torch can use: everything runs on the CPU"))
    return lines


def _weights() -> Finding:
    from poseformer_lite.model import load_network
    from poseformer_lite.model.base import SHIPPED_WEIGHTS

    names = sorted(folder.name for folder in SHIPPED_WEIGHTS.glob("*") if (folder / "config.json").is_file())
    try:
        sizes = [f"{name} ({load_network(name).num_parameters():,} parameters)" for name in names]
    except (ValueError, OSError) as error:
        return Finding(False, "weights", f"{error}: install the package again")
    return Finding(bool(names), "weights", ", ".join(sizes) or "none are shipped: install the package again")


def _video() -> Finding:
    """The extra `video`, whose lack is no fault: keypoint files are lifted without it."""
    try:
        versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("av", "ai-edge-litert"))
    except metadata.PackageNotFoundError as error:
        what = f"{error.name} is not installed, which lifting a video needs"
        return Finding(True, "video", f'{what}: pip install "poseformer-lite[video]"')
    from poseformer_lite.lifting.blazepose import BlazePose

    try:
        BlazePose()
    except (ValueError, OSError, RuntimeError) as error:
        return Finding(False, "video", f"{versions}, but the detector cannot be loaded: {error}")
    return Finding(True, "video", f"{versions}; the detector comes with the package")


def _cache() -> Finding:
    from poseformer_lite.datasets.sources.synthetic import cache_folder

    folder = cache_folder()
    parent = next(p for p in (folder, *folder.parents) if p.exists())
    if os.access(parent, os.W_OK):
        return Finding(True, "cache", f"{folder} can be written")
    return Finding(False, "cache", f"{folder} cannot be written: set POSEFORMER_LITE_CACHE to a folder that can")


def _data(root: Path) -> list[Finding]:
    if not root.is_dir():
        return [Finding(False, "data", f"{root} is not a folder")]
    kinds = {
        "Human3.6M": "data_3d_h36m.npz",
        "Human3.6M 2D": "data_2d_h36m_*.npz",
        "HumanEva": "data_3d_humaneva15.npz",
        "MPI-INF-3DHP": "data_*_3dhp.npz",
        "CMU ASF/AMC": "**/*.amc",
        "CMU BVH": "**/*.bvh",
    }
    found = {kind: sorted(root.glob(pattern)) for kind, pattern in kinds.items()}
    lines = [
        Finding(True, kind, f"{len(paths)} files, {paths[0].name} first") for kind, paths in found.items() if paths
    ]
    return lines or [Finding(False, "data", f"{root} has none of {', '.join(kinds.values())}: see data/README.md")]
