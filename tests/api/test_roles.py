"""Every route for every role: what is allowed, and what is refused by name."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import ConnectionClosed

from monitor.service import rest
from monitor.service.api import Route
from monitor.service.tokens import ROLES
from tests.api.service import Service, call, frames_of

NAMES = {"call_id:path": "angry", "alert_id": "al-none", "prompt_id": "pr-none", "agent_id:path": "a-1"}
ROUTES = [route for route in rest.table() if route.path != "/v1/events"]
"""The stream has tests of its own: its answer never ends."""

Guarded = tuple[Service, dict[str, str]]


def path_of(route: Route) -> str:
    path = route.path
    names = {**NAMES, "call_id:path": "nobody", "customer_id:path": "nobody"} if route.method == "DELETE" else NAMES
    for name, value in names.items():
        path = path.replace("{" + name + "}", value)
    return path


def status(service: Service, route: Route, key: str | None) -> int:
    content = b"{}" if route.body is not None else b""
    return service.as_(key).request(route.method, path_of(route), content=content).status_code


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_is_for_its_roles_only(guarded: Guarded, route: Route) -> None:
    service, keys = guarded
    for role in ROLES:
        got = status(service, route, keys[role])
        if route.roles and role not in route.roles:
            assert got == 403, role
        elif not route.path.startswith("/log"):
            assert got not in (401, 403), role


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_without_a_token_nothing_but_public_routes_answers(guarded: Guarded, route: Route) -> None:
    service, _ = guarded
    refused = 303 if route.page else 401
    for key in (None, "bcm_wrong"):
        got = status(service, route, key)
        if route.roles:
            assert got == refused
        elif not route.path.startswith("/log"):
            assert got not in (401, 403)


def test_a_refusal_names_the_roles_that_may(guarded: Guarded) -> None:
    service, keys = guarded
    client = service.as_(keys["agent"])
    body = client.get("/v1/alerts").json()
    assert body["status"] == 403
    assert body["roles"] == ["admin", "qa", "supervisor"]
    assert body["detail"] == "This needs the role admin or qa or supervisor."


def test_a_supervisor_sees_the_own_teams_only(guarded: Guarded) -> None:
    service, keys = guarded
    client = service.as_(keys["supervisor"])
    assert [one["call_id"] for one in client.get("/v1/calls").json()["calls"]] == ["angry"]
    assert {one["team"] for one in client.get("/v1/alerts").json()["alerts"]} == {"billing"}
    assert client.get("/v1/calls/angry").status_code == 200
    for path in ("", "/events", "/export", "/handoff"):
        assert client.get(f"/v1/calls/calm{path}").status_code == 404
    assert client.post("/v1/calls/calm/notes", json={"text": "x"}).status_code == 404
    assert client.post("/v1/replays", json={"call_id": "calm"}).status_code == 404
    groups = client.get("/v1/stats", params={"by": "team"}).json()["groups"]
    assert [group["key"] for group in groups] == ["billing"]
    for by in (None, "queue", "day"):
        (group,) = client.get("/v1/stats", params={} if by is None else {"by": by}).json()["groups"]
        assert (group["calls"], group["escalated"]) == (1, 1), "of billing's call alone"


def test_qa_and_admin_see_every_team(guarded: Guarded) -> None:
    service, keys = guarded
    for role in ("qa", "admin"):
        client = service.as_(keys[role])
        assert len(client.get("/v1/calls").json()["calls"]) == 2


def test_an_agent_reads_the_own_calls_and_nothing_that_judges_them(guarded: Guarded) -> None:
    service, keys = guarded
    client = service.as_(keys["agent"])
    (own,) = client.get("/v1/calls").json()["calls"]
    assert (own["call_id"], own["turns"], own["agent_id"]) == ("angry", 5, "a-1")
    detail = client.get("/v1/calls/angry").json()
    assert detail["call"] == own
    assert "alerts" not in detail
    judging = {"tension", "peak_tension", "risk", "alerts", "labels", "flags", "outcome", "outcome_guess"}
    assert not judging & own.keys()
    sheet = client.get("/v1/calls/angry/handoff").json()
    assert sheet["references"] == ["4711234"]
    assert not {"tension", "open_alerts"} & sheet.keys()
    whole = service.as_(keys["qa"]).get("/v1/calls/angry").json()
    assert judging <= whole["call"].keys()
    assert whole["alerts"]


def test_an_agent_reads_no_other_call_and_cannot_search_by_judgements(guarded: Guarded) -> None:
    service, keys = guarded
    client = service.as_(keys["agent"])
    for path in ("", "/handoff"):
        assert client.get(f"/v1/calls/calm{path}").status_code == 404
    assert client.post("/v1/calls/calm/notes", json={"text": "x"}).status_code == 404
    for path in ("/v1/calls/angry/events", "/v1/calls/angry/export", "/v1/alerts", "/v1/stats"):
        assert client.get(path).status_code == 403
    for name, value in (("agent", "a-2"), ("min_peak", "0.5"), ("label", "anger"), ("outcome", "escalated")):
        answer = client.get("/v1/calls", params={name: value})
        assert (answer.status_code, answer.json()["field"]) == (403, name)


def test_an_agent_sees_notes_and_not_what_quality_said(guarded: Guarded) -> None:
    service, keys = guarded
    client = service.as_(keys["agent"])
    service.as_(keys["qa"]).post("/v1/calls/angry/scorecard", json={"scores": {"listening": 0.1}})
    assert client.post("/v1/calls/angry/notes", json={"text": "called back"}).status_code == 201
    said = client.get("/v1/calls/angry").json()["annotations"]
    assert {one["kind"] for one in said} == {"note"}
    assert said[-1]["body"]["text"] == "called back"


def test_an_agent_cannot_open_the_page_of_another(guarded: Guarded) -> None:
    service, keys = guarded
    client = service.as_(keys["agent"])
    assert client.get("/agent/a-2").status_code == 403


def test_an_agents_feed_has_the_own_calls_and_no_alerts(guarded: Guarded) -> None:
    service, keys = guarded
    with service.socket("/v1/feed?since=0", keys["agent"]) as feed:
        frames = frames_of(feed)
        snapshot = next(frames)
        assert snapshot["alerts"] == []
        seen = service.until(frames, type="call", state="end")
    assert {frame["call_id"] for frame in seen} == {"angry"}
    kinds = {frame["type"] for frame in seen}
    assert "alert" not in kinds
    assert "prompt" in kinds


def test_a_supervisors_feed_has_the_own_teams_only(guarded: Guarded) -> None:
    service, keys = guarded
    with service.socket("/v1/feed?since=0", keys["supervisor"]) as feed:
        seen = service.until(frames_of(feed), type="call", state="end")
    assert {frame["call_id"] for frame in seen[1:]} == {"angry"}
    assert "alert" in {frame["type"] for frame in seen}


@pytest.mark.parametrize("role", [None, "ingest"])
def test_a_feed_is_refused_with_1008(guarded: Guarded, role: str | None) -> None:
    service, keys = guarded
    with service.socket("/v1/feed", keys.get(role or "")) as feed, pytest.raises(ConnectionClosed) as closed:
        feed.recv(30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


@pytest.mark.parametrize("role", [None, "agent", "supervisor", "qa"])
def test_only_ingest_and_admin_may_send_calls(guarded: Guarded, role: str | None) -> None:
    service, keys = guarded
    with service.socket("/v1/ingest", keys.get(role or "")) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_admin_may_send_calls(guarded: Guarded) -> None:
    service, keys = guarded
    service.send(call("sent-by-admin", ["Hello there."], agent="a-9", team="test"), keys["admin"])
    with service.socket("/v1/ingest", keys["ingest"]) as socket:
        socket.send(json.dumps(call("sent-by-stt", ["Hello there."])[1]))
        assert json.loads(socket.recv(30))["type"] == "ack"
