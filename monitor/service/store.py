"""The database as the service sees it: one writer, many readers (SQLite: WAL, synchronous FULL, group commit)."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import IO, Any

import msgspec

from alerts.model import Delivery
from monitor.service import queries, rowsql, schema
from monitor.service.readers import Readers
from monitor.service.rows import (
    AlertQuery,
    AlertRow,
    Annotation,
    CallQuery,
    CallRow,
    EventRow,
    StatRow,
    StoreError,
    Write,
)
from monitor.service.writer import Writer

ALL_CALLS, ALL_ALERTS = CallQuery(), AlertQuery()
ANNOTATION_KINDS = frozenset({"annotation", "scorecard", "outcome", "note", "feedback"})


class Store:
    """Reads may be called from any thread but block it for as long as the disk takes; writes are queued."""

    def __init__(self, path: str, writer: Writer | None, readers: Readers, lock: IO[str] | None) -> None:
        self.path = path
        self.writer = writer
        self._readers = readers
        self._lock = lock

    @classmethod
    def open(cls, url_or_path: str, *, read_only: bool = False, most_waiting: int = 8192) -> Store:
        """Opens or makes the database and brings it up to date. Raises StoreError with what to do about it.

        A database has one writing service at a time; `read_only` opens beside it, for exports and statistics.
        """
        path = _path_of(url_or_path)
        if read_only:
            if not os.path.isfile(path):
                raise StoreError(f"there is no database at {path}: give the file of a service with --db")
            return cls(path, None, Readers(path), None)
        lock = _lock(path)
        try:
            db = schema.connect(path)
            schema.migrate(db)
        except sqlite3.Error as error:
            lock.close()
            raise StoreError(f"cannot use {path} as a database ({error}): choose another --db") from error
        except StoreError:
            lock.close()
            raise
        return cls(path, Writer(db, most_waiting=most_waiting), Readers(path), lock)

    # writes

    def write(self, batch: Write, done: Callable[[list[int] | Exception], None]) -> None:
        """Queues `batch`; `done` hears on the writer thread, after the commit, the global seqs of its events.

        It hears an Exception instead when nothing of the batch was stored: `rowsql.JournalGap` when an earlier
        record of the call is missing, sqlite3.Error otherwise. Raises StoreBusy when the queue is full.
        """
        self._writing().submit(lambda db: rowsql.store(db, batch), done)

    def transact(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Runs `work(connection)` in the writer's next transaction and returns its result; blocks until committed."""
        return self._writing().call(work)

    def add_annotation(
        self, call_id: str, kind: str, body_json: bytes | str, by: str, alert_id: str | None = None
    ) -> Annotation:
        """Stores what a person said; blocks until committed. An `outcome` also becomes the call's outcome.

        Raises ValueError for an unknown kind or a body that is not JSON (an outcome is {"outcome": "name", ...}).
        """
        if kind not in ANNOTATION_KINDS:
            raise ValueError(f"kind is one of {', '.join(sorted(ANNOTATION_KINDS))}")
        body = msgspec.json.decode(body_json)
        outcome = body.get("outcome") if isinstance(body, dict) else None
        if kind == "outcome" and not isinstance(outcome, str):
            raise ValueError("outcome: expected a string in field `outcome`")
        at, text = time.time(), msgspec.json.encode(body).decode()

        def insert(db: sqlite3.Connection) -> int:
            if kind == "outcome":
                db.execute("UPDATE calls SET outcome = ? WHERE call_id = ?", (outcome, call_id))
            row = db.execute(rowsql.INSERT_ANNOTATION, (call_id, alert_id, kind, text, by, at))
            return int(row.lastrowid or 0)

        return Annotation(self.transact(insert), call_id, kind, msgspec.Raw(text.encode()), by, at, alert_id)

    def erase(self, call_ids: Sequence[str]) -> int:
        """Removes every trace of these calls from the file, freed pages too; blocks. Returns how many there were."""
        gone: int = self.transact(lambda db: rowsql.erase(db, call_ids))
        self.truncate_log()
        return gone

    def erase_saying(
        self, call_ids: Sequence[str], goodbyes: Sequence[EventRow], done: Callable[[list[int] | Exception], None]
    ) -> None:
        """Queues the same; `done` hears, as in `write`, the global seqs of `goodbyes`, which are not kept either.

        Call `truncate_log` afterwards. Raises StoreBusy when the queue is full.
        """
        self._writing().submit(lambda db: rowsql.erase_saying(db, call_ids, goodbyes), done)

    def truncate_log(self) -> None:
        """Empties the write-ahead log, which still holds what was erased; blocks, waiting for readers and writer."""
        db = schema.connect(self.path)
        try:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            db.close()

    def set_meta(self, key: str, value: str) -> None:
        """Keeps a value under `key`; blocks until committed."""
        values = (key, value)
        self.transact(lambda db: db.execute(rowsql.UPSERT_META, values).rowcount)

    def flush(self) -> None:
        """Returns when everything queued so far is on disk (or was reported as failed)."""
        self._writing().call(lambda db: None)

    def close(self) -> None:
        """Commits what waits and closes; a second call does nothing."""
        if self.writer is not None:
            self.writer.close()
        self._readers.close()
        if self._lock is not None:
            self._lock.close()

    # reads

    def records(self, call_id: str) -> list[bytes]:
        """The call's journal, in order."""
        return [row[0] for row in self._all("SELECT body FROM records WHERE call_id = ? ORDER BY n", call_id)]

    def has_segment(self, call_id: str, segment_id: str) -> bool:
        """Whether a final with this id is in the call's journal."""
        sql = "SELECT 1 FROM records WHERE call_id = ? AND segment_id = ? LIMIT 1"
        return bool(self._all(sql, call_id, segment_id))

    def has_record(self, call_id: str, body: bytes) -> bool:
        """Whether this very record is in the call's journal."""
        return bool(self._all("SELECT 1 FROM records WHERE call_id = ? AND body = ? LIMIT 1", call_id, body))

    def events(self, call_id: str) -> list[bytes]:
        return [row[0] for row in self._all("SELECT body FROM events WHERE call_id = ? ORDER BY n", call_id)]

    def events_since(self, seq: int, limit: int, until: int | None = None) -> list[tuple[int, str, bytes]]:
        """Up to `limit` events of all calls as (seq, call_id, body) with `seq` < theirs <= `until`, in order."""
        sql = "SELECT seq, call_id, body FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
        return self._all(sql, seq, 2**62 if until is None else until, limit)

    def last_seq(self) -> int:
        """The seq of the newest event ever stored; 0 before the first. Never used twice, even after `erase`."""
        rows = self._all("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
        return int(rows[0][0]) if rows else 0

    def call(self, call_id: str) -> CallRow | None:
        rows = self._all(f"{queries.SELECT_CALL} WHERE call_id = ?", call_id)
        return queries.call_row(rows[0]) if rows else None

    def calls(self, query: CallQuery = ALL_CALLS) -> list[CallRow]:
        """Newest first; the next page starts at the last row's `cursor`. ValueError for a cursor that is none."""
        sql, values = queries.calls(query)
        return [queries.call_row(row) for row in self._all(sql, *values)]

    def unfinished_calls(self) -> list[str]:
        """Calls that have not ended, or whose last scores are missing."""
        return [row[0] for row in self._all("SELECT call_id FROM calls WHERE finished = 0 ORDER BY opened_at")]

    def calls_of_customer(self, customer_id: str) -> list[str]:
        return [row[0] for row in self._all("SELECT call_id FROM calls WHERE customer_id = ?", customer_id)]

    def alert(self, alert_id: str) -> AlertRow | None:
        rows = self._all(f"{queries.SELECT_ALERT} WHERE alert_id = ?", alert_id)
        return queries.alert_row(rows[0]) if rows else None

    def alerts(self, query: AlertQuery = ALL_ALERTS) -> list[AlertRow]:
        """Newest first; the next page starts at the last row's `cursor`. ValueError for a cursor that is none."""
        sql, values = queries.alerts(query)
        return [queries.alert_row(row) for row in self._all(sql, *values)]

    def annotations(self, call_id: str) -> list[Annotation]:
        """What people said about the call and its alerts, oldest first."""
        sql = "SELECT id, call_id, kind, body, by, at, alert_id FROM annotations WHERE call_id = ? ORDER BY id"
        return [
            Annotation(row[0], row[1], row[2], msgspec.Raw(row[3].encode()), row[4], row[5], row[6])
            for row in self._all(sql, call_id)
        ]

    def deliveries(self, call_id: str) -> list[Delivery]:
        """Who was told of the call's alerts, or not and why, oldest first."""
        sql = f"{queries.DELIVERIES} WHERE call_id = ? ORDER BY id"
        return [queries.delivery_row(row) for row in self._all(sql, call_id)]

    def meta(self, key: str) -> str | None:
        """A value kept for the whole service, e.g. how far a consumer of the events has come."""
        rows = self._all("SELECT value FROM meta WHERE key = ?", key)
        return None if not rows else str(rows[0][0])

    def stats(
        self,
        since: float | None = None,
        until: float | None = None,
        by: str | None = None,
        teams: tuple[str, ...] | None = None,
    ) -> list[StatRow]:
        """Figures of the calls opened in the span; `by`: None (one row), `team`, `queue` or `day` (UTC).

        `teams`: only calls of these count; None: of all.
        """
        sql, values = queries.stats_calls(since, until, by, teams)
        calls = self._all(sql, *values)
        sql, values = queries.stats_alerts(since, until, by, teams)
        return queries.stat_rows(calls, self._all(sql, *values), by)

    def _all(self, sql: str, *values: Any) -> list[Any]:
        return self._readers.all(sql, values)

    def _writing(self) -> Writer:
        if self.writer is None:
            raise StoreError("this store was opened for reading only")
        return self.writer


def _path_of(url_or_path: str) -> str:
    scheme, colon, rest = url_or_path.partition("://")
    if not colon:
        return url_or_path
    if scheme == "sqlite":
        return rest.removeprefix("/") if rest.startswith("//") or not rest.startswith("/") else rest
    raise StoreError(f"databases of kind {scheme!r} are not supported: give a file path or sqlite:///absolute/path")


def _lock(path: str) -> IO[str]:
    """Held as long as the store is open and freed by the system if the process dies."""
    try:
        lock = open(path + ".lock", "w", encoding="ascii")  # noqa: SIM115 (open as long as the store is)
    except OSError as error:
        raise StoreError(f"cannot write beside {path} ({error.strerror}): choose another --db") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StoreError(f"another service is using {path}: stop it or choose another --db") from error
    return lock
