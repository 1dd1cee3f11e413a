"""Calls over REST: search, read, export, hand over, annotate; and errors that help."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from monitor.core.events import decode
from tests.api.conftest import ANGRY
from tests.api.service import Service, call, running
from tests.service.conftest import make_rules, refolded


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["calm", "angry"]),
        ({"live": "true"}, []),
        ({"live": "false", "team": "billing"}, ["angry"]),
        ({"agent": "a-2"}, ["calm"]),
        ({"label": "threat_legal"}, ["angry"]),
        ({"min_peak": "0.5"}, ["angry"]),
        ({"text": "LAWYER"}, ["angry"]),
        ({"outcome": "escalated"}, ["angry"]),
        ({"language": "en"}, ["calm", "angry"]),
        ({"since": "2020-01-01T00:00:00Z", "until": "2021-01-01T00:00:00Z"}, []),
        ({"since": "2020-01-01T00:00:00+01:00"}, ["calm", "angry"]),
    ],
)
def test_calls_are_found_by(service: Service, query: dict[str, str], found: list[str]) -> None:
    page = service.http.get("/v1/calls", params=query).json()
    assert [one["call_id"] for one in page["calls"]] == found
    assert page["next"] is None


def test_pages_follow_by_cursor_without_gap_or_double(service: Service) -> None:
    first = service.http.get("/v1/calls", params={"limit": 1}).json()
    second = service.http.get("/v1/calls", params={"limit": 1, "cursor": first["next"]}).json()
    assert [first["calls"][0]["call_id"], second["calls"][0]["call_id"]] == ["calm", "angry"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("live=perhaps", "live"),
        ("min_peak=2", "min_peak"),
        ("since=yesterday", "since"),
        ("since=2026-01-01T00:00:00", "since"),
        ("since=1767225600", "since"),
        ("since=1767225600.5", "since"),
        ("since=2026-01-01", "since"),
        ("until=2026-13-01T00:00:00Z", "until"),
        ("cursor=%21%21", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("team=a&team=b", "team"),
        ("team=", "team"),
    ],
)
def test_a_wrong_parameter_is_422_and_named(service: Service, query: str, field: str) -> None:
    answer = service.http.get(f"/v1/calls?{query}")
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (answer.status_code, body["status"], body["field"]) == (422, 422, field)
    assert body["detail"]


def test_a_call_has_its_alerts_and_notes(service: Service) -> None:
    body = service.http.get("/v1/calls/angry").json()
    assert body["call"]["customer_id"] == "k-1"
    assert {alert["kind"] for alert in body["alerts"]} >= {"must_report", "escalation_request"}
    assert body["alerts"][0]["fired_at"].endswith("Z")


def test_events_are_those_of_the_store_as_array_or_lines(service: Service) -> None:
    stored = service.store.events("angry")
    assert service.http.get("/v1/calls/angry/events").json() == [json.loads(body) for body in stored]
    for answer in (
        service.http.get("/v1/calls/angry/events?format=ndjson"),
        service.http.get("/v1/calls/angry/events", headers={"accept": "application/x-ndjson"}),
    ):
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert answer.content.splitlines() == stored


def test_the_exported_journal_folds_to_the_same_bytes(service: Service) -> None:
    answer = service.http.get("/v1/calls/angry/export?format=jsonl")
    assert answer.headers["content-disposition"] == 'attachment; filename="angry.jsonl"'
    head, *journal = answer.content.splitlines()
    assert json.loads(head)["versions"] == make_rules().versions
    assert refolded(journal, make_rules()) == service.store.events("angry")


def test_exports_as_json_and_csv(service: Service) -> None:
    assert service.http.get("/v1/calls/angry/export?format=json").json()["call_id"] == "angry"
    table = service.http.get("/v1/calls/angry/export?format=csv").content.decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(table)))) == 5


def test_the_handoff_says_what_was_heard_and_what_was_not(service: Service) -> None:
    sheet = service.http.get("/v1/calls/angry/handoff").json()
    assert sheet["customer_id"] == "k-1"
    assert sheet["queue"] == "billing"
    assert sheet["concern"][0]["text"] == "Hello, my order 4711234 has not arrived."
    assert sheet["references"] == ["4711234"]
    assert {gap["part"] for gap in sheet["incomplete"]} == {"steps_taken", "promises"}
    assert "The customer asks for someone in charge." in sheet["open_alerts"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("notes", {"text": "Write to mila@example.com", "at_s": 12.5}),
        ("annotations", {"segment_id": "0", "label": "insult", "verdict": "wrong"}),
        ("scorecard", {"scores": {"listening": 0.5}, "text": "fine"}),
        ("outcome", {"outcome": "resolved"}),
    ],
)
def test_people_write_things_down(service: Service, path: str, body: dict[str, Any]) -> None:
    answer = service.http.post(f"/v1/calls/calm/{path}", json=body)
    assert answer.status_code == 201
    kept = service.http.get("/v1/calls/calm").json()["annotations"][-1]
    assert kept == answer.json()
    assert kept["by"] == "local"
    assert "mila@example.com" not in json.dumps(kept)


def test_an_outcome_becomes_that_of_the_call(service: Service) -> None:
    service.http.post("/v1/calls/calm/outcome", json={"outcome": "escalated"})
    assert service.http.get("/v1/calls/calm").json()["call"]["outcome"] == "escalated"
    assert {one["call_id"] for one in service.http.get("/v1/calls?outcome=escalated").json()["calls"]} == {
        "angry",
        "calm",
    }


@pytest.mark.parametrize(
    ("path", "content", "status", "field"),
    [
        ("/v1/calls/calm/notes", b"{}", 422, "text"),
        ("/v1/calls/calm/notes", b'{"text":7}', 422, "text"),
        ("/v1/calls/calm/notes", b"{", 400, None),
        ("/v1/calls/calm/notes", b'{"text":"\xff"}', 400, None),
        ("/v1/calls/calm/scorecard", b'{"scores":{"a":2}}', 422, "scores[...]"),
        ("/v1/calls/calm/outcome", b'{"outcome":"great"}', 422, "outcome"),
        ("/v1/calls/nobody/notes", b'{"text":"x"}', 404, None),
        ("/v1/calls/calm/notes", b'{"text":"x","segment_id":"99"}', 422, "segment_id"),
        ("/v1/calls/calm/annotations", b'{"segment_id":"99","label":"insult"}', 422, "segment_id"),
        ("/v1/calls/calm/annotations", b'{"segment_id":"0","label":"rudeness"}', 422, "label"),
        ("/v1/calls/calm/annotations", b'{"segment_id":"0","label":"heat_1"}', 422, "label"),
        ("/v1/replays", b'{"type":"nonsense"}', 422, None),
    ],
)
def test_a_wrong_body_is_named(service: Service, path: str, content: bytes, status: int, field: str | None) -> None:
    answer = service.http.post(path, content=content)
    assert (answer.status_code, answer.json().get("field")) == (status, field)


def test_a_body_may_be_large_only_up_to_a_limit(service: Service) -> None:
    answer = service.http.post("/v1/calls/calm/notes", content=b" " * (1 << 20) + b"{}")
    assert answer.status_code == 413
    assert answer.json()["status"] == 413


def test_nothing_there_and_wrong_method_are_problems_too(service: Service) -> None:
    assert service.http.get("/v1/nothing").json()["status"] == 404
    answer = service.http.delete("/v1/alerts")
    assert (answer.status_code, answer.json()["status"], answer.headers["allow"]) == (405, 405, "GET, HEAD")


def test_a_recorded_call_replays_from_the_store_and_from_a_file(service: Service) -> None:
    stored = [json.loads(body) for body in service.store.events("angry")]
    assert service.http.post("/v1/replays", json={"call_id": "angry"}).json() == {"calls": ["angry"], "events": stored}
    journal = service.http.get("/v1/calls/angry/export").content
    upload = service.http.post("/v1/replays", content=journal, headers={"content-type": "application/x-ndjson"})
    assert upload.json()["events"] == stored


def test_an_uploaded_transcript_is_scored_and_redacted(service: Service) -> None:
    line = {
        "type": "transcript", "call_id": "up", "segment_id": "1", "role": "customer", "final": True, "start_s": 0.0,
        "end_s": 3.0, "language": "en", "text": "I am furious, write to mila@example.com.",
    }  # fmt: skip
    body = service.http.post("/v1/replays", content=json.dumps(line)).json()
    turn = next(event for event in body["events"] if event["type"] == "turn")
    assert turn["heat"] == 3.8
    assert "mila@example.com" not in turn["text"]
    assert service.store.call("up") is None


def test_statistics_are_of_work_not_of_people(service: Service) -> None:
    (group,) = service.http.get("/v1/stats").json()["groups"]
    assert group["calls"] == 2
    empty = service.http.get("/v1/stats", params={"since": "2100-01-01T00:00:00Z"}).json()["groups"]
    assert [(one["calls"], one["escalation_rate"]) for one in empty] == [(0, None)]
    assert {one["key"] for one in service.http.get("/v1/stats?by=team").json()["groups"]} == {"billing", "sales"}
    assert service.http.get("/v1/stats?by=agent").json()["field"] == "by"


def test_health_metrics_and_headers(service: Service) -> None:
    assert service.http.get("/healthz").json()["status"] == "ok"
    assert service.http.get("/readyz").json()["status"] == "ok"
    assert "becalm_" in service.http.get("/metrics").text
    headers = service.http.get("/healthz").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_every_stored_event_decodes(service: Service) -> None:
    for body in service.store.events("angry"):
        decode(body)


def test_the_escalation_rate_is_over_all_calls(tmp_path: Path) -> None:
    with running(tmp_path) as own:
        own.send(call("angry", ANGRY))
        own.send(call("goes-on", ["Hello."], end=False))
        own.settle("angry")
        (group,) = own.http.get("/v1/stats").json()["groups"]
        assert (group["calls"], group["ended"], group["escalated"], group["escalation_rate"]) == (2, 1, 1, 50.0)


def test_an_uploaded_export_of_other_rules_is_told(service: Service) -> None:
    head, rest = service.http.get("/v1/calls/angry/export").content.split(b"\n", 1)
    other = json.loads(head)
    other["versions"]["model"] = "older"
    for first, told in ((head, None), (json.dumps(other).encode(), {"angry": ["model older"]})):
        body = service.http.post("/v1/replays", content=first + b"\n" + rest).json()
        assert body.get("judged_otherwise") == told
        assert body["events"]


def test_a_live_call_without_a_score_is_exported_as_a_journal(tmp_path: Path) -> None:
    """Nothing but its head tells it from a bare transcript, which would be flushed and scored at its end."""
    with running(tmp_path) as own:
        own.send(call("c", ["Hello, I wait for a call back."], end=False)[1:])
        journal = own.http.get("/v1/calls/c/export").content
        events = own.http.get("/v1/calls/c/events").json()
        assert own.http.post("/v1/replays", content=journal).json()["events"] == events


@pytest.mark.parametrize("call_id", ["c/events", "c/export", "c/handoff", "100%", "a%2Fb", "c/d/e"])
def test_a_call_id_with_slashes_routes_to_itself(tmp_path: Path, call_id: str) -> None:
    with running(tmp_path) as own:
        own.send(call(call_id, ["Hello."]))
        own.send(call("c", ["Thanks."]))
        own.settle(call_id, "c")
        path = f"/v1/calls/{quote(call_id, safe='')}"
        assert own.http.get(path).json()["call"]["call_id"] == call_id
        assert {event["call_id"] for event in own.http.get(f"{path}/events").json()} == {call_id}
        assert own.http.post(f"{path}/notes", json={"text": "x"}).status_code == 201
        assert len(own.http.get(path).json()["annotations"]) == 1


def test_a_cursor_of_a_long_id_is_taken_back(tmp_path: Path) -> None:
    with running(tmp_path) as own:
        names = ["ž" * 200, "č" * 200]
        for name in names:
            own.send(call(name, ["Hello."]))
        first = own.http.get("/v1/calls?limit=1").json()
        second = own.http.get("/v1/calls", params={"limit": 1, "cursor": first["next"]}).json()
        assert [first["calls"][0]["call_id"], second["calls"][0]["call_id"]] == names[::-1]
