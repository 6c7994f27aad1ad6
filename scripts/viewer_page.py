"""A notebook that holds all viewers, and how a browser reads and moves them: for the tests and for the pictures."""

import itertools
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import TimeoutError as PlaywrightTimeout

NOTEBOOK = "viewers.ipynb"
SETUP = """
import torch
import poseformer_lite as pfl
from poseformer_course import toys
from poseformer_lite import viewers

data = pfl.load_dataset("synthetic", keypoints="noisy")
walk = next(sequence for sequence in data.test() if sequence.base_action == "Walking")
model = pfl.PoseFormer.from_pretrained("lite")
poses_2d = torch.from_numpy(walk.poses_2d()[:120])
truth = walk.root_relative(0)[:120]
poses_3d = model.predict_sequence(poses_2d)
seen = pfl.view_attention(model, poses_2d)
"""
# One cell each. A page holds eight WebGL contexts at least; these are five scenes.
VIEWERS = {
    "motion": "pfl.view_motion(poses_3d, truth=truth, keypoints=walk.keypoints[:120])",
    "heads": "seen.heads",
    "spatial": "seen.spatial",
    "temporal": "seen.temporal",
    "ablation": "toys.AblationBoard(model, [walk])",
    "depth_ambiguity": "toys.DepthAmbiguityToy(walk.poses_3d[60], walk.camera)",
    "camera": "toys.CameraToy(walk.camera.camera_to_world(walk.poses_3d[60]))",
}


def write_notebook(folder: Path, names=tuple(VIEWERS), setup: str = SETUP, after: dict[str, str] | None = None) -> None:
    """Each viewer in a cell of its own, called by its name, under a heading with that name.

    after: what else to do with a viewer before it is displayed.
    """
    cells = [new_code_cell(setup.strip())]
    for name in names:
        cells += [
            new_markdown_cell(f"## {name}"),
            new_code_cell(f"{name} = {VIEWERS[name]}\n{(after or {}).get(name, '')}\n{name}"),
        ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), folder / NOTEBOOK)


# Every figure has its traces, and those with a scene have it.
ALL_DRAWN = """count => {
    const plots = [...document.querySelectorAll('.js-plotly-plot')];
    return plots.length === count && plots.every(({_fullData: data, _fullLayout: layout}) =>
        data?.length && layout && (!layout.scene || layout.scene._scene));
}"""

DRAWN_SO_FAR = """() => [...document.querySelectorAll('.js-plotly-plot')].map(plot =>
    [plot._fullLayout?.title?.text, plot._fullData?.length, Boolean(plot._fullLayout?.scene?._scene)])"""


def viewers_on(page, count: int) -> list["ViewerOnPage"]:
    """The viewers of the open notebook from top to bottom, as soon as all are drawn."""
    try:
        page.wait_for_function(ALL_DRAWN, arg=count, timeout=120_000, polling=250)
    except PlaywrightTimeout as error:
        raise TimeoutError(f"{count} viewers are not drawn after 120 s: {page.evaluate(DRAWN_SO_FAR)}") from error
    page.wait_for_timeout(1000)
    return [ViewerOnPage(page, number) for number in range(count)]


class ViewerOnPage:
    """One viewer in the open notebook: the nth output that holds a plotly figure."""

    def __init__(self, page, number: int):
        self.page = page
        self.output = page.locator(".jp-OutputArea-output:has(.js-plotly-plot)").nth(number)
        self.figure = self.output.locator(".js-plotly-plot")

    def show(self) -> None:
        """Bring it into view: the mouse reaches nothing outside."""
        self.figure.scroll_into_view_if_needed()
        self.page.wait_for_timeout(300)

    def data(self, name: str, *keys: str):
        """Properties of the trace of that name, such as "x" or "marker.color", as they are drawn."""
        read = """(plot, [name, keys]) => {
            const trace = plot._fullData.find(trace => trace.name === name);
            return keys.map(key => Array.from(key.split('.').reduce((value, part) => value[part], trace)));
        }"""
        return self.figure.evaluate(read, [name, list(keys)])

    def title(self) -> str:
        return self.figure.evaluate("plot => plot._fullLayout.title.text")

    def wait_for_title(self, words: str, seconds: float = 20) -> None:
        self._until("(plot, words) => plot._fullLayout.title.text.includes(words)", seconds, words)

    def place_in_scene(self, name: str, index: int) -> tuple[float, float]:
        """Where on the page a point of a 3D trace is seen."""
        project = """(plot, [name, index]) => {
            const trace = plot._fullData.find(trace => trace.name === name);
            const scene = plot._fullLayout[trace.scene]._scene;
            const four = [0, 1, 2, 3];
            const apply = (matrix, p) => four.map(r => four.reduce((sum, c) => sum + matrix[4 * c + r] * p[c], 0));
            const {model, view, projection} = scene.glplot.cameraParams;
            const scaled = ['x', 'y', 'z'].map((axis, i) => trace[axis][index] * scene.dataScale[i]);
            const [x, y, , w] = [model, view, projection].reduce((p, matrix) => apply(matrix, p), [...scaled, 1]);
            const area = scene.container.getBoundingClientRect();
            return [area.left + area.width * (1 + x / w) / 2, area.top + area.height * (1 - y / w) / 2];
        }"""
        return tuple(self.figure.evaluate(project, [name, index]))

    def place_in_heatmap(self, column: float, row: float, name: str = "rows") -> tuple[float, float]:
        """Where on the page the middle of a cell of a heatmap is."""
        place = """(plot, [name, column, row]) => {
            const trace = plot._fullData.find(trace => trace.name === name);
            const axis = letter => plot._fullLayout[letter + 'axis' + (trace[letter + 'axis'] || letter).slice(1)];
            const area = plot.getBoundingClientRect(), x = axis('x'), y = axis('y');
            return [area.left + x._offset + x.d2p(column), area.top + y._offset + y.d2p(row)];
        }"""
        return tuple(self.figure.evaluate(place, [name, column, row]))

    def hover(self, place: tuple[float, float], words: str, seconds: float = 20) -> None:
        """Hold the mouse there, as still as a hand can, until the title holds these words."""
        deadline = time.monotonic() + seconds
        wiggle = itertools.cycle((0, 1))
        while words not in self.title():
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {seconds} s at {place} the title is {self.title()!r}, not {words!r}")
            self.page.mouse.move(place[0] + next(wiggle), place[1])
            self.page.wait_for_timeout(200)

    def slider(self, number: int = 0):
        return self.output.locator(".widget-slider .noUi-handle").nth(number)

    def latencies(self, presses: int, first: int) -> list[float]:
        """Seconds from each press of the arrow key on the frame slider to the figure's new frame."""
        self.slider().focus()
        seconds = []
        for frame in range(first, first + presses):
            started = time.perf_counter()
            self.page.keyboard.press("ArrowRight")
            self.wait_for_title(f"frame {frame}")
            seconds.append(time.perf_counter() - started)
        return seconds

    def _until(self, condition: str, seconds: float, argument=None) -> None:
        deadline = time.monotonic() + seconds
        while not self.figure.evaluate(condition, argument):
            if time.monotonic() > deadline:
                raise TimeoutError(f"after {seconds} s still not: {condition} ({argument!r}), but {self.title()!r}")
            time.sleep(0.02)
