"""Hidden states of the frozen lower layers, computed once: `float16[tokens, hidden]` beside offsets."""

import copy
import hashlib
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

    def with_states(self, states: np.ndarray[Any, Any]) -> "Cache":
        """The same examples, with targets of its own, over other hidden states."""
        other = copy.copy(self)
        other.states, other.wanted, other.counts = states, self.wanted.clone(), self.counts.clone()
        return other

    def hidden(self, rows: np.ndarray[Any, Any]) -> tuple[Tensor, Tensor]:
        """Padded hidden states `[batch, tokens, h]` and mask `[batch, tokens]`."""
        longest = int(self.lengths[rows].max())
        out = np.zeros((len(rows), longest, self.states.shape[1]), dtype=np.float32)
        mask = np.zeros((len(rows), longest), dtype=np.float32)
        for i, row in enumerate(rows):
            out[i, : self.lengths[row]] = self.states[self.offsets[row] : self.offsets[row + 1]]
            mask[i, : self.lengths[row]] = 1.0
        return torch.from_numpy(out), torch.from_numpy(mask)

    def turn_means(self, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Mean lower hidden state over the turn's own tokens, `float32[rows, h]`."""
        starts = self.offsets[rows].tolist()
        turns = [self.encoded[row].turn for row in rows]
        return np.stack([self.states[s : s + n].mean(0, dtype=np.float32) for s, n in zip(starts, turns, strict=True)])


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


def states(model: Any, encoded: list[Encoded], layers: int, path: Path) -> np.ndarray[Any, Any]:
    """Hidden states `float16[tokens, h]` after `layers` layers, kept in `path` and read back where they fit."""
    lengths = np.array([len(one.ids) for one in encoded])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    shape = (int(offsets[-1]), model.config.hidden_size)
    digest = hashlib.blake2b(b"".join(np.array(one.ids, dtype=np.int32).tobytes() for one in encoded)).hexdigest()
    mark = path.with_suffix(".key")
    if path.exists() and mark.exists() and mark.read_text("utf-8") == digest:
        return np.asarray(np.load(path))
    found = np.zeros(shape, dtype=np.float16)
    started, done = time.monotonic(), 0
    with torch.inference_mode():
        for rows in by_length(lengths, 4096):
            ids, types, mask = pad([encoded[row] for row in rows])
            hidden = network.lower(model, ids, types, mask, layers).numpy()
            for i, row in enumerate(rows):
                found[offsets[row] : offsets[row + 1]] = hidden[i, : lengths[row]]
            done += len(rows)
            if done % 2000 < len(rows):
                log.info("%s %d of %d, %.0f/s", path.stem, done, len(encoded), done / (time.monotonic() - started))
    np.save(path, found)
    mark.write_text(digest, "utf-8")
    return found
