"""The rules that ship, once for all tests of this folder."""

from __future__ import annotations

import pytest

from monitor.config import load
from monitor.core.rules import Rules
from monitor.rules_loading import load_rules


@pytest.fixture(scope="session")
def rules() -> Rules:
    return load_rules(load(), model_version="test")
