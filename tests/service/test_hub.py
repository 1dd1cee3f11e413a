"""The feed hub: order, resuming, filters, and what a slow reader loses."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from monitor.core.events import Alert, Event, Point, encode
from monitor.service import hub as hubs
from monitor.service.hub import About, Closed, FeedFilter, Hub, Subscription, Wants

pytestmark = pytest.mark.asyncio


class Who(msgspec.Struct, frozen=True):
    call_id: str
    team: str | None = None
    agent_id: str | None = None


class Log:
    """The source that a store is to the hub: everything published, by seq."""

    def __init__(self) -> None:
        self.events: list[tuple[int, About | None, bytes]] = []
        self.calls: list[Any] = []
        self.alerts: list[Any] = []
        self.pages = 0

    async def snapshot(self, wants: Wants) -> tuple[list[Any], list[Any]]:
        return [call for call in self.calls if wants(call, None)], self.alerts

    async def events_since(self, seq: int, limit: int, until: int) -> list[tuple[int, About | None, bytes]]:
        self.pages += 1
        return [entry for entry in self.events if seq < entry[0] <= until][:limit]


class Bench:
    def __init__(self) -> None:
        self.log = Log()
        self.lost: list[tuple[str, int]] = []
        self.hub = Hub(self.log, 0, lambda reason, frames: self.lost.append((reason, frames)))

    def publish(self, event: Event, who: Who | None = None) -> int:
        seq = self.hub.seq + 1
        about = who or Who(event.call_id)
        self.log.events.append((seq, about, encode(event)))
        self.hub.publish(seq, about, event, encode(event))
        return seq


def point(call_id: str = "c", at_s: float = 1.0, tension: float = 0.5) -> Point:
    return Point(
        call_id=call_id, at_s=at_s, tension=tension, risk=0.1, stage="vent", degraded=None, contributions=[]
    )  # fmt: skip


def alert(call_id: str = "c", severity: str = "warning") -> Alert:
    return Alert(
        call_id=call_id, at_s=1.0, alert_id="al", state="firing", kind="risk", severity=severity, reason="r",
        evidence=[], audience="supervisor",
    )  # fmt: skip


async def frames(subscription: Subscription, count: int) -> list[dict[str, Any]]:
    got: list[dict[str, Any]] = []
    async with asyncio.timeout(30):
        async for frame in subscription:
            got.append(msgspec.json.decode(frame))
            if len(got) == count:
                break
    return got


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_a_snapshot_first_then_events_with_rising_seq(bench: Bench) -> None:
    bench.log.calls = [Who("c", "billing")]
    bench.publish(point())
    subscription = bench.hub.subscribe(FeedFilter())
    bench.publish(point(at_s=2.0))
    bench.publish(alert())
    snapshot, *rest = await frames(subscription, 3)
    assert snapshot["type"] == "snapshot"
    assert snapshot["seq"] == 1
    assert snapshot["resumed"] is False
    assert snapshot["calls"] == [{"call_id": "c", "team": "billing", "agent_id": None}]
    assert [(frame["seq"], frame["type"]) for frame in rest] == [(2, "point"), (3, "alert")]
    assert next(iter(rest[0])) == "seq"
    assert rest[0]["at_s"] == 2.0


async def test_since_resumes_without_a_gap_or_a_repeat(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "_PAGE", 3)
    for at in range(10):
        bench.publish(point(at_s=float(at)))
    subscription = bench.hub.subscribe(FeedFilter(), since=2)
    bench.publish(point(at_s=10.0))
    snapshot, *rest = await frames(subscription, 10)
    assert snapshot["seq"] == 2
    assert snapshot["resumed"] is True
    assert [frame["seq"] for frame in rest] == list(range(3, 12))
    assert bench.log.pages >= 3


async def test_a_since_from_another_database_starts_afresh(bench: Bench) -> None:
    bench.publish(point())
    subscription = bench.hub.subscribe(FeedFilter(), since=999)
    (snapshot,) = await frames(subscription, 1)
    assert (snapshot["seq"], snapshot["resumed"]) == (1, False)


async def test_filters(bench: Bench) -> None:
    mine, other = Who("c", "billing", "a-1"), Who("d", "tech", "a-2")
    feeds = {
        "team": bench.hub.subscribe(FeedFilter(team="billing")),
        "agent": bench.hub.subscribe(FeedFilter(agent="a-1")),
        "call": bench.hub.subscribe(FeedFilter(call_id="c")),
        "teams": bench.hub.subscribe(FeedFilter(teams=("billing",))),
        "severe": bench.hub.subscribe(FeedFilter(severity="critical")),
    }
    bench.publish(alert("d", "critical"), other)
    bench.publish(alert("c", "warning"), mine)
    bench.publish(alert("c", "critical"), mine)
    for name in ("team", "agent", "call", "teams"):
        assert [frame["seq"] for frame in (await frames(feeds[name], 3))[1:]] == [2, 3], name
    assert [frame["seq"] for frame in (await frames(feeds["severe"], 3))[1:]] == [1, 3]


async def test_nothing_known_of_a_call_passes_no_narrowing_filter() -> None:
    assert FeedFilter()(None, point())
    assert not FeedFilter(team="billing")(None, point())
    assert not FeedFilter(teams=("billing",))(None, point())


async def test_a_slow_reader_loses_older_points_of_a_call_and_is_told(bench: Bench) -> None:
    subscription = bench.hub.subscribe(FeedFilter())
    kept = hubs._POINTS_FROM
    for at in range(kept + 50):
        bench.publish(point("busy", at_s=float(at)))
        if at % 10 == 0:
            bench.publish(alert("busy"))
    alerts = len(range(0, kept + 50, 10))
    assert sum(frames for reason, frames in bench.lost if reason == "point") > 0
    lost = len(bench.lost)
    got = await frames(subscription, 2 + kept + 50 + alerts - lost)
    assert got[1] == {"type": "dropped", "points": lost}
    events = [frame for frame in got if "seq" in frame and frame["type"] != "snapshot"]
    seqs = [frame["seq"] for frame in events]
    assert seqs == sorted(set(seqs))
    assert len([frame for frame in events if frame["type"] == "alert"]) == alerts
    assert [frame["at_s"] for frame in events if frame["type"] == "point"][-1] == float(kept + 49)


async def test_a_reader_that_does_not_even_take_alerts_is_closed_and_can_resume(bench: Bench) -> None:
    subscription = bench.hub.subscribe(FeedFilter())
    other = bench.hub.subscribe(FeedFilter(call_id="other"))
    for _ in range(hubs._MOST_WAITING + 1):
        bench.publish(alert())
    assert await until_closed(subscription, 1013) == []
    assert len(bench.hub) == 1
    bench.publish(alert("other"), Who("other"))
    assert (await frames(other, 2))[1]["call_id"] == "other"
    again = bench.hub.subscribe(FeedFilter(), since=0)
    resumed = await frames(again, 1 + hubs._MOST_WAITING + 2)
    assert [frame["seq"] for frame in resumed[1:]] == list(range(1, hubs._MOST_WAITING + 3))


async def test_interims_have_no_seq_and_are_the_first_to_go(bench: Bench) -> None:
    subscription = bench.hub.subscribe(FeedFilter())
    bench.hub.publish_interim(Who("c"), b'{"type":"interim","call_id":"c"}')
    for _ in range(hubs._POINTS_FROM):
        bench.publish(alert())
    bench.hub.publish_interim(Who("c"), b'{"type":"interim","call_id":"c"}')
    got = await frames(subscription, 2 + hubs._POINTS_FROM)
    assert got[1] == {"type": "interim", "call_id": "c"}
    assert [frame["type"] for frame in got[2:]] == ["alert"] * hubs._POINTS_FROM
    assert bench.lost == [("interim", 1)]


async def test_closing_the_hub_tells_every_reader_that_it_restarts(bench: Bench) -> None:
    subscriptions = [bench.hub.subscribe(FeedFilter()) for _ in range(3)]
    bench.hub.close()
    for subscription in subscriptions:
        assert await until_closed(subscription, 1012) == []
    assert len(bench.hub) == 0


async def until_closed(subscription: Subscription, code: int) -> list[dict[str, Any]]:
    """What comes after the snapshot, until the hub closes the subscription with `code`."""
    got: list[dict[str, Any]] = []

    async def drain() -> None:
        async for frame in subscription:
            got.append(msgspec.json.decode(frame))

    with pytest.raises(Closed) as closed:
        await asyncio.wait_for(drain(), 30)
    assert closed.value.code == code
    return got[1:]


async def test_a_filter_that_fails_ends_its_own_feed_alone(bench: Bench) -> None:
    def broken(about: About | None, event: Event | None) -> bool:
        raise ZeroDivisionError

    bad, good = bench.hub.subscribe(broken), bench.hub.subscribe(FeedFilter())
    bench.publish(point())
    assert len(bench.hub) == 1
    assert [frame["seq"] for frame in (await frames(good, 2))[1:]] == [1]
    bad.close()
