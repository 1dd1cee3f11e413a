"""When the disk, the core or the clock misbehave: one call's trouble stays its own, and nothing acked is lost."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from typing import Any

import msgspec
import pytest

from monitor.core.fold import Fold
from monitor.core.inputs import Record
from monitor.service.answers import Refused
from monitor.service.hub import FeedFilter
from monitor.service.store import Store
from tests.service.conftest import Run, Service, end, of_type, said, start, take_all
from tests.service.test_runtime import heated_call

pytestmark = pytest.mark.asyncio


def refuse_writes_of(service: Service, call_id: str) -> None:
    """The database itself refuses this call's records until the trigger is dropped."""
    when = f"NEW.call_id = '{call_id}'"
    trigger = f"CREATE TRIGGER full BEFORE INSERT ON records WHEN {when} BEGIN SELECT RAISE(ABORT, 'full'); END"
    service.store.transact(lambda db: db.execute(trigger).rowcount)


def allow_writes(service: Service) -> None:
    service.store.transact(lambda db: db.execute("DROP TRIGGER full").rowcount)


async def test_a_write_that_fails_is_not_acked_and_the_call_goes_on_from_its_journal(run: Run) -> None:
    async with run() as service:
        call = heated_call()
        await take_all(service, call[:3])
        await service.until("c", lambda events: len(of_type(events, "turn")) == 2)
        await asyncio.to_thread(refuse_writes_of, service, "c")
        lost = [await service.runtime.submit(message) for message in call[3:5]]
        for taken in lost:
            with pytest.raises(Refused) as refused:
                await taken.durable()
            assert (refused.value.code, refused.value.segment_id) == ("overloaded", taken.receipt.segment_id)
        await service.runtime.take(said(0, "meanwhile", "other"))
        assert service.runtime.metrics.store_failures._value.get() >= 2
        await asyncio.to_thread(allow_writes, service)
        await take_again(service, [*call, end(30.0)])
        await service.ended("c")
        service.check("c")
        assert len(of_type(service.events("c"), "turn")) == 6


async def test_a_call_whose_score_could_not_be_stored_is_taken_up_again_by_itself(run: Run) -> None:
    async with run() as service:
        service.scorer.gate.clear()
        await take_all(service, [*heated_call(), end(30.0)])
        await asyncio.to_thread(refuse_writes_of, service, "c")
        service.scorer.gate.set()
        async with asyncio.timeout(30):
            while service.runtime.view("c") is not None:
                await asyncio.to_thread(service.store.flush)
        assert of_type(service.events("c"), "turn") == []
        await asyncio.to_thread(allow_writes, service)
        await service.ended("c")
        service.check("c")
        assert len(of_type(service.events("c"), "turn")) == 6


