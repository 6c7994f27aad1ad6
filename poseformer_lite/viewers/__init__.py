"""Interactive pictures, each with a still twin: motions and attention."""

from poseformer_lite.viewers.attention import view_attention
from poseformer_lite.viewers.export import export_html
from poseformer_lite.viewers.heads import HeadGrid
from poseformer_lite.viewers.motion import MotionViewer, view_motion
from poseformer_lite.viewers.spatial import SpatialAttentionViewer
from poseformer_lite.viewers.state import ViewState
from poseformer_lite.viewers.temporal import TemporalAttentionViewer
from poseformer_lite.viewers.viewer import Viewer

__all__ = [
    "HeadGrid",
    "MotionViewer",
    "SpatialAttentionViewer",
    "TemporalAttentionViewer",
    "ViewState",
    "Viewer",
    "export_html",
    "view_attention",
    "view_motion",
]
