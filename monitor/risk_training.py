"""Train the risk: whole calls in, logistic weights out, measured by call.

    python -m monitor.risk_training CALLS_DIR --scores SCORES.jsonl --out configs/risk.json

`SCORES.jsonl` holds one line a turn (`call_id`, `turn`, and the fields of a score) from an ear that has not seen
the call; without it the corpus labels stand in for a perfect ear, which flatters the risk. Every turn of a call is
one example, weighted so that each call counts once; target: kind **bad** of the label guide against **quiet**;
watched calls are left out. Needs scikit-learn.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.types import Score
from monitor.config import load
from monitor.core.events import Alert, Point
from monitor.core.fold import Fold
from monitor.core.inputs import Emit, NeedScore, Record, Scored
from monitor.core.risk import FEATURES, RiskModel
from monitor.core.rules import Rules
from monitor.rules_loading import load_rules
from stream.messages import CallEnd, CallHold, CallResume, CallStart, CallTransfer, Transcript, TransferTo
from stream.schema import Channel

UPSET = 2
FALSE_ALERTS = 0.1
"""False risk alerts a quiet call at which the policy's threshold is set."""


class Run(msgspec.Struct):
    """One call as the risk saw it: features `[turns, features]`, corpus turn index a row, what fired where."""

    call_id: str
    kind: str
    escalation_turn: int | None
    features: NDArray[np.float64]
    turns: list[int]
    told_at: int | None
    """First corpus turn with a must_report or escalation_request alert."""
    language: str


def kind_of(call: dict[str, Any]) -> str:
    """`bad`, `quiet` or `watched` by the label guide, section 6."""
    customer = [(i, turn) for i, turn in enumerate(call["turns"]) if turn["role"] == "customer"]
    upset = [i for i, turn in customer if turn["heat"] >= UPSET]
    replied = any(turn["role"] != "customer" for turn in call["turns"][upset[0] : upset[-1]]) if upset else False
    last = customer[-1][1] if customer else None
    ends_upset = last is not None and (last["heat"] >= UPSET or "resigned" in last["labels"])
    outcome = call["outcome"]
    ends_badly = outcome in ("escalated", "abandoned") or (outcome == "unresolved" and ends_upset)
    if ends_badly and replied and call.get("escalation_turn") is not None:
        return "bad"
    return "quiet" if outcome == "resolved" and call.get("escalation_turn") is None else "watched"


def records(call: dict[str, Any]) -> Iterator[Record]:
    """The corpus call as messages; segment ids are turn indexes."""
    name = call["call_id"]
    channel: Channel = call["channel"] if call["channel"] in get_args(Channel) else "email"
    yield CallStart(call_id=name, channel=channel, language=call["lang"])
    turns = call["turns"]
    for i, turn in enumerate(turns):
        at_s = float(turn["t"])
        if turn.get("event") == "transfer":
            yield CallTransfer(call_id=name, at_s=at_s, to=TransferTo(department="other"))
        if turn.get("event") == "hold_end":
            yield CallResume(call_id=name, at_s=at_s)
        gap = float(turns[i + 1]["t"]) - at_s if i + 1 < len(turns) else 3.0
        end_s = at_s + max(0.2, 0.9 * gap) if gap < 30 else at_s + 5.0
        yield Transcript(
            call_id=name,
            segment_id=str(i),
            role=turn["role"],
            text=turn["text"],
            final=True,
            start_s=at_s,
            end_s=end_s,
        )
        if turn.get("event") == "hold_start":
            yield CallHold(call_id=name, at_s=end_s)
    yield CallEnd(call_id=name, at_s=float(turns[-1]["t"]) + 4.0, reason="end")


def gold_score(turn: dict[str, Any]) -> Score:
    """What a perfect ear would have said of a corpus turn."""
    customer = turn["role"] == "customer"
    emotions = {name: 0.95 if name in turn["emotions"] else 0.03 for name in _EMOTIONS} if customer else {}
    return Score(
        emotions=emotions,
        heat=float(turn["heat"]) if customer else None,
        labels=dict.fromkeys(turn["labels"], 0.95),
        embedding=b"",
    )


_EMOTIONS = ("anger", "disgust", "fear", "sadness", "surprise", "joy")


