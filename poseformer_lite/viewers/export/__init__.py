"""One HTML file with a motion and what the heads look at: no kernel, no network, any recent browser."""

import base64
import html
import json
import math
import zlib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from string import Template

import numpy as np
import plotly.graph_objects as go
from plotly.colors import get_colorscale
from plotly.offline import get_plotlyjs

from poseformer_lite.files import atomic_path
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.model.heads import AttentionMaps
from poseformer_lite.skeleton import H36M17, Skeleton
from poseformer_lite.viewers import drawing
from poseformer_lite.viewers.controls import SPEEDS
from poseformer_lite.viewers.given import Given
from poseformer_lite.viewers.motion import ERROR_COLORS, MotionViewer, view_motion
from poseformer_lite.viewers.spatial import SpatialAttentionViewer

LIMIT = 6_500_000  # bytes of a page, of which plotly.js takes up to 4.8 million


def export_html(
    path: str | Path,
    poses_3d: Given,
    *,
    truth: Given | None = None,
    truth_name: str = "truth",
    keypoints: Given | None = None,
    maps: AttentionMaps | None = None,
    skeleton: Skeleton = H36M17,
    fps: float = 50.0,
    title: str = "A motion in 3D",
    world: bool | None = None,
    every: int = 1,
) -> Path:
    """Write one page that plays a motion and, where maps are given, shows whom each joint attends to.

    In the page 3D coordinates are rounded to 1 mm, keypoints to 0.1 pixels (0.0001 where they are normalised), and
    attention weights to 1/255 of the largest of their head.

    :param path: where to write, .html
    :param poses_3d: as for `view_motion`
    :param truth: as for `view_motion`
    :param truth_name: as for `view_motion`
    :param keypoints: as for `view_motion`
    :param skeleton: as for `view_motion`
    :param fps: as for `view_motion`
    :param world: as for `view_motion`
    :param maps: of the same T frames, with a spatial stage
    :param title: of the page
    :param every: n keeps frames 0, n, 2n, … at their times, for long motions.
    :returns: The path.
    :raises ValueError: as the viewers do, and where the page would be over 6.5 MB; it says how many frames fit
    :raises OSError: where the disk is full.
    """
    if int(every) != every or every < 1:
        raise ValueError(f"every is {every}: expected a whole number from 1, such as 2 for every second frame")
    skeleton = poses_3d.skeleton if isinstance(poses_3d, Motion) else skeleton
    # plotly reads names as markup
    escaped = replace(skeleton, joints=tuple(html.escape(joint, quote=False) for joint in skeleton.joints))
    if isinstance(poses_3d, Motion):
        poses_3d = replace(poses_3d, skeleton=escaped)
    rest = {"skeleton": escaped, "fps": fps, "world": world, "truth_name": html.escape(truth_name, quote=False)}
    motion = view_motion(poses_3d, truth, keypoints=keypoints, **rest)
    spatial = None
    if maps is not None:
        spatial = SpatialAttentionViewer(maps, motion.poses, escaped, world=True)
    page = _page(title, {"joints": skeleton.joints, "truth": truth_name, **_contents(motion, spatial, int(every))})
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return Path(path)


def _contents(motion: MotionViewer, spatial: SpatialAttentionViewer | None, every: int) -> dict:
    """What the page knows: the viewers' pictures at frame 0, and the numbers to make all others of."""
    arrays = {"poses": _packed(1000 * motion.poses[::every], per=1000)}
    if motion.truth is not None:
        arrays["truth"] = _packed(1000 * motion.truth[::every], per=1000)
    if motion.keypoints is not None:
        per = 10 if motion.unit == "in pixels" else 10_000
        arrays["keypoints"] = _packed(per * motion.keypoints[::every], per=per)
    if spatial is not None:
        arrays["attention"] = _packed(255 * spatial.rows[::every] / spatial.top[..., None, None], dtype=np.uint8)
    bones, side = motion.skeleton.bones, motion.skeleton.side
    return {
        "frames": len(motion.poses[::every]),
        "every": every,
        "fps": motion.fps,
        "labels": motion.skeleton.joints,
        "sides": [[bone for bone in bones if side(bone[1]) == name] for name in drawing.SIDES],
        "leaves": motion.leaves,
        "ofJoint": motion.of_joint,
        "ofPose": motion.of_pose,
        "worst": motion.top,  # millimetres, the end of the colours of errors
        "tops": None if spatial is None else spatial.top.tolist(),  # (L, H), the ends of the colours of weights
        "speeds": SPEEDS,
        "cameras": drawing.CAMERAS,
        "grid": drawing.GRID,
        "chosen": drawing.CHOSEN,
        # in full: plotly.js knows other colours by some of these names
        "scales": {"attention": get_colorscale("Viridis"), "error": get_colorscale(ERROR_COLORS)},
        "figures": {name: json.loads(go.Figure(panel).to_json()) for name, panel in _panels(motion, spatial).items()},
        "arrays": arrays,
    }


