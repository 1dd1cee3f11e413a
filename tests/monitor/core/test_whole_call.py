"""What is made of a whole call: what is said again, the kind of customer, to whom it goes and how it ends."""

from __future__ import annotations

import pytest

from monitor.core.closing import SIGNALS, TYPES
from monitor.core.curve import CALM_BELOW, HOT_ABOVE
from monitor.core.events import Call, Evidence, Point, Suggestion, Turn
from monitor.core.rules import Rules
from tests.monitor.core.calls import Line, agent, conversation, customer
from tests.monitor.core.scenes import (
    AGREED,
    ENDINGS,
    FELL_THROUGH,
    LANGUAGES,
    RELIEVED,
    ROUTED,
    SOLVED,
    STILL_UPSET,
    UPSET,
    Routed,
    endings,
    of,
    told,
)

SAID_AGAIN = {
    "en": (
        ["I stayed at home all Wednesday and nobody came.", "What about my refund?",
         "As I said, I stayed at home all Wednesday, nobody came!", "All Wednesday I stayed at home, nobody came."],
        "Wednesday",
    ),
    "hr": (
        ["Cijelu sam srijedu čekao kod kuće i nitko nije došao.", "A gdje je moj novac?",
         "Kažem vam, cijelu srijedu čekao sam kod kuće!", "Čekao sam cijelu srijedu, nitko nije došao."],
        "srijedu",
    ),
    "de": (
        ["Ich habe den ganzen Mittwoch zu Hause gewartet, niemand kam.", "Und meine Erstattung?",
         "Noch einmal: ich habe den ganzen Mittwoch gewartet!", "Den ganzen Mittwoch zu Hause gewartet, und niemand."],
        "Mittwoch",
    ),
    "es": (
        ["Esperé todo el miércoles en casa y nadie vino.", "¿Y la devolución?",
         "Le repito que esperé todo el miércoles en casa.", "Todo el miércoles esperando en casa y nadie vino."],
        "miércoles",
    ),
    "zh-Hans": (
        ["我周三请假在家等了一整天，没有人来。", "那退款呢？",
         "我说了，周三请假在家等了一整天！", "周三在家等了一整天，没有人来。"],
        "等了一整天",
    ),
    "zh-Hant": (
        ["我週三請假在家等了一整天，沒有人來。", "那退款呢？",
         "我說了，週三請假在家等了一整天！", "週三在家等了一整天，沒有人來。"],
        "等了一整天",
    ),
}  # fmt: skip
"""Four turns, of which the first, third and fourth say the same; a word that is quoted."""


@pytest.mark.parametrize("language", SAID_AGAIN)
def test_what_is_said_again_is_quoted_and_counted(ears_only: Rules, language: str) -> None:
    texts, mark = SAID_AGAIN[language]
    lines = [part for text in texts for part in (customer(text, 1.0), agent("..."))]
    events = told(ears_only, conversation(language, *lines))
    turns = [turn for turn in of(events, Turn) if turn.role == "customer"]
    hits = [[hit for hit in turn.labels if hit.name == "repetition"] for turn in turns]
    assert [len(found) for found in hits] == [0, 0, 1, 1]
    for turn, (hit,), count in zip(turns[2:], hits[2:], (2, 3), strict=True):
        assert hit.count == count
        assert all(piece in turn.text for piece in hit.content)
        assert mark in "\n".join(hit.content)
        assert mark in turn.text[hit.start : hit.end]
    raised = [part.segment_id for part in of(events, Point)[-1].contributions if part.name == "cue:repetition"]
    assert raised == [turns[2].segment_id, turns[3].segment_id], "it counts however politely it is said"


@pytest.mark.parametrize("language", ["en", "zh-Hans"])
def test_agents_repeat_nothing_and_a_short_word_is_no_repetition(ears_only: Rules, language: str) -> None:
    said = SAID_AGAIN[language][0][0]
    lines = [customer(said), agent(said), agent(said), customer(AGREED[language][:4]), customer(AGREED[language][:4])]
    turns = of(told(ears_only, conversation(language, *lines)), Turn)
    assert not [hit for turn in turns for hit in turn.labels]


def end_of(rules: Rules, *lines: Line | float, language: str, reason: str = "hangup") -> Call:
    end = told(rules, conversation(language, *lines, end=reason))[-1]
    assert isinstance(end, Call)
    return end


TYPE_CUES = [(kind, cue) for kind, cues in TYPES.items() for cue in sorted(cues)]


@pytest.mark.parametrize("language", ["en", "zh-Hant", "hr"])
@pytest.mark.parametrize(("kind", "cue"), TYPE_CUES)
def test_two_turns_of_a_kind_make_a_customer_type(ears_only: Rules, kind: str, cue: str, language: str) -> None:
    words = [UPSET[language], FELL_THROUGH[language]]
    once = end_of(ears_only, customer(words[0], 2.0, cue), language=language)
    twice = end_of(ears_only, *(customer(text, 2.0, cue) for text in words), language=language)
    assert (once.customer_type, once.type_evidence) == (None, [])
    assert twice.customer_type == kind
    assert twice.type_evidence == [Evidence(segment_id=str(n), quote=text, label=cue) for n, text in enumerate(words)]


