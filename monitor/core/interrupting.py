"""Who speaks into the customer's words: from the times of the turns alone (C02). Only where people speak at once."""

from __future__ import annotations

from monitor.core.heard import Heard
from monitor.core.silence import is_bare
from stream.assembler import Utterance

LEAST_S = 0.5
"""How long both must speak at once, and how long the customer must have spoken before."""


class InterruptionWatch:
    """Knows the last turn of each side; a word or two of the agent's is listening, not interrupting."""

    def __init__(self, channel: str) -> None:
        self._spoken = channel == "voice"
        self._customer: Utterance | None = None
        self._agent: Utterance | None = None

    def cuts_in(self, heard: Heard) -> bool:
        """Does this turn show that the customer was interrupted: one of the agent's into a customer's that still
        went on, or one of the customer's that went on around it?"""
        turn = heard.turn
        if not heard.by_customer:
            words = turn if self._spoken and not is_bare(turn) and "listen" not in heard.labels else None
            self._agent = words
            return words is not None and self._customer is not None and _into(words, self._customer)
        self._customer, agent, self._agent = turn, self._agent, None
        return self._spoken and agent is not None and agent.end_s <= turn.end_s and _into(agent, turn)


def _into(agent: Utterance, customer: Utterance) -> bool:
    begun = agent.start_s - customer.start_s >= LEAST_S
    return begun and min(agent.end_s, customer.end_s) - agent.start_s >= LEAST_S
