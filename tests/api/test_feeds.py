"""The live feed over both transports: snapshot, resuming, filters, and readers that are slow."""

from __future__ import annotations

import json
import socket as sockets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed

from monitor.service import feeds, hub
from tests.api.conftest import ANGRY
from tests.api.service import TIMEOUT_S, Service, call, frames_of, running

Frame = dict[str, Any]


def sse_frames(answer: httpx2.Response) -> Iterator[Frame]:
    """Frames of a stream; the id of an event must be its seq."""
    last = None
    for line in answer.iter_lines():
        if line.startswith("id: "):
            last = int(line[4:])
        elif line.startswith("data: "):
            frame = json.loads(line[6:])
            assert frame.get("seq") == last
            last = None
            yield frame


def test_a_snapshot_comes_first_with_calls_and_open_alerts(service: Service) -> None:
    with service.socket("/v1/feed") as feed:
        snapshot = next(frames_of(feed))
    assert snapshot["type"] == "snapshot"
    assert snapshot["seq"] == service.store.last_seq()
    assert {alert["kind"] for alert in snapshot["alerts"]} >= {"must_report", "escalation_request"}


def test_since_gives_every_event_once_and_in_order(service: Service) -> None:
    with service.socket("/v1/feed?since=0") as feed:
        whole = service.until(frames_of(feed), type="call", state="end", call_id="calm")[1:]
    stored = [seq for seq, _, _ in service.store.events_since(0, 10_000)]
    assert [frame["seq"] for frame in whole] == stored[: len(whole)]
    middle = whole[len(whole) // 2]["seq"]
    with service.socket(f"/v1/feed?since={middle}") as feed:
        rest = service.until(frames_of(feed), type="call", state="end", call_id="calm")[1:]
    assert rest == [frame for frame in whole if frame["seq"] > middle]


def test_a_reader_that_comes_back_misses_nothing_and_sees_nothing_twice(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        seen: list[int] = []
        for n in range(3):
            since = f"?since={seen[-1]}" if seen else "?since=0"
            with service.socket(f"/v1/feed{since}") as feed:
                service.send(call(f"c-{n}", ANGRY))
                frames = service.until(frames_of(feed), type="call", state="end", call_id=f"c-{n}")
            seen += [frame["seq"] for frame in frames if "seq" in frame and frame["type"] != "snapshot"]
        service.settle(*(f"c-{n}" for n in range(3)))
        assert seen == [seq for seq, _, _ in service.store.events_since(0, 10_000)]


def test_server_sent_events_are_the_websocket_frames(tmp_path: Path) -> None:
    with (
        running(tmp_path) as service,
        service.socket("/v1/feed") as feed,
        service.http.stream("GET", "/v1/events") as sse,
    ):
        assert sse.headers["content-type"].startswith("text/event-stream")
        streamed, framed = sse_frames(sse), frames_of(feed)
        assert next(streamed) == next(framed)
        service.send(call("c", ANGRY))
        last = {"type": "call", "state": "end"}
        assert service.until(streamed, **last) == service.until(framed, **last)


def test_last_event_id_resumes_as_since_does(service: Service) -> None:
    with service.socket("/v1/feed?since=3") as feed:
        framed = service.until(frames_of(feed), type="call", state="end", call_id="calm")
    with service.http.stream("GET", "/v1/events", headers={"last-event-id": "3"}) as sse:
        assert service.until(sse_frames(sse), type="call", state="end", call_id="calm") == framed


def test_silence_is_broken_by_comments(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "PING_S", 0.01)
    with service.http.stream("GET", "/v1/events") as sse:
        lines = sse.iter_lines()
        assert next(lines) == "retry: 2000"
        assert next(line for line in lines if line.startswith(":")) == ": ping"
    assert service.http.head("/v1/events").status_code == 200


@pytest.mark.parametrize(
    ("query", "calls"),
    [("team=billing", {"angry"}), ("agent=a-1", {"angry"}), ("call_id=angry", {"angry"}), ("", {"angry", "calm"})],
)
def test_filters(service: Service, query: str, calls: set[str]) -> None:
    last = "calm" if "calm" in calls else "angry"
    with service.socket(f"/v1/feed?since=0&{query}") as feed:
        seen = service.until(frames_of(feed), type="call", state="end", call_id=last)[1:]
    assert {frame["call_id"] for frame in seen} == calls


def test_severity_narrows_alerts_and_nothing_else(service: Service) -> None:
    with service.socket("/v1/feed?since=0&call_id=angry&severity=critical") as feed:
        snapshot, *seen = service.until(frames_of(feed), type="call", state="end")
    severities = {frame["severity"] for frame in [*snapshot["alerts"], *seen] if "severity" in frame}
    assert severities == {"critical"}
    assert "point" in {frame["type"] for frame in seen}


@pytest.mark.parametrize("query", ["severity=loud", "since=-1", "since=x", "colour=red"])
def test_a_wrong_filter_is_said_and_closed(service: Service, query: str) -> None:
    with service.socket(f"/v1/feed?{query}") as feed, pytest.raises(ConnectionClosed) as closed:
        feed.recv(TIMEOUT_S)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert query.split("=")[0] in closed.value.rcvd.reason
    assert service.http.get(f"/v1/events?{query}").status_code == 422


def lazy_reader(service: Service) -> sockets.socket:
    """A stream that was asked for and is not read; the system holds as little of it as it can."""
    reader = sockets.socket()
    reader.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    reader.settimeout(TIMEOUT_S)
    host, port = service.url.removeprefix("http://").split(":")
    reader.connect((host, int(port)))
    reader.sendall(b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert reader.recv(12) == b"HTTP/1.1 200"
    return reader


def read_frames(reader: sockets.socket) -> Iterator[Frame]:
    """What a lazy reader finds when it reads at last."""
    with reader.makefile("rb") as lines:
        for line in lines:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


def test_a_slow_reader_loses_points_never_alerts_is_told_and_holds_nobody_up(tmp_path: Path) -> None:
    with running(tmp_path, send_buffer=4096) as service, service.socket("/v1/feed") as fast:
        slow = lazy_reader(service)
        service.send(call("c", [f"I am furious for the {n}th time, give me the manager." for n in range(400)]))
        seen = service.until(frames_of(fast), type="call", state="end")  # through, while the slow one has read nothing
        late = service.until(read_frames(slow), type="call", state="end")
        slow.close()
        stored = [{"seq": seq, **json.loads(body)} for seq, _, body in service.store.events_since(0, 10_000)]
    dropped = [frame["points"] for frame in late if frame["type"] == "dropped"]
    assert dropped
    assert sum(dropped) == len(of(stored, "point")) - len(of(late, "point"))
    for kind in ("alert", "turn"):
        assert of(late, kind) == of(stored, kind) == of(seen, kind)
    assert of(late, "point")[-1] == of(stored, "point")[-1]


def test_a_dead_reader_is_let_go_and_the_others_see_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "_MOST_WAITING", 300)
    texts = [f"I am furious for the {n}th time, give me the manager." for n in range(400)]
    with running(tmp_path, send_buffer=4096) as service:
        dead = lazy_reader(service)
        with service.socket("/v1/feed") as fast:
            frames = frames_of(fast)
            next(frames)
            for begin in range(0, 400, 50):  # the fast one keeps up with what is sent
                some = call("c", texts)[1 + begin : 51 + begin]
                service.send(some)
                service.until(frames, type="point", segment_id=some[-1]["segment_id"])
        late = list(read_frames(dead))  # what was on its way, then the end of the stream
        dead.close()
        assert late[-1]["seq"] < service.store.last_seq()


def of(frames: list[Frame], kind: str) -> list[Frame]:
    return [frame for frame in frames if frame["type"] == kind]
