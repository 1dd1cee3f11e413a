"""SIGKILL under load: `python -m tests.faults.kill --kills 20 --calls 100`.

Callers stream finals over their own websockets, each with several unacknowledged at a time, and a feed reader takes
every event down. The service is killed at random instants and started again; callers connect again and resend what
was not acknowledged, the reader resumes with `since`. At the end nothing that was acknowledged may be missing, and
neither store nor feed may have lost or doubled an event. Prints the findings as JSON; exit status 1 if any is bad.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2
import msgspec
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from models.directory import ModelDirectory
from monitor.config import load
from monitor.core.rules import Rules
from monitor.rules_loading import load_rules
from monitor.service.store import Store
from stream.messages import encode
from tests.service.conftest import end, make_rules, refolded, said, start

WINDOW = 8
"""Finals that a caller leaves unacknowledged at a time."""
SPEECHES = (
    ("customer", "My router is dead."),
    ("agent", "One moment, please."),
    ("customer", "I am furious, this is the third time!"),
    ("agent", "I see."),
    ("customer", "Get me your manager!"),
    ("agent", "I will fetch her."),
    ("customer", "My lawyer will hear of this."),
    ("agent", "It is solved now."),
    ("customer", "All right, thanks."),
)
LOST = (OSError, WebSocketException, TimeoutError)
"""What a caller sees when the service dies: it connects again."""


class Server:
    """The service as a process; `kill` is SIGKILL."""

    def __init__(self, database: Path, real: bool) -> None:
        """`real`: `becalm serve` with the bundled model and packs instead of the small scorer."""
        self.database = database
        self._real = real
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"ws://127.0.0.1:{self.port}"
        self.up = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Returns once it says that it is ready."""
        with (self.database.parent / "server.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self._module(), stdout=asyncio.subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), 300)
        assert b"ready" in line, (self.database.parent / "server.log").read_text()[-2000:]
        self.up.set()

    def _module(self) -> list[str]:
        place = [str(self.database), str(self.port)]
        if not self._real:
            return ["tests.faults.server", *place]
        return ["monitor.cli", "serve", "--db", place[0], "--port", place[1]]

    async def recovered(self) -> int:
        """How many calls the service took up again, by its own count."""
        async with httpx2.AsyncClient(trust_env=False) as client:
            text = (await client.get(f"http://127.0.0.1:{self.port}/metrics")).text
        return int(float(re.search(r"^becalm_recovered_calls_total (\S+)", text, re.MULTILINE)[1]))  # type: ignore[index]

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        assert self._process is not None
        self.up.clear()
        self._process.send_signal(how)
        return await self._process.wait()


class Reader:
    """Takes down every event of the feed, over all restarts."""

    def __init__(self, server: Server) -> None:
        self.events: list[tuple[int, bytes]] = []
        self.ended: set[str] = set()
        self.points_dropped = 0
        self.news = asyncio.Condition()
        self._server = server

    async def until_ended(self, call_id: str) -> None:
        async with self.news:
            await self.news.wait_for(lambda: call_id in self.ended)

    async def run(self) -> None:
        while True:
            await self._server.up.wait()
            since = self.events[-1][0] if self.events else 0
            try:
                url = f"{self._server.url}/v1/feed?since={since}"
                async with connect(url, compression=None, max_size=None, proxy=None) as socket_:
                    async for frame in socket_:
                        await self._take(str(frame))
            except LOST:
                await asyncio.sleep(0.05)

    async def _take(self, frame: str) -> None:
        event = json.loads(frame)
        if event["type"] == "dropped":
            self.points_dropped += event["points"]
        if event["type"] == "snapshot" or "seq" not in event:
            return
        self.events.append((event["seq"], frame.encode()))
        if event["type"] == "call" and event["state"] == "end":
            async with self.news:
                self.ended.add(event["call_id"])
                self.news.notify_all()


class Caller:
    """Makes one call after the other; `acked` is what the service promised to keep, by call."""

    def __init__(self, name: str, server: Server, feed: Reader, pace_s: float, seed: int) -> None:
        self.acked: dict[str, set[str]] = {}
        self._name = name
        self._server = server
        self._feed = feed
        self._pace_s = pace_s
        self._random = random.Random(seed)
        self._room = asyncio.Condition()
        self._begin()

    def _begin(self) -> None:
        self.call_id = f"{self._name}-{len(self.acked)}"
        self.acked[self.call_id] = set()
        self._sent = 0
        self._length = self._random.randint(5, 40)
        self._unacked: dict[str, str] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Ends once told to stop and the feed has said that the last call ended."""
        while True:
            await self._server.up.wait()
            try:
                async with connect(f"{self._server.url}/v1/ingest", compression=None, proxy=None) as socket_:
                    while True:
                        await self._call(socket_, stop)
                        if stop.is_set():
                            return
                        self._begin()
            except LOST:
                await asyncio.sleep(0.05)

    async def _call(self, socket_: Any, stop: asyncio.Event) -> None:
        """Goes on with the call: what was not acknowledged again, then the rest, then its end until that is heard."""
        reader = asyncio.create_task(self._read(socket_))
        try:
            await socket_.send(encode(start(self.call_id)).decode())
            for frame in list(self._unacked.values()):
                await socket_.send(frame)
            while self._sent < self._length and not stop.is_set():
                await self._wait(reader, WINDOW)
                await self._say(socket_)
                await asyncio.sleep(self._pace_s * 2 * self._random.random())
            await self._wait(reader, 1)
            self._length = self._sent
            await socket_.send(encode(end(4.0 * self._sent + 10.0, self.call_id)).decode())
            await self._until_ended(reader)
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _say(self, socket_: Any) -> None:
        role, text = SPEECHES[self._sent % len(SPEECHES)]
        message = said(self._sent, text, self.call_id, role)
        frame = encode(message).decode()
        self._sent += 1
        self._unacked[message.segment_id] = frame
        await socket_.send(frame)

    async def _wait(self, reader: asyncio.Task[None], most: int) -> None:
        """Until fewer than `most` finals are unacknowledged. Raises what ended the reader."""
        async with self._room:
            while len(self._unacked) >= most:
                if reader.done():
                    reader.result()
                await self._room.wait()

    async def _until_ended(self, reader: asyncio.Task[None]) -> None:
        ended = asyncio.create_task(self._feed.until_ended(self.call_id))
        try:
            await asyncio.wait({reader, ended}, return_when=asyncio.FIRST_COMPLETED)
            if reader.done():
                reader.result()
        finally:
            ended.cancel()
            await asyncio.gather(ended, return_exceptions=True)

    async def _read(self, socket_: Any) -> None:
        try:
            while True:
                answer = json.loads(await socket_.recv())
                if answer["type"] == "error" and answer["code"] == "overloaded":
                    raise ConnectionError("no room for another call just now: connect and send again, as told")
                assert answer["type"] == "ack", answer
                self.acked[answer["call_id"]].add(answer["segment_id"])
                self._unacked.pop(answer["segment_id"], None)
                async with self._room:
                    self._room.notify_all()
        finally:
            async with self._room:
                self._room.notify_all()


class Findings(msgspec.Struct):
    """What was counted, and from `acked_lost` on what must be 0."""

    kills: int
    calls: int
    finals_acked: int = 0
    alert_events: int = 0
    events: int = 0
    points_dropped: int = 0
    recovered_per_restart: list[int] = []
    recovery_s: list[float] = []
    acked_lost: int = 0
    turns_doubled: int = 0
    alerts_doubled: int = 0
    refold_mismatches: int = 0
    feed_lost: int = 0
    """Events that the feed never showed, other than points, of which a slow reader gets the newest."""
    feed_doubled: int = 0
    feed_differs: int = 0
    unfinished: int = 0

    @property
    def bad(self) -> bool:
        return any(
            (self.acked_lost, self.turns_doubled, self.alerts_doubled, self.refold_mismatches, self.feed_lost,
             self.feed_doubled, self.feed_differs, self.unfinished)
        )  # fmt: skip


async def play(folder: Path, kills: int, calls: int, pace_s: float, seed: int, real: bool = False) -> Findings:
    """Runs the whole play and judges what is in the database at the end."""
    chance = random.Random(seed)
    server = Server(folder / "becalm.db", real)
    await server.start()
    stop = asyncio.Event()
    reader = Reader(server)
    callers = [Caller(f"call-{n}", server, reader, pace_s, seed + n) for n in range(calls)]
    reading = asyncio.create_task(reader.run())
    tasks = [asyncio.create_task(caller.run(stop)) for caller in callers]
    recovered, recovery_s = [], []
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.05, 1.5))
        await server.kill()
        began = time.monotonic()
        await server.start()
        recovery_s.append(round(time.monotonic() - began, 2))
        recovered.append(await server.recovered())
    await asyncio.sleep(0.5)
    stop.set()
    await asyncio.wait_for(both(asyncio.gather(*tasks), reading), 300)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await server.kill(signal.SIGTERM)
    found = Findings(kills, calls, recovered_per_restart=recovered, recovery_s=recovery_s)
    judge(found, server.database, callers, reader, real_rules() if real else make_rules())
    return found


async def both(calls: asyncio.Future[Any], reading: asyncio.Task[None]) -> None:
    """Waits for the calls; raises what ended them or the reader, which ends by itself only by a fault."""
    await asyncio.wait({calls, reading}, return_when=asyncio.FIRST_COMPLETED)
    (calls if calls.done() else reading).result()


def real_rules() -> Rules:
    config = load()
    return load_rules(config, ModelDirectory(config.model_dir).version)


def judge(found: Findings, database: Path, callers: list[Caller], reader: Reader, rules: Rules) -> None:
    """Fills in what the database and the feed have, against what was promised."""
    store = Store.open(str(database))
    promised = {call_id: acked for caller in callers for call_id, acked in caller.acked.items()}
    found.calls, found.points_dropped = len(promised), reader.points_dropped
    for call_id, acked in promised.items():
        bodies = store.events(call_id)
        events = [json.loads(body) for body in bodies]
        turns = Counter(segment for event in events if event["type"] == "turn" for segment in event["segments"])
        alerts = Counter(body for body, event in zip(bodies, events, strict=True) if event["type"] == "alert")
        firing = Counter(event["alert_id"] for event in events if event.get("state") == "firing")
        found.finals_acked += len(acked)
        found.acked_lost += len(acked - turns.keys())
        found.turns_doubled += sum(count - 1 for count in turns.values())
        found.alert_events += sum(alerts.values())
        found.alerts_doubled += sum(count - 1 for count in (*alerts.values(), *firing.values()))
        found.refold_mismatches += refolded(store.records(call_id), rules) != bodies
        row = store.call(call_id)
        found.unfinished += row is None or not row.finished
    stored = [(seq, b'{"seq":%d,%s' % (seq, body[1:])) for seq, _, body in store.events_since(0, 10**9)]
    found.events = len(stored)
    seen = Counter(seq for seq, _ in reader.events)
    owed = {seq for seq, frame in stored if b'"type":"point"' not in frame[:40]}
    found.feed_lost = len(owed - seen.keys())
    found.feed_doubled = sum(count - 1 for count in seen.values())
    found.feed_differs = len(set(reader.events) - set(stored))
    store.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--pace", type=float, default=1.0, help="mean seconds between two finals of a call")
    parser.add_argument("--real", action="store_true", help="`becalm serve` with the bundled model and packs")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(play(Path(folder), args.kills, args.calls, args.pace, args.seed, args.real))
    print(msgspec.json.format(msgspec.json.encode(found)).decode())
    return 1 if found.bad else 0


if __name__ == "__main__":
    sys.exit(main())
