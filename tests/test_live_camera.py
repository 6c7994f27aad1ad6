"""The live part of the page in Chromium: a film that is dropped and a camera are lifted as Python lifts them, all of it
on this machine, and what goes wrong is said.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from helpers_live import LIVE, PAGE, node
from typer.testing import CliRunner

import poseformer_lite as pfl
from chromium import BROWSER_FLAGS
from poseformer_course.commands import live
from poseformer_course.page import RUNTIME
from poseformer_course.page import live as live_page
from poseformer_lite.model import TemporalTransformerBaseline

pytest.importorskip("av", reason="needs PyAV: pip install -e '.[video]'")
pytest.importorskip("ai_edge_litert", reason="needs LiteRT: pip install -e '.[video]'")
pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[test]'")

from playwright.sync_api import sync_playwright

from poseformer_lite.lifting.blazepose import BlazePose
from poseformer_lite.lifting.video import read_video

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.timeout(1800)]
CLIP = Path(__file__).resolve().parent.parent / "data" / "clip" / "walk.mp4"
LIMIT = 21e6  # bytes of the page
PATIENCE = 300_000  # milliseconds: a frame takes 0.2 s on a slow machine, and 5 s where twenty others use it, too
EVERY, FRAMES = 2, 16  # of the clip, which has 30 frames a second
LOOK_AHEAD = 6
# measured: 0.64 pixels in the median, 11.9 mm in the mean, most of which is that a stream does not see what is to come
PIXELS, MILLIMETRES = 1.5, 20.0

DROP = """(target, base64) => {
    const bytes = Uint8Array.from(atob(base64), character => character.charCodeAt(0)), files = new DataTransfer();
    files.items.add(new File([bytes], "walk.mp4", {type: "video/mp4"}));
    for (const name of ["dragover", "drop"])
        target.dispatchEvent(new DragEvent(name, {dataTransfer: files, bubbles: true, cancelable: true}));
}"""
# go to a moment of a film that stands still, and wait until its frame has been lifted
STEP = """async seconds => {
    const live = await poseformerLive, before = live.counts.frames;
    live.source.video.currentTime = seconds;
    for (let waited = 0; live.counts.frames === before; waited += 20) {
        if (waited > PATIENCE) throw new Error(`none: ${document.querySelector(".said").textContent}`);
        await new Promise(done => setTimeout(done, 20));
    }
    const newest = live.frames.at(-1);
    return {seconds: newest.seconds, joints: [...newest.joints[0] ?? []], width: newest.canvas.width,
            shown: live.shown?.seconds, pose: [...live.lifted[0]?.pose ?? []]};
}""".replace("PATIENCE", str(PATIENCE))


def wait_for(page, condition: str) -> None:
    """Until that holds of the live part, or it says what is wrong."""
    page.wait_for_function(f"{condition} || document.querySelector('.said.wrong')")
    assert not page.query_selector(".said.wrong"), page.inner_text(".said")


def test_what_node_finds_and_lifts_is_pythons():
    command = [node(), "--test", *(f"test/{name}.test.js" for name in ("prepare", "detector", "camera-lift"))]
    run = subprocess.run(command, cwd=LIVE, env=os.environ | {"PYTHON": sys.executable}, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-4000:]
    assert int(re.search(r"^# tests (\d+)$", run.stdout, re.MULTILINE)[1]) >= 14 and "# skipped 0" in run.stdout


def build(folder, *options: str):
    run = subprocess.run([node(), "build-live.mjs", *options, str(folder)], cwd=LIVE, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The page as `poseformer-lite live` writes it."""
    command = typer.Typer()
    command.command()(live)
    page = tmp_path_factory.mktemp("live") / "live.html"
    run = CliRunner().invoke(command, ["--no-browser", "-o", str(page)])
    assert run.exit_code == 0, run.output
    return page.as_uri()


def test_the_course_fills_the_page_as_it_is_built(tmp_path):
    build(tmp_path, "--shell")
    again = "node build-live.mjs --shell writes it anew"
    assert (tmp_path / "live.html").read_text() == (PAGE / "live.html").read_text(), again
    runtime = f"{RUNTIME}.gz"
    assert gzip.decompress((tmp_path / runtime).read_bytes()) == gzip.decompress((PAGE / runtime).read_bytes()), again


