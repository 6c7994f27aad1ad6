"""Plausible wrong answers to the exercises of lesson 04, and what the hint must say."""

import torch

from poseformer_lite.model.encoder import EncoderBlock


def normalise(over=-1, unbiased=False, eps_inside=True, centred=True, affine=True):
    """LayerNorm with a mistake."""

    def answer(x, gain, shift, eps):
        variance = x.var(over, keepdim=True, unbiased=unbiased)
        scale = (variance + eps).sqrt() if eps_inside else variance.sqrt() + eps
        out = (x - x.mean(over, keepdim=True) if centred else x) / scale
        return gain * out + shift if affine else out

    return answer


def axes_lost(x, gain, shift, eps):
    return gain * (x - x.mean(-1)) / (x.var(-1, unbiased=False) + eps).sqrt() + shift


def post_norm(x, attention, mlp, norm1, norm2):
    x = norm1(x + attention(x))
    return norm2(x + mlp(x))


def normed_is_added(x, attention, mlp, norm1, norm2):
    x = norm1(x)
    x = x + attention(x)
    x = norm2(x)
    return x + mlp(x)


def first_residual_lost(x, attention, mlp, norm1, norm2):
    x = attention(norm1(x))
    return x + mlp(norm2(x))


def side_by_side(x, attention, mlp, norm1, norm2):
    return x + attention(norm1(x)) + mlp(norm2(x))


def old_x_is_added(x, attention, mlp, norm1, norm2):
    return x + mlp(norm2(x + attention(norm1(x))))


def mlp_without_norm(x, attention, mlp, norm1, norm2):
    x = x + attention(norm1(x))
    return x + mlp(x)


def one_norm_for_both(x, attention, mlp, norm1, norm2):
    x = x + attention(norm1(x))
    return x + mlp(norm1(x))


def no_norms(x, attention, mlp, norm1, norm2):
    x = x + attention(x)
    return x + mlp(x)


def norm_of_the_branch(x, attention, mlp, norm1, norm2):
    x = x + norm1(attention(x))
    return x + norm2(mlp(x))


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


def less(forgotten):
    """The count without what `forgotten(C, ratio)` numbers."""
    return lambda C, ratio: count()(C, ratio) - forgotten(C, ratio)


def count(biases=1, norms=2, qkv_biases=1, projection=1, wide=None):
    """The count of a layer's parameters with a mistake."""

    def answer(C, ratio):
        hidden = (wide or ratio) * C
        attention = 3 * (C * C + biases * qkv_biases * C) + projection * (C * C + biases * C)
        return norms * 2 * C + attention + 2 * C * hidden + biases * (hidden + C)

    return answer


class PostNorm(EncoderBlock):
    def forward(self, x):
        x = self.norm1(x + self.drop_path(self.attn(x)))
        return self.norm2(x + self.drop_path(self.mlp(x)))


class StillPreNorm(EncoderBlock):
    def forward(self, x):
        return super().forward(x)


class NormOfTheBranch(EncoderBlock):
    def forward(self, x):
        x = x + self.drop_path(self.norm1(self.attn(x)))
        return x + self.drop_path(self.norm2(self.mlp(x)))


class NeverDrops(EncoderBlock):
    def forward(self, x):
        x = self.norm1(x + self.attn(x))
        return self.norm2(x + self.mlp(x))


class NormsSwapped(EncoderBlock):
    def forward(self, x):
        x = self.norm2(x + self.drop_path(self.attn(x)))
        return self.norm1(x + self.drop_path(self.mlp(x)))


class DropsTheSum(EncoderBlock):
    def forward(self, x):
        x = self.norm1(self.drop_path(x + self.attn(x)))
        return self.norm2(self.drop_path(x + self.mlp(x)))


class DropsAfterTheNorm(EncoderBlock):
    def forward(self, x):
        x = self.drop_path(self.norm1(x + self.attn(x)))
        return self.drop_path(self.norm2(x + self.mlp(x)))


class NormsInBothPlaces(EncoderBlock):
    def forward(self, x):
        x = self.norm1(x + self.drop_path(self.attn(self.norm1(x))))
        return self.norm2(x + self.drop_path(self.mlp(self.norm2(x))))


def activations(of_output):
    """The gradients of what goes into each layer, or of what comes out."""

    def answer(layers, x, direction):
        inputs, outputs = [], []
        x = x.requires_grad_()
        for layer in layers:
            inputs.append(x)
            x = layer(x)
            outputs.append(x)
        gradients = torch.autograd.grad((x * direction).sum(), outputs if of_output else inputs)
        return [g.norm().item() for g in gradients]

    return answer


