"""Keypoints that were read wrong: put right where that is certain, refused where lifting would be wrong, else said.

Axes, units, layout and the picture's size come from outside, and a mistake in them lifts without an error to a wrong
pose.
"""

import numpy as np

from poseformer_lite.keypoints import LAYOUTS, confidence_h36m17, to_h36m17
from poseformer_lite.skeleton import get_skeleton

# Groups of joints whose middles are near each other on a body, nearer than a share of its size.
_FACE = (("Nose",), ("LEye", "REye"), ("LEar", "REar")), 0.2, "nose, eyes and ears"
_TRUNK = (("Thorax",), ("LShoulder", "RShoulder")), 0.1, "the thorax and the middle of the shoulders"
_OF_17 = ("h36m17", "coco17")
LEGS, ARMS, WRISTS = [2, 3, 5, 6], [11, 12, 13, 14, 15, 16], [13, 16]  # of Human3.6M's joints
USUAL_WIDTHS = (640, 1280, 1920, 3840)  # pixels, of videos and of what networks are shown of them
ALWAYS = 0.9  # of the frames: more than what somebody does for a while
FAR = 2.0  # times as far apart as joints may be: no body, however it is seen
NORMALIZED = 0.95  # of the coordinates; the rest may be guesses outside of the picture
GUESSED = 0.3  # confidence: a detector that is surer than this of the arms, and not of the legs, has not seen the legs
KEEP = "If they are right, as_given=True lifts them as they are (in the shell, --as-given)"


def put_right(
    keypoints: np.ndarray, layout: str, width: int, height: int, as_given: bool = False
) -> tuple[np.ndarray, list[str]]:
    """Keypoints as they must have been meant, and what the user should know about them.

    :param keypoints: (T, J, 2) or, with a confidence, (T, J, 3); NaN where missing
    :param layout: what they are said to be, one of `keypoints.LAYOUTS`
    :param width: of the picture, as it is said, pixels
    :param height: of the picture, as it is said, pixels
    :param as_given: whether pixels stay as they are, and what would be refused is only said.
    :returns: Keypoints of the same shape, in pixels, and sentences; none where all is well.
    :raises ValueError: where lifting would give a wrong pose, and what is right is not certain; it says what to change.
    """
    if min(width, height) <= 0:
        raise ValueError(f"an image of {width} x {height} pixels: both must be positive")
    said, share = [], looks_normalized(keypoints[..., :2], width, height)
    if share and share[0] < -0.1:
        raise ValueError(
            f"keypoints lie within {share[0]:.2f} and {share[1]:.2f} in an image of {width} x {height}: they look "
            "normalised, from -1 to 1, or are metres around the hip; pixels are expected. `camera.denormalize_screen` "
            "turns what `camera.normalize_screen` made back into pixels"
        )
    if share:
        keypoints = keypoints * np.array([width, height, 1][: keypoints.shape[-1]], np.float32)
        said.append("the keypoints are shares of the picture: x is multiplied by its width and y by its height")
    if not (doubts := layout_doubts(keypoints[..., :2], layout)):
        turned, doubts = _upright(keypoints, layout, width, height)
        keypoints = keypoints if as_given else turned
        legs, size = leg_doubts(keypoints, layout, height), _size_doubts(keypoints[..., :2], width, height)
        doubts += size or legs if _outside(keypoints[..., :1], width, room=0.1) > 0.01 else legs or size
    for sentence, wrong in doubts:
        if wrong and not as_given:
            raise ValueError(f"{sentence}. {KEEP}")
        said.append(sentence)
    return keypoints, said


def looks_normalized(pixels: np.ndarray, width: int, height: int) -> tuple[float, float] | None:
    """The range of keypoints (T, J, 2) that cannot be pixels: half of them lie within 1.5 of zero; None for pixels."""
    found = np.abs(pixels[np.isfinite(pixels).all(-1)])
    if not found.size or min(width, height) <= 20 or np.median(found) > 1.5 or np.quantile(found, NORMALIZED) > 10:
        return None
    return tuple(float(np.nanquantile(pixels, share)) for share in (1 - NORMALIZED, NORMALIZED))


