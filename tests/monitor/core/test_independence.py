"""Each contribution stands apart from the others, and each call from those beside it, whatever their shape."""

from __future__ import annotations

import random
from collections.abc import Iterable

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from models.labels import FAILING_MOVES
from monitor.core.closing import SIGNALS
from monitor.core.curve import tension_of
from monitor.core.events import Event, encode
from monitor.core.fold import Fold
from monitor.core.movement import _EASING, CREDIT_SHARES, CUE_SHARES
from monitor.core.rules import Rules
from tests.monitor.core.calls import Conversation, Line, agent, conversation, customer, settle
from tests.monitor.core.scenes import AGREED, FELL_THROUGH, LANGUAGES, SOLVED, STILL_UPSET, UPSET, points, total


@st.composite
def calls(draw: st.DrawFn) -> Conversation:
    """A call of any shape, in any of the languages, with pauses."""
    language = draw(st.sampled_from(LANGUAGES))
    lines: list[Line | float] = []
    for _ in range(draw(st.integers(1, 10))):
        if draw(st.booleans()):
            lines.append(draw(st.floats(0, 120)))
        if draw(st.booleans()):
            labels = draw(st.lists(st.sampled_from(sorted({*CUE_SHARES, *_EASING, *SIGNALS})), max_size=3, unique=True))
            text = draw(st.sampled_from([words[language] for words in (UPSET, STILL_UPSET, AGREED, FELL_THROUGH)]))
            lines.append(customer(text, draw(st.floats(0, 4)), *labels))
        else:
            labels = draw(st.lists(st.sampled_from(sorted({*CREDIT_SHARES, *FAILING_MOVES})), max_size=3, unique=True))
            lines.append(agent(SOLVED[language], *labels))
    return conversation(language, *lines, end=draw(st.sampled_from([None, "hangup"])))


@settings(max_examples=60)
@given(call=calls())
def test_taking_a_term_away_leaves_the_sum_of_the_others(rules: Rules, call: Conversation) -> None:
    for point in points(rules, call):
        parts = point.contributions
        whole = total(parts)
        assert abs(min(1.0, max(0.0, whole)) - point.tension) < 1e-9
        for at, part in enumerate(parts):
            others = [*parts[:at], *parts[at + 1 :]]
            assert abs(whole - part.value - total(others)) < 1e-9
            assert abs(tension_of(others) - min(1.0, max(0.0, whole - part.value))) < 1e-9


def as_call(call: Conversation, call_id: str) -> Conversation:
    return Conversation([msgspec.structs.replace(record, call_id=call_id) for record in call.records], call.scores)


@settings(max_examples=60)
@given(one=calls(), other=calls(), order=st.randoms(use_true_random=False))
def test_calls_beside_each_other_say_what_they_say_alone(
    rules: Rules, one: Conversation, other: Conversation, order: random.Random
) -> None:
    both = {call_id: as_call(call, call_id) for call_id, call in (("left", one), ("right", other))}

    def run(turns: Iterable[str]) -> dict[str, list[bytes]]:
        folds = {call_id: Fold(call_id, rules) for call_id in both}
        waiting = {call_id: iter(call.records) for call_id, call in both.items()}
        out: dict[str, list[bytes]] = {call_id: [] for call_id in both}
        for call_id in turns:
            events = settle(folds[call_id], folds[call_id].apply(next(waiting[call_id])), both[call_id].scores)
            out[call_id] += map(encode, events)
        for call_id, fold in folds.items():
            out[call_id] += map(encode, settle(fold, fold.close(), both[call_id].scores))
        return out

    tidy = [call_id for call_id, call in both.items() for _ in call.records]
    mixed = order.sample(tidy, len(tidy))
    assert run(mixed) == run(tidy) == run(reversed(tidy))
    assert run(tidy)["left"] == [encode(event) for event in alone(rules, both["left"], "left")]


def alone(rules: Rules, call: Conversation, call_id: str) -> list[Event]:
    fold = Fold(call_id, rules)
    events = [event for record in call.records for event in settle(fold, fold.apply(record), call.scores)]
    return [*events, *settle(fold, fold.close(), call.scores)]
