"""Bodies, links and heatmaps as plotly takes them: plain dictionaries, so that what changed is easy to tell."""

import numpy as np
from matplotlib.patches import Rectangle

from poseformer_lite.camera import z_up as z_up
from poseformer_lite.plots import CHOSEN, COLORS, LINK, strongest_others
from poseformer_lite.skeleton import Skeleton

SIDES = ("left", "right", "middle")
DASHES = {"left": "solid", "right": "dash", "middle": "solid"}  # told apart in grey, too
BAR = "#56B4E9"
GRID = 0.5  # metres between the lines of a scene
CAMERAS = {  # where the eye is, in a cube of side 1 round the origin
    "three quarters": (0.85, -1.2, 0.35),
    "front": (0.0, -1.5, 0.1),
    "back": (0.0, 1.5, 0.1),
    "left of the picture": (-1.5, 0.0, 0.1),
    "right of the picture": (1.5, 0.0, 0.1),
    "above": (0.0, -0.05, 1.6),
}


def layout(title: str, subtitle: str, height: int, margin: dict, **rest) -> dict:
    """What all figures have in common: 980 pixels of width and a title in two lines."""
    return {
        "width": 980,
        "height": height,
        "margin": margin,
        "title": {"text": f"{title}<br><sub>{subtitle}</sub>", "font": {"size": 15}},
        "hovermode": "closest",
        "template": "plotly_white",
        **rest,
    }


def body(pose: np.ndarray, skeleton: Skeleton, scene: str | None = None, ghost: bool = False, name: str = "") -> list:
    """Three traces of bones, one for each side, and one of joints. pose: (J, 3) z up, or (J, 2) in an image.

    scene: "scene", "scene2", … for 3D. A ghost is grey and wide, to lie under another body. The joints carry their
    names; bones do not answer to the mouse.
    """
    traces = []
    for side in SIDES:
        bones = np.array([bone for bone in skeleton.bones if skeleton.side(bone[1]) == side], dtype=int)
        line = {"color": COLORS[side], "width": 6 if scene else 2.5, "dash": DASHES[side]}
        if ghost:
            line = {"color": "#b0b0b0", "width": 9 if scene else 5, "dash": "solid"}
        traces.append(segments(pose[bones.reshape(-1, 2)], scene, line=line))
    joints = {"size": 4 if scene else 5, "color": "#b0b0b0" if ghost else "#333333", "opacity": 1}
    names = [f"{number} {joint}" for number, joint in enumerate(skeleton.joints)]
    silent = {"hoverinfo": "skip"} if ghost else {"text": names, "hovertemplate": "%{text}<extra></extra>"}
    traces.append(_trace(pose, scene, mode="markers", marker=joints, **silent))
    for trace in traces:
        trace["name"] = name
    return traces


def links(pose: np.ndarray, joint: int, row: np.ndarray, scene: str, strongest: int = 5) -> dict:
    """Lines from a joint to those it attends to most, the strongest darkest. pose: (J, 3) z up; row: (J,)."""
    order = strongest_others(row, joint, strongest)
    shares = np.repeat([row[other] / row[order[0]] for other in order], 3)
    line = {
        "width": 8,
        "color": shares.round(4).tolist(),
        "colorscale": [[0, "#e5f5ef"], [1, LINK]],
        "cmin": 0,
        "cmax": 1,
    }
    return segments(pose[[(joint, other) for other in order]], scene, line=line, name="links")


def rows_heatmap(z: list, top: float, **rest) -> dict:
    """A heatmap of attention weights, query by query. z: of the cells; top: the weight of the brightest colour."""
    return {"type": "heatmap", "name": "rows", "z": z, "zmin": 0, "zmax": top, "colorscale": "Viridis", **rest}


def token_axis(places: list, names: list[str], span: tuple[float, float], **rest) -> dict:
    """An axis along tokens, some of which are named; span: its ends, downwards where the larger comes first."""
    look = {"showgrid": False, "zeroline": False, "ticks": ""}
    return {"tickvals": places, "ticktext": names, "range": list(span), **look, **rest}


