"""Linear layers in float32, or in bfloat16 with weights laid out for the processor once.

Processors with bfloat16 units (AMX, AVX-512 BF16) multiply several times faster in it. torch reaches them best
through oneDNN's prepacked linear, a private operation: used where it is there and works, else plain torch.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def has_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16, as far as this torch can tell."""
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    except (AttributeError, RuntimeError):
        return False


def dense(weight: Tensor, bias: Tensor, dtype: torch.dtype, gelu: bool = False) -> Callable[[Tensor], Tensor]:
    """`x @ weight.T + bias` for `x` `[rows, inputs]` of `dtype`, then GELU where asked."""
    weight, bias = weight.detach().to(dtype), bias.detach().to(dtype)
    if dtype == torch.bfloat16 and has_bfloat16():
        packed = _prepacked(weight, bias, gelu)
        if packed is not None:
            return packed
    if gelu:
        return lambda x: F.gelu(F.linear(x, weight, bias))
    return lambda x: F.linear(x, weight, bias)


_ROWS = 1024
"""Rows for which the layout is chosen; it works for any number."""


def _prepacked(weight: Tensor, bias: Tensor, gelu: bool) -> Callable[[Tensor], Tensor] | None:
    """oneDNN's linear with the activation fused; None where this torch has none."""
    then: tuple[str, list[float], str] = ("gelu", [], "none") if gelu else ("none", [], "")
    try:
        layout = torch.ops.mkldnn._reorder_linear_weight(weight, _ROWS)
        run = torch.ops.mkldnn._linear_pointwise
        run(torch.zeros(8, weight.shape[1], dtype=weight.dtype), layout, bias, *then)
    except (AttributeError, RuntimeError, TypeError):
        return None

    def linear(x: Tensor) -> Tensor:
        found: Tensor = run(x, layout, bias, *then)
        return found

    return linear
