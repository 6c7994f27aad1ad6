"""What other programs open: glTF played by a reader of the specification, TRC by one of its description, headers."""

import json
import re
import struct
from dataclasses import replace

import numpy as np
import pytest
from helpers_data import small_model, tiny_dataset
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

from poseformer_lite.camera import z_up
from poseformer_lite.cli import app
from poseformer_lite.lifting.motion import Motion
from poseformer_lite.skeleton import H36M17

KINDS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}
TYPES = {5126: np.dtype("<f4"), 5121: np.dtype("u1")}


@pytest.fixture
def motion() -> Motion:
    sequence = tiny_dataset().sequences[0]
    poses = sequence.root_relative(0).astype(np.float32)
    return Motion(poses, sequence.keypoints.astype(np.float32), 50.0, sequence.width, sequence.height)


def y_up(poses: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(np.asarray(poses, float), -1, 0)
    return np.stack([x, z, -y], axis=-1)


class Gltf:
    """A reader after the specification: chunks, accessors, nodes, one animation, one skin."""

    def __init__(self, data: bytes):
        magic, version, length = struct.unpack("<4sII", data[:12])
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack("<I4s", data[12:20])
        assert kind == b"JSON" and size % 4 == 0
        self.json = json.loads(data[20 : 20 + size])
        rest, kind = struct.unpack("<I4s", data[20 + size : 28 + size])
        assert kind == b"BIN\0" and rest % 4 == 0 and 28 + size + rest == len(data)
        self.bytes = data[28 + size :]
        assert self.json["buffers"] == [{"byteLength": rest}] and self.json["asset"]["version"] == "2.0"

    def array(self, number: int) -> np.ndarray:
        accessor = self.json["accessors"][number]
        view = self.json["bufferViews"][accessor["bufferView"]]
        dtype, width = TYPES[accessor["componentType"]], KINDS[accessor["type"]]
        assert view["byteOffset"] % 4 == 0 and view["byteLength"] == accessor["count"] * width * dtype.itemsize
        values = np.frombuffer(self.bytes, dtype, accessor["count"] * width, view["byteOffset"]).reshape(-1, width)
        np.testing.assert_array_equal(values.min(0), np.array(accessor["min"], dtype))
        np.testing.assert_array_equal(values.max(0), np.array(accessor["max"], dtype))
        return values[:, 0] if width == 1 else values

    def played(self) -> tuple[np.ndarray, np.ndarray]:
        """Seconds (T,) and the nodes' matrices in the world (T, N, 4, 4)."""
        (animation,) = self.json["animations"]
        (times,) = {sampler["input"] for sampler in animation["samplers"]}
        seconds, nodes = self.array(times), self.json["nodes"]
        moves = [{"translation": [0, 0, 0], "rotation": [0, 0, 0, 1]} | node for node in nodes]
        for channel in animation["channels"]:
            values = self.array(animation["samplers"][channel["sampler"]]["output"])
            still = moves[channel["target"]["node"]][channel["target"]["path"]]
            np.testing.assert_allclose(values[0], still, atol=1e-6)  # unplayed, it shows the first frame
            moves[channel["target"]["node"]][channel["target"]["path"]] = values
        own = np.tile(np.eye(4), (len(seconds), len(nodes), 1, 1))
        for node, move in enumerate(moves):
            own[:, node, :3, 3] = move["translation"]
            own[:, node, :3, :3] = Rotation.from_quat(move["rotation"]).as_matrix()
        world = own.copy()

        def visit(node: int) -> None:
            for child in nodes[node].get("children", []):
                world[:, child] = world[:, node] @ own[:, child]
                visit(child)

        for root in self.json["scenes"][self.json["scene"]]["nodes"]:
            visit(root)
        return seconds, world


def opened(motion: Motion, tmp_path) -> Gltf:
    return Gltf(motion.save(tmp_path / "walk.glb", world=False).read_bytes())


def test_a_played_glb_puts_every_joint_where_the_motion_with_constant_bones_has_it(motion, tmp_path):
    seconds, world = opened(motion, tmp_path).played()
    np.testing.assert_allclose(seconds, np.arange(60) / 50, atol=1e-6)
    steady = z_up(motion.with_constant_bones().poses_3d)  # about the hip, which stays as high as it was
    expected = y_up(motion.upright()[:, :1] + steady)
    assert np.linalg.norm(world[:, :17, :3, 3] - expected, axis=-1).max() < 1e-5  # metres


def test_it_turns_and_does_not_only_push_the_joints_about(motion, tmp_path):
    """A forearm's node stands at the elbow and turns so that the wrist lies along one of its axes, always the same."""
    glb = opened(motion, tmp_path)
    _, world = glb.played()
    names = [node["name"] for node in glb.json["nodes"]]
    assert names == [*H36M17.joints, "body"]
    for parent, child in (("LElbow", "LWrist"), ("RHip", "RKnee"), ("RKnee", "RFoot")):
        parent, child = names.index(parent), names.index(child)
        bone = np.einsum("tji,tj->ti", world[:, parent, :3, :3], (world[:, child] - world[:, parent])[:, :3, 3])
        np.testing.assert_allclose(bone, np.broadcast_to(bone[:1], bone.shape), atol=1e-5)


def test_its_body_reaches_from_joint_to_joint_in_every_frame(motion, tmp_path):
    glb = opened(motion, tmp_path)
    _, world = glb.played()
    (skin,), (mesh,) = glb.json["skins"], glb.json["meshes"]
    assert skin["joints"] == list(range(17))
    to_rest = glb.array(skin["inverseBindMatrices"]).reshape(17, 4, 4).swapaxes(-1, -2)
    painted = {material["name"]: number for number, material in enumerate(glb.json["materials"])}
    assert set(painted) == {"left", "right", "middle"}
    for primitive in mesh["primitives"]:
        attributes = {name: glb.array(number) for name, number in primitive["attributes"].items()}
        carriers, weights = attributes["JOINTS_0"], attributes["WEIGHTS_0"]
        np.testing.assert_array_equal(weights, np.eye(1, 4).repeat(len(weights), axis=0))
        corners = np.concatenate([attributes["POSITION"], np.ones((len(weights), 1))], axis=1)
        carried = (world[:, carriers[:, 0]] @ to_rest[carriers[:, 0]] @ corners[:, :, None])[..., :3, 0]
        side = list(painted)[primitive["material"]]
        bones = [bone for bone in H36M17.bones if H36M17.side(bone[1]) == side]
        assert len(corners) == 24 * len(bones)
        for stick, (parent, child) in zip(np.split(carried, len(bones), axis=1), bones, strict=True):
            for joint in (parent, child):
                nearest = np.linalg.norm(stick - world[:, joint, None, :3, 3], axis=-1).min(axis=1)
                assert nearest.max() < 1e-5, H36M17.joints[joint]


def test_its_triangles_are_seen_from_outside(motion, tmp_path):
    glb = opened(motion, tmp_path)
    for primitive in glb.json["meshes"][0]["primitives"]:
        for stick in glb.array(primitive["attributes"]["POSITION"]).reshape(-1, 8, 3, 3):
            one, two, three = np.moveaxis(stick, 1, 0)
            outward = stick.mean(axis=1) - stick.mean(axis=(0, 1))
            assert ((np.cross(two - one, three - one) * outward).sum(-1) > 0).all()


def test_one_frame_is_a_glb_too(motion, tmp_path):
    one = replace(motion, poses_3d=motion.poses_3d[:1], keypoints=motion.keypoints[:1])
    seconds, world = opened(one, tmp_path).played()
    assert seconds.tolist() == [0] and np.isfinite(world).all()


def read_trc(text: str) -> tuple[dict, list[str], np.ndarray, np.ndarray]:
    """After OpenSim's description: three lines of settings, markers, columns, a blank line, one row a frame."""
    lines = text.splitlines()
    assert lines[0].split("\t")[:3] == ["PathFileType", "4", "(X/Y/Z)"] and lines[5] == ""
    settings = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    marked = lines[3].split("\t")
    assert marked[:2] == ["Frame#", "Time"] and not any(marked[3::3]) and not any(marked[4::3])
    markers = marked[2::3]
    assert lines[4].split("\t") == ["", "", *(f"{a}{n}" for n in range(1, len(markers) + 1) for a in "XYZ")]
    rows = np.array([line.split("\t") for line in lines[6:]], float)
    assert rows[:, 0].tolist() == list(range(1, len(rows) + 1))
    return settings, markers, rows[:, 1], rows[:, 2:].reshape(len(rows), len(markers), 3)


def test_a_trc_holds_the_joints_as_markers_y_up(motion, tmp_path):
    settings, markers, seconds, positions = read_trc(
        motion.save(tmp_path / "walk.trc", world=False).read_text(encoding="ascii")
    )
    assert settings == {
        "DataRate": "50", "CameraRate": "50", "NumFrames": "60", "NumMarkers": "17", "Units": "m",
        "OrigDataRate": "50", "OrigDataStartFrame": "1", "OrigNumFrames": "60",
    }  # fmt: skip
    assert markers == [joint.replace("/", "_") for joint in H36M17.joints]
    np.testing.assert_allclose(seconds, np.arange(60) / 50, atol=1e-5)
    np.testing.assert_allclose(positions, y_up(motion.upright()), atol=1e-5)
    assert positions[..., 1].min() == pytest.approx(0, abs=1e-5)  # the floor


class Walker(Motion):
    """A motion that knows its way through the world."""

    def world(self) -> np.ndarray:
        return self.upright() + np.arange(len(self))[:, None, None] * (0.02, 0, 0)


@pytest.mark.parametrize("ending", [".trc", ".glb", ".bvh"])
def test_a_motion_that_knows_its_way_walks_in_every_skeleton(motion, tmp_path, ending):
    walker = Walker(motion.poses_3d, motion.keypoints, 50.0, 1000, 800)
    path = walker.save(tmp_path / f"walk{ending}")
    if ending == ".trc":
        hip = read_trc(path.read_text())[3][:, 0]
    elif ending == ".glb":
        hip = Gltf(path.read_bytes()).played()[1][:, 0, :3, 3]
    else:
        rows = np.loadtxt(path.read_text().split("Frame Time")[1].splitlines()[1:])
        hip = 0.01 * rows[:, :3]  # centimetres
    np.testing.assert_allclose(np.diff(hip[:, 0]), 0.02, atol=1e-4)


@pytest.mark.parametrize("ending", [".npz", ".json", ".csv"])
def test_a_file_of_numbers_says_space_axes_and_unit(motion, tmp_path, ending):
    path = motion.save(tmp_path / f"walk{ending}")
    if ending == ".npz":
        with np.load(path, allow_pickle=False) as saved:
            said = f"{saved['poses_3d_space']} {saved['keypoints_space']}"
    elif ending == ".json":
        saved = json.loads(path.read_text())
        said = f"{saved['poses_3d_space']} {saved['keypoints_space']}"
    else:
        said = " ".join(line for line in path.read_text().splitlines() if line.startswith("# "))
    for word in ("camera: x right, y down, z away from the camera", "metres", "hip at the origin", "pixels"):
        assert word in said


def test_a_file_written_before_they_said_so_is_read(motion, tmp_path):
    path = motion.save(tmp_path / "new.csv")
    lines = [line for i, line in enumerate(path.read_text().splitlines()) if i == 0 or not line.startswith("#")]
    (tmp_path / "old.csv").write_text("\n".join(lines) + "\n")
    saved = json.loads(motion.save(tmp_path / "new.json").read_text())
    (tmp_path / "old.json").write_text(json.dumps({k: v for k, v in saved.items() if not k.endswith("_space")}))
    np.savez(
        tmp_path / "old.npz", poses_3d=motion.poses_3d, keypoints=motion.keypoints, fps=50.0, width=1000, height=800,
        joints=list(H36M17.joints),
    )  # fmt: skip
    for ending in (".csv", ".json", ".npz"):
        back = Motion.load(tmp_path / f"old{ending}")
        np.testing.assert_allclose(back.poses_3d, motion.poses_3d, atol=1e-5)
        np.testing.assert_allclose(back.keypoints, motion.keypoints, atol=1e-4)


@pytest.mark.parametrize("ending", [".NPZ", ".Json", ".CSV", ".BVH", ".GLB", ".TRC", ".GIF"])
def test_endings_may_be_in_capitals(motion, tmp_path, ending):
    short = replace(motion, poses_3d=motion.poses_3d[:3], keypoints=motion.keypoints[:3])
    path = short.save(tmp_path / f"walk{ending}")
    assert [file.name for file in tmp_path.iterdir()] == [f"walk{ending}"]
    if ending in (".NPZ", ".Json", ".CSV"):
        np.testing.assert_allclose(Motion.load(path).poses_3d, short.poses_3d, atol=1e-5)


def test_the_shell_tells_of_blender_s_settings_and_writes_angles(motion, tmp_path):
    weights = small_model().save_pretrained(tmp_path / "weights")
    keypoints = motion.save(tmp_path / "keypoints.npz")
    wanted = ["-o", tmp_path / "walk.bvh", "--angles", tmp_path / "angles.csv", "--layout", "h36m17"]
    command = ["lift", keypoints, "--weights", weights, *wanted]
    run = CliRunner().invoke(app, list(map(str, command)), catch_exceptions=False)
    assert run.exit_code == 0
    assert "in centimetres: import it into Blender with Scale 0.01 and Update Scene FPS" in run.stdout
    assert re.search(r"^knee( +-?[\d.]+){7}$", run.stdout, re.MULTILINE)
    assert len((tmp_path / "angles.csv").read_text().splitlines()) == 2 + 60
    assert (tmp_path / "angles.png").read_bytes().startswith(b"\x89PNG")


def test_a_wrong_ending_is_told_before_anything_is_lifted(tmp_path):
    (video := tmp_path / "walk.mp4").touch()
    run = CliRunner().invoke(app, ["lift", str(video), "--weights", "nowhere", "-o", str(tmp_path / "walk.fbx")])
    assert "a motion is saved as" in str(run.exception)
