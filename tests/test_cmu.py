"""ASF/AMC and BVH: numbers worked out by hand, broken files, and what real CMU motion must look like."""

import shutil
import sys
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from helpers_data import STANDING

from poseformer_course.cmu_download import CHOSEN, fetch_cmu
from poseformer_course.people import UNSEEN_PEOPLE, split_people
from poseformer_lite.datasets.base import Take
from poseformer_lite.datasets.sources import cmu_mocap
from poseformer_lite.formats.articulated import forward_kinematics, resample
from poseformer_lite.formats.asfamc import read_amc, read_asf
from poseformer_lite.formats.bvh import drop_rest_pose, read_bvh
from poseformer_lite.skeleton import H36M17

# Two bones along x, 1 and 2 units; 0.5 units are an inch, so they measure 5.08 and 10.16 cm. The second bone's own
# frame is turned by 90 degrees about z: its rx turns it about the world's y.
ASF = """# by hand
:version 1.10
:units
  mass 1.0
  length 0.5
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name upper
     direction 1 0 0
     length 1
     axis 0 0 0  XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
  end
  begin
     id 2
     name lower
     direction 1 0 0
     length 2
     axis 0 0 90  XYZ
    dof rx
  end
  begin
     id 3
     name stiff
     direction 0 1 0
     length 1
     axis 0 0 0  XYZ
  end
:hierarchy
  begin
    root upper stiff
    upper lower
  end
"""
AMC = """#!OML:ASF made by hand
:FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 0 0 0
upper 0 0 90
lower 0
2
root 1 2 3 0 0 90
upper 0 0 0
lower 90
3
root 0 0 0 90 0 90
upper 0 0 0
lower 0
"""
UNIT = 0.0254 / 0.5
BVH = """HIERARCHY
ROOT hips
{
  OFFSET 0 10 0
  CHANNELS 6 Zposition Xposition Yposition Xrotation Zrotation Yrotation
  JOINT knee
  {
    OFFSET 100 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 50 0
    }
  }
}
MOTION
Frames: 3
Frame Time: 0.02
3 1 2 0 0 0 0 0 0
0 0 0 0 90 0 90 0 0
0 0 0 90 90 0 0 0 0
"""


def write_acclaim(folder, asf=ASF, amc=AMC, ending="\n"):
    folder.mkdir(exist_ok=True)
    (folder / "a.asf").write_bytes(asf.replace("\n", ending).encode())
    (folder / "a.amc").write_bytes(amc.replace("\n", ending).encode())
    return folder / "a.asf", folder / "a.amc"


def read_acclaim(*args, **kwargs):
    asf, amc = write_acclaim(*args, **kwargs)
    return read_amc(amc, read_asf(asf))


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_acclaim_by_hand(tmp_path, ending):
    motion = read_acclaim(tmp_path, ending=ending)
    positions, _ = forward_kinematics(motion)

    assert motion.names == ("root", "upper", "stiff", "lower")
    root = np.array([1, 2, 3])
    by_hand = [
        [root, root + [0, 1, 0], root + [0, 1, 0], root + [0, 3, 0]],  # upper turned about z: all along y
        # The root turns x into y, y into -x. lower turns by 90 about its local x, which the axis makes the world's y:
        # in the root's frame x goes to -z, which the root leaves alone.
        [root, root + [0, 1, 0], root + [-1, 0, 0], root + [0, 1, -2]],
        [[0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 3, 0]],  # x first, then z, about fixed axes: y goes to z
    ]
    np.testing.assert_allclose(positions, UNIT * np.array(by_hand), atol=1e-12)


def test_lengths_are_inches_scaled(tmp_path):
    for length in (0.5, 0.45, 1.0):
        skeleton = read_asf(write_acclaim(tmp_path, ASF.replace("length 0.5", f"length {length}"))[0])
        assert np.linalg.norm(skeleton.bones[0].offset) == pytest.approx(0.0254 / length)


