"""The page that runs PoseFormer in a browser: its network is torch's, and every control does what it says."""

import base64
import json
import os
import re
import shutil
import subprocess
from urllib.parse import parse_qs, parse_qsl

import numpy as np
import pytest
import safetensors.torch
import torch
from helpers_data import small_model
from helpers_live import LIVE, PAGE, build, node, served, take, window, write_golden
from typer.testing import CliRunner

from chromium import BROWSER_FLAGS
from poseformer_course.heads import ablated, joints_hidden
from poseformer_course.page import STAGES, explore
from poseformer_lite.cli import app
from poseformer_lite.model import PoseFormer, TemporalTransformerBaseline
from poseformer_lite.model.heads import Head, attention_maps

pytestmark = pytest.mark.slow
LIMIT = 4e6  # bytes of explore.html
SETTLED = 120_000  # milliseconds within which a slow machine has drawn
# what is shown once everything has been drawn
VIEW = """async () => {
    const view = await poseformer;
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    const {window, result} = view.kept;
    const error = document.querySelector('#error').textContent;
    return {state: view.state.values, window: [...window], pose: [...result.pose], error,
            spatial: [...result.spatial], temporal: [...result.temporal]};
}"""
# where a joint of the picture lies on the screen
POINT = """async joint => {
    const view = await poseformer, {left, top} = document.querySelector('#flat').getBoundingClientRect();
    const [x, y] = view.flat.points[joint];
    return [left + x, top + y];
}"""


def test_the_network_in_node_is_torchs(tmp_path):
    environment = os.environ | {"GOLDEN": str(write_golden(tmp_path / "golden.json"))}
    command = [node(), "--test", "test/poseformer.test.js", "test/state.test.js"]
    run = subprocess.run(command, cwd=LIVE, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-4000:]
    assert re.search(r"^# tests (\d+)$", run.stdout, re.MULTILINE)[1] >= "18" and "# skipped 0" in run.stdout


@pytest.mark.parametrize("theme", [r":root \{", r':root\[data-theme="dark"\] \{'])
def test_words_can_be_told_from_what_they_stand_on(theme):
    style = (LIVE / "src/style.css").read_text()
    block = re.search(theme + r"(.*?)\}", style, re.DOTALL)[1]
    colors = {name: value for name, value in re.findall(r"--(\w+): #(\w{6})", block)}

    def luminance(name: str) -> float:
        parts = np.array([int(colors[name][i : i + 2], 16) / 255 for i in (0, 2, 4)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    for words in ("ink", "muted", "chosen", "left"):
        for ground in ("panel", "paper") if words in ("ink", "muted") else ("panel",):
            dark, light = sorted((luminance(words), luminance(ground)))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{words} on {ground}"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(tmp_path_factory.mktemp("live"))


def test_explore_is_one_file_that_asks_for_nothing(built):
    text = (built / "explore.html").read_text()
    assert len(text.encode()) <= LIMIT
    assert re.findall(r'<(?:script|link|img|iframe)[^>]*\b(?:src|href)="(?!data:)', text) == []
    assert "<title>PoseFormer in a page</title>" in text and "noscript" in text


def test_the_course_fills_the_page_as_it_is_built(built):
    """To the letter, but for where it starts; the network's sizes may be written in another order."""
    made = {}
    for name, page in (
        ("built", (built / "explore.html").read_text()),
        ("course", explore("attentive", take="clip").html),
    ):
        config = re.search(r"<script>.*config.json.*=\"(.*)\";</script>\n", page)
        start = re.search(r"<script>window.poseformerStart=(.*);</script>\n", page)
        rest = page.replace(config[0], "").replace(start[0] if start else "", "")
        made[name] = rest, json.loads(base64.b64decode(config[1])), start and json.loads(start[1])
    assert made["course"][0] == made["built"][0], "node build.mjs --shell writes the page anew"
    assert made["course"][1] == {"input": "screen"} | made["built"][1]
    assert made["course"][2] == "stage=spatial&take=clip&joint=16"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"stage": "attention"}, "no stage 'attention': choose one of keypoints, joints, spatial"),
        ({"take": "run"}, "no take 'run': choose one of walk, greet, sit, clip"),
        ({"joint": "Nose"}, "no joint 'Nose'"),
        ({"hidden": ["RWrist", "Nose"]}, "no joint 'Nose'"),
        ({"head": Head("spatial", 1, 4)}, "no spatial layer 1 head 4: its last one is temporal layer 1 head 3"),
        ({"model": "wild"}, "of 17 joints with input 'canonical'"),
        ({"model": TemporalTransformerBaseline()}, "this is a TemporalTransformerBaseline"),
    ],
)
def test_what_the_page_has_not_is_said(wrong, words):
    with pytest.raises(ValueError, match=words):
        explore(**wrong)


