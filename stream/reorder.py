"""Puts one call's messages in their tidy order, whatever order they come in, and holds none longer than due.

**The tidy order.** The call's start, the finals, its end. Finals whose ids are one prefix and a number go
by number, others by the time they were complete. A hold, resume or transfer at `at_s` stands before the
first final complete at or after `at_s + reorder_window_s`: so no final need wait for a mark that may yet
come.

**What may go out.** A numbered final at once, when none below it can be missing. Anything else once the
call, by its messages' times or by `advance`, has gone so far that nothing before it can still come. A
message is inside the window if none that is `reorder_window_s` or more later came before it. One outside is
late: it goes out as it comes, out of order but never lost.

**Memory.** At most `max_waiting` finals and as many marks wait; a bounded number of past marks is kept, so
that a repeated one is known.
"""

import math
from bisect import insort

from stream.ids import Numbering
from stream.messages import CallEnd, CallStart, Mark, Transcript, encode
from stream.settings import AssemblerSettings

Item = CallStart | Transcript | Mark | CallEnd
_PAST_MARKS = 512


class Reorder:
    """The reordering buffer of one call."""

    def __init__(self, call_id: str, settings: AssemblerSettings) -> None:
        self.seen_s = 0.0
        """Call time of the latest message taken."""
        self._call_id = call_id
        self._window_s = settings.reorder_window_s
        self._max_waiting = settings.max_waiting
        self._first = settings.first_segment
        self._clock_s = 0.0
        self._opened = False
        self._numbering = Numbering()
        self._finals: list[tuple[tuple[float, float, str], Transcript]] = []
        self._released: Transcript | None = None  # the numbered final that went furthest
        self._next: int | None = None
        self._released_s = -math.inf
        self._marks: list[tuple[float, bytes, Mark]] = []
        self._past_marks: dict[Mark, None] = {}
        self._end: CallEnd | None = None

    @property
    def opened(self) -> bool:
        """Has the call's start gone out?"""
        return self._opened

    @property
    def waiting(self) -> bool:
        """Does a final wait?"""
        return bool(self._finals)

    @property
    def deadline(self) -> float | None:
        """The call time at which `advance` would let something go."""
        times = [mark[0] + 2 * self._window_s for mark in self._marks[:1]]
        if self._finals:
            times.append(self._due_s())
        if self._end is not None:
            times.append(self._end_due_s())
        return min(times, default=None)

    def add(self, item: Item) -> list[Item]:
        """Take one in; what may go out, in order."""
        if isinstance(item, CallStart):
            out: list[Item] = []
            self._open(out, item)
            return out + self._release()
        if isinstance(item, Transcript):
            self._add_final(item)
            self.seen_s = max(self.seen_s, item.time_s)
            return self._release()
        if isinstance(item, CallEnd):
            self._end = min(self._end or item, item, key=lambda end: (end.at_s, encode(end)))
        elif item not in self._past_marks:
            self._past_marks[item] = None
            if len(self._past_marks) > _PAST_MARKS:
                del self._past_marks[next(iter(self._past_marks))]
            insort(self._marks, (item.at_s, encode(item), item), key=lambda mark: mark[:2])
        self.seen_s = max(self.seen_s, item.at_s)
        return self._release()

    def advance(self, at_s: float) -> list[Item]:
        """Call time has reached `at_s`; what may go out, in order."""
        self._clock_s = max(self._clock_s, at_s)
        return self._release()

    def flush(self) -> list[Item]:
        """Nothing more will come: everything that waits, in order."""
        return self._release(everything=True)

    def _open(self, out: list[Item], start: CallStart) -> None:
        if not self._opened:
            self._opened = True
            out.append(start)

    def _add_final(self, final: Transcript) -> None:
        held = self._numbering.holds
        number = self._numbering.number(final.segment_id)
        if self._numbering.holds and self._contradicts(number, final):
            self._numbering.holds = False
        if held and not self._numbering.holds:
            self._finals = sorted(((_by_time(one), one) for _, one in self._finals), key=lambda pair: pair[0])
        key = (float(number), 0.0, "") if self._numbering.holds else _by_time(final)
        insort(self._finals, (key, final), key=lambda pair: pair[0])

    def _contradicts(self, number: int, final: Transcript) -> bool:
        """Does a lower number begin after a higher one is complete? Then the numbers are no order."""
        for (other, _, _), waiting in self._finals:
            low, high = (final, waiting) if number < other else (waiting, final)
            if low.start_s > high.time_s:
                return True
        if self._released is None or self._next is None or number >= self._next:
            return False
        return final.start_s > self._released.time_s

    def _due_s(self) -> float:
        return min(final.time_s for _, final in self._finals) + self._window_s

    def _end_due_s(self) -> float:
        assert self._end is not None
        return max(self.seen_s, self._end.at_s) + 2 * self._window_s

    def _release(self, everything: bool = False) -> list[Item]:
        now_s = math.inf if everything else max(self.seen_s, self._clock_s)
        out: list[Item] = []
        while self._finals and (self._in_sequence() or self._crowded() or self._due_s() <= now_s):
            self._open(out, CallStart(self._call_id))
            _, final = self._finals.pop(0)
            self._released_s = max(self._released_s, final.time_s)
            out += self._take_marks()
            out.append(final)
            self._note_released(final)
        if marks := self._take_marks(now_s):
            self._open(out, CallStart(self._call_id))
            out += marks
        if self._end is not None and (everything or self._end_due_s() <= self._clock_s):
            self._open(out, CallStart(self._call_id))
            out.append(self._end)
            self._end = None
        return out

    def _in_sequence(self) -> bool:
        """May the first waiting final go at once?"""
        (place, _, _), final = self._finals[0]
        if not self._opened:
            return False
        if not self._numbering.holds:
            return final.time_s < self._released_s
        if self._next is not None:
            return place <= self._next
        # A segment that starts with the call is the first, however its source counts: none fits before it.
        return place <= self._first or (place == 1 and final.start_s == 0.0)

    def _crowded(self) -> bool:
        return len(self._finals) > self._max_waiting

    def _note_released(self, final: Transcript) -> None:
        if not self._numbering.holds:
            return
        number = self._numbering.number(final.segment_id)
        if self._next is None or number >= self._next:
            self._next, self._released = number + 1, final

    def _take_marks(self, now_s: float = -math.inf) -> list[Item]:
        """The marks whose place has come, and the earliest ones where too many wait."""
        count = max(len(self._marks) - self._max_waiting, 0)
        while count < len(self._marks) and self._mark_is_due(self._marks[count][0], now_s):
            count += 1
        taken: list[Item] = [mark for _, _, mark in self._marks[:count]]
        del self._marks[:count]
        return taken

    def _mark_is_due(self, at_s: float, now_s: float) -> bool:
        """A final that belongs before it is complete up to a window after it, and may lag as much again."""
        return at_s + self._window_s <= self._released_s or at_s + 2 * self._window_s <= now_s


def _by_time(final: Transcript) -> tuple[float, float, str]:
    return final.time_s, final.start_s, final.segment_id
