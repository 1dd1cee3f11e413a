"""From the rebuilt encoder and the data to the shipped directory, in one command.

    python -m models.train [--encoder build/encoder] [--work build/train] [--emotions FILE ...] [--out models]
    python -m models.train --since models --new CALLS.jsonl ...

The encoder is rebuilt first where `--encoder` is empty. Stages, each skipped where its result is already in `--work`:
`emotions` (public emotion text, where `--emotions` names it: six outputs only), `base` (the corpus' utterances and a
share of the former), `fold0` and `fold1` (both from `base`: one half of the calls each, and utterances; each
scores what it has not seen), `final` (the mean of the two folds' weights, which share a start), `ship` (`OUT/twelve`),
`small0` and `small1` (six layers taught by the twelve, `models.distil`, on the same two folds), `small` (the mean of
the two: `OUT/default`). All train above the frozen lower layers, whose hidden states are computed once. A run that was
stopped goes on at its last epoch.

`--since` goes on from a release when calls have been written after it: its twelve layers teach, its six are where the
small folds start, and only the `--new` calls are kept from a fold (the release has seen the others).
"""

import argparse
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models import fit, network, splits
from models.cache import Cache, states
from models.emotions import public
from models.encoding import encode, load_tokenizer
from models.examples import CORPUS, Example, call_turns, calls, utterances

log = logging.getLogger("models.train")
Array = np.ndarray[Any, Any]
HELD_OUT = 0.08
"""Share of the utterances that one fold leaves out, and that `base` never sees."""
EMOTIONS = fit.Settings(epochs=1, last_factor=0.5, seed=5)
BASE = fit.Settings(epochs=6, last_factor=0.5, seed=7)
FOLDS = (fit.Settings(epochs=4, warmup=0.01, seed=11), fit.Settings(epochs=4, warmup=0.01, seed=12))
MIXED = {"base": 10_000, "fold": 3_000}
"""Rows of public emotion text drawn anew for every epoch."""
AGAIN = 0.5
"""Share of what `base` has seen that a fold draws anew for every epoch, beside all that is new to it."""
STAGES = ("emotions", "base", "fold0", "fold1", "final", "ship", "lessons", "small0", "small1", "small")
TOGETHER: tuple[tuple[str, ...], ...] = (
    ("emotions",), ("base",), ("fold0", "fold1"), ("final",), ("ship",), ("lessons",), ("small0", "small1"), ("small",),
)  # fmt: skip
"""What runs side by side."""


def _digest(example: Example) -> str:
    one = example.input
    return blake2b(
        repr((one.text, one.role, one.prev, one.history)).encode("utf-8", "replace"), digest_size=12
    ).hexdigest()


