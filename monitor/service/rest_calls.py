"""Calls over REST: search, read, export, hand over, annotate."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from starlette.responses import Response

from models.labels import ALL_LABELS, HEAT_OUTPUTS
from monitor import export
from monitor.core.events import decode
from monitor.service import views
from monitor.service.api import Ask
from monitor.service.auth import Principal
from monitor.service.cursors import Cursor, opened, sealed, unknown
from monitor.service.handoff import Handoff, for_agent, handoff
from monitor.service.problems import Problem
from monitor.service.rows import AlertQuery, CallQuery, CallRow
from stream.redact import redact

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
Ratio = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
When = Annotated[datetime, msgspec.Meta(tz=True)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=500)]

VOCABULARY = frozenset(ALL_LABELS) - frozenset(HEAT_OUTPUTS)
"""Names of emotions, cues, moves and steps."""

NDJSON = "application/x-ndjson"
EXPORT_MEDIA = {"jsonl": NDJSON, "json": "application/json", "csv": "text/csv"}


class CallsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every parameter narrows. `since` and `until` speak of when the call was opened; `text` is found in any case."""

    live: bool | None = None
    since: When | None = None
    until: When | None = None
    agent: Word | None = None
    team: Word | None = None
    customer: Word | None = None
    language: Word | None = None
    label: Word | None = None
    min_peak: Ratio | None = None
    outcome: Word | None = None
    text: Word | None = None
    limit: Limit = 100
    cursor: Cursor | None = None


class EventsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`ndjson`: one event a line, as `becalm replay --json` prints them; also by `Accept: application/x-ndjson`."""

    format: Literal["json", "ndjson"] | None = None


class ExportQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`jsonl`: the journal, which `becalm replay` turns into the same events; `json`: the events; `csv`: the turns."""

    format: Literal["jsonl", "json", "csv"] = "jsonl"


class NoteBody(msgspec.Struct, frozen=True):
    """Free words about a call, or about one of its turns."""

    text: Text
    at_s: float | None = None
    segment_id: Word | None = None


class AnnotationBody(msgspec.Struct, frozen=True):
    """Whether a label that was heard on a turn is right, or one that was missed."""

    segment_id: Word
    label: Word | None = None
    verdict: Literal["right", "wrong", "missed"] | None = None
    heat: Annotated[float, msgspec.Meta(ge=0.0, le=4.0)] | None = None
    text: Annotated[str, msgspec.Meta(max_length=4000)] = ""


class ScorecardBody(msgspec.Struct, frozen=True):
    """A reviewer's points for named criteria, in [0, 1]."""

    scores: Annotated[dict[Word, Ratio], msgspec.Meta(min_length=1, max_length=50)]
    text: Annotated[str, msgspec.Meta(max_length=4000)] = ""


class OutcomeBody(msgspec.Struct, frozen=True):
    """How the call really ended; `escalated` counts towards the escalation rate."""

    outcome: Literal["resolved", "unresolved", "escalated", "abandoned"]
    text: Annotated[str, msgspec.Meta(max_length=4000)] = ""


async def calls(ask: Ask) -> views.CallPage:
    wanted: CallsQuery = ask.query
    query = CallQuery(
        live=wanted.live,
        since=unix(wanted.since),
        until=unix(wanted.until),
        agent=_agent(ask.principal, wanted),
        team=wanted.team,
        teams=ask.principal.team_limit,
        customer=wanted.customer,
        language=wanted.language,
        label=wanted.label,
        min_peak=wanted.min_peak,
        outcome=wanted.outcome,
        text=wanted.text,
        limit=wanted.limit + 1,
        cursor=opened(wanted.cursor),
    )
    try:
        rows = await asyncio.to_thread(ask.store.calls, query)
    except ValueError:
        raise unknown() from None
    page = rows[: wanted.limit]
    following = sealed(page[-1].cursor) if len(rows) > len(page) else None
    return views.CallPage(calls=[_shown(ask.principal, row) for row in page], next=following)


def _agent(who: Principal, wanted: CallsQuery) -> str | None:
    """Whose calls are listed: an agent's own. Raises Problem 403 for what an agent may not ask."""
    if who.role != "agent":
        return wanted.agent
    if wanted.agent not in (None, who.agent_id):
        raise Problem(403, "An agent sees their own calls only.", field="agent")
    for name in ("label", "min_peak", "outcome"):
        if getattr(wanted, name) is not None:
            raise Problem(403, f"An agent cannot search by {name}.", field=name)
    return who.agent_id


def _shown(who: Principal, row: CallRow) -> views.CallSummary:
    summary = views.call(row)
    return views.for_agent(summary) if who.role == "agent" else summary


