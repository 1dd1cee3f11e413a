"""Scores of call turns by an ear that has not seen their call: `python -m models.oof --out scores.jsonl`.

Calls of the corpus are scored by the fold that was trained without them; those of `--new`, written after the model was
trained, by the model itself.

One line a turn, `{"call_id", "turn", "emotions", "heat", "labels", "embedding", "abstained"}`, in the form that the
service scores in. What is learnt from whole calls (the risk model) must be learnt from these: scores of calls that the
shipped model was trained on are better than any it will give on a new call.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from models.directory import DEFAULT
from models.examples import CORPUS, call_turns
from models.scorer import Scorer, too_little_text
from models.train import Plan
from models.types import Score


class TurnScore(msgspec.Struct, frozen=True):
    """A score and the turn it belongs to."""

    call_id: str
    turn: int
    emotions: dict[str, float]
    heat: float | None
    labels: dict[str, float]
    embedding: bytes
    abstained: str | None


def turn_scores(plan: Plan, scorer: Scorer) -> Iterator[TurnScore]:
    """Out-of-fold scores of every turn of every call, in corpus order, calibrated as the shipped model is."""
    rows, unseen = plan.unseen()
    logits = dict(zip(rows.tolist(), unseen, strict=True))
    embeddings = scorer.embed(plan.cache.turn_means(plan.called))
    for row, embedding in zip(plan.called.tolist(), embeddings, strict=True):
        example = plan.cache.examples[row]
        score = scorer.to_score(example.input.role, logits[row], embedding)
        if too_little_text(example.input.text):
            score = Score({}, None, {}, bytes(scorer.hidden_size), "too_little_text")
        yield TurnScore(example.call_id or "", example.turn or 0, **msgspec.structs.asdict(score))


def new_scores(paths: Sequence[Path], scorer: Scorer) -> Iterator[TurnScore]:
    """Scores of every turn of every call of these files, which `scorer` was not trained on."""
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            turns = list(call_turns({**json.loads(line), "source": path.stem}))
            for turn, score in zip(turns, scorer.score([turn.input for turn in turns]), strict=True):
                yield TurnScore(turn.call_id or "", turn.turn or 0, **msgspec.structs.asdict(score))


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="models.oof", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoder", type=Path, default=Path("build/encoder"))
    parser.add_argument("--work", type=Path, default=Path("build/train"))
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--model", type=Path, default=DEFAULT.with_name("twelve"))
    parser.add_argument("--new", type=Path, nargs="*", default=[], help="calls that the model was not trained on")
    parser.add_argument("--new-model", type=Path, default=DEFAULT, help="what scores those")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(argv)
    plan = Plan(options.encoder, options.work, options.corpus)
    found = [*turn_scores(plan, Scorer(options.model)), *new_scores(options.new, Scorer(options.new_model))]
    lines = [msgspec.json.encode(score) for score in found]
    options.out.write_bytes(b"\n".join(lines) + b"\n")


if __name__ == "__main__":
    main()
