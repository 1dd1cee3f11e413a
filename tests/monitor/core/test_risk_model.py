"""The risk's two opinions, a regression and boosted trees, halved in log odds; weights that do not fit are refused."""

from __future__ import annotations

import math
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.risk import FEATURES, RiskModel, Tree

HEAT = FEATURES.index("heat_last")
TENSION = FEATURES.index("tension")
TREE = Tree([HEAT, -1, TENSION, -1, -1], [2.0, -1.0, 0.5, 0.5, 3.0], [1, 0, 3, 0, 0], [2, 0, 4, 0, 0])


def model(trees: list[Tree], weight: float = 1.0, bias: float = 0.25) -> RiskModel:
    weights = [0.0] * len(FEATURES)
    weights[HEAT] = weight
    return RiskModel(list(FEATURES), [0.0] * len(FEATURES), [1.0] * len(FEATURES), weights, bias, trees)


def values(heat: float, tension: float) -> list[float]:
    found = [0.0] * len(FEATURES)
    found[HEAT], found[TENSION] = heat, tension
    return found


@pytest.mark.parametrize(
    ("heat", "tension", "wanted"), [(2.0, 0.9, -1.0), (2.1, 0.5, 0.5), (2.1, 0.6, 3.0), (0.0, 0.0, -1.0)]
)
def test_a_tree_leads_to_one_leaf(heat: float, tension: float, wanted: float) -> None:
    assert TREE.log_odds(values(heat, tension)) == wanted


@given(st.floats(0, 4), st.floats(0, 1), st.integers(0, 3))
def test_the_two_opinions_are_halved_in_log_odds(heat: float, tension: float, trees: int) -> None:
    linear = heat + 0.25
    wanted = linear if not trees else (linear + trees * TREE.log_odds(values(heat, tension))) / 2
    both = model([TREE] * trees)
    assert both.log_odds(values(heat, tension)) == pytest.approx(wanted)
    assert both.probability(values(heat, tension)) == pytest.approx(1 / (1 + math.exp(-wanted)), abs=1e-4)


@pytest.mark.parametrize(
    ("feature", "at", "left", "right"),
    [
        ([], [], [], []),
        ([0, -1], [1.0, 0.0], [1, 0], [1]),
        ([len(FEATURES), -1], [1.0, 0.0], [1, 0], [1, 0]),
        ([0, -1], [1.0, 0.0], [0, 0], [1, 0]),
        ([0, -1], [1.0, 0.0], [1, 0], [2, 0]),
    ],
    ids=["empty", "uneven", "no such feature", "a circle", "out of the tree"],
)
def test_a_tree_that_leads_nowhere_is_refused(
    feature: list[int], at: list[float], left: list[int], right: list[int]
) -> None:
    with pytest.raises(ValueError, match="risk trees"):
        Tree(feature, at, left, right)


def test_what_is_written_is_what_is_read() -> None:
    before = model([TREE, TREE])
    after = msgspec.json.decode(msgspec.json.encode(before), type=RiskModel)
    for heat, tension in product((0.0, 2.0, 3.5), (0.1, 0.9)):
        assert after.probability(values(heat, tension)) == before.probability(values(heat, tension))
