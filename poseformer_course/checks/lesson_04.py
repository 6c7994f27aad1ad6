"""Checkers of lesson 04: LayerNorm, residuals, stochastic depth, and the layers of an encoder."""

import torch
from torch import Tensor, nn

from poseformer_course.checks.classes import call, like
from poseformer_course.checks.judge import Exercise, Wrong, compare
from poseformer_lite.model.encoder import EncoderBlock


def _fitting(hint, answer, *args):
    """The answer's value; where its tensors do not fit each other, Wrong with the hint."""
    try:
        return answer(*args)
    except RuntimeError as error:
        if "must match the size" not in str(error):
            raise
    raise Wrong(hint)


def _layer_norm(over=-1, center=1.0, unbiased=False, divisor=None, affine=None):
    """LayerNorm with other statistics, another divisor(variance, eps), or another affine(normalized, gain, shift)."""
    divisor = divisor or (lambda variance, eps: (variance + eps).sqrt())
    affine = affine or (lambda normalized, gain, shift: gain * normalized + shift)

    def answer(x, gain, shift, eps):
        mean, variance = x.mean(over, keepdim=True), x.var(over, keepdim=True, unbiased=unbiased)
        return affine((x - center * mean) / divisor(variance, eps), gain, shift)

    return answer


DRAW = torch.Generator().manual_seed(1)
X = torch.randn(3, 4, 5, generator=DRAW) * 3 + 1  # (B, N, C)
GAIN, SHIFT = torch.randn(2, 5, generator=DRAW)
OWN = "each token has its own, over its channels, the last axis."

# LayerNorm by hand, (B, N, C) -> (B, N, C).
exercise_1_result = Exercise(
    right=_layer_norm(),
    mistakes={
        f"Mean and variance run over the tokens of a sequence: {OWN}": _layer_norm(over=1),
        f"Mean and variance run over the batch, so that a sample depends on the others: {OWN}": _layer_norm(over=0),
        f"This is BatchNorm, over samples and tokens: {OWN}": _layer_norm(over=(0, 1)),
        f"Mean and variance run over tokens and channels together: {OWN}": _layer_norm(over=(1, 2)),
        f"Mean and variance are those of the whole tensor: {OWN}": _layer_norm(over=(0, 1, 2)),
        "The variance is divided by C - 1: LayerNorm divides the sum of squares by C.": _layer_norm(unbiased=True),
        "The mean is not taken away: divide the differences from the mean, not the values.": _layer_norm(center=0.0),
        "Epsilon stands beside the root: it belongs under the root, with the variance.": (
            _layer_norm(divisor=lambda variance, eps: variance.sqrt() + eps)
        ),
        "Epsilon is missing, or it is not the `eps` handed in: without it, equal channels would divide by zero.": (
            _layer_norm(divisor=lambda variance, eps: variance.sqrt())
        ),
        "You divide by the variance: divide by its square root.": (
            _layer_norm(divisor=lambda variance, eps: variance + eps)
        ),
        "Gain and shift are not used: after normalizing, multiply by the gain and add the shift.": (
            _layer_norm(affine=lambda normalized, gain, shift: normalized)
        ),
        "The shift is missing: add it after the gain.": (
            _layer_norm(affine=lambda normalized, gain, shift: gain * normalized)
        ),
        "Gain and shift have changed places: the gain multiplies, the shift is added.": (
            _layer_norm(affine=lambda normalized, gain, shift: shift * normalized + gain)
        ),
        "The shift is added before the gain multiplies: multiply first, then add.": (
            _layer_norm(affine=lambda normalized, gain, shift: gain * (normalized + shift))
        ),
    },
    cases=[
        (X, GAIN, SHIFT, 0.5),  # a large epsilon, so that it shows where it stands
        (torch.full((1, 2, 5), 7.0), GAIN, SHIFT, 1e-6),
    ],
    fields=lambda x, gain, shift, eps: {"what": "the result" if len(x) > 1 else "a token of five equal numbers"},
    name="{what}",
    remark="The gain and the shift are all that LayerNorm learns; how large a token was, it forgets.",
)


def exercise_1(answer):
    """The result, where the sizes fit."""
    kept = "The sizes do not fit: a mean or variance over an axis loses this axis, unless keepdim=True keeps it."
    return exercise_1_result(lambda *given: _fitting(kept, answer, *given))


