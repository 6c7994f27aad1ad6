"""Windows gathered by index are those of a plain loop over sequences and frames."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from poseformer_lite.datasets.base import PoseSequence
from poseformer_lite.datasets.windows import Windows
from poseformer_lite.skeleton import H36M17, HUMANEVA15, flip_poses


def sequences(*lengths: int, joints: int = 17) -> list[PoseSequence]:
    rng = np.random.default_rng(0)
    return [
        PoseSequence(
            subject=f"S{i}",
            action="Walking",
            view="0",
            keypoints=rng.uniform(0, 1000, (length, joints, 2)).astype(np.float32),
            poses_3d=rng.normal(size=(length, joints, 3)).astype(np.float32) + 4,
            width=1000,
            height=800 + 100 * i,
        )
        for i, length in enumerate(lengths)
    ]


def naive(all_sequences, num_frames, skeleton):
    """[(window, target)], one after the other, mirrored ones last."""
    plain = []
    for sequence in all_sequences:
        screen = sequence.keypoints / sequence.width * 2 - [1, sequence.height / sequence.width]
        for center in range(len(screen)):
            frames = [min(max(center + o, 0), len(screen) - 1) for o in range(-(num_frames // 2), num_frames // 2 + 1)]
            pose = sequence.poses_3d[center]
            plain.append((screen[frames], pose - pose[skeleton.root]))
    return plain, [(flip_poses(w, skeleton), flip_poses(t, skeleton)) for w, t in plain]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=4), st.sampled_from([1, 3, 9, 27]), st.booleans())
def test_equals_a_plain_loop(lengths, num_frames, flip):
    data = sequences(*lengths)
    windows = Windows(data, num_frames, H36M17, flip=flip)
    plain, mirrored = naive(data, num_frames, H36M17)
    expected = plain + mirrored if flip else plain
    assert len(windows) == len(expected)

    poses_2d, targets = windows.gather(torch.arange(len(windows)))
    assert poses_2d.dtype == targets.dtype == torch.float32
    np.testing.assert_allclose(poses_2d, np.stack([w for w, _ in expected]), atol=1e-5)
    np.testing.assert_allclose(targets, np.stack([t for _, t in expected]), atol=1e-5)


def test_edges_by_hand():
    data = sequences(3, 2)
    windows = Windows(data, 5, H36M17)
    for index, frames in enumerate(
        [[0, 0, 0, 1, 2], [0, 0, 1, 2, 2], [0, 1, 2, 2, 2], [3, 3, 3, 4, 4], [3, 3, 4, 4, 4]]
    ):
        poses_2d, _ = windows.gather(torch.tensor([index]))
        assert torch.equal(poses_2d[0], windows.poses_2d[frames])


def test_order_and_repeats_of_the_index_are_kept():
    windows = Windows(sequences(6, 4), 3, H36M17, flip=True)
    index = torch.tensor([19, 3, 3, 0, 12])
    poses_2d, targets = windows.gather(index)
    for i, one in enumerate(index):
        single = windows.gather(one[None])
        assert torch.equal(poses_2d[i], single[0][0]) and torch.equal(targets[i], single[1][0])


def test_gathering_changes_nothing_that_is_stored():
    windows = Windows(sequences(5), 3, H36M17, flip=True)
    before = windows.poses_2d.clone(), windows.targets.clone()
    for poses_2d, targets in windows.batches(torch.arange(10), 4):
        poses_2d.zero_()
        targets.zero_()
    assert torch.equal(windows.poses_2d, before[0]) and torch.equal(windows.targets, before[1])


def test_sequences_are_not_changed():
    data = sequences(5)
    kept = data[0].keypoints.copy(), data[0].poses_3d.copy()
    Windows(data, 3, H36M17, flip=True).poses_2d.zero_()
    np.testing.assert_array_equal(data[0].keypoints, kept[0])
    np.testing.assert_array_equal(data[0].poses_3d, kept[1])


@pytest.mark.parametrize("batch_size", [1, 4, 10, 100])
def test_batches_cover_the_index_in_order(batch_size):
    windows = Windows(sequences(6, 4), 3, H36M17)
    index = torch.randperm(10)
    batches = list(windows.batches(index, batch_size))
    assert [len(poses_2d) for poses_2d, _ in batches] == [len(part) for part in index.split(batch_size)]
    assert torch.equal(torch.cat([poses_2d for poses_2d, _ in batches]), windows.gather(index)[0])


def test_another_skeleton_has_its_own_root_and_sides():
    data = sequences(4, joints=15)
    windows = Windows(data, 3, HUMANEVA15, flip=True)
    _, targets = windows.gather(torch.arange(8))
    assert targets.shape == (8, 15, 3) and not targets[:, HUMANEVA15.root].any()
    np.testing.assert_allclose(targets[4:], flip_poses(targets[:4], HUMANEVA15))


@pytest.mark.parametrize("field", ["keypoints", "poses_3d"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_gaps_are_refused_by_name_and_frame(field, value):
    data = sequences(5, 6)
    getattr(data[1], field)[4, 2, 1] = value
    with pytest.raises(ValueError, match="S1, Walking, camera 0 has NaN or infinite values, first in frame 4"):
        Windows(data, 3, H36M17)


def test_nothing_to_make_windows_of():
    with pytest.raises(ValueError, match="no sequences"):
        Windows([], 3, H36M17)


def test_2d_only_is_refused_by_name():
    data = sequences(3)
    unknown = PoseSequence("S4", "Eating", "1", data[0].keypoints, None, 1000, 800)
    with pytest.raises(ValueError, match="S4, Eating, camera 1 has 2D keypoints only"):
        Windows([*data, unknown], 3, H36M17)
