"""The SQL of the lists, and how its rows become structs."""

from __future__ import annotations

import statistics
from typing import Any

import msgspec

from alerts.model import Delivery, Notification
from monitor.service.rows import AlertQuery, AlertRow, CallQuery, CallRow, StatRow

ESCALATED = "escalated"
"""The outcome that counts towards the escalation rate."""


DELIVERIES = "SELECT receiver, body, created_at, due_at, attempts, status, error FROM deliveries"
_note = msgspec.json.Decoder(Notification)


def delivery_row(row: Any) -> Delivery:
    """Of a row of `DELIVERIES`."""
    receiver, body, created_at, due_at, attempts, status, error = row
    return Delivery(
        receiver=receiver,
        notification=_note.decode(body),
        created_at=created_at,
        due_at=due_at,
        attempts=attempts,
        status=status,
        error=error,
    )


def _select(table: str, row: type[msgspec.Struct]) -> str:
    return f"SELECT {', '.join(row.__struct_fields__)} FROM {table}"


SELECT_CALL = _select("calls", CallRow)
SELECT_ALERT = _select("alerts", AlertRow)
_strings = msgspec.json.Decoder(tuple[str, ...])
_evidence = msgspec.json.Decoder(list[dict[str, str]])


def call_row(row: tuple[Any, ...]) -> CallRow:
    values = dict(zip(CallRow.__struct_fields__, row, strict=True))
    values["finished"] = bool(values["finished"])
    values["labels"] = _strings.decode(values["labels"])
    values["flags"] = _strings.decode(values["flags"])
    return CallRow(**values)


def alert_row(row: tuple[Any, ...]) -> AlertRow:
    values = dict(zip(AlertRow.__struct_fields__, row, strict=True))
    values["evidence"] = _evidence.decode(values["evidence"])
    return AlertRow(**values)


