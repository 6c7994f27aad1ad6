"""uv and pip make the same environment: from the pins, and from where pip is configured to look."""

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import helpers_wheels
import pytest
from helpers_wheels import write_wheel

import make_environment

TOOLS = ["pip", "uv"]


def test_settings_of_pip_are_read_as_pip_ranks_them():
    listing = "\n".join(
        [
            ":env:.find-links='/from/environment'",
            "global.cert='/etc/ssl/certs.crt'",
            "global.extra-index-url='\\nhttps://a.example/simple\\nhttps://b.example/simple'",
            "global.find-links='/from/file'",
            "install.no-index='yes'",
        ]
    )
    assert make_environment.parse_pip_settings(listing) == {
        "cert": ["/etc/ssl/certs.crt"],
        "extra-index-url": ["https://a.example/simple", "https://b.example/simple"],
        "find-links": ["/from/environment"],
        "no-index": ["yes"],
    }


def test_uv_is_told_what_pip_is_configured_to_do():
    settings = {"find-links": ["/wheels", "/more"], "extra-index-url": ["https://a.example", "https://b.example"]}
    assert make_environment.uv_environment(settings, {"HOME": "/home"}) == {
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_INDEX": "https://a.example https://b.example",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "HOME": "/home",
    }


def test_what_uv_was_told_before_stays():
    told = make_environment.uv_environment({"index-url": ["https://a.example"]}, {"UV_DEFAULT_INDEX": "https://mine"})
    assert told == {"UV_DEFAULT_INDEX": "https://mine"}


def test_kernels_of_the_environment_help_with_lessons_that_are_begun_in_the_middle():
    config = SimpleNamespace(InteractiveShellApp=SimpleNamespace())
    exec(make_environment.KERNEL_SETTINGS, {"get_config": lambda: config})
    (extension,) = config.InteractiveShellApp.extensions
    assert callable(importlib.import_module(extension).load_ipython_extension)


def find_uv() -> str:
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return shutil.which("uv", path=beside) or pytest.skip("needs uv: pip install -e '.[test]'")


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project whose newest dependencies are not those it pins, in a folder with a space; no index, only wheels."""
    wheels = tmp_path / "wheels"
    root = tmp_path / "my course"
    (root / "constraints").mkdir(parents=True)
    wheels.mkdir()
    for version in ("1.0", "2.0"):
        write_wheel(wheels, "numpy", version)
        write_wheel(wheels, "pytest", version)
        write_wheel(wheels, "torch", version, "Requires-Dist: numpy\n")
    write_wheel(wheels, "pip", "99.0")
    (root / "constraints" / "current.txt").write_text("numpy==1.0\npytest==1.0\ntorch==1.0\n")
    (root / "pyproject.toml").write_text(helpers_wheels.BACKEND)
    shutil.copy(helpers_wheels.__file__, root)
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return root


def make(project: Path, tool: str, monkeypatch, *extras: str) -> int:
    uv = find_uv() if tool == "uv" else None
    monkeypatch.setattr(make_environment.shutil, "which", lambda name, path=None: uv)
    return make_environment.main([str(project / ".venv"), *extras], project)


def installed(folder: Path) -> dict[str, str]:
    """package -> version, but for pip, what some Pythons put into every environment, and what lies in this folder."""
    say = "from importlib import metadata as m; print(*(d.name + '==' + d.version for d in m.distributions()))"
    run = subprocess.run([folder / "bin" / "python", "-Ic", say], capture_output=True, text=True, check=True)
    packages = dict(line.split("==") for line in run.stdout.split())
    return {name: version for name, version in packages.items() if name not in {"pip", "setuptools"}}


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS)
def test_the_pinned_versions_are_installed_and_extras_added(project, tool, monkeypatch):
    assert make(project, tool, monkeypatch, "notebooks") == 0
    lab = {"course": "1.0", "numpy": "1.0", "torch": "1.0"}
    assert installed(project / ".venv") == lab
    settings = project / ".venv" / "etc" / "ipython" / "ipython_kernel_config.py"
    assert settings.read_text() == make_environment.KERNEL_SETTINGS

    (project / ".venv" / "mine").touch()
    assert make(project, tool, monkeypatch, "notebooks", "test") == 0
    assert installed(project / ".venv") == lab | {"pytest": "1.0"}
    assert (project / ".venv" / "mine").exists(), "the environment is brought up to date, not made again"


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS)
def test_an_environment_whose_python_is_gone_is_made_again(project, tool, monkeypatch):
    python = project / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(project / "gone")
    (project / ".venv" / "pyvenv.cfg").write_text("home = gone\n")
    assert make(project, tool, monkeypatch, "notebooks") == 0
    assert installed(project / ".venv")["torch"] == "1.0"


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS)
def test_a_failure_is_passed_on(project, tool, monkeypatch, capfd):
    (project / "constraints" / "current.txt").write_text("torch==3.0\n")
    assert make(project, tool, monkeypatch, "notebooks") != 0
    assert "run the same command again" in capfd.readouterr().err
