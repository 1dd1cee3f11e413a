"""A replayed call in a few lines that a person reads."""

from __future__ import annotations

from collections import Counter

import msgspec

from monitor.cli.common import clock
from monitor.core.curve import band
from monitor.core.events import Alert, Call, Event, HeldBack, Point, Prompt, Turn

QUOTE_CHARS = 100
HELD_BACK = {
    "called": "an urgent alert had just spoken up",
    "cooldown": "an alert had just ended",
    "hold": "risk had not held long enough",
    "deferred": "recovery was likely",
}
"""Why an alert did not fire at once."""


def summarise(call_id: str, events: list[Event]) -> str:
    """Turns, peak tension, alerts with time, reason and quote, prompts, and how it ended."""
    start = next((e for e in events if isinstance(e, Call) and e.state == "start"), None)
    end = next((e for e in events if isinstance(e, Call) and e.state == "end"), None)
    lines = [_headline(call_id, start), _turns(events), _peak(events)]
    lines += _alerts(events) or ["  no alert"]
    lines += [] if end is None or end.suppressed is msgspec.UNSET else [_held_back(held) for held in end.suppressed]
    lines += [f"  prompt  {clock(e.at_s)}  {e.text}" for e in events if isinstance(e, Prompt) and e.state == "shown"]
    return "\n".join([*lines, _ending(events, end)])


def _headline(call_id: str, start: Call | None) -> str:
    about = (
        []
        if start is None
        else [start.channel, start.language, start.queue, start.agent_id and f"agent {start.agent_id}"]
    )
    return f"{call_id}  " + ", ".join(str(word) for word in about if word)


def _turns(events: list[Event]) -> str:
    turns = [e for e in events if isinstance(e, Turn)]
    roles = Counter(turn.role for turn in turns)
    abstained = sum(turn.abstained is not None for turn in turns)
    degraded = sum(e.degraded is not None for e in events if isinstance(e, Point))
    line = f"  {len(turns)} turns (" + ", ".join(f"{count} {role}" for role, count in sorted(roles.items())) + ")"
    line += f", nothing concluded from {abstained}" if abstained else ""
    return line + (f", {degraded} points degraded" if degraded else "")


def _peak(events: list[Event]) -> str:
    points = [e for e in events if isinstance(e, Point)]
    if not points:
        return "  no curve"
    tension = max(points, key=lambda point: point.tension)
    risk = max(points, key=lambda point: point.risk)
    return (
        f"  peak tension {tension.tension:.2f} at {clock(tension.at_s)} ({band(tension.tension)}), "
        f"peak risk {risk.risk:.2f} at {clock(risk.at_s)}, last tension {points[-1].tension:.2f}"
    )


def _alerts(events: list[Event]) -> list[str]:
    lines = []
    for event in events:
        if isinstance(event, Alert):
            lines.append(f"  {event.severity:8} {clock(event.at_s):>6}  {event.kind} {event.state}: {event.reason}")
            if event.evidence and event.state in ("firing", "updated"):
                quote = " ".join(event.evidence[-1].quote.split())
                quote = quote if len(quote) <= QUOTE_CHARS else quote[: QUOTE_CHARS - 1] + "…"
                lines.append(f"{'':19}“{quote}”")
    return lines


def _held_back(held: HeldBack) -> str:
    after = "never fired" if held.fired_at_s is msgspec.UNSET else f"fired at {clock(held.fired_at_s)}"
    why = f"{held.kind} alert at risk {held.risk:.2f}: {HELD_BACK[held.reason]}"
    return f"  held     {clock(held.at_s):>6}  {why}; {after}"


def _ending(events: list[Event], end: Call | None) -> str:
    if end is None:
        last = max((e.at_s for e in events), default=0.0)
        return f"  still open at {clock(last)}: the file has no call.end"
    words = [f"  ended at {clock(end.at_s)}", f"outcome guess {end.outcome_guess}" if end.outcome_guess else ""]
    words += [f"customer {end.customer_type}" if end.customer_type else ""]
    words += [", ".join(end.flags) if end.flags else ""]
    return "; ".join(word for word in words if word)
