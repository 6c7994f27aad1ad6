"""Checkers for lesson 05: PoseFormer, its parts, its sizes and the authors' names."""

import torch
from torch import nn

from poseformer_lite.exercises.judge import NotAnswered, Wrong, compare
from poseformer_lite.model.poseformer import PoseFormer

TEMPORAL = "temporal.encoder.blocks."


def _network(seed: int) -> PoseFormer:
    """A small network in which no parameter is zero or one, as some are at the start: that would hide mistakes."""
    model = PoseFormer(3, 5, spatial_dim=4, spatial_depth=2, temporal_depth=2, num_heads=2).eval()
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return model


def exercise_1(frame_tokens_of):
    """frame_tokens_of: (B*F, J, C), F -> (B, F, J*C)."""
    for B, F, J, C in ((2, 3, 5, 4), (3, 1, 2, 4), (1, 4, 3, 2)):
        x = torch.arange(float(B * F * J * C)).view(B * F, J, C)
        windows = x.view(B, F, J, C)
        compare(
            frame_tokens_of(x.clone(), F),
            windows.flatten(2),
            {
                "The windows are mixed: the list holds the first window's frames first, then the second's. Split its "
                "first axis into windows and frames in this order.": x.view(F, B, J * C).transpose(0, 1),
                "Joints and frames are swapped: every token of your answer is one joint over time. A token has to hold "
                "all joints of one frame.": windows.transpose(1, 2).flatten(2),
                "Joints and channels are swapped: the token holds channel 0 of all joints first. It should hold all "
                "channels of joint 0 first.": windows.transpose(2, 3).flatten(2),
                "The frames come before the windows: the first axis must count the windows.": (
                    windows.transpose(0, 1).flatten(2)
                ),
                "The joints are averaged: their tokens should be laid side by side, none is lost.": windows.mean(2),
                "The joints are added up: their tokens should be laid side by side, none is lost.": windows.sum(2),
                "The joints still have an axis of their own: join the last two axes to one.": windows,
                "The frames are not grouped to windows yet: the first axis still counts all of them.": x.flatten(1),
                "Every joint is still a token: J tokens of a frame become one token that is J times as wide.": (
                    windows.flatten(1, 2)
                ),
            },
            name=f"the answer for B = {B}, F = {F}, J = {J}, C = {C}",
        )
    return "No number was computed and none was lost: only the grouping is another."


def exercise_2(weighted_frames):
    """weighted_frames: (B, F, D), (F,), a number -> (B, D)."""
    generator = torch.Generator().manual_seed(0)
    for B, F, D in ((2, 4, 4), (2, 3, 5), (1, 1, 2)):  # first a square, in which the wrong axis gives no error
        tokens = torch.randn(B, F, D, generator=generator)
        weights, bias = torch.randn(F, generator=generator) - 0.5, 0.75
        plain = (tokens * weights[:, None]).sum(1)
        mistakes = {
            "The bias is missing: the number has to be added to every channel.": plain,
            "The weights went through a softmax. The network uses them as they are, even negative ones.": (
                (tokens * weights.softmax(0)[:, None]).sum(1) + bias
            ),
            "You divided by the sum of the weights. The network does not normalise them.": plain / weights.sum() + bias,
            "The weights were divided by the sum of their sizes. The network does not normalise them.": (
                plain / weights.abs().sum() + bias
            ),
            "You divided by the number of frames: it is a weighted sum, nothing else.": plain / F + bias,
            "The weights are not used: this is the plain mean over the frames.": tokens.mean(1) + bias,
            "The bias is added to every frame before the sum, so it is counted once per frame and weighted.": (
                ((tokens + bias) * weights[:, None]).sum(1)
            ),
            "The bias is added once for every frame: add it after the sum.": plain + F * bias,
            "The frames are gone through backwards: the first weight belongs to the first frame.": (
                (tokens * weights.flip(0)[:, None]).sum(1) + bias
            ),
        }
        if F == D:
            mistakes |= {
                "The sum runs over the channels, the last axis: it must run over the frames, axis 1.": (
                    (tokens * weights).sum(2) + bias
                ),
                "The weights met the channels, the last axis: give them an axis more, to meet the frames.": (
                    (tokens * weights).sum(1) + bias
                ),
            }
        compare(weighted_frames(tokens, weights, bias), plain + bias, mistakes, name=f"the answer for F = {F}, D = {D}")
    return "A Conv1d with kernel 1 over the frames does exactly this."


