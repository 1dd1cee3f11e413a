"""Ids may hold slashes: an encoded one in a path (`%2F`) is part of a name and never parts two of them."""

from __future__ import annotations

from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send


class Slashes:
    """Pure ASGI: lets routes match a path whose names keep their slashes and percent signs encoded.

    `named` gives such a name back as it was meant.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw: bytes | None = scope.get("raw_path")
        if scope["type"] == "http" and raw is not None:
            names = [unquote(part) for part in raw.decode("ascii", "replace").split("/")]
            scope = {**scope, "path": "/".join(map(_kept, names))}
        await self._app(scope, receive, send)


def named(kept: str) -> str:
    """
    >>> named("a%2Fevents"), named("100%25")
    ('a/events', '100%')
    """
    return kept.replace("%2F", "/").replace("%25", "%")


def _kept(name: str) -> str:
    """
    >>> _kept("a/events"), _kept("100%"), _kept("ž 國")
    ('a%2Fevents', '100%25', 'ž 國')
    """
    return name.replace("%", "%25").replace("/", "%2F")
