"""BlazePose (33 joints): finds people in a picture and follows them from frame to frame, without asking anybody.

Its two networks are Google's (Apache-2.0, see LICENSE and NOTICE here) and ship with the package: one finds
people in the whole picture, the other finds the joints of one person in a square around them, which is turned so that
they stand upright. LiteRT runs them; what lies around them is written here after the description of MediaPipe's graphs.
"""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor

from poseformer_lite.lifting.blazepose.smoothing import OneEuro

FOLDER = Path(__file__).parent
FINDER, MARKER = FOLDER / "pose_detection.tflite", FOLDER / "pose_landmark_full.tflite"
FINDER_SIZE, MARKER_SIZE, HEATMAP_SIZE = 224, 256, 64  # pixels of the squares that the networks see, and of a heatmap
STRIDES = ((8, 2), (16, 2), (32, 6))  # of the finder's grids, pixels, and how many answers each cell has
LIKELY = 0.5  # the least score of a person found, and of one followed
SAME_PLACE = 0.3  # boxes that overlap by more than this (intersection over union) show one person
MARGIN = 1.25  # of the square around a person
AROUND, REFINED = 3, 0.5  # cells to each side that refine a joint, and the least certainty in them that does
NUM_JOINTS = 33  # the two after them in the marker's answer say where the person will be: the hip's middle, and a point
#   above the head, as far away as the body reaches
JOINT_FILTER, PLACE_FILTER = (0.05, 80.0), (0.01, 10.0)  # of `OneEuro`: least cut-off, and how much speed raises it
VISIBILITY_SHARE = 0.1  # of a frame's visibility in the smoothed one


class BlazePose:
    """A `Detector` for one video: people are looked for in the whole picture only while fewer are followed than asked.

    :param num_people: how many are followed at most
    :param smooth: whether joints are smoothed over time, each person on their own, as MediaPipe does for one.
    :raises ValueError: where LiteRT is not installed.
    """

    layout = "mediapipe33"

    def __init__(self, num_people: int = 3, smooth: bool = True):
        self._find, self._mark = _network(FINDER), _network(MARKER)
        self.num_people = num_people
        self.smooth = smooth
        self.followed: list[_Followed] = []

    def __call__(self, image: np.ndarray, seconds: float) -> np.ndarray:
        """(H, W, 3) uint8, red first, and when it was taken -> (P, 33, 3): x and y in pixels, and the visibility."""
        picture = torch.from_numpy(np.ascontiguousarray(image))
        places = [person.place for person in self.followed]
        if len(self.followed) < self.num_people:
            new = [place for place in self._find_people(picture) if not _is_among(place, places)]
            self.followed += [_Followed(place, self.smooth) for place in new[: self.num_people - len(self.followed)]]
        still, found = [], []
        for person in self.followed:
            points, score = self._mark_joints(picture, person.place)
            if score < LIKELY:
                continue
            person.update(points, seconds)
            if not _is_among(person.place, [other.place for other in still]):
                still.append(person)
                found.append(person.joints)
        self.followed = still
        return np.array(found, dtype=np.float32).reshape(len(found), NUM_JOINTS, 3)

    def _find_people(self, picture: Tensor) -> list[np.ndarray]:
        """The places of people in a picture (H, W, 3), the surest first."""
        height, width = picture.shape[:2]
        whole = np.array([width / 2, height / 2, max(width, height), 0.0])
        answers, scores = self._find(cut_out(picture, whole, FINDER_SIZE, beyond="zeros") * 2 - 1)
        scores = expit(scores[0, :, 0])
        likely = scores > LIKELY
        # center, size, and four points, from a cell's middle
        points = answers[0, likely].reshape(-1, 6, 2) / FINDER_SIZE
        points[:, [0, 2, 3, 4, 5]] += _cells()[likely, None]
        merged = _merged(points, scores[likely])
        return [_place(*_from_square(points[2:4], whole)) for points in merged]

    def _mark_joints(self, picture: Tensor, place: np.ndarray) -> tuple[np.ndarray, float]:
        """The joints of the person at a place: (35, 3), x and y in pixels, visibility; and how sure there is one."""
        answers, score, _, heatmaps, _ = self._mark(cut_out(picture, place, MARKER_SIZE))
        answers = answers.reshape(39, 5)
        points = _refined(answers[: NUM_JOINTS + 2, :2] / MARKER_SIZE, heatmaps[0])
        visibility = expit(answers[: NUM_JOINTS + 2, 3:4])
        return np.concatenate([_from_square(points, place), visibility], axis=1), float(score[0, 0])


class _Followed:
    """One person: where they are, and their joints, smoothed.

    place: (x, y, side, angle) of the square around them, pixels and radians.
    """

    def __init__(self, place: np.ndarray, smooth: bool):
        self.place = place
        self._filters = (OneEuro(*JOINT_FILTER), OneEuro(*PLACE_FILTER)) if smooth else None
        self._visibility: np.ndarray | None = None

    def update(self, points: np.ndarray, seconds: float) -> None:
        """points: (35, 3)."""
        joints, ends = points[:NUM_JOINTS, :2], points[NUM_JOINTS:, :2]
        seen = points[:NUM_JOINTS, 2:]
        if self._filters:
            of_joints, of_ends = self._filters
            joints, ends = of_joints(joints, seconds, self.place[2]), of_ends(ends, seconds, self.place[2])
            before = seen if self._visibility is None else self._visibility
            seen = self._visibility = VISIBILITY_SHARE * seen + (1 - VISIBILITY_SHARE) * before
        self.joints = np.concatenate([joints, seen], axis=1)
        self.place = _place(*ends)


