"""The three stages of a heated call (vent, disarm, calm) and its turning points.

After the de-escalation course behind the label guide: people first vent, are then disarmed by being heard, and
calm down; when a solution falls through they go back to venting (a relapse).
"""

from __future__ import annotations

import msgspec

from monitor.core.heard import Heard
from monitor.core.settings import StageSettings

SOFTENING = frozenset({"cooperates", "eased"})
STILL_HOT = frozenset({"sarcasm", "insult", "resigned", "blocked"})
"""Cues with which a turn that sounds mild is not a softening."""


class Turned(msgspec.Struct, frozen=True):
    """A turning point that a customer turn brought."""

    kind: str
    because: list[str]
    since_segment_id: str | None = None


class StageTracker:
    """Follows customer turns and the tension before and after them."""

    def __init__(self, settings: StageSettings) -> None:
        self._settings = settings
        self.stage = "calm"
        self.vented = False
        self.relapses = 0
        self._soft_turns = 0
        self._tension_at_last_turn = 0.0
        self._calming: str | None = None
        self._agent_helped: list[str] = []

    def upset(self, heard: Heard) -> bool:
        """Is this customer turn upset, whether loud or cold?"""
        return heard.known and (heard.heat >= self._settings.upset_heat or "sarcasm" in heard.labels)

    def softened(self, heard: Heard) -> bool:
        return heard.known and not self.upset(heard) and not heard.holding(STILL_HOT)

    def agent_turn(self, helpful: list[str]) -> None:
        self._agent_helped.extend(helpful)

    def customer_turn(self, heard: Heard, tension: float) -> tuple[str | None, Turned | None]:
        """The stage left (None when it stays) and the turning point, if this turn is one."""
        before = self.stage
        turned = self._turning_point(heard, tension)
        if self.upset(heard):
            self.stage, self.vented, self._soft_turns = "vent", True, 0
        elif self.softened(heard):
            self._soften(heard, tension)
        self._tension_at_last_turn = tension
        if heard.known:
            self._agent_helped = []
        return (before if before != self.stage else None), turned

    def _soften(self, heard: Heard, tension: float) -> None:
        self._soft_turns += 1
        if self.stage == "vent" and (self._agent_helped or heard.holding(SOFTENING) or self._soft_turns >= 2):
            self.stage = "disarm"
        elif self.stage == "disarm" and tension < self._settings.calm_below:
            self.stage = "calm"

    def _turning_point(self, heard: Heard, tension: float) -> Turned | None:
        change = tension - self._tension_at_last_turn
        step = self._settings.pivot_step
        because = list(heard.labels)[:4] or [name for name, p in heard.emotions.items() if p >= 0.5]
        if self.upset(heard) and self._calming is not None:
            since, self._calming = self._calming, None
            self.relapses += 1
            return Turned("relapse", because or ["heat"], since)
        if self.upset(heard) and change >= step:
            return Turned("intensified", because or ["heat"])
        if self.softened(heard) and self.vented and change <= -step:
            self._calming = heard.segment_id
            return Turned("eased", [*self._agent_helped[:3], *heard.holding(SOFTENING)] or ["calmer"])
        if self.softened(heard) and self.vented and heard.holding(SOFTENING) and self._calming is None:
            self._calming = heard.segment_id
        return None
