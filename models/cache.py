"""Hidden states of the frozen lower layers, computed once: `float16[tokens, hidden]` beside offsets."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models import network
from models.encoding import PAD, Encoded
from models.examples import Example, target

log = logging.getLogger("models.train")


class Cache:
    """Encoded examples, their lower hidden states, targets `[n, outputs]` and masks `[n, outputs]`."""

    def __init__(self, examples: list[Example], encoded: list[Encoded], states: np.ndarray[Any, Any]) -> None:
        self.examples, self.encoded, self.states = examples, encoded, states
        self.lengths = np.array([len(one.ids) for one in encoded])
        self.offsets = np.concatenate([[0], np.cumsum(self.lengths)])
        pairs = [target(example) for example in examples]
        self.wanted = torch.tensor([wanted for wanted, _ in pairs])
        self.counts = torch.tensor([counts for _, counts in pairs])

    def hidden(self, rows: np.ndarray[Any, Any]) -> tuple[Tensor, Tensor]:
        """Padded hidden states `[batch, tokens, h]` and mask `[batch, tokens]`."""
        longest = int(self.lengths[rows].max())
        out = np.zeros((len(rows), longest, self.states.shape[1]), dtype=np.float32)
        mask = np.zeros((len(rows), longest), dtype=np.float32)
        for i, row in enumerate(rows):
            out[i, : self.lengths[row]] = self.states[self.offsets[row] : self.offsets[row + 1]]
            mask[i, : self.lengths[row]] = 1.0
        return torch.from_numpy(out), torch.from_numpy(mask)

    def turn_means(self) -> np.ndarray[Any, Any]:
        """Mean lower hidden state over the turn's own tokens, `float32[n, h]`."""
        starts = self.offsets[:-1]
        return np.stack(
            [
                self.states[s : s + one.turn].mean(0, dtype=np.float32)
                for s, one in zip(starts, self.encoded, strict=True)
            ]
        )


def pad(encoded: list[Encoded]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, token types and mask, each `[batch, tokens]`."""
    longest = max(len(one.ids) for one in encoded)
    shape = (len(encoded), longest)
    ids = torch.full(shape, PAD, dtype=torch.long)
    types, mask = torch.zeros(shape, dtype=torch.long), torch.zeros(shape)
    for i, one in enumerate(encoded):
        ids[i, : len(one.ids)] = torch.tensor(one.ids)
        types[i, one.turn : len(one.ids)] = 1
        mask[i, : len(one.ids)] = 1.0
    return ids, types, mask


def by_length(lengths: np.ndarray[Any, Any], budget: int) -> Iterator[np.ndarray[Any, Any]]:
    """Rows in batches of like length, at most `budget` padded tokens each."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and int(lengths[order[stop]]) * (stop - start + 1) <= budget:
            stop += 1
        yield order[start:stop]
        start = stop


def build(model: Any, examples: list[Example], encoded: list[Encoded], layers: int, path: Path) -> Cache:
    """The cache of these examples; its states are kept in `path` and read back where they fit."""
    lengths = np.array([len(one.ids) for one in encoded])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    shape = (int(offsets[-1]), model.config.hidden_size)
    if path.exists():
        states = np.load(path)
        if states.shape == shape:
            return Cache(examples, encoded, states)
    states = np.zeros(shape, dtype=np.float16)
    started, done = time.monotonic(), 0
    with torch.inference_mode():
        for rows in by_length(lengths, 4096):
            ids, types, mask = pad([encoded[row] for row in rows])
            hidden = network.lower(model, ids, types, mask, layers).numpy()
            for i, row in enumerate(rows):
                states[offsets[row] : offsets[row + 1]] = hidden[i, : lengths[row]]
            done += len(rows)
            if done % 2000 < len(rows):
                log.info("cache %d of %d, %.0f/s", done, len(encoded), done / (time.monotonic() - started))
    np.save(path, states)
    return Cache(examples, encoded, states)
