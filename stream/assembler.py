"""One call's messages, in whatever order and however often they come, become its utterances, ordered."""

from collections.abc import Iterable

from stream.ids import TakenIds
from stream.messages import CallEnd, CallHold, CallResume, CallStart, Message, Transcript
from stream.reorder import Item, Reorder
from stream.settings import ASYNCHRONOUS_CHANNELS, AssemblerSettings
from stream.turns import Output, TurnJoiner, Utterance

__all__ = ["Assembler", "AssemblerSettings", "Output", "Utterance"]


class Assembler:
    """The assembler of one call: messages and the passing of time in, utterances and call events out.

    The first output is always a `CallStart` (a default one where the source sent none in time) and the last,
    once it has ended, a `CallEnd`. Any arrival order inside the window, repeats and interims give the same
    outputs as the tidy order; only `advance` can make a difference, by ending a wait.

    Memory is bounded by the settings, but for the ids taken: two integers where they count up, else the ids.
    """

    def __init__(self, settings: AssemblerSettings | None = None, source_fragments: bool = False) -> None:
        """`source_fragments`: the source's finals are pieces of turns unless they say `end_of_turn: true`."""
        self._settings = settings or AssemblerSettings()
        self._taken = TakenIds()
        self._joiner = TurnJoiner(self._settings, source_fragments)
        self._call_id: str | None = None
        self._reorder: Reorder | None = None
        self._asynchronous = False
        self._on_hold = False
        self.ended = False
        """The call is over: whatever comes is ignored."""

    @property
    def next_deadline(self) -> float | None:
        """The earliest call time at which `advance` would let something go."""
        if self._reorder is None or self.ended:
            return None
        times = [self._reorder.deadline, self._turn_deadline(), self._idle_at_s()]
        return min(time for time in times if time is not None)

    def knows(self, segment_id: str) -> bool:
        """Has a final of this segment been taken?"""
        return segment_id in self._taken

    def feed(self, message: Message) -> list[Output]:
        """Take in one message of this call; what it lets go."""
        if self._call_id is None:
            self._call_id = message.call_id
            self._reorder = Reorder(message.call_id, self._settings)
        if message.call_id != self._call_id:
            raise ValueError("an assembler takes the messages of one call")
        if self.ended or self._reorder is None:
            return []
        if isinstance(message, Transcript):
            if not message.final or message.segment_id in self._taken:
                return []
            self._taken.add(message.segment_id)
        return self._join(self._reorder.add(message))

    def advance(self, at_s: float) -> list[Output]:
        """The call's time has reached `at_s`; what has waited long enough.

        The shell makes call time of the wall clock: the latest final's time and what has passed since.
        """
        if self.ended or self._reorder is None or self._call_id is None:
            return []
        out = self._join(self._reorder.advance(at_s))
        turn_deadline_s = self._turn_deadline()
        if turn_deadline_s is not None and turn_deadline_s <= at_s:
            out += self._joiner.flush()
        idle_at_s = self._idle_at_s()
        if not self.ended and at_s >= idle_at_s:
            out += self.close()
            out += self._time_out(self._call_id, idle_at_s)
        return out

    def close(self) -> list[Output]:
        """The source is over: everything that waits, in order. Invents no `CallEnd`."""
        if self.ended or self._reorder is None:
            return []
        out = self._join(self._reorder.flush())
        return out + self._joiner.flush()

    def _join(self, items: Iterable[Item]) -> list[Output]:
        out: list[Output] = []
        for item in items:
            out += self._joiner.take(item)
            self._note(item)
        return out

    def _note(self, item: Item) -> None:
        """What the idle timeout depends on: the channel, and whether the customer waits on hold."""
        if isinstance(item, CallStart):
            self._asynchronous = item.channel in ASYNCHRONOUS_CHANNELS
        elif isinstance(item, CallHold | CallResume):
            self._on_hold = isinstance(item, CallHold)
        elif isinstance(item, CallEnd):
            self.ended = True

    def _idle_at_s(self) -> float:
        assert self._reorder is not None
        settings = self._settings
        idle_s = settings.asynchronous_idle_timeout_s if self._asynchronous else settings.idle_timeout_s
        return self._reorder.seen_s + (max(idle_s, settings.hold_timeout_s) if self._on_hold else idle_s)

    def _turn_deadline(self) -> float | None:
        """A final that waits for its place may yet belong to the turn, and will not wait long."""
        assert self._reorder is not None
        return None if self._reorder.waiting else self._joiner.deadline

    def _time_out(self, call_id: str, at_s: float) -> list[Output]:
        """End a silent call; one that never said more than interims ends without a trace."""
        if self.ended:
            return []
        self.ended = True
        assert self._reorder is not None
        return [CallEnd(call_id, at_s, "idle_timeout")] if self._reorder.opened else []
