"""The small model: six of the tuned network's layers and its pooling layer, taught by the whole.

    python -m models.distil [--work build/train] [--out models/small]

Needs the work directory of `models.train` after its stage `final`. The layers are cut from the tuned network (the lower
ones stay frozen) and learn the teacher's answers, half and half with the corpus' labels where there are any, and the
direction of its last hidden states (after Sun et al. 2019, arXiv 1908.09355). The teacher also answers for the
public emotion text, all outputs of a customer. What it is measured and calibrated on is kept from it: the
utterances that either fold held out, and the calls of a sixth of the scenes.
"""

import argparse
import copy
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models import fit, network, splits
from models.cache import by_length, states
from models.calibrate import sigmoid
from models.examples import CORPUS, LABEL_INDEX
from models.labels import EMOTIONS, HEAT_OUTPUTS, ROLE_LABELS
from models.ship import embedding_map, write
from models.train import Plan

log = logging.getLogger("models.train")
Array = np.ndarray[Any, Any]
LAYERS = (0, 1, 3, 6, 9, 11, 12)
"""Of the tuned network: the last one is the pooling layer."""
FROZEN = 2
SETTINGS = fit.Settings(epochs=6, rate=2e-4, decay=0.95, positive_power=0.0, seed=21, frozen=FROZEN)
PUBLIC = 10_000
"""Rows of public emotion text drawn anew for every epoch."""
HELD_SCENES = 1 / 6
EMBEDDED = 4
"""The layer whose mean over a turn's tokens gives the embedding."""


def cut(model: Any, layers: Sequence[int]) -> Any:
    """A copy of `model` that has only these of its layers."""
    small = copy.deepcopy(model)
    kept = [small.bert.encoder.layer[number] for number in layers]
    small.bert.encoder.layer = nn.ModuleList(kept)
    small.config.num_hidden_layers = len(kept)
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
        self.lessons = Lessons(plan, fit.Settings().frozen)
        self.model = cut(plan.model, LAYERS)
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
        told = torch.from_numpy(sigmoid(self.lessons.logits)).float()
        labelled = slice(0, plan.public_from)
        cache.wanted[labelled] = (cache.wanted[labelled] + told[labelled]) / 2
        cache.wanted[plan.public_from :] = told[plan.public_from :]
        cache.counts[plan.public_from :] = 0.0
        for name in (*EMOTIONS, *ROLE_LABELS["customer"], *HEAT_OUTPUTS):
            cache.counts[plan.public_from :, LABEL_INDEX[name]] = 1.0
        rows = plan.mixed(lambda _: self.rows, PUBLIC, SETTINGS.seed)
        fit.fit(self.model, cache, rows, SETTINGS, plan.work / "small.pt", self.lessons.hidden)
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


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="models.distil", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoder", type=Path, default=Path("build/encoder"))
    parser.add_argument("--work", type=Path, default=Path("build/train"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "small")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--emotions", type=Path, nargs="*", default=[], help="public emotion text, .jsonl.gz")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    torch.set_num_threads(options.threads)
    course = Course(Plan(options.encoder, options.work, options.corpus, options.emotions))
    if not (options.work / "small.done").exists():
        course.train()
        (options.work / "small.done").touch()
    sys.stdout.write(json.dumps(course.ship(options.out)) + "\n")


if __name__ == "__main__":
    main()
