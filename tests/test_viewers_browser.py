"""The viewers in JupyterLab and Chromium: what is drawn is what the kernel knows, by keyboard and by mouse."""

import re
import statistics

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[test]'")

from helpers_browser import frame_of, page_with_viewers

from lab import save
from poseformer_lite.skeleton import H36M17
from viewer_page import VIEWERS, viewers_on


@pytest.fixture(scope="module")
def open_lab(lab, browser_path):
    frame_seven = {"motion": "motion.state.frame = 7"}
    with page_with_viewers(lab, browser_path, "viewers", VIEWERS, frame_seven) as page_and_told:
        yield page_and_told


@pytest.fixture
def viewers(open_lab):
    page, _ = open_lab
    return dict(zip(VIEWERS, viewers_on(page, len(VIEWERS)), strict=True))


pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_all_viewers_are_drawn_beside_each_other(viewers, tmp_path):
    """What the lessons show, with data of their own. That their cells run, nbval proves; here they are drawn."""
    for name, viewer in viewers.items():
        viewer.show()
        assert viewer.title()
        viewer.output.screenshot(path=tmp_path / f"{name}.png")


def test_ten_presses_of_the_arrow_key_show_the_tenth_frame_after(open_lab, viewers):
    page, told = open_lab
    motion = viewers["motion"]
    motion.show()
    assert frame_of(motion) == 7, "the frame that was set before it was displayed"
    motion.slider().focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    motion.wait_for_title("frame 17 ")
    drawn = np.array(motion.data("joints", "x", "y", "z")).T
    np.testing.assert_allclose(drawn, told["drawn"][17], atol=1e-5)


def test_hovering_a_row_and_hovering_its_joint_colour_the_joints_alike(open_lab, viewers):
    page, told = open_lab
    spatial = viewers["spatial"]
    spatial.show()
    for joint in (5, 16, 13):
        expected = told["rows"][frame_of(spatial), 0, 0, joint]
        for place in (spatial.place_in_heatmap(3, joint), spatial.place_in_scene("joints", joint)):
            away = (joint + 1) % 17
            spatial.hover(spatial.place_in_heatmap(3, away), f"{H36M17.joints[away]} attends most")
            spatial.hover(place, f"{H36M17.joints[joint]} attends most")
            np.testing.assert_allclose(spatial.data("joints", "marker.color")[0], expected, atol=1e-6)


def test_a_click_on_a_tile_of_the_grid_opens_that_head(open_lab, viewers):
    page, _ = open_lab
    heads, temporal, spatial = viewers["heads"], viewers["temporal"], viewers["spatial"]
    heads.show()
    page.mouse.click(*heads.place_in_heatmap(17 + 3, 17 + 3))
    spatial.wait_for_title("spatial layer 1 head 1")
    temporal.wait_for_title("temporal layer 1 head 1")
    page.mouse.click(*heads.place_in_heatmap(3, 3))
    spatial.wait_for_title("spatial layer 0 head 0")


def test_a_click_on_a_column_moves_the_skeleton_there(open_lab, viewers):
    page, told = open_lab
    temporal = viewers["temporal"]
    temporal.show()
    frame = frame_of(temporal)
    page.mouse.click(*temporal.place_in_heatmap(6, 2))
    (center,) = re.findall(r"round frame (\d+)", temporal.title())
    expected = int(center) + 6 - 4
    assert expected != frame
    viewers["spatial"].wait_for_title(f"frame {expected}")
    drawn = np.array(temporal.data("joints", "x", "y", "z")).T
    np.testing.assert_allclose(drawn, told["drawn"][expected], atol=1e-5)


def test_a_click_pins_and_a_second_lets_go(open_lab, viewers):
    page, _ = open_lab
    spatial = viewers["spatial"]
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


def test_thirty_quick_presses_settle_on_the_last_frame(open_lab, viewers):
    page, told = open_lab
    motion = viewers["motion"]
    start = frame_of(motion)
    motion.slider().focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight", delay=10)
    motion.wait_for_title(f"frame {start + 30}")
    page.wait_for_timeout(2000)
    drawn = np.array(motion.data("joints", "x", "y", "z")).T
    np.testing.assert_allclose(drawn, told["drawn"][start + 30], atol=1e-5)


def test_from_key_to_figure_takes_a_second_at_most(viewers):
    motion = viewers["motion"]
    motion.show()
    start = frame_of(motion)
    assert statistics.median(motion.latencies(10, start + 1)) <= 1.0


def test_after_a_reload_slider_and_figure_agree(open_lab, viewers):
    """The last test of this page, which is opened again in it."""
    page, told = open_lab
    frame = frame_of(viewers["motion"])
    assert frame > 17
    save(page)
    page.reload()
    motion = viewers_on(page, len(VIEWERS))[0]
    assert frame_of(motion) == frame
    assert f"frame {frame} " in motion.title()
    drawn = np.array(motion.data("joints", "x", "y", "z")).T
    np.testing.assert_allclose(drawn, told["drawn"][frame], atol=1e-5)
