"""The live feed, over a websocket and as server-sent events: the same JSON frames, each reader at its own pace."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Annotated, Any, Literal

import msgspec
from starlette.datastructures import State
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from monitor.core.events import Alert, Event
from monitor.service.api import Ask, Services, parse_query
from monitor.service.auth import Auth, Principal
from monitor.service.hub import About, Closed, FeedFilter, Subscription, Wants
from monitor.service.problems import Problem
from monitor.service.tokens import Role

FEED_ROLES: frozenset[Role] = frozenset({"agent", "supervisor", "qa", "admin"})
PING_S = 15.0
STALL_S = 30.0
"""Seconds that one frame may take to leave before the reader counts as dead."""
GOODBYE_S = 1.0
NOT_ALLOWED, INTERNAL, OVERLOADED = 1008, 1011, 1013


class FeedQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of the feed is wanted. `since`: the last `seq` that was seen."""

    team: str | None = None
    agent: str | None = None
    call_id: str | None = None
    severity: Literal["info", "warning", "critical"] | None = None
    since: Annotated[int, msgspec.Meta(ge=0)] | None = None
    ticket: str | None = None


class ReaderFilter(msgspec.Struct, frozen=True):
    """The filter of one reader. Agents see no alerts: those speak to supervisors."""

    inner: FeedFilter
    with_alerts: bool

    def __call__(self, about: About | None, event: Event | None) -> bool:
        return (self.with_alerts or not isinstance(event, Alert)) and self.inner(about, event)


def wants(principal: Principal, query: FeedQuery) -> Wants:
    """The reader's filter, narrowed to what they may see. Raises Problem 403 for what an agent may not ask for."""
    agent = query.agent
    if principal.role == "agent":
        if agent not in (None, principal.agent_id):
            raise Problem(403, "An agent sees their own calls only.", field="agent")
        agent = principal.agent_id
    chosen = FeedFilter(query.team, agent, query.call_id, query.severity, principal.team_limit)
    return ReaderFilter(chosen, with_alerts=principal.role != "agent")


async def feed_socket(socket: WebSocket) -> None:
    """`/v1/feed`: a snapshot, then events. What the reader sends is ignored."""
    services = services_of(socket)
    await socket.accept()
    try:
        principal = admit_socket(services.auth, socket, FEED_ROLES)
        query = parse_query(FeedQuery, socket)
        chosen = wants(principal, query)
    except Problem as problem:
        await close(socket, NOT_ALLOWED, problem.detail)
        return
    subscription = services.runtime.hub.subscribe(chosen, query.since)
    gauge = services.runtime.metrics.connections.labels(role="feed")
    gauge.inc()
    try:
        code = await first(
            _send_all(socket, subscription),
            _until_gone(socket),
            until_revoked(services.auth, principal),
        )
    finally:
        subscription.close()
        gauge.dec()
    if code is not None:
        await close(socket, code)


async def event_stream(ask: Ask) -> Response:
    """`/v1/events`: the same frames as server-sent events; `Last-Event-ID` resumes as `since` does."""
    query: FeedQuery = ask.query
    if ask.request.method == "HEAD":
        return Response(media_type="text/event-stream")
    last = ask.request.headers.get("last-event-id")
    since = query.since if last is None else _number(last)
    subscription = ask.runtime.hub.subscribe(wants(ask.principal, query), since)
    return EventStream(subscription, ask.services.auth, ask.principal)


class EventStream(Response):
    """A subscription as `text/event-stream`, with a comment every `PING_S` seconds of silence."""

    def __init__(self, subscription: Subscription, auth: Auth, principal: Principal) -> None:
        super().__init__(
            media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"}
        )
        del self.headers["content-length"]
        self._subscription = subscription
        self._auth = auth
        self._principal = principal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await first(self._send_all(send), _until_http_gone(receive), until_revoked(self._auth, self._principal))
            with contextlib.suppress(OSError):  # TimeoutError is one: the reader has left, or takes nothing
                async with asyncio.timeout(GOODBYE_S):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._subscription.close()

    async def _send_all(self, send: Send) -> int:
        async def out(chunk: bytes) -> None:
            async with asyncio.timeout(STALL_S):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})

        frames = aiter(self._subscription)
        waiting: asyncio.Future[bytes] | None = None
        try:
            await out(b"retry: 2000\n\n")
            while True:
                waiting = waiting or asyncio.ensure_future(anext(frames))
                done, _ = await asyncio.wait({waiting}, timeout=PING_S)
                if not done:
                    await out(b": ping\n\n")
                    continue
                frame, waiting = waiting.result(), None
                await out(as_sse(frame))
        except Closed as closed:
            return closed.code
        except OSError:  # TimeoutError is one
            return OVERLOADED
        finally:
            if waiting is not None:
                waiting.cancel()


class _Seq(msgspec.Struct):
    seq: int | None = None


_seq = msgspec.json.Decoder(_Seq)


def as_sse(frame: bytes) -> bytes:
    """One frame as an event, with its `seq` as the id where it has one. JSON has no raw line breaks: one data line."""
    seq = _seq.decode(frame).seq
    return b"data: " + frame + b"\n\n" if seq is None else b"id: %d\ndata: %s\n\n" % (seq, frame)


def admit_socket(auth: Auth, socket: HTTPConnection, roles: frozenset[Role]) -> Principal:
    """The principal behind a websocket, if these roles include theirs. Raises Problem."""
    if not auth.host_ok(socket) or not auth.origin_ok(socket):
        raise Problem(403, "This page may not connect: its origin is not allowed.")
    principal = auth.identify(socket, ticket=True)
    if principal is None:
        raise Problem(401, "A token or a fresh ticket is needed.")
    if principal.by_cookie and not auth.origin_ok(socket, required=True):
        raise Problem(403, "A logged-in browser must say its origin.")
    if principal.role not in roles:
        raise Problem(403, f"This needs the role {' or '.join(sorted(roles))}.")
    return principal


async def close(socket: WebSocket, code: int, reason: str = "") -> None:
    """Says goodbye, but not for long: a reader that takes nothing is left to the transport's own timeout."""
    with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
        async with asyncio.timeout(GOODBYE_S):
            await socket.close(code, reason.encode()[:120].decode(errors="ignore"))


def services_of(connection: HTTPConnection) -> Services:
    state: State = connection.app.state
    services: Services = state.services
    return services


async def first(*ways: Coroutine[Any, Any, int | None]) -> int | None:
    """The result of whichever ends first; the others are cancelled. Raises what it raised."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send_all(socket: WebSocket, subscription: Subscription) -> int | None:
    try:
        async for frame in subscription:
            async with asyncio.timeout(STALL_S):
                await socket.send_text(frame.decode())
    except Closed as closed:
        return closed.code
    except TimeoutError:
        return OVERLOADED
    except WebSocketDisconnect:
        return None
    return INTERNAL


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _until_http_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def until_revoked(auth: Auth, principal: Principal) -> int:
    """Ends, with the close code, once the token behind a connection no longer stands."""
    while auth.stands(principal):  # noqa: ASYNC110  a file on disk tells nobody that it changed
        await asyncio.sleep(PING_S)
    return NOT_ALLOWED


def _number(last_event_id: str) -> int | None:
    return int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() else None
