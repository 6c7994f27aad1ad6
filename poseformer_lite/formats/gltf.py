"""Binary glTF 2.0 (.glb): an animated skeleton with a body of sticks, which browsers, Blender and game engines open.

Format: Khronos Group, "glTF 2.0 Specification" (ISO/IEC 12113:2022). No library is used: trimesh writes no animations,
and pygltflib has classes for the same JSON but leaves the packing of the arrays, the greater part of this, to its user.
"""

import json
import struct
from pathlib import Path

import numpy as np

from poseformer_lite.formats.articulated import forward_kinematics, from_positions
from poseformer_lite.skeleton import Skeleton

COLORS = {"left": (0.0, 0.17, 0.45), "right": (0.67, 0.11, 0.0), "middle": (0.06, 0.06, 0.06)}  # linear RGB
STILL = 1e-5  # metres, and parts of a quaternion: what moves less is not animated
FLOAT, BYTE, VERTICES = 5126, 5121, 34962  # numbers of the specification


def write_glb(path: str | Path, poses: np.ndarray, skeleton: Skeleton, fps: float) -> None:
    """Write poses as one node a joint, with rotations, and a skinned body that shows each bone as a stick.

    Bones get their median lengths. A joint with several children, such as the hip, turns as fits them best, and what
    is left moves the children a little, so that every joint is where it was.

    :param path: where to write
    :param poses: (T, J, 3), metres, y up
    :param skeleton: of the J joints
    :param fps: frames per second.
    :raises ValueError: as `from_positions` does.
    """
    motion = from_positions(poses, skeleton, fps)
    poses = skeleton.with_bone_lengths(poses.astype(float), np.median(skeleton.bone_lengths(poses), axis=0))
    orientations = forward_kinematics(motion)[1]  # (T, J, 3, 3)
    translations = poses.copy()  # of each node from its parent, in the parent's axes
    for parent, child in skeleton.bones:
        bone = poses[:, child] - poses[:, parent]
        translations[:, child] = np.einsum("tji,tj->ti", orientations[:, parent], bone)
    moves = {"translation": translations, "rotation": motion.rotations}

    glb = _Glb()
    nodes = [{"name": name} for name in skeleton.joints]
    for parent, child in skeleton.bones:
        nodes[parent].setdefault("children", []).append(child)
    seconds, channels, samplers = glb.add(np.arange(len(poses)) / fps), [], []
    for joint, node in enumerate(nodes):
        for name, values in moves.items():
            node[name] = values[0, joint].tolist()
            if joint == skeleton.root or np.ptp(values[:, joint], axis=0).max() > STILL:
                channels.append({"sampler": len(samplers), "target": {"node": joint, "path": name}})
                samplers.append({"input": seconds, "output": glb.add(values[:, joint])})

    rest = np.zeros((len(nodes), 3))
    for parent, child in skeleton.bones:
        rest[child] = rest[parent] + motion.offsets[child]
    to_rest = np.tile(np.eye(4), (len(nodes), 1, 1))
    to_rest[:, 3, :3] = -rest  # columns come first in glTF
    primitives = []
    for material, side in enumerate(COLORS):
        bones = [bone for bone in skeleton.bones if skeleton.side(bone[1]) == side]
        corners, carriers = (np.concatenate(parts) for parts in zip(*(_stick(rest, *b) for b in bones), strict=True))
        attributes = {
            "POSITION": glb.add(corners, VERTICES),
            "JOINTS_0": glb.add(carriers[:, None] * np.eye(1, 4, dtype=np.uint8), VERTICES),
            "WEIGHTS_0": glb.add(np.ones((len(corners), 1)) * np.eye(1, 4), VERTICES),
        }
        primitives.append({"attributes": attributes, "material": material})
    paints = [{"baseColorFactor": (*rgb, 1), "metallicFactor": 0, "roughnessFactor": 0.8} for rgb in COLORS.values()]
    glb.write(
        Path(path),
        scene=0,
        scenes=[{"nodes": [skeleton.root, len(nodes)]}],
        nodes=[*nodes, {"name": "body", "mesh": 0, "skin": 0}],
        skins=[{"joints": list(range(len(nodes))), "inverseBindMatrices": glb.add(to_rest.reshape(-1, 16))}],
        meshes=[{"primitives": primitives}],
        materials=[{"name": side, "pbrMetallicRoughness": p} for side, p in zip(COLORS, paints, strict=True)],
        animations=[{"name": "motion", "channels": channels, "samplers": samplers}],
    )


def _stick(rest: np.ndarray, parent: int, child: int) -> tuple[np.ndarray, np.ndarray]:
    """Eight triangles around a bone at rest: their corners (24, 3), and the joint that carries each (24,)."""
    start, end = rest[parent], rest[child]
    length = np.linalg.norm(end - start)
    along = (end - start) / length
    across = np.cross(along, np.eye(3)[np.abs(along).argmin()])
    across *= (0.01 + 0.06 * length) / np.linalg.norm(across)
    ring = start + 0.2 * (end - start) + np.array([across, np.cross(along, across), -across, -np.cross(along, across)])
    sides = list(zip(ring, np.roll(ring, -1, axis=0), strict=True))
    corners = [corner for one, two in sides for corner in (end, one, two, start, two, one)]  # seen from outside
    return np.array(corners), np.array([child, parent, parent, parent, parent, parent] * 4, dtype=np.uint8)


class _Glb:
    """The arrays of a file, one after another, and how its JSON describes them."""

    def __init__(self):
        self.data, self.views, self.accessors = bytearray(), [], []

    def add(self, values: np.ndarray, target: int | None = None) -> int:
        """The number by which the JSON calls an array (N,) or (N, D)."""
        values = np.ascontiguousarray(values, dtype="<f4" if values.dtype.kind == "f" else "<u1")
        kind = {1: "SCALAR", 2: f"VEC{values.shape[-1]}"}[values.ndim].replace("VEC16", "MAT4")
        bounds = {"min": np.atleast_1d(values.min(0)).tolist(), "max": np.atleast_1d(values.max(0)).tolist()}
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": values.nbytes}
        self.views.append(view | ({"target": target} if target else {}))
        number = {"componentType": FLOAT if values.dtype.kind == "f" else BYTE, "count": len(values), "type": kind}
        self.accessors.append({"bufferView": len(self.views) - 1, **number, **bounds})
        self.data += values.tobytes()
        return len(self.accessors) - 1

    def write(self, path: Path, **parts) -> None:
        asset, buffers = {"version": "2.0", "generator": "poseformer-lite"}, [{"byteLength": len(self.data)}]
        said = {"asset": asset, "buffers": buffers, "bufferViews": self.views, "accessors": self.accessors, **parts}
        text = json.dumps(said, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 4)  # chunks are of whole words; every array here is, too
        header = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(self.data))
        chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(self.data), b"BIN\0")
        path.write_bytes(header + chunks + self.data)
