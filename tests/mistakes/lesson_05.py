"""Plausible mistakes in the exercises of lesson 05, and what the hint must say about each."""

import torch
from torch import nn

import poseformer_lite as pfl


def layer(C):
    return 8 * C**2 + 11 * C


def count(F, J, c, L, *, positions=True, norms=True, mean=True, biases=True, wide=True, mlp=2, times=None):
    D = J * c if wide else c
    L = times or L
    total = 3 * c + L * (layer(c) + layer(D)) + 3 * J * (J * c + 1)
    total += (J * c + F * J * c if positions else 0) + (2 * c + 4 * J * c if norms else 0) + (F + 1 if mean else 0)
    total += (mlp - 2) * L * (2 * c**2 + c + 2 * D**2 + D)
    return total - (0 if biases else 7 * L * (c + D) + c + 3 * J + 1)


def by_hand(spatial_positions=True, temporal_positions=True, norm8=True, early_mean=False, head_norm=True, plain=False):
    def run_by_hand(model, poses_2d):
        spatial, temporal, head = model.spatial, model.temporal, model.head
        x = spatial.patch_embedding(poses_2d) + (spatial.position_embedding if spatial_positions else 0)
        x = nn.Sequential(*spatial.encoder.blocks)(x.flatten(0, 1))
        x = spatial.encoder.norm(x).flatten(-2).unflatten(0, poses_2d.shape[:2])
        x = x + (temporal.position_embedding if temporal_positions else 0)
        x = head.weighted_mean(x) if early_mean else x
        x = nn.Sequential(*temporal.encoder.blocks)(x)
        x = temporal.encoder.norm(x) if norm8 else x
        x = x.mean(1, keepdim=True) if plain or early_mean else head.weighted_mean(x)
        x = x.squeeze(1)
        return head.linear(head.norm(x) if head_norm else x).unflatten(-1, (-1, 3))

    return run_by_hand


PAIRS = {
    "Spatial_patch_to_embedding": "spatial.patch_embedding",
    "Spatial_pos_embed": "spatial.position_embedding",
    "Spatial_blocks": "spatial.encoder.blocks",
    "Spatial_norm": "spatial.encoder.norm",
    "Temporal_pos_embed": "temporal.position_embedding",
    "blocks": "temporal.encoder.blocks",
    "Temporal_norm": "temporal.encoder.norm",
    "weighted_mean": "head.weighted_mean",
    "head.0": "head.norm",
    "head.1": "head.linear",
}


def translate(changes, keep_rest=True):
    def our_name(official_name):
        for theirs, ours in (PAIRS | changes).items():
            if official_name.startswith(theirs):
                return ours + (official_name.removeprefix(theirs) if keep_rest else "")

    return our_name


def chained_replace(name):
    for theirs, ours in sorted(PAIRS.items(), key=lambda pair: len(pair[0])):
        name = name.replace(theirs, ours)
    return name


def load(model, weights, *, strip=True, swapped=False, careful=True, copies=True, ordered=True, ours=False):
    if strip:
        weights = {name.removeprefix("module."): tensor for name, tensor in weights.items()}
    targets = model.to_official_state_dict()
    needed = set(model.state_dict()) if ours else set(targets)
    missing, surplus = needed - set(weights), set(weights) - needed
    if copies and (not careful or not missing and not surplus):
        for name in set(weights) & set(targets):
            targets[name].copy_(weights[name])
    missing, surplus = (sorted(names, reverse=not ordered) for names in (missing, surplus))
    return (surplus, missing) if swapped else (missing, surplus)


def lists_only_when_wrong(model, weights):
    missing, surplus = load(model, weights)
    return (missing, surplus) if missing or surplus else True


