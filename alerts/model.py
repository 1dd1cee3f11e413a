"""What leaves the house about an alert, and the life of one delivery."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

import msgspec

SEVERITIES = ("info", "warning", "critical")

PENDING, DELIVERED, GIVEN_UP, GONE = "pending", "delivered", "given_up", "gone"
WITHHELD = "withheld"
"""Never sent, and kept to be listed: its `error` says why."""


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One state of one alert, with all that a person needs to act on it."""

    id: str
    """Stable over retries and restarts; receivers use it to drop repeats (`webhook-id`)."""
    alert_id: str
    call_id: str
    state: str
    kind: str
    severity: str
    reason: str
    quote: str | None
    at_s: float
    """Seconds since the call's start."""
    occurred_at: str
    """Wall clock, RFC 3339."""
    agent_id: str | None = None
    team: str | None = None
    queue: str | None = None
    language: str | None = None
    channel: str | None = None
    tension: float | None = None
    risk: float | None = None
    by: str | None = None
    url: str | None = None
    """The page on which the call can be seen."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One notification on its way to one receiver. Times are Unix seconds."""

    receiver: str
    """The receiver's key: its name and a digest of its address (`Receiver.key`)."""
    notification: Notification
    created_at: float
    due_at: float
    attempts: int = 0
    status: str = PENDING
    error: str | None = None
    """Named reason of the last failure; never a body."""


class DeliveryStorage(Protocol):
    """What the outbox asks of a database. Every method may raise what the database raises, and may block."""

    def add(self, deliveries: list[Delivery]) -> None:
        """Returns once durable. A delivery with a known receiver and notification id is left as it was."""

    def due(self, receiver: str, now: float, limit: int) -> list[Delivery]:
        """Pending ones whose time has come, the longest due first."""

    def next_due(self, receiver: str) -> float | None:
        """When the next pending one is due; None when nothing waits."""

    def latest(self, receiver: str, alert_id: str) -> Notification | None:
        """The last notification of this alert taken for this receiver and not withheld, in whatever state."""

    def told_since(self, receiver: str, since: float, kinds: Collection[str]) -> int:
        """How many alerts, of any kind but these, were new to this receiver since then."""

    def save(self, delivery: Delivery) -> None:
        """Returns once the delivery's new state is durable."""

    def is_gone(self, receiver: str) -> bool:
        """True when the receiver has once answered 410."""
