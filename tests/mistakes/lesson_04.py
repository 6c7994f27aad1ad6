"""Plausible wrong answers to the exercises of lesson 04, and what the hint must say."""

import torch
from torch.nn.functional import layer_norm

from poseformer_lite.model.attention import MultiHeadSelfAttention
from poseformer_lite.model.encoder import EncoderBlock


def axes_lost(x, gain, shift, eps):
    return gain * (x - x.mean(-1)) / (x.var(-1, unbiased=False) + eps).sqrt() + shift


def over_the_batch(x, gain, shift, eps):
    return layer_norm(x.movedim(0, -1), (len(x),), eps=eps).movedim(-1, 0) * gain + shift


def added_before_the_gain(x, gain, shift, eps):
    return (layer_norm(x, gain.shape, eps=eps) + shift) * gain


def normed_is_added(x, attention, mlp, norm1, norm2):
    x = norm1(x)
    x = x + attention(x)
    x = norm2(x)
    return x + mlp(x)


def summed_in_place(x, attention, mlp, norm1, norm2):
    x += attention(norm1(x))
    x += mlp(norm2(x))
    return x


def side_by_side(x, attention, mlp, norm1, norm2):
    return x + attention(norm1(x)) + mlp(norm2(x))


def coins(shape=(1, 1), scale=lambda rate: 1 / (1 - rate), invert=False, always=False, shared=False, outside=1.0):
    """Stochastic depth with a mistake."""

    def answer(branch, rate, training):
        if not training and not always:
            return branch * outside
        N, C = shape
        coin = torch.rand(1 if shared else len(branch), N or branch.shape[1], C or branch.shape[2])
        kept = coin < rate if invert else coin >= rate
        return branch * kept * scale(rate)

    return answer


def exact_number(branch, rate, training):
    if not training:
        return branch
    kept = torch.ones(len(branch), 1, 1)
    kept[torch.randperm(len(branch))[: int(len(branch) * rate)]] = 0
    return branch * kept / (1 - rate)


def same_coins(branch, rate, training):
    if not training:
        return branch
    kept = torch.rand(len(branch), 1, 1, generator=torch.Generator().manual_seed(0)) >= rate
    return branch * kept / (1 - rate)


