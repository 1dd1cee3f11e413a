"""The live service: messages in, journal and events stored, feed published, in that order and never otherwise."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec

from models.worker import ScoringWorker
from monitor.config import Config
from monitor.core.call import CallView
from monitor.core.events import Event
from monitor.core.inputs import AlertAction, PromptAction
from monitor.core.rules import Rules
from monitor.service.admission import Admission
from monitor.service.answers import NO_CALL, NOT_STORED, Receipt, Refused, Taken
from monitor.service.calltable import CallTable
from monitor.service.commits import Commits
from monitor.service.erasing import Eraser
from monitor.service.hub import Hub
from monitor.service.limits import Limits
from monitor.service.livecall import LiveCall
from monitor.service.metrics import Metrics, watch_loop
from monitor.service.past import Past
from monitor.service.scoring import ScoringDesk
from monitor.service.store import Store
from stream.messages import Message

__all__ = ["Receipt", "Refused", "Runtime", "Taken"]


class Runtime:
    """One event loop's calls; every method belongs to that loop. The worker must not be started yet, the store is open.

    Neither is owned: `stop` stops the worker but leaves the store to whoever opened it.
    """

    def __init__(
        self, config: Config, rules: Rules, worker: ScoringWorker, store: Store, metrics: Metrics | None = None
    ) -> None:
        self.limits = Limits.of(config)
        self.metrics = Metrics() if metrics is None else metrics
        self.hub = Hub(Past(store, self.views), store.last_seq(), self._dropped)
        self.ready = False
        self.stopping = asyncio.Event()
        """Set when the service goes down: connections are then closed with 1012."""
        self.senders = 0
        """Open ingest connections."""
        self._worker = worker
        self._store = store
        self._table = CallTable(self.limits, rules, store, self.metrics)
        self._admission = Admission(self.limits, self._table, store, self.hub, self.metrics)
        self._eraser = Eraser(self._table, store, self.hub)
        self._watch: asyncio.Task[None] | None = None
        if store.writer is not None:
            store.writer.on_group = self.metrics.commit_jobs.observe

    async def start(self) -> None:
        """Takes up unfinished calls where they were, then opens. Raises Refused if the store cannot be read.

        A call whose journal cannot be folded is logged, counted and left out.
        """
        table = self._table
        table.commits = Commits(self._store, self.hub, self.metrics, table.settled)
        table.desk = ScoringDesk(self._worker, table.answered)
        self._worker.start()
        for call_id in await table.read(self._store.unfinished_calls):
            row = await table.read(self._store.call, call_id)
            try:
                await table.restore(row)
                self.metrics.recovered.inc()
            except Refused as refused:
                if refused.code == "overloaded":
                    raise
        table.open()
        for call in table.calls.values():
            table.set_alarm(call)
        self._watch = asyncio.create_task(watch_loop(self.metrics, self._sample))
        self.ready = True

    async def stop(self) -> None:
        """Takes nothing more, stores what was taken, ends the feeds. What is not scored is scored after a restart."""
        self.ready = False
        self.stopping.set()
        self._table.close()
        await asyncio.to_thread(self._worker.stop)
        await asyncio.sleep(0)
        self._table.desk.stop()
        await asyncio.to_thread(self._store.flush)
        await asyncio.sleep(0)
        self.hub.close()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    async def take(self, message: Message, source: str = "native") -> Receipt:
        """Takes one message and returns once it is durable. Raises Refused; then nothing of it was kept."""
        return await (await self.submit(message, source)).durable()

    async def submit(self, message: Message, source: str = "native") -> Taken:
        """Takes one message in order; waits only while there is no room. Raises Refused.

        A caller that must keep an order awaits each `submit` before the next; `durable` may be awaited any time later.
        """
        return await self._admission.submit(message, source)

    async def act(self, action: AlertAction | PromptAction) -> list[Event]:
        """What a person did, also about calls that have ended; returns its events once they are stored.

        `at_s` is set here, to the call's time; `until_s` moves along with it, so give `at_s` 0 and a duration.
        An empty list: nothing changed (an unknown or resolved alert), or the turn before it is still being scored.
        Raises Refused (`unknown_call`, `overloaded`).
        """
        call = await self._awake(action.call_id)
        if call.broken or self._table.closed:
            raise Refused("overloaded", NOT_STORED)
        at_s = round(max(call.clock.at_s(time.monotonic()), call.fold.view.last_at_s), 3)
        moved = msgspec.structs.replace(action, at_s=at_s)
        if isinstance(moved, AlertAction) and moved.until_s is not None:
            moved = msgspec.structs.replace(moved, until_s=round(moved.until_s - action.at_s + at_s, 3))
        step, stored = self._table.apply(call, moved)
        await Taken(Receipt(action.call_id), stored).durable()
        return step.events

    async def erase(self, find: Callable[[], Sequence[str]], by: str) -> list[str]:
        """Removes calls for good, live ones too; see `Eraser.erase`."""
        return await self._eraser.erase(find, by)

    def views(self) -> list[CallView]:
        """The calls that have not ended, as they were last stored."""
        views = (call.view for call in self._table.calls.values())
        return [view for view in views if view is not None and view.state != "ended"]

    def view(self, call_id: str) -> CallView | None:
        """A call in memory as it was last stored; the store has the others."""
        call = self._table.calls.get(call_id)
        return None if call is None else call.view

    @property
    def load(self) -> dict[str, float]:
        """How busy the service is: counts, `paused` 0 or 1, and `oldest_s` in seconds."""
        if not self.ready:
            return {}
        table = self._table
        return {
            "calls": len(table.calls),
            "waiting_turns": table.desk.depth,
            "oldest_s": table.desk.oldest_age_s,
            "waiting_writes": table.commits.waiting,
            "paused": 0 if table.room.is_set() else 1,
            "subscribers": len(self.hub),
        }

    async def _awake(self, call_id: str) -> LiveCall:
        """The call, read back from the store if it has left memory; it leaves again with its next write."""
        table = self._table
        call = table.calls.get(call_id)
        if call is not None:
            return call
        async with table.door:
            row = None if call_id in table.calls else await table.read(self._store.call, call_id)
            if row is not None:
                return await table.restore(row)
        if call_id not in table.calls:
            raise Refused("unknown_call", NO_CALL)
        return table.calls[call_id]

    def _dropped(self, reason: str, frames: int) -> None:
        self.metrics.feed_dropped.labels(reason).inc(frames)

    def _sample(self) -> None:
        calls = self._table.calls.values()
        severities = [severity for call in calls for severity in call.open_alerts.values()]
        self.metrics.sample([call.row.source for call in calls if call.view is not None], severities, self.load)