def test_the_page_opens_at_a_head_and_with_joints_hidden():
    page = explore(small_model(num_frames=9), head=Head("spatial", 0, 1), hidden=["RWrist", "LFoot"]).html
    start = dict(parse_qsl(json.loads(re.search(r"window.poseformerStart=(.*);</script>", page)[1])))
    assert start == {"stage": "spatial", "take": "walk", "joint": "16", "hidden": "16,6", "spatial": "0,1"}


def test_a_network_of_ones_own_is_in_the_page_to_the_last_bit(tmp_path):
    model = small_model(num_frames=9)
    page = explore(model, stage="pose").html
    stored = re.search(r'\["attentive/model.safetensors"\]="(.*?)"', page)[1]
    (tmp_path / "model.safetensors").write_bytes(base64.b64decode(stored))
    tensors = safetensors.torch.load_file(tmp_path / "model.safetensors")
    assert all(torch.equal(tensors[name].float(), value) for name, value in model.state_dict().items())
    shell = CliRunner().invoke(app, ["explore", "--no-browser", "--weights", "lite", "-o", str(tmp_path / "lite.html")])
    assert shell.exit_code == 0, shell.output
    assert (tmp_path / "lite.html").read_text() == explore("lite").html


@pytest.fixture(scope="module")
def browser(browser_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[test]'")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=browser_path, args=BROWSER_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, built):
    """Opens the page; when the test is over, there must have been no error, and no request but for the page."""
    opened = []

    def open_page(hash="", address=None, before=None, **options):
        options = {"viewport": {"width": 1366, "height": 768}, "reduced_motion": "reduce"} | options
        context = browser.new_context(**options)
        page = context.new_page()
        page.set_default_timeout(SETTLED)
        page.faults, page.asked = [], []
        page.on("console", lambda message: message.type in ("error", "warning") and page.faults.append(message.text))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        if before:
            page.add_init_script(before)
        page.address = address or (built / "explore.html").as_uri()
        page.goto(page.address + hash, wait_until="commit")
        page.wait_for_selector("#explore:not([hidden])")
        page.evaluate("poseformer.then(view => { window.view = view; })")
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        assert page.faults == []
        asked = {url.split("#")[0] for url in page.asked if not url.startswith(("data:", "blob:"))}
        home = page.address.rsplit("/", 1)[0]
        assert {url for url in asked if not url.startswith(home)} == set()
        if page.address.startswith("file:"):
            assert asked == {page.address}
        page.context.close()


@pytest.fixture(scope="module")
def model() -> PoseFormer:
    return PoseFormer.from_pretrained("attentive").double()


def answer(model, seen: dict, without: tuple = ()) -> np.ndarray:
    """What torch says about the take that the page shows, with what was moved and hidden there. -> (J, 3)"""
    keypoints = take(seen["state"]["take"]).copy()
    for where, by in seen["state"]["moves"]:
        joint, _, frame = where.partition("@")
        keypoints[int(frame) if frame else slice(None), int(joint)] += np.float32(by)
    with torch.no_grad(), ablated(model, *without), joints_hidden(model, *seen["state"]["hidden"]):
        return model(window(keypoints, seen["state"]["frame"], model.num_frames).double())[0].numpy()


def apart(model, seen: dict, without: tuple = ()) -> float:
    """How far the page's pose is from torch's, in mm."""
    return 1000 * float(abs(np.reshape(seen["pose"], (17, 3)) - answer(model, seen, without)).max())


def drag(page, joint: int, by: tuple[float, float]) -> None:
    x, y = page.evaluate(POINT, joint)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0] / 2, y + by[1] / 2)
    page.mouse.move(x + by[0], y + by[1])
    page.mouse.up()


