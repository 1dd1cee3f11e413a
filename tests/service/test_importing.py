"""Imported calls keep the times at which they were, so that no figure speaks of the import instead."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.core.inputs import AlertAction, Record, decode_record
from monitor.core.rules import Rules
from monitor.export import head_of
from monitor.importing import import_calls
from monitor.recordings import JournalHead, Line
from monitor.service.rows import AlertQuery
from monitor.service.store import Store
from tests.service.conftest import Run, WordScorer, end, start, take_all
from tests.service.test_runtime import heated_call

OPENED = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ACK_S = 45.0


async def journal_of(run: Run) -> tuple[list[Record], list[bytes]]:
    """Records and events of an ended call whose superior alert was acknowledged at `ACK_S` of call time."""
    async with run() as service:
        await take_all(service, [*heated_call(), end(30.0)])
        events = await service.ended("c")
        alert = next(one for one in events if one["type"] == "alert" and one["kind"] == "escalation_request")
        ack = AlertAction(call_id="c", at_s=ACK_S, alert_id=alert["alert_id"], action="ack", by="mira")
        return [*map(decode_record, service.store.records("c")), ack], service.store.events("c")


def imported(path: Path, lines: list[Line], rules: Rules) -> Store:
    store = Store.open(str(path))
    assert import_calls(lines, rules, WordScorer(), store).stored == ["c"]
    return store


@pytest.mark.asyncio
async def test_an_imported_call_keeps_its_own_times(run: Run, rules: Rules, tmp_path: Path) -> None:
    records, events = await journal_of(run)
    store = imported(tmp_path / "imported.db", [head_of("c", OPENED, events), *records], rules)
    try:
        opened_at = OPENED.timestamp()
        row = store.call("c")
        assert row is not None
        assert (row.opened_at, row.ended_at) == (opened_at, opened_at + 30.0)
        alert = store.alerts(AlertQuery(kind="escalation_request"))[0]
        assert alert.fired_at == pytest.approx(opened_at + alert.at_s)
        assert alert.acknowledged_at == pytest.approx(opened_at + ACK_S)
        (figures,) = store.stats()
        assert figures.acknowledged == 1
        assert figures.ack_p50_s == pytest.approx(ACK_S - alert.at_s)
    finally:
        store.close()


@pytest.mark.parametrize(
    ("first", "opened_at"),
    [
        ({"started_at": OPENED}, OPENED.timestamp()),
        ({}, None),
    ],
    ids=["by the source's word", "unknown"],
)
def test_a_transcript_has_the_times_of_its_start_or_ends_now(
    rules: Rules, tmp_path: Path, first: dict[str, Any], opened_at: float | None
) -> None:
    began = msgspec.structs.replace(start(), **first)
    before = time.time()
    store = imported(tmp_path / "imported.db", [began, *heated_call()[1:], end(30.0)], rules)
    try:
        row = store.call("c")
        assert row is not None
        assert row.ended_at == pytest.approx(row.opened_at + 30.0)
        if opened_at is None:
            assert before <= row.ended_at <= time.time()
        else:
            assert row.opened_at == opened_at
    finally:
        store.close()


def test_a_head_alone_is_no_call(rules: Rules, tmp_path: Path) -> None:
    """Its versions and time are read, whatever else it says; it becomes no record."""
    store = imported(tmp_path / "imported.db", [JournalHead(call_id="c"), *heated_call()], rules)
    try:
        assert len(store.records("c")) == len(heated_call()) + len([1 for e in store.events("c") if b'"turn"' in e])
    finally:
        store.close()
