"""Plausible wrong answers to the exercises of lesson 12, and what the hint must say."""

import numpy as np
import torch
from scipy.interpolate import interp1d


def names_where(fits):
    return lambda a, b: sorted(name for name in a.keys() & b.keys() if fits(a[name], b[name]))


def other_direction(names, among, words):
    places = {words.get(name, name): place for place, name in enumerate(names)}
    return [places.get(name, -1) for name in among]


def one_neighbor(poses, joints, between):
    return poses[..., [joints.index(between.get(joint, [joint])[0]) for joint in range(17)], :]


def in_own_order(poses, joints, between):
    whole = poses
    for missing in sorted(between):
        whole = np.insert(whole, missing, 0, axis=-2)
    for missing, neighbors in between.items():
        whole[..., missing, :] = whole[..., list(neighbors), :].mean(-2)
    return whole


def one_by_one(large, test):
    people, actions, _ = map(set, zip(*large, strict=True))
    return len([row for row in test if row[0] in people and row[1] in actions])


def groups(model, rate, factor, slow=None, fast=None, everything=False, swap=False):
    """12.5 with other rates, with every weight in the second group, or with the groups exchanged."""
    spatial = [p for p in model.spatial.parameters() if p.requires_grad]
    ours = {id(p) for p in spatial}
    others = [p for p in model.parameters() if p.requires_grad and (everything or id(p) not in ours)]
    slow, fast = rate * factor if slow is None else slow, rate if fast is None else fast
    return [{"params": spatial, "lr": fast if swap else slow}, {"params": others, "lr": slow if swap else fast}]


def with_frozen(model, rate, factor):
    spatial = {id(p) for p in model.spatial.parameters()}
    return [
        {"params": list(model.spatial.parameters()), "lr": rate * factor},
        {"params": [p for p in model.parameters() if id(p) not in spatial], "lr": rate},
    ]


def temporal_alone(model, rate, factor):
    spatial, _ = groups(model, rate, factor)
    return [spatial, {"params": [p for p in model.temporal.parameters() if p.requires_grad], "lr": rate}]


def no_limits(error, frames, errors):
    return float(np.exp(np.interp(error, errors[::-1], np.log(frames)[::-1])))


def nearest_point(error, frames, errors):
    return float("inf") if error < errors[-1] else next(f for f, e in zip(frames, errors, strict=True) if e <= error)


def move(source, target, joints, positions=True, encoder=True, embedding=True, check="ValueError", order=False):
    """12.7 with a part left behind, another check, or the positions taken in their order."""
    wanted, given = target.spatial.state_dict(), dict(source.spatial.state_dict())
    chosen = list(range(len(joints))) if order else joints
    given["position_embedding"] = given["position_embedding"][:, chosen]
    if check == "ValueError" and any(wanted[name].shape != given[name].shape for name in wanted):
        raise ValueError("other sizes")
    kept = {"position_embedding": positions, "encoder": encoder, "patch_embedding": embedding}
    taken = {name: given[name] for name in given if kept[name.split(".")[0]]}
    with torch.no_grad():
        for name in taken:
            wanted[name].copy_(taken[name])
    return [f"spatial.{name}" for name in given]


def move_late(source, target, joints):
    with torch.no_grad():
        target.spatial.position_embedding.zero_()
    return move(source, target, joints)


def move_head(source, target, joints):
    names = move(source, target, joints)
    with torch.no_grad():
        target.head.linear.bias.add_(1)
    return names


def move_aliased(source, target, joints):
    names = move(source, target, joints)
    target.spatial.patch_embedding = source.spatial.patch_embedding
    return names


def move_and_catch(source, target, joints):
    """What fits is copied by load_state_dict before it complains of the rest."""
    weights = {name: value for name, value in source.state_dict().items() if name.startswith("spatial.")}
    weights["spatial.position_embedding"] = weights["spatial.position_embedding"][:, joints]
    try:
        target.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise ValueError("the source does not fit") from error
    return list(weights)


MISTAKES = {
    "12.1": {
        "names alone": (names_where(lambda a, b: True), "shapes must be equal"),
        "number of elements": (names_where(lambda a, b: a.numel() == b.numel()), "numel"),
        "the others": (names_where(lambda a, b: a.shape != b.shape), "do not fit"),
        "spatial stage": (
            lambda a, b: [n for n in names_where(lambda x, y: x.shape == y.shape)(a, b) if n.startswith("spatial.")],
            "wherever it is",
        ),
        "not sorted": (lambda a, b: names_where(lambda x, y: x.shape == y.shape)(a, b)[::-1], "not sorted"),
    },
    "12.2": {
        "words last": (
            lambda names, among, words: [among.index(n) if n in among else among.index(words[n]) for n in names],
            "under its new name",
        ),
        "other direction": (other_direction, "other direction.* 15 joints"),
        "from 1": (
            lambda names, among, words: [[0, *among].index(words.get(name, name)) for name in names],
            "counts from 0",
        ),
    },
    "12.3": {
        "one neighbour": (one_neighbor, "mean of both"),
        "own order": (in_own_order, "own order"),
    },
    "12.4": {
        "one by one": (one_by_one, "the pair must occur"),
        "takes": (
            lambda large, test: len({row[:2] for row in test if row[:2] in {s[:2] for s in large}}),
            "both count",
        ),
    },
    "12.5": {
        "in both groups": (lambda m, r, f: groups(m, r, f, everything=True), "more than one group"),
        "frozen": (with_frozen, "does not learn"),
        "spatial left out": (lambda m, r, f: groups(m, r, f)[1:], "spatial stage are missing"),
        "head left out": (temporal_alone, "in no group"),
        "swapped": (lambda m, r, f: groups(m, r, f, swap=True), "swapped"),
        "one rate": (lambda m, r, f: groups(m, r, f, slow=r), "the same rate"),
        "divided": (lambda m, r, f: groups(m, r, f, slow=r / f), "divided by the factor"),
        "no list": (lambda m, r, f: groups(m, r, f)[0], "list of dictionaries"),
    },
    "12.6": {
        "straight lines": (lambda error, frames, errors: interp1d(errors, frames)(error), "logarithmic"),
        "nearest point": (nearest_point, "the two on either side"),
        "no limits": (no_limits, "never reached, 89.0 mm"),
    },
    "12.7": {
        "first positions": (lambda s, t, j: move(s, t, j, order=True), "in their order"),
        "no positions": (lambda s, t, j: move(s, t, j, positions=False), "stayed as they were"),
        "no encoder": (lambda s, t, j: move(s, t, j, encoder=False), "as a whole"),
        "no embedding": (lambda s, t, j: move(s, t, j, embedding=False), "treats all joints alike"),
        "head": (move_head, "outside the spatial stage"),
        "no names": (lambda s, t, j: move(s, t, j)[:2], "return the names"),
        "aliased": (move_aliased, "share their weights"),
        "not refused": (lambda s, t, j: move(s, t, j, check="none"), "RuntimeError"),
        "refused by torch, half copied": (move_and_catch, "before the source was refused"),
        "refused late": (move_late, "position embeddings|before the source was refused"),
    },
}
