"""Key mashing, single letters and unread alphabets move nothing; short plain words do."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from monitor.core.events import Point, Turn
from monitor.core.legible import is_gibberish, one_letter_only
from monitor.core.rules import Rules
from stream.messages import CallStart
from tests.monitor.core.calls import CALL, heard, of_type, play, said, start

CORPUS = Path(__file__).parents[3] / "models" / "corpus" / "utterances"
BOILING = heard(3.9, "insult", anger=0.95)
MASHED = [
    "asdf qwer zxcv", "sdfghjkl", "asdfghjkl qwertyuiop", "jfkdls jfkdsl", "aksjdhaksjd haskjdh", "wqeqwe",
    "lkjhg poiuy!!", "Καλημέρα σας τι κάνετε", "สวัสดีครับ",
]  # fmt: skip
PLAIN = [
    "ok", "no!", "No.", "Unacceptable!", "were", "tree", "Smrt!", "Krv", "Iraq?", "nein", "好", "嗯嗯嗯", "哈哈哈",
    "da", "はい", "네", "да", "हाँ", "ههههه", "GB7719204", "Angst", "I", "...", "42",
]  # fmt: skip


def heard_in(rules: Rules, opening: CallStart, text: str, language: str | None = None) -> tuple[Turn, Point]:
    message = msgspec.structs.replace(said(0, "customer", text, 0.0), language=language)
    out = play(rules, [opening, message], {"0": BOILING})
    (turn,), (point,) = of_type(out, Turn), of_type(out, Point)
    assert isinstance(turn, Turn)
    assert isinstance(point, Point)
    return turn, point


@pytest.mark.parametrize("text", ["aaaaaaaa", "Aaa aaa!!", "xxx", "хххх"])
@pytest.mark.parametrize("language", [None, "en"])
def test_one_letter_again_and_again_is_too_little_text_in_any_call(
    rules: Rules, text: str, language: str | None
) -> None:
    turn, point = heard_in(rules, CallStart(call_id=CALL, language=language), text)
    assert (turn.abstained, point.degraded) == ("too_little_text", "too_little_text")
    assert (point.tension, point.contributions) == (0.0, [])


@pytest.mark.parametrize("text", MASHED)
def test_what_is_no_language_moves_nothing_where_none_was_stated(rules: Rules, text: str) -> None:
    turn, point = heard_in(rules, CallStart(call_id=CALL), text)
    assert (turn.abstained, turn.language) == ("unknown_language", None)
    assert (point.tension, point.contributions) == (0.0, [])


def test_what_is_no_language_says_nothing_about_the_calls_language(rules: Rules) -> None:
    records = [CallStart(call_id=CALL), said(0, "customer", "xkcd qwrtp zzzzz", 0.0), said(1, "customer", "ok", 5.0)]
    turns = of_type(play(rules, records, {}), Turn)
    assert [(turn.language, turn.abstained) for turn in turns if isinstance(turn, Turn)] == [
        (None, "unknown_language"),
        (None, None),
    ]


@pytest.mark.parametrize("text", [text for text in PLAIN if any(char.isalpha() for char in text)])
def test_short_plain_words_are_heard_stated_language_or_not(rules: Rules, text: str) -> None:
    for opening in (CallStart(call_id=CALL), start("en")):
        turn, point = heard_in(rules, opening, text)
        assert turn.abstained is None
        assert point.tension > 0.0


def test_a_stated_language_is_believed(rules: Rules) -> None:
    assert heard_in(rules, start("en"), "nvm pls")[0].abstained is None
    assert heard_in(rules, CallStart(call_id=CALL), "nvm pls", language="en")[0].abstained is None


@pytest.mark.parametrize("text", PLAIN)
def test_plain_words_are_no_gibberish(text: str) -> None:
    assert not is_gibberish(text)
    assert not one_letter_only(text)


def test_hardly_a_real_turn_is_taken_for_gibberish() -> None:
    texts = [
        json.loads(line)["text"]
        for path in sorted(CORPUS.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    missed = [text for text in texts if is_gibberish(text) or one_letter_only(text)]
    assert len(texts) > 10_000
    assert len(missed) < len(texts) / 1000, missed[:20]
