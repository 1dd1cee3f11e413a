"""From a step in memory to a step that everybody may see: stored first, then published, in one order for all."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import msgspec

from monitor.core import events
from monitor.core.events import Event
from monitor.service.answers import NotStored
from monitor.service.hub import Hub
from monitor.service.livecall import LiveCall, Step
from monitor.service.metrics import Metrics
from monitor.service.rows import StoreBusy
from monitor.service.store import Store
from stream.messages import Transcript

_log = logging.getLogger("becalm.store")


class Commits:
    """Lives on the event loop. `settled(call, step, ok)` is told once a step, after its events were published."""

    def __init__(
        self, store: Store, hub: Hub, metrics: Metrics, settled: Callable[[LiveCall, Step, bool], None]
    ) -> None:
        self._store = store
        self._hub = hub
        self._metrics = metrics
        self._settled = settled
        self._loop = asyncio.get_running_loop()
        self.waiting = 0
        """Steps on their way to the disk."""

    def put(self, call: LiveCall, step: Step) -> asyncio.Future[None]:
        """Done when the step is stored and published; raises NotStored. Steps of a call keep their order."""
        stored: asyncio.Future[None] = self._loop.create_future()
        stored.add_done_callback(_look)
        self.waiting += 1
        call.inflight += 1

        def done(result: list[int] | Exception) -> None:
            self._loop.call_soon_threadsafe(self._done, call, step, stored, result)

        try:
            self._store.write(step.write, done)
        except StoreBusy as busy:
            self._loop.call_soon(self._done, call, step, stored, busy)
        return stored

    def _done(self, call: LiveCall, step: Step, stored: asyncio.Future[None], result: list[int] | Exception) -> None:
        self.waiting -= 1
        call.inflight -= 1
        ok = not isinstance(result, Exception)
        if isinstance(result, Exception):
            self._metrics.store_failures.inc()
            _log.error("a write of a call failed: %s", type(result).__name__)
            stored.set_exception(NotStored())
        else:
            self._publish(call, step, result)
            stored.set_result(None)
        self._settled(call, step, ok)

    def _publish(self, call: LiveCall, step: Step, seqs: list[int]) -> None:
        call.view = step.view
        for seq, event, row in zip(seqs, step.events, step.write.events, strict=True):
            self._count(call, event)
            self._hub.publish(seq, step.view, event, row.body)

    def _count(self, call: LiveCall, event: Event) -> None:
        metrics = self._metrics
        match event:
            case events.Turn():
                arrived_s = call.turn_arrival(event)
                if arrived_s is not None:
                    metrics.chunk_to_score.observe(time.monotonic() - arrived_s)
            case events.Point():
                metrics.tension.observe(event.tension)
            case events.Alert(state="firing"):
                call.fired[event.alert_id] = time.monotonic()
                metrics.alerts.labels(event.severity, event.kind).inc()
            case events.Alert(state="acknowledged"):
                fired_s = call.fired.pop(event.alert_id, None)
                if fired_s is not None:
                    metrics.ack_duration.labels(event.severity).observe(time.monotonic() - fired_s)
            case events.Prompt():
                metrics.prompts.labels(event.situation, event.state).inc()
            case _:
                pass


def _look(future: asyncio.Future[None]) -> None:
    """A failure that nobody waits for is counted and logged already."""
    if not future.cancelled():
        future.exception()


class Interim(msgspec.Struct, frozen=True, tag_field="type", tag="interim"):
    """The feed's frame of a text that is still being spoken; it is never stored and has no `seq`."""

    call_id: str
    segment_id: str
    revision: int
    role: str
    text: str
    start_s: float
    at_s: float


def interim_frame(said: Transcript) -> bytes:
    frame = Interim(said.call_id, said.segment_id, said.revision, said.role, said.text, said.start_s, said.time_s)
    return msgspec.json.encode(frame)
