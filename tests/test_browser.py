"""JupyterLab in Chromium, without a network: a learner's first minutes, and viewers that draw what the kernel knows.

The first notebook is run as a whole. The other lessons are not run in a browser: nbval proves that their cells run and
print what they should, and here each of their viewers is drawn, and does as it is told by keyboard and by mouse.
"""

import re
import statistics
from pathlib import Path

import nbformat
import numpy as np
import pytest

import frozen_notebooks

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[test]'")

from helpers_browser import frame_of, page_with_viewers

from lab import ROOT, copy_course, end_kernels, lab_page, run_all_cells, running_lab, save
from poseformer_course import toys
from poseformer_lite import viewers
from poseformer_lite.skeleton import H36M17
from viewer_page import SETUP, VIEWERS, viewers_on

START_HERE = "notebooks/00_start_here.ipynb"
BUDGET = "windows_per_epoch=3072"  # in which it trains
PICTURES_PER_CELL = """() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].map(cell =>
    [...cell.querySelectorAll('.jp-OutputArea-output img, .jp-MarkdownOutput img')].filter(
        image => image.naturalWidth > 0 && image.naturalHeight > 0 && image.offsetWidth > 0).length)"""


def make_short_and_blank(path: Path) -> None:
    """A quarter of its training; no stored outputs, so that all that is seen later was made by this run."""
    notebook = nbformat.read(path, as_version=4)
    assert sum(cell.source.count(BUDGET) for cell in notebook.cells) == 1, f"{path.name} trains with {BUDGET} once"
    for cell in notebook.cells:
        cell.source = cell.source.replace(BUDGET, "windows_per_epoch=1024")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, path)