def _block_and_tokens() -> tuple[EncoderBlock, Tensor]:
    """A layer whose norms differ in gain and shift, and tokens (2, 3, 8) for it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        block = EncoderBlock(8, num_heads=2)
        for norm in (block.norm1, block.norm2):
            nn.init.normal_(norm.weight, 1.0, 0.5)
            nn.init.normal_(norm.bias, 0.0, 0.5)
        return block.requires_grad_(False), torch.randn(2, 3, 8) * 2


def _layer_case() -> tuple:
    block, x = _block_and_tokens()
    return x, block.attn, block.mlp, block.norm1, block.norm2


def _plus(x, branch, norm):
    """A residual with a norm in its branch, as in Eq. 6 and 7."""
    return x + branch(norm(x))


def _bare(x: Tensor) -> Tensor:
    """No norm."""
    return x


def _pre_norm(x, attn, mlp, norm1, norm2):
    return _plus(_plus(x, attn, norm1), mlp, norm2)


# The output of a layer, Eq. 6 and 7: (B, N, C) -> (B, N, C).
exercise_2 = Exercise(
    right=_pre_norm,
    mistakes={
        "The norms stand after the sums, which is post-norm: they go into the branches.": (
            lambda x, attn, mlp, norm1, norm2: norm2(_plus(norm1(_plus(x, attn, _bare)), mlp, _bare))
        ),
        "The norms are left out: each branch begins with a LayerNorm of its own.": (
            lambda x, attn, mlp, norm1, norm2: _pre_norm(x, attn, mlp, _bare, _bare)
        ),
        "The norms come after attention and MLP: in Eq. 6 and 7 they come before.": (
            lambda x, attn, mlp, norm1, norm2: _plus(_plus(x, norm1, attn), norm2, mlp)
        ),
        "The residuals are missing: each branch is added to what went into it.": (
            lambda x, attn, mlp, norm1, norm2: mlp(norm2(attn(norm1(x))))
        ),
        "Eq. 7 is missing: the MLP and its norm are still to come.": (
            lambda x, attn, mlp, norm1, norm2: _plus(x, attn, norm1)
        ),
        "The residual of Eq. 6 is missing: the attention's output is added to x.": (
            lambda x, attn, mlp, norm1, norm2: _plus(attn(norm1(x)), mlp, norm2)
        ),
        "The residual of Eq. 7 is missing: the MLP's output is added to Z'.": (
            lambda x, attn, mlp, norm1, norm2: mlp(norm2(_plus(x, attn, norm1)))
        ),
        "The normed tokens are added: the sum takes x itself, the branch sees it normed.": (
            lambda x, attn, mlp, norm1, norm2: _plus(norm2(_plus(norm1(x), attn, _bare)), mlp, _bare)
        ),
        "The MLP gets Z' without a norm: Eq. 7 has LN(Z') in the branch.": (
            lambda x, attn, mlp, norm1, norm2: _pre_norm(x, attn, mlp, norm1, _bare)
        ),
        "The attention gets x without a norm: Eq. 6 has LN(Z) in the branch.": (
            lambda x, attn, mlp, norm1, norm2: _pre_norm(x, attn, mlp, _bare, norm2)
        ),
        "The MLP sees x, beside the attention: in Eq. 7 it sees Z', the result of Eq. 6.": (
            lambda x, attn, mlp, norm1, norm2: _plus(x, attn, norm1) + mlp(norm2(x))
        ),
        "The MLP sees the attention's output alone: in Eq. 7 it sees Z'.": (
            lambda x, attn, mlp, norm1, norm2: x + _plus(attn(norm1(x)), mlp, norm2)
        ),
        "Eq. 7 adds x: it must add Z', or the attention's change is lost.": (
            lambda x, attn, mlp, norm1, norm2: x + mlp(norm2(_plus(x, attn, norm1)))
        ),
        "norm1 is used twice: the MLP has a norm of its own, norm2.": (
            lambda x, attn, mlp, norm1, norm2: _pre_norm(x, attn, mlp, norm1, norm1)
        ),
        "norm1 and norm2 have changed places: norm1 belongs to the attention.": (
            lambda x, attn, mlp, norm1, norm2: _pre_norm(x, attn, mlp, norm2, norm1)
        ),
        "The MLP comes before the attention: Eq. 6 is first.": (
            lambda x, attn, mlp, norm1, norm2: _pre_norm(x, mlp, attn, norm2, norm1)
        ),
    },
    cases=lambda: [_layer_case()],
    name="the layer's output",
    remark="These two lines are the transformer; the rest of this lesson is about why they look as they do.",
)


def exercise_3(answer):
    """drop_samples(branch, rate, training)."""
    rate = 0.25
    with torch.random.fork_rng(devices=[]):  # the learner's own random numbers stay as they were
        torch.manual_seed(3)
        _judge_out_of_training(answer, rate)
        given = torch.ones(1000, 4, 3, 5)
        fit = "The coins do not fit the branch: one for each sample, of the shape (B, 1, 1), fits tokens and channels."
        batches = [_fitting(fit, answer, batch, rate, True) for batch in given]
    compare(batches[0] * 0, torch.zeros(4, 3, 5), name="in training the result times zero")  # shape, NaN
    if (given != 1).any():
        raise Wrong("`branch` itself has changed: leave what you were given, and return a new tensor.")
    _judge_coins(torch.stack(batches), rate)
    return "In evaluation nothing has to be scaled, because training kept the mean."


def _judge_out_of_training(answer, rate: float) -> None:
    branch = torch.rand(20, 3, 5) + 1
    whole = answer(branch.clone(), rate, False)
    mistakes = {
        "Out of training you multiply by 1 - rate: leave it, training has kept the mean.": (1 - rate) * branch,
        "Out of training you divide by 1 - rate: leave it, nothing is dropped there.": branch / (1 - rate),
    }
    if whole is not None and 0 < (torch.as_tensor(whole) == 0).sum() < branch.numel():
        raise Wrong("Samples are dropped although training is False: then the branch is left alone.")
    compare(whole, branch, mistakes, name="out of training the result")


def _judge_coins(dropped, rate: float) -> None:
    """Raise Wrong unless each sample of many batches of ones was kept, enlarged, or dropped by a coin of its own."""
    lost = dropped == 0  # (batches, B, N, C)
    numbers = lost[:, :, 0, 0].float().sum(dim=1)  # samples dropped in each batch
    share = lost.float().mean().item()
    if not lost.any():
        raise Wrong("No sample is dropped in training: each must throw a coin.")
    if not (lost == lost[:, :, :1, :1]).all():
        tokens, channels = (lost == lost[..., :1]).all(), (lost == lost[:, :, :1]).all()
        what = "Tokens" if tokens else "Channels" if channels else "Single numbers, as in dropout,"
        raise Wrong(f"{what} are dropped one by one: a sample loses its branch whole, so it throws a single coin.")
    if numbers.unique().tolist() == [0, 4]:
        raise Wrong("All samples of the batch share one coin: each sample needs its own.")
    if len(numbers.unique()) == 1:
        raise Wrong("Each batch of 4 loses the same number of samples: in each call, throw a new coin for each sample.")
    if abs(share - (1 - rate)) < 0.05:
        raise Wrong("You keep with probability rate and drop the others: rate is the probability of being dropped.")
    if abs(share - rate) > 0.05:
        raise Wrong(f"With a rate of {rate}, {share:.0%} of the samples are dropped.")
    mistakes = {
        "The kept samples are not enlarged: divided by 1 - rate, they make up for those that are dropped.": 1.0,
        "The kept samples are multiplied by 1 - rate: that shrinks the mean once more; divide.": 1 - rate,
        "The kept samples are divided by rate: divide by the probability of being kept.": 1 / rate,
        "The kept samples are multiplied by rate: divide by the probability of being kept.": rate,
    }
    if not 0.55 < numbers.var() / (4 * rate * (1 - rate)) < 1.45:
        raise Wrong("Whether a sample is dropped depends on the other samples: each must throw a coin of its own.")
    compare(dropped[~lost].mean(), 1 / (1 - rate), mistakes, name="a kept sample of a branch of ones")


class _EveryOther(nn.Module):
    """Drops every other channel; stands in for stochastic depth, so that it shows where it is used."""

    def forward(self, branch):
        return branch * (torch.arange(branch.shape[-1]) % 2)


reference_4 = EncoderBlock


def _on_parts(answer):
    """A function of a block, from one of its tokens and parts."""
    return lambda block, x: answer(x, block.attn, block.mlp, block.norm1, block.norm2)


def _then(first, second):
    return lambda x: second(first(x))


def _with_eight_heads(block, x):
    block.attn.num_heads, block.attn.head_dim = 8, 1
    return block(x)


def _dropping() -> tuple:
    block, x = _block_and_tokens()
    block.drop_path = _EveryOther()
    return block, x


# The class's output with given weights, (B, N, C) -> (B, N, C).
exercise_4_output = Exercise(
    right=lambda block, x: block(x),
    mistakes={hint: _on_parts(wrong) for hint, wrong in exercise_2.mistakes.items()}
    | {
        "The stochastic depth is gone: put self.drop_path round each branch, inside the sum.": _on_parts(_pre_norm),
        "The MLP's branch is never dropped: self.drop_path goes round both branches.": (
            lambda block, x: _plus(x + block.drop_path(block.attn(block.norm1(x))), block.mlp, block.norm2)
        ),
        "The attention's branch is never dropped: self.drop_path goes round both branches.": (
            lambda block, x: _plus(_plus(x, block.attn, block.norm1), _then(block.mlp, block.drop_path), block.norm2)
        ),
        "self.drop_path is round the sum: it goes round the branch alone, or the tokens are dropped with it.": (
            lambda block, x: block.drop_path(
                _plus(block.drop_path(_plus(x, block.attn, block.norm1)), block.mlp, block.norm2)
            )
        ),
        "self.drop_path stands before attention and MLP: it drops what they give.": (
            lambda block, x: _pre_norm(
                x, block.attn, block.mlp, _then(block.norm1, block.drop_path), _then(block.norm2, block.drop_path)
            )
        ),
        "norm1 and norm2 are one LayerNorm: each branch has its own.": (
            lambda block, x: _pre_norm(x, block.attn, block.mlp, block.norm2, block.norm2)
        ),
        "The attention does not get its number of heads: hand it the argument num_heads.": _with_eight_heads,
    },
    cases=lambda: [_block_and_tokens(), _dropping()],
    name="the layer's output",
)


def exercise_4(answer):
    """The class EncoderBlock: its parts by name, their sizes, and its output."""

    def output(block, x):
        made = like(answer, block, 8, 2)
        if not isinstance(getattr(made, "drop_path", None), nn.Module):
            raise Wrong("The stochastic depth is missing: self.drop_path = StochasticDepth(drop_path).")
        for name, part in made.named_children():
            if name == "drop_path" or hasattr(part, "rate"):  # one for each branch is right as well
                setattr(made, name, block.drop_path)
        return call(made, x)

    exercise_4_output(output)
    if {answer(8, 2).norm1.eps, answer(8, 2).norm2.eps} != {1e-6}:
        raise Wrong("The eps of both LayerNorms is 1e-6 here, and PyTorch takes 1e-5: say nn.LayerNorm(dim, eps=1e-6).")
    if answer(8, 2, 3.0).state_dict()["mlp.fc1.weight"].shape[0] != 24:
        raise Wrong("The hidden width is always the same: it is int(dim * mlp_ratio).")
    drop = answer(8, 2, 2.0, 0.25).drop_path
    if not hasattr(drop, "rate"):
        raise Wrong(
            f"`drop_path` is a {type(drop).__name__}, which drops single numbers: take StochasticDepth(drop_path)."
        )
    if drop.rate != 0.25:
        raise Wrong("The stochastic depth does not get its rate: hand it the argument drop_path.")
    return "Four of these, one after the other, are a stage of PoseFormer."


def _count(C: int, ratio: int) -> int:
    with torch.device("meta"):  # the shapes are enough
        return sum(p.numel() for p in EncoderBlock(C, 1, ratio).parameters())


def _less(forgotten):
    """The count without forgotten(C, H) parameters, where H = ratio * C is the hidden width."""
    return lambda C, ratio: _count(C, ratio) - forgotten(C, ratio * C)


# The number of parameters of one layer.
exercise_5 = Exercise(
    right=_count,
    mistakes={
        "All biases are missing, and the LayerNorms' shifts.": _less(lambda C, H: 7 * C + H),
        "The biases of the linear layers are missing: one for every channel given out.": _less(lambda C, H: 5 * C + H),
        "4 C are missing: either the two LayerNorms or the biases of the attention.": _less(lambda C, H: 4 * C),
        "A layer has two LayerNorms, each with a gain and a shift: some of that is missing.": (
            _less(lambda C, H: 2 * C)
        ),
        "The hidden layer is counted as four times as wide, as in ViT: use `ratio`.": lambda C, ratio: _count(C, 4),
        "The hidden layer is counted as always twice as wide: use `ratio`.": lambda C, ratio: _count(C, 2),
        "Queries, keys and values have biases here: 3 C more.": _less(lambda C, H: 3 * C),
        "The attention's projection is missing: a linear layer after the heads (Eq. 4).": (
            _less(lambda C, H: C * C + C)
        ),
        "Queries, keys and values are three layers, not one.": _less(lambda C, H: 2 * (C * C + C)),
        "The MLP's second layer is missing: from the hidden width back to C.": _less(lambda C, H: H * C + C),
        "The MLP's biases are missing: both of its linear layers have them.": _less(lambda C, H: H + C),
        "The hidden layer's biases are missing: one for each hidden channel.": _less(lambda C, H: H),
        "The hidden layer has ratio * C channels, so it has as many biases.": _less(lambda C, H: H - C),
        "The weights of one C by C matrix are missing: the attention has four of them.": _less(lambda C, H: C * C),
        "C is missing: one of the linear layers that give out C channels has no bias.": _less(lambda C, H: C),
        "The MLP's second layer gives out C channels, so it has C biases.": _less(lambda C, H: C - H),
    },
    cases=[(17, 6), (4, 2), (544, 2)],  # with 17 and 6, every mistake has a number of its own
    fields=lambda C, ratio: {"C": C, "ratio": ratio},
    name="the count for C = {C} and ratio = {ratio}",
    tolerance=1e-9,
    remark="The squares rule: some 8 C² of it is weights, half in the attention and half in an MLP of ratio 2.",
)


def _post_norm(x, attn, mlp, norm1, norm2, drop=_bare):
    x = norm1(x + drop(attn(x)))
    return norm2(x + drop(mlp(x)))


# The output of PostNormBlock, from its five parts.
exercise_6_block = Exercise(
    right=_post_norm,
    mistakes={
        "Your block has the norms inside the branches still: they go round the sums.": (
            lambda x, attn, mlp, norm1, norm2, drop: _pre_norm(x, attn, mlp, norm1, norm2)
        ),
        "The norms are round the branches only: they go round the sums.": (
            lambda x, attn, mlp, norm1, norm2, drop: _plus(_plus(x, norm1, attn), norm2, mlp)
        ),
        "The residuals are missing: the norm takes the sum of the branch and what went into it.": (
            lambda x, attn, mlp, norm1, norm2, drop: norm2(mlp(norm1(attn(x))))
        ),
        "norm1 and norm2 have changed places: norm1 follows the attention.": (
            lambda x, attn, mlp, norm1, norm2, drop: _post_norm(x, attn, mlp, norm2, norm1)
        ),
        "The norms stand in both places: take them out of the branches.": (
            lambda x, attn, mlp, norm1, norm2, drop: norm2(_plus(norm1(_plus(x, attn, norm1)), mlp, norm2))
        ),
        "norm1 is used twice: the second sum has norm2.": (
            lambda x, attn, mlp, norm1, norm2, drop: _post_norm(x, attn, mlp, norm1, norm1)
        ),
        "The second norm is missing: the sum after the MLP is normed, too.": (
            lambda x, attn, mlp, norm1, norm2, drop: _post_norm(x, attn, mlp, norm1, _bare)
        ),
        "The stochastic depth is gone: put self.drop_path round each branch, inside the sum.": (
            lambda x, attn, mlp, norm1, norm2, drop: _post_norm(x, attn, mlp, norm1, norm2)
        ),
        "self.drop_path is round the sum: it goes round the branch alone.": (
            lambda x, attn, mlp, norm1, norm2, drop: _post_norm(
                x, attn, mlp, lambda z: norm1(drop(z)), lambda z: norm2(drop(z))
            )
        ),
        "self.drop_path is round the norm: it goes round the branch alone.": (
            lambda x, attn, mlp, norm1, norm2, drop: _post_norm(
                x, attn, mlp, lambda z: drop(norm1(z)), lambda z: drop(norm2(z))
            )
        ),
    },
    cases=lambda: [(*_layer_case(), nn.Identity()), (*_layer_case(), _EveryOther())],
    fields=lambda *parts: {
        "what": "with every other channel of each branch dropped, the output"
        if isinstance(parts[-1], _EveryOther)
        else "the output of PostNormBlock"
    },
    name="{what}",
)


def _length(tensors) -> float:
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).norm().item()


def _per_layer(number=_length):
    """number(gradients) of each layer's parameters, where the loss is the sum of output times direction."""

    def answer(layers, x, direction):
        loss = (nn.Sequential(*layers)(x) * direction).sum()
        return [number(torch.autograd.grad(loss, [*layer.parameters()], retain_graph=True)) for layer in layers]

    return answer


