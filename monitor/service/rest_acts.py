"""What people do: answer alerts, use prompts; and the list of alerts."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import msgspec

from monitor.core.inputs import AlertAction, PromptAction
from monitor.service import views
from monitor.service.answers import Refused
from monitor.service.api import Ask
from monitor.service.cursors import Cursor, opened, sealed, unknown
from monitor.service.problems import Problem
from monitor.service.rest_calls import Limit, When, Word, unix, visible
from monitor.service.rows import AlertQuery, AlertRow, CallQuery
from stream.redact import redact

RECENT_CALLS = 200
"""Calls, newest first, among which a prompt is looked for when its call is not named."""

Note = Annotated[str, msgspec.Meta(max_length=1000)]


class AlertsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every parameter narrows; `open` leaves out what is resolved."""

    open: bool = False
    state: Literal["firing", "updated", "acknowledged", "snoozed", "resolved"] | None = None
    kind: Word | None = None
    severity: Literal["info", "warning", "critical"] | None = None
    team: Word | None = None
    agent: Word | None = None
    call_id: Word | None = None
    since: When | None = None
    until: When | None = None
    limit: Limit = 200
    cursor: Cursor | None = None


class ActBody(msgspec.Struct, frozen=True):
    """Words that go with it."""

    note: Note = ""


class SnoozeBody(msgspec.Struct, frozen=True):
    """Quiet for so many seconds of the call, unless it gets worse."""

    for_s: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 300.0
    note: Note = ""


class FeedbackBody(msgspec.Struct, frozen=True):
    """Was the alert right? `late`: right, but too late to help. `verdict` is another name for `feedback`."""

    feedback: Literal["true", "false", "late"] | bool | None = None
    verdict: Literal["true", "false", "late"] | None = None
    note: Note = ""

    def said(self) -> str:
        """Raises Problem 422 unless it says one thing."""
        said = {str(word).lower() for word in (self.feedback, self.verdict) if word is not None}
        if len(said) != 1:
            raise Problem(422, "Body: expected feedback, one of true, false and late.", field="feedback")
        return said.pop()


class Feedback(msgspec.Struct, frozen=True):
    """What is kept of a feedback."""

    verdict: str
    note: str


class PromptBody(msgspec.Struct, frozen=True):
    """The call may be named to save a search."""

    call_id: Word | None = None


class Done(msgspec.Struct, frozen=True):
    """The action was taken down."""

    call_id: str
    prompt_id: str
    action: str


async def alerts(ask: Ask) -> views.AlertPage:
    wanted: AlertsQuery = ask.query
    query = AlertQuery(
        open=wanted.open,
        state=wanted.state,
        kind=wanted.kind,
        severity=wanted.severity,
        team=wanted.team,
        teams=ask.principal.team_limit,
        agent=wanted.agent,
        call_id=wanted.call_id,
        since=unix(wanted.since),
        until=unix(wanted.until),
        limit=wanted.limit + 1,
        cursor=opened(wanted.cursor),
    )
    try:
        rows = await asyncio.to_thread(ask.store.alerts, query)
    except ValueError:
        raise unknown() from None
    page = rows[: wanted.limit]
    following = sealed(page[-1].cursor) if len(rows) > len(page) else None
    return views.AlertPage(alerts=[views.alert(row) for row in page], next=following)


async def ack(ask: Ask) -> views.AlertView:
    return await _act(ask, "ack")


async def claim(ask: Ask) -> views.AlertView:
    return await _act(ask, "claim")


async def snooze(ask: Ask) -> views.AlertView:
    return await _act(ask, "snooze", ask.body.for_s)


async def resolve(ask: Ask) -> views.AlertView:
    return await _act(ask, "resolve")


async def feedback(ask: Ask) -> views.AnnotationView:
    row = await _alert(ask)
    body = Feedback(ask.body.said(), _clean(ask, ask.body.note))
    stored = await asyncio.to_thread(
        ask.store.add_annotation,
        row.call_id,
        "feedback",
        msgspec.json.encode(body),
        ask.principal.name,
        row.alert_id,
    )
    return views.annotation(stored)


async def used(ask: Ask) -> Done:
    return await _prompt(ask, "used")


async def dismissed(ask: Ask) -> Done:
    return await _prompt(ask, "dismissed")


async def _act(ask: Ask, action: str, for_s: float | None = None) -> views.AlertView:
    row = await _alert(ask)
    if row.state == "resolved":
        raise Problem(409, "This alert is resolved already.")
    done = AlertAction(
        call_id=row.call_id,
        at_s=0.0,
        alert_id=row.alert_id,
        action=action,
        by=ask.principal.name,
        note=_clean(ask, ask.body.note),
        until_s=for_s,
    )
    await _do(ask, done)
    after = await asyncio.to_thread(ask.store.alert, row.alert_id)
    return views.alert(row if after is None else after)


async def _do(ask: Ask, action: AlertAction | PromptAction) -> None:
    """`at_s` is filled in by the runtime. Raises Problem when the action cannot be stored now."""
    try:
        await ask.runtime.act(action)
    except Refused as refused:
        status = 404 if refused.code == "unknown_call" else 503
        raise Problem(status, refused.message) from None


async def _alert(ask: Ask) -> AlertRow:
    row = await asyncio.to_thread(ask.store.alert, ask.path["alert_id"])
    if row is None or not ask.principal.may_see(row.team, row.agent_id):
        raise Problem(404, "There is no such alert.")
    return row


async def _prompt(ask: Ask, action: str) -> Done:
    prompt_id = ask.path["prompt_id"]
    call_id = await asyncio.to_thread(_call_of_prompt, ask, prompt_id)
    await visible(ask, call_id)
    await _do(ask, PromptAction(call_id=call_id, at_s=0.0, prompt_id=prompt_id, action=action))
    return Done(call_id, prompt_id, action)


def _call_of_prompt(ask: Ask, prompt_id: str) -> str:
    """Looks into the call that is named, or through the reader's latest: a prompt is answered while it is fresh.

    Raises Problem 404 when the prompt is not there.
    """
    mark = b'"prompt_id":' + msgspec.json.encode(prompt_id)
    named: str | None = ask.body.call_id
    if named is None:
        recent = ask.store.calls(CallQuery(agent=ask.principal.agent_id, limit=RECENT_CALLS))
        call_ids = [row.call_id for row in recent]
    else:
        call_ids = [named]
    for call_id in call_ids:
        if any(mark in event for event in ask.store.events(call_id)):
            return call_id
    raise Problem(404, "There is no such prompt.")


def _clean(ask: Ask, note: str) -> str:
    return redact(note, ask.services.config.ingest.region) if note else note