def count_pictures(cell) -> int:
    """Pictures that a cell shows, as its committed form says."""
    if cell.cell_type == "markdown":
        return len(re.findall(r"!\[", cell.source))
    if "view_motion(" in cell.source or "explore(" in cell.source:
        return 0  # where there is a kernel, what is live stands in the place of the still picture
    return sum("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """One JupyterLab for all of these tests, on a copy of the course."""
    root, folder = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("lab")
    with running_lab(copy_course(root), folder) as lab:
        yield lab


@pytest.mark.slow
@pytest.mark.browser
def test_start_here_runs_in_jupyterlab(lab, tmp_path, browser_path):
    root = lab.root
    committed = nbformat.read(root / START_HERE, as_version=4)
    assert frozen_notebooks.find_problems(committed) == [], "bring it into its committed form first: make notebooks"
    expected = [count_pictures(cell) for cell in committed.cells]
    make_short_and_blank(root / START_HERE)

    with lab_page(lab, browser_path) as page:
        run_all_cells(page, START_HERE)  # where the lab leads by itself, as `make lab` opens it
        save(page)
        page.screenshot(path=tmp_path / "after_the_run.png")
        assert page.get_by_text("Jupyter news").count() == 0, "no popup asks a newcomer about news"
        pictures = page.evaluate(PICTURES_PER_CELL)
        inside = page.frame_locator("iframe[title='PoseFormer in a page']")
        inside.locator("#explore:not([hidden])").wait_for(timeout=60_000)
        inside.get_by_role("button", name="Open in a tab").wait_for()
        before = inside.locator("#error").inner_text()
        inside.locator("#flat").press("Shift+ArrowLeft")
        inside.locator("#error-change").filter(has_text=before.removesuffix(" mm")).wait_for()

    notebook = nbformat.read(root / START_HERE, as_version=4)
    outputs = [(number, output) for number, cell in enumerate(notebook.cells) for output in cell.get("outputs", [])]
    assert [(number, o.ename, o.evalue) for number, o in outputs if o.output_type == "error"] == []
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "every code cell is run once, in order"

    (curve,) = [number for number, cell in enumerate(notebook.cells) if "\nrun.plot()" in cell.source]
    assert pictures[curve] == 1, "the training curve is shown"
    assert pictures == expected, "pictures per cell, in the browser and in the committed notebook"


def test_all_viewers_of_the_lessons_are_among_those_that_a_browser_is_seen_to_draw():
    makers = {*viewers.__all__, *toys.__all__} - {"export_html"}

    def made_in(code: str) -> set[str]:
        return {name for name in makers if re.search(rf"\b{name}\(", code)}

    lessons = map(frozen_notebooks.read, (ROOT / "notebooks").glob("*.ipynb"))
    in_lessons = made_in("\n".join(cell.source for lesson in lessons for cell in frozen_notebooks.code_cells(lesson)))
    assert {"view_motion", "view_attention", "AblationBoard", "CameraToy"} <= in_lessons
    assert in_lessons <= made_in("\n".join([SETUP, *VIEWERS.values()]))


# The viewers


# anywidget waits two seconds for the code of a figure, and then drops all that the kernel sends to it.
PLOTLY_LOADS_SLOWLY = """
import plotly.graph_objects as go

go.FigureWidget._esm = f"await new Promise(later => setTimeout(later, 3000));\\n{go.FigureWidget._esm}"
"""


@pytest.mark.slow
@pytest.mark.browser
def test_after_a_reload_slider_and_figure_agree_also_where_plotly_loads_slowly(lab, browser_path):
    given = ["motion"], {"motion": "motion.state.frame = 7"}, PLOTLY_LOADS_SLOWLY
    with page_with_viewers(lab, browser_path, "reloaded", *given) as (page, told):
        (motion,) = viewers_on(page, 1)
        assert frame_of(motion) == 7, "the frame that was set before it was displayed"
        motion.latencies(3, first=8)
        save(page)
        page.reload()
        (motion,) = viewers_on(page, 1)
        assert frame_of(motion) == 10
        assert "frame 10 " in motion.title()
        drawn = np.array(motion.data("joints", "x", "y", "z")).T
        np.testing.assert_allclose(drawn, told["drawn"][10], atol=1e-5)
        end_kernels(lab)
        page.reload()  # and JupyterLab starts a new kernel, which knows of no viewer
        picture = page.locator(".jp-OutputArea-output img").first
        picture.wait_for()
        page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
        assert picture.evaluate("image => image.naturalWidth") > 300
        assert page.get_by_text("Error displaying widget").count() == 0


@pytest.fixture(scope="module")
def open_lab(lab, browser_path):
    with page_with_viewers(lab, browser_path, "viewers", VIEWERS) as page_and_told:
        yield page_and_told


@pytest.fixture
def shown(open_lab):
    page, _ = open_lab
    return dict(zip(VIEWERS, viewers_on(page, len(VIEWERS)), strict=True))


@pytest.mark.slow
@pytest.mark.browser
def test_all_viewers_are_drawn_beside_each_other(shown, tmp_path):
    """What the lessons show, with data of their own. That their cells run, nbval proves; here they are drawn."""
    for name, viewer in shown.items():
        viewer.show()
        assert viewer.title()
        viewer.output.screenshot(path=tmp_path / f"{name}.png")


@pytest.mark.slow
@pytest.mark.browser
def test_ten_presses_of_the_arrow_key_show_frame_ten(open_lab, shown):
    page, told = open_lab
    motion = shown["motion"]
    motion.show()
    motion.slider().focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    motion.wait_for_title("frame 10 ")
    drawn = np.array(motion.data("joints", "x", "y", "z")).T
    np.testing.assert_allclose(drawn, told["drawn"][10], atol=1e-5)


@pytest.mark.slow
@pytest.mark.browser
def test_hovering_a_row_and_hovering_its_joint_colour_the_joints_alike(open_lab, shown):
    page, told = open_lab
    spatial = shown["spatial"]
    spatial.show()
    for joint in (5, 16, 13):
        expected = told["rows"][frame_of(spatial), 0, 0, joint]
        for place in (spatial.place_in_heatmap(3, joint), spatial.place_in_scene("joints", joint)):
            away = (joint + 1) % 17
            spatial.hover(spatial.place_in_heatmap(3, away), f"{H36M17.joints[away]} attends most")
            spatial.hover(place, f"{H36M17.joints[joint]} attends most")
            np.testing.assert_allclose(spatial.data("joints", "marker.color")[0], expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.browser
def test_a_click_on_a_tile_of_the_grid_opens_that_head(open_lab, shown):
    page, _ = open_lab
    heads, temporal, spatial = shown["heads"], shown["temporal"], shown["spatial"]
    heads.show()
    page.mouse.click(*heads.place_in_heatmap(17 + 3, 17 + 3))
    spatial.wait_for_title("spatial layer 1 head 1")
    temporal.wait_for_title("temporal layer 1 head 1")
    page.mouse.click(*heads.place_in_heatmap(3, 3))
    spatial.wait_for_title("spatial layer 0 head 0")


@pytest.mark.slow
@pytest.mark.browser
def test_a_click_on_a_column_moves_the_skeleton_there(open_lab, shown):
    page, told = open_lab
    temporal = shown["temporal"]
    temporal.show()
    frame = frame_of(temporal)
    page.mouse.click(*temporal.place_in_heatmap(6, 2))
    (centre,) = re.findall(r"round frame (\d+)", temporal.title())
    expected = int(centre) + 6 - 4
    assert expected != frame
    shown["spatial"].wait_for_title(f"frame {expected}")
    drawn = np.array(temporal.data("joints", "x", "y", "z")).T
    np.testing.assert_allclose(drawn, told["drawn"][expected], atol=1e-5)


@pytest.mark.slow
@pytest.mark.browser
def test_a_click_pins_and_a_second_lets_go(open_lab, shown):
    page, _ = open_lab
    spatial = shown["spatial"]
    spatial.show()
    spatial.hover(spatial.place_in_heatmap(3, 4), "LHip attends most")
    page.mouse.click(*spatial.place_in_heatmap(3, 4))
    spatial.wait_for_title("LHip (pinned) attends most")
    page.mouse.move(*spatial.place_in_heatmap(3, 9))
    page.wait_for_timeout(1500)
    assert "LHip (pinned)" in spatial.title()
    page.mouse.move(*spatial.place_in_heatmap(3, 4))
    page.mouse.click(*spatial.place_in_heatmap(3, 4))
    spatial.wait_for_title("LHip attends most")


@pytest.mark.slow
@pytest.mark.browser
def test_thirty_quick_presses_settle_on_the_last_frame(open_lab, shown):
    page, told = open_lab
    motion = shown["motion"]
    start = frame_of(motion)
    motion.slider().focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight", delay=10)
    motion.wait_for_title(f"frame {start + 30}")
    page.wait_for_timeout(2000)
    drawn = np.array(motion.data("joints", "x", "y", "z")).T
    np.testing.assert_allclose(drawn, told["drawn"][start + 30], atol=1e-5)


@pytest.mark.slow
@pytest.mark.browser
def test_from_key_to_figure_takes_two_seconds_at_most(shown):
    """Half a second on an idle machine, see benchmarks/results/viewers.json; a busy one is not a failure."""
    motion = shown["motion"]
    motion.show()
    start = frame_of(motion)
    assert statistics.median(motion.latencies(10, start + 1)) <= 2.0