def test_radians_in_an_amc(tmp_path):
    turned = AMC.replace(":DEGREES", ":RADIANS").replace("90", f"{np.pi / 2}")
    in_radians = read_acclaim(tmp_path / "rad", amc=turned)
    np.testing.assert_allclose(in_radians.rotations, read_acclaim(tmp_path / "deg").rotations, atol=1e-12)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("lower 90\n3", "lower nan\n3", r"a\.amc.*frame 2, bone 'lower' is nan, expected a finite"),
        ("lower 90\n3", "lower x9\n3", r"a\.amc.*frame 2, bone 'lower' is 'x9', expected a finite number"),
        ("upper 0 0 0\nlower 90", "lower 90", r"frame 2: found 'lower' where 'upper'"),
        ("\n3\nroot", "\n4\nroot", r"frame 3: found '4' where '3'"),
        ("upper 0 0 0\nlower 0\n", "upper 0 0", r"cut short: frame 3 has 11 of its 14 words"),
        ("lower", "tail", r"frame 1: bone 'tail' is not in .*a\.asf"),
        ("upper 0 0 90\n", "", r"frame 1: no values for upper"),
        (AMC, "PK\x03\x04 not motion capture", r"holds no frames"),
        (AMC, "", r"holds no frames"),
    ],
)
def test_broken_amc(tmp_path, old, new, message):
    assert old in AMC
    with pytest.raises(ValueError, match=message):
        read_acclaim(tmp_path, amc=AMC.replace(old, new))


@pytest.mark.parametrize(
    "old, new, message",
    [
        (ASF[ASF.index(":hierarchy") :], "", "no section :hierarchy"),
        ("upper lower", "upper tail", "names bone 'tail'"),
        ("    upper lower\n", "", "gives no parent to lower"),
        ("     length 2\n", "", "bone 'lower' has no length"),
        ("length 2\n", "length two\n", "length of bone 'lower' is 'two', expected a finite number"),
        ("dof rx\n", "dof rx l\n", "only rx, ry, rz"),
        (ASF, "GIF89a", "no section :units, :root"),
    ],
)
def test_broken_asf(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=message) as error:
        read_asf(write_acclaim(tmp_path, asf=ASF.replace(old, new))[0])
    assert "a.asf" in str(error.value)


def write_bvh(tmp_path, text=BVH):
    (tmp_path / "a.bvh").write_text(text)
    return tmp_path / "a.bvh"


def test_bvh_by_hand(tmp_path):
    motion = read_bvh(write_bvh(tmp_path), unit=0.01)
    positions, _ = forward_kinematics(motion)

    assert motion.names == ("hips", "knee", "knee_end") and motion.fps == pytest.approx(50)
    by_hand = [
        [[1, 12, 3], [101, 12, 3], [101, 62, 3]],  # columns are z, x, y of the position; the offset is added
        [[0, 10, 0], [0, 110, 0], [0, 60, 0]],  # x -> y; the knee turns y on to -y
        # x, then z, about axes that turn along: z stands along -y by then, and takes x to z and y to -x
        [[0, 10, 0], [0, 10, 100], [-50, 10, 100]],
    ]
    np.testing.assert_allclose(positions, 0.01 * np.array(by_hand), atol=1e-12)


