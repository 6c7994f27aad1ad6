"""Real human motion: the CMU motion capture database (mocap.cs.cmu.edu), as the 17 joints of Human3.6M.

Two layouts are read, in any folders below a root: SUBJECT/*.asf with SUBJECT/*.amc (as CMU gives them), and
SUBJECT/*.bvh (B. Hahne's conversion, centimetres, one skeleton for all people). World: metres, z up, the lowest foot
on z = 0 (the conversion moved some takes up or down).

CMU's skeletons have other joints than Human3.6M, so points that sit where Human3.6M has its joints are taken from
them, each riding on one rigid segment:

joint              ASF/AMC (a bone stands for its end)        BVH
0 Hip              middle of the two hip joints, as in        the same: middle of rThigh and lThigh
                   Human3.6M (CMU's root is 10 cm higher)
1-3, 4-6 legs      hipjoint, femur, tibia                     Thigh, Shin, Foot
7 Spine            lowerback: half way up, as Human3.6M's     middle of abdomen and chest
8 Thorax           thorax: where neck and clavicles meet      neck
9 Neck/Nose        middle of lowerneck and upperneck, 5 cm    head, 4 cm up and 5 cm forward
                   forward
10 Head (its top)  head                                       head, 16 cm up and 1 cm forward
11, 14 shoulders   clavicle                                   Shldr
12, 15 elbows      humerus                                    ForeArm
13, 16 wrists      wrist: CMU splits the forearm in two, at   Hand
                   radius only half of it is over

Arms, legs and hips of these points are rigid. The trunk is not: CMU bends it in more places than 17 joints can show.
So that all 16 bones keep their length, as in Human3.6M, each bone keeps its direction and takes the length it has in
the skeleton's rest pose.
"""

import warnings
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm.auto import tqdm

from poseformer_lite.datasets.base import PoseDataset, Take
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.formats.articulated import ArticulatedMotion, forward_kinematics, resample
from poseformer_lite.formats.asfamc import read_amc, read_asf
from poseformer_lite.formats.bvh import drop_rest_pose, read_bvh
from poseformer_lite.skeleton import H36M17


class Point(NamedTuple):
    """The middle of some nodes, moved by `shift` metres (left, up, forward at rest) with the first node's segment."""

    nodes: tuple[str, ...]
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)


ASF_POINTS = (
    Point(("rhipjoint", "lhipjoint")),
    Point(("rhipjoint",)), Point(("rfemur",)), Point(("rtibia",)),
    Point(("lhipjoint",)), Point(("lfemur",)), Point(("ltibia",)),
    Point(("lowerback",)), Point(("thorax",)), Point(("upperneck", "lowerneck"), (0, 0, 0.05)), Point(("head",)),
    Point(("lclavicle",)), Point(("lhumerus",)), Point(("lwrist",)),
    Point(("rclavicle",)), Point(("rhumerus",)), Point(("rwrist",)),
)  # fmt: skip
BVH_POINTS = (
    Point(("rThigh", "lThigh")),
    Point(("rThigh",)), Point(("rShin",)), Point(("rFoot",)),
    Point(("lThigh",)), Point(("lShin",)), Point(("lFoot",)),
    Point(("abdomen", "chest")), Point(("neck",)), Point(("head",), (0, 0.04, 0.05)), Point(("head",), (0, 0.16, 0.01)),
    Point(("lShldr",)), Point(("lForeArm",)), Point(("lHand",)),
    Point(("rShldr",)), Point(("rForeArm",)), Point(("rHand",)),
)  # fmt: skip
SOLES = ("lfoot", "rfoot", "ltoes", "rtoes", "lFoot_end", "rFoot_end")  # nodes that touch the floor

# What CMU's index says of some takes; a take that is not here is named after its folder.
MOTIONS = {
    "02_01": "walk", "02_02": "walk", "02_03": "run", "02_04": "jump", "02_05": "punch", "02_06": "bend",
    "02_07": "swordplay", "02_08": "swordplay", "02_09": "swordplay", "02_10": "wash",
    "03_01": "terrain", "03_02": "terrain", "03_03": "terrain", "03_04": "terrain",
}  # fmt: skip

FASTEST_TURN = 2250.0  # degrees a second: no bone of a person turns faster, the joints of a glitch do
TEST_SEED = 2**32 - 1  # far from any seed that a person or an epoch counter would choose

WHERE_FROM = (
    "get motions from http://mocap.cs.cmu.edu (free for all uses) and keep one folder a subject: SUBJECT/SUBJECT.asf "
    "with its SUBJECT/*.amc, or SUBJECT/*.bvh"
)