def layout_doubts(joints: np.ndarray, layout: str) -> list[tuple[str, bool]]:
    """Whether joints are in another order than is said.

    :param joints: (T, J, D), 2D or 3D in any unit, NaN where missing
    :param layout: what they are said to be; one that is not in `keypoints.LAYOUTS` is not doubted.
    :returns: A sentence, and whether the other order of 17 joints fits, or, of other layouts, whether joints of the
        face lie far apart; nothing where all is well.
    """
    if layout not in LAYOUTS or not (apart := _apart(joints, layout)) > 1:
        return []
    said = f"{_groups(layout)[2]} are far apart for layout {layout!r}"
    if layout not in _OF_17:
        return [(f"{said}: put the joints in its order", apart > FAR)]
    other = _OF_17[1 - _OF_17.index(layout)]
    if _apart(joints, other) <= 1:
        return [(f"{said}: give {other!r}, which has 17 joints, too, and fits", True)]
    return [(f"{said}, and those of {other!r} do not fit either: put the joints in the order of one of the two", False)]


def _groups(layout: str) -> tuple[tuple[tuple[str, ...], ...], float, str]:
    return _TRUNK if layout == "h36m17" else _FACE


def _apart(joints: np.ndarray, layout: str) -> float:
    """How far the joints that should be near each other lie apart, 1 for what is just allowed; 0 where none is seen."""
    groups, share, _ = _groups(layout)
    names = get_skeleton(layout).joints
    middles = np.stack([joints[:, [names.index(name) for name in group]].mean(axis=1) for group in groups], axis=1)
    body = to_h36m17(joints, layout)
    whole = np.isfinite(middles).all(axis=(1, 2)) & np.isfinite(body).all(axis=(1, 2))
    if not whole.any():
        return 0.0
    apart, size = (np.ptp(points[whole], axis=1).max(axis=-1) for points in (middles, body))
    return float(np.median(apart) / max(share * np.median(size), 1e-9))


def _upright(keypoints: np.ndarray, layout: str, width: int, height: int) -> tuple[np.ndarray, list[tuple[str, bool]]]:
    """Keypoints of somebody who stands on the head, or lies, from the first frame to the last, and doubts about it."""
    pixels = keypoints[..., :2]
    person = to_h36m17(pixels, layout)
    spine = person[:, 8] - person[:, 0]  # from the pelvis to the thorax: upwards, so y falls
    spine /= np.maximum(np.linalg.norm(spine, axis=-1, keepdims=True), 1e-9)
    x, y = spine[np.isfinite(spine).all(axis=-1)].T
    if len(y) and (y > 0.5).mean() > ALWAYS:
        hands = ((person[:, WRISTS] - person[:, 8:9]) * spine[:, None]).sum(-1)  # along the spine, from the thorax
        hands = hands[np.isfinite(hands)]
        top = 0 if np.nanmedian(pixels[..., 1]) < 0 else height
        turned = keypoints.copy()
        turned[..., 1] = top - turned[..., 1]
        said = f"the person stands on the head throughout: y is measured upwards, and from the top it is {top} - y"
        if len(hands) and np.median(hands) < 0:  # they are not stood on
            return turned, [(f"{said}, which was put right", False)]
        return keypoints, [(f"{said}. Give that, or a clip in which this is not so", True)]
    if len(x) and (x < -0.7).mean() > ALWAYS:
        lies = "the person lies throughout, the head to the left"
        if _outside(pixels, width, height) > 0.01 > _outside(pixels[..., ::-1], width, height):
            turned = keypoints[..., [1, 0, 2][: keypoints.shape[-1]]]
            return turned, [(f"{lies}, and partly outside of the picture: x and y are exchanged, and put right", False)]
        return keypoints, [(f"{lies}: if that is not so, x and y are exchanged", True)]
    return keypoints, []