def test_bvh_unit_and_channel_order(tmp_path):
    in_inches = read_bvh(write_bvh(tmp_path), unit=0.0254)
    np.testing.assert_allclose(in_inches.offsets[1], [2.54, 0, 0])

    # the same motion with the knee's columns and the root's positions in another order
    reordered = BVH.replace("Zposition Xposition Yposition", "Xposition Yposition Zposition")
    reordered = reordered.replace("3 1 2 0", "1 2 3 0")
    same = read_bvh(write_bvh(tmp_path, reordered), unit=0.0254)
    np.testing.assert_allclose(same.root_position, in_inches.root_position)


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("0 0 0 90 90 0 0 0 0\n", "0 0 0 90\n", r"22 values, but 3 frames of 9 channels are 27: it is cut short"),
        ("Frames: 3", "Frames: 2", r"27 values, but 2 frames.*more than it announces"),
        ("0 90 0 90 0 0", "0 90 0 nan 0 0", r"frame 2, channel 7 is nan, expected a finite"),
        ("0 90 0 90 0 0", "0 90 0 -- 0 0", r"frame 2, channel 7 is '--', expected a finite number"),
        ("CHANNELS 3 Z", "CHANNELS 2 Z", r"line 9: .*announces 2 channels and names 3"),
        ("3 Zrotation Xrotation", "3 Zrotation Zrotation", r"line 9: .*different channels"),
        ("3 Zrotation Xrotation", "3 Zposition Xrotation", r"line 9: .*only the root"),
        ("OFFSET 100 0 0", "OFFSET 100 0", r"line 8: cannot read 'OFFSET 100 0'"),
        ("Frame Time: 0.02", "Frame Time: 0", r"expected 'Frames: N'"),
        ("}\n}\n", "}\n", r"1 braces of the HIERARCHY stay open"),
        ("HIERARCHY", "<html>", r"no BVH file"),
        (BVH[BVH.index("MOTION") :], "", r"no BVH file"),
    ],
)
def test_broken_bvh(tmp_path, old, new, message):
    assert old in BVH
    with pytest.raises(ValueError, match=message) as error:
        read_bvh(write_bvh(tmp_path, BVH.replace(old, new)))
    assert "a.bvh" in str(error.value)


def test_only_a_t_pose_is_dropped(tmp_path):
    still, moved = "1 1 1 0 0 0 2 1 0\n", "1 1 1 0 3 0 2 1 0\n"
    head = BVH[: BVH.index("Frames")] + "Frames: 30\nFrame Time: 0.02\n"
    with_rest = read_bvh(write_bvh(tmp_path, head + still + 29 * moved))
    assert len(drop_rest_pose(with_rest)) == 30 - 1 - 5  # the pose and 0.1 s
    without = read_bvh(write_bvh(tmp_path, head + 30 * moved))
    assert drop_rest_pose(without) is without


def test_resampling_turns_evenly_and_keeps_lengths(tmp_path):
    """A joint turning at one revolution a second, past 360 degrees: the same turn at another rate."""
    frames = 480
    head = BVH[: BVH.index("Frames")] + f"Frames: {frames}\nFrame Time: {1 / 120}\n"
    rows = "".join(f"0 0 0 0 {3 * i % 360} 0 0 0 0\n" for i in range(frames))
    motion = resample(read_bvh(write_bvh(tmp_path, head + rows)), 50)
    positions, _ = forward_kinematics(motion)

    assert len(motion) == 200 and motion.fps == 50
    angles = 2 * np.pi * np.arange(200) / 50
    expected = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=-1)
    arms = positions[:, 1] - positions[:, 0]
    np.testing.assert_allclose(arms[10:-10], expected[10:-10], atol=2e-3)
    np.testing.assert_allclose(np.linalg.norm(arms, axis=-1), 1, atol=1e-12)


def test_resampling_does_not_alias(tmp_path):
    """40 Hz does not fit into 50 frames a second: it must vanish, not turn into 10 Hz."""
    t = np.arange(480) / 120
    head = BVH[: BVH.index("Frames")] + f"Frames: {len(t)}\nFrame Time: {1 / 120}\n"
    rows = "".join(f"{10 * np.sin(2 * np.pi * 40 * s):.6f} 0 0 0 0 0 0 0 0\n" for s in t)
    motion = resample(read_bvh(write_bvh(tmp_path, head + rows)), 50)
    assert np.abs(motion.root_position[20:-20, 2]).max() < 0.005  # of 0.1 m


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir()])
def test_nothing_to_read_says_where_to_get_it(tmp_path, make):
    make(tmp_path / "cmu")
    with pytest.raises(FileNotFoundError, match=r"mocap\.cs\.cmu\.edu.*SUBJECT/SUBJECT\.asf"):
        cmu_mocap.read_takes(tmp_path / "cmu")


