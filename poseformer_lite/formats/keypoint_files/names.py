"""Joints by their names: a table or file that names its joints is put into COCO's order, whatever its own."""

import re

import numpy as np

from poseformer_lite.skeleton import COCO17

SIDES = {"l": "l", "left": "l", "r": "r", "right": "r"}
FEWEST = 13  # the nose, and six joints of each side: the least that a person is lifted from, with an ear


def in_coco_order(keypoints: np.ndarray, names: list[str]) -> np.ndarray:
    """Keypoints (..., J, D) whose joints have these names, as COCO's 17; eyes and ears may be missing, and are NaN.

    Raises ValueError where limbs have other names.
    """
    at = {canonical(name): i for i, name in enumerate(names)}
    wanted = [canonical(name) for name in COCO17.joints]
    lacking = [
        joint
        for joint, name in zip(COCO17.joints, wanted, strict=True)
        if name not in at and joint[1:] not in ("Eye", "Ear")
    ]
    if lacking:
        raise ValueError(
            f"the joints are called {', '.join(names[:4])} ...: none is called {', '.join(lacking)}. Name them as in "
            "left_shoulder, or give the numbers without names and say the layout"
        )
    ordered = np.full((*keypoints.shape[:-2], len(wanted), keypoints.shape[-1]), np.nan, keypoints.dtype)
    for joint, name in enumerate(wanted):
        if name in at:
            ordered[..., joint, :] = keypoints[..., at[name], :]
    return ordered


def canonical(name: str) -> tuple[str, str]:
    """(side, joint) of left_shoulder, LShoulder, l-shoulder, Shoulder.L or LEFT_SHOULDER: ("l", "shoulder")."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", re.sub(r"^([LR])(?=[A-Z][a-z])", r"\1_", name))
    words = [word.lower() for word in words]
    side = next((SIDES[word] for word in words if word in SIDES), "")
    return side, "".join(word for word in words if word not in SIDES)


def are_coco(names: list[str]) -> bool:
    """Whether enough of the names are those of COCO's joints."""
    return len({canonical(name) for name in names} & {canonical(joint) for joint in COCO17.joints}) >= FEWEST
