"""Scores of call turns by an ear that has not seen their call: `python -m models.oof --out scores.jsonl`.

Each call is scored by the small model of the fold that was trained without it (`models.distil`), calibrated as the
shipped model is. A call that no fold has left out, because the release that the training went on from had seen it, has
no such score and is not written.

One line a turn, `{"call_id", "turn", "emotions", "heat", "labels", "embedding", "abstained"}`, in the form that the
service scores in. What is learnt from whole calls (the risk model) must be learnt from these: scores of calls that the
shipped model was trained on are better than any it will give on a new call.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from models.directory import DEFAULT
from models.scorer import Scorer
from models.train import Plan, add_sources


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
    """Out-of-fold scores of every turn of every call that a fold has left out, in corpus order; `scorer` is the shipped
    model, whose embeddings stand in."""
    rows, unseen = plan.unseen("small")
    logits = {row: one for row, one in zip(rows.tolist(), unseen, strict=True) if row >= plan.called[0]}
    examples = {row: plan.cache.examples[row] for row in sorted(logits)}
    shipped = scorer.score([example.input for example in examples.values()])
    for (row, example), score in zip(examples.items(), shipped, strict=True):
        if score.abstained is None:
            direction = np.frombuffer(score.embedding, dtype=np.int8) / 127.0
            score = scorer.to_score(example.input.role, logits[row], direction)
        yield TurnScore(example.call_id or "", example.turn or 0, **msgspec.structs.asdict(score))


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="models.oof", description=(__doc__ or "").splitlines()[0])
    add_sources(parser)
    parser.add_argument("--model", type=Path, default=DEFAULT)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(argv)
    plan = Plan(options.encoder, options.work, options.corpus, options.emotions, options.since, options.new)
    lines = [msgspec.json.encode(score) for score in turn_scores(plan, Scorer(options.model))]
    options.out.write_bytes(b"\n".join(lines) + b"\n")


if __name__ == "__main__":
    main()
