"""The runtime as ingest and REST use it: what is taken is durable, in order, shown once, and survives a restart."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import msgspec
import pytest

from monitor.config import Config, IngestSettings
from monitor.core.events import Alert
from monitor.core.inputs import AlertAction, PromptAction
from monitor.service.answers import Refused
from monitor.service.hub import Closed, FeedFilter, Wants
from monitor.service.rows import AlertQuery, CallQuery
from stream.messages import CallHold, CallResume, Transcript
from tests.service.conftest import Run, Service, end, has_ended, of_type, said, start, take_all

pytestmark = pytest.mark.asyncio

HEATED = ["My router is dead.", "I am furious, this is the third time!", "Get me your manager, I am furious!"]


def heated_call(call_id: str = "c") -> list[Any]:
    turns = [
        said(n, text, call_id, "customer" if n % 2 == 0 else "agent")
        for n, text in enumerate([HEATED[0], "One moment.", HEATED[1], "I see.", HEATED[2], "I will fetch her."])
    ]
    return [start(call_id), *turns]


async def test_a_call_from_start_to_end(run: Run) -> None:
    async with run() as service:
        await take_all(service, [*heated_call(), end(30.0)])
        events = await service.ended("c")
        service.check("c")
        assert len(of_type(events, "turn")) == 6
        alerts = of_type(events, "alert")
        assert "escalation_request" in {alert["kind"] for alert in alerts}
        row = service.store.call("c")
        assert row is not None
        assert (row.state, row.finished, row.turns, row.team, row.agent_id) == ("ended", True, 6, "billing", "a-1")
        assert row.peak_tension == max(point["tension"] for point in of_type(events, "point"))
        assert {"anger", "ask_superior"} <= set(row.labels)
        assert row.outcome_guess == of_type(events, "call")[-1]["outcome_guess"]
        assert row.alerts == len([alert for alert in alerts if alert["state"] == "firing"])
        assert [found.call_id for found in service.store.calls(CallQuery(label="anger", text="third TIME"))] == ["c"]
        assert {found.alert_id for found in service.store.alerts(AlertQuery(call_id="c"))} == {
            alert["alert_id"] for alert in alerts
        }
        assert service.runtime.load["calls"] == 0


async def test_the_ack_does_not_wait_for_the_score(run: Run) -> None:
    async with run() as service:
        service.scorer.gate.clear()
        receipt = await service.runtime.take(said(0, HEATED[1]))
        assert receipt.segment_id == "0"
        assert service.store.has_segment("c", "0")
        assert of_type(service.events("c"), "turn") == []
        service.scorer.gate.set()
        await service.until("c", lambda events: len(of_type(events, "turn")) == 1)


async def test_what_is_not_committed_is_neither_acked_nor_shown(run: Run) -> None:
    async with run() as service:
        assert service.store.writer is not None
        subscription = service.runtime.hub.subscribe(FeedFilter())
        frames = aiter(subscription)
        await anext(frames)
        gate, began = threading.Event(), threading.Event()
        service.store.writer.submit(lambda db: began.set() or gate.wait(60), lambda result: None)
        assert await asyncio.to_thread(began.wait, 30)
        taken = await service.runtime.submit(start())
        next_frame = asyncio.ensure_future(anext(frames))
        await asyncio.sleep(0)
        assert taken.stored is not None
        assert not taken.stored.done()
        assert not next_frame.done()
        assert service.runtime.views() == []
        assert service.runtime.hub.seq == 0
        assert service.store.call("c") is None
        gate.set()
        await taken.durable()
        async with asyncio.timeout(30):
            assert msgspec.json.decode(await next_frame)["state"] == "start"
        assert [view.call_id for view in service.runtime.views()] == ["c"]
        subscription.close()


async def test_finals_sent_again_are_acked_without_a_record(run: Run) -> None:
    async with run() as service:
        call = heated_call()
        await take_all(service, call)
        before = len(service.store.records("c"))
        final = call[1]
        assert (await service.runtime.take(final)).segment_id == "0"
        assert (await service.runtime.take(msgspec.structs.replace(final, text="other words"))).segment_id == "0"
        await service.runtime.take(call[0])
        await service.runtime.take(end(30.0))
        await service.ended("c")
        records = service.store.records("c")
        assert len([body for body in records[before:] if b'"transcript"' in body or b'"call.start"' in body]) == 0
        # and after the end, from the store
        assert (await service.runtime.take(final)).segment_id == "0"
        await service.runtime.take(end(30.0))
        assert service.store.records("c") == records
        with pytest.raises(Refused) as refused:
            await service.runtime.take(said(77, "new after the end"))
        assert (refused.value.code, refused.value.segment_id) == ("unknown_call", "77")
        with pytest.raises(Refused) as refused:
            await service.runtime.take(CallHold(call_id="c", at_s=31.0))
        assert refused.value.code == "unknown_call"
        assert service.store.records("c") == records


async def test_a_final_sent_again_before_its_commit_waits_for_that_commit(run: Run) -> None:
    async with run() as service:
        first = await service.runtime.submit(said(0, "hello"))
        again = await service.runtime.submit(said(0, "hello"))
        assert first.stored is not None
        assert again.stored is first.stored
        await again.durable()
        assert service.store.has_segment("c", "0")


async def test_only_a_start_or_a_transcript_opens_a_call(run: Run) -> None:
    async with run() as service:
        for message in (CallHold(call_id="x", at_s=1.0), CallResume(call_id="x", at_s=1.0), end(1.0, "x")):
            with pytest.raises(Refused, match="not begun"):
                await service.runtime.take(message)
        assert service.store.call("x") is None
        await service.runtime.take(said(0, "hello", "x"))
        assert service.store.call("x") is not None


async def test_personal_data_never_gets_past_the_door(run: Run) -> None:
    async with run() as service:
        text = "My card is 4111 1111 1111 1111 and my mail is ana@example.com"
        await take_all(service, [start(), said(0, text), end(10.0)])
        await service.ended("c")
        everything = b"".join(service.store.records("c") + service.store.events("c"))
        assert b"4111" not in everything
        assert b"ana@" not in everything
        assert b"[card]" in everything
        assert b"[email]" in everything


async def test_a_turn_that_cannot_be_scored_is_a_degraded_point_and_the_call_goes_on(run: Run) -> None:
    async with run() as service:
        await take_all(service, [start(), said(0, "unscorable"), said(1, HEATED[1]), end(10.0)])
        events = await service.ended("c")
        service.check("c")
        points = of_type(events, "point")
        assert points[0]["degraded"] == "scoring_failed"
        assert points[1]["degraded"] is None
        assert points[1]["tension"] > 0


async def test_interims_are_shown_and_never_stored(run: Run) -> None:
    async with run() as service:
        await service.runtime.take(start())
        subscription = service.runtime.hub.subscribe(FeedFilter(team="billing"))
        frames = aiter(subscription)
        await anext(frames)
        interim = msgspec.structs.replace(said(0, "my mail is ana@example.com"), final=False)
        receipt = await service.runtime.take(interim)
        assert receipt.segment_id is None
        frame = msgspec.json.decode(await anext(frames))
        assert (frame["type"], frame["segment_id"], frame["text"]) == ("interim", "0", "my mail is [email]")
        assert "seq" not in frame
        assert len(service.store.records("c")) == 1
        subscription.close()


async def test_restart_goes_on_where_it_was(run: Run) -> None:
    call = heated_call()
    async with run() as service:
        await take_all(service, call[:4])
        await service.until("c", lambda events: len(of_type(events, "turn")) == 3)
        before, last_seq = service.store.events("c"), service.store.last_seq()
    async with run() as service:
        assert service.store.last_seq() == last_seq
        assert [view.call_id for view in service.runtime.views()] == ["c"]
        await take_all(service, [*call, end(30.0)])
        await service.ended("c")
        service.check("c")
        assert service.store.events("c")[: len(before)] == before
        assert len(of_type(service.events("c"), "turn")) == 6
    async with run() as service:
        assert service.runtime.views() == []
        assert service.runtime.metrics.recovered._value.get() == 0


async def test_turns_that_were_not_scored_when_it_stopped_are_scored_after_the_restart(run: Run) -> None:
    async with run() as service:
        service.scorer.gate.clear()
        await take_all(service, [*heated_call(), end(30.0)])
        assert of_type(service.events("c"), "turn") == []
        # the batch under way is scored when the service stops, the rest is not
    async with run() as service:
        events = service.events("c")
        if not has_ended(events):
            events = await service.ended("c")
        service.check("c")
        assert len(of_type(events, "turn")) == 6
        assert service.runtime.metrics.score_failures._value.get() == 0


async def test_the_snapshot_has_the_live_calls_and_the_open_alerts_that_the_reader_may_see(run: Run) -> None:
    async with run() as service:
        await take_all(service, heated_call())
        await take_all(service, [start("quiet", team="tech"), said(0, "hello", "quiet")])
        await service.until("c", lambda events: len(of_type(events, "turn")) == 6)
        everything = await snapshot(service, FeedFilter())
        assert {call["call_id"] for call in everything["calls"]} == {"c", "quiet"}
        alerts = {alert["kind"]: alert for alert in everything["alerts"]}
        assert alerts["escalation_request"]["fired_at"].endswith("Z")
        tech = await snapshot(service, FeedFilter(teams=("tech",)))
        assert [call["call_id"] for call in tech["calls"]] == ["quiet"]
        assert tech["alerts"] == []
        no_alerts = await snapshot(service, lambda about, event: not isinstance(event, Alert))
        assert no_alerts["alerts"] == []


async def snapshot(service: Service, wants: Wants) -> dict[str, Any]:
    subscription = service.runtime.hub.subscribe(wants)
    frame: dict[str, Any] = msgspec.json.decode(await anext(aiter(subscription)))
    subscription.close()
    return frame


async def test_acting_on_a_live_and_on_an_ended_call(run: Run) -> None:
    async with run() as service:
        await take_all(service, heated_call())
        events = await service.until("c", lambda found: bool(of_type(found, "alert")))
        alert = next(found for found in of_type(events, "alert") if found["kind"] == "escalation_request")
        action = AlertAction(call_id="c", at_s=0.0, alert_id=alert["alert_id"], action="ack", by="mira")
        await service.until("c", lambda found: len(of_type(found, "turn")) == 6)
        (said_so,) = await service.runtime.act(action)
        assert isinstance(said_so, Alert)
        assert said_so.state == "acknowledged"
        row = service.store.alert(alert["alert_id"])
        assert row is not None
        assert (row.state, row.acknowledged_by) == ("acknowledged", "mira")
        await service.runtime.take(end(30.0))
        await service.ended("c")
        resolve = AlertAction(
            call_id="c", at_s=0.0, alert_id=alert["alert_id"], action="resolve", by="ana", note="done"
        )
        (resolved,) = await service.runtime.act(resolve)
        assert resolved.at_s >= 30.0
        row = service.store.alert(alert["alert_id"])
        assert row is not None
        assert (row.state, row.resolved_by, row.note) == ("resolved", "ana", "done")
        assert await service.runtime.act(resolve) == []
        service.check("c")
        assert service.runtime.view("c") is None
        with pytest.raises(Refused, match="no such call"):
            await service.runtime.act(PromptAction(call_id="nobody", at_s=0.0, prompt_id="p", action="used"))


async def test_snoozing_counts_from_now(run: Run) -> None:
    async with run() as service:
        await take_all(service, heated_call())
        events = await service.until("c", lambda found: len(of_type(found, "turn")) == 6)
        alert = next(found for found in of_type(events, "alert") if found["kind"] == "escalation_request")
        await service.runtime.act(
            AlertAction(call_id="c", at_s=0.0, alert_id=alert["alert_id"], action="snooze", by="mira", until_s=600.0)
        )
        action = next(
            record
            for record in map(msgspec.json.decode, service.store.records("c"))
            if record["type"] == "alert.action"
        )
        assert action["at_s"] >= 20.0
        assert action["until_s"] == pytest.approx(action["at_s"] + 600.0, abs=0.002)


async def test_when_much_waits_interims_go_first_then_reading_stops_then_new_calls_are_refused(run: Run) -> None:
    config = Config(ingest=IngestSettings(max_waiting=4))
    async with run(config) as service:
        runtime = service.runtime
        service.scorer.gate.clear()
        await runtime.take(start())
        subscription = runtime.hub.subscribe(FeedFilter())
        for n in range(3):
            await runtime.take(said(n, HEATED[1]))
        interim = msgspec.structs.replace(said(9, "still talking"), final=False)
        await runtime.take(interim)
        assert runtime.metrics.shed._value.get() == 1
        await runtime.take(said(3, HEATED[1]))
        assert runtime.load["paused"] == 1
        waiting = asyncio.create_task(runtime.take(said(4, HEATED[1])))
        with pytest.raises(Refused) as refused:
            await runtime.take(said(0, "hello", "new"))
        assert refused.value.code == "overloaded"
        assert not waiting.done()
        assert runtime.metrics.reader_pauses._value.get() >= 1
        service.scorer.gate.set()
        async with asyncio.timeout(30):
            assert (await waiting).segment_id == "4"
        await service.until("c", lambda events: len(of_type(events, "turn")) == 5)
        await runtime.take(said(0, "hello", "new"))
        subscription.close()


async def test_more_calls_than_allowed_are_refused_and_the_others_go_on(run: Run) -> None:
    async with run(Config(ingest=IngestSettings(max_calls=1))) as service:
        await service.runtime.take(start("a"))
        with pytest.raises(Refused, match="as many calls"):
            await service.runtime.take(start("b"))
        await take_all(service, [said(0, "bye", "a"), end(5.0, "a")])
        await service.ended("a")
        await service.runtime.take(start("b"))


async def test_stopping_ends_feeds_and_refuses_what_comes_late(run: Run) -> None:
    async with run() as service:
        await service.runtime.take(start())
        subscription = service.runtime.hub.subscribe(FeedFilter())
        await service.runtime.stop()
        with pytest.raises(Refused, match="restarting"):
            await service.runtime.take(said(0, "late"))
        with pytest.raises(Closed) as closed:
            async for _ in subscription:
                pass
        assert closed.value.code == 1012


async def test_metrics_name_what_happened(run: Run) -> None:
    async with run() as service:
        await take_all(service, [*heated_call(), end(30.0)])
        await service.ended("c")
        service.runtime._sample()
        text = service.runtime.metrics.exposition().decode()
        assert 'becalm_chunks_received_total{kind="final",source="native"} 6.0' in text
        assert "becalm_chunk_to_score_seconds_count 6.0" in text
        assert 'becalm_alerts_total{kind="escalation_request"' in text
        assert "becalm_commit_writes_count 0.0" not in text
        assert "furious" not in text


async def test_an_interim_older_than_what_was_shown_is_not_shown(run: Run) -> None:
    async with run() as service:
        await service.runtime.take(start())
        subscription = service.runtime.hub.subscribe(FeedFilter())
        frames = aiter(subscription)
        await anext(frames)

        def interim(revision: int, text: str, n: int = 0) -> Transcript:
            return msgspec.structs.replace(said(n, text), final=False, revision=revision)

        await take_all(
            service, [interim(3, "I want"), interim(2, "I"), interim(3, "I want my"), interim(4, "I want it")]
        )
        await take_all(service, [said(0, "I want it."), interim(9, "late"), interim(0, "So", 1)])
        shown = []
        while len(shown) < 4:
            one = msgspec.json.decode(await anext(frames))
            if one["type"] == "interim":
                shown.append(one["text"])
        assert shown == ["I want", "I want my", "I want it", "So"]
        assert service.runtime.metrics.stale._value.get() == 2
        subscription.close()
