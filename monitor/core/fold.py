"""One call, folded from its journal: the assembler and the monitor as one pure object."""

from __future__ import annotations

from monitor.core.call import CallMonitor, CallView
from monitor.core.inputs import AlertAction, Effect, Overdue, PromptAction, Record, Scored, Tick
from monitor.core.rules import Rules
from stream.assembler import Assembler, Output


class Fold:
    """Feed it a call's journal records in order; the same records give the same effects, always.

    Wall-clock time enters only as `Tick` records; scores may come back at any time and in any order.
    """

    def __init__(self, call_id: str, rules: Rules) -> None:
        self.call_id = call_id
        self._assembler = Assembler(rules.settings.assembler)
        self._monitor = CallMonitor(call_id, rules)

    def apply(self, record: Record) -> list[Effect]:
        """Effects of one record. Raises ValueError when it belongs to another call."""
        if record.call_id != self.call_id:
            raise ValueError(f"record of another call given to the fold of {self.call_id!r}")
        if isinstance(record, Tick):
            return self._hear(self._assembler.advance(record.at_s)) + self._monitor.handle(record)
        if isinstance(record, Scored | Overdue | AlertAction | PromptAction):
            return self._monitor.handle(record)
        return self._hear(self._assembler.feed(record))

    def close(self) -> list[Effect]:
        """Offline: the file is over. Flushes what still waits; the call stays open if it never ended."""
        return self._hear(self._assembler.close())

    @property
    def ended(self) -> bool:
        """True once the call's end was applied and every turn before it has its score."""
        return self._monitor.ended

    @property
    def next_deadline(self) -> float | None:
        """Call time in seconds at which a `Tick` would do something; None when nothing waits."""
        waits = [at for at in (self._assembler.next_deadline, self._monitor.next_wake_s) if at is not None]
        return min(waits, default=None)

    @property
    def features(self) -> list[float]:
        """What the risk of the last point was computed from, in the order of `risk.FEATURES`."""
        return self._monitor.features

    @property
    def next_timer(self) -> float | None:
        """The part of `next_deadline` at which something is due because nobody spoke."""
        return self._monitor.next_wake_s

    @property
    def next_release(self) -> float | None:
        """The part of `next_deadline` at which messages that wait for their place go out."""
        return self._assembler.next_deadline

    @property
    def takes_messages(self) -> bool:
        """False once the call's end has gone out, even while scores of earlier turns are missing."""
        return not self._assembler.ended

    def knows(self, segment_id: str) -> bool:
        """Has a final of this segment been taken?"""
        return self._assembler.knows(segment_id)

    def urgent_turns(self) -> list[str]:
        """Turns in the queue that say something on which an alert fires whatever the model hears; each named once."""
        return self._monitor.urgent_turns()

    def is_overdue(self, segment_id: str) -> bool:
        """Is a turn that `urgent_turns` has named still in the queue, and nobody called for it yet?"""
        return self._monitor.is_overdue(segment_id)

    @property
    def view(self) -> CallView:
        return self._monitor.view

    def _hear(self, outputs: list[Output]) -> list[Effect]:
        return [effect for output in outputs for effect in self._monitor.handle(output)]
