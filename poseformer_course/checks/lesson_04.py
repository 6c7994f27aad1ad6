"""Checkers of lesson 04: LayerNorm, residuals, stochastic depth, and the layers of an encoder."""

import torch
from torch import nn

from poseformer_course.checks.judge import Wrong, compare
from poseformer_lite.model.encoder import EncoderBlock


def _fitting(hint, answer, *args):
    """The answer's value; where its tensors do not fit each other, Wrong with the hint."""
    try:
        return answer(*args)
    except RuntimeError as error:
        if "must match the size" not in str(error):
            raise
    raise Wrong(hint)


def exercise_1(answer):
    """normalise_tokens(x, gain, shift, eps)."""
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(3, 4, 5, generator=draw) * 3 + 1  # (B, N, C)
    gain, shift = torch.randn(2, 5, generator=draw)
    eps = 0.5  # large, so that it shows where it stands

    def by_hand(over=-1, center=1.0, unbiased=False):
        mean = x.mean(over, keepdim=True) * center
        return (x - mean) / (x.var(over, keepdim=True, unbiased=unbiased) + eps).sqrt()

    centered, deviation = x - x.mean(-1, keepdim=True), x.std(-1, keepdim=True, unbiased=False)
    right, own = by_hand(), "each token has its own, over its channels, the last axis."
    mistakes = {
        f"Mean and variance run over the tokens of a sequence: {own}": by_hand(over=1),
        f"Mean and variance run over the batch, so that a sample depends on the others: {own}": by_hand(over=0),
        f"This is BatchNorm, over samples and tokens: {own}": by_hand(over=(0, 1)),
        f"Mean and variance run over tokens and channels together: {own}": by_hand(over=(1, 2)),
        f"Mean and variance are those of the whole tensor: {own}": by_hand(over=(0, 1, 2)),
        "The variance is divided by C - 1: LayerNorm divides the sum of squares by C.": by_hand(unbiased=True),
        "The mean is not taken away: divide the differences from the mean, not the values.": by_hand(center=0.0),
        "Epsilon stands beside the root: it belongs under the root, with the variance.": centered / (deviation + eps),
        "Epsilon is missing: a token of equal channels would divide by zero.": centered / deviation,
        "You divide by the variance: divide by its square root.": centered / (deviation**2 + eps),
    }
    with_affine = {hint: gain * value + shift for hint, value in mistakes.items()}
    with_affine |= {
        "Gain and shift are not used: after normalising, multiply by the gain and add the shift.": right,
        "The shift is missing: add it after the gain.": gain * right,
        "Gain and shift have changed places: the gain multiplies, the shift is added.": shift * right + gain,
        "The shift is added before the gain multiplies: multiply first, then add.": gain * (right + shift),
    }
    kept = "The sizes do not fit: a mean or variance over an axis loses this axis, unless keepdim=True keeps it."
    result = _fitting(kept, answer, x.clone(), gain, shift, eps)
    compare(result, gain * right + shift, with_affine, name="the result")

    constant = torch.full((1, 2, 5), 7.0)
    compare(answer(constant, gain, shift, 1e-6), shift.expand(1, 2, 5), name="a token of five equal numbers")
    return "The gain and the shift are all that LayerNorm learns; how large a token was, it forgets."


def exercise_2(answer):
    """encoder_layer(x, attention, mlp, norm1, norm2)."""
    block, x = _block_and_tokens()
    attention, mlp, norm1, norm2 = block.attn, block.mlp, block.norm1, block.norm2
    with torch.no_grad():
        branch = attention(norm1(x))
        middle = x + branch
        normed = norm2(norm1(x) + branch)
        bare, late = x + attention(x), x + norm1(attention(x))
        mistakes = {
            "The norms stand after the sums, which is post-norm: they go into the branches.": _post_norm(block, x),
            "The norms are left out: each branch begins with a LayerNorm of its own.": bare + mlp(bare),
            "The norms come after attention and MLP: in Eq. 6 and 7 they come before.": late + norm2(mlp(late)),
            "The residuals are missing: each branch is added to what went into it.": mlp(norm2(branch)),
            "The residual of Eq. 6 is missing: the attention's output is added to x.": branch + mlp(norm2(branch)),
            "The residual of Eq. 7 is missing: the MLP's output is added to Z'.": mlp(norm2(middle)),
            "The normed tokens are added: the sum takes x itself, the branch sees it normed.": normed + mlp(normed),
            "The MLP gets Z' without a norm: Eq. 7 has LN(Z') in the branch.": middle + mlp(middle),
            "The attention gets x without a norm: Eq. 6 has LN(Z) in the branch.": bare + mlp(norm2(bare)),
            "The MLP sees x, beside the attention: in Eq. 7 it sees Z', the result of Eq. 6.": middle + mlp(norm2(x)),
            "The MLP sees the attention's output alone: in Eq. 7 it sees Z'.": middle + mlp(norm2(branch)),
            "Eq. 7 adds x: it must add Z', or the attention's change is lost.": x + mlp(norm2(middle)),
            "norm1 is used twice: the MLP has a norm of its own, norm2.": middle + mlp(norm1(middle)),
            "norm1 and norm2 have changed places: norm1 belongs to the attention.": _swapped(block, x),
            "The MLP comes before the attention: Eq. 6 is first.": _mlp_first(block, x),
        }
        compare(answer(x.clone(), attention, mlp, norm1, norm2), block(x), mistakes, name="the layer's output")
    return "These two lines are the transformer; the rest of this lesson is about why they look as they do."