async def test_a_fault_of_the_core_in_one_call_leaves_the_others_alone(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault is injected: a fold that raises at one text, as a bug in the core would."""
    sound = Fold.apply

    def apply(self: Fold, record: Record) -> Any:
        if getattr(record, "text", "") == "poison":
            raise ZeroDivisionError
        return sound(self, record)

    monkeypatch.setattr(Fold, "apply", apply)
    async with run() as service:
        await take_all(service, [start(), said(0, "hello"), said(0, "hello", "other")])
        with pytest.raises(Refused) as refused:
            await service.runtime.take(said(1, "poison"))
        assert (refused.value.code, refused.value.segment_id) == ("bad_message", "1")
        assert service.runtime.metrics.core_failures._value.get() == 1
        await take_again(service, [said(2, "hello again"), end(30.0)])
        await service.runtime.take(said(1, "fine", "other"))
        await service.ended("c")
        service.check("c")
        assert [turn["segment_id"] for turn in of_type(service.events("c"), "turn")] == ["0", "2"]


async def test_a_journal_that_cannot_be_folded_does_not_keep_the_service_from_starting(run: Run) -> None:
    async with run() as service:
        await take_all(service, [start("broken"), said(0, "hello", "broken"), start("c"), said(0, "hello")])
        path = service.path
    with sqlite3.connect(path) as db:
        db.execute("UPDATE records SET body = '{}' WHERE call_id = 'broken' AND n = 1")
    db.close()
    async with run() as service:
        assert [view.call_id for view in service.runtime.views()] == ["c"]
        assert service.runtime.metrics.core_failures._value.get() == 1
        with pytest.raises(Refused):
            await service.runtime.take(said(1, "hello", "broken"))
        await take_all(service, [said(1, "bye"), end(20.0)])
        await service.ended("c")


async def test_events_that_other_rules_made_are_kept_and_counted(run: Run) -> None:
    async with run() as service:
        await take_all(service, heated_call())
        await service.until("c", lambda events: len(of_type(events, "turn")) == 6)
        before = service.store.events("c")
    changed = msgspec.structs.replace(service.rules, versions={"model": "other", "rules": "x", "packs": "y"})
    async with run(rules=changed) as service:
        assert service.runtime.metrics.recovery_mismatches._value.get() == 1
        await service.runtime.take(end(30.0))
        await service.ended("c")
        assert service.store.events("c")[: len(before)] == before


async def test_a_silence_alert_comes_by_the_clock_alone(run: Run) -> None:
    """An upset customer, then nothing: the wall clock brings the alert, at the call time at which it was due."""
    async with run(silence_after_s=0.5) as service:
        await take_all(service, [start(), said(0, "I am furious!")])
        events = await service.until("c", lambda found: kinds(found, "silence"))
        (alert,) = [event for event in of_type(events, "alert") if event["kind"] == "silence"]
        assert alert["at_s"] == 3.5
        await service.runtime.take(end(30.0))
        await service.ended("c")
        service.check("c")


async def test_nobody_is_called_silent_in_mid_sentence(run: Run) -> None:
    """While the agent speaks, the tick is held back; her final comes, and no silence was ever said."""
    async with run(silence_after_s=0.3) as service:
        await take_all(service, [start(), said(0, "I am furious!")])
        reply = said(1, "I am so sorry to hear that, let me look into it at once.", role="agent", at_s=3.1)
        await service.runtime.take(msgspec.structs.replace(reply, final=False, end_s=3.2))
        due = service.runtime._table.calls["c"].wake_at_s(service.runtime.limits.speaking_hold_s)
        loop_now = asyncio.get_running_loop().time()
        assert due is None or due > loop_now + 5.0
        await service.runtime.take(reply)
        events = await service.until("c", lambda found: len(of_type(found, "turn")) == 2)
        assert not kinds(events, "silence")


async def test_a_call_without_end_closes_after_the_idle_timeout(run: Run) -> None:
    async with run(idle_timeout_s=0.5) as service:
        await take_all(service, [start(), said(0, "hello")])
        events = await service.ended("c")
        (over,) = [event for event in of_type(events, "call") if event["state"] == "end"]
        assert over["reason"] == "idle_timeout"
        service.check("c")


async def test_time_stands_still_while_the_service_is_down(run: Run) -> None:
    """A restart does not make a call idle or silent for the time in which nobody listened."""
    async with run(idle_timeout_s=3600.0) as service:
        await take_all(service, [start(), said(0, "hello")])
        await service.until("c", lambda events: len(of_type(events, "turn")) == 1)
    async with run(idle_timeout_s=3600.0) as service:
        call = service.runtime._table.calls["c"]
        assert 3.0 <= call.clock.at_s(time.monotonic()) < 60.0


async def test_a_slow_feed_reader_does_not_slow_anything(run: Run) -> None:
    async with run() as service:
        service.runtime.hub.subscribe(FeedFilter())  # never read
        await take_all(service, [*heated_call(), end(30.0)])
        await service.ended("c")


async def test_a_store_opened_read_only_sees_a_live_call(run: Run) -> None:
    async with run() as service:
        await take_all(service, [start(), said(0, "hello")])
        beside = Store.open(str(service.path), read_only=True)
        assert len(beside.records("c")) >= 2
        beside.close()


def kinds(events: list[dict[str, Any]], kind: str) -> bool:
    return any(event["kind"] == kind for event in of_type(events, "alert"))


async def take_again(service: Service, messages: list[Any]) -> None:
    """Sends what a client would: what is refused as `overloaded` once more, until it is taken."""
    async with asyncio.timeout(30):
        for message in messages:
            while await refusal(service, message) == "overloaded":
                await asyncio.to_thread(service.store.flush)


async def refusal(service: Service, message: Any) -> str | None:
    try:
        await service.runtime.take(message)
    except Refused as refused:
        return refused.code
    return None
