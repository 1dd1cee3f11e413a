"""The tension curve of one call: a decaying sum of named terms, each pointing at the turn that caused it.

The tension is pulled towards the level of each customer turn, quickly upwards and slowly downwards (an
asymmetric exponential average), so that one late outburst is not averaged away and one calm word does not end
a quarrel. Agents earn credit as a share of what is there. Every pull is kept as a term with its cause; terms
shrink together by half-life, so at any time they still add up to the curve.
"""

from __future__ import annotations

import math
from itertools import pairwise

import msgspec

from monitor.core.events import Contribution
from monitor.core.settings import CurveSettings

LEVELS = ((0.0, 0.02), (1.0, 0.25), (2.0, 0.5), (3.0, 0.78), (4.0, 1.0))
"""Heat of a turn -> the tension at which a conversation that stays like this turn would settle."""

CALM_BELOW = 0.35
HOT_ABOVE = 0.65
"""Bands of the contract: calm below the first, hot above the second, tense between."""

_NEGLIGIBLE = 0.005
_MOST_TERMS = 48


def level_of(heat: float) -> float:
    """Tension that belongs to a turn of this heat; linear between the marks of `LEVELS`.

    >>> level_of(0.0), round(level_of(2.5), 2), level_of(4.0)
    (0.02, 0.64, 1.0)
    """
    for (low, at_low), (high, at_high) in pairwise(LEVELS):
        if heat <= high:
            return at_low + (at_high - at_low) * (max(heat, low) - low) / (high - low)
    return LEVELS[-1][1]


def band(tension: float) -> str:
    """`calm`, `tense` or `hot`."""
    return "calm" if tension < CALM_BELOW else "tense" if tension <= HOT_ABOVE else "hot"


class _Term(msgspec.Struct):
    name: str
    value: float
    segment_id: str | None


class Curve:
    """Terms in, tension out. Knows nothing of turns, labels or alerts."""

    def __init__(self, settings: CurveSettings, half_life_s: float) -> None:
        self.settings = settings
        self._half_life_s = half_life_s
        self._terms: list[_Term] = []

    def decay(self, elapsed_s: float) -> None:
        """Let `elapsed_s` seconds of attended speech time pass."""
        if elapsed_s > 0:
            factor = math.exp2(-elapsed_s / self._half_life_s)
            for term in self._terms:
                term.value *= factor
        self._merge_negligible()

    def add(self, name: str, value: float, segment_id: str | None) -> None:
        if value != 0:
            self._terms.append(_Term(name, value, segment_id))

    def rise_to(self, level: float, name: str, segment_id: str) -> None:
        """A turn of this level pulls the curve up; a curve that is higher already stays."""
        gap = level - self.tension
        if gap > 0:
            self.add(name, self.settings.rise * gap, segment_id)

    def fall_to(self, level: float, name: str, segment_id: str, extra: float = 0.0) -> None:
        """A calmer turn pulls the curve down; `extra` adds to the share taken."""
        gap = level - self.tension
        if gap < 0:
            self.add(name, min(1.0, self.settings.fall + extra) * gap, segment_id)

    def raise_by(self, share: float, name: str, segment_id: str) -> None:
        """Take `share` of the headroom that is left."""
        self.add(name, share * (1.0 - self.tension), segment_id)

    def lower_by(self, share: float, name: str, segment_id: str) -> None:
        """Take `share` off the tension that is there."""
        self.add(name, -min(share, 1.0) * self.tension, segment_id)

    @property
    def tension(self) -> float:
        return min(1.0, max(0.0, math.fsum(term.value for term in self._terms)))

    def contributions(self) -> list[Contribution]:
        """The terms behind the tension now, oldest first; they add up to it before clipping."""
        return [
            Contribution(name=term.name, value=round(term.value, 6), segment_id=term.segment_id or msgspec.UNSET)
            for term in self._terms
            if round(term.value, 6) != 0
        ]

    def _merge_negligible(self) -> None:
        """What has faded below notice goes on as one `earlier` term: memory stays bounded, the sum does not change."""
        oldest_kept = len(self._terms) - _MOST_TERMS
        faded: list[_Term] = []
        kept: list[_Term] = []
        for position, term in enumerate(self._terms):
            fades = abs(term.value) < _NEGLIGIBLE or term.segment_id is None or position < oldest_kept
            (faded if fades else kept).append(term)
        rest = math.fsum(term.value for term in faded)
        self._terms = ([_Term("earlier", rest, None)] if rest != 0 else []) + kept


def tension_of(contributions: list[Contribution]) -> float:
    """The tension that these terms add up to, clipped to [0, 1]; 6 decimals."""
    return round(min(1.0, max(0.0, math.fsum(part.value for part in contributions))), 6)
