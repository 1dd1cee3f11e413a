"""One scoring thread: a bounded queue in front, micro-batches that form while the last one runs, no timer."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from models.encoding import likely_tokens
from models.types import Score, ScoreInput

log = logging.getLogger(__name__)
Callback = Callable[[object, Score | Exception], None]


class Scores(Protocol):
    """What the worker needs of a scorer."""

    def score(self, inputs: Sequence[ScoreInput]) -> list[Score]:
        """One score an input, in their order."""
        ...


class Overloaded(Exception):
    """The queue is full: shed, pause or refuse, but do not wait here."""


class ScoringWorker:
    """Runs a scorer on one daemon thread. Every submitted item gets exactly one callback, with its score or the
    exception that scoring it raised, in the order of submission. After `stop` the items still queued get `Overloaded`.
    """

    def __init__(self, scorer: Scores, max_queue: int = 4096, token_budget: int = 512) -> None:
        self._scorer = scorer
        self._max_queue = max_queue
        self._budget = token_budget
        self._queue: deque[tuple[object, ScoreInput, Callback]] = deque()
        self._changed = threading.Condition()
        self._running = 0
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.batches = 0
        """Batches scored so far."""
        self.scored = 0
        """Items scored so far, failures included."""
        self.failures = 0
        """Items whose scoring raised."""

    @property
    def depth(self) -> int:
        """Items waiting or being scored."""
        return len(self._queue) + self._running

    def start(self) -> None:
        """Start the thread; once."""
        if self._thread is not None:
            raise RuntimeError("the worker was started before")
        self._thread = threading.Thread(target=self._run, name="scoring", daemon=True)
        self._thread.start()

    def submit(self, key: object, item: ScoreInput, callback: Callback) -> None:
        """Queue one item, from any thread. `callback(key, result)` is called on the scoring thread."""
        with self._changed:
            if self._stopping:
                raise Overloaded("the scoring worker has stopped")
            if len(self._queue) >= self._max_queue:
                raise Overloaded(f"{self._max_queue} turns are waiting to be scored")
            self._queue.append((key, item, callback))
            self._changed.notify()

    def stop(self, timeout_s: float | None = 30.0) -> None:
        """Finish the batch that runs, give the rest back as `Overloaded`, and join the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        with self._changed:
            left = list(self._queue)
            self._queue.clear()
        for key, _, callback in left:
            self._call(callback, key, Overloaded("the scoring worker has stopped"))

    def _take(self) -> list[tuple[object, ScoreInput, Callback]]:
        """Wait for work, then take what fits the budget, one item at least; empty once stopping."""
        with self._changed:
            self._running = 0
            while not self._queue and not self._stopping:
                self._changed.wait()
            batch: list[tuple[object, ScoreInput, Callback]] = []
            size = 0
            while self._queue and not self._stopping:
                item = self._queue[0][1]
                size += likely_tokens(item)
                if batch and size > self._budget:
                    break
                batch.append(self._queue.popleft())
            self._running = len(batch)
            return batch

    def _run(self) -> None:
        while batch := self._take():
            results = self._score([item for _, item, _ in batch])
            self.batches += 1
            self.scored += len(batch)
            for (key, _, callback), result in zip(batch, results, strict=True):
                self._call(callback, key, result)

    def _score(self, items: list[ScoreInput]) -> list[Score | Exception]:
        """Scores of a batch; where it fails, of each item alone, so that only the poison one fails."""
        try:
            return list(self._scorer.score(items))
        except Exception as error:
            if len(items) == 1:
                self.failures += 1
                log.warning("scoring one turn failed: %s", type(error).__name__)
                return [error]
            log.warning("scoring a batch of %d failed (%s), retrying one by one", len(items), type(error).__name__)
            return [result for item in items for result in self._score([item])]

    @staticmethod
    def _call(callback: Callback, key: object, result: Score | Exception) -> None:
        try:
            callback(key, result)
        except Exception:
            log.exception("a scoring callback failed")
