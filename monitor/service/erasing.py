"""Erasing while the service runs: a call ends for everybody, leaves memory, then goes out of every table."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence

import msgspec

from monitor.core.events import Alert, Call, Event, encode
from monitor.service.answers import NOT_STORED, RESTARTING, Refused
from monitor.service.calltable import CallTable
from monitor.service.hub import Hub
from monitor.service.rows import AlertQuery, AlertRow, CallRow, EventRow, StoreBusy
from monitor.service.store import Store

_log = logging.getLogger("becalm.erase")
REASON = "erased"
_MOST_ALERTS = 2000


class Goodbye(msgspec.Struct, frozen=True):
    """The last that the feed says of a call; it gets a seq like every event, but is not kept."""

    call: CallRow
    event: Event


class Eraser:
    """Belongs to the event loop."""

    def __init__(self, table: CallTable, store: Store, hub: Hub) -> None:
        self._table = table
        self._store = store
        self._hub = hub

    async def erase(self, find: Callable[[], Sequence[str]], by: str) -> list[str]:
        """Removes every trace of the calls that `find` names in the store; returns the ids of those that there were.

        Their open alerts are told as resolved by `by` and they themselves as ended, `reason` "erased". What is sent
        for them afterwards is refused until the service restarts. Raises Refused when the store cannot do it now.
        """
        table = self._table
        async with table.door:
            if table.closed:
                raise Refused("overloaded", RESTARTING)
            await asyncio.to_thread(self._store.flush)
            wanted = await table.read(self._there, find)
            table.forget(wanted)
            try:
                # what was under way when the calls left memory is stored before their last words are chosen
                await asyncio.to_thread(self._store.flush)
                goodbyes = await table.read(self._goodbyes, wanted, by)
                await self._remove(wanted, goodbyes)
            except Refused:
                await self._take_back(wanted)
                raise
        await asyncio.to_thread(self._store.truncate_log)
        return list(wanted)

    def _there(self, find: Callable[[], Sequence[str]]) -> list[str]:
        return [call_id for call_id in find() if self._store.call(call_id) is not None]

    def _goodbyes(self, call_ids: Sequence[str], by: str) -> list[Goodbye]:
        said: list[Goodbye] = []
        for row in filter(None, map(self._store.call, call_ids)):
            open_alerts = self._store.alerts(AlertQuery(call_id=row.call_id, open=True, limit=_MOST_ALERTS))
            said += [Goodbye(row, _resolved(alert, row, by)) for alert in open_alerts]
            end = Call(call_id=row.call_id, at_s=row.last_at_s, state="end", reason=REASON)
            said.append(Goodbye(row, end))
        return said

    async def _remove(self, call_ids: Sequence[str], goodbyes: list[Goodbye]) -> None:
        loop = asyncio.get_running_loop()
        removed: asyncio.Future[None] = loop.create_future()
        rows = [
            EventRow(one.call.call_id, -1 - n, "goodbye", one.event.at_s, encode(one.event))
            for n, one in enumerate(goodbyes)
        ]

        def done(result: list[int] | Exception) -> None:
            loop.call_soon_threadsafe(self._told, goodbyes, rows, removed, result)

        try:
            self._store.erase_saying(call_ids, rows, done)
            await removed
        except (StoreBusy, sqlite3.Error) as error:
            _log.error("calls could not be erased: %s", type(error).__name__)
            raise Refused("overloaded", NOT_STORED) from error

    def _told(
        self,
        goodbyes: list[Goodbye],
        rows: list[EventRow],
        removed: asyncio.Future[None],
        result: list[int] | Exception,
    ) -> None:
        if isinstance(result, Exception):
            removed.set_exception(result)
            return
        for seq, one, row in zip(result, goodbyes, rows, strict=True):
            self._hub.publish(seq, one.call, one.event, row.body)
        removed.set_result(None)

    async def _take_back(self, call_ids: Sequence[str]) -> None:
        """Nothing was erased: the calls go on."""
        for call_id in call_ids:
            self._table.erased.pop(call_id, None)
            row = await self._table.read(self._store.call, call_id)
            if row is not None and not row.finished:
                await self._table.restore(row)


def _resolved(alert: AlertRow, row: CallRow, by: str) -> Alert:
    """Says nothing of what the alert was about."""
    return Alert(
        call_id=row.call_id,
        at_s=row.last_at_s,
        alert_id=alert.alert_id,
        state="resolved",
        kind=alert.kind,
        severity=alert.severity,
        reason="The call was erased.",
        evidence=[],
        audience=alert.audience,
        by=by,
    )