MISTAKES = {
    "05.1": {
        "frames and windows swapped in the list": (
            lambda x, F: x.reshape(F, -1, x[0].numel()).transpose(0, 1),
            "windows are mixed",
        ),
        "frames and joints swapped": (
            lambda x, F: x.unflatten(0, (-1, F)).transpose(1, 2).flatten(2),
            "joints and frames are swapped",
        ),
        "channels first": (lambda x, F: x.transpose(1, 2).flatten(1).unflatten(0, (-1, F)), "joints and channels"),
        "the joints averaged": (lambda x, F: x.mean(1).unflatten(0, (-1, F)), "joints are averaged"),
        "not flattened": (lambda x, F: x.unflatten(0, (-1, F)), "axis of their own"),
        "not grouped": (lambda x, F: x.flatten(1), "not grouped"),
        "every joint a token": (lambda x, F: x.unflatten(0, (-1, F)).flatten(1, 2), "every joint is still a token"),
    },
    "05.2": {
        "no bias": (lambda x, w, b: torch.einsum("bfd,f->bd", x, w), "bias is missing"),
        "softmax": (lambda x, w, b: torch.einsum("bfd,f->bd", x, w.softmax(0)) + b, "softmax"),
        "normalised": (lambda x, w, b: torch.einsum("bfd,f->bd", x, w / w.sum()) + b, "divided by the sum"),
        "mean instead of sum": (lambda x, w, b: (x * w[:, None]).mean(1) + b, "number of frames"),
        "weights on the channels": (lambda x, w, b: (x * w).sum(1) + b, "met the channels"),
        "sum over the channels": (lambda x, w, b: (x * w).sum(-1) + b, "runs over the channels"),
        "plain mean": (lambda x, w, b: x.mean(1) + b, "weights are not used"),
        "bias before the sum": (lambda x, w, b: ((x + b) * w[:, None]).sum(1), "before the sum"),
    },
    "05.3": {
        "spatial positions forgotten": (by_hand(spatial_positions=False), "spatial positions are missing"),
        "temporal positions forgotten": (by_hand(temporal_positions=False), "temporal positions are missing"),
        "last norm forgotten": (by_hand(norm8=False), "last norm of the temporal stage"),
        "weighted mean before the temporal encoder": (by_hand(early_mean=True), "too early"),
        "the head's norm forgotten": (by_hand(head_norm=False), "norm of the head"),
        "plain mean": (by_hand(plain=True), "plain mean"),
        "the whole model called": (lambda model, x: model(x), "you call model,"),
        "a whole stage called": (
            lambda model, x: model.head(model.temporal(model.spatial(x.flatten(0, 1)).flatten(1).view(2, 3, -1))),
            "you call model.spatial,",
        ),
        "coordinates before joints": (
            lambda model, x: by_hand()(model, x).flatten(1).unflatten(-1, (3, -1)).transpose(1, 2),
            "three coordinates",
        ),
    },
    "05.4": {
        "positions forgotten": (lambda *s: count(*s, positions=False), "position embeddings of both stages"),
        "norms outside the layers forgotten": (lambda *s: count(*s, norms=False), "last norms and that of the head"),
        "weighted mean forgotten": (lambda *s: count(*s, mean=False), "weighted mean with its bias"),
        "bias of the weighted mean forgotten": (lambda *s: count(*s) - 1, "the bias of the weighted mean"),
        "biases forgotten": (lambda *s: count(*s, biases=False), "all biases"),
        "temporal layers at the width c": (lambda *s: count(*s, wide=False), "at the width c"),
        "one layer": (lambda *s: count(*s, times=1), "one layer of each stage"),
        "MLP as in ViT": (lambda *s: count(*s, mlp=4), "four times"),
    },
    "05.5": {
        "blocks taken for spatial": (
            translate({"blocks": "spatial.encoder.blocks"}),
            "blocks` are those of the temporal",
        ),
        "replaced in a chain": (chained_replace, "inside `Spatial_blocks`"),
        "norms of the stages swapped": (
            translate({"Spatial_norm": "temporal.encoder.norm", "Temporal_norm": "spatial.encoder.norm"}),
            "swapped",
        ),
        "encoder left out": (translate({"Temporal_norm": "temporal.norm"}), "belongs to its encoder"),
        "the head's layers swapped": (
            translate({"head.0": "head.linear", "head.1": "head.norm"}),
            "two layers are swapped",
        ),
        "head forgotten": (translate({"weighted_mean": "weighted_mean"}), "unchanged"),
        "the rest lost": (translate({}, keep_rest=False), "lost"),
        "a name without translation": (translate({"head.1": "head.linear", "head.0": "norm"}), "beginning of our name"),
    },
    "05.6": {
        "strict=False": (lambda m, w: load(m, w, careful=False), "model has changed"),
        "missing and surplus swapped": (lambda m, w: load(m, w, swapped=True), "missing and surplus are swapped"),
        "module. stays": (lambda m, w: load(m, w, strip=False), "drop it"),
        "nothing is copied": (lambda m, w: load(m, w, copies=False), "has not got the weights"),
        "not sorted": (lambda m, w: load(m, w, ordered=False), "not sorted"),
        "names of the package": (lambda m, w: load(m, w, ours=True), "names of the package"),
        "lists only when something is wrong": (lists_only_when_wrong, "should return two lists"),
        "a new model in place of the given one": (
            lambda m, w: ([], []) if pfl.PoseFormer.from_official(w, num_heads=2) else None,
            "has not got the weights",
        ),
    },
}