def test_a_network_that_the_page_cannot_run_is_said_so():
    with pytest.raises(ValueError, match="with input 'screen' or 'canonical', but this is a Temporal"):
        live_page(TemporalTransformerBaseline())


@pytest.fixture(scope="module")
def camera_film(tmp_path_factory):
    """Every third frame of the clip as Chromium's fake camera shows it again and again."""
    path = tmp_path_factory.mktemp("camera") / "walk.y4m"
    import av

    with av.open(str(CLIP)) as container, path.open("wb") as stream:
        for number, frame in enumerate(container.decode(video=0)):
            if number == 0:
                stream.write(f"YUV4MPEG2 W{frame.width} H{frame.height} F10:1 Ip A1:1 C420jpeg\n".encode())
            if number % 3 == 0:
                stream.write(b"FRAME\n" + frame.to_ndarray(format="yuv420p").tobytes())
    return path


@pytest.fixture(scope="module")
def browser(browser_path, camera_film):
    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    with sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=browser_path,
            args=[*BROWSER_FLAGS, *flags, f"--use-file-for-fake-video-capture={camera_film}"],
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, address):
    """Opens the page from the disk; afterwards, that nothing was complained of, and nothing asked for but the page."""
    opened = []

    def open_page(before: str | None = None, **options):
        page = browser.new_context(viewport={"width": 1366, "height": 768}, **options).new_page()
        page.set_default_timeout(PATIENCE)
        page.faults, page.asked = [], []
        page.on("console", lambda message: message.type in ("error", "warning") and page.faults.append(message.text))
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        if before:
            page.add_init_script(before)
        page.goto(address, wait_until="commit")
        page.wait_for_function("window.poseformerLive?.then(live => (window.live = live, true))")
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        assert page.faults == []
        assert {url for url in page.asked if not url.startswith(("data:", "blob:"))} == {address}
        page.context.close()


@pytest.fixture(scope="module")
def by_python():
    """The same frames by the package: (T, 33, 3) keypoints, and the motion."""
    detector, found, size = BlazePose(num_people=1), [], None
    for number, (seconds, image) in enumerate(read_video(CLIP)):
        if number % EVERY == 0 and len(found) < FRAMES:
            found.append(detector(image, seconds)[0])
            size = image.shape[1], image.shape[0]
    lifter = pfl.PoseLifter.from_pretrained("wild", flip=False)
    return lifter(np.stack(found), *size, layout="mediapipe33", fps=30 / EVERY)


def test_the_page_is_one_file_that_is_small_enough(address, tmp_path):
    for page in (Path(address.removeprefix("file://")), build(tmp_path) / "live.html"):
        text = page.read_text()
        assert len(text.encode()) <= LIMIT
        assert re.findall(r'<(?:script|link|img|iframe)[^>]*\b(?:src|href)="(?!data:)', text) == []
        assert "connect-src 'none'" in text


