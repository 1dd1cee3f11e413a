"""The forward pass of many turns of different lengths at once, without padding one to another.

All turns' tokens stand in one long row for the matrix products, which are most of the work and want many rows;
attention is taken turn by turn, grouped by length. A turn only ever meets its own tokens (each turn is padded to a
multiple of eight of its own), so its numbers do not depend on its neighbours.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from models.dense import Arithmetic, dense


class Group(NamedTuple):
    """Turns of one padded length: rows `start` to `start + turns * length`, and what is added to their attention."""

    start: int
    turns: int
    length: int
    bias: Tensor | None


class Packed(NamedTuple):
    """Turns side by side: `ids`, `types` and `positions` `[rows]`, in groups of equal length."""

    ids: Tensor
    types: Tensor
    positions: Tensor
    groups: list[Group]


class PackedLayer:
    """One `BertLayer` with its three input projections as one matrix, in the given arithmetic."""

    def __init__(self, layer: Any, arithmetic: Arithmetic) -> None:
        own, output = layer.attention.self, layer.attention.output
        parts = (own.query, own.key, own.value)
        self._heads = int(own.num_attention_heads)
        self._inputs = dense(torch.cat([p.weight for p in parts]), torch.cat([p.bias for p in parts]), arithmetic)
        self._mix = dense(output.dense.weight, output.dense.bias, arithmetic)
        self._widen = dense(layer.intermediate.dense.weight, layer.intermediate.dense.bias, arithmetic, gelu=True)
        self._narrow = dense(layer.output.dense.weight, layer.output.dense.bias, arithmetic)
        self._middle_norm = _norm(output.LayerNorm)
        self._end_norm = _norm(layer.output.LayerNorm)

    def __call__(self, hidden: Tensor, groups: list[Group]) -> Tensor:
        """`[rows, h]` to `[rows, h]`."""
        projected = self._inputs(hidden)
        mixed = torch.empty_like(hidden)
        for group in groups:
            end = group.start + group.turns * group.length
            mixed[group.start : end] = self._attend(projected[group.start : end], group, group.length)
        return self._finish(mixed, hidden)

    def first_rows(self, hidden: Tensor, groups: list[Group], rows: int) -> Tensor:
        """The same for the first `rows` rows of every turn only: `[turns * rows, h]`."""
        projected = self._inputs(hidden)
        mixed, asking = [], []
        for group in groups:
            end = group.start + group.turns * group.length
            mixed.append(self._attend(projected[group.start : end], group, rows))
            own = hidden[group.start : end].view(group.turns, group.length, -1)[:, :rows]
            asking.append(own.reshape(group.turns * rows, -1))
        return self._finish(torch.cat(mixed), torch.cat(asking))

    def _attend(self, projected: Tensor, group: Group, rows: int) -> Tensor:
        """Attention inside each turn of a group, for the first `rows` of its rows: `[turns * rows, h]`."""
        hidden = projected.shape[1] // 3
        width = hidden // self._heads
        parts = projected.view(group.turns, group.length, 3, self._heads, width).permute(2, 0, 3, 1, 4)
        query, key, value = parts[0][:, :, :rows], parts[1], parts[2]
        logits = torch.matmul(query * width**-0.5, key.transpose(-1, -2))
        if group.bias is not None:
            logits = logits + group.bias
        mixed = torch.matmul(logits.softmax(-1), value)
        return mixed.transpose(1, 2).reshape(group.turns * rows, hidden)

    def _finish(self, mixed: Tensor, asking: Tensor) -> Tensor:
        middle = self._middle_norm(self._mix(mixed) + asking)
        return self._end_norm(self._narrow(self._widen(middle)) + middle)


def _norm(module: Any) -> Callable[[Tensor], Tensor]:
    shape, eps = module.normalized_shape, module.eps
    return lambda x: F.layer_norm(x, shape, module.weight, module.bias, eps)


class PackedModel:
    """A loaded `BertForSequenceClassification` whose last layer pools into its first row."""

    def __init__(self, model: Any, step: int, arithmetic: Arithmetic = "float32") -> None:
        self._model = model
        self._step = step
        self._layers = [PackedLayer(layer, arithmetic) for layer in model.bert.encoder.layer]

    def __call__(self, packed: Packed, layer: int) -> tuple[Tensor, Tensor]:
        """Hidden states after `layer` layers `[rows, h]`, and logits `[turns, outputs]` in the order of the groups."""
        bert = self._model.bert
        hidden: Tensor = bert.embeddings(
            input_ids=packed.ids[None], token_type_ids=packed.types[None], position_ids=packed.positions[None]
        )[0]
        early = hidden
        for number, apply in enumerate(self._layers[:-1]):
            early = hidden if number == layer else early
            hidden = apply(hidden, packed.groups)
        if layer >= len(self._layers) - 1:
            early = hidden
        pooled = self._layers[-1].first_rows(hidden, packed.groups, self._step)
        pooled = torch.tanh(bert.pooler.dense(pooled))
        logits: Tensor = self._model.classifier(pooled)[:: self._step]
        return early, logits


def pack(turns: list[tuple[list[int], int]], length_of: list[int], pad: int) -> Packed:
    """Turns as (token ids, how many of them are the turn itself), with their padded lengths, sorted by length."""
    rows = sum(length_of)
    ids = torch.full((rows,), pad, dtype=torch.long)
    types = torch.zeros(rows, dtype=torch.long)
    positions = torch.empty(rows, dtype=torch.long)
    groups: list[Group] = []
    start = at = 0
    while at < len(turns):
        length, count = length_of[at], 1
        while at + count < len(turns) and length_of[at + count] == length:
            count += 1
        mask = torch.zeros(count, length)
        for number in range(count):
            tokens, own = turns[at + number]
            first = start + number * length
            ids[first : first + len(tokens)] = torch.tensor(tokens)
            types[first + own : first + len(tokens)] = 1
            positions[first : first + length] = torch.arange(length)
            mask[number, : len(tokens)] = 1.0
        padded = not bool(mask.all())
        bias = (1.0 - mask[:, None, None, :]) * torch.finfo(torch.float32).min if padded else None
        groups.append(Group(start, count, length, bias))
        start += count * length
        at += count
    return Packed(ids, types, positions, groups)
