"""Which receivers get which alert, and the named reason when one does not.

The whole pipeline is the tuple `PIPELINE`: each step looks at one notification and one receiver, and either lets
it pass (None) or says why not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

import msgspec

from alerts.model import SEVERITIES, Notification


class Reason(StrEnum):
    """Why a receiver was not told."""

    NOT_MATCHED = "not_matched"
    BELOW_SEVERITY = "below_severity"
    SILENCED = "silenced"
    DEDUPLICATED = "deduplicated"
    RECEIVER_GONE = "receiver_gone"
    OVER_BUDGET = "over_budget"


WITHOUT_BUDGET = frozenset({"must_report", "safety", "escalation_request"})
"""Kinds that are told whatever was told before."""


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An empty list matches everything."""

    kinds: list[str] = []
    teams: list[str] = []
    states: list[str] = []

    def takes(self, note: Notification) -> bool:
        return (
            (not self.kinds or note.kind in self.kinds)
            and (not self.teams or note.team in self.teams)
            and (not self.states or note.state in self.states)
        )


class Receiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One address that is told of alerts."""

    name: str
    url: str
    secret: str = ""
    """Standard Webhooks secret: `whsec_` and base64 of 24 to 64 random bytes."""
    secret_env: str = ""
    """Name of an environment variable that holds the secret instead."""
    min_severity: str = "warning"
    match: Match = Match(states=["firing", "updated", "resolved"])
    allow_private: bool = False
    """Allow an address inside the own network."""
    timeout_s: float = 15.0
    budget: int = 0
    """Most new alerts in `budget_s` seconds, those of `WITHOUT_BUDGET` aside; 0: no limit."""
    budget_s: float = 600.0

    @property
    def key(self) -> str:
        """Changes when the address does, so that a new address starts with a clean record."""
        return f"{self.name}@{hashlib.sha256(self.url.encode()).hexdigest()[:12]}"

    def __repr__(self) -> str:
        return f"Receiver({self.name!r})"


class Silence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until a time, nobody is told of what matches; the pages still show it."""

    match: Match
    until: datetime
    comment: str


class Context(msgspec.Struct, frozen=True):
    """What a step may look at beside the notification and the receiver."""

    silences: list[Silence]
    now: datetime
    latest: Notification | None
    """What this receiver was last told about this alert."""
    told: int = 0
    """New alerts that this receiver was told of in its `budget_s`."""


Step = Callable[[Notification, Receiver, Context], Reason | None]


def matched(note: Notification, to: Receiver, context: Context) -> Reason | None:
    return None if to.match.takes(note) else Reason.NOT_MATCHED


def severe_enough(note: Notification, to: Receiver, context: Context) -> Reason | None:
    """What was announced is also taken back, however mild it has become."""
    if context.latest is not None and note.state == "resolved":
        return None
    enough = SEVERITIES.index(note.severity) >= SEVERITIES.index(to.min_severity)
    return None if enough else Reason.BELOW_SEVERITY


def not_silenced(note: Notification, to: Receiver, context: Context) -> Reason | None:
    active = any(s.match.takes(note) and context.now < s.until for s in context.silences)
    return Reason.SILENCED if active else None


def news(note: Notification, to: Receiver, context: Context) -> Reason | None:
    """The same again is no news; nor is an update with the severity and reason of the last one.

    Nor is the end of an alert that this receiver was never told of.
    """
    last = context.latest
    if last is None:
        return Reason.DEDUPLICATED if note.state == "resolved" else None
    if last.id == note.id:
        return Reason.DEDUPLICATED
    same = note.state == "updated" and last.state in ("firing", "updated")
    return Reason.DEDUPLICATED if same and (last.severity, last.reason) == (note.severity, note.reason) else None


def within_budget(note: Notification, to: Receiver, context: Context) -> Reason | None:
    """Nobody can look at everything: what goes beyond is kept and listed, and told when it comes again with room."""
    free = note.kind in WITHOUT_BUDGET or not to.budget or context.latest is not None
    return None if free or context.told < to.budget else Reason.OVER_BUDGET


PIPELINE: tuple[Step, ...] = (matched, severe_enough, not_silenced, news, within_budget)


def decide(note: Notification, to: Receiver, context: Context) -> Reason | None:
    """None: send it. Otherwise the first step's reason not to."""
    return next((reason for step in PIPELINE if (reason := step(note, to, context)) is not None), None)
