"""A small pool of reading connections."""

from __future__ import annotations

import queue
import sqlite3
from collections.abc import Sequence
from typing import Any

from monitor.service import schema

_MOST = 4


class Readers:
    """At most four connections; a fifth reader waits. In WAL mode readers and the writer do not block each other."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._idle: queue.LifoQueue[sqlite3.Connection | None] = queue.LifoQueue()
        for _ in range(_MOST):
            self._idle.put(None)

    def all(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """Every row of one query, from one consistent state of the database."""
        db = self._idle.get()
        try:
            if db is None:
                db = schema.connect(self._path, read_only=True)
            return db.execute(sql, values).fetchall()
        finally:
            self._idle.put(db)

    def close(self) -> None:
        """Waits for readers that are under way."""
        for _ in range(_MOST):
            db = self._idle.get()
            if db is not None:
                db.close()
        for _ in range(_MOST):
            self._idle.put(None)
