"""The clock of an unanswered outburst: when the agent freezes, somebody should know (C34).

Watching starts when an upset customer stops speaking, and again after a reply that is no reply ("Yes."); it ends
with any real answer. Hold stops the clock. The times are call times, so replay flags the same second as live.
"""

from __future__ import annotations

import re

from monitor.core.heard import GOOD, Heard
from monitor.core.settings import AlertSettings
from stream.assembler import Utterance

CHECKING = frozenset({"promise_inquiry"})
"""Moves after which a pause is work, not freezing."""
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_UNSPACED_A_SECOND = 4.5
_LETTERS_A_SECOND = 16.0
"""Brisk speech, for sources that do not say when a turn ended."""
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+")


class SilenceWatch:
    """`due_s` is the call time at which the silence becomes an alert; None while nothing is owed."""

    def __init__(self, settings: AlertSettings, channel: str) -> None:
        self._patience_s = {"voice": settings.silence_after_s, "chat": settings.chat_silence_after_s}.get(channel)
        self._checking_s = settings.checking_allowance_s
        self.due_s: float | None = None
        self.since_s = 0.0
        self._owed = False
        self._on_hold = False

    def customer_turn(self, heard: Heard, upset: bool) -> None:
        self._owed = upset or (self._owed and heard.known and not heard.holding(frozenset({"eased"})))
        self._start(spoken_until_s(heard.turn), self._patience_s)

    def agent_turn(self, heard: Heard) -> None:
        """A real answer pays the debt; a bare word leaves it; a promise to look buys time."""
        if not self._owed:
            return
        if is_bare(heard.turn) and not heard.holding(GOOD - {"listen"}):
            self._start(spoken_until_s(heard.turn), self._patience_s)
        elif heard.holding(CHECKING):
            self._start(spoken_until_s(heard.turn), self._checking_s)
        else:
            self._owed, self.due_s = False, None

    def hold(self) -> None:
        """Nothing is owed while music plays, whoever speaks or takes over meanwhile."""
        self._on_hold, self.due_s = True, None

    def resume(self, at_s: float) -> None:
        self._on_hold = False
        self._start(at_s, self._patience_s)

    def transfer(self, at_s: float) -> None:
        """Who takes over gets the whole patience anew."""
        self._start(at_s, self._patience_s)

    def fired(self) -> float:
        """The alert went out; wait for the next turn. Returns the seconds of silence."""
        due_s, self.due_s = self.due_s, None
        return 0.0 if due_s is None else due_s - self.since_s

    def end(self) -> None:
        self._owed, self.due_s = False, None

    def _start(self, from_s: float, after_s: float | None) -> None:
        self.since_s = from_s
        waits = self._owed and not self._on_hold and after_s is not None and self._patience_s is not None
        self.due_s = from_s + after_s if waits and after_s is not None else None


def is_bare(turn: Utterance) -> bool:
    """A word or two, such as "Yes." or "Mhm, go on."."""
    return len(_WORD.findall(turn.text)) <= 3


def spoken_until_s(turn: Utterance) -> float:
    """Call time at which a turn was over; estimated from its length where the source gave only its start.

    Nobody is silent who may still be speaking.
    """
    if turn.end_s > turn.start_s:
        return turn.end_s
    unspaced = len(_UNSPACED.findall(turn.text))
    return turn.start_s + unspaced / _UNSPACED_A_SECOND + (len(turn.text) - unspaced) / _LETTERS_A_SECOND
