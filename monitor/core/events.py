"""What Becalm says: the events of the feeds, of `becalm replay --json` and of exports (PROTOCOL, section 4).

Every event names its call and the call time `at_s` in seconds since the call's start; an event that a turn
caused also names that turn's `segment_id`. `encode` is deterministic: the same event gives the same bytes.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

Span = tuple[int, int]


class LabelHit(msgspec.Struct, frozen=True):
    """A label that holds on a turn, with its character span where one is known."""

    name: str
    score: float
    start: int | UnsetType = UNSET
    end: int | UnsetType = UNSET
    pack: str | UnsetType = UNSET
    """The phrase pack (`hr/must_report`) that found it, when one did."""
    content: list[str] | UnsetType = UNSET
    """What is repeated, for `repetition`."""
    count: int | UnsetType = UNSET
    """How many turns say it, for `repetition`."""


class Contribution(msgspec.Struct, frozen=True):
    """One named, signed term of the tension; a point's terms add up to its tension before clipping."""

    name: str
    value: float
    segment_id: str | UnsetType = UNSET


class Evidence(msgspec.Struct, frozen=True):
    segment_id: str
    quote: str
    label: str


class HeldBack(msgspec.Struct, frozen=True):
    """A risk alert that was due and did not fire at once. `reason`: `hold`, `cooldown`, `deferred`, or `called` when
    an urgent alert had just spoken up; `fired_at_s` is there when it fired after all."""

    kind: str
    at_s: float
    segment_id: str
    reason: str
    risk: float
    fired_at_s: float | UnsetType = UNSET


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    call_id: str
    at_s: float
    segment_id: str | UnsetType = UNSET


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer is taken to want from a turn on, and the words that say so."""

    want: str
    at_s: float
    segment_id: str
    quote: str
    label: str


class Turn(_Event, tag="turn", frozen=True, kw_only=True):
    """One utterance as it was understood. `abstained` says why nothing was concluded from it."""

    segments: list[str]
    role: str
    text: str
    start_s: float
    end_s: float
    language: str | None
    emotions: dict[str, float]
    heat: float | None
    labels: list[LabelHit]
    abstained: str | None
    interrupted: bool | UnsetType = UNSET
    """True where the times show that an agent spoke into the customer's words, on the later of the two turns."""


class Point(_Event, tag="point", frozen=True, kw_only=True):
    """The curve after a turn. `degraded` says why this point knows less than it should, or null."""

    tension: float
    risk: float
    stage: str
    degraded: str | None
    contributions: list[Contribution]
    wants: str | UnsetType = UNSET
    """What the customer is taken to want by now."""


class Stage(_Event, tag="stage", frozen=True, kw_only=True):
    from_: str = msgspec.field(name="from")
    to: str


class Pivot(_Event, tag="pivot", frozen=True, kw_only=True):
    """A turning point: `intensified`, `eased` or `relapse`; a relapse names the calming in `since_segment_id`."""

    kind: str
    because: list[str]
    since_segment_id: str | UnsetType = UNSET


class Alert(_Event, tag="alert", frozen=True, kw_only=True):
    """One state of one alert; the same `alert_id` comes again when it is updated, acknowledged or resolved."""

    alert_id: str
    state: str
    kind: str
    severity: str
    reason: str
    evidence: list[Evidence]
    audience: str
    pending: str | UnsetType = UNSET
    """`score`: told on the words alone, before the model has read the turn; its `turn` event is still to come."""
    by: str | UnsetType = UNSET
    note: str | UnsetType = UNSET


class Prompt(_Event, tag="prompt", frozen=True, kw_only=True):
    """A calm-down prompt for the agent's screen; `state` is `shown`, `used`, `dismissed` or `cleared`."""

    prompt_id: str
    state: str
    situation: str
    text: str
    language: str
    because: list[str]


class Suggestion(_Event, tag="suggestion", frozen=True, kw_only=True):
    escalation_type: str
    tier: int
    reason: str


class Call(_Event, tag="call", frozen=True, kw_only=True):
    """The call itself: `start`, `hold`, `resume`, `transfer`, `end`."""

    state: str
    channel: str | UnsetType = UNSET
    language: str | UnsetType | None = UNSET
    agent_id: str | UnsetType | None = UNSET
    team: str | UnsetType | None = UNSET
    customer_id: str | UnsetType | None = UNSET
    queue: str | UnsetType | None = UNSET
    started_at: datetime | UnsetType | None = UNSET
    versions: dict[str, str] | UnsetType = UNSET
    """`model`, `rules` and `packs`: what these events were made with."""
    to: dict[str, str] | UnsetType = UNSET
    warm: bool | UnsetType = UNSET
    reason: str | UnsetType | None = UNSET
    customer_type: str | UnsetType | None = UNSET
    type_evidence: list[Evidence] | UnsetType = UNSET
    peak_tension: float | UnsetType = UNSET
    outcome_guess: str | UnsetType = UNSET
    flags: list[str] | UnsetType = UNSET
    missed_signals: list[Evidence] | UnsetType = UNSET
    wants: list[Wanted] | UnsetType = UNSET
    """How the hypothesis of what the customer wants went, at the end of a call that had one."""
    interruptions: int | UnsetType = UNSET
    """How often an agent spoke into the customer's words, at the end of a call in which it happened."""
    suppressed: list[HeldBack] | UnsetType = UNSET
    """Alerts held back and why, at the end of a call in which there were any."""
    script: dict[str, list[str]] | UnsetType = UNSET
    """Manager script steps `done` and `missing`, when a manager spoke."""
    transfers: int | UnsetType = UNSET


Event = Turn | Point | Stage | Pivot | Alert | Prompt | Suggestion | Call

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Event)


def encode(event: Event) -> bytes:
    """One line of JSON without its newline; equal events give equal bytes."""
    return _encoder.encode(event)


def decode(line: bytes | str) -> Event:
    """Raises msgspec.DecodeError (ValidationError names the field) on anything that is not an event."""
    return _decoder.decode(line)