class Plan:
    """The data of a work directory: hidden states, which rows each stage may see, which fold each call is in."""

    def __init__(
        self,
        encoder: Path,
        work: Path,
        corpus: Path,
        emotions: Sequence[Path] = (),
        since: Path | None = None,
        new: Sequence[Path] = (),
    ) -> None:
        """`since`: a folder with the `twelve` and `default` to go on from; `new`: call files it has not seen."""
        from transformers import BertModel

        torch.manual_seed(BASE.seed)
        self.work, self.encoder, self.since = work, encoder, since
        work.mkdir(parents=True, exist_ok=True)
        bert = BertModel.from_pretrained(encoder, add_pooling_layer=False)
        self.model: Any = network.build(bert).eval()
        self.model.requires_grad_(False)
        for _, parameter in network.trainable(self.model, BASE.frozen):
            parameter.requires_grad_(True)
        said = list(utterances(corpus))
        called = [turn for call in calls(corpus) for turn in call_turns(call)]
        sources = {path.stem for path in new}
        if unknown := sorted(sources - {turn.source for turn in called}):
            raise ValueError(f"--new {unknown[0]}: there is no such file among the corpus' calls")
        if (since is None) != (not sources):
            raise ValueError("--since and --new go together: a release, and the calls that it has not seen")
        self.cache = self._cache({"said": said, "called": called, "public": public(emotions)})
        rows = np.arange(len(said))
        group = splits.groups(said, self.cache.turn_means(rows))
        place = np.array([splits.share(name, "held-out") for name in group])
        seen = self._seen_by_base()
        known = np.array([_digest(one) in seen for one in said], dtype=bool)
        related = np.isin(np.array(group), sorted({name for name, was in zip(group, known, strict=True) if was}))
        self.held = tuple(rows[(place // HELD_OUT == fold) & ~related] for fold in (0, 1))
        self.said = np.setdiff1d(rows, np.concatenate(self.held))
        self.known = rows[known]
        self.called = np.arange(len(said), len(said) + len(called))
        self.public_from = len(said) + len(called)
        self.public = np.arange(self.public_from, len(self.cache.examples))
        self.new_calls = np.array([since is None or turn.source in sources for turn in called], dtype=bool)
        scenes = [splits.scene(turn.call_id or "") for turn in called]
        self.fold = np.array([int(splits.share(name, "calls") < 0.5) for name in scenes])
        held = [len(part) for part in self.held]
        sizes = (len(self.said), held, len(set(group)), int(self.fold.sum()), len(self.fold), len(self.public))
        log.info("utterances %d, held out %s, groups %d, turns in fold one %d of %d, public %d", *sizes)

    def _cache(self, parts: dict[str, list[Example]]) -> Cache:
        """One cache over all parts; each part's hidden states have a file of their own."""
        tokenizer = load_tokenizer(self.encoder)
        encoded = {name: encode(tokenizer, [one.input for one in examples]) for name, examples in parts.items()}
        hidden = [
            states(self.model, encoded[name], BASE.frozen, self.work / f"{name}.npy") for name in parts if parts[name]
        ]
        return Cache(
            [one for examples in parts.values() for one in examples],
            [one for some in encoded.values() for one in some],
            np.concatenate(hidden),
        )

    def _seen_by_base(self) -> set[str]:
        """What `base` was trained on: a corpus that has grown since never makes a held-out line of it."""
        path = self.work / "base.seen"
        return set(path.read_text("utf-8").split()) if path.exists() else set()

    def start(self, name: str) -> None:
        """Load the end of run `name` into the model; with `since`, the twelve layers of that release."""
        if self.since is not None:
            self.model.load_state_dict(stored(self.since / "twelve"), strict=True)
            return
        saved = torch.load(self.work / f"{name}.pt", weights_only=True)
        self.model.load_state_dict(saved["model"], strict=False)

    def mixed(self, rows: Callable[[int], Array], size: int, seed: int) -> Callable[[int], Array]:
        """Rows of an epoch: its own and `size` of the public ones, drawn for each epoch."""

        def of(epoch: int) -> Array:
            some = np.random.default_rng([seed, epoch, 99]).permutation(self.public)[:size]
            return np.concatenate([rows(epoch), np.sort(some)])

        return of

    def emotions(self) -> None:
        """Stage 0: public emotion text only; without any, the untrained start."""
        wanted, counts = self.cache.wanted, self.cache.counts
        with torch.no_grad():
            self.model.classifier.bias.copy_(fit.prior_bias(wanted, counts))
        path = self.work / "emotions.pt"
        if len(self.public):
            fit.fit(self.model, self.cache, lambda _: self.public, EMOTIONS, path)
        else:
            torch.save({"model": dict(network.trainable(self.model, BASE.frozen))}, path)

    def base(self) -> None:
        """Stage 1: utterances, and public emotion text beside them."""
        self.start("emotions")
        rows = self.mixed(lambda _: self.said, MIXED["base"], BASE.seed)
        fit.fit(self.model, self.cache, rows, BASE, self.work / "base.pt")
        seen = "\n".join(_digest(self.cache.examples[row]) for row in self.said)
        (self.work / "base.seen").write_text(seen, "utf-8")

    def on_fold(self, fold: int) -> None:
        """Stage 2: the other fold's calls, utterances new since `base` but those this fold holds out, and a share of
        the rest; scores what is held out."""
        inside = self.fold == fold
        fresh = np.concatenate([np.setdiff1d(self.said, self.known), self.held[1 - fold], self.called[~inside]])
        settings = FOLDS[fold]

        def rows(epoch: int) -> Array:
            some = np.random.default_rng([settings.seed, epoch, 98]).permutation(self.known)
            return np.concatenate([fresh, np.sort(some[: int(AGAIN * len(some))])])

        self.start("base")
        mixed = self.mixed(rows, MIXED["fold"], settings.seed)
        fit.fit(self.model, self.cache, mixed, settings, self.work / f"fold{fold}.pt")
        self.save_logits(f"fold{fold}", np.concatenate([self.held[fold], self.called[inside]]))

    def average(self) -> None:
        """Stage 3: the mean of both folds' weights."""
        torch.save({"model": self.mean("fold")}, self.work / "final.pt")

    def mean(self, run: str) -> dict[str, torch.Tensor]:
        """The mean of the weights of both folds of `run`."""
        both = [torch.load(self.work / f"{run}{i}.pt", weights_only=True)["model"] for i in (0, 1)]
        return {name: (both[0][name] + both[1][name]) / 2 for name in both[0]}

    def save_logits(self, name: str, rows: Array) -> None:
        """Logits of `rows` beside the run, for calibration and figures."""
        logits = fit.predict(self.model, self.cache, rows, BASE.frozen)
        np.savez(self.work / f"{name}.npz", rows=rows, logits=logits)
        log.info("%s: scored %d", name, len(rows))

    def unseen(self, run: str = "fold") -> tuple[Array, Array]:
        """Rows and the logits of the fold of `run` that has not seen them: held-out utterances and call turns."""
        parts = [np.load(self.work / f"{run}{i}.npz") for i in (0, 1)]
        return tuple(np.concatenate([part[key] for part in parts]) for key in ("rows", "logits"))  # type: ignore[return-value]

    def run(self, stage: str) -> None:
        """One stage by name; a file `<stage>.done` says that it has ended."""
        if stage == "emotions":
            self.emotions()
        elif stage == "base":
            self.base()
        elif stage in ("fold0", "fold1"):
            self.on_fold(int(stage[-1]))
        elif stage == "final":
            self.average()
        (self.work / f"{stage}.done").touch()


def stored(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of a model directory, in float32."""
    from safetensors.torch import load_file

    return {name: value.float() for name, value in load_file(folder / "model.safetensors").items()}


def add_sources(parser: argparse.ArgumentParser) -> None:
    """What a plan is made of, as options."""
    parser.add_argument("--encoder", type=Path, default=Path("build/encoder"))
    parser.add_argument("--work", type=Path, default=Path("build/train"))
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--emotions", type=Path, nargs="*", default=[], help="public emotion text, .jsonl.gz")
    parser.add_argument("--since", type=Path, help="go on from the release in this folder: only the small model")
    parser.add_argument("--new", type=Path, nargs="*", default=[], help="call files that the release has not seen")


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="models.train", description=(__doc__ or "").splitlines()[0])
    add_sources(parser)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="gets `twelve` and `default`")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--stage", choices=STAGES, help="only this one")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    options = _parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    torch.set_num_threads(options.threads)
    if options.stage is None:
        _all(options)
        return
    plan = Plan(options.encoder, options.work, options.corpus, options.emotions, options.since, options.new)
    if options.stage == "ship":
        from models.ship import ship

        sys.stdout.write(json.dumps(ship(plan, options.out / "twelve")) + "\n")
    elif options.stage == "lessons":
        from models.distil import prepare

        prepare(plan)
        (options.work / "lessons.done").touch()
    elif options.stage in ("small0", "small1"):
        from models.distil import Course

        Course(plan, int(options.stage[-1])).train()
    elif options.stage == "small":
        from models.distil import ship_mean

        sys.stdout.write(json.dumps(ship_mean(plan, options.out / "default")) + "\n")
    else:
        plan.run(options.stage)


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
        *(["--emotions", *options.emotions] if options.emotions else []),
        *(["--since", options.since, "--new", *options.new] if options.since else []),
    ]

    def begin(stage: str, threads: int) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "models.train", "--stage", stage, "--threads", threads, *same]
        return subprocess.Popen([str(part) for part in command])

    if not (options.encoder / "config.json").exists():
        extra = ["--extra", *options.emotions] if options.emotions else []
        extra += ["--like", options.since / "twelve"] if options.since else []
        rebuild = [sys.executable, "-m", "models.rebuild", "--out", options.encoder, "--corpus", options.corpus, *extra]
        subprocess.run([str(part) for part in rebuild], check=True)
    for together in TOGETHER[-3:] if options.since else TOGETHER:
        missing = [stage for stage in together if not (options.work / f"{stage}.done").exists()]
        running = [begin(stage, max(1, options.threads // len(missing))) for stage in missing]
        for stage, process in zip(missing, running, strict=True):
            if process.wait() != 0:
                raise SystemExit(f"stage {stage} failed; run the same command again to go on")


if __name__ == "__main__":
    main()
