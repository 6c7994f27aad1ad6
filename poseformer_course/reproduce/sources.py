"""The data of a reproduction: the free sets, or the benchmarks' own files."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from poseformer_course.bodies import to_humaneva15
from poseformer_course.reproduce.scales import Scale
from poseformer_lite.datasets import PoseDataset, load_dataset
from poseformer_lite.datasets.base import PoseSequence

DETECTED = {"synthetic": "noisy", "cmu_mocap": "noisy", "human36m": "cpn_ft_h36m_dbb", "mpi_inf_3dhp": "gt"}
TEST_VIEWS = 60  # or as many as there are, or one of each take
SMALL_PEOPLE = ("S1", "S5", "S6")
SMALL_ACTIONS = ("Walking", "Greeting")


@dataclass(frozen=True)
class Source:
    """A large data set of 17 joints and a small one of 15, as the paper has Human3.6M and HumanEva.

    name: "synthetic", "cmu_mocap", "human36m" or "mpi_inf_3dhp"; root: the folder with the files, for all but the
    first. The small set is HumanEva for human36m. For the free sets it has HumanEva's joints, too: a few takes of three
    people who are not in the synthetic set, or the takes of one person of CMU's.
    """

    name: str = "synthetic"
    root: Path | None = None

    @classmethod
    def named(cls, name: str, root: str | Path | None = None) -> "Source":
        """Raises ValueError for another name, and where a root is missing or not wanted."""
        if name not in DETECTED:
            raise ValueError(f"there is no data set {name!r} to reproduce on: choose one of {', '.join(DETECTED)}")
        if (root is None) != (name == "synthetic"):
            wanted = "takes no root: it is made by the package" if root else "needs root=, the folder with its files"
            raise ValueError(f"{name} {wanted}")
        return cls(name, None if root is None else Path(root))

    @property
    def detected(self) -> str:
        """What the 2D of this source's detector is called."""
        return DETECTED[self.name]

    @property
    def is_free(self) -> bool:
        return self.name in ("synthetic", "cmu_mocap")

    def large(self, keypoints: str, scale: Scale) -> PoseDataset:
        return _thinned(_load(self.name, self.root, keypoints), scale)

    def small(self, scale: Scale) -> PoseDataset:
        """15 joints, ground-truth 2D as far as a set has it."""
        if self.name == "human36m":
            return _thinned(_load("humaneva", self.root, "gt"), scale)
        if self.name == "cmu_mocap":
            return _thinned(_one_person_of_cmu(self.root), scale)
        return _thinned(_three_other_people(), scale)

    def before_small(self) -> "Source":
        """Where Table 7 trains before it fine-tunes."""
        return self if self.name == "human36m" else Source()


@cache
def _load(name: str, root: Path | None, keypoints: str) -> PoseDataset:
    return load_dataset(name, root, keypoints, **({"cameras": "random"} if name == "cmu_mocap" else {}))


@cache
def _one_person_of_cmu(root: Path | None) -> PoseDataset:
    """The first person's takes through three fixed cameras; the second, seventh, ... of them are held out."""
    data = load_dataset("cmu_mocap", root, "gt", cameras="fixed", num_views=3)
    person = data.train_subjects[0]
    return replace(to_humaneva15(data.subset(subjects=[person])), name=f"cmu_mocap, subject {person} alone")


@cache
def _three_other_people() -> PoseDataset:
    """Two actions of three people, first takes to learn from and second ones to test on, through three cameras.

    The people and their motion are drawn with another seed than those of the synthetic set: nobody is in both.
    """
    data = load_dataset("synthetic", seed=1, subjects=SMALL_PEOPLE, keypoints="gt").subset(actions=SMALL_ACTIONS)
    cameras = sorted({sequence.view for sequence in data.sequences})[:3]
    data = to_humaneva15(replace(data, sequences=[s for s in data.sequences if s.view in cameras]))
    second = frozenset((s.subject, s.action) for s in data.sequences if s.action.endswith(" 1"))
    return replace(data, name="synthetic, three other people", train_subjects=SMALL_PEOPLE, test_takes=second)


def _thinned(data: PoseDataset, scale: Scale) -> PoseDataset:
    """Fewer training views and test frames, spread evenly, where the scale says so."""
    train, test = data.train(), data.test()
    if scale.train_views is not None:
        train = spread(train, scale.train_views)
    if scale.test_frames is not None:
        takes = {(sequence.subject, sequence.action) for sequence in test}
        test = spread(test, max(len(takes), TEST_VIEWS))
        test = [_middle(sequence, scale.test_frames // len(test)) for sequence in test]
    redraw = data.redraw if scale.train_views is None else None
    return replace(data, sequences=[*train, *test], redraw=redraw)


def spread(sequences: list[PoseSequence], number: int) -> list[PoseSequence]:
    """At most `number` of them, evenly spaced in the list."""
    if number >= len(sequences):
        return sequences
    return [sequences[i * len(sequences) // number] for i in range(number)]


def _middle(sequence: PoseSequence, length: int) -> PoseSequence:
    """`length` frames from the middle, or all where there are fewer."""
    first = max(0, (len(sequence) - length) // 2)
    kept = slice(first, first + length)
    poses_3d = None if sequence.poses_3d is None else sequence.poses_3d[kept]
    valid = None if sequence.valid is None else sequence.valid[kept]
    return replace(sequence, keypoints=sequence.keypoints[kept], poses_3d=poses_3d, valid=valid)
