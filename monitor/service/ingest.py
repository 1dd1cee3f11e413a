"""The ingest websocket: frames in, acks and named errors out; one bad frame harms nothing but itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from monitor.service.answers import RESTARTING, Answer, Error, Refused, Taken
from monitor.service.limits import CONNECTIONS, UNACKED
from monitor.service.runtime import Runtime
from monitor.service.sources import Source, UnknownSource
from stream.messages import Ack, ErrorCode, Message, MessageError

NOT_ALLOWED, RESTART, OVERLOADED = 1008, 1012, 1013
_CLOSE_S = 1.0
"""Seconds that a client gets to take the goodbye."""


Allow = Callable[[Message], bool]
"""Whether the client may say this about this call; the connection itself was let in by whoever accepted it."""


async def serve(socket: WebSocket, runtime: Runtime, allow: Allow) -> None:
    """Serves one accepted connection until either side ends it.

    The client's frames are taken in their order, and answered in their order; when `UNACKED` answers are
    outstanding, or the service has no room, nothing more is read and the network holds the client back.
    """
    try:
        source = Source.of(dict(socket.query_params))
    except UnknownSource as unknown:
        await _close(socket, NOT_ALLOWED, str(unknown))
        return
    if runtime.stopping.is_set():
        await _close(socket, RESTART, RESTARTING)
    elif not runtime.ready or runtime.senders >= CONNECTIONS:
        await _close(socket, OVERLOADED, "The service takes no more connections now: try again later.")
    else:
        await _counted(_Connection(socket, runtime, source, allow), runtime)


async def _counted(connection: _Connection, runtime: Runtime) -> None:
    gauge = runtime.metrics.connections.labels("ingest")
    runtime.senders += 1
    gauge.inc()
    try:
        await connection.run()
    finally:
        runtime.senders -= 1
        gauge.dec()


class _Connection:
    def __init__(self, socket: WebSocket, runtime: Runtime, source: Source, allow: Allow) -> None:
        self._socket = socket
        self._runtime = runtime
        self._source = source
        self._allow = allow
        self._answers: asyncio.Queue[Taken | Error] = asyncio.Queue(UNACKED)

    async def run(self) -> None:
        """Reader, answerer and the watch for the service's end; the first to finish ends the others."""
        reader = asyncio.create_task(self._read())
        answerer = asyncio.create_task(self._answer())
        stopping = asyncio.create_task(self._runtime.stopping.wait())
        tasks = (reader, answerer, stopping)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                await _close(self._socket, RESTART, RESTARTING)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                raise result

    async def _read(self) -> None:
        while (event := await self._socket.receive())["type"] != "websocket.disconnect":
            answer = await self._frame(event.get("text"))
            if answer is not None:
                await self._answers.put(answer)

    async def _frame(self, text: str | None) -> Taken | Error | None:
        """What one frame comes to; None: nothing to say."""
        try:
            if text is None:
                raise MessageError("bad_message", "The frame is binary: send text frames.")
            message = self._source.message(text)
        except MessageError as wrong:
            call_id, segment_id = self._source.names(text or "")
            return self._refuse(wrong.code, wrong.message, wrong.segment_id or segment_id, call_id)
        try:
            if not self._allow(message):
                raise Refused("not_allowed", "You may not send for this call.")
            taken = await self._runtime.submit(message, self._source.name)
        except Refused as refused:
            return self._refuse(refused.code, refused.message, refused.segment_id, message.call_id)
        return taken if taken.stored is not None or taken.receipt.segment_id is not None else None

    async def _answer(self) -> None:
        """Sends the answers in order, each once its message is durable."""
        while True:
            item = await self._answers.get()
            answer: Answer | None
            if isinstance(item, Taken):
                answer = await self._outcome(item)
            else:
                answer = item
            if answer is not None:
                await self._socket.send_text(msgspec.json.encode(answer).decode())

    async def _outcome(self, taken: Taken) -> Answer | None:
        try:
            receipt = await taken.durable()
        except Refused as refused:
            return self._refuse(refused.code, refused.message, refused.segment_id, taken.receipt.call_id)
        return None if receipt.segment_id is None else Ack(receipt.call_id, receipt.segment_id)

    def _refuse(self, code: ErrorCode, message: str, segment_id: str | None, call_id: str | None) -> Error:
        self._runtime.metrics.rejected.labels(self._source.name, code).inc()
        return Error(code, message, segment_id, call_id)


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    """A client that takes nothing is left to the transport's own timeout."""
    with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
        async with asyncio.timeout(_CLOSE_S):
            await socket.close(code, reason[:120])
