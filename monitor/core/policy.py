"""When risk becomes an alert: hysteresis, hold, cooldown. A policy sees numbers and times, never words."""

from __future__ import annotations

from typing import Literal

from monitor.core.settings import PolicySettings

Decision = Literal["fire", "recover", "none"]


class HysteresisPolicy:
    """Fires when risk has stayed at `enter_at` for `hold_for_s`, lets go when calm has held for `resolve_after_s`."""

    def __init__(self, settings: PolicySettings) -> None:
        self._settings = settings
        self._firing = False
        self._above_since_s: float | None = None
        self._calm_since_s: float | None = None
        self._cooled_at_s = 0.0

    def observe(self, at_s: float, risk: float, calm: bool, relapse: bool) -> Decision:
        """Take the state of the call at `at_s`; `calm` says that curve and stage are calm."""
        if relapse:
            self._cooled_at_s = at_s
        self._above_since_s = (self._first(self._above_since_s, at_s)) if risk >= self._settings.enter_at else None
        quiet = calm and risk < self._settings.exit_at
        self._calm_since_s = self._first(self._calm_since_s, at_s) if quiet else None
        return self.tick(at_s)

    def tick(self, at_s: float) -> Decision:
        """The same question at a later time, with nothing new heard."""
        settings = self._settings
        if self._firing:
            since = self._calm_since_s
            if since is not None and at_s >= since + settings.resolve_after_s:
                self.released(at_s)
                return "recover"
            return "none"
        above = self._above_since_s
        if above is not None and at_s >= above + settings.hold_for_s and at_s >= self._cooled_at_s:
            self._firing = True
            return "fire"
        return "none"

    def released(self, at_s: float) -> None:
        """The alert is over (recovered, or a person resolved it): the cooldown begins, and only what is heard
        from now on counts."""
        self._firing, self._above_since_s = False, None
        self._cooled_at_s = at_s + self._settings.cooldown_s

    @property
    def wake_s(self) -> float | None:
        """When `tick` would decide something although nothing new is heard."""
        if self._firing:
            return None if self._calm_since_s is None else self._calm_since_s + self._settings.resolve_after_s
        if self._above_since_s is None:
            return None
        return max(self._above_since_s + self._settings.hold_for_s, self._cooled_at_s)

    @staticmethod
    def _first(since_s: float | None, at_s: float) -> float:
        return at_s if since_s is None else since_s
