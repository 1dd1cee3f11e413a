"""What a turn's words demand does not wait for a model that is behind, and nothing else changes by it."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core import events
from monitor.core.fold import Fold
from monitor.core.inputs import AlertAction, Emit, NeedScore, Overdue, Record, Scored, decode_record, encode_record
from monitor.core.rules import Rules
from tests.monitor.core.calls import CALL, heard, of_type, play, said, start

SAID = {
    "en": ("Hello, it's about my bill.", "I'm reporting you to the ombudsman today.", "must_report"),
    "hr": ("Dobar dan, zovem zbog računa.", "Prijavit ću vas tržišnoj inspekciji.", "must_report"),
    "de": ("Guten Tag, es geht um die Rechnung.", "Ich will sofort Ihren Vorgesetzten sprechen.", "escalation_request"),
    "zh-Hans": ("你好，我问一下账单。", "我要打12315投诉你们。", "must_report"),
}


def conversation(language: str) -> list[Record]:
    calm, urgent, _ = SAID[language]
    return [
        start(language),
        said(0, "customer", calm, 1.0),
        said(1, "agent", "…", 4.0),
        said(2, "customer", urgent, 7.0),
    ]


def fold_of(rules: Rules, records: list[Record]) -> tuple[Fold, list[events.Event], list[str]]:
    """The fold, its events, and the turns it asks about."""
    fold, out, asked = Fold(CALL, rules), [], []
    for record in records:
        for effect in fold.apply(record):
            if isinstance(effect, Emit):
                out.append(effect.event)
            elif isinstance(effect, NeedScore):
                asked.append(effect.segment_id)
    return fold, out, asked


def emitted(fold: Fold, record: Record) -> list[events.Event]:
    return [effect.event for effect in fold.apply(record) if isinstance(effect, Emit)]


def alerts(found: list[events.Event], kind: str) -> list[events.Alert]:
    return [event for event in found if isinstance(event, events.Alert) and event.kind == kind]


@pytest.mark.parametrize("language", SAID)
def test_somebody_is_called_before_the_model_has_read_the_turn(language: str, rules: Rules) -> None:
    kind = SAID[language][2]
    fold, out, asked = fold_of(rules, conversation(language))
    assert not alerts(out, kind)
    assert fold.urgent_turns() == ["2"]
    early = emitted(fold, Overdue(call_id=CALL, segment_id="2"))
    (alert,) = early
    assert isinstance(alert, events.Alert)
    assert (alert.kind, alert.state, alert.pending, alert.segment_id, alert.at_s) == (kind, "firing", "score", "2", 9.0)
    assert all(item.segment_id == "2" for item in alert.evidence)
    assert not fold.is_overdue("2"), "it is told once"
    assert not emitted(fold, Overdue(call_id=CALL, segment_id="2"))
    late = [
        event
        for segment in asked
        for event in emitted(
            fold, Scored(call_id=CALL, segment_id=segment, score=heard(1.0 if segment != "1" else None))
        )
    ]
    assert not alerts(late, kind), "what was told is told once"
    assert [point.degraded for point in of_type(late, events.Point)] == [None] * len(asked)  # type: ignore[attr-defined]


@pytest.mark.parametrize("language", SAID)
def test_the_curve_is_the_same_with_and_without_it(language: str, rules: Rules) -> None:
    records = conversation(language)
    scores = {"0": heard(0.0), "2": heard(3.0, anger=0.9)}
    calm = play(rules, records, scores, close=False)
    fold, out, asked = fold_of(rules, records)
    out += emitted(fold, Overdue(call_id=CALL, segment_id="2"))
    for segment in asked:
        answer = scores.get(segment, heard())
        out += emitted(fold, Scored(call_id=CALL, segment_id=segment, score=answer))
    for kind in (events.Turn, events.Point, events.Stage, events.Pivot):
        assert of_type(out, kind) == of_type(calm, kind)
    told = [(one.alert_id, one.state, one.at_s, one.reason, one.evidence) for one in of_type(out, events.Alert)]  # type: ignore[attr-defined]
    assert told == [(e.alert_id, e.state, e.at_s, e.reason, e.evidence) for e in of_type(calm, events.Alert)]  # type: ignore[attr-defined]


def test_the_journal_holds_it_so_that_a_replay_says_the_same(rules: Rules) -> None:
    records = conversation("en")
    late: list[Record] = [
        *records,
        Overdue(call_id=CALL, segment_id="2"),
        *(Scored(call_id=CALL, segment_id=str(n), score=heard(0.0 if n != 1 else None)) for n in range(3)),
    ]
    again = [decode_record(encode_record(record)) for record in late]
    assert [events.encode(event) for event in fold_of(rules, again)[1]] == [
        events.encode(event) for event in fold_of(rules, late)[1]
    ]


@pytest.mark.parametrize(
    "record",
    [
        said(2, "customer", "I'd like to know when you open.", 7.0),
        said(2, "agent", "You may complain to the ombudsman.", 7.0),
    ],
)
def test_nothing_is_told_of_a_turn_that_demands_nothing(record: Record, rules: Rules) -> None:
    fold, _, _ = fold_of(rules, [start(), said(0, "customer", "Hello there, good morning.", 1.0), record])
    assert fold.urgent_turns() == []
    assert not emitted(fold, Overdue(call_id=CALL, segment_id="2"))
    assert not emitted(fold, Overdue(call_id=CALL, segment_id="unknown"))


def test_what_the_model_adds_to_a_turn_that_was_told_waits_for_the_next_one(rules: Rules) -> None:
    """It hears a threat beside the one that the words gave away: no second call for one turn, and still two turns."""
    fold, _, _ = fold_of(rules, conversation("en"))
    emitted(fold, Overdue(call_id=CALL, segment_id="2"))
    scores = {"0": heard(0.0), "1": heard(), "2": heard(3.0, "threat_media")}
    for segment, score in scores.items():
        assert not alerts(emitted(fold, Scored(call_id=CALL, segment_id=segment, score=score)), "must_report")
    fold.apply(said(3, "customer", "You will hear from my solicitor.", 12.0))
    (next_one,) = alerts(emitted(fold, Scored(call_id=CALL, segment_id="3", score=heard(3.0))), "must_report")
    assert {item.label for item in next_one.evidence} >= {"threat_regulator", "threat_media", "threat_legal"}
    assert ": 2." in next_one.reason


HOT = [said(n, "customer", "This is a disgrace!", 4.0 * n) for n in range(5)]
THREAT = said(5, "customer", "I'm reporting you to the ombudsman today.", 20.0)


def answered(fold: Fold, *segments: str) -> list[events.Event]:
    """Each turn is heard as furious."""
    furious = heard(3.8, anger=0.95)
    asked = [Scored(call_id=CALL, segment_id=segment, score=furious) for segment in segments]
    return [event for scored in asked for event in emitted(fold, scored)]


def test_turns_before_it_are_judged_as_if_it_had_not_been_told(rules: Rules) -> None:
    """The alert lies ahead of the turns that are still to be read: it has not called anybody for those."""
    calm, _, asked = fold_of(rules, [start(), *HOT, THREAT])
    early, _, _ = fold_of(rules, [start(), *HOT, THREAT])
    emitted(early, Overdue(call_id=CALL, segment_id="5"))
    risks = [alerts(answered(fold, *asked), "risk") for fold in (calm, early)]
    assert [(alert.state, alert.at_s) for alert in risks[0]] == [(alert.state, alert.at_s) for alert in risks[1]]


def test_an_answer_counts_at_once_and_a_later_threat_takes_it_back(rules: Rules) -> None:
    first, second = said(0, "customer", "I'll sue you.", 1.0), said(1, "customer", "And I'm telling the press.", 7.0)
    fold, _, _ = fold_of(rules, [start(), first])
    (alert,) = alerts(emitted(fold, Overdue(call_id=CALL, segment_id="0")), "must_report")
    ack = AlertAction(call_id=CALL, at_s=4.0, alert_id=alert.alert_id, action="ack", by="anna")
    (acked,) = alerts(emitted(fold, ack), "must_report")
    assert (acked.state, acked.by) == ("acknowledged", "anna")
    fold.apply(second)
    (again,) = alerts(emitted(fold, Overdue(call_id=CALL, segment_id="1")), "must_report")
    assert (again.state, again.pending) == ("updated", "score")
    assert ": 2." in again.reason
    assert not alerts(answered(fold, "0", "1"), "must_report"), "nothing new in either when they were read"


def test_a_turn_that_is_never_scored_need_not_wait_for_the_one_before_it(rules: Rules) -> None:
    doubtful = said(1, "customer", THREAT.text, 7.0)
    doubtful = msgspec.structs.replace(doubtful, confidence=0.1)
    fold, out, asked = fold_of(rules, [start(), said(0, "agent", "One moment please, I am looking.", 1.0), doubtful])
    assert asked == ["0"]
    assert fold.urgent_turns() == ["1"]
    (alert,) = alerts(emitted(fold, Overdue(call_id=CALL, segment_id="1")), "must_report")
    assert alert.segment_id == "1"
    assert not alerts(out, "must_report")


def test_only_turns_that_still_wait_are_urgent(rules: Rules) -> None:
    fold, _, _ = fold_of(rules, [start(), said(0, "customer", THREAT.text, 1.0)])
    assert fold.urgent_turns() == ["0"]
    assert fold.urgent_turns() == [], "each is named once"
    assert fold.is_overdue("0")
    answered(fold, "0")
    assert not fold.is_overdue("0")
