"""The small model: six of the tuned network's layers and its pooling layer, taught by the whole.

The last stages of `models.train`. The layers are cut from the tuned network (the lower ones stay frozen) and learn the
teacher's answers, half and half with the corpus' labels where there are any, and the direction of its last hidden
states (after Sun et al. 2019, arXiv 1908.09355). The teacher also answers for the public emotion text, all outputs of a
customer.

Like the teacher, the small model is trained on two folds, whose mean ships: each is cut from the teacher of its fold,
and neither has seen what its fold leaves out. That sets thresholds and slopes, and the risk learns from it. With
`--since` both start as the released small model, the released twelve teach, and only calls that neither has seen are
left out.
"""

import copy
import logging
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from models import fit, network
from models.cache import by_length, states
from models.calibrate import sigmoid
from models.examples import LABEL_INDEX
from models.labels import EMOTIONS, HEAT_OUTPUTS, ROLE_LABELS
from models.ship import embedding_map, write
from models.train import Plan, stored

log = logging.getLogger("models.train")
Array = np.ndarray[Any, Any]
FROZEN = 2
"""Lower layers that stay the teacher's; their hidden states are computed once."""
SETTINGS = tuple(
    fit.Settings(epochs=6, rate=2e-4, decay=0.95, positive_power=0.0, seed=seed, frozen=FROZEN) for seed in (21, 22)
)
SINCE = tuple(msgspec.structs.replace(one, epochs=3, rate=1e-4, head_rate=2.5e-4, warmup=0.03) for one in SETTINGS)
"""For going on from a release: it knows most of it already."""
AGAIN = 0.35
"""Share of what the release has seen that is drawn anew for every epoch, beside all that is new to it."""
PUBLIC, PUBLIC_SINCE = 10_000, 5_000
"""Rows of public emotion text drawn anew for every epoch."""
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
    """What the teacher of a fold says of every row: hidden states before its pooling layer, and logits
    `[n, outputs]`."""

    def __init__(self, plan: Plan, fold: int) -> None:
        name = "taught" if plan.since else f"taught{fold}"
        path, answers = plan.work / f"{name}.npy", plan.work / f"{name}.npz"
        if not answers.exists():
            plan.start(f"fold{fold}")
            hidden = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=plan.cache.states.shape)
            logits = np.zeros(tuple(plan.cache.wanted.shape), dtype=np.float32)
            _ask(plan, fit.Settings().frozen, hidden, logits)
            hidden.flush()
            np.savez(answers, logits=logits)
        self.logits: Array = np.load(answers)["logits"]
        self._taught = plan.cache.with_states(np.load(path, mmap_mode="r"))

    def hidden(self, rows: Array) -> Tensor:
        """Padded hidden states `[batch, tokens, h]`."""
        return self._taught.hidden(rows)[0]


def _ask(plan: Plan, frozen: int, hidden: Array, logits: Array) -> None:
    cache, done = plan.cache, 0
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fit.bfloat16_pays()):
        for rows in by_length(cache.lengths, 4096):
            below, mask = cache.hidden(rows)
            bias = network.attention_bias(mask)
            last = network.middle(plan.model, below, bias, frozen)
            logits[rows] = network.pooled(plan.model, last, bias).float().numpy()
            for row, one in zip(rows.tolist(), last.float().numpy(), strict=True):
                hidden[cache.offsets[row] : cache.offsets[row + 1]] = one[: cache.lengths[row]]
            done += len(rows)
            if done % 4000 < len(rows):
                log.info("teacher answered %d of %d", done, len(logits))


def lower_states(plan: Plan, model: Any) -> Array:
    """Hidden states after the small model's frozen layers, of every row of the plan."""
    said = np.arange(plan.called[0])
    parts = (("said", said), ("called", plan.called), ("public", plan.public))
    found = [
        states(model, plan.cache.encoded[part[0] : part[-1] + 1], FROZEN, plan.work / f"small-{name}.npy")
        for name, part in parts
        if len(part)
    ]
    return np.concatenate(found)


def prepare(plan: Plan) -> None:
    """What both folds share, made before they run side by side: the teachers' answers and the lower states."""
    for fold in (0, 1):
        Lessons(plan, fold)
    lower_states(plan, cut(plan.model))


class Course:
    """What the small model of one fold learns from, and what is kept from it."""

    def __init__(self, plan: Plan, fold: int) -> None:
        self.plan, self.fold = plan, fold
        plan.start(f"fold{fold}")
        self.model = cut(plan.model)
        self.cache = plan.cache.with_states(lower_states(plan, self.model))
        if plan.since is not None:
            self.model.load_state_dict(stored(plan.since / "default"), strict=True)
        self.settings = (SINCE if plan.since else SETTINGS)[fold]
        left_out = (plan.fold == fold) & plan.new_calls
        self.held = np.concatenate([plan.held[fold], plan.called[left_out]])
        rows = np.setdiff1d(np.arange(plan.public_from), self.held)
        fresh = plan.called[~left_out & plan.new_calls] if plan.since else rows
        self.fresh, self.known = fresh, np.setdiff1d(rows, fresh)
        sizes = (len(self.fresh), len(self.known), len(self.held), int(left_out.sum()))
        log.info("small model: %d new rows, %d known, %d held out, of these %d of calls", *sizes)

    def rows(self, epoch: int) -> Array:
        """Corpus rows of an epoch."""
        some = np.random.default_rng([self.settings.seed, epoch, 97]).permutation(self.known)
        return np.concatenate([self.fresh, np.sort(some[: int(AGAIN * len(some))])])

    def train(self) -> None:
        """Every epoch the corpus and some public text."""
        plan, cache, name = self.plan, self.cache, f"small{self.fold}"
        lessons = Lessons(plan, self.fold)
        told = torch.from_numpy(sigmoid(lessons.logits)).float()
        labelled = slice(0, plan.public_from)
        cache.wanted[labelled] = (cache.wanted[labelled] + told[labelled]) / 2
        cache.wanted[plan.public_from :] = told[plan.public_from :]
        cache.counts[plan.public_from :] = 0.0
        for label in (*EMOTIONS, *ROLE_LABELS["customer"], *HEAT_OUTPUTS):
            cache.counts[plan.public_from :, LABEL_INDEX[label]] = 1.0
        rows = plan.mixed(self.rows, PUBLIC_SINCE if plan.since else PUBLIC, self.settings.seed)
        fit.fit(self.model, cache, rows, self.settings, plan.work / f"{name}.pt", lessons.hidden)
        logits = fit.predict(self.model, cache, self.held, FROZEN)
        np.savez(plan.work / f"{name}.npz", rows=self.held, logits=logits)
        (plan.work / f"{name}.done").touch()

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


def ship_mean(plan: Plan, out: Path) -> dict[str, Any]:
    """Write the mean of both folds' weights. Returns the figures on what either fold has not seen."""
    course = Course(plan, 0)
    course.model.load_state_dict(plan.mean("small"), strict=False)
    embedding = embedding_map(plan, course.turn_means, plan.work / "small-embedding.npz")
    figures = write(plan, course.model, out, plan.unseen("small"), (*embedding, EMBEDDED))
    (plan.work / "small.done").touch()
    return figures
