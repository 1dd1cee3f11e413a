"""More than the model can read, over real sockets: what is shed, what waits, what is refused, and what never waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import connect

from monitor.config import BUNDLED, Config, IngestSettings
from monitor.core.rules import Rules
from monitor.service.hub import FeedFilter
from stream.messages import Transcript
from tests.service.conftest import Run, Service, end, make_rules, of_type, said, start
from tests.service.test_ingest import sender, served

pytestmark = pytest.mark.asyncio

ROOM = 8
PLAIN = "I have been waiting, I am furious."
URGENT = "I'm reporting you to the ombudsman."


@pytest.fixture(scope="module")
def rules() -> Rules:
    """What ships, with the phrase packs of English."""
    return make_rules([path.relative_to(BUNDLED).as_posix() for path in sorted((BUNDLED / "packs/en").glob("*.toml"))])


@asynccontextmanager
async def watching(url: str) -> AsyncIterator[asyncio.Queue[dict[str, Any]]]:
    """All that a supervisor's feed says, as it comes."""
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    async with connect(url.replace("/ingest", "/feed"), compression=None, max_size=None, proxy=None) as socket:
        assert msgspec.json.decode(await socket.recv())["type"] == "snapshot"

        async def listen() -> None:
            async for frame in socket:
                heard.put_nowait(msgspec.json.decode(frame))

        task = asyncio.create_task(listen())
        try:
            yield heard
        finally:
            task.cancel()


async def next_of(heard: asyncio.Queue[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while True:
            frame = await heard.get()
            if all(frame.get(name) == value for name, value in fields.items()):
                return frame


def interim(n: int, call_id: str) -> Transcript:
    return msgspec.structs.replace(said(n, "and another", call_id), final=False)


async def test_alerts_in_words_do_not_wait_for_a_model_that_is_behind(run: Run, rules: Rules) -> None:
    async with run(rules=rules) as service, served(service) as url, watching(url) as heard, sender(url) as client:
        service.scorer.gate.clear()
        await client.acked(start(), said(0, PLAIN), said(1, URGENT), said(2, PLAIN))
        alert = await next_of(heard, type="alert", kind="must_report")
        assert (alert["state"], alert["pending"], alert["segment_id"]) == ("firing", "score", "1")
        assert not of_type(service.events("c"), "turn")
        service.scorer.gate.set()
        await client.acked(end(20.0))
        await next_of(heard, type="call", state="end")
        assert turns_of(service, "c") == ["0", "1", "2"]
        told = [one for one in of_type(service.events("c"), "alert") if one["kind"] == "must_report"]
        assert [(one["alert_id"], one["state"]) for one in told] == [(alert["alert_id"], "firing")]
        service.check("c")


async def test_a_restart_while_the_model_is_behind_tells_nobody_twice(run: Run, rules: Rules) -> None:
    async with run(rules=rules) as service, served(service) as url, watching(url) as heard, sender(url) as client:
        service.scorer.gate.clear()
        await client.acked(start(), said(0, URGENT))
        await next_of(heard, type="alert", kind="must_report", state="firing")
    async with run(rules=rules) as service:
        await service.until("c", lambda events: bool(of_type(events, "turn")))
        alerts = of_type(service.events("c"), "alert")
        assert [alert["state"] for alert in alerts if alert["kind"] == "must_report"] == ["firing"]
        service.check("c")


async def test_what_was_urgent_before_a_crash_is_urgent_after_it(rules: Rules, tmp_path: Path) -> None:
    """The first life ends before the moment has passed; the second is behind from its first breath."""
    first, second = Service(tmp_path / "becalm.db", rules), None
    first.scorer.gate.clear()
    await first.runtime.start()
    for message in (start(), said(0, PLAIN), said(1, URGENT)):
        await first.runtime.take(message)
    first.runtime._table.close()  # from here on it does nothing more, as after a crash
    first.store.close()
    try:
        second = Service(tmp_path / "becalm.db", rules)
        second.scorer.gate.clear()
        subscription = second.runtime.hub.subscribe(FeedFilter(), 0)
        await second.runtime.start()
        async with asyncio.timeout(30):
            async for frame in subscription:
                alert = msgspec.json.decode(frame)
                if alert["type"] == "alert":
                    break
        assert (alert["kind"], alert["pending"], alert["segment_id"]) == ("must_report", "score", "1")
        assert not of_type(second.events("c"), "turn")
    finally:
        for service in (first, second):
            if service is not None:
                service.scorer.gate.set()
        if second is not None:
            await second.runtime.stop()
            second.store.close()
        await asyncio.to_thread(first.runtime._worker.stop)


async def test_interims_go_first_then_reading_stops_then_new_calls_are_refused_and_nothing_is_lost(
    run: Run, rules: Rules
) -> None:
    config = Config(ingest=IngestSettings(max_waiting=ROOM))
    async with run(config, rules=rules) as service, served(service) as url, watching(url) as heard:
        async with sender(url) as client, sender(url) as newcomer:
            await client.acked(start(), said(0, "Hello."))
            await next_of(heard, type="point")
            await client.send(interim(1, "c"))
            await next_of(heard, type="interim")

            service.scorer.gate.clear()
            await client.acked(*(said(n, PLAIN) for n in range(1, 1 + ROOM // 2)))
            await client.send(interim(50, "c"))
            await client.acked(*(said(n, PLAIN) for n in range(1 + ROOM // 2, ROOM)))
            await client.acked(said(ROOM, URGENT))
            assert service.runtime.load["paused"] == 1
            assert service.runtime.metrics.shed._value.get() == 1

            waiting = [said(n, PLAIN) for n in range(ROOM + 1, 3 * ROOM)]
            for message in waiting:
                await client.send(message)
            await newcomer.send(said(0, "Good morning.", "new"))
            refused = await newcomer.answer()
            assert (refused["type"], refused["code"], refused["call_id"]) == ("error", "overloaded", "new")
            alert = await next_of(heard, type="alert", kind="must_report")
            assert alert["pending"] == "score"

            service.scorer.gate.set()
            assert [await client.answer() for _ in waiting] == [
                {"type": "ack", "call_id": "c", "segment_id": message.segment_id} for message in waiting
            ]
            await newcomer.acked(start("new"), said(0, "Good morning.", "new"), end(5.0, "new"))
            await client.acked(end(100.0))
            await next_of(heard, type="call", state="end", call_id="c")
        assert turns_of(service, "c") == [str(n) for n in range(3 * ROOM)]
        assert turns_of(service, "new") == ["0"]
        assert not any(point["degraded"] for point in of_type(service.events("c"), "point"))
        assert service.runtime.load["waiting_turns"] == 0
        service.check("c")


def turns_of(service: Service, call_id: str) -> list[str]:
    """What was published is stored."""
    return [turn["segment_id"] for turn in of_type(service.events(call_id), "turn")]


async def test_a_client_of_an_overloaded_service_may_hang_up(run: Run, rules: Rules) -> None:
    """What it was promised is kept; what was never acknowledged may be sent again, once."""
    config = Config(ingest=IngestSettings(max_waiting=2))
    async with run(config, rules=rules) as service, served(service) as url, watching(url) as heard:
        service.scorer.gate.clear()
        async with sender(url) as client:
            await client.acked(start(), said(0, PLAIN), said(1, PLAIN))
            await client.send(said(2, PLAIN))
        service.scorer.gate.set()
        async with sender(url) as again:
            await again.acked(said(1, PLAIN), said(2, PLAIN), end(20.0))
            await next_of(heard, type="call", state="end")
        assert turns_of(service, "c") == ["0", "1", "2"]