def _by_parts(model: PoseFormer, poses_2d: torch.Tensor, without: str = "") -> torch.Tensor:
    """What the model computes, with one step left out or moved."""
    spatial, temporal, head = model.spatial, model.temporal, model.head
    x = spatial.patch_embedding(poses_2d.flatten(0, 1))
    x = x if without == "spatial positions" else x + spatial.position_embedding
    x = nn.Sequential(*spatial.encoder.blocks)(x)
    x = x if without == "spatial norm" else spatial.encoder.norm(x)
    x = x.flatten(-2).unflatten(0, poses_2d.shape[:2])
    x = x if without == "temporal positions" else x + temporal.position_embedding
    if without == "order":
        x = head.weighted_mean(x)
    x = x if without == "temporal blocks" else nn.Sequential(*temporal.encoder.blocks)(x)
    x = x if without == "temporal norm" else temporal.encoder.norm(x)
    if without == "weights":
        x = x.mean(1, keepdim=True)
    elif without != "order":
        x = head.weighted_mean(x)
    x = x.squeeze(1)
    return head.linear(x if without == "head norm" else head.norm(x)).unflatten(-1, (-1, 3))


def exercise_3(run_by_hand):
    """run_by_hand: a PoseFormer in evaluation mode and (B, F, J, 2) -> (B, J, 3), from its smallest parts."""
    model = _network(seed=0)
    poses_2d = torch.randn(2, 3, 5, 2, generator=torch.Generator().manual_seed(0))

    with torch.no_grad():
        expected = model(poses_2d)
        mistakes = {
            "The spatial positions are missing: add them after the patch embedding.": "spatial positions",
            "The temporal positions are missing: add them to the frame tokens before the temporal blocks.": (
                "temporal positions"
            ),
            "The last norm of the spatial stage is missing (Eq. 8): it ends the stage.": "spatial norm",
            "The last norm of the temporal stage is missing (Eq. 8): it ends the stage.": "temporal norm",
            "The weighted mean comes too early: the frames have to look at each other before they are merged.": "order",
            "The plain mean over the frames was taken: the head has learned weights for it, weighted_mean.": "weights",
            "The norm of the head is missing: it stands between the weighted mean and the linear layer.": "head norm",
            "The temporal blocks are missing: the frames have not looked at each other.": "temporal blocks",
        }
        mistakes = {hint: _by_parts(model, poses_2d, without) for hint, without in mistakes.items()}
        mistakes["The three coordinates are not the last axis: the linear layer gives x, y, z of joint 0 first."] = (
            expected.flatten(1).unflatten(-1, (3, -1)).transpose(1, 2)
        )
        mistakes["The pose is still a list of 3 * J numbers: give it the shape (B, J, 3)."] = expected.flatten(1)
        for name in ("", "spatial", "temporal", "head", "spatial.encoder", "temporal.encoder"):
            _forbid(model.get_submodule(name), f"model.{name}".rstrip("."))
        compare(run_by_hand(model, poses_2d.clone()), expected, mistakes, name="the pose")
    return "Sixteen lines, and no more is in the network."


def _forbid(module: nn.Module, name: str) -> None:
    def forward(*_, **__):
        raise Wrong(f"You call {name}, which runs several steps at once: use the smallest parts that the task names.")

    module.forward = forward


def exercise_4(count_by_hand):
    """count_by_hand: F, J, c and the depth of both stages -> the number of parameters."""
    for F, J, c, L in ((9, 17, 32, 4), (5, 7, 6, 3), (81, 15, 16, 1)):
        D = J * c
        given = count_by_hand(F, J, c, L)
        right = PoseFormer(F, J, c, spatial_depth=L, temporal_depth=L, num_heads=1).num_parameters()
        left_out = {
            "the temporal positions are": F * D,
            "the spatial positions are": J * c,
            "the position embeddings of both stages are": F * D + J * c,
            "the weighted mean with its bias is": F + 1,
            "the bias of the weighted mean is": 1,
            "the patch embedding is": 3 * c,
            "the bias of the patch embedding is": c,
            "the last norm of each stage is": 2 * c + 2 * D,
            "the last norm of the spatial stage is": 2 * c,
            "the LayerNorm of the head is (or the last norm of the temporal stage)": 2 * D,
            "the last norms and that of the head are": 2 * c + 4 * D,
            "the head's linear layer is": 3 * J * (D + 1),
            "the bias of the head's linear layer is": 3 * J,
            "the norms inside the layers are": 4 * L * (c + D),
            "all norms, inside the layers and behind them, are": 4 * L * (c + D) + 2 * c + 4 * D,
            "the biases of attention and MLP are": 7 * L * (c + D),
            "all biases of linear layers and of the weighted mean are": 7 * L * (c + D) + c + 3 * J + 1,
            "the layers of the spatial stage are": L * (8 * c * c + 11 * c),
        }
        hints = {
            f"You are {number:,} short for F = {F}, J = {J}, c = {c}, depth {L}: {what} not counted.": right - number
            for what, number in left_out.items()
        }
        layer = 8 * c * c + 11 * c, 8 * D * D + 11 * D
        hints |= {
            "The temporal layers are counted at the width c: a frame's token is J times as wide.": (
                right - L * (layer[1] - layer[0])
            ),
            "One layer of each stage is counted: there are `depth` of them.": right - (L - 1) * sum(layer),
            "The MLP is counted at four times the width, as in ViT: here it is twice.": (
                right + L * (4 * c * c + 2 * c + 4 * D * D + 2 * D)
            ),
            "The spatial layers are counted for every frame: they share them.": right + (F - 1) * L * layer[0],
            "The spatial positions are counted for every frame: they share them.": right + (F - 1) * J * c,
        }
        compare(given, right, hints, name=f"the count for F = {F}, J = {J}, c = {c}, depth {L}", tolerance=1e-9)
    return "The width of a frame enters squared, the length of the window only once."


