"""The stages of a call and its turning points, in several languages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from monitor.core.events import Event, Pivot, Point, Stage
from monitor.core.rules import Rules
from tests.monitor.core.calls import agent, conversation, customer
from tests.monitor.core.scenes import (
    AGREED,
    FELL_THROUGH,
    LANGUAGES,
    RELIEVED,
    SOLVED,
    UPSET,
    half_way,
    journey,
    of,
    told,
)


def stages(events: Iterable[Event]) -> list[tuple[Any, str, str]]:
    return [(event.segment_id, event.from_, event.to) for event in of(events, Stage)]


def pivots(events: Iterable[Event]) -> list[tuple[Any, str, Any]]:
    return [(event.segment_id, event.kind, event.since_segment_id) for event in of(events, Pivot)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_call_vents_is_disarmed_calms_down_and_goes_back(ears_only: Rules, language: str) -> None:
    events = told(ears_only, journey(language))
    assert stages(events) == [
        ("0", "calm", "vent"),
        ("2", "vent", "disarm"),
        ("4", "disarm", "calm"),
        ("5", "calm", "vent"),
    ]
    assert [point.stage for point in of(events, Point)] == ["vent", "vent", "disarm", "disarm", "calm", "vent"]


@pytest.mark.parametrize("language", ["en", "zh-Hans", "hr"])
def test_who_was_only_disarmed_goes_back_too(ears_only: Rules, language: str) -> None:
    events = told(ears_only, half_way(language))
    assert stages(events) == [("0", "calm", "vent"), ("2", "vent", "disarm"), ("3", "disarm", "vent")]
    assert pivots(events)[-1] == ("3", "relapse", "2")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_turning_points_of_a_call_and_why(ears_only: Rules, language: str) -> None:
    first, *eased, relapse = of(told(ears_only, journey(language)), Pivot)
    assert (first.segment_id, first.kind, first.because) == ("0", "intensified", ["grievance"])
    assert {pivot.kind for pivot in eased} == {"eased"}
    assert eased[0].segment_id == "2"
    assert eased[0].because == ["empathise", "own", "solve", "cooperates"], "who helped, and what came of it"
    assert (relapse.segment_id, relapse.kind, relapse.because) == ("5", "relapse", ["blocked"])
    assert relapse.since_segment_id == eased[-1].segment_id, "it points at the calming that it undoes"
    assert all(pivot.since_segment_id is msgspec.UNSET for pivot in (first, *eased))


@pytest.mark.parametrize("language", ["de", "zh-Hant"])
def test_a_calming_too_small_for_a_turning_point_can_be_undone_too(ears_only: Rules, language: str) -> None:
    lines = [customer(UPSET[language], 1.6, anger=0.6), customer(AGREED[language], 1.4, "cooperates")]
    events = told(ears_only, conversation(language, *lines, customer(FELL_THROUGH[language], 3.5, anger=0.9)))
    assert pivots(events)[1:] == [("2", "relapse", "1")]
    assert of(events, Pivot)[-1].because == ["anger"], "without a label the emotion is named"


@pytest.mark.parametrize("language", ["es", "zh-Hans"])
def test_a_second_relapse_points_at_the_second_calming(ears_only: Rules, language: str) -> None:
    again = [agent(SOLVED[language], "own"), customer(RELIEVED[language], 0.2, "eased")]
    hot = customer(FELL_THROUGH[language], 3.5, "blocked")
    lines = [customer(UPSET[language], 3.5), *again, hot, *again, hot]
    relapses = [pivot for pivot in pivots(told(ears_only, conversation(language, *lines))) if pivot[1] == "relapse"]
    assert relapses == [("3", "relapse", "2"), ("6", "relapse", "5")]


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
@pytest.mark.parametrize("still", ["sarcasm", "insult", "resigned", "blocked"])
def test_a_mild_sound_is_no_calming_beside_these_cues(ears_only: Rules, language: str, still: str) -> None:
    lines = [customer(UPSET[language], 3.5), agent(SOLVED[language], "own"), customer("...", 0.3, still, "cooperates")]
    events = told(ears_only, conversation(language, *lines))
    assert [to for _, _, to in stages(events)] == ["vent"]
    assert "eased" not in [kind for _, kind, _ in pivots(events)]
