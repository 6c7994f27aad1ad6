"""The browser that tests drive: Debian's Chromium or its like, never one that playwright downloads."""

import shutil

BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome")
# No sandbox: it needs rights that a container has not. The rest keeps Chromium from speaking to anyone by itself.
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-sync",
    "--disable-extensions",
    "--use-angle=swiftshader",  # WebGL without a graphics card
    "--enable-unsafe-swiftshader",
]


def find_browser() -> str | None:
    """Its path, or None where none is installed."""
    return next(filter(None, map(shutil.which, BROWSER_NAMES)), None)
