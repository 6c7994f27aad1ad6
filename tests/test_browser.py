"""A learner's first minutes: JupyterLab in Chromium opens the first notebook and runs all of it, without a network."""

import os
import re
import secrets
import select
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
import pytest
from chromium import BROWSER_FLAGS

import frozen_notebooks

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[test]'")

ROOT = Path(__file__).resolve().parent.parent
START_HERE = "notebooks/00_start_here.ipynb"
# The badge lies on Colab's server because that is where GitHub's readers click it; the test hands out this one.
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
BADGE_STAND_IN = '<svg xmlns="http://www.w3.org/2000/svg" width="117" height="20"/>'
LAB_SETTINGS = {
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',  # or it asks, in a popup
    "notebook-extension/tracker": '{"windowingMode": "none"}',  # all cells are in the page, not only those in view
}
PATIENCE = 400  # seconds for the whole notebook, far more than it takes; a slow machine is not a failure

# All cells have a number; or one raised, and those below it never get one.
IS_DONE = """() => {
    const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(p => p.textContent.trim());
    const outputs = [...document.querySelectorAll('.jp-CodeCell .jp-OutputArea-output')].map(o => o.textContent);
    return prompts.every(p => /^\\[\\d+\\]:/.test(p)) || outputs.some(o => o.includes('Traceback (most recent call'));
}"""
PICTURES_LOADED = "() => [...document.querySelectorAll('.jp-Notebook img')].every(image => image.complete)"
PICTURES_PER_CELL = """() => [...document.querySelectorAll('.jp-Notebook .jp-Cell')].map(cell =>
    [...cell.querySelectorAll('.jp-OutputArea-output img, .jp-MarkdownOutput img')].filter(
        image => image.naturalWidth > 0 && image.naturalHeight > 0 && image.offsetWidth > 0).length)"""


@dataclass
class Complaints:
    """What a page did that it should not: messages of its console, and addresses off this machine it asked for."""

    console: list[str] = field(default_factory=list)
    off_host: list[str] = field(default_factory=list)


def copy_course(folder: Path) -> Path:
    """notebooks/ and figures/ again, so that running and saving changes nothing in the checkout."""
    for name in ("notebooks", "figures"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return folder


def make_short_and_blank(path: Path) -> None:
    """One epoch in place of four; no stored outputs, so that all that is seen later was made by this run."""
    notebook = nbformat.read(path, as_version=4)
    assert sum(cell.source.count("epochs=4") for cell in notebook.cells) == 1, f"{path.name} trains for epochs=4 once"
    for cell in notebook.cells:
        cell.source = cell.source.replace("epochs=4", "epochs=1")
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, path)


def count_pictures(cell) -> int:
    """Pictures that a cell shows, as its committed form says."""
    if cell.cell_type == "markdown":
        return len(re.findall(r"!\[", cell.source))
    return sum("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


# The server


def lab_environment(folder: Path, proxy: str) -> dict[str, str]:
    """This environment, without the user's settings of Jupyter, and with a proxy as the only way to the network."""
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    lab_folders = ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    environment = os.environ | {name: str(folder / name.lower()) for name in folders + lab_folders}
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        environment |= {name: proxy, name.lower(): proxy}
    return environment | {name: "127.0.0.1,localhost" for name in ("NO_PROXY", "no_proxy")}


def write_settings(folder: Path) -> None:
    for name, text in LAB_SETTINGS.items():
        path = folder / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait_until_up(server: subprocess.Popen, address: str, log: Path, seconds: float = 60) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy of this machine
    deadline = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < deadline:
        try:
            opener.open(f"{address}/api", timeout=5).close()
            return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.3)
    pytest.fail(f"jupyter lab did not come up within {seconds} s; its log ends with:\n{log.read_text()[-2000:]}")


def stop(server: subprocess.Popen) -> None:
    """End the server and its kernels, which sit in process groups of their own, even where it refuses."""
    family = [server]
    if server.poll() is None:
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        server.terminate()
        _, alive = psutil.wait_procs(family, timeout=15)
        for process in alive:
            process.kill()
        psutil.wait_procs(alive, timeout=5)
    server.wait()


