"""What the customer seems to want, corrected as the call goes on; and who speaks into whose words."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.events import Call, Point, Prompt, Turn
from monitor.core.rules import Rules
from monitor.core.wanting import _MOST, WANTS, WantTracker
from stream.messages import CallEnd
from tests.monitor.core.calls import CALL, Conversation, agent, conversation, customer, heard, play, said, start
from tests.monitor.core.scenes import CUE_WORDS, FAILING_WORDS, UPSET, each, of, points, told

SAID = {
    "en": ("I rang twice last week.", "Then pay me for the three days.", "Just get me your manager."),
    "zh-Hant": ("我上週打了兩次。", "那就賠我三天的錢。", "叫你們主管來。"),
}


def call_of(language: str) -> Conversation:
    again, money, boss = SAID[language]
    return conversation(
        language,
        customer("...", 0.2),
        customer(again, 2.0, "repeat_contact"),
        agent("..."),
        customer(money, 2.5, "compensation_demand"),
        agent("..."),
        customer(boss, 3.0, "ask_superior"),
        agent("..."),
        customer("...", 1.0),
        end="hangup",
    )


@pytest.mark.parametrize("language", SAID)
def test_the_hypothesis_is_corrected_during_the_call(ears_only: Rules, language: str) -> None:
    call = call_of(language)
    wants = [point.wants for point in points(ears_only, call)]
    assert wants[0] is msgspec.UNSET
    assert list(dict.fromkeys(wants[1:])) == ["a_fix_that_lasts", "compensation", "someone_in_charge"]
    assert wants[-1] == "someone_in_charge", "what was said last stands until something else is said"
    end = of(told(ears_only, call), Call)[-1]
    history = end.wants
    assert isinstance(history, list)
    assert [one.want for one in history] == ["a_fix_that_lasts", "compensation", "someone_in_charge"]
    assert [one.quote for one in history] == list(SAID[language])
    assert [one.label for one in history] == ["repeat_contact", "compensation_demand", "ask_superior"]


def test_every_want_is_heard_from_cues_in_two_languages(ears_only: Rules) -> None:
    speaks = {cue: want for want, cues in WANTS.items() for cue in cues}
    found: dict[str, set[str]] = {want: set() for want in WANTS}
    for cue, language, words in each(CUE_WORDS):
        if cue in speaks and cue != "repetition":
            (point,) = points(ears_only, conversation(language, customer(words, 2.0, cue)))
            assert point.wants == speaks[cue]
            found[speaks[cue]].add(language)
    assert all(len(languages) >= 2 for want, languages in found.items() if want != "safety")


def test_a_calm_call_has_no_hypothesis(ears_only: Rules) -> None:
    events = told(ears_only, conversation("en", customer("Hello."), agent("Hi."), customer("Thanks."), end="hangup"))
    assert {point.wants for point in of(events, Point)} == {msgspec.UNSET}
    assert of(events, Call)[-1].wants is msgspec.UNSET


@settings(max_examples=30)
@given(cues=st.lists(st.sampled_from(sorted(CUE_WORDS)), max_size=60))
def test_its_history_is_bounded(ears_only: Rules, cues: list[str]) -> None:
    call = conversation("en", *(customer("...", 2.0, cue) for cue in cues), end="hangup")
    history = of(told(ears_only, call), Call)[-1].wants
    assert history is msgspec.UNSET or len(history) <= _MOST
    assert WantTracker().current is None


WORDS = {
    "en": ("Sir, our terms are quite clear about that.", "Mhm, go on."),
    "hr": ("Gospodine, uvjeti su tu jasni.", "Da, da."),
}


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize(
    ("agent_s", "bare", "channel", "cut_in"),
    [
        ((8.0, 11.0), False, "voice", True),
        ((4.0, 6.0), False, "voice", True),
        ((8.0, 9.0), True, "voice", False),
        ((10.2, 13.0), False, "voice", False),
        ((9.8, 13.0), False, "voice", False),
        ((8.0, 11.0), False, "chat", False),
    ],
    ids=["cuts the end off", "in the middle", "listens", "afterwards", "half a breath", "written"],
)
def test_speaking_into_the_customers_words(
    ears_only: Rules, language: str, agent_s: tuple[float, float], bare: bool, channel: str, cut_in: bool
) -> None:
    """The customer vents from 2 s to 10 s; the agent speaks at the times given."""
    records = [
        start(language, channel),
        said(0, "customer", UPSET[language], 2.0, 10.0),
        said(1, "agent", WORDS[language][bare], *agent_s),
        CallEnd(call_id=CALL, at_s=30.0, reason="hangup"),
    ]
    events = play(ears_only, records, {"0": heard(3.0, anger=0.9)})
    assert [turn.interrupted is True for turn in of(events, Turn)].count(True) == cut_in
    interruptions = of(events, Call)[-1].interruptions
    assert interruptions == (1 if cut_in else msgspec.UNSET)


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("heat", [3.0, 0.3])
def test_the_agent_is_asked_to_listen_while_the_customer_vents(ears_only: Rules, language: str, heat: float) -> None:
    """Not at once after another hint, and not in a call that is calm."""
    records = [
        start(language),
        said(0, "customer", UPSET[language], 2.0, 40.0),
        said(1, "agent", WORDS[language][0], 35.0, 61.0),
    ]
    prompts = of(play(ears_only, records, {"0": heard(heat, anger=heat / 4)}), Prompt)
    shown = [(prompt.situation, prompt.because, prompt.at_s) for prompt in prompts]
    venting = [("listen", ["heat"], 40.0), ("listen", ["interruption"], 61.0)]
    assert shown == (venting if heat > 2 else [])
    assert len({prompt.text for prompt in prompts}) == len(prompts), "the same again in other words"


def test_a_failing_wording_is_the_better_hint(ears_only: Rules) -> None:
    """Who both interrupts and dares the customer is helped with the wording, not twice."""
    records = [
        start(),
        said(0, "customer", UPSET["en"], 2.0, 40.0),
        said(1, "agent", FAILING_WORDS["taboo"]["es"], 35.0, 61.0),
    ]
    events = play(ears_only, records, {"0": heard(3.0, anger=0.9), "1": heard(None, "taboo")})
    assert [prompt.because for prompt in of(events, Prompt)] == [["heat"], ["taboo"]]