async def call(ask: Ask) -> views.CallDetail:
    row = await visible(ask, ask.path["call_id"])
    for_agent = ask.principal.role == "agent"
    alerts = [] if for_agent else await asyncio.to_thread(ask.store.alerts, AlertQuery(call_id=row.call_id))
    told = [] if for_agent else await asyncio.to_thread(ask.store.deliveries, row.call_id)
    said = await asyncio.to_thread(ask.store.annotations, row.call_id)
    return views.CallDetail(
        call=_shown(ask.principal, row),
        alerts=msgspec.UNSET if for_agent else [views.alert(one) for one in alerts],
        deliveries=msgspec.UNSET if for_agent else [views.delivery(one) for one in told],
        annotations=[views.annotation(one) for one in said if one.kind == "note" or not for_agent],
    )


async def events(ask: Ask) -> Response:
    row = await visible(ask, ask.path["call_id"])
    bodies = await asyncio.to_thread(ask.store.events, row.call_id)
    accepts = ask.request.headers.get("accept", "")
    if ask.query.format == "ndjson" or (ask.query.format is None and NDJSON in accepts):
        return _raw(b"".join(body + b"\n" for body in bodies), NDJSON)
    return _raw(b"[" + b",".join(bodies) + b"]", "application/json")


async def exported(ask: Ask) -> Response:
    row = await visible(ask, ask.path["call_id"])
    form: str = ask.query.format
    records = await asyncio.to_thread(ask.store.records, row.call_id)
    bodies = await asyncio.to_thread(ask.store.events, row.call_id)
    content = await asyncio.to_thread(export.render, form, row.call_id, views.instant(row.opened_at), records, bodies)
    name = "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "_" for char in row.call_id)
    answer = _raw(content, EXPORT_MEDIA[form])
    answer.headers["content-disposition"] = f'attachment; filename="{name[:100]}.{form}"'
    return answer


async def handed_over(ask: Ask) -> Handoff:
    row = await visible(ask, ask.path["call_id"])
    bodies = await asyncio.to_thread(ask.store.events, row.call_id)
    sheet = await asyncio.to_thread(lambda: handoff(row.call_id, [decode(body) for body in bodies]))
    return for_agent(sheet) if ask.principal.role == "agent" else sheet


async def note(ask: Ask) -> views.AnnotationView:
    row = await visible(ask, ask.path["call_id"])
    await _check_segment(ask, row)
    return await _annotate(ask, row, "note")


async def annotation(ask: Ask) -> views.AnnotationView:
    row = await visible(ask, ask.path["call_id"])
    await _check_segment(ask, row)
    if ask.body.label is not None and ask.body.label not in VOCABULARY and ask.body.label not in row.labels:
        raise Problem(422, "Body: label is none of the label guide's names.", field="label")
    return await _annotate(ask, row, "annotation")


async def _check_segment(ask: Ask, row: CallRow) -> None:
    """Raises Problem 422 when the body names a segment that the call does not have."""
    segment_id: str | None = ask.body.segment_id
    if segment_id is not None and not await asyncio.to_thread(ask.store.has_segment, row.call_id, segment_id):
        raise Problem(422, "Body: the call has no final with this segment_id.", field="segment_id")


async def scorecard(ask: Ask) -> views.AnnotationView:
    return await _annotate(ask, await visible(ask, ask.path["call_id"]), "scorecard")


async def outcome(ask: Ask) -> views.AnnotationView:
    return await _annotate(ask, await visible(ask, ask.path["call_id"]), "outcome")


async def visible(ask: Ask, call_id: str) -> CallRow:
    """The call's row. Raises Problem 404 when there is none, or none that the reader may know of."""
    row = await asyncio.to_thread(ask.store.call, call_id)
    if row is None or not ask.principal.may_see(row.team, row.agent_id):
        raise Problem(404, "There is no such call.")
    return row


async def _annotate(ask: Ask, row: CallRow, kind: str) -> views.AnnotationView:
    """People write numbers too: their words are redacted like everybody's."""
    body = ask.body
    if body.text:
        body = msgspec.structs.replace(body, text=redact(body.text, ask.services.config.ingest.region))
    stored = await asyncio.to_thread(
        ask.store.add_annotation, row.call_id, kind, msgspec.json.encode(body), ask.principal.name
    )
    return views.annotation(stored)


def _raw(content: bytes, media: str) -> Response:
    return Response(content, media_type=media, headers={"cache-control": "no-store"})


def unix(when: datetime | None) -> float | None:
    """Seconds since 1970."""
    return None if when is None else when.timestamp()
