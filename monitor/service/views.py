"""What REST answers: the store's rows with wall-clock times as RFC 3339."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from alerts.model import Delivery
from monitor.service.rows import AlertRow, Annotation, CallRow, StatRow


class CallSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One call in a list. What judges it is left out for an agent (`for_agent`)."""

    call_id: str
    source: str
    channel: str | None
    language: str | None
    agent_id: str | None
    team: str | None
    queue: str | None
    customer_id: str | None
    state: str
    opened_at: datetime
    ended_at: datetime | None
    duration_s: float
    tension: float | UnsetType
    peak_tension: float | UnsetType
    risk: float | UnsetType
    stage: str | None
    labels: list[str] | UnsetType
    outcome_guess: str | UnsetType | None
    outcome: str | UnsetType | None
    customer_type: str | UnsetType | None
    flags: list[str] | UnsetType
    turns: int
    alerts: int | UnsetType


_JUDGEMENTS = (
    "tension", "peak_tension", "risk", "labels", "outcome_guess", "outcome", "customer_type", "flags", "alerts",
)  # fmt: skip


class AlertView(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as it stands now, with who dealt with it and when."""

    alert_id: str
    call_id: str
    kind: str
    severity: str
    state: str
    reason: str
    evidence: list[dict[str, str]]
    audience: str
    at_s: float
    segment_id: str | None
    team: str | None
    agent_id: str | None
    fired_at: datetime
    updated_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    note: str | None


class AnnotationView(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said about a call."""

    id: int
    kind: str
    body: Any
    by: str
    at: datetime
    alert_id: str | None


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of telling one receiver of one state of an alert. `error` names why it failed or was withheld."""

    receiver: str
    alert_id: str
    kind: str
    state: str
    status: str
    attempts: int
    error: str | None
    at: datetime


class CallDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One call with what came of it. An agent gets no alerts, and of the annotations the notes."""

    call: CallSummary
    alerts: list[AlertView] | UnsetType
    deliveries: list[DeliveryView] | UnsetType
    annotations: list[AnnotationView]


class CallPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. `next` is the `cursor` of the following page; null on the last one."""

    calls: list[CallSummary]
    next: str | None


class AlertPage(msgspec.Struct, frozen=True, kw_only=True):
    """Newest first. `next` is the `cursor` of the following page; null on the last one."""

    alerts: list[AlertView]
    next: str | None


class StatsView(msgspec.Struct, frozen=True, kw_only=True):
    """Figures by team, queue or day; of work, never of a person. `load` is what the service carries now."""

    by: str | None
    groups: list[StatRow]
    load: dict[str, Any]


def call(row: CallRow) -> CallSummary:
    return CallSummary(
        call_id=row.call_id,
        source=row.source,
        channel=row.channel,
        language=row.language,
        agent_id=row.agent_id,
        team=row.team,
        queue=row.queue,
        customer_id=row.customer_id,
        state=row.state,
        opened_at=instant(row.opened_at),
        ended_at=_maybe(row.ended_at),
        duration_s=row.last_at_s,
        tension=row.tension,
        peak_tension=row.peak_tension,
        risk=row.risk,
        stage=row.stage,
        labels=list(row.labels),
        outcome_guess=row.outcome_guess,
        outcome=row.outcome,
        customer_type=row.customer_type,
        flags=list(row.flags),
        turns=row.turns,
        alerts=row.alerts,
    )


def for_agent(summary: CallSummary) -> CallSummary:
    """The call as its agent may see it: who, when and in what stage, but nothing that ranks or judges it."""
    return msgspec.structs.replace(summary, **dict.fromkeys(_JUDGEMENTS, UNSET))


def alert(row: AlertRow) -> AlertView:
    return AlertView(
        alert_id=row.alert_id,
        call_id=row.call_id,
        kind=row.kind,
        severity=row.severity,
        state=row.state,
        reason=row.reason,
        evidence=row.evidence,
        audience=row.audience,
        at_s=row.at_s,
        segment_id=row.segment_id,
        team=row.team,
        agent_id=row.agent_id,
        fired_at=instant(row.fired_at),
        updated_at=instant(row.updated_at),
        acknowledged_at=_maybe(row.acknowledged_at),
        acknowledged_by=row.acknowledged_by,
        resolved_at=_maybe(row.resolved_at),
        resolved_by=row.resolved_by,
        note=row.note,
    )


def annotation(row: Annotation) -> AnnotationView:
    return AnnotationView(id=row.id, kind=row.kind, body=row.body, by=row.by, at=instant(row.at), alert_id=row.alert_id)


def delivery(item: Delivery) -> DeliveryView:
    note = item.notification
    return DeliveryView(
        receiver=item.receiver.rpartition("@")[0],
        alert_id=note.alert_id,
        kind=note.kind,
        state=note.state,
        status=item.status,
        attempts=item.attempts,
        error=item.error,
        at=instant(item.created_at),
    )


def instant(unix_s: float) -> datetime:
    """Seconds since 1970 -> an aware time, in milliseconds."""
    return datetime.fromtimestamp(round(unix_s, 3), UTC)


def _maybe(unix_s: float | None) -> datetime | None:
    return None if unix_s is None else instant(unix_s)
