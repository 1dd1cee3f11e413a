"""Risk: the calibrated probability that the conversation ends badly, from what was heard so far.

Risk is not tension: a hot call that is being solved has little risk, a polite one that goes nowhere has much. It is
the mean of two opinions on running features of the call, in log odds: a logistic regression, and boosted trees, which
hear what counts only beside something else (upset again *although* it was answered). Weights, trees and calibration
are data (`configs/risk.json`), trained on whole calls and split by call (`monitor/risk_training.py`). The features add
up probabilities, not verdicts: what the ear half hears on three turns running counts, although no label holds on any.
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
_DOUBT = 2.0
"""Customer turns of heat 1 that are assumed before the first one: heat tells more the longer it lasts."""
_UPSET_HEAT, _UPSET_SLOPE = 1.5, 3.0
"""A turn of this heat is upset with probability one half; the slope fits an error of half a step of heat."""


class Tree(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One boosted tree, its nodes in order from the root. An inner node asks whether `feature` is at most `at` and goes
    on to `left` or `right`; a leaf has feature -1 and stands for `at` in log odds."""

    feature: list[int]
    at: list[float]
    left: list[int]
    right: list[int]

    def __post_init__(self) -> None:
        nodes = len(self.feature)
        if not nodes == len(self.at) == len(self.left) == len(self.right) or nodes == 0:
            raise ValueError("risk trees: feature, at, left and right must be of equal length, and not empty")
        for node, (feature, *below) in enumerate(zip(self.feature, self.left, self.right, strict=True)):
            if feature >= len(FEATURES) or (feature >= 0 and not all(node < child < nodes for child in below)):
                raise ValueError(f"risk trees: node {node} asks for no feature or leads nowhere")

    def log_odds(self, values: list[float]) -> float:
        """What the leaf says that `values` lead to."""
        node = 0
        while (feature := self.feature[node]) >= 0:
            node = self.left[node] if values[feature] <= self.at[node] else self.right[node]
        return self.at[node]


class RiskModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Logistic regression on standardised features (one entry a feature, in `FEATURES` order), halved with boosted
    trees where there are any, then Platt scaling."""

    features: list[str]
    mean: list[float]
    scale: list[float]
    weights: list[float]
    bias: float
    trees: list[Tree] = []
    platt_slope: float = 1.0
    platt_offset: float = 0.0
    trained_on: str = ""

    def __post_init__(self) -> None:
        if self.features != list(FEATURES):
            raise ValueError("risk weights were made for other features; train them again")
        if not len(self.features) == len(self.mean) == len(self.scale) == len(self.weights):
            raise ValueError("risk weights: features, mean, scale and weights must be of equal length")

    def log_odds(self, values: list[float]) -> float:
        """Before Platt scaling; `values` as from `RunningFeatures.values`."""
        parts = zip(values, self.mean, self.scale, self.weights, strict=True)
        linear = self.bias + math.fsum(weight * (value - mean) / scale for value, mean, scale, weight in parts)
        if not self.trees:
            return linear
        return (linear + math.fsum(tree.log_odds(values) for tree in self.trees)) / 2

    def probability(self, values: list[float]) -> float:
        """Risk in [0, 1], 4 decimals."""
        logit = self.platt_slope * self.log_odds(values) + self.platt_offset
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
            self._heat_sum / max(1, self._customer_turns),
            (self._heat_sum - self._customer_turns) / (self._customer_turns + _DOUBT), self._peak_heat,
            log(self._upset), log(self._upset_running), self._still_upset, *self._emotions,
            *(log(value) for value in self._cues.values()), *self._recent_cues.values(),
            *(log(value) for value in self._moves.values()), *(log(value) for value in self._moves_since.values()),
            log(relapses), log(self._customer_turns), log(self._turns),
        ]  # fmt: skip


FEATURES = (
    "tension", "peak_tension", "heat_last", "heat_mean_recent", "heat_slope", "heat_mean", "heat_lasting", "peak_heat",
    "upset", "upset_running", "still_upset", *EMOTIONS,
    *_CUES, *(f"{name}_recent" for name in _CUES), *_MOVES, *(f"{name}_since_upset" for name in _MOVES),
    "relapses", "customer_turns", "turns",
)  # fmt: skip
