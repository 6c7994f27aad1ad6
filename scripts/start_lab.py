"""Start the course in JupyterLab and say, as the last line, which address to open and what to click.

    python scripts/start_lab.py [OPTION OF JUPYTERLAB ...]

Knows what Jupyter wants to be told: as root, without a display, over SSH, in a container, in GitHub Codespaces.
"""

import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
START_HERE = "/lab/tree/notebooks/00_start_here.ipynb"


def can_open_browser(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Whether a browser on this machine would come up in front of whoever started the lab."""
    if {"SSH_CONNECTION", "CODESPACES", "REMOTE_CONTAINERS"} & set(environ):
        return False
    if platform.startswith("linux") and not (environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def codespaces_address(port: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Where GitHub Codespaces forwards a port to; None elsewhere."""
    try:
        return f"https://{environ['CODESPACE_NAME']}-{port}.{environ['GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN']}/"
    except KeyError:
        return None


def lab_options(is_root: bool, opens_browser: bool, environ: Mapping[str, str] = os.environ) -> list[str]:
    """What JupyterLab has to be told."""
    options = [
        f"--ServerApp.root_dir={ROOT}",
        f"--LabApp.default_url={START_HERE}",
        f"--IdentityProvider.token={secrets.token_hex(16)}",  # Jupyter prints its own addresses for a token of its own
        "--ServerApp.answer_yes=True",  # Ctrl-C ends it without a question
        "--Application.log_level=ERROR",
        "--ServerApp.contents_manager_class=still_pictures.StillPictures",  # beside this file
        "--LabApp.news_url=None",  # fetches no news
        f"--LabApp.app_settings_dir={ROOT / 'scripts' / 'lab_settings'}",  # nor asks in a popup whether it may
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if is_root:
        options.append("--allow-root")
    if not opens_browser:
        options.append("--no-browser")
    if address := codespaces_address("[0-9]+", environ):
        options += ["--ServerApp.allow_remote_access=True", f"--ServerApp.allow_origin_pat={address.rstrip('/')}"]
    return options


def instructions(server: Mapping, opens_browser: bool, environ: Mapping[str, str] = os.environ) -> str:
    """What to do now; the last line holds the address. server: Jupyter's own description of a server that runs."""
    port = server["port"]
    base = codespaces_address(str(port), environ) or server["url"]
    query = f"?{urlencode({'token': server['token']})}" if server["token"] else ""
    address = base.rstrip("/") + START_HERE + query
    lines = ["", "JupyterLab is running. Ctrl-C in this terminal ends it."]
    if opens_browser:
        last = f"In your browser click Run > Run All Cells. If no page opened, open {address}"
    else:
        last = f"Open {address} in a browser and click Run > Run All Cells."
        if not {"CODESPACES", "REMOTE_CONTAINERS"} & set(environ):
            tunnel = f"ssh -L {port}:localhost:{port} {tunnel_end(environ)}"
            lines.append(f"If your browser is on another machine, first run there: {tunnel}")
    return "\n".join([*lines, last])


def tunnel_end(environ: Mapping[str, str]) -> str:
    """USER@HOST as an SSH client reached this machine, as far as this machine knows."""
    connection = environ.get("SSH_CONNECTION", "").split()  # client address and port, server address and port
    return f"{environ.get('USER', 'USER')}@{connection[2] if len(connection) == 4 else 'THIS_MACHINE'}"


def wait_until_up(description: Path) -> dict:
    """The server's description of itself, as soon as the server answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine is behind no proxy
    while True:
        try:
            server = json.loads(description.read_text(encoding="utf-8"))
            opener.open(f"{server['url']}api", timeout=5).close()
            return server
        except (FileNotFoundError, json.JSONDecodeError, urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)


def main(arguments: list[str]) -> None:
    from jupyter_core.paths import jupyter_runtime_dir
    from jupyterlab.labapp import LabApp

    opens_browser = can_open_browser() and "--no-browser" not in arguments
    description = Path(jupyter_runtime_dir()) / f"jpserver-{os.getpid()}.json"
    description.unlink(missing_ok=True)  # an earlier process of this number may have left its own

    def announce() -> None:
        print(instructions(wait_until_up(description), opens_browser), flush=True)

    Thread(target=announce, daemon=True).start()
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    given = {argument.split("=")[0] for argument in arguments}  # these win: Jupyter refuses an option given twice
    ours = [option for option in lab_options(is_root, opens_browser) if option.split("=")[0] not in given]
    LabApp.launch_instance(ours + arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