def load(
    root: str | Path,
    keypoints: str = "gt",
    cameras: str = "random",
    fps: float = 50.0,
    seed: int = 0,
    test_takes: Collection[tuple[str, str]] | None = None,
    num_views: int = 4,
) -> PoseDataset:
    """CMU motion capture below the folder `root`, seen through virtual cameras.

    keypoints: "gt" (true projections), "noisy" or "wild" (`virtual.views.view_take`). cameras: "fixed" (like
    Human3.6M's) or "random" (see `virtual.views.random_cameras`); with random ones, `redraw` sees the training takes
    through new ones. Whole takes are held out for testing: `test_takes`, pairs of (subject, action), or else
    `default_test_takes`; the partners of a take are held out with it. Their people are also seen in training. Test
    takes are always seen through the same cameras, whatever the seed.
    """
    takes = read_takes(root, fps)
    held_out = default_test_takes(takes) if test_takes is None else _with_partners(takes, test_takes)
    training, test = (list(map(without_glitches, part)) for part in split_takes(takes, held_out))

    def redraw(new_seed: int):
        return view_takes(training, cameras, keypoints, new_seed, num_views)

    return PoseDataset(
        name="cmu_mocap",
        sequences=redraw(seed) + view_takes(test, cameras, keypoints, TEST_SEED, num_views),
        train_subjects=tuple(sorted({take.subject for take in takes})),
        test_subjects=(),
        fps=fps,
        keypoint_source=keypoints,
        test_takes=held_out,
        redraw=redraw if cameras == "random" or keypoints != "gt" else None,
    )


def read_takes(root: str | Path, fps: float = 50.0) -> list[Take]:
    """Every take below the folder `root`, sorted by subject and name: (T, 17, 3) metres, z up, at `fps`.

    The subject is the folder's name, the action such as "walk 01" or "salsa 07". Raises FileNotFoundError where there
    is nothing to read, and ValueError that names the file that cannot be read. A take whose head was recorded upside
    down (salsa 06 and 07) is left out, with a warning.
    """
    root = Path(root)
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in (".amc", ".bvh"))
    if not files:
        state = "has no .amc and no .bvh files" if root.is_dir() else "is not a folder"
        raise FileNotFoundError(f"{root} {state}: {WHERE_FROM}")
    names = Counter(_name(path) for path in files)
    subject, action = names.most_common(1)[0][0]
    if names[subject, action] > 1:
        twice = ", ".join(str(path) for path in files if _name(path) == (subject, action))
        raise ValueError(f"take {action!r} of subject {subject!r} is there more than once ({twice}): keep one of them")

    skeletons = {folder: read_asf(_skeleton_file(folder)) for folder in {p.parent for p in files if _is_amc(p)}}
    takes = []
    for path in tqdm(files, desc="reading CMU motion capture", unit="take", disable=len(files) < 20):
        if _is_amc(path):
            motion, points = read_amc(path, skeletons[path.parent]), ASF_POINTS
        else:
            motion, points = drop_rest_pose(read_bvh(path)), BVH_POINTS
        world = h36m17_world(resample(motion, fps), points, path)
        if _head_is_off(world):
            warnings.warn(f"{path} is left out: its head is turned as no neck can turn it", stacklevel=2)
        else:
            takes.append(Take(*_name(path), world.astype(np.float32), fps))
    return takes


def glitches(world: np.ndarray, fps: float) -> np.ndarray:
    """The frames (N,) in which a bone of world (T, 17, 3) turns by more than FASTEST_TURN since the frame before."""
    bones = H36M17.bone_vectors(world)
    bones = bones / np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)
    turns = np.degrees(np.arccos(np.clip((bones[1:] * bones[:-1]).sum(-1), -1, 1)))  # (T - 1, 16)
    return 1 + np.flatnonzero(turns.max(axis=1) > FASTEST_TURN / fps)


def without_glitches(take: Take) -> Take:
    """The longest stretch of a take that has none of its `glitches` within; a warning names the frames where it has.

    To be called after takes are split, as `partners` know each other by their length.
    """
    found = glitches(take.world, take.fps)
    if not len(found):
        return take
    edges = np.concatenate([[0], found, [len(take.world)]])
    start, stop = edges[(longest := np.diff(edges).argmax())], edges[longest + 1]
    where = ", ".join(map(str, found[:5])) + (" and others" if len(found) > 5 else "")
    warnings.warn(
        f"{take.subject}, {take.action}: a bone turns faster than a body can at frame {where}, so of its "
        f"{len(take.world)} frames {start} to {stop - 1} are kept",
        stacklevel=2,
    )
    return replace(take, world=take.world[start:stop])


