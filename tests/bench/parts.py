"""What is measured of the two programs, part by part; every part starts its own process and stops it."""

from __future__ import annotations

import asyncio
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import urlopen

import msgspec

from monitor.loadtest.figures import Figures
from monitor.loadtest.scripts import Script
from monitor.loadtest.search import most_calls
from monitor.loadtest.step import Step, Target, event_loop
from monitor.loadtest.traffic import Pace
from tests.bench.processes import Program, becalm, neighbour, peer, watched
from tests.bench.scoring import Scoring

Result = TypeVar("Result")
Running = AbstractContextManager[Program]
"""A program from its start to its end."""
Start = Callable[[], Running]


class Plan(msgspec.Struct, frozen=True):
    """What is the same in every part."""

    scripts: Sequence[Script]
    files: Sequence[Path]
    model: Path
    settings: tuple[str, ...]
    """Of Becalm, as for `--set`."""
    every_s: float = 4.0
    limit_ms: float = 500.0
    readers: int = 5
    seconds: float = 10.0
    """Of a step of the search, and of the steps that are compared."""
    tune_seconds: float = 6.0
    """Of a step of the search for the peer's best set-up."""
    scoring_seconds: float = 4.0
    most: int = 20_000
    memory_calls: int = 2000
    interims: bool = False
    """Off for the comparison: the peer has no use for them."""

    def becalm(self) -> Running:
        return becalm(self.settings)

    def step(
        self, program: Program, seconds: float, *, every_s: float | None = None, stop: bool = False, seed: int = 1
    ) -> Step:
        """One websocket a call, as the peer wants it."""
        return Step(
            target=Target(program.url, calls_per_connection=1, readers=self.readers),
            scripts=self.scripts,
            pace=Pace(self.every_s if every_s is None else every_s, self.interims),
            seconds=seconds,
            seed=seed,
            run=secrets.token_hex(4),
            stop_over_ms=self.limit_ms if stop else None,
        )


class SetUp(msgspec.Struct, frozen=True):
    """A way to run the peer, and what it carried when both were tried shortly."""

    threads: int
    where: str
    calls: int


class Quiet(msgspec.Struct, frozen=True):
    """The same load twice: alone on the machine, and beside a program that keeps one core busy."""

    calls: int
    alone: Figures
    beside: Figures


class Memory(msgspec.Struct, frozen=True):
    calls: int
    every_s: float
    idle_mb: float
    resident_mb: float


class Cost(msgspec.Struct, frozen=True):
    calls: int
    cpu_s_per_utterance: float


class Loads(msgspec.Struct, frozen=True):
    """What an utterance costs at few calls and at the most that are carried, and what twice as many come to."""

    few: Cost
    many: Cost
    twice: Figures


class Lone(msgspec.Struct, frozen=True):
    """One call on an idle service; `inside_ms` is the service's own mean, where it has one."""

    figures: Figures
    inside_ms: float | None


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """On a loop like that of `becalm loadtest`."""
    with asyncio.Runner(loop_factory=event_loop) as runner:
        return runner.run(work)


def scoring(plan: Plan, threads: int) -> Scoring:
    """In a process of its own, so that torch and its threads leave with it."""
    words = ["--threads", str(threads), "--seconds", str(plan.scoring_seconds), *map(str, plan.files)]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.scoring", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return msgspec.json.decode(ran.stdout.splitlines()[-1], type=Scoring)


def capacity(
    plan: Plan, start: Start, first: int, *, seconds: float, precision: float, growth: float = 1.4, seed: int = 1
) -> int:
    """The most calls that a fresh process carries, searched for from `first` on in steps of the factor `growth`."""
    with start() as program:

        async def search() -> int:
            await warm(plan, program)
            step = plan.step(program, seconds, stop=True, seed=seed)

            async def carries(calls: int) -> bool:
                return (await step(calls)).keeps(plan.limit_ms)

            return await most_calls(carries, max(1, first), plan.most, precision, growth)

        return run(search())


async def warm(plan: Plan, program: Program) -> None:
    """What is slow the first time only must not decide: buffers, kernels, phrase packs."""
    await plan.step(program, 4.0, every_s=1.0)(12)


def tune_peer(plan: Plan, rates: dict[int, float]) -> list[SetUp]:
    """The peer with each number of threads, blocking and in the pool; `rates` are its utterances/s by threads."""
    return [
        SetUp(threads, where, capacity(
            plan,
            lambda threads=threads, where=where: peer(plan.model, threads, where),  # type: ignore[misc]
            round(0.6 * rates[threads] * plan.every_s),
            seconds=plan.tune_seconds,
            precision=0.15,
        ))
        for threads in rates
        for where in ("handler", "pool")
    ]  # fmt: skip


def lone_call(plan: Plan, start: Start, seconds: float) -> Lone:
    """One call that speaks five times a second: often enough for a p99, and never two turns at a time."""
    with start() as program:

        async def measure() -> Lone:
            await warm(plan, program)
            before = await asyncio.to_thread(_inside, program)
            figures = await plan.step(program, seconds, every_s=0.2)(1)
            after = await asyncio.to_thread(_inside, program)
            return Lone(figures, None if before is None or after is None else _mean_ms(before, after))

        return run(measure())


def _mean_ms(before: tuple[float, float], after: tuple[float, float]) -> float:
    return round(1000.0 * (after[0] - before[0]) / max(1.0, after[1] - before[1]), 1)


def _inside(program: Program) -> tuple[float, float] | None:
    """Sum and count of the service's own chunk-to-score histogram, in seconds."""
    try:
        with urlopen(f"{program.url}/metrics") as answer:
            text = answer.read().decode()
    except OSError:  # the peer has no metrics
        return None
    found = [
        re.search(rf"^becalm_chunk_to_score_seconds_{part} (\S+)", text, re.MULTILINE) for part in ("sum", "count")
    ]
    return None if found[0] is None or found[1] is None else (float(found[0][1]), float(found[1][1]))


def beside_neighbour(plan: Plan, start: Start, calls: int) -> Quiet:
    """At half of what is carried, so that there is room for both."""
    with start() as program:

        async def measure() -> Quiet:
            await warm(plan, program)
            alone = await plan.step(program, plan.seconds)(calls)
            with neighbour():
                beside = await plan.step(program, plan.seconds, seed=2)(calls)
            return Quiet(calls, alone, beside)

        return run(measure())


def memory(plan: Plan, most: int) -> Memory:
    """So many live calls, each of which has spoken; slowed down where they are more than the machine carries."""
    calls = plan.memory_calls
    every_s = max(plan.every_s, round(1.3 * plan.every_s * calls / max(1, most), 1))
    with plan.becalm() as program:

        async def measure() -> Memory:
            await warm(plan, program)
            idle_mb = program.resident_mb
            _, used = await watched(program, plan.step(program, every_s + 2.0, every_s=every_s)(calls))
            return Memory(calls, every_s, idle_mb, used.resident_mb)

        return run(measure())


def loads(plan: Plan, most: int) -> Loads:
    """One process at few calls, at the most that are carried, and at twice as many."""
    with plan.becalm() as program:

        async def at(calls: int) -> tuple[Figures, Cost]:
            figures, used = await watched(program, plan.step(program, plan.seconds)(calls))
            return figures, Cost(calls, used.cpu_s / max(1, figures.scored))

        async def measure() -> Loads:
            await warm(plan, program)
            _, few = await at(min(10, most))
            _, many = await at(most)
            twice, _ = await at(2 * most)
            return Loads(few, many, twice)

        return run(measure())