def _swapped(block, x):
    x = x + block.attn(block.norm2(x))
    return x + block.mlp(block.norm1(x))


def _mlp_first(block, x):
    x = x + block.mlp(block.norm2(x))
    return x + block.attn(block.norm1(x))


def _post_norm(block, x):
    x = block.norm1(x + block.drop_path(block.attn(x)))
    return block.norm2(x + block.drop_path(block.mlp(x)))


def _block_and_tokens():
    """A layer whose norms differ in gain and shift, and tokens (2, 3, 8) for it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        block = EncoderBlock(8, num_heads=2)
        for norm in (block.norm1, block.norm2):
            nn.init.normal_(norm.weight, 1.0, 0.5)
            nn.init.normal_(norm.bias, 0.0, 0.5)
        return block, torch.randn(2, 3, 8) * 2


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


def exercise_4(answer):
    """count_layer(C, ratio)."""
    for C, ratio in ((7, 5), (4, 2), (544, 2)):  # with 7 and 5, every mistake has a number of its own
        right = sum(p.numel() for p in EncoderBlock(C, 1, ratio).parameters())
        hidden, wide = ratio * C, 2 * C * C + C  # wide: what a hidden layer as wide as the token costs
        mistakes = {
            "All biases are missing, and the LayerNorms' shifts.": right - 7 * C - hidden,
            "The biases of the linear layers are missing: one for every channel given out.": right - 5 * C - hidden,
            "4 C are missing: either the two LayerNorms or the biases of the attention.": right - 4 * C,
            "A layer has two LayerNorms, each with a gain and a shift: some of that is missing.": right - 2 * C,
            "The hidden layer is counted as four times as wide, as in ViT: use `ratio`.": right + (4 - ratio) * wide,
            "The hidden layer is counted as always twice as wide: use `ratio`.": right + (2 - ratio) * wide,
            "Queries, keys and values have biases here: 3 C more.": right - 3 * C,
            "The attention's projection is missing: a linear layer after the heads (Eq. 4).": right - C * C - C,
            "Queries, keys and values are three layers, not one.": right - 2 * (C * C + C),
            "The MLP's second layer is missing: from the hidden width back to C.": right - hidden * C - C,
            "The MLP's biases are missing: both of its linear layers have them.": right - hidden - C,
            "The hidden layer's biases are missing: one for each hidden channel.": right - hidden,
            "The weights of one C by C matrix are missing: the attention has four of them.": right - C * C,
            "C is missing: one of the linear layers that give out C channels has no bias.": right - C,
            "The MLP's second layer gives out C channels, so it has C biases.": right - C + hidden,
        }
        compare(answer(C, ratio), right, mistakes, name=f"the count for C = {C} and ratio = {ratio}", tolerance=1e-9)
    return "The squares rule: some 8 C² of it is weights, half in the attention and half in an MLP of ratio 2."


class _EveryOther(nn.Module):
    """Drops every other channel; stands in for stochastic depth, so that it shows where it is used."""

    def forward(self, branch):
        return branch * (torch.arange(branch.shape[-1]) % 2)


def exercise_5(block_class, gradient_per_layer):
    """PostNormBlock and gradient_per_layer(layers, x, direction)."""
    if not isinstance(block_class, type):
        raise Wrong("The first answer is the class PostNormBlock itself, not one of its objects.")
    _judge_post_norm(block_class)

    draw = torch.Generator().manual_seed(5)
    layers = [nn.Linear(4, 5), nn.Linear(5, 3), nn.Linear(3, 6)]
    for parameter in (p for layer in layers for p in layer.parameters()):
        parameter.data = torch.randn(parameter.shape, generator=draw)
    x, direction = torch.randn(2, 3, 4, generator=draw) / 9, torch.randn(2, 3, 6, generator=draw)
    right = _gradients(layers, x, direction)
    lengths = [_length(own) for own in right]
    without = [_length(own) for own in _gradients(layers, x, torch.ones(2, 3, 6))]
    longest = [max(g.norm() for g in own) for own in right]
    largest = [max(g.abs().max() for g in own) for own in right]
    steps = [x.clone().requires_grad_()]
    for layer in layers:
        steps.append(layer(steps[-1]))
    through = [g.norm() for g in torch.autograd.grad((steps[-1] * direction).sum(), steps)]
    mistakes = {
        "The list begins with the last layer: the first layer comes first.": lengths[::-1],
        "The lengths of weight and bias are added: taken as one vector, their squares are added, then the root.": [
            sum(g.norm() for g in own) for own in right
        ],
        "The root is missing: a length is the root of the sum of squares.": [length**2 for length in lengths],
        "The biases are missing: all parameters of a layer count.": [own[0].norm() for own in right],
        "This is the longest of a layer's gradients: all of them count, taken as one vector.": longest,
        "This is the largest entry of a layer's gradients: wanted is their length.": largest,
        "These are gradients of what goes into each layer: wanted are those of its parameters.": through[:-1],
        "These are gradients of what comes out of each layer: wanted are those of its parameters.": through[1:],
        "These are the lengths of the parameters: wanted are those of their gradients.": [
            _length(layer.parameters()) for layer in layers
        ],
        "The loss takes the mean: it is the sum of the output times direction.": [n / 36 for n in lengths],
        "`direction` is not used: the loss is the sum of the output times direction.": without,
    }
    compare(gradient_per_layer(list(layers), x.clone(), direction), lengths, mistakes, name="the list of lengths")
    twice = {"The second call doubles the numbers: gradients of the first are still there.": [2 * n for n in lengths]}
    compare(gradient_per_layer(list(layers), x.clone(), direction), lengths, twice, name="the list of the second call")
    return "Now draw twelve layers of each kind, with PyTorch's initial weights and with the larger ones of the task."


def _length(tensors) -> float:
    return torch.cat([tensor.detach().flatten() for tensor in tensors]).norm().item()


def _gradients(layers, x, direction):
    """The gradients of each layer's parameters."""
    loss = (nn.Sequential(*layers)(x) * direction).sum()
    return [torch.autograd.grad(loss, list(layer.parameters()), retain_graph=True) for layer in layers]


