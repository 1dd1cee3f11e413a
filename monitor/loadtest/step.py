"""One load step: so many calls for so long, and what came of it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from monitor.loadtest.figures import Figures
from monitor.loadtest.readers import Reader, feed_url
from monitor.loadtest.scripts import Script
from monitor.loadtest.tally import Tally
from monitor.loadtest.traffic import Pace, Traffic
from monitor.sending import Player, SendError, ingest_url

PATIENCE_S = 20.0
"""Seconds without any new score after which the scores that are outstanding count as lost."""
LOOK_S = 0.25
HOPELESS_SHARE = 0.012
"""Share of a step's finals over the limit with which p99 cannot come back under it."""


class Target(msgspec.Struct, frozen=True):
    """A running service and how it is spoken to."""

    url: str
    token: str | None = None
    feed_token: str | None = None
    calls_per_connection: int = 10
    readers: int = 1


class Step(msgspec.Struct, frozen=True):
    """What every step of a run has in common."""

    target: Target
    scripts: Sequence[Script]
    pace: Pace
    seconds: float
    seed: int
    run: str
    stop_over_ms: float | None = None
    """Ends a step early once its p99 is sure to lie over this."""

    async def __call__(self, calls: int, progress: Callable[[int, int], None] = lambda done, total: None) -> Figures:
        """Runs so many calls; returns once every final is scored or given up. Raises SendError when the service
        cannot be had at all."""
        return await _Running(self, calls, progress).result()


class _Running:
    def __init__(self, step: Step, calls: int, progress: Callable[[int, int], None]) -> None:
        self._step = step
        self._calls = calls
        self._progress = progress
        self._tally = Tally()
        # The number of calls keeps the names of a run's steps apart; a number is never tried twice.
        self._traffic = Traffic(step.scripts, step.pace, step.seconds, step.seed, f"{step.run}-{calls}")
        self._begin = asyncio.Event()
        self._stopped = False

    async def result(self) -> Figures:
        ingest = ingest_url(self._step.target.url)
        readers = [self._reader(feed_url(ingest), number) for number in range(self._step.target.readers)]
        reads = [asyncio.create_task(reader.run()) for reader in readers]
        tasks: list[asyncio.Task[object]] = [*reads]
        try:
            await _first_of([reader.ready for reader in readers], reads)
            players = [self._player(ingest, places) for places in self._places()]
            plays: list[asyncio.Task[object]] = [asyncio.create_task(player.run()) for player in players]
            tasks += plays
            await asyncio.gather(
                *(_first_of([player.connected], [play]) for player, play in zip(players, plays, strict=True)),
                return_exceptions=True,
            )
            began_s = time.monotonic()
            self._begin.set()
            await self._play(plays, reads, began_s)
            seconds = time.monotonic() - began_s
            await self._settle()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return self._tally.figures(self._calls, seconds, stopped=self._stopped)

    def _places(self) -> list[range]:
        size = self._step.target.calls_per_connection
        return [range(at, min(at + size, self._calls)) for at in range(0, self._calls, size)]

    def _reader(self, url: str, number: int) -> Reader:
        token = self._step.target.feed_token or self._step.target.token
        heard = self._tally.heard if number == 0 else _only_read
        return Reader(url, token, heard, self._tally.reconnected)

    def _player(self, url: str, places: range) -> Player:
        timed = self._traffic.connection(places)
        return Player(url, timed, speed=1.0, token=self._step.target.token, watch=self._tally, begin=self._begin)

    async def _play(
        self, plays: Sequence[asyncio.Task[object]], reads: Sequence[asyncio.Task[None]], began_s: float
    ) -> None:
        """Until everything is sent and answered. Raises SendError when no connection at all came through, or a reader
        may not read any more."""
        pending: set[asyncio.Task[object]] = set(plays)
        while pending:
            _, pending = await asyncio.wait(pending, timeout=LOOK_S)
            for read in reads:
                if read.done():
                    read.result()
            now_s = time.monotonic()
            self._progress(min(round(now_s - began_s), round(self._step.seconds)), round(self._step.seconds))
            if not self._stopped and self._hopeless(now_s):
                self._stopped = True
                self._traffic.stop()
        failures = [error for play in plays if (error := play.exception()) is not None]
        for error in failures:
            if not isinstance(error, SendError) or len(failures) == len(plays):
                raise error
            self._tally.gave_up()

    def _hopeless(self, now_s: float) -> bool:
        limit_ms = self._step.stop_over_ms
        if limit_ms is None:
            return False
        expected = self._calls * self._step.seconds / self._step.pace.every_s
        return self._tally.beyond(limit_ms / 1000.0, now_s) > max(1.0, HOPELESS_SHARE * expected)

    async def _settle(self) -> None:
        """Until every final has its score, or none comes any more."""
        scored, since_s = self._tally.scored, time.monotonic()
        while self._tally.outstanding and time.monotonic() - since_s < PATIENCE_S:
            await asyncio.sleep(LOOK_S)  # what is outstanding is looked at, nothing is assumed after the pause
            if self._tally.scored != scored:
                scored, since_s = self._tally.scored, time.monotonic()


async def _first_of(events: Sequence[asyncio.Event], tasks: Sequence[asyncio.Task[object]]) -> None:
    """Until every event is set. Raises what a task raised before that."""

    async def all_set() -> None:
        for event in events:
            await event.wait()

    waiting = asyncio.create_task(all_set())
    try:
        watched: set[asyncio.Future[Any]] = {waiting, *tasks}
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done() and not waiting.done():
                task.result()
                raise SendError("the connection ended before anything was sent")
        await waiting
    finally:
        waiting.cancel()


def _only_read(frame: bytes, now_s: float) -> None:
    """Readers beyond the first are there to be served."""


def event_loop() -> asyncio.AbstractEventLoop:
    """The fastest there is: the generator shares the machine with what it measures."""
    if os.name == "nt":
        return asyncio.new_event_loop()
    import uvloop

    return uvloop.new_event_loop()
