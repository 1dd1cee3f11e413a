"""Call time on a wall that the tests turn themselves."""

from __future__ import annotations

import asyncio

import pytest

from monitor.service.clock import Alarms, CallClock


def test_call_time_follows_the_message_that_was_furthest_ahead() -> None:
    clock = CallClock(0.0, 1000.0)
    clock.hear(10.0, 1010.5)
    assert clock.at_s(1012.0) == 12.0
    clock.hear(14.0, 1013.0)
    assert clock.at_s(1013.0) == 14.0
    clock.hear(2.0, 1020.0)
    assert clock.at_s(1020.0) == 21.0
    assert clock.wall_s(25.0) == 1024.0


@pytest.mark.asyncio
async def test_alarms_ring_in_order_once_and_only_at_their_latest_time() -> None:
    loop = asyncio.get_running_loop()
    rung: list[str] = []
    done = asyncio.Event()

    def ring(key: str) -> None:
        rung.append(key)
        if key == "last":
            done.set()

    alarms = Alarms(ring, loop.time)
    now = loop.time()
    alarms.set("moved", now + 3600.0)
    alarms.set("second", now + 0.02)
    alarms.set("removed", now + 0.01)
    alarms.set("first", now - 5.0)
    alarms.set("moved", now + 0.03)
    alarms.set("removed", None)
    alarms.set("last", now + 0.04)
    async with asyncio.timeout(30):
        await done.wait()
    assert rung == ["first", "second", "moved", "last"]
    assert len(alarms) == 0


@pytest.mark.asyncio
async def test_an_alarm_may_be_set_again_while_it_rings() -> None:
    loop = asyncio.get_running_loop()
    times: list[float] = []
    done = asyncio.Event()

    def ring(key: str) -> None:
        times.append(loop.time())
        if len(times) == 3:
            done.set()
        else:
            alarms.set(key, loop.time())

    alarms = Alarms(ring, loop.time)
    alarms.set("again", loop.time())
    async with asyncio.timeout(30):
        await done.wait()
    assert len(times) == 3
    alarms.stop()


@pytest.mark.asyncio
async def test_a_thousand_moves_leave_one_alarm_and_a_small_heap() -> None:
    loop = asyncio.get_running_loop()
    alarms = Alarms(lambda key: None, loop.time)
    for step in range(1000):
        alarms.set("call", loop.time() + 1000.0 + step)
    assert len(alarms) == 1
    assert len(alarms._heap) < 100
    alarms.stop()
