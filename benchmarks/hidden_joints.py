"""What does attention do for a network that has to ask? Joints are hidden, and heads lose what depends on the query.

    python benchmarks/hidden_joints.py --cmu FOLDER [FOLDER ...] [--weights lite small attentive]

On two people of CMU's whom the networks never met, through cameras drawn at random, 120 frames from the middle of each
take, by a simulated detector's keypoints. A hidden joint's token holds nothing but its position. With all joints; with
each one hidden, as the mean over joints; and with a wrist and a foot, or an arm, hidden: MPJPE, that of the hidden
joints alone, and by how much it rises when every query gets the mean row of its head (mm); and how much the spatial
rows differ from their mean row (half of the L1 distance, 0 to 1), of all queries and of the hidden ones.
"""

import argparse
from pathlib import Path

import torch
from head_ablation import middle
from tqdm import tqdm

from poseformer_course.bench.record import record
from poseformer_course.heads import ablated, all_heads, joints_hidden
from poseformer_course.people import split_people
from poseformer_lite.datasets.sources import cmu_mocap
from poseformer_lite.datasets.virtual.views import view_takes
from poseformer_lite.model.heads import attention_maps
from poseformer_lite.model.poseformer import PoseFormer
from poseformer_lite.skeleton import H36M17

STORED = Path(__file__).resolve().parent.parent / "poseformer_course" / "results" / "hidden_joints.json"
FRAMES = 120  # from the middle of each take
ARM = ("RShoulder", "RElbow", "RWrist")


def hidings() -> dict[str, list[tuple[int, ...]]]:
    """{what is hidden: groups of joints, each of which is hidden in turn}."""
    numbers = {name: number for number, name in enumerate(H36M17.joints)}
    others = [number for number in range(17) if number != H36M17.root]  # the root is where the pose is measured from
    return {
        "nothing": [()],
        "one joint": [(joint,) for joint in others],
        "wrist and foot": [(numbers["RWrist"], numbers["LFoot"])],
        "an arm": [tuple(numbers[name] for name in ARM)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cmu", type=Path, nargs="+", required=True)
    parser.add_argument("--weights", nargs="+", default=["lite", "small", "attentive"])
    parser.add_argument("--json", type=Path, default=STORED, help="write the results here")
    arguments = parser.parse_args()
    people = split_people([t for folder in arguments.cmu for t in cmu_mocap.read_takes(folder)]).unseen_people
    sequences = view_takes(people, "random", "noisy", cmu_mocap.TEST_SEED, 1)
    pairs = [middle(sequence, H36M17.root, FRAMES) for sequence in sequences]
    networks = {name: PoseFormer.from_pretrained(name).float().eval() for name in arguments.weights}
    found = {name: study(model, pairs) for name, model in networks.items()}
    record(arguments.json, takes=len(pairs), frames=sum(len(x) for x, _ in pairs), networks=found)


@torch.no_grad()
def study(model: PoseFormer, pairs: list) -> dict[str, dict[str, float]]:
    heads = {stage: [h for h in all_heads(model) if h.stage == stage] for stage in ("spatial", "temporal")}
    found = {}
    for name, groups in hidings().items():
        rows = []
        for joints in tqdm(groups, desc=name):
            with joints_hidden(model, *joints):
                whole = errors(model, pairs)  # (T, J)
                row = {"MPJPE": whole.mean()}
                if joints:
                    row["of what is hidden"] = whole[:, list(joints)].mean()
                for stage, own in heads.items():
                    with ablated(model, *own, instead="mean"):
                        changed = errors(model, pairs)
                    row[f"{stage} mean rows cost"] = (changed - whole).mean()
                    if joints:
                        row[f"of what is hidden, {stage} mean rows cost"] = (changed - whole)[:, list(joints)].mean()
                row |= rows_differ(model, pairs, joints)
            rows.append(row)
        found[name] = {what: round(float(torch.stack([row[what] for row in rows]).mean()), 3) for what in rows[0]}
    return found


def errors(model: PoseFormer, pairs: list) -> torch.Tensor:
    """(T, J) mm, of all takes one after another."""
    lifted = [1000 * (model.predict_sequence(poses_2d) - target).norm(dim=-1) for poses_2d, target in pairs]
    return torch.cat(lifted)


def rows_differ(model: PoseFormer, pairs: list, joints: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """Half of the L1 distance of a query's row from its head's mean row, averaged."""
    rows = torch.cat([attention_maps(model, poses_2d[::10]).spatial for poses_2d, _ in pairs])  # (T, L, H, J, J)
    away = (rows - rows.mean(dim=-2, keepdim=True)).abs().sum(dim=-1) / 2  # (T, L, H, J)
    found = {"rows differ": away.mean(), "in the head where they do most": away.mean(dim=(0, -1)).max()}
    return found | ({"rows of the hidden differ": away[..., list(joints)].mean()} if joints else {})


if __name__ == "__main__":
    main()
