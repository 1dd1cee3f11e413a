"""The forward pass of many turns of different lengths at once, without padding one to another.

All turns' tokens stand in one long row for the matrix products, which are most of the work and want many rows;
attention is taken turn by turn, grouped by length. A turn only ever meets its own tokens (each turn is padded to a
multiple of eight of its own), so its numbers do not depend on its neighbours.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


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
    """One `BertLayer` with its three input projections as one matrix."""

    def __init__(self, layer: Any) -> None:
        own = layer.attention.self
        self._heads = int(own.num_attention_heads)
        self._inputs = torch.cat([part.weight for part in (own.query, own.key, own.value)])
        self._bias = torch.cat([part.bias for part in (own.query, own.key, own.value)])
        self._layer = layer

    def __call__(self, hidden: Tensor, groups: list[Group]) -> Tensor:
        """`[rows, h]` to `[rows, h]`."""
        projected = F.linear(hidden, self._inputs, self._bias)
        mixed = torch.empty_like(hidden)
        for group in groups:
            end = group.start + group.turns * group.length
            mixed[group.start : end] = self._attend(projected[group.start : end], group, group.length)
        return self._finish(mixed, hidden)

    def first_rows(self, hidden: Tensor, groups: list[Group], rows: int) -> Tensor:
        """The same for the first `rows` rows of every turn only: `[turns * rows, h]`."""
        projected = F.linear(hidden, self._inputs, self._bias)
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
        layer = self._layer
        middle = layer.attention.output.LayerNorm(layer.attention.output.dense(mixed) + asking)
        inner = layer.output.dense(F.gelu(layer.intermediate.dense(middle)))
        out: Tensor = layer.output.LayerNorm(inner + middle)
        return out


class PackedModel:
    """A loaded `BertForSequenceClassification` whose last layer pools into its first row."""

    def __init__(self, model: Any, step: int) -> None:
        self._model = model
        self._step = step
        self._layers = [PackedLayer(layer) for layer in model.bert.encoder.layer]

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
