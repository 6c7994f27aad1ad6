"""Checkers for lesson 05: PoseFormer, its parts, its sizes and the authors' names."""

from functools import partial
from itertools import product

import torch
from torch import nn

from poseformer_course.checks.judge import Exercise, NotAnswered, Wrong, compare
from poseformer_lite.model.official import official_state_dict
from poseformer_lite.model.poseformer import PoseFormer

TEMPORAL = "temporal.encoder.blocks."
SPOILT = {
    "names have lost letters: lstrip takes a set of characters off, not a word.": lambda name: name.lstrip("module."),
    "`module.` is also taken out of the middle of a name.": lambda name: name.replace("module.", ""),
    "a name is cut at a `module.` in the middle of it.": lambda name: name.split("module.")[-1],
    "you cut seven characters off every name, also off those without `module.`.": lambda name: name[7:],
}
TWO_WORDS = "Two beginnings of the table are two words long, `head.0` and `head.1`: the first word is not enough."


def _network(seed: int) -> PoseFormer:
    """A small network in which no parameter is zero or one, as some are at the start: that would hide mistakes."""
    model = PoseFormer(3, 5, spatial_dim=4, spatial_depth=2, temporal_depth=2, num_heads=2).eval()
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return model


def _numbered(B: int, F: int, J: int, C: int) -> torch.Tensor:
    """Frame tokens (B, F, J*C) whose numbers all differ."""
    return torch.arange(float(B * F * J * C)).view(B, F, J * C)


def _of_joints(pick):
    """A function of frame tokens, from a function of the same tokens cut into joints, (B, F, J, C)."""
    return lambda tokens, joint, J: pick(tokens.unflatten(-1, (J, -1)), joint)


# The numbers of one joint in all frame tokens, (B, F, J*C), the number of a joint, J -> (B, F, C).
exercise_1 = Exercise(
    right=_of_joints(lambda joints, joint: joints[:, :, joint]),
    mistakes={
        "Every J-th number is taken: the channels of one joint stand next to each other.": (
            lambda tokens, joint, J: tokens[..., joint::J]
        ),
        "The slice is J numbers wide: a joint has C numbers.": (
            lambda tokens, joint, J: tokens[..., joint * J : (joint + 1) * J]
        ),
        "The second axis counts frames: this is a frame, not a joint.": lambda tokens, joint, J: tokens[:, joint],
        "This is a single number of each token: a joint has C of them.": lambda tokens, joint, J: tokens[..., joint],
        "The frames and the channels of the answer are swapped: frames come first.": (
            _of_joints(lambda joints, joint: joints[:, :, joint].mT)
        ),
        "This is the joint before the right one: joints are counted from 0.": (
            _of_joints(lambda joints, joint: joints[:, :, joint - 1])
        ),
        "Joints and frames are mixed: split the last axis alone.": (
            lambda tokens, joint, J: tokens.view(len(tokens), J, tokens.shape[1], -1)[:, joint]
        ),
        "These are all joints: only one of them is asked for.": _of_joints(lambda joints, joint: joints),
        "The windows and their frames are one list now: keep an axis for each.": (
            _of_joints(lambda joints, joint: joints[:, :, joint].flatten(0, 1))
        ),
    },
    cases=[(_numbered(2, 4, 5, 3), 2, 5), (_numbered(3, 2, 4, 5), 1, 4), (_numbered(1, 1, 3, 2), 0, 3)],
    fields=lambda tokens, joint, J: {
        "B": tokens.shape[0],
        "F": tokens.shape[1],
        "J": J,
        "C": tokens.shape[2] // J,
        "joint": joint,
    },
    name="the answer for B = {B}, F = {F}, J = {J}, C = {C}, joint {joint}",
    remark="Laid side by side, nothing is lost: each joint keeps its own place in the token.",
)


def _frames_and_weights(B: int, F: int, D: int, seed: int) -> tuple:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(B, F, D, generator=generator), torch.randn(F, generator=generator) - 0.5, 0.75


