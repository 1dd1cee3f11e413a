"""From what was heard to what is done about it: which alerts fire, grow and close."""

from __future__ import annotations

import msgspec

from models.labels import CUES
from monitor.core.alerting import AlertBook
from monitor.core.closing import Summary
from monitor.core.curve import CALM_BELOW, HOT_ABOVE
from monitor.core.events import Alert, Evidence, HeldBack
from monitor.core.heard import FAILING, GOOD, PENDING, SAFETY_LABELS, THREAT_LABELS, Heard
from monitor.core.inputs import AlertAction
from monitor.core.policy import Reading, policy_of
from monitor.core.rules import Rules
from monitor.core.withheld import Withheld

ON_THE_TURN = (
    ("safety", SAFETY_LABELS),
    ("must_report", THREAT_LABELS),
    ("escalation_request", frozenset({"ask_superior"})),
)
"""Alerts that fire on the turn that says it, whatever the tension, cooldown or budget."""
RELAPSE_FROM = 0.5
"""Tension from which a relapse is worth a supervisor's look; a lesser one is a pivot and a prompt."""
CONDUCT = frozenset({"taboo", "confront"})
_SOFT = frozenset({"cooperates", "eased"})
TELLING = frozenset(CUES) - _SOFT
"""Cues that a supervisor would want quoted."""


class State(msgspec.Struct, frozen=True):
    """Where the call stands after a turn."""

    at_s: float
    tension: float
    risk: float
    stage: str