@pytest.mark.browser
def test_a_moved_joint_gives_torchs_answer(open_page, model):
    page = open_page()
    plain = page.evaluate(VIEW)
    assert apart(model, plain) < 0.001
    maps = attention_maps(model, torch.tensor(plain["window"], dtype=torch.float64).view(1, 9, 17, 2))
    assert abs(np.array(plain["spatial"]) - maps.spatial.flatten().numpy()).max() < 1e-5
    assert abs(np.array(plain["temporal"]) - maps.temporal.flatten().numpy()).max() < 1e-5

    drag(page, 13, (40, -30))
    dragged = page.evaluate(VIEW)
    assert dragged["state"]["joint"] == 13 and [where for where, _ in dragged["state"]["moves"]] == ["13"]
    assert apart(model, dragged) < 0.01
    assert np.abs(np.subtract(dragged["pose"], plain["pose"])).max() > 0.01, "metres: the arm has moved"

    page.locator("#flat").press("Shift+ArrowLeft")
    page.get_by_label("move in this frame only").check()
    page.locator("#flat").press("n")
    for key in ("ArrowUp", "ArrowRight"):
        page.locator("#flat").press(key)
    pressed = page.evaluate(VIEW)
    assert [where for where, _ in pressed["state"]["moves"]] == ["13", "14@50"]
    assert pressed["state"]["moves"][0][1][0] < dragged["state"]["moves"][0][1][0]
    assert apart(model, pressed) < 0.01
    page.get_by_role("button", name="Reset joints").click()
    assert page.evaluate(VIEW)["pose"] == plain["pose"]


@pytest.mark.browser
def test_a_hidden_joint_gives_torchs_answer(open_page, model):
    page = open_page("#stage=joints&joint=13")
    plain = page.evaluate(VIEW)
    page.get_by_role("button", name="Hide this joint").click()
    hidden = page.evaluate(VIEW)
    assert hidden["state"]["hidden"] == [13] and apart(model, hidden) < 0.01
    assert np.abs(np.subtract(hidden["pose"], plain["pose"])).max() > 0.01, "metres"
    position = model.spatial.position_embedding[0, 13, 0].item()
    assert page.locator("#numbers .result").text_content() == f"{position:.3f}".replace("-", "−")
    for stage in ("keypoints", "joints", "spatial"):
        page.locator(f"button[data-stage={stage}]").click()
        page.evaluate(VIEW)
        assert "The network is told which joint a hidden one is, not where" in page.inner_text("#stage-says")
    page.wait_for_function("() => document.querySelector('#said').textContent.includes('The hidden left wrist')")

    drag(page, 13, (40, -30))
    moved = page.evaluate(VIEW)
    assert moved["state"]["moves"] and moved["pose"] == hidden["pose"]
    page.locator("#flat").press("n")
    page.locator("#flat").press("h")
    both = page.evaluate(VIEW)
    assert both["state"]["hidden"] == [13, 14] and apart(model, both) < 0.01
    page.wait_for_function("() => view.whole?.errors.every(Number.isFinite) && location.hash.includes('hidden')")
    error = float(page.inner_text("#error").removesuffix(" mm"))
    assert page.evaluate("() => view.whole.errors[50]") == pytest.approx(error, abs=0.06)
    assert open_page("#" + page.evaluate("location.href").split("#")[1]).evaluate(VIEW) == both

    page.get_by_role("button", name="Show it again").press("Enter")
    assert page.evaluate(VIEW)["pose"] == hidden["pose"]
    page.get_by_role("button", name="Reset joints").click()
    assert page.evaluate(VIEW)["pose"] == plain["pose"]