def options_of_make_lab(root: Path) -> list[str]:
    """What `make lab` hands to JupyterLab, for another root folder."""
    printed = subprocess.run(["make", "-n", "lab"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (command,) = [line for line in printed.splitlines() if "jupyter lab" in line]
    return [option.replace(str(ROOT), str(root)) for option in shlex.split(command)[2:]]


@contextmanager
def jupyter_lab(root: Path, folder: Path, token: str, proxy: str):
    """JupyterLab for the files under root, its own files under folder; yields its address."""
    environment = lab_environment(folder, proxy)
    write_settings(Path(environment["JUPYTERLAB_SETTINGS_DIR"]))
    port = free_port()
    options = [*options_of_make_lab(root), "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    options += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", "--no-browser", "--allow-root"]
    log = folder / "jupyter.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "jupyter", "lab", *options]
        server = subprocess.Popen(command, env=environment, stdout=out, stderr=out, start_new_session=True, cwd=root)
        try:
            wait_until_up(server, f"http://127.0.0.1:{port}", log)
            yield f"http://127.0.0.1:{port}"
        finally:
            stop(server)


# The browser


@contextmanager
def watched_page(browser_path: str, address: str):
    """An empty page that reaches nothing but address; yields it with the list of what it did wrong."""
    complaints = Complaints()
    own = (address + "/", address.replace("http", "ws", 1) + "/", "data:", "blob:")

    def refuse(route):
        if route.request.url == BADGE:
            return route.fulfill(content_type="image/svg+xml", body=BADGE_STAND_IN)
        complaints.off_host.append(route.request.url)
        return route.abort()

    def note_socket(web_socket):
        if not web_socket.url.startswith(own):
            complaints.off_host.append(web_socket.url)

    def note_message(message):
        if message.type == "error":
            complaints.console.append(f"{message.text} ({message.location.get('url')})")

    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path, args=BROWSER_FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1500, "height": 1700})
            page.route(lambda url: not url.startswith(own), refuse)
            page.on("websocket", note_socket)
            page.on("console", note_message)
            page.on("pageerror", lambda error: complaints.console.append(str(error)))
            yield page, complaints
        finally:
            browser.close()


def run_all_cells(page, address: str, token: str, notebook: str) -> None:
    """Open the notebook, Run > Run All Cells, wait until every cell is done, save."""
    page.goto(f"{address}/?token={token}")  # leads to the notebook that `make lab` opens
    page.wait_for_url(f"**/lab/tree/{notebook}*", timeout=60_000)
    idle = page.locator("#jp-main-statusbar").get_by_text("| Idle")  # the kernel's own word, not there before it is up
    idle.wait_for(timeout=90_000)
    page.locator('.lm-MenuBar-itemLabel:text-is("Run")').click()
    page.locator('.lm-Menu-itemLabel:text-is("Run All Cells")').click()
    page.wait_for_function(IS_DONE, timeout=1000 * PATIENCE)
    idle.wait_for(timeout=30_000)
    page.wait_for_function(PICTURES_LOADED)
    page.keyboard.press("Control+s")
    page.locator(".lm-DockPanel-tabBar .jp-mod-dirty").wait_for(state="detached")


@pytest.mark.slow
@pytest.mark.browser
def test_start_here_runs_in_jupyterlab(tmp_path, browser_path):
    root = copy_course(tmp_path / "course")
    committed = nbformat.read(root / START_HERE, as_version=4)
    assert frozen_notebooks.find_problems(committed) == [], "bring it into its committed form first: make notebooks"
    expected = [count_pictures(cell) for cell in committed.cells]
    make_short_and_blank(root / START_HERE)
    token = secrets.token_hex(16)

    with (
        socket.create_server(("127.0.0.1", 0)) as gate,  # stands where the network begins for server and kernel
        jupyter_lab(root, tmp_path, token, f"http://127.0.0.1:{gate.getsockname()[1]}") as address,
        watched_page(browser_path, address) as (page, complaints),
    ):
        run_all_cells(page, address, token, START_HERE)
        page.screenshot(path=tmp_path / "after_the_run.png")
        pictures = page.evaluate(PICTURES_PER_CELL)
        waiting_at_the_gate, _, _ = select.select([gate], [], [], 0)

    notebook = nbformat.read(root / START_HERE, as_version=4)
    outputs = [(number, output) for number, cell in enumerate(notebook.cells) for output in cell.get("outputs", [])]
    assert [(number, o.ename, o.evalue) for number, o in outputs if o.output_type == "error"] == []
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "every code cell is run once, in order"

    (curve,) = [number for number, cell in enumerate(notebook.cells) if cell.source.startswith("run.plot()")]
    assert pictures[curve] == 1, "the training curve is shown"
    assert pictures == expected, "pictures per cell, in the browser and in the committed notebook"
    assert complaints.off_host == [], "the page asked for nothing off this machine"
    assert waiting_at_the_gate == [], "neither did the server or the kernel"
    assert complaints.console == [], "the browser's console stays clean"