def outline(corner: tuple[float, float], width: float, height: float, line: float) -> dict:
    """A shape round some cells of a heatmap. corner: x and y of the upper left one, less half a cell."""
    x, y = corner
    look = {"type": "rect", "line": {"color": CHOSEN, "width": line}}
    return {"x0": x, "y0": y, "x1": x + width, "y1": y + height, **look}


def outline_still(ax, shape: dict, linewidth: float) -> None:
    """The same shape as `outline` gives, in matplotlib."""
    x, y = shape["x0"], shape["y0"]
    ax.add_patch(Rectangle((x, y), shape["x1"] - x, shape["y1"] - y, fill=False, edgecolor=CHOSEN, linewidth=linewidth))


def box(rows: slice, columns: slice, **place) -> dict:
    """A box round some rows and columns of a heatmap."""
    left, right = columns.start - 0.5, columns.stop - 0.5
    top, bottom = rows.start - 0.5, rows.stop - 0.5
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]])
    return _trace(corners, None, mode="lines", line={"color": "#ffffff", "width": 2}, hoverinfo="skip", **place)


def frame_names(window: np.ndarray) -> list[str]:
    """What the frames of a window (F,) are called: number and offset, as the ends of a sequence occur repeatedly."""
    return [f"frame {frame} ({place - len(window) // 2:+d})" for place, frame in enumerate(window)]


def scene_layout(poses: np.ndarray, view: str, across=(0.0, 1.0), up=(0.0, 1.0)) -> dict:
    """A 3D scene that holds all poses (..., 3), z up, in equal scales, with ranges that do not move."""
    points = poses.reshape(-1, 3)
    middle = (points.max(0) + points.min(0)) / 2
    half = max(0.53 * float(np.ptp(points, axis=0).max()), 0.1)
    axes = {
        f"{axis}axis": {
            "range": [round(float(center - half), 4), round(float(center + half), 4)],
            "title": {"text": ""},
            "showticklabels": False,
            "dtick": GRID,
            "backgroundcolor": "#f7f7f7",
            "gridcolor": "#dddddd",
            "showbackground": True,
            "showspikes": False,
        }
        for axis, center in zip("xyz", middle, strict=True)
    }
    x, y, z = CAMERAS[view]
    camera = {"eye": {"x": x, "y": y, "z": z}, "center": {"x": 0, "y": 0, "z": 0}, "up": {"x": 0, "y": 0, "z": 1}}
    return {**axes, "aspectmode": "cube", "camera": camera, "domain": {"x": list(across), "y": list(up)}}


def fitted_scene(points: np.ndarray, view: str, across=(0.0, 1.0), up=(0.0, 1.0), stretch: float = 1.5) -> dict:
    """A 3D scene as `scene_layout` makes it, but no longer in any direction than what it holds. points: (..., 3)."""
    points = points.reshape(-1, 3)
    low, high = points.min(0) - 0.1, points.max(0) + 0.1
    layout = scene_layout(points, view, across, up)
    for axis, bottom, top in zip("xyz", low, high, strict=True):
        layout[f"{axis}axis"]["range"] = [round(float(bottom), 4), round(float(top), 4)]
    shares = stretch * (high - low) / np.linalg.norm(high - low)
    layout["aspectratio"] = {axis: round(float(share), 4) for axis, share in zip("xyz", shares, strict=True)}
    return layout | {"aspectmode": "manual"}


def grid_note(x: float, y: float = 0.0) -> dict:
    """An annotation that says how wide the grid of a scene is, at a place of the figure in shares of its size."""
    return note(f"grid: {GRID:g} m", x, y)