def h36m17_world(motion: ArticulatedMotion, points: tuple[Point, ...], path: str | Path = "this motion") -> np.ndarray:
    """The 17 joints of a motion: (T, 17, 3) float64, metres, z up, bone lengths constant, soles on the floor."""
    missing = sorted({node for point in points for node in point.nodes} - set(motion.names))
    if missing:
        raise ValueError(f"{path} has no joint {', '.join(missing)}: expected the skeleton of a CMU file")
    rest = forward_kinematics(_at_rest(motion))
    lengths = H36M17.bone_lengths(_place(motion, points, *rest))[0]

    positions, orientations = forward_kinematics(motion)
    world = H36M17.with_bone_lengths(_place(motion, points, positions, orientations), lengths)
    soles = [i for i, name in enumerate(motion.names) if name in SOLES]
    floor = np.percentile(positions[:, soles, 1].min(axis=1), 1) if soles else world[..., 1].min()
    x, y, z = np.moveaxis(world, -1, 0)  # CMU's y points up
    return np.stack([x, -z, y - floor], axis=-1)


def partners(takes: list[Take]) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """{(subject, action): the takes recorded together with it, itself included}.

    Takes of one folder with the same number of frames are two people filmed at once (in salsa, 16 to 19 are the
    partners of 01 to 04): the same dance, which must not be on both sides of a split.
    """
    together = defaultdict(list)
    for take in takes:
        together[take.subject, len(take.world)].append((take.subject, take.action))
    return {name: names for names in together.values() for name in names}


def default_test_takes(takes: list[Take]) -> frozenset[tuple[str, str]]:
    """Of each subject's takes in order of name the 2nd, 7th, 12th, ..., with their partners: about a fifth."""
    together = partners(takes)
    by_subject = defaultdict(list)
    for take in takes:
        names = together[take.subject, take.action]
        if names not in by_subject[take.subject]:
            by_subject[take.subject].append(names)
    return frozenset(name for groups in by_subject.values() for names in groups[1::5] for name in names)


def split_takes(
    takes: list[Take], held_out: Collection[tuple[str, str]] | None = None
) -> tuple[list[Take], list[Take]]:
    """(training takes, held-out takes); held_out: pairs of (subject, action), or else `default_test_takes`."""
    held_out = default_test_takes(takes) if held_out is None else held_out
    training = [take for take in takes if (take.subject, take.action) not in held_out]
    return training, [take for take in takes if (take.subject, take.action) in held_out]


def _with_partners(takes: list[Take], chosen: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    together = partners(takes)
    unknown = [name for name in map(tuple, chosen) if name not in together]
    if unknown:
        raise ValueError(
            f"test_takes names {unknown[0]!r}, which is not among the takes: "
            f"expected pairs such as {', '.join(map(repr, list(together)[:3]))}"
        )
    return frozenset(name for pair in chosen for name in together[tuple(pair)])


def _is_amc(path: Path) -> bool:
    return path.suffix.lower() == ".amc"


def _name(path: Path) -> tuple[str, str]:
    """(subject, action): 02/02_01.amc is ("02", "walk 01"), salsa/07.bvh is ("salsa", "salsa 07")."""
    subject = path.parent.name
    number = path.stem.removeprefix(f"{subject}_")
    return subject, f"{MOTIONS.get(path.stem, subject)} {number}"


def _skeleton_file(folder: Path) -> Path:
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".asf")
    if len(found) != 1:
        raise FileNotFoundError(f"{folder} has .amc files and {len(found)} .asf files, expected one: {WHERE_FROM}")
    return found[0]


def _at_rest(motion: ArticulatedMotion) -> ArticulatedMotion:
    rotations = np.zeros((1, *motion.rotations.shape[1:]))
    rotations[..., 3] = 1
    return replace(motion, rotations=rotations, root_position=np.zeros((1, 3)))


def _head_is_off(world: np.ndarray) -> bool:
    """Whether the head's top is below the neck, as the trunk goes, in more than one frame of a hundred."""
    spine, thorax, head = (world[:, H36M17.joints.index(name)] for name in ("Spine", "Thorax", "Head"))
    return bool((((head - thorax) * (thorax - spine)).sum(-1) < 0).mean() > 0.01)


def _place(
    motion: ArticulatedMotion, points: tuple[Point, ...], positions: np.ndarray, orientations: np.ndarray
) -> np.ndarray:
    """(T, 17, 3): each point, from the nodes' places (T, N, 3) and orientations (T, N, 3, 3)."""
    placed = []
    for point in points:
        nodes = [motion.names.index(name) for name in point.nodes]
        placed.append(positions[:, nodes].mean(axis=1) + orientations[:, nodes[0]] @ np.array(point.shift))
    return np.stack(placed, axis=1)
