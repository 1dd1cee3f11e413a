"""What stays to be said of the whole call: its kind of customer, how it seems to have ended, what was left open."""

from __future__ import annotations

import msgspec

from models.labels import STEPS
from monitor.core.events import Evidence
from monitor.core.heard import GOOD, SAFETY_LABELS, THREAT_LABELS, Heard

TYPES: dict[str, frozenset[str]] = {
    "irritable": frozenset({"insult"}),
    "nagging": frozenset({"repetition", "repeat_contact"}),
    "rational": frozenset({"insists_reason"}),
    "crafty": frozenset({"compensation_demand", "extreme_demand"}),
}
_BOILING = 3.4
_ENOUGH = 2
_STILL_TENSE = 0.5
"""Tension at the end from which a call closes unsatisfied although the last turn was not upset."""
SIGNALS = THREAT_LABELS | SAFETY_LABELS | {
    "ask_superior", "churn", "hardship", "loyalty", "prior_doubt", "grievance", "resigned", "sarcasm",
}  # fmt: skip
"""Cues that deserve an answer in the agent's next turn."""
PROMISES = frozenset({"set_expectation", "m06_set_expectation", "m14_next_steps"})
"""What is still to come when the call is over."""
ANSWERS = frozenset({"solve", "alternatives", "m14_next_steps"})
"""With these an agent comes back from what they went to find out."""
_MOST = 12


class Summary(msgspec.Struct, frozen=True):
    customer_type: str | None
    type_evidence: list[Evidence]
    outcome_guess: str
    flags: list[str]
    missed_signals: list[Evidence]
    script: dict[str, list[str]] | None
    unsatisfied: bool
    last_customer: Evidence | None


class CallRecord:
    """Gathers over the turns of one call; bounded, whatever its length."""

    def __init__(self) -> None:
        self._types: dict[str, list[Evidence]] = {name: [] for name in TYPES}
        self._unanswered: list[Evidence] = []
        self._missed: list[Evidence] = []
        self._steps: set[str] = set()
        self._manager = False
        self._promised = False
        self._inquiring = False
        self._threatened = False
        self._last: Heard | None = None
        self._last_upset = False
        self._ever_upset = False
        self.transfers = 0

    def customer_turn(self, heard: Heard, upset: bool) -> None:
        for kind, cues in TYPES.items():
            found = heard.holding(cues)
            if found or (kind == "irritable" and heard.heat >= _BOILING):
                self._types[kind] = [*self._types[kind], heard.quote(found[0] if found else "heat")][:_MOST]
        for label in heard.holding(SIGNALS):
            self._unanswered.append(heard.quote(label))
        self._threatened = self._threatened or bool(heard.holding(THREAT_LABELS | {"ask_superior"}))
        if heard.known:
            self._last, self._last_upset = heard, upset
        self._ever_upset = self._ever_upset or upset

    def agent_turn(self, heard: Heard) -> None:
        if not heard.holding(GOOD):
            self._missed = [*self._missed, *self._unanswered][:_MOST]
        self._unanswered = []
        self._promised = self._promised or bool(heard.holding(PROMISES))
        self._inquiring = "promise_inquiry" in heard.labels or (self._inquiring and not heard.holding(ANSWERS))
        if heard.turn.role == "manager":
            self._manager = True
            self._steps.update(heard.holding(frozenset(STEPS)))

    def customer_type(self) -> tuple[str | None, list[Evidence]]:
        """The type with the most evidence, once there is enough of it."""
        kind = max(self._types, key=lambda name: len(self._types[name]))
        evidence = self._types[kind]
        return (kind, evidence[:4]) if len(evidence) >= _ENOUGH else (None, [])

    def summary(self, tension: float, stage: str, reason: str | None) -> Summary:
        """Of the call as it stands at its end; `reason` is the one that the end came with."""
        kind, evidence = self.customer_type()
        last = self._last
        resigned = last is not None and "resigned" in last.labels
        soft = last is not None and bool(last.holding(frozenset({"eased", "cooperates"})))
        unsatisfied = last is not None and (self._last_upset or resigned or (tension >= _STILL_TENSE and not soft))
        flags = ["unsatisfied_close"] if unsatisfied else []
        flags += ["resigned_close"] if resigned else []
        flags += ["open_promise"] if self._promised or self._inquiring else []
        flags += ["open_risk"] if self._ever_upset and stage == "vent" else []
        if self._manager or (self._threatened and unsatisfied):
            outcome = "escalated"
        elif unsatisfied:
            outcome = "abandoned" if reason in ("hangup", "idle_timeout", "abandoned") else "unresolved"
        else:
            outcome = "resolved"
        return Summary(
            customer_type=kind,
            type_evidence=evidence,
            outcome_guess=outcome,
            flags=flags,
            missed_signals=[*self._missed, *self._unanswered][:_MOST],
            script=self._script(),
            unsatisfied=unsatisfied,
            last_customer=None if last is None else last.quote("resigned" if resigned else "heat"),
        )

    def _script(self) -> dict[str, list[str]] | None:
        if not self._manager:
            return None
        return {
            "done": [step for step in STEPS if step in self._steps],
            "missing": [step for step in STEPS if step not in self._steps],
        }
