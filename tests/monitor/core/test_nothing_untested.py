"""No contribution, turning point, alert, suggestion or reason is without a test in several languages."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from models.labels import FAILING_MOVES
from monitor import core
from monitor.core.deciding import ON_THE_TURN
from monitor.core.events import Alert, Call, Event, Pivot, Point, Stage, Suggestion
from monitor.core.movement import _EASING, CREDIT_SHARES, CUE_SHARES
from monitor.core.rules import Rules
from monitor.texts import REASON_LANGUAGES, REASONS
from tests.monitor.core.calls import Conversation, agent, conversation, customer
from tests.monitor.core.scenes import (
    ENDINGS,
    LANGUAGES,
    ON_THE_WORD,
    RAISED,
    ROUTED,
    SOLVED,
    STILL_UPSET,
    TERMS,
    UPSET,
    alerts,
    endings,
    half_way,
    is_written_in,
    journey,
    of,
    told,
    under,
)

TREES = [ast.parse(path.read_text("utf-8")) for path in sorted(Path(core.__file__).parent.glob("*.py"))]
CURVE_CALLS = frozenset({"rise_to", "fall_to", "raise_by", "lower_by", "add", "_Term"})
FAMILIES = {"cue": CUE_SHARES, "credit": CREDIT_SHARES, "charge": FAILING_MOVES}
"""Families of contributions and the tables that name their members."""


def calls_to(names: Iterable[str]) -> Iterator[ast.Call]:
    for node in (node for tree in TREES for node in ast.walk(tree)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if name in names:
                yield node


def names_in(node: ast.expr) -> set[str]:
    """The names that an expression may stand for; one that is not understood fails, so that somebody looks."""
    match node:
        case ast.Constant(value=str(name)):
            return {name}
        case ast.IfExp():
            return names_in(node.body) | names_in(node.orelse)
        case ast.JoinedStr(values=[ast.Constant(value=str(prefix)), ast.FormattedValue()]):
            family = prefix.rstrip(":")
            return {f"{family}:{member}" for member in FAMILIES[family]}
        case ast.Subscript(value=ast.Name(id="easing")):
            return set(_EASING)
        case _:
            raise AssertionError(f"which contributions are these: {ast.unparse(node)}?")


def declared_contributions() -> set[str]:
    found: set[str] = set()
    for call in calls_to(CURVE_CALLS):
        method = call.func.attr if isinstance(call.func, ast.Attribute) else "_Term"
        if len(call.args) < 3:
            continue  # another `add`
        name = call.args[0 if method in ("add", "_Term") else 1]
        if not (isinstance(name, ast.Name) and name.id == "name"):  # passed on inside the curve
            found |= names_in(name)
    return found


def declared(*makers: str) -> set[str]:
    """First arguments, where they are spelled out, of calls to these."""
    firsts = (call.args[0] for call in calls_to(makers) if call.args)
    return {node.value for node in firsts if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def in_two_languages(pairs: Iterable[tuple[str, str]]) -> set[str]:
    languages: dict[str, set[str]] = {}
    for name, language in pairs:
        languages.setdefault(name, set()).add(language)
    return {name for name, spoken in languages.items() if len(spoken) >= 2}


def every_reason(rules: Rules, language: str) -> dict[str, str]:
    """Each kind's first sentence, and those with which alerts go on and end."""
    own = f'alerts.language="{language}"'
    found = {case.kind: alerts(rules, case, own)[0].reason for case in RAISED if case.language in ("en", "de")}
    upset, hot = customer(UPSET["en"], 3.5), customer(STILL_UPSET["en"], 3.5)
    threat = customer("You will hear from my lawyer.")
    for name, state, lines in (
        ("again", "updated", [threat, threat]),
        ("answered", "resolved", [upset, 20.0, agent(SOLVED["en"], "solve")]),
        ("ended", "resolved", [upset, hot]),
        ("recovered", "resolved", [upset, hot, agent("...", "solve"), *[customer("Good.", 0.0, "eased")] * 8]),
    ):
        events = of(told(under(rules, own), conversation("en", *lines, end="end")), Alert)
        (found[name],) = (alert.reason for alert in events if alert.state == state)
    return found


