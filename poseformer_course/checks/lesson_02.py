"""Checkers of lesson 02, tokenization."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from poseformer_course.checks.judge import NotAnswered, Wrong, compare
from poseformer_lite.model.attention import MultiHeadSelfAttention


def exercise_1(frame_tokens):
    """frame_tokens(poses_2d, embed): (B, F, J, 2) -> (B, F, D), the 2J numbers of each frame embedded as one token."""
    for B, F, J, D in [(2, 3, 5, 7), (3, 5, 4, 6)]:
        poses = _random(B, F, J, 2)
        embed = _Embedding(2 * J, D, {2: "one joint", F * J * 2: "the whole window", 2 * F: "one joint's path"})
        scrambled = embed(poses.transpose(1, 2).reshape(B, F, 2 * J))
        x_then_y = embed(poses.transpose(2, 3).flatten(2))
        hints = {
            "Frames and joints were exchanged and the numbers cut anew, so one token holds joints of several frames. "
            "The axes stand in the right order already.": scrambled,
            "In each token all x come first and then all y. Keep the x and y of a joint side by side.": x_then_y,
            "The windows of the batch have been joined: keep B and F apart.": embed(poses.flatten(2)).flatten(0, 1),
            "The vectors are the right ones, but nothing has been embedded: hand them to embed.": poses.flatten(2),
        }
        compare(
            frame_tokens(poses.clone(), embed), embed(poses.flatten(2)), hints, name="frame_tokens(poses_2d, embed)"
        )
    return "You merged the last two axes and no others, so no number left its frame."


def exercise_2(joint_tokens):
    """joint_tokens(poses_2d, embed): (B, F, J, 2) -> (B, F*J, C), every joint of the window embedded as one token."""
    for B, F, J, C in [(2, 3, 5, 4), (3, 4, 7, 6)]:
        poses = _random(B, F, J, 2)
        embed = _Embedding(2, C, {2 * J: "one frame", F * J: "one coordinate of all joints"})
        tokens = embed(poses)  # (B, F, J, C)
        torn = embed(poses.reshape(B, 2, F * J).transpose(1, 2))
        hints = {
            "The tokens come joint by joint, all frames of the hip first. Let frame follow frame, each with its joints "
            "together.": tokens.transpose(1, 2).flatten(1, 2),
            "Frames and joints are still two axes. Merge them into one sequence of F*J tokens.": tokens,
            "Each frame is a sequence of its own here, as in PoseFormer's spatial stage. In Fig. 1(b) all frames of a "
            "window share one sequence: keep B, and merge F with J.": tokens.flatten(0, 1),
            "The batch has been merged too, so joints of different windows would see each other.": tokens.flatten(0, 2),
            "A token holds two numbers that are not the x and y of one joint: their axis must stay the last.": torn,
            "The joints stand in one sequence, but nothing has been embedded: call embed.": poses.flatten(1, 2),
        }
        compare(joint_tokens(poses, embed), tokens.flatten(1, 2), hints, name="joint_tokens(poses_2d, embed)")
    return "The same small embedding served every joint, and no joint has seen another yet."


def exercise_3(attention_pairs):
    """attention_pairs(frames, joints): what one layer compares in Fig. 1(a), in Fig. 1(b), and in PoseFormer's two."""
    for f, j in [(3, 2), (9, 17), (81, 17), (27, 15)]:
        n = f * j
        hints = {
            "You counted tokens. Attention compares every token with every token of its sequence.": (f, n, n + f),
            "PoseFormer's spatial stage runs for every frame of the window, not once.": (f**2, n**2, j**2 + f**2),
            "PoseFormer's second stage is missing: after the joints, the frames are compared.": (f**2, n**2, f * j**2),
            "A pair of a token with itself counts as well: N tokens make N times N pairs.": (
                f * (f - 1),
                n * (n - 1),
                n * (j - 1) + f * (f - 1),
            ),
            "Each pair is counted once. That token 1 looks at 2, and 2 at 1, are two entries of the matrix.": (
                f * (f - 1) // 2,
                n * (n - 1) // 2,
                n * (j - 1) // 2 + f * (f - 1) // 2,
            ),
            "In Fig. 1(b) a joint is compared with the joints of all frames, not of its own alone.": (
                f**2,
                f * j**2,
                f * j**2 + f**2,
            ),
        }
        hints["PoseFormer's two stages come one after the other: add their pairs."] = f**2, n**2, f * j**2 * f**2
        hints["Frames and joints are exchanged: Fig. 1(a) has a token for each frame."] = j**2, n**2, j * f**2 + j**2
        right = f**2, n**2, f * j**2 + f**2
        compare(attention_pairs(f, j), right, hints, name=f"attention_pairs({f}, {j})")
    return "Fig. 1(b) grows with the square of F*J, PoseFormer with the square of F and F times a constant."


