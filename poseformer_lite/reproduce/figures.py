"""Figures 1 to 11 of the paper, drawn from the live model and from trained networks."""

from collections.abc import Callable

from matplotlib.figure import Figure

from poseformer_lite.reproduce.laboratory import Laboratory

FIGURES: dict[str, Callable[[Laboratory], tuple[Figure, str]]] = {}