def _weighted(tokens: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return (tokens * weights[:, None]).sum(1)


# The weighted sum over the frames, (B, F, D), (F,), a number -> (B, D).
exercise_2 = Exercise(
    right=lambda tokens, weights, bias: _weighted(tokens, weights) + bias,
    mistakes={
        "The bias is missing: the number has to be added to every channel.": (
            lambda tokens, weights, bias: _weighted(tokens, weights)
        ),
        "The weights went through a softmax. They are used as they are.": (
            lambda tokens, weights, bias: _weighted(tokens, weights.softmax(0)) + bias
        ),
        "You divided by the sum of the weights. The network does not normalise them.": (
            lambda tokens, weights, bias: _weighted(tokens, weights / weights.sum()) + bias
        ),
        "You divided by the number of frames: it is a weighted sum, nothing else.": (
            lambda tokens, weights, bias: _weighted(tokens, weights / len(weights)) + bias
        ),
        "The weights are not used: this is the plain mean over the frames.": (
            lambda tokens, weights, bias: tokens.mean(1) + bias
        ),
        "The bias is added before the sum, so it is weighted, too.": (
            lambda tokens, weights, bias: _weighted(tokens + bias, weights)
        ),
        "The bias is added once for every frame: add it after the sum.": (
            lambda tokens, weights, bias: _weighted(tokens, weights) + len(weights) * bias
        ),
        "The sum runs over the channels: it must run over the frames.": (
            lambda tokens, weights, bias: (tokens * weights).sum(2) + bias
        ),
        "The weights met the channels: give them one axis more.": (
            lambda tokens, weights, bias: (tokens * weights).sum(1) + bias
        ),
    },
    cases=[  # first a square, in which the wrong axis gives no error
        _frames_and_weights(2, 4, 4, seed=0),
        _frames_and_weights(2, 3, 5, seed=1),
        _frames_and_weights(1, 1, 2, seed=2),
    ],
    fields=lambda tokens, weights, bias: {"F": len(weights), "D": tokens.shape[-1]},
    name="the answer for F = {F}, D = {D}",
    remark="A Conv1d with kernel 1 over the frames does exactly this.",
)


STAGES = {"the spatial stage": ["spatial"], "the temporal stage": ["temporal"], "both stages": ["spatial", "temporal"]}
STAGE_HINTS = {
    "no positions": "The positions of {} are missing: add them to the tokens before the first block.",
    "late positions": "The positions of {} come too late: add them before the first block, for attention to use them.",
    "no norm": "The last norm of {} is missing (Eq. 8): it follows the last block.",
    "norms": "The last norm of {} runs after every block: it runs once, after the last block.",
    "short": "The last block of {} is left out.",
}
HEAD_HINTS = {
    "channels first": "A frame token holds channel 0 of all joints first: lay the joints side by side as they are.",
    "early mean": "The weighted mean comes too early: the frames have to look at each other before they are merged.",
    "plain mean": "The plain mean over the frames was taken: the head has learned weights for it, weighted_mean.",
    "centre": "The token of the centre frame was taken: the head takes a weighted mean over all frames.",
    "no head norm": "The norm of the head is missing: it stands between the weighted mean and the linear layer.",
    "early head norm": "The norm of the head comes before the weighted mean: it belongs behind it.",
}


def _stage(x: torch.Tensor, part: nn.Module, mistake: str, merge) -> torch.Tensor:
    """One stage on its tokens, and what a mistake makes of it."""
    blocks = part.encoder.blocks[:-1] if mistake == "short" else part.encoder.blocks
    x = merge(x if mistake in ("no positions", "late positions") else x + part.position_embedding)
    for block in blocks:
        x = part.encoder.norm(block(x)) if mistake == "norms" else block(x)
    x = x + part.position_embedding if mistake == "late positions" else x
    return x if mistake in ("no norm", "norms") else part.encoder.norm(x)


def _by_parts(model: PoseFormer, poses_2d: torch.Tensor, mistake: str, stages=()) -> torch.Tensor:
    """What the model computes if a mistake is made, in these stages or in the head."""
    head, spatial, temporal = model.head, *(mistake if name in stages else "" for name in ("spatial", "temporal"))
    x = _stage(model.spatial.patch_embedding(poses_2d.flatten(0, 1)), model.spatial, spatial, nn.Identity())
    x = (x.mT if mistake == "channels first" else x).flatten(-2).unflatten(0, poses_2d.shape[:2])
    x = _stage(x, model.temporal, temporal, head.weighted_mean if mistake == "early mean" else nn.Identity())
    steps = {
        "early mean": [head.norm],
        "plain mean": [lambda x: x.mean(1), head.norm],
        "centre": [lambda x: x[:, x.shape[1] // 2], head.norm],
        "no head norm": [head.weighted_mean],
        "early head norm": [head.norm, head.weighted_mean],
    }
    for step in (*steps.get(mistake, [head.weighted_mean, head.norm]), head.linear):
        x = step(x)
    return x.view(len(poses_2d), -1, 3)


# From the smallest parts of a PoseFormer in evaluation mode, (B, F, J, 2) -> (B, J, 3).
exercise_3_pose = Exercise(
    right=lambda model, poses_2d: model(poses_2d),
    mistakes={
        hint.format(where): partial(_by_parts, mistake=mistake, stages=stages)
        for mistake, hint in STAGE_HINTS.items()
        for where, stages in STAGES.items()
    }
    | {hint: partial(_by_parts, mistake=mistake) for mistake, hint in HEAD_HINTS.items()}
    | {
        "The three coordinates are not the last axis: the linear layer gives x, y, z of joint 0 first.": (
            lambda model, poses_2d: model(poses_2d).flatten(1).unflatten(-1, (3, -1)).mT
        ),
        "The pose is still a list of 3 * J numbers: give it the shape (B, J, 3).": (
            lambda model, poses_2d: model(poses_2d).flatten(1)
        ),
    },
    cases=lambda: [
        (_network(seed=0).requires_grad_(False), torch.randn(2, 3, 5, 2, generator=torch.Generator().manual_seed(0)))
    ],
    name="the pose",
)


def exercise_3(run_by_hand):
    """The pose, from a model that refuses to run more than its smallest parts."""
    exercise_3_pose(lambda model, poses_2d: run_by_hand(_in_parts_only(model), poses_2d))
    return "Sixteen lines, and no more is in the network."


def _in_parts_only(model: PoseFormer) -> PoseFormer:
    for block in (*model.spatial.encoder.blocks, *model.temporal.encoder.blocks):
        block.register_forward_pre_hook(_three_axes)
    for name in ("", "spatial", "temporal", "head", "spatial.encoder", "temporal.encoder"):
        _forbid(model.get_submodule(name), f"model.{name}".rstrip("."))
    return model


def _three_axes(_, inputs) -> None:
    if inputs[0].ndim != 3:
        shape = tuple(inputs[0].shape)
        raise Wrong(f"A block takes (N, J, C), or (B, F, D) in the temporal stage, not {shape}: fold B and F first.")


def _forbid(module: nn.Module, name: str) -> None:
    def forward(*_, **__):
        raise Wrong(f"You call {name}, which runs several steps at once: use the smallest parts that the task names.")

    module.forward = forward


def exercise_4(count_by_hand):
    """count_by_hand: F, J, c and the depth of both stages -> the number of parameters."""
    for F, J, c, L in ((9, 17, 32, 4), (5, 7, 6, 3), (81, 15, 16, 1)):
        D = J * c
        given, right = count_by_hand(F, J, c, L), _parameters(F, J, c, L)
        narrow, wide = (8 * width**2 + 11 * width for width in (c, D))
        known = {
            "the temporal positions are left out": -F * D,
            "the spatial positions are left out": -J * c,
            "the position embeddings of both stages are left out": -F * D - J * c,
            "the weighted mean with its bias is left out": -F - 1,
            "the bias of the weighted mean is left out": -1,
            "the patch embedding is left out": -3 * c,
            "the last norm of each stage is left out": -2 * c - 2 * D,
            "the last norm of the spatial stage is left out": -2 * c,
            "one norm is left out, that of the head or the last one of the temporal stage": -2 * D,
            "the last norms and that of the head are left out": -2 * c - 4 * D,
            "the head's linear layer is left out": -3 * J * (D + 1),
            "the norms inside the layers are left out": -4 * L * (c + D),
            "the biases of attention and MLP are left out": -7 * L * (c + D),
            "all biases of linear layers and of the weighted mean are left out": -7 * L * (c + D) - c - 3 * J - 1,
            "the layers of the spatial stage are left out": -L * narrow,
            "the temporal layers have the width c, but a frame's token is J times as wide": L * (narrow - wide),
            "one layer of each stage is counted, but there are `depth` of them": (1 - L) * (narrow + wide),
            "the MLP has four times the width, as in ViT, but here it has twice": 2 * L * (2 * c**2 + c + 2 * D**2 + D),
            "E is counted once for every joint, but all joints share one E and its bias": (J - 1) * 3 * c,
            "the weighted mean has one weight for a frame, not one for each of its channels": F * (D - 1),
            "the head's linear layer gives 3 numbers for each joint, not 3 in all": 3 * (1 - J) * (D + 1),
            "the spatial layers are counted for every frame, but all frames share them": (F - 1) * L * narrow,
            "this would be right for 17 joints, whatever `num_joints` is": _parameters(F, 17, c, L) - right,
            "the head's 51 numbers are those of 17 joints": 3 * (17 - J) * (D + 1),
        }
        if isinstance(given, int | float):  # last, so for an answer that none of these explains
            example = ". The example is right, so perhaps one of its numbers (17, 32, 544, …) stands in your code"
            known[f"expected {right:,}, and you have {given:,}{example if J != 17 else ''}"] = given - right
        said = f"For F = {F}, J = {J}, c = {c} and depth {L} your count is"
        hints = {
            f"{said} {abs(off):,} too {'small' if off < 0 else 'large'}: {what}.": right + off
            for what, off in known.items()
        }
        compare(given, right, hints, name="the count", tolerance=1e-9)
    return "The width of a frame enters squared, the length of the window only once."


def _parameters(F: int, J: int, c: int, L: int) -> int:
    return PoseFormer(F, J, c, spatial_depth=L, temporal_depth=L, num_heads=1).num_parameters()


def exercise_5(our_name):
    """our_name: a name of the authors' state dict -> the package's."""
    model = _network(seed=0)
    answers = {name: _look_up(our_name, name) for name in official_state_dict(model)}
    if all(given is None for given in answers.values()):
        raise NotAnswered
    for (theirs, given), ours in zip(answers.items(), model.state_dict(), strict=True):
        if given != ours:
            raise Wrong(f"{theirs!r} became {given!r}. {_name_hint(theirs, ours, given)}")
    return "The names travel, the numbers stay: that is all there is to reading the authors' files."


def _look_up(our_name, name: str):
    try:
        return our_name(name)
    except KeyError as error:
        hint = TWO_WORDS if error.args[0] == "head" else "Only the beginning of a name stands in the table."
        raise Wrong(f"For {name!r} your dictionary has no such key: {error}. {hint}") from None


def _name_hint(theirs: str, ours: str, given) -> str:
    if not isinstance(given, str):
        return TWO_WORDS if theirs.startswith("head.") else "Every name has a translation, and it is a string."
    if given == theirs:
        return "It came back unchanged: look it up in the table."
    if theirs.startswith("Spatial_blocks") and TEMPORAL in given:
        return "`Spatial_blocks` contains `blocks`: compare the beginning of a name, and translate it only once."
    if ours.startswith(TEMPORAL) and given == "spatial" + ours.removeprefix("temporal"):
        return "Without a prefix, `blocks` are those of the temporal stage."
    if given in (ours.replace("spatial", "temporal"), ours.replace("temporal", "spatial")):
        return "Spatial and temporal are swapped."
    if "norm" in ours and given.replace(".encoder", "") == ours.replace(".encoder", ""):
        return "The last norm of a stage belongs to its encoder."
    if theirs.startswith("head.") and given in (theirs.replace("0", "linear"), theirs.replace("1", "norm")):
        return "The head's two layers are swapped: its norm comes first, then the linear layer."
    if ours.endswith("." + given) or ours.removeprefix("head.") == given:
        return "The beginning of our name is missing: say of which of the three modules the tensor is."
    if ours.startswith(given):
        return "What follows the translated beginning, such as `.weight` or the layer's number, is lost."
    return "Compare it with the table, letter by letter."


def exercise_6(load_by_hand):
    """load_by_hand: a PoseFormer and weights under the authors' names -> missing and surplus names."""
    lost = ["Temporal_norm.bias", "blocks.0.mlp.fc1.weight", "head.1.bias"]
    foreign = ["Spatial_fc.module.bias", "old_norm.weight"]  # names that lstrip, replace and split would spoil
    cases = {"all weights fit": ([], []), "three names are missing": (lost, []), "two are surplus": ([], foreign)}
    for prefix, (said, names) in product(("", "module."), (cases | {"both happens": (lost, foreign)}).items()):
        said = f"Where {said} and every name begins with 'module.'" if prefix else f"Where {said}"
        model, before, other, after = (_network(seed) for seed in (1, 1, 2, 2))
        weights = official_state_dict(other) | {name: torch.zeros(3) for name in reversed(names[1])}
        weights = {prefix + name: tensor for name, tensor in weights.items() if name not in names[0]}
        _compare_names(load_by_hand(model, weights), *names, said, other)
        if any(names) and not _same(model, before):
            raise Wrong(f"{said}, the model has changed. It must stay as it was unless everything fits.")
        if not any(names) and not _same(model, after):
            raise Wrong(f"{said}, the lists are right, but the model has not got the weights.")
    return "A loader that is not strict is how random weights end up in a table."


def _same(a: PoseFormer, b: PoseFormer) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def _compare_names(given, missing: list[str], surplus: list[str], said: str, model: PoseFormer) -> None:
    if given is None:
        raise NotAnswered
    if not (isinstance(given, tuple | list) and len(given) == 2 and all(isinstance(names, list) for names in given)):
        raise Wrong(f"{said}, your function should return two lists, missing and surplus.")
    got_missing, got_surplus = given
    if (got_missing, got_surplus) == (missing, surplus):
        return
    if (got_missing, got_surplus) == (surplus, missing):
        raise Wrong(f"{said}, missing and surplus are swapped: missing is what the model needs and the weights lack.")
    if any(str(name).startswith("module.") for name in [*got_missing, *got_surplus]):
        raise Wrong(f"{said}, your lists hold names with `module.`: drop it from every name before you compare.")
    official = set(official_state_dict(model))
    if {*map(str, [*got_missing, *got_surplus])} & (set(model.state_dict()) - official):
        raise Wrong(f"{said}, your lists hold names of the package: compare and report the authors' names.")
    names = official - {*missing} | {*surplus}
    for hint, spoil in SPOILT.items():
        if sorted(set(map(spoil, names)) - official) == got_surplus != surplus:
            raise Wrong(f"{said}, {hint}")
    if (sorted(got_missing), sorted(got_surplus)) == (missing, surplus):
        raise Wrong(f"{said}, the names are right but not sorted.")
    got = f"missing is {_few(got_missing)} and surplus {_few(got_surplus)}"
    raise Wrong(f"{said}, {got}, expected {_few(missing)} and {_few(surplus)}.")


def _few(names: list) -> str:
    return str(names) if len(names) <= 3 else f"[{', '.join(map(repr, names[:3]))}, … and {len(names) - 3} more]"
