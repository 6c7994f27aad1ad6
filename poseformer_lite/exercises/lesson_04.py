"""Checkers of lesson 04: LayerNorm, residuals, stochastic depth, and the layers of an encoder."""

import torch
from torch import nn

from poseformer_lite.exercises.judge import Wrong, compare
from poseformer_lite.model.encoder import EncoderBlock


def exercise_1(answer):
    """normalise_tokens(x, gain, shift, eps)."""
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(3, 4, 5, generator=draw) * 3 + 1  # (B, N, C)
    gain, shift = torch.randn(2, 5, generator=draw)
    eps = 0.5  # large, so that it shows where it stands

    def by_hand(over=-1, center=1.0, unbiased=False):
        mean = x.mean(over, keepdim=True) * center
        return (x - mean) / (x.var(over, keepdim=True, unbiased=unbiased) + eps).sqrt()

    variance = x.var(-1, keepdim=True, unbiased=False)
    centered = x - x.mean(-1, keepdim=True)
    right = by_hand()
    mistakes = {
        "You normalise over the tokens of a sequence: mean and variance must run over the channels, the last axis.": (
            by_hand(over=1)
        ),
        "You normalise over the batch: a sample must not depend on the others; take the channels, the last axis.": (
            by_hand(over=0)
        ),
        "Mean and variance run over tokens and channels together: each token has its own, over its channels only.": (
            by_hand(over=(1, 2))
        ),
        "Mean and variance are those of the whole tensor: each token has its own, over its channels only.": (
            by_hand(over=(0, 1, 2))
        ),
        "The variance is divided by C - 1: LayerNorm divides the sum of squares by C, the biased variance.": (
            by_hand(unbiased=True)
        ),
        "The mean is not taken away: divide the differences from the mean, not the values.": by_hand(center=0.0),
        "Epsilon is added to the standard deviation: it belongs under the root, beside the variance.": (
            centered / (variance.sqrt() + eps)
        ),
        "Epsilon is missing: a token of equal channels would divide by zero.": centered / variance.sqrt(),
        "You divide by the variance: divide by its square root, so that the spread becomes one.": (
            centered / (variance + eps)
        ),
    }
    with_affine = {hint: gain * value + shift for hint, value in mistakes.items()}
    with_affine |= {
        "Gain and shift are not used: after normalising, multiply by the gain and add the shift.": right,
        "The shift is missing: add it after the gain.": gain * right,
        "Gain and shift have changed places: the gain multiplies, the shift is added.": shift * right + gain,
        "The shift is added before the gain multiplies: multiply first, then add.": gain * (right + shift),
    }
    compare(answer(x.clone(), gain, shift, eps), gain * right + shift, with_affine, name="the result")

    constant = torch.full((1, 2, 5), 7.0)
    compare(answer(constant, gain, shift, 1e-6), shift.expand(1, 2, 5), name="a token of five equal numbers")
    return "The gain and the shift are all that LayerNorm learns; how large a token was, it forgets."