def exercise_4(add_positions):
    """add_positions(tokens, spatial, temporal): (B, F*J, C) plus each token's joint and frame embedding."""
    for B, F, J, C in [(2, 3, 5, 4), (3, 4, 2, 6)]:
        tokens, spatial, temporal = _random(B, F * J, C), _random(J, C), _random(F, C)
        joint, frame = spatial.repeat(F, 1), temporal.repeat_interleave(J, dim=0)  # (F*J, C), (F*J, C)
        positions = joint + frame  # (F*J, C)
        exchanged = spatial.repeat_interleave(F, dim=0) + temporal.repeat(J, 1)
        everywhere = positions.expand(B, -1, -1)
        hints = {
            "Joints and frames are exchanged, as if all frames of the hip came first. In the sequence the J joints of "
            "the first frame come first, then those of the second.": tokens + exchanged,
            "The frame's embedding is missing: the hip of one frame cannot be told from that of the next.": tokens
            + joint,
            "The joint's embedding is missing: within a frame all joints have got the same.": tokens + frame,
            "Your frame's rows alternate inside a frame. All J joints of a frame get the same one, before the next "
            "frame's turn comes.": tokens + joint + temporal.repeat(J, 1),
            "Your joint's rows stay for several tokens. Each frame goes through all J of them, one a token.": tokens
            + spatial.repeat_interleave(F, dim=0)
            + frame,
            "A joint's and a frame's row are multiplied: add them.": tokens + joint * frame,
            "Frames and joints are still two axes. Merge them into one, as in tokens.": (tokens + positions).unflatten(
                1, (F, J)
            ),
            "Positions are added, not multiplied: one that is zero would wipe out its token.": tokens * positions,
            "The embeddings stand beside the tokens and make them wider: add them.": torch.cat(
                [tokens, everywhere], -1
            ),
            "These are the positions alone: what the tokens held is lost.": everywhere,
            "The same, but only for one window: keep the batch.": positions,
        }
        answer = add_positions(tokens.clone(), spatial, temporal)
        compare(answer, tokens + positions, hints, name="add_positions(tokens, spatial, temporal)")
    return "F + J learned rows have given F * J tokens a name each."


def exercise_5(is_equivariant):
    """is_equivariant(layer, x, order): does the output of x (B, N, C) follow when its N tokens are permuted?"""
    cases = _equivariance_cases()
    answers = [is_equivariant(*case) for case, _ in cases]
    if any(answer is None for answer in answers):
        raise NotAnswered
    if any(getattr(answer, "ndim", 0) for answer in answers):
        raise Wrong("Answer with one True or False for all the numbers together, not with one for each.")

    mistakes = {hint: [wrong(*case) for case, _ in cases] for hint, wrong in _EQUIVARIANCE_MISTAKES.items()}
    compare(answers, [right for _, right in cases], mistakes, name="the list of answers for eleven layers")
    return "Attention passes, added positions fail: they are where a transformer gets its sense of order."


def exercise_6(multiply_adds, smallest_window):
    """multiply_adds(tokens, width) of one attention layer; smallest_window(ratio): where Fig. 1(b) costs that much."""
    for N, C in [(5, 3), (17, 32), (1377, 32)]:
        weights, scores = N * C**2, N**2 * C
        hints = {
            "One product with weights is missing: queries, keys, values and the output projection.": 3 * weights
            + 2 * scores,
            "The N x N matrix costs twice: when its scores are made, and when it sums the values.": 4 * weights
            + scores,
            "N and C are exchanged: the weights are C x C, the scores N x N.": 4 * scores + 2 * weights,
            "The products with the C x C weights are missing.": 2 * scores,
            "One multiplication with its addition counts as one, not as two.": 8 * weights + 4 * scores,
        }
        compare(multiply_adds(N, C), 4 * weights + 2 * scores, hints, name=f"multiply_adds({N}, {C})")

    ratios = 0.05, 0.07, 0.5, 1, 1.5, 2, 4, 8, 16, 20
    answers = [smallest_window(ratio) for ratio in ratios]
    if any(answer is None for answer in answers):
        raise NotAnswered
    mistakes = {hint: [wrong(ratio) for ratio in ratios] for hint, wrong in _WINDOW_MISTAKES.items()}
    compare(answers, [_window(ratio) for ratio in ratios], mistakes, name=f"smallest_window for the ratios {ratios}")
    return (
        f"The two cost the same between {answers[3] - 2} and {answers[3]} frames. Fig. 1(b) never costs J = 17 times "
        "as much, because its tokens are narrow. What grows out of hand is the number of pairs."
    )


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


