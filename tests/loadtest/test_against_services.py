"""`becalm loadtest` over real sockets: a real service, one that loses finals, and one that refuses."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from monitor.cli.main import main
from monitor.loadtest import step

pytestmark = pytest.mark.heavy  # real processes, half a minute and more

QUICK = ["--calls", "3", "--seconds", "1", "--every-s", "0.25"]


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_every_final_of_every_call_comes_back(small_service: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["loadtest", "--url", small_service, *QUICK, "--calls-per-connection", "2", "--readers", "3", "--json"]
    assert main(words) == 0
    (one,) = report(capsys)["steps"]  # type: ignore[misc]
    assert one["finals"] == one["acked"] == one["scored"] == 12
    assert (one["lost"], one["unanswered"], one["errors"], one["reconnects"]) == (0, 0, {}, 0)
    assert one["score_ms"]["p50"] <= one["score_ms"]["p99"] <= one["score_ms"]["max"]


def test_a_ramp_has_a_line_a_step(small_service: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["loadtest", "--url", small_service, *QUICK, "--ramp", "--steps", "3", "--no-interims"]) == 0
    shown = capsys.readouterr()
    assert [line.split()[0] for line in shown.out.splitlines()[2:]] == ["1", "2", "3"]
    assert shown.err == "", "progress is for terminals"


def test_a_search_says_how_many(small_service: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--search", "--most", "4", "--limit-ms", "20000"]
    assert main(["loadtest", "--url", small_service, *QUICK, *words]) == 0
    assert "carried with p99 under 20000 ms: 4 calls" in capsys.readouterr().out


Handler = Callable[[ServerConnection], Awaitable[None]]


@contextmanager
def serving(ingest: Handler) -> Iterator[str]:
    """Somebody else's service in a thread of its own; its feed says nothing after the snapshot."""

    async def handle(socket: ServerConnection) -> None:
        assert socket.request is not None
        if socket.request.path.startswith("/v1/feed"):
            await socket.send('{"type":"snapshot"}')
            await socket.wait_closed()
        else:
            await ingest(socket)

    stop = threading.Event()
    address: Future[str] = Future()

    async def life() -> None:
        async with serve(handle, "127.0.0.1", 0) as server:
            address.set_result(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=asyncio.run, args=(life(),))
    thread.start()
    try:
        yield address.result(30)
    finally:
        stop.set()
        thread.join(30)


async def answering(socket: ServerConnection, answer: Callable[[dict[str, str]], dict[str, str]]) -> None:
    async for frame in socket:
        message = json.loads(frame)
        if message["type"] == "transcript" and message["final"]:
            await socket.send(json.dumps(answer(message)))


async def forgets(socket: ServerConnection) -> None:
    names = ("call_id", "segment_id")
    await answering(socket, lambda message: {"type": "ack", **{name: message[name] for name in names}})


def test_what_was_acked_and_lost_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(step, "PATIENCE_S", 0.5)

    with serving(forgets) as url:
        assert main(["loadtest", "--url", url, *QUICK]) == 1
    assert "12 finals of 3 calls were acked and never scored" in capsys.readouterr().err


def test_refusals_are_counted_by_code(capsys: pytest.CaptureFixture[str]) -> None:
    async def refuses(socket: ServerConnection) -> None:
        await answering(
            socket,
            lambda message: {
                "type": "error",
                "code": "not_allowed",
                "message": "No.",
                "segment_id": message["segment_id"],
            },
        )

    with serving(refuses) as url:
        assert main(["loadtest", "--url", url, *QUICK, "--json"]) == 1, "nothing was scored"
    (one,) = report(capsys)["steps"]  # type: ignore[misc]
    assert (one["errors"], one["acked"], one["lost"], one["unanswered"]) == ({"not_allowed": 12}, 0, 0, 0)


def test_a_token_that_may_not_send_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    async def shuts(socket: ServerConnection) -> None:
        await socket.close(1008, "This needs the role ingest.")

    with serving(shuts) as url:
        assert main(["loadtest", "--url", url, *QUICK]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "not allowed: This needs the role ingest." in line


def test_a_step_that_cannot_keep_the_limit_ends_early(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(step, "PATIENCE_S", 0.5)

    words = ["--calls", "1", "--seconds", "60", "--every-s", "0.02", "--search", "--limit-ms", "50", "--json"]
    with serving(forgets) as url:
        assert main(["loadtest", "--url", url, *words]) == 1
    found = report(capsys)
    assert found["most_calls"] == 0
    assert found["steps"][0]["stopped"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["--calls", "0"], 2, "argument --calls: must be 1 or more"),
        (["--seconds", "-1"], 2, "argument --seconds: must be above 0"),
        (["--ramp", "--search"], 2, "argument --search: not allowed with argument --ramp"),
        (["--texts", "none.jsonl"], 1, "none.jsonl: No such file or directory"),
        (["--url", "ftp://x"], 1, "ftp://x: is no address"),
        (["--url", "http://127.0.0.1:1"], 1, "cannot connect; is `becalm serve` running there?"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    words: list[str], status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if status == 2:
        with pytest.raises(SystemExit) as ended:
            main(["loadtest", *words])
        assert ended.value.code == 2
    else:
        assert main(["loadtest", *words]) == status
    said = capsys.readouterr()
    assert said.out == ""
    assert line in said.err.splitlines()[-1]
