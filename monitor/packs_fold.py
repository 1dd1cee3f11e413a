"""Folding: what two spellings of the same word share, with the way back to the original text.

NFKC, case, diacritics, Traditional to Simplified Chinese and apostrophes are folded character by character, so that
every folded character knows which original character it came from.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import opencc

EXTRA = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u00b4\u0060\u2032\uff07\u02b9", "'"),
    **dict(zip("đłøıħ", "dloih", strict=True)),
    "æ": "ae",
    "œ": "oe",
    "ى": "ي",
    "ة": "ه",
    "ـ": "",
    "著": "着",
    "妳": "你",
    "甚": "什",
    "畀": "俾",
    "。": ".",
    "।": ".",
    "、": ",",
    "؟": "?",
    "،": ",",
    "؛": ";",
    **{chr(code): chr(0x13A0 + code - 0x900) for code in (*range(0x900, 0x904), *range(0x93A, 0x950), 0x962, 0x963)},
    "\u0901": chr(0x13A2),
    "\u093c": "",
}
"""Folds that neither Unicode nor OpenCC makes for a single character. Sentence ends become ASCII; Devanagari vowel
signs become (Cherokee) letters, so that a word is a run of letters in every script; its nukta and its two signs for
a nasal vowel are written or not as one likes, so they make no other word."""
CJK = re.compile(r"[\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
"""Scripts written without spaces."""
CLUSTER = re.compile(r"[\u1100-\u11ff\u3099\u309a\uff9e\uff9f]")
"""Characters that only mean something together with the one before: the slow path."""
KEEP_MARKS = re.compile(r"[\u0900-\u097f\u3040-\u30ff\uac00-\ud7af]")
"""Scripts whose marks are letters, never accents."""


class Folded(NamedTuple):
    """Folded text; `starts[i]` and `ends[i]` bound the original characters behind folded character `i`."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The original span behind the folded span `start:end`."""
        return self.starts[start], self.ends[end - 1]


@cache
def _simplified(char: str) -> str:
    plain: str = _converter().convert(char)
    return plain if len(plain) == 1 else char


@cache
def _converter() -> "opencc.OpenCC":
    return opencc.OpenCC("t2s")


def _fold_cluster(cluster: str) -> str:
    out: list[str] = []
    for char in unicodedata.normalize("NFKC", cluster).casefold():
        if char in EXTRA:
            out.append(EXTRA[char])
        elif "\u3400" <= char <= "\u9fff":
            out.append(_simplified(char))
        elif KEEP_MARKS.match(char):
            out.append(char)
        else:
            for part in unicodedata.normalize("NFD", char):
                if unicodedata.category(part) not in ("Mn", "Cf"):
                    out.append(EXTRA.get(part, part))
    return "".join(out)


class _Table(dict[str, str]):
    def __missing__(self, char: str) -> str:
        folded = self[char] = _fold_cluster(char)
        return folded


_TABLE = _Table()


def _clusters(text: str) -> list[str]:
    out: list[str] = []
    for char in text:
        joins = out and (char in "\u3099\u309a\uff9e\uff9f" or "\u1160" <= char <= "\u11ff")
        if joins:
            out[-1] += char
        else:
            out.append(char)
    return out


def fold(text: str) -> Folded:
    """The folded text and its offset map.

    >>> fold("Ｎarodne Đurđe").text, fold("Straße").original(4, 6)
    ('narodne durde', (4, 5))
    """
    slow = CLUSTER.search(text) is not None
    clusters: Sequence[str] = _clusters(text) if slow else text
    parts = [_TABLE[cluster] for cluster in clusters]
    folded = "".join(parts)
    if not slow and len(folded) == len(parts) and "" not in parts:
        return Folded(folded, range(len(text)), range(1, len(text) + 1))
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for cluster, part in zip(clusters, parts, strict=True):
        here = at + len(cluster)
        if not part and ends:  # a dropped accent belongs to the letter before it
            last = starts[-1]
            for index in range(len(ends) - 1, -1, -1):
                if starts[index] != last:
                    break
                ends[index] = here
        starts.extend([at] * len(part))
        ends.extend([here] * len(part))
        at = here
    return Folded(folded, starts, ends)


def fold_text(text: str) -> str:
    """Only the folded text."""
    return fold(text).text