def scenarios() -> Iterator[tuple[str, Conversation]]:
    """The scenarios that need no alert, each with its language."""
    for term in TERMS:
        yield term.language, term.call
    for language in LANGUAGES:
        yield from ((language, make(language)) for make in (journey, half_way))
    for language, case in ROUTED:
        yield language, conversation(language, *case.lines)
    for language, name in ENDINGS:
        lines, reason, _, _ = endings(language)[name]
        yield language, conversation(language, *lines, end=reason)


@pytest.fixture(scope="module")
def seen(even: Rules, ears_only: Rules) -> list[tuple[str, Event]]:
    """All that these and the alerts' scenarios tell, each event with its language."""
    found = [(language, event) for language, call in scenarios() for event in told(ears_only, call)]
    return found + [(case.language, alert) for case in RAISED for alert in alerts(even, case)]


def test_no_contribution_is_without_a_test_in_two_languages(seen: list[tuple[str, Event]]) -> None:
    names = declared_contributions()
    assert in_two_languages((term.name, term.language) for term in TERMS) == names
    shown = (
        (part.name, language) for language, event in seen if isinstance(event, Point) for part in event.contributions
    )
    assert in_two_languages(shown) == names


def test_no_turning_point_and_no_stage_is_without_a_test_in_two_languages(seen: list[tuple[str, Event]]) -> None:
    turned = ((event.kind, language) for language, event in seen if isinstance(event, Pivot))
    assert in_two_languages(turned) == declared("Turned") == {"intensified", "eased", "relapse"}
    moved = ((f"{event.from_} {event.to}", language) for language, event in seen if isinstance(event, Stage))
    assert in_two_languages(moved) == {"calm vent", "vent disarm", "disarm calm", "disarm vent"}


def test_no_alert_is_without_a_test_in_two_languages(seen: list[tuple[str, Event]]) -> None:
    kinds = declared("_say", "raise_alert") | {kind for kind, _ in ON_THE_TURN}
    assert in_two_languages((case.kind, case.language) for case in RAISED) == kinds
    assert in_two_languages((event.kind, language) for language, event in seen if isinstance(event, Alert)) == kinds
    assert len(kinds) == 8
    labels = {label for _, names in ON_THE_TURN for label in names} | {"ask_superior"}
    assert in_two_languages((label, language) for label, found in ON_THE_WORD.items() for language in found) == labels


def routes() -> set[str]:
    """Names of the reasons of suggestions."""
    thirds = (node.args[2] for node in calls_to(["Route"]) if len(node.args) == 3)
    return {node.value for node in thirds if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_no_suggestion_and_no_flag_is_without_a_test_in_two_languages(
    seen: list[tuple[str, Event]], ears_only: Rules
) -> None:
    reasons = {ears_only.texts.reason(name, "en", {}) for name in routes()}
    assert len(reasons) == len(routes())
    given_reasons = ((event.reason, language) for language, event in seen if isinstance(event, Suggestion))
    assert in_two_languages(given_reasons) == reasons
    ends = [(language, event) for language, event in seen if isinstance(event, Call) and event.state == "end"]
    flags = in_two_languages((flag, language) for language, event in ends for flag in event.flags)
    assert flags == {"unsatisfied_close", "resigned_close", "open_promise", "open_risk"}


def test_every_reason_is_there_and_different_in_the_four_languages(even: Rules) -> None:
    found = {language: every_reason(even, language) for language in REASON_LANGUAGES}
    kinds = declared("_say", "raise_alert") | {kind for kind, _ in ON_THE_TURN}
    thirds = [call.args[2] for call in calls_to(["resolve"]) if len(call.args) > 2]
    ends = {node.value for node in thirds if isinstance(node, ast.Constant)}
    for language, reasons in found.items():
        reasons |= {name: even.texts.reason(name, language, {}) for name in routes()}
    assert set(found["en"]) == kinds | ends | routes() | {"again"} == set(REASONS)
    for kind in REASONS:
        said = [found[language][kind] for language in REASON_LANGUAGES]
        assert len(set(said)) == len(REASON_LANGUAGES)
        assert all(map(is_written_in, said, REASON_LANGUAGES))
