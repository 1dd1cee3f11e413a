"""One open alert a kind: when it speaks up again, and that nobody who has it in hand misses what is new."""

from __future__ import annotations

import pytest

from models.types import Score
from monitor.core import events
from monitor.core.events import Alert
from monitor.core.fold import Fold
from monitor.core.inputs import AlertAction, Record
from monitor.core.rules import Rules
from tests.monitor.core.calls import CALL, heard, of_type, play, said, settle, start

SAID = {
    "must_report": ("threat_legal", "My lawyer will write to you"),
    "safety": ("emergency", "The lift is stuck and my son is inside"),
    "escalation_request": ("ask_superior", "I want your manager"),
}


def alerts(rules: Rules, records: list[Record], scores: dict[str, Score], kind: str) -> list[Alert]:
    found = of_type(play(rules, records, scores, close=False), Alert)
    return [event for event in found if isinstance(event, Alert) and event.kind == kind]


def act(alert: Alert, at_s: float, action: str, until_s: float | None = None) -> AlertAction:
    return AlertAction(call_id=CALL, at_s=at_s, alert_id=alert.alert_id, action=action, by="mira", until_s=until_s)


@pytest.mark.parametrize(
    ("action", "state"), [("ack", "acknowledged"), ("claim", "acknowledged"), ("snooze", "snoozed")]
)
@pytest.mark.parametrize("kind", SAID)
def test_what_is_said_again_takes_back_an_answer(rules: Rules, kind: str, action: str, state: str) -> None:
    label, text = SAID[kind]
    scores = {"0": heard(1.0, label), "1": heard(1.0), "2": heard(1.0, label), "3": heard(1.0, label)}
    opening: list[Record] = [start(), said(0, "customer", text, 0.0)]
    (first,) = alerts(rules, opening, scores, kind)
    later: list[Record] = [
        act(first, 5.0, action, until_s=900.0),
        said(1, "customer", "Are you still there", 8.0),
        said(2, "customer", text + ", do you hear", 12.0),
        said(3, "customer", text + ", once more", 20.0),
    ]
    told = alerts(rules, [*opening, *later], scores, kind)
    assert [alert.state for alert in told] == ["firing", state, "updated", "updated"]
    assert [alert.segment_id for alert in told[2:]] == ["2", "3"], "one event a turn that says it"
    assert len({alert.alert_id for alert in told}) == 1
    assert len({alert.reason for alert in told}) == 3, "a receiver passes over an update with the reason of the last"
    assert {"0", "2", "3"} == {item.segment_id for item in told[-1].evidence}


def test_several_threats_of_one_turn_are_one_event(rules: Rules) -> None:
    scores = {str(n): heard(3.0, "threat_legal", "threat_media", "threat_regulator") for n in range(3)}
    records: list[Record] = [start(), *(said(n, "customer", "You will read of it", 10.0 * n) for n in range(3))]
    assert [alert.state for alert in alerts(rules, records, scores, "must_report")] == ["firing", "updated", "updated"]


def test_an_alert_keeps_how_it_began_and_what_came_last(rules: Rules) -> None:
    scores = {str(n): heard(1.0, "ask_superior") for n in range(40)}
    records: list[Record] = [start(), *(said(n, "customer", "I want your manager", 5.0 * n) for n in range(40))]
    told = alerts(rules, records, scores, "escalation_request")
    assert len(told) == 40
    kept = [item.segment_id for item in told[-1].evidence]
    assert kept == ["0", "1", "2", "3", *map(str, range(32, 40))]
    assert "40" in told[-1].reason


def test_an_acknowledged_risk_alert_stays_quiet_until_it_gets_worse(rules: Rules) -> None:
    scores = {str(n): heard(3.9, "insult", anger=0.95) for n in range(12)}
    fold = Fold(CALL, rules)
    settle(fold, fold.apply(start()), scores)
    told: list[Alert] = []
    for n in range(12):
        out = settle(fold, fold.apply(said(n, "customer", "You are all completely useless", 5.0 * n)), scores)
        told += [event for event in out if isinstance(event, events.Alert) and event.kind == "risk"]
        if told and told[-1].state != "acknowledged":
            told += [
                event
                for event in settle(fold, fold.apply(act(told[-1], 5.0 * n + 3.0, "ack")), scores)
                if isinstance(event, events.Alert)
            ]
    states = [alert.state for alert in told]
    assert states[:2] == ["firing", "acknowledged"]
    assert states.count("updated") <= 1
    assert all(alert.severity == "critical" for alert in told if alert.state == "updated")
