"""The hand-off to the scoring thread: what waits, since when, and whether there is room for more."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence

import msgspec

from models.types import Score, ScoreInput
from models.worker import Overloaded, Scores, ScoringWorker
from monitor.core.inputs import NeedScore
from monitor.service.livecall import LiveCall
from monitor.service.metrics import Metrics


class _Asked(msgspec.Struct, eq=False):
    call: LiveCall
    need: NeedScore
    asked_s: float


class ScoringDesk:
    """Lives on the event loop. A turn once taken is scored or fails; it is never dropped.

    `answered(call, need, score or exception)` is called on the event loop, in the order in which turns were asked.
    """

    def __init__(
        self, worker: ScoringWorker, answered: Callable[[LiveCall, NeedScore, Score | Exception], None]
    ) -> None:
        self._worker = worker
        self._answered = answered
        self._loop = asyncio.get_running_loop()
        self._outstanding: dict[object, _Asked] = {}
        self._waiting: deque[tuple[int, _Asked]] = deque()
        self._number = 0
        self._stopped = False

    @property
    def depth(self) -> int:
        """Turns without their score."""
        return len(self._outstanding)

    @property
    def oldest_age_s(self) -> float:
        """Seconds since the oldest of them was asked for; 0 when there is none."""
        oldest = next(iter(self._outstanding.values()), None)
        return 0.0 if oldest is None else time.monotonic() - oldest.asked_s

    def ask(self, call: LiveCall, need: NeedScore) -> None:
        """Takes one turn. What the worker has no room for waits here."""
        self._number += 1
        asked = _Asked(call, need, time.monotonic())
        self._outstanding[self._number] = asked
        if self._waiting or not self._submit(self._number, asked):
            self._waiting.append((self._number, asked))

    def stop(self) -> None:
        """Answers are not passed on any more; the journal asks for these scores again after a restart."""
        self._stopped = True

    def _submit(self, number: int, asked: _Asked) -> bool:
        try:
            self._worker.submit(number, asked.need.item, self._from_thread)
        except Overloaded:
            return False
        return True

    def _from_thread(self, key: object, result: Score | Exception) -> None:
        self._loop.call_soon_threadsafe(self._answer, key, result)

    def _answer(self, key: object, result: Score | Exception) -> None:
        asked = self._outstanding.pop(key)
        while self._waiting and self._submit(*self._waiting[0]):
            self._waiting.popleft()
        if not self._stopped and not isinstance(result, Overloaded):
            self._answered(asked.call, asked.need, result)


class Measured:
    """A scorer that tells the metrics how long each batch took and how many turns it had."""

    def __init__(self, scorer: Scores, metrics: Metrics) -> None:
        self._scorer = scorer
        self._metrics = metrics

    def score(self, inputs: Sequence[ScoreInput]) -> list[Score]:
        """As the scorer does."""
        self._metrics.batch_size.observe(len(inputs))
        with self._metrics.inference.time():
            return self._scorer.score(inputs)
