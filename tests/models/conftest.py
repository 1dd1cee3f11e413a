"""The shipped model, loaded once a session."""

import pytest

from models.directory import DEFAULT
from models.scorer import Scorer


@pytest.fixture(scope="session")
def scorer() -> Scorer:
    """The default model in float32 on one thread."""
    return Scorer(DEFAULT, threads=1)
