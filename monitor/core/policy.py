"""When risk becomes an alert: hysteresis, hold, cooldown, and patience while recovery is likely.

A policy sees numbers and times, never words.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.core.settings import PolicySettings

Decision = Literal["fire", "recover", "none"]
HeldBack = Literal["hold", "cooldown", "deferred"]


class Reading(msgspec.Struct, frozen=True):
    """What a policy learns of the call after a turn."""

    risk: float
    calm: bool = False
    """Curve and stage are calm."""
    relapse: bool = False
    recovering: bool = False
    """The agent has helped since the last upset turn, or tension falls from one customer turn to the next."""


class HysteresisPolicy:
    """Fires when risk has stayed at `enter_at` for `hold_for_s`, lets go when calm has held for `resolve_after_s`."""

    def __init__(self, settings: PolicySettings) -> None:
        self._settings = settings
        self._firing = False
        self._above_since_s: float | None = None
        self._calm_since_s: float | None = None
        self._cooled_at_s = 0.0

    def observe(self, at_s: float, reading: Reading) -> Decision:
        """Take the state of the call at `at_s`."""
        if reading.relapse:
            self._cooled_at_s = at_s
        above = reading.risk >= self._settings.enter_at
        self._above_since_s = self._first(self._above_since_s, at_s) if above else None
        quiet = reading.calm and reading.risk < self._settings.exit_at
        self._calm_since_s = self._first(self._calm_since_s, at_s) if quiet else None
        return self.tick(at_s)

    def tick(self, at_s: float) -> Decision:
        """The same question at a later time, with nothing new heard."""
        if self._firing:
            since = self._calm_since_s
            if since is not None and at_s >= since + self._settings.resolve_after_s:
                self.released(at_s)
                return "recover"
            return "none"
        due_s = self._due_s
        if due_s is not None and at_s >= due_s:
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
        return self._due_s

    def held_back(self, at_s: float) -> HeldBack | None:
        """Why nothing fires although risk is at `enter_at`; None when it fires or risk is lower."""
        held_s = self._held_s
        if self._firing or held_s is None:
            return None
        if at_s < self._cooled_at_s:
            return "cooldown"
        return "hold" if at_s < held_s else "deferred"

    @property
    def _held_s(self) -> float | None:
        """When risk will have stayed at `enter_at` long enough; None while it is lower."""
        return None if self._above_since_s is None else self._above_since_s + self._settings.hold_for_s

    @property
    def _due_s(self) -> float | None:
        """When the alert fires if nothing changes; None while risk is lower than `enter_at`."""
        return None if self._held_s is None else max(self._held_s, self._cooled_at_s)

    @staticmethod
    def _first(since_s: float | None, at_s: float) -> float:
        return at_s if since_s is None else since_s


class DeferringPolicy(HysteresisPolicy):
    """Waits further while recovery is likely, for `defer_for_s` and `defer_turns` at most; never at `critical_at`."""

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._patient = False
        self._turns_waited = 0

    def observe(self, at_s: float, reading: Reading) -> Decision:
        settings = self._settings
        waited = self._turns_waited + 1 if self._above_since_s is not None and not self._firing else 0
        self._turns_waited = waited
        self._patient = reading.recovering and reading.risk < settings.critical_at and waited < settings.defer_turns
        return super().observe(at_s, reading)

    @property
    def _due_s(self) -> float | None:
        due_s = super()._due_s
        return due_s if due_s is None or not self._patient else due_s + self._settings.defer_for_s


def policy_of(settings: PolicySettings) -> HysteresisPolicy:
    """The policy that the settings ask for."""
    return DeferringPolicy(settings) if settings.kind == "deferring" else HysteresisPolicy(settings)
