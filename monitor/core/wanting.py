"""What the customer really wants, as a hypothesis that is corrected during the call, not at its end (C25).

Every turn adds to what its cues speak for, and what was said before fades; the strongest stands until another is
clearly stronger. It is a hypothesis about the matter, never about the person.
"""

from __future__ import annotations

from monitor.core.events import Wanted
from monitor.core.heard import THREAT_LABELS, Heard

WANTS: dict[str, tuple[str, ...]] = {
    "safety": ("self_harm", "threat_violence", "emergency"),
    "someone_in_charge": ("ask_superior",),
    "consequences": ("extreme_demand", *sorted(THREAT_LABELS)),
    "compensation": ("compensation_demand",),
    "a_reason": ("insists_reason",),
    "to_leave": ("churn",),
    "speed": ("urgency",),
    "a_fix_that_lasts": ("repeat_contact", "repetition", "blocked", "bounced"),
    "to_be_heard": ("grievance", "hardship", "prior_doubt"),
}
"""What cues speak for; of what is equally strong the earlier goes first."""
_FADES = 0.7
"""What a cue is worth a customer turn later."""
_HEARD_FROM = 0.3
"""Probability from which a cue that does not hold still counts."""
_STANDS_FROM, _CLEARLY = 0.5, 0.15
_MOST = 12


class WantTracker:
    """The current hypothesis of one call, and how it came about; bounded, whatever the call's length."""

    def __init__(self) -> None:
        self._weights = dict.fromkeys(WANTS, 0.0)
        self.history: list[Wanted] = []

    @property
    def current(self) -> str | None:
        return self.history[-1].want if self.history else None

    def customer_turn(self, heard: Heard, at_s: float) -> Wanted | None:
        """Takes a known turn in; the new hypothesis, if this turn changes it."""
        strongest: dict[str, str] = {}
        for want, cues in WANTS.items():
            strongest[want] = max(cues, key=heard.probability)
            p = heard.probability(strongest[want])
            self._weights[want] = _FADES * self._weights[want] + (p if p >= _HEARD_FROM else 0.0)
        best = max(WANTS, key=lambda want: self._weights[want])
        standing = 0.0 if self.current is None else self._weights[self.current]
        if best == self.current or self._weights[best] < max(_STANDS_FROM, standing + _CLEARLY):
            return None
        quote = heard.quote(strongest[best])
        found = Wanted(want=best, at_s=at_s, segment_id=heard.segment_id, quote=quote.quote, label=quote.label)
        self.history = [*self.history, found][-_MOST:]
        return found
