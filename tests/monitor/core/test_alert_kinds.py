"""Each kind of alert fires with its severity, quotes what was said and gives its reason, in several languages."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core.events import Alert, Evidence, Turn
from monitor.core.rules import Rules
from monitor.texts import REASON_LANGUAGES
from tests.monitor.core.calls import conversation, customer
from tests.monitor.core.scenes import FELL_THROUGH, KIND_OF, RAISED, Raised, alerts, is_written_in, of, points, told


def raised_id(case: Raised) -> str:
    return f"{case.kind}-{case.severity}-{case.quotes[0][0]}-{case.language}"


@pytest.mark.parametrize("case", RAISED, ids=raised_id)
def test_an_alert_fires_with_its_severity_and_quotes_the_words(even: Rules, case: Raised) -> None:
    firing = [alert for alert in alerts(even, case) if alert.state == "firing"]
    assert [alert.severity for alert in firing] == [case.severity]
    (alert,) = firing
    assert alert.segment_id == (case.segment_id or msgspec.UNSET)
    texts = {turn.segment_id: turn.text for turn in of(told(even, case.call), Turn)}
    for label, words in case.quotes:
        assert any(item.label == label and words in item.quote for item in alert.evidence), alert.evidence
    assert all(item.quote and item.quote in texts[item.segment_id] for item in alert.evidence)
    assert alert.audience == "supervisor"


@pytest.mark.parametrize("language", REASON_LANGUAGES)
@pytest.mark.parametrize("case", RAISED, ids=raised_id)
def test_a_reason_says_in_its_reader_s_language_what_was_heard(even: Rules, case: Raised, language: str) -> None:
    alert = alerts(even, case, f'alerts.language="{language}"')[0]
    assert is_written_in(alert.reason, language)
    if case.kind in ("risk", "must_report", "safety", "agent_conduct", "relapse"):
        for label, _ in case.quotes:
            assert even.texts.label(label, language) in alert.reason
    if case.kind == "silence":
        assert "6" in alert.reason
    if case.kind == "risk":
        (tension,) = (p.tension for p in points(even, case.call) if p.segment_id == alert.segment_id)
        assert f"{round(100 * tension)}" in alert.reason


@pytest.mark.parametrize("language", ["en", "zh-Hans", "hr"])
@pytest.mark.parametrize("label", KIND_OF)
def test_what_only_the_model_heard_needs_a_high_score_and_quotes_the_turn(
    ears_only: Rules, label: str, language: str
) -> None:
    settings = ears_only.settings.alerts
    needed = {
        "safety": settings.danger_alone_at,
        "must_report": settings.threat_alone_at,
        "escalation_request": settings.request_alone_at,
    }[KIND_OF[label]]
    for score, states in ((needed, ["firing"]), (needed - 0.05, [])):
        line = customer(FELL_THROUGH[language], 0.5, label)
        line = line._replace(score=msgspec.structs.replace(line.score, labels={label: score}))
        found = of(told(ears_only, conversation(language, line)), Alert)
        assert [alert.state for alert in found if alert.kind == KIND_OF[label]] == states
        quoted = Evidence(segment_id="0", quote=FELL_THROUGH[language], label=label)
        assert all(alert.evidence == [quoted] for alert in found)
