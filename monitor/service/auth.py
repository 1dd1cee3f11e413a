"""Who is asking: tokens, browser sessions and tickets, and which pages may talk to us.

Without a tokens file the service is open, but only on loopback; with one, even an empty one, it is closed.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from starlette.requests import HTTPConnection

from monitor.service.tokens import ALL_TEAMS, Role, Token, TokenError, digest, read

log = logging.getLogger("becalm.auth")

COOKIE = "becalm_session"
SESSION_S = 12 * 3600.0
TICKET_S = 60.0
MOST_GRANTS = 10_000
"""Sessions, and tickets, kept at most; the oldest goes first."""


class Principal(msgspec.Struct, frozen=True):
    """Who is asking and what they may see."""

    name: str
    role: Role
    teams: tuple[str, ...] = ()
    agent_id: str | None = None
    proof: str = ""
    """SHA-256 of the token behind it; empty on an open service."""
    by_cookie: bool = False

    @property
    def team_limit(self) -> tuple[str, ...] | None:
        """The only teams whose calls may be seen; None: no limit by team."""
        return self.teams if self.role == "supervisor" and ALL_TEAMS not in self.teams else None

    def may_see(self, team: str | None, agent_id: str | None) -> bool:
        """Whether a call of this team and agent is theirs to read."""
        if self.role == "agent":
            return agent_id is not None and agent_id == self.agent_id
        if self.role == "ingest":
            return False
        return self.team_limit is None or team in self.team_limit


EVERYBODY = Principal("local", "admin")
"""Who asks on an open service."""


class Auth:
    """Reads the tokens file again whenever it changes; a session or ticket counts only while its token stands."""

    def __init__(
        self,
        tokens_file: Path | None,
        host: str,
        allowed_origins: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises TokenError when the file is wrong, or when there is none and `host` is not loopback."""
        if tokens_file is None and not is_loopback(host):
            raise TokenError(
                f"listening on {host} needs tokens: make one with `becalm token create` and set auth.tokens_file, "
                "or listen on 127.0.0.1"
            )
        self.open = tokens_file is None
        self._file = tokens_file
        self._allowed = frozenset(origin.rstrip("/").lower() for origin in allowed_origins)
        self._clock = clock
        self._stamp: tuple[int, int, int] | None = None
        self._tokens: dict[str, Token] = {}
        self._sessions: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._tickets: OrderedDict[str, tuple[str, float]] = OrderedDict()
        if tokens_file is not None:
            self._load(tokens_file)

    def identify(self, connection: HTTPConnection, *, ticket: bool = False) -> Principal | None:
        """The principal behind a request: bearer token, session cookie or, for feeds, a ticket. None: nobody known."""
        if self.open:
            return EVERYBODY
        scheme, _, token = connection.headers.get("authorization", "").partition(" ")
        if token:
            return self._principal(digest(token.strip())) if scheme.lower() == "bearer" else None
        if ticket and (given := connection.query_params.get("ticket")):
            return self._take(self._tickets.pop(digest(given), None))
        cookie = connection.cookies.get(COOKIE)
        held = self._sessions.get(digest(cookie)) if cookie else None
        found = self._take(held)
        return None if found is None else msgspec.structs.replace(found, by_cookie=True)

    def stands(self, principal: Principal) -> bool:
        """Whether a long-lived connection may go on: its token has not been revoked or changed since."""
        if self.open:
            return True
        now = self._principal(principal.proof)
        return now is not None and msgspec.structs.replace(now, by_cookie=principal.by_cookie) == principal

    def login(self, token: str) -> str | None:
        """A new session's cookie value for a token; None when the token is not known."""
        principal = self._principal(digest(token.strip()))
        return None if principal is None else self._grant(self._sessions, principal.proof, SESSION_S)

    def logout(self, cookie: str) -> None:
        self._sessions.pop(digest(cookie), None)

    def ticket(self, principal: Principal) -> str:
        """A single-use pass for a websocket, good for `TICKET_S` seconds."""
        return self._grant(self._tickets, principal.proof, TICKET_S)

    def origin_ok(self, connection: HTTPConnection, *, required: bool = False) -> bool:
        """Whether the page behind a request is one of ours. A program sends no Origin; `required` refuses that too."""
        origin = connection.headers.get("origin")
        if origin is None:
            return not required
        parts = urlsplit(origin.lower())
        own = parts.netloc != "" and parts.netloc == connection.headers.get("host", "").lower()
        return own or origin.rstrip("/").lower() in self._allowed

    def host_ok(self, connection: HTTPConnection) -> bool:
        """An open service answers only to loopback names, so that no foreign name can be pointed at it."""
        return not self.open or is_loopback(urlsplit("//" + connection.headers.get("host", "")).hostname or "")

    def _grant(self, grants: OrderedDict[str, tuple[str, float]], proof: str, life_s: float) -> str:
        secret = secrets.token_urlsafe(32)
        grants[digest(secret)] = (proof, self._clock() + life_s)
        while len(grants) > MOST_GRANTS:
            grants.popitem(last=False)
        return secret

    def _take(self, grant: tuple[str, float] | None) -> Principal | None:
        return None if grant is None or grant[1] < self._clock() else self._principal(grant[0])

    def _principal(self, proof: str) -> Principal | None:
        if self.open:
            return EVERYBODY
        self._reload()
        found = None
        for sha256, token in self._tokens.items():
            if hmac.compare_digest(sha256, proof):
                found = Principal(token.name, token.role, token.teams, token.agent_id, sha256)
        return found

    def _reload(self) -> None:
        assert self._file is not None
        try:
            if self._stamp_of(self._file) != self._stamp:
                self._load(self._file)
        except FileNotFoundError:
            self._tokens, self._stamp = {}, None
        except (TokenError, OSError) as error:
            self._stamp = self._stamp_of(self._file)
            log.error("tokens_not_reloaded", extra={"fields": {"error": str(error)}})

    def _load(self, path: Path) -> None:
        try:
            stamp = self._stamp_of(path)
            self._tokens = {token.sha256: token for token in read(path)}
        except FileNotFoundError:
            raise TokenError(f"{path}: there is no such file; make it with `becalm token create`") from None
        self._stamp = stamp

    @staticmethod
    def _stamp_of(path: Path) -> tuple[int, int, int]:
        stat = path.stat()
        return stat.st_mtime_ns, stat.st_size, stat.st_ino


def is_loopback(host: str) -> bool:
    """True for `localhost` and addresses that only this machine can reach."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
