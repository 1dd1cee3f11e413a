"""One route: who may use it, what it takes and gives, and how a request becomes a call of its handler."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import msgspec.inspect
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route as StarletteRoute

from monitor.service import problems
from monitor.service.auth import Auth, Principal
from monitor.service.problems import Problem
from monitor.service.slashes import named
from monitor.service.tokens import ROLES, Role

if TYPE_CHECKING:
    from models.worker import ScoringWorker
    from monitor.config import Config
    from monitor.core.rules import Rules
    from monitor.service.runtime import Runtime
    from monitor.service.store import Store

PUBLIC: frozenset[Role] = frozenset()
"""A route without roles asks for no token."""
ANYBODY: frozenset[Role] = frozenset(ROLES)
READERS: frozenset[Role] = frozenset({"supervisor", "qa", "admin"})
LEADERS: frozenset[Role] = frozenset({"supervisor", "admin"})
ADMIN: frozenset[Role] = frozenset({"admin"})

MAX_BODY = 1 << 20
"""Bytes of a request's body unless a route says otherwise."""

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
"""msgspec would also take a number for seconds since 1970."""


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The route takes no parameters."""


@dataclasses.dataclass(frozen=True)
class Services:
    """What handlers work with."""

    runtime: Runtime
    store: Store
    worker: ScoringWorker
    rules: Rules
    auth: Auth
    config: Config
    version: str
    replaying: asyncio.Semaphore = dataclasses.field(default_factory=lambda: asyncio.Semaphore(1))
    """One uploaded call is replayed at a time."""


@dataclasses.dataclass(frozen=True)
class Ask:
    """One request, checked: `query` and `body` are of the route's types."""

    request: Request
    principal: Principal
    services: Services
    query: Any
    body: Any

    @property
    def path(self) -> dict[str, str]:
        """What the path names, with any slashes of a name in it."""
        return {name: named(value) for name, value in self.request.path_params.items()}

    @property
    def store(self) -> Store:
        return self.services.store

    @property
    def runtime(self) -> Runtime:
        return self.services.runtime


Handler = Callable[[Ask], Awaitable[Any]]


@dataclasses.dataclass(frozen=True)
class Route:
    """`answer` and `body` are types msgspec knows; a handler may also return a Response of its own making."""

    method: str
    path: str
    summary: str
    roles: frozenset[Role]
    handler: Handler
    query: type[msgspec.Struct] = NoQuery
    body: Any = None
    answer: Any = None
    status: int = 200
    media: tuple[str, ...] = ("application/json",)
    body_media: str = "application/json"
    body_optional: bool = False
    body_json: Any = None
    """What a route of `body` bytes takes instead as application/json."""
    also: tuple[int, ...] = ()
    """Problems that it answers beside those that follow from its roles, parameters and body."""
    same_answer: tuple[int, ...] = ()
    """Statuses other than `status` under which it gives its `answer`."""
    max_body: int = MAX_BODY
    page: bool = False
    """A page for people: who is not logged in is led to /login."""

    def endpoint(self, services: Services) -> StarletteRoute:
        async def run(request: Request) -> Response:
            try:
                principal = admit(self, services.auth, request)
            except Problem as problem:
                if self.page and problem.status == 401:
                    return RedirectResponse(f"/login?next={quote(request.url.path)}", 303)
                raise
            query = parse_query(self.query, request)
            body = await self._body(request)
            result = await self.handler(Ask(request, principal, services, query, body))
            return result if isinstance(result, Response) else as_json(result, self.status)

        return StarletteRoute(self.path, run, methods=[self.method])

    async def _body(self, request: Request) -> Any:
        if self.body is None:
            return None
        raw = await read_body(request, self.max_body)
        if self.body is bytes:
            return raw
        if not raw.strip() and self.body_optional:
            return self.body()
        return parse_body(self.body, raw)


async def read_body(request: Request, most: int) -> bytes:
    """At most `most` bytes. Raises Problem 413 as soon as there are more."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Problem(413, f"The body is too large: send at most {most} bytes.", headers={"connection": "close"})
    return bytes(body)


def admit(route: Route, auth: Auth, request: Request) -> Principal:
    """The principal, if the route is theirs to use. Raises Problem 401 or 403."""
    if not auth.host_ok(request):
        raise Problem(403, "An open service answers only under a loopback name such as 127.0.0.1 or localhost.")
    if request.method not in ("GET", "HEAD") and not auth.origin_ok(request):
        raise Problem(403, "This page may not send here: its origin is not one of server.allowed_origins.")
    principal = auth.identify(request, ticket=route.path == "/v1/events")
    if not route.roles:
        return principal or Principal("", "ingest")
    if principal is None:
        raise problems.unauthorized()
    if principal.by_cookie and request.method not in ("GET", "HEAD") and not auth.origin_ok(request, required=True):
        raise Problem(403, "A logged-in browser must say its origin.")
    if principal.role not in route.roles:
        raise problems.forbidden(route.roles)
    return principal


def parse_query(kind: type[msgspec.Struct], request: HTTPConnection) -> Any:
    """Raises Problem 422 that names the parameter."""
    given: dict[str, str] = {}
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    for name, value in request.query_params.multi_items():
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise Problem(422, f"There is no parameter {name[:60]!r} here; there are: {listed}.", field=name[:60])
        if name in given:
            raise Problem(422, f"The parameter {name} is given twice.", field=name)
        given[name] = value
    for name in _instants(kind) & given.keys():
        if _RFC3339.fullmatch(given[name]) is None:
            detail = f"Parameter {name}: expected an RFC 3339 time with a zone, such as 2026-11-22T09:30:00Z."
            raise Problem(422, detail, field=name)
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise problems.invalid(error, "Parameter") from None


@functools.cache
def _instants(kind: type[msgspec.Struct]) -> frozenset[str]:
    """The parameters that are wall-clock times."""
    info = msgspec.inspect.type_info(kind)
    assert isinstance(info, msgspec.inspect.StructType)
    return frozenset(field.encode_name for field in info.fields if _is_instant(field.type))


def _is_instant(kind: msgspec.inspect.Type) -> bool:
    if isinstance(kind, msgspec.inspect.UnionType):
        return any(map(_is_instant, kind.types))
    return isinstance(kind, msgspec.inspect.DateTimeType)


def parse_body(kind: Any, raw: bytes) -> Any:
    """Raises Problem 422 that names the field, or 400 when it is no JSON."""
    try:
        raw.decode()
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise problems.invalid(error, "Body") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem(400, "The body is not JSON in UTF-8.") from None


def as_json(result: Any, status: int = 200) -> Response:
    if status == 204:
        return Response(status_code=204)
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(result), status, headers=headers, media_type="application/json")
