"""How much a turn moves the curve: the only place where words become numbers of tension.

A customer turn pulls the curve to its heat's level; cues add a share of the headroom. An agent's helpful move takes
a share of the tension off; a stock apology earns nothing, and nothing that stands beside a failing move counts. What
an agent said badly is charged only if the customer's next turn is upset: the reaction is measured, not the person.
"""

from __future__ import annotations

import msgspec

from monitor.core.curve import Curve, level_of
from monitor.core.heard import FAILING, Heard

CUE_SHARES = {
    "threat_legal": 0.12, "threat_regulator": 0.12, "threat_media": 0.12, "threat_complaint": 0.1,
    "ask_superior": 0.1, "insult": 0.14, "sarcasm": 0.12, "repetition": 0.1, "blocked": 0.1,
    "churn": 0.06, "bounced": 0.06, "repeat_contact": 0.05, "grievance": 0.05, "prior_doubt": 0.04,
    "extreme_demand": 0.05, "compensation_demand": 0.03, "urgency": 0.03, "insists_reason": 0.03,
}  # fmt: skip
"""Share of the headroom that a cue takes beside the heat of its turn."""

CREDIT_SHARES = {
    "solve": 0.12, "alternatives": 0.1, "own": 0.1, "empathise": 0.1, "reassure": 0.06, "customer_view": 0.06,
    "promise_inquiry": 0.05, "announce_escalation": 0.05, "warm_transfer": 0.05, "restate": 0.05,
    "set_expectation": 0.04, "listen": 0.04, "appreciate": 0.03, "lead_back": 0.02, "clarify": 0.02,
    "m02_empathise": 0.1, "m07_reassure_apologise": 0.1, "m14_next_steps": 0.1, "m03_confirm_issue": 0.05,
    "m06_set_expectation": 0.04, "m13_gratitude": 0.03, "m05_ask_details": 0.02,
}  # fmt: skip
"""Share of the tension that an agent's move, or a manager's step of the same content, takes off when it is made."""
_OFFERS = frozenset({"solve", "alternatives", "m14_next_steps"})

CHARGE_SHARE = 0.06
ACCEPTED_SHARE = 0.2
SARCASM_LEVEL = 0.55
_NO_FALL = frozenset({"sarcasm", "insult", "resigned", "blocked", "repetition"})
_EASING = {"eased": 0.25, "cooperates": 0.1}
_COOL_HEAT = 1.5
"""Heat under which a customer turn may lower the curve."""


class Moved(msgspec.Struct, frozen=True):
    """What an agent's turn did: moves that helped, wordings that failed, whether a solution was offered."""

    helpful: list[str]
    failing: list[str]
    offers: bool


def move_by_customer(curve: Curve, heard: Heard, upset: bool, charges: list[str], offered: str | None) -> None:
    """Apply a known customer turn; `charges` are the agent's failing wordings since the last one, `offered` the
    segment of a solution that stands."""
    segment, weight = heard.segment_id, curve.settings.cue_weight
    level = level_of(heard.heat)
    if "sarcasm" in heard.labels:
        level = max(level, SARCASM_LEVEL)
    curve.rise_to(level, "heat" if "sarcasm" not in heard.labels else "sarcasm", segment)
    for name, hit in heard.labels.items():
        share = CUE_SHARES.get(name, 0.0)
        if share and (upset or name in ("repetition", "sarcasm")):
            curve.raise_by(weight * share * hit.score, f"cue:{name}", segment)
    if upset:
        for name in charges:
            curve.raise_by(weight * CHARGE_SHARE, f"charge:{name}", segment)
        return
    if heard.heat < _COOL_HEAT and not heard.holding(_NO_FALL):
        easing = [name for name in _EASING if name in heard.labels]
        if easing and offered is not None:
            curve.lower_by(ACCEPTED_SHARE, "solution_accepted", offered)
        extra = sum(_EASING[name] for name in easing)
        curve.fall_to(level, easing[0] if easing else "calmer", segment, extra)


def move_by_agent(curve: Curve, heard: Heard) -> Moved:
    """Apply a known agent or manager turn."""
    failing = heard.holding(FAILING)
    if failing:
        return Moved([], failing, offers=False)
    helpful = heard.holding(frozenset(CREDIT_SHARES))
    for name in helpful:
        share = CREDIT_SHARES[name] * heard.labels[name].score
        curve.lower_by(curve.settings.credit_weight * share, f"credit:{name}", heard.segment_id)
    return Moved(helpful, [], offers=bool(heard.holding(_OFFERS)))
