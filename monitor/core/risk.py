"""Risk: the calibrated probability that the conversation ends badly, from what was heard so far.

Risk is not tension: a hot call that is being solved has little risk, a polite one that goes nowhere has much. It is
a logistic regression over running features of the call; weights and calibration are data (`configs/risk.json`),
trained on whole calls and split by call (`monitor/risk_training.py`).
"""

from __future__ import annotations

import math

import msgspec

from monitor.core.heard import FAILING, GOOD, THREAT_LABELS, Heard

_RECENT = 3
_GROUPS: dict[str, frozenset[str]] = {
    "threats": THREAT_LABELS | {"ask_superior", "churn"},
    "again": frozenset({"repeat_contact", "repetition", "bounced"}),
    "blocked": frozenset({"blocked"}),
    "insults": frozenset({"insult", "sarcasm"}),
    "wronged": frozenset({"grievance", "prior_doubt", "hardship"}),
    "demands": frozenset({"compensation_demand", "extreme_demand", "insists_reason", "urgency"}),
    "resigned": frozenset({"resigned", "avoidance"}),
}


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
    """Counts and recent values of one call; a few dozen numbers whatever its length."""

    def __init__(self) -> None:
        self._heats: list[float] = []
        self._peak_heat = 0.0
        self._upset_turns = 0
        self._upset_running = 0
        self._turns = 0
        self._groups = dict.fromkeys(_GROUPS, 0.0)
        self._eased_since_upset = 0
        self._eased_ever = 0
        self._good_since_upset = 0
        self._good = 0
        self._failing = 0
        self._failing_since_good = 0
        self._solved = 0
        self._negative = 0.0

    def customer_turn(self, heard: Heard, upset: bool) -> None:
        self._turns += 1
        self._heats = [*self._heats[-(_RECENT - 1) :], heard.heat]
        self._peak_heat = max(self._peak_heat, heard.heat)
        for group, names in _GROUPS.items():
            self._groups[group] += sum(heard.labels[name].score for name in heard.holding(names))
        self._negative = max(heard.emotions.get(name, 0.0) for name in ("anger", "disgust", "sadness", "fear"))
        eased = heard.holding(frozenset({"eased", "cooperates"}))
        self._eased_ever += "eased" in heard.labels
        if upset:
            self._upset_turns += 1
            self._upset_running += 1
            self._eased_since_upset = self._good_since_upset = 0
        else:
            self._upset_running = 0
            self._eased_since_upset += bool(eased)

    def agent_turn(self, heard: Heard) -> None:
        good, failing = len(heard.holding(GOOD)), len(heard.holding(FAILING))
        self._good += good
        self._good_since_upset += good
        self._failing += failing
        self._failing_since_good = self._failing_since_good + failing if failing else 0
        self._solved += bool(heard.holding(frozenset({"solve", "alternatives"})))

    def values(self, tension: float, peak_tension: float, relapses: int) -> list[float]:
        """`[len(FEATURES)]` in the order of `FEATURES`."""
        recent = self._heats or [0.0]
        log = math.log1p
        return [
            tension, peak_tension, recent[-1], math.fsum(recent) / len(recent), recent[-1] - recent[0],
            self._peak_heat, log(self._upset_turns), log(self._upset_running), self._negative,
            *(log(value) for value in self._groups.values()),
            log(self._eased_since_upset), log(self._eased_ever), log(self._good_since_upset), log(self._good),
            log(self._failing), log(self._failing_since_good), log(self._solved), log(relapses), log(self._turns),
        ]  # fmt: skip


FEATURES = (
    "tension", "peak_tension", "heat_last", "heat_mean_recent", "heat_slope",
    "peak_heat", "upset_turns", "upset_running", "negative_emotion",
    *_GROUPS,
    "eased_since_upset", "eased_ever", "good_since_upset", "good_moves",
    "failing_moves", "failing_running", "solutions", "relapses", "customer_turns",
)  # fmt: skip