@pytest.mark.parametrize("language", ["de", "zh-Hans"])
def test_boiling_without_an_insult_is_irritable_and_the_type_with_more_evidence_wins(
    ears_only: Rules, language: str
) -> None:
    hot = [customer(UPSET[language], 3.6), customer(STILL_UPSET[language], 3.6)]
    assert end_of(ears_only, *hot, language=language).customer_type == "irritable"
    asking = [customer(FELL_THROUGH[language], 2.0, "insists_reason")] * 3
    assert end_of(ears_only, *hot, *asking, language=language).customer_type == "rational"
    calm = end_of(ears_only, customer(AGREED[language]), customer(RELIEVED[language]), language=language)
    assert calm.customer_type is None


QUIET_ROUTES = {"danger", "outside", "superior", "bounced", "transfers", "blocked", "stuck"}


@pytest.mark.parametrize(("language", "case"), ROUTED, ids=[f"{case.name}-{language}" for language, case in ROUTED])
def test_a_call_is_routed_by_what_it_needs_and_not_by_its_heat(ears_only: Rules, language: str, case: Routed) -> None:
    events = told(ears_only, conversation(language, *case.lines))
    (found,) = of(events, Suggestion)
    assert ((found.escalation_type, found.tier), found.segment_id) == (case.route, case.segment_id)
    assert found.reason
    if case.name in QUIET_ROUTES:
        assert all(point.tension < CALM_BELOW for point in of(events, Point)), "tier without tension"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hot_call_that_is_calmed_gets_nobody(ears_only: Rules, language: str) -> None:
    lines = [
        customer(UPSET[language], 3.8, "insult", "grievance", anger=0.95),
        agent(SOLVED[language], "own", "solve"),
        customer(RELIEVED[language], 0.2, "eased"),
    ]
    events = told(ears_only, conversation(language, *lines))
    assert of(events, Point)[0].tension > HOT_ABOVE
    assert of(events, Suggestion) == []


@pytest.mark.parametrize("language", ["hr", "zh-Hant"])
def test_a_suggestion_is_replaced_only_by_a_higher_or_another_one(ears_only: Rules, language: str) -> None:
    cues = ["ask_superior", "ask_superior", "bounced", "threat_legal", "ask_superior", "emergency"]
    events = told(ears_only, conversation(language, *(customer(UPSET[language], 0.5, cue) for cue in cues)))
    assert [(event.segment_id, event.escalation_type, event.tier) for event in of(events, Suggestion)] == [
        ("0", "supervisor", 2),
        ("2", "department", 2),
        ("3", "management", 3),
    ]


@pytest.mark.parametrize(("language", "name"), ENDINGS)
def test_the_end_flags_what_was_left_open_and_guesses_the_outcome(ears_only: Rules, language: str, name: str) -> None:
    lines, reason, flags, outcome = endings(language)[name]
    end = end_of(ears_only, *lines, language=language, reason=reason)
    assert (set(end.flags), end.outcome_guess) == (flags, outcome)
    assert len(end.flags) == len(set(end.flags))


@pytest.mark.parametrize("language", ["hr", "zh-Hant"])
@pytest.mark.parametrize("signal", sorted(SIGNALS))
def test_a_signal_that_no_good_move_answers_is_missed(ears_only: Rules, signal: str, language: str) -> None:
    said = customer(UPSET[language], 0.5, signal)
    missed = Evidence(segment_id="0", quote=UPSET[language], label=signal)
    for replies, expected in (
        ([agent(SOLVED[language], "empathise")], []),
        ([agent("...", "procedure_only")], [missed]),
        ([agent("...", "procedure_only"), agent(SOLVED[language], "empathise")], [missed]),
        ([], [missed]),
    ):
        end = end_of(ears_only, said, *replies, language=language)
        assert end.missed_signals == expected


@pytest.mark.parametrize(
    ("language", "answer"),
    [
        ("en", "The blue router stands in the hall cupboard beside the stairs."),
        ("de", "Der blaue Router steht hinten im Schrank neben der Kellertreppe."),
    ],
)
def test_who_answers_the_same_question_again_does_not_insist(ears_only: Rules, language: str, answer: str) -> None:
    """Asked twice, answered twice: no repetition, unless the customer is upset about it."""
    for heat, counted in ((0.3, False), (3.0, True)):
        first = customer(answer, 0.2, "cooperates")
        again = customer(answer, heat, "cooperates", **({"anger": 0.9} if heat > 1 else {}))
        turns = of(told(ears_only, conversation(language, first, agent("..."), again)), Turn)
        assert ("repetition" in {hit.name for hit in turns[-1].labels}) == counted
