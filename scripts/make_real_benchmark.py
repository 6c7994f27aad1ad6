"""Make data/real: one person, four cameras, BlazePose's keypoints in each, and where the joints were.

    pip download --no-deps pose2sim==0.10.49
    python scripts/make_real_benchmark.py pose2sim-0.10.49-py3-none-any.whl

The wheel (BSD-3) carries `Demo_SinglePerson`: a person before four calibrated cameras, 60 Hz, 100 frames.
The landmarks are those of MediaPipe's BlazePose (full), each view tracked on its own, by the networks in the wheel of
mediapipe 0.10.21; install that one for this script alone, in an environment of its own, with `pip install
mediapipe==0.10.21 av scipy` and this package. Where a detector
exchanged left and right it is undone; the truth is the landmarks' triangulation, weighted by their visibility:
a camera that lags is shifted by the whole number of frames that makes the rays meet best, and for each joint the view
that disagrees most is left out where that helps. It prints how well the rays meet, which is as sure as the truth is.
"""

import argparse
import json
import tempfile
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

FOLDER = Path(__file__).resolve().parent.parent / "data" / "real"
DEMO = "Pose2Sim/Demo_SinglePerson"
NUM_VIEWS, MAX_LAG = 4, 8
HELPS = 0.6  # leaving a view out must bring the worst reprojection error below this share of it
SMOOTHING = 2  # frames, the standard deviation of the Gaussian over the triangulated joints


