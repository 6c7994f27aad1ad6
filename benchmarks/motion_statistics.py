"""How alive is synthetic motion? Its speed, acceleration and variety beside real CMU motion capture.

Run: python benchmarks/motion_statistics.py --cmu FOLDER --json benchmarks/results/motion_statistics.json
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from poseformer_lite.datasets.base import Take
from poseformer_lite.skeleton import H36M17

RHIP, LHIP = H36M17.joints.index("RHip"), H36M17.joints.index("LHip")


def motion_statistics(takes: Sequence[Take]) -> dict[str, float]:
    """Speeds in m/s, accelerations in m/s^2 (second differences) and shares of variance, over all frames alike.

    takes: (T, 17, 3) metres, z up. Speeds and accelerations are of the 16 joints relative to the root; the root's own
    speed is named so. Variance is that of root-relative poses turned to one heading: the share of it that lies in the
    first principal components says how few numbers describe a pose, so a low share means variety.
    """
    if not takes:
        raise ValueError("no takes to measure: give at least one")
    speeds, accelerations, root_speeds, poses = [], [], [], []
    for take in takes:
        world = take.world.astype(float)
        root = world[:, H36M17.root]
        relative = np.delete(world - root[:, None], H36M17.root, axis=1)
        speeds.append(_speed(relative, take.fps, order=1))
        accelerations.append(_speed(relative, take.fps, order=2))
        root_speeds.append(_speed(root, take.fps, order=1))
        poses.append(_one_heading(world).reshape(len(world), -1))

    speed, acceleration, root_speed = map(np.concatenate, (speeds, accelerations, root_speeds))
    variance = np.linalg.eigvalsh(np.cov(np.concatenate(poses).T))[::-1]
    return {
        "frames": sum(len(take.world) for take in takes),
        "joint speed, mean": speed.mean(),
        "joint speed, median": np.median(speed),
        "joint acceleration, mean": acceleration.mean(),
        "joint acceleration, median": np.median(acceleration),
        "root speed, mean": root_speed.mean(),
        "standard deviation of a joint": np.sqrt(variance.sum() / (H36M17.num_joints - 1)),
        "variance in 3 components": variance[:3].sum() / variance.sum(),
        "variance in 10 components": variance[:10].sum() / variance.sum(),
    }


def _speed(positions: np.ndarray, fps: float, order: int) -> np.ndarray:
    """Lengths of the differences of that order over time, per second^order, as one flat array."""
    return np.linalg.norm(np.diff(positions, n=order, axis=0) * fps**order, axis=-1).ravel()


def _one_heading(world: np.ndarray) -> np.ndarray:
    """Root-relative poses, turned about the vertical until the right hip points along x. (T, 17, 3) -> (T, 17, 3)."""
    relative = world - world[:, H36M17.root][:, None]
    across = world[:, RHIP, :2] - world[:, LHIP, :2]
    cos, sin = (across / np.linalg.norm(across, axis=-1, keepdims=True)).T[..., None]
    x, y, z = np.moveaxis(relative, -1, 0)
    return np.stack([cos * x + sin * y, cos * y - sin * x, z], axis=-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cmu", type=Path, help="folder with CMU motion capture (ASF/AMC or BVH)")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()

    from poseformer_course.bench.record import record  # after parsing, so that --help is quick
    from poseformer_lite.datasets.sources import cmu_mocap, synthetic

    results = {"synthetic": motion_statistics(synthetic.make_takes())}
    if arguments.cmu:
        results["cmu_mocap"] = motion_statistics(cmu_mocap.read_takes(arguments.cmu))
    _print_table(results)
    if arguments.json:
        record(arguments.json, **results)


def _print_table(results: dict[str, dict[str, float]]) -> None:
    columns = list(results)
    print(f"{'':32}" + "".join(f"{name:>12}" for name in columns) + (f"{'ratio':>9}" if len(columns) == 2 else ""))
    for key in results[columns[0]]:
        values = [results[name][key] for name in columns]
        ratio = f"{values[0] / values[1]:9.2f}" if len(values) == 2 else ""
        print(f"{key:32}" + "".join(f"{value:12,.3f}" for value in values) + ratio)


if __name__ == "__main__":
    main()
