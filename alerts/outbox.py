"""The durable outbox: every receiver has its own queue in the database and its own task.

A dead, slow or hostile receiver never touches another, and what waits survives a restart.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

import httpx2
import msgspec

from alerts import webhook
from alerts.model import DELIVERED, GIVEN_UP, GONE, WITHHELD, Delivery, DeliveryStorage, Notification
from alerts.routing import WITHOUT_BUDGET, Context, Reason, Receiver, Silence, decide
from alerts.webhook import Outcome

log = logging.getLogger("becalm.alerts")

BATCH = 16
"""Deliveries read at a time."""
STORAGE_PAUSE_S = 5.0
"""Wait after the database failed."""

Count = Callable[[str, str], None]
"""Told the receiver's name and an outcome, or the reason for which it is not told of an alert."""


class Outbox:
    """`put` takes notifications; the receivers' tasks send them."""

    def __init__(
        self,
        receivers: list[Receiver],
        silences: list[Silence],
        storage: DeliveryStorage,
        count: Count = lambda receiver, outcome: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._silences = silences
        self._storage = storage
        self._count = count
        self._clock = clock
        self._lanes = [_Lane(receiver, storage, count, clock) for receiver in receivers]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Goes on with what waits."""
        self._tasks = [asyncio.create_task(lane.run(), name=f"webhook {lane.to.name}") for lane in self._lanes]

    async def stop(self) -> None:
        """Attempts under way are cut off; they are made again after a restart, under the same id."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def put(self, note: Notification) -> None:
        """Returns once every delivery that is due to somebody is durable. Raises what the database raises."""
        deliveries = await asyncio.to_thread(self._route, note)
        if deliveries:
            await asyncio.to_thread(self._storage.add, deliveries)
        for lane in self._lanes:
            lane.wake.set()

    def _route(self, note: Notification) -> list[Delivery]:
        now = self._clock()
        chosen = []
        for lane in self._lanes:
            reason = self._decide(note, lane, now)
            delivery = Delivery(receiver=lane.to.key, notification=note, created_at=now, due_at=now)
            if reason is None:
                chosen.append(delivery)
                continue
            if reason is Reason.OVER_BUDGET:
                chosen.append(msgspec.structs.replace(delivery, status=WITHHELD, error=reason.value))
            self._count(lane.to.name, reason.value)
        return chosen

    def _decide(self, note: Notification, lane: _Lane, now: float) -> Reason | None:
        if lane.gone:
            return Reason.RECEIVER_GONE
        to = lane.to
        latest = self._storage.latest(to.key, note.alert_id)
        told = self._storage.told_since(to.key, now - to.budget_s, WITHOUT_BUDGET) if to.budget else 0
        return decide(note, to, Context(self._silences, datetime.fromtimestamp(now, UTC), latest, told))


class _Lane:
    """One receiver: its queue, its retries, its connection."""

    def __init__(self, to: Receiver, storage: DeliveryStorage, count: Count, clock: Callable[[], float]) -> None:
        self.to = to
        self.wake = asyncio.Event()
        self.gone = False
        self._storage = storage
        self._count = count
        self._clock = clock

    async def run(self) -> None:
        """For ever, or until the receiver is gone. A failing database is said, counted and tried again."""
        async with webhook.client() as client:
            while not self.gone:
                try:
                    await self._work(client)
                except Exception as error:  # whatever the storage raises; the queue itself is safe in it
                    self._count(self.to.name, "storage_failed")
                    self._say("outbox_storage_failed", error=type(error).__name__)
                    await asyncio.sleep(STORAGE_PAUSE_S)

    async def _work(self, client: httpx2.AsyncClient) -> None:
        """Attempts all that is due, then waits for more."""
        self.gone = await asyncio.to_thread(self._storage.is_gone, self.to.key)
        while not self.gone:
            self.wake.clear()
            due = await asyncio.to_thread(self._storage.due, self.to.key, self._clock(), BATCH)
            for delivery in due:
                if not self.gone:
                    await self._attempt(client, delivery)
            if not due:
                await self._wait()
        self._say("receiver_gone")

    async def _attempt(self, client: httpx2.AsyncClient, delivery: Delivery) -> None:
        answer = await webhook.post(client, self.to, self.to.secret, delivery.notification)
        after = settle(delivery, answer, self._clock())
        await asyncio.to_thread(self._storage.save, after)
        self._count(self.to.name, answer.outcome.value)
        self.gone = after.status == GONE
        if after.status == GIVEN_UP:
            self._count(self.to.name, GIVEN_UP)
            self._say("delivery_given_up", alert_id=delivery.notification.alert_id, error=after.error)

    async def _wait(self) -> None:
        next_due = await asyncio.to_thread(self._storage.next_due, self.to.key)
        wait_s = None if next_due is None else max(0.0, next_due - self._clock())
        try:
            async with asyncio.timeout(wait_s):
                await self.wake.wait()
        except TimeoutError:
            return

    def _say(self, what: str, **about: str | None) -> None:
        log.warning(what, extra={"fields": {"receiver": self.to.name, **about}})


def settle(delivery: Delivery, answer: webhook.Answer, now: float) -> Delivery:
    """The delivery's next state after one attempt. Pure."""
    attempts = delivery.attempts + 1
    if answer.outcome is Outcome.DELIVERED:
        return msgspec.structs.replace(delivery, attempts=attempts, status=DELIVERED, error=None)
    if answer.outcome is Outcome.GONE:
        return msgspec.structs.replace(delivery, attempts=attempts, status=GONE, error=answer.error)
    wait_s = webhook.delay_s(attempts, now - delivery.created_at, answer.retry_after_s)
    if wait_s is None:
        return msgspec.structs.replace(delivery, attempts=attempts, status=GIVEN_UP, error=answer.error)
    return msgspec.structs.replace(delivery, attempts=attempts, due_at=now + wait_s, error=answer.error)
