"""From logits to probabilities that mean something: Platt's method for each label, and a threshold moved to 0.5."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.directory import Mapping
from models.examples import LABEL_INDEX
from models.labels import ALL_LABELS, CUES, EMOTIONS, HEAT_OUTPUTS, MOVES, MUST_NOT_MISS, STEPS

Array = np.ndarray[Any, Any]
FALSE_ALARMS = 0.02
"""Highest share of negatives that may pass the threshold of a threat, a safety cue or a request."""
THRESHOLDS = (0.001, 0.999)
"""Where a label's threshold may lie."""
SHRINK = 60.0
"""Positives that a head's common threshold weighs beside a label's own."""


def sigmoid(x: Array) -> Array:
    """Logistic function."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0))))


def platt(logits: Array, wanted: Array, weights: Array, prior: float = 4.0) -> tuple[float, float]:
    """Slope and offset by Newton steps on the weighted log loss, with a pull of weight `prior` to slope 1, offset 0."""
    parameters = np.array([1.0, 0.0])
    design = np.stack([logits, np.ones_like(logits)], axis=1).astype(np.float64)
    pull, origin = prior * np.diag([1.0, 0.1]), np.array([1.0, 0.0])

    def loss(at: Array) -> float:
        margin = design @ at
        each = weights * (np.logaddexp(0.0, margin) - wanted * margin)
        return float(each.sum() + 0.5 * (at - origin) @ pull @ (at - origin))

    for _ in range(50):
        p = sigmoid(design @ parameters)
        gradient = design.T @ (weights * (p - wanted)) + pull @ (parameters - origin)
        hessian = (design * (weights * p * (1 - p))[:, None]).T @ design + pull
        step = np.linalg.solve(hessian, gradient)
        while loss(parameters - step) > loss(parameters) + 1e-9 and float(np.abs(step).max()) > 1e-6:
            step /= 2  # far from the end a full Newton step may overshoot
        parameters -= step
        if float(np.abs(step).max()) < 1e-6:
            break
    return max(0.1, float(parameters[0])), float(parameters[1])


def best_cut(odds: Array, wanted: Array, weights: Array) -> float:
    """The cut in log odds with the highest weighted F1; 0 without a positive."""
    if wanted.sum() == 0:
        return 0.0
    order = np.argsort(-odds, kind="stable")
    hits = np.cumsum((wanted * weights)[order])
    scores = 2 * hits / (np.cumsum(weights[order]) + (wanted * weights).sum())
    at = int(scores.argmax())
    below = odds[order[at + 1]] if at + 1 < len(order) else odds[order[at]]
    return float((odds[order[at]] + below) / 2)


def calibrate(logits: Array, wanted: Array, counts: Array, weights: Array) -> dict[str, Mapping]:
    """A mapping for every output from held-out logits, targets and masks `[n, outputs]`, and weights `[n]`."""
    found: dict[str, Mapping] = {}
    lines: dict[str, tuple[float, float]] = {}
    for name in ALL_LABELS:
        rows = counts[:, LABEL_INDEX[name]] > 0
        lines[name] = platt(logits[rows, LABEL_INDEX[name]], wanted[rows, LABEL_INDEX[name]], weights[rows])
    for name in HEAT_OUTPUTS:
        found[name] = Mapping(*lines[name])
    for names in (EMOTIONS, CUES, MOVES, STEPS):
        cuts: dict[str, tuple[float, float]] = {}
        for name in names:
            odds, truth = _odds(name, lines[name], logits, wanted, counts)
            weight = weights[counts[:, LABEL_INDEX[name]] > 0]
            cuts[name] = (best_cut(odds, truth, weight), float(truth.sum()))
        common = float(np.median([cut for cut, positives in cuts.values() if positives >= 5] or [0.0]))
        for name in names:
            cut, positives = cuts[name]
            cut = (positives * cut + SHRINK * common) / (positives + SHRINK)
            if name in MUST_NOT_MISS:
                odds, truth = _odds(name, lines[name], logits, wanted, counts)
                cut = max(cut, float(np.quantile(odds[truth == 0], 1 - FALSE_ALARMS, method="higher")) + 1e-6)
            slope, offset = lines[name]
            found[name] = Mapping(
                round(slope, 5), round(offset, 5), round(float(np.clip(sigmoid(np.array(cut)), *THRESHOLDS)), 5)
            )
    return found


def _odds(name: str, line: tuple[float, float], logits: Array, wanted: Array, counts: Array) -> tuple[Array, Array]:
    column = LABEL_INDEX[name]
    rows = counts[:, column] > 0
    return line[0] * logits[rows, column] + line[1], wanted[rows, column]


def apply(mappings: dict[str, Mapping], logits: Array) -> Array:
    """Mapped probabilities `[n, outputs]`."""
    return Bend([mappings[name] for name in ALL_LABELS])(logits)


class Bend:
    """The mappings of all outputs at once: logits `[..., outputs]` to mapped probabilities."""

    def __init__(self, mappings: Sequence[Mapping]) -> None:
        self._slope = np.array([one.slope for one in mappings])
        self._offset = np.array([one.offset for one in mappings])
        self._threshold = np.array([one.threshold for one in mappings])

    def __call__(self, logits: Array) -> Array:
        plain, at = sigmoid(self._slope * logits + self._offset), self._threshold
        low, high = at / 2, (1 + at) / 2
        rising = low + (plain - low) * (0.5 - low) / (at - low)
        above = 0.5 + (plain - at) * (high - 0.5) / (high - at)
        return np.asarray(np.where((plain <= low) | (plain >= high), plain, np.where(plain < at, rising, above)))
