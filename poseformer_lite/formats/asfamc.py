"""Acclaim motion capture: a skeleton (ASF) and the motions recorded of it (AMC).

Format: M. Schafer, "ASF Skeleton Definition" and "AMC File Format", Acclaim Advanced Technologies Group, 1994.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from poseformer_lite.checked import parsed, reading
from poseformer_lite.formats.articulated import FARTHEST, ArticulatedMotion, check_held, numbers

METRES_PER_INCH = 0.0254
UNIT = 0.01  # by which the length of a direction may differ from 1
CMU_FPS = 120.0  # the files do not say; the CMU lab recorded at 120 Hz


@dataclass(frozen=True, eq=False)
class Bone:
    """One bone: offset (3,) from its start to its end in the rest pose, metres; axis, its local frame at rest; dof,
    the angles an AMC file gives for it, such as ("rx", "rz").
    """

    name: str
    offset: np.ndarray
    axis: Rotation
    dof: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Acclaim:
    """An ASF skeleton. bones and parents (names; "root" for the first) are in an order where parents come first."""

    path: Path
    unit: float  # metres per unit of length
    root_order: tuple[str, ...]
    root_position: np.ndarray
    root_axis: Rotation
    bones: tuple[Bone, ...]
    parents: tuple[str, ...]


def read_asf(path: str | Path) -> Acclaim:
    """The skeleton in an ASF file. Lengths are inches scaled by `length`: metres = value / length * 0.0254.

    :param path: the file.
    :returns: The skeleton that `read_amc` needs, metres.
    :raises FileNotFoundError: where there is no file
    :raises ValueError: for other contents; it names the file and what is missing or wrong in it.
    """
    with reading(path, "Acclaim skeleton") as path:
        sections = _sections(path)
        units = {key: words for key, *words in map(str.split, sections["units"])}
        (length,), (angle, *_) = _words(units, "length", 1, ":units"), units.get("angle") or ["deg"]
        if angle not in ("deg", "rad"):
            raise ValueError(f"angle in :units is {angle!r}, expected deg or rad")
        unit, degrees = METRES_PER_INCH / parsed(length, "length in :units", 1e-6, FARTHEST), angle == "deg"
        root = {key: words for key, *words in map(str.split, sections["root"])}
        order = tuple(word.lower() for word in _words(root, "order", 6, ":root"))
        if sorted(order) != ["rx", "ry", "rz", "tx", "ty", "tz"]:
            raise ValueError(f"order in :root is {' '.join(order)}, expected TX TY TZ RX RY RZ in any order")
        bones = list(_bones(sections["bonedata"], unit, degrees))
        parents = _parents(sections["hierarchy"], [bone.name for bone in bones])
        named = {bone.name: bone for bone in bones}
        return Acclaim(
            path=path,
            unit=unit,
            root_order=order,
            root_position=_vector(_words(root, "position", 3, ":root"), "position in :root") * unit,
            root_axis=_euler(_words(root, "axis", 1, ":root")[0], _words(root, "orientation", 3, ":root"), degrees),
            bones=tuple(named[name] for name in parents),
            parents=tuple(parents.values()),
        )


def read_amc(path: str | Path, skeleton: Acclaim, fps: float = CMU_FPS) -> ArticulatedMotion:
    """The motion in an AMC file: nodes are "root" and the end of every bone.

    :param path: the file
    :param skeleton: what `read_asf` gives
    :param fps: which the file does not say; CMU's are of 120 Hz.
    :returns: The motion, metres.
    :raises FileNotFoundError: where there is no file
    :raises ValueError: for a bone that the skeleton lacks, a bone left out, a file cut short, or a value that is no
        finite number; it names the file, the frame, and what was expected there.
    """
    with reading(path, "Acclaim motion") as path:
        columns, degrees = _columns(path, skeleton)
    root_position = skeleton.root_position + skeleton.unit * np.stack(
        [columns["root"][:, skeleton.root_order.index(key)] for key in ("tx", "ty", "tz")], axis=1
    )
    turns = [key for key in skeleton.root_order if key.startswith("r")]
    angles = columns["root"][:, [skeleton.root_order.index(key) for key in turns]]
    rotations = [_turned(skeleton.root_axis, turns, angles, degrees)]
    rotations += [
        _turned(bone.axis, bone.dof, columns[bone.name], degrees)
        if bone.dof
        else np.tile([0.0, 0.0, 0.0, 1.0], (len(root_position), 1))
        for bone in skeleton.bones
    ]
    names = ("root", *(bone.name for bone in skeleton.bones))
    return ArticulatedMotion(
        names=names,
        parents=(-1, *(names.index(parent) for parent in skeleton.parents)),
        carriers=tuple(range(len(names))),
        offsets=np.stack([np.zeros(3), *(bone.offset for bone in skeleton.bones)]),
        rotations=np.stack(rotations, axis=1),
        root_position=root_position,
        fps=fps,
    )


def _sections(path: Path) -> dict[str, list[str]]:
    """{section: its lines}, without comments, blank lines and the ends of lines."""
    lines = [line.strip() for line in path.read_text(encoding="latin-1").splitlines()]
    sections, current = {}, []
    for line in lines:
        if line.startswith(":"):
            current = sections.setdefault(line[1:].split()[0].lower(), [])
        elif line and not line.startswith("#"):
            current.append(line)
    missing = [key for key in ("units", "root", "bonedata", "hierarchy") if key not in sections]
    if missing:
        raise ValueError(f"it has no section :{', :'.join(missing)}")
    return sections


def _bones(lines: list[str], unit: float, degrees: bool):
    """Each block from `begin` to `end` as a Bone."""
    block = {}
    for line in lines:
        key, *words = line.split()
        if key == "begin":
            block = {}
        elif key == "end":
            name, dof = _words(block, "name", 1, "a bone")[0], tuple(word.lower() for word in block.get("dof", ()))
            where = f"bone {name!r}"
            if not set(dof) <= {"rx", "ry", "rz"} or len(set(dof)) < len(dof):
                raise ValueError(f"{where} has dof {' '.join(dof)}, but only rx, ry, rz are understood, each once")
            length = unit * parsed(_words(block, "length", 1, where)[0], f"length of {where}", 0, FARTHEST)
            direction = _vector(_words(block, "direction", 3, where), f"direction of {where}")
            if length and abs(np.linalg.norm(direction) - 1) > UNIT:
                raise ValueError(f"direction of {where} is {np.linalg.norm(direction):g} long, expected 1")
            *angles, order = _words(block, "axis", 4, where)
            yield Bone(name, length * direction, _euler(order, angles, degrees), dof)
        else:
            block[key] = words


def _words(block: dict[str, list[str]], key: str, number: int, where: str) -> list[str]:
    """What stands after a keyword, as many words as it takes."""
    if len(block.get(key, ())) < number:
        short = f" of {number} words" if key in block else ""
        raise ValueError(f"{where} has no {key}{short}")
    return block[key][:number]


def _vector(words: list[str], what: str) -> np.ndarray:
    return numbers(words, lambda i: what)


def _parents(lines: list[str], bones: list[str]) -> dict[str, str]:
    """{bone: its parent}, parents before children, as the hierarchy lists them."""
    parents = {}
    if twice := [name for name in bones if bones.count(name) > 1]:
        raise ValueError(f":bonedata describes bone {twice[0]!r} twice")
    for line in lines:
        if line in ("begin", "end"):
            continue
        parent, *children = line.split()
        for name in (parent, *children):
            if name != "root" and name not in bones:
                raise ValueError(f"the hierarchy names bone {name!r}, which :bonedata does not describe")
        if parent != "root" and parent not in parents:
            raise ValueError(f"the hierarchy gives children to {parent!r} before it gives it a parent")
        if again := [name for name in children if name in parents or name == "root" or children.count(name) > 1]:
            raise ValueError(f"the hierarchy gives {again[0]!r} a second parent, {parent!r}")
        parents.update(dict.fromkeys(children, parent))
    loose = sorted(set(bones) - set(parents))
    if loose:
        raise ValueError(f"the hierarchy gives no parent to {', '.join(loose)}")
    return parents


def _columns(path: Path, skeleton: Acclaim) -> tuple[dict[str, np.ndarray], bool]:
    """({bone: its values (T, number of its dof)}, whether angles are in degrees).

    Every frame lists the same bones in the same order, so the words of the file form a table with one row a frame.
    """
    lines = path.read_text(encoding="latin-1").splitlines()
    start = next((i for i, line in enumerate(lines) if line.strip() and line.lstrip()[0] not in "#:"), len(lines))
    header = " ".join(lines[:start]).upper()
    words = " ".join(lines[start:]).split()
    if not words or not words[0].isdecimal() or words[1:2] != ["root"]:
        raise ValueError("it holds no frames: expected a frame's number and then `root` with its values")

    widths = {"root": len(skeleton.root_order)} | {bone.name: len(bone.dof) for bone in skeleton.bones if bone.dof}
    second = words.index("root", 2) - 1 if words.count("root") > 1 else len(words)
    names = [word for word in words[1:second] if word[0].isalpha() and word.lower() != "nan"]
    _check_bones(names, widths, skeleton)

    *places, row = np.cumsum([1, *(1 + widths[name] for name in names)]).tolist()  # of the names in a frame's words
    _check_frames(words, row, [0, *places], names)
    check_held(len(words) // row, len(skeleton.bones), " ".join(words))
    columns = {}
    for place, name in zip(places, names, strict=True):
        parts = [words[i::row] for i in range(place + 1, place + 1 + widths[name])]
        values = [numbers(part, lambda f, name=name: f"frame {f + 1}, bone {name!r}") for part in parts]
        columns[name] = np.stack(values, axis=1)
    return columns, ":RADIANS" not in header


def _check_bones(names: list[str], widths: dict[str, int], skeleton: Acclaim) -> None:
    unknown = [name for name in names if name not in widths]
    missing = [name for name in widths if name not in names]
    if unknown:
        raise ValueError(
            f"frame 1: bone {unknown[0]!r} is not in {skeleton.path} or has no dof there: "
            "expected the AMC and the ASF of one subject"
        )
    if missing:
        raise ValueError(f"frame 1: no values for {', '.join(missing)}, which {skeleton.path} gives a dof")


def _check_frames(words: list[str], row: int, places: list[int], names: list[str]) -> None:
    """Every frame has its number and the same names at these places, and the last one is whole."""
    for frame, start in enumerate(range(0, len(words), row)):
        found, expected = words[start : start + row], [str(int(words[0]) + frame), *names]
        named = [found[place] for place in places if place < len(found)]
        if named != expected[: len(named)]:
            word, wanted = next(pair for pair in zip(named, expected, strict=False) if pair[0] != pair[1])
            raise ValueError(f"frame {frame + 1}: found {word!r} where {wanted!r} was expected")
        if len(found) < row:
            raise ValueError(f"it is cut short: frame {frame + 1} has {len(found)} of its {row} words")


def _euler(order: str, angles: list[str], degrees: bool) -> Rotation:
    """Turns about the fixed axes in this order: "XYZ" is x first, then y, then z."""
    if sorted(order.lower()) != ["x", "y", "z"]:
        raise ValueError(f"an axis is of order {order!r}, expected XYZ or its like")
    return Rotation.from_euler(order.lower(), _vector(angles, "an axis"), degrees=degrees)


def _turned(axis: Rotation, dof, angles: np.ndarray, degrees: bool) -> np.ndarray:
    """(T, 4): the bone's rotation relative to its parent: its angles turn it in its own local frame `axis`."""
    motion = Rotation.from_euler("".join(key[1] for key in dof), angles, degrees=degrees)
    return (axis * motion * axis.inv()).as_quat()
