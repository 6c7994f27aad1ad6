"""A tiny dataset made by hand: a standing body that turns and waves, 3 subjects, 2 actions, 2 cameras, 60 frames."""

import numpy as np

from poseformer_lite.camera import Camera, look_at
from poseformer_lite.datasets.base import PoseDataset, PoseSequence
from poseformer_lite.model.poseformer import PoseFormer

STANDING = np.array(
    [
        [0, 0, 0.95], [-0.13, 0, 0.92], [-0.13, 0.02, 0.48], [-0.13, 0, 0.07], [0.13, 0, 0.92], [0.13, 0.02, 0.48],
        [0.13, 0, 0.07], [0, 0, 1.2], [0, 0, 1.45], [0, 0.07, 1.58], [0, 0.02, 1.7], [0.17, 0, 1.42],
        [0.24, 0, 1.12], [0.26, 0.05, 0.88], [-0.17, 0, 1.42], [-0.24, 0, 1.12], [-0.26, 0.05, 0.88],
    ]
)  # fmt: skip  # (17, 3) metres, z up, facing y: its left is +x
PLACES = ((0.5, 4.5, 1.6), (-3.5, 3.0, 1.4))
SMALL = {"num_frames": 3, "spatial_dim": 8, "spatial_depth": 1, "temporal_depth": 1, "num_heads": 2}


def cameras() -> list[Camera]:
    """Two cameras that look at the body from the front and from its right."""
    return [
        Camera(str(i), 1000, 800, (1100.0, 1100.0), (500.0, 400.0), orientation=look_at(p, (0, 0, 1)), translation=p)
        for i, p in enumerate(PLACES)
    ]


def smooth_motion(num_frames: int, seed: int) -> np.ndarray:
    """(T, 17, 3) float32, metres, z up: every joint sways by slow sines of its own, and the body turns."""
    rng = np.random.default_rng(seed)
    time = np.arange(num_frames)[:, None, None] / 50
    frequency, phase = rng.uniform(0.3, 1.0, (17, 3)), rng.uniform(0, 2 * np.pi, (17, 3))
    swaying = STANDING + 0.12 * np.sin(2 * np.pi * frequency * time + phase)
    angle = rng.uniform(-0.5, 0.5) + 0.5 * time[:, 0, 0]
    turn = np.stack([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).transpose(2, 0, 1)  # (T, 2, 2)
    swaying[..., :2] = np.einsum("tij,tkj->tki", turn, swaying[..., :2])
    return swaying.astype(np.float32)


def tiny_dataset(num_frames: int = 60, actions: tuple[str, ...] = ("Walking 1", "WalkDog")) -> PoseDataset:
    """S1 and S5 to train on, S9 to test on; the takes are as different as their seeds."""
    sequences = []
    for s, subject in enumerate(("S1", "S5", "S9")):
        for a, action in enumerate(actions):
            world = smooth_motion(num_frames, seed=10 * s + a)
            for camera in cameras():
                poses_3d = camera.world_to_camera(world)
                keypoints = camera.project(poses_3d)
                sequences.append(
                    PoseSequence(subject, action, camera.name, keypoints, poses_3d, camera.width, camera.height, camera)
                )
    return PoseDataset("tiny", sequences, train_subjects=("S1", "S5"), test_subjects=("S9",))


def small_model(seed: int = 0, **changes) -> PoseFormer:
    """A PoseFormer of a few thousand weights, the same for the same seed."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PoseFormer(**(SMALL | changes))
