"""The words on the screens: complete in every language, short, and filled as the code fills them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from monitor.texts import (
    PROMPT_LANGUAGES,
    PROMPT_SLOTS,
    REASON_LANGUAGES,
    REASONS,
    SITUATIONS,
    TextError,
    Texts,
)

CONFIGS = Path(__file__).parents[2] / "configs"
FILES = [
    (str(path.relative_to(CONFIGS)), path.read_text(encoding="utf-8"))
    for folder in ("prompts", "reasons")
    for path in sorted((CONFIGS / folder).glob("*.toml"))
]
FILLED = {"point": "the invoice", "issue": "a late parcel", "customer": "Ana"}
WORDS, CHARACTERS, WORDINGS, TRIES = 12, 24, 3, 24
CJK = re.compile(r"[\u3400-\u9fff]")
SLOT = re.compile(r"\{(\w*)\}")

EMOTIONS = "anger disgust fear sadness surprise joy heat"
CUES = (
    "threat_complaint threat_regulator threat_media threat_legal self_harm threat_violence emergency ask_superior "
    "churn insult urgency repeat_contact repetition bounced exaggeration avoidance compensation_demand extreme_demand "
    "insists_reason prior_doubt grievance hardship loyalty resigned sarcasm blocked cooperates eased"
)
MOVES = (
    "listen empathise reassure own clarify restate solve alternatives customer_view lead_back set_expectation "
    "hold_boundary appreciate promise_inquiry announce_escalation warm_transfer stock_apology confront taboo "
    "disbelieve deflect defend judge helpless hesitate rush_close overpromise cold_transfer procedure_only miss_emotion"
)
STEPS = (
    "m01_introduce m02_empathise m03_confirm_issue m04_explain_process m05_ask_details m06_set_expectation "
    "m07_reassure_apologise m08_confirm_contact m09_thank m10_wrap_up m11_document m12_reference_number m13_gratitude "
    "m14_next_steps m15_closing m16_farewell"
)
ALERTS = (
    "risk must_report safety escalation_request relapse agent_conduct silence unsatisfied_close info warning critical"
)
LABELS = " ".join((EMOTIONS, CUES, MOVES, STEPS, ALERTS)).split()
SMALL = [
    (
        "prompts/en.toml",
        '[listen]\ntexts = ["Say {point}.", "one", "two", "{customer}, {point}."]\n[care]\ntexts = ["c"]',
    ),
    ("prompts/hr.toml", '[listen]\ntexts = ["jedan", "dva"]'),
    ("reasons/en.toml", '[reasons]\nsilence = "{seconds} s"\nended = "over"\n[labels]\nanger = "anger"'),
    ("reasons/hr.toml", '[reasons]\nsilence = "već {seconds} s"\n[labels]\nanger = "ljutnja"'),
]


@pytest.fixture(scope="module")
def texts() -> Texts:
    return Texts.load(FILES)


@pytest.fixture(scope="module")
def small() -> Texts:
    return Texts.load(SMALL)


def wordings(texts: Texts, situation: str, language: str, slots: dict[str, str]) -> list[str]:
    """The different wordings as the agent would see them, in turn."""
    shown = [texts.prompt(situation, language, nth, slots) for nth in range(TRIES)]
    assert {code for _, code in shown} == {language}
    return list(dict.fromkeys(text for text, _ in shown))


def kept(name: str) -> str:
    return "{" + name + "}"


AS_WRITTEN = {name: kept(name) for name in PROMPT_SLOTS}
"""Every slot filled with itself: the wording as it stands in the file."""


def test_nothing_to_mend_in_the_texts_that_ship(texts: Texts) -> None:
    assert texts.lint() == []


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("language", PROMPT_LANGUAGES)
def test_prompts_are_complete_short_and_varied(texts: Texts, language: str, situation: str) -> None:
    written = wordings(texts, situation, language, AS_WRITTEN)
    assert len(written) >= WORDINGS
    for text in written:
        assert set(SLOT.findall(text)) <= PROMPT_SLOTS, text
        assert text == text.strip()
        if language.startswith("zh"):
            assert CJK.search(text), text
            assert len(text) <= CHARACTERS, text
        else:
            assert not CJK.search(text), text
            assert len(text.split()) <= WORDS, text
    bare = wordings(texts, situation, language, {})
    assert bare == [text for text in written if not SLOT.search(text)]
    assert len(bare) >= WORDINGS - 1
    for text in wordings(texts, situation, language, FILLED):
        assert "{" not in text
        assert "}" not in text


@pytest.mark.parametrize("language", PROMPT_LANGUAGES)
def test_a_repeated_point_is_quoted(texts: Texts, language: str) -> None:
    text, _ = texts.prompt("repeated_point", language, 0, {"point": "4711"})
    assert "4711" in text


@pytest.mark.parametrize("language", PROMPT_LANGUAGES)
def test_no_wording_serves_two_situations(texts: Texts, language: str) -> None:
    every = [text for situation in SITUATIONS for text in wordings(texts, situation, language, AS_WRITTEN)]
    assert len(every) == len(set(every))


def test_the_two_chinese_scripts_are_written_apart(texts: Texts) -> None:
    def all_in(language: str) -> str:
        return "".join("".join(wordings(texts, situation, language, AS_WRITTEN)) for situation in SITUATIONS)

    simplified, traditional = all_in("zh-Hans"), all_in("zh-Hant")
    assert not set("這個說話聽還沒") & set(simplified)
    assert not set("这个说话听还没") & set(traditional)
    assert "「" not in simplified
    assert "“" not in traditional


@pytest.mark.parametrize("language", REASON_LANGUAGES)
def test_every_reason_is_one_sentence_with_the_slots_of_the_code(texts: Texts, language: str) -> None:
    for kind, slots in REASONS.items():
        written = texts.reason(kind, language, {name: kept(name) for name in slots})
        assert set(SLOT.findall(written)) == slots, (language, kind)
        assert written.endswith("。" if language.startswith("zh") else "."), (language, kind)
        assert bool(CJK.search(written)) == language.startswith("zh"), (language, kind)
        if language != "en":
            assert written != texts.reason(kind, "en", {name: kept(name) for name in slots})


def test_recovered_says_so(texts: Texts) -> None:
    assert "Recovered" in texts.reason("recovered", "en", {})


@pytest.mark.parametrize("language", REASON_LANGUAGES)
def test_every_label_has_a_short_name(texts: Texts, language: str) -> None:
    own = tomllib.loads(dict(FILES)[f"reasons/{language}.toml"])["labels"]
    assert set(LABELS) <= own.keys()
    for label in LABELS:
        name = texts.label(label, language)
        assert name == own[label]
        assert name, label
        assert "_" not in name, label
        if language.startswith("zh"):
            assert CJK.search(name), label
            assert len(name) <= 10, label
        else:
            assert not CJK.search(name), label
            assert len(name.split()) <= 5, label


def test_all_languages_name_the_same_things() -> None:
    names = [set(tomllib.loads(text)["labels"]) for file, text in FILES if file.startswith("reasons/")]
    kinds = [set(tomllib.loads(text)["reasons"]) for file, text in FILES if file.startswith("reasons/")]
    assert len(names) == len(REASON_LANGUAGES)
    assert all(each == names[0] for each in names)
    assert all(each == set(REASONS) for each in kinds)


def test_the_nth_prompt_goes_round(small: Texts) -> None:
    slots = {"point": "the fee", "customer": "Ana"}
    shown = [small.prompt("listen", "en", nth, slots)[0] for nth in range(6)]
    assert shown == ["Say the fee.", "one", "two", "Ana, the fee.", "Say the fee.", "one"]


@pytest.mark.parametrize("slots", [{}, {"customer": "Ana"}, {"point": "", "customer": "Ana"}])
def test_wordings_without_their_slots_are_passed_over(small: Texts, slots: dict[str, str]) -> None:
    assert [small.prompt("listen", "en", nth, slots)[0] for nth in range(4)] == ["one", "two", "one", "two"]


def test_what_the_customer_said_is_never_filled_again(small: Texts) -> None:
    said = small.prompt("listen", "en", 0, {"point": "{customer} {0}", "customer": "Ana"})
    assert said == ("Say {customer} {0}.", "en")


@pytest.mark.parametrize("language", ["fr", "", None])
def test_an_unknown_language_falls_back_to_english(small: Texts, language: str | None) -> None:
    assert small.prompt("listen", language, 0, {}) == ("one", "en")
    assert small.reason("silence", language, {"seconds": 9}) == "9 s"
    assert small.label("anger", language) == "anger"


def test_a_missing_entry_falls_back_to_english(small: Texts) -> None:
    assert small.prompt("listen", "hr", 1, {}) == ("dva", "hr")
    assert small.prompt("care", "hr", 1, {}) == ("c", "en")
    assert small.reason("silence", "hr", {"seconds": 9}) == "već 9 s"
    assert small.reason("ended", "hr", {}) == "over"
    assert small.label("anger", "hr") == "ljutnja"
    assert small.label("threat_media", "hr") == "threat media"


def test_an_unknown_situation_is_an_error(small: Texts) -> None:
    with pytest.raises(KeyError, match="no_such"):
        small.prompt("no_such", "en", 0, {})


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("prompts/en.toml", "[listen\n"),
        ("prompts/en.toml", "listen = 3"),
        ("prompts/en.toml", "[listen]\ntexts = [1]"),
        ("prompts/en.toml", '[listen]\ntext = ["one"]'),
        ("reasons/en.toml", '[reasons]\nended = "over"'),
        ("reasons/en.toml", "[reasons]\nended = 1\n[labels]"),
        ("reasons/en.toml", "[reasons]\n[labels]\n[more]"),
        ("other/en.toml", ""),
    ],
)
def test_a_broken_file_is_named(file: str, text: str) -> None:
    with pytest.raises(TextError) as caught:
        Texts.load([(file, text)])
    assert caught.value.file == file
    assert caught.value.mend
    assert str(caught.value).startswith(file)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('[listen]\ntexts = ["a", "b", "b"]', "2 wordings"),
        ('[listen]\ntexts = ["{point} a", "{point} b", "{issue} c"]', "every wording has a slot"),
        ('[listen]\ntexts = ["a", "b", "{name}"]', "unknown slot"),
        ('[listen]\ntexts = ["a", "b", "1 2 3 4 5 6 7 8 9 10 11 12 13"]', "too long"),
        (f'[listen]\ntexts = ["a", "b", "{"字" * 25}"]', "too long"),
        ('[dance]\ntexts = ["a", "b", "c"]', "unknown situation"),
    ],
)
def test_lint_says_what_to_mend(entry: str, message: str) -> None:
    others = [(file, text) for file, text in FILES if file != "prompts/de.toml"]
    problems = Texts.load([*others, ("prompts/de.toml", entry)]).lint()
    found = [problem for problem in problems if problem.message.startswith(message)]
    assert found
    assert {problem.file for problem in problems} == {"prompts/de.toml"}
    assert all(problem.hint for problem in problems)


def test_lint_misses_a_whole_language() -> None:
    left = [(file, text) for file, text in FILES if file not in ("prompts/es.toml", "reasons/hr.toml")]
    problems = Texts.load(left).lint()
    assert [(problem.file, problem.message) for problem in problems] == [
        ("prompts/es.toml", "missing"),
        ("reasons/hr.toml", "missing"),
    ]


def test_the_version_tells_texts_apart(texts: Texts) -> None:
    assert Texts.load(reversed(FILES)).version == texts.version
    assert Texts.load(FILES[1:]).version != texts.version