class Decider:
    """The alerts of one call."""

    def __init__(self, call_id: str, rules: Rules) -> None:
        settings = rules.settings
        self._critical_at = settings.policy.critical_at
        alerts = settings.alerts
        self._alone_at = {
            "safety": alerts.danger_alone_at,
            "must_report": alerts.threat_alone_at,
            "escalation_request": alerts.request_alone_at,
        }
        self._conduct_alone_at = settings.alerts.conduct_alone_at
        self._hot_heat, self._hot_turns = settings.policy.hot_heat, settings.policy.hot_turns
        self._enter_at = settings.policy.enter_at
        self._called_for_s = settings.policy.called_for_s
        self._policy = policy_of(settings.policy)
        self._withheld = Withheld()
        self._book = AlertBook(call_id, rules.texts, settings.alerts.language)
        self._telling: list[Heard] = []
        """The last turns that say why this call may end badly: without one there is nothing to alert with."""
        self._upset_turns = 0
        self._hot_running = 0
        self._helped = False
        """Has the agent helped since the last upset turn?"""
        self._falling = False
        self._tension_at_last_turn = 0.0

    @property
    def held_back(self) -> list[HeldBack]:
        """Risk alerts that were due and did not fire at once, in their order."""
        return self._withheld.alerts

    @property
    def open_alerts(self) -> int:
        return len(self._book.open_kinds())

    @property
    def wake_s(self) -> float | None:
        return self._policy.wake_s

    def customer_turn(self, heard: Heard, state: State, *, upset: bool, relapsed: bool) -> list[Alert]:
        self._upset_turns += upset
        if heard.known:
            self._hot_running = self._hot_running + 1 if heard.heat >= self._hot_heat else 0
        if upset or heard.holding(TELLING):
            self._telling = [*self._telling[-2:], heard]
        self._helped = self._helped and not upset
        self._falling = state.tension < self._tension_at_last_turn
        self._tension_at_last_turn = state.tension
        out = self.call(heard, state)
        out += self._decide(heard, state, relapsed)
        if relapsed and state.tension >= RELAPSE_FROM and "risk" not in self._book.open_kinds():
            out += self._book.raise_alert("relapse", "warning", state.at_s, evidence_of(heard), heard.segment_id)
        return out

    def agent_turn(self, heard: Heard, state: State) -> list[Alert]:
        self._helped = bool(self._helped or heard.holding(GOOD)) and not heard.holding(FAILING)
        conduct = _certain(heard, CONDUCT, self._conduct_alone_at)
        severity = "warning" if "taboo" in conduct or state.tension >= CALM_BELOW else "info"
        return self._say("agent_conduct", severity, heard, conduct, state) + self._decide(heard, state, False)

    def tick(self, state: State) -> list[Alert]:
        decision = self._policy.tick(state.at_s)
        if decision == "recover":
            return self._recovered(state.at_s, None)
        return self._risk_alert(state, None) if decision == "fire" else []

    def silence(self, at_s: float, seconds: float) -> list[Alert]:
        quotes = [evidence for heard in self._telling[-1:] for evidence in evidence_of(heard)]
        return self._book.raise_alert("silence", "warning", at_s, quotes, None, seconds=round(seconds))

    def answered(self, at_s: float, segment_id: str) -> list[Alert]:
        """The agent answered: a silence alert is over."""
        return self._book.resolve("silence", at_s, "answered", segment_id)

    def act(self, action: AlertAction, at_s: float) -> list[Alert]:
        out, resolved = self._book.act(action, at_s)
        if resolved == "risk":
            self._policy.released(at_s)
        return out

    def end(self, at_s: float, summary: Summary) -> list[Alert]:
        out = self._book.end(at_s)
        if summary.unsatisfied and summary.last_customer is not None:
            out += self._book.raise_alert("unsatisfied_close", "warning", at_s, [summary.last_customer], None)
        return out

    def call(self, heard: Heard, state: State) -> list[Alert]:
        """What a customer's turn demands at once, whatever else; where its score is pending, by its words alone."""
        hot = "critical" if state.tension > HOT_ABOVE else "warning"
        out: list[Alert] = []
        for kind, names in ON_THE_TURN:
            severity = hot if kind == "escalation_request" else "critical"
            out += self._say(kind, severity, heard, _certain(heard, names, self._alone_at[kind]), state)
        return out

    def _say(self, kind: str, severity: str, heard: Heard, names: list[str], state: State) -> list[Alert]:
        quotes = [heard.quote(name) for name in names]
        if not quotes:
            return []
        pending = heard.degraded == PENDING
        return self._book.raise_alert(kind, severity, state.at_s, quotes, heard.segment_id, pending=pending)

    def _decide(self, heard: Heard, state: State, relapsed: bool) -> list[Alert]:
        """Let the policy see the new point; a firing alert is updated when the call now reads worse.

        Where somebody has just been called, a risk alert beside it would only be noise; it is due again once that
        call is `called_for_s` old, whatever was done about it.
        """
        calm = state.stage == "calm" and state.tension < CALM_BELOW
        fresh = self._book.called(state.at_s, self._called_for_s)
        called = fresh and "risk" not in self._book.open_kinds()
        risk = max(state.risk, self._enter_at) if self._hot_running >= self._hot_turns else state.risk
        due = risk >= self._enter_at and bool(self._telling)
        if called or not self._telling:
            risk = 0.0
        recovering = self._helped or self._falling
        decision = self._policy.observe(state.at_s, Reading(risk, calm, relapsed, recovering))
        reason = "called" if called else self._policy.held_back(state.at_s)
        if decision != "fire":
            self._withheld.note(state.at_s, heard.segment_id, state.risk, reason if due else None)
        if decision == "recover":
            return self._recovered(state.at_s, heard.segment_id)
        if decision == "fire" or ("risk" in self._book.open_kinds() and heard.by_customer):
            return self._risk_alert(state, heard.segment_id)
        if calm and "risk" not in self._book.open_kinds():
            return self._book.resolve("relapse", state.at_s, "recovered", heard.segment_id)
        return []

    def _risk_alert(self, state: State, segment_id: str | None) -> list[Alert]:
        self._withheld.fired(state.at_s)
        severity = "critical" if state.risk >= self._critical_at else "warning"
        evidence = [item for heard in self._telling for item in evidence_of(heard)]
        return self._book.raise_alert(
            "risk",
            severity,
            state.at_s,
            evidence,
            segment_id,
            tension_pct=round(100 * state.tension),
            risk_pct=round(100 * state.risk),
            turns=self._upset_turns,
        )

    def _recovered(self, at_s: float, segment_id: str | None) -> list[Alert]:
        out = self._book.resolve("risk", at_s, "recovered", segment_id)
        return out + self._book.resolve("relapse", at_s, "recovered", segment_id)


def calls_somebody(heard: Heard) -> bool:
    """Does a pack find words in a customer's turn on which an alert fires, whatever the model hears?"""
    found = (heard.labels[name] for _, names in ON_THE_TURN for name in heard.holding(names))
    return heard.by_customer and any(hit.pack is not msgspec.UNSET for hit in found)


def _certain(heard: Heard, names: frozenset[str], alone_at: float) -> list[str]:
    """Those that a pack found, or of which the model alone is sure enough to call somebody."""
    found = heard.holding(names)
    return [
        name for name in found if heard.labels[name].pack is not msgspec.UNSET or heard.labels[name].score >= alone_at
    ]


def evidence_of(heard: Heard) -> list[Evidence]:
    """The strongest labels of a turn, quoted; its strongest emotion where no label holds."""
    names = [name for name in heard.labels if name not in _SOFT][:3]
    strongest = max(heard.emotions, key=lambda name: heard.emotions[name], default="heat")
    return [heard.quote(name) for name in names] or [heard.quote(strongest)]
