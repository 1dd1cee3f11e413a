"""Health, metrics, figures, replays of recorded calls, and the API's own description."""

from __future__ import annotations

import asyncio
import queue
import sqlite3
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from starlette.responses import Response

from models.types import Score, ScoreInput
from models.worker import Overloaded, ScoringWorker
from monitor import replay
from monitor.core.events import encode
from monitor.recordings import LineError, judged_otherwise, read_records
from monitor.service import views
from monitor.service.api import Ask, as_json
from monitor.service.auth import TICKET_S
from monitor.service.problems import Problem
from monitor.service.rest_calls import When, unix, visible
from monitor.service.tokens import Role

MAX_UPLOAD = 16 << 20
"""Bytes of a recorded call that is uploaded to be replayed."""
TURNS_AT_ONCE = 8
"""Turns of an upload given to the scoring thread at a time, so that live calls wait for few of them."""


class StatsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Calls opened in a span, in one figure or by team, queue or day (UTC)."""

    since: When | None = None
    until: When | None = None
    by: Literal["team", "queue", "day"] | None = None


class ReplayBody(msgspec.Struct, frozen=True):
    """A call of this service."""

    call_id: str


class Replayed(msgspec.Struct, frozen=True, omit_defaults=True):
    """The events of recorded calls, calls in order of appearance."""

    calls: list[str]
    events: list[msgspec.Raw]
    judged_otherwise: dict[str, list[str]] = {}
    """Uploaded exports that were judged with another model, rules or packs: their events may differ from live."""


class Health(msgspec.Struct, frozen=True):
    """`ok`, or `degraded` when it works but not as it should, or `down`."""

    status: str
    version: str
    checks: dict[str, dict[str, Any]]


class Ticket(msgspec.Struct, frozen=True):
    """A single-use pass for one websocket, as `?ticket=`."""

    ticket: str
    expires_in_s: float


class Me(msgspec.Struct, frozen=True):
    """Who is asking. `open`: the service asks nobody for a token."""

    name: str
    role: Role
    teams: list[str]
    agent_id: str | None
    open: bool


async def healthz(ask: Ask) -> dict[str, str]:
    return {"status": "ok", "version": ask.services.version}


async def readyz(ask: Ask) -> Response:
    """503 while the service starts or stops, or when its database cannot be read."""
    database = "ok"
    try:
        await asyncio.to_thread(ask.store.last_seq)
    except sqlite3.Error as error:
        database = type(error).__name__
    load, versions = ask.runtime.load, ask.services.rules.versions
    up = ask.runtime.ready and database == "ok"
    busy = load["paused"] > 0
    checks: dict[str, dict[str, Any]] = {
        "model": {"status": "ok", "name": versions["model"]},
        "database": {"status": database},
        "ingest": {"status": "ok" if ask.runtime.ready else "not_ready", "active_calls": load["calls"]},
        "queue": {"status": "warn" if busy else "ok", "turns": load["waiting_turns"], "oldest_s": load["oldest_s"]},
    }
    health = Health("down" if not up else "degraded" if busy else "ok", ask.services.version, checks)
    return as_json(health, 200 if up else 503)


async def metrics(ask: Ask) -> Response:
    content = ask.runtime.metrics.exposition()
    return Response(content, media_type="text/plain; version=0.0.4; charset=utf-8")


async def stats(ask: Ask) -> views.StatsView:
    """For a supervisor of some teams only those teams' calls count."""
    wanted: StatsQuery = ask.query
    groups = await asyncio.to_thread(
        ask.store.stats, unix(wanted.since), unix(wanted.until), wanted.by, ask.principal.team_limit
    )
    return views.StatsView(by=wanted.by, groups=groups, load=dict(ask.runtime.load))


async def me(ask: Ask) -> Me:
    who = ask.principal
    return Me(who.name, who.role, list(who.teams), who.agent_id, ask.services.auth.open)


async def ticket(ask: Ask) -> Ticket:
    return Ticket(ask.services.auth.ticket(ask.principal), TICKET_S)


async def replays(ask: Ask) -> Replayed:
    """JSON `{"call_id"}`: a call of this service, as it was. Anything else: messages or a journal, one a line."""
    media = ask.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == "application/json":
        return await _recorded(ask)
    return await _uploaded(ask)


async def _recorded(ask: Ask) -> Replayed:
    try:
        wanted = msgspec.json.decode(ask.body, type=ReplayBody)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem(422, 'Body: expected {"call_id": "..."}.', field="call_id") from None
    row = await visible(ask, wanted.call_id)
    bodies = await asyncio.to_thread(ask.store.events, row.call_id)
    return Replayed([row.call_id], [msgspec.Raw(body) for body in bodies])


async def _uploaded(ask: Ask) -> Replayed:
    services = ask.services
    region = services.config.ingest.region
    scorer = Through(services.worker)

    def run() -> Replayed:
        records = list(read_records(ask.body.splitlines(), "upload"))
        found = list(replay.replay(records, services.rules, scorer, region=region))
        calls = list(dict.fromkeys(call_id for call_id, _ in found))
        other = judged_otherwise(records, services.rules.versions)
        return Replayed(calls, [msgspec.Raw(encode(event)) for _, event in found], other)

    async with services.replaying:
        try:
            return await asyncio.to_thread(run)
        except LineError as error:
            raise Problem(422, str(error)) from None
        except Overloaded:
            raise Problem(
                503, "The service is busy with live calls; try again later.", headers={"retry-after": "10"}
            ) from None


class Through:
    """Scores by way of the scoring thread, a few turns at a time; blocks, so never call it on the event loop."""

    def __init__(self, worker: ScoringWorker) -> None:
        self._worker = worker

    def score(self, inputs: Sequence[ScoreInput]) -> list[Score]:
        """Raises Overloaded when the scoring thread has no room, or what scoring raised."""
        out: list[Score] = []
        for at in range(0, len(inputs), TURNS_AT_ONCE):
            out += self._few(inputs[at : at + TURNS_AT_ONCE])
        return out

    def _few(self, inputs: Sequence[ScoreInput]) -> list[Score]:
        answers: queue.SimpleQueue[tuple[object, Score | Exception]] = queue.SimpleQueue()
        for number, item in enumerate(inputs):
            self._worker.submit(number, item, lambda key, result: answers.put((key, result)))
        results = dict(answers.get() for _ in inputs)
        scores: list[Score] = []
        for number in range(len(inputs)):
            result = results[number]
            if isinstance(result, Exception):
                raise result
            scores.append(result)
        return scores
