"""Plausible mistakes in the exercises of lesson 12, and what their hints must say."""

import numpy as np
import torch


def names_where(fits):
    return lambda a, b: sorted(name for name in a.keys() & b.keys() if fits(a[name], b[name]))


def numbers(names, among, words):
    return [among.index(words.get(name, name)) for name in names]


def other_direction(names, among, words):
    new = [words.get(name, name) for name in names]
    return [new.index(name) if name in new else -1 for name in among]


def fill(poses, joints, between, weights=(0.5, 0.5), places=None, neighbours_first=False):
    """12.3 with other weights, other places for the joints there are, or the neighbours' numbers misread."""
    whole = np.zeros((*poses.shape[:-2], 17, poses.shape[-1]))
    whole[..., places or joints, :] = poses
    for missing, (a, b) in between.items():
        there = poses if neighbours_first else whole
        whole[..., missing, :] = weights[0] * there[..., a, :] + weights[1] * there[..., b, :]
    return whole


def known(looks):
    """12.4 with another way to look a test sequence up."""
    return lambda large, test: sum(looks(row, large) for row in test)


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


def read_off(error, frames, errors, axis=np.log, back=np.exp, limits=True, turned=True):
    """12.6 on another axis, without the limits, or with lists that fall."""
    if limits and error < errors[-1]:
        return float("inf")
    if limits and error > errors[0]:
        return frames[0]
    step = -1 if turned else 1
    return back(np.interp(error, errors[::step], axis(frames)[::step]))


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
        "other direction": (other_direction, "other direction"),
        "sorted": (lambda *given: sorted(numbers(*given)), "new body's order"),
        "from 1": (lambda *given: [n + 1 for n in numbers(*given)], "counts from 0"),
        "in order": (lambda names, among, words: list(range(len(names))), "listed them alike"),
    },
    "12.3": {
        "zeros": (lambda poses, joints, between: fill(poses, joints, {}), "are zero"),
        "own order": (
            lambda poses, joints, between: fill(
                poses, joints, between, places=[j for j in range(17) if j not in between]
            ),
            "own order",
        ),
        "small body's numbers": (lambda p, j, b: fill(p, j, b, neighbours_first=True), "those of the 17 joints"),
        "sums": (lambda p, j, b: fill(p, j, b, weights=(1, 1)), "are sums"),
        "one neighbour": (lambda p, j, b: fill(p, j, b, weights=(1, 0)), "mean of both"),
    },
    "12.4": {
        "with the camera": (known(lambda row, large: row in large), "same camera"),
        "the person": (known(lambda row, large: row[0] in {s for s, _, _ in large}), "known person is allowed"),
        "the action": (known(lambda row, large: row[1] in {a for _, a, _ in large}), "whoever did it"),
        "one by one": (
            known(lambda row, large: row[0] in {s for s, _, _ in large} and row[1] in {a for _, a, _ in large}),
            "the pair must occur",
        ),
        "takes": (lambda large, test: len({t[:2] for t in test} & {t[:2] for t in large}), "both count"),
        "clean ones": (known(lambda row, large: row[:2] not in {t[:2] for t in large}), "are clean"),
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
        "straight lines": (lambda e, f, y: read_off(e, f, y, axis=np.asarray, back=float), "logarithmic"),
        "no exponential": (lambda e, f, y: read_off(e, f, y, back=float), "take the exponential"),
        "not turned": (lambda e, f, y: read_off(e, f, y, turned=False), "one of the measured points"),
        "nearest point": (nearest_point, "the two on either side"),
        "no limits": (lambda e, f, y: read_off(e, f, y, limits=False), "never reached"),
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
        "refused late": (move_late, "position embeddings|before the source was refused"),
    },
}
