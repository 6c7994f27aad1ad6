"""Checkers for lesson 05: PoseFormer, its parts, its sizes and the authors' names."""

from inspect import signature
from itertools import product

import torch
from torch import nn

from poseformer_course.checks.classes import call, like
from poseformer_course.checks.judge import Exercise, NotAnswered, Wrong, compare
from poseformer_lite.model.official import official_state_dict
from poseformer_lite.model.poseformer import PoseFormer, RegressionHead, SpatialTransformer, TemporalTransformer

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
exercise_2 = Exercise(
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


SIZES = {"num_joints": 5, "num_frames": 3, "dim": 4, "depth": 2, "num_heads": 2, "mlp_ratio": 2.0, "drop_path": 0.0}


def _made(kind: type) -> tuple:
    """One of the package's classes with weights of its own, and the arguments that it was made with."""
    sizes = {"dim": 20} if kind is not SpatialTransformer else {}
    arguments = [(SIZES | sizes)[name] for name in signature(kind).parameters]
    module = kind(*arguments).eval()
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return module.requires_grad_(False), arguments


def _random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(len(shape)))


def _output_of(kind: type, answer):
    """What an object of the learner's class gives, with the weights of the package's."""
    return lambda module, x: call(like(answer, module, *_made(kind)[1]), x)


reference_1, reference_3, reference_4, reference_5 = SpatialTransformer, TemporalTransformer, RegressionHead, PoseFormer
POSITIONS = {
    "The position embedding is not used: add it to the tokens before the encoder.": (
        lambda stage, x: stage.encoder(_tokens(stage, x))
    ),
    "The position embedding comes after the encoder: added before it, attention can use it.": (
        lambda stage, x: stage.encoder(_tokens(stage, x)) + stage.position_embedding
    ),
    "The encoder is left out: these are the tokens that it should relate.": (
        lambda stage, x: _tokens(stage, x) + stage.position_embedding
    ),
    "The encoder's blocks run, but its last norm is missing (Eq. 8): call the encoder itself.": (
        lambda stage, x: nn.Sequential(*stage.encoder.blocks)(_tokens(stage, x) + stage.position_embedding)
    ),
    "The encoder runs twice.": (
        lambda stage, x: stage.encoder(stage.encoder(_tokens(stage, x) + stage.position_embedding))
    ),
    "The encoder's input is added to its output: the residuals are inside its blocks.": (
        lambda stage, x: stage.encoder(z := _tokens(stage, x) + stage.position_embedding) + z
    ),
}