@pytest.mark.browser
def test_heads_are_switches_and_the_error_answers(open_page, model):
    page = open_page("#stage=temporal")
    before = page.evaluate(VIEW)
    for head in ("temporal layer 0 head 1", "temporal layer 1 head 3"):
        page.get_by_role("switch", name=f"{head} is on").press("Space")
    page.get_by_role("button", name="Show temporal layer 0 head 2").press("Enter")
    after = page.evaluate(VIEW)
    assert after["state"]["temporal"] == [0, 2]
    assert apart(model, after, (Head("temporal", 0, 1), Head("temporal", 1, 3))) < 0.01
    assert after["error"] != before["error"]
    assert before["error"].removesuffix(" mm") in page.inner_text("#error-change")
    page.get_by_role("button", name="Switch all heads on").click()
    assert page.evaluate(VIEW)["error"] == before["error"]
    assert page.get_by_role("switch").evaluate_all("all => all.every(one => one.checked)")


@pytest.mark.browser
def test_keys_that_come_faster_than_the_picture_all_count(open_page):
    page = open_page()
    page.locator("button[data-stage=keypoints]").press("Enter")
    page.locator("#open").press("Home")
    before = page.evaluate(VIEW)["state"]["joint"]
    press = "key => document.querySelector('#open').dispatchEvent(new KeyboardEvent('keydown', {key}))"
    page.evaluate(f"() => ['ArrowUp', 'ArrowUp', 'ArrowDown', 'ArrowUp'].forEach({press})")
    assert page.evaluate(VIEW)["state"]["joint"] == before - 2


@pytest.mark.browser
def test_every_stage_opens_with_its_numbers_and_nothing_jumps(open_page):
    page = open_page()
    places = """() => JSON.stringify(
        ['#flat', '#space', '#detail', '#tour', '.error', '.timeline', '.flow'].map(one => {
            const {left, top, width, height} = document.querySelector(one).getBoundingClientRect();
            return [left, top, width, height];
        }))"""
    assert page.eval_on_selector_all("[data-stage]", "all => all.map(one => one.dataset.stage)") == list(STAGES)
    stretched = """() => [...document.querySelectorAll('.explore canvas')].filter(one => one.clientHeight &&
        Math.abs(one.height - devicePixelRatio * one.clientHeight) > 1).map(one => one.id)"""
    seen, titles = set(), []
    for stage in STAGES:
        page.locator(f"button[data-stage={stage}]").press("Enter")
        assert page.evaluate(VIEW)["state"]["stage"] == stage
        assert page.locator("#numbers math").count() >= 2 and page.locator("#numbers .result").count() >= 1
        titles.append(page.inner_text("#stage-title"))
        assert page.evaluate(stretched) == [], "a picture is as large as its place, or clicks miss its cells"
        before = page.evaluate(VIEW)["state"]
        page.locator("#open").press("ArrowUp")
        page.locator("#open").press("ArrowRight")
        changed = {name for name, value in page.evaluate(VIEW)["state"].items() if value != before[name]}
        assert changed, f"arrow keys choose something in {stage}"
        seen.add(page.evaluate(places))
    assert len(seen) == 1 and len(set(titles)) == 7
    assert page.evaluate("document.documentElement.scrollHeight") <= 768
    overflowing = """() => [...document.querySelectorAll('.explore *')].filter(one => {
        const panel = one.closest('.panel, .stage'), bottom = which => which.getBoundingClientRect().bottom;
        return one.clientWidth && panel && bottom(one) > bottom(panel) + 1;
    }).length"""
    assert page.evaluate(overflowing) == 0