def test_motion_without_skeleton_and_foreign_skeletons(tmp_path):
    asf, _ = write_acclaim(tmp_path / "07")
    with pytest.raises(ValueError, match=r"a\.amc has no joint .*lfemur.*CMU"):
        cmu_mocap.read_takes(tmp_path)
    asf.unlink()
    with pytest.raises(FileNotFoundError, match="0 .asf files, expected one"):
        cmu_mocap.read_takes(tmp_path)


def test_a_bone_that_turns_faster_than_a_body_can_is_found_and_left_out():
    world = np.zeros((100, 17, 3), np.float32)
    for parent, child in H36M17.bones:
        world[:, child] = world[:, parent] + (0.01 * child, 0.02, 0.2)
    assert len(cmu_mocap.glitches(world, 50.0)) == 0
    elbow, wrist = (H36M17.joints.index(name) for name in ("LElbow", "LWrist"))
    angles = np.radians(40) * np.arange(100)  # fast, and a body's: 2,000 degrees a second
    world[:, wrist, :2] = world[:, elbow, :2] + 0.25 * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    world[:, wrist, 2] = world[:, elbow, 2]
    assert len(cmu_mocap.glitches(world, 50.0)) == 0
    world[30:, wrist] = 2 * world[30:, elbow] - world[30:, wrist]  # from here on it points the other way
    assert cmu_mocap.glitches(world, 50.0).tolist() == [30]
    with pytest.warns(UserWarning, match="martial 01: a bone turns faster .* at frame 30, .* frames 30 to 99 are kept"):
        kept = cmu_mocap.without_glitches(Take("martial", "martial 01", world))
    assert np.array_equal(kept.world, world[30:])


def test_whole_people_and_a_kind_of_motion_are_held_out():
    names = {"02": 6, "08": 2, "39": 1, "indian": 2, "salsa": 3}
    world = np.tile(STANDING, (60, 1, 1)).astype(np.float32)
    takes = [Take(who, f"{who} {i}", world[: 50 + i]) for who, count in names.items() for i in range(count)]
    split = split_people(takes)
    assert {take.subject for take in split.training} == {take.subject for take in split.unseen_takes} == {"02", "salsa"}
    assert [take.subject for take in split.unseen_people] == ["08", "08", "39"]
    assert [take.subject for take in split.unseen_motion] == ["indian"] * 2
    assert len(takes) == sum(map(len, split))


def test_partners_are_held_out_together():
    sizes = {"01": 10, "02": 20, "03": 30, "16": 10, "17": 20}
    takes = [Take("salsa", f"salsa {n}", np.zeros((size, 17, 3), np.float32)) for n, size in sizes.items()]
    assert cmu_mocap.default_test_takes(takes) == {("salsa", "salsa 02"), ("salsa", "salsa 17")}


@pytest.fixture(scope="module")
def takes(shared):
    with pytest.warns(UserWarning, match="left out: its head"):
        return {(take.subject, take.action): take for take in cmu_mocap.read_takes(shared / "mocap")}


def test_all_takes_are_read(takes):
    assert len(takes) == 42 - 2  # the head of two takes is upside down
    assert sum(len(take.world) for take in takes.values()) > 30_000
    for take in takes.values():
        assert take.world.dtype == np.float32 and take.world.shape[1:] == (17, 3) and take.fps == 50
        assert np.isfinite(take.world).all()


def test_bones_are_rigid_and_human(takes):
    for take in takes.values():
        lengths = H36M17.bone_lengths(take.world)
        assert np.ptp(lengths, axis=0).max() < 2e-6, take.action  # float32, metres from the origin
        assert 0.7 < lengths[0, 1:3].sum() < 0.95 and 0.4 < lengths[0, [6, 7]].sum() < 0.6, take.action
        assert 0.08 < lengths[0, 0] < 0.15 and 0.2 < lengths[0, [8, 9]].sum() < 0.35, take.action


def test_bones_are_rigid_in_float64(shared):
    folder = shared / "mocap" / "cmu_asfamc" / "02"
    motion = read_amc(folder / "02_05.amc", read_asf(folder / "02.asf"))
    world = cmu_mocap.h36m17_world(resample(motion, 50), cmu_mocap.ASF_POINTS)
    assert np.ptp(H36M17.bone_lengths(world), axis=0).max() < 1e-9


