"""The vocabulary of the label guide (`models/corpus/LABELS.md`), in its order. Pure data.

`ALL_LABELS` is the order of the model's outputs (`id2label`): six emotions, cues, moves, steps, `heat_1`..`heat_4`.
"""

from types import MappingProxyType
from typing import Final, Literal

Role = Literal["customer", "agent", "manager"]

EMOTIONS: Final = ("anger", "disgust", "fear", "sadness", "surprise", "joy")

CUES: Final = (
    "threat_complaint", "threat_regulator", "threat_media", "threat_legal",
    "self_harm", "threat_violence", "emergency",
    "ask_superior", "churn", "insult", "urgency",
    "repeat_contact", "repetition", "bounced", "exaggeration", "avoidance",
    "compensation_demand", "extreme_demand", "insists_reason", "prior_doubt", "grievance",
    "hardship", "loyalty", "resigned", "sarcasm", "blocked", "cooperates", "eased",
)  # fmt: skip

GOOD_MOVES: Final = (
    "listen", "empathise", "reassure", "own", "clarify", "restate", "solve", "alternatives",
    "customer_view", "lead_back", "set_expectation", "hold_boundary", "appreciate",
    "promise_inquiry", "announce_escalation", "warm_transfer",
)  # fmt: skip

FAILING_MOVES: Final = (
    "stock_apology", "confront", "taboo", "disbelieve", "deflect", "defend", "judge", "helpless",
    "hesitate", "rush_close", "overpromise", "cold_transfer", "procedure_only", "miss_emotion",
)  # fmt: skip

MOVES: Final = GOOD_MOVES + FAILING_MOVES

STEPS: Final = (
    "m01_introduce", "m02_empathise", "m03_confirm_issue", "m04_explain_process",
    "m05_ask_details", "m06_set_expectation", "m07_reassure_apologise", "m08_confirm_contact",
    "m09_thank", "m10_wrap_up", "m11_document", "m12_reference_number",
    "m13_gratitude", "m14_next_steps", "m15_closing", "m16_farewell",
)  # fmt: skip

HEAT_OUTPUTS: Final = ("heat_1", "heat_2", "heat_3", "heat_4")
"""Ordinal outputs: `heat_k` is the probability that heat >= k; their sum is the expected heat."""

ALL_LABELS: Final = EMOTIONS + CUES + MOVES + STEPS + HEAT_OUTPUTS

THREATS: Final = ("threat_complaint", "threat_regulator", "threat_media", "threat_legal")
SAFETY: Final = ("self_harm", "threat_violence", "emergency")
MUST_NOT_MISS: Final = (*THREATS, *SAFETY, "ask_superior")
"""Labels whose threshold is set by their false-alarm rate."""

ROLE_LABELS: Final = MappingProxyType({"customer": CUES, "agent": MOVES, "manager": STEPS + FAILING_MOVES})
"""What can hold on a turn of each role (emotions and heat: customers only); a manager's good moves are script steps."""

_SCORED_AS: Final = MappingProxyType(
    {"customer": "customer", "agent": "agent", "manager": "manager", "bot": "agent", "unknown": "customer"}
)


def scored_role(role: str) -> Role:
    """The role whose labels a turn of `role` is scored with: a bot is heard as an agent, anyone else as a customer.

    >>> scored_role("bot"), scored_role("unknown")
    ('agent', 'customer')
    """
    found = _SCORED_AS.get(role, "customer")
    return "agent" if found == "agent" else "manager" if found == "manager" else "customer"
