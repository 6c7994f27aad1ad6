"""Lifting: a video, or a detector's keypoints, to a motion in 3D, and that motion to files."""

from poseformer_lite.lifting.lifter import PoseLifter
from poseformer_lite.lifting.motion import Motion

__all__ = ["Motion", "PoseLifter"]
