"""Alerts that were due and did not fire at once: what was held back, why, and whether it fired after all."""

from __future__ import annotations

import msgspec

from monitor.core.events import HeldBack

_MOST = 20
"""Entries kept of one call."""


class Withheld:
    """The risk alerts that one call held back; a spell lasts from turn to turn for as long as an alert is due."""

    def __init__(self) -> None:
        self.alerts: list[HeldBack] = []
        """In the order in which they were due; a spell has one entry for each reason."""
        self._spell: list[int] = []
        self._reason: str | None = None

    def note(self, at_s: float, segment_id: str, risk: float, reason: str | None) -> None:
        """After a turn: why a due alert does not fire, or None when none is due or it fires."""
        if reason is None:
            self._spell = []
        elif reason != self._reason and len(self.alerts) < _MOST:
            self._spell = [*self._spell, len(self.alerts)]
            self.alerts.append(HeldBack("risk", at_s, segment_id, reason, risk))
        self._reason = reason

    def fired(self, at_s: float) -> None:
        """The alert fires: what waited for it was late, not lost."""
        for index in self._spell:
            self.alerts[index] = msgspec.structs.replace(self.alerts[index], fired_at_s=at_s)
        self._spell, self._reason = [], None
