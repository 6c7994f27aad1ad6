"""Plausible mistakes in the exercises of lesson 05, and what the hint must say about each."""

from functools import reduce

import torch
from torch import nn

import poseformer_lite as pfl
from poseformer_lite.model.official import official_state_dict
from poseformer_lite.model.poseformer import RegressionHead, SpatialTransformer, TemporalTransformer


def layer(C):
    return 8 * C**2 + 11 * C


def count(F, J, c, L, *, positions=True, norms=True, mean=True, biases=True, wide=True, mlp=2, times=None):
    D = J * c if wide else c
    L = times or L
    total = 3 * c + L * (layer(c) + layer(D)) + 3 * J * (J * c + 1)
    total += (J * c + F * J * c if positions else 0) + (2 * c + 4 * J * c if norms else 0) + (F + 1 if mean else 0)
    total += (mlp - 2) * L * (2 * c**2 + c + 2 * D**2 + D)
    return total - (0 if biases else 7 * L * (c + D) + c + 3 * J + 1)


class SpatialWithout(SpatialTransformer):
    def forward(self, poses_2d):
        return self.encoder(self.patch_embedding(poses_2d))


class SpatialWithMore(SpatialTransformer):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.norm = nn.LayerNorm(4)


class TemporalWithout(TemporalTransformer):
    def forward(self, tokens):
        return self.encoder(tokens)


class SpatialFrames(SpatialTransformer):
    def forward(self, poses_2d):
        tokens = self.patch_embedding(poses_2d) + self.position_embedding
        return self.encoder(tokens.transpose(0, 1)).transpose(0, 1)


class SpatialResidual(SpatialTransformer):
    def forward(self, poses_2d):
        tokens = self.patch_embedding(poses_2d) + self.position_embedding
        return tokens + self.encoder(tokens)


class SpatialRandomStart(SpatialTransformer):
    def __init__(self, num_joints, dim, *sizes):
        super().__init__(num_joints, dim, *sizes)
        self.position_embedding = nn.Parameter(torch.randn(1, num_joints, dim))


class SpatialWithoutDepth(SpatialTransformer):
    def __init__(self, num_joints, dim, depth, num_heads, mlp_ratio, drop_path):
        super().__init__(num_joints, dim, depth, num_heads, mlp_ratio, 0.1)


class TemporalRandomStart(TemporalTransformer):
    def __init__(self, num_frames, dim, *sizes):
        super().__init__(num_frames, dim, *sizes)
        self.position_embedding = nn.Parameter(torch.randn(1, num_frames, dim))


class TemporalWithoutDepth(TemporalTransformer):
    def __init__(self, num_frames, dim, depth, num_heads, mlp_ratio, drop_path):
        super().__init__(num_frames, dim, depth, num_heads, mlp_ratio, 0.0)


class TemporalOfOne(TemporalTransformer):
    def __init__(self, num_frames, dim, *sizes):
        super().__init__(num_frames, dim, *sizes)
        self.position_embedding = nn.Parameter(torch.zeros(1, 1, dim))


