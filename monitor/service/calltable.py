"""The calls in memory: every record of every call passes through `apply`, whoever it comes from."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from models.types import Score
from monitor.core.inputs import NeedScore, Overdue, Record, Scored
from monitor.core.rules import Rules
from monitor.service.answers import FAULT, NOT_READ, Refused
from monitor.service.clock import Alarms
from monitor.service.commits import Commits
from monitor.service.limits import Limits
from monitor.service.livecall import LiveCall, Step
from monitor.service.metrics import Metrics
from monitor.service.rows import CallRow
from monitor.service.scoring import ScoringDesk
from monitor.service.store import Store

_log = logging.getLogger("becalm.calls")
_MEND_AFTER_S = 1.0
"""Wait before a call whose write failed is read back from the store."""
_MOST_ERASED = 10_000


class CallTable:
    """Belongs to the event loop; `commits` and `desk` are set before the first call comes."""

    commits: Commits
    desk: ScoringDesk

    def __init__(self, limits: Limits, rules: Rules, store: Store, metrics: Metrics) -> None:
        self.calls: dict[str, LiveCall] = {}
        self.door = asyncio.Lock()
        """Held while a call that is not in memory is looked up and put there."""
        self.room = asyncio.Event()
        """Set while more may be taken."""
        self.closed = True
        """Nothing is taken: the service is starting or stopping."""
        self.erased: OrderedDict[str, None] = OrderedDict()
        """Calls that were erased of late: nothing more is taken for them, or they would be there again."""
        self._limits = limits
        self._rules = rules
        self._store = store
        self._metrics = metrics
        self._alarms = Alarms(self._ring, time.monotonic)
        self._mending: set[asyncio.Task[None]] = set()
        self._unwatched: list[tuple[LiveCall, str]] = []
        """Urgent turns of calls that were restored before the service opened."""

    def open(self) -> None:
        self.closed = False
        for call, segment_id in self._unwatched:
            self._watch(call, segment_id)
        self._unwatched.clear()
        self._look_for_room()

    def close(self) -> None:
        """No more ticks; what is under way is stored. Those who wait for room are let go to see that it is closed."""
        self.closed = True
        self._alarms.stop()
        for task in self._mending:
            task.cancel()
        self.room.set()

    def new(self, call_id: str, source: str) -> LiveCall:
        """A call that begins now; the caller holds the door and applies the first record at once."""
        wall_s = time.time()
        call = LiveCall(call_id, CallRow(call_id, source, wall_s, wall_s), self._rules, time.monotonic())
        self.calls[call_id] = call
        return call

    def apply(self, call: LiveCall, record: Record) -> tuple[Step, asyncio.Future[None]]:
        """Applies a record in memory and sends it on its way to the disk. Raises Refused when the core fails at it."""
        try:
            step = call.apply(record, time.monotonic())
        except Exception as error:  # a fault of the core in one call must not touch the others
            _log.error("the core failed in a call, which is read back when needed: %s", type(error).__name__)
            self._metrics.core_failures.inc()
            call.broken = True
            self._settle(call)
            raise Refused("bad_message", FAULT, getattr(record, "segment_id", None)) from error
        return step, self._send(call, step)

    async def read(self, query: Callable[..., Any], *values: object) -> Any:
        """Asks the store off the event loop. Raises Refused when it cannot be read."""
        try:
            return await asyncio.to_thread(query, *values)
        except sqlite3.Error as error:
            _log.error("the store could not be read: %s", type(error).__name__)
            raise Refused("overloaded", NOT_READ) from error

    async def restore(self, row: CallRow) -> LiveCall:
        """Folds a call's journal again and goes on. Raises Refused when it cannot; the caller holds the door."""
        records = await self.read(self._store.records, row.call_id)
        stored = await self.read(self._store.events, row.call_id)
        try:
            call, step, same = LiveCall.restore(row, records, stored, self._rules, time.monotonic())
        except Exception as error:  # one journal that cannot be folded must not touch the other calls
            _log.error("a call's journal could not be folded: %s", type(error).__name__)
            self._metrics.core_failures.inc()
            raise Refused("bad_message", FAULT) from error
        if not same:
            _log.warning("a call goes on under other rules than those that it began with")
            self._metrics.recovery_mismatches.inc()
        self.calls[call.call_id] = call
        if step.needs or step.write.events or step.write.calls:
            self._send(call, step)
        else:
            self.set_alarm(call)
        return call

    def answered(self, call: LiveCall, need: NeedScore, result: Score | Exception) -> None:
        """A score came back, or scoring failed: both are records of the journal."""
        if self.calls.get(call.call_id) is call and not call.broken:
            failed = isinstance(result, Exception)
            if failed:
                self._metrics.score_failures.inc()
            scored = Scored(
                call_id=call.call_id,
                segment_id=need.segment_id,
                score=None if isinstance(result, Exception) else result,
                failed="scoring_failed" if failed else None,
            )
            self._by_itself(call, scored)
        self._look_for_room()

    def settled(self, call: LiveCall, step: Step, ok: bool) -> None:
        """One step of the call is on disk and published, or failed."""
        call.broken = call.broken or not ok
        call.mend = call.mend or not ok
        self._settle(call, finished=step.finished)
        self._look_for_room()

    def forget(self, call_ids: Iterable[str]) -> None:
        """These calls leave memory and do not come back; the caller holds the door."""
        for call_id in call_ids:
            call = self.calls.pop(call_id, None)
            if call is not None:
                call.broken = True
                self._alarms.set(call_id, None)
            self.erased[call_id] = None
        while len(self.erased) > _MOST_ERASED:
            self.erased.popitem(last=False)

    def set_alarm(self, call: LiveCall) -> None:
        if not self.closed:
            self._alarms.set(call.call_id, call.wake_at_s(self._limits.speaking_hold_s))

    def _send(self, call: LiveCall, step: Step) -> asyncio.Future[None]:
        stored = self.commits.put(call, step)
        for need in step.needs:
            self.desk.ask(call, need)
        for segment_id in call.fold.urgent_turns():
            self._watch(call, segment_id)
        self.set_alarm(call)
        self._look_for_room()
        return stored

    def _watch(self, call: LiveCall, segment_id: str) -> None:
        """Looks at this turn again in a moment; in a service that starts, a moment after it has opened."""
        if self.closed:
            self._unwatched.append((call, segment_id))
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(self._limits.urgent_after_s, self._not_in_time, call, segment_id)

    def _not_in_time(self, call: LiveCall, segment_id: str) -> None:
        """What a turn's words alone demand does not wait for a model that is behind."""
        live = self.calls.get(call.call_id) is call and not call.broken and not self.closed
        if live and call.fold.is_overdue(segment_id):
            self._metrics.overdue.inc()
            self._by_itself(call, Overdue(call_id=call.call_id, segment_id=segment_id))

    def _settle(self, call: LiveCall, finished: bool = False) -> None:
        """A call leaves memory with its last write: when it is finished, and when it can no longer be trusted."""
        if call.inflight > 0 or not (call.broken or finished) or self.calls.get(call.call_id) is not call:
            return
        del self.calls[call.call_id]
        self._alarms.set(call.call_id, None)
        if call.mend and not self.closed:
            task = asyncio.create_task(self._mend(call.call_id))
            self._mending.add(task)
            task.add_done_callback(self._mending.discard)

    async def _mend(self, call_id: str) -> None:
        """Reads a call back once the store can be read again: its clock and its missing scores must go on."""
        while not self.closed:
            await asyncio.sleep(_MEND_AFTER_S)
            try:
                async with self.door:
                    row = await self.read(self._store.call, call_id)
                    if call_id not in self.calls and row is not None and not row.finished:
                        await self.restore(row)
                return
            except Refused as refused:
                if refused.code != "overloaded":
                    return

    def _ring(self, call_id: str) -> None:
        call = self.calls.get(call_id)
        if call is None or call.broken:
            return
        tick = call.tick(time.monotonic(), self._limits.speaking_hold_s)
        if tick is None:
            self.set_alarm(call)
        else:
            self._by_itself(call, tick)

    def _by_itself(self, call: LiveCall, record: Record) -> None:
        """Applies what nobody waits for; `apply` has counted and logged a fault, and ended it with this call."""
        try:
            self.apply(call, record)
        except Refused:
            return

    def _look_for_room(self) -> None:
        limits = self._limits
        full = self.desk.depth >= limits.max_waiting or self.commits.waiting >= limits.max_writes
        if full and not self.closed:
            self.room.clear()
        else:
            self.room.set()
