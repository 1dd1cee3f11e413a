"""The curve: each contribution to the tension has its name, its sign and its cause, in several languages."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.curve import CALM_BELOW
from monitor.core.events import Contribution, Point
from monitor.core.rules import Rules
from tests.monitor.core.calls import agent, conversation, customer
from tests.monitor.core.scenes import (
    CUE_WORDS,
    LANGUAGES,
    SARCASM_WORDS,
    SOLVED,
    STILL_UPSET,
    TERMS,
    UPSET,
    Term,
    points,
    total,
    under,
)


def named(term: Term) -> str:
    return f"{term.name}-{term.language}"


def is_it(part: Contribution, term: Term) -> bool:
    return part.name == term.name and part.segment_id == (term.segment_id or msgspec.UNSET)


@pytest.mark.parametrize("term", TERMS, ids=named)
def test_a_contribution_has_its_name_its_sign_and_its_turn(ears_only: Rules, term: Term) -> None:
    point = points(ears_only, term.call)[-1]
    (found,) = (part for part in point.contributions if is_it(part, term))
    assert found.value * term.sign > 0
    assert abs(total(point.contributions) - point.tension) < 1e-9


@pytest.mark.parametrize("term", [term for term in TERMS if term.without is not None], ids=named)
def test_without_its_cause_exactly_its_term_is_gone(ears_only: Rules, term: Term) -> None:
    assert term.without is not None
    with_it, without = points(ears_only, term.call)[-1], points(ears_only, term.without)[-1]
    (found,) = (part for part in with_it.contributions if is_it(part, term))
    assert without.contributions == [part for part in with_it.contributions if not is_it(part, term)]
    assert abs(with_it.tension - found.value - without.tension) < 1e-9


@pytest.mark.parametrize(("language", "words"), SARCASM_WORDS.items())
def test_sarcasm_stands_for_heat_where_the_words_sound_mild(ears_only: Rules, language: str, words: str) -> None:
    meant, honest = (points(ears_only, conversation(language, customer(words, 0.3, *labels)))[-1]
                     for labels in (("sarcasm",), ()))  # fmt: skip
    assert [part.name for part in meant.contributions] == ["sarcasm", "cue:sarcasm"]
    assert [part.name for part in honest.contributions] == ["heat"]
    assert meant.tension > CALM_BELOW > honest.tension


@pytest.mark.parametrize("language", ["en", "zh-Hans", "es"])
def test_a_failing_wording_is_charged_only_if_the_customer_minds(ears_only: Rules, language: str) -> None:
    for heat, charged in ((3.0, 1), (0.3, 0)):
        lines = [customer(UPSET[language], 3.0), agent("...", "helpless"), customer(STILL_UPSET[language], heat)]
        last = points(ears_only, conversation(language, *lines))[-1]
        assert sum(part.name == "charge:helpless" for part in last.contributions) == charged


@pytest.mark.parametrize("language", ["hr", "zh-Hant", "de"])
def test_nothing_that_stands_beside_a_failing_move_earns_credit(ears_only: Rules, language: str) -> None:
    lines = [customer(UPSET[language], 3.0), agent(SOLVED[language], "solve", "own", "confront")]
    before, after = points(ears_only, conversation(language, *lines))
    assert after.contributions == before.contributions


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
def test_the_weights_of_the_settings_turn_cues_charges_and_credit_off(ears_only: Rules, language: str) -> None:
    lines = [
        customer(UPSET[language], 3.0, "insult"),
        agent(SOLVED[language], "solve"),
        agent("...", "taboo"),
        customer(STILL_UPSET[language], 3.0, "blocked"),
    ]
    for sets, left in (
        ([], {"heat", "cue", "credit", "charge"}),
        (["curve.cue_weight=0"], {"heat", "credit"}),
        (["curve.credit_weight=0"], {"heat", "cue", "charge"}),
    ):
        last = points(under(ears_only, *sets), conversation(language, *lines))[-1]
        assert {part.name.split(":")[0] for part in last.contributions} == left


DROPPABLE = sorted(set(CUE_WORDS) - {"repetition"})


@settings(max_examples=80)
@given(
    heats=st.lists(st.floats(0, 4), max_size=3),
    heat=st.floats(1.5, 4),
    cues=st.lists(st.sampled_from(DROPPABLE), min_size=1, max_size=5, unique=True),
    language=st.sampled_from(LANGUAGES),
)
def test_a_cue_taken_away_changes_no_other_cause(
    ears_only: Rules, heats: list[float], heat: float, cues: list[str], language: str
) -> None:
    """Terms before it are the same to the last digit; later cues of the turn find the room that it took."""
    before = [customer(UPSET[language], past) for past in heats]
    dropped = f"cue:{cues[0]}"

    def last(kept: list[str]) -> Point:
        return points(ears_only, conversation(language, *before, customer(STILL_UPSET[language], heat, *kept)))[-1]

    with_it, without = last(cues), last(cues[1:])
    names = [part.name for part in with_it.contributions]
    at = names.index(dropped) if dropped in names else len(names)
    assert without.contributions[:at] == with_it.contributions[:at]
    later = list(zip(with_it.contributions[at + 1 :], without.contributions[at:], strict=True))
    assert all(one.name == other.name and one.value <= other.value for one, other in later)
    for point in (with_it, without):
        assert abs(min(1.0, max(0.0, total(point.contributions))) - point.tension) < 1e-9
