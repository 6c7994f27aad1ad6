"""Trials: one network trained once on one set with one seed, and measured. Each is done once and kept."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path

import torch

from poseformer_course.bodies import H36M_OF_HUMANEVA
from poseformer_course.prior_work import NETWORKS
from poseformer_course.reproduce.measure import measure
from poseformer_course.reproduce.scales import Scale
from poseformer_course.reproduce.sources import Source
from poseformer_course.transfer import H36M17Adapter, move_spatial
from poseformer_lite.datasets import PoseDataset
from poseformer_lite.files import atomic_path
from poseformer_lite.model import LiftingNetwork, MeanPose, PoseFormer
from poseformer_lite.training.checkpoints import NAME as CHECKPOINT
from poseformer_lite.training.loop import train
from poseformer_lite.training.settings import Settings

SINGLE_FRAME = ("ResidualMLP", "GraphConvolutionNetwork")
SCRATCH, SPATIAL_MOVED, ALL_MOVED = STARTS = ("scratch", "spatial stage moved", "everything moved")
LARGER = "joint embedding 4 times as large"
TWICE, SHUFFLED = "scratch, twice the windows", "spatial stage moved, joints shuffled"


@dataclass(frozen=True)
class Trial:
    """What is trained, on what, from which seed. name says all of it, and is the name of its folder.

    network: of `poseformer_lite.model`. sizes: the arguments of the PoseFormer that it is, or stands beside. keypoints:
    the 2D of the large set, or "small" for the small set. start: for the small set, what it begins with (STARTS), or
    one of two controls: TWICE sees as many windows as pre-training and fine-tuning together, SHUFFLED gives each joint
    the position embedding of another one. For PoseFormer also LARGER: the weights that take a joint's two coordinates
    to its token begin 4 times as large.
    """

    network: str
    sizes: dict
    keypoints: str
    seed: int
    start: str = "scratch"

    @property
    def name(self) -> str:
        sizes = self.sizes
        frames = 1 if self.network in SINGLE_FRAME else sizes["num_frames"]
        parts = [
            self.network,
            self.keypoints,
            f"f{frames}",
            f"c{sizes['spatial_dim']}",
            f"LS{sizes['spatial_depth']}",
            f"LT{sizes['temporal_depth']}",
            "" if sizes.get("spatial_positions", True) else "without spatial positions",
            "" if sizes.get("temporal_positions", True) else "without temporal positions",
            "" if self.start == "scratch" else self.start,
            f"seed{self.seed}",
        ]
        return " ".join(filter(None, parts)).replace(" ", "_")


class Laboratory:
    """Trains and measures trials of one scale on one source; what is done already is read, not done again.

    folder: where weights and results are kept, one folder a trial; a trial that was stopped goes on in it. None keeps
    nothing on disk. With stored=True nothing is trained: results come with the package, for the scales and sources
    that they were made for.
    """

    def __init__(
        self,
        scale: Scale,
        source: Source,
        folder: str | Path | None = None,
        stored: bool = False,
        progress: bool = True,
    ):
        self.scale, self.source, self.progress = scale, source, progress
        self.folder = Path(folder) / scale.name / source.name if folder else None
        self._kept: dict[str, dict] = stored_results(scale, source)["trials"] if stored else {}
        self._models: dict[str, LiftingNetwork] = {}
        self._datasets: dict[tuple[str, str], PoseDataset] = {}
        self.stored = stored

    def result(self, trial: Trial) -> dict:
        """What `measure` gives for the trial's network, with its parameters, settings and seconds of training.

        Raises KeyboardInterrupt if the training is stopped, after it was saved.
        """
        found = self.once(trial.name, lambda: self._make(trial))
        if not self.stored and found["trial"] != self._describe(trial):
            raise ValueError(f"{self.folder} holds another trial than {trial}: choose another output folder")
        return found

    def once(self, name: str, make: Callable[[], dict]) -> dict:
        """What `make` gives: made the first time, kept, and read afterwards."""
        if name in self._kept:
            return self._kept[name]
        if self.stored:
            raise ValueError(f"the stored results of scale {self.scale.name!r} on {self.source.name} have no {name}")
        path = self.folder / name / "result.json" if self.folder else None
        if path and path.is_file():
            found = _read(path)
        else:
            found = make()
            if path:
                with atomic_path(path) as temporary:
                    temporary.write_text(json.dumps(found, indent=1) + "\n")
                (path.parent / CHECKPOINT).unlink(missing_ok=True)  # it is finished: the weights remain
        self._kept[name] = found
        return found

    def model(self, trial: Trial) -> LiftingNetwork:
        """The trial's network, trained, in evaluation mode."""
        if self.stored:
            raise ValueError(
                "stored results have no weights: this target needs trained networks, so leave --stored out"
            )
        if trial.name not in self._models:
            kept = self.folder / trial.name if self.folder else None
            if kept and (kept / "result.json").is_file() and trial.start != ALL_MOVED:
                self._models[trial.name] = NETWORKS[trial.network].from_pretrained(kept)
            else:
                self._make(trial)
        return self._models[trial.name]

    def data(self, trial: Trial) -> PoseDataset:
        return self.dataset(trial.keypoints)

    def dataset(self, keypoints: str) -> PoseDataset:
        """The large set with these 2D keypoints, or with "small" the small one."""
        if keypoints not in self._datasets:
            small = keypoints == "small"
            self._datasets[keypoints] = (
                self.source.small(self.scale) if small else self.source.large(keypoints, self.scale)
            )
        return self._datasets[keypoints]

    def _make(self, trial: Trial) -> dict:
        data, run = self.data(trial), None
        if trial.network == "MeanPose":
            poses = torch.cat([torch.from_numpy(s.root_relative(data.skeleton.root)) for s in data.train()])
            model = MeanPose(num_joints=data.skeleton.num_joints).fit(poses)
        else:
            if self.progress:
                print(trial.name.replace("_", " "), flush=True)
            model = self.begin(trial)
            output = self.folder / trial.name if self.folder else None
            run = train(model, data, self.settings(trial), output=output, progress=self.progress)
            if not run.finished:
                raise KeyboardInterrupt
        self._models[trial.name] = model.eval()
        learned = {} if run is None else {"seconds": run.history[-1]["seconds"], **_last(run.history)}
        return {
            "trial": self._describe(trial),
            "parameters": model.num_parameters(),
            **learned,
            **measure(model, data, self.progress),
        }

    def settings(self, trial: Trial) -> Settings:
        """How the trial is trained: its network's learning rate, its seed, and the scale's budget or twice that."""
        settings = self.scale.settings_of(trial.network, trial.seed)
        return replace(settings, epochs=2 * settings.epochs) if trial.start == TWICE else settings

    def begin(self, trial: Trial) -> LiftingNetwork:
        """The network before its training: its first weights depend on the seed alone."""
        if trial.start == ALL_MOVED:
            return H36M17Adapter.around(self._pretrained(trial))
        torch.manual_seed(trial.seed)
        joints = self.data(trial).skeleton.num_joints
        model = NETWORKS[trial.network].sized_like({**trial.sizes, "num_joints": joints})
        if trial.start in (SPATIAL_MOVED, SHUFFLED):
            order = torch.randperm(joints) if trial.start == SHUFFLED else range(joints)
            move_spatial(self._pretrained(trial), model, tuple(H36M_OF_HUMANEVA[joint] for joint in order))
        if trial.start == LARGER:
            with torch.no_grad():
                model.spatial.patch_embedding.weight.mul_(4)
        return model

    def _pretrained(self, trial: Trial) -> PoseFormer:
        """The PoseFormer that learned on the large set, ground-truth 2D, from the same seed."""
        before = self.source.before_small()
        laboratory = self
        if before != self.source:
            root = self.folder.parent.parent if self.folder else None
            laboratory = Laboratory(self.scale, before, root, progress=self.progress)
        large = Trial(trial.network, trial.sizes, "gt", trial.seed)
        laboratory.result(large)
        return laboratory.model(large)

    def _describe(self, trial: Trial) -> dict:
        settings = None if trial.network == "MeanPose" else asdict(self.settings(trial))
        return {**asdict(trial), "data": repr(self.data(trial)), "settings": settings}


def _last(history: list[dict]) -> dict:
    row = history[-1]
    return {"windows": row["windows"], "train_mm": row["train_mm"], "validation_mm": row["validation_mm"]}


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(
            f"{path} is not a result that can be read ({error}): delete it, and it is made again"
        ) from error


def stored_results(scale: Scale, source: Source) -> dict:
    """The results that come with the package: {"command", "date", "machine", "trials": {name: result}}."""
    file = resources.files(__package__).joinpath("results", f"{scale.name}_{source.name}.json")
    if not file.is_file():
        raise ValueError(
            f"no results of scale {scale.name!r} on {source.name} are stored: leave --stored out to make them"
        )
    return json.loads(file.read_text())
