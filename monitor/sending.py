"""Plays recorded calls into a running service: many calls over one websocket, acks counted, unacked finals resent."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterable
from typing import Protocol
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException

from stream.messages import Ack, Error, Message, Transcript, encode

WINDOW = 512
"""Messages in flight, sent and not known to be durable, beyond which no more are sent."""
STALL_S = 60.0
"""Seconds without any answer after which waiting for acks is given up."""
OVERLOAD_PAUSE_S = 1.0
"""Pause after an `overloaded` answer; then everything without an answer is sent again."""
RECONNECT_S = (0.2, 0.5, 1.0, 2.0, 5.0, 5.0, 5.0, 5.0)
"""Pauses before each try to connect again; after the last one it is given up."""

_answers: msgspec.json.Decoder[Ack | Error] = msgspec.json.Decoder(Ack | Error)


class SendError(Exception):
    """The service cannot be reached or does not want us; the text says what to do."""


class Timed(msgspec.Struct, frozen=True):
    """A message and when it is due, in seconds since the start of playing at speed 1."""

    due_s: float
    message: Message


class Report(msgspec.Struct):
    """What came of it."""

    calls: int = 0
    messages: int = 0
    finals: int = 0
    acked: int = 0
    refused: dict[str, int] = {}
    """Error answers by code."""
    reasons: list[str] = []
    """The first few error answers, in words."""
    reconnects: int = 0
    ack_p50_ms: float | None = None
    ack_p99_ms: float | None = None
    seconds: float = 0.0

    @property
    def complete(self) -> bool:
        """Every final was acked and nothing was refused."""
        return self.acked == self.finals and not self.refused


def due_s(message: Message) -> float:
    """Call time at which a live source would have sent a message."""
    if isinstance(message, Transcript):
        return message.time_s
    return getattr(message, "at_s", 0.0)


def plan(messages: Iterable[Message], stagger_s: float = 0.0) -> list[Timed]:
    """All calls side by side, each starting `stagger_s` after the one before; a call's own order is kept."""
    started: dict[str, float] = {}
    latest: dict[str, float] = {}
    timed: list[Timed] = []
    for message in messages:
        start_s = started.setdefault(message.call_id, len(started) * stagger_s)
        latest[message.call_id] = max(latest.get(message.call_id, 0.0), start_s + due_s(message))
        timed.append(Timed(latest[message.call_id], message))
    return sorted(timed, key=lambda item: item.due_s)


class Watch(Protocol):
    """Told by a player what happens, while it happens; times are those of `time.monotonic`."""

    def sent(self, message: Message, due_s: float) -> None:
        """A message leaves for the first time; it should have left at `due_s`."""
        ...

    def acked(self, call_id: str, segment_id: str, delay_s: float) -> None:
        """A final is durable, `delay_s` after it left."""
        ...

    def refused(self, code: str, final: tuple[str, str] | None) -> None:
        """An error came back; `final` (call, segment) is no longer waited for, where it is known."""
        ...

    def reconnected(self) -> None:
        """A connection that was lost is there again."""
        ...


class Outbox:
    """What was sent and is not known to be durable, in the order of sending."""

    def __init__(self) -> None:
        self._waiting: dict[int, tuple[Message, float]] = {}
        self._finals: dict[tuple[str, str], int] = {}
        self._marks: dict[str, list[int]] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def unacked(self) -> int:
        """Finals without an answer."""
        return len(self._finals)

    def add(self, message: Message, now_s: float) -> None:
        """Interims are not kept: nobody acks them. A final that waits already keeps its place."""
        final = isinstance(message, Transcript)
        if isinstance(message, Transcript):
            key = (message.call_id, message.segment_id)
            if not message.final or key in self._finals:
                return
            self._finals[key] = self._number
        self._waiting[self._number] = (message, now_s)
        if not final:
            self._marks.setdefault(message.call_id, []).append(self._number)
        self._number += 1

    def ack(self, call_id: str, segment_id: str, now_s: float) -> float | None:
        """Seconds since the final was sent; None when nothing waited for it. What its call sent before it is safe too:
        the service takes a connection's messages in order."""
        number = self._finals.pop((call_id, segment_id), None)
        if number is None:
            return None
        marks = self._marks.get(call_id, [])
        for mark in [mark for mark in marks if mark < number]:
            marks.remove(mark)
            del self._waiting[mark]
        return now_s - self._waiting.pop(number)[1]

    def refuse(self, segment_id: str | None) -> tuple[str, str] | None:
        """Forgets the oldest final of this segment, and says which: the answer does not tell the call."""
        key = next((key for key in self._finals if key[1] == segment_id), None)
        if key is not None:
            del self._waiting[self._finals.pop(key)]
        return key

    def messages(self) -> list[Message]:
        return [message for message, _ in self._waiting.values()]