def test_people_stand_upright_on_the_floor(takes):
    feet, hip, head = [H36M17.joints.index(n) for n in ("RFoot", "LFoot")], 0, 10
    for (subject, action), take in takes.items():
        lowest = take.world[:, feet, 2].min(axis=1)
        assert -0.05 < lowest.min() < 0.15, action  # the ankle is some 8 cm above the sole
        upright = (take.world[:, head, 2] > take.world[:, hip, 2] + 0.3).mean()
        assert upright > (0.6 if action.startswith(("bend", "wash")) else 0.95), (subject, action)


def test_no_jump_from_a_t_pose_is_left(takes):
    """In BVH files the ankles rise at up to 9 m/s while the conversion blends the T-pose over into the recording."""
    ankles = [H36M17.joints.index(name) for name in ("RFoot", "LFoot")]
    for (subject, action), take in takes.items():
        if not subject.isdigit():
            rise = np.diff(take.world[:8, ankles, 2], axis=0) * take.fps
            assert np.abs(rise).max() < 1, action


@pytest.mark.parametrize("action", ["walk 01", "walk 02"])
def test_walking(takes, action):
    world = takes["02", action].world.astype(float)
    forward = (world[-1, 0] - world[0, 0]) * [1, 1, 0]
    speed = np.linalg.norm(forward) / ((len(world) - 1) / 50)
    assert 0.8 < speed < 1.8

    to_the_left = np.cross([0, 0, 1], forward / np.linalg.norm(forward))
    for left, right in zip(H36M17.left, H36M17.right, strict=True):
        assert ((world[:, left] - world[:, right]) @ to_the_left).mean() > 0.05, H36M17.joints[left]
    nose, neck = (world[:, H36M17.joints.index(name)] for name in ("Neck/Nose", "Thorax"))
    assert ((nose - neck) @ forward).mean() > 0


def test_knees_and_noses_point_forward_in_both_formats(takes):
    for take in takes.values():
        world = take.world.astype(float)
        forward = np.cross(world[:, 4] - world[:, 1], [0, 0, 1])  # left hip - right hip, and up
        knees = world[:, [2, 5]] - (world[:, [1, 4]] + world[:, [3, 6]]) / 2
        assert np.median((knees * forward[:, None]).sum(-1)) > 0, take.action


def test_load_splits_whole_takes_and_redraws(shared, monkeypatch):
    monkeypatch.setattr(cmu_mocap, "read_takes", cache(cmu_mocap.read_takes))  # five times the same files
    folder = shared / "mocap" / "cmu_asfamc" / "02"
    data = cmu_mocap.load(folder, seed=1)
    assert data.test_takes == {("02", "walk 02"), ("02", "swordplay 07")}
    assert data.train_subjects == ("02",) and data.test_subjects == ()
    assert len(data.train()) == 8 * 4 and len(data.test()) == 2 * 4
    assert {s.base_action for s in data.test()} == {"walk", "swordplay"}

    again, other = data.redraw(1), data.redraw(2)
    assert not {(s.subject, s.action) for s in other} & data.test_takes
    np.testing.assert_array_equal(again[0].keypoints, data.train()[0].keypoints)
    assert np.abs(other[0].poses_3d - again[0].poses_3d).max() > 0.1

    another_seed = cmu_mocap.load(folder, seed=2, test_takes=[("02", "walk 02")])
    assert another_seed.test_takes == {("02", "walk 02")}
    np.testing.assert_array_equal(another_seed.test()[0].keypoints, data.test()[0].keypoints)
    assert cmu_mocap.load(folder, cameras="fixed").redraw is None
    with pytest.raises(ValueError, match=r"names \('02', 'walk 9'\)"):
        cmu_mocap.load(folder, test_takes=[("02", "walk 9")])


