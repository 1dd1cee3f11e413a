"""One thread writes; whatever waits when it comes round is one transaction (group commit)."""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

from monitor.service.rows import StoreBusy

Work = Callable[[sqlite3.Connection], Any]
"""Runs on the writer thread inside a transaction; may run twice if the first transaction had to be given up."""
Done = Callable[[Any], None]
"""Called on the writer thread after the commit with the work's result, or with the Exception that undid it."""

_log = logging.getLogger(__name__)
_MOST_IN_A_GROUP = 512


class Writer:
    """Owns the only writing connection. The order of `submit` is the order of the transactions and of `done`."""

    def __init__(self, db: sqlite3.Connection, *, most_waiting: int = 8192) -> None:
        self._db = db
        self._queue: queue.Queue[tuple[Work, Done] | None] = queue.Queue(most_waiting)
        self._thread = threading.Thread(target=self._run, name="becalm-writer", daemon=True)
        self._closed = False
        self.groups = 0
        self.jobs = 0
        self.on_group: Callable[[float], None] | None = None
        """Told the number of jobs of every group; on the writer thread."""
        self._thread.start()

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def submit(self, work: Work, done: Done) -> None:
        """Any thread. Raises StoreBusy when the queue is full or the writer is closed."""
        if self._closed:
            raise StoreBusy("the store is closed")
        try:
            self._queue.put_nowait((work, done))
        except queue.Full:
            raise StoreBusy(f"{self._queue.maxsize} writes are waiting") from None

    def call(self, work: Work) -> Any:
        """Blocks until the work is committed and returns its result, or raises what undid it. Not on the event loop."""
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.submit(work, answer.put)
        result = answer.get()
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        """Commits what waits, then ends the thread and closes the connection."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join()
        self._db.close()

    def _run(self) -> None:
        while True:
            group, last = self._gather()
            if group:
                self._commit(group)
            if last:
                return

    def _gather(self) -> tuple[list[tuple[Work, Done]], bool]:
        """Waits for one job, then takes what else is there; True when the writer is to end after it."""
        group: list[tuple[Work, Done]] = []
        item = self._queue.get()
        while item is not None:
            group.append(item)
            if len(group) == _MOST_IN_A_GROUP:
                return group, False
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, group: list[tuple[Work, Done]]) -> None:
        """A job that fails takes none of the others with it: then each gets a transaction of its own."""
        results = self._transaction([work for work, _ in group])
        self.groups += 1
        self.jobs += len(group)
        if self.on_group is not None:
            self.on_group(len(group))
        if not isinstance(results, Exception):
            for (_, done), result in zip(group, results, strict=True):
                _tell(done, result)
            return
        for work, done in group:
            alone = results if len(group) == 1 else self._transaction([work])
            _tell(done, alone if isinstance(alone, Exception) else alone[0])

    def _transaction(self, works: list[Work]) -> list[Any] | Exception:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            results = [work(self._db) for work in works]
            self._db.execute("COMMIT")
            return results
        except Exception as error:  # any failure of any job: nothing of the group stands
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            return error


def _tell(done: Done, result: Any) -> None:
    try:
        done(result)
    except Exception as error:  # a callback's fault must not stop all writing; it is loud instead
        _log.error("a callback after a commit failed: %s", type(error).__name__)