@pytest.mark.browser
def test_the_sizes_are_the_networks_own(open_page, tmp_path):
    page = open_page(address=explore(small_model(num_frames=9)).save(tmp_path / "page.html").as_uri())
    width = page.evaluate("() => view.network.spatialDim")
    expected = [f"17 × {width}", "17 × 17", f"9 × {17 * width}", "9 × 9", "9 → 1"]
    assert page.locator(".flow .shape").all_inner_texts() == expected


@pytest.mark.browser
def test_what_is_clicked_is_what_is_explained(open_page):
    page = open_page("#stage=spatial&joint=3")
    state = page.evaluate(VIEW)
    row = np.reshape(state["spatial"], (9, 2, 4, 17, 17))[4, 1, 3, 5]
    x, y = page.evaluate("""async () => {
        const view = await poseformer, {left, top} = document.querySelector('#open').getBoundingClientRect();
        const {x, y, width, height} = view.open;
        return [left + x + (8.5 / 17) * width, top + y + (5.5 / 17) * height]; }""")
    page.mouse.click(x, y)
    chosen = page.evaluate(VIEW)["state"]
    assert (chosen["joint"], chosen["key"]) == (5, 8)
    assert page.locator("#numbers .result").text_content() == f"{row[8]:.3f}"
    assert f"the left knee takes {100 * row[8]:.0f} % from the thorax" in page.inner_text("#stage-tip")


@pytest.mark.browser
@pytest.mark.parametrize("stage", ["frames", "weights"])
def test_the_frame_that_is_clicked_is_worked_out(open_page, stage):
    page = open_page(f"#stage={stage}")
    before = page.inner_text("#numbers")
    for _ in range(3):
        page.locator("#open").press({"frames": "ArrowDown", "weights": "ArrowRight"}[stage])
        page.evaluate(VIEW)
    assert page.evaluate(VIEW)["state"]["query"] == 7 and "frame +3" in page.inner_text("#stage-tip")
    assert page.inner_text("#numbers") != before


@pytest.mark.browser
def test_time_and_takes(open_page, model):
    page = open_page()
    for name in ("greet", "sit", "clip", "walk"):
        page.locator("#take").select_option(name)
        seen = page.evaluate(VIEW)
        assert seen["state"]["take"] == name and apart(model, seen) < 0.001
    page.locator("#take").select_option("clip")
    page.evaluate(VIEW)
    assert "nobody knows the true pose" in page.inner_text(".error")
    page.evaluate("""() => {  // a take is chosen, and time set before the page is drawn again
        const [take, frame] = ['#take', '#frame'].map((one) => document.querySelector(one));
        take.value = 'walk', take.dispatchEvent(new Event('change'));
        frame.value = frame.max, frame.dispatchEvent(new Event('input')); }""")
    seen = page.evaluate(VIEW)
    assert seen["state"]["frame"] == len(take("walk")) - 1 and apart(model, seen) < 0.001
    page.get_by_label("frame", exact=True).press("Home")
    assert page.evaluate(VIEW)["state"]["frame"] == 0
    page.locator("#space").press("Space")
    page.wait_for_function("() => view.state.get('frame') > 2")
    page.get_by_role("button", name="Pause").press("Enter")
    stopped = page.evaluate(VIEW)["state"]["frame"]
    assert page.evaluate(VIEW)["state"]["frame"] == stopped
    page.locator("#space").press("ArrowLeft")
    assert page.evaluate(VIEW)["state"]["turn"][0] == -30
    page.wait_for_function("() => view.whole?.take === view.take && view.whole.errors.every(Number.isFinite)")
    curve = page.evaluate("() => [...view.whole.errors]")
    assert curve[stopped] == pytest.approx(float(page.inner_text("#error").removesuffix(" mm")), abs=0.06)


