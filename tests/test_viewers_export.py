"""The exported page: its numbers, its size, its text, and its life in a browser without a network."""

import base64
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

import poseformer_lite as pfl
from chromium import BROWSER_FLAGS
from poseformer_lite.model.heads import AttentionMaps
from poseformer_lite.skeleton import H36M17, MEDIAPIPE33
from poseformer_lite.viewers import drawing
from poseformer_lite.viewers.export import LIMIT, export_html
from poseformer_lite.viewers.motion import MotionViewer
from poseformer_lite.viewers.spatial import SpatialAttentionViewer

T, L, H, J = 30, 2, 3, 17


def made_up(T: int = T, J: int = J, L: int = L, H: int = H) -> dict:
    """A body that sways, what it was lifted from, and heads that change slowly."""
    rng = np.random.default_rng(0)
    time = np.linspace(0, 3, T)[:, None, None]
    poses = rng.normal(0, 0.4, (J, 3)) + 0.05 * np.sin(time + rng.normal(0, 1, (J, 3)))
    poses -= poses[:, :1]
    rows = rng.normal(0, 1, (L, H, J, J)) + 0.02 * rng.normal(0, 1, (T, L, H, J, J)).cumsum(0)
    return {
        "poses_3d": poses,
        "truth": poses + rng.normal(0, 0.03, poses.shape),
        "keypoints": 500 + 200 * poses[..., :2],
        "maps": AttentionMaps(torch.from_numpy(rows).softmax(-1), torch.zeros(T, 1, 1, 9, 9)),
    }


def contents(path) -> dict:
    text = re.search(r'<script type="application/json" id="contents">(.*?)</script>', path.read_text(), re.DOTALL)
    return json.loads(text[1])


def unpacked(array: dict) -> np.ndarray:
    """What the page makes of an array: whole numbers, from their differences over time, in units."""
    dtype = {"uint8": np.uint8, "int32": np.dtype("<i4")}[array["type"]]
    steps = np.frombuffer(zlib.decompress(base64.b64decode(array["data"])), dtype).reshape(array["shape"])
    return np.cumsum(steps, axis=0, dtype=dtype) / array["per"]


def test_the_page_holds_the_numbers_within_their_rounding(tmp_path):
    given = made_up()
    page = contents(export_html(tmp_path / "page.html", **given, fps=25))
    arrays = {name: unpacked(array) for name, array in page["arrays"].items()}
    assert abs(arrays["poses"] - drawing.z_up(given["poses_3d"])).max() <= 0.0005 + 1e-9
    assert abs(arrays["truth"] - drawing.z_up(given["truth"])).max() <= 0.0005 + 1e-9
    assert abs(arrays["keypoints"] - given["keypoints"]).max() <= 0.05 + 1e-9
    rows = given["maps"].spatial.numpy()
    top = rows.max(axis=(0, 3, 4))
    np.testing.assert_allclose(page["tops"], top)
    error = abs(arrays["attention"] * top[..., None, None] / 255 - rows)
    assert (error <= top[..., None, None] / 510 + 1e-9).all()
    assert (page["frames"], page["fps"], page["every"], page["joints"]) == (T, 25, 1, list(H36M17.joints))


def test_normalised_keypoints_are_rounded_finer(tmp_path):
    given = made_up()
    keypoints = given["keypoints"] / 1000
    page = contents(export_html(tmp_path / "page.html", given["poses_3d"], keypoints=keypoints))
    assert abs(unpacked(page["arrays"]["keypoints"]) - keypoints).max() <= 0.5e-4 + 1e-9


def test_the_first_pictures_are_those_of_the_live_viewers(tmp_path):
    given = made_up()
    panels = contents(export_html(tmp_path / "page.html", **given))["figures"]
    motion = MotionViewer(given["poses_3d"], given["truth"], given["keypoints"]).spec()
    spatial = SpatialAttentionViewer(given["maps"], given["poses_3d"]).spec()
    live = [trace for spec in (motion, spatial) for trace in json.loads(go.Figure(spec).to_json())["data"]]
    shown = [trace for panel in panels.values() for trace in panel["data"]]
    assert [len(panels[name]["data"]) for name in ("scene", "input", "heatmap", "curve")] == [10, 4, 2, 3]
    for trace in [*live, *shown]:
        trace.pop("colorbar", None)  # stands elsewhere in the page
    assert [trace for trace in shown if trace not in live] == []
    ranges = {axis: panels["scene"]["layout"]["scene"][f"{axis}axis"]["range"] for axis in "xyz"}
    assert ranges == {axis: motion["layout"]["scene"][f"{axis}axis"]["range"] for axis in "xyz"}