def run(call: dict[str, Any], rules: Rules, scores: dict[tuple[str, int], Score]) -> Run:
    """Fold one call with the given scores and keep what the risk saw after every turn."""
    fold = Fold(call["call_id"], rules)
    rows: list[list[float]] = []
    turns: list[int] = []
    told: int | None = None
    for record in records(call):
        for effect in fold.apply(record):
            if isinstance(effect, NeedScore):
                index = int(effect.segment_id)
                score = scores.get((call["call_id"], index)) or gold_score(call["turns"][index])
                scored = Scored(call_id=call["call_id"], segment_id=effect.segment_id, score=score)
                for event in (after.event for after in fold.apply(scored) if isinstance(after, Emit)):
                    if isinstance(event, Point):
                        rows.append(fold.features)
                        turns.append(index)
                    if (
                        isinstance(event, Alert)
                        and event.kind in ("must_report", "escalation_request")
                        and told is None
                    ):
                        told = index
    return Run(call["call_id"], kind_of(call), call.get("escalation_turn"), np.array(rows), turns, told, call["lang"])


def fit(runs: list[Run], strength: float = 0.3) -> RiskModel:
    """Logistic regression over all turns of bad and quiet calls, each call weighing the same."""
    from sklearn.linear_model import LogisticRegression

    used = [item for item in runs if item.kind != "watched" and len(item.features)]
    x = np.vstack([item.features for item in used])
    y = np.concatenate([np.full(len(item.features), item.kind == "bad") for item in used])
    weight = np.concatenate([np.full(len(item.features), 1.0 / len(item.features)) for item in used])
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-3)
    model = LogisticRegression(C=strength, max_iter=2000)
    model.fit((x - mean) / scale, y, sample_weight=weight * len(y) / weight.sum())
    return RiskModel(
        features=list(FEATURES),
        mean=[round(float(value), 6) for value in mean],
        scale=[round(float(value), 6) for value in scale],
        weights=[round(float(value), 6) for value in model.coef_[0]],
        bias=round(float(model.intercept_[0]), 6),
    )


def risks(model: RiskModel, item: Run) -> list[float]:
    return [model.probability(list(map(float, row))) for row in item.features]


def cross_validate(runs: list[Run], folds: int = 5) -> dict[str, list[float]]:
    """Risk after every turn of every call from weights that have not seen the call."""
    out: dict[str, list[float]] = {}
    order = sorted(runs, key=lambda item: item.call_id)
    for part in range(folds):
        held = order[part::folds]
        model = fit([item for item in order if item not in held])
        out |= {item.call_id: risks(model, item) for item in held}
    return out


def measure(runs: list[Run], risk: dict[str, list[float]]) -> dict[str, float]:
    """Bad calls told and told in time at the threshold that lets one quiet call in ten fire."""
    quiet = sorted(max(risk[item.call_id], default=0.0) for item in runs if item.kind == "quiet")
    allowed = int(FALSE_ALERTS * len(quiet))
    enter_at = quiet[-allowed - 1] + 1e-4 if quiet else 1.0
    told = in_time = 0
    bad = [item for item in runs if item.kind == "bad"]
    for item in bad:
        fired = [turn for turn, value in zip(item.turns, risk[item.call_id], strict=True) if value >= enter_at]
        first = min([*fired[:1], *([item.told_at] if item.told_at is not None else [])], default=None)
        told += first is not None
        in_time += first is not None and item.escalation_turn is not None and first <= item.escalation_turn
    y = np.array([item.kind == "bad" for item in runs if item.kind != "watched"], dtype=float)
    last = np.array([risk[item.call_id][-1] for item in runs if item.kind != "watched"])
    return {
        "bad_calls": len(bad),
        "quiet_calls": len(quiet),
        "enter_at": round(enter_at, 4),
        "told": round(told / max(1, len(bad)), 3),
        "in_time": round(in_time / max(1, len(bad)), 3),
        "brier_at_end": round(float(np.mean((last - y) ** 2)), 4),
    }


def main(arguments: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="train the risk on whole calls")
    parser.add_argument("calls", type=Path)
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(None if arguments is None else list(arguments))
    files = sorted(options.calls.glob("*.jsonl"))
    calls = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line]
    scores: dict[tuple[str, int], Score] = {}
    if options.scores is not None:
        for line in options.scores.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            scores[row["call_id"], row["turn"]] = msgspec.convert(
                {key: row[key] for key in ("emotions", "heat", "labels", "embedding")}, Score
            )
    rules = load_rules(load(), model_version="training")
    runs = [run(call, rules, scores) for call in calls]
    figures = measure(runs, cross_validate(runs))
    print(json.dumps({"scores": "corpus labels" if not scores else "held-out ear", **figures}, indent=1))
    if options.out is not None:
        trained = f"{len(runs)} corpus calls, {'held-out ear' if scores else 'corpus labels'}"
        model = msgspec.structs.replace(fit(runs), trained_on=trained)
        options.out.write_bytes(msgspec.json.format(msgspec.json.encode(model), indent=1) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
