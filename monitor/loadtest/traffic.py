"""What a simulated contact centre says and when: calls side by side, each at the pace of people."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator, Sequence

import msgspec

from monitor.loadtest.scripts import Line, Script
from monitor.sending import Timed
from stream.messages import Agent, CallEnd, CallStart, Transcript

INTERIM_EVERY_S = 1.2
"""Seconds between two interims of somebody who speaks."""
TEAM = "loadtest"
_LATIN_CHARS_A_SECOND, _WIDE_CHARS_A_SECOND = 14.0, 4.5


class Pace(msgspec.Struct, frozen=True):
    """How fast people talk: one final every `every_s` seconds a call, with or without interims before it."""

    every_s: float = 4.0
    interims: bool = True


class Traffic:
    """Places on the phone, each with one call after another for `seconds`; the same seed says the same.

    A place begins at a random instant of the first `every_s` and at a random line of its first script. `run` stands in
    the names of calls: it must differ from run to run, as a call that has ended takes nothing more.
    """

    def __init__(self, scripts: Sequence[Script], pace: Pace, seconds: float, seed: int, run: str) -> None:
        self._scripts = scripts
        self._pace = pace
        self._seconds = seconds
        self._seed = seed
        self._run = run
        self._stopped = False

    def stop(self) -> None:
        """No turn begins any more; calls under way end with their next message."""
        self._stopped = True

    def connection(self, places: Sequence[int]) -> Iterator[Timed]:
        """What these places send over one connection, in order of time, made as it is needed."""
        return heapq.merge(*(self._place(number) for number in places), key=lambda item: item.due_s)

    def _place(self, number: int) -> Iterator[Timed]:
        chance = random.Random(f"{self._seed}/{number}")
        due_s = chance.uniform(0.0, self._pace.every_s)
        nth = 0
        while due_s < self._seconds and not self._stopped:
            script = chance.choice(self._scripts)
            lines = script.lines[chance.randrange(len(script.lines)) if nth == 0 else 0 :]
            name = f"load-{self._run}-{number}-{nth}"
            yield from self._call(name, number, msgspec.structs.replace(script, lines=lines), due_s)
            due_s += len(lines) * self._pace.every_s
            nth += 1

    def _call(self, name: str, number: int, script: Script, due_s: float) -> Iterator[Timed]:
        """One call whose first final is due at `due_s`; cut short at the end of the time."""
        zero_s = max(0.0, due_s - self._speaks_s(script.lines[0]))
        agent = Agent(f"load-{number}", TEAM)
        yield Timed(zero_s, CallStart(name, script.channel, script.language, agent))
        last_s = due_s
        for segment, line in enumerate(script.lines):
            if due_s >= self._seconds or self._stopped:
                break
            yield from self._turn(name, str(segment), line, zero_s, due_s)
            last_s = due_s
            due_s += self._pace.every_s
        end_s = last_s + 0.1 * self._pace.every_s
        yield Timed(end_s, CallEnd(name, round(end_s - zero_s, 2), "hangup"))

    def _turn(self, name: str, segment: str, line: Line, zero_s: float, due_s: float) -> Iterator[Timed]:
        """The interims and the final of one turn that is complete at `due_s`."""
        start_s = max(zero_s, due_s - self._speaks_s(line))
        heard = math.ceil((due_s - start_s) / INTERIM_EVERY_S) - 1 if self._pace.interims else 0
        for revision in range(max(0, heard)):
            at_s = start_s + (revision + 1) * INTERIM_EVERY_S
            part = line.text[: math.ceil(len(line.text) * (at_s - start_s) / (due_s - start_s))]
            yield Timed(
                at_s, _said(name, segment, line, part, (start_s - zero_s, at_s - zero_s), revision, final=False)
            )
        times = (start_s - zero_s, due_s - zero_s)
        yield Timed(due_s, _said(name, segment, line, line.text, times, max(0, heard), final=True))

    def _speaks_s(self, line: Line) -> float:
        """Seconds that saying it takes; a little pause before it is left."""
        wide = sum(char >= "\u2e80" for char in line.text)
        length_s = 0.5 + wide / _WIDE_CHARS_A_SECOND + (len(line.text) - wide) / _LATIN_CHARS_A_SECOND
        return min(length_s, 0.8 * self._pace.every_s)


def _said(
    name: str, segment: str, line: Line, text: str, times: tuple[float, float], revision: int, *, final: bool
) -> Transcript:
    return Transcript(
        call_id=name,
        segment_id=segment,
        role=line.role,
        text=text,
        final=final,
        start_s=round(times[0], 2),
        end_s=round(times[1], 2),
        revision=revision,
        language=line.language,
    )
