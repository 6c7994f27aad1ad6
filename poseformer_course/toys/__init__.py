"""Viewers of single lessons: a camera to move and what a picture does not tell (01), heads to switch off (08)."""

from poseformer_course.toys.ablation_board import AblationBoard
from poseformer_course.toys.camera_toy import CameraToy
from poseformer_course.toys.depth_toy import DepthAmbiguityToy

__all__ = ["AblationBoard", "CameraToy", "DepthAmbiguityToy"]