@pytest.mark.browser
def test_a_link_keeps_everything(open_page):
    page = open_page("#stage=temporal&take=greet")
    drag(page, 16, (25, 30))
    page.get_by_role("switch", name="temporal layer 1 head 0 is on").press("Space")
    page.locator("#film").press("ArrowLeft")
    page.get_by_label("frame", exact=True).press("ArrowRight")
    page.locator("#space").press("ArrowUp")
    page.wait_for_function("() => location.hash.includes('turn')")
    before = page.evaluate(VIEW)
    link = page.evaluate("location.href")
    assert parse_qs(link.split("#")[1])["off"] == ["t1.0"]
    other = open_page("#" + link.split("#")[1])
    after = other.evaluate(VIEW)
    assert after == before
    other.reload(wait_until="commit")
    other.wait_for_selector("#explore:not([hidden])")
    assert other.evaluate(VIEW) == before


@pytest.mark.browser
def test_the_tour_leads_through(open_page):
    page = open_page()
    page.get_by_role("button", name="Start the tour").press("Enter")
    titles = []
    for _ in range(10):
        page.evaluate(VIEW)
        titles.append(page.inner_text("#tour-title"))
        fits = "() => { const tour = document.querySelector('#tour'); return tour.scrollHeight <= tour.clientHeight; }"
        assert page.evaluate(fits), titles[-1]
        if titles[-1].startswith("2."):
            assert "✓" not in page.inner_text("#tour-task")
            page.locator("#flat").press("ArrowUp")
            page.evaluate(VIEW)
            assert "✓" in page.inner_text("#tour-task")
        page.get_by_role("button", name=re.compile("Next|Finish")).press("Enter")
    assert [title.split(".")[0] for title in titles] == [str(step) for step in range(1, 11)]
    page.evaluate(VIEW)
    assert page.get_by_role("button", name="Start the tour").is_visible()


@pytest.mark.browser
def test_on_a_phone_a_finger_moves_a_joint(open_page, model):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    page = open_page("#joint=3", **phone)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    x, y = page.evaluate(POINT, 13)
    touch = page.context.new_cdp_session(page)
    for kind, points in (
        ("touchStart", [{"x": x, "y": y}]),
        ("touchMove", [{"x": x + 10, "y": y - 20}]),
        ("touchMove", [{"x": x + 20, "y": y - 40}]),
        ("touchEnd", []),
    ):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    seen = page.evaluate(VIEW)
    assert seen["state"]["joint"] == 13 and seen["state"]["moves"][0][1][1] < -0.01
    assert apart(model, seen) < 0.01
    assert page.evaluate("scrollY") == 0
    page.get_by_role("button", name="Hide this joint").tap()
    seen = page.evaluate(VIEW)
    assert seen["state"]["hidden"] == [13] and apart(model, seen) < 0.01
    small = """() => [...document.querySelectorAll('.explore :is(button, select)')]
        .filter(one => one.offsetHeight && one.offsetHeight < 24).length"""
    assert page.evaluate(small) == 0


@pytest.mark.browser
def test_on_a_phone_the_tour_shows_what_it_speaks_of(open_page):
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    seen = """part => {
        const {left, top, width, height} = document.querySelector(part).getBoundingClientRect();
        const at = share => document.elementFromPoint(left + width / 2, top + share * height);
        return [0.1, 0.5, 0.9].filter(share => at(share)?.closest(part)).length;
    }"""
    asked = ["#space", "#flat", "#open", "#open", "#heads", "#open", "#film", "#open", "#flat", "#heads"]
    for part in asked:
        page.locator("#tour-next").tap()
        page.evaluate(VIEW)
        assert page.evaluate(seen, part) >= 2, (page.inner_text("#tour-title"), part)
    page.locator("#tour-next").tap()
    page.locator("button[data-stage=weights]").tap()
    page.evaluate(VIEW)
    assert page.evaluate(seen, "#open") >= 2


@pytest.mark.browser
def test_without_simd_it_says_so_and_is_right(open_page, model):
    page = open_page(before="WebAssembly.validate = () => false")
    assert "no SIMD in WebAssembly" in page.inner_text("#no-simd")
    seen = page.evaluate(VIEW)
    assert apart(model, seen) < 0.001
    assert "without SIMD" in page.inner_text("#speed-said")


