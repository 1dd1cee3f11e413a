"""Linear layers in float32, or in 8 bits with a scale of its own for every row.

Processors with instructions for 8-bit products (VNNI, AMX) multiply some three to four times faster in them. Weights
get one scale an output, activations one a row, at the time ("dynamic"), so a row never depends on its neighbours:
LLM.int8 (Dettmers et al. 2022, arXiv 2208.07339) calls it vector-wise. The products themselves are exact integers.
torch reaches them through oneDNN's quantised linear, a private operation: used where it is there and works.
"""

import os
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Arithmetic = Literal["float32", "int8"]
_LEVELS = 127.0
_ZERO = 128
"""What stands for zero in an unsigned row."""
_ROWS = 1024
"""Rows for which oneDNN lays the weights out; it works for any number."""


def use_threads(wanted: int) -> None:
    """Take so many threads for inference, at most one a core; 0: leave one core to the rest, and four are enough."""
    cores = os.cpu_count() or 1
    torch.set_num_threads(min(wanted, cores) if wanted else max(1, min(4, cores - 1)))


def has_int8() -> bool:
    """Whether the processor has instructions for 8-bit products, as far as this torch can tell."""
    try:
        return bool(torch.cpu._is_vnni_supported())
    except AttributeError:
        return False


def dense(weight: Tensor, bias: Tensor, arithmetic: Arithmetic, gelu: bool = False) -> Callable[[Tensor], Tensor]:
    """`x @ weight.T + bias` for `x` `float32[rows, inputs]`, then GELU where asked. Raises `AttributeError` or
    `RuntimeError` where this torch or processor cannot do it in 8 bits."""
    weight, bias = weight.detach().float(), bias.detach().float()
    linear = _int8(weight, bias) if arithmetic == "int8" else lambda x: F.linear(x, weight, bias)
    return (lambda x: F.gelu(linear(x))) if gelu else linear


def _int8(weight: Tensor, bias: Tensor) -> Callable[[Tensor], Tensor]:
    scale = (weight.abs().amax(1) / _LEVELS).clamp_(min=1e-12)
    levels = (weight / scale[:, None]).round_().to(torch.int8)
    layout = torch.ops.onednn.qlinear_prepack(levels, [_ROWS, weight.shape[1]])
    zeros = torch.zeros(len(weight), dtype=torch.int64)
    multiply = torch.ops.onednn.qlinear_pointwise

    def linear(x: Tensor) -> Tensor:
        step = x.abs().amax(1, keepdim=True).clamp_(min=1e-12).div_(_LEVELS)
        signed = (x / step).round_().to(torch.int8)
        raised = signed.view(torch.uint8).bitwise_xor_(_ZERO)  # oneDNN is fast for unsigned rows only
        product = multiply(raised, 1.0, _ZERO, layout, scale, zeros, None, 1.0, 0, torch.float32, "none", [], "")
        found: Tensor = torch.addcmul(bias, product, step)
        return found

    return linear
