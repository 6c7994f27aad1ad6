"""`make lab` starts wherever it is called, and its last line holds an address that answers."""

import asyncio
import http.client
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest

import frozen_notebooks
import start_lab
from lab import asked, end_kernels, running_lab

ROOT = Path(__file__).resolve().parent.parent
SERVER = {"port": 8889, "url": "http://localhost:8889/", "token": "secret"}
HERE = "localhost:8889/lab/tree/notebooks/00_start_here.ipynb?token=secret"
CODESPACE = {"CODESPACES": "true", "CODESPACE_NAME": "fit-owl", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN": "app.test"}
SSH = {"SSH_CONNECTION": "192.0.2.7 53210 192.0.2.9 22", "USER": "ada"}


@pytest.mark.parametrize(
    ("environ", "platform", "can"),
    [
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({}, "darwin", True),
        ({"DISPLAY": "localhost:10.0", **SSH}, "linux", False),
        (SSH, "darwin", False),
        ({"DISPLAY": ":0", "REMOTE_CONTAINERS": "true"}, "linux", False),
        ({"DISPLAY": ":0", **CODESPACE}, "linux", False),
    ],
)
def test_a_browser_is_opened_only_where_somebody_sees_it(environ, platform, can, monkeypatch):
    monkeypatch.setattr(webbrowser, "get", lambda: object())
    assert start_lab.can_open_browser(environ, platform) is can


def test_no_browser_is_opened_where_none_is(monkeypatch):
    def none_found():
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(webbrowser, "get", none_found)
    assert not start_lab.can_open_browser({"DISPLAY": ":0"}, "linux")


@pytest.mark.parametrize("is_root", [True, False])
@pytest.mark.parametrize("opens_browser", [True, False])
def test_jupyter_is_told_what_it_wants(is_root, opens_browser):
    options = start_lab.lab_options(is_root, opens_browser, {})
    assert ("--allow-root" in options, "--no-browser" in options) == (is_root, not opens_browser)


@pytest.mark.parametrize("environ", [{}, SSH, {"REMOTE_CONTAINERS": "true"}])
@pytest.mark.parametrize("opens_browser", [True, False])
def test_the_last_line_says_what_to_open_and_to_click(environ, opens_browser):
    last = start_lab.instructions(SERVER, opens_browser, environ).splitlines()[-1]
    assert f"http://{HERE}" in last and "Run > Run All Cells" in last


def test_a_lab_behind_ssh_says_how_to_reach_it():
    assert "ssh -L 8889:localhost:8889 ada@192.0.2.9" in start_lab.instructions(SERVER, False, SSH)


def test_in_codespaces_the_forwarded_address_is_named():
    text = start_lab.instructions(SERVER, False, CODESPACE)
    assert "https://fit-owl-8889.app.test/lab/tree/notebooks/00_start_here.ipynb?token=secret" in text.splitlines()[-1]
    assert "ssh" not in text


# Real servers


@pytest.fixture
def course(tmp_path) -> Path:
    """What `make lab` needs of this repository, in a folder with a space in its name."""
    root = tmp_path / "my course"
    root.mkdir()
    for name in ("scripts", "notebooks"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    shutil.copy(ROOT / "Makefile", root)
    (root / ".venv").symlink_to(sys.prefix)
    return root


class Terminal:
    """A program in a terminal of its own, without a display."""

    def __init__(self, command: list, folder: Path, **environ: str):
        dropped = ("MAKE", "MFLAGS", "DISPLAY", "WAYLAND_DISPLAY", "SSH_", "CODESPACE", "REMOTE_CONTAINERS", "JUPYTER")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        environment |= {"HOME": str(folder), "NO_PROXY": "*", **environ}
        self.master, inside = pty.openpty()
        self.program = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=inside, stdout=inside, stderr=inside, start_new_session=True
        )
        os.close(inside)
        self.output = ""

    def read_until(self, pattern: str, seconds: float = 90) -> str:
        """What matches, and first of all lines until nothing more comes for a second."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = re.search(pattern, self.output)
            ready, _, _ = select.select([self.master], [], [], 1)
            if found and not ready:
                return found[0]
            try:
                self.output += os.read(self.master, 65536).decode() if ready else ""
            except OSError:  # the program has ended
                break
        raise AssertionError(f"{pattern!r} is not in what it printed:\n{self.output}")

    def interrupt(self, seconds: float = 20) -> int:
        """Ctrl-C, once; the program's status."""
        os.killpg(self.program.pid, signal.SIGINT)
        return self.program.wait(seconds)

    def close(self) -> None:
        if self.program.poll() is None:
            os.killpg(self.program.pid, signal.SIGKILL)
            self.program.wait()
        os.close(self.master)


@pytest.fixture
def terminal():
    opened = []

    def run(*arguments, **environ) -> Terminal:
        opened.append(Terminal(*arguments, **environ))
        return opened[-1]

    yield run
    for one in opened:
        one.close()


@pytest.mark.slow
def test_make_lab_with_a_taken_port_and_without_a_display(course, terminal):
    make = shutil.which("make") or pytest.skip("needs the program make")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [make, "--old-file=.venv/.has-notebooks", "lab", f"LAB_ARGS=--ServerApp.port={port}"]
        lab = terminal(command, course)
        address = lab.read_until(r"http\S+\?token=\w+")

    assert urlsplit(address).port != port
    assert address in lab.output.splitlines()[-1], "nothing follows the address"
    assert len(lab.output.splitlines()) <= 6, "nothing hides it"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=10) as page:
        assert page.status == 200 and b"<title>JupyterLab</title>" in page.read()
    with opener.open(address.replace("/lab/tree/", "/api/contents/"), timeout=10) as notebook:
        assert b"Start here" in notebook.read(), "the address names a notebook that is there"

    assert lab.interrupt() in {0, -signal.SIGINT}
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        opener.open(address, timeout=5)


