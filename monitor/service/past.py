"""What a feed shows of the time before it began: the live calls, the open alerts, the events since a seq."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from monitor.core.call import CallView
from monitor.core.events import Alert, Evidence
from monitor.service import views
from monitor.service.hub import About, Wants
from monitor.service.rows import AlertQuery, AlertRow, CallRow
from monitor.service.store import Store

_MOST_ALERTS = 2000
"""Open alerts in a snapshot, newest first."""


class Past:
    """Reads the store off the event loop."""

    def __init__(self, store: Store, live: Callable[[], list[CallView]]) -> None:
        self._store = store
        self._live = live

    async def snapshot(self, wants: Wants) -> tuple[list[msgspec.Struct], list[msgspec.Struct]]:
        """The live calls' views and the open alerts that the reader wants."""
        live: list[msgspec.Struct] = [view for view in self._live() if wants(view, None)]
        rows = await asyncio.to_thread(self._store.alerts, AlertQuery(open=True, limit=_MOST_ALERTS))
        return live, [views.alert(row) for row in rows if wants(row, _event(row))]

    async def events_since(self, seq: int, limit: int, until: int) -> list[tuple[int, About | None, bytes]]:
        """Stored events with `seq` < theirs <= `until`, in order, each with its call."""
        return await asyncio.to_thread(self._events_since, seq, limit, until)

    def _events_since(self, seq: int, limit: int, until: int) -> list[tuple[int, About | None, bytes]]:
        calls: dict[str, CallRow | None] = {}
        page: list[tuple[int, About | None, bytes]] = []
        for number, call_id, body in self._store.events_since(seq, limit, until):
            if call_id not in calls:
                calls[call_id] = self._store.call(call_id)
            page.append((number, calls[call_id], body))
        return page


def _event(row: AlertRow) -> Alert:
    """The alert as a filter knows it."""
    return Alert(
        call_id=row.call_id,
        at_s=row.at_s,
        alert_id=row.alert_id,
        state=row.state,
        kind=row.kind,
        severity=row.severity,
        reason=row.reason,
        evidence=[Evidence(**item) for item in row.evidence],
        audience=row.audience,
    )
