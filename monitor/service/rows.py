"""What the store takes and gives: rows, queries and its errors. Wall-clock times are seconds since 1970 (UTC)."""

from __future__ import annotations

import dataclasses

import msgspec


class StoreError(Exception):
    """The database cannot be opened or used; the message says what to do about it."""


class StoreBusy(Exception):
    """The write queue is full. Nothing of the refused batch was taken."""


class RecordRow(msgspec.Struct, frozen=True):
    """Entry `n` (0, 1, ...) of a call's journal; `segment_id` only on transcripts, to recognise what is sent again."""

    call_id: str
    n: int
    body: bytes
    segment_id: str | None = None


class EventRow(msgspec.Struct, frozen=True):
    """Event `n` (0, 1, ...) of a call."""

    call_id: str
    n: int
    type: str
    at_s: float
    body: bytes


class CallRow(msgspec.Struct, frozen=True):
    """What lists show of a call, folded from its events; `finished` means ended with every score stored."""

    call_id: str
    source: str
    opened_at: float
    updated_at: float
    channel: str | None = None
    language: str | None = None
    agent_id: str | None = None
    team: str | None = None
    queue: str | None = None
    customer_id: str | None = None
    started_at: str | None = None
    """What the source said, RFC 3339; `opened_at` is when the first message came in."""
    state: str = "live"
    """`live`, `hold` or `ended`."""
    finished: bool = False
    tension: float = 0.0
    peak_tension: float = 0.0
    risk: float = 0.0
    stage: str | None = None
    labels: tuple[str, ...] = ()
    outcome_guess: str | None = None
    outcome: str | None = None
    """What a person recorded as the outcome; never written from events."""
    customer_type: str | None = None
    flags: tuple[str, ...] = ()
    turns: int = 0
    alerts: int = 0
    last_at_s: float = 0.0
    ended_at: float | None = None

    @property
    def cursor(self) -> str:
        """Give this as `CallQuery.cursor` to go on after this row."""
        return f"{self.opened_at!r}:{self.call_id}"


class AlertRow(msgspec.Struct, frozen=True):
    """One alert as it stands; `n` is the call's event that said so last."""

    call_id: str
    alert_id: str
    n: int
    kind: str
    severity: str
    state: str
    reason: str
    evidence: list[dict[str, str]]
    audience: str
    at_s: float
    fired_at: float
    updated_at: float
    team: str | None = None
    agent_id: str | None = None
    segment_id: str | None = None
    acknowledged_at: float | None = None
    acknowledged_by: str | None = None
    resolved_at: float | None = None
    resolved_by: str | None = None
    note: str | None = None

    @property
    def cursor(self) -> str:
        """Give this as `AlertQuery.cursor` to go on after this row."""
        return f"{self.fired_at!r}:{self.at_s!r}:{self.alert_id}"


class Annotation(msgspec.Struct, frozen=True):
    """What a person said about a call or one of its alerts; `kind`: annotation scorecard outcome note feedback."""

    id: int
    call_id: str
    kind: str
    body: msgspec.Raw
    by: str
    at: float
    alert_id: str | None = None


class StatRow(msgspec.Struct, frozen=True):
    """Figures of a group of calls; `escalation_rate` is escalated / calls x 100, None without calls."""

    key: str | None
    calls: int
    ended: int
    escalated: int
    escalation_rate: float | None
    alerts: int
    acknowledged: int
    ack_p50_s: float | None
    ack_p90_s: float | None


class CallQuery(msgspec.Struct, frozen=True):
    """Which calls to list, newest first; every field narrows. `teams` limits to what a reader may see."""

    live: bool | None = None
    since: float | None = None
    until: float | None = None
    agent: str | None = None
    team: str | None = None
    teams: tuple[str, ...] | None = None
    customer: str | None = None
    language: str | None = None
    label: str | None = None
    min_peak: float | None = None
    outcome: str | None = None
    text: str | None = None
    limit: int = 100
    cursor: str | None = None


class AlertQuery(msgspec.Struct, frozen=True):
    """Which alerts to list, newest first. `open` leaves out what is resolved."""

    open: bool = False
    state: str | None = None
    kind: str | None = None
    severity: str | None = None
    team: str | None = None
    teams: tuple[str, ...] | None = None
    agent: str | None = None
    call_id: str | None = None
    since: float | None = None
    until: float | None = None
    limit: int = 200
    cursor: str | None = None


@dataclasses.dataclass
class Write:
    """Everything that one step of one call stores: all of it in one transaction, or none."""

    records: list[RecordRow] = dataclasses.field(default_factory=list)
    events: list[EventRow] = dataclasses.field(default_factory=list)
    calls: list[CallRow] = dataclasses.field(default_factory=list)
    alerts: list[AlertRow] = dataclasses.field(default_factory=list)
    texts: list[tuple[str, int, str]] = dataclasses.field(default_factory=list)
    """(call_id, event n, casefolded text) of turns, for search."""
    labels: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    """(label, call_id) newly heard."""