def test_a_film_that_is_dropped_is_lifted_and_kept(open_page, by_python, tmp_path):
    from base64 import b64encode

    page = open_page(accept_downloads=True)
    page.eval_on_selector(".wants", DROP, b64encode(CLIP.read_bytes()).decode())
    wait_for(page, "live.counts.frames > 0")
    page.click("[name=pause]")
    page.wait_for_function("live.detector.waiting.size === 0")
    page.evaluate(STEP, 3.5)  # away, and back to the beginning, which begins anew
    steps = []
    for number in range(FRAMES):
        steps.append(page.evaluate(STEP, (number * EVERY + 0.5) / 30))
        if number == 2:
            page.click("[name=record]")
    times = np.array([step["seconds"] for step in steps])
    np.testing.assert_allclose(times, np.arange(FRAMES) * EVERY / 30, atol=1e-3)

    joints = np.array([np.reshape(step["joints"], (17, 2)) for step in steps]) * by_python.width / steps[0]["width"]
    pixels = np.median(np.linalg.norm(joints - by_python.keypoints, axis=-1))
    assert pixels < PIXELS
    errors = []
    for step in steps:
        if not step["pose"] or step["shown"] > step["seconds"]:
            continue  # the frame of before still stands
        assert step["shown"] <= step["seconds"] - LOOK_AHEAD / 50 + 1e-6, "it looks as far ahead as it says"
        frame = round(step["shown"] * 30 / EVERY)
        theirs = by_python.poses_3d[frame]
        errors.append(1000 * np.linalg.norm(np.reshape(step["pose"], (17, 3)) - theirs, axis=-1).mean())
    print(f"{pixels:.2f} pixels, {np.mean(errors):.1f} mm from Python's, {np.max(errors):.1f} mm at most")
    assert len(errors) > FRAMES - 5 and np.mean(errors) < MILLIMETRES

    page.click("[name=record]")
    page.wait_for_selector(".kept:not([hidden])")
    kept = {}
    for name in page.eval_on_selector_all(".kept a", "anchors => anchors.map(anchor => anchor.download)"):
        with page.expect_download() as download:
            page.click(f".kept a[download='{name}']")
        kept[name] = tmp_path / name
        download.value.save_as(kept[name])
    assert set(kept) == {"motion.json", "motion.webm"}
    motion = pfl.Motion.load(kept["motion.json"])
    assert motion.fps == 50 and 25 < len(motion) <= FRAMES * EVERY * 50 / 30
    assert np.abs(motion.poses_3d[:, 0]).max() == 0 and 1.0 < np.ptp(motion.upright()[..., 2]) < 2.2
    assert motion.save(tmp_path / "motion.bvh").stat().st_size > 10_000
    assert kept["motion.webm"].read_bytes()[:4] == b"\x1a\x45\xdf\xa3"  # how WebM begins


def test_a_camera_is_lifted_and_let_go(open_page):
    page = open_page(permissions=["camera"])
    page.focus("[name=ahead]")
    page.keyboard.press("Home")  # where seconds pass between two frames, each is a stream of its own
    page.click("[name=camera]")
    wait_for(page, "(live.counts.frames >= 6 && live.lifted.length)")
    seen = page.evaluate("({...live.counts, lifted: live.lifted.map(({pose}) => [...pose])})")
    assert seen["found"] >= 0.4 * seen["frames"], "somebody who jumps on between two frames is found in the next one"
    (pose,) = np.reshape(seen["lifted"], (-1, 17, 3))
    assert 1.0 < np.ptp(pose[:, 1]) < 2.2 and pose[10, 1] < pose[[3, 6], 1].min(), "the head is above the feet"
    drawn = (
        "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(value => value)"
    )
    for picture in ("flat", "solid", "spatial", "temporal"):
        assert page.eval_on_selector(f".{picture}", drawn), picture
    numbers = "document.querySelector('.numbers').textContent"
    page.wait_for_function(f"/one person followed · .*joints \\d+ ms · lifting \\d+ ms/.test({numbers})")
    page.evaluate("live.close()")
    assert page.evaluate("live.source.stream") is None


@pytest.fixture(scope="module")
def two_people(tmp_path_factory):
    """The walker, kept in the middle, beside her mirror image: 800 x 320 pixels."""
    import av

    path = tmp_path_factory.mktemp("two") / "two.mp4"
    with av.open(str(CLIP)) as container, av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 800, 320, "yuv420p"
        for number, frame in enumerate(container.decode(video=0)):
            left = round(621 - 6.08 * number)  # she walks to the left
            one = frame.to_ndarray(format="rgb24")[:, max(0, min(left, 568)) :][:, :400]
            both = np.ascontiguousarray(np.concatenate([one, one[:, ::-1]], axis=1))
            film.mux(stream.encode(av.VideoFrame.from_ndarray(both, format="rgb24")))
        film.mux(stream.encode())
    return path