def _equivariance_cases() -> list[tuple]:
    """((layer, x, order), is it equivariant). As many windows as tokens as channels: every axis can be taken."""
    N = 5
    x, positions = _random(N, N, N).double(), 2 * _random(N, N).double()
    weights = torch.arange(1, N + 1).view(N, 1, 1)  # another for each window
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        attention = MultiHeadSelfAttention(N, num_heads=1).double().requires_grad_(False)

    def mean(tokens):
        return tokens.mean(dim=1, keepdim=True).expand_as(tokens)

    cycle, swap = torch.tensor([1, 2, 3, 4, 0]), torch.tensor([1, 0, 2, 4, 3])
    return [
        ((torch.relu, x, cycle), True),
        ((torch.relu, x, swap), True),
        ((attention, x, cycle), True),
        ((attention, x, swap), True),
        ((mean, x, cycle), True),
        ((lambda z: z * weights, x, cycle), True),
        ((lambda z: z + positions, x, cycle), False),
        ((lambda z: attention(z + positions), x, swap), False),
        ((lambda z: positions.expand_as(z), x, swap), False),
        ((lambda z: z.cumsum(dim=1), x, cycle), False),
        ((lambda z: z + positions / 1000, x, cycle), False),
    ]


_close = torch.allclose
_EQUIVARIANCE_MISTAKES = {
    "Your test says yes to every layer. It must compare two different things, one of them made from x[:, order].": (
        lambda f, x, order: True
    ),
    "Your test says no to every layer, even to those that pass.": lambda f, x, order: False,
    "Yes and no are exchanged: return True where permuted tokens give the permuted output.": (
        lambda f, x, order: not _close(f(x[:, order]), f(x)[:, order])
    ),
    "You forgive too much: positions a thousandth as large are a difference. Allow for rounding only.": (
        lambda f, x, order: _close(f(x[:, order]), f(x)[:, order], atol=1e-2)
    ),
    "Only the input is permuted. That asks whether the output stays as it is; compare with the permuted output.": (
        lambda f, x, order: _close(f(x[:, order]), f(x))
    ),
    "Only the output is permuted: the layer must be given permuted tokens too, in a second call.": (
        lambda f, x, order: _close(f(x), f(x)[:, order])
    ),
    "The output is put in the inverse order: take the same order for the tokens and for the output.": (
        lambda f, x, order: _close(f(x[:, order]), f(x)[:, order.argsort()])
    ),
    "A sum over the tokens does not see their order, so it agrees where tokens do not. Compare token by token.": (
        lambda f, x, order: _close(f(x[:, order]).sum(dim=1), f(x)[:, order].sum(dim=1))
    ),
    "You permute the windows, the first axis. The tokens are the second.": (
        lambda f, x, order: _close(f(x[order]), f(x)[order])
    ),
    "You permute the channels, the last axis. The tokens are the second.": (
        lambda f, x, order: _close(f(x[..., order]), f(x)[..., order])
    ),
    "You ask for equality to the last bit. Permuted numbers are summed in another order: allow for rounding.": (
        lambda f, x, order: torch.equal(f(x[:, order]), f(x)[:, order])
    ),
    "Some number that agrees is not enough: all of them must.": (
        lambda f, x, order: bool(torch.isclose(f(x[:, order]), f(x)[:, order]).any())
    ),
}


def _cost(tokens: int, width: int) -> int:
    return 4 * tokens * width**2 + 2 * tokens**2 * width


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


_WINDOW_MISTAKES = {
    "PoseFormer's spatial stage runs for every frame of the window, not once.": (
        lambda ratio: _window(ratio, lambda F: _cost(17, 32) + _cost(F, 17 * 32))
    ),
    "The joints of all frames are one sequence in your spatial stage. Each frame is a sequence of its own.": (
        lambda ratio: _window(ratio, lambda F: _cost(17 * F, 32) + _cost(F, 17 * 32))
    ),
    "The temporal stage's tokens hold a whole frame: they are J*c wide, not c.": (
        lambda ratio: _window(ratio, lambda F: F * _cost(17, 32) + _cost(F, 32))
    ),
    "The spatial stage is missing from PoseFormer's cost.": (lambda ratio: _window(ratio, lambda F: _cost(F, 17 * 32))),
    "The temporal stage is missing from PoseFormer's cost.": (
        lambda ratio: _window(ratio, lambda F: F * _cost(17, 32))
    ),
    "A window has a centre frame, so its number of frames must be odd.": (
        lambda ratio: _window(ratio, windows=range(1, 5_000))
    ),
    "These are numbers of tokens: the question is for frames.": lambda ratio: 17 * _window(ratio),
    "These are the largest windows. Stop at the first that is long enough.": (
        lambda ratio: _window(ratio, windows=range(4_999, 0, -2))
    ),
    "A window that costs exactly the ratio times as much counts too.": lambda ratio: _window(ratio, exact=False),
    "Look no further than 4,999 frames: where none of these windows will do, the answer is 0.": (
        lambda ratio: _window(ratio, windows=range(1, 20_000, 2))
    ),
}
