"""Checkers of lesson 02, tokenization."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from poseformer_course.checks.classes import call, like
from poseformer_course.checks.judge import Exercise, NotAnswered, Wrong
from poseformer_lite.model.attention import MultiHeadSelfAttention


def _random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


class _Embedding(nn.Linear):
    """A linear layer of fixed weights that says in words what it was given instead of its vectors."""

    def __init__(self, inputs: int, outputs: int, known: dict[int, str]):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(inputs)
            super().__init__(inputs, outputs)
        self.requires_grad_(False)
        self.known = known

    def forward(self, vectors: Tensor) -> Tensor:
        given = vectors.shape[-1]
        if given != self.in_features:
            what = f", {self.known[given]}" if given in self.known else ""
            raise Wrong(f"embed takes vectors of {self.in_features} numbers, but you gave it vectors of {given}{what}.")
        return super().forward(vectors)


def _frames_and_embedding(B: int, F: int, J: int, D: int) -> tuple[Tensor, _Embedding]:
    known = {2: "one joint", F * J * 2: "the whole window", 2 * F: "one joint's path"}
    return _random(B, F, J, 2), _Embedding(2 * J, D, known)


# The 2J numbers of each frame embedded as one token: (B, F, J, 2) -> (B, F, D).
exercise_1 = Exercise(
    right=lambda poses, embed: embed(poses.flatten(2)),
    mistakes={
        "Frames and joints were exchanged and the numbers cut anew, so one token holds joints of several frames. "
        "The axes stand in the right order already.": (
            lambda poses, embed: embed(poses.transpose(1, 2).reshape(*poses.shape[:2], -1))
        ),
        "In each token all x come first and then all y. Keep the x and y of a joint side by side.": (
            lambda poses, embed: embed(poses.transpose(2, 3).flatten(2))
        ),
        "The windows of the batch have been joined: keep B and F apart.": (
            lambda poses, embed: embed(poses.flatten(2)).flatten(0, 1)
        ),
        "The vectors are the right ones, but nothing has been embedded: hand them to embed.": (
            lambda poses, embed: poses.flatten(2)
        ),
    },
    cases=lambda: [_frames_and_embedding(2, 3, 5, 7), _frames_and_embedding(3, 5, 4, 6)],
    name="frame_tokens(poses_2d, embed)",
    remark="You merged the last two axes and no others, so no number left its frame.",
)


def _joints_and_embedding(B: int, F: int, J: int, C: int) -> tuple[Tensor, _Embedding]:
    known = {2 * J: "one frame", F * J: "one coordinate of all joints"}
    return _random(B, F, J, 2), _Embedding(2, C, known)


# Every joint of the window embedded as one token: (B, F, J, 2) -> (B, F*J, C).
exercise_2 = Exercise(
    right=lambda poses, embed: embed(poses).flatten(1, 2),
    mistakes={
        "The tokens come joint by joint, all frames of the hip first. Let frame follow frame, each with its joints "
        "together.": lambda poses, embed: embed(poses).transpose(1, 2).flatten(1, 2),
        "Frames and joints are still two axes. Merge them into one sequence of F*J tokens.": (
            lambda poses, embed: embed(poses)
        ),
        "Each frame is a sequence of its own here, as in PoseFormer's spatial stage. In Fig. 1(b) all frames of a "
        "window share one sequence: keep B, and merge F with J.": lambda poses, embed: embed(poses).flatten(0, 1),
        "The batch has been merged too, so joints of different windows would see each other.": (
            lambda poses, embed: embed(poses).flatten(0, 2)
        ),
        "A token holds two numbers that are not the x and y of one joint: their axis must stay the last.": (
            lambda poses, embed: embed(poses.reshape(len(poses), 2, -1).transpose(1, 2))
        ),
        "The joints stand in one sequence, but nothing has been embedded: call embed.": (
            lambda poses, embed: poses.flatten(1, 2)
        ),
    },
    cases=lambda: [_joints_and_embedding(2, 3, 5, 4), _joints_and_embedding(3, 4, 7, 6)],
    name="joint_tokens(poses_2d, embed)",
    remark="The same small embedding served every joint, and no joint has seen another yet.",
)


# What one layer compares in Fig. 1(a), in Fig. 1(b), and in PoseFormer's two, with f frames and j joints.
exercise_3 = Exercise(
    right=lambda f, j: (f**2, (f * j) ** 2, f * j**2 + f**2),
    mistakes={
        "You counted tokens. Attention compares every token with every token of its sequence.": (
            lambda f, j: (f, f * j, f * j + f)
        ),
        "PoseFormer's spatial stage runs for every frame of the window, not once.": (
            lambda f, j: (f**2, (f * j) ** 2, j**2 + f**2)
        ),
        "PoseFormer's second stage is missing: after the joints, the frames are compared.": (
            lambda f, j: (f**2, (f * j) ** 2, f * j**2)
        ),
        "A pair of a token with itself counts as well: N tokens make N times N pairs.": (
            lambda f, j: (f * (f - 1), f * j * (f * j - 1), f * j * (j - 1) + f * (f - 1))
        ),
        "Each pair is counted once. That token 1 looks at 2, and 2 at 1, are two entries of the matrix.": (
            lambda f, j: (f * (f - 1) // 2, f * j * (f * j - 1) // 2, f * j * (j - 1) // 2 + f * (f - 1) // 2)
        ),
        "In Fig. 1(b) a joint is compared with the joints of all frames, not of its own alone.": (
            lambda f, j: (f**2, f * j**2, f * j**2 + f**2)
        ),
        "PoseFormer's two stages come one after the other: add their pairs.": (
            lambda f, j: (f**2, (f * j) ** 2, f * j**2 * f**2)
        ),
        "Frames and joints are exchanged: Fig. 1(a) has a token for each frame.": (
            lambda f, j: (j**2, (f * j) ** 2, j * f**2 + j**2)
        ),
    },
    cases=[(3, 2), (9, 17), (81, 17), (27, 15)],
    fields=lambda f, j: {"frames": f, "joints": j},
    name="attention_pairs({frames}, {joints})",
    remark="Fig. 1(b) grows with the square of F*J, PoseFormer with the square of F and F times a constant.",
)


class JointEmbedding(nn.Module):
    """Eq. 1 with joints as patches: (N, J, 2) -> (N, J, C)."""

    def __init__(self, num_joints: int, dim: int):
        super().__init__()
        self.patch_embedding = nn.Linear(2, dim)  # E, the same for every joint
        self.position_embedding = nn.Parameter(torch.zeros(1, num_joints, dim))  # E_SPos, one row for each joint

    def forward(self, poses_2d):
        """(N, J, 2) -> (N, J, C)."""
        return self.patch_embedding(poses_2d) + self.position_embedding


reference_4 = JointEmbedding


def _filled() -> tuple[JointEmbedding, Tensor]:
    """An embedding with numbers that tell its parts apart, and as many windows as joints as channels."""
    embedding = JointEmbedding(4, 4)
    embedding.position_embedding.data = _random(1, 4, 4)
    embedding.patch_embedding.weight.data, embedding.patch_embedding.bias.data = _random(4, 2), _random(4)
    return embedding.requires_grad_(False), _random(4, 4, 2)


# Tokens of joints with their positions, (N, J, 2) -> (N, J, C).
exercise_4_tokens = Exercise(
    right=lambda embedding, poses: embedding(poses),
    mistakes={
        "The positions are missing: add the row of each joint to its token.": lambda e, poses: e.patch_embedding(poses),
        "The positions are multiplied: they are added.": lambda e, poses: (
            e.patch_embedding(poses) * e.position_embedding
        ),
        "Each window has got a row, and all its joints the same: the rows belong to the joints, the second axis.": (
            lambda e, poses: e.patch_embedding(poses) + e.position_embedding.transpose(0, 1)
        ),
        "These are the positions alone: they are added to the embedded joints.": (
            lambda e, poses: e.position_embedding.expand(len(poses), -1, -1)
        ),
        "The positions are subtracted: Eq. 1 adds them.": lambda e, poses: (
            e.patch_embedding(poses) - e.position_embedding
        ),
    },
    cases=lambda: [_filled(), (_filled()[0], _random(1, 4, 2))],
    name="the tensor of tokens",
)


def exercise_4(answer):
    """The class JointEmbedding: what its positions begin with, and its tokens."""
    exercise_4_tokens(lambda embedding, poses: call(like(answer, embedding, 4, 4), poses))
    fresh = answer(3, 5)
    if fresh.position_embedding.any():
        raise Wrong("The positions begin with other numbers than zero: in the released code they begin at zero.")
    if not (isinstance(fresh.position_embedding, nn.Parameter) and fresh.position_embedding.requires_grad):
        raise Wrong("The positions are not learned: make them an nn.Parameter.")
    return "This is all that stands before the first layer of PoseFormer."


def _of_all(answer):
    """The answer to many questions at once, as one list."""

    def answers(questions):
        given = [answer(*question) for question in questions]
        open_ = [one is None or one is ... for one in given]
        if all(open_):
            raise NotAnswered
        if any(open_):
            question = questions[open_.index(True)]
            raise Wrong(f"Some of your answers are None, as for {question}: is there a return on every way?")
        return given

    return answers


def _layers() -> list[tuple]:
    """(layer, x, order) of LAYERS. As many windows as tokens as channels: every axis can be taken."""
    N = 5
    x, positions = _random(N, N, N).double(), 2 * _random(N, N).double()
    weights = torch.arange(1, N + 1).view(N, 1, 1)  # another for each window
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        attention = MultiHeadSelfAttention(N, num_heads=1).double().requires_grad_(False)

    def mean(tokens):
        return tokens.mean(dim=1, keepdim=True).expand_as(tokens)

    late = positions * torch.tensor([0, 0, 0, 1, 1])[:, None]
    cycle, swap = torch.tensor([1, 2, 3, 4, 0]), torch.tensor([1, 0, 2, 4, 3])
    return [
        (torch.relu, x, cycle),
        (torch.relu, x, swap),
        (attention, x, cycle),
        (attention, x, swap),
        (mean, x, cycle),
        (lambda z: z * weights, x, cycle),
        (lambda z: z + positions, x, cycle),
        (lambda z: attention(z + positions), x, swap),
        (lambda z: positions.expand_as(z), x, swap),
        (lambda z: z.cumsum(dim=1), x, cycle),
        (lambda z: z + positions / 1000, x, cycle),
        (lambda z: z + late, x, swap),
        (lambda z: z.flip(1), x, cycle),
    ]


LAYERS = {  # what each layer does, and whether it is equivariant
    "a ReLU": True,
    "a ReLU, with two pairs of tokens exchanged": True,
    "attention": True,
    "attention, with two pairs of tokens exchanged": True,
    "the mean over the tokens": True,
    "a layer that multiplies each window by a number of its own": True,
    "a layer that adds positions": False,
    "attention with positions": False,
    "a layer that gives the same for every input": False,
    "cumsum over the tokens": False,
    "a layer that adds tiny positions": False,
    "a layer that adds positions to the last two tokens": False,
    "a layer that turns the order of the tokens round": False,
}


_close = torch.allclose

# Does the output of x (B, N, C) follow when its N tokens are permuted? Of each layer, True or False.
exercise_5_answers = Exercise(
    right=lambda layers: list(LAYERS.values()),
    mistakes={
        "Your test says yes to every layer. It must compare two different things, one of them made from "
        "x[:, order].": _of_all(lambda f, x, order: True),
        "Your test says no to every layer, even to those that pass.": _of_all(lambda f, x, order: False),
        "Yes and no are exchanged: return True where permuted tokens give the permuted output.": (
            _of_all(lambda f, x, order: not _close(f(x[:, order]), f(x)[:, order]))
        ),
        "You forgive too much: positions a thousandth as large are a difference. Allow for rounding only.": (
            _of_all(lambda f, x, order: _close(f(x[:, order]), f(x)[:, order], atol=1e-2))
        ),
        "Only the input is permuted. That asks whether the output stays as it is; compare with the permuted "
        "output.": _of_all(lambda f, x, order: _close(f(x[:, order]), f(x))),
        "Only the output is permuted: the layer must be given permuted tokens too, in a second call.": (
            _of_all(lambda f, x, order: _close(f(x), f(x)[:, order]))
        ),
        "The output is put in the inverse order: take the same order for the tokens and for the output.": (
            _of_all(lambda f, x, order: _close(f(x[:, order]), f(x)[:, order.argsort()]))
        ),
        "A sum over the tokens does not see their order, so it agrees where tokens do not. Compare token by token.": (
            _of_all(lambda f, x, order: _close(f(x[:, order]).sum(dim=1), f(x)[:, order].sum(dim=1)))
        ),
        "You permute the windows, the first axis. The tokens are the second.": (
            _of_all(lambda f, x, order: _close(f(x[order]), f(x)[order]))
        ),
        "You permute the channels, the last axis. The tokens are the second.": (
            _of_all(lambda f, x, order: _close(f(x[..., order]), f(x)[..., order]))
        ),
        "You ask for equality to the last bit. Permuted numbers are summed in another order: allow for rounding.": (
            _of_all(lambda f, x, order: torch.equal(f(x[:, order]), f(x)[:, order]))
        ),
        "Only the first token is compared: all of them must agree.": (
            _of_all(lambda f, x, order: _close(f(x[:, order])[:, 0], f(x)[:, order[0]]))
        ),
        "Your test does not use the tokens `x`: among tokens that are all alike a change of order does not show.": (
            _of_all(lambda f, x, order: _close(f(torch.ones_like(x)), f(torch.ones_like(x))[:, order]))
        ),
        "Some number that agrees is not enough: all of them must.": (
            _of_all(lambda f, x, order: bool(torch.isclose(f(x[:, order]), f(x)[:, order]).any()))
        ),
    },
    cases=lambda: [(_layers(),)],
    name="the list of answers",
    remark="Attention passes, added positions fail: they are where a transformer gets its sense of order.",
)


def exercise_5(is_equivariant):
    """One answer for each layer."""

    given = []

    def answers(layers):
        given[:] = _of_all(is_equivariant)(layers)
        if any(getattr(answer, "ndim", 0) for answer in given):
            raise Wrong("Answer with one True or False for all the numbers together, not with one for each.")
        if any(isinstance(answer, str) for answer in given):
            raise Wrong("Answer with True or False themselves, not with a text.")
        return given

    try:
        return exercise_5_answers(answers)
    except Wrong as wrong:
        if not str(wrong).startswith(exercise_5_answers.name):
            raise
    layer = next(layer for layer, answer in zip(LAYERS, given, strict=True) if bool(answer) != LAYERS[layer])
    raise Wrong(f"Your test says {bool(given[list(LAYERS).index(layer)])} for {layer}, expected {LAYERS[layer]}.")


def _cost(tokens: int, width: int) -> int:
    return 4 * tokens * width**2 + 2 * tokens**2 * width


# Multiply-adds of one attention layer.
exercise_6_cost = Exercise(
    right=_cost,
    mistakes={
        "One product with weights is missing: queries, keys, values and the output projection.": (
            lambda N, C: 3 * N * C**2 + 2 * N**2 * C
        ),
        "The N x N matrix costs twice: when its scores are made, and when it sums the values.": (
            lambda N, C: 4 * N * C**2 + N**2 * C
        ),
        "N and C are exchanged: the weights are C x C, the scores N x N.": lambda N, C: _cost(C, N),
        "The products with the C x C weights are missing.": lambda N, C: 2 * N**2 * C,
        "One multiplication with its addition counts as one, not as two.": lambda N, C: 2 * _cost(N, C),
    },
    cases=[(5, 3), (17, 32), (1377, 32)],
    fields=lambda N, C: {"N": N, "C": C},
    name="multiply_adds({N}, {C})",
)


def _poseformer(frames: int) -> int:
    return frames * _cost(17, 32) + _cost(frames, 17 * 32)


def _window(
    ratio: float, poseformer: Callable = _poseformer, windows: range = range(1, 5_000, 2), exact: bool = True
) -> int:
    """The first of the windows at which Fig. 1(b) costs `ratio` times PoseFormer's two layers, or 0."""
    for frames in windows:
        least = ratio * poseformer(frames)
        if _cost(17 * frames, 32) > least or (exact and _cost(17 * frames, 32) == least):
            return frames
    return 0