def test_of_several_people_the_touched_one_is_followed(open_page, two_people):
    page = open_page()
    middle = """() => {
        const joints = live.people.first?.landmarks.filter((_, i) => i % 3 === 0);
        return joints && joints.reduce((sum, x) => sum + x, 0) / joints.length;
    }"""
    touch = """x => {
        const flat = document.querySelector(".flat"), {left, top, width, height} = flat.getBoundingClientRect();
        const scale = Math.min(width / 800, height / 320);
        const at = {clientX: left + width / 2 + (x - 400) * scale, clientY: top + height / 2};
        flat.dispatchEvent(new MouseEvent("click", {...at, bubbles: true}));
    }"""
    page.set_input_files("input[type=file]", two_people)
    wait_for(page, "live.lifted.length > 0")
    before = page.evaluate(middle)
    other = 600 if before < 400 else 200
    page.evaluate(touch, other)
    wait_for(page, "document.querySelector('.said').textContent.startsWith('The person you touched')")
    assert abs(page.evaluate(middle) - other) < 100 and page.evaluate("live.people.lifters.size") == 1
    page.evaluate(touch, 400)
    wait_for(page, "document.querySelector('.said').textContent.startsWith('No person was found there')")
    assert abs(page.evaluate(middle) - other) < 100

    page.select_option("[name=people]", "2")
    wait_for(page, "live.lifted.length === 2")
    page.click("[name=pause]")
    for x in (200, 600):
        page.evaluate(touch, x)
        assert abs(page.evaluate(middle) - x) < 100
    page.focus(".flat")
    page.keyboard.press("n")
    assert abs(page.evaluate(middle) - 200) < 100


def test_the_delay_is_said_and_keys_turn_the_figure(open_page):
    page = open_page()
    assert page.inner_text("output") == "6 frames, 120 ms"
    page.focus("[name=ahead]")
    page.keyboard.press("End")
    assert page.inner_text("output") == "13 frames, 260 ms"
    page.focus(".solid")
    before = page.evaluate("[live.scene.yaw, live.scene.pitch]")
    for key in ("ArrowLeft", "ArrowUp"):
        page.keyboard.press(key)
    assert page.evaluate("[live.scene.yaw, live.scene.pitch]") == [before[0] + 10, before[1] + 5]


def test_firefox_lifts_a_film_that_is_dropped(address):
    firefox = shutil.which("firefox-esr") or shutil.which("firefox") or pytest.skip("needs Firefox")
    command = [node(), "test/firefox-live.mjs", firefox, address, str(CLIP)]
    run = subprocess.run(command, cwd=LIVE, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-4000:]
    seen = json.loads(run.stdout)
    assert seen["faults"] == [] and all(url.startswith(("file:", "data:", "blob:")) for url in seen["asked"])
    if "cannot be played" in seen["said"]:
        pytest.skip("this Firefox has no H.264")
    poses = np.array([np.reshape(one["pose"], (17, 3)) for one in seen["seen"]])
    assert len(poses) == 3 and all(seen["drawn"].values()), seen["said"]
    assert (np.ptp(poses[..., 1], axis=1) > 1.0).all() and (np.ptp(poses[..., 1], axis=1) < 2.2).all()
    assert (np.abs(np.diff(poses, axis=0)).max(axis=(1, 2)) > 0.005).all(), "metres: the figure moves"


@pytest.mark.parametrize(
    "name, said",
    [
        ("NotAllowedError", "not allowed"),
        ("NotFoundError", "No camera was found"),
        ("NotReadableError", "different program"),
    ],
)
def test_a_camera_that_does_not_come_is_said(open_page, name, said):
    page = open_page(f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{name}') }}")
    page.click("[name=camera]")
    page.wait_for_selector(".said.wrong")
    assert said in page.inner_text(".said") and page.is_disabled("[name=pause]") and page.is_visible(".welcome")


def test_what_cannot_be_lifted_is_said(open_page, tmp_path):
    (tmp_path / "notes.mp4").write_text("not a film")
    page = open_page("delete Navigator.prototype.mediaDevices")
    page.click("[name=camera]")
    page.wait_for_selector(".said.wrong")
    assert "https, localhost and pages opened from disk" in page.inner_text(".said")
    page.set_input_files("input[type=file]", tmp_path / "notes.mp4")
    page.wait_for_function("document.querySelector('.said').textContent.includes('notes.mp4')")
    assert "cannot be played" in page.inner_text(".said")


def test_without_simd_it_says_so(open_page):
    page = open_page("WebAssembly.validate = () => false")
    assert "no WebAssembly SIMD" in page.inner_text(".said")
    page.click("[name=sample]")
    assert "no WebAssembly SIMD" in page.inner_text(".said")
