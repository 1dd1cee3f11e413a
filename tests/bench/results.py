"""All that a run of the bench found, and on what."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from tests.bench.parts import Loads, Lone, Memory, Quiet, SetUp
from tests.bench.scoring import Scoring

PACKAGES = ("torch", "transformers", "tokenizers", "starlette", "uvicorn", "websockets")


class Machine(msgspec.Struct, frozen=True):
    """What it was measured on."""

    processor: str
    cores: int
    memory_gb: int
    flags: list[str]
    """Of the processor: those that decide how fast matrix products are."""
    system: str
    python: str
    packages: dict[str, str]
    model: str
    settings: list[str]
    """Of Becalm, where they are not the defaults."""
    date: str


class Round(msgspec.Struct, frozen=True):
    """The most calls of each, one soon after the other."""

    peer: int
    becalm: int

    @property
    def ratio(self) -> float:
        return self.becalm / max(1, self.peer)


class Results(msgspec.Struct, frozen=True):
    machine: Machine
    scoring: list[Scoring]
    set_ups: list[SetUp]
    rounds: list[Round]
    peer_lone: Lone
    becalm_lone: Lone
    peer_quiet: Quiet
    becalm_quiet: Quiet
    memory: Memory
    loads: Loads
    minutes: float

    @property
    def best(self) -> SetUp:
        return best(self.set_ups)


def best(set_ups: Sequence[SetUp]) -> SetUp:
    """The way to run the peer in which it carries most."""
    return max(set_ups, key=lambda one: one.calls)


def middle(values: Sequence[int]) -> int:
    """The median, rounded down to a whole number of calls."""
    return int(statistics.median(values))


def machine(model: str, settings: Sequence[str]) -> Machine:
    """This one, now."""
    cpu = Path("/proc/cpuinfo").read_text("utf-8")
    found = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in cpu.splitlines())}
    memory_kb = int(Path("/proc/meminfo").read_text("ascii").split("MemTotal:")[1].split()[0])
    telling = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_int8")
    return Machine(
        processor=found.get("model name", platform.machine()),
        cores=os.cpu_count() or 1,
        memory_gb=round(memory_kb / 2**20),
        flags=[flag for flag in telling if flag in found.get("flags", "").split()],
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        packages={name: version(name) for name in PACKAGES},
        model=model,
        settings=list(settings),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