def test_motion_statistics_by_hand():
    """A hand that circles at 1 m/s around a root that walks at 2 m/s."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
    from motion_statistics import motion_statistics

    rng, t = np.random.default_rng(0), np.arange(200) / 50
    world = np.tile(rng.normal(size=(1, 17, 3)), (200, 1, 1))
    world -= world[:, :1]
    circle = 0.25 * np.stack([np.cos(4 * t), np.sin(4 * t), 0 * t], axis=-1)
    world[:, 1:] = world[:, 1:] - world[:, 1:2] + [0.3, 0, 0]  # right hip aside, so that there is a heading
    world[:, 16] = circle
    world += np.stack([2 * t, 0 * t, 0 * t], axis=-1)[:, None]
    figures = motion_statistics([Take("a", "b", world)])

    assert figures["root speed, mean"] == pytest.approx(2)
    assert figures["joint speed, mean"] == pytest.approx(1 / 16, rel=1e-3)
    assert figures["joint acceleration, mean"] == pytest.approx(4 / 16, rel=1e-3)  # v^2 / r
    assert figures["joint speed, median"] == pytest.approx(0, abs=1e-9)
    assert figures["variance in 3 components"] == pytest.approx(1)


# The download


@pytest.fixture
def site(tmp_path):
    """A site with one subject: (its address, its folder, the paths that were asked for)."""
    folder = tmp_path / "site" / "02"
    folder.mkdir(parents=True)
    for path, name in zip(write_acclaim(folder), ("02.asf", "02_01.amc"), strict=True):
        path.rename(folder / name)
    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path / "site"))

        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", tmp_path / "site", asked
        server.shutdown()


def test_takes_are_fetched_once_and_go_on_after_a_stop(site, tmp_path):
    address, source, asked = site
    with pytest.raises(OSError, match="02_02.amc cannot be fetched .*404.* run this again"):
        fetch_cmu(tmp_path / "here", {2: (1, 2)}, address, progress=False)
    assert sorted(path.name for path in (tmp_path / "here/02").iterdir()) == ["02.asf", "02_01.amc"]

    shutil.copy(source / "02/02_01.amc", source / "02/02_02.amc")
    files = fetch_cmu(tmp_path / "here", {2: (1, 2)}, address, progress=False)
    assert [path.name for path in files] == ["02.asf", "02_01.amc", "02_02.amc"]
    assert all(path.read_bytes() == (source / "02" / path.name).read_bytes() for path in files)
    assert asked == ["/02/02.asf", "/02/02_01.amc", "/02/02_02.amc", "/02/02_02.amc"]


@pytest.mark.parametrize("sent", ["<html>moved</html>", AMC[: len(AMC) * 2 // 3]])
def test_what_is_not_motion_capture_is_not_kept(site, tmp_path, sent):
    address, source, _ = site
    (source / "02/02_01.amc").write_text(sent)
    with pytest.raises(ValueError, match="02_01.amc is not motion capture"):
        fetch_cmu(tmp_path / "here", {2: (1,)}, address, progress=False)
    assert [path.name for path in (tmp_path / "here/02").iterdir()] == ["02.asf"]


def test_without_the_site_nothing_is_left(tmp_path):
    with pytest.raises(OSError, match="02.asf cannot be fetched"):
        fetch_cmu(tmp_path / "here", {2: (1,)}, "http://127.0.0.1:9", progress=False)
    assert list((tmp_path / "here/02").iterdir()) == []


def test_the_chosen_takes_are_as_many_as_the_readme_says():
    assert 190 <= sum(map(len, CHOSEN.values())) <= 210
    assert f"of {len(CHOSEN)} subjects" in (Path(__file__).parents[1] / "data/README.md").read_text(encoding="utf-8")


def test_what_the_shipped_weights_learned_from_and_were_tested_with_is_among_them(shared):
    takes = [path.stem.split("_") for path in (shared / "mocap_people").glob("*/*.amc")]
    assert takes and all(int(take) in CHOSEN[int(subject)] for subject, take in takes)
    assert {int(subject) for subject in UNSEEN_PEOPLE} <= set(CHOSEN)