def exercise_5(our_name):
    """our_name: a name of the authors' state dict -> the package's."""
    model = _network(seed=0)
    answers = {name: our_name(name) for name in model.to_official_state_dict()}
    if all(given is None for given in answers.values()):
        raise NotAnswered
    for (theirs, given), ours in zip(answers.items(), model.state_dict(), strict=True):
        if given != ours:
            raise Wrong(f"{theirs!r} became {given!r}. {_name_hint(theirs, ours, given)}")
    return "The names travel, the numbers stay: that is all there is to reading the authors' files."


def _name_hint(theirs: str, ours: str, given) -> str:
    if not isinstance(given, str):
        return "Every name of the table has a translation, and it is a string."
    if given == theirs:
        return "It came back unchanged: look it up in the table."
    if "Spatial_" in given and TEMPORAL in given:
        return "`blocks` was found inside `Spatial_blocks`: translate the beginning of a name, and only once."
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
    for prefix in ("", "module."):
        model, other = _network(seed=1), _network(seed=2)
        weights = {prefix + name: tensor for name, tensor in other.to_official_state_dict().items()}
        said = f"with names that begin with {prefix!r}" if prefix else "with names as they should be"
        _compare_names(load_by_hand(model, dict(weights)), [], [], f"For weights that fit, {said}", other)
        if not _same(model, other):
            raise Wrong(f"For weights that fit, {said}, the lists are right, but the model has not got the weights.")

    lost, foreign = ["Temporal_norm.bias", "blocks.0.mlp.fc1.weight", "head.1.bias"], ["Spatial_fc.bias", "z.weight"]
    cases = {"three names are missing": (lost, []), "two are surplus": ([], foreign), "both happens": (lost, foreign)}
    for said, (missing, surplus) in cases.items():
        model, untouched, other = _network(seed=1), _network(seed=1), _network(seed=2)
        weights = {name: tensor for name, tensor in other.to_official_state_dict().items() if name not in missing}
        weights |= {name: torch.zeros(3) for name in reversed(surplus)}
        _compare_names(load_by_hand(model, weights), missing, surplus, f"Where {said}", other)
        if not _same(model, untouched):
            raise Wrong(f"Where {said}, the model has changed. It must stay as it was unless everything fits.")
    return "A loader that is not strict is how random weights end up in a table."


def _same(a: PoseFormer, b: PoseFormer) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def _compare_names(given, missing: list[str], surplus: list[str], said: str, model: PoseFormer) -> None:
    if given is None:
        raise NotAnswered
    try:
        got_missing, got_surplus = (list(names) for names in given)
    except (TypeError, ValueError):
        raise Wrong(f"{said}, your function should return two lists, missing and surplus.") from None
    if (got_missing, got_surplus) == (missing, surplus):
        return
    if (got_missing, got_surplus) == (surplus, missing):
        raise Wrong(f"{said}, missing and surplus are swapped: missing is what the model needs and the weights lack.")
    if any(str(name).startswith("module.") for name in [*got_missing, *got_surplus]):
        raise Wrong(f"{said}, your lists hold names with `module.`: drop it from every name before you compare.")
    if set(map(str, [*got_missing, *got_surplus])) & (set(model.state_dict()) - set(model.to_official_state_dict())):
        raise Wrong(f"{said}, your lists hold names of the package: compare and report the authors' names.")
    if (sorted(got_missing), sorted(got_surplus)) == (missing, surplus):
        raise Wrong(f"{said}, the names are right but not sorted.")
    raise Wrong(f"{said}, missing is {got_missing} and surplus {got_surplus}, expected {missing} and {surplus}.")
