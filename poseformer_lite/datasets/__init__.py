"""Sources of data, all giving the same PoseDataset."""

from importlib import import_module
from pathlib import Path

from poseformer_lite.datasets.base import PoseDataset, PoseSequence, Take

__all__ = ["PoseDataset", "PoseSequence", "Take", "load_dataset"]

NAMES = ("synthetic", "human36m", "humaneva", "mpi_inf_3dhp", "cmu_mocap")


def load_dataset(name: str, root: str | Path | None = None, keypoints: str | None = None, **options) -> PoseDataset:
    """A dataset by its name; the options are those of its module's `load`.

    "synthetic": made by the package, no root; keypoints "gt" or "noisy". "human36m": root is a folder with the files of
    the VideoPose3D layout; keypoints "gt", "cpn_ft_h36m_dbb" or what the 2D file is called. "cmu_mocap": root is a
    folder of ASF/AMC or BVH files; keypoints "gt" or "noisy"; cameras="fixed" or "random" (drawn anew in each epoch).
    "humaneva": root holds HumanEva's files of the VideoPose3D layout, 15 joints. "mpi_inf_3dhp": root holds those of
    P-STMO or of GraphMLP; 2D is the ground truth.
    Raises ValueError for another name, FileNotFoundError that says what is missing in root."""
    if name not in NAMES:
        raise ValueError(f"there is no dataset {name!r}: choose one of {', '.join(NAMES)}")
    if keypoints is not None:
        options["keypoints"] = keypoints
    if name == "synthetic":
        from poseformer_lite.datasets.sources import synthetic

        if root is not None:
            raise ValueError("the synthetic set is made by the package and takes no root")
        return synthetic.load(**options)
    if root is None:
        raise ValueError(f"{name} is read from files: give root=, the folder they are in; data/README.md names them")
    return import_module(f"{__name__}.sources.{name}").load(root, **options)
