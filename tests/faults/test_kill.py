"""SIGKILL at any instant: no acknowledged final is lost, no event is lost or doubled, calls go on where they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.kill import play


@pytest.mark.asyncio
async def test_three_kills_under_twenty_calls(tmp_path: Path) -> None:
    found = await play(tmp_path, kills=3, calls=20, pace_s=0.3, seed=3)
    assert not found.bad, found
    assert found.finals_acked > 0
    assert found.alert_events > 0


@pytest.mark.heavy
@pytest.mark.asyncio
async def test_twenty_kills_under_a_hundred_calls(tmp_path: Path) -> None:
    found = await play(tmp_path, kills=20, calls=100, pace_s=1.0, seed=20)
    assert not found.bad, found
    assert sum(found.recovered_per_restart) > 0
