"""The programs under measurement as processes, and what the system says about them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

Result = TypeVar("Result")
SAMPLE_S = 0.5


def family(pid: int) -> list[int]:
    """The process and all that it has started and that still run."""
    found = [pid]
    for parent in found:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            for listed in Path(f"/proc/{parent}/task").glob("*/children"):
                found += map(int, listed.read_text("ascii").split())
    return found


def resident_mb(pid: int, line: str = "VmRSS") -> float:
    """Memory of the process and its children; `VmHWM`: the sum of what each had at most."""
    statuses = [Path(f"/proc/{one}/status").read_text("ascii") for one in family(pid)]
    return sum(int(status.split(f"{line}:")[1].split()[0]) for status in statuses) / 1024


class Program(msgspec.Struct, frozen=True):
    """A server that is ready."""

    url: str
    pid: int

    @property
    def cpu_s(self) -> float:
        """Processor seconds of it and its children since their start, user and system."""
        ticks = 0
        for pid in family(self.pid):
            fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    @property
    def resident_mb(self) -> float:
        return resident_mb(self.pid)


class Used(msgspec.Struct, frozen=True):
    """What a program took while something went on."""

    cpu_s: float
    resident_mb: float
    """The most at any sample."""


@contextmanager
def becalm(settings: Sequence[str] = ()) -> Iterator[Program]:
    """`becalm serve` with its journal on disk; `settings` as for `--set`."""
    with tempfile.TemporaryDirectory(prefix="becalm-bench-") as folder:
        command = ["monitor.cli", "serve", "--port", "0", "--db", str(Path(folder) / "bench.db")]
        for setting in ("ingest.max_calls=50000", *settings):
            command += ["--set", setting]
        with _started(command) as program:
            yield program


@contextmanager
def peer(model: Path, threads: int, where: str) -> Iterator[Program]:
    """The yardstick with so many threads."""
    command = ["tests.bench.peer", "--model", str(model), "--threads", str(threads), "--where", where]
    with _started(command) as program:
        yield program


@contextmanager
def neighbour() -> Iterator[None]:
    """Another program that keeps one core busy."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


async def watched(program: Program, work: Coroutine[Any, Any, Result]) -> tuple[Result, Used]:
    """The work's result and what the program took meanwhile."""
    begun_s, most_mb = program.cpu_s, program.resident_mb
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.wait({task}, timeout=SAMPLE_S)
        most_mb = max(most_mb, program.resident_mb)
    return task.result(), Used(program.cpu_s - begun_s, most_mb)


@contextmanager
def _started(module: Sequence[str]) -> Iterator[Program]:
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen([sys.executable, "-m", *module], stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if "ready at " not in line:
                log.seek(0)
                raise SystemExit(f"{module[0]} did not start:\n{log.read().decode(errors='replace')[-2000:]}")
            yield Program(line.split("ready at ")[1].split()[0].rstrip("/"), process.pid)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:  # a blocked peer hears nothing
                process.kill()
