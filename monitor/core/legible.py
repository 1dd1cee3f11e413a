"""Whether there are words in a text at all: key mashing and alphabets that nobody here reads say nothing.

Doubt speaks for the text. What is asked is never whether a word exists, only whether one could.
"""

from __future__ import annotations

import re
import unicodedata

from models.language import SCRIPTS

_ALPHABETS = frozenset({"LATIN", "CYRILLIC"})
"""Scripts in which one letter again and again is no word; elsewhere it may be one, or a laugh (好好好, ههه)."""
_LEAST_REPEATED = 3
_WORD = re.compile(r"[^\W\d_]+")
_VOWELS = frozenset("aeiouyræøœı")
"""With the consonant that carries a syllable alone: Croatian prst, vrt, smrt."""
_CONSONANTS_AT_ONCE = re.compile(r"[bcdfghjkmnpqstvwxz]{5}")
_Q_WITHOUT_U = re.compile(r"q[bcdefghjklmnopqrstvwxyz]")
_ROWS = ("qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "qsdfghjklm", "zxcvbnm", "yxcvbnm", "wxcvbn")
_ROWS_BOTH_WAYS = _ROWS + tuple(row[::-1] for row in _ROWS)
_LEAST_ON_A_ROW = 4
"""Letters side by side on a keyboard that are no word; three may be one: wer, tre, poi."""


def one_letter_only(text: str) -> bool:
    """Is it one letter of an alphabet, three times or more, and nothing else that could be read?

    >>> one_letter_only("Aaaa aaa!"), one_letter_only("ok"), one_letter_only("哈哈哈"), one_letter_only("AAA 4")
    (True, False, False, False)
    """
    read = [char for char in text.casefold() if char.isalnum()]
    return len(read) >= _LEAST_REPEATED and len(set(read)) == 1 and _script(read[0]) in _ALPHABETS


def is_gibberish(text: str) -> bool:
    """Are there letters, but no word that could be one of a language that is read here? Numbers are always read.

    >>> [is_gibberish(text) for text in ("asdf sdkfjh", "no!", "Smrt!", "GB 77", "...")]
    [True, False, False, False, False]
    """
    words = _WORD.findall(text)
    return bool(words) and not any(char.isdigit() for char in text) and not any(map(_could_be_word, words))


def _could_be_word(word: str) -> bool:
    script = _script(word[0])
    if script != "LATIN":
        return script in SCRIPTS or word[0].isascii()
    plain = "".join(char for char in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(char))
    if len(set(plain)) == 1 and len(plain) >= _LEAST_REPEATED:
        return False
    if not _VOWELS & set(plain) or _CONSONANTS_AT_ONCE.search(plain) or _Q_WITHOUT_U.search(plain):
        return False
    return len(plain) < _LEAST_ON_A_ROW or not any(plain in row for row in _ROWS_BOTH_WAYS)


def _script(char: str) -> str:
    """First word of the character's name: `LATIN`, `CJK`, `GREEK` ..."""
    return unicodedata.name(char, "?").split(" ", 1)[0].split("-", 1)[0]
