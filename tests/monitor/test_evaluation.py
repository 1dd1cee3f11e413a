"""The figures of risk and alerts: each over runs whose answer is known."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core.rules import Rules
from monitor.evaluation import evaluate_calls, figures
from monitor.labelled_calls import LabelledCall, Run, SaidAlert, SaidPoint, run
from tests.monitor.labelled import BAD, CALLS, QUIET, SCORES, WATCHED


def alert(kind: str, turn: int, at_s: float, state: str = "firing", recovered: bool = False) -> SaidAlert:
    return SaidAlert(kind, state, turn, at_s, recovered)


def points(call: LabelledCall, *risks: float) -> list[SaidPoint]:
    return [SaidPoint(i, 10.0 * i + 9.0, risk, []) for i, risk in enumerate(risks)]


def said(call: LabelledCall, *alerts: SaidAlert, risk: float = 0.5) -> Run:
    return Run(call, list(alerts), points(call, *[risk] * len(call.turns)))


def test_a_bad_call_is_told_in_time_by_any_of_the_three_kinds() -> None:
    runs = [
        said(BAD, alert("risk", 2, 29.0)),
        said(BAD, alert("escalation_request", 0, 9.0)),
        said(BAD, alert("must_report", 4, 49.0)),
        said(BAD, alert("silence", 0, 9.0)),
    ]
    found = figures(runs)
    assert (found["told"], found["in_time"]) == (0.75, 0.5)
    assert (found["risk_recall"], found["risk_precision"]) == (0.25, 1.0)


def test_lead_is_counted_from_the_turn_that_was_due_and_may_be_late() -> None:
    runs = [said(BAD, alert("risk", 0, 9.0)), said(BAD, alert("risk", 2, 29.0)), said(BAD, alert("risk", 4, 49.0))]
    found = figures(runs)
    assert [found[f"lead_turns_{q}"] for q in ("q1", "median", "q3")] == [-1.0, 0.0, 1.0]
    assert [found[f"lead_s_{q}"] for q in ("q1", "median", "q3")] == [-10.0, 0.0, 10.0]


def test_false_alerts_count_on_quiet_calls_and_watched_calls_are_not_judged() -> None:
    noisy = said(QUIET, alert("risk", 0, 9.0), alert("risk", 2, 29.0))
    found = figures([noisy, said(QUIET), said(WATCHED, alert("risk", 0, 9.0)), said(BAD, alert("risk", 0, 9.0))])
    assert found["false_per_quiet_call"] == 1.0
    assert found["false_per_quiet_hour"] == pytest.approx(2 / (2 * 29.0 / 3600), rel=1e-3)
    assert (found["quiet_calls_told"], found["watched_calls_told"]) == (0.5, 1.0)
    assert found["risk_precision"] == pytest.approx(1 / 3, abs=1e-4), "the watched call's alert is in neither part"


def test_letters_have_no_hours() -> None:
    letter = msgspec.structs.replace(QUIET, channel="email")
    found = figures([said(letter, alert("risk", 0, 9.0)), said(QUIET)])
    assert (found["false_per_quiet_call"], found["false_per_quiet_hour"]) == (0.5, 0.0)


def test_recovery_is_of_risk_alerts_on_calls_that_ended_well() -> None:
    fired, resolved = alert("risk", 0, 9.0), alert("risk", 2, 29.0, "resolved", recovered=True)
    ended = alert("risk", 2, 29.0, "resolved")
    assert figures([said(WATCHED, fired, resolved), said(WATCHED, fired, ended)])["recovery"] == 0.5
    assert figures([said(BAD, fired, resolved)])["recovery"] is None


def test_the_very_turn_counts_and_an_open_alert_is_not_asked_for_again() -> None:
    twice = msgspec.structs.replace(WATCHED, turns=[*WATCHED.turns, msgspec.structs.replace(WATCHED.turns[0], t=30.0)])
    on_time = figures([said(twice, alert("must_report", 0, 9.0))])
    assert (on_time["must_report_due"], on_time["must_report_on_the_turn"]) == (1, 1.0)
    late = figures([said(twice, alert("must_report", 3, 39.0))])
    assert (late["must_report_due"], late["must_report_on_the_turn"]) == (2, 0.5)
    wrong = figures([said(QUIET, alert("must_report", 0, 9.0)), said(QUIET)])
    assert (wrong["must_report_false_per_call"], wrong["must_report_on_the_turn"]) == (0.5, None)


def test_brier_and_calibration_error() -> None:
    runs = [said(BAD, risk=0.8), said(QUIET, risk=0.2), said(WATCHED, risk=0.99)]
    found = figures(runs)
    for when in ("end", "turns"):
        assert found[f"brier_{when}"] == pytest.approx(0.04)
        assert found[f"ece_{when}"] == pytest.approx(0.2)
    rising = [Run(BAD, [], points(BAD, *[0.0] * 6, 1.0)), Run(QUIET, [], points(QUIET, 0.0, 0.0, 0.0))]
    assert (figures(rising)["brier_end"], figures(rising)["ece_end"]) == (0.0, 0.0)
    assert figures(rising)["brier_turns"] == pytest.approx(6 / 7 / 2, abs=1e-4), "every call weighs the same"


def test_intervals_draw_calls_and_are_the_same_every_time() -> None:
    runs = [said(BAD, alert("risk", 0, 9.0)) if i % 2 else said(BAD) for i in range(20)]
    found = evaluate_calls(runs, rounds=50)
    assert found == evaluate_calls(runs, rounds=50)
    low, high = found["intervals"]["told"]
    assert 0.2 < low < found["told"] == 0.5 < high < 0.8
    assert "calls" not in found["intervals"]


def test_languages_with_few_calls_have_no_figures_of_their_own() -> None:
    few = msgspec.structs.replace(QUIET, lang="ko")
    found = evaluate_calls([*[said(QUIET)] * 10, said(few)], rounds=5)
    assert (found["calls"], set(found["languages"])) == (11, {"en"})
    assert found["languages"]["en"]["calls"] == 10


def test_no_calls_no_figures() -> None:
    assert evaluate_calls([], rounds=5)["calls"] == 0


def test_what_is_measured_is_what_the_fold_says(rules: Rules) -> None:
    """The rule of two hot turns running fires in the fold only; no threshold on the risk would tell it."""
    found = figures([run(call, rules, SCORES) for call in CALLS])
    assert (found["told"], found["false_per_quiet_call"], found["must_report_on_the_turn"]) == (1.0, 0.0, 1.0)
