"""The clock of an unanswered outburst: what stops it, what starts it anew, and that its reason is true."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core.events import Alert, Call
from monitor.core.inputs import Record, Tick
from monitor.core.rules import Rules
from monitor.texts import REASON_LANGUAGES
from stream.messages import CallHold, CallResume, CallTransfer, TransferTo
from tests.monitor.core.calls import CALL, heard, of_type, play, said, start

SCORES = {str(n): heard(3.6, anger=0.9) for n in (0, 5)}
OPENING: list[Record] = [start(), said(0, "customer", "Nobody helps me, I am so tired of this.", 0.0, 4.0)]
HOLD = CallHold(call_id=CALL, at_s=6.0)
LATE = Tick(call_id=CALL, at_s=90.0)
TRANSFER = CallTransfer(call_id=CALL, at_s=20.0, to=TransferTo(department="technical"))


def silences(rules: Rules, *records: Record) -> list[Alert]:
    told = of_type(play(rules, [*OPENING, *records], SCORES), Alert)
    return [event for event in told if isinstance(event, Alert) and event.kind == "silence" and event.state == "firing"]


def calls(rules: Rules, *records: Record) -> list[str]:
    return [
        event.state for event in of_type(play(rules, [*OPENING, *records], SCORES), Call) if isinstance(event, Call)
    ]


@pytest.mark.parametrize(
    "meanwhile",
    [
        [],
        [TRANSFER],
        [said(5, "customer", "Hello? Is anybody there at all?", 30.0, 32.0)],
        [said(5, "agent", "Yes.", 30.0, 31.0)],
        [TRANSFER, said(5, "customer", "Hello? Is anybody there at all?", 30.0, 32.0)],
        [CallHold(call_id=CALL, at_s=25.0)],
    ],
    ids=["nothing", "transfer", "customer", "agent", "both", "hold again"],
)
def test_nothing_is_silence_on_hold(rules: Rules, meanwhile: list[Record]) -> None:
    assert silences(rules, HOLD, *meanwhile, LATE) == []
    (alert,) = silences(
        rules, HOLD, *meanwhile, LATE, CallResume(call_id=CALL, at_s=95.0), Tick(call_id=CALL, at_s=110.0)
    )
    assert alert.at_s == 101.0, "the whole patience anew after the hold"


def test_who_takes_over_gets_the_whole_patience(rules: Rules) -> None:
    handed_over = msgspec.structs.replace(TRANSFER, at_s=8.0)
    assert [alert.at_s for alert in silences(rules, handed_over, Tick(call_id=CALL, at_s=30.0))] == [14.0]


def test_a_hold_while_held_and_a_resume_while_live_change_nothing(rules: Rules) -> None:
    resume = CallResume(call_id=CALL, at_s=7.0)
    assert calls(rules, resume) == ["start"]
    assert [alert.at_s for alert in silences(rules, resume, Tick(call_id=CALL, at_s=30.0))] == [10.0]
    again = msgspec.structs.replace(HOLD, at_s=12.0)
    later = [msgspec.structs.replace(resume, at_s=at_s) for at_s in (20.0, 25.0)]
    assert calls(rules, HOLD, again, *later) == ["start", "hold", "resume"]
    assert play(rules, [*OPENING, HOLD, again, later[0], later[1], LATE], SCORES) == play(
        rules, [*OPENING, HOLD, later[0], LATE], SCORES
    )


@pytest.mark.parametrize("language", REASON_LANGUAGES)
def test_the_reason_holds_whether_or_not_the_agent_said_a_word(rules: Rules, language: str) -> None:
    own = msgspec.structs.replace(rules.settings.alerts, language=language)
    rules = msgspec.structs.replace(rules, settings=msgspec.structs.replace(rules.settings, alerts=own))
    (without,) = silences(rules, Tick(call_id=CALL, at_s=30.0))
    (with_filler,) = silences(rules, said(1, "agent", "Yes.", 5.0, 6.0), Tick(call_id=CALL, at_s=30.0))
    assert (without.at_s, with_filler.at_s) == (10.0, 12.0)
    assert without.reason == with_filler.reason
    assert "6" in without.reason
    denied = {"en": "No answer", "hr": "nema odgovora", "zh-Hans": "没有回应", "zh-Hant": "沒有回應"}
    assert denied[language] not in without.reason, "a filler is an answer of a kind"
