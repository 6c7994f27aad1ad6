"""BVH, the Biovision hierarchy: a skeleton and one motion in a text file.

Format: M. Meredith and S. Maddock, "Motion Capture File Formats Explained", University of Sheffield, 2001.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from poseformer_lite.checked import about, parsed, reading
from poseformer_lite.formats.articulated import FARTHEST, ArticulatedMotion, check_held, numbers

REST_DEGREES = 15.0  # a first frame with no joint turned further than this may be a T-pose
REST_BLEND_SECONDS = 0.1
FRAME_TIMES = 1e-4, 1.0  # seconds, shortest and longest: no motion is recorded faster or slower


@dataclass
class _Joint:
    name: str
    parent: int
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    channels: tuple[str, ...] = ()


def read_bvh(path: str | Path, unit: float = 0.01) -> ArticulatedMotion:
    """The motion in a BVH file.

    Nodes are the file's joints, and for each `End Site` a node named after its joint, such as "rFoot_end". Channels
    may stand in any order; angles are degrees, and turn about the joint's own axes in the order of its channels.

    :param path: the file
    :param unit: metres per unit of length (0.01: the file is in centimetres).
    :returns: The motion, metres.
    :raises FileNotFoundError: where there is no file
    :raises ValueError: for other contents; it names the file, the line or frame, and what was expected there.
    """
    with reading(path, "BVH file") as path:
        text = path.read_text(encoding="latin-1")
    hierarchy, separator, motion = text.partition("MOTION")
    if hierarchy.split()[:1] != ["HIERARCHY"] or not separator:
        raise ValueError(f"{path} is no BVH file: expected a section HIERARCHY and after it a section MOTION")
    joints = _read_hierarchy(path, hierarchy)
    values, fps = _read_motion(path, motion, joints)
    with about(path):
        check_held(len(values), len(joints), text)

    rotations, column = np.zeros((len(values), len(joints), 4)), 0
    rotations[..., 3] = 1
    root_position = np.tile(joints[0].offset, (len(values), 1))
    for index, joint in enumerate(joints):
        own = values[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        turns = [i for i, channel in enumerate(joint.channels) if channel.endswith("rotation")]
        if turns:
            order = "".join(joint.channels[i][0] for i in turns)  # capitals: about the axes that turn with the joint
            rotations[:, index] = Rotation.from_euler(order, own[:, turns], degrees=True).as_quat()
        for i, channel in enumerate(joint.channels):
            if channel.endswith("position"):
                root_position[:, "XYZ".index(channel[0])] += own[:, i]

    parents = tuple(joint.parent for joint in joints)
    return ArticulatedMotion(
        names=tuple(joint.name for joint in joints),
        parents=parents,
        carriers=tuple(max(parent, 0) for parent in parents),
        offsets=unit * np.array([joint.offset for joint in joints]),
        rotations=rotations,
        root_position=unit * root_position,
        fps=fps,
    )


def write_bvh(path: str | Path, motion: ArticulatedMotion, unit: float = 0.01) -> None:
    """Write a motion as BVH.

    Every node is a joint with three angles, in the order Z, X, Y; a node without children gets an `End Site` 5 cm on.
    Angles run on from frame to frame and do not jump by a full turn.

    :param path: where to write
    :param motion: the motion
    :param unit: metres per unit of length (0.01: centimetres, as most expect).
    :raises ValueError: for a motion whose nodes are carried by others than their parents, as ASF's are.
    """
    if motion.carriers != tuple(max(parent, 0) for parent in motion.parents):
        raise ValueError("in a BVH file each node is carried by its parent, and in this motion it is not")
    lines, order = ["HIERARCHY"], []

    def node(index: int, depth: int) -> None:
        order.append(index)
        pad, inside = "\t" * depth, "\t" * (depth + 1)
        offset = motion.offsets[index] / unit
        position = "" if depth else "Xposition Yposition Zposition "
        name = motion.names[index].replace("/", "_").replace(" ", "_")
        lines.append(f"{pad}{'JOINT' if depth else 'ROOT'} {name}")
        lines.extend([f"{pad}{{", f"{inside}OFFSET {_row(offset)}"])
        lines.append(f"{inside}CHANNELS {3 if depth else 6} {position}Zrotation Xrotation Yrotation")
        children = [child for child, parent in enumerate(motion.parents) if parent == index]
        for child in children:
            node(child, depth + 1)
        if not children:
            end = 0.05 / unit * offset / max(np.linalg.norm(offset), 1e-9)
            lines.extend([f"{inside}End Site", f"{inside}{{", f"{inside}\tOFFSET {_row(end)}", f"{inside}}}"])
        lines.append(f"{pad}}}")

    node(0, 0)
    lines += ["MOTION", f"Frames: {len(motion)}", f"Frame Time: {1 / motion.fps:.8f}"]
    angles = Rotation.from_quat(motion.rotations[:, order].reshape(-1, 4)).as_euler("ZXY", degrees=True)
    angles = np.unwrap(angles.reshape(len(motion), -1), period=360, axis=0)
    values = np.concatenate([(motion.root_position - motion.offsets[0]) / unit, angles], axis=1)
    lines += [" ".join(f"{value:.5f}" for value in frame) for frame in values]
    Path(path).write_text("\n".join(lines) + "\n", encoding="ascii")


def _row(numbers: np.ndarray) -> str:
    return " ".join(f"{number:.5f}" for number in numbers)


def drop_rest_pose(motion: ArticulatedMotion) -> ArticulatedMotion:
    """The motion without the T-pose that some converters put before the recording.

    The first frame is one when the root is not turned at all, to the last digit, and no joint is turned by more than
    15 degrees: nobody stands recorded like that. The next 0.1 s go with it, because Hahne's conversion of CMU's files
    filters over the jump: the legs first straighten towards the T-pose, up to 30 cm through the floor.

    :param motion: as read.
    :returns: The motion without its first frames, or as it is where they are no T-pose.
    """
    turned = Rotation.from_quat(motion.rotations[0]).magnitude()
    dropped = 1 + round(REST_BLEND_SECONDS * motion.fps)
    if turned[0] > 0 or turned.max() > np.radians(REST_DEGREES) or len(motion) <= dropped:
        return motion
    return replace(motion, rotations=motion.rotations[dropped:], root_position=motion.root_position[dropped:])


def _read_hierarchy(path: Path, text: str) -> list[_Joint]:
    """The joints in the order of the file, which is the order of the motion's columns."""
    joints, open_joints, latest = [], [], -1
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        keyword = words[0].upper() if words else ""
        try:
            if keyword in ("ROOT", "JOINT"):
                joints.append(_Joint(" ".join(words[1:]), open_joints[-1] if open_joints else -1))
                latest = len(joints) - 1
            elif keyword == "END":
                joints.append(_Joint(f"{joints[open_joints[-1]].name}_end", open_joints[-1]))
                latest = len(joints) - 1
            elif keyword == "{":
                open_joints.append(latest)
            elif keyword == "}":
                open_joints.pop()
            elif keyword == "OFFSET":
                x, y, z = (parsed(word, "an offset", -FARTHEST, FARTHEST) for word in words[1:])
                joints[latest].offset = (x, y, z)
            elif keyword == "CHANNELS":
                joints[latest].channels = _channels(words, is_root=latest == 0)
            elif keyword not in ("", "HIERARCHY"):
                raise ValueError("expected ROOT, JOINT, End Site, OFFSET, CHANNELS, { or }")
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path}, line {number}: cannot read {line.strip()!r}: {error}") from error
    if open_joints or not joints:
        raise ValueError(f"{path}: {len(open_joints)} braces of the HIERARCHY stay open: is the file whole?")
    roots = [joint.name for joint in joints if joint.parent < 0]
    if len(roots) > 1:
        raise ValueError(f"{path} has {len(roots)} roots ({', '.join(roots)}): expected one skeleton")
    twice = [name for name, times in Counter(joint.name for joint in joints if joint.channels).items() if times > 1]
    if twice or not joints[0].channels:
        raise ValueError(f"{path}: {f'two joints are called {twice[0]!r}' if twice else 'the root has no channels'}")
    return joints


