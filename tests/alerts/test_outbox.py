"""The durable outbox over a real database and real receivers."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from alerts.model import DELIVERED, GIVEN_UP, GONE, PENDING, WITHHELD, Delivery
from alerts.outbox import Outbox, settle
from alerts.routing import Receiver
from alerts.webhook import Answer as Got
from alerts.webhook import Outcome
from monitor.service.deliveries import Deliveries
from monitor.service.store import Store
from tests.alerts.notes import note, receiver
from tests.alerts.receiver import SECRET, TIMEOUT_S, Answer, Endpoint, Hit, receiving

pytestmark = pytest.mark.asyncio


class Running:
    """An outbox, what it counted, and a way to wait for it."""

    def __init__(self, outbox: Outbox, deliveries: Deliveries) -> None:
        self.outbox = outbox
        self.deliveries = deliveries
        self.counted: list[tuple[str, str]] = []
        self.news = asyncio.Event()
        self.loop = asyncio.get_running_loop()

    def count(self, name: str, outcome: str) -> None:
        self.counted.append((name, outcome))
        self.loop.call_soon_threadsafe(self.news.set)

    async def until(self, name: str, outcome: str, times: int = 1) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while self.counted.count((name, outcome)) < times:
                await self.news.wait()
                self.news.clear()


@asynccontextmanager
async def outbox(
    path: Path, receivers: Sequence[Receiver], *, start: bool = True, ahead_s: float = 0.0
) -> AsyncIterator[Running]:
    """`ahead_s`: how far its clock is ahead of the real one."""
    store = Store.open(str(path))
    deliveries = Deliveries(store)
    running: Running

    box = Outbox(
        list(receivers),
        [],
        deliveries,
        lambda name, outcome: running.count(name, outcome),
        lambda: time.time() + ahead_s,
    )
    running = Running(box, deliveries)
    if start:
        await box.start()
    try:
        yield running
    finally:
        await box.stop()
        deliveries.close()
        store.close()


async def hit(endpoint: Endpoint) -> Hit:
    return await asyncio.to_thread(endpoint.next)


async def test_a_failed_delivery_comes_again_under_the_same_id(tmp_path: Path) -> None:
    with receiving(Answer(500), Answer(200)) as endpoint:
        async with outbox(tmp_path / "db", [receiver(endpoint.url)]) as box:
            await box.outbox.put(note())
            first, second = await hit(endpoint), await hit(endpoint)
            await box.until("on-call", "delivered")
            (kept,) = box.deliveries.of_call("c-1")
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "msg_1"
    assert first.body == second.body
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    Webhook(SECRET).verify(second.body, second.headers)
    assert (kept.status, kept.attempts, kept.error) == (DELIVERED, 2, None)


async def test_a_hanging_receiver_does_not_hold_up_another(tmp_path: Path) -> None:
    with receiving(Answer(hold=threading.Event())) as hanging, receiving() as sound:
        async with outbox(tmp_path / "db", [receiver(hanging.url, "hanging"), receiver(sound.url, "sound")]) as box:
            for n in range(5):
                await box.outbox.put(note(n, alert_id=f"al-{n}"))
            await hit(hanging)  # is being kept waiting from now on
            got = [json.loads((await hit(sound)).body)["data"]["alert_id"] for _ in range(5)]
            assert got == [f"al-{n}" for n in range(5)]
            assert ("hanging", "retry") not in box.counted


async def test_410_ends_deliveries_for_good_also_after_a_restart(tmp_path: Path) -> None:
    with receiving(Answer(410)) as endpoint:
        async with outbox(tmp_path / "db", [receiver(endpoint.url)]) as box:
            await box.outbox.put(note())
            await box.until("on-call", "gone")
            assert box.deliveries.of_call("c-1")[0].status == GONE
            await box.outbox.put(note(2, alert_id="al-2"))
            await box.until("on-call", "receiver_gone")
        async with outbox(tmp_path / "db", [receiver(endpoint.url)]) as box:
            await box.outbox.put(note(3, alert_id="al-3"))
        assert endpoint.hits.qsize() == 1
        async with outbox(tmp_path / "db", [receiver(endpoint.url + "/new")]) as box:  # a new address starts afresh
            await box.outbox.put(note(4, alert_id="al-4"))
            await hit(endpoint)
            assert (await hit(endpoint)).path == "/hook/new"


async def test_what_waits_survives_a_restart(tmp_path: Path) -> None:
    with receiving() as endpoint:
        async with outbox(tmp_path / "db", [receiver(endpoint.url)], start=False) as box:
            await box.outbox.put(note())
            assert box.deliveries.of_call("c-1")[0].status == PENDING
        async with outbox(tmp_path / "db", [receiver(endpoint.url)]) as box:
            await box.until("on-call", "delivered")
            assert box.deliveries.of_call("c-1")[0].status == DELIVERED
        assert endpoint.hits.qsize() == 1


async def test_the_same_notification_is_delivered_once(tmp_path: Path) -> None:
    with receiving() as endpoint:
        async with outbox(tmp_path / "db", [receiver(endpoint.url)]) as box:
            await box.outbox.put(note())
            await box.outbox.put(note())
            await box.until("on-call", "delivered")
            assert ("on-call", "deduplicated") in box.counted
            assert len(box.deliveries.of_call("c-1")) == 1


async def test_settling_follows_the_schedule_and_gives_up_after_a_day() -> None:
    delivery = Delivery(receiver="r", notification=note(), created_at=0.0, due_at=0.0)
    again = settle(delivery, Got(Outcome.RETRY, "http_500"), now=0.5)
    assert (again.status, again.attempts, again.due_at, again.error) == (PENDING, 1, 2.5, "http_500")
    later = settle(delivery, Got(Outcome.RETRY, "http_429", 900.0), now=0.5)
    assert later.due_at == 900.5
    over = settle(delivery, Got(Outcome.RETRY, "timeout"), now=86_400.0)
    assert (over.status, over.error) == (GIVEN_UP, "timeout")


async def test_over_its_budget_a_receiver_is_spared_and_the_rest_is_listed(tmp_path: Path) -> None:
    """Two risk alerts fit; the third is withheld, a threat still goes out, and a new window has room again."""
    with receiving() as endpoint:
        to = receiver(endpoint.url, budget=2, budget_s=600.0)
        async with outbox(tmp_path / "db", [to]) as box:
            for n in (1, 2, 3):
                await box.outbox.put(note(n, alert_id=f"al-{n}"))
            await box.outbox.put(note(4, alert_id="al-4", kind="must_report"))
            await box.outbox.put(note(5, alert_id="al-1", state="updated", reason="It is worse."))
            await box.until(to.name, "delivered", 4)
            listed = {item.notification.id: (item.status, item.error) for item in box.deliveries.of_call("c-1")}
            assert listed.pop("msg_3") == (WITHHELD, "over_budget")
            assert set(listed.values()) == {(DELIVERED, None)}
            assert box.counted.count((to.name, "over_budget")) == 1
        async with outbox(tmp_path / "db", [receiver(endpoint.url, budget=2, budget_s=1.0)], ahead_s=60.0) as later:
            await later.outbox.put(note(6, alert_id="al-3", state="updated", reason="It is worse."))
            await later.until(to.name, "delivered", 1)
