"""Bodies are trees with two sides, and mirroring is its own inverse."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from poseformer_lite.skeleton import COCO17, H36M17, HALPE26, HUMANEVA15, SKELETONS, Skeleton, flip_poses, get_skeleton

skeletons = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)


@skeletons
def test_bones_join_every_joint_to_the_root(skeleton):
    assert skeleton.parents.count(-1) == 1 and skeleton.parents[skeleton.root] == -1
    assert len(skeleton.bones) == skeleton.num_joints - 1
    for joint in range(skeleton.num_joints):
        steps = 0
        while joint != skeleton.root:
            joint, steps = skeleton.parents[joint], steps + 1
            assert steps < skeleton.num_joints, "the bones run in a circle"


@skeletons
def test_sides_are_named_as_their_joints(skeleton):
    """Joint names begin with L or R exactly where the joint is of that side, and a pair is named alike."""
    assert len(set(skeleton.joints)) == skeleton.num_joints
    assert not set(skeleton.left) & set(skeleton.right)
    for left, right in zip(skeleton.left, skeleton.right, strict=True):
        assert skeleton.joints[left] == "L" + skeleton.joints[right][1:] and skeleton.joints[right][0] == "R"
    for joint, name in enumerate(skeleton.joints):
        sided = {"L": "left", "R": "right"}.get(name[0], "middle")
        assert skeleton.side(joint) == sided, name


@skeletons
def test_the_mirror_image_of_a_bone_is_a_bone(skeleton):
    flip = skeleton.flip_order
    assert sorted(flip) == list(range(skeleton.num_joints)) and [flip[i] for i in flip] == list(range(len(flip)))
    assert {(flip[parent], flip[child]) for parent, child in skeleton.bones} == set(skeleton.bones)


def test_h36m_as_published():
    assert H36M17.root == 0
    assert H36M17.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
    assert (H36M17.left, H36M17.right) == ((4, 5, 6, 11, 12, 13), (1, 2, 3, 14, 15, 16))
    assert H36M17.flip_order == (0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 10, 14, 15, 16, 11, 12, 13)
    assert HUMANEVA15.parents == (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1)
    assert [s.num_joints for s in (H36M17, HUMANEVA15, COCO17, HALPE26)] == [17, 15, 17, 26]


def test_bone_lengths_by_hand():
    body = Skeleton("three", ("A", "LB", "RB"), (-1, 0, 0), left=(1,), right=(2,))
    poses = np.array([[[0.0, 0, 0], [3, 4, 0], [0, 0, 2]], [[1, 1, 1], [1, 1, 1], [2, 3, 3]]])
    np.testing.assert_array_equal(body.bone_vectors(poses)[0], [[3, 4, 0], [0, 0, 2]])
    np.testing.assert_array_equal(body.bone_lengths(poses), [[5, 2], [0, 3]])
    assert body.bone_lengths(np.zeros((2, 4, 3, 3))).shape == (2, 4, 2)


def test_flip_by_hand():
    body = Skeleton("three", ("A", "LB", "RB"), (-1, 0, 0), left=(1,), right=(2,))
    poses = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])
    np.testing.assert_array_equal(flip_poses(poses, body), [[-1, 2, 3], [-7, 8, 9], [-4, 5, 6]])


finite = st.floats(-1e6, 1e6, width=32)


@skeletons
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_flip_twice_is_nothing_and_the_input_stays(skeleton, data):
    dims = data.draw(st.sampled_from([2, 3]))
    batch = data.draw(st.lists(st.integers(1, 3), max_size=2))
    poses = data.draw(arrays(np.float32, (*batch, skeleton.num_joints, dims), elements=finite))
    for given_poses in (poses, torch.from_numpy(poses.copy())):
        once = flip_poses(given_poses, skeleton)
        assert type(once) is type(given_poses) and once.dtype == given_poses.dtype
        np.testing.assert_array_equal(np.asarray(flip_poses(once, skeleton)), poses)
        np.testing.assert_array_equal(np.asarray(given_poses), poses)


@skeletons
def test_flip_keeps_bone_lengths_and_exchanges_the_sides(skeleton):
    poses = np.random.default_rng(0).normal(size=(4, skeleton.num_joints, 3))
    flipped = flip_poses(poses, skeleton)
    lengths = dict(zip(skeleton.bones, skeleton.bone_lengths(poses).T, strict=True))
    for (parent, child), mirrored in zip(skeleton.bones, skeleton.bone_lengths(flipped).T, strict=True):
        np.testing.assert_allclose(mirrored, lengths[skeleton.flip_order[parent], skeleton.flip_order[child]])


def test_flip_of_another_body_is_refused():
    with pytest.raises(ValueError, match="have 15 joints, but skeleton 'h36m17' has 17"):
        flip_poses(np.zeros((2, 15, 3)), H36M17)


@pytest.mark.parametrize(
    "parts",
    [
        dict(joints=("A", "B"), parents=(-1,), left=(), right=()),
        dict(joints=("A", "B"), parents=(-1, 0), left=(1,), right=()),
    ],
)
def test_a_skeleton_that_does_not_add_up(parts):
    with pytest.raises(ValueError, match="skeleton 'odd' has 2 joints"):
        Skeleton("odd", **parts)


def test_get_skeleton():
    assert get_skeleton("h36m17") is H36M17
    with pytest.raises(ValueError, match="no skeleton 'coco': choose one of h36m17, .*coco17"):
        get_skeleton("coco")
