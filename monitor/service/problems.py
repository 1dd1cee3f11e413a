"""Errors as RFC 9457 problem JSON: what is wrong, which field, and the mend. Never what somebody said."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

log = logging.getLogger("becalm.http")


class Problem(Exception):
    """Raise it anywhere under a route; it becomes the answer."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        field: str | None = None,
        roles: Iterable[str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.roles = None if roles is None else sorted(roles)
        self.headers = headers or {}


class ProblemBody(msgspec.Struct, omit_defaults=True):
    """The answer to a request that failed."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    field: str | None = None
    """The parameter or the body's field that is wrong."""
    roles: list[str] | None = None
    """The roles that may do this."""


def answer(problem: Problem) -> Response:
    body = ProblemBody(
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.detail,
        field=problem.field,
        roles=problem.roles,
    )
    return Response(
        msgspec.json.encode(body),
        status_code=problem.status,
        media_type="application/problem+json",
        headers={"cache-control": "no-store", **problem.headers},
    )


def unauthorized() -> Problem:
    return Problem(
        401,
        "Send a token as `Authorization: Bearer ...`, or log in at /login.",
        headers={"www-authenticate": "Bearer"},
    )


def forbidden(roles: Iterable[str]) -> Problem:
    needed = sorted(roles)
    return Problem(403, f"This needs the role {' or '.join(needed)}.", roles=needed)


def invalid(error: msgspec.ValidationError, place: str) -> Problem:
    """422 from what msgspec says about a query or body; its texts name types and fields, never values."""
    text = str(error)
    what, _, path = text.partition(" - at ")
    field = path.strip("`").removeprefix("$").lstrip(".")
    if not field and "`" in what:
        field = what.split("`")[1] if "field" in what else ""
    return Problem(
        422, f"{place}: {what.replace('Object', 'it')}" + (f" ({field})" if field else ""), field=field or None
    )


async def on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return answer(error)


async def on_http(request: Request, error: Exception) -> Response:
    """Starlette's own 404 and 405."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return answer(Problem(404, "There is nothing here; /openapi.json lists what there is."))
    if error.status_code == 405:
        allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
        return answer(Problem(405, f"Use {allowed or 'another method'} here.", headers={"allow": allowed}))
    return answer(Problem(error.status_code, error.detail))


async def on_crash(connection: HTTPConnection, error: Exception) -> Response:
    """500 says nothing of the inside; the log has the kind and place of the fault, not its text."""
    log.error("request_failed", extra={"fields": {"path": connection.url.path, "error": where(error)}})
    return answer(Problem(500, "The service failed here; its log says where."))


def where(error: BaseException) -> str:
    """Kind of an exception and the line that raised it, without its message: that could hold anybody's words."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return type(error).__name__
    return f"{type(error).__name__} at {frame.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.tb_lineno}"
