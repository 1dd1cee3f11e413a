"""One live call: its fold, and what the service must remember around it. No asyncio in here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from monitor.core.call import CallView
from monitor.core.events import Event, Turn, encode
from monitor.core.fold import Fold
from monitor.core.inputs import Effect, Emit, NeedScore, Overdue, Record, Scored, Tick, decode_record, encode_record
from monitor.core.rules import Rules
from monitor.service.clock import CallClock
from monitor.service.projection import Projection
from monitor.service.rows import CallRow, RecordRow, Write
from stream.messages import CallStart, Message, Transcript


class Step(msgspec.Struct):
    """What one record did: to be stored as one write, then published."""

    write: Write
    events: list[Event]
    needs: list[NeedScore]
    view: CallView
    finished: bool


UNHEARD_SPEECH_S = 4.0
"""Seconds of call time that a timer waits on for a final whose speech had begun before: without interims, who speaks is
heard only when done. The event keeps the time at which it was due."""


_MOST_REVISIONS = 64
"""Segments without a final whose revisions are remembered: more speakers at once than any call has."""


class LiveCall:
    """Applies records in memory and says what has to be stored; `view` is what was stored last."""

    def __init__(
        self,
        call_id: str,
        row: CallRow,
        rules: Rules,
        now_s: float,
        wall_s: Callable[[float], float] = lambda at_s: time.time(),
    ) -> None:
        """`wall_s(at_s)`: the wall-clock time, in seconds since 1970, of what the call says at call time `at_s`."""
        self.call_id = call_id
        self.fold = Fold(call_id, rules)
        self.clock = CallClock(0.0, now_s)
        self.view: CallView | None = None
        self.inflight = 0
        """Writes handed to the store and not yet answered."""
        self.broken = False
        """A write failed or the core did: memory is ahead of the journal and must be thrown away."""
        self.mend = False
        """Read it back from the store by itself: what broke it was the disk."""
        self.fired: dict[str, float] = {}
        """When alerts that nobody has acknowledged were published, in `now_s`."""
        self.arrivals: dict[str, float] = {}
        """When finals whose turn is not stored yet came in, in `now_s`."""
        self._marks: set[bytes] = set()
        """Records of messages that are not transcripts, to recognise what is sent again."""
        self._projection = Projection(row)
        self._wall_s = wall_s
        self._records = 0
        self._events = 0
        self._heard_s = 0.0
        """Call time of the furthest message or tick."""
        self._ticked_for: float | None = None
        """The deadline for which a tick was given already, and which has to wait for something else."""
        self._speaking: str | None = None
        self._revisions: dict[str, int] = {}
        """The newest revision heard of each segment that has no final yet, the latest spoken last."""
        self._spoke_at_s = now_s

    @classmethod
    def restore(
        cls, row: CallRow, records: Sequence[bytes], stored: Sequence[bytes], rules: Rules, now_s: float
    ) -> tuple[LiveCall, Step, bool]:
        """Folds a journal again. The step holds what is not stored yet and the turns without a score.

        False when the stored events are not the ones that these rules make. Time stood still while nobody listened.
        """
        base = CallRow(
            call_id=row.call_id, source=row.source, opened_at=row.opened_at, updated_at=row.updated_at,
            ended_at=row.ended_at, finished=row.finished,
        )  # fmt: skip
        call = cls(row.call_id, base, rules, now_s)
        events: list[Event] = []
        needs: dict[str, NeedScore] = {}
        for body in records:
            record = decode_record(body)
            if isinstance(record, Scored):
                needs.pop(record.segment_id, None)
            call._hear(record, now_s)
            for effect in call.fold.apply(record):
                if isinstance(effect, NeedScore):
                    needs[effect.segment_id] = effect
                elif isinstance(effect, Emit):
                    events.append(effect.event)
        call.clock = CallClock(call._heard_s, now_s)
        call._records = len(records)
        call.arrivals.clear()
        same = list(stored) == [encode(event) for event in events[: len(stored)]]
        call._events = len(stored)
        for n, event in enumerate(events[: len(stored)]):
            call._projection.take(event, n, row.updated_at, Write())
        step = call._step(events[len(stored) :], list(needs.values()))
        call.view = step.view
        return call, step, same

    @property
    def row(self) -> CallRow:
        return self._projection.row

    @property
    def open_alerts(self) -> dict[str, str]:
        """Severity by id, of what was applied."""
        return self._projection.open_alerts

    def knows(self, message: Message) -> bool:
        """Was this message taken before? A final is known by its segment, the others by all they say."""
        if isinstance(message, Transcript):
            return self.fold.knows(message.segment_id)
        return encode_record(message) in self._marks

    def apply(self, record: Record, now_s: float) -> Step:
        """Takes the record into the journal and the fold. Whatever the core raises leaves the call broken."""
        body = encode_record(record)
        self._hear(record, now_s)
        deadline = self.fold.next_deadline
        effects: list[Effect] = self.fold.apply(record)
        self._ticked_for = deadline if isinstance(record, Tick) and self.fold.next_deadline == deadline else None
        needs = [effect for effect in effects if isinstance(effect, NeedScore)]
        events = [effect.event for effect in effects if isinstance(effect, Emit)]
        step = self._step(events, needs)
        segment_id = record.segment_id if isinstance(record, Transcript) else None
        step.write.records.append(RecordRow(self.call_id, self._records, body, segment_id))
        self._records += 1
        return step

    def speak(self, interim: Transcript, now_s: float) -> bool:
        """Somebody is in mid-sentence: no tick until the final or the end of the hold. False: known to be outdated."""
        if interim.revision < self._revisions.get(interim.segment_id, 0) or self.fold.knows(interim.segment_id):
            return False
        self._revisions.pop(interim.segment_id, None)
        self._revisions[interim.segment_id] = interim.revision
        if len(self._revisions) > _MOST_REVISIONS:
            del self._revisions[next(iter(self._revisions))]
        self._speaking, self._spoke_at_s = interim.segment_id, now_s
        self.clock.hear(interim.time_s, now_s)
        return True

    def wake_at_s(self, hold_s: float) -> float | None:
        """When, in `now_s`, a tick is due; None while nothing waits, or until something else has happened."""
        deadline = self.fold.next_deadline
        due_s = self._due_s()
        if due_s is None or deadline == self._ticked_for:
            return None
        wall_s = self.clock.wall_s(due_s)
        if self._speaking is None:
            return wall_s
        held_s = max(wall_s, self._spoke_at_s + hold_s)
        release = self.fold.next_release
        return held_s if release is None else min(held_s, self.clock.wall_s(release))

    def tick(self, now_s: float, hold_s: float) -> Tick | None:
        """The tick that is due now, if one is. While somebody speaks, only as far as waiting messages need it."""
        at_s = self.clock.at_s(now_s)
        due_s, release = self._due_s(), self.fold.next_release
        if due_s is None or due_s > at_s:
            return None
        if self._speaking is not None and now_s < self._spoke_at_s + hold_s:
            if release is None or release > at_s:
                return None
            at_s = release
        return Tick(call_id=self.call_id, at_s=max(due_s, round(at_s, 3)))

    def _due_s(self) -> float | None:
        """Call time of the next tick: messages go out on time, a timer that speech may still undo waits for it."""
        timer = self.fold.next_timer
        waits = [self.fold.next_release, None if timer is None else timer + UNHEARD_SPEECH_S]
        return min((at_s for at_s in waits if at_s is not None), default=None)

    def turn_arrival(self, turn: Turn) -> float | None:
        """When the last final of a turn came in, in `now_s`; asked once."""
        times = [self.arrivals.pop(segment) for segment in turn.segments if segment in self.arrivals]
        return max(times, default=None)

    def _hear(self, record: Record, now_s: float) -> None:
        at_s = _time_of(record)
        if at_s is not None:
            self._heard_s = max(self._heard_s, at_s)
            self.clock.hear(at_s, now_s)
        if isinstance(record, Transcript):
            self.arrivals[record.segment_id] = now_s
            self._revisions.pop(record.segment_id, None)
            if record.segment_id == self._speaking:
                self._speaking = None
        elif isinstance(record, Message):
            self._marks.add(encode_record(record))

    def _step(self, events: list[Event], needs: list[NeedScore]) -> Step:
        write, before = Write(), self._projection.row
        for event in events:
            self._projection.take(event, self._events, self._wall_s(event.at_s), write)
            self._events += 1
        finished = self.fold.ended
        if finished != self._projection.row.finished:
            self._projection.row = msgspec.structs.replace(self._projection.row, finished=finished)
        if self._projection.row is not before or self._records == 0:
            write.calls.append(self._projection.row)
        return Step(write, events, needs, self.fold.view, finished)


def _time_of(record: Record) -> float | None:
    """The call time that a record speaks of; None where it speaks of none."""
    if isinstance(record, Transcript):
        return record.time_s
    if isinstance(record, CallStart | Scored | Overdue):
        return None
    return record.at_s
