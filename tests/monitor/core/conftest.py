"""The rules that ship, less what some tests of the core leave out."""

from __future__ import annotations

import msgspec
import pytest

from monitor.core.risk import FEATURES, RiskModel
from monitor.core.rules import Rules
from monitor.packs import Packs


@pytest.fixture(scope="session")
def ears_only(rules: Rules) -> Rules:
    """The rules that ship without phrase packs: only the given scores count."""
    return msgspec.structs.replace(rules, packs=Packs.load([]))


@pytest.fixture(scope="session")
def even(rules: Rules) -> Rules:
    """The rules that ship, but with a risk of one half whatever is heard: the weights are trained anew now and then."""
    zeros, ones = [0.0] * len(FEATURES), [1.0] * len(FEATURES)
    risk = RiskModel(features=list(FEATURES), mean=zeros, scale=ones, weights=zeros, bias=0.0)
    return msgspec.structs.replace(rules, risk=risk)
