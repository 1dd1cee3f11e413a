"""The tokens file: one JSON object a line, with the SHA-256 of each token and never the token itself.

`becalm token` makes, lists and revokes; a running service reads the file again when it changes.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec

Role = Literal["ingest", "agent", "supervisor", "qa", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
ALL_TEAMS = "*"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


class TokenError(ValueError):
    """A mistake in the tokens file or in what was asked of it; the message has the mend and no token."""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the file: whom a token stands for."""

    name: Name
    role: Role
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    teams: tuple[Name, ...] = ()
    """Teams a supervisor sees; `*` is all of them."""
    agent_id: Name | None = None
    """Whose calls an agent sees."""
    created: str = ""
    """RFC 3339."""


def digest(token: str) -> str:
    """A token has 256 random bits, so one plain SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def read(path: Path) -> list[Token]:
    """All tokens of the file. Raises TokenError that names the line; OSError when it cannot be read."""
    tokens: list[Token] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith(b"#"):
            continue
        try:
            token = msgspec.json.decode(line, type=Token)
            _check(token)
        except (msgspec.DecodeError, UnicodeDecodeError, TokenError) as error:
            raise TokenError(f"{path}: line {number}: {error}; mend or delete the line") from None
        if any(token.name == other.name for other in tokens):
            raise TokenError(f"{path}: line {number}: the name {token.name!r} is there twice; delete one")
        tokens.append(token)
    return tokens


def create(path: Path, name: str, role: Role, teams: tuple[str, ...] = (), agent_id: str | None = None) -> str:
    """Adds a token and returns it: this is the only time it can be seen. Makes the file when missing."""
    secret = "bcm_" + secrets.token_urlsafe(32)
    made = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    token = Token(name=name, role=role, sha256=digest(secret), teams=teams, agent_id=agent_id, created=made)
    _check(token)
    tokens = read(path) if path.exists() else []
    if any(name == other.name for other in tokens):
        raise TokenError(f"there is a token named {name!r} already; revoke it first or choose another name")
    _write(path, [*tokens, token])
    return secret


def revoke(path: Path, name: str) -> None:
    """Takes a token out; whoever uses it is shut out within seconds. Raises TokenError when there is none."""
    tokens = read(path)
    kept = [token for token in tokens if token.name != name]
    if len(kept) == len(tokens):
        names = ", ".join(token.name for token in tokens) or "none"
        raise TokenError(f"there is no token named {name!r}; there are: {names}")
    _write(path, kept)


def _check(token: Token) -> None:
    try:
        msgspec.convert(msgspec.to_builtins(token), Token)
    except msgspec.ValidationError as error:
        raise TokenError(str(error)) from None
    if token.role == "agent" and token.agent_id is None:
        raise TokenError("an agent's token needs the agent's id (agent_id)")
    if token.role != "agent" and token.agent_id is not None:
        raise TokenError("agent_id only goes with the role agent")
    if token.role == "supervisor" and not token.teams:
        raise TokenError(f"a supervisor's token needs the teams it may see, or {ALL_TEAMS!r} for all")
    if token.role != "supervisor" and token.teams:
        raise TokenError("teams only go with the role supervisor")


def _write(path: Path, tokens: list[Token]) -> None:
    """Replaces the file in one step, readable by its owner only."""
    lines = b"".join(msgspec.json.encode(token) + b"\n" for token in tokens)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except BaseException:
        Path(scratch).unlink(missing_ok=True)
        raise