def exercise_2(answer):
    """encoder_layer(x, attention, mlp, norm1, norm2)."""
    block, x = _block_and_tokens()
    attention, mlp, norm1, norm2 = block.attn, block.mlp, block.norm1, block.norm2
    with torch.no_grad():
        middle = x + attention(norm1(x))
        normed_sum = norm1(x) + attention(norm1(x))
        mistakes = {
            "The norms stand after the sums, which is post-norm: in Eq. 6 and 7 they stand inside the branches.": (
                _post_norm(block, x)
            ),
            "The residuals are missing: each branch is a change that is added to what went into it.": (
                mlp(norm2(attention(norm1(x))))
            ),
            "The residual of Eq. 6 is missing: the attention's output is added to x.": (
                attention(norm1(x)) + mlp(norm2(attention(norm1(x))))
            ),
            "The residual of Eq. 7 is missing: the MLP's output is added to Z'.": mlp(norm2(middle)),
            "The normed tokens are added: the sum takes x itself, only the branch sees it normed.": (
                norm2(normed_sum) + mlp(norm2(normed_sum))
            ),
            "The MLP gets Z' without a norm: Eq. 7 has LN(Z') in the branch.": middle + mlp(middle),
            "The attention gets x without a norm: Eq. 6 has LN(Z) in the branch.": (
                (x + attention(x)) + mlp(norm2(x + attention(x)))
            ),
            "The MLP sees x, beside the attention: in Eq. 7 it sees Z', the result of Eq. 6.": middle + mlp(norm2(x)),
            "The MLP sees the attention's output alone: in Eq. 7 it sees Z', the whole sum of Eq. 6.": (
                middle + mlp(norm2(attention(norm1(x))))
            ),
            "Eq. 7 adds x: it must add Z', the result of Eq. 6, or the attention's change is lost.": (
                x + mlp(norm2(middle))
            ),
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
        branch = torch.rand(20, 3, 5) + 1
        whole = answer(branch.clone(), rate, False)
        dropped = answer(torch.ones(4000, 3, 5), rate, True)
    mistakes = {
        "Out of training you multiply by 1 - rate: the kept samples were enlarged in training, so leave it.": (
            (1 - rate) * branch
        ),
        "Out of training you divide by 1 - rate: nothing is dropped there, so nothing has to be made up for.": (
            branch / (1 - rate)
        ),
    }
    if whole is not None and 0 < (torch.as_tensor(whole) == 0).sum() < branch.numel():
        raise Wrong("Samples are dropped although training is False: then the branch is left alone.")
    compare(whole, branch, mistakes, name="out of training the result")
    compare(dropped * 0, torch.zeros(4000, 3, 5), name="in training the result times zero")  # shape, NaN
    _judge_coins(dropped, rate)
    return "In evaluation nothing has to be scaled, because training kept the mean."


def _judge_coins(dropped, rate: float) -> None:
    """Raise Wrong unless each sample of a branch of ones was kept, enlarged, or dropped by a coin of its own."""
    lost = dropped == 0
    share = lost[:, 0, 0].float().mean().item()
    if not (lost == lost[:, :1, :1]).all():
        tokens, channels = (lost == lost[:, :, :1]).all(), (lost == lost[:, :1]).all()
        what = "Tokens" if tokens else "Channels" if channels else "Single numbers, as in dropout,"
        raise Wrong(f"{what} are dropped one by one: a sample loses its branch whole, so it throws a single coin.")
    if share in (0.0, 1.0):
        raise Wrong("All samples of the batch share one coin, or none is thrown: each sample needs its own.")
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
    compare(dropped[~lost].mean(), 1 / (1 - rate), mistakes, name="a kept sample of a branch of ones")


def exercise_4(answer):
    """count_layer(C, ratio)."""
    for C, ratio in ((4, 2), (6, 3), (544, 2)):
        right = sum(p.numel() for p in EncoderBlock(C, 1, ratio).parameters())
        hidden = ratio * C
        mistakes = {
            "The biases are missing: a linear layer from n to m has m of them, and a LayerNorm has a shift.": (
                2 * C + 4 * C * C + 2 * C * hidden
            ),
            "The biases of the linear layers are missing: each has one number for every channel it gives out.": (
                4 * C + 4 * C * C + 2 * C * hidden
            ),
            "The LayerNorms are missing: there are two, each with a gain and a shift for every channel.": right - 4 * C,
            "A layer has two LayerNorms, each with a gain and a shift: some of that is missing.": right - 2 * C,
            "The hidden layer is counted as four times as wide, as in ViT: use `ratio`.": (
                right + (4 - ratio) * (2 * C * C + C)
            ),
            "The hidden layer is counted as twice as wide whatever is asked for: use `ratio`.": (
                right + (2 - ratio) * (2 * C * C + C)
            ),
            "Queries, keys and values have biases here: 3 C more.": right - 3 * C,
            "The attention's projection is missing: a linear layer from C to C after the heads (Eq. 4).": (
                right - C * C - C
            ),
            "Queries, keys and values are three layers, not one.": right - 2 * (C * C + C),
            "The MLP's second layer is missing: from the hidden width back to C.": right - hidden * C - C,
            "The MLP's second layer gives out C channels, so it has C biases.": right - C + hidden,
        }
        compare(answer(C, ratio), right, mistakes, name=f"the count for C = {C} and ratio = {ratio}", tolerance=1e-9)
    return "The squares rule: some 8 C² of it is weights, half in the attention and half in an MLP of ratio 2."


class _Half(nn.Module):
    """Stands in for stochastic depth, so that it shows where it is used."""

    def forward(self, branch):
        return branch / 2


def exercise_5(block_class, gradient_per_layer):
    """PostNormBlock and gradient_per_layer(layers, x, direction)."""
    if not isinstance(block_class, type):
        raise Wrong("The first answer is the class PostNormBlock itself, not one of its objects.")
    _judge_post_norm(block_class)

    draw = torch.Generator().manual_seed(5)
    layers = [nn.Linear(4, 5), nn.Linear(5, 3), nn.Linear(3, 6)]
    for parameter in (p for layer in layers for p in layer.parameters()):
        parameter.data = torch.randn(parameter.shape, generator=draw)
    x, direction = torch.randn(2, 3, 4, generator=draw), torch.randn(2, 3, 6, generator=draw)
    right = _gradients(layers, x, direction)
    lengths = [torch.cat([g.flatten() for g in own]).norm().item() for own in right]
    without = [torch.cat([g.flatten() for g in own]).norm() for own in _gradients(layers, x, torch.ones(2, 3, 6))]
    mistakes = {
        "The list begins with the last layer: the first layer comes first.": lengths[::-1],
        "The lengths of weight and bias are added: taken as one vector, their squares are added, then the root.": [
            sum(g.norm() for g in own) for own in right
        ],
        "The root is missing: a length is the root of the sum of squares.": [length**2 for length in lengths],
        "The biases are missing: all parameters of a layer count.": [own[0].norm() for own in right],
        "These are the lengths of the parameters: wanted are those of their gradients.": [
            torch.cat([p.detach().flatten() for p in layer.parameters()]).norm() for layer in layers
        ],
        "The loss takes the mean: it is the sum of the output times direction.": [n / 36 for n in lengths],
        "`direction` is not used: the loss is the sum of the output times direction.": without,
    }
    compare(gradient_per_layer(list(layers), x.clone(), direction), lengths, mistakes, name="the list of lengths")
    twice = {"The second call doubles the numbers: gradients of the first are still there.": [2 * n for n in lengths]}
    compare(gradient_per_layer(list(layers), x.clone(), direction), lengths, twice, name="the list of the second call")
    return "Now draw twelve layers of each kind, with PyTorch's initial weights and with larger ones."


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
        first = norm1(x + attention(x))
        mistakes = {
            "Your block has the norms inside the branches still: they go round the sums.": reference(x),
            "The norms are round the branches only: they go round the sums.": sandwich + norm2(mlp(sandwich)),
            "The residuals are missing: the norm takes the sum of the branch and what went into it.": norm2(mlp(bare)),
            "norm1 is used twice: the second sum has norm2.": norm1(first + mlp(first)),
            "The second norm is missing: the sum after the MLP is normed, too.": first + mlp(first),
        }
        compare(own(x.clone()), _post_norm(reference, x), mistakes, name="the output of PostNormBlock")
        full = _post_norm(reference, x)
        reference.drop_path = own.drop_path = _Half()
        unused = {"The stochastic depth is gone: put self.drop_path round each branch, inside the sum.": full}
        compare(own(x.clone()), _post_norm(reference, x), unused, name="with half of each branch dropped, the output")