@pytest.mark.slow
def test_in_codespaces_its_own_forwarded_page_reaches_the_kernels_and_no_other(course, terminal):
    websocket = pytest.importorskip("tornado.websocket")
    from tornado.httpclient import HTTPClientError, HTTPRequest

    lab = terminal([sys.executable, course / "scripts" / "start_lab.py"], course, **CODESPACE)
    address = urlsplit(lab.read_until(r"https://\S+\?token=\w+"))
    port = re.fullmatch(r"fit-owl-(\d+)\.app\.test", address.netloc)[1]

    def cookies(host: str) -> str:
        """What the page hands to a browser that asks for it by this name of the host."""
        page = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
        page.request("GET", f"{address.path}?{address.query}", headers={"Host": host})
        answer = page.getresponse()
        assert answer.status == 200
        return "; ".join(cookie.split(";")[0] for cookie in answer.headers.get_all("Set-Cookie"))

    async def subscribe(host: str, origin: str) -> None:
        headers = {"Host": host, "Origin": origin, "Cookie": cookies(host)}
        request = HTTPRequest(f"ws://127.0.0.1:{port}/api/events/subscribe", headers=headers)
        (await websocket.websocket_connect(request)).close()

    for host in (address.netloc, f"localhost:{port}"):  # whichever the forwarding passes on
        asyncio.run(subscribe(host, f"https://{address.netloc}"))
        with pytest.raises(HTTPClientError, match="403"):
            asyncio.run(subscribe(host, "https://elsewhere.test"))
    assert lab.interrupt() == 0


@pytest.mark.slow
def test_a_notebook_is_opened_with_its_widgets_only_where_its_kernel_still_runs(tmp_path):
    """A new kernel knows of no widget, and JupyterLab would say so in place of showing the picture beside it."""
    outputs = [
        {frozen_notebooks.WIDGET_VIEW: {"model_id": "1"}, "image/png": "aaaa"},
        {frozen_notebooks.WIDGET_VIEW: {"model_id": "2"}, "text/plain": "Button()"},  # has nothing else to show
    ]
    cell = nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", data=d) for d in outputs])
    folder = tmp_path / "root" / "sub"
    folder.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "saved.ipynb")
    with running_lab(tmp_path / "root", tmp_path) as lab:

        def kinds() -> list[set[str]]:
            notebook = asked(lab, "contents/sub/saved.ipynb")["content"]
            return [set(output["data"]) for output in notebook["cells"][0]["outputs"]]

        with_pictures = [{"image/png"}, set(outputs[1])]
        assert kinds() == with_pictures
        asked(lab, "sessions", {"path": "sub/saved.ipynb", "name": "", "type": "notebook", "kernel": {}})
        assert kinds() == [set(output) for output in outputs]
        end_kernels(lab)
        assert kinds() == with_pictures
    assert frozen_notebooks.WIDGET_VIEW in (folder / "saved.ipynb").read_text(encoding="utf-8"), "the file is as it was"
