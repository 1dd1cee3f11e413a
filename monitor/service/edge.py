"""The outermost layer around every request: safe headers, an access log without secrets, and a last net for faults."""

from __future__ import annotations

import logging
import time

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.service import problems

log = logging.getLogger("becalm.access")

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that are asked for all the time and not logged."""


class Edge:
    """Pure ASGI: streams pass through unbuffered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 0

        async def out(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", []), *HEADERS]}
            elif message["type"] == "websocket.close":
                status = message.get("code", 1000)
            await send(message)

        try:
            await self._app(scope, receive, out)
        except Exception as error:  # the last net: the fault is logged by its place, and only this request ends
            await _fail(scope, receive, out, error, began=status != 0)
        finally:
            _log(scope, status, time.monotonic() - started)


async def _fail(scope: Scope, receive: Receive, send: Send, error: Exception, *, began: bool) -> None:
    if scope["type"] == "http" and not began:
        response = await problems.on_crash(HTTPConnection(scope), error)
        await response(scope, receive, send)
        return
    log.error("request_failed", extra={"fields": {"path": scope["path"][:200], "error": problems.where(error)}})
    if scope["type"] == "websocket" and not began:
        await send({"type": "websocket.close", "code": 1011})


def _log(scope: Scope, status: int, took_s: float) -> None:
    if scope["path"] in QUIET:
        return
    fields = {
        "method": scope.get("method", "WEBSOCKET"),
        "path": scope["path"][:200],
        "status": status,
        "duration_ms": round(took_s * 1000, 1),
    }
    log.info("request", extra={"fields": fields})
