"""Make data/clip: a person who walks past, cut and shrunk from the demonstration of Sports2D, and her keypoints.

    pip download --no-deps sports2d==0.8.34
    python scripts/make_clip.py sports2d-0.8.34-py3-none-any.whl

The wheel (BSD-3; its licence goes beside the clip) carries `Sports2D/Demo/demo.mp4`.
"""

import argparse
import io
import zipfile
from pathlib import Path

import av
import numpy as np

from poseformer_lite.lifting.blazepose import BlazePose
from poseformer_lite.lifting.video import read_video

FOLDER = Path(__file__).resolve().parent.parent / "data" / "clip"
SECONDS, WIDE, HIGH = (2.2, 5.9), (0.0, 0.9), (0.47, 1.0)  # of the original: where she walks, below the man who jumps
HEIGHT = 320  # pixels of the clip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    with zipfile.ZipFile(parser.parse_args().wheel) as archive:
        video = io.BytesIO(archive.read("Sports2D/Demo/demo.mp4"))
        license_text = next(archive.read(name) for name in archive.namelist() if name.endswith("licenses/LICENSE"))
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "LICENSE").write_bytes(license_text)
    with av.open(video) as source, av.open(str(FOLDER / "walk.mp4"), "w") as target:
        original = source.streams.video[0]
        left, right = (2 * round(share * original.width / 2) for share in WIDE)
        top, bottom = (2 * round(share * original.height / 2) for share in HIGH)
        stream = target.add_stream("libx264", rate=original.average_rate)
        stream.width, stream.height = 2 * round(HEIGHT * (right - left) / (bottom - top) / 2), HEIGHT
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "26", "preset": "veryslow"}
        for frame in source.decode(original):
            if SECONDS[0] <= frame.time < SECONDS[1]:
                part = frame.to_ndarray(format="rgb24")[top:bottom, left:right]
                part = av.VideoFrame.from_ndarray(part.copy()).reformat(stream.width, stream.height, format="yuv420p")
                target.mux(stream.encode(part))
        target.mux(stream.encode())
    print(f"{FOLDER / 'walk.mp4'}: {(FOLDER / 'walk.mp4').stat().st_size / 1000:.0f} kB")
    find_keypoints()


def find_keypoints() -> None:
    """Write what the detector finds in the clip beside it, for where it cannot run."""
    detector, found = BlazePose(), []
    for seconds, image in read_video(FOLDER / "walk.mp4"):
        found.append(detector(image, seconds)[0])
    size = {"width": image.shape[1], "height": image.shape[0]}
    keypoints = np.stack(found).astype(np.float32).round(2)
    np.savez_compressed(FOLDER / "walk_keypoints.npz", keypoints=keypoints, fps=30.0, layout="mediapipe33", **size)


if __name__ == "__main__":
    main()