class CenterHead(RegressionHead):
    def forward(self, tokens):
        return self.regress(tokens[:, tokens.size(1) // 2])


class HeadOfTheEncoder(RegressionHead):
    def __init__(self, num_frames, dim, num_joints):
        super().__init__(num_frames, dim, num_joints)
        self.norm = nn.LayerNorm(dim, eps=1e-6)


class SqueezesAll(RegressionHead):
    def forward(self, tokens):
        return self.regress(self.weighted_mean(tokens).squeeze())


class RegressesOneToken(RegressionHead):
    def regress(self, tokens):
        return self.linear(self.norm(tokens)).view(len(tokens), -1, 3)


class HeadWithoutRegress(nn.Module):
    def __init__(self, num_frames, dim, num_joints):
        super().__init__()
        self.weighted_mean = nn.Conv1d(num_frames, 1, 1)
        self.norm, self.linear = nn.LayerNorm(dim), nn.Linear(dim, 3 * num_joints)

    def forward(self, tokens):
        return self.linear(self.norm(self.weighted_mean(tokens)[:, 0])).reshape(len(tokens), -1, 3)


class ChannelsFirst(pfl.PoseFormer):
    def forward(self, poses_2d):
        B, F, J, _ = poses_2d.shape
        joints = self.spatial(poses_2d.reshape(B * F, J, 2)).transpose(1, 2)
        return self.forward_temporal(joints.reshape(B, F, -1))


class NoTemporal(pfl.PoseFormer):
    def forward(self, poses_2d):
        return self.head(torch.stack([self.embed_frames(window) for window in poses_2d]))


class FirstWindow(pfl.PoseFormer):
    def forward(self, poses_2d):
        return super().forward(poses_2d).squeeze()


class NoHalves(pfl.PoseFormer):
    def embed_frames(self, poses_2d):
        return None

    def forward_temporal(self, tokens):
        return None


class ForwardOnHalves(NoHalves):
    def forward(self, poses_2d):
        return self.forward_temporal(self.embed_frames(poses_2d.flatten(0, 1)).unflatten(0, poses_2d.shape[:2]))


class OtherHalf(pfl.PoseFormer):
    def embed_frames(self, poses_2d):
        return self.spatial(poses_2d)


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


def first_word(name, translation=PAIRS.__getitem__):
    first, _, rest = name.partition(".")
    ours = translation(first)
    return ours and f"{ours}.{rest}".rstrip(".")


def bare(name):
    return name.removeprefix("module.")


def load(model, weights, *, strip=bare, swapped=False, careful=True, copies=True, ordered=True, ours=False):
    weights = {strip(name): tensor for name, tensor in weights.items()}
    targets = official_state_dict(model)
    needed = set(model.state_dict()) if ours else set(targets)
    missing, surplus = needed - set(weights), set(weights) - needed
    if copies and (not careful or not missing and not surplus):
        for name in set(weights) & set(targets):
            targets[name].copy_(weights[name])
    missing, surplus = (sorted(names, reverse=not ordered) for names in (missing, surplus))
    return (surplus, missing) if swapped else (missing, surplus)


def copied_backwards(model, weights):
    missing, surplus = load(model, weights, copies=False)
    if not missing and not surplus:
        for name, tensor in official_state_dict(model).items():
            weights[name if name in weights else f"module.{name}"].copy_(tensor)
    return missing, surplus


def lists_only_when_wrong(model, weights):
    missing, surplus = load(model, weights)
    return (missing, surplus) if missing or surplus else True


MISTAKES = {
    "05.1": {
        "positions forgotten": (SpatialWithout, "position embedding is not used"),
        "other names": (nn.Linear, "no parameter|stopped"),
        "an object": (nn.Linear(2, 2), "class itself"),
        "too many parts": (SpatialWithMore, "too many"),
        "frames for joints": (SpatialFrames, "frames look at each other"),
        "a residual more": (SpatialResidual, "added to its output"),
        "random positions at the start": (SpatialRandomStart, "starts at zero"),
        "a rate of its own": (SpatialWithoutDepth, "drop_path.*0.1.*expected 0.5"),
    },
    "05.2": {
        "joints counted from 1": (lambda x, joint, J: x.chunk(J, dim=-1)[joint - 1], "counted from 0"),
        "all joints": (lambda x, joint, J: torch.stack(x.chunk(J, dim=-1), dim=2), "all joints"),
    },
    "05.3": {
        "positions forgotten": (TemporalWithout, "position embedding is not used"),
        "positions of one frame": (TemporalOfOne, "has the shape"),
        "random positions at the start": (TemporalRandomStart, "starts at zero"),
        "never drops a branch": (TemporalWithoutDepth, "drop_path.*expected 0.5"),
    },
    "05.4": {
        "the center frame's token": (CenterHead, "token of the center frame"),
        "the encoder's eps": (HeadOfTheEncoder, "eps of 1e-06.*1e-05"),
        "a single window loses its axis": (SqueezesAll, "squeeze only the axis of the frames"),
        "regress for one token a window": (RegressesOneToken, "`regress` gives for tokens .B, F, D."),
        "no regress": (HeadWithoutRegress, "method `regress` is missing"),
    },
    "05.5": {
        "channels of all joints first": (ChannelsFirst, "channel 0 of all joints first"),
        "no temporal stage": (NoTemporal, "temporal stage is left out"),
        "another half": (OtherHalf, "lay those of a frame side by side"),
        "no halves yet": (NoHalves, "`embed_frames` and `forward_temporal`.*nothing yet"),
        "forward on halves that are not there": (ForwardOnHalves, "`embed_frames` and `forward_temporal`.*nothing yet"),
        "a single window loses its axis": (FirstWindow, "pose of a single window"),
    },
    "05.6": {
        "positions forgotten": (
            lambda *s: count(*s, positions=False),
            "position embeddings of both stages are left out",
        ),
        "norms outside the layers forgotten": (lambda *s: count(*s, norms=False), "last norms and that of the head"),
        "weighted mean forgotten": (lambda *s: count(*s, mean=False), "weighted mean with its bias is"),
        "bias of the weighted mean forgotten": (lambda *s: count(*s) - 1, "the bias of the weighted mean"),
        "bias of the patch embedding forgotten": (lambda *s: count(*s) - s[2], "bias of the patch embedding"),
        "bias of the head's linear layer forgotten": (lambda *s: count(*s) - 3 * s[1], "bias of the head's linear"),
        "biases forgotten": (lambda *s: count(*s, biases=False), "all biases of linear"),
        "temporal layers at the width c": (lambda *s: count(*s, wide=False), "temporal layers have the width c"),
        "one layer": (lambda *s: count(*s, times=1), "one layer of each stage is"),
        "MLP as in ViT": (lambda *s: count(*s, mlp=4), "four times"),
        "E for every joint": (lambda *s: count(*s) + (s[1] - 1) * 3 * s[2], "share one E"),
        "D weights for a frame": (lambda *s: count(*s) + s[0] * (s[1] * s[2] - 1), "one weight for a frame"),
        "three outputs": (lambda *s: count(*s) - (3 * s[1] - 3) * (s[1] * s[2] + 1), "not 3 in all"),
        "17 joints whatever is asked": (lambda F, J, c, L: count(F, 17, c, L), "17 joints"),
        "51 outputs whatever is asked": (
            lambda F, J, c, L: count(F, J, c, L) + (51 - 3 * J) * (J * c + 1),
            "51 numbers",
        ),
        "544 in the norms": (
            lambda F, J, c, L: count(F, J, c, L) + 4 * (544 - J * c),
            r"2,008 too large: .*example is right",
        ),
        "an error that nobody thought of": (
            lambda *s: count(*s) + 1234,
            "1,234 too large: expected 9,563,645, and you have 9,564,879",
        ),
    },
    "05.7": {
        "blocks taken for spatial": (
            translate({"blocks": "spatial.encoder.blocks"}),
            "blocks` are those of the temporal",
        ),
        "replaced in a chain": (chained_replace, "`Spatial_blocks` contains `blocks`"),
        "replaced in the table's order": (
            lambda name: reduce(lambda name, pair: name.replace(*pair), PAIRS.items(), name),
            "`Spatial_blocks` contains `blocks`",
        ),
        "a dot too many": (
            lambda name: (
                {"head.0": "head.norm", "head.1": "head.linear"}.get(name[:6])
                or f"{PAIRS[name.partition('.')[0]]}.{name.partition('.')[2]}"
            ),
            "ends in a dot",
        ),
        "the first word only": (first_word, "two words long"),
        "the first word only, looked up softly": (lambda name: first_word(name, PAIRS.get), "two words long"),
        "the whole name looked up": (lambda name: PAIRS[name], "has no such key"),
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
    "05.8": {
        "strict=False": (lambda m, w: load(m, w, careful=False), "model has changed"),
        "missing and surplus swapped": (lambda m, w: load(m, w, swapped=True), "missing and surplus are swapped"),
        "module. stays": (lambda m, w: load(m, w, strip=str), "drop it"),
        "lstrip": (lambda m, w: load(m, w, strip=lambda name: name.lstrip("module.")), "a set of characters"),
        "replaced anywhere": (lambda m, w: load(m, w, strip=lambda name: name.replace("module.", "")), "the middle"),
        "split at module.": (lambda m, w: load(m, w, strip=lambda name: name.split("module.")[-1]), "the middle"),
        "seven characters off every name": (lambda m, w: load(m, w, strip=lambda name: name[7:]), "seven characters"),
        "lists too long to read": (lambda m, w: (sorted(w), sorted(w)), r"… and \d\d more(?s:.){0,300}$"),
        "copied the wrong way": (copied_backwards, "has not got the weights"),
        "sets, which have no order": (lambda m, w: tuple(map(set, load(m, w))), "two lists"),
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
