"""Who is told of what, and the named reason when somebody is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.model import Notification
from alerts.routing import Context, Match, Reason, Receiver, Silence, decide
from tests.alerts.notes import note, receiver

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PUBLIC = "https://hooks.example.com"


def why(
    to: Receiver, latest: Notification | None = None, silences: tuple[Silence, ...] = (), **changes: Any
) -> Reason | None:
    return decide(note(2, **changes), to, Context(list(silences), NOW, latest))


def to(**changes: Any) -> Receiver:
    return receiver(PUBLIC, **changes)


def test_a_critical_alert_is_sent() -> None:
    assert why(to()) is None


@pytest.mark.parametrize(
    ("match", "sent"),
    [
        (Match(kinds=["risk", "safety"]), True),
        (Match(kinds=["safety"]), False),
        (Match(teams=["billing"]), True),
        (Match(teams=["sales"]), False),
        (Match(states=["resolved"]), False),
        (Match(kinds=["risk"], teams=["sales"]), False),
    ],
)
def test_kind_team_and_state_must_all_match(match: Match, sent: bool) -> None:
    assert why(to(match=match)) == (None if sent else Reason.NOT_MATCHED)


def test_a_call_without_a_team_matches_no_team() -> None:
    assert why(to(match=Match(teams=["billing"])), team=None) is Reason.NOT_MATCHED


@pytest.mark.parametrize(("severity", "sent"), [("info", False), ("warning", True), ("critical", True)])
def test_severity(severity: str, sent: bool) -> None:
    assert why(to(), severity=severity) == (None if sent else Reason.BELOW_SEVERITY)


def test_a_silence_holds_until_its_end() -> None:
    silence = Silence(Match(teams=["billing"]), NOW + timedelta(seconds=1), "training")
    over = Silence(Match(teams=["billing"]), NOW, "training")
    assert why(to(), silences=(silence,)) is Reason.SILENCED
    assert why(to(), silences=(over,)) is None
    assert why(to(), silences=(silence,), team="sales") is None


def test_an_update_that_says_nothing_new_is_not_sent() -> None:
    assert why(to(), note(1), state="updated") is Reason.DEDUPLICATED
    assert why(to(), note(1), state="updated", reason="It has become worse.") is None
    assert why(to(), note(1, severity="warning"), state="updated") is None
    assert why(to(), note(1, state="resolved"), state="firing") is None
    assert why(to(), note(2)) is Reason.DEDUPLICATED


def test_the_end_is_told_to_those_who_were_told_the_beginning() -> None:
    assert why(to(), note(1), state="resolved", severity="info") is None
    assert why(to(), None, state="resolved") is Reason.DEDUPLICATED


def test_a_secret_never_shows() -> None:
    assert "whsec" not in repr(to())


@pytest.mark.parametrize(("told", "sent"), [(0, True), (1, True), (2, False), (9, False)])
def test_a_budget_is_never_passed(told: int, sent: bool) -> None:
    context = Context([], NOW, None, told)
    assert decide(note(2), to(budget=2), context) == (None if sent else Reason.OVER_BUDGET)
    assert decide(note(2), to(), context) is None


@pytest.mark.parametrize("kind", ["must_report", "safety", "escalation_request"])
def test_what_must_be_told_needs_no_budget(kind: str) -> None:
    assert decide(note(2, kind=kind), to(budget=1), Context([], NOW, None, 99)) is None


def test_what_was_told_is_followed_to_its_end() -> None:
    for state in ("updated", "resolved"):
        assert decide(note(2, state=state, reason="worse"), to(budget=1), Context([], NOW, note(1), 99)) is None