def _outside(pixels: np.ndarray, *size: int, room: float = 0.0) -> float:
    """The share of joints (T, J, 2) that lie outside of a picture, by more than `room` of its width and height."""
    found = pixels[np.isfinite(pixels).all(axis=-1)]
    beyond = (found < -room * np.array(size)) | (found > (1 + room) * np.array(size))
    return float(beyond.any(axis=-1).mean()) if len(found) else 0.0


def leg_doubts(keypoints: np.ndarray, layout: str, height: int) -> list[tuple[str, bool]]:
    """Whether the legs are guessed, as detectors guess what the picture does not show.

    :param keypoints: (T, J, 2 or 3), pixels
    :param layout: of the joints
    :param height: of the picture, pixels.
    :returns: A sentence, and whether most of the legs are guesses; nothing where all is well.
    """
    person = to_h36m17(keypoints[..., :2], layout)
    found = np.isfinite(person[:, LEGS, 1])  # (T, 4)
    guessed = (person[:, 8:9, 1] < height) & (person[:, LEGS, 1] > 1.1 * height)
    if keypoints.shape[-1] == 3 and not is_depth(keypoints[..., 2]):
        confidence = confidence_h36m17(np.nan_to_num(keypoints[..., 2]), layout)
        sure = np.median(confidence[:, ARMS], axis=1, keepdims=True) >= GUESSED
        guessed |= sure & (confidence[:, LEGS] < GUESSED)
        found &= sure | guessed
    if not found.any() or (share := guessed[found].mean()) < 0.3:
        return []
    said = (
        f"{share:.0%} of the knees and feet are guessed, below a picture {height} high or by a detector that is sure "
        "of the arms, as where the upper body alone is seen: with them, the whole pose is a guess. Use a clip that "
        "shows the person from head to foot"
    )
    return [(said, share > 0.5)]


def is_depth(column: np.ndarray) -> bool:
    """Whether a third column (T, J) holds a z and no confidence, which is never below 0 and at most 100 (%)."""
    return bool(((column < -0.01) | (column > 100)).mean() > 0.01)


def _size_doubts(pixels: np.ndarray, width: int, height: int) -> list[tuple[str, bool]]:
    """Whether found joints leave the picture, or keep to what a smaller one, or a square around it, would be."""
    found, picture = pixels[np.isfinite(pixels).all(-1)], f"a picture of {width} x {height}"
    if not len(found):
        return []
    if (outside := _outside(pixels, width, height, room=0.1)) > 0.05:
        corners = " to ".join("({:.0f}, {:.0f})".format(*corner) for corner in (found.min(axis=0), found.max(axis=0)))
        said = f"{outside:.0%} of the joints lie outside of {picture}, as they go from (x, y) = {corners}: "
        if _outside(pixels, height, width) < 0.01:
            return [(f"{said}give width={height} and height={width}", True)]
        return [(f"{said}give pixels from its upper left corner, and the video's width and height", outside > 0.25)]
    low, high = np.quantile(found, (0.001, 0.999), axis=0)
    for size in USUAL_WIDTHS if width in USUAL_WIDTHS else ():
        tall = round(size * height / width)
        bar = max(0.0, (size - tall) / 2)  # above and below the picture, in a square
        if not high[0] <= size < 0.7 * width:
            continue
        said = f"all joints lie in the upper left of {picture}, where one"
        if 0.7 * tall < high[1] <= tall:
            return [(f"{said} of {size} x {tall} would be: if the detector was shown that, give this size", True)]
        if bar > 20 and bar <= low[1] and 0.7 * tall < high[1] - bar <= tall:
            return [(f"{said} with bars would be: if the detector was shown that, give {size} x {size}", True)]
    return []