def per_layer(of_layer, fresh=True, direct=True):
    """Gradients by backward(), of each layer what `of_layer` makes of its list of gradients."""

    def answer(layers, x, direction):
        parameters = [p for layer in layers for p in layer.parameters()]
        if fresh:
            for p in parameters:
                p.grad = None
        for layer in layers:
            x = layer(x)
        ((x * direction).sum() if direct else x.sum()).backward()
        return [of_layer([p.grad for p in layer.parameters()]) for layer in layers]

    return answer


def length(gradients):
    return torch.cat([g.flatten() for g in gradients]).norm().item()


MISTAKES = {
    "04.1": {
        "over the tokens": (normalise(over=1), "over the tokens"),
        "over the batch": (normalise(over=0), "over the batch"),
        "BatchNorm": (normalise(over=(0, 1)), "BatchNorm"),
        "no keepdim": (axes_lost, "keepdim"),
        "over tokens and channels": (normalise(over=(1, 2)), "tokens and channels together"),
        "the unbiased variance": (normalise(unbiased=True), r"C - 1"),
        "eps outside of the root": (normalise(eps_inside=False), "under the root"),
        "the mean is forgotten": (normalise(centred=False), "mean is not taken away"),
        "no gain and shift": (normalise(affine=False), "gain and shift are not used"),
    },
    "04.2": {
        "post-norm": (post_norm, "post-norm"),
        "the normed x is added": (normed_is_added, "normed tokens are added"),
        "a residual is forgotten": (first_residual_lost, "residual of Eq. 6 is missing"),
        "attention and MLP side by side": (side_by_side, "beside the attention"),
        "the second sum starts from x": (old_x_is_added, "Eq. 7 adds x"),
        "the MLP without a norm": (mlp_without_norm, "without a norm"),
        "no norms": (no_norms, "norms are left out"),
        "norm of the branch": (norm_of_the_branch, "come after attention and MLP"),
        "one norm for both": (one_norm_for_both, "norm1 is used twice"),
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
        "biases forgotten": (count(biases=0), "biases of the linear layers are missing"),
        "LayerNorms forgotten": (count(norms=0), "either the two LayerNorms"),
        "attention's biases forgotten": (less(lambda C, ratio: 4 * C), "or the biases of the attention"),
        "MLP's biases forgotten": (less(lambda C, ratio: (ratio + 1) * C), "MLP's biases"),
        "hidden biases forgotten": (less(lambda C, ratio: ratio * C), "hidden layer's biases"),
        "the projection's weights forgotten": (less(lambda C, ratio: C * C), "weights of one C by C matrix"),
        "the projection's bias forgotten": (less(lambda C, ratio: C), "give out C channels has no bias"),
        "one LayerNorm": (count(norms=1), "two LayerNorms"),
        "no bias for q, k and v": (count(qkv_biases=0), "Queries, keys and values have biases"),
        "ViT's ratio": (count(wide=4), "as in ViT"),
        "ratio always 2": (count(wide=2), "always twice as wide"),
        "no projection": (count(projection=0), "projection is missing"),
    },
    "04.5": {
        "still pre-norm": ((StillPreNorm, per_layer(length)), "inside the branches still"),
        "norm of the branch": ((NormOfTheBranch, per_layer(length)), "round the branches only"),
        "norms swapped": ((NormsSwapped, per_layer(length)), "have changed places"),
        "the sum is dropped": ((DropsTheSum, per_layer(length)), "round the sum"),
        "the normed sum is dropped": ((DropsAfterTheNorm, per_layer(length)), "round the norm"),
        "norms in both places": ((NormsInBothPlaces, per_layer(length)), "in both places"),
        "gradients of the inputs": ((PostNorm, activations(of_output=False)), "what goes into each layer"),
        "gradients of the outputs": ((PostNorm, activations(of_output=True)), "what comes out of each layer"),
        "the longest": ((PostNorm, per_layer(lambda own: max(g.norm() for g in own))), "longest of a layer"),
        "the largest entry": ((PostNorm, per_layer(lambda own: max(g.abs().max() for g in own))), "largest entry"),
        "no stochastic depth": ((NeverDrops, per_layer(length)), "stochastic depth is gone"),
        "gradients pile up": ((PostNorm, per_layer(length, fresh=False)), "still there"),
        "lengths are added": ((PostNorm, per_layer(lambda own: sum(g.norm() for g in own))), "squares are added"),
        "weights only": ((PostNorm, per_layer(lambda own: own[0].norm())), "biases are missing"),
        "no root": ((PostNorm, per_layer(lambda own: length(own) ** 2)), "root is missing"),
        "no direction": ((PostNorm, per_layer(length, direct=False)), "`direction` is not used"),
    },
}
