"""A viewer that is loaded again in JupyterLab shows what it showed before: slider and figure agree."""

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[test]'")

from helpers_browser import frame_of, lab_with

from lab import save
from viewer_page import viewers_on

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_after_a_reload_slider_and_figure_agree(tmp_path, browser_path):
    with lab_with(tmp_path, browser_path, ("motion",), {"motion": "motion.state.frame = 7"}) as (page, told):
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
