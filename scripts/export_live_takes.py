"""What the page of live/ plays: three synthetic takes with their truth, and the real clip.

    python scripts/export_live_takes.py

Writes poseformer_course/page/takes.json. Keypoints are normalised screen coordinates in 1/10,000, positions are
root-relative camera space in 1/10 mm, both int16 in base64; frames of the clip are one sheet of pictures.
"""

import base64
import io
import json
from pathlib import Path

import av
import numpy as np
from PIL import Image

from poseformer_lite import PoseLifter, load_dataset
from poseformer_lite.camera import normalize_screen
from poseformer_lite.datasets import PoseSequence
from poseformer_lite.keypoints import resample
from poseformer_lite.lifting.video import lift_video

ROOT = Path(__file__).resolve().parent.parent
FPS = 50  # what the shipped networks were trained at
PER_UNIT, PER_METRE = 10_000, 10_000
CHOSEN = {  # action, number of the camera, frames, what a reader is told
    "walk": ("Walking 1", 1, slice(80, 230), "A walk in a circle"),
    "greet": ("Greeting 1", 0, slice(100, 250), "A greeting"),
    "sit": ("SittingDown 1", 1, slice(100, 250), "Sitting down"),
}
PICTURE_HEIGHT, COLUMNS = 160, 12  # pixels of the clip's frames, and how many stand side by side


def main() -> None:
    data = load_dataset("synthetic", keypoints="noisy", subjects=("S11",))
    takes = {}
    for name, (action, camera, frames, title) in CHOSEN.items():
        sequence = [one for one in data.sequences if one.action == action][camera]
        takes[name] = {"title": title, **synthetic(sequence, frames)}
    takes["clip"] = {"title": "A real video", **clip(ROOT / "data/clip/walk.mp4")}
    path = ROOT / "poseformer_course/page/takes.json"
    path.write_text(json.dumps(takes, indent=1) + "\n")
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB")


def synthetic(sequence: PoseSequence, frames: slice) -> dict:
    """A part of a sequence, with its truth and the direction that is up for its camera."""
    up = sequence.camera.world_to_camera(np.array([[0, 0, 1.0], [0, 0, 0]]))
    return {
        "source": "synthetic motion, seen by a simulated camera and detector",
        "fps": FPS,
        "width": sequence.width,
        "height": sequence.height,
        "up": (up[0] - up[1]).round(4).tolist(),
        "keypoints": packed(sequence.poses_2d()[frames], PER_UNIT),
        "truth": packed(sequence.root_relative(0)[frames], PER_METRE),
    }


def clip(path: Path) -> dict:
    """The clip, its keypoints found by the package's detector; the 3D truth is not known."""
    motion = lift_video(path, PoseLifter.from_pretrained("small", fps=FPS), progress=False)
    pixels = resample(motion.keypoints, motion.fps, FPS)
    return {
        "source": "a real video, its keypoints found by BlazePose; the 3D truth is not known",
        "fps": FPS,
        "width": motion.width,
        "height": motion.height,
        "up": [0, -1, 0],
        "keypoints": packed(normalize_screen(pixels, motion.width, motion.height), PER_UNIT),
        "truth": None,
        "pictures": pictures(path, motion.fps),
    }


def pictures(path: Path, fps: float) -> dict:
    """Every other frame of a video, small and gray, on one sheet."""
    with av.open(str(path)) as video:
        images = [frame.to_image().convert("L") for frame in video.decode(video=0)][::2]
    width = round(PICTURE_HEIGHT * images[0].width / images[0].height)
    sheet = Image.new("L", (width * COLUMNS, PICTURE_HEIGHT * -(-len(images) // COLUMNS)))
    for number, image in enumerate(images):
        place = (number % COLUMNS * width, number // COLUMNS * PICTURE_HEIGHT)
        sheet.paste(image.resize((width, PICTURE_HEIGHT), Image.Resampling.LANCZOS), place)
    file = io.BytesIO()
    sheet.save(file, "WEBP", quality=15, method=6)
    return {
        "number": len(images),
        "fps": fps / 2,
        "columns": COLUMNS,
        "width": width,
        "height": PICTURE_HEIGHT,
        "webp": base64.b64encode(file.getvalue()).decode(),
    }


def packed(values: np.ndarray, per_unit: int) -> str:
    """Whole numbers of 16 bits, the lower byte first, in base64."""
    return base64.b64encode(np.round(values * per_unit).astype("<i2").tobytes()).decode()


if __name__ == "__main__":
    main()
