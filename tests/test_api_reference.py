"""The API reference: every public name is in it with an example that runs, and docstrings say what signatures do."""

import ast
import builtins
import doctest
import inspect
import re
import textwrap
import types
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import poseformer_lite as pfl
from poseformer_lite.model import base

PAGES = sorted((Path(__file__).resolve().parent.parent / "docs" / "api").glob("*.md"))
MODULES = [
    "metrics", "skeleton", "tracking", "camera", "canonical", "keypoints", "plots", "evaluation",
    "model", "model.baselines", "model.heads", "model.official", "model.onnx",
    "model.poseformer",
    "datasets", "datasets.base", "datasets.windows", "datasets.videopose3d",
    "datasets.virtual.views", "datasets.virtual.detections", "datasets.virtual.wild",
    "training", "training.loop", "training.settings",
    "lifting.angles", "lifting.jobs", "lifting.lifter", "lifting.live", "lifting.motion", "lifting.video",
    "lifting.world", "formats.articulated", "formats.asfamc", "formats.bvh", "formats.gltf", "formats.keypoint_files",
    "formats.misread", "formats.safe_npz", "formats.trc",
    "viewers.attention", "viewers.export", "viewers.motion",
]  # fmt: skip
INSIDE = [  # for other modules, not for readers of the reference
    "evaluation.sequence_errors", "model.heads.encoders",
    "model.poseformer.RegressionHead", "model.poseformer.SpatialTransformer", "model.poseformer.TemporalTransformer",
    "plots.strongest_others",
    "datasets.virtual.detections.draw_spells", "datasets.virtual.detections.person_size", "training.settings.resolve",
    "lifting.video.Detector", "lifting.video.check_video", "lifting.video.evenly",
    "lifting.jobs.Job", "lifting.jobs.is_video", "lifting.jobs.run", "lifting.jobs.people_of",
    "lifting.jobs.lift_track", "lifting.video.refuse_guessed_legs", "formats.misread.is_depth",
    "formats.misread.looks_normalized", "tracking.PersonTrack", "tracking.follow_people",
    "tracking.join_broken", "formats.safe_npz.read_array", "formats.articulated.check_held",
    "formats.articulated.numbers",
    "lifting.motion.every_frame",
]  # fmt: skip
DIRECTIVE = re.compile(r"^\.\. auto(\w+):: (?:poseformer_lite\.)?([\w.]+)$", re.MULTILINE)
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)
SLOW = r"export_onnx\(|\.compile\("  # seconds each, in examples that no other one needs


def entries(page: Path) -> list[tuple[str, str, str]]:
    """(kind, name without the package's, code of the example) of everything on a page."""
    _, *parts = DIRECTIVE.split(page.read_text(encoding="utf-8"))
    return [
        (kind, name, "".join(EXAMPLE.findall(rest)))
        for kind, name, rest in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]


ENTRIES = {name: (kind, code) for page in PAGES for kind, name, code in entries(page)}
DESCRIBED = [name for name, (kind, _) in ENTRIES.items() if kind != "property"]


def find(name: str):
    """The object of that name, taken from the engine as `pfl.name` or from one of its modules, or from the course."""
    package, _, rest = name.partition(".") if name.startswith("poseformer_course.") else ("poseformer_lite", "", name)
    thing = import_module(package)
    parts = rest.split(".")
    for number, part in enumerate(parts):
        if not hasattr(thing, part) and isinstance(thing, types.ModuleType):
            import_module(".".join([package, *parts[: number + 1]]))
        thing = getattr(thing, part)
    return thing


def is_described(name: str, thing) -> bool:
    """Whether an entry is about it, by whatever address."""
    return any(entry.split(".")[-1] == name.split(".")[-1] and find(entry) is thing for entry in ENTRIES)


def parameters(thing) -> list[str]:
    known = inspect.signature(thing).parameters
    return [name for name in known if name not in ("self", "cls")]


# Examples


def session(page: Path, without: str = "$^") -> doctest.DocTest:
    """A page's examples, one after another, where they stand in the file, but for those that hold a pattern."""
    text = page.read_text(encoding="utf-8")
    lines, at = [""] * text.count("\n"), 0
    for block in EXAMPLE.finditer(text):
        at = text.count("\n", 0, block.start(1))
        code = [] if re.search(without, block[1]) else block[1].splitlines()
        lines[at : at + len(code)] = code
    return doctest.DocTestParser().get_doctest("\n".join(lines), {"__name__": "__main__"}, page.name, str(page), 0)


def complaints(test: doctest.DocTest) -> str:
    said = []
    doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF, verbose=False).run(test, out=said.append)
    return "".join(said)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_give_what_they_say(page, tmp_path, monkeypatch):
    pytest.importorskip("av" if page.stem == "lifting" else "plotly", reason="needs the packages of an extra")
    monkeypatch.chdir(tmp_path)
    said = complaints(session(page, without=SLOW))
    assert not said, said


@pytest.mark.slow
def test_examples_that_take_long_give_what_they_say(tmp_path, monkeypatch):
    pytest.importorskip("onnxscript", reason="needs the packages of the extra `onnx`")
    monkeypatch.chdir(tmp_path)
    (page,) = (page for page in PAGES if re.search(SLOW, page.read_text(encoding="utf-8")))
    said = complaints(session(page))
    assert not said, said


