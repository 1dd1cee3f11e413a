"""Call time as the live service knows it, and one timer for all calls."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable


class CallClock:
    """One call's time: the furthest that its messages have been ahead of the wall, plus the wall. Never goes back.

    A slow network only delays messages, so the largest difference seen is the nearest to the truth; a file that is
    played faster than real time carries its clock along. `now_s` (seconds) is any wall that never goes back.
    """

    def __init__(self, at_s: float, now_s: float) -> None:
        self._ahead_s = at_s - now_s

    def hear(self, at_s: float, now_s: float) -> None:
        """A message about call time `at_s` arrived."""
        self._ahead_s = max(self._ahead_s, at_s - now_s)

    def at_s(self, now_s: float) -> float:
        """The call time now."""
        return now_s + self._ahead_s

    def wall_s(self, at_s: float) -> float:
        """The `now_s` at which the call time will be `at_s`, as far as is known now."""
        return at_s - self._ahead_s


class Alarms:
    """Wakes each key at its latest set time with one timer on the event loop; a key has at most one alarm.

    `ring(key)` is called on the loop, and may set the key's alarm again.
    """

    def __init__(self, ring: Callable[[str], None], now: Callable[[], float]) -> None:
        self._ring = ring
        self._now = now
        self._at: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def __len__(self) -> int:
        return len(self._at)

    def set(self, key: str, at_s: float | None) -> None:
        """Moves the key's alarm to `at_s` on the `now` clock; None removes it."""
        if at_s is None:
            self._at.pop(key, None)
            return
        if self._at.get(key) == at_s:
            return
        self._at[key] = at_s
        heapq.heappush(self._heap, (at_s, key))
        if len(self._heap) > 64 + 4 * len(self._at):
            self._heap = [(at, name) for name, at in self._at.items()]
            heapq.heapify(self._heap)
        self._arm()

    def stop(self) -> None:
        self._at.clear()
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if not self._heap:
            return
        at_s = self._heap[0][0]
        if self._timer is not None:
            if self._timer_at <= at_s:
                return
            self._timer.cancel()
        self._timer_at = at_s
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(max(0.0, at_s - self._now()), self._due)

    def _due(self) -> None:
        self._timer = None
        now_s = self._now()
        due = []
        while self._heap and self._heap[0][0] <= now_s:
            at_s, key = heapq.heappop(self._heap)
            if self._at.get(key) == at_s:
                del self._at[key]
                due.append(key)
        for key in due:
            self._ring(key)
        self._arm()
