"""Scores of call turns by the fold model that has not seen their call: `python -m models.oof --out scores.jsonl`.

One line a turn, `{"call_id", "turn", "emotions", "heat", "labels", "embedding", "abstained"}`, in the form that the
service scores in. What is learnt from whole calls (the risk model) must be learnt from these: scores of calls that the
shipped model was trained on are better than any it will give on a new call.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import msgspec

from models.examples import CORPUS
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


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="models.oof", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoder", type=Path, default=Path("build/encoder"))
    parser.add_argument("--work", type=Path, default=Path("build/train"))
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--model", type=Path, default=Path(__file__).parent / "default")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(argv)
    plan = Plan(options.encoder, options.work, options.corpus)
    lines = [msgspec.json.encode(score) for score in turn_scores(plan, Scorer(options.model))]
    options.out.write_bytes(b"\n".join(lines) + b"\n")


if __name__ == "__main__":
    main()