RATIOS = 0.05, 0.07, 0.5, 1, 1.5, 2, 4, 8, 16, 20  # the last two are out of reach

# Where Fig. 1(b) costs that many times as much.
exercise_6_window = Exercise(
    right=_of_all(_window),
    mistakes={
        "PoseFormer's spatial stage runs for every frame of the window, not once.": (
            _of_all(lambda ratio: _window(ratio, lambda F: _cost(17, 32) + _cost(F, 17 * 32)))
        ),
        "The joints of all frames are one sequence in your spatial stage. Each frame is a sequence of its own.": (
            _of_all(lambda ratio: _window(ratio, lambda F: _cost(17 * F, 32) + _cost(F, 17 * 32)))
        ),
        "The temporal stage's tokens hold a whole frame: they are J*c wide, not c.": (
            _of_all(lambda ratio: _window(ratio, lambda F: F * _cost(17, 32) + _cost(F, 32)))
        ),
        "The spatial stage is missing from PoseFormer's cost.": (
            _of_all(lambda ratio: _window(ratio, lambda F: _cost(F, 17 * 32)))
        ),
        "The temporal stage is missing from PoseFormer's cost.": (
            _of_all(lambda ratio: _window(ratio, lambda F: F * _cost(17, 32)))
        ),
        "A window has a center frame, so its number of frames must be odd.": (
            _of_all(lambda ratio: _window(ratio, windows=range(1, 5_000)))
        ),
        "These are numbers of tokens: the question is for frames.": _of_all(lambda ratio: 17 * _window(ratio)),
        "These are the largest windows. Stop at the first that is long enough.": (
            _of_all(lambda ratio: _window(ratio, windows=range(4_999, 0, -2)))
        ),
        "A window that costs exactly the ratio times as much counts too.": (
            _of_all(lambda ratio: _window(ratio, exact=False))
        ),
        "Look no further than 4,999 frames: where none of these windows will do, the answer is 0.": (
            _of_all(lambda ratio: _window(ratio, windows=range(1, 20_000, 2)))
        ),
    },
    cases=[([(ratio,) for ratio in RATIOS],)],
    name=f"smallest_window for the ratios {RATIOS}",
)


def exercise_6(multiply_adds, smallest_window):
    """What a layer costs, and the window at which the costs of two designs meet."""
    exercise_6_cost(multiply_adds)
    exercise_6_window(_of_all(smallest_window))
    return (
        f"The two cost the same between {_window(1) - 2} and {_window(1)} frames. Fig. 1(b) never costs J = 17 times "
        "as much, because its tokens are narrow. What grows out of hand is the number of pairs."
    )
