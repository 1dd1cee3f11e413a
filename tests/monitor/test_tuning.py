"""What-if: the same numbers as running under those settings, and a proposal from what supervisors said."""

from __future__ import annotations

import msgspec
import pytest

from monitor.config import load
from monitor.core.events import Alert
from monitor.core.inputs import AlertAction, Record, Scored, Tick
from monitor.core.rules import Rules
from monitor.core.settings import PolicySettings
from monitor.evaluation import figures
from monitor.labelled_calls import LabelledCall, gold_scores, records, run
from monitor.replay import fold_call
from monitor.rules_loading import load_rules
from monitor.tuning import (
    Agreement,
    Fired,
    Verdict,
    agreement,
    best,
    candidates,
    fired,
    remembering,
    toml_lines,
    verdicts,
    with_policy,
)
from tests.monitor.labelled import BAD, CALLS, SCORES, WATCHED


def journal(call: LabelledCall, *actions: AlertAction) -> list[Record]:
    """The call as an export has it: every message with its score, the tick that ended it, then what people said."""
    scores = gold_scores(call)
    out: list[Record] = []
    for record in records(call):
        out.append(record)
        segment = getattr(record, "segment_id", None)
        if segment is not None:
            out.append(Scored(call_id=call.call_id, segment_id=segment, score=scores[call.call_id, int(segment)]))
    return [*out, Tick(call_id=call.call_id, at_s=call.turns[-1].t + 10.0), *actions]


def said(call_id: str, alert_id: str, word: str) -> AlertAction:
    return AlertAction(call_id=call_id, at_s=99.0, alert_id=alert_id, action=word, by="anna")


def risk_alert(call: LabelledCall, rules: Rules) -> Alert:
    events = fold_call(call.call_id, journal(call), rules)
    return next(e for e in events if isinstance(e, Alert) and e.kind == "risk" and e.state == "firing")


def test_the_configured_policy_comes_first_and_thresholds_rise() -> None:
    policy = PolicySettings(enter_at=0.9, exit_at=0.7, critical_at=0.97)
    tried = candidates(policy, (0.6, 0.9, 0.99), (0.0,), (0.5, 0.7))
    assert tried[0] == policy
    assert [(one.enter_at, one.exit_at) for one in tried[1:]] == [(0.6, 0.5), (0.9, 0.5)]


@pytest.mark.parametrize(("enter_at", "hold_for_s", "exit_at"), [(0.5, 0.0, 0.4), (0.8, 10.0, 0.7), (0.95, 0.0, 0.4)])
def test_a_row_is_what_setting_it_gives(rules: Rules, enter_at: float, hold_for_s: float, exit_at: float) -> None:
    sets = [f"policy.enter_at={enter_at}", f"policy.hold_for_s={hold_for_s}", f"policy.exit_at={exit_at}"]
    configured = load_rules(load(sets=sets), model_version="test")
    (_, tried) = candidates(rules.settings.policy, [enter_at], [hold_for_s], [exit_at])
    assert tried == configured.settings.policy
    changed = with_policy(remembering(rules), tried)
    by_setting = [run(call, configured, SCORES) for call in CALLS]
    assert [run(call, changed, SCORES) for call in CALLS] == by_setting
    assert figures(by_setting)["told"] == 1.0
    calls = {call.call_id: journal(call) for call in CALLS}
    assert fired(calls, {}, changed) == fired(calls, {}, configured)


def test_recorded_calls_have_alerts_and_seconds_of_talk(rules: Rules) -> None:
    found = fired({"bad": journal(BAD)}, {}, rules)["bad"]
    assert found.at_s == [risk_alert(BAD, rules).at_s]
    assert found.seconds == pytest.approx(62.7)
    letter = msgspec.structs.replace(BAD, channel="email")
    assert fired({"bad": journal(letter)}, {}, rules)["bad"].seconds == 0.0


def test_verdicts_find_their_alert_and_the_last_word_counts(rules: Rules) -> None:
    alert = risk_alert(BAD, rules)
    lines = journal(
        BAD,
        said("bad", alert.alert_id, "false"),
        said("bad", alert.alert_id, "true"),
        said("bad", "al-unknown", "late"),
        said("bad", alert.alert_id, "ack"),
    )
    found = verdicts({"bad": lines, "watched": journal(WATCHED)}, {}, rules)
    assert found == [Verdict("bad", "true", "risk", alert.at_s), Verdict("bad", "late", None, None)]


def test_agreement_counts_wishes_about_risk_alone() -> None:
    verdict = [
        Verdict("a", "true", "risk", 20.0),
        Verdict("b", "true", "risk", 20.0),
        Verdict("c", "false", "risk", 20.0),
        Verdict("d", "false", "risk", 20.0),
        Verdict("e", "late", "risk", 20.0),
        Verdict("f", "late", "risk", 20.0),
        Verdict("g", "false", "safety", 20.0),
        Verdict("h", "false", None, None),
    ]
    at_s = {"a": [20.0], "b": [21.0], "c": [], "d": [30.0], "e": [10.0], "f": [20.0]}
    found = agreement(verdict, {name: Fired(times, 60.0) for name, times in at_s.items()})
    assert found == Agreement(kept=1, right=2, gone=1, false=2, earlier=1, late=2)
    assert found.met == 3


def test_the_best_meets_most_wishes_with_the_least_change() -> None:
    policy = PolicySettings()
    tried = candidates(policy, (0.7, 0.8), (0.0, 5.0), (0.7,))
    worse, better = Agreement(0, 1, 0, 0, 0, 0), Agreement(1, 1, 0, 0, 0, 0)
    assert best([worse] * len(tried), tried) == 0, "nothing gained, nothing changed"
    chosen = tried[best([worse, *[better] * (len(tried) - 1)], tried)]
    assert (chosen.enter_at, chosen.hold_for_s) == (0.8, 0.0)
    assert toml_lines(policy, chosen) == ["[policy]", "enter_at = 0.8"]
    assert toml_lines(policy, policy) == []
