"""The picture on top of lesson 01: one picture of a person, and three poses with equal bones that all give it.

python figures/lesson_01.py
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from poseformer_lite import load_dataset, plots
from poseformer_lite.skeleton import H36M17

FRAME, ACTION, VIEW = 140, "Greeting", "55011271"
TURNED = {  # which bones point the other way in depth, by the joint they lead to
    "the truth": (),
    "the same bones": ("RWrist", "LWrist", "RElbow"),
    "the same again": ("RKnee", "LKnee", "RElbow", "LElbow", "RFoot", "LFoot"),
}


def with_bones_turned(pose, names):
    """The pose with the same picture and bone lengths, in which the named bones go the other way in depth.

    A joint must stay on its line of sight. The sphere of the bone's length round its parent meets that line twice,
    and both points are right. pose: (J, 3), camera space -> (J, 3).
    """
    turned = pose.copy()
    for (parent, child), length in zip(H36M17.bones, H36M17.bone_lengths(pose), strict=True):
        ray = pose[child] / np.linalg.norm(pose[child])
        along = ray @ turned[parent]
        half = np.sqrt(along**2 - turned[parent] @ turned[parent] + length**2)
        away = (ray @ pose[child] > ray @ pose[parent]) != (H36M17.joints[child] in names)
        turned[child] = ray * (along + half if away else along - half)
    assert np.allclose(H36M17.bone_lengths(turned), H36M17.bone_lengths(pose))
    return turned


def draw_side(ax, pose):
    """Depth to the right, height upwards, both from the hip; the lines of sight in grey."""
    side = (pose - pose[0]) * [1, -1, 1]
    for joint, place in zip(pose, side, strict=True):
        slope = -joint[1] / joint[2]
        depth = np.array([-0.65, 0.65])
        ax.plot(depth, place[1] + slope * (depth - place[2]), color="0.88", linewidth=0.8, zorder=0)
    for parent, child in H36M17.bones:
        where = H36M17.side(child)
        ends = side[[parent, child]]
        ax.plot(ends[:, 2], ends[:, 1], color=plots.COLORS[where], linestyle=plots.STYLES[where], linewidth=2)
    ax.plot(side[:, 2], side[:, 1], "o", color="0.2", markersize=2.5)
    ax.set(xlim=(-0.65, 0.65), ylim=(-0.95, 0.8), aspect="equal", xlabel="depth in m", xticks=[-0.5, 0, 0.5])


def main():
    take = [s for s in load_dataset("synthetic").test() if s.action == ACTION and s.view == VIEW][0]
    truth = take.poses_3d[FRAME].astype(float)
    keypoints = take.camera.project(truth)
    figure, axes = plt.subplots(1, 4, figsize=(9.6, 3.6), layout="constrained")
    plots.plot_pose_2d(keypoints, take.width, take.height, ax=axes[0], title="the picture")
    (x, y), half = keypoints[0], take.camera.focal_length[0] / truth[0, 2]  # pixels in a metre, at the hip
    axes[0].set(xlim=(x - 0.65 * half, x + 0.65 * half), ylim=(y + 0.95 * half, y - 0.8 * half))
    for ax, (title, names) in zip(axes[1:], TURNED.items(), strict=True):
        pose = with_bones_turned(truth, names)
        assert np.allclose(take.camera.project(pose), keypoints)
        draw_side(ax, pose)
        ax.set_title(title)
        ax.set_ylabel("height in m" if ax is axes[1] else "")
    figure.suptitle("One picture, and from the side three of the poses that give it; in grey, the lines of sight")
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)


main()