def note(text: str, x: float, y: float = 0.0, **look) -> dict:
    """An annotation in small grey print, at a place of the figure in shares of its size."""
    place = {"x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "center", "yanchor": "top"}
    return {"text": text, "showarrow": False, "font": {"size": 11, "color": "#777777"}, **place, **look}


def image_axes(points: np.ndarray, unit: str, across, up) -> dict:
    """The two axes of a picture with y downwards, in equal scales, round all points (..., 2)."""
    low, high = points.reshape(-1, 2).min(0), points.reshape(-1, 2).max(0)
    room = 0.08 * float((high - low).max())
    x, y = ([float(a - room), float(b + room)] for a, b in zip(low, high, strict=True))
    return {
        "xaxis": _axis(x, across, {"text": f"x {unit}"}),
        "yaxis": _axis(y[::-1], up, {"text": f"y {unit}"}, scaleanchor="x"),
    }


def _axis(span: list[float], domain: tuple[float, float], title: dict, **rest) -> dict:
    look = {
        "gridcolor": "#eeeeee",
        "zeroline": False,
        "tickfont": {"size": 9},
        "title": {"font": {"size": 11}, **title},
    }
    return {"range": span, "domain": list(domain), **look, **rest}


def trails(paths: np.ndarray, scene: str) -> dict:
    """Where some points have been, the latest darkest, as one trace. paths: (N, P, 3), N frames z up."""
    N, P, _ = paths.shape
    points = np.concatenate([paths, np.full((1, P, 3), np.nan)]).swapaxes(0, 1)  # path by path, a gap behind each
    ages = np.tile(np.append(np.linspace(0, 1, N), 1), P)
    line = {"width": 5, "color": ages.round(3).tolist(), "colorscale": [[0, "#f3e3ec"], [1, CHOSEN]]}
    line |= {"cmin": 0, "cmax": 1}
    return _trace(points.reshape(-1, 3), scene, mode="lines", line=line, hoverinfo="skip", name="trails")


def curve(values: list[float], frame: int, name: str, unit: str, **axes) -> list[dict]:
    """A number over time with a line at a frame, above a pane that answers to the mouse in all its height."""
    top = 1.1 * max(*values, 1e-6)
    pane = {
        "type": "heatmap",
        "name": name,
        "z": [values],
        "x0": 0,
        "dx": 1,
        "y": [0, top],
        "colorscale": [[0, "#ffffff"], [1, "#ffffff"]],
        "showscale": False,
        "hovertemplate": f"frame %{{x}}: %{{z:.0f}} {unit}<extra></extra>",
        **axes,
    }
    frames = np.arange(len(values))
    line = _trace(np.column_stack([frames, values]), None, mode="lines", line={"color": "#444444", "width": 1.5})
    now = np.array([[frame, 0], [frame, values[frame]], [frame, top]])
    here = {"size": [0, 9, 0], "color": CHOSEN, "opacity": 1}
    mark = _trace(now, None, mode="lines+markers", line={"color": CHOSEN, "width": 1.5}, marker=here)
    return [pane, *(trace | {"hoverinfo": "skip", "name": f"{name} over time", **axes} for trace in (line, mark))]


def curve_axes(values: list[float], title: str, across, up, number: int) -> dict:
    """The axes of a curve over the frames, in the axes of that number."""
    x, y = [-0.5, len(values) - 0.5], [0, 1.1 * max(*values, 1e-6)]
    below, beside = ({"text": text, "standoff": 4} for text in ("frame", title))
    return {
        f"xaxis{number}": _axis(x, across, below, anchor=f"y{number}", showgrid=False),
        f"yaxis{number}": _axis(y, up, beside, anchor=f"x{number}", showgrid=False),
    }


def segments(ends: np.ndarray, scene: str | None = None, **look) -> dict:
    """One trace of straight lines that do not answer to the mouse. ends: (N, 2, 3) z up, or (N, 2, 2) in an image."""
    gaps = np.full((len(ends), 1, ends.shape[-1]), np.nan)
    points = np.concatenate([ends, gaps], axis=1).reshape(-1, ends.shape[-1])
    return _trace(points, scene, mode="lines", hoverinfo="skip", **look)


def markers(points: np.ndarray, scene: str | None = None, **look) -> dict:
    """One trace of points that do not answer to the mouse. points: (N, 3) z up, or (N, 2) in an image."""
    return _trace(points, scene, mode="markers", hoverinfo="skip", **look)


def _trace(points: np.ndarray, scene: str | None, **rest) -> dict:
    """A scatter trace of points (N, 2), or (N, 3) in a scene; NaN becomes the gap that JSON knows."""
    columns = {
        axis: [None if value != value else value for value in column]
        for axis, column in zip("xyz", np.asarray(points, dtype=float).T.round(6).tolist(), strict=False)
    }
    kind = {"type": "scatter3d", "scene": scene} if scene else {"type": "scatter"}
    return {**kind, **columns, "showlegend": False, **rest}
