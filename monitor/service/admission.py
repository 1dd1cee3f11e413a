"""The way in for messages: known or new, to a live call, a call that begins, or one that is over."""

from __future__ import annotations

import asyncio
import time

from monitor.core.inputs import encode_record
from monitor.door import redacted
from monitor.service.answers import (
    BUSY,
    ENDED,
    ERASED,
    MOST_CALLS,
    NOT_BEGUN,
    NOT_STORED,
    RESTARTING,
    Receipt,
    Refused,
    Taken,
    final_of,
)
from monitor.service.calltable import CallTable
from monitor.service.commits import interim_frame
from monitor.service.hub import Hub
from monitor.service.limits import Limits
from monitor.service.livecall import LiveCall
from monitor.service.metrics import Metrics
from monitor.service.store import Store
from stream.messages import CallStart, Message, Transcript


class Admission:
    """Redacts, recognises what was sent before, and waits when there is no room."""

    def __init__(self, limits: Limits, table: CallTable, store: Store, hub: Hub, metrics: Metrics) -> None:
        self._limits = limits
        self._table = table
        self._store = store
        self._hub = hub
        self._metrics = metrics
        self._storing: dict[tuple[str, str], asyncio.Future[None]] = {}
        """Finals on their way to the disk, by call and segment."""

    async def submit(self, message: Message, source: str) -> Taken:
        """Takes one message; waits only while there is no room. Raises Refused."""
        if isinstance(message, Transcript) and not message.final:
            return self._interim(message, source)
        while not self._table.closed:
            call = self._table.calls.get(message.call_id)
            if call is None:
                taken = await self._admit(message, source)
                if taken is not None:
                    return taken
            elif call.broken:
                raise Refused("overloaded", NOT_STORED, final_of(message))
            elif self._table.room.is_set():
                return self._into(call, message, source)
            else:
                self._metrics.reader_pauses.inc()
                await self._table.room.wait()
        raise Refused("overloaded", RESTARTING, final_of(message))

    def _interim(self, message: Transcript, source: str) -> Taken:
        """Shown to whoever watches; never stored. Dropped first when much waits."""
        self._metrics.received.labels(source, "interim").inc()
        taken = Taken(Receipt(message.call_id))
        call = self._table.calls.get(message.call_id)
        if call is None or call.broken:
            return taken
        if not call.speak(message, time.monotonic()):
            self._metrics.stale.inc()
            return taken
        self._table.set_alarm(call)
        if self._table.desk.depth >= self._limits.shed_interims_at:
            self._metrics.shed.inc()
        elif len(self._hub) > 0:
            shown = redacted(message, self._limits.region)
            self._hub.publish_interim(call.view, interim_frame(shown))
        return taken

    async def _admit(self, message: Message, source: str) -> Taken | None:
        """A message of a call that is not in memory. None: look again, it may be there now."""
        table = self._table
        async with table.door:
            if message.call_id in table.calls:
                return None
            if message.call_id in table.erased:
                raise Refused("unknown_call", ERASED, final_of(message))
            row = await table.read(self._store.call, message.call_id)
            if row is not None and row.finished:
                return await self._after_end(message, source)
            if row is not None:
                await table.restore(row)
                return None
            if not isinstance(message, CallStart | Transcript):
                raise Refused("unknown_call", NOT_BEGUN)
            if len(table.calls) >= self._limits.max_calls:
                raise Refused("overloaded", MOST_CALLS, final_of(message))
            if table.closed:
                return None
            if table.room.is_set():
                return self._into(table.new(message.call_id, source), message, source)
        try:
            async with asyncio.timeout(self._limits.new_call_wait_s):
                await table.room.wait()
        except TimeoutError:
            raise Refused("overloaded", BUSY, final_of(message)) from None
        return None

    async def _after_end(self, message: Message, source: str) -> Taken:
        """What was taken before the end is known and said so again; anything new is refused."""
        if isinstance(message, Transcript):
            known = await self._table.read(self._store.has_segment, message.call_id, message.segment_id)
        else:
            known = await self._table.read(self._store.has_record, message.call_id, encode_record(message))
        if not known:
            raise Refused("unknown_call", ENDED, final_of(message))
        self._metrics.repeated.labels(source).inc()
        return Taken(Receipt(message.call_id, final_of(message)))

    def _into(self, call: LiveCall, message: Message, source: str) -> Taken:
        segment_id = final_of(message)
        receipt = Receipt(message.call_id, segment_id)
        if call.knows(message):
            self._metrics.repeated.labels(source).inc()
            earlier = None if segment_id is None else self._storing.get((call.call_id, segment_id))
            return Taken(receipt, earlier)
        if not call.fold.takes_messages:
            raise Refused("unknown_call", ENDED, segment_id)
        _, stored = self._table.apply(call, redacted(message, self._limits.region))
        self._metrics.received.labels(source, "call" if segment_id is None else "final").inc()
        self._metrics.last_chunk.labels(source).set_to_current_time()
        if segment_id is not None:
            key = (call.call_id, segment_id)
            self._storing[key] = stored
            stored.add_done_callback(lambda _: self._storing.pop(key, None))
        return Taken(receipt, stored)
