"""What the next person needs to know so that the customer need not tell it again. Pure: events in, one sheet out."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from monitor.core.events import Alert, Call, Event, Point, Turn

GOOD_STEPS = frozenset(
    {
        "own", "solve", "alternatives", "restate", "set_expectation", "hold_boundary", "promise_inquiry",
        "announce_escalation", "warm_transfer", "m06_set_expectation", "m14_next_steps",
    }
)  # fmt: skip
"""Moves that are steps taken; listening and kindness are not listed as such."""
PROMISES = frozenset(
    {
        "promise_inquiry", "set_expectation", "announce_escalation", "overpromise", "m06_set_expectation",
        "m14_next_steps",
    }
)  # fmt: skip
CONCERN_TURNS = 3
MOST = 12
_REFERENCE = re.compile(
    r"(?<![\w-])(?=[\w/-]*\d)[A-Za-z]{1,5}[-/ ]?\d[\d/-]{3,}(?!\w)|(?<![\w-])\d{5,12}(?![\w-])", re.ASCII
)


class Said(msgspec.Struct, frozen=True):
    """Words of one turn and what they are an example of."""

    segment_id: str
    at_s: float
    role: str
    text: str
    labels: list[str] = []


class Missing(msgspec.Struct, frozen=True):
    """A part that could not be filled, and why."""

    part: str
    why: str


class Handoff(msgspec.Struct, frozen=True, kw_only=True):
    """Every text is as it was stored: redacted."""

    call_id: str
    customer_id: str | None
    agent_id: str | None
    team: str | None
    queue: str | None
    channel: str | None
    language: str | None
    tension: float | msgspec.UnsetType | None
    """Left out for an agent, as `open_alerts` is."""
    stage: str | None
    wants: str | None
    """What the customer seems to want by now."""
    concern: list[Said]
    steps_taken: list[Said]
    promises: list[Said]
    references: list[str]
    open_alerts: list[str] | msgspec.UnsetType
    """Reasons of the alerts that nobody has closed."""
    incomplete: list[Missing]


def handoff(call_id: str, events: Iterable[Event]) -> Handoff:
    """The sheet as of the last event."""
    who: dict[str, str | None] = dict.fromkeys(
        ("customer_id", "agent_id", "team", "queue", "channel", "language"), None
    )
    turns: list[Turn] = []
    point: Point | None = None
    alerts: dict[str, Alert] = {}
    for event in events:
        if isinstance(event, Call):
            for name in who:
                value = getattr(event, name)
                who[name] = who[name] if value is msgspec.UNSET or value is None else value
        elif isinstance(event, Turn):
            turns.append(event)
        elif isinstance(event, Point):
            point = event
        elif isinstance(event, Alert):
            alerts[event.alert_id] = event
    customer = [turn for turn in turns if turn.role in ("customer", "unknown")]
    if who["language"] is None:
        who["language"] = next((turn.language for turn in customer if turn.language is not None), None)
    parts = {
        "concern": [_said(turn, frozenset()) for turn in _substantial(customer)[:CONCERN_TURNS]],
        "steps_taken": _with(turns, GOOD_STEPS),
        "promises": _with(turns, PROMISES),
    }
    references = list(dict.fromkeys(found for turn in turns for found in _REFERENCE.findall(turn.text)))[:MOST]
    return Handoff(
        call_id=call_id,
        customer_id=who["customer_id"],
        agent_id=who["agent_id"],
        team=who["team"],
        queue=who["queue"],
        channel=who["channel"],
        language=who["language"],
        tension=None if point is None else point.tension,
        stage=None if point is None else point.stage,
        wants=None if point is None or point.wants is msgspec.UNSET else point.wants,
        concern=parts["concern"],
        steps_taken=parts["steps_taken"],
        promises=parts["promises"],
        references=references,
        open_alerts=[alert.reason for alert in alerts.values() if alert.state != "resolved"],
        incomplete=_missing(who, parts, references, turns),
    )


def for_agent(sheet: Handoff) -> Handoff:
    """The sheet as the call's agent may see it: alerts and scores speak to supervisors."""
    return msgspec.structs.replace(sheet, tension=msgspec.UNSET, open_alerts=msgspec.UNSET)


def _substantial(turns: list[Turn]) -> list[Turn]:
    """Turns that say more than a greeting, if there are any."""
    long = [turn for turn in turns if len(turn.text.split()) >= 4 or len(turn.text) >= 12]
    return long or turns


def _with(turns: list[Turn], labels: frozenset[str]) -> list[Said]:
    spoken = [turn for turn in turns if turn.role in ("agent", "manager", "bot")]
    return [said for turn in spoken if (said := _said(turn, labels)).labels][-MOST:]


def _said(turn: Turn, labels: frozenset[str]) -> Said:
    found = [hit.name for hit in turn.labels if hit.name in labels]
    return Said(turn.segments[0], turn.at_s, turn.role, turn.text, found)


def _missing(
    who: dict[str, str | None], parts: dict[str, list[Said]], references: list[str], turns: list[Turn]
) -> list[Missing]:
    told = {
        "customer_id": "the source named no customer",
        "agent_id": "the source named no agent",
        "concern": "the customer has not spoken yet",
        "steps_taken": "no step was heard from the agent",
        "promises": "no promise was heard",
        "references": "no number or reference was heard; personal ones are redacted",
    }
    have = {**who, **parts, "references": references}
    out = [Missing(part, why) for part, why in told.items() if not have[part]]
    unsure = sum(turn.abstained is not None for turn in turns)
    if unsure:
        out.append(Missing("turns", f"{unsure} of {len(turns)} turns could not be judged"))
    return out
