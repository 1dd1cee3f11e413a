"""The ingest websocket over real sockets: every kind of bad input has a named answer, and harms nothing else."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from models.worker import ScoringWorker
from monitor.service import ingest, serving
from monitor.service.app import create_app
from monitor.service.auth import Auth
from monitor.service.limits import MESSAGE_BYTES, UNACKED
from stream.messages import encode
from tests.service.conftest import Run, Service, end, of_type, said, start
from tests.service.test_runtime import heated_call

pytestmark = pytest.mark.asyncio


class Client:
    """A sender: frames out, answers in."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def send(self, frame: Any) -> None:
        await self.socket.send(frame if isinstance(frame, str | bytes) else encode(frame).decode())

    async def answer(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            answer: dict[str, Any] = msgspec.json.decode(await self.socket.recv())
            return answer

    async def acked(self, *messages: Any) -> None:
        """Sends messages and waits for the ack of each final among them."""
        for message in messages:
            await self.send(message)
        for message in messages:
            if getattr(message, "final", False):
                expected = {"type": "ack", "call_id": message.call_id, "segment_id": message.segment_id}
                assert await self.answer() == expected


@asynccontextmanager
async def served(service: Service) -> AsyncIterator[str]:
    """The whole application on a free port, in this loop; the runtime was started by the fixture already."""
    listener = serving.listen("127.0.0.1", 0)
    auth = Auth(None, "127.0.0.1")
    worker = ScoringWorker(service.scorer)
    asgi = create_app(service.runtime, service.config, auth, store=service.store, worker=worker, rules=service.rules)
    settings = serving.settings(asgi, service.config)
    settings.lifespan = "off"
    server = serving.Server(settings, service.runtime)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(30):
        await server.ready.wait()
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/v1/ingest"
    finally:
        server.should_exit = True
        await task
        listener.close()


@asynccontextmanager
async def sender(url: str) -> AsyncIterator[Client]:
    async with connect(url, compression=None, max_size=None, proxy=None) as socket:
        yield Client(socket)


def frame(**fields: Any) -> str:
    """A sound final with some fields replaced; None takes a field out."""
    whole = {
        "type": "transcript", "call_id": "c", "segment_id": "s", "role": "customer", "text": "t", "final": True,
        "start_s": 1.0,
    } | fields  # fmt: skip
    return msgspec.json.encode({name: value for name, value in whole.items() if value is not None}).decode()


BAD = {
    "no JSON": ("{not json", "bad_json"),
    "empty": ("", "bad_json"),
    "half an object": ('{"type":"transcript"', "bad_json"),
    "an array": ("[1, 2]", "bad_message"),
    "a number": ("17", "bad_message"),
    "no type": ('{"call_id":"c"}', "bad_message"),
    "unknown type": ('{"type":"call.dance","call_id":"c"}', "bad_message"),
    "missing field": (frame(text=None), "bad_message"),
    "wrong type": (frame(start_s="soon"), "bad_message"),
    "bool as number": (frame(revision=True), "bad_message"),
    "unknown role": (frame(role="ghost"), "bad_message"),
    "negative time": (frame(start_s=-1.0), "bad_message"),
    "time without end": (frame(start_s=1e300), "bad_message"),
    "end before start": (frame(end_s=0.5), "bad_message"),
    "empty call id": (frame(call_id=""), "bad_message"),
    "endless call id": (frame(call_id="c" * 5000), "bad_message"),
    "control character in an id": (frame(call_id="a\nb"), "bad_message"),
    "NaN": ('{"type":"transcript","call_id":"c","segment_id":"s","start_s":NaN}', "bad_json"),
    "infinity": ('{"type":"call.hold","call_id":"c","at_s":1e999}', "bad_message"),
    "lone surrogate": (frame().replace('"t"', '"\\ud800"'), "bad_json"),
    "deep nesting": ('{"type":"transcript","x":' + "[" * 20_000 + "]" * 20_000 + "}", "bad_json"),
    "deep nesting of objects": ('{"x":' * 5_000 + "1" + "}" * 5_000, "bad_json"),
    "text too long": (frame(text="x" * 30_000), "too_large"),
    "oversize": (frame(text="x" * (MESSAGE_BYTES + 1)), "too_large"),
    "oversize in bytes": (frame(text="怒" * (MESSAGE_BYTES // 3 + 1)), "too_large"),
    "binary": (frame().encode(), "bad_message"),
    "binary that is no UTF-8": (b"\xff\xfe\x00", "bad_message"),
    "hold before the call": (encode(start("x")).decode().replace("call.start", "call.hold"), "bad_message"),
    "hold of an unknown call": ('{"type":"call.hold","call_id":"nobody","at_s":1.0}', "unknown_call"),
    "end of an unknown call": ('{"type":"call.end","call_id":"nobody","at_s":1.0}', "unknown_call"),
}


async def test_every_kind_of_bad_input_is_named_and_the_connection_goes_on(run: Run) -> None:
    async with run() as service, served(service) as url, sender(url) as bad, sender(url) as other:
        await other.acked(start("other"), said(0, "hello", "other"))
        for number, (name, (sent, code)) in enumerate(BAD.items()):
            await bad.send(sent)
            answer = await bad.answer()
            assert (answer["type"], answer["code"]) == ("error", code), name
            assert answer["message"].endswith("."), name
            await bad.acked(said(number, "still here", "good"))
        await other.acked(said(1, "bye", "other"), end(9.0, "other"))
        await service.ended("other")
        rejected = service.runtime.metrics.rejected
        counted = sum(rejected.labels("native", code)._value.get() for code in {code for _, code in BAD.values()})
        assert counted == len(BAD)
        assert service.store.call("c") is None


async def test_an_error_names_the_field_and_the_segment_but_never_quotes_the_text(run: Run) -> None:
    async with run() as service, served(service) as url, sender(url) as client:
        await client.send(frame(segment_id="s-7", text="private words", start_s="soon"))
        answer = await client.answer()
        assert answer["segment_id"] == "s-7"
        assert "start_s" in answer["message"]
        assert "private" not in answer["message"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [("x" * 300_000, 1009), ("endless", 1009)],
    ids=["a frame of 300 kB", "a message of many fragments"],
)
async def test_what_no_message_can_be_closes_that_connection_alone(run: Run, payload: str, code: int) -> None:
    async with run() as service, served(service) as url, sender(url) as bad, sender(url) as other:
        with pytest.raises(ConnectionClosed) as closed:
            await ask(bad, payload if payload != "endless" else itertools.repeat("x" * 1000))
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code
        await other.acked(start(), said(0, "hello"))


async def ask(client: Client, message: Any) -> dict[str, Any]:
    await client.socket.send(message)
    return await client.answer()


async def test_a_text_frame_that_is_no_utf8_closes_with_1007_and_harms_no_other(run: Run) -> None:
    async with run() as service, served(service) as url, sender(url) as bad, sender(url) as other:
        await bad.socket.send(b"\xff\xfe", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            await bad.answer()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1007
        await other.acked(start(), said(0, "hello"))


async def test_messages_after_the_end(run: Run) -> None:
    async with run() as service, served(service) as url, sender(url) as client:
        await client.acked(*heated_call())
        await client.send(end(30.0))
        await service.ended("c")
        await client.acked(said(0, "sent again"))
        for late in (said(50, "new"), end(31.0)):
            await client.send(late)
            answer = await client.answer()
            assert answer["code"] == "unknown_call"
        service.check("c")


async def test_reordered_repeated_and_spread_over_connections_gives_the_tidy_calls_events(run: Run) -> None:
    """Numbered finals inside the window, shuffled and doubled, beside another call: the same events."""
    words = ["My router is dead.", "One moment.", "I am furious!", "I see.", "Get me your manager!", "I will."]

    def turns(call_id: str) -> list[Any]:
        roles = ("customer", "agent")
        return [said(n, text, call_id, roles[n % 2], at_s=n / 10) for n, text in enumerate(words)]

    mixed = turns("mess") * 2
    random.Random(7).shuffle(mixed)
    assert [message.segment_id for message in mixed] != sorted(message.segment_id for message in mixed)
    async with run(reorder_window_s=5.0) as service, served(service) as url:
        async with sender(url) as one, sender(url) as two:
            await one.acked(start("tidy"), *turns("tidy"))
            await one.acked(start("mess"))
            for number, message in enumerate(mixed):
                await (one if number % 2 else two).acked(message)
            await two.acked(said(0, "another call", "beside"))
            await one.send(end(30.0, "mess"))
            await one.send(end(30.0, "tidy"))
            tidy, mess = await service.ended("tidy"), await service.ended("mess")
        service.check("mess")
        assert without_ids(tidy) == without_ids(mess)
        assert len(of_type(mess, "turn")) == len(words)


def without_ids(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What does not derive from the call's own name."""
    return [{**event, "call_id": "", "alert_id": "", "prompt_id": ""} for event in events]


async def test_the_address_fills_in_what_frames_do_not_say(run: Run) -> None:
    async with run() as service, served(service) as url:
        async with sender(f"{url}?call_id=q&role=agent&language=hr") as client:
            await client.send('{"type":"transcript","segment_id":"0","text":"Dobar dan","final":true,"start_s":0}')
            assert await client.answer() == {"type": "ack", "call_id": "q", "segment_id": "0"}
            record = msgspec.json.decode(service.store.records("q")[0])
            assert (record["role"], record["language"]) == ("agent", "hr")
            await client.send("[" * 40_000)
            assert (await client.answer())["code"] == "bad_json"
            await client.send('{"type":["x"]}')
            assert (await client.answer())["code"] == "bad_message"
        async with sender(f"{url}?source=telepathy") as client:
            with pytest.raises(ConnectionClosed) as closed:
                await client.answer()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1008


async def test_acks_come_in_order_and_only_for_finals(run: Run) -> None:
    async with run() as service, served(service) as url, sender(url) as client:
        await client.send(start())
        for n in range(300):
            await client.send(msgspec.structs.replace(said(n, "part"), final=False))
            await client.send(said(n, "whole"))
        for n in range(300):
            assert (await client.answer())["segment_id"] == str(n)


async def test_a_client_that_never_reads_holds_up_itself_alone(run: Run) -> None:
    async with run() as service, served(service) as url, sender(url) as mute, sender(url) as other:
        assert service.store.writer is not None
        await other.acked(start("other"))
        waiting = asyncio.create_task(flood(mute))
        await other.acked(*[said(n, "hello", "other") for n in range(20)])
        assert service.runtime.load["calls"] >= 1
        waiting.cancel()
        mute.socket.transport.abort()


async def flood(client: Client) -> None:
    for n in itertools.count():
        await client.send(said(n, "hello", "flood", at_s=n / 100))


async def test_a_restart_closes_with_1012(run: Run) -> None:
    async with run() as service, served(service) as url, sender(url) as client:
        await client.acked(start(), said(0, "hello"))
        await service.runtime.stop()
        with pytest.raises(ConnectionClosed) as closed:
            await client.answer()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012


async def test_too_many_connections_are_closed_with_1013(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "CONNECTIONS", 1)
    async with run() as service, served(service) as url, sender(url) as client:
        await client.acked(start(), said(0, "hello"))
        async with sender(url) as more:
            with pytest.raises(ConnectionClosed) as closed:
                await more.answer()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
        await client.acked(said(1, "still here"))


async def test_unacked_messages_of_a_connection_are_bounded(run: Run) -> None:
    """While the disk stands still, no more than the bound are taken; afterwards all are acked."""
    async with run() as service, served(service) as url, sender(url) as client, sender(url) as other:
        assert service.store.writer is not None
        await client.acked(start(), said(0, "hello"))
        gate = threading.Event()
        service.store.writer.submit(lambda db: gate.wait(60), lambda result: None)
        total = 2 * UNACKED
        sending = asyncio.create_task(client_sends(client, total))
        received = service.runtime.metrics.received.labels("native", "final")
        async with asyncio.timeout(30):
            while received._value.get() < UNACKED:
                await ask(other, "no JSON")
        taken = received._value.get()
        assert taken <= UNACKED + 3
        gate.set()
        await sending
        for n in range(1, total):
            assert (await client.answer())["segment_id"] == str(n)
        assert len(of_type([msgspec.json.decode(body) for body in service.store.records("c")], "transcript")) == total


async def client_sends(client: Client, total: int) -> None:
    for n in range(1, total):
        await client.send(said(n, "hello"))


async def test_errors_name_call_and_segment_where_they_can_be_read(run: Run) -> None:
    async with run() as service, served(service) as url:
        async with sender(url) as client:
            for sent in (frame(text="x" * (MESSAGE_BYTES + 1)), frame(start_s="soon"), frame(text="x" * 30_000)):
                await client.send(sent)
                answer = await client.answer()
                assert (answer["call_id"], answer["segment_id"]) == ("c", "s"), answer["code"]
            await client.send('{"type":"call.hold","call_id":"nobody","at_s":1.0}')
            assert (await client.answer())["call_id"] == "nobody"
            await client.send("{not json")
            answer = await client.answer()
            assert not {"call_id", "segment_id"} & answer.keys()
            await client.send(frame(call_id="c" * 5000))
            assert "call_id" not in await client.answer()
        async with sender(f"{url}?call_id=q") as client:
            await client.send("{not json")
            assert (await client.answer())["call_id"] == "q"
