"""Erasing on a running service: nothing stays, whoever listens is told, and what comes late does not bring it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import ANGRY
from tests.api.service import TIMEOUT_S, Service, call, frames_of, running

SECRET = "Unrepeatable8c1f"


def traces(service: Service, word: str) -> list[str]:
    """Database files in which the word can be read."""
    return [file.name for file in Path(service.store.path).parent.iterdir() if word.encode() in file.read_bytes()]


@pytest.mark.parametrize("end", [False, True], ids=["live", "ended"])
def test_a_call_is_erased_and_the_feed_is_told(tmp_path: Path, end: bool) -> None:
    with running(tmp_path) as service, service.socket("/v1/feed") as feed:
        frames = frames_of(feed)
        service.send(call("c", [*ANGRY, SECRET], end=end))
        service.send(call("other", ["Hello."], end=False))
        service.until(frames, **({"type": "call", "call_id": "c", "state": "end"} if end else {"segment_id": "5"}))
        open_alerts = {alert["alert_id"] for alert in service.http.get("/v1/alerts?open=true").json()["alerts"]}
        assert open_alerts
        assert traces(service, SECRET)
        answer = service.http.delete("/v1/calls/c")
        assert (answer.status_code, answer.json()) == (200, {"calls": ["c"]})
        told = service.until(frames, type="call", call_id="c", state="end", reason="erased")
        resolved = {frame["alert_id"] for frame in told if frame.get("state") == "resolved"}
        assert resolved == open_alerts
        seqs = [frame["seq"] for frame in told if "seq" in frame]
        assert seqs == sorted(seqs)
        assert service.http.get("/v1/calls/c").status_code == 404
        assert service.http.delete("/v1/calls/c").status_code == 404
        assert [one["call_id"] for one in service.http.get("/v1/calls").json()["calls"]] == ["other"]
        assert service.http.get("/v1/alerts").json()["alerts"] == []
        assert traces(service, SECRET) == []
        assert traces(service, "goodbye") == []
        service.send(call("other", ["Hello.", "Still here."], end=False))
        after = service.until(frames, call_id="other", segment_id="1")
        assert after[-1]["seq"] > seqs[-1]


def test_what_is_sent_for_an_erased_call_does_not_bring_it_back(tmp_path: Path) -> None:
    with running(tmp_path) as service, service.socket("/v1/ingest") as socket:
        messages = call("c", ANGRY, end=False)
        service.send(messages)
        service.http.delete("/v1/calls/c")
        for message in messages[:2]:
            socket.send(json.dumps(message))
            answer = json.loads(socket.recv(TIMEOUT_S))
            assert (answer["code"], answer["call_id"]) == ("unknown_call", "c")
        assert service.store.call("c") is None


def test_a_call_that_never_was_can_still_begin(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        assert service.http.delete("/v1/calls/c").status_code == 404
        service.send(call("c", ["Hello."]))


def test_all_calls_of_a_customer_are_erased(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        other = call("c", ["Hello."])
        other[0]["customer"] = {"id": "k/2"}
        service.send(other)
        service.send(call("a", ["Hello."]))
        service.send(call("b", ["Hello."], end=False))
        gone = service.http.delete("/v1/customers/k-1").json()["calls"]
        assert sorted(gone) == ["a", "b"]
        assert service.http.delete("/v1/customers/k-1").status_code == 404
        assert service.http.delete("/v1/customers/k%2F2").json() == {"calls": ["c"]}


def test_only_an_admin_erases(guarded: tuple[Service, dict[str, str]]) -> None:
    service, keys = guarded
    for role in ("ingest", "agent", "supervisor", "qa"):
        for path in ("/v1/calls/angry", "/v1/customers/k-1"):
            assert service.as_(keys[role]).delete(path).status_code == 403
    assert service.store.call("angry") is not None


def test_a_reader_of_another_team_hears_nothing_of_it(guarded: tuple[Service, dict[str, str]]) -> None:
    service, keys = guarded
    service.send(call("away", ["Hello."], team="sales", end=False), keys["ingest"])
    with service.socket("/v1/feed", keys["supervisor"]) as feed:
        frames = frames_of(feed)
        next(frames)
        assert service.as_(keys["admin"]).delete("/v1/calls/away").status_code == 200
        service.send(call("near", ["Hello."], end=False), keys["ingest"])
        seen: list[dict[str, Any]] = service.until(frames, call_id="near", type="call")
        assert {frame["call_id"] for frame in seen} == {"near"}
    service.as_(keys["admin"]).delete("/v1/calls/near")
