"""Two viewers of lesson 01 that need no network: a camera to move, and what a picture does not tell."""

from poseformer_course.toys.camera_toy import CameraToy
from poseformer_course.toys.depth_toy import DepthAmbiguityToy

__all__ = ["CameraToy", "DepthAmbiguityToy"]
