"""The small model: six of the tuned network's layers and its pooling layer, taught by the whole.

The last stage of `models.train`. The layers are cut from the tuned network (the lower ones stay frozen) and learn the
teacher's answers, half and half with the corpus' labels where there are any, and the direction of its last hidden
states (after Sun et al. 2019, arXiv 1908.09355). The teacher also answers for the public emotion text, all outputs of a
customer. What thresholds are set on is kept from it: the utterances that either fold held out, and the calls of a sixth
of the scenes. The teacher had seen them, so figures on them flatter.
"""

import copy
import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models import fit, network, splits
from models.cache import by_length, states
from models.calibrate import sigmoid
from models.examples import LABEL_INDEX
from models.labels import EMOTIONS, HEAT_OUTPUTS, ROLE_LABELS
from models.ship import embedding_map, write
from models.train import Plan

log = logging.getLogger("models.train")
Array = np.ndarray[Any, Any]
FROZEN = 2
"""Lower layers that stay the teacher's; their hidden states are computed once."""
SETTINGS = fit.Settings(epochs=6, rate=2e-4, decay=0.95, positive_power=0.0, seed=21, frozen=FROZEN)
PUBLIC = 10_000
"""Rows of public emotion text drawn anew for every epoch."""
HELD_SCENES = 1 / 6
"""Share of the calls' scenes that is kept from it."""
EMBEDDED = 6
"""The layer whose mean over a turn's tokens gives the embedding."""


def kept(layers: int) -> tuple[int, ...]:
    """Which layers stay of a network of `layers` and a pooling layer.

    >>> kept(12)
    (0, 1, 3, 6, 9, 11, 12)
    """
    return (0, 1, layers // 4, layers // 2, 3 * layers // 4, layers - 1, layers)


def cut(model: Any) -> Any:
    """A copy of `model` with six of its layers and its pooling layer."""
    small = copy.deepcopy(model)
    numbers = kept(len(small.bert.encoder.layer) - 1)
    small.bert.encoder.layer = nn.ModuleList([small.bert.encoder.layer[number] for number in numbers])
    small.config.num_hidden_layers = len(numbers)
    small.requires_grad_(False)
    for _, parameter in network.trainable(small, FROZEN):
        parameter.requires_grad_(True)
    return small


class Lessons:
    """What the teacher says of every row: hidden states before its pooling layer, and logits `[n, outputs]`."""

    def __init__(self, plan: Plan, frozen: int) -> None:
        path, answers = plan.work / "taught.npy", plan.work / "taught.npz"
        if not answers.exists():
            hidden = np.zeros(plan.cache.states.shape, dtype=np.float16)
            logits = np.zeros(tuple(plan.cache.wanted.shape), dtype=np.float32)
            _ask(plan, frozen, hidden, logits)
            np.save(path, hidden)
            np.savez(answers, logits=logits)
        self.logits: Array = np.load(answers)["logits"]
        self._taught = plan.cache.with_states(np.load(path))

    def hidden(self, rows: Array) -> Tensor:
        """Padded hidden states `[batch, tokens, h]`."""
        return self._taught.hidden(rows)[0]


def _ask(plan: Plan, frozen: int, hidden: Array, logits: Array) -> None:
    cache = plan.cache
    with torch.inference_mode():
        for rows in by_length(cache.lengths, 4096):
            below, mask = cache.hidden(rows)
            bias = network.attention_bias(mask)
            last = network.middle(plan.model, below, bias, frozen)
            logits[rows] = network.pooled(plan.model, last, bias).numpy()
            for row, one in zip(rows.tolist(), last.numpy(), strict=True):
                hidden[cache.offsets[row] : cache.offsets[row + 1]] = one[: cache.lengths[row]]
    log.info("teacher answered %d", len(logits))


class Course:
    """What the small model learns from, and what is kept from it."""

    def __init__(self, plan: Plan) -> None:
        self.plan, cache = plan, plan.cache
        plan.start("final")
        self.model = cut(plan.model)
        self.cache = cache.with_states(
            np.concatenate(
                [
                    states(self.model, cache.encoded[part[0] : part[-1] + 1], FROZEN, plan.work / f"small-{name}.npy")
                    for name, part in (("corpus", np.arange(plan.public_from)), ("public", plan.public))
                    if len(part)
                ]
            )
        )
        places = [splits.share(splits.scene(cache.examples[row].call_id or ""), "small") for row in plan.called]
        held_calls = plan.called[np.array(places) < HELD_SCENES]
        self.held = np.concatenate([*plan.held, held_calls])
        self.rows = np.setdiff1d(np.arange(plan.public_from), self.held)
        log.info(
            "small model: %d rows, %d held out, of these %d of calls", len(self.rows), len(self.held), len(held_calls)
        )

    def train(self) -> None:
        """Every epoch all rows and some public text."""
        plan, cache = self.plan, self.cache
        lessons = Lessons(plan, fit.Settings().frozen)
        told = torch.from_numpy(sigmoid(lessons.logits)).float()
        labelled = slice(0, plan.public_from)
        cache.wanted[labelled] = (cache.wanted[labelled] + told[labelled]) / 2
        cache.wanted[plan.public_from :] = told[plan.public_from :]
        cache.counts[plan.public_from :] = 0.0
        for name in (*EMOTIONS, *ROLE_LABELS["customer"], *HEAT_OUTPUTS):
            cache.counts[plan.public_from :, LABEL_INDEX[name]] = 1.0
        rows = plan.mixed(lambda _: self.rows, PUBLIC, SETTINGS.seed)
        fit.fit(self.model, cache, rows, SETTINGS, plan.work / "small.pt", lessons.hidden)
        np.savez(plan.work / "small.npz", rows=self.held, logits=fit.predict(self.model, cache, self.held, FROZEN))

    def ship(self, out: Path) -> dict[str, Any]:
        """Write the trained model. Returns the figures on what was kept from it."""
        work = self.plan.work
        saved = torch.load(work / "small.pt", weights_only=True)
        self.model.load_state_dict(saved["model"], strict=False)
        unseen = np.load(work / "small.npz")
        embedding = embedding_map(self.plan, self.turn_means, work / "small-embedding.npz")
        return write(self.plan, self.model, out, (unseen["rows"], unseen["logits"]), (*embedding, EMBEDDED))

    def turn_means(self, rows: Array) -> Array:
        """Mean hidden state over the turn's own tokens after layer `EMBEDDED`, `float32[rows, h]`."""
        cache, layers = self.cache, self.model.bert.encoder.layer[FROZEN:EMBEDDED]
        out = np.zeros((len(rows), cache.states.shape[1]), dtype=np.float32)
        with torch.inference_mode():
            for batch in by_length(cache.lengths[rows], 4096):
                hidden, mask = cache.hidden(rows[batch])
                for layer in layers:
                    hidden = network.layer_forward(layer, hidden, network.attention_bias(mask))
                for place, one in zip(batch.tolist(), hidden.numpy(), strict=True):
                    out[place] = one[: cache.encoded[rows[place]].turn].mean(0)
        return out


def teach(plan: Plan, out: Path) -> dict[str, Any]:
    """Train the small model where that is not done yet, and write it. Returns its figures."""
    course, done = Course(plan), plan.work / "small.done"
    if not done.exists():
        course.train()
        done.touch()
    return course.ship(out)