def test_a_motion_brings_keypoints_rate_and_skeleton(tmp_path):
    given = made_up()
    motion = pfl.Motion(given["poses_3d"], given["keypoints"], 30.0, 1000, 1000)
    with pytest.warns(UserWarning, match="the camera is taken as level"):
        path = pfl.export_html(tmp_path / "new folder" / "page.html", motion)
    page = contents(path)
    assert path == tmp_path / "new folder" / "page.html"
    assert (page["fps"], set(page["arrays"]), set(page["figures"])) == (30, {"poses", "keypoints"}, {"scene", "input"})


def test_world_poses_stay_as_they_are_and_any_body_will_do(tmp_path):
    given = made_up(J=33)
    page = contents(export_html(tmp_path / "p.html", given["poses_3d"] + 5, skeleton=MEDIAPIPE33, world=True))
    assert abs(unpacked(page["arrays"]["poses"]) - given["poses_3d"] - 5).max() <= 0.0005 + 1e-9
    assert sum(map(len, page["sides"])) == 32


def test_in_the_place_of_the_truth_nothing_is_called_truth_and_its_name_is_text(tmp_path):
    given, name = made_up(), "A <b>rival</b>"
    path = export_html(tmp_path / "page.html", given["poses_3d"], truth=given["truth"], truth_name=name)
    page = contents(path)
    assert (page["truth"], page["ofJoint"], page["ofPose"]) == (name, "distance", "mean distance")
    texts = json.dumps(page["figures"])
    assert "<b>" not in texts and "Hip, A &lt;b&gt;rival" in texts and "mean distance in mm" in texts
    assert "MPJPE" not in texts and "error<br>" not in texts
    assert ("span", {"data-says": "truth"}) in Tags(path.read_text()).tags


def test_every_thins_all_arrays_alike(tmp_path):
    given = made_up()
    page = contents(export_html(tmp_path / "page.html", **given, every=4))
    assert (page["frames"], page["every"]) == (8, 4)
    assert {array["shape"][0] for array in page["arrays"].values()} == {8}
    assert abs(unpacked(page["arrays"]["poses"]) - drawing.z_up(given["poses_3d"])[::4]).max() <= 0.0005 + 1e-9