def one_coin_for_two(branch, rate, training):
    if not training:
        return branch
    return branch * (torch.rand(len(branch) // 2, 1, 1) >= rate).repeat(2, 1, 1) / (1 - rate)


def in_place(branch, rate, training):
    if training:
        branch *= torch.rand(len(branch), 1, 1) >= rate
        branch /= 1 - rate
    return branch


def flat_coins(branch, rate, training):
    return branch * (torch.rand(len(branch)) >= rate) / (1 - rate) if training else branch


def no_coins(branch, rate, training):
    return branch


def no_coins_but_scaled(branch, rate, training):
    return branch / (1 - rate) if training else branch


def scaled_the_old_way(branch, rate, training):
    return branch if training else branch * (1 - rate)


def count(C, ratio, qkv_biases=True, hidden=None):
    """The parameters of a layer, weights and biases one by one."""
    hidden = hidden or ratio * C
    norms, qkv, projection = [C, C] * 2, [3 * C * C, 3 * C * qkv_biases], [C * C, C]
    return sum([*norms, *qkv, *projection, C * hidden, hidden, hidden * C, C])


class PostNorm(EncoderBlock):
    def forward(self, x):
        x = self.norm1(x + self.drop_path(self.attn(x)))
        return self.norm2(x + self.drop_path(self.mlp(x)))


class NormOfTheBranch(EncoderBlock):
    def forward(self, x):
        x = x + self.drop_path(self.norm1(self.attn(x)))
        return x + self.drop_path(self.norm2(self.mlp(x)))


class DropsTheSum(EncoderBlock):
    def forward(self, x):
        x = self.norm1(self.drop_path(x + self.attn(x)))
        return self.norm2(self.drop_path(x + self.mlp(x)))


def lengths(layers, x, direction, fresh=True, of_inputs=False):
    """Gradients by backward()."""
    for parameter in (p for layer in layers for p in layer.parameters()):
        parameter.grad = None if fresh else parameter.grad
    inputs = []
    for layer in layers:
        inputs.append(x.requires_grad_() if x.is_leaf else x)
        inputs[-1].retain_grad()
        x = layer(x)
    torch.tensordot(x, direction, dims=x.ndim).backward()
    if of_inputs:
        return [given.grad.norm().item() for given in inputs]
    return [sum(p.grad.square().sum() for p in layer.parameters()) ** 0.5 for layer in layers]


def weights_only(layers, x, direction):
    lengths(layers, x, direction)
    return [layer.weight.grad.norm().item() for layer in layers]


def changed(forward=None, eps=1e-6, ratio=None, rate=None, part=lambda block: None):
    """EncoderBlock, with one thing otherwise."""

    class Changed(EncoderBlock):
        def __init__(self, dim, num_heads, mlp_ratio=2.0, drop_path=0.0):
            super().__init__(dim, num_heads, ratio or mlp_ratio, drop_path if rate is None else rate)
            self.norm1.eps = self.norm2.eps = eps
            part(self)

        def forward(self, x):
            return forward(self, x) if forward else super().forward(x)

    return Changed


MISTAKES = {
    "04.1": {
        "over the batch": (over_the_batch, "over the batch"),
        "shift before gain": (added_before_the_gain, "multiply first"),
        "no keepdim": (axes_lost, "keepdim"),
    },
    "04.2": {
        "the normed x is added": (normed_is_added, "normed tokens are added"),
        "Eq. 6 alone": (lambda x, attention, mlp, norm1, norm2: x + attention(norm1(x)), "Eq. 7 is missing"),
        "in place": (summed_in_place, "work on a copy"),
        "attention and MLP side by side": (side_by_side, "beside the attention"),
    },
    "04.3": {
        "per element": (coins(shape=(None, None)), "single numbers, as in dropout"),
        "per token": (coins(shape=(None, 1)), "tokens are dropped one by one"),
        "per channel": (coins(shape=(1, None)), "channels are dropped one by one"),
        "one coin for the batch": (coins(shared=True), "share one coin"),
        "an exact number": (exact_number, "same number of samples"),
        "the same coins in each batch": (same_coins, "same number of samples"),
        "one coin for two": (one_coin_for_two, "depends on the other samples"),
        "in place": (in_place, "`branch` itself has changed"),
        "coins of shape (B,)": (flat_coins, r"\(B, 1, 1\)"),
        "no coins": (no_coins, "No sample is dropped in training"),
        "no coins, but scaled": (no_coins_but_scaled, "No sample is dropped in training"),
        "only scaled in evaluation": (scaled_the_old_way, "Out of training you multiply by 1 - rate"),
        "not rescaled": (coins(scale=lambda rate: 1.0), "not enlarged"),
        "multiplied instead of divided": (coins(scale=lambda rate: 1 - rate), "multiplied by 1 - rate"),
        "divided by the rate": (coins(scale=lambda rate: 1 / rate), "divided by rate"),
        "keeps with the rate": (coins(invert=True), "keep with probability rate"),
        "drops in evaluation": (coins(always=True), "although training is False"),
        "scales in evaluation": (coins(outside=0.75), "multiply by 1 - rate"),
    },
    "04.4": {
        "norms last": (
            changed(lambda b, x: b.norm2(b.norm1(x + b.attn(x)) + b.mlp(b.norm1(x + b.attn(x))))),
            "post-norm",
        ),
        "no drop": (
            changed(lambda b, x: x + b.attn(b.norm1(x)) + b.mlp(b.norm2(x + b.attn(b.norm1(x))))),
            "stochastic depth is gone",
        ),
        "eps of torch": (changed(eps=1e-5), "eps of both"),
        "always twice as wide": (changed(ratio=2), "always the same"),
        "drops the first branch alone": (
            changed(lambda b, x: (y := x + b.drop_path(b.attn(b.norm1(x)))) + b.mlp(b.norm2(y))),
            "MLP's branch is never dropped",
        ),
        "drops the second branch alone": (
            changed(lambda b, x: (y := x + b.attn(b.norm1(x))) + b.drop_path(b.mlp(b.norm2(y)))),
            "attention's branch is never dropped",
        ),
        "drops the sums": (
            changed(lambda b, x: b.drop_path((y := b.drop_path(x + b.attn(b.norm1(x)))) + b.mlp(b.norm2(y)))),
            "tokens are dropped with it",
        ),
        "one norm": (changed(part=lambda b: setattr(b, "norm2", b.norm1)), "one LayerNorm"),
        "eight heads, always": (
            changed(part=lambda b: setattr(b, "attn", MultiHeadSelfAttention(b.norm1.bias.numel()))),
            "number of heads",
        ),
        "dropout": (changed(part=lambda b: setattr(b, "drop_path", torch.nn.Dropout(0.1))), "drops single numbers"),
        "in place": (changed(lambda b, x: x.add_(b.attn(b.norm1(x))).add_(b.mlp(b.norm2(x)))), "work on a copy"),
        "never drops": (changed(rate=0.0), "does not get its rate"),
    },
    "04.5": {
        "no bias for q, k and v": (
            lambda *given: count(*given, qkv_biases=False),
            "Queries, keys and values have biases",
        ),
        "as many hidden biases as channels": (lambda C, ratio: count(C, ratio) - ratio * C + C, "as many biases"),
        "ViT's ratio": (lambda C, ratio: count(C, ratio, hidden=4 * C), "as in ViT"),
    },
    "04.6": {
        "an object": ((PostNorm(8, 2), lengths), "not one of its objects"),
        "norm of the branch": ((NormOfTheBranch, lengths), "round the branches only"),
        "the sum is dropped": ((DropsTheSum, lengths), "round the sum"),
        "gradients of the inputs": ((PostNorm, lambda *given: lengths(*given, of_inputs=True)), "goes into each layer"),
        "weights only": ((PostNorm, weights_only), "biases are missing"),
        "gradients pile up": ((PostNorm, lambda *given: lengths(*given, fresh=False)), "still there"),
    },
}
