"""Notifications and receivers for tests."""

from __future__ import annotations

from typing import Any

from alerts.model import Notification
from alerts.routing import Match, Receiver
from tests.alerts.receiver import SECRET


def note(n: int = 1, **changes: Any) -> Notification:
    fields: dict[str, Any] = {
        "id": f"msg_{n}",
        "alert_id": "al-1",
        "call_id": "c-1",
        "state": "firing",
        "kind": "risk",
        "severity": "critical",
        "reason": "The customer threatens to call a lawyer.",
        "quote": "you'll hear from my lawyer",
        "at_s": 41.5,
        "occurred_at": "2026-11-22T09:30:00Z",
        "team": "billing",
        "url": "https://becalm.example.com/supervisor?call=c-1",
    }
    return Notification(**fields | changes)


def receiver(url: str, name: str = "on-call", **changes: Any) -> Receiver:
    fields: dict[str, Any] = {"secret": SECRET, "allow_private": True, "match": Match()}
    return Receiver(name=name, url=url, **fields | changes)
