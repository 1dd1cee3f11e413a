"""From the event log to the outbox: a reader of the feed like any other, with a durable place in it.

An alert is a delivery once its event is stored; after a crash the reader goes on behind the last alert it has passed
on, and an alert passed on twice is one delivery, because the outbox knows it by its id.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Iterable
from urllib.parse import quote

import msgspec

from alerts.model import Notification
from alerts.outbox import Outbox
from monitor.core.events import Alert, Event, Point, decode
from monitor.service.hub import About, Closed, Hub, Subscription
from monitor.service.rows import AlertRow, CallRow
from monitor.service.store import Store
from monitor.service.views import instant

log = logging.getLogger("becalm.alerts")

PLACE = "outbox_seq"
"""Under this name the store keeps the seq of the last event that was looked at."""
IDLE_S = 60.0
"""After so long without an alert the place moves on to the present, so that a restart need not look far back."""
RETRY_S = 5.0


class _Frame(msgspec.Struct):
    seq: int | None = None
    type: str = ""


_frame = msgspec.json.Decoder(_Frame)


def only_alerts(about: About | None, event: Event | None) -> bool:
    return isinstance(event, Alert)


class Dispatcher:
    """Turns stored alert events into notifications, in order."""

    def __init__(self, store: Store, hub: Hub, outbox: Outbox, page_url: Callable[[str], str]) -> None:
        """`page_url(call_id)` is where a person sees the call. Blocks: reads the place, or begins at the present."""
        self._store = store
        self._hub = hub
        self._outbox = outbox
        self._page_url = page_url
        self._place = _place(store)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._outbox.start()
        self._task = asyncio.create_task(self._run(), name="alert dispatcher")

    async def stop(self) -> None:
        """What is not passed on yet is passed on after a restart."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._outbox.stop()

    async def _run(self) -> None:
        while True:
            subscription = self._hub.subscribe(only_alerts, self._place)
            try:
                await self._follow(subscription)
            except Closed as closed:
                if closed.code == 1012:
                    return
            except Exception as error:  # the store failed; nothing is lost, the place has not moved
                log.error("alerts_not_passed_on", extra={"fields": {"error": type(error).__name__}})
                await asyncio.sleep(RETRY_S)
            finally:
                subscription.close()

    async def _follow(self, subscription: Subscription) -> None:
        frames = aiter(subscription)
        waiting: asyncio.Future[bytes] | None = None
        try:
            while True:
                present = self._hub.seq
                waiting = waiting or asyncio.ensure_future(anext(frames))
                done, _ = await asyncio.wait({waiting}, timeout=IDLE_S)
                if not done:
                    await self._move(present)
                    continue
                frame, waiting = waiting.result(), None
                head = _frame.decode(frame)
                if head.type == "alert" and head.seq is not None:
                    await self._pass_on(frame)
                    await self._move(head.seq)
        finally:
            if waiting is not None:
                waiting.cancel()

    async def _pass_on(self, frame: bytes) -> None:
        event = decode(frame)
        assert isinstance(event, Alert)
        note = await asyncio.to_thread(self._notification, event)
        if note is not None:
            await self._outbox.put(note)
            await asyncio.to_thread(self._forget_if_erased, note.call_id)

    def _forget_if_erased(self, call_id: str) -> None:
        """The call may have been erased while its notification was on its way into the outbox."""
        if self._store.call(call_id) is None:
            self._store.erase([call_id])

    async def _move(self, seq: int) -> None:
        if seq > self._place:
            await asyncio.to_thread(self._store.set_meta, PLACE, str(seq))
            self._place = seq

    def _notification(self, event: Alert) -> Notification | None:
        """None when the call has been erased since."""
        call = self._store.call(event.call_id)
        if call is None:
            return None
        point = _point_before(event, (decode(body) for body in self._store.events(event.call_id)))
        alert = self._store.alert(event.alert_id)
        return notification(event, call, alert, point, self._page_url(event.call_id))


def notification(event: Alert, call: CallRow, alert: AlertRow | None, point: Point | None, url: str) -> Notification:
    """What receivers are told of one alert event. Pure but for an alert that has no row yet, which is of now."""
    return Notification(
        id="msg_" + hashlib.sha256(msgspec.json.encode(event)).hexdigest()[:24],
        alert_id=event.alert_id,
        call_id=event.call_id,
        state=event.state,
        kind=event.kind,
        severity=event.severity,
        reason=event.reason,
        quote=event.evidence[-1].quote if event.evidence else None,
        at_s=event.at_s,
        occurred_at=instant(_happened(event, alert)).isoformat().replace("+00:00", "Z"),
        agent_id=call.agent_id,
        team=call.team,
        queue=call.queue,
        language=call.language,
        channel=call.channel,
        tension=None if point is None else point.tension,
        risk=None if point is None else point.risk,
        by=None if event.by is msgspec.UNSET else event.by,
        url=url,
    )


def page_url(base: str) -> Callable[[str], str]:
    """Links to the supervisor's page under `base`, such as https://becalm.example.com."""
    return lambda call_id: f"{base.rstrip('/')}/supervisor?call={quote(call_id, safe='')}"


def _happened(event: Alert, alert: AlertRow | None) -> float:
    if alert is None:
        return time.time()
    return alert.fired_at if event.state == "firing" else alert.updated_at


def _point_before(alert: Alert, events: Iterable[Event]) -> Point | None:
    """The curve as it stood when the alert said so."""
    point: Point | None = None
    for event in events:
        if event == alert:
            return point
        point = event if isinstance(event, Point) else point
    return point


def _place(store: Store) -> int:
    known = store.meta(PLACE)
    if known is not None:
        return int(known)
    present = store.last_seq()
    store.set_meta(PLACE, str(present))
    return present
