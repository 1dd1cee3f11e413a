"""What a customer says again: near-duplicates across the turns of one call, by words and by meaning.

Words are compared as sets of content pieces (character pairs for scripts without spaces, word stems elsewhere),
meaning by the turns' embeddings, as exact integer products, so every machine agrees. A turn repeats an earlier
one when enough of the shorter one's content is in the other, or when their meanings are close and some words are
shared. What is repeated is quoted from the new turn.
"""

from __future__ import annotations

import math
import re
import unicodedata

import msgspec

from monitor.core.heard import Heard
from monitor.core.settings import RepetitionSettings

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_STOP = re.compile(r"[,.;:!?\u3002\uff0c\uff01\uff1f\u3001]")
_LEAST_PIECES = 5
_MOST_TURNS = 40
_STEM = 5


class Repeated(msgspec.Struct, frozen=True):
    """`count` turns of this customer, this one included, say it; `content` is quoted from this one."""

    count: int
    content: list[str]
    first_segment_id: str
    start: int
    end: int


class _Said(msgspec.Struct):
    segment_id: str
    pieces: frozenset[str]
    embedding: bytes
    group: int


class RepetitionFinder:
    """Remembers the last customer turns of one call (at most 40)."""

    def __init__(self, settings: RepetitionSettings) -> None:
        self._settings = settings
        self._said: list[_Said] = []
        self._counts: dict[int, int] = {}
        self._groups = 0

    def add(self, heard: Heard) -> Repeated | None:
        """Take a customer turn in; says what it repeats, if it does."""
        pieces = content_pieces(heard.turn.text)
        if len(pieces) < _LEAST_PIECES:
            return None
        match = max(
            (said for said in self._said if self._same(pieces, heard.embedding, said)),
            key=lambda said: len(pieces & said.pieces),
            default=None,
        )
        group = match.group if match is not None else self._new_group()
        self._counts[group] = self._counts.get(group, 0) + 1
        self._said = [*self._said[-(_MOST_TURNS - 1) :], _Said(heard.segment_id, pieces, heard.embedding, group)]
        if match is None:
            return None
        shared = frozenset().union(*(said.pieces for said in self._said[:-1] if said.group == group)) & pieces
        spans = _spans(heard.turn.text, shared)
        first = next(said.segment_id for said in self._said if said.group == group)
        text = heard.turn.text
        longest = sorted(spans, key=lambda span: (span[0] - span[1], span[0]))[:3]
        return Repeated(
            count=self._counts[group],
            content=[text[start:end] for start, end in sorted(longest)],
            first_segment_id=first,
            start=min(start for start, _ in spans) if spans else 0,
            end=max(end for _, end in spans) if spans else len(text),
        )

    def _new_group(self) -> int:
        self._groups += 1
        return self._groups

    def _same(self, pieces: frozenset[str], embedding: bytes, said: _Said) -> bool:
        common = len(pieces & said.pieces) / min(len(pieces), len(said.pieces))
        if common >= self._settings.overlap:
            return True
        close = cosine(embedding, said.embedding) >= self._settings.similarity
        return close and common >= self._settings.overlap / 2


def cosine(left: bytes, right: bytes) -> float:
    """Cosine of two int8 vectors; 0 where either is missing or they differ in length."""
    if not left or len(left) != len(right):
        return 0.0
    a, b = memoryview(left).cast("b"), memoryview(right).cast("b")
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    norms = sum(x * x for x in a) * sum(y * y for y in b)
    return dot / math.sqrt(norms) if norms else 0.0


def content_pieces(text: str) -> frozenset[str]:
    """Character pairs of unspaced scripts, word stems (5 letters, diacritics off) of the others.

    >>> sorted(content_pieces("Waited, waiting at home"))
    ['home', 'waite', 'waiti']
    """
    return frozenset(piece for piece, _, _ in _pieces(text))


def _pieces(text: str) -> list[tuple[str, int, int]]:
    found: list[tuple[str, int, int]] = []
    for word in _WORD.finditer(text):
        token = word.group().casefold()
        if _UNSPACED.search(token):
            found += [(token[i : i + 2], word.start() + i, word.start() + i + 2) for i in range(len(token) - 1)]
        elif len(token) > 3:
            plain = "".join(c for c in unicodedata.normalize("NFD", token) if not unicodedata.combining(c))
            found.append((plain[:_STEM], word.start(), word.end()))
    return found


def _spans(text: str, shared: frozenset[str]) -> list[tuple[int, int]]:
    """Runs of the text that are covered by shared pieces, joined where they touch or only a short word lies between."""
    spans: list[tuple[int, int]] = []
    for piece, start, end in _pieces(text):
        if piece not in shared:
            continue
        if spans and (start <= spans[-1][1] or _short_gap(text[spans[-1][1] : start])):
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _short_gap(between: str) -> bool:
    return len(between) <= 5 and _STOP.search(between) is None and _UNSPACED.search(between) is None
