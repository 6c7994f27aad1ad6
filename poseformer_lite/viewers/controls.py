"""The widgets that several viewers have in common, each with a name and within reach of the keyboard."""

import ipywidgets

from poseformer_lite.skeleton import Skeleton
from poseformer_lite.viewers.drawing import CAMERAS
from poseformer_lite.viewers.viewer import Viewer

TICK = 100  # ms between two pictures while playing: a browser without a graphics card can keep up with it
SPEEDS = (0.1, 0.25, 0.5, 1.0)


def frame_controls(viewer: Viewer, fps: float) -> list[ipywidgets.Widget]:
    """Play, a slider over the frames, and the speed; at full speed frames are left out, so that time is right."""
    last = viewer.state.num_frames - 1
    slider = viewer.tie(ipywidgets.IntSlider(min=0, max=last, description="frame", layout={"width": "320px"}), "frame")
    play = ipywidgets.Play(min=0, max=last, interval=TICK, description="play")
    speed = ipywidgets.Dropdown(
        options=[(f"{value:g} x", value) for value in SPEEDS], value=0.5, description="speed", layout={"width": "160px"}
    )

    def pace(change=None) -> None:
        per_tick = fps * speed.value * TICK / 1000  # frames in one tick
        play.step = max(1, round(per_tick))
        play.interval = round(TICK * play.step / per_tick)

    pace()
    speed.observe(pace, "value")
    return [viewer.tie(play, "frame"), slider, speed]


def head_controls(viewer: Viewer, stage: str) -> list[ipywidgets.Widget]:
    """Which layer and head of a stage."""
    layers, heads = viewer.state.heads[stage]
    small = {"width": "140px"}
    return [
        viewer.tie(ipywidgets.BoundedIntText(min=0, max=layers - 1, description="layer", layout=small), "layer"),
        viewer.tie(ipywidgets.BoundedIntText(min=0, max=heads - 1, description="head", layout=small), "head"),
    ]


def joint_controls(viewer: Viewer, skeleton: Skeleton) -> list[ipywidgets.Widget]:
    """Which joint, and whether it is held on to."""
    names = [(f"{number} {joint}", number) for number, joint in enumerate(skeleton.joints)]
    joint = ipywidgets.Dropdown(options=names, description="joint", layout={"width": "210px"})
    pinned = ipywidgets.ToggleButton(description="pinned", tooltip="hold on to this joint", layout={"width": "90px"})
    return [viewer.tie(joint, "joint"), viewer.tie(pinned, "pinned")]


def view_controls(viewer: Viewer) -> list[ipywidgets.Widget]:
    """From where the scene is seen; the mouse turns it freely, and the button back.

    plotly takes the camera back as well whenever it redraws a scene that is being dragged: pause to turn it.
    """
    options = ipywidgets.Dropdown(options=list(CAMERAS), description="seen from", layout={"width": "240px"})
    words = "undo how the mouse has turned the scene"
    reset = ipywidgets.Button(description="reset view", tooltip=words, layout={"width": "100px"})
    reset.on_click(lambda _: viewer.reset_view())
    return [viewer.tie(options, "view"), reset]