def _packed(values: np.ndarray, per: int = 1, dtype: type = np.int32) -> dict:
    """Rounded values (T, …) as differences from frame to frame, deflated, in base64; `per` of them are one unit."""
    whole = np.rint(values).astype(dtype)
    differences = np.diff(whole, axis=0, prepend=np.zeros_like(whole[:1]))  # may wrap round; so will their sum
    data = zlib.compress(differences.astype(whole.dtype.newbyteorder("<")).tobytes(), 9)
    return {"shape": values.shape, "per": per, "type": whole.dtype.name, "data": base64.b64encode(data).decode()}


def _panels(motion: MotionViewer, spatial: SpatialAttentionViewer | None) -> dict[str, dict]:
    """The pictures of the viewers, taken apart into one figure for each panel of the page."""
    spec = motion.spec()
    scene = [trace for trace in spec["data"] if trace["type"] == "scatter3d"]
    curve = [trace for trace in spec["data"] if trace.get("xaxis") == "x2"]
    image = [trace for trace in spec["data"] if trace["type"] == "scatter" and trace not in curve]
    panels = {}
    if spatial is not None:
        theirs = spatial.spec()
        scene += [trace for trace in theirs["data"] if trace.get("name") == "links"]
        rows = [trace for trace in theirs["data"] if trace["type"] != "scatter3d"]
        rows[0]["colorbar"] |= {"x": 1.02, "len": 1}
        panels["heatmap"] = _panel(rows, theirs["layout"], ("xaxis", "yaxis"), {"l": 80, "r": 10, "t": 30, "b": 75})
    panels["scene"] = _panel(scene, spec["layout"], ("scene",), {"l": 0, "r": 0, "t": 0, "b": 0})
    if image:
        panels["input"] = _panel(image, spec["layout"], ("xaxis", "yaxis"), {"l": 50, "r": 5, "t": 5, "b": 40})
    if curve:
        panels["curve"] = _panel(curve, spec["layout"], ("xaxis2", "yaxis2"), {"l": 50, "r": 5, "t": 5, "b": 40})
    return panels


def _panel(traces: list[dict], layout: dict, parts: tuple[str, ...], margin: dict) -> dict:
    """Some traces of a viewer with the axes that they stand on, in a figure of their own."""
    whole = {"x": [0, 1], "y": [0, 1]} if parts == ("scene",) else [0, 1]
    axes = {part: layout[part] | {"domain": whole} for part in parts}
    drag = {"dragmode": "orbit" if parts == ("scene",) else False}
    return {
        "data": traces,
        "layout": {**axes, **drag, "margin": margin, "template": "plotly_white", "hovermode": "closest"},
    }


def _page(title: str, contents: dict) -> str:
    """The page as text. Raises ValueError where it is too large."""
    here = files(__package__)
    style, script, page = (here.joinpath(f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js", "html"))
    data = json.dumps(contents, separators=(",", ":")).replace("<", "\\u003c")  # so that no tag begins within it
    parts = {"title": html.escape(title), "style": style, "plotly": get_plotlyjs(), "contents": data, "script": script}
    page = Template(page).substitute(parts)
    if (size := len(page.encode())) > LIMIT:
        frames, room = contents["frames"], LIMIT - (size - len(data))
        fit = int(0.98 * frames * room / len(data))
        every = contents["every"] * math.ceil(1.3 * frames / fit)  # frames that are further apart deflate less well
        raise ValueError(
            f"the page would have {size / 1e6:.1f} MB, and {LIMIT / 1e6:.1f} MB is the most: about {fit} of its "
            f"{frames} frames fit. Give fewer frames of everything, or every={every}, which keeps each frame's time"
        )
    return page