def _channels(words: list[str], is_root: bool) -> tuple[str, ...]:
    count, channels = int(words[1]), tuple(word[0].upper() + word[1:].lower() for word in words[2:])
    known = {f"{axis}{kind}" for axis in "XYZ" for kind in ("position", "rotation")}
    if len(channels) != count:
        raise ValueError(f"it announces {count} channels and names {len(channels)}")
    if not set(channels) <= known or len(set(channels)) < count:
        raise ValueError("expected different channels out of Xposition ... Zposition, Xrotation ... Zrotation")
    if not is_root and any(channel.endswith("position") for channel in channels):
        raise ValueError("only the root may have position channels: other joints are rigid bones here")
    return channels


def _read_motion(path: Path, text: str, joints: list[_Joint]) -> tuple[np.ndarray, float]:
    """(values (T, number of channels), frames per second)."""
    words = text.split()
    try:
        if words[0] != "Frames:" or words[2:4] != ["Frame", "Time:"]:
            raise ValueError
        frames = int(parsed(words[1], "Frames", 1, whole=True))
        seconds = parsed(words[4], "Frame Time", *FRAME_TIMES)
    except (ValueError, IndexError) as error:
        raise ValueError(
            f"{path}: MOTION begins with {' '.join(words[:5])!r}: expected 'Frames: N' and 'Frame Time: seconds', "
            f"both positive ({error})"
        ) from error

    channels = sum(len(joint.channels) for joint in joints)
    words = words[5:]
    if len(words) != frames * channels:
        raise ValueError(
            f"{path} has {len(words)} values, but {frames} frames of {channels} channels are {frames * channels}: "
            + ("it is cut short" if len(words) < frames * channels else "it holds more than it announces")
            + f" ({len(words) // channels} whole frames). Download it again"
        )
    values = numbers(words, lambda i: f"{path}, frame {i // channels + 1}, channel {i % channels + 1}")
    return values.reshape(frames, channels), 1 / seconds
