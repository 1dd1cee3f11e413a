"""Probabilities that mean something, and a threshold at 0.5 all the same."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.calibrate import Bend, calibrate, sigmoid
from models.directory import Mapping
from models.examples import LABEL_INDEX
from models.labels import ALL_LABELS, MUST_NOT_MISS
from models.measure import ece

THRESHOLDS = st.floats(0.01, 0.99)


def bent(threshold: float, *probabilities: float) -> list[float]:
    logits = np.log(np.array(probabilities) / (1 - np.array(probabilities)))
    return [float(Bend([Mapping(1.0, 0.0, threshold)])(np.array([logit]))[0]) for logit in logits]


@given(threshold=THRESHOLDS, low=st.floats(0.001, 0.999), high=st.floats(0.001, 0.999))
def test_it_keeps_the_order_and_puts_the_threshold_at_a_half(threshold: float, low: float, high: float) -> None:
    low, high = sorted((low, high))
    first, at, second = bent(threshold, low, threshold, high)
    assert first <= second + 1e-12
    assert abs(at - 0.5) < 1e-9
    assert (low < threshold) == (first < 0.5) or abs(low - threshold) < 1e-9


@given(threshold=THRESHOLDS, p=st.floats(0.001, 0.999))
def test_far_from_the_threshold_it_is_the_probability_itself(threshold: float, p: float) -> None:
    (found,) = bent(threshold, p)
    if p <= threshold / 2 or p >= (1 + threshold) / 2:
        assert abs(found - p) < 1e-9


def test_what_is_calibrated_is_near_what_is_so_and_few_harmless_lines_pass() -> None:
    """A model that is far too sure of itself, half of the rows to learn from and half to look at."""
    random = np.random.default_rng(3)
    count, outputs = 4000, len(ALL_LABELS)
    truth = sigmoid(random.normal(-3.0, 1.5, (count, outputs)))
    wanted = (random.random((count, outputs)) < truth).astype(float)
    logits = 2.5 * np.log(truth / (1 - truth)) + 1.0
    ones = np.ones((count, outputs))
    half = count // 2
    mappings = calibrate(logits[:half], wanted[:half], ones[:half], np.ones(half))
    found = Bend([mappings[name] for name in ALL_LABELS])(logits[half:])
    apart, raw = (ece(values.ravel(), wanted[half:].ravel()) for values in (found, sigmoid(logits[half:])))
    assert apart < 0.7 * raw
    for name in MUST_NOT_MISS:
        column = LABEL_INDEX[name]
        harmless = wanted[half:, column] == 0
        assert (found[harmless, column] >= 0.5).mean() < 0.035