@pytest.mark.browser
def test_firefox_shows_the_same(built, model):
    firefox = shutil.which("firefox-esr") or shutil.which("firefox") or pytest.skip("needs Firefox")
    command = [node(), "test/firefox.mjs", firefox, (built / "explore.html").as_uri()]
    run = subprocess.run(command, cwd=LIVE, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-4000:]
    seen = json.loads(run.stdout)
    assert seen["faults"] == [] and all(url.startswith(("file:", "data:", "blob:")) for url in seen["asked"])
    assert apart(model, seen["plain"]) < 0.001
    assert [where for where, _ in seen["dragged"]["state"]["moves"]] == ["13"]
    assert apart(model, seen["dragged"]) < 0.01
    assert apart(model, seen["switched"], (Head("spatial", 1, 0),)) < 0.01
    assert len({seen[name]["error"] for name in ("plain", "dragged", "switched")}) == 3
    assert set(seen["results"]) == set(STAGES) and all(seen["results"].values())
    assert "with SIMD" in seen["speed"]


@pytest.mark.browser
def test_everything_has_a_name(open_page):
    page = open_page()
    nameless = """() => [...document.querySelectorAll('button, select, input, canvas[tabindex]')].filter(one => {
        const words = one.tagName === 'BUTTON' && one.textContent.trim();
        return !(one.getAttribute('aria-label') || words || one.labels?.length);
    }).map(one => one.outerHTML)"""
    assert page.evaluate(nameless) == []
    page.evaluate(VIEW)
    page.wait_for_function("() => document.querySelector('#said').textContent.includes('The error is')")


@pytest.mark.browser
def test_the_theme_is_the_systems_until_it_is_chosen(open_page):
    page = open_page(color_scheme="dark")
    theme = "document.documentElement.dataset.theme"
    assert page.evaluate(theme) == "dark"
    page.get_by_role("button", name="Use light colors").click()
    assert page.evaluate(theme) == "light"


@pytest.mark.browser
def test_from_a_server_it_asks_for_its_own_files_only(open_page, built, model):
    with served(built) as address:
        page = open_page(address=address + "index.html")
        assert apart(model, page.evaluate(VIEW)) < 0.001
        assert {url.split("/")[-1] for url in page.asked if url.startswith(address)} == {
            "index.html", "page.js", "takes.json.js", "attentive-config.json.js", "attentive-model.safetensors.js",
        }  # fmt: skip
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate("document.querySelector('#theme').getBoundingClientRect().right") <= 390
        page.get_by_role("tab", name="Explore").press("ArrowRight")
        page.wait_for_selector("#live .panels")
        assert page.get_by_role("tab", name="Live").get_attribute("aria-selected") == "true"
        assert not page.locator("#explore").is_visible()


@pytest.mark.browser
def test_what_is_missing_is_said(browser, built):
    with served(built) as address:
        page = browser.new_page()
        page.route("**/takes.json.js", lambda route: route.fulfill(status=404))
        page.goto(address + "index.html", wait_until="commit")
        page.wait_for_selector("[role=alert]")
        assert "takes.json.js could not be loaded: 404" in page.inner_text("[role=alert]")
        page.close()


def test_what_the_page_plays_is_what_the_script_exports():
    stored = json.loads((PAGE / "takes.json").read_text())
    assert list(stored) == ["walk", "greet", "sit", "clip"]
    for name, one in stored.items():
        keypoints = take(name)
        assert len(keypoints) > 100 and one["fps"] == 50
        assert abs(keypoints[..., 0]).max() < 1.2 and abs(keypoints[..., 1]).max() < 1.2 * one["height"] / one["width"]
        assert abs(np.linalg.norm(one["up"]) - 1) < 0.01 and one["up"][1] < -0.8
