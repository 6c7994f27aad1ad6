"""What surrounds the package: dependencies told once, commands that fail when they should, one public address."""

import ast
import importlib
import importlib.metadata
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import end_pins
import frozen_notebooks
import set_repository_address

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "poseformer_lite"
COURSE = ROOT / "poseformer_course"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]


def requirements(*groups: list[str]) -> dict[str, SpecifierSet]:
    parsed = [Requirement(line) for group in groups for line in group]
    return {canonicalize_name(requirement.name): requirement.specifier for requirement in parsed}


def pins(name: str) -> dict[str, str]:
    """package -> version from constraints/<name>.txt."""
    lines = (ROOT / "constraints" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    exact = [re.fullmatch(r"([\w.-]+)==([\w.]+)", line) for line in lines if line and not line.startswith("#")]
    assert all(exact), f"constraints/{name}.txt holds a line that is neither a comment nor package==version"
    return {canonicalize_name(match[1]): match[2] for match in exact}


# Dependencies


def test_everything_declared_is_pinned():
    declared = requirements(PROJECT["dependencies"], EXTRAS["notebooks"], EXTRAS["test"])
    assert set(declared) - set(pins("current")) == set()


@pytest.mark.parametrize("name", ["current", "colab"])
def test_pins_satisfy_the_declared_ranges(name):
    declared = requirements(PROJECT["dependencies"], *EXTRAS.values())
    outside = [f"{p}=={v}" for p, v in pins(name).items() if p in declared and v not in declared[p]]
    assert outside == []


def test_every_declared_dependency_has_a_lowest_version():
    declared = requirements(PROJECT["dependencies"], *EXTRAS.values())
    assert [name for name, range_ in declared.items() if not any(part.operator == ">=" for part in range_)] == []


def test_pins_are_sorted_and_unique():
    lines = (ROOT / "constraints" / "current.txt").read_text(encoding="utf-8").splitlines()
    names = [canonicalize_name(line.split("==")[0]) for line in lines if not line.startswith("#")]
    assert names == sorted(set(names))


def test_conda_environment_names_no_dependency_of_its_own():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, from_pip = environment["dependencies"]
    assert pip == "pip"
    assert from_pip == {"pip": ["-c constraints/current.txt", "-e .[notebooks]"]}
    version = re.fullmatch(r"python=(3\.\d+)", python)[1]
    assert version in SpecifierSet(PROJECT["requires-python"])


def test_containers_take_a_python_that_the_package_allows():
    image = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))["image"]
    binder = (ROOT / "binder/runtime.txt").read_text(encoding="utf-8").strip()
    versions = re.fullmatch(r"python:(3\.\d+)", image)[1], re.fullmatch(r"python-(3\.\d+)", binder)[1]
    assert [version for version in versions if version not in SpecifierSet(PROJECT["requires-python"])] == []


def test_make_targets_that_others_name_exist(make):
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    for command in (container["postCreateCommand"], container["postAttachCommand"]):
        assert "scripts/" in "".join(dry_run(make, *command.split()[1:])), command