class Player:
    """Sends a plan, which may be endless. `speed` 1 is the pace of the recording, 2 twice that; None is as fast as the
    service takes it."""

    def __init__(
        self,
        url: str,
        timed: Iterable[Timed],
        *,
        speed: float | None,
        token: str | None = None,
        watch: Watch | None = None,
        begin: asyncio.Event | None = None,
    ) -> None:
        """`begin`: nothing is sent before it is set, so that many players connect first and then start together."""
        self._url = url
        self._timed = iter(timed)
        self._held: Timed | None = None
        """Taken off the plan and not sent yet."""
        self._speed = speed
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._watch = watch
        self._begin = begin
        self.connected = asyncio.Event()
        self._outbox = Outbox()
        self._calls: set[str] = set()
        self._finals: set[tuple[str, str]] = set()
        self._answered = asyncio.Event()
        self._delays_s: dict[tuple[str, str], float] = {}
        self._refused: Counter[str] = Counter()
        self._overloaded = False
        self._acked_at_s = time.monotonic()
        self._begun_s: float | None = None
        self.report = Report()

    async def run(self) -> Report:
        """Until every final is acked or refused. Raises SendError when the service cannot be had."""
        tries = iter(RECONNECT_S)
        connected = False
        start_s = time.monotonic()
        while True:
            try:
                async with connect(
                    self._url, additional_headers=self._headers, max_size=2**20, compression=None
                ) as socket:
                    self.report.reconnects += connected
                    if connected and self._watch is not None:
                        self._watch.reconnected()
                    connected, tries = True, iter(RECONNECT_S)
                    await self._session(socket)
                    break
            except (InvalidStatus, InvalidURI) as error:
                raise SendError(_refusal(self._url, error)) from None
            except (OSError, WebSocketException, TimeoutError) as error:
                if isinstance(error, ConnectionClosed) and error.rcvd is not None and error.rcvd.code == 1008:
                    raise SendError(f"{self._url}: not allowed: {error.rcvd.reason or 'give a --token'}") from None
                pause_s = next(tries, None)
                if pause_s is None or not connected:
                    raise SendError(f"{self._url}: cannot connect; is `becalm serve` running there?") from None
                await asyncio.sleep(pause_s)
        return self._finish(time.monotonic() - start_s)

    async def _session(self, socket: ClientConnection) -> None:
        """One connection: first again what was not acked, then the rest of the plan, then the last acks."""
        reader = asyncio.create_task(self._read(socket))
        writer = asyncio.create_task(self._write(socket))
        try:
            await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
            if reader.done():
                reader.result()
            await writer
        finally:
            for task in (reader, writer):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionClosed, OSError, SendError):
                    await task

    async def _write(self, socket: ClientConnection) -> None:
        await self._send_again(socket)
        if self._begun_s is None:
            self.connected.set()
            if self._begin is not None:
                await self._begin.wait()
            self._begun_s = time.monotonic()
        while (item := self._upcoming()) is not None:
            due_s = time.monotonic()
            if self._speed is not None:
                due_s = self._begun_s + item.due_s / self._speed
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            while self._overloaded or (len(self._outbox) >= WINDOW and self._outbox.unacked):
                await self._answer(socket)
            self._held = None
            self._leaves(item.message, due_s)
            await socket.send(encode(item.message).decode())
        while self._outbox.unacked:
            await self._answer(socket)

    def _upcoming(self) -> Timed | None:
        """The next message of the plan; one that a lost connection kept from leaving comes first."""
        if self._held is None:
            self._held = next(self._timed, None)
        return self._held

    def _leaves(self, message: Message, due_s: float) -> None:
        self.report.messages += 1
        self._calls.add(message.call_id)
        if _is_final(message):
            self._finals.add(_key(message))
        self._outbox.add(message, time.monotonic())
        if self._watch is not None:
            self._watch.sent(message, due_s)

    async def _send_again(self, socket: ClientConnection) -> None:
        self._overloaded = False
        for message in self._outbox.messages():
            await socket.send(encode(message).decode())

    async def _answer(self, socket: ClientConnection) -> None:
        """Waits for an answer, or out an overload. Raises SendError when nothing was acked for too long."""
        if self._overloaded:
            await asyncio.sleep(OVERLOAD_PAUSE_S)
            await self._send_again(socket)
        self._answered.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STALL_S):
                await self._answered.wait()
        if time.monotonic() - self._acked_at_s > STALL_S:
            raise SendError(f"no ack for {STALL_S:.0f} s; {self._outbox.unacked} finals are not acked")

    async def _read(self, socket: ClientConnection) -> None:
        async for frame in socket:
            try:
                answer = _answers.decode(frame)
            except msgspec.DecodeError:
                raise SendError(f"{self._url}: answers something else than acks; is it an ingest socket?") from None
            if isinstance(answer, Ack):
                self._acked_at_s = time.monotonic()
                delay_s = self._outbox.ack(answer.call_id, answer.segment_id, time.monotonic())
                if delay_s is not None:
                    self._delays_s.setdefault((answer.call_id, answer.segment_id), delay_s)
                    if self._watch is not None:
                        self._watch.acked(answer.call_id, answer.segment_id, delay_s)
            else:
                self._error(answer)
            self._answered.set()
        raise ConnectionClosed(socket.protocol.close_rcvd, socket.protocol.close_sent)

    def _error(self, error: Error) -> None:
        final = None
        if error.code == "overloaded":
            self._overloaded = True
        else:
            final = self._outbox.refuse(error.segment_id)
            self._refused[error.code] += 1
            if len(self.report.reasons) < 5:
                self.report.reasons.append(f"{error.code}: {error.message}")
        if self._watch is not None:
            self._watch.refused(error.code, final)

    def _finish(self, seconds: float) -> Report:
        delays = sorted(self._delays_s.values())
        self.report.calls, self.report.finals = len(self._calls), len(self._finals)
        self.report.acked = len(delays)
        self.report.refused = dict(self._refused)
        self.report.seconds = round(seconds, 3)
        if delays:
            self.report.ack_p50_ms = round(delays[len(delays) // 2] * 1000, 1)
            self.report.ack_p99_ms = round(delays[min(len(delays) - 1, int(len(delays) * 0.99))] * 1000, 1)
        return self.report


def ingest_url(base: str, source: str = "native") -> str:
    """`http://host:port` or `ws://host:port/v1/ingest` as the websocket's address. Raises SendError."""
    parts = urlsplit(base if "://" in base else f"http://{base}")
    scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
    if scheme is None or not parts.netloc:
        raise SendError(f"{base}: is no address; give one like http://127.0.0.1:8700")
    path = parts.path if parts.path.rstrip("/") else "/v1/ingest"
    query = "&".join(text for text in (parts.query, urlencode({"source": source})) if text)
    return urlunsplit((scheme, parts.netloc, path, query, ""))


def _is_final(message: Message) -> bool:
    return isinstance(message, Transcript) and message.final


def _key(message: Message) -> tuple[str, str]:
    return message.call_id, getattr(message, "segment_id", "")


def _refusal(url: str, error: InvalidStatus | InvalidURI) -> str:
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        if status in (401, 403):
            return f"{url}: not allowed ({status}); give a token of role ingest with --token or BECALM_TOKEN"
        return f"{url}: answers HTTP {status} instead of a websocket; is it a Becalm service?"
    return f"{url}: is no websocket address"