def _tokens(stage: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return stage.patch_embedding(x) if hasattr(stage, "patch_embedding") else x


def _swapped(x: torch.Tensor) -> torch.Tensor:
    return x.transpose(0, 1)


def _starts_as_asked(answer, kind: type) -> None:
    """Raise Wrong for a stage that begins, or drops branches, otherwise: the reference's weights hide both."""
    sizes = SIZES | {"drop_path": 0.5}
    stage = answer(*[sizes[name] for name in signature(kind).parameters])
    if stage.position_embedding.any():
        raise Wrong("The position embedding starts at zero: nn.Parameter(torch.zeros(...)).")
    rate = max(part.rate for part in stage.modules() if hasattr(part, "rate"))
    if rate != 0.5:
        raise Wrong(f"`drop_path` of the encoder is {rate:g}, expected 0.5: hand it the argument.")


# The joints of frames related, (N, J, 2) -> (N, J, C).
exercise_1_output = Exercise(
    right=lambda stage, x: stage(x),
    mistakes=POSITIONS
    | {
        "The frames look at each other here: hand the encoder (N, J, C) as it is, with frames as the batch.": (
            lambda stage, x: _swapped(stage.encoder(_swapped(_tokens(stage, x) + stage.position_embedding)))
        ),
    },
    cases=lambda: [(_made(SpatialTransformer)[0], _random(6, 5, 2))],
    name="the output of the spatial stage",
)


def exercise_1(answer):
    """The class SpatialTransformer."""
    exercise_1_output(_output_of(SpatialTransformer, answer))
    _starts_as_asked(answer, SpatialTransformer)
    return "Eq. 1 with joints as patches, and an encoder: the paper's own idea in two lines."


# The frames of windows related, (B, F, D) -> (B, F, D).
exercise_3_output = Exercise(
    right=lambda stage, x: stage(x),
    mistakes=POSITIONS,
    cases=lambda: [(_made(TemporalTransformer)[0], _random(2, 3, 20))],
    name="the output of the temporal stage",
)


def exercise_3(answer):
    """The class TemporalTransformer."""
    exercise_3_output(_output_of(TemporalTransformer, answer))
    _starts_as_asked(answer, TemporalTransformer)
    return "The same as before without an embedding: the spatial stage has made the tokens."


def _regressed(*steps):
    """The head with other steps before its linear layer: functions of (head, tokens)."""

    def answer(head, x):
        for step in steps:
            x = step(head, x)
        return head.linear(x).unflatten(-1, (-1, 3))

    return answer


_merged = (lambda head, x: head.weighted_mean(x).squeeze(1)), (lambda head, x: head.norm(x))

# A window's tokens to the pose of its center frame, (B, F, D) -> (B, J, 3).
exercise_4_output = Exercise(
    right=lambda head, x: head(x),
    mistakes={
        "The plain mean over the frames was taken: the head has learned weights for it, weighted_mean.": (
            _regressed(lambda head, x: x.mean(1), _merged[1])
        ),
        "The token of the center frame was taken: the head takes a weighted mean over all frames.": (
            _regressed(lambda head, x: x[:, x.shape[1] // 2], _merged[1])
        ),
        "The norm is missing: it stands between the weighted mean and the linear layer.": _regressed(_merged[0]),
        "The norm comes before the weighted mean: it belongs behind it.": _regressed(_merged[1], _merged[0]),
        "The axis of the frames is still there: one pose is wanted for each window, so squeeze it away.": (
            _regressed(lambda head, x: head.weighted_mean(x), _merged[1])
        ),
        "The three coordinates are not the last axis: the linear layer gives x, y, z of joint 0 first.": (
            lambda head, x: head(x).flatten(1).unflatten(-1, (3, -1)).mT
        ),
        "The pose is still a list of 3 * J numbers: give it the shape (B, J, 3).": lambda head, x: head(x).flatten(1),
    },
    cases=lambda: [(_made(RegressionHead)[0], _random(2, 3, 20))],
    name="the pose",
)


def exercise_4(answer):
    """The class RegressionHead, and the pose that it regresses from a single token."""
    exercise_4_output(_output_of(RegressionHead, answer))
    head, arguments = _made(RegressionHead)
    if not hasattr(answer, "regress"):
        raise Wrong("The method `regress` is missing: a pose from each token, (..., D) -> (..., J, 3).")
    own, tokens = like(answer, head, *arguments), _random(2, 3, 20)
    for some, shape in ((tokens[0], "(B, D)"), (tokens, "(B, F, D)")):
        try:
            given = own.regress(some)
        except RuntimeError as error:  # a shape that holds for one kind of tokens only
            raise Wrong(f"What `regress` gives for tokens {shape}: {error}") from error
        compare(given, head.regress(some), name=f"what `regress` gives for tokens {shape}")
    single = head(tokens[:1])
    hints = {"A single window loses the axis of the batch: squeeze only the axis of the frames, squeeze(1).": single[0]}
    compare(own(tokens[:1]), single, hints, name="the pose of a single window")
    if getattr(own.norm, "eps", head.norm.eps) != head.norm.eps:
        raise Wrong(f"The norm has an eps of {own.norm.eps:g}, expected PyTorch's own, {head.norm.eps:g}.")
    return "F weights, a bias without effect, a norm and one linear layer."


def _with_tokens(tokens):
    """The network, with tokens(joints, B, F) in place of laying a frame's joints (B*F, J, C) side by side."""

    def answer(model, poses_2d):
        B, F, *_ = poses_2d.shape
        return model.head(model.temporal(tokens(model.spatial(poses_2d.flatten(0, 1)), B, F)))

    return answer


def _transposed_windows(model, poses_2d):
    joints = model.spatial(poses_2d.transpose(0, 1).flatten(0, 1))
    return model.head(model.temporal(joints.flatten(-2).view(*poses_2d.shape[:2], -1)))


# Fig. 2(b), (B, F, J, 2) -> (B, J, 3).
exercise_5_pose = Exercise(
    right=lambda model, poses_2d: model(poses_2d),
    mistakes={
        "A frame token holds channel 0 of all joints first: lay the joints side by side as they are.": (
            _with_tokens(lambda x, B, F: x.mT.flatten(-2).unflatten(0, (B, F)))
        ),
        "A token holds the numbers of different frames: cut the first axis into (B, F), in this order.": (
            _with_tokens(lambda x, B, F: x.unflatten(0, (F, B)).transpose(0, 1).flatten(-2))
        ),
        "The windows of the batch are mixed: cut the frames into windows in the order in which you flattened them.": (
            _transposed_windows
        ),
        "The temporal stage is left out: the frames have to look at each other before the head.": (
            lambda model, poses_2d: model.head(
                model.spatial(poses_2d.flatten(0, 1)).flatten(-2).unflatten(0, poses_2d.shape[:2])
            )
        ),
        "The pose is still a list of 3 * J numbers: give it the shape (B, J, 3).": (
            lambda model, poses_2d: model(poses_2d).flatten(1)
        ),
    },
    cases=lambda: [(_network(seed=0).requires_grad_(False), _random(2, 3, 5, 2))],
    name="the pose",
)


def exercise_5(answer):
    """The class PoseFormer: forward, and its two halves, which long videos use."""

    def built(model):
        return like(answer, model, 3, 5, 4, 2, 2, 2)

    model, poses_2d = exercise_5_pose.each_case()[0]
    tokens = model.embed_frames(poses_2d[0])
    halves = {"embed_frames": poses_2d[0], "forward_temporal": tokens[None]}
    hints = {
        "embed_frames": {"These are joints, (N, J, C): lay those of a frame side by side.": model.spatial(poses_2d[0])},
        "forward_temporal": {"The temporal stage is left out of forward_temporal.": model.head(tokens[None])},
    }
    empty = []
    for name, x in halves.items():
        given = getattr(built(model), name)(x)
        if given is None or given is ...:
            empty.append(f"`{name}`")
        else:
            compare(given, getattr(model, name)(x), hints[name], name=f"what {name} gives")
    nothing = Wrong(f"{' and '.join(empty)}: nothing yet, not even a return. Long videos need both halves.")
    try:
        exercise_5_pose(lambda model, poses_2d: call(built(model), poses_2d))
    except (AttributeError, TypeError) as error:
        raise nothing if empty else error from error
    if empty:
        raise nothing
    compare(built(model)(poses_2d[:1]), model(poses_2d[:1]), name="the pose of a single window")
    return "This is PoseFormer: it takes the shipped weights and lifts a person with them."


def exercise_6(count_by_hand):
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
            "the bias of the patch embedding is left out": -c,
            "the bias of the head's linear layer is left out": -3 * J,
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


def exercise_7(our_name):
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
    if given == ours + ".":
        return "It ends in a dot: where nothing follows the beginning, as in a position embedding, there is none."
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


def exercise_8(load_by_hand):
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
