"""`becalm send`: acks counted, unacked finals resent after a lost connection, refusals named."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from monitor.sending import Outbox, Player, SendError, Timed, ingest_url, plan
from stream.messages import CallEnd, CallStart, Message, Transcript
from tests.cli.conftest import DEMO, Becalm, Service


def final(call_id: str, number: int, start_s: float = 0.0) -> Transcript:
    return Transcript(call_id, str(number), "customer", "Hello", True, start_s, start_s + 1.0)


def call(call_id: str, turns: int) -> list[Message]:
    return [CallStart(call_id), *(final(call_id, n, 2.0 * n) for n in range(turns)), CallEnd(call_id, 2.0 * turns)]


def test_calls_play_side_by_side_and_keep_their_own_order() -> None:
    timed = plan([*call("a", 2), *call("b", 2)], stagger_s=0.5)
    assert [(item.due_s, item.message.call_id) for item in timed] == [
        (0.0, "a"), (0.5, "b"), (1.0, "a"), (1.5, "b"), (3.0, "a"), (3.5, "b"), (4.0, "a"), (4.5, "b"),
    ]  # fmt: skip


def test_an_ack_also_settles_what_the_call_sent_before_it() -> None:
    outbox = Outbox()
    for message in [*call("a", 2), CallStart("b")]:
        outbox.add(message, 0.0)
    assert outbox.ack("a", "0", 1.5) == 1.5
    assert outbox.ack("a", "0", 1.5) is None
    assert outbox.messages() == [final("a", 1, 2.0), CallEnd("a", 4.0), CallStart("b")]
    assert outbox.unacked == 1


def test_a_refused_final_is_not_waited_for() -> None:
    outbox = Outbox()
    outbox.add(final("a", 1), 0.0)
    outbox.refuse("1")
    outbox.refuse(None)
    assert (len(outbox), outbox.unacked) == (0, 0)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("http://127.0.0.1:8700", "ws://127.0.0.1:8700/v1/ingest?source=native"),
        ("localhost:8700/", "ws://localhost:8700/v1/ingest?source=native"),
        ("wss://desk.example.com/v1/ingest?x=1", "wss://desk.example.com/v1/ingest?x=1&source=native"),
    ],
)
def test_addresses(given: str, address: str) -> None:
    assert ingest_url(given) == address


@pytest.mark.parametrize("given", ["ftp://x", "http://", ""])
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(SendError):
        ingest_url(given)


Handler = Callable[[ServerConnection], Awaitable[None]]


async def played(handler: Handler, messages: list[Message]) -> Player:
    async with serve(handler, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        timed: list[Timed] = plan(messages)
        player = Player(ingest_url(f"127.0.0.1:{port}"), timed, speed=None)
        async with asyncio.timeout(30):
            await player.run()
    return player


@pytest.mark.asyncio
async def test_what_was_not_acked_is_sent_again_after_a_lost_connection() -> None:
    taken: list[list[str]] = []

    async def forgetful(socket: ServerConnection) -> None:
        """Acks the first three finals of the first connection, and then goes away without a word."""
        taken.append([])
        async for frame in socket:
            message = json.loads(frame)
            taken[-1].append(message.get("segment_id", message["type"]))
            if message["type"] == "transcript":
                await socket.send(json.dumps({"type": "ack", "call_id": "a", "segment_id": message["segment_id"]}))
            if len(taken) == 1 and message.get("segment_id") == "2":
                socket.transport.abort()
                return

    report = (await played(forgetful, call("a", 6))).report
    assert (report.acked, report.finals, report.reconnects, report.complete) == (6, 6, 1, True)
    assert taken[1][-4:] == ["3", "4", "5", "call.end"], "in order, and the end as well"
    assert taken[1][0] in {"call.start", "0", "1", "2", "3"}


@pytest.mark.asyncio
async def test_an_overloaded_service_is_asked_again() -> None:
    asked: list[str] = []

    async def busy(socket: ServerConnection) -> None:
        async for frame in socket:
            message = json.loads(frame)
            asked.append(message["type"])
            if message["type"] == "transcript":
                first = asked.count("transcript") == 1
                answer = {"type": "ack", "call_id": "a", "segment_id": "0"}
                busy_answer = {"type": "error", "code": "overloaded", "message": "Later.", "segment_id": "0"}
                await socket.send(json.dumps(busy_answer if first else answer))

    report = (await played(busy, call("a", 1))).report
    assert (report.acked, report.refused) == (1, {})
    assert asked[-1] == "call.end" or asked.count("call.end") == 1
    assert asked.count("call.start") == 2, "a new call that found no room is begun again"


@pytest.mark.asyncio
async def test_refusals_are_counted_and_named() -> None:
    async def strict(socket: ServerConnection) -> None:
        async for frame in socket:
            message = msgspec.json.decode(frame)
            if message["type"] == "transcript":
                answer = {"type": "error", "code": "not_allowed", "message": "Not yours.", "segment_id": "0"}
                await socket.send(json.dumps(answer))

    report = (await played(strict, call("a", 1))).report
    assert (report.acked, report.refused, report.complete) == (0, {"not_allowed": 1}, False)
    assert report.reasons == ["not_allowed: Not yours."]


def test_a_real_service_acks_everything(becalm: Becalm, service: Service) -> None:
    files = [DEMO / "11-calm-chat.jsonl", DEMO / "12-quiet-emergency.jsonl"]
    first = becalm("send", *files, "--speed", "max", "--url", service.url, "--json")
    assert (first.returncode, first.stderr) == (0, b"")
    report = json.loads(first.stdout)
    assert report["calls"] == 2
    assert report["acked"] == report["finals"] > 30
    again = becalm("send", *files, "--speed", "max", "--url", service.url)
    assert (again.returncode, again.stderr) == (0, b"")
    assert f"{report['finals']} of {report['finals']} finals acked" in again.stdout.decode()
