"""Motion that the package makes itself: a procedural human in place of Human3.6M, which may not be redistributed.

The subjects, the 15 actions, two takes of each, the four cameras and the 50 Hz are Human3.6M's; the motion is not. It
is drawn anew from (seed, subject, take), so that any take can be made alone and is always the same.
"""

from poseformer_lite.datasets.sources.synthetic.dataset import cache_folder, load, make_take, make_takes, take_names

__all__ = ["cache_folder", "load", "make_take", "make_takes", "take_names"]
