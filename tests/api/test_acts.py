"""What people do about alerts and prompts, during the call and after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import ANGRY
from tests.api.service import Service, call, frames_of, running


def alert_of(service: Service, call_id: str, kind: str) -> dict[str, Any]:
    alerts = service.http.get("/v1/alerts", params={"call_id": call_id, "kind": kind}).json()["alerts"]
    assert len(alerts) == 1
    return dict(alerts[0])


@pytest.mark.parametrize("end", [False, True], ids=["live", "ended"])
@pytest.mark.parametrize(
    ("action", "body", "state"),
    [
        ("ack", None, "acknowledged"),
        ("claim", {"note": "on it"}, "acknowledged"),
        ("snooze", {"for_s": 60}, "snoozed"),
        ("resolve", {"note": "done"}, "resolved"),
    ],
)
def test_an_action_changes_the_alert_and_is_seen_in_the_feed(
    tmp_path: Path, action: str, body: dict[str, Any] | None, state: str, end: bool
) -> None:
    with running(tmp_path) as service, service.socket("/v1/feed") as feed:
        frames = frames_of(feed)
        service.send(call("c", ANGRY, end=end))
        service.until(frames, **({"type": "call", "state": "end"} if end else {"type": "turn", "segment_id": "4"}))
        alert = alert_of(service, "c", "must_report")
        answer = service.http.post(f"/v1/alerts/{alert['alert_id']}/{action}", json=body)
        assert (answer.status_code, answer.json()["state"]) == (200, state)
        seen = service.until(frames, type="alert", alert_id=alert["alert_id"], state=state)[-1]
        assert seen["by"] == "local"
        assert seen.get("note") == (body or {}).get("note")
        after = alert_of(service, "c", "must_report")
        if state == "acknowledged":
            assert (after["acknowledged_by"], after["acknowledged_at"] >= after["fired_at"]) == ("local", True)
        if state == "resolved":
            again = service.http.post(f"/v1/alerts/{alert['alert_id']}/ack")
            assert (again.status_code, again.json()["status"]) == (409, 409)


def test_feedback_is_kept_with_the_call(service: Service) -> None:
    alert = alert_of(service, "angry", "must_report")
    answer = service.http.post(f"/v1/alerts/{alert['alert_id']}/feedback", json={"verdict": "late", "note": "by far"})
    assert answer.status_code == 201
    kept = service.http.get("/v1/calls/angry").json()["annotations"][-1]
    assert (kept["kind"], kept["alert_id"], kept["body"]["verdict"]) == ("feedback", alert["alert_id"], "late")
    wrong = service.http.post(f"/v1/alerts/{alert['alert_id']}/feedback", json={"verdict": "maybe"})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "verdict")


@pytest.mark.parametrize(
    ("body", "said"),
    [({"feedback": "false"}, "false"), ({"feedback": True}, "true"), ({"feedback": "late", "verdict": "late"}, "late")],
)
def test_feedback_by_the_name_of_the_protocol(service: Service, body: dict[str, Any], said: str) -> None:
    alert = alert_of(service, "angry", "must_report")
    answer = service.http.post(f"/v1/alerts/{alert['alert_id']}/feedback", json=body)
    assert (answer.status_code, answer.json()["body"]["verdict"]) == (201, said)


@pytest.mark.parametrize("body", [{}, {"feedback": "maybe"}, {"feedback": "true", "verdict": "false"}])
def test_feedback_says_one_thing(service: Service, body: dict[str, Any]) -> None:
    alert = alert_of(service, "angry", "must_report")
    answer = service.http.post(f"/v1/alerts/{alert['alert_id']}/feedback", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "feedback")


def test_alerts_page_by_cursor(service: Service) -> None:
    whole = service.http.get("/v1/alerts").json()
    assert whole["next"] is None
    found: list[str] = []
    query: dict[str, Any] = {"limit": 1}
    while True:
        page = service.http.get("/v1/alerts", params=query).json()
        found += [alert["alert_id"] for alert in page["alerts"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert found == [alert["alert_id"] for alert in whole["alerts"]]
    wrong = service.http.get("/v1/alerts?cursor=AAAA")
    assert (wrong.status_code, wrong.json()["field"]) == (422, "cursor")


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ("severity=warning", {"unsatisfied_close"}),
        ("kind=must_report", {"must_report"}),
        ("state=resolved&kind=must_report", set()),
        ("open=true&call_id=calm", set()),
        ("team=sales", set()),
        ("agent=a-1&severity=critical", {"must_report", "escalation_request"}),
    ],
)
def test_alerts_are_found_by(service: Service, query: str, kinds: set[str]) -> None:
    assert {one["kind"] for one in service.http.get(f"/v1/alerts?{query}").json()["alerts"]} >= kinds
    if not kinds:
        assert service.http.get(f"/v1/alerts?{query}").json()["alerts"] == []


def test_an_unknown_alert_or_prompt_is_404(service: Service) -> None:
    assert service.http.post("/v1/alerts/al-none/ack").status_code == 404
    assert service.http.post("/v1/prompts/pr-none/used").status_code == 404
    assert service.http.post("/v1/prompts/pr-none/used", json={"call_id": "angry"}).status_code == 404


@pytest.mark.parametrize("action", ["used", "dismissed"])
def test_the_agent_answers_a_prompt(tmp_path: Path, action: str) -> None:
    with running(tmp_path) as service, service.socket("/v1/feed") as feed:
        frames = frames_of(feed)
        service.send(call("c", ANGRY[:3], end=False))
        prompt = service.until(frames, type="prompt", state="shown")[-1]
        answer = service.http.post(f"/v1/prompts/{prompt['prompt_id']}/{action}")
        assert answer.json() == {"call_id": "c", "prompt_id": prompt["prompt_id"], "action": action}
        assert service.until(frames, type="prompt", state=action)[-1]["prompt_id"] == prompt["prompt_id"]


def test_an_agent_answers_only_the_own_prompts(guarded: tuple[Service, dict[str, str]]) -> None:
    service, keys = guarded
    events = service.as_(keys["admin"]).get("/v1/calls/angry/events").json()
    prompt = next(event["prompt_id"] for event in events if event["type"] == "prompt")
    assert service.as_(keys["agent"]).post(f"/v1/prompts/{prompt}/used").status_code == 200
    own = service.as_(keys["agent"]).post(f"/v1/prompts/{prompt}/used", json={"call_id": "calm"})
    assert own.status_code == 404
