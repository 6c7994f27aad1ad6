"""The page's side of a figure, alone in a browser: what it says of scenes that the browser puts away."""

from importlib.resources import files

import pytest

from chromium import BROWSER_FLAGS

pytestmark = pytest.mark.browser
PLOTLY = """export default () => ({ initialize() {}, render({ el }) {
    const canvas = el.appendChild(document.createElement("canvas"));
    el.held = canvas.getContext("webgl"); } })"""
SHOW = """async ({ source, plotly, number }) => {
    const { default: figure } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    for (let i = 0; i < number; i++) {
        const el = document.body.appendChild(document.createElement("div"));
        await figure().render({ model: { get: () => plotly }, el });
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    return [...document.querySelectorAll("div")].map((el) => el.innerText.trim());
}"""


def test_a_scene_that_the_browser_puts_away_is_replaced_by_a_sentence(browser_path):
    source = files("poseformer_lite.viewers").joinpath("figure.js").read_text(encoding="utf-8")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=browser_path, args=BROWSER_FLAGS)
        page = browser.new_page()
        page.set_default_timeout(120_000)
        said = page.evaluate(SHOW, {"source": source, "plotly": PLOTLY, "number": 18})
        browser.close()
    words = [bool(text) for text in said]
    assert 1 <= sum(words) <= 4 and words == sorted(words, reverse=True), "the oldest are put away"
    assert "The browser has put this scene away" in said[0] and "run this cell again" in said[0]
