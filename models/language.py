"""Guesses a turn's language: by script where the script says it, by py3langid among the languages read here otherwise.

Never a wild guess: one word, or a text without clear evidence, keeps the prior (the call's language so far). Croatian
is never taken for Bosnian or Serbian, because those are not among the candidates. Deterministic.
"""

import importlib
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

LANGUAGES: Final = ("zh", "hr", "en", "es", "de", "fr", "it", "pt", "ru", "ja", "ko", "pl", "tr", "ar", "hi")
"""Base codes; `zh` comes out as `zh-Hans` or `zh-Hant`."""
SCRIPTS: Final = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CYRILLIC": "ru",
    "ARABIC": "ar", "DEVANAGARI": "hi", "CJK": "zh", "LATIN": "latin",
}  # fmt: skip
MIN_WORDS, MIN_LETTERS = 2, 8
"""A Latin text shorter than this says nothing about its language."""
SURE, SURE_AGAINST_PRIOR = 0.5, 0.8
"""Probabilities from which a guess counts, without a prior and against one."""


class LanguageGuesser:
    """Guesses among `languages` (codes as in the corpus, e.g. `zh-Hant`, `hr`)."""

    def __init__(self, languages: Iterable[str] = LANGUAGES) -> None:
        self.languages = tuple(dict.fromkeys(code.split("-")[0] for code in languages))
        unknown = sorted(set(self.languages) - set(LANGUAGES))
        if unknown:
            raise ValueError(f"language {unknown[0]!r} is not among {', '.join(LANGUAGES)}")
        self._latin = [code for code in self.languages if code not in set(SCRIPTS.values())]

    def guess(self, text: str, prior: str | None = None) -> tuple[str | None, float]:
        """The language and a confidence in [0, 1]; `prior` with 0.0 where the text does not say.

        >>> LanguageGuesser().guess("我要投訴你們公司")
        ('zh-Hant', 1.0)
        """
        scripts = Counter(SCRIPTS.get(_script(char), "other") for char in text if char.isalpha())
        total = sum(scripts.values())
        if total == 0:
            return prior, 0.0
        if scripts["ja"] and scripts["ja"] + scripts["zh"] >= total / 2:
            return self._by_script("ja", scripts["ja"] / (scripts["ja"] + scripts["zh"]) / 2 + 0.5, prior)
        name, count = scripts.most_common(1)[0]
        if name == "latin":
            return self._by_words(text, count, prior)
        if name == "zh":
            return self._chinese(text, count / total, prior)
        return self._by_script(name, count / total, prior)

    def _by_script(self, code: str, share: float, prior: str | None) -> tuple[str | None, float]:
        return (code, round(share, 4)) if code in self.languages else (prior, 0.0)

    def _chinese(self, text: str, share: float, prior: str | None) -> tuple[str | None, float]:
        """Simplified or Traditional by the characters that only one of them has; kana was excluded before."""
        if "zh" not in self.languages or (prior == "ja" and share == 1.0 and len(text) < MIN_LETTERS):
            return prior, 0.0
        simplified, traditional = only_simplified(), only_traditional()
        hans, hant = sum(c in simplified for c in text), sum(c in traditional for c in text)
        if hans == hant:
            known = prior is not None and prior.startswith("zh")
            return (prior, 0.0) if known else ("zh-Hans", round(share / 2, 4))
        code = "zh-Hans" if hans > hant else "zh-Hant"
        return code, round(share * max(hans, hant) / (hans + hant), 4)

    def _by_words(self, text: str, letters: int, prior: str | None) -> tuple[str | None, float]:
        """Latin script: naive Bayes over byte n-grams, only with enough words, and only where it is sure."""
        if len(text.split()) < MIN_WORDS or letters < MIN_LETTERS or not self._latin:
            return prior, 0.0
        code, sure = _identifier(tuple(self._latin)).classify(text)
        sure = float(sure)
        if prior is not None and code == prior.split("-")[0]:
            return prior, round(sure, 4)
        needed = SURE if prior is None else SURE_AGAINST_PRIOR
        return (str(code), round(sure, 4)) if sure >= needed else (prior, 0.0)


def _script(char: str) -> str:
    """First word of the character's name: `LATIN`, `CJK`, `HIRAGANA` ..."""
    return unicodedata.name(char, "?").split(" ", 1)[0].split("-", 1)[0]


@cache
def _identifier(languages: tuple[str, ...]) -> Any:
    langid: Any = importlib.import_module("py3langid.langid")
    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(languages))
    return identifier


@cache
def only_simplified() -> frozenset[str]:
    """Characters that Traditional text writes otherwise."""
    return _changed_by("s2t")


@cache
def only_traditional() -> frozenset[str]:
    """Characters that Simplified text writes otherwise."""
    return _changed_by("t2s")


def _changed_by(conversion: str) -> frozenset[str]:
    import opencc

    ideographs = [chr(code) for code in range(0x4E00, 0xA000)]
    turned = opencc.OpenCC(conversion).convert("\n".join(ideographs)).split("\n")
    return frozenset(one for one, other in zip(ideographs, turned, strict=True) if one != other)
