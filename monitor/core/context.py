"""What the scorer needs to know beside the turn itself: the other party's last turn, earlier turns, the language."""

from __future__ import annotations

from collections.abc import Callable

from models.labels import scored_role
from models.types import ScoreInput
from monitor.core.legible import is_gibberish, one_letter_only
from stream.assembler import Utterance

Guess = Callable[[str, str | None], str | None]
"""(text, the call's language so far) -> the turn's language, or None."""

_CONTEXT_CHARS = 400
LEAST_CONFIDENCE = 0.4
"""Transcription confidence under which a turn is not trusted."""

_SCRIPTS = {
    "zh-cn": "zh-Hans",
    "zh-sg": "zh-Hans",
    "zh-tw": "zh-Hant",
    "zh-hk": "zh-Hant",
    "zh-mo": "zh-Hant",
}


def language_code(code: str | None) -> str | None:
    """The label guide's code for a BCP 47 tag of any source.

    >>> language_code("hr-HR"), language_code("zh_TW"), language_code("zh-hans-CN"), language_code("")
    ('hr', 'zh-Hant', 'zh-Hans', None)
    """
    if code is None or not code.strip():
        return None
    tag = code.strip().replace("_", "-").lower()
    if tag.startswith(("zh-hant", "yue")):
        return "zh-Hant"
    if tag.startswith(("zh-hans", "cmn-hans")):
        return "zh-Hans"
    return _SCRIPTS.get(tag, tag.split("-")[0])


class Context:
    """Follows the turns of one call in order and words the question to the scorer.

    Of earlier turns the model gets the other party's last one and, for a customer, their own last one: more was
    measured to add nothing to the labels and to take a third of the time.
    """

    def __init__(self, guess: Guess, supported: frozenset[str]) -> None:
        self._guess = guess
        self._supported = supported
        self._prior: str | None = None
        self._told = False
        """Did the call's start name the language?"""
        self._channel = "voice"
        self._last: dict[bool, str] = {}
        self._before: str | None = None

    def start(self, channel: str, language: str | None) -> None:
        self._channel, self._prior = channel, language_code(language)
        self._told = self._prior is not None

    def take(self, turn: Utterance) -> tuple[ScoreInput | None, str | None, str | None]:
        """The scorer's input (None where the turn must not be scored), the language, and why it abstains."""
        unknown = not self._told and language_code(turn.language) is None and is_gibberish(turn.text)
        language = self._prior if unknown else self._language(turn)
        is_customer = scored_role(turn.role) == "customer"
        item = ScoreInput(
            text=turn.text,
            role=turn.role,
            prev=self._last.get(not is_customer),
            history=(self._before,) if is_customer and self._before is not None else (),
            language=language,
            channel=self._channel,
        )
        if is_customer:
            self._before = turn.text[:_CONTEXT_CHARS]
        self._last[is_customer] = turn.text[:_CONTEXT_CHARS]
        if language is not None and language not in self._supported:
            return None, language, "unsupported_language"
        if one_letter_only(turn.text):
            return None, language, "too_little_text"
        if unknown:
            return None, language, "unknown_language"
        if turn.confidence is not None and turn.confidence < LEAST_CONFIDENCE:
            return None, language, "low_confidence"
        return item, language, None

    def _language(self, turn: Utterance) -> str | None:
        """The source's word first; then a guess that leans on the call's language."""
        stated = language_code(turn.language)
        if stated == "zh":
            stated = self._guess(turn.text, "zh-Hans") or "zh-Hans"
        language = stated if stated is not None else self._guess(turn.text, self._prior)
        if self._prior is None:
            self._prior = language
        return language
