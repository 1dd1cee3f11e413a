"""The pure core: the same call gives the same events, however its scores come back."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core import events
from monitor.core.fold import Fold
from monitor.core.inputs import Emit, NeedScore, Scored, Tick
from monitor.core.rules import Rules
from stream.messages import CallEnd, CallHold, CallResume
from tests.monitor.core.calls import CALL, heard, of_type, play, said, start

LABELS = ["insult", "threat_legal", "ask_superior", "cooperates", "eased", "repeat_contact", "self_harm", "blocked"]
MOVES = ["stock_apology", "solve", "empathise", "taboo", "confront", "helpless", "listen"]


@st.composite
def conversations(draw: st.DrawFn):  # type: ignore[no-untyped-def]
    """A call of any shape and the scores of its turns."""
    records: list = [start()]
    scores = {}
    at_s = 0.0
    for number in range(draw(st.integers(1, 14))):
        role = draw(st.sampled_from(["customer", "customer", "agent", "manager", "unknown"]))
        at_s += draw(st.floats(0.5, 25))
        records.append(said(number, role, draw(st.sampled_from(["No.", "I waited all day", "我等了一天"])), at_s))
        names = draw(st.lists(st.sampled_from(LABELS if role in ("customer", "unknown") else MOVES), max_size=3))
        customer = role in ("customer", "unknown")
        anger = {"anger": draw(st.floats(0, 1))} if customer else {}
        scores[str(number)] = heard(draw(st.floats(0, 4)) if customer else None, *names, **anger)
        at_s += 2
    records.append(CallEnd(call_id=CALL, at_s=at_s + 3, reason="hangup"))
    return records, scores


@settings(max_examples=60)
@given(call=conversations(), order=st.randoms(use_true_random=False))
def test_events_do_not_depend_on_when_the_scores_come(call, order: random.Random, rules: Rules) -> None:  # type: ignore[no-untyped-def]
    records, scores = call
    tidy = [events.encode(event) for event in play(rules, records, scores)]
    fold = Fold(CALL, rules)
    late: list[events.Event] = []
    open_questions: list[str] = []

    def take(effects: list) -> None:
        late.extend(effect.event for effect in effects if isinstance(effect, Emit))
        open_questions.extend(effect.segment_id for effect in effects if isinstance(effect, NeedScore))

    for record in records:
        take(fold.apply(record))
        while open_questions and order.random() < 0.5:
            segment = open_questions.pop(order.randrange(len(open_questions)))
            take(fold.apply(Scored(call_id=CALL, segment_id=segment, score=scores[segment])))
    take(fold.close())
    while open_questions:
        segment = open_questions.pop(order.randrange(len(open_questions)))
        take(fold.apply(Scored(call_id=CALL, segment_id=segment, score=scores[segment])))
    assert [events.encode(event) for event in late] == tidy


@settings(max_examples=60)
@given(call=conversations())
def test_no_storm_and_every_point_adds_up(call, rules: Rules) -> None:  # type: ignore[no-untyped-def]
    records, scores = call
    out = play(rules, records, scores)
    firing: dict[str, str] = {}
    turns = len(of_type(out, events.Turn))
    for event in out:
        if isinstance(event, events.Alert):
            if event.state == "firing":
                assert event.kind not in firing, "a second alert of a kind beside an open one"
                firing[event.kind] = event.alert_id
            elif event.state == "resolved":
                assert firing.pop(event.kind) == event.alert_id
            else:
                assert firing[event.kind] == event.alert_id
            assert event.reason
            assert event.evidence or event.kind == "silence"
        if isinstance(event, events.Point):
            total = sum(part.value for part in event.contributions)
            assert abs(min(1.0, max(0.0, total)) - event.tension) < 1e-9
            assert 0 <= event.risk <= 1
    prompts = list(of_type(out, events.Prompt))
    assert len(prompts) <= turns + 3
    times = [event.at_s for event in out]
    assert times == sorted(times)
    assert len(of_type(out, events.Point)) == turns == len(scores)


def test_ticks_only_bring_forward_what_comes_anyway(rules: Rules) -> None:
    records = [start(), said(0, "customer", "Do something about it!", 0, 3), said(1, "agent", "I am on it now.", 40)]
    scores = {"0": heard(3.5, anger=0.9)}
    ticked = [*records[:2], Tick(call_id=CALL, at_s=20.0), records[2]]
    assert play(rules, records, scores) == play(rules, ticked, scores)


@pytest.mark.parametrize(
    ("channel", "between", "at_s"),
    [
        ("email", [], 86_400.0),
        ("social", [], 86_400.0),
        ("portal", [], 86_400.0),
        ("voice", [CallHold(call_id=CALL, at_s=6)], 1800.0),
    ],
    ids=["email", "social", "portal", "held call"],
)
def test_a_long_wait_ends_no_letter_and_no_held_call_live_or_replayed(
    rules: Rules, channel: str, between: list, at_s: float
) -> None:
    opening = [start(channel=channel), said(0, "customer", "Where is my parcel?", 0, 3), *between]
    later = [said(1, "agent", "I am on it now.", at_s), CallEnd(call_id=CALL, at_s=at_s + 60)]
    ticks = [Tick(call_id=CALL, at_s=tick_s) for tick_s in (310.0, 900.0, 1700.0)]
    live, replayed = play(rules, [*opening, *ticks, *later], {}), play(rules, [*opening, *later], {})
    assert live == replayed
    assert len(of_type(live, events.Turn)) == 2
    assert live[-1].at_s == at_s + 60


def test_a_missing_score_is_a_degraded_point_that_moves_nothing(rules: Rules) -> None:
    fold = Fold(CALL, rules)
    fold.apply(start())
    fold.apply(said(0, "customer", "This is outrageous", 0))
    out = fold.apply(Scored(call_id=CALL, segment_id="0", failed="scorer error"))
    (point,) = (effect.event for effect in out if isinstance(effect, Emit) and isinstance(effect.event, events.Point))
    assert point.degraded == "scorer error"
    assert point.tension == 0
    assert point.contributions == []


def test_an_abstained_turn_moves_neither_tension_nor_risk(rules: Rules) -> None:
    angry = [said(i, "customer", "This is the third time and nobody helps!", 10.0 * i) for i in (1, 2)]
    mumbled = [msgspec.structs.replace(said(i, "customer", "maybe so", 10.0 * i), confidence=0.05) for i in (3, 4)]
    scores = {str(i): heard(3.0, "grievance", anger=0.9) for i in (1, 2)}
    points = of_type(play(rules, [start(), *angry, *mumbled], scores, close=False), events.Point)
    assert [point.degraded for point in points] == [None, None, "low_confidence", "low_confidence"]
    assert points[1].risk == points[2].risk == points[3].risk
    assert points[2].tension <= points[1].tension, "only time cools it"


def test_a_must_report_phrase_counts_even_when_the_model_is_silent(rules: Rules) -> None:
    fold = Fold(CALL, rules)
    fold.apply(start("en"))
    fold.apply(said(0, "customer", "I will report you to the Financial Ombudsman tomorrow.", 0))
    out = fold.apply(Scored(call_id=CALL, segment_id="0", failed="scorer error"))
    alerts = [effect.event for effect in out if isinstance(effect, Emit) and isinstance(effect.event, events.Alert)]
    assert [(alert.kind, alert.severity, alert.state) for alert in alerts] == [("must_report", "critical", "firing")]


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "I'm so tired of this, nobody helps me."), ("hr", "Umoran sam od toga, nitko mi ne pomaže.")],
)
def test_silence_after_an_outburst_is_raised_by_the_clock_and_not_on_hold(
    rules: Rules, language: str, text: str
) -> None:
    angry = {"0": heard(3.6, anger=0.9)}
    opening = [start(language), said(0, "customer", text, 0, 4)]
    quiet = play(rules, [*opening, Tick(call_id=CALL, at_s=13)], angry)
    (alert,) = of_type(quiet, events.Alert)[-1:]
    assert (alert.kind, alert.at_s) == ("silence", 10.0)  # type: ignore[attr-defined]
    assert [event.situation for event in of_type(quiet, events.Prompt)][-1] == "silence"  # type: ignore[attr-defined]
    held = [*opening, CallHold(call_id=CALL, at_s=6), Tick(call_id=CALL, at_s=60), CallResume(call_id=CALL, at_s=61)]
    assert "silence" not in [event.kind for event in of_type(play(rules, held, angry), events.Alert)]  # type: ignore[attr-defined]


def test_a_stock_apology_earns_nothing_and_a_solution_that_is_accepted_does(rules: Rules) -> None:
    upset = {"0": heard(3.2, anger=0.9)}

    def after(move: str, reply: str) -> list[float]:
        records = [
            start(),
            said(0, "customer", "What now?", 0),
            said(1, "agent", "...", 5),
            said(2, "customer", reply, 9),
        ]
        scores = upset | {"1": heard(None, move), "2": heard(0.5, "cooperates")}
        return [event.tension for event in of_type(play(rules, records, scores), events.Point)]  # type: ignore[attr-defined]

    apology, solution = after("stock_apology", "Fine."), after("solve", "Fine.")
    assert apology[1] >= apology[0]
    assert solution[1] < solution[0]
    assert solution[2] < apology[2]


def test_only_the_agent_answers_a_silence(rules: Rules) -> None:
    hot = heard(3.6, "grievance", anger=0.9)
    records = [
        start(),
        said(1, "customer", "Nobody has called me back in three weeks!", 0.0, 4.0),
        said(2, "customer", "Hello? Anybody there?", 15.0, 17.0),
        said(3, "agent", "I am so sorry, I have your order open now and it leaves today.", 18.0, 22.0),
    ]
    alerts = of_type(play(rules, records, {"1": hot, "2": hot}, close=False), events.Alert)
    assert [(a.kind, a.state, a.segment_id) for a in alerts if a.kind == "silence" and a.state == "resolved"] == [
        ("silence", "resolved", "3")
    ]


def test_a_mumbled_turn_does_not_undo_the_agents_help(rules: Rules) -> None:
    mumbled = msgspec.structs.replace(said(3, "customer", "well er", 20.0), confidence=0.05)
    records = [
        start(),
        said(1, "customer", "You lost my parcel and I am furious!", 0.0, 4.0),
        said(2, "agent", "That must be maddening. I send a new one today.", 6.0, 10.0),
        mumbled,
        said(4, "customer", "Right.", 30.0),
    ]
    scores = {"1": heard(3.0, "grievance", anger=0.9), "2": heard(None, "empathise", "solve"), "4": heard(0.2)}
    stages = of_type(play(rules, records, scores, close=False), events.Stage)
    assert [(stage.from_, stage.to) for stage in stages][:2] == [("calm", "vent"), ("vent", "disarm")]


def test_a_threat_in_a_turn_without_a_score_counts_at_the_end(rules: Rules) -> None:
    fold = Fold(CALL, rules)
    call = [
        start(),
        said(0, "customer", "I will report you to the Financial Ombudsman.", 0),
        Scored(call_id=CALL, segment_id="0", failed="scorer error"),
        said(1, "agent", "Right. Bye.", 5),
        Scored(call_id=CALL, segment_id="1", score=heard()),
        CallEnd(call_id=CALL, at_s=9.0, reason="hangup"),
    ]
    out = [effect for record in call for effect in fold.apply(record)] + fold.close()
    (end,) = (
        e.event for e in out if isinstance(e, Emit) and isinstance(e.event, events.Call) and e.event.state == "end"
    )
    assert "threat_regulator" in {missed.label for missed in end.missed_signals}


def test_a_relapse_alert_ends_with_calm(rules: Rules) -> None:
    from monitor.config import load
    from monitor.rules_loading import load_rules

    never = load_rules(load(None, ["policy.enter_at=1.0", "policy.critical_at=1.0", "policy.hot_turns=99"]), "test")
    turns = [
        said(1, "customer", "Three weeks and still no parcel, this is outrageous!", 0.0, 3.0),
        said(2, "agent", "A new one leaves today.", 4.0, 6.0),
        said(3, "customer", "Thank you, that is a relief.", 7.0, 9.0),
        said(4, "customer", "Hold on, the page says cancelled! Not again!", 12.0, 15.0),
        said(5, "agent", "I have put it back, it is on its way.", 16.0, 19.0),
        *(said(i, "customer", "Thanks, all good now.", 20.0 + 10 * i) for i in range(6, 16)),
    ]
    hot, soft = heard(3.8, "blocked", anger=0.9), heard(0.0, "eased", joy=0.8)
    scores = {"1": heard(3.8, "grievance", anger=0.9), "2": heard(None, "solve", "own"), "3": soft, "4": hot}
    scores |= {"5": heard(None, "solve", "own")} | {str(i): soft for i in range(6, 16)}
    alerts = of_type(play(never, [start(), *turns], scores, close=False), events.Alert)
    assert [a.state for a in alerts if a.kind == "relapse"] == ["firing", "resolved"]