class Tags(HTMLParser):
    """All tags of a page with their attributes, and its title."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.title, self.inside = [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag

    def handle_data(self, data):
        if self.inside == "title":
            self.title, self.inside = data, None


def test_what_users_write_is_text_and_nothing_else(tmp_path):
    bad = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)>"
    skeleton = replace(H36M17, joints=(bad, *H36M17.joints[1:]))
    plain = Tags(export_html(tmp_path / "plain.html", **made_up()).read_text())
    path = export_html(tmp_path / "bad.html", **made_up(), title=bad, skeleton=skeleton)
    nasty = Tags(path.read_text())
    assert nasty.title == bad
    assert nasty.tags == plain.tags
    page = contents(path)
    assert page["joints"][0] == bad
    texts = json.dumps(page["figures"])
    assert "<script" not in texts and "&lt;script&gt;alert(1)" in texts


def test_the_page_fetches_nothing_and_says_what_it_is(tmp_path):
    text = export_html(tmp_path / "page.html", **made_up(), title="Walking").read_text()
    tags = Tags(text)
    assert text.startswith("<!DOCTYPE html>") and ("html", {"lang": "en"}) in tags.tags and tags.title == "Walking"
    assert "noscript" in [tag for tag, _ in tags.tags]
    fetched = [attributes for _, attributes in tags.tags if {"src", "href"} & set(attributes)]
    assert fetched == [{"rel": "icon", "href": "data:,"}]


def test_a_page_that_is_too_large_says_what_fits_and_what_it_says_holds(tmp_path):
    given = made_up(T=400)
    given["maps"] = AttentionMaps(torch.rand(400, 4, 8, J, J), torch.zeros(400, 1, 1, 9, 9))  # nothing to deflate
    path = tmp_path / "page.html"
    with pytest.raises(ValueError, match=r"the page would have \d\.\d MB, and 6.5 MB is the most") as error:
        export_html(path, **given)
    assert not path.exists()
    fit, every = map(int, re.search(r"about (\d+) of its 400 frames fit.*every=(\d+)", str(error.value)).groups())
    assert export_html(path, **given, every=every).stat().st_size <= LIMIT
    fewer = {name: values[:fit] for name, values in given.items() if name != "maps"}
    maps = AttentionMaps(given["maps"].spatial[:fit], given["maps"].temporal[:fit])
    assert 0.95 * LIMIT < export_html(path, **fewer, maps=maps).stat().st_size <= LIMIT


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"poses_3d": np.zeros((5, 16, 3))}, r"poses_3d is \(5, 16, 3\), expected \(5, 17, 3\)"),
        ({"truth": np.zeros((5, 17, 3))}, r"truth is \(5, 17, 3\), expected \(30, 17, 3\)"),
        ({"keypoints": np.zeros((30, 17, 3))}, r"keypoints is \(30, 17, 3\), expected \(30, 17, 2\)"),
        ({"maps": AttentionMaps(None, torch.zeros(T, 1, 1, 9, 9))}, "no spatial stage"),
        (
            {"maps": AttentionMaps(torch.ones(5, 1, 1, J, J), torch.zeros(5, 1, 1, 9, 9))},
            r"poses_3d is \(30, 17, 3\)",
        ),
        ({"poses_3d": np.full((T, J, 3), np.nan)}, "poses_3d has no number for Hip in frame 0"),
        ({"every": 0}, "every is 0: expected a whole number from 1"),
        ({"every": 1.5}, "every is 1.5"),
        ({"fps": 0}, "fps is 0"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        export_html(tmp_path / "page.html", **{**made_up(), **change})
    assert list(tmp_path.iterdir()) == []


# ---- in a browser

DRAWN = "(id, name) => document.getElementById(id).data.filter(trace => trace.name === name)"
JOINTS = f"() => {{ const [joints] = ({DRAWN})('scene', 'joints'); return [joints.x, joints.y, joints.z]; }}"
COLORS = f"() => ({DRAWN})('scene', 'joints')[0].marker.color"
STATE = "() => ({...poseformerLite.state})"
# where a place of a heatmap or a joint of a scene lies on the screen
CELL = """([row, column]) => {
    const {_fullLayout: {xaxis, yaxis}} = document.getElementById('heatmap');
    const {left, top} = document.getElementById('heatmap').getBoundingClientRect();
    return [left + xaxis._offset + xaxis.d2p(column), top + yaxis._offset + yaxis.d2p(row)];
}"""
POINT = """joint => {
    const {_fullLayout: {xaxis, yaxis}, data} = document.getElementById('input');
    const {left, top} = document.getElementById('input').getBoundingClientRect();
    const {x, y} = data.find(trace => trace.name === 'joints in the image');
    return [left + xaxis._offset + xaxis.d2p(x[joint]), top + yaxis._offset + yaxis.d2p(y[joint])];
}"""
# how long it played, and by how many frames that took it
PLAYED = """async () => {
    const picture = () => new Promise(requestAnimationFrame), {state} = poseformerLite;
    const start = await picture(), frame = state.frame;
    for (;;) {
        const seconds = (await picture() - start) / 1000;
        if (seconds > 2) return [seconds, state.frame - frame];
    }
}"""
IN_SPACE = """joint => {
    const div = document.getElementById('scene'), {glplot, dataScale} = div._fullLayout.scene._scene;
    const {model, view, projection} = glplot.cameraParams, {x, y, z} = div.data.find(t => t.name === 'joints');
    let p = [x[joint] * dataScale[0], y[joint] * dataScale[1], z[joint] * dataScale[2], 1];
    for (const m of [model, view, projection])
        p = [0, 1, 2, 3].map(i => m[i] * p[0] + m[4 + i] * p[1] + m[8 + i] * p[2] + m[12 + i] * p[3]);
    const {left, top, width, height} = div.querySelector('canvas').getBoundingClientRect();
    return [left + width * (p[0] / p[3] + 1) / 2, top + height * (1 - p[1] / p[3]) / 2];
}"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What the page shows, and where it lies."""
    given = made_up()
    return {**given, "path": export_html(tmp_path_factory.mktemp("page") / "page.html", **given, title="Swaying")}


