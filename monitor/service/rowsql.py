"""How rows are written: runs on the writer thread, inside its transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from monitor.service.rows import AlertRow, CallRow, EventRow, Write


class JournalGap(Exception):
    """A record was to be stored whose predecessor is not: an earlier write of the call failed."""


INSERT_RECORD = """INSERT INTO records (call_id, n, segment_id, body) SELECT ?1, ?2, ?3, ?4
    WHERE ?2 = 0 OR EXISTS (SELECT 1 FROM records WHERE call_id = ?1 AND n = ?2 - 1)"""
INSERT_EVENT = "INSERT INTO events (call_id, n, type, at_s, body) VALUES (?, ?, ?, ?, ?)"
INSERT_ANNOTATION = "INSERT INTO annotations (call_id, alert_id, kind, body, by, at) VALUES (?, ?, ?, ?, ?, ?)"
UPSERT_META = """INSERT INTO meta (key, value) VALUES (?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value"""
_TABLES = ("records", "events", "turn_texts", "call_labels", "alerts", "annotations", "deliveries", "calls")


def _upsert(table: str, key: tuple[str, ...], columns: tuple[str, ...], special: dict[str, str]) -> str:
    """INSERT that on a known key updates every column but `key`; `special` gives another value than the new one."""
    values = ((name, special.get(name, f"excluded.{name}")) for name in columns if name not in key)
    changes = ", ".join(f"{name} = {value}" for name, value in values)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}"
    )


def _first(name: str) -> str:
    """What stood there first stays."""
    return f"COALESCE(alerts.{name}, excluded.{name})"


def _last(name: str) -> str:
    """A new value counts, but nothing does not wipe out something."""
    return f"COALESCE(excluded.{name}, alerts.{name})"


_UPSERT_CALL = _upsert(
    "calls", ("call_id",), CallRow.__struct_fields__, {"opened_at": "calls.opened_at", "outcome": "calls.outcome"}
)
_UPSERT_ALERT = _upsert(
    "alerts",
    ("call_id", "alert_id"),
    AlertRow.__struct_fields__,
    {name: _first(name) for name in ("fired_at", "at_s", "segment_id", "acknowledged_at", "resolved_at")}
    | {name: _last(name) for name in ("acknowledged_by", "resolved_by", "note")},
)


def store(db: sqlite3.Connection, batch: Write) -> list[int]:
    """Stores the batch; returns the seqs of its events. Raises JournalGap or sqlite3.Error: then roll it all back."""
    for record in batch.records:
        row = (record.call_id, record.n, record.segment_id, record.body)
        if db.execute(INSERT_RECORD, row).rowcount != 1:
            raise JournalGap(f"record {record.n} of a call has no predecessor")
    seqs = [_add(db, event) for event in batch.events]
    for call in batch.calls:
        db.execute(_UPSERT_CALL, _values(call))
    for alert in batch.alerts:
        db.execute(_UPSERT_ALERT, _values(alert))
    for text in batch.texts:
        db.execute("INSERT INTO turn_texts (call_id, n, folded) VALUES (?, ?, ?)", text)
    for label in batch.labels:
        db.execute("INSERT INTO call_labels (label, call_id) VALUES (?, ?) ON CONFLICT DO NOTHING", label)
    return seqs


def erase(db: sqlite3.Connection, call_ids: Sequence[str]) -> int:
    """Deletes the calls from every table; returns how many calls there were."""
    gone = 0
    for call_id in call_ids:
        for table in _TABLES:
            gone_here = db.execute(f"DELETE FROM {table} WHERE call_id = ?", (call_id,)).rowcount
        gone += gone_here
    return gone


def erase_saying(db: sqlite3.Connection, call_ids: Sequence[str], goodbyes: Sequence[EventRow]) -> list[int]:
    """`erase`, and the seqs of events that are told but not kept."""
    seqs = [_add(db, event) for event in goodbyes]
    erase(db, call_ids)
    return seqs


def _add(db: sqlite3.Connection, event: EventRow) -> int:
    row = (event.call_id, event.n, event.type, event.at_s, event.body)
    return int(db.execute(INSERT_EVENT, row).lastrowid or 0)


def _values(row: CallRow | AlertRow) -> tuple[object, ...]:
    """The struct's fields in order; lists become JSON text."""
    return tuple(
        msgspec.json.encode(value).decode() if isinstance(value, list | tuple) else value
        for value in (getattr(row, name) for name in row.__struct_fields__)
    )