def _judge_post_norm(block_class) -> None:
    reference, x = _block_and_tokens()
    own = block_class(8, num_heads=2)
    own.load_state_dict(reference.state_dict())
    norm1, norm2, attention, mlp = reference.norm1, reference.norm2, reference.attn, reference.mlp
    with torch.no_grad():
        sandwich = x + norm1(attention(x))
        bare = norm1(attention(x))
        first, second = norm1(x + attention(x)), norm2(x + attention(x))
        swapped, both = norm1(second + mlp(second)), norm1(x + attention(norm1(x)))
        mistakes = {
            "Your block has the norms inside the branches still: they go round the sums.": reference(x),
            "The norms are round the branches only: they go round the sums.": sandwich + norm2(mlp(sandwich)),
            "The residuals are missing: the norm takes the sum of the branch and what went into it.": norm2(mlp(bare)),
            "norm1 and norm2 have changed places: norm1 follows the attention.": swapped,
            "The norms stand in both places: take them out of the branches.": norm2(both + mlp(norm2(both))),
            "norm1 is used twice: the second sum has norm2.": norm1(first + mlp(first)),
            "The second norm is missing: the sum after the MLP is normed, too.": first + mlp(first),
        }
        compare(own(x.clone()), _post_norm(reference, x), mistakes, name="the output of PostNormBlock")
        full = _post_norm(reference, x)
        reference.drop_path = own.drop_path = drop = _EveryOther()
        summed, normed = norm1(drop(x + attention(x))), drop(first)
        mistakes = {
            "The stochastic depth is gone: put self.drop_path round each branch, inside the sum.": full,
            "self.drop_path is round the sum: it goes round the branch alone.": norm2(drop(summed + mlp(summed))),
            "self.drop_path is round the norm: it goes round the branch alone.": drop(norm2(normed + mlp(normed))),
        }
        name = "with every other channel of each branch dropped, the output"
        compare(own(x.clone()), _post_norm(reference, x), mistakes, name=name)
