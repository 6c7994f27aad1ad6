"""What a network costs: multiply-accumulate operations (MACs), under three conventions that papers mix up.

"linear" counts the products with weights alone: linear layers, convolutions and the gates of an LSTM. "products" are
those between activations: Q K^T and A V of attention (Eq. 2), and the mixing of joints. MACs are both together, and
FLOPs two for each MAC, a multiplication and an addition. Norms, softmax, activations and biases are left out, as usual.
"""

import warnings
from dataclasses import dataclass

import torch
from torch import nn

from poseformer_course.prior_work import SemanticGraphConvolution
from poseformer_lite.model.attention import MultiHeadSelfAttention
from poseformer_lite.model.base import LiftingNetwork, evaluating


@dataclass(frozen=True)
class Cost:
    """MACs of one window, and with that of one output frame where windows are lifted one by one."""

    linear: int
    products: int

    @property
    def macs(self) -> int:
        return self.linear + self.products

    @property
    def flops(self) -> int:
        return 2 * self.macs


@torch.no_grad()
def count_macs(model: LiftingNetwork) -> Cost:
    """The operations of one window (1, F, J, 2), by formula from the shapes that pass through each layer.

    :param model: any network of this package.
    :returns: MACs with weights and between activations, together `Cost.macs`.
    """
    linear, products = [], []

    def count(module: nn.Module, inputs: tuple, output) -> None:
        x = inputs[0]
        if isinstance(module, nn.Linear):
            linear.append(output.numel() * module.in_features)
        elif isinstance(module, nn.Conv1d):
            linear.append(output.numel() * module.in_channels * module.kernel_size[0])
        elif isinstance(module, nn.LSTM | nn.LSTMCell):
            steps = x.numel() // module.input_size  # the batch is one window
            linear.append(steps * 4 * module.hidden_size * (module.input_size + module.hidden_size))
        elif isinstance(module, MultiHeadSelfAttention):
            B, N, C = x.shape
            products.append(2 * B * N * N * C)  # Q K^T, then the rows times V: N * N * C each
        elif isinstance(module, SemanticGraphConvolution):
            N, J, C = output.shape
            products.append(N * J * J * C)

    hooks = [module.register_forward_hook(count) for module in model.modules()]
    try:
        with evaluating(model):
            model(_window(model))
    finally:
        for hook in hooks:
            hook.remove()
    return Cost(sum(linear), sum(products))


@torch.no_grad()
def flops_by_torch(model: LiftingNetwork) -> int:
    """The FLOPs of one window as torch's own counter sees them, operation by operation; it knows none of our formulas.

    Attention and LSTM are told to take kernels made of plain matrix products, as the fused ones are not all counted."""
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    with evaluating(model), warnings.catch_warnings(action="ignore"):  # torch warns of Intel GPUs that are not there
        plain = sdpa_kernel(SDPBackend.MATH), torch.backends.mkldnn.flags(False), torch.backends.cudnn.flags(False)
        with plain[0], plain[1], plain[2], FlopCounterMode(display=False) as counter:
            model(_window(model))
    return counter.get_total_flops()


def _window(model: LiftingNetwork) -> torch.Tensor:
    return torch.zeros(1, model.num_frames, model.num_joints, 2, device=model.device)
