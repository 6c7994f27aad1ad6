"""The house: which room may lean on which, how large the engine is, and that no arrow points up or in a circle."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

import poseformer_lite

PACKAGE = Path(poseformer_lite.__file__).parent
ROOT = PACKAGE.parent
FLOORS = [  # from the ground up: a room may use the rooms below it and, without a circle, those beside it
    {"skeleton", "camera", "canonical", "keypoints", "tracking", "metrics", "checked", "files"},
    {"model", "formats", "plots"},
    {"datasets", "lifting"},
    {"training", "evaluation", "viewers"},
    {"cli"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
LATE = {  # imports inside a function that close a circle within a room, each a method that forwards in a line or two
    ("model.poseformer", "model.official"),  # PoseFormer.from_official
    ("lifting.motion", "lifting.motion_files"),  # Motion.save and Motion.load, as pandas' to_csv
    ("lifting.motion", "lifting.angles"),  # Motion.angles
    ("lifting.motion", "lifting.world"),  # Motion.world
}


def module_name(file: Path, package: Path) -> str:
    return ".".join(file.relative_to(package).with_suffix("").parts).removesuffix(".__init__")


def arrows(package: Path, name: str) -> list[tuple[str, str, bool]]:
    """(importing module, imported module, whether inside a function) of every import of the package's own modules."""
    modules = {module_name(file, package): file for file in package.rglob("*.py")}
    found = []
    for module, file in modules.items():
        tree = ast.parse(file.read_text(encoding="utf-8"))
        at_top = {id(node) for node in tree.body}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module and (node.module + ".").startswith(f"{name}."):
                base = node.module.removeprefix(name).removeprefix(".")
                for alias in node.names:
                    full = f"{base}.{alias.name}".removeprefix(".")
                    target = full if full in modules else base
                    if target and target != module:
                        found.append((module, target, id(node) not in at_top))
    return found


def room(module: str) -> str:
    return module.split(".")[0]


def circle(graph: dict[str, set[str]]) -> list[str]:
    """The nodes of a circle, or none."""
    state: dict[str, int] = {}

    def visit(node: str, path: list[str]) -> list[str]:
        state[node] = 1
        for following in sorted(graph.get(node, ())):
            if state.get(following) == 1:
                return [*path[path.index(following) :], following] if following in path else [node, following]
            if following not in state and (found := visit(following, [*path, following])):
                return found
        state[node] = 2
        return []

    for node in sorted(graph):
        if node not in state and (found := visit(node, [node])):
            return found
    return []


ARROWS = [
    (one, other, late)
    for one, other, late in arrows(PACKAGE, "poseformer_lite")
    if one not in ("__init__", "__main__", "")
]


def test_every_room_has_a_floor():
    rooms = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms - {"__init__", "__main__"} == set(FLOOR)


def test_no_arrow_points_up():
    upward = [f"{one} -> {other}" for one, other, _ in ARROWS if FLOOR[room(one)] < FLOOR[room(other)]]
    assert upward == [], "a room uses one of a higher floor"


def test_rooms_do_not_lean_on_each_other_in_a_circle():
    graph = defaultdict(set)
    for one, other, _ in ARROWS:
        if room(one) != room(other):
            graph[room(one)].add(room(other))
    assert circle(graph) == []


def test_modules_do_not_import_each_other_in_a_circle():
    graph = defaultdict(set)
    for one, other, late in ARROWS:
        if not (late and (one, other) in LATE):
            graph[one].add(other)
    assert circle(graph) == []


def test_the_late_imports_that_are_allowed_are_there():
    assert {(one, other) for one, other, late in ARROWS if late} >= LATE


def test_the_engine_does_not_know_the_course():
    assert arrows(PACKAGE, "poseformer_course") == []


def test_the_engine_stays_small():
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in PACKAGE.rglob("*.py"))
    # what came later: detector, readers, tracking, world motion; glTF, TRC, angles, live; doubtful input; bfloat16
    assert lines <= 10_000 + 2_515
    crowded = {
        str(folder.relative_to(ROOT)): count
        for folder in [PACKAGE, *(path.parent for path in PACKAGE.rglob("__init__.py"))]
        if (count := len([file for file in folder.glob("*.py") if not file.stem.startswith("__")])) > 12
    }
    assert crowded == {}


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}}, []),
        ({"a": {"b", "c"}, "b": {"c"}}, []),
        ({"a": {"b"}, "b": {"a"}}, ["a", "b", "a"]),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c", "b"]),
    ],
)
def test_a_circle_is_found(graph, expected):
    assert circle(graph) == expected


def test_an_arrow_is_seen_wherever_it_stands(tmp_path):
    (tmp_path / "low.py").write_text("def f():\n    from house.high import g\n")
    (tmp_path / "high.py").write_text("from house import low\nfrom house.rooms.inner import x\n")
    (tmp_path / "rooms").mkdir()
    (tmp_path / "rooms" / "__init__.py").write_text("")
    (tmp_path / "rooms" / "inner.py").write_text("import numpy\n")
    found = set(arrows(tmp_path, "house"))
    assert found == {("low", "high", True), ("high", "low", False), ("high", "rooms.inner", False)}
