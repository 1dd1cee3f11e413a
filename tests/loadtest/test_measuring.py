"""Percentiles, the account of what came back, and the search for the most calls."""

from __future__ import annotations

import time

import msgspec
import pytest

from monitor.loadtest.figures import Spread
from monitor.loadtest.search import most_calls
from monitor.loadtest.tally import Tally
from stream.messages import Transcript


def test_percentiles_are_values_that_were_measured() -> None:
    spread = Spread.of([n / 1000 for n in range(1, 201)])
    assert spread == Spread(p50=100.0, p95=190.0, p99=198.0, max=200.0)
    assert Spread.of([0.25]) == Spread(250.0, 250.0, 250.0, 250.0)
    assert Spread.of([]) is None


def final(segment: str, call_id: str = "c") -> Transcript:
    return Transcript(call_id, segment, "customer", "Hello", True, 0.0, 1.0)


def frame(what: str, segment: str, **more: object) -> bytes:
    return msgspec.json.encode({"type": what, "call_id": "c", "segment_id": segment, "at_s": 1.0, **more})


def test_what_was_acked_and_never_scored_is_lost() -> None:
    tally = Tally()
    now_s = time.monotonic()
    for segment in "0123":
        tally.sent(final(segment), now_s)
    for segment in "012":
        tally.acked("c", segment, 0.005)
    assert tally.heard(frame("turn", "0", segments=["0", "1"], seq=7), now_s + 0.1) == 7
    found = tally.figures(1, 4.0, stopped=False)
    assert (found.finals, found.acked, found.scored, found.lost, found.unanswered) == (4, 3, 2, 1, 1)
    assert found.score_ms == Spread(100.0, 100.0, 100.0, 100.0)
    assert not found.keeps(500.0)


def test_a_score_before_its_ack_is_not_lost_and_a_refused_final_is_not_waited_for() -> None:
    tally = Tally()
    tally.sent(final("0"), 10.0)
    tally.sent(final("1"), 10.0)
    tally.heard(frame("turn", "0", segments=["0"]), 10.2)
    tally.acked("c", "0", 0.3)
    tally.refused("not_allowed", ("c", "1"))
    found = tally.figures(1, 1.0, stopped=False)
    assert (tally.outstanding, found.lost, found.errors) == (0, 0, {"not_allowed": 1})
    assert not found.keeps(500.0), "what is refused is not carried"


def test_alerts_count_for_the_final_that_was_just_sent() -> None:
    tally = Tally()
    tally.sent(final("0"), 10.0)
    tally.heard(frame("alert", "0", state="firing", kind="safety"), 10.05)
    tally.heard(frame("turn", "0", segments=["0"]), 10.2)
    tally.heard(frame("alert", "0", state="updated"), 10.3)
    tally.heard(frame("alert", "0", state="resolved"), 10.4)
    tally.sent(final("1"), 14.0)
    tally.heard(frame("turn", "1", segments=["1"]), 14.2)
    tally.heard(frame("alert", "0", state="updated"), 14.3)
    tally.heard(msgspec.json.encode({"type": "alert", "call_id": "c", "state": "firing"}), 25.0)
    found = tally.figures(1, 8.0, stopped=False)
    assert found.alerts == 2
    assert found.alert_ms == Spread(50.0, 300.0, 300.0, 300.0)
    assert found.urgent_ms == Spread(50.0, 50.0, 50.0, 50.0)


def test_what_a_pack_found_is_told_apart_from_what_only_the_model_hears() -> None:
    tally = Tally()
    for segment, due_s in (("0", 10.0), ("1", 20.0), ("2", 30.0)):
        tally.sent(final(segment), due_s)
    tally.heard(frame("alert", "0", state="firing", kind="must_report", pending="score"), 10.1)
    found, guessed = {"name": "threat_legal", "pack": "en/must_report"}, {"name": "threat_legal"}
    tally.heard(frame("turn", "0", segments=["0"], labels=[found]), 13.0)
    tally.heard(frame("alert", "0", state="updated", kind="must_report"), 13.0)
    tally.heard(frame("turn", "1", segments=["1"], labels=[found]), 20.2)
    tally.heard(frame("alert", "1", state="updated", kind="must_report"), 20.2)
    tally.heard(frame("turn", "2", segments=["2"], labels=[guessed]), 33.0)
    tally.heard(frame("alert", "2", state="updated", kind="must_report"), 33.0)
    figures = tally.figures(1, 30.0, stopped=False)
    assert figures.words_ms == Spread(100.0, 200.0, 200.0, 200.0)
    assert figures.urgent_ms == Spread(200.0, 3000.0, 3000.0, 3000.0)


def test_late_scores_are_counted_while_they_are_outstanding() -> None:
    tally = Tally()
    for segment, due_s in (("0", 10.0), ("1", 10.2), ("2", 11.0)):
        tally.sent(final(segment), due_s)
    tally.heard(frame("turn", "0", segments=["0"]), 10.9)
    assert tally.beyond(0.5, 10.6) == 1
    assert tally.beyond(0.5, 10.8) == 2


@pytest.mark.parametrize("capacity", [1, 7, 99, 100, 190, 5000])
@pytest.mark.parametrize("start", [1, 64, 3000])
@pytest.mark.asyncio
async def test_the_search_finds_the_edge(capacity: int, start: int) -> None:
    tried: list[int] = []

    async def carries(calls: int) -> bool:
        tried.append(calls)
        return calls <= capacity

    found = await most_calls(carries, start, most=4000)
    want = min(capacity, 4000)
    assert want - max(1, 0.06 * want) <= found <= want
    assert len(tried) == len(set(tried)) < 25


@pytest.mark.asyncio
async def test_not_even_one_call() -> None:
    async def never(calls: int) -> bool:
        return False

    assert await most_calls(never, 10, most=100) == 0
