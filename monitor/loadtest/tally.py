"""Matches what was sent with what comes back; holds only what is still outstanding, and the durations."""

from __future__ import annotations

import time
from array import array
from collections import Counter

import msgspec

from monitor.core.deciding import ON_THE_TURN
from monitor.loadtest.figures import Figures, Spread
from stream.messages import Message, Transcript

Final = tuple[str, str]
"""Call and segment."""


class _Label(msgspec.Struct):
    name: str
    pack: str = ""


class _Event(msgspec.Struct):
    """As much of a feed's frame as is looked at."""

    type: str
    call_id: str = ""
    segment_id: str = ""
    segments: list[str] = []
    state: str = ""
    kind: str = ""
    pending: str = ""
    labels: list[_Label] = []
    seq: int | None = None


KIND_OF = {name: kind for kind, names in ON_THE_TURN for name in names}
"""Which alert that comes with the very turn a label makes."""
URGENT = frozenset(KIND_OF.values())
_event = msgspec.json.Decoder(_Event)


class Tally:
    """Listens to the players (`monitor.sending.Watch`) and to one feed reader; times are those of `time.monotonic`."""

    def __init__(self) -> None:
        self._waiting: dict[Final, float] = {}
        """When each final without its score was due, in the order of sending."""
        self._safe: set[Final] = set()
        """Those of them that are acked."""
        self._latest: dict[str, tuple[str, float]] = {}
        """Segment and due time of each call's last scored final: alerts of a turn follow it."""
        self._told: dict[str, set[tuple[str, str]]] = {}
        """Segments and kinds of the alerts of each call that were told already: their updates say nothing new."""
        self._worded: dict[str, tuple[str, set[str]]] = {}
        """Each call's last turn in which a pack found what must be told at once, and the alerts that it makes."""
        self._finals = self._acked = 0
        self._errors: Counter[str] = Counter()
        self._reconnects = 0
        self._score_s, self._alert_s = array("d"), array("d")
        self._urgent_s, self._words_s = array("d"), array("d")
        self._ack_s, self._late_s = array("d"), array("d")

    @property
    def outstanding(self) -> int:
        """Finals without their score."""
        return len(self._waiting)

    @property
    def scored(self) -> int:
        return len(self._score_s)

    def sent(self, message: Message, due_s: float) -> None:
        if isinstance(message, Transcript) and message.final:
            self._finals += 1
            self._waiting[message.call_id, message.segment_id] = due_s
            self._late_s.append(max(0.0, time.monotonic() - due_s))

    def acked(self, call_id: str, segment_id: str, delay_s: float) -> None:
        self._acked += 1
        self._ack_s.append(delay_s)
        if (call_id, segment_id) in self._waiting:  # the feed may have been faster
            self._safe.add((call_id, segment_id))

    def refused(self, code: str, final: Final | None) -> None:
        self._errors[code] += 1
        if final is not None:
            self._waiting.pop(final, None)

    def reconnected(self) -> None:
        self._reconnects += 1

    def gave_up(self) -> None:
        """A connection could not be had (any more)."""
        self._errors["connection"] += 1

    def heard(self, frame: bytes, now_s: float) -> int | None:
        """Takes one frame of the feed; returns its `seq`. Raises msgspec.DecodeError on what is no event."""
        event = _event.decode(frame)
        if event.type == "turn":
            for segment in event.segments or [event.segment_id]:
                self._turn(event.call_id, segment, now_s)
            kinds = {KIND_OF[label.name] for label in event.labels if label.pack and label.name in KIND_OF}
            if kinds:
                self._worded[event.call_id] = event.segment_id, kinds
        elif event.type == "alert" and event.state in ("firing", "updated"):
            self._alert(event, now_s)
        elif event.type == "call" and event.state == "end":
            for known in (self._latest, self._told, self._worded):
                known.pop(event.call_id, None)
        return event.seq

    def _turn(self, call_id: str, segment: str, now_s: float) -> None:
        due_s = self._waiting.pop((call_id, segment), None)
        if due_s is not None:
            self._safe.discard((call_id, segment))
            self._latest[call_id] = (segment, due_s)
            self._score_s.append(now_s - due_s)

    def _alert(self, event: _Event, now_s: float) -> None:
        """An alert may come before its turn's score, or with it; one that names an older turn was held back on
        purpose and says nothing about speed."""
        told, this = self._told.setdefault(event.call_id, set()), (event.segment_id, event.kind)
        if this in told:
            return
        told.add(this)
        due_s = self._waiting.get((event.call_id, event.segment_id))
        if due_s is None:
            latest, scored_due_s = self._latest.get(event.call_id, ("", 0.0))
            due_s = scored_due_s if event.segment_id and latest == event.segment_id else None
        if due_s is not None:
            self._alert_s.append(now_s - due_s)
            if event.kind in URGENT:
                self._urgent_s.append(now_s - due_s)
                segment, kinds = self._worded.get(event.call_id, ("", set()))
                if event.pending or (segment == event.segment_id and event.kind in kinds):
                    self._words_s.append(now_s - due_s)

    def beyond(self, limit_s: float, now_s: float) -> int:
        """Finals whose score took longer than the limit, or already has."""
        late = sum(took_s > limit_s for took_s in self._score_s)
        for due_s in self._waiting.values():
            if now_s - due_s <= limit_s:
                break
            late += 1
        return late

    def figures(self, calls: int, seconds: float, *, stopped: bool) -> Figures:
        """The account; what is outstanding now counts as never scored."""
        return Figures(
            calls=calls,
            seconds=round(seconds, 1),
            finals=self._finals,
            acked=self._acked,
            scored=self.scored,
            lost=len(self._safe),
            unanswered=len(self._waiting) - len(self._safe),
            errors=dict(self._errors),
            reconnects=self._reconnects,
            alerts=len(self._alert_s),
            stopped=stopped,
            score_ms=Spread.of(self._score_s),
            alert_ms=Spread.of(self._alert_s),
            urgent_ms=Spread.of(self._urgent_s),
            words_ms=Spread.of(self._words_s),
            ack_ms=Spread.of(self._ack_s),
            late_ms=Spread.of(self._late_s),
        )
