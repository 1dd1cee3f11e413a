"""Risk: the calibrated probability that the conversation ends badly, from what was heard so far.

Risk is not tension: a hot call that is being solved has little risk, a polite one that goes nowhere has much. It is
a logistic regression over running features of the call; weights and calibration are data (`configs/risk.json`),
trained on whole calls and split by call (`monitor/risk_training.py`). The features add up probabilities, not verdicts:
what the ear half hears on three turns running counts, although no label holds on any of them.
"""

from __future__ import annotations

import math

import msgspec

from models.labels import EMOTIONS, THREATS
from monitor.core.heard import Heard

_RECENT = 3
_FADES = 0.6
"""What a recent cue is worth a customer turn later."""
_CUES: dict[str, tuple[str, ...]] = {
    "threats": (*THREATS, "ask_superior", "churn"),
    "again": ("repeat_contact", "repetition", "bounced"),
    "blocked": ("blocked",),
    "insults": ("insult", "sarcasm"),
    "wronged": ("grievance", "prior_doubt", "hardship"),
    "demands": ("compensation_demand", "extreme_demand", "insists_reason", "urgency"),
    "resigned": ("resigned", "avoidance"),
    "eased": ("eased",),
    "cooperates": ("cooperates",),
}
_MOVES: dict[str, tuple[str, ...]] = {
    "feeling": ("empathise", "reassure", "listen", "m02_empathise"),
    "owning": ("own", "appreciate", "customer_view", "m07_reassure_apologise"),
    "solving": ("solve", "alternatives"),
    "promising": (
        "set_expectation",
        "promise_inquiry",
        "announce_escalation",
        "warm_transfer",
        "m06_set_expectation",
        "m14_next_steps",
    ),
    "asking": ("clarify", "restate", "lead_back", "m03_confirm_issue", "m05_ask_details"),
    "unfeeling": ("stock_apology", "procedure_only", "miss_emotion"),
    "against": ("confront", "taboo", "disbelieve", "judge", "defend"),
    "away": ("helpless", "deflect", "cold_transfer", "rush_close", "hesitate"),
    "overpromise": ("overpromise",),
}
_UPSET_HEAT, _UPSET_SLOPE = 1.5, 3.0
"""A turn of this heat is upset with probability one half; the slope fits an error of half a step of heat."""


class RiskModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Logistic regression on standardised features, then Platt scaling. One entry a feature, in `FEATURES` order."""

    features: list[str]
    mean: list[float]
    scale: list[float]
    weights: list[float]
    bias: float
    platt_slope: float = 1.0
    platt_offset: float = 0.0
    trained_on: str = ""

    def __post_init__(self) -> None:
        if self.features != list(FEATURES):
            raise ValueError("risk weights were made for other features; train them again")
        if not len(self.features) == len(self.mean) == len(self.scale) == len(self.weights):
            raise ValueError("risk weights: features, mean, scale and weights must be of equal length")

    def probability(self, values: list[float]) -> float:
        """Risk in [0, 1], 4 decimals; `values` as from `RunningFeatures.values`."""
        parts = zip(values, self.mean, self.scale, self.weights, strict=True)
        logit = self.bias + math.fsum(weight * (value - mean) / scale for value, mean, scale, weight in parts)
        logit = self.platt_slope * logit + self.platt_offset
        return round(1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit)))), 4)


class RunningFeatures:
    """Sums of probabilities and recent values over the known turns of one call; a few dozen numbers at any length."""

    def __init__(self) -> None:
        self._heats: list[float] = []
        self._heat_sum = 0.0
        self._peak_heat = 0.0
        self._upset = 0.0
        self._upset_running = 0.0
        self._ever_upset = 0.0
        self._answered = 0.0
        """Probability that an upset turn has had an answer."""
        self._still_upset = 0.0
        """Probability that the customer was upset again after that answer."""
        self._emotions = [0.0] * len(EMOTIONS)
        self._cues = dict.fromkeys(_CUES, 0.0)
        self._recent_cues = dict.fromkeys(_CUES, 0.0)
        self._moves = dict.fromkeys(_MOVES, 0.0)
        self._moves_since = dict.fromkeys(_MOVES, 0.0)
        """Moves since the last upset turn."""
        self._customer_turns = 0
        self._turns = 0

    def customer_turn(self, heard: Heard) -> None:
        self._turns += 1
        self._customer_turns += 1
        for group, names in _CUES.items():
            p = max(heard.probability(name) for name in names)
            self._cues[group] += p
            self._recent_cues[group] = max(self._recent_cues[group] * _FADES, p)
        self._emotions = [heard.emotions.get(name, 0.0) for name in EMOTIONS]
        self._heat(heard.heat)

    def _heat(self, heat: float) -> None:
        self._heats = [*self._heats[-(_RECENT - 1) :], heat]
        self._heat_sum += heat
        self._peak_heat = max(self._peak_heat, heat)
        upset = 1.0 / (1.0 + math.exp(-_UPSET_SLOPE * (heat - _UPSET_HEAT)))
        self._still_upset += (1.0 - self._still_upset) * upset * self._answered
        self._ever_upset = max(self._ever_upset, upset)
        self._upset += upset
        self._upset_running = (self._upset_running + 1.0) * upset
        self._moves_since = {group: value * (1.0 - upset) for group, value in self._moves_since.items()}

    def agent_turn(self, heard: Heard) -> None:
        self._turns += 1
        self._answered = max(self._answered, self._ever_upset)
        for group, names in _MOVES.items():
            p = max(heard.probability(name) for name in names)
            self._moves[group] += p
            self._moves_since[group] += p

    def values(self, tension: float, peak_tension: float, relapses: int) -> list[float]:
        """`[len(FEATURES)]` in the order of `FEATURES`."""
        recent = self._heats or [0.0]
        log = math.log1p
        return [
            tension, peak_tension, recent[-1], math.fsum(recent) / len(recent), recent[-1] - recent[0],
            self._heat_sum / max(1, self._customer_turns), self._peak_heat,
            log(self._upset), log(self._upset_running), self._still_upset, *self._emotions,
            *(log(value) for value in self._cues.values()), *self._recent_cues.values(),
            *(log(value) for value in self._moves.values()), *(log(value) for value in self._moves_since.values()),
            log(relapses), log(self._customer_turns), log(self._turns),
        ]  # fmt: skip


FEATURES = (
    "tension", "peak_tension", "heat_last", "heat_mean_recent", "heat_slope", "heat_mean", "peak_heat",
    "upset", "upset_running", "still_upset", *EMOTIONS,
    *_CUES, *(f"{name}_recent" for name in _CUES), *_MOVES, *(f"{name}_since_upset" for name in _MOVES),
    "relapses", "customer_turns", "turns",
)  # fmt: skip
