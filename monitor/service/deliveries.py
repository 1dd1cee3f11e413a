"""The outbox's storage (`alerts.model.DeliveryStorage`) in the service's database."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Any

import msgspec

from alerts.model import DELIVERED, GIVEN_UP, GONE, PENDING, WITHHELD, Delivery, Notification
from monitor.service import queries
from monitor.service.readers import Readers
from monitor.service.store import Store

_INSERT = """INSERT INTO deliveries
    (receiver, note_id, alert_id, call_id, body, status, attempts, due_at, created_at, error)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (receiver, note_id) DO NOTHING"""
_UPDATE = "UPDATE deliveries SET status = ?, attempts = ?, due_at = ?, error = ? WHERE receiver = ? AND note_id = ?"
_DUE = f"{queries.DELIVERIES} WHERE receiver = ? AND status = '{PENDING}' AND due_at <= ? ORDER BY due_at, id LIMIT ?"
_NEXT = f"SELECT MIN(due_at) FROM deliveries WHERE receiver = ? AND status = '{PENDING}'"
_SENT = f"FROM deliveries WHERE receiver = ? AND status != '{WITHHELD}'"
_LATEST = f"SELECT body {_SENT} AND alert_id = ? ORDER BY id DESC LIMIT 1"
_FIRSTS = f"""SELECT body FROM deliveries AS d WHERE receiver = ? AND due_at > ? AND created_at > ?
    AND status IN ('{PENDING}', '{DELIVERED}', '{GIVEN_UP}', '{GONE}') AND NOT EXISTS (
        SELECT 1 FROM deliveries AS e WHERE e.receiver = d.receiver AND e.alert_id = d.alert_id AND e.id < d.id
        AND e.status != '{WITHHELD}')"""
_GONE = f"SELECT 1 FROM deliveries WHERE receiver = ? AND status = '{GONE}' LIMIT 1"

_note = msgspec.json.Decoder(Notification)


class Deliveries:
    """Blocks; any thread but the event loop's. `close` it before the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._readers = Readers(store.path)

    def add(self, deliveries: list[Delivery]) -> None:
        rows = [_row(delivery) for delivery in deliveries]

        def insert(db: sqlite3.Connection) -> int:
            return int(db.executemany(_INSERT, rows).rowcount)

        self._store.transact(insert)

    def save(self, delivery: Delivery) -> None:
        """Of a call that was erased in the meantime nothing is left to save."""
        state = (delivery.status, delivery.attempts, delivery.due_at, delivery.error)
        values = (*state, delivery.receiver, delivery.notification.id)
        self._store.transact(lambda db: db.execute(_UPDATE, values).rowcount)

    def due(self, receiver: str, now: float, limit: int) -> list[Delivery]:
        return [queries.delivery_row(row) for row in self._readers.all(_DUE, (receiver, now, limit))]

    def next_due(self, receiver: str) -> float | None:
        found = self._readers.all(_NEXT, (receiver,))[0][0]
        return None if found is None else float(found)

    def latest(self, receiver: str, alert_id: str) -> Notification | None:
        rows = self._readers.all(_LATEST, (receiver, alert_id))
        return _note.decode(rows[0][0]) if rows else None

    def told_since(self, receiver: str, since: float, kinds: Collection[str]) -> int:
        firsts = self._readers.all(_FIRSTS, (receiver, since, since))
        return sum(_note.decode(body).kind not in kinds for (body,) in firsts)

    def is_gone(self, receiver: str) -> bool:
        return bool(self._readers.all(_GONE, (receiver,)))

    def of_call(self, call_id: str) -> list[Delivery]:
        """Every delivery about a call, oldest first, with what became of it."""
        return self._store.deliveries(call_id)

    def close(self) -> None:
        self._readers.close()


def _row(delivery: Delivery) -> tuple[Any, ...]:
    note = delivery.notification
    body = msgspec.json.encode(note)
    state = (delivery.status, delivery.attempts, delivery.due_at, delivery.created_at, delivery.error)
    return (delivery.receiver, note.id, note.alert_id, note.call_id, body, *state)