class _Where:
    """Collects conditions; a value of None adds none."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.values: list[Any] = []

    def add(self, condition: str, value: Any) -> None:
        if value is not None:
            self.conditions.append(condition)
            self.values.extend(value if isinstance(value, tuple) else (value,))

    def one_of(self, column: str, allowed: tuple[str, ...] | None) -> None:
        if allowed is not None:
            self.conditions.append(f"{column} IN ({', '.join('?' * len(allowed))})")
            self.values.extend(allowed)

    def __str__(self) -> str:
        return f" WHERE {' AND '.join(self.conditions)}" if self.conditions else ""


def _escaped(text: str) -> str:
    """A LIKE pattern (escape character `!`) for texts that contain `text` in any case."""
    plain = text.casefold().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{plain}%"


def _position(cursor: str) -> tuple[float, float, str]:
    opened_at, colon, call_id = cursor.partition(":")
    try:
        at = float(opened_at)
    except ValueError:
        at = float("nan")
    if not colon or at != at:
        raise ValueError("cursor: expected the cursor of an earlier page")
    return (at, at, call_id)


def _place(cursor: str) -> tuple[float, float, str]:
    fired_at, _, rest = cursor.partition(":")
    at_s, colon, alert_id = rest.partition(":")
    try:
        place = (float(fired_at), float(at_s), alert_id)
    except ValueError:
        colon = ""
    if not colon:
        raise ValueError("cursor: expected the cursor of an earlier page")
    return place


def calls(query: CallQuery) -> tuple[str, list[Any]]:
    where = _Where()
    if query.live is not None:
        where.conditions.append(f"state {'<>' if query.live else '='} 'ended'")
    where.add("opened_at >= ?", query.since)
    where.add("opened_at < ?", query.until)
    where.add("agent_id = ?", query.agent)
    where.add("team = ?", query.team)
    where.one_of("team", query.teams)
    where.add("customer_id = ?", query.customer)
    where.add("language = ?", query.language)
    where.add("peak_tension >= ?", query.min_peak)
    where.add("COALESCE(outcome, outcome_guess) = ?", query.outcome)
    where.add("call_id IN (SELECT call_id FROM call_labels WHERE label = ?)", query.label)
    pattern = None if query.text is None else _escaped(query.text)
    where.add("call_id IN (SELECT call_id FROM turn_texts WHERE folded LIKE ? ESCAPE '!')", pattern)
    position = None if query.cursor is None else _position(query.cursor)
    where.add("(opened_at < ? OR (opened_at = ? AND call_id < ?))", position)
    return f"{SELECT_CALL}{where} ORDER BY opened_at DESC, call_id DESC LIMIT ?", [*where.values, query.limit]


def alerts(query: AlertQuery) -> tuple[str, list[Any]]:
    where = _Where()
    if query.open:
        where.conditions.append("state <> 'resolved'")
    where.add("state = ?", query.state)
    where.add("kind = ?", query.kind)
    where.add("severity = ?", query.severity)
    where.add("team = ?", query.team)
    where.one_of("team", query.teams)
    where.add("agent_id = ?", query.agent)
    where.add("call_id = ?", query.call_id)
    where.add("fired_at >= ?", query.since)
    where.add("fired_at < ?", query.until)
    where.add("(fired_at, at_s, alert_id) < (?, ?, ?)", None if query.cursor is None else _place(query.cursor))
    order = "ORDER BY fired_at DESC, at_s DESC, alert_id DESC"
    return f"{SELECT_ALERT}{where} {order} LIMIT ?", [*where.values, query.limit]


_KEYS = {None: "NULL", "team": "c.team", "queue": "c.queue", "day": "date(c.opened_at, 'unixepoch')"}


def _span(since: float | None, until: float | None, teams: tuple[str, ...] | None) -> _Where:
    where = _Where()
    where.one_of("c.team", teams)
    where.add("c.opened_at >= ?", since)
    where.add("c.opened_at < ?", until)
    return where


def _key(by: str | None) -> str:
    if by not in _KEYS:
        raise ValueError("by: expected team, queue or day")
    return _KEYS[by]


def stats_calls(
    since: float | None, until: float | None, by: str | None, teams: tuple[str, ...] | None
) -> tuple[str, list[Any]]:
    where = _span(since, until, teams)
    sql = f"""SELECT {_key(by)} AS key, COUNT(*), SUM(c.state = 'ended'),
        SUM(COALESCE(c.outcome, c.outcome_guess, '') = '{ESCALATED}')
        FROM calls c{where} GROUP BY key ORDER BY key"""
    return sql, where.values


def stats_alerts(
    since: float | None, until: float | None, by: str | None, teams: tuple[str, ...] | None
) -> tuple[str, list[Any]]:
    where = _span(since, until, teams)
    sql = f"""SELECT {_key(by)}, a.acknowledged_at - a.fired_at
        FROM alerts a JOIN calls c ON c.call_id = a.call_id{where}"""
    return sql, where.values


def stat_rows(calls: list[Any], alerts: list[Any], by: str | None) -> list[StatRow]:
    """Without calls there is one empty row for `by` None (its escalation rate is None, not 0) and none otherwise."""
    waits: dict[str | None, list[float | None]] = {}
    for key, wait in alerts:
        waits.setdefault(key, []).append(wait)
    if not calls and by is None:
        calls = [(None, 0, 0, 0)]
    rows = []
    for key, count, ended, escalated in calls:
        acked = sorted(wait for wait in waits.get(key, []) if wait is not None)
        rows.append(
            StatRow(
                key=key,
                calls=count,
                ended=ended,
                escalated=escalated,
                escalation_rate=100.0 * escalated / count if count > 0 else None,
                alerts=len(waits.get(key, [])),
                acknowledged=len(acked),
                ack_p50_s=statistics.median(acked) if acked else None,
                ack_p90_s=acked[max(0, -(-9 * len(acked) // 10) - 1)] if acked else None,
            )
        )
    return rows
