"""JupyterLab on this machine and a page of Chromium that looks at it and reaches nothing else."""

import json
import os
import secrets
import select
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from chromium import BROWSER_FLAGS

ROOT = Path(__file__).resolve().parent.parent
# The badge lies on Colab's server because that is where GitHub's readers click it; the tests hand out this one.
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
BADGE_STAND_IN = '<svg xmlns="http://www.w3.org/2000/svg" width="117" height="20"/>'
LAB_SETTINGS = {
    "notebook-extension/tracker": '{"windowingMode": "none"}',  # all cells are in the page, not only those in view
}
PATIENCE = 400  # seconds for whatever a page waits for, far more than it takes; a slow machine is not a failure

# All cells have a number; or one raised, and those below it never get one.
IS_DONE = """() => {
    const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(p => p.textContent.trim());
    const outputs = [...document.querySelectorAll('.jp-CodeCell .jp-OutputArea-output')].map(o => o.textContent);
    return prompts.every(p => /^\\[\\d+\\]:/.test(p)) || outputs.some(o => o.includes('Traceback (most recent call'));
}"""
PICTURES_LOADED = "() => [...document.querySelectorAll('.jp-Notebook img')].every(image => image.complete)"


def copy_course(folder: Path) -> Path:
    """notebooks/ and figures/ again, so that running and saving changes nothing in the checkout."""
    for name in ("notebooks", "figures"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return folder


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab for the files under root. gate stands where the network begins for server and kernels."""

    root: Path
    folder: Path
    address: str
    token: str
    gate: socket.socket


@contextmanager
def running_lab(root: Path, folder: Path) -> Iterator[Lab]:
    """JupyterLab for the files under root, its own files under folder."""
    token = secrets.token_hex(16)
    with (
        socket.create_server(("127.0.0.1", 0)) as gate,
        jupyter_lab(root, folder, token, f"http://127.0.0.1:{gate.getsockname()[1]}") as address,
    ):
        yield Lab(root, folder, address, token, gate)


@contextmanager
def lab_page(lab: Lab, browser_path: str, notebook: str | None = None):
    """A fresh page of a browser with that notebook open, or with what the lab opens by itself.

    Afterwards, that the browser's console stayed clean and that page, server and kernels asked for nothing off this
    machine.
    """
    shutil.rmtree(lab.folder / "jupyterlab_workspaces_dir", ignore_errors=True)  # or it opens what was open before
    with watched_page(browser_path, lab.address) as (page, complaints):
        page.goto(f"{lab.address}/{f'lab/tree/{notebook}' if notebook else ''}?token={lab.token}")
        yield page
        waiting_at_the_gate, _, _ = select.select([lab.gate], [], [], 0)
    assert complaints.off_host == [], "the page asked for nothing off this machine"
    assert waiting_at_the_gate == [], "neither did the server or the kernel"
    assert complaints.console == [], "the browser's console stays clean"


def run_all_cells(page, notebook: str) -> None:
    """Run > Run All Cells in the notebook that is open or opening, wait until every cell is done."""
    page.wait_for_url(f"**/lab/tree/{notebook}*")
    idle = page.locator("#jp-main-statusbar").get_by_text("| Idle")  # the kernel's own word, not there before it is up
    idle.wait_for()
    page.locator('.lm-MenuBar-itemLabel:text-is("Run")').click()
    page.locator('.lm-Menu-itemLabel:text-is("Run All Cells")').click()
    page.wait_for_function(IS_DONE)
    idle.wait_for()
    page.wait_for_function(PICTURES_LOADED)


def save(page) -> None:
    page.keyboard.press("Control+s")
    page.locator(".lm-DockPanel-tabBar .jp-mod-dirty").wait_for(state="detached")


def asked(lab: Lab, path: str, given: dict | None = None, method: str | None = None) -> dict | list | None:
    """What the server's API answers to a path; where something is given to it, or it is asked by another method."""
    headers = {"Authorization": f"token {lab.token}"}
    data = None if given is None else json.dumps(given).encode()
    request = urllib.request.Request(f"{lab.address}/api/{path}", data, headers, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.loads(answer.read() or "null")


def end_kernels(lab: Lab) -> None:
    """Shut down every kernel, so that there are none, as on a server that has just started."""
    for session in asked(lab, "sessions"):
        asked(lab, f"sessions/{session['id']}", method="DELETE")


@dataclass
class Complaints:
    """What a page did that it should not: messages of its console, and addresses off this machine it asked for."""

    console: list[str] = field(default_factory=list)
    off_host: list[str] = field(default_factory=list)


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


def wait_until_up(server: subprocess.Popen, address: str, log: Path, seconds: float = PATIENCE) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # never through a proxy of this machine
    deadline = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < deadline:
        try:
            opener.open(f"{address}/api", timeout=5).close()
            return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.3)
    raise RuntimeError(f"JupyterLab did not come up within {seconds} s; its log ends with:\n{log.read_text()[-2000:]}")


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


@contextmanager
def jupyter_lab(root: Path, folder: Path, token: str, proxy: str):
    """JupyterLab as `make lab` starts it, for the files under root, its own under folder; yields its address."""
    environment = lab_environment(folder, proxy)
    write_settings(Path(environment["JUPYTERLAB_SETTINGS_DIR"]))
    port = free_port()
    options = [f"--ServerApp.root_dir={root}", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    options += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", "--no-browser"]
    log = folder / "jupyter.log"
    with log.open("w") as out:
        command = [sys.executable, ROOT / "scripts" / "start_lab.py", *options]
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

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path, args=BROWSER_FLAGS)
        try:
            page = browser.new_page(viewport={"width": 1500, "height": 1700})
            page.set_default_timeout(1000 * PATIENCE)
            page.route(lambda url: not url.startswith(own), refuse)
            page.on("websocket", note_socket)
            page.on("console", note_message)
            page.on("pageerror", lambda error: complaints.console.append(str(error)))
            yield page, complaints
        finally:
            browser.close()