@pytest.fixture(scope="module")
def browser(browser_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[test]'")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=browser_path, args=BROWSER_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def opened(browser, shown):
    """The page, opened once without a network, with what it did wrong and what it asked for."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000}, offline=True)
    page = context.new_page()
    page.set_default_timeout(120_000)  # a busy machine is not a failure
    faults, requests = [], []
    page.on("console", lambda message: message.type == "error" and faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(shown["path"].as_uri())
    page.evaluate("poseformerLite.ready")
    page.evaluate(f"poseformerLite.first = ({STATE})()")
    yield page, faults, requests
    context.close()


@pytest.fixture
def page(opened, shown):
    """The page as it was opened; when the test is over, there must have been no error and no request."""
    page, faults, requests = opened
    page.mouse.move(0, 0)
    page.evaluate("poseformerLite.set(poseformerLite.first)")
    page.evaluate("() => { document.querySelector('main').style.width = ''; document.activeElement.blur(); }")
    yield page
    assert faults == []
    assert {url for url in requests if not url.startswith(("blob:", "data:"))} == {shown["path"].as_uri()}


def settle(page, condition: str) -> None:
    """Wait for the state to be so, and for it to be drawn."""
    page.wait_for_function(f"() => (state => {condition})(poseformerLite.state)")
    page.evaluate("poseformerLite.set({})")


def hover(page, place: str, target) -> None:
    """Move the mouse there from a little above, as a hand would."""
    x, y = page.evaluate(place, target)
    page.mouse.move(x, y - 3)
    page.mouse.move(x, y, steps=3)


def row(shown, frame: int, layer: int, head: int, joint: int) -> tuple[np.ndarray, float]:
    """The weights that the joints must be coloured by, and how far rounding may take them."""
    rows = shown["maps"].spatial[:, layer, head].numpy()
    return rows[frame, joint], rows.max() / 510 + 1e-9


@pytest.mark.slow
@pytest.mark.browser
def test_arrow_keys_move_the_skeleton_to_the_frame_of_the_data(page, shown):
    poses = drawing.z_up(shown["poses_3d"])
    page.get_by_label("frame").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    settle(page, "state.frame === 10")
    assert abs(np.array(page.evaluate(JOINTS)).T - poses[10]).max() <= 0.0005 + 1e-9
    assert page.locator("#time").text_content() == "10 at 0.20 s"
    page.keyboard.press("End")
    settle(page, f"state.frame === {T - 1}")
    assert abs(np.array(page.evaluate(JOINTS)).T - poses[-1]).max() <= 0.0005 + 1e-9
    ghost = page.evaluate(f"() => ({DRAWN})('scene', 'true joints').map(trace => [trace.x, trace.y, trace.z])[0]")
    assert abs(np.array(ghost).T - drawing.z_up(shown["truth"])[-1]).max() <= 0.0005 + 1e-9
    points = page.evaluate(f"() => ({DRAWN})('input', 'joints in the image').map(trace => [trace.x, trace.y])[0]")
    assert abs(np.array(points).T - shown["keypoints"][-1]).max() <= 0.05 + 1e-9
    rows = page.evaluate(f"() => ({DRAWN})('heatmap', 'rows')[0].z")
    assert abs(np.array(rows) - shown["maps"].spatial[-1, 0, 0].numpy()).max() <= row(shown, 0, 0, 0, 0)[1]


@pytest.mark.slow
@pytest.mark.browser
def test_thirty_quick_presses_settle_on_the_last(page, shown):
    page.evaluate("""() => { for (let press = 0; press < 30; press++) {
        const slider = document.getElementById('controls').elements.frame;
        slider.stepUp(); slider.dispatchEvent(new Event('input', {bubbles: true})); } }""")
    settle(page, f"state.frame === {T - 1}")
    assert abs(np.array(page.evaluate(JOINTS)).T - drawing.z_up(shown["poses_3d"])[-1]).max() <= 0.0005 + 1e-9


@pytest.mark.slow
@pytest.mark.browser
def test_rows_and_joints_light_up_each_other(page, shown):
    page.locator("select[name=layer]").select_option("1")
    page.locator("select[name=head]").select_option("2")
    page.evaluate("poseformerLite.set({frame: 7, truth: false})")
    for joint in (13, 4):
        expected, rounding = row(shown, 7, 1, 2, joint)
        colors = {}
        for place, target in ((CELL, [joint, 8]), (POINT, joint), (IN_SPACE, joint)):
            page.evaluate("poseformerLite.set({joint: 9})")
            hover(page, place, target)
            settle(page, f"state.joint === {joint}")
            colors[place] = page.evaluate(COLORS)
            assert abs(np.array(colors[place]) - expected).max() <= rounding
        assert colors[CELL] == colors[POINT] == colors[IN_SPACE]
    expected, _ = row(shown, 7, 1, 2, 4)
    links = np.array(page.evaluate(f"() => ({DRAWN})('scene', 'links')[0].x"), dtype=float)
    pose = drawing.z_up(shown["poses_3d"])[7]
    first = max(set(range(J)) - {4}, key=lambda other: expected[other])
    np.testing.assert_allclose(links[:2], pose[[4, first], 0], atol=0.0005 + 1e-9)
    assert len(links) == 15
    assert f"{H36M17.joints[4]} attends most to {H36M17.joints[int(expected.argmax())]}" in page.inner_text("main")


@pytest.mark.slow
@pytest.mark.browser
def test_what_is_said_does_not_move_what_is_shown(page):
    tops = page.evaluate("""async () => {
        const tops = [], ids = ['scene', 'heatmap', 'input', 'curve'];
        for (const width of [1280, 700]) for (let joint = 0; joint < 17; joint++) {
            document.querySelector('main').style.width = `${width - 60}px`;
            await poseformerLite.set({joint, pinned: joint % 2 > 0});
            const top = id => Math.round(document.getElementById(id).getBoundingClientRect().top);
            tops.push(`${width}: ${ids.map(top)}`);
        }
        return tops;
    }""")
    assert len(set(tops)) == 2


@pytest.mark.slow
@pytest.mark.browser
def test_a_click_pins_and_another_lets_go(page):
    x, y = page.evaluate(CELL, [5, 5])
    hover(page, CELL, [5, 5])
    page.mouse.click(x, y)
    settle(page, "state.pinned && state.joint === 5")
    assert page.get_by_label("pinned").is_checked()
    hover(page, CELL, [11, 2])
    page.wait_for_timeout(300)
    settle(page, "state.joint === 5")
    page.mouse.click(*page.evaluate(CELL, [11, 2]))
    settle(page, "state.pinned && state.joint === 11")
    page.mouse.click(*page.evaluate(CELL, [11, 2]))
    settle(page, "!state.pinned")
    hover(page, CELL, [2, 2])
    settle(page, "state.joint === 2")


@pytest.mark.slow
@pytest.mark.browser
def test_it_plays_at_true_time_and_keeps_the_view(page):
    x, y = page.evaluate("() => { const box = document.getElementById('scene').getBoundingClientRect();"
                         " return [box.left + 40, box.top + 300]; }")  # fmt: skip
    eye = "() => document.getElementById('scene')._fullLayout.scene._scene.getCamera().eye"
    before = page.evaluate(eye)
    page.locator("select[name=speed]").select_option("0.1")
    page.get_by_role("button", name="play").press("Enter")
    page.wait_for_function("() => poseformerLite.state.frame > 0")
    seconds, frames = page.evaluate(PLAYED)
    assert abs((frames - 0.1 * 50 * seconds + T / 2) % T - T / 2) < 1.01, "after the last frame comes the first"
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y + 20, steps=2)
    page.mouse.up()
    page.wait_for_function("() => poseformerLite.state.view === ''")
    page.get_by_role("button", name="pause").press("Enter")
    settle(page, "!state.playing")
    turned = page.evaluate(eye)
    assert abs(turned["x"] - before["x"]) > 0.1
    page.evaluate("poseformerLite.set({frame: 3})")
    assert page.evaluate(eye) == turned
    page.locator("select[name=view]").select_option("above")
    settle(page, "state.view === 'above'")
    assert page.evaluate(eye)["z"] == pytest.approx(1.6, abs=1e-3)


@pytest.mark.slow
@pytest.mark.browser
def test_every_control_has_a_name_and_every_option_draws(page, shown):
    names = page.locator("#controls :is(input, select)").evaluate_all("all => all.map(one => one.labels.length)")
    assert len(names) == 10 and set(names) == {1}
    for name in ("layer", "head", "joint", "colours", "view", "speed"):
        menu = page.locator(f"select[name={name}]")
        for value in menu.locator("option:not([hidden])").evaluate_all("all => all.map(option => option.value)"):
            menu.select_option(value)
            settle(page, f"String(state.{name}) === '{value}'")
    page.evaluate("poseformerLite.set({frame: 20, trail: 50, truth: false, colours: 'error'})")
    errors = 1000 * np.linalg.norm(shown["poses_3d"] - shown["truth"], axis=-1)[20]
    assert abs(np.array(page.evaluate(COLORS)) - errors).max() < 2  # both bodies are rounded to 1 mm
    trails = page.evaluate(f"() => ({DRAWN})('scene', 'trails')[0].x")
    assert len(trails) == 5 * (20 + 1 + 1)
    assert page.evaluate(f"() => ({DRAWN})('scene', 'truth').flatMap(trace => trace.x)") == [None] * 3


@pytest.mark.slow
@pytest.mark.browser
def test_an_old_browser_is_told(browser, shown):
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.add_init_script("delete window.DecompressionStream")
    page.goto(shown["path"].as_uri())
    page.wait_for_selector("#trouble:not([hidden])")
    assert "this browser cannot unpack it: Chrome 80, Firefox 113" in page.inner_text("#trouble")
    context.close()