def cut_out(picture: Tensor, place: np.ndarray, size: int, beyond: str = "border") -> np.ndarray:
    """The square at a place of a picture (H, W, 3) uint8, turned upright: (1, size, size, 3) float32, from 0 to 1.

    beyond: what is seen outside of the picture, "border" (its edge goes on) or "zeros".
    """
    height, width = picture.shape[:2]
    steps = (np.arange(size) + 0.5) / size
    corners = _from_square(np.stack(np.meshgrid(steps, steps), axis=-1), place)  # (size, size, 2), pixels
    left, top = np.clip(np.floor(corners.min((0, 1))).astype(int) - 2, 0, (width - 1, height - 1))
    right, bottom = np.clip(np.ceil(corners.max((0, 1))).astype(int) + 2, (left + 1, top + 1), (width, height))
    part = picture[top:bottom, left:right].permute(2, 0, 1)[None].float() / 255
    grid = (corners - (left, top)) * 2 / (right - left, bottom - top) - 1
    grid = torch.from_numpy(grid.astype(np.float32))[None]
    found = torch.nn.functional.grid_sample(part, grid, mode="bilinear", padding_mode=beyond, align_corners=False)
    return found.permute(0, 2, 3, 1).contiguous().numpy()


def _from_square(points: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Points (..., 2) of a square, from 0 to 1, in pixels of the picture."""
    x, y, side, angle = place
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (points - 0.5) * side @ turn + (x, y)


def _place(hip: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The square around a person whose hip is in one place, and whose body reaches as far as another: `_Followed`."""
    across, up = end - hip
    return np.array([*hip, 2 * np.hypot(across, up) * MARGIN, np.arctan2(across, -up)])


def _is_among(place: np.ndarray, others: list[np.ndarray]) -> bool:
    """Whether a square, taken as level, overlaps one of the others by more than SAME_PLACE."""
    return any(overlap(_box(place), _box(other)) > SAME_PLACE for other in others)


def _box(place: np.ndarray) -> np.ndarray:
    x, y, side, _ = place
    return np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2])


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two boxes (left, top, right, bottom)."""
    both = np.prod(np.maximum(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0))
    return float(both / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - both + 1e-9))


@cache
def _cells() -> np.ndarray:
    """The middles of the cells that the finder's answers belong to: (2254, 2), from 0 to 1."""
    middles = []
    for stride, count in STRIDES:
        steps = (np.arange(FINDER_SIZE // stride) + 0.5) * stride / FINDER_SIZE
        middles.append(np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2).repeat(count, axis=0))
    return np.concatenate(middles)


def _merged(points: np.ndarray, scores: np.ndarray) -> list[np.ndarray]:
    """Answers (N, 6, 2) that show one person, averaged by their scores (N,): the surest first."""
    boxes = np.concatenate([points[:, 0] - points[:, 1] / 2, points[:, 0] + points[:, 1] / 2], axis=1)
    left, people = np.argsort(-scores), []
    while len(left):
        same = np.array([overlap(boxes[left[0]], boxes[i]) > SAME_PLACE for i in left])
        same[0] = True
        people.append(np.average(points[left[same]], axis=0, weights=scores[left[same]]))
        left = left[~same]
    return people


def _refined(points: np.ndarray, heatmaps: np.ndarray) -> np.ndarray:
    """Joints (J, 2), from 0 to 1, moved to the middle of what their heatmaps (64, 64, J and more) say around them."""
    refined = points.copy()
    cells = (points * HEATMAP_SIZE).astype(int)
    for joint, (column, row) in enumerate(cells):
        if not (0 <= column < HEATMAP_SIZE and 0 <= row < HEATMAP_SIZE):
            continue
        rows, columns = (slice(max(0, c - AROUND), min(HEATMAP_SIZE, c + AROUND + 1)) for c in (row, column))
        sure = expit(heatmaps[rows, columns, joint])
        if sure.max() >= REFINED:
            y, x = np.mgrid[rows, columns]
            refined[joint] = np.array([(x * sure).sum(), (y * sure).sum()]) / sure.sum() / HEATMAP_SIZE
    return refined


def _network(file: Path):
    """A function from a network's input to its outputs, in the order of their names."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise ValueError(
            "LiteRT is not installed, which runs the detector that finds people in a video: "
            "pip install 'poseformer-lite[video]', or lift the keypoint file of another detector"
        ) from error
    interpreter = Interpreter(model_path=str(file), num_threads=torch.get_num_threads())
    interpreter.allocate_tensors()
    entry, outputs = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()

    def run(values: np.ndarray) -> list[np.ndarray]:
        interpreter.set_tensor(entry, values.astype(np.float32))
        interpreter.invoke()
        return [interpreter.get_tensor(output["index"]) for output in outputs]

    return run
