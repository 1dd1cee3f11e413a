"""Labelled calls: their kind, their records, and what the fold says on them."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from models.examples import CORPUS, call_turns
from monitor.core.rules import Rules
from monitor.labelled_calls import (
    TELLING_KINDS,
    decode_call,
    decode_scores,
    gold_scores,
    has_scores,
    questions,
    records,
    run,
)
from stream.messages import CallHold, CallResume, Transcript
from tests.monitor.labelled import BAD, CALLS, QUIET, SCORES, WATCHED


def test_kinds_follow_the_label_guide() -> None:
    assert [call.kind for call in CALLS] == ["bad", "quiet", "watched"]
    unanswered = msgspec.structs.replace(BAD, turns=[BAD.turns[0], BAD.turns[2]])
    assert unanswered.kind == "watched", "bad needs an agent's reply between upset turns"
    assert msgspec.structs.replace(BAD, escalation_turn=None).kind == "watched"
    given_up = msgspec.structs.replace(BAD, outcome="unresolved")
    assert given_up.kind == "bad", "the last turn is upset"


@pytest.mark.parametrize("path", sorted((CORPUS / "calls").glob("more*.jsonl")), ids=lambda path: path.stem)
def test_the_ear_is_trained_on_what_the_service_asks(path: Path, rules: Rules) -> None:
    """The last call of each file: turn, the other party's last turn and the customer's own, the same in both."""
    line = path.read_bytes().splitlines()[-1]
    trained = {str(turn.turn): turn.input for turn in call_turns({**json.loads(line), "source": path.stem})}
    asked = questions(decode_call(line), rules)
    assert len(asked) > 5
    for (_, segment), item in asked.items():
        seen = trained[segment]
        assert (item.text, item.role, item.prev, item.history) == (seen.text, seen.role, seen.prev, seen.history)


def test_a_line_without_a_field_is_named() -> None:
    line = msgspec.to_builtins(BAD)
    assert decode_call(json.dumps({**line, "topic": "ignored"})) == BAD
    del line["turns"][1]["text"]
    with pytest.raises(msgspec.DecodeError, match=r"`text` - at `\$.turns\[1\]`"):
        decode_call(json.dumps(line))
    with pytest.raises(msgspec.DecodeError, match="no turns"):
        decode_call(json.dumps({**line, "turns": []}))


def test_scores_are_read_by_call_and_turn() -> None:
    score = SCORES["bad", 0]
    line = json.dumps({"call_id": "bad", "turn": 0, **msgspec.to_builtins(score)})
    found = decode_scores([line, ""])
    assert found == {("bad", 0): score}
    assert not has_scores(BAD, found)
    assert has_scores(BAD, gold_scores(BAD))


def test_records_are_messages_with_holds_at_their_turns() -> None:
    held = [
        msgspec.structs.replace(turn, event=event)
        for turn, event in zip(QUIET.turns, (None, "hold_start", "hold_end"), strict=True)
    ]
    messages = list(records(msgspec.structs.replace(QUIET, turns=held)))
    assert [type(message) for message in messages[3:6]] == [CallHold, CallResume, Transcript]
    assert [message.segment_id for message in messages if isinstance(message, Transcript)] == ["0", "1", "2"]


def test_every_turn_is_asked_and_answered(rules: Rules) -> None:
    assert len(questions(BAD, rules)) == len(BAD.turns)
    said = run(BAD, rules, SCORES)
    assert [point.turn for point in said.points] == list(range(len(BAD.turns)))
    first = said.first(TELLING_KINDS)
    assert first is not None
    assert first.kind == "risk"
    assert first.turn <= 4
    assert [alert.turn for alert in said.alerts if alert.kind == "escalation_request"] == [6]


def test_a_missing_score_is_an_error(rules: Rules) -> None:
    with pytest.raises(KeyError):
        run(BAD, rules, {})


def test_the_corpus_is_readable() -> None:
    folder = Path(__file__).resolve().parent.parent.parent / "models" / "corpus" / "calls"
    calls = [
        decode_call(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()
    ]
    assert {call.kind for call in calls} == {"bad", "quiet", "watched"}


def test_the_watched_threat_is_told_on_its_turn(rules: Rules) -> None:
    told = run(WATCHED, rules, SCORES).first({"must_report"})
    assert told is not None
    assert told.turn == 0
