"""Risk alerts that were due and did not fire: kept with their reason, and told at the end of the call."""

from __future__ import annotations

import msgspec
import pytest

from models.types import Score
from monitor.cli.summary import summarise
from monitor.core.events import Alert, Call, HeldBack, decode, encode
from monitor.core.inputs import AlertAction, Record
from monitor.core.rules import Rules
from monitor.core.withheld import Withheld
from stream.messages import CallEnd
from tests.monitor.core.calls import CALL, heard, play, said, start


def ended(rules: Rules, records: list[Record], scores: dict[str, Score]) -> tuple[list[Alert], Call]:
    events = play(rules, [*records, CallEnd(call_id=CALL, at_s=300.0, reason="end")], scores)
    end = events[-1]
    assert isinstance(end, Call)
    assert decode(encode(end)) == end
    return [event for event in events if isinstance(event, Alert) and event.state == "firing"], end


def with_policy(rules: Rules, **changed: float | str) -> Rules:
    policy = msgspec.structs.replace(rules.settings.policy, **changed)
    return msgspec.structs.replace(rules, settings=msgspec.structs.replace(rules.settings, policy=policy))


HOT = [
    start(),
    said(0, "customer", "I have had enough of this nonsense, it is a disgrace", 0.0, 5.0),
    said(1, "agent", "Just a moment", 6.0, 7.0),
    said(2, "customer", "No moment, this is the worst service I have ever seen", 8.0, 12.0),
    said(3, "agent", "Yes", 13.0, 14.0),
    said(4, "customer", "You are all completely useless, the whole lot of you", 15.0, 20.0),
]
BOILING = {str(i): heard(3.9, "insult", anger=0.95) for i in (0, 2, 4)}


def test_nothing_held_back_leaves_no_trace(rules: Rules) -> None:
    alerts, end = ended(rules, HOT, BOILING)
    assert "risk" in {alert.kind for alert in alerts}
    assert end.suppressed is msgspec.UNSET
    assert b"suppressed" not in encode(end)


def test_an_open_urgent_alert_holds_risk_back_and_is_named(rules: Rules) -> None:
    scores = {**BOILING, "0": heard(3.9, "insult", "threat_legal", anger=0.95)}
    alerts, end = ended(rules, HOT, scores)
    assert {alert.kind for alert in alerts} >= {"must_report"}
    assert "risk" not in {alert.kind for alert in alerts}
    assert end.suppressed is not msgspec.UNSET
    assert {(held.kind, held.reason, held.fired_at_s) for held in end.suppressed} == {("risk", "called", msgspec.UNSET)}
    assert len(end.suppressed) == 1, "one entry for a spell, not one a turn"
    assert "an urgent alert had just spoken up; never fired" in summarise(CALL, [end])


LATER: list[Record] = [
    said(5, "agent", "Yes", 40.0, 41.0),
    said(6, "customer", "Still nothing, it is the worst I have ever seen", 75.0, 80.0),
]


@pytest.mark.parametrize("action", [None, "ack", "snooze"])
def test_an_urgent_alert_does_not_hold_risk_back_for_ever(rules: Rules, action: str | None) -> None:
    scores = {**BOILING, "0": heard(3.9, "insult", "threat_legal", anger=0.95), "6": BOILING["4"]}
    records: list[Record] = [*HOT]
    if action is not None:
        (urgent, *_), _ = ended(rules, records[:2], scores)
        act = AlertAction(call_id=CALL, at_s=21.0, alert_id=urgent.alert_id, action=action, by="mira", until_s=900.0)
        records.append(act)
    alerts, end = ended(rules, [*records, *LATER], scores)
    assert [alert.at_s for alert in alerts if alert.kind == "risk"] == [80.0]
    assert end.suppressed is not msgspec.UNSET
    assert [(held.reason, held.fired_at_s) for held in end.suppressed] == [("called", 80.0)]
    assert summarise(CALL, [end]).count("never fired") == 0


def test_a_fresh_threat_holds_risk_back_again(rules: Rules) -> None:
    threat = heard(3.9, "insult", "threat_legal", anger=0.95)
    alerts, end = ended(rules, [*HOT, *LATER], {**BOILING, "0": threat, "6": threat})
    assert "risk" not in {alert.kind for alert in alerts}
    assert end.suppressed is not msgspec.UNSET
    assert [(held.reason, held.fired_at_s) for held in end.suppressed] == [("called", msgspec.UNSET)]


def test_the_setting_says_for_how_long(rules: Rules) -> None:
    scores = {**BOILING, "0": heard(3.9, "insult", "threat_legal", anger=0.95)}
    for called_for_s, fires in ((0.0, True), (3600.0, False)):
        alerts, _ = ended(with_policy(rules, called_for_s=called_for_s), HOT, scores)
        assert ("risk" in {alert.kind for alert in alerts}) is fires


def test_an_alert_that_had_to_hold_says_when_it_fired(rules: Rules) -> None:
    alerts, end = ended(with_policy(rules, hold_for_s=6.0), HOT, BOILING)
    fired = next(alert for alert in alerts if alert.kind == "risk")
    assert end.suppressed is not msgspec.UNSET
    (held,) = end.suppressed
    assert (held.reason, held.fired_at_s) == ("hold", fired.at_s)
    assert (held.at_s, fired.at_s) == (12.0, 20.0), "due at 18 s, during a turn that ends at 20 s"


def test_the_deferring_policy_waits_for_an_agent_who_helps(rules: Rules) -> None:
    records = [*HOT[:2], said(1, "agent", "I have paid the whole sum back to you now", 6.0, 8.0)]
    scores = {"0": heard(3.0, anger=0.9), "1": heard(None, "solve", "own")}
    settings = {"enter_at": 0.0, "exit_at": 0.0, "hot_turns": 9, "hold_for_s": 1.0, "defer_for_s": 30.0}
    at_once, _ = ended(with_policy(rules, **settings), records, scores)
    later, end = ended(with_policy(rules, kind="deferring", **settings), records, scores)
    assert [alert.at_s for alert in at_once if alert.kind == "risk"] == [8.0]
    assert [alert.at_s for alert in later if alert.kind == "risk"] == [36.0]
    assert end.suppressed is not msgspec.UNSET
    assert [(held.reason, held.fired_at_s) for held in end.suppressed] == [("hold", 36.0), ("deferred", 36.0)]


def test_reasons_of_one_spell_are_kept_apart_and_fire_together() -> None:
    kept = Withheld()
    for at_s, reason in ((1.0, "hold"), (2.0, "hold"), (3.0, "deferred"), (4.0, None), (5.0, "cooldown")):
        kept.note(at_s, "s", 0.9, reason)
    kept.fired(6.0)
    assert [(held.at_s, held.reason, held.fired_at_s) for held in kept.alerts] == [
        (1.0, "hold", msgspec.UNSET),
        (3.0, "deferred", msgspec.UNSET),
        (5.0, "cooldown", 6.0),
    ]


def test_a_call_keeps_a_bounded_number() -> None:
    kept = Withheld()
    for turn in range(100):
        kept.note(float(turn), "s", 0.9, "hold" if turn % 2 else "cooldown")
    assert len(kept.alerts) == 20
    assert all(isinstance(held, HeldBack) for held in kept.alerts)
