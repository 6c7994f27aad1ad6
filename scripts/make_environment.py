"""Make a virtual environment, or bring one up to date: this project with some of its extras, at the pinned versions.

    python scripts/make_environment.py FOLDER [--pins FILE] EXTRA ...

uv does it where it is on the PATH, else pip; uv is told what pip's configuration says about indexes, folders of wheels
and constraints, so that both take the same packages. Needs nothing but Python: it runs before anything is installed.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Settings of pip, and the variables of uv that say the same to it. One that is set already stays as it is.
UV_VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
}
THIS_VERSION = "{}.{}".format(*sys.version_info)
# Read by every notebook's kernel in the environment, so that a lesson that is begun in the middle is helped, too.
KERNEL_SETTINGS = 'get_config().InteractiveShellApp.extensions = ["poseformer_course.order"]\n'
SAY_VERSION = "import sys; print('{}.{}'.format(*sys.version_info))"


def has_this_python(folder: Path) -> bool:
    """Whether the folder holds a Python that runs and is of this version."""
    python = folder / "bin" / "python"
    if not python.exists():  # or a link to a Python that is gone
        return False
    return subprocess.run([python, "-c", SAY_VERSION], capture_output=True, text=True).stdout.strip() == THIS_VERSION


def parse_pip_settings(listing: str) -> dict[str, list[str]]:
    """Setting -> values, from what `pip config list` prints; as in pip, install beats global, the environment both."""
    lines = [line.partition("=") for line in listing.splitlines()]
    settings = {}
    for section in ("global.", "install.", ":env:."):
        for key, _, value in lines:
            if key.startswith(section):
                settings[key.removeprefix(section)] = str(ast.literal_eval(value)).split()
    return settings


def pip_settings() -> dict[str, list[str]]:
    """What pip is configured to do here; nothing where this Python has no pip."""
    listing = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    return parse_pip_settings(listing.stdout)


def uv_environment(settings: Mapping[str, list[str]], environ: Mapping[str, str]) -> dict[str, str]:
    """The environment in which uv looks for packages where pip does, and, as pip, takes the best of all indexes."""
    said = {UV_VARIABLES[key]: values for key, values in settings.items() if key in UV_VARIABLES}
    told = {name: ("," if name == "UV_FIND_LINKS" else " ").join(values) for name, values in said.items()}
    if "extra-index-url" in settings:
        told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {**told, **environ}


def with_uv(uv: str, folder: Path, wanted: list[str]) -> None:
    settings = pip_settings()
    environ = uv_environment(settings, os.environ)
    if not has_this_python(folder):
        clear = ["--clear"] if folder.exists() else []
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, *clear, folder], env=environ, check=True)
    options = [f"--constraints={path}" for path in settings.get("constraint", [])]
    if settings.get("no-index", ["false"])[0].lower() in {"1", "true", "yes", "on"}:
        options.append("--no-index")
    # pip among them, for those who install more by it: another environment's pip would be found in place of it
    command = [uv, "pip", "install", "--python", folder / "bin" / "python", *options, "pip", *wanted]
    subprocess.run(command, env=environ, check=True)


def with_pip(folder: Path, wanted: list[str]) -> None:
    if not has_this_python(folder):
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", *wanted], check=True)


def main(arguments: list[str], root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("extras", nargs="+", metavar="EXTRA")
    parser.add_argument("--pins", type=Path, default=root / "constraints" / "current.txt")
    options = parser.parse_args(arguments)
    wanted = ["--constraint", str(options.pins), "--editable", f"{root}[{','.join(options.extras)}]"]
    uv = shutil.which("uv")
    print(f"Installing into {options.folder} with {'uv' if uv else 'pip'} ...", flush=True)
    try:
        with_uv(uv, options.folder, wanted) if uv else with_pip(options.folder, wanted)
    except subprocess.CalledProcessError as error:
        print(f"{options.folder} is not complete: see above, then run the same command again.", file=sys.stderr)
        return error.returncode
    settings = options.folder / "etc" / "ipython" / "ipython_kernel_config.py"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(KERNEL_SETTINGS, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
