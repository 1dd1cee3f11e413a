"""From the rebuilt encoder and the corpus to the shipped directory, in one command.

    python -m models.train [--encoder build/encoder] [--work build/train] [--out models/default]

The encoder is rebuilt first where `--encoder` is empty. Stages, each skipped where its result is already in `--work`:
`base` (one epoch of utterances, from the hidden states of the frozen lower layers, cached), `fold0` and `fold1` (both
from `base`: utterances and one half of the calls each; each scores the other half), `final` (the mean of the two folds'
weights, which share a start), `ship`. A run that was stopped goes on at its last epoch.
"""

import argparse
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models import fit, network, splits
from models.cache import Cache, build
from models.encoding import encode, load_tokenizer
from models.examples import CORPUS, call_turns, calls, utterances

log = logging.getLogger("models.train")
HELD_OUT = 0.08
BASE = fit.Settings(epochs=1, last_factor=0.7)
FOLDS = (fit.Settings(epochs=6, warmup=0.01, seed=11), fit.Settings(epochs=6, warmup=0.01, seed=12))


class Plan:
    """The data of a work directory: the caches, which rows are held out, which fold each call is in."""

    def __init__(self, encoder: Path, work: Path, corpus: Path) -> None:
        from transformers import BertModel

        torch.manual_seed(BASE.seed)
        self.work, self.encoder = work, encoder
        work.mkdir(parents=True, exist_ok=True)
        bert = BertModel.from_pretrained(encoder, add_pooling_layer=False)
        self.model: Any = network.build(bert).eval()
        self.model.requires_grad_(False)
        for _, parameter in network.trainable(self.model, BASE.frozen):
            parameter.requires_grad_(True)
        said = list(utterances(corpus))
        called = [turn for call in calls(corpus) for turn in call_turns(call)]
        examples = said + called
        encoded = encode(load_tokenizer(encoder), [example.input for example in examples])
        self.cache: Cache = build(self.model, examples, encoded, BASE.frozen, work / "states.npy")
        group = splits.groups(said, self.cache.turn_means()[: len(said)])
        held = np.array([splits.share(g, "held-out") < HELD_OUT for g in group])
        self.held = np.flatnonzero(held)
        self.said = np.flatnonzero(~held)
        self.called = np.arange(len(said), len(examples))
        scenes = [splits.scene(turn.call_id or "", turn.source) for turn in called]
        self.fold = np.array([int(splits.share(name, "calls") < 0.5) for name in scenes])
        sizes = (len(self.said), len(self.held), len(set(group)), int(self.fold.sum()), len(self.fold))
        log.info("train %d, held out %d, groups %d, turns in fold one %d of %d", *sizes)

    def start(self, name: str) -> None:
        """Load the end of run `name` into the model."""
        saved = torch.load(self.work / f"{name}.pt", weights_only=True)
        self.model.load_state_dict(saved["model"], strict=False)

    def base(self) -> None:
        """Stage 1: utterances only."""
        wanted, counts = self.cache.wanted[self.said], self.cache.counts[self.said]
        with torch.no_grad():
            self.model.classifier.bias.copy_(fit.prior_bias(wanted, counts))
        fit.fit(self.model, self.cache, lambda _: self.said, BASE, self.work / "base.pt")
        self.save_logits("base", np.concatenate([self.held, self.called]))

    def on_fold(self, fold: int, minutes: float | None) -> None:
        """Stage 2: all utterances and the calls outside this fold; scores what was held out and the calls inside."""
        inside = self.fold == fold
        rows = np.concatenate([self.said, self.called[~inside]])
        self.start("base")
        fit.fit(self.model, self.cache, lambda _: rows, FOLDS[fold], self.work / f"fold{fold}.pt", minutes)
        self.save_logits(f"fold{fold}", np.concatenate([self.held, self.called[inside]]))

    def average(self) -> None:
        """Stage 3: the mean of both folds' weights."""
        both = [torch.load(self.work / f"fold{i}.pt", weights_only=True)["model"] for i in (0, 1)]
        mean = {name: (both[0][name] + both[1][name]) / 2 for name in both[0]}
        torch.save({"model": mean}, self.work / "final.pt")
        self.start("final")
        self.save_logits("final", self.held)

    def save_logits(self, name: str, rows: Any) -> None:
        """Logits of `rows` beside the run, for calibration and figures."""
        logits = fit.predict(self.model, self.cache, rows, BASE.frozen)
        np.savez(self.work / f"{name}.npz", rows=rows, logits=logits)
        log.info("%s: scored %d", name, len(rows))

    def run(self, stage: str, minutes: float | None = None) -> None:
        """One stage by name; with `minutes`, a fold's schedule ends by the clock at the latest."""
        if stage == "base":
            self.base()
        elif stage in ("fold0", "fold1"):
            self.on_fold(int(stage[-1]), minutes)
        elif stage == "final":
            self.average()


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="models.train", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoder", type=Path, default=Path("build/encoder"))
    parser.add_argument("--work", type=Path, default=Path("build/train"))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "default")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--stage", choices=("base", "fold0", "fold1", "final", "ship"), help="only this one")
    parser.add_argument("--minutes", type=float, help="end a fold's schedule by then (not reproducible)")
    parser.add_argument("--run", default="final", help="the run whose weights are shipped")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    options = _parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    torch.set_num_threads(options.threads)
    if options.stage is None:
        _all(options)
        return
    plan = Plan(options.encoder, options.work, options.corpus)
    if options.stage == "ship":
        from models.ship import ship

        figures = ship(plan, options.run, options.out)
        sys.stdout.write(json.dumps({k: v for k, v in figures.items() if k != "labels"}) + "\n")
    else:
        plan.run(options.stage, options.minutes)


def _all(options: argparse.Namespace) -> None:
    """Every stage whose result is missing; the two folds side by side, one thread each."""
    same = [
        "--encoder",
        options.encoder,
        "--work",
        options.work,
        "--out",
        options.out,
        "--corpus",
        options.corpus,
    ]

    def begin(stage: str, threads: int) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "models.train", "--stage", stage, "--threads", threads, *same]
        return subprocess.Popen([str(part) for part in command])

    if not (options.encoder / "config.json").exists():
        rebuild = [sys.executable, "-m", "models.rebuild", "--out", options.encoder, "--corpus", options.corpus]
        subprocess.run([str(part) for part in rebuild], check=True)
    for together in (("base",), ("fold0", "fold1"), ("final",), ("ship",)):
        missing = [stage for stage in together if not (options.work / f"{stage}.npz").exists()]
        running = [begin(stage, max(1, options.threads // len(missing))) for stage in missing]
        for stage, process in zip(missing, running, strict=True):
            if process.wait() != 0:
                raise SystemExit(f"stage {stage} failed; run the same command again to go on")


if __name__ == "__main__":
    main()
