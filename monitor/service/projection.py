"""What lists and searches show, kept up to date from a call's events so that no list has to fold a journal."""

from __future__ import annotations

import msgspec

from monitor.core import events
from monitor.core.events import Event, encode
from monitor.core.heard import HOLDS
from monitor.service.rows import AlertRow, CallRow, EventRow, Write

_STATES = {"start": "live", "hold": "hold", "resume": "live", "end": "ended"}
_TYPES = {event: str(event.__struct_config__.tag) for event in Event.__args__}


class Projection:
    """The call's row after its events so far, and what each event adds to the other tables."""

    def __init__(self, row: CallRow) -> None:
        self.row = row
        self.open_alerts: dict[str, str] = {}
        """Severity of each alert that is not resolved, by its id."""
        self._labels: set[str] = set()

    def take(self, event: Event, n: int, now_s: float, write: Write) -> None:
        """Adds event `n` to `write`, with its effects on the lists; `now_s` is the wall clock's."""
        body = encode(event)
        write.events.append(EventRow(event.call_id, n, _TYPES[type(event)], event.at_s, body))
        changes: dict[str, object] = {"last_at_s": max(self.row.last_at_s, event.at_s), "updated_at": now_s}
        match event:
            case events.Turn():
                changes["turns"] = self.row.turns + 1
                changes["language"] = self.row.language or event.language
                write.texts.append((event.call_id, n, event.text.casefold()))
                self._hear(event, write, changes)
            case events.Point():
                changes["tension"], changes["risk"], changes["stage"] = event.tension, event.risk, event.stage
                changes["peak_tension"] = max(self.row.peak_tension, event.tension)
            case events.Alert():
                changes["alerts"] = self.row.alerts + (1 if event.state == "firing" else 0)
                write.alerts.append(self._alert(event, n, now_s))
            case events.Call():
                changes |= _about_call(event, now_s, self.row)
            case _:
                pass
        self.row = msgspec.structs.replace(self.row, **changes)

    def _hear(self, turn: events.Turn, write: Write, changes: dict[str, object]) -> None:
        held = {name for name, p in turn.emotions.items() if p >= HOLDS} | {hit.name for hit in turn.labels}
        new = sorted(held - self._labels) if turn.abstained is None else []
        if new:
            self._labels.update(new)
            write.labels += [(label, turn.call_id) for label in new]
            changes["labels"] = tuple(sorted(self._labels))

    def _alert(self, event: events.Alert, n: int, now_s: float) -> AlertRow:
        """The row as this event alone knows it; the store keeps the first times of earlier ones."""
        if event.state == "resolved":
            self.open_alerts.pop(event.alert_id, None)
        else:
            self.open_alerts[event.alert_id] = event.severity
        by = None if event.by is msgspec.UNSET else event.by
        acknowledged, resolved = event.state == "acknowledged", event.state == "resolved"
        return AlertRow(
            call_id=event.call_id,
            alert_id=event.alert_id,
            n=n,
            kind=event.kind,
            severity=event.severity,
            state=event.state,
            reason=event.reason,
            evidence=[msgspec.to_builtins(item) for item in event.evidence],
            audience=event.audience,
            at_s=event.at_s,
            fired_at=now_s,
            updated_at=now_s,
            team=self.row.team,
            agent_id=self.row.agent_id,
            segment_id=None if event.segment_id is msgspec.UNSET else event.segment_id,
            acknowledged_at=now_s if acknowledged else None,
            acknowledged_by=by if acknowledged else None,
            resolved_at=now_s if resolved else None,
            resolved_by=by if resolved else None,
            note=None if event.note is msgspec.UNSET else event.note,
        )


def _about_call(event: events.Call, now_s: float, row: CallRow) -> dict[str, object]:
    changes: dict[str, object] = {}
    if event.state in _STATES:
        changes["state"] = _STATES[event.state]
    said = ("channel", "language", "agent_id", "team", "queue", "customer_id", "started_at")
    for name in (*said, "customer_type", "outcome_guess", "peak_tension"):
        value = getattr(event, name)
        if value is not msgspec.UNSET and value is not None:
            changes[name] = value
    if event.flags is not msgspec.UNSET:
        changes["flags"] = tuple(event.flags)
    if event.state == "end" and row.ended_at is None:
        changes["ended_at"] = now_s
    return changes