def detect(video: Path) -> dict:
    """What BlazePose finds: keypoints (T, 33, 3), x px, y px, visibility; world (T, 33, 3) metres; fps and size."""
    import av
    import mediapipe

    keypoints, world = [], []
    options = {"model_complexity": 1, "static_image_mode": False, "smooth_landmarks": True}
    with mediapipe.solutions.pose.Pose(**options) as pose, av.open(str(video)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            image = frame.to_ndarray(format="rgb24")
            height, width = image.shape[:2]
            found = pose.process(image)
            if found.pose_landmarks is None:
                raise ValueError(f"{video.name}: nobody is found in frame {len(keypoints)}")
            points = found.pose_landmarks.landmark
            keypoints.append([(p.x * width, p.y * height, p.visibility) for p in points])
            world.append([(p.x, p.y, p.z) for p in found.pose_world_landmarks.landmark])
        fps = float(stream.average_rate)
    return {
        "keypoints": np.array(keypoints), "world": np.array(world), "fps": fps, "width": width, "height": height,
    }  # fmt: skip


def read_cameras(file: Path) -> list[dict]:
    """From Qualisys's calibration: K (3, 3); radial (3,), tangential (2,); rotation (3, 3), translation (3,), metres.

    world @ rotation.T + translation is in camera space, x right, y down, z away.
    """
    flip = np.diag([1.0, -1.0, -1.0])  # Qualisys looks along -z with y up
    cameras = []
    for camera in ElementTree.parse(file).getroot().findall("cameras/camera"):
        lens, place = camera.find("intrinsic").attrib, camera.find("transform").attrib
        number = {name: float(value) for name, value in lens.items()}
        K = np.array(
            [
                [number["focalLengthU"] / 64, 0, number["centerPointU"] / 64],
                [0, number["focalLengthV"] / 64, number["centerPointV"] / 64],
                [0, 0, 1],
            ]
        )
        rotation = flip @ np.array([[float(place[f"r{i}{j}"]) for j in (1, 2, 3)] for i in (1, 2, 3)])
        position = np.array([float(place[axis]) for axis in "xyz"]) / 1000
        cameras.append(
            {
                "K": K,
                "radial": np.array([number[f"radialDistortion{i}"] for i in (1, 2, 3)]),
                "tangential": np.array([number[f"tangentalDistortion{i}"] for i in (1, 2)]),
                "rotation": rotation,
                "translation": -rotation @ position,
            }
        )
    return cameras


def undistorted(pixels: np.ndarray, camera: dict) -> np.ndarray:
    """(..., 2) pixels -> (..., 2), through a lens without distortion, at focal length 1, by fixed-point steps."""
    K, k, p = camera["K"], camera["radial"], camera["tangential"]
    seen = (pixels - K[:2, 2]) / np.diag(K)[:2]
    x = seen
    for _ in range(10):
        r2 = (x**2).sum(-1, keepdims=True)
        tangential = 2 * p * x[..., :1] * x[..., 1:] + p[::-1] * (r2 + 2 * x**2)
        x = (seen - tangential) / (1 + r2 * (k[0] + r2 * (k[1] + r2 * k[2])))
    return x


def triangulate(rays: np.ndarray, cameras: list[dict]) -> np.ndarray:
    """rays (C, T, J, 3): x, y at focal length 1, visibility -> (T, J, 3) metres, by weighted least squares (DLT)."""
    rows = []
    for seen, camera in zip(rays, cameras, strict=True):
        P = np.hstack([camera["rotation"], camera["translation"][:, None]])
        rows += [seen[..., 2, None] * (seen[..., axis, None] * P[2] - P[axis]) for axis in (0, 1)]
    solution = np.linalg.svd(np.stack(rows, axis=-2))[2][..., -1, :]
    return solution[..., :3] / solution[..., 3:]


def reprojection_errors(world: np.ndarray, rays: np.ndarray, cameras: list[dict]) -> np.ndarray:
    """(C, T, J), pixels."""
    errors = []
    for seen, camera in zip(rays, cameras, strict=True):
        x = world @ camera["rotation"].T + camera["translation"]
        errors.append(np.linalg.norm(x[..., :2] / x[..., 2:] - seen[..., :2], axis=-1) * camera["K"][0, 0])
    return np.stack(errors)


def robust_triangulation(rays: np.ndarray, cameras: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """As `triangulate`, with the worst view of a joint left out where that helps: (T, J, 3), worst error (T, J) px."""
    world = triangulate(rays, cameras)
    worst = reprojection_errors(world, rays, cameras).max(axis=0)
    for left_out in range(len(cameras)):
        kept = [c for c in range(len(cameras)) if c != left_out]
        those = [cameras[c] for c in kept]
        other = triangulate(rays[kept], those)
        error = reprojection_errors(other, rays[kept], those).max(axis=0)
        better = error < worst * HELPS
        world[better], worst[better] = other[better], error[better]
    return world, worst


def find_lags(rays: list[np.ndarray], cameras: list[dict]) -> list[int]:
    """By how many frames each camera lags behind the first, whole frames, found one after another, twice."""
    lags = [0] * len(cameras)

    def error(tried: list[int]) -> float:
        first = MAX_LAG  # the same frames whatever the shift
        shifted = np.stack([r[first + lag : len(r) - MAX_LAG + lag] for r, lag in zip(rays, tried, strict=True)])
        return float(np.median(reprojection_errors(triangulate(shifted, cameras), shifted, cameras)))

    for camera in [1, 2, 3, 1, 2, 3]:
        trials = [[*lags[:camera], lag, *lags[camera + 1 :]] for lag in range(-MAX_LAG, MAX_LAG + 1)]
        lags = min(trials, key=error)
    return lags


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    wheel = parser.parse_args().wheel
    from poseformer_lite.keypoints import confidence_h36m17, to_h36m17, undo_swaps

    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        wanted = [name for name in archive.namelist() if name.startswith(DEMO) and name.endswith((".mp4", "qca.txt"))]
        archive.extractall(folder, wanted)
        demo = Path(folder) / DEMO
        cameras = read_cameras(demo / "calibration" / "Calib.qca.txt")
        views = [detect(demo / "videos" / f"cam0{i + 1}.mp4") for i in range(NUM_VIEWS)]
        license_text = next(archive.read(n) for n in archive.namelist() if n.endswith("licenses/LICENSE"))

    joints = [undo_swaps(to_h36m17(view["keypoints"][..., :2], "mediapipe33")) for view in views]
    seen = [confidence_h36m17(view["keypoints"][..., 2], "mediapipe33")[..., None] for view in views]
    rays = [undistorted(pixels, camera) for pixels, camera in zip(joints, cameras, strict=True)]
    rays = [np.concatenate(pair, axis=-1) for pair in zip(rays, seen, strict=True)]
    lags = find_lags(rays, cameras)
    first, last = -min(lags), min(len(r) - lag for r, lag in zip(rays, lags, strict=True))
    frames = [slice(first + lag, last + lag) for lag in lags]
    rays = np.stack([r[rows] for r, rows in zip(rays, frames, strict=True)])
    plain = reprojection_errors(triangulate(rays, cameras), rays, cameras)
    rough, worst = robust_triangulation(rays, cameras)
    world = gaussian_filter1d(rough, SMOOTHING, axis=0)
    thirds = [robust_triangulation(rays[kept], [cameras[c] for c in kept])[0] for kept in ([1, 2, 3], [0, 2, 3])]
    thirds += [robust_triangulation(rays[kept], [cameras[c] for c in kept])[0] for kept in ([0, 1, 3], [0, 1, 2])]
    moved = 1000 * np.linalg.norm(gaussian_filter1d(np.stack(thirds), SMOOTHING, axis=1) - world, axis=-1)
    thigh, shin = (np.linalg.norm(world[:, a] - world[:, b], axis=-1) for a, b in ((1, 2), (2, 3)))
    quality = {
        "lags of the cameras, frames": lags,
        "frames": len(world),
        "person's height in the pictures, px": int(np.median(np.ptp(joints[0], axis=1)[:, 1])),
        "frames with left and right exchanged, undone, by view": [
            int((undone != to_h36m17(v["keypoints"][..., :2], "mediapipe33")).any(axis=(1, 2)).sum())
            for v, undone in zip(views, joints, strict=True)
        ],
        "reprojection error, median over joints and views, px": round(float(np.median(plain)), 1),
        "reprojection error, 95th percentile, px": round(float(np.percentile(plain, 95)), 1),
        "worst view's, the disagreeing one left out, median, px": round(float(np.median(worst)), 1),
        "a joint moves when one camera is left out, median, mm": round(float(np.median(moved)), 1),
        "a joint moves when one camera is left out, 95th percentile, mm": round(float(np.percentile(moved, 95)), 1),
        "right thigh, mean and standard deviation, mm": [round(1000 * f(thigh), 1) for f in (np.mean, np.std)],
        "right shin, mean and standard deviation, mm": [round(1000 * f(shin), 1) for f in (np.mean, np.std)],
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        FOLDER / "real.npz",
        keypoints=np.stack([v["keypoints"][rows] for v, rows in zip(views, frames, strict=True)]).astype(np.float32),
        mediapipe_world=np.stack([v["world"][rows] for v, rows in zip(views, frames, strict=True)]).astype(np.float16),
        world=world.astype(np.float32),
        fps=views[0]["fps"],
        size=np.array([(v["width"], v["height"]) for v in views]),
        **{name: np.stack([camera[name] for camera in cameras]) for name in cameras[0]},
    )
    (FOLDER / "quality.json").write_text(json.dumps(quality, indent=1) + "\n")
    (FOLDER / "LICENSE").write_bytes(license_text)
    print(json.dumps(quality, indent=1))


if __name__ == "__main__":
    main()
