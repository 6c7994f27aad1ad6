"""Sources of data, all giving the same PoseDataset."""

from importlib import import_module
from pathlib import Path

from poseformer_lite.datasets.base import PoseDataset, PoseSequence, Take

__all__ = ["PoseDataset", "PoseSequence", "Take", "load_dataset"]

NAMES = ("synthetic", "real", "human36m", "humaneva", "mpi_inf_3dhp", "cmu_mocap")
SHIPPED = {"synthetic": "is made by the package", "real": "comes with the package"}


def load_dataset(name: str, /, root: str | Path | None = None, keypoints: str | None = None, **options) -> PoseDataset:
    """A dataset by its name; data/README.md says which files each one is read from.

    :param name: "synthetic" (made by the package), "real" (comes with it, for testing alone), "human36m", "humaneva",
        "mpi_inf_3dhp" or "cmu_mocap".
    :param root: the folder of the files, in the VideoPose3D layout for human36m and humaneva, in that of P-STMO or
        GraphMLP for mpi_inf_3dhp, ASF/AMC or BVH for cmu_mocap; synthetic and real take none.
    :param keypoints: the source of the 2D: "gt" by default ("blazepose" for real), "noisy" (synthetic, cmu_mocap),
        "wild" (cmu_mocap), or what the 2D file is called, such as "cpn_ft_h36m_dbb" (human36m, humaneva).
    :param options: those of `load` in the set's module, such as subjects=("S9",) of the synthetic set,
        cameras="random" (drawn anew in each epoch) or "fixed" of cmu_mocap, and of human36m name="mine" for files of
        your own, data_3d_mine.npz and so on.
    :returns: Its sequences, with the subjects or takes that are kept for testing.
    :raises ValueError: for an unknown name or source, and for a root where none is wanted or none where one is
    :raises FileNotFoundError: where root lacks files; it says which.
    """
    if name not in NAMES:
        raise ValueError(f"there is no dataset {name!r}: choose one of {', '.join(NAMES)}")
    if keypoints is not None:
        options["keypoints"] = keypoints
    if name in SHIPPED:
        if root is not None:
            raise ValueError(f"the {name} set {SHIPPED[name]} and takes no root")
        return import_module(f"{__name__}.sources.{name}").load(**options)
    if root is None:
        raise ValueError(f"{name} is read from files: give root=, the folder they are in; data/README.md names them")
    return import_module(f"{__name__}.sources.{name}").load(root, **options)
