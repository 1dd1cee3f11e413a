"""Scores turns: the only module that the service needs torch for.

A score is a pure function of its input: turns share matrix products (`models.packed`), never rows of them, and every
product has a multiple of eight rows, so that what is rounded to four decimals does not depend on a turn's neighbours.
"""

import logging
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.calibrate import Bend
from models.dense import has_int8, use_threads
from models.directory import DEFAULT, REBUILD, ModelDirectory, ModelError
from models.encoding import PAD, Encoded, encode, load_tokenizer
from models.labels import EMOTIONS, HEAT_OUTPUTS, MUST_NOT_MISS, ROLE_LABELS, scored_role
from models.packed import PackedModel, pack
from models.precision import PROBE, Precision, Read, fault
from models.types import Score, ScoreInput

log = logging.getLogger(__name__)
__all__ = ["ModelError", "Scorer", "too_little_text"]

STEP = 8
"""Lengths are padded to a multiple of this."""
SHOWN_FROM = 0.1
"""Labels below this mapped probability are left out; threats, dangers and requests never, for the phrase packs vote
with the model on them."""


def too_little_text(text: str) -> bool:
    """Whether there is no letter or ideograph in it to hear anything from."""
    return not any(unicodedata.category(char)[0] == "L" for char in text)


class Scorer:
    """A model directory, loaded. Not thread-safe: one thread scores."""

    def __init__(
        self,
        folder: Path | str = DEFAULT,
        threads: int | None = None,
        token_budget: int = 512,
        precision: Precision = "float32",
    ) -> None:
        self.directory = ModelDirectory(folder)
        self.version = self.directory.version
        self.token_budget = token_budget
        if threads is not None:
            use_threads(threads)
        self.tokenizer = load_tokenizer(self.directory.folder)
        self.model = _load(self.directory)
        self._packed = PackedModel(self.model, STEP)
        self.precision: str = "float32"
        self.hidden_size = int(self.model.config.hidden_size)
        outputs, labels = self.directory.outputs, self.directory.calibration.labels
        self._bend = Bend([labels[name] for name in outputs])
        self._column = {name: i for i, name in enumerate(outputs)}
        chosen = self.directory.calibration.embedding
        self._layer = chosen.layer if chosen else self.model.config.num_hidden_layers - 1
        self._projection = _projection(self.directory, self.hidden_size)
        if precision == "int8" or (precision == "auto" and has_int8()):
            self._try_int8(demanded=precision == "int8")

    def score(self, inputs: Sequence[ScoreInput]) -> list[Score]:
        """One score an input, in their order."""
        heard = [i for i, item in enumerate(inputs) if not too_little_text(item.text)]
        silence = Score({}, None, {}, bytes(self.hidden_size), "too_little_text")
        scores = [silence] * len(inputs)
        encoded = encode(self.tokenizer, [inputs[i] for i in heard])
        for batch in self._batches(encoded):
            logits, embeddings = self.forward([encoded[i] for i in batch])
            for i, row, vector in zip(batch, logits, embeddings, strict=True):
                scores[heard[i]] = self.to_score(inputs[heard[i]].role, row, vector)
        return scores

    def warm_up(self) -> None:
        """Score a little of everything once, so that the first real turn does not pay for buffers and kernels."""
        for words in (1, 8, 40):
            self.score([ScoreInput("again " * words, role, "before " * words) for role in ROLE_LABELS])

    def _batches(self, encoded: list[Encoded]) -> list[list[int]]:
        """Numbers of inputs, short ones first, at most `token_budget` tokens a batch."""
        batches: list[list[int]] = []
        room = 0
        for i in sorted(range(len(encoded)), key=lambda i: (_padded(encoded[i]), i)):
            room -= _padded(encoded[i])
            if room < 0 or not batches:
                batches.append([])
                room = self.token_budget - _padded(encoded[i])
            batches[-1].append(i)
        return batches

    def _try_int8(self, *, demanded: bool) -> None:
        """Goes on in 8 bits where that does on this machine. Raises `ModelError` where it is demanded and does not."""
        probe = encode(self.tokenizer, [ScoreInput(text, "customer", PROBE[0]) for text in PROBE])
        try:
            other = PackedModel(self.model, STEP, "int8")
            wrong = fault(self._read(self._packed), self._read(other), probe)
        except (AttributeError, RuntimeError) as error:
            wrong = type(error).__name__
        if wrong is None:
            self._packed, self.precision = other, "int8"
        elif demanded:
            raise ModelError(f'int8 does not do on this machine: {wrong}; set `model.precision` to "float32"')
        else:
            log.info("float32 is used, int8 does not do on this machine: %s", wrong)

    def _read(self, net: PackedModel) -> Read:
        def read(turns: list[Encoded]) -> tuple[np.ndarray[Any, Any], list[Score]]:
            order = sorted(range(len(turns)), key=lambda i: (_padded(turns[i]), i))
            back = np.argsort(order)
            logits, embeddings = self.forward([turns[i] for i in order], net)
            scores = [self.to_score("customer", logits[i], embeddings[i]) for i in back]
            return logits[back], scores

        return read

    def forward(
        self, encoded: list[Encoded], net: PackedModel | None = None
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Logits `[batch, outputs]` and unit embeddings `[batch, h]` of inputs sorted by padded length."""
        lengths = [_padded(one) for one in encoded]
        with torch.inference_mode():
            packed = pack([(one.ids, one.turn) for one in encoded], lengths, PAD)
            hidden, logits = (net or self._packed)(packed, self._layer)
            starts = np.cumsum([0, *lengths[:-1]])
            means = [
                hidden[start : start + one.turn].mean(0) for start, one in zip(starts.tolist(), encoded, strict=True)
            ]
        return logits.numpy(), self.embed(torch.stack(means).numpy())

    def embed(self, mean: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Project the mean hidden state of the turn's own tokens, one row at a time, to unit length."""
        matrix, bias = self._projection
        rows = [row.astype(np.float64) @ matrix + bias for row in mean]
        return np.stack([row / max(float(np.linalg.norm(row)), 1e-9) for row in rows])

    def to_score(self, role: str, logits: np.ndarray[Any, Any], embedding: np.ndarray[Any, Any]) -> Score:
        """The score of one turn from its logits `[outputs]` and its unit embedding `[h]`."""
        mapped = self._bend(logits)
        heard_as = scored_role(role)

        def read(name: str) -> float:
            return round(float(mapped[self._column[name]]), 4)

        emotions = {name: read(name) for name in EMOTIONS} if heard_as == "customer" else {}
        heat = round(sum(float(mapped[self._column[name]]) for name in HEAT_OUTPUTS), 4)
        found = {name: read(name) for name in ROLE_LABELS[heard_as]}
        labels = {name: p for name, p in found.items() if p >= SHOWN_FROM or name in MUST_NOT_MISS}
        quantised = np.rint(embedding * 127.0).astype(np.int8).tobytes()
        return Score(emotions, heat if heard_as == "customer" else None, labels, quantised)


def _padded(one: Encoded) -> int:
    return -(-len(one.ids) // STEP) * STEP


def no_progress_bar() -> None:
    """Keep transformers from drawing on standard error, terminal or not."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def _load(directory: ModelDirectory) -> Any:
    """The stock model in float32 (the weights are stored in half precision)."""
    from transformers import AutoModelForSequenceClassification

    no_progress_bar()
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            directory.folder, dtype=torch.float32, local_files_only=True, attn_implementation="eager"
        )
    except Exception as error:
        raise ModelError(f"{directory.folder}: the weights do not load ({error}); {REBUILD}") from error
    if model.config.model_type != "bert":
        raise ModelError(f"{directory.folder / 'config.json'}: model_type {model.config.model_type!r} is not `bert`")
    return model.eval().requires_grad_(False)


def _projection(directory: ModelDirectory, hidden: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """`[h, h]` and `[h]` of the embedding's linear map; the identity where the directory has none."""
    path = directory.folder / "embedding.safetensors"
    if not path.is_file():
        return np.eye(hidden), np.zeros(hidden)
    from safetensors.numpy import load_file

    tensors = load_file(path)
    return tensors["weight"].astype(np.float64), tensors["bias"].astype(np.float64)
