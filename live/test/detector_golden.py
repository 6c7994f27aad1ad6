"""What poseformer_lite's BlazePose finds in data/clip, for detector.test.js: the pictures, raw, and its answers.

python detector_golden.py FOLDER
"""

import json
import sys
from pathlib import Path

import numpy as np

from poseformer_lite.lifting.blazepose import BlazePose
from poseformer_lite.lifting.video import read_video

CLIP = Path(__file__).parents[2] / "data" / "clip" / "walk.mp4"
EVERY = 4  # frames


def write(folder: Path) -> None:
    detector, answers, pictures = BlazePose(num_people=1), [], []
    for seconds, image in list(read_video(CLIP))[::EVERY]:
        people = detector(image, seconds)
        answers.append({"seconds": seconds, "people": people.reshape(len(people), -1).tolist()})
        pictures.append(image)
    np.stack(pictures).tofile(folder / "pictures.raw")
    height, width = pictures[0].shape[:2]
    (folder / "answers.json").write_text(json.dumps({"width": width, "height": height, "frames": answers}))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