def test_the_example_inside_a_docstring_gives_what_it_says():
    (test,) = doctest.DocTestFinder().find(base.window_frames, "window_frames", base, globs=vars(base).copy())
    assert len(test.examples) == 2 and complaints(test) == ""


def test_a_wrong_example_is_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n```python\n>>> 1 + 1\n2\n```\n\nand\n\n```python\n>>> 1 + 1\n3\n```\n")
    said = complaints(session(page))
    assert "line 11" in said and said.count("Failed example") == 1


# What is in the reference


def test_every_entry_exists_and_stands_once():
    listed = [name for page in PAGES for _, name, _ in entries(page)]
    assert len(listed) == len(set(listed))
    assert [name for name in listed if find(name) is None] == []


def test_every_public_name_is_in_the_reference():
    missing = []
    for name in pfl.__all__:
        thing = getattr(pfl, name)
        if inspect.ismodule(thing):
            described = any(entry.startswith(f"{name}.") for entry in ENTRIES)
        else:
            described = name in ENTRIES
        if not described:
            missing.append(name)
    assert missing == []


def test_every_public_function_and_class_of_the_listed_modules_is_in_the_reference():
    missing = []
    for module in MODULES:
        home = import_module(f"poseformer_lite.{module}")
        for name, thing in vars(home).items():
            public = inspect.isfunction(thing) or inspect.isclass(thing)
            own = public and not name.startswith("_") and thing.__module__ == home.__name__
            if own and f"{module}.{name}" not in INSIDE and not is_described(name, thing):
                missing.append(f"{module}.{name}")
    assert missing == []
    assert [name for name in INSIDE if find(name) is None or name in ENTRIES] == []


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_has_an_example_that_uses_it(name):
    kind, code = ENTRIES[name]
    code = "\n".join(line for line in code.splitlines() if not re.match(r">>> (from|import) ", line))
    assert re.search(rf"\b{name.split('.')[-1]}\b", code), f"the example does not use {name}"


# Docstrings


FIELD = re.compile(r"^:(param|returns|raises)(?: (\S+))?: (.+)", re.MULTILINE)


def fields(thing, kind: str) -> list[str]:
    """The names that the fields of a docstring are about: parameters or exceptions; [""] where it says `:returns:`."""
    return [name for found, name, _ in FIELD.findall(inspect.getdoc(thing) or "") if found == kind]


@cache
def source_of(function) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


def raises(function) -> set[str]:
    """The exceptions that a function's own body raises."""
    found = set()
    for node in ast.walk(source_of(function)):
        if isinstance(node, ast.Raise) and node.exc is not None:
            kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            found.add(ast.unparse(kind))
    return found


def may_raise(function) -> set[str]:
    """What it raises and what the package's functions raise that it calls by name."""
    function = inspect.unwrap(function)
    called = {node.id for node in ast.walk(source_of(function)) if isinstance(node, ast.Name)}
    helpers = [inspect.unwrap(thing) for name in called if callable(thing := function.__globals__.get(name))]
    helpers = [h for h in helpers if inspect.isfunction(h) and h.__module__.startswith("poseformer_lite")]
    return raises(function).union(*map(raises, helpers))


@pytest.mark.parametrize("name", DESCRIBED)
def test_fields_name_the_parameters_of_the_signature(name):
    thing = find(name)
    if not inspect.isclass(thing) or fields(thing, "param"):  # a class may tell of its sizes in prose
        assert sorted(fields(thing, "param")) == sorted(parameters(thing))


@pytest.mark.parametrize("name", [name for name in DESCRIBED if not inspect.isclass(find(name))])
def test_functions_say_what_they_return_and_raise(name):
    function = find(name)
    returns = inspect.signature(function).return_annotation not in (None, "None")
    assert bool(fields(function, "returns")) == returns
    documented = set(fields(function, "raises"))
    assert may_raise(function) <= documented, "raised, and not in the docstring"
    for exception in documented:
        home = function.__globals__ if hasattr(function, "__globals__") else vars(builtins)
        assert "." in exception or issubclass(home.get(exception, getattr(builtins, exception, object)), Exception)


@pytest.mark.parametrize("name", [name for name in DESCRIBED if inspect.isclass(find(name))])
def test_methods_and_properties_of_described_classes_have_docstrings(name):
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    entry = re.compile(rf":: (?:poseformer_lite\.)?{re.escape(name)}\n((?:   :.*\n)*)")
    (options,) = (match[1] for text in texts if (match := entry.search(text)))
    shown = [member for line in re.findall(r":members: (.+)", options) for member in line.split(", ")]
    bare = [m for m in shown if not getattr(find(name), m).__doc__ and ":undoc-members:" not in options]
    assert bare == []
    for member in (getattr(find(name), name_) for name_ in shown):
        assert not fields(member, "param") or sorted(fields(member, "param")) == sorted(parameters(member))


def test_fields_are_read():
    def add(a, *rest):
        """Sum.

        :param a: a number,
            or two.
        :param rest: of them.
        :returns: The sum.
        :raises KeyError: never.
        """

    assert [fields(add, kind) for kind in ("param", "returns", "raises")] == [["a", "rest"], [""], ["KeyError"]]
