"""Figures 1 to 11 of the paper: each takes a laboratory and gives a picture and what is to be said of it."""

from collections.abc import Callable

from matplotlib.figure import Figure

from poseformer_course.reproduce import figures_trained
from poseformer_course.reproduce.figures_networks import fig1, fig2
from poseformer_course.reproduce.laboratory import Laboratory

FIGURES: dict[str, Callable[[Laboratory], tuple[Figure, str]]] = {"fig1": fig1, "fig2": fig2, **figures_trained.FIGURES}