def test_python_versions_agree():
    allowed = SpecifierSet(PROJECT["requires-python"])
    listed = {line.rsplit(" ", 1)[1] for line in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", line)}
    assert listed == {f"3.{minor}" for minor in range(30) if f"3.{minor}" in allowed}
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    assert set(workflow["jobs"]["test"]["strategy"]["matrix"]["python"]) <= listed
    ends = workflow["jobs"]["ends"]["strategy"]["matrix"]["include"]
    by_age = sorted(listed, key=lambda version: int(version.partition(".")[2]))
    assert {end["libraries"]: end["python"] for end in ends} == {"oldest": by_age[0], "newest": by_age[-1]}


def test_the_oldest_versions_are_the_bounds_of_every_requirement():
    bounds = dict(line.split("==") for line in end_pins.oldest(PYPROJECT))
    for requirement in map(Requirement, [*PROJECT["dependencies"], *sum(EXTRAS.values(), [])]):
        assert f">={bounds[requirement.name]}" in str(requirement.specifier).split(","), requirement


def imported_modules(path: Path, only_at_top: bool = False) -> set[str]:
    """Top-level names of a file's absolute imports; with only_at_top, of those that importing the file itself runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if only_at_top else list(ast.walk(tree))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0}
    return {name.split(".")[0] for name in names}


def distributions(modules: set[str]) -> set[str]:
    """The distributions that other people's modules come from; the module's own name where it is not installed."""
    others = modules - set(sys.stdlib_module_names) - {PACKAGE.name, COURSE.name}
    known = importlib.metadata.packages_distributions()
    return {canonicalize_name(known.get(module, [module])[0]) for module in others}


def test_what_the_packages_import_is_declared():
    imported = distributions(set().union(*map(imported_modules, [*PACKAGE.rglob("*.py"), *COURSE.rglob("*.py")])))
    assert imported <= set(requirements(PROJECT["dependencies"], *EXTRAS.values()))


def test_only_viewers_need_the_notebook_libraries():
    free = [path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "viewers"]
    at_import = set().union(*(imported_modules(path, only_at_top=True) for path in free))
    assert distributions(at_import) <= set(requirements(PROJECT["dependencies"]))


# The package as it is installed


def test_every_folder_with_code_is_a_package():
    folders = {path.parent for path in [*PACKAGE.rglob("*.py"), *COURSE.rglob("*.py")]}
    assert [folder.name for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("package", [PACKAGE, COURSE], ids=lambda path: path.name)
def test_every_data_file_is_installed(package):
    globs = PYPROJECT["tool"]["setuptools"]["package-data"][package.name]
    installed = {path for pattern in globs for path in package.glob(pattern)}
    data = {path for path in package.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}}
    assert {str(path.relative_to(package)) for path in data - installed} == set()


def test_command_exists():
    module, function = PROJECT["scripts"]["poseformer-lite"].split(":")
    assert callable(getattr(importlib.import_module(module), function))


# Commands


@pytest.fixture
def make() -> str:
    if (command := shutil.which("make")) is None:
        pytest.skip("needs the program make")
    return command


def run_make(command: str, *arguments: str) -> str:
    """What make prints, untouched by the settings of a make that may be running these tests."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in {"MFLAGS", "PYTHON"}}
    run = subprocess.run([command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return run.stdout


def dry_run(make: str, *arguments: str) -> list[str]:
    """The commands that a target would run in a fresh clone."""
    return run_make(make, "-n", "-B", *arguments).splitlines()


def collected(make: str, target: str) -> list[str]:
    """The test files and the notebooks' cells that a target would run, each as often as it would be run."""
    found = []
    for line in dry_run(make, target):
        _, is_pytest, arguments = line.partition("/python -m pytest ")
        if is_pytest:
            command = [sys.executable, "-m", "pytest", *shlex.split(arguments), "--collect-only", "-q"]
            command += ["-p", "whole_files", "-p", "no:hypothesispytest"]
            environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
            environment["PYTHONPATH"] = os.pathsep.join([str(ROOT / "tests"), *sys.path])
            run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
            assert run.returncode == 0 and "deselected" not in run.stdout.splitlines()[-1], run.stdout[-2000:]
            found += [one for one in run.stdout.splitlines() if "::" in one]
    return found


@pytest.mark.slow
def test_make_test_runs_every_test_and_every_notebook_once(make):
    tests = collected(make, "test")
    assert [test for test, count in Counter(tests).items() if count > 1] == []
    files = {test.split("::")[0] for test in tests}
    wanted = [*ROOT.glob("tests/test_*.py"), *ROOT.glob("notebooks/*.ipynb")]
    assert {path.relative_to(ROOT).as_posix() for path in wanted} == files

    compared = Counter(test.split("::")[0] for test in tests if "::Cell " in test)
    lessons = {path: frozen_notebooks.read(path) for path in ROOT.glob("notebooks/*.ipynb")}
    cells = {path.relative_to(ROOT).as_posix(): len(frozen_notebooks.code_cells(n)) for path, n in lessons.items()}
    assert compared == cells, "nbval sees every code cell of every notebook"


@pytest.mark.parametrize("kind", ["check", "format --check"])
def test_make_test_looks_at_the_style_of_everything(make, kind):
    assert f".venv/bin/ruff {kind} ." in dry_run(make, "test")


def test_make_test_colab_takes_its_own_environment_and_every_notebook(make):
    commands = [shlex.split(line) for line in dry_run(make, "test-colab") if " -m pytest " in line]
    assert {Path(command[1]).parts[0] for command in commands} == {".venv-colab"}
    assert [command[-1] for command in commands if "nbval.ini" in command] == ["notebooks"]


def test_make_honours_python(make):
    commands = dry_run(make, "lab", "PYTHON=python3.99")
    assert [line for line in commands if line.startswith("python3.99 ")] == commands[:2]


def test_make_without_a_target_lists_every_target(make):
    text = run_make(make)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    assert re.findall(r"^  make ([\w-]+)", text, re.MULTILINE) == targets


@pytest.mark.parametrize(
    ("failing", "status", "run"),
    [("none", 0, ["test", "test-colab"]), ("test", 3, ["test"]), ("test-colab", 3, ["test", "test-colab"])],
)
def test_ci_runs_both_makes_and_passes_their_status_on(tmp_path, failing, status, run):
    fake = tmp_path / "make"
    fake.write_text(f'#!/bin/sh\necho "$PWD: make $@"\n[ "$1" != {failing} ] || exit 3\n')
    fake.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([ROOT / ".ci/run"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()) == (status, [f"{ROOT}: make {target}" for target in run])


@pytest.mark.parametrize(("newest_minor", "status"), [(sys.version_info.minor, 0), (sys.version_info.minor - 1, 1)])
def test_python_version_is_checked(tmp_path, newest_minor, status):
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/check_python.py", tmp_path / "scripts")
    (tmp_path / "pyproject.toml").write_text(f'requires-python = ">=3.5,<3.{newest_minor + 1}"\n')
    command = [sys.executable, tmp_path / "scripts/check_python.py"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == status
    assert (f"needs Python 3.5 to 3.{newest_minor}, but" in run.stderr) == bool(status)


# The public address


def test_address_is_the_same_everywhere():
    assert set_repository_address.outdated(ROOT) == []


OTHERS = "https://github.com/zczcwh/PoseFormer and git clone https://github.com/zczcwh/PoseFormer"
LINKS = [
    "https://colab.research.google.com/github/OLD/old/blob/main/notebooks/00_start_here.ipynb",
    "https://kaggle.com/kernels/welcome?src=https://github.com/OLD/old/blob/main/notebooks/00_start_here.ipynb",
    "https://mybinder.org/v2/gh/OLD/old/HEAD?urlpath=lab/tree/notebooks/00_start_here.ipynb",
    "https://codespaces.new/OLD/old",
    "https://codespaces.new/OLD/old?quickstart=1",
    r'{"source": "%pip install -q \"poseformer-lite @ git+https://github.com/OLD/old\"\n"}',
    "poseformer-lite[notebooks] @ git+https://github.com/OLD/old",
    "git clone https://github.com/OLD/old poseformer-lite",
    "https://github.com/OLD/old/actions/workflows/test.yml/badge.svg",
    "https://raw.githubusercontent.com/OLD/old/main/figures/title.png",
    'repository-code: "https://github.com/OLD/old"',
]


@pytest.mark.parametrize("link", LINKS)
def test_address_is_written_into_each_kind_of_link(link):
    assert set_repository_address.with_address(link, "new-owner/new.name") == link.replace(
        "OLD/old", "new-owner/new.name"
    )


def test_links_to_others_are_left_alone():
    assert set_repository_address.with_address(OTHERS, "new/name") == OTHERS


def test_address_script_rewrites_once(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nRepository = "https://github.com/new/name"\n')
    (tmp_path / "README.md").write_text("\n".join(LINKS), encoding="utf-8")
    assert set_repository_address.main(["--check"], tmp_path) == 1
    assert "OLD/old" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert set_repository_address.main([], tmp_path) == 0
    assert "OLD" not in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert set_repository_address.main(["--check"], tmp_path) == 0


def test_an_address_elsewhere_is_refused(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nRepository = "https://example.org/x"\n')
    with pytest.raises(ValueError, match="of the form https://github.com/OWNER/REPO"):
        set_repository_address.repository_slug(tmp_path)


# Credit


def test_citation_names_the_version_and_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == PROJECT["version"]
    paper = citation["references"][0]
    names = [author["family-names"] for author in paper["authors"]]
    assert names == ["Zheng", "Zhu", "Mendieta", "Yang", "Chen", "Ding"]
    assert paper["identifiers"][0]["value"] == "arXiv:2103.10455"


def test_licence_files_exist():
    assert [name for name in PROJECT["license-files"] if not (ROOT / name).is_file()] == []