def _between(layers, x, direction) -> list[Tensor]:
    """The lengths of the gradients of the input, of what passes from layer to layer, and of the output."""
    steps = [x.requires_grad_()]
    for layer in layers:
        steps.append(layer(steps[-1]))
    return [gradient.norm() for gradient in torch.autograd.grad((steps[-1] * direction).sum(), steps)]


def _three_layers() -> tuple:
    draw = torch.Generator().manual_seed(5)
    layers = [nn.Linear(4, 5), nn.Linear(5, 3), nn.Linear(3, 6)]
    for parameter in (p for layer in layers for p in layer.parameters()):
        parameter.data = torch.randn(parameter.shape, generator=draw)
    return layers, torch.randn(2, 3, 4, generator=draw) / 9, torch.randn(2, 3, 6, generator=draw)


# The length of the gradient of each layer's parameters, taken as one vector.
exercise_6_gradients = Exercise(
    right=_per_layer(),
    mistakes={
        "The list begins with the last layer: the first layer comes first.": lambda *given: _per_layer()(*given)[::-1],
        "The lengths of weight and bias are added: taken as one vector, their squares are added, then the root.": (
            _per_layer(lambda gradients: sum(g.norm() for g in gradients))
        ),
        "The root is missing: a length is the root of the sum of squares.": (
            _per_layer(lambda gradients: _length(gradients) ** 2)
        ),
        "The biases are missing: all parameters of a layer count.": _per_layer(lambda gradients: gradients[0].norm()),
        "This is the longest of a layer's gradients: all of them count, taken as one vector.": (
            _per_layer(lambda gradients: max(g.norm() for g in gradients))
        ),
        "This is the largest entry of a layer's gradients: wanted is their length.": (
            _per_layer(lambda gradients: max(g.abs().max() for g in gradients))
        ),
        "These are gradients of what goes into each layer: wanted are those of its parameters.": (
            lambda *given: _between(*given)[:-1]
        ),
        "These are gradients of what comes out of each layer: wanted are those of its parameters.": (
            lambda *given: _between(*given)[1:]
        ),
        "These are the lengths of the parameters: wanted are those of their gradients.": (
            lambda layers, x, direction: [_length(layer.parameters()) for layer in layers]
        ),
        "The loss takes the mean: it is the sum of the output times direction.": (
            lambda layers, x, direction: _per_layer()(layers, x, direction / direction.numel())
        ),
        "`direction` is not used: the loss is the sum of the output times direction.": (
            lambda layers, x, direction: _per_layer()(layers, x, torch.ones_like(direction))
        ),
    },
    cases=lambda: [_three_layers()],
    name="the list of lengths",
)

# And what a second call gives.
exercise_6_again = Exercise(
    right=_per_layer(),
    mistakes={
        "The second call doubles the numbers: gradients of the first are still there.": (
            _per_layer(lambda gradients: 2 * _length(gradients))
        ),
    },
    cases=lambda: [_three_layers()],
    name="the list of the second call",
)


def exercise_6(block_class, gradient_per_layer):
    """PostNormBlock's output, and the lengths of gradients, twice."""
    if not isinstance(block_class, type):
        raise Wrong("The first answer is the class PostNormBlock itself, not one of its objects.")

    def block(x, *parts):
        own = block_class(8, num_heads=2)
        own.attn, own.mlp, own.norm1, own.norm2, own.drop_path = parts
        return own(x)

    def second_call(layers, x, direction):
        gradient_per_layer(list(layers), x.clone(), direction.clone())
        return gradient_per_layer(layers, x, direction)

    exercise_6_block(block)
    exercise_6_gradients(gradient_per_layer)
    exercise_6_again(second_call)
    return "Now draw twelve layers of each kind, with PyTorch's initial weights and with the larger ones of the task."
